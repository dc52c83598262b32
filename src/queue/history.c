/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * history -- what was tried for a recipient, from the notes.
 *
 * How often, since when, and what each host said last: for the report that
 * ends it, and for a limit of attempts.  Notes are written without a sync,
 * so that a power cut may have taken the last of them: the count is at most
 * too low, and then an attempt more is made.
 */

#include "lib/hash.h"
#include "lib/mem.h"
#include "queue/queue.h"

#include "note.h"

/* The last note about a host; a chain, the host that was tried last first. */
struct place {
	struct place *next;
	uint32_t relay;		/* its hash: hosts that share one are taken for one */
	off_t at;
	size_t n;
};

/* What was noted of a recipient. */
struct track {
	size_t attempts;
	int64_t first;
	bool wanted;		/* its hosts are */
	struct place *places;
	size_t place_n;
};

/* Takes the place of RELAY out of the chain, or the oldest if it is full. */
static struct place *
unchain(struct track *t, uint32_t relay)
{
	struct place **at = &t->places, *found;

	if (*at == NULL)
		return NULL;
	while ((*at)->relay != relay && (*at)->next != NULL)
		at = &(*at)->next;
	found = *at;
	if (found->relay != relay && t->place_n < QUEUE_HISTORY_HOSTS)
		return NULL;
	*at = found->next;
	t->place_n--;
	return found;
}

static void
track(void *arg, const struct note *n)
{
	struct track *t = (struct track *)arg + n->rcpt;
	/* Where no host answered the words say which, or why none. */
	struct str key = n->relay.n > 0 ? n->relay : n->reply;
	uint32_t relay = crc32c(0, key.p, key.n);
	struct place *p;

	if (t->attempts++ == 0)
		t->first = n->time;
	if (!t->wanted)
		return;
	p = unchain(t, relay);
	if (p == NULL)
		p = mem_alloc(sizeof(*p));
	*p = (struct place){ t->places, relay, n->at, n->n };
	t->places = p;
	t->place_n++;
}

/* The hosts in the order of their last attempts. */
static int
fetch(const struct queue_file *f, const struct track *t, struct arena *a,
    struct queue_history *h)
{
	size_t i = t->place_n;
	int r = 0;

	h->attempts = t->attempts;
	h->first = t->first;
	if (t->place_n == 0)
		return 0;
	h->hosts = arena_alloc(a, t->place_n * sizeof(*h->hosts));
	h->host_n = t->place_n;
	for (struct place *p = t->places; p != NULL && r == 0; p = p->next) {
		i--;
		h->hosts[i].relay = h->hosts[i].reply = STR("");
		h->hosts[i].source = STR("");
		r = note_fetch(f, p->at, p->n, a, &h->hosts[i]);
	}
	return r;
}

int
queue_history(const struct queue_file *f, const size_t *rcpts, size_t n,
    struct arena *a, struct queue_history *h)
{
	struct track *tracks = mem_array(f->env.rcpt_n, sizeof(*tracks));
	int r;

	for (size_t i = 0; i < n; i++)
		tracks[rcpts[i]].wanted = i < QUEUE_HISTORY_RCPTS;
	r = note_scan(f, track, tracks);
	for (size_t i = 0; i < n; i++) {
		h[i] = (struct queue_history){ 0 };
		if (r == 0)
			r = fetch(f, &tracks[rcpts[i]], a, &h[i]);
	}
	for (size_t i = 0; i < f->env.rcpt_n; i++) {
		while (tracks[i].places != NULL) {
			struct place *p = tracks[i].places;

			tracks[i].places = p->next;
			mem_free(p);
		}
	}
	mem_free(tracks);
	return r;
}
