/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of options. The first byte chooses which. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "syscalls.h"
#include "usdt.h"
#include "values.h"

static void check_duration(const char *text)
{
	uint64_t ns = 0;
	int err = parse_duration(text, &ns);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	if (err)
		return;
	FUZZ_CHECK(ns >= 1000 && ns <= 9000000000000000000);
	FUZZ_CHECK(text[strspn(text, "0123456789.umsh")] == '\0');
}

static void check_size(const char *text)
{
	uint64_t bytes = 0;
	int err = parse_size(text, &bytes);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	if (err)
		return;
	FUZZ_CHECK(bytes >= 1 && bytes <= 9000000000000000000);
	FUZZ_CHECK(text[strspn(text, "0123456789.KMG")] == '\0');
}

static void check_unsigned(const char *text)
{
	unsigned long value, again;
	char digits[32];

	if (parse_unsigned(text, 2, 1ul << 63, &value))
		return;
	FUZZ_CHECK(value >= 2 && value <= 1ul << 63);
	FUZZ_CHECK(text[strspn(text, "0123456789")] == '\0');
	snprintf(digits, sizeof(digits), "%lu", value);
	FUZZ_CHECK(!strcmp(text + strspn(text, "0"), digits));
	FUZZ_CHECK(!parse_unsigned(digits, value, value, &again) && again == value);
}

/* A list that is taken to its end is one of numbers, and has as many as commas and one. */
static void check_pids(const char *text)
{
	const char *at = text;
	size_t cnt = 0, commas = 0;
	pid_t pid;

	while (at) {
		if (parse_pid(at, &pid, &at))
			return;
		FUZZ_CHECK(pid > 0);
		cnt++;
	}
	for (at = text; *at; at++)
		commas += *at == ',';
	FUZZ_CHECK(cnt == commas + 1);
	FUZZ_CHECK(text[strspn(text, "0123456789,")] == '\0');
}

static void check_rename(const char *text)
{
	static const struct usdt_name defaults[] = {{"a", "pa", "na"}, {"b-c", "pb", "nb"}};
	struct usdt_name names[] = {defaults[0], defaults[1]};
	char *copy = strdup(text), again[4096];
	int err = usdt_rename(names, 2, copy);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	for (size_t i = 0; i < 2; i++) {
		if (names[i].provider == defaults[i].provider)
			continue;
		FUZZ_CHECK(!err);
		snprintf(again, sizeof(again), "%s=%s:%s", names[i].which, names[i].provider,
			 names[i].name);
		FUZZ_CHECK(strlen(text) >= sizeof(again) || !strcmp(again, text));
	}
	free(copy);
}

/* "!X" is all that "X" is not. */
static void check_syscalls(const char *text)
{
	struct syscall_set set, others;
	char *negated = malloc(strlen(text) + 2);
	int err = syscall_set__parse(&set, text);

	FUZZ_CHECK(err == 0 || err == -EINVAL);
	negated[0] = '!';
	memcpy(negated + 1, text, strlen(text) + 1);
	if (*text != '!') {
		FUZZ_CHECK(syscall_set__parse(&others, negated) == err);
		for (size_t i = 0; !err && i < SYSCALL_IDS; i++)
			FUZZ_CHECK(set.in[i] <= 1 && set.in[i] + others.in[i] == 1);
	}
	free(negated);
}

static void check_errno(const char *text)
{
	int nr = errno_parse(text);

	FUZZ_CHECK(nr == -EINVAL || (nr > 0 && nr <= ERRNO_MAX));
	if (nr > 0)
		FUZZ_CHECK(errno_parse(errno_name(nr)) == nr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(const char *) = {
		check_duration, check_size,     check_unsigned, check_pids,
		check_rename,   check_syscalls, check_errno,
	};
	struct fuzz_input in = {data, size};
	/* Letters, so that a seed is a text that one can read. */
	size_t which = fuzz_byte(&in) - 'a';
	char *text = fuzz_text(&in);

	if (which < sizeof(checks) / sizeof(checks[0]))
		checks[which](text);
	free(text);
	return 0;
}
