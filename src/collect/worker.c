/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * worker -- a process that looks into one mailbox, and what it may touch.
 *
 * It reads what a network sends, so it has one password, and may only write: in
 * the directory of its mailbox, and by the way of messages into the spool.  What it
 * looks up by DNS, what was seen, and the certificates that it trusts it has read
 * before.
 */

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "line.h"
#include "queue/confine.h"

/* Beside the channels of the runners, which it has already. */
#define WORKER_FILES (64 + RUNNERS_MAX)
/* Beside the text: the envelope; what was seen may be more than either. */
#define OTHER_ROOM ((uint64_t)96 << 20)
/* What is not stopped by a deadline. */
#define SLACK_SECONDS 30

struct secure {
	struct line *line;
	struct collector *k;
};

static bool
secure(void *arg, int64_t deadline, struct buf *why)
{
	struct secure *s = arg;

	if (!line_secure(s->line, s->k->tls, s->k->of, deadline, why))
		return false;
	tls_add_facts(&s->k->facts, s->line->tls);
	return true;
}

/* From here on only what it needs, where the kernel has Landlock. */
static void
confine_to(const struct collector *k)
{
	struct confine_dir dirs[QUEUE_CONFINE_DIRS + 1];
	int rules;

	queue_confine(k->queue, dirs);
	dirs[QUEUE_CONFINE_DIRS] = (struct confine_dir){ k->dir, CONFINE_FILL };
	if (k->conf->sandbox == CONFINE_OFF)
		return;
	rules = confine_rules_tcp(dirs, ARRAY_LEN(dirs));
	if (rules >= 0)
		confine_files(rules);
}

/* Who gets it must be somebody: else all would be fetched for nobody. */
static bool
find_to(struct collector *k, struct arena *a, struct buf *why)
{
	const struct mail_facts facts = { .arena = a, .listener = STR(CONF_LISTEN_COLLECT) };
	const char *wrong = path_parse_addr(str_c(k->of->to), PATH_BARE | PATH_NO_ANGLE, a,
	    &k->to);
	struct target t;

	if (wrong == NULL && k->to.domain.n == 0) {
		k->to.domain = str_c(k->conf->domains.n > 0 ? k->conf->domains.v[0] :
							      k->conf->hostname);
		wrong = path_check(&k->to);
	}
	if (wrong == NULL) {
		t = target_of(k->conf, k->users, &facts, &k->to);
		if (t.kind == TARGET_UNKNOWN || t.kind == TARGET_ERROR ||
		    t.kind == TARGET_NO_ROUTE)
			wrong = "there is no such recipient";
	}
	if (wrong != NULL)
		buf_addf(why, "to = \"%s\": %s", k->of->to, wrong);
	return wrong == NULL;
}

static void
note_peer(struct collector *k, const struct line *l)
{
	struct addr peer = addr_peer(l->fd);

	buf_addf(&k->client, "%s[", k->of->server);
	addr_add(&k->client, &peer);
	buf_addf(&k->client, "]:%u", addr_port(&peer));
	buf_addf(&k->from, "%s (", k->of->server);
	addr_add_literal(&k->from, &peer);
	buf_addc(&k->from, ')');
}

static void
look_into(struct collector *k, struct findings *o)
{
	struct line l;
	struct secure s = { &l, k };
	struct way w = { .stream = &l.stream, .secure = secure, .arg = &s };

	if (!line_open(&l, k->conf, k->of, &o->why))
		return;
	note_peer(k, &l);
	confine_to(k);
	run(k, &w, o);
	line_close(&l);
}

static void
work(struct collector *k, struct findings *o)
{
	struct buf reason;
	struct arena a;

	arena_init(&a, 1u << 20);
	buf_init(&reason, 4096);
	buf_init(&k->client, 1024);
	buf_init(&k->from, 1024);
	buf_init(&k->facts, 1024);
	if (k->of->password[0] == '\0') {
		buf_addf(&o->why, "there is no password in %s", k->of->password_file);
	} else if (!staged_settle(k)) {
		buf_addf(&o->why, "what was fetched before cannot be accepted, or what was "
		    "seen cannot be read: %s", strerror(errno));
	} else if (!(k->tls = tls_client_ctx(k->conf->tls.ca, k->conf->tls.min_version,
			 &reason))) {
		buf_add(&o->why, buf_str(&reason));
	} else if (find_to(k, &a, &o->why)) {
		look_into(k, o);
	}
	tls_ctx_free(k->tls);
	seen_close(k->seen);
	buf_free(&k->client);
	buf_free(&k->from);
	buf_free(&k->facts);
	buf_free(&reason);
	arena_free(&a);
}

/* A server's words may hold what separates ours. */
static void
add_clean(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_addc(b, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
}

static void
tell(int fd, const struct collector *k, const struct findings *o)
{
	struct msg_control_result r = { .ok = o->why.n == 0, .count = o->fetched };
	struct buf text, packet;

	buf_init(&text, 4 * WHY_MAX);
	buf_init(&packet, FRAME_MAX);
	buf_addf(&text, "%s\t%llu\t%llu\t%llu\t%llu\t%llu\t", k->of->name,
	    (unsigned long long)o->fetched, (unsigned long long)o->octets,
	    (unsigned long long)o->deleted, (unsigned long long)o->left,
	    (unsigned long long)o->refused);
	add_clean(&text, buf_str(&o->why));
	buf_addc(&text, '\n');
	r.text = buf_str(&text);
	msg_control_result_put(&packet, &r);
	if (channel_send(fd, buf_str(&packet), -1) < 0)
		log_warn(NULL, "collect %s: a run cannot be told of: %s", k->of->name,
		    strerror(errno));
	buf_free(&packet);
	buf_free(&text);
}

static void
log_findings(const struct collector *k, const struct findings *o)
{
	const struct conf_collect *of = k->of;

	if (o->fetched + o->deleted > 0)
		log_info(NULL, "collect %s: %llu messages (%llu octets) fetched from %s, "
		    "%llu deleted there, %llu left", of->name,
		    (unsigned long long)o->fetched, (unsigned long long)o->octets,
		    of->server, (unsigned long long)o->deleted,
		    (unsigned long long)o->left);
	if (o->why.n > 0)
		log_warn(NULL, "collect %s: %s:%llu: %s", of->name, of->server,
		    (unsigned long long)of->port, buf_cstr(&o->why));
}

void
worker(struct collector *k, struct conf *conf, size_t i, int fd)
{
	struct findings o = { .fetched = 0 };

	k->conf = conf;
	k->of = &conf->collects[i];
	proc_limit(WORKER_FILES, 0, log_is_file() ? 0 : k->of->message_size + OTHER_ROOM);
	alarm((unsigned)(k->of->run_time / 1000) + SLACK_SECONDS);
	buf_init(&o.why, WHY_MAX);
	work(k, &o);
	log_findings(k, &o);
	tell(fd, k, &o);
	buf_free(&o.why);
}
