/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reexec -- the same process, its children and sockets, with a fresh image.
 *
 * All sessions are forked from one image and so share its memory layout.
 * When one crashed, somebody may be probing: the master executes itself
 * again, and the children to come have another layout (CONFORMANCE P-05).
 * What must live on is descriptors and numbers; they go over in a small
 * text in a memory file.  Sessions that are open notice nothing.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/environ.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "net/listen.h"

#define STATE_ENV "BARID_STATE"
#define STATE_MAX 65536
#define LATER_MS 5000

static int
keep(int fd)
{
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, 0);
	return fd;
}

static void
state_format(struct master *m, struct buf *b)
{
	buf_addf(b, "conf %d\n", keep(m->kept));
	buf_addf(b, "score %d\n", keep(score_fd(m->score)));
	buf_addf(b, "share %d\n", keep(share_fd(m->share)));
	buf_addf(b, "userset %d\n", keep(userset_write_fd(m->users)));
	if (m->control >= 0)
		buf_addf(b, "control %d\n", keep(m->control));
	for (size_t i = 0; i < m->listener_n; i++) {
		struct listener *l = &m->listeners[i];
		buf_addf(b, "listener %d %d %s\n", keep(l->fd), l->inherited, l->name);
	}
	for (size_t i = 0; i < m->helper_n; i++) {
		struct helper *h = &m->helpers[i];
		/* The new image reads certificates again, and starts another barid-sign. */
		buf_addf(b, "helper %d %u %d %d %d %d %d\n", (int)h->kind, h->index,
		    h->kind == HELPER_SIGN ? 0 : (int)h->pid, keep(h->server_end) + 1,
		    keep(h->client_end) + 1, keep(h->order_server) + 1,
		    keep(h->order_client) + 1);
	}
	buf_addf(b, "started %lld\n", (long long)m->started_ms);
	for (size_t i = 0; i < MARKS_MAX; i++) {
		const struct mark *mark = marks_at(&m->marks, i, clock_ms());
		if (!mark)
			continue;
		buf_adds(b, "mark ");
		mark_put(b, mark);
		buf_addc(b, '\n');
	}
}

/* Complains of what a new image would not start with: the host may be another by now. */
static void
try_start(struct check *k, struct master *m)
{
	struct proc_user u = check_user(k, m);
	struct plan plan = { 0 };

	places_look(k, &u);
	check_apart(k, check_tls);
	plan_make(k, m, &plan);
	for (size_t i = 0; i < plan.n; i++) {
		const struct wanted *w = &plan.v[i];
		if (!w->old && w->fd < 0 && listen_probe(&w->addr) < 0)
			plan_blame_open(k, w, errno);
	}
	plan_free(&plan);
}

/*
 * A new image has the configuration that is in force; what that names has to
 * be there once more, or it would be our end.
 */
static bool
would_start(struct master *m)
{
	struct buf error;
	struct str line, rest;
	struct check k = { .conf = m->conf, .error = &error };

	buf_init(&error, 16384);
	try_start(&k, m);
	bool ok = error.n == 0 && buf_ok(&error);
	if (!ok) {
		str_cut(buf_str(&error), '\n', &line, &rest);
		log_error(NULL, "cannot execute myself again after a crashed session: " STR_FMT,
		    STR_ARG(line));
	}
	buf_free(&error);
	return ok;
}

void
reexec(struct master *m)
{
	struct buf b, number;

	if (!would_start(m)) {
		/* It stays wanted. */
		m->reexec_ms = clock_ms() + LATER_MS;
		return;
	}
	int fd = memfd_create("barid-state", 0);
	buf_init(&b, STATE_MAX);
	buf_init(&number, 16);
	state_format(m, &b);
	if (fd < 0 || !buf_ok(&b) || write(fd, b.p, b.n) != (ssize_t)b.n) {
		log_error(NULL, "cannot execute myself again: %s", strerror(errno));
		goto out;
	}
	buf_addf(&number, "%d", fd);
	setenv(STATE_ENV, buf_cstr(&number), 1);
	log_info(NULL, "executing myself again after a crashed session");
	/* The path is absolute by now; the directory may have changed. */
	const char *const argv[] = { m->argv[0], "-f", "-c", m->conf_path, NULL };
	char *args[ARRAY_LEN(argv)];
	memcpy(args, argv, sizeof(argv));
	char **all = environ_all();
	execve("/proc/self/exe", args, all);
	log_error(NULL, "cannot execute myself again: %s", strerror(errno));
	mem_free(all);
	unsetenv(STATE_ENV);
out:
	m->reexec_wanted = false;
	if (fd >= 0)
		close(fd);
	buf_free(&number);
	buf_free(&b);
}

static int
cloexec(uint64_t fd)
{
	(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return (int)fd;
}

static bool
take_number(struct str *line, uint64_t *v)
{
	return str_u64(str_word(line), INT32_MAX, v) == 0;
}

static bool
restore_listener(struct master *m, struct str line)
{
	uint64_t fd, inherited;

	if (!take_number(&line, &fd) || !take_number(&line, &inherited))
		return false;
	m->listeners = mem_grow(m->listeners, m->listener_n + 1, sizeof(*m->listeners));
	struct listener *l = &m->listeners[m->listener_n++];
	*l = (struct listener){ .fd = cloexec(fd), .inherited = inherited != 0 };
	l->addr = addr_local(l->fd);
	struct str name = str_head(str_trim(line), sizeof(l->name) - 1);
	memcpy(l->name, name.p, name.n);
	return true;
}

static bool
restore_helper(struct master *m, struct str line)
{
	uint64_t kind, index, pid, server, client, orders, order_client;

	if (!take_number(&line, &kind) || !take_number(&line, &index) ||
	    !take_number(&line, &pid) || !take_number(&line, &server) ||
	    !take_number(&line, &client) || !take_number(&line, &orders) ||
	    !take_number(&line, &order_client) || m->helper_n >= ARRAY_LEN(m->helpers))
		return false;
	m->helpers[m->helper_n++] = (struct helper){
		.kind = (enum helper_kind)kind, .index = (unsigned)index, .pid = (pid_t)pid,
		/* One more than the number, so that none (-1) is a number too. */
		.server_end = server ? cloexec(server - 1) : -1,
		.client_end = client ? cloexec(client - 1) : -1,
		.order_server = orders ? cloexec(orders - 1) : -1,
		.order_client = order_client ? cloexec(order_client - 1) : -1,
		.started_ms = clock_ms() };
	return true;
}

static bool
restore_line(struct master *m, struct str line)
{
	struct str key = str_word(&line);
	uint64_t fd, ms;

	if (str_eq(key, STR("listener")))
		return restore_listener(m, line);
	if (str_eq(key, STR("helper")))
		return restore_helper(m, line);
	if (str_eq(key, STR("mark")))
		return mark_get(&m->marks, line);
	if (str_eq(key, STR("started"))) {
		if (str_u64(str_word(&line), INT64_MAX, &ms) < 0)
			return false;
		m->started_ms = (int64_t)ms;
		return true;
	}
	if (!take_number(&line, &fd))
		return false;
	if (str_eq(key, STR("conf")))
		return (m->kept = cloexec(fd)) >= 0;
	if (str_eq(key, STR("score")))
		return (m->score = score_attach(cloexec(fd))) != NULL;
	if (str_eq(key, STR("control")))
		return (m->control = cloexec(fd)) >= 0;
	if (str_eq(key, STR("share")))
		return (m->share = share_attach(cloexec(fd))) != NULL;
	if (str_eq(key, STR("userset")))
		return (m->users = userset_attach(cloexec(fd))) != NULL;
	return false;
}

/* True if this image took over from an earlier one of the same process. */
bool
reexec_restore(struct master *m)
{
	const char *env = getenv(STATE_ENV);
	uint64_t fd;
	struct buf b;
	ssize_t n;

	if (!env || str_u64(str_c(env), INT32_MAX, &fd) < 0)
		return false;
	unsetenv(STATE_ENV);
	buf_init(&b, STATE_MAX);
	char *room = buf_room(&b, STATE_MAX);
	n = room ? pread((int)fd, room, STATE_MAX, 0) : -1;
	close((int)fd);
	if (n > 0)
		buf_grew(&b, (size_t)n);
	struct str rest = buf_str(&b), line;
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (!restore_line(m, line))
			fatal(70, "the state of the image before this one is broken");
	}
	buf_free(&b);
	return m->score && m->share && m->users && m->helper_n > 0;
}
