# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# sslsniff --preload: a library in the command's processes sees the calls. preload-load says how
# many it made; the workloads tls-* write down each of theirs.
load common
load net
load tls

setup() {
	begin_as_root
	holders=()
	need jq openssl
	mkdir truth
	cert=$BATS_FILE_TMPDIR/cert.pem
	key=$BATS_FILE_TMPDIR/key.pem
	load_it=$workload/preload-load
}

teardown() {
	[ ! -s pid ] || kill "$(cat pid)" 2>/dev/null || true
	# A workload that outlives the tool may still wait for it.
	touch go
	end_started
	net_end
}

# How many calls the workload made, of the process $1, else of all.
made() {
	awk -v pid="$1" '/^calls/ && (pid == "" || $2 == pid) { n += $3 } END { print n + 0 }' said
}

seen() {
	jq -c 'select((.what == "read" or .what == "write") and (.continued | not))' events | wc -l
}

lost() {
	jq 'select(.type == "end").lost' events
}

preload() {
	sniff --preload --no-data "$@"
}

@test "OpenSSL: every byte of two connections, by calls that are made again" {
	need_workload tls-openssl
	sniff --preload -- "$workload/tls-openssl" -N -x -P -n 2 truth "$cert" "$key"
	compare_streams
}

@test "OpenSSL: what was peeked at counts once, and early data is early" {
	need_workload tls-openssl
	sniff --preload -- "$workload/tls-openssl" -k -e truth "$cert" "$key"
	compare_streams
	[ "$(jq -c 'select(.early and .what == "write") | .len' events | paste -sd' ')" = \
		'1 4096 8192' ]
}

@test "GnuTLS: every byte of two connections" {
	need_workload tls-gnutls
	sniff --preload -- "$workload/tls-gnutls" -n 2 truth "$cert" "$key"
	compare_streams
}

@test "Python's ssl, a library of a library that is loaded for itself: every byte" {
	need python3
	python3 -c 'import ssl' || skip 'this python3 has no ssl'
	sniff --preload -- python3 "$root/tests/workload/tls-peer.py" truth "$cert" "$key"
	compare_streams
}

@test "handshakes: version, cipher, name and side of the good, the reason of those that failed" {
	need_workload tls-handshakes
	sniff --preload --handshake -- "$workload/tls-handshakes" -N "$cert" "$key"
	cut -d' ' -f2- said >truth.handshakes
	[ "$(grep -c ' failed ' truth.handshakes)" -gt 0 ]
	handshakes_of <events >seen.handshakes
	same_lines truth.handshakes seen.handshakes
	nothing_lost events
}

@test "a handshake that nobody asked for, but is part of a write, is one" {
	net_new
	start nsenter --net="$net" openssl s_server -accept 8443 -cert "$cert" -key "$key" -www
	wait_until inside grep -q ':20FB [0-9A-F:]* 0A ' /proc/net/tcp6
	printf 'GET / HTTP/1.0\n\n' | inside sslsniff --preload --handshake -f json -o events -- \
		openssl s_client -connect localhost:8443 -quiet
	[ "$(jq -c 'select(.what == "handshake" and .ok) | .role' events)" = '"client"' ]
	[ "$(jq -r 'select(.what == "write") | .data' events)" = 'GET / HTTP/1.0' ]
	# OpenSSL clears what it begins with, which makes no other connection of it.
	[ "$(jq 'select(.type == "tls").connection' events | sort -u)" = 1 ]
}

@test "a library that the program has loaded and asked for its functions: every call" {
	preload -- "$load_it" -t 4 -n 500 "$cert" "$key"
	[ "$(made)" -eq 4000 ]
	[ "$(seen)" -eq 4000 ]
	nothing_lost events
}

@test "fork, exec, many threads at once and one after the other: every call" {
	for options in "-f -n 20" "-e" "-t 200 -n 4" "-o 150"; do
		rm -f events
		# shellcheck disable=SC2086
		preload -- "$load_it" $options "$cert" "$key"
		[ "$(made)" -gt 0 ]
		awk '{ n[$2] += $3 } END { for (pid in n) print pid, n[pid] }' said >made
		jq 'select(.what == "read" or .what == "write").pid' events | sort | uniq -c |
			awk '{ print $2, $1 }' >seen
		same_lines made seen
		nothing_lost events
	done
}

@test "two libraries in a process: each call goes to the one that its connection is of" {
	library=$(ldd "$workload/tls-openssl" | awk '/libssl/ { print $3 }')
	[ -n "$library" ] || skip 'there is no libssl to copy'
	mkdir other
	cp "$library" other/
	preload -- "$load_it" -t 4 -n 50 -l "$PWD/other/${library##*/}" "$cert" "$key"
	[ "$(made)" -eq 400 ]
	[ "$(jq -r 'select(.what == "read" or .what == "write")["library"]' events | sort | uniq -c |
		awk '{ print $1 }' | paste -sd' ')" = '200 200' ]
	grep -q "\"library\":\"$PWD/other/" events
}

@test "connections have a number each: after fork the same, after exec others" {
	preload -- "$load_it" -f "$cert" "$key"
	[ "$(jq 'select(.type == "tls").connection' events | sort -u | wc -l)" -eq 2 ]
	rm events
	preload -- "$load_it" -e "$cert" "$key"
	[ "$(jq 'select(.type == "tls").connection' events | sort -u | wc -l)" -eq 4 ]
}

@test "--follow=no: the command, and not its children" {
	preload --follow=no -- "$load_it" -f "$cert" "$key"
	command=$(sed -n '1s/calls \([0-9]*\) .*/\1/p' said)
	[ "$(made "$command")" -eq 20 ]
	[ "$(made)" -eq 40 ]
	[ "$(seen)" -eq 20 ]
}

# half_way [OPTION]... -- [OPTION]...: of the tool and of the workload, which has done the first
# half of its calls and waits.
half_way() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	start sslsniff --preload -f json -o events "${options[@]}" -- \
		sh -c '"$0" "$@" >said; echo "status $?" >>said' \
		"$load_it" -w "$PWD/go" "$@" "$cert" "$key" 2>words
	tool=$pid
	wait_until grep -q half said
}

other_half() {
	touch go
	wait_until grep -q status said
	grep -x 'status 0' said
}

# What the tool does not read in time finds no room. Sets status to the tool's own.
stopped_half_way() {
	half_way "$@"
	kill -STOP "$tool"
	other_half
	kill -CONT "$tool"
	status=0
	wait "$tool" || status=$?
	cat words
	[ "$(lost)" -gt 0 ]
}

@test "a full ring: what is seen and what is lost are all calls, of each connection too" {
	stopped_half_way --strict --buffer 64K -- -t 3 -n 500 -s 5000
	[ "$(made)" -eq 3000 ]
	[ $(($(seen) + $(lost))) -eq 3000 ]
	[ "$(sed -nE 's/.*lost ([0-9]+) calls, [0-9]+ bytes of .*/\1/p' words |
		awk '{ n += $1 } END { print n }')" -eq "$(lost)" ]
	[ "$status" -eq 3 ]
}

@test "a call larger than a ring: its first bytes, and how many are lost" {
	stopped_half_way --buffer 64K -- -n 2 -s 100000
	grep 'lost [0-9]* of [0-9]* events (their first bytes are there' words
	[ "$status" -eq 0 ]
}

@test "the tool is killed: the command goes on, to its good end" {
	half_way --no-data -- -t 2 -n 40000 -f
	kill -KILL "$tool"
	other_half
	[ "$(made)" -eq 320000 ]
}

@test "the tool stands still: the command does not, and every call is seen or counted as lost" {
	stopped_half_way --no-data -- -t 2 -n 80000
	[ "$(made)" -eq 320000 ]
	[ $(($(seen) + $(lost))) -eq 320000 ]
}

@test "the command is killed: what it did until then is there" {
	status=0
	preload -- "$load_it" -k -t 2 -n 1000 "$cert" "$key" || status=$?
	[ "$status" -eq 137 ]
	[ "$(made)" -eq 4000 ]
	[ "$(seen)" -eq 4000 ]
}

@test "filters: --port, --match, --uid, --comm, --max-bytes, --budget" {
	need_workload tls-openssl
	sniff --preload --match bbb -- "$load_it" -n 52 "$cert" "$key"
	[ "$(seen)" -eq 4 ]
	rm events
	sniff --preload --max-bytes 7 -- "$load_it" "$cert" "$key"
	[ "$(jq -r 'select(.what == "write").data' events | sort -u | head -n 1)" = aaaaaaa ]
	rm events
	sniff --preload --budget 250 -- "$load_it" "$cert" "$key"
	[ "$(jq -j 'select(.what == "write").data // ""' events | wc -c)" -eq 250 ]
	for none in "--port 1" "--uid 12345" "--comm nobody"; do
		rm events
		# shellcheck disable=SC2086
		sniff --preload $none -- "$load_it" "$cert" "$key"
		[ "$(seen)" -eq 0 ]
	done
	rm events
	sniff --preload --comm preload-load --uid 0 -- "$load_it" "$cert" "$key"
	[ "$(seen)" -eq 20 ]
}

@test "without privileges, and as another user" {
	need setpriv
	cp "$key" readable
	chmod 644 readable
	setpriv --reuid $nobody --clear-groups --inh-caps=-all --bounding-set=-all \
		sslsniff --preload --no-data -f json -- "$load_it" "$cert" readable >events 2>words
	[ "$(grep -c '"what":"write"' events)" -eq 10 ]
	grep '"uid":65534' events
	rm events
	preload -u nobody -- "$load_it" "$cert" readable
	[ "$(jq 'select(.type == "tls").uid' events | sort -u)" = $nobody ]
	[ "$(seen)" -eq 20 ]
}

@test "a process that may have little: fewer rings, and if there are none it is said" {
	limited() {
		rm -f events
		cert=$cert key=$key \
			preload -- sh -c 'ulimit "$@"; exec "$0" -n 20 "$cert" "$key"' "$load_it" "$@"
		[ "$(made)" -eq 40 ]
	}
	limited -v 2000000
	[ "$(seen)" -eq 40 ]
	limited -f 1000000
	[ "$(seen)" -eq 40 ]
	limited -f 100
	[ "$(seen)" -eq 0 ]
	grep 'process [0-9]* is not seen' words
	[ "$(lost)" -eq 1 ]
}

@test "memory that is locked: no more of it than the threads use" {
	preload -- "$load_it" -m -t 2 "$cert" "$key"
	[ "$(seen)" -eq 40 ]
	[ "$(awk '/^shared/ { print $2 }' said)" -lt 500000 ]
}

@test "threads that go to another network: every call" {
	half_way --no-data -- -u -t 2 -n 200
	# Once it sleeps, they would wake it.
	sleep 0.5
	other_half
	wait "$tool"
	[ "$(seen)" -eq "$(made)" ]
}

@test "a constructor that asks for a function first" {
	need cc
	cat >early.c <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		__attribute__((constructor)) static void ask(void)
		{
			dlsym(RTLD_DEFAULT, "SSL_read");
		}
	END
	cc -shared -fPIC -o early.so early.c -ldl
	LD_PRELOAD=$PWD/early.so:$(ldd "$workload/tls-openssl" | awk '/libssl/ { print $3 }') \
		preload -- "$load_it" "$cert" "$key"
	[ "$(seen)" -eq 20 ]
}

@test "whoever takes the place of a tool that was killed gets nothing" {
	need python3 setpriv
	half_way --no-data -- -f
	name=$(grep -oE '@[0-9a-f]{24}$' /proc/net/unix | tail -n 1)
	kill -KILL "$tool"
	wait "$tool" || true
	start setpriv --reuid $nobody --clear-groups python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(b"\0" + sys.argv[1][1:].encode())
s.listen()
print("listening", flush=True)
while True:
    print("got", len(s.accept()[0].recv(100)), flush=True)' "$name" >thief
	wait_until grep -q listening thief
	other_half
	cat thief
	grep -q '^got' thief
	[ "$(grep -c '^got [1-9]' thief)" -eq 0 ]
}

@test "nothing of it stays in the environment but what is asked for, and LD_PRELOAD is kept" {
	LD_PRELOAD=libdl.so.2 sslsniff --preload -- sh -c 'echo "$LD_PRELOAD"' >said
	grep -E '^libdl\.so\.2:/.*/libwirescope-tls\.so$' said
	sslsniff --preload -- sh -c 'ls -l /proc/self/fd' >said
	run ! grep -E 'socket|memfd' said
}

@test "what cannot be seen is said before the command runs" {
	need_workload static/syscall-load
	refused() {
		run -125 --separate-stderr sslsniff --preload -- "$@"
		[[ "$stderr" == *why:*try:* ]]
	}
	refused "$workload/static/syscall-load"
	[[ "$stderr" == *'statically linked'* ]]
	cp /bin/true suid
	chown nobody suid
	chmod u+s suid
	refused ./suid
	[[ "$stderr" == *'set-user-ID'* ]]
	printf '#!%s\ntouch ran\n' "$workload/static/syscall-load" >script
	chmod +x script
	refused ./script
	[ ! -e ran ]
	if [ -x "$workload/tls-openssl-static" ]; then
		refused "$workload/tls-openssl-static"
		[[ "$stderr" == *'linked into it'* ]]
	fi
}

@test "it is for a command: -p and the whole system are refused" {
	for options in "" "-p $$"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr sslsniff --preload $options
		[[ "$stderr" == *'--preload is for a command'*why:*try:* ]]
	done
}

@test "--summary: calls and bytes of the workload" {
	sslsniff --preload --summary -f json -o events -- "$load_it" -n 50 "$cert" "$key"
	cat events
	for name in read_bytes write_bytes; do
		[ "$(jq "select(.type == \"hist\") | .data[\"@$name\"] // empty | map(.count) | add" \
			events)" -eq 50 ]
	done
}

@test "nginx, two workers and a reload: every request" {
	need nginx curl
	net_new
	mkdir temp
	cat >nginx.conf <<-END
		user root;
		worker_processes 2;
		pid $PWD/pid;
		error_log stderr;
		events { }
		http {
			access_log $PWD/log;
			client_body_temp_path $PWD/temp;
			server {
				listen 127.0.0.1:8443 ssl;
				ssl_certificate $cert;
				ssl_certificate_key $key;
				location / { return 200 "thanks"; }
			}
		}
	END
	start nsenter --net="$net" sslsniff --preload -f json -o events -- \
		nginx -c "$PWD/nginx.conf" -g 'daemon off;'
	tool=$pid
	wait_until inside grep -q ':20FB [0-9A-F:]* 0A ' /proc/net/tcp
	urls=()
	for i in {1..20}; do
		urls+=("https://127.0.0.1:8443/$i")
	done
	for _ in 1 2; do
		inside curl -sk --http1.1 "${urls[@]}" >answers
		kill -HUP "$(cat pid)"
		sleep 0.3
	done
	kill -QUIT "$(cat pid)"
	wait "$tool"
	[ "$(wc -l <log)" -eq 40 ]
	[ "$(jq -r 'select(.what == "read").data | select(startswith("GET /"))' events | grep -c ^GET)" -eq 40 ]
	[ "$(jq -c 'select(.what == "read").pid' events | sort -u | wc -l)" -ge 1 ]
	[ "$(jq 'select(.what == "read") | .local.port' events | sort -u)" = 8443 ]
	nothing_lost events
}
