/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sendmail -- the command that every Unix program knows; mailq and
 * newaliases are other names for it.
 *
 * It is set-group-id for the drop directory.  What a caller could misuse is
 * therefore inert: -C drops the group first, -O, -X, -D and the like are
 * read, with the right number of arguments, and ignored.
 */

#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/proc.h"
#include "policy/recipient.h"

enum mode { MODE_MESSAGE, MODE_SESSION, MODE_LIST, MODE_ALIASES, MODE_VERIFY, MODE_DAEMON,
	MODE_FOREGROUND, MODE_FLUSH };

struct options {
	enum mode mode;
	const char *conf;
	const char *from;
	bool json;
	struct str flush_id, flush_domain;
	struct inject inject;
	int first;	/* of the recipients in argv */
};

enum arity { NONE, REQUIRED, ATTACHED };

/* clang-format off */
static const struct {
	char letter;
	enum arity arity;
} known[] = {
	{ 't', NONE }, { 'i', NONE }, { 'n', NONE }, { 'm', NONE }, { 'v', NONE }, { 'G', NONE },
	{ 'U', NONE }, { 'I', NONE }, { 'x', NONE }, { 'E', NONE }, { 's', NONE }, { 'T', NONE },
	{ 'f', REQUIRED }, { 'r', REQUIRED }, { 'F', REQUIRED }, { 'B', REQUIRED },
	{ 'b', REQUIRED }, { 'o', REQUIRED }, { 'N', REQUIRED }, { 'R', REQUIRED },
	{ 'V', REQUIRED }, { 'C', REQUIRED }, { 'O', REQUIRED }, { 'X', REQUIRED },
	{ 'D', REQUIRED }, { 'L', REQUIRED }, { 'h', REQUIRED }, { 'p', REQUIRED },
	{ 'M', REQUIRED },
	{ 'A', ATTACHED }, { 'd', ATTACHED }, { 'e', ATTACHED }, { 'q', ATTACHED }, { 'Q', ATTACHED },
};
/* clang-format on */

static int
usage(const char *what, const char *option)
{
	fprintf(stderr, "sendmail: %s%s%s\n", what, option ? ": " : "", option ? option : "");
	fputs("usage: sendmail [-itv] [-B type] [-bm|-bs|-bp|-bi|-bv] [-C file] [-F name]\n"
	    "                [-f sender] [-N notify] [-R return] [-V envid] [-q[I|R]part]\n"
	    "                [address ...]\n", stderr);
	return EX_USAGE;
}

static int
set_mode(struct options *o, const char *arg)
{
	static const struct {
		const char *name;
		enum mode mode;
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
set_body(struct options *o, const char *arg)
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
set_dsn(struct options *o, char letter, const char *arg)
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

/* -q: all; -qI id; -qR part of a recipient's domain; -q1h asks for a daemon, which runs anyway. */
static int
set_flush(struct options *o, const char *arg)
{
	o->mode = MODE_FLUSH;
	/* To flush everything instead would be the opposite of what is wanted. */
	if (arg[0] == 'S')
		return usage("-qS is not here; use baridctl queue flush --sender", NULL);
	if (arg[0] == 'I')
		o->flush_id = str_c(arg + 1);
	else if (arg[0] == 'R')
		o->flush_domain = str_c(arg + 1);
	return 0;
}

/* -C is for the caller's own eyes: the group of the drop directory goes first. */
static int
set_conf(struct options *o, const char *arg)
{
	if (getegid() != getgid() && setregid(getgid(), getgid()) < 0)
		return usage("cannot give up my group", strerror(errno));
	o->conf = arg;
	return 0;
}

static int
apply(struct options *o, char letter, const char *arg)
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
parse_cluster(struct options *o, int argc, char **argv, int *at)
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

static int
parse(struct options *o, int argc, char **argv)
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

/* ---- the modes ------------------------------------------------------------------ */

static int
set_sender(struct options *o, const struct conf *c, struct arena *a)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *why;

	if (!o->from) {
		struct str name = pw ? str_c(pw->pw_name)
				     : str_c(arena_printf(a, "uid-%u", (unsigned)getuid()));
		why = inject_address(c, name, a, &o->inject.from);
	} else {
		struct str from = str_trim(str_c(o->from));
		if (from.n >= 2 && from.p[0] == '<' && from.p[from.n - 1] == '>')
			from = str_n(from.p + 1, from.n - 2);
		if (from.n == 0) {
			o->inject.from = (struct path){ STR(""), STR("") };
			return 0;
		}
		why = inject_address(c, from, a, &o->inject.from);
	}
	if (why) {
		fprintf(stderr, "sendmail: the sender is no address: %s\n", why);
		return EX_DATAERR;
	}
	return 0;
}

static int
send_message(struct options *o, const struct conf *c, int argc, char **argv)
{
	struct arena a;
	int code;

	arena_init(&a, 1 << 20);
	o->inject.conf = c;
	o->inject.rcpts = argv + o->first;
	o->inject.rcpt_n = argc - o->first;
	code = set_sender(o, c, &a);
	if (code == 0)
		code = inject(&o->inject);
	arena_free(&a);
	return code;
}

static int
verify(const struct conf *c, int argc, char **argv, int first)
{
	struct userset *users = userset_new();
	struct arena a;
	int code = EX_OK;

	if (!users)
		return EX_OSERR;
	/* Who has a mailbox is for the daemon to know; here every name could. */
	userset_set_any(users, true);
	arena_init(&a, 1 << 20);
	for (int i = first; i < argc; i++) {
		struct path p;
		const char *why = inject_address(c, str_c(argv[i]), &a, &p);
		if (why) {
			printf("%s... no address: %s\n", argv[i], why);
			code = EX_NOUSER;
			continue;
		}
		struct target t = target_of(c, users, &p);
		struct str addr = path_str(&a, &p);
		printf(STR_FMT "... %s", STR_ARG(addr), t.why);
		if (t.kind == TARGET_MAILBOX)
			printf(": mailbox %s", t.mailbox);
		else if (t.kind == TARGET_UPSTREAM)
			printf(": upstream %s", t.upstream->name);
		if (t.place.file && t.place.file[0])
			printf(" (%s:%d)", t.place.file, t.place.line);
		putchar('\n');
	}
	arena_free(&a);
	userset_free(users);
	return code;
}

static int
flush(const struct options *o, const struct conf *c)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r;
	struct buf answer;
	int code = EX_OK;

	m->op = CONTROL_FLUSH;
	m->domain = o->flush_domain;
	if (o->flush_id.n > 0)
		m->ids[m->id_n++] = o->flush_id;
	buf_init(&answer, FRAME_MAX);
	if (cmd_control(c, m, &answer, &r) < 0) {
		fprintf(stderr, "sendmail: barid is not running: %s\n", strerror(errno));
		code = EX_UNAVAILABLE;
	} else if (!r.ok) {
		fprintf(stderr, "sendmail: " STR_FMT, STR_ARG(r.text));
		code = EX_NOPERM;
	}
	buf_free(&answer);
	mem_free(m);
	return code;
}

static int
run_barid(const struct options *o, const char *option)
{
	char *path = mem_dup(str_c(proc_helper("../../sbin/barid")));
	const char *here = proc_helper("barid");	/* in the build directory */
	const char *const argv[] = { "barid", option, "-c", o->conf, NULL };
	char *args[ARRAY_LEN(argv)];

	memcpy(args, argv, sizeof(argv));
	execv(path, args);
	execv(here, args);
	fprintf(stderr, "sendmail: %s: %s\n", path, strerror(errno));
	return EX_UNAVAILABLE;
}

static int
run(struct options *o, int argc, char **argv)
{
	if (o->mode == MODE_SESSION)
		return run_barid(o, "-s");
	if (o->mode == MODE_FOREGROUND || o->mode == MODE_DAEMON)
		return run_barid(o, o->mode == MODE_DAEMON ? "-d" : "-f");
	if (o->mode == MODE_ALIASES)
		return EX_OK;
	struct conf *c = cmd_conf(o->conf);
	const struct listing_filter all = { .ids = NULL };
	int code;
	switch (o->mode) {
	case MODE_LIST:
		code = cmd_list(c, &all, o->json ? LISTING_JSON : LISTING_MAILQ, stdout);
		break;
	case MODE_VERIFY: code = verify(c, argc, argv, o->first); break;
	case MODE_FLUSH: code = flush(o, c); break;
	default: code = send_message(o, c, argc, argv); break;
	}
	conf_free(c);
	return code;
}

int
main(int argc, char **argv)
{
	struct options o = { .conf = conf_default_path() };
	int code;

	if (argc < 1 || !argv[0])
		return EX_USAGE;
	proc_fix_stdio();
	proc_ignore(SIGPIPE);
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	if (strcmp(name, "mailq") == 0)
		o.mode = MODE_LIST;
	else if (strcmp(name, "newaliases") == 0)
		o.mode = MODE_ALIASES;
	if ((code = parse(&o, argc, argv)) != 0)
		return code;
	code = run(&o, argc, argv);
	/* What was printed must have arrived: a full disk is no success. */
	if (fflush(stdout) != 0 && code == EX_OK)
		code = EX_IOERR;
	return code;
}
