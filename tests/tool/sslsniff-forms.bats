# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What sslsniff prints, and which calls it is asked for.
load common
load tls

# talk COMMAND...: a client that sends the text $1 to a server, which reads all that it can get.
talk() {
	local text=$1
	shift
	"$@" -- "$workload/tls-openssl" -1 -a 100000 -t "$text" ${rounds:+-r "$rounds"} \
		truth "$cert" "$key" >said
}

# Payload that would act on a terminal, or look like a line of the tool's.
hostile() {
	printf 'a\033[2J\033]0;title\007b\177c\bd\re\n----- END DATA -----\n'
	printf '\302\233 \342\200\256 \342\201\246 \377\376 \303\251\n\nWRITE/SEND  0.000000000\n'
}

# Nothing but printable characters, newlines, tabs, and \r before a newline: no other C0, no C1, no
# bidirectional control.
harmless() {
	od -An -v -tx1 "$1" | tr -d '\n' | sed 's/ 0d 0a/ 0a/g' >bytes
	run ! grep -E ' (0[0-8b-f]|1[0-9a-f]|7f)( |$)' bytes
	run ! grep -E ' c2 [89][0-9a-f]| e2 80 a[a-e]| e2 81 a[6-9]' bytes
}

@test "text: bcc's columns and block" {
	rounds=2 talk 'GET / HTTP/1.1' sslsniff -o text
	cat -A text
	pid=$(awk '/^client/ { print $2 }' said)
	head -n 1 text | grep -x 'FUNC         TIME(s)            COMM             PID     LEN    '
	grep -E "^WRITE/SEND   [0-9]\.[0-9]{9}        tls-openssl      $pid *14 *$" text
	# The block of each of two writes and two reads.
	[ "$(grep -c -x -e '----- DATA -----' text)" -eq 4 ]
	grep -A 4 -x -e '----- DATA -----' text | head -n 5 >block
	printf '%s\n' '----- DATA -----' 'GET / HTTP/1.1' '----- END DATA -----' '' '' | diff - block
}

@test "text: -x and -l add columns" {
	talk hi sslsniff -x -l -o text
	cat text
	head -n 1 text | grep -x "FUNC .* PID     LEN     UID     TID     LAT(ms)"
	grep -E '^READ/RECV .* [0-9]+ +2 +0 +[0-9]+ +[0-9]+\.[0-9]{3}' text
}

@test "text: --hexdump prints every byte" {
	sslsniff --hexdump -o text -- "$workload/tls-openssl" -1 -l 1000 -a 1000 \
		truth "$cert" "$key" >said
	awk '/^----- DATA/ { inside = 1; next } /^----- END/ { exit } inside' text >lines
	[ "$(awk '{ print length }' lines | sort -n | tail -n 1)" -eq 32 ]
	tr -d '\n' <lines | perl -pe '$_ = pack "H*", $_' | cmp - truth/*-write.data
}

@test "hostile payload: the text acts on no terminal and forges no line" {
	talk "$(hostile)" sslsniff -o text
	cat -A text
	harmless text
	# Two blocks, and a row before each of them; what else looks so is inside.
	[ "$(grep -c -x -e '----- END DATA -----' text)" -eq 2 ]
	[ "$(awk '/^----- DATA/ { inside = 1 } !inside && /^(WRITE|READ)/ { n++ }
		/^----- END/ { inside = 0 } END { print n }' text)" -eq 2 ]
	# What was text is still there.
	grep -q 'é$' text
	# Also with all bytes that there are.
	rm -r truth
	mkdir truth
	sslsniff -o binary -- "$workload/tls-openssl" -1 -l 65536 truth "$cert" "$key" >said
	harmless binary
}

@test "a hostile name of a process acts on no terminal either" {
	cp "$workload/tls-openssl" $'x\033[2J\nREAD'
	sslsniff -o text -- $'./x\033[2J\nREAD' -1 -a 100 -t hi truth "$cert" "$key" >said
	cat -A text
	harmless text
	[ "$(wc -l <text)" -eq 13 ]
}

@test "hostile payload: nor where a terminal is there" {
	need script
	hostile >payload
	cat >job <<-END
		sslsniff -- "$workload/tls-openssl" -1 -t "\$(cat payload)" truth "$cert" "$key"
	END
	script -qec 'bash job' terminal >/dev/null
	grep -v '^Script ' terminal >text
	grep -q 'END DATA' text
	harmless text
}

@test "JSON: text is UTF-8, whatever the payload" {
	talk "$(hostile)" sslsniff -f json -o events
	iconv -f UTF-8 -t UTF-16 events >/dev/null
	jq -e . events >/dev/null
	compare_streams
}

@test "-o FILE: for root only, nothing is overwritten, no link is followed" {
	umask 0
	talk hi sslsniff -f json -o events
	[ "$(stat -c %a events)" = 600 ]
	echo mine >precious
	ln -s precious link
	for name in precious link; do
		run talk hi sslsniff -o "$name"
		[ "$status" -ne 0 ]
		[ "$(cat precious)" = mine ]
	done
	ln -s nowhere dangling
	run talk hi sslsniff -o dangling
	[ "$status" -ne 0 ]
	[ ! -e nowhere ]
}

# Each call with the first $1 bytes of its payload at most.
calls_up_to() {
	local file
	for file in truth/*.calls; do
		awk -v name="$(basename "$file" .calls)" -v most="$1" '
			{ print name, $1, $1 < most ? $1 : most }' "$file"
	done
}

@test "--max-bytes: so much of each call, and how much it had" {
	sniff --max-bytes 100 -- "$workload/tls-openssl" truth "$cert" "$key"
	calls_of <events | awk '{ print $1, $2, length($3) / 2 }' >seen
	calls_up_to 100 >expected
	[ -s expected ]
	same_lines expected seen
	[ "$(jq 'select(.len > 100 and .truncated != .len - 100)' events)" = '' ]
	nothing_lost events
}

@test "--no-data: all calls, without payload" {
	sniff --no-data -- "$workload/tls-openssl" truth "$cert" "$key"
	calls_of <events | awk '{ print $1, $2, 0 }' >seen
	calls_up_to 0 >expected
	same_lines expected seen
	[ "$(jq 'select(has("data") or has("data_hex"))' events)" = '' ]
	nothing_lost events
}

@test "--budget: so many bytes of each connection, of all calls in order" {
	sniff --budget 10000 -- "$workload/tls-openssl" -n 2 truth "$cert" "$key"
	calls_of <events | awk '{ print $1, $2 }' >seen
	calls_up_to 0 | cut -d' ' -f1,2 >expected
	same_lines expected seen
	jq -r 'select(.type == "tls") | "\(.pid) \(.connection) \(.data_hex | length / 2)"' events |
		awk '{ sum[$1 " " $2] += $3 } END { for (c in sum) print sum[c] }' >sums
	cat sums
	[ "$(sort sums | uniq -c | tr -s ' ')" = ' 4 10000' ]
	# The first bytes, not any: here all are of one direction, the server's read or client's write.
	calls_of <events | write_streams streams
	for file in streams/*.data; do
		cmp -n "$(stat -c %s "$file")" "$file" "truth/${file#streams/}"
	done
	nothing_lost events
}

@test "--match: only calls whose payload begins so" {
	cat >job <<-END
		"$workload/tls-openssl" -1 -a 100000 -t 'POST /GET ' -r 5 truth "$cert" "$key"
		"$workload/tls-openssl" -1 -a 100000 -t 'GET' -r 5 truth "$cert" "$key"
		"$workload/tls-openssl" -1 -a 100000 -t 'GET /index' -r 7 truth "$cert" "$key"
	END
	sniff --match 'GET ' -- sh job
	[ "$(jq -r 'select(.type == "tls") | "\(.what) \(.data)"' events | sort | uniq -c |
		tr -s ' ' | paste -sd,)" = ' 7 read GET /index, 7 write GET /index' ]
}

# One workload is asked for, another at the same time is not. $1: its port.
only_one() {
	mkdir other
	"$workload/tls-openssl" -s 7 other "$cert" "$key" >/dev/null
	go
	finish
	compare_streams
}

@test "--port: only connections with this port, in the whole system" {
	prepare "$workload/tls-openssl"
	watch --port "$(sed -n 's/^port //p' said)"
	only_one
}

# bats test_tags=vm
@test "-p: only these processes" {
	prepare "$workload/tls-openssl"
	watch -p "$peers"
	only_one
}

@test "--comm: only processes of this name" {
	cp "$workload/tls-openssl" tls-other-name
	prepare ./tls-other-name
	watch --comm tls-other-name
	only_one
}

@test "--uid: only processes of this user" {
	need setpriv
	chmod 777 truth
	chmod 644 "$key"
	chmod 755 .
	prepare setpriv --reuid="$nobody" --clear-groups "$workload/tls-openssl"
	watch --uid "$nobody"
	only_one
	[ "$(jq 'select(.type == "tls").uid' events | sort -u)" -eq "$nobody" ]
}
