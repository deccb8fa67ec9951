#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# usage: tests/btf/check-btf.sh [KERNEL...]
#
# Checks vmlinux.h and the built BPF objects against the BTF of kernels (TAP). KERNEL is a name
# of tools/vm-kernel, or a path for tools/kernel-btf. Without any: the running kernel, those
# that are to be checked always, and the others that are cached.
set -eu

cd "$(dirname "$0")/../.."
out=.output/btf
always='5.10 6.1 6.12'
checked=0
failed=0
mkdir -p "$out"

cached()
{
	tools/vm-kernel list | while read -r name package; do
		case " $always " in
		*" $name "*) continue ;;
		esac
		[ -z "$package" ] || echo "$name"
	done
}

# add RELEASE MACHINE FILE
add()
{
	case $2 in
	arm64) arm64="$arm64 $1=$3" ;;
	x86) x86="$x86 $1=$3" ;;
	esac
}

skip()
{
	checked=$((checked + 1))
	echo "ok $checked - $1 # SKIP $2"
}

add_running()
{
	btf=/sys/kernel/btf/vmlinux
	if [ ! -r "$btf" ]; then
		skip "the running kernel, $(uname -r)" "it has no $btf"
		return
	fi
	add "$(uname -r)" "$native" "$btf"
}

not_had()
{
	checked=$((checked + 1))
	failed=1
	echo "not ok $checked - the BTF of kernel $1"
	sed 's/^/# /' "$2"
}

add_kernel()
{
	errors=$out/errors.$$
	status=0
	case $1 in
	*/*) image=$1 ;;
	*) image=$(tools/vm-kernel path "$1" 2>"$errors") || status=$? ;;
	esac
	btf=$out/$(basename "$1").btf
	if [ $status -eq 77 ]; then
		skip "kernel $1" "$(sed -n '$s/^SKIP: \(kernel [^:]*: \)*//p' "$errors")"
	elif [ $status -eq 0 ] && what=$(tools/kernel-btf "$image" "$btf" 2>"$errors"); then
		add "${what% *}" "${what#* }" "$btf"
	else
		not_had "$1" "$errors"
	fi
	rm -f "$errors"
}

# check MACHINE KERNELS: the header, and the objects that were built for this machine.
check()
{
	machine=$1 kernels=$2
	[ -n "$kernels" ] || return 0
	directory=.output make=make
	[ "$machine" = "$native" ] || directory=.output/$machine make="make $machine"
	set -- --header "$out/vmlinux-$machine.bpf.o"
	for source in bpf/*.bpf.c examples/*.bpf.c; do
		object=$directory/$(basename "$source" .c).o
		if [ -n "$(find "$object" -newer "$source" 2>/dev/null)" ]; then
			set -- "$@" --object "$object"
		else
			set -- "$@" --skip "$object" "not built or older than its source: $make"
		fi
	done
	# shellcheck disable=SC2086 # a list
	"$out/check" "$@" $kernels || failed=1
}

case $(uname -m) in
aarch64) native=arm64 ;;
*) native=x86 ;;
esac
x86='' arm64=''
if [ $# -eq 0 ]; then
	add_running
	# shellcheck disable=SC2046,SC2086 # lists
	set -- $always $(cached)
fi
for kernel; do
	add_kernel "$kernel"
done
[ $checked -eq 0 ] || echo "1..$checked"
check x86 "$x86"
check arm64 "$arm64"
exit $failed
