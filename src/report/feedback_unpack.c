/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback_unpack -- reports that come as gzip (RFC 1952) or in a zip.
 *
 * Of a zip the directory at its end is read, and of the file that is wanted the
 * header before it, of which only its length is believed: the first whose name
 * ends as that of a report, or the first that has anything in it.  What
 * comes out is counted, and that is the bound: reports of many records that are
 * nearly the same pack a hundred times as small, so that a ratio says nothing.
 * Encryption, several disks and files of four gigabytes no report needs.
 */

#include "feedback_parts.h"
#include "lib/mem.h"
#include "lib/packed.h"
#include "report/feedback_read.h"

#define PIECE ((size_t)64 << 10)

/* The fixed parts of a zip's records, in octets. */
#define END_SIZE 22
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30
/* A comment may stand behind the directory's end. */
#define COMMENT_MAX 65535
/* Files that are looked at. */
#define ENTRIES_MAX 64
#define ENCRYPTED 1u

enum { METHOD_STORED = 0, METHOD_DEFLATED = 8 };

struct entry {
	unsigned flags, method;
	size_t packed, at;	/* its octets; where its own header stands */
	struct str name;
};

static const char too_large[] = "it unpacks to more than is read";
static const char bad_zip[] = "its zip is broken or cut short";

bool
feedback_is_packed(struct str text)
{
	return str_starts(text, STR("\x1f\x8b")) || str_starts(text, STR("PK\3\4"));
}

/* ---- streams ----------------------------------------------------------------- */

static const char *
inflate_all(struct str in, enum packed_form form, bool (*fn)(void *arg, struct str piece),
    void *arg)
{
	struct packed *p = packed_open(form);
	enum packed_state state = PACKED_MORE;
	char *room = mem_room(PIECE);
	size_t got = 1, out = 0;
	const char *why = NULL;

	while (p != NULL && why == NULL && state == PACKED_MORE && (in.n > 0 || got > 0)) {
		state = packed_next(p, &in, room, PIECE, &got);
		out += got;
		if (out > FEEDBACK_OUT_MAX)
			why = too_large;
		else if (got > 0 && !fn(arg, str_n(room, got)))
			break;
	}
	if (p == NULL || state == PACKED_NO_MEMORY)
		why = "there is no memory to unpack it";
	else if (why == NULL && state == PACKED_BROKEN)
		why = "what it is packed in is broken";
	else if (why == NULL && state == PACKED_MORE && in.n == 0 && got == 0)
		why = "what it is packed in is cut short";
	packed_close(p);
	mem_free(room);
	return why;
}

/* ---- zip --------------------------------------------------------------------- */

static unsigned
u16(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return u[0] | (unsigned)u[1] << 8;
}

static size_t
u32(const char *p)
{
	return u16(p) | (size_t)u16(p + 2) << 16;
}

/* The last record of the directory; NULL: there is none. */
static const char *
find_end(struct str zip)
{
	size_t lowest = zip.n > END_SIZE + COMMENT_MAX ? zip.n - END_SIZE - COMMENT_MAX : 0;

	for (size_t at = zip.n >= END_SIZE ? zip.n - END_SIZE + 1 : 0; at-- > lowest;)
		if (memcmp(zip.p + at, "PK\5\6", 4) == 0)
			return zip.p + at;
	return NULL;
}

/* Takes an entry of the directory off *REST. */
static bool
take_entry(struct str *rest, struct entry *e)
{
	size_t name, more;

	if (rest->n < ENTRY_SIZE || memcmp(rest->p, "PK\1\2", 4) != 0)
		return false;
	name = u16(rest->p + 28);
	more = (size_t)u16(rest->p + 30) + u16(rest->p + 32);
	if (rest->n - ENTRY_SIZE < name + more)
		return false;
	*e = (struct entry){ .flags = u16(rest->p + 8), .method = u16(rest->p + 10),
		.packed = u32(rest->p + 20), .at = u32(rest->p + 42),
		.name = str_n(rest->p + ENTRY_SIZE, name) };
	*rest = str_skip(*rest, ENTRY_SIZE + name + more);
	return true;
}

static bool
is_report_name(struct str name)
{
	return str_iends(name, STR(".xml")) || str_iends(name, STR(".json"));
}

static bool
find_entry(struct str zip, struct entry *found)
{
	const char *end = find_end(zip);
	struct entry e;
	struct str rest;
	bool any = false;
	unsigned n;

	if (end == NULL)
		return false;
	rest = str_skip(str_head(zip, (size_t)(end - zip.p)), u32(end + 16));
	n = u16(end + 10);
	for (unsigned i = 0; i < n && i < ENTRIES_MAX && take_entry(&rest, &e); i++) {
		if (e.packed == 0 || (any && !is_report_name(e.name)))
			continue;
		*found = e;
		any = true;
		if (is_report_name(e.name))
			break;
	}
	return any;
}

/* Of something that is not packed at all. */
static const char *
give_all(struct str s, bool (*fn)(void *arg, struct str piece), void *arg)
{
	if (s.n > FEEDBACK_OUT_MAX)
		return too_large;
	(void)fn(arg, s);
	return NULL;
}

static const char *
unzip(struct str zip, bool (*fn)(void *arg, struct str piece), void *arg)
{
	struct str body;
	struct entry e;

	if (!find_entry(zip, &e))
		return bad_zip;
	if (e.flags & ENCRYPTED)
		return "its zip is encrypted";
	body = str_skip(zip, e.at);
	if (body.n < LOCAL_SIZE || memcmp(body.p, "PK\3\4", 4) != 0)
		return bad_zip;
	body = str_skip(body, (size_t)LOCAL_SIZE + u16(body.p + 26) + u16(body.p + 28));
	if (body.n < e.packed)
		return bad_zip;
	body = str_head(body, e.packed);
	if (e.method == METHOD_STORED)
		return give_all(body, fn, arg);
	if (e.method != METHOD_DEFLATED)
		return "its zip is packed in a way that is not known";
	return inflate_all(body, PACKED_RAW, fn, arg);
}

const char *
feedback_unpack(struct str text, bool (*fn)(void *arg, struct str piece), void *arg)
{
	return str_starts(text, STR("PK")) ? unzip(text, fn, arg) :
	    inflate_all(text, PACKED_GZIP, fn, arg);
}
