/* SPDX-License-Identifier: GPL-3.0-or-later */

/* token_answer -- what the server of a token answers. */

#include "token_answer.h"

#include "lib/json.h"

/* Some servers write it as a string. */
static int64_t
seconds_of(const struct json *n)
{
	uint64_t v;

	if (json_kind(n) == JSON_IS_TEXT && str_u64(json_text(n, NULL), INT64_MAX, &v) == 0)
		return (int64_t)v;
	return json_whole(n);
}

bool
token_answer_read(struct str text, struct arena *a, struct token_answer *t)
{
	struct json *j = json_open(text);
	bool ok = json_kind(j) == JSON_IS_OBJECT;

	*t = (struct token_answer){ .seconds = 0 };
	if (ok) {
		t->token = json_text_in(j, "access_token", a);
		t->seconds = seconds_of(json_member(j, "expires_in"));
		t->refresh = json_text_in(j, "refresh_token", a);
		t->error = json_text_in(j, "error", a);
		t->words = json_text_in(j, "error_description", a);
	}
	json_close(j);
	return ok;
}
