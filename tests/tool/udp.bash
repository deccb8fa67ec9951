# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of udp-syscall share. `load common` first.

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	started=() held=()
}

teardown() {
	[ "${#started[@]}" -eq 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
}

# What udp-syscall --bytes must have seen of workloads that printed the truth on stdin.
expected() {
	sed -nE 's/^interrupted (..) /error \1 ERESTARTSYS /; /^(hist|error) /p' | add_up
}

# What it has seen, by its report on stdin: all keys together, without the times.
seen() {
	truth_of_report | grep -v '^hist .x_latencies' |
		sed -E 's/^(hist [a-z_]+)\[.*\] ([^ ]+ [0-9]+)$/\1 \2/' | add_up
}

# Sum of the counts of the facts on stdin that match a pattern.
count() {
	awk -v pattern="$1" '$0 ~ pattern { n += $NF } END { print n + 0 }'
}

# Each call that has ended has its time, its result or error; one that restarts has neither.
times_fit_results() {
	local dir facts
	facts=$(truth_of_report)
	for dir in rx tx; do
		[ "$(count "^hist ${dir}_latencies" <<<"$facts")" -eq "$((
			$(count "^hist ${dir}_ret_counts" <<<"$facts") +
			$(count "^error $dir" <<<"$facts") -
			$(count "^error $dir ERESTARTSYS" <<<"$facts")))" ] || return
	done
}

# Run the tool; what it and what the workload prints go to the files report, truth and stderr.
trace() {
	udp-syscall --bytes -o report "$@" >truth 2>stderr </dev/null
}

# What was traced is what the workload says, exactly, and nothing was lost.
is_exact() {
	expected <truth >expected
	seen <report >seen
	same_lines expected seen && grep -q '^hist' seen && times_fit_results <report &&
		! grep '^note: lost' stderr
}

# A workload with its options, by all backends that this kernel has.
exact_by_all() {
	local backend
	for backend in fentry event raw; do
		echo "backend: $backend"
		! lacks_backend "$backend" || continue
		trace --backend "$backend" -- "$@" && is_exact || return
	done
}

# Whether the doctor says that a backend cannot work here, or not without loss.
lacks_backend() {
	local feature

	case $1 in
	fentry) feature='fentry programs' ;;
	event) feature='tracepoints of single' ;;
	raw) feature='tracepoints whose programs are not preempted' ;;
	esac
	[ -s doctor ] || udp-syscall --doctor >doctor
	grep -q "^FAIL  $feature" doctor
}

# Start in the background, without the descriptors that keep other programs waiting. Sets pid.
start() {
	(
		for fd in 3 "${held[@]}"; do
			exec {fd}>&-
		done
		exec "$@"
	) <&0 & # else it would get /dev/null
	pid=$!
	started+=("$pid")
}

# Start a program that says "ready PID" on its stdout (the file $1) and waits for the end of its
# stdin, until it does so. Sets pid, and release: go_on closes that descriptor.
start_held() {
	mkfifo "$1.stdin" || return
	exec {release}<>"$1.stdin"
	held+=("$release")
	start "${@:2}" <"$1.stdin" >"$1" 2>"$1.err"
	wait_until grep -qs ^ready "$1"
}

go_on() {
	exec {release}>&-
}

# Start the tool on running processes, until it is attached. Sets tool.
start_tool() {
	start udp-syscall -v -o report "$@" 2>stderr
	tool=$pid
	wait_until grep -qs 'udp-syscall: attached' stderr
}

# It ends by itself, with the status $1.
wait_tool() {
	local status=0
	wait "$tool" || status=$?
	[ "$status" -eq "$1" ]
}
