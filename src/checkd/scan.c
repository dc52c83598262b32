/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan -- messages that a server of spam or viruses is asked about.
 *
 * The text is a file that the session has open: it is read as the server takes
 * it, so that a message costs a buffer, however long it is.  Of each kind so
 * many are under way at once; those that wait cost two descriptors, and
 * beyond another number nobody waits.  The time begins when the question
 * comes.  A session that is gone wants no answer, and its connection is closed.
 */

#include "scan_job.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sys.h"

/* Of each kind. */
#define RUNNING_MAX 32
#define WAITING_MAX 128
/* With those whose text is not here yet: it comes at once, or a session means no good. */
#define OPEN_MAX (RUNNING_MAX + 2 * WAITING_MAX)
#define KINDS (SCAN_KIND_VIRUS + 1)
#define ARENA_MAX_OCTETS ((size_t)4 << 20)

/* What is asked of one server. */
struct lane {
	struct scan_job *first, **last;		/* that wait */
	size_t waiting, running, open;
};

struct scans {
	struct lane lanes[KINDS];
};

static struct lane *
lane_of(const struct scan_job *j)
{
	return &j->d->scans->lanes[j->about.kind];
}

/* ---- the end --------------------------------------------------------------------- */

void
scan_job_free(struct scan_job *j)
{
	arena_free(&j->arena);
	mem_free(j);
}

static void
unlink_waiting(struct lane *l, const struct scan_job *j)
{
	struct scan_job **at = &l->first;

	while (*at != NULL && *at != j)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = j->next;
	if (*at == NULL)
		l->last = at;
	l->waiting--;
}

static void
start_next(struct lane *l)
{
	struct scan_job *j;

	while (l->running < RUNNING_MAX && (j = l->first) != NULL) {
		unlink_waiting(l, j);
		l->running++;
		j->running = true;
		conn_start(j);
	}
}

/* J is over, whatever came of it. */
static void
end(struct scan_job *j)
{
	struct lane *l = lane_of(j);
	bool running = j->running;

	j->over = true;
	l->open--;
	unlink_waiting(l, j);
	loop_timer_free(j->timer);
	loop_io_free(j->reply_io);
	close(j->reply);
	if (j->text >= 0)
		close(j->text);
	if (j->edited >= 0)
		close(j->edited);
	if (!running || conn_close(j))
		scan_job_free(j);
	if (running) {
		l->running--;
		start_next(l);
	}
}

static void
answer(struct scan_job *j, const struct msg_scan_result *r)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_scan_result_put(&b, r);
	if (channel_send(j->reply, buf_str(&b), r->edited > 0 ? j->edited : -1) < 0 &&
	    errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	buf_free(&b);
}

void
job_failed(struct scan_job *j, const char *why)
{
	struct msg_scan_result r = { .result = SCAN_FAILED, .symbols = STR(""),
		.what = str_head(str_c(why), MSG_SCAN_WHAT_MAX) };

	answer(j, &r);
	end(j);
}

void
job_done(struct scan_job *j)
{
	struct scan *s = &j->conn.scan;

	if (s->server == SCAN_RSPAMD && !rspamd_read(j)) {
		job_failed(j, "what it answers is no verdict");
		return;
	}
	s->v.edited = s->edited;
	answer(j, &s->v);
	end(j);
}

/* ---- the question ------------------------------------------------------------------ */

static void
on_time(void *arg)
{
	job_failed(arg, "it took too long");
}

static bool
is_plain_file(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void
enqueue(struct scan_job *j)
{
	struct lane *l = lane_of(j);

	*l->last = j;
	l->last = &j->next;
	l->waiting++;
	start_next(l);
}

/* The text comes, once; or the session is gone. */
static void
on_reply(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct scan_job *j = arg;
	struct buf packet;
	int fd = -1, got;

	buf_init(&packet, FRAME_MAX);
	got = channel_recv(j->reply, &packet, &fd);
	if (got == 1 && j->text < 0 && msg_scan_text_get(buf_str(&packet)) &&
	    is_plain_file(fd)) {
		j->text = fd;
		enqueue(j);
	} else if (got != 0) {
		if (fd >= 0)
			close(fd);
		end(j);
	}
	buf_free(&packet);
}

/* A piece of the text that comes back. */
static bool
keep_piece(void *arg, struct str piece)
{
	const struct scan_job *j = arg;

	return sys_write_all(j->edited, piece.p, piece.n) == 0;
}

static void
copy_about(struct scan_job *j, const struct msg_scan *m)
{
	struct arena *a = &j->arena;

	j->about = *m;
	j->about.id = arena_str(a, m->id);
	j->about.from = arena_str(a, m->from);
	j->about.client = arena_str(a, m->client);
	j->about.name = arena_str(a, m->name);
	j->about.helo = arena_str(a, m->helo);
	j->about.login = arena_str(a, m->login);
	for (size_t i = 0; i < m->rcpt_n; i++)
		j->about.rcpts[i] = arena_str(a, m->rcpts[i]);
}

static void
start(struct checkd *d, const struct conf_check_scan *conf, const struct msg_scan *m, int reply)
{
	struct scan_job *j = mem_alloc(sizeof(*j));
	struct scan *s = &j->conn.scan;

	*j = (struct scan_job){ .d = d, .conf = conf, .reply = reply, .text = -1,
		.edited = -1, .conn.fd = -1 };
	arena_init(&j->arena, ARENA_MAX_OCTETS);
	copy_about(j, m);
	lane_of(j)->open++;
	scan_init(s, conf->kind, &j->about);
	s->user = conf->user != NULL ? conf->user : "";
	if (conf->action == SCAN_EDIT && conf->kind == SCAN_SPAMD) {
		j->edited = memfd_create("barid-edited", MFD_CLOEXEC);
		s->edit = true;
		s->take = keep_piece;
		s->arg = j;
	}
	j->timer = loop_timer_new(d->loop, on_time, j);
	loop_timer_set(j->timer, conf->timeout);
	j->reply_io = loop_io_new(d->loop, reply, on_reply, j);
	loop_io_want(j->reply_io, true, false);
}

void
scan_take_question(struct checkd *d, struct str packet, int reply)
{
	const struct conf_check_scan *conf;
	const struct lane *l;
	struct msg_scan m;

	if (!msg_scan_get(packet, &m)) {
		channel_complain("a question");
		close(reply);
		return;
	}
	conf = m.kind == SCAN_KIND_SPAM ? &d->conf->check.spam : &d->conf->check.virus;
	l = &d->scans->lanes[m.kind];
	if (!conf->enabled || l->waiting >= WAITING_MAX || l->open >= OPEN_MAX)
		close(reply);
	else
		start(d, conf, &m, reply);
}

void
scans_open(struct checkd *d)
{
	d->scans = mem_alloc(sizeof(*d->scans));
	for (size_t i = 0; i < KINDS; i++)
		d->scans->lanes[i].last = &d->scans->lanes[i].first;
}

void
scans_close(struct checkd *d)
{
	mem_free(d->scans);
}
