#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Tools that stream events through the ring buffer, by the example of exec-log: each event is
# shown, in order, or counted as lost.
load common

execs=${RING_EXECS:-300}

setup() {
	begin_as_root
	PATH="$root/.output:$PATH"
	# "./chain N" is N + 1 execs of one process.
	cat >chain <<-'END'
		#!/bin/sh
		[ "$1" -eq 0 ] || exec "$0" $(($1 - 1))
	END
	chmod +x chain
}

teardown() {
	end_started
}

# One number of the last line of JSON.
end_of() {
	tail -n 1 log | sed -n "s/^{\"type\":\"end\",.*\"$1\":\([0-9]*\).*/\1/p"
}

# A process that becomes ./chain once go is called, and the tool on it; the log is JSON.
start_tool_on_chain() {
	mkfifo go
	start sh -c 'read -r go <go; exec ./chain "$0"' "$execs"
	target=$pid
	start exec-log -v --json -o log -p "$target" "$@" 2>err
	tool=$pid
	wait_until grep -qx 'exec-log: attached' err
}

go() {
	timeout 20 sh -c 'echo >go'
}

tool_ended() {
	wait "$tool" && status=0 || status=$?
	cat err
	[ "$status" -eq "$1" ]
}

# bats test_tags=vm,slow
@test "each exec is shown, of children too, and counted" {
	exec-log -q --json --strict -o log -- \
		sh -c './chain "$1" & ./chain "$1" & wait' sh "$execs"
	[ "$(grep -c '"file":"./chain"' log)" -eq $((2 * (execs + 1))) ]
	grep -q '"comm":"sh","file":"[^"]*/sh"' log
	[ "$(end_of events)" -eq $((2 * (execs + 1) + 1)) ]
	[ "$(end_of lost)" -eq 0 ]
	[ "$(wc -l <log)" -eq $((2 * (execs + 1) + 3)) ]
}

# bats test_tags=vm,slow
@test "a buffer that is full: events shown and events lost are all that happened" {
	start_tool_on_chain --strict --buffer 4K
	kill -STOP "$tool"
	go
	wait "$target"
	kill -CONT "$tool"
	tool_ended 3
	shown=$(grep -c '"type":"exec"' log)
	lost=$(end_of lost)
	echo "$shown shown, $lost lost"
	[ "$shown" -ge 1 ]
	[ "$lost" -ge 1 ]
	[ $((shown + lost)) -eq $((execs + 1)) ]
	[ "$(end_of events)" -eq "$shown" ]
	grep -Fx "note: lost $lost of $((execs + 1)) events (ring buffer full; try --buffer 64M or a filter: -p, --comm, --cgroup)" err
}

@test "a stopped reader with room enough loses nothing" {
	execs=4500 # more than are read at once
	start_tool_on_chain --strict --buffer 4M
	kill -STOP "$tool"
	go
	wait "$target"
	kill -CONT "$tool"
	tool_ended 0
	[ "$(grep -c '"type":"exec"' log)" -eq $((execs + 1)) ]
}

@test "a slow reader gets all of it" {
	exec-log -q --json --strict -- ./chain 1000 | { sleep 1; cat; } >log
	[ "$(grep -c '"type":"exec"' log)" -eq 1001 ]
	[ "$(end_of events)" -eq 1001 ]
}

@test "a reader that has seen enough ends the run quietly" {
	# The command would run on for a minute.
	{
		exec-log -- sh -c 'for i in $(seq 600); do /bin/true; sleep 0.1; done' 2>err
		echo "status $?" >status
	} | head -n 2 >log
	[ "$(wc -l <log)" -eq 2 ]
	grep -v '^note: running' err && return 1
	grep -qx 'status 0' status
}

@test "the events of each process are in their order, and have its ids" {
	for i in {0..60}; do
		ln -s step "$i"
	done
	cat >step <<-'END'
		#!/bin/sh
		n=${0##*/}
		[ "$n" -eq 0 ] || exec "./$((n - 1))"
	END
	chmod +x step
	exec-log --strict -o log -- sh -c 'echo $$ >shell
		for i in 1 2 3 4; do ./60 & done; wait'
	awk -v shell="$(cat shell)" 'NR > 2 {
		n = substr($NF, 3)
		if ($3 != shell || $4 != 0 || $5 != n)
			exit 1
		if (!($2 in next_is))
			next_is[$2] = 60
		if (n != next_is[$2]--)
			exit 1
		rows++
	} END { if (rows != 4 * 61) exit 1 }' log
}

@test "a name that is too long is told to be cut; one that fits is whole" {
	a=$(printf '%0126d' 0) b=$(printf '%0126d' 1)
	mkdir "$a"
	cp /bin/true "$a/$b"
	cp /bin/true "$a/${b}2"
	fits=./$a/$b
	[ "${#fits}" -eq 255 ]
	exec-log -o log -- sh -c '"$1"; "$1"2' sh "$fits"
	grep -q " $fits\$" log
	grep -qF " $fits... (truncated)" log
	exec-log --json -o log -- sh -c '"$1"; "$1"2' sh "$fits"
	grep -q "\"file\":\"$fits\",\"truncated\":false}" log
	grep -q "\"file\":\"$fits\",\"truncated\":true}" log
}

@test "names are escaped for terminals" {
	name=$'\e[31m\n\xff'
	cp /bin/true "$name"
	exec-log -o log -- env "./$name"
	grep -qF '\x1b[31m\n\xff ' log
	grep -qF ' ./\x1b[31m\n\xff' log
	[ "$(wc -l <log)" -eq 3 ]
	exec-log --json -o log -- env "./$name"
	grep -qF '"file":"./\u001B[31m\n�"' log
}

@test "who executes nothing: no line, and a note that says so" {
	start sleep 1000
	run --separate-stderr exec-log -d 100ms -p "$pid"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ "$stderr" == 'note: 0 events; 1 of 1 probes attached, '* ]]
}

@test "--buffer: sizes with units, for tools that have a buffer" {
	for size in 4096 4K 100K 1M 1.5M; do
		exec-log -q --buffer "$size" -- true
	done
	for size in 0 1 4095 2G 1T 1e6 -1 '' x 4KB; do
		run exec-log --buffer "$size" -- true
		[ "$status" -eq 2 ]
		[ "${lines[0]}" = "exec-log: '$size' is not a value for --buffer" ]
		[ "${lines[1]}" = "try: --buffer 64M (4K to 1G)" ]
	done
	run syscount --buffer 64M -- true
	[ "$status" -eq 2 ]
	run syscount --help
	[[ "$output" != *--buffer* ]]
	run exec-log --help
	[[ "$output" == *--buffer=SIZE* ]]
}
