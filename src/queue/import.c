/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * import -- from drop/ into new/.
 *
 * drop/ is where other users put files, so nothing in a file is believed
 * that only barid may say: who the client was, the login, TLS, states and
 * times come from the file system.  A file is copied and never renamed into
 * the spool, since its owner may still hold it open.  A plain file with one
 * name is read; all else goes to bad/, and so does what cannot be parsed.
 *
 * The new message's id depends on the file alone.  So if a crash comes
 * between the commit and the removal from drop/, the next import finds the
 * message in the spool and only removes the file; dropped.c sees to it that
 * it is there until then.
 *
 * What names a text of the store waits where it is until it is there, for an
 * hour; that the store fails is nobody's fault, and has no end.
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "queue/queue.h"
#include "queue/archive.h"
#include "queue/own_keys.h"
#include "queue/prefix.h"
#include "queue/remap.h"
#include "queue/settings.h"

#include "spool.h"

/* A text that is named before it is there has so long to come. */
#define STORE_PATIENCE_US (INT64_C(3600) * 1000000)
#define WAIT_ARENA 65536
/* Where a Message-ID is looked for, and what the log gets of it. */
#define HEADER_SEEN 8192
#define MESSAGE_ID_MAX 500

struct import {
	struct queue *q;
	void (*fn)(void *arg, const char *id);
	void *arg;
	int count;
	int error;	/* errno of the last trouble */
	unsigned waiting;	/* for their text, */
	const char *waits;	/* and why the first does; in ARENA */
	struct arena arena;
};

/* One file of drop/. */
struct dropped {
	const char *name;
	struct stat st;
	struct arena arena;
	struct envelope env;
	struct str message_id;	/* as far as it is known */
	const char *why;
};

/* What is known of the message without believing its file. */
static void
set_facts(const struct queue *q, struct dropped *d, struct envelope *e)
{
	int64_t now = clock_wall_us();
	/* A copied .eml may be as old as it likes; it was put there then. */
	const struct timespec *t = dropped_is_eml(str_c(d->name)) ?
	    &d->st.st_ctim : &d->st.st_mtim;
	int64_t us = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;

	e->arrival_us = us > 0 && us < now ? us : now;
	e->client = str_c(arena_printf(&d->arena, "local user (%lu)",
	    (unsigned long)d->st.st_uid));
	e->helo = e->proto = e->user = STR("");
	e->ours = true;
	e->listener = STR(CONF_LISTEN_DROP);
	e->local = e->tls = e->certificate = e->chain = e->report = STR("");
	e->auth = e->checks = STR("");
	e->delays = 0;
	e->extra_n = 0;
	if (q->settings == NULL) {
		e->not_before_us = e->deadline_us = 0;
		e->max_attempts = 0;
		e->priority = 0;
		e->by_mode = BY_UNSAID;
		e->by_us = 0;
		e->by_trace = false;
		e->retry = e->source = e->route = STR("");
		e->route_user = e->route_password = STR("");
	}
	for (size_t i = 0; i < e->rcpt_n; i++) {
		e->rcpts[i].state = RCPT_QUEUED;
		e->rcpts[i].of = e->rcpts[i].part = STR("");
	}
}

/*
 * What errno of reading a file means.  One that we may not read, or that is
 * none, never gets better; of any other trouble the next import knows more,
 * and the message stays where it is.
 */
static enum taken
judge(int e)
{
	return e == EBADMSG || e == EACCES || e == EPERM || e == ELOOP ||
	    e == ENXIO ? TAKE_BAD : TAKE_ERROR;
}

struct remap
import_remap(const struct queue *q)
{
	return (struct remap){ .conf = q->remap, .at = REWRITE_AT_RECEIVE,
		.listener = STR(CONF_LISTEN_DROP) };
}

const char *
import_keys(const struct queue *q, const struct envelope *e, struct arena *a)
{
	if (e->dkim.n == 0)
		return NULL;
	return q->settings == NULL ? "it brings keys, and extract-headers does not let it" :
	    own_keys_why_not(e->dkim, a);
}

/*
 * Copies the text of F, with another header where addresses become others.  A
 * header that is too large to be looked at whole stays as it is.
 */
static int
copy_text(struct queue *q, const struct queue_file *f, struct queue_msg *m)
{
	struct remap r = import_remap(q);
	size_t was = 0, n = f->size < MAIL_HEADER_MAX ? (size_t)f->size :
							MAIL_HEADER_MAX;
	struct buf out;
	char *p;
	ssize_t got;
	int rc = 0;

	if (q->remap == NULL || remap_leaves_header(&r))
		return queue_msg_copy(m, f->fd, f->text_at, f->size);
	p = mem_alloc(n + 1);
	buf_init(&out, 4 * MAIL_HEADER_MAX);
	got = spool_read(f->fd, f->text_at, p, n);
	if (got > 0 && ((uint64_t)got == f->size ||
		memmem(p, (size_t)got, "\r\n\r\n", 4) != NULL))
		was = remap_header(&r, str_n(p, (size_t)got), &out);
	if (got < 0)
		rc = -1;
	else if (was > 0 && buf_ok(&out))
		rc = queue_write(m, buf_str(&out));
	else
		was = 0;
	buf_free(&out);
	mem_free(p);
	return rc < 0 ? -1 : queue_msg_copy(m, f->fd, f->text_at + (off_t)was,
	    f->size - was);
}

/* By which the message can be found in the log, as any other; what fails here fails again. */
static void
note_message_id(struct dropped *d, const struct queue_file *f)
{
	size_t n = f->size < HEADER_SEEN ? (size_t)f->size : HEADER_SEEN;
	char *p = arena_alloc(&d->arena, n + 1);
	ssize_t got = spool_read(f->fd, f->text_at, p, n);
	struct field field;

	if (got > 0 && header_find(str_n(p, (size_t)got), STR("Message-ID"), &field))
		d->message_id = str_head(str_trim(field.value), MESSAGE_ID_MAX);
}

/* The message of F, whose envelope is D->env. */
static enum taken
take_loaded(struct queue *q, struct dropped *d, const struct queue_file *f,
    struct queue_msg **m)
{
	d->why = "it chooses a Maildir";
	if (!settings_may_go(d->env.route))
		return TAKE_BAD;
	d->why = import_keys(q, &d->env, &d->arena);
	if (d->why != NULL)
		return TAKE_BAD;
	d->why = STORED_BESIDE;
	if (d->env.key.n > 0)
		return f->size > 0 ? TAKE_BAD : stored_take(q, d->st.st_uid,
		    &d->env, &d->arena, m, &d->why);
	d->why = "its envelope cannot be kept";
	if ((*m = queue_begin(q, &d->env, false)) == NULL)
		return TAKE_BAD;
	queue_msg_again(*m, IMPORT_PREFIX);
	return copy_text(q, f, *m) == 0 ? TAKEN : TAKE_ERROR;
}

/* Takes what sendmail wrote: an envelope block and the text. */
static enum taken
take_envelope(struct queue *q, struct dropped *d, struct queue_msg **m)
{
	struct queue_file f;
	enum taken r;

	if (queue_load(q, QUEUE_DROP, d->name, true, &d->arena, &f, &d->why)
	    < 0) {
		if (d->why == NULL)
			d->why = "it may not be read";
		return judge(errno);
	}
	d->env = f.env;
	set_facts(q, d, &d->env);
	if (q->remap != NULL) {
		struct remap remap = import_remap(q);

		remap_all(&remap, &d->arena, &d->env);
		archive_add(q->remap, &d->arena, &d->env);
	}
	r = take_loaded(q, d, &f, m);
	if (r == TAKEN)
		note_message_id(d, &f);
	queue_unload(&f);
	return r;
}

/* A .eml, which is read from its start. */
struct eml_file {
	struct eml_source src;
	int fd;
	off_t at;
};

static ssize_t
read_file(struct eml_source *s, char *p, size_t n)
{
	/* That is its first member. */
	struct eml_file *f = (struct eml_file *)(void *)s;
	ssize_t got = spool_read(f->fd, f->at, p, n);

	if (got > 0)
		f->at += got;
	return got;
}

static enum taken
take_eml(struct queue *q, struct dropped *d, struct queue_msg **m)
{
	struct eml_file f = { .src = { read_file, d->st.st_uid } };
	int drop = q->dirs[QUEUE_DROP];
	struct stat st;
	enum taken r;
	int fd = sys_openat(drop, d->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0) {
		d->why = "it may not be read";
		return judge(errno);
	}
	d->why = "it changed under our eyes";
	if (sys_fstat(fd, &st) < 0) {
		r = TAKE_ERROR;
	} else if (st.st_ino != d->st.st_ino || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1) {
		r = TAKE_BAD;
	} else {
		dropped_id(&d->st, d->env.id);
		set_facts(q, d, &d->env);
		dropped_note(&d->env, &d->arena, str_c(d->name));
		f.fd = fd;
		r = eml_take(q, &f.src, &d->env, &d->arena, m, &d->why);
	}
	sys_close(fd);
	return r;
}

/* 1: F has the text of M, octet for octet; 0: it has another; -1: errno. */
static int
same_text(const struct queue_file *f, struct queue_msg *m)
{
	char *p = mem_alloc(2 * SPOOL_CHUNK), *q = p + SPOOL_CHUNK;
	uint64_t done = 0;
	off_t at = 0;
	int fd = queue_show(m, &at), r = fd < 0 ? -1 : 1, e;

	while (r == 1 && done < f->size) {
		size_t n = f->size - done < SPOOL_CHUNK ? (size_t)(f->size - done) :
							  SPOOL_CHUNK;
		ssize_t a = spool_read(f->fd, f->text_at + (off_t)done, p, n);
		ssize_t b = spool_read(fd, at + (off_t)done, q, n);

		if (a < 0 || b < 0)
			r = -1;
		else if ((size_t)a != n || (size_t)b != n || memcmp(p, q, n) != 0)
			r = 0;
		done += n;
	}
	e = errno;
	if (fd >= 0)
		sys_close(fd);
	mem_free(p);
	errno = e;
	return r;
}

/* True if F has the time, the sender and the recipients of E, whatever else it has by now. */
static bool
is_of(const struct queue_file *f, const struct envelope *e)
{
	if (!str_eq(f->env.listener, STR(CONF_LISTEN_DROP)) ||
	    f->env.arrival_us != e->arrival_us || !path_eq(&f->env.from, &e->from) ||
	    f->env.rcpt_n < e->rcpt_n)
		return false;
	for (size_t i = 0; i < e->rcpt_n; i++)
		if (!path_eq(&f->env.rcpts[i].path, &e->rcpts[i].path))
			return false;
	return true;
}

/*
 * 1: F is M, made of E, and durable (who wrote it may have died before); -1: errno.
 * Its runner may have put others behind its recipients by now (queue_rewrite()).
 */
static int
compare(const struct queue_file *f, struct queue_msg *m, const struct envelope *e)
{
	int same = f->size == m->size && f->crc == m->crc;

	if (!same && f->size == m->size && is_of(f, e))
		same = same_text(f, m);
	if (same > 0)
		return sys_fsync(f->fd) == 0 ? 1 : -1;
	if (same == 0)
		errno = EEXIST;
	return -1;
}

/*
 * Whether a message with the id of M, made of E, is in the spool already: 1, the same,
 * and it is durable; 0, none; -1, errno: EEXIST is another message.  What a
 * power cut has left of an import that was never finished goes to bad/.
 */
static int
is_there(struct queue *q, struct queue_msg *m, const struct envelope *e)
{
	static const enum queue_place places[] = { QUEUE_NEW, QUEUE_CUR,
		QUEUE_HOLD, QUEUE_DEAD };
	const char *reason;
	struct queue_file f;
	struct arena a;
	int r = 0;

	arena_init(&a, ENVELOPE_ARENA);
	for (size_t i = 0; i < ARRAY_LEN(places) && r == 0; i++) {
		if (queue_load(q, places[i], m->id, true, &a, &f, &reason)
		    == 0) {
			r = compare(&f, m, e);
			queue_unload(&f);
		} else if (errno == EBADMSG) {
			r = queue_move(q, places[i], m->id, QUEUE_BAD);
		} else if (errno == ENOENT && reason != NULL) {
			/* An earlier import could not make it durable. */
			r = queue_remove(q, places[i], m->id);
		} else if (errno != ENOENT) {
			r = -1;
		}
		arena_reset(&a);
	}
	arena_free(&a);
	return r;
}

static void
put_away(struct queue *q, const struct dropped *d)
{
	char id[QUEUE_ID_SIZE];
	struct spool_name from = { .dir = q->dirs[QUEUE_DROP] };

	queue_id_new(id);
	if (sys_rename_new(from.dir, d->name, q->dirs[QUEUE_BAD], id) == 0)
		log_warn(id, "drop/%s of uid %lu is now bad/%s: %s", d->name,
		    (unsigned long)d->st.st_uid, id, d->why);
	else
		log_warn(NULL, "drop/%s of uid %lu stays there: %s", d->name,
		    (unsigned long)d->st.st_uid, d->why);
}

/* M becomes a message of the spool, and the file goes. */
static int
finish(struct import *im, const struct dropped *d, struct queue_msg *m)
{
	int drop = im->q->dirs[QUEUE_DROP], there = is_there(im->q, m, &d->env);
	char id[QUEUE_ID_SIZE];

	memcpy(id, m->id, sizeof(id));
	if (there != 0) {
		queue_abort(m);
		return there > 0 ? sys_unlinkat(drop, d->name) : -1;
	}
	if (queue_commit(m) < 0)
		return -1;
	if (sys_unlinkat(drop, d->name) < 0) {
		int e = errno;

		/*
		 * Else it would be taken, and sent, again and again.  If it
		 * is gone, whoever wrote it has thought better of it.
		 */
		if (queue_remove(im->q, QUEUE_NEW, id) < 0)
			log_error(id, "drop/%s cannot be removed: %s",
			    d->name, strerror(e));
		errno = e;
		return -1;
	}
	im->count++;
	/* The line by which log readers count it as received. */
	log_as("pickup", LOG_LEVEL_INFO, id, "uid=%lu",
	    (unsigned long)d->st.st_uid);
	if (d->message_id.n > 0)
		log_as("cleanup", LOG_LEVEL_INFO, id, "message-id=" STR_FMT,
		    STR_ARG(d->message_id));
	if (im->fn != NULL)
		im->fn(im->arg, id);
	return 0;
}

/* True if D's text should have come by now. */
static bool
is_late(const struct dropped *d)
{
	return clock_wall_us() - d->env.arrival_us > STORE_PATIENCE_US;
}

static void
note_wait(struct import *im, const struct dropped *d)
{
	if (im->waiting++ == 0)
		im->waits = arena_printf(&im->arena, "drop/%s of uid %lu: %s",
		    d->name, (unsigned long)d->st.st_uid, d->why);
}

static void
take(struct import *im, struct dropped *d)
{
	struct queue_msg *m = NULL;
	enum taken r;

	d->why = "it is not a plain file with one name";
	if (!S_ISREG(d->st.st_mode) || d->st.st_nlink != 1)
		r = TAKE_BAD;
	else if (dropped_is_eml(str_c(d->name)))
		r = take_eml(im->q, d, &m);
	else
		r = take_envelope(im->q, d, &m);
	if (r == TAKEN) {
		d->why = "its id is that of another message";
		if (finish(im, d, m) == 0)
			return;
		m = NULL;
		r = errno == EEXIST ? TAKE_BAD : TAKE_ERROR;
	}
	if (r == TAKE_ERROR)
		im->error = errno;
	queue_abort(m);
	if (r == TAKE_ABSENT && is_late(d))
		r = TAKE_BAD;
	if (r == TAKE_ABSENT || r == TAKE_NO_STORE)
		note_wait(im, d);
	if (r == TAKE_BAD)
		put_away(im->q, d);
}

/* True if the file's writer may not be done. */
static bool
is_young(const struct dropped *d)
{
	int64_t now = clock_wall(), t = d->st.st_mtim.tv_sec;

	return dropped_is_eml(str_c(d->name)) && t <= now && now - t < QUEUE_EML_AGE;
}

static bool
import_entry(void *arg, int dir, const struct dirent *e)
{
	struct import *im = arg;
	struct dropped d = { 0 };

	if (e == NULL)
		return false;
	d.name = e->d_name;
	if (!dropped_is_eml(str_c(d.name)) && !queue_id_valid(str_c(d.name)))
		return true;
	if (sys_fstatat(dir, d.name, &d.st) < 0 || is_young(&d))
		return true;
	arena_init(&d.arena, 2 * ENVELOPE_ARENA);
	take(im, &d);
	arena_free(&d.arena);
	/* The others would fare no better. */
	return im->error != ENOSPC && im->error != EDQUOT &&
	    im->error != EROFS && im->error != EMFILE && im->error != ENFILE;
}

void
queue_believe_settings(struct queue *q, const struct conf *c)
{
	q->settings = c;
}

void
queue_remap_by(struct queue *q, const struct conf *c)
{
	q->remap = c;
}

void
queue_complete_by(struct queue *q, const char *host)
{
	q->host = host;
}

void
queue_qualify_by(struct queue *q, const char *domain)
{
	q->domain = domain;
}

int
queue_import(struct queue *q, void (*fn)(void *arg, const char *id), void *arg)
{
	struct import im = { .q = q, .fn = fn, .arg = arg };
	int r;

	arena_init(&im.arena, WAIT_ARENA);
	r = spool_list(q->dirs[QUEUE_DROP], ".", import_entry, &im);
	if (im.waiting > 0)
		log_warn(NULL, "mail waits for the text that its key names: "
		    "%u, the first is %s", im.waiting, im.waits);
	arena_free(&im.arena);
	if (r < 0)
		return -1;
	if (im.error == 0 || im.count > 0)
		return im.count;
	errno = im.error;
	return -1;
}
