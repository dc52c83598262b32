/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * answers -- what was answered, for a while.
 *
 * A table of a fixed size without chains: who comes to a place that is taken
 * takes it.  So nobody who asks for much makes it grow, and the worst that
 * comes of it is one more question.
 */

#include "ipc/answers.h"

#include "lib/hash.h"
#include "lib/mem.h"

#define PLACES 4096
/* An answer is a line or two; what is longer is not kept. */
#define PACKET_MAX 2048

struct place {
	char *question, *packet;	/* NULL: free */
	size_t question_n, packet_n;	/* a session may ask with a NUL in it */
	int64_t until_ms;
};

struct answers {
	struct place places[PLACES];
};

struct answers *
answers_new(void)
{
	return mem_alloc(sizeof(struct answers));
}

static void
forget(struct place *p)
{
	mem_free(p->question);
	mem_free(p->packet);
	*p = (struct place){ .question = NULL };
}

void
answers_free(struct answers *c)
{
	for (size_t i = 0; c != NULL && i < PLACES; i++)
		forget(&c->places[i]);
	mem_free(c);
}

static struct place *
place_of(struct answers *c, struct str question)
{
	return &c->places[str_hash(question) % PLACES];
}

void
answers_put(struct answers *c, struct str question, struct str packet, int64_t until_ms)
{
	struct place *p = place_of(c, question);

	if (packet.n > PACKET_MAX)
		return;
	forget(p);
	*p = (struct place){ .question = mem_dup(question),
		.question_n = question.n, .packet = mem_dup(packet),
		.packet_n = packet.n, .until_ms = until_ms };
}

struct str
answers_get(struct answers *c, struct str question, int64_t now_ms)
{
	struct place *p = place_of(c, question);

	if (p->question == NULL ||
	    !str_eq(str_n(p->question, p->question_n), question))
		return STR("");
	if (p->until_ms <= now_ms) {
		forget(p);
		return STR("");
	}
	return str_n(p->packet, p->packet_n);
}
