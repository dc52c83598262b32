/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dns -- lookups on the event loop, by c-ares.
 *
 * A question waits in OPEN, in the order of its deadline, until c-ares has
 * answered all its parts or the deadline comes; then in READY until the
 * loop delivers it.  What c-ares says after that is dropped: the question
 * lives until the last part is back.  Callbacks are made after c-ares has
 * returned, so that they may ask, or free the whole dns.
 *
 * c-ares fails every query of a server whose connection broke, whosever
 * fault it was: a name with an answer that is cut off would take the others
 * with it.  Such a part is asked for again, a little later, while its time
 * allows.
 *
 * What c-ares cannot do is done to its packets: the query asks for the AD
 * bit, and the answer is read whole, with its code, by dns_answer.c.
 * Nothing is cached here.
 */

#include "net/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>

#include "dns_answer.h"
#include "dns_question.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define EDNS_SIZE 1232
#define TIMEOUT_MIN 100
/* The wait before a part is asked for again; each time twice as long. */
#define AGAIN_MS 100
#define AGAIN_MAX 3

/* A socket of c-ares, watched by the loop. */
struct dns_watch {
	struct dns *d;
	int fd;
	struct loop_io *io;
	struct dns_watch *next;
};

static void
queue_init(struct dns_queue *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void
queue_add(struct dns_queue *l, struct dns_question *q)
{
	q->next = NULL;
	q->in = l;
	q->at = l->end;
	*l->end = q;
	l->end = &q->next;
}

static void
queue_del(struct dns_question *q)
{
	*q->at = q->next;
	if (q->next)
		q->next->at = q->at;
	else
		q->in->end = q->at;
	q->in = NULL;
}

static void
queue_move(struct dns_queue *l, struct dns_question *q)
{
	queue_del(q);
	queue_add(l, q);
}

/* ---- delivering ------------------------------------------------------------------ */

static void
release(struct dns_question *q)
{
	if (--q->waiting == 0)
		dns_question_free(q);
}

/* Calls back; Q is then gone unless c-ares still has a part of it. */
static void
answer(struct dns_question *q)
{
	q->delivered = true;
	/* Held: the callback may free D, and c-ares then gives its parts back. */
	q->waiting++;
	dns_deliver(q);
	release(q);
}

static void
answer_ready(struct dns *d)
{
	struct dns_question *q;

	while ((q = d->ready.first)) {
		queue_del(q);
		answer(q);
	}
}

static void
set_timer(struct dns *d, int64_t ms)
{
	int64_t at = clock_ms() + ms;

	if (d->timer_at != 0 && d->timer_at <= at)
		return;
	d->timer_at = at;
	loop_timer_set(d->timer, ms);
}

/* Until c-ares or the oldest question has something to do. */
static void
wait_on(struct dns *d)
{
	struct timeval tv;
	int64_t ms = -1;

	if (ares_timeout(d->channel, NULL, &tv))
		ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1;
	if (d->again_n > 0 && (ms < 0 || ms > AGAIN_MS))
		ms = AGAIN_MS;
	if (d->open.first) {
		int64_t left = d->open.first->deadline - clock_ms();

		if (ms < 0 || left < ms)
			ms = left < 0 ? 0 : left;
	}
	if (ms >= 0)
		set_timer(d, ms);
}

static void on_part(void *arg, int status, int timeouts, unsigned char *octets,
    int n);

/* A name as c-ares reads it: a backslash takes the meaning from what follows. */
static void
add_escaped(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *name);
	}
}

/*
 * As ares_query() does it, with the AD bit: by it the server is asked to say
 * whether its answer is secure, without all the signatures (RFC 6840 5.7).
 */
static void
query(struct dns_part *p)
{
	struct dns *d = p->q->d;
	unsigned char *octets = NULL;
	unsigned short id;
	int n = 0, status;
	struct buf name;

	buf_init(&name, 1024);
	add_escaped(&name, p->q->name);
	random_bytes(&id, sizeof(id));
	status = ares_create_query(buf_cstr(&name), ns_c_in, p->type, id, 1, &octets,
	    &n, EDNS_SIZE);
	buf_free(&name);
	if (status != ARES_SUCCESS) {
		on_part(p, status, 0, NULL, 0);
		return;
	}
	octets[3] |= 0x20;
	ares_send(d->channel, octets, n, on_part, p);
	ares_free_string(octets);
}

static void
ask_part(struct dns_part *p)
{
	if (p->again_at != 0)
		p->q->d->again_n--;
	p->again_at = 0;
	query(p);
}

/* Asks for what is due again.  The list may change while c-ares answers. */
static void
ask_again(struct dns *d, int64_t now)
{
	struct dns_question *next;

	for (struct dns_question *q = d->open.first; q; q = next) {
		next = q->next;
		for (size_t i = 0; i < ARRAY_LEN(q->parts); i++)
			if (q->parts[i].again_at != 0 &&
			    q->parts[i].again_at <= now)
				ask_part(&q->parts[i]);
	}
}

/* True if P was lost with its server, and is to be asked for once more. */
static bool
is_lost(struct dns_part *p, int status)
{
	struct dns *d = p->q->d;
	/* Not together with whoever broke it. */
	int64_t wait = ((int64_t)AGAIN_MS << p->again_n) +
	    (int64_t)random_below(AGAIN_MS);
	int64_t at = clock_ms() + wait;

	if (status != ARES_ECONNREFUSED || d->dying ||
	    p->again_n == AGAIN_MAX || at >= p->q->deadline)
		return false;
	p->again_n++;
	p->again_at = at;
	d->again_n++;
	set_timer(d, wait);
	return true;
}

/* Delivers what is ready or late.  False: D is gone. */
static bool
deliver(struct dns *d)
{
	int64_t now = clock_ms();
	struct dns_question *q;

	if (d->again_n > 0)
		ask_again(d, now);
	while ((q = d->open.first) && q->deadline <= now)
		queue_move(&d->ready, q);
	d->delivering = true;
	answer_ready(d);
	d->delivering = false;
	if (!d->dead)
		return true;
	mem_free(d);
	return false;
}

static void
on_timer(void *arg)
{
	struct dns *d = arg;

	d->timer_at = 0;
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (deliver(d))
		wait_on(d);
}

static void
on_io(void *arg, bool readable, bool writable)
{
	/* The watch may go while c-ares is at work. */
	const struct dns_watch *w = arg;
	struct dns *d = w->d;
	int fd = w->fd;

	ares_process_fd(d->channel, readable ? fd : ARES_SOCKET_BAD,
	    writable ? fd : ARES_SOCKET_BAD);
	if (deliver(d) && d->open.first && d->timer_at == 0)
		wait_on(d);
}

static void
on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = arg;
	struct dns_watch **at = &d->watches, *w;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	w = *at;
	if (!readable && !writable) {
		if (!w)
			return;
		*at = w->next;
		loop_io_free(w->io);
		mem_free(w);
		return;
	}
	if (!w) {
		*at = w = mem_alloc(sizeof(*w));
		w->d = d;
		w->fd = fd;
		w->io = loop_io_new(d->loop, fd, on_io, w);
	}
	loop_io_want(w->io, readable != 0, writable != 0);
}

/* ---- what c-ares says -------------------------------------------------------------- */

static void
on_part(void *arg, int status, int timeouts, unsigned char *octets, int n)
{
	struct dns_part *p = arg;
	struct dns_question *q = p->q;
	struct str packet = str_n((const char *)octets, n > 0 ? (size_t)n : 0);

	(void)timeouts;
	if (q->delivered) {
		release(q);
		return;
	}
	if (is_lost(p, status))
		return;
	q->waiting--;
	if (status == ARES_SUCCESS)
		dns_take(p, packet);
	else
		dns_fail(p, status == ARES_ENOTFOUND ? DNS_NO_NAME :
			DNS_TEMPORARY, ares_strerror(status));
	if (q->waiting == 0 && q->in == &q->d->open)
		queue_move(&q->d->ready, q);
}

/* ---- making and freeing --------------------------------------------------------------- */

/* The servers that would be asked; *LOOPBACK: all of them are there. */
static int64_t
count_servers(ares_channel channel, bool *loopback)
{
	struct ares_addr_port_node *all = NULL;
	int64_t n = 0;

	*loopback = false;
	if (ares_get_servers_ports(channel, &all) != ARES_SUCCESS)
		return 1;
	*loopback = all != NULL;
	for (const struct ares_addr_port_node *s = all; s; s = s->next) {
		struct addr a = addr_from(s->family, &s->addr, 0);

		*loopback = *loopback && addr_is_loopback(&a);
		n++;
	}
	ares_free_data(all);
	return n > 0 ? n : 1;
}

static int
set_servers(ares_channel channel, const char *const *servers, size_t n)
{
	struct ares_addr_port_node *nodes = mem_array(n + 1, sizeof(*nodes));
	int status = ARES_SUCCESS;

	for (size_t i = 0; i < n && status == ARES_SUCCESS; i++) {
		struct ares_addr_port_node *s = &nodes[i];
		struct addr a;

		if (addr_parse_port(str_c(servers[i]), NAMESERVER_PORT, &a) < 0) {
			status = ARES_EBADSTR;
			break;
		}
		s->family = addr_family(&a);
		if (s->family == AF_INET)
			memcpy(&s->addr.addr4, addr_octets(&a), 4);
		else
			memcpy(&s->addr.addr6, addr_octets(&a), 16);
		s->udp_port = s->tcp_port = addr_port(&a);
		if (i > 0)
			nodes[i - 1].next = s;
	}
	if (status == ARES_SUCCESS && n > 0)
		status = ares_set_servers_ports(channel, nodes);
	mem_free(nodes);
	return status;
}

/*
 * How long the first try lasts: so that a second server, or with one server
 * all tries, each of which takes twice the time, fit into the whole.
 */
static int64_t
first_try(int64_t timeout, int64_t servers, unsigned tries)
{
	int64_t ms = timeout /
	    (servers <= 1 ? ((int64_t)1 << tries) - 1 : servers + 1);

	return ms < TIMEOUT_MIN ? TIMEOUT_MIN : ms;
}

static int
open_channel(struct dns *d, const struct dns_options *options)
{
	unsigned tries = options->attempts > 0 ? options->attempts : 2;
	struct ares_options o = { .flags = ARES_FLAG_EDNS,
		.tries = (int)tries,
		.ednspsz = EDNS_SIZE,
		.socket_receive_buffer_size = options->buffer,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = d };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS |
	    (options->rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE) |
	    (options->buffer > 0 ? ARES_OPT_SOCK_RCVBUF : 0);
	int64_t count = (int64_t)options->server_n;
	bool loopback;

	/* How many servers resolv.conf names shows only after a first look. */
	if (count == 0 && ares_init(&d->channel) == ARES_SUCCESS) {
		count = count_servers(d->channel, &loopback);
		ares_destroy(d->channel);
	}
	d->first_try = first_try(d->timeout, count, tries);
	o.timeout = (int)d->first_try;
	if (ares_init_options(&d->channel, &o, mask) != ARES_SUCCESS)
		return -1;
	if (set_servers(d->channel, options->servers, options->server_n) ==
	    ARES_SUCCESS) {
		(void)count_servers(d->channel, &d->trusted);
		return 0;
	}
	ares_destroy(d->channel);
	return -1;
}

struct dns *
dns_new(struct loop *l, const struct dns_options *o)
{
	struct dns *d;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return NULL;
	d = mem_alloc(sizeof(*d));
	d->loop = l;
	d->timeout = o->timeout_ms < 1 ? 1 :
	    o->timeout_ms > 3600000	? 3600000 :
					  o->timeout_ms;
	queue_init(&d->open);
	queue_init(&d->ready);
	if (open_channel(d, o) < 0) {
		mem_free(d);
		ares_library_cleanup();
		errno = EINVAL;
		return NULL;
	}
	d->timer = loop_timer_new(l, on_timer, d);
	return d;
}

/* What would be asked for again is not any more. */
static void
forget_lost(struct dns_question *q)
{
	for (size_t i = 0; i < ARRAY_LEN(q->parts); i++) {
		if (q->parts[i].again_at == 0)
			continue;
		q->parts[i].again_at = 0;
		q->waiting--;
	}
}

void
dns_free(struct dns *d)
{
	struct dns_question *q;

	if (!d || d->dying)
		return;
	d->dying = true;
	while ((q = d->open.first)) {
		forget_lost(q);
		queue_move(&d->ready, q);
	}
	answer_ready(d);
	ares_destroy(d->channel);
	ares_library_cleanup();
	loop_timer_free(d->timer);
	dns_overrides_free(d);
	if (d->delivering)
		d->dead = true;
	else
		mem_free(d);
}

/* ---- asking ----------------------------------------------------------------------------- */

void
dns_known(struct dns_question *q)
{
	queue_add(&q->d->ready, q);
	set_timer(q->d, 0);
}

void
dns_ask(struct dns_question *q, unsigned n)
{
	struct dns *d = q->d;

	queue_add(&d->open, q);
	q->waiting = n;
	for (unsigned i = 0; i < n; i++)
		ask_part(&q->parts[i]);
	set_timer(d, d->ready.first ? 0 : d->first_try < d->timeout ? d->first_try : d->timeout);
}

void
dns_look_into_file(struct dns_question *q, int family, struct dns_part *p)
{
	struct hostent *h = NULL;
	struct addr *addr;
	size_t n = 0;

	if (ares_gethostbyname_file(q->d->channel, q->name, family, &h) !=
	    ARES_SUCCESS)
		return;
	while (n < DNS_ADDR_MAX && h->h_addr_list[n])
		n++;
	addr = arena_alloc(&q->arena, n * sizeof(*addr));
	for (size_t i = 0; i < n; i++)
		addr[i] = addr_from(family, h->h_addr_list[i], 0);
	ares_free_hostent(h);
	if (n > 0)
		p->answer = (struct dns_addr_answer){ .status = DNS_OK,
			.addr = addr, .addr_n = n };
}
