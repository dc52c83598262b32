/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_JSON_H
#define LIB_JSON_H

/*
 * json -- documents in JSON (RFC 8259), foreign ones that are read and ours that
 * are made: what jansson has, under names that do not need its header.
 *
 * What is read is good until json_close(), what is made until it is printed or
 * has become part of another.
 */

#include <stdio.h>

#include "lib/arena.h"

struct json;

/* ---- a document that is read --------------------------------------------------- */

/* NULL: TEXT is none, or an object in it has two members of one name. */
struct json *json_open(struct str text) MUST_USE;
void json_close(struct json *j);	/* NULL is fine */

enum json_kind {
	JSON_IS_NOTHING,	/* as of NULL */
	JSON_IS_OBJECT,
	JSON_IS_ARRAY,
	JSON_IS_TEXT,
	JSON_IS_INTEGER,
	JSON_IS_REAL,
	JSON_IS_TRUE,
	JSON_IS_FALSE,
	JSON_IS_NULL
};

/* Of all that follows, J may be NULL, which has nothing. */
enum json_kind json_kind(const struct json *j);
/* What J has under NAME; what it has at place I; and how many there are. */
const struct json *json_member(const struct json *j, const char *name);
const struct json *json_item(const struct json *j, size_t i);
size_t json_items(const struct json *j);
/* The members of J, each with its *NAME: *AT is NULL at first.  NULL: that was all. */
const struct json *json_walk(const struct json *j, void **at, const char **name);
/* A string, good until the end of the document; a whole number, in digits in A; or empty. */
struct str json_text(const struct json *j, struct arena *a);
/* The string that J has under NAME, in A; or empty. */
struct str json_text_in(const struct json *j, const char *name, struct arena *a);
/* A whole number; else 0. */
int64_t json_whole(const struct json *j);
/* One that is not below 0; else 0. */
uint64_t json_number(const struct json *j);
/* Any number; else 0. */
double json_double(const struct json *j);
/* For who will be confined: what jansson opens once is open then. */
void json_prepare(void);

/* ---- one that is made ------------------------------------------------------------- */

struct json *json_new_object(void) MUST_USE;
struct json *json_new_array(void) MUST_USE;

/* V becomes the member NAME of O, or the last item of A, which has it from now on. */
void json_set(struct json *o, const char *name, struct json *v);
void json_add(struct json *a, struct json *v);
/*
 * Likewise.  Mail holds any octets and JSON only UTF-8, so a text that is none is
 * escaped as the log escapes it.
 */
void json_set_text(struct json *o, const char *name, struct str text);
void json_set_number(struct json *o, const char *name, uint64_t v);
void json_set_integer(struct json *o, const char *name, int64_t v);
void json_set_double(struct json *o, const char *name, double v);
void json_set_bool(struct json *o, const char *name, bool v);
void json_set_null(struct json *o, const char *name);
void json_add_text(struct json *a, struct str text);
void json_add_number(struct json *a, uint64_t v);

enum json_form {
	JSON_ONE_LINE,	/* for programs */
	JSON_FOR_EYES	/* a line for each thing, indented */
};
/* Prints J with a line end, and frees it. */
void json_print(struct json *j, enum json_form form, FILE *out);

#endif
