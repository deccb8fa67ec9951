# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# generic-offload --device: what devices sent and received, as the workload says, exactly.
load common
load offload
load net

load=$workload/offload-load
port=5000

setup() {
	begin_as_root
	holders=()
	net_a='' net_b=''
}

teardown() {
	end_started
	net_end
}

# Run the tool; what it shows goes to the file report, what the target prints to truth.
trace() {
	generic-offload --device -o report "$@" >truth 2>stderr </dev/null
}

# The report with plain numbers, and without the networks by which a name is told apart; those
# of others are left out.
plain() {
	sed -E "s/, netns ($(inode "$net_a")|$(inode "$net_b"))([]:])/\2/; /, netns /d" report |
		ungrouped
}

inode() {
	[ -z "$1" ] || stat -L -c %i "$1"
}

given() {
	plain | device_given "$@"
}

datagrams_and_bytes() {
	given "$@" | cut -d ' ' -f 1,2
}

# A histogram of the report, and one of the truth, under one name.
seen_hist() {
	plain | truth_of_report | sed -nE "s/^hist $1\[[^]]*\] /hist /p"
}

true_hist() {
	sed -n "s/^hist $1 /hist /p" "${2:-truth}"
}

# That a line of the report begins with the device's name and goes on so.
says() {
	plain | grep -qE "^wire0: $1"
}

port_is_open() {
	in_b grep -qi ":$(printf %04x "${1:-$port}") " /proc/net/udp /proc/net/udp6
}

# A script that is the target: b receives with the options $1, a sends with those that follow.
both_ends() {
	local receive=$1
	shift
	cat >ends <<-END
		nsenter --net=$net_b $load -r $port $receive >received &
		until nsenter --net=$net_b grep -q ":$(printf %04X $port) " /proc/net/udp /proc/net/udp6; do
			sleep 0.02
		done
		nsenter --net=$net_a $load -s 10.77.0.2 -p $port $*
		wait
	END
	trace -c 'sh ends'
}

# Others use the same devices meanwhile, at ports of their own.
bystander() {
	start nsenter --net="$net_b" "$load" -r 6000 >/dev/null
	wait_until port_is_open 6000
	start nsenter --net="$net_a" "$load" -s 10.77.0.2 -p 6000 -n 0 -d 500 -m 1200 >/dev/null
}

is_exact() {
	[ "$(datagrams_and_bytes wire0 driver)" = "$(wire_truth truth)" ] &&
		[ "$(datagrams_and_bytes wire0 stack)" = "$(wire_truth truth)" ] &&
		! grep '^note: lost' stderr
}

# On a virtual machine with Linux 6.18, in about one run of ten, the kernel calls nobody for a burst
# of packets (tp_btf, raw and perf programs of two tools miss the same ones); why is not known. What
# is wrong in the tool fails three times.
both_ends_exactly() {
	local tries

	for tries in 1 2 3; do
		both_ends "$@"
		! is_exact || return 0
	done
	false
}

# What the driver was given in one piece each, or in the pieces of the wire.
driver_segments() {
	same_lines <(seen_hist gso_size) <(true_hist gso_size) &&
		same_lines <(seen_hist gso_count) <(true_hist gso_count)
}

driver_gets_segments() {
	same_lines <(seen_hist gso_size) <(true_hist wire_tx_size)
}

# Of messages, by the truth: those that are several datagrams.
gso_messages() {
	awk '/^hist gso_count/ && $3 != "[1]" { n += $4 } END { print n + 0 }' truth
}

# The wire's sender has a device that segments.
exact_by_device() {
	both_ends_exactly -G -n 20 -m "$1"
	# Messages so large that no device takes them in one piece fit larger datagrams only.
	[ "$1" -gt 1500 ] || driver_segments
	says "$(gso_messages) GSO packets of [0-9]+ datagrams: ([0-9]+ )?handed to the device"
	says '[0-9]+ packets of [0-9]+ datagrams came in as the sender made them'
}

# It does not, and its peer puts together.
exact_by_software() {
	net_features in_a tx-udp-segmentation off tso off
	net_features in_b gro on
	both_ends_exactly -G -n 20 -m "$1"
	driver_gets_segments
	says "$(gso_messages) GSO packets of [0-9]+ datagrams: segmented in software"
	says 'GRO made [0-9]+ packets of the [0-9]+ that came in'
	[ "$(plain | sed -nE 's/^wire0: GRO made .* of the ([0-9]+) .*/\1/p')" -eq \
		"$(wire_truth truth | cut -d ' ' -f 1)" ]
	[ "$(given wire0 stack | cut -d ' ' -f 3)" -lt "$(given wire0 driver | cut -d ' ' -f 3)" ]
}

@test "loopback: datagrams and bytes of both directions are those of the workload" {
	trace -c "$load -n 20 -G"
	[ "$(datagrams_and_bytes lo driver)" = "$(wire_truth truth)" ]
	[ "$(datagrams_and_bytes lo stack)" = "$(wire_truth truth)" ]
}

@test "a wire of MTU 1500, by what its two ends offload: all exact, and nobody else's" {
	net_pair 1500
	bystander
	exact_by_device 1500

	net_features in_a tx-udp-segmentation off
	both_ends_exactly -G -n 20 -m 1500
	driver_gets_segments
	says 'its driver gave GRO none'

	exact_by_software 1500
	both_ends_exactly '' -n 20 -m 1500
	says 'GRO merged none of [0-9]+ packets; it wants UDP_GRO of the socket'
}

@test "the same with an MTU of 1200 and of 9000" {
	for mtu in 1200 9000; do
		net_pair "$mtu"
		exact_by_device "$mtu"
		exact_by_software "$mtu"
	done
}

@test "a process that runs already: its sockets are known, and only its packets count" {
	net_new
	mkfifo stdin
	exec 9<>stdin
	nsenter --net="$net" "$load" -n 20 -w <stdin >truth 3>&- 9>&- &
	started+=($!)
	wait_until grep -qs ^ready truth
	local load_pid=$!

	start generic-offload -v --device -o report -p "$load_pid" 2>stderr 9>&-
	local tool=$pid
	wait_until grep -qs 'generic-offload: attached' stderr
	inside "$load" -n 5 >/dev/null
	exec 9>&-
	wait "$tool"
	[ "$(datagrams_and_bytes lo driver)" = "$(wire_truth truth)" ]
	[ "$(datagrams_and_bytes lo stack)" = "$(wire_truth truth)" ]
}

@test "a queue lets packets go in the context of others: they are still the target's" {
	net_pair 1500
	net_features in_a tx-udp-segmentation off
	net_slow in_a 20mbit
	both_ends_exactly '' -n 20 -m 1500 -d 0
}

@test "packets that are in the queue at the end are told" {
	net_pair 1500
	net_slow in_a 100kbit
	trace -c "nsenter --net=$net_a $load -s 10.77.0.2 -p $port -n 20 -m 1500 -d 0"
	set -- $(plain | sed -nE 's/^wire0: ([0-9]+) of ([0-9]+) datagrams were not seen to reach the driver.*/\1 \2/p')
	[ "$1" -gt 0 ]
	[ "$2" -eq "$(wire_truth truth | cut -d ' ' -f 1)" ]
}

@test "without a target all UDP counts, on both ends; a name that occurs twice is told apart" {
	net_pair 1500
	start generic-offload -v --device -o report 2>stderr
	local tool=$pid
	wait_until grep -qs 'generic-offload: attached' stderr
	start nsenter --net="$net_b" "$load" -r $port >/dev/null
	local receiver=$pid
	wait_until port_is_open
	in_a "$load" -s 10.77.0.2 -p $port -n 20 -m 1500 >truth
	wait "$receiver"
	kill -INT "$tool"
	wait "$tool"
	is_exact
	grep -qE '^@gso_size\[wire0, netns [0-9]+\]:' report
	[ "$(sed -nE 's/^wire0, netns ([0-9]+): .* given to the (driver|stack).*/\1/p' report | sort -u | wc -l)" -eq 2 ]
}

@test "IPv6, with extension headers too" {
	need perl
	net_new
	cat >options.pl <<-'END'
		use Socket;
		my $to = pack_sockaddr_in6(9, "\0" x 15 . "\1");
		socket(my $s, AF_INET6, SOCK_DGRAM, 17) or die;
		# Destination options and hop-by-hop options: 8 and 16 bytes of padding.
		setsockopt($s, 41, 59, pack("C8", 0, 0, 1, 4)) or die;
		setsockopt($s, 41, 54, pack("C16", 0, 1, 1, 12)) or die;
		send($s, "x" x 100, 0, $to) or die for 1 .. 7;
	END
	trace -c "nsenter --net=$net sh -c '$load -6 -n 20 && perl options.pl'"
	[ "$(datagrams_and_bytes lo stack)" = "$(wire_truth truth)" ]
	# Nobody receives the seven.
	printf 'wire tx %s\n' 'datagrams 7' 'bytes 700' >>truth
	[ "$(datagrams_and_bytes lo driver)" = "$(wire_truth truth)" ]
}

@test "datagrams larger than the MTU: fragments are no datagrams" {
	net_pair 1500
	trace -c "nsenter --net=$net_a $load -s 10.77.0.2 -p $port -g off -n 20 -m 9000"
	[ "$(datagrams_and_bytes wire0 driver)" = "$(wire_truth truth)" ]
	plain | grep -E '^wire0: .* given to the driver, [1-9][0-9]* of them IP fragments'
}

@test "VLAN tags do not matter" {
	net_pair 1500
	local side
	for side in a b; do
		"in_$side" ip link add link wire0 name vlan5 type vlan id 5 || skip 'no VLANs here'
		"in_$side" ip link set vlan5 up
		"in_$side" ethtool -K wire0 tx-udp-segmentation off tx-vlan-offload off \
			rx-vlan-offload off
	done
	in_a ip addr add 10.78.0.1/24 dev vlan5
	in_b ip addr add 10.78.0.2/24 dev vlan5
	start nsenter --net="$net_b" "$load" -r $port >/dev/null
	local receiver=$pid
	wait_until port_is_open
	start generic-offload -v --device -o report 2>stderr
	local tool=$pid
	wait_until grep -qs 'generic-offload: attached' stderr
	in_a "$load" -s 10.78.0.2 -p $port -n 20 -m 1400 >truth
	wait "$receiver"
	kill -INT "$tool"
	wait "$tool"
	is_exact
	[ "$(datagrams_and_bytes vlan5 driver)" = "$(wire_truth truth)" ]
}

@test "what is forwarded has no socket: it is told, not counted" {
	net_pair 1500
	in_a ip route add 10.99.0.0/24 via 10.77.0.2
	in_b ip route add 10.99.0.0/24 via 10.77.0.1
	in_b sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	trace -c "nsenter --net=$net_a $load -s 10.99.0.1 -p $port -g off -n 20 -m 1500"
	[ "$(datagrams_and_bytes wire0 driver)" = "$(wire_truth truth)" ]
	plain | grep -E "^wire0: not counted: $(wire_truth truth | cut -d ' ' -f 1) UDP packets without a socket"
}

@test "a device that is not there is refused with those that are" {
	for name in =nosuch0 =; do
		run -2 --separate-stderr generic-offload --device$name -c true
		[[ $stderr == *"no network device '${name#=}'"*"why: here are "*lo* ]]
	done
	run -2 --separate-stderr generic-offload --device nosuch0 -c true
	[[ $stderr == *"no network device 'nosuch0'"* ]]
}

@test "--device=IF: that one only; JSON has an object for each device" {
	need jq
	net_pair 1500
	cat >both <<-END
		nsenter --net=$net_a ip link set lo up
		nsenter --net=$net_a $load -n 10 >truth
		nsenter --net=$net_a $load -s 10.77.0.2 -p $port -n 2 >other
	END
	generic-offload --device=lo -f json -o report -c 'sh both' 2>stderr
	[ -s other ]
	[ "$(jq -r 'select(.type == "device") | "\(.driver.datagrams) \(.driver.bytes)"' report)" = "$(wire_truth truth)" ]
	jq -es 'map(select(.type == "device")) | length == 1 and .[0].device == "lo" and
		.[0].received.datagrams == .[0].driver.datagrams' report
	jq -es 'map(select(.type == "hist" and .data["@gso_size"])) | length == 1 and
		.[0].count == (.[0].data["@gso_size"].lo | map(.count) | add)' report
}

@test "what is not printable in a name is escaped, where it is said what to do about it too" {
	net_pair 1500
	local name=$'w\e[1m'
	in_b ip link set wire0 down
	in_b ip link set wire0 name "$name" || skip 'ip takes no such name'
	in_b ip link set "$name" up
	in_b ip addr add 10.77.0.2/24 dev "$name" || true
	in_b ip neigh add 10.77.0.1 lladdr 02:00:00:00:00:01 dev "$name" || true
	start nsenter --net="$net_b" "$load" -r $port >/dev/null
	wait_until port_is_open
	start generic-offload -v --device -o report 2>stderr
	wait_until grep -qs 'generic-offload: attached' stderr
	in_a "$load" -s 10.77.0.2 -p $port -n 2 -g off >truth
	kill -INT "$pid"
	wait "$pid"
	cat -v report
	grep -F 'w\x1b[1m: its driver gave GRO none of' report
	grep -F 'ethtool -K w\x1b[1m gro on' report
	run ! grep $'\e' report
}
