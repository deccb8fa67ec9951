/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define _GNU_SOURCE 1 /* strerrorname_np */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "nearest.h"
#include "syscall-groups.h"
#include "syscalls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __aarch64__
#define ARCH_NATIVE SCMP_ARCH_AARCH64
#define ARCH_COMPAT SCMP_ARCH_ARM
#else
#define ARCH_NATIVE SCMP_ARCH_X86_64
#define ARCH_COMPAT SCMP_ARCH_X86
#endif

#define MAX_ERRNO    4095 /* of the kernel: IS_ERR_VALUE() */
#define LIST_COLUMNS 4
#define DISTANCE_MAX 2
#define NO_NUMBER    (-1)

/* Part of a user's text: not NUL-terminated. */
struct word {
	const char *text;
	size_t len;
};

static struct word word_of(const char *text)
{
	return (struct word){text, strlen(text)};
}

static bool word_is(struct word word, const char *name)
{
	return !strncmp(word.text, name, word.len) && !name[word.len];
}

static int word_number(struct word word)
{
	int nr = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (!isdigit((unsigned char)word.text[i]) || nr > INT_MAX / 10 - 1)
			return NO_NUMBER;
		nr = nr * 10 + (word.text[i] - '0');
	}
	return word.len ? nr : NO_NUMBER;
}

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Names of a much different length need not be compared. */
static bool has_distance(struct word word, const char *name, size_t distance)
{
	size_t len = strlen(name), more = len > word.len ? len - word.len : word.len - len;

	return more <= distance && nearest_distance(word.text, word.len, name) == distance;
}

static void suggest_list(const char *const *names, size_t cnt)
{
	char text[512] = "";
	size_t i, len = 0;

	for (i = 0; i < cnt && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "", names[i]);
	suggest("%s", text);
}

static bool list_has(const char *const *names, size_t cnt, const char *name)
{
	while (cnt--) {
		if (!strcmp(names[cnt], name))
			return true;
	}
	return false;
}

/*
 * Names that are like the word, the best first; NULL in names is none. Returns false if there
 * are no such names. A short word is like too many: of "ab" one letter may differ, not both.
 */
static bool suggest_nearest(struct word word, const char *const *names, size_t cnt)
{
	size_t max = min_of(DISTANCE_MAX, word.len / 2);
	const char *nearest[NEAREST_MAX];
	size_t distance, i, found = 0;

	if (word.len > NEAREST_WORD_MAX)
		return false;
	for (distance = 0; distance <= max; distance++) {
		for (i = 0; i < cnt && found < NEAREST_MAX; i++) {
			if (names[i] && has_distance(word, names[i], distance) &&
			    !list_has(nearest, found, names[i]))
				nearest[found++] = names[i];
		}
	}
	if (found)
		suggest_list(nearest, found);
	return found;
}

static void add_names(const char **names, const struct syscall_number *numbers, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++) {
		if (numbers[i].name && !names[numbers[i].nr])
			names[numbers[i].nr] = numbers[i].name;
	}
}

/* NULL for a number without a call. Made once, never freed. */
static const char *const *known_names(void)
{
	static const char *names[SYSCALL_IDS];
	const char **compat = names + SYSCALL_COMPAT;
	int nr;

	if (names[SYSCALL_UNKNOWN])
		return names;
	for (nr = 0; nr < SYSCALL_COMPAT; nr++) {
		names[nr] = seccomp_syscall_resolve_num_arch(ARCH_NATIVE, nr);
		compat[nr] = seccomp_syscall_resolve_num_arch(ARCH_COMPAT, nr);
	}
	add_names(names, shared_syscalls, ARRAY_SIZE(shared_syscalls));
	add_names(compat, shared_syscalls, ARRAY_SIZE(shared_syscalls));
	add_names(names, native_syscalls, ARRAY_SIZE(native_syscalls));
	names[SYSCALL_UNKNOWN] = "[unknown]";
	return names;
}

/* A text that stays; without memory for it the plain one must do. */
static __printf(3, 4) const char *cached(char **cache, const char *plain, const char *fmt, ...)
{
	va_list args;

	if (*cache)
		return *cache;
	va_start(args, fmt);
	if (vasprintf(cache, fmt, args) < 0)
		*cache = NULL;
	va_end(args);
	return *cache ? *cache : plain;
}

const char *syscall_name(syscall_id id)
{
	static char *unknown[SYSCALL_UNKNOWN];
	const char *const *names = known_names();

	if (id >= SYSCALL_UNKNOWN)
		return names[SYSCALL_UNKNOWN];
	if (names[id])
		return names[id];
	return cached(&unknown[id], names[SYSCALL_UNKNOWN], "[unknown: %u]", id % SYSCALL_COMPAT);
}

static int set__add_name(struct syscall_set *set, struct word word)
{
	const char *const *names = known_names();
	int err = -ENOENT;
	syscall_id id;

	for (id = 0; id < SYSCALL_UNKNOWN; id++) {
		if (!names[id] || !word_is(word, names[id]))
			continue;
		set->in[id] = 1;
		err = 0;
	}
	return err;
}

/* A native number, and with it what has the same name on the other ABI. */
static int set__add_number(struct syscall_set *set, int nr)
{
	const char *name;

	if (nr >= SYSCALL_COMPAT)
		return -ERANGE;
	set->in[nr] = 1;
	name = known_names()[nr];
	return name ? set__add_name(set, word_of(name)) : 0;
}

static int set__add(struct syscall_set *set, struct word word);

/* A class may name what this machine does not have: only the user's own words must exist. */
static int set__add_class(struct syscall_set *set, struct word word)
{
	const char *at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(syscall_classes); i++) {
		if (word_is(word, syscall_classes[i].name))
			break;
	}
	if (i == ARRAY_SIZE(syscall_classes))
		return -ENOENT;
	for (at = syscall_classes[i].members; *at; at += strspn(at, ",")) {
		struct word member = {at, strcspn(at, ",")};

		set__add(set, member);
		at += member.len;
	}
	return 0;
}

static int set__add(struct syscall_set *set, struct word word)
{
	int nr = word_number(word);

	if (nr != NO_NUMBER)
		return set__add_number(set, nr);
	if (word.len && word.text[0] == '%')
		return set__add_class(set, word);
	return set__add_name(set, word);
}

static int refuse_name(struct word word)
{
	int err = refuse(-EINVAL, "unknown system call '%.*s'", (int)word.len, word.text);

	if (!suggest_nearest(word, known_names(), SYSCALL_UNKNOWN))
		suggest("%s --list", log_tool());
	return err;
}

static int refuse_class(struct word word)
{
	int err = refuse(-EINVAL, "unknown system call class '%.*s'", (int)word.len, word.text);
	const char *names[ARRAY_SIZE(syscall_classes)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = syscall_classes[i].name;
	if (!suggest_nearest(word, names, ARRAY_SIZE(names)))
		suggest_list(names, ARRAY_SIZE(names));
	return err;
}

static int refuse_word(struct word word, int reason)
{
	int err;

	if (!word.len) {
		err = refuse(-EINVAL, "the name of a system call is empty");
		suggest("a list such as read,write,%%net");
		return err;
	}
	if (reason == -ERANGE) {
		err = refuse(-EINVAL, "no system call has the number %.*s", (int)word.len,
			     word.text);
		suggest("0 to %d", SYSCALL_COMPAT - 1);
		return err;
	}
	return word.text[0] == '%' ? refuse_class(word) : refuse_name(word);
}

int syscall_set__parse(struct syscall_set *set, const char *text)
{
	bool all_but = text[0] == '!';
	struct word word;
	int err;
	size_t i;

	memset(set, 0, sizeof(*set));
	for (text += all_but;; text += word.len + 1) {
		word = (struct word){text, strcspn(text, ",")};
		err = set__add(set, word);
		if (err)
			return refuse_word(word, err);
		if (!text[word.len])
			break;
	}
	for (i = 0; all_but && i < SYSCALL_IDS; i++)
		set->in[i] = !set->in[i];
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void syscalls_list(FILE *out)
{
	const char *const *names = known_names();
	const char *sorted[SYSCALL_COMPAT];
	size_t i, cnt = 0;
	int nr;

	for (nr = 0; nr < SYSCALL_COMPAT; nr++) {
		if (names[nr])
			sorted[cnt++] = names[nr];
	}
	qsort(sorted, cnt, sizeof(sorted[0]), compare_names);
	for (i = 0; i < cnt; i++) {
		bool last = i % LIST_COLUMNS == LIST_COLUMNS - 1 || i == cnt - 1;

		fprintf(out, "%-22s%s", sorted[i], last ? "\n" : "   ");
	}
}

/* NULL if there is no such error. */
static const char *known_errno(int nr)
{
	if (nr <= 0)
		return NULL;
	if (nr < KERNEL_ERRNO_FIRST)
		return strerrorname_np(nr);
	nr -= KERNEL_ERRNO_FIRST;
	return (size_t)nr < ARRAY_SIZE(kernel_errnos) ? kernel_errnos[nr] : NULL;
}

const char *errno_name(int nr)
{
	static char *unknown[MAX_ERRNO + 1];
	const char *name = known_errno(nr);

	if (name)
		return name;
	if (nr < 0 || nr > MAX_ERRNO)
		return "[unknown]";
	return cached(&unknown[nr], "[unknown]", "errno %d", nr);
}

static int refuse_errno(const char *text)
{
	int err = refuse(-EINVAL, "unknown error '%s'", text);
	const char *names[ERRNO_MAX];
	int nr;

	for (nr = 0; nr < ERRNO_MAX; nr++)
		names[nr] = known_errno(nr);
	if (!suggest_nearest(word_of(text), names, ERRNO_MAX))
		suggest("a name such as EAGAIN, or its number");
	return err;
}

int errno_parse(const char *text)
{
	/* Second names: on all Linux machines of today the same numbers as the first. */
	static const struct {
		const char *name;
		int nr;
	} aliases[] = {
		{"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};
	int nr = word_number(word_of(text));
	size_t i;

	if (nr != NO_NUMBER)
		return known_errno(nr) ? nr : refuse_errno(text);
	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (!strcasecmp(text, aliases[i].name))
			return aliases[i].nr;
	}
	for (nr = 1; nr < ERRNO_MAX; nr++) {
		if (known_errno(nr) && !strcasecmp(text, known_errno(nr)))
			return nr;
	}
	return refuse_errno(text);
}
