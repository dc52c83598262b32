/* SPDX-License-Identifier: GPL-3.0-or-later */
/* host -- servers as options name them: by host and port, or by a socket's path. */

#include "private.h"

const char *
conf_host_read(struct str text, uint16_t fallback, struct arena *a, const char **host,
    uint16_t *port)
{
	ptrdiff_t colon = str_rfind(text, ':');
	struct str name = text;
	uint64_t number = fallback;

	if (str_starts(text, STR("unix:")))
		text = str_skip(text, 5);
	if (text.n > 0 && text.p[0] == '/') {
		*host = arena_printf(a, "unix:" STR_FMT, STR_ARG(text));
		return conf_name_is_path(text) ? NULL : "expected an absolute path";
	}
	if (colon >= 0 && text.p[text.n - 1] != ']') {
		name = str_head(text, (size_t)colon);
		if (str_u64(str_skip(text, (size_t)colon + 1), 65535, &number) < 0)
			number = 0;
	}
	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = str_n(name.p + 1, name.n - 2);
	*host = arena_cstr(a, name);
	*port = (uint16_t)number;
	if (number == 0 || (!conf_name_is_ip(name) && !conf_name_is_host(name)))
		return "expected a server such as host:port, or unix:/path";
	return NULL;
}
