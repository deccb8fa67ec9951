# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What syscount prints, byte for byte where it does not depend on time.
load common
load syscount

few='-g 100 -r 5 -e 3'

setup() {
	cd "$BATS_TEST_TMPDIR"
	started=()
	use_static_load ""
}

teardown() {
	end_background
}

# Run syscount with its report in ./report, the time of day replaced.
report_of() {
	syscount -q -o timed "$@"
	sed 's/^\[[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\]$/[TIME]/' timed >report
}

# Checks each line on stdin that awk condition $1 selects against printf's $2 of its fields $3.
laid_out() {
	awk -v format="$2" "$1 { checked++; if (\$0 != sprintf(format, $3)) { print; wrong++ } }
		END { exit wrong || !checked }"
}

@test "the table of counts" {
	report_of --syscall getppid,read,close -- "$load" $few
	cat >want <<'END'
[TIME]
SYSCALL                   COUNT
getppid                     100
read                          5
close                         3

END
	diff want report
}

@test "the table by process and by thread" {
	for option in -P --threads; do
		syscount -q $option --syscall getppid -o report -- "$load" $few
		sed -i 's/^[0-9]\+ */PID /; 1d' report
		title=$([ "$option" = -P ] && echo PID || echo TID)
		printf '%s    COMM               COUNT\nPID syscall-load         100\n\n' "$title" |
			diff - report
	done
	syscount -q -P --syscall getppid -o report -- "$load" $few
	laid_out 'NR == 3' '%-6u %-15s %8u' '$1, $2, $3' <report
}

@test "the table with times" {
	syscount -q -L -T 0 -o report -- "$load" $few
	sed -n 2p report | diff - <(printf '%-22s %8s %16s %12s %12s\n' SYSCALL COUNT \
		'TIME (us)' 'AVG (us)' 'MAX (us)')
	laid_out 'NR > 2 && NF' '%-22s %8u %16.3f %12.3f %12.3f' '$1, $2, $3, $4, $5' <report
	[ -z "$(tail -n 1 report)" ]
	# Most time first; the average is the total by the count, and not above the longest.
	awk 'NR > 2 && NF { print $3 }' report | sort -rn | diff - \
		<(awk 'NR > 2 && NF { print $3 }' report)
	awk 'NR > 2 && NF {
		if (($3 / $2 - $4) ^ 2 > 0.002 ^ 2 || $5 - $3 > 0.002 || $4 - $5 > 0.002) {
			print
			wrong++
		}
	} END { exit wrong }' report
	syscount -q -P -L -o report -- "$load" $few
	laid_out 'NR == 3' '%-6u %-15s %8u %16.3f %12.3f %12.3f' '$1, $2, $3, $4, $5, $6' <report
}

@test "each interval has its time and table" {
	report_of -i 100ms --syscall epoll_pwait,getppid -- "$load" $few -S 1
	grep -cx '\[TIME\]' report >times
	grep -cx 'SYSCALL                   COUNT' report | diff times -
	grep -c '^$' report | diff times -
}

@test "--summary has strace -c's layout" {
	syscount -q --summary -o report -- "$load" $few
	cat >want <<'END'
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
END
	sed -n 1,2p report | diff want -
	tail -n 2 report | head -n 1 | diff <(sed -n 2p want) -
	laid_out '/^ *[0-9]/ && NF == 6' '%6.2f %11.6f %11u %9u %9u %s' \
		'$1, $2, $3, $4, $5, $6' <report
	laid_out '/^ *[0-9]/ && NF == 5' '%6.2f %11.6f %11u %9u %9s %s' \
		'$1, $2, $3, $4, "", $5' <report
	[ -z "$(sed -n '/^ *[0-9]/!p' report | grep -v '^% time\|^------ ')" ]
	tail -n 1 report | grep -q '^100\.00 .* total$'
}

@test "--summary: order, sums and averages fit together" {
	syscount -q --summary -o report -- "$load" $few
	awk '/^ *[0-9]/ && $NF != "total" { print $2 }' report >seconds
	sort -rn seconds | diff - seconds
	# Seconds are rounded to 0.000001, averages cut to 1 us.
	awk '
	/^ *[0-9]/ && $NF != "total" {
		calls += $4; seconds += $2; rows++
		errors += NF == 6 ? $5 : 0
	}
	/^ *[0-9]/ {
		off = $2 * 1e6 / $4 - $3
		if (off < -1 || off >= 2)
			wrong = "average: " $0
	}
	$NF == "total" {
		off = $2 - seconds
		if ($4 != calls || (NF == 6 ? $5 : 0) != errors)
			wrong = "total: " $0
		if (off ^ 2 > (rows * 1e-6) ^ 2)
			wrong = "seconds: " $0
	}
	END { print wrong; exit wrong != "" || !rows }' report
}

@test "--summary's header and rules are those of the strace that is installed" {
	need strace
	strace -f -c -o theirs "$load" $few >/dev/null || skip "strace does not run here"
	syscount -q --summary -o ours -- "$load" $few
	grep -E '^(% time|---)' theirs | diff - <(grep -E '^(% time|---)' ours)
}

@test "--summary of nothing prints nothing, as strace; the table its header" {
	syscount -q --summary --syscall reboot -o report -- "$load" $few
	[ ! -s report ]
	report_of --syscall reboot -- "$load" $few
	[ "$(sed -n 2p report)" = 'SYSCALL                   COUNT' ]
	[ "$(wc -l <report)" -eq 3 ]
}

@test "--hist: a block for each system call, most calls last" {
	syscount -q --hist --syscall getppid,read,close -o report -- "$load" $few
	[ "$(grep ^@ report)" = $'@latencies[close]:\n@latencies[read]:\n@latencies[getppid]:' ]
	[ "$(grep -c '^$' report)" -eq 3 ]
	lacks SYSCALL report
}

@test "-l: four columns, sorted" {
	syscount -l >list
	laid_out 'NF == 4' '%-22s   %-22s   %-22s   %-22s' '$1, $2, $3, $4' <list
	[ "$(awk 'NF != 4' list | wc -l)" -le 1 ]
	tr -s ' ' '\n' <list | grep . >names
	LC_ALL=C sort -u names | diff - names
}

@test "JSON: an object a line, and the end is last" {
	syscount -q --json -L --hist --errnos -i 20ms -o report -- "$load" $few -S 1
	lacks '^[^{]|[^}]$' report
	[ "$(wc -l <report)" -gt 10 ]
	head -n 1 report | grep -q '^{"type":"meta","v":1,"tool":"syscount",'
	tail -n 1 report | grep -q '^{"type":"end",.*"lost":0,"command":{"exit":0}}$'
	[ "$(grep -c '"type":"end"' report)" -eq 1 ]
	[ "$(grep -c '"type":"interval"' report)" -eq "$(grep -c '"type":"syscalls"' report)" ]
	calls=$(json_rows <report | json_sum calls)
	grep -q "\"type\":\"end\".*\"events\":$calls," report
	if command -v jq >/dev/null; then
		[ "$(jq -r .type report | sort -u | tr '\n' ' ')" = \
			'end hist interval map meta syscalls ' ]
		[ "$(jq -r '.data[]? | select(.syscall? == "getppid") | .calls' report)" = 100 ]
	fi
}
