/* SPDX-License-Identifier: GPL-3.0-or-later */

/* exits -- what the end of a program means, as Postfix and sendmail have it. */

#include "runner/exits.h"

#include "unit.h"

START_TEST(table)
{
	const struct {
		struct msg_spawn_result m;
		enum outcome outcome;
		const char *status, *text;
	} t[] = {
		{ { SPAWN_EXITED, 0, STR("") }, DELIVERED, "2.0.0", "delivered to program /p" },
		{ { SPAWN_EXITED, 0, STR("5.1.1 what") }, DELIVERED, "2.0.0",
		    "delivered to program /p" },
		{ { SPAWN_EXITED, 75, STR("") }, TEMPFAIL, "4.3.0", "temporary failure" },
		{ { SPAWN_EXITED, 75, STR("try later") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: try later" },
		{ { SPAWN_EXITED, 71, STR("") }, TEMPFAIL, "4.3.0", "system resource problem" },
		{ { SPAWN_EXITED, 67, STR("no bob") }, PERMFAIL, "5.1.1",
		    "user unknown. Command output: no bob" },
		{ { SPAWN_EXITED, 69, STR("") }, PERMFAIL, "5.3.0", "service unavailable" },
		{ { SPAWN_EXITED, 77, STR("") }, PERMFAIL, "5.7.0", "permission denied" },
		{ { SPAWN_EXITED, 1, STR("") }, PERMFAIL, "5.3.0", "unknown mail system error" },
		{ { SPAWN_EXITED, 255, STR("x") }, PERMFAIL, "5.3.0",
		    "unknown mail system error. Command output: x" },
		/* The output's own code counts more than the exit status. */
		{ { SPAWN_EXITED, 1, STR("4.2.2 over quota") }, TEMPFAIL, "4.2.2", "over quota" },
		{ { SPAWN_EXITED, 75, STR("5.7.1 go away") }, PERMFAIL, "5.7.1", "go away" },
		{ { SPAWN_EXITED, 67, STR("5.100.999") }, PERMFAIL, "5.100.999", "user unknown" },
		/* These are none. */
		{ { SPAWN_EXITED, 75, STR("2.0.0 fine") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: 2.0.0 fine" },
		{ { SPAWN_EXITED, 75, STR("5.1") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: 5.1" },
		{ { SPAWN_EXITED, 75, STR("5.1.1x") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: 5.1.1x" },
		{ { SPAWN_EXITED, 75, STR("5.1.1234 x") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: 5.1.1234 x" },
		{ { SPAWN_EXITED, 75, STR("5.12345.1 x") }, TEMPFAIL, "4.3.0",
		    "temporary failure. Command output: 5.12345.1 x" },
		/* What would end a line of a report does not get there. */
		{ { SPAWN_EXITED, 67, STR("a\r\nb\tc\033\xff") }, PERMFAIL, "5.1.1",
		    "user unknown. Command output: a??b c??" },
		{ { SPAWN_KILLED, 11, STR("") }, TEMPFAIL, "4.3.0",
		    "/p was killed by signal 11 (Segmentation fault)" },
		{ { SPAWN_KILLED, 255, STR("") }, TEMPFAIL, "4.3.0",
		    "/p was killed by signal 255 (no signal)" },
		{ { SPAWN_TIMEOUT, 0, STR("so far") }, TEMPFAIL, "4.3.0",
		    "/p took too long and was killed. Command output: so far" },
		{ { SPAWN_FAILED, 0, STR("/p: No such file") }, TEMPFAIL, "4.3.5",
		    "the program was not run: /p: No such file" },
	};
	struct buf words;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct result res;

		buf_init(&words, 4096);
		res = exits_result(&t[i].m, "/p", &words);
		ck_assert_int_eq(res.outcome, t[i].outcome);
		ck_assert_str_eq(res.status, t[i].status);
		ck_str(res.text, str_c(t[i].text));
		ck_str(res.relay, STR("pipe"));
		ck_assert(!res.remote);
		buf_free(&words);
	}
}
END_TEST

UNIT_MAIN("exits", table)
