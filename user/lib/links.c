// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "links.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"

static struct bpf_link **links;
static size_t links_cnt;

int links_keep(struct bpf_link *link)
{
	struct bpf_link **grown;

	if (!link)
		return -EINVAL;
	grown = reallocarray(links, links_cnt + 1, sizeof(*links));
	if (!grown) {
		bpf_link__destroy(link);
		return fail(-ENOMEM, "failed to keep a probe");
	}
	links = grown;
	links[links_cnt++] = link;
	return 0;
}

void links_destroy(void)
{
	while (links_cnt)
		bpf_link__destroy(links[--links_cnt]);
	free(links);
	links = NULL;
}
