/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * list_copy -- writes what the members of a mailing list get.
 *
 * Each some thousand of them have a message of their own, which remembers who
 * of them is done.  Its id follows from the message that came and the place of
 * the members in their file: an attempt that a crash cut off is found in the
 * spool, and nobody gets the message from both: none of them is sent before the
 * spool knows that the other was dealt with (list_waits()).  It is of the sender of the
 * list, so that reports come to who keeps that.
 */

#include <errno.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "list.h"
#include "mail/date.h"
#include "mail/list.h"
#include "queue/id.h"
#include "runner.h"

#define BODY_PIECE 65536
/* What the configuration may add to a header. */
#define LIST_FIELDS_MAX ((size_t)1 << 20)
#define COPY_ARENA ((size_t)16 << 20)
/* What an envelope keeps of whose copy it is. */
#define OF_KEY "copy-of"
#define ORIGIN_SIZE (QUEUE_ID_SIZE + 50)

/* One message of the list. */
struct chunk {
	struct list_copy *copy;
	size_t number;
	struct arena *arena;
	struct envelope env;
	struct envelope_extra of;
	char origin[ORIGIN_SIZE];	/* ID/RCPT/NUMBER of what it is made of */
	struct buf *header;	/* of the message that came */
};

/* ---- ids ---------------------------------------------------------------- */

static void
set_origin(struct chunk *k)
{
	struct buf b;

	buf_init_in(&b, k->origin, sizeof(k->origin));
	buf_addf(&b, "%s/%zu/%zu", k->copy->job->id, k->copy->rcpt, k->number);
	k->of = (struct envelope_extra){ STR(OF_KEY), buf_str(&b) };
}

/* The time of what came, and digits that change with the chunk. */
static void
set_id(struct chunk *k)
{
	static const char digits[] = "0123456789ABCDEF";
	uint32_t sum = crc32c(0, k->origin, strlen(k->origin));

	memcpy(k->env.id, k->copy->job->id, QUEUE_ID_SIZE);
	for (size_t i = QUEUE_ID_TIME_DIGITS; i < QUEUE_ID_LEN; i++, sum >>= 4)
		k->env.id[i] = digits[sum & 15];
}

/* Where a message of the spool may be that is not over. */
static const enum queue_place places[] = { QUEUE_NEW, QUEUE_CUR, QUEUE_HOLD };

/* 1: it is in the spool; 0: it is not, or its id is another's; -1: errno. */
static int
is_there(const struct chunk *k)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct queue_file f;
		const char *reason;
		struct arena a;
		bool is = false;
		int r;

		arena_init(&a, ENVELOPE_ARENA);
		r = queue_load(k->copy->job->r->queue, places[i], k->env.id,
		    true, &a, &f, &reason);
		for (size_t n = 0; r == 0 && n < f.env.extra_n; n++)
			is = is || (str_eq(f.env.extras[n].key, k->of.key) &&
			    str_eq(f.env.extras[n].value, k->of.value));
		if (r == 0)
			queue_unload(&f);
		arena_free(&a);
		if (is)
			return 1;
		if (r < 0 && errno != ENOENT && errno != EBADMSG)
			return -1;
	}
	return 0;
}

/* The state of recipient RCPT of message ID, which is in the spool; or DONE. */
static enum rcpt_state
state_of(const struct runner *r, const char *id, uint64_t rcpt)
{
	enum rcpt_state state = RCPT_DONE;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct queue_file f;
		const char *reason;
		struct arena a;

		arena_init(&a, ENVELOPE_ARENA);
		if (queue_load(r->queue, places[i], id, false, &a, &f,
			&reason) == 0) {
			if (rcpt < f.env.rcpt_n)
				state = f.env.rcpts[rcpt].state;
			queue_unload(&f);
		}
		arena_free(&a);
	}
	return state;
}

bool
list_waits(const struct job *j)
{
	const struct envelope *e = &j->file.env;
	struct str id, rcpt, number;
	char of[QUEUE_ID_SIZE];
	uint64_t n;

	for (size_t i = 0; i < e->extra_n; i++) {
		if (!str_eq(e->extras[i].key, STR(OF_KEY)))
			continue;
		str_cut(e->extras[i].value, '/', &id, &rcpt);
		str_cut(rcpt, '/', &rcpt, &number);
		if (!queue_id_valid(id) ||
		    str_u64(rcpt, ENVELOPE_RCPT_MAX, &n) < 0)
			return false;
		memcpy(of, id.p, id.n);
		of[id.n] = '\0';
		return state_of(j->r, of, n) == RCPT_QUEUED;
	}
	return false;
}

/* ---- the text ----------------------------------------------------------- */

static void
received_add(const struct chunk *k, struct buf *b)
{
	const struct conf *c = k->copy->job->r->conf;

	buf_addf(b, "Received: by %s (barid, list %s) id %s\r\n\tof %s;\r\n\t",
	    c->hostname, k->copy->list->name, k->env.id, k->copy->job->id);
	date_add(b, clock_wall());
	buf_adds(b, "\r\n");
}

/* The body, which begins at FROM of the text, as it is. */
static int
write_body(const struct chunk *k, struct queue_msg *m, uint64_t from)
{
	const struct queue_file *f = &k->copy->job->file;
	char piece[BODY_PIECE];

	while (from < f->size) {
		uint64_t left = f->size - from;
		size_t n = left < sizeof(piece) ? (size_t)left : sizeof(piece);
		ssize_t got = pread(f->fd, piece, n, f->text_at + (off_t)from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return -1;
		}
		if (queue_write(m, str_n(piece, (size_t)got)) < 0)
			return -1;
		from += (uint64_t)got;
	}
	return 0;
}

static int
write_text(const struct chunk *k, struct queue_msg *m)
{
	const struct conf_list *l = k->copy->list;
	struct list_form form = { .name = str_c(l->name), .id = str_c(l->id),
		.address = str_c(l->address),
		.prefix = str_c(l->subject_prefix),
		.fields = l->headers.v, .field_n = l->headers.n,
		.reply_to_list = l->reply_to_list,
		.from_list = k->copy->from_list };
	struct buf out, received;
	size_t body;
	int r = -1;

	buf_init(&received, 4096);
	buf_init(&out, 4 * LIST_HEADER_MAX + LIST_FIELDS_MAX);
	received_add(k, &received);
	form.received = buf_str(&received);
	body = list_header_add(&out, buf_str(k->header), &form);
	if (!buf_ok(&out))
		errno = EMSGSIZE;
	else if (queue_write(m, buf_str(&out)) == 0)
		r = write_body(k, m, body);
	buf_free(&out);
	buf_free(&received);
	return r;
}

/* ---- the message -------------------------------------------------------- */

static void
set_envelope(struct chunk *k, struct path from)
{
	const struct envelope *o = &k->copy->job->file.env;

	k->env = (struct envelope){ .from = from,
		.arrival_us = clock_wall_us(),
		.client = STR("barid"),
		.proto = STR(LIST_PROTO),
		.ours = true,
		.body = o->body,
		.smtputf8 = o->smtputf8,
		.ret = RET_HDRS,
		.tls_wish = o->tls_wish,
		.priority = o->priority,
		.checks = o->checks,
		.extras = &k->of,
		.extra_n = 1 };
}

/* Those of the members who are this chunk's turn, from *AT on. */
static void
add_members(struct chunk *k, size_t *at)
{
	const struct members *m = k->copy->members;
	struct envelope_rcpt *v = arena_alloc(k->arena,
	    LIST_CHUNK * sizeof(*v));
	size_t octets = 0;

	k->env.rcpts = v;
	for (; *at < members_count(m) && k->env.rcpt_n < LIST_CHUNK &&
	    octets < ENVELOPE_MAX / 2; ++*at) {
		const struct member *member = members_at(m, *at);

		if (member->no_mail)
			continue;
		octets += member->path.local.n + member->path.domain.n + 64;
		/* A delay is nothing that a list can do anything about. */
		v[k->env.rcpt_n++] = (struct envelope_rcpt){
			.state = RCPT_QUEUED, .path = member->path,
			.notify = NOTIFY_FAILURE };
	}
}

static int
write_message(const struct chunk *k)
{
	struct queue_msg *m = queue_begin(k->copy->job->r->queue, &k->env,
	    false);

	if (m == NULL)
		return -1;
	if (write_text(k, m) == 0)
		return queue_commit(m);
	queue_abort(m);
	return -1;
}

static int
write_chunk(struct chunk *k)
{
	int there;

	set_origin(k);
	set_id(k);
	there = is_there(k);
	if (there != 0)
		return there < 0 ? -1 : 0;
	if (write_message(k) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	/* An orphan in tmp/ has the name, or another message. */
	queue_id_new(k->env.id);
	return write_message(k);
}

int
list_copy(struct list_copy *c)
{
	struct arena a, each;
	struct buf header;
	struct path from;
	size_t at = 0;
	int r = 0;

	buf_init(&header, LIST_HEADER_MAX);
	arena_init(&a, 65536);
	arena_init(&each, COPY_ARENA);
	if (path_parse_addr(str_c(c->list->return_path), PATH_UTF8, &a,
		&from) != NULL)
		panic("list %s: its return-path was an address", c->list->name);
	r = queue_read(&c->job->file, LIST_HEADER_MAX, &header);
	while (r == 0 && at < members_count(c->members) &&
	    c->n < LIST_CHUNKS_MAX) {
		struct chunk k = { .copy = c, .number = c->n, .arena = &each,
			.header = &header };

		set_envelope(&k, from);
		add_members(&k, &at);
		if (k.env.rcpt_n == 0)
			break;
		r = write_chunk(&k);
		memcpy(c->ids[c->n], k.env.id, QUEUE_ID_SIZE);
		c->n += r == 0;
		c->to += k.env.rcpt_n;
		arena_reset(&each);
	}
	arena_free(&each);
	arena_free(&a);
	buf_free(&header);
	return r;
}
