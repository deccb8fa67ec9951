# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What goes by io_uring is in no histogram: the tools say how much that is.
load common

ways='inline sqpoll async poll fixed rw zc skip skip-fixed overflow shots shots-msg shots-read'

setup() {
	begin_as_root
}

teardown() {
	[ -z "${release:-}" ] || exec {release}>&-
	end_started
}

# Before 5.19 an end does not say of which request it is: there, requests are counted.
counts_requests() {
	local major minor
	IFS=.- read -r major minor _ < <(uname -r)
	[ "$major" -lt 5 ] || [ "$major" -eq 5 -a "$minor" -lt 19 ]
}

# What a tool must say of the workload whose truth is on stdin.
expected() {
	if counts_requests; then
		awk '/^uring_begun / { print $2, $3; print "untold", $3 }'
	else
		sed -nE 's/^uring //p; s/^uring_(error .*)/\1/p'
	fi | add_up
}

# What it says, by its JSON report on stdin.
seen() {
	sed -nE '
		/"type":"unseen","by":"io_uring",/ {
			s/.*"by":"io_uring",(.*),"share".*/\1/
			s/"//g; s/:/ /g; s/,/\n/g
			p
		}
		/"@uring_[rt]x_errors"/ {
			s/.*"@uring_(..)_errors":\{"([^}]*)\}.*/error \1 \2/
			:more
			s/^(error .. )([A-Z0-9]+":[0-9]+),"(.*)/\1\2\n\1\3/
			s/":/ /g
			t more
			p
		}' | add_up
}

# Skip where this kernel, or its settings, do not have a way.
need_way() {
	local status=0
	"$workload/uring-load" "$1" -n 1 >truth 2>stderr || status=$?
	[ "$status" -ne 77 ] || skip "$(cat stderr)"
}

# Run a tool on all ways that there are.
trace_all() {
	cat >all <<-END
		for way in $ways; do
			"$workload/uring-load" \$way "\$@" || [ \$? -eq 77 ] || exit
		done
	END
	"$1" --backend raw -f json -o report -- sh all "${@:2}" >truth 2>stderr </dev/null
}

is_exact() {
	expected <truth >expected
	seen <report >seen
	same_lines expected seen && [ -s seen ] && ! grep '^note: lost' stderr
}

# bats test_tags=vm
@test "udp-syscall says exactly what went by io_uring" {
	need_way inline
	trace_all udp-syscall -N -o
	is_exact
}

@test "generic-offload does" {
	need_way inline
	trace_all generic-offload -N -o
	is_exact
}

@test "ordinary calls are counted as without io_uring" {
	need_way inline
	udp-syscall --backend raw -f json -o report -- "$workload/uring-load" inline -o -n 30 >truth
	[ "$(grep -c '"@[rt]x_ret_counts":\[{"min":1,"max":1,"count":30}\]' report)" -eq 2 ]
}

# bats test_tags=vm
@test "receives of several completions that were begun before the run are exact" {
	need_way shots
	for way in shots shots-msg; do
		# What the way before has left would say at once that both are ready.
		rm -f truth stderr
		mkfifo "$way.stdin"
		exec {release}<>"$way.stdin"
		"$workload/uring-load" "$way" -w -n 50 <"$way.stdin" >truth 2>workload.err \
			3>&- {release}>&- &
		pid=$!
		started+=("$pid")
		wait_until grep -qs ^ready truth
		udp-syscall --backend raw -v -f json -o report -p "$pid" 2>stderr 3>&- {release}>&- &
		tool=$!
		started+=("$tool")
		wait_until grep -qs 'udp-syscall: attached' stderr
		exec {release}>&-
		unset release
		wait "$tool" || { cat stderr && false; }
		is_exact
	done
}

@test "the reports of all intervals add up" {
	need_way async
	udp-syscall --backend raw -f json -i 0.02 -o report -- \
		"$workload/uring-load" async -n 20000 >truth 2>stderr
	is_exact
	[ "$(grep -c '"type":"unseen"' report)" -gt 1 ]
}

# bats test_tags=vm
@test "in text it is a line below the results, and no other way is proposed" {
	need_way rw
	udp-syscall --backend raw -o report -- "$workload/uring-load" rw -o >truth
	line='^io_uring: 20 sends( \(0\.011 MB\))? and 20 receives( \(0\.011 MB\))? are not in the'
	[ "$(grep -cE "$line histograms \(50\.0 % of all messages\)\$" report)" -eq 1 ]
	udp-syscall --backend raw -o report -- "$workload/uring-load" rw >truth 2>stderr
	grep -qE "$line histograms \(100\.0 % of all messages\)\$" report
	[ ! -s stderr ]
}

@test "requests that tell no result, or not of what, are told apart" {
	need_way skip
	udp-syscall --backend raw -o report -- "$workload/uring-load" skip >truth
	grep -qxF 'io_uring: of 20 of these neither size nor result is known' report
	udp-syscall --backend raw -o report -- "$workload/uring-load" skip-fixed >truth
	grep -qxF 'io_uring: 20 more operations may have been on UDP sockets' report
}

@test "without io_uring nothing is said of it" {
	udp-syscall --backend raw -o report -- "$workload/udp-load" -n 5 >truth
	! grep uring report
}
