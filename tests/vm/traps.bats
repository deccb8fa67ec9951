# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Where kernels differ in a way that once made a tracer wrong. In guests and on any machine.
# bats file_tags=vm
load ../tool/common
load ../tool/syscount
load ../tool/udp

has_cookies() {
	grep -q bpf_get_attach_cookie /proc/kallsyms
}

# A tracepoint of such a call has no arguments: reading 8 bytes of its number is refused.
@test "a system call without arguments is counted, alone and with times" {
	use_static_load ""
	for mode in "" -L --hist; do
		syscount -q --strict $mode --syscall getppid -o report -- "$load" -g 25 -t 2
		[ "$(report_calls <report)" = 'calls getppid 50' ]
	done
}

# PREEMPT_RT kernels of 6.1 have a longer head of each event: the third argument was read as 0.
@test "the third argument of sendmmsg is its number of messages, by each backend" {
	for backend in fentry event raw; do
		rm -f report
		udp-syscall --backend "$backend" -o report -- "$workload/udp-load" -n 20 \
			>truth 2>stderr || grep -q 'does not work here' stderr
		[ -s report ] || continue
		grep '^hist tx_arg_counts' truth >want
		[ -s want ]
		truth_of_report <report | grep '^hist tx_arg_counts' >seen
		same_lines want seen
	done
}

@test "probes of all processes of a binary work, or say which kernel has them" {
	[ -x "$workload/usdt-app" ] || skip 'no <sys/sdt.h>'
	if has_cookies; then
		udp-syscall -o report --usdt "$workload/usdt-app" -- "$workload/usdt-app" -f \
			>truth 2>stderr
		is_exact
	else
		run -125 --separate-stderr udp-syscall --usdt "$workload/usdt-app" -- touch ran
		[[ "$stderr" == *5.15* ]]
		[[ "$stderr" == *"try: -p"* ]]
		[ ! -e ran ]
	fi
}

@test "probes of a process that runs already work on every kernel" {
	[ -x "$workload/usdt-app" ] || skip 'no <sys/sdt.h>'
	start_held truth "$workload/usdt-app" -n 50 -w
	start_tool --usdt "$workload/usdt-app" -p "$pid"
	go_on
	wait_tool 0
	is_exact
}
