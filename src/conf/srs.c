/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * srs -- the secrets that rewritten reverse-paths are signed with.
 *
 * A file of them has one on a line, as postsrsd's: the first signs, all are
 * believed, so that a new one is put before the old.  Where none is
 * configured, the spool has one that was made there: whoever has lost it has
 * lost the bounces of some weeks, and no more.
 */

#include "conf/srs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/random.h"

#include "private.h"

#define FILE_MAX 4096
#define SECRETS_MAX 16
#define SECRET_OCTETS 24

static int
make(const char *path, uid_t owner)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char octets[SECRET_OCTETS];
	char line[2 * SECRET_OCTETS + 1];

	random_bytes(octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++) {
		line[2 * i] = hex[octets[i] >> 4];
		line[2 * i + 1] = hex[octets[i] & 15];
	}
	line[sizeof(line) - 1] = '\n';
	return file_replace(path, str_n(line, sizeof(line)), 0600, owner, (gid_t)-1);
}

static const char *
read_lines(struct conf *c, int fd)
{
	char text[FILE_MAX];
	struct str rest, line;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "it is no plain file";
	if ((st.st_mode & 077) != 0)
		return "others can read it, expected mode 0600";
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return strerror(errno);
	c->srs.secrets = (struct conf_strs){ arena_alloc(&c->arena,
	    SECRETS_MAX * sizeof(char *)), 0 };
	rest = str_n(text, (size_t)n);
	while (rest.n > 0 && c->srs.secrets.n < SECRETS_MAX) {
		str_cut(rest, '\n', &line, &rest);
		line = str_trim(line);
		if (line.n > 0)
			c->srs.secrets.v[c->srs.secrets.n++] =
			    arena_cstr(&c->arena, line);
	}
	return c->srs.secrets.n > 0 ? NULL : "there is no secret in it";
}

static int
load_file(struct conf *c, const char *path, struct buf *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = fd < 0 ? strerror(errno) : read_lines(c, fd);

	if (why != NULL)
		conf_blame(c, conf_where(c, &c->srs.secret, CONF_NOWHERE),
		    "srs.secret", error, "%s: %s, expected a file of secrets, "
		    "one on a line", path, why);
	if (fd >= 0)
		close(fd);
	return why == NULL ? 0 : -1;
}

int
conf_srs_load(struct conf *c, bool create, uid_t owner, struct buf *error)
{
	struct str secret = str_c(c->srs.secret);
	const char *path;

	if (c->srs.domain[0] == '\0')
		return 0;
	if (str_starts(secret, STR("file:")))
		return load_file(c, c->srs.secret + 5, error);
	if (secret.n > 0) {
		c->srs.secrets.v = arena_alloc(&c->arena, sizeof(char *));
		c->srs.secrets.v[0] = c->srs.secret;
		c->srs.secrets.n = 1;
		return 0;
	}
	path = arena_printf(&c->arena, "%s/%s", c->spool, CONF_SRS_FILE);
	if (create && access(path, F_OK) < 0 && errno == ENOENT &&
	    make(path, owner) < 0) {
		conf_blame(c, CONF_NOWHERE, "srs.secret", error,
		    "cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	return load_file(c, path, error);
}

void
conf_srs_check(const struct conf *c, struct buf *error)
{
	struct conf_place where = conf_where(c, &c->srs.domain, CONF_NOWHERE);

	if (c->srs.domain[0] != '\0' && !conf_is_local(c, str_c(c->srs.domain)))
		conf_complain(error, where, "srs.domain: \"%s\" is not ours, "
		    "expected one of domains, or bounces never come back",
		    c->srs.domain);
	if (strncmp(c->srs.secret, "file:", 5) == 0 &&
	    !conf_name_is_path(str_c(c->srs.secret + 5)))
		conf_complain(error,
		    conf_where(c, &c->srs.secret, CONF_NOWHERE),
		    "srs.secret: \"%s\" names no file, expected "
		    "\"file:/path\", or the secret itself", c->srs.secret);
}
