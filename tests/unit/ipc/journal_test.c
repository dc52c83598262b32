/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The journal's writer: files, what was cut off, a full disk, old files. */

#include "tmpjournal.h"

#include <sys/resource.h>
#include <signal.h>

static struct journal *
opened(const struct tmpjournal *t, size_t runner)
{
	struct journal *j = journal_open(t->dir, runner, geteuid(),
	    14 * DAY_MS);

	ck_assert_ptr_nonnull(j);
	return j;
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

START_TEST(writes)
{
	struct tmpjournal t;
	struct journal *j;
	struct stat st;

	tmpjournal_begin(&t);
	j = opened(&t, 3);
	ck_assert_int_eq(stat(tmpjournal_path(&t, ""), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	tmpjournal_say(j, JOURNAL_RECEIVED);
	tmpjournal_say(j, JOURNAL_RELAYED);
	/* Nothing but memory, until it is asked for. */
	ck_assert_str_eq(tmpjournal_file(&t, ".jsonl"), "");
	ck_assert_uint_gt(journal_waiting(j), 100);
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_uint_eq(journal_waiting(j), 0);
	ck_assert_str_ne(tmpjournal_file(&t, ".3.000.jsonl"), "");
	ck_assert_int_eq(stat(tmpjournal_path(&t, tmpjournal_file(&t, "l")),
	    &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(lines(tmpjournal_text(&t, tmpjournal_file(&t, "l"))),
	    2);
	ck_assert_int_eq(journal_sync(j), 0);
	ck_assert(!journal_turn(j));
	journal_close(j);
	/* Another process goes on where this one ended. */
	j = opened(&t, 3);
	tmpjournal_say(j, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_uint_eq(lines(tmpjournal_text(&t, tmpjournal_file(&t, "l"))),
	    3);
	journal_close(j);
	/* None at all: nothing is done. */
	tmpjournal_say(NULL, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(NULL), 0);
	ck_assert_int_eq(journal_sync(NULL), 0);
	ck_assert(!journal_turn(NULL));
	ck_assert_uint_eq(journal_waiting(NULL) + journal_lost(NULL), 0);
	journal_close(NULL);
	ck_assert_ptr_null(journal_open("/nonexistent", 0, geteuid(), DAY_MS));
	tmpjournal_end(&t);
}
END_TEST

/* A writer that was killed within a line: the next one ends it first. */
START_TEST(torn)
{
	struct tmpjournal t;
	struct journal *j;
	char name[256];

	tmpjournal_begin(&t);
	j = opened(&t, 0);
	tmpjournal_say(j, JOURNAL_RECEIVED);
	ck_assert_int_eq(journal_flush(j), 0);
	journal_close(j);
	snprintf(name, sizeof(name), "%s", tmpjournal_file(&t, "l"));
	tmpjournal_put(&t, name, "{\"time\":17");
	j = opened(&t, 0);
	tmpjournal_say(j, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(j), 0);
	journal_close(j);
	ck_assert_uint_eq(lines(tmpjournal_text(&t, name)), 3);
	ck_assert_ptr_nonnull(strstr(tmpjournal_text(&t, name),
	    "\n{\"time\":17\n{\"time\":1"));
	tmpjournal_end(&t);
}
END_TEST

static void
limit(rlim_t n)
{
	struct rlimit l;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = n;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* A disk that is full for long: lines wait, then are counted, then a gap is told. */
START_TEST(full)
{
	struct tmpjournal t;
	struct journal *j;
	const char *text;
	struct stat st;
	size_t said = 2000;

	tmpjournal_begin(&t);
	signal(SIGXFSZ, SIG_IGN);
	j = opened(&t, 1);
	/* Check writes files as well: the limit must be beyond theirs. */
	for (size_t i = 0; i < said; i++)
		tmpjournal_say(j, JOURNAL_RECEIVED);
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_int_eq(
	    stat(tmpjournal_path(&t, tmpjournal_file(&t, "l")), &st), 0);
	/* Some octets more fit: half a line is written. */
	limit((rlim_t)st.st_size + 50);
	tmpjournal_say(j, JOURNAL_RELAYED);
	said++;
	ck_assert_int_eq(journal_flush(j), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_uint_eq(journal_lost(j), 0);
	while (journal_lost(j) < 5) {
		tmpjournal_say(j, JOURNAL_DEFERRED);
		said++;
	}
	ck_assert_int_eq(journal_flush(j), -1);
	limit(RLIM_INFINITY);
	/* No line twice, none in half, and then the gap. */
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_uint_gt(journal_waiting(j), 0);
	ck_assert_int_eq(journal_flush(j), 0);
	journal_close(j);
	text = tmpjournal_text(&t, tmpjournal_file(&t, "l"));
	ck_assert_uint_eq(lines(text), said - 5 + 1);
	ck_assert_ptr_nonnull(strstr(text, "\"event\":\"gap\",\"runner\":1,"
	    "\"lost\":5,\"since\":"));
	for (const char *p = text; *p != '\0'; p = strchr(p, '\n') + 1)
		ck_assert_int_eq(*p, '{');
	tmpjournal_end(&t);
}
END_TEST

/* Many lines in one go: none is lost, and nobody had to ask for it. */
START_TEST(many)
{
	struct tmpjournal t;
	struct journal *j;

	tmpjournal_begin(&t);
	j = opened(&t, 0);
	for (int i = 0; i < 30000; i++) {
		tmpjournal_say(j, JOURNAL_DELETED);
		ck_assert_uint_lt(journal_waiting(j), 300000);
	}
	journal_add_line(j, STR("{}\n"));
	ck_assert_uint_eq(journal_lost(j), 0);
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_uint_eq(lines(tmpjournal_text(&t, tmpjournal_file(&t, "l"))),
	    30001);
	journal_close(j);
	journal_add_line(NULL, STR("{}\n"));
	tmpjournal_end(&t);
}
END_TEST

static ino_t synced[8];
static size_t synced_n;
static int sync_error;

/* In place of libc's: which files, and whether it works. */
int
fdatasync(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_lt(synced_n, ARRAY_LEN(synced));
	synced[synced_n++] = st.st_ino;
	errno = sync_error;
	return sync_error == 0 ? 0 : -1;
}

static ino_t
file_of(const struct tmpjournal *t, const char *ends)
{
	struct stat st;

	ck_assert_int_eq(stat(tmpjournal_path(t, tmpjournal_file(t, ends)), &st), 0);
	return st.st_ino;
}

/* Removals are made durable behind a turn whose lines stand in the file before it. */
START_TEST(synced_after_a_turn)
{
	struct tmpjournal t;
	struct journal *j;
	ino_t first, second;
	char name[512];

	tmpjournal_begin(&t);
	j = opened(&t, 0);
	journal_set_day(j, 11323);
	tmpjournal_say(j, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(j), 0);
	first = file_of(&t, ".0.000.jsonl");
	/* It is too old to stay; its number stays with this name. */
	snprintf(name, sizeof(name), "%s", tmpjournal_path(&t, tmpjournal_file(&t, "l")));
	ck_assert_int_eq(link(name, tmpjournal_path(&t, "kept")), 0);
	ck_assert(journal_turn(j));
	ck_assert_int_eq(journal_sync(j), 0);
	ck_assert(synced_n == 1 && synced[0] == first);
	tmpjournal_say(j, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(j), 0);
	second = file_of(&t, ".0.000.jsonl");
	ck_assert_int_eq(journal_sync(j), 0);
	ck_assert(synced_n == 2 && synced[1] == second);
	/* It is said if that fails, and the file at hand is synced all the same. */
	journal_set_day(j, 11323);
	ck_assert(journal_turn(j));
	sync_error = EIO;
	ck_assert_int_eq(journal_sync(j), -1);
	sync_error = 0;
	ck_assert(synced_n == 3 && synced[2] == second);
	ck_assert_int_eq(journal_sync(j), 0);
	/* Two turns without a sync between them. */
	for (int i = 0; i < 2; i++) {
		tmpjournal_say(j, JOURNAL_REMOVED);
		ck_assert_int_eq(journal_flush(j), 0);
		journal_set_day(j, 11323);
		ck_assert(journal_turn(j));
	}
	ck_assert_int_eq(journal_sync(j), 0);
	ck_assert(synced_n == 5);
	journal_close(j);
	tmpjournal_end(&t);
}
END_TEST

/* At a day's turn what is too old goes, of whatever runner, and nothing else. */
START_TEST(old)
{
	static const struct {
		const char *name;
		bool stays;
	} files[] = {
		{ "2001-01-01.0.000.jsonl", false },
		{ "2001-01-01.7.012.jsonl", false },
		{ "2001-02-31.0.000.jsonl", true },
		{ "2001-01-01.0.jsonl", true },
		{ "notes", true },
	};
	struct tmpjournal t;
	struct journal *j;

	tmpjournal_begin(&t);
	j = opened(&t, 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		tmpjournal_put(&t, files[i].name, "x\n");
	journal_close(j);
	j = journal_open(t.dir, 0, geteuid(), DAY_MS);
	ck_assert(!journal_turn(j));
	ck_assert_str_ne(tmpjournal_text(&t, files[0].name), "");
	/* The day of the writer is over. */
	journal_set_day(j, 11323);
	tmpjournal_say(j, JOURNAL_RELAYED);
	ck_assert(journal_turn(j));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		ck_assert_msg((tmpjournal_text(&t, files[i].name)[0] != '\0') ==
		    files[i].stays, "%s", files[i].name);
	/* What waited had gone to the old day's file, which is too old as well. */
	tmpjournal_say(j, JOURNAL_REMOVED);
	ck_assert_int_eq(journal_flush(j), 0);
	ck_assert_uint_eq(lines(tmpjournal_text(&t,
	    tmpjournal_file(&t, ".0.000.jsonl"))), 1);
	journal_close(j);
	tmpjournal_end(&t);
}
END_TEST

UNIT_MAIN("ipc/journal", writes, torn, full, many, synced_after_a_turn, old)
