/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_form -- the forms of header fields that are signed.
 *
 * The simple form is the field as it stands.  In the relaxed one its name is in
 * lower case, it is one line, and each run of white space is a space, at the
 * ends of the value nothing.  Neither is longer than the field, but for a line
 * end that the last field of a header lacks.
 */

#include "mail/dkim_form.h"

#include "grammar.h"

static bool
is_blank(char c)
{
	return is_wsp(c) || c == '\r' || c == '\n';
}

/* What stands before "b=" and what behind it may both end in white space. */
static void
add_relaxed(struct buf *b, struct str name, struct str value, struct str more)
{
	const struct str parts[] = { value, more };
	bool space = false, some = false;

	buf_add_lower(b, name);
	buf_addc(b, ':');
	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		for (size_t i = 0; i < parts[k].n; i++) {
			char c = parts[k].p[i];

			if (is_blank(c)) {
				space = space || is_wsp(c);
				continue;
			}
			if (space && some)
				buf_addc(b, ' ');
			space = false;
			some = true;
			buf_addc(b, c);
		}
	}
}

void
dkim_form_add(struct buf *b, const struct field *f, bool relaxed)
{
	if (relaxed)
		add_relaxed(b, f->name, f->value, STR(""));
	else
		buf_add(b, str_n(f->raw.p, (size_t)(f->value.p - f->raw.p) + f->value.n));
	buf_add(b, STR("\r\n"));
}

void
dkim_form_add_own(struct buf *b, const struct field *f, struct str cut, bool relaxed)
{
	struct str before = f->value, more = STR("");

	if (cut.n > 0) {
		size_t at = (size_t)(cut.p - f->value.p);

		before = str_head(f->value, at);
		more = str_skip(f->value, at + cut.n);
	}
	if (relaxed) {
		add_relaxed(b, f->name, before, more);
		return;
	}
	buf_add(b, str_n(f->raw.p, (size_t)(f->value.p - f->raw.p)));
	buf_add(b, before);
	buf_add(b, more);
}
