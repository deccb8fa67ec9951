# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The checker itself: headers, objects and "kernels" that are made for one rule each.
load ../tool/common

setup() {
	cd "$BATS_TEST_TMPDIR"
	check=$root/.output/btf/check
	clang=$("$root/tools/deps" find clang)
	# vmlinux.h in here goes before that of the tree.
	flags=(-target bpf -O2 -g -mcpu=v3 -DCHECK_BTF -D__TARGET_ARCH_x86 -I.
		-idirafter "/usr/include/$(gcc -print-multiarch)")
}

compile() {
	"$clang" "${flags[@]}" -x c -c -o "$1" "${@:2}" -
}

# header: standard input is what is to be checked; vmlinux.h's own macros go with it.
header() {
	{
		sed -n '/^#ifdef CHECK_BTF/,/^#endif/p' "$root/vmlinux/vmlinux.h"
		cat
	} >vmlinux.h
	"$clang" "${flags[@]}" -E -x c vmlinux.h | awk -f "$root/tests/btf/every-type.awk" |
		compile header.o
}

# kernel RELEASE: a kernel whose types are those of standard input.
kernel() {
	compile "$1.o"
	kernels+=("$1=$1.o")
}

# passes OPTION...: and prints each of the lines that standard input has.
passes() {
	run -0 "$check" "$@" "${kernels[@]}"
	echo "$output"
	has_lines
}

fails() {
	run -1 "$check" "$@" "${kernels[@]}"
	echo "$output"
	grep -q '^not ok' <<<"$output"
	has_lines
}

has_lines() {
	local line

	while read -r line; do
		grep -Fqx -- "$line" <<<"$output" || { echo "missing: $line" && return 1; }
	done
}

@test "all kinds of types that the header defines are checked, and no other's" {
	echo 'struct theirs { int x; };' >other.h
	header <<-'END'
		#include "other.h"
		struct a { int x; };
		union b { int x; };
		enum c { C_ONE = 1 };
		enum { NAMELESS };
		typedef struct { int x; } d;
		typedef struct {
			int x;
		} e;
		struct forward;
	END
	kernel 6.1.0 <<<'int nothing;'
	fails --header header.o <<-'END'
		not ok 1 - vmlinux.h against 6.1.0: 5 types, 0 members
		# a: missing: 6.1.0
		# b: missing: 6.1.0
		# c: missing: 6.1.0
		# d: missing: 6.1.0
		# e: missing: 6.1.0
		# 1 kernels, 5 findings, 5 of them wrong
	END
}

@test "members are found by name: in other places, in anonymous members, under a flavour" {
	header <<-'END'
		struct node { int value; };
		struct top {
			unsigned char last;
			struct { int inner; } named;
			union { int deep; };
			struct node *node;
			void *any;
			long tail[];
		};
		struct top___old { int before; };
	END
	kernel 6.1.0 <<-'END'
		struct node { char more; volatile int value; } n;
		typedef const unsigned char byte;
		struct top {
			struct node *const node;
			int before;
			struct { struct { long pad; int deep; } x; union { int other, deep; }; };
			union { struct { char c; int inner; } named; };
			char *any;
			byte last;
			long tail[3];
		} t;
	END
	passes --header header.o <<<'ok 1 - vmlinux.h against 6.1.0: 3 types, 9 members'
}

@test "each way in which a member can differ is told, with the kernels that do" {
	header <<-'END'
		struct other;
		struct a {
			int gone, kind, size, bits;
			struct other *points;
			char array[16];
			struct { int inner; } named;
		};
	END
	kernel 5.10.1 <<-'END'
		struct thing { int x; };
		struct a { void *kind; long size; int bits:3; struct thing *points; char array[8];
			struct { int x; } named; } a;
	END
	kernel 6.1.0 <<-'END'
		struct other;
		struct a { int kind, size, bits; struct other *points; char array[16];
			struct { int inner; } named; } a;
	END
	fails --header header.o <<-'END'
		not ok 1 - vmlinux.h against 5.10.1: 1 types, 8 members
		not ok 2 - vmlinux.h against 6.1.0: 1 types, 8 members
		# a.gone: missing: 5.10.1, 6.1.0
		# a.kind: of another kind: 5.10.1
		# a.size: of another size: 5.10.1
		# a.bits: a bit field: 5.10.1
		# a.points: of another kind: 5.10.1
		# a.array: of another size: 5.10.1
		# a.named.inner: missing: 5.10.1
		# 2 kernels, 7 findings, 8 of them wrong
	END
}

@test "what some kernels lack may be declared, down to the release" {
	header <<-'END'
		struct a {
			int old BEFORE("5.14");
			int now SINCE("5.14"), both;
		};
		struct SINCE("6.1") b { int x; };
	END
	kernel 5.10.1 <<<'struct a { int old, both; } a;'
	kernel 6.1.0 <<<'struct a { int now, both; } a; struct b { int x; } b;'
	passes --header header.o <<-'END'
		ok 1 - vmlinux.h against 5.10.1: 2 types, 3 members
		ok 3 - vmlinux.h: 3 declarations, 0 of kernels that are not here
		# a.old: lacked, as declared: 6.1.0
		# a.now: lacked, as declared: 5.10.1
		# b: lacked, as declared: 5.10.1
	END
}

@test "what a declaration does not cover, or covers without need, fails" {
	header <<-'END'
		struct a {
			int late SINCE("6.12"), early SINCE("5.14"), stale SINCE("6.6"), future BEFORE("7.0");
		};
	END
	kernel 5.10.1 <<<'struct a { int stale, future; } a;'
	kernel 6.1.0 <<<'struct a { int stale, future; } a;'
	fails --header header.o <<-'END'
		ok 1 - vmlinux.h against 5.10.1: 1 types, 4 members
		not ok 2 - vmlinux.h against 6.1.0: 1 types, 4 members
		not ok 3 - vmlinux.h: 4 declarations, 1 of kernels that are not here
		# a.early: missing: 6.1.0
		# a.stale: declared, but no kernel lacks it
		# a.early: lacked, as declared: 5.10.1
		# a.late: lacked, as declared: 5.10.1, 6.1.0
		# a.future: declared, of kernels that are not here
	END
	sed -i 's/"6.6"/"soon"/' vmlinux.h
	"$clang" "${flags[@]}" -E -x c vmlinux.h | awk -f "$root/tests/btf/every-type.awk" |
		compile header.o
	run -2 "$check" --header header.o "${kernels[@]}"
	[[ "$output" == *"failed to understand the declaration 'since soon'"* ]]
}

core='#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct a { int x, y; };
struct b { int z; };
#pragma clang attribute pop
char LICENSE[] SEC("license") = "GPL";
'

@test "each relocation of an object must find what it needs, unless the program asks first" {
	compile object.o <<-END
		$core
		SEC("raw_tp/x") int f(struct a *p)
		{
			struct b *q = (void *)p;
			int n = p->x + (bpf_core_field_exists(p->y) ? p->y : 0);

			return n + (bpf_core_type_exists(struct b) ? q->z : 0);
		}
	END
	kernel 5.10.1 <<<'struct a { int y, x; } a; struct b { int z; } b;'
	kernel 6.1.0 <<<'struct a { int x; } a;'
	kernel 6.12.0 <<<'struct a { int y; void *x; } a; struct b { int z; } b;'
	fails --object object.o <<-'END'
		ok 1 - object.o against 5.10.1: 5 relocations, 0 targets, 0 helper calls, 0 kfuncs
		ok 2 - object.o against 6.1.0: 5 relocations, 0 targets, 0 helper calls, 0 kfuncs
		not ok 3 - object.o against 6.12.0: 5 relocations, 0 targets, 0 helper calls, 0 kfuncs
		# object.o: a.x: of another kind: 6.12.0
		# object.o: a.y: done without: 6.1.0
		# object.o: b: done without: 6.1.0
	END
}

@test "a helper that the kernel does not have must be asked for" {
	compile object.o <<-END
		$core
		SEC("raw_tp/x") int f(void *p)
		{
			if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
				return bpf_loop(1, p, p, 0);
			return bpf_get_current_pid_tgid();
		}
		SEC("raw_tp/y") int g(void *p)
		{
			return bpf_get_func_ip(p);
		}
	END
	kernel 5.10.1 <<<'enum bpf_func_id { BPF_FUNC_unspec, __BPF_FUNC_MAX_ID = 155 } x;'
	fails --object object.o <<-'END'
		# object.o: bpf_func_id.BPF_FUNC_get_func_ip: called without asking for it: 5.10.1
		# object.o: bpf_func_id.BPF_FUNC_loop: done without: 5.10.1
	END
}

@test "a target must exist with the arguments that are read; with ? it may be missing" {
	compile object.o <<-END
		$core
		SEC("tp_btf/one") int f(unsigned long long *ctx) { return ctx[0] + ctx[1]; }
		SEC("tp_btf/two") int g(unsigned long long *ctx) { return ctx[0] + ctx[1]; }
		SEC("tp_btf/none") int h(void *ctx) { return 0; }
		SEC("?tp_btf/none") int i(void *ctx) { return 0; }
		SEC("fentry/call") int j(unsigned long long *ctx) { return ctx[1]; }
		SEC("fexit/call") int k(unsigned long long *ctx) { return ctx[1]; }
		SEC("raw_tp/none") int l(void *ctx) { return 0; }
	END
	kernel 6.1.0 <<-'END'
		typedef void (*btf_trace_one)(void *, int);
		typedef void (*btf_trace_two)(void *, int, int);
		btf_trace_one a;
		btf_trace_two b;
		int call(int x) { return x; }
	END
	fails --object object.o <<-'END'
		not ok 1 - object.o against 6.1.0: 0 relocations, 6 targets, 0 helper calls, 0 kfuncs
		# object.o: f (tp_btf/one): 2 of 1: reads more arguments than there are: 6.1.0
		# object.o: h (tp_btf/none): has no target: 6.1.0
		# object.o: j (fentry/call): 2 of 1: reads more arguments than there are: 6.1.0
		# object.o: i (tp_btf/none): has no target: 6.1.0
		# 1 kernels, 4 findings, 3 of them wrong
	END
}

@test "a kfunc may be missing only where it is weak" {
	compile object.o <<-END
		$core
		extern int soft(int) __ksym __weak;
		extern int hard(int) __ksym;
		extern int there(int) __ksym;
		SEC("raw_tp/x") int f(void *p) { return (soft ? soft(1) : 0) + hard(1) + there(1); }
	END
	kernel 6.1.0 <<<'int there(int x) { return x; }'
	fails --object object.o <<-'END'
		not ok 1 - object.o against 6.1.0: 0 relocations, 0 targets, 0 helper calls, 3 kfuncs
		# object.o: hard(): missing: 6.1.0
		# object.o: soft(): done without: 6.1.0
	END
}

@test "what cannot be read or understood is an error, not a pass" {
	kernel 6.1.0 <<<'int x;'
	header <<<'struct a { int x; };'
	run -2 "$check" --header header.o "6.1.0=missing.o"
	[[ "$output" == *"failed to read BTF from 'missing.o'"* ]]
	run -2 "$check" --header header.o "newest=6.1.0.o"
	[[ "$output" == *"'newest' is not a kernel's release"* ]]
	run -2 "$check" --header missing.o "6.1.0=6.1.0.o"
	[[ "$output" == *"'missing.o'"* ]]
	run -2 "$check" --object missing.o "6.1.0=6.1.0.o"
	[[ "$output" == *"'missing.o'"* ]]
	run -2 "$check" --skip only
	run -0 "$check" --skip "kernel 5.10" "no network" --header header.o
	[ "${lines[0]}" = "ok 1 - kernel 5.10 # SKIP no network" ]
}
