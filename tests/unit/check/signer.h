/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_CHECK_SIGNER_H
#define TESTS_UNIT_CHECK_SIGNER_H

/*
 * signer -- messages that are signed as a test says, right or wrong: the tags
 * are its own, the hashes and the signature are made to fit.
 */

#include "check/dkim_private.h"
#include "mail/dkim_form.h"
#include "mail/text.h"
#include "net/dkim_key.h"
#include "unit.h"

#define SIGNER_NOW 1800000000

struct signer {
	struct dkim_key *rsa, *small, *ed;
	struct buf header, body;
};

static struct signer signer;

static inline void
signer_begin(void)
{
	signer.rsa = dkim_key_new(1024);
	signer.small = dkim_key_new(768);
	signer.ed = dkim_key_new(0);
	if (signer.rsa == NULL || signer.small == NULL || signer.ed == NULL)
		abort();
	buf_init(&signer.header, 1 << 20);
	buf_init(&signer.body, 1 << 20);
}

static inline void
signer_end(void)
{
	dkim_key_free(signer.rsa);
	dkim_key_free(signer.small);
	dkim_key_free(signer.ed);
	buf_free(&signer.header);
	buf_free(&signer.body);
}

static inline void
signer_message(const char *header, const char *body)
{
	buf_reset(&signer.header);
	buf_reset(&signer.body);
	buf_adds(&signer.header, header);
	buf_adds(&signer.body, body);
}

/* Puts a field before the others. */
static inline void
signer_put(struct str field)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_add(&b, field);
	buf_add(&b, buf_str(&signer.header));
	buf_reset(&signer.header);
	buf_add(&signer.header, buf_str(&b));
	buf_free(&b);
}

/* The record of KEY, with TAGS before its "p=". */
static inline struct str
signer_record(struct buf *b, const struct dkim_key *key, const char *tags)
{
	struct buf octets;

	buf_init(&octets, 8192);
	ck_assert_int_eq(dkim_key_public(key, &octets), 0);
	buf_reset(b);
	buf_addf(b, "v=DKIM1; %sp=", tags);
	base64_add(b, buf_str(&octets));
	buf_free(&octets);
	return buf_str(b);
}

/* Adds "bh=" of the body in the form that S has, as TAGS say. */
static inline void
signer_add_body(struct buf *field, const struct dkim_signature *s, const char *tags)
{
	struct dkim_bodies *all = dkim_bodies_new();
	const char *l = strstr(tags, " l=");
	size_t i = dkim_bodies_want(all, s->relaxed_body,
	    l != NULL ? strtoull(l + 3, NULL, 10) : UINT64_MAX);

	dkim_bodies_add(all, buf_str(&signer.body));
	dkim_bodies_end(all);
	buf_adds(field, " bh=");
	base64_add(field, str_n((const char *)dkim_bodies_hash(all, i), SHA256_SIZE));
	buf_addc(field, ';');
	dkim_bodies_free(all);
}

/* Adds the signature of DIGEST behind "b=", in two lines, and the line end. */
static inline void
signer_add_proof(struct buf *field, const struct dkim_key *key, const unsigned char *digest)
{
	struct buf octets, text;

	buf_init(&octets, 4096);
	buf_init(&text, 8192);
	ck_assert_int_eq(dkim_key_sign(key, digest, &octets), 0);
	base64_add(&text, buf_str(&octets));
	buf_add(field, str_head(buf_str(&text), 40));
	buf_adds(field, "\r\n\t");
	buf_add(field, str_skip(buf_str(&text), 40));
	buf_adds(field, "\r\n");
	buf_free(&text);
	buf_free(&octets);
}

/* The field NAME with TAGS, which end in a semicolon, "bh=" if wanted, and an empty "b=". */
static inline void
signer_draft(struct buf *field, const char *name, const char *tags, bool body)
{
	struct dkim_signature s;

	buf_addf(field, "%s: %s", name, tags);
	(void)!dkim_signature_parse(str_c(tags), DKIM_SIGNATURE, &s);
	if (body)
		signer_add_body(field, &s, tags);
	buf_adds(field, " b=");
}

/* Signs the message by DKIM-Signature, or by NAME, which signs the same. */
static inline void
signer_sign_as(const char *name, const struct dkim_key *key, const char *tags)
{
	unsigned char digest[SHA256_SIZE];
	struct dkim_signature s;
	struct dkim_header h;
	struct field own;
	struct str rest;
	struct buf field;

	buf_init(&field, 1 << 20);
	signer_draft(&field, name, tags, true);
	rest = buf_str(&field);
	ck_assert_int_eq(field_next(&rest, &own), 1);
	(void)!dkim_signature_parse(own.value, DKIM_SIGNATURE, &s);
	dkim_header_init(&h, buf_str(&signer.header));
	ck_assert_int_eq(dkim_header_digest(&h, &s, &own, digest), 0);
	dkim_header_free(&h);
	signer_add_proof(&field, key, digest);
	signer_put(buf_str(&field));
	buf_free(&field);
}

static inline void
signer_sign(const struct dkim_key *key, const char *tags)
{
	signer_sign_as("DKIM-Signature", key, tags);
}

/* A check that has read the message, its body in pieces of N octets. */
static inline struct dkim_check *
signer_read(unsigned what, size_t n)
{
	struct dkim_check *c = dkim_check_new(what, SIGNER_NOW);
	struct str rest = buf_str(&signer.body);

	buf_adds(&signer.header, "\r\n");
	dkim_check_header(c, buf_str(&signer.header));
	buf_cut(&signer.header, signer.header.n - 2);
	for (; rest.n > 0; rest = str_skip(rest, n))
		dkim_check_body(c, str_head(rest, n));
	dkim_check_end(c);
	return c;
}

/* Every key of C is found as TEXT. */
static inline void
signer_answer(struct dkim_check *c, struct str text)
{
	struct txt_answer a = { .status = TXT_OK, .texts = { text }, .text_n = 1 };

	for (size_t i = 0; i < dkim_check_key_count(c); i++)
		dkim_check_key(c, i, &a);
}

#endif
