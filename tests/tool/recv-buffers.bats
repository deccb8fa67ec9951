# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# recv-buffers on programs that fire s2n-quic's probes of both generations and state how often.
load common
load probehist

old=$workload/s2n-app
new=$workload/s2n-app-reassembler

setup_file() {
	[ -e "$BATS_TEST_DIRNAME/../../.output/workload/s2n-app" ] || skip 'no <sys/sdt.h>'
}

# Trace; what the workload says goes to the file truth.
buffers() {
	recv-buffers -o report "$@" >truth 2>stderr </dev/null
}

is_exact() {
	grep -E '^hist (allocs|pops|writes) ' truth | report_is && [ -s seen ]
}

@test "both generations of names, which -v tells; the command's program is the default" {
	needs_cookies
	for app in "$old" "$new"; do
		buffers -v --follow=no -c "$app -n 500 -t 2"
		is_exact
		[ "$(grep -c "probe s2n_quic:s2n_quic_core__buffer__.* of '$app'" stderr)" -eq 3 ]
	done
	grep -q 'buffer__reassembler__alloc' stderr
	buffers --follow=no --usdt "$new" -c "$new -n 500"
	is_exact
}

@test "the script's order and form" {
	needs_cookies
	buffers --follow=no -c "$old"
	[ "$(grep '^@' report | tr '\n' ' ')" = '@allocs: @pops: @writes: ' ]
	[ "$(grep -c '^$' report)" -eq 3 ]
	buffers --follow=no --json -c "$old"
	[ "$(jq -r 'select(.data) | .unit' report | sort -u)" = bytes ]
}

# bats test_tags=vm
@test "-p: the process's own program, and no other process of it" {
	mkfifo go
	exec 9<>go
	"$new" -w -n 300 <go >truth 3>&- 9>&- &
	app_pid=$!
	started+=("$app_pid")
	wait_until grep -qs ^ready truth
	start recv-buffers -v -o report -p "$app_pid" 2>stderr 9>&-
	wait_until grep -qs 'recv-buffers: attached' stderr
	"$new" -n 50 -s 3 >/dev/null
	exec 9>&-
	wait "$pid" "$app_pid"
	is_exact
}

@test "--probe takes other names" {
	needs_cookies
	prefix=s2n_quic:s2n_quic_core__buffer__receive_buffer__
	buffers --probe "alloc=${prefix}pop" --probe "pop=${prefix}pop" -c "$old"
	{
		grep -E '^hist pops ' truth
		grep -E '^hist pops ' truth | sed s/pops/allocs/
		grep -E '^hist writes ' truth
	} | report_is
	run --separate-stderr -2 recv-buffers --probe x=y:z
	[ "${stderr_lines[0]}" = "recv-buffers: 'x=y:z' does not name a probe" ]
	run --separate-stderr -125 recv-buffers --probe alloc=s2n_quic:nothing -c "$old"
	[ "${stderr_lines[0]}" = "recv-buffers: '$old' has no probe s2n_quic:nothing" ]
}

@test "a program without the probes, and none at all" {
	run --separate-stderr -1 recv-buffers --usdt /bin/true -d 1
	[ "${stderr_lines[0]}" = "recv-buffers: '/bin/true' has none of the probes, such as s2n_quic:s2n_quic_core__buffer__reassembler__alloc" ]
	run --separate-stderr -1 recv-buffers -d 1
	[ "${stderr_lines[0]}" = 'recv-buffers: which program has the probes is not said' ]
}
