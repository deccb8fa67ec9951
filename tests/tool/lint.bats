#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Each rule of tools/lint: a bad snippet in a tree of its own is found, at its line, and the
# nearest good one passes.

setup()
{
	cd "$BATS_TEST_TMPDIR"
	git init -q .
	mkdir -p tools bpf/lib include user/lib tests/unit tests/workload vmlinux
	cp "$BATS_TEST_DIRNAME/../../tools/lint" tools/
	cp "$BATS_TEST_DIRNAME/../../.clang-format" .
	# The snippets are made for one rule each, not for their looks.
	export CLANG_FORMAT=/nonexistent
}

# Writes a C file: the licence line, then standard input from line 2 on.
c_file()
{
	{ echo '/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */'; cat; } >"$1"
}

# A function of so many lines from brace to brace, which begins in line 2.
function_of()
{
	printf 'int f(void)\n{\n'
	for ((i = 0; i < $1 - 2; i++)); do
		printf '\tg();\n'
	done
	printf '}\n'
}

passes()
{
	run tools/lint
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "${lines[-1]}" =~ ^"lint: "[0-9]+" files, 0 findings"$ ]]
}

# Exactly these findings and no other, each given by how its line begins.
finds()
{
	run tools/lint
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" =~ ^"lint: "[0-9]+" files, $# findings"$ ]]
	for expected; do
		grep -qF -- "$expected" <<<"$output"
	done
}

needs_clang_format()
{
	unset CLANG_FORMAT
	if tools/lint | grep -q '^lint: SKIP format'; then
		skip 'no clang-format'
	fi
}

@test "a clean tree passes, and tools/lint passes its own rules" {
	function_of 5 | c_file user/syscount.c
	passes
	[ "${lines[-1]}" = 'lint: 2 files, 0 findings' ]
}

@test "what git ignores is not looked at" {
	mkdir generated
	echo /generated/ >.gitignore
	printf 'int x = atoi("1"); ' >generated/bad.c
	passes
}

@test "files given by name are the only ones looked at" {
	echo 'int x;' >user/bad.c
	echo 'int y;' | c_file user/good.c
	run tools/lint user/good.c
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = 'lint: 1 files, 0 findings' ]
}

@test "without a repository the files are found all the same" {
	rm -rf .git
	export GIT_CEILING_DIRECTORIES="$BATS_TEST_TMPDIR/.."
	echo 'int x;' >user/bad.c
	finds 'user/bad.c:1: spdx: '
}

@test "format: clang-format's own text passes, another does not" {
	needs_clang_format
	printf 'int f(void)\n{\n\treturn 1;\n}\n' | c_file user/a.c
	passes
	printf 'int f(void)\n{\n\treturn  1;\n}\n' | c_file user/a.c
	finds 'user/a.c:4: format: '
}

@test "format: without clang-format the part is skipped and says so" {
	echo 'int x;' | c_file user/a.c
	run tools/lint
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'lint: SKIP format: cannot run /nonexistent' ]
}

@test "function: 50 lines pass, 51 do not" {
	function_of 50 | c_file user/a.c
	passes
	function_of 51 | c_file user/a.c
	finds 'user/a.c:3: function: f() has 51 lines (limit 50)'
}

@test "function: a BPF program is one too and is called by its own name" {
	function_of 51 | sed 's/f(void)/BPF_PROG(enter, int fd)/' | c_file bpf/a.bpf.c
	finds 'bpf/a.bpf.c:3: function: enter() has 51 lines'
}

@test "function: a long table is not a function" {
	{
		echo 'static const int numbers[] = {'
		yes $'\t1,' | head -n 60
		echo '};'
	} | c_file user/a.c
	passes
}

@test "file: 400 lines pass, 401 do not, vmlinux.h has no limit" {
	yes 'extern int x;' | head -n 399 | c_file user/a.c
	passes
	yes 'extern int x;' | head -n 400 | c_file vmlinux/vmlinux.h
	passes
	yes 'extern int x;' | head -n 400 | c_file user/a.c
	finds 'user/a.c:401: file: 401 lines (limit 400)'
}

@test "line: 100 columns pass, 101 do not, a tab counts as 8" {
	printf '\t/* %086d */\n' 0 | c_file user/a.c
	passes
	printf '\t/* %087d */\n' 0 | c_file user/a.c
	finds 'user/a.c:2: line: 101 columns (limit 100)'
}

@test "line: a character of several bytes is one column" {
	printf '/* %092d µ */\n' 0 | c_file user/a.c
	passes
}

@test "nesting: three levels pass, four do not" {
	c_file user/a.c <<'END'
int f(int a)
{
	for (;;) {
		while (a) {
			switch (a) {
			case 1:
				a--;
			}
		}
	}
}
END
	passes
	sed -i 's/^\t\t\t\ta--;/\t\t\t\tif (a)\n\t\t\t\t\ta--;/' user/a.c
	finds "user/a.c:8: nesting: 'if' in f() is nested more than 3 deep"
}

@test "nesting: bodies without braces count, do and loop macros as well" {
	c_file user/a.c <<'END'
int f(struct bpf_object *o, int a)
{
	struct bpf_map *m;

	if (a)
		bpf_object__for_each_map(m, o)
			do
				while (a)
					a--;
			while (a);
	return 0;
}
END
	finds "user/a.c:9: nesting: 'while' in f()"
}

@test "nesting: indentation proves nothing either way" {
	c_file user/a.c <<'END'
int f(int a)
{
	if (a) { if (a > 1) { if (a > 2) {
	if (a > 3) a--; } } }
	return g(a,
					 h(a));
}
END
	finds "user/a.c:5: nesting: 'if' in f()"
}

@test "nesting: an else-if chain and code side by side stay flat" {
	c_file user/a.c <<'END'
int f(int a)
{
	if (a == 1)
		a = 2;
	else if (a == 2)
		a = 3;
	else if (a == 3)
		a = 4;
	else if (a == 4)
		a = 5;
	else
		for (;;)
			if (a)
				break;
	if (a)
		goto out;
	if (a)
		a = 1;
	struct s x = {.y = {.z = {.w = {1}}}};
out:
	return a;
}
END
	passes
}

@test "nesting: #ifdef inside of a function does not confuse the count" {
	c_file user/a.c <<'END'
int f(int a)
{
#ifdef A
	if (a) {
#else
	if (!a) {
#endif
		a = 1;
	}
	if (a)
		return 1;
	return 0;
}
int g(int a)
{
	if (a)
		if (a)
			if (a)
				if (a)
					return 1;
	return 0;
}
END
	finds "user/a.c:20: nesting: 'if' in g()"
}

@test "banned: each call is found" {
	local calls='atoi strtok sprintf strcpy strcat system popen signal bpf_printk' call nr=1
	local expected=()
	for call in $calls; do
		nr=$((nr + 1))
		expected+=("user/a.c:$nr: banned: ")
	done
	for call in $calls; do
		echo "#define X_$call $call(1)"
	done | c_file user/a.c
	finds "${expected[@]}"
}

@test "banned: longer names, members, comments and strings are not calls" {
	c_file user/a.c <<'END'
/* atoi() is what system(3) would call */
#define A snprintf(1)
#define B bpf_probe_strcpy(1)
#define C ops->system(1)
#define D "atoi(1) // strcpy(1)"
#define E file_system(1)
END
	passes
}

@test "banned: stderr is written to in log.c and in the tests' own programs only" {
	echo '#define X fprintf(stderr, "x")' | c_file user/lib/log.c
	cp user/lib/log.c tests/workload/x.c
	cp user/lib/log.c tests/unit/x.c
	passes
	cp user/lib/log.c user/a.c
	finds 'user/a.c:2: banned: messages go through user/lib/log.h'
}

@test "layer: bpf programs see bpf/lib, include, vmlinux and kernel headers" {
	for header in bpf/lib/filter.bpf.h include/hist.h vmlinux/vmlinux.h user/lib/log.h; do
		c_file "$header" </dev/null
	done
	c_file bpf/a.bpf.c <<'END'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <linux/errno.h>
#include "lib/filter.bpf.h"
#include "filter.bpf.h"
#include "hist.h"
END
	passes
	printf '#include "../user/lib/log.h"\n#include <stdio.h>\n' | c_file bpf/a.bpf.c
	finds 'bpf/a.bpf.c:2: layer: must not include "../user/lib/log.h" (user/lib/log.h)' \
		'bpf/a.bpf.c:3: layer: must not include <stdio.h>'
}

@test "layer: bpf/lib does not see user/" {
	c_file user/lib/log.h </dev/null
	echo '#include "log.h"' | c_file bpf/lib/a.bpf.h
	finds 'bpf/lib/a.bpf.h:2: layer: must not include "log.h" (user/lib/log.h)'
}

@test "layer: include/ sees itself and <linux/types.h>" {
	c_file include/hist.h </dev/null
	printf '#include <linux/types.h>\n#include "hist.h"\n' | c_file include/a.h
	passes
	printf '#include <stdint.h>\n' | c_file include/a.h
	finds 'include/a.h:2: layer: must not include <stdint.h>'
}

@test "layer: a frontend sees user/lib, include and its own skeleton" {
	c_file user/lib/tool.h </dev/null
	c_file include/hist.h </dev/null
	c_file bpf/lib/filter.bpf.h </dev/null
	printf '#include <errno.h>\n#include "%s"\n#include "%s"\n#include "%s"\n' \
		tool.h hist.h syscount.skel.h | c_file user/syscount.c
	passes
	printf '#include "%s"\n#include "%s"\n' other.skel.h ../bpf/lib/filter.bpf.h |
		c_file user/syscount.c
	finds 'user/syscount.c:2: layer: must not include "other.skel.h"' \
		'user/syscount.c:3: layer: must not include "../bpf/lib/filter.bpf.h"'
}

@test "layer: user/lib includes downwards and sideways, never upwards" {
	for module in log object process report tool; do
		c_file "user/lib/$module.h" </dev/null
	done
	printf '#include "log.h"\n#include "process.h"\n' | c_file user/lib/object.c
	printf '#include "report.h"\n#include "log.h"\n' | c_file user/lib/tool.c
	passes
	echo '#include "report.h"' | c_file user/lib/object.c
	echo '#include "object.h"' | c_file user/lib/log.c
	finds 'user/lib/object.c:2: layer: level 1 must not include user/lib/report.h of level 2' \
		'user/lib/log.c:2: layer: level 0 must not include user/lib/object.h of level 1'
}

@test "layer: a module that the table does not know is an error that names the table" {
	c_file user/lib/render-html.c </dev/null
	passes
	c_file user/lib/gadget.c </dev/null
	finds 'user/lib/gadget.c:1: layer: unknown module: add it to the table @LEVELS in tools/lint'
}

@test "layer: a header that is nowhere is found" {
	echo '#include "typo.h"' | c_file user/a.c
	finds 'user/a.c:2: layer: "typo.h" is not in this tree'
}

@test "spdx: sources and scripts need the line" {
	printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\n' >tools/x
	printf 'plain text\n' >tools/README
	passes
	echo 'int x;' >user/a.c
	printf '#!/bin/sh\n' >tools/x
	finds 'user/a.c:1: spdx: ' 'tools/x:1: spdx: '
}

@test "space: trailing white space and a missing last newline are found" {
	printf 'int x; \nint y;' | c_file user/a.c
	printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\ntrue\t\n' >tools/x
	finds 'user/a.c:2: space: trailing' 'user/a.c:3: space: no newline' \
		'tools/x:3: space: trailing'
}

@test "space: tabs indent; blanks align, or shape a comment" {
	c_file user/a.c <<'END'
int f(int a,
      int b)
{
	/*
	 * a
	 *         b
	 */
	return g(a,
		 b);
}
END
	passes
	printf 'int f(void)\n{\n    return 1;\n}\n' | c_file user/a.c
	printf 'struct s {\n        int x;\n};\n' | c_file user/b.c
	finds 'user/a.c:4: space: indentation' 'user/b.c:3: space: indentation'
}

@test "what another program printed is left alone" {
	mkdir -p tests/golden
	printf 'int x; ' >tests/golden/x.c
	passes
}
