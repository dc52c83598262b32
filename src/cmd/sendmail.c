/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sendmail -- the command that every Unix program knows; mailq and
 * newaliases are other names for it.
 *
 * It is set-group-id for the drop directory.  What a caller could misuse is
 * therefore inert: options.c sees to that.
 */

#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/program.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "mailbox/aliases.h"
#include "policy/recipient.h"

/* A path, and the lines of tables that may decide on it. */
#define ONE_MAX ((size_t)16 << 20)

/* ---- the modes ------------------------------------------------------------------ */

static int
set_sender(struct sendmail_options *o, const struct conf *c, struct arena *a)
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
send_message(struct sendmail_options *o, const struct conf *c, int argc, char **argv)
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

/* The exit code for an address with that in store. */
static int
code_of(const struct target *t)
{
	if (t->kind == TARGET_ERROR && t->way->code < 500)
		return EX_TEMPFAIL;
	return t->kind == TARGET_ERROR || t->kind == TARGET_NO_ROUTE ||
	    t->kind == TARGET_UNKNOWN ? EX_NOUSER : EX_OK;
}

/* Whom alias P stands for, as its file has it. */
static void
show_alias(const struct conf *c, const struct aliases *aliases, const struct path *p)
{
	const struct alias_list *l = aliases_of(aliases, str_c(c->recipients.subaddress), p);

	for (size_t i = 0; l && i < l->n; i++)
		printf("%s%s" STR_FMT, i > 0 ? ", " : ": ",
		    l->v[i].kind == ALIAS_INCLUDE     ? ":include:" :
			l->v[i].kind == ALIAS_PROGRAM ? "|" :
							"",
		    STR_ARG(l->v[i].text));
}

/* Where mail goes, and the line of the configuration that says so. */
static void
show_target(const struct conf *c, const struct aliases *aliases, const struct target *t)
{
	fputs(t->why, stdout);
	if (t->kind == TARGET_ALIAS)
		show_alias(c, aliases, &t->path);
	if (t->kind == TARGET_MAILBOX)
		printf(": mailbox %s", t->mailbox);
	else if (t->kind == TARGET_UPSTREAM)
		printf(": upstream %s", t->upstream->name);
	else if (t->kind == TARGET_MAILDIR)
		printf(": %s", t->way->maildir);
	else if (t->kind == TARGET_PIPE)
		printf(": %s", (t->rule != NULL ? t->rule->via : t->route->via) +
		    sizeof(PROGRAM_PREFIX) - 1);
	else if (t->kind == TARGET_LIST)
		printf(": %s", t->rule->list);
	else if (t->kind == TARGET_ERROR)
		printf(": %d %s %s", t->way->code, t->way->enhanced, t->way->text);
	if (t->fallback)
		printf(", else upstream %s", t->fallback->name);
	if (t->source.n > 0)
		printf(", from " STR_FMT, STR_ARG(t->source));
	if (t->place.file && t->place.file[0])
		printf(" (%s:%d)", t->place.file, t->place.line);
	putchar('\n');
}

/* Reads the files of aliases into USERS as well; what is wrong is said.  NULL: not to be had. */
static struct aliases *
verify_aliases(const struct conf *c, struct userset *users)
{
	struct aliases *aliases = NULL;
	struct buf complaints;

	buf_init(&complaints, 1 << 20);
	if (c->aliases.n > 0)
		aliases = aliases_load(&c->aliases, false, &complaints);
	fputs(buf_cstr(&complaints), stderr);
	buf_free(&complaints);
	cmd_alias_names(users, aliases, STR(""));
	/* Who has a mailbox is for the daemon to know; here every name could. */
	userset_set_any(users, true);
	return aliases;
}

/* For ADDRESS; what is asked of it is in the arena of F. */
static int
verify_one(const struct conf *c, const struct userset *users, const struct aliases *aliases,
    const struct mail_facts *f, const char *address)
{
	struct path p;
	const char *why = inject_address(c, str_c(address), f->arena, &p);
	struct target t;
	struct str addr;

	if (why) {
		printf("%s... no address: %s\n", address, why);
		return EX_NOUSER;
	}
	t = target_of(c, users, f, &p);
	addr = path_str(f->arena, &p);
	printf(STR_FMT "... ", STR_ARG(addr));
	show_target(c, aliases, &t);
	return code_of(&t);
}

static int
verify(struct sendmail_options *o, struct conf *c, int argc, char **argv)
{
	struct arena a, one;
	struct mail_facts f = { .arena = &one,
		.listener = STR(CONF_LISTEN_DROP) };
	struct aliases *aliases = NULL;
	struct userset *users;
	int code = EX_OSERR, now;

	if (o->inject.extract || o->first == argc) {
		fputs("sendmail: -bv takes addresses as arguments, and reads no message\n", stderr);
		return EX_USAGE;
	}
	users = userset_new();
	arena_init(&a, 1 << 20);
	arena_init(&one, ONE_MAX);
	cmd_tables(c);
	if (!users || (code = set_sender(o, c, &a)) != 0)
		goto out;
	f.from = o->inject.from;
	aliases = verify_aliases(c, users);
	for (int i = o->first; i < argc; i++) {
		now = verify_one(c, users, aliases, &f, argv[i]);
		if (code != EX_NOUSER && now != EX_OK)
			code = now;
		arena_reset(&one);
	}
out:
	arena_free(&one);
	arena_free(&a);
	aliases_free(aliases);
	userset_free(users);
	return code;
}

static int
flush(const struct sendmail_options *o, const struct conf *c)
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

/* Becomes PROGRAM, which was installed beside us, or stands in the build directory. */
static int
become(const char *program, const char *const *argv)
{
	/* exec's argv is not const for historical reasons only. */
	execv(cmd_program(program), (char *const *)(uintptr_t)argv);
	fprintf(stderr, "sendmail: %s: %s\n", program, strerror(errno));
	return EX_UNAVAILABLE;
}

static int
run_barid(const struct sendmail_options *o, const char *option)
{
	const char *const argv[] = { "barid", option, "-c", o->conf, NULL };

	return become("barid", argv);
}

/* Whose mail that is, is looked up by the program that can. */
static int
flush_sender(const struct sendmail_options *o)
{
	const char *const argv[] = { "baridctl", "-c", o->conf, "--sender", o->flush_sender,
		"queue", "flush", NULL };

	return become("baridctl", argv);
}

static int
run(struct sendmail_options *o, int argc, char **argv)
{
	if (o->mode == MODE_SESSION)
		return run_barid(o, "-s");
	if (o->mode == MODE_FOREGROUND || o->mode == MODE_DAEMON)
		return run_barid(o, o->mode == MODE_DAEMON ? "-d" : "-f");
	if (o->mode == MODE_FLUSH && o->flush_sender)
		return flush_sender(o);
	/* A message is kept by callers for which it is only too early (75). */
	struct conf *c = cmd_conf(o->conf, o->mode == MODE_MESSAGE ? EX_TEMPFAIL : EX_CONFIG);
	const struct listing_filter all = { .ids = NULL };
	uint64_t count;
	int code;
	switch (o->mode) {
	case MODE_LIST:
		code = cmd_list(c, &all, o->json ? LISTING_JSON : LISTING_MAILQ, stdout,
		    &count);
		break;
	case MODE_ALIASES: code = cmd_newaliases(c); break;
	case MODE_VERIFY: code = verify(o, c, argc, argv); break;
	case MODE_FLUSH: code = flush(o, c); break;
	default: code = send_message(o, c, argc, argv); break;
	}
	conf_free(c);
	return code;
}

int
main(int argc, char **argv)
{
	struct sendmail_options o = { .conf = conf_default_path() };
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
	if ((code = sendmail_parse(&o, argc, argv)) != 0)
		return code;
	code = run(&o, argc, argv);
	/* What was printed must have arrived: a full disk is no success. */
	if (fflush(stdout) != 0 && code == EX_OK)
		code = EX_IOERR;
	return code;
}
