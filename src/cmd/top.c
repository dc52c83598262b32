/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * top -- `baridctl top`: the destinations, live, how near limits of rates are, and
 * who has sent most of a quota.
 *
 * On a terminal a page that is drawn anew, until q is typed or a signal
 * comes; the terminal is as before then, whichever it was.  Elsewhere, and
 * with --once, one page.
 */

#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "policy/quota.h"
#include "report/view.h"

#define INTERVAL_MS 2000
#define COLUMNS_MAX 4000
/* Another screen, and no cursor; and back. */
#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define SCREEN_CLEAR "\033[J"
#define LINE_CLEAR "\033[K"

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	/* A new size only ends the wait. */
	if (signo != SIGWINCH)
		stopped = signo;
}

/* ---- asking ------------------------------------------------------------------ */

/* -1: nobody answers, errno. */
static int
ask(const struct ctl *t, struct view *v)
{
	struct msg_control *m = mem_alloc(sizeof(*m));
	struct msg_control_result r = { .ok = false };
	size_t size = 0;

	view_init(v);
	m->op = CONTROL_DESTS;
	char *text = cmd_control_text(t->conf, m, &size, &r);
	mem_free(m);
	if (text == NULL)
		return -1;
	view_read(v, str_n(text, size));
	mem_free(text);
	return 0;
}

/* ---- accounts -------------------------------------------------------------------- */

/* So many of those that have used most of their quotas. */
#define QUOTA_ROWS 5

/* What accounts have sent, below the destinations: how many lines it takes. */
static size_t
print_quotas(const struct conf *c, FILE *out)
{
	struct quotas *q = quota_is_used(c) ? cmd_quotas(c) : NULL;
	struct quota_use v[QUOTA_ROWS];
	size_t n = q != NULL ? cmd_quota_list(c, q, v, QUOTA_ROWS) : 0;

	quotas_free(q);
	if (n == 0)
		return 0;
	fputc('\n', out);
	cmd_quota_head(out);
	for (size_t i = 0; i < n; i++)
		cmd_quota_print(c, &v[i], false, out);
	return n + 2;
}

/* ---- the terminal -------------------------------------------------------------- */

struct screen {
	struct termios before;
	size_t rows, columns;
};

static void
measure(struct screen *s)
{
	struct winsize w;

	s->rows = 24;
	s->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 &&
	    w.ws_col > 0) {
		s->rows = w.ws_row;
		s->columns = w.ws_col;
	}
}

static void
catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGWINCH };
	/* No SA_RESTART: a signal ends the wait. */
	struct sigaction act = { .sa_handler = on_signal };

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &act, NULL);
}

static bool
screen_begin(struct screen *s)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &s->before) < 0)
		return false;
	raw = s->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	catch_signals();
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(SCREEN_BEGIN, stdout);
	return true;
}

static void
screen_end(const struct screen *s)
{
	fputs(SCREEN_END, stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
}

/* Draws over what there is, so that nothing flickers. */
static void
draw(const struct conf *c, const struct view *v, struct screen *s)
{
	char *page = NULL, *accounts = NULL;
	size_t size = 0, accounts_size = 0, rows = 0;
	FILE *below = open_memstream(&accounts, &accounts_size);
	struct str rest, line;
	FILE *out = open_memstream(&page, &size);

	measure(s);
	if (out == NULL || below == NULL)
		return;
	rows = view_rates(v, s->columns, below);
	rows += view_froms(v, s->columns, below);
	rows += print_quotas(c, below);
	fclose(below);
	view_page(v, s->rows > rows + 1 ? s->rows - 1 - rows : 1, s->columns,
	    clock_wall(), out);
	fputs(accounts, out);
	fclose(out);
	mem_free(accounts);
	rest = str_n(page, size);
	fputs(SCREEN_HOME, stdout);
	for (size_t i = 0; i + 1 < s->rows && rest.n > 0; i++) {
		str_cut(rest, '\n', &line, &rest);
		printf(STR_FMT LINE_CLEAR "\n", STR_ARG(line));
	}
	fputs(SCREEN_CLEAR, stdout);
	fflush(stdout);
	mem_free(page);
}

/* True if whoever sits there has had enough. */
static bool
wait_for_key(int64_t ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char keys[64];
	ssize_t n;

	if (poll(&p, 1, ms < INT32_MAX ? (int)ms : INT32_MAX) <= 0)
		return stopped != 0;
	n = read(STDIN_FILENO, keys, sizeof(keys));
	/* The terminal is gone. */
	if (n <= 0)
		return true;
	return memchr(keys, 'q', (size_t)n) != NULL ||
	    memchr(keys, 'Q', (size_t)n) != NULL || stopped != 0;
}

static int
live(struct ctl *t)
{
	struct screen s;
	struct view v;
	int code = EX_OK, error = 0;

	if (!screen_begin(&s))
		return EX_OSERR;
	do {
		if (ask(t, &v) < 0) {
			error = errno;
			code = EX_UNAVAILABLE;
		} else
			draw(t->conf, &v, &s);
		view_free(&v);
	} while (code == EX_OK && !ferror(stdout) &&
	    !wait_for_key(t->interval_ms));
	screen_end(&s);
	errno = error;
	return code == EX_OK ? EX_OK : ctl_not_running();
}

/* ---- a page, or one after the other ---------------------------------------------- */

static int
page(struct ctl *t)
{
	struct view v;
	int code = EX_OK;

	if (ask(t, &v) < 0)
		code = ctl_not_running();
	else if (t->json)
		view_json(&v, clock_wall(), stdout);
	else {
		view_page(&v, 0, COLUMNS_MAX, clock_wall(), stdout);
		(void)view_rates(&v, COLUMNS_MAX, stdout);
		(void)view_froms(&v, COLUMNS_MAX, stdout);
		(void)print_quotas(t->conf, stdout);
	}
	view_free(&v);
	if (code == EX_OK && fflush(stdout) != 0)
		code = EX_IOERR;
	return code;
}

/* For a program that reads on: an object in each interval. */
static int
stream(struct ctl *t)
{
	int code;

	catch_signals();
	while ((code = page(t)) == EX_OK && stopped == 0)
		(void)poll(NULL, 0, t->interval_ms < INT32_MAX ?
		    (int)t->interval_ms : INT32_MAX);
	return code;
}

int
ctl_top(struct ctl *t, int argc, char **argv UNUSED)
{
	bool asked = t->interval_ms != 0;

	if (argc != 0)
		return ctl_usage();
	if (t->interval_ms == 0)
		t->interval_ms = INTERVAL_MS;
	if (t->json && asked && !t->once)
		return stream(t);
	if (t->once || t->json || !isatty(STDIN_FILENO) ||
	    !isatty(STDOUT_FILENO))
		return page(t);
	return live(t);
}
