/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fields of a tracepoint, from texts as the kernel writes them and as it does not. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "log.h" /* before cmocka's fail() */
#include <cmocka.h>

#include "output.h"
#include "trace-format.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define COMMON                                                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char event[] = "name: net_dev_xmit\nID: 1573\nformat:\n" COMMON
			    "\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
			    "\tfield:unsigned int len;\toffset:16;\tsize:4;\tsigned:0;\n"
			    "\tfield:int rc;\toffset:20;\tsize:4;\tsigned:1;\n"
			    "\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n"
			    "\nprint fmt: \"dev=%s field:int x;\toffset:0;\", __get_str(name)\n";

static void assert_field(const struct trace_format *f, const struct trace_field *expected)
{
	const struct trace_field *field = trace_format__find(f, expected->name);

	if (!field)
		fail_msg("no field '%s'", expected->name);
	assert_string_equal(field->type, expected->type);
	assert_int_equal(field->offset, expected->offset);
	assert_int_equal(field->size, expected->size);
	assert_int_equal(field->is_signed, expected->is_signed);
	assert_int_equal(field->is_common, expected->is_common);
	assert_int_equal(field->kind, expected->kind);
}

static void test_elements(void **state)
{
	static const char text[] =
		"\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n"
		"\tfield:__data_loc char[] name;\toffset:64;\tsize:4;\tsigned:0;\n"
		"\tfield:struct x odd[3];\toffset:68;\tsize:8;\tsigned:0;\n";
	static const char *const none[] = {"args[6]", "args[-1]", "args[1",  "args[1]]", "args[]",
					   "args",    "arg[1]",   "name[0]", "odd[0]",   "[0]"};
	struct trace_field e;
	struct trace_format f;

	(void)state;
	assert_int_equal(trace_format_parse(&f, text), 0);
	assert_true(trace_format__element(&f, "args[5]", &e));
	assert_string_equal(e.type, "unsigned long");
	assert_int_equal(e.offset, 56);
	assert_int_equal(e.size, 8);
	assert_int_equal(e.kind, TRACE_NUMBER);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_false(trace_format__element(&f, none[i], &e));
	trace_format__free(&f);
}

static void test_event(void **state)
{
	static const struct trace_field expected[] = {
		{"common_pid", "int", 4, 4, true, true, TRACE_NUMBER},
		{"skbaddr", "void *", 8, 8, false, false, TRACE_POINTER},
		{"len", "unsigned int", 16, 4, false, false, TRACE_NUMBER},
		{"rc", "int", 20, 4, true, false, TRACE_NUMBER},
		{"name", "__data_loc char[]", 24, 4, false, false, TRACE_DATA_LOC},
	};
	struct trace_format f;

	(void)state;
	assert_int_equal(trace_format_parse(&f, event), 0);
	assert_int_equal(f.cnt, 8);
	assert_int_equal(f.id, 1573);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_field(&f, &expected[i]);
	assert_null(trace_format__find(&f, "x"));
	trace_format__free(&f);
}

/* Each declaration, its size, what it is. */
static const struct {
	const char *declaration;
	unsigned int size;
	struct trace_field field;
} kinds[] = {
	{"char comm[16]", 16, {"comm", "char[16]", 8, 16, false, false, TRACE_CHARS}},
	{"const char x[4]", 4, {"x", "const char[4]", 8, 4, false, false, TRACE_CHARS}},
	{"char buf[]", 0, {"buf", "char[]", 8, 0, false, false, TRACE_OTHER}},
	{"u8 mac[8]", 8, {"mac", "u8[8]", 8, 8, false, false, TRACE_OTHER}},
	{"unsigned char a[6]", 6, {"a", "unsigned char[6]", 8, 6, false, false, TRACE_OTHER}},
	{"char m[2][8]", 16, {"m", "char[2][8]", 8, 16, false, false, TRACE_CHARS}},
	{"__data_loc u8[] b", 4, {"b", "__data_loc u8[]", 8, 4, false, false, TRACE_OTHER}},
	{"__data_loc cpumask_t m",
	 4,
	 {"m", "__data_loc cpumask_t", 8, 4, false, false, TRACE_OTHER}},
	{"__rel_loc char[] s", 4, {"s", "__rel_loc char[]", 8, 4, false, false, TRACE_REL_LOC}},
	{"const char * s", 8, {"s", "const char *", 8, 8, false, false, TRACE_POINTER}},
	{"const char *s", 8, {"s", "const char *", 8, 8, false, false, TRACE_POINTER}},
	{"struct timespec64 t", 16, {"t", "struct timespec64", 8, 16, false, false, TRACE_OTHER}},
	{"struct pair p", 8, {"p", "struct pair", 8, 8, false, false, TRACE_OTHER}},
	{"enum zone_type z", 4, {"z", "enum zone_type", 8, 4, false, false, TRACE_NUMBER}},
	{"sector_t s", 8, {"s", "sector_t", 8, 8, false, false, TRACE_NUMBER}},
	/* Arguments of system calls. */
	{"int fd", 8, {"fd", "int", 8, 4, true, false, TRACE_NUMBER}},
	{"unsigned int fd", 8, {"fd", "unsigned int", 8, 4, false, false, TRACE_NUMBER}},
	{"const clockid_t c", 8, {"c", "const clockid_t", 8, 4, true, false, TRACE_NUMBER}},
	{"off_t o", 8, {"o", "off_t", 8, 8, true, false, TRACE_NUMBER}},
	{"size_t n", 8, {"n", "size_t", 8, 8, false, false, TRACE_NUMBER}},
	{"int * p", 8, {"p", "int *", 8, 8, false, false, TRACE_POINTER}},
};

static void test_kinds(void **state)
{
	struct trace_format f;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(text, sizeof(text), "\tfield:%s;\toffset:8;\tsize:%u;\tsigned:0;\n",
			 kinds[i].declaration, kinds[i].size);
		assert_int_equal(trace_format_parse(&f, text), 0);
		assert_int_equal(f.cnt, 1);
		assert_field(&f, &kinds[i].field);
		trace_format__free(&f);
	}
}

static const char *const left_out[] = {
	"",
	"field:",
	"field:int",
	"field:int;",
	"field:;\toffset:0;\tsize:4;",
	"field:int ;\toffset:0;\tsize:4;",
	"field:[4];\toffset:0;\tsize:4;",
	"field:int x",
	"field:int ]];\toffset:0;\tsize:4;",
	"field: x;\toffset:0;\tsize:4;",
	" print fmt: field:int x;\toffset:0;\tsize:4;",
	/* A name longer than any. */
	"field:int aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"
	"\toffset:0;\tsize:4;",
};
static const char *const contradictory[] = {
	"field:int x;",
	"field:int x;\toffset:0;",
	"field:int x;\toffset:0;\tsize:4",
	"field:int x;\tsize:4;\toffset:0;",
	"field:int x;\toffset:-1;\tsize:4;",
	"field:int x;\toffset:0;\tsize:65536;",
	"field:int x;\toffset:99999999999999999999;\tsize:4;",
	"field:int x;\toffset:0x8;\tsize:4;",
};

static void test_other_texts(void **state)
{
	struct trace_format f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		assert_int_equal(trace_format_parse(&f, left_out[i]), 0);
		if (f.cnt)
			fail_msg("taken: '%s'", left_out[i]);
		trace_format__free(&f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(contradictory); i++) {
		if (trace_format_parse(&f, contradictory[i]) != -EBADMSG)
			fail_msg("not refused: '%s'", contradictory[i]);
		trace_format__free(&f);
	}
}

static void test_refusal(void **state)
{
	struct output output;
	struct trace_format f;

	(void)state;
	log_init("tool");
	assert_int_equal(trace_format_parse(&f, event), 0);
	output_begin(&output, STDERR_FILENO);
	trace_format__refuse(&f, "net", "net_dev_xmit", "lenn");
	output_end(&output, STDERR_FILENO);
	assert_string_equal(output.text,
			    "tool: the tracepoint 'net:net_dev_xmit' has no field 'lenn'\n"
			    "why: its fields are: skbaddr len rc name\n"
			    "try: len\n");
	trace_format__free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event),   cmocka_unit_test(test_elements),
		cmocka_unit_test(test_kinds),   cmocka_unit_test(test_other_texts),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
