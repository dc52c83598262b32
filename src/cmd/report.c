/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * report -- `baridctl report`: what reports of others say, in files.
 *
 * Whoever looks at them is often root, and they are anybody's.  So all files are
 * read first; what is in them is looked at by a process that can do no more than
 * write what it has found.
 */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "lib/confine.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "mail/date.h"
#include "report/feedback_read.h"

#define FILE_MAX ((size_t)64 << 20)
#define ARENA_MAX ((size_t)8 << 20)

struct one {
	const char *path;
	struct buf text;
	int error;		/* errno of reading it */
};

/* What is printed is put together here: nothing is asked of the terminal. */
static char output[65536];

/* ---- for people ------------------------------------------------------------------ */

static const char *
title(const char *kind)
{
	static const char *const titles[][2] = {
		{ "dsn", "a report of delivery (RFC 3464)" },
		{ "mdn", "a notification of its reader (RFC 8098)" },
		{ "abuse", "a complaint, or a report of a failure (RFC 5965, 6591)" },
		{ "tls", "a report of TLS (RFC 8460)" },
		{ "dmarc", "an aggregate report of DMARC (RFC 7489, 9990)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (strcmp(kind, titles[i][0]) == 0)
			return titles[i][1];
	return "no report";
}

static void
print_value(const struct feedback_fact *f, bool quote)
{
	char line[4 * FEEDBACK_VALUE_MAX];
	uint64_t v;
	struct buf b;

	if ((f->name == FACT_BEGIN || f->name == FACT_END) &&
	    str_u64(f->value, 253402300799u, &v) == 0) {
		buf_init(&b, 100);
		date_add_iso(&b, (int64_t)v);
		printf("%s", buf_cstr(&b));
		buf_free(&b);
		return;
	}
	quote = quote && str_find(f->value, ' ') >= 0;
	printf(quote ? "\"%.*s\"" : "%.*s",
	    (int)log_escape(line, sizeof(line), f->value), line);
}

static void
print_feedback(const struct feedback *f)
{
	for (size_t i = 0; i < f->head.n; i++) {
		printf("  %s: ", feedback_name(f->head.facts[i].name));
		print_value(&f->head.facts[i], false);
		putchar('\n');
	}
	for (size_t i = 0; i < f->row_n; i++) {
		printf("   ");
		for (size_t k = 0; k < f->rows[i].n; k++) {
			printf(" %s=", feedback_name(f->rows[i].facts[k].name));
			print_value(&f->rows[i].facts[k], true);
		}
		putchar('\n');
	}
	if (f->row_total > f->row_n)
		printf("    and %llu more\n", (unsigned long long)(f->row_total - f->row_n));
}

static void
set_facts(struct json *o, const struct feedback_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct feedback_fact *f = &row->facts[i];
		const char *name = feedback_name(f->name);
		uint64_t v;

		if (feedback_is_number(f->name) && str_u64(f->value, INT64_MAX, &v) == 0)
			json_set_number(o, name, v);
		else
			json_set_text(o, name, f->value);
	}
}

static void
print_json(const char *file, const struct feedback *f)
{
	struct json *o = json_new_object(), *rows = json_new_array();

	json_set_text(o, "file", str_c(file));
	if (f->kind[0] != '\0')
		json_set_text(o, "kind", str_c(f->kind));
	if (f->why != NULL)
		json_set_text(o, "why", str_c(f->why));
	set_facts(o, &f->head);
	for (size_t i = 0; i < f->row_n; i++) {
		struct json *row = json_new_object();

		set_facts(row, &f->rows[i]);
		json_add(rows, row);
	}
	json_set_number(o, "row-count", f->row_total);
	json_set(o, "rows", rows);
	json_print(o, JSON_FOR_EYES, stdout);
}

/* ---- files ------------------------------------------------------------------------ */

static int
show(const struct ctl *t, const struct one *o)
{
	struct feedback f;
	struct arena a;
	int code;

	if (o->error != 0) {
		fprintf(stderr, "%s: %s\n", o->path, strerror(o->error));
		return EX_NOINPUT;
	}
	arena_init(&a, ARENA_MAX);
	feedback_init(&f, &a, FEEDBACK_ROWS_MAX);
	feedback_read(&f, buf_str(&o->text), str_c(t->conf->hostname));
	code = f.why == NULL ? EX_OK : EX_DATAERR;
	if (t->json) {
		print_json(o->path, &f);
	} else {
		printf("%s: %s\n", o->path, title(f.kind));
		if (f.kind[0] != '\0')
			print_feedback(&f);
		if (f.why != NULL)
			printf("  %s: %s\n", f.kind[0] != '\0' ? "not all of it" : "because",
			    f.why);
	}
	arena_free(&a);
	return code;
}

/* From here on nothing but what is in memory. */
static void
confine(const struct ctl *t)
{
	(void)setvbuf(stdout, output, _IOFBF, sizeof(output));
	feedback_read_prepare();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		confine_now(CONFINE_SIGNER, (enum confine_mode)t->conf->sandbox);
}

/* What exit() would do is not allowed any more, should a library want something of it. */
static void NORETURN
end(int code)
{
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == EX_OK) {
		fprintf(stderr, "standard output: %s\n", strerror(errno));
		code = EX_IOERR;
	}
	proc_child_exit(code);
}

int
ctl_report(struct ctl *t, int argc, char **argv)
{
	static char dash[] = "-";
	char *standard[] = { dash };
	struct one *files;
	int code = EX_OK, one;

	if (argc == 0) {
		argc = 1;
		argv = standard;
	}
	files = mem_array((size_t)argc, sizeof(*files));
	for (int i = 0; i < argc; i++) {
		files[i] = (struct one){ .path = argv[i] };
		buf_init(&files[i].text, FILE_MAX);
		if (!ctl_read_file(argv[i], &files[i].text))
			files[i].error = errno;
	}
	confine(t);
	for (int i = 0; i < argc; i++) {
		one = show(t, &files[i]);
		code = code != EX_OK ? code : one;
		buf_free(&files[i].text);
	}
	mem_free(files);
	end(code);
}
