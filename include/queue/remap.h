/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_REMAP_H
#define QUEUE_REMAP_H

/*
 * remap -- addresses made others, as the sections rewrite say (barid.conf(5)):
 * in the envelope and in the header, when mail comes in and when it is sent.
 *
 * Of a header only the octets of such addresses change, with what stands
 * within them: names, comments, folds, other fields and the body stay as they
 * are.  What is no address, and <>, is left alone.
 */

#include "conf/conf.h"
#include "lib/buf.h"
#include "mail/path.h"
#include "queue/envelope.h"

struct remap {
	const struct conf *conf;
	enum conf_rewrite_at at;
	struct str listener;	/* that the mail came in by, or empty */
	bool stranger;		/* from a client that may not relay */
};

/* The section that fits P where it stands (one REWRITE_*), or NULL. */
const struct conf_rewrite *remap_find(const struct remap *r, unsigned what, const struct path *p);
/* P as W says, which remap_find() found for it, in A. */
struct path remap_by(const struct remap *r, const struct conf_rewrite *w, struct arena *a,
    const struct path *p);
/* The line that says so: W's, or that of its table. */
struct conf_place remap_place(const struct remap *r, const struct conf_rewrite *w,
    const struct path *p);
/* Both: true if P is another one now. */
bool remap_path(const struct remap *r, unsigned what, struct arena *a, struct path *p);

/* Sender and recipients of E, in A; of those that are one now, one stays. */
void remap_all(const struct remap *r, struct arena *a, struct envelope *e);

/* True if nothing in a header can become another. */
bool remap_leaves_header(const struct remap *r);
/*
 * Takes the fields at the start of TEXT, which has all of them, and lines between
 * them that are none.  The octets that they are if OUT has others to put in their
 * place; 0: they stay, and OUT is of no use.
 */
size_t remap_header(const struct remap *r, struct str text, struct buf *out) MUST_USE;

#endif
