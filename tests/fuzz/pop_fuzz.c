/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The client's side of POP3 against a server that says anything.
 *
 * The first octet chooses how the input is cut and which way is gone; the rest is
 * what the server says.  Whatever it is: what is known of a message is in its
 * bounds, text has no bare CR or LF and no NUL, and a line that is lost says why.
 *
 * Parsers: collect/pop.c collect/list.c collect/login.c collect/text.c.
 */

#include "fuzz.h"

#include "collect/pop.h"
#include "lib/clock.h"

#define TEXT_MOST 100000

/* What has come of a text. */
struct got {
	char last;
	uint64_t octets;
};

static bool
take(void *arg, struct str piece)
{
	struct got *g = arg;

	for (size_t i = 0; i < piece.n; i++) {
		check(piece.p[i] != '\0');
		check((piece.p[i] == '\n') == (g->last == '\r'));
		g->last = piece.p[i];
	}
	g->octets += piece.n;
	return g->octets < TEXT_MOST / 2;
}

static void
look(struct pop *p, struct arena *a)
{
	struct pop_list l;
	uint32_t before = 0;
	size_t nameless = 0;

	if (pop_list(p, a, &l) != POP_OK)
		return;
	for (size_t i = 0; i < l.n; i++) {
		check(l.v[i].number > before);
		before = l.v[i].number;
		nameless += l.v[i].uidl.n == 0;
		check(!str_has_ctl(l.v[i].uidl) && !str_has_8bit(l.v[i].uidl));
		for (size_t k = 0; k < i && i < 50; k++)
			check(l.v[i].uidl.n == 0 || !str_eq(l.v[i].uidl, l.v[k].uidl));
	}
	check(nameless == l.nameless);
}

static void
fetch(struct pop *p)
{
	struct got g = { .last = 'x' };
	enum pop_text t = pop_retrieve(p, 1, TEXT_MOST, take, &g);

	check(g.octets <= TEXT_MOST);
	check(t != TEXT_WHOLE || g.octets == 0 || g.last == '\n');
	check((p->why.n > 0) == (t != TEXT_WHOLE && t != TEXT_REFUSED));
}

static void
converse(struct pop *p, struct arena *a, unsigned way)
{
	enum pop_answer answer = pop_greeting(p);

	if (answer == POP_OK && (way & 1) != 0)
		answer = pop_capa(p);
	if (answer != POP_LOST)
		answer = pop_login(p, "u", "p", POP_LOGINS, (way & 2) != 0);
	if (answer != POP_LOST && (way & 4) != 0)
		look(p, a);
	if (p->why.n == 0)
		fetch(p);
	answer = pop_command(p, "QUIT");
	check((answer == POP_LOST) == (p->why.n > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stream_mem mem = { .chunk = n > 0 ? data[0] >> 4 : 0 };
	struct stream stream;
	struct arena a;
	struct pop p;
	struct buf said;

	if (n == 0)
		return 0;
	buf_init(&said, 1 << 20);
	mem.in = str_n((const char *)data + 1, n - 1);
	mem.out = &said;
	stream_init(&stream, &stream_mem_ops, &mem);
	pop_init(&p, &stream, 10000, clock_ms() + 1000000);
	arena_init(&a, (size_t)1 << 28);
	converse(&p, &a, data[0] & 15);
	check(buf_ok(&p.why) && buf_ok(&p.text));
	arena_free(&a);
	pop_free(&p);
	stream_free(&stream);
	buf_free(&said);
	return 0;
}
