// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "doctor.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel.h"
#include "log.h"
#include "pidns.h"
#include "privilege.h"
#include "tool.h"

static int explain_privileges(int err)
{
	bool bpf = privilege_has(CAP_BPF), perfmon = privilege_has(CAP_PERFMON);

	if (bpf && perfmon)
		refuse(err, "not permitted to load BPF programs (root of a user namespace only)");
	else
		refuse(err, "not permitted to load BPF programs (uid %u lacks %s%s%s)", geteuid(),
		       bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : ", ",
		       perfmon ? "" : "CAP_PERFMON");
	suggest("sudo %s ...", log_tool());
	return err;
}

static int explain_btf(int err)
{
	if (strcmp(kernel_btf_path(), KERNEL_BTF_PATH)) {
		if (access(kernel_btf_path(), R_OK))
			return fail(-errno, "failed to open '%s'", kernel_btf_path());
		refuse(err, "no BTF of a kernel in '%s'", kernel_btf_path());
		suggest("a copy of " KERNEL_BTF_PATH " of the running kernel");
		return err;
	}
	refuse(err, "this kernel has no BTF ('" KERNEL_BTF_PATH "' is missing)");
	why("it was built without CONFIG_DEBUG_INFO_BTF, or a container hides it");
	suggest("--btf FILE, mount /sys, or a kernel of a distribution since 2021");
	return err;
}

static int explain_too_old(int err)
{
	struct utsname uts = {.release = "?"};

	uname(&uts);
	return refuse(err, "Linux %s is too old: 5.10 or newer is needed", uts.release);
}

static int explain_untraceable(int err)
{
	refuse(err, "this kernel has no tracing programs (tp_btf)");
	why("it was built without CONFIG_BPF_EVENTS or CONFIG_DEBUG_INFO_BTF");
	suggest("another kernel; %s --doctor shows what this one has", log_tool());
	return err;
}

/* libbpf has raised it as far as we may. */
static bool explain_memlock(int err)
{
	struct rlimit limit;

	if (err != -EPERM || getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    kernel_has(KERNEL_FREE_MEMLOCK))
		return false;
	why("only %llu KiB of memory may be locked (RLIMIT_MEMLOCK), Linux before 5.11 counts "
	    "maps, and raising it needs CAP_SYS_RESOURCE",
	    (unsigned long long)limit.rlim_cur / 1024);
	suggest("CAP_SYS_RESOURCE too, or 'ulimit -l unlimited' by root before");
	return true;
}

static bool explain_lockdown(const struct tool *tool)
{
	if (!kernel_is_locked_down() || kernel_has(KERNEL_MEMORY_READS))
		return false;
	why("the kernel is locked down (confidentiality): its memory and tracefs may not be read");
	if (tool->locked_down)
		suggest("%s", tool->locked_down);
	else
		suggest("a newer kernel, or lockdown=integrity");
	return true;
}

/* Too little of these shows as any error, even as "no BTF": more than any tool needs. */
static bool explain_limits(int err, const char *what)
{
	static const struct {
		int resource;
		rlim_t enough;
		unsigned int unit;
		const char *why;
		const char *try;
	} limits[] = {
		{RLIMIT_NOFILE, 256, 1, "only %llu files may be open at once", "ulimit -n 1024"},
		{RLIMIT_AS, 64 << 20, 1024, "only %llu KiB of memory may be used",
		 "ulimit -v unlimited"},
	};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (getrlimit(limits[i].resource, &limit) || limit.rlim_cur >= limits[i].enough)
			continue;
		refuse(err, "%s", what);
		why(limits[i].why, (unsigned long long)limit.rlim_cur / limits[i].unit);
		suggest("%s", limits[i].try);
		return true;
	}
	return false;
}

int doctor_explain(const struct tool *tool, int err, const char *what)
{
	if (!privilege_may_load() || (err == -EPERM && privilege_in_user_namespace()))
		return explain_privileges(err);
	if (explain_limits(err, what))
		return err;
	if (!kernel_has(KERNEL_FLOOR))
		return explain_too_old(err);
	if (!kernel_has(KERNEL_BTF))
		return explain_btf(err);
	/* Where there is BTF in a file only, no such programs were tried. */
	if (kernel_has(KERNEL_TYPED) && kernel_probe_tracing() == -EINVAL)
		return explain_untraceable(err);
	fail(err, "%s", what);
	if (explain_memlock(err) || explain_lockdown(tool))
		return err;
	suggest("%s --doctor, or -v for the log of the verifier", log_tool());
	return err;
}

struct check {
	const char *text;
	bool (*passes)(void);
	bool needed;
};

static bool is_not_locked_down(void)
{
	return !kernel_is_locked_down();
}

static bool may_lock_memory(void)
{
	struct rlimit limit;

	return privilege_has(CAP_SYS_RESOURCE) ||
	       (!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_max == RLIM_INFINITY) ||
	       kernel_has(KERNEL_FREE_MEMLOCK);
}

static bool knows_process_ids(void)
{
	return !pidns_refresh() && pidns_is_known();
}

static bool run_checks(void)
{
	static const struct check checks[] = {
		{"CAP_BPF and CAP_PERFMON (or root)", privilege_may_load, true},
		{"memory for maps (before 5.11: CAP_SYS_RESOURCE or ulimit -l unlimited)",
		 may_lock_memory, false},
		{"lockdown is not 'confidentiality'", is_not_locked_down, false},
		{"ids of processes (the initial PID namespace, or its ids in a list)",
		 knows_process_ids, false},
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		bool passes = checks[i].passes();

		printf("%s  %s\n", passes ? "PASS" : "FAIL", checks[i].text);
		ok = ok && (passes || !checks[i].needed);
	}
	return ok;
}

int doctor_run(const struct tool *tool)
{
	struct utsname uts;
	bool ok;

	if (!uname(&uts))
		printf("kernel %s %s, %d CPUs\n", uts.release, uts.machine,
		       libbpf_num_possible_cpus());
	ok = run_checks();
	for (int i = 0; i < KERNEL_FEATURES; i++)
		printf("%s  %s\n", kernel_has(i) ? "PASS" : "FAIL", kernel_feature_text(i));
	for (const struct tool_mode *m = tool->modes; m && m->text; m++)
		printf("%s  %s %s\n", m->allowed() ? "PASS" : "FAIL", tool->name, m->text);
	if (tool->costs)
		tool->costs();
	return ok && kernel_has(KERNEL_FLOOR) && kernel_has(KERNEL_BTF) && !fflush(stdout)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
