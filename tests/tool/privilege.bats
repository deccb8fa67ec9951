#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Least privilege: what works with which capabilities, what a running tool has kept, and that
# the command neither gains nor loses anything.
load common

nobody=65534
udp_calls=sendmmsg,sendmsg,sendto,recvmmsg,recvmsg,recvfrom

setup_file() {
	# Where nobody may execute.
	public=$(mktemp -d)
	chmod 755 "$public"
	mkdir -m 777 "$public/reports"
	cp "$root/syscount" "$root/udp-syscall" "$workload/udp-load" "$public"
	[ ! -x "$workload/usdt-app" ] || cp "$workload/usdt-app" "$public"
	export public
}

teardown_file() {
	rm -rf "$public"
}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	need setpriv
	started=()
	report=$public/reports/report
	rm -f "$report"
	# Linux before 5.11 counts maps, and only root can raise the limit.
	ulimit -l unlimited 2>/dev/null || true
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	end_started
}

# The command that runs the rest as nobody, with the capabilities $1: "" or +bpf,+perfmon.
set_nobody() {
	as_nobody=(setpriv --reuid $nobody --regid $nobody --clear-groups)
	[ -z "$1" ] || as_nobody+=(--inh-caps "-all,$1" --ambient-caps "$1")
}

as() {
	set_nobody "$1"
	"${as_nobody[@]}" "${@:2}"
}

# In the background, with files out and err; "as CAPABILITIES" may come first. Sets pid.
start() {
	local command=("$@")

	if [ "$1" = as ]; then
		set_nobody "$2"
		command=("${as_nobody[@]}" "${@:3}")
	fi
	rm -f out err
	touch out err
	"${command[@]}" >out 2>err </dev/null 3>&- &
	pid=$!
	started+=("$pid")
}

# As run, with stdout and stderr apart.
try() {
	rm -f "$report"
	"$@" >out 2>err </dev/null && status=0 || status=$?
	echo "status $status: $*"
	cat err
}

# The run before ended with this status and these lines on stderr (patterns), and no results.
refused() {
	local i lines

	[ "$status" -eq "$1" ]
	shift
	[ ! -s out ]
	mapfile -t lines <err
	[ "${#lines[@]}" -eq $# ]
	for ((i = 0; i < $#; i++)); do
		# shellcheck disable=SC2053 # patterns
		[[ "${lines[i]}" == ${*:i+1:1} ]]
	done
}

# A plain "!" would not end a test.
not() {
	! "$@"
}

# As start, until the tool has given up what it does not need.
start_tool() {
	start "$@"
	wait_until grep -q 'gave up all\|kept all' err
}

# Field $2 of /proc/PID/status of process $1.
field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# A process that has become sleep(1), and does nothing any more.
is_asleep() {
	grep -qsx sleep "/proc/$1/comm" && [[ "$(field "$1" State)" == S* ]]
}

# ---- a run of each mode: $1 is empty, or the command that sets privileges ---------------------

run_syscount() {
	try "$@" "$public/syscount" -q -T 0 --syscall $udp_calls -o "$report" -- \
		"$public/udp-load" -n 20
}

run_default() {
	try "$@" "$public/udp-syscall" -q --bytes -o "$report" -- "$public/udp-load" -n 20
}

run_compat() {
	try "$@" "$public/udp-syscall" -q --bytes --compat -o "$report" -- \
		"$public/udp-load" -n 20
}

# Not followed: before 5.15 all of a binary cannot be traced.
run_usdt() {
	try "$@" "$public/udp-syscall" -q --usdt "$public/usdt-app" --follow=no -o "$report" -- \
		"$public/usdt-app" -n 50
}

exact_syscount() {
	[ "$status" -eq 0 ]
	grep -q '^calls' out
	same_lines <(sed -n 's/^calls //p' out) \
		<(awk 'NF == 2 && $2 ~ /^[0-9]+$/ { print $1, $2 }' "$report")
}

exact_udp() {
	[ "$status" -eq 0 ]
	grep -q '^hist tx_arg_counts' out
	same_lines <(truth_of_report <"$report" | grep -v "latencies$1") \
		<(udp_truth <out | grep -v "none$1")
}

exact_default() {
	exact_udp ''
}

exact_compat() {
	exact_udp ''
}

exact_usdt() {
	exact_udp '\|bytes'
}

# Whether --doctor says PASS for a line, with the privileges of the rest.
doctor_passes() {
	"${@:2}" --doctor >doctor || true
	grep -q "^[PF]A[SI][SL]  $1" doctor
	grep -q "^PASS  $1" doctor
}

# ---- who may do what ------------------------------------------------------------------------

# bats test_tags=vm,slow
@test "one of CAP_BPF and CAP_PERFMON, or none: each mode refuses, and names what lacks" {
	[ -x "$public/usdt-app" ] && modes='syscount default compat usdt' || modes='syscount default compat'
	for row in ':CAP_BPF, CAP_PERFMON' '+bpf:CAP_PERFMON' '+perfmon:CAP_BPF' \
		'+dac_read_search,+perfmon:CAP_BPF'; do
		for mode in $modes; do
			"run_$mode" as "${row%%:*}"
			refused 125 "*: not permitted to load BPF programs (uid $nobody lacks ${row#*:})" \
				'try: sudo *'
		done
	done
}

# bats test_tags=vm,slow
@test "CAP_BPF and CAP_PERFMON, more, and CAP_SYS_ADMIN alone: exact in each mode, but by probes" {
	for caps in +bpf,+perfmon +bpf,+perfmon,+dac_read_search +bpf,+perfmon,+sys_admin \
		+sys_admin; do
		for mode in syscount default compat; do
			"run_$mode" as $caps
			"exact_$mode"
		done
	done
}

# bats test_tags=vm
@test "--usdt: exact where --doctor says so, as with CAP_SYS_ADMIN; else it names that" {
	[ -x "$public/usdt-app" ] || skip 'no <sys/sdt.h>'
	run_usdt env
	not grep -q 'before Linux 5.15' err || skip 'of a command, this kernel cannot for root either'
	for caps in +bpf,+perfmon +bpf,+perfmon,+dac_read_search; do
		run_usdt as $caps
		if doctor_passes 'udp-syscall --usdt' as $caps "$public/udp-syscall"; then
			exact_usdt
		else
			refused 125 "*: failed to attach to the probe *: Permission denied" \
				'why: *CAP_SYS_ADMIN*' 'try: sudo udp-syscall ..., *'
		fi
	done
	run_usdt as +bpf,+perfmon,+sys_admin
	exact_usdt
	doctor_passes 'udp-syscall --usdt' as +bpf,+perfmon,+sys_admin "$public/udp-syscall"
}

# bats test_tags=vm,slow
@test "without the right to read tracefs udp-syscall takes another way, and says so with -v" {
	doctor_passes 'udp-syscall by event' "$public/udp-syscall" || skip 'root may not either'
	try as +bpf,+perfmon "$public/udp-syscall" -v -- true
	[ "$status" -eq 0 ]
	grep -qE '^udp-syscall: not by event: ' err || grep -q 'backend: fentry$' err
	not doctor_passes 'udp-syscall by event' as +bpf,+perfmon "$public/udp-syscall"
	try as +bpf,+perfmon "$public/udp-syscall" -q -- true
	[ ! -s err ]
}

# bats test_tags=vm
@test "--doctor: what each mode needs, and whether this process has it; --help: in short" {
	syscount --doctor >doctor
	[ "$(grep -c '^PASS  syscount .*CAP_' doctor)" -eq 2 ]
	for tool in syscount udp-syscall; do
		"$tool" --help >help
		grep -q '^Needs root, or CAP_BPF and CAP_PERFMON' help
		not as '' "$public/$tool" --doctor >doctor
		grep -q '^FAIL  CAP_BPF and CAP_PERFMON' doctor
		[ "$(grep -c "^FAIL  $tool .*CAP_" doctor)" -ge 2 ]
		not grep -q "^PASS  $tool" doctor
	done
	as +bpf,+perfmon "$public/syscount" --doctor >doctor
	[ "$(grep -c '^PASS  syscount .*CAP_' doctor)" -eq 1 ]
}

# bats test_tags=vm
@test "before 5.11 without CAP_SYS_RESOURCE: the limit on locked memory is named" {
	ulimit -l 64
	if doctor_passes 'memory for maps' as +bpf,+perfmon "$public/syscount"; then
		skip 'this kernel does not count maps'
	fi
	for mode in syscount default compat; do
		"run_$mode" as +bpf,+perfmon
		refused 125 '*: failed to load the BPF programs: Operation not permitted' \
			'why: only 64 KiB of memory may be locked (RLIMIT_MEMLOCK), *CAP_SYS_RESOURCE' \
			'try: CAP_SYS_RESOURCE too, or *'
		"run_$mode" as +bpf,+perfmon,+sys_resource
		"exact_$mode"
	done
}

@test "a set-user-ID or set-group-ID tool refuses to run; file capabilities are welcome" {
	for mode in u+s:user g+s:group; do
		cp "$public/syscount" "$public/probe"
		cp "$(command -v id)" "$public/id"
		chmod "${mode%:*}" "$public/probe" "$public/id"
		[ "$(as '' "$public/id" -u)$(as '' "$public/id" -g)" != $nobody$nobody ] ||
			skip 'files of this folder are not run as their owner'
		for option in --doctor '-d 1s'; do
			# shellcheck disable=SC2086 # words
			try as '' "$public/probe" $option
			refused 1 "syscount: will not run as a set-${mode#*:}-ID program" 'why: *' 'try: *'
		done
		try as '' "$public/probe" -o "$public/made" -- touch "$public/ran"
		refused 125 "syscount: will not run as a set-${mode#*:}-ID program" 'why: *' 'try: *'
		[ ! -e "$public/made" ] && [ ! -e "$public/ran" ]
		rm "$public/probe" "$public/id"
	done
	need setcap
	cp "$public/syscount" "$public/probe"
	PATH="$PATH:/sbin:/usr/sbin" setcap cap_bpf,cap_perfmon+ep "$public/probe" ||
		skip 'no file capabilities here'
	try as '' "$public/probe" -q --syscall execve -o "$report" -- grep Cap /proc/self/status
	[ "$status" -eq 0 ]
	grep -qx 'execve  *1' "$report"
	not grep -E '^Cap(Prm|Eff|Inh|Amb):.*[1-9a-f]' out
}

# ---- what a running tool keeps -----------------------------------------------------------------

# The capabilities that the tool with the PID $1 says it has kept are those that it has: $2, and
# CAP_BPF where the kernel asks for it. Not one of them can come back.
has_kept() {
	local -A bit=([CAP_DAC_READ_SEARCH]=2 [CAP_KILL]=5 [CAP_SYS_PTRACE]=19 [CAP_BPF]=39)
	local name mask=0 names

	names=$(sed -n 's/^[^:]*: kept \(CAP_[A-Z_]*\): ..*/\1/p' err)
	for name in $names; do
		((mask |= 1 << bit[$name]))
	done
	cat err
	grep '^Cap\|^NoNew' "/proc/$1/status"
	[ "$(grep -v CAP_BPF <<<"$names" | sort | xargs)" = "$2" ]
	[ "$((16#$(field "$1" CapPrm)))" -eq "$mask" ]
	[ "$((16#$(field "$1" CapEff)))" -eq "$mask" ]
	[ "$((16#$(field "$1" CapInh)))" -eq 0 ]
	[ "$((16#$(field "$1" CapAmb)))" -eq 0 ]
	[ "$(field "$1" NoNewPrivs)" -eq 1 ]
}

# bats test_tags=vm,slow
@test "a running tool has no capability but those that the rest of its run needs" {
	start_tool syscount -v -L
	has_kept "$pid" ''
	[ "$((16#$(field "$pid" CapBnd)))" -eq 0 ]
	start_tool syscount -v
	has_kept "$pid" 'CAP_DAC_READ_SEARCH CAP_SYS_PTRACE'
	[ "$((16#$(field "$pid" CapBnd)))" -eq 0 ]
	start_tool syscount -v -x -c 'sleep 100'
	has_kept "$pid" CAP_KILL
	start_tool udp-syscall -v -c 'sleep 100'
	has_kept "$pid" CAP_KILL
	start_tool udp-syscall -v
	has_kept "$pid" ''
	start_tool as +bpf,+perfmon "$public/udp-syscall" -v
	has_kept "$pid" ''
	# It holds descriptors that its user could not get: nobody else of that user has them.
	not as '' ls "/proc/$pid/fd"
}

# bats test_tags=vm,slow
@test "after that, reports at signals, intervals and the end still work, to -o and as JSON" {
	cp "$workload/udp-load" load
	for caps in '' +bpf,+perfmon; do
		rm -f "$report"
		start_tool ${caps:+as $caps} "$public/udp-syscall" -v -i 100ms -f json -o "$report" \
			--comm load
		./load -n 20 >truth
		kill -USR1 "$pid"
		wait_until eval '[ "$(grep -c rates "$report")" -ge 8 ]'
		kill -INT "$pid"
		wait "$pid"
		tail -n 1 "$report" | grep '"type":"end".*"lost":0'
		calls=$(awk '/^calls/ { n += $3 } END { print n }' truth)
		[ "$calls" -gt 0 ]
		sed -n 's/.*"type":"rates".*"calls":\([0-9]*\),.*/\1/p' "$report" |
			awk -v calls="$calls" '{ n += $1 } END { exit n != calls }'
	done
}

# As syscount shows it: how often a call for sleep still runs.
sleeps() {
	awk '/nanosleep/ { n += $2 } END { print n + 0 }' out
}

child_sleeps() {
	local child

	child=$(child_of "$1") && is_asleep "$child"
}

# As try, with a command that sleeps: what is reported once it does.
try_asleep() {
	start "$@" -c "$command"
	wait_until child_sleeps "$pid"
	kill -USR1 "$pid"
	wait_until grep -q nanosleep out
	kill -TERM "$pid"
	wait "$pid" || true
	cat out err
}

sleeping=(-q -T 0 --syscall 'nanosleep,clock_nanosleep')

# bats test_tags=vm,slow
@test "calls that still run are counted after the drop: of the command and of other users" {
	for command in 'sleep 100' 'setpriv --reuid 65534 sleep 100'; do
		for user in '' '-u nobody'; do
			[ -n "$user" ] && [ "$command" != 'sleep 100' ] && continue
			# shellcheck disable=SC2086 # words
			try_asleep syscount "${sleeping[@]}" $user
			[ "$(sleeps)" -eq 1 ]
		done
	done
	# What it had the command has too.
	command='sleep 100'
	try_asleep as +bpf,+perfmon "$public/syscount" "${sleeping[@]}"
	[ "$(sleeps)" -eq 1 ]

	start as '' sleep 100
	sleeper=$pid
	wait_until is_asleep "$sleeper"
	try syscount "${sleeping[@]}" -d 100ms -p $sleeper
	[ "$(sleeps)" -eq 1 ]
	try as +bpf,+perfmon "$public/syscount" "${sleeping[@]}" -d 100ms -p $sleeper
	[ "$(sleeps)" -eq 1 ]
}

# bats test_tags=vm
@test "calls that we may not look up are not counted, and a note says so" {
	start sleep 100
	sleeper=$pid
	wait_until is_asleep "$sleeper"
	try as +bpf,+perfmon "$public/syscount" "${sleeping[@]:1}" -d 100ms -p $sleeper
	[ "$(sleeps)" -eq 0 ]
	grep -q '^note: calls that still run in 1 threads of others are not counted (try CAP_' err
	try as +bpf,+perfmon,+dac_read_search,+sys_ptrace "$public/syscount" "${sleeping[@]:1}" \
		-d 100ms -p $sleeper
	[ "$(sleeps)" -eq 1 ]
	not grep -q '^note: calls' err
}

# bats test_tags=vm
@test "a command that has changed its user is still ended" {
	start_tool syscount -v -x -c "setpriv --reuid $nobody --clear-groups sleep 100"
	child=$(cat "/proc/$pid/task/$pid/children")
	wait_until eval '[[ "$(field $child Uid)" == $nobody* ]]'
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 143 ]
	not kill -0 $child
}

# ---- the command ---------------------------------------------------------------------------------

# All by which the privileges of a process could differ.
write_show() {
	show=$public/reports/show
	cat >"$show" <<-'EOF'
	grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Speculation|SigBlk)' /proc/self/status
	cat /proc/self/limits /proc/self/oom_score_adj /proc/self/cgroup
	echo "core $(ulimit -c) $(ulimit -H -c)"
	ls /proc/self/fd
	EOF
}

# bats test_tags=vm,slow
@test "the command has the privileges, limits and descriptors that it has without us" {
	write_show
	for privileges in '' 'as +bpf,+perfmon' 'as +bpf,+perfmon,+kill,+dac_read_search'; do
		$privileges sh "$show" >alone 2>&1 3>&-
		grep -q '^CapEff' alone
		for tool in syscount 'syscount -L' udp-syscall 'udp-syscall --compat'; do
			# shellcheck disable=SC2086 # words
			$privileges $public/$tool -q -o /dev/null -- sh "$show" >traced 3>&-
			diff alone traced
		done
	done
}

# bats test_tags=vm
@test "-u: the command has that user's privileges" {
	write_show
	sed -i '2,$d' "$show"
	setpriv --reuid $nobody --regid "$(id -g nobody)" --init-groups sh "$show" >alone
	syscount -q -u nobody -o /dev/null -- sh "$show" >traced
	diff alone traced
}

# ---- lockdown ------------------------------------------------------------------------------------

# bats test_tags=vm
@test "lockdown=confidentiality: exact, or refused with what is the matter" {
	grep -qs '\[confidentiality\]' /sys/kernel/security/lockdown || skip 'not locked down'
	syscount --doctor >doctor || true
	grep -q "^FAIL  lockdown is not 'confidentiality'" doctor
	grep -q '^FAIL  reads of kernel memory' doctor
	for mode in syscount default compat usdt; do
		"run_$mode"
		if [ "$status" -eq 0 ]; then
			"exact_$mode"
		else
			refused 125 '*: failed to load the BPF programs: *' \
				'why: the kernel is locked down (confidentiality): *' 'try: Linux *'
		fi
		echo "$mode: $status" >>modes
	done
	cat modes
	# tp_btf programs that follow typed pointers need 5.11 (bpf_get_current_task_btf).
	! grep -q '^PASS  bpf_rdonly_cast' doctor || [ "$(grep -c ': 0$' modes)" -ge 3 ]
}
