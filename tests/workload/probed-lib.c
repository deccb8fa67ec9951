/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A library to probe: functions whose arguments and results its caller states, and a static probe
 * with semaphores. It is built of this file twice, with PART 1 and 2: the probe has a site in
 * each, and each site a semaphore of its own.
 */
#include <sys/types.h>

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

long JOIN(probed_fire_, PART)(long value);
long probed_work(long a, int b, const char *text);
long probed_deep(long depth);

/* sys/sdt.h names it; static, so that the other part has another one. */
static volatile unsigned short probed_fire_semaphore __attribute__((section(".probes"), used));

/* As programs do that compute something for their probes: nothing unless somebody looks. */
long JOIN(probed_fire_, PART)(long value)
{
	if (!probed_fire_semaphore)
		return 0;
	STAP_PROBE3(probed, fire, value, (int)-value, (long)PART);
	return 1;
}

/* One function, at one place: clang makes no copies, and does not know the word for that. */
#ifdef __clang__
#define ALONE __attribute__((noinline))
#else
#define ALONE __attribute__((noinline, noclone))
#endif

#if PART == 1
__attribute__((noinline)) long probed_work(long a, int b, const char *text)
{
	__asm__ volatile("" : : "r"(text) : "memory");
	return a - b;
}

/* Calls itself: its frames return in the opposite order. */
ALONE long probed_deep(long depth)
{
	long below = depth > 0 ? probed_deep(depth - 1) : 0;

	__asm__ volatile("" : "+r"(below) : : "memory");
	return below + 1;
}
#endif
