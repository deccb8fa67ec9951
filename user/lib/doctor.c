// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "doctor.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel.h"
#include "log.h"
#include "privilege.h"

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
		refuse(err, "no BTF of a kernel in '%s'", kernel_btf_path());
		suggest("a copy of " KERNEL_BTF_PATH " of the running kernel");
		return err;
	}
	refuse(err, "this kernel has no BTF ('" KERNEL_BTF_PATH "' is missing)");
	why("it was built without CONFIG_DEBUG_INFO_BTF, or a container hides it");
	suggest("--btf FILE, mount /sys, or a kernel of a distribution since 2021");
	return err;
}

static int explain_old_kernel(int err)
{
	refuse(err, "this kernel has no tracing programs (tp_btf)");
	why("they need Linux 5.5 with CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF");
	suggest("a newer kernel; %s --doctor shows what this one has", log_tool());
	return err;
}

/* Linux before 5.11, which is told by a helper, charges maps to RLIMIT_MEMLOCK. */
static bool is_memlock_too_low(int err, struct rlimit *limit)
{
	if (err != -EPERM || getrlimit(RLIMIT_MEMLOCK, limit) || limit->rlim_cur == RLIM_INFINITY)
		return false;
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns,
				       NULL) == 0;
}

int doctor_explain(int err, const char *what)
{
	struct rlimit limit;
	int probe;

	if (!privilege_may_load() || (err == -EPERM && privilege_in_user_namespace()))
		return explain_privileges(err);
	if (!kernel_has(KERNEL_BTF))
		return explain_btf(err);
	probe = kernel_probe_tracing();
	if (probe == -ENOENT || probe == -EINVAL)
		return explain_old_kernel(err);
	fail(err, "%s", what);
	if (is_memlock_too_low(err, &limit)) {
		why("only %llu KiB of memory may be locked, and Linux before 5.11 counts maps",
		    (unsigned long long)limit.rlim_cur / 1024);
		suggest("ulimit -l unlimited");
		return err;
	}
	if (kernel_is_locked_down())
		why("the kernel is locked down (confidentiality): its memory may not be read");
	suggest("%s --doctor, or -v for the log of the verifier", log_tool());
	return err;
}

static bool has_tracing(void)
{
	return !kernel_probe_tracing();
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

bool doctor_run(void)
{
	static const struct check checks[] = {
		{"CAP_BPF and CAP_PERFMON (or root)", privilege_may_load, true},
		{"tracing programs (tp_btf, 5.5)", has_tracing, true},
		{"lockdown is not 'confidentiality'", is_not_locked_down, false},
		{"the initial PID namespace (-p and -c need it)", kernel_in_initial_pid_namespace,
		 false},
	};
	struct utsname uts;
	bool ok = true;

	if (!uname(&uts))
		printf("kernel %s %s, %d CPUs\n", uts.release, uts.machine,
		       libbpf_num_possible_cpus());
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		bool passes = checks[i].passes();

		printf("%s  %s\n", passes ? "PASS" : "FAIL", checks[i].text);
		ok = ok && (passes || !checks[i].needed);
	}
	for (int i = 0; i < KERNEL_FEATURES; i++)
		printf("%s  %s\n", kernel_has(i) ? "PASS" : "FAIL", kernel_feature_text(i));
	return ok && kernel_has(KERNEL_BTF);
}
