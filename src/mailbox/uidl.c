/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * uidl -- the unique ids of messages (RFC 1939 7).
 *
 * The id is the base of the file's name, which no program changes: so it
 * needs no record of its own, and a mailbox that is copied keeps its ids.
 *
 * Programs that broke the rule of Maildir may leave two files of one base.
 * No function of the names alone can serve them: a lone file has its base
 * as id, whatever else is in its name, so when the older of two is deleted
 * nothing would say of the younger that the id was another's.  Nor may the
 * id hang on the inode, which a copy does not keep.  What is left is to
 * mend the name: the first time that both are seen, and before any client
 * is told of them, the younger gets a base of its own, made of its whole
 * name, its inode and the time of its birth, which no other file has or
 * will have.  From then on it is a message like all others.  Where it cannot
 * be renamed it has the same id nevertheless, as long as both are there.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/hash.h"
#include "lib/sys.h"
#include "mailbox.h"

#define UIDL_MAX 70
#define NAME_CAP 255	/* of a file name */

/* 32 digits that stand for S and SUFFIX: the same on every machine, for ever. */
static void
add_digest(struct buf *b, struct str s, struct str suffix)
{
	uint64_t h = fnv1a(0xcbf29ce484222325, s);
	uint64_t g = fnv1a(h ^ 0x9e3779b97f4a7c15, s);

	h = fnv1a(h, suffix);
	g = fnv1a(g, suffix);
	buf_addf(b, "%016llx%016llx", (unsigned long long)h,
	    (unsigned long long)g);
}

bool
maildir_is_uidl(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return s.n > 0 && s.n <= UIDL_MAX;
}

void
maildir_uidl(const struct maildir *m, size_t i, struct buf *b)
{
	const struct maildir_entry *e = &m->v[i];

	if (e->uidl != NULL)
		buf_adds(b, e->uidl);
	else if (maildir_is_uidl(maildir_base(e->name)))
		buf_add(b, maildir_base(e->name));
	else
		add_digest(b, maildir_fixed(e->name), STR(":\0\0\0"));
}

/* ---- twins ----------------------------------------------------------- */

struct twin {
	struct maildir_entry *e;
	uint64_t born;		/* nanoseconds */
};

/* When the file came to be; where that is not kept, when it was written. */
static uint64_t
birth(const struct maildir *m, const struct maildir_entry *e)
{
	struct statx_timestamp t;
	struct statx st;

	if (statx(maildir_dir_of(m, e), e->name, AT_SYMLINK_NOFOLLOW,
	    STATX_BTIME | STATX_MTIME, &st) < 0)
		return UINT64_MAX;
	t = (st.stx_mask & STATX_BTIME) ? st.stx_btime : st.stx_mtime;
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The oldest first; links to one file beside each other. */
static int
by_birth(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;

	if (x->born != y->born)
		return x->born < y->born ? -1 : 1;
	if (x->e->inode != y->e->inode)
		return x->e->inode < y->e->inode ? -1 : 1;
	if (x->e->in_new != y->e->in_new)
		return x->e->in_new ? 1 : -1;
	return strcmp(x->e->name, y->e->name);
}

/* A base for T, the LINKth name of its file; when it arrived stays in front. */
static void
add_base(struct buf *b, const struct twin *t, unsigned link)
{
	char suffix[64];
	struct buf id;

	buf_init(&id, sizeof(suffix));
	buf_addf(&id, ":%llu:%llu:%u", (unsigned long long)t->e->inode,
	    (unsigned long long)t->born, link);
	buf_addu(b, maildir_time(t->e->name));
	buf_adds(b, ".D");
	add_digest(b, maildir_fixed(t->e->name), buf_str(&id));
	buf_free(&id);
}

/* Renames T so that its base is UIDL. */
static int
rename_twin(struct maildir *m, struct twin *t, struct str uidl)
{
	struct maildir_entry *e = t->e;
	int dir = maildir_dir_of(m, e);
	struct buf name;
	int r = -1;

	buf_init(&name, NAME_CAP);
	buf_add(&name, uidl);
	buf_adds(&name, e->name + maildir_base(e->name).n);
	errno = ENAMETOOLONG;
	if (buf_ok(&name))
		r = sys_rename_new(dir, e->name, dir, buf_cstr(&name));
	if (r == 0) {
		log_warn(NULL, "another message has the base of %s: it is %s "
		    "from now on", e->name, buf_cstr(&name));
		e->name = arena_cstr(&m->arena, buf_str(&name));
		/* It is in the order of the bases. */
		mem_free(m->by_base);
		m->by_base = NULL;
	}
	buf_free(&name);
	return r;
}

/* Gives each of V[0..N), which share a base, but the first one of its own. */
static int
part(struct maildir *m, struct twin *v, size_t n)
{
	bool renamed[2] = { false, false };
	bool failed = false;
	unsigned link = 0;
	struct buf base;

	buf_init(&base, UIDL_MAX);
	for (size_t i = 1; i < n; i++) {
		struct maildir_entry *e = v[i].e;

		link = e->inode == v[i - 1].e->inode ? link + 1 : 0;
		buf_reset(&base);
		add_base(&base, &v[i], link);
		if (rename_twin(m, &v[i], buf_str(&base)) == 0) {
			renamed[e->in_new] = true;
			e->twin = false;
			continue;
		}
		log_warn(NULL, "another message has the base of %s, which "
		    "cannot be renamed: %s", e->name, strerror(errno));
		e->uidl = arena_cstr(&m->arena, buf_str(&base));
		failed = true;
	}
	v[0].e->twin = failed;
	buf_free(&base);
	/* Before anybody is told of the new names. */
	if ((renamed[0] && sys_fsync(m->cur_dir) < 0) ||
	    (renamed[1] && sys_fsync(m->new_dir) < 0))
		return -1;
	return 0;
}

/* E[0..N) have one base. */
static int
part_run(struct maildir *m, struct maildir_entry *e, size_t n)
{
	struct twin *v = mem_array(n, sizeof(*v));
	int r;

	for (size_t i = 0; i < n; i++) {
		e[i].twin = true;
		v[i] = (struct twin){ &e[i], birth(m, &e[i]) };
		/* Another program may just have renamed it. */
		if (v[i].born == UINT64_MAX &&
		    maildir_find_again(m, &e[i]) == 0)
			v[i].born = birth(m, &e[i]);
	}
	qsort(v, n, sizeof(*v), by_birth);
	r = part(m, v, n);
	mem_free(v);
	return r;
}

int
maildir_part_twins(struct maildir *m)
{
	size_t n;

	for (size_t i = 0; i < m->n; i += n) {
		struct str base = maildir_base(m->v[i].name);

		for (n = 1; i + n < m->n; n++)
			if (!str_eq(maildir_base(m->v[i + n].name), base))
				break;
		if (n > 1 && part_run(m, &m->v[i], n) < 0)
			return -1;
	}
	return 0;
}
