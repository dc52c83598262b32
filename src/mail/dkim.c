/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim -- what of a message is signed, and the field that says so.
 *
 * The header is kept, with its line ends as they leave, and the body digested
 * as it comes.  The forms should be "relaxed" (RFC 6376 3.4.2, 3.4.4): what relays
 * do to white space must not break a signature.
 *
 * A field that stands in "h=" once more than in the message must not be added
 * later (RFC 6376 5.4.2, 8.15): so it is for what readers see or answer to.
 * What relays add where it lacks (RFC 6409 8) is guarded so only where it is.
 */

#include "mail/dkim.h"

#include "grammar.h"
#include "lib/mem.h"
#include "mail/dkim_body.h"
#include "mail/dkim_form.h"
#include "mail/header.h"
#include "mail/path.h"
#include "mail/limits.h"
#include "mail/text.h"

/* RFC 5322 2.1.1. */
#define LINE_AT 76
/* A domain in UTF-8 may become longer; one that is this long is none. */
#define DOMAIN_FORM_MAX 1024
/* Of an address, to be read. */
#define ADDRESS_ARENA 65536

struct dkim_text {
	struct buf header;	/* without the blank line */
	size_t line;		/* octets of the line so far */
	bool cr;		/* of the header, like that of the body */
	bool in_body;
	bool stray;		/* a CR or LF in the header is text */
	bool any_end;
	struct hashed {
		struct dkim_body body;
		struct sha256 *hash;
		unsigned char digest[SHA256_SIZE];
	} forms[2];		/* of the body: relaxed, and simple */
	size_t form_n;
	struct buf domain, local;	/* of From */
};

/* IN_CHAIN: in an ARC-Message-Signature, where it is (RFC 8617 4.1.2). */
enum guard { IF_THERE, MORE_IF_THERE, MORE, IN_CHAIN };

static const struct {
	const char *name;
	enum guard guard;
} signed_fields[] = {
	{ "From", MORE },
	{ "To", MORE },
	{ "Cc", MORE },
	{ "Subject", MORE },
	{ "Reply-To", MORE },
	{ "In-Reply-To", MORE },
	{ "References", MORE },
	{ "Date", MORE_IF_THERE },
	{ "Message-ID", MORE_IF_THERE },
	{ "MIME-Version", MORE_IF_THERE },
	{ "Content-Type", MORE_IF_THERE },
	{ "Content-Transfer-Encoding", MORE_IF_THERE },
	{ "Sender", IF_THERE },
	{ "Content-Disposition", IF_THERE },
	{ "Content-ID", IF_THERE },
	{ "Content-Description", IF_THERE },
	{ "Resent-From", IF_THERE },
	{ "Resent-Sender", IF_THERE },
	{ "Resent-To", IF_THERE },
	{ "Resent-Cc", IF_THERE },
	{ "Resent-Date", IF_THERE },
	{ "Resent-Message-ID", IF_THERE },
	{ "List-Id", IF_THERE },
	{ "List-Help", IF_THERE },
	{ "List-Unsubscribe", IF_THERE },
	{ "List-Unsubscribe-Post", IF_THERE },
	{ "List-Subscribe", IF_THERE },
	{ "List-Post", IF_THERE },
	{ "List-Owner", IF_THERE },
	{ "List-Archive", IF_THERE },
	{ "DKIM-Signature", IN_CHAIN },
};

/* ---- reading ------------------------------------------------------------ */

static void
add_digest(void *arg, struct str piece)
{
	sha256_add(arg, piece);
}

struct dkim_text *
dkim_text_new(bool exact, bool simple)
{
	struct dkim_text *t = mem_alloc(sizeof(*t));

	t->any_end = !exact;
	t->form_n = simple ? 2 : 1;
	for (size_t i = 0; i < t->form_n; i++) {
		t->forms[i].hash = sha256_new();
		t->forms[i].body = (struct dkim_body){ .out = add_digest,
			.arg = t->forms[i].hash, .any_end = !exact, .simple = i == 1 };
	}
	/* Its own line ends may be more than there were. */
	buf_init(&t->header, 2 * MAIL_HEADER_MAX);
	buf_init(&t->domain, DOMAIN_FORM_MAX);
	buf_init(&t->local, DOMAIN_FORM_MAX);
	return t;
}

void
dkim_text_free(struct dkim_text *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->form_n; i++)
		sha256_free(t->forms[i].hash);
	buf_free(&t->header);
	buf_free(&t->domain);
	buf_free(&t->local);
	mem_free(t);
}

static void
end_line(struct dkim_text *t)
{
	if (t->line == 0) {
		t->in_body = true;
		return;
	}
	buf_add(&t->header, STR("\r\n"));
	t->line = 0;
}

/* A CR or LF without the other. */
static void
alone(struct dkim_text *t)
{
	if (t->any_end) {
		end_line(t);
		return;
	}
	t->stray = true;
	t->line++;
}

/* Takes of PIECE what belongs to the header; what is left is of the body. */
static struct str
take_header(struct dkim_text *t, struct str piece)
{
	size_t i = 0;

	while (i < piece.n && !t->in_body) {
		char c = piece.p[i];

		if (t->cr) {
			t->cr = false;
			if (c == '\n') {
				end_line(t);
				i++;
			} else {
				alone(t);
			}
			continue;
		}
		i++;
		if (c == '\r') {
			t->cr = true;
		} else if (c == '\n') {
			alone(t);
		} else {
			buf_addc(&t->header, c);
			t->line++;
		}
	}
	return str_skip(piece, i);
}

void
dkim_text_add(struct dkim_text *t, struct str piece)
{
	if (!t->in_body)
		piece = take_header(t, piece);
	for (size_t i = 0; t->in_body && i < t->form_n; i++)
		dkim_body_add(&t->forms[i].body, piece);
}

static bool
take_address(void *arg, struct str addr)
{
	struct dkim_text *t = arg;
	struct arena a;
	struct path p;

	(void)!address_domain(&t->domain, addr);
	arena_init(&a, ADDRESS_ARENA);
	if (addr.n <= DOMAIN_FORM_MAX &&
	    path_parse_addr(addr, PATH_UTF8 | PATH_LOOSE, &a, &p) == NULL)
		buf_add(&t->local, p.local);
	arena_free(&a);
	/* The first counts. */
	return false;
}

/* NULL, or why it is no header that could be signed. */
static const char *
check_header(struct dkim_text *t)
{
	struct str rest = buf_str(&t->header);
	struct field f, from = { .name = STR("") };
	unsigned n = 0;
	int r;

	while ((r = field_next(&rest, &f)) == 1) {
		if (str_ieq(f.name, STR("From"))) {
			from = f;
			n++;
		}
	}
	if (r < 0)
		return "a line of its header is no field";
	if (n != 1)
		return n == 0 ? "it has no From" : "it has more than one From";
	(void)address_list(from.value, take_address, t);
	return t->domain.n > 0 && buf_ok(&t->domain) ?
	    NULL : "its From has no address with a domain";
}

const char *
dkim_text_end(struct dkim_text *t)
{
	if (t->cr)
		alone(t);
	if (!t->in_body && t->line > 0)
		end_line(t);
	for (size_t i = 0; i < t->form_n; i++) {
		dkim_body_end(&t->forms[i].body);
		if (sha256_end(t->forms[i].hash, t->forms[i].digest) < 0)
			return "no digest of it can be made";
	}
	if (!buf_ok(&t->header) || t->header.n > MAIL_HEADER_MAX)
		return "its header is too large";
	if (t->stray)
		return "its header has a CR or LF alone";
	return check_header(t);
}

struct str
dkim_text_domain(const struct dkim_text *t)
{
	return buf_str(&t->domain);
}

struct str
dkim_text_local(const struct dkim_text *t)
{
	return buf_str(&t->local);
}

struct str
dkim_text_header(const struct dkim_text *t)
{
	return buf_str(&t->header);
}

/* ---- the field ---------------------------------------------------------- */

/* Adds the fields of that name from the last to the first (RFC 6376 5.4.2). */
static size_t
add_fields(struct buf *b, const struct field *fields, size_t n, struct str name, bool relaxed)
{
	size_t found = 0;

	for (size_t i = n; i-- > 0;) {
		if (!str_ieq(fields[i].name, name))
			continue;
		dkim_form_add(b, &fields[i], relaxed);
		found++;
	}
	return found;
}

/* A name in "h=", folded where the line is full. */
static void
add_name(struct buf *b, size_t *line, struct str name)
{
	bool first = str_ends(buf_str(b), STR("h="));

	if (!first) {
		buf_addc(b, ':');
		*line += 1;
	}
	if (*line + name.n + 1 > LINE_AT) {
		buf_add(b, STR("\r\n\t"));
		*line = 1;
	}
	buf_add(b, name);
	*line += name.n;
}

/* True if S has NAME among its other fields before number N, or it is signed in any case. */
static bool
is_signed_already(const struct dkim_signer *s, size_t n, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(signed_fields); i++)
		if (str_ieq(name, str_c(signed_fields[i].name)))
			return true;
	for (size_t i = 0; i < n; i++)
		if (str_ieq(name, s->more[i]))
			return true;
	return false;
}

/* Writes "h=", and what is signed of the header into SIGNED_. */
static void
add_names(struct buf *field, struct buf *text, struct str header, const struct dkim_signer *s)
{
	size_t n = 0, line = 3, found;
	struct field *fields, f;

	for (struct str rest = header; field_next(&rest, &f) == 1;)
		n++;
	fields = mem_array(n + 1, sizeof(*fields));
	n = 0;
	for (struct str rest = header; field_next(&rest, &f) == 1;)
		fields[n++] = f;
	buf_add(field, STR("\th="));
	for (size_t i = 0; i < ARRAY_LEN(signed_fields); i++) {
		struct str name = str_c(signed_fields[i].name);
		enum guard guard = signed_fields[i].guard;

		if (guard == IN_CHAIN && s->instance == 0)
			continue;
		found = add_fields(text, fields, n, name, !s->simple_header);
		if (guard == MORE || (guard == MORE_IF_THERE && found > 0))
			found++;
		for (; found > 0; found--)
			add_name(field, &line, name);
	}
	for (size_t i = 0; i < s->more_n; i++) {
		if (is_signed_already(s, i, s->more[i]))
			continue;
		found = add_fields(text, fields, n, s->more[i], !s->simple_header);
		for (; found > 0; found--)
			add_name(field, &line, s->more[i]);
	}
	buf_add(field, STR(";\r\n"));
	mem_free(fields);
}

static const char *
form_name(bool simple)
{
	return simple ? "simple" : "relaxed";
}

/* The field up to the names in "h=". */
static void
add_tags(struct buf *field, const struct dkim_signer *s)
{
	if (s->instance > 0)
		buf_addf(field, "ARC-Message-Signature: i=%u;", s->instance);
	else
		buf_adds(field, "DKIM-Signature: v=1;");
	buf_addf(field, " a=%s; c=%s/%s;\r\n\td=" STR_FMT ";\r\n\ts=" STR_FMT "; t=%lld;",
	    s->algorithm, form_name(s->simple_header), form_name(s->simple_body),
	    STR_ARG(s->domain), STR_ARG(s->selector), (long long)s->now);
	if (s->expires > 0)
		buf_addf(field, " x=%lld;", (long long)s->expires);
	if (s->reports)
		buf_adds(field, " r=y;");
	buf_adds(field, "\r\n");
}

int
dkim_field_begin(const struct dkim_text *t, const struct dkim_signer *s,
    struct buf *field, unsigned char digest[SHA256_SIZE])
{
	const struct hashed *form = &t->forms[s->simple_body ? 1 : 0];
	struct str rest;
	struct field self;
	struct buf text;
	int rc = -1;

	if (s->simple_body && t->form_n < 2)
		return -1;
	/* Relaxed is not longer, but for line ends of folded lines. */
	buf_init(&text, 2 * MAIL_HEADER_MAX + DKIM_FIELD_MAX);
	add_tags(field, s);
	add_names(field, &text, buf_str(&t->header), s);
	buf_add(field, STR("\tbh="));
	base64_add(field, str_n((const char *)form->digest, sizeof(form->digest)));
	buf_add(field, STR(";\r\n\tb="));
	/* RFC 6376 3.7: itself, with an empty "b=" and without a line end. */
	rest = buf_str(field);
	if (buf_ok(field) && field_next(&rest, &self) == 1) {
		dkim_form_add_own(&text, &self, STR(""), !s->simple_header);
		if (buf_ok(&text))
			rc = sha256(buf_str(&text), digest);
	}
	buf_free(&text);
	return rc;
}

void
dkim_field_end(struct buf *field, struct str signature)
{
	struct str rest;
	struct buf b;

	buf_init(&b, DKIM_FIELD_MAX);
	base64_add(&b, signature);
	if (!buf_ok(&b))
		field->err = true;
	for (rest = buf_str(&b); rest.n > 0; rest = str_skip(rest, LINE_AT - 4)) {
		if (rest.p != b.p)
			buf_add(field, STR("\r\n\t"));
		buf_add(field, str_head(rest, LINE_AT - 4));
	}
	buf_add(field, STR("\r\n"));
	buf_free(&b);
}
