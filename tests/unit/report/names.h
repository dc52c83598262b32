/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_NAMES_H
#define TESTS_NAMES_H

/* names -- a DNS that has what the test says, in place of ours. */

#include "policy/override.h"

#include "lib/mem.h"

struct name {
	const char *name;
	const char *texts[3];	/* none: there is no such name */
	bool silent;		/* nobody knows now */
};

/* Of the test; ended by one without a name. */
static const struct name *names;
static unsigned names_asked;

struct dns *
resolver_new(const struct conf *c UNUSED, struct loop *l UNUSED)
{
	return mem_alloc(1);
}

void
dns_free(struct dns *d)
{
	mem_free(d);
}

void
dns_txt(struct dns *d UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_txt_answer *a), void *arg)
{
	struct dns_txt_answer a = { .status = DNS_NO_NAME, .reason = "" };
	struct str texts[3];
	const struct name *n = names;

	names_asked++;
	while (n->name != NULL && strcmp(n->name, name) != 0)
		n++;
	if (n->name != NULL) {
		while (a.text_n < 3 && n->texts[a.text_n] != NULL) {
			texts[a.text_n] = str_c(n->texts[a.text_n]);
			a.text_n++;
		}
		a.status = n->silent ? DNS_TEMPORARY : a.text_n > 0 ? DNS_OK : DNS_NO_DATA;
	}
	a.text = texts;
	fn(arg, &a);
}

#endif
