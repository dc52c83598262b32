/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_HTML_H
#define ADMIN_HTML_H

/* html -- what all pages have, and the one way by which text gets into one. */

#include "lib/buf.h"

struct visit;

/* Adds TEXT as text, within an attribute or without; what is not UTF-8 or a control is "?". */
void html_text(struct buf *b, struct str text);
/* The same of a format. */
void html_textf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* The beginning of a page with its title; with the links between pages if V has a user. */
void html_begin(const struct visit *v, struct buf *b, const char *title);
void html_end(struct buf *b);
/* A row of a table of two columns. */
void html_row(struct buf *b, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* A line that says what went wrong. */
void html_trouble(struct buf *b, const char *why);
/* "3 d 4 h", "12 min", "5 s". */
void html_span(struct buf *b, int64_t seconds);

/* The style sheet. */
const char *html_style(void);

#endif
