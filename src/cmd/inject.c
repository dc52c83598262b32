/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inject -- a message from a program of this host into the drop directory.
 *
 * Needs no daemon: what is left in drop/ waits there.  Lines may end with LF
 * or CRLF; the header is completed with what RFC 6409 8 lets a submission
 * agent add; Bcc is removed.  The runner takes it from there.
 */

#include "cmd.h"

#include <errno.h>
#include <pwd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/text.h"
#include "queue/settings.h"

#define READ_SIZE 65536
#define LINE_PIECE 8192

struct reading {
	const struct inject *in;
	struct arena arena;
	struct buf header;	/* as it will be stored, CRLF */
	struct buf rest;	/* body text, CRLF, not yet written */
	bool header_done;	/* a blank line, or a line that is no field */
	bool at_start;		/* nothing of the message was seen */
	bool line_open;		/* the beginning of the line under way is in REST already */
	bool cr;		/* the last octet was a CR */
	struct envelope_rcpt *rcpts;
	size_t rcpt_n, rcpt_size;
	bool resent;
	bool stored;		/* its text is not here */
	const char *error;
};

static int
complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "sendmail: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return code;
}

/* ---- recipients -------------------------------------------------------------- */

const char *
inject_address(const struct conf *c, struct str text, struct arena *a, struct path *p)
{
	unsigned flags = PATH_BARE | PATH_NO_ANGLE;
	const char *why;

	text = str_trim(text);
	/* What looks like an option is an attack on somebody's shell script. */
	if (text.n > 0 && text.p[0] == '-')
		return "an address may not begin with a dash";
	if (c->addresses == ADDRESSES_LOOSE)
		flags |= PATH_LOOSE;
	if ((why = path_parse_addr(text, flags, a, p)))
		return why;
	if (p->domain.n == 0)
		p->domain = str_c(c->domains.n > 0 ? c->domains.v[0] : c->hostname);
	return path_check(p);
}

static bool
add_rcpt(void *arg, struct str addr)
{
	struct reading *r = arg;
	struct path p;
	const char *why = inject_address(r->in->conf, addr, &r->arena, &p);

	if (why) {
		fprintf(stderr, "sendmail: " STR_FMT ": %s\n", STR_ARG(str_head(addr, 200)), why);
		r->error = "a recipient is no address";
		return false;
	}
	for (size_t i = 0; i < r->rcpt_n; i++)
		if (path_eq(&r->rcpts[i].path, &p))
			return true;
	if (r->rcpt_n == r->rcpt_size) {
		r->rcpt_size = r->rcpt_size ? r->rcpt_size * 2 : 16;
		r->rcpts = mem_grow(r->rcpts, r->rcpt_size, sizeof(*r->rcpts));
	}
	r->rcpts[r->rcpt_n++] = (struct envelope_rcpt){ .state = RCPT_QUEUED, .path = p,
		.notify = r->in->notify };
	return true;
}

static void
rcpts_of_arguments(struct reading *r)
{
	for (int i = 0; i < r->in->rcpt_n && !r->error; i++)
		if (!address_list(str_c(r->in->rcpts[i]), add_rcpt, r) && !r->error)
			r->error = "a recipient is no address";
}

static void
rcpts_of_header(struct reading *r)
{
	static const char *const names[2][3] = { { "To", "Cc", "Bcc" },
		{ "Resent-To", "Resent-Cc", "Resent-Bcc" } };
	struct str rest = buf_str(&r->header);
	struct field f;

	while (field_next(&rest, &f) == 1 && !r->error)
		for (size_t i = 0; i < 3; i++)
			if (str_ieq(f.name, str_c(names[r->resent][i])) &&
			    !address_list(f.value, add_rcpt, r) && !r->error)
				r->error = "a list of recipients in the header is broken";
}

/* ---- the header ---------------------------------------------------------------- */

static bool
has(const struct reading *r, const char *name)
{
	struct field f;

	return header_find(buf_str(&r->header), str_c(name), &f);
}

static void
add_from(const struct reading *r, struct buf *b)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *name = r->in->full_name;
	struct str gecos = { NULL, 0 }, more;
	struct buf line;

	if (!name && pw) {
		/* RFC-less custom: the first of the GECOS field's parts is the name. */
		str_cut(str_c(pw->pw_gecos), ',', &gecos, &more);
	} else {
		gecos = str_c(name);
	}
	buf_init(&line, 4096);
	if (path_is_null(&r->in->from)) {
		buf_adds(&line, "MAILER-DAEMON@");
		buf_adds(&line, r->in->conf->hostname);
	} else if (gecos.n > 0 && !str_has_ctl(gecos)) {
		phrase_add(&line, gecos);
		buf_adds(&line, " <");
		path_add(&line, &r->in->from);
		buf_addc(&line, '>');
	} else {
		path_add(&line, &r->in->from);
	}
	field_add(b, r->resent ? "Resent-From" : "From", buf_str(&line));
	buf_free(&line);
}

/* What stands above the user's own header. */
static void
prologue(const struct reading *r, const char *id, struct buf *b)
{
	const char *host = r->in->conf->hostname;
	int64_t now = clock_wall();

	buf_addf(b, "Received: by %s (barid, from userid %u)\r\n\tid %s; ", host,
	    (unsigned)getuid(), id);
	date_add(b, now);
	buf_adds(b, "\r\n");
	const char *prefix = r->resent ? "Resent-" : "";
	if (!has(r, r->resent ? "Resent-Date" : "Date")) {
		buf_addf(b, "%sDate: ", prefix);
		date_add(b, now);
		buf_adds(b, "\r\n");
	}
	if (!has(r, r->resent ? "Resent-Message-ID" : "Message-ID"))
		buf_addf(b, "%sMessage-ID: <%lld.%s@%s>\r\n", prefix, (long long)now, id, host);
	if (!has(r, r->resent ? "Resent-From" : "From"))
		add_from(r, b);
	if (!r->resent && !has(r, "To") && !has(r, "Cc"))
		buf_adds(b, "To: undisclosed-recipients:;\r\n");
}

/* RFC 8689 3, which anybody may say. */
static void
take_tls_wish(const struct reading *r, struct envelope *e)
{
	struct str rest = buf_str(&r->header);
	struct field f;

	while (field_next(&rest, &f) == 1)
		if (field_needs_no_tls(&f))
			e->tls_wish = TLS_WISH_NONE;
}

/* Fields of the header that say how the message is delivered, if we heed them. */
static bool
take_settings(struct reading *r, struct envelope *e)
{
	struct settings s;

	if (!r->in->conf->extract_headers)
		return true;
	settings_init(&s, r->in->conf, &r->arena, e->arrival_us);
	s.may_store = true;
	r->error = settings_take_all(&s, buf_str(&r->header));
	if (!r->error)
		r->error = settings_apply(&s, e);
	return !r->error;
}

/* The user's header without what must not leave: Bcc, Return-Path, settings. */
static void
own_header(const struct reading *r, struct buf *b)
{
	struct str rest = buf_str(&r->header);
	struct field f;

	while (field_next(&rest, &f) == 1)
		if (!str_ieq(f.name, STR("Bcc")) && !str_ieq(f.name, STR("Resent-Bcc")) &&
		    !str_ieq(f.name, STR("Return-Path")) &&
		    !(r->in->conf->extract_headers && settings_field(f.name)))
			buf_add(b, f.raw);
}

/* ---- reading --------------------------------------------------------------------- */

/* True if LINE, with its CRLF, may stand in a header: a field or its continuation. */
static bool
is_header_line(const struct reading *r, struct str line)
{
	struct field f;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return r->header.n > 0;
	return field_next(&line, &f) == 1;
}

static void
header_line(struct reading *r, struct str line)
{
	/* An mbox "From " line is no part of the message. */
	if (r->at_start && (str_starts(line, STR("From ")) || str_starts(line, STR(">From "))))
		return;
	if (str_eq(line, STR("\r\n"))) {
		r->header_done = true;
		return;
	}
	if (!is_header_line(r, line)) {
		/* No blank line: what we have is a body. */
		r->header_done = true;
		buf_add(&r->rest, line);
		return;
	}
	if (str_istarts(line, STR("Resent-")))
		r->resent = true;
	buf_add(&r->header, line);
	if (!buf_ok(&r->header))
		r->error = "the header is too large";
}

/*
 * One line without its line end.  False: it was the lone dot that ends the
 * message.
 */
static bool
take_line(struct reading *r, struct buf *line)
{
	if (!r->in->keep_dot && !r->line_open && str_eq(buf_str(line), STR(".")))
		return false;
	buf_adds(line, "\r\n");
	if (r->header_done)
		buf_add(&r->rest, buf_str(line));
	else
		header_line(r, buf_str(line));
	r->at_start = false;
	r->line_open = false;
	buf_reset(line);
	return true;
}

/* A line of a body may be of any length: what is long is not kept whole; a field may not. */
static void
long_line(struct reading *r, struct buf *line)
{
	if (!r->header_done && is_header_line(r, buf_str(line))) {
		if (line->n > MAIL_HEADER_MAX)
			r->error = "the header is too large";
		return;
	}
	r->header_done = true;
	r->line_open = true;
	buf_add(&r->rest, buf_str(line));
	buf_reset(line);
}

/* Splits a piece of input into lines: LF, CRLF and a bare CR end one. */
static bool
take_piece(struct reading *r, struct str piece, struct buf *line)
{
	for (size_t i = 0; i < piece.n && !r->error; i++) {
		char c = piece.p[i];
		bool after_cr = r->cr;
		r->cr = c == '\r';
		if (c == '\n' && after_cr)
			continue;
		if (c != '\n' && c != '\r') {
			buf_addc(line, c);
			if (line->n % LINE_PIECE == 0)
				long_line(r, line);
			continue;
		}
		if (!take_line(r, line))
			return false;
	}
	return true;
}

/* ---- writing ------------------------------------------------------------------------ */

static int
queue_problem(const char *what)
{
	int code = errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EAGAIN ||
	    errno == ENOMEM || errno == EMFILE || errno == ENFILE || errno == EROFS ? EX_TEMPFAIL
	    : errno == EACCES || errno == EPERM ? EX_NOPERM : EX_CANTCREAT;

	return complain(code, what, strerror(errno));
}

static void
fill_envelope(struct reading *r, struct envelope *e)
{
	const struct passwd *pw = getpwuid(getuid());

	*e = (struct envelope){ .from = r->in->from, .arrival_us = clock_wall_us(),
		.proto = STR("local"), .body = r->in->body, .ret = r->in->ret,
		.rcpts = r->rcpts, .rcpt_n = r->rcpt_n };
	queue_id_new(e->id);
	e->client = str_c(arena_printf(&r->arena, "local %s (%u)", pw ? pw->pw_name : "?",
	    (unsigned)getuid()));
	e->listener = STR(CONF_LISTEN_DROP);
	if (r->in->envid) {
		struct buf b;
		buf_init(&b, DSN_ENVID_MAX * 4);
		xtext_add(&b, str_c(r->in->envid));
		e->envid = arena_str(&r->arena, buf_str(&b));
		buf_free(&b);
	}
}

/* Writes the header. */
static int
write_beginning(struct reading *r, struct queue_msg *m, const char *id)
{
	struct buf b;

	buf_init(&b, MAIL_HEADER_MAX * 2);
	prologue(r, id, &b);
	own_header(r, &b);
	buf_adds(&b, "\r\n");
	int code = queue_write(m, buf_str(&b)) < 0 ? queue_problem("writing the message") : EX_OK;
	buf_free(&b);
	return code;
}

static int
flush_rest(struct reading *r, struct queue_msg *m)
{
	if (!buf_ok(&r->rest))
		return complain(EX_DATAERR, "a line is too long", NULL);
	if (r->stored) {
		bool blank = str_trim(buf_str(&r->rest)).n == 0;

		buf_reset(&r->rest);
		return blank ? EX_OK : complain(EX_DATAERR,
		    "the message has a key and a text of its own", NULL);
	}
	if (queue_size(m) + r->rest.n > r->in->conf->limits.message_size)
		return complain(EX_DATAERR, "the message is larger than limits.message-size", NULL);
	int code = queue_write(m, buf_str(&r->rest)) < 0 ? queue_problem("writing the message")
							 : EX_OK;
	buf_reset(&r->rest);
	return code;
}

/* Everything is known: recipients are settled, the message is begun. */
static int
begin(struct reading *r, struct queue *q, struct envelope *e, struct queue_msg **m)
{
	rcpts_of_arguments(r);
	if (r->in->extract)
		rcpts_of_header(r);
	if (r->error)
		return complain(EX_DATAERR, r->error, NULL);
	if (r->rcpt_n == 0)
		return complain(r->in->extract ? EX_DATAERR : EX_USAGE, "no recipients", NULL);
	fill_envelope(r, e);
	take_tls_wish(r, e);
	if (!take_settings(r, e))
		return complain(EX_DATAERR, r->error, NULL);
	if (!(*m = queue_begin(q, e, true)))
		return queue_problem("beginning the message");
	/* What stands elsewhere has a header of its own. */
	r->stored = e->key.n > 0;
	return r->stored ? EX_OK : write_beginning(r, *m, e->id);
}

static int
read_message(struct reading *r, struct queue *q, struct envelope *e, struct queue_msg **m)
{
	char piece[8192];
	struct buf line;
	ssize_t n = 0;
	bool more = true;
	int code = EX_OK;

	buf_init(&line, SMTP_TEXT_LINE_MAX * 16);
	while (more && code == EX_OK && (n = read(STDIN_FILENO, piece, sizeof(piece))) > 0) {
		more = take_piece(r, str_n(piece, (size_t)n), &line);
		if (r->error)
			code = complain(EX_DATAERR, r->error, NULL);
		if (code == EX_OK && r->header_done && !*m)
			code = begin(r, q, e, m);
		if (code == EX_OK && *m && r->rest.n > READ_SIZE)
			code = flush_rest(r, *m);
	}
	if (n < 0)
		code = complain(EX_IOERR, "reading standard input", strerror(errno));
	if (more && (line.n > 0 || r->line_open))
		(void)take_line(r, &line);
	buf_free(&line);
	if (code == EX_OK && !*m)
		code = begin(r, q, e, m);
	return code == EX_OK ? flush_rest(r, *m) : code;
}

int
inject(const struct inject *in)
{
	struct reading r = { .in = in, .at_start = true };
	struct envelope e = { .rcpt_n = 0 };
	struct queue_msg *m = NULL;
	struct buf error;
	int code;

	buf_init(&error, 1024);
	struct queue *q = queue_open(in->conf->spool, QUEUE_DROP_ONLY, (uid_t)-1, (gid_t)-1,
	    &error);
	if (!q) {
		code = complain(EX_TEMPFAIL, buf_cstr(&error), NULL);
		buf_free(&error);
		return code;
	}
	arena_init(&r.arena, 64u << 20);
	buf_init(&r.header, MAIL_HEADER_MAX);
	buf_init(&r.rest, SMTP_TEXT_LINE_MAX * 32);
	code = read_message(&r, q, &e, &m);
	if (code == EX_OK && queue_commit(m) < 0) {
		m = NULL;
		code = queue_problem("storing the message");
	} else if (code == EX_OK) {
		m = NULL;
		if (in->verbose)
			printf("queued as %s\n", e.id);
	}
	queue_abort(m);
	queue_close(q);
	mem_free(r.rcpts);
	buf_free(&r.rest);
	buf_free(&r.header);
	arena_free(&r.arena);
	buf_free(&error);
	return code;
}
