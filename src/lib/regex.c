/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * regex -- PCRE2 for patterns that an administrator wrote and text that
 * strangers send.
 *
 * Compiled once, into an arena; without the just-in-time compiler, which
 * wants memory that can be written and run.  A pattern that backtracks
 * without end (CVE-2016-1283's kind) meets limits of steps, depth and memory
 * that no pattern for an address needs; then it fits nothing.  Neither does
 * it fit what is no UTF-8.
 */

#include "lib/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/log.h"

/* An address of 320 octets needs a few thousand steps of a sane pattern. */
#define STEPS_MAX 100000
#define DEPTH_MAX 1000
#define HEAP_MAX_KIB 1024

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	char *text;
};

static void *
from_arena(size_t n, void *arena)
{
	return arena_alloc(arena, n);
}

static void
to_arena(void *p, void *arena)
{
	/* It goes with the arena. */
	(void)p;
	(void)arena;
}

static void
say(struct buf *error, int code, size_t at)
{
	PCRE2_UCHAR words[256];

	if (pcre2_get_error_message(code, words, sizeof(words)) < 0)
		words[0] = '\0';
	buf_addf(error, "%s, behind %zu characters", (const char *)words, at);
}

struct regex *
regex_new(struct arena *a, struct str text, struct buf *error)
{
	const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED |
	    PCRE2_CASELESS | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
	pcre2_general_context *all =
	    pcre2_general_context_create(from_arena, to_arena, a);
	pcre2_compile_context *how = pcre2_compile_context_create(all);
	struct regex *r = arena_alloc(a, sizeof(*r));
	PCRE2_SIZE at = 0;
	int code = 0;

	r->code = pcre2_compile((PCRE2_SPTR)text.p, text.n, options, &code,
	    &at, how);
	if (r->code == NULL) {
		say(error, code, at);
		return NULL;
	}
	r->text = arena_cstr(a, text);
	r->limits = pcre2_match_context_create(all);
	pcre2_set_match_limit(r->limits, STEPS_MAX);
	pcre2_set_depth_limit(r->limits, DEPTH_MAX);
	pcre2_set_heap_limit(r->limits, HEAP_MAX_KIB);
	return r;
}

bool
regex_fits(const struct regex *r, struct str s)
{
	pcre2_match_data *found;
	int n;

	if (!str_is_utf8(s))
		return false;
	/*
	 * Where it fits is not asked, so one pair is enough.  From the heap:
	 * an arena would grow with each match.
	 */
	found = pcre2_match_data_create(1, NULL);
	n = pcre2_match(r->code, (PCRE2_SPTR)(s.p != NULL ? s.p : ""), s.n, 0,
	    PCRE2_NO_JIT, found, r->limits);
	pcre2_match_data_free(found);
	if (n < 0 && n != PCRE2_ERROR_NOMATCH)
		log_warn(NULL, "the pattern /%s/ gives up on " STR_FMT
		    ": it takes too long (%d)", r->text, STR_ARG(s), n);
	return n >= 0;
}
