/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * near -- has a mailbox open, as the account whose it is, for a session that
 * is another one.
 *
 * It does what is asked in ipc/msg_box.h, and nothing else: lists, sizes,
 * descriptors for reading, and at the end what is to be removed.  Numbers are
 * those of the list for as long as it lives.  Who asks may have been taken
 * over by a client, so whatever is not a question, or in the wrong order, is
 * the end; with that, or without anybody to ask, nothing is removed.
 */

#include <errno.h>
#include <poll.h>

#include "ipc/channel.h"
#include "ipc/msg_box.h"
#include "lib/clock.h"
#include "lib/sys.h"
#include "mailbox.h"

/* With the rest of a frame: a line has no more than 100. */
#define LINES_MAX (FRAME_MAX - 200)
/* Who wants the sizes of many has those that were found by then. */
#define SIZES_MS 1000

struct near {
	struct maildir box;
	int root;		/* it is opened by the first question; -1 then */
	bool open;
	struct buf lines;
	struct msg_box_result result;
	int pass;		/* goes with the answer; or -1 */
};

/* What is asked for went wrong. */
static bool
fail(struct near *s)
{
	s->result.error = errno != 0 ? (uint64_t)errno : EIO;
	return true;
}

static bool
open_box(struct near *s)
{
	int root = s->root;

	s->root = -1;
	if (root < 0)
		return s->open;
	s->open = maildir_open_at(&s->box, root) == 0;
	return s->open;
}

static bool
do_list(struct near *s, const struct msg_box *m)
{
	errno = EBADF;
	if (!open_box(s))
		return fail(s);
	s->result.n = s->box.n;
	for (size_t i = (size_t)m->first; i < s->box.n && s->lines.n < LINES_MAX; i++) {
		buf_addu(&s->lines, (uint64_t)maildir_arrival(&s->box, i));
		buf_addc(&s->lines, '.');
		maildir_uidl(&s->box, i, &s->lines);
		buf_addc(&s->lines, '\n');
	}
	return true;
}

static bool
do_sizes(struct near *s, const struct msg_box *m)
{
	int64_t until = clock_ms() + SIZES_MS;
	uint64_t size;

	for (size_t i = (size_t)m->first, k = 0; i < s->box.n && k < m->n &&
	    s->lines.n < LINES_MAX && (k == 0 || clock_ms() < until); i++, k++) {
		if (maildir_size(&s->box, i, &size) == 0)
			buf_addu(&s->lines, size);
		else
			buf_addc(&s->lines, '-');
		buf_addc(&s->lines, '\n');
	}
	return true;
}

static bool
do_open(struct near *s, const struct msg_box *m)
{
	if (m->first >= s->box.n)
		return false;
	s->pass = maildir_read(&s->box, (size_t)m->first);
	return s->pass >= 0 || fail(s);
}

static bool
do_mark(struct near *s, const struct msg_box *m)
{
	if (m->first > s->box.n)
		return false;
	for (size_t i = 0; i < m->marks.n * 8; i++) {
		if (((unsigned char)m->marks.p[i / 8] >> (i % 8) & 1) == 0)
			continue;
		if (i >= s->box.n - (size_t)m->first)
			return false;
		s->box.v[m->first + i].deleted = true;
	}
	return true;
}

static bool
do_remove(struct near *s)
{
	errno = 0;
	s->result.n = maildir_expunge(&s->box);
	return s->result.n == 0 || fail(s);
}

static bool
do_close(struct near *s)
{
	maildir_close(&s->box);
	s->open = false;
	return true;
}

/* False: nobody of ours asks so. */
static bool
serve(struct near *s, const struct msg_box *m)
{
	if (m->op == BOX_LIST)
		return do_list(s, m);
	if (!s->open)
		return false;
	switch (m->op) {
	case BOX_LIST:
	case BOX_SIZES:
		return do_sizes(s, m);
	case BOX_OPEN:
		return do_open(s, m);
	case BOX_MARK:
		return do_mark(s, m);
	case BOX_REMOVE:
		return do_remove(s);
	case BOX_CLOSE:
		break;
	}
	return do_close(s);
}

static bool
answer(struct near *s, int reply)
{
	struct buf packet;
	int r;

	s->result.lines = buf_str(&s->lines);
	buf_init(&packet, FRAME_MAX);
	msg_box_result_put(&packet, &s->result);
	r = buf_ok(&packet) ? channel_send(reply, buf_str(&packet), s->pass) : -1;
	buf_free(&packet);
	if (s->pass >= 0)
		sys_close(s->pass);
	return r == 0;
}

/* The question PACKET.  False: there will be no other. */
static bool
take(struct near *s, struct str packet, int reply)
{
	struct msg_box m;
	bool done;

	s->pass = -1;
	s->result = (struct msg_box_result){ 0 };
	buf_init(&s->lines, FRAME_MAX);
	done = reply >= 0 && msg_box_get(packet, &m) && serve(s, &m);
	if (!done)
		channel_complain("a question about a mailbox");
	done = done && answer(s, reply) && s->open;
	buf_free(&s->lines);
	return done;
}

void
maildir_serve(int root, int channel)
{
	struct near s = { .root = root };
	struct pollfd p = { .fd = channel, .events = POLLIN };
	struct buf packet;
	int reply, n = 0;

	buf_init(&packet, FRAME_MAX);
	for (bool goes_on = true; goes_on;) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			break;
		n = channel_recv(channel, &packet, &reply);
		goes_on = n == 0 || (n > 0 && take(&s, buf_str(&packet), reply));
		if (n > 0 && reply >= 0)
			sys_close(reply);
	}
	buf_free(&packet);
	if (s.open)
		maildir_close(&s.box);
	if (s.root >= 0)
		sys_close(s.root);
	sys_close(channel);
}
