/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_bodies -- the hashes that signatures want of a body.
 *
 * The body is put into each form that somebody wants once, and hashed once for
 * each length: nearly always it is one form and one hash, whoever signed.
 */

#include "dkim_bodies.h"

#include "lib/mem.h"

struct hash {
	bool relaxed;
	uint64_t limit, left;
	struct sha256 *sha256;
	unsigned char digest[SHA256_SIZE];
	bool ok;
};

/* A form under way: who takes it. */
struct form {
	struct dkim_bodies *all;
	struct dkim_body body;
	uint64_t length;
	bool wanted;
};

struct dkim_bodies {
	struct form forms[2];	/* simple, relaxed */
	struct hash v[DKIM_BODIES_MAX];
	size_t n;
};

static void
take(void *arg, struct str piece)
{
	struct form *f = arg;
	struct dkim_bodies *b = f->all;

	f->length += piece.n;
	for (size_t i = 0; i < b->n; i++) {
		struct hash *h = &b->v[i];
		struct str part = piece;

		if (h->relaxed != !f->body.simple)
			continue;
		if (part.n > h->left)
			part.n = (size_t)h->left;
		h->left -= part.n;
		sha256_add(h->sha256, part);
	}
}

struct dkim_bodies *
dkim_bodies_new(void)
{
	struct dkim_bodies *b = mem_alloc(sizeof(*b));

	for (size_t i = 0; i < ARRAY_LEN(b->forms); i++) {
		struct form *f = &b->forms[i];

		f->all = b;
		f->body = (struct dkim_body){ .out = take, .arg = f, .simple = i == 0 };
	}
	return b;
}

void
dkim_bodies_free(struct dkim_bodies *b)
{
	for (size_t i = 0; b != NULL && i < b->n; i++)
		sha256_free(b->v[i].sha256);
	mem_free(b);
}

size_t
dkim_bodies_want(struct dkim_bodies *b, bool relaxed, uint64_t limit)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].relaxed == relaxed && b->v[i].limit == limit)
			return i;
	if (b->n == DKIM_BODIES_MAX)
		return DKIM_BODY_NONE;
	b->forms[relaxed].wanted = true;
	b->v[b->n] = (struct hash){ .relaxed = relaxed, .limit = limit, .left = limit,
		.sha256 = sha256_new() };
	return b->n++;
}

void
dkim_bodies_add(struct dkim_bodies *b, struct str piece)
{
	for (size_t i = 0; i < ARRAY_LEN(b->forms); i++)
		if (b->forms[i].wanted)
			dkim_body_add(&b->forms[i].body, piece);
}

void
dkim_bodies_end(struct dkim_bodies *b)
{
	for (size_t i = 0; i < ARRAY_LEN(b->forms); i++)
		if (b->forms[i].wanted)
			dkim_body_end(&b->forms[i].body);
	for (size_t i = 0; i < b->n; i++)
		b->v[i].ok = sha256_end(b->v[i].sha256, b->v[i].digest) == 0;
}

const unsigned char *
dkim_bodies_hash(const struct dkim_bodies *b, size_t i)
{
	return b->v[i].ok ? b->v[i].digest : NULL;
}

uint64_t
dkim_bodies_length(const struct dkim_bodies *b, bool relaxed)
{
	return b->forms[relaxed].length;
}
