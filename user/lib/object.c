// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "object.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "drop-reasons.h"
#include "endpoint.h"
#include "escape.h"
#include "log.h"
#include "syscalls.h"

static const char *const variable_sections[] = {".rodata", ".data", ".bss"};

static void *find_in_section(struct bpf_object *obj, const char *section, const char *name,
			     size_t size)
{
	const struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	struct bpf_map *map = bpf_object__find_map_by_name(obj, section);
	const struct btf_var_secinfo *info;
	const struct btf_type *datasec;
	size_t map_size = 0;
	char *base;

	if (id < 0 || !map)
		return NULL;
	base = (char *)bpf_map__initial_value(map, &map_size);
	datasec = btf__type_by_id(btf, id);
	info = btf_var_secinfos(datasec);
	for (int i = 0; base && i < btf_vlen(datasec); i++, info++) {
		const struct btf_type *var = btf__type_by_id(btf, info->type);

		if (strcmp(btf__name_by_offset(btf, var->name_off), name))
			continue;
		if (info->size != size || info->offset + size > map_size)
			return NULL;
		return base + info->offset;
	}
	return NULL;
}

void *object__variable(struct bpf_object *obj, const char *name, size_t size)
{
	void *found = NULL;

	for (size_t i = 0; !found && i < sizeof(variable_sections) / sizeof(char *); i++)
		found = find_in_section(obj, variable_sections[i], name, size);
	return found;
}

int object__set(struct bpf_object *obj, const char *name, const void *value, size_t size)
{
	void *variable = object__variable(obj, name, size);

	if (!variable)
		return -ENOENT;
	memcpy(variable, value, size);
	return 0;
}

int object__set_bool(struct bpf_object *obj, const char *name, bool value)
{
	int err = object__set(obj, name, &value, sizeof(value));

	return err ? fail(err, "failed to set '%s' in the BPF object", name) : 0;
}

int object__set_u32(struct bpf_object *obj, const char *name, uint32_t value)
{
	int err = object__set(obj, name, &value, sizeof(value));

	return err ? fail(err, "failed to set '%s' in the BPF object", name) : 0;
}

void object__disable_program(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	assert(prog);
	bpf_program__set_autoload(prog, false);
}

void object__disable_map(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	assert(map);
	bpf_map__set_autocreate(map, false);
}

void object__disable_programs(struct bpf_object *obj, const char *prefix)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		if (!strncmp(bpf_program__name(prog), prefix, strlen(prefix)))
			bpf_program__set_autoload(prog, false);
	}
}

void object__choose_programs(struct bpf_object *obj, const char *const prefixes[], size_t cnt,
			     size_t chosen)
{
	for (size_t i = 0; i < cnt; i++) {
		if (i != chosen)
			object__disable_programs(obj, prefixes[i]);
	}
}

/* Name of the struct that a type is after typedefs and qualifiers; "" if it is none. */
static const char *struct_name(const struct btf *btf, int32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__resolve_type(btf, id));

	return t && btf_is_composite(t) ? btf__name_by_offset(btf, t->name_off) : "";
}

static bool is_result(struct bpf_object *obj, struct bpf_map *map, struct result *r)
{
	const struct btf *btf = bpf_object__btf(obj);
	const char *value = struct_name(btf, bpf_map__btf_value_type_id(map));
	size_t len;

	if (strcmp(value, "hist") && strcmp(value, "count"))
		return false;
	*r = (struct result){
		.map = map,
		.btf = btf,
		.kind = strcmp(value, "hist") ? RESULT_COUNT : RESULT_HIST,
		.key_type = bpf_map__btf_key_type_id(map),
		.keyed = bpf_map__max_entries(map) > 1,
	};
	snprintf(r->name, sizeof(r->name), "%s", bpf_map__name(map));
	len = strlen(r->name);
	if (len > 3 && !strcmp(r->name + len - 3, "_by"))
		r->name[len - 3] = '\0';
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct result *)a)->name, ((const struct result *)b)->name);
}

int object__results(struct bpf_object *obj, struct result **results, size_t *cnt)
{
	struct bpf_map *map;
	struct result r;

	*results = NULL;
	*cnt = 0;
	bpf_object__for_each_map(map, obj) {
		struct result *grown;

		if (!bpf_map__autocreate(map) || !is_result(obj, map, &r))
			continue;
		grown = realloc(*results, (*cnt + 1) * sizeof(r));
		if (!grown)
			return fail(-ENOMEM, "failed to list the result maps");
		*results = grown;
		grown[(*cnt)++] = r;
	}
	qsort(*results, *cnt, sizeof(r), compare_names);
	return 0;
}

bool key_is_other(const void *key, size_t size)
{
	const unsigned char *bytes = key;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0xff)
			return false;
	}
	return true;
}

static int format_endpoint(const struct endpoint *e, char *buf, size_t size)
{
	char addr[INET6_ADDRSTRLEN];

	if (!e->family)
		return 0;
	if (!inet_ntop(e->family, e->addr, addr, sizeof(addr)))
		return snprintf(buf, size, "?");
	if (!e->port)
		return snprintf(buf, size, "*");
	return snprintf(buf, size, e->family == AF_INET6 ? "[%s]:%u" : "%s:%u", addr,
			ntohs(e->port));
}

static int format_thread(const struct thread_id *t, char *buf, size_t size)
{
	char comm[sizeof(t->comm) * 4 + 1];

	if (!t->tid)
		return 0;
	escape(comm, sizeof(comm), t->comm, strnlen(t->comm, sizeof(t->comm)), ESCAPE_TERMINAL);
	return snprintf(buf, size, "%s, %u", comm, t->tid);
}

static int format_integer(const struct btf_type *t, const void *data, char *buf, size_t size)
{
	bool is_signed = btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_SIGNED);
	int64_t v = 0;

	memcpy(&v, data, t->size <= sizeof(v) ? t->size : sizeof(v));
	if (is_signed && t->size < sizeof(v))
		v = (int64_t)((uint64_t)v << (64 - t->size * 8)) >> (64 - t->size * 8);
	return snprintf(buf, size, is_signed ? "%lld" : "%llu", (long long)v);
}

static int format_typedef(const char *name, const void *data, char *buf, size_t size)
{
	uint32_t nr;

	memcpy(&nr, data, sizeof(nr));
	if (!strcmp(name, "syscall_id"))
		return snprintf(buf, size, "%s", syscall_name(nr));
	if (!strcmp(name, "errno_nr"))
		return snprintf(buf, size, "%s", errno_name(nr));
	if (!strcmp(name, "drop_reason"))
		return snprintf(buf, size, "%s", drop_reason_name(nr));
	return -1;
}

static int format_value(const struct btf *btf, int32_t id, const void *data, char *buf,
			size_t size);

static int format_members(const struct btf *btf, const struct btf_type *t, const void *data,
			  char *buf, size_t size)
{
	const struct btf_member *m = btf_members(t);
	int len = 0;

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *at = (const char *)data + btf_member_bit_offset(t, i) / 8;
		char part[256];

		if (format_value(btf, m->type, at, part, sizeof(part)) <= 0)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "", part);
		if ((size_t)len >= size)
			return size - 1;
	}
	return len;
}

/* Returns the length; 0 if the value is not part of the key. */
static int format_value(const struct btf *btf, int32_t id, const void *data, char *buf, size_t size)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *name = struct_name(btf, id);
	int len;

	buf[0] = '\0';
	for (; btf_is_mod(t) || btf_is_typedef(t); t = btf__type_by_id(btf, t->type)) {
		if (!btf_is_typedef(t))
			continue;
		len = format_typedef(btf__name_by_offset(btf, t->name_off), data, buf, size);
		if (len >= 0)
			return len;
	}
	if (!strcmp(name, "endpoint"))
		return format_endpoint(data, buf, size);
	if (!strcmp(name, "thread_id"))
		return format_thread(data, buf, size);
	if (btf_is_composite(t))
		return format_members(btf, t, data, buf, size);
	if (btf_is_array(t))
		return escape(buf, size, data, strnlen(data, btf_array(t)->nelems),
			      ESCAPE_TERMINAL);
	return format_integer(t, data, buf, size);
}

void result__format_key(const struct result *r, const void *key, char *buf, size_t size)
{
	if (r->format_key)
		r->format_key(r, key, buf, size);
	else if (key_is_other(key, bpf_map__key_size(r->map)))
		snprintf(buf, size, "(other)");
	else
		format_value(r->btf, r->key_type, key, buf, size);
}
