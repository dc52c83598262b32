/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc -- every system call of counting for reports and of sending them, failing
 * and last.
 *
 * What was said to be counted is, once; who is killed amid may have counted one
 * more.  Each domain gets its report, whatever happened before, and at most one gets
 * a second: with the id of the first.
 */

#include "report/names.h"

#include "enumerate.h"

#include <fcntl.h>

#include "lib/log.h"
#include "queue/opened.h"
#include "report/dmarc_send.h"

#define DAY 20000
#define ROW " 192.0.2.1 none - fail fail x.test - - -"
#define DOMAINS 3
/* More than a report of one row has. */
#define TEXT_OCTETS 20000

static const struct name zone[] = {
	{ "_dmarc.a.test", { "v=DMARC1; p=none; rua=mailto:r@a.test" }, false },
	{ "_dmarc.b.test", { "v=DMARC1; p=none; rua=mailto:r@b.test" }, false },
	{ "_dmarc.c.test", { "v=DMARC1; p=none; rua=mailto:r@c.test" }, false },
	{ NULL, { NULL }, false },
};
static const char *const rows[] = { "a.test" ROW, "b.test" ROW, "a.test" ROW, "a.test" ROW,
	"c.test" ROW, "c.test" ROW };

static int
open_in(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
setup(const char *dir)
{
	char path[128];

	fault_disarm();
	/* Each failure has a line, and that is as it should be. */
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	(void)!log_to("file:/dev/null");
	names = zone;
	queue_close(opened_spool(dir, QUEUE_CREATE));
	snprintf(path, sizeof(path), "%s/" DMARC_TALLY_DIR, dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* ---- counting ------------------------------------------------------------------------ */

/* What was counted stands in told->id[0]. */
static int
run_count(const char *dir, struct told *told)
{
	int fd = open_in(dir, DMARC_TALLY_DIR), r = 0;
	struct dmarc_tally *t = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (t == NULL)
			t = dmarc_tally_open(fd, DAY, 100, true);
		if (t != NULL && dmarc_tally_add(t, str_c(rows[i])) == 0)
			told->id[0]++;
		else
			r = -1;
	}
	if (t == NULL || dmarc_tally_end(t) < 0)
		r = -1;
	close(fd);
	return r;
}

static void
add_name(void *arg, const char *name)
{
	char *to = arg;

	must(to[0] == '\0');
	memcpy(to, name, strlen(name) + 1);
}

static void
check_count(const char *dir, const struct told *told, const struct variant *v)
{
	int fd = open_in(dir, DMARC_TALLY_DIR);
	char name[DMARC_TALLY_NAME] = "";
	struct dmarc_day d = { .kinds = NULL };
	struct dmarc_tally *t;
	uint64_t sum = 0;

	/* The next day: whatever was left open is ended, but for a file that had no head yet. */
	t = dmarc_tally_open(fd, DAY + 1, 100, false);
	must(t == NULL ? errno == ENOENT : told->id[0] == 0);
	dmarc_tally_close(t);
	must(dmarc_tally_list(fd, add_name, name) == 0);
	if (name[0] != '\0')
		must(dmarc_day_read(fd, name, &d) == 0 && d.day == DAY && d.lost == 0);
	for (size_t i = 0; i < d.kind_n; i++)
		sum += d.kinds[i].count;
	must(d.kind_n <= DOMAINS);
	must(sum >= (uint64_t)told->id[0] && sum <= (uint64_t)told->id[0] + 1);
	must(sum == (uint64_t)told->id[0] || v->kind >= FAULT_KILL_BEFORE);
	if (name[0] != '\0')
		dmarc_day_free(&d);
	close(fd);
}

FAULT_TEST(counting, setup, run_count, check_count)

/* ---- sending ------------------------------------------------------------------------- */

static void
setup_send(const char *dir)
{
	struct told told = { .id = "" };

	setup(dir);
	must(run_count(dir, &told) == 0);
}

static int
run_send(const char *dir, struct told *told)
{
	struct dmarc_order o = { .dir = open_in(dir, DMARC_TALLY_DIR), .domain = STR(""),
		.now = (DAY + 1) * DMARC_DAY_SECONDS };
	struct buf error;
	struct conf *c;
	char text[300];
	int r;

	(void)told;
	snprintf(text, sizeof(text), "domains = {'x.test'}\nspool = '%s'\ncheck spf { }\n"
	    "check dmarc { reports = true report-from = 'd@x.test' }\n", dir);
	buf_init(&error, 10000);
	o.conf = c = conf_parse("x", str_c(text), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	r = dmarc_send(&o) == DMARC_ALL_SENT ? 0 : -1;
	conf_free(c);
	buf_free(&error);
	close(o.dir);
	return r;
}

/* Reports in drop/, each whole and of the file ID (empty: unknown), that are about DOMAIN. */
static unsigned
reports(const char *dir, const char *domain, const char *id)
{
	char what[64], name[100];
	DIR *d = fdopendir(open_in(dir, "drop"));
	const struct dirent *e;
	unsigned n = 0;

	snprintf(what, sizeof(what), "Report Domain: %s\r\n", domain);
	snprintf(name, sizeof(name), "!%s%s", id, id[0] != '\0' ? ".xml.gz" : "");
	while ((e = readdir(d)) != NULL) {
		static char text[TEXT_OCTETS];
		int fd = queue_id_valid(str_c(e->d_name)) ?
		    openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC) : -1;
		ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

		if (fd >= 0)
			close(fd);
		text[got] = '\0';
		if (strstr(text, what) == NULL)
			continue;
		must(strstr(text, name) != NULL && strstr(text, "--\r\n") != NULL);
		n++;
	}
	closedir(d);
	return n;
}

static void
check_send(const char *dir, const struct told *told, const struct variant *v UNUSED)
{
	static const char *const domains[DOMAINS] = { "a.test", "b.test", "c.test" };
	int fd = open_in(dir, DMARC_TALLY_DIR);
	char name[DMARC_TALLY_NAME] = "", id[DMARC_TALLY_ID + 1] = "";
	unsigned twice = 0;

	must(dmarc_tally_list(fd, add_name, name) == 0);
	must(name[0] == '\0' || told->result != 0);
	if (name[0] != '\0')
		memcpy(id, strchr(name, '-') + 1, sizeof(id));
	fault_disarm();
	must(run_send(dir, NULL) == 0);
	name[0] = '\0';
	must(dmarc_tally_list(fd, add_name, name) == 0 && name[0] == '\0');
	for (size_t i = 0; i < DOMAINS; i++) {
		unsigned n = reports(dir, domains[i], id);

		must(n == 1 || n == 2);
		twice += n == 2;
	}
	must(twice <= 1);
	close(fd);
}

FAULT_TEST(sending, setup_send, run_send, check_send)

UNIT_MAIN("fault/dmarc", counting, sending)
