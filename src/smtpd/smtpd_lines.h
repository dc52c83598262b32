/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTPD_SMTPD_LINES_H
#define SMTPD_SMTPD_LINES_H

/*
 * smtpd_lines -- the lines of a program on this host, over its transport.
 */

#include "lib/stream.h"

struct smtpd_lines {
	const struct stream_ops *ops;	/* the transport's */
	void *ctx;
	enum { LINES_UNKNOWN, LINES_CRLF, LINES_LF } form;
	bool cr;		/* the octet before was one */
	size_t at, n;		/* of IN: given, read */
	char in[4096];
};

void smtpd_lines_init(struct smtpd_lines *l, const struct stream_ops *ops, void *ctx);
extern const struct stream_ops smtpd_lines_ops;

#endif
