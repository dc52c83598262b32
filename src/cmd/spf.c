/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spf -- `baridctl spf`: whether domains let a client send mail (RFC 7208).
 *
 * It is evaluated anew and by the function that decides about sessions,
 * whatever the configuration makes of the result, and whoever is exempt.
 */

#include "ctl.h"

#include <sysexits.h>

#include "explain.h"
#include "lib/clock.h"
#include "mail/path.h"

static int
usage(void)
{
	fputs("spf: usage: baridctl spf ADDRESS SENDER [HELO]\n", stderr);
	return EX_USAGE;
}

static void
say(const struct spf_client *c, struct str sender, bool helo, const struct spf_verdict *v)
{
	struct buf b;

	buf_init(&b, 4096);
	spf_add_line(&b, c, sender, helo, v);
	printf("%s\n", buf_cstr(&b));
	if (v->explanation.n > 0)
		printf("  explanation: " STR_FMT "\n", STR_ARG(v->explanation));
	buf_free(&b);
}

/* 0: nothing is against it; 1: a fail; EX_TEMPFAIL: that is not known now. */
static int
code_of(enum spf_code code)
{
	return code == SPF_FAIL ? 1 : code == SPF_TEMPERROR ? EX_TEMPFAIL : EX_OK;
}

static int
look(const struct conf *conf, struct spf_client *c, const struct path *from, struct arena *a)
{
	struct lookup *l = lookup_new(conf);
	struct spf_facts *f = spf_facts_new();
	struct str sender = from->domain.n > 0 ? path_str(a, from) : STR("");
	struct spf_verdict v;
	int code = EX_OK;

	if (c->helo.n > 0) {
		c->local = STR("postmaster");
		c->domain = c->helo;
		lookup_spf(l, c, f, &v);
		say(c, sender, true, &v);
		code = code_of(v.code);
	}
	if (from->domain.n > 0) {
		c->local = from->local;
		c->domain = spf_domain(from->domain, a);
		lookup_spf(l, c, f, &v);
		say(c, sender, false, &v);
		code = code == EX_OK ? code_of(v.code) : code;
	}
	spf_facts_free(f);
	lookup_free(l);
	return code;
}

int
ctl_spf(struct ctl *t, int argc, char **argv)
{
	struct spf_client c = { .helo = str_c(argc == 3 ? argv[2] : ""),
		.receiver = str_c(t->conf->hostname),
		.explanation = str_c(t->conf->check.spf.explanation),
		.now = clock_wall() };
	struct path from = { .local = STR(""), .domain = STR("") };
	const char *why = NULL;
	struct arena a;
	int code;

	if (argc != 2 && argc != 3)
		return usage();
	if (addr_parse(str_c(argv[0]), 0, &c.address) < 0) {
		fprintf(stderr, "%s: this is no address, expected one such as 192.0.2.1\n",
		    argv[0]);
		return EX_DATAERR;
	}
	arena_init(&a, 1 << 16);
	if (strcmp(argv[1], "") != 0 && strcmp(argv[1], "<>") != 0)
		why = inject_address(t->conf, str_c(argv[1]), &a, &from);
	if (why != NULL)
		fprintf(stderr, "%s is no address: %s\n", argv[1], why);
	code = why == NULL ? look(t->conf, &c, &from, &a) : EX_DATAERR;
	arena_free(&a);
	return code;
}
