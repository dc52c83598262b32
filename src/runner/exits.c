/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * exits -- what the end of a program means for the mail that it was given.
 *
 * The statuses of sysexits(3) mean what they mean to Postfix and sendmail, and
 * any other but 0 is for good, too.  Where the output begins with an enhanced
 * code (RFC 3463) that one counts, and what stands behind it is the text.  What
 * is no end of the program's own (a signal, the time-out, no start) passes.
 */

#include "exits.h"

#include <signal.h>
#include <sysexits.h>

struct meaning {
	unsigned code;
	const char *status;
	const char *words;
};

static const struct meaning meanings[] = {
	{ EX_USAGE, "5.3.0", "command line usage error" },
	{ EX_DATAERR, "5.6.0", "data format error" },
	{ EX_NOINPUT, "5.3.0", "cannot open input" },
	{ EX_NOUSER, "5.1.1", "user unknown" },
	{ EX_NOHOST, "5.1.2", "host name unknown" },
	{ EX_UNAVAILABLE, "5.3.0", "service unavailable" },
	{ EX_SOFTWARE, "5.3.0", "internal software error" },
	{ EX_OSERR, "4.3.0", "system resource problem" },
	{ EX_OSFILE, "5.3.0", "critical OS file missing" },
	{ EX_CANTCREAT, "5.2.0", "cannot create user output file" },
	{ EX_IOERR, "5.3.0", "input/output error" },
	{ EX_TEMPFAIL, "4.3.0", "temporary failure" },
	{ EX_PROTOCOL, "5.5.0", "remote error in protocol" },
	{ EX_NOPERM, "5.7.0", "permission denied" },
	{ EX_CONFIG, "5.3.5", "local configuration error" },
};

static const struct meaning *
meaning_of(uint64_t code)
{
	static const struct meaning unknown = { 0, "5.3.0",
		"unknown mail system error" };

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].code == code)
			return &meanings[i];
	return &unknown;
}

static size_t
digits(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
		n++;
	return n;
}

/* The length of the enhanced code of a failure that TEXT begins with, or 0. */
static size_t
enhanced_length(struct str text)
{
	size_t subject, detail, end;

	if (text.n < 5 || (text.p[0] != '4' && text.p[0] != '5') ||
	    text.p[1] != '.')
		return 0;
	subject = digits(text, 2);
	if (subject == 0 || subject > 3 || 2 + subject >= text.n ||
	    text.p[2 + subject] != '.')
		return 0;
	detail = digits(text, 3 + subject);
	end = 3 + subject + detail;
	if (detail == 0 || detail > 3 || (end < text.n && text.p[end] != ' '))
		return 0;
	return end;
}

/* A program writes what it likes; a report and a log have one line of text. */
static void
add_clean(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_addc(b, text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] :
		    text.p[i] == '\t' ? ' ' : '?');
}

static void
add_output(struct buf *b, struct str text)
{
	if (text.n == 0)
		return;
	buf_adds(b, ". Command output: ");
	add_clean(b, text);
}

static struct result
result_of(enum outcome o, const char *status, struct buf *words)
{
	struct result res = result_words(o, status, buf_str(words));

	res.relay = STR("pipe");
	return res;
}

static struct result
exited(const struct msg_spawn_result *m, const char *path, struct buf *words)
{
	const struct meaning *is = meaning_of(m->code);
	size_t n = enhanced_length(m->text);
	char status[12] = "";

	if (m->code == 0) {
		if (path != NULL)
			buf_addf(words, "delivered to program %s", path);
		else
			add_clean(words, m->text);
		return result_of(DELIVERED, "2.0.0", words);
	}
	if (n == 0) {
		buf_adds(words, is->words);
		add_output(words, m->text);
		return result_of(is->status[0] == '4' ? TEMPFAIL : PERMFAIL,
		    is->status, words);
	}
	memcpy(status, m->text.p, n);
	if (str_trim(str_skip(m->text, n)).n > 0)
		add_clean(words, str_trim(str_skip(m->text, n)));
	else
		buf_adds(words, is->words);
	return result_of(status[0] == '4' ? TEMPFAIL : PERMFAIL, status, words);
}

struct result
exits_result(const struct msg_spawn_result *m, const char *path,
    struct buf *words)
{
	switch (m->end) {
	case SPAWN_EXITED:
		return exited(m, path, words);
	case SPAWN_KILLED:
		path = path != NULL ? path : "the command";
		buf_addf(words, "%s was killed by signal %u (%s)", path,
		    (unsigned)m->code, m->code < NSIG ?
			strsignal((int)m->code) : "no signal");
		add_output(words, m->text);
		return result_of(TEMPFAIL, "4.3.0", words);
	case SPAWN_TIMEOUT:
		path = path != NULL ? path : "the command";
		buf_addf(words, "%s took too long and was killed", path);
		add_output(words, m->text);
		return result_of(TEMPFAIL, "4.3.0", words);
	case SPAWN_FAILED:
		break;
	}
	buf_adds(words, "the program was not run: ");
	add_clean(words, m->text);
	return result_of(TEMPFAIL, "4.3.5", words);
}
