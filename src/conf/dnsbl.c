/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsbl -- the sections about lists in DNS (RFC 5782).
 *
 * Several may stand for one zone, so that what it answers can count in
 * different ways.  Whether a zone lives shows only when it is asked.
 */

#include "conf/dnsbl.h"

#include <sys/socket.h>

#include "lib/idn.h"

#include "private.h"

/* 63 octets of nibbles and dots of an IPv6 address stand before a zone (RFC 5782 2.4). */
#define ZONE_MAX (253 - 64)
#define LISTS_MAX 64

static const char *const of_names[DNSBL_OF_N] = { [DNSBL_CLIENT] = "client",
	[DNSBL_HELO] = "helo", [DNSBL_SENDER] = "sender", [DNSBL_URL] = "url" };

const char *
conf_dnsbl_of_name(enum conf_dnsbl_of of)
{
	return of_names[of];
}

/* The bit of WORD; 0: it means nothing. */
static unsigned
of_bit(const char *word)
{
	for (unsigned i = 0; i < DNSBL_OF_N; i++)
		if (strcmp(word, of_names[i]) == 0)
			return 1u << i;
	return 0;
}

void
conf_dnsbl_finish(struct conf *c)
{
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	for (size_t i = 0; i < c->dnsbl.list_n; i++) {
		struct conf_dnsbl *d = &c->dnsbl.lists[i];

		buf_reset(&b);
		if (idn_add(&b, str_c(d->zone)) == NULL && buf_ok(&b))
			d->zone = arena_cstr(&c->arena, buf_str(&b));
		for (size_t k = 0; k < d->of_words.n; k++)
			d->of |= of_bit(d->of_words.v[k]);
		c->dnsbl.of |= d->of;
		/* What is wrong is complained of below. */
		if (conf_reply_read(d->reply, &c->arena, &d->refusal) != NULL)
			d->refusal = (struct conf_reply){ 550, "5.7.1", "" };
	}
	buf_free(&b);
}

/* Of "${name}" only those that there are. */
static const char *
unknown_fact(struct str s, struct arena *a)
{
	static const char *const facts[] = { "${listed}", "${client}", "${zone}", "${text}" };
	ptrdiff_t at;

	while ((at = str_find(s, '$')) >= 0) {
		size_t i = 0;

		s = str_skip(s, (size_t)at);
		while (i < ARRAY_LEN(facts) && !str_starts(s, str_c(facts[i])))
			i++;
		if (i == ARRAY_LEN(facts) && str_starts(s, STR("${")))
			return arena_printf(a, "there is no " STR_FMT ", expected "
			    "${listed}, ${client}, ${zone} or ${text}", STR_ARG(str_head(s, 20)));
		s = str_skip(s, 1);
	}
	return NULL;
}

static void
check_reply(const struct conf *c, const struct conf_dnsbl *d, struct buf *error)
{
	struct conf_reply r;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	why = conf_reply_read(d->reply, &a, &r);
	if (why == NULL)
		why = unknown_fact(str_c(d->reply), &a);
	if (why != NULL)
		conf_complain(error, conf_where(c, &d->reply, d->place),
		    "dnsbl.%s.reply: %s", d->zone, why);
	arena_free(&a);
}

static void
check_of(const struct conf *c, const struct conf_dnsbl *d, struct buf *error)
{
	for (size_t i = 0; i < d->of_words.n; i++)
		if (of_bit(d->of_words.v[i]) == 0)
			conf_complain(error, conf_where(c, &d->of_words, d->place),
			    "dnsbl.%s.of: \"%s\" does not fit, expected client, helo, "
			    "sender or url", d->zone, d->of_words.v[i]);
}

/* RFC 5782 2.1: the rest is of domains that somebody bought, or says that we may not ask. */
static bool
may_be_entries(const struct ip_range *r)
{
	static const unsigned char first[4] = { 127, 0, 0, 0 }, last[4] = { 127, 255, 254, 255 };

	return r->family == AF_INET && memcmp(r->last, first, 4) >= 0 &&
	    memcmp(r->first, last, 4) <= 0;
}

static void
check_answers(const struct conf *c, const struct conf_dnsbl *d, struct buf *error)
{
	struct buf b;

	buf_init(&b, 128);
	for (size_t i = 0; i < d->answers.n; i++) {
		if (may_be_entries(&d->answers.v[i]))
			continue;
		buf_reset(&b);
		ip_range_add(&b, &d->answers.v[i]);
		conf_complain(error, conf_where(c, &d->answers, d->place),
		    "dnsbl.%s.answers: " STR_FMT " is no entry of a list, expected one from "
		    "127.0.0.0 to 127.255.254.255", d->zone, STR_ARG(buf_str(&b)));
	}
	buf_free(&b);
}

void
conf_dnsbl_check(const struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < c->dnsbl.list_n; i++) {
		const struct conf_dnsbl *d = &c->dnsbl.lists[i];

		if (!conf_name_is_host(str_c(d->zone)) || strlen(d->zone) > ZONE_MAX)
			conf_complain(error, d->place,
			    "dnsbl: \"%s\" is no zone, expected one such as "
			    "\"zen.example.org\"", d->zone);
		check_of(c, d, error);
		check_answers(c, d, error);
		check_reply(c, d, error);
	}
	if (c->dnsbl.list_n > LISTS_MAX)
		conf_complain(error, c->dnsbl.lists[LISTS_MAX].place,
		    "dnsbl: %zu of them, expected at most %d", c->dnsbl.list_n, LISTS_MAX);
}
