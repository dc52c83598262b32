/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sts -- the MTA-STS policy of a domain (RFC 8461 3.3, 5.1).
 *
 * A policy that is kept and not too old stays in force whatever DNS says or
 * does not say: whoever can make a TXT record vanish could else make TLS
 * vanish.  The record only tells that there is a newer one.  Then, and where
 * none is kept, the answer of barid-http is waited for; a policy that is old
 * but good is used at once, and fetched anew beside.
 */

#include "sts.h"

#include <errno.h>

#include "ask.h"
#include "ipc/msg.h"
#include "ipc/policies.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "runner.h"

/* The helper gives up after sixty seconds, and may have had to wait. */
#define ANSWER_MS 75000
#define ARENA_MAX ((size_t)1 << 20)
/* A clock that was wrong must not keep a policy for ever. */
#define AHEAD_MAX_S 86400

struct find {
	struct runner *r;
	char *domain;
	char id[STS_ID_MAX + 1];	/* in DNS; "": none */
	struct arena arena;
	struct sts_policy kept;
	bool has_kept;
	void (*fn)(void *arg, const struct sts_policy *p);
	void *arg;
};

static void
find_end(struct find *f, const struct sts_policy *p)
{
	f->fn(f->arg, p);
	arena_free(&f->arena);
	mem_free(f->domain);
	mem_free(f);
}

/* ---- asking the helper ------------------------------------------------------------- */

static void
ask_for(struct find *f, void (*fn)(void *arg, struct str answer), void *arg)
{
	struct msg_sts m = { str_c(f->domain), str_c(f->id) };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_sts_put(&b, &m);
	ask_start(f->r, f->r->http, buf_str(&b), ANSWER_MS, fn, arg);
	buf_free(&b);
}

static void
on_refreshed(void *arg, struct str answer)
{
	/* It is on the disk now, for the next time. */
	(void)arg;
	(void)answer;
}

static void
on_answer(void *arg, struct str answer)
{
	struct find *f = arg;
	struct msg_sts_result m;
	struct sts_policy p;
	const char *why = "no answer";

	if (msg_sts_result_get(answer, &m)) {
		if (m.ok)
			why = sts_policy_parse(m.text, &f->arena, &p);
		else
			why = arena_cstr(&f->arena, m.text);
	}
	if (why == NULL) {
		find_end(f, &p);
		return;
	}
	log_warn(NULL, "MTA-STS policy of %s: cannot be fetched: %s%s",
	    f->domain, why, f->has_kept ? ": the one that is kept is used" : "");
	find_end(f, f->has_kept ? &f->kept : NULL);
}

/* ---- what is kept ------------------------------------------------------------------ */

/* Reads the policy that is kept.  True: it is good, and *OLD if half used. */
static bool
read_kept(struct find *f, struct policy_file *file, bool *old)
{
	int64_t now = clock_wall(), age;

	if (f->r->policies < 0 ||
	    policies_get(f->r->policies, str_c(f->domain), file) < 0)
		return false;
	if (sts_policy_parse(buf_str(&file->text), &f->arena, &f->kept) != NULL)
		return false;
	age = now - file->fetched;
	*old = age > f->kept.max_age / 2 || age < 0;
	return age <= f->kept.max_age && age >= -AHEAD_MAX_S;
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	struct find *f = arg;
	struct policy_file file = { .fetched = 0 };
	struct str id = STR("");
	bool old = false;

	if (a->status == DNS_OK)
		id = sts_record_id(a->text, a->text_n);
	memcpy(f->id, id.p, id.n);
	f->has_kept = read_kept(f, &file, &old);
	if (f->has_kept && (id.n == 0 || strcmp(f->id, file.id) == 0)) {
		if (old && id.n > 0)
			ask_for(f, on_refreshed, NULL);
		find_end(f, &f->kept);
	} else if (id.n == 0) {
		find_end(f, NULL);
	} else {
		ask_for(f, on_answer, f);
	}
	buf_free(&file.text);
}

void
sts_find(struct runner *r, const char *domain,
    void (*fn)(void *arg, const struct sts_policy *p), void *arg)
{
	struct find *f = mem_alloc(sizeof(*f));
	struct buf name;

	f->r = r;
	f->domain = mem_dup(str_c(domain));
	f->fn = fn;
	f->arg = arg;
	arena_init(&f->arena, ARENA_MAX);
	buf_init(&name, 1024);
	buf_addf(&name, "_mta-sts.%s", domain);
	dns_txt(r->dns, buf_cstr(&name), on_txt, f);
	buf_free(&name);
}
