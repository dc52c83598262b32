/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * users -- keeps the shared set of names in step with who may log in, with the
 * files of aliases, and with those of the members of lists.
 *
 * A set that lacks somebody has his mail refused, and returned where it was
 * accepted before.  So it is read whole or not at all: while one of the sources
 * cannot be read who was known stays known, and a start or a reload, which
 * have no such set, are refused.
 *
 * The master alone opens the password file, takes the names out of it and
 * wipes what it read: no session child is ever forked with a hash in its
 * memory (CONFORMANCE P-04).
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "mail/account.h"
#include "mail/scram_key.h"
#include "mail/secrets.h"
#include "mailbox/aliases.h"
#include "mailbox/members.h"
#include "mailbox/person.h"

#define USERS_FILE_MAX (64u << 20)
/* All that the shared set takes, of one octet each. */
#define NAMES_ARENA_MAX (USERSET_OCTETS_MAX / 7 * 32)
#define USERS_CHECK_MS 1000
/* What could not be read is tried again then, though no file has changed. */
#define USERS_RETRY_MS 2000

struct names {
	struct check *check;	/* who hears what cannot be read */
	struct buf doubts;	/* lines that do not count, for the log */
	struct str *v;
	size_t n, size;
	bool wanted;	/* those of password files */
	bool plain;	/* somebody's password is no hash */
	bool keys;	/* somebody has keys of SCRAM */
	unsigned states;	/* somebody has a state of these hashes (1 << HMAC_MD5 ...) */
	struct userset_trust *trusts;	/* USERSET_TRUSTS_MAX, once there are some */
	size_t trust_n;
	size_t octets;	/* of the shared set; what is more than it has is counted alone */
	struct arena arena;
};

/* MARK: what stands before the name of who is no user. */
static void
names_add(struct names *names, const char *mark, struct str name)
{
	struct str marked = { NULL, strlen(mark) + name.n };
	char *p;

	names->octets += userset_octets(marked);
	if (names->octets > USERSET_OCTETS_MAX)
		return;
	if (names->n == names->size) {
		names->size = names->size ? names->size * 2 : 64;
		names->v = mem_grow(names->v, names->size, sizeof(*names->v));
	}
	p = arena_alloc(&names->arena, marked.n);
	memcpy(p, mark, marked.n - name.n);
	memcpy(p + marked.n - name.n, name.p, name.n);
	names->v[names->n++] = str_n(p, marked.n);
}

/* Each line of TEXT is one for the log, with PREFIX. */
static void
names_doubt(struct names *names, const char *prefix, struct str text)
{
	struct str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		buf_addf(&names->doubts, "%s" STR_FMT "\n", prefix, STR_ARG(line));
	}
}

static bool
wants(const struct conf *c, const char *kind)
{
	for (size_t i = 0; i < c->recipients.mailboxes.n; i++)
		if (strcmp(c->recipients.mailboxes.v[i], kind) == 0)
			return true;
	return false;
}

/* True if URL is a file of E-MailRelay's. */
static bool
is_secrets(const char *url)
{
	return strncmp(url, "secrets://", 10) == 0;
}

const char *
users_file(const char *url)
{
	return strncmp(url, "file://", 7) == 0 ? url + 7 : is_secrets(url) ? url + 10 : NULL;
}

/* What changes with the file at PATH, added to STATE. */
static uint64_t
file_state(uint64_t state, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return state * 31;
	return ((state * 31 + (uint64_t)st.st_mtim.tv_sec) * 31 +
	    (uint64_t)st.st_mtim.tv_nsec) * 31 + (uint64_t)st.st_ino;
}

/* Of all files that names are in. */
uint64_t
users_state(const struct conf *c)
{
	uint64_t state = 1;

	for (size_t i = 0; i < c->auth.backends.n; i++) {
		const char *path = users_file(c->auth.backends.v[i]);

		if (path != NULL)
			state = file_state(state, path);
	}
	for (size_t i = 0; i < c->aliases.n; i++)
		state = file_state(state, c->aliases.v[i]);
	for (size_t i = 0; i < c->list_n; i++)
		state = file_state(state, c->lists[i].members);
	/* What other sources of nsswitch.conf have is known to be another by a reload alone. */
	if (wants(c, "system"))
		state = file_state(state, "/etc/passwd");
	return state;
}

static void
names_from_account(struct names *names, const struct account *a)
{
	struct hmac_state state;
	struct str password;

	if (names->wanted)
		names_add(names, "", a->user);
	names->plain = names->plain || account_is_plain(a->secret, &password);
	names->keys = names->keys || scram_key_is(a->secret);
	if (account_is_state(a->secret, &state)) {
		names->states |= 1u << state.hash;
		mem_wipe(&state, sizeof(state));
	}
}

/* Lines of mail/account.h: who has app passwords alone is somebody, too. */
static void
names_from_text(struct names *names, struct str text)
{
	struct str line;
	struct account a;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (account_parse(line, &a))
			names_from_account(names, &a);
	}
}

/* Who need not log in: NULL, or why L does not count. */
static const char *
names_add_trust(struct names *names, const struct secrets_line *l)
{
	struct userset_trust *t;

	for (size_t i = 0; i < names->trust_n; i++)
		if (ip_range_same(&names->trusts[i].range, &l->range))
			return "has a range that an earlier line has, expected each once";
	if (names->trust_n == USERSET_TRUSTS_MAX)
		return "is one \"server none\" too many, expected at most 256";
	if (names->trusts == NULL)
		names->trusts = mem_array(USERSET_TRUSTS_MAX, sizeof(*names->trusts));
	t = &names->trusts[names->trust_n++];
	*t = (struct userset_trust){ .range = l->range };
	memcpy(t->keyword, l->secret.p, l->secret.n);
	return NULL;
}

/*
 * Lines of mail/secrets.h.  What is wrong with one, or that a user has two of
 * a kind, is said, and the line or the second of them does not count.
 */
static void
names_from_secrets(struct names *names, const char *path, struct str text)
{
	struct map *seen = map_new();
	struct secrets_line l;
	struct account a;
	struct arena arena;
	const char *why;
	struct str line;
	int number = 0, r;

	arena_init(&arena, 2 * (size_t)USERS_FILE_MAX);
	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		number++;
		r = secrets_parse(line, &arena, &l, &why);
		if (r > 0 && secrets_account(&l, &arena, &a)) {
			if (map_put(seen, a.user, names))
				why = "has a user that an earlier line has, expected each once";
			else
				names_from_account(names, &a);
		} else if (r > 0 && l.type == SECRETS_NONE) {
			why = names_add_trust(names, &l);
		}
		if (why)
			buf_addf(&names->doubts, "%s:%d: this line %s\n", path, number, why);
	}
	map_free(seen);
	mem_wipe(&l, sizeof(l));
	arena_wipe(&arena);
}

/* -1: errno, of what is no plain file EINVAL. */
static int
read_users(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = -1, err;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		errno = EINVAL;
		r = S_ISREG(st.st_mode) ? file_read(fd, b) : -1;
	}
	err = errno;
	close(fd);
	errno = err;
	return r;
}

static bool
names_from_file(struct names *names, const char *const *url)
{
	const char *path = users_file(*url);
	struct check *k = names->check;
	struct buf b;

	buf_init(&b, USERS_FILE_MAX);
	int r = read_users(path, &b);
	if (r < 0)
		check_blame(k, conf_where(k->conf, url, CONF_NOWHERE), "auth.backends", errno,
		    "cannot read the users in %s: %s, expected a file of up to 64 MiB", path,
		    strerror(errno));
	else if (is_secrets(*url))
		names_from_secrets(names, path, buf_str(&b));
	else
		names_from_text(names, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
	return r == 0;
}

/*
 * getpwent(3) has one answer for the end and for a source that cannot be read,
 * and some sources leave an errno at the end of a good list.  These mean no end;
 * nor does a host with nobody at all, not even root.
 */
static bool
is_cut(int err, size_t accounts)
{
	return accounts == 0 || err == EINTR || err == EAGAIN || err == EIO || err == EMFILE ||
	    err == ENFILE || err == ENOMEM;
}

static bool
names_from_system(struct names *names)
{
	struct check *k = names->check;
	struct passwd *pw;
	size_t accounts = 0;
	int err;

	setpwent();
	while (errno = 0, (pw = getpwent()) != NULL) {
		accounts++;
		if (pw->pw_uid >= PERSON_UID_MIN && pw->pw_uid <= PERSON_UID_MAX)
			names_add(names, "", str_c(pw->pw_name));
	}
	err = errno;
	endpwent();
	if (!is_cut(err, accounts))
		return true;
	check_blame(k, conf_where(k->conf, &k->conf->recipients.mailboxes, CONF_NOWHERE),
	    "recipients.mailboxes", err != 0 ? err : EIO,
	    "cannot read the accounts of this host: %s",
	    err != 0 ? strerror(err) : "there are none");
	return false;
}

/* Of aliases only who they are: the rest is read by who delivers. */
static bool
names_from_aliases(struct names *names, const struct conf_strs *files)
{
	const struct alias_list *list;
	struct buf complaints;
	struct aliases *a;
	struct str name;
	size_t at = 0;

	buf_init(&complaints, 65536);
	a = aliases_load(files, false, &complaints);
	if (a != NULL)
		names_doubt(names, "aliases: ", buf_str(&complaints));
	else
		check_blame(names->check, conf_where(names->check->conf, files, CONF_NOWHERE),
		    "aliases", EIO, STR_FMT, STR_ARG(str_trim(buf_str(&complaints))));
	buf_free(&complaints);
	while (a != NULL && aliases_next(a, &at, &name, &list))
		names_add(names, ":", name);
	aliases_free(a);
	return a != NULL;
}

/* Of lists that ask who sends; what is wrong with a line is for the runner to say. */
static bool
names_from_list(struct names *names, const struct conf_list *l)
{
	char name[USERSET_MEMBER_SIZE];
	struct buf complaints, address;
	struct members *m;

	buf_init(&complaints, 65536);
	buf_init(&address, 2048);
	m = members_load(l->members, &complaints);
	if (m == NULL)
		check_blame(names->check,
		    conf_where(names->check->conf, &l->members, l->place), "list.members",
		    check_shut(l->members), STR_FMT,
		    STR_ARG(str_trim(buf_str(&complaints))));
	for (size_t i = 0; m != NULL && i < members_count(m); i++) {
		buf_reset(&address);
		path_add(&address, &members_at(m, i)->path);
		userset_member(str_c(l->name), buf_str(&address), name);
		names_add(names, "", str_c(name));
	}
	members_free(m);
	buf_free(&address);
	buf_free(&complaints);
	return m != NULL;
}

/* False after a complaint: some cannot be known now. */
static bool
names_all(struct names *names, const struct conf *c)
{
	bool ok = true;

	names->wanted = wants(c, "file");
	for (size_t i = 0; i < c->auth.backends.n; i++) {
		const char *const *url = &c->auth.backends.v[i];

		if (users_file(*url) != NULL)
			ok = names_from_file(names, url) && ok;
		names->plain = names->plain || str_starts(str_c(*url), STR("hardcoded://"));
	}
	if (wants(c, "system"))
		ok = names_from_system(names) && ok;
	for (size_t i = 0; i < c->list_n; i++)
		if (c->lists[i].members_only)
			ok = names_from_list(names, &c->lists[i]) && ok;
	return names_from_aliases(names, &c->aliases) && ok;
}

/* False after a complaint. */
static bool
names_fit(const struct names *names)
{
	struct check *k = names->check;

	if (names->octets <= USERSET_OCTETS_MAX)
		return true;
	check_blame(k, conf_where(k->conf, &k->conf->recipients.mailboxes, CONF_NOWHERE),
	    "recipients.mailboxes", 0,
	    "the names of users, aliases and members of lists come to %zu MiB, expected %zu MiB "
	    "or less: a member takes 39 octets, a user or alias twice its name and 5",
	    (names->octets >> 20) + 1, USERSET_OCTETS_MAX >> 20);
	return false;
}

struct names *
users_read(struct check *k)
{
	struct names *names = mem_alloc(sizeof(*names));

	*names = (struct names){ .check = k };
	buf_init(&names->doubts, 1 << 20);
	arena_init(&names->arena, NAMES_ARENA_MAX);
	if (names_all(names, k->conf) && names_fit(names)) {
		names->check = NULL;
		return names;
	}
	users_free(names);
	return NULL;
}

void
users_free(struct names *names)
{
	if (names == NULL)
		return;
	mem_free(names->v);
	mem_free(names->trusts);
	arena_free(&names->arena);
	buf_free(&names->doubts);
	mem_free(names);
}

void
users_in_force(struct master *m, const struct names *names)
{
	log_lines(LOG_LEVEL_WARNING, "", buf_str(&names->doubts));
	userset_set_any(m->users, wants(m->conf, "any"));
	userset_set_plain(m->users, names->plain);
	userset_set_digests(m->users, names->plain ? (1u << HMAC_HASHES) - 1 : names->states);
	userset_set_scram(m->users, names->plain || names->keys);
	userset_set_trusts(m->users, names->trusts, names->trust_n);
	if (userset_replace(m->users, names->v, names->n) < 0)
		panic("users: names that were counted do not fit");
}

int64_t
users_next_ms(const struct master *m)
{
	const struct conf *c = m->conf;
	bool any = c->aliases.n > 0 || c->list_n > 0 || wants(c, "system");

	for (size_t i = 0; i < c->auth.backends.n && !any; i++)
		any = users_file(c->auth.backends.v[i]) != NULL;
	return any ? m->users_look_ms : INT64_MAX;
}

/* A file of those who need no login is not there: who removes it means that. */
static bool
trusts_are_gone(const struct conf *c)
{
	for (size_t i = 0; i < c->auth.backends.n; i++) {
		const char *url = c->auth.backends.v[i];

		if (is_secrets(url) && access(users_file(url), F_OK) < 0 && errno == ENOENT)
			return true;
	}
	return false;
}

/* Says what cannot be read when it is new, or a file has changed: not at each try. */
static void
users_stay(struct master *m, uint64_t state, struct str why)
{
	if (state != m->users_failed)
		log_lines(LOG_LEVEL_ERROR, "the users cannot be read, the old ones stay: ", why);
	if (trusts_are_gone(m->conf))
		userset_trust_none(m->users);
	m->users_failed = state;
	m->users_look_ms += USERS_RETRY_MS - USERS_CHECK_MS;
}

void
users_refresh(struct master *m)
{
	int64_t now = clock_ms();
	struct names *names;
	struct buf error;
	uint64_t state;

	if (now < m->users_look_ms)
		return;
	m->users_look_ms = now + USERS_CHECK_MS;
	state = users_state(m->conf);
	if (state == m->users_state && m->users_failed == 0)
		return;
	buf_init(&error, 65536);
	struct check k = { .conf = m->conf, .error = &error };
	names = users_read(&k);
	if (names == NULL) {
		users_stay(m, state, buf_str(&error));
	} else {
		m->users_state = state;
		m->users_failed = 0;
		users_in_force(m, names);
	}
	users_free(names);
	buf_free(&error);
}
