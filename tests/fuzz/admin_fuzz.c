/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-15.  A request of HTTP: all at once and in parts are the same, and what is
 * one has a path of ours, a host, and no octet that another reader would decode.
 *
 * Parsers: admin/request.c.
 */

#include "fuzz.h"

#include "admin/request.h"

static int
read_request(struct str in, size_t chunk, struct arena *a, struct request *r)
{
	struct stream_mem m = { .in = in, .chunk = chunk };
	struct stream s;
	int status;

	arena_init(a, REQUEST_ARENA_MAX);
	stream_init(&s, &stream_mem_ops, &m);
	status = request_read(&s, -1, a, r);
	stream_free(&s);
	return status;
}

static void
check_params(const struct request_params *p, const struct request_params *q)
{
	check(p->n <= REQUEST_PARAMS_MAX && p->n == q->n);
	for (size_t i = 0; i < p->n; i++) {
		check(str_eq(p->v[i].name, q->v[i].name) && str_eq(p->v[i].value, q->v[i].value));
		check(str_find(p->v[i].value, '\0') < 0);
	}
}

static void
check_path(struct str path)
{
	check(path.n > 0 && path.p[0] == '/');
	for (size_t i = 0; i < path.n; i++)
		check(path.p[i] > ' ' && path.p[i] < 127 && path.p[i] != '%' && path.p[i] != '\\');
	check(memmem(path.p, path.n, "//", 2) == NULL && memmem(path.p, path.n, "/../", 4) == NULL);
	check(!str_ends(path, STR("/..")) && !str_ends(path, STR("/.")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct request whole, parts;
	struct str in = str_n((const char *)data, n);
	struct arena a, b;
	int status = read_request(in, 0, &a, &whole);

	check(read_request(in, n > 0 ? 1 + data[0] % 7 : 1, &b, &parts) == status);
	check(status == -1 || status == 0 || (status >= 400 && status < 600));
	if (status == 0) {
		check_path(whole.path);
		check(str_eq(whole.path, parts.path) && str_eq(whole.host, parts.host));
		check(whole.host.n > 0 && !str_has_ctl(whole.host));
		check(whole.method == REQUEST_POST || whole.form.n == 0);
		check_params(&whole.query, &parts.query);
		check_params(&whole.form, &parts.form);
		check(request_cookie(&whole, "barid").n <= whole.cookie.n);
	}
	arena_free(&a);
	arena_free(&b);
	return 0;
}
