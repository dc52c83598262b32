/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_PRIVATE_H
#define CONF_PRIVATE_H

/*
 * What the files of this room share: text -> tokens (source.c, lex.c; kept
 * by keep.c) -> libConfuse and the option table (parse.c) -> values (value.c)
 * -> the defaults that depend on others, and the checks (check.c, listen.c,
 * route.c, recipient.c, upstream.c, pool.c).
 */

#include "conf/conf.h"
#include "conf/option.h"
#include "sections.h"

/* Caps: a configuration is written by people. */
#define CONF_FILE_MAX ((size_t)4 << 20) /* one file, octets */
#define CONF_TEXT_MAX ((size_t)16 << 20) /* all files, expanded */
#define CONF_VALUE_MAX 8192 /* one value, octets */
#define CONF_LIST_MAX 65536 /* one list, elements */
#define CONF_VARS_MAX 1000
#define CONF_INCLUDE_DEPTH 10
#define CONF_NEST_MAX 8 /* braces */
#define CONF_ARENA_MAX ((size_t)512 << 20)

/* ---- place.c: complaints, and where options were set ---- */

/* Adds a line "FILE:LINE: ..." to ERROR. */
void conf_complain(struct buf *error, struct conf_place place, const char *fmt,
    ...) PRINTF(3, 4);

/* FIELD, an address inside of a struct conf, was set at PLACE. */
struct conf_set {
	const void *field;
	struct conf_place place;
};
void conf_place_put(struct conf *c, const void *field, struct conf_place place);
/* The last place of FIELD, or NULL if it has its default. */
const struct conf_place *conf_place_get(
    const struct conf *c, const void *field);
/* The place of what stands nowhere: the top of the main file. */
struct conf_place conf_place_top(const struct conf *c);

/* ---- lex.c: text to tokens ---- */

/* A token of the canonical text: its line there is its index here. */
struct lex_token {
	struct conf_place place;
	size_t at; /* where it begins there */
};

/* A token that stands first in each list, so that an empty one has a place. */
#define LEX_LIST_MARK "\001"

struct lex_var {
	const char *name;
	const char *value;
	struct lex_var *next;
};

struct lexer {
	struct arena *arena; /* for file names */
	struct arena scratch; /* for variables: overwritten at the end */
	struct buf *error;
	struct buf text; /* canonical: one token a line, words quoted */
	struct lex_token *tokens; /* [0] is nothing */
	size_t token_n;
	size_t token_size;
	struct lex_var *vars;
	unsigned var_n;
	bool may_include;
	int prev; /* what the last token was; lex.c's own */
	size_t depth;
	struct conf_place open[CONF_NEST_MAX]; /* where braces were opened */
};

/* A file being read, and the one that includes it. */
struct source {
	const struct source *parent;
	const char *name;
	struct str text;
	size_t at;
	int line;
	uint64_t dev, ino; /* 0, 0: no file */
};

void lexer_init(struct lexer *lx, struct arena *a, struct buf *error);
void lexer_free(struct lexer *lx);
/* Reads S whole; false when there was a complaint. */
bool lexer_run(struct lexer *lx, struct source *s) MUST_USE;
/* Adds a token as it stands in the canonical text. */
void lexer_put(struct lexer *lx, struct conf_place place, struct str token);
/* Token N as it stands in the canonical text, without the quotes of a word. */
struct str lexer_word(const struct lexer *lx, size_t n);
/* The word that token N was made of, in A. */
const char *lexer_text(const struct lexer *lx, size_t n, struct arena *a);
/*
 * Adds what was meant by "5 MB", if WORD, token N, which ought to be the name
 * of an option, stands behind a number.
 */
void lexer_unit_hint(const struct lexer *lx, size_t n, struct buf *b);

/* ---- source.c: files ---- */

/* Reads the file at PATH into the lexer. */
bool conf_source_read(struct lexer *lx, const char *path) MUST_USE;
/* include(PATTERN), which stands in S at PLACE. */
bool conf_source_include(struct lexer *lx, const struct source *s,
    struct conf_place place, const char *pattern) MUST_USE;

/* ---- keep.c: what was read, for whoever inherits it ---- */

/* C was read from LX's tokens.  A descriptor, or -1 after a complaint. */
int conf_keep(const struct conf *c, const struct lexer *lx, struct buf *error) MUST_USE;
/*
 * Once more what KEPT has, but without its tables: conf_keep_table() adds one, and
 * conf_keep_end() seals it, or closes it.  -1: errno.
 */
int conf_keep_again(int kept) MUST_USE;
int conf_keep_table(int fd, const char *path, struct str text) MUST_USE;
int conf_keep_end(int fd) MUST_USE;

struct kept {
	struct str path; /* of the main file */
	struct str hostname; /* of C */
	struct str tokens;
	struct str tables;
	void *map;
	size_t size;
};

bool conf_is_kept(int fd);
/* False: FD is of something else, or of another release. */
bool conf_kept_open(struct kept *k, int fd) MUST_USE;
void conf_kept_close(struct kept *k);
/* Puts the tokens into LX. */
bool conf_kept_read(const struct kept *k, struct lexer *lx) MUST_USE;
/* Takes the first of *TABLES, which is to be that at PATH; false: it is not. */
bool conf_kept_table(struct str *tables, const char *path, struct str *text) MUST_USE;
/* table.c: conf_tables_load() from what was kept.  -1: it is not what C says. */
int conf_tables_take(struct conf *c, struct str kept, struct buf *error) MUST_USE;

/* ---- parse.c: libConfuse ---- */

/* Fills C from LX's tokens and the table; false when there was a complaint. */
bool conf_fill(struct conf *c, struct lexer *lx, struct buf *error) MUST_USE;

/* ---- value.c: the types ---- */

struct value {
	const char *text;
	struct conf_place place;
};

struct values {
	struct value *v;
	size_t n;
	struct conf_place place; /* of the option */
	bool set; /* not the default */
};

/*
 * Puts V into FIELD by O's type; copies go to A.  False, and a complaint
 * that calls the option NAME, if it does not fit.
 */
bool conf_value_set(const struct option *o, const char *name, void *field,
    const struct values *v, struct arena *a, struct buf *error) MUST_USE;
/* Adds FIELD in the file's spelling. */
void conf_value_show(const struct option *o, const void *field, struct buf *b);
/* True for a type that is written in braces. */
bool conf_value_is_list(enum option_type type);
/* Adds S in double quotes. */
void conf_value_quote(struct buf *b, const char *s);

/* Room for the field of any type. */
union value_field {
	const char *string;
	bool boolean;
	uint64_t number;
	int64_t time;
	int choice;
	struct conf_ports ports;
	struct conf_strs strings;
	struct conf_times times;
	struct conf_nets nets;
};

/* ---- name.c: the small grammars ---- */

/* RFC 1123 2.1: labels of letters, digits and hyphens. */
bool conf_name_is_host(struct str s);
/* A host name, or an address literal in brackets. */
bool conf_name_is_domain(struct str s);
bool conf_name_is_ip(struct str s);
bool conf_name_is_mailbox(struct str s);
bool conf_name_is_path(struct str s); /* absolute, without "." and ".." */
bool conf_name_is_word(struct str s); /* letters, digits, "-", "_" and "." */
/* HOST[:PORT] or [v6]:PORT with an address for HOST. */
bool conf_name_is_ip_port(struct str s);
/*
 * Reads "host:port", "[::1]:port", "unix:/path" or "/path": HOST, in A, is a host,
 * an address without brackets, or "unix:/path".  FALLBACK 0: a port must stand
 * there.  NULL, or what is wrong.
 */
const char *conf_host_read(struct str text, uint16_t fallback, struct arena *a,
    const char **host, uint16_t *port) MUST_USE;

/* ---- nearest.c ---- */

/* Edits (insert, delete, replace, swap) that make A from B, without case. */
unsigned conf_nearest_distance(struct str a, struct str b);

struct nearest {
	struct str word;
	const char *best;
	unsigned distance;
};
void conf_nearest_init(struct nearest *n, struct str word);
void conf_nearest_try(struct nearest *n, const char *candidate);
/* The candidate that is near enough to be meant, or NULL. */
const char *conf_nearest_found(const struct nearest *n);
/* Adds "; did you mean ...?" if there is one. */
void conf_nearest_hint(const struct nearest *n, struct buf *b);
/* Adds "a, b or c" of the WORDS, NULL-terminated, and the one that WORD was meant to be. */
void conf_words_expected(
    struct buf *b, const char *const *words, struct str word);

/* ---- check.c, listen.c, route.c; sections.h has the rest ---- */

/* Sets the defaults that depend on the system or on other options. */
void conf_finish(struct conf *c);
/* Complains about all that does not fit together. */
void conf_check(struct conf *c, struct buf *error);

/* What L does not say itself becomes the global value. */
void conf_listener_inherit(const struct conf *c, struct conf_listen *l);
void conf_listeners_check(const struct conf *c, const char *section,
    const struct conf_strs *listener, struct conf_place where, struct buf *error);
/*
 * Reads "host:port" or "socks5://user:password@host:port" and the like; the
 * host may still be none.  False if there is no sense in it.
 */
bool conf_proxy_read(struct arena *a, const char *text, struct conf_proxy *p);
/* The upstream that "smtp:..." or "lmtp:..." is, in A; NULL: it is none. */
const struct conf_upstream *conf_upstream_of(struct arena *a, const char *via, int tls);

/* "not yet: WHAT comes with a later release". */
void conf_not_yet(struct buf *error, struct conf_place place, const char *what);

#endif
