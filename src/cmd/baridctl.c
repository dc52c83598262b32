/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * baridctl -- looking at a barid, and steering it.
 *
 * What is printed for people is plain text; --json gives the same to
 * programs.  Data goes to standard output, words to standard error.
 */

#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "report/json.h"

struct ctl {
	const char *path;
	bool json;
	bool all;
	bool text;
	bool delete;
	struct str domain, sender;
	struct conf *conf;
};

static const char usage_text[] =
	"usage: baridctl [-c file] [--json] command ...\n"
	"  status                          what is running\n"
	"  queue [list] [ID ...]           what is in the queue (--domain, --sender)\n"
	"  queue show [--text] ID          one message\n"
	"  queue flush   [ID ...]          try now what waits (or --domain D, or all)\n"
	"  queue hold    ID ... | --all    keep until released\n"
	"  queue release ID ... | --all\n"
	"  queue delete  ID ... | --all    drop, telling nobody\n"
	"  queue bounce  ID ... | --all    return to the sender\n"
	"  config [check]                  the options in effect, with file and line\n"
	"  passwd [-d] NAME                set (or remove) a user's password\n"
	"  reload | stop | version\n";

static int
usage(void)
{
	fputs(usage_text, stderr);
	return EX_USAGE;
}

/* ---- status ------------------------------------------------------------------- */

static int
cmd_status(struct ctl *t)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r;
	struct buf answer;
	int code = EX_OK;

	m->op = CONTROL_STATUS;
	buf_init(&answer, FRAME_MAX);
	if (cmd_control(t->conf, m, &answer, &r) < 0) {
		fprintf(stderr, "barid is not running: %s\n", strerror(errno));
		code = EX_UNAVAILABLE;
	} else if (t->json) {
		json_status(r.text, stdout);
	} else {
		printf(STR_FMT, STR_ARG(r.text));
	}
	buf_free(&answer);
	mem_free(m);
	return code;
}

/* ---- queue ----------------------------------------------------------------------- */

static int
queue_list(struct ctl *t, int argc, char **argv)
{
	struct str *ids = mem_array((size_t)argc + 1, sizeof(*ids));
	struct listing_filter f = { .ids = ids, .id_n = (size_t)argc, .domain = t->domain,
		.sender = t->sender };

	for (int i = 0; i < argc; i++)
		ids[i] = str_c(argv[i]);
	int code = cmd_list(t->conf, &f, t->json ? LISTING_JSON : LISTING_MAILQ, stdout);
	mem_free(ids);
	return code;
}

/* One request to the runners; adds to *COUNT. */
static int
steer(struct ctl *t, const struct msg_control *m, uint64_t *count)
{
	struct msg_control_result r;
	struct buf answer;
	int code = EX_OK;

	buf_init(&answer, FRAME_MAX);
	if (cmd_control(t->conf, m, &answer, &r) < 0) {
		fprintf(stderr, "barid is not running: %s\n", strerror(errno));
		code = EX_UNAVAILABLE;
	} else {
		*count += r.count;
		if (r.text.n > 0)
			fprintf(stderr, STR_FMT, STR_ARG(r.text));
		code = r.ok ? EX_OK : EX_NOPERM;
	}
	buf_free(&answer);
	return code;
}

/* --sender: which messages those are is looked up here, and asked for by id. */
static int
ids_of_sender(struct ctl *t, char **text, struct str *ids, size_t max, size_t *n)
{
	const struct listing_filter f = { .domain = t->domain, .sender = t->sender };
	size_t size = 0;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return EX_OSERR;
	int code = cmd_list(t->conf, &f, LISTING_IDS, out);
	fclose(out);
	struct str rest = str_n(*text, size), one;
	while (rest.n > 0 && *n < max && str_cut(rest, '\n', &one, &rest))
		ids[(*n)++] = one;
	return code;
}

static int
report_count(const struct ctl *t, int code, uint64_t count, bool named)
{
	if (t->json)
		printf("{\"ok\":%s,\"count\":%llu}\n", code == EX_OK ? "true" : "false",
		    (unsigned long long)count);
	else if (code == EX_OK)
		printf("%llu message%s\n", (unsigned long long)count, count == 1 ? "" : "s");
	return code == EX_OK && named && count == 0 ? EX_DATAERR : code;
}

/* Asks in portions of what a request can hold; no id at all means all of --domain. */
static int
steer_all(struct ctl *t, enum control_op op, const struct str *ids, size_t n, bool named)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	uint64_t count = 0;
	int code = EX_OK;

	m->op = op;
	m->domain = t->domain;
	if (!named)
		code = steer(t, m, &count);
	for (size_t at = 0; named && at < n && code == EX_OK;) {
		for (m->id_n = 0; m->id_n < CONTROL_IDS_MAX && at < n; at++)
			m->ids[m->id_n++] = ids[at];
		code = steer(t, m, &count);
	}
	mem_free(m);
	return report_count(t, code, count, named);
}

#define SENDER_IDS_MAX 100000

static int
queue_steer(struct ctl *t, enum control_op op, int argc, char **argv)
{
	size_t n = 0, max = t->sender.n > 0 ? SENDER_IDS_MAX : (size_t)argc;
	struct str *ids = mem_array(max + 1, sizeof(*ids));
	char *text = NULL;
	int code = EX_OK;

	for (int i = 0; i < argc && t->sender.n == 0; i++) {
		ids[n++] = str_c(argv[i]);
		if (!queue_id_valid(str_c(argv[i]))) {
			fprintf(stderr, "%s is no queue id\n", argv[i]);
			code = EX_USAGE;
		}
	}
	if (argc > 0 && t->sender.n > 0) {
		fputs("give either queue ids or --sender\n", stderr);
		code = EX_USAGE;
	}
	/* What cannot be undone for everything wants to be asked for in so many words. */
	if (op != CONTROL_FLUSH && argc == 0 && t->domain.n == 0 && t->sender.n == 0 && !t->all) {
		fputs("name the messages, or give --domain, --sender or --all\n", stderr);
		code = EX_USAGE;
	}
	if (code == EX_OK && t->sender.n > 0)
		code = ids_of_sender(t, &text, ids, max, &n);
	if (code == EX_OK)
		code = steer_all(t, op, ids, n, argc > 0 || t->sender.n > 0);
	mem_free(ids);
	mem_free(text);
	return code;
}

static int
cmd_queue(struct ctl *t, int argc, char **argv)
{
	static const struct {
		const char *name;
		enum control_op op;
	} ops[] = {
		{ "flush", CONTROL_FLUSH }, { "hold", CONTROL_HOLD },
		{ "release", CONTROL_RELEASE },
		{ "delete", CONTROL_DELETE }, { "bounce", CONTROL_BOUNCE },
	};

	if (argc == 0 || strcmp(argv[0], "list") == 0)
		return queue_list(t, argc ? argc - 1 : 0, argv + (argc > 0));
	if (strcmp(argv[0], "show") == 0)
		return argc == 2 ? cmd_show(t->conf, argv[1], t->text, t->json, stdout)
				 : usage();
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (strcmp(argv[0], ops[i].name) == 0)
			return queue_steer(t, ops[i].op, argc - 1, argv + 1);
	return usage();
}

/* ---- config ------------------------------------------------------------------------ */

static void
print_option(void *arg UNUSED, const char *name, const char *value, struct conf_place place)
{
	printf("%s = %s", name, value);
	if (place.file[0])
		printf("\t# %s:%d", place.file, place.line);
	putchar('\n');
}

static int
cmd_config(struct ctl *t, int argc, char **argv)
{
	/* The configuration was read, so it is right; a wrong one ended us before. */
	if (argc == 1 && strcmp(argv[0], "check") == 0) {
		if (t->json)
			puts("{\"ok\":true}");
		return EX_OK;
	}
	if (argc != 0)
		return usage();
	if (t->json)
		json_config(t->conf, stdout);
	else
		conf_each(t->conf, print_option, NULL);
	return EX_OK;
}

/* ---- signals -------------------------------------------------------------------------- */

static int
signal_master(struct ctl *t, int signo)
{
	struct buf path;
	char text[32] = "";
	uint64_t pid = 0;

	buf_init(&path, PATH_MAX);
	buf_addf(&path, "%s/barid.pid", t->conf->run);
	FILE *f = fopen(buf_cstr(&path), "re");
	buf_free(&path);
	if (f) {
		if (fgets(text, sizeof(text), f) &&
		    str_u64(str_trim(str_c(text)), INT32_MAX, &pid) < 0)
			pid = 0;
		fclose(f);
	}
	/* A file that was left over names a process that is another one by now. */
	if (pid == 0 || !cmd_is_running(t->conf)) {
		fputs("barid is not running\n", stderr);
		return EX_UNAVAILABLE;
	}
	if (kill((pid_t)pid, signo) < 0) {
		fprintf(stderr, "process %llu: %s\n", (unsigned long long)pid, strerror(errno));
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (t->json)
		puts("{\"ok\":true}");
	return EX_OK;
}

static int
cmd_version(const struct ctl *t)
{
	if (t->json)
		puts("{\"version\":\"" BARID_VERSION "\"}");
	else
		puts("barid " BARID_VERSION);
	return EX_OK;
}

static int
dispatch(struct ctl *t, int argc, char **argv)
{
	const char *name = argv[0];

	if (strcmp(name, "version") == 0)
		return cmd_version(t);
	t->conf = cmd_conf(t->path);
	if (strcmp(name, "status") == 0 && argc == 1)
		return cmd_status(t);
	if (strcmp(name, "queue") == 0)
		return cmd_queue(t, argc - 1, argv + 1);
	if (strcmp(name, "config") == 0)
		return cmd_config(t, argc - 1, argv + 1);
	if (strcmp(name, "passwd") == 0)
		return cmd_passwd(t->conf, t->delete, t->json, argc - 1, argv + 1);
	if (strcmp(name, "reload") == 0 && argc == 1)
		return signal_master(t, SIGHUP);
	if (strcmp(name, "stop") == 0 && argc == 1)
		return signal_master(t, SIGTERM);
	return usage();
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' }, { "all", no_argument, NULL, 'a' },
		{ "text", no_argument, NULL, 't' }, { "domain", required_argument, NULL, 'D' },
		{ "sender", required_argument, NULL, 'S' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
	};
	struct ctl t = { .path = conf_default_path() };
	int opt;

	proc_fix_stdio();
	while ((opt = getopt_long(argc, argv, "c:dhjV", long_options, NULL)) != -1) {
		switch (opt) {
		case 'c': t.path = optarg; break;
		case 'd': t.delete = true; break;
		case 'j': t.json = true; break;
		case 'a': t.all = true; break;
		case 't': t.text = true; break;
		case 'D': t.domain = str_c(optarg); break;
		case 'S': t.sender = str_c(optarg); break;
		case 'h': fputs(usage_text, stdout); return EX_OK;
		case 'V': return cmd_version(&t);
		default: return usage();
		}
	}
	if (optind >= argc)
		return usage();
	int code = dispatch(&t, argc - optind, argv + optind);
	conf_free(t.conf);
	if (fflush(stdout) != 0 && code == EX_OK)
		code = EX_IOERR;
	return code;
}
