#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Mount, PID and cgroup namespaces: around the target, around the tool, around both.
load common
load udp
load syscount

app=$workload/usdt-app
work='-g 100 -r 50 -e 30 -o 20 -t 3 -f 2 -F -x'

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	need unshare
	unshare -pfm --mount-proc true || skip "no PID namespaces"
	cd "$BATS_TEST_TMPDIR"
	started=() held=() cgroup=
	use_static_load ""
	mkdir inner
}

teardown() {
	end_background
	[ -z "$cgroup" ] || wait_until rmdir "$cgroup" 2>/dev/null
}

# The ids, one a line, of rows by process or thread on stdin.
ids() {
	awk '$1 ~ /^[0-9]+$/ { print $1 }' | sort -n
}

# The only child of a process, once it is there.
child_of() {
	wait_until grep -qs . "/proc/$1/task/$1/children"
	read -r child <"/proc/$1/task/$1/children" || [ -n "$child" ]
}

# As start_held, in a container of its own, with files in ./inner. Sets pid to the host's id.
start_contained() {
	local name=$1 files=$2
	shift 2
	mkfifo "$name.stdin"
	exec {release}<>"$name.stdin"
	held+=("$release")
	# shellcheck disable=SC2086 # words on purpose
	start unshare -pfm --mount-proc sh -c 'mount -t tmpfs none inner && cp $0 inner/ &&
		exec "$@"' "$files" "$@" <"$name.stdin" >"$name" 2>"$name.err"
	wait_until grep -qs ^ready "$name"
	child_of "$pid"
	pid=$child
}

need_app() {
	[ -x "$app" ] || skip 'no <sys/sdt.h>'
}

# As use_static_load, for usdt-app as a library and a program that only calls it.
build_library() {
	need cc
	cc -O2 -D_GNU_SOURCE=1 -shared -fPIC -Dmain=app_main -o libapp.so.1 \
		"$root/tests/workload/usdt-app.c" -pthread
	echo 'int app_main(int, char **); int main(int c, char **v) { return app_main(c, v); }' |
		cc -x c - -x none -o caller ./libapp.so.1
}

# Go on, and compare what was seen with what the process says; with a tool started on it.
ends_exactly() {
	go_on
	wait_tool 0
	cp "$1" truth
	is_exact
}

@test "a target in a container, the tool outside: -p counts exactly" {
	mkfifo gate
	background unshare -pfm --mount-proc sh -c 'read -r x <gate; exec "$@"' sh "$load" $work >truth
	child_of $!
	wait_until in_syscall "$child" openat
	start_syscount -T 0 --follow -P -p "$child" --syscall getppid
	open_gate
	wait "$tool"
	# 3 threads in each of 5 processes.
	[ "$(awk '$1 ~ /^[0-9]+$/ { n += $3 } END { print n }' report)" -eq 1500 ]
	[ "$(ids <report | wc -l)" -eq 5 ]
	ids <report | grep -qx "$child"
}

@test "--usdt with the path that a binary has in the container, whatever has it outside" {
	need_app
	cp /bin/true inner/usdt-app
	start_contained held "$app" inner/usdt-app -w -n 500
	start_tool --usdt "$PWD/inner/usdt-app" -p "$pid"
	ends_exactly held
	start_contained again "$app" inner/usdt-app -w -n 500
	start_tool --usdt ./inner/usdt-app -p "$pid"
	ends_exactly again
	start_contained name "$app" inner/usdt-app -w -n 500
	start_tool --usdt usdt-app -p "$pid"
	ends_exactly name
}

@test "--usdt with a file that the container has and the process has not mapped yet" {
	need_app
	start_contained held "$app $workload/syscall-load" inner/usdt-app -w -n 10
	run -1 udp-syscall --usdt "$PWD/inner/syscall-load" -p "$pid"
	[[ "${lines[0]}" == *"'$PWD/inner/syscall-load' has none of the probes"* ]]
	run -1 udp-syscall --usdt "$PWD/inner/nothing" -p "$pid"
	[ "$output" = "udp-syscall: failed to open '$PWD/inner/nothing': No such file or directory" ]
}

@test "--usdt with a binary that was deleted, or replaced, since it was started" {
	need_app
	for how in path name replaced; do
		cp "$app" "gone-$how"
		start_held "held-$how" "./gone-$how" -w -n 500
		target=$pid
		rm "gone-$how"
		[ "$how" != replaced ] || cp /bin/true "gone-$how"
		[ "$how" = name ] && name=gone-name || name=$PWD/gone-$how
		start_tool --usdt "$name" -p "$target"
		ends_exactly "held-$how"
		grep -q "of process $target is '/proc/$target/map_files/" stderr
	done
}

@test "--usdt with a library: by name, deleted too; two processes with one file each" {
	need_app
	build_library
	for name in libapp libapp.so.1; do
		start_held "held-$name" env LD_LIBRARY_PATH=. ./caller -w -n 500
		start_tool --usdt "$name" -p "$pid"
		ends_exactly "held-$name"
	done
	start_held first env LD_LIBRARY_PATH=. ./caller -w -n 500
	first=$pid first_release=$release
	cp libapp.so.1 new && mv new libapp.so.1
	start_held second env LD_LIBRARY_PATH=. ./caller -w -n 300 -s 2
	start_tool --usdt libapp -p "$first,$pid"
	go_on
	release=$first_release
	go_on
	wait_tool 0
	cat first second >truth
	is_exact
}

@test "--usdt with a library that the process has not loaded: what it has, and what to try" {
	need_app
	start_held held "$app" -w -n 10
	run -1 udp-syscall --usdt libssl -p "$pid"
	[ "${lines[0]}" = "udp-syscall: usdt-app (PID $pid) has not loaded 'libssl'" ]
	[[ "${lines[1]}" == 'why: what it has loaded: usdt-app'*' libc'* ]]
	[[ "${lines[2]}" == 'try: the path of the file'* ]]
	[ "${#lines[@]}" -eq 3 ]
}

@test "the tool in a container: a command, its threads and children, by the container's ids" {
	cat >script <<-'END'
		for i in 1 2 3; do
			sh -c 'echo $$ >>ids; exec "$0" -e 10 >/dev/null' "$1" &
		done
		wait
		echo $$ >>ids
		exec "$1" -e 20 >/dev/null
	END
	for by in -P --threads "-P -L" "--threads -L"; do
		rm -f ids
		# shellcheck disable=SC2086
		unshare -pfm --mount-proc syscount -q --strict -T 0 $by --syscall close \
			-e EBADF -o report -- sh script "$load"
		[ "$(ids <report)" = "$(sort -n ids)" ]
		[ "$(ids <report | wc -l)" -eq 4 ]
		[ "$(awk -v pid="$(tail -n 1 ids)" '$1 == pid { print $3 }' report)" -eq 20 ]
		[ "$(awk '$3 == 10' report | wc -l)" -eq 3 ]
	done
	for mode in "" -L; do
		unshare -pfm --mount-proc syscount -q --strict $mode -T 0 -o report -- "$load" $work >truth
		counts_match truth report
	done
}

@test "the tool in a container: -p, with what runs already, and --follow" {
	cat >script <<-'END'
		sh -c 'read -r x <gate; exec "$@"' sh "$1" -g 100 -f 4 -S 1000 >truth &
		target=$!
		until grep -qs "^$4 " /proc/$target/syscall; do sleep 0.05; done
		"$2" -v $3 -T 0 -P -p $target -o report 2>log &
		tool=$!
		until grep -q attached log; do sleep 0.05; done
		echo >gate
		until grep -q exits truth; do sleep 0.05; done
		until grep -qs "^$5 " /proc/$target/syscall; do sleep 0.05; done
		kill -INT $tool
		wait $tool
		echo "status $?"
		kill $target
		echo "target $target"
	END
	for options in "" "-L" "--follow" "-L --follow"; do
		rm -f gate truth log
		mkfifo gate
		unshare -pfm --mount-proc sh script "$load" "$root/syscount" \
			"$options --syscall getppid,epoll_pwait" \
			"$(syscall_number openat)" "$(syscall_number epoll_pwait)" >out
		cat out report
		grep -qx 'status 0' out
		target=$(awk '$1 == "target" { print $2 }' out)
		# Its own calls, and the one in which it sleeps.
		[ "$(awk -v pid="$target" '$1 == pid { print $3 }' report)" -eq 101 ]
		[[ "$options" == *follow* ]] && processes=5 || processes=1
		[ "$(ids <report | wc -l)" -eq $processes ]
		[ "$(ids <report | tail -n 1)" -lt $((target + 20)) ]
	done
}

@test "the tool in a container: udp-syscall, its threads by the container's ids; --usdt" {
	unshare -pfm --mount-proc udp-syscall --bytes -o report -- "$workload/udp-load" -n 50 >truth
	is_exact
	unshare -pfm --mount-proc udp-syscall --by thread -o report -- \
		sh -c 'echo $$ >id; exec "$0" -n 20' "$workload/udp-load" >truth
	[ "$(grep -o '^@tx_arg_counts\[.*' report)" = "@tx_arg_counts[udp-load, $(cat id)]:" ]
	need_app
	for follow in "" --follow=no; do
		unshare -pfm --mount-proc udp-syscall $follow -o report --usdt "$app" -- "$app" >truth
		is_exact
	done
}

@test "the tool in a container: the whole system, without the tool itself" {
	unshare -pfm --mount-proc sh -c '"$0" -S 1000 >/dev/null & echo $! >id
		sh -c "echo \$\$ >own; exec \"\$@\"" sh "$@"
		kill $!' "$load" syscount -q -P -T 0 -d 300ms -o report
	grep -qE "^$(cat id) +syscall-load +1$" report
	lacks "^$(cat own) +syscount " report
	# A process outside has no id of the container: it keeps the host's.
	name=outside-$$
	cp "$load" "$name"
	mkfifo gate
	background sh -c 'read -r x <gate; exec "$@"' sh "./$name" -e 77
	outside=$!
	background unshare -pfm --mount-proc syscount -v -P -T 0 --syscall close -e EBADF \
		--comm "$name" -o report 2>log
	tool=$!
	wait_until grep -q 'attached$' log
	open_gate
	wait "$outside"
	child_of "$tool"
	kill -INT "$child"
	wait "$tool"
	[ "$(awk 'NR > 2 && NF { print $1, $2, $3 }' report)" = "$outside $name 77" ]
}

@test "two levels: the tool in a container, its target in a container within" {
	unshare -pfm --mount-proc syscount -q --strict -T 0 -P --syscall close -e EBADF -o report -- \
		unshare -pfm --mount-proc sh -c 'echo $$ >id; exec "$0" -e 30 -f 1 >/dev/null' "$load"
	[ "$(awk 'NR > 2 && NF { print $2, $3 }' report)" = $'syscall-load 30\nsyscall-load 30' ]
	# Within, they are 1 and 2; the tool's container has the tool and unshare before them.
	[ "$(cat id)" -eq 1 ]
	[ "$(ids <report | head -n 1)" -gt 2 ]
	unshare -pfm --mount-proc unshare -pfm --mount-proc syscount -q --strict -T 0 -P \
		--syscall close -e EBADF -o report -- sh -c 'echo $$ >id; exec "$0" -e 30' "$load"
	[ "$(ids <report)" = "$(cat id)" ]
	[ "$(awk 'NR > 2 && NF { print $3 }' report)" -eq 30 ]
}

@test "a PID namespace with the /proc of another one is refused" {
	for tool in syscount udp-syscall; do
		run -125 unshare -pf "$tool" -- touch ran
		[ "${lines[0]}" = "$tool: /proc is that of another PID namespace" ]
		[[ "${lines[1]}" == 'why: '* ]]
		[[ "${lines[2]}" == 'try: unshare --mount-proc, '* ]]
		[ "${#lines[@]}" -eq 3 ]
	done
	[ ! -e ran ]
	# All of a system has no ids to be mistaken.
	run -0 unshare -pf syscount -q -d 100ms
}

# A cgroup with a process that sleeps in epoll_pwait.
start_in_cgroup() {
	local mount
	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$mount" ] && mkdir "$mount/wirescope-test-$$" 2>/dev/null || skip "no cgroup2 hierarchy"
	cgroup=$mount/wirescope-test-$$
	background sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$cgroup" "$load" -S 1000 >/dev/null
	sleeper=$!
	wait_until in_syscall "$sleeper" epoll_pwait
}

@test "--cgroup by path, bind mount, or within a cgroup namespace: what runs already is found" {
	start_in_cgroup
	bound='mount --bind "$0" inner && exec "$@"'
	mounted='mount -t cgroup2 none inner && exec "$@"'
	for options in "" -L; do
		for path in "$cgroup" "${cgroup##*/}"; do
			syscount $options -q --cgroup "$path" -d 200ms -o report
			[ "$(report_calls <report)" = 'calls epoll_pwait 1' ]
		done
		unshare -m sh -c "$bound" "$cgroup" syscount $options -q --cgroup inner -d 200ms -o report
		[ "$(report_calls <report)" = 'calls epoll_pwait 1' ]
		unshare -Cm sh -c "$mounted" sh syscount $options -q \
			--cgroup "inner/${cgroup##*/}" -d 200ms -o report
		[ "$(report_calls <report)" = 'calls epoll_pwait 1' ]
	done
	kill "$sleeper"
}

@test "exec-log in a container: a parent has its id there too" {
	[ -x "$root/.output/exec-log" ] || skip "the examples are not built"
	unshare -pfm --mount-proc "$root/.output/exec-log" -o report -- \
		sh -c 'echo $$ >id; (/bin/true; :); :'
	[ "$(awk '$5 == "true" { print $3 - $2, ($2 > 2) }' report)" = '-1 1' ]
	[ "$(awk '$5 == "sh" { print $2, $3 }' report)" = "$(cat id) 1" ]
}

# What begins at the start of the run is timed by our clock, its end by that of BPF programs.
@test "a time namespace: calls that ran already took no more than the run" {
	unshare -T --monotonic 100000 -f true || skip 'no time namespaces'
	start sh -c 'while :; do sleep 0.1; done'
	wait_until grep -qs . "/proc/$pid/task/$pid/children"
	for seconds in 100000 -1; do
		unshare -T --monotonic "$seconds" -f syscount -L -q -T 0 --syscall wait4 -p "$pid" \
			-d 500ms -f json -o report
		tail -n 1 report | grep -q '"type":"end"'
		longest=$(sed -n 's/.*"max_ns":\([-0-9]*\).*/\1/p' report)
		run=$(sed -n 's/.*"type":"end","elapsed_ns":\([0-9]*\).*/\1/p' report)
		[ "$longest" -gt 0 ] && [ "$longest" -le "$run" ]
	done
}

# bats test_tags=vm
@test "lockdown=confidentiality: a PID namespace cannot be listed, which is said" {
	grep -qs '\[confidentiality\]' /sys/kernel/security/lockdown ||
		skip 'the kernel is not locked down (confidentiality)'
	run -125 unshare -pfm --mount-proc syscount -- touch ran
	[[ "${lines[0]}" == 'syscount: process ids mean other processes here: '* ]]
	[[ "${lines[1]}" == 'why: '* ]]
	[[ "${lines[2]}" == 'try: run it on the host, '* ]]
	[ "${#lines[@]}" -eq 3 ]
	[ ! -e ran ]
}
