#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The command line of every tool: help, usage errors, notes, output.
load common
load cli

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
