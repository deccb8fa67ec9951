/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h" /* before cmocka.h, which makes a macro of fail() */
#include <cmocka.h>

#include "probe-spec.h"
#include "refused.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static char text[1024];

static struct probe_spec parse(const char *spec)
{
	struct probe_spec parsed;

	assert_true(strlen(spec) < sizeof(text));
	memcpy(text, spec, strlen(spec) + 1);
	assert_int_equal(probe_spec__parse(&parsed, text), 0);
	return parsed;
}

static int parse_bad(const char *spec)
{
	struct probe_spec parsed;

	memcpy(text, spec, strlen(spec) + 1);
	return probe_spec__parse(&parsed, text);
}

static void test_places(void **state)
{
	struct probe_spec s = parse("usdt:./server:s2n_quic:name:arg2");

	(void)state;
	assert_int_equal(s.place[0].source, PROBE_USDT);
	assert_string_equal(s.place[0].binary, "./server");
	assert_string_equal(s.place[0].group, "s2n_quic");
	assert_string_equal(s.place[0].name, "name");
	assert_int_equal(s.value.kind, TERM_ARG);
	assert_int_equal(s.value.arg, 2);
	assert_int_equal(s.aggregation, AGGREGATE_HIST);
	assert_null(s.name);

	s = parse("usdt::p:n");
	assert_null(s.place[0].binary);
	assert_int_equal(s.aggregation, AGGREGATE_COUNT);

	s = parse("uprobe:libssl:SSL_write+0x10:(int16)arg3");
	assert_string_equal(s.place[0].binary, "libssl");
	assert_string_equal(s.place[0].name, "SSL_write");
	assert_int_equal(s.place[0].offset, 16);
	assert_int_equal(s.value.size, 2);
	assert_true(s.value.is_signed);

	s = parse("uretprobe:./a:b::c<d>::e:ret");
	assert_int_equal(s.place[0].source, PROBE_URETPROBE);
	assert_string_equal(s.place[0].name, "b::c<d>::e");
	assert_int_equal(s.value.kind, TERM_RETURN);

	s = parse("tracepoint:net:net_dev_start_xmit:len");
	assert_int_equal(s.place[0].source, PROBE_TRACEPOINT);
	assert_string_equal(s.place[0].group, "net");
	assert_int_equal(s.value.kind, TERM_FIELD);
	assert_string_equal(s.value.text, "len");

	s = parse("tp:syscalls:sys_exit_read:ret if:ret!=0xffffffffffffffff");
	assert_int_equal(s.value.kind, TERM_RETURN);
	assert_int_equal(s.filters[0].number, -1);
	s = parse("count:uretprobe:a:readline by:str(ret)");
	assert_true(s.keys[0].is_string);

	s = parse("raw_tp:net_dev_xmit:skb->dev->ifindex");
	assert_int_equal(s.place[0].source, PROBE_RAW_TRACEPOINT);
	assert_string_equal(s.value.text, "skb->dev->ifindex");
}

static void test_aggregations(void **state)
{
	struct probe_spec s = parse("sizes=sum:uprobe:a:b:arg0");

	(void)state;
	assert_string_equal(s.name, "sizes");
	assert_int_equal(s.aggregation, AGGREGATE_SUM);
	s = parse("@x=lhist(-10,100,10):uprobe:a:b:arg0");
	assert_string_equal(s.name, "x");
	assert_int_equal(s.linear.min, -10);
	assert_int_equal(s.linear.max, 100);
	assert_int_equal(s.linear.step, 10);
	assert_int_equal(s.aggregation, AGGREGATE_HIST);
	s = parse("lhist(0,100,10):lat:uprobe:a:b");
	assert_true(s.is_latency);
	assert_int_equal(s.linear.step, 10);
	assert_int_equal(parse("hist:tp:a:b:c").aggregation, AGGREGATE_HIST);
	assert_int_equal(parse("count:tp:a:b").aggregation, AGGREGATE_COUNT);
}

static void test_latency(void **state)
{
	struct probe_spec s = parse("lat:uprobe:libssl:SSL_read");

	(void)state;
	assert_true(s.is_latency);
	assert_int_equal(s.places_cnt, 1);
	assert_int_equal(s.aggregation, AGGREGATE_HIST);
	s = parse("w=lat:usdt:B:s2n_quic:A to usdt:B:s2n_quic:C on:arg0,arg1 by:pid if:arg2>0");
	assert_int_equal(s.places_cnt, 2);
	assert_string_equal(s.place[1].name, "C");
	assert_int_equal(s.matches_cnt, 2);
	assert_int_equal(s.matches[1].arg, 1);
	assert_int_equal(s.keys[0].kind, TERM_PID);
	assert_int_equal(s.filters_cnt, 1);
	/* What a function returns is known at its end. */
	s = parse("lat:uprobe:a:b by:ret if:ret>0,arg0<5");
	assert_int_equal(s.filters_cnt, 2);
	parse("lat:uprobe:a:b to uretprobe:a:c ret>0");
}

static void test_words(void **state)
{
	struct probe_spec s;

	(void)state;
	s = parse("tp:a:b:len by:gso_size,str(name) if:len >= 1200 , x!=-3 flags&0x10 y=7");
	assert_int_equal(s.keys_cnt, 2);
	assert_true(s.keys[1].is_string);
	assert_string_equal(s.keys[1].text, "name");
	assert_int_equal(s.filters_cnt, 4);
	assert_int_equal(s.filters[0].op, OP_MORE_EQUAL);
	assert_int_equal(s.filters[0].number, 1200);
	assert_int_equal(s.filters[1].op, OP_NOT_EQUAL);
	assert_int_equal(s.filters[1].number, -3);
	assert_int_equal(s.filters[2].op, OP_BITS);
	assert_int_equal(s.filters[2].number, 16);
	assert_int_equal(s.filters[3].op, OP_EQUAL);

	/* An arrow is no comparison; args. tells a field from a word of ours. */
	s = parse("  rawtp:a:p->pid\tby:args.pid,pid   p->tgid>5&&p->x<=6");
	assert_int_equal(s.keys[0].kind, TERM_FIELD);
	assert_string_equal(s.keys[0].text, "pid");
	assert_int_equal(s.keys[1].kind, TERM_PID);
	assert_string_equal(s.filters[0].term.text, "p->tgid");
	assert_int_equal(s.filters[0].op, OP_MORE);
	assert_int_equal(s.filters[1].op, OP_LESS_EQUAL);
}

static void test_linear(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1,2",
		"1,2,",
		"1,2,3,4",
		"5,5,1",
		"6,5,1",
		"0,10,0",
		"0,10,-1",
		"0,10,3",
		"0,1001,1",
		"0,10,1x",
		" 0,10,1",
		"0, 10,1",
		"-9223372036854775808,9223372036854775807,1",
		"0,99999999999999999999,1",
	};
	struct linear l;

	(void)state;
	assert_int_equal(linear_parse(&l, "0,1000,1"), 0);
	assert_int_equal(linear_parse(&l, "-9223372036854775807,9223372036854775807,"
					  "9223372036854775807"),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(linear_parse(&l, bad[i]), -EINVAL);
}

#define FORMS                                                                    \
	"why: it is one of usdt:BINARY:PROVIDER:PROBE, uprobe:BINARY:FUNCTION, " \
	"uretprobe:BINARY:FUNCTION, tp:GROUP:EVENT, rawtp:EVENT\ntry: tool --help\n"

static const struct refusal refusals[] = {
	{"", "tool: '' does not name a probe\n" FORMS},
	{"kprobe:x", "tool: 'kprobe' does not name a probe\n" FORMS},
	{"usdt:a:b", "tool: 'usdt' does not name a probe\n"
		     "try: usdt:BINARY:PROVIDER:PROBE\n"},
	{"uprobe:a:+4", "tool: '+4' does not name a probe\ntry: uprobe:BINARY:FUNCTION\n"},
	{"tp:net", "tool: 'tp' does not name a probe\ntry: tp:GROUP:EVENT\n"},
	{"a/b=tp:x:y", "tool: 'a/b' is not a name for a result\n"
		       "why: it may have up to 63 letters, digits, '_', '.' and '-'\n"},
	{"hist:tp:a:b", "tool: 'b' has no value to make a histogram or sum of\n"
			"try: PROBE:VALUE, such as arg0, or count:PROBE\n"},
	{"count:tp:a:b:c", "tool: 'c' is a value, of which count: has none\n"
			   "try: by:c or if:c>0\n"},
	{"lat:usdt:a:b:c", "tool: lat: of 'c' has no end: only a function has a return\n"
			   "try: lat:PROBE to PROBE, or lat:uprobe:BINARY:FUNCTION\n"},
	{"tp:a:b to tp:a:c", "tool: 'to' is between the two probes of a latency\n"
			     "try: lat:PROBE to PROBE\n"},
	{"tp:a:b:c on:d", "tool: on: is for the two ends of a latency\n"
			  "try: lat:PROBE to PROBE on:d\n"},
	{"tp:a:b:c foo", "tool: 'foo' is no part of a SPEC\n"
			 "try: by:KEY, if:EXPR>0, on:EXPR, or 'to PROBE' after lat:PROBE\n"},
	{"uprobe:a:b:len", "tool: 'len' is not known there\n"
			   "why: probes of programs have no names for what they pass\n"
			   "try: arg0, arg1 ...\n"},
	{"uretprobe:a:b:arg0", "tool: 'arg0' is not known there\n"
			       "why: a function that returns has no arguments any more\n"
			       "try: ret, or uprobe: instead of uretprobe:\n"},
	{"uprobe:a:b:ret", "tool: 'ret' is not known there\n"
			   "why: only the return of a function has a value\n"
			   "try: uretprobe:BINARY:FUNCTION:ret\n"},
	{"uretprobe:a:b+4:ret", "tool: 'b+4' has an offset: a function returns as a whole\n"
				"try: the same without +4\n"},
	{"tp:a:b:arg0",
	 "tool: 'arg0' is not known there\nwhy: a tracepoint has fields, not arguments\n"
	 "try: a name of those that -l tp:GROUP:EVENT lists, or rawtp:EVENT\n"},
	{"uprobe:a:b:comm", "tool: 'comm' is a text, not a number\ntry: by:comm\n"},
	{"uprobe:a:b:(foo)arg0", "tool: 'foo' is not a type to read a number as\n"
				 "try: (int32), (uint32), (int16), (uint8), (int64) ...\n"},
	{"tp:a:b:c by:d,e,f", "tool: 'f' is one too many: at most 2\n"},
	{"tp:a:b:c d>1,d>2,d>3,d>4,d>5", "tool: 'd>5' is one comparison too many: at most 4\n"},
	{"tp:a:b:c d>x", "tool: 'd>x' is not a comparison\n"
			 "try: arg1>0, with one of == != < <= > >= & and a number\n"},
	{"lhist(1,2):tp:a:b:c",
	 "tool: 'lhist(1,2' does not say how wide rows are\n"
	 "why: it takes MIN,MAX,STEP: up to 1000 rows of STEP from MIN to MAX\n"
	 "try: lhist(0,1500,100):PROBE:VALUE\n"},
	{"tp:a:b:5x", "tool: '5x' is nothing that can be read\n"
		      "try: arg0, ret, a field such as len, pid, tid, comm, cpu, str(arg0), "
		      "(int32)arg0\n"},
};

static void test_refusals(void **state)
{
	(void)state;
	assert_refused(parse_bad, refusals, ARRAY_SIZE(refusals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),  cmocka_unit_test(test_aggregations),
		cmocka_unit_test(test_latency), cmocka_unit_test(test_words),
		cmocka_unit_test(test_linear),  cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
