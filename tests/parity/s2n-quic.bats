# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# s2n-quic's four questions, asked of its probes in a program that states the answers: by
# bpftrace, and by our tools at the same time.
load ../tool/common
load bpftrace

setup_file() {
	[ -x "$BATS_TEST_DIRNAME/../../.output/workload/s2n-app" ] || skip 'no <sys/sdt.h>'
	command -v readelf >/dev/null || skip 'readelf is not installed'
}

app=$workload/s2n-app

# How many sites the binary $1 has of probes that match a pattern.
sites_of() {
	readelf -n "$1" 2>/dev/null | grep -cE "^ *Name: ($2)\$"
}

attached_or_ended() {
	grep -q ': attached' notes || ! kill -0 "$1" 2>/dev/null
}

# trace_by_both SCRIPT PROBES APP APP-OPTIONS... -- TOOL TOOL-OPTIONS...: PROBES is a pattern.
# Leaves the results in files: truth, theirs, ours and what our tool said, notes.
trace_by_both() {
	local script=$1 probes=$2 app=$3 options=() load theirs ours
	shift 3
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	mkfifo go
	exec 7<>go # closed: the load goes on
	start "$app" -w "${options[@]}" <go >truth 7>&-
	load=$started
	wait_until grep -q ^ready truth
	pid=$(sed -n 's/^ready //p' truth)

	start_bpftrace "$script" "$app" "$pid" >theirs.raw 7>&-
	theirs=$started
	wait_until has_attached "$theirs" uprobe "$(sites_of "$app" "$probes")"
	wait_until has_attached "$theirs" tracepoint 1
	start "$@" -v -p "$pid" >ours 2>notes 7>&-
	ours=$started
	wait_until attached_or_ended "$ours"
	grep ': attached' notes
	exec 7>&-
	wait "$load"
	wait "$ours"
	wait "$theirs"
	without_blanks <theirs.raw >theirs
	cat truth theirs ours notes
}

# Each of these histograms: ours as bpftrace prints it, and with the counts of the truth.
same_histograms() {
	local name
	for name; do
		[ "$(block_of theirs "$name" | wc -l)" -gt 5 ]
		diff <(rows_of theirs "hist $name ") <(grep "^hist $name " truth | sort)
		cmp <(block_of ours "$name") <(block_of theirs "$name")
	done
}

# Each pair has one latency, with both; each has its own clock, so their rows are not compared.
same_latencies() {
	local direction pairs
	for direction in tx rx; do
		pairs=$(awk -v dir="$direction" '$1 == "pairs" && $2 == dir { print $3 }' truth)
		[ "$pairs" -gt 0 ]
		[ "$(total_of theirs "${direction}_latencies")" -eq "$pairs" ]
		[ "$(total_of ours "${direction}_latencies")" -eq "$pairs" ]
	done
}

# Rows of latencies that are at least as long as $2 ns, as bpftrace labels them.
none_is_shorter() {
	truth_of_report <"$1" | awk -v least="$2" '
		BEGIN { unit["K"] = 1024; unit["M"] = 1024 ^ 2; unit["G"] = 1024 ^ 3 }
		$2 ~ /_latencies$/ {
			split($3, part, /[][,()]/)
			end = part[3]
			scale = unit[substr(end, length(end))]
			if (end * (scale ? scale : 1) <= least)
				exit 1
		}'
}

offload_probes='s2n_quic_platform__socket__io__.x__finish_(read|write)'
latency_probes='s2n_quic_platform__socket__(io__tx__write|io__rx__finish_read|task__.x__finish)'
buffer_probes='s2n_quic_core__buffer__re[a-z_]*__(alloc|pop|write)'
syscall_probes='s2n_quic_platform__syscall__mmsg__.*'

@test "generic-offload: GSO and GRO sizes and counts, messages that are not GSO-able too" {
	trace_by_both generic-offload.bt "$offload_probes" "$app" -n 2000 -t 3 -- generic-offload --usdt "$app"
	grep '^hist gso_count \[0\]' truth
	same_histograms gso_size gso_count gro_size gro_count
}

@test "io-latencies: a latency for each message, by channel and index" {
	trace_by_both io-latencies.bt "$latency_probes" "$app" -n 1000 -t 3 -d 1100 -- io-latencies --usdt "$app"
	same_latencies
	# Each message had to wait; with another one's begin it would not have.
	none_is_shorter theirs 1100000
	none_is_shorter ours 1100000
}

@test "io-latencies: an end without a begin is no latency, nor is a begin without an end" {
	trace_by_both io-latencies.bt "$latency_probes" "$app" -n 500 -u 40 -l 30 -- io-latencies --usdt "$app"
	same_latencies
}

@test "io-latencies: more messages on their way than bpftrace's maps hold by default" {
	export BPFTRACE_MAP_KEYS_MAX=100000
	trace_by_both io-latencies.bt "$latency_probes" "$app" -n 20000 -r 16384 -- io-latencies --usdt "$app"
	same_latencies
}

@test "probehist: the same latencies, sizes and counts, each probe by its name" {
	socket=usdt:$app:s2n_quic:s2n_quic_platform__socket
	buffer=usdt:$app:s2n_quic:s2n_quic_core__buffer__receive_buffer
	trace_by_both io-latencies.bt "$latency_probes" "$app" -n 1000 -t 2 -u 9 -l 5 -- probehist \
		"tx_latencies=lat:${socket}__io__tx__write to ${socket}__task__tx__finish on:arg0,arg1
			if:arg2==0" \
		"rx_latencies=lat:${socket}__task__rx__finish to ${socket}__io__rx__finish_read
			on:arg0,arg1" \
		"gso_count=${socket}__io__tx__finish_write:arg2" \
		"gro_size=${socket}__io__rx__finish_read:arg3" \
		"allocs=${buffer}__alloc:arg1"
	same_latencies
	for name in gso_count gro_size allocs; do
		diff <(rows_of ours "hist $name ") <(grep "^hist $name " truth | sort)
	done
}

@test "recv-buffers: both names of the probes" {
	for app in "$app" "$app-reassembler"; do
		rm -f go
		trace_by_both recv-buffers.bt "$buffer_probes" "$app" -n 3000 -t 2 -- \
			recv-buffers --usdt "$app"
		same_histograms allocs pops writes
	done
}

@test "udp-syscall --usdt: batches and results, errors as the count 0" {
	# Only batches, as in the script: the probes of single messages are not there by these names.
	others=()
	for call in msg-{start,finish}-{send,recv}; do
		others+=(--probe "$call=none:none")
	done
	app=$workload/usdt-app
	trace_by_both udp-syscall-usdt.bt "$syscall_probes" "$app" -n 1500 -t 2 -- \
		udp-syscall --usdt "$app" --ret-errors-as-zero "${others[@]}"
	for direction in tx rx; do
		for name in arg_counts ret_counts; do
			[ "$(block_of theirs "${direction}_$name" | wc -l)" -gt 5 ]
			cmp <(block_of ours "${direction}_$name") \
				<(block_of theirs "${direction}_$name")
		done
		[ "$(total_of ours "${direction}_latencies")" -eq \
			"$(total_of theirs "${direction}_latencies")" ]
		[ "$(total_of theirs "${direction}_latencies")" -gt 0 ]
	done
}
