/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * settings -- fields of a message's header that say how it is delivered.
 *
 * A program that hands in mail can set here what SMTP has no words for.  The
 * fields come from whom the administrator trusts, but they are read as if
 * they came from anybody: bounded, and refused with a reason rather than
 * guessed at.  What is only of no use here is taken out and forgotten.
 */

#include "queue/settings.h"

#include "mail/date.h"
#include "mail/limits.h"
#include "mail/text.h"
#include "net/addr.h"
#include "queue/store.h"

#define OURS "x-barid-"
#define MAILERQ "x-mq-"
/* Of one value. */
#define VALUE_MAX 1000
/* Of one that is repeated where it is refused. */
#define WHY_VALUE_MAX 100
/* No time is farther away than this (seconds). */
#define AHEAD_MAX INT64_C(31622400)

/* ---- times ------------------------------------------------------------------- */

/* "90s", "5m", "2h", "1d" in seconds; -1: none. */
static int64_t
read_span(struct str s)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit;
	uint64_t n;

	if (s.n < 2 || s.p[s.n - 1] == '\0' ||
	    (unit = strchr(units, s.p[s.n - 1])) == NULL ||
	    str_u64(str_head(s, s.n - 1), (uint64_t)AHEAD_MAX, &n) < 0)
		return -1;
	return (int64_t)n * seconds[unit - units];
}

int64_t
settings_time(struct str v, int64_t now_us)
{
	int64_t now = now_us / 1000000, t;
	uint64_t n;

	if (v.n > 0 && v.p[0] == '+') {
		t = read_span(str_skip(v, 1));
		return t < 0 || t > AHEAD_MAX ? -1 : now_us + t * 1000000;
	}
	if (str_u64(v, INT32_MAX * UINT64_C(8), &n) == 0) {
		t = (int64_t)n;
	} else {
		t = date_parse_iso(v);
		t = t < 0 ? date_parse(v) : t;
	}
	return t < 0 || t > now + AHEAD_MAX ? -1 : t * 1000000;
}

/* ---- the fields -------------------------------------------------------------- */

static const char no_time[] = SETTINGS_NO_TIME;

static const char *
take_not_before(struct settings *s, struct str v)
{
	int64_t t = settings_time(v, s->now_us);

	if (t < 0)
		return no_time;
	/* What is over needs no wait. */
	s->not_before_us = t > s->now_us ? t : 0;
	return NULL;
}

static const char *
take_deadline(struct settings *s, struct str v)
{
	s->deadline_us = settings_time(v, s->now_us);
	if (s->deadline_us < 0)
		return no_time;
	return s->deadline_us > s->now_us ? NULL : "is over already";
}

static const char *
take_max_attempts(struct settings *s, struct str v)
{
	uint64_t n;

	if (str_u64(v, ENVELOPE_ATTEMPTS_MAX, &n) < 0)
		return "is no number of attempts up to 1000000";
	s->max_attempts = (unsigned)n;
	return NULL;
}

/* Spans, or plain seconds, with commas between. */
static const char *
take_retry(struct settings *s, struct str v)
{
	static const char wrong[] = "is no list of times such as "
	    "\"3m,10m,1h\" or \"180,600,3600\", at most 64";
	int64_t ms[ENVELOPE_RETRY_MAX];
	struct str word;
	struct buf b;
	bool more;

	buf_init(&b, VALUE_MAX * 2);
	do {
		int64_t span;
		uint64_t n;

		more = str_cut(v, ',', &word, &v);
		word = str_trim(word);
		span = str_u64(word, (uint64_t)AHEAD_MAX, &n) == 0 ?
		    (int64_t)n : read_span(word);
		if (b.n > 0)
			buf_addc(&b, ',');
		buf_addu(&b, span > 0 ? (uint64_t)span : 0);
	} while (more);
	s->retry = arena_str(s->a, buf_str(&b));
	buf_free(&b);
	return envelope_retry(s->retry, ms) > 0 ? NULL : wrong;
}

/*
 * Each such field adds an address; a pool is one name, and stands alone.
 * Whether this host has an address shows when it is used.
 */
static const char *
take_source(struct settings *s, struct str v)
{
	struct addr a;

	if (conf_pool(s->conf, arena_cstr(s->a, v)) != NULL) {
		if (s->source.n > 0)
			return "is a pool, and stands beside another source";
		s->source_n = CONF_OWN_SOURCES_MAX;
		s->source = arena_str(s->a, v);
		return NULL;
	}
	if (addr_parse(v, 0, &a) < 0)
		return "is neither an address nor a pool of the configuration";
	if (s->source_n == CONF_OWN_SOURCES_MAX)
		return "is one address too many";
	s->source_n++;
	s->source = s->source.n == 0 ? arena_str(s->a, v) :
	    str_c(arena_printf(s->a, STR_FMT "," STR_FMT, STR_ARG(s->source),
		STR_ARG(v)));
	return NULL;
}

/* A Maildir of the configuration's user could be anybody's mailbox. */
bool
settings_may_go(struct str route)
{
	return !str_starts(route, STR("maildir:"));
}

static const char *
take_route(struct settings *s, struct str v)
{
	struct conf_via way;
	const char *why;

	if (v.n == 0 || str_has_ctl(v) || str_has_8bit(v))
		return "is no way that route.via can have";
	if (!settings_may_go(v))
		return "is a Maildir, which only the configuration can choose";
	s->route = arena_str(s->a, v);
	why = conf_via_own(s->conf, v, STR(""), STR(""), s->a, &way);
	if (why == NULL)
		return NULL;
	/* It repeats the value, and is to fit into a reply. */
	return v.n > WHY_VALUE_MAX ? "is no way that route.via can have" :
	    arena_printf(s->a, "is no way that route.via can have: %s", why);
}

/* RFC 6710 has -9 to 9; brokers go on to 255, which is no more urgent here. */
static const char *
take_priority(struct settings *s, struct str v)
{
	bool low = str_starts(v, STR("-"));
	uint64_t n;

	if (str_u64(low ? str_skip(v, 1) : v, 255, &n) < 0)
		return "is no priority from -9 to 9";
	if (n > ENVELOPE_PRIORITY_MAX)
		n = ENVELOPE_PRIORITY_MAX;
	s->priority = low ? -(int)n : (int)n;
	return NULL;
}

static const char *
take_notify(struct settings *s, struct str v)
{
	s->notify = notify_parse(v);
	return s->notify != 0 ? NULL :
	    "is not NEVER, or some of SUCCESS, FAILURE, DELAY";
}

static const char *
take_ret(struct settings *s, struct str v)
{
	s->ret = str_ieq(v, STR("FULL")) ? RET_FULL :
	    str_ieq(v, STR("HDRS"))	 ? RET_HDRS : RET_UNSAID;
	return s->ret != RET_UNSAID ? NULL : "is neither FULL nor HDRS";
}

static const char *
take_envid(struct settings *s, struct str v)
{
	struct buf b;

	if (v.n == 0 || str_has_ctl(v) || str_has_8bit(v))
		return "is no printable text";
	buf_init(&b, 4 * VALUE_MAX);
	xtext_add(&b, v);
	s->envid = arena_str(s->a, buf_str(&b));
	buf_free(&b);
	return s->envid.n <= DSN_ENVID_MAX ? NULL : "is too long";
}

static const char *
take_host(struct settings *s, struct str v)
{
	if (v.n == 0 || v.n > WHY_VALUE_MAX || str_has_ctl(v) || str_has_8bit(v))
		return "is no name of a host";
	s->host = arena_str(s->a, v);
	return NULL;
}

static const char *
take_port(struct settings *s, struct str v)
{
	uint64_t n;

	if (str_u64(v, UINT16_MAX, &n) < 0 || n == 0)
		return "is no port from 1 to 65535";
	s->port = (uint16_t)n;
	return NULL;
}

static const char no_login[] = "is no text that an envelope can hold";

static const char *
take_user(struct settings *s, struct str v)
{
	s->user = arena_str(s->a, v);
	return v.n > 0 && !str_has_ctl(v) ? NULL : no_login;
}

static const char *
take_password(struct settings *s, struct str v)
{
	s->password = arena_str(s->a, v);
	return v.n > 0 && !str_has_ctl(v) ? NULL : no_login;
}

static const char *
take_key(struct settings *s, struct str v)
{
	if (!s->may_store)
		return "is for mail that is left in the drop directory: this "
		    "has come with its text";
	if (s->conf->storage.path[0] == '\0')
		return "names a text of a store, and storage.address has none";
	s->key = arena_str(s->a, v);
	return store_key_valid(v) ? NULL : "is no key, expected up to 200 "
	    "letters, digits and \"-_.+=@\", a letter or a digit first";
}

/* What it says is looked at by who takes it out of drop/. */
static const char *
take_dkim(struct settings *s, struct str v)
{
	if (!s->may_store)
		return "is for mail that is left in the drop directory";
	s->dkim = arena_str(s->a, v);
	return v.n > 0 && !str_has_ctl(v) ? NULL : "is no JSON";
}

struct setting {
	const char *name;	/* without its beginning */
	const char *(*take)(struct settings *s, struct str value);
	bool again;		/* it may stand more than once */
};

/* clang-format off */
static const struct setting settings[] = {
	{ "not-before",         take_not_before,   false },
	{ "delayed",            take_not_before,   false },
	{ "deadline",           take_deadline,     false },
	{ "maxdelivertime",     take_deadline,     false },
	{ "max-attempts",       take_max_attempts, false },
	{ "maxattempts",        take_max_attempts, false },
	{ "retry",              take_retry,        false },
	{ "retries",            take_retry,        false },
	{ "source",             take_source,       true  },
	{ "ip",                 take_source,       true  },
	{ "pool",               take_source,       false },
	{ "route",              take_route,        false },
	{ "priority",           take_priority,     false },
	{ "dsn-notify",         take_notify,       false },
	{ "dsn-ret",            take_ret,          false },
	{ "dsn-envid",          take_envid,        false },
	{ "key",                take_key,          false },
	{ "dkim",               take_dkim,         false },
	{ "smarthost-hostname", take_host,         false },
	{ "smarthost-port",     take_port,         false },
	{ "smarthost-username", take_user,         false },
	{ "smarthost-password", take_password,     false },
};
/* clang-format on */

void
settings_init(struct settings *s, const struct conf *c, struct arena *a,
    int64_t now_us)
{
	*s = (struct settings){ .conf = c, .a = a, .now_us = now_us, .retry = STR(""),
		.source = STR(""), .route = STR(""), .envid = STR(""), .key = STR(""),
		.dkim = STR(""), .host = STR(""), .user = STR(""), .password = STR("") };
}

/* What stands behind the beginning of NAME; empty if it has none of ours. */
static struct str
own_part(struct str name)
{
	if (str_istarts(name, STR(OURS)))
		return str_skip(name, sizeof(OURS) - 1);
	if (str_istarts(name, STR(MAILERQ)))
		return str_skip(name, sizeof(MAILERQ) - 1);
	return STR("");
}

bool
settings_field(struct str name)
{
	return own_part(name).n > 0;
}

const char *
settings_take(struct settings *s, const struct field *f)
{
	struct str name = own_part(f->name), value;
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		if (!str_ieq(name, str_c(settings[i].name)))
			continue;
		value = field_unfold(s->a, f);
		if ((s->seen & 1u << i) != 0 && !settings[i].again)
			why = "stands there twice";
		else if (value.n > VALUE_MAX && settings[i].take != take_dkim)
			why = "is too long";
		else
			why = settings[i].take(s, value);
		s->seen |= 1u << i;
		break;
	}
	if (why == NULL)
		return NULL;
	return arena_printf(s->a, STR_FMT " %s", STR_ARG(f->name), why);
}

const char *
settings_take_all(struct settings *s, struct str text)
{
	const char *why = NULL;
	struct field f;

	while (why == NULL && field_seek(&text, &f))
		if (settings_field(f.name))
			why = settings_take(s, &f);
	return why;
}

/* The way to a smarthost, in the words of a route. */
static const char *
apply_smarthost(const struct settings *s, struct envelope *e)
{
	bool bare = str_find(s->host, ':') >= 0 && s->host.p[0] != '[';
	struct conf_via way;
	const char *why;

	if (s->host.n == 0)
		return s->port == 0 && s->user.n == 0 && s->password.n == 0 ?
		    NULL : "its smarthost has no hostname";
	if (s->route.n > 0)
		return "it has a route and a smarthost";
	if ((s->user.n == 0) != (s->password.n == 0))
		return "its smarthost has a username or a password, and not both";
	e->route = str_c(arena_printf(s->a, "smtp:%s" STR_FMT "%s:%u",
	    bare ? "[" : "", STR_ARG(s->host), bare ? "]" : "",
	    s->port != 0 ? s->port : 25u));
	e->route_user = s->user;
	e->route_password = s->password;
	why = conf_via_own(s->conf, e->route, s->user, s->password, s->a, &way);
	return why == NULL ? NULL :
	    arena_printf(s->a, "its smarthost: %s", why);
}

const char *
settings_apply(const struct settings *s, struct envelope *e)
{
	if (s->deadline_us != 0 && s->not_before_us >= s->deadline_us)
		return "its deadline is before its first attempt";
	if (e->deadline_us != 0 && s->not_before_us >= e->deadline_us)
		return "the time to deliver it by is before its first attempt";
	if (s->not_before_us != 0)
		e->not_before_us = s->not_before_us;
	if (s->deadline_us != 0 &&
	    (e->deadline_us == 0 || s->deadline_us < e->deadline_us))
		e->deadline_us = s->deadline_us;
	e->max_attempts = s->max_attempts;
	e->retry = s->retry;
	e->source = s->source;
	e->route = s->route;
	e->key = s->key;
	e->dkim = s->dkim;
	e->route_user = e->route_password = STR("");
	if (s->priority != 0)
		e->priority = s->priority;
	if (e->ret == RET_UNSAID)
		e->ret = s->ret;
	if (e->envid.n == 0)
		e->envid = s->envid;
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (e->rcpts[i].notify == 0)
			e->rcpts[i].notify = s->notify;
	return apply_smarthost(s, e);
}
