/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handover -- what an acceptor is started with.
 *
 * It is this same program, executed anew, so that all it has is what it is
 * given: the configuration in force as its standard input, as helpers have it,
 * and descriptors, of which a small text in the first one (TEXT_FD) says what
 * they are.  Both sides are here.  The text comes from the master, so that a
 * mistake in it is a bug.
 */

#include "acceptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sys.h"

#define TEXT_FD 3
#define TEXT_MAX (4u << 20)
/* What a session has open besides channels is less than that, whatever is configured. */
#define SESSION_HAS 40

/* ---- the master ----------------------------------------------------------------- */

struct parcel {
	struct buf text;
	int *fds;
	size_t n, size;
};

/* The number under which it will have FD. */
static int
number_of(struct parcel *p, int fd)
{
	if (p->n == p->size) {
		p->size += 64;
		p->fds = mem_grow(p->fds, p->size, sizeof(*p->fds));
	}
	p->fds[p->n] = fd;
	return TEXT_FD + (int)p->n++;
}

static void
add(struct parcel *p, const char *what, int fd)
{
	buf_addf(&p->text, "%s %d\n", what, number_of(p, fd));
}

/* Those whose channels sessions have; the others are there without one, for their places. */
static void
add_helpers(struct parcel *p, const struct master *m)
{
	for (size_t i = 0; i < m->helper_n; i++) {
		const struct helper *h = &m->helpers[i];
		bool theirs = h->client_end >= 0 && h->client_end < master_fd_base();

		buf_addf(&p->text, "helper %d %u %d\n", (int)h->kind, h->index,
		    theirs ? number_of(p, h->client_end) : 0);
	}
}

/* Where there is TLS. */
static void
add_signer(struct parcel *p, const struct master *m, bool pop)
{
	for (size_t i = 0; i < m->listener_n; i++) {
		const struct conf_listen *l = m->listeners[i].conf;

		if (l->tls != LISTEN_TLS_OFF && listener_is_of(l, pop)) {
			add(p, "signer", signer_client_end(m->signer));
			return;
		}
	}
}

/* Sockets that the master connects again, and how it is asked to. */
static void
add_loggers(struct parcel *p, const struct master *m)
{
	bool any = false;

	for (size_t i = 0; i < m->conf->log.to.n; i++) {
		if (log_syslog_fd(i) < 0)
			continue;
		buf_addf(&p->text, "log %zu %d\n", i, number_of(p, log_syslog_fd(i)));
		any = true;
	}
	if (any)
		add(p, "ask", m->ask);
}

static void
add_listeners(struct parcel *p, const struct master *m, bool pop)
{
	for (size_t i = 0; i < m->listener_n; i++) {
		const struct listener *l = &m->listeners[i];

		if (listener_is_of(l->conf, pop))
			buf_addf(&p->text, "listener %d %zu\n", number_of(p, l->fd),
			    (size_t)(l->conf - m->conf->listens));
	}
}

static void
fill(struct parcel *p, const struct master *m, bool pop, int order)
{
	/* First, since what sessions are not to have is moved there as it is taken. */
	buf_addf(&p->text, "base %d\n", SESSION_HAS + (int)m->helper_n);
	buf_addf(&p->text, "service %d\n", pop);
	if (m->user.found)
		buf_addf(&p->text, "user %u %u\n", (unsigned)m->user.uid, (unsigned)m->user.gid);
	add(p, "order", order);
	add(p, "score", score_fd(m->score));
	add(p, "book", score_book_fd(m->score));
	add(p, "users", userset_fd(m->users));
	add(p, "marks", m->marks_fd);
	add_loggers(p, m);
	add_signer(p, m, pop);
	add_helpers(p, m);
	add_listeners(p, m, pop);
}

/*
 * Ours, and with all names of libraries bound at once: their tables are not
 * needed later, and may be withheld from sessions.  To be freed.
 */
static char **
environment(void)
{
	static char bind[] = "LD_BIND_NOW=1";
	size_t n = 0;
	char **e;

	while (environ && environ[n])
		n++;
	e = mem_array(n + 2, sizeof(*e));
	if (n > 0)
		memcpy(e, environ, n * sizeof(*e));
	e[n] = bind;
	return e;
}

/* 0, or -1 and errno. */
static int
start(const struct master *m, const struct parcel *p, pid_t *pid)
{
	/* exec's argv is not const for historical reasons only. */
	char name[] = ACCEPTOR_NAME, option[] = "-c";
	char *args[] = { name, option, m->conf_path, NULL }, **env;

	if (!buf_ok(&p->text) || sys_write_all(p->fds[0], p->text.p, p->text.n) < 0)
		return -1;
	env = environment();
	*pid = proc_start("/proc/self/exe", args, m->kept, p->fds, p->n, env);
	mem_free(env);
	return *pid < 0 ? -1 : 0;
}

int
handover_start(const struct master *m, bool pop, int order, pid_t *pid)
{
	struct parcel p = { .n = 0 };
	int text = memfd_create("barid-handover", MFD_CLOEXEC), r = -1, err;

	if (text < 0)
		return -1;
	buf_init(&p.text, TEXT_MAX);
	(void)number_of(&p, text);
	fill(&p, m, pop, order);
	r = start(m, &p, pid);
	err = errno;
	close(text);
	buf_free(&p.text);
	mem_free(p.fds);
	errno = err;
	return r;
}

/* ---- the acceptor ---------------------------------------------------------------- */

static bool
take_number(struct str *line, uint64_t *v)
{
	return str_u64(str_word(line), UINT32_MAX, v) == 0;
}

static bool
take_helper(struct master *m, struct str line)
{
	uint64_t kind, index, fd;

	if (!take_number(&line, &kind) || !take_number(&line, &index) ||
	    !take_number(&line, &fd) || m->helper_n >= ARRAY_LEN(m->helpers))
		return false;
	m->helpers[m->helper_n++] = (struct helper){ .kind = (enum helper_kind)kind,
		.index = (unsigned)index, .server_end = -1, .client_end = fd ? (int)fd : -1,
		.order_server = -1, .order_client = -1 };
	return true;
}

/* Its section is found when the configuration has been read. */
static bool
take_listener(struct master *m, struct str line)
{
	uint64_t fd, section;

	if (!take_number(&line, &fd) || !take_number(&line, &section))
		return false;
	m->listeners = mem_grow(m->listeners, m->listener_n + 1, sizeof(*m->listeners));
	m->listeners[m->listener_n++] = (struct listener){ .fd = (int)fd, .section = section };
	return true;
}

static bool
take_user(struct master *m, struct str line)
{
	uint64_t uid, gid;

	if (!take_number(&line, &uid) || !take_number(&line, &gid))
		return false;
	m->user = (struct proc_user){ (uid_t)uid, (gid_t)gid, true };
	return true;
}

static bool
take_marks(struct master *m, int fd)
{
	m->marks = marks_attach(fd);
	close(fd);
	return m->marks != NULL;
}

/* What is one number. */
static bool
take_one(struct master *m, struct handover *h, struct str key, int n)
{
	if (str_eq(key, STR("base")))
		master_fd_base_is(n);
	else if (str_eq(key, STR("service")))
		h->pop = n != 0;
	else if (str_eq(key, STR("ask")))
		m->ask = n;
	else if (str_eq(key, STR("signer")))
		m->signer = signer_attach(n);
	else if (str_eq(key, STR("order")))
		return (h->order = fd_raise(n)) >= 0;
	else if (str_eq(key, STR("score")))
		return (m->score = score_attach(fd_raise(n))) != NULL;
	else if (str_eq(key, STR("book")))
		return m->score && score_attach_book(m->score, fd_raise(n)) == 0;
	else if (str_eq(key, STR("users")))
		return (m->users = userset_attach(fd_raise(n))) != NULL;
	else if (str_eq(key, STR("marks")))
		return take_marks(m, n);
	else
		return false;
	return true;
}

static bool
take_line(struct master *m, struct handover *h, struct str line)
{
	struct str key = str_word(&line);
	uint64_t fd;

	if (str_eq(key, STR("helper")))
		return take_helper(m, line);
	if (str_eq(key, STR("listener")))
		return take_listener(m, line);
	if (str_eq(key, STR("user")))
		return take_user(m, line);
	/* handover_settle() */
	if (str_eq(key, STR("log")))
		return true;
	return take_number(&line, &fd) && take_one(m, h, key, (int)fd);
}

static bool
read_text(struct buf *b)
{
	char *room = buf_room(b, TEXT_MAX);
	ssize_t n = room ? pread(TEXT_FD, room, TEXT_MAX, 0) : -1;

	if (n <= 0)
		return false;
	close(TEXT_FD);
	buf_grew(b, (size_t)n);
	return true;
}

bool
handover_take(struct master *m, struct handover *h)
{
	struct str rest, line;
	bool ok;

	*h = (struct handover){ .order = -1 };
	buf_init(&h->text, TEXT_MAX + 1);
	ok = read_text(&h->text);
	rest = buf_str(&h->text);
	while (ok && rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		ok = take_line(m, h, line);
	}
	return ok && h->order >= 0 && m->score && m->users && m->marks;
}

static bool
settle_listener(const struct conf *c, struct listener *l)
{
	if (l->section >= c->listen_n)
		return false;
	l->conf = &c->listens[l->section];
	l->fd = fd_raise(l->fd);
	return l->fd >= 0;
}

/* True for a line that is about something else. */
static bool
settle_log(struct str line)
{
	uint64_t i, fd;

	if (!str_eq(str_word(&line), STR("log")))
		return true;
	if (!take_number(&line, &i) || !take_number(&line, &fd))
		return false;
	log_use_syslog_fd((size_t)i, (int)fd);
	close((int)fd);
	return true;
}

bool
handover_settle(struct master *m, struct handover *h, const struct conf *c)
{
	struct str rest = buf_str(&h->text), line;
	bool ok = true;

	for (size_t i = 0; i < m->listener_n && ok; i++)
		ok = settle_listener(c, &m->listeners[i]);
	while (ok && rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		ok = settle_log(line);
	}
	buf_free(&h->text);
	return ok;
}
