/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * collect -- every system call of accepting a message from a mailbox elsewhere,
 * failing and last.
 *
 * After each, and after what a start does about it: a message that is remembered
 * is in the spool once and whole, one that is not is in it not at all, and nothing
 * is staged.  So it comes in once: what is remembered is not fetched again, what is
 * not is.  Where what is done about it fails as well, there is no run that could
 * delete it at the server, and forget it.
 */

#include "enumerate.h"

#include <fcntl.h>

#include "collect/collect.h"
#include "lib/log.h"
#include "queue/opened.h"

#define BOX "collect"
#define HEAD "Subject: x\r\n\r\n"

static struct conf *conf;
static char mark[SEEN_MARK_LEN + 1];
static size_t size;
static bool was_refused;	/* a day ago */

static void
setup(const char *dir)
{
	struct buf error;
	char path[128];

	fault_disarm();
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	buf_init(&error, 10000);
	if (conf == NULL)
		conf = conf_parse("x", STR("domains = {'x.test'}\n"
		    "collect a { server = s.test user = u password = p to = bob }\n"), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	queue_close(opened_spool(dir, QUEUE_CREATE));
	snprintf(path, sizeof(path), "%s/" BOX, dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(seen_mark("uidl", "s.test", "u", STR("1"), mark));
	buf_free(&error);
}

/* Opens what a run has, but for what was seen; false: errno. */
static bool
open_files(const char *dir, struct collector *k)
{
	struct buf error;
	char path[128];

	*k = (struct collector){ .conf = conf, .of = conf->collects, .dir = -1,
		.to = { STR("bob"), STR("x.test") } };
	buf_init(&error, 1000);
	buf_init(&k->client, 100);
	buf_init(&k->from, 100);
	buf_init(&k->facts, 100);
	buf_adds(&k->client, "s.test[192.0.2.1]:995");
	buf_adds(&k->from, "s.test ([192.0.2.1])");
	snprintf(path, sizeof(path), "%s/" BOX, dir);
	if ((k->queue = queue_open(dir, 0, geteuid(), getegid(), &error)) != NULL)
		k->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_free(&error);
	return k->dir >= 0;
}

static bool
open_run(const char *dir, struct collector *k)
{
	return open_files(dir, k) && (k->seen = seen_open(k->dir)) != NULL;
}

static void
close_run(struct collector *k)
{
	seen_close(k->seen);
	queue_close(k->queue);
	if (k->dir >= 0)
		close(k->dir);
	buf_free(&k->client);
	buf_free(&k->from);
	buf_free(&k->facts);
}

static void
setup_one(const char *dir)
{
	struct collector k;

	setup(dir);
	if (!was_refused)
		return;
	must(open_run(dir, &k));
	must(seen_add(k.seen, mark, SEEN_REFUSED, 5) == 0);
	close_run(&k);
}

static bool
is_taken(const struct seen *s)
{
	const struct seen_entry *e = seen_find(s, mark);

	return e != NULL && e->kind == SEEN_TAKEN;
}

static int
run_one(const char *dir, struct told *told)
{
	static char line[1000];
	struct collector k;
	struct message *m;
	struct buf why;
	uint64_t octets;
	bool good = true;
	int r = -1;

	(void)told;
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	buf_init(&why, 1000);
	if (open_run(dir, &k)) {
		m = message_begin(&k, mark);
		good = message_add(m, STR(HEAD));
		for (size_t n = 0; n < size && good; n += sizeof(line))
			good = message_add(m, str_n(line, sizeof(line)));
		r = message_end(m, &octets, &why) == MESSAGE_TAKEN ? 0 : -1;
	}
	close_run(&k);
	buf_free(&why);
	return r;
}

static void
on_accepted(void *arg, const char *id)
{
	(void)id;
	++*(unsigned *)arg;
}

static bool
note(void *arg, const char *id, int64_t mtime, uint64_t octets)
{
	(void)mtime;
	must(id != NULL && octets > size);
	memcpy(arg, id, QUEUE_ID_SIZE);
	((char *)arg)[QUEUE_ID_SIZE]++;
	return true;
}

/* Messages of new/, each whole. */
static unsigned
count(struct queue *q)
{
	char id[QUEUE_ID_SIZE + 1] = "";
	const char *reason = "";
	struct queue_file f;
	struct arena a;

	must(queue_scan(q, QUEUE_NEW, note, id) == 0);
	if (id[0] != '\0') {
		arena_init(&a, ENVELOPE_ARENA);
		must(queue_load(q, QUEUE_NEW, id, true, &a, &f, &reason) == 0);
		must(f.env.rcpt_n == 1 && !f.env.ours && envelope_tells_nobody(&f.env));
		queue_unload(&f);
		arena_free(&a);
	}
	return (unsigned)id[QUEUE_ID_SIZE];
}

static unsigned
staged(const struct collector *k)
{
	unsigned n = 0;
	DIR *d = fdopendir(dup(k->dir));
	const struct dirent *e;

	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		n += strlen(e->d_name) == STAGED_NAME_SIZE - 1;
	closedir(d);
	return n;
}

static void
check(const char *dir, const struct told *told, const struct variant *v)
{
	struct collector k;
	unsigned accepted = 0;
	bool known;

	(void)v;
	must(open_run(dir, &k));
	must(staged_recover(k.queue, k.dir, on_accepted, &accepted) == 0);
	known = is_taken(k.seen);
	must(staged(&k) == 0);
	must(count(k.queue) == (known ? 1 : 0));
	must(told->result != 0 || known);
	close_run(&k);
	if (known)
		return;
	must(run_one(dir, NULL) == 0);
	must(open_run(dir, &k));
	must(count(k.queue) == 1 && staged(&k) == 0);
	close_run(&k);
}

START_TEST(accepting)
{
	static const struct operation op = { setup_one, run_one, check };

	for (size = 1000; size <= 200000; size += 199000)
		enumerate(&op);
}
END_TEST

/* It was none that can be taken, and is asked for again. */
START_TEST(accepting_later)
{
	static const struct operation op = { setup_one, run_one, check };

	size = 1000;
	was_refused = true;
	enumerate(&op);
}
END_TEST

/* The AT-th call of accepting a message fails.  False: there are not so many. */
static bool
accept_in_vain(const char *dir, unsigned at)
{
	fault_arm(FAULT_ERROR, at, EIO);
	(void)run_one(dir, NULL);
	fault_disarm();
	return fault.hit;
}

/* The same of what is done about it then. */
static bool
recover_in_vain(const char *dir, unsigned at)
{
	struct collector k;
	unsigned accepted = 0;

	must(open_files(dir, &k));
	fault_arm(FAULT_ERROR, at, EIO);
	(void)staged_recover(k.queue, k.dir, on_accepted, &accepted);
	fault_disarm();
	close_run(&k);
	return fault.hit;
}

/* The same of the next run's begin, which deletes at the server what it knows. */
static bool
delete_after(const char *dir, unsigned at)
{
	struct collector k;
	unsigned accepted = 0;
	bool gone = false;

	must(open_files(dir, &k));
	fault_arm(FAULT_ERROR, at, EIO);
	gone = staged_settle(&k) && is_taken(k.seen);
	fault_disarm();
	if (gone) {
		seen_forget(k.seen, mark);
		must(seen_settle(k.seen, 10) == 0);
	}
	must(staged_recover(k.queue, k.dir, on_accepted, &accepted) == 0);
	must(staged(&k) == 0 && (!gone || count(k.queue) == 1));
	close_run(&k);
	return fault.hit;
}

START_TEST(failing_twice)
{
	char dir[SCRATCH_SIZE];
	bool accepts, recovers, begins;
	unsigned n = 0, m;

	size = 1000;
	do {
		n++;
		m = 0;
		do {
			snprintf(where, sizeof(where), "calls %u and %u", n, ++m);
			scratch_begin_fast(dir);
			setup(dir);
			accepts = accept_in_vain(dir, n);
			recovers = recover_in_vain(dir, m);
			begins = delete_after(dir, m);
			scratch_end(dir);
		} while (recovers || begins);
	} while (accepts);
	must(n > 5 && m > 2);
}
END_TEST

/* What is remembered, written anew. */
static void
setup_settle(const char *dir)
{
	struct collector k;

	setup(dir);
	must(open_run(dir, &k));
	must(seen_add(k.seen, "11111111111111111111111111111111", SEEN_TAKEN, 5) == 0);
	must(seen_add(k.seen, "22222222222222222222222222222222", SEEN_TAKEN, 5) == 0);
	close_run(&k);
}

static int
run_settle(const char *dir, struct told *told)
{
	struct collector k;
	int r = -1;

	(void)told;
	if (open_run(dir, &k)) {
		seen_forget(k.seen, "22222222222222222222222222222222");
		r = seen_settle(k.seen, 10);
	}
	close_run(&k);
	return r;
}

static void
check_settle(const char *dir, const struct told *told, const struct variant *v)
{
	struct collector k;

	(void)v;
	must(open_run(dir, &k));
	must(seen_find(k.seen, "11111111111111111111111111111111") != NULL);
	must(told->result != 0 || seen_find(k.seen, "22222222222222222222222222222222") == NULL);
	close_run(&k);
}

FAULT_TEST(settling, setup_settle, run_settle, check_settle)

UNIT_MAIN("fault/collect", accepting, accepting_later, failing_twice, settling)
