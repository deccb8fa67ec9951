// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tls-layout-code.h"

#if defined(__x86_64__)

static const struct code plain;
static const struct code of_connection = {.is_connection = true};
static const struct code leaving = {.may_leave = true};

struct example {
	const char *what;
	const struct code *options;
	const char *bytes;
	size_t size;
	enum code_kind kind; /* CODE_UNKNOWN: it must not be believed */
	uint32_t steps_cnt;
	int32_t steps[2];
	uint32_t size_loaded;
	int64_t number;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct example examples[] = {
	{"mov 0x64(%rdi),%eax; xor %edi,%edi; ret",
	 &plain,
	 BYTES("\x8b\x47\x64\x31\xff\xc3"),
	 CODE_LOADED,
	 1,
	 {0x64},
	 4,
	 0},
	{"endbr64; movzwl 0x18(%rdi),%eax; ret",
	 &plain,
	 BYTES("\xf3\x0f\x1e\xfa\x0f\xb7\x47\x18\xc3"),
	 CODE_LOADED,
	 1,
	 {0x18},
	 2,
	 0},
	{"mov 8(%rdi),%rax; mov -4(%rax),%eax; ret",
	 &plain,
	 BYTES("\x48\x8b\x47\x08\x8b\x40\xfc\xc3"),
	 CODE_LOADED,
	 2,
	 {8, -4},
	 4,
	 0},
	{"add $8,%rdi is not followed",
	 &plain,
	 BYTES("\x48\x83\xc7\x08\x8b\x07\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"lea 8(%rdi),%rdi; mov 4(%rdi),%eax; ret",
	 &plain,
	 BYTES("\x48\x8d\x7f\x08\x8b\x47\x04\xc3"),
	 CODE_LOADED,
	 1,
	 {12},
	 4,
	 0},
	{"the pointer itself is nothing that was loaded",
	 &plain,
	 BYTES("\x48\x89\xf8\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"nor is a place in it", &plain, BYTES("\x48\x8d\x47\x08\xc3"), CODE_UNKNOWN, 0, {0}, 0, 0},
	{"the half of a pointer leads nowhere",
	 &plain,
	 BYTES("\x8b\x07\x8b\x00\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"mov (%rdi),%rax; test %rax,%rax; je 1f; mov 8(%rax),%rax; 1: ret",
	 &plain,
	 BYTES("\x48\x8b\x07\x48\x85\xc0\x74\x04\x48\x8b\x40\x08\xc3"),
	 CODE_LOADED,
	 2,
	 {0, 8},
	 8,
	 0},
	{"the same without a comparison: two results",
	 &plain,
	 BYTES("\x48\x8b\x07\x74\x04\x48\x8b\x40\x08\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"cmpb $0,4(%rdi); je 1f; mov (%rdi),%eax; ret; 1: xor %eax,%eax; ret",
	 &plain,
	 BYTES("\x80\x7f\x04\x00\x74\x03\x8b\x07\xc3\x31\xc0\xc3"),
	 CODE_LOADED,
	 1,
	 {0},
	 4,
	 0},
	{"test %rdi,%rdi; je 1f; mov (%rdi),%eax; test %eax,%eax; jne 2f; mov 0x48(%rdi),%eax; "
	 "ret; 1: xor %eax,%eax; ret; 2: mov 0x50(%rdi),%eax; ret: of a TLS connection",
	 &of_connection,
	 BYTES("\x48\x85\xff\x74\x0a\x8b\x07\x85\xc0\x75\x07\x8b\x47\x48\xc3\x31\xc0\xc3\x8b"
	       "\x47\x50\xc3"),
	 CODE_LOADED,
	 1,
	 {0x48},
	 4,
	 0},
	{"the same of something else: two results",
	 &plain,
	 BYTES("\x48\x85\xff\x74\x0a\x8b\x07\x85\xc0\x75\x07\x8b\x47\x48\xc3\x31\xc0\xc3\x8b"
	       "\x47\x50\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"mov (%rdi),%eax; test $0x80,%al; jne 1f; mov 8(%rdi),%eax; ret; 1: ud2",
	 &of_connection,
	 BYTES("\x8b\x07\xa8\x80\x75\x04\x8b\x47\x08\xc3\x0f\x0b"),
	 CODE_LOADED,
	 1,
	 {8},
	 4,
	 0},
	{"mov 0x20(%rdi),%rax; test %rax,%rax; jne 1f; mov 0x18(%rdi),%rax; ret; 1: jmp away",
	 &leaving,
	 BYTES("\x48\x8b\x47\x20\x48\x85\xc0\x75\x05\x48\x8b\x47\x18\xc3\xe9\x00\x10\x00\x00"),
	 CODE_LOADED,
	 1,
	 {0x18},
	 8,
	 0},
	{"the same where all ways count",
	 &plain,
	 BYTES("\x48\x8b\x47\x20\x48\x85\xc0\x75\x05\x48\x8b\x47\x18\xc3\xe9\x00\x10\x00\x00"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"movl $1,4(%rdi); mov (%rdi),%eax; ret: it changes something",
	 &plain,
	 BYTES("\xc7\x47\x04\x01\x00\x00\x00\x8b\x07\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"push %rbx; mov %rdi,%rbx; call; mov 8(%rbx),%eax; pop %rbx; ret: so may the call",
	 &plain,
	 BYTES("\x53\x48\x89\xfb\xe8\x00\x10\x00\x00\x8b\x43\x08\x5b\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"jmp to itself", &plain, BYTES("\xeb\xfe"), CODE_UNKNOWN, 0, {0}, 0, 0},
	{"no end", &plain, BYTES("\x8b\x07"), CODE_UNKNOWN, 0, {0}, 0, 0},
	{"no instruction", &plain, BYTES("\x06\xc3"), CODE_UNKNOWN, 0, {0}, 0, 0},
	{"mov %fs:0x28(%rdi),%rax; ret",
	 &plain,
	 BYTES("\x64\x48\x8b\x47\x28\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"mov (%rdi,%rsi,4),%eax; ret",
	 &plain,
	 BYTES("\x8b\x04\xb7\xc3"),
	 CODE_UNKNOWN,
	 0,
	 {0},
	 0,
	 0},
	{"mov $0x30000160,%eax; ret",
	 &plain,
	 BYTES("\xb8\x60\x01\x00\x30\xc3"),
	 CODE_NUMBER,
	 0,
	 {0},
	 0,
	 0x30000160},
	{"lea 0x10(%rip),%rax; ret",
	 &plain,
	 BYTES("\x48\x8d\x05\x10\x00\x00\x00\xc3"),
	 CODE_ADDRESS,
	 0,
	 {0},
	 0,
	 0x1017},
};

static void check_example(const struct example *e)
{
	enum code_kind kind = e->kind == CODE_UNKNOWN ? CODE_LOADED : e->kind;
	uint8_t *copy = malloc(e->size); /* so that a byte too many is noticed */
	struct code code = *e->options;
	struct code_value value;
	bool believed;

	memcpy(copy, e->bytes, e->size);
	code.bytes = copy;
	code.size = e->size;
	code.addr = 0x1000;
	believed = code_returns(&code, kind, &value);
	free(copy);
	if (believed != (e->kind != CODE_UNKNOWN))
		fail_msg("%s: %s", e->what, believed ? "believed" : "not believed");
	if (!believed)
		return;
	if (value.number != e->number || value.field.steps_cnt != e->steps_cnt ||
	    value.field.size != e->size_loaded ||
	    memcmp(value.field.steps, e->steps, sizeof(e->steps)))
		fail_msg("%s: %u steps (%d, %d) to %u bytes, %lld", e->what, value.field.steps_cnt,
			 value.field.steps[0], value.field.steps[1], value.field.size,
			 (long long)value.number);
}

static void test_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		check_example(&examples[i]);
}

/* What PR_FileDesc2NativeHandle() is like. */
static void test_call(void **state)
{
	static const uint8_t bytes[] = "\xe8\x00\x10\x00\x00\x48\x8b\x40\x08\x8b\x40\x1c\xc3";
	struct code code = {.bytes = bytes, .size = sizeof(bytes) - 1};
	struct code_value value;

	(void)state;
	assert_true(code_returns(&code, CODE_LOADED, &value));
	assert_int_equal(value.base, CODE_OF_CALL);
	assert_int_equal(value.field.steps_cnt, 2);
	assert_int_equal(value.field.steps[0], 8);
	assert_int_equal(value.field.steps[1], 0x1c);
}

#else

/* Code of other machines is not read. */
static void test_code(void **state)
{
	static const struct code code = {.bytes = (const uint8_t *)"", .size = 1};
	struct code_value value;

	(void)state;
	assert_false(code_returns(&code, CODE_LOADED, &value));
}

static void test_call(void **state)
{
	(void)state;
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
