/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dkim_verify -- `baridctl dkim verify`: whether the signatures of messages in
 * files are good, by DKIM and ARC, as a server would find them.
 *
 * A file whose lines end with LF alone is read as if they ended with CRLF, as
 * most programs keep mail; one with CRLF is taken octet by octet.
 */

#include "ctl.h"

#include <errno.h>
#include <sysexits.h>

#include "check/dkim.h"
#include "explain.h"
#include "lib/clock.h"
#include "mail/header.h"

#define MESSAGE_MAX ((size_t)256 << 20)
/* Of a report on one message. */
#define REPORT_MAX 65536

/* As it was on its way, if its first line says that it is not. */
static void
put_line_ends(struct buf *text)
{
	ptrdiff_t lf = str_find(buf_str(text), '\n');
	struct str rest, line;
	struct buf b;

	if (lf < 0 || (lf > 0 && text->p[lf - 1] == '\r'))
		return;
	buf_init(&b, 2 * MESSAGE_MAX);
	for (rest = buf_str(text); rest.n > 0;) {
		bool ended = str_cut(rest, '\n', &line, &rest);

		buf_add(&b, line);
		if (ended)
			buf_add(&b, STR("\r\n"));
	}
	buf_free(text);
	*text = b;
}

bool
message_read(const char *path, struct buf *text)
{
	buf_init(text, MESSAGE_MAX);
	if (!ctl_read_file(path, text)) {
		buf_free(text);
		return false;
	}
	put_line_ends(text);
	return true;
}

struct dkim_check *
message_check(struct str text, unsigned what)
{
	struct dkim_check *c = dkim_check_new(what, clock_wall());
	struct str header = header_whole(text);

	dkim_check_header(c, header);
	dkim_check_body(c, str_skip(text, header.n));
	dkim_check_end(c);
	return c;
}

static void
print(const struct ctl *t, struct dkim_check *c)
{
	struct results r = { .n = 0 };
	struct buf b;

	buf_init(&b, REPORT_MAX);
	dkim_check_results(c, STR(""), &r);
	if (t->json) {
		results_add_json(&b, &r);
		buf_addc(&b, '\n');
	} else {
		results_add_field(&b, t->conf->hostname, &r);
	}
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] != '\r')
			(void)putchar(b.p[i]);
	buf_free(&b);
}

/* What the exit status says of it: one good signature is enough. */
static int
code_of(const struct dkim_check *c)
{
	int code = 1;

	for (size_t i = 0; i < dkim_check_count(c); i++) {
		switch (dkim_check_verdict(c, i).result) {
		case DKIM_PASS:
			return EX_OK;
		case DKIM_TEMPERROR:
			code = EX_TEMPFAIL;
			break;
		default:
			break;
		}
	}
	return code;
}

static int
one_file(const struct ctl *t, const char *path)
{
	struct dkim_check *c;
	struct lookup *dns;
	struct buf text;
	int code;

	if (!message_read(path, &text)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return EX_NOINPUT;
	}
	c = message_check(buf_str(&text), DKIM_CHECK_DKIM | DKIM_CHECK_ARC);
	dns = lookup_new(t->conf);
	lookup_keys(dns, c);
	lookup_free(dns);
	print(t, c);
	code = code_of(c);
	dkim_check_free(c);
	buf_free(&text);
	return code;
}

int
ctl_dkim_verify(struct ctl *t, int argc, char **argv)
{
	int code = EX_OK, one;

	if (argc == 0)
		return one_file(t, "-");
	for (int i = 0; i < argc; i++) {
		one = one_file(t, argv[i]);
		if (code == EX_OK)
			code = one;
	}
	return code;
}
