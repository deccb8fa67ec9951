/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "instruction.h"
#include "placement.h"

#define ARGS_ALL 0x3f

#if defined(__x86_64__)

#define BYTES(...) {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define ENDS(...)  {__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)
#define NO_ENDS    {0}, 0

struct function {
	const char *what;
	uint32_t args;
	uint8_t code[96];
	size_t size;
	uint64_t entry;
	bool entry_emulated;
	uint64_t ends[PLACEMENT_RETURNS];
	size_t ends_cnt;
	bool ends_emulated;
};

/* The heap ends where the code does. */
static void choose(struct placement *p, const uint8_t *code, size_t size, uint32_t args)
{
	uint8_t *exact = malloc(size);

	assert_non_null(exact);
	memcpy(exact, code, size);
	placement_choose(p, exact, size, 0x1000, args);
	free(exact);
}

static void check(const struct function *f)
{
	struct placement p;

	choose(&p, f->code, f->size, f->args);
	if (p.entry != f->entry || p.entry_emulated != f->entry_emulated)
		fail_msg("%s: entry %#jx, %s", f->what, (uintmax_t)p.entry, p.why_entry);
	if (p.returns_cnt != f->ends_cnt || p.returns_emulated != f->ends_emulated ||
	    memcmp(p.returns, f->ends, f->ends_cnt * sizeof(f->ends[0])))
		fail_msg("%s: %zu returns, first %#jx, %s", f->what, p.returns_cnt,
			 (uintmax_t)p.returns[0], p.why_return);
	assert_true(*p.why_entry && *p.why_return);
}

static const struct function functions[] = {
	{"endbr64; push %rbx; pop %rbx; ret", ARGS_ALL,
	 BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0x5b, 0xc3), 4, true, ENDS(6), false},
	{"a branch back to the begin: test; je 8; dec %edi; jmp 0; ret", ARGS_ALL,
	 BYTES(0x85, 0xff, 0x74, 4, 0xff, 0xcf, 0xeb, 0xf8, 0xc3), 0, false, NO_ENDS, false},
	{"a branch back to the place: xor %eax,%eax; nop; dec %edi; jne 2; ret", 0,
	 BYTES(0x31, 0xc0, 0x90, 0xff, 0xcf, 0x75, 0xfb, 0xc3), 0, false, NO_ENDS, false},
	{"a loop before the end: push; xor; dec %edi; jne; pop; ret", ARGS_ALL,
	 BYTES(0x53, 0x31, 0xc0, 0xff, 0xcf, 0x75, 0xfc, 0x5b, 0xc3), 0, true, NO_ENDS, false},
	{"a call of itself: push; call 0; pop; ret", ARGS_ALL,
	 BYTES(0x53, 0xe8, 0xfa, 0xff, 0xff, 0xff, 0x5b, 0xc3), 0, true, NO_ENDS, false},
	{"mov %esi,%edi overwrites what is wanted", 1, BYTES(0x89, 0xf7, 0x53, 0x5b, 0xc3), 0,
	 false, ENDS(2), true},
	{"mov %esi,%edi overwrites what is not wanted", 2, BYTES(0x89, 0xf7, 0x53, 0x5b, 0xc3), 2,
	 true, ENDS(4), false},
	{"movb $1,%sil is a part of one", 2, BYTES(0x40, 0xb6, 1, 0x53, 0x5b, 0xc3), 0, false,
	 ENDS(3), true},
	{"mov %rax,(%rdi) may change what an argument points to", 1,
	 BYTES(0x48, 0x89, 7, 0x53, 0x5b, 0xc3), 0, false, ENDS(3), true},
	{"mov %rax,(%rdi) when no argument is read", 0, BYTES(0x48, 0x89, 7, 0x53, 0x5b, 0xc3), 3,
	 true, ENDS(5), false},
	{"a system call comes before", 1, BYTES(0x0f, 5, 0x53, 0x5b, 0xc3), 0, false, ENDS(2),
	 true},
	{"several returns, one without an emulated instruction: "
	 "test; je c; mov $1,%eax; test; ret; xor %eax,%eax; nop; ret",
	 ARGS_ALL,
	 BYTES(0x85, 0xff, 0x74, 8, 0xb8, 1, 0, 0, 0, 0x85, 0xc0, 0xc3, 0x31, 0xc0, 0x90, 0xc3), 2,
	 true, ENDS(0xb, 0xe), false},
	{"a branch to a way with a place and one without: "
	 "endbr64; push; mov $1,%eax; test; je 10; nop; ret; pop; ret",
	 ARGS_ALL,
	 BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0xb8, 1, 0, 0, 0, 0x85, 0xc0, 0x74, 2, 0x90, 0xc3,
	       0x5b, 0xc3),
	 4, true, ENDS(0xe, 0x11), false},
	{"a tail jump", ARGS_ALL, BYTES(0x53, 0x5b, 0xe9, 0, 0x10, 0, 0), 0, true, NO_ENDS, false},
	{"a jump to elsewhere without a frame, perhaps to come back: test; je 9; jmp; ret",
	 ARGS_ALL, BYTES(0x85, 0xff, 0x74, 5, 0xe9, 0, 0x10, 0, 0, 0xc3), 0, false, NO_ENDS, false},
	{"the same from within a frame: sub; test; je a; jmp; add; ret", ARGS_ALL,
	 BYTES(0x48, 0x83, 0xec, 8, 0x85, 0xff, 0x74, 5, 0xe9, 0, 0x10, 0, 0, 0x48, 0x83, 0xc4, 8,
	       0xc3),
	 0, false, NO_ENDS, false},
	{"a tail jump after a frame: sub; test; je 10; add; jmp; add; ret", ARGS_ALL,
	 BYTES(0x48, 0x83, 0xec, 8, 0x85, 0xff, 0x74, 9, 0x48, 0x83, 0xc4, 8, 0xe9, 0, 0x10, 0, 0,
	       0x48, 0x83, 0xc4, 8, 0xc3),
	 6, true, NO_ENDS, false},
	{"a table of jumps: sub; cmp $5,%edi; ja; jmp *8(,%rdi,8); add; ret", ARGS_ALL,
	 BYTES(0x48, 0x83, 0xec, 8, 0x83, 0xff, 5, 0x77, 7, 0xff, 0x24, 0xfd, 8, 0, 0, 0, 0x48,
	       0x83, 0xc4, 8, 0xc3),
	 0, false, NO_ENDS, false},
	{"what is behind a table of jumps leads back: "
	 "test; push; jmp *%rax; xor %eax,%eax; jmp 0",
	 ARGS_ALL, BYTES(0x85, 0xff, 0x53, 0xff, 0xe0, 0x31, 0xc0, 0xeb, 0xf7), 0, false, NO_ENDS,
	 false},
	{"a saved register, though a table of jumps follows", ARGS_ALL,
	 BYTES(0x85, 0xff, 0x53, 0xff, 0xe0), 2, true, NO_ENDS, false},
	{"a jump into an instruction", ARGS_ALL,
	 BYTES(0x85, 0xff, 0x74, 1, 0xb8, 0xc3, 0, 0, 0, 0xc3), 0, false, NO_ENDS, false},
	{"data among code", ARGS_ALL, BYTES(0x53, 0xc3, 6, 6), 0, true, NO_ENDS, false},
	{"an end that is no return: push; pop; ud2", ARGS_ALL, BYTES(0x53, 0x5b, 0x0f, 0x0b), 0,
	 true, NO_ENDS, false},
	{"rep ret begins with rep: test; je 6; xor %eax,%eax; rep ret", ARGS_ALL,
	 BYTES(0x85, 0xff, 0x74, 2, 0x31, 0xc0, 0xf3, 0xc3), 2, true, ENDS(6), false},
	{"the place of the entry is not one of the end: test; je 4; ret", ARGS_ALL,
	 BYTES(0x85, 0xff, 0x74, 0, 0xc3), 2, true, ENDS(4), false},
	{"the guard of the stack, as of SSL_read()", ARGS_ALL,
	 BYTES(0x48, 0x83, 0xec, 0x18, 0x64, 0x48, 0x8b, 4, 0x25, 0x28, 0, 0, 0, 0x48, 0x89, 0x44,
	       0x24, 8, 0x31, 0xc0, 0x85, 0xd2, 0x78, 0x1a, 0xe8, 0, 0x10, 0, 0, 0x48, 0x8b, 0x54,
	       0x24, 8, 0x64, 0x48, 0x2b, 0x14, 0x25, 0x28, 0, 0, 0, 0x75, 0x0c, 0x48, 0x83, 0xc4,
	       0x18, 0xc3, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xeb, 0xe4, 0xe8, 0, 0x10, 0, 0),
	 0x16, true, ENDS(0x2b), true},
	{"the same with another comparison: the call could be abort()", ARGS_ALL,
	 BYTES(0x48, 0x83, 0xec, 0x18, 0x64, 0x48, 0x8b, 4, 0x25, 0x28, 0, 0, 0, 0x48, 0x89, 0x44,
	       0x24, 8, 0x31, 0xc0, 0x85, 0xd2, 0x78, 0x1a, 0xe8, 0, 0x10, 0, 0, 0x48, 0x8b, 0x54,
	       0x24, 8, 0x64, 0x48, 0x2b, 0x14, 0x25, 0x30, 0, 0, 0, 0x75, 0x0c, 0x48, 0x83, 0xc4,
	       0x18, 0xc3, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xeb, 0xe4, 0xe8, 0, 0x10, 0, 0),
	 0x16, true, ENDS(0x31), false},
	{"clang's: push; mov %fs:0x28,%rcx; cmp (%rsp),%rcx; jne; pop; ret; call", ARGS_ALL,
	 BYTES(0x53, 0x31, 0xc0, 0x64, 0x48, 0x8b, 0x0c, 0x25, 0x28, 0, 0, 0, 0x48, 0x3b, 0x0c,
	       0x24, 0x75, 2, 0x5b, 0xc3, 0xe8, 0, 0x10, 0, 0),
	 0, true, ENDS(0x10), true},
};

static void test_functions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		check(&functions[i]);
}

struct piece {
	uint8_t code[INSTRUCTION_MAX];
	size_t size;
};

/* push %rbx; mov $1,%eax; nop; the piece; ret: is the nop the place? */
static bool is_final_before(const struct piece *piece)
{
	uint8_t code[32] = {0x53, 0xb8, 1, 0, 0, 0, 0x90};
	struct placement p;

	memcpy(code + 7, piece->code, piece->size);
	code[7 + piece->size] = 0xc3;
	choose(&p, code, 8 + piece->size, ARGS_ALL);
	assert_true(!p.returns_cnt || (p.returns_emulated && p.returns[0] == 6));
	return p.returns_cnt;
}

static const struct piece changing[] = {
	{BYTES(0x0f, 0x48, 0xc2)},               /* cmovs %edx,%eax */
	{BYTES(0x0f, 0xb6, 0xc0)},               /* movzbl %al,%eax */
	{BYTES(0x31, 0xc0)},                     /* xor %eax,%eax */
	{BYTES(0xb0, 1)},                        /* mov $1,%al */
	{BYTES(0xb4, 1)},                        /* mov $1,%ah */
	{BYTES(0x48, 0x93)},                     /* xchg %rax,%rbx */
	{BYTES(0x87, 0xc3)},                     /* xchg %eax,%ebx */
	{BYTES(0x0f, 0x95, 0xc0)},               /* setne %al */
	{BYTES(0x0f, 0xc8)},                     /* bswap %eax */
	{BYTES(0x48, 0x98)},                     /* cltq */
	{BYTES(0xf7, 0xe1)},                     /* mul %ecx */
	{BYTES(0x0f, 0xa2)},                     /* cpuid */
	{BYTES(0x0f, 0x31)},                     /* rdtsc */
	{BYTES(0x58)},                           /* pop %rax */
	{BYTES(0xac)},                           /* lods */
	{BYTES(0x9f)},                           /* lahf */
	{BYTES(0xd7)},                           /* xlat */
	{BYTES(0xdf, 0xe0)},                     /* fnstsw %ax */
	{BYTES(0xc5, 0xf9, 0x7e, 0xc0)},         /* vmovd %xmm0,%eax */
	{BYTES(0x0f, 0x50, 0xc0)},               /* movmskps %xmm0,%eax */
	{BYTES(0x0f, 0xb1, 0x0c, 0x24)},         /* cmpxchg %ecx,(%rsp) */
	{BYTES(0xe8, 0, 0x10, 0, 0)},            /* call */
	{BYTES(0xff, 0xd1)},                     /* call *%rcx */
	{BYTES(0x0f, 5)},                        /* syscall */
	{BYTES(0xcd, 0x80)},                     /* int $0x80 */
	{BYTES(0xc7, 0xf8, 0, 0, 0, 0)},         /* xbegin */
	{BYTES(0x48, 0x89, 7)},                  /* mov %rax,(%rdi) */
	{BYTES(0x89, 4, 0x0c)},                  /* mov %eax,(%rsp,%rcx) */
	{BYTES(0xf3, 0xaa)},                     /* rep stos */
	{BYTES(0xff, 0x45, 0)},                  /* incl (%rbp) */
	{BYTES(0xc5, 0xfa, 0x7f, 7)},            /* vmovdqu %xmm0,(%rdi) */
	{BYTES(0x64, 0x89, 4, 0x25, 1, 0, 0, 0)} /* mov %eax,%fs:1 */
};
static const struct piece harmless[] = {
	{BYTES(0x31, 0xd2)},                /* xor %edx,%edx */
	{BYTES(0x5b)},                      /* pop %rbx */
	{BYTES(0x48, 0x83, 0xc4, 8)},       /* add $8,%rsp */
	{BYTES(0xc9)},                      /* leave */
	{BYTES(0x85, 0xc0)},                /* test %eax,%eax */
	{BYTES(0x3b, 7)},                   /* cmp (%rdi),%eax */
	{BYTES(0x48, 0x89, 0x44, 0x24, 8)}, /* mov %rax,8(%rsp) */
	{BYTES(0x66, 0x0f, 0x6e, 0xc0)},    /* movd %eax,%xmm0 */
	{BYTES(0x89, 0xc2)},                /* mov %eax,%edx */
	{BYTES(0xc5, 0xf8, 0x77)},          /* vzeroupper */
};

static void test_after_the_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
		if (is_final_before(&changing[i]))
			fail_msg("%zu changes the result, or more", i);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (!is_final_before(&harmless[i]))
			fail_msg("%zu changes nothing", i);
	}
}

/* The piece; push %rbx; pop %rbx; ret: where is the place? */
static void test_emulated(void **state)
{
	static const struct piece emulated[] = {
		{BYTES(0x90)},
		{BYTES(0x50)},
		{BYTES(0x57)},
		{BYTES(0x41, 0x50)},
		{BYTES(0x41, 0x57)},
		{BYTES(0xe8, 0, 0x10, 0, 0)},
		{BYTES(0xeb, 0)},
		{BYTES(0xe9, 0, 0, 0, 0)},
		{BYTES(0x70, 0)},
		{BYTES(0x7f, 0)},
		{BYTES(0x0f, 0x80, 0, 0, 0, 0)},
	};
	/* Refused, or stepped, by one kernel or the other. */
	static const struct piece others[] = {
		{BYTES(0x66, 0x90)},    {BYTES(0x66, 0x53)},
		{BYTES(0x48, 0x53)},    {BYTES(0x40, 0x53)},
		{BYTES(0x6a, 1)},       {BYTES(0x68, 1, 0, 0, 0)},
		{BYTES(0xff, 0x33)},    {BYTES(0xf3, 0x0f, 0x1e, 0xfa)},
		{BYTES(0x0f, 0x1f, 0)}, {BYTES(0x66, 0x41, 0x57)},
	};
	struct placement p;
	uint8_t code[32];

	(void)state;
	for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++) {
		memcpy(code, emulated[i].code, emulated[i].size);
		memcpy(code + emulated[i].size, "\x53\x5b\xc3", 3);
		choose(&p, code, emulated[i].size + 3, ARGS_ALL);
		assert_true(p.entry_emulated && p.entry == 0);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		memcpy(code, others[i].code, others[i].size);
		memcpy(code + others[i].size, "\x53\x5b\xc3", 3);
		choose(&p, code, others[i].size + 3, ARGS_ALL);
		assert_true(p.entry_emulated);
		assert_int_equal(p.entry, others[i].size);
	}
}

/* test %edi,%edi; cnt - 1 times jne 1f; mov $1,%eax; nop; ret; 1: */
static size_t choose_ends(size_t cnt, struct placement *p)
{
	static const uint8_t block[] = {0x75, 7, 0xb8, 1, 0, 0, 0, 0x90, 0xc3};
	uint8_t code[256] = {0x85, 0xff};
	size_t size = 2;

	for (size_t i = 1; i < cnt; i++, size += sizeof(block))
		memcpy(code + size, block, sizeof(block));
	memcpy(code + size, block + 2, sizeof(block) - 2);
	choose(p, code, size + sizeof(block) - 2, ARGS_ALL);
	return p->returns_cnt;
}

static void test_many_ends(void **state)
{
	struct placement p;

	(void)state;
	assert_int_equal(choose_ends(PLACEMENT_RETURNS, &p), PLACEMENT_RETURNS);
	assert_true(p.returns_emulated);
	assert_int_equal(p.returns[1], 2 + 9 + 7);
	assert_int_equal(choose_ends(PLACEMENT_RETURNS + 1, &p), 0);
}

/* Whatever the bytes are, a place is where an instruction begins. */
static void test_any_bytes(void **state)
{
	static const uint8_t usual[] = {0x53, 0x5b, 0x90, 0xc3, 0x74, 0x75, 0xeb, 0xe8, 0x31,
					0xc0, 0x85, 0xff, 0xe9, 0x48, 0x89, 0,    1,    2};
	struct placement p;
	uint8_t code[64];
	size_t moved = 0;

	(void)state;
	srand(1);
	for (size_t n = 0; n < 20000; n++) {
		size_t size = 1 + rand() % sizeof(code);

		for (size_t i = 0; i < size; i++)
			code[i] = n % 4 ? usual[(size_t)rand() % sizeof(usual)] : rand();
		choose(&p, code, size, n & ARGS_ALL);
		if (p.entry)
			assert_int_equal(instruction_start(code, size, p.entry), p.entry);
		for (size_t i = 0; i < p.returns_cnt; i++)
			assert_int_equal(instruction_start(code, size, p.returns[i]), p.returns[i]);
		moved += p.entry || p.returns_cnt;
	}
	assert_true(moved > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions), cmocka_unit_test(test_after_the_result),
		cmocka_unit_test(test_emulated),  cmocka_unit_test(test_many_ends),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void test_plain(void **state)
{
	static const uint8_t code[12];
	struct placement p;

	(void)state;
	placement_choose(&p, code, sizeof(code), 0, ARGS_ALL);
	assert_true(!p.entry && !p.entry_emulated && !p.returns_cnt);
	assert_true(*p.why_entry && *p.why_return);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
