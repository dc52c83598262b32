/* SPDX-License-Identifier: GPL-3.0-or-later */

/* message_test -- envelopes with and without PIPELINING, and their outcomes. */

#include "dialogue.h"

#define HI "S:220 hello\nC:EHLO me.test\nS:250-peer\n"
#define SLOW HI "S:250 HELP\n"
#define FAST HI "S:250 PIPELINING\n"
#define MAIL "C:MAIL FROM:<a@x.test>\n"
#define RCPT(n) "C:RCPT TO:<" n "@y.test>\n"
#define TEXT "C:one\nC:.\n"
#define BOTH2(step, words) \
	"rcpt 0 temp " step " 0 4.4.2 " words "\n" \
	"rcpt 1 temp " step " 0 4.4.2 " words "\nend\n" \
	"close temp " step " 0 4.4.2 " words "\n"

static const struct client_rcpt to[] = {
	{ .path = PATH("b", "y.test") },
	{ .path = PATH("c", "y.test") },
	{ .path = PATH("d", "y.test") },
};

static const struct client_rcpt to_dsn[] = {
	{ .path = PATH("b", "y.test"),
	    .notify = NOTIFY_SUCCESS | NOTIFY_DELAY,
	    .orcpt = LIT("rfc822;B+2Bx@y.test") },
	{ .path = PATH("c d", "y.test"), .notify = NOTIFY_NEVER },
	{ .path = PATH("d", "[192.0.2.1]"), .orcpt = LIT("x\r\nRSET") },
};

static const struct client_rcpt to_utf8[] = {
	{ .path = PATH("j\303\266rg", "y.test") },
};

static const struct client_rcpt to_utf8_dsn[] = {
	{ .path = PATH("b", "y.test"), .orcpt = LIT("utf-8;j\303\266rg@y") },
	{ .path = PATH("c", "y.test"), .orcpt = LIT("utf-8;\266\303") },
};

#define M(count) \
	.m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = (count) }, \
	.text = "one\r\n"

static const struct dialogue one[] = {
	{ "step by step", M(1),
	    .script = SLOW MAIL "X:time 300000\nS:250 ok\n" RCPT("b")
	    "X:time 300000\nS:250 ok\nC:DATA\nX:time 120000\nS:354 go\n" TEXT
	    "X:time 600000\nS:250 2.0.0 queued\nX:time 0\n",
	    .events = "ready\nrcpt 0 ok text 250 2.0.0 queued\nend\nready\n" },
	{ "in one go", M(1),
	    .script = FAST MAIL RCPT("b") "C:DATA\nX:time 300000\nS:250 ok\n"
	    "X:time 300000\nS:250 ok\nX:time 120000\nS:354 go\n" TEXT
	    "X:time 600000\nS:250 queued\n",
	    .events = "ready\nrcpt 0 ok text 250 queued\nend\nready\n" },
	{ "PIPELINING that is not trusted", M(1),
	    .o = { .ignore = EXT_PIPELINING },
	    .script = FAST MAIL "S:250\n" RCPT("b")
	    "S:250\nC:DATA\nS:354\n" TEXT "S:250\n",
	    .events = "ready\nrcpt 0 ok text 250\nend\nready\n" },
	{ "replies to the envelope in one piece", M(3),
	    .script = FAST MAIL RCPT("b") RCPT("c") RCPT("d") "C:DATA\n"
	    "S:250 ok\nS:250-b\nS:250 b\nS:250 c\nS:250 d\nS:354 go\n" TEXT
	    "S:250 in\nX:quit\nC:QUIT\nS:221 bye\n",
	    .events = "ready\nrcpt 0 ok text 250 in\nrcpt 1 ok text 250 in\n"
	    "rcpt 2 ok text 250 in\nend\nready\nclose ok quit 221 bye\n" },
	{ "each its own outcome, in one go", M(3),
	    .script = FAST MAIL RCPT("b") RCPT("c") RCPT("d") "C:DATA\n"
	    "S:250\nS:450 4.2.1 later\nS:250\nS:550 5.1.1 nobody\nS:354\n"
	    TEXT "S:250 in\n",
	    .events = "ready\nrcpt 0 temp rcpt 450 4.2.1 later\n"
	    "rcpt 2 perm rcpt 550 5.1.1 nobody\nrcpt 1 ok text 250 in\n"
	    "end\nready\n" },
	{ "each its own outcome, step by step", M(3),
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:450 later\n" RCPT("c")
	    "S:250\n" RCPT("d") "S:550 nobody\nC:DATA\nS:354\n" TEXT
	    "S:250 in\n",
	    .events = "ready\nrcpt 0 temp rcpt 450 later\n"
	    "rcpt 2 perm rcpt 550 nobody\nrcpt 1 ok text 250 in\n"
	    "end\nready\n" },
	{ "too many recipients", M(3),
	    .script = FAST MAIL RCPT("b") RCPT("c") RCPT("d") "C:DATA\n"
	    "S:250\nS:250\nS:552 too many\nS:552 5.2.2 full\nS:354\n"
	    TEXT "S:250 in\n",
	    .events = "ready\nrcpt 1 temp rcpt 552 too many\n"
	    "rcpt 2 perm rcpt 552 5.2.2 full\nrcpt 0 ok text 250 in\n"
	    "end\nready\n" },
	{ "552 to the first is final", M(1),
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:552 full\n",
	    .events = "ready\nrcpt 0 perm rcpt 552 full\nend\nready\n" },
	{ "unusual codes count by their first digit", M(2),
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:299\nS:251 elsewhere\nS:599 what\nS:399\n" TEXT "S:287 hm\n",
	    .events = "ready\nrcpt 1 perm rcpt 599 what\n"
	    "rcpt 0 ok text 287 hm\nend\nready\n" },
	{ "the null path", .m = { .rcpts = to, .rcpt_n = 1 },
	    .script = SLOW "C:MAIL FROM:<>\nS:250\n" RCPT("b") "S:250\n"
	    "C:DATA\nS:354\nC:.\nS:250\n",
	    .events = "ready\nrcpt 0 ok text 250\nend\nready\n" },
	{ "nobody", M(0), .script = SLOW, .events = "ready\nend\nready\n" },
};

static const struct dialogue refused[] = {
	{ "MAIL refused, step by step; the next begins with RSET", M(2),
	    .messages = 2,
	    .script = SLOW MAIL "S:550 5.7.1 not you\nC:RSET\nS:250\n" MAIL
	    "S:451 later\n",
	    .events = "ready\nrcpt 0 perm mail 550 5.7.1 not you\n"
	    "rcpt 1 perm mail 550 5.7.1 not you\nend\nready\n"
	    "rcpt 0 temp mail 451 later\nrcpt 1 temp mail 451 later\nend\n"
	    "ready\n" },
	{ "MAIL refused, in one go", M(2), .messages = 2,
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:550 not you\nS:503\nS:503\nS:503\n"
	    "C:RSET\n" MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:250\nS:250\nS:250\nS:250\nS:354\n" TEXT "S:250\n",
	    .events = "ready\nrcpt 0 perm mail 550 not you\n"
	    "rcpt 1 perm mail 550 not you\nend\nready\n"
	    "rcpt 0 ok text 250\nrcpt 1 ok text 250\nend\nready\n" },
	{ "MAIL refused, and DATA taken all the same", M(1), .messages = 2,
	    .script = FAST MAIL RCPT("b") "C:DATA\n"
	    "S:550 not you\nS:250\nS:354\nC:.\nX:time 600000\nS:250 sure\n"
	    MAIL RCPT("b") "C:DATA\nS:250\nS:250\nS:354\n" TEXT "S:250\n",
	    .events = "ready\nrcpt 0 perm mail 550 not you\nend\nready\n"
	    "rcpt 0 ok text 250\nend\nready\n" },
	{ "RSET refused is no matter", M(1), .messages = 2,
	    .script = SLOW MAIL "S:550\nC:RSET\nS:502 what\n" MAIL "S:550\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n"
	    "rcpt 0 perm mail 550\nend\nready\n" },
	{ "all refused, step by step", M(2), .messages = 2,
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:550 b\n" RCPT("c")
	    "S:450 c\nC:RSET\nS:250\n" MAIL "S:550\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 temp rcpt 450 c\nend\nready\n"
	    "rcpt 0 perm mail 550\nrcpt 1 perm mail 550\nend\nready\n" },
	{ "all refused, in one go, and DATA too", M(2), .messages = 2,
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:250\nS:550 b\nS:450 c\nS:554 nobody\n"
	    "C:RSET\n" MAIL RCPT("b") RCPT("c") "C:DATA\nX:quit\nX:eof\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 temp rcpt 450 c\nend\nready\n"
	    "rcpt 0 temp rset 0 4.4.2 connection lost while saying RSET\n"
	    "rcpt 1 temp rset 0 4.4.2 connection lost while saying RSET\n"
	    "end\nclose temp rset 0 4.4.2 connection lost while saying RSET\n" },
	{ "all refused, but DATA is not: an empty text", M(2), .messages = 2,
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:250\nS:550 b\nS:550 c\nS:354\nC:.\nS:554 nobody\n"
	    MAIL RCPT("b") RCPT("c") "C:DATA\nX:eof\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 perm rcpt 550 c\nend\nready\n"
	    "rcpt 0 temp mail 0 4.4.2 connection lost while sending MAIL FROM\n"
	    "rcpt 1 temp mail 0 4.4.2 connection lost while sending MAIL FROM\n"
	    "end\nclose temp mail 0 4.4.2 connection lost while sending MAIL"
	    " FROM\n" },
	{ "DATA refused", M(2),
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\n"
	    "S:250\nS:250\nS:550 c\nS:451 4.3.0 no room\n",
	    .events = "ready\nrcpt 1 perm rcpt 550 c\n"
	    "rcpt 0 temp data 451 4.3.0 no room\nend\nready\n" },
	{ "QUIT while a message is under way", M(1), .messages = 2,
	    .script = SLOW MAIL "X:quit\nS:550 no\nC:QUIT\nS:221\n",
	    .events = "ready\nrcpt 0 perm mail 550 no\nend\n"
	    "close ok quit 221\n" },
};

#define BOTH(what) "rcpt 0 " what "rcpt 1 " what "end\nclose " what

static const struct dialogue broken[] = {
	{ "421 to MAIL", M(2),
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\nS:421 bye\n",
	    .events = "ready\n" BOTH("temp mail 421 bye\n") },
	{ "421 to a recipient", M(2),
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\nS:250\nS:250\n"
	    "S:421 bye\n",
	    .events = "ready\n" BOTH("temp rcpt 421 bye\n") },
	{ "421 to DATA", M(2),
	    .script = FAST MAIL RCPT("b") RCPT("c") "C:DATA\nS:250\nS:550 b\n"
	    "S:250\nS:421 bye\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 temp data 421 bye\nend\nclose temp data 421 bye\n" },
	{ "lost at a recipient", M(2),
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:550 no\n" RCPT("c")
	    "X:reset\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 no\n"
	    "rcpt 1 temp rcpt 0 4.4.2 connection lost while sending RCPT TO:"
	    " Connection reset by peer\nend\n"
	    "close temp rcpt 0 4.4.2 connection lost while sending RCPT TO:"
	    " Connection reset by peer\n" },
	{ "no reply to DATA", M(2),
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:250\n" RCPT("c")
	    "S:250\nC:DATA\nX:expire\n",
	    .events = "ready\n" BOTH("temp data 0 4.4.2 timed out while"
	    " sending DATA\n") },
	{ "lost when all was refused already", M(1),
	    .script = FAST MAIL RCPT("b") "C:DATA\nS:250\nS:550 no\nX:eof\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 no\nend\n"
	    "close temp data 0 4.4.2 connection lost while sending DATA\n" },
	/* RFC 5321 4.2.1, 4.3.2: what is not known counts by its first digit. */
	{ "only the first digit counts", M(3),
	    .script = FAST MAIL RCPT("b") RCPT("c") RCPT("d") "C:DATA\n"
	    "S:299\nS:277 2.9.9\nS:489\nS:599 x\nS:399\n" TEXT "S:258\n",
	    .events = "ready\nrcpt 1 temp rcpt 489\nrcpt 2 perm rcpt 599 x\n"
	    "rcpt 0 ok text 258\nend\nready\n" },
	{ "354 to MAIL", M(2), .script = SLOW MAIL "S:354\n",
	    .events = "ready\n" BOTH("temp mail 0 4.5.0 protocol error: code"
	    " 3xx where none belongs\n") },
	{ "354 to RCPT", M(2), .script = SLOW MAIL "S:250\n" RCPT("b")
	    "S:354\n",
	    .events = "ready\n" BOTH("temp rcpt 0 4.5.0 protocol error: code"
	    " 3xx where none belongs\n") },
	{ "354 to RSET", M(1), .messages = 2,
	    .script = SLOW MAIL "S:550\nC:RSET\nS:354\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n"
	    "rcpt 0 temp rset 0 4.5.0 protocol error: code 3xx where none"
	    " belongs\nend\nclose temp rset 0 4.5.0 protocol error: code 3xx"
	    " where none belongs\n" },
	{ "250 to DATA", M(2), .script = FAST MAIL RCPT("b") RCPT("c")
	    "C:DATA\nS:250\nS:250\nS:250\nS:250\n",
	    .events = "ready\n" BOTH("temp data 0 4.5.0 protocol error: code"
	    " 2xx to DATA\n") },
	{ "no reply at all", M(2), .script = FAST MAIL RCPT("b") RCPT("c")
	    "C:DATA\nS:250\ns:2\nS:\n",
	    .events = "ready\n" BOTH("temp rcpt 0 4.5.0 protocol error: not a"
	    " reply: 2\n") },
};

static const struct dialogue extensions[] = {
	{ "SIZE, BODY and DSN", .text = "\200\r\n",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to_dsn, .rcpt_n = 3,
		.eight_bit = true, .ret = RET_HDRS, .envid = LIT("id+20") },
	    .script = HI "S:250-SIZE 3\nS:250-8BITMIME\nS:250-DSN\n"
	    "S:250 PIPELINING\n"
	    "C:MAIL FROM:<a@x.test> SIZE=3 BODY=8BITMIME RET=HDRS ENVID=id+20\n"
	    "C:RCPT TO:<b@y.test> NOTIFY=SUCCESS,DELAY"
	    " ORCPT=rfc822;B+2Bx@y.test\n"
	    "C:RCPT TO:<\"c d\"@y.test> NOTIFY=NEVER\n"
	    "C:RCPT TO:<d@[192.0.2.1]>\nC:DATA\n"
	    "S:250\nS:250\nS:550 no\nS:250\nS:354\nC:\200\nC:.\nS:250 in\n",
	    .events = "ready\nrcpt 1 perm rcpt 550 no\n"
	    "rcpt 0 ok text dsn 250 in\nrcpt 2 ok text dsn 250 in\nend\n"
	    "ready\n" },
	{ "the same without them", .text = "x\r\n",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to_dsn, .rcpt_n = 1,
		.ret = RET_FULL, .envid = LIT("id+20") },
	    .script = SLOW MAIL "S:250\n" RCPT("b") "S:250\nC:DATA\nS:354\n"
	    "C:x\nC:.\nS:250\n",
	    .events = "ready\nrcpt 0 ok text 250\nend\nready\n" },
	{ "RET=FULL, and 7-bit text says nothing of BODY", M(1),
	    .m.ret = RET_FULL,
	    .script = HI "S:250-8BITMIME\nS:250 DSN\n"
	    "C:MAIL FROM:<a@x.test> RET=FULL\nX:eof\n",
	    .events = "ready\nrcpt 0 temp mail 0 4.4.2 connection lost while"
	    " sending MAIL FROM\nend\nclose temp mail 0 4.4.2 connection lost"
	    " while sending MAIL FROM\n" },
	{ "SIZE without a number", M(1),
	    .script = HI "S:250 SIZE\nC:MAIL FROM:<a@x.test> SIZE=5\n"
	    "S:552 5.3.4 too big\n",
	    .events = "ready\nrcpt 0 perm mail 552 5.3.4 too big\nend\n"
	    "ready\n" },
	{ "SIZE 0 is no limit", M(1),
	    .script = HI "S:250 SIZE 0\nC:MAIL FROM:<a@x.test> SIZE=5\n"
	    "S:552\n",
	    .events = "ready\nrcpt 0 perm mail 552\nend\nready\n" },
	{ "too large: not a word", M(2), .messages = 2,
	    .script = HI "S:250 SIZE 4\n",
	    .events = "ready\n"
	    "rcpt 0 perm mail 0 5.3.4 a message of 5 octets is above the"
	    " server's limit of 4\n"
	    "rcpt 1 perm mail 0 5.3.4 a message of 5 octets is above the"
	    " server's limit of 4\nend\nready\n"
	    "rcpt 0 perm mail 0 5.3.4 a message of 5 octets is above the"
	    " server's limit of 4\n"
	    "rcpt 1 perm mail 0 5.3.4 a message of 5 octets is above the"
	    " server's limit of 4\nend\nready\n" },
	{ "8-bit text without 8BITMIME", M(1), .m.eight_bit = true,
	    .script = SLOW,
	    .events = "ready\nrcpt 0 perm mail 0 5.6.3 the message has 8-bit"
	    " text, which the server does not take\nend\nready\n" },
	{ "what the caller knows better", M(1),
	    .m.unfit = "its header has 8-bit text",
	    .script = HI "S:250 8BITMIME\n",
	    .events = "ready\nrcpt 0 perm mail 0 5.6.3 its header has 8-bit"
	    " text\nend\nready\n" },
	{ "wishes that nobody knows",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = 1,
		.requiretls = true, .priority = -3, .by = "60;RT",
		.auth = LIT("<>") },
	    .text = "one\r\n",
	    .script = HI "S:250-REQUIRETLS\nS:250 HELP\n" MAIL "S:550\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n" },
	{ "wishes that are known, but to somebody who does not know us",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = 1,
		.priority = 9, .by = "60;RT", .auth = LIT("<>") },
	    .text = "one\r\n",
	    .script = HI "S:250-MT-PRIORITY MIXER\nS:250-AUTH PLAIN\n"
	    "S:250 DELIVERBY 10\n"
	    "C:MAIL FROM:<a@x.test> MT-PRIORITY=9 BY=60;RT\nS:550\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n" },
	{ "REQUIRETLS is offered under TLS",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = 1,
		.requiretls = true, .only_requiretls = true },
	    .o = { .tls_already = true },
	    .text = "one\r\n",
	    .script = HI "S:250 REQUIRETLS\n"
	    "C:MAIL FROM:<a@x.test> REQUIRETLS\nS:550\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n" },
	{ "REQUIRETLS that is offered in the clear counts for nothing", M(1),
	    .m.requiretls = true, .m.only_requiretls = true,
	    .script = HI "S:250 REQUIRETLS\n",
	    .events = "ready\nrcpt 0 temp mail 0 4.7.30 the message requires "
	    "TLS on its whole way, and the server does not offer REQUIRETLS\n"
	    "end\nready\n" },
	{ "a time that nobody would see to", M(1),
	    .m.only_deliverby = true, .m.by = "60;R",
	    .script = HI "S:250 MT-PRIORITY\n",
	    .events = "ready\nrcpt 0 temp mail 0 4.3.3 the message is to be "
	    "returned when a time is over, and the server does not offer "
	    "DELIVERBY\nend\nready\n" },
	{ "a time that somebody sees to", M(1),
	    .m.only_deliverby = true, .m.by = "60;R",
	    .script = HI "S:250 DELIVERBY\nC:MAIL FROM:<a@x.test> BY=60;R\nS:550\n",
	    .events = "ready\nrcpt 0 perm mail 550\nend\nready\n" },
	{ "SMTPUTF8 that is not offered", M(1), .m.smtputf8 = true,
	    .script = SLOW,
	    .events = "ready\nrcpt 0 perm mail 0 5.6.7 the message has UTF-8"
	    " addresses or header, which the server does not take\nend\n"
	    "ready\n" },
	{ "a UTF-8 address where that is not offered",
	    .m = { .rcpts = to_utf8, .rcpt_n = 1 }, .script = SLOW,
	    .events = "ready\nrcpt 0 perm mail 0 5.6.7 the message has UTF-8"
	    " addresses or header, which the server does not take\nend\n"
	    "ready\n" },
	{ "an original recipient in UTF-8, for who takes it",
	    .m = { .rcpts = to_utf8_dsn, .rcpt_n = 2, .smtputf8 = true },
	    .script = HI "S:250-SMTPUTF8\nS:250-DSN\nS:250 PIPELINING\n"
	    "C:MAIL FROM:<> SMTPUTF8\nC:RCPT TO:<b@y.test> ORCPT=utf-8;j\303\266rg@y\n"
	    "C:RCPT TO:<c@y.test>\nC:DATA\nS:550\nS:503\nS:503\nS:503\n",
	    .events = "ready\nrcpt 0 perm mail 550\nrcpt 1 perm mail 550\nend\n"
	    "ready\n" },
	{ "and for who does not", .m = { .rcpts = to_utf8_dsn, .rcpt_n = 2 },
	    .script = HI "S:250-DSN\nS:250 PIPELINING\n"
	    "C:MAIL FROM:<>\nC:RCPT TO:<b@y.test> ORCPT=utf-8;j\\x{F6}rg@y\n"
	    "C:RCPT TO:<c@y.test>\nC:DATA\nS:550\nS:503\nS:503\nS:503\n",
	    .events = "ready\nrcpt 0 perm mail 550\nrcpt 1 perm mail 550\nend\n"
	    "ready\n" },
	{ "SMTPUTF8", .m = { .rcpts = to_utf8, .rcpt_n = 1 },
	    .script = HI "S:250 SMTPUTF8\nC:MAIL FROM:<> SMTPUTF8\nS:250\n"
	    "C:RCPT TO:<j\303\266rg@y.test>\nS:550 no\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 no\nend\nready\n" },
};

#define CHUNKS HI "S:250-CHUNKING\nS:250-BINARYMIME\nS:250 PIPELINING\n"
#define CHUNK(count) M(count), .m.chunk = true
/* The first text goes by DATA, which shows what the offers are worth. */
#define FIRST \
	CHUNKS MAIL RCPT("b") RCPT("c") "C:DATA\n" \
	"S:250\nS:250\nS:250\nS:354\n" TEXT "S:250 1\n" \
	MAIL RCPT("b") RCPT("c") "C:BDAT 5 LAST\nC:one\n"
#define FIRST_OK "ready\nrcpt 0 ok text 250 1\nrcpt 1 ok text 250 1\nend\nready\n"
#define MINE .messages = 2

/* RFC 3030: whatever is refused, every recipient has its own outcome. */
static const struct dialogue chunks[] = {
	{ "along with its envelope", CHUNK(2), MINE,
	    .script = FIRST "X:time 300000\nS:250\nS:250\nS:250\n"
	    "X:time 600000\nS:250 2.0.0 5 octets\nX:time 0\n",
	    .events = FIRST_OK "rcpt 0 ok text 250 2.0.0 5 octets\n"
	    "rcpt 1 ok text 250 2.0.0 5 octets\nend\nready\n" },
	{ "one recipient is refused", CHUNK(2), MINE,
	    .script = FIRST "S:250\nS:550 b\nS:250\nS:250 in\n",
	    .events = FIRST_OK "rcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 ok text 250 in\nend\nready\n" },
	{ "all recipients are refused", CHUNK(2), .messages = 3,
	    .script = FIRST "S:250\nS:550 b\nS:450 c\nS:503 5.5.1 nobody\n"
	    "C:RSET\n" MAIL RCPT("b") RCPT("c") "C:BDAT 5 LAST\nC:one\n"
	    "S:250\nS:250\nS:250\nS:250\nS:250 in\n",
	    .events = FIRST_OK "rcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 temp rcpt 450 c\nend\nready\nrcpt 0 ok text 250 in\n"
	    "rcpt 1 ok text 250 in\nend\nready\n" },
	{ "a 250 for nobody is nobody's", CHUNK(2), MINE,
	    .script = FIRST "S:250\nS:550 b\nS:450 c\nS:250 in\n",
	    .events = FIRST_OK "rcpt 0 perm rcpt 550 b\n"
	    "rcpt 1 temp rcpt 450 c\nend\nready\n" },
	{ "MAIL is refused", CHUNK(2), MINE,
	    .script = FIRST "S:450 4.1.8 later\nS:503\nS:503\nS:503\n",
	    .events = FIRST_OK "rcpt 0 temp mail 450 4.1.8 later\n"
	    "rcpt 1 temp mail 450 4.1.8 later\nend\nready\n" },
	{ "the text is refused", CHUNK(2), .messages = 3,
	    .script = FIRST "S:250\nS:250\nS:250\nS:554 5.6.0 spam\n"
	    "C:RSET\n" MAIL RCPT("b") RCPT("c") "C:BDAT 5 LAST\nC:one\n",
	    .events = FIRST_OK "rcpt 0 perm text 554 5.6.0 spam\n"
	    "rcpt 1 perm text 554 5.6.0 spam\nend\nready\n" },
	{ "421 at MAIL: nobody has it", CHUNK(2), MINE,
	    .script = FIRST "S:421 bye\n",
	    .events = FIRST_OK "rcpt 0 temp mail 421 bye\n"
	    "rcpt 1 temp mail 421 bye\nend\nclose temp mail 421 bye\n" },
	{ "closed before any reply: it was not read", CHUNK(2), MINE,
	    .script = FIRST "X:eof\n",
	    .events = FIRST_OK BOTH2("mail", "connection lost while sending"
		" MAIL FROM") },
	{ "closed after a reply: somebody may have it", CHUNK(2), MINE,
	    .script = FIRST "S:250\nX:eof\n",
	    .events = FIRST_OK BOTH2("text", "connection lost while sending"
		" RCPT TO") },
	{ "lost before any reply: somebody may have it", CHUNK(2), MINE,
	    .script = FIRST "X:reset\n",
	    .events = FIRST_OK BOTH2("text", "connection lost while sending"
		" MAIL FROM: Connection reset by peer") },
	{ "nothing is answered", CHUNK(2), MINE,
	    .script = FIRST "S:250\nX:expire\n",
	    .events = FIRST_OK BOTH2("text", "timed out while sending RCPT"
		" TO") },
	{ "BDAT is not known after all", CHUNK(2), MINE,
	    .script = FIRST "S:250\nS:250\nS:250\nS:502 5.5.1 what?\n",
	    .events = FIRST_OK "rcpt 0 temp data 0 4.5.0 the server offers"
	    " CHUNKING, but refuses BDAT: 502 what?\n"
	    "rcpt 1 temp data 0 4.5.0 the server offers CHUNKING, but refuses"
	    " BDAT: 502 what?\nend\nclose temp data 0 4.5.0 the server offers"
	    " CHUNKING, but refuses BDAT: 502 what?\n" },
	{ "354 to BDAT", CHUNK(1), MINE,
	    .script = CHUNKS MAIL RCPT("b") "C:DATA\nS:250\nS:250\nS:354\n"
	    TEXT "S:250 1\n" MAIL RCPT("b") "C:BDAT 5 LAST\nC:one\n"
	    "S:250\nS:250\nS:354 go\n",
	    .events = "ready\nrcpt 0 ok text 250 1\nend\nready\n"
	    "rcpt 0 temp text 0 4.5.0 protocol error: code 3xx to the text\n"
	    "end\nclose temp text 0 4.5.0 protocol error: code 3xx to the"
	    " text\n" },
	{ "a text with a line end that is none goes by DATA", M(1), MINE,
	    .script = CHUNKS MAIL RCPT("b") "C:DATA\nS:250\nS:250\nS:354\n"
	    TEXT "S:250 1\n" MAIL RCPT("b") "C:DATA\n",
	    .events = "ready\nrcpt 0 ok text 250 1\nend\nready\n" },
	{ "without PIPELINING there is nothing to be won", CHUNK(1), MINE,
	    .script = HI "S:250 CHUNKING\n" MAIL "S:250\n" RCPT("b")
	    "S:250\nC:DATA\nS:354\n" TEXT "S:250 1\n" MAIL "S:250\n"
	    RCPT("b") "S:250\nC:DATA\n",
	    .events = "ready\nrcpt 0 ok text 250 1\nend\nready\n" },
	{ "a text that cannot be read", CHUNK(1), MINE, .fail_at = 4,
	    .script = CHUNKS MAIL RCPT("b") "C:DATA\nS:250\nS:250\nS:354\n",
	    .events = "ready\nrcpt 0 temp text 0 4.3.0 cannot read the"
	    " message: Input/output error\nend\nclose temp text 0 4.3.0 cannot"
	    " read the message: Input/output error\n" },
	{ "binary, when all replies are there", .text = ".\r\na\rb\r\n",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = 2,
		.binary = true },
	    .script = CHUNKS "C:MAIL FROM:<a@x.test> BODY=BINARYMIME\n"
	    RCPT("b") RCPT("c") "S:250\nS:250\nS:550 c\n"
	    "C:BDAT 8 LAST\nC:.\nC:a\rb\nX:time 600000\nS:250 in\n",
	    .events = "ready\nrcpt 1 perm rcpt 550 c\nrcpt 0 ok text 250 in\n"
	    "end\nready\n" },
	{ "binary, and nobody is left", .text = ".\r\na\rb\r\n",
	    .m = { .from = PATH("a", "x.test"), .rcpts = to, .rcpt_n = 1,
		.binary = true },
	    .script = CHUNKS "C:MAIL FROM:<a@x.test> BODY=BINARYMIME\n"
	    RCPT("b") "S:250\nS:550 b\n",
	    .events = "ready\nrcpt 0 perm rcpt 550 b\nend\nready\n" },
	{ "binary, which is not taken", M(1), .m.binary = true,
	    .script = HI "S:250 CHUNKING\n",
	    .events = "ready\nrcpt 0 perm mail 0 5.6.1 the message is binary,"
	    " which the server does not take\nend\nready\n" },
};

START_TEST(by_bdat)
{
	dialogues_run(chunks, ARRAY_LEN(chunks));
}
END_TEST

/* RFC 9422: what is said is kept until it is said anew. */
START_TEST(limits)
{
	static const struct {
		const char *said;
		struct client_limits want;
	} cases[] = {
		{ "HELP", { 0, 0, 0 } },
		{ "LIMITS", { 0, 0, 0 } },
		{ "LIMITS MAILMAX=5 RCPTMAX=100 RCPTDOMAINMAX=1",
		    { 5, 100, 1 } },
		{ "limits rcptmax=20 X=9 mailmax=0", { 0, 20, 0 } },
		{ "LIMITS RCPTMAX= MAILMAX=-1 RCPTDOMAINMAX=99999999999",
		    { 0, 0, 0 } },
		{ "LIMITS RCPTMAX MAILMAX=2x RCPTDOMAINMAX=007",
		    { 0, 0, 7 } },
	};
	struct dialogue d = { .o = { .ehlo_name = "me" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run t = { .d = &d, .cut = SIZE_MAX, .step = SIZE_MAX };
		const struct client_limits *got;
		struct buf line;

		buf_init(&t.sent, 10000);
		buf_init(&t.log, 10000);
		buf_init(&line, 1000);
		t.c = client_new(&d.o, &dlg_events, &t);
		dlg_feed(&t, STR("220 hi\r\n"));
		buf_addf(&line, "250-x\r\n250 %s\r\n", cases[i].said);
		dlg_feed(&t, buf_str(&line));
		got = client_limits(t.c);
		ck_assert_uint_eq(got->mail_max, cases[i].want.mail_max);
		ck_assert_uint_eq(got->rcpt_max, cases[i].want.rcpt_max);
		ck_assert_uint_eq(got->rcpt_domain_max,
		    cases[i].want.rcpt_domain_max);
		client_free(t.c);
		buf_free(&t.sent);
		buf_free(&t.log);
		buf_free(&line);
	}
}
END_TEST

START_TEST(envelopes)
{
	dialogues_run(one, ARRAY_LEN(one));
}
END_TEST

START_TEST(refusals)
{
	dialogues_run(refused, ARRAY_LEN(refused));
}
END_TEST

START_TEST(breaks)
{
	dialogues_run(broken, ARRAY_LEN(broken));
}
END_TEST

START_TEST(parameters)
{
	dialogues_run(extensions, ARRAY_LEN(extensions));
}
END_TEST

/* Thousands of recipients: the output stays small, the list goes on. */
START_TEST(many)
{
	enum { N = 20000 };
	struct client_rcpt *rcpts = calloc(N, sizeof(*rcpts));
	struct buf script, events;

	buf_init(&script, 1 << 22);
	buf_init(&events, 1 << 22);
	buf_adds(&script, FAST MAIL);
	buf_adds(&events, "ready\n");
	for (size_t i = 0; i < N; i++) {
		rcpts[i].path = to[0].path;
		buf_adds(&script, RCPT("b"));
	}
	buf_adds(&script, "C:DATA\nS:250\n");
	for (size_t i = 0; i < N; i++) {
		buf_adds(&script, i % 2 ? "S:250\n" : "S:550\n");
		if (i % 2 == 0)
			buf_addf(&events, "rcpt %zu perm rcpt 550\n", i);
	}
	for (size_t i = 1; i < N; i += 2)
		buf_addf(&events, "rcpt %zu ok text 250\n", i);
	buf_adds(&script, "S:354\nC:.\nS:250\n");
	buf_adds(&events, "end\nready\n");
	struct dialogue d = { "many recipients",
		.m = { .from = PATH("a", "x.test"), .rcpts = rcpts,
		    .rcpt_n = N },
		.script = buf_cstr(&script), .events = buf_cstr(&events) };
	dialogue_run(&d);
	free(rcpts);
	buf_free(&script);
	buf_free(&events);
}
END_TEST

UNIT_MAIN("client/message", envelopes, refusals, breaks, parameters, by_bdat, limits,
    many)
