# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of syscount share. `load common` first.

# A dynamic loader reads and opens files too: syscall-load without one. "" or -m32.
use_static_load() {
	load=$workload/static/syscall-load${1:+-32}
	[ -x "$load" ] || skip "no static $1 program can be built here"
}

# Without stdin and bats's own descriptors, which a background process must not keep open.
background() {
	"$@" </dev/null 3>&- &
	started+=($!)
}

end_background() {
	local pid

	for pid in "${started[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
	done
	wait
}

# Start syscount in the background and wait until it counts; stdout goes to ./report.
start_syscount() {
	# A background process of a shell without job control ignores SIGINT: not syscount.
	background "$root/syscount" -v "$@" >report 2>log
	tool=$!
	wait_until grep -q '^note: attached\|^attached\|attached$' log
}

stop_syscount() {
	kill -INT "$tool"
	wait "$tool"
}

# A process that waits for open_gate, then becomes what the arguments say; stdout to ./truth.
start_behind_gate() {
	mkfifo gate
	background sh -c 'read -r x <gate; exec "$@"' sh "$@" >truth
	gated=$!
	wait_until in_syscall "$gated" openat
}

open_gate() {
	echo >gate
}

# Number of a system call; $2 may be -m32.
syscall_number() {
	awk -v name="$1" '$1 == name { print $2 }' "$workload/syscall-numbers${2:+-32}"
}

# Is the first thread of process $1 in system call $2? $3 may be -m32.
in_syscall() {
	grep -qs "^$(syscall_number "$2" "$3") " "/proc/$1/syscall"
}

is_comm() {
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]
}

# Truth on stdin to "calls NAME COUNT", with the exec that the traced command begins with.
truth_calls() {
	awk '$1 == "calls" && $2 != "execve" { print }
	     $1 == "calls" && $2 == "execve" { execs = $3 }
	     END { print "calls execve", execs + 1 }' | sort
}

# A table, summary or histograms on stdin to "calls NAME COUNT" and "errors NAME COUNT". Rows
# of one name (of several reports) are added up.
report_calls() {
	awk '
	/^SYSCALL / { layout = "table"; next }
	/^% time / { layout = "summary"; next }
	/^@latencies\[/ {
		layout = "hist"
		name = substr($0, 12, length($0) - 13)
		next
	}
	/^--/ || /^\[..:..:..\]$/ || NF == 0 { next }
	layout == "table" { calls[$1] += $2 }
	layout == "summary" && $NF != "total" {
		calls[$NF] += $4
		if (NF == 6)
			errors[$NF] += $5
	}
	layout == "hist" {
		sub(/ \|.*/, "")
		calls[name] += $NF
	}
	END {
		for (name in calls)
			print "calls", name, calls[name]
		for (name in errors)
			print "errors", name, errors[name]
	}' | sort
}

# Of the lines on stdin those that have the first two words of a line in file $1.
of_names_in() {
	awk 'NR == FNR { in_file[$1, $2]; next } ($1, $2) in in_file' "$1" - | sort
}

# counts_match TRUTH REPORT: all calls that the truth speaks of.
counts_match() {
	local want=$BATS_TEST_TMPDIR/counts-wanted

	truth_calls <"$1" >"$want"
	[ "$(wc -l <"$want")" -gt 1 ] || return 1
	report_calls <"$2" | of_names_in "$want" | diff "$want" -
}

# lacks PATTERN FILE; a "!" before a command would not make a test fail.
lacks() {
	! grep -E -- "$1" "$2"
}

# JSON reports on stdin to the rows of their tables, one a line.
json_rows() {
	grep '"type":"syscalls"' | sed 's/.*"data":\[//; s/\]}$//; s/},{/}\n{/g' | grep .
}

# json_sum FIELD [SYSCALL]: of the rows on stdin.
json_sum() {
	awk -v field="\"$1\":" -v want="${2:+\"syscall\":\"$2\"}" '
	want != "" && !index($0, want) { next }
	at = index($0, field) {
		value = substr($0, at + length(field))
		sub(/[,}].*/, "", value)
		sum += value
	}
	END { printf "%d\n", sum }'
}
