/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * audit_table -- what an audit knows of each message.
 *
 * Entries of 32 octets in an array that may move, found by a hash table of
 * their numbers: 40 octets a message where the array is full.  An outcome is
 * an octet; those of more than eight recipients stand outside.
 */

#include "audit_table.h"

#include "lib/mem.h"

#define TIME_DIGITS 13
#define TABLE_MIN 1024

struct audit_table {
	struct audit_entry *v;
	uint32_t n, size;
	uint32_t *slots;	/* entry + 1, or 0 */
	uint32_t slot_n;	/* a power of two */
};

static uint64_t
digits(const char *p, size_t n)
{
	uint64_t v = 0;

	for (; n > 0; n--, p++)
		v = v << 4 |
		    (uint64_t)(*p <= '9' ? *p - '0' : *p - 'A' + 10);
	return v;
}

static void
id_split(struct str id, uint64_t *time, uint32_t *process)
{
	*time = digits(id.p, TIME_DIGITS);
	*process = (uint32_t)digits(id.p + TIME_DIGITS,
	    QUEUE_ID_LEN - TIME_DIGITS);
}

static uint32_t
hash(uint64_t time, uint32_t process)
{
	return (uint32_t)(((time ^ (uint64_t)process << 40) *
	    0x9e3779b97f4a7c15U) >> 32);
}

int64_t
audit_id_time(struct str id)
{
	return (int64_t)digits(id.p, TIME_DIGITS);
}

uint32_t
audit_id_hash(struct str id)
{
	uint64_t time;
	uint32_t process;

	id_split(id, &time, &process);
	/* Other bits than those that find the slot. */
	return hash(time, process) * 0x85ebca6bU >> 8;
}

void
audit_entry_id(const struct audit_entry *e, char id[QUEUE_ID_SIZE])
{
	uint64_t v = e->process;

	for (size_t i = QUEUE_ID_LEN; i > 0; v >>= 4) {
		if (i == TIME_DIGITS)
			v = e->time;
		id[--i] = "0123456789ABCDEF"[v & 15];
	}
	id[QUEUE_ID_LEN] = '\0';
}

struct audit_table *
audit_table_new(void)
{
	struct audit_table *t = mem_alloc(sizeof(*t));

	t->slot_n = TABLE_MIN;
	t->slots = mem_array(t->slot_n, sizeof(*t->slots));
	return t;
}

void
audit_table_reset(struct audit_table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].rcpt_n > AUDIT_FEW)
			mem_free(t->v[i].u.many);
	memset(t->slots, 0, t->slot_n * sizeof(*t->slots));
	t->n = 0;
}

void
audit_table_free(struct audit_table *t)
{
	if (t == NULL)
		return;
	audit_table_reset(t);
	mem_free(t->v);
	mem_free(t->slots);
	mem_free(t);
}

uint32_t
audit_table_count(const struct audit_table *t)
{
	return t->n;
}

struct audit_entry *
audit_table_at(struct audit_table *t, uint32_t i)
{
	return &t->v[i];
}

static uint32_t
find(const struct audit_table *t, uint64_t time, uint32_t process)
{
	uint32_t mask = t->slot_n - 1, at = hash(time, process) & mask;

	for (; t->slots[at] != 0; at = (at + 1) & mask) {
		const struct audit_entry *e = &t->v[t->slots[at] - 1];

		if (e->time == time && e->process == process)
			break;
	}
	return at;
}

static void
grow_slots(struct audit_table *t)
{
	mem_free(t->slots);
	t->slot_n *= 2;
	t->slots = mem_array(t->slot_n, sizeof(*t->slots));
	for (uint32_t i = 0; i < t->n; i++)
		t->slots[find(t, t->v[i].time, t->v[i].process)] = i + 1;
}

struct audit_entry *
audit_table_get(struct audit_table *t, struct str id)
{
	uint64_t time;
	uint32_t process, at;

	id_split(id, &time, &process);
	at = find(t, time, process);
	if (t->slots[at] != 0)
		return &t->v[t->slots[at] - 1];
	/* A slot in four stays empty: a search is short. */
	if (t->n >= t->slot_n / 4 * 3) {
		grow_slots(t);
		at = find(t, time, process);
	}
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : TABLE_MIN;
		t->v = mem_grow(t->v, t->size, sizeof(*t->v));
	}
	t->v[t->n] = (struct audit_entry){ .time = time, .process = process,
		.place = AUDIT_NOWHERE };
	t->slots[at] = ++t->n;
	return &t->v[t->n - 1];
}

void
audit_entry_grow(struct audit_entry *e, uint32_t rcpt_n)
{
	uint8_t *many;

	if (rcpt_n <= e->rcpt_n)
		return;
	if (rcpt_n > AUDIT_FEW) {
		many = mem_array(rcpt_n, 1);
		memcpy(many, e->rcpt_n > AUDIT_FEW ? e->u.many : e->u.few,
		    e->rcpt_n);
		if (e->rcpt_n > AUDIT_FEW)
			mem_free(e->u.many);
		e->u.many = many;
	}
	e->rcpt_n = rcpt_n;
}

uint8_t *
audit_entry_rcpt(struct audit_entry *e, uint32_t i)
{
	return e->rcpt_n > AUDIT_FEW ? &e->u.many[i] : &e->u.few[i];
}
