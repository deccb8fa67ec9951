# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# udp-syscall on what is awkward: restarts, ends within a call, calls that run at the report.
load common
load udp

modes='restart eintr rcvtimeo kill exitgroup exec segv blocked-then-sent econnrefused
eagain1000 partial4 wild-pointers sendfile dup-close'

# What the report in the file $1 says besides: receives and sends of one message.
expect_counts() {
	printf '%s\n' "${@:2}" >expected
	seen <"$1" >seen
	same_lines expected seen
}

@test "every edge case is counted exactly: restarts are neither results nor times" {
	for mode in $modes; do
		echo "mode: $mode"
		status=0
		trace --compat -- "$workload/edge" "$mode" || status=$?
		is_exact
		[ "$mode" = segv ] && wanted=139 || wanted=0
		[ "$status" -eq "$wanted" ]
	done
}

# bats test_tags=vm
@test "the default backend counts all edge cases exactly" {
	trace -- sh -c "for mode in $(echo $modes); do $workload/edge \$mode; done; true"
	is_exact
	[ "$(count '^error rx ERESTARTSYS' <seen)" -gt 0 ]
}

@test "a 32-bit build of them is counted exactly" {
	[ -x "$workload/edge-32" ] || skip 'no 32-bit compiler'
	for mode in $modes; do
		echo "mode: $mode"
		trace -- "$workload/edge-32" "$mode" || [ "$mode" = segv ]
		is_exact
	done
}

@test "restarts are no 0 of --ret-errors-as-zero either" {
	for backend in '' --compat; do
		trace $backend --ret-errors-as-zero -- "$workload/edge" restart
		expected <truth >expected
		seen <report >seen
		same_lines expected seen
		[ "$(count '^error rx ERESTARTSYS' <seen)" -eq 3 ]
	done
}

@test "--rw counts sendfile as a send of one message; splice is not seen" {
	for options in '' --compat; do
		trace --rw $options -- "$workload/edge" sendfile
		grep -q '^calls splice 2' truth
		{
			cat truth
			printf '%s\n' 'hist tx_arg_counts [1] 2' 'hist tx_ret_counts [1] 1' \
				'hist tx_bytes [256,512) 1' 'error tx EMSGSIZE 1'
		} | expected >expected
		seen <report >seen
		same_lines expected seen
		times_fit_results <report
	done
}

@test "a call that still runs at a report: it is asked for, has no result, and its age is said" {
	for backend in '' --compat; do
		rm -f held* report
		start_held held udp-syscall --bytes $backend -o report -- \
			"$workload/edge" -w blocked-then-sent
		kill -USR1 "$pid"
		wait_until grep -qs '^still running' report
		cp report first
		expect_counts first 'hist rx_arg_counts [1] 1'
		[ "$(grep -cxE 'still running: 1 calls, the oldest for [0-9]+\.[0-9]{3} s' first)" -eq 1 ]
		go_on
		wait "$pid"
		# Both reports together are the truth; in the end nothing runs.
		cp held truth
		cp held.err stderr
		is_exact
		[ "$(grep -c '^still running' report)" -eq 1 ]
	done
}

@test "-d ends the run while a call is blocked" {
	mkfifo stdin
	exec {release}<>stdin
	udp-syscall -d 2 -f json -o report -- "$workload/edge" -w restart <stdin >truth 3>&-
	grep -q '^ready' truth
	grep -qE '"type":"hist","count":1,"data":\{"@rx_arg_counts":\[\{"min":1,"max":1,"count":1' report
	grep -qE '^\{"type":"running","calls":1,"oldest_ns":[0-9]+\}$' report
	if grep -E 'latencies|ret_counts|errors' report; then false; fi
}

@test "-p of a process in a blocked receive: that one is not counted, the next calls are" {
	for backend in '' --compat; do
		rm -f held* report
		start_held held "$workload/edge" -w restart
		start_tool --bytes $backend -p "$pid"
		go_on
		# It ends by itself, with its target.
		wait_tool 0
		# The first of the interrupted receives was begun before.
		sed -E 's/^(hist rx_arg_counts \[1\]|interrupted rx) 4$/\1 3/
			s/^interrupted rx 3$/interrupted rx 2/' held >truth
		is_exact
		[ "$(count '^error rx ERESTARTSYS' <seen)" -eq 2 ]
	done
}

# bats test_tags=vm
@test "-p and the default backend of a 32-bit process: its calls are seen" {
	[ -x "$workload/edge-32" ] || skip 'no 32-bit compiler'
	start_held held "$workload/edge-32" -w blocked-then-sent
	start_tool --bytes -p "$pid"
	grep -q 'not by event: the target is a 32-bit program' stderr
	go_on
	wait_tool 0
	expect_counts report 'hist tx_arg_counts [1] 1' 'hist tx_ret_counts [1] 1' 'hist tx_bytes [1] 1'
}

# bats test_tags=vm,slow
@test "several -p: all are counted, others are not, and the last one to end ends the run" {
	local -A releases
	for name in first second third; do
		start_held $name "$workload/edge" -w blocked-then-sent
		printf -v "$name" %s "$pid"
		releases[$name]=$release
	done
	start_tool --bytes -p "$first" -p "$second"
	for name in third first; do
		release=${releases[$name]}
		go_on
		wait "${!name}"
	done
	kill -USR1 "$tool"
	wait_until grep -qs ^tx: report
	expect_counts report 'hist tx_arg_counts [1] 1' 'hist tx_ret_counts [1] 1' 'hist tx_bytes [1] 1'
	release=${releases[second]}
	go_on
	wait_tool 0
	expect_counts report 'hist tx_arg_counts [1] 2' 'hist tx_ret_counts [1] 2' 'hist tx_bytes [1] 2'
}

@test "-p --follow: children that were there before are traced, and awaited" {
	start_held held sh -c "$workload/edge -w blocked-then-sent; $workload/edge dup-close; true"
	start_tool --bytes --follow -p "$pid"
	go_on
	wait_tool 0
	# The first program's receive was begun before.
	grep -v '^hist rx_' held >truth
	is_exact
}
