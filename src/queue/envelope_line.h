/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_ENVELOPE_LINE_H
#define QUEUE_ENVELOPE_LINE_H

/* envelope_line -- the words of the envelope that writer and reader share. */

#include "queue/envelope.h"

/* The first line while it is not sealed, and where its numbers stand. */
#define FIRST_LINE \
	"barid-1 env=....... sum=........ size=............ crc=........\n"
#define FIRST_LEN (sizeof(FIRST_LINE) - 1)
#define FIRST_LENGTH_AT 12
#define FIRST_LENGTH_N 7
#define FIRST_SUM_AT 24
#define FIRST_SUM_N 8
#define FIRST_SIZE_AT 38
#define FIRST_SIZE_N 12
#define FIRST_CRC_AT 55
#define FIRST_CRC_N 8

/*
 * True if BLOCK, an envelope, is one whose message is not complete, or no more:
 * the first octet of the last number is none.
 */
bool envelope_is_open(struct str block);

#define RCPT_KEY "rcpt: "
#define RCPT_STATES "QDSFB"
#define DELAYS_KEY "delays: "
#define DELAYS_LEN 2
#define PAD_KEY "pad: "

/* "8BITMIME", "FULL"; empty where nothing was said. */
const char *envelope_body_name(enum body_type body);
const char *envelope_ret_name(enum dsn_ret ret);
const char *envelope_tls_name(enum tls_wish wish);
/* True if KEY has a member of struct envelope, so that it is no extra. */
bool envelope_key_known(struct str key);

#endif
