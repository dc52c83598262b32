/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * powercut_load -- work for powercut.py, and the count afterwards.
 *
 *	powercut_load run SPOOL BOXES ACKS	until the disk is gone
 *	powercut_load pop3 SPOOL BOXES ACKS	the same, only POP3
 *	powercut_load journal SPOOL BOXES ACKS	only the journal
 *	powercut_load check SPOOL BOXES ACKS	after the cut
 *
 * Each line of ACKS is a letter, a queue id and a number of lines of text:
 * A accepted into new/, T into a tray, S accepted into drop/, D delivered into a mailbox
 * and removed, R the removal is durable, M marked and deferred, H held, P delivered
 * into the mailbox that POP3 reads, E removed there: a QUIT was answered with
 * +OK; J the journal up to the line of that number is durable.  Of what is delivered there, POP3 removes the messages that have an
 * even number of lines, and no others.  ACKS lies on a disk that is not cut.
 * The text of a message follows from its id, so that every octet is known.
 *
 * The check prints what it counted; its exit status is 1 if a message that
 * was acknowledged is missing or damaged, or a mailbox shows a damaged one.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/journal.h"
#include "lib/clock.h"
#include "lib/random.h"
#include "mailbox/maildir.h"
#include "queue/queue.h"
#include "queue/tray.h"

#define WORKERS 8
#define BOX "bob"
#define POP3_BOX "pop"
#define PREFIX "Return-Path: <s@t.example>\r\n"

static struct queue *q;
static int boxes;
static int acks;

/* Adds the text of message ID, with line ends as END. */
static void
add_text(struct buf *b, const char *id, unsigned lines, const char *end)
{
	buf_addf(b, "Subject: %s%s%s", id, end, end);
	for (unsigned i = 0; i < lines; i++)
		buf_addf(b, "%s line %u of %u%s", id, i, lines, end);
}

static void
ack(char what, const char *id, unsigned lines)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%c %s %u\n", what, id, lines);

	if (write(acks, line, (size_t)n) != n)
		_exit(1);
}

static int
accept_one(char id[QUEUE_ID_SIZE], unsigned lines, bool to_drop)
{
	struct envelope_rcpt rcpts[2] = {
		{ .state = RCPT_QUEUED, .path = { STR("a"), STR("b.example") } },
		{ .state = RCPT_QUEUED, .path = { STR("c"), STR("d.example") } },
	};
	struct envelope e = { .from = { STR("s"), STR("t.example") },
		.arrival_us = clock_wall_us(), .rcpts = rcpts, .rcpt_n = 2 };
	struct queue_msg *m;
	struct buf b;
	int r;

	queue_id_new(e.id);
	memcpy(id, e.id, QUEUE_ID_SIZE);
	buf_init(&b, 1 << 22);
	add_text(&b, id, lines, "\r\n");
	m = queue_begin(q, &e, to_drop);
	if (m == NULL)
		return -1;
	r = queue_write(m, buf_str(&b));
	buf_free(&b);
	if (r < 0) {
		queue_abort(m);
		return -1;
	}
	r = queue_commit(m);
	if (r == 0)
		ack(to_drop ? 'S' : queue_tray(q) != 0 ? 'T' : 'A', id, lines);
	return r;
}

/* As a session that comes and goes: with another tray, if one is empty. */
static void
next_tray(unsigned *no)
{
	bool ours = false;
	int fd;

	*no = (*no + 1) % queue_tray_count(q);
	fd = queue_tray_open(q, *no);
	if (fd >= 0 && !queue_tray_claim(fd, &ours)) {
		close(fd);
		fd = -1;
	}
	queue_tray_use(q, fd, *no);
}

static void
to_bad(void *arg, const char *id)
{
	(void)arg;
	(void)id;
}

/* Puts in order what was left in one. */
static void
mend_trays(void)
{
	while (queue_tray_mend(q, to_bad, NULL) >= 0 && queue_sync_removals(q) == 0)
		(void)poll(NULL, 0, 20);
	_exit(0);
}

/* Few trays are left with what nobody delivers. */
static int
leave_one(const char *id, unsigned lines)
{
	if (queue_tray(q) == 0 || lines % 16 == 0)
		return 0;
	if (queue_move(q, QUEUE_NEW, id, QUEUE_HOLD) < 0)
		return -1;
	ack('H', id, lines);
	return 0;
}

static int
deliver_one(struct queue_file *f, unsigned lines)
{
	struct maildir_delivery d = { .base = boxes, .mailbox = BOX,
		.id = f->env.id, .arrival = f->env.arrival_us / 1000000,
		.hostname = "host.example", .fd = f->fd, .at = f->text_at,
		.size = f->size, .prefix = STR(PREFIX) };

	if (maildir_deliver(&d) < 0)
		return -1;
	ack('D', f->env.id, lines);
	if (queue_remove(q, QUEUE_NEW, f->env.id) < 0)
		return -1;
	if (lines % 4 != 0)
		return 0;
	if (queue_sync_removals(q) < 0)
		return -1;
	ack('R', f->env.id, lines);
	return 0;
}

static int
defer_one(struct queue_file *f, unsigned lines)
{
	if (queue_mark(f, 0, RCPT_DONE) < 0 || queue_defer(q, f, 4000000000) < 0)
		return -1;
	ack('M', f->env.id, lines);
	return 0;
}

static void
work(void)
{
	unsigned no = random_below(64);
	struct arena a;

	arena_init(&a, ENVELOPE_ARENA);
	for (unsigned i = 0;; i++) {
		/* Mostly small; some go through tmp/ in parts. */
		unsigned lines = i % 10 == 9 ? 3000 : 20 + random_below(100);
		char id[QUEUE_ID_SIZE];
		const char *reason;
		struct queue_file f;
		int r;

		if (i % 3 == 0)
			next_tray(&no);
		if (accept_one(id, lines, i % 5 == 4) < 0)
			break;
		queue_tray_hint(q, id, queue_tray(q));
		if (i % 5 == 0 && leave_one(id, lines) < 0)
			break;
		if (i % 5 == 0 || i % 5 == 4)
			continue;
		if (queue_load(q, QUEUE_NEW, id, false, &a, &f, &reason) < 0)
			break;
		r = i % 5 == 1 ? defer_one(&f, lines) : deliver_one(&f, lines);
		queue_unload(&f);
		arena_reset(&a);
		if (r < 0)
			break;
	}
	_exit(0);
}

#define TOGETHER 8

/* A message that is in no spool. */
struct source {
	char id[QUEUE_ID_SIZE];
	unsigned lines;
	FILE *file;
	size_t size;
};

static int
make_source(struct source *s)
{
	struct buf b;
	int r = -1;

	*s = (struct source){ .lines = 20 + random_below(20), .file = tmpfile() };
	queue_id_new(s->id);
	buf_init(&b, 1 << 22);
	add_text(&b, s->id, s->lines, "\r\n");
	s->size = b.n;
	if (s->file != NULL && fwrite(b.p, 1, b.n, s->file) == b.n && fflush(s->file) == 0)
		r = 0;
	buf_free(&b);
	return r;
}

/* Deliveries into the mailbox of POP3 that go together: one sync is to hold for all. */
static int
deliver_to_pop3(dev_t journal)
{
	struct maildir_delivery d[TOGETHER];
	struct source s[TOGETHER];
	int errors[TOGETHER], r = 0;

	for (size_t i = 0; i < TOGETHER; i++) {
		if (make_source(&s[i]) < 0)
			return -1;
		d[i] = (struct maildir_delivery){ .base = boxes, .journal = journal,
			.mailbox = POP3_BOX, .id = s[i].id,
			.arrival = clock_wall_us() / 1000000,
			.hostname = "host.example", .fd = fileno(s[i].file),
			.size = s[i].size, .prefix = STR(PREFIX) };
	}
	maildir_deliver_all(d, TOGETHER, errors);
	for (size_t i = 0; i < TOGETHER; i++) {
		if (errors[i] == 0)
			ack('P', s[i].id, s[i].lines);
		else
			r = -1;
		fclose(s[i].file);
	}
	return r;
}

static void
ack_expunged(const struct maildir *m)
{
	for (size_t i = 0; i < m->n; i++) {
		char id[QUEUE_ID_SIZE];

		if (m->v[i].deleted &&
		    sscanf(m->v[i].name, "%*u.Q%19[0-9A-F]", id) == 1)
			ack('E', id, 0);
	}
}

/* A session that removes what it may. */
static int
expunge(void)
{
	struct maildir m;
	size_t failed;

	if (maildir_open(&m, boxes, POP3_BOX) < 0)
		return -1;
	for (size_t i = 0; i < m.n; i++) {
		char line[64] = "", id[QUEUE_ID_SIZE];
		unsigned lines = 1;
		int fd = maildir_read(&m, i);

		/* The first line of the text says it, behind the header. */
		if (fd >= 0 && pread(fd, line, sizeof(line) - 1,
		    sizeof("Return-Path: <s@t.example>\n") - 1 +
		    sizeof("Subject: \n\n") - 1 + QUEUE_ID_SIZE - 1) > 0 &&
		    sscanf(line, "%19[0-9A-F] line 0 of %u", id, &lines) == 2)
			m.v[i].deleted = lines % 2 == 0;
		if (fd >= 0)
			close(fd);
	}
	failed = maildir_expunge(&m);
	if (failed == 0)
		ack_expunged(&m);
	maildir_close(&m);
	return failed == 0 ? 0 : -1;
}

/* PAUSE: so many milliseconds after a QUIT nothing else makes it durable. */
static void
fetch(int pause)
{
	dev_t journal = maildir_journal(boxes);

	/* powercut.py mounts none but those that have one. */
	if (journal == 0) {
		fputs("the journal of the mailboxes is not known\n", stderr);
		_exit(1);
	}
	do {
		(void)poll(NULL, 0, pause);
		if (deliver_to_pop3(journal) < 0)
			_exit(0);
	} while (expunge() == 0);
	_exit(0);
}

static int
run(void)
{
	if (queue_tray_make(q) < 0)
		return 2;
	for (int i = 0; i < WORKERS; i++)
		if (fork() == 0)
			work();
	if (fork() == 0)
		mend_trays();
	if (fork() == 0)
		fetch(0);
	while (wait(NULL) > 0)
		;
	return 0;
}

/* ---- the journal ---------------------------------------------------- */

#define KEEP_MS (INT64_C(7) * 86400000)

/* Line N, as long as its number says. */
static void
add_line(struct journal *j, unsigned n)
{
	static const char filler[] = "250 2.0.0 Ok: taken by a host that has "
	    "much to say of it, and says it in one line of many words";
	struct journal_line l = { .event = JOURNAL_RELAYED,
		.reply = str_n(filler, n * 7 % sizeof(filler)) };
	char id[QUEUE_ID_SIZE];

	snprintf(id, sizeof(id), "%013X%06X", n, 1);
	l.id = id;
	journal_add(j, &l);
}

static int
write_journal(const char *dir)
{
	struct journal *j = journal_open(dir, 0, geteuid(), KEEP_MS);
	char id[QUEUE_ID_SIZE];
	unsigned n = 0;

	while (j != NULL) {
		for (unsigned i = random_below(50) + 1; i > 0; i--)
			add_line(j, ++n);
		if (journal_flush(j) < 0)
			break;
		/* Not always, as a runner does it. */
		if (random_below(3) > 0)
			continue;
		if (journal_sync(j) < 0)
			break;
		snprintf(id, sizeof(id), "%013X%06X", n, 1);
		ack('J', id, n);
	}
	return 0;
}

/* What a reader finds. */
struct found {
	unsigned synced;	/* so many lines must be there */
	unsigned last;		/* number of the last one */
	unsigned n, broken;
	bool wrong;
};

static void
find_line(void *arg, const char *file, uint64_t number, struct str line)
{
	struct found *f = arg;
	struct journal_entry e;
	unsigned n;

	(void)file;
	(void)number;
	if (!journal_parse(line, &e)) {
		/* Torn, which only what nobody was told of may be. */
		f->broken++;
		f->wrong = f->wrong || f->last < f->synced;
		return;
	}
	if (sscanf(e.id.p, "%13X", &n) != 1)
		n = 0;
	f->wrong = f->wrong || n <= f->last ||
	    (f->last < f->synced && n != f->last + 1);
	f->last = n;
	f->n++;
}

static void
read_journal(const char *dir, struct found *f)
{
	struct journal_reader *r = journal_reader_open(dir, 0);

	f->last = f->n = f->broken = 0;
	if (r == NULL || journal_read(r, find_line, f) < 0)
		f->wrong = true;
	journal_reader_close(r);
}

/* Up to SYNCED all is there, nothing wrong is believed, and it goes on. */
static bool
check_journal(const char *dir, unsigned synced)
{
	struct found f = { .synced = synced };
	struct journal *j;
	unsigned before;

	read_journal(dir, &f);
	printf("journal: %u lines durable, %u found, %u torn%s\n", synced,
	    f.n, f.broken, f.wrong ? ": WRONG" : "");
	if (f.wrong || f.last < synced)
		return false;
	before = f.n;
	j = journal_open(dir, 0, geteuid(), KEEP_MS);
	if (j == NULL)
		return false;
	add_line(j, f.last + 1);
	f.wrong = journal_flush(j) < 0;
	journal_close(j);
	read_journal(dir, &f);
	return !f.wrong && f.n == before + 1;
}

/* ---- after the cut -------------------------------------------------- */

static unsigned counts[128];
static unsigned lost;
static unsigned torn;
static DIR *mailbox, *pop3;

static void
lose(char what, const char *id, const char *why)
{
	printf("LOST: %c %s: %s\n", what, id, why);
	lost++;
}

/* NULL if the message in PLACE is whole, else why not. */
static const char *
in_place(enum queue_place place, const char *id, unsigned lines, bool marked)
{
	const char *reason = NULL;
	struct queue_file f;
	struct arena a;
	struct buf want;
	char *got;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(q, place, id, true, &a, &f, &reason) < 0) {
		arena_free(&a);
		return reason != NULL ? reason : strerror(errno);
	}
	buf_init(&want, 1 << 22);
	add_text(&want, id, lines, "\r\n");
	got = malloc(f.size + 1);
	if (f.size != want.n ||
	    pread(f.fd, got, f.size, f.text_at) != (ssize_t)want.n ||
	    memcmp(got, want.p, want.n) != 0)
		reason = "another text";
	else if (marked && f.env.rcpts[0].state != RCPT_DONE)
		reason = "the mark is lost";
	free(got);
	buf_free(&want);
	queue_unload(&f);
	arena_free(&a);
	return reason;
}

static const char not_there[] = "not in the mailbox";

/* The same for the file NAME of BOX, of message ID. */
static const char *
in_file(DIR *box, const char *name, const char *id, unsigned lines)
{
	const char *why = NULL;
	struct buf want;
	ssize_t n;
	char *got;
	int fd = openat(dirfd(box), name, O_RDONLY);

	if (fd < 0)
		return strerror(errno);
	buf_init(&want, 1 << 22);
	buf_adds(&want, "Return-Path: <s@t.example>\n");
	add_text(&want, id, lines, "\n");
	got = malloc(want.n + 1);
	n = read(fd, got, want.n + 1);
	if (n != (ssize_t)want.n || memcmp(got, want.p, want.n) != 0)
		why = n < (ssize_t)want.n ? "cut short" : "another text";
	free(got);
	close(fd);
	buf_free(&want);
	return why;
}

/* NULL if BOX has the message and it is whole, else why not. */
static const char *
in_mailbox(DIR *box, const char *id, unsigned lines)
{
	struct dirent *e;

	if (box == NULL)
		return "no mailbox";
	rewinddir(box);
	while ((e = readdir(box)) != NULL)
		if (strstr(e->d_name, id) != NULL)
			return in_file(box, e->d_name, id, lines);
	return not_there;
}

static void
check_ack(char what, const char *id, unsigned lines)
{
	const char *why = "?", *box;

	counts[(int)what]++;
	switch (what) {
	case 'S':
		why = in_place(QUEUE_DROP, id, lines, false);
		break;
	case 'D':
		why = in_mailbox(mailbox, id, lines);
		break;
	case 'P':
		why = in_mailbox(pop3, id, lines);
		/* It may just have been removed. */
		if (why == not_there && lines % 2 == 0)
			why = NULL;
		break;
	case 'E':
		why = in_mailbox(pop3, id, 0) == not_there
		    ? NULL : "it came back";
		break;
	case 'R':
		why = in_place(QUEUE_NEW, id, lines, false);
		why = why != NULL && strcmp(why, strerror(ENOENT)) == 0
		    ? NULL : "it came back";
		break;
	case 'M':
		why = in_place(QUEUE_CUR, id, lines, true);
		break;
	case 'H':
		why = in_place(QUEUE_HOLD, id, lines, false);
		break;
	case 'A':
	case 'T':
		why = in_place(QUEUE_NEW, id, lines, false);
		if (why != NULL && in_place(QUEUE_CUR, id, lines, false) == NULL)
			why = NULL;
		if (why != NULL && in_place(QUEUE_HOLD, id, lines, false) == NULL)
			why = NULL;
		box = why != NULL ? in_mailbox(mailbox, id, lines) : NULL;
		if (why != NULL && box == NULL)
			why = NULL;
		break;
	}
	if (why != NULL)
		lose(what, id, why);
}

/* What a reader sees is whole, acknowledged or not. */
static void
check_mailbox(DIR *box)
{
	struct dirent *e;
	char id[QUEUE_ID_SIZE];

	if (box == NULL)
		return;
	rewinddir(box);
	while ((e = readdir(box)) != NULL) {
		unsigned long size, wire;
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		if (sscanf(e->d_name, "%*u.Q%19[0-9A-F]R0.host.example,"
		    "S=%lu,W=%lu", id, &size, &wire) != 3 ||
		    fstatat(dirfd(box), e->d_name, &st, 0) < 0 ||
		    (unsigned long)st.st_size != size) {
			printf("TORN: %s\n", e->d_name);
			torn++;
		}
		counts['f']++;
	}
}

static bool
check_message(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	const char *reason;
	struct queue_file f;
	struct arena a;

	(void)mtime;
	(void)size;
	if (id == NULL)
		return true;
	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(q, *(enum queue_place *)arg, id, true, &a, &f, &reason)
	    == 0)
		queue_unload(&f);
	else
		counts['t']++;
	arena_free(&a);
	return true;
}

static DIR *
open_box(const char *path)
{
	int fd = openat(boxes, path, O_RDONLY | O_DIRECTORY);

	return fd >= 0 ? fdopendir(fd) : NULL;
}

static int
check(const char *spool, const char *path)
{
	FILE *f = fopen(path, "r");
	char what, id[QUEUE_ID_SIZE];
	unsigned lines, synced = 0;

	if (f == NULL)
		return 2;
	mailbox = open_box(BOX "/new");
	pop3 = open_box(POP3_BOX "/new");
	while (fscanf(f, " %c %19[0-9A-F] %u", &what, id, &lines) == 3) {
		if (what == 'J')
			synced = lines;
		else
			check_ack(what, id, lines);
	}
	fclose(f);
	if (synced > 0)
		return !check_journal(spool, synced);
	check_mailbox(mailbox);
	check_mailbox(pop3);
	for (enum queue_place p = QUEUE_NEW; p <= QUEUE_CUR; p++)
		if (queue_scan(q, p, check_message, &p) < 0)
			return 2;
	printf("acknowledged: %u into new/, %u into trays/, %u into drop/, %u delivered, "
	    "%u deferred, %u held, %u for POP3, %u removed by it; lost %u; mailboxes: "
	    "%u files, torn %u; unacknowledged and torn in the spool: %u\n",
	    counts['A'], counts['T'], counts['S'], counts['D'], counts['M'], counts['H'], counts['P'],
	    counts['E'], lost, counts['f'], torn, counts['t']);
	return lost > 0 || torn > 0;
}

int
main(int argc, char **argv)
{
	struct buf error;

	if (argc != 5) {
		fprintf(stderr, "usage: powercut_load run|pop3|journal|check SPOOL "
		    "BOXES ACKS\n");
		return 2;
	}
	buf_init(&error, 1000);
	q = queue_open(argv[2], QUEUE_CREATE, geteuid(), getegid(), &error);
	boxes = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	acks = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (q == NULL || boxes < 0 || acks < 0) {
		fprintf(stderr, "powercut_load: %s %s\n", buf_cstr(&error),
		    strerror(errno));
		return 2;
	}
	if (strcmp(argv[1], "pop3") == 0)
		fetch(10);
	if (strcmp(argv[1], "journal") == 0)
		return write_journal(argv[2]);
	return strcmp(argv[1], "run") == 0 ? run() : check(argv[2], argv[4]);
}
