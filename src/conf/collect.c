/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * collect -- the sections about mailboxes elsewhere: what they mean, and what
 * is wrong with them.
 *
 * Nothing is looked up here: whether there is such a server, and whether it
 * knows the user, shows when it is asked.
 */

#include "conf/collect.h"

#include "private.h"

#define POP3_PORT 110
#define POP3S_PORT 995
#define DAY_MS (24 * 3600 * INT64_C(1000))
#define KEEP_MAX_MS (3650 * DAY_MS)
/* Each has a directory of its own in the spool. */
#define NAME_MAX_OCTETS 64

static const char *const mechanisms[] = { "PLAIN", "CRAM-MD5", "USER", NULL };

/* "true", "false", or days: "7d".  False: it is none of these. */
static bool
read_keep(const char *text, int64_t *ms)
{
	struct str s = str_c(text);
	uint64_t days;

	if (str_eq(s, STR("true"))) {
		*ms = COLLECT_KEEP_ALL;
		return true;
	}
	*ms = 0;
	if (str_eq(s, STR("false")))
		return true;
	if (!str_ends(s, STR("d")) ||
	    str_u64(str_head(s, s.n - 1), KEEP_MAX_MS / DAY_MS, &days) < 0 ||
	    days == 0)
		return false;
	*ms = (int64_t)days * DAY_MS;
	return true;
}

void
conf_collect_finish(struct conf *c)
{
	for (size_t i = 0; i < c->collect_n; i++) {
		struct conf_collect *l = &c->collects[i];

		/* What is wrong is complained of below. */
		(void)read_keep(l->keep, &l->keep_ms);
		if (l->port == 0)
			l->port = l->tls == COLLECT_POP3S ? POP3S_PORT : POP3_PORT;
		if (l->message_size == 0)
			l->message_size = c->limits.message_size;
	}
}

/* ---- mistakes ---- */

static void
check_server(const struct conf *c, const struct conf_collect *l, struct buf *error)
{
	if (!conf_name_is_ip(str_c(l->server)) &&
	    !conf_name_is_host(str_c(l->server)))
		conf_complain(error, conf_where(c, &l->server, l->place),
		    "collect.%s.server: \"%s\" is no server, expected one such "
		    "as \"pop.example.net\"", l->name, l->server);
	if (l->tls_name[0] != '\0' && !conf_name_is_host(str_c(l->tls_name)))
		conf_complain(error, conf_where(c, &l->tls_name, l->place),
		    "collect.%s.tls-name: \"%s\" is no host name, expected one "
		    "such as \"pop.example.net\"", l->name, l->tls_name);
}

static void
check_login(const struct conf *c, const struct conf_collect *l, struct buf *error)
{
	if (l->user[0] == '\0' || str_has_ctl(str_c(l->user)))
		conf_complain(error, conf_where(c, &l->user, l->place),
		    "collect.%s.user: nobody can log in, expected the user's "
		    "name at the server", l->name);
	if ((l->password[0] == '\0') == (l->password_file[0] == '\0'))
		conf_complain(error, conf_where(c, &l->password, l->place),
		    "collect.%s.password: expected it, or password-file, and "
		    "not both", l->name);
	if (l->password_file[0] != '\0' &&
	    !conf_name_is_path(str_c(l->password_file)))
		conf_complain(error, conf_where(c, &l->password_file, l->place),
		    "collect.%s.password-file: \"%s\" is no path, expected one "
		    "such as \"/etc/barid/pop.password\"", l->name,
		    l->password_file);
	if (str_has_ctl(str_c(l->password)))
		conf_complain(error, conf_where(c, &l->password, l->place),
		    "collect.%s.password: it has a control character, expected "
		    "none", l->name);
	for (size_t i = 0; i < l->auth.n; i++) {
		const char *const *m = mechanisms;

		while (*m != NULL && !str_ieq(str_c(*m), str_c(l->auth.v[i])))
			m++;
		if (*m == NULL)
			conf_complain(error, conf_where(c, &l->auth.v[i],
			    conf_where(c, &l->auth, l->place)),
			    "collect.%s.auth: \"%s\" is unknown, expected "
			    "PLAIN, CRAM-MD5 or USER", l->name, l->auth.v[i]);
	}
}

/* Who gets it is one of ours: what goes elsewhere is a recipient's forward. */
static void
check_to(const struct conf *c, const struct conf_collect *l, struct buf *error)
{
	struct str to = str_c(l->to);
	ptrdiff_t at = str_rfind(to, '@');
	struct buf b;

	buf_init(&b, CONF_VALUE_MAX);
	buf_add(&b, to);
	if (at < 0)
		buf_adds(&b, "@example.org");
	if (!conf_name_is_mailbox(buf_str(&b)) || (at >= 0 &&
		!conf_is_local(c, str_skip(to, (size_t)at + 1))))
		conf_complain(error, conf_where(c, &l->to, l->place),
		    "collect.%s.to: \"%s\" is none of ours, expected a mailbox "
		    "such as \"bob\", or an address in one of domains", l->name,
		    l->to);
	buf_free(&b);
}

/* RFC 5322 2.2: printable, and no colon. */
static bool
is_field_name(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' || *s == ':')
			return false;
	return true;
}

void
conf_collect_check(const struct conf *c, struct buf *error)
{
	int64_t ms;

	for (size_t i = 0; i < c->collect_n; i++) {
		const struct conf_collect *l = &c->collects[i];

		if (!conf_name_is_word(str_c(l->name)) || l->name[0] == '.' ||
		    strlen(l->name) > NAME_MAX_OCTETS)
			conf_complain(error, l->place,
			    "collect: \"%s\" is no name, expected up to %d "
			    "letters, digits, \"-\", \"_\" and \".\"", l->name,
			    NAME_MAX_OCTETS);
		check_server(c, l, error);
		check_login(c, l, error);
		check_to(c, l, error);
		if (!is_field_name(l->by_header))
			conf_complain(error, conf_where(c, &l->by_header, l->place),
			    "collect.%s.by-header: \"%s\" is no header field, "
			    "expected one such as \"X-Original-To\"", l->name,
			    l->by_header);
		if (!read_keep(l->keep, &ms))
			conf_complain(error, conf_where(c, &l->keep, l->place),
			    "collect.%s.keep: \"%s\" does not fit, expected "
			    "true, false, or days such as \"7d\"", l->name,
			    l->keep);
	}
}
