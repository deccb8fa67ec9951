# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The ways in which programs are attached, and BTF from a file: chosen by themselves, told, and
# all of them exact.
# bats file_tags=vm
load common
load syscount
load udp

# BTF of this kernel as small as it can be: without what tp_btf programs would need.
make_small_btf() {
	local bpftool
	bpftool=$("$root/tools/deps" find bpftool)
	[ -n "$bpftool" ] || skip "bpftool is not installed"
	"$bpftool" gen min_core_btf /sys/kernel/btf/vmlinux small.btf \
		"$root"/.output/{syscount,udp-syscall,read-sizes}.bpf.o
}

@test "the backend is told, and why the better ones were not taken" {
	trace -v --rw -- "$workload/udp-load" -n 5
	grep -q '^udp-syscall: not by fentry: --rw' stderr
	grep -qx 'udp-syscall: backend: event' stderr || lacks_backend event
	trace -v --compat -- "$workload/udp-load" -n 5
	grep -q '^udp-syscall: not by fentry: --compat' stderr
	grep -q '^udp-syscall: not by event: --compat' stderr
	grep -qx 'udp-syscall: backend: raw' stderr
}

# bats test_tags=slow
@test "syscount: tp_btf and classic tracepoints count the same" {
	use_static_load ""
	local backend mode
	for backend in raw event; do
		[ "$backend" != raw ] || ! lacks_backend raw || continue
		for mode in '' --hist '--summary --follow'; do
			syscount -q --strict -T 0 --backend "$backend" $mode -o report -- \
				"$load" -g 300 -r 50 -e 20 -t 2 -f 1 -x >truth
			counts_match truth report
		done
	done
	run -2 --separate-stderr syscount --backend fentry
	[ "${stderr_lines[0]}" = "syscount: 'fentry' is not a value for --backend" ]
}

@test "a backend that this kernel lacks is refused, not replaced" {
	udp-syscall --doctor | grep -q '^FAIL  fentry programs on' || skip "this kernel has all backends"
	run -125 --separate-stderr udp-syscall --backend fentry -c true
	[ "${stderr_lines[0]}" = "udp-syscall: --backend=fentry does not work here" ]
	[[ "${stderr_lines[1]}" == "why: this kernel has no fentry programs"* ]]
	[ "${stderr_lines[2]}" = "try: the same without --backend" ]
}

@test "wrong use of --backend" {
	run -2 --separate-stderr udp-syscall --backend kprobe
	[ "${stderr_lines[0]}" = "udp-syscall: 'kprobe' is not a value for --backend" ]
	[ "${stderr_lines[1]}" = "try: --backend fentry, event or raw" ]
	run -2 --separate-stderr udp-syscall --backend raw --usdt /bin/true
	[ "${stderr_lines[0]}" = "udp-syscall: --usdt and --backend exclude each other" ]
}

@test "a 32-bit child is reported as lost by backends that cannot see it" {
	[ -x "$workload/udp-load-32" ] || skip "no 32-bit program can be built here"
	local backend
	for backend in fentry event; do
		! lacks_backend "$backend" || continue
		udp-syscall --backend "$backend" -c "sh -c '$workload/udp-load-32; true'" \
			2>stderr >report
		grep -q '^note: lost 1 ' stderr
	done
}

# bats test_tags=slow
@test "udp-syscall with a BTF that only has what it reads: raw tracepoints, exact" {
	make_small_btf
	trace --btf small.btf -v -- "$workload/udp-load" -t 2
	grep -qx 'udp-syscall: backend: raw' stderr
	is_exact
	trace --btf small.btf --by socket -- "$workload/udp-load"
	is_exact
	grep -q '^@tx_arg_counts\[127.0.0.1:' report
	[ ! -x "$workload/udp-load-32" ] || trace --btf small.btf -- "$workload/udp-load-32"
	is_exact
}

@test "syscount with such a BTF: counts, times, processes, an exec, threads, a comm" {
	make_small_btf
	load=$workload/syscall-load
	syscount --btf small.btf -c "$load -g 300 -e 20 -t 3 -f 2 -x" >report 2>stderr -o out
	grep -q '^calls getppid 2[0-9]*' report
	truth=$(sed -n 's/^calls getppid //p' report)
	[ "$(awk '$1 == "getppid" { print $2 }' out)" = "$truth" ]
	syscount --btf small.btf --summary -c "$load -g 100 -p 3" >report -o out
	[ "$(awk '$NF == "getppid" { print $4 }' out)" = 100 ]
	grep -q ' exit_group$' out
	syscount --btf small.btf -P -c "$load -g 100" >report -o out
	grep -q ' syscall-load  *[0-9]*$' out
	cp "$load" named-load
	start syscount --btf small.btf -v --comm named-load --syscall getppid -o out 2>stderr
	wait_until grep -q attached stderr
	./named-load -g 77 >/dev/null
	kill -INT "$pid"
	wait "$pid"
	[ "$(awk '$1 == "getppid" { print $2 }' out)" = 77 ]
}

@test "an example tool with such a BTF" {
	make_small_btf
	[ -x "$root/.output/read-sizes" ] || skip "the examples are not built"
	"$root/.output/read-sizes" --btf small.btf -c "$workload/syscall-load -r 40" >report
	[ "$(awk '/^\[0\]/ { print $2 }' report)" -ge 40 ]
}

@test "BTF of another kernel is refused before anything is counted" {
	# Our objects know the fields by name, and have them elsewhere.
	local object=$root/.output/syscount.bpf.o
	run -125 --separate-stderr syscount --btf "$object" -c true
	[ "${stderr_lines[0]}" = "syscount: '$object' is not the BTF of this kernel" ]
	[[ "${stderr_lines[2]}" == "try: --btf FILE with a file that was made for this very build"* ]]
}
