/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsbl -- `baridctl dnsbl`: lists in DNS are asked about an address or a
 * domain, or nobody asks them for a time.
 *
 * What is decided is what a session would decide, by the same function; it
 * is asked anew, whatever barid-check remembers.
 */

#include "ctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sysexits.h>

#include "explain.h"
#include "lib/mem.h"

static int
usage(void)
{
	fputs("dnsbl: usage: baridctl dnsbl check ADDRESS | DOMAIN\n"
	    "       baridctl dnsbl stop [SECONDS] | start\n", stderr);
	return EX_USAGE;
}

/* ---- check ------------------------------------------------------------------- */

/* A zone, and what it says for a term. */
struct asked {
	struct dnsbl_answer answer;
	const char *failed;	/* what it has that no list has: it is not believed; or NULL */
	struct found_host f;	/* the answer as it came */
};

/* F becomes what DNS has of ASKED in ZONE. */
static void
look_up(struct lookup *dns, struct str asked, const char *zone, struct found_host *f)
{
	struct buf name;

	*f = (struct found_host){ .name = "" };
	buf_init_in(&name, f->name, sizeof(f->name));
	buf_addf(&name, STR_FMT ".%s", STR_ARG(asked), zone);
	if (buf_ok(&name))
		lookup_addr4(dns, f);
}

/* RFC 5782 5: what no list has, and D's zone has all the same; or NULL. */
static const char *
failed_test(struct lookup *dns, const struct conf_dnsbl *d)
{
	for (size_t i = 0; i < DNSBL_PROBES; i++) {
		struct found_host f;

		if ((d->of & dnsbl_probes[i].of) == 0)
			continue;
		look_up(dns, str_c(dnsbl_probes[i].never_asked), d->zone, &f);
		if (f.addr_n > 0)
			return dnsbl_probes[i].never;
	}
	return NULL;
}

static void
ask(struct lookup *dns, const struct conf_dnsbl *d, const struct dnsbl_term *t, struct asked *q)
{
	struct dnsbl_answer *a = &q->answer;
	struct found_records text;

	*q = (struct asked){ .answer = { .text = STR("") } };
	look_up(dns, t->asked, d->zone, &q->f);
	a->late = q->f.status == DNS_TEMPORARY;
	if (q->f.addr_n > 0)
		q->failed = failed_test(dns, d);
	for (size_t i = 0; q->failed == NULL && i < q->f.addr_n && a->n < DNSBL_ANSWERS_MAX; i++) {
		uint32_t v;

		memcpy(&v, addr_octets(&q->f.addr[i]), sizeof(v));
		a->v[a->n++] = ntohl(v);
	}
	if (a->n > 0) {
		lookup_txt(dns, q->f.name, &text);
		a->text = text.n > 0 ? text.text[0] : STR("");
	}
}

/* COUNTS: what it adds to the sum. */
static void
explain_zone(struct steps *s, unsigned depth, const struct conf_dnsbl *d,
    const struct dnsbl_term *t, const struct asked *q, int64_t counts)
{
	const struct dnsbl_answer *a = &q->answer;
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < a->n; i++)
		buf_addf(&b, "%s%u.%u.%u.%u%s", i > 0 ? " " : "", a->v[i] >> 24,
		    a->v[i] >> 16 & 255, a->v[i] >> 8 & 255, a->v[i] & 255,
		    dnsbl_is_error(a->v[i]) ? ", which is no entry," : "");
	if (a->late)
		steps_add(s, depth, "list", d->place, "%s does not answer for " STR_FMT
		    " (%s): it counts nothing", d->zone, STR_ARG(t->text), q->f.reason);
	else if (q->failed != NULL)
		steps_add(s, depth, "list", d->place, "%s has %s, which no list has: it "
		    "counts nothing", d->zone, q->failed);
	else if (a->n == 0)
		steps_add(s, depth, "list", d->place, "%s does not have " STR_FMT, d->zone,
		    STR_ARG(t->text));
	else
		steps_add(s, depth, "list", d->place, "%s answers %s \"" STR_FMT "\" for "
		    STR_FMT ": %lld", d->zone, buf_cstr(&b),
		    STR_ARG(str_head(a->text, DNSBL_TEXT_MAX)), STR_ARG(t->text),
		    (long long)counts);
	buf_free(&b);
}

static void
explain_verdict(const struct conf *conf, struct steps *s, unsigned depth,
    const struct dnsbl_verdict *v)
{
	const struct conf_dnsbls *c = &conf->dnsbl;
	struct conf_place place = conf_where(conf, &c->threshold, CONF_NOWHERE);

	steps_add(s, depth, "sum", place, "%lld of dnsbl-threshold %llu", (long long)v->score,
	    (unsigned long long)c->threshold);
	if (v->refused)
		steps_add(s, depth, "verdict", v->by->place, "refused: %d %s " STR_FMT,
		    v->by->refusal.code, v->by->refusal.enhanced, STR_ARG(v->text));
	else
		steps_add(s, depth, "verdict", place, "not refused%s",
		    v->why.n > 0 ? ", noted in the log" : "");
}

bool
dnsbl_explain(const struct conf *conf, struct lookup *dns, const struct addr *client,
    const struct dnsbl_terms *t, struct dnsbl_entry *found, struct steps *s, unsigned depth,
    struct dnsbl_verdict *v)
{
	const struct conf_dnsbls *c = &conf->dnsbl;
	struct asked q;
	bool late = false;

	for (size_t i = 0; i < c->list_n; i++)
		for (size_t k = 0; k < t->n; k++) {
			bool counted = found[i].answer != 0;

			if ((c->lists[i].of & t->v[k].of) == 0)
				continue;
			ask(dns, &c->lists[i], &t->v[k], &q);
			q.answer.text = arena_str(&s->arena, q.answer.text);
			dnsbl_term_note(c, &t->v[k], c->lists[i].zone, &q.answer, found);
			explain_zone(s, depth, &c->lists[i], &t->v[k], &q,
			    !counted && found[i].answer != 0 ? c->lists[i].weight : 0);
			late = late || q.answer.late;
		}
	*v = dnsbl_judge(c, client, found, &s->arena);
	explain_verdict(conf, s, depth, v);
	return late;
}

/* 1: it would be refused; EX_TEMPFAIL: some list did not answer, and the others let it in. */
static int
explain_all(const struct ctl *t, const struct addr *client, const struct dnsbl_terms *terms,
    struct steps *s)
{
	struct dnsbl_entry *found = mem_array(t->conf->dnsbl.list_n + 1, sizeof(*found));
	struct lookup *dns = lookup_new(t->conf);
	struct dnsbl_verdict v;
	bool late = dnsbl_explain(t->conf, dns, client, terms, found, s, 0, &v);

	lookup_free(dns);
	mem_free(found);
	return v.refused ? 1 : late ? EX_TEMPFAIL : EX_OK;
}

/* The terms of WHAT: of a client, or of whatever a domain may be. */
static bool
terms_of(struct str what, struct dnsbl_terms *terms, struct addr *client, struct arena *a)
{
	bool good = true;

	if (addr_parse(what, 0, client) == 0)
		return dnsbl_terms_add(terms, DNSBL_CLIENT, what, a);
	*client = (struct addr){ .len = 0 };
	for (unsigned of = DNSBL_HELO; of < DNSBL_OF_N; of++)
		good = dnsbl_terms_add(terms, (enum conf_dnsbl_of)of, what, a) && good;
	return good;
}

static int
check(const struct ctl *t, const char *what)
{
	struct dnsbl_terms terms = { .n = 0 };
	struct addr client;
	struct steps s;
	int code = EX_OK;

	steps_init(&s);
	if (!terms_of(str_c(what), &terms, &client, &s.arena)) {
		fprintf(stderr, "%s: this is neither an address nor a domain, expected one such "
		    "as 192.0.2.1 or example.org\n", what);
		code = EX_DATAERR;
	} else if (t->conf->dnsbl.list_n == 0) {
		fputs("dnsbl: there is no section dnsbl\n", stderr);
		code = EX_CONFIG;
	} else if (terms.n > 0) {
		code = explain_all(t, &client, &terms, &s);
	} else {
		steps_add(&s, 0, "verdict", CONF_NOWHERE,
		    "not refused: no list is asked about a private address");
	}
	if (code != EX_DATAERR && code != EX_CONFIG && t->json)
		steps_json(what, &s, stdout);
	else
		steps_print(&s, stdout);
	steps_free(&s);
	return code;
}

/* ---- stop and start ---------------------------------------------------------- */

static int
suspend(struct ctl *t, bool stop, const char *seconds)
{
	struct msg_control *m;
	uint64_t n = 0;
	int code;

	if (seconds != NULL &&
	    (str_u64(str_c(seconds), INT32_MAX, &n) < 0 || n == 0))
		return usage();
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_SERVICE;
	m->domain = STR("dnsbl");
	m->states = stop;
	m->at = n;
	code = ctl_order(t, m);
	mem_free(m);
	return code;
}

int
ctl_dnsbl(struct ctl *t, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";

	if (argc == 2 && strcmp(what, "check") == 0)
		return check(t, argv[1]);
	if (argc <= 2 && strcmp(what, "stop") == 0)
		return suspend(t, true, argc == 2 ? argv[1] : NULL);
	if (argc == 1 && strcmp(what, "start") == 0)
		return suspend(t, false, NULL);
	return usage();
}
