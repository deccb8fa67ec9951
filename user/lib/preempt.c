// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "preempt.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/btf.h>

/* What CONFIG_PREEMPT_* says, in words of uname(2), and where it can be told at boot. */
static bool may_preempt(const char *words[])
{
	struct utsname uts;
	char line[4096] = "";
	FILE *f;

	if (uname(&uts) || !strstr(uts.version, "PREEMPT"))
		return false;
	for (; *words; words++) {
		if (strstr(uts.version, *words))
			return true;
	}
	f = fopen("/proc/cmdline", "re");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strstr(line, "preempt=full") || strstr(line, "preempt=lazy");
}

/* Told by what counts running programs: from 7.0 on a byte for each context. */
bool preempt_spares_tracepoints(const struct btf *btf)
{
	static const char *always[] = {"PREEMPT", NULL};
	int id = btf ? btf__find_by_name_kind(btf, "bpf_prog", BTF_KIND_STRUCT) : -1;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_member *m = t ? btf_members(t) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++, m++) {
		if (strcmp(btf__name_by_offset(btf, m->name_off), "active"))
			continue;
		t = btf__type_by_id(btf, m->type);
		return btf__resolve_size(btf, t->type) != 1 || !may_preempt(always);
	}
	/* A file with less than all of it does not tell. */
	return !may_preempt(always);
}

/* fentry programs could always be preempted; PREEMPT_DYNAMIC was voluntary before 7.0. */
bool preempt_spares_fentry(const struct btf *btf)
{
	static const char *built[] = {"PREEMPT_RT", "PREEMPT ", NULL};

	return preempt_spares_tracepoints(btf) && !may_preempt(built);
}
