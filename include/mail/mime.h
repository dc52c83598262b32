/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

/*
 * mime -- the structure of a message, line by line (RFC 2045, RFC 2046).
 *
 * A walk says of each line what it is: header, body of a leaf, delimiter.
 * It keeps the boundaries of the multiparts that are open and the header
 * fields that matter, nothing of the text; lines of any length may be given
 * by their beginnings.  Only CRLF and LF end lines; which of them, and what
 * is between, is the caller's business.
 */

#include "lib/buf.h"

/* What is kept of a line: a line that is longer must be given by this much. */
#define MIME_LINE_KEPT 4096
/* Multiparts and messages within each other; what is deeper is not looked into. */
#define MIME_DEPTH_MAX 100
#define MIME_BOUNDARY_MAX 200

enum mime_kind {
	MIME_TEXT,		/* text, and message/global: a leaf of lines */
	MIME_OTHER,		/* any other leaf */
	MIME_MULTIPART,
	MIME_MESSAGE,		/* message/rfc822 */
	MIME_OPAQUE		/* a leaf that no encoding may be given to */
};

enum mime_encoding {
	MIME_7BIT, MIME_8BIT, MIME_BINARY, MIME_QP, MIME_BASE64, MIME_UNKNOWN
};

enum mime_line {
	MIME_FIELD,		/* the first line of a field */
	MIME_MORE,		/* another line of it */
	MIME_BLANK,		/* the end of a header */
	MIME_BODY,		/* of a leaf */
	MIME_OUTSIDE,		/* before the first delimiter or after the last */
	MIME_DELIMITER,
	MIME_BROKEN		/* stands in a header and is no field */
};

/* A part: the message, a part of a multipart, or what a message/rfc822 holds. */
struct mime_part {
	enum mime_kind kind;	/* these are known from MIME_BLANK on */
	enum mime_encoding encoding;
	bool has_type, has_encoding, has_version;
	bool twice;		/* a field that may stand once stands again */
	bool top;		/* the message itself */
	bool sealed;		/* in a multipart/signed: not to be changed */
};

struct mime_frame {
	char boundary[MIME_BOUNDARY_MAX];
	unsigned char boundary_n;
	unsigned char depth;
	bool sealed;		/* what its parts are */
	bool digest;
};

struct mime_walk {
	int state;
	bool global;		/* set it: message/global (RFC 6532) is a MIME_MESSAGE, too */
	bool digest;		/* the part has message/rfc822 as its default */
	unsigned depth;
	struct mime_part part;	/* the part that the last line belongs to */
	size_t parts;		/* how many have begun: PART is the last of them */
	int field;		/* which one is being read */
	struct buf value;	/* of it */
	size_t octets;		/* of all its lines */
	char boundary[MIME_BOUNDARY_MAX];
	size_t boundary_n;
	bool seals;		/* is multipart/signed */
	bool has_digest;	/* is multipart/digest */
	struct mime_frame *stack;
	size_t frames;
};

void mime_walk_init(struct mime_walk *w);
void mime_walk_free(struct mime_walk *w);
/*
 * LINE without its end, or its first piece: of a line that is too long what stands
 * behind the first MIME_LINE_KEPT - 1 octets is not looked at.
 */
enum mime_line mime_walk_line(struct mime_walk *w, struct str line);
/* True if the last line belongs to the field Content-Transfer-Encoding. */
bool mime_walk_at_encoding(const struct mime_walk *w);

/*
 * Cuts a text into lines, which come whole (FIRST and LAST) or, if they
 * are longer than MIME_LINE_KEPT, in pieces of which the first has at least
 * that many octets, but for a CR that is the last of them.
 */
struct mime_piece {
	struct str bytes;	/* without the line end */
	bool first, last;
	bool lf, cr;		/* of the last: LF ends it; CR stands before that */
};

struct mime_lines {
	struct str in;
	struct buf kept;	/* the beginning of a line */
	bool inside;		/* the line's first piece was given */
	bool cr;		/* a CR is held back */
	bool given;		/* KEPT was given, and is empty now */
};

void mime_lines_init(struct mime_lines *l);
void mime_lines_free(struct mime_lines *l);
/* The next bytes; all pieces of those before must have been taken. */
void mime_lines_add(struct mime_lines *l, struct str bytes);
/* A piece, good until the next call.  END: nothing follows.  False: there is none. */
bool mime_lines_next(struct mime_lines *l, bool end, struct mime_piece *p);

#endif
