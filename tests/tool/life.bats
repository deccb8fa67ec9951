#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The life of a run: how commands start and end, signals, exit statuses, descendants.
load common

setup() {
	begin_as_root
}

teardown() {
	end_started
}

# A plain "!" would not end a test.
not() {
	! "$@"
}

# Run in the background with files out and err; its PID is $pid.
start() {
	# Nobody may take what the one before has left there, or still writes, for its output.
	rm -f out err
	touch out err
	"$@" >out 2>err 3>&- &
	pid=$!
	started+=("$pid")
}

# As start, for a tool: until all its probes are attached.
start_tool() {
	start "$1" -v "${@:2}"
	wait_until grep -qx "$1: attached" err
}

# The status of what start started.
ended() {
	wait_until gone "$1"
	wait "$1" && status=0 || status=$?
	echo "status $status"
	cat out err
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# Let go who reads fifo go.
go() {
	timeout 20 sh -c 'echo >go'
}

# Has a process taken a signal (a number) that was sent to it? Tools read theirs from a
# descriptor: until then it is pending.
took() {
	local pending

	pending=$(awk '/^ShdPnd:/ { print $2 }' "/proc/$1/status")
	(((16#$pending >> ($2 - 1) & 1) == 0))
}

# Calls of a name in syscount's table in file $2 (out); all of its intervals.
calls() {
	awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }' "${2:-out}"
}

# What is counted: calls of close(2) that fail, which shells do not make.
closes=(-x --syscall close)

# A program that makes $1 of them as a child of a shell's child, once it reads a line
# from fifo go.
write_family() {
	mkfifo go
	cat >family <<-END
		#!/bin/sh
		sh -c 'read -r go <go; "$workload/syscall-load" -e $1 >&2; true' &
		wait
	END
	chmod +x family
}

@test "the command's own exit status; 128 + the signal that ended it" {
	for tool in syscount udp-syscall; do
		run "$tool" -q -o /dev/null -- sh -c 'exit 7'
		[ "$status" -eq 7 ]
	done
	for signal in TERM:143 KILL:137 SEGV:139 INT:130; do
		run syscount -q -o /dev/null -- sh -c "ulimit -c 0; kill -${signal%:*} \$\$"
		[ "$status" -eq "${signal#*:}" ]
	done
	run syscount -q --json -- sh -c 'kill -TERM $$'
	[[ "${lines[-1]}" == *'"command":{"exit":143}}' ]]
}

@test "traced from the first instruction: the one execve is the command's own" {
	run syscount -q --syscall execve,exit_group -- true
	[ "$status" -eq 0 ]
	grep -qx 'execve  *1' <<<"$output"
	grep -qx 'exit_group  *1' <<<"$output"
	[ "${#lines[@]}" -eq 4 ]
}

@test "-- keeps the words of a command, -c splits them as a shell would" {
	words=('a b' '' '*' '$HOME' "it's" '"x"' '\' $'new\nline' --json -d)
	printf '<%s>\n' "${words[@]}" >expected
	syscount -q -o /dev/null -- printf '<%s>\n' "${words[@]}" | cmp - expected
	line=$(printf '%s' "printf '<%s>\\n' 'a b' \"\" \\* '\$HOME' it\\'s '\"x\"' \\\\ 'new
line' --json -d")
	syscount -q -o /dev/null -c "$line" | cmp - expected
	syscount -q -o /dev/null -c 'printf <%s> "\$a" "\\\"" a"b c"d' >out
	[ "$(cat out)" = '<$a><\"><ab cd>' ]
}

@test "-u NAME: the command has that user's ids, groups and home" {
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	run syscount -q -o /dev/null -u nobody -- sh -c 'id -u; id -g; id -G; echo "$HOME $USER"'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$(id -u nobody)" ]
	[ "${lines[1]}" = "$(id -g nobody)" ]
	[ "${lines[2]}" = "$(id -G nobody)" ]
	[ "${lines[3]}" = "$(getent passwd nobody | cut -d: -f6) nobody" ]
	run syscount -q --syscall execve -u nobody -- true
	grep -qx 'execve  *1' <<<"$output"
}

@test "the command gets no blocked or ignored signals and no descriptor of ours" {
	script='grep -E "^Sig(Blk|Ign)" /proc/self/status
		for fd in $(seq 0 300); do [ ! -e "/proc/$$/fd/$fd" ] || echo "fd $fd"; done'
	exec {inherited}</dev/null
	sh -c "$script" >bare
	env --ignore-signal=PIPE --ignore-signal=TERM \
		udp-syscall -q -o /dev/null -i 1s -d 100 -- sh -c "$script" >out
	exec {inherited}<&-
	grep -qx "fd $inherited" out
	cmp <(grep fd bare) <(grep fd out)
	grep -qE '^SigBlk:.0+$' out
	grep -qE '^SigIgn:.0+$' out
}

@test "-d with a command: report, status 0, and the command gets SIGTERM" {
	run syscount -q -T 0 -d 300ms -- sh -c 'trap "echo terminated; exit 9" TERM; while :; do sleep 0.1; done'
	[ "$status" -eq 0 ]
	[[ "$output" == *wait4* ]]
	grep -qx terminated <<<"$output"
	# A command that has ended by then keeps its status.
	run syscount -q -d 1000 -o /dev/null -- sh -c 'exit 9'
	[ "$status" -eq 9 ]
}

@test "SIGINT, SIGTERM, SIGHUP and the end of the target each print the report" {
	start sleep 1000
	target=$pid
	for signal in INT TERM HUP; do
		start_tool syscount -p "$target"
		kill -$signal "$pid"
		ended "$pid"
		[ "$status" -eq 0 ]
		grep -q '^clock_nanosleep  *1$' out
	done
	start_tool udp-syscall -p "$target" --json
	tool=$pid
	kill "$target"
	ended "$tool"
	[ "$status" -eq 0 ]
	tail -n 1 out | grep -q '^{"type":"end",'
	# A target that ends while another one runs.
	start sleep 1000
	first=$pid
	start sleep 1000
	second=$pid
	start_tool syscount -p "$first,$second"
	tool=$pid
	kill "$first"
	wait_until gone "$first"
	not gone "$tool"
	kill "$second"
	ended "$tool"
	[ "$status" -eq 0 ]
}

@test "under nohup a SIGHUP does not end the run" {
	start sleep 1000
	target=$pid
	start env --ignore-signal=HUP syscount -v -p "$target"
	wait_until grep -qx "syscount: attached" err
	kill -HUP "$pid"
	kill -USR1 "$pid"
	wait_until grep -q '^SYSCALL' out
	not gone "$pid"
	kill -INT "$pid"
	ended "$pid"
	[ "$(grep -c '^SYSCALL' out)" -eq 2 ]
}

@test "SIGUSR1 prints what there is and goes on; the parts add up" {
	write_family 1000
	start ./family
	target=$pid
	start_tool syscount --follow "${closes[@]}" --json -p "$target"
	kill -USR1 "$pid"
	wait_until grep -q '"type":"syscalls"' out
	not grep -q '"type":"end"' out
	go
	ended "$pid"
	[ "$status" -eq 0 ]
	[ "$(grep -c '"type":"syscalls"' out)" -eq 2 ]
	[ "$(grep -c '"type":"interval"' out)" -eq 2 ]
	grep '"type":"syscalls"' out | head -n 1 | grep -q '"data":\[\]'
	grep '"type":"syscalls"' out | tail -n 1 | grep -q '"syscall":"close","calls":1000,"errors":1000'
}

@test "Ctrl-C with a command: its end is awaited; a second one sends SIGTERM, then SIGKILL" {
	mkfifo go
	start_tool syscount "${closes[@]}" -- sh -c \
		'trap "" INT; echo ready; read -r go <go; "$0" -e 500 >&2; exit 5' "$workload/syscall-load"
	wait_until grep -q ready out
	kill -INT "$pid"
	wait_until took "$pid" 2
	not gone "$pid"
	go
	ended "$pid"
	[ "$status" -eq 5 ]
	[ "$(calls close)" -eq 500 ]

	start_tool syscount --syscall execve -- sh -c 'trap "" INT; exec /bin/sleep 1000'
	wait_until grep -q '^sleep$' "/proc/$(pgrep -P "$pid")/comm"
	kill -INT "$pid"
	wait_until took "$pid" 2
	not gone "$pid"
	kill -INT "$pid"
	ended "$pid"
	[ "$status" -eq 143 ]
	[ "$(calls execve)" -eq 2 ]

	start_tool syscount -- sh -c 'trap "" INT TERM; echo ready; while :; do sleep 1; done'
	wait_until grep -q ready out
	kill -INT "$pid"
	wait_until took "$pid" 2
	kill -INT "$pid"
	ended "$pid"
	[ "$status" -eq 137 ]
	grep -q '^SYSCALL' out
}

@test "SIGTERM and SIGHUP are forwarded; the command's end is traced, its status ours" {
	for signal in TERM:143 HUP:129; do
		start_tool syscount -- sleep 1000
		kill "-${signal%:*}" "$pid"
		ended "$pid"
		[ "$status" -eq "${signal#*:}" ]
		grep -q '^SYSCALL' out
	done
	start_tool syscount "${closes[@]}" -- sh -c \
		'trap "\"$0\" -e 300 >&2; exit 8" TERM; echo ready; while :; do sleep 0.1; done' \
		"$workload/syscall-load"
	wait_until grep -q ready out
	kill -TERM "$pid"
	ended "$pid"
	[ "$status" -eq 8 ]
	[ "$(calls close)" -eq 300 ]
}

# Numbers of all BPF programs, maps and links that a process holds: "prog 12".
bpf_objects() {
	cat "/proc/$1"/fdinfo/* 2>/dev/null | awk '
		/^(prog|map|link)_id:/ { sub(/_id:/, "", $1); print $1, $2 }' | sort -u
}

none_exists() {
	local kind id

	while read -r kind id; do
		! PATH="$PATH:/usr/sbin" bpftool "$kind" show id "$id" >/dev/null 2>&1 || return 1
	done <"$1"
}

@test "kill -9 leaves no program, map, link or probe, and the command gets SIGTERM" {
	need bpftool
	for tool in syscount udp-syscall "udp-syscall --usdt $workload/usdt-app"; do
		# shellcheck disable=SC2086
		start_tool $tool -c "sh -c 'trap \"echo terminated; exit\" TERM; echo ready; while :; do sleep 0.1; done'"
		wait_until grep -q ready out
		bpf_objects "$pid" >objects
		cat objects
		[ "$(grep -c prog objects)" -ge 2 ]
		[ "$(grep -c map objects)" -ge 2 ]
		not none_exists objects
		kill -KILL "$pid"
		wait_until grep -q terminated out
		wait_until none_exists objects
	done
	not grep -qs wirescope /sys/kernel/tracing/{u,k}probe_events
	[ -z "$(ls -A /sys/fs/bpf 2>/dev/null)" ] || not grep -rqs wirescope /sys/fs/bpf
}

@test "descendants of a command are followed, unless --follow=no; each call counts once" {
	run syscount -q --syscall getppid,execve -- "$workload/syscall-load" -g 100 -f 3 -F
	[ "$(calls getppid <(echo "$output"))" -eq 700 ]
	run syscount -q --syscall getppid,execve --follow=no -- "$workload/syscall-load" -g 100 -f 3 -F
	[ "$(calls getppid <(echo "$output"))" -eq 100 ]
	# fork and exec, twice
	script="sh -c 'sh -c \"$workload/syscall-load -e 50; true\"; true'"
	run syscount -q "${closes[@]}" -c "$script"
	[ "$(calls close <(echo "$output"))" -eq 50 ]
	run syscount -q --syscall execve -c "$script"
	[ "$(calls execve <(echo "$output"))" -eq 3 ]
}

@test "-p follows descendants with --follow alone: those that live and those to come" {
	write_family 1000
	for options in --follow= --follow=no ''; do
		start ./family
		target=$pid
		wait_until pgrep -P "$target" >/dev/null
		# shellcheck disable=SC2086
		start_tool syscount "${closes[@]}" ${options%=} -p "$target"
		go
		ended "$pid"
		[ "$status" -eq 0 ]
		if [ "$options" = --follow= ]; then
			[ "$(calls close)" -eq 1000 ]
		else
			[ "$(calls close)" -eq 0 ]
		fi
	done
}

@test "the end of a command is the end of the run; its living descendants are noted" {
	mkfifo go
	background='(read -r go <go; "$0" -e 200) >/dev/null 2>&1 & exit 3'
	start_tool syscount "${closes[@]}" -- sh -c "$background" "$workload/syscall-load"
	ended "$pid"
	[ "$status" -eq 3 ]
	[ "$(calls close)" -eq 0 ]
	grep -qx 'note: 1 descendants of the command still run (--follow waits for them)' err
	go

	start_tool syscount --follow "${closes[@]}" -- sh -c "$background" "$workload/syscall-load"
	go
	ended "$pid"
	[ "$status" -eq 3 ]
	[ "$(calls close)" -eq 200 ]
	not grep -q 'still run' err

	# Who waits for descendants can be stopped.
	start_tool syscount --follow -- sh -c "$background" "$workload/syscall-load"
	wait_until not pgrep -P "$pid" >/dev/null
	kill -INT "$pid"
	ended "$pid"
	[ "$status" -eq 3 ]
	go
}

@test "10,000 short-lived processes are counted exactly" {
	run syscount -q -T 0 --syscall exit_group,wait4,execve -- "$workload/syscall-load" -p 10000
	[ "$(calls exit_group <(echo "$output"))" -eq 10001 ]
	[ "$(calls wait4 <(sed 's/^calls .*//' <<<"$output"))" -eq 10000 ]
	[ "$(calls execve <(echo "$output"))" -eq 1 ]
}

@test "a stranger with the number of a traced process that has ended is not traced" {
	last=/proc/sys/kernel/ns_last_pid
	[ -w $last ] || skip "this kernel has no ns_last_pid (CONFIG_CHECKPOINT_RESTORE)"
	start sleep 1000
	keeper=$pid
	for try in {1..50}; do
		start sleep 1000
		old=$pid
		start_tool syscount --syscall getppid,clock_nanosleep -p "$old,$keeper"
		tool=$pid
		kill "$old"
		wait "$old" || true
		# Others create processes too: this may take some tries.
		"$BASH" -c 'echo $(($1 - 1)) >"$2"; "$3" -g 1000 >truth & echo $!; wait' sh "$old" $last \
			"$workload/syscall-load" >new
		kill "$keeper"
		ended "$tool"
		[ "$status" -eq 0 ]
		[ "$(cat new)" -ne "$old" ] || break
		start sleep 1000
		keeper=$pid
	done
	[ "$(cat new)" -eq "$old" ] || skip "its number could not be had again in $try tries"
	grep -q '^calls getppid 1000' truth
	[ "$(calls getppid)" -eq 0 ]
	[ "$(calls clock_nanosleep)" -ge 1 ]
}

intervals() {
	[ "$(grep -c '^\[..:..:..\]$' out)" -ge "$1" ]
}

# Memory of its own that a process keeps: the least of some samples, for a report needs more.
kept_kb() {
	for _ in {1..8}; do
		awk '/^RssAnon/ { print $2 }' "/proc/$1/status"
		sleep 0.01
	done | sort -n | head -n 1
}

@test "memory stays flat over many intervals" {
	start "$workload/udp-load" -n 1000000 -d 100
	target=$pid
	for tool in "syscount -L -P" "udp-syscall --by socket --bytes"; do
		# shellcheck disable=SC2086
		start $tool -q -i 20ms -p "$target"
		wait_until intervals 5
		early=$(kept_kb "$pid")
		wait_until intervals 100
		late=$(kept_kb "$pid")
		kill -INT "$pid"
		ended "$pid" >/dev/null
		echo "$tool: $early kB, $late kB"
		[ "$status" -eq 0 ]
		[ "$late" -le $((early + 128)) ]
	done
}

@test "the tool does not count itself" {
	start_tool syscount -P -T 0 -i 20ms
	wait_until intervals 3
	kill -INT "$pid"
	ended "$pid"
	[ "$(calls "$pid")" -eq 0 ]
	not grep -qE "^$pid " out
	grep -qE "^$$ |^[0-9]+ +(bash|sleep|grep|awk)" out
}
