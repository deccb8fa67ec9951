// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "drop-reasons.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "io-latencies.h"
#include "kernel.h"
#include "log.h"

#define PREFIX "SKB_DROP_REASON_"

static struct reason {
	uint32_t nr;
	char *name;
} * reasons;

static size_t reasons_cnt;

static int add_reason(uint32_t nr, const char *name)
{
	size_t prefix = strlen(PREFIX);

	if (!strncmp(name, PREFIX, prefix))
		name += prefix;
	reasons[reasons_cnt] = (struct reason){nr, strdup(name)};
	return reasons[reasons_cnt++].name ? 0 : -ENOMEM;
}

int drop_reasons_read(void)
{
	const struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) : -ENOENT;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	int err = 0;

	if (!t || reasons)
		return 0;
	reasons = calloc(btf_vlen(t) + 1, sizeof(*reasons));
	if (!reasons)
		err = -ENOMEM;
	for (int i = 0; !err && i < btf_vlen(t); i++)
		err = add_reason(btf_enum(t)[i].val,
				 btf__name_by_offset(btf, btf_enum(t)[i].name_off));
	return err ? fail(err, "failed to read why packets are dropped") : 0;
}

const char *drop_reason_name(uint32_t reason)
{
	static char number[16];

	for (size_t i = 0; i < reasons_cnt; i++) {
		if (reasons[i].nr == reason)
			return reasons[i].name;
	}
	if (reason == DROP_QUEUE_FULL)
		return "SOCKET_RCVBUFF";
	if (reason == DROP_NO_MEMORY)
		return "PROTO_MEM";
	snprintf(number, sizeof(number), "%u", reason);
	return number;
}
