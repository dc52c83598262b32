/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * quota -- `baridctl quota`: how much of their quotas accounts have sent, and
 * a new beginning for one of them.
 *
 * The file is read as it is, whether barid runs or not.  A session wrote it,
 * and so a name in it is shown only if it can be one.
 */

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "policy/quota.h"

struct quotas *
cmd_quotas(const struct conf *c)
{
	struct proc_user u = proc_user(c->user);
	int dir = open(c->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct quotas *q = NULL;

	if (dir < 0)
		return NULL;
	q = quotas_open(dir, u.found ? u.uid : geteuid(), u.found ? u.gid : getegid());
	err = errno;
	close(dir);
	errno = err;
	return q;
}

/* The part of its quota that U is, in per thousand. */
static uint64_t
part(const struct conf *c, const struct quota_use *u)
{
	const struct conf_account *a = quota_of(c, str_c(u->name));

	return a == NULL ? 0 : u->used * 1000 / a->quota;
}

/* A name of mail/sasl.h is text; what JSON would have to escape is not shown, either. */
static bool
can_be_shown(const char *name)
{
	struct str s = str_c(name);

	return s.n > 0 && !str_has_ctl(s) && str_is_utf8(s) && !strpbrk(name, "\"\\");
}

size_t
cmd_quota_list(const struct conf *c, struct quotas *q, struct quota_use *v, size_t max)
{
	int64_t now = clock_wall();
	struct quota_use u;
	size_t n = 0, k;

	for (size_t i = 0; i < QUOTAS_SLOTS; i++) {
		if (!quotas_at(q, i, now, &u) || !can_be_shown(u.name))
			continue;
		for (k = n; k > 0 && part(c, &v[k - 1]) < part(c, &u); k--)
			if (k < max)
				v[k] = v[k - 1];
		if (k < max) {
			v[k] = u;
			n += n < max;
		}
	}
	return n;
}

void
cmd_quota_print(const struct conf *c, const struct quota_use *u, bool json, FILE *out)
{
	const struct conf_account *a = quota_of(c, str_c(u->name));
	char when[32] = "", of[32] = "-";
	time_t at = (time_t)u->until;
	struct buf b;
	struct tm tm;

	if (json) {
		fprintf(out, "{\"user\":\"%s\",\"used\":%llu,\"quota\":%llu,\"until\":%lld,"
		    "\"refused\":%s}", u->name, (unsigned long long)u->used,
		    (unsigned long long)(a ? a->quota : 0), (long long)u->until,
		    u->bitten ? "true" : "false");
		return;
	}
	if (localtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	buf_init(&b, sizeof(of));
	buf_addf(&b, "%llu", (unsigned long long)(a ? a->quota : 0));
	memcpy(of, a ? buf_cstr(&b) : "-", a ? b.n + 1 : 2);
	buf_free(&b);
	fprintf(out, "%-32s %10llu %10s  %-19s%s\n", u->name, (unsigned long long)u->used, of,
	    when, u->bitten ? "  refused" : "");
}

void
cmd_quota_head(FILE *out)
{
	fprintf(out, "%-32s %10s %10s  %s\n", "ACCOUNT", "SENT", "QUOTA", "UNTIL");
}

static int
list(const struct ctl *t, struct quotas *q, const char *name)
{
	struct quota_use *v = mem_alloc(QUOTAS_SLOTS * sizeof(*v));
	size_t n = cmd_quota_list(t->conf, q, v, QUOTAS_SLOTS), shown = 0;
	char room[QUOTAS_NAME_MAX + 1];

	if (t->json)
		putchar('[');
	else
		cmd_quota_head(stdout);
	for (size_t i = 0; i < n; i++) {
		if (name != NULL && !str_ieq(quotas_name(str_c(name), room), str_c(v[i].name)))
			continue;
		if (t->json && shown > 0)
			fputs(",\n ", stdout);
		cmd_quota_print(t->conf, &v[i], t->json, stdout);
		shown++;
	}
	if (t->json)
		puts("]");
	mem_free(v);
	return EX_OK;
}

static int
reset(const struct ctl *t, struct quotas *q, const char *name)
{
	bool any = quotas_clear(q, str_c(name), clock_wall());

	if (t->json)
		printf("{\"ok\":%s}\n", any ? "true" : "false");
	if (!any)
		fprintf(stderr, "baridctl: %s has sent nothing that was counted\n", name);
	return any ? EX_OK : EX_NOUSER;
}

int
ctl_quota(struct ctl *t, int argc, char **argv)
{
	bool resets = argc > 0 && strcmp(argv[0], "reset") == 0;
	struct quotas *q;
	int code;

	if (resets ? argc != 2 : argc > 1)
		return ctl_usage();
	if ((q = cmd_quotas(t->conf)) == NULL) {
		fprintf(stderr, "baridctl: %s/" QUOTAS_FILE ": %s\n", t->conf->spool,
		    strerror(errno));
		return EX_NOPERM;
	}
	code = resets ? reset(t, q, argv[1]) : list(t, q, argc > 0 ? argv[0] : NULL);
	quotas_free(q);
	return code;
}
