/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback -- facts of reports: made clean, kept within bounds, and sent from
 * who has read a report to who writes it down; the rules are those of msg.c.
 *
 * Who reads a report may be somebody else's by then: nothing that comes from
 * there is longer, more or dirtier than what is made here.
 */

#include "ipc/feedback.h"

#include "ipc/frame.h"
#include "ipc/msg.h"

enum { TAG_AT = 1, TAG_SIZE, TAG_ROWS, TAG_KIND, TAG_WHY, TAG_TOTAL, TAG_ROW, TAG_NAME, TAG_VALUE };

/* Of kind and why. */
#define WORDS_MAX 200
#define SIZE_TOP ((uint64_t)1 << 40)
/* What a fact takes in a packet beside its value, at most. */
#define FACT_MORE 40

#define FEEDBACK_NAME(name, text, number) { text, number },
static const struct {
	const char *name;
	bool number;
} facts[] = { FEEDBACK_FACTS(FEEDBACK_NAME) };
#undef FEEDBACK_NAME

const char *
feedback_name(enum feedback_name name)
{
	return facts[name].name;
}

bool
feedback_is_number(enum feedback_name name)
{
	return facts[name].number;
}

/* ---- facts ------------------------------------------------------------------ */

void
feedback_init(struct feedback *f, struct arena *a, size_t rows)
{
	*f = (struct feedback){ .kind = "", .arena = a,
		.row_max = rows < FEEDBACK_ROWS_MAX ? rows : FEEDBACK_ROWS_MAX };
}

struct feedback_row *
feedback_row(struct feedback *f)
{
	f->row_total++;
	if (f->row_n == f->row_max)
		return NULL;
	if (f->rows == NULL)
		f->rows = arena_alloc(f->arena, f->row_max * sizeof(*f->rows));
	return &f->rows[f->row_n++];
}

struct str
feedback_find(const struct feedback_row *row, enum feedback_name name)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->facts[i].name == name)
			return row->facts[i].value;
	return STR("");
}

static bool
is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* RAW with one space for each of white space and controls, at most SIZE - 1 octets of it. */
static struct str
clean(struct str raw, char *out, size_t size)
{
	bool utf8 = str_is_utf8(raw), gap = false;
	size_t n = 0;

	for (size_t i = 0; i < raw.n && n + 2 < size; i++) {
		char c = raw.p[i];

		if (is_blank(c)) {
			gap = n > 0;
			continue;
		}
		if (gap)
			out[n++] = ' ';
		gap = false;
		out[n++] = utf8 || (unsigned char)c < 0x80 ? c : '?';
	}
	/* Not in the middle of a character; a control of two octets is no text either. */
	while (n > 0 && !str_is_utf8(str_n(out, n)))
		n--;
	return str_n(out, n);
}

static bool
is_clean(enum feedback_name name, struct str v)
{
	uint64_t number;

	if (v.n == 0 || v.n > FEEDBACK_VALUE_MAX || str_has_ctl(v) || !str_is_utf8(v))
		return false;
	return !facts[name].number ||
	    (v.n <= FEEDBACK_DIGITS_MAX && str_u64(v, UINT64_MAX, &number) == 0);
}

void
feedback_add(struct feedback *f, struct feedback_row *row, enum feedback_name name, struct str raw)
{
	char room[FEEDBACK_VALUE_MAX + 1];
	struct str value;

	if (row == NULL || row->n == FEEDBACK_FACTS_MAX || feedback_find(row, name).n > 0)
		return;
	value = clean(str_head(raw, (size_t)4 * FEEDBACK_VALUE_MAX), room, sizeof(room));
	if (is_clean(name, value))
		row->facts[row->n++] = (struct feedback_fact){ name, arena_str(f->arena, value) };
}

void
feedback_add_number(struct feedback *f, struct feedback_row *row, enum feedback_name name,
    uint64_t v)
{
	char room[32];
	struct buf b;

	buf_init_in(&b, room, sizeof(room));
	buf_addu(&b, v);
	feedback_add(f, row, name, buf_str(&b));
}

/* ---- packets ---------------------------------------------------------------- */

void
msg_feedback_put(struct buf *b, const struct msg_feedback *m)
{
	frame_begin(b, MSG_FEEDBACK);
	frame_put_u64(b, TAG_AT, m->at);
	frame_put_u64(b, TAG_SIZE, m->size);
	frame_put_u64(b, TAG_ROWS, m->rows);
	frame_end(b);
}

bool
msg_feedback_get(struct str packet, struct msg_feedback *m)
{
	struct frame f;

	if (!frame_open_as(&f, packet, MSG_FEEDBACK))
		return false;
	m->at = frame_get_u64(&f, TAG_AT);
	m->size = frame_get_u64(&f, TAG_SIZE);
	m->rows = frame_get_u64(&f, TAG_ROWS);
	return frame_close(&f) && m->at < SIZE_TOP && m->size < SIZE_TOP;
}

static size_t
size_of(const struct feedback_row *row)
{
	size_t n = FACT_MORE;

	for (size_t i = 0; i < row->n; i++)
		n += row->facts[i].value.n + FACT_MORE;
	return n;
}

static void
put_facts(struct buf *b, const struct feedback_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		frame_put_u64(b, TAG_NAME, row->facts[i].name);
		frame_put(b, TAG_VALUE, row->facts[i].value);
	}
}

void
msg_feedback_result_put(struct buf *b, const struct feedback *f)
{
	frame_begin(b, MSG_FEEDBACK_RESULT);
	frame_put(b, TAG_KIND, str_c(f->kind));
	frame_put(b, TAG_WHY, str_c(f->why));
	frame_put_u64(b, TAG_TOTAL, f->row_total);
	put_facts(b, &f->head);
	for (size_t i = 0; i < f->row_n; i++) {
		if (b->n + size_of(&f->rows[i]) > FRAME_MAX)
			break;
		frame_put_u64(b, TAG_ROW, i);
		put_facts(b, &f->rows[i]);
	}
	frame_end(b);
}

static bool
get_facts(struct frame *f, struct feedback_row *row)
{
	bool ok = true;

	while (ok && frame_has(f, TAG_NAME)) {
		uint64_t name = frame_get_u64(f, TAG_NAME);
		struct str value = frame_get(f, TAG_VALUE);

		ok = row->n < FEEDBACK_FACTS_MAX && name < FACT_N &&
		    is_clean((enum feedback_name)name, value);
		if (ok)
			row->facts[row->n++] =
			    (struct feedback_fact){ (enum feedback_name)name, value };
	}
	return ok;
}

bool
msg_feedback_result_get(struct str packet, struct feedback *f)
{
	struct str kind, why;
	struct frame frame;
	uint64_t total;
	bool ok;

	if (!frame_open_as(&frame, packet, MSG_FEEDBACK_RESULT))
		return false;
	kind = frame_get(&frame, TAG_KIND);
	why = frame_get(&frame, TAG_WHY);
	total = frame_get_u64(&frame, TAG_TOTAL);
	ok = kind.n <= WORDS_MAX && why.n <= WORDS_MAX && !str_has_ctl(kind) &&
	    !str_has_8bit(kind) && !str_has_ctl(why) && !str_has_8bit(why) &&
	    get_facts(&frame, &f->head);
	while (ok && frame_has(&frame, TAG_ROW)) {
		struct feedback_row *row;

		(void)frame_get_u64(&frame, TAG_ROW);
		row = feedback_row(f);
		ok = row != NULL && get_facts(&frame, row);
	}
	if (!frame_close(&frame) || !ok || total < f->row_n)
		return false;
	f->kind = arena_cstr(f->arena, kind);
	f->why = why.n > 0 ? arena_cstr(f->arena, why) : NULL;
	f->row_total = total;
	return true;
}
