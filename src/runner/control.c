/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * control -- hints that come in by the channel, and orders by another.
 *
 * Every session can send hints, and ask for the mail of a domain to be tried
 * now (ETRN), of which only so much is done; an order comes by a channel that no session
 * has, so that one that was taken over can steer nothing.  Questions are
 * answered here, at once; what changes the queue is the business of steer.
 * Whatever is no valid frame is dropped: sessions share the channel, and a
 * bad one must not silence the rest.
 */

#include "control.h"

#include <errno.h>
#include <unistd.h>

#include "dest.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/path.h"
#include "queue/queue.h"
#include "queue/tray.h"
#include "runner.h"

/* Packets taken at one event: deliveries want their turn too. */
#define PACKETS_MAX 256
/* Requests for the mail of a domain, in that time. */
#define ETRNS_MAX 32
#define ETRN_MS 10000
/* ... while so many orders stand in line, of these or others: none more. */
#define ETRN_BEHIND_MAX 4

/* ---- answers ----------------------------------------------------------------------- */

void
control_reply(int fd, bool ok, uint64_t count, struct str text)
{
	if (fd < 0)
		return;
	msg_control_answer(fd, ok, count, text);
	close(fd);
}

static void
status_answer(const struct runner *r, int fd)
{
	struct buf b;

	buf_init(&b, 1024);
	buf_addf(&b,
	    "runner.%zu.queued %zu\nrunner.%zu.active %zu\n"
	    "runner.%zu.connections %zu\nrunner.%zu.destinations %zu\n",
	    r->number, index_count(r->index), r->number, r->job_n, r->number,
	    r->conn_n, r->number, map_count(r->dests.all));
	control_reply(fd, true, 0, buf_str(&b));
	buf_free(&b);
}

/* Those that are loaded: what is left of a line behind them is not. */
static void
active_answer(const struct runner *r, int fd)
{
	struct buf b;

	buf_init(&b, CONTROL_TEXT_MAX);
	for (const struct job *j = r->jobs;
	     j != NULL && b.n + QUEUE_ID_SIZE <= CONTROL_TEXT_MAX; j = j->next)
		buf_addf(&b, "%s\n", j->id);
	control_reply(fd, true, r->job_n, buf_str(&b));
	buf_free(&b);
}

static void
order(struct runner *r, const struct msg_control *m, int fd)
{
	switch (m->op) {
	case CONTROL_STATUS:
		status_answer(r, fd);
		return;
	case CONTROL_ACTIVE:
		active_answer(r, fd);
		return;
	case CONTROL_DESTS:
		view_answer(r, m->domain, fd);
		return;
	case CONTROL_FLUSH:
	case CONTROL_HOLD:
	case CONTROL_RELEASE:
	case CONTROL_DELETE:
	case CONTROL_BOUNCE:
	case CONTROL_CHANGE:
		steer_start(r, m, fd);
		return;
	case CONTROL_RELOAD:
	case CONTROL_STOP:
	case CONTROL_LIST:
	case CONTROL_USER:
	case CONTROL_BLOCK:
	case CONTROL_UNBLOCK:
	case CONTROL_BLOCKS:
	case CONTROL_AUTH:
	case CONTROL_SERVICE:
	case CONTROL_COLLECT:
		break;
	}
	control_reply(fd, false, 0, STR("a runner cannot do that\n"));
}

/* ---- packets ------------------------------------------------------------------------ */

/*
 * Looking through the queue is work, and any session can ask for it, whether its
 * client may or not.  A long queue takes longer than they come; each that waits
 * has a descriptor, and whoever steers the queue waits behind them.
 */
static bool
etrn_allowed(struct runner *r)
{
	int64_t now = clock_ms();

	if (steer_waiting(r) >= ETRN_BEHIND_MAX)
		return false;
	if (now - r->etrn_since_ms > ETRN_MS) {
		r->etrn_since_ms = now;
		r->etrns = 0;
	}
	return r->etrns++ < ETRNS_MAX;
}

static void
take_etrn(struct runner *r, const struct msg_etrn *m, int fd)
{
	struct msg_control *order;

	if (!domain_valid(m->domain) || !etrn_allowed(r)) {
		control_reply(fd, false, 0, STR(""));
		return;
	}
	order = mem_alloc(sizeof(*order));
	*order = (struct msg_control){ .op = CONTROL_FLUSH,
		.domain = m->domain };
	steer_start(r, order, fd);
	mem_free(order);
}

static void
take_hint(struct runner *r, struct str bytes, int fd)
{
	struct msg_hint hint;
	struct msg_etrn etrn;
	char id[QUEUE_ID_SIZE] = "";

	if (msg_etrn_get(bytes, &etrn)) {
		take_etrn(r, &etrn, fd);
		return;
	}
	if (!msg_hint_get(bytes, &hint))
		channel_complain("a hint of new mail");
	else if (queue_id_valid(hint.id))
		memcpy(id, hint.id.p, QUEUE_ID_LEN);
	if (id[0] != '\0' && hint.tray != 0)
		queue_tray_hint(r->queue, id, hint.tray);
	if (id[0] != '\0' && runner_of(id, r->count) == r->number)
		runner_learn(r, id, QUEUE_NEW, 0, false);
	if (fd >= 0)
		close(fd);
}

static void
take_order(struct runner *r, struct str bytes, int fd)
{
	struct msg_control *m = mem_alloc(sizeof(*m));

	if (msg_control_get(bytes, m)) {
		order(r, m, fd);
	} else {
		channel_complain("an order");
		if (fd >= 0)
			close(fd);
	}
	mem_free(m);
}

/* False at the end of the channel. */
static bool
take_packets(struct runner *r, int from,
    void (*take)(struct runner *r, struct str bytes, int fd))
{
	int fd, got = 1;

	for (int i = 0; i < PACKETS_MAX && got > 0; i++) {
		got = channel_recv(from, &r->packet, &fd);
		if (got > 0)
			take(r, buf_str(&r->packet), fd);
	}
	return got >= 0;
}

static void
on_channel(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct runner *r = arg;

	if (!take_packets(r, r->channel, take_hint)) {
		log_warn(NULL, "the channel is closed: only scans find mail");
		loop_io_want(r->channel_io, false, false);
	}
	runner_take_up(r);
}

static void
on_orders(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct runner *r = arg;

	/* Only the master has the other end; it may have died before main(). */
	if (!take_packets(r, r->orders, take_order)) {
		loop_io_want(r->orders_io, false, false);
		if (!r->stopping)
			log_warn(NULL, "the master is gone: this runner ends");
		runner_stop(r);
	}
	runner_take_up(r);
}

void
control_start(struct runner *r)
{
	buf_init(&r->packet, FRAME_MAX);
	if (r->channel < 0)
		return;
	r->channel_io = loop_io_new(r->loop, r->channel, on_channel, r);
	loop_io_want(r->channel_io, true, false);
	r->orders_io = loop_io_new(r->loop, r->orders, on_orders, r);
}

void
control_take_orders(struct runner *r)
{
	if (r->orders_io != NULL)
		loop_io_want(r->orders_io, true, false);
}

void
control_leave_hints(struct runner *r)
{
	if (r->channel_io != NULL)
		loop_io_want(r->channel_io, false, false);
}

void
control_stop(struct runner *r)
{
	loop_io_free(r->channel_io);
	loop_io_free(r->orders_io);
	r->channel_io = r->orders_io = NULL;
	buf_free(&r->packet);
}
