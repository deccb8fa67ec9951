# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# sslsniff and other libraries than the system's OpenSSL, and libraries in other places.
load common
load tls

# For libraries without a descriptor, whose connections may have no ports, or learn them late: the
# bytes of each stream, which no two share.
compare_stream_bytes() {
	BY_CONNECTION=y calls_of <events | write_streams seen
	(cd seen && sha256sum ./*.data | sed 's/ .*-/ /') | sort >seen.sums
	(cd truth && sha256sum ./*.data | sed 's/ .*-/ /') | sort >truth.sums
	cat truth.sums
	[ -s truth.sums ]
	diff truth.sums seen.sums
	nothing_lost events
}

# $1 as the tool names an error: of GNUTLS_E_FATAL_ALERT_RECEIVED "fatal alert received".
words_of() {
	sed -E 's/^(GNUTLS_E|SSL_ERROR|SEC_ERROR)_//; s/_/ /g' <<<"$1" | tr '[:upper:]' '[:lower:]'
}

# Each "failed SIDE LOCAL REMOTE NAME" of the workload is a handshake that failed for this reason.
# Which side it was these libraries do not tell.
compare_failures() {
	local from to name
	while read -r _ _ from to name; do
		echo "$from $to $(words_of "$name")"
	done < <(grep ^failed said) >expected
	[ "$(wc -l <expected)" -eq 2 ]
	jq -r 'select(.type == "tls" and .ok == false) |
		"\(.local.port) \(.remote.port) \(.error)"' events >seen
	same_lines expected seen
}

# Each with options of the workload.
gnutls_agrees() {
	sniff -- "$workload/tls-gnutls" "$@" truth "$cert" "$key"
	compare_streams
	rm -r truth seen events
	mkdir truth
}

@test "GnuTLS: every byte of two connections, both versions, and with padding" {
	need_workload tls-gnutls
	gnutls_agrees -n 2
	gnutls_agrees -2
	gnutls_agrees -p
}

@test "GnuTLS: sockets that do not block; calls are made again with the data, or without it" {
	need_workload tls-gnutls
	gnutls_agrees -N -n 2
	[ "$(awk '/^again/ { sum += $2 } END { print sum }' said)" -gt 20 ]
	gnutls_agrees -N -z
}

@test "GnuTLS: messages that are corked are those that were given" {
	need_workload tls-gnutls
	gnutls_agrees -c
	gnutls_agrees -c -N
}

@test "GnuTLS: a handshake that fails, and why" {
	need_workload tls-gnutls
	sniff -- "$workload/tls-gnutls" -f truth "$cert" "$key"
	compare_failures
}

@test "NSS: every byte by PR_Read and PR_Write, and nothing of files and plain sockets" {
	need_workload tls-nss
	sniff -- "$workload/tls-nss" truth
	[ "$(grep -c '^plain 6' said)" -eq 2 ]
	compare_streams
}

@test "NSS: every byte of three connections by PR_Recv and PR_Send" {
	need_workload tls-nss
	sniff -- "$workload/tls-nss" -m -n 3 truth
	[ "$(grep -c '^plain 6' said)" -eq 6 ]
	compare_streams
}

@test "NSS: a handshake that fails, and why" {
	need_workload tls-nss
	sniff -- "$workload/tls-nss" -f truth
	compare_failures
}

@test "Python's ssl: every byte, on both sides" {
	need python3
	python3 -c 'import ssl' || skip 'this python3 has no ssl'
	sniff -- python3 "$root/tests/workload/tls-peer.py" truth "$cert" "$key"
	compare_streams
}

# node's descriptors are not OpenSSL's, and its reads are its own affair.
node_agrees() {
	sniff -- "$1" "$root/tests/workload/tls-peer.js" truth "$cert" "$key"
	compare_stream_bytes
}

@test "node: every byte, on both sides" {
	need node
	node_agrees node
}

@test "node with OpenSSL 1.1.1 in it: every byte, on both sides" {
	need_old_node
	[[ "$("$node" -p process.versions.openssl)" == 1.1.1* ]]
	node_agrees "$node"
}

libssl() {
	ldd "$workload/tls-openssl" | awk '/libssl/ { print $3 }'
}

@test "a library that was deleted, and one in another place: -p" {
	need_workload tls-openssl
	mkdir libs
	cp "$(libssl)" libs
	LD_LIBRARY_PATH=$PWD/libs prepare "$workload/tls-openssl"
	rm -r libs
	grep '(deleted)' "/proc/$client/maps"
	watch -p "$peers"
	go
	finish
	compare_streams
}

@test "a library of another mount namespace with the name of one here: -p" {
	need unshare mount
	need_workload tls-openssl
	cp "$(libssl)" copy
	# shellcheck disable=SC2016 # for the inner shell
	prepare unshare -m sh -c 'mount --bind copy "$0" && exec "$@"' "$(libssl)" \
		"$workload/tls-openssl"
	watch -p "$peers"
	go
	finish
	compare_streams
}

@test "two copies of a library and a program that has its own, at once, in the whole system" {
	need_workload tls-openssl tls-openssl-static
	mkdir libs
	cp "$(libssl)" libs
	LD_LIBRARY_PATH=$PWD/libs prepare "$workload/tls-openssl"
	prepare "$workload/tls-openssl" -s 2
	prepare "$workload/tls-openssl-static" -s 3
	watch
	go
	finish
	only_workloads <events >mine
	compare_streams mine
	[ "$(jq -r 'select(.type == "tls") | .["library"]' mine | sort -u | wc -l)" -eq 3 ]
}

# Of a capture of the whole system the processes that have written down their truth.
only_workloads() {
	local pids
	pids=$(find truth -name '*.data' -printf '%f\n' | cut -d- -f1 | sort -u | paste -sd,)
	jq -c --argjson pids "[$pids]" \
		'select(.type != "tls" or (.pid as $pid | $pids | index($pid)))'
}

# It is there when the tool starts, and comes later.
@test "a program of anyone whose calls cannot be probed does not keep the others from it" {
	need_workload tls-openssl tls-unsuited
	[ "$(uname -m)" = x86_64 ] || skip 'what the program has is no instruction of x86'
	start "$workload/tls-unsuited"
	sniff --lib "$workload/tls-unsuited" -d 1 && return 1
	rm -f events
	# shellcheck disable=SC2016 # for the inner shell
	sniff --follow -- bash -c '"$0" & "$1" -n 1 "$2" "$3" "$4"; kill $!' "$workload/tls-unsuited" \
		"$workload/tls-openssl" truth "$cert" "$key"
	compare_streams
	rm events
	sslsniff -f json -o events -d 1 2>words
	grep -qx "note: '$workload/tls-unsuited' is left out" words
	jq -e 'select(.type == "end")' events
}

@test "--list-libs names what a process has" {
	need_workload tls-openssl
	prepare "$workload/tls-openssl"
	sslsniff --list-libs -p "$client" >list
	cat list
	grep -F "$(readlink -f "$(libssl)")" list
	go
}
