/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

/* spool -- what the files of this room share: the directories and names. */

#include <dirent.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "queue/queue.h"

#define QUEUE_PLACES (QUEUE_BAD + 1)
/* Octets of a message that are held or moved at once. */
#define SPOOL_CHUNK 65536
/* Digits of the id that name the directory below cur/. */
#define SHARD_AT 11
#define SHARD_LEN 2

struct trays;

struct queue {
	int root;
	int tmp;
	int orders;
	int trays;		/* -1: a spool that has none */
	int dirs[QUEUE_PLACES];	/* by place */
	int lock;
	unsigned flags;
	const struct conf *settings;	/* those in drop/ are believed; or NULL */
	const struct conf *remap;	/* whose sections rewrite count; or NULL */
	const char *host;	/* of what .eml files lack; NULL: nothing is added */
	const char *domain;	/* of addresses there without one; NULL: they have none */
	uint64_t reserve;	/* octets to leave free; 0: the default */
	char *drop_path;
	_Atomic(struct queue_msg *) spare;	/* with its buffer, for the next */
	struct trays *in;	/* what stands in which tray */
	uid_t uid;		/* whose they are */
	unsigned tray_n;	/* that are made and used */
	unsigned tray_top;	/* that may have a message */
	bool owner;		/* a runner, whose messages nobody else deals with */
	int tray;		/* that of this process; -1: none */
	bool tray_spoilt;	/* and it is not to be used any more */
	unsigned tray_no;
	unsigned tray_last;	/* of the last commit, and 1; 0: none */
};

/* A message that is being written. */
struct queue_msg {
	struct queue *q;
	bool to_drop;
	const char *prefix;	/* of its name in tmp/, which may be taken; or NULL */
	uint64_t secret;	/* the end of that name */
	bool placed;		/* it has its name, and none in tmp/ */
	bool failed;		/* a write failed */
	int error;		/* with this errno */
	int fd;			/* -1: nothing is on disk */
	char id[QUEUE_ID_SIZE];
	struct buf buf;		/* envelope and text that are not written yet */
	size_t head;		/* octets of the envelope, and what is reserved for it */
	uint32_t head_crc;	/* of the envelope */
	uint64_t size;		/* octets of the text */
	uint32_t crc;		/* of envelope and text so far */
	char first[128];	/* the first line, to be sealed */
};

/* Digits of a secret in a name in tmp/, behind a dot. */
#define SPOOL_SECRET_LEN 16

/* Where a message stands: a directory and a path in it. */
struct spool_name {
	int dir;
	char path[8 + QUEUE_ID_SIZE + 1 + SPOOL_SECRET_LEN];
	bool is_tray;
	bool shared;	/* who loads it keeps it from being overwritten */
};

/* The name of ID in PLACE, of what is in no tray.  -1, ENOENT: that is no id. */
int spool_name(const struct queue *q, enum queue_place place, const char *id,
    struct spool_name *n) MUST_USE;
/*
 * Says, before anything is written, that M has an id that another process may
 * have used before it died: its name in tmp/ begins with PREFIX.
 */
void queue_msg_again(struct queue_msg *m, const char *prefix);
/* How addresses in drop/ become others, where Q has a configuration for that. */
/* NULL, or why the message of E, which was left in drop/, cannot have the keys it brings. */
const char *import_keys(const struct queue *q, const struct envelope *e, struct arena *a);
struct remap;
struct remap import_remap(const struct queue *q);
/* Up to N octets from the start of FD, AT; -1: errno. */
ssize_t spool_read(int fd, off_t at, char *p, size_t n) MUST_USE;
/* Adds N octets of FD as text, from AT.  -1: errno. */
int queue_msg_copy(struct queue_msg *m, int fd, off_t at, uint64_t n) MUST_USE;
/*
 * Takes the place of OLD in three steps, of which each may be taken for many
 * messages before the next one: M is whole in tmp/, with OLD's notes; it has
 * OLD's name, and NEXT; it is gone, with what it has in tmp/.  Between them,
 * and before the second is acknowledged, a sync of it or of everything.
 */
int queue_msg_whole(struct queue_msg *m, const struct queue_file *old) MUST_USE;
int queue_msg_replace(struct queue_msg *m, enum queue_place place, int64_t next) MUST_USE;
void queue_msg_end(struct queue_msg *m);
int queue_msg_sync(const struct queue_msg *m) MUST_USE;
/* Renames FROM to ID in PLACE, never over another; makes cur/XX. */
int spool_rename(const struct queue *q, const struct spool_name *from,
    enum queue_place place, const char *id) MUST_USE;
/* When ID, which is valid, was made: seconds. */
int64_t spool_id_time(const char *id);
/*
 * A number of this process that no other knows.  Sessions may write in tmp/ and not
 * list it: without a secret in the name, one that was taken over could open there
 * what others write, and have it still when it is accepted.
 */
uint64_t spool_secret(void);
/* Writes a dot and SECRET to TO, which ends there: SPOOL_SECRET_LEN and 2 octets. */
void spool_add_secret(char *to, uint64_t secret);
/* Upper-case hexadecimal digits of V, right to left; and decimal ones. */
void spool_hex(char *to, size_t n, uint64_t v);
void spool_dec(char *to, size_t n, uint64_t v);

/*
 * Calls FN with each entry of directory PATH of DIR until it returns false;
 * then, if it never did, with NULL.  Names that begin with a dot are left out.
 * -1: errno.
 */
int spool_list(int dir, const char *path,
    bool (*fn)(void *arg, int dir, const struct dirent *e), void *arg) MUST_USE;

/* queue_load() of what has the name N; ID NULL: of whatever message it is. */
int file_load(const struct spool_name *n, const char *id, bool verify, struct arena *a,
    struct queue_file *f, const char **reason) MUST_USE;

/*
 * queue_load() of what is in a tray; SEARCH: also if nobody has said so.  -1:
 * errno, ENOENT if it is in none.
 */
int file_load_tray(struct queue *q, const char *id, bool search, struct arena *a,
    struct queue_file *f, const char **reason) MUST_USE;

/* True if the file NAME of drop/ is plain text; else it is what sendmail wrote. */
bool dropped_is_eml(struct str name);
/* An id for what brings none: of the file's last change and its number. */
void dropped_id(const struct stat *st, char id[QUEUE_ID_SIZE]);
/* Puts the NAME that it has there into E, which has no extras; in A. */
void dropped_note(struct envelope *e, struct arena *a, struct str name);

/* Of what the import writes in tmp/. */
#define IMPORT_PREFIX "drop."

/* What the import made of a file in drop/. */
enum taken {
	TAKEN,		/* it is a message in M, not committed */
	TAKE_BAD,	/* it is none: *WHY */
	TAKE_ERROR,	/* errno: not now */
	TAKE_ABSENT,	/* its text is not there yet: *WHY */
	TAKE_NO_STORE	/* the store fails: *WHY */
};
/* What plain text is read from. */
struct eml_source {
	/* The next N octets, fewer only at the end; -1: errno. */
	ssize_t (*read)(struct eml_source *s, char *p, size_t n);
	uid_t uid;		/* who has left it */
};
/*
 * Reads plain RFC 5322 text from SRC into a new message, whose envelope has
 * what E says, and sender and recipients from the text if E has none.  If that
 * names a key, the text is what the store has under it.  WHY may be in A.
 */
enum taken eml_take(struct queue *q, struct eml_source *src, const struct envelope *e,
    struct arena *a, struct queue_msg **m, const char **why);
/* The same with the text of the store that E->key names, for a file of UID's. */
enum taken stored_take(struct queue *q, uid_t uid, const struct envelope *e,
    struct arena *a, struct queue_msg **m, const char **why);
#define STORED_BESIDE "it has a key and a text of its own"

#endif
