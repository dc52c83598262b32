/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * places -- how much of each kind of question is worked at, and who waits for an
 * answer.
 *
 * Each kind has places of its own: who has names looked up whose DNS is silent
 * takes none of the others.  A place is free again when there is an answer, or
 * when nobody waits for it any more: a client that sends MAIL and RSET over and
 * over leaves nothing behind but what DNS has been asked, of which there is only
 * so much as well.  Who comes when all are taken waits, in turn, and beyond a
 * number nobody does: his session hears at once that there is no answer.
 */

#include "checkd.h"

#include <poll.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/frame.h"
#include "lib/mem.h"

/* Of each kind: questions that somebody waits for; and all that DNS has something of. */
#define OPEN_MAX 128
#define KEPT_MAX 512
#define WAITING_MAX 512
/* Those of them who are gone are not looked for more often. */
#define SWEEP_MS 100

struct place_waiting {
	struct place_waiting *next;
	take_fn *take;
	char *packet;
	size_t n;
	int reply;
};

/* ---- who waits for an answer ---------------------------------------------------------- */

/* Nothing comes this way but its end. */
static void
on_reply(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct waiter *w = arg;
	struct buf packet;
	int fd = -1, got;

	buf_init(&packet, FRAME_MAX);
	got = channel_recv(w->fd, &packet, &fd);
	buf_free(&packet);
	if (fd >= 0)
		close(fd);
	if (got != 0)
		w->gone(w->arg);
}

void
waiter_open(struct waiter *w, struct checkd *d, int reply, void (*gone)(void *arg), void *arg)
{
	*w = (struct waiter){ .fd = reply, .gone = gone, .arg = arg };
	w->io = loop_io_new(d->loop, reply, on_reply, w);
	loop_io_want(w->io, true, false);
}

void
waiter_close(struct waiter *w)
{
	if (w->fd < 0)
		return;
	loop_io_free(w->io);
	close(w->fd);
	*w = (struct waiter){ .fd = -1 };
}

void
waiter_answer(struct waiter *w, struct str packet)
{
	loop_io_free(w->io);
	question_answer(w->fd, packet);
	*w = (struct waiter){ .fd = -1 };
}

/* ---- places --------------------------------------------------------------------------- */

static bool
is_free(const struct places *p)
{
	return p->open < OPEN_MAX && p->kept < KEPT_MAX;
}

static bool
is_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0;
}

static void
waiting_free(struct place_waiting *w)
{
	mem_free(w->packet);
	mem_free(w);
}

static void
append(struct places *p, struct place_waiting *w)
{
	w->next = NULL;
	*(p->last != NULL ? &p->last->next : &p->first) = w;
	p->last = w;
	p->waiting++;
}

static struct place_waiting *
take_first(struct places *p)
{
	struct place_waiting *w = p->first;

	p->first = w->next;
	if (p->first == NULL)
		p->last = NULL;
	p->waiting--;
	return w;
}

/* Those who are gone make room for others. */
static void
sweep(struct places *p)
{
	int64_t now = clock_ms();

	if (now - p->swept_ms < SWEEP_MS)
		return;
	p->swept_ms = now;
	for (size_t n = p->waiting; n > 0; n--) {
		struct place_waiting *w = take_first(p);

		if (!is_gone(w->reply)) {
			append(p, w);
			continue;
		}
		close(w->reply);
		waiting_free(w);
	}
}

/* A question that is taken may be over at once, which is no reason to come here again. */
static void
go_on(struct checkd *d, struct places *p)
{
	if (p->busy)
		return;
	p->busy = true;
	while (p->first != NULL && is_free(p)) {
		struct place_waiting *w = take_first(p);

		if (is_gone(w->reply))
			close(w->reply);
		else
			w->take(d, str_n(w->packet, w->n), w->reply);
		waiting_free(w);
	}
	p->busy = false;
}

void
place_ask(struct checkd *d, enum place k, take_fn *take, struct str packet, int reply)
{
	struct places *p = &d->places[k];
	struct place_waiting *w;

	if (p->first == NULL && is_free(p)) {
		take(d, packet, reply);
		return;
	}
	if (p->waiting >= WAITING_MAX)
		sweep(p);
	if (p->waiting >= WAITING_MAX) {
		close(reply);
		return;
	}
	w = mem_alloc(sizeof(*w));
	*w = (struct place_waiting){ .take = take, .packet = mem_dup(packet), .n = packet.n,
		.reply = reply };
	append(p, w);
}

void
place_begin(struct checkd *d, enum place k)
{
	d->places[k].open++;
	d->places[k].kept++;
}

void
place_end(struct checkd *d, enum place k)
{
	d->places[k].open--;
	go_on(d, &d->places[k]);
}

void
place_forget(struct checkd *d, enum place k)
{
	d->places[k].kept--;
	go_on(d, &d->places[k]);
}

void
places_close(struct checkd *d)
{
	for (size_t k = 0; k < PLACES_N; k++)
		while (d->places[k].first != NULL) {
			struct place_waiting *w = take_first(&d->places[k]);

			close(w->reply);
			waiting_free(w);
		}
}
