#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What can go wrong, made to happen: status, WHAT, WHY and TRY of each.
load common
load cli

@test "a PID that cannot be traced: none, a thread, a zombie, the tool itself" {
	try syscount -p 4194304
	refused 1 "syscount: no process with PID 4194304" "try: pgrep*"
	try udp-syscall -p "1,4194304"
	refused 1 "udp-syscall: no process with PID 4194304" "try: pgrep*"

	mkfifo go
	start sh -c 'exec "$0" -w blocked-then-sent <go >ready' "$workload/edge"
	exec {hold}>go
	wait_until grep -q ready ready
	for tid in /proc/"$pid"/task/*; do
		tid=${tid##*/}
		[ "$tid" -eq "$pid" ] || break
	done
	try syscount -p "$tid"
	exec {hold}>&-
	refused 2 "syscount: $tid is a thread of $pid (edge)" "try: -p $pid"

	# It ends when its parent has become one that does not wait for it.
	start sh -c '(until grep -q sleep /proc/$$/comm; do sleep 0.01; done) & echo $! >zombie
		exec sleep 1000'
	wait_until test -s zombie
	zombie=$(cat zombie)
	wait_until grep -q '^State:.Z' "/proc/$zombie/status"
	try syscount -p "$zombie"
	refused 1 "syscount: process $zombie (*) has ended and waits for its parent"

	try sh -c 'exec syscount -p $$'
	refused 2 "syscount: * is syscount itself, which is never traced"
}

@test "commands that cannot run: 127 not found, 126 not executable; scripts without #! run" {
	try syscount -- no-such-command
	refused 127 "syscount: command not found: 'no-such-command'" "try: *"
	try syscount -c './no such'
	refused 127 "syscount: command not found: './no'" "why: no such file"
	echo 'exit 7' >script
	try syscount -- ./script
	refused 126 "syscount: cannot execute './script': permission denied" "try: chmod +x './script'"
	try udp-syscall -- /
	refused 126 "udp-syscall: cannot execute '/': it is a directory"
	printf '#!/no/such/shell\n' >orphan
	chmod +x script orphan
	try syscount --json -- ./orphan
	refused 126 "*its interpreter '#!/no/such/shell' is missing"
	try syscount -q --syscall execve -- ./script
	[ "$status" -eq 7 ]
	grep -qx 'execve  *1' <<<"$output"
}

@test "our own failures with a command: 125, and it does not run" {
	try syscount -o /no/such/dir/file -- touch ran
	refused 125 "syscount: failed to open '/no/such/dir/file': No such file or directory"
	try syscount -u no-such-user -- touch ran
	refused 125 "syscount: no user named 'no-such-user'" "try: *"
	try syscount --cgroup /no/such/cgroup -- touch ran
	refused 125 "syscount: failed to open the cgroup '/no/such/cgroup': *"
	for user in 4294967295 '' 1x; do
		try syscount -u "$user" -- touch ran
		refused 125 "syscount: no user named '$user'" "try: *"
	done
	need setpriv
	try setpriv --reuid $nobody --clear-groups --inh-caps -all,+bpf,+perfmon \
		--ambient-caps +bpf,+perfmon "$public/syscount" -u root -- touch ran
	refused 125 "syscount: failed to become user 'root': Operation not permitted"
	[ ! -e ran ]
}

@test "-o: a directory, a missing one, one without permission" {
	for tool in "${tools[@]}"; do
		try "$tool" -o . -d 100ms
		refused 1 "$tool: failed to open '.': Is a directory"
		try "$tool" -o missing/file -d 100ms
		refused 1 "$tool: failed to open 'missing/file': No such file or directory"
		try "$tool" -o missing/file -- touch ran
		refused 125 "$tool: failed to open 'missing/file': No such file or directory"
	done
	need setpriv
	try setpriv --reuid $nobody --clear-groups --inh-caps -all,+bpf,+perfmon \
		--ambient-caps +bpf,+perfmon "$public/syscount" -o "$public/report" -d 100ms
	refused 1 "syscount: failed to open '$public/report': Permission denied"
	[ ! -e ran ]
}

@test "--cgroup: no folder, no cgroup2" {
	try syscount --cgroup /etc/passwd -d 100ms
	refused 1 "syscount: failed to open the cgroup '/etc/passwd': Not a directory"
	try syscount --cgroup missing -d 100ms
	refused 1 "syscount: failed to open the cgroup 'missing': No such file or directory"
	suggestion=()
	! grep -q ' cgroup2 ' /proc/mounts || suggestion=("try: a folder below '*'")
	try syscount --cgroup /etc -d 100ms
	refused 1 "syscount: '/etc' is not a cgroup of the cgroup2 hierarchy" "${suggestion[@]}"
	old=$(awk '$3 == "cgroup" { print $2; exit }' /proc/mounts)
	[ -n "$old" ] || return 0
	try syscount --cgroup "$old" -d 100ms
	refused 1 "syscount: '$old' is not a cgroup of the cgroup2 hierarchy" "${suggestion[@]}"
}

@test "a thread of the kernel is traced in vain, and a note says so" {
	[[ "$(cat /proc/2/comm)" = kthreadd ]] || skip "no threads of the kernel to be seen here"
	for tool in "${tools[@]}"; do
		try "$tool" -p 2 -d 100ms
		[ "$status" -eq 0 ]
		[ "${stderr_lines[0]}" = \
			"note: 2 (kthreadd) is a thread of the kernel, which makes no system calls" ]
		try "$tool" -q -p 2 -d 100ms
		[ -z "$stderr" ]
	done
}

@test "files that are no programs: status 126, and why" {
	need cc
	echo 'int main(void) { return 0; }' >main.c
	cc -o orphan main.c -Wl,--dynamic-linker=/no/loader
	try syscount -- ./orphan
	refused 126 "syscount: cannot execute './orphan': its dynamic loader is missing"
	head -c 100 orphan >part
	chmod +x part
	try udp-syscall -- ./part
	refused 126 "udp-syscall: cannot execute './part': Exec format error"
	mkfifo pipe
	try syscount -- ./pipe
	refused 126 "syscount: cannot execute './pipe': permission denied"
}

@test "without privileges: which capability is missing; the two of them suffice" {
	need setpriv
	as_nobody=(setpriv --reuid $nobody --regid $nobody --clear-groups)
	for tool in "${tools[@]}"; do
		cannot="$tool: not permitted to load BPF programs (uid $nobody lacks"
		try "${as_nobody[@]}" "$public/$tool" -d 1
		[ "${stderr_lines[0]}" = "$cannot CAP_BPF, CAP_PERFMON)" ]
		refused 1 "*" "try: sudo $tool ..."
		try "${as_nobody[@]}" "$public/$tool" -- touch ran
		refused 125 "*" "try: sudo $tool ..."
		for pair in bpf:CAP_PERFMON perfmon:CAP_BPF; do
			cap=${pair%:*}
			try "${as_nobody[@]}" --inh-caps "-all,+$cap" --ambient-caps "+$cap" \
				"$public/$tool" -d 1
			refused 1 "$cannot ${pair#*:})" "try: *"
		done
		both=("${as_nobody[@]}" --inh-caps -all,+bpf,+perfmon --ambient-caps +bpf,+perfmon)
		try "${both[@]}" "$public/$tool" -q -- true
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
	done
	"${both[@]}" "$public/udp-syscall" -q --bytes -- "$public/udp-load" -n 20 >out
	sees_truth out out
	[ ! -e ran ]
}

@test "root of a user namespace is told so" {
	need unshare
	unshare -U true || skip "no user namespaces"
	try unshare -Ur syscount -d 1
	refused 1 "*not permitted to load BPF programs (root of a user namespace only)" "try: *"
}

@test "a kernel without BTF: what, why, and --btf FILE helps" {
	need unshare
	[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has none"
	cp /sys/kernel/btf/vmlinux btf
	masked='mount -t tmpfs none /sys/kernel/btf && exec "$@"'
	for tool in "${tools[@]}"; do
		try unshare -m sh -c "$masked" sh "$tool" -- touch ran
		[ "$status" -eq 0 ] && skip "there is another copy of BTF on this machine"
		refused 125 "$tool: this kernel has no BTF ('/sys/kernel/btf/vmlinux' is missing)" \
			"why: *CONFIG_DEBUG_INFO_BTF*" "try: --btf FILE*"
		[ ! -e ran ]
		try unshare -m sh -c "$masked" sh "$tool" --btf btf -q -- sh -c 'exit 4'
		[ "$status" -eq 4 ]
		head -c 100000 btf >part
		: >empty
		for file in /etc/passwd part empty . "$workload/edge"; do
			try "$tool" --btf "$file" -d 1
			refused 1 "$tool: no BTF of a kernel in '$file'" "try: a copy of *"
		done
		try "$tool" --btf missing -d 1
		refused 1 "$tool: failed to open 'missing': No such file or directory"
	done
	try unshare -m sh -c "$masked" sh syscount --doctor
	[ "$status" -eq 1 ]
	grep -q '^FAIL  BTF of the kernel' <<<"$output"
}

# The report in file $1 shows what udp-load says in file $2.
sees_truth() {
	grep -q '^hist tx_bytes' "$2"
	same_lines <(truth_of_report <"$1" | grep -v latencies) <(udp_truth <"$2")
}

# udp-syscall sees what udp-load says it did, in a mount namespace that $1 (commands) prepares.
sees_all() {
	unshare -m sh -c "$1"' ; exec "$@"' sh udp-syscall "$2" --bytes -o seen -- \
		"$workload/udp-load" -n 50 -e >truth 2>err
	sees_truth seen truth
}

@test "tracefs mounted or not, with or without events of single calls: udp-syscall works" {
	need unshare
	none='umount -a -t tracefs; umount -a -t debugfs; ! [ -e /sys/kernel/tracing/events ]'
	sees_all "$none" -q
	sees_all "$none || exit; mount -t tracefs none /sys/kernel/tracing" -v
	not grep -q 'not by event' err
	# An events folder without a syscalls one: no CONFIG_FTRACE_SYSCALLS.
	masked='mount -t tmpfs none /sys/kernel/tracing && mkdir /sys/kernel/tracing/events'
	sees_all "$masked" -v
	grep -q 'backend: fentry' err ||
		grep -q 'not by event: no tracepoints of single system calls, or not readable' err
	try unshare -m sh -c "$masked"' && exec "$@"' sh udp-syscall --backend=event -- touch ran
	refused 125 "udp-syscall: --backend=event does not work here" \
		"why: no tracepoints of single system calls, or not readable" "try: *"
	[ ! -e ran ]
}

@test "a kernel without uprobes, and binaries without the probes: --usdt says which" {
	need unshare
	try unshare -m sh -c 'mount -t tmpfs none /sys/bus/event_source/devices && exec "$@"' sh \
		udp-syscall --usdt "$workload/usdt-app" -- touch ran
	refused 125 "*: this kernel has no uprobes" "why: *CONFIG_UPROBE_EVENTS" "try: *"

	try udp-syscall --usdt "$workload/edge" -- touch ran
	refused 125 "*/edge' has none of the probes, such as s2n_quic:*" \
		"why: it has 0 probes (.note.stapsdt)" "try: *"
	others=()
	for probe in m{,m}sg-{start,finish}-{send,recv}; do
		others+=(--probe "$probe=s2n_quic:other")
	done
	try udp-syscall --usdt "$workload/usdt-app" "${others[@]}" -d 1
	refused 1 "*/usdt-app' has none of the probes, such as s2n_quic:other" \
		"why: it has 9 probes (.note.stapsdt): *s2n_quic:*__mmsg__start_send*" "try: --probe *"
	try udp-syscall --usdt /etc/passwd -d 1
	refused 1 "*'/etc/passwd' has no probes: it is not an ELF file"
	try udp-syscall --usdt ./missing -d 1
	refused 1 "*failed to open './missing': No such file or directory"
	for missing in no-such-command ''; do
		try udp-syscall --usdt "$missing" -d 1
		refused 1 "*: no program and no library is called '$missing'" 'try: a path, such as ./*'
	done
	mkfifo fifo
	try udp-syscall --usdt ./fifo -d 1
	refused 1 "*'./fifo' has no probes: it is not a file"
	head -c 20000 "$workload/usdt-app" >part
	try udp-syscall --usdt ./part -d 1
	refused 1 "*'./part' is a damaged ELF file"
	[ ! -e ran ]
}

@test "--usdt: a 32-bit program cannot be read, a stripped one can" {
	need strip
	[ -x "$workload/usdt-app" ] || skip 'no <sys/sdt.h>'
	strip -o stripped "$workload/usdt-app"
	try udp-syscall -q -o report --usdt ./stripped -- ./stripped -n 300
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff <(udp_truth <.stdout | grep -v ' [rt]x_bytes ' | sort) \
		<(truth_of_report <report | grep -v latencies | sort)
	[ -x "$workload/edge-32" ] || skip "no 32-bit C library to build with"
	try udp-syscall --usdt "$workload/edge-32" -- touch ran
	refused 125 "*/edge-32' is a 32-bit file, whose probes cannot be read" \
		"try: the same without --usdt"
	[ ! -e ran ]
}

@test "nothing seen is said, and is no failure" {
	try syscount --comm no-such-comm -d 100ms
	[ "$status" -eq 0 ]
	[[ "$stderr" == *"note: 0 events; "*" probes attached"* ]]
	try syscount --syscall sync -- true
	[[ "${stderr_lines[-1]}" == "note: 0 events; 2 of 2 probes attached, the target was idle" ]]
	try udp-syscall -- true
	[ "$status" -eq 0 ]
	[[ "${stderr_lines[-1]}" == "note: no call on a UDP socket was seen; "* ]]
	try syscount -- true
	[[ "$stderr" != *"0 events"* ]]
}

@test "a low limit on locked memory does not matter to root" {
	try bash -c 'ulimit -l 0 && syscount -q --syscall execve -- true'
	[ "$status" -eq 0 ]
	grep -qx 'execve  *1' <<<"$output"
}

