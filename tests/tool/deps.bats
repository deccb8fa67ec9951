#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# tools/deps in a system made up for it: its own PATH, root directory, apt-get and package
# archive. Nothing outside of the test's directory is looked at, let alone installed.

build_packages='gcc make clang llvm bpftool pkg-config libc6-dev libbpf-dev libelf-dev
	zlib1g-dev libjansson-dev libseccomp-dev libzydis-dev'
check_packages='libcmocka-dev bats'
optional_packages='bpftrace strace knot dnsperf nginx-light iperf3 ngtcp2-server ngtcp2-client
	openssl libssl-dev libgnutls28-dev libnss3-dev curl wrk nodejs python3 iproute2 ethtool wireguard-tools wireguard-go xz-utils zstd lz4 systemtap-sdt-dev
	gcc-multilib libclang-rt-dev clang-format lld qemu-system-x86 qemu-system-arm
	busybox-static cpio jq debian-archive-keyring'
apt='apt-get install -y --no-install-recommends'

setup()
{
	deps="$BATS_TEST_DIRNAME/../../tools/deps"
	root=$BATS_TEST_TMPDIR/root
	bin=$root/bin
	mkdir -p "$bin" "$root/usr/sbin" "$root/usr/include" "$root/var/lib/apt/lists"
	for tool in sh env true sed grep sort tr cat rm chmod dirname; do
		ln -s "$(type -P "$tool")" "$bin/$tool"
	done
	touch "$root/modules" "$root/broken"
	printf '%s\n' $build_packages $check_packages $optional_packages >"$root/archive"
	touch "$root/var/lib/apt/lists/x_Packages"
	command_file id 'echo "${FAKE_UID:-0}"'
	command_file uname 'echo x86_64'
	command_file apt-cache '
		while read -r name; do
			[ "$name" != "$2" ] || printf "%s:\n  Candidate: 1.0\n" "$name"
		done <"$DEPS_ROOT/archive"'
	apt_get
}

command_file()
{
	printf '#!%s\n%s\n' "$(command -v sh)" "$2" >"$bin/$1"
	chmod 755 "$bin/$1"
}

# What each package of the archive brings; the real apt-get's behaviour otherwise: all of the
# packages or none.
provide()
{
	case $1 in
	pkg-config) command_file pkg-config 'grep -qx "$2" "$DEPS_ROOT/modules"' ;;
	gcc) command_file gcc 'echo "$DEPS_ROOT/lib32/${2#*=}"' ;;
	llvm) command_file llvm-strip : && command_file llvm-ar : ;;
	lld) command_file ld.lld : ;;
	xz-utils) command_file xz : ;;
	qemu-system-x86) command_file qemu-system-x86_64 : ;;
	qemu-system-arm) command_file qemu-system-aarch64 : ;;
	busybox-static) command_file busybox : ;;
	debian-archive-keyring)
		mkdir -p "$root/usr/share/keyrings"
		touch "$root/usr/share/keyrings/debian-archive-keyring.gpg"
		;;
	knot) command_file knotd : ;;
	nodejs) command_file node : ;;
	iproute2) command_file ip : && command_file tc : ;;
	wireguard-tools) command_file wg : ;;
	nginx*) command_file nginx : ;;
	ngtcp2-server) command_file gtlsserver : ;;
	ngtcp2-client) command_file gtlsclient : ;;
	libc6-dev) touch "$root/usr/include/stdio.h" ;;
	libzydis-dev) mkdir "$root/usr/include/Zydis" && touch "$root/usr/include/Zydis/Zydis.h" ;;
	systemtap-sdt-dev)
		mkdir -p "$root/usr/include/x86_64-linux-gnu/sys"
		touch "$root/usr/include/x86_64-linux-gnu/sys/sdt.h"
		;;
	gcc-multilib)
		mkdir -p "$root/lib32"
		touch "$root/lib32/crt1.o" "$root/lib32/libgcc.a"
		;;
	libclang-rt-dev)
		mkdir -p "$root/lib/linux"
		touch "$root/lib/linux/libclang_rt.fuzzer.a"
		;;
	libcmocka-dev) echo cmocka >>"$root/modules" ;;
	zlib1g-dev) echo zlib >>"$root/modules" ;;
	libssl-dev) echo openssl >>"$root/modules" ;;
	libgnutls28-dev) echo gnutls >>"$root/modules" ;;
	libnss3-dev) echo nss >>"$root/modules" ;;
	lib*-dev)
		set -- "${1%-dev}"
		case $1 in libjansson) set -- jansson ;; esac
		echo "$1" >>"$root/modules"
		;;
	linux-tools-*) command_file bpftool : ;;
	*) command_file "$1" : ;;
	esac
}

apt_get()
{
	{
		declare -f command_file provide
		cat <<'END'
root=$DEPS_ROOT bin=$DEPS_ROOT/bin
echo "$*" >>"$root/apt.log"
case $1 in
update)
	: >"$root/var/lib/apt/lists/x_Packages"
	[ ! -e "$root/archive.new" ] || cat "$root/archive.new" >"$root/archive"
	exit 0
	;;
esac
cat "$root/usr/sbin/policy-rc.d" >"$root/policy.seen" 2>/dev/null
echo "$DEBIAN_FRONTEND" >"$root/frontend.seen"
[ ! -e "$root/kill" ] || { kill -TERM $PPID; exit 100; }
shift 3
for package; do
	grep -qx "$package" "$root/archive" || { echo "E: no $package"; exit 100; }
	! grep -qx "$package" "$root/broken" || exit 100
done
for package; do
	provide "$package"
done
END
	} >"$bin/apt-get.bash"
	cat >"$bin/apt-get" <<END
#!$(command -v sh)
PATH=\$PATH:$(dirname "$(command -v touch)") exec $(command -v bash) $bin/apt-get.bash "\$@"
END
	chmod 755 "$bin/apt-get"
}

install_all()
{
	for package; do
		provide "$package"
	done
}

deps()
{
	run env -i PATH="$bin" DEPS_ROOT="$root" ${extra:-} "$deps" "$@" </dev/null
	echo "$output"
}

never_ran_apt()
{
	[ ! -e "$root/apt.log" ]
}

@test "a complete set prints nothing and leaves apt alone" {
	install_all $build_packages
	deps build
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	install_all $check_packages $optional_packages
	for set in check demo arm64 vm vm-wide all; do
		deps "$set"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
	never_ran_apt
}

@test "--missing names each missing thing and where it was looked for, and installs nothing" {
	install_all $build_packages
	rm "$bin/bpftool" "$bin/make"
	sed -i /libelf/d "$root/modules"
	deps build --missing
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
	[ "${lines[0]}" = 'missing: make (looked in PATH, /usr/sbin, /sbin); run: make deps' ]
	[[ "${lines[1]}" == 'missing: bpftool (looked in PATH, /usr/sbin, /sbin'*'; run: make deps' ]]
	[[ "${lines[2]}" == 'missing: libelf (looked for the module libelf '*'; run: make deps' ]]
	never_ran_apt
}

@test "--missing succeeds if only optional things are missing, and lists them" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/strace"
	deps check --missing
	[ "$status" -eq 0 ]
	[[ "$output" == 'missing: strace ('*'only some tests need it); run: tools/deps check' ]]
}

@test "--print prints the line for everything that is missing and does not run it" {
	deps all --print
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	read -ra words <<<"$output"
	[ "$(printf '%s\n' "${words[@]:4}" | sort)" = "$(sort "$root/archive")" ]
	never_ran_apt
}

@test "--print leaves out what apt does not know and the set can do without" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/strace" "$bin/dnsperf"
	sed -i /dnsperf/d "$root/archive"
	deps check --print
	[ "$output" = "$apt strace" ]
}

@test "what is missing is installed by the very line that is printed" {
	install_all $build_packages
	rm "$bin/clang" "$bin/bpftool"
	deps build
	[ "$status" -eq 0 ]
	[ "$output" = "$apt clang bpftool" ]
	[ "apt-get $(cat "$root/apt.log")" = "$output" ]
	[ "$(cat "$root/frontend.seen")" = noninteractive ]
	rm "$root/apt.log"
	deps build
	[ "$status" -eq 0 ]
	never_ran_apt
}

@test "from nothing, every set becomes complete" {
	rm "$root"/var/lib/apt/lists/*
	deps all
	[ "$status" -eq 0 ]
	[ "$(head -n 1 "$root/apt.log")" = update ]
	[ "$(grep -c ^install "$root/apt.log")" -eq 2 ]
	rm "$root/apt.log"
	deps all
	[ -z "$output" ]
	never_ran_apt
}

@test "a failed installation is tried once more with new lists" {
	install_all $build_packages
	rm "$bin/clang"
	mv "$root/archive" "$root/archive.new"
	touch "$root/archive"
	deps build
	[ "$status" -eq 0 ]
	[ "$(cut -d ' ' -f 1 "$root/apt.log" | tr '\n' ' ')" = 'install update install ' ]
}

@test "a needed package that cannot be installed fails" {
	install_all $build_packages
	rm "$bin/clang"
	sed -i /clang/d "$root/archive"
	deps build
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == 'tools/deps: failed to install'* ]]
}

@test "an installation that does not bring the thing fails" {
	install_all $build_packages
	command_file bpftool 'exit 1'
	command_file apt-get 'exit 0'
	deps build
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == 'missing: bpftool'* ]]
}

@test "an optional package that apt does not know is named and does not fail" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/dnsperf" "$bin/strace"
	sed -i /dnsperf/d "$root/archive"
	deps check
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$apt strace" ]
	[ "${lines[1]}" = 'not available: dnsperf (tests that need it will be skipped)' ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "one optional package that cannot be installed does not keep the others out" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/dnsperf" "$bin/strace" "$bin/iperf3"
	echo dnsperf >"$root/broken"
	deps check
	[ "$status" -eq 0 ]
	[ -x "$bin/strace" ]
	[ -x "$bin/iperf3" ]
	[ "${lines[-1]}" = 'not available: dnsperf (tests that need it will be skipped)' ]
}

@test "what check can do without is needed for demo" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/gtlsserver"
	sed -i /ngtcp2-server/d "$root/archive"
	deps check
	[ "$status" -eq 0 ]
	deps demo
	[ "$status" -eq 1 ]
	deps all --missing
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "services are held while packages are installed, and not after" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/nginx"
	deps check
	[ "$status" -eq 0 ]
	grep -qx 'exit 101' "$root/policy.seen"
	[ ! -e "$root/usr/sbin/policy-rc.d" ]
}

@test "services that came with a package are disabled, others are not" {
	install_all $build_packages $check_packages $optional_packages
	command_file systemctl 'echo "$*" >>"$DEPS_ROOT/systemctl.log"'
	rm "$bin/nginx" "$bin/strace"
	deps check
	[ "$status" -eq 0 ]
	[ "$(cat "$root/systemctl.log")" = '--quiet disable nginx' ]
}

@test "a policy of the system's own stays as it is" {
	install_all $build_packages
	rm "$bin/clang"
	printf '#!/bin/sh\nexit 104\n' >"$root/usr/sbin/policy-rc.d"
	deps build
	[ "$status" -eq 0 ]
	[ "$(cat "$root/usr/sbin/policy-rc.d")" = $'#!/bin/sh\nexit 104' ]
}

@test "the policy goes away when the installation fails or is ended by a signal" {
	install_all $build_packages
	rm "$bin/clang"
	echo clang >"$root/broken"
	deps build
	[ "$status" -eq 1 ]
	[ -s "$root/policy.seen" ]
	[ ! -e "$root/usr/sbin/policy-rc.d" ]
	touch "$root/kill"
	deps build
	[ "$status" -eq 143 ]
	[ ! -e "$root/usr/sbin/policy-rc.d" ]
}

@test "a policy left by a run that was killed is taken away" {
	install_all $build_packages
	rm "$bin/clang"
	deps build
	rm "$bin/clang"
	cp "$root/policy.seen" "$root/usr/sbin/policy-rc.d"
	deps build
	[ "$status" -eq 0 ]
	[ ! -e "$root/usr/sbin/policy-rc.d" ]
}

@test "commands are found in /usr/sbin though it is not in PATH" {
	install_all $build_packages
	mv "$bin/bpftool" "$root/usr/sbin/bpftool"
	deps build
	[ "$status" -eq 0 ]
	deps find bpftool
	[ "$output" = "$root/usr/sbin/bpftool" ]
}

@test "a bpftool that does not run is missing, unless a real one stands elsewhere" {
	install_all $build_packages
	command_file bpftool 'echo "WARNING: bpftool not found for this kernel" && exit 2'
	deps build --missing
	[ "$status" -eq 1 ]
	[[ "$output" == 'missing: bpftool ('* ]]
	mkdir -p "$root/usr/lib/linux-tools/6.8.0-31-generic"
	command_file real :
	mv "$bin/real" "$root/usr/lib/linux-tools/6.8.0-31-generic/bpftool"
	deps build --missing
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "where bpftool is no package of its own, the kernel's tools are installed" {
	install_all $build_packages
	rm "$bin/bpftool"
	sed -i /bpftool/d "$root/archive"
	printf '%s\n' linux-tools-common linux-tools-generic >>"$root/archive"
	deps build
	[ "$status" -eq 0 ]
	[ "$output" = "$apt linux-tools-common linux-tools-generic" ]
}

@test "any package that brings nginx will do" {
	install_all $build_packages $check_packages $optional_packages
	rm "$bin/nginx"
	sed -i 's/^nginx-light$/nginx/' "$root/archive"
	deps check --print
	[ "$output" = "$apt nginx" ]
}

@test "a command with a version after its name will do; the newest is found" {
	install_all $build_packages
	mv "$bin/clang" "$bin/clang-9"
	cp "$bin/clang-9" "$bin/clang-14"
	deps build
	[ -z "$output" ]
	deps find clang
	[ "$output" = "$bin/clang-14" ]
	deps find llvm-strip
	[ "$output" = "$bin/llvm-strip" ]
}

@test "what a variable names is taken instead" {
	install_all $build_packages
	mv "$bin/gcc" "$bin/mycc"
	deps build --missing
	[ "$status" -eq 1 ]
	extra='CC=mycc' deps build --missing
	[ "$status" -eq 0 ]
	extra="BPFTOOL=$bin/make" deps find bpftool
	[ "$output" = "$bin/make" ]
}

@test "a header serves where pkg-config does not know the library" {
	install_all $build_packages
	sed -i /libelf/d "$root/modules"
	mkdir -p "$root/usr/include/x86_64-linux-gnu"
	touch "$root/usr/include/x86_64-linux-gnu/gelf.h"
	deps build --missing
	[ "$status" -eq 0 ]
}

@test "without apt-get it says what is missing and Debian's names" {
	install_all $build_packages
	rm "$bin/apt-get" "$bin/clang"
	sed -i /libelf/d "$root/modules"
	deps build
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 'missing: clang (looked in PATH, /usr/sbin, /sbin)' ]
	[[ "${lines[1]}" == 'missing: libelf ('* ]]
	[[ "${lines[2]}" == *"Debian's names: clang libelf-dev" ]]
}

@test "without root and sudo it says what to run" {
	install_all $build_packages
	rm "$bin/clang"
	extra='FAKE_UID=1000' deps build
	[ "$status" -eq 1 ]
	[[ "$output" == *"run as root: $apt clang" ]]
	never_ran_apt
}

@test "without root it uses sudo" {
	install_all $build_packages
	rm "$bin/clang"
	command_file sudo 'echo "$*" >>"$DEPS_ROOT/sudo.log"; [ "$1" != -n ] || shift; exec "$@"'
	extra='FAKE_UID=1000' deps build
	[ "$status" -eq 0 ]
	grep -q "^-n env DEBIAN_FRONTEND=noninteractive .*$apt clang" "$root/sudo.log"
}

@test "a wrong use prints the usage and exits with 2" {
	deps
	[ "$status" -eq 2 ]
	[[ "${lines[0]}" == usage:* ]]
	deps nothing
	[ "$status" -eq 2 ]
	deps build --nothing
	[ "$status" -eq 2 ]
	install_all $build_packages
	deps build --nothing
	[ "$status" -eq 2 ]
	deps find nothing
	[ "$status" -eq 1 ]
}
