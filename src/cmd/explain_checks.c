/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_checks -- what checks make of a client and of what it sends: which of
 * them are made, what they find, and what that does to the mail.
 *
 * The same functions decide as in a session (check/refusal.h), and DNS is asked
 * the same, but nothing is remembered: neither what others asked before, nor
 * that somebody came.  What is not known here is said.
 */

#include "explain_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/mem.h"
#include "policy/recipient.h"

/* Names of one client that are looked at, as barid-check does. */
#define NAMES_MAX 5

#define NOTHING ((struct refusal){ .code = 0 })

/* ---- what is said -------------------------------------------------------------- */

void
looked_say(struct looked *k, const char *name, struct conf_place place, const char *what,
    struct refusal r, bool exempt)
{
	if (r.code == 0 || exempt) {
		explain_say(k->x, name, place, "%s%s", what,
		    exempt ? "; the client is exempt" : "");
		return;
	}
	if (k->postmaster) {
		explain_say(k->x, name, place, "%s; others than the postmaster would hear: "
		    "%d %s %s", what, r.code, r.enhanced, r.text);
		return;
	}
	explain_say(k->x, name, place, "%s: %d %s %s", what, r.code, r.enhanced, r.text);
	if (k->refused.code == 0) {
		k->refused = r;
		k->by = name;
	}
}

void
looked_skip(struct looked *k, const char *name, struct conf_place place, const char *why)
{
	explain_say(k->x, name, place, "not looked at: %s", why);
}

/* ---- the client ------------------------------------------------------------------ */

void
explain_listed(struct looked *k, const char *name, const struct dnsbl_terms *t)
{
	struct dnsbl_verdict v;
	struct refusal r = NOTHING;
	bool late;

	late = dnsbl_explain(k->c, k->x->dns, &k->client, t, k->listed, &k->x->steps,
	    k->x->depth + 1, &v);
	k->grey.score = v.score;
	if (v.refused)
		r = (struct refusal){ v.by->refusal.code, v.by->refusal.enhanced,
			arena_cstr(k->a, v.text) };
	k->x->depth++;
	looked_say(k, name, CONF_NOWHERE, v.refused ? "refused" : late ?
	    "not refused; some list does not answer" : "not refused", r, false);
	k->x->depth--;
}

/* What there is to ask lists for before the text; what is no name is not asked. */
static void
say_lists(struct looked *k)
{
	const struct conf_dnsbls *c = &k->c->dnsbl;
	struct dnsbl_terms t = { .n = 0 };

	if ((c->of & 1u << DNSBL_CLIENT) != 0)
		(void)!dnsbl_terms_add(&t, DNSBL_CLIENT, str_c(k->address), k->a);
	if ((c->of & 1u << DNSBL_HELO) != 0)
		(void)!dnsbl_terms_add(&t, DNSBL_HELO, k->helo, k->a);
	if ((c->of & 1u << DNSBL_SENDER) != 0)
		(void)!dnsbl_terms_add(&t, DNSBL_SENDER, k->from->domain, k->a);
	if (t.n == 0) {
		looked_skip(k, "dnsbl", CONF_NOWHERE, c->list_n == 0 ?
		    "there is no section dnsbl" : "no list is asked about that: a private "
		    "address, or no name");
		return;
	}
	explain_say(k->x, "dnsbl", CONF_NOWHERE, "%zu sections dnsbl", c->list_n);
	explain_listed(k, "lists", &t);
}

/* RFC 8601 2.7.3; NAME is the one that leads back, or the first. */
static enum iprev
iprev_of(struct looked *k, const char **name)
{
	struct found_records ptr;
	bool unsure;
	struct buf b;

	*name = "";
	buf_init(&b, 512);
	dnsbl_add_name(&b, &k->client, addr_family(&k->client) == AF_INET ? "in-addr.arpa" :
	    "ip6.arpa");
	lookup_ptr(k->x->dns, buf_cstr(&b), &ptr);
	buf_free(&b);
	unsure = ptr.status == DNS_TEMPORARY;
	for (size_t i = 0; i < ptr.n && i < NAMES_MAX; i++) {
		struct found_host h = { .status = DNS_TEMPORARY };

		buf_init_in(&b, h.name, sizeof(h.name));
		buf_add_lower(&b, ptr.text[i]);
		if (!buf_ok(&b))
			continue;
		lookup_host(k->x->dns, &h);
		unsure = unsure || h.status == DNS_TEMPORARY;
		if (**name == '\0')
			*name = arena_cstr(k->a, str_c(h.name));
		for (size_t n = 0; n < h.addr_n; n++)
			if (addr_same_host(&h.addr[n], &k->client)) {
				*name = arena_cstr(k->a, str_c(h.name));
				return IPREV_PASS;
			}
	}
	return unsure ? IPREV_TEMPERROR : **name == '\0' ? IPREV_PERMERROR : IPREV_FAIL;
}

static void
say_name(struct looked *k)
{
	const struct conf_check_iprev *c = &k->c->check.iprev;
	const char *name, *what = "temperror: DNS does not say";
	enum iprev result;

	if (!c->enabled || !dnsbl_is_public(&k->client)) {
		looked_skip(k, "iprev", c->place, c->enabled ? "a private address has no name "
		    "that counts" : "there is no check \"iprev\"");
		return;
	}
	result = iprev_of(k, &name);
	k->grey.name = access_listed(&c->exempt, &k->client) ? IPREV_PASS : result;
	if (result == IPREV_PASS)
		what = arena_printf(k->a, "pass: %s leads back to it", name);
	else if (result == IPREV_FAIL)
		what = arena_printf(k->a, "fail: %s does not lead back to it", name);
	else if (result == IPREV_PERMERROR)
		what = "permerror: it has no name";
	looked_say(k, "iprev", c->place, what, refusal_iprev(c, result, k->address, k->a),
	    access_listed(&c->exempt, &k->client));
}

/* What DNS has of DOMAIN. */
static struct msg_exists_result
exists(struct looked *k, struct str domain)
{
	struct msg_exists_result r = { EXISTS_UNKNOWN, false };
	struct buf b;

	buf_init(&b, 1024);
	if (idn_add(&b, domain) == NULL && buf_ok(&b))
		r = lookup_exists(k->x->dns, buf_cstr(&b));
	buf_free(&b);
	return r;
}

static const char *
exists_words(bool ours, bool asked, const struct msg_exists_result *r)
{
	if (ours)
		return "that is of ours";
	if (!asked)
		return "DNS is not asked";
	if (r->null_mx)
		return "it says that it takes no mail";
	return r->result == EXISTS_YES ? "it has an address or a mail exchanger" :
	    r->result == EXISTS_NO ? "DNS has neither an address nor a mail exchanger of it" :
				     "DNS does not say";
}

static void
say_helo(struct looked *k)
{
	const struct conf_check_helo *c = &k->c->check.helo;
	const char *own = k->x->listen != NULL && k->x->listen->hostname[0] != '\0' ?
	    k->x->listen->hostname : k->c->hostname;
	struct msg_exists_result r = { EXISTS_UNKNOWN, false };
	bool ours, asked;

	if (!c->enabled || k->helo.n == 0) {
		looked_skip(k, "helo", c->place, c->enabled ?
		    "its name was not given (--helo)" : "there is no check \"helo\"");
		return;
	}
	ours = str_ieq(k->helo, str_c(own)) || conf_is_local(k->c, k->helo);
	asked = !ours && helo_is_asked(c, k->helo);
	if (asked)
		r = exists(k, k->helo);
	k->grey.helo = asked && !access_listed(&c->exempt, &k->client) ? r.result : EXISTS_YES;
	looked_say(k, "helo", c->place, arena_printf(k->a, STR_FMT ": %s", STR_ARG(k->helo),
	    exists_words(ours, asked, &r)), refusal_helo(c, k->helo, ours, r.result),
	    access_listed(&c->exempt, &k->client));
}

static void
say_sender(struct looked *k)
{
	const struct conf_check_sender *c = &k->c->check.sender;
	struct msg_exists_result r = { EXISTS_UNKNOWN, false };
	struct str domain = k->from->domain;
	bool ours = domain.n > 0 && conf_is_local(k->c, domain), asked;

	if (!c->enabled || domain.n == 0) {
		looked_skip(k, "sender", c->place, c->enabled ?
		    "the message has no sender" : "there is no check \"sender\"");
		return;
	}
	asked = !ours && sender_is_asked(c, domain);
	if (asked)
		r = exists(k, domain);
	k->grey.sender = asked && !access_listed(&c->exempt, &k->client) ? r.result : EXISTS_YES;
	looked_say(k, "sender", c->place, arena_printf(k->a, STR_FMT ": %s", STR_ARG(domain),
	    exists_words(ours, asked, &r)), refusal_sender(c, ours, &r),
	    access_listed(&c->exempt, &k->client));
}

/* ---- SPF --------------------------------------------------------------------------- */

static const char *
spf_words(struct looked *k, const struct spf_client *c, bool helo, const struct spf_verdict *v)
{
	struct buf b;
	const char *text;

	buf_init(&b, 4096);
	spf_add_line(&b, c, k->from->domain.n > 0 ? path_str(k->a, k->from) : STR(""), helo, v);
	text = arena_cstr(k->a, buf_str(&b));
	buf_free(&b);
	return text;
}

static void
say_spf(struct looked *k)
{
	const struct conf_check_spf *c = &k->c->check.spf;
	bool has_sender = k->from->domain.n > 0;
	struct spf_client client = { .address = k->client, .helo = k->helo,
		.receiver = str_c(k->c->hostname), .explanation = str_c(c->explanation),
		.local = STR("postmaster"), .domain = k->helo, .now = clock_wall() };

	if (!c->enabled || access_listed(&c->exempt, &k->client)) {
		looked_skip(k, "spf", c->place, c->enabled ? "the client is exempt" :
		    "there is no check \"spf\"");
		return;
	}
	k->spf.checked = true;
	k->spf.helo = (struct spf_verdict){ .code = SPF_NONE, .domain = STR("") };
	if (k->helo.n > 0) {
		lookup_spf(k->x->dns, &client, k->facts, &k->spf.helo);
		if (has_sender)
			explain_say(k->x, "spf", c->place, "%s",
			    spf_words(k, &client, true, &k->spf.helo));
	}
	k->spf.from = k->spf.helo;
	if (has_sender) {
		client.local = k->from->local;
		client.domain = spf_domain(k->from->domain, k->a);
		lookup_spf(k->x->dns, &client, k->facts, &k->spf.from);
	}
	k->grey.spf = k->spf.from.code;
	looked_say(k, "spf", c->place, spf_words(k, &client, !has_sender, &k->spf.from),
	    refusal_spf(c, &k->spf, has_sender, k->a), false);
}

/* ---- greylisting ---------------------------------------------------------------------- */

/* What the table says to that, as often as it is asked: it is a copy of ours.  -1: errno. */
static int64_t
grey_wait(struct looked *k, struct str client)
{
	const struct conf_greylist *g = &k->c->greylist;
	const struct greylist_rules rules = { g->delay / 1000, g->window / 1000, g->keep / 1000,
		g->allow_after };
	int fd = open(arena_printf(k->a, "%s/greylist", k->c->spool),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int64_t wait = -1;
	struct stat st;
	void *p;

	if (fd < 0)
		return -1;
	p = fstat(fd, &st) == 0 && st.st_size == GREYLIST_OCTETS ?
	    mmap(NULL, GREYLIST_OCTETS, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (p != MAP_FAILED) {
		greylist_begin(p);
		wait = greylist_ask(p, &rules, client, path_str(k->a, k->from),
		    path_str(k->a, k->to), clock_wall());
		(void)munmap(p, GREYLIST_OCTETS);
	}
	close(fd);
	return wait;
}

static void
say_known(struct looked *k, const char *why, const char *whom, struct str client)
{
	int64_t wait = grey_wait(k, client);
	struct refusal r = NOTHING;
	const char *what;

	if (wait < 0) {
		explain_say(k->x, "greylist", CONF_NOWHERE, "%s; known by %s; the table cannot "
		    "be read: %s", why, whom, strerror(errno));
		return;
	}
	what = arena_printf(k->a, "%s; known by %s; %s", why, whom, wait == 0 ? "it may come in" :
	    "it is to come again");
	if (wait > 0)
		r = (struct refusal){ 451, "4.7.1", arena_printf(k->a,
		    "Greylisted: come again in %lld seconds", (long long)wait) };
	looked_say(k, "greylist", CONF_NOWHERE, what, r, false);
}

static void
say_greylist(struct looked *k)
{
	const struct conf_greylist *g = &k->c->greylist;
	const char *why = greylist_reason(k->c, &k->grey);
	struct buf b;

	if (!g->enabled)
		looked_skip(k, "greylist", CONF_NOWHERE, "greylist.enabled is not set");
	else if (k->postmaster || k->from->domain.n == 0)
		looked_skip(k, "greylist", CONF_NOWHERE, "nobody is put off who writes to the "
		    "postmaster, or without a sender");
	else if (access_listed(&g->exempt, &k->client))
		looked_skip(k, "greylist", CONF_NOWHERE, "the client is exempt");
	else if (why == NULL)
		looked_skip(k, "greylist", CONF_NOWHERE, "nothing speaks against the client");
	else if (k->spf.checked && k->spf.from.code == SPF_PASS)
		say_known(k, why, arena_printf(k->a, "its domain " STR_FMT " (SPF)",
		    STR_ARG(k->spf.from.domain)), k->spf.from.domain);
	else {
		buf_init(&b, 128);
		greylist_client_add(&b, &k->client);
		say_known(k, why, "its network", buf_str(&b));
		buf_free(&b);
	}
}

/* ---- all of it ------------------------------------------------------------------------- */

static void
say_verdict(struct looked *k)
{
	if (k->refused.code != 0)
		explain_say(k->x, "verdict", CONF_NOWHERE, "refused by %s: %d %s %s", k->by,
		    k->refused.code, k->refused.enhanced, k->refused.text);
	else
		explain_say(k->x, "verdict", CONF_NOWHERE, "no check that was made refuses it");
}

static int
look(struct looked *k, const char *message)
{
	int code;

	explain_say(k->x, "client", CONF_NOWHERE, "%s%s", k->address, k->relays ?
	    " may send anywhere, or submits: it is looked at by servers of spam and viruses alone, "
	    "where \"relayed\" is set" : " is a stranger, who is checked");
	k->x->depth++;
	if (!k->relays) {
		say_lists(k);
		say_name(k);
		say_helo(k);
		say_sender(k);
		say_spf(k);
		say_greylist(k);
	}
	code = explain_text(k, message);
	if (code == EX_OK)
		say_verdict(k);
	k->x->depth--;
	return code;
}

int
explain_checks(struct explain *x, const struct ctl *t, const struct path *p)
{
	const struct path *said = path_is_null(&x->said) ? &x->facts.from : &x->said;
	struct client_facts f = { .authenticated = x->facts.user.n > 0,
		.submission = x->listen != NULL && x->listen->service == SERVICE_SUBMISSION };
	struct conf here = *x->conf;
	struct looked k = { .x = x, .c = &here, .address = t->client,
		.helo = str_c(t->helo != NULL ? t->helo : ""), .from = said, .to = p,
		.postmaster = str_ieq(p->local, STR("postmaster")) };
	struct arena a;
	int code;

	if (addr_parse(str_c(t->client), 0, &k.client) < 0) {
		fprintf(stderr, "%s: this is no address, expected one such as 192.0.2.1\n",
		    t->client);
		return EX_DATAERR;
	}
	if (x->listen != NULL)
		conf_at_listener(x->conf, x->listen, &here);
	f.peer = k.client;
	k.relays = access_may_relay(&here, &f) || f.submission;
	arena_init(&a, 1 << 20);
	k.a = &a;
	k.facts = spf_facts_new();
	k.listed = mem_array(here.dnsbl.list_n + 1, sizeof(*k.listed));
	code = look(&k, t->message);
	spf_facts_free(k.facts);
	mem_free(k.listed);
	arena_free(&a);
	return code;
}
