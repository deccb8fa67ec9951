# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the bats files share. `load common` (or ../tool/common) first.

root=$(cd "${BATS_TEST_DIRNAME:?}/../.." && pwd)
workload=$root/.output/workload
export PATH="$root:$PATH"
bats_require_minimum_version 1.5.0

# Results of a tool on stdin, as the workloads print their truth: "hist NAME [a,b) COUNT" for
# each row that is not 0, "error rx EAGAIN COUNT".
truth_of_report() {
	awk '
	/^@.*:$/ { name = substr($0, 2, length($0) - 2); next }
	/^@[rt]x_errors\[/ {
		split($0, part, /[][]|_|: /)
		print "error", substr(part[1], 2), part[3], part[5]
		next
	}
	/^$/ { name = "" }
	name != "" {
		label = $0
		sub(/ +[0-9]+ \|.*/, "", label)
		gsub(/ /, "", label)
		count = $0
		sub(/ \|.*/, "", count)
		sub(/.* /, "", count)
		if (count > 0)
			print "hist", name, label, count
	}'
}

# Lines of a workload's truth that udp-syscall shows, without those of $1 (an awk pattern).
udp_truth() {
	grep -E '^(hist|error) '
}

# Equal facts added up; the last word of each line is its count.
add_up() {
	awk '{
		n = $NF
		sub(/ [0-9]+$/, "")
		sum[$0] += n
	}
	END {
		for (fact in sum)
			if (sum[fact])
				print fact, sum[fact]
	}' "$@"
}

# Succeeds if both files hold the same lines, in any order; shows the difference otherwise.
same_lines() {
	diff <(sort "$1") <(sort "$2")
}

# Wait until a command succeeds, at most 20 s.
wait_until() {
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 400 ] || return 1
		sleep 0.05
	done
}

# The only child of a process.
child_of() {
	local file
	file=$(grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status) || true
	file=${file#/proc/}
	[ -n "$file" ] && echo "${file%/status}"
}

# Run in the background, without bats's own descriptor; its PID is $pid. For tests that need no
# other way, and end_started in their teardown.
start() {
	"$@" 3>&- &
	pid=$!
	started+=("$pid")
}

# For setup: nothing is started yet, and what is written goes to a folder of its own.
begin_as_root() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	started=()
	cd "$BATS_TEST_TMPDIR" || return
}

# For teardown: nothing of what was started (PIDs in the array) goes on, even if it is stopped.
end_started() {
	local job

	for job in "${started[@]}"; do
		kill -CONT "$job" 2>/dev/null
		kill -KILL "$job" 2>/dev/null && wait "$job" 2>/dev/null
	done
	true
}

need() {
	local what
	for what; do
		PATH="$PATH:/usr/sbin:/sbin" command -v "$what" >/dev/null ||
			skip "$what is not installed"
	done
}
