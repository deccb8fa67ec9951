#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What make arm64 builds here; how it runs there is for the tests in the virtual machines. And
# tools/sysroot, with an archive made up for it.

load common

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	tools/deps arm64 --missing >"$BATS_FILE_TMPDIR/why" 2>&1 &&
		tools/sysroot >"$BATS_FILE_TMPDIR/why" 2>&1 || return 0
	rm "$BATS_FILE_TMPDIR/why"
	env -u MAKEFLAGS -u MAKELEVEL make arm64 WERROR=1 >"$BATS_FILE_TMPDIR/log" 2>&1 ||
		touch "$BATS_FILE_TMPDIR/failed"
}

setup() {
	cd "$root" || return
	built=.output/arm64
}

need_build() {
	[ ! -e "$BATS_FILE_TMPDIR/why" ] || skip "$(tail -n 1 "$BATS_FILE_TMPDIR/why")"
}

# Names of the files DIR/*SUFFIX, without the suffix.
sources() {
	local file
	for file in "$1"/*"$2"; do
		basename "$file" "$2"
	done
}

# Succeeds if the ELF files are all of one machine, as readelf calls it.
all_are() {
	local machine=$1 file
	shift
	[ $# -gt 0 ] || return
	for file; do
		echo "$file"
		LC_ALL=C readelf -h "$file" | grep -q "Machine: *$machine\$" || return
	done
}

@test "make arm64 ends well, without a warning" {
	need_build
	cat "$BATS_FILE_TMPDIR/log"
	[ ! -e "$BATS_FILE_TMPDIR/failed" ]
	! grep -i warning "$BATS_FILE_TMPDIR/log" || return
}

# But for workloads that need a TLS library, of which there is none for arm64.
@test "every tool, example and workload is there, for arm64" {
	need_build
	all_are AArch64 $(sources user .c | sed "s,^,$built/,") "$built/libwirescope-tls.so" \
		$(sources examples .bpf.c | sed "s,^,$built/,") \
		$(grep -L '^#include "tls-peer.h"\|^#include <openssl/' tests/workload/*.c |
			sed "s,.*/,,; s,[.]c\$,,; s,^probed-lib$,libprobed.so,; s,^,$built/workload/,")
}

@test "workloads for 32-bit callers and without a dynamic loader are there too" {
	need_build
	all_are ARM "$built"/workload/{udp-load,syscall-load,syscall-odd,static/syscall-load}-32
	all_are AArch64 "$built/workload/static/syscall-load"
	[ -z "$(LC_ALL=C readelf -l "$built/workload/static/syscall-load" | grep interpreter)" ]
	grep -qx 'sendmmsg 269' "$built/workload/syscall-numbers"
	grep -qx 'sendmmsg 374' "$built/workload/syscall-numbers-32"
}

@test "every BPF object is there, and reads the registers of arm64" {
	need_build
	local name
	for name in $(sources bpf .bpf.c) $(sources examples .bpf.c); do
		all_are 'Linux BPF' "$built/$name.bpf.o"
		[ -s "$built/$name.skel.h" ]
		! grep -aq orig_ax "$built/$name.bpf.o" || return
	done
	grep -aq syscallno "$built/syscount.bpf.o"
}

@test "tools/sysroot libs prints all that the programs need" {
	need_build
	local sysroot needed
	sysroot=$(tools/sysroot)
	run -0 tools/sysroot libs "$built/syscount" "$built/workload/udp-load"
	(cd "$sysroot" && all_are AArch64 "${lines[@]}")
	printf '%s\n' "${lines[@]##*/}" | sort >"$BATS_TEST_TMPDIR/listed"
	for needed in syscount workload/udp-load; do
		LC_ALL=C readelf -d "$built/$needed" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
	done | sort -u >"$BATS_TEST_TMPDIR/needed"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/needed")" -gt 4 ]
	[ -z "$(comm -13 "$BATS_TEST_TMPDIR/listed" "$BATS_TEST_TMPDIR/needed")" ]
	[ "${lines[0]}" = usr/lib/ld-linux-aarch64.so.1 ]
}

# ---- tools/sysroot with an archive of one package --------------------------------------------

# The package has an absolute link, and a file in /lib, which is a link there.
fake_archive() {
	local tree=$BATS_TEST_TMPDIR/tree bin=$BATS_TEST_TMPDIR/bin
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p "$tree/DEBIAN" "$tree/usr/lib" "$tree/lib" "$bin"
	printf '%s: %s\n' Package libx Version 1 Architecture all Maintainer x Description x \
		>"$tree/DEBIAN/control"
	echo library >"$tree/lib/libx.so.1"
	ln -s /lib/libx.so.1 "$tree/usr/lib/libx.so"
	dpkg-deb --build "$tree" libx.deb >/dev/null
	cat >"$bin/apt-get" <<-END
	#!/bin/sh
	echo "\$*" >>"$BATS_TEST_TMPDIR/apt.log"
	case \$* in
	*install*) [ ! -e "$BATS_TEST_TMPDIR/hang" ] || { : >"$BATS_TEST_TMPDIR/hangs"; sleep 60; } ;;
	*) exit ;;
	esac
	[ ! -e "$BATS_TEST_TMPDIR/broken" ] || { echo "E: the archive is broken"; exit 100; }
	cp "$BATS_TEST_TMPDIR/libx.deb" "\$(sed -n 's/^Dir::Cache "\(.*\)";/\1/p' "\$APT_CONFIG")/archives"
	END
	printf '#!/bin/sh\necho libgcc-12-dev\n' >"$bin/apt-cache"
	chmod 755 "$bin"/*
	export WIRESCOPE_CACHE=$BATS_TEST_TMPDIR/cache PATH=$bin:$PATH
}

@test "packages are unpacked where links lead to within, and fetched once" {
	fake_archive
	run -0 "$root/tools/sysroot" armhf
	[ "$(dirname "$output")" = "$WIRESCOPE_CACHE" ]
	[ "$(cat "$output/usr/lib/libx.so")" = library ]
	[ "$(cat "$output/lib/libx.so.1")" = library ]
	[ "$(readlink "$output/usr/lib/libx.so")" = libx.so.1 ]
	[ "$("$root/tools/sysroot" armhf)" = "$output" ]
	[ "$(grep -c install apt.log)" -eq 1 ]
	[ "$(ls "$WIRESCOPE_CACHE")" = "$(basename "$output")"$'\n'sysroot.lock ]
}

@test "of two at a time one fetches, the other waits for it" {
	fake_archive
	"$root/tools/sysroot" armhf >first 3>&- &
	"$root/tools/sysroot" armhf >second
	wait $!
	[ -s first ]
	cmp first second
	[ "$(grep -c install apt.log)" -eq 1 ]
}

@test "one that was killed leaves nothing that the next one would take for whole" {
	fake_archive
	touch hang
	# In a session of its own, so that what it has started is killed with it.
	setsid "$root/tools/sysroot" armhf >first 3>&- &
	wait_until test -e hangs
	kill -KILL -- "-$!"
	rm hang
	run -0 "$root/tools/sysroot" armhf
	[ "$(cat "$output/usr/lib/libx.so")" = library ]
	[ "$(ls "$WIRESCOPE_CACHE")" = "$(basename "$output")"$'\n'sysroot.lock ]
}

@test "without the packages it says why, exits with 77, and leaves nothing" {
	fake_archive
	touch broken
	run -77 --separate-stderr "$root/tools/sysroot" armhf
	[ -z "$output" ]
	[ "$stderr" = 'SKIP: tools/sysroot: failed to fetch packages for armhf: the archive is broken' ]
	[ "$(ls "$WIRESCOPE_CACHE")" = sysroot.lock ]
}

@test "a wrong use of tools/sysroot prints the usage and exits with 2" {
	run -2 "$root/tools/sysroot" riscv
	[[ "${lines[0]}" == usage:* ]]
	run -2 "$root/tools/sysroot" libs
	run -2 "$root/tools/sysroot" arm64 armhf
	run -1 "$root/tools/sysroot" libs /nothing
}
