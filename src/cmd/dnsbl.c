/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsbl -- `baridctl dnsbl`: lists of clients in DNS are asked about an
 * address, or nobody asks them for a time.
 *
 * What is decided is what barid-check would decide, by the same function; it
 * is asked anew, whatever that one remembers.
 */

#include "ctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sysexits.h>

#include "check/dnsbl.h"
#include "explain.h"
#include "lib/mem.h"

static int
usage(void)
{
	fputs("dnsbl: usage: baridctl dnsbl check ADDRESS\n"
	    "       baridctl dnsbl stop [SECONDS] | start\n", stderr);
	return EX_USAGE;
}

/* ---- check ------------------------------------------------------------------- */

/* A zone, and what it says of the client. */
struct asked {
	struct dnsbl_answer answer;
	bool lists_all;		/* it has what no list has: it is not believed */
	struct found_host f;	/* the answer as it came */
};

/* F becomes what ZONE has of CLIENT. */
static void
look_up(struct lookup *dns, const char *zone, const struct addr *client, struct found_host *f)
{
	struct buf name;

	*f = (struct found_host){ .name = "" };
	buf_init(&name, sizeof(f->name) - 1);
	dnsbl_add_name(&name, client, zone);
	memcpy(f->name, buf_cstr(&name), name.n + 1);
	buf_free(&name);
	lookup_addr4(dns, f);
}

/* RFC 5782 5. */
static bool
lists_all(struct lookup *dns, const char *zone)
{
	struct found_host f;
	struct addr nobody;

	if (addr_parse(STR("127.0.0.1"), 0, &nobody) < 0)
		return false;
	look_up(dns, zone, &nobody, &f);
	return f.addr_n > 0;
}

static void
ask(struct lookup *dns, const char *zone, const struct addr *client, struct asked *q)
{
	struct dnsbl_answer *a = &q->answer;
	struct found_records text;

	*q = (struct asked){ .answer = { .text = STR("") } };
	look_up(dns, zone, client, &q->f);
	a->late = q->f.status == DNS_TEMPORARY;
	q->lists_all = q->f.addr_n > 0 && lists_all(dns, zone);
	for (size_t i = 0; !q->lists_all && i < q->f.addr_n && a->n < DNSBL_ANSWERS_MAX; i++) {
		uint32_t v;

		memcpy(&v, addr_octets(&q->f.addr[i]), sizeof(v));
		a->v[a->n++] = ntohl(v);
	}
	if (a->n > 0) {
		lookup_txt(dns, q->f.name, &text);
		a->text = text.n > 0 ? text.text[0] : STR("");
	}
}

static void
explain_zone(struct steps *s, unsigned depth, const struct conf_dnsbl *d,
    const struct asked *q)
{
	const struct dnsbl_answer *a = &q->answer;
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < a->n; i++)
		buf_addf(&b, "%s%u.%u.%u.%u%s", i > 0 ? " " : "", a->v[i] >> 24,
		    a->v[i] >> 16 & 255, a->v[i] >> 8 & 255, a->v[i] & 255,
		    dnsbl_is_error(a->v[i]) ? ", which is no entry," : "");
	if (a->late)
		steps_add(s, depth, "list", d->place, "%s does not answer (%s): it counts nothing",
		    d->zone, q->f.reason);
	else if (q->lists_all)
		steps_add(s, depth, "list", d->place, "%s has 127.0.0.1, which no list has: it "
		    "counts nothing", d->zone);
	else if (a->n == 0)
		steps_add(s, depth, "list", d->place, "%s does not have it", d->zone);
	else
		steps_add(s, depth, "list", d->place, "%s answers %s \"" STR_FMT "\": %lld",
		    d->zone, buf_cstr(&b), STR_ARG(str_head(a->text, DNSBL_TEXT_MAX)),
		    dnsbl_has(d, a) ? (long long)d->weight : 0);
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
    struct steps *s, unsigned depth, struct dnsbl_verdict *v)
{
	const struct conf_dnsbls *c = &conf->dnsbl;
	struct dnsbl_answer *answers = mem_array(c->list_n + 1, sizeof(*answers));
	struct asked q;
	bool late = false;

	for (size_t i = 0; i < c->list_n; i++) {
		ask(dns, c->lists[i].zone, client, &q);
		explain_zone(s, depth, &c->lists[i], &q);
		answers[i] = q.answer;
		late = late || q.answer.late;
	}
	*v = dnsbl_judge(c, client, answers, &s->arena);
	explain_verdict(conf, s, depth, v);
	mem_free(answers);
	return late;
}

/* 1: it would be refused; EX_TEMPFAIL: some list did not answer, and the others let it in. */
static int
explain_all(const struct ctl *t, const struct addr *client, struct steps *s)
{
	struct lookup *dns = lookup_new(t->conf);
	struct dnsbl_verdict v;
	bool late = dnsbl_explain(t->conf, dns, client, s, 0, &v);

	lookup_free(dns);
	return v.refused ? 1 : late ? EX_TEMPFAIL : EX_OK;
}

static int
check(const struct ctl *t, const char *address)
{
	struct addr client;
	struct steps s;
	int code = EX_OK;

	if (addr_parse(str_c(address), 0, &client) < 0) {
		fprintf(stderr, "%s: this is no address, expected one such as 192.0.2.1\n",
		    address);
		return EX_DATAERR;
	}
	if (t->conf->dnsbl.list_n == 0) {
		fputs("dnsbl: there is no section dnsbl\n", stderr);
		return EX_CONFIG;
	}
	steps_init(&s);
	if (dnsbl_is_public(&client))
		code = explain_all(t, &client, &s);
	else
		steps_add(&s, 0, "verdict", CONF_NOWHERE,
		    "not refused: no list is asked about a private address");
	if (t->json)
		steps_json(address, &s, stdout);
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
