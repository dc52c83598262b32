/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * baridctl -- looking at a barid, and steering it.
 *
 * What is printed for people is plain text; --json gives the same to
 * programs.  Data goes to standard output, words to standard error.
 */

#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>

#include "config.h"
#include "lib/clock.h"
#include "lib/proc.h"

static const char usage_text[] =
    "usage: baridctl [-c file] [--json] command ...\n"
    "  status                          what is running\n"
    "  top [--once] [--interval T]     destinations, live\n"
    "  queue [list] [ID ...]           what is in the queue\n"
    "      --sender S --recipient R --domain D --older T --newer T\n"
    "      --state S,... --reason R --route R --limit N --sort [-]KEY\n"
    "      --count --summary[=sender|recipient]\n"
    "  queue show [--text] ID          one message\n"
    "  queue flush                     try now what waits; ID ... or filters\n"
    "  queue retry [--at TIME]         the same, or then\n"
    "  queue hold|release|delete|bounce|move --route NAME\n"
    "                                  ID ..., filters or --all; --yes\n"
    "  explain [--from S] [--user U] [--listener L] ADDRESS|ID\n"
    "                                  where it goes, and which line says so\n"
    "      --client A [--helo NAME] [--message FILE]\n"
    "                                  and what checks make of it\n"
    "  block [--for T] [--why TEXT] ADDRESS|NETWORK\n"
    "                                  refuse all connections from there\n"
    "  unblock ADDRESS|NETWORK         no more\n"
    "  blocks                          who is refused, also for wrong passwords\n"
    "  smtp|submission|pop3 disable|enable\n"
    "                                  take no new clients there, or again\n"
    "  dnsbl check ADDRESS | DOMAIN    what lists in DNS make of a client, or a name\n"
    "  dnsbl stop [SECONDS] | start    ask none of them, or again\n"
    "  spf ADDRESS SENDER [HELO]       whether domains let a client send their mail\n"
    "  collect [NAME]                  fetch mail from mailboxes elsewhere, now\n"
    "  report [FILE ...]               what reports of others say: DSN, DMARC, TLS, abuse\n"
    "  audit [--since TIME]            the journal against the queue\n"
    "  config [check]                  the options in effect, with file and line\n"
    "  dns-records DOMAIN              what DNS should say, and whether it does\n"
    "  auth-test NAME                  what each backend says of a password\n"
    "  passwd [-d|--scram|--plain|--cram-md5] NAME\n"
    "                                  set a user's password (-d: remove the user)\n"
    "  passwd --app APP|--revoke APP NAME\n"
    "                                  one more, for a program; take it away\n"
    "  passwd --list [NAME]            which there are, and when they were used\n"
    "  quota [NAME]                    what accounts have sent of their quotas\n"
    "  quota reset NAME                NAME begins anew\n"
    "  mailboxes [NAME]                how much is in them\n"
    "  dkim keygen [--type rsa|ed25519] [--file FILE] DOMAIN SELECTOR\n"
    "                                  make a key that signs mail; its record\n"
    "  dkim dns|check [DOMAIN]         the records of the keys; what DNS has\n"
    "  dkim verify [FILE ...]          whether the signatures of messages are good\n"
    "  dmarc reports                   what is counted for reports to domains\n"
    "  dmarc print|send [DOMAIN]       what they say; send now those that are due\n"
    "  reload|stop|version\n";

/* The command that was given, or NULL; its lines of the summary are what who mistypes is shown. */
static const char *given_command;

/* True if LINE of the summary begins what is said of given_command: "  a|b ...". */
static bool
is_of_given(struct str line)
{
	struct str names, name, rest = str_skip(line, 2);
	bool more = true;

	for (names = str_word(&rest); more;) {
		more = str_cut(names, '|', &name, &names);
		if (str_eq(name, str_c(given_command)))
			return true;
	}
	return false;
}

int
ctl_usage(void)
{
	struct str line, rest = str_c(usage_text);
	bool shown = true;

	/* What it is about goes on where a line is indented deeper. */
	while (str_cut(rest, '\n', &line, &rest)) {
		if (str_starts(line, STR("  ")) && !str_starts(line, STR("   ")))
			shown = given_command && is_of_given(line);
		if (shown)
			fprintf(stderr, STR_FMT "\n", STR_ARG(line));
	}
	fputs("baridctl --help has all commands.\n", stderr);
	return EX_USAGE;
}

/* ---- options ----------------------------------------------------------------- */

enum {
	OPT_ALL = 256, OPT_TEXT, OPT_YES, OPT_DOMAIN, OPT_SENDER, OPT_RECIPIENT,
	OPT_OLDER, OPT_NEWER, OPT_STATE, OPT_REASON, OPT_ROUTE, OPT_LIMIT,
	OPT_SORT, OPT_COUNT, OPT_SUMMARY, OPT_SINCE, OPT_AT, OPT_FROM,
	OPT_USER, OPT_LISTENER, OPT_CLIENT, OPT_HELO, OPT_MESSAGE, OPT_ONCE,
	OPT_INTERVAL, OPT_FOR, OPT_WHY,
	OPT_APP, OPT_REVOKE, OPT_LIST, OPT_SCRAM, OPT_PLAIN, OPT_CRAM_MD5,
	OPT_TYPE, OPT_FILE
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "text", no_argument, NULL, OPT_TEXT },
	{ "yes", no_argument, NULL, OPT_YES },
	{ "domain", required_argument, NULL, OPT_DOMAIN },
	{ "sender", required_argument, NULL, OPT_SENDER },
	{ "recipient", required_argument, NULL, OPT_RECIPIENT },
	{ "older", required_argument, NULL, OPT_OLDER },
	{ "newer", required_argument, NULL, OPT_NEWER },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "route", required_argument, NULL, OPT_ROUTE },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "count", no_argument, NULL, OPT_COUNT },
	{ "summary", optional_argument, NULL, OPT_SUMMARY },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "at", required_argument, NULL, OPT_AT },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "user", required_argument, NULL, OPT_USER },
	{ "listener", required_argument, NULL, OPT_LISTENER },
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "helo", required_argument, NULL, OPT_HELO },
	{ "message", required_argument, NULL, OPT_MESSAGE },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "why", required_argument, NULL, OPT_WHY },
	{ "app", required_argument, NULL, OPT_APP },
	{ "revoke", required_argument, NULL, OPT_REVOKE },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "scram", no_argument, NULL, OPT_SCRAM },
	{ "plain", no_argument, NULL, OPT_PLAIN },
	{ "cram-md5", no_argument, NULL, OPT_CRAM_MD5 },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "file", required_argument, NULL, OPT_FILE },
	{ NULL, 0, NULL, 0 },
};

static int
refuse(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "--%s %s: expected %s\n", option, value, expected);
	return -1;
}

static int
take_age(const char *option, const char *value, int64_t *us)
{
	int64_t ms;

	if (when_age(str_c(value), &ms) < 0)
		return refuse(option, value,
		    "an age such as 30s, 10m, 2h, 3d or 1w");
	*us = clock_wall_us() - ms * 1000;
	return 0;
}

static int
take_moment(const char *option, const char *value, int64_t *us)
{
	if (when_moment(str_c(value), clock_wall_us(), us) == 0)
		return 0;
	return refuse(option, value, "an age such as 2h, a time from now such "
	    "as +2h, or a date such as 2026-11-21 or \"2026-11-21 08:00\"");
}

static int
take_filter(struct ctl *t, int option, char *value)
{
	struct listing_filter *f = &t->filter;

	t->given |= option == OPT_ROUTE ? CTL_ROUTE : CTL_FILTER;
	switch (option) {
	case OPT_DOMAIN:
		f->domain = str_c(value);
		return 0;
	case OPT_SENDER:
		f->sender = str_c(value);
		return 0;
	case OPT_RECIPIENT:
		f->recipient = str_c(value);
		return 0;
	case OPT_REASON:
		f->reason = str_c(value);
		return 0;
	case OPT_ROUTE:
		f->route = str_c(value);
		return 0;
	case OPT_OLDER:
		return take_age("older", value, &f->before_us);
	case OPT_NEWER:
		return take_age("newer", value, &f->after_us);
	default:
		if (listing_states(str_c(value), &f->states) == 0)
			return 0;
		return refuse("state", value, "new, active, deferred, hold, "
		    "dead, drop or unreadable, with commas between");
	}
}

static int
take_list(struct ctl *t, int option, char *value)
{
	t->given |= option == OPT_LIMIT ? CTL_LIMIT : CTL_LIST;
	switch (option) {
	case OPT_COUNT:
		t->count = true;
		return 0;
	case OPT_SUMMARY:
		t->summary = true;
		t->filter.by_sender = value != NULL &&
		    strcmp(value, "sender") == 0;
		if (value == NULL || t->filter.by_sender ||
		    strcmp(value, "recipient") == 0)
			return 0;
		return refuse("summary", value, "sender or recipient");
	case OPT_LIMIT:
		if (str_u64(str_c(value), UINT32_MAX, &t->filter.limit) == 0 &&
		    t->filter.limit > 0)
			return 0;
		return refuse("limit", value, "a number above 0");
	default:
		if (listing_sort_word(str_c(value), &t->filter) == 0)
			return 0;
		return refuse("sort", value, "arrival, size, next or sender, "
		    "with a dash before it for the reverse");
	}
}

static int
take_time(struct ctl *t, int option, char *value)
{
	int64_t us;

	switch (option) {
	case OPT_SINCE:
		t->given |= CTL_SINCE;
		return take_moment("since", value, &t->since_us);
	case OPT_AT:
		t->given |= CTL_AT;
		if (take_moment("at", value, &us) < 0)
			return -1;
		/* What is past, and "now", need no appointment. */
		t->at = us > clock_wall_us() ? (us + 999999) / 1000000 : 0;
		return 0;
	case OPT_FOR:
		t->given |= CTL_BLOCK;
		if (when_age(str_c(value), &t->for_ms) == 0 && t->for_ms > 0)
			return 0;
		return refuse("for", value, "a time such as 30m, 1h or 2d");
	default:
		t->given |= CTL_VIEW;
		if (when_age(str_c(value), &t->interval_ms) == 0 &&
		    t->interval_ms > 0)
			return 0;
		return refuse("interval", value, "a time such as 2s");
	}
}

static int
take_word(struct ctl *t, int option, char *value)
{
	if (option == OPT_WHY) {
		t->why = value;
		t->given |= CTL_BLOCK;
		return 0;
	}
	switch (option) {
	case OPT_FROM:
		t->from = value;
		break;
	case OPT_USER:
		t->user = value;
		break;
	case OPT_CLIENT:
		t->client = value;
		break;
	case OPT_HELO:
		t->helo = value;
		break;
	case OPT_MESSAGE:
		t->message = value;
		break;
	default:
		t->listener = value;
		break;
	}
	t->given |= CTL_WHO;
	return 0;
}

static int
take_password(struct ctl *t, int option, char *value)
{
	t->given |= CTL_PASSWORD;
	if (option == OPT_APP)
		t->app = value;
	else if (option == OPT_REVOKE)
		t->revoke = value;
	t->list = t->list || option == OPT_LIST;
	t->scram = t->scram || option == OPT_SCRAM;
	t->plain = t->plain || option == OPT_PLAIN;
	t->cram_md5 = t->cram_md5 || option == OPT_CRAM_MD5;
	return 0;
}

static int
take_flag(struct ctl *t, int option)
{
	switch (option) {
	case 'd':
		t->given |= CTL_DELETE;
		t->delete = true;
		return 0;
	case 'j':
		t->json = true;
		return 0;
	case OPT_ALL:
		t->given |= CTL_ALL;
		t->all = true;
		return 0;
	case OPT_TEXT:
		t->given |= CTL_TEXT;
		t->text = true;
		return 0;
	case OPT_YES:
		t->given |= CTL_YES;
		t->yes = true;
		return 0;
	case OPT_ONCE:
		t->given |= CTL_VIEW;
		t->once = true;
		return 0;
	default:
		(void)ctl_usage();
		return -1;
	}
}

static int
take_option(struct ctl *t, int option, char *value)
{
	switch (option) {
	case 'c':
		t->path = value;
		return 0;
	case OPT_DOMAIN:
	case OPT_SENDER:
	case OPT_RECIPIENT:
	case OPT_OLDER:
	case OPT_NEWER:
	case OPT_STATE:
	case OPT_REASON:
	case OPT_ROUTE:
		return take_filter(t, option, value);
	case OPT_LIMIT:
	case OPT_SORT:
	case OPT_COUNT:
	case OPT_SUMMARY:
		return take_list(t, option, value);
	case OPT_SINCE:
	case OPT_AT:
	case OPT_INTERVAL:
	case OPT_FOR:
		return take_time(t, option, value);
	case OPT_TYPE:
		t->given |= CTL_KEY;
		t->type = value;
		return 0;
	case OPT_FILE:
		t->given |= CTL_KEY;
		t->file = value;
		return 0;
	case OPT_FROM:
	case OPT_USER:
	case OPT_LISTENER:
	case OPT_CLIENT:
	case OPT_HELO:
	case OPT_MESSAGE:
	case OPT_WHY:
		return take_word(t, option, value);
	case OPT_APP:
	case OPT_REVOKE:
	case OPT_LIST:
	case OPT_SCRAM:
	case OPT_PLAIN:
	case OPT_CRAM_MD5:
		return take_password(t, option, value);
	default:
		return take_flag(t, option);
	}
}

/* ---- commands ---------------------------------------------------------------- */

static int
version(const struct ctl *t)
{
	if (t->json)
		puts("{\"version\":\"" BARID_VERSION "\"}");
	else
		puts("barid " BARID_VERSION);
	return EX_OK;
}

static const struct command {
	const char *name;
	unsigned takes;
	int (*run)(struct ctl *t, int argc, char **argv);
} commands[] = {
	{ "status", 0, ctl_status },
	{ "queue", CTL_ALL | CTL_TEXT | CTL_YES | CTL_FILTER | CTL_LIST |
		CTL_LIMIT | CTL_AT | CTL_ROUTE, ctl_queue },
	{ "top", CTL_VIEW, ctl_top },
	{ "explain", CTL_WHO, ctl_explain },
	{ "audit", CTL_SINCE, ctl_audit },
	{ "block", CTL_BLOCK, ctl_block },
	{ "unblock", 0, ctl_unblock },
	{ "blocks", 0, ctl_blocks },
	{ "smtp", 0, ctl_smtp },
	{ "submission", 0, ctl_submission },
	{ "pop3", 0, ctl_pop3 },
	{ "dnsbl", 0, ctl_dnsbl },
	{ "spf", 0, ctl_spf },
	{ "collect", 0, ctl_collect },
	{ "config", 0, ctl_config },
	{ "dns-records", 0, ctl_dns_records },
	{ "auth-test", 0, ctl_auth_test },
	{ "passwd", CTL_DELETE | CTL_PASSWORD, ctl_passwd },
	{ "quota", 0, ctl_quota },
	{ "mailboxes", 0, ctl_mailboxes },
	{ "dkim", CTL_KEY, ctl_dkim },
	{ "report", 0, ctl_report },
	{ "dmarc", 0, ctl_dmarc },
	{ "reload", 0, ctl_reload },
	{ "stop", 0, ctl_stop },
};

static int
dispatch(struct ctl *t, int argc, char **argv)
{
	if (strcmp(argv[0], "version") == 0)
		return version(t);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		given_command = commands[i].name;
		if ((t->given & ~commands[i].takes) != 0)
			return ctl_usage();
		t->conf = cmd_conf(t->path, EX_CONFIG);
		return commands[i].run(t, argc - 1, argv + 1);
	}
	fprintf(stderr, "baridctl: there is no command \"%s\"; baridctl --help has all\n", argv[0]);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	struct ctl t = { .path = conf_default_path(), .why = "" };
	int option, code;

	proc_fix_stdio();
	while ((option = getopt_long(argc, argv, "c:dhjV", long_options,
		    NULL)) != -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			return EX_OK;
		}
		if (option == 'V')
			return version(&t);
		if (take_option(&t, option, optarg) < 0)
			return EX_USAGE;
	}
	if (optind >= argc) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	code = dispatch(&t, argc - optind, argv + optind);
	conf_free(t.conf);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == EX_OK) {
		fprintf(stderr, "standard output: %s\n", strerror(errno));
		code = EX_IOERR;
	}
	return code;
}
