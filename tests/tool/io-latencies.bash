# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of io-latencies share. `load common` first.

# How many samples the histogram $1 of a report has, which is on stdin or in the file $2.
samples_of() {
	truth_of_report <"${2:-/dev/stdin}" |
		awk -v name="$1" '$2 == name { n += $4 } END { print n + 0 }'
}

# How often the workload says that the fact $1 was, on stdin or in the file $2.
stated_of() {
	awk -v fact="$1" '$1 == fact { n = $2 } END { print n + 0 }' "${2:-/dev/stdin}"
}
