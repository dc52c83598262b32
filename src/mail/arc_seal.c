/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * arc_seal -- the fields by which who passes a message on says what he found.
 *
 * Whether the chain is good so far is not known here: its fields are only looked
 * at for what they are.  One that is not whole is not added to.
 */

#include "mail/arc_seal.h"

#include "mail/dkim_form.h"
#include "mail/header.h"
#include "mail/limits.h"

/* In the order in which they are sealed (RFC 8617 5.1.1). */
enum part { RESULTS, MESSAGE, SEAL, PARTS };

struct chain {
	struct field parts[ARC_INSTANCE_MAX][PARTS];
	bool there[ARC_INSTANCE_MAX][PARTS];
	unsigned n;
};

/* Which part F is of which set; 0: of none. */
static unsigned
instance_of(const struct field *f, enum part *part)
{
	struct dkim_signature s = { .instance = 0 };

	if (str_ieq(f->name, STR("ARC-Authentication-Results"))) {
		*part = RESULTS;
		return arc_results_instance(f->value);
	}
	*part = str_ieq(f->name, STR("ARC-Seal")) ? SEAL : MESSAGE;
	(void)!dkim_signature_parse(f->value, *part == SEAL ? DKIM_ARC_SEAL : DKIM_ARC_MESSAGE, &s);
	return s.instance;
}

static bool
is_of_arc(struct str name)
{
	return str_ieq(name, STR("ARC-Authentication-Results")) ||
	    str_ieq(name, STR("ARC-Message-Signature")) || str_ieq(name, STR("ARC-Seal"));
}

/* False: something of it is there twice, or is none. */
static bool
take_fields(struct chain *c, struct str header)
{
	enum part part;
	struct field f;
	unsigned n;

	while (field_next(&header, &f) == 1) {
		if (!is_of_arc(f.name))
			continue;
		n = instance_of(&f, &part);
		if (n == 0 || c->there[n - 1][part])
			return false;
		c->there[n - 1][part] = true;
		c->parts[n - 1][part] = f;
		if (n > c->n)
			c->n = n;
	}
	return true;
}

static bool
is_whole(const struct chain *c)
{
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = 0; k < PARTS; k++)
			if (!c->there[i][k])
				return false;
	return true;
}

int
arc_sets(struct str header)
{
	struct chain c = { .n = 0 };

	return take_fields(&c, header) && is_whole(&c) && c.n < ARC_INSTANCE_MAX ? (int)c.n : -1;
}

void
arc_results_add(struct buf *b, unsigned instance, struct str value)
{
	buf_addf(b, "ARC-Authentication-Results: i=%u;", instance);
	if (value.n > 0 && value.p[0] != ' ' && value.p[0] != '\t' && value.p[0] != '\r')
		buf_addc(b, ' ');
	buf_add(b, value);
	buf_add(b, STR("\r\n"));
}

int
arc_seal_begin(struct str header, struct str new, const struct dkim_signer *s,
    struct buf *field, unsigned char digest[SHA256_SIZE])
{
	struct chain c = { .n = 0 };
	struct field self;
	struct str rest;
	struct buf text;
	int rc = -1;

	buf_init(&text, 2 * MAIL_HEADER_MAX + 2 * DKIM_FIELD_MAX);
	buf_addf(field, "ARC-Seal: i=%u; a=%s; t=%lld; cv=%s;\r\n\td=" STR_FMT ";\r\n\ts="
	    STR_FMT ";\r\n\tb=", s->instance, s->algorithm, (long long)s->now,
	    s->instance == 1 ? "none" : "pass", STR_ARG(s->domain), STR_ARG(s->selector));
	rest = buf_str(field);
	/* The new parts are a set that only lacks its seal. */
	if (take_fields(&c, header) && is_whole(&c) && c.n + 1 == s->instance &&
	    take_fields(&c, new) && buf_ok(field) && field_next(&rest, &self) == 1) {
		for (unsigned i = 0; i < c.n; i++)
			for (unsigned k = 0; k < PARTS; k++)
				if (c.there[i][k])
					dkim_form_add(&text, &c.parts[i][k], true);
		dkim_form_add_own(&text, &self, STR(""), true);
		rc = buf_ok(&text) ? sha256(buf_str(&text), digest) : -1;
	}
	buf_free(&text);
	return rc;
}
