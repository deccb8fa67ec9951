/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is checked against which kernels, and what was found. */
#ifndef WIRESCOPE_TESTS_CHECK_H
#define WIRESCOPE_TESTS_CHECK_H

#include <stdbool.h>

#include <bpf/btf.h>

#define KERNELS_MAX 16

struct kernel {
	const char *name;     /* its release: "5.10.0-32-cloud-amd64" */
	unsigned int release; /* RELEASE(5, 10) */
	struct btf *btf;
};

#define RELEASE(major, minor) ((major) << 16 | (minor))

/* "5.10", with or without more of a release behind it. */
bool release_parse(const char *text, unsigned int *release);

struct kernels {
	struct kernel kernel[KERNELS_MAX];
	int cnt;
};

/*
 * What was found about `what` in a kernel. A NOTE is what the source says itself: a declared
 * absence, or something that a program asks for before it uses it.
 */
enum finding { FINDING_NOTE, FINDING_WRONG };

void finding(enum finding kind, int kernel, const char *how, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

/* TAP: one result; the wrong findings since the last one make it fail. */
void test_end(const char *what, ...) __attribute__((format(printf, 1, 2)));
void test_skip(const char *what, const char *why);

/* vmlinux.h, as an object with a variable of each of its types. */
int check_header(const char *path, const struct kernels *kernels);

/* What a BPF object asks of kernels. */
int check_object(const char *path, const struct kernels *kernels);

#endif
