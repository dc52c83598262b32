/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_header -- the fields of a header, and what signatures make of them.
 *
 * A signature names fields, each as often as it signs one of that name, from
 * the last to the first.  A stranger chooses how many fields there are and how
 * many names: fields are found by a table, and each is signed at most once, so
 * that a signature costs no more than the header is long.
 */

#include "dkim_header.h"

#include "lib/mem.h"
#include "mail/dkim_form.h"
#include "mail/limits.h"

static uint32_t *
bucket_of(struct dkim_header *h, struct str name)
{
	return &h->heads[str_ihash(name) % DKIM_HEADER_BUCKETS];
}

void
dkim_header_init(struct dkim_header *h, struct str header)
{
	struct str rest = header;
	struct field f;

	*h = (struct dkim_header){ .n = 0 };
	while (field_next(&rest, &f) == 1)
		h->n++;
	h->v = mem_array(h->n + 1, sizeof(*h->v));
	h->next = mem_array(h->n + 1, sizeof(*h->next));
	h->taken = mem_array(h->n + 1, sizeof(*h->taken));
	h->n = 0;
	for (rest = header; field_next(&rest, &f) == 1;) {
		uint32_t *head = bucket_of(h, f.name);

		h->next[h->n] = *head;
		h->v[h->n++] = f;
		*head = (uint32_t)h->n;
	}
	/* Each field at most once, and a signature's own; a line end more for the last. */
	buf_init(&h->text, 2 * MAIL_HEADER_MAX + 16);
}

void
dkim_header_free(struct dkim_header *h)
{
	mem_free(h->v);
	mem_free(h->next);
	mem_free(h->taken);
	buf_free(&h->text);
}

static bool
has_stray_end(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			i++;
		else if (s.p[i] == '\r' || s.p[i] == '\n')
			return true;
	}
	return false;
}

const char *
dkim_header_flaw(struct str header)
{
	struct str rest = header;
	unsigned from = 0;
	struct field f;
	int r;

	if (header.n > MAIL_HEADER_MAX)
		return "the header is too large";
	while ((r = field_next(&rest, &f)) == 1)
		from += str_ieq(f.name, STR("From"));
	if (r < 0)
		return "a line of the header is no field";
	if (has_stray_end(str_head(header, header.n - rest.n)))
		return "the header has a CR or LF alone";
	if (from == 1)
		return NULL;
	return from == 0 ? "the message has no From" : "the message has more than one From";
}

/* The last field of that name that is not taken yet; none is no fault. */
static void
take_field(struct dkim_header *h, struct str name, bool relaxed)
{
	for (uint32_t i = *bucket_of(h, name); i > 0; i = h->next[i - 1]) {
		if (h->taken[i - 1] || !str_ieq(h->v[i - 1].name, name))
			continue;
		h->taken[i - 1] = 1;
		dkim_form_add(&h->text, &h->v[i - 1], relaxed);
		return;
	}
}

int
dkim_header_digest(struct dkim_header *h, const struct dkim_signature *s,
    const struct field *own, unsigned char digest[SHA256_SIZE])
{
	struct str rest = s->names, name;

	buf_reset(&h->text);
	memset(h->taken, 0, h->n);
	while (dkim_signature_name(&rest, &name))
		take_field(h, name, s->relaxed_header);
	dkim_form_add_own(&h->text, own, s->cut, s->relaxed_header);
	return buf_ok(&h->text) ? sha256(buf_str(&h->text), digest) : -1;
}
