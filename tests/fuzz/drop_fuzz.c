/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * drop -- F-08: what any local user leaves in drop/, taken by an import.
 *
 * The first octet says as what the rest is put there: a .eml, a file with
 * the name of an id, or one whose first line fits the lines of an envelope
 * (up to an empty one) and the text behind it; if settings are believed; and if
 * addresses become others and headers get what they lack.
 * Held to: each file is taken or goes to bad/, and drop/ is empty; what is
 * taken can be read again whole, says of itself only what its owner may say,
 * has a sender's login nowhere, and goes to no Maildir.
 *
 * Parsers: queue/eml.c queue/import.c.
 */

#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "queue/dropped.h"
#include "queue/opened.h"
#include "scratch.h"

#define ID "0651F0C3D2A1BF00042"
#define FIRST "barid-1 env=0000000 sum=00000000 size=000000000000 " \
	"crc=00000000\n"

enum { F_EML = 1, F_SEALED = 2, F_BELIEVE = 4, F_REMAP = 8, F_OTHER = 16 };

static struct {
	char dir[SCRATCH_SIZE];
	struct queue *q;
	struct conf *conf;
	bool believes, remaps;
	unsigned taken;
	char id[QUEUE_ID_SIZE];
} spool;

static void
remove_spool(void)
{
	scratch_end(spool.dir);
}

static const char rewrites[] =
    "domains = {\"a.test\"}\n"
    "archive all { to = {\"kept@a.test\"} }\n"
    "rewrite \"*.a.test\" { to = \"@a.test\" what = {\"envelope-sender\", "
    "\"envelope-recipient\", \"header-sender\", \"header-recipient\"} }\n"
    "rewrite \"x@a.test\" { to = \"y@b.test\" what = {\"envelope-recipient\"} }\n";

static void
open_spool(bool believes, bool remaps)
{
	struct buf error;

	if (spool.q != NULL && spool.believes == believes && spool.remaps == remaps)
		return;
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	if (spool.dir[0] == '\0') {
		scratch_begin_fast(spool.dir);
		atexit(remove_spool);
		setenv("QUEUE_RESERVE", "0", 1);
		buf_init(&error, 1000);
		spool.conf = conf_parse("rewrites", str_c(rewrites), &error);
		if (spool.conf == NULL)
			panic("%s", buf_cstr(&error));
		buf_free(&error);
	}
	queue_close(spool.q);
	spool.q = opened_spool(spool.dir, QUEUE_CREATE);
	if (believes)
		queue_believe_settings(spool.q, spool.conf);
	if (remaps) {
		queue_remap_by(spool.q, spool.conf);
		queue_complete_by(spool.q, "mx.a.test");
	}
	spool.believes = believes;
	spool.remaps = remaps;
}

static void
digits(char *to, size_t n, unsigned base, uint64_t v)
{
	for (; n > 0; v /= base)
		to[--n] = "0123456789ABCDEF"[v % base];
}

/* The lines before the empty one with a first line that fits, and the text. */
static void
seal(struct str in, struct buf *to)
{
	const char *gap = memmem(in.p, in.n, "\n\n", 2);
	size_t n = gap != NULL ? (size_t)(gap - in.p) + 2 : in.n;
	struct str text = str_skip(in, n);

	uint32_t sum;

	buf_adds(to, FIRST);
	buf_add(to, str_head(in, n));
	if (gap == NULL)
		buf_adds(to, "\n");
	sum = envelope_sum(buf_str(to));
	digits(to->p + 12, 7, 10, to->n);
	digits(to->p + 24, 8, 16, sum);
	envelope_seal(to->p, text.n, crc32c(sum, text.p, text.n));
	buf_add(to, text);
}

static void
put(const char *name, struct str what)
{
	/* Older than a writer who may not be done. */
	const struct timespec old[2] = { { 1763690000, 0 }, { 1763690000, 0 } };
	char path[128];
	int fd;

	(void)!snprintf(path, sizeof(path), "%s/drop/%s", spool.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || write(fd, what.p, what.n) != (ssize_t)what.n ||
	    futimens(fd, old) != 0 || close(fd) != 0)
		panic("%s", path);
}

static void
took(void *arg, const char *id)
{
	(void)arg;
	spool.taken++;
	memcpy(spool.id, id, QUEUE_ID_SIZE);
}

/* What it says of itself is the NAME that it has in drop/, if that is not its id. */
static bool
says_name(const struct envelope *e, const char *name)
{
	struct buf b;
	bool it;

	buf_init(&b, 256);
	queue_dropped_as(e, &b);
	it = e->extra_n == (strcmp(name, ID) != 0) && str_eq(buf_str(&b), str_c(name));
	buf_free(&b);
	return it;
}

static void
check_taken(const char *name, bool believes)
{
	const char *why = "";
	struct queue_file f;
	struct arena a;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(spool.q, QUEUE_NEW, spool.id, true, &a, &f, &why) < 0)
		panic("%s was taken and cannot be read: %s", spool.id, why);
	if (f.env.user.n > 0 || f.env.tls.n > 0 || f.env.auth.n > 0 ||
	    f.env.report.n > 0 || !says_name(&f.env, name) || f.env.delays > 0 ||
	    f.env.rcpt_n == 0 || !str_eq(f.env.listener, STR("sendmail")))
		panic("it says what it may not");
	if (!believes && (f.env.route.n > 0 || f.env.retry.n > 0 ||
	    f.env.deadline_us != 0 || f.env.max_attempts > 0))
		panic("it steers");
	if (str_starts(f.env.route, STR("maildir:")))
		panic("it chooses a Maildir");
	for (size_t i = 0; i < f.env.rcpt_n; i++)
		if (f.env.rcpts[i].state != RCPT_QUEUED ||
		    str_has_ctl(f.env.rcpts[i].path.local))
			panic("recipient %zu", i);
	queue_unload(&f);
	arena_free(&a);
	if (queue_remove(spool.q, QUEUE_NEW, spool.id) < 0)
		panic("queue_remove");
}

/* How many files are in PLACE; they are no more. */
static unsigned
sweep(const char *place)
{
	char path[128];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	(void)!snprintf(path, sizeof(path), "%s/%s", spool.dir, place);
	d = opendir(path);
	if (d == NULL)
		panic("%s", path);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    unlinkat(dirfd(d), e->d_name, 0) == 0)
			n++;
	closedir(d);
	return n;
}

/*
 * Whoever imported what B has died before it was out of drop/; OTHER: there is
 * another text by now, made of IN.  How many are in bad/ for that.
 */
static unsigned
again(struct str in, bool other, struct buf *b)
{
	struct buf changed;

	other = other && memmem(in.p, in.n, "\n\n", 2) != NULL && in.p[in.n - 1] > ' ';
	if (other) {
		buf_init(&changed, in.n);
		buf_add(&changed, str_head(in, in.n - 1));
		buf_addc(&changed, in.p[in.n - 1] == 'x' ? 'y' : 'x');
		buf_reset(b);
		seal(buf_str(&changed), b);
		buf_free(&changed);
	}
	put(ID, buf_str(b));
	if (queue_import(spool.q, took, NULL) < 0)
		panic("it is not known again");
	spool.taken = 1;
	return other;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_n((const char *)data, n);
	const char *name;
	unsigned others = 0;
	struct buf b;

	if (n == 0)
		return 0;
	open_spool((data[0] & F_BELIEVE) != 0, (data[0] & F_REMAP) != 0);
	in = str_skip(in, 1);
	buf_init(&b, n + 256);
	if ((data[0] & (F_EML | F_SEALED)) == F_SEALED)
		seal(in, &b);
	else
		buf_add(&b, in);
	name = (data[0] & F_EML) != 0 ? "x.eml" : ID;
	put(name, buf_str(&b));
	spool.taken = 0;
	if (queue_import(spool.q, took, NULL) != (int)spool.taken)
		panic("the import failed");
	if (spool.taken > 0 && strcmp(name, ID) == 0)
		others = again(in, (data[0] & (F_SEALED | F_OTHER)) == (F_SEALED | F_OTHER), &b);
	if (spool.taken > 0)
		check_taken(name, spool.believes);
	if (sweep("drop") != 0 || sweep("new") != 0 || sweep("tmp") != 0)
		panic("something was left");
	if (sweep("bad") + spool.taken != 1 + others)
		panic("it is nowhere, or twice");
	buf_free(&b);
	return 0;
}
