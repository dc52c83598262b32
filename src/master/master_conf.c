/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * master_conf -- what is made from a configuration, and how it is swapped.
 *
 * Everything that can fail is made first, beside what is in force; only
 * then is it swapped, so that a mistake leaves the old service untouched
 * (DESIGN: promise 4).  Sessions that are open keep what they were forked
 * with.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

static int64_t
file_stamp(const char *path)
{
	struct stat st;

	if (!path[0] || stat(path, &st) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec +
	    (int64_t)st.st_ino;
}

/* A number that changes when any certificate or key file does. */
static int64_t
certificates_stamp(const struct conf *c)
{
	int64_t sum = file_stamp(c->tls.certificate) + file_stamp(c->tls.key);

	for (size_t i = 0; i < c->tls.name_n; i++)
		sum += file_stamp(c->tls.names[i].certificate) + file_stamp(c->tls.names[i].key);
	return sum;
}

static void
tls_all_free(struct service_tls *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tls_ctx_free(v[i].ctx);
	mem_free(v);
}

static struct tls_ctx *
tls_one(const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct tls_name *names = mem_array(c->tls.name_n + 1, sizeof(*names));
	struct tls_server_conf t = {
		.certificate = c->tls.certificate, .key = c->tls.key,
		.min_version = c->tls.min_version, .ciphers = c->tls.ciphers,
		.alpn = l->service == SERVICE_POP3 ? "pop3" : "smtp",
		.session_id = l->name, .names = names, .name_n = c->tls.name_n,
	};

	for (size_t i = 0; i < c->tls.name_n; i++)
		names[i] = (struct tls_name){ c->tls.names[i].name,
			c->tls.names[i].certificate, c->tls.names[i].key };
	struct tls_ctx *ctx = tls_server_ctx(&t, error);
	mem_free(names);
	return ctx;
}

/* A context for each listener that has TLS; V has an entry for each. */
static int
tls_all(const struct conf *c, struct service_tls **v, struct buf *error)
{
	*v = mem_array(c->listen_n + 1, sizeof(**v));
	for (size_t i = 0; i < c->listen_n; i++) {
		(*v)[i].conf = &c->listens[i];
		if (c->listens[i].tls == LISTEN_TLS_OFF)
			continue;
		if (!((*v)[i].ctx = tls_one(c, &c->listens[i], error))) {
			buf_addc(error, '\n');
			tls_all_free(*v, c->listen_n);
			*v = NULL;
			return -1;
		}
	}
	return 0;
}

int
master_try(const struct conf *c, struct buf *error)
{
	struct service_tls *tls;

	if (tls_all(c, &tls, error) < 0)
		return -1;
	tls_all_free(tls, c->listen_n);
	return 0;
}

static void
attach_tls(struct listener *v, size_t n, const struct service_tls *tls, size_t tls_n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < tls_n; j++)
			if (tls[j].conf == v[i].conf)
				v[i].tls = tls[j].ctx;
}

static int
make_dir(const char *path, mode_t mode, const struct proc_user *u, struct buf *error)
{
	if (mkdir(path, mode) == 0) {
		/* Our umask is strict, and the run directory is for everybody. */
		if (chmod(path, mode) < 0)
			log_warn(NULL, "%s: %s", path, strerror(errno));
		if (proc_is_root() && u->found && chown(path, u->uid, u->gid) < 0)
			log_warn(NULL, "%s: %s", path, strerror(errno));
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	buf_addf(error, "%s: cannot make the directory: %s\n", path, strerror(errno));
	return -1;
}

/* What is opened once, at the start, and not again by a reload. */
static int
open_places(struct master *m, const struct conf *c, struct buf *error)
{
	if (make_dir(c->run, 0755, &m->user, error) < 0 ||
	    make_dir(c->mailboxes, 0700, &m->user, error) < 0)
		return -1;
	if ((m->mailboxes = open(c->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		buf_addf(error, "%s: %s\n", c->mailboxes, strerror(errno));
		return -1;
	}
	uid_t uid = m->user.found ? m->user.uid : geteuid();
	gid_t gid;
	if (proc_group("baridrop", &gid) < 0)
		gid = m->user.found ? m->user.gid : getegid();
	m->queue = queue_open(c->spool, QUEUE_CREATE, uid, gid, error);
	if (!m->queue)
		return -1;
	if (queue_lock(m->queue) < 0) {
		m->spool_busy = true;
		buf_addf(error, "%s: another barid is running on this spool\n", c->spool);
		return -1;
	}
	return 0;
}

static int
find_user(struct master *m, const struct conf *c, struct buf *error)
{
	struct proc_user u = proc_user(c->user);

	if (!u.found && proc_is_root()) {
		buf_addf(error, "%s: user: there is no account \"%s\"; make it, or name another\n",
		    m->conf_path, c->user);
		return -1;
	}
	if (proc_is_root() && u.uid == 0) {
		buf_addf(error, "%s: user: \"%s\" is root, expected an account without "
		    "privileges\n", m->conf_path, c->user);
		return -1;
	}
	/* The spool and the mailboxes are the other one's. */
	if (m->conf && proc_is_root() && (u.uid != m->user.uid || u.gid != m->user.gid)) {
		buf_addf(error, "%s: user changes with a restart only\n", m->conf_path);
		return -1;
	}
	m->user = u;
	return 0;
}

/* A complaint is lines; the log has one for each. */
static void
log_lines(const char *what, const struct buf *b)
{
	struct str rest = buf_str(b), line;

	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		log_error(NULL, "%s" STR_FMT, what, STR_ARG(line));
	}
}

/* Puts C in force.  -1: it was not, and C is freed; the reason is in the log. */
int
master_apply(struct master *m, struct conf *c, bool first)
{
	struct service_tls *tls = NULL;
	struct listener *v = NULL;
	size_t n = 0;
	struct buf error;

	buf_init(&error, 16384);
	/* Sessions are forked from here; what only a runner needs is not handed down. */
	conf_forget_secrets(c);
	if (find_user(m, c, &error) < 0 || (first && open_places(m, c, &error) < 0) ||
	    tls_all(c, &tls, &error) < 0)
		goto fail;
	if (listeners_open(m, c, &v, &n, &error) < 0) {
		tls_all_free(tls, c->listen_n);
		goto fail;
	}
	attach_tls(v, n, tls, c->listen_n);
	listeners_close(m->listeners, m->listener_n);
	tls_all_free(m->tls, m->tls_n);
	m->listeners = v;
	m->listener_n = n;
	m->tls = tls;
	m->tls_n = c->listen_n;
	m->certificates_mtime = certificates_stamp(c);
	conf_free(m->conf);
	m->conf = c;
	(void)conf_open_log(c);
	users_refresh(m, true);
	buf_free(&error);
	return 0;
fail:
	log_lines("", &error);
	buf_free(&error);
	conf_free(c);
	return -1;
}

void
master_reload(struct master *m)
{
	struct buf error;

	/* systemd's notify-reload wants to know when it began, by its own clock. */
	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration",
	    (long long)clock_ms() * 1000);
	buf_init(&error, 16384);
	struct conf *c = conf_load(m->conf_path, &error);
	log_reopen();
	if (!c) {
		log_lines("reload refused, the old configuration stays: ", &error);
	} else if (strcmp(c->spool, m->conf->spool) != 0 || strcmp(c->run, m->conf->run) != 0 ||
	    strcmp(c->mailboxes, m->conf->mailboxes) != 0 ||
	    c->queue.runners != m->conf->queue.runners) {
		log_error(NULL, "reload refused, the old configuration stays: "
		    "spool, run, mailboxes and queue.runners change with a restart only");
		conf_free(c);
	} else if (master_apply(m, c, false) < 0) {
		log_error(NULL, "reload refused, the old configuration stays");
	} else {
		helpers_restart(m);
		log_info(NULL, "reload -- configuration %s", m->conf_path);
	}
	buf_free(&error);
	notify_send("READY=1\nSTATUS=running");
}

/* New certificates come into force by themselves; bad ones do not. */
void
master_check_certificates(struct master *m)
{
	int64_t stamp = certificates_stamp(m->conf);
	struct service_tls *tls;
	struct buf error;

	if (stamp == m->certificates_mtime)
		return;
	m->certificates_mtime = stamp;
	buf_init(&error, 16384);
	if (tls_all(m->conf, &tls, &error) < 0) {
		log_lines("new certificate refused, the old one stays: ", &error);
	} else {
		attach_tls(m->listeners, m->listener_n, tls, m->conf->listen_n);
		tls_all_free(m->tls, m->tls_n);
		m->tls = tls;
		log_info(NULL, "certificates were read again");
	}
	buf_free(&error);
}

void
master_rotate_tickets(struct master *m)
{
	for (size_t i = 0; i < m->tls_n; i++)
		if (m->tls[i].ctx)
			tls_ctx_rotate(m->tls[i].ctx);
}

void
master_release(struct master *m)
{
	tls_all_free(m->tls, m->tls_n);
	listeners_close(m->listeners, m->listener_n);
	conf_free(m->conf);
	if (m->mailboxes >= 0)
		close(m->mailboxes);
}
