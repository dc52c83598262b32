/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_rspamd -- what Rspamd says of a message, and what it wants to be changed in
 * its header.
 *
 * Others read the JSON (check/rspamd_answer.h) and decide which wishes may be carried out
 * (check/scan_change.c); here the text is written with them into a file of its
 * own, which the session gets as it gets a text of spamd.  What cannot be changed
 * stays as it is, and the verdict holds all the same.
 */

#include "scan_job.h"

#include <sys/mman.h>

#include "check/rspamd_answer.h"
#include "check/scan_change.h"
#include "lib/log.h"
#include "lib/sys.h"
#include "mail/header.h"
#include "mail/limits.h"

/* The thousandths of V, within bounds; 0 if it is no number. */
static int64_t
thousandths(double v)
{
	const double most = (double)MSG_SCAN_SCORE_MAX / 1000;

	if (!(v > -most && v < most))
		return v > 0 ? MSG_SCAN_SCORE_MAX : v < 0 ? -MSG_SCAN_SCORE_MAX : 0;
	return (int64_t)(v * 1000 + (v < 0 ? -0.5 : 0.5));
}

/* ---- what Rspamd wants changed ----------------------------------------------------- */

/* What R wants of the header; what it may not have is left out. */
static void
take_changes(struct scan_job *j, const struct rspamd_answer *r, struct scan_changes *c)
{
	bool all = true;

	for (size_t i = 0; i < r->wish_n; i++) {
		const struct rspamd_wish *f = &r->wishes[i];

		if (f->remove)
			all = scan_change_remove(c, &j->arena, f->name, f->which) && all;
		else
			all = scan_change_add(c, &j->arena, f->name, f->value,
			    f->ordered && f->which >= 0) && all;
	}
	if (r->subject.n > 0 && str_eq(r->action, STR("rewrite subject")))
		all = scan_change_subject(c, &j->arena, r->subject) && all;
	if (!all)
		log_warn(NULL, "%s wants to have fields that are none, or ours, or too many: they "
		    "are left out", j->conf->server);
}

/* The header of the text of J without its blank line, into B; false: it is none, or too long. */
static bool
read_header(const struct scan_job *j, struct buf *b)
{
	size_t most = j->about.size < b->max ? (size_t)j->about.size : b->max, n;
	struct str rest, header;
	struct field f;

	while (b->n < most) {
		char *room = buf_room(b, most - b->n);
		ssize_t octets = room == NULL ? -1 :
		    sys_pread(j->text, room, most - b->n, (off_t)(j->about.at + b->n));

		if (octets <= 0)
			return false;
		buf_grew(b, (size_t)octets);
	}
	rest = buf_str(b);
	if (field_next(&rest, &f) != 1)
		return false;
	header = header_whole(buf_str(b));
	n = header.n - (str_ends(header, STR("\r\n\r\n")) ? 2 : 0);
	/* What fills B may go on behind it. */
	if (n == b->max || !str_ends(str_head(header, n), STR("\r\n")))
		return false;
	buf_cut(b, n);
	return true;
}

/* Writes what stands behind the first AT octets of the text of J. */
static bool
copy_rest(struct scan_job *j, uint64_t at)
{
	char piece[SCAN_PIECE_MAX];

	while (at < j->about.size) {
		uint64_t left = j->about.size - at;
		ssize_t n = sys_pread(j->text, piece,
		    left < sizeof(piece) ? (size_t)left : sizeof(piece), (off_t)(j->about.at + at));

		if (n <= 0 || sys_write_all(j->edited, piece, (size_t)n) < 0)
			return false;
		at += (uint64_t)n;
	}
	return true;
}

/* The text with C carried out is what the session gets. */
static void
change(struct scan_job *j, const struct scan_changes *c)
{
	struct buf header, changed;

	buf_init(&header, MAIL_HEADER_MAX);
	buf_init(&changed, MAIL_HEADER_MAX + (size_t)SCAN_EDIT_MORE);
	j->edited = memfd_create("barid-edited", MFD_CLOEXEC);
	if (j->edited >= 0 && read_header(j, &header)) {
		scan_change_header(c, buf_str(&header), &changed);
		if (buf_ok(&changed) && changed.n <= header.n + SCAN_EDIT_MORE &&
		    sys_write_all(j->edited, changed.p, changed.n) == 0 &&
		    copy_rest(j, header.n))
			j->conn.scan.edited = changed.n + j->about.size - header.n;
	}
	if (j->conn.scan.edited == 0)
		log_warn(NULL, "the header cannot be changed as %s wants it", j->conf->server);
	buf_free(&changed);
	buf_free(&header);
}

/* ---- the verdict --------------------------------------------------------------- */

bool
rspamd_read(struct scan_job *j)
{
	struct scan *s = &j->conn.scan;
	struct scan_changes changes = { .n = 0 };
	struct rspamd_answer r;

	if (!rspamd_answer_read(buf_str(&s->body), &j->arena, &r) || !scan_take_action(s, r.action))
		return false;
	s->v.scored = true;
	s->v.score = thousandths(r.score);
	s->v.required = thousandths(r.required);
	for (size_t i = 0; i < r.symbol_n; i++)
		scan_symbol(s, r.symbols[i]);
	scan_say(s, r.words);
	if (j->conf->action == SCAN_EDIT)
		take_changes(j, &r, &changes);
	if (changes.n > 0)
		change(j, &changes);
	return true;
}
