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

#define TABLE_MIN 1024

struct audit_table {
	struct audit_entry *v;
	uint32_t n, size;
	uint32_t *slots;	/* entry + 1, or 0 */
	uint32_t slot_n;	/* a power of two */
};

int64_t
audit_id_time(struct str id)
{
	return (int64_t)queue_number(id).time;
}

uint32_t
audit_id_hash(struct str id)
{
	/* Other bits than those that find the slot. */
	return queue_number_hash(queue_number(id)) * 0x85ebca6bU >> 8;
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
find(const struct audit_table *t, struct queue_number id)
{
	uint32_t mask = t->slot_n - 1, at = queue_number_hash(id) & mask;

	while (t->slots[at] != 0 && !queue_number_eq(t->v[t->slots[at] - 1].id, id))
		at = (at + 1) & mask;
	return at;
}

static void
grow_slots(struct audit_table *t)
{
	mem_free(t->slots);
	t->slot_n *= 2;
	t->slots = mem_array(t->slot_n, sizeof(*t->slots));
	for (uint32_t i = 0; i < t->n; i++)
		t->slots[find(t, t->v[i].id)] = i + 1;
}

struct audit_entry *
audit_table_get(struct audit_table *t, struct str text)
{
	struct queue_number id = queue_number(text);
	uint32_t at = find(t, id);

	if (t->slots[at] != 0)
		return &t->v[t->slots[at] - 1];
	/* A slot in four stays empty: a search is short. */
	if (t->n >= t->slot_n / 4 * 3) {
		grow_slots(t);
		at = find(t, id);
	}
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : TABLE_MIN;
		t->v = mem_grow(t->v, t->size, sizeof(*t->v));
	}
	t->v[t->n] = (struct audit_entry){ .id = id, .place = AUDIT_NOWHERE };
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
