/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check -- what the table can not say: defaults that depend on the system
 * or on other options, and mistakes that lie between options.
 *
 * All of it is looked at, so that one run shows all mistakes.  Files,
 * users and names are not looked up: a configuration that is right on one
 * machine is right on another.  Listeners and routes have files of their
 * own.
 */

#include <unistd.h>

#include "lib/idn.h"

#include "private.h"
#include "recipients.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

static const char *const mailbox_words[] = { "file", "system", "any", NULL };

static const char *const syslog_facilities[] = { "mail", "daemon", "user",
	"auth", "local0", "local1", "local2", "local3", "local4", "local5",
	"local6", "local7", NULL };

static bool
is_one_of(const char *const *words, struct str s)
{
	for (; *words; words++)
		if (str_eq(str_c(*words), s))
			return true;
	return false;
}

static const char *
system_hostname(struct arena *a)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0 ||
	    !conf_name_is_host(str_c(name)))
		return "localhost";
	return arena_cstr(a, str_c(name));
}

static const char *
default_postmaster(struct conf *c)
{
	return arena_printf(&c->arena, "postmaster@%s",
	    c->domains.n ? c->domains.v[0] : c->hostname);
}

void
conf_domains_finish(struct conf *c, struct conf_strs *domains)
{
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	for (size_t i = 0; i < domains->n; i++) {
		buf_reset(&b);
		if (idn_add(&b, str_c(domains->v[i])) == NULL && buf_ok(&b))
			domains->v[i] = arena_cstr(&c->arena, buf_str(&b));
	}
	buf_free(&b);
}

static void
finish_notify(struct conf_dsn *d)
{
	for (size_t i = 0; i < d->notify.n; i++) {
		struct str word = str_c(d->notify.v[i]);

		d->success = d->success || str_eq(word, STR("success"));
		d->failure = d->failure || str_eq(word, STR("failure"));
		d->delay = d->delay || str_eq(word, STR("delay"));
	}
}

void
conf_finish(struct conf *c)
{
	conf_domains_finish(c, &c->domains);
	if (c->hostname[0] == '\0')
		c->hostname = system_hostname(&c->arena);
	if (c->postmaster[0] == '\0')
		c->postmaster = default_postmaster(c);
	conf_listen_finish(c);
	conf_route_finish(c);
	conf_recipient_finish(c);
	conf_list_finish(c);
	conf_archive_finish(c);
	conf_storage_finish(c);
	finish_notify(&c->dsn);
	conf_vacation_finish(c);
	conf_rewrite_finish(c);
	/* What is wrong is complained of below. */
	if (conf_verify_read(str_c(c->recipients.verify), &c->arena,
		&c->recipients.asked) != NULL)
		c->recipients.asked.kind = VERIFY_NOBODY;
	conf_pool_finish(c);
	conf_account_finish(c);
	conf_admin_finish(c);
	conf_dkim_finish(c);
	conf_dnsbl_finish(c);
	conf_checks_finish(c);
	conf_collect_finish(c);
	conf_scan_finish(c);
	if (c->http_proxy[0] != '\0' &&
	    !conf_proxy_read(&c->arena, c->http_proxy, &c->http_way))
		c->http_way.host = "";
}

static struct conf_place
place(const struct conf *c, const void *field)
{
	return conf_where(c, field, conf_place_top(c));
}

/* ELEMENT is one of LIST's. */
static struct conf_place
place_in(const struct conf *c, const void *list, const void *element)
{
	return conf_where(c, element, place(c, list));
}

static void
check_identity(struct conf *c, struct buf *error)
{
	size_t i;

	if (!conf_name_is_host(str_c(c->hostname)))
		conf_complain(error, place(c, &c->hostname),
		    "hostname: \"%s\" is no host name, "
		    "expected one such as \"mail.example.org\"",
		    c->hostname);
	for (i = 0; i < c->domains.n; i++)
		if (!conf_name_is_domain(str_c(c->domains.v[i])))
			conf_complain(error, place_in(c, &c->domains, &c->domains.v[i]),
			    "domains: \"%s\" is no "
			    "domain, expected one such as \"example.org\" or "
			    "\"[192.0.2.25]\"",
			    c->domains.v[i]);
	/* What is wrong with the default was said of what it was made from. */
	if (!conf_name_is_mailbox(str_c(c->postmaster)) &&
	    strcmp(c->postmaster, default_postmaster(c)) != 0)
		conf_complain(error, place(c, &c->postmaster),
		    "postmaster: \"%s\" is no "
		    "address, expected one such as \"postmaster@example.org\"",
		    c->postmaster);
	if (!conf_name_is_word(str_c(c->user)))
		conf_complain(error, place(c, &c->user),
		    "user: \"%s\" is no name of a user, "
		    "expected letters, digits, \"_\", \".\" and, but not "
		    "first, \"-\"",
		    c->user);
}

static void
check_directory(const struct conf *c, const char *name,
    const char *const *field, struct buf *error)
{
	if (!conf_name_is_path(str_c(*field)))
		conf_complain(error, place(c, field),
		    "%s: \"%s\" is no directory's path, "
		    "expected it to begin with / and to hold no \"..\"",
		    name, *field);
	else if (strspn(*field, "/") == strlen(*field))
		conf_complain(error, place(c, field),
		    "%s: \"%s\" is the root of all files, "
		    "expected a directory of its own",
		    name, *field);
}

/* What one of them holds is no file of the other. */
static void
check_apart(const struct conf *c, struct buf *error)
{
	const struct {
		const char *name;
		const char *const *field;
	} dirs[] = { { "spool", &c->spool }, { "mailboxes", &c->mailboxes },
		{ "run", &c->run } };
	size_t i, j;

	for (i = 1; i < ARRAY_LEN(dirs); i++)
		for (j = 0; j < i; j++)
			if (strcmp(*dirs[i].field, *dirs[j].field) == 0)
				conf_complain(error, place(c, dirs[i].field),
				    "%s: \"%s\" is the directory of %s too, "
				    "expected one of its own",
				    dirs[i].name, *dirs[i].field, dirs[j].name);
}

static void
check_mailboxes(const struct conf *c, struct buf *error)
{
	const struct conf_strs *l = &c->recipients.mailboxes;
	struct buf expected;

	for (size_t i = 0; i < l->n; i++) {
		struct conf_place where = place_in(c, l, &l->v[i]);

		if (l->v[i][0] == '/') {
			conf_not_yet(
			    error, where, "a pattern in recipients.mailboxes");
			continue;
		}
		if (is_one_of(mailbox_words, str_c(l->v[i])))
			continue;
		buf_init(&expected, 200);
		conf_words_expected(&expected, mailbox_words, str_c(l->v[i]));
		conf_complain(error, where,
		    "recipients.mailboxes: \"%s\" is unknown, expected %s",
		    l->v[i], buf_cstr(&expected));
		buf_free(&expected);
	}
}

/* RFC 5321 4.1.2 atext, so that a plain address can hold it. */
static const char subaddress_signs[] = "!#$%&'*+-=?^_`{|}~.";
#define SUBADDRESS_MAX 8

static void
check_verify(const struct conf *c, struct buf *error)
{
	const struct conf_recipients *r = &c->recipients;
	struct conf_verify v;
	struct arena a;
	const char *why;

	arena_init(&a, CONF_ARENA_MAX);
	why = conf_verify_read(str_c(r->verify), &a, &v);
	if (why != NULL)
		conf_complain(error, conf_where(c, &r->verify, CONF_NOWHERE),
		    "recipients.verify: \"%s\": %s", r->verify, why);
	arena_free(&a);
}

static void
check_recipients(const struct conf *c, struct buf *error)
{
	const struct conf_recipients *r = &c->recipients;

	check_mailboxes(c, error);
	if (strlen(r->subaddress) > SUBADDRESS_MAX ||
	    strspn(r->subaddress, subaddress_signs) != strlen(r->subaddress))
		conf_complain(error, place(c, &r->subaddress),
		    "recipients.subaddress: \"%s\" does not fit, expected up "
		    "to %d characters such as \"+\" or \"-\", or nothing",
		    r->subaddress, SUBADDRESS_MAX);
}

static bool
is_log_target(struct str s)
{
	struct str kind, rest, path;

	if (str_eq(s, STR("stderr")))
		return true;
	if (!str_cut(s, ':', &kind, &rest))
		return false;
	if (str_eq(kind, STR("file")))
		return conf_name_is_path(rest);
	if (!str_eq(kind, STR("syslog")))
		return false;
	if (str_cut(rest, '@', &rest, &path) && !conf_name_is_path(path))
		return false;
	return is_one_of(syslog_facilities, rest);
}

static void
check_log(const struct conf *c, struct buf *error)
{
	size_t i;

	for (i = 0; i < c->log.to.n; i++)
		if (!is_log_target(str_c(c->log.to.v[i])))
			conf_complain(error, place_in(c, &c->log.to, &c->log.to.v[i]),
			    "log.to: \"%s\" is no target, "
			    "expected stderr, \"file:/path\" or "
			    "\"syslog:mail\" (or daemon, user, auth, "
			    "local0 to local7)",
			    c->log.to.v[i]);
}

static void
check_journal(struct conf *c, struct buf *error)
{
	const struct conf_strs *list = &c->journal.report_recipients;

	conf_patterns_check(c, "journal.report-recipients", place(c, list), list,
	    pattern_address, error);
}

static void
check_dns(const struct conf *c, struct buf *error)
{
	size_t i;

	for (i = 0; i < c->dns.servers.n; i++)
		if (!conf_name_is_ip_port(str_c(c->dns.servers.v[i])))
			conf_complain(error, place_in(c, &c->dns.servers, &c->dns.servers.v[i]),
			    "dns.servers: \"%s\" is no "
			    "server, expected \"192.0.2.53\", "
			    "\"192.0.2.53:5353\" or "
			    "\"[2001:db8::53]:5353\"",
			    c->dns.servers.v[i]);
}

static void
check_override(const struct conf *c, const struct conf_override *o,
    struct buf *error)
{
	struct conf_place where = conf_where(c, &o->addresses, o->place);
	size_t i;

	if (!conf_name_is_host(str_c(o->name)))
		conf_complain(error, o->place,
		    "dns-override: \"%s\" is no name, expected one such as "
		    "\"example.org\"",
		    o->name);
	if (o->addresses.n == 0)
		conf_complain(error, where,
		    "dns-override.%s.addresses: there is none, expected "
		    "addresses = {\"192.0.2.25\"}",
		    o->name);
	for (i = 0; i < o->addresses.n; i++)
		if (!conf_name_is_ip_port(str_c(o->addresses.v[i])))
			conf_complain(error,
			    conf_where(c, &o->addresses.v[i], where),
			    "dns-override.%s.addresses: \"%s\" is no "
			    "address, expected \"192.0.2.25\", "
			    "\"192.0.2.25:2525\" or "
			    "\"[2001:db8::25]:2525\"",
			    o->name, o->addresses.v[i]);
}

static void
check_queue(const struct conf *c, struct buf *error)
{
	const struct conf_queue *q = &c->queue;
	size_t i;

	/* The default may well be longer than a short lifetime. */
	if (!conf_place_get(c, &q->delay_notice))
		return;
	for (i = 0; i < q->delay_notice.n; i++)
		if (q->delay_notice.v[i] >= q->lifetime)
			conf_complain(error,
			    place_in(c, &q->delay_notice, &q->delay_notice.v[i]),
			    "queue.delay-notice: a "
			    "time after queue.lifetime is never reached, "
			    "expected less");
}

/* RFC 3461 4.1: NEVER stands alone. */
static void
check_notify(const struct conf *c, struct buf *error)
{
	static const char *const words[] = { "success", "failure", "delay" };
	const struct conf_strs *notify = &c->dsn.notify;

	for (size_t i = 0; i < notify->n; i++) {
		bool known = notify->n == 1 &&
		    strcmp(notify->v[i], "never") == 0;

		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			known = known || strcmp(notify->v[i], words[k]) == 0;
		if (!known)
			conf_complain(error, place_in(c, notify, &notify->v[i]),
			    "dsn.notify: \"%s\" is none, expected some of "
			    "success, failure and delay, or never alone",
			    notify->v[i]);
	}
}

static void
check_sink(const struct conf *c, struct buf *error)
{
	if (c->sink[0] != '\0' && !conf_name_is_ip_port(str_c(c->sink)))
		conf_complain(error,
		    conf_where(c, &c->sink, conf_place_top(c)),
		    "sink: \"%s\" is no address, expected one such as "
		    "\"127.0.0.1:2525\" or \"[::1]:2525\"", c->sink);
}

static void
check_http(const struct conf *c, struct buf *error)
{
	struct str host = str_c(c->http_way.host);

	if (c->http_proxy[0] != '\0' &&
	    ((!conf_name_is_ip(host) && !conf_name_is_host(host)) ||
		c->http_way.version == 4))
		conf_complain(error,
		    conf_where(c, &c->http_proxy, conf_place_top(c)),
		    "http-proxy: this is no proxy, expected "
		    "\"http://user:password@host:port\" or "
		    "\"socks5://user:password@host:port\"%s",
		    c->http_way.wrong);
}

/* RFC 2449 6.7: CAPA says it in days, and none would mean at once. */
static void
check_expire(const struct conf *c, const char *section, const char *name, const int64_t *expire,
    struct buf *error)
{
	if (*expire > 0 && *expire < DAY_MS)
		conf_complain(error, place(c, expire), "%s%s.expire: less than a day, "
		    "expected 1d or more, or 0s for never", section, name);
}

static void
check_pop3(const struct conf *c, struct buf *error)
{
	check_expire(c, "pop3", "", &c->pop3.expire, error);
	for (size_t i = 0; i < c->listen_n; i++)
		if (conf_place_get(c, &c->listens[i].expire) != NULL)
			check_expire(c, "listen.", c->listens[i].name, &c->listens[i].expire,
			    error);
}

void
conf_check(struct conf *c, struct buf *error)
{
	check_identity(c, error);
	check_directory(c, "spool", &c->spool, error);
	check_directory(c, "mailboxes", &c->mailboxes, error);
	check_directory(c, "run", &c->run, error);
	check_apart(c, error);
	check_recipients(c, error);
	check_verify(c, error);
	check_queue(c, error);
	check_notify(c, error);
	check_pop3(c, error);
	check_log(c, error);
	check_journal(c, error);
	check_dns(c, error);
	check_sink(c, error);
	check_http(c, error);
	for (size_t i = 0; i < c->override_n; i++)
		check_override(c, &c->overrides[i], error);
	conf_listen_check(c, error);
	conf_access_check(c, error);
	conf_certificate_check(c, error);
	conf_route_check(c, error);
	conf_recipient_check(c, error);
	conf_list_check(c, error);
	conf_archive_check(c, error);
	conf_storage_check(c, error);
	conf_vacation_check(c, error);
	conf_rewrite_check(c, error);
	conf_srs_check(c, error);
	conf_pool_check(c, error);
	conf_destination_check(c, error);
	conf_account_check(c, error);
	conf_admin_check(c, error);
	conf_dkim_check(c, error);
	conf_dnsbl_check(c, error);
	conf_checks_check(c, error);
	conf_collect_check(c, error);
	conf_scan_check(c, error);
}
