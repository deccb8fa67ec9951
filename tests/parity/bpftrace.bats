# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One load, traced by bpftrace and by udp-syscall at the same time.
load ../tool/common
load bpftrace

# Runs udp-load with these options. Leaves the results in files: truth, theirs and ours.
trace_by_both() {
	mkfifo go
	# shellcheck disable=SC2016 # for the inner shell
	start sh -c 'read -r line <go; exec "$@"' sh "$workload/udp-load" "$@" >truth
	local load=$started pid
	wait_until child_of "$load"
	pid=$(child_of "$load")
	start_bpftrace udp-syscall.bt "$pid" >theirs.raw
	local theirs=$started
	start udp-syscall --mmsg-only -p "$pid" >ours
	local ours=$started
	wait_until has_attached "$theirs" tracepoint 5
	wait_until has_attached "$ours" tracepoint 4

	echo >go
	wait "$load"
	wait "$ours"
	wait "$theirs"
	without_blanks <theirs.raw >theirs
	cat truth theirs ours
}

# bpftrace takes errors for the result of a call: the row of what is negative.
compare_results() {
	local direction
	for direction in rx tx; do
		[ "$(total_of theirs "${direction}_latencies")" -gt 0 ]
		[ "$(total_of ours "${direction}_latencies")" -eq \
			"$(total_of theirs "${direction}_latencies")" ]
		diff <(rows_of theirs "hist ${direction}_ret_counts \[") \
			<(rows_of ours "hist ${direction}_ret_counts \[")
		[ "$(truth_of_report <theirs | awk -v row="hist ${direction}_ret_counts (...,0) " \
			'index($0, row) { n = $4 } END { print n + 0 }')" -eq \
			"$(truth_of_report <ours | awk -v dir="$direction" \
				'$1 == "error" && $2 == dir { n += $4 } END { print n + 0 }')" ]
	done
}

@test "batches only: equal by bpftrace, by udp-syscall and by the load itself" {
	trace_by_both -M -t 2 -n 500
	compare_results
	diff <(rows_of ours 'arg_counts|ret_counts|error') \
		<(grep -E '_(arg|ret)_counts |^error ' truth | sort)
	for name in rx_arg_counts tx_arg_counts tx_ret_counts; do
		[ "$(block_of ours "$name" | wc -l)" -gt 5 ]
		cmp <(block_of ours "$name") <(block_of theirs "$name")
	done
}

@test "calls of all kinds: --mmsg-only has bpftrace's counts of sendmmsg and recvmmsg" {
	trace_by_both -w -t 2 -n 500
	compare_results
	[ "$(total_of ours rx_arg_counts)" -eq "$(awk '/^calls recvmmsg/ { print $3 }' truth)" ]
	[ "$(total_of ours tx_arg_counts)" -eq "$(awk '/^calls sendmmsg/ { print $3 }' truth)" ]
	for name in rx_arg_counts tx_arg_counts tx_ret_counts; do
		[ "$(block_of ours "$name" | wc -l)" -gt 5 ]
		cmp <(block_of ours "$name") <(block_of theirs "$name")
	done
}

@test "errors and other sockets: what is not UDP is all that bpftrace counts and we do not" {
	trace_by_both -M -e -N -n 200
	for call in rx:recvmmsg tx:sendmmsg; do
		direction=${call%:*}
		other=$(awk -v call="${call#*:}" '$1 == "other" && $2 == call { print $3 }' truth)
		[ "$other" -gt 0 ]
		[ "$(total_of theirs "${direction}_latencies")" -eq \
			$(($(total_of ours "${direction}_latencies") + other)) ]
		# These calls are for one message each.
		diff <(rows_of theirs "${direction}_arg_counts") \
			<(rows_of ours "${direction}_arg_counts" |
				awk -v other="$other" '$3 == "[1]" { $4 += other } { print }')
	done
}
