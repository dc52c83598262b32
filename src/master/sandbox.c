/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sandbox -- what holds an acceptor and its sessions.
 *
 * An acceptor gives up root, its root directory and all that it could inherit,
 * then the files that its service has no use for (Landlock), then memory and
 * descriptors beyond what a session takes, and last the system calls that
 * neither it nor a session ever makes.  All of that is done once, before the
 * first client is let in, and a step that fails is its end.  Its sessions are
 * forked with all of it, and give up the rest before they have read an octet:
 * the listeners, and to fork.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/confine.h"

/* A session has some ten of its own; more are for messages and lists of files. */
#define SESSION_FILES 256U
/* With more listeners an acceptor has not enough with those. */
#define LISTENERS_MANY (SESSION_FILES - 64)
/* A list of a large mailbox is the most that one needs. */
#define SESSION_MEMORY ((uint64_t)1 << 30)
/* The envelope stands before the text. */
#define ENVELOPE_ROOM ((uint64_t)32 << 20)

/* A ruleset for one kind of session; -1: none. */
static int
rules(const struct confine_dir *dirs, size_t n)
{
	int fd = confine_rules(dirs, n);

	if (fd < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		log_warn(NULL, "sessions are not kept from files: Landlock: %s",
		    strerror(errno));
	return fd < 0 ? -1 : fd;
}

/*
 * A directory that has no name any more: nothing can be put into it.  Who has
 * it for its root, and nothing else that is open, sees no file at all.
 */
static int
nowhere(struct check *k)
{
	struct buf path;
	int fd = -1;

	if (!proc_is_root())
		return -1;
	buf_init(&path, PATH_MAX);
	buf_addf(&path, "%s/empty.XXXXXX", k->conf->run);
	buf_addc(&path, '\0');
	if (buf_ok(&path) && mkdtemp(path.p)) {
		fd = open(path.p, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)rmdir(path.p);
	}
	if (fd < 0)
		check_blame(k, conf_where(k->conf, &k->conf->run, CONF_NOWHERE), "run", errno,
		    "%s: %s, expected to make an empty directory there", k->conf->run,
		    strerror(errno));
	buf_free(&path);
	return fd;
}

static struct confine *
filter(struct check *k, enum confine_role role)
{
	struct buf reason;

	buf_init(&reason, 1024);
	struct confine *c =
	    confine_new(role, (enum confine_mode)k->conf->sandbox, &reason);
	if (!c)
		check_blame(k, conf_where(k->conf, &k->conf->sandbox, CONF_NOWHERE), "sandbox",
		    EPERM, "%s, expected seccomp to be there, or \"off\"", buf_cstr(&reason));
	buf_free(&reason);
	return c;
}

int
sandbox_make(struct check *k, struct sandbox *s)
{
	*s = SANDBOX_NONE;
	s->calls = filter(k, CONFINE_HELPER);
	if (s->calls && k->conf->sandbox != CONFINE_OFF && confine_is_lenient())
		log_warn(NULL, "sandbox: off, since LD_PRELOAD puts in a library from outside");
	return s->calls ? 0 : -1;
}

int
sandbox_make_acceptor(struct check *k, struct master *m, bool pop)
{
	const struct confine_dir boxes = { m->mailboxes, CONFINE_READ | CONFINE_FILL };
	struct confine_dir spool[QUEUE_CONFINE_DIRS];
	struct sandbox *s = &m->sandbox;

	if (pop && proc_is_root() && (s->empty = nowhere(k)) < 0)
		return -1;
	if (!(s->calls = filter(k, CONFINE_ACCEPTOR)))
		return -1;
	if (k->conf->sandbox == CONFINE_OFF)
		return 0;
	if (!pop) {
		queue_confine(m->queue, spool);
		s->rules = rules(spool, QUEUE_CONFINE_DIRS);
	} else if (s->empty < 0) {
		/* Without root no other process can open one. */
		s->rules = rules(&boxes, 1);
	}
	return 0;
}

void
sandbox_free(struct sandbox *s)
{
	confine_free(s->calls);
	if (s->rules >= 0)
		close(s->rules);
	if (s->empty >= 0)
		close(s->empty);
	*s = SANDBOX_NONE;
}

/* At any listener. */
static uint64_t
largest_message(const struct conf *c)
{
	uint64_t most = c->limits.message_size;

	for (size_t i = 0; i < c->listen_n; i++)
		if (c->listens[i].message_size > most)
			most = c->listens[i].message_size;
	return most;
}

void
sandbox_acceptor(struct master *m, bool pop)
{
	struct sandbox *s = &m->sandbox;
	bool blind = s->empty >= 0, many = m->listener_n > LISTENERS_MANY;

	if (blind && fchdir(s->empty) < 0)
		fatal(EX_OSERR, "cannot confine this process: %s", strerror(errno));
	proc_many();
	proc_confine(&m->user, blind ? "." : pop ? m->conf->mailboxes : m->conf->spool);
	confine_files(s->rules);
	/*
	 * Each listener has a descriptor here, and poll() takes no more than there may be.
	 * A log that is a file is longer than any message.
	 */
	proc_limit(many ? SESSION_FILES + (unsigned)m->listener_n : SESSION_FILES, 0,
	    log_is_file() ? 0 : largest_message(m->conf) + ENVELOPE_ROOM);
	proc_memory(SESSION_MEMORY);
	/* With root only barid-auth opens a mailbox. */
	if (blind && m->mailboxes >= 0) {
		close(m->mailboxes);
		m->mailboxes = -1;
	}
	confine_calls(s->calls);
	sandbox_free(s);
	s->blind = blind;
	s->many = many;
}

void
sandbox_session(const struct master *m)
{
	proc_close_from(master_fd_base(), NULL, 0);
	if (m->sandbox.many)
		proc_limit(SESSION_FILES, 0, 0);
	proc_childless();
	(void)prctl(PR_SET_NAME, "barid");
}
