/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * feedback_tls -- reports of TLS (RFC 8460 4): JSON.
 *
 * A row for each policy with its sums, and one for each kind of failure of it.  What
 * has another type than it should is not there.
 */

#include "feedback_parts.h"
#include "lib/json.h"
#include "mail/date.h"

/* Octets that are read: a tree of them is many times as large. */
#define TEXT_MAX ((size_t)4 << 20)

struct known {
	const char *member;
	enum feedback_name fact;
};

static void
add_text(struct feedback *f, struct feedback_row *row, enum feedback_name fact,
    const struct json *j)
{
	struct arena a;

	arena_init(&a, 4096);
	feedback_add(f, row, fact, json_text(j, &a));
	arena_free(&a);
}

static void
add_time(struct feedback *f, enum feedback_name fact, const struct json *j)
{
	struct arena a;
	int64_t t;

	arena_init(&a, 4096);
	t = date_parse_iso(json_text(j, &a));
	if (t >= 0)
		feedback_add_number(f, &f->head, fact, (uint64_t)t);
	arena_free(&a);
}

/* In the draft it was one string, in the RFC it is a list of them. */
static const struct json *
first_of(const struct json *j)
{
	return json_items(j) > 0 ? json_item(j, 0) : j;
}

static void
add_failure(struct feedback *f, const struct json *policy, const struct json *failure)
{
	static const struct known members[] = {
		{ "result-type", FACT_RESULT },
		{ "sending-mta-ip", FACT_SENDING_IP },
		{ "receiving-mx-hostname", FACT_RECEIVING_MX },
		{ "receiving-ip", FACT_RECEIVING_IP },
		{ "failed-session-count", FACT_FAILED },
		{ "failure-reason-code", FACT_FAILURE_REASON },
	};
	struct feedback_row *row = feedback_row(f);

	add_text(f, row, FACT_POLICY_DOMAIN, json_member(policy, "policy-domain"));
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		add_text(f, row, members[i].fact, json_member(failure, members[i].member));
}

static void
add_policy(struct feedback *f, const struct json *entry, uint64_t *passed, uint64_t *failed)
{
	const struct json *policy = json_member(entry, "policy");
	const struct json *summary = json_member(entry, "summary");
	const struct json *failures = json_member(entry, "failure-details");
	struct feedback_row *row = feedback_row(f);
	uint64_t ok = json_number(json_member(summary, "total-successful-session-count"));
	uint64_t bad = json_number(json_member(summary, "total-failure-session-count"));

	add_text(f, row, FACT_POLICY_TYPE, json_member(policy, "policy-type"));
	add_text(f, row, FACT_POLICY_DOMAIN, json_member(policy, "policy-domain"));
	add_text(f, row, FACT_MX_HOST, first_of(json_member(policy, "mx-host")));
	feedback_add_number(f, row, FACT_PASSED, ok);
	feedback_add_number(f, row, FACT_FAILED, bad);
	*passed += ok;
	*failed += bad;
	for (size_t i = 0; i < json_items(failures); i++)
		add_failure(f, policy, json_item(failures, i));
}

const char *
feedback_tls(struct feedback *f, struct str text)
{
	const struct json *policies, *range;
	uint64_t passed = 0, failed = 0;
	struct json *j;

	if (text.n > TEXT_MAX)
		return "its JSON is larger than is read";
	if ((j = json_open(text)) == NULL)
		return "its JSON is cut short, or none";
	policies = json_member(j, "policies");
	range = json_member(j, "date-range");
	if (json_items(policies) == 0) {
		json_close(j);
		return "its JSON is no report of TLS";
	}
	f->kind = "tls";
	add_text(f, &f->head, FACT_ORG, json_member(j, "organization-name"));
	add_text(f, &f->head, FACT_CONTACT, json_member(j, "contact-info"));
	add_text(f, &f->head, FACT_REPORT_ID, json_member(j, "report-id"));
	add_time(f, FACT_BEGIN, json_member(range, "start-datetime"));
	add_time(f, FACT_END, json_member(range, "end-datetime"));
	for (size_t i = 0; i < json_items(policies); i++)
		add_policy(f, json_item(policies, i), &passed, &failed);
	feedback_add_number(f, &f->head, FACT_PASSED, passed);
	feedback_add_number(f, &f->head, FACT_FAILED, failed);
	json_close(j);
	return NULL;
}
