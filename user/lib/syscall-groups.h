/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The data of syscalls.c, which alone includes this. */
#ifndef WIRESCOPE_SYSCALL_GROUPS_H
#define WIRESCOPE_SYSCALL_GROUPS_H

struct syscall_number {
	unsigned int nr;
	const char *name;
};

/*
 * Newer than libseccomp may be (Debian 12's ends with 456), and the same on both ABIs. From
 * include/uapi/asm-generic/unistd.h. Checked on Linux 6.18: there the tracepoint of each name
 * fires for a call of its number, but map_shadow_stack has none (libseccomp agrees) and listns
 * is newer, of 6.19.
 */
static const struct syscall_number shared_syscalls[] = {
	{451, "cachestat"},         {452, "fchmodat2"},        {453, "map_shadow_stack"},
	{454, "futex_wake"},        {455, "futex_wait"},       {456, "futex_requeue"},
	{457, "statmount"},         {458, "listmount"},        {459, "lsm_get_self_attr"},
	{460, "lsm_set_self_attr"}, {461, "lsm_list_modules"}, {462, "mseal"},
	{463, "setxattrat"},        {464, "getxattrat"},       {465, "listxattrat"},
	{466, "removexattrat"},     {467, "open_tree_attr"},   {468, "file_getattr"},
	{469, "file_setattr"},      {470, "listns"},
};

#ifdef __x86_64__
/*
 * Linux 6.11 and 6.18, not on i386, from arch/x86/entry/syscalls/syscall_64.tbl. On 6.18 they
 * end with SIGILL and ENXIO where a number without a call gives ENOSYS.
 */
static const struct syscall_number native_syscalls[] = {{335, "uretprobe"}, {336, "uprobe"}};
#else
static const struct syscall_number native_syscalls[] = {{0}};
#endif

/* A name or class may stand in several; not all names exist on each ABI or machine. */
struct syscall_class {
	const char *name;
	const char *members; /* as syscall_set__parse() takes them, without '!' */
};

/*
 * What strace 6.1 traces for each class, found by running it; tests/tool/syscall-groups.sh runs
 * it again. socketcall is in %net because strace looks at the call that it stands for, where
 * here only its number is known. strace 6.1 ends with number 450: cachestat, fchmodat2,
 * map_shadow_stack and mseal are in the classes that strace gave them in 2024, the *xattrat,
 * open_tree_attr and file_*attr in those of other calls that take a directory's descriptor
 * and a path.
 */
static const struct syscall_class syscall_classes[] = {
	{"%file",
	 "access,acct,chdir,chmod,chown,chown32,chroot,creat,execve,execveat,faccessat,"
	 "faccessat2,fanotify_mark,fchmodat,fchmodat2,fchownat,file_getattr,file_setattr,"
	 "fsconfig,fspick,fstatat64,futimesat,getcwd,getxattr,getxattrat,inotify_add_watch,"
	 "lchown,lchown32,lgetxattr,link,linkat,listxattr,listxattrat,llistxattr,"
	 "lremovexattr,lsetxattr,lstat,lstat64,mkdir,mkdirat,mknod,mknodat,mount,"
	 "mount_setattr,move_mount,name_to_handle_at,newfstatat,oldlstat,oldstat,open,"
	 "open_tree,open_tree_attr,openat,openat2,pivot_root,quotactl,readlink,readlinkat,"
	 "removexattr,removexattrat,rename,renameat,renameat2,rmdir,setxattr,setxattrat,"
	 "stat,stat64,statfs,statfs64,statx,swapoff,swapon,symlink,symlinkat,truncate,"
	 "truncate64,umount,umount2,unlink,unlinkat,uselib,utime,utimensat,utimensat_time64,"
	 "utimes"},
	{"%desc",
	 "_llseek,_newselect,bpf,cachestat,close,copy_file_range,creat,dup,dup2,dup3,"
	 "epoll_create,epoll_create1,epoll_ctl,epoll_pwait,epoll_pwait2,epoll_wait,eventfd,"
	 "eventfd2,execveat,faccessat,faccessat2,fadvise64,fadvise64_64,fallocate,"
	 "fanotify_init,fanotify_mark,fchdir,fchmod,fchmodat,fchmodat2,fchown,fchown32,"
	 "fchownat,fcntl,fcntl64,fdatasync,fgetxattr,file_getattr,file_setattr,finit_module,"
	 "flistxattr,flock,fremovexattr,fsconfig,fsetxattr,fsmount,fsopen,fspick,fstat,"
	 "fstat64,fstatat64,fstatfs,fstatfs64,fsync,ftruncate,ftruncate64,futimesat,"
	 "getdents,getdents64,getxattrat,inotify_add_watch,inotify_init,inotify_init1,"
	 "inotify_rm_watch,io_uring_enter,io_uring_register,io_uring_setup,ioctl,"
	 "kexec_file_load,landlock_add_rule,landlock_create_ruleset,landlock_restrict_self,"
	 "linkat,listxattrat,lseek,memfd_create,memfd_secret,mkdirat,mknodat,mmap,mmap2,"
	 "mount_setattr,move_mount,mq_getsetattr,mq_notify,mq_open,mq_timedreceive,"
	 "mq_timedreceive_time64,mq_timedsend,mq_timedsend_time64,name_to_handle_at,"
	 "newfstatat,oldfstat,open,open_by_handle_at,open_tree,open_tree_attr,openat,"
	 "openat2,perf_event_open,pidfd_getfd,pidfd_open,pidfd_send_signal,pipe,pipe2,poll,"
	 "ppoll,ppoll_time64,pread64,preadv,preadv2,process_madvise,process_mrelease,"
	 "pselect6,pselect6_time64,pwrite64,pwritev,pwritev2,quotactl_fd,read,readahead,"
	 "readdir,readlinkat,readv,removexattrat,renameat,renameat2,select,sendfile,"
	 "sendfile64,setns,setxattrat,signalfd,signalfd4,socketcall,splice,statx,symlinkat,"
	 "sync_file_range,syncfs,tee,timerfd_create,timerfd_gettime,timerfd_gettime64,"
	 "timerfd_settime,timerfd_settime64,unlinkat,userfaultfd,utimensat,utimensat_time64,"
	 "vmsplice,write,writev"},
	{"%net", "accept,accept4,bind,connect,getpeername,getpmsg,getsockname,getsockopt,listen,"
		 "putpmsg,recvfrom,recvmmsg,recvmmsg_time64,recvmsg,sendfile,sendfile64,sendmmsg,"
		 "sendmsg,sendto,setsockopt,shutdown,socket,socketcall,socketpair"},
	{"%network", "%net"},
	{"%process", "clone,clone3,execve,execveat,exit,exit_group,fork,kill,pidfd_send_signal,"
		     "rt_sigqueueinfo,rt_tgsigqueueinfo,tgkill,tkill,vfork,wait4,waitid,waitpid"},
	{"%signal",
	 "io_uring_enter,kill,pause,pidfd_send_signal,rt_sigaction,rt_sigpending,"
	 "rt_sigprocmask,rt_sigqueueinfo,rt_sigreturn,rt_sigsuspend,rt_sigtimedwait,"
	 "rt_sigtimedwait_time64,rt_tgsigqueueinfo,sgetmask,sigaction,sigaltstack,signal,"
	 "signalfd,signalfd4,sigpending,sigprocmask,sigreturn,sigsuspend,ssetmask,tgkill,"
	 "tkill"},
	{"%ipc", "ipc,msgctl,msgget,msgrcv,msgsnd,semctl,semget,semop,semtimedop,semtimedop_time64,"
		 "shmat,shmctl,shmdt,shmget"},
	{"%memory",
	 "break,brk,get_mempolicy,io_destroy,io_setup,io_uring_register,madvise,"
	 "map_shadow_stack,mbind,migrate_pages,mincore,mlock,mlock2,mlockall,mmap,mmap2,"
	 "move_pages,mprotect,mremap,mseal,msync,munlock,munlockall,munmap,pkey_mprotect,"
	 "remap_file_pages,set_mempolicy,set_mempolicy_home_node,shmat,shmdt"},
	{"%mem", "%memory"},
	{"%creds", "capget,capset,getegid,getegid32,geteuid,geteuid32,getgid,getgid32,getgroups,"
		   "getgroups32,getresgid,getresgid32,getresuid,getresuid32,getuid,getuid32,prctl,"
		   "setfsgid,setfsgid32,setfsuid,setfsuid32,setgid,setgid32,setgroups,setgroups32,"
		   "setregid,setregid32,setresgid,setresgid32,setresuid,setresuid32,setreuid,"
		   "setreuid32,setuid,setuid32"},
	{"%clock", "adjtimex,clock_adjtime,clock_adjtime64,clock_getres,clock_getres_time64,"
		   "clock_gettime,clock_gettime64,clock_settime,clock_settime64,gettimeofday,"
		   "settimeofday,time"},
	{"%stat", "oldstat,stat,stat64"},
	{"%lstat", "lstat,lstat64,oldlstat"},
	{"%fstat", "fstat,fstat64,fstatat64,newfstatat,oldfstat,statx"},
	{"%%stat", "%stat,%lstat,%fstat"},
	{"%statfs", "statfs,statfs64"},
	{"%fstatfs", "fstatfs,fstatfs64"},
	{"%%statfs", "%statfs,%fstatfs,ustat"},
	{"%pure",
	 "getegid,getegid32,geteuid,geteuid32,getgid,getgid32,getpgrp,getpid,getppid,gettid,"
	 "getuid,getuid32"},
};

/* include/linux/errno.h: what the kernel keeps to itself, seen only by tracers. */
#define KERNEL_ERRNO_FIRST 512

static const char *const kernel_errnos[] = {
	[0] = "ERESTARTSYS",
	[1] = "ERESTARTNOINTR",
	[2] = "ERESTARTNOHAND",
	[3] = "ENOIOCTLCMD",
	[4] = "ERESTART_RESTARTBLOCK",
	[5] = "EPROBE_DEFER",
	[6] = "EOPENSTALE",
	[7] = "ENOPARAM",
	[9] = "EBADHANDLE",
	[10] = "ENOTSYNC",
	[11] = "EBADCOOKIE",
	[12] = "ENOTSUPP",
	[13] = "ETOOSMALL",
	[14] = "ESERVERFAULT",
	[15] = "EBADTYPE",
	[16] = "EJUKEBOX",
	[17] = "EIOCBQUEUED",
	[18] = "ERECALLCONFLICT",
};

#endif
