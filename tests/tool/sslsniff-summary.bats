# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# sslsniff --summary counts what the workload did; and what is lost is counted, to the call.
load common
load tls

# Calls and bytes of all files of calls that are named: "CALLS BYTES".
sum_of_calls() {
	cat "$@" | awk '{ n++; bytes += $1 } END { print n + 0, bytes + 0 }'
}

rates_of() {
	jq -r --arg direction "$1" 'select(.type == "rates" and .direction == $direction) |
		"\(.calls) \(.bytes)"' events
}

# "MIN COUNT" of each row of the histogram $1, and the same of the truth's lengths.
rows_of() {
	jq -r --arg name "@$1" 'select(.type == "hist").data | select(has($name))[$name][] |
		select(.count > 0) | "\(.min) \(.count)"' events
}

rows_of_truth() {
	cat truth/*-"$1".calls | awk '
		{ for (low = 1; low * 2 <= $1; low *= 2); rows[low]++ }
		END { for (low in rows) print low, rows[low] }'
}

@test "--summary: calls, bytes, sizes and handshakes of the workload" {
	sniff --summary -- "$workload/tls-openssl" -n 3 truth "$cert" "$key"
	cat events
	for way in read write; do
		[ "$(rates_of $way)" = "$(sum_of_calls truth/*-$way.calls)" ]
		rows_of ${way}_bytes >rows
		rows_of_truth $way >expected
		same_lines expected rows
		[ "$(jq --arg name "@${way}_latencies" 'select(.type == "hist" and (.data |
			has($name))).count' events)" -eq "$(cat truth/*-$way.calls | wc -l)" ]
	done
	[ "$(jq -r 'select(.type == "handshakes") | "\(.completed) \(.failed)"' events)" = '6 0' ]
	[ "$(jq 'select(.type == "hist" and (.data | has("@handshake_latencies"))).count' events)" \
		-eq 6 ]
	nothing_lost events
}

@test "--summary: handshakes that failed" {
	need_workload tls-handshakes
	sniff --summary -- "$workload/tls-handshakes" "$cert" "$key"
	[ "$(jq -r 'select(.type == "handshakes") | "\(.completed) \(.failed)"' events)" = '6 9' ]
}

# Of the histogram $1 "KEY CALLS" for each key.
keys_of() {
	jq -r --arg name "@$1" 'select(.type == "hist").data | select(has($name))[$name] |
		to_entries[] | "\(.key) \([.value[].count] | add)"' events
}

@test "--summary --by process: a histogram for each" {
	sniff --summary --by process -- "$workload/tls-openssl" -n 2 truth "$cert" "$key"
	cat events
	for way in read write; do
		for pid in $(awk '/^(client|server)/ { print $2 }' said); do
			echo "$pid $(cat "truth/$pid"-*-$way.calls | wc -l)"
		done | sort >expected
		keys_of ${way}_bytes | sed -E 's/^.*[^0-9]([0-9]+ [0-9]+)$/\1/' | sort >seen
		diff expected seen
	done
}

@test "--summary --by connection: a histogram for each, with its ports" {
	sniff --summary --by connection -- "$workload/tls-openssl" -n 3 truth "$cert" "$key"
	cat events
	for file in truth/*-write.calls; do
		IFS=- read -r _ local remote _ <<<"${file#truth/}"
		keys_of write_bytes | grep -E "127.0.0.1:$local\b.*127.0.0.1:$remote .*\b$(wc -l <"$file")$"
	done
	[ "$(keys_of write_bytes | wc -l)" -eq 6 ]
}

@test "--summary --by library: a histogram for each" {
	need_workload tls-gnutls
	sniff --summary --by library -c "sh -c '$workload/tls-openssl truth $cert $key &&
		mkdir gnutls && $workload/tls-gnutls gnutls $cert $key'"
	cat events
	keys_of read_bytes >keys
	cat keys
	[ "$(wc -l <keys)" -eq 2 ]
	grep "libssl.* $(cat truth/*-read.calls | wc -l)$" keys
	grep "libgnutls.* $(cat gnutls/*-read.calls | wc -l)$" keys
}

@test "--summary -i: intervals add up" {
	prepare "$workload/tls-openssl" -n 2 -r 4
	watch --summary -i 100ms -p "$peers"
	go
	finish
	for way in read write; do
		[ "$(rates_of $way | awk '{ n += $1; bytes += $2 } END { print n, bytes }')" = \
			"$(sum_of_calls truth/*-$way.calls)" ]
	done
}

# overflow LENGTH [OPTION]...: more calls than the buffer has room for, while sslsniff is stopped.
overflow() {
	local room='--buffer 64K' len=$1
	shift
	prepare "$workload/tls-openssl" -n 3 -1 -r 300 -l "$len" -a 100000
	watch --handshake -p "$peers" "$@"
	kill -STOP "$sniffer"
	go
	kill -CONT "$sniffer"
}

# "PID-LOCAL-REMOTE CALLS BYTES" that were seen, and lost, of each connection.
seen_of_connections() {
	jq -r 'select(.type == "tls") | "\(.pid)-\(.local.port)-\(.remote.port)" +
		" \(if .continued then 0 else 1 end) \((.data_hex // "" | length) / 2)"' events
}

lost_of_connections() {
	sed -nE 's/.*lost ([0-9]+) calls, ([0-9]+) bytes of .*PID ([0-9]+)\), .*:([0-9]+) to .*:([0-9]+)$/\3-\4-\5 \1 \2/p' \
		words
}

add_by_key() {
	awk '{ calls[$1] += $2; bytes[$1] += $3 } END { for (c in calls) print c, calls[c], bytes[c] }'
}

all_accounted_for() {
	overflow "$1"
	finish
	cat words
	grep '"type":"end"' events
	for file in truth/*.calls; do
		name=$(basename "$file" .calls)
		# And the handshake.
		echo "${name%-*} $(sum_of_calls "$file" | awk '{ print $1 + 1, $2 }')"
	done >made
	[ -n "$(lost_of_connections)" ]
}

@test "loss: what is seen and what is lost are all calls, of each connection and in total" {
	all_accounted_for 1000
	{
		seen_of_connections
		lost_of_connections
	} | add_by_key >accounted
	same_lines made accounted
	lost=$(jq 'select(.type == "end").lost' events)
	[ "$lost" -eq "$(lost_of_connections | awk '{ n += $2 } END { print n }')" ]
	[ $((lost + $(jq -c 'select(.type == "tls")' events | wc -l))) -eq \
		"$(awk '{ n += $2 } END { print n }' made)" ]
}

@test "loss: of calls in several pieces all bytes, too" {
	all_accounted_for 40000
	{
		seen_of_connections
		lost_of_connections
	} | add_by_key | cut -d' ' -f1,3 >accounted
	cut -d' ' -f1,3 made >expected
	same_lines expected accounted
}

@test "loss: --strict says so by its status, and nobody is told where nothing was lost" {
	overflow 1000 --strict
	status=0
	finish || status=$?
	[ "$status" -eq 3 ]
	rm -r truth events
	mkdir truth
	sniff --strict -- "$workload/tls-openssl" truth "$cert" "$key"
	run ! grep lost words
}

@test "loss: 64 connections at once at full speed lose nothing with the default buffer" {
	room=''
	sniff --no-data -- "$workload/tls-openssl" -n 64 -1 -r 200 -l 1000 truth "$cert" "$key"
	[ "$(jq -c 'select(.type == "tls" and .what == "write")' events | wc -l)" -eq 12800 ]
	nothing_lost events
}
