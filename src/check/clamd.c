/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * clamd -- ClamAV's server, by INSTREAM.
 *
 *	zINSTREAM NUL				stream: OK NUL
 *	length (4 octets) and so much text	stream: Eicar-Signature FOUND NUL
 *	... and at last a length of 0		stream: (why not) ERROR NUL
 *
 * A text that is longer than its StreamMaxLength is answered before all of it
 * was sent.
 */

#include "scan_kinds.h"

static void
head(const struct scan *s UNUSED, struct buf *out)
{
	buf_add(out, str_n("zINSTREAM", sizeof("zINSTREAM")));
}

static void
before(struct buf *out, size_t n)
{
	const char octets[4] = { (char)(n >> 24 & 255), (char)(n >> 16 & 255),
		(char)(n >> 8 & 255), (char)(n & 255) };

	buf_add(out, str_n(octets, sizeof(octets)));
}

static void
tail(struct buf *out)
{
	before(out, 0);
}

/* Takes WORD off the end of *S. */
static bool
ends_in(struct str *s, struct str word)
{
	if (!str_ends(*s, word))
		return false;
	*s = str_trim(str_head(*s, s->n - word.n));
	return true;
}

static enum scan_state
take_head(struct scan *s, struct str head)
{
	struct str line = str_trim(head);

	if (str_starts(line, STR("stream:")))
		line = str_trim(str_skip(line, 7));
	if (ends_in(&line, STR(" FOUND")) && line.n > 0) {
		s->v.result = SCAN_VIRUS;
		scan_say(s, line);
		return SCAN_DONE;
	}
	if (str_eq(line, STR("OK"))) {
		s->v.result = SCAN_CLEAN;
		return SCAN_DONE;
	}
	if (str_starts(line, STR("INSTREAM size limit exceeded")))
		return scan_broken(s, "the message is longer than its StreamMaxLength");
	return scan_broken(s, ends_in(&line, STR("ERROR")) ? "it says that it cannot" :
							    "it does not speak as clamd does");
}

const struct scan_kind_ops scan_clamd = { .head_end = "", .head_end_n = 1,
	.head_is_all = true, .head = head, .before = before, .tail = tail,
	.take_head = take_head };
