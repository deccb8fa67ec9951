# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of probehist share. `load common` first.

app=$workload/probed-app
lib=$workload/libprobed.so

setup() {
	begin_as_root
}

teardown() {
	end_started
}

# Run the tool; what it prints goes to the file report, the rest to stdout and stderr.
hist() {
	probehist -o report "$@" >stdout 2>stderr </dev/null
}

# Numbers on stdin as rows of the histogram named $1, as truth_of_report prints them.
rows() {
	awk -v name="$1" '
	{
		low = 1
		while (2 * low <= $1)
			low *= 2
		label = $1 < 0 ? "(...,0)" : $1 < 1 ? "[0]" : $1 < 2 ? "[1]" \
			: "[" short(low) "," short(2 * low) ")"
		seen[label]++
	}
	END {
		for (label in seen)
			print "hist", name, label, seen[label]
	}
	function short(n) {
		return n < 1024 ? n : n < 1048576 ? n / 1024 "K" : n / 1048576 "M"
	}'
}

# The report has these rows (on stdin), and no others.
report_is() {
	truth_of_report <report >seen
	same_lines - seen
}

# The same of a report of which only results that match $1 (a pattern of awk) count.
part_is() {
	truth_of_report <report | awk -v name="$1" '$2 ~ "^(" name ")$"' >seen
	same_lines - seen
}

# How many values a result has, all rows and keys together.
values_of() {
	truth_of_report <report | awk -v name="$1" '
		{ sub(/\[.*/, "", $2) }
		$2 == name { n += $NF }
		END { print n + 0 }'
}

# For functions, tracepoints, and probes of programs that do not run yet.
needs_cookies() {
	grep -q bpf_get_attach_cookie /proc/kallsyms || skip 'it needs Linux 5.15 (BPF cookies)'
}
