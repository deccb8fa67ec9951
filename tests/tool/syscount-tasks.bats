# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# By process and by thread, with more of them than there is room for; filters of a whole system.
load common
load syscount

# Keys that by_task has room for, next to the one for all others.
room() {
	echo $(($(sed -n 's/^#define TASKS[ \t]*//p' "$root/bpf/syscount.bpf.c") - 1))
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
	use_static_load ""
}

teardown() {
	end_background
	[ -z "$cgroup" ] || wait_until rmdir "$cgroup" 2>/dev/null
}

# Numbers of calls of a table by process or thread, on stdin, least first.
task_counts() {
	awk '$1 ~ /^[0-9]+$/ { print $NF }' | sort -n | uniq -c | awk '{ print $1 "x" $2 }' |
		tr '\n' ' '
}

# bats test_tags=vm
@test "-P: each process has its calls, under its name" {
	work='-g 100 -r 50 -e 30 -o 20 -t 3 -f 2 -F -x -p 5'
	syscount -q --strict -P -T 0 --syscall getppid,read,close,openat -o report -- \
		"$load" $work
	# Both images of the process open /dev/null.
	[ "$(task_counts <report)" = '4x600 1x602 ' ]
	[ "$(awk 'NR > 2 && NF { print $2 }' report | sort -u)" = syscall-load ]
	# The short-lived ones too; each begins in clone, without a call, and exits.
	syscount -q --strict -P -T 0 --syscall exit_group -o report -- "$load" $work
	[ "$(task_counts <report)" = '10x1 ' ]
}

# bats test_tags=vm
@test "--threads: each thread has its calls" {
	work='-g 100 -r 50 -e 30 -o 20 -t 3 -f 2 -F -x'
	syscount -q --strict --threads -T 0 --syscall getppid,read,close,openat -o report -- \
		"$load" $work
	# Of the process's own threads only the first one lives on after exec.
	[ "$(task_counts <report)" = '4x100 12x200 1x202 ' ]
	syscount -q --strict --threads -T 0 --syscall exit -o report -- "$load" $work
	[ "$(task_counts <report)" = '12x1 ' ]
}

@test "-P -L --json: process ids, names, times" {
	syscount -q -P -L --json --syscall getppid -o report -- "$load" -g 100 -f 1
	json_rows <report >rows
	[ "$(wc -l <rows)" -eq 2 ]
	[ "$(json_sum calls <rows)" -eq 200 ]
	[ "$(grep -c '"comm":"syscall-load"' rows)" -eq 2 ]
	command_pid=$(sed -n 's/.*"command_pid":\([0-9]*\).*/\1/p' report)
	grep -q "\"pid\":$command_pid[,}]" rows
	[ "$(json_sum total_ns <rows)" -gt 0 ]
}

@test "the name of a process is the one it has now: exec and prctl on another CPU" {
	need taskset
	[ "$(nproc)" -gt 1 ] || skip "there is only one CPU"
	cpus=($(taskset -pc $$ | sed 's/.*: //; s/[-,]/ /g'))
	for ((i = 0; i < 5; i++)); do
		syscount -q -P -T 0 -o report -- taskset -c "${cpus[-1]}" \
			sh -c 'taskset -pc "$0" $$ >/dev/null; exec "$1" 0' \
			"${cpus[0]}" "$(type -P sleep)"
		awk '$2 == "sleep" { found = 1 } $2 == "sh" { old = 1 }
		     END { exit !found || old }' report
	done
	syscount -q -P -T 0 --syscall getppid -o report -- "$workload/many-keys" -n 20
	[ "$(awk '$2 ~ /^key-/ { print $2 }' report | sort -u | wc -l)" -eq 20 ]
}

@test "a process has the name of its first thread" {
	# Its other thread says no word before it takes the place of the first one.
	syscount -q -P -T 0 -o report -- "$workload/syscall-odd" -x /bin/true
	[ "$(awk 'NR > 2 && NF { print $2 }' report)" = true ]
}

@test "10,000 processes: a row for each, nothing is lost" {
	[ "$(room)" -ge 10000 ]
	for mode in -P "--threads -L"; do
		syscount -q --strict $mode -T 0 --syscall getppid -o report -- \
			"$workload/many-keys" -n 10000
		lacks '\(other\)' report
		[ "$(awk 'NR > 2 && NF { n += $3; rows++ } END { print n, rows }' report)" = \
			'10000 10000' ]
	done
}

@test "more processes than there is room for: the others are counted together" {
	processes=$(($(room) + 500))
	syscount -q --strict -P -T 0 --syscall getppid -o report -- \
		"$workload/many-keys" -n "$processes"
	[ "$(awk 'NR > 2 && NF { n += $NF } END { print n }' report)" -eq "$processes" ]
	[ "$(grep -c '(other)' report)" -eq 1 ]
	[ "$(awk '/\(other\)/ { print $NF }' report)" -eq 500 ]
	syscount -q --strict --threads --json -L -i 200ms --syscall getppid -o report -- \
		"$workload/many-keys" -n "$processes"
	[ "$(json_rows <report | json_sum calls)" -eq "$processes" ]
	[ "$(json_rows <report | grep '"(other)"' | json_sum calls)" -eq 500 ]
}

@test "--comm is the name of a process: its threads count under whatever name" {
	for comm in named-main named-worker; do
		start_syscount -L --syscall getppid --comm "$comm"
		"$workload/named-thread" 200
		stop_syscount
		mv report "report-$comm"
	done
	grep -qE '^getppid +200 ' report-named-main
	[ -z "$(report_calls <report-named-worker)" ]
}

@test "kernel threads make no system calls" {
	run "$root/syscount" -q -d 200ms -L -P -T 0
	[ "$status" -eq 0 ]
	[[ "$output" == *COMM* ]]
	[[ "$output" != *kthreadd* ]]
}

# bats test_tags=vm
@test "64-bit and 32-bit callers of a call share its histogram" {
	need_m32=$workload/syscall-load-32
	[ -x "$need_m32" ] || skip "no 32-bit programs can be built"
	"$root/syscount" -q -f json -o report --hist --syscall getppid -- \
		sh -c '"$1/syscall-load" -g 20; "$1/syscall-load-32" -g 7' sh "$workload" >/dev/null
	grep '"type":"hist"' report | grep -o '"count":[0-9]*' | awk -F: '
		NR == 1 { total = $2 }
		NR > 1 { sum += $2 }
		END { exit !(total == 28 && sum == 28) }' # sh makes one too
}

@test "a known process in the whole system: --comm" {
	cp "$load" ws-load
	for mode in "" -L --summary; do
		start_syscount -T 0 $mode --comm ws-load
		./ws-load -g 100 -r 50 -e 30 -o 20 -t 3 -f 2 -F -x >truth
		stop_syscount
		counts_match truth report
	done
	start_syscount --comm ws-loa
	./ws-load -g 100 >/dev/null
	stop_syscount
	[ -z "$(report_calls <report)" ]
}

@test "a known process in the whole system: --cgroup" {
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -n "$mount" ] || skip "no cgroup2 hierarchy is mounted"
	cgroup=$mount/wirescope-test-$$
	mkdir "$cgroup" 2>/dev/null || { cgroup=; skip "no cgroup can be made in '$mount'"; }
	for mode in "" --summary; do
		start_syscount -T 0 $mode --cgroup "$cgroup"
		sh -c 'echo $$ >"$0"/cgroup.procs; exec "$@"' "$cgroup" \
			"$load" -g 100 -r 50 -o 20 -t 3 -f 2 -F >truth
		"$load" -g 1000 >/dev/null
		stop_syscount
		counts_match truth report
	done
	# A path below the mount is enough.
	start_syscount -T 0 --cgroup "${cgroup##*/}"
	stop_syscount
	[ -z "$(report_calls <report)" ]
}

@test "the whole system is counted, but for the tool itself" {
	start_syscount -P -T 0 -i 20ms
	"$load" -g 12345 >/dev/null
	wait_until has_row syscall-load
	stop_syscount
	[ "$(awk '$2 == "syscall-load" { n += $3 } END { print n }' report)" -gt 12345 ]
	lacks "^$tool " report
}

has_row() {
	grep -q "^[0-9]* *$1 " report
}
