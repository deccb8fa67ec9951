# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# udp-syscall --usdt: s2n-quic's probes, fired by a program that states how often.
load common
load udp

app=$workload/usdt-app

setup_file() {
	[ -x "$BATS_TEST_DIRNAME/../../.output/workload/usdt-app" ] || skip 'no <sys/sdt.h>'
}

# Trace by the probes of a binary: like trace, which asks for bytes, which probes do not have.
trace_usdt() {
	udp-syscall -o report --usdt "$@" >truth 2>stderr </dev/null
}

# Another program with the same probes under another provider.
build_other() {
	need cc
	cc -O2 -D_GNU_SOURCE=1 -DPROVIDER=other -o other-app "$root/tests/workload/usdt-app.c" \
		-pthread
}

# Options that name the probe of each of eight calls under another provider, but for mine.
renamed() {
	local kind when dir
	for kind in mmsg msg; do
		for when in start finish; do
			for dir in send recv; do
				echo --probe "$kind-$when-$dir=other:s2n_quic_platform__syscall__${kind}__${when}_$dir"
			done
		done
	done
}

@test "each probe counts once, at all its sites, in every thread" {
	sites=$(readelf -n "$app" 2>/dev/null | grep -c 'Name: .*mmsg__start_send$') || skip 'no readelf'
	[ "$sites" -eq 2 ]
	trace_usdt "$app" -- "$app" -n 2000 -t 4
	is_exact
	# The threads' calls are told apart although all name one socket.
	trace_usdt "$app" --by thread -- "$app" -t 3 -d 10 -n 100
	is_exact
	[ "$(sed -nE 's/^@tx_arg_counts\[(.*)\]:$/\1/p' report | sort -u | wc -l)" -eq 3 ]
}

@test "a child of the command is followed, but not with --follow=no" {
	trace_usdt "$app" --follow -- "$app" -f
	is_exact
	trace_usdt "$app" -- sh -c "$app -n 300; $app -n 200 -s 7"
	is_exact
	trace_usdt "$app" --follow=no -- "$app" -f
	[ -z "$(seen <report)" ]
	grep -q '^note: no call .* was seen; try without --usdt' stderr
	trace_usdt "$app" --follow=no -- "$app" -n 100
	is_exact
}

# Two processes of the binary wait until let_two_go: their PIDs are first and second, as are the
# files with their truths.
hold_two() {
	start_held first "$app" -w -n 500
	first=$pid first_release=$release
	start_held second "$app" -w -n 500 -s 7
	second=$pid second_release=$release
}

# The second one to be started goes first, so that the tool outlives it.
let_two_go() {
	for release in "$second_release" "$first_release"; do
		go_on
	done
	wait "$second" "$first"
}

# bats test_tags=vm
@test "-p: the process is counted exactly, and no other one of the same binary" {
	hold_two
	start_tool --usdt "$app" -p "$first"
	"$app" -n 100 >/dev/null
	let_two_go
	wait_tool 0
	cp first truth
	is_exact
}

# bats test_tags=vm
@test "several -p: both are counted exactly" {
	grep -q bpf_get_attach_cookie /proc/kallsyms ||
		skip 'probes of several processes need Linux 5.15 (BPF cookies)'
	hold_two
	start_tool --usdt "$app" -p "$first,$second"
	"$app" -n 100 >/dev/null
	let_two_go
	wait_tool 0
	cat first second >truth
	is_exact
}

@test "-p --follow: later children are counted exactly" {
	start_held held "$app" -w -f -n 500
	start_tool --usdt "$app" --follow -p "$pid"
	go_on
	wait_tool 0
	cp held truth
	is_exact
}

@test "--ret-errors-as-zero gives the script's rows" {
	trace_usdt "$app" --ret-errors-as-zero -- "$app"
	{
		cat truth
		sed -nE 's/^error (..) [A-Z]+ /hist \1_ret_counts [0] /p' truth
	} | expected >expected
	seen <report >seen
	same_lines expected seen
}

@test "--probe takes other names; those that are not there are left out, and -v says so" {
	build_other
	trace_usdt ./other-app $(renamed) -- ./other-app -n 500
	is_exact
	trace_usdt ./other-app -v $(renamed | grep -e '-recv=') -- ./other-app -n 500
	grep -E '^(hist|error) rx' truth | add_up >expected
	seen <report >seen
	same_lines expected seen
	[ "$(grep -c "'./other-app' has no probe s2n_quic:s2n_quic_platform__syscall__m*sg__.*_send$" \
		stderr)" -eq 4 ]
}

@test "a binary without the probes: what it has is said, and the status is not 0" {
	build_other
	run -1 udp-syscall --usdt ./other-app
	[ "${lines[0]}" = "udp-syscall: './other-app' has none of the probes, such as \
s2n_quic:s2n_quic_platform__syscall__mmsg__start_send" ]
	[[ "${lines[1]}" == 'why: it has 9 probes (.note.stapsdt): '* ]]
	[[ "${lines[1]} " == *' other:s2n_quic_platform__syscall__msg__start_recv '* ]]
	[[ "${lines[2]}" == 'try: --probe '* ]]
	run -125 udp-syscall --usdt /bin/true -- true
	[ "${lines[1]}" = 'why: it has 0 probes (.note.stapsdt)' ]
	echo text >text
	run -1 udp-syscall --usdt ./text
	[[ "${lines[0]}" == *"'./text' has no probes: it is not an ELF file" ]]
	# To open one may do something: no word about what would be read from it.
	mknod device c 1 3
	mkfifo fifo
	for name in ./device ./fifo .; do
		run -1 udp-syscall --usdt "$name"
		[ "$output" = "udp-syscall: '$name' has no probes: it is not a file" ]
	done
	run -1 udp-syscall --usdt ./nowhere
	[[ "$output" == *"failed to open './nowhere': No such file or directory"* ]]
}

@test "a file that is replaced while the tool attaches: the probes are those of the first" {
	need strace
	cp "$app" replaced
	start_held truth ./replaced -w -n 500
	start strace -qq -o calls -e trace=perf_event_open \
		-e inject=perf_event_open:delay_enter=1000000:when=1+ \
		"$root/udp-syscall" -v -o report --usdt ./replaced -p "$pid" 2>stderr
	wait_until grep -qs perf_event_open calls
	cp /bin/true other && mv other replaced
	wait_until grep -q 'udp-syscall: attached' stderr
	go_on
	wait "$pid"
	is_exact
}

# Both of these made libbpf 1.1 read where nothing is.
@test "a hostile binary is read with care" {
	local corpus=$root/tests/fuzz/corpus/elf probe=mmsg-start-send=p:n

	run -1 udp-syscall --usdt "$corpus/no-parenthesis" --probe $probe
	[[ "${lines[0]}" == *": the arguments of the probe p:n of '"*"' cannot be read" ]]
	run -1 udp-syscall --usdt "$corpus/no-end" --probe $probe
	[ "${lines[1]}" = 'why: it has 0 probes (.note.stapsdt)' ]
}

@test "options that do not fit are refused" {
	for options in --bytes '--by socket'; do
		run -2 udp-syscall --usdt "$app" $options -- true
		[ "${lines[0]}" = 'udp-syscall: --usdt knows neither sockets nor bytes' ]
	done
	for probe in mmsg-start-send other:name nothing=a:b mmsg-start-send=:b mmsg-start-send=a:; do
		run -2 udp-syscall --usdt "$app" --probe "$probe" -- true
		[ "${lines[0]}" = "udp-syscall: '$probe' does not name a probe" ]
	done
}
