/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H

/*
 * asker -- what the rest of barid-check would be for one of its questions, and a
 * DNS of the test's own: it keeps what it is asked, and the test answers.
 */

#include "checkd/checkd.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/mem.h"
#include "unit.h"

static struct query {
	char name[300];
	void (*on_addr)(void *arg, const struct dns_addr_answer *a);
	void (*on_ptr)(void *arg, const struct dns_ptr_answer *a);
	void (*on_mx)(void *arg, const struct dns_mx_answer *a);
	void (*on_txt)(void *arg, const struct dns_txt_answer *a);
	void *arg;
} queries[64];
static size_t query_n;
static struct checkd *d;

static inline struct query *
query(const char *name, void *arg)
{
	struct query *q = &queries[query_n++];

	ck_assert_uint_le(query_n, ARRAY_LEN(queries));
	*q = (struct query){ .arg = arg };
	snprintf(q->name, sizeof(q->name), "%s", name);
	return q;
}

void
dns_txt(struct dns *dns UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_txt_answer *a), void *arg)
{
	query(name, arg)->on_txt = fn;
}

/* Makes D, which remembers nothing and was asked nothing. */
static inline void
asker_begin(void)
{
	d = mem_alloc(sizeof(*d));
	d->loop = loop_new();
	d->texts = answers_new();
	d->verdicts = answers_new();
	query_n = 0;
}

/* Whatever was asked of it has its answer. */
static inline void
asker_end(void)
{
	for (size_t k = 0; k < PLACES_N; k++) {
		ck_assert_uint_eq(d->places[k].open, 0);
		ck_assert_uint_eq(d->places[k].kept, 0);
	}
	answers_free(d->texts);
	answers_free(d->verdicts);
	loop_free(d->loop);
	conf_free(d->conf);
	mem_free(d);
}

void
question_answer(int reply, struct str packet)
{
	ck_assert_int_eq(channel_send(reply, packet, -1), 0);
	close(reply);
}

/* Has the question in B, which it frees, taken: the way to the answer. */
static inline int
asker_ask(struct buf *b, void (*take)(struct checkd *c, struct str packet, int reply))
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	take(d, buf_str(b), fds[1]);
	buf_free(b);
	return fds[0];
}

/* Who asked a question of that kind, the only one, does not wait for its answer. */
static inline void
asker_goes(int fd, enum place k)
{
	ck_assert_uint_eq(d->places[k].open, 1);
	close(fd);
	while (d->places[k].open > 0)
		loop_once(d->loop, true);
}

/* True if there is an answer, which is then in B; FD is closed. */
static inline bool
asker_answered(int fd, struct buf *b)
{
	int pass;

	if (channel_recv(fd, b, &pass) != 1)
		return false;
	close(fd);
	return true;
}

#endif
