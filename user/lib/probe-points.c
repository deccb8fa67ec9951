// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe-points.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/user.h>

#include "kernel.h"
#include "log.h"
#include "raw-events.h"
#include "trace-format.h"

_Static_assert(PROBE_STEPS >= RAW_STEPS_MAX, "all steps have room");
_Static_assert(RAW_FIRST_ARG == 0, "as in all other probes");

/* What the kernel hands to programs on functions begins as what ptrace(2) shows. */
#define REGISTER(name) offsetof(struct user_regs_struct, name)

#if defined(__x86_64__)
static const size_t arguments[] = {REGISTER(rdi), REGISTER(rsi), REGISTER(rdx),
				   REGISTER(rcx), REGISTER(r8),  REGISTER(r9)};
#define RETURN_REGISTER REGISTER(rax)
#define STACK_REGISTER  REGISTER(rsp)
#define RETURN_POPS     8 /* the address that it returns to */
#else
static const size_t arguments[] = {REGISTER(regs[0]), REGISTER(regs[1]), REGISTER(regs[2]),
				   REGISTER(regs[3]), REGISTER(regs[4]), REGISTER(regs[5]),
				   REGISTER(regs[6]), REGISTER(regs[7])};
#define RETURN_REGISTER REGISTER(regs[0])
#define STACK_REGISTER  REGISTER(sp)
#define RETURN_POPS     0
#endif

#define ARGUMENTS (sizeof(arguments) / sizeof(arguments[0]))

/* A place, and what the kernel says about it. */
struct event {
	const struct probe_place *place;
	struct trace_format format;
	struct raw_event raw;
};

static int event__open(struct event *event, const struct probe_place *place)
{
	int err = 0;

	*event = (struct event){.place = place};
	if (place->source == PROBE_RAW_TRACEPOINT && !kernel_btf()) {
		refuse(-EOPNOTSUPP, "this kernel does not say what '%s' has", place->name);
		why("it has no BTF ('" KERNEL_BTF_PATH "')");
		suggest("--btf FILE, or tp:GROUP:%s", place->name);
		return -EOPNOTSUPP;
	}
	if (place->source == PROBE_RAW_TRACEPOINT)
		return raw_event_find(&event->raw, kernel_btf(), place->name);
	if (place->source != PROBE_TRACEPOINT)
		return 0;
	err = trace_format_of_event(&event->format, place->group, place->name);
	if (err == -ENOENT)
		return trace_event_refuse(place->group, place->name);
	return err ? fail(err, "failed to read the fields of '%s:%s'", place->group, place->name)
		   : 0;
}

static int read_register(struct probe_read *r, const struct probe_term *term)
{
	r->kind = READ_CONTEXT;
	r->is_signed = true;
	r->at = RETURN_REGISTER;
	if (term->kind == TERM_RETURN)
		return 0;
	if (term->arg >= ARGUMENTS) {
		refuse(-EINVAL, "'%s' is not in a register", term->text);
		why("the first %zu arguments of a function are: arg0 to arg%zu", ARGUMENTS,
		    ARGUMENTS - 1);
		return -EINVAL;
	}
	r->at = arguments[term->arg];
	return 0;
}

static int refuse_field(const struct event *event, const struct trace_field *field)
{
	char first[TRACE_FIELD_NAME + 4];
	struct trace_field element;

	refuse(-EINVAL, "'%s' is neither a number nor a text: it is of type %s", field->name,
	       field->type);
	snprintf(first, sizeof(first), "%s[0]", field->name);
	if (trace_format__element(&event->format, first, &element))
		suggest("%s", first);
	return -EINVAL;
}

static int read_field(struct probe_read *r, const struct event *event, const char *name)
{
	const struct probe_place *place = event->place;
	const struct trace_field *field = trace_format__find(&event->format, name);
	struct trace_field element;

	if (!field && trace_format__element(&event->format, name, &element))
		field = &element;
	if (!field || (field->is_common && field->offset < sizeof(uint64_t)))
		return trace_format__refuse(&event->format, place->group, place->name, name);
	r->kind = READ_CONTEXT;
	r->at = field->offset;
	r->size = field->size;
	r->bits = field->size * 8;
	r->is_signed = field->is_signed;
	switch (field->kind) {
	case TRACE_NUMBER:
	case TRACE_POINTER:
		return 0;
	case TRACE_CHARS:
		r->text = TEXT_CONTEXT;
		r->size = field->size < PROBE_TEXT ? field->size : PROBE_TEXT - 1;
		return 0;
	case TRACE_DATA_LOC:
	case TRACE_REL_LOC:
		r->text = TEXT_OFFSET;
		r->bits = 16;
		r->is_signed = false;
		r->add = field->kind == TRACE_REL_LOC ? (int)field->offset + 4 : 0;
		return 0;
	default:
		return refuse_field(event, field);
	}
}

static int read_raw(struct probe_read *r, const struct event *event, const char *text)
{
	struct raw_value value;
	int err = raw_event__resolve(&event->raw, text, &value);

	if (err)
		return err;
	r->kind = READ_CONTEXT;
	r->at = value.arg * sizeof(uint64_t);
	r->steps_cnt = value.steps_cnt;
	memcpy(r->steps, value.steps, sizeof(value.steps));
	if (value.kind == RAW_STRING) {
		r->text = TEXT_KERNEL;
		r->size = value.size && value.size < PROBE_TEXT ? value.size : PROBE_TEXT - 1;
		return 0;
	}
	r->size = value.size;
	r->swapped = value.is_big_endian;
	r->shift = value.shift;
	r->bits = value.width ?: value.size * 8;
	r->is_signed = value.is_signed;
	return 0;
}

static int read_named(struct probe_read *r, const struct event *event,
		      const struct probe_term *term)
{
	switch (event->place->source) {
	case PROBE_TRACEPOINT:
		return read_field(r, event, term->text);
	case PROBE_RAW_TRACEPOINT:
		return read_raw(r, event, term->text);
	case PROBE_USDT:
		r->kind = READ_USDT;
		r->is_signed = true;
		r->at = term->arg;
		return 0;
	default:
		return read_register(r, term);
	}
}

/* A cast to fewer bits says what their sign is; one to more changes nothing. */
static void apply_cast(struct probe_read *r, const struct probe_term *term)
{
	if (!term->size || term->size * 8 > r->bits)
		return;
	r->bits = term->size * 8;
	r->is_signed = term->is_signed;
}

static int event__read(const struct event *event, const struct probe_term *term,
		       struct probe_read *r)
{
	static const enum probe_read_kind kinds[] = {
		[TERM_PID] = READ_PID,
		[TERM_TID] = READ_TID,
		[TERM_CPU] = READ_CPU,
		[TERM_COMM] = READ_COMM,
	};
	int err = 0;

	*r = (struct probe_read){.size = sizeof(uint64_t), .bits = 64};
	if (term->kind == TERM_ARG || term->kind == TERM_RETURN || term->kind == TERM_FIELD)
		err = read_named(r, event, term);
	else
		r->kind = kinds[term->kind];
	if (err)
		return err;
	if (term->is_string && r->text == TEXT_NONE)
		r->text = TEXT_USER;
	apply_cast(r, term);
	return 0;
}

bool probe_read_is_text(const struct probe_read *read)
{
	return read->kind == READ_COMM || read->text != TEXT_NONE;
}

static int event__read_number(const struct event *event, const struct probe_term *term,
			      struct probe_read *r)
{
	int err = event__read(event, term, r);

	if (err || !probe_read_is_text(r))
		return err;
	refuse(-EINVAL, "'%s' is a text, not a number", term->text);
	suggest("by:%s", term->text);
	return -EINVAL;
}

/* Those of the terms that are known at this end of a latency; else, all are. */
static bool is_known_at(const struct probe_term *term, enum probe_role role)
{
	return role == ROLE_RECORD || (term->kind == TERM_RETURN) == (role == ROLE_END);
}

static int add_filters(struct probe_point *p, const struct event *event,
		       const struct probe_spec *spec)
{
	int err = 0;

	for (size_t i = 0; !err && i < spec->filters_cnt; i++) {
		const struct probe_filter *filter = &spec->filters[i];
		struct probe_condition *condition = &p->filters[p->filters_cnt];

		if (!is_known_at(&filter->term, p->role))
			continue;
		condition->op = filter->op;
		condition->number = filter->number;
		err = event__read_number(event, &filter->term, &condition->read);
		p->filters_cnt++;
	}
	return err;
}

/* Two threads in one function, or one that is in it twice, are told apart by where its frame is. */
static void match_frame(struct probe_point *p)
{
	struct probe_read *stack = &p->matches[p->matches_cnt++];

	*stack = (struct probe_read){.kind = READ_CONTEXT, .size = 8, .bits = 64};
	stack->at = STACK_REGISTER;
	stack->add = p->role == ROLE_END ? -RETURN_POPS : 0;
}

static int add_matches(struct probe_point *p, const struct event *event,
		       const struct probe_spec *spec)
{
	int err = 0;

	for (size_t i = 0; !err && i < spec->matches_cnt; i++)
		err = event__read_number(event, &spec->matches[i], &p->matches[p->matches_cnt++]);
	p->by_process = spec->place[0].source <= PROBE_URETPROBE &&
			spec->place[spec->places_cnt - 1].source <= PROBE_URETPROBE;
	if (spec->matches_cnt)
		return err;
	p->matches[p->matches_cnt++] = (struct probe_read){.kind = READ_THREAD, .bits = 64};
	if (spec->places_cnt == 1)
		match_frame(p);
	return 0;
}

static int fill(struct probe_point *p, const struct event *event, const struct probe_spec *spec)
{
	int err = add_filters(p, event, spec);

	for (size_t i = 0; !err && i < spec->keys_cnt; i++) {
		if (is_known_at(&spec->keys[i], p->role))
			err = event__read(event, &spec->keys[i], &p->keys[i]);
	}
	if (!err && p->role != ROLE_RECORD)
		return add_matches(p, event, spec);
	if (!err && spec->value.kind)
		err = event__read_number(event, &spec->value, &p->value);
	return err;
}

static int make_site(struct probe_site *site, const struct probe_spec *spec)
{
	struct event event;
	int err = event__open(&event, &site->place);

	err = err ?: fill(&site->point, &event, spec);
	trace_format__free(&event.format);
	return err;
}

int probe_sites_make(const struct probe_spec *spec, __u32 index, struct probe_site sites[2],
		     size_t *cnt)
{
	int err = 0;

	*cnt = spec->is_latency ? 2 : 1;
	for (size_t i = 0; !err && i < *cnt; i++) {
		sites[i] = (struct probe_site){
			.place = spec->place[i < spec->places_cnt ? i : 0],
			.optional = spec->optional,
			.point.spec = index,
			.point.role = !spec->is_latency ? ROLE_RECORD
				      : i               ? ROLE_END
							: ROLE_BEGIN,
		};
		if (i == spec->places_cnt)
			sites[i].place.source = PROBE_URETPROBE;
		err = make_site(&sites[i], spec);
	}
	return err;
}

/* Calls fn for each thing that is read at a point. */
static void each_read(const struct probe_point *p,
		      void (*fn)(const struct probe_read *read, void *arg), void *arg)
{
	fn(&p->value, arg);
	for (size_t i = 0; i < PROBE_KEYS; i++)
		fn(&p->keys[i], arg);
	for (size_t i = 0; i < PROBE_MATCHES; i++)
		fn(&p->matches[i], arg);
	for (size_t i = 0; i < PROBE_FILTERS; i++)
		fn(&p->filters[i].read, arg);
}

static void count_args(const struct probe_read *read, void *arg)
{
	size_t *cnt = arg;

	if (read->kind == READ_USDT && (size_t)read->at >= *cnt)
		*cnt = read->at + 1;
}

static void extend_by_read(const struct probe_read *read, void *arg)
{
	struct probe_limits *limits = arg;

	limits->texts |= read->text != TEXT_NONE;
	if (read->steps_cnt > limits->steps)
		limits->steps = read->steps_cnt;
}

void probe_site__extend(const struct probe_site *site, struct probe_limits *limits)
{
	const struct probe_point *p = &site->point;

	each_read(p, extend_by_read, limits);
	for (__u32 i = 0; i < PROBE_KEYS; i++) {
		if (p->keys[i].kind != READ_NOTHING && i >= limits->keys)
			limits->keys = i + 1;
	}
	if (p->filters_cnt > limits->filters)
		limits->filters = p->filters_cnt;
	if (p->matches_cnt > limits->matches)
		limits->matches = p->matches_cnt;
}

size_t probe_site__args(const struct probe_site *site)
{
	size_t cnt = 0;

	each_read(&site->point, count_args, &cnt);
	return cnt;
}

static void add_register(const struct probe_read *read, void *arg)
{
	uint32_t *registers = arg;

	if (read->kind != READ_CONTEXT)
		return;
	*registers |= read->at == RETURN_REGISTER ? PROBE_RESULT : 0;
	*registers |= read->at == STACK_REGISTER ? PROBE_STACK : 0;
	for (size_t i = 0; i < ARGUMENTS; i++)
		*registers |= read->at == arguments[i] ? 1U << i : 0;
}

uint32_t probe_site__registers(const struct probe_site *site)
{
	uint32_t registers = 0;

	each_read(&site->point, add_register, &registers);
	return registers;
}

bool probe_site__reads_registers(const struct probe_site *site)
{
	return probe_site__registers(site) & ~PROBE_STACK;
}
