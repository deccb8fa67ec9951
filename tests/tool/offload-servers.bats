# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# generic-offload on real programs. What is true of their datagrams is said by others: the program
# at the other end, the device of the wire between them, the kernel's counters.
load common
load net
load servers

setup() {
	pids=() holders=()
	cd "$BATS_TEST_TMPDIR" || return 1
}

is_debian_12() {
	grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release
}

# The programs of Debian 12 use neither UDP_GRO (gtlsclient) nor UDP_SEGMENT (wireguard-go).
newer_programs() {
	local dir status=0
	is_debian_12 || return 0
	dir=$("$root/tools/vm-kernel" backports 2>reason) || status=$?
	[ "$status" -eq 0 ] || skip "$(sed -n "s/^SKIP: //p" reason)"
	PATH=$dir/usr/bin:$dir/usr/sbin:$PATH
	export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/usr/lib/aarch64-linux-gnu
}

# A number that the tool says of the direction $2 (tx, rx) in the JSON file $1.
offload_of() {
	grep '^{"type":"offload"' "$1" | grep "\"direction\":\"$2\"" |
		grep -o "\"$3\":[0-9]*" | cut -d: -f2
}

# The rows of histogram $2 in the JSON file $1, one a line: "min count".
rows_of() {
	grep "\"@$2\":" "$1" | grep -o '"min":[0-9]*,"max":[0-9]*,"count":[1-9][0-9]*' |
		sed 's/"min":\([0-9]*\),.*"count":/\1 /'
}

# Packets that the device of the wire has sent, at the side in_a or in_b.
packets_of() {
	"$1" awk '$1 == "wire0:" { print $11 }' /proc/net/dev
}

# Starts generic-offload in the network $1, which becomes net, on a command; the file $2 gets its
# results.
offload_in() {
	net=$1
	start generic-offload -f json -o "$2" -c "$3"
}

# Ends the command of a tool, and waits for the tool.
end_command() {
	kill -INT "$(command_of "$1")"
	wait "$1"
}

@test "knotd: each query and each answer is a message of one datagram, and no verdict blames that" {
	need knotd dnsperf
	net_new
	knot_configuration
	offload_in "$net" results 'knotd -c knot.conf'
	ask_knot
	end_command "$started"

	cat results
	[ "$(rows_of results gro_count)" = "1 $sent" ]
	[ "$(rows_of results gso_count)" = "1 $answered" ]
	[ "$(sum_of results gro_size)" -eq $((sent * query_size)) ]
	[ "$(sum_of results gso_size)" -eq $((answered * answer_size)) ]
	[ "$(offload_of results tx offloaded)" -eq 0 ]
	# Small answers to many clients: GSO is of no use for them.
	run ! grep '"type":"verdict","kind":"g[sr]o-unused"' results
	nothing_lost results
}

# What the side of the results $1 sent is what that of $2 received, message by message.
same_at_both_ends() {
	diff <(rows_of "$1" gso_count) <(rows_of "$2" gro_count)
	diff <(rows_of "$1" gso_size) <(rows_of "$2" gro_size)
	for what in messages datagrams bytes offloaded; do
		[ "$(offload_of "$1" tx $what)" -eq "$(offload_of "$2" rx $what)" ]
	done
}

# A file of $1 bytes from the network a to b; the rest are options of the client. Leaves results in
# the files server and client.
quic_transfer() {
	need gtlsserver gtlsclient openssl
	certificate
	mkdir htdocs
	truncate -s "$1" htdocs/file
	offload_in "$net_a" server 'gtlsserver -q -d htdocs 10.77.0.1 4433 key.pem cert.pem'
	local server=$started
	wait_until is_open udp 4433
	offload_in "$net_b" client "gtlsclient -q --no-http-dump --download=. ${*:2} 10.77.0.1 4433 \
		https://localhost:4433/file"
	wait "$started" || true # of an idle timeout the client says that it is an error
	end_command "$server"
	cmp file htdocs/file
	cat server client
}

@test "QUIC: as many datagrams as the device sent, where the kernel cuts messages before it" {
	# Without IPv6, which would send packets of its own.
	net_pair 1270
	net_features in_a tx-udp-segmentation off
	before=$(packets_of in_a)
	quic_transfer 3M --exit-on-all-streams-close

	[ "$(offload_of server tx datagrams)" -eq $(($(packets_of in_a) - before)) ]
	[ "$(sum_of server gso_count)" -eq "$(offload_of server tx datagrams)" ]
	# No datagram is larger than the wire.
	[ "$(sum_of server gso_count)" -gt $(($(stat -c %s file) / 1242)) ]
	[ "$(offload_of server tx offloaded)" -gt 0 ]
	# Datagrams that were too large, to find out what the wire takes, were no messages of many.
	run ! grep '"kind":"gso-errors"' server
	net=$net_a
	[ "$(count_of server gso_count)" -eq "$(kernel_count OutDatagrams)" ]
	[ "$(count_of server gro_count)" -eq "$(kernel_count InDatagrams)" ]
	net=$net_b
	[ "$(count_of client gso_count)" -eq "$(kernel_count OutDatagrams)" ]
	received=$(kernel_count InDatagrams)
	[ "$(count_of client gro_count)" -eq "$received" ]
	if [ "$(offload_of client rx offloaded)" -eq 0 ]; then
		grep "\"kind\":\"gro-unused\",\"count\":$received," client
	else
		run ! grep '"kind":"gro-unused"' client
	fi
	nothing_lost server
	nothing_lost client
}

@test "QUIC: the client's GRO histograms are the server's GSO histograms" {
	newer_programs
	net_pair 1500
	# Less than fits into the client's buffer; and the client reads until nothing more comes.
	quic_transfer 150K --timeout=1s
	[ "$(offload_of client rx offloaded)" -gt 0 ] || is_debian_12 ||
		skip 'this gtlsclient does not use UDP_GRO'

	net=$net_b
	[ "$(kernel_count RcvbufErrors)" -eq 0 ]
	[ "$(kernel_count NoPorts)" -eq 0 ]
	[ "$(rows_of server gso_count | wc -l)" -gt 2 ]
	same_at_both_ends server client
	[ "$(offload_of client rx bytes)" -gt "$(stat -c %s file)" ]
	[ "$(offload_of client rx offloaded)" -gt 0 ]
	nothing_lost server
	nothing_lost client
}

# The side a or b of a tunnel: names of the tunnels are the same in all networks' /var/run.
tunnel_start() {
	local net_var=net_$1
	offload_in "${!net_var}" "$1.json" "wireguard-go -f ws$$$1"
	tools[$1]=$started
	wait_until test -S "/var/run/wireguard/ws$$$1.sock"
	wg genkey >"key.$1"
}

# The side $1 with the number $2, and the other side and its number.
tunnel_up() {
	local net_var=net_$1 name=ws$$$1
	net=${!net_var}
	inside wg set "$name" listen-port 51820 private-key "key.$1" \
		peer "$(wg pubkey <"key.$3")" allowed-ips "10.88.0.$4/32" endpoint "10.77.0.$4:51820"
	inside ip addr add "10.88.0.$2/24" dev "$name"
	inside ip link set "$name" up
	wait_until is_open udp 51820
}

# Whether all that one side has sent was read by the other.
all_arrived() {
	local sent received
	net=$1
	sent=$(kernel_count OutDatagrams)
	net=$2
	received=$(kernel_count InDatagrams)
	[ "$sent" -eq "$received" ]
}

@test "WireGuard: each side's GRO histograms are the other side's GSO histograms" {
	need wg iperf3
	newer_programs
	need wireguard-go
	[[ "$(wireguard-go --version)" != *0.0.2022* ]] || skip 'this wireguard-go does not use GSO'
	[ -c /dev/net/tun ] || skip 'there is no /dev/net/tun'
	declare -A tools=()
	net_pair 1500
	tunnel_start a
	tunnel_start b
	tunnel_up a 1 b 2
	tunnel_up b 2 a 1
	start iperf3 -s -1 -B 10.88.0.2
	wait_until is_open tcp 5201
	# No more on its way than fits into the buffers: nothing is dropped.
	in_a timeout 30 iperf3 -c 10.88.0.2 -n 20M -w 512K
	wait_until all_arrived "$net_a" "$net_b"
	wait_until all_arrived "$net_b" "$net_a"
	for side in a b; do
		end_command "${tools[$side]}"
		cat $side.json
		nothing_lost $side.json
	done
	rmdir --ignore-fail-on-non-empty /var/run/wireguard

	same_at_both_ends a.json b.json
	same_at_both_ends b.json a.json
	[ "$(offload_of a.json tx bytes)" -gt 20000000 ]
	[ "$(rows_of a.json gso_count | wc -l)" -gt 2 ]
	[ "$(offload_of a.json tx offloaded)" -gt 100 ]
	net=$net_a
	[ "$(offload_of a.json tx messages)" -eq "$(kernel_count OutDatagrams)" ]
}
