# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Exact counts of commands whose truth is known.
load common
load syscount

everything='-g 100 -r 50 -e 30 -o 20 -t 3 -f 2 -F -x -p 5'

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
	use_static_load ""
}

teardown() {
	end_background
}

# exact OPTIONS -- COMMAND...: runs it under syscount and compares all that is known.
exact() {
	syscount -q --strict -T 0 -o report "$@" >truth
	counts_match truth report
}

# Calls that make a thread or a process, of any name.
births() {
	report_calls | awk '
		$1 == "calls" && $2 ~ /^(clone|clone3|fork|vfork)$/ { n += $3 }
		END { print n + 0 }'
}

# bats test_tags=vm
@test "threads, forks, a child of a child, exec: counts are exact in every mode" {
	for mode in "" -L --summary --hist; do
		echo "mode: $mode"
		exact $mode -- "$load" $everything
		[ "$(births <report)" -eq "$(awk '
			$1 == "forks" || $1 == "threads" { n += $2 }
			END { print n }' truth)" ]
	done
}

@test "the histograms of a mixed report have the same counts as its table" {
	syscount -q --strict --hist --summary -o report -- "$load" $everything
	sed '/^@latencies/,$d' report | report_calls | grep ^calls >of_table
	sed '1,/^@latencies/{/^@latencies/!d}' report | report_calls >of_hist
	[ -s of_table ]
	diff of_table of_hist
}

# bats test_tags=vm
@test "errors are counted by --summary, by --errnos and in JSON" {
	exact --summary --errnos -- "$load" $everything
	awk '$1 == "errors" { print $1, $2, $4 }' truth | sort >want
	[ "$(wc -l <want)" -eq 2 ]
	report_calls <report | of_names_in want | diff want -
	awk '$1 == "errors" { printf "@errors[%s, %s]: %d\n", $2, $3, $4 }' truth | sort >want
	grep -E '^@errors\[(close|openat), ' report | sort | diff want -
	syscount -q --json -o json -- "$load" $everything
	[ "$(json_rows <json | json_sum errors close)" -eq 450 ]
	[ "$(json_rows <json | json_sum calls close)" -eq 450 ]
	[ "$(json_rows <json | json_sum errors getppid)" -eq 0 ]
}

@test "-x counts failed calls only, -e those of one error" {
	syscount -q -x -T 0 -o report -- "$load" $everything
	printf 'calls close 450\ncalls openat 300\n' >want
	report_calls <report | of_names_in want | diff want -
	lacks '^(getppid|read|exit_group|wait4) ' report
	syscount -q -L -e ENOENT -T 0 -o report -- "$load" $everything
	[ "$(report_calls <report)" = 'calls openat 300' ]
	syscount -q --summary -e 9 --errnos -T 0 -o report -- "$load" $everything
	[ "$(grep -v ^@ report | report_calls)" = $'calls close 450\nerrors close 450' ]
	[ "$(grep ^@ report)" = '@errors[close, EBADF]: 450' ]
}

@test "1,000 short-lived processes" {
	for mode in "" -L; do
		exact $mode -- "$load" -g 10 -p 1000
		[ "$(births <report)" -eq 1000 ]
	done
}

# bats test_tags=vm,slow
@test "a 32-bit program is counted under the right names" {
	use_static_load -m32
	"$load" >/dev/null || skip "32-bit programs do not run here"
	for mode in "" -L --summary --hist; do
		exact $mode -- "$load" $everything
	done
}

# bats test_tags=vm,slow
@test "calls without a begin, and those that end in another life" {
	for odd in syscall-odd syscall-odd-32; do
		[ -x "$workload/$odd" ] || continue
		for mode in "" -L --summary; do
			exact $mode -- "$workload/$odd" -d 7 -s 3 -x /bin/true
		done
		grep -qE ' 7 +7 getppid$' report
	done
}

@test "an exec in a thread has its time" {
	syscount -q --json -L --syscall execve -o json -- "$workload/syscall-odd" -x /bin/true
	[ "$(json_rows <json | json_sum calls execve)" -eq 2 ]
	# Each of two calls takes some time: the sum is more than the longest.
	[ "$(json_rows <json | json_sum total_ns)" -gt "$(json_rows <json | json_sum max_ns)" ]
}

@test "a command that is killed by a signal: its calls and its status" {
	for signal in 9 11 15; do
		for mode in "" --summary; do
			status=0
			syscount -q -T 0 $mode -o report -- "$load" -g 20 -t 2 -k "$signal" \
				>truth || status=$?
			[ "$status" -eq $((128 + signal)) ]
			counts_match truth report
		done
	done
	run -7 syscount -q -- sh -c 'exit 7'
}

# bats test_tags=vm
@test "a process that exits while it is watched by -p: itself only" {
	start_behind_gate "$load" -g 100 -f 2 -F
	start_syscount -T 0 -p "$gated"
	open_gate
	wait "$tool"
	printf 'calls %s\n' 'getppid 100' 'wait4 2' 'exit_group 1' >want
	counts_match want report
	lacks 'lost' log
}

# bats test_tags=vm,slow
@test "a process that exits while it is watched by -p --follow: its descendants too" {
	start_behind_gate "$load" -g 100 -e 30 -f 2 -F
	start_syscount --summary --errnos -p "$gated" --follow
	open_gate
	wait "$tool"
	grep -qx '@errors\[close, EBADF\]: 150' report
	# The shell closes the gate.
	sed -i '/calls close/d' truth
	counts_match truth report
}

@test "--syscall: names, classes, all but" {
	syscount -q -T 0 --syscall getppid,openat -o report -- "$load" $everything
	[ "$(report_calls <report)" = $'calls getppid 1500\ncalls openat 302' ]
	syscount -q -T 0 --summary --syscall '!getppid,read' -o report -- "$load" $everything
	lacks ' (getppid|read)$' report
	report_calls <report | grep -qx 'calls openat 302'
	report_calls <report | grep -qx 'calls exit 12'
	syscount -q -T 0 -L --syscall %file -o report -- "$load" $everything
	report_calls <report | grep -qx 'calls openat 302'
	lacks '^(getppid|read|close|exit|clone) ' report
}

@test "--syscall %net counts the calls on sockets only" {
	syscount -q -T 0 --syscall %net -o report -- "$workload/udp-load" -n 50 -M -N >truth
	awk '($1 == "calls" || $1 == "other") && $2 ~ /^(send|recv)/ { n[$2] += $3 }
	     END { for (name in n) print "calls", name, n[name] }' truth | sort >want
	[ -s want ]
	report_calls <report | of_names_in want | diff want -
	lacks '^(read|write|mmap|openat|execve|close) ' report
}

@test "-T N is the N most frequent, -T 0 all; 10 is the default" {
	syscount -q -T 0 -o all -- "$load" $everything
	[ "$(report_calls <all | wc -l)" -gt 12 ]
	syscount -q -T 3 -o report -- "$load" $everything
	[ "$(report_calls <report | wc -l)" -eq 3 ]
	[ "$(sed -n 3,5p report | awk '{ print $1, $2 }')" = \
		$'getppid 1500\nread 750\nclose 450' ]
	syscount -q -o report -- "$load" $everything
	[ "$(report_calls <report | wc -l)" -eq 10 ]
	awk 'NF == 2 && $2 + 0 { print $2 }' all >counts
	sort -rn counts | diff - counts
}

@test "-l lists every system call that this machine's headers name" {
	run -0 syscount -l
	tr -s ' ' '\n' <<<"$output" | sort -u >listed
	echo '#include <sys/syscall.h>' | "${CC:-cc}" -E -dM -x c - |
		sed -n 's/^#define __NR_\([a-z_0-9]*\) .*/\1/p' |
		grep -vx 'syscalls\|arch_specific_syscall' | sort -u >named
	[ "$(wc -l <named)" -gt 250 ]
	[ -z "$(comm -13 listed named)" ]
}
