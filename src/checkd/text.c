/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- the records of keys and policies that a session asks for.
 *
 * Its names are looked up all at once, within one time, and what DNS says of
 * each is kept as long as DNS says, within bounds.  A name without an answer by
 * then is TXT_TEMPORARY; that, and an answer that is none, is not kept.
 */

#include "checkd.h"

#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg_txt.h"
#include "lib/clock.h"
#include "lib/mem.h"

/* Names, and records of the largest size; what is known comes from elsewhere. */
#define ARENA_MAX_OCTETS ((size_t)MSG_TXT_NAMES_MAX * (MSG_TXT_NAME_MAX + 1024) + 65536)

struct inquiry {
	struct checkd *d;
	struct arena arena;
	struct str names[MSG_TXT_NAMES_MAX];	/* in lower case */
	struct msg_txt_result result;
	size_t pending;				/* names that DNS has */
	struct loop_timer *timer;
	struct waiter waiter;
};

/* A name that DNS has. */
struct asked {
	struct inquiry *i;
	size_t name;
};

static void
finish(struct inquiry *i)
{
	struct buf b;

	if (i->waiter.fd < 0)
		return;
	buf_init(&b, FRAME_MAX);
	msg_txt_result_put(&b, &i->result);
	waiter_answer(&i->waiter, buf_str(&b));
	buf_free(&b);
	place_end(i->d, PLACE_TEXTS);
}

/* Answers if all is there; the inquiry lives until DNS has nothing of it. */
static void
settle(struct inquiry *i)
{
	if (i->pending > 0)
		return;
	finish(i);
	place_forget(i->d, PLACE_TEXTS);
	loop_timer_free(i->timer);
	arena_free(&i->arena);
	mem_free(i);
}

static void
on_time(void *arg)
{
	finish(arg);
}

/* What DNS says is kept for the next. */
static void
on_gone(void *arg)
{
	struct inquiry *i = arg;

	waiter_close(&i->waiter);
	place_end(i->d, PLACE_TEXTS);
	settle(i);
}

/* ---- what is known ----------------------------------------------------------------- */

static void
keep(struct inquiry *i, size_t n, uint32_t ttl)
{
	const struct msg_txt_result r = { .answers = { i->result.answers[n] }, .answer_n = 1 };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_txt_result_put(&b, &r);
	answers_put(i->d->texts, i->names[n], buf_str(&b), keep_until(ttl));
	buf_free(&b);
}

/* Copies the records of A, as many as an answer may have. */
static void
take_texts(struct inquiry *i, struct txt_answer *to, const struct str *texts, size_t n)
{
	size_t octets = 0;

	for (size_t k = 0; k < n; k++)
		octets += texts[k].n;
	if (n > MSG_TXT_RECORDS_MAX || octets > MSG_TXT_NAME_MAX) {
		to->status = TXT_LARGE;
		return;
	}
	to->status = TXT_OK;
	for (to->text_n = 0; to->text_n < n; to->text_n++)
		to->texts[to->text_n] = arena_str(&i->arena, texts[to->text_n]);
}

/* True if the answer for name N is known. */
static bool
is_known(struct inquiry *i, size_t n)
{
	struct str packet = answers_get(i->d->texts, i->names[n], clock_ms());
	struct msg_txt_result r;

	if (packet.n == 0 || !msg_txt_result_get(packet, &r))
		return false;
	i->result.answers[n].status = r.answers[0].status;
	if (r.answers[0].status == TXT_OK)
		take_texts(i, &i->result.answers[n], r.answers[0].texts, r.answers[0].text_n);
	return true;
}

/* ---- DNS ----------------------------------------------------------------------------- */

static void
on_texts(void *arg, const struct dns_txt_answer *a)
{
	static const enum txt_status status_of[] = { [DNS_OK] = TXT_NO_DATA,
		[DNS_NO_NAME] = TXT_NO_NAME, [DNS_NO_DATA] = TXT_NO_DATA,
		[DNS_TEMPORARY] = TXT_TEMPORARY };
	struct asked *q = arg;
	struct inquiry *i = q->i;
	struct txt_answer *to = &i->result.answers[q->name];

	to->status = status_of[a->status];
	if (a->status == DNS_OK && a->text_n > 0)
		take_texts(i, to, a->text, a->text_n);
	if (a->status != DNS_TEMPORARY)
		keep(i, q->name, a->ttl);
	mem_free(q);
	i->pending--;
	settle(i);
}

static void
ask(struct inquiry *i, size_t n)
{
	struct asked *q = mem_alloc(sizeof(*q));

	*q = (struct asked){ .i = i, .name = n };
	i->pending++;
	dns_txt(i->d->dns, i->names[n].p, on_texts, q);
}

/* ---- the question -------------------------------------------------------------------- */

void
text_take(struct checkd *d, struct str packet, int reply)
{
	struct inquiry *i;
	struct msg_txt m;

	if (!msg_txt_get(packet, &m)) {
		channel_complain("a question for records");
		close(reply);
		return;
	}
	i = mem_alloc(sizeof(*i));
	i->d = d;
	waiter_open(&i->waiter, d, reply, on_gone, i);
	i->result.answer_n = m.name_n;
	arena_init(&i->arena, ARENA_MAX_OCTETS);
	i->timer = loop_timer_new(d->loop, on_time, i);
	loop_timer_set(i->timer, (int64_t)m.wait_ms);
	place_begin(d, PLACE_TEXTS);
	for (size_t n = 0; n < m.name_n; n++) {
		i->names[n] = arena_lower(&i->arena, m.names[n]);
		/* Until the answer comes. */
		i->result.answers[n].status = TXT_TEMPORARY;
		if (!is_known(i, n))
			ask(i, n);
	}
	settle(i);
}
