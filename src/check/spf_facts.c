/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf_facts -- what DNS has said by now, and what it is to be asked.
 *
 * Of what strangers publish as much is kept as an evaluation can use: of a
 * thousand texts the two that make a permerror, of a long one so much that it
 * is seen to be too long, of an address its octets.
 */

#include "spf_facts.h"

#include <sys/socket.h>

#include "lib/idn.h"
#include "lib/map.h"
#include "lib/mem.h"

#define ARENA_MAX_OCTETS ((size_t)64 << 20)
#define NAMES_MAX 64
#define RECORDS_MAX 2

struct spf_facts {
	struct arena arena;
	struct map *by_question;
	struct spf_answer *first, **end;
	struct spf_answer *lacking;	/* the first that nobody was told of */
};

struct spf_facts *
spf_facts_new(void)
{
	struct spf_facts *f = mem_alloc(sizeof(*f));

	arena_init(&f->arena, ARENA_MAX_OCTETS);
	f->by_question = map_new();
	f->first = NULL;
	f->end = &f->first;
	return f;
}

void
spf_facts_free(struct spf_facts *f)
{
	if (f == NULL)
		return;
	map_free(f->by_question);
	arena_free(&f->arena);
	mem_free(f);
}

struct arena *
spf_facts_arena(struct spf_facts *f)
{
	return &f->arena;
}

static struct spf_answer *
add(struct spf_facts *f, enum spf_type type, struct str name)
{
	struct spf_answer *a = arena_alloc(&f->arena, sizeof(*a));

	*a = (struct spf_answer){ .q = { type, arena_cstr(&f->arena, name) },
		.status = DNS_TEMPORARY };
	*f->end = a;
	f->end = &a->next;
	if (f->lacking == NULL)
		f->lacking = a;
	return a;
}

struct spf_answer *
spf_facts_get(struct spf_facts *f, enum spf_type type, struct str name)
{
	struct spf_answer *a;
	struct buf key;

	buf_init(&key, 512);
	buf_addc(&key, (char)('0' + type));
	buf_add_lower(&key, name);
	a = map_get(f->by_question, buf_str(&key));
	if (a == NULL) {
		a = add(f, type, name);
		(void)map_put(f->by_question, buf_str(&key), a);
	}
	buf_free(&key);
	return a;
}

const struct spf_question *
spf_facts_lacking(struct spf_facts *f)
{
	struct spf_answer *a = f->lacking;

	if (a == NULL)
		return NULL;
	f->lacking = a->next;
	return &a->q;
}

/* Q was returned above, so that it is the start of one of F's. */
static struct spf_answer *
answer_of(struct spf_facts *f, const struct spf_question *q)
{
	return spf_facts_get(f, q->type, str_c(q->name));
}

static size_t
text_max(enum spf_type type)
{
	return type == SPF_TXT ? RECORDS_MAX : NAMES_MAX;
}

static bool
is_of_use(enum spf_type type, struct str text, size_t n)
{
	return type != SPF_TXT || n == 1 || spf_record_is(text);
}

void
spf_facts_text(struct spf_facts *f, const struct spf_question *q, enum dns_status status,
    const struct str *v, size_t n)
{
	struct spf_answer *a = answer_of(f, q);
	struct str *kept = arena_alloc(&f->arena, text_max(q->type) * sizeof(*kept));

	a->there = true;
	a->status = status;
	a->n = 0;
	a->total = n;
	a->text = kept;
	for (size_t i = 0; i < n && a->n < text_max(q->type); i++)
		if (is_of_use(q->type, v[i], n))
			kept[a->n++] = arena_str(&f->arena, str_head(v[i], SPF_RECORD_MAX + 1));
}

void
spf_facts_addr(struct spf_facts *f, const struct spf_question *q, enum dns_status status,
    const struct addr *v, size_t n)
{
	struct spf_answer *a = answer_of(f, q);
	size_t size = q->type == SPF_A ? 4 : 16;
	unsigned char *kept = arena_alloc(&f->arena, n * size);

	a->there = true;
	a->status = status;
	a->n = 0;
	a->octets = kept;
	for (size_t i = 0; i < n; i++)
		if (addr_family(&v[i]) == (q->type == SPF_A ? AF_INET : AF_INET6))
			memcpy(kept + size * a->n++, addr_octets(&v[i]), size);
}

struct str
spf_domain(struct str domain, struct arena *a)
{
	struct str s = STR("");
	struct buf b;

	if (!str_has_8bit(domain))
		return arena_str(a, domain);
	buf_init(&b, 1024);
	if (idn_add(&b, domain) == NULL && buf_ok(&b))
		s = arena_str(a, buf_str(&b));
	buf_free(&b);
	return s;
}
