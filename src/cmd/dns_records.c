/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_records -- `baridctl dns-records`: what DNS should say of a domain, made
 * of the configuration, beside what it does say.
 *
 * Nothing is changed, and no barid need run.  Where a record may be written in
 * more than one way, as SPF may, it is fine if it has what is needed; of what
 * is the owner's to decide (a policy of DMARC) it is enough to be there.
 */

#include "ctl.h"

#include <sysexits.h>

#include "explain.h"
#include "lib/clock.h"
#include "lib/ip_range.h"
#include "lib/json.h"
#include "lib/log.h"
#include "mail/dkim_record.h"
#include "mail/path.h"
#include "net/dkim_key.h"
#include "net/tls.h"

#define RECORDS_MAX 64
#define SMTP_PORT 25
#define STRING_MAX 255
/* Of DKIM, which leaves room for the others. */
#define KEYS_MAX 32

enum state { STATE_OK, STATE_MISSING, STATE_DIFFERS, STATE_UNKNOWN };

static const char *const state_words[] = { "ok", "missing", "differs", "unknown" };

/* A record that should be, and what is known of it. */
struct record {
	const char *name, *type, *value;
	const char *state;
	const char *found;	/* what is there instead, or why nobody knows; or "" */
};

struct records {
	const struct conf *conf;
	const char *domain;
	struct lookup *dns;
	struct arena arena;
	struct record v[RECORDS_MAX];
	size_t n;
	unsigned states;	/* bits: which there were */
};

/* ---- the list --------------------------------------------------------------------- */

static void
add(struct records *r, const char *name, const char *type, const char *value,
    enum state state, const char *found)
{
	if (r->n == RECORDS_MAX)
		panic("dns-records: more than %d records", RECORDS_MAX);
	r->v[r->n++] = (struct record){ name, type, value, state_words[state],
		found };
	r->states |= 1U << state;
}

/* The state of a record of which there is none, or nobody can say. */
static enum state
state_of(enum dns_status s)
{
	return s == DNS_TEMPORARY ? STATE_UNKNOWN : STATE_MISSING;
}

static const char *
under(struct records *r, const char *label)
{
	return arena_printf(&r->arena, "%s.%s", label, r->domain);
}

/* ---- MX and addresses --------------------------------------------------------------- */

static void
add_mx(struct records *r)
{
	struct found *f = arena_alloc(&r->arena, sizeof(*f));
	const char *value = arena_printf(&r->arena, "10 %s.", r->conf->hostname);
	enum state state = STATE_DIFFERS;
	struct buf b;

	lookup_mx(r->dns, r->domain, false, SMTP_PORT, f);
	if (f->status != DNS_OK) {
		add(r, r->domain, "MX", value, state_of(f->status),
		    arena_cstr(&r->arena, str_c(f->reason)));
		return;
	}
	buf_init(&b, 8192);
	for (size_t i = 0; i < f->host_n; i++) {
		buf_addf(&b, "%s%u %s.", i > 0 ? ", " : "", f->host[i].preference,
		    f->host[i].name);
		if (str_ieq(str_c(f->host[i].name), str_c(r->conf->hostname)))
			state = STATE_OK;
	}
	add(r, r->domain, "MX", value, state, state == STATE_OK ? "" :
	    arena_cstr(&r->arena, f->null_mx ? STR("0 .") : buf_str(&b)));
	buf_free(&b);
}

/* This host, to be looked up. */
static struct found_host *
own_host(struct records *r)
{
	struct found_host *h = arena_alloc(&r->arena, sizeof(*h));
	struct str name = str_head(str_c(r->conf->hostname), sizeof(h->name) - 1);

	*h = (struct found_host){ .status = DNS_TEMPORARY };
	memcpy(h->name, name.p, name.n);
	return h;
}

static void
add_host(struct records *r)
{
	struct found_host *h = own_host(r);

	lookup_host(r->dns, h);
	add(r, r->conf->hostname, "A/AAAA", "the addresses of this host",
	    h->status == DNS_OK ? STATE_OK : state_of(h->status),
	    arena_cstr(&r->arena, str_c(h->status == DNS_OK ? "" : h->reason)));
}

/* ---- TXT ------------------------------------------------------------------------------ */

/* True if TEXT has all words that NEEDED has, but for one that ends it ("-all"). */
static bool
has_words(struct str text, struct str needed)
{
	struct str word, other, rest;

	while ((word = str_word(&needed)).n > 0) {
		bool found = str_iends(word, STR("all"));

		for (rest = text; !found && (other = str_word(&rest)).n > 0;)
			found = str_ieq(word, other);
		if (!found)
			return false;
	}
	return true;
}

/* RFC 1035 3.3.14: a record has strings of at most 255 octets. */
static const char *
quoted(struct records *r, const char *value)
{
	struct str rest = str_c(value);
	struct buf b;
	const char *text;

	buf_init(&b, 2 * DKIM_RECORD_MAX);
	do {
		buf_addf(&b, "%s\"" STR_FMT "\"", b.n > 0 ? " " : "",
		    STR_ARG(str_head(rest, STRING_MAX)));
		rest = str_skip(rest, STRING_MAX);
	} while (rest.n > 0);
	text = arena_cstr(&r->arena, buf_str(&b));
	buf_free(&b);
	return text;
}

/*
 * A record of NAME that begins with PREFIX: one, and not more.  FITS, if it is
 * not NULL, says whether it is one of ours.
 */
static void
add_txt(struct records *r, const char *name, const char *prefix, const char *value,
    bool (*fits)(struct str text, struct str needed))
{
	struct found_records *f = arena_alloc(&r->arena, sizeof(*f));
	enum state state;
	const char *found = "";
	struct str text = STR("");
	size_t n = 0;

	lookup_txt(r->dns, name, f);
	for (size_t i = 0; i < f->n; i++)
		if (str_starts(f->text[i], str_c(prefix))) {
			text = f->text[i];
			n++;
		}
	if (f->status != DNS_OK) {
		state = state_of(f->status);
		found = arena_cstr(&r->arena, str_c(f->reason));
	} else if (n != 1) {
		state = n == 0 ? STATE_MISSING : STATE_DIFFERS;
		found = n == 0 ? "other TXT records" :
		    arena_printf(&r->arena, "%zu such records, of which none counts", n);
	} else if (fits != NULL && !fits(text, str_c(value))) {
		state = STATE_DIFFERS;
		found = arena_printf(&r->arena, "\"" STR_FMT "\"", STR_ARG(text));
	} else {
		state = STATE_OK;
	}
	add(r, name, "TXT", quoted(r, value), state, found);
}

static void
add_nets(struct buf *b, const struct conf_nets *nets)
{
	for (size_t i = 0; i < nets->n; i++) {
		buf_adds(b, nets->v[i].family == AF_INET ? " ip4:" : " ip6:");
		ip_range_add(b, &nets->v[i]);
	}
}

/* Mail leaves by the addresses of the MX host, or by those that are configured. */
static void
add_spf(struct records *r)
{
	struct buf b;

	buf_init(&b, 65536);
	buf_adds(&b, "v=spf1 mx");
	add_nets(&b, &r->conf->source.addresses);
	for (size_t i = 0; i < r->conf->pool_n; i++)
		add_nets(&b, &r->conf->pools[i].addresses);
	buf_adds(&b, " -all");
	add_txt(r, r->domain, "v=spf1", arena_cstr(&r->arena, buf_str(&b)), has_words);
	buf_free(&b);
}

static void
add_policies(struct records *r)
{
	const char *postmaster = r->conf->postmaster;

	add_txt(r, under(r, "_dmarc"), "v=DMARC1", arena_printf(&r->arena,
	    "v=DMARC1; p=none; rua=mailto:%s", postmaster), NULL);
	if (r->conf->tls.certificate.n == 0)
		return;
	add_txt(r, under(r, "_mta-sts"), "v=STSv1", "v=STSv1; id=1", NULL);
	add_txt(r, under(r, "_smtp._tls"), "v=TLSRPTv1", arena_printf(&r->arena,
	    "v=TLSRPTv1; rua=mailto:%s", postmaster), NULL);
}

/* ---- DKIM ------------------------------------------------------------------------------ */

/* True if TEXT is a record of the key that NEEDED is one of, and is in force. */
static bool
is_key_of(struct str text, struct str needed)
{
	struct dkim_record is, ours;
	bool read = dkim_record_parse(text, &is) == NULL && !is.late_version;
	bool same = dkim_record_parse(needed, &ours) == NULL && read &&
	    str_eq(is.type, ours.type) && !is.testing &&
	    str_eq(buf_str(&is.key), buf_str(&ours.key));

	dkim_record_free(&is);
	dkim_record_free(&ours);
	return same;
}

static void
add_key(struct records *r, const struct conf_dkim *d)
{
	struct buf error, octets, text;
	struct dkim_key *key;

	buf_init(&error, 8192);
	buf_init(&octets, DKIM_RECORD_MAX);
	buf_init(&text, DKIM_RECORD_MAX);
	key = dkim_key_load(d->key, &error);
	if (key == NULL) {
		fprintf(stderr, "%s\n", buf_cstr(&error));
		r->states |= 1U << STATE_UNKNOWN;
	} else if (dkim_key_public(key, &octets) == 0) {
		dkim_record_add(&text, dkim_key_type(key), buf_str(&octets));
		add_txt(r, arena_printf(&r->arena, "%s._domainkey.%s", d->selector,
		    d->domain), "", arena_cstr(&r->arena, buf_str(&text)), is_key_of);
	}
	dkim_key_free(key);
	buf_free(&text);
	buf_free(&octets);
	buf_free(&error);
}

/* One that no longer signs need not be in DNS. */
static void
add_keys(struct records *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->conf->dkim_n; i++) {
		const struct conf_dkim *d = &r->conf->dkim[i];

		if (str_ieq(str_c(d->domain), str_c(r->domain)) &&
		    d->to > clock_wall() && n++ < KEYS_MAX)
			add_key(r, d);
	}
}

/* ---- TLSA ------------------------------------------------------------------------------ */

static bool
is_key(const struct dns_tlsa *t, const char *hex)
{
	static const char digits[] = "0123456789abcdef";

	if (t->usage != 3 || t->selector != 1 || t->matching != 1 || t->data.n != 32)
		return false;
	for (size_t i = 0; i < 32; i++) {
		unsigned char c = (unsigned char)t->data.p[i];

		if (digits[c >> 4] != hex[2 * i] || digits[c & 15] != hex[2 * i + 1])
			return false;
	}
	return true;
}

static void
add_tlsa(struct records *r, const char *path)
{
	struct found_host *h = own_host(r);
	const char *name = arena_printf(&r->arena, "_%d._tcp.%s", SMTP_PORT,
	    r->conf->hostname);
	char hex[FINGERPRINT_SIZE];
	enum state state = STATE_DIFFERS;
	const char *found = "records of other keys: mail that goes by DANE does not arrive";
	struct buf error;

	buf_init(&error, 1000);
	if (!tls_certificate_key(path, hex, &error)) {
		fprintf(stderr, "%s\n", buf_cstr(&error));
		buf_free(&error);
		r->states |= 1U << STATE_UNKNOWN;
		return;
	}
	buf_free(&error);
	lookup_tlsa(r->dns, h, SMTP_PORT);
	for (size_t i = 0; i < h->tlsa_n; i++)
		if (is_key(&h->tlsas[i], hex))
			state = STATE_OK;
	if (h->tlsa != DNS_OK) {
		state = state_of(h->tlsa);
		found = "";
	} else if (state == STATE_OK) {
		found = h->tlsa_secure ? "" : "without DNSSEC it has no effect";
	}
	add(r, name, "TLSA", arena_printf(&r->arena, "3 1 1 %s", hex), state, found);
}

/* ---- SRV (RFC 6186, RFC 8314 5.1) -------------------------------------------------------- */

static void
add_srv(struct records *r, const char *service, uint16_t port)
{
	struct found_records *f = arena_alloc(&r->arena, sizeof(*f));
	const char *name = arena_printf(&r->arena, "_%s._tcp.%s", service, r->domain);
	const char *host = port > 0 ? r->conf->hostname : "", *found = "";
	const char *value = port > 0 ? arena_printf(&r->arena, "0 1 %u %s.",
	    (unsigned)port, host) : "0 0 0 .";
	enum state state = STATE_DIFFERS;

	lookup_srv(r->dns, name, f);
	for (size_t i = 0; i < f->n; i++) {
		found = arena_printf(&r->arena, "%u %u %u %s.", f->srv[i].priority,
		    f->srv[i].weight, f->srv[i].port, f->srv[i].host);
		if (str_ieq(str_c(f->srv[i].host), str_c(host)) &&
		    (port == 0 || f->srv[i].port == port)) {
			state = STATE_OK;
			found = "";
			break;
		}
	}
	if (f->status != DNS_OK) {
		state = state_of(f->status);
		found = arena_cstr(&r->arena, str_c(f->reason));
	}
	add(r, name, "SRV", value, state, found);
}

/* The first port of a listener of SERVICE with TLS from the start, or not; 0: there is none. */
static uint16_t
port_of(const struct conf *c, enum conf_service service, bool implicit)
{
	for (size_t i = 0; i < c->listen_n; i++) {
		const struct conf_listen *l = &c->listens[i];

		if (l->service == (int)service && l->port.n > 0 &&
		    (l->tls == LISTEN_TLS_IMPLICIT) == implicit)
			return l->port.v[0].first;
	}
	return 0;
}

static void
add_services(struct records *r)
{
	const struct conf *c = r->conf;

	add_srv(r, "submissions", port_of(c, SERVICE_SUBMISSION, true));
	add_srv(r, "submission", port_of(c, SERVICE_SUBMISSION, false));
	add_srv(r, "pop3s", port_of(c, SERVICE_POP3, true));
	add_srv(r, "pop3", port_of(c, SERVICE_POP3, false));
	/* Clients look for these first. */
	add_srv(r, "imaps", 0);
	add_srv(r, "imap", 0);
}

/* ---- output --------------------------------------------------------------------------------- */

static void
print_hints(const struct records *r)
{
	const struct conf *c = r->conf;
	uint16_t out = port_of(c, SERVICE_SUBMISSION, true);
	uint16_t in = port_of(c, SERVICE_POP3, true);

	if (c->tls.certificate.n > 0)
		printf("; https://mta-sts.%s/.well-known/mta-sts.txt should have:\n"
		       ";   version: STSv1, mode: testing, mx: %s, max_age: 86400\n",
		    r->domain, c->hostname);
	if (out > 0 && in > 0)
		printf("; https://autoconfig.%s/mail/config-v1.1.xml and\n"
		       "; https://autodiscover.%s/autodiscover/autodiscover.xml should say:\n"
		       ";   SMTP %s port %u SSL, POP3 %s port %u SSL, user without the domain\n",
		    r->domain, r->domain, c->hostname, (unsigned)out, c->hostname,
		    (unsigned)in);
}

static void
print(const struct records *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct record *v = &r->v[i];

		printf("%s.\tIN %s\t%s\t; %s%s", v->name, v->type, v->value, v->state,
		    v->found[0] != '\0' ? ": " : "");
		/* Other people's records are escaped as in the log. */
		steps_print_safe(stdout, v->found);
		fputc('\n', stdout);
	}
	print_hints(r);
}

static void
print_json(const struct records *r)
{
	struct json *o = json_new_object(), *list = json_new_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct record *v = &r->v[i];
		struct json *one = json_new_object();

		json_set_text(one, "name", str_c(v->name));
		json_set_text(one, "type", str_c(v->type));
		json_set_text(one, "value", str_c(v->value));
		json_set_text(one, "state", str_c(v->state));
		json_set_text(one, "found", str_c(v->found));
		json_add(list, one);
	}
	json_set_text(o, "domain", str_c(r->domain));
	json_set(o, "records", list);
	json_print(o, JSON_FOR_EYES, stdout);
}

static int
exit_code(const struct records *r)
{
	if (r->states & (1U << STATE_MISSING | 1U << STATE_DIFFERS))
		return 1;
	return r->states & 1U << STATE_UNKNOWN ? EX_TEMPFAIL : EX_OK;
}

static void
add_all(struct records *r)
{
	bool starttls = false;

	add_mx(r);
	add_host(r);
	add_spf(r);
	add_policies(r);
	add_keys(r);
	for (size_t i = 0; i < r->conf->listen_n; i++)
		starttls = starttls || (r->conf->listens[i].service == SERVICE_SMTP &&
		    r->conf->listens[i].tls != LISTEN_TLS_OFF);
	for (size_t i = 0; starttls && i < r->conf->tls.certificate.n; i++)
		add_tlsa(r, r->conf->tls.certificate.v[i]);
	add_services(r);
}

int
ctl_dns_records(struct ctl *t, int argc, char **argv)
{
	struct records *r;
	struct arena a;
	int code;

	if (argc != 1)
		return ctl_usage();
	if (!domain_valid(str_c(argv[0]))) {
		fprintf(stderr, "%s is no domain\n", argv[0]);
		return EX_DATAERR;
	}
	arena_init(&a, 4 << 20);
	r = arena_alloc(&a, sizeof(*r));
	*r = (struct records){ .conf = t->conf, .domain = argv[0],
		.dns = lookup_new(t->conf) };
	arena_init(&r->arena, 16 << 20);
	add_all(r);
	if (t->json)
		print_json(r);
	else
		print(r);
	code = exit_code(r);
	lookup_free(r->dns);
	arena_free(&r->arena);
	arena_free(&a);
	return code;
}
