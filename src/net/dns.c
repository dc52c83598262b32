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
 * Not asked of a server: addresses, "localhost", and what /etc/hosts says.
 * Nothing is cached here.
 */

#include "net/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>

#include "dns_answer.h"
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define EDNS_SIZE 1232
#define ARENA_MAX ((size_t)1 << 20)
#define TIMEOUT_MIN 100
/* The wait before a part is asked for again; each time twice as long. */
#define AGAIN_MS 100
#define AGAIN_MAX 3

/* A socket of c-ares, watched by the loop. */
struct watch {
	struct dns *d;
	int fd;
	struct loop_io *io;
	struct watch *next;
};

struct question;

/* One query of a question: for MX, for A, or for AAAA. */
struct part {
	struct question *q;
	int family;		/* AF_UNSPEC: the MX query */
	int64_t again_at;	/* when it is asked for again; 0: c-ares has it */
	unsigned again_n;
	struct dns_addr_answer answer;
};

struct question {
	struct question *next, **at;
	struct queue *in;		/* where it stands; NULL: nowhere */
	struct dns *d;
	char *name;
	int64_t deadline;
	unsigned waiting;		/* parts that c-ares has, or will */
	bool delivered;
	struct arena arena;
	struct part parts[2];		/* MX; or AAAA and A */
	struct dns_mx_answer mx;
	void (*mx_fn)(void *arg, const struct dns_mx_answer *a);
	void (*addr_fn)(void *arg, const struct dns_addr_answer *a);
	void *arg;
};

struct queue {
	struct question *first, **end;
};

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct loop_timer *timer;
	int64_t timer_at;	/* 0: not set */
	int64_t timeout, first_try;
	struct watch *watches;
	struct queue open, ready;
	size_t again_n;		/* parts that are to be asked for again */
	bool delivering;
	bool dying;		/* dns_free() has begun */
	bool dead;		/* and ended: DELIVER has the last word */
};

static void
queue_init(struct queue *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void
queue_add(struct queue *l, struct question *q)
{
	q->next = NULL;
	q->in = l;
	q->at = l->end;
	*l->end = q;
	l->end = &q->next;
}

static void
queue_del(struct question *q)
{
	*q->at = q->next;
	if (q->next)
		q->next->at = q->at;
	else
		q->in->end = q->at;
	q->in = NULL;
}

static void
queue_move(struct queue *l, struct question *q)
{
	queue_del(q);
	queue_add(l, q);
}

static void
question_free(struct question *q)
{
	arena_free(&q->arena);
	mem_free(q->name);
	mem_free(q);
}

/* ---- delivering ------------------------------------------------------------------ */

static uint32_t
lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * Both families as one: any address is an answer; without one, a part that
 * failed makes the whole temporary, and the name does not exist only if
 * both parts say so.
 */
static struct dns_addr_answer
merge(struct question *q)
{
	const struct dns_addr_answer *six = &q->parts[0].answer;
	const struct dns_addr_answer *four = &q->parts[1].answer;
	struct addr *all;

	if (six->status != DNS_OK && four->status != DNS_OK) {
		if (six->status == DNS_TEMPORARY)
			return *six;
		return four->status == DNS_NO_NAME ? *six : *four;
	}
	if (four->status != DNS_OK)
		return *six;
	if (six->status != DNS_OK)
		return *four;
	all = arena_alloc(&q->arena, (six->addr_n + four->addr_n) * sizeof(*all));
	memcpy(all, six->addr, six->addr_n * sizeof(*all));
	memcpy(all + six->addr_n, four->addr, four->addr_n * sizeof(*all));
	return (struct dns_addr_answer){ .status = DNS_OK, .addr = all,
		.addr_n = six->addr_n + four->addr_n,
		.ttl = lower(six->ttl, four->ttl) };
}

static void
release(struct question *q)
{
	if (--q->waiting == 0)
		question_free(q);
}

/* Calls back; Q is then gone unless c-ares still has a part of it. */
static void
answer(struct question *q)
{
	q->delivered = true;
	/* Held: the callback may free D, and c-ares then gives its parts back. */
	q->waiting++;
	if (q->mx_fn) {
		q->mx_fn(q->arg, &q->mx);
	} else {
		struct dns_addr_answer a = merge(q);

		q->addr_fn(q->arg, &a);
	}
	release(q);
}

static void
answer_ready(struct dns *d)
{
	struct question *q;

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

static void
ask_part(struct part *p)
{
	struct question *q = p->q;
	int type = p->family == AF_INET6 ? ns_t_aaaa :
	    p->family == AF_INET	 ? ns_t_a :
					   ns_t_mx;

	if (p->again_at != 0)
		q->d->again_n--;
	p->again_at = 0;
	ares_query(q->d->channel, q->name, ns_c_in, type, on_part, p);
}

/* Asks for what is due again.  The list may change while c-ares answers. */
static void
ask_again(struct dns *d, int64_t now)
{
	struct question *next;

	for (struct question *q = d->open.first; q; q = next) {
		next = q->next;
		for (size_t i = 0; i < ARRAY_LEN(q->parts); i++)
			if (q->parts[i].again_at != 0 &&
			    q->parts[i].again_at <= now)
				ask_part(&q->parts[i]);
	}
}

/* True if P was lost with its server, and is to be asked for once more. */
static bool
is_lost(struct part *p, int status)
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
	struct question *q;

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
	const struct watch *w = arg;
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
	struct watch **at = &d->watches, *w;

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

static enum dns_status
status_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return DNS_NO_NAME;
	case ARES_ENODATA:
		return DNS_NO_DATA;
	default:
		return DNS_TEMPORARY;
	}
}

static void
on_part(void *arg, int status, int timeouts, unsigned char *octets, int n)
{
	struct part *p = arg;
	struct question *q = p->q;
	struct str packet = str_n((const char *)octets, n > 0 ? (size_t)n : 0);
	const char *reason = ares_strerror(status);

	(void)timeouts;
	if (q->delivered) {
		release(q);
		return;
	}
	if (is_lost(p, status))
		return;
	q->waiting--;
	if (status == ARES_SUCCESS && p->family == AF_UNSPEC)
		dns_answer_mx(packet, q->name, &q->arena, &q->mx);
	else if (status == ARES_SUCCESS)
		dns_answer_addr(packet, q->name, p->family, &q->arena, &p->answer);
	else if (p->family == AF_UNSPEC)
		q->mx = (struct dns_mx_answer){ .status = status_of(status),
			.reason = reason };
	else
		p->answer = (struct dns_addr_answer){ .status = status_of(status),
			.reason = reason };
	if (q->waiting == 0 && q->in == &q->d->open)
		queue_move(&q->d->ready, q);
}

/* ---- making and freeing --------------------------------------------------------------- */

/* The servers that D would ask. */
static int64_t
count_servers(ares_channel channel)
{
	struct ares_addr_port_node *all = NULL;
	int64_t n = 0;

	if (ares_get_servers_ports(channel, &all) != ARES_SUCCESS)
		return 1;
	for (const struct ares_addr_port_node *s = all; s; s = s->next)
		n++;
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
 * Opens the channel.  The first try lasts so long that a second server, or
 * with one server a second try of twice the time, fits into the whole.
 */
static int
open_channel(struct dns *d, const char *const *servers, size_t n)
{
	struct ares_options o = { .flags = ARES_FLAG_EDNS,
		.tries = 2,
		.ednspsz = EDNS_SIZE,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = d };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS;
	int64_t count = (int64_t)n;

	/* How many servers resolv.conf names shows only after a first look. */
	if (count == 0 && ares_init(&d->channel) == ARES_SUCCESS) {
		count = count_servers(d->channel);
		ares_destroy(d->channel);
	}
	d->first_try = d->timeout / (count <= 1 ? 3 : count + 1);
	if (d->first_try < TIMEOUT_MIN)
		d->first_try = TIMEOUT_MIN;
	o.timeout = (int)d->first_try;
	if (ares_init_options(&d->channel, &o, mask) != ARES_SUCCESS)
		return -1;
	if (set_servers(d->channel, servers, n) == ARES_SUCCESS)
		return 0;
	ares_destroy(d->channel);
	return -1;
}

struct dns *
dns_new(struct loop *l, const char *const *servers, size_t server_n,
    int64_t timeout_ms)
{
	struct dns *d;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return NULL;
	d = mem_alloc(sizeof(*d));
	d->loop = l;
	d->timeout = timeout_ms < 1 ? 1 : timeout_ms > 3600000 ? 3600000 : timeout_ms;
	queue_init(&d->open);
	queue_init(&d->ready);
	if (open_channel(d, servers, server_n) < 0) {
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
forget_lost(struct question *q)
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
	struct question *q;

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
	if (d->delivering)
		d->dead = true;
	else
		mem_free(d);
}

/* ---- asking ----------------------------------------------------------------------------- */

static struct question *
new_question(struct dns *d, const char *name, void *arg)
{
	struct question *q = mem_alloc(sizeof(*q));
	struct str s = str_c(name);
	/* What stands if c-ares says nothing in time. */
	struct dns_addr_answer late = { .status = DNS_TEMPORARY,
		.reason = "no answer from a DNS server in time" };

	if (s.n > 1 && str_ends(s, STR(".")))
		s.n--;
	q->d = d;
	q->name = mem_dup(s);
	q->arg = arg;
	q->deadline = clock_ms() + d->timeout;
	arena_init(&q->arena, ARENA_MAX);
	q->mx.status = late.status;
	q->mx.reason = late.reason;
	for (size_t i = 0; i < ARRAY_LEN(q->parts); i++) {
		q->parts[i].q = q;
		q->parts[i].answer = late;
	}
	return q;
}

/* Q is answered without a question: by the loop's next turn. */
static void
finish(struct question *q)
{
	queue_add(&q->d->ready, q);
	set_timer(q->d, 0);
}

/* A name that nobody can have is not asked for.  True: Q is answered. */
static bool
refuse(struct question *q)
{
	static const char reason[] = "not a host name";

	if (q->d->dying) {
		finish(q);
		return true;
	}
	if (dns_is_host(str_c(q->name)))
		return false;
	q->mx = (struct dns_mx_answer){ .status = DNS_NO_NAME, .reason = reason };
	for (size_t i = 0; i < ARRAY_LEN(q->parts); i++)
		q->parts[i].answer = (struct dns_addr_answer){
			.status = DNS_NO_NAME, .reason = reason
		};
	finish(q);
	return true;
}

/* Gives PARTS parts of Q to c-ares, which may answer at once. */
static void
ask(struct question *q, unsigned parts)
{
	struct dns *d = q->d;

	queue_add(&d->open, q);
	q->waiting = parts;
	for (unsigned i = 0; i < parts; i++)
		ask_part(&q->parts[i]);
	set_timer(d, d->ready.first ? 0 : d->first_try < d->timeout ? d->first_try : d->timeout);
}

void
dns_mx(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg)
{
	struct question *q = new_question(d, name, arg);

	q->mx_fn = fn;
	q->parts[0].family = AF_UNSPEC;
	if (!refuse(q))
		ask(q, 1);
}

/* Gives Q addresses that nobody needs to be asked for. */
static void
know(struct question *q, const struct addr *addr, size_t n)
{
	struct addr *copy = arena_alloc(&q->arena, n * sizeof(*copy));

	memcpy(copy, addr, n * sizeof(*copy));
	q->parts[0].answer = (struct dns_addr_answer){ .status = DNS_OK,
		.addr = copy, .addr_n = n };
	q->parts[1].answer = (struct dns_addr_answer){ .status = DNS_NO_DATA };
}

/* The addresses of FAMILY that /etc/hosts has for Q's name. */
static void
look_into_file(struct question *q, int family)
{
	struct dns_addr_answer *a = &q->parts[family == AF_INET6 ? 0 : 1].answer;
	struct hostent *h = NULL;
	struct addr *addr;
	size_t n = 0;

	if (ares_gethostbyname_file(q->d->channel, q->name, family, &h) !=
	    ARES_SUCCESS)
		return;
	addr = arena_alloc(&q->arena, DNS_ADDR_MAX * sizeof(*addr));
	for (; n < DNS_ADDR_MAX && h->h_addr_list[n]; n++)
		addr[n] = addr_from(family, h->h_addr_list[n], 0);
	ares_free_hostent(h);
	if (n > 0)
		*a = (struct dns_addr_answer){ .status = DNS_OK, .addr = addr,
			.addr_n = n };
}

/* True if the host itself knows the addresses: RFC 6761 6.3, /etc/hosts. */
static bool
is_known(struct question *q)
{
	struct str s = str_c(q->name);
	struct addr a;

	if (addr_parse(s, 0, &a) == 0) {
		know(q, &a, 1);
	} else if (str_ieq(s, STR("localhost")) ||
	    str_iends(s, STR(".localhost"))) {
		struct addr both[2];

		if (addr_parse(STR("::1"), 0, &both[0]) < 0 ||
		    addr_parse(STR("127.0.0.1"), 0, &both[1]) < 0)
			panic("dns: the loopback addresses are none");
		know(q, both, 2);
	} else {
		look_into_file(q, AF_INET6);
		look_into_file(q, AF_INET);
	}
	return q->parts[0].answer.addr_n + q->parts[1].answer.addr_n > 0;
}

void
dns_addr(struct dns *d, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	struct question *q = new_question(d, name, arg);

	q->addr_fn = fn;
	q->parts[0].family = AF_INET6;
	q->parts[1].family = AF_INET;
	if (!d->dying && is_known(q))
		finish(q);
	else if (!refuse(q))
		ask(q, 2);
}
