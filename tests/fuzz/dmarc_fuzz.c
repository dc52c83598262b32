/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: what sessions say of messages for reports, and where strangers want these.
 *
 * A row that is read and written again says the same; what is made of it has no
 * tag that is not of ours; an address is one that can stand in an envelope.
 *
 * Parsers: mail/dmarc_row.c mail/dmarc_rua.c.
 */

#include "fuzz.h"

#include "mail/dmarc_report.h"
#include "mail/dmarc_rua.h"

/* Every tag of the record has its end, and nothing else is between "<" and ">". */
static void
check_xml(struct str xml)
{
	int depth = 0;

	for (size_t i = 0; i < xml.n; i++) {
		check((unsigned char)xml.p[i] >= ' ' || xml.p[i] == '\n');
		if (xml.p[i] != '<')
			continue;
		depth += i + 1 < xml.n && xml.p[i + 1] == '/' ? -1 : 1;
		check(depth >= 0);
	}
	check(depth == 0);
}

static void
row(struct str line)
{
	struct dmarc_row r, again;
	struct buf b, xml;

	if (!dmarc_row_parse(line, &r))
		return;
	check(r.domain.n > 0 && r.signature_n <= DMARC_SIGNATURES_MAX);
	buf_init(&b, DMARC_ROW_MAX);
	buf_init(&xml, 1 << 20);
	dmarc_row_add(&b, &r);
	check(buf_ok(&b) && dmarc_row_parse(buf_str(&b), &again));
	check(again.rest == r.rest && again.signature_n == r.signature_n &&
	    again.disposition == r.disposition && again.reason == r.reason &&
	    again.dkim == r.dkim && again.spf == r.spf &&
	    str_ieq(again.header_from, r.header_from) &&
	    str_ieq(again.spf_result, r.spf_result));
	if (!r.rest)
		dmarc_report_row(&xml, &r, 1);
	check_xml(buf_str(&xml));
	buf_free(&xml);
	buf_free(&b);
}

static void
rua(struct str list)
{
	struct path v[DMARC_RUA_MAX];
	struct arena a;
	size_t n;

	arena_init(&a, 65536);
	n = dmarc_rua_parse(list, &a, v);
	check(n <= DMARC_RUA_MAX);
	for (size_t i = 0; i < n; i++)
		check(v[i].local.n > 0 && domain_valid(v[i].domain) &&
		    !str_has_ctl(v[i].local));
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str input = str_n((const char *)data, n);

	row(input);
	rua(input);
	return 0;
}
