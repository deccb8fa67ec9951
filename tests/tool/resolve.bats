#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Where functions, fields and arguments are, against what other programs find: readelf, nm, the
# C compiler with the kernel's types, and tracefs itself.

load common

setup() {
	cd "$BATS_TEST_TMPDIR"
	library=$(ldd "$root/udp-syscall" | sed -n 's|.*=> \(/.*\)/libelf[^/]*|\1|p;' | sed 's/ .*//')
}

# Of each function that a file defines, by readelf: NAME ADDRESS OFFSET, in the code it loads.
by_readelf() {
	readelf -lsW "$1" | perl -ne '
		push @load, [map { hex } $1, $2, $3]
			if /^\s+LOAD\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x\w+ ..E/;
		next if !/^\s*\d+: (\w+)\s+\S+\s+I?FUNC\s+\S+\s+\S+\s+(?:\[.*\] +)?(\w+) ([^@\s]+)/
			|| $2 eq "UND" || $2 eq "ABS";
		my ($at, $name) = (hex $1, $3);
		for (@load) {
			my ($offset, $start, $size) = @$_;
			next if $at < $start || $at >= $start + $size;
			printf "%s %x %x\n", $name, $at, $at - $start + $offset;
			last;
		}' | LC_ALL=C sort -u
}

ours() {
	"$workload/resolve" functions "$@" | cut -d ' ' -f 1-3 | LC_ALL=C sort -u
}

same_functions() {
	by_readelf "$1" >expected
	[ -s expected ] && ours "$1" | diff expected -
}

@test "functions: those of readelf, at the same offsets, in libraries" {
	[ -n "$library" ]
	for name in libc.so.6 libssl.so.3 libcrypto.so.3 libm.so.6 libstdc++.so.6; do
		[ ! -e "$library/$name" ] || same_functions "$library/$name"
	done
}

@test "functions: those of readelf, in programs of all kinds" {
	local kinds=("$root/udp-syscall" "$workload/udp-load")
	readelf -h "$workload/udp-load" | grep -q 'Type: *DYN'
	if [ -x "$workload/static/syscall-load" ]; then
		readelf -h "$workload/static/syscall-load" | grep -q 'Type: *EXEC'
		kinds+=("$workload/static/syscall-load")
	fi
	[ ! -x "$workload/udp-load-32" ] || kinds+=("$workload/udp-load-32")
	for file in "${kinds[@]}"; do
		same_functions "$file"
	done
	# Nothing has a name any more, or only what is exported.
	strip -o stripped "$workload/udp-load"
	by_readelf stripped >expected
	ours stripped 2>errors | diff expected -
}

@test "functions: what nm says that a library exports" {
	nm -D --defined-only "$library/libc.so.6" |
		sed -n 's/^0*\([0-9a-f]*\) [TtWi] \([^@]*\)\(@.*\)*$/\2 \1/p' | LC_ALL=C sort -u >expected
	[ "$(wc -l <expected)" -gt 2000 ]
	ours "$library/libc.so.6" | cut -d ' ' -f 1,2 | diff expected -
}

@test "functions: the default version of a name, each other one by its name" {
	local file=$library/libc.so.6 address
	address=$(nm -D "$file" | sed -n 's/^0*\([0-9a-f]*\) . memcpy@@.*/\1/p')
	[ -n "$address" ] || skip "memcpy has one version only"
	run -0 "$workload/resolve" find "$file" memcpy
	[ "${#lines[@]}" -eq 1 ]
	[[ "${lines[0]}" = "memcpy $address "*" ifunc" ]]
	address=$(nm -D "$file" | sed -n 's/^0*\([0-9a-f]*\) . memcpy@GLIBC_2.2.5/\1/p')
	run -0 "$workload/resolve" find "$file" memcpy@GLIBC_2.2.5
	[[ "${lines[0]}" = "memcpy $address "* ]]
	[[ "${lines[0]}" != *ifunc ]]
}

@test "functions: a stripped program has those of its file of debug information" {
	local id
	id=$(readelf -n "$workload/udp-load" | sed -n 's/.*Build ID: //p')
	[ -n "$id" ] || skip "the compiler gives no build ids"
	mkdir -p "debug/${id:0:2}"
	objcopy --only-keep-debug "$workload/udp-load" "debug/${id:0:2}/${id:2}.debug"
	strip -o stripped "$workload/udp-load"
	[ -z "$(ours stripped 2>errors)" ]
	grep -q 'it has no symbols of functions' errors
	ours "$workload/udp-load" | diff - <(ours stripped debug)
}

@test "functions: a name that is none gets the nearest, and the build id" {
	local id
	id=$(readelf -n "$workload/udp-load" | sed -n 's/.*Build ID: //p')
	run -1 "$workload/resolve" find "$workload/udp-load" mian
	[ "${lines[0]}" = "resolve: '$workload/udp-load' has no function 'mian'" ]
	[ "${lines[1]}" = "why: all of its symbols were looked at${id:+; its build id is $id}" ]
	[[ "${lines[2]}" = "try: main"* ]]
}

@test "fields of all tracepoints: as their format files have them" {
	local events=/sys/kernel/tracing/events
	[ -r "$events/header_page" ] || skip "tracefs is not mounted"
	# Of system calls we say what the call takes, tracefs what there is room for.
	"$workload/resolve" fields | grep -v '^syscalls:' | LC_ALL=C sort >ours
	perl -ne '
		my ($event) = $ARGV =~ m{([^/]+/[^/]+)/format$};
		$event =~ s{/}{:};
		print "$event $1 $2 $3 $4\n"
			if /^\tfield:[^;]*?(\w+)(?:\[\w*\])*;\toffset:(\d+);\tsize:(\d+);\tsigned:(\d);$/;
	' "$events"/*/*/format | grep -v '^syscalls:' | LC_ALL=C sort >expected
	[ "$(wc -l <expected)" -gt 1000 ]
	diff expected ours
}

# Lines of "EVENT EXPRESSION TYPE.MEMBER...": what the C compiler finds for each, as we print it.
by_compiler() {
	{
		cat <<-'EOF'
			#include "vmlinux.h"
			int printf(const char *, ...);
			#define AT(type, member) printf(" %lu", __builtin_offsetof(type, member))
			#define SIGNED(x) ((__typeof__(x))-1 < 1)
			#define FIELD(type, member) do { \
				type x; unsigned char *b = (void *)&x; unsigned int i, from, to; \
				__builtin_memset(&x, 0, sizeof(x)); \
				x.member = -1; \
				for (from = 0; !(b[from / 8] >> from % 8 & 1); from++); \
				for (to = from; b[to / 8] >> to % 8 & 1; to++); \
				printf(" %u-%u", from, to); } while (0)
			int main(void)
			{
		EOF
		while read -r event expression first rest; do
			echo "printf(\"$expression\");"
			for step in $first $rest; do
				type=${step%%.*}
				member=${step#*.}
				case $member in
				*:) echo "FIELD(struct $type, ${member%:});" ;;
				*) echo "AT(struct $type, $member);" ;;
				esac
			done
			case $member in
			*:) ;;
			*) echo "printf(\" %lu %d\", sizeof(((struct $type *)0)->$member)," \
				"SIGNED(((struct $type *)0)->$member));" ;;
			esac
			echo 'printf("\n");'
		done
		echo 'return 0; }'
	} >kernel.c
	bpftool btf dump file /sys/kernel/btf/vmlinux format c >vmlinux.h
	gcc -w -o kernel kernel.c
	./kernel
}

# The same of ours: of a bit field, the bits of memory instead of the last offset.
by_us() {
	while read -r event expression _; do
		"$workload/resolve" raw "$event" "$expression"
	done | awk '{
		printf "%s", $1
		for (i = 7; i < NF; i++)
			printf " %d", $i
		if ($6)
			print " " 8 * $NF + $5 "-" 8 * $NF + $5 + $6
		else
			print " " $NF, $3, $4
	}'
}

@test "raw tracepoints: arguments lead to where the compiler finds their members" {
	[ -r /sys/kernel/btf/vmlinux ] || skip "the kernel has no BTF"
	# A ":" marks a bit field.
	cat >expressions <<-'EOF'
		net_dev_start_xmit skb->len sk_buff.len
		net_dev_start_xmit skb->dev->ifindex sk_buff.dev net_device.ifindex
		net_dev_start_xmit dev->mtu net_device.mtu
		net_dev_start_xmit skb->pkt_type sk_buff.pkt_type:
		net_dev_start_xmit skb->ip_summed sk_buff.ip_summed:
		net_dev_start_xmit skb->nohdr sk_buff.nohdr:
		net_dev_start_xmit skb->queue_mapping sk_buff.queue_mapping
		net_dev_start_xmit skb->hash sk_buff.hash
		net_dev_start_xmit skb->sk->sk_rcvbuf sk_buff.sk sock.sk_rcvbuf
		net_dev_start_xmit skb->sk->__sk_common.skc_num sk_buff.sk sock.__sk_common.skc_num
		net_dev_start_xmit skb->sk->sk_protocol sk_buff.sk sock.sk_protocol
		sched_switch prev->pid task_struct.pid
		sched_switch next->in_execve task_struct.in_execve:
		sched_switch next->exit_state task_struct.exit_state
		sched_switch prev->group_leader->real_parent->pid task_struct.group_leader task_struct.real_parent task_struct.pid
		sched_switch next->se.vruntime task_struct.se.vruntime
		sched_switch next->mm->mmap_base task_struct.mm mm_struct.mmap_base
	EOF
	by_compiler <expressions >expected
	[ "$(wc -l <expected)" -eq "$(wc -l <expressions)" ]
	by_us <expressions | diff expected -
}

@test "raw tracepoints: as many as the kernel's BTF has, with the names of their arguments" {
	[ -r /sys/kernel/btf/vmlinux ] || skip "the kernel has no BTF"
	bpftool btf dump file /sys/kernel/btf/vmlinux |
		sed -n "s/.* TYPEDEF 'btf_trace_\([^']*\)'.*/\1/p" | LC_ALL=C sort -u >expected
	"$workload/resolve" events '*' | tee events | sed 's/(.*//' | LC_ALL=C sort | diff expected -
	grep -xE '(net_dev_start_xmit)\(.*struct sk_buff \* skb, .*struct net_device \* dev\)' events
}
