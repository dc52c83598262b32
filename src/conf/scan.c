/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scan -- the sections about spam and viruses: which server is asked.
 *
 * "spamd:", "rspamd:" or "clamd:" may stand before it.  Without that it is spamd
 * for spam and clamd for viruses.  Whether it lives shows only when it is asked.
 */

#include "conf/checks.h"

#include "private.h"

/* By enum scan_server. */
static const struct {
	const char *word;
	uint16_t port;
} servers[] = {
	[SCAN_SPAMD] = { "spamd:", 783 },
	[SCAN_RSPAMD] = { "rspamd:", 11333 },
	[SCAN_CLAMD] = { "clamd:", 3310 },
};

/* NULL, or what is wrong with the server. */
static const char *
read_server(struct conf_check_scan *s, enum scan_server usual, struct arena *a)
{
	struct str text = str_c(s->server);

	s->kind = usual;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		if (str_starts(text, str_c(servers[i].word))) {
			s->kind = (enum scan_server)i;
			text = str_skip(text, strlen(servers[i].word));
			break;
		}
	return conf_host_read(text, servers[s->kind].port, a, &s->host, &s->port);
}

static void
finish(struct conf *c, struct conf_check_scan *s, enum scan_server usual)
{
	/* What is wrong is complained of below. */
	if (s->title != NULL && read_server(s, usual, &c->arena) != NULL)
		s->enabled = false;
}

void
conf_scan_finish(struct conf *c)
{
	finish(c, &c->check.spam, SCAN_SPAMD);
	finish(c, &c->check.virus, SCAN_CLAMD);
}

static void
check(const struct conf *c, const struct conf_check_scan *s, enum scan_server usual,
    struct buf *error)
{
	struct conf_check_scan copy = *s;
	struct arena a;
	const char *why;

	if (s->title == NULL)
		return;
	arena_init(&a, CONF_ARENA_MAX);
	why = read_server(&copy, usual, &a);
	if (why == NULL && (copy.kind == SCAN_CLAMD) != (usual == SCAN_CLAMD))
		why = usual == SCAN_CLAMD ? "expected clamd, who knows viruses" :
					    "expected spamd or rspamd, who know spam";
	if (why != NULL)
		conf_complain(error, conf_where(c, &s->server, s->place),
		    "check.%s.server: \"%s\": %s", s->title, s->server, why);
	arena_free(&a);
}

void
conf_scan_check(const struct conf *c, struct buf *error)
{
	check(c, &c->check.spam, SCAN_SPAMD, error);
	check(c, &c->check.virus, SCAN_CLAMD, error);
}
