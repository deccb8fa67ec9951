# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of the command line and of errors share. `load common` first.

tools=(syscount udp-syscall)
nobody=65534

setup_file() {
	# Where nobody may execute.
	public=$(mktemp -d)
	chmod 755 "$public"
	cp "$root/syscount" "$root/udp-syscall" "$workload/udp-load" "$public"
	export public
}

teardown_file() {
	rm -rf "$public"
}

setup() {
	begin_as_root
}

teardown() {
	end_started
}

# As run, with stdout and stderr apart, and without a warning at 127.
try() {
	"$@" >.stdout 2>.stderr && status=0 || status=$?
	output=$(cat .stdout)
	stderr=$(cat .stderr)
	mapfile -t lines <.stdout
	mapfile -t stderr_lines <.stderr
}

# The run before ended with this status and these lines on stderr (patterns), and no results.
refused() {
	local i

	echo "status $status, stdout: $output, stderr: $stderr"
	[ "$status" -eq "$1" ]
	shift
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq $# ]
	for ((i = 0; i < $#; i++)); do
		[[ "${stderr_lines[i]}" == ${*:i+1:1} ]]
	done
}

# A plain "!" would not end a test.
not() {
	! "$@"
}
