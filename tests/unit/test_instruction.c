/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "instruction.h"

#if defined(__x86_64__)

#define CODE(...)                                                     \
	{                                                             \
		{__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}) \
	}

/* By form of operands, and by map of opcodes; as objdump takes them apart. */
static const struct {
	uint8_t code[INSTRUCTION_MAX];
	size_t len;
} cases[] = {
	CODE(0x90),                                        /* nop */
	CODE(0xf3, 0x0f, 0x1e, 0xfa),                      /* endbr64 */
	CODE(0x41, 0x57),                                  /* push %r15 */
	CODE(0x48, 0x83, 0xec, 0x18),                      /* sub $0x18,%rsp */
	CODE(0x48, 0x81, 0xec, 1, 2, 3, 4),                /* sub $0x4030201,%rsp */
	CODE(0x66, 0x81, 0xc1, 1, 2),                      /* add $0x201,%cx */
	CODE(0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8),          /* movabs */
	CODE(0xb8, 1, 2, 3, 4),                            /* mov $0x4030201,%eax */
	CODE(0x48, 0x8b, 0x04, 0xc7),                      /* mov (%rdi,%rax,8),%rax */
	CODE(0x48, 0x8b, 0x05, 1, 2, 3, 4),                /* mov 0x4030201(%rip),%rax */
	CODE(0x8b, 0x04, 0x25, 1, 2, 3, 4),                /* mov 0x4030201,%eax */
	CODE(0x8b, 0x44, 0x24, 8),                         /* mov 8(%rsp),%eax */
	CODE(0x8b, 0x84, 0x24, 1, 2, 3, 4),                /* mov 0x4030201(%rsp),%eax */
	CODE(0xf6, 0xc1, 1),                               /* test $1,%cl */
	CODE(0xf6, 0xd1),                                  /* not %cl */
	CODE(0xf7, 0x05, 1, 2, 3, 4, 5, 6, 7, 8),          /* testl $...,(%rip) */
	CODE(0xe8, 1, 2, 3, 4),                            /* call */
	CODE(0x0f, 0x84, 1, 2, 3, 4),                      /* je */
	CODE(0x74, 1),                                     /* je */
	CODE(0x0f, 0x05),                                  /* syscall */
	CODE(0x0f, 0xc8),                                  /* bswap %eax */
	CODE(0x0f, 0xb6, 0xc0),                            /* movzbl %al,%eax */
	CODE(0x66, 0x0f, 0x70, 0xc0, 1),                   /* pshufd */
	CODE(0x66, 0x0f, 0x38, 0x17, 0xc0),                /* ptest */
	CODE(0x66, 0x0f, 0x3a, 0x0f, 0xc1, 8),             /* palignr */
	CODE(0xc5, 0xf8, 0x77),                            /* vzeroupper */
	CODE(0xc5, 0xfd, 0x6f, 0x06),                      /* vmovdqa (%rsi),%ymm0 */
	CODE(0xc4, 0xe3, 0x7d, 0x39, 0xc1, 1),             /* vextracti128 */
	CODE(0xc4, 0xe2, 0x7d, 0x59, 0x07),                /* vpbroadcastq (%rdi),%ymm0 */
	CODE(0x62, 0xf1, 0xfe, 0x28, 0x6f, 0x46, 1),       /* vmovdqu64 0x20(%rsi),%ymm0 */
	CODE(0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0),    /* mov %fs:0,%rax */
	CODE(0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0), /* nopw */
	CODE(0xc2, 8, 0),                                  /* ret $8 */
	CODE(0xc8, 1, 2, 3),                               /* enter */
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *exact = malloc(cases[i].len);

		assert_non_null(exact);
		memcpy(exact, cases[i].code, cases[i].len);
		assert_int_equal(instruction_length(exact, cases[i].len), cases[i].len);
		/* One that does not end is none. */
		for (size_t size = 0; size < cases[i].len; size++)
			assert_int_equal(instruction_length(exact, size), -EINVAL);
		free(exact);
	}
}

static void test_bad(void **state)
{
	static const uint8_t bad[][2] = {{0x06}, {0x60},       {0x82},
					 {0xce}, {0x0f, 0x04}, {0x8f, 0xe8}};
	uint8_t prefixes[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(instruction_length(bad[i], sizeof(bad[i])), -EINVAL);
	memset(prefixes, 0x66, sizeof(prefixes));
	assert_int_equal(instruction_length(prefixes, sizeof(prefixes)), -EINVAL);
}

static void test_start(void **state)
{
	static const uint8_t code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xc3, 0x06};
	static const ssize_t starts[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, -EINVAL, -EINVAL};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		assert_int_equal(instruction_start(code, sizeof(code), i), starts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void test_start(void **state)
{
	static const uint8_t code[12];

	(void)state;
	assert_int_equal(instruction_start(code, sizeof(code), 7), 4);
	assert_int_equal(instruction_start(code, sizeof(code), 8), 8);
	assert_int_equal(instruction_start(code, sizeof(code), 12), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_start)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
