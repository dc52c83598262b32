/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * list -- what is in a mailbox: numbers, sizes, and the UIDLs by which a message
 * is known the next time (RFC 1939 7).
 *
 * The server's word is taken for nothing that could lose mail.  A UIDL that
 * stands there twice, or that RFC 1939 does not allow, is none; a message whose
 * number is no number, or was not in LIST, ends it.
 */

#include "lib/map.h"
#include "lib/mem.h"
#include "lines.h"

/* RFC 1939 7 says 70; there are servers with more.  All of them fit the arena of a run. */
#define UIDL_MAX 255

struct reading {
	struct arena *arena;
	struct pop_message *v;	/* by their places */
	size_t n, size;
	struct map *uidls;	/* UIDL -> the message that has it */
};

/* The number that LINE begins with; 0: it is none. */
static uint32_t
number_of(struct str *line)
{
	uint64_t n = 0;

	if (str_u64(str_word(line), UINT32_MAX, &n) < 0)
		return 0;
	return (uint32_t)n;
}

static bool
take_size(void *arg, struct str line)
{
	struct reading *r = arg;
	uint32_t number = number_of(&line);
	uint64_t size;

	/* In their order, as every server has it, so that none comes twice. */
	if (number == 0 || (r->n > 0 && number <= r->v[r->n - 1].number) ||
	    str_u64(str_word(&line), UINT64_MAX >> 1, &size) < 0)
		return false;
	if (r->n == r->size) {
		r->size = r->size > 0 ? r->size * 2 : 64;
		r->v = mem_grow(r->v, r->size, sizeof(*r->v));
	}
	r->v[r->n++] = (struct pop_message){ .number = number, .size = size,
		.uidl = STR("") };
	return true;
}

/* The message of that number, by bisection; NULL: LIST has none. */
static struct pop_message *
find(const struct reading *r, uint32_t number)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->v[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->n && r->v[low].number == number ? &r->v[low] : NULL;
}

/* RFC 1939 7: from 0x21 to 0x7E. */
static bool
is_uidl(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= UIDL_MAX;
}

static bool
take_uidl(void *arg, struct str line)
{
	struct reading *r = arg;
	struct pop_message *m = find(r, number_of(&line)), *other;
	struct str uidl = str_trim(line);

	if (m == NULL)
		return false;
	/* Of two for one message neither is its own. */
	if (!is_uidl(uidl) || m->uidl.n > 0) {
		m->uidl = STR("");
		return true;
	}
	m->uidl = arena_str(r->arena, uidl);
	other = map_put(r->uidls, uidl, m);
	if (other != NULL && other != m)
		other->uidl = m->uidl = STR("");
	return true;
}

static enum pop_answer
read_both(struct pop *p, struct reading *r)
{
	enum pop_answer a = pop_command(p, "LIST");

	if (a == POP_OK)
		a = pop_lines(p, POP_MESSAGES_MAX, take_size, r);
	if (a != POP_OK || r->n == 0 || (p->can & POP_UIDL) == 0)
		return a;
	a = pop_command(p, "UIDL");
	if (a == POP_OK)
		return pop_lines(p, POP_MESSAGES_MAX, take_uidl, r);
	/* It knows no UIDL: each is known by its text. */
	return a == POP_NO ? POP_OK : a;
}

enum pop_answer
pop_list(struct pop *p, struct arena *a, struct pop_list *l)
{
	struct reading r = { .arena = a, .uidls = map_new() };
	enum pop_answer answer = read_both(p, &r);

	*l = (struct pop_list){ .n = r.n };
	if (answer == POP_OK && r.n > 0) {
		l->v = arena_alloc(a, r.n * sizeof(*l->v));
		memcpy(l->v, r.v, r.n * sizeof(*l->v));
		for (size_t i = 0; i < l->n; i++)
			l->nameless += l->v[i].uidl.n == 0;
	}
	map_free(r.uidls);
	mem_free(r.v);
	return answer;
}
