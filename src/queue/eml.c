/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * eml -- plain RFC 5322 text made a message of the spool.
 *
 * The envelope comes from the header: recipients from To, Cc and Bcc, the
 * sender from Return-Path, else Sender, else From.  Bcc and Return-Path are
 * left out; every other field and the body stay as they are, but that each
 * line ends with CRLF, whatever it ended with.  Text without a sender or a
 * recipient, or whose header is broken, is refused.
 *
 * Where the envelope is known already, the header says nothing of it, and is
 * only cleaned.
 */

#include <errno.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "queue/queue.h"
#include "queue/archive.h"
#include "queue/remap.h"
#include "queue/settings.h"

#include "spool.h"

#define EML_RCPT_MAX 1000
#define EML_FLAGS (PATH_BARE | PATH_UTF8)

/* Which field the sender was taken from: the lower, the better. */
enum sender_from { RETURN_PATH, SENDER, FROM, NOBODY };

struct eml {
	struct arena arena;
	struct buf head;	/* the header that is kept */
	struct buf out;		/* body, being written */
	struct path sender;
	struct str domain;	/* of an address that has none */
	enum sender_from sender_from;
	enum sender_from trying;
	struct envelope_rcpt *rcpts;
	size_t rcpt_n;
	const char *why;
	struct settings *settings;	/* of the message; NULL: it has none */
	bool known;		/* the envelope is, whatever stands here */
	bool no_tls;		/* TLS-Required: No */
	bool has_date, has_message_id;
	bool cr;		/* the octet before was a CR */
	bool line_start;
};

/* Adds S to B with each CR, LF and CRLF as CRLF. */
static void
add_crlf(struct eml *e, struct buf *b, struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c != '\r' && c != '\n')
			continue;
		buf_add(b, str_n(s.p + from, i - from));
		/* The CR before has brought its line end already. */
		if (c == '\r' || i > from || !e->cr)
			buf_add(b, STR("\r\n"));
		e->cr = c == '\r';
		from = i + 1;
	}
	if (s.n == 0)
		return;
	buf_add(b, str_n(s.p + from, s.n - from));
	e->line_start = from == s.n;
	if (!e->line_start)
		e->cr = false;
}

static void
qualify(const struct eml *e, struct path *p)
{
	if (p->domain.n == 0 && !path_is_null(p))
		p->domain = e->domain;
}

static bool
take_rcpt(void *arg, struct str addr)
{
	struct eml *e = arg;
	struct envelope_rcpt r = { .state = RCPT_QUEUED };

	e->why = path_parse_addr(addr, EML_FLAGS, &e->arena, &r.path);
	qualify(e, &r.path);
	for (size_t i = 0; i < e->rcpt_n && e->why == NULL; i++)
		if (path_eq(&e->rcpts[i].path, &r.path))
			return true;
	if (e->why == NULL && e->rcpt_n == EML_RCPT_MAX)
		e->why = "it has too many recipients";
	if (e->why != NULL)
		return false;
	e->rcpts[e->rcpt_n++] = r;
	return true;
}

static bool
take_sender(void *arg, struct str addr)
{
	struct eml *e = arg;

	if (path_parse_addr(addr, EML_FLAGS, &e->arena, &e->sender) == NULL)
		e->sender_from = e->trying;
	qualify(e, &e->sender);
	return false;	/* the first one is it */
}

static void
take_return_path(struct eml *e, struct str value)
{
	if (path_parse(value, EML_FLAGS | PATH_NULL | PATH_NO_ANGLE, &e->arena,
	    &e->sender, NULL) == NULL)
		e->sender_from = RETURN_PATH;
	qualify(e, &e->sender);
}

/* A CR that would become the start of another field. */
static bool
has_bare_cr(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return true;
	return false;
}

/* Looks at one field; true if it is kept. */
static bool
take_field(struct eml *e, const struct field *f)
{
	bool bcc = str_ieq(f->name, STR("Bcc"));
	struct str value;

	e->has_date = e->has_date || str_ieq(f->name, STR("Date"));
	e->has_message_id = e->has_message_id || str_ieq(f->name, STR("Message-ID"));
	e->no_tls = e->no_tls || field_needs_no_tls(f);
	if (e->settings != NULL && settings_field(f->name)) {
		if (!e->known)
			e->why = settings_take(e->settings, f);
		return false;
	}
	if (e->known)
		return !bcc && !str_ieq(f->name, STR("Return-Path"));
	if (bcc || str_ieq(f->name, STR("To")) ||
	    str_ieq(f->name, STR("Cc"))) {
		value = field_unfold(&e->arena, f);
		if (value.n > 0 && !address_list(value, take_rcpt, e) &&
		    e->why == NULL)
			e->why = "a list of recipients is broken";
		return !bcc;
	}
	if (str_ieq(f->name, STR("Return-Path"))) {
		if (e->sender_from > RETURN_PATH)
			take_return_path(e, field_unfold(&e->arena, f));
		return false;
	}
	e->trying = str_ieq(f->name, STR("Sender")) ? SENDER
	    : str_ieq(f->name, STR("From")) ? FROM : NOBODY;
	if (e->trying < e->sender_from)
		(void)address_list(field_unfold(&e->arena, f), take_sender, e);
	return true;
}

/* What it has to have (RFC 5322 3.6), and should; the same whenever the file is taken. */
static void
complete(struct eml *e, const char *host, const struct envelope *env)
{
	if (!e->has_date) {
		buf_adds(&e->head, "Date: ");
		date_add(&e->head, env->arrival_us / 1000000);
		buf_adds(&e->head, "\r\n");
	}
	if (!e->has_message_id)
		buf_addf(&e->head, "Message-ID: <%s@%s>\r\n", env->id, host);
}

/*
 * Reads the header at the start of TEXT; what is left is the body.  With a HOST
 * it gets what it lacks.
 */
static const char *
take_header(struct eml *e, const char *host, const struct envelope *env, struct str *text)
{
	struct str line;
	struct field f;
	int r;

	/* A mailbox file's first line is no part of the message. */
	if (str_starts(*text, STR("From ")))
		str_cut(*text, '\n', &line, text);
	while ((r = field_next(text, &f)) > 0) {
		if (has_bare_cr(f.raw))
			return "its header holds a bare CR";
		if (take_field(e, &f))
			add_crlf(e, &e->head, f.raw);
		if (e->why != NULL)
			return e->why;
	}
	if (r < 0)
		return "its header is broken";
	if (!e->known && e->rcpt_n == 0)
		return "it has no recipient";
	if (!e->known && e->sender_from == NOBODY)
		return "it has no sender";
	if (e->head.n > 0 && !e->line_start)
		buf_add(&e->head, STR("\r\n"));
	if (host != NULL)
		complete(e, host, env);
	buf_add(&e->head, STR("\r\n"));
	e->cr = false;
	e->line_start = true;
	return buf_ok(&e->head) ? NULL : "its header is too large";
}

static int
put_body(struct eml *e, struct queue_msg *m, struct str text)
{
	buf_reset(&e->out);
	add_crlf(e, &e->out, text);
	return queue_write(m, buf_str(&e->out));
}

/* Copies header and body: BODY is the part of SRC that was read. */
static enum taken
write_text(struct eml *e, struct queue_msg *m, struct str body,
    struct eml_source *src)
{
	char *p = mem_alloc(SPOOL_CHUNK);
	ssize_t got = 0;
	int r = queue_write(m, buf_str(&e->head));

	while (r == 0 && body.n > 0) {
		r = put_body(e, m, str_head(body, SPOOL_CHUNK));
		body = str_skip(body, SPOOL_CHUNK);
	}
	while (r == 0 && (got = src->read(src, p, SPOOL_CHUNK)) > 0)
		r = put_body(e, m, str_n(p, (size_t)got));
	if (r == 0 && got == 0 && !e->line_start)
		r = queue_write(m, STR("\r\n"));
	mem_free(p);
	return got >= 0 && r == 0 ? TAKEN : TAKE_ERROR;
}

static bool
is_utf8_needed(const struct eml *e)
{
	bool utf8 = str_has_8bit(e->sender.local) ||
	    str_has_8bit(e->sender.domain);

	for (size_t i = 0; i < e->rcpt_n; i++)
		utf8 = utf8 || str_has_8bit(e->rcpts[i].path.local) ||
		    str_has_8bit(e->rcpts[i].path.domain);
	return utf8;
}

/* Addresses become others in the header; false: they take too much room. */
static bool
remap_head(struct eml *e, const struct queue *q)
{
	struct remap r = import_remap(q);
	struct buf out;
	bool fine = true;
	size_t was;

	if (q->remap == NULL)
		return true;
	buf_init(&out, e->head.max);
	was = remap_header(&r, buf_str(&e->head), &out);
	if (was > 0) {
		buf_add(&out, str_skip(buf_str(&e->head), was));
		fine = buf_ok(&out);
		buf_free(&e->head);
		e->head = out;
	} else {
		buf_free(&out);
	}
	return fine;
}

/* The envelope as the header has it, into FULL. */
static const char *
make_envelope(struct eml *e, const struct queue *q, struct envelope *full)
{
	struct remap r = import_remap(q);

	full->from = e->sender;
	full->rcpts = e->rcpts;
	full->rcpt_n = e->rcpt_n;
	if (q->remap != NULL) {
		remap_all(&r, &e->arena, full);
		archive_add(q->remap, &e->arena, full);
	}
	full->smtputf8 = is_utf8_needed(e);
	full->tls_wish = TLS_UNSAID;
	return e->settings != NULL ? settings_apply(e->settings, full) : NULL;
}

static enum taken
take_text(struct eml *e, struct queue *q, struct eml_source *src,
    const struct envelope *env, struct arena *a, char *start,
    struct queue_msg **m)
{
	ssize_t got = src->read(src, start, MAIL_HEADER_MAX);
	struct envelope full = *env;
	struct str body;

	if (got < 0)
		return TAKE_ERROR;
	body = str_n(start, (size_t)got);
	e->why = take_header(e, q->host, env, &body);
	if (e->why == NULL && body.n == 0 && got == MAIL_HEADER_MAX)
		e->why = "its header is too large";
	if (e->why == NULL && !e->known)
		e->why = make_envelope(e, q, &full);
	if (e->why == NULL)
		e->why = import_keys(q, &full, a);
	if (e->why == NULL && !remap_head(e, q))
		e->why = "its header is too large";
	if (e->why == NULL && full.key.n > 0 && str_trim(body).n > 0)
		e->why = STORED_BESIDE;
	if (e->why != NULL)
		return TAKE_BAD;
	if (e->no_tls)
		full.tls_wish = TLS_WISH_NONE;
	if (full.key.n > 0)
		return stored_take(q, src->uid, &full, a, m, &e->why);
	e->why = "its envelope cannot be kept";
	if ((*m = queue_begin(q, &full, false)) == NULL)
		return TAKE_BAD;
	queue_msg_again(*m, IMPORT_PREFIX);
	return write_text(e, *m, body, src);
}

enum taken
eml_take(struct queue *q, struct eml_source *src, const struct envelope *env,
    struct arena *a, struct queue_msg **m, const char **why)
{
	struct eml e = { .sender_from = NOBODY, .line_start = true,
		.known = env->rcpt_n > 0, .domain = str_c(q->domain) };
	struct settings settings;
	char *start = mem_alloc(MAIL_HEADER_MAX);
	enum taken r;

	/* Unfolded values and addresses: a few times the header at most. */
	arena_init(&e.arena, 64 * MAIL_HEADER_MAX);
	buf_init(&e.head, 2 * MAIL_HEADER_MAX);
	buf_init(&e.out, 2 * SPOOL_CHUNK);
	e.rcpts = mem_array(EML_RCPT_MAX, sizeof(*e.rcpts));
	settings_init(&settings, q->settings, a, clock_wall_us());
	settings.may_store = true;
	if (q->settings != NULL)
		e.settings = &settings;
	r = take_text(&e, q, src, env, a, start, m);
	*why = e.why;
	mem_free(e.rcpts);
	buf_free(&e.out);
	buf_free(&e.head);
	arena_free(&e.arena);
	mem_free(start);
	return r;
}
