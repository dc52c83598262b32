/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * part -- a program or a file of an alias: found by its digits in the files of
 * aliases, never by what a request says of it.
 *
 * The files are read by a child that is conf.user, as a runner reads them: who
 * may write a file that is included gets no say over a process of root.  What
 * the child answers is a command or a path, and whose the file is where that
 * stands.
 */

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/proc.h"
#include "mailbox/aliases.h"

/* A target, and what goes before it. */
#define ANSWER_MAX (ALIAS_TARGET_LEN_MAX + 64)
#define LOOK_MS 30000
/* As deep as lists may lead to others. */
#define DEPTH_MAX 10

/* ---- in the child ----------------------------------------------------------- */

static const struct alias_target *
find_in(const struct aliases *all, const struct alias_list *l, struct str part,
    unsigned depth)
{
	const struct alias_target *found = NULL;
	const struct alias_list *more;
	char text[ALIAS_PART_SIZE];
	const char *why;

	for (size_t i = 0; l != NULL && i < l->n && found == NULL; i++) {
		const struct alias_target *t = &l->v[i];

		if (t->kind == ALIAS_PROGRAM || t->kind == ALIAS_FILE) {
			alias_part(t, text);
			found = str_eq(str_c(text), part) ? t : NULL;
		} else if (t->kind == ALIAS_INCLUDE && depth < DEPTH_MAX) {
			more = aliases_include(all, t->text, &why);
			found = find_in(all, more, part, depth + 1);
		}
	}
	return found;
}

/* The answer: "p" or "f", the owner, and the text behind a line end; or "-" and why not. */
static void
look(const struct conf *c, const struct msg_spawn *m, struct buf *answer)
{
	const struct alias_target *t = NULL;
	struct aliases *all;
	struct buf complaints;
	struct arena a;
	struct told told;

	arena_init(&a, 1 << 20);
	buf_init(&complaints, 65536);
	all = aliases_load(&c->aliases, true, &complaints);
	if (all != NULL && told_read(c, m, &a, &told))
		t = find_in(all, aliases_of(all, str_c(c->recipients.subaddress),
		    &told.rcpts[0]), m->via, 0);
	if (t != NULL)
		buf_addf(answer, "%c%u\n" STR_FMT,
		    t->kind == ALIAS_FILE ? 'f' : 'p', t->owner,
		    STR_ARG(t->text));
	else
		buf_addf(answer, "-0\n%s", all == NULL ?
		    "the files of aliases cannot be read" :
		    "the alias has changed, and leads there no more");
	aliases_free(all);
	buf_free(&complaints);
	arena_free(&a);
}

static void
child(const struct conf *c, const struct msg_spawn *m, int out)
{
	struct proc_user user = proc_user(c->user);
	struct buf answer;

	proc_confine(&user, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	buf_init(&answer, ANSWER_MAX);
	look(c, m, &answer);
	/* Less than a pipe holds. */
	(void)!write(out, answer.p, answer.n);
	proc_child_exit(0);
}

/* ---- in the parent ----------------------------------------------------------- */

static void
take_answer(int in, struct buf *answer)
{
	int64_t end = clock_ms() + LOOK_MS, left;
	struct pollfd p = { .fd = in, .events = POLLIN };
	char piece[1024];
	ssize_t n = 1;

	while (n > 0 && (left = end - clock_ms()) > 0) {
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(in, piece, sizeof(piece));
		if (n > 0)
			buf_add(answer, str_n(piece, (size_t)n));
	}
}

static bool
read_answer(struct str answer, struct arena *a, struct part *p,
    const char **why)
{
	struct str head, text;
	uint64_t owner;

	*why = "the files of aliases could not be looked through";
	if (!str_cut(answer, '\n', &head, &text) || head.n < 2 || text.n == 0 ||
	    str_has_ctl(text) ||
	    str_u64(str_skip(head, 1), UINT32_MAX - 1, &owner) < 0)
		return false;
	p->is_file = head.p[0] == 'f';
	p->owner = (unsigned)owner;
	p->text = arena_cstr(a, text);
	if (head.p[0] == '-') {
		*why = p->text;
		return false;
	}
	*why = NULL;
	return true;
}

bool
part_find(const struct conf *c, const struct msg_spawn *m, struct arena *a,
    struct part *p, const char **why)
{
	struct buf answer;
	int fds[2];
	bool found;
	pid_t pid;

	*why = "no process could be started";
	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		child(c, m, fds[1]);
	close(fds[1]);
	buf_init(&answer, ANSWER_MAX);
	if (pid > 0) {
		take_answer(fds[0], &answer);
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	found = pid > 0 && buf_ok(&answer) &&
	    read_answer(buf_str(&answer), a, p, why);
	buf_free(&answer);
	return found;
}

/* ---- a command --------------------------------------------------------------- */

/* Octets that mean nothing to a shell but themselves, and blanks. */
static bool
is_simple(const char *text)
{
	static const char signs[] = "!@%-_=+:,./ \t";

	for (const char *p = text; *p != '\0'; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && strchr(signs, *p) == NULL)
			return false;
	return text[0] == '/';
}

char **
part_args(const char *text, struct arena *a)
{
	struct str rest = str_c(text), word;
	size_t n = 0;
	char **v = arena_alloc(a, (rest.n / 2 + 4) * sizeof(*v));

	if (!is_simple(text)) {
		v[n++] = arena_cstr(a, STR("/bin/sh"));
		v[n++] = arena_cstr(a, STR("-c"));
		v[n++] = arena_cstr(a, rest);
	}
	while (n == 0 || (is_simple(text) && rest.n > 0)) {
		word = str_word(&rest);
		if (word.n > 0)
			v[n++] = arena_cstr(a, word);
	}
	v[n] = NULL;
	return v;
}
