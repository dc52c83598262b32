/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * pipe -- deliveries to programs, which barid-spawn runs; and to files that
 * aliases have, which it writes.
 *
 * The request names the command and what is known of the message; a descriptor of
 * it goes along.  What the program makes of it comes back as its exit status.
 * A helper that is lost, or silent, is a failure that passes, and so the message
 * is tried again: if the program had it by then, it gets it twice.  Where this
 * process is to end the message stays as it is, for the one that comes after.
 */

#include <errno.h>

#include "ask.h"
#include "conf/program.h"
#include "dest.h"
#include "exits.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "local_text.h"
#include "reading.h"
#include "runner.h"
#include "vacation.h"

/* Over the time that the programs before it may take. */
#define SLACK_MS 60000

struct piping {
	struct runner *r;
	struct delivery *v;
	struct local_text text;
	int error;
	struct result result;	/* while the sender is answered */
	bool answered;
	char answer[QUEUE_ID_SIZE];
};

/* What an alias or a .forward has is behind all that the configuration names. */
static bool
is_part(const struct delivery *v)
{
	return v->dest->way->command >= program_commands(v->job->r->conf);
}

static enum spawn_kind
kind_of(const struct delivery *v)
{
	if (!is_part(v))
		return SPAWN_COMMAND;
	return v->mailbox[0] != '\0' ? SPAWN_HOME : SPAWN_ALIAS;
}

static struct program_command
command_of(const struct delivery *v)
{
	struct program_command command;

	if (!program_command(v->job->r->conf, v->dest->way->command, &command))
		panic("there is no command %zu", v->dest->way->command);
	return command;
}

static void
piping_free(struct piping *g)
{
	local_text_close(&g->text);
	mem_free(g);
}

static void
end(struct piping *g, const struct result *res)
{
	struct delivery *v = g->v;
	struct dest *dest = v->dest;
	struct delays d = job_delays(v->job, v->begun_ms, v->begun_ms);

	g->r->piped--;
	if (res->outcome == DELIVERED)
		reading_start(v->job, v->rcpts[0], &g->text);
	for (size_t i = 0; i < v->n; i++)
		job_result(v->job, v->rcpts[i], res, &d);
	job_delivered(v->job);
	piping_free(g);
	dest_spawned(dest);
}

/* ---- what a mailbox at home answers ------------------------------------- */

/* True if it was delivered into the mailbox of an account. */
static bool
is_mailbox(const struct delivery *v)
{
	return v->mailbox[0] != '\0' && v->job->rcpts[v->rcpts[0]].part.n == 0;
}

static void
answer_work(void *arg)
{
	struct piping *g = arg;

	g->answered = vacation_answer(g->v, g->answer);
}

static void
answer_done(void *arg)
{
	struct piping *g = arg;

	if (g->answered)
		job_made(g->v->job, &g->answer, 1);
	end(g, &g->result);
}

/* The end, of what was delivered into a mailbox after its answer. */
static void
settle(struct piping *g, const struct result *res)
{
	if (res->outcome != DELIVERED || !is_mailbox(g->v) ||
	    g->r->conf->vacation_n == 0 || g->r->stopping) {
		end(g, res);
		return;
	}
	g->result = result_copy(&g->v->job->arena, res);
	loop_pool_run(g->r->local_pool, answer_work, answer_done, g);
}

/* Without an answer. */
static void
lost(struct piping *g)
{
	struct result res = result_words(TEMPFAIL, "4.3.0",
	    STR("barid-spawn, which runs the program, was lost"));

	res.relay = STR("pipe");
	end(g, &res);
}

static void
on_answer(void *arg, struct str answer)
{
	struct piping *g = arg;
	struct msg_spawn_result m;
	struct result res;
	struct buf words;

	/* Its message may be gone from here, but not from the spool. */
	if (g->r->closing || (g->r->stopping && answer.n == 0)) {
		g->r->piped--;
		piping_free(g);
		return;
	}
	if (!msg_spawn_result_get(answer, &m)) {
		lost(g);
		return;
	}
	buf_init(&words, 4096);
	res = exits_result(&m, is_part(g->v) ? NULL :
	    command_of(g->v).way->words.v[0], &words);
	settle(g, &res);
	buf_free(&words);
}

/* The address of "host[address]:port". */
static struct str
address_of(struct str client)
{
	ptrdiff_t from = str_find(client, '['), to = str_rfind(client, ']');

	return from >= 0 && to > from + 1 ?
	    str_n(client.p + from + 1, (size_t)(to - from - 1)) : STR("");
}

static void
request(const struct piping *g, struct buf *packet, struct arena *a)
{
	const struct delivery *v = g->v;
	const struct envelope *e = &v->job->file.env;
	struct msg_spawn m = {
		.kind = kind_of(v),
		.who = str_c(v->mailbox),
		.command = v->dest->way->command,
		.via = is_part(v) ? v->job->rcpts[v->rcpts[0]].part :
				    str_c(command_of(v).via),
		.arrival = (uint64_t)(e->arrival_us / 1000000),
		.rcpt = v->rcpts[0],
		.id = str_c(v->job->id),
		.at = (uint64_t)g->text.at,
		.size = g->text.size,
		.sender = path_str(a, &e->from),
		.client = address_of(e->client),
		.login = e->user,
		.rcpt_n = v->n };

	for (size_t i = 0; i < v->n; i++)
		m.rcpts[i] = path_str(a, &v->paths[i]);
	msg_spawn_put(packet, &m);
}

static void
ask(struct piping *g)
{
	struct msg_hint hint = { .id = str_c(g->v->job->id) };
	int64_t time = g->r->conf->limits.program_time;
	/* What is no program may be written into a file, for which it has to wait before. */
	int64_t each = is_part(g->v) ? 2 * time + SLACK_MS : time;
	struct buf packet, more;

	buf_init(&packet, FRAME_MAX);
	buf_init(&more, FRAME_MAX);
	request(g, &packet, &g->v->job->arena);
	msg_hint_put(&more, &hint);
	/* As many as a runner may have wait before it, of each runner. */
	ask_start_with(g->r, g->r->spawn, buf_str(&packet), buf_str(&more),
	    g->text.fd, (int64_t)(g->r->count + 1) * each + SLACK_MS, on_answer, g);
	buf_free(&more);
	buf_free(&packet);
	/* A copy that nobody reads a second time. */
	if (!reading_is_wanted(g->v->job, g->v->rcpts[0]))
		local_text_close(&g->text);
}

static void
prepare(void *arg)
{
	struct piping *g = arg;

	if (local_text_lend(&g->v->job->file, &g->text) < 0)
		g->error = errno;
}

static void
prepared(void *arg)
{
	struct piping *g = arg;
	struct result res;
	struct buf words;

	if (g->r->stopping) {
		g->r->piped--;
		piping_free(g);
		return;
	}
	if (g->error == 0 && g->text.why_not == NULL) {
		ask(g);
		return;
	}
	buf_init(&words, 4096);
	if (g->error != 0) {
		buf_addf(&words, "cannot read the message: %s",
		    strerror(g->error));
		res = result_words(TEMPFAIL, "4.3.0", buf_str(&words));
	} else {
		buf_addf(&words, "the message is binary, which a program is "
		    "not given, and cannot be converted: %s", g->text.why_not);
		res = result_words(PERMFAIL, "5.6.1", buf_str(&words));
	}
	end(g, &res);
	buf_free(&words);
}

void
pipe_deliver(struct dest *dest)
{
	struct piping *g = mem_alloc(sizeof(*g));

	g->r = dest->r;
	g->v = dest_take(dest);
	g->v->begun_ms = clock_ms();
	dest_spawning(dest);
	g->r->piped++;
	loop_pool_run(g->r->disk, prepare, prepared, g);
}
