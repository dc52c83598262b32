/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * worker -- one place: what its process may do, and what it does.
 *
 * What a client sent is read only when the process has no more rights than its
 * place needs: none but the descriptors it is given for files and pairs; the
 * network and what a resolver and TLS read for servers; another program for
 * exec; and root for PAM and shadow(5), where each process has one question
 * and forgets nothing since there is nothing before it.
 *
 * A mailbox in the home directory of an account is its own, and a session is
 * not that account.  So whoever opens it is given the name by the broker, once
 * there is a yes, becomes the account and stays, as the only one who has the
 * mailbox (maildir_serve()); the session gets the way to ask there.
 */

#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "answer.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "mail/cram.h"
#include "mailbox/maildir.h"
#include "mailbox/person.h"

#define WORKER_FILES 64
/* The password file is in it, at most 64 MiB, and what a hash may take. */
#define WORKER_MEMORY ((uint64_t)4 << 30)
/* The names of a million messages are in it. */
#define HOME_MEMORY ((uint64_t)1 << 30)

/* Of a place that has a home: an account that is not known yet. */
enum rights {
	RIGHTS_NONE, RIGHTS_MAILBOXES, RIGHTS_NETWORK, RIGHTS_PROGRAM, RIGHTS_ROOT, RIGHTS_HOME
};

/* ---- what it may do --------------------------------------------------------------- */

static enum rights
rights_of(const struct auth *a, unsigned place)
{
	if (place == PLACE_MAILBOX)
		return RIGHTS_MAILBOXES;
	if (place == PLACE_HOME)
		return RIGHTS_HOME;
	if (place >= a->backend_n)
		return RIGHTS_NONE;
	switch (a->backends[place].c.kind) {
	case BACKEND_FILE:
	case BACKEND_HARDCODED:
		return RIGHTS_NONE;
	case BACKEND_PAM:
	case BACKEND_USERS:
		return RIGHTS_ROOT;
	case BACKEND_EXEC:
		return RIGHTS_PROGRAM;
	case BACKEND_LDAP:
	case BACKEND_RADIUS:
	case BACKEND_HTTP:
	case BACKEND_OAUTH:
		break;
	}
	return RIGHTS_NETWORK;
}

bool
worker_is_for_one(const struct auth *a, unsigned place)
{
	enum rights rights = rights_of(a, place);

	return rights == RIGHTS_ROOT || rights == RIGHTS_HOME;
}

/* It sees no file but below these; where there is no Landlock, as before. */
static void
see_only(const struct confine_dir *dirs, size_t n, bool tcp)
{
	int rules = tcp ? confine_rules_tcp(dirs, n) : confine_rules(dirs, n);

	confine_files(rules);
	if (rules >= 0)
		close(rules);
}

/* What libraries and resolvers read, the trust anchors; and the directory OWN, or -1. */
static void
see_system(const char *const *more, size_t more_n, int own)
{
	static const char *const paths[] = { "/etc", "/usr", "/lib", "/lib64", "/run",
		"/dev/null", "/dev/urandom" };
	struct confine_dir dirs[ARRAY_LEN(paths) + 4] = { { 0 } };
	size_t n = 0;

	if (own >= 0)
		dirs[n++] = (struct confine_dir){ fcntl(own, F_DUPFD_CLOEXEC, 3),
			CONFINE_READ | CONFINE_FILL };
	for (size_t i = 0; i < ARRAY_LEN(paths) + more_n && n < ARRAY_LEN(dirs); i++) {
		const char *path = i < ARRAY_LEN(paths) ? paths[i] : more[i - ARRAY_LEN(paths)];
		int fd = path && path[0] ? open(path, O_PATH | O_CLOEXEC) : -1;

		if (fd >= 0)
			dirs[n++] = (struct confine_dir){ fd, CONFINE_READ };
	}
	see_only(dirs, n, true);
	while (n > 0)
		close(dirs[--n].fd);
}

/* Nothing is seen, or the mailboxes; who has to know accounts looks them up himself. */
static void
confine_boxes(const struct auth *a, bool mailboxes)
{
	const struct confine_dir boxes = { a->mailboxes, CONFINE_READ | CONFINE_FILL };

	if (mailboxes && conf_has_home_maildirs(a->conf)) {
		see_system(NULL, 0, a->mailboxes);
		confine_calls(a->helper);
		return;
	}
	see_only(&boxes, mailboxes && a->mailboxes >= 0, false);
	confine_calls(a->session);
}

static void
confine(struct auth *a, unsigned place)
{
	enum rights rights = rights_of(a, place);

	auth_backends_keep(a, place);
	const char *const more[] = { a->conf->tls.ca, place < a->backend_n ?
		a->backends[place].c.ca : NULL };
	if (rights != RIGHTS_ROOT && rights != RIGHTS_HOME)
		proc_confine(&a->user, NULL);
	/* For who becomes an account that ends with it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (rights) {
	case RIGHTS_ROOT:
	case RIGHTS_HOME:
		return;
	case RIGHTS_PROGRAM:
		/* What a program says is for nobody: it may be a password. */
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		return;
	case RIGHTS_NETWORK:
		proc_limit(WORKER_FILES, 0, 0);
		see_system(more, ARRAY_LEN(more), -1);
		confine_calls(a->helper);
		return;
	case RIGHTS_NONE:
	case RIGHTS_MAILBOXES:
		proc_limit(WORKER_FILES, 0, 0);
		proc_alone(WORKER_MEMORY);
		confine_boxes(a, rights == RIGHTS_MAILBOXES);
		return;
	}
}

/* ---- what it does ------------------------------------------------------------------ */

/* The name of USER's mailbox; false: nobody has such a one. */
static bool
find_mailbox(const struct auth *a, struct str user, char mailbox[NAME_LEN_MAX + 1])
{
	if (userset_has(a->users, user, mailbox))
		return true;
	/* PAM may know people that no list of names has. */
	if (!name_is_plain(user))
		return false;
	memcpy(mailbox, user.p, user.n);
	return true;
}

/*
 * Answers with the directory of USER's mailbox: a session sees no other, and
 * before that none.  Without one it will say that it cannot have it.  One that
 * is at home is for somebody else to open (AUTH_MORE).
 */
static void
give_mailbox(const struct auth *a, struct str user, int reply)
{
	struct msg_auth_result r = { .verdict = AUTH_YES, .user = user };
	bool homes = conf_has_home_maildirs(a->conf);
	char mailbox[NAME_LEN_MAX + 1] = "";
	int box = -1;

	if (find_mailbox(a, user, mailbox)) {
		errno = 0;
		if (homes && person_find(mailbox, a->root) != NULL)
			r.verdict = AUTH_MORE;
		else if (!homes || errno == 0)
			box = maildir_root(a->mailboxes, mailbox);
		if (box < 0 && r.verdict == AUTH_YES)
			log_warn(NULL, "mailbox %s: %s", mailbox, maildir_why(errno));
	}
	auth_answer(reply, &r, box);
	if (box >= 0)
		close(box);
}

/* From here on this process is the account, for good. */
static void
become_home(struct auth *a, const struct passwd *pw)
{
	const struct proc_user u = { pw->pw_uid, pw->pw_gid, true };

	proc_confine(&u, NULL);
	(void)prctl(PR_SET_PDEATHSIG, 0);
	proc_limit(WORKER_FILES, 0, 0);
	proc_alone(HOME_MEMORY);
	/* Of the others it has nothing to know. */
	if (a->mailboxes >= 0)
		close(a->mailboxes);
	a->mailboxes = -1;
	userset_free(a->users);
	a->users = NULL;
	logins_free(a->logins);
	a->logins = NULL;
	mem_wipe((char *)a->nobody, sizeof(a->nobody));
}

/* The Maildir of PW, which this process is by now; -1: errno. */
static int
open_home(const struct auth *a, const struct passwd *pw)
{
	struct arena arena;
	struct confine_dir own = { .may = CONFINE_READ | CONFINE_FILL };

	arena_init(&arena, 1 << 16);
	const char *path = arena_printf(&arena, "%s/%s", pw->pw_dir,
	    a->conf->recipients.home_maildir);
	own.fd = maildir_root_at(path);
	if (own.fd < 0)
		log_warn(NULL, "mailbox %s: %s", path, maildir_why(errno));
	arena_free(&arena);
	see_only(&own, own.fd >= 0, false);
	confine_calls(a->session);
	return own.fd;
}

/* Answers with the way to USER's mailbox at home, and serves it. */
static void
serve_home(struct auth *a, struct str user, int reply)
{
	const struct msg_auth_result r = { .verdict = AUTH_YES, .user = user };
	char mailbox[NAME_LEN_MAX + 1] = "";
	const struct passwd *pw = NULL;
	int ways[2], root = -1;

	if (conf_has_home_maildirs(a->conf) && find_mailbox(a, user, mailbox))
		pw = person_find(mailbox, a->root);
	if (pw != NULL && channel_pair(ways) == 0) {
		become_home(a, pw);
		root = open_home(a, pw);
	}
	auth_answer(reply, &r, root >= 0 ? ways[1] : -1);
	if (root < 0)
		return;
	close(ways[1]);
	close(reply);
	maildir_serve(root, ways[0]);
	proc_child_exit(0);
}

static void
judge(const struct auth *a, unsigned place, const struct msg_auth *m, int fd)
{
	struct msg_auth_result r = { .verdict = AUTH_NO, .user = m->user };
	bool alone = place < a->backend_n;
	struct auth_note note = { 0 };
	enum hmac_hash hash = HMAC_MD5;
	enum auth_proof proof;
	struct arena arena;

	arena_init(&arena, (size_t)1 << 20);
	buf_init(&note.said, FRAME_MAX / 2);
	(void)cram_hash(m->mechanism, &hash);
	if (auth_proof_of(m->mechanism, &proof)) {
		const struct auth_question q = { .user = arena_cstr(&arena, m->user),
			.password = arena_cstr(&arena, m->password),
			.client = arena_cstr(&arena, m->client),
			.challenge = arena_cstr(&arena, m->challenge), .proof = proof,
			.hash = hash, .note = &note, .service = arena_cstr(&arena, m->service),
			.listener = arena_cstr(&arena, m->listener),
			.tls = arena_cstr(&arena, m->tls), .nobody = a->nobody };
		r.verdict = auth_ask(a->backends + (alone ? place : 0),
		    alone ? 1 : a->mail_n, &q);
	}
	r.app = str_c(note.app);
	r.said = buf_str(&note.said);
	r.why = str_c(note.why);
	if (note.user[0] != '\0')
		r.user = str_c(note.user);
	auth_answer(fd, &r, -1);
	buf_free(&note.said);
	arena_wipe(&arena);
}

static void
close_files(struct auth *a)
{
	for (size_t i = 0; i < a->backend_n; i++) {
		if (a->backends[i].fd >= 0)
			close(a->backends[i].fd);
		a->backends[i].fd = -1;
	}
}

/* A packet: a file, or a question.  True: that was one. */
static bool
take(struct auth *a, unsigned place, struct str packet, int pass, int fd)
{
	size_t i = packet.n == 2 ? (unsigned char)packet.p[1] : BACKENDS_MAX;
	struct msg_auth m;

	if (packet.n == 2 && packet.p[0] == WORKER_FILE && i < a->backend_n && pass >= 0) {
		a->backends[i].fd = pass;
		return false;
	}
	if (pass >= 0)
		close(pass);
	if (!msg_auth_get(packet, &m)) {
		channel_complain("a request");
	} else if (place == PLACE_MAILBOX) {
		give_mailbox(a, m.user, fd);
	} else if (place == PLACE_HOME) {
		serve_home(a, m.user, fd);
	} else {
		judge(a, place, &m, fd);
	}
	close_files(a);
	return true;
}

void
worker_run(struct auth *a, unsigned place, int fd)
{
	struct buf packet;
	int pass, n;

	confine(a, place);
	buf_init(&packet, FRAME_MAX);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			break;
		n = channel_recv(fd, &packet, &pass);
		if (n < 0)
			break;
		bool asked = n > 0 && take(a, place, buf_str(&packet), pass, fd);
		buf_wipe(&packet);
		if (asked && worker_is_for_one(a, place))
			break;
	}
	proc_child_exit(0);
}
