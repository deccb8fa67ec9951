# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# io-latencies on datagrams whose number and waits are known. How long something took on its own
# is asserted nowhere: only that it lies between bounds which the workload has measured itself.
load common
load io-latencies
load net

setup() {
	begin_as_root
	holders=()
}

teardown() {
	end_started
	net_end
}

# A command in front of the tool: inside a network.
run_in=()

# Trace io-wait; what the tool shows and what the workload states go to report and truth.
trace() {
	local options=()
	while [[ "$1" == -* ]]; do
		options+=("$1")
		shift
	done
	"${run_in[@]}" "$root/io-latencies" "${options[@]}" -o report -- "$workload/io-wait" "$@" \
		>truth 2>stderr </dev/null
}

# How many samples a histogram of the report has.
samples() {
	samples_of "$1" report
}

stated() {
	stated_of "$1" truth
}

# Each datagram that was read has a sample, and each packet that was sent.
is_complete() {
	[ "$(stated packets)" -gt 0 ]
	[ "$(samples rx_latencies)" -eq "$(stated datagrams)" ]
	[ "$(samples tx_latencies)" -eq "${1:-$(stated packets)}" ]
	if grep '^note: [0-9]' stderr | grep -v 'in @rx_latencies only'; then false; fi
}

# Of three histograms, the first lies between the others: at each edge of a slot, as many samples
# are below it as of the longest times at least, and as of the shortest at most.
lies_between() {
	awk -v seen="$1" -v shortest="$2" -v longest="$3" '
	function begin(slot) {
		gsub(/^[[(]|[],].*/, "", slot)
		if (slot == "...")
			return -1
		return slot * 1024 ^ index("KMGTPE", substr(slot, length(slot)))
	}
	$1 == "hist" {
		n[NR] = $4
		name[NR] = $2
		slot[NR] = begin($3)
		total[$2] += $4
	}
	END {
		wrong = !total[seen] || total[seen] != total[shortest] || total[seen] != total[longest]
		for (edge in slot) {
			split("", below)
			for (i in slot)
				if (slot[i] <= slot[edge])
					below[name[i]] += n[i]
			wrong += below[seen] < below[longest] || below[seen] > below[shortest]
		}
		exit wrong > 0
	}'
}

# Each wait is seen as long as the workload knows that it was.
waits_are_exact() {
	trace "$@"
	is_complete
	truth_of_report <report | grep '^hist rx_latencies' | cat - truth >facts
	cat facts
	lies_between rx_latencies rx_shortest rx_longest <facts
}

# bats test_tags=vm
@test "known waits are in the slots that the kernel's stamps say" {
	waits_are_exact waits
	waits_are_exact waits -c recvmsg -S
}

@test "each datagram of readers that block has a sample, by each call" {
	for call in recvmmsg recvmsg recv read; do
		trace blocked -n 200 -c "$call"
		is_complete
	done
	trace blocked -n 200 -d 50 -c read
	is_complete
}

@test "a reader that never blocks is as fast as what it reads" {
	trace blocked -n 1000 -b
	is_complete
	trace blocked -n 5000 -m 1 -b -c recv
	is_complete
}

# Two that have taken a datagram each at the same time may leave one without a time.
@test "several readers of one socket: each datagram has a sample, or is told" {
	trace blocked -n 1000 -t 4
	is_all_told
	trace blocked -n 1000 -t 3 -c recv -S
	is_all_told
	trace blocked -n 1000 -b -t 2 -c recv
	is_all_told
}

is_all_told() {
	unknown=$(sed -nE 's/^note: ([0-9]+) datagrams were read whose arrival.*/\1/p' stderr)
	[ "$((${unknown:-0} + $(samples rx_latencies)))" -eq "$(stated datagrams)" ]
	[ "$((10 * ${unknown:-0}))" -lt "$(stated datagrams)" ]
	[ "$(samples tx_latencies)" -eq "$(stated packets)" ]
}

@test "all backends see each sending call" {
	for backend in fentry event raw; do
		trace --backend="$backend" blocked -n 50 || {
			grep -q "backend=$backend does not work here" stderr
			continue
		}
		is_complete
	done
	[ -s report ]
}

@test "a peek is no read" {
	trace waits -n 3 # which peeks until all is there
	[ "$(samples rx_latencies)" -eq "$(stated datagrams)" ]
}

@test "--stages: each packet and datagram has all of its stages" {
	trace --stages waits -S
	is_complete
	for stage in rx_stack rx_queue; do
		[ "$(samples "$stage")" -eq "$(stated datagrams)" ] || is_old "$stage"
	done
	for stage in tx_stack tx_qdisc tx_driver; do
		[ "$(samples "$stage")" -eq "$(stated packets)" ]
	done
	[ "$(samples tx_completion)" -eq 0 ] # there is no hardware
}

# The kernel does not tell, and the tool says so.
is_old() {
	[ "$(samples "$1")" -eq 0 ] && grep -q "^note: no rx_stack" stderr
}

# bats test_tags=vm
@test "a full receive queue: drops, as the kernel counts them" {
	net_new
	run_in=(inside)
	trace flood -m 40 -s 1000
	dropped=$(stated dropped)
	[ "$dropped" -gt 0 ]
	[ "$(inside awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp)" -eq "$dropped" ]
	grep '^@drops' report >drops
	[ "$(cat drops)" = "@drops[SOCKET_RCVBUFF, $(stated port)]: $dropped" ]
	is_complete
}

# bats test_tags=vm
@test "datagrams for a socket that was closed: drops, as the kernel counts them" {
	net_new
	run_in=(inside)
	trace closed -m 7
	[ "$(inside awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp)" -eq 7 ]
	if grep 'no drops but those' stderr; then skip 'this kernel does not say why it drops'; fi
	[ "$(grep '^@drops' report)" = "@drops[NO_SOCKET, $(stated port)]: 7" ]
	is_complete
}

@test "drops at other ports are left out with a target, and shown without one" {
	net_new
	inside "$root/io-latencies" --follow=no -o report -- \
		sh -c '"$0" closed -m 3; true' "$workload/io-wait" >truth 2>stderr
	[ "$(stated dropped)" -eq 3 ]
	run ! grep '^@drops' report
	start nsenter --net="$net" "$root/io-latencies" -v -o all 2>stderr
	wait_until grep -q 'attached' stderr
	inside "$workload/io-wait" closed -m 3 >truth
	kill -INT "$pid"
	wait "$pid"
	if grep 'no drops but those' stderr; then skip 'this kernel does not say why it drops'; fi
	grep -q "^@drops\[NO_SOCKET, $(stated port)\]: 3" all
}

@test "datagrams that wait when the tool starts: those without a time are told" {
	mkfifo go
	start sh -c 'exec "$0" nothing -m 6 <go >truth' "$workload/io-wait"
	exec 7>go
	wait_until grep -q ready truth
	start "$root/io-latencies" -v -p "$pid" -o report 2>stderr 7>&-
	tool=$pid
	wait_until grep -q attached stderr
	exec 7>&-
	wait "$tool"
	[ "$(stated datagrams)" -eq 6 ]
	unknown=$(sed -nE 's/^note: ([0-9]+) datagrams were read whose arrival.*/\1/p' stderr)
	[ "$((unknown + $(samples rx_latencies)))" -eq 6 ]
	[ "$unknown" -gt 0 ]
}

@test "drops at a port that a running process has bound before the tool starts" {
	net_new
	mkfifo go
	start nsenter --net="$net" sh -c 'exec "$0" nothing -m 1 -n 1 <go >truth' "$workload/io-wait"
	exec 7>go
	wait_until grep -q ready truth
	holder=$pid
	start nsenter --net="$net" "$root/io-latencies" -v -p "$holder" -o report 2>stderr 7>&-
	tool=$pid
	wait_until grep -q attached stderr
	# The network's only counter of drops: none of them is read or seen otherwise.
	inside bash -c 'for i in $(seq 40000); do printf "%01000d" 0 >&3; done \
		3>"/dev/udp/127.0.0.1/$0"' "$(stated port)" 7>&-
	kill -KILL "$holder" # so that it never reads
	wait "$tool"
	exec 7>&-
	dropped=$(inside awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp)
	[ "$dropped" -gt 0 ]
	[ "$(grep '^@drops' report)" = "@drops[SOCKET_RCVBUFF, $(stated port)]: $dropped" ]
}

@test "intervals add up to the total" {
	trace -i20ms blocked -n 300 -d 300
	is_complete
	[ "$(grep -c '^@rx_latencies' report)" -gt 1 ]
}

@test "through a veth device into another network" {
	net_pair 1500
	waits_are_exact waits -T "$net_a" -R "$net_b"
	trace --stages blocked -n 100 -T "$net_a" -R "$net_b" -s 1400
	is_complete
	[ "$(samples tx_driver)" -eq "$(stated packets)" ]
}

@test "a packet that must be cut: one sample for each fragment" {
	net_pair 1500
	trace blocked -n 20 -s 4000 -T "$net_a" -R "$net_b"
	is_complete "$((3 * $(stated packets)))"
}

@test "what waits in a qdisc is sent by another task: each packet has its sample" {
	net_pair 1500
	net_slow in_a 200mbit
	trace --stages blocked -n 100 -m 10 -s 1400 -T "$net_a" -R "$net_b"
	is_complete
	[ "$(samples tx_qdisc)" -eq "$(stated packets)" ]
	[ "$(samples tx_driver)" -eq "$(stated packets)" ]
}

@test "a qdisc that drops: those packets are told, and the others have their samples" {
	net_pair 1500
	in_a tc qdisc add dev wire0 root tbf rate 1mbit burst 4kb limit 6000 ||
		skip 'this kernel has no qdisc tbf'
	trace blocked -n 1 -m 40 -s 1400 -T "$net_a" -R "$net_b"
	[ "$(stated datagrams)" -lt 40 ]
	[ "$(samples rx_latencies)" -eq "$(stated datagrams)" ]
	[ "$(samples tx_latencies)" -eq "$(stated datagrams)" ]
}

@test "segmentation: a packet that the device cuts, and one that the kernel cuts" {
	net_pair 1500
	trace blocked -n 20 -m 3 -s 12000 -g 1200 -T "$net_a" -R "$net_b"
	is_complete
	net_features in_a tx-udp-segmentation off
	trace blocked -n 20 -m 3 -s 12000 -g 1200 -T "$net_a" -R "$net_b"
	[ "$(samples tx_latencies)" -eq "$(stated packets)" ]
	[ "$(samples rx_latencies)" -eq "$(stated datagrams)" ]
	grep -q "^note: $(stated packets) packets were cut into segments" stderr
}

# A bash connects and writes.
@test "what is sent by write: told, and seen with --rw" {
	net_new
	writer='exec 3>/dev/udp/127.0.0.1/9 && printf abcd >&3; true'
	inside "$root/io-latencies" -o report -- bash -c "$writer" 2>stderr
	grep -q '^note: 1 packets were sent in no call that was seen' stderr
	[ "$(samples tx_latencies)" -eq 0 ]
	inside "$root/io-latencies" --rw -o report -- bash -c "$writer" 2>stderr
	[ "$(samples tx_latencies)" -eq 1 ]
}

# bats test_tags=vm
@test "io_uring: each datagram that it receives has a sample, what it sends is told" {
	for way in inline sqpoll poll shots; do
		"$root/io-latencies" -o report -- "$workload/uring-load" "$way" >truth 2>stderr || {
			[ $? -eq 77 ] && continue
		}
		[ "$(samples rx_latencies)" -eq "$(uring receives)" ]
		[ "$way" = shots ] ||
			grep -q "^note: $(uring sends) packets were sent in no call that was seen" stderr
	done
	[ -s truth ] || skip 'no io_uring here'
}

uring() {
	awk -v fact="$1" '$1 == "uring" && $2 == fact { print $3 }' truth
}

# What user space asks of it must be in there, or what is counted is not what it thinks it is.
@test "a BTF that only has what the programs read: exact, or refused with the release" {
	bpftool=$("$root/tools/deps" find bpftool)
	[ -n "$bpftool" ] || skip "bpftool is not installed"
	"$bpftool" gen min_core_btf /sys/kernel/btf/vmlinux small.btf "$root/.output/io-latencies.bpf.o"
	if trace --btf=small.btf blocked -n 9; then
		is_complete
	else
		grep -q '^why: a reader frees datagrams unseen since Linux 6.18' stderr
	fi
}

@test "text: the script's order, with its empty lines; JSON: the same counts" {
	trace waits -n 1
	[ "$(grep -nE '^@|^$' report | sed 's/^[0-9]*://' | tr '\n' '|')" = \
		'@rx_latencies:|||@tx_latencies:||' ]
	trace -fjson waits -n 2
	grep -q '"type":"unseen".*"rx_untimed":0' report
	grep '"@rx_latencies"' report | grep -q "\"count\":$(stated datagrams)"
}
