/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_lines -- lets a program on this host end its lines with LF.
 *
 * Who speaks SMTP to "sendmail -bs" from a terminal or a script sends LF, and
 * other implementations take it.  The first line decides: if it ends with LF
 * alone, each LF without a CR becomes CRLF; if not, nothing is changed, and a
 * bare LF is as wrong as it is from a network: a program that knows what a line
 * is may pass on the text of strangers, who would hide another message in it.
 */

#include "smtpd_lines.h"

void
smtpd_lines_init(struct smtpd_lines *l, const struct stream_ops *ops, void *ctx)
{
	l->ops = ops;
	l->ctx = ctx;
	l->form = LINES_UNKNOWN;
	l->cr = false;
	l->at = l->n = 0;
}

static ssize_t
lines_read(void *ctx, void *to, size_t room, int64_t deadline)
{
	struct smtpd_lines *l = ctx;
	char *p = to;
	size_t n = 0;

	if (l->at == l->n) {
		ssize_t got = l->ops->read(l->ctx, l->in, sizeof(l->in), deadline);

		if (got <= 0)
			return got;
		l->at = 0;
		l->n = (size_t)got;
	}
	for (; n < room && l->at < l->n; n++) {
		char c = l->in[l->at];

		if (c == '\n' && l->form == LINES_UNKNOWN)
			l->form = l->cr ? LINES_CRLF : LINES_LF;
		if (c == '\n' && !l->cr && l->form == LINES_LF)
			c = '\r';
		else
			l->at++;
		l->cr = c == '\r';
		p[n] = c;
	}
	return (ssize_t)n;
}

static ssize_t
lines_write(void *ctx, const void *from, size_t n, int64_t deadline)
{
	struct smtpd_lines *l = ctx;

	return l->ops->write(l->ctx, from, n, deadline);
}

const struct stream_ops smtpd_lines_ops = { lines_read, lines_write };
