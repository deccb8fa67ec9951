// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "offload-device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "device-packets.h"
#include "escape.h"
#include "grouped.h"
#include "log.h"
#include "net-devices.h"
#include "render.h"
#include "report.h"
#include "table.h"

struct device {
	struct device_info info;
	struct device_label label;
	char name[DEVICE_NAME * ESCAPE_GROWTH]; /* without its network, for a terminal */
	struct device_counts counts;            /* of this report */
};

/* Entry 0 is that of all which found no room. */
static struct device devices[DEVICES_MAX];

enum gso_verdict { GSO_NONE, GSO_SOFTWARE, GSO_DEVICE, GSO_BOTH };

static const char *const gso_names[] = {
	[GSO_NONE] = "none",
	[GSO_SOFTWARE] = "software",
	[GSO_DEVICE] = "device",
	[GSO_BOTH] = "both",
};

enum gro_verdict {
	GRO_IDLE,   /* nothing came in */
	GRO_UNUSED, /* the driver does not ask for it */
	GRO_BEFORE, /* packets came as large as the sender made them */
	GRO_MERGED,
	GRO_REFUSED, /* it was asked, and merged none */
};

static const char *const gro_names[] = {
	[GRO_IDLE] = NULL,       [GRO_UNUSED] = "unused", [GRO_BEFORE] = "sender",
	[GRO_MERGED] = "merged", [GRO_REFUSED] = "none",
};

/* ---- which devices there are -------------------------------------------------------------- */

static bool name_is_shared(unsigned int entry)
{
	for (unsigned int i = DEVICE_OTHERS + 1; i < DEVICES_MAX; i++) {
		if (i != entry && !strcmp(devices[i].info.name, devices[entry].info.name))
			return true;
	}
	return false;
}

static void name_device(unsigned int entry)
{
	struct device *d = &devices[entry];
	char netns[DEVICE_NAME + 32];

	escape(d->name, sizeof(d->name), d->info.name, strnlen(d->info.name, DEVICE_NAME),
	       ESCAPE_TERMINAL);
	snprintf(d->label.text, sizeof(d->label.text), "%s", d->name);
	if (!name_is_shared(entry) || d->info.key.netns == net_own_inode())
		return;
	net_inode_text(d->info.key.netns, netns, sizeof(netns));
	snprintf(d->label.text + strlen(d->label.text),
		 sizeof(d->label.text) - strlen(d->label.text), ", %s", netns);
}

static int read_counts(struct report *r)
{
	static struct table seen;
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, "device_counts");
	struct table t;
	int err = table__read(&t, map, merge_u64);

	err = err ?: table__take_delta(&t, &seen);
	for (__u32 entry = 0; !err && entry < DEVICES_MAX; entry++) {
		const void *counts = table__find(&t, &entry);

		memset(&devices[entry].counts, 0, sizeof(devices[entry].counts));
		if (counts)
			memcpy(&devices[entry].counts, counts, sizeof(devices[entry].counts));
	}
	table__free(&t);
	return err;
}

static int read_devices(struct report *r)
{
	struct bpf_map *infos = bpf_object__find_map_by_name(r->obj, "device_infos");

	for (__u32 entry = DEVICE_OTHERS + 1; entry < DEVICES_MAX; entry++)
		bpf_map_lookup_elem(bpf_map__fd(infos), &entry, &devices[entry].info);
	snprintf(devices[DEVICE_OTHERS].label.text, sizeof(devices[DEVICE_OTHERS].label.text),
		 "(other)");
	for (__u32 entry = DEVICE_OTHERS + 1; entry < DEVICES_MAX; entry++)
		name_device(entry);
	return read_counts(r);
}

/* ---- histograms --------------------------------------------------------------------------- */

/* The maps' keys are numbers of entries: as a user knows them they are names. */
static int label_rows(const struct table *from, struct table *to)
{
	*to = (struct table){
		.key_size = sizeof(struct device_label),
		.value_size = from->value_size,
	};
	for (size_t row = 0; row < from->cnt; row++) {
		__u32 entry = *(__u32 *)table__key(from, row);
		void *value = entry < DEVICES_MAX ? table__get(to, &devices[entry].label) : NULL;

		if (!value)
			return fail(-ENOMEM, "failed to prepare the report");
		merge_u64(value, table__value(from, row), from->value_size);
	}
	return 0;
}

static int print_result(struct report *r, size_t i)
{
	struct result result = r->results[i];
	struct table rows;
	int err = label_rows(&r->deltas[i], &rows);

	result.key_type = btf__find_by_name_kind(result.btf, "device_label", BTF_KIND_STRUCT);
	if (!err && r->format == REPORT_TEXT)
		render_text(r->out, &result, &rows);
	else if (!err)
		report__json(r, render_json(&result, &rows));
	table__free(&rows);
	return err;
}

static int print_hists(struct report *r, const char *prefix, const char *title)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->results_cnt; i++) {
		if (strncmp(r->results[i].name, prefix, strlen(prefix)) || !r->deltas[i].cnt)
			continue;
		if (title && r->format == REPORT_TEXT)
			fprintf(r->out, "%s\n", title);
		title = NULL;
		err = print_result(r, i);
	}
	return err;
}

/* ---- what happened ------------------------------------------------------------------------ */

static enum gso_verdict gso_verdict(const struct device_counts *c)
{
	uint64_t made = c->at[PLACE_QUEUED].batches, given = c->at[PLACE_DRIVER].batches;

	if (!made && !given)
		return GSO_NONE;
	if (!given)
		return c->at[PLACE_DRIVER].packets ? GSO_SOFTWARE : GSO_NONE;
	return made > given ? GSO_BOTH : GSO_DEVICE;
}

static enum gro_verdict gro_verdict(const struct device_counts *c)
{
	const struct packet_counts *wire = &c->at[PLACE_WIRE], *stack = &c->at[PLACE_RECEIVED];

	if (!stack->packets)
		return GRO_IDLE;
	if (stack->batched > wire->batched && wire->packets)
		return GRO_MERGED;
	if (stack->batches)
		return GRO_BEFORE;
	return wire->packets ? GRO_REFUSED : GRO_UNUSED;
}

static void print_gso(FILE *out, const char *name, const struct device_counts *c)
{
	const struct packet_counts *made = &c->at[PLACE_QUEUED], *given = &c->at[PLACE_DRIVER];

	switch (gso_verdict(c)) {
	case GSO_SOFTWARE:
		fprintf(out,
			"%s: %s GSO packets of %s datagrams: segmented in software before the "
			"driver\n",
			name, GROUPED(made->batches), GROUPED(made->batched));
		break;
	case GSO_DEVICE:
		fprintf(out,
			"%s: %s GSO packets of %s datagrams: handed to the device "
			"(tx-udp-segmentation)\n",
			name, GROUPED(given->batches), GROUPED(given->batched));
		break;
	case GSO_BOTH:
		fprintf(out,
			"%s: %s GSO packets of %s datagrams: %s handed to the device, the others "
			"segmented in software\n",
			name, GROUPED(made->batches), GROUPED(made->batched),
			GROUPED(given->batches));
		break;
	case GSO_NONE:
		break;
	}
}

static void print_gro(FILE *out, const struct device *d)
{
	const struct packet_counts *wire = &d->counts.at[PLACE_WIRE];
	const struct packet_counts *stack = &d->counts.at[PLACE_RECEIVED];
	const char *name = d->label.text;

	switch (gro_verdict(&d->counts)) {
	case GRO_MERGED:
		fprintf(out, "%s: GRO made %s packets of the %s that came in\n", name,
			GROUPED(stack->packets), GROUPED(wire->packets));
		break;
	case GRO_BEFORE:
		fprintf(out,
			"%s: %s packets of %s datagrams came in as the sender made them: nothing "
			"for GRO to merge\n",
			name, GROUPED(stack->batches), GROUPED(stack->batched));
		break;
	case GRO_REFUSED:
		fprintf(out,
			"%s: GRO merged none of %s packets; it wants UDP_GRO of the socket, "
			"or: ethtool -K %s rx-udp-gro-forwarding on\n",
			name, GROUPED(wire->packets), d->name);
		break;
	case GRO_UNUSED:
		/* One that sends to itself has none. */
		if (strcmp(d->info.name, "lo"))
			fprintf(out,
				"%s: its driver gave GRO none of %s packets (veth: "
				"ethtool -K %s gro on, and tso off at its peer)\n",
				name, GROUPED(stack->packets), d->name);
		break;
	case GRO_IDLE:
		break;
	}
}

static void print_place(FILE *out, const char *name, const struct packet_counts *c,
			const char *whom)
{
	if (!c->packets)
		return;
	fprintf(out, "%s: %s datagrams (%s bytes) in %s packets given to the %s", name,
		GROUPED(c->datagrams), GROUPED(c->bytes), GROUPED(c->packets), whom);
	if (c->fragments)
		fprintf(out, ", %s of them IP fragments", GROUPED(c->fragments));
	fputc('\n', out);
}

static const char *const not_counted[PACKET_REASONS][2] = {
	[PACKET_NO_SOCKET] = {"UDP packets without a socket (forwarded, or sent by the kernel)",
			      "IP fragments without a port"},
	[PACKET_TUNNEL] = {"GSO packets of tunnels", "GRO packets of tunnels"},
	[PACKET_HIDDEN] = {"packets sent whose headers cannot be read",
			   "packets received whose headers cannot be read"},
};

static void print_not_counted(FILE *out, const char *name, const struct device_counts *c)
{
	static const enum packet_place places[] = {PLACE_DRIVER, PLACE_RECEIVED};

	for (int reason = 0; reason < PACKET_REASONS; reason++) {
		for (int d = 0; d < 2; d++) {
			uint64_t n = c->at[places[d]].not_counted[reason];

			if (n)
				fprintf(out, "%s: not counted: %s %s\n", name, GROUPED(n),
					not_counted[reason][d]);
		}
	}
}

/* Only of a whole run: between two moments a packet may be on its way. */
static void print_waiting(const struct report *r, const char *name, const struct device_counts *c)
{
	uint64_t queued = c->at[PLACE_QUEUED].datagrams, given = c->at[PLACE_DRIVER].datagrams;

	if (!r->interval && queued > given)
		fprintf(r->out,
			"%s: %s of %s datagrams were not seen to reach the driver: dropped, or "
			"still in the queue\n",
			name, GROUPED(queued - given), GROUPED(queued));
}

static void print_text(const struct report *r, const struct device *d)
{
	const char *name = d->label.text;

	print_place(r->out, name, &d->counts.at[PLACE_DRIVER], "driver");
	print_gso(r->out, name, &d->counts);
	print_waiting(r, name, &d->counts);
	print_place(r->out, name, &d->counts.at[PLACE_RECEIVED], "stack");
	print_gro(r->out, d);
	print_not_counted(r->out, name, &d->counts);
}

static json_t *place_json(const struct packet_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets",
			 (json_int_t)c->packets, "datagrams", (json_int_t)c->datagrams, "bytes",
			 (json_int_t)c->bytes, "batches", (json_int_t)c->batches,
			 "batched_datagrams", (json_int_t)c->batched, "fragments",
			 (json_int_t)c->fragments, "without_socket",
			 (json_int_t)c->not_counted[PACKET_NO_SOCKET], "of_tunnels",
			 (json_int_t)c->not_counted[PACKET_TUNNEL], "unreadable",
			 (json_int_t)c->not_counted[PACKET_HIDDEN]);
}

static void print_json(struct report *r, const struct device *d)
{
	const struct packet_counts *at = d->counts.at;
	const char *gro = gro_names[gro_verdict(&d->counts)];

	report__json(r,
		     json_pack("{s:s, s:o, s:o, s:I, s:s, s:s?, s:o, s:o, s:o, s:o}", "type",
			       "device", "device", render_string(d->label.text), "name",
			       render_string(d->info.name), "netns", (json_int_t)d->info.key.netns,
			       "segmented_by", gso_names[gso_verdict(&d->counts)], "gro", gro,
			       "queued", place_json(&at[PLACE_QUEUED]), "driver",
			       place_json(&at[PLACE_DRIVER]), "wire", place_json(&at[PLACE_WIRE]),
			       "received", place_json(&at[PLACE_RECEIVED])));
}

static bool is_idle(const struct device_counts *c)
{
	static const struct device_counts none;

	return !memcmp(c, &none, sizeof(none));
}

int offload_device_report(void *skel, struct report *r)
{
	int err = read_devices(r);

	(void)skel;
	err = err ?: print_hists(r, "gso_", "Packets given to the driver:");
	err = err ?: print_hists(r, "gro_", "Packets given to the stack:");
	for (unsigned int entry = 0; !err && entry < DEVICES_MAX; entry++) {
		const struct device *d = &devices[entry];

		if (is_idle(&d->counts))
			continue;
		if (r->format == REPORT_TEXT)
			print_text(r, d);
		else
			print_json(r, d);
	}
	if (!err && r->final && !r->events)
		note("no UDP packet of the target was seen on any device");
	return err;
}
