/* SPDX-License-Identifier: GPL-3.0-or-later */

/* home -- a reading that has no answer ends, and says nothing. */

#include "spawn/spawn.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf_unit.h"
#include "ipc/channel.h"

static unsigned *seconds;

/* In place of libc's: nothing answers for so long. */
unsigned
alarm(unsigned s)
{
	*seconds = s;
	raise(SIGALRM);
	return 0;
}

/* How the child ended that asked for the account NAME. */
static int
ended(const struct conf *c, int fds[2], const char *name)
{
	const struct msg_forward m = { .user = str_c(name) };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(fds[0]);
		home_tell(c, &m, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(ends)
{
	struct conf *c = must_parse("domains = {\"d.test\"}\n"
	    "recipients { mailboxes = {\"system\"} forward = true }\n");
	struct buf answer;
	int fds[2], status, fd;

	seconds = mmap(NULL, sizeof(*seconds), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(seconds != MAP_FAILED);
	/* As one may have it from who started barid. */
	signal(SIGALRM, SIG_IGN);
	buf_init(&answer, FRAME_MAX);
	ck_assert_int_eq(channel_pair(fds), 0);
	status = ended(c, fds, "nobody");
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	/* Before a runner gives up, which is after 60. */
	ck_assert(*seconds >= 10 && *seconds <= 50);
	ck_assert_int_lt(channel_recv(fds[0], &answer, &fd), 0);
	close(fds[0]);
	buf_free(&answer);
	munmap(seconds, sizeof(*seconds));
	conf_free(c);
}
END_TEST

UNIT_MAIN("home", ends)
