/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * rspamd -- Rspamd's worker, asked by POST /checkv2.
 *
 * The question is one of HTTP/1.0, so that the answer comes in one piece or up
 * to the end of the connection (RFC 9112 6.1).  What is known of the message
 * stands in its header.  The answer is JSON, which is read elsewhere
 * (rspamd_answer.c).
 */

#include "scan_kinds.h"

static void
field(struct buf *out, const char *name, struct str value)
{
	if (value.n > 0)
		buf_addf(out, "%s: " STR_FMT "\r\n", name, STR_ARG(value));
}

static void
head(const struct scan *s, struct buf *out)
{
	const struct msg_scan *m = s->about;

	buf_adds(out, "POST /checkv2 HTTP/1.0\r\nHost: localhost\r\nContent-Length: ");
	buf_addu(out, m->size);
	buf_adds(out, "\r\n");
	field(out, "Queue-Id", m->id);
	field(out, "IP", m->client);
	field(out, "Hostname", m->name);
	field(out, "Helo", m->helo);
	field(out, "User", m->login);
	buf_addf(out, "From: <" STR_FMT ">\r\n", STR_ARG(m->from));
	for (size_t i = 0; i < m->rcpt_n; i++)
		buf_addf(out, "Rcpt: <" STR_FMT ">\r\n", STR_ARG(m->rcpts[i]));
	buf_adds(out, "\r\n");
}

static enum scan_state
take_head(struct scan *s, struct str head)
{
	struct str rest = head, first, version, value;

	(void)str_cut(rest, '\n', &first, &rest);
	version = str_word(&first);
	if (!str_starts(version, STR("HTTP/1.")))
		return scan_broken(s, "it does not speak HTTP");
	if (!str_eq(str_word(&first), STR("200")))
		return scan_broken(s, "it says that it cannot");
	/* RFC 9112 6.1: nobody may do that to a client of HTTP/1.0. */
	if (scan_field(head, STR("Transfer-Encoding"), &value))
		return scan_broken(s, "its answer comes in an encoding");
	if (!scan_field(head, STR("Content-Length"), &value))
		s->left = UINT64_MAX;
	else if (str_u64(value, SCAN_BODY_MAX, &s->left) < 0)
		return scan_broken(s, "its answer is too long");
	return SCAN_MORE;
}

bool
scan_take_action(struct scan *s, struct str action)
{
	static const struct {
		const char *name;
		enum scan_result result;
	} actions[] = {
		{ "no action", SCAN_CLEAN }, { "accept", SCAN_CLEAN },
		{ "greylist", SCAN_LATER }, { "soft reject", SCAN_LATER },
		{ "add header", SCAN_SPAM }, { "rewrite subject", SCAN_SPAM },
		{ "quarantine", SCAN_SPAM }, { "reject", SCAN_SPAM_REJECT },
		{ "discard", SCAN_SPAM_REJECT },
	};

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(action, str_c(actions[i].name))) {
			s->v.result = actions[i].result;
			return true;
		}
	return false;
}

const struct scan_kind_ops scan_rspamd = { .head_end = "\r\n\r\n", .head_end_n = 4,
	.head = head, .take_head = take_head };
