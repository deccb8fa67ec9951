# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# probehist on programs whose calls follow from a number: each row is compared.
load common
load probehist

setup_file() {
	[ -e "$BATS_TEST_DIRNAME/../../.output/workload/libprobed.so" ] || skip 'no <sys/sdt.h>'
}

# bats test_tags=vm
@test "USDT: each site of a probe counts, by its own semaphore; arguments of all sizes" {
	needs_cookies
	[ "$(readelf -n "$lib" | grep -c 'Name: fire$')" -eq 2 ] || [ ! -x /usr/bin/readelf ]
	[ "$("$app" -n 10 "$lib" | grep fired)" = 'fired 0' ]
	hist --follow=no -c "$app -n 200 $lib" "usdt:$lib:probed:fire:arg0" \
		"negative=usdt:$lib:probed:fire:arg1" "parts=usdt:$lib:probed:fire:arg2"
	grep -qx 'fired 200' stdout
	{
		seq 0 199 | rows fire
		seq 0 199 | sed 's/^/-/; s/-0$/0/' | rows negative
		yes '2 1' | tr ' ' '\n' | head -200 | rows parts
	} | report_is
}

@test "functions of a program and of a library: arguments and results" {
	needs_cookies
	hist -c "$app -n 300 $lib" "a=uprobe:$lib:probed_work:arg0" \
		"b=uprobe:$lib:probed_work:arg1" "r=uretprobe:$lib:probed_work:ret" \
		"own=uprobe:$app:own_work:arg0" "own_ret=uretprobe:$app:own_work:retval" \
		"half=uprobe:$app:own_work:(int8)arg0"
	{
		seq 0 299 | rows a
		seq 0 299 | awk '{ print $1 % 7 }' | rows b
		seq 0 299 | awk '{ print $1 - $1 % 7 }' | rows r
		seq 0 299 | awk '{ print -$1 }' | rows own
		seq 0 299 | awk '{ print -2 * $1 }' | rows own_ret
		seq 0 299 | awk '{ n = -$1 % 256; print n < -128 ? n + 256 : n }' | rows half
	} | report_is
}

@test "by: numbers, texts of the process, pid, comm; two keys; (other) is not needed" {
	needs_cookies
	hist -c "$app -n 60 $lib" "t=uprobe:$lib:probed_work:arg0 by:str(arg2)" \
		"two=uprobe:$lib:probed_work:arg0 by:arg1,comm" \
		"pid=count:uprobe:$lib:probed_work by:pid,tid"
	{
		for text in 'zero 0' 'one 1' 'two 2'; do
			set -- $text
			seq "$2" 3 59 | rows "t[$1]"
		done
		for rest in 0 1 2 3 4 5 6; do
			seq "$rest" 7 59 | rows "two[$rest,probed-app]"
		done
	} | sed 's/,probed/, probed/' >expected
	truth_of_report <report | sed 's/\(two\[.*\), /\1, /' >seen
	same_lines expected seen
	grep -Eqx '@pid\[([0-9]+), \1\]: 60' report
}

@test "if: with each comparison, several at once, bare and with blanks" {
	needs_cookies
	work=uprobe:$lib:probed_work:arg0
	hist -c "$app -n 100 $lib" "eq=$work if:arg1==3" "ne=$work if:arg1!=3" "lt=$work arg0<10" \
		"le=$work if:arg0 <= 10" "gt=$work arg0>10" "ge=$work arg0>=0x10" "bit=$work arg0&5" \
		"both=$work if:arg0>20,arg0<30 arg1!=0" "and=$work if:arg0>20&&arg0<23" \
		"own=uprobe:$app:own_work:arg0 arg0<-90" "r=uretprobe:$lib:probed_work:ret if:ret>90"
	{
		seq 3 7 99 | rows eq
		seq 0 99 | awk '$1 % 7 != 3' | rows ne
		seq 0 9 | rows lt
		seq 0 10 | rows le
		seq 11 99 | rows gt
		seq 16 99 | rows ge
		seq 0 99 | awk '$1 % 2 || int($1 / 4) % 2' | rows bit
		seq 21 29 | awk '$1 % 7' | rows both
		seq 21 22 | rows and
		seq -99 -91 | rows own
		seq 0 99 | awk '{ n = $1 - $1 % 7 } n > 90 { print n }' | rows r
	} | report_is
}

@test "count: and sum:, of values below 0 too; names are made unique" {
	needs_cookies
	p=usdt:$lib:probed:fire
	hist --follow=no -c "$app -n 100 $lib" "$p" "count:$p by:arg2" "sum:$p:arg0" \
		"sum:$p:arg1" "sum:$p:arg0 by:arg2"
	same_lines report - <<-EOF
	@fire: 100
	@fire_2[1]: 50
	@fire_2[2]: 50
	@fire_3: 4950
	@fire_4: -4950
	@fire_5[1]: 2500
	@fire_5[2]: 2450
	EOF
}

@test "keys below 0, of arguments, results and a static probe; with a cast they are not" {
	needs_cookies
	hist -c "$app -n 2 $lib" "a=count:uprobe:$app:own_work by:arg0" \
		"r=count:uretprobe:$app:own_work by:ret" \
		"u=count:uprobe:$app:own_work by:(uint64)arg0 if:arg0==0xffffffffffffffff" \
		"p=count:usdt:$lib:probed:fire by:arg1"
	sort report >sorted
	same_lines sorted - <<-EOF
	@a[-1]: 1
	@a[0]: 1
	@p[-1]: 1
	@p[0]: 1
	@r[-2]: 1
	@r[0]: 1
	@u[18446744073709551615]: 1
	EOF
}

@test "sum: of 0 is not the same as nothing; intervals without values are not events" {
	needs_cookies
	hist --json -i 10ms -c "sh -c '$app -n 1 $lib; sleep 0.1'" \
		"s=sum:uprobe:$lib:probed_work:arg0"
	[ "$(jq -c 'select(.data) | .data' report)" = '{"@s":0}' ]
	[ "$(jq 'select(.type == "end") | .events' report)" -eq 1 ]
}

@test "an element of a field that is an array" {
	needs_cookies
	head -c 3000 /dev/zero >zeros
	hist -c "dd if=zeros of=/dev/null bs=3000" \
		'tp:raw_syscalls:sys_enter:args[2] if:args[2]==3000'
	# What it reads, what it writes, and the read that finds the end.
	printf '3000\n3000\n3000\n' | rows sys_enter | part_is sys_enter
	run --separate-stderr -125 probehist -c true 'tp:raw_syscalls:sys_enter:args[6]'
	[ "${stderr_lines[0]}" = "probehist: the tracepoint 'raw_syscalls:sys_enter' has no field 'args[6]'" ]
	run --separate-stderr -125 probehist -c true 'tp:raw_syscalls:sys_enter:args'
	[ "${stderr_lines[1]}" = 'try: args[0]' ]
}

@test "ret of an event is its field or argument; str(ret) is the text that a function returns" {
	needs_cookies
	head -c 3000 /dev/zero >zeros
	hist -c "dd if=zeros of=/dev/null bs=3000" "t=tp:syscalls:sys_exit_read:ret if:ret==3000" \
		"r=count:rawtp:sys_exit by:ret if:ret==3000" \
		"l=lat:tp:syscalls:sys_enter_read to tp:syscalls:sys_exit_read if:ret==3000"
	printf '3000\n' | rows t | part_is t
	[ "$(values_of l)" -eq 1 ]
	grep -q '^@r\[3000\]: ' report
	need gcc
	cat >text.c <<-'EOF'
	__attribute__((noinline)) char *text(char *a) { __asm__("" : "+r"(a)); return a; }
	int main(int argc, char **argv) { return !text(argv[argc - 1]); }
	EOF
	gcc -O1 -o text-app text.c
	hist -c "./text-app word" "count:uretprobe::text by:str(ret)"
	grep -qx '@text\[word\]: 1' report
}

@test "lat: of a function that calls itself: each frame is timed, by its arguments" {
	needs_cookies
	hist -c "$app -n 100 $lib" "lat:uprobe:$lib:probed_deep by:arg0" \
		"all=lat:uprobe:$lib:probed_deep" "some=lat:uprobe:$lib:probed_deep arg0>0 ret>2" \
		"slow=lat:uprobe:$app:own_work if:arg0==0"
	for depth in '0 100' '1 75' '2 50' '3 25'; do
		set -- $depth
		[ "$(truth_of_report <report | awk -v name="probed_deep[$1]" \
			'$2 == name { n += $NF } END { print n + 0 }')" -eq "$2" ]
	done
	[ "$(values_of all)" -eq 250 ]
	# Its depth is what it returns, and one.
	[ "$(values_of some)" -eq 75 ]
	[ "$(values_of slow)" -eq 1 ]
	! grep -v 'running' stderr | grep note:
}

@test "lat: the time is that between begin and end" {
	needs_cookies
	hist -c "$app -n 5 -s 40 $lib" "l=lat:uprobe:$app:own_work arg0==0"
	grep -q '^\[32M, 64M) *1 \|^\[64M, 128M) *1 \|^\[128M, 256M) *1 ' report
}

# bats test_tags=vm
@test "lat: between two probes, by what they have in common; ends and begins without the other" {
	needs_cookies
	s2n=$workload/s2n-app p=usdt:$workload/s2n-app:s2n_quic:s2n_quic_platform__socket__
	tx="lat:${p}io__tx__finish_write to ${p}task__tx__finish on:arg0,arg1"
	hist --follow=no -c "$s2n -n 400 -t 3 -u 7 -l 5" "tx=$tx"
	pairs=$(sed -n 's/^pairs tx //p' stdout)
	[ "$pairs" -ge 1200 ]
	[ "$(values_of tx)" -eq "$pairs" ]
	grep -Eq '^note: @tx: [0-9]+ ends had no begin' stderr
	grep -Eq '^note: @tx: [0-9]+ have begun and not ended' stderr
	# What the begin leaves out is neither timed nor an end without a begin.
	hist --follow=no -c "$s2n -n 400" "tx=$tx if:arg1<0"
	[ ! -s report ]
	! grep 'no begin\|not ended' stderr
}

@test "more than are kept at once are lost, and said to be: no time is made up" {
	needs_cookies
	p=usdt:$workload/s2n-app:s2n_quic:s2n_quic_platform__socket__
	run --separate-stderr -3 probehist --strict --follow=no \
		-c "$workload/s2n-app -n 10 -r 65536 -l 40000" \
		"tx=lat:${p}io__tx__finish_write to ${p}task__tx__finish on:arg0,arg1"
	grep -Eq '^note: lost [0-9]+ of [0-9]+ events \(too many calls at once' <<<"$stderr"
	truth_of_report <<<"$output" >seen
	! grep '\[[0-9]*[GTPE],' seen
}

@test "--linear and lhist: rows of equal width" {
	needs_cookies
	p=usdt:$lib:probed:fire:arg0
	hist --linear 0,100,25 -c "$app -n 120 $lib" "$p" "own=lhist(-10,110,20):$p" \
		"by=lhist(0,100,50):$p by:arg2"
	report_is <<-EOF
	hist fire [0,25) 25
	hist fire [25,50) 25
	hist fire [50,75) 25
	hist fire [75,100) 25
	hist fire [100,...) 20
	hist own [-10,10) 10
	hist own [10,30) 20
	hist own [30,50) 20
	hist own [50,70) 20
	hist own [70,90) 20
	hist own [90,110) 20
	hist own [110,...) 10
	hist by[1] [0,50) 25
	hist by[1] [50,100) 25
	hist by[1] [100,...) 10
	hist by[2] [0,50) 25
	hist by[2] [50,100) 25
	hist by[2] [100,...) 10
	EOF
}

@test "tracepoints: fields, texts of all kinds as keys, twice on one event" {
	needs_cookies
	hist -c "sh -c 'cat /dev/null; cat /dev/null; true'" \
		'f=count:tp:sched:sched_process_exec by:filename' \
		'p=tp:sched:sched_process_exec:pid if:pid>0' \
		'o=count:tp:syscalls:sys_enter_openat by:str(filename) if:flags==0' \
		'c=count:tp:sched:sched_process_exit by:args.comm'
	grep -Eqx '@f\[(/usr)?/bin/cat\]: 2' report
	grep -Eqx '@f\[(/usr)?/bin/sh\]: 1' report
	[ "$(values_of p)" -eq 3 ]
	grep -qx '@o\[/dev/null\]: 2' report
	grep -qx '@c\[cat\]: 2' report
}

# bats test_tags=vm
@test "raw tracepoints: arguments by number and name, what they lead to" {
	hist -c "sh -c 'cat /dev/null; cat /dev/null; true'" \
		'pid=rawtp:sched_process_exec:p->pid' 'old=rawtp:sched_process_exec:old_pid' \
		'f=count:rawtp:sched_process_exec by:bprm->filename' \
		'same=count:rawtp:sched_process_exec if:p->tgid>0 by:p->comm' \
		'nr=rawtp:sys_enter:id arg1==39'
	[ "$(values_of pid)" -eq 3 ]
	[ "$(truth_of_report <report | awk '$2 == "pid"' | sed s/pid/old/ | sort)" = \
		"$(truth_of_report <report | awk '$2 == "old"' | sort)" ]
	grep -Eqx '@f\[(/usr)?/bin/cat\]: 2' report
	grep -qx '@same\[cat\]: 2' report
	grep -qx '@same\[sh\]: 1' report
}

@test "a program and a library that were deleted, by -p" {
	needs_cookies
	cp "$lib" gone.so
	cp "$app" gone-app
	mkfifo go
	exec 9<>go
	./gone-app -w -d -n 50 ./gone.so <go >ready 3>&- 9>&- &
	app_pid=$!
	started+=("$app_pid")
	wait_until grep -qs ^ready ready
	rm gone-app
	start probehist -v -o report -p "$app_pid" "lib=uprobe:gone:probed_work:arg0" \
		"usdt:$PWD/gone.so:probed:fire:arg0" "own=uprobe::own_work:arg0" 2>stderr 9>&-
	wait_until grep -qs 'probehist: attached' stderr
	exec 9>&-
	wait "$pid" "$app_pid"
	{
		seq 0 49 | rows lib
		seq 0 49 | rows fire
		seq 0 49 | awk '{ print -$1 }' | rows own
	} | report_is
}

@test "the program of the command is the default; other processes of it do not count" {
	needs_cookies
	"$app" -n 2000 "$lib" >/dev/null &
	hist -c "$app -n 80 $lib" 'uprobe::own_work:arg0'
	seq 0 79 | awk '{ print -$1 }' | rows own_work | report_is
	wait
}

@test "libc by its short name" {
	needs_cookies
	hist -c 'sh -c "kill -0 $$; kill -0 $$"' 'k=uprobe:libc:kill:arg1' 'r=uretprobe:libc:kill:(int)ret'
	[ "$(values_of k)" -eq 2 ]
	printf '0\n0\n' | rows r | part_is r
}

@test "intervals add up to the whole; JSON has the same" {
	needs_cookies
	p=usdt:$lib:probed:fire
	hist --follow=no --json -i 10ms -c "$app -n 3000 $lib" "$p:arg0" "s=sum:$p:arg1" \
		"l=lhist(0,1000,100):$p:arg0 by:arg2"
	[ "$(jq -s '[.[] | select(.data["@fire"]) | .count] | add' report)" -eq 3000 ]
	[ "$(jq -s '[.[] | select(.data["@fire"]) | .sum] | add' report)" -eq 4498500 ]
	[ "$(jq -s '[.[] | select(.data["@s"]) | .data["@s"]] | add' report)" -eq -4498500 ]
	[ "$(jq -s '[.[] | .data["@l"]? // empty | .["1"][]? | select(.max == null) | .count] | add' \
		report)" -eq 1000 ]
}
