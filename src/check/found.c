/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * found -- what checks had found of a message, read again.
 *
 * The JSON is what results_add_json() writes, and nothing else: each result begins
 * with its method and value.  A quote within a value has a "\" before it, so that
 * no stranger's value can look like that.
 */

#include "check/found.h"

#include "check/result.h"

/* Of a method and a value, with what stands around them. */
#define RESULT_TEXT_MAX 64

bool
found_result(struct str json, const char *method, const char *value)
{
	char space[RESULT_TEXT_MAX];
	struct buf b;

	buf_init_in(&b, space, sizeof(space));
	buf_addf(&b, "{\"%s\":\"%s\"", method, value);
	return buf_ok(&b) && json.n > 0 && memmem(json.p, json.n, b.p, b.n) != NULL;
}

bool
found_field(struct str header, const char *authserv, struct field *f)
{
	while (field_next(&header, f) == 1)
		if (str_ieq(f->name, STR("Authentication-Results")) &&
		    result_is_claimed(f, str_c(authserv)))
			return true;
	return false;
}
