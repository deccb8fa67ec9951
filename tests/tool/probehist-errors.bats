# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What probehist refuses, and what it lists.
load common
load probehist

setup_file() {
	[ -e "$BATS_TEST_DIRNAME/../../.output/workload/libprobed.so" ] || skip 'no <sys/sdt.h>'
}

# The tool refuses these arguments with the status $1, and says the lines on stdin.
refuses() {
	local status=$1
	shift
	run --separate-stderr "-$status" probehist "$@"
	[ -z "$output" ]
	diff - <(cat <<<"$stderr")
}

@test "no SPEC, and SPECs that are none" {
	refuses 2 <<-EOF
	probehist: no probe is given
	try: 'usdt:BINARY:PROVIDER:PROBE:arg0', or probehist --help
	EOF
	refuses 2 'uprobe:x' <<-EOF
	probehist: 'uprobe' does not name a probe
	try: uprobe:BINARY:FUNCTION
	EOF
	refuses 2 'a=tp:x:y' 'a=tp:x:z' <<-EOF
	probehist: two results are called 'a'
	try: another name before the '='
	EOF
	refuses 2 --linear 0,10,3 'tp:x:y:z' <<-EOF
	probehist: '0,10,3' is not a value for --linear
	try: --linear MIN,MAX,STEP (at most 1000 rows, no rest)
	EOF
}

@test "a binary that is not there, or has no probes" {
	refuses 1 'uprobe:libnothere:f' <<-EOF
	probehist: no program and no library is called 'libnothere'
	try: a path, such as ./libnothere
	EOF
	refuses 1 'uprobe:./nothere:f' <<-EOF
	probehist: failed to open './nothere': No such file or directory
	EOF
	echo text >text
	refuses 1 'uprobe:./text:f' <<-EOF
	probehist: './text' has no functions: it is no program and no library
	EOF
	refuses 1 'usdt:./text:a:b' <<-EOF
	probehist: './text' has no probes: it is not an ELF file
	EOF
	refuses 1 'usdt::a:b' <<-EOF
	probehist: which program has the probes is not said
	try: its path, or -p PID, or -c 'CMD ARGS'
	EOF
	refuses 125 -c ./nothere 'usdt::a:b' <<-EOF
	probehist: the program of the command was not found
	try: its path, after -c
	EOF
}

@test "functions in Go: no returns, which would crash them, and no arguments" {
	needs_cookies
	need gcc
	cat >go.c <<-'EOF'
	static const char id[] __attribute__((section(".note.go.buildid"), used)) = "x";
	__attribute__((noinline)) int work(int a) __asm__("main.work");
	int work(int a) { return a; }
	int main(void) { return work(0); }
	EOF
	gcc -o go-app go.c
	refuses 125 -c ./go-app 'lat:uprobe::main.work' <<-EOF
	probehist: 'main.work' is a function in Go, whose return cannot be probed
	why: the program would crash when it moves its stack
	try: uprobe:, or lat:PROBE to PROBE
	EOF
	refuses 125 -c ./go-app 'uprobe::main.work:arg0' <<-EOF
	probehist: 'main.work' is a function in Go, whose arguments cannot be read
	why: they are not where functions in C have them
	try: count:uprobe:BINARY:main.work
	EOF
	probehist -c ./go-app 'n=count:uprobe::main.work' 'r=uretprobe::main:(int)ret' | grep -qx '@n: 1'
}

@test "what a binary does not have: the nearest is named" {
	needs_cookies
	refuses 1 "uprobe:$lib:probed_wrk:arg0" <<-EOF
	probehist: '$lib' has no function 'probed_wrk'
	why: all of its symbols were looked at; its build id is $(readelf -n "$lib" |
		sed -n 's/.*Build ID: //p')
	try: probed_work
	EOF
	refuses 1 "usdt:$lib:probed:fir:arg0" <<-EOF
	probehist: '$lib' has no probe probed:fir
	why: it has 2 probes (.note.stapsdt): probed:fire
	try: probehist -l $lib
	EOF
	refuses 1 "usdt:$lib:probed:fire:arg3" <<-EOF
	probehist: the probe probed:fire has no arg3
	why: it has 3 arguments, the first is arg0
	EOF
	run --separate-stderr -1 probehist "uprobe:$lib:probed_work+0x1000:arg0"
	grep -Fqx "probehist: 'probed_work' of '$lib' ends before +0x1000" <<<"$stderr"
}

@test "an offset that is inside of an instruction: nothing is changed" {
	needs_cookies
	need objdump
	objdump -d --disassemble=probed_work "$lib" | grep -Eo '^ +[0-9a-f]+:' | tr -d ' :' >starts
	first=$((0x$(head -n 1 starts))) second=$((0x$(sed -n 2p starts)))
	[ $((second - first)) -gt 1 ]
	run --separate-stderr -1 probehist "uprobe:$lib:probed_work+1:arg0"
	grep -Fqx "probehist: no instruction of 'probed_work' is known to begin at +0x1" <<<"$stderr"
	probehist -c "$app $lib" "uprobe:$lib:probed_work+$((second - first)):arg0" | grep -q '^\[64, 128) *36 '
}

@test "events and fields that the kernel does not have" {
	needs_cookies
	refuses 1 'tp:sched:sched_switc:x' <<-EOF
	probehist: there is no tracepoint 'sched:sched_switc'
	try: sched:sched_switch
	EOF
	run --separate-stderr -1 probehist 'tp:sched:sched_switch:prev_pidd'
	grep -Fqx "probehist: the tracepoint 'sched:sched_switch' has no field 'prev_pidd'" \
		<<<"$stderr"
	grep -Eqx 'try: prev_pid(, .*)?' <<<"$stderr"
	refuses 1 'tp:sched:sched_switch:prev_comm' <<-EOF
	probehist: 'prev_comm' is a text, not a number
	try: by:prev_comm
	EOF
	run --separate-stderr -1 probehist 'rawtp:sched_switc:arg0'
	grep -Fqx "probehist: the kernel has no raw tracepoint 'sched_switc'" <<<"$stderr"
	run --separate-stderr -1 probehist 'rawtp:sched_process_exec:p->pidd'
	grep -q "pidd" <<<"$stderr"
}

@test "nine probes on raw tracepoints, or on one tracepoint, are too many" {
	needs_cookies
	raw=() tp=()
	for i in 1 2 3 4 5 6 7 8 9; do
		raw+=("rawtp:sched_process_exec")
		tp+=("tp:sched:sched_process_exec")
	done
	refuses 1 "${raw[@]}" <<-EOF
	probehist: more than 8 probes are on raw tracepoints
	try: tp:GROUP:sched_process_exec for some of them
	EOF
	refuses 1 "${tp[@]}" <<-EOF
	probehist: the tracepoint 'sched:sched_process_exec' has more than 8 probes
	try: several runs
	EOF
	probehist -o report -c true "${raw[@]:1}" "${tp[@]:1}"
	[ "$(grep -c '^@sched_process_exec[_0-9]*: 1$' report)" -eq 16 ]
}

# bats test_tags=vm
@test "a kernel without BPF cookies refuses functions and tracepoints, and says the release" {
	! grep -q bpf_get_attach_cookie /proc/kallsyms || skip 'this kernel has them'
	refuses 1 "uprobe:$lib:probed_work:arg0" <<-EOF
	probehist: this kernel cannot tell one probe from another
	why: functions and tracepoints need Linux 5.15 (BPF cookies)
	try: rawtp:EVENT, or usdt:BINARY:PROVIDER:PROBE with -p PID
	EOF
}

# bats test_tags=vm
@test "-l: probes, functions, tracepoints, raw tracepoints, each as a SPEC begins" {
	probehist -l "$lib" | grep -Fx \
		"usdt:$lib:probed:fire  arg0 int64, arg1 int32, arg2 int64 (2 sites, semaphore)"
	probehist -l "$lib" 'probed_*[!s]' >list
	same_lines list - <<-EOF
	uprobe:$lib:probed_deep
	uprobe:$lib:probed_fire_1
	uprobe:$lib:probed_fire_2
	uprobe:$lib:probed_work
	EOF
	probehist -l 'rawtp:sched_process_ex?c' >list
	grep -qx 'rawtp:sched_process_exec' list
	grep -Eqx ' +arg1 .* pid_t' list
	refuses 1 -l "$lib" nothing <<-EOF
	probehist: nothing in '$lib' matches 'nothing'
	try: probehist -l $lib '*WORD*'
	EOF
}

@test "-l: fields of tracepoints; what -p has mapped" {
	probehist -l 'tp:sched:sched_process_exe[c]' >list
	grep -qx 'tp:sched:sched_process_exec' list
	grep -Eqx ' +filename +__data_loc char\[\]' list
	grep -Eqx ' +pid +pid_t' list
	start sleep 60
	wait_until grep -q "/libc[.-]" "/proc/$pid/maps"
	probehist -p "$pid" -l libc getpid | grep -qx 'uprobe:libc:getpid'
}

@test "names of a file cannot act on a terminal" {
	need gcc
	printf 'int evil(void) __asm__("\\"a\\033[31mb\\"");\nint evil(void) { return 1; }\n' >evil.c
	gcc -shared -o evil.so evil.c || skip 'this assembler refuses such names'
	probehist -l ./evil.so >list
	! grep -q "$(printf '\033')" list
	grep -Fqx 'uprobe:./evil.so:a\x1b[31mb' list
}
