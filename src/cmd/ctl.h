/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_CTL_H
#define CMD_CTL_H

/*
 * ctl -- what the commands of baridctl share.
 *
 * baridctl.c	the command line: options, and which command it is
 * service.c	status, config, reload, stop
 * passwd.c	passwords; users.c has their file
 * queue.c	list, show, and everything that steers
 * block.c	who is refused
 * quota.c	what accounts have sent of their quotas
 * mailboxes.c	how much is in mailboxes
 * auth_test.c	auth-test
 * dkim.c	keys that mail is signed with
 * dkim_verify.c	whether signatures of messages are good
 * report.c	what reports of others say
 * dmarc.c	reports to the domains of authors
 * collect.c	mail that is fetched from elsewhere
 * dnsbl.c	lists in DNS
 * spf.c	whether domains let a client send mail
 * dns_records.c	dns-records
 * audit.c, explain.c, top.c
 *		the commands of these names
 */

#include "cmd.h"

/* Options beside -c, --json and --help; a command says which it takes. */
enum ctl_option {
	CTL_DELETE = 1,		/* -d */
	CTL_ALL = 2,
	CTL_TEXT = 4,
	CTL_YES = 8,
	CTL_FILTER = 16,	/* all that choose messages */
	CTL_LIST = 32,		/* --sort, --count, --summary */
	CTL_SINCE = 64,
	CTL_AT = 128,
	CTL_ROUTE = 256,
	CTL_WHO = 512,		/* --from, --user, --listener, --client, --helo, --message */
	CTL_VIEW = 1024,	/* --once, --interval */
	CTL_LIMIT = 2048,
	CTL_BLOCK = 4096,	/* --for, --why */
	CTL_KEY = 16384,	/* --type, --file */
	CTL_PASSWORD = 8192	/* --app, --revoke, --list, --scram, --plain, --cram-md5 */
};

struct ctl {
	const char *path;
	struct conf *conf;
	bool json;
	unsigned given;		/* enum ctl_option */
	bool all, text, yes, delete, once, count, summary;
	struct listing_filter filter;
	int64_t since_us;
	int64_t at;		/* seconds; 0: now */
	const char *from, *user, *listener;
	const char *client, *helo, *message;	/* NULL: unsaid */
	int64_t interval_ms;
	int64_t for_ms;		/* 0: for ever */
	const char *why;	/* "": unsaid */
	const char *app, *revoke;	/* NULL: unsaid */
	bool list, scram, plain, cram_md5;
	const char *type, *file;	/* NULL: unsaid */
};

/* Prints the usage on standard error: EX_USAGE. */
int ctl_usage(void);
/* Gives the order M, whose answer has no lines but those of an error; the code to exit with. */
int ctl_order(const struct ctl *t, const struct msg_control *m);
/* Says that no barid answers: errno. */
int ctl_not_running(void);

int ctl_status(struct ctl *t, int argc, char **argv);
int ctl_config(struct ctl *t, int argc, char **argv);
int ctl_reload(struct ctl *t, int argc, char **argv);
int ctl_stop(struct ctl *t, int argc, char **argv);
int ctl_queue(struct ctl *t, int argc, char **argv);
int ctl_top(struct ctl *t, int argc, char **argv);
int ctl_explain(struct ctl *t, int argc, char **argv);
int ctl_block(struct ctl *t, int argc, char **argv);
int ctl_unblock(struct ctl *t, int argc, char **argv);
int ctl_smtp(struct ctl *t, int argc, char **argv);
int ctl_submission(struct ctl *t, int argc, char **argv);
int ctl_pop3(struct ctl *t, int argc, char **argv);
int ctl_dnsbl(struct ctl *t, int argc, char **argv);
int ctl_spf(struct ctl *t, int argc, char **argv);
int ctl_collect(struct ctl *t, int argc, char **argv);
int ctl_blocks(struct ctl *t, int argc, char **argv);
int ctl_passwd(struct ctl *t, int argc, char **argv);
int ctl_quota(struct ctl *t, int argc, char **argv);
int ctl_mailboxes(struct ctl *t, int argc, char **argv);
int ctl_audit(struct ctl *t, int argc, char **argv);
int ctl_dns_records(struct ctl *t, int argc, char **argv);
int ctl_dkim(struct ctl *t, int argc, char **argv);
int ctl_dmarc(struct ctl *t, int argc, char **argv);
int ctl_dkim_verify(struct ctl *t, int argc, char **argv);
int ctl_report(struct ctl *t, int argc, char **argv);
int ctl_auth_test(struct ctl *t, int argc, char **argv);

/* read_file.c: the file at PATH, or standard input for "-"; false: errno. */
bool ctl_read_file(const char *path, struct buf *text) MUST_USE;

/* quota.c */
struct quotas;
struct quota_use;

/* The file of quotas; NULL: errno. */
struct quotas *cmd_quotas(const struct conf *c) MUST_USE;
/* The fullest in V, at most MAX: how many. */
size_t cmd_quota_list(const struct conf *c, struct quotas *q, struct quota_use *v, size_t max);
void cmd_quota_head(FILE *out);
void cmd_quota_print(const struct conf *c, const struct quota_use *u, bool json, FILE *out);

/* mailboxes.c */
struct usage;

/* What is in MAILBOX, counted.  -1: errno. */
int cmd_mailbox_usage(const struct conf *c, const char *mailbox, struct usage *u);

/* when.c */

/* "30s", "5m", "2h", "1d", "2w": milliseconds.  -1: it is none. */
int when_age(struct str s, int64_t *ms) MUST_USE;
/*
 * A moment: "now", "+2h", an age ("2h": that long ago), "2026-11-21",
 * "2026-11-21 08:00", "2026-11-21T08:00:00Z": local time but for the Z.
 * Microseconds since 1970.  -1: it is none.
 */
int when_moment(struct str s, int64_t now_us, int64_t *us) MUST_USE;

#endif
