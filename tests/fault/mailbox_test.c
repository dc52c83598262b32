/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mailbox -- every system call of a delivery and of POP3's view, failing
 * and last (C-02, C-07, C-08).
 *
 * After each: what is in new/ is whole; what was acknowledged is there; a
 * message is in the spool or in the mailbox; a delivery that is repeated
 * succeeds and leaves one message; POP3 loses only what was marked.
 */

#include "enumerate.h"

#include <fcntl.h>

#include "lib/clock.h"
#include "mailbox/maildir.h"
#include "queue/counted.h"
#include "queue/opened.h"
#include "queue/queue.h"

#define SIZE 150000
#define HEAD "Return-Path: <old>\r\nSubject: x\r\n\r\n"
#define PREFIX "Return-Path: <s@t.example>\r\n"
#define STORED "Return-Path: <s@t.example>\nSubject: x\n\n"
#define ID "0651F0C3D2A1BF00042"

static int base = -1;
static int source = -1;

static struct str
text(void)
{
	static char p[SIZE];

	if (p[0] == '\0') {
		memset(p, 'x', sizeof(p));
		memcpy(p, HEAD, sizeof(HEAD) - 1);
		for (size_t i = 100; i < sizeof(p); i += 100)
			memcpy(p + i - 2, "\r\n", 2);
		memcpy(p + sizeof(p) - 2, "\r\n", 2);
	}
	return str_n(p, sizeof(p));
}

static void
setup_base(const char *dir)
{
	char path[128];

	fault_disarm();
	if (base >= 0)
		close(base);
	base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(base, 0);
	snprintf(path, sizeof(path), "%s/source", dir);
	if (source >= 0)
		close(source);
	source = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(source, text().p, SIZE), SIZE);
}

static void
setup_box(const char *dir)
{
	struct maildir m;

	setup_base(dir);
	ck_assert_int_eq(maildir_open(&m, base, "bob"), 0);
	maildir_close(&m);
}

static int
deliver(int fd, off_t at)
{
	struct maildir_delivery d = { .base = base, .mailbox = "bob",
		.id = ID, .arrival = 1000000000, .hostname = "h", .fd = fd,
		.at = at, .size = SIZE, .prefix = STR(PREFIX) };

	return maildir_deliver(&d);
}

static int
run_deliver(const char *dir UNUSED, struct told *told UNUSED)
{
	return deliver(source, 0);
}

static unsigned
count_files(const char *dir, const char *sub)
{
	char path[128];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	if ((d = opendir(path)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Reads what is in the mailbox: each message whole; their number. */
static size_t
look(void)
{
	struct maildir m;
	size_t n;

	must(maildir_open(&m, base, "bob") == 0);
	n = m.n;
	for (size_t i = 0; i < n; i++) {
		int fd = maildir_read(&m, i);
		char head[sizeof(STORED)] = "";
		struct stat st;
		uint64_t size;

		must(fd >= 0);
		must(read(fd, head, sizeof(head) - 1) == sizeof(head) - 1);
		must(strcmp(head, STORED) == 0);
		must(fstat(fd, &st) == 0);
		must(maildir_size(&m, i, &size) == 0);
		must((size_t)st.st_size < size);
		must(size == SIZE + sizeof(PREFIX) - sizeof("Return-Path: "
		    "<old>\r\n"));
		close(fd);
	}
	maildir_close(&m);
	return n;
}

static void
check_deliver(const char *dir, const struct told *told,
    const struct variant *v)
{
	unsigned tmp = count_files(dir, "bob/tmp");
	size_t n = look();

	must(n <= 1);
	if (told->result == 0)
		must(n == 1);
	if (told->result == -1 && is_single(v))
		must(n == 0 && tmp == 0);
	/* Again, with or without what the first one left. */
	must(deliver(source, 0) == 0);
	must(look() == 1);
	must(count_files(dir, "bob/tmp") == 0);
}

/* A delivery of what was delivered already, as after a crash. */
static void
setup_delivered(const char *dir)
{
	setup_box(dir);
	ck_assert_int_eq(deliver(source, 0), 0);
}

static void
check_again(const char *dir, const struct told *told UNUSED, const struct variant *v UNUSED)
{
	must(look() == 1);
	must(deliver(source, 0) == 0);
	must(look() == 1);
	must(count_files(dir, "bob/tmp") == 0);
}

/* True if what was delivered for recipient I is there. */
static bool
has_rcpt(const char *dir, size_t i)
{
	char path[128], part[16];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "%s/bob/new", dir);
	snprintf(part, sizeof(part), "R%zu.h,", i);
	if ((d = opendir(path)) == NULL)
		return false;
	while ((e = readdir(d)) != NULL)
		found = found || strstr(e->d_name, part) != NULL;
	closedir(d);
	return found;
}

/* ---- a mailbox with a limit ------------------------------------------- */

/* The third message, by its number, of a limit of two. */
static int
deliver_limited(size_t rcpt)
{
	struct maildir_delivery d = { .base = base, .mailbox = "bob",
		.id = ID, .rcpt = rcpt, .arrival = 1000000000, .hostname = "h",
		.fd = source, .size = SIZE, .prefix = STR(PREFIX),
		.limit = { 0, 2 } };

	return maildir_deliver(&d);
}

static void
setup_limited(const char *dir)
{
	setup_box(dir);
	ck_assert_int_eq(deliver_limited(0), 0);
}

static int
run_limited(const char *dir UNUSED, struct told *told)
{
	struct maildir m;
	int r = deliver_limited(1);

	told->id[0] = r == 0 ? 'y' : 'n';
	/* Full: it is told so, whatever the file says. */
	if (r == 0 && (deliver_limited(2) == 0 || errno != EDQUOT))
		r = -1;
	if (r == 0 && maildir_open(&m, base, "bob") == 0) {
		m.v[0].deleted = true;
		r = maildir_expunge(&m) == 0 ? 0 : -1;
		maildir_close(&m);
	}
	return r;
}

/* No count stands in the way of mail that there is room for. */
static void
check_limited(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	size_t n = look();
	struct maildir m;

	must(n <= 2);
	if (told->id[0] == 'y')
		must(has_rcpt(dir, 1) || told->result == 0);
	must(maildir_open(&m, base, "bob") == 0);
	for (size_t i = 0; i < m.n; i++)
		m.v[i].deleted = true;
	must(maildir_expunge(&m) == 0);
	maildir_close(&m);
	must(deliver_limited(3) == 0 && deliver_limited(4) == 0);
	must(look() == 2);
}

/* ---- several at once ------------------------------------------------ */

#define TOGETHER 3

static int
deliver_these(char ok[TOGETHER], bool shares, bool ordered)
{
	static const char *const boxes[] = { "bob", "ann", "eve" };
	struct maildir_delivery d[TOGETHER];
	int errors[TOGETHER], r = 0;
	struct stat st;

	must(fstat(base, &st) == 0);
	for (size_t i = 0; i < TOGETHER; i++)
		d[i] = (struct maildir_delivery){ .base = base,
			.mailbox = shares ? boxes[i] : "bob", .id = ID,
			.rcpt = i, .arrival = 1000000000, .hostname = "h",
			.fd = source, .size = SIZE, .prefix = STR(PREFIX),
			.shares = shares, .journal = ordered ? st.st_dev : 0 };
	maildir_deliver_all(d, TOGETHER, errors);
	for (size_t i = 0; i < TOGETHER; i++) {
		ok[i] = errors[i] == 0 ? 'y' : 'n';
		r = errors[i] == 0 ? r : -1;
	}
	return r;
}

static int
run_together(const char *dir UNUSED, struct told *told)
{
	return deliver_these(told->id, false, false);
}

/* With one sync for all of them. */
static int
run_ordered(const char *dir UNUSED, struct told *told)
{
	return deliver_these(told->id, false, true);
}

static void
check_together(const char *dir, const struct told *told,
    const struct variant *v)
{
	unsigned tmp = count_files(dir, "bob/tmp");
	char ok[TOGETHER];

	(void)look();
	for (size_t i = 0; i < TOGETHER; i++) {
		if (told->id[i] == 'y')
			must(has_rcpt(dir, i));
		if (told->id[i] == 'n' && is_single(v))
			must(!has_rcpt(dir, i) && tmp == 0);
	}
	must(deliver_these(ok, false, false) == 0);
	must(look() == TOGETHER);
	must(count_files(dir, "bob/tmp") == 0);
}

static int
failed(const struct told *told)
{
	return (told->id[0] == 'n') + (told->id[1] == 'n') + (told->id[2] == 'n');
}

/* One that fails does not take the others along. */
static void
check_each(const char *dir, const struct told *told, const struct variant *v)
{
	if (told->result != -2 && is_single(v))
		must(failed(told) <= 1);
	check_together(dir, told, v);
}

/* But for the sync that they have in common. */
static void
check_ordered(const char *dir, const struct told *told, const struct variant *v)
{
	if (told->result != -2 && is_single(v))
		must(failed(told) <= 1 || failed(told) == TOGETHER);
	check_together(dir, told, v);
}

/* One file, of three mailboxes. */
static int
run_linked(const char *dir UNUSED, struct told *told)
{
	return deliver_these(told->id, true, false);
}

static int
run_linked_ordered(const char *dir UNUSED, struct told *told)
{
	return deliver_these(told->id, true, true);
}

static void
check_linked(const char *dir, const struct told *told, const struct variant *v)
{
	static const char *const boxes[] = { "bob", "ann", "eve" };
	char ok[TOGETHER], new[32], tmp[32];

	for (size_t i = 0; i < TOGETHER; i++) {
		snprintf(new, sizeof(new), "%s/new", boxes[i]);
		must(count_files(dir, new) <= 1);
		if (told->id[i] == 'y')
			must(count_files(dir, new) == 1);
		if (told->id[i] == 'n' && is_single(v))
			must(count_files(dir, new) == 0);
	}
	must(deliver_these(ok, true, false) == 0);
	for (size_t i = 0; i < TOGETHER; i++) {
		snprintf(new, sizeof(new), "%s/new", boxes[i]);
		snprintf(tmp, sizeof(tmp), "%s/tmp", boxes[i]);
		must(count_files(dir, new) == 1 && count_files(dir, tmp) == 0);
	}
	must(look() == 1);
}

/* ---- from the spool into the mailbox -------------------------------- */

static struct queue *opened;
static char id[QUEUE_ID_SIZE];

static void
setup_spool(const char *dir)
{
	struct envelope_rcpt r = { .state = RCPT_QUEUED,
		.path = { STR("bob"), STR("b.example") } };
	struct envelope e = { .from = { STR("s"), STR("t.example") },
		.arrival_us = clock_wall_us(), .rcpts = &r, .rcpt_n = 1 };
	struct queue_msg *m;
	char path[128];

	setup_box(dir);
	snprintf(path, sizeof(path), "%s/spool", dir);
	opened = opened_spool(path, QUEUE_CREATE);
	queue_id_new(e.id);
	memcpy(id, e.id, sizeof(id));
	m = queue_begin(opened, &e, false);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_write(m, text()), 0);
	ck_assert_int_eq(queue_commit(m), 0);
}

/* What the runner does: deliver, then forget. */
static int
run_through(const char *dir UNUSED, struct told *told UNUSED)
{
	const char *reason;
	struct queue_file f;
	struct arena a;
	int r = -1;

	arena_init(&a, ENVELOPE_ARENA);
	if (queue_load(opened, QUEUE_NEW, id, false, &a, &f, &reason) == 0) {
		r = deliver(f.fd, f.text_at);
		queue_unload(&f);
		if (r == 0)
			r = queue_remove(opened, QUEUE_NEW, id);
		if (r == 0)
			r = queue_sync_removals(opened);
	}
	arena_free(&a);
	return r;
}

static void
check_through(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	int spooled;
	size_t boxed = look();

	must((spooled = counted(opened, QUEUE_NEW)) >= 0);
	must((size_t)spooled + boxed >= 1);
	must(spooled <= 1 && boxed <= 1);
	if (told->result == 0)
		must(spooled == 0 && boxed == 1);
	/* The runner starts again. */
	if (spooled == 1) {
		fault_disarm();
		must(run_through(dir, NULL) == 0);
		must(look() == 1);
	}
	queue_close(opened);
}

/* ---- POP3 ----------------------------------------------------------- */

#define MESSAGES 6

static void
setup_messages(const char *dir)
{
	setup_box(dir);
	for (int i = 0; i < MESSAGES; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/bob/%s/%d.x%s", dir,
		    i % 2 ? "new" : "cur", i, i == 0 ? "" : ",W=5");
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_eq(write(fd, "one\n", 4), 4);
		close(fd);
	}
}

static int
run_expunge(const char *dir UNUSED, struct told *told UNUSED)
{
	struct maildir m;
	uint64_t size;
	size_t failed;
	int fd, r;

	if (maildir_open(&m, base, "bob") < 0)
		return -1;
	r = m.n == MESSAGES ? maildir_size(&m, 0, &size) : -1;
	if (r == 0 && (fd = maildir_read(&m, 1)) >= 0)
		close(fd);
	if (r == 0) {
		m.v[1].deleted = m.v[2].deleted = m.v[3].deleted = true;
		failed = maildir_expunge(&m);
		r = failed == 0 ? 0 : -1;
	}
	maildir_close(&m);
	return r;
}

static bool
exists(const char *dir, int i)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bob/%s/%d.x%s", dir,
	    i % 2 ? "new" : "cur", i, i == 0 ? "" : ",W=5");
	return access(path, F_OK) == 0;
}

static void
check_expunge(const char *dir, const struct told *told,
    const struct variant *v UNUSED)
{
	struct maildir m;

	for (int i = 0; i < MESSAGES; i++) {
		bool marked = i >= 1 && i <= 3;

		must(marked || exists(dir, i));
		if (told->result == 0 && marked)
			must(!exists(dir, i));
	}
	/* The lock has gone with the reader. */
	must(maildir_open(&m, base, "bob") == 0);
	maildir_close(&m);
}

/* Two files of one base: the younger is renamed. */
static void
setup_twins(const char *dir)
{
	char path[128];
	int fd;

	setup_box(dir);
	for (int i = 1; i <= 2; i++) {
		snprintf(path, sizeof(path), "%s/bob/new/7.x,S=%d", dir, i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_eq(write(fd, "one\n", 4), 4);
		close(fd);
	}
}

static int
run_twins(const char *dir UNUSED, struct told *told UNUSED)
{
	struct maildir m;

	if (maildir_open(&m, base, "bob") < 0)
		return -1;
	maildir_close(&m);
	return 0;
}

static void
check_twins(const char *dir, const struct told *told UNUSED, const struct variant *v UNUSED)
{
	struct maildir m;
	struct buf a, b;

	buf_init(&a, 80);
	buf_init(&b, 80);
	must(count_files(dir, "bob/new") == 2);
	must(maildir_open(&m, base, "bob") == 0);
	must(m.n == 2);
	maildir_uidl(&m, 0, &a);
	maildir_uidl(&m, 1, &b);
	must(!str_eq(buf_str(&a), buf_str(&b)));
	must(str_eq(buf_str(&a), STR("7.x")) || str_eq(buf_str(&b), STR("7.x")));
	maildir_close(&m);
	buf_free(&a);
	buf_free(&b);
}

/* So many that their sizes are kept. */
#define MANY 66

static void
setup_many(const char *dir)
{
	char path[128];
	int fd;

	setup_box(dir);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "%s/bob/new/%d.x", dir, 100 + i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_eq(write(fd, "one\n", 4), 4);
		close(fd);
	}
}

/* A session that asks for all sizes: 0 if each is right. */
static int
run_sizes(const char *dir UNUSED, struct told *told UNUSED)
{
	struct maildir m;
	uint64_t size;
	int r = 0;

	if (maildir_open(&m, base, "bob") < 0)
		return -1;
	for (size_t i = 0; i < m.n; i++)
		if (maildir_size(&m, i, &size) < 0 || size != 5)
			r = -1;
	r = m.n == MANY ? r : -1;
	maildir_close(&m);
	return r;
}

/* Whatever was kept, all is there and has its size. */
static void
check_sizes(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	must(told->result != 0 || count_files(dir, "bob/new") == MANY);
	must(run_sizes(dir, NULL) == 0);
	must(run_sizes(dir, NULL) == 0);
}

FAULT_TEST(into_a_box, setup_box, run_deliver, check_deliver)
FAULT_TEST(into_no_box, setup_base, run_deliver, check_deliver)
FAULT_TEST(once_more, setup_delivered, run_deliver, check_again)
FAULT_TEST(together, setup_box, run_together, check_each)
FAULT_TEST(ordered, setup_box, run_ordered, check_ordered)
FAULT_TEST(linked, setup_base, run_linked, check_linked)
FAULT_TEST(linked_ordered, setup_base, run_linked_ordered, check_linked)
FAULT_TEST(limited, setup_limited, run_limited, check_limited)
FAULT_TEST(from_the_spool, setup_spool, run_through, check_through)
FAULT_TEST(pop3, setup_messages, run_expunge, check_expunge)
FAULT_TEST(twins, setup_twins, run_twins, check_twins)
FAULT_TEST(sizes, setup_many, run_sizes, check_sizes)

UNIT_MAIN("fault/mailbox", into_a_box, into_no_box, once_more, together,
    ordered, linked, linked_ordered, limited, from_the_spool,
    pop3, twins, sizes)
