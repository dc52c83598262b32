/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scan -- questions whose text never comes are not more than so many. */

#include "asker.h"

#include "checkd/scan_job.h"
#include "ipc/msg_scan.h"

#define MANY 400

/* ---- what nobody comes to here ------------------------------------------------------ */

void
conn_start(struct scan_job *j UNUSED)
{
	ck_abort_msg("a server is asked about nothing");
}

bool
conn_close(struct scan_job *j UNUSED)
{
	return true;
}

bool
rspamd_read(struct scan_job *j UNUSED)
{
	return false;
}

/* ---- the tests ------------------------------------------------------------------------ */

/* The way to the answer; -1: there is none. */
static int
ask(void)
{
	const struct msg_scan m = { .kind = SCAN_KIND_VIRUS, .size = 1, .id = STR("x"), .from = STR(""),
		.client = STR(""), .name = STR(""), .helo = STR("h.test"), .login = STR("") };
	struct buf b, none;
	int fd, pass;

	buf_init(&b, FRAME_MAX);
	buf_init(&none, FRAME_MAX);
	msg_scan_put(&b, &m);
	fd = asker_ask(&b, scan_take_question);
	if (channel_recv(fd, &none, &pass) < 0) {
		close(fd);
		fd = -1;
	}
	buf_free(&none);
	return fd;
}

START_TEST(without_a_text)
{
	int fds[MANY];
	size_t n = 0;

	asker_begin();
	d->conf = conf_default();
	d->conf->check.virus = (struct conf_check_scan){ .enabled = true, .kind = SCAN_CLAMD,
		.timeout = 60000 };
	scans_open(d);
	while (n < MANY && (fds[n] = ask()) >= 0)
		n++;
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_lt(n, MANY);
	/* One of them goes. */
	close(fds[0]);
	loop_once(d->loop, true);
	ck_assert_int_ge(fds[0] = ask(), 0);
	ck_assert_int_lt(ask(), 0);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	for (size_t i = 0; i < n; i++)
		loop_once(d->loop, false);
	scans_close(d);
	asker_end();
}
END_TEST

UNIT_MAIN("checkd/scan", without_a_text)
