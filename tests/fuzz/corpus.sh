#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Runs each fuzz target over its kept inputs, and over no others. TAP.
cd "$(dirname "$0")/../.." || exit 1
programs=${FUZZ_PROGRAMS:-.output/fuzz}

names=()
for source in tests/fuzz/fuzz_*.c; do
	name=${source##*/fuzz_}
	names+=("${name%.c}")
done
# make check builds them if the compiler can.
if [ ! -x "$programs/${names[0]}" ]; then
	echo '1..0 # SKIP no libFuzzer: install libclang-rt-dev for the version of clang'
	exit 0
fi
echo "1..${#names[@]}"
status=0
number=0
for name in "${names[@]}"; do
	number=$((number + 1))
	inputs=(tests/fuzz/corpus/"$name"/*)
	if log=$("$programs/$name" -timeout=10 -artifact_prefix="$programs/" "${inputs[@]}" 2>&1); then
		echo "ok $number - $name: ${#inputs[@]} inputs"
	else
		echo "not ok $number - $name"
		tail -n 40 <<<"$log" | sed 's/^/# /'
		status=1
	fi
done
exit "$status"
