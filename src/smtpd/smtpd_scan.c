/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_scan -- what servers of spam and viruses make of a message.
 *
 * When all of the text is there and nothing was promised, barid-check is shown
 * it, once for each server, and both are waited for.  A message is refused, or
 * what was found stands in its header.  An answer that does not come is one,
 * too: on-error says what it does.  Where barid-check ends amid, another is
 * asked once more.
 */

#include "smtpd.h"

#include <errno.h>
#include <unistd.h>

#include "check/refusal.h"
#include "check/result.h"
#include "ipc/scan_call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sys.h"
#include "mail/limits.h"
#include "queue/prefix.h"

/* What barid-check has beside the time of the server. */
#define GRACE_MS 2000
/* For a channel that is full. */
#define ASK_MS 1000
#define KINDS (SCAN_KIND_VIRUS + 1)

/* One question. */
struct look {
	enum scan_kind kind;
	const struct conf_check_scan *conf;
	int fd;			/* where the answer comes; -1: there is no question */
	int edited;		/* the text that came back, or -1 */
	int64_t start;
};

/* ---- who is looked at ------------------------------------------------------------ */

static const struct conf_check_scan *
conf_of(const struct session *s, enum scan_kind kind)
{
	return kind == SCAN_KIND_SPAM ? &s->conf->check.spam : &s->conf->check.virus;
}

static bool
is_wanted(const struct session *s, enum scan_kind kind)
{
	const struct conf_check_scan *c = conf_of(s, kind);
	struct client_facts f = session_facts(s);

	return c->enabled && s->env->check >= 0 && !s->env->to_drop &&
	    (c->relayed || !access_may_relay(s->conf, &f)) &&
	    !session_listed(s, &c->exempt);
}

bool
scan_is_wanted(const struct session *s)
{
	return is_wanted(s, SCAN_KIND_SPAM) || is_wanted(s, SCAN_KIND_VIRUS);
}

/* header_strip(): of a session. */
static bool
is_forged(void *arg, const struct field *f)
{
	const struct session *s = arg;

	return (is_wanted(s, SCAN_KIND_SPAM) && scan_field_is_ours(SCAN_KIND_SPAM, f->name)) ||
	    (is_wanted(s, SCAN_KIND_VIRUS) && scan_field_is_ours(SCAN_KIND_VIRUS, f->name));
}

void
scan_strip(struct session *s)
{
	if (scan_is_wanted(s))
		text_strip(s, is_forged);
}

/* ---- the question ------------------------------------------------------------------ */

static struct str
path_text(struct session *s, const struct path *p)
{
	struct buf b;
	struct str text;

	buf_init(&b, 2 * MAIL_PATH_MAX + 512);
	path_add(&b, p);
	text = arena_str(&s->txn_arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static void
describe(struct session *s, enum scan_kind kind, uint64_t size, off_t at, struct msg_scan *m)
{
	const struct envelope *e = &s->txn.env;

	*m = (struct msg_scan){ .kind = kind, .at = (uint64_t)at, .size = size,
		.id = str_c(e->id), .from = path_text(s, &e->from), .helo = s->helo,
		.login = str_c(s->user), .client = str_c(s->local ? "" : s->address),
		.name = str_c(s->local || strcmp(s->named, "unknown") == 0 ? "" : s->named) };
	for (size_t i = 0; i < e->rcpt_n && i < MSG_SCAN_RCPTS_MAX; i++)
		m->rcpts[m->rcpt_n++] = path_text(s, &e->rcpts[i].path);
}

static void
ask(struct session *s, struct look *l, uint64_t size, off_t at, int text)
{
	struct msg_scan m;

	describe(s, l->kind, size, at, &m);
	l->fd = scan_ask(s->env->check, &m, text, clock_ms() + ASK_MS);
}

/* ---- the answer --------------------------------------------------------------------- */

/* R as it is kept: its text is the transaction's. */
static void
keep(struct session *s, struct scanned *to, const struct msg_scan_result *r)
{
	to->result = *r;
	to->result.symbols = arena_str(&s->txn_arena, r->symbols);
	to->result.what = arena_str(&s->txn_arena, r->what);
}

static void
failed(struct session *s, struct scanned *to, const char *why)
{
	const struct msg_scan_result r = { .result = SCAN_FAILED, .symbols = STR(""),
		.what = str_c(why) };

	keep(s, to, &r);
}

/* False: barid-check has ended meanwhile. */
static bool
await(struct session *s, struct look *l, struct scanned *to)
{
	struct msg_scan_result r;
	struct buf answer;
	const char *why;
	bool gone;

	buf_init(&answer, FRAME_MAX);
	why = scan_await(l->fd, l->start + l->conf->timeout + GRACE_MS, &answer, &r,
	    &l->edited, &gone);
	l->fd = -1;
	if (why != NULL)
		failed(s, to, why);
	else
		keep(s, to, &r);
	buf_free(&answer);
	to->done = true;
	to->ms = clock_ms() - l->start;
	return !gone;
}

static void
say(const struct session *s, const struct look *l, const struct scanned *what)
{
	const struct msg_scan_result *r = &what->result;
	struct buf b;

	if (r->result == SCAN_FAILED) {
		log_warn(s->txn.env.id, "check %s: %s: " STR_FMT "; %s", l->conf->title,
		    l->conf->server, STR_ARG(r->what),
		    l->conf->on_error == SCAN_DEFER ? "deferred" : "accepted all the same");
		return;
	}
	buf_init(&b, 2048);
	scan_words_add(&b, r);
	log_info(s->txn.env.id, "check %s: %s, delay=%lld.%03lld", l->conf->title,
	    buf_cstr(&b), (long long)what->ms / 1000,
	    (long long)what->ms % 1000);
	buf_free(&b);
}

/* ---- a text that came back ------------------------------------------------------------ */

/* The message *M with TEXT in place of its own; NULL if it cannot be stored. */
static bool
put_instead(struct session *s, struct queue_msg **m, struct str text)
{
	queue_abort(*m);
	*m = queue_begin(s->env->queue, &s->txn.env, s->env->to_drop);
	if (*m == NULL)
		return false;
	queue_reserve(*m, &s->txn.env);
	return queue_write(*m, text) == 0;
}

/* What the server made of the text is the text from here on.  Code 0, or a refusal. */
static struct answer
take_edited(struct session *s, const struct look *l, struct scanned *what,
    struct queue_msg **m)
{
	const size_t most = (size_t)queue_size(*m) * 2 + (size_t)SCAN_EDIT_MORE * 2;
	const bool binary = s->txn.env.body == BODY_BINARYMIME;
	const bool spamd = l->conf->kind == SCAN_SPAMD;
	struct answer a = { .code = 0 };
	const char *why = NULL;
	struct buf raw, text;

	buf_init(&raw, most);
	buf_init(&text, most);
	if (what->result.edited > most / 2 || !text_read(l->edited, 0,
	    (size_t)what->result.edited, &raw))
		why = "the text that it sends back cannot be read";
	if (why == NULL)
		why = scan_edited(&text, buf_str(&raw), s->txn.trace, binary);
	if (why != NULL) {
		failed(s, what, why);
	} else {
		if (spamd)
			what->result.symbols = scan_edited_symbols(buf_str(&text), &s->txn_arena);
		/* It knows nothing but lines: what is none stays, and we say what was found. */
		if (spamd && binary)
			what->result.edited = 0;
		else if (!put_instead(s, m, buf_str(&text)))
			a = store_failed(s, "queue_write");
	}
	buf_free(&raw);
	buf_free(&text);
	return a;
}

/* ---- what becomes of the message -------------------------------------------------------- */

static struct answer
answer_of(struct session *s, const struct look *l, const struct msg_scan_result *r)
{
	return answer_refusal(refusal_scan(l->conf, r, text_is_for_desk(s), &s->txn_arena));
}

/* Waits for the answer of L; A is what holds so far. */
static struct answer
conclude(struct session *s, struct look *l, struct answer a, struct queue_msg **m)
{
	struct scanned *what = &s->txn.scanned[l->kind];
	struct answer mine;

	mine = answer_of(s, l, &what->result);
	if (a.code == 0 && mine.code == 0 && l->edited >= 0) {
		mine = take_edited(s, l, what, m);
		if (mine.code == 0)
			mine = answer_of(s, l, &what->result);
	}
	say(s, l, what);
	return a.code != 0 ? a : mine;
}

/* A message that is too long is not looked at. */
static bool
is_looked_at(const struct session *s, const struct look *l, uint64_t size)
{
	if (!is_wanted(s, l->kind))
		return false;
	if (l->conf->max_size == 0 || size <= l->conf->max_size)
		return true;
	log_info(s->txn.env.id, "check %s: not looked at: its %llu octets are more than max-size",
	    l->conf->title, (unsigned long long)size);
	return false;
}

struct answer
scan_text(struct session *s, struct queue_msg **m)
{
	struct look looks[KINDS];
	struct answer a = { .code = 0 };
	uint64_t size = queue_size(*m);
	off_t at = 0;
	int text = -1;

	for (unsigned i = 0; i < KINDS; i++) {
		struct look *l = &looks[i];

		*l = (struct look){ .kind = (enum scan_kind)i, .fd = -1, .edited = -1,
			.conf = conf_of(s, (enum scan_kind)i) };
		if (!is_looked_at(s, l, size)) {
			l->conf = NULL;
			continue;
		}
		if (text < 0 && (text = queue_show(*m, &at)) < 0)
			return store_failed(s, "queue_show");
		l->start = clock_ms();
		ask(s, l, size, at, text);
	}
	for (unsigned i = 0; i < KINDS; i++) {
		struct look *l = &looks[i];

		if (l->conf != NULL && !await(s, l, &s->txn.scanned[i])) {
			ask(s, l, size, at, text);
			(void)await(s, l, &s->txn.scanned[i]);
		}
	}
	for (unsigned i = KINDS; i-- > 0;) {
		if (looks[i].conf != NULL)
			a = conclude(s, &looks[i], a, m);
		if (looks[i].edited >= 0)
			close(looks[i].edited);
	}
	if (text >= 0)
		close(text);
	return a;
}

static const char *
word_of(enum scan_result result)
{
	static const char *const words[] = { [SCAN_FAILED] = "temperror",
		[SCAN_CLEAN] = "no", [SCAN_SPAM] = "yes", [SCAN_SPAM_REJECT] = "yes",
		[SCAN_LATER] = "later", [SCAN_VIRUS] = "yes" };

	return words[result];
}

/* "-1.5", in the transaction's arena. */
static struct str
number(struct session *s, int64_t thousandths)
{
	struct buf b;
	struct str text;

	buf_init(&b, 40);
	scan_number_add(&b, thousandths);
	text = arena_str(&s->txn_arena, buf_str(&b));
	buf_free(&b);
	return text;
}

void
scan_collect(struct session *s, struct results *r)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const struct msg_scan_result *v = &s->txn.scanned[i].result;
		struct check_result *one;

		if (!s->txn.scanned[i].done)
			continue;
		one = results_add(r, i == SCAN_KIND_SPAM ? "spam" : "virus", word_of(v->result));
		one->apart = true;
		one->reason = v->what;
		if (v->scored) {
			result_prop(one, "score", number(s, v->score));
			result_prop(one, "required", number(s, v->required));
		}
		result_prop(one, "tests", v->symbols);
	}
}

void
scan_add_fields(const struct session *s, struct buf *b)
{
	for (unsigned i = 0; i < KINDS; i++) {
		const struct scanned *what = &s->txn.scanned[i];

		/* What spamd has edited says it by itself. */
		if (what->done && (what->result.edited == 0 ||
		    s->conf->check.spam.kind != SCAN_SPAMD))
			scan_fields_add(b, (enum scan_kind)i, &what->result);
	}
}
