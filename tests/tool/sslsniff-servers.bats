# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# sslsniff and nginx: its own log, and what curl and wrk say, are the truth. They run in a network
# of their own.
load common
load net
load tls

setup() {
	begin_as_root
	holders=() gates=() workers=()
	need jq openssl nginx
	net_new
	cert=$BATS_FILE_TMPDIR/cert.pem
	key=$BATS_FILE_TMPDIR/key.pem
	nginx_configuration
}

teardown() {
	[ ! -s pid ] || kill "$(cat pid)" 2>/dev/null || true
	end_started
	net_end
}

# Writes a configuration for the current directory, and files to ask for.
nginx_configuration() {
	mkdir html temp
	printf 'hello\n' >html/small
	head -c 70000 /dev/urandom >html/large
	cat >nginx.conf <<-END
		user root;
		worker_processes 2;
		pid $PWD/pid;
		error_log stderr;
		events { }
		http {
			log_format calls '\$remote_port \$status \$bytes_sent';
			access_log $PWD/log calls;
			keepalive_requests 1000000;
			client_body_temp_path $PWD/temp/body;
			proxy_temp_path $PWD/temp/proxy;
			fastcgi_temp_path $PWD/temp/fastcgi;
			uwsgi_temp_path $PWD/temp/uwsgi;
			scgi_temp_path $PWD/temp/scgi;
			server {
				listen 127.0.0.1:8443 ssl;
				ssl_certificate $cert;
				ssl_certificate_key $key;
				root $PWD/html;
				location /up { return 200 "thanks"; }
			}
		}
	END
}

is_listening() {
	inside grep -q ':20FB [0-9A-F:]* 0A ' /proc/net/tcp
}

workers_of() {
	grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | tr -dc '0-9\n' || true
}

has_two_workers() {
	[ "$(workers_of "$master" | wc -l)" -eq 2 ]
}

start_nginx() {
	start nsenter --net="$net" nginx -c "$PWD/nginx.conf" -g 'daemon off;'
	wait_until test -s pid
	master=$(cat pid)
	wait_until is_listening
	wait_until has_two_workers
}

# A request and its answer, of which both are known to the byte: the answer, as it came over the
# wire, goes to NAME.answer, what was asked to NAME.request, the port to NAME.port.
get() {
	inside curl -sk --http1.1 -H 'User-Agent:' -H 'Accept:' -i -o "$1.answer" \
		-w '%{local_port}' "https://127.0.0.1:8443/$2" >"$1.port"
	printf 'GET /%s HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n\r\n' "$2" >"$1.request"
}

post() {
	inside curl -sk --http1.1 -H 'User-Agent:' -H 'Accept:' -H 'Expect:' \
		-H 'Content-Type: x/y' --data-binary "@$3" -i -o "$1.answer" -w '%{local_port}' \
		"https://127.0.0.1:8443/$2" >"$1.port"
	{
		printf 'POST /%s HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n' "$2"
		printf 'Content-Type: x/y\r\nContent-Length: %s\r\n\r\n' "$(stat -c %s "$3")"
		cat "$3"
	} >"$1.request"
}

# What the side $2 ("server" or "client") of the connection NAME read and wrote, in the events.
same_bytes() {
	local name=$1 port reads=$2 writes=$3
	port=$(cat "$name.port")
	echo "$name: port $port"
	stream "$port" read | cmp - <(hex <"$reads")
	stream "$port" write | cmp - <(hex <"$writes")
}

stream() {
	jq -rj --argjson port "$1" --arg what "$2" 'select(.type == "tls" and .what == $what and
		(.local.port == $port or .remote.port == $port)) | .data_hex' events
}

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

@test "nginx: -p MASTER --follow has all requests and answers, with a reload in between" {
	need curl
	start_nginx
	watch -p "$master" --follow
	for i in 1 2 3; do
		get "before$i" small
		post "up$i" up html/large
	done
	old=$(workers_of "$master" | sort)
	kill -HUP "$master"
	wait_until has_new_workers
	for i in 1 2 3; do
		get "after$i" large
	done
	finish
	for name in before1 before2 before3 up1 up2 up3 after1 after2 after3; do
		same_bytes "$name" "$name.request" "$name.answer"
	done
	# And nothing else.
	[ "$(jq -c 'select(.type == "tls") | .remote' events | sort -u | wc -l)" -eq 9 ]
	[ "$(jq -c 'select(.type == "tls" and .what == "read") | .pid' events |
		sort -u | wc -l)" -ge 2 ]
	nothing_lost events
}

has_new_workers() {
	has_two_workers && [ -z "$(comm -12 <(echo "$old") <(workers_of "$master" | sort))" ]
}

@test "curl: its own request and answer" {
	need curl
	start_nginx
	# shellcheck disable=SC2016
	get once small
	sniff -c "nsenter --net=$net curl -sk --http1.1 -H User-Agent: -H Accept: -i -o again.answer
		-w %{local_port} https://127.0.0.1:8443/large"
	cp said again.port
	sed 's/small/large/' once.request >again.request
	same_bytes again again.answer again.request
	nothing_lost events
}

@test "nginx: as many READ events with data as requests in its log, and as many bytes written" {
	need wrk
	start sslsniff -v -f json -o events --no-data \
		-c "nsenter --net=$net nginx -c $PWD/nginx.conf -g 'daemon off;'" 2>words
	sniffer=$pid
	wait_until is_listening
	inside wrk -t 1 -c 8 -d 1 https://127.0.0.1:8443/small >report
	cat report
	kill "$(cat pid)"
	wait "$sniffer"
	requests=$(awk '/requests in/ { print $1 }' report)
	logged=$(wc -l <log)
	jq -r 'select(.type == "tls") | "\(.what) \(.len)"' events | awk '
		{ calls[$1]++; bytes[$1] += $2 }
		END { print calls["read"], bytes["write"] }' >counts
	cat counts
	# What wrk has sent and does not wait for at its end.
	[ "$requests" -gt 100 ]
	[ "$logged" -ge "$requests" ]
	[ "$logged" -le $((requests + 8)) ]
	[ "$(cat counts)" = "$logged $(awk '{ sum += $3 } END { print sum }' log)" ]
	nothing_lost events
}

@test "nginx: --summary counts the requests in its log" {
	need wrk
	start_nginx
	start sslsniff -v --summary -f json -o events -p "$master" --follow 2>words
	sniffer=$pid
	wait_until grep -q attached words
	inside wrk -t 1 -c 8 -d 1 https://127.0.0.1:8443/small >report
	cat report
	wait_until no_connections
	finish
	grep '"type":"rates"' events
	[ "$(jq 'select(.type == "rates" and .direction == "read").calls' events)" -eq \
		"$(wc -l <log)" ]
	[ "$(jq 'select(.type == "rates" and .direction == "write").bytes' events)" -eq \
		"$(awk '{ sum += $3 } END { print sum }' log)" ]
	[ "$(jq 'select(.type == "handshakes").completed' events)" -ge 8 ]
	nothing_lost events
}

no_connections() {
	! inside grep -q ':20FB [0-9A-F:]* 01 ' /proc/net/tcp
}

@test "curl that does not trust nginx: each side has its reason" {
	need curl
	start_nginx
	watch -p "$master" --follow
	status=0
	inside sslsniff -f json -o client -- curl -s https://127.0.0.1:8443/small || status=$?
	[ "$status" -eq 60 ]
	finish
	[ "$(jq -r 'select(.ok == false) | "\(.role): \(.error)"' client events)" = \
		"$(printf '%s\n' 'client: certificate verify failed' 'server: tlsv1 alert unknown ca')" ]
	[ "$(jq -c 'select(.what == "read" or .what == "write")' client events)" = '' ]
}
