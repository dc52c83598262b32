/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * facts -- one look at a text, line by line, whatever its pieces are.
 *
 * The header ends at the first empty line; a bare LF ends a line as well,
 * since that is what it becomes on the wire.  Does not know MIME: see
 * downgrade for what can be done about what is found here.
 */

#include "mail/facts.h"

#include "mail/limits.h"

void
facts_init(struct facts *f)
{
	*f = (struct facts){ 0 };
}

/* Octets of a line, without its LF. */
static void
add_part(struct facts *f, struct str s)
{
	if (s.n == 0)
		return;
	/* What stands behind a CR and is no LF leaves it alone. */
	if (f->cr || memchr(s.p, '\r', s.n - 1) != NULL)
		f->found |= FACT_BARE;
	f->cr = s.p[s.n - 1] == '\r';
	if (memchr(s.p, '\0', s.n) != NULL)
		f->found |= FACT_NUL;
	if (str_has_8bit(s))
		f->found |= f->in_body ? FACT_BODY_8BIT : FACT_HEADER_8BIT;
	f->line += s.n;
	if (f->line - f->cr > MAIL_LINE_MAX)
		f->found |= FACT_LONG;
	if (f->line - f->cr > SMTP_TEXT_LINE_MAX)
		f->found |= FACT_HUGE;
}

static void
end_line(struct facts *f)
{
	if (!f->cr)
		f->found |= FACT_BARE;
	if (f->line == f->cr)
		f->in_body = true;
	f->cr = false;
	f->line = 0;
}

void
facts_add(struct facts *f, struct str text)
{
	const char *lf;

	while (text.n > 0 && (lf = memchr(text.p, '\n', text.n)) != NULL) {
		add_part(f, str_head(text, (size_t)(lf - text.p)));
		text = str_skip(text, (size_t)(lf - text.p) + 1);
		end_line(f);
	}
	add_part(f, text);
}

unsigned
facts_end(struct facts *f)
{
	if (f->line > 0)
		f->found |= FACT_BARE;
	return f->found;
}
