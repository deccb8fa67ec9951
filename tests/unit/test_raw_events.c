/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What expressions mean: a raw tracepoint whose BTF is made here is read by the steps that they
 * lead to, and must give what C reads from the same memory.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "log.h" /* before cmocka's fail() */
#include <cmocka.h>

#include "output.h"
#include "raw-events.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum level { LOW = -5, HIGH = 5 };

struct inner {
	short x;
	char text[6];
};

struct device {
	char name[16];
	int ifindex;
	struct device *next;
	const char *label;
	union {
		unsigned int whole;
		struct {
			short low, high;
		};
	};
	unsigned int a : 3, b : 7, c : 22;
	int d : 5;
	unsigned char e : 1;
	unsigned long f : 40;
	struct inner inner[2];
	unsigned short port; /* __be16 */
	int numbers[4];
	enum level level;
	bool up;
	__int128 huge;
	double real;
	struct device *counters; /* of each CPU */
};

static struct device second = {
	.name = "second",
	.ifindex = -2,
	.label = "two",
	.numbers = {1, -2, 3, 4},
};
static struct device first = {
	.name = "first",
	.ifindex = 7,
	.next = &second,
	.label = "one",
	.low = -3,
	.high = 12,
	.a = 5,
	.b = 100,
	.c = 0x2aaaaa,
	.d = -9,
	.e = 1,
	.f = 0xabcdef0123,
	.inner = {{1, "x"}, {-2, "inner"}},
	.port = 0x3412,
	.level = LOW,
	.up = true,
};

#define BITS(type, member) (8 * offsetof(type, member))

/* Where a bit field is, C does not say: it shows. */
static size_t first_bit(const struct device *device)
{
	const unsigned char *byte = (const unsigned char *)device;
	size_t bit = 0;

	while (!(byte[bit / 8] >> bit % 8 & 1))
		bit++;
	return bit;
}

#define FIRST_BIT(member) first_bit(&(struct device){.member = -1})

struct types {
	int i32, u32, i16, u16, u8, u64, chr, boolean, i128, real, be16;
	int name, text, numbers, inner, inners, level, pair, union_id, device, device_ptr, label,
		counters;
};

static void add_scalars(struct btf *b, struct types *t)
{
	t->i32 = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	t->u32 = btf__add_int(b, "unsigned int", 4, 0);
	t->i16 = btf__add_int(b, "short", 2, BTF_INT_SIGNED);
	t->u16 = btf__add_int(b, "unsigned short", 2, 0);
	t->u8 = btf__add_int(b, "unsigned char", 1, 0);
	t->u64 = btf__add_int(b, "long unsigned int", 8, 0);
	t->chr = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	t->boolean = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL);
	t->i128 = btf__add_int(b, "__int128", 16, BTF_INT_SIGNED);
	t->real = btf__add_float(b, "double", 8);
	t->be16 = btf__add_typedef(b, "__be16", btf__add_typedef(b, "__u16", t->u16));
	t->name = btf__add_array(b, t->u32, t->chr, 16);
	t->text = btf__add_array(b, t->u32, t->chr, 6);
	t->numbers = btf__add_array(b, t->u32, t->i32, 4);
	t->label = btf__add_ptr(b, btf__add_const(b, t->chr));
	t->level = btf__add_enum(b, "level", 4);
	btf__add_enum_value(b, "LOW", LOW);
	btf__add_enum_value(b, "HIGH", HIGH);
	/* Before 6.0 nothing says that it is signed. */
	((struct btf_type *)btf__type_by_id(b, t->level))->info &= ~(UINT32_C(1) << 31);
}

static void add_structures(struct btf *b, struct types *t)
{
	t->inner = btf__add_struct(b, "inner", sizeof(struct inner));
	btf__add_field(b, "x", t->i16, 0, 0);
	btf__add_field(b, "text", t->text, 16, 0);
	t->inners = btf__add_array(b, t->u32, t->inner, 2);
	t->counters = btf__add_ptr(b, btf__add_type_tag(b, "percpu", t->inner));
	t->pair = btf__add_struct(b, NULL, 4);
	btf__add_field(b, "low", t->i16, 0, 0);
	btf__add_field(b, "high", t->i16, 16, 0);
	t->union_id = btf__add_union(b, NULL, 4);
	btf__add_field(b, "whole", t->u32, 0, 0);
	btf__add_field(b, NULL, t->pair, 0, 0);
}

static void add_device(struct btf *b, struct types *t)
{
	t->device = btf__add_struct(b, "device", sizeof(struct device));
	t->device_ptr = t->device + 1;
	btf__add_field(b, "name", t->name, BITS(struct device, name), 0);
	btf__add_field(b, "ifindex", t->i32, BITS(struct device, ifindex), 0);
	btf__add_field(b, "next", t->device_ptr, BITS(struct device, next), 0);
	btf__add_field(b, "label", t->label, BITS(struct device, label), 0);
	btf__add_field(b, NULL, t->union_id, BITS(struct device, whole), 0);
	btf__add_field(b, "a", t->u32, FIRST_BIT(a), 3);
	btf__add_field(b, "b", t->u32, FIRST_BIT(b), 7);
	btf__add_field(b, "c", t->u32, FIRST_BIT(c), 22);
	btf__add_field(b, "d", t->i32, FIRST_BIT(d), 5);
	btf__add_field(b, "e", t->u8, FIRST_BIT(e), 1);
	btf__add_field(b, "f", t->u64, FIRST_BIT(f), 40);
	btf__add_field(b, "inner", t->inners, BITS(struct device, inner), 0);
	btf__add_field(b, "port", t->be16, BITS(struct device, port), 0);
	btf__add_field(b, "numbers", t->numbers, BITS(struct device, numbers), 0);
	btf__add_field(b, "level", t->level, BITS(struct device, level), 0);
	btf__add_field(b, "up", t->boolean, BITS(struct device, up), 0);
	btf__add_field(b, "huge", t->i128, BITS(struct device, huge), 0);
	btf__add_field(b, "real", t->real, BITS(struct device, real), 0);
	btf__add_field(b, "counters", t->counters, BITS(struct device, counters), 0);
	btf__add_ptr(b, t->device);
}

/* TP_PROTO(const struct device *dev, int rc, const char *text, void *anything) */
static int add_prototype(struct btf *b, const struct types *t, bool named)
{
	const int args[] = {btf__add_ptr(b, btf__add_const(b, t->device)), t->i32, t->label,
			    btf__add_ptr(b, 0)};
	static const char *const names[] = {"dev", "rc", "text", "anything"};
	int id = btf__add_func_proto(b, 0);

	btf__add_func_param(b, named ? "__data" : NULL, args[3]);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		btf__add_func_param(b, named ? names[i] : NULL, args[i]);
	return id;
}

static struct btf *make_btf(void)
{
	struct btf *b = btf__new_empty();
	struct types t;

	add_scalars(b, &t);
	add_structures(b, &t);
	add_device(b, &t);
	btf__add_typedef(b, "btf_trace_known", btf__add_ptr(b, add_prototype(b, &t, false)));
	btf__add_typedef(b, "btf_trace_bare", btf__add_ptr(b, add_prototype(b, &t, false)));
	btf__add_func(b, "__traceiter_known", BTF_FUNC_STATIC, add_prototype(b, &t, true));
	btf__add_func(b, "__bpf_trace_template", BTF_FUNC_STATIC, add_prototype(b, &t, true));
	/* Not what they seem. */
	btf__add_typedef(b, "btf_trace_number", t.i32);
	btf__add_typedef(b, "btf_trace_pointer", t.device_ptr);
	return b;
}

static int64_t low_bits(int64_t number, unsigned int bits, bool is_signed)
{
	uint64_t up = (uint64_t)number << (64 - bits);

	return is_signed ? (int64_t)up >> (64 - bits) : (int64_t)(up >> (64 - bits));
}

/* As raw-events.h says. */
static int64_t read_value(const struct raw_value *v, const uint64_t *args, const char **text)
{
	uint64_t at = args[v->arg], number = at;

	for (unsigned int i = 0; i < v->steps_cnt; i++) {
		at += v->steps[i];
		if (i + 1 < v->steps_cnt)
			memcpy(&at, (const void *)at, sizeof(at));
	}
	*text = v->kind == RAW_STRING ? (const char *)at : NULL;
	if (*text)
		return 0;
	if (v->steps_cnt)
		memcpy(&number, (const void *)at, v->size);
	if (v->is_big_endian)
		number = __builtin_bswap64(number) >> (64 - 8 * v->size);
	return low_bits(number >> v->shift, v->width ?: 8 * v->size, v->is_signed);
}

static void assert_value(const struct raw_event *e, const char *expression, int64_t expected,
			 const char *expected_text)
{
	const uint64_t args[] = {(uintptr_t)&first, (uint32_t)-5, (uintptr_t) "argument", 42};
	struct raw_value v;
	const char *text;
	int64_t number;

	assert_int_equal(raw_event__resolve(e, expression, &v), 0);
	number = read_value(&v, args, &text);
	if (number != expected || !text != !expected_text || (text && strcmp(text, expected_text)))
		fail_msg("'%s' is %lld '%s'", expression, (long long)number, text ?: "");
}

static void test_expressions(void **state)
{
	struct btf *b = make_btf();
	struct raw_event e;

	(void)state;
	assert_int_equal(raw_event_find(&e, b, "known"), 0);
	assert_int_equal(e.cnt, 4);
	assert_value(&e, "dev", (intptr_t)&first, NULL);
	assert_value(&e, "rc", -5, NULL);
	assert_value(&e, "arg1", -5, NULL);
	assert_value(&e, "text", 0, "argument");
	assert_value(&e, "text[3]", 'u', NULL);
	assert_value(&e, "anything", 42, NULL);
	assert_value(&e, "dev->name", 0, "first");
	assert_value(&e, "arg0->name[1]", 'i', NULL);
	assert_value(&e, "dev->ifindex", 7, NULL);
	assert_value(&e, "dev->next", (intptr_t)&second, NULL);
	assert_value(&e, "dev->next->ifindex", -2, NULL);
	assert_value(&e, "dev.next.name", 0, "second");
	assert_value(&e, "dev->next->label", 0, "two");
	assert_value(&e, "dev->label", 0, "one");
	assert_value(&e, "dev->label[2]", 'e', NULL);
	assert_value(&e, "dev->low", -3, NULL);
	assert_value(&e, "dev->high", 12, NULL);
	assert_value(&e, "dev->whole", 0xcfffd, NULL);
	assert_value(&e, "dev->inner[1].x", -2, NULL);
	assert_value(&e, "dev->inner[1].text", 0, "inner");
	assert_value(&e, "dev->port", 0x1234, NULL);
	assert_value(&e, "dev->next->numbers[1]", -2, NULL);
	assert_value(&e, "dev->level", LOW, NULL);
	assert_value(&e, "dev->up", 1, NULL);
	btf__free(b);
}

static void test_bit_fields(void **state)
{
	struct btf *b = make_btf();
	struct raw_event e;

	(void)state;
	assert_int_equal(raw_event_find(&e, b, "known"), 0);
	assert_value(&e, "dev->a", 5, NULL);
	assert_value(&e, "dev->b", 100, NULL);
	assert_value(&e, "dev->c", 0x2aaaaa, NULL);
	assert_value(&e, "dev->d", -9, NULL);
	assert_value(&e, "dev->e", 1, NULL);
	assert_value(&e, "dev->f", 0xabcdef0123, NULL);
	assert_value(&e, "dev->next->c", 0, NULL);
	btf__free(b);
}

static const struct {
	const char *expression;
	int err;
	const char *message;
} refusals[] = {
	{"dve", -ENOENT,
	 "tool: the raw tracepoint 'known' has no argument 'dve'\n"
	 "why: its arguments are: const struct device * arg0 (dev), int arg1 (rc), "
	 "const char * arg2 (text), void * arg3 (anything)\n"},
	{"arg4", -ENOENT, "has no argument 'arg4'"},
	{"arg00", -ENOENT, "has no argument 'arg00'"},
	{"", -ENOENT, "has no argument ''"},
	{"->x", -ENOENT, "has no argument '->x'"},
	{"dev->ifindexx", -ENOENT,
	 "tool: 'dev->ifindexx' of the raw tracepoint 'known' cannot be read\n"
	 "why: 'const struct device' has no member 'ifindexx'\n"
	 "try: ifindex\n"},
	{"dev->hihg", -ENOENT, "try: high\n"},
	{"rc->x", -ENOENT, "why: 'int' has no member 'x'\n"},
	{"anything->x", -ENOENT, "why: 'void' has no member 'x'\n"},
	{"anything[0]", -EINVAL, "why: there is no such element\n"},
	{"dev->", -EINVAL, "why: the name of a member is missing\n"},
	{"dev-", -EINVAL, "joined by"},
	{"dev ->name", -EINVAL, "joined by"},
	{"dev->numbers", -EINVAL,
	 "why: 'int[4]' is no number and no text\n"
	 "try: dev->numbers[0]\n"},
	{"dev->numbers[4]", -EINVAL, "why: there is no such element\n"},
	{"dev->numbers[99999999999999999999]", -EINVAL, "why: there is no such element\n"},
	{"dev->numbers[-1]", -EINVAL, "are missing\n"},
	{"dev->numbers[1", -EINVAL, "are missing\n"},
	{"dev->ifindex[0]", -EINVAL, "why: only arrays and pointers have elements\n"},
	{"dev->inner[0]", -EINVAL, "try: dev->inner[0].MEMBER\n"},
	{"dev->a.x", -EINVAL, "why: a bit field has no parts\n"},
	{"dev->huge", -EINVAL, "why: it is too large a number\n"},
	{"dev->real", -EINVAL, "why: 'double' is no number and no text\n"},
	{"dev->counters->x", -EINVAL, "why: it is memory of a CPU or of the process\n"},
	{"dev->next->next->next->next->next->next->ifindex", -EINVAL,
	 "why: it is more than 5 pointers away\n"},
};

static void test_refusals(void **state)
{
	struct btf *b = make_btf();
	struct output output;
	struct raw_event e;
	struct raw_value v;
	int err;

	(void)state;
	log_init("tool");
	assert_int_equal(raw_event_find(&e, b, "known"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		output_begin(&output, STDERR_FILENO);
		err = raw_event__resolve(&e, refusals[i].expression, &v);
		output_end(&output, STDERR_FILENO);
		assert_contains(output.text, refusals[i].message);
		assert_int_equal(err, refusals[i].err);
	}
	assert_int_equal(raw_event__resolve(&e, "dev->next->next->next->next->next->ifindex", &v),
			 0);
	output_begin(&output, STDERR_FILENO);
	err = raw_event_find(&e, b, "knowm");
	output_end(&output, STDERR_FILENO);
	assert_string_equal(output.text,
			    "tool: the kernel has no raw tracepoint 'knowm'\n"
			    "why: its BTF does not have it; those of modules are not in there\n"
			    "try: known\n");
	assert_int_equal(err, -ENOENT);
	btf__free(b);
}

static int note_event(const struct raw_event *event, void *arg)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "%s(%s %s, %s)", event->name, event->args[0].type,
		 event->args[0].name ?: "?", event->args[1].type);
	return 0;
}

static void test_list(void **state)
{
	struct btf *b = make_btf();
	char text[256] = "";

	(void)state;
	assert_int_equal(raw_events_each(b, "*", note_event, text), 0);
	assert_string_equal(text, "bare(const struct device * ?, int)"
				  "known(const struct device * dev, int)");
	text[0] = '\0';
	assert_int_equal(raw_events_each(b, "k*n", note_event, text), 0);
	assert_string_equal(text, "known(const struct device * dev, int)");
	btf__free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_bit_fields),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
