/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dns_answer -- what a DNS answer says, from its octets.
 *
 * An answer is walked once for each alias and once for the records: they
 * count only under the name that was asked for, or the one that its aliases
 * lead to.  A name's pointers lead only backwards, so that no answer can
 * send us in circles (RFC 1035 4.1.4).  A name that is no host name is read
 * and never handed on: nothing foreign gets into a path or a header.
 */

#include "dns_answer.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "lib/log.h"

#define NAME_MAX_OCTETS 255
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_PTR 12
#define TYPE_MX 15
#define TYPE_TXT 16
#define TYPE_AAAA 28
#define TYPE_SRV 33
#define TYPE_TLSA 52
#define CLASS_IN 1

struct name {
	char text[NAME_MAX_OCTETS + 1];	/* without the final dot; "": the root */
	bool host;		/* false: TEXT is not to be used */
};

struct walk {
	const unsigned char *p;
	size_t n, at;
	unsigned left;		/* records still to come */
	bool broken;
};

struct rr {
	struct name owner;
	unsigned type;
	uint32_t ttl;
	size_t at, n;		/* where its data is */
};

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static bool
is_host_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool
is_name(struct str s, bool host)
{
	size_t label = 0;

	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (++label > 63 || s.p[i] == '\0' ||
		    (host && !is_host_char((unsigned char)s.p[i]))) {
			return false;
		}
	}
	return label > 0;
}

bool
dns_is_host(struct str s)
{
	return is_name(s, true);
}

bool
dns_is_name(struct str s)
{
	return is_name(s, false);
}

/* Adds a label to OUT, which has N octets; the new number. */
static size_t
add_label(struct name *out, size_t n, const unsigned char *label, size_t label_n)
{
	if (n > 0)
		out->text[n++] = '.';
	for (size_t i = 0; i < label_n; i++) {
		if (!is_host_char(label[i]))
			out->host = false;
		out->text[n++] = is_host_char(label[i]) ? (char)label[i] : '?';
	}
	return n;
}

/*
 * Reads the name at *AT, which must end before END where it stands; *AT is
 * then behind it.  False if it is none.
 */
static bool
get_name(const struct walk *w, size_t *at, size_t end, struct name *out)
{
	size_t here = *at, limit = end, lowest = *at, n = 0;
	bool jumped = false;

	out->host = true;
	for (;;) {
		unsigned c;

		if (here >= limit)
			return false;
		c = w->p[here];
		if (c >= 0xc0) {
			if (limit - here < 2)
				return false;
			if (!jumped)
				*at = here + 2;
			jumped = true;
			here = get16(w->p + here) & 0x3fff;
			/* Only back, and each time further. */
			if (here >= lowest)
				return false;
			lowest = here;
			limit = w->n;
			continue;
		}
		if (c > 63 || limit - here < 1 + c)
			return false;
		if (c == 0)
			break;
		/* With its dot; the root's octet makes RFC 1035's 255. */
		if (n + (n > 0) + c > NAME_MAX_OCTETS - 2)
			return false;
		n = add_label(out, n, w->p + here + 1, c);
		here += 1 + c;
	}
	out->text[n] = '\0';
	if (!jumped)
		*at = here + 1;
	return true;
}

static bool
walk_open(struct walk *w, struct str packet)
{
	struct name ignored;
	unsigned questions;

	*w = (struct walk){ .p = (const unsigned char *)packet.p, .n = packet.n,
		.at = 12, .broken = true };
	if (packet.n < 12)
		return false;
	questions = get16(w->p + 4);
	w->left = get16(w->p + 6);
	if (questions > 1)
		return false;
	if (questions == 1) {
		if (!get_name(w, &w->at, w->n, &ignored) || w->n - w->at < 4)
			return false;
		w->at += 4;
	}
	if (w->left > DNS_RR_MAX)
		w->left = DNS_RR_MAX;
	w->broken = false;
	return true;
}

/* RFC 1035 4.1.1: NXDOMAIN is an answer; another RCODE is none. */
enum { RCODE_OK, RCODE_NXDOMAIN = 3 };

static unsigned
rcode_of(struct str packet)
{
	return packet.n > 3 ? packet.p[3] & 0x0f : RCODE_OK;
}

/* RFC 4035 3.2.3: the server has verified all of it. */
static bool
has_ad(struct str packet)
{
	return packet.n > 3 && (packet.p[3] & 0x20) != 0;
}

/* What it means that there were N records of the kind that was asked for. */
static enum dns_status
status_of(struct str packet, size_t n)
{
	if (rcode_of(packet) == RCODE_NXDOMAIN)
		return DNS_NO_NAME;
	return n > 0 ? DNS_OK : DNS_NO_DATA;
}

static const char *
reason_of(enum dns_status status, const char *no_data)
{
	switch (status) {
	case DNS_OK:
		return NULL;
	case DNS_NO_NAME:
		return "no such name";
	case DNS_NO_DATA:
		return no_data;
	case DNS_TEMPORARY:
		break;
	}
	return "broken answer";
}

static bool
get_rr(struct walk *w, struct rr *rr, unsigned *class)
{
	const unsigned char *p;

	if (!get_name(w, &w->at, w->n, &rr->owner) || w->n - w->at < 10)
		return false;
	p = w->p + w->at;
	rr->type = get16(p);
	*class = get16(p + 2);
	rr->ttl = (uint32_t)get16(p + 4) << 16 | get16(p + 6);
	/* RFC 2181 8: with its highest bit set it is to be taken as 0. */
	if (rr->ttl > INT32_MAX)
		rr->ttl = 0;
	rr->n = get16(p + 8);
	rr->at = w->at + 10;
	if (rr->n > w->n - rr->at)
		return false;
	w->at = rr->at + rr->n;
	return true;
}

/* The next record of the Internet class; false at the end, or if W is broken. */
static bool
walk_next(struct walk *w, struct rr *rr)
{
	unsigned class = 0;

	while (!w->broken && w->left > 0) {
		w->left--;
		if (!get_rr(w, rr, &class))
			w->broken = true;
		else if (class == CLASS_IN)
			return true;
	}
	return false;
}

/* The name that is all of the record's data but the first SKIP octets. */
static bool
rr_name(const struct walk *w, const struct rr *rr, size_t skip, struct name *out)
{
	size_t at = rr->at + skip, end = rr->at + rr->n;

	return rr->n > skip && get_name(w, &at, end, out) && at == end;
}

/* Of names that are no hosts' all other octets count as one. */
static bool
owns(const struct rr *rr, const struct name *name)
{
	return rr->owner.host == name->host &&
	    str_ieq(str_c(rr->owner.text), str_c(name->text));
}

static void
lower_ttl(uint32_t *ttl, const struct rr *rr)
{
	if (rr->ttl < *ttl)
		*ttl = rr->ttl;
}

/* ---- aliases ----------------------------------------------------------------- */

/* The alias of AT in the answer, into AT itself; false: there is none.  ANY: also no host. */
static bool
one_alias(struct walk w, struct name *at, bool any, uint32_t *ttl, bool *broken)
{
	struct rr rr;

	while (walk_next(&w, &rr)) {
		if (rr.type != TYPE_CNAME || !owns(&rr, at))
			continue;
		lower_ttl(ttl, &rr);
		*broken = !rr_name(&w, &rr, 0, at) || (!at->host && !any) ||
		    at->text[0] == '\0';
		return !*broken;
	}
	*broken = w.broken;
	return false;
}

/* S as a name of an answer is kept. */
static void
name_from(struct name *to, struct str s)
{
	to->host = true;
	for (size_t i = 0; i < s.n; i++) {
		bool plain = s.p[i] == '.' || is_host_char((unsigned char)s.p[i]);

		to->text[i] = plain ? s.p[i] : '?';
		to->host = to->host && plain;
	}
	to->text[s.n] = '\0';
}

/*
 * Opens W and follows the aliases of NAME to the name AT, which without ANY is to be
 * one of a host.  NULL, or the reason why that is not possible.
 */
static const char *
follow(struct walk *w, struct str packet, const char *name, bool any, struct name *at,
    uint32_t *ttl)
{
	struct str s = str_head(str_c(name), NAME_MAX_OCTETS);
	bool broken = false;
	unsigned n = 0;

	*ttl = UINT32_MAX;
	name_from(at, s);
	if (!walk_open(w, packet))
		return "broken answer";
	if (rcode_of(packet) != RCODE_OK &&
	    rcode_of(packet) != RCODE_NXDOMAIN)
		return "the DNS server has a failure";
	while (one_alias(*w, at, any, ttl, &broken))
		if (++n > DNS_ALIAS_MAX)
			return "too many aliases";
	return broken ? "broken answer" : NULL;
}

/* ---- the records of one type --------------------------------------------------- */

struct reading {
	struct str packet;
	struct name at;		/* where aliases led to */
	struct walk w;
	uint32_t ttl;		/* the lowest that there was */
	const char *reason;	/* why nothing counts, or NULL */
};

/* How it ended. */
struct ending {
	enum dns_status status;
	const char *reason;
	size_t n;		/* of its records that count */
	uint32_t ttl;
	bool secure;
};

static void
read_begin(struct reading *r, struct str packet, const char *name, bool any)
{
	r->packet = packet;
	r->reason = follow(&r->w, packet, name, any, &r->at, &r->ttl);
}

/* The next record of TYPE; false at the end, or once there is a reason. */
static bool
read_next(struct reading *r, unsigned type, struct rr *rr)
{
	while (!r->reason && walk_next(&r->w, rr)) {
		if (rr->type != type || !owns(rr, &r->at))
			continue;
		lower_ttl(&r->ttl, rr);
		return true;
	}
	return false;
}

/* How many of TYPE are to come. */
static size_t
count_next(struct reading r, unsigned type)
{
	struct rr rr;
	size_t n = 0;

	while (read_next(&r, type, &rr))
		n++;
	return n;
}

/* After N records; NO_DATA says that there is none. */
static struct ending
read_end(const struct reading *r, size_t n, const char *no_data)
{
	struct ending e = { .status = DNS_TEMPORARY, .reason = r->reason,
		.secure = has_ad(r->packet) };

	if (!e.reason && r->w.broken)
		e.reason = "broken answer";
	if (e.reason)
		return e;
	e.status = status_of(r->packet, n);
	e.reason = reason_of(e.status, no_data);
	e.n = e.status == DNS_OK ? n : 0;
	e.ttl = r->ttl == UINT32_MAX ? 0 : r->ttl;
	return e;
}

/* The name that aliases of NAME led to, or NULL. */
static const char *
canonical_of(const struct reading *r, const struct ending *e, const char *name,
    struct arena *arena)
{
	struct str end = str_c(r->at.text);

	if (e->status == DNS_TEMPORARY || !r->at.host || str_ieq(end, str_c(name)))
		return NULL;
	return arena_cstr(arena, end);
}

/* ---- MX ----------------------------------------------------------------------- */

static int
by_preference(const void *va, const void *vb)
{
	const struct dns_mx *a = va, *b = vb;

	return (a->preference > b->preference) - (a->preference < b->preference);
}

/* True if it can be asked for: "1.2.3.4" is a mistake, RFC 5321 5.1 wants a name. */
static bool
is_host_name(const struct name *n)
{
	struct str s = str_c(n->text);
	struct addr a;

	return n->host && dns_is_host(s) && addr_parse(s, 0, &a) < 0;
}

/*
 * Where a host of PREFERENCE is kept: of too many the best are.  NULL: it
 * is none of them.
 */
static struct dns_mx *
mx_place(struct dns_mx *mx, size_t *n, unsigned preference)
{
	struct dns_mx *worst = mx;

	if (*n < DNS_MX_MAX) {
		worst = &mx[(*n)++];
	} else {
		for (size_t i = 1; i < *n; i++)
			if (mx[i].preference > worst->preference)
				worst = &mx[i];
		if (worst->preference <= preference)
			return NULL;
	}
	worst->preference = (uint16_t)preference;
	return worst;
}

void
dns_answer_mx(struct str packet, const char *name, struct arena *arena,
    struct dns_mx_answer *a)
{
	struct dns_mx *mx = arena_alloc(arena, DNS_MX_MAX * sizeof(*mx)), *m;
	size_t n = 0, ignored = 0;
	struct name host;
	struct reading r;
	struct ending e;
	struct rr rr;

	read_begin(&r, packet, name, false);
	while (read_next(&r, TYPE_MX, &rr)) {
		if (!rr_name(&r.w, &rr, 2, &host)) {
			r.reason = "broken MX record";
		} else if (host.text[0] != '\0' && !is_host_name(&host)) {
			log_info(NULL, "dns: MX of %s ignored: no host name: %s",
			    name, host.text);
			ignored++;
		} else if ((m = mx_place(mx, &n, get16(r.w.p + rr.at)))) {
			m->host = arena_cstr(arena, str_c(host.text));
		}
	}
	if (!r.reason && !r.w.broken && n == 0 && ignored > 0)
		r.reason = "no MX record with a host name";
	qsort(mx, n, sizeof(*mx), by_preference);
	e = read_end(&r, n, "no MX record");
	*a = (struct dns_mx_answer){ .status = e.status, .reason = e.reason,
		.mx = mx, .mx_n = e.n, .ttl = e.ttl, .secure = e.secure,
		.canonical = canonical_of(&r, &e, name, arena) };
}

/* ---- addresses ------------------------------------------------------------------ */

void
dns_answer_addr(struct str packet, const char *name, int family,
    struct arena *arena, struct dns_addr_answer *a)
{
	unsigned type = family == AF_INET6 ? TYPE_AAAA : TYPE_A;
	size_t n = 0, octets = family == AF_INET6 ? 16 : 4;
	struct addr *addr;
	struct reading r;
	struct ending e;
	struct rr rr;

	read_begin(&r, packet, name, false);
	addr = arena_alloc(arena, count_next(r, type) * sizeof(*addr));
	while (read_next(&r, type, &rr)) {
		if (rr.n != octets)
			r.reason = "broken address record";
		else
			addr[n++] = addr_from(family, r.w.p + rr.at, 0);
	}
	e = read_end(&r, n, "no address record");
	*a = (struct dns_addr_answer){ .status = e.status, .reason = e.reason,
		.addr = addr, .addr_n = e.n, .ttl = e.ttl, .secure = e.secure,
		.canonical = canonical_of(&r, &e, name, arena) };
}

/* ---- TXT ------------------------------------------------------------------------ */

/* The strings of the record as one, into OUT; false if they are broken. */
static bool
put_together(const struct walk *w, const struct rr *rr, struct arena *arena,
    struct str *out)
{
	const unsigned char *p = w->p + rr->at;
	char *text = arena_alloc(arena, rr->n + 1);
	size_t n = 0;

	/* RFC 1035 3.3.14: one or more. */
	if (rr->n == 0)
		return false;
	for (size_t at = 0; at < rr->n; at += 1 + (size_t)p[at]) {
		if (p[at] > rr->n - at - 1)
			return false;
		memcpy(text + n, p + at + 1, p[at]);
		n += p[at];
	}
	*out = str_n(text, n);
	return true;
}

void
dns_answer_txt(struct str packet, const char *name, struct arena *arena,
    struct dns_txt_answer *a)
{
	struct reading r;
	struct ending e;
	struct str *text;
	struct rr rr;
	size_t n = 0;

	/* The name is handed on to nobody, and may have any octets. */
	read_begin(&r, packet, name, true);
	text = arena_alloc(arena, count_next(r, TYPE_TXT) * sizeof(*text));
	while (read_next(&r, TYPE_TXT, &rr))
		if (!put_together(&r.w, &rr, arena, &text[n++]))
			r.reason = "broken TXT record";
	e = read_end(&r, n, "no TXT record");
	*a = (struct dns_txt_answer){ .status = e.status, .reason = e.reason,
		.text = text, .text_n = e.n, .ttl = e.ttl, .secure = e.secure };
}

/* ---- PTR ------------------------------------------------------------------------ */

void
dns_answer_ptr(struct str packet, const char *name, struct arena *arena,
    struct dns_ptr_answer *a)
{
	const char **names = arena_alloc(arena, DNS_PTR_MAX * sizeof(*names));
	struct name host;
	struct reading r;
	struct ending e;
	struct rr rr;
	size_t n = 0;

	/* RFC 2317 4: "9.0/25.2.0.192.in-addr.arpa" is as good as any other name. */
	read_begin(&r, packet, name, true);
	while (read_next(&r, TYPE_PTR, &rr)) {
		if (!rr_name(&r.w, &rr, 0, &host))
			r.reason = "broken PTR record";
		else if (n < DNS_PTR_MAX && is_host_name(&host))
			names[n++] = arena_cstr(arena, str_c(host.text));
	}
	e = read_end(&r, n, "no PTR record with a host name");
	*a = (struct dns_ptr_answer){ .status = e.status, .reason = e.reason,
		.name = names, .name_n = e.n, .ttl = e.ttl, .secure = e.secure };
}

/* ---- TLSA ------------------------------------------------------------------------ */

/* RFC 6698 2.1: three octets, and data behind them. */
#define TLSA_HEAD 3

void
dns_answer_tlsa(struct str packet, const char *name, struct arena *arena,
    struct dns_tlsa_answer *a)
{
	struct dns_tlsa *tlsa = arena_alloc(arena, DNS_TLSA_MAX * sizeof(*tlsa));
	const unsigned char *p;
	struct reading r;
	struct ending e;
	struct rr rr;
	size_t n = 0;

	read_begin(&r, packet, name, false);
	while (read_next(&r, TYPE_TLSA, &rr)) {
		p = r.w.p + rr.at;
		if (rr.n <= TLSA_HEAD)
			r.reason = "broken TLSA record";
		else if (n < DNS_TLSA_MAX)
			tlsa[n++] = (struct dns_tlsa){ p[0], p[1], p[2],
				arena_str(arena,
				    str_n((const char *)p + TLSA_HEAD,
					rr.n - TLSA_HEAD)) };
	}
	e = read_end(&r, n, "no TLSA record");
	*a = (struct dns_tlsa_answer){ .status = e.status, .reason = e.reason,
		.tlsa = tlsa, .tlsa_n = e.n, .ttl = e.ttl, .secure = e.secure };
}

/* ---- SRV ------------------------------------------------------------------------- */

/* RFC 2782: three numbers, and a name behind them. */
#define SRV_HEAD 6

void
dns_answer_srv(struct str packet, const char *name, struct arena *arena,
    struct dns_srv_answer *a)
{
	struct dns_srv *srv = arena_alloc(arena, DNS_SRV_MAX * sizeof(*srv));
	const unsigned char *p;
	struct name host;
	struct reading r;
	struct ending e;
	struct rr rr;
	size_t n = 0;

	read_begin(&r, packet, name, false);
	while (read_next(&r, TYPE_SRV, &rr)) {
		p = r.w.p + rr.at;
		if (!rr_name(&r.w, &rr, SRV_HEAD, &host) || !host.host)
			r.reason = "broken SRV record";
		else if (n < DNS_SRV_MAX)
			srv[n++] = (struct dns_srv){ (uint16_t)get16(p),
				(uint16_t)get16(p + 2), (uint16_t)get16(p + 4),
				arena_cstr(arena, str_c(host.text)) };
	}
	e = read_end(&r, n, "no SRV record");
	*a = (struct dns_srv_answer){ .status = e.status, .reason = e.reason,
		.srv = srv, .srv_n = e.n, .ttl = e.ttl, .secure = e.secure };
}

/* ---- one alias ------------------------------------------------------------------- */

void
dns_answer_alias(struct str packet, const char *name,
    struct dns_alias_answer *a)
{
	struct name at;
	struct walk w;
	uint32_t ttl;
	const char *reason = follow(&w, packet, name, false, &at, &ttl);
	bool found = !reason && at.host && !str_ieq(str_c(at.text), str_c(name));

	*a = (struct dns_alias_answer){ .status = DNS_TEMPORARY,
		.reason = reason, .secure = has_ad(packet) };
	if (reason)
		return;
	a->status = status_of(packet, found ? 1 : 0);
	a->reason = reason_of(a->status, "no CNAME record");
	a->ttl = found ? ttl : 0;
}
