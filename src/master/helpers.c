/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * helpers -- the programs beside the sessions: started, watched, restarted.
 *
 * The channel of a helper is the master's: requests that arrive while it is
 * being restarted wait in it.  A helper that keeps dying is started with
 * growing pauses; the rest of the system goes on without it.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/program.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mailbox/usage.h"

_Static_assert(RUNNERS_MAX == SCORE_CELLS, "each runner has a cell of its own");

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
/* One that lived this long is forgiven. */
#define HEALTHY_MS 60000

const char *
helper_name(const struct helper *h)
{
	static const char *const names[] = { [HELPER_AUTH] = "barid-auth",
		[HELPER_RUNNER] = "barid-runner", [HELPER_HTTP] = "barid-http",
		[HELPER_SIGN] = "barid-sign",
		[HELPER_SPAWN] = "barid-spawn",
		[HELPER_VERIFY] = "barid-verify",
		[HELPER_CHECK] = "barid-check",
		[HELPER_COLLECT] = "barid-collect",
		[HELPER_ADMIN] = "barid-admin" };

	return names[h->kind];
}

/* Whether some mail goes by MTA-STS, or somewhere with a token that is fetched. */
static bool
needs_http(const struct conf *c)
{
	for (size_t i = 0; i < c->route_n; i++)
		if (c->routes[i].tls == TLS_DANE && c->routes[i].way.kind == VIA_MX)
			return true;
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t k = 0; k < c->upstreams[i].server_n; k++)
			if (strncmp(c->upstreams[i].servers[k].token, "refresh:", 8) == 0)
				return true;
	return false;
}

/* Whether some listener speaks TLS. */
static bool
needs_sign(const struct master *m)
{
	for (size_t i = 0; i < m->conf->listen_n; i++)
		if (m->conf->listens[i].tls != LISTEN_TLS_OFF)
			return true;
	return false;
}

/* Whether there are pages for administrators. */
static bool
needs_admin(const struct conf *c)
{
	for (size_t i = 0; i < c->listen_n; i++)
		if (c->listens[i].service == SERVICE_ADMIN)
			return true;
	return false;
}

/* Whether some mail goes to a program, or may once an alias says so. */
static bool
needs_spawn(const struct conf *c)
{
	struct program_command command;

	for (size_t i = 0; i < program_commands(c); i++)
		if (program_command(c, i, &command))
			return true;
	if (conf_has_homes(c))
		return true;
	return c->aliases.n > 0 && c->recipients.run_as[0] != '\0';
}

/* Reports of others come for people here. */
static bool
reads_reports(const struct conf *c)
{
	return c->journal.enabled && c->journal.reports && c->domains.n > 0;
}

static bool
is_needed(const struct master *m, const struct helper *h)
{
	const struct conf *c = m->conf;

	switch (h->kind) {
	case HELPER_AUTH:
		return (c->auth.backends.n > 0 || c->auth.certificates.n > 0 ||
		    c->admin.auth.n > 0) && !m->once;
	case HELPER_HTTP:
		return needs_http(c);
	case HELPER_SIGN:
		return needs_sign(m) && !m->once;
	case HELPER_SPAWN:
		return needs_spawn(c);
	case HELPER_VERIFY:
		return (c->recipients.asked.kind != VERIFY_NOBODY ||
		    usage_is_limited(c)) && !m->once;
	case HELPER_CHECK:
		return (c->dnsbl.list_n > 0 || c->check.any || c->greylist.enabled ||
		    reads_reports(c)) && !m->once;
	case HELPER_COLLECT:
		return c->collect_n > 0 && !m->once;
	case HELPER_ADMIN:
		return needs_admin(c) && !m->once;
	case HELPER_RUNNER:
		break;
	}
	return true;
}

static unsigned
runners_wanted(const struct conf *c)
{
	long n = c->queue.runners ? (long)c->queue.runners : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > RUNNERS_MAX ? RUNNERS_MAX : (unsigned)n;
}

static void
helper_add(struct master *m, enum helper_kind kind, unsigned index)
{
	m->helpers[m->helper_n++] = (struct helper){
		.kind = kind, .index = index, .server_end = -1, .client_end = -1,
		.order_server = -1, .order_client = -1 };
}

/* Sets up the list that the configuration asks for; channels come later. */
void
helpers_init(struct master *m)
{
	unsigned runners = m->once ? 1 : runners_wanted(m->conf);

	static const enum helper_kind singles[FIRST_RUNNER] = { HELPER_AUTH, HELPER_HTTP,
		HELPER_SIGN, HELPER_SPAWN, HELPER_VERIFY, HELPER_CHECK, HELPER_COLLECT,
		HELPER_ADMIN };

	m->helper_n = 0;
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		helper_add(m, singles[i], 0);
	for (unsigned i = 0; i < runners; i++)
		helper_add(m, HELPER_RUNNER, i);
}

static int
open_channels(struct helper *h)
{
	int fds[2];

	if (channel_pair(fds) < 0 || (h->server_end = fd_raise(fds[0])) < 0)
		return -1;
	/* Sessions keep this end, so it stays below master_fd_base(). */
	h->client_end = fds[1];
	/* No session may ask for a token, have a program run, or mail fetched; the pages nobody. */
	if (h->kind == HELPER_HTTP || h->kind == HELPER_SPAWN || h->kind == HELPER_COLLECT ||
	    h->kind == HELPER_ADMIN)
		return (h->client_end = fd_raise(fds[1])) < 0 ? -1 : 0;
	if (h->kind != HELPER_RUNNER)
		return 0;
	if (channel_pair(fds) < 0 || (h->order_server = fd_raise(fds[0])) < 0 ||
	    (h->order_client = fd_raise(fds[1])) < 0)
		return -1;
	return 0;
}

int
helpers_channels(struct master *m, struct buf *error)
{
	for (size_t i = 0; i < m->helper_n; i++) {
		struct helper *h = &m->helpers[i];

		/* That of barid-sign comes and goes with certificates. */
		if (h->kind == HELPER_SIGN)
			continue;
		if (h->server_end < 0 && open_channels(h) < 0) {
			buf_addf(error, "cannot make a channel: %s\n", strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* What a helper is started with: its descriptors, and the sections of its listeners in words. */
struct start {
	int *fds;
	size_t n;
	struct buf index, count, sections;
};

static void
add_fd(struct start *s, int fd)
{
	s->fds[s->n++] = fd;
}

/* After its channels: who knows passwords, who signs, and where clients come. */
static void
add_listeners(struct start *s, const struct master *m)
{
	add_fd(s, m->helpers[PLACE_AUTH].client_end);
	add_fd(s, signer_client_end(m->signer));
	for (size_t i = 0; i < m->listener_n; i++) {
		if (m->listeners[i].conf->service != SERVICE_ADMIN)
			continue;
		add_fd(s, m->listeners[i].fd);
		buf_addu(&s->sections, (uint64_t)(m->listeners[i].conf - m->conf->listens));
		buf_addc(&s->sections, ' ');
	}
}

static void
add_channels(struct start *s, const struct master *m, const struct helper *h)
{
	bool runner = h->kind == HELPER_RUNNER;

	add_fd(s, h->kind == HELPER_SIGN ? signer_server_end(m->signer) : h->server_end);
	if (runner)
		add_fd(s, h->order_server);
	if (h->kind == HELPER_SIGN) {
		add_fd(s, signer_keys(m->signer));
		return;
	}
	add_fd(s, score_fd(m->score));
	add_fd(s, userset_fd(m->users));
	if (runner) {
		add_fd(s, share_fd(m->share));
		add_fd(s, m->helpers[PLACE_HTTP].client_end);
		add_fd(s, m->helpers[PLACE_SPAWN].client_end);
		add_fd(s, m->helpers[PLACE_CHECK].client_end);
	}
	/* Whose mail goes elsewhere needs no room here. */
	if (h->kind == HELPER_VERIFY)
		add_fd(s, m->helpers[PLACE_SPAWN].client_end);
	if (runner || h->kind == HELPER_COLLECT)
		for (size_t i = FIRST_RUNNER; i < m->helper_n; i++)
			add_fd(s, m->helpers[i].client_end);
	if (h->kind == HELPER_ADMIN)
		add_listeners(s, m);
}

static pid_t
execute(const struct master *m, const struct helper *h, const char *path, const struct start *s)
{
	const char *const argv[] = { helper_name(h), "-c", m->conf_path, "-i", buf_cstr(&s->index),
		"-n", buf_cstr(&s->count),
		h->kind == HELPER_ADMIN		     ? "-l" :
		m->once && h->kind == HELPER_RUNNER ? "-q" :
						      NULL,
		h->kind == HELPER_ADMIN ? buf_cstr(&s->sections) : NULL, NULL };
	/* exec's argv is not const for historical reasons only. */
	char *args[ARRAY_LEN(argv)];

	memcpy(args, argv, sizeof(argv));
	/* What is in force is what they read, whatever the file says by now. */
	return proc_start(path, args, m->kept, s->fds, s->n, environ);
}

static void
helper_start(struct master *m, struct helper *h)
{
	struct start s = { .fds = mem_array(10 + RUNNERS_MAX + m->listener_n, sizeof(int)) };
	const char *path = proc_helper(helper_name(h));

	buf_init(&s.index, 16);
	buf_init(&s.count, 16);
	buf_init(&s.sections, 1 << 20);
	buf_addu(&s.index, h->index);
	buf_addu(&s.count, m->helper_n - FIRST_RUNNER);
	add_channels(&s, m, h);
	h->started_ms = clock_ms();
	h->stopping = false;
	h->pid = execute(m, h, path, &s);
	if (h->pid < 0) {
		log_error(NULL, "cannot start %s: %s", path, strerror(errno));
		h->pid = 0;
		h->restart_ms = h->started_ms + BACKOFF_MAX_MS / 6;
	} else {
		log_debug(NULL, "started %s, pid %d", helper_name(h), (int)h->pid);
	}
	buf_free(&s.index);
	buf_free(&s.count);
	buf_free(&s.sections);
	mem_free(s.fds);
}

void
helpers_tick(struct master *m)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < m->helper_n && !m->stopping; i++) {
		struct helper *h = &m->helpers[i];
		if (!is_needed(m, h))
			continue;
		if (h->pid == 0 && now >= h->restart_ms)
			helper_start(m, h);
	}
}

/* When the next one is due, for the master's wait; INT64_MAX: none. */
int64_t
helpers_next_ms(const struct master *m)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < m->helper_n && !m->stopping; i++) {
		const struct helper *h = &m->helpers[i];
		if (!is_needed(m, h))
			continue;
		if (h->pid == 0 && h->restart_ms < next)
			next = h->restart_ms;
	}
	return next;
}

static void
helper_died(const struct helper *h, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error(NULL, "%s (pid %d) died of signal %d (%s); started again in %lld s",
		    helper_name(h), (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
		    (long long)h->backoff_ms / 1000);
	else
		log_error(NULL, "%s (pid %d) ended with status %d; started again in %lld s",
		    helper_name(h), (int)pid, WEXITSTATUS(status), (long long)h->backoff_ms / 1000);
}

/* True if PID was a helper. */
bool
helpers_reaped(struct master *m, pid_t pid, int status)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < m->helper_n; i++) {
		struct helper *h = &m->helpers[i];
		if (h->pid != pid)
			continue;
		h->pid = 0;
		if (h->kind == HELPER_RUNNER) {
			score_clear(m->score, h->index);
			share_forget(m->share, h->index);
		}
		if (m->once && h->kind == HELPER_RUNNER) {
			m->code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
			master_got_term = 1;
			return true;
		}
		if (h->stopping || m->stopping) {
			h->restart_ms = 0;
			h->backoff_ms = 0;
			return true;
		}
		if (now - h->started_ms > HEALTHY_MS || h->backoff_ms == 0)
			h->backoff_ms = BACKOFF_MIN_MS;
		else if (h->backoff_ms < BACKOFF_MAX_MS)
			h->backoff_ms *= 2;
		h->restart_ms = now + h->backoff_ms;
		/* The hints that it had read are gone with it. */
		if (h->kind == HELPER_RUNNER)
			score_add(m->score, COUNT_SCAN_WANTED, 1);
		helper_died(h, pid, status);
		return true;
	}
	return false;
}

/* Tells it to finish what it does; it is started anew as it ends. */
static void
restart(struct helper *h)
{
	h->stopping = true;
	h->restart_ms = 0;
	if (h->pid > 0)
		(void)kill(h->pid, SIGTERM);
}

void
helpers_restart(struct master *m)
{
	for (size_t i = 0; i < m->helper_n; i++)
		restart(&m->helpers[i]);
}

void
helpers_restart_one(struct master *m, enum helper_kind kind)
{
	for (size_t i = 0; i < m->helper_n; i++)
		if (m->helpers[i].kind == kind)
			restart(&m->helpers[i]);
}

void
helpers_leave(struct master *m, enum helper_kind kind)
{
	for (size_t i = 0; i < m->helper_n; i++)
		if (m->helpers[i].kind == kind) {
			m->helpers[i].pid = 0;
			m->helpers[i].restart_ms = 0;
			m->helpers[i].backoff_ms = 0;
		}
}

void
helpers_signal(const struct master *m, int signo)
{
	for (size_t i = 0; i < m->helper_n; i++)
		if (m->helpers[i].pid > 0)
			(void)kill(m->helpers[i].pid, signo);
}

bool
helpers_alive(const struct master *m)
{
	for (size_t i = 0; i < m->helper_n; i++)
		if (m->helpers[i].pid > 0)
			return true;
	return false;
}
