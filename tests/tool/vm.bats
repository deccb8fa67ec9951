# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tools/vm and tools/vm-kernel: what they say if they cannot, and one kernel that runs a command.
load common

setup() {
	cd "$BATS_TEST_TMPDIR"
	bin=$PWD/bin
	mkdir bin
}

# A PATH that has these commands of the system only.
only() {
	local name
	for name; do
		ln -sf "$(type -P "$name")" "$bin/$name"
	done
}

# The kernel must be there already: this test is no reason to fetch one.
need_kernel() {
	need qemu-system-x86_64 busybox cpio
	"$root/tools/vm-kernel" list | grep -q "^$1 linux-" || skip "kernel $1 is not cached"
}

@test "wrong use prints the usage and exits with 2" {
	for words in '' 6.1 '-m 6.1 true' '-m many 6.1 true' '--nothing x 6.1 true'; do
		run -2 --separate-stderr "$root/tools/vm" $words
		[ -z "$output" ]
		[[ "${stderr_lines[0]}" == 'usage: tools/vm '* ]]
	done
	run -2 --separate-stderr "$root/tools/vm-kernel"
	[[ "${stderr_lines[0]}" == 'usage: tools/vm-kernel '* ]]
	run -2 --separate-stderr "$root/tools/vm" no-such-kernel true
	[ "$stderr" = "tools/vm-kernel: no kernel is called 'no-such-kernel'" ]
}

@test "no emulator, no image: skipped, with the reason" {
	mkdir -p kernel/boot
	run -77 --separate-stderr "$root/tools/vm" "$PWD/kernel" true
	[ "$stderr" = "SKIP: there is no vmlinuz in '$PWD/kernel'" ]
	: >kernel/boot/vmlinuz-1
	only bash dirname mktemp dd tr rm uname
	PATH=$bin run -77 --separate-stderr "$root/tools/vm" "$PWD/kernel" true
	[ "$stderr" = 'SKIP: there is no qemu-system-x86_64' ]
}

@test "no apt-get, no archive: skipped, with the reason, and nothing counts as cached" {
	export WIRESCOPE_CACHE=$PWD/cache
	only bash awk cat flock grep mkdir mktemp rm sed
	PATH=$bin run -77 --separate-stderr "$root/tools/vm-kernel" path 6.1
	[ "$stderr" = 'SKIP: kernel 6.1: there is no apt-get' ]
	need apt-get dpkg-deb
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || skip 'no debian-archive-keyring'
	WIRESCOPE_MIRROR=http://127.0.0.1:9 run -77 --separate-stderr \
		"$root/tools/vm-kernel" path 6.1
	[[ "$stderr" == 'SKIP: kernel 6.1: the lists of bookworm-security cannot be fetched: '* ]]
	[ ! -e cache/6.1 ]
	[ "$("$root/tools/vm-kernel" list | head -n 1)" = '5.10 ' ]
}

@test "streams, arguments, status, files out" {
	need_kernel 6.1
	mkdir dir
	echo here >dir/file
	run -37 --separate-stderr "$root/tools/vm" -d dir -o out 6.1 \
		sh -c 'cat file; echo "$0|$1"; echo back >/out/file; exit 37' "a  b'c" '$x "y"'
	[ "$output" = $'here\n'"a  b'c"'|$x "y"' ]
	[ "$(cat out/file)" = back ]
}

@test "a guest that hangs, and one that dies" {
	need_kernel 6.1
	run -124 --separate-stderr "$root/tools/vm" -t 6 6.1 sleep 1000
	[ "${stderr_lines[-1]}" = 'tools/vm: stopped after 6 s' ]
	run -125 --separate-stderr "$root/tools/vm" 6.1 sh -c 'echo c >/proc/sysrq-trigger; sleep 9'
	[[ "$stderr" == *'tools/vm: the kernel says: '*'Kernel panic'* ]]
}

@test "a signal leaves neither an emulator nor files" {
	need_kernel 6.1
	for signal in INT TERM HUP; do
		mkdir tmp
		TMPDIR=$PWD/tmp setsid env --default-signal=INT "$root/tools/vm" 6.1 sleep 1000 3>&- &
		wait_until pgrep -f "initrd $PWD/tmp/" >pids
		kill -s "$signal" "$!"
		wait "$!" || status=$?
		[ "$status" -gt 128 ]
		run -1 pgrep -f "initrd $PWD/tmp/"
		rmdir tmp
	done
}

@test "a second signal while it ends leaves nothing either" {
	need_kernel 6.1
	mkdir tmp
	TMPDIR=$PWD/tmp setsid "$root/tests/vm/guest" 6.1 sleep 1000 3>&- &
	wait_until pgrep -f "initrd $PWD/tmp/" >pids
	# To the group: the wrapper forwards it once more.
	kill -TERM -- "-$!"
	wait "$!" || status=$?
	[ "$status" -eq 143 ]
	wait_until rmdir tmp
}
