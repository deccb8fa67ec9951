# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The smallest tool: it must stay as small as HACKING.md shows it, and work.
load common

# Reads of 0 bytes that the example sees in a run of syscall-load with these options.
empty_reads() {
	"$root/.output/read-sizes" -q -- "$workload/syscall-load" "$@" | awk '
		/^@read_sizes:$/ { inside = 1 }
		inside && /^\[0\] / { n = $2 }
		END { print n + 0 }'
}

@test "HACKING.md shows both files of the example as they are" {
	for file in examples/read-sizes.bpf.c examples/read-sizes.c; do
		run awk -v file="$root/$file" '
			/^```/ { if (inside && block == text) found = 1; inside = !inside; block = ""; next }
			inside { block = block $0 "\n" }
			BEGIN { while ((getline line <file) > 0) text = text line "\n" }
			END { exit !found }' "$root/HACKING.md"
		[ "$status" -eq 0 ]
	done
}

@test "the example is a HIST and 30 lines" {
	lines=$(cat "$root"/examples/read-sizes.bpf.c "$root"/examples/read-sizes.c |
		grep -cvE '^(//.*|)$')
	[ "$lines" -le 31 ]
}

@test "the example counts exactly, children too" {
	without=$(empty_reads -r 0)
	with=$(empty_reads -r 500 -f 2)
	[ "$((with - without))" -eq 1500 ]
}

@test "the example has the common options" {
	run "$root/.output/read-sizes" -q -f json -i 50ms -- sleep 0.2
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == '{"type":"meta",'*'"tool":"read-sizes"'* ]]
	[[ "${lines[-1]}" == '{"type":"end",'* ]]
	[[ "$output" == *'{"type":"interval",'* ]]
}

@test "JSON begins with the target, as a process or as a list of them" {
	run "$root/.output/read-sizes" -q --json -d 50ms -p "$$"
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == *"\"target\":{\"pid\":$$,\"comm\":\"bash\"}"* ]]
	run "$root/.output/read-sizes" -q --json -d 50ms -p "$$,$PPID"
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == *"\"target\":{\"processes\":[{\"pid\":$$,"*"{\"pid\":$PPID,"* ]]
}
