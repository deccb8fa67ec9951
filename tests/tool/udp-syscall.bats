# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# udp-syscall on a load that states its truth: every call is counted, once, and no other one.
load common
load udp

# The keys of a result of the report: "udp-load, 4711" and the like.
keys() {
	sed -nE "s/^@$1\[(.*)\]:$/\1/p" report
}

# Rows of the histograms of a JSON report on stdin, as the workloads print them.
hists_of_json() {
	tr -d '\n' | sed 's/{"type"/\n&/g' | awk '
		function label(min, power) {
			if (min < 2)
				return "[" min "]"
			return "[" number(min) "," number(2 * min) ")"
		}
		function number(n) {
			return n >= 1048576 ? n / 1048576 "M" : n >= 1024 ? n / 1024 "K" : n
		}
		/"type":"hist"/ && match($0, /"@[a-z_]+":\[/) {
			name = substr($0, RSTART + 2, RLENGTH - 5)
			n = split(substr($0, RSTART + RLENGTH), buckets, /\},?/)
			for (i = 1; i <= n; i++)
				if (split(buckets[i], part, /[:,]/) == 6 && part[6])
					print "hist", name, label(part[2]), part[6]
		}'
}

# The number of a member of the JSON line that holds a text.
member() {
	grep -F "$1" report | sed -nE "s/.*\"$2\":([-+.0-9e]+).*/\1/p"
}

# That a number of the report is A / B.
is_quotient() {
	awk -v seen="$1" -v a="$2" -v b="$3" 'BEGIN {
		expected = b ? a / b : 0
		off = seen > expected ? seen - expected : expected - seen
		exit !(off <= 1e-9 * expected)
	}'
}

@test "batches and single calls over IPv4 are counted exactly" {
	exact_by_all "$workload/udp-load" -n 50
}

@test "the same over IPv6" {
	exact_by_all "$workload/udp-load" -6
}

@test "threads with sockets of their own are counted exactly" {
	exact_by_all "$workload/udp-load" -t 4
}

@test "threads that share a descriptor are counted exactly" {
	exact_by_all "$workload/udp-load" -t 4 -S
}

# bats test_tags=vm,slow
@test "failed and partial calls: each errno by name, and only successes in ret_counts" {
	exact_by_all "$workload/udp-load" -e
	grep -q '^error rx EAGAIN' seen
	grep -q '^error tx EMSGSIZE' seen
	grep -qF 'ret_counts [0]' seen # recvmmsg and sendmmsg of no message
}

@test "calls on Unix sockets and pipes do not count" {
	exact_by_all "$workload/udp-load" -N
	[ "$(count '^other' <truth)" -gt 0 ]
}

@test "raw sockets of the same protocol do not count" {
	need perl
	trace --compat -- perl -MSocket -e '
		socket(my $s, AF_INET, SOCK_RAW, 17) or die;
		my $to = pack_sockaddr_in(0, INADDR_LOOPBACK);
		send($s, pack("nnnn", 9, 9, 10, 0) . "ab", 0, $to) == 10 or die for 1 .. 3'
	[ -z "$(seen <report)" ]
	grep -q '^note: no call on a UDP socket was seen' stderr
}

@test "connected sockets are counted exactly" {
	exact_by_all "$workload/udp-load" -c
}

@test "the child of a child is followed, but not with --follow=no" {
	exact_by_all "$workload/udp-load" -f
	for backend in '' --compat; do
		trace $backend --follow=no -- "$workload/udp-load" -f
		grep -q ^hist truth
		[ -z "$(seen <report)" ]
	done
}

@test "--mmsg-only leaves out all but sendmmsg and recvmmsg" {
	local backend dir call
	for backend in '' --compat; do
		trace $backend --mmsg-only -- "$workload/udp-load" -M -e
		is_exact
		trace $backend --mmsg-only -- "$workload/udp-load" -e -N
		grep -q '^calls recvfrom' truth
		seen <report >seen
		for dir in rx tx; do
			[ "$dir" = rx ] && call=recvmmsg || call=sendmmsg
			calls=$(count "^calls $call" <truth)
			[ "$(count "^hist ${dir}_arg_counts" <seen)" -eq "$calls" ]
			[ "$(count "^(hist ${dir}_ret_counts|error $dir)" <seen)" -eq "$calls" ]
		done
	done
}

@test "--rw counts write and read on UDP sockets; without it they are left out" {
	local backend
	for backend in '' --compat; do
		trace $backend --rw -- "$workload/udp-load" -w -N -e
		is_exact
		trace $backend -- "$workload/udp-load" -w -N
		seen <report >seen
		[ "$(count '^hist tx_arg' <seen)" -eq "$(count '^calls send(mmsg|msg|to)' <truth)" ]
		[ "$(count '^hist rx_arg' <seen)" -eq "$(count '^calls recv(mmsg|msg|from)' <truth)" ]
	done
}

# A bash connects, writes, and learns at the next write that nobody listens.
@test "a program that only writes: a note says to try --rw, which sees it" {
	writer='exec 3>/dev/udp/127.0.0.1/9 && printf abcd >&3; printf ef >&3; true'
	bash -c "$writer" 2>&1 | grep -q 'refused' || skip 'no /dev/udp in bash, or port 9 is open'
	trace -- bash -c "$writer"
	[ -z "$(seen <report)" ]
	grep -q '^note: no call on a UDP socket was seen; try --rw' stderr
	trace --rw -- bash -c "$writer"
	printf '%s\n' 'hist tx_arg_counts [1] 2' 'hist tx_ret_counts [1] 1' \
		'hist tx_bytes [4,8) 1' 'error tx ECONNREFUSED 1' >expected
	seen <report >seen
	same_lines expected seen
}

@test "a 32-bit program is counted exactly, and -v says by which backend" {
	[ -x "$workload/udp-load-32" ] || skip 'no 32-bit compiler'
	for options in '' -6 '-t 4' -e -N -f -M; do
		trace -v -- "$workload/udp-load-32" $options
		is_exact
		grep -q 'not by event: the target is a 32-bit program' stderr
	done
	trace --rw -- "$workload/udp-load-32" -w -N
	is_exact
	trace -v -- "$workload/udp-load" -n 1
	if grep 'backend: raw' stderr; then false; fi
}

@test "a 32-bit child of a 64-bit program is said to be lost; --compat sees it" {
	[ -x "$workload/udp-load-32" ] || skip 'no 32-bit compiler'
	both="$workload/udp-load-32 -n 10; $workload/udp-load -n 10"
	trace --compat --strict -- sh -c "$both"
	is_exact
	run -3 --separate-stderr udp-syscall --strict -- sh -c "$both"
	lost='lost 1 of [0-9]+ events \(32-bit process not seen by this backend; try --compat\)'
	[[ "$stderr" =~ $lost ]]
	run -0 --separate-stderr udp-syscall -- sh -c "$both"
	[[ "$stderr" == *'32-bit process'* ]]
}

@test "a 32-bit child that is killed, still runs at the end, or is older: said to be lost" {
	[ -x "$workload/edge-32" ] || skip 'no 32-bit compiler'
	run -3 --separate-stderr udp-syscall --strict -- sh -c "$workload/edge-32 segv; true"
	[[ "$stderr" == *'32-bit process'* ]]
	start_held run udp-syscall --strict -o report -- sh -c "$workload/edge-32 -w restart; :"
	tool=$pid
	kill -TERM "$tool"
	wait_tool 3
	grep -q '32-bit process' run.err
	go_on
	start_held held sh -c "$workload/edge-32 -w restart; :"
	# The shell's child is older than the run: it is seen when it ends.
	start_tool --strict --follow -p "$pid"
	go_on
	wait_tool 3
	grep -q '32-bit process' stderr
}

@test "--by thread: a key for each thread, and together they are the total" {
	for backend in '' --compat; do
		trace $backend --by thread -- "$workload/udp-load" -t 4 -e
		is_exact
		for result in rx_arg_counts rx_ret_counts rx_bytes rx_latencies tx_arg_counts \
			tx_ret_counts tx_bytes tx_latencies; do
			[ "$(keys $result | sort -u | wc -l)" -eq 4 ]
			[ "$(keys $result | grep -cE '^udp-load, [0-9]+$')" -eq 4 ]
		done
		diff <(keys rx_arg_counts | sort) <(keys tx_bytes | sort)
	done
}

# bats test_tags=vm,slow
@test "--by socket: local address and peer, and together they are the total" {
	local end4='127\.0\.0\.1:[0-9]+' end6='\[::1\]:[0-9]+'
	trace --by socket -- "$workload/udp-load" -t 2 -e -6 -c
	is_exact
	[ "$(keys tx_arg_counts | grep -cxE "$end6, $end6")" -eq 2 ]
	# What one socket sends, its peer receives.
	diff <(keys tx_arg_counts | sort) <(keys rx_ret_counts | sed -E 's/(.*), (.*)/\2, \1/' | sort)
	trace --by socket --compat -- "$workload/udp-load" -t 3 -e
	is_exact
	for result in rx_arg_counts rx_latencies tx_arg_counts tx_bytes; do
		[ "$(keys $result | sort -u | wc -l)" -eq 3 ]
		[ "$(keys $result | grep -cxE "$end4, \*")" -eq 3 ]
	done
}

@test "--ret-errors-as-zero: each error is a 0 in ret_counts, and still an error" {
	for backend in '' --compat; do
		trace $backend --ret-errors-as-zero -- "$workload/udp-load" -e
		{
			cat truth
			sed -nE 's/^error (..) [A-Z]+ /hist \1_ret_counts [0] /p' truth
		} | expected >expected
		seen <report >seen
		same_lines expected seen
	done
}

@test "JSON has the same counts, and rates that follow from them" {
	trace -f json -- "$workload/udp-load" -t 2 -e
	grep '^hist' truth | add_up >expected
	hists_of_json <report | grep -v latencies | add_up >seen
	same_lines expected seen
	elapsed_s=$(member '"type":"end"' elapsed_ns)e-9
	for dir in rx tx; do
		calls=$(count "^hist ${dir}_arg" <truth)
		line="\"direction\":\"$dir\""
		[ "$(member "$line" calls)" -eq "$calls" ]
		is_quotient "$(member "$line" calls_per_s)" "$calls" "$elapsed_s"
		is_quotient "$(member "$line" messages_per_call)" \
			"$(count "^messages $dir" <truth)" "$(count "^hist ${dir}_ret" <truth)"
		is_quotient "$(member "$line" bytes_per_s)" "$(member "@${dir}_bytes" sum)" "$elapsed_s"
		is_quotient "$(member "$line" eagain_share)" "$(count "^error $dir EAGAIN" <truth)" "$calls"
		[ "$(member "@${dir}_ret_counts" sum)" -eq "$(count "^messages $dir" <truth)" ]
	done
	[ "$(member '"type":"end"' events)" -eq "$(count '^hist .x_arg' <truth)" ]
	tail -n 1 report | grep -q '"lost":0'
}

@test "the text closes with one line of rates for each direction" {
	trace -- "$workload/udp-load" -t 2 -e
	for dir in rx tx; do
		line=$(awk -v messages="$(count "^messages $dir" <truth)" \
			-v calls="$(count "^hist ${dir}_arg" <truth)" \
			-v ok="$(count "^hist ${dir}_ret" <truth)" \
			-v again="$(count "^error $dir EAGAIN" <truth)" 'BEGIN {
				printf "[0-9.]+ calls/s, %.2f messages per call, [0-9.]+ MB/s, %.1f %% of " \
					"calls returned EAGAIN", messages / ok, again * 100 / calls }')
		[ "$(grep -cxE "$dir: $line" report)" -eq 1 ]
	done
	[ "$(tail -n 2 report | cut -d: -f1 | tr '\n' ' ')" = 'rx tx ' ]
}

# bats test_tags=vm,slow
@test "reports of intervals add up to the total" {
	trace -i 20ms -- "$workload/udp-load" -t 2 -e -n 200 -d 500
	is_exact
	[ "$(grep -c '^rx: ' report)" -gt 1 ]
}

@test "--bytes=no: no MB/s, and all else as ever" {
	trace --bytes=no -- "$workload/udp-load" -e
	run ! grep -q 'MB/s' report
	grep -v '_bytes ' truth | expected >expected
	seen <report >seen
	same_lines expected seen
}

@test "values that are none are refused" {
	run -2 udp-syscall --by colour
	[[ "$output" == *"'colour' is not a value for --by"* ]]
	run -2 udp-syscall --bytes=maybe
	[[ "$output" == *"'maybe' is not a value for --bytes"* ]]
}
