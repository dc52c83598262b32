/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- the socket that baridctl and mailq ask.
 *
 * Like a mail session, each request is served by a forked, confined child:
 * the master reads nothing.  What concerns the queue goes on to the runners,
 * which alone may steer it.  Who asks is the kernel's word (SO_PEERCRED).
 */

#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg_scan.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/recipient.h"
#include "report/listing.h"

#define CONTROL_TIMEOUT_MS 30000
/* Who looks does not wait for a runner that is at something else, or stands still. */
#define ACTIVE_TIMEOUT_MS 2000
/* Each backend may take its time. */
#define AUTH_TIMEOUT_MS 55000
/* A run, and the one before it that is under way. */
#define COLLECT_TIMEOUT_MS (30 * 60 * 1000)
#define CONTROL_PATH "control"
/* Of CONTROLS_MAX, so many are not for everybody. */
#define CONTROLS_TRUSTED 8

int
control_open(struct master *m)
{
	struct addr a;
	struct buf path;
	int fd = -1;

	buf_init(&path, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	buf_addf(&path, "%s/" CONTROL_PATH, m->conf->run);
	if (!buf_ok(&path) || addr_unix(buf_cstr(&path), &a) < 0) {
		errno = ENAMETOOLONG;
		goto out;
	}
	(void)unlink(buf_cstr(&path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		goto out;
	if (bind(fd, (struct sockaddr *)&a.ss, a.len) < 0 ||
	    chmod(buf_cstr(&path), 0666) < 0 || listen(fd, 64) < 0) {
		close(fd);
		fd = -1;
		goto out;
	}
	fd = fd_raise(fd);
out:
	buf_free(&path);
	return fd;
}

/* To FD, what is much of it as it comes; the rest stays in B. */
static void
status_sessions(const struct master *m, int fd, struct buf *b)
{
	struct score_slot copy, *s = &copy;

	for (size_t i = 0; score_look(m->score, i, &copy); i++) {
		if (atomic_load(&s->pid) == 0)
			continue;
		buf_addf(b, "session %d service=%d client=%s state=%s seconds=%lld "
		    "messages=%llu\n",
		    (int)atomic_load(&s->pid), s->service, s->client,
		    score_state_name(atomic_load(&s->state)),
		    (long long)(clock_ms() - s->since_ms) / 1000,
		    (unsigned long long)atomic_load(&s->messages));
		if (control_put_much(fd, b) < 0)
			return;
	}
}

static void
status_marks(const struct master *m, struct buf *b)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < MARKS_MAX; i++) {
		const struct mark *mark = marks_at(m->marks, i, now);
		if (!mark)
			continue;
		buf_adds(b, "mark ");
		addr_add_key(b, mark->key);
		buf_addf(b, " crashes=%llu seconds=%lld refused=%lld\n",
		    (unsigned long long)mark->crashes, (long long)(now - mark->last_ms) / 1000,
		    (long long)(marks_refused_ms(m->marks, mark->key, now) + 999) / 1000);
	}
}

static void
status_text(const struct master *m, struct buf *b)
{
	buf_addf(b, "pid %d\n", (int)getppid());
	buf_addf(b, "configuration %s\n", m->conf_path);
	buf_addf(b, "uptime %lld\n", (long long)(clock_ms() - m->started_ms) / 1000);
	buf_addf(b, "sessions %zu\n", score_live(m->score));
	buf_addf(b, "users %zu\n", userset_count(m->users));
	for (size_t i = 0; i < m->helper_n; i++)
		buf_addf(b, "helper %s %u pid=%d\n",
		    helper_name(&m->helpers[i]), m->helpers[i].index,
		    (int)m->helpers[i].pid);
	for (unsigned i = 0; i < ACCEPTORS; i++)
		buf_addf(b, "helper " ACCEPTOR_NAME " %u pid=%d\n", i,
		    (int)m->acceptors[i].pid);
	for (int c = 0; c < COUNT_N; c++)
		buf_addf(b, "%s %llu\n", score_counter_name(c),
		    (unsigned long long)score_get(m->score, c));
	for (int service = SERVICE_SMTP; service <= SERVICE_POP3; service++)
		if (score_is_off(m->score, service))
			buf_addf(b, "disabled %s\n", service == SERVICE_SMTP ? "smtp" :
			    service == SERVICE_SUBMISSION ? "submission" : "pop3");
	if (score_lists_suspended(m->score) > clock_ms())
		buf_adds(b, "disabled dnsbl\n");
	status_marks(m, b);
}

/* Waits until the client takes what it asked for. */
static int
send_waiting(int fd, struct str packet)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (channel_send(fd, packet, -1) < 0)
		if (errno != EAGAIN || poll(&p, 1, CONTROL_TIMEOUT_MS) < 1)
			return -1;
	return 0;
}

/* Where a listing is written to: packets of text. */
ssize_t
control_put_text(void *cookie, const char *p, size_t n)
{
	struct str rest = str_n(p, n);
	struct buf b;
	int sent = 0;

	buf_init(&b, FRAME_MAX);
	while (rest.n > 0 && sent == 0) {
		struct msg_control_result r = { .ok = true, .more = true,
			.text = str_head(rest, FRAME_MAX / 2) };
		rest = str_skip(rest, r.text.n);
		msg_control_result_put(&b, &r);
		sent = send_waiting(*(const int *)cookie, buf_str(&b));
	}
	buf_free(&b);
	return sent < 0 ? 0 : (ssize_t)n;
}

int
control_put_much(int fd, struct buf *b)
{
	ssize_t n;

	if (b->n < FRAME_MAX / 4)
		return 0;
	n = control_put_text(&fd, b->p, b->n);
	buf_reset(b);
	return n > 0 ? 0 : -1;
}

/*
 * Asks every runner, all at once, and adds up what they say; TEXT gets the lines of all.
 * False: one said no, or nothing.
 */
static bool
ask_runners(const struct master *m, struct str packet, int64_t timeout_ms, uint64_t *count,
    struct buf *text)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int asked[FIRST_RUNNER + RUNNERS_MAX];
	struct buf reply;
	bool ok = true;

	*count = 0;
	buf_init(&reply, FRAME_MAX);
	for (size_t i = FIRST_RUNNER; i < m->helper_n; i++)
		asked[i] = channel_ask(m->helpers[i].order_client, packet, deadline);
	for (size_t i = FIRST_RUNNER; i < m->helper_n; i++) {
		struct msg_control_result r;
		if (asked[i] < 0 || channel_await(asked[i], deadline, &reply) < 0 ||
		    !msg_control_result_get(buf_str(&reply), &r)) {
			ok = false;
			buf_addf(text, "runner %zu does not answer: %s\n",
			    i - FIRST_RUNNER, strerror(errno));
			continue;
		}
		ok = ok && r.ok;
		*count += r.count;
		buf_add(text, r.text);
	}
	buf_free(&reply);
	return ok;
}

/* What the runners are at: the ids, a line each. */
static char *
active_lines(const struct master *m)
{
	struct msg_control *c = mem_alloc(sizeof(*c));
	struct buf packet, text;
	uint64_t count;

	c->op = CONTROL_ACTIVE;
	buf_init(&packet, FRAME_MAX);
	buf_init(&text, RUNNERS_MAX * FRAME_MAX);
	msg_control_put(&packet, c);
	(void)ask_runners(m, buf_str(&packet), ACTIVE_TIMEOUT_MS, &count, &text);
	char *lines = mem_dup(buf_str(&text));
	buf_free(&text);
	buf_free(&packet);
	mem_free(c);
	return lines;
}

static void
write_list(const struct master *m, int fd, const struct listing_filter *f,
    const struct listing_facts *facts, enum listing_form form)
{
	FILE *out = fopencookie(&fd, "w", (cookie_io_functions_t){ .write = control_put_text });
	struct buf b;

	if (!out) {
		msg_control_answer(fd, false, 0, STR("out of memory\n"));
		return;
	}
	struct msg_control_result r = { .ok = false };
	r.ok = listing_write(m->queue, f, facts, form, out, &r.count) == 0;
	/* Who does not take it gets no end, which is how it is seen that it is not all. */
	bool lost = fflush(out) != 0 || ferror(out);
	(void)fclose(out);
	if (lost)
		return;
	buf_init(&b, FRAME_MAX);
	msg_control_result_put(&b, &r);
	if (send_waiting(fd, buf_str(&b)) < 0)
		log_debug(NULL, "a control request went away: %s", strerror(errno));
	buf_free(&b);
}

/* The way of a recipient may stand in a table, which the master only checks. */
static bool
read_tables(struct conf *conf, int fd)
{
	struct buf error;
	bool read;

	buf_init(&error, FRAME_MAX / 2);
	read = conf_tables_load(conf, &error) == 0;
	if (!read)
		msg_control_answer(fd, false, 0, buf_str(&error));
	buf_free(&error);
	return read;
}

/* Anybody may see what is in the queue; the messages themselves nobody, by this way. */
static void
list_queue(const struct master *m, int fd, const struct msg_control *c)
{
	const struct listing_filter f = { .ids = c->ids, .id_n = c->id_n, .domain = c->domain,
		.sender = c->sender, .recipient = c->recipient, .reason = c->reason,
		.route = c->route, .states = (unsigned)c->states & LISTING_STATES_ALL,
		.before_us = (int64_t)c->before_us, .after_us = (int64_t)c->after_us,
		.limit = c->limit, .reverse = c->reverse, .by_sender = c->by_sender,
		.sort = (enum listing_sort)c->sort };
	struct listing_facts facts = { .conf = m->conf };

	if (c->form < LISTING_MAILQ || c->form > LISTING_PUBLIC_MAX || !m->queue ||
	    c->sort > LISTING_BY_SENDER) {
		msg_control_answer(fd, false, 0, STR("this is not listed\n"));
		return;
	}
	if (c->route.n > 0 && !read_tables(m->conf, fd))
		return;
	char *lines = active_lines(m);
	const char **active = listing_active(lines, &facts.active_n);
	facts.active = active;
	write_list(m, fd, &f, &facts, (enum listing_form)c->form);
	mem_free(active);
	mem_free(lines);
}

/* By the same function as all mail. */
static void
find_user(const struct master *m, int fd, const struct msg_control *c)
{
	const struct mail_facts nothing = { .user = STR("") };
	struct path p = { .local = c->domain, .domain = STR("") };
	struct target t = target_at_last(m->conf, m->users, &nothing, &p);

	msg_control_answer(fd, true, t.kind == TARGET_MAILBOX,
	    t.kind == TARGET_MAILBOX ? str_c(t.mailbox) : STR(""));
}

/* Asks barid-auth what each backend says of DOMAIN with the password REASON. */
static void
test_login(const struct master *m, int fd, const struct msg_control *c, bool trusted)
{
	static const char *const verdicts[] = { "yes\n", "no\n", "later\n", "later\n" };
	const struct msg_auth question = { .service = STR(AUTH_SERVICE_TEST),
		.mechanism = STR("PLAIN"), .user = c->domain, .password = c->reason,
		.client = STR("127.0.0.1"), .listener = STR(""), .tls = STR(""),
		.challenge = STR("") };
	struct msg_auth_result r;
	struct buf packet, reply;

	buf_init(&packet, FRAME_MAX);
	buf_init(&reply, FRAME_MAX);
	msg_auth_put(&packet, &question);
	if (!trusted)
		msg_control_answer(fd, false, 0,
		    STR("only root and the mail user may try logins\n"));
	else if (m->conf->auth.backends.n == 0)
		msg_control_answer(fd, false, 0, STR("there are no auth.backends\n"));
	else if (!buf_ok(&packet) ||
	    channel_call(m->helpers[0].client_end, buf_str(&packet),
		clock_ms() + AUTH_TIMEOUT_MS, &reply) < 0 ||
	    !msg_auth_result_get(buf_str(&reply), &r)) {
		msg_control_answer(fd, false, 0, STR("barid-auth does not answer\n"));
	} else {
		buf_reset(&packet);
		buf_adds(&packet, verdicts[r.verdict]);
		buf_add(&packet, r.why);
		msg_control_answer(fd, true, (uint64_t)r.verdict, buf_str(&packet));
	}
	buf_wipe(&packet);
	buf_free(&packet);
	buf_free(&reply);
}

static void
collect(const struct master *m, int fd, struct str packet)
{
	struct msg_control_result r;
	struct buf answer;

	buf_init(&answer, FRAME_MAX);
	if (m->conf->collect_n == 0)
		msg_control_answer(fd, false, 0, STR("there is no section collect\n"));
	else if (channel_call(m->helpers[PLACE_COLLECT].client_end, packet,
		     clock_ms() + COLLECT_TIMEOUT_MS, &answer) < 0 ||
	    !msg_control_result_get(buf_str(&answer), &r))
		msg_control_answer(fd, false, 0, STR("barid-collect does not answer\n"));
	else
		msg_control_answer(fd, r.ok, r.count, r.text);
	buf_free(&answer);
}

/* What the runners say, in as many packets as it takes; RATES: and how much is handed in. */
static void
pass_on(const struct master *m, int fd, struct str packet, bool rates, int64_t timeout_ms)
{
	uint64_t count;
	struct buf text;

	buf_init(&text, RUNNERS_MAX * FRAME_MAX);
	if (rates)
		control_view(m, &text);
	bool ok = ask_runners(m, packet, timeout_ms, &count, &text);
	struct str rest = buf_str(&text);
	if (rest.n > FRAME_MAX / 2 && control_put_text(&fd, rest.p, rest.n) > 0)
		rest = STR("");
	msg_control_answer(fd, ok, count, rest);
	buf_free(&text);
}

/* Who asks about a message has the answer from barid-check, by REPLY, which is closed. */
static void
look_at(const struct master *m, int fd, struct str packet, int reply, bool trusted)
{
	struct msg_scan question;

	if (!trusted)
		msg_control_answer(fd, false, 0,
		    STR("only root and the mail user may have it shown\n"));
	else if (!msg_scan_get(packet, &question))
		msg_control_answer(fd, false, 0, STR("this is no request\n"));
	else if (channel_send(m->helpers[PLACE_CHECK].client_end, packet, reply) < 0)
		msg_control_answer(fd, false, 0, STR("barid-check cannot be asked\n"));
	close(reply);
}

static void
carry_out(const struct master *m, int fd, struct str packet, bool trusted)
{
	struct msg_control *c = mem_alloc(sizeof(*c));

	if (!msg_control_get(packet, c))
		msg_control_answer(fd, false, 0, STR("this is no request\n"));
	else if (c->op == CONTROL_STATUS) {
		struct buf text;
		buf_init(&text, FRAME_MAX);
		status_text(m, &text);
		status_sessions(m, fd, &text);
		msg_control_answer(fd, true, score_live(m->score), buf_str(&text));
		buf_free(&text);
	} else if (c->op == CONTROL_LIST)
		list_queue(m, fd, c);
	else if (c->op == CONTROL_USER)
		find_user(m, fd, c);
	else if (c->op == CONTROL_AUTH)
		test_login(m, fd, c, trusted);
	else if (control_access(m, fd, c, trusted))
		log_debug(NULL, "control: access, request %d", (int)c->op);
	else if (c->op == CONTROL_ACTIVE || c->op == CONTROL_DESTS)
		pass_on(m, fd, packet, c->op == CONTROL_DESTS, ACTIVE_TIMEOUT_MS);
	else if (!trusted)
		msg_control_answer(fd, false, 0,
		    STR("only root and the mail user may steer the queue\n"));
	else if (c->op == CONTROL_COLLECT)
		collect(m, fd, packet);
	else
		pass_on(m, fd, packet, false, CONTROL_TIMEOUT_MS);
	mem_free(c);
}

static void
control_serve(const struct master *m, int fd, bool trusted)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct buf b;
	int reply = -1;

	buf_init(&b, FRAME_MAX);
	if (poll(&p, 1, CONTROL_TIMEOUT_MS) == 1 && channel_recv(fd, &b, &reply) == 1) {
		if (reply >= 0)
			look_at(m, fd, buf_str(&b), reply, trusted);
		else
			carry_out(m, fd, buf_str(&b), trusted);
	}
	/* It may have had a password. */
	buf_wipe(&b);
	buf_free(&b);
}

static int
by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Of the master's own descriptors a control child keeps those that it asks by. */
static void
close_but_orders(const struct master *m)
{
	int keep[RUNNERS_MAX + 2];
	size_t n = 0;

	for (size_t i = FIRST_RUNNER; i < m->helper_n; i++)
		keep[n++] = m->helpers[i].order_client;
	keep[n++] = m->helpers[PLACE_COLLECT].client_end;
	keep[n++] = m->helpers[PLACE_CHECK].client_end;
	qsort(keep, n, sizeof(keep[0]), by_number);
	proc_close_from(master_fd_base(), keep, n);
}

/* A free place among the children; the last are kept for those who may steer. */
static pid_t *
free_place(struct master *m, bool trusted)
{
	size_t n = trusted ? CONTROLS_MAX : CONTROLS_MAX - CONTROLS_TRUSTED;

	for (size_t i = 0; i < n; i++)
		if (m->controls[i] == 0)
			return &m->controls[i];
	return NULL;
}

bool
control_reaped(struct master *m, pid_t pid)
{
	for (size_t i = 0; i < CONTROLS_MAX; i++)
		if (m->controls[i] == pid) {
			m->controls[i] = 0;
			return true;
		}
	return false;
}

void
control_accept(struct master *m)
{
	int fd = accept4(m->control, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	bool trusted = peer.uid == 0 || peer.uid == geteuid() ||
	    (m->user.found && peer.uid == m->user.uid);
	pid_t *place = free_place(m, trusted), pid;
	if (!place) {
		msg_control_answer(fd, false, 0, STR("too many ask at once\n"));
		close(fd);
		return;
	}
	pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		proc_default(SIGTERM);
		proc_default(SIGINT);
		proc_ignore(SIGHUP);
		log_component("control");
		close_but_orders(m);
		score_only_look(m->score);
		proc_confine(&m->user, NULL);
		confine_calls(m->sandbox.calls);
		control_serve(m, fd, trusted);
		proc_child_exit(0);
	}
	if (pid < 0)
		log_warn(NULL, "cannot fork for a control request: %s", strerror(errno));
	else
		*place = pid;
	close(fd);
}
