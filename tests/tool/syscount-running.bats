# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Calls that run when a report is made, and reports that must add up.
load common
load syscount

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
	use_static_load ""
}

teardown() {
	end_background
}

# A process that sleeps in epoll_pwait all the time; $1 may be -m32.
start_sleeper() {
	use_static_load "$1"
	background "$load" -S 1000 >sleeper
	sleeper=$!
	wait_until in_syscall "$sleeper" epoll_pwait "$1"
}

has_reports() {
	[ "$(grep -c '^SYSCALL' report)" -ge "$1" ]
}

# bats test_tags=vm
@test "a call that began before the start is counted, and its age from the start on charged" {
	start_sleeper ""
	start_syscount --json -L -p "$sleeper"
	sleep 0.3
	stop_syscount
	json_rows <report >rows
	[ "$(wc -l <rows)" -eq 1 ]
	[ "$(json_sum calls epoll_pwait <rows)" -eq 1 ]
	[ "$(json_sum errors epoll_pwait <rows)" -eq 0 ]
	# It slept all of the run, whose length the report states, and we slept within it.
	time=$(json_sum total_ns epoll_pwait <rows)
	[ "$time" -ge 300000000 ]
	[ "$time" -eq "$(sed -n 's/.*"type":"end","elapsed_ns":\([0-9]*\).*/\1/p' report)" ]
	[ "$time" -eq "$(json_sum max_ns epoll_pwait <rows)" ]
}

@test "a call that began after the start and still runs is counted, its age charged" {
	start_behind_gate "$load" -S 1000
	start_syscount --json --summary --syscall epoll_pwait -p "$gated"
	open_gate
	wait_until in_syscall "$gated" epoll_pwait
	sleep 0.3
	stop_syscount
	json_rows <report >rows
	[ "$(json_sum calls <rows)" -eq 1 ]
	time=$(json_sum total_ns <rows)
	[ "$time" -ge 300000000 ]
	[ "$time" -lt "$(sed -n 's/.*"type":"end","elapsed_ns":\([0-9]*\).*/\1/p' report)" ]
}

# bats test_tags=vm,slow
@test "every layout shows a sleeping server" {
	start_sleeper ""
	for mode in "" -L --summary "-L --hist"; do
		start_syscount $mode -p "$sleeper"
		stop_syscount
		[ "$(report_calls <report)" = 'calls epoll_pwait 1' ]
	done
	for mode in -P --threads "-P -L"; do
		start_syscount $mode -p "$sleeper"
		stop_syscount
		[ "$(awk 'NR == 3 { print $1, $2, $3 }' report)" = "$sleeper syscall-load 1" ]
	done
	# It has not failed.
	start_syscount -x --summary -p "$sleeper"
	stop_syscount
	[ ! -s report ]
	start_syscount --syscall '!epoll_pwait' -L -p "$sleeper"
	stop_syscount
	[ -z "$(report_calls <report)" ]
}

# bats test_tags=vm
@test "a sleeping 32-bit program is shown under the right name" {
	use_static_load -m32
	"$load" >/dev/null || skip "32-bit programs do not run here"
	start_sleeper -m32
	for mode in "" -L; do
		start_syscount $mode -p "$sleeper"
		stop_syscount
		[ "$(report_calls <report)" = 'calls epoll_pwait 1' ]
	done
}

@test "a call that ends after the start is counted once" {
	start_sleeper ""
	for mode in "" -L; do
		[ -d "/proc/$sleeper" ] || start_sleeper ""
		start_syscount -T 0 --errnos $mode -i 20ms -p "$sleeper"
		kill -TERM "$sleeper"
		wait "$tool"
		[ "$(grep -v ^@ report | report_calls)" = 'calls epoll_pwait 1' ]
		grep -qx '@errors\[epoll_pwait, EINTR\]: 1' report
	done
}

@test "interval reports add up to the truth: counts and errors" {
	work='-g 300000 -r 100000 -e 50000 -o 10000 -t 4 -f 1 -x'
	for mode in "" -L --summary --hist; do
		syscount -q --strict -T 0 -i 5ms $mode -o report -- "$load" $work >truth
		[ "$(grep -c '^\[..:..:..\]$' report)" -gt 3 ]
		counts_match truth report
	done
	syscount -q --strict -i 5ms --summary --errnos -o report -- "$load" $work >truth
	awk '$1 == "errors" { print $1, $2, $4 }' truth | sort >want
	grep -v ^@ report | report_calls | of_names_in want | diff want -
	awk -F '[][, :]+' '/^@errors\[(close, EBADF|openat, ENOENT)/ {
		n[$2] += $4 } END { for (name in n) print "errors", name, n[name] }' report |
		sort | diff want -
}

# bats test_tags=vm,slow
@test "interval reports add up by process and by thread" {
	work='-g 50000 -r 20000 -t 3 -f 2'
	for mode in -P --threads "-P -L"; do
		syscount -q --strict -i 5ms -T 0 $mode --syscall getppid,read -o report -- \
			"$load" $work
		[ "$(grep -c '^\[' report)" -gt 3 ]
		[ "$(awk '$1 + 0 && $2 == "syscall-load" { n += $3 } END { print n }' report)" \
			-eq $((70000 * 3 * 3)) ]
	done
}

@test "a call that spans intervals: one call, and its times add up to all of it" {
	syscount -q --json -L -i 100ms -o report -- "$load" -g 10 -S 1
	json_rows <report | grep '"epoll_pwait"' >rows
	[ "$(wc -l <rows)" -gt 3 ]
	[ "$(json_sum calls <rows)" -eq 1 ]
	total=$(json_sum total_ns <rows)
	[ "$total" -ge 1000000000 ]
	# The last report knows the whole call.
	[ "$total" -eq "$(sed -n 's/.*"max_ns":\([0-9]*\).*/\1/p' rows | sort -n | tail -n 1)" ]
}

@test "text of intervals in which no call began" {
	for mode in -L --summary; do
		syscount -q $mode -T 0 -i 100ms -o report -- "$load" -g 10 -S 1
		[ "$(report_calls <report | grep epoll_pwait)" = 'calls epoll_pwait 1' ]
		[ "$(grep -c 'epoll_pwait' report)" -gt 3 ]
		lacks 'inf|nan' report
	done
}

# bats test_tags=vm
@test "SIGUSR1 reports now, and all reports add up" {
	start_behind_gate "$load" -g 200 -S 1000
	start_syscount -T 0 --syscall getppid,epoll_pwait -p "$gated"
	open_gate
	wait_until in_syscall "$gated" epoll_pwait
	for reports in 1 2 3; do
		kill -USR1 "$tool"
		wait_until has_reports "$reports"
	done
	stop_syscount
	[ "$(report_calls <report)" = $'calls epoll_pwait 1\ncalls getppid 200' ]
}

@test "processes that leave the filter within a call leave no call behind" {
	cp "$(type -P sh)" ws-filter-sh
	start_syscount --json -L --comm ws-filter-sh
	background ./ws-filter-sh -c 'exec "$0" 1000' "$(type -P sleep)"
	other=$!
	wait_until is_comm "$other" sleep
	wait_until in_syscall "$other" clock_nanosleep
	stop_syscount
	# Its own exec ended under that name, though it began under another.
	[ "$(json_rows <report | json_sum calls execve)" -eq 1 ]
	[ "$(json_rows <report | json_sum total_ns execve)" -eq 0 ]
	[ "$(json_rows <report | json_sum calls clock_nanosleep)" -eq 0 ]
}
