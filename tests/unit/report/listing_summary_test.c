/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The summary by domain: who counts, in which column, in which order. */

#include "../../../src/report/listing_forms.h"

#include <stdlib.h>

#include "unit.h"

#define NOW INT64_C(1795222923000000)
#define MINUTE INT64_C(60000000)

static char *text;

static void
write_out(const struct summary *s, bool json)
{
	size_t n;
	FILE *out;

	free(text);
	ck_assert_ptr_nonnull(out = open_memstream(&text, &n));
	summary_write(s, json, out);
	fclose(out);
}

static void
add(struct summary *s, int64_t minutes, const char *from, const char *to,
    const char *also)
{
	struct envelope_rcpt rcpts[3] = {
		{ .state = RCPT_QUEUED, .path = { STR("x"), str_c(to) } },
		{ .state = RCPT_QUEUED, .path = { STR("y"), str_c(also) } },
		{ .state = RCPT_DONE, .path = { STR("z"), STR("done.example") } },
	};
	struct queue_file f = { .place = QUEUE_CUR,
		.env = { .arrival_us = NOW - minutes * MINUTE, .rcpts = rcpts,
		    .rcpt_n = 3, .from = { STR("s"), str_c(from) } } };

	summary_add(s, &f);
}

static struct summary *
filled(bool by_sender)
{
	struct summary *s = summary_new(by_sender, NOW);

	add(s, 0, "a.example", "one.example", "two.example");
	add(s, 4, "a.example", "ONE.example", "one.example");
	add(s, 5, "", "one.example", "b\x1b.example");
	add(s, 1279, "b.example", "one.example", "two.example");
	add(s, 1280, "b.example", "one.example", "two.example");
	/* From the future: the clock was set back. */
	add(s, -100, "b.example", "one.example", "two.example");
	return s;
}

START_TEST(by_recipient)
{
	struct summary *s = filled(false);

	write_out(s, false);
	ck_assert_str_eq(text,
	    "                                              T      5     10     20"
	    "     40     80    160    320    640   1280  1280+\n"
	    "                                 TOTAL       12      6      2      0"
	    "      0      0      0      0      0      2      2\n"
	    "                           one.example        7      4      1      0"
	    "      0      0      0      0      0      1      1\n"
	    "                           two.example        4      2      0      0"
	    "      0      0      0      0      0      1      1\n"
	    "                         b\\x1b.example        1      0      1      0"
	    "      0      0      0      0      0      0      0\n");
	write_out(s, true);
	ck_assert_ptr_nonnull(strstr(text, "{\"by\":\"recipient\",\"minutes\":"
	    "[5,10,20,40,80,160,320,640,1280],\"domains\":[{\"domain\":"
	    "\"one.example\",\"count\":7,\"ages\":[4,1,0,0,0,0,0,0,1,1]},"));
	summary_free(s);
}
END_TEST

START_TEST(by_sender)
{
	struct summary *s = filled(true);

	write_out(s, true);
	ck_assert_ptr_nonnull(strstr(text, "[{\"domain\":\"b.example\","
	    "\"count\":3,\"ages\":[1,0,0,0,0,0,0,0,1,1]},"
	    "{\"domain\":\"a.example\",\"count\":2,"));
	ck_assert_ptr_nonnull(strstr(text, "\"MAILER-DAEMON\",\"count\":1,"));
	summary_free(s);
	summary_free(NULL);
	s = summary_new(true, NOW);
	write_out(s, true);
	ck_assert_ptr_nonnull(strstr(text, "\"domains\":[]}\n"));
	summary_free(s);
	free(text);
}
END_TEST

UNIT_MAIN("report/listing_summary", by_recipient, by_sender)
