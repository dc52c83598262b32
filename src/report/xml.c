/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * xml -- libexpat, which is used here alone.
 *
 * A document type is the end: without one there are no entities that stand for
 * others (a billion laughs) or for files (XXE).  Expat keeps a token until it is
 * whole and looks at it again with each piece, so that one without an end is cut
 * off soon.  What it says of an error is text of its own, never of the document.
 */

#include "xml.h"

#include <expat.h>
#include <sysexits.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

/* A longer one is none that is known. */
#define PREFIX_MAX 64
/* What is given to expat at once. */
#define PIECE_MAX ((size_t)64 << 10)

struct xml {
	XML_Parser parser;
	const struct xml_events *events;
	void *arg;
	size_t depth;
	char prefix[PREFIX_MAX];	/* of the root, with its colon; or "" */
	size_t silent;		/* octets since something was whole */
	const char *why;
};

static void
stop(struct xml *x, const char *why)
{
	if (x->why == NULL)
		x->why = why;
	(void)XML_StopParser(x->parser, XML_FALSE);
}

/* The name without the prefix of the document's own name space. */
static struct str
local(const struct xml *x, const XML_Char *name)
{
	struct str s = str_c(name), own = str_c(x->prefix);

	return str_starts(s, own) ? str_skip(s, own.n) : s;
}

/* The prefix of the root is that of its name space. */
static void
keep_prefix(struct xml *x, struct str name)
{
	ptrdiff_t colon = str_find(name, ':');

	if (colon >= 0 && colon + 1 < PREFIX_MAX)
		memcpy(x->prefix, name.p, (size_t)colon + 1);
}

static void XMLCALL
on_begin(void *arg, const XML_Char *name, const XML_Char **attributes UNUSED)
{
	struct xml *x = arg;

	x->silent = 0;
	if (x->why != NULL)
		return;
	if (++x->depth > XML_DEPTH_MAX)
		stop(x, "its XML is nested too deeply");
	else {
		if (x->depth == 1)
			keep_prefix(x, str_c(name));
		x->events->begin(x->arg, local(x, name));
	}
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct xml *x = arg;

	x->silent = 0;
	if (x->why != NULL)
		return;
	x->depth--;
	x->events->end(x->arg, local(x, name));
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int n)
{
	struct xml *x = arg;

	x->silent = 0;
	if (x->why == NULL)
		x->events->text(x->arg, str_n(text, (size_t)n));
}

static void XMLCALL
on_doctype(void *arg, const XML_Char *name UNUSED, const XML_Char *system UNUSED,
    const XML_Char *public UNUSED, int has_subset UNUSED)
{
	stop(arg, "its XML has a document type, which is not taken");
}

struct xml *
xml_new(const struct xml_events *e, void *arg)
{
	struct xml *x = mem_alloc(sizeof(*x));
	unsigned long salt;

	*x = (struct xml){ .events = e, .arg = arg, .parser = XML_ParserCreate(NULL) };
	if (x->parser == NULL)
		fatal(EX_TEMPFAIL, "out of memory");
	/* Against names that are chosen to be slow; nothing is opened for it. */
	random_bytes(&salt, sizeof(salt));
	(void)XML_SetHashSalt(x->parser, salt | 1);
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_begin, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	return x;
}

void
xml_free(struct xml *x)
{
	if (x == NULL)
		return;
	XML_ParserFree(x->parser);
	mem_free(x);
}

static bool
add_piece(struct xml *x, struct str piece, bool last)
{
	x->silent += piece.n;
	if (XML_Parse(x->parser, piece.p, (int)piece.n, last) != XML_STATUS_OK && x->why == NULL)
		x->why = last ? "its XML is cut short" : "its XML is not well formed";
	else if (x->silent > XML_TOKEN_MAX && x->why == NULL)
		x->why = "its XML has something that is too long";
	return x->why == NULL;
}

bool
xml_add(struct xml *x, struct str bytes, bool last)
{
	while (x->why == NULL && bytes.n > PIECE_MAX) {
		if (!add_piece(x, str_head(bytes, PIECE_MAX), false))
			return false;
		bytes = str_skip(bytes, PIECE_MAX);
	}
	return x->why == NULL && add_piece(x, bytes.p != NULL ? bytes : STR(""), last);
}

const char *
xml_why(const struct xml *x)
{
	return x->why;
}
