/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan -- from the listen sections to the sockets that they mean.
 *
 * Nothing is opened and nothing is taken here, so that a plan can be thrown
 * away: a start, a reload and `barid -t` make the same one, and find the
 * same mistakes in it.  Two sections cannot have one address, nor one a part
 * of what the other has; a section may name an address twice, as "lo" and
 * as "::1", or as a part of "*".
 */

#include "master.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/un.h>

#include "lib/mem.h"
#include "net/listen.h"

/* What is under construction while the sections are walked. */
struct planning {
	struct check *k;
	struct master *m;
	struct plan *plan;
	const struct conf_listen *conf;
	size_t at;		/* the address among CONF's */
};

/* ---- complaints ---------------------------------------------------------------- */

static void PRINTF(5, 6)
plan_blame(struct check *k, const struct conf_listen *l, size_t at, int err, const char *fmt, ...)
{
	struct conf_place where = conf_where(k->conf, &l->address, l->place);
	struct buf name, text;
	va_list ap;

	buf_init(&name, 300);
	buf_init(&text, 4096);
	buf_addf(&name, "listen.%s.address", l->name);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	check_blame(k, conf_where(k->conf, &l->address.v[at], where), buf_cstr(&name), err, "%s",
	    buf_cstr(&text));
	buf_free(&text);
	buf_free(&name);
}

/* As the file has it, where the address alone says less. */
static void
add_name(struct buf *b, const struct wanted *w)
{
	buf_init(b, 300);
	if (addr_family(&w->addr) == AF_UNIX)
		buf_adds(b, w->conf->address.v[w->at]);
	else
		addr_add_port(b, &w->addr);
}

/* Why W cannot be had, and what would do instead. */
void
plan_blame_open(struct check *k, const struct wanted *w, int err)
{
	const char *expected = "an address that can be opened";
	struct buf addr;

	if (err == EADDRINUSE)
		expected = "an address and port that no other program has";
	else if (err == EADDRNOTAVAIL)
		expected = "an address of this host";
	else if (err == EACCES || err == EPERM)
		expected = "a port that this user may open, or a start as root";

	add_name(&addr, w);
	if (addr_family(&w->addr) == AF_UNIX)
		expected = "a path at which a socket can be made";
	plan_blame(k, w->conf, w->at, err, "cannot listen on %s: %s, expected %s", buf_cstr(&addr),
	    strerror(err), expected);
	buf_free(&addr);
}

/* ---- addresses ----------------------------------------------------------------- */

static bool
same_addr(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

static void
add(struct planning *p, const struct addr *a, int fd, struct listener *old)
{
	struct plan *plan = p->plan;

	if (plan->n == plan->size) {
		plan->size = plan->size ? 2 * plan->size : 16;
		plan->v = mem_grow(plan->v, plan->size, sizeof(*plan->v));
	}
	plan->v[plan->n++] = (struct wanted){ .conf = p->conf, .at = p->at, .addr = *a, .fd = fd,
		.old = old };
}

static void
add_address(void *arg, const struct addr *a)
{
	struct planning *p = arg;
	struct listener *old = NULL;

	for (size_t i = 0; i < p->m->listener_n && !old; i++)
		if (same_addr(&p->m->listeners[i].addr, a))
			old = &p->m->listeners[i];
	add(p, a, -1, old);
}

static void
blame_interface(struct planning *p, const char *spec, bool known)
{
	struct if_nameindex *all = if_nameindex();
	struct buf names;

	buf_init(&names, 500);
	for (struct if_nameindex *i = all; i && i->if_name; i++)
		buf_addf(&names, "%s%s", names.n ? ", " : "", i->if_name);
	if (all)
		if_freenameindex(all);
	if (known)
		plan_blame(p->k, p->conf, p->at, 0, "the interface \"%s\" has no address of that "
		    "kind, expected one that has", spec);
	else
		plan_blame(p->k, p->conf, p->at, 0, "there is no interface \"%s\", expected an "
		    "address or one of %s", spec, buf_cstr(&names));
	buf_free(&names);
}

static void
plan_ports(struct planning *p, const char *spec)
{
	const struct conf_ports *ports = &p->conf->port;

	for (size_t i = 0; i < ports->n; i++)
		for (uint32_t port = ports->v[i].first; port <= ports->v[i].last; port++) {
			int n = listen_expand(spec, (uint16_t)port, add_address, p);
			if (n > 0)
				continue;
			blame_interface(p, spec, n == 0);
			return;
		}
}

/* ---- sockets that were handed over ---------------------------------------------- */

static void
add_inherited(struct planning *p, int fd)
{
	struct addr a = addr_local(fd);
	struct listener *old = NULL;

	for (size_t i = 0; i < p->m->listener_n && !old; i++)
		if (p->m->listeners[i].fd == fd)
			old = &p->m->listeners[i];
	add(p, &a, fd, old);
}

static void
blame_inherited(struct planning *p, const char *name)
{
	struct check *k = p->k;
	struct buf names;

	/* A running one has it; and who only looks was handed nothing. */
	if (k->note && k->running)
		return;
	if (k->note && !notify_any_fd()) {
		plan_blame(k, p->conf, p->at, CHECK_UNKNOWN, "\"fd:%s\" is a socket that the "
		    "service manager hands over: only a start can tell", name);
		return;
	}
	buf_init(&names, 1000);
	notify_add_names(&names);
	if (names.n == 0)
		buf_adds(&names, "a name of LISTEN_FDNAMES, or a number");
	plan_blame(k, p->conf, p->at, 0, "no listening socket \"%s\" was handed over, "
	    "expected one of: %s", name, buf_cstr(&names));
	buf_free(&names);
}

/* "fd:name": a descriptor of socket activation, or a number. */
static void
plan_inherited(struct planning *p, const char *name)
{
	bool found = false;
	uint64_t number;
	size_t at = 0;
	int fd;

	while ((fd = notify_find_fd(name, &at)) >= 0) {
		if (!fd_is_listening(fd))
			continue;
		add_inherited(p, fd);
		found = true;
	}
	if (!found && str_u64(str_c(name), 65535, &number) == 0 && fd_is_listening((int)number)) {
		add_inherited(p, (int)number);
		found = true;
	}
	if (!found)
		blame_inherited(p, name);
}

static void
plan_address(struct planning *p, const char *spec)
{
	struct addr a;

	if (strncmp(spec, "fd:", 3) == 0)
		plan_inherited(p, spec + 3);
	else if (strncmp(spec, "unix:", 5) != 0)
		plan_ports(p, spec);
	else if (addr_unix(spec + 5, &a) == 0)
		add_address(p, &a);
	else
		plan_blame(p->k, p->conf, p->at, 0, "the path of the socket is too long, "
		    "expected at most %zu octets", sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
}

/* ---- one address, one section ---------------------------------------------------- */

static bool
same(const struct wanted *a, const struct wanted *b)
{
	/* Handed over sockets may well share an address. */
	if (a->fd >= 0 && b->fd >= 0)
		return a->fd == b->fd;
	return same_addr(&a->addr, &b->addr);
}

/* Groups what can be in each other's way, in the order of the file. */
static int
by_port(const void *pa, const void *pb)
{
	const struct wanted *a = *(struct wanted *const *)pa, *b = *(struct wanted *const *)pb;
	int family = addr_family(&a->addr) - addr_family(&b->addr);
	int port = addr_port(&a->addr) - addr_port(&b->addr);

	return family ? family : port ? port : a < b ? -1 : 1;
}

static void
blame_taken(struct check *k, const struct wanted *w, const struct wanted *first)
{
	const struct conf_listen *l = first->conf;
	struct conf_place where = conf_where(k->conf, &l->address.v[first->at],
	    conf_where(k->conf, &l->address, l->place));
	struct buf addr, has;

	add_name(&addr, w);
	add_name(&has, first);
	plan_blame(k, w->conf, w->at, 0, "listen \"%s\" (%s:%d) has %s%s%s already, expected "
	    "another address or port", l->name, where.file, where.line, buf_cstr(&addr),
	    same_addr(&w->addr, &first->addr) ? "" : " by ",
	    same_addr(&w->addr, &first->addr) ? "" : buf_cstr(&has));
	buf_free(&has);
	buf_free(&addr);
}

static bool
is_wide(const struct addr *a)
{
	return addr_is_self_like(a) && !addr_is_loopback(a);
}

/* W and FIRST, which stands before it.  What is not needed loses its section. */
static void
hold_against(struct check *k, struct wanted *w, struct wanted *first)
{
	bool twice = same(w, first);

	if (!twice && !listen_overlaps(&w->addr, &first->addr))
		return;
	if (w->conf != first->conf) {
		if (w->conf != k->blamed || w->at != k->blamed_at)
			blame_taken(k, w, first);
		k->blamed = w->conf;
		k->blamed_at = w->at;
		w->conf = NULL;
	} else if (twice || (is_wide(&first->addr) && w->fd < 0)) {
		w->conf = NULL;
	} else if (first->fd < 0) {
		first->conf = NULL;
	}
}

static bool
is_group(const struct wanted *a, const struct wanted *b)
{
	return addr_family(&a->addr) == addr_family(&b->addr) &&
	    addr_port(&a->addr) == addr_port(&b->addr);
}

/* Holds the SORTED[I] against those before it that could be in its way. */
static void
find_conflict(struct check *k, struct wanted **sorted, size_t i)
{
	for (size_t j = i; j-- > 0 && is_group(sorted[j], sorted[i]) && sorted[i]->conf;)
		if (sorted[j]->conf)
			hold_against(k, sorted[i], sorted[j]);
}

static void
find_conflicts(struct check *k, struct plan *p)
{
	struct wanted **sorted = mem_array(p->n + 1, sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		sorted[i] = &p->v[i];
	qsort(sorted, p->n, sizeof(*sorted), by_port);
	for (size_t i = 0; i < p->n; i++)
		find_conflict(k, sorted, i);
	mem_free(sorted);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].conf)
			p->v[n++] = p->v[i];
	p->n = n;
}

/* ---- the whole --------------------------------------------------------------------- */

void
plan_make(struct check *k, struct master *m, struct plan *plan)
{
	struct planning p = { .k = k, .m = m, .plan = plan };

	for (size_t i = 0; i < k->conf->listen_n; i++) {
		p.conf = &k->conf->listens[i];
		for (p.at = 0; p.at < p.conf->address.n; p.at++)
			plan_address(&p, p.conf->address.v[p.at]);
	}
	find_conflicts(k, plan);
}

void
plan_free(struct plan *plan)
{
	mem_free(plan->v);
	*plan = (struct plan){ 0 };
}

/* For `barid -t`: what could not be opened. */
void
plan_probe(struct check *k, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct wanted *w = &plan->v[i];
		if (w->fd >= 0 || listen_probe(&w->addr) == 0)
			continue;
		/* What is in use is used by the one that runs; only a reload can tell. */
		if (errno != EADDRINUSE || !k->running)
			plan_blame_open(k, w, errno);
	}
}
