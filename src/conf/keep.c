/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keep -- a configuration that outlives its files.
 *
 * In force is what was loaded and checked last, not what the files say by
 * now.  So the tokens that were read are kept in a memory file: include(),
 * set() and ${NAME} are carried out in them, and each knows its file and
 * line.  Whoever inherits it, an acceptor or a helper that is started again,
 * makes the same configuration of it.
 *
 * The memory file is sealed, so that nobody changes it.  It has the
 * passwords of the configuration: no session may inherit it.
 *
 * In it are records that end with a NUL, which no path and no token holds:
 * MAGIC, the path of the main file, the name of this host, and then for each
 * token its line and the token itself, behind "@FILE" where that is another
 * than before.  Behind them stand the tables of addresses, each a record
 * "=SIZE PATH" and then its text.  They are put there when they have been
 * checked, and again when they have changed, into another memory file with the
 * same tokens (conf_tables_keep()).
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/sys.h"

#include "private.h"

/* Helpers of another release may be started by a master that is older. */
#define MAGIC "barid-conf 2"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define KEPT_MAX (8 * CONF_TEXT_MAX)

/* ---- writing ---- */

static void
add_record(struct buf *b, struct str s)
{
	buf_add(b, s);
	buf_addc(b, '\0');
}

static void
add_tokens(struct buf *b, const struct lexer *lx)
{
	struct str token, rest = buf_str(&lx->text);
	const char *file = "";

	for (size_t i = 1; i < lx->token_n; i++) {
		const struct conf_place *at = &lx->tokens[i].place;

		if (strcmp(at->file, file) != 0) {
			file = at->file;
			buf_addc(b, '@');
			add_record(b, str_c(file));
		}
		str_cut(rest, '\n', &token, &rest);
		buf_addu(b, (uint64_t)at->line);
		buf_addc(b, ' ');
		add_record(b, token);
	}
}

/* FD if OK; else it is closed, and the errno stays. */
static int
if_well(bool ok, int fd)
{
	int err = errno;

	if (ok)
		return fd;
	(void)sys_close(fd);
	errno = err;
	return -1;
}

/* A memory file that begins with TEXT; -1: errno. */
static int
begin(struct str text)
{
	int fd = memfd_create("barid-conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -1 : if_well(
	    fchmod(fd, 0600) == 0 && sys_write_all(fd, text.p, text.n) == 0, fd);
}

int
conf_keep_end(int fd)
{
	return if_well(fcntl(fd, F_ADD_SEALS, SEALS) == 0, fd);
}

/* -1: errno. */
static int
write_sealed(const struct buf *b)
{
	int fd;

	if (!buf_ok(b)) {
		errno = EFBIG;
		return -1;
	}
	fd = begin(buf_str(b));
	return fd < 0 ? -1 : conf_keep_end(fd);
}

int
conf_keep(const struct conf *c, const struct lexer *lx, struct buf *error)
{
	struct buf b;
	int fd;

	buf_init(&b, KEPT_MAX);
	add_record(&b, STR(MAGIC));
	add_record(&b, str_c(c->path));
	add_record(&b, str_c(c->hostname));
	add_tokens(&b, lx);
	fd = write_sealed(&b);
	if (fd < 0)
		conf_complain(error, conf_place_top(c),
		    "cannot keep the configuration: %s, expected memory for it",
		    strerror(errno));
	buf_wipe(&b);
	buf_free(&b);
	return fd;
}

int
conf_keep_again(int kept)
{
	struct kept k;
	int fd;

	if (!conf_kept_open(&k, kept)) {
		errno = EINVAL;
		return -1;
	}
	fd = begin(str_head(str_n(k.map, k.size), k.size - k.tables.n));
	conf_kept_close(&k);
	return fd;
}

int
conf_keep_table(int fd, const char *path, struct str text)
{
	struct buf b;
	int r;

	buf_init(&b, PATH_MAX + 32);
	buf_addf(&b, "=%zu ", text.n);
	add_record(&b, str_c(path));
	r = buf_ok(&b) && sys_write_all(fd, b.p, b.n) == 0 ?
	    sys_write_all(fd, text.p, text.n) :
	    -1;
	buf_free(&b);
	return r;
}

/* ---- reading ---- */

static bool
take_record(struct str *rest, struct str *s)
{
	return str_cut(*rest, '\0', s, rest);
}

bool
conf_is_kept(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

bool
conf_kept_table(struct str *tables, const char *path, struct str *text)
{
	struct str size, at;
	uint64_t n;

	if (!take_record(tables, &at) || !str_starts(at, STR("=")) ||
	    !str_cut(str_skip(at, 1), ' ', &size, &at) ||
	    !str_eq(at, str_c(path)) || str_u64(size, tables->n, &n) < 0)
		return false;
	*text = str_head(*tables, (size_t)n);
	*tables = str_skip(*tables, (size_t)n);
	return true;
}

/* Where the tokens end the tables begin. */
static void
part(struct kept *k)
{
	struct str rest = k->tokens, token;

	while (rest.n > 0 && rest.p[0] != '=' && take_record(&rest, &token))
		;
	k->tables = rest;
	k->tokens = str_head(k->tokens, k->tokens.n - rest.n);
}

bool
conf_kept_open(struct kept *k, int fd)
{
	struct stat st;
	struct str magic;

	/* What is sealed can be mapped without fear that it shrinks. */
	if (!conf_is_kept(fd) || sys_fstat(fd, &st) < 0 || st.st_size == 0)
		return false;
	k->size = (size_t)st.st_size;
	k->map = mmap(NULL, k->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (k->map == MAP_FAILED)
		return false;
	k->tokens = str_n(k->map, k->size);
	if (take_record(&k->tokens, &magic) && str_eq(magic, STR(MAGIC)) &&
	    take_record(&k->tokens, &k->path) &&
	    take_record(&k->tokens, &k->hostname)) {
		part(k);
		return true;
	}
	conf_kept_close(k);
	return false;
}

void
conf_kept_close(struct kept *k)
{
	(void)munmap(k->map, k->size);
}

bool
conf_kept_read(const struct kept *k, struct lexer *lx)
{
	struct str rest = k->tokens, token, line;
	struct conf_place at = { "", 0 };
	uint64_t number;

	while (rest.n > 0) {
		if (!take_record(&rest, &token))
			return false;
		if (token.n > 0 && token.p[0] == '@') {
			at.file = arena_cstr(lx->arena, str_skip(token, 1));
			continue;
		}
		if (!str_cut(token, ' ', &line, &token) ||
		    str_u64(line, INT32_MAX, &number) < 0)
			return false;
		at.line = (int)number;
		lexer_put(lx, at, token);
	}
	return buf_ok(&lx->text);
}
