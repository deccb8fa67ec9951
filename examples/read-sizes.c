// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "read-sizes.skel.h"
#include "tool.h"

TOOL_SKELETON(read_sizes)

static const struct tool tool = {
	.name = "read-sizes",
	.brief = "Histogram of what read(2) returns.",
	.open = open_read_sizes,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
