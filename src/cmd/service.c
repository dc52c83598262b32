/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service -- baridctl's commands about the service itself: what runs, with
 * which options, and its end.
 */

#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "forms.h"
#include "lib/mem.h"
#include "lib/proc.h"

int
ctl_not_running(void)
{
	bool down = errno == ENOENT || errno == ECONNREFUSED;

	fprintf(stderr, "barid %s: %s\n",
	    down ? "is not running" : "does not answer", strerror(errno));
	return EX_UNAVAILABLE;
}

int
ctl_status(struct ctl *t, int argc, char **argv UNUSED)
{
	struct msg_control *m;
	struct msg_control_result r = { .ok = false };
	size_t size = 0;
	int code = EX_OK;

	if (argc != 0)
		return ctl_usage();
	m = mem_alloc(sizeof(*m));
	m->op = CONTROL_STATUS;
	char *text = cmd_control_text(t->conf, m, &size, &r);
	if (!text) {
		code = ctl_not_running();
	} else if (!r.ok) {
		fputs(text, stderr);
		code = EX_UNAVAILABLE;
	} else if (t->json) {
		forms_status(str_n(text, size), stdout);
	} else {
		fwrite(text, 1, size, stdout);
	}
	mem_free(text);
	mem_free(m);
	return code;
}

/* ---- config ---------------------------------------------------------------- */

static void
print_option(void *arg UNUSED, const char *name, const char *value,
    struct conf_place place)
{
	printf("%s = %s", name, value);
	if (place.file[0] != '\0')
		printf("\t# %s:%d", place.file, place.line);
	putchar('\n');
}

/* Its text was read, so it is right; what it names the program knows that will start with it. */
static int
config_check(const struct ctl *t)
{
	const char *barid = cmd_program("barid");
	const char *const argv[] = { "barid", "-t", "-c", t->path, NULL };
	char *args[ARRAY_LEN(argv)];
	int status, code = EX_OSERR;
	pid_t pid;

	/* exec's argv is not const for historical reasons only. */
	memcpy(args, argv, sizeof(argv));
	pid = proc_start(barid, args, -1, NULL, 0, environ);
	if (pid < 0)
		fprintf(stderr, "baridctl: %s: %s\n", barid, strerror(errno));
	else if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		code = WEXITSTATUS(status);
	if (t->json)
		printf("{\"ok\":%s}\n", code == EX_OK ? "true" : "false");
	return code;
}

int
ctl_config(struct ctl *t, int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "check") == 0)
		return config_check(t);
	if (argc != 0)
		return ctl_usage();
	if (t->json)
		forms_config(t->conf, stdout);
	else
		conf_each(t->conf, print_option, NULL);
	return EX_OK;
}

/* ---- signals --------------------------------------------------------------- */

/* The master's process id, as its file says; 0: there is none. */
static uint64_t
master_pid(const struct conf *c)
{
	struct buf path;
	char text[32] = "";
	uint64_t pid = 0;
	FILE *f;

	buf_init(&path, PATH_MAX);
	buf_addf(&path, "%s/barid.pid", c->run);
	f = fopen(buf_cstr(&path), "re");
	buf_free(&path);
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) != NULL &&
	    str_u64(str_trim(str_c(text)), INT32_MAX, &pid) < 0)
		pid = 0;
	fclose(f);
	return pid;
}

static int
signal_master(struct ctl *t, int signo)
{
	uint64_t pid = master_pid(t->conf);

	/* A file that was left over names a process that is another one by now. */
	if (pid == 0 || !cmd_is_running(t->conf)) {
		fputs("barid is not running\n", stderr);
		return EX_UNAVAILABLE;
	}
	if (kill((pid_t)pid, signo) < 0) {
		fprintf(stderr, "process %llu: %s\n", (unsigned long long)pid,
		    strerror(errno));
		return errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (t->json)
		puts("{\"ok\":true}");
	return EX_OK;
}

int
ctl_reload(struct ctl *t, int argc, char **argv UNUSED)
{
	return argc == 0 ? signal_master(t, SIGHUP) : ctl_usage();
}

int
ctl_stop(struct ctl *t, int argc, char **argv UNUSED)
{
	return argc == 0 ? signal_master(t, SIGTERM) : ctl_usage();
}
