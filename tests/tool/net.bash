# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Networks of a test's own: ports are free there, and the kernel's counters are of nobody else.
# They have no name, and end with the processes that hold them: `holders=()` in the setup,
# net_end in the teardown. `load common` first.

PATH=$PATH:/usr/sbin:/sbin

# A network that has loopback only. Sets net, for inside.
net_new() {
	need ip unshare nsenter
	unshare -n sleep 300 3>&- &
	holders+=($!)
	net=/proc/$!/ns/net
	wait_until net_is_new || skip 'no network namespace can be made here'
	inside ip link set lo up
}

net_is_new() {
	[ "$(readlink "$net")" != "$(readlink /proc/self/ns/net)" ]
}

net_end() {
	[ "${#holders[@]}" -eq 0 ] || kill "${holders[@]}" 2>/dev/null
	[ "${#holders[@]}" -eq 0 ] || wait "${holders[@]}" 2>/dev/null || true
}

# Run a command in the network that was made last.
inside() {
	nsenter --net="$net" "$@"
}

# Two networks, a and b, and a wire between them with the MTU $1. In both its device is wire0; a
# has the addresses 10.77.0.1 and fd77::1, b 10.77.0.2 and fd77::2. in_a and in_b run a command.
net_pair() {
	net_new
	net_a=$net
	net_new
	net_b=$net
	in_a ip link add wire0 address 02:00:00:00:00:01 mtu "$1" type veth \
		peer name wire0 address 02:00:00:00:00:02 mtu "$1" netns "${holders[-1]}" ||
		skip 'no pair of veth devices can be made here'
	net_up in_a 1 2
	net_up in_b 2 1
}

in_a() {
	nsenter --net="$net_a" "$@"
}

in_b() {
	nsenter --net="$net_b" "$@"
}

# The end $2 of a wire to $3. It knows its neighbour: packets that wait for one may be dropped.
net_up() {
	"$1" ip link set wire0 up
	"$1" ip addr add "10.77.0.$2/24" dev wire0
	"$1" ip neigh add "10.77.0.$3" lladdr "02:00:00:00:00:0$3" dev wire0
	# Not with an MTU below 1280.
	"$1" test -d /proc/sys/net/ipv6/conf/wire0 || return 0
	"$1" ip addr add "fd77::$2/64" dev wire0 nodad
	"$1" ip neigh add "fd77::$3" lladdr "02:00:00:00:00:0$3" dev wire0
}

# net_features in_a tx-udp-segmentation off tso off gro on: as ethtool -K, at that end. A veth device
# puts datagrams together (gro) only if its peer has no tso, or it has rx-udp-gro-forwarding.
net_features() {
	local side=$1
	need ethtool
	"$side" ethtool -K wire0 "${@:2}" || skip "no such feature of veth devices here: ${*:2}"
}

# net_slow in_a 100mbit: what that end sends waits in a queue.
net_slow() {
	need tc
	"$1" tc qdisc add dev wire0 root tbf rate "$2" burst 64kb limit 64mb ||
		skip 'this kernel has no qdisc tbf'
}
