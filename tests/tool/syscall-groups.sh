#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# usage: tests/tool/syscall-groups.sh
#
# Compares the names and classes of system calls with those of strace, for both ABIs: which of
# all calls it shows for a class is what the class has. Prints TAP. WORKLOADS (.output/workload)
# must have syscall-set and all-syscalls and, for the 32-bit ABI, all-syscalls-32: its -m32 build.
set -u

workloads=${WORKLOADS:-.output/workload}
sets='%file %desc %net %network %process %signal %ipc %memory %creds %clock %stat %lstat %fstat
	%%stat %statfs %fstatfs %%statfs %pure !%file !%desc,%net %file,read read,%pure'
# The facts are those of strace 6.1, which ends here.
last_nr=450
tested=0
failed=0

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# With -n strace prints "[ NR] NAME(...": prints "NR NAME" for each call. The exec of the
# program itself is left out, as it is still one of the 64-bit ABI.
calls()
{
	strace -n -e signal=none -e trace="$2" -o "$tmp/trace" "$1" "$3" || echo "- strace failed"
	sed -nE -e '1{/execve\("/d}' -e 's/^\[ *([0-9]+)\] ([a-z_0-9]+)\(.*/\1 \2/p' "$tmp/trace" |
		grep -v ' syscall_0x' | awk -v last="$last_nr" '$1 <= last'
}

# socketcall and ipc are shown as the call whose number is their first argument, if there is
# one: 0 is none, 1 is one. Both answers belong to the class.
numbers_by_strace()
{
	{ calls "$1" "$2" 0; calls "$1" "$2" 1; } | cut -d ' ' -f 1 | sort -u
}

# Only numbers that strace knows are compared.
numbers_by_us()
{
	"$workloads/syscall-set" "$2" | awk -v abi="$1" -v known="$tmp/known" '
		BEGIN { while ((getline line < known) > 0) { split(line, f, " "); names[f[1]] = 1 } }
		$1 == abi && $2 in names { print $2 }' | sort -u
}

# Fails too if there is nothing to compare.
report()
{
	tested=$((tested + 1))
	if [ -s "$tmp/strace" ] && diff "$tmp/strace" "$tmp/ours" >"$tmp/diff"; then
		echo "ok $tested - $1"
		return
	fi
	failed=1
	echo "not ok $tested - $1"
	echo '# < strace, > ours'
	sed 's/^/# /' "$tmp/diff"
}

# uretprobe and uprobe are newer than their numbers look.
compare_abi()
{
	calls "$2" all 0 | sort -u >"$tmp/known"
	cp "$tmp/known" "$tmp/strace"
	"$workloads/syscall-set" |
		awk -v abi="$1" -v last="$last_nr" '$1 == abi && $2 <= last { print $2, $3 }' |
		grep -vxE '335 uretprobe|336 uprobe' | sort -u >"$tmp/ours"
	report "$1 names"
	for set in $sets; do
		numbers_by_strace "$2" "$set" >"$tmp/strace"
		numbers_by_us "$1" "$set" >"$tmp/ours"
		report "$1 $set"
	done
}

command -v strace >/dev/null || skip_all 'strace is not installed'
strace -n -o /dev/null true 2>/dev/null || skip_all 'strace cannot trace here'
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

compare_abi native "$workloads/all-syscalls"
if [ -x "$workloads/all-syscalls-32" ] && "$workloads/all-syscalls-32"; then
	compare_abi compat "$workloads/all-syscalls-32"
else
	tested=$((tested + 1))
	echo "ok $tested - compat # SKIP no 32-bit program can be built or run here"
fi
echo "1..$tested"
exit "$failed"
