/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * worker -- one place: what its process may do, and what it does.
 *
 * What a client sent is read only when the process has no more rights than its
 * place needs: none but the descriptors it is given for files and pairs; the
 * network and what a resolver and TLS read for servers; another program for
 * exec; and root for PAM and shadow(5), where each process has one question
 * and forgets nothing since there is nothing before it.
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

#define WORKER_FILES 64
/* The password file is in it, at most 64 MiB, and what a hash may take. */
#define WORKER_MEMORY ((uint64_t)4 << 30)

enum rights { RIGHTS_NONE, RIGHTS_MAILBOXES, RIGHTS_NETWORK, RIGHTS_PROGRAM, RIGHTS_ROOT };

/* ---- what it may do --------------------------------------------------------------- */

static enum rights
rights_of(const struct auth *a, unsigned place)
{
	if (place == PLACE_MAILBOX)
		return RIGHTS_MAILBOXES;
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
	return rights_of(a, place) == RIGHTS_ROOT;
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

/* What libraries and resolvers read, and the trust anchors. */
static void
see_system(const char *const *more, size_t more_n)
{
	static const char *const paths[] = { "/etc", "/usr", "/lib", "/lib64", "/run",
		"/dev/null", "/dev/urandom" };
	struct confine_dir dirs[ARRAY_LEN(paths) + 4];
	size_t n = 0;

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

static void
confine(struct auth *a, unsigned place)
{
	enum rights rights = rights_of(a, place);
	const struct confine_dir boxes = { a->mailboxes, CONFINE_READ | CONFINE_FILL };

	auth_backends_keep(a, place);
	const char *const more[] = { a->conf->tls.ca, place < a->backend_n ?
		a->backends[place].c.ca : NULL };
	if (rights != RIGHTS_ROOT)
		proc_confine(&a->user, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (rights) {
	case RIGHTS_ROOT:
		return;
	case RIGHTS_PROGRAM:
		/* What a program says is for nobody: it may be a password. */
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		return;
	case RIGHTS_NETWORK:
		proc_limit(WORKER_FILES, 0, 0);
		see_system(more, ARRAY_LEN(more));
		confine_calls(a->helper);
		return;
	case RIGHTS_NONE:
	case RIGHTS_MAILBOXES:
		proc_limit(WORKER_FILES, 0, 0);
		proc_alone(WORKER_MEMORY);
		see_only(&boxes, rights == RIGHTS_MAILBOXES && a->mailboxes >= 0, false);
		confine_calls(a->session);
		return;
	}
}

/* ---- what it does ------------------------------------------------------------------ */

/*
 * The directory of USER's mailbox: a session sees no other, and before that
 * none.  -1: it will say that it cannot have it.
 */
static int
open_mailbox(const struct auth *a, struct str user)
{
	char mailbox[NAME_LEN_MAX + 1] = "";
	int fd;

	if (!userset_has(a->users, user, mailbox)) {
		/* PAM may know people that no list of names has. */
		if (!name_is_plain(user))
			return -1;
		memcpy(mailbox, user.p, user.n);
	}
	fd = maildir_root(a->mailboxes, mailbox);
	if (fd < 0)
		log_warn(NULL, "mailbox %s: %s", mailbox, strerror(errno));
	return fd;
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
		    alone ? 1 : a->backend_n, &q);
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
		log_error(NULL, "a request is broken");
	} else if (place == PLACE_MAILBOX) {
		const struct msg_auth_result r = { .verdict = AUTH_YES, .user = m.user };
		int box = open_mailbox(a, m.user);

		auth_answer(fd, &r, box);
		if (box >= 0)
			close(box);
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
