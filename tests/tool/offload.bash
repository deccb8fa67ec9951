# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of generic-offload share. `load common` and `load udp` first.

# What generic-offload must have seen of workloads whose truth is on stdin.
offload_expected() {
	grep -E '^(hist g[sr]o_|gso_error |truncated )' | add_up
}

# What the report in the file $1 says it has seen.
offload_seen() {
	sed -E '/^@(gso_errors|rx_truncated)\[/d' "$1" | truth_of_report | add_up
	sed -nE 's/^@gso_errors\[([A-Z]+)\]: ([0-9]+)$/gso_error tx \1 \2/p
		s/^@rx_truncated\[([0-9]+)\]: ([0-9]+)$/truncated \1 \2/p' "$1" | add_up
}

# 1,204 as 1204.
ungrouped() {
	sed -E ':again; s/([0-9]),([0-9]{3})/\1\2/; t again'
}

# "DATAGRAMS BYTES PACKETS" that a device $1 gave to the $2 (driver or stack), by a report of
# --device on stdin.
device_given() {
	ungrouped | sed -nE "s/^$1: ([0-9]+) datagrams \(([0-9]+) bytes\) in ([0-9]+) packets \
given to the $2.*/\1 \2 \3/p"
}

# "DATAGRAMS BYTES" that were sent, as the workload says on stdin or in files.
wire_truth() {
	awk '$1 == "wire" && $2 == "tx" { sum[$3] += $4 }
		END { print sum["datagrams"], sum["bytes"] }' "$@"
}
