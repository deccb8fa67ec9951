# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# generic-offload on a load that states its truth: each message of the socket calls counts, once,
# with the size and number of its datagrams.
load common
load udp
load offload
load net

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=() held=() holders=()
}

teardown() {
	[ "${#started[@]}" -eq 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
	net_end
}

# Run the tool; what it and what the workload prints go to the files report, truth and stderr.
trace() {
	generic-offload -o report "$@" >truth 2>stderr </dev/null
}

is_exact() {
	offload_expected <truth >expected
	offload_seen report >seen
	same_lines expected seen && grep -q '^hist' seen && ! grep '^note: lost' stderr
}

# The number of a line of the truth (of the file $2) that begins with $1.
fact() {
	sed -nE "s/^$1 ([0-9]+)\$/\1/p" "${2:-truth}"
}

verdicts() {
	sed -n 's/^verdict: //p' report
}

# 1204 as 1,204.
grouped() {
	sed -E ':more; s/([0-9])([0-9]{3})(,|$)/\1,\2\3/; t more' <<<"$1"
}

# A shell script: the program $1 with each line of options on stdin, one after the other.
script_of() {
	sed "s|.*|$1 & \|\| exit|"
}

@test "segments by control data: size and count of each message are exact" {
	trace -- "$workload/offload-load" -G
	is_exact
	[ "$(grep '^@' report | tr -d '\n')" = '@gro_count:@gro_size:@gso_count:@gso_size:' ]
	grep -q 'gso_count \[32,64) ' seen # whether it is received so is up to loopback
	# What is cut is received in pieces without UDP_GRO.
	trace -- "$workload/offload-load" -M
	is_exact
	[ "$(grep -c '^hist gro_count' seen)" -eq 1 ]
	grep -q 'gso_count \[32,64) ' seen
}

@test "segments by the option of the socket" {
	trace -- "$workload/offload-load" -G -g option
	is_exact
	grep -q 'gso_count \[32,64) ' seen
}

@test "control data goes before the option, even if it asks for no segments" {
	trace -- "$workload/offload-load" -G -g both
	is_exact
}

# bats test_tags=vm
@test "by all backends: IPv4 and IPv6, threads, options, errors, too small buffers" {
	script_of "$workload/offload-load" >loads <<-'END'
		-n 20 -G
		-n 20 -g off
		-n 40 -6 -g both
		-n 20 -t 4 -G -g both
		-n 20 -6 -t 2 -G -g option -T 500 -e
	END
	exact_by_all sh loads
	[ "$(grep -c '^port tx' truth)" -eq 9 ]
}

@test "32-bit programs" {
	[ -x "$workload/offload-load-32" ] || skip 'no 32-bit compiler'
	trace -- "$workload/offload-load-32" -G -e -g both
	is_exact
	script_of "$workload/offload-load-32" >loads <<-'END'
		-n 20 -6 -t 2 -G -T 300
		-n 20 -g option
		-n 20 -g both -e
	END
	script_of "$workload/offload-load" <<<'-n 20' >>loads
	trace --compat -- sh loads
	is_exact
	[ "$(grep -c '^port tx' truth)" -eq 5 ]
}

# bats test_tags=vm
@test "control data and receives of odd kinds, by all backends" {
	exact_by_all "$workload/offload-edge"
	[ ! -x "$workload/offload-edge-32" ] || trace --compat -- "$workload/offload-edge-32"
	is_exact
}

@test "more control messages than are looked at: what was not seen counts as lost" {
	need perl
	# 20 times IP_TOS before the UDP_SEGMENT. A struct msghdr has 7 longs.
	cat >many.pl <<-'END'
		use Socket;
		require "syscall.ph";
		socket(my $s, AF_INET, SOCK_DGRAM, 0) or die;
		connect($s, pack_sockaddr_in(9, INADDR_LOOPBACK)) or die;
		my $control = pack("QiiiI", 20, 0, 1, 0, 0) x 20 . pack("QiiSSI", 18, 17, 103, 300, 0, 0);
		my $iov = pack("PQ", my $data = "x" x 3000, 3000);
		my $msg = pack("QQPQPQQ", 0, 0, $iov, 1, $control, length $control, 0);
		syscall(&SYS_sendmsg, fileno $s, $msg, 0) == 3000 or die "sendmsg: $!";
	END
	perl -e 'require "syscall.ph"' || skip 'perl without the numbers of system calls'
	trace -- perl many.pl
	grep '^note: lost 1 of .* (control messages longer than what is read)' stderr
}

@test "calls that fail are no reason to look for others; parts of a datagram are told" {
	need perl
	cat >corked.pl <<-'END'
		use Socket;
		socket(my $s, AF_INET, SOCK_DGRAM, 0) or die;
		bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die;
		connect($s, getsockname($s)) or die;
		recv($s, my $data, 9, MSG_DONTWAIT) and die;
		# MSG_MORE, twice of three times
		send($s, "x" x 100, $_ % 3 ? 0x8000 : 0) or die for 1 .. 9;
	END
	trace -- perl corked.pl
	run ! grep 'no call' stderr
	grep '^note: 6 sends were kept' stderr
}

@test "sends that fail count by errno if they were to be cut, and the others do not" {
	trace -- "$workload/offload-load" -g both -e
	is_exact
	[ "$(fact 'gso_error tx EINVAL')" -gt 0 ]
	[ "$(count '^error tx E' <truth)" -gt "$(count '^gso_error tx' <truth)" ]
}

@test "a device without checksums: old kernels refuse to cut for it, new ones do it" {
	net_pair 1500
	net_features in_a tx off
	trace -- nsenter --net="$net_a" "$workload/offload-load" -s 10.77.0.2 -p 9 -m 1500 -n 30
	is_exact
}

@test "messages that are cut off count by the room they had" {
	trace -- "$workload/offload-load" -G -T 500
	is_exact
	[ "$(fact 'truncated 500')" -gt 0 ]
	[ "$(fact 'truncated 1000')" -gt 0 ]
}

# The tool on running processes, until it is attached. Sets tool.
start_offload() {
	start generic-offload -v -o report "$@" 2>stderr
	tool=$pid
	wait_until grep -qs 'generic-offload: attached' stderr
}

@test "-p: a program that runs already" {
	start_held truth "$workload/offload-load" -w -G -g both -t 2
	load=$pid
	start_offload -p "$load"
	go_on
	wait "$load"
	wait_tool 0
	is_exact
}

# A tool on both ends of the wires to come: it looks for a name that is of this test only.
trace_wires() {
	load=$PWD/ol-$$
	cp "$workload/offload-load" "$load"
	start_offload --comm "${load##*/}"
}

# Use a wire with the MTU $1; the receiver's address and options follow. All that one end says
# that it sent is what the other received.
use_wire() {
	start_held received nsenter --net="$net_b" "$load" -w -r 5000 -M -G "${@:3}"
	go_on
	in_a "$load" -s "$2" -p 5000 -m "$1" -n 15 "${@:3}" >sent || return
	wait "$pid" && rm received.stdin || return
	cat sent received >>truth
	diff <(sed -n 's/^wire tx //p' sent) <(sed -n 's/^wire rx //p' received)
}

wires_are_exact() {
	kill -INT "$tool"
	wait_tool 0
	is_exact
}

# That the features do what the test wants: many datagrams came as one.
received_whole() {
	grep -qE '^hist gro_count \[(16,32|32,64)\)' received
}

@test "over wires of MTU 1200, 1500 and 9000, whose ends cut and put together" {
	trace_wires
	for mtu in 1200 1500 9000; do
		net_pair "$mtu"
		use_wire "$mtu" 10.77.0.2
		received_whole
		net_features in_a tso off
		net_features in_b gro on
		use_wire "$mtu" 10.77.0.2 -t 2
		received_whole
	done
	wires_are_exact
}

@test "over wires whose ends do not: cut before the device, received one by one" {
	trace_wires
	for mtu in 1200 1500 9000; do
		net_pair "$mtu"
		net_features in_a tx-udp-segmentation off gso off
		net_features in_b gro off
		use_wire "$mtu" 10.77.0.2
		run ! received_whole
		[ "$mtu" -lt 1280 ] || use_wire "$mtu" fd77::2 -6
	done
	wires_are_exact
}

@test "a program that does all well: rates that follow from the counts, and no verdict" {
	trace -- "$workload/offload-load" -M -G -n 200
	is_exact
	for direction in tx rx; do
		[ "$direction" = tx ] && how=gso || how=gro
		line=$(awk -v messages="$(fact "messages $direction")" \
			-v datagrams="$(fact "wire $direction datagrams")" \
			-v whole="$(fact "hist ${how}_count \[1\]")" -v how="${how^^}" 'BEGIN {
			printf "[0-9.]+ messages/s, %.2f datagrams per message, [0-9.]+ MB/s, " \
				"%.1f %% of messages by %s", datagrams / messages,
				(messages - whole) * 100 / messages, how }')
		[ "$(grep -cxE "$direction socket calls: $line" report)" -eq 1 ]
	done
	[ -z "$(verdicts)" ]
}

# Several programs at once: a verdict is of one port, and the others do nothing of the kind.
@test "verdicts on a port: no GSO, no GRO, recvmmsg of one; each where it is true only" {
	need perl
	# Sends messages of 1200 bytes to itself, and never reads them.
	cat >no_gso.pl <<-'END'
		use Socket;
		socket(my $s, AF_INET, SOCK_DGRAM, 0) or die;
		bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die;
		my ($port) = unpack_sockaddr_in(getsockname($s));
		send($s, 'x' x 1200, 0, getsockname($s)) == 1200 or die for 1 .. $ARGV[0];
		print "port tx $port\nmessages tx $ARGV[0]\n";
	END
	cat >loads <<-END
		perl no_gso.pl 500 >no_gso
		perl no_gso.pl 9 >few
		# Small messages: GSO is for streams of data.
		"$workload/offload-load" -M -G -g off -m 900 -n 200 >small
		"$workload/offload-load" -M -B 6000 -n 20 >no_gro
		"$workload/offload-load" -M -B 6000 -n 20 -G >gro
		# Smaller than what loopback takes at once: longer ones would come in parts.
		"$workload/offload-load" -M -G -b 1 -m 900 -n 500 >ones
		cat small no_gro gro ones
	END
	trace -- sh loads
	cat report
	rate='[0-9.]+'
	[ "$(verdicts | wc -l)" -eq 3 ]
	verdicts | grep -qxE "GSO is never used on port $(fact 'port tx' no_gso) \($rate sends/m?s \
of one datagram, $(grouped "$(fact 'messages tx' no_gso)") in all\)"
	verdicts | grep -qE "^GRO is never used on port $(fact 'port rx' no_gro) \($rate receives/m?s \
of one datagram, $(grouped "$(fact 'messages rx' no_gro)") in all\)"
	[ "$(fact 'recvmmsg one' ones)" -eq 500 ]
	verdicts | grep -qx "recvmmsg returned 1 message in 100 % of calls on port \
$(fact 'port rx' ones) (500 of 500)"
}

@test "verdicts on what was lost: truncated messages, failed sends, stopped batches" {
	trace -- "$workload/offload-load" -M -G -T 1024 -e -n 400
	is_exact
	verdicts
	[ "$(verdicts | wc -l)" -eq 4 ]
	for room in 1024 2048; do
		verdicts | grep -qx "receive buffers of $(grouped "$room") bytes truncated \
$(grouped "$(fact "truncated $room")") times (MSG_TRUNC)"
	done
	verdicts | grep -qx "EINVAL/EMSGSIZE on GSO sends: \
$(grouped "$(count '^gso_error tx' <truth)")"
	verdicts | grep -qxE "sendmmsg sent fewer messages than it was given in \
$(grouped "$(fact 'sendmmsg partial')") of [0-9,]+ calls on port $(fact 'port tx')"
}

@test "options that would do nothing are refused" {
	for option in --compat --rw --mmsg-only --backend=raw; do
		run -2 --separate-stderr generic-offload --device "$option" -c true
		[[ $stderr == *"${option%=*} is for socket calls, not for --device or --usdt"* ]]
	done
	run -2 --separate-stderr generic-offload --probe tx=a:b -c true
	[[ $stderr == *'--probe is for --usdt'* ]]
}
