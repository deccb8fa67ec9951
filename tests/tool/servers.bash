# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real servers under a tool: how they are started and asked for what they did. `load common` and
# `load net` first; `pids=() holders=()` in the setup.

teardown() {
	# The last one first: clients before servers, and the network at the end.
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null || true
	done
	net_end
	wait
}

# Starts a command; $started is its PID, which passes signals on.
start() {
	timeout -k 5 60 nsenter --net="$net" "$@" 3>&- &
	started=$!
	pids+=("$started")
}

# The command of a tool that start() has started.
command_of() {
	child_of "$(child_of "$1")"
}

# A local port of "tcp" or "udp" that waits for clients (states of net/tcp_states.h).
is_open() {
	local state=07
	[ "$1" = udp ] || state=0A
	inside grep -q ":$(printf %04X "$2") [0-9A-F:]* $state " "/proc/net/$1"
}

# Of the histogram $2 in the JSON file $1: the sum of all values, or how many there are.
sum_of() {
	grep "\"@$2\":" "$1" | grep -o '"sum":[0-9]*' | cut -d: -f2
}

count_of() {
	grep "\"@$2\":" "$1" | grep -o '^{"type":"hist","count":[0-9]*' | cut -d: -f3
}

nothing_lost() {
	grep '^{"type":"end",' "$1" | grep '"lost":0'
}

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-subj /CN=localhost -keyout key.pem -out cert.pem
}

# For knotd in the current directory, and queries for dnsperf.
knot_configuration() {
	cat >knot.conf <<-END
		server:
		    rundir: "$PWD"
		    listen: 127.0.0.1@5353
		    udp-workers: 2
		    user: root:root
		database:
		    storage: "$PWD"
		zone:
		  - domain: example.com
		    file: "$PWD/zone"
	END
	printf '%s\n' '@ 60 SOA ns admin 1 60 60 60 60' '@ 60 NS ns' 'ns 60 A 127.0.0.1' >zone
	echo 'ns.example.com A' >queries
}

# One of the counters of all UDP sockets of the network.
kernel_count() {
	inside awk -v name="$1" '
		/^Udp: [A-Z]/ { for (i = 2; i <= NF; i++) if ($i == name) at = i }
		/^Udp: [0-9]/ { print $at }' /proc/net/snmp
}

# Queries to the knotd of knot_configuration, from when it is there. Sets what dnsperf says of them:
# sent, answered, query_size, answer_size.
ask_knot() {
	wait_until is_open udp 5353
	inside dnsperf -s 127.0.0.1 -p 5353 -d queries -n 2000 -c 8 -q 100 -t 30 >report
	cat report
	sent=$(awk '/Queries sent:/ { print $3 }' report)
	answered=$(awk '/Queries completed:/ { print $3 }' report)
	read -r query_size answer_size < <(sed -n \
		's/.*packet size: *request \([0-9]*\), response \([0-9]*\).*/\1 \2/p' report)
	[ "$sent" -eq 2000 ]
}
