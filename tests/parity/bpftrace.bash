# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A load that waits until bpftrace and a tool of ours are attached to it. `load ../tool/common`
# first.

setup() {
	pids=()
	need bpftrace unshare
	bpftool=$("$root/tools/deps" find bpftool)
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	wait
}

# Starts a command in the background: $started.
start() {
	timeout -k 5 60 "$@" 3>&- <&0 & # else it would get /dev/null
	started=$!
	pids+=("$started")
}

# Starts a script of this directory; bpftrace looks for tracefs, which need not be mounted here.
start_bpftrace() {
	local script=$BATS_TEST_DIRNAME/$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	start unshare -m sh -c 'at=/sys/kernel/tracing
		[ -e $at/events ] || mount -t tracefs nodev $at
		exec bpftrace "$@"' sh "$script" "$@"
}

# Whether the child of process $1 has attached to as many "tracepoint"s or "uprobe"s as it will.
has_attached() {
	[ "$("$bpftool" perf show | grep -c "^pid $(child_of "$1") .*  $2 ")" -eq "$3" ]
}

# bpftrace's report on stdin in our form: before 0.23 it prints a blank after the name.
without_blanks() {
	sed 's/^\(@.*:\) $/\1/'
}

# All rows of histogram $2 in the results $1, added up.
total_of() {
	truth_of_report <"$1" | awk -v name="$2" '$2 == name { sum += $4 } END { print sum + 0 }'
}

# Rows of the results $1 that match $2; what has no place there is not of interest.
rows_of() {
	truth_of_report <"$1" | grep -E "$2" | sort
}

# A histogram as it is printed.
block_of() {
	awk -v name="@$2:" '$0 == name { inside = 1 } inside { print } /^$/ { inside = 0 }' "$1"
}
