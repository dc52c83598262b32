/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics -- the counters of the scoreboard, in the text format of Prometheus
 * (0.0.4).  Nobody is asked for them, so that it costs nothing to read them often.
 * No label has an address, a name or a queue id.
 */

#include "admin.h"

#include "answer.h"
#include "config.h"

static const struct metric {
	enum score_counter counter;
	const char *name, *type, *help;
	const char *labels;	/* with their braces, or "" */
} metrics[] = {
	{ COUNT_CONNECTIONS, "barid_sessions_total", "counter",
	    "Connections of clients that were let in.", "" },
	{ COUNT_REFUSED, "barid_connections_refused_total", "counter",
	    "Connections of clients that were turned away.", "" },
	{ COUNT_MESSAGES_IN, "barid_messages_received_total", "counter",
	    "Messages that were accepted.", "" },
	{ COUNT_REPORTS_IN, "barid_reports_received_total", "counter",
	    "Delivery reports that came back for mail of ours.", "" },
	{ COUNT_RCPT_REJECTED, "barid_recipients_rejected_total", "counter",
	    "Recipients that were refused.", "" },
	{ COUNT_RATE_LIMITED, "barid_rate_limited_total", "counter",
	    "What clients were told to bring later, since a rate was used up.", "" },
	{ COUNT_AUTH_OK, "barid_auth_attempts_total", "counter",
	    "Logins.", "{result=\"ok\"}" },
	{ COUNT_AUTH_FAILED, "barid_auth_attempts_total", "counter",
	    "Logins.", "{result=\"failed\"}" },
	{ COUNT_DELIVERED, "barid_deliveries_total", "counter",
	    "Attempts at recipients, by what came of them.", "{status=\"sent\"}" },
	{ COUNT_DEFERRED, "barid_deliveries_total", "counter",
	    "Attempts at recipients, by what came of them.", "{status=\"deferred\"}" },
	{ COUNT_BOUNCED, "barid_deliveries_total", "counter",
	    "Attempts at recipients, by what came of them.", "{status=\"bounced\"}" },
	{ COUNT_RUNNER_QUEUED, "barid_queue_messages", "gauge",
	    "Messages that the runners have in their queues.", "" },
	{ COUNT_RUNNER_ACTIVE, "barid_queue_active_messages", "gauge",
	    "Messages that are attempted now.", "" },
	{ COUNT_CONNECTIONS_OUT, "barid_connections_out", "gauge",
	    "Connections to other servers.", "" },
	{ COUNT_CRASHES, "barid_session_crashes_total", "counter",
	    "Sessions that crashed.", "" },
	{ COUNT_JOURNAL_LOST, "barid_journal_lines_lost_total", "counter",
	    "Lines that the journal could not take.", "" },
};

static void
add_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
metrics_page(struct visit *v, struct answer *answer)
{
	struct buf *b = &answer->body;

	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	add_head(b, "barid_up", "gauge", "Whether barid runs.");
	buf_adds(b, "barid_up 1\n");
	add_head(b, "barid_build_info", "gauge", "Which barid it is.");
	buf_adds(b, "barid_build_info{version=\"" BARID_VERSION "\"} 1\n");
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
		const struct metric *m = &metrics[i];

		if (i == 0 || strcmp(metrics[i - 1].name, m->name) != 0)
			add_head(b, m->name, m->type, m->help);
		buf_addf(b, "%s%s %llu\n", m->name, m->labels,
		    (unsigned long long)score_get(v->a->score, m->counter));
	}
}
