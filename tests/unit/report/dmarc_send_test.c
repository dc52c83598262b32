/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The reports of a day: which, how often, and what is left; in a spool and with a DNS of the test's own. */

#include "report/names.h"

#include "report/dmarc_send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/opened.h"
#include "scratch.h"
#include "unit.h"

#define DAY 20000
#define ENDS ((DAY + 1) * (int64_t)DMARC_DAY_SECONDS)
#define ROW " 192.0.2.1 none - fail fail x.test - - -"

static const struct name zone[] = {
	{ "_dmarc.a.test", { "v=DMARC1; p=none; rua=mailto:r@a.test" }, false },
	{ "_dmarc.b.test", { "v=DMARC1; p=none; rua=mailto:r@b.test,mailto:s@b.test!2k,mailto:t@b.test!1k" }, false },
	{ "_dmarc.silent.test", { NULL }, true },
	{ NULL, { NULL }, false },
};

static char path[SCRATCH_SIZE];
static int dir;
static struct conf *conf;

static void
setup(void)
{
	char text[300], sub[100];
	struct buf error;

	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	names = zone;
	scratch_begin(path);
	buf_init(&error, 10000);
	queue_close(opened_spool(path, QUEUE_CREATE));
	snprintf(sub, sizeof(sub), "%s/" DMARC_TALLY_DIR, path);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	dir = open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(text, sizeof(text), "domains = {'x.test'}\nspool = '%s'\ncheck spf { }\n"
	    "check dmarc { reports = true report-from = 'd@x.test' }\n", path);
	conf = conf_parse("x", str_c(text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&error);
}

static void
teardown(void)
{
	conf_free(conf);
	close(dir);
	scratch_end(path);
}

/* A day that is over, with a row for each of DOMAINS. */
static void
fill(int64_t day, const char *const *domains)
{
	struct dmarc_tally *t = dmarc_tally_open(dir, day, 100, true);
	struct buf b;

	ck_assert_ptr_nonnull(t);
	buf_init(&b, 1000);
	for (; *domains != NULL; domains++) {
		buf_reset(&b);
		buf_addf(&b, "%s" ROW, *domains);
		ck_assert_int_eq(dmarc_tally_add(t, buf_str(&b)), 0);
	}
	buf_free(&b);
	ck_assert_int_eq(dmarc_tally_end(t), 0);
}

static enum dmarc_sent
sent_at(int64_t now, const char *domain)
{
	const struct dmarc_order o = { .conf = conf, .dir = dir, .domain = str_c(domain),
		.now = now, .after = 600 };

	return dmarc_send(&o);
}

static void
count(void *arg, const char *name)
{
	(void)name;
	++*(unsigned *)arg;
}

static unsigned
days(void)
{
	unsigned n = 0;

	ck_assert_int_eq(dmarc_tally_list(dir, count, &n), 0);
	return n;
}

/* The recipients of what is in drop/, in any order: how many files there are. */
static unsigned
drop(char *text, size_t size)
{
	char sub[100], whole[20000];
	const struct dirent *e;
	unsigned n = 0;
	struct buf b;
	DIR *d;

	buf_init_in(&b, text, size);
	snprintf(sub, sizeof(sub), "%s/drop", path);
	d = opendir(sub);
	while ((e = readdir(d)) != NULL) {
		int fd = e->d_name[0] != '.' ? openat(dirfd(d), e->d_name, O_RDONLY) : -1;
		ssize_t got = fd >= 0 ? read(fd, whole, sizeof(whole) - 1) : -1;

		if (got <= 0)
			continue;
		whole[got] = '\0';
		close(fd);
		n++;
		ck_assert_ptr_nonnull(strstr(whole, "d@x.test"));
		ck_assert_ptr_nonnull(strstr(whole, "NEVER"));
		const char *to = strstr(whole, "\nTo: ");
		ck_assert_ptr_nonnull(to);
		buf_add(&b, str_n(to + 5, strcspn(to + 5, "\r")));
		buf_adds(&b, "; ");
	}
	closedir(d);
	return n;
}

START_TEST(sends)
{
	char to[1000];

	fill(DAY, (const char *const[]){ "a.test", "b.test", "unheard.test", NULL });
	ck_assert_int_eq(sent_at(ENDS + 599, ""), DMARC_SOME_LEFT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 0);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_ALL_SENT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 2);
	ck_assert_ptr_nonnull(strstr(to, "r@a.test; "));
	/* RFC 9989 4.8: "!1k" says nothing any more. */
	ck_assert_ptr_nonnull(strstr(to, "r@b.test, s@b.test, t@b.test; "));
	ck_assert_uint_eq(days(), 0);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_ALL_SENT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 2);
}
END_TEST

START_TEST(one)
{
	char to[1000];

	fill(DAY, (const char *const[]){ "a.test", "b.test", NULL });
	ck_assert_int_eq(sent_at(ENDS + 600, "A.test"), DMARC_SOME_LEFT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 1);
	ck_assert_int_eq(sent_at(ENDS + 600, "a.test"), DMARC_SOME_LEFT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 1);
	ck_assert_int_eq(sent_at(ENDS + 600, "b.test"), DMARC_ALL_SENT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 2);
	ck_assert_uint_eq(days(), 0);
}
END_TEST

START_TEST(waits)
{
	char to[1000];

	fill(DAY, (const char *const[]){ "silent.test", "a.test", NULL });
	fill(DAY + 1, (const char *const[]){ "b.test", NULL });
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_SOME_LEFT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 1);
	ck_assert_uint_eq(days(), 2);
	ck_assert_int_eq(sent_at(ENDS + DMARC_DAY_SECONDS + 600, ""), DMARC_SOME_LEFT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 2);
	ck_assert_uint_eq(days(), 1);
	/* Nobody asks for ever. */
	ck_assert_int_eq(sent_at(ENDS + 3 * DMARC_DAY_SECONDS, ""), DMARC_ALL_SENT);
	ck_assert_uint_eq(drop(to, sizeof(to)), 2);
	ck_assert_uint_eq(days(), 0);
}
END_TEST

START_TEST(prints)
{
	struct dmarc_order o = { .conf = conf, .dir = dir, .domain = STR(""), .now = ENDS };
	struct dmarc_tally *t;
	char *text = NULL, to[100];
	size_t n = 0;

	fill(DAY, (const char *const[]){ "a.test", "b.test", NULL });
	t = dmarc_tally_open(dir, DAY + 1, 100, true);
	ck_assert_int_eq(dmarc_tally_add(t, STR("b.test" ROW)), 0);
	ck_assert_int_eq(dmarc_tally_add(t, STR("b.test *")), 0);
	dmarc_tally_close(t);
	o.print = open_memstream(&text, &n);
	ck_assert_int_eq(dmarc_send(&o), DMARC_ALL_SENT);
	fclose(o.print);
	ck_assert_ptr_nonnull(strstr(text, "<domain>a.test</domain>"));
	ck_assert_ptr_nonnull(strstr(text, "<domain>b.test</domain>"));
	ck_assert_ptr_nonnull(strstr(text, "<domain>b.test</domain>"));
	ck_assert_ptr_nonnull(strstr(text, "<error>1 more messages"));
	free(text);
	ck_assert_uint_eq(days(), 1);
	ck_assert_uint_eq(drop(to, sizeof(to)), 0);
}
END_TEST

START_TEST(busy)
{
	int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	fill(DAY, (const char *const[]){ "a.test", NULL });
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_BUSY);
	close(fd);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_ALL_SENT);
}
END_TEST

/* What is no tally is put aside; what it was is for people. */
START_TEST(damaged)
{
	const char *name = "0000020000-0123456789abcdef";
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, "hello\n", 6), 6);
	close(fd);
	fill(DAY, (const char *const[]){ "a.test", NULL });
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_ALL_SENT);
	ck_assert_uint_eq(days(), 0);
	ck_assert_int_eq(unlinkat(dir, "0000020000-0123456789abcdef.bad", 0), 0);
	/* What cannot be read now is another time's. */
	ck_assert_int_eq(mkdirat(dir, name, 0700), 0);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_SOME_LEFT);
	ck_assert_uint_eq(days(), 1);
}
END_TEST

START_TEST(cannot)
{
	char sub[100];

	fill(DAY, (const char *const[]){ "a.test", NULL });
	snprintf(sub, sizeof(sub), "%s/drop", path);
	ck_assert_int_eq(rmdir(sub), 0);
	ck_assert_int_eq(sent_at(ENDS + 600, ""), DMARC_CANNOT);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(days(), 1);
}
END_TEST

int
main(void)
{
	TCase *t = UNIT_CASE("dmarc_send", sends, one, waits, prints, busy, damaged,
	    cannot);

	tcase_add_checked_fixture(t, setup, teardown);
	return unit_run("report/dmarc_send", t);
}
