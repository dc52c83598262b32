/* SPDX-License-Identifier: GPL-3.0-or-later */

/* box -- locks that are waited for, and who gives up meanwhile. */

#include "spawn/spawn.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/proc.h"
#include "scratch.h"
#include "unit.h"

static volatile int stop;

struct world {
	char dir[SCRATCH_SIZE], path[64], lock[70];
	int way[2];
	const char *why;
};

static void
make_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
begin(struct world *w)
{
	sigset_t set;

	*w = (struct world){ .why = "" };
	scratch_begin(w->dir);
	(void)snprintf(w->path, sizeof(w->path), "%s/box", w->dir);
	(void)snprintf(w->lock, sizeof(w->lock), "%s.lock", w->path);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, w->way), 0);
	stop = 0;
	proc_on_signal(SIGTERM, &stop);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* Adds "hello"; a lock is waited for MS. */
static void
append(struct world *w, long ms)
{
	struct told told = { .sender = { STR("a"), STR("b.c") } };
	struct box_wait wait = { clock_ms() + ms, w->way[0], &stop, 900000 };
	static char why[200];
	struct arena a;
	struct feed f;
	FILE *text = tmpfile();

	ck_assert_ptr_nonnull(text);
	ck_assert_int_ge(fputs("hello\r\n", text), 0);
	ck_assert_int_eq(fflush(text), 0);
	arena_init(&a, 1 << 16);
	feed_init(&f, fileno(text), 0, 7, STR(""));
	w->why = box_append(w->path, &told, &f, &wait, &a);
	if (w->why != NULL) {
		(void)snprintf(why, sizeof(why), "%s", w->why);
		w->why = why;
	}
	feed_free(&f);
	arena_free(&a);
	(void)fclose(text);
}

/* How much is in the file. */
static long
size(const struct world *w)
{
	struct stat st;

	ck_assert_int_eq(stat(w->path, &st), 0);
	return (long)st.st_size;
}

static void
end(struct world *w, const char *words)
{
	if (words == NULL)
		ck_assert_msg(w->why == NULL, "%s", w->why);
	else
		ck_assert_msg(w->why != NULL && strstr(w->why, words) != NULL,
		    "%s", w->why != NULL ? w->why : "added");
	close(w->way[0]);
	if (w->way[1] >= 0)
		close(w->way[1]);
	scratch_end(w->dir);
}

START_TEST(adds)
{
	struct world w;

	begin(&w);
	/* However long the locks took, there is time to write. */
	end_after(100000);
	append(&w, 0);
	ck_assert_uint_gt(alarm(0), 800);
	ck_assert_int_gt(size(&w), 20);
	ck_assert_int_ne(access(w.lock, F_OK), 0);
	end(&w, NULL);
}
END_TEST

/* The lock of another stays, and nothing is written. */
START_TEST(waits)
{
	struct world w;

	begin(&w);
	make_file(w.lock, "");
	append(&w, 150);
	ck_assert_int_eq(size(&w), 0);
	ck_assert_int_eq(access(w.lock, F_OK), 0);
	end(&w, "keeps it locked");
}
END_TEST

/* Who asked is gone: at once, whether there is a lock or none. */
START_TEST(hung_up)
{
	struct world w;

	for (int locked = 0; locked < 2; locked++) {
		begin(&w);
		if (locked)
			make_file(w.lock, "");
		close(w.way[1]);
		w.way[1] = -1;
		append(&w, 3600000);
		ck_assert_int_eq(size(&w), 0);
		ck_assert_int_eq(access(w.lock, F_OK) == 0, locked);
		end(&w, "called off");
	}
}
END_TEST

/* A signal that is held back is let in while a lock is waited for. */
START_TEST(stopped)
{
	struct world w;

	for (int locked = 0; locked < 2; locked++) {
		begin(&w);
		if (locked)
			make_file(w.lock, "");
		raise(SIGTERM);
		append(&w, 3600000);
		ck_assert_int_eq(stop, 1);
		ck_assert_int_eq(size(&w), 0);
		end(&w, "called off");
	}
}
END_TEST

UNIT_MAIN("box", adds, waits, hung_up, stopped)
