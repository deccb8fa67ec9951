#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The command line of every tool: help, usage errors, privileges, what a kernel lacks, output.
load common

tools=(syscount udp-syscall)
nobody=65534

setup_file() {
	# Where nobody may execute.
	public=$(mktemp -d)
	chmod 755 "$public"
	cp "$root/syscount" "$root/udp-syscall" "$workload/udp-load" "$public"
	export public
}

teardown_file() {
	rm -rf "$public"
}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	started=()
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local job

	for job in "${started[@]}"; do
		kill -KILL "$job" 2>/dev/null && wait "$job" 2>/dev/null
	done
	true
}

# Run in the background; its PID is $pid.
start() {
	"$@" 3>&- &
	pid=$!
	started+=("$pid")
}

# As run, with stdout and stderr apart, and without a warning at 127.
try() {
	"$@" >.stdout 2>.stderr && status=0 || status=$?
	output=$(cat .stdout)
	stderr=$(cat .stderr)
	mapfile -t lines <.stdout
	mapfile -t stderr_lines <.stderr
}

# The run before ended with this status and these lines on stderr (patterns), and no results.
refused() {
	local i

	echo "status $status, stdout: $output, stderr: $stderr"
	[ "$status" -eq "$1" ]
	shift
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq $# ]
	for ((i = 0; i < $#; i++)); do
		[[ "${stderr_lines[i]}" == ${*:i+1:1} ]]
	done
}

# Fails if a line of stdin is no JSON object.
json_lines() {
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys
for line in sys.stdin.buffer: assert type(json.loads(line.decode())) is dict'
	else
		need jq
		jq -e 'objects or error("no object")' >/dev/null
	fi
}

# A plain "!" would not end a test.
not() {
	! "$@"
}

# Nothing in a file acts on a terminal: it is UTF-8, without controls but newline and tab.
harmless() {
	iconv -f UTF-8 -t UTF-8 "$1" >/dev/null
	not env LC_ALL=C grep -q -a $'[\x01-\x08\x0b-\x1f\x7f]\\|\xc2[\x80-\x9f]\\|\xe2\x80[\xaa-\xae]' "$1"
}

@test "-V and --version print name and version" {
	for tool in "${tools[@]}"; do
		for option in -V --version; do
			try "$tool" "$option"
			[ "$status" -eq 0 ]
			[[ "$output" =~ ^"$tool"\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
			[ -z "$stderr" ]
		done
	done
}

@test "--help: on stdout, at most 40 lines of 79 columns, with all options, units and examples" {
	for tool in "${tools[@]}"; do
		try "$tool" --help
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		help=$output
		[ "$(wc -l <<<"$help")" -le 40 ]
		[ "$(wc -L <<<"$help")" -le 79 ]
		[[ "$help" == *'10, 10s, 500ms, 2m'* ]]
		[ "$(grep -c "^  $tool " <<<"$help")" -ge 3 ]
		for option in $(grep -oE -- '--[a-z0-9-]+' <<<"$("$tool" --usage)"); do
			grep -qE -- "^ .*$option[=[ ]" <<<"$help"
		done
		[ "$("$tool" -h)" = "$help" ]
	done
	"$root/syscount" --help >/dev/full && false
	[ "$?" -eq 1 ]
}

@test "usage errors: status 2, one or two lines on stderr, nothing on stdout" {
	common=(
		--bogus -Z -p -d "-d x" "-d 1x" "-d -1" "-d 0" "-i 1e3" "-i 0" "-i 5d" "-p x" "-p 1,"
		"-p 0" "-p -1" "-p 1.5" "-p 99999999999" "-p 1 -c true" "-p 1 -- true" "-c true -- true"
		"-c true -c true" true "true -- true" "-u nobody" "-u nobody -p 1" "-f xml" "-f"
		"--comm 1234567890123456" "--follow" "--follow=maybe -p 1" "--json=no" "-c '" "-c \\"
	)
	syscount=("-T x" "-T -1" "-T 1x" "-T 1000000" "-e EBOGUS" "-e 0" "--syscall nosuch"
		"--syscall %nosuch" "--summary -P" "--summary --threads")
	udp_syscall=("--by x" "--probe x" "--probe nosuch=a:b" "--usdt /bin/true --bytes"
		"--usdt /bin/true --by socket")
	for tool in "${tools[@]}"; do
		declare -n own=${tool/-/_}
		for arguments in "${common[@]}" "${own[@]}"; do
			echo "$tool $arguments"
			# shellcheck disable=SC2086 # words on purpose
			try "$tool" $arguments
			echo "$status: $output $stderr"
			[ "$status" -eq 2 ]
			[ -z "$output" ]
			[ "${#stderr_lines[@]}" -ge 1 ]
			[ "${#stderr_lines[@]}" -le 2 ]
			[[ "${stderr_lines[0]}" == "$tool: "* ]]
			[ "${#stderr_lines[@]}" -eq 1 ] || [[ "${stderr_lines[1],,}" == try* ]]
		done
		for empty in -c --comm -p -d; do
			try "$tool" "$empty" ''
			[ "$status" -eq 2 ]
		done
	done
}

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
	[ ! -e ran ]
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
		try "$tool" --btf /etc/passwd -d 1
		refused 1 "$tool: no BTF of a kernel in '/etc/passwd'" "try: *"
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
	not grep -q 'tracing all system calls' err
	# An events folder without a syscalls one: no CONFIG_FTRACE_SYSCALLS.
	sees_all "mount -t tmpfs none /sys/kernel/tracing; mkdir /sys/kernel/tracing/events" -v
	grep -q 'tracing all system calls: this kernel has no tracepoints of single' err
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

@test "a PID namespace: -p and commands are refused, the whole system works" {
	need unshare
	in_namespace=(unshare -pf --mount-proc)
	unshare -pf --mount-proc true || skip "no PID namespaces"
	for tool in "${tools[@]}"; do
		try "${in_namespace[@]}" "$tool" -- touch ran
		refused 125 "$tool: *this is a PID namespace of its own" "why: *initial PID namespace" \
			"try: *--pid=host*"
		try "${in_namespace[@]}" sh -c "$tool -p \$\$; exit \$?"
		refused 1 "$tool: *this is a PID namespace of its own" "why: *" "try: *"
	done
	[ ! -e ran ]
	try "${in_namespace[@]}" syscount -q -d 200ms
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "a low limit on locked memory does not matter to root" {
	try bash -c 'ulimit -l 0 && syscount -q --syscall execve -- true'
	[ "$status" -eq 0 ]
	grep -qx 'execve  *1' <<<"$output"
}

@test "--doctor prints PASS or FAIL for each check, and its status says whether tools can run" {
	try syscount --doctor
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(grep -c '^PASS  ' <<<"$output")" -ge 6 ]
	not grep -vE '^(PASS|FAIL)  |^kernel ' <<<"$output"
	[[ "${lines[0]}" == "kernel $(uname -r) "* ]]
	need setpriv
	try setpriv --reuid $nobody --clear-groups "$public/syscount" --doctor
	[ "$status" -eq 1 ]
	grep -q '^FAIL  CAP_BPF and CAP_PERFMON' <<<"$output"
}

@test "under sudo a note says that the command runs as root; not with -u or -q" {
	SUDO_USER=alice try syscount -- true
	[ "${stderr_lines[0]}" = "note: running 'true' as root; use -u alice to run it as you" ]
	SUDO_USER=alice try syscount -u root -- true
	[ -z "$stderr" ]
	SUDO_USER=alice try syscount -q -- true
	[ -z "$stderr" ]
}

@test "-o FILE takes the results; a full disk, a closed stdout and a lost file are errors" {
	for format in text json; do
		try syscount -f $format --syscall execve -o out -- echo hello
		[ "$status" -eq 0 ]
		[ "$output" = hello ]
		grep -q execve out
		try syscount -f $format -o /dev/full -d 100ms
		[ "$status" -eq 1 ]
		[ "${stderr_lines[-1]}" = "syscount: failed to write the report: No space left on device" ]
		run bash -c "syscount -q -f $format -d 100ms >/dev/full"
		[ "$status" -eq 1 ]
		[ "$output" = "syscount: failed to write the report: No space left on device" ]
	done
	run bash -c 'syscount -q -d 100ms >&-'
	[ "$status" -eq 1 ]
	[ "$output" = "syscount: failed to write the report: Bad file descriptor" ]
	# The interval's report is not the last one: the run ends there, and so does the command.
	try udp-syscall -o /dev/full -i 100ms -- sleep 1000
	[ "$status" -eq 125 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "-q is silent on stderr, whatever there is to note; -v tells more" {
	try syscount -q --comm no-such-comm -d 100ms
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	try udp-syscall -q -- true
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	try syscount -v -- true
	grep -qx 'syscount: attached' <<<"$stderr"
}

@test "JSON: each line is an object, meta is first, end is last and has the command's status" {
	for tool in "${tools[@]}"; do
		try "$tool" --json -q -i 50ms -- sh -c 'sleep 0.3; exit 6'
		[ "$status" -eq 6 ]
		json_lines <<<"$output"
		[[ "${lines[0]}" == '{"type":"meta","v":1,"tool":"'"$tool"'","version":"'*'"target":{'* ]]
		[[ "${lines[-1]}" == '{"type":"end",'*'"lost":0,"command":{"exit":6}}' ]]
		[ "$(grep -c '"type":"meta"' <<<"$output")" -eq 1 ]
		[ "$(grep -c '"type":"end"' <<<"$output")" -eq 1 ]
		[ "$(grep -c '"type":"interval"' <<<"$output")" -ge 2 ]
	done
}

@test "names and words of a target never reach the terminal raw, and JSON stays valid" {
	evil=$'\e[31m\xc2\x9b\xe2\x80\xae\xff"\r'
	cp "$workload/syscall-load" "$evil"
	for options in -P --threads "-P --json" "--threads --json"; do
		# shellcheck disable=SC2086
		syscount $options -v -o out -- "./$evil" -g 10 -t 2 2>err
		cat -v out
		grep -q '31m' out
		[[ "$options" == *json* ]] || harmless out
		[[ "$options" != *json* ]] || json_lines <out
		harmless err
	done
	start "./$evil" -S 1000
	wait_until grep -q epoll "/proc/$pid/syscall" || wait_until grep -q . "/proc/$pid/syscall"
	syscount --json -d 100ms -p "$pid" >out 2>err
	json_lines <out
	grep -q '"comm":"[^"]*31m' out
	harmless err
	SUDO_USER=$evil syscount -- "$evil" >out 2>err && false
	grep -q 'command not found' err
	grep -q 'use -u' err
	harmless err
	syscount --comm "$evil$evil" 2>err && false
	syscount -c "\"$evil" 2>>err && false
	syscount -p "$evil" 2>>err && false
	syscount --syscall "$evil" 2>>err && false
	udp-syscall --usdt "./$evil" 2>>err && false
	[ "$(wc -l <err)" -ge 8 ]
	harmless err
}

@test "--strict: status 3 if something was lost, which is said last" {
	[ -x "$workload/udp-load-32" ] || skip "no 32-bit C library to build with"
	load32="$workload/udp-load-32 -n 20"
	try udp-syscall --strict -- sh -c "$load32; exit 5"
	[ "$status" -eq 3 ]
	[[ "${stderr_lines[-1]}" == "note: lost 1 of 1 events (32-bit process not seen by this \
backend; try --compat)" ]]
	try udp-syscall --json -- sh -c "$load32; exit 5"
	[ "$status" -eq 5 ]
	[[ "${lines[-1]}" == *'"lost":1,"command":{"exit":5}}' ]]
	try udp-syscall --strict --compat -- sh -c "$load32; exit 5"
	[ "$status" -eq 5 ]
	[ -z "$stderr" ]
}

@test "a closed pipe ends the tool quietly" {
	run bash -c 'syscount -q -i 20ms | head -1; echo "${PIPESTATUS[@]}"'
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[1]}" = "0 0" ]
	run bash -c 'udp-syscall -q -- true | true; echo "${PIPESTATUS[@]}"'
	[ "$output" = "0 0" ]
	run env --ignore-signal=PIPE bash -c 'syscount -q --json -i 20ms | head -1; echo "${PIPESTATUS[@]}"'
	[ "${lines[1]}" = "0 0" ]
}

@test "a reader that stops loses nothing" {
	mkfifo pipe go
	start sh -c 'read -r go <go; exec "$@"' sh "$workload/syscall-load" -g 10000 -f 30
	target=$pid
	start sh -c 'exec syscount -q --json --syscall getppid --follow -p "$0" -i 1ms >pipe' "$target"
	exec {reader}<pipe
	# The pipe is full once the tool sleeps in write(2).
	wait_until grep -qs '^1 ' "/proc/$pid/syscall"
	echo >go
	wait "$target"
	grep -q '^1 ' "/proc/$pid/syscall"
	cat <&"$reader" >out
	wait "$pid"
	exec {reader}<&-
	json_lines <out
	calls=$(grep -o '"syscall":"getppid","calls":[0-9]*' out | awk -F: '{ n += $3 } END { print n }')
	[ "$calls" -eq 310000 ]
	tail -n 1 out | grep -q '"type":"end",.*"events":310000,"lost":0'
}
