#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What goes wrong around a tool: killed, stopped, flooded, without room to write, without
# descriptors, memory or processes. Either the numbers are exact, or the end is a clear one.
load common

kills=${FAULTS_KILLS:-50} # of each tool
forks=${FAULTS_FORKS:-10000}
load_s=${FAULTS_LOAD_S:-60}
stop_s=${FAULTS_STOP_S:-10}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_TMPDIR"
	mkdir tmp
	export TMPDIR=$PWD/tmp
	started=() pid_max=
}

teardown() {
	local job

	for job in "${started[@]}"; do
		kill -CONT "$job" 2>/dev/null
		kill -KILL -- "-$job" 2>/dev/null
		kill -KILL "$job" 2>/dev/null && wait "$job" 2>/dev/null
	done
	[ -z "$pid_max" ] || echo "$pid_max" >/proc/sys/kernel/pid_max
	true
}

# A plain "!" would not end a test.
not() {
	! "$@"
}

# In the background; its PID is $pid.
start() {
	"$@" <&0 3>&- & # else it would get /dev/null
	pid=$!
	started+=("$pid")
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

ended() {
	wait_until gone "$1"
	wait "$1" && status=0 || status=$?
}

# Sum of a field over the rows of JSON that match a pattern: json_sum FILE FIELD PATTERN.
json_sum() {
	sed 's/},{/}\n{/g' "$1" | grep -E -- "$3" | grep -o "\"$2\":[0-9]*" |
		awk -F: '{ n += $2 } END { printf "%d\n", n }'
}

is_whole() {
	tail -n 1 "$1" | grep -q '^{"type":"end",.*}$'
}

# ---- kill -9 ------------------------------------------------------------------------------

bpf_objects() {
	local kind

	for kind in prog map link; do
		PATH="$PATH:/usr/sbin" bpftool "$kind" show | sed -n "s/^\([0-9]*\): .*/$kind \1/p"
	done | sort
}

# Of the objects that are there now but not in the file before, those that no process holds:
# other tools may run on this machine.
orphans() {
	bpf_objects >now
	cat /proc/[0-9]*/fdinfo/* 2>/dev/null | awk '
		/^(prog|map|link)_id:/ { sub(/_id:/, "", $1); print $1, $2 }' | sort -u >held
	comm -13 before now | comm -23 - held
}

none_is_orphan() {
	[ -z "$(orphans)" ]
}

# Kill a tool after at most $1 ms (a random time).
kill_soon() {
	local ms=$((RANDOM % $1))

	shift
	"$@" >/dev/null 2>&1 3>&- &
	local tool=$!
	sleep "$(printf '0.%03d' "$ms")"
	kill -KILL "$tool" 2>/dev/null
	wait "$tool" 2>/dev/null
	true
}

# bats test_tags=vm,slow
@test "kill -9 at random moments leaves nothing: no program, map, link, probe, command, file" {
	need bpftool
	bpf_objects >before
	cp /proc/self/mounts mounts
	cat /sys/kernel/tracing/{u,k}probe_events >probes 2>/dev/null || true
	seconds=$((700000 + $$))
	for ((i = 0; i < kills; i++)); do
		# While it starts, while it prints one report after the other, while it ends.
		for tool in syscount\ --hist udp-syscall; do
			kill_soon 80 $tool -c "sleep $seconds" &
			kill_soon 300 $tool -i 1ms -c "sleep $seconds" &
			kill_soon 300 $tool -d 100ms -c "sleep $seconds" &
		done
		wait
		i=$((i + 2))
	done
	wait_until not pgrep -f "sleep $seconds"
	wait_until none_is_orphan || orphans
	none_is_orphan
	diff mounts /proc/self/mounts
	cat /sys/kernel/tracing/{u,k}probe_events 2>/dev/null | diff probes -
	[ -z "$(ls -A tmp)" ]
	[ "$(ls -A | tr '\n' ' ')" = 'before held mounts now probes tmp ' ]
}

# ---- floods -------------------------------------------------------------------------------

# bats test_tags=vm,slow
@test "a target that forks 10,000 times, with --follow: exact, nothing lost" {
	mkfifo go
	start sh -c 'read -r go <go; exec "$0" -n "$1"' "$workload/many-keys" "$forks"
	target=$pid
	start syscount -v -L -T 0 --strict --follow -p "$target" 2>err >out \
		--syscall getppid,prctl,wait4,exit_group
	tool=$pid
	wait_until grep -qx 'syscount: attached' err
	timeout 20 sh -c 'echo >go'
	wait "$tool"
	[ "$(awk '{ print $1, $2 }' out | grep -E '^(getppid|prctl|wait4|exit_group) ' | sort)" = \
		"exit_group $((forks + 1))
getppid $forks
prctl $forks
wait4 $forks" ]
}

keys_of() {
	sed -n "s/^#define $1[ \t]*//p" "$root/$2"
}

@test "more errors of different kinds than there is room for: totals right, the rest in (other)" {
	room=$(($(keys_of ERRNO_KEYS bpf/syscount.bpf.c) - 1))
	syscount -q --strict --json --errnos -o log -- "$workload/flood" -e $((room + 500))
	is_whole log
	errors=$(grep '"type":"syscalls"' log >rows && json_sum rows errors .)
	[ "$errors" -ge $((room + 500)) ]
	syscount -q --strict --errnos -o log -- "$workload/flood" -e $((room + 500))
	grep '^@errors\[' log >rows
	[ "$(grep -c . rows)" -eq $((room + 1)) ]
	[ "$(awk '{ n += $NF } END { print n }' rows)" -eq "$errors" ]
	other=$(sed -n 's/^@errors\[(other)\]: //p' rows)
	named=$(awk '!/\(other\)/ { n += $NF } END { print n }' rows)
	[ $((named + other)) -eq "$errors" ]
	[ "$other" -ge 500 ]
}

@test "more peers than there is room for: totals right, the rest in (other)" {
	room=$(($(keys_of HIST_KEYS bpf/lib/hist.bpf.h) - 1))
	udp-syscall -q --strict --by socket --bytes -o log -- "$workload/flood" -u $((room + 500))
	[ "$(grep -c '^@tx_ret_counts\[' log)" -eq $((room + 1)) ]
	truth_of_report <log >facts
	for name in tx_arg_counts tx_ret_counts tx_bytes tx_latencies; do
		grep -F "hist $name" facts | awk -v want=$((room + 500)) '
			{ n += $NF } /\(other\)/ { other += $NF }
			END { exit !(n == want && other == 500) }'
	done
}

@test "more calls at once than there is room for: those not timed are told exactly" {
	room=$(sed -n 's/^#define SPANS_MET *\([0-9]*\).*/\1/p' "$root/include/span.h")
	first=$(sed -n 's/^#define FIRST *//p' "$root/tests/workload/flood.c")
	[ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt 3000000 ] ||
		skip "less than 3 GB of memory is free"
	[ "$(cat /proc/sys/kernel/threads-max)" -gt $((room * 2)) ] || skip "kernel.threads-max is low"
	pid_max=$(cat /proc/sys/kernel/pid_max)
	echo 4194304 >/proc/sys/kernel/pid_max || skip "kernel.pid_max cannot be raised"
	mkfifo hold
	start "$workload/flood" -m 1 </dev/null >probe
	ended "$pid"
	[ "$status" -eq 0 ] || skip "process ids cannot be chosen here"
	exec 9<>hold
	start sh -c 'read -r go; exec "$0" -m "$1"' "$workload/flood" $((room + 300)) \
		<hold >truth 9>&-
	target=$pid
	start syscount -v -L --json --syscall ppoll --follow -p "$target" -o log 2>err 9>&-
	tool=$pid
	wait_until grep -qx 'syscount: attached' err
	echo >&9
	wait_until grep -q ^ready truth
	kill -USR1 "$tool"
	wait_until grep -q '"type":"syscalls"' log
	calls=$(json_sum log calls '"syscall":"ppoll"')
	exec 9>&-
	ended "$tool"
	lost=$(json_sum log lost '"type":"end"')
	echo "$calls running calls, $lost without a time"
	[ "$calls" -eq $((first + room)) ]
	[ "$lost" -eq 300 ]
	grep -q '^note: lost 300 of [0-9]* events (too many calls at once; try ' err
}

# ---- load and stops -----------------------------------------------------------------------

# Memory of its own that a process keeps: the least of some samples, for a report needs more.
kept_kb() {
	for _ in {1..8}; do
		awk '/^RssAnon/ { print $2 }' "/proc/$1/status"
		sleep 0.02
	done | sort -n | head -n 1
}

peak_kb() {
	awk '/^VmHWM/ { print $2 }' "/proc/$1/status"
}

has_intervals() {
	[ "$(grep -c '"type":"interval"' "$2")" -ge "$1" ]
}

# Both tools, of the PIDs calls and udp, saw all of their loads. Sets calls_seen.
both_are_exact() {
	local dir want seen

	ended "$calls" && [ "$status" -eq 0 ] || return
	ended "$udp" && [ "$status" -eq 0 ] || return
	want=$(awk '$2 == "getppid" { n += $3 } END { print n }' calls.truth)
	calls_seen=$(grep '"type":"syscalls"' calls >rows &&
		json_sum rows calls '"syscall":"getppid"')
	# Each shell asks for the id of its parent once.
	[ "$calls_seen" -eq $((want + 1)) ] || [ "$calls_seen" -eq "$want" ] || return
	for dir in rx tx; do
		want=$(awk -v name="${dir}_arg_counts" '$2 == name { n += $4 } END { print n }' udp.truth)
		seen=$(grep "@${dir}_arg_counts\"" udp >rows &&
			sed 's/"data":.*//' rows >heads && json_sum heads count .)
		[ "$seen" -eq "$want" ] || return
	done
}

@test "a minute of as many events as fit: exact, memory stays flat" {
	start syscount -q --strict --hist -i 1 --json -o calls -- sh -c '
		while [ ! -e stop ]; do "$0" -g 500000; done' "$workload/syscall-load" >calls.truth
	calls=$pid
	start udp-syscall -q --strict -i 1 --json -o udp -- sh -c '
		while [ ! -e stop ]; do "$0" -n 20000; done' "$workload/udp-load" >udp.truth
	udp=$pid
	sleep $((load_s / 4))
	wait_until has_intervals 6 calls
	wait_until has_intervals 6 udp
	early=("$(kept_kb "$calls")" "$(kept_kb "$udp")" "$(peak_kb "$calls")" "$(peak_kb "$udp")")
	sleep $((load_s - load_s / 4))
	late=("$(kept_kb "$calls")" "$(kept_kb "$udp")" "$(peak_kb "$calls")" "$(peak_kb "$udp")")
	touch stop
	both_are_exact
	echo "# $((calls_seen / load_s)) getppid/s and $(awk '/^calls/ { n += $3 }
		END { printf "%d", n / '"$load_s"' }' udp.truth) calls on UDP sockets/s;" \
		"kB early ${early[*]}, late ${late[*]}" >&3
	for i in 0 1 2 3; do
		[ "${late[i]}" -le $((early[i] + 256)) ]
	done
}

@test "a tool that is stopped for 10 s: counts are exact, intervals add up, nothing is lost" {
	start syscount -q --strict --hist -L -i 50ms --json -o calls -- sh -c '
		while [ ! -e stop ]; do "$0" -g 20000; done' "$workload/syscall-load" >calls.truth
	calls=$pid
	start udp-syscall -q --strict -i 50ms --json -o udp -- sh -c '
		while [ ! -e stop ]; do "$0" -n 500; done' "$workload/udp-load" >udp.truth
	udp=$pid
	wait_until grep -qs '"type":"hist"' calls
	wait_until grep -qs '"type":"hist"' udp
	kill -STOP "$calls" "$udp"
	sleep "$stop_s"
	touch stop
	kill -CONT "$calls" "$udp"
	both_are_exact
}

# ---- output -------------------------------------------------------------------------------

@test "a full disk: clear text, status 1 (125 with a command, which is ended), no end line" {
	for tool in syscount udp-syscall; do
		run "$tool" -q -d 100ms --json -o /dev/full
		[ "$status" -eq 1 ]
		[ "$output" = "$tool: failed to write the report: No space left on device" ]
		run "$tool" -q --json -i 50ms -o /dev/full -- \
			sh -c 'trap "echo terminated; exit 7" TERM; while :; do sleep 0.1; done'
		[ "$status" -eq 125 ]
		[[ "$output" == *"$tool: failed to write the report: No space left on device"* ]]
		[[ "$output" == *terminated* ]]
	done
	mkdir small
	# Only this process sees the mount.
	run unshare -m sh -c 'mount -t tmpfs -o size=16k none small || exit 77
		syscount -q --json --hist -i 20ms -o small/log -- sleep 20
		status=$?
		cp small/log log
		exit "$status"'
	[ "$status" -ne 77 ] || skip "no tmpfs can be mounted"
	[ "$status" -eq 125 ]
	[ "$output" = "syscount: failed to write the report: No space left on device" ]
	[ -s log ]
	head -n 1 log | grep -q '^{"type":"meta"'
	not grep -q '"type":"end"' log
}

@test "a closed stdout is an error, a closed stdin is none" {
	for tool in syscount udp-syscall; do
		run --separate-stderr sh -c '"$0" -q -d 50ms >&-' "$tool"
		[ "$status" -eq 1 ]
		[ "$stderr" = "$tool: failed to write the report: Bad file descriptor" ]
		run sh -c '"$0" -q -- sleep 0 >&-' "$tool"
		[ "$status" -eq 125 ]
		"$tool" -q --json -o log -- true <&-
		is_whole log
	done
	# Nothing else may end up in the file when it could get the number of a closed one.
	(exec <&- >&- 2>&- && exec syscount -v --json -o log -- true)
	is_whole log
	[ "$(grep -cv '^{"type":' log)" -eq 0 ]
	[ "$(wc -l <log)" -eq 3 ]
}

@test "a reader that goes away ends the run, a slow one gets all of it" {
	{
		syscount -i 20ms -T 0 -- sleep 1000 2>err
		echo "$?" >status
	} | head -n 1 >out
	[ "$(cat status)" -eq 0 ]
	[ "$(wc -l <out)" -eq 1 ]
	not grep -v '^note: running' err
	syscount -q --strict -i 5ms --json -T 0 --hist -- \
		sh -c 'for i in 1 2 3 4 5 6 7 8 9; do "$0" -g 50000; done' "$workload/syscall-load" \
		2>err | { sleep 2; cat; } >out
	grep '"type":"syscalls"' out >rows
	[ "$(json_sum rows calls '"syscall":"getppid"')" -ge 450000 ]
	[ "$(json_sum rows calls '"syscall":"getppid"')" -le 450001 ]
}

# ---- limits -------------------------------------------------------------------------------

@test "out of descriptors or memory: the limit is named" {
	for tool in syscount udp-syscall; do
		for limit in 7 9 12 16; do
			run bash -c 'ulimit -n "$1"; exec "$0" -q -d 50ms' "$tool" "$limit"
			[ "$status" -eq 1 ]
			[ "${lines[0]}" = "$tool: failed to load the BPF programs" ]
			[ "${lines[1]}" = "why: only $limit files may be open at once" ]
			[ "${lines[2]}" = "try: ulimit -n 1024" ]
		done
		run bash -c 'ulimit -n 8; exec "$0" -q -- true' "$tool"
		[ "$status" -eq 125 ]
		[ "$output" = "$tool: failed to create a pipe: Too many open files" ]
		run bash -c 'ulimit -v 9000; exec "$0" -q -d 50ms' "$tool"
		[ "$status" -eq 1 ]
		[ "${lines[0]}" = "$tool: failed to load the BPF programs" ]
		[ "${lines[1]}" = "why: only 9000 KiB of memory may be used" ]
		# Enough is enough.
		run bash -c 'ulimit -n 128; ulimit -v 50000; exec "$0" -q -o log -- true' "$tool"
		[ "$status" -eq 0 ]
	done
}

@test "no more processes for this user: -c says so" {
	need setpriv
	uid=64123
	[ -z "$(ps -u $uid -o pid=)" ] || skip "user $uid has processes"
	dir=$(mktemp -d /tmp/wirescope.XXXXXX)
	chmod 755 "$dir"
	cp "$root/syscount" "$dir"
	run setpriv --reuid $uid --regid $uid --clear-groups \
		bash -c 'ulimit -u 1; exec "$0" -- true' "$dir/syscount"
	rm -r "$dir"
	[ "$status" -eq 125 ]
	[ "$output" = "syscount: failed to fork: Resource temporarily unavailable" ]
}
