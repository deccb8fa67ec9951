# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tools/kernel-btf on images that are made by hand, and on a real kernel.
load ../tool/common

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir out
	# 12 bytes of types, 6 of strings, behind a header that says so.
	perl -e 'print pack("S<CCL<5", 0xeb9f, 1, 0, 24, 0, 12, 12, 6), "types" x 2, "ty", "\0abcd\0"' >btf
	machine=$(uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
	make_elf vmlinux .BTF
}

# make_elf FILE SECTION: an ELF file of this machine with the BTF in that section.
make_elf() {
	printf '.section %s\n.incbin "btf"\n.data\n.ascii "Linux version 9.8.7-test (me@here)"\n' \
		"$2" | gcc -x assembler -c -o "$1" -
}

# A bzImage around standard input: two sectors of boot code, then the payload at 64.
bzimage() {
	perl -0777 -e '
		my $payload = <STDIN>;
		my $image = "\0" x (1024 + 64);
		substr($image, 0x1f1, 1) = "\1";
		substr($image, 0x202, 4) = "HdrS";
		substr($image, 0x206, 2) = pack "S<", 0x20f;
		substr($image, 0x248, 8) = pack "L<L<", 64, length $payload;
		print $image, $payload, "what follows";'
}

# As the kernel is built: the size of the contents follows, which gzip has itself.
with_size() {
	cat
	perl -e 'print pack "L<", -s $ARGV[0]' "$1"
}

# An arm64 Image: no table of sections, and something that begins like BTF before it.
image() {
	perl -e 'print "MZ", "\0" x 54, "ARM\x64", "Linux version 9.8.7-test (me@here)";
		print pack("S<CCL<5", 0xeb9f, 1, 0, 24, 0, 12, 99, 6), "x" x 40'
	cat btf
	printf 'what follows'
}

# extracts FILE MACHINE
extracts() {
	local said

	rm -f out/*
	said=$("$root/tools/kernel-btf" "$1" out/btf)
	[ "$said" = "9.8.7-test $2" ]
	cmp btf out/btf
	[ "$(ls out)" = btf ]
}

# refuses FILE PATTERN: one line that fits, and nothing is left behind.
refuses() {
	rm -f out/*
	run -1 "$root/tools/kernel-btf" "$1" out/btf
	echo "$output"
	# shellcheck disable=SC2053 # a pattern
	[[ "$output" == "kernel-btf: "$2 ]]
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$(ls out)" ]
}

@test "an ELF vmlinux, as it is" {
	extracts vmlinux "$machine"
}

@test "a bzImage in each compression that kernels use" {
	gzip -c vmlinux | bzimage >image
	extracts image "$machine"
	need xz
	xz -c --check=crc32 vmlinux | with_size vmlinux | bzimage >image
	extracts image "$machine"
	need zstd
	zstd -qc vmlinux | with_size vmlinux | bzimage >image
	extracts image "$machine"
	need lz4
	lz4 -lqc vmlinux | with_size vmlinux | bzimage >image
	extracts image "$machine"
}

@test "an arm64 Image: as it is, inside gzip, inside an EFI application" {
	image >plain
	extracts plain arm64
	gzip -c plain >packed
	extracts packed arm64
	{
		perl -e 'print "MZ\0\0zimg", pack("L<L<", 64, -s "packed"), "\0" x 48'
		cat packed
	} >efi
	extracts efi arm64
}

@test "an unpacked package is searched for its kernel" {
	mkdir -p one/boot other/usr/lib/modules/9.8.7
	refuses one "no vmlinuz in 'one'"
	cp vmlinux one/boot/vmlinuz-9.8.7
	extracts one "$machine"
	cp vmlinux other/usr/lib/modules/9.8.7/vmlinuz
	extracts other "$machine"
	cp vmlinux one/boot/vmlinuz-9.8.8
	refuses one "more than one kernel in 'one': *"
}

@test "what is no kernel, or one without BTF, is refused" {
	refuses nothing "failed to open 'nothing': No such file or directory"
	: >empty
	refuses empty "'empty' is no kernel of a known machine"
	echo text >text
	refuses text "'text' is no kernel of a known machine"
	make_elf without .other
	refuses without "'without' has no BTF: the kernel was built without CONFIG_DEBUG_INFO_BTF"
	image | head -c 100 >without
	refuses without "'without' has no BTF: *"
	: >btf
	make_elf damaged .BTF
	refuses damaged "the BTF of 'damaged' is damaged"
}

@test "an image that is cut off or damaged is refused" {
	gzip -c vmlinux | bzimage >image
	head -c 1200 image >short
	refuses short "the image is cut off: the payload is outside of it"
	echo nonsense | bzimage >odd
	refuses odd "the image is compressed in a way that is not known"
	gzip -c vmlinux | head -c 60 >half
	run -1 "$root/tools/kernel-btf" half out/btf
	[[ "${lines[-1]}" == "kernel-btf: gzip refuses the image's contents" ]]
	[ -z "$(ls out)" ]
	head -c 200 vmlinux >short
	refuses short "the image ends too early"
}

@test "a decompressor that is not installed is named" {
	mkdir bin
	ln -s "$(command -v perl)" bin/perl
	gzip -c vmlinux | bzimage >image
	PATH=$PWD/bin refuses_without gzip
}

refuses_without() {
	run -1 perl "$root/tools/kernel-btf" image out/btf
	[ "$output" = "kernel-btf: $1 is missing, with which the image is compressed" ]
}

@test "the BTF of a Debian kernel is what the kernel itself shows when it runs" {
	local status=0 kernel=6.1

	"$root/tools/vm" "$kernel" sha256sum /sys/kernel/btf/vmlinux >shown 2>errors || status=$?
	[ "$status" -ne 77 ] || skip "$(sed -n '$s/^SKIP: //p' errors)"
	cat errors
	[ "$status" -eq 0 ]
	"$root/tools/kernel-btf" "$("$root/tools/vm-kernel" path "$kernel")" extracted
	[ "$(cut -d" " -f1 shown)" = "$(sha256sum <extracted | cut -d" " -f1)" ]
}
