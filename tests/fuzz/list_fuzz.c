/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-04.  What is made of the headers of strangers: that of a mailing list, the
 * answer of a mailbox, encoded words, and records of DMARC.
 *
 * Parsers: mail/list.c mail/answer.c mail/encoded.c mail/dmarc.c.
 */

#include "fuzz.h"

#include "mail/answer.h"
#include "mail/dmarc.h"
#include "mail/encoded.h"
#include "mail/header.h"
#include "mail/list.h"

/* Fields named NAME in the header of TEXT. */
static unsigned
count(struct str text, const char *name)
{
	struct field f;
	unsigned n = 0;

	while (field_next(&text, &f) == 1)
		n += str_ieq(f.name, str_c(name));
	return n;
}

static void
make_list(struct str text, bool from_list, bool reply)
{
	static const char *const fields[] = { "List-Help: <mailto:h@x.org>" };
	struct list_form f = { .name = STR("dev"), .id = STR("dev.x.org"),
		.address = STR("dev@x.org"), .prefix = STR("[dev]"),
		.fields = fields, .field_n = 1, .reply_to_list = reply,
		.from_list = from_list, .received = STR("Received: by x\r\n") };
	struct str made;
	struct buf b;
	size_t body;

	buf_init(&b, 16 * text.n + 65536);
	body = list_header_add(&b, text, &f);
	check(buf_ok(&b) && body <= text.n);
	made = buf_str(&b);
	/* What it adds stands there once, whatever came. */
	check(count(made, "List-Id") == 1 && count(made, "List-Post") == 1);
	check(count(made, "List-Help") == 1 && count(made, "Precedence") == 1);
	check(count(made, "Return-Path") == 0);
	check(!reply || count(made, "Reply-To") == 1);
	check(count(made, "Bcc") <= count(text, "Bcc"));
	check(str_ends(made, STR("\r\n\r\n")));
	buf_free(&b);
}

static void
make_answer(struct str text)
{
	struct answer_form f = { .from = { STR("a"), STR("x.org") },
		.to = { STR("b"), STR("y.org") }, .original = text, .text = text,
		.message_id = STR("1@x.org") };
	struct buf b;

	buf_init(&b, 4 * text.n + 65536);
	answer_add(&b, &f);
	check(buf_ok(&b));
	check(count(buf_str(&b), "Auto-Submitted") == 1);
	check(count(buf_str(&b), "Subject") == 1 && count(buf_str(&b), "To") == 1);
	check(count(buf_str(&b), "Bcc") == 0 && count(buf_str(&b), "Cc") == 0);
	buf_free(&b);
}

static void
decode(struct str text)
{
	struct buf b;

	buf_init(&b, 4 * text.n + 16);
	if (encoded_decode(&b, text))
		check(str_is_utf8(buf_str(&b)) && !str_has_ctl(buf_str(&b)));
	else
		check(b.n == 0);
	buf_free(&b);
}

static void
walk(struct str text)
{
	struct dmarc d;
	unsigned looked = 1;

	if (dmarc_parse(text, &d))
		check(dmarc_asks(&d, true) <= DMARC_REJECT &&
		    dmarc_asks(&d, false) <= DMARC_REJECT);
	while ((text = dmarc_next(text, looked)).n > 0)
		looked++;
	check(looked <= DMARC_WALK_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);

	if (n > 20000)
		return 0;
	make_list(text, false, false);
	make_list(text, true, true);
	make_answer(text);
	decode(text);
	walk(text);
	return 0;
}
