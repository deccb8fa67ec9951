# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `syscount --summary` and `strace -f -c` of the same command: equal calls and errors.
#
# Known differences:
# - exit and exit_group: strace counts a call when it returns, and these do not.
# - A call in which a thread is when it is killed: we see it end, strace does not.
# - What depends on timing: how often a thread has to wait for another (futex), how many
#   SIGCHLDs become one (rt_sigreturn). strace slows a program down, so such a number may be
#   another one with it each time. It is left out where runs of strace itself differ; what may
#   differ between strace and us only is named with the command.
# Addresses are not random (setarch -R), as they decide on calls of brk.
load ../tool/common
load ../tool/syscount

rounds_max=5 # of two runs of strace and one of ours

setup() {
	need strace setarch
	cd "$BATS_TEST_TMPDIR"
	export LC_ALL=C
	started=()
	setarch -R strace -f -c -o probe true || skip "strace does not run here"
}

# Either program's summary on stdin to "NAME CALLS ERRORS". strace has a table for each ABI.
summary_rows() {
	awk -v ignored=" exit exit_group total $1 " '
	$2 !~ /^[0-9]+\.[0-9]+$/ || index(ignored, " " $NF " ") { next }
	{
		calls[$NF] += $4
		errors[$NF] += NF == 6 ? $5 : 0
	}
	END {
		for (name in calls)
			print name, calls[name], errors[name]
	}' | sort
}

run_strace() {
	setarch -R strace -f -c -o theirs.raw "$@" >out.theirs 2>&1 || theirs_status=$?
	summary_rows "$ignored" <theirs.raw >"theirs.$run"
	run=$((run + 1))
}

# Names whose rows are not the same in all runs of strace.
unstable() {
	sort theirs.[0-9]* | uniq -c | awk -v runs="$run" '$1 != runs { print $2 }' | sort -u
}

without_unstable() {
	awk 'NR == FNR { out[$1]; next } !($1 in out)' not-stable "$1"
}

# same_as_strace "NAME..." COMMAND...: all but these names, which depend on timing.
same_as_strace() {
	ignored=$1
	run=0
	shift
	for ((round = 0; round < rounds_max; round++)); do
		theirs_status=0 status=0
		run_strace "$@"
		run_strace "$@"
		setarch -R "$root/syscount" -q --strict --summary -o ours.raw -- "$@" \
			>out.ours 2>&1 || status=$?
		summary_rows "$ignored" <ours.raw >ours
		echo >not-stable
		unstable >>not-stable
		without_unstable theirs.0 >theirs
		without_unstable ours >ours.stable
		# So much at least must be the same in each run.
		[ "$(wc -l <theirs)" -ge 10 ] || continue
		[ "$status" -eq "$theirs_status" ] || return 1
		diff theirs ours.stable >difference && return 0
	done
	echo "not compared:" $(cat not-stable)
	cat difference
	return 1
}

@test "make" {
	need make
	mkdir project
	printf 'c\nb\na\n' >project/a.in
	printf 'z\ny\n' >project/b.in
	printf '%s\n' 'all: a.out b.out' '%.out: %.in' $'\tsort $< | tr a-z A-Z >$@' \
		$'\t@test -s $@' >project/Makefile
	same_as_strace rt_sigreturn make -B -C project
	[ "$(cat project/a.out)" = $'A\nB\nC' ]
	grep -q '^wait4 ' theirs
}

@test "tar" {
	need tar
	mkdir -p tree/a tree/b/c
	for file in tree/x tree/a/y tree/b/c/z; do
		head -c 30000 /dev/zero >"$file"
	done
	same_as_strace "" tar cf archive.tar tree
	same_as_strace "" tar tf archive.tar
}

@test "shell scripts: pipes, a here document, failing commands" {
	cat >script <<'END'
for i in 3 1 2; do
	echo $i
done | sort | tr 1 2
cat <<here
text
here
cat /nonexistent
(cd / && ls >/dev/null; exit 3)
[ -e /nonexistent ] || exit 5
END
	same_as_strace rt_sigreturn sh ./script
}

@test "errors of many kinds" {
	same_as_strace "" ls -l / /nonexistent /etc/passwd/x /proc/1/root
	same_as_strace "" dd if=/dev/zero of=/dev/full bs=512 count=3
}

@test "processes, threads, exec" {
	use_static_load ""
	same_as_strace futex "$load" -g 100 -r 20 -e 10 -o 5 -t 3 -f 2 -F -x -p 3
	grep -qx 'getppid 1500 0' theirs
}

@test "signal handlers, refused calls, a thread that executes a program" {
	same_as_strace "" "$workload/syscall-odd" -d 7 -s 3
	grep -qx 'getppid 7 7' theirs
	same_as_strace futex "$workload/syscall-odd" -x /bin/true
}

@test "32-bit programs" {
	[ -x "$workload/syscall-load-32" ] || skip "there is no 32-bit program"
	"$workload/syscall-load-32" >/dev/null || skip "32-bit programs do not run here"
	same_as_strace "" "$workload/syscall-load-32" -g 100 -o 5 -f 2 -x
	same_as_strace "" "$workload/syscall-odd-32" -s 3
	same_as_strace rt_sigreturn sh -c '"$0" -g 3; exec "$0" -g 5' "$workload/syscall-load-32"
}
