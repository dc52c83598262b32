/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data -- what pages ask of the running barid, by its control socket.
 */

#include "data.h"

#include <errno.h>

#include "lib/mem.h"
#include "report/control.h"

/* More than a page shows is asked for in parts. */
#define TEXT_MAX ((size_t)16 << 20)

bool
data_ask(struct visit *v, const struct msg_control *m, struct str *text, uint64_t *count,
    const char **why)
{
	struct msg_control_result r = { .ok = false };
	char *all = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&all, &size);
	int result = out ? control_read(v->conf.run, m, out, &r) : -1, err = errno;

	*text = STR("");
	*count = r.count;
	*why = NULL;
	if (out && fclose(out) != 0)
		result = -1;
	if (result < 0)
		*why = arena_printf(&v->arena, "barid does not answer: %s", strerror(err));
	else if (size > TEXT_MAX)
		*why = "this is more than a page holds";
	else
		*text = arena_str(&v->arena, str_n(all, size));
	if (!*why && !r.ok)
		*why = text->n > 0 ? arena_cstr(&v->arena, str_trim(*text)) : "barid cannot say";
	mem_free(all);
	return !*why;
}

bool
data_ask_plain(struct visit *v, enum control_op op, struct str *text, const char **why)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	uint64_t count;

	m->op = op;
	bool ok = data_ask(v, m, text, &count, why);
	mem_free(m);
	return ok;
}
