/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_FEEDBACK_PARTS_H
#define REPORT_FEEDBACK_PARTS_H

/* feedback_parts -- the readers of each kind of report, one file each. */

#include "ipc/feedback.h"

/* ---- feedback_fields.c: what is written as fields of a header ---------------- */

/* message/delivery-status: the message's, then those of each recipient. */
void feedback_dsn(struct feedback *f, struct str body);
/* message/disposition-notification */
void feedback_mdn(struct feedback *f, struct str body);
/* message/feedback-report */
void feedback_arf(struct feedback *f, struct str body);
/* The header of the message that it is all about; HOSTNAME as in feedback_read(). */
void feedback_original(struct feedback *f, struct str header, struct str hostname);

/* ---- feedback_dmarc.c ----------------------------------------------------------- */

struct feedback_dmarc;

struct feedback_dmarc *feedback_dmarc_new(struct feedback *f) MUST_USE;
/* The next octets of the XML.  False: no more are wanted. */
bool feedback_dmarc_add(struct feedback_dmarc *d, struct str piece) MUST_USE;
/*
 * WHOLE: there is nothing more.  NULL, or why it is no report, or not all of one, of
 * which F has what was read.
 */
const char *feedback_dmarc_end(struct feedback_dmarc *d, bool whole);

/* ---- feedback_tls.c --------------------------------------------------------------- */

/* NULL, or why it is no report. */
const char *feedback_tls(struct feedback *f, struct str text);

/* ---- feedback_unpack.c ------------------------------------------------------------ */

/* True if TEXT begins as gzip or as a zip. */
bool feedback_is_packed(struct str text);
/*
 * Calls FN with what TEXT is unpacked to, in pieces, until it returns false.  NULL:
 * that was all of it; or why not.
 */
const char *feedback_unpack(struct str text, bool (*fn)(void *arg, struct str piece), void *arg);

#endif
