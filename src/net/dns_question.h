/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DNS_QUESTION_H
#define NET_DNS_QUESTION_H

/*
 * dns_question -- what the two files of net/dns.h share.
 *
 * dns.c		c-ares, the loop and time
 * dns_question.c	what is asked, and what is answered
 */

#include "lib/arena.h"
#include "lib/map.h"
#include "net/dns.h"

struct ares_channeldata;
struct dns_question;
struct dns_watch;

enum dns_kind { DNS_MX, DNS_ADDR, DNS_TXT, DNS_PTR, DNS_TLSA, DNS_SRV, DNS_ALIAS };

/* One query of a question. */
struct dns_part {
	struct dns_question *q;
	int type;		/* of the record, as on the wire */
	int64_t again_at;	/* when it is asked for again; 0: c-ares has it */
	unsigned again_n;
	struct dns_addr_answer answer;	/* of DNS_ADDR */
};

struct dns_queue {
	struct dns_question *first, **end;
};

struct dns_question {
	struct dns_question *next, **at;
	struct dns_queue *in;		/* where it stands; NULL: nowhere */
	struct dns *d;
	enum dns_kind kind;
	char *name;
	int64_t deadline;
	unsigned waiting;		/* parts that c-ares has, or will */
	bool delivered;
	struct arena arena;
	struct dns_part parts[2];	/* AAAA and A; else only the first */
	union {
		struct dns_mx_answer mx;
		struct dns_txt_answer txt;
		struct dns_ptr_answer ptr;
		struct dns_tlsa_answer tlsa;
		struct dns_srv_answer srv;
		struct dns_alias_answer alias;
	} answer;			/* of all but DNS_ADDR */
	union {
		void (*mx)(void *arg, const struct dns_mx_answer *a);
		void (*addr)(void *arg, const struct dns_addr_answer *a);
		void (*txt)(void *arg, const struct dns_txt_answer *a);
		void (*ptr)(void *arg, const struct dns_ptr_answer *a);
		void (*tlsa)(void *arg, const struct dns_tlsa_answer *a);
		void (*srv)(void *arg, const struct dns_srv_answer *a);
		void (*alias)(void *arg, const struct dns_alias_answer *a);
	} fn;
	void *arg;
};

struct dns {
	struct loop *loop;
	struct ares_channeldata *channel;
	struct loop_timer *timer;
	int64_t timer_at;	/* 0: not set */
	int64_t timeout, first_try;
	struct dns_watch *watches;
	struct dns_queue open, ready;
	size_t again_n;		/* parts that are to be asked for again */
	struct map *overrides;	/* names in lower case: struct dns_override */
	bool trusted;		/* all servers are on the loopback */
	bool delivering;
	bool dying;		/* dns_free() has begun */
	bool dead;		/* and ended: DELIVER has the last word */
};

/* dns.c */
/* Gives N parts of Q to c-ares, which may answer at once. */
void dns_ask(struct dns_question *q, unsigned n);
/* Q has its answer: it is delivered by the loop's next turn. */
void dns_known(struct dns_question *q);
/* The addresses of FAMILY that /etc/hosts has for Q's name, into P. */
void dns_look_into_file(struct dns_question *q, int family, struct dns_part *p);

/* dns_question.c */
/* An answer's octets for a part; or why there is none. */
void dns_take(struct dns_part *p, struct str packet);
void dns_fail(struct dns_part *p, enum dns_status status, const char *reason);
/* Calls back. */
void dns_deliver(struct dns_question *q);
void dns_question_free(struct dns_question *q);
void dns_overrides_free(struct dns *d);

#endif
