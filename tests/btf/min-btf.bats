# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What users of kernels without BTF are told to make and to give to --btf: it is small, and the
# tools see as much with it as with the kernel's own.
load ../tool/common
load ../tool/syscount
load ../tool/udp

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=() held=()
	[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"
	# The objects are those that the tools have inside: each that was built.
	"$("$root/tools/deps" find bpftool)" gen min_core_btf /sys/kernel/btf/vmlinux min.btf \
		"$root"/.output/{syscount,udp-syscall}.bpf.o
	[ "$(stat -c %s min.btf)" -lt 65536 ]
}

@test "syscount counts exactly with a file of min_core_btf" {
	use_static_load ""
	for mode in "" -L; do
		syscount --btf min.btf -q --strict $mode -T 0 -o report -- "$load" -g 100 -r 50 -e 30 \
			-o 20 -t 3 -f 2 >truth
		counts_match truth report
	done
}

@test "udp-syscall counts exactly with a file of min_core_btf" {
	trace --btf min.btf -- "$workload/udp-load" -n 50 -6
	is_exact
	trace --btf min.btf --by socket -- "$workload/udp-load" -n 50 -6
	grep -q '^@tx_bytes\[\[::1\]:' report
}
