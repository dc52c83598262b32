/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * name -- whether a client has a name (RFC 8601 2.7.3), and a name somebody
 * behind it.
 *
 * All questions of one inquiry are asked at once, but for the addresses of the
 * names that a client has, and within one time.  What DNS says for certain is
 * kept for a while.
 */

#include "checkd.h"

#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg_name.h"
#include "lib/clock.h"
#include "lib/mem.h"

#define TIME_MS 5000
#define KEEP_MS (300 * 1000)
/* Names of one client that are looked at; RFC 7208 has twice as many, but asks less often. */
#define NAMES_MAX 5
#define NAME_SIZE 256

struct inquiry {
	struct checkd *d;
	char *key;		/* "iprev ADDRESS", "exists DOMAIN", "is-there DOMAIN" */
	struct addr client;
	bool is_client;
	struct loop_timer *timer;
	struct waiter waiter;
	size_t pending;		/* questions that DNS has */
	bool unsure;		/* DNS did not say something */
	/* Of a client. */
	char name[NAME_SIZE];	/* the first that it has, or the one that leads back */
	bool confirmed;
	/* Of a name. */
	bool found, null_mx;
};

/* A name of a client that is being looked up. */
struct candidate {
	struct inquiry *i;
	char name[NAME_SIZE];
};

/* ---- the answer ----------------------------------------------------------------------- */

static void
format(const struct inquiry *i, struct buf *b)
{
	struct msg_iprev_result r = { IPREV_PERMERROR, str_c(i->name) };
	struct msg_exists_result e = { EXISTS_NO, i->null_mx };

	if (i->confirmed)
		r.result = IPREV_PASS;
	else if (i->unsure)
		r.result = IPREV_TEMPERROR;
	else if (i->name[0] != '\0')
		r.result = IPREV_FAIL;
	if (i->found)
		e.result = EXISTS_YES;
	else if (i->unsure)
		e.result = EXISTS_UNKNOWN;
	if (i->is_client)
		msg_iprev_result_put(b, &r);
	else
		msg_exists_result_put(b, &e);
}

static void
finish(struct inquiry *i)
{
	struct buf b;

	if (i->waiter.fd < 0)
		return;
	i->unsure = i->unsure || (i->pending > 0 && !i->confirmed);
	buf_init(&b, FRAME_MAX);
	format(i, &b);
	if (!i->unsure)
		answers_put(i->d->texts, str_c(i->key), buf_str(&b), clock_ms() + KEEP_MS);
	waiter_answer(&i->waiter, buf_str(&b));
	buf_free(&b);
	place_end(i->d, PLACE_NAMES);
}

/* Answers if all is there; the inquiry lives until DNS has nothing of it. */
static void
settle(struct inquiry *i)
{
	if (i->confirmed)
		finish(i);
	if (i->pending > 0)
		return;
	finish(i);
	place_forget(i->d, PLACE_NAMES);
	loop_timer_free(i->timer);
	mem_free(i->key);
	mem_free(i);
}

static void
on_time(void *arg)
{
	finish(arg);
}

static void
on_gone(void *arg)
{
	struct inquiry *i = arg;

	waiter_close(&i->waiter);
	place_end(i->d, PLACE_NAMES);
	settle(i);
}

/* ---- the name of a client ----------------------------------------------------------------- */

static void
on_addresses(void *arg, const struct dns_addr_answer *a)
{
	struct candidate *c = arg;
	struct inquiry *i = c->i;

	i->pending--;
	i->unsure = i->unsure || a->status == DNS_TEMPORARY;
	for (size_t k = 0; a->status == DNS_OK && k < a->addr_n && !i->confirmed; k++)
		if (addr_same_host(&a->addr[k], &i->client)) {
			i->confirmed = true;
			memcpy(i->name, c->name, sizeof(i->name));
		}
	mem_free(c);
	settle(i);
}

static void
on_names(void *arg, const struct dns_ptr_answer *a)
{
	struct inquiry *i = arg;

	i->unsure = a->status == DNS_TEMPORARY;
	for (size_t k = 0; a->status == DNS_OK && k < a->name_n && k < NAMES_MAX; k++) {
		struct candidate *c = mem_alloc(sizeof(*c));
		struct buf b;

		*c = (struct candidate){ .i = i };
		buf_init_in(&b, c->name, sizeof(c->name));
		buf_add_lower(&b, str_c(a->name[k]));
		if (!buf_ok(&b)) {
			mem_free(c);
			continue;
		}
		if (i->name[0] == '\0')
			memcpy(i->name, c->name, sizeof(i->name));
		i->pending++;
		dns_addr(i->d->dns, c->name, on_addresses, c);
	}
	/* The names were asked for before this one is taken off. */
	i->pending--;
	settle(i);
}

/* ---- somebody behind a name ------------------------------------------------------------------ */

static void
on_hosts(void *arg, const struct dns_mx_answer *a)
{
	struct inquiry *i = arg;

	i->pending--;
	i->unsure = i->unsure || a->status == DNS_TEMPORARY;
	if (a->status == DNS_OK && a->mx_n > 0) {
		i->found = true;
		i->null_mx = a->mx_n == 1 && a->mx[0].host[0] == '\0';
	}
	settle(i);
}

static void
on_own(void *arg, const struct dns_addr_answer *a)
{
	struct inquiry *i = arg;

	i->pending--;
	i->unsure = i->unsure || a->status == DNS_TEMPORARY;
	i->found = i->found || (a->status == DNS_OK && a->addr_n > 0);
	settle(i);
}

/* RFC 8020: whatever there is of it, but not that there is nothing. */
static void
on_anything(void *arg, const struct dns_txt_answer *a)
{
	struct inquiry *i = arg;

	i->pending--;
	i->unsure = a->status == DNS_TEMPORARY;
	i->found = a->status == DNS_OK || a->status == DNS_NO_DATA;
	settle(i);
}

/* ---- the questions --------------------------------------------------------------------------- */

/* NULL: there is an answer already, which was sent. */
static struct inquiry *
begin(struct checkd *d, struct str key, int reply)
{
	struct str known = answers_get(d->texts, key, clock_ms());
	struct inquiry *i;

	if (known.n > 0) {
		question_answer(reply, known);
		return NULL;
	}
	i = mem_alloc(sizeof(*i));
	*i = (struct inquiry){ .d = d, .key = mem_dup(key) };
	waiter_open(&i->waiter, d, reply, on_gone, i);
	i->timer = loop_timer_new(d->loop, on_time, i);
	loop_timer_set(i->timer, TIME_MS);
	place_begin(d, PLACE_NAMES);
	return i;
}

static void
broken(int reply)
{
	channel_complain("a question for a name");
	close(reply);
}

void
iprev_take(struct checkd *d, struct str packet, int reply)
{
	struct inquiry *i;
	struct msg_iprev m;
	struct addr client;
	struct buf b;

	if (!msg_iprev_get(packet, &m) || addr_parse(m.address, 0, &client) < 0) {
		broken(reply);
		return;
	}
	buf_init(&b, 512);
	buf_adds(&b, "iprev ");
	addr_add(&b, &client);
	if ((i = begin(d, buf_str(&b), reply)) != NULL) {
		i->is_client = true;
		i->client = client;
		buf_reset(&b);
		dnsbl_add_name(&b, &client, addr_family(&client) == AF_INET ?
		    "in-addr.arpa" : "ip6.arpa");
		i->pending = 1;
		dns_ptr(d->dns, buf_cstr(&b), on_names, i);
	}
	buf_free(&b);
}

/* What is asked of DNS about DOMAIN, as M has it. */
static void
ask_exists(struct checkd *d, struct inquiry *i, const char *domain, const struct msg_exists *m)
{
	struct addr own;

	/* An address is no name, and would have itself. */
	if (addr_parse(str_c(domain), 0, &own) == 0) {
		settle(i);
	} else if (m->at_all) {
		i->pending = 1;
		dns_txt(d->dns, domain, on_anything, i);
	} else {
		i->pending = 2;
		dns_mx(d->dns, domain, on_hosts, i);
		dns_addr(d->dns, domain, on_own, i);
	}
}

void
exists_take(struct checkd *d, struct str packet, int reply)
{
	struct inquiry *i;
	struct msg_exists m;
	struct buf b;
	size_t at;

	if (!msg_exists_get(packet, &m)) {
		broken(reply);
		return;
	}
	buf_init(&b, 512);
	buf_adds(&b, m.at_all ? "is-there " : "exists ");
	at = b.n;
	buf_add_lower(&b, m.domain);
	if ((i = begin(d, buf_str(&b), reply)) != NULL)
		ask_exists(d, i, buf_cstr(&b) + at, &m);
	buf_free(&b);
}
