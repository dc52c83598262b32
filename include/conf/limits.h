/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_LIMITS_H
#define CONF_LIMITS_H

/* limits -- how much, how many and how fast; see conf/conf.h. */

#include "conf/types.h"

enum conf_early { EARLY_NOTE, EARLY_REFUSE };

/* In the order in which they are asked. */
enum conf_rate_kind { RATE_CLIENT, RATE_USER, RATE_SENDER, RATE_RECIPIENT, RATE_ALL, RATE_KINDS };

/* So many of each in a time. */
struct conf_rate {
	const char *name;
	struct conf_place place;
	uint64_t messages, recipients;	/* 0: no limit */
	int64_t per;
	/* meaning */
	int kind;		/* enum conf_rate_kind, what NAME says */
};

struct conf_limits {
	uint64_t connections;
	uint64_t connections_in;
	uint64_t connections_out;
	uint64_t connections_per_address;
	uint64_t message_size;
	uint64_t recipients;
	uint64_t errors;
	int64_t timeout;
	uint64_t queued;	/* messages; 0: no limit */
	uint64_t received_hops;
	int64_t greet_delay;	/* before the greeting; 0: none */
	int early_talkers;	/* enum conf_early */
	int64_t tarpit_delay;	/* for each unknown recipient; 0: none */
	struct conf_rate *rates;
	size_t rate_n;
	uint64_t programs;	/* at once, of each route */
	int64_t program_time;
};

#endif
