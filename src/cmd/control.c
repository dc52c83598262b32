/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- the configuration that a command goes by, and the running barid,
 * which is asked through its control socket (report/control.h).
 */

#include "cmd.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "report/control.h"

struct conf *
cmd_conf(const char *path, int code)
{
	struct buf error;

	buf_init(&error, 65536);
	struct conf *c = conf_load(path, &error);
	if (!c) {
		fputs(buf_cstr(&error), stderr);
		exit(code);
	}
	buf_free(&error);
	return c;
}

bool
cmd_is_running(const struct conf *c)
{
	return control_is_there(c->run);
}

int
cmd_control(const struct conf *c, const struct msg_control *m, struct buf *answer,
    struct msg_control_result *r)
{
	return control_ask(c->run, m, CONTROL_ANSWER_MS, answer, r);
}

int
cmd_control_wait(const struct conf *c, const struct msg_control *m, int wait_ms,
    struct buf *answer, struct msg_control_result *r)
{
	return control_ask(c->run, m, wait_ms, answer, r);
}

int
cmd_control_list(const struct conf *c, const struct msg_control *m, FILE *out,
    struct msg_control_result *r)
{
	return control_read(c->run, m, out, r);
}

char *
cmd_control_text(const struct conf *c, const struct msg_control *m, size_t *n,
    struct msg_control_result *r)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, n);
	bool answered = out && cmd_control_list(c, m, out, r) == 0;
	int err = errno;

	if (out && fclose(out) != 0 && answered) {
		answered = false;
		err = errno;
	}
	if (!answered) {
		mem_free(text);
		text = NULL;
	}
	errno = err;
	return text;
}
