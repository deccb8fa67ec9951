# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# sslsniff shows what OpenSSL's callers read and wrote: every call, and every byte.
load common
load tls

# streams_of WORKLOAD [OPTION]...
streams_of() {
	local name=$1
	shift
	need_workload "$name"
	sniff -- "$workload/$name" "$@" truth "$cert" "$key"
	compare_streams
}

@test "SSL_read and SSL_write: every byte of three connections at once, on both sides" {
	streams_of tls-openssl -n 3
	[ "$(find seen -name '*.data' | wc -l)" -eq 12 ]
}

@test "SSL_read_ex and SSL_write_ex: the same" {
	streams_of tls-openssl -x -n 2 -s 2
}

@test "TLS 1.2: the same" {
	streams_of tls-openssl -2
}

@test "calls that are made again until they succeed count once" {
	streams_of tls-openssl -N -n 2
	[ "$(awk '/^again/ { sum += $2 } END { print sum }' said)" -gt 20 ]
}

@test "calls that are made again, _ex, and take a part of what they are given" {
	streams_of tls-openssl -N -x -P -s 3
	[ "$(awk '/^again/ { sum += $2 } END { print sum }' said)" -gt 20 ]
}

@test "what was peeked at counts when it is read, once" {
	streams_of tls-openssl -k
	rm -r truth seen events
	mkdir truth
	streams_of tls-openssl -k -x -N
}

@test "early data is seen on both sides, and said to be early" {
	streams_of tls-openssl -e
	# Three calls wrote it; how it was read is the reader's affair.
	[ "$(jq -c 'select(.early and .what == "write") | .len' events | paste -sd' ')" = \
		'1 4096 8192' ]
	[ "$(jq 'select(.early and .what == "read") | .len' events | awk '{ n += $1 } END { print n }')" \
		-eq 12289 ]
}

# bats test_tags=vm
@test "programs with OpenSSL in them: by the symbols that they have" {
	streams_of tls-openssl-static
}

# handshakes_agree [OPTION]...: each side's handshake is there, as that side saw it.
handshakes_agree() {
	need_workload tls-handshakes
	sniff --handshake -- "$workload/tls-handshakes" "$@" "$cert" "$key"
	cut -d' ' -f2- said >truth.handshakes
	[ "$(grep -c ' failed ' truth.handshakes)" -eq 9 ]
	handshakes_of <events >seen.handshakes
	same_lines truth.handshakes seen.handshakes
	[ "$(jq 'select(.what == "handshake" and (.latency_ns > 0 | not))' events)" = '' ]
	nothing_lost events
}

@test "handshakes: version, cipher, name and side of the good, the reason of those that failed" {
	handshakes_agree
	[ "$(jq 'select(.what == "handshake") | .calls' events | sort -u)" -eq 1 ]
}

@test "an object that is used again has a new connection; one that has failed shakes no hands" {
	need_workload tls-reuse
	sniff --handshake -- "$workload/tls-reuse" "$cert" "$key"
	jq -r 'select(.role == "client") | "\(.ok) \(.error // "-")"' events >seen.handshakes
	printf '%s\n' 'true -' 'false wrong version number' 'true -' >truth.handshakes
	same_lines truth.handshakes seen.handshakes
	# Two servers, too; each read is of the connection of its handshake.
	[ "$(jq 'select(.type == "tls") | .connection' events | sort -u | wc -l)" -eq 5 ]
	[ "$(jq 'select(.what == "read" or (.role == "client" and .ok)) | .connection' events |
		sort | uniq -c | awk '{ print $1 }' | paste -sd' ')" = '2 2' ]
	nothing_lost events
}

@test "handshakes in many calls are one, with the reason of the last" {
	handshakes_agree -N
	[ "$(jq 'select(.what == "handshake") | .calls' events | sort -n | tail -n 1)" -gt 1 ]
}

@test "handshakes that failed are shown unasked, and those that did not are not" {
	need_workload tls-handshakes
	sslsniff -o text -- "$workload/tls-handshakes" "$cert" "$key" >said
	cat text
	[ "$(grep -c '^HANDSHAKE ' text)" -eq 9 ]
	grep '^HANDSHAKE .*  failed: certificate verify failed, .*client' text
	grep '^HANDSHAKE .*  failed: http request' text
	run ! grep ' done' text
}
