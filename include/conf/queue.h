/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_QUEUE_H
#define CONF_QUEUE_H

/* queue -- the part of the configuration about attempts, and who hears of them. */

#include "conf/types.h"

struct conf_queue {
	uint64_t runners;	/* 0: one for each processor */
	struct conf_times retry;
	int64_t lifetime;
	int64_t bounce_lifetime;	/* of mail with a null sender */
	uint64_t max_attempts;	/* 0: as many as there is time for */
	struct conf_times delay_notice;
	uint64_t per_destination;
	uint64_t per_connection;
	int64_t idle_connection;
	int64_t connect_timeout;
	int64_t reply_timeout;	/* at most; 0: as RFC 5321 has them */
	uint64_t rate;		/* messages in each PER to other hosts; 0: no limit */
	int64_t per;
	bool deliver;		/* false: mail is accepted and waits */
};

struct conf_dsn {
	int ret;		/* enum dsn_ret's RET_FULL or RET_HDRS */
	uint64_t priority;	/* of a report, as mail has one */
	struct conf_strs notify;	/* when who did not say is told */
	/* meaning */
	bool success, failure, delay;
};

struct conf_journal {
	bool enabled;
	int64_t keep;
	bool reports;		/* that come in are read */
	struct conf_strs report_recipients;	/* patterns; empty: whoever is here */
	uint64_t report_rows;	/* a report has so many lines, and one */
};

#endif
