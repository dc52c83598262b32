/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * far -- a mailbox that another process has open (near.c), as POP3 sees it.
 *
 * The list is asked for at once, and kept; sizes are asked for when somebody
 * wants one, with those of the messages behind it; a message comes as a
 * descriptor.  What was marked is said at the end only, so that nothing goes
 * with a session that does not come to it.  That process is as little believed
 * as a file of the account: what it says is looked at, and what is not as it
 * should be is EPROTO.
 */

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "ipc/channel.h"
#include "ipc/msg_box.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mailbox.h"

/* Disks may be slow, and mailboxes large; but somebody waits. */
#define ANSWER_MS (600 * 1000)
#define CLOSE_MS 5000
#define SIZES_MAX 512
/* Octets of marks in a packet. */
#define MARKS_MAX 32768
/* As of one that we have open ourselves. */
#define ENTRIES_MAX 1000000
#define ERRNO_MAX 4095

static int
refuse(void)
{
	errno = EPROTO;
	return -1;
}

/*
 * Asks Q; R's lines are in B, and *PASS is what came along.  -1: errno; what
 * was answered besides is in R.
 */
static int
ask(const struct maildir *m, const struct msg_box *q, int ms, struct buf *b,
    struct msg_box_result *r, int *pass)
{
	struct buf packet;
	int got;

	*pass = -1;
	*r = (struct msg_box_result){ 0 };
	buf_init(&packet, FRAME_MAX);
	msg_box_put(&packet, q);
	got = channel_call_for(m->far, buf_str(&packet), clock_ms() + ms, b, pass);
	buf_free(&packet);
	if (got < 0)
		return -1;
	if (!msg_box_result_get(buf_str(b), r) || r->error > ERRNO_MAX)
		return refuse();
	errno = (int)r->error;
	return r->error == 0 ? 0 : -1;
}

/* The same, where no descriptor is to come. */
static int
ask_words(const struct maildir *m, const struct msg_box *q, int ms, struct buf *b,
    struct msg_box_result *r)
{
	int pass, got = ask(m, q, ms, b, r, &pass), e = errno;

	if (pass >= 0)
		sys_close(pass);
	errno = e;
	return got;
}

/* ---- the list ---------------------------------------------------------------- */

/* LINE is "SECONDS.UIDL". */
static bool
add_entry(struct maildir *m, struct str line)
{
	struct maildir_entry *e = &m->v[m->n];
	struct str seconds, uidl;
	uint64_t n;

	if (!str_cut(line, '.', &seconds, &uidl) ||
	    str_u64(seconds, INT64_MAX, &n) < 0 || !maildir_is_uidl(uidl))
		return false;
	*e = (struct maildir_entry){ .name = arena_cstr(&m->arena, line) };
	e->uidl = e->name + seconds.n + 1;
	m->n++;
	return true;
}

/* What stands in LINES, of TOTAL messages: at least one more, or it is no list. */
static int
add_entries(struct maildir *m, struct str lines, size_t total)
{
	size_t before = m->n;
	struct str line;

	while (lines.n > 0) {
		if (m->n == total || !str_cut(lines, '\n', &line, &lines) ||
		    !add_entry(m, line))
			return refuse();
	}
	return m->n > before || m->n == total ? 0 : refuse();
}

static int
take_list(struct maildir *m, struct buf *b)
{
	struct msg_box q = { .op = BOX_LIST };
	struct msg_box_result r;
	uint64_t total = 0;

	do {
		q.first = m->n;
		if (ask_words(m, &q, ANSWER_MS, b, &r) < 0)
			return -1;
		if (r.n > ENTRIES_MAX || (m->v != NULL && r.n != total))
			return refuse();
		total = r.n;
		if (m->v == NULL)
			m->v = mem_array((size_t)total + 1, sizeof(*m->v));
		if (add_entries(m, r.lines, (size_t)total) < 0)
			return -1;
	} while (m->n < total);
	return 0;
}

int
far_open(struct maildir *m)
{
	struct buf b;
	int r, e;

	buf_init(&b, FRAME_MAX);
	r = take_list(m, &b);
	e = errno;
	buf_free(&b);
	if (r < 0)
		maildir_close(m);
	errno = e;
	return r;
}

void
far_close(struct maildir *m)
{
	const struct msg_box q = { .op = BOX_CLOSE };
	struct msg_box_result r;
	struct buf b;

	if (m->far < 0)
		return;
	/* Who is told that it is closed may open it again. */
	buf_init(&b, FRAME_MAX);
	(void)!ask_words(m, &q, CLOSE_MS, &b, &r);
	buf_free(&b);
	sys_close(m->far);
	m->far = -1;
}

/* ---- messages ------------------------------------------------------------------ */

int
far_read(struct maildir *m, size_t i)
{
	const struct msg_box q = { .op = BOX_OPEN, .first = i };
	struct msg_box_result r;
	struct stat st;
	struct buf b;
	int fd, got;

	buf_init(&b, FRAME_MAX);
	got = ask(m, &q, ANSWER_MS, &b, &r, &fd);
	buf_free(&b);
	if (got == 0 && fd >= 0 && sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	got = got < 0 ? errno : EPROTO;
	if (fd >= 0)
		sys_close(fd);
	errno = got;
	return -1;
}

/* LINES are the sizes from I on, of those that are there; one at least. */
static int
take_sizes(struct maildir *m, size_t i, struct str lines)
{
	struct str line;
	uint64_t size;

	if (lines.n == 0)
		return refuse();
	for (; lines.n > 0; i++) {
		if (i == m->n || !str_cut(lines, '\n', &line, &lines))
			return refuse();
		if (m->asked <= i)
			m->asked = i + 1;
		if (str_eq(line, STR("-")) || m->v[i].sized)
			continue;
		if (str_u64(line, INT64_MAX / 4, &size) < 0)
			return refuse();
		m->v[i].size = size;
		m->v[i].sized = true;
	}
	return 0;
}

int
far_size(struct maildir *m, size_t i, uint64_t *size)
{
	/* Who has asked for one before is told of that one alone. */
	struct msg_box q = { .op = BOX_SIZES, .first = i,
		.n = i >= m->asked ? SIZES_MAX : 1 };
	struct msg_box_result r;
	struct buf b;
	int got;

	buf_init(&b, FRAME_MAX);
	got = ask_words(m, &q, ANSWER_MS, &b, &r);
	if (got == 0)
		got = take_sizes(m, i, r.lines);
	buf_free(&b);
	if (got == 0 && !m->v[i].sized) {
		errno = ENOENT;
		got = -1;
	}
	*size = m->v[i].size;
	return got;
}

/* ---- what goes ------------------------------------------------------------------ */

/* Says which of the messages from FIRST on are marked; how many these are, or -1. */
static ssize_t
send_marks(const struct maildir *m, size_t first, struct buf *b)
{
	unsigned char bits[MARKS_MAX] = { 0 };
	struct msg_box q = { .op = BOX_MARK, .first = first };
	struct msg_box_result r;
	size_t end = 0;
	ssize_t n = 0;

	for (size_t i = first; i < m->n && i - first < sizeof(bits) * CHAR_BIT; i++) {
		if (!m->v[i].deleted)
			continue;
		end = (i - first) / CHAR_BIT;
		bits[end++] |= (unsigned char)(1u << (i - first) % CHAR_BIT);
		n++;
	}
	q.marks = str_n((const char *)bits, end);
	if (n > 0 && ask_words(m, &q, ANSWER_MS, b, &r) < 0)
		return -1;
	return n;
}

static size_t
count_marked(const struct maildir *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->v[i].deleted;
	return n;
}

size_t
far_expunge(struct maildir *m)
{
	const struct msg_box q = { .op = BOX_REMOVE };
	size_t marked = count_marked(m), left = marked;
	struct msg_box_result r = { 0 };
	ssize_t n = 0;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	for (size_t i = 0; i < m->n && n >= 0; i += (size_t)MARKS_MAX * CHAR_BIT)
		n = send_marks(m, i, &b);
	if (marked == 0 || (n >= 0 && ask_words(m, &q, ANSWER_MS, &b, &r) == 0))
		left = 0;
	else if (r.error != 0 && r.n > 0 && r.n < marked)
		left = (size_t)r.n;
	buf_free(&b);
	return left;
}
