/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls the functions of a library, and one of its own, with arguments that follow from a number.
 *
 * usage: probed-app [-dw] [-n N] [-s MS] LIBRARY
 *   -n N   rounds (default 100); round i of 0 to N - 1 calls
 *            probed_work(i, i % 7, TEXT) of the library, which returns i - i % 7; TEXT is
 *            "zero", "one", "two" for i % 3
 *            probed_deep(i % 4), which calls itself so many times
 *            own_work(-i), of the program
 *            probed_fire_1(i) if i is odd, probed_fire_2(i) if not, which fire probed:fire with
 *            i, -i, and the number of the part, if it is attached to
 *   -s MS  sleep so long in own_work() of round 0
 *   -d     delete the library once it is loaded
 *   -w     first print "ready PID" and wait for the end of stdin
 *
 * Prints how many probes were fired: "fired N", and how many frames of probed_deep() there were.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ready.h"

static const char usage[] = "usage: probed-app [-dw] [-n N] [-s MS] LIBRARY";

/* One function, at one place: clang makes no copies, and does not know the word for that. */
#ifdef __clang__
#define ALONE __attribute__((noinline))
#else
#define ALONE __attribute__((noinline, noclone))
#endif

struct library {
	long (*work)(long a, int b, const char *text);
	long (*deep)(long depth);
	long (*fire[2])(long value);
};

static unsigned long sleep_ms;

static ALONE long own_work(long value)
{
	if (!value && sleep_ms)
		usleep(sleep_ms * 1000);
	__asm__ volatile("" : "+r"(value) : : "memory");
	return value * 2;
}

static void *find(void *handle, const char *name)
{
	void *found = dlsym(handle, name);

	if (!found)
		errx(1, "%s", dlerror());
	return found;
}

static void load(struct library *library, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);

	if (!handle)
		errx(1, "%s", dlerror());
	library->work = find(handle, "probed_work");
	library->deep = find(handle, "probed_deep");
	library->fire[0] = find(handle, "probed_fire_2");
	library->fire[1] = find(handle, "probed_fire_1");
}

static void run(const struct library *library, long rounds)
{
	static const char *const texts[] = {"zero", "one", "two"};
	long fired = 0, deep = 0;

	for (long i = 0; i < rounds; i++) {
		if (library->work(i, i % 7, texts[i % 3]) != i - i % 7 || own_work(-i) != -2 * i)
			errx(1, "a function returned what it should not");
		deep += library->deep(i % 4);
		fired += library->fire[i % 2](i);
	}
	printf("fired %ld\ndeep %ld\n", fired, deep);
}

int main(int argc, char **argv)
{
	struct library library;
	bool delete = false, wait = false;
	long rounds = 100;
	int option;

	while ((option = getopt(argc, argv, "n:s:dw")) != -1) {
		if (option == 'n')
			rounds = strtol(optarg, NULL, 10);
		else if (option == 's')
			sleep_ms = strtoul(optarg, NULL, 10);
		else if (option == 'd')
			delete = true;
		else if (option == 'w')
			wait = true;
		else
			errx(2, "%s", usage);
	}
	if (optind + 1 != argc)
		errx(2, "%s", usage);
	load(&library, argv[optind]);
	if (delete &&unlink(argv[optind]))
		err(1, "unlink");
	if (wait)
		ready_wait_go();
	run(&library, rounds);
	return 0;
}
