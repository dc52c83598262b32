/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options -- the options of sendmail, as its callers have given them for
 * forty years: clustered or not, arguments attached or not.
 *
 * sendmail is set-group-id for the drop directory, so what a caller could
 * misuse is inert: -C gives up the group first; -O, -X, -D and the like are
 * read with the right number of arguments, and ignored.  The first argument
 * that is no option ends them, so that no address is ever taken for one.
 */

#include "cmd.h"

#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

enum arity { NONE, REQUIRED, ATTACHED };

/* clang-format off */
static const struct {
	char letter;
	enum arity arity;
} known[] = {
	{ 't', NONE }, { 'i', NONE }, { 'n', NONE }, { 'm', NONE }, { 'v', NONE }, { 'G', NONE },
	{ 'U', NONE }, { 'I', NONE }, { 'x', NONE }, { 'E', NONE }, { 's', NONE }, { 'T', NONE },
	{ 'c', NONE },
	{ 'f', REQUIRED }, { 'r', REQUIRED }, { 'F', REQUIRED }, { 'B', REQUIRED },
	{ 'b', REQUIRED }, { 'o', REQUIRED }, { 'N', REQUIRED }, { 'R', REQUIRED },
	{ 'V', REQUIRED }, { 'C', REQUIRED }, { 'O', REQUIRED }, { 'X', REQUIRED },
	{ 'D', REQUIRED }, { 'L', REQUIRED }, { 'h', REQUIRED }, { 'p', REQUIRED },
	{ 'M', REQUIRED }, { 'A', REQUIRED }, { 'e', REQUIRED },
	{ 'd', ATTACHED }, { 'q', ATTACHED }, { 'Q', ATTACHED },
};
/* clang-format on */

static int
usage(const char *what, const char *option)
{
	fprintf(stderr, "sendmail: %s%s%s\n", what, option ? ": " : "", option ? option : "");
	fputs("usage: sendmail [-itv] [-B type] [-bm|-bs|-bp|-bi|-bv] [-C file] [-F name]\n"
	    "                [-f sender] [-N notify] [-R return] [-V envid] [-q[I|R|S]part]\n"
	    "                [address ...]\n", stderr);
	return EX_USAGE;
}

static int
set_mode(struct sendmail_options *o, const char *arg)
{
	static const struct {
		const char *name;
		enum sendmail_mode mode;
	} modes[] = {
		{ "m", MODE_MESSAGE }, { "s", MODE_SESSION }, { "p", MODE_LIST },
		{ "i", MODE_ALIASES }, { "v", MODE_VERIFY }, { "d", MODE_DAEMON },
		{ "D", MODE_FOREGROUND },
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].name, arg) == 0) {
			o->mode = modes[i].mode;
			return 0;
		}
	return usage("no such mode", arg);
}

static int
set_body(struct sendmail_options *o, const char *arg)
{
	if (str_ieq(str_c(arg), STR("7BIT")))
		o->inject.body = BODY_7BIT;
	else if (str_ieq(str_c(arg), STR("8BITMIME")))
		o->inject.body = BODY_8BITMIME;
	else
		return usage("-B takes 7BIT or 8BITMIME", arg);
	return 0;
}

static int
set_dsn(struct sendmail_options *o, char letter, const char *arg)
{
	if (letter == 'N' && (o->inject.notify = notify_parse(str_c(arg))) == 0)
		return usage("-N takes never, or success, failure, delay", arg);
	if (letter == 'R') {
		if (str_ieq(str_c(arg), STR("full")))
			o->inject.ret = RET_FULL;
		else if (str_ieq(str_c(arg), STR("hdrs")))
			o->inject.ret = RET_HDRS;
		else
			return usage("-R takes full or hdrs", arg);
	}
	if (letter == 'V') {
		if (strlen(arg) > 100 || str_has_ctl(str_c(arg)))
			return usage("-V takes an identifier of at most 100 characters", NULL);
		o->inject.envid = arg;
	}
	return 0;
}

/*
 * -q and sendmail's -qf: all; -qI id; -qR part of a recipient's domain; -qS part of the sender.
 * -q1h and -qp1h ask for a daemon, which runs anyway.  What else sendmail knows (-qL, -qQ, -q!R)
 * is a choice that cannot be made here: to try all of the queue in its place is not what was asked.
 */
static int
set_flush(struct sendmail_options *o, const char *arg)
{
	/* "-bd -q1h" is a daemon that runs its queue, as every barid does. */
	if (o->mode == MODE_DAEMON || o->mode == MODE_FOREGROUND)
		return 0;
	o->mode = MODE_FLUSH;
	/* Nobody's mail is not everybody's. */
	if (arg[0] != '\0' && strchr("SIR", arg[0]) && arg[1] == '\0')
		return usage("-qS, -qI and -qR need something behind them, expected a part of the "
			     "sender, a queue id, a domain", NULL);
	if (arg[0] == 'S')
		o->flush_sender = arg + 1;
	else if (arg[0] == 'I')
		o->flush_id = str_c(arg + 1);
	else if (arg[0] == 'R')
		o->flush_domain = str_c(arg + 1);
	else if (arg[0] != '\0' && strchr("fp0123456789", arg[0]) == NULL)
		return usage("-q takes I, R or S with a text, a time, or nothing", arg);
	return 0;
}

/* -C is for the caller's own eyes: the group of the drop directory goes first. */
static int
set_conf(struct sendmail_options *o, const char *arg)
{
	if (getegid() != getgid() && setregid(getgid(), getgid()) < 0)
		return usage("cannot give up my group", strerror(errno));
	o->conf = arg;
	return 0;
}

static int
apply(struct sendmail_options *o, char letter, const char *arg)
{
	switch (letter) {
	case 't': o->inject.extract = true; return 0;
	case 'i': o->inject.keep_dot = true; return 0;
	case 'v': o->inject.verbose = true; return 0;
	case 'I': o->mode = MODE_ALIASES; return 0;
	case 'f':
	case 'r': o->from = arg; return 0;
	case 'F': o->inject.full_name = arg; return 0;
	case 'B': return set_body(o, arg);
	case 'b': return set_mode(o, arg);
	case 'N':
	case 'R':
	case 'V': return set_dsn(o, letter, arg);
	case 'C': return set_conf(o, arg);
	case 'q': return set_flush(o, arg);
	case 'o':
		if (arg[0] == 'i' && arg[1] == '\0')
			o->inject.keep_dot = true;
		return 0;
	default: return 0;
	}
}

static const enum arity *
arity_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].letter == letter)
			return &known[i].arity;
	return NULL;
}

/* One argument "-xyz..."; may take the next argument for itself. */
static int
parse_cluster(struct sendmail_options *o, int argc, char **argv, int *at)
{
	for (const char *p = argv[*at] + 1; *p; p++) {
		const enum arity *a = arity_of(*p);
		int code;

		if (!a)
			return usage("unknown option", argv[*at]);
		if (*a == NONE) {
			if ((code = apply(o, *p, "")) != 0)
				return code;
			continue;
		}
		const char *arg = p + 1;
		if (*arg == '\0' && *a == REQUIRED) {
			if (*at + 1 >= argc)
				return usage("the option needs an argument", argv[*at]);
			arg = argv[++*at];
		}
		return apply(o, *p, arg);
	}
	return 0;
}

int
sendmail_parse(struct sendmail_options *o, int argc, char **argv)
{
	int i, code;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
			continue;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			break;
		if (argv[i][1] == '-')
			return usage("unknown option", argv[i]);
		if ((code = parse_cluster(o, argc, argv, &i)) != 0)
			return code;
	}
	o->first = i;
	return 0;
}
