/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file -- users and what is stored of their passwords in a file, of ours
 * (mail/account.h) or of E-MailRelay (mail/secrets.h).
 *
 * The first line of a user is the user's own; each app password has another.
 * Who does not exist costs the same time as who does, and so does who is
 * locked: what others have is computed for nobody.  Read anew for each
 * question, so that a change counts at once.
 */

#include "auth.h"

#include <errno.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/password.h"
#include "mail/account.h"
#include "mail/secrets.h"

#define FILE_SIZE_MAX (64u << 20)
/* What is computed when there is nobody: SHA-512 with its usual cost. */
#define NOBODY_HASH "$6$barid.nobody$"
/* Of one user. */
#define SECRETS_MAX 64

/* What the file says of a user, and of anybody; views into it. */
struct found {
	struct account v[SECRETS_MAX];
	size_t n;
	bool has_own;			/* its first line, which is the first of V */
	struct str any_hash;
	struct scram_key any_key;	/* with a count above 0, if there is one */
	bool any_plain;
};

enum kind { KIND_LOCKED, KIND_HASH, KIND_PLAIN, KIND_KEY, KIND_STATE };

static enum kind
kind_of(struct str secret)
{
	struct hmac_state state;
	struct str password;

	/* Crypt(3) would not even look at the first of these. */
	if (secret.n == 0 || secret.p[0] == '*' || secret.p[0] == '!')
		return KIND_LOCKED;
	if (account_is_plain(secret, &password))
		return password.n > 0 ? KIND_PLAIN : KIND_LOCKED;
	if (account_is_state(secret, &state)) {
		mem_wipe(&state, sizeof(state));
		return KIND_STATE;
	}
	return scram_key_is(secret) ? KIND_KEY : KIND_HASH;
}

static void
note_any(struct found *f, struct str secret)
{
	switch (kind_of(secret)) {
	case KIND_HASH:
		if (f->any_hash.n == 0 && secret.p[0] == '$')
			f->any_hash = secret;
		break;
	case KIND_KEY:
		if (f->any_key.count == 0 && !scram_key_parse(secret, &f->any_key))
			f->any_key.count = 0;
		break;
	case KIND_PLAIN:
	case KIND_STATE:
		f->any_plain = true;
		break;
	case KIND_LOCKED:
		break;
	}
}

/* Adds A unless a line before was of the same. */
static void
add(struct found *f, const struct account *a)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_ieq(f->v[i].app, a->app))
			return;
	/* The user's own line says whether all are locked: it is never left out. */
	if (f->n == SECRETS_MAX && a->app.n > 0)
		return;
	if (f->n == SECRETS_MAX)
		f->n--;
	f->v[f->n++] = *a;
	if (a->app.n > 0)
		return;
	f->has_own = true;
	/* The user's own goes first. */
	struct account first = f->v[0];
	f->v[0] = f->v[f->n - 1];
	f->v[f->n - 1] = first;
}

/* What LINE says of somebody; IN: where it goes if it has to be written anew. */
static bool
read_line(struct str line, bool secrets, struct arena *in, struct account *a)
{
	struct secrets_line l;
	const char *why;

	if (!secrets)
		return account_parse(line, a);
	return secrets_parse(line, in, &l, &why) > 0 && secrets_account(&l, in, a);
}

static void
find(struct str text, struct str user, bool secrets, struct arena *in, struct found *f)
{
	struct account a;
	struct arena scratch;
	struct str line;

	arena_init(&scratch, (size_t)1 << 20);
	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		arena_reset(&scratch);
		if (!read_line(line, secrets, &scratch, &a))
			continue;
		if (secrets && str_ieq(a.user, user))
			a.secret = arena_str(in, a.secret);
		note_any(f, a.secret);
		if (str_ieq(a.user, user))
			add(f, &a);
	}
	arena_wipe(&scratch);
	/* Who is locked is so with every password. */
	if (f->has_own && str_starts(f->v[0].secret, STR("!")))
		f->n = 0;
}

static bool
hash_matches(const struct auth_question *q, struct str secret)
{
	char *hash = mem_dup(secret);
	bool same = password_matches(q->password, hash);

	mem_wipe(hash, strlen(hash));
	mem_free(hash);
	return same;
}

/* What is done of what may cost time, for the one or for nobody. */
struct work {
	bool hash, plain;
	struct scram_key key;	/* of the password, with a count above 0 once there is one */
};

/* Keys of one user have the same parameters as a rule: computed once. */
static bool
key_matches(const struct auth_question *q, const struct scram_key *k, struct work *done)
{
	struct scram_key *of = &done->key;

	if (q->proof == AUTH_BY_SCRAM)
		return secret_key_proves(q, k);
	if (q->proof != AUTH_BY_PASSWORD)
		return false;
	if ((of->count != k->count || of->salt_n != k->salt_n ||
	    memcmp(of->salt, k->salt, k->salt_n) != 0) &&
	    scram_key_make(of, str_c(q->password), str_n((const char *)k->salt, k->salt_n),
	    k->count) < 0)
		return false;
	return scram_key_same(of, k);
}

/* Whether SECRET is one that Q proves. */
static bool
is_right(const struct auth_question *q, struct str secret, struct work *done)
{
	struct hmac_state state;
	struct scram_key key;
	struct str password;

	switch (kind_of(secret)) {
	case KIND_HASH:
		if (q->proof != AUTH_BY_PASSWORD)
			return false;
		done->hash = true;
		return hash_matches(q, secret);
	case KIND_KEY:
		return scram_key_parse(secret, &key) && key_matches(q, &key, done);
	case KIND_PLAIN:
		done->plain = true;
		(void)account_is_plain(secret, &password);
		return secret_proves(q, password);
	case KIND_STATE:
		if (!account_is_state(secret, &state) || !secret_state_fits(q, &state))
			return false;
		done->plain = true;
		return secret_state_proves(q, &state);
	case KIND_LOCKED:
		break;
	}
	return false;
}

/* What was not done, for nobody, where somebody in the file has it. */
static void
work_for_nobody(const struct auth_question *q, const struct found *f, struct work *done)
{
	bool said = q->proof == AUTH_BY_PASSWORD;

	if (said && !done->hash && (f->any_hash.n > 0 || f->any_key.count == 0))
		(void)hash_matches(q, f->any_hash.n > 0 ? f->any_hash : STR(NOBODY_HASH));
	if (said && done->key.count == 0 && f->any_key.count > 0)
		(void)key_matches(q, &f->any_key, done);
	if (!said && !done->plain && f->any_plain)
		(void)secret_proves(q, STR("nobody"));
	if (q->note)
		buf_reset(&q->note->said);
}

/* A user's keys all have the parameters of the first, or they are not for SCRAM. */
static enum auth_verdict
say_params(const struct auth_question *q, const struct found *f)
{
	struct scram_key key;

	for (size_t i = 0; i < f->n; i++)
		if (kind_of(f->v[i].secret) == KIND_KEY &&
		    scram_key_parse(f->v[i].secret, &key)) {
			secret_params(q, &key);
			return AUTH_MORE;
		}
	if (q->note->iterations == 0)
		q->note->iterations = f->any_key.count;
	return AUTH_NO;
}

static enum auth_verdict
judge(const struct auth_question *q, const struct found *f)
{
	struct work done = { 0 };
	struct str app;
	size_t i = 0;

	if (secret_wants_params(q))
		return say_params(q, f);
	while (i < f->n && !is_right(q, f->v[i].secret, &done))
		i++;
	if (i == f->n)
		work_for_nobody(q, f, &done);
	mem_wipe(&done, sizeof(done));
	if (i == f->n)
		return AUTH_NO;
	app = str_head(f->v[i].app, sizeof(q->note->app) - 1);
	if (q->note && app.n > 0)
		memcpy(q->note->app, app.p, app.n);
	return AUTH_YES;
}

enum auth_verdict
auth_file(const struct auth_backend *b, const struct auth_question *q)
{
	struct buf text;
	struct found f = { .any_hash = STR("") };
	struct arena in;
	enum auth_verdict verdict = AUTH_NO;

	if (b->fd < 0)
		return auth_cannot(q, "it cannot be opened");
	arena_init(&in, 2 * (size_t)FILE_SIZE_MAX);
	buf_init(&text, FILE_SIZE_MAX);
	if (file_read(b->fd, &text) < 0) {
		log_error(NULL, "%s: %s", b->c.path, strerror(errno));
		verdict = AUTH_TEMPORARY;
	} else {
		find(buf_str(&text), str_c(q->user), b->c.secrets, &in, &f);
		verdict = judge(q, &f);
	}
	arena_wipe(&in);
	buf_wipe(&text);
	buf_free(&text);
	return verdict;
}
