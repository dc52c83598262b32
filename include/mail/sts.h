/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_STS_H
#define MAIL_STS_H

/*
 * sts -- MTA-STS: what a domain says of the security of its mail hosts (RFC
 * 8461).  Text that anybody may have written, held against the grammar.
 */

#include "lib/arena.h"
#include "lib/buf.h"

#define STS_ID_MAX 32
#define STS_MX_MAX 100
#define STS_POLICY_MAX 65536	/* octets: 64 KiB */
#define STS_AGE_MAX 31557600	/* seconds: a year (RFC 8461 3.2) */
/* What sts_policy_add() needs for the longest policy. */
#define STS_NORMAL_MAX (STS_MX_MAX * (255 + 6) + 100)

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	enum sts_mode mode;
	int64_t max_age;	/* seconds, at most STS_AGE_MAX */
	const struct str *mx;	/* "mx.example.org", "*.example.org"; none with STS_NONE */
	size_t mx_n;
};

/*
 * The id in the TXT records of _mta-sts.DOMAIN, a view into them; empty if
 * they offer no policy: not exactly one begins as such a record does, or it
 * is broken (RFC 8461 3.1).
 */
struct str sts_record_id(const struct str *txt, size_t n);
/* NULL, or what is wrong with TEXT, static; what P points to is in A. */
const char *sts_policy_parse(struct str text, struct arena *a,
    struct sts_policy *p) MUST_USE;
/* Adds P in a form that says the same when it is parsed again. */
void sts_policy_add(struct buf *b, const struct sts_policy *p);
/* True if HOST is one of P's mail hosts; "*." is one label (RFC 8461 4.1). */
bool sts_policy_has(const struct sts_policy *p, struct str host);
const char *sts_mode_name(enum sts_mode mode);

#endif
