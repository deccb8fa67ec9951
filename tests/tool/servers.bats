# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real servers, whose own counts or the kernel's must be the tools' counts. They run in a
# network of their own.
load common
load net
load servers

setup() {
	pids=() holders=()
	net_new
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "knotd: messages and bytes of recvmmsg are dnsperf's queries, those of sendmmsg its answers" {
	need knotd dnsperf
	knot_configuration
	start udp-syscall --bytes -f json -o results -c 'knotd -c knot.conf'
	ask_knot
	kill "$(command_of "$started")"
	wait "$started"

	cat results
	[ "$(sum_of results rx_ret_counts)" -eq "$sent" ]
	[ "$(sum_of results tx_ret_counts)" -eq "$answered" ]
	[ "$(sum_of results tx_arg_counts)" -eq "$answered" ]
	[ "$(sum_of results rx_bytes)" -eq $((sent * query_size)) ]
	[ "$(sum_of results tx_bytes)" -eq $((answered * answer_size)) ]
	# It asks for a batch, and it answers in one call what it received in one.
	[ "$(sum_of results rx_arg_counts)" -gt "$(count_of results rx_arg_counts)" ]
	[ "$(count_of results tx_ret_counts)" -eq "$(count_of results rx_ret_counts)" ]
	nothing_lost results
}

@test "QUIC: both sides together sent and received what the kernel counted" {
	need gtlsserver gtlsclient openssl
	certificate
	mkdir htdocs
	truncate -s 5M htdocs/file
	start udp-syscall --bytes -f json -o server \
		-c 'gtlsserver -q -d htdocs 127.0.0.1 4433 key.pem cert.pem'
	tracer=$started
	wait_until is_open udp 4433
	start udp-syscall --bytes -f json -o client -- gtlsclient -q --exit-on-all-streams-close \
		--no-http-dump --download=. 127.0.0.1 4433 https://localhost:4433/file
	wait "$started"
	kill -INT "$(command_of "$tracer")"
	wait "$tracer"

	cmp file htdocs/file
	cat server client
	inside grep Udp: /proc/net/snmp
	[ "$(($(sum_of server rx_ret_counts) + $(sum_of client rx_ret_counts)))" -eq \
		"$(kernel_count InDatagrams)" ]
	# A message that the kernel cuts into datagrams counts once, there and here.
	[ "$(($(sum_of server tx_ret_counts) + $(sum_of client tx_ret_counts)))" -eq \
		"$(kernel_count OutDatagrams)" ]
	# Full buffers may have dropped some, but nothing comes from nowhere.
	[ "$(sum_of server tx_bytes)" -ge "$(sum_of client rx_bytes)" ]
	[ "$(sum_of client rx_bytes)" -gt "$(stat -c %s file)" ]
	[ "$(sum_of client tx_bytes)" -ge "$(sum_of server rx_bytes)" ]
	[ "$(sum_of client tx_ret_counts)" -ge "$(sum_of server rx_ret_counts)" ]
	nothing_lost server
	nothing_lost client
}

@test "iperf3 -u: --rw counts its writes; without, udp-syscall says that none was seen" {
	need iperf3
	job='iperf3 -u -c 127.0.0.1 -b 0 -k 300 -l 1000 --json'
	start iperf3 -s -B 127.0.0.1
	wait_until is_open tcp 5201
	start udp-syscall --rw --bytes -f json -o results -c "$job" >report
	wait "$started"
	packets=$(awk '/"end":/ { end = 1 } end && /"packets":/ { print $2 + 0; exit }' report)
	cat results
	[ "$packets" -ge 300 ]
	# Its greeting is a write too, but a short one.
	[ "$(grep '"@tx_bytes":' results | grep -o '"min":512,"max":1023,"count":[0-9]*')" = \
		"\"min\":512,\"max\":1023,\"count\":$packets" ]
	[ "$(count_of results tx_arg_counts)" -eq $((packets + 1)) ]
	nothing_lost results

	start udp-syscall -o results -c "$job" >report 2>notes
	wait "$started"
	cat results notes
	grep -q '"packets":' report
	grep '^tx: 0\.0 calls/s' results
	run ! grep -q '^@tx' results
	grep '^note: no call .* was seen; try --rw' notes
}

# Writes a configuration for the current directory, and a file to ask for.
nginx_configuration() {
	mkdir html temp
	printf 'hello\n' >html/file
	cat >nginx.conf <<-END
		daemon off;
		user root;
		worker_processes 2;
		pid $PWD/pid;
		error_log stderr;
		events { }
		http {
			access_log off;
			sendfile on;
			keepalive_timeout 0;
			client_body_temp_path $PWD/temp/body;
			proxy_temp_path $PWD/temp/proxy;
			fastcgi_temp_path $PWD/temp/fastcgi;
			uwsgi_temp_path $PWD/temp/uwsgi;
			scgi_temp_path $PWD/temp/scgi;
			server {
				listen 127.0.0.1:8080 reuseport;
				root $PWD/html;
			}
		}
	END
}

# $1 requests, one after the other, each in a connection of its own.
request_file() {
	# shellcheck disable=SC2016 # for the inner shell
	inside bash -c 'for ((i = 0; i < $1; i++)); do
		exec 5<>/dev/tcp/127.0.0.1/8080 || exit
		printf "GET /file HTTP/1.0\r\n\r\n" >&5
		while IFS= read -r line; do last=$line; done <&5
		[ "$last" = hello ] || exit
	done' bash "$1"
}

# calls less errors of the row that holds $2.
successes_of() {
	grep -o '{[^{}]*}' "$1" | grep -F "$2" |
		sed 's/.*"calls":\([0-9]*\),"errors":\([0-9]*\).*/\1 - \2/' | { read -r sum && echo $((sum)); }
}

@test "nginx: syscount -c follows master and workers and counts each request's calls" {
	need nginx
	nginx_configuration
	start syscount -T 0 -f json -o results -c "nginx -c $PWD/nginx.conf"
	wait_until is_open tcp 8080
	request_file 60
	kill "$(command_of "$started")"
	wait "$started"

	cat results
	[ "$(successes_of results '"syscall":"accept4"')" -eq 60 ]
	[ "$(successes_of results '"syscall":"sendfile"')" -eq 60 ]
	[ "$(successes_of results '"syscall":"writev"')" -eq 60 ]
	# The master and two workers.
	[ "$(successes_of results '"syscall":"exit_group"')" -eq 3 ]
	nothing_lost results
}

workers_of() {
	grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | tr -dc '0-9\n' || true
}

has_two_workers() {
	[ "$(workers_of "$master" | wc -l)" -eq 2 ]
}

@test "nginx: syscount -p MASTER --follow gives each worker a row, and ends with them" {
	need nginx
	nginx_configuration
	start nginx -c "$PWD/nginx.conf"
	wait_until test -s pid
	master=$(cat pid)
	wait_until has_two_workers
	start syscount -P -v -f json -o results --syscall accept4,sendfile -p "$master" --follow \
		2>words
	wait_until grep -q attached words
	request_file 60
	workers=$(workers_of "$master")
	kill "$master"
	wait "$started"

	cat results
	sum=0
	for worker in $workers; do
		sum=$((sum + $(successes_of results "\"pid\":$worker}")))
	done
	[ "$sum" -eq 120 ]
	# Nobody else accepted or sent: the master does not.
	[ "$(grep -o '"pid":[0-9]*}' results | wc -l)" -eq 2 ]
	nothing_lost results
}
