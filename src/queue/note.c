/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * note -- what became of the attempts, behind the text of a message.
 *
 * A line for each: "attempt: TIME RCPT STATUS RELAY[<SOURCE] REPLY" LF, where
 * an empty relay or status is "-" and a line end in the reply is "\n".  Notes
 * only explain; states decide.  So they are written without a sync, one
 * that was cut short by a crash is skipped, and a reader takes nothing in
 * them for granted.
 */

#include <errno.h>

#include "lib/mem.h"
#include "lib/sys.h"
#include "note.h"
#include "trays.h"

#define NOTE_KEY "attempt: "
#define REPLY_MAX 512
#define RELAY_MAX 512
#define SOURCE_MAX 64
/* A line has at most this: each octet of the reply may be escaped. */
#define NOTE_MAX (2 * REPLY_MAX + RELAY_MAX + SOURCE_MAX + 128)
/* Only the last so many octets of notes are looked at. */
#define NOTES_MAX (16u << 20)

static void
add_reply(struct buf *b, struct str s)
{
	s = str_head(s, REPLY_MAX);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_add(b, STR("\\n"));
		else if (s.p[i] == '\\')
			buf_add(b, STR("\\\\"));
		else if (str_has_ctl(str_n(s.p + i, 1)))
			buf_addc(b, '?');
		else
			buf_addc(b, s.p[i]);
	}
}

/* A word that is not empty and holds no space. */
static void
add_word(struct buf *b, struct str s)
{
	s = str_head(s, RELAY_MAX);
	for (size_t i = 0; i < s.n; i++)
		buf_addc(b, s.p[i] == ' ' || str_has_ctl(str_n(s.p + i, 1))
		    ? '?' : s.p[i]);
	if (s.n == 0)
		buf_addc(b, '-');
}

/* True if S can be nothing but an address: a relay has no such end. */
static bool
is_source(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdef.:", s.p[i]) == NULL ||
		    s.p[i] == '\0')
			return false;
	return s.n > 0 && s.n <= SOURCE_MAX;
}

int
queue_note(struct queue_file *f, const struct queue_attempt *a)
{
	struct buf b;
	int r = -1;

	buf_init(&b, NOTE_MAX + 1);
	if (f->torn)
		buf_addc(&b, '\n');
	buf_adds(&b, NOTE_KEY);
	buf_addu(&b, (uint64_t)a->time);
	buf_addc(&b, ' ');
	buf_addu(&b, a->rcpt);
	buf_addc(&b, ' ');
	add_word(&b, str_n(a->status, strnlen(a->status, sizeof(a->status))));
	buf_addc(&b, ' ');
	add_word(&b, a->relay);
	if (a->relay.n > 0 && is_source(a->source)) {
		buf_addc(&b, '<');
		buf_add(&b, a->source);
	}
	buf_addc(&b, ' ');
	add_reply(&b, a->reply);
	buf_addc(&b, '\n');
	if (!buf_ok(&b))
		errno = EINVAL;
	else if (tray_leave(f) == 0)
		r = sys_pwrite_all(f->fd, b.p, b.n, f->end);
	if (r == 0) {
		f->end += (off_t)b.n;
		f->torn = false;
	} else {
		/* Part of it may be there; the next one writes over it. */
		f->torn = true;
	}
	buf_free(&b);
	return r;
}

static struct str
get_word(struct str *rest)
{
	struct str word = str_word(rest);

	return str_eq(word, STR("-")) ? STR("") : word;
}

static struct str
get_reply(struct arena *a, struct str s)
{
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n)
			c = s.p[++i] == 'n' ? '\n' : s.p[i];
		to[n++] = c;
	}
	return str_n(to, n);
}

static bool
read_note(struct str line, size_t rcpt_n, struct note *n)
{
	struct str rest = str_skip(line, sizeof(NOTE_KEY) - 1);
	uint64_t time, rcpt;
	ptrdiff_t at;

	if (!str_starts(line, STR(NOTE_KEY)) ||
	    str_u64(str_word(&rest), INT64_MAX, &time) < 0 ||
	    str_u64(str_word(&rest), UINT32_MAX, &rcpt) < 0 || rcpt >= rcpt_n)
		return false;
	n->time = (int64_t)time;
	n->rcpt = (size_t)rcpt;
	n->status = get_word(&rest);
	n->relay = get_word(&rest);
	n->source = STR("");
	at = str_rfind(n->relay, '<');
	if (at > 0 && is_source(str_skip(n->relay, (size_t)at + 1))) {
		n->source = str_skip(n->relay, (size_t)at + 1);
		n->relay.n = (size_t)at;
	}
	/* str_word() left the space before the reply. */
	n->reply = str_starts(rest, STR(" ")) ? str_skip(rest, 1) : rest;
	return true;
}

/* Calls FN with the lines of CHUNK, which stands at AT; returns what it used. */
static size_t
scan_chunk(struct str chunk, off_t at, size_t rcpt_n,
    void (*fn)(void *arg, const struct note *n), void *arg)
{
	struct str line, rest = chunk;
	struct note n;
	size_t used = 0;

	while (str_cut(rest, '\n', &line, &rest)) {
		used = (size_t)(rest.p - chunk.p);
		if (!read_note(line, rcpt_n, &n))
			continue;
		n.at = at + (line.p - chunk.p);
		n.n = line.n;
		fn(arg, &n);
	}
	return used;
}

int
note_scan(const struct queue_file *f,
    void (*fn)(void *arg, const struct note *n), void *arg)
{
	off_t at = f->text_at + (off_t)f->size;
	ssize_t got;
	char *p;

	if (f->end <= at)
		return 0;
	if (f->end - at > (off_t)NOTES_MAX)
		at = f->end - (off_t)NOTES_MAX;
	p = mem_alloc(SPOOL_CHUNK);
	while ((got = sys_pread(f->fd, p, SPOOL_CHUNK, at)) > 0) {
		size_t used = scan_chunk(str_n(p, (size_t)got), at,
		    f->env.rcpt_n, fn, arg);

		/* No line is so long: this is none, or the torn last one. */
		at += used > 0 ? (off_t)used : got;
	}
	mem_free(p);
	return got < 0 ? -1 : 0;
}

int
note_fetch(const struct queue_file *f, off_t at, size_t n, struct arena *a,
    struct queue_attempt *to)
{
	char line[NOTE_MAX];
	struct note note;
	ssize_t got;

	if (n == 0 || n > sizeof(line))
		return 0;
	got = sys_pread(f->fd, line, n, at);
	if (got < 0)
		return -1;
	if (!read_note(str_n(line, (size_t)got), f->env.rcpt_n, &note))
		return 0;
	to->time = note.time;
	to->rcpt = note.rcpt;
	memset(to->status, 0, sizeof(to->status));
	if (note.status.n > 0 && note.status.n < sizeof(to->status))
		memcpy(to->status, note.status.p, note.status.n);
	to->relay = arena_str(a, note.relay);
	to->source = arena_str(a, note.source);
	to->reply = get_reply(a, note.reply);
	return 0;
}

/* Where the last note of each recipient stands. */
struct seen {
	off_t at;
	size_t n;
};

static void
see(void *arg, const struct note *n)
{
	struct seen *seen = arg;

	seen[n->rcpt] = (struct seen){ n->at, n->n };
}

int
queue_notes(const struct queue_file *f, struct arena *a,
    struct queue_attempt **last)
{
	size_t n = f->env.rcpt_n;
	struct seen *seen = mem_array(n, sizeof(*seen));
	int r = note_scan(f, see, seen);

	*last = arena_alloc(a, n * sizeof(**last));
	for (size_t i = 0; i < n; i++) {
		(*last)[i] = (struct queue_attempt){ .rcpt = i };
		(*last)[i].relay = (*last)[i].reply = STR("");
		(*last)[i].source = STR("");
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = note_fetch(f, seen[i].at, seen[i].n, a, &(*last)[i]);
	mem_free(seen);
	return r;
}
