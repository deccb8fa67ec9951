#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# tests/run on small suites made for one case each.

setup()
{
	runner="$BATS_TEST_DIRNAME/../run"
	cd "$BATS_TEST_TMPDIR"
}

# A script that prints standard input and exits with the status given.
prints()
{
	{ echo "cat <<'END'"; cat; echo END; echo "exit ${2:-0}"; } >"$1"
}

# Without what this bats tells its children, and its inner programs first in PATH: another bats
# in there would take itself for a part of this one.
suite()
{
	run env -i PATH="${PATH//"$BATS_LIBEXEC:"/}" HOME="$HOME" ${extra:-} bash "$runner" "$@"
	echo "$output"
	summary=${lines[-1]}
}

@test "passes, skips and their reasons are counted; the last line is the sum" {
	prints a.sh <<<$'1..3\nok 1 - one\nok 2 two # SKIP no such kernel\nok 3 three'
	prints b.sh <<<$'ok 1 - four\nok 2 # skip\n1..2'
	suite a.sh b.sh
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'a.sh: ok 2, skipped 1' ]
	[ "${lines[1]}" = 'b.sh: ok 1, skipped 1' ]
	[ "${lines[2]}" = 'skipped: a.sh: two: no such kernel' ]
	[[ "${lines[3]}" == 'skipped: b.sh: '*'no reason given' ]]
	[ "$summary" = '3 passed, 0 failed, 2 skipped' ]
	[ "${#lines[@]}" -eq 5 ]
}

@test "a failing test fails the run, which shows all that its file printed" {
	prints a.sh <<<$'1..2\nok 1 one\nnot ok 2 two\n# expected 900, got 899'
	prints b.sh <<<$'1..1\nok 1 - a quiet one'
	suite a.sh b.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 1, failed 1' ]
	grep -qx 'not ok 2 two' <<<"$output"
	grep -qx '# expected 900, got 899' <<<"$output"
	[[ "$output" != *quiet* ]]
	[ "$summary" = '2 passed, 1 failed, 0 skipped' ]
}

@test "a plan that does not fit the tests that reported fails" {
	prints a.sh <<<$'1..3\nok 1 one\nok 2 two'
	suite a.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 2, failed 1 (the plan is 1..3 but 2 tests reported)' ]
	prints a.sh <<<$'1..1\nok 1 one\nok 2 two'
	suite a.sh
	[ "$summary" = '2 passed, 1 failed, 0 skipped' ]
}

@test "a file without TAP, or without a plan, fails" {
	prints a.sh <<<'hello'
	suite a.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 0, failed 1 (it printed no TAP plan)' ]
	prints a.sh <<<'ok 1 one'
	suite a.sh
	[ "$status" -eq 1 ]
	[ "$summary" = '1 passed, 1 failed, 0 skipped' ]
}

@test "an exit status that no failed test explains fails, and stderr is shown" {
	printf 'echo 1..1; echo ok 1; echo "leak of 8 bytes" >&2; exit 23\n' >a.sh
	suite a.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 1, failed 1 (exited with 23 although no test failed)' ]
	grep -qx 'leak of 8 bytes' <<<"$output"
}

@test "a crash fails, even if all tests had passed" {
	printf 'echo 1..1; echo ok 1; kill -SEGV $$\n' >a.sh
	suite a.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 1, failed 1 (was ended by signal 11)' ]
}

@test "a file over the time limit fails, and the next one still runs" {
	printf 'echo 1..2; echo ok 1; sleep 60; echo ok 2\n' >a.sh
	prints b.sh <<<$'1..1\nok 1'
	extra='TEST_TIMEOUT_S=1' suite a.sh b.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 1, failed 1 (did not end within 1 s)' ]
	[ "$summary" = '2 passed, 1 failed, 0 skipped' ]
}

@test "Bail out! fails" {
	prints a.sh <<<$'1..1\nok 1\nBail out! no more'
	suite a.sh
	[ "$status" -eq 1 ]
}

@test "nothing passed is a failure: no files, and only skips" {
	suite
	[ "$status" -eq 1 ]
	[ "$summary" = '0 passed, 0 failed, 0 skipped' ]
	prints a.sh <<<$'1..1\nok 1 # SKIP not root'
	suite a.sh
	[ "$status" -eq 1 ]
	[ "$summary" = '0 passed, 0 failed, 1 skipped' ]
}

@test "a log that another run took away fails" {
	printf 'echo 1..1; echo ok 1; rm .output/test-logs/*.tap\n' >a.sh
	suite a.sh
	[ "$status" -eq 1 ]
	grep -q '^a.sh: ok 0, failed 1 (its log is gone' <<<"$output"
	[ "$summary" = '0 passed, 1 failed, 0 skipped' ]
}

@test "a file that is not there fails" {
	suite nowhere.sh nothing
	[ "$status" -eq 1 ]
	[ "$summary" = '0 passed, 2 failed, 0 skipped' ]
}

@test "a whole file is skipped by exit status 77 or by the plan 1..0" {
	prints a.sh 77 <<<'no BTF on this kernel'
	printf 'echo "not root" >&2; exit 77\n' >b.sh
	prints c.sh <<<'1..0 # SKIP no bpftrace'
	prints d.sh <<<$'1..1\nok 1'
	suite a.sh b.sh c.sh d.sh
	[ "$status" -eq 0 ]
	grep -qx 'skipped: a.sh: all: no BTF on this kernel' <<<"$output"
	grep -qx 'skipped: b.sh: all: not root' <<<"$output"
	grep -qx 'skipped: c.sh: all: no bpftrace' <<<"$output"
	[ "$summary" = '1 passed, 0 failed, 3 skipped' ]
}

@test "an empty plan without a reason to skip fails" {
	prints a.sh <<<'1..0'
	prints b.sh <<<$'1..1\nok 1'
	suite a.sh b.sh
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.sh: ok 0, failed 1 (it has no tests)' ]
}

@test "bats files run, with their skips" {
	# With another mark, as this bats would take them for its own.
	sed "s/^%/@/" >a.bats <<'END'
%test "one" { true; }
%test "two" { skip "no iperf3"; }
%test "three" { false; }
END
	suite a.bats
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'a.bats: ok 1, failed 1, skipped 1' ]
	grep -qx 'skipped: a.bats: two: no iperf3' <<<"$output"
	[ "$summary" = '1 passed, 1 failed, 1 skipped' ]
}

@test "cmocka tests run, several groups add up, a skip has the reason printed before it" {
	cat >unit.c <<'END'
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void one(void **s)
{
	(void)s;
}

static void two(void **s)
{
	(void)s;
	print_message("no tracefs\n");
	skip();
}

static void three(void **s)
{
	(void)s;
	fail();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest good[] = {cmocka_unit_test(one), cmocka_unit_test(two)};
	const struct CMUnitTest bad[] = {cmocka_unit_test(three)};
	int failed = cmocka_run_group_tests(good, NULL, NULL);

	(void)argv;
	return failed + (argc > 1 ? 0 : cmocka_run_group_tests(bad, NULL, NULL));
}
END
	cc -o unit unit.c -lcmocka 2>/dev/null || skip 'no cmocka'
	suite unit
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'unit: ok 1, failed 1, skipped 1' ]
	grep -qx 'skipped: unit: two: no tracefs' <<<"$output"
	[ "$summary" = '1 passed, 1 failed, 1 skipped' ]
}

@test "a line of TAP is not cut by what stderr gets meanwhile" {
	printf 'printf "1..1\\nnot "; echo noise >&2; echo "ok 1 one"\n' >a.sh
	suite a.sh
	[ "$status" -eq 1 ]
	[ "$summary" = '0 passed, 1 failed, 0 skipped' ]
}

@test "the logs of files with equal names do not overwrite each other" {
	mkdir x y
	prints x/a.sh <<<$'1..1\nok 1 from x'
	prints y/a.sh <<<$'1..1\nok 1 from y'
	suite x/a.sh y/a.sh
	[ "$status" -eq 0 ]
	grep -q 'from x' .output/test-logs/x-a.sh.log
	grep -q 'from y' .output/test-logs/y-a.sh.log
}

@test "files given by absolute paths run" {
	printf '#!/bin/sh\necho 1..1\necho ok 1\n' >unit
	chmod 755 unit
	prints a.sh <<<$'1..1\nok 1'
	suite "$PWD/unit" "$PWD/a.sh"
	[ "$status" -eq 0 ]
	[ "$summary" = '2 passed, 0 failed, 0 skipped' ]
}

@test "what a test leaves running is ended with it" {
	printf 'sleep 60 & echo $! >left; echo 1..1; echo ok 1\n' >a.sh
	suite a.sh
	[ "$status" -eq 0 ]
	# The signal was sent; the process needs a moment to be gone.
	for ((i = 0; i < 100; i++)); do
		kill -0 "$(cat left)" 2>/dev/null || break
		sleep 0.05
	done
	! kill -0 "$(cat left)" 2>/dev/null
}

@test "a test can be interrupted: SIGINT is not ignored in it" {
	printf 'trap "echo ok 1" INT; echo 1..1; kill -INT $$\n' >a.sh
	suite a.sh
	[ "$status" -eq 0 ]
	[ "$summary" = '1 passed, 0 failed, 0 skipped' ]
}

@test "ending the run ends the test that is running" {
	printf 'echo $$ >pid; exec sleep 60\n' >a.sh
	env -i PATH="$PATH" bash "$runner" a.sh >/dev/null 2>&1 3>&- &
	local runner_pid=$!
	for ((i = 0; i < 100; i++)); do
		[ ! -s pid ] || break
		sleep 0.05
	done
	kill -TERM "$runner_pid"
	run wait "$runner_pid"
	for ((i = 0; i < 100; i++)); do
		kill -0 "$(cat pid)" 2>/dev/null || break
		sleep 0.05
	done
	! kill -0 "$(cat pid)" 2>/dev/null
}
