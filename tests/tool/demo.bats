# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `make demo` runs once all is installed and built.
load common

setup() {
	need gtlsserver gtlsclient openssl
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[ -z "${demo:-}" ] || kill "$demo" 2>/dev/null || true
	wait
}

# Starts the demo without a terminal: $demo. Its results go to the files shown and said.
start_demo() {
	setsid "$root/examples/demo" </dev/null >shown 2>said 3>&- &
	demo=$!
}

# The temporary directory, from the first command line that is shown.
directory() {
	sed -n 's|^  mkdir -p \(.*\)/htdocs$|\1|p' shown
}

# Processes whose command line names the directory; grep's own does not.
processes() {
	local name
	name=$(directory)
	[ -n "$name" ] && grep -ls "${name%?}[${name: -1}]" /proc/[0-9]*/cmdline
}

nothing_left() {
	[ -n "$(directory)" ]
	run ! processes
	[ ! -e "$(directory)" ]
}

# How many calls histogram $1 holds.
calls_in() {
	truth_of_report <shown | awk -v name="$1" '$2 == name { sum += $4 } END { print sum + 0 }'
}

ended_with() {
	local status=0
	wait "$demo" || status=$?
	[ "$status" -eq "$1" ]
}

@test "the demo shows the command lines, all histograms, the table, and how to read them" {
	start_demo
	ended_with 0
	cat shown said
	# Under sudo the tools have a note on that.
	run ! grep -v "^note: running 'gtlsserver' as root" said
	# What it will do comes before what it found.
	first=$(grep -n '^@' shown | head -n 1 | cut -d: -f1)
	for command in openssl './udp-syscall --bytes -c' gtlsclient; do
		line=$(grep -nF "  $command" shown | head -n 1 | cut -d: -f1)
		[ "$line" -lt "$first" ]
	done
	for name in arg_counts latencies ret_counts bytes; do
		[ "$(calls_in "rx_$name")" -gt 0 ]
		[ "$(calls_in "tx_$name")" -gt 0 ]
	done
	grep '^rx: .* of calls returned EAGAIN$' shown
	grep '^tx: .* of calls returned EAGAIN$' shown
	grep -A 10 -E '^SYSCALL +COUNT +TIME \(us\) +AVG \(us\) +MAX \(us\)$' shown >table
	for call in epoll_wait sendmsg recvmsg; do
		grep "^$call " table
	done
	explained=$(sed -n '/^How to read this/,$p' shown | tr '\n' ' ')
	[[ "$explained" == *" 20 MB by $(calls_in tx_arg_counts) calls,"* ]]
	[[ "$explained" == *" made $(calls_in rx_arg_counts) calls to receive,"* ]]
	again=$(sed -n 's/^@rx_errors\[EAGAIN\]: //p' shown)
	[[ "$explained" == *" of which ${again:-0} ("* ]]
	nothing_left
}

@test "a demo that is ended leaves no process and no file" {
	start_demo
	wait_until processes
	kill "$demo"
	ended_with 143
	nothing_left
}

@test "a client that fails is told, and leaves no process and no file" {
	mkdir bin
	printf '#!/bin/sh\necho no route\nexit 3\n' >bin/gtlsclient
	chmod +x bin/gtlsclient
	PATH=$PWD/bin:$PATH start_demo
	ended_with 1
	grep 'no route' said
	grep '^demo: the client failed$' said
	nothing_left
}
