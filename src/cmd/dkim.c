/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dkim -- `baridctl dkim`: keys that mail is signed with, and their records in
 * DNS: makes a key, prints what belongs into a zone, and compares that with
 * what DNS says.
 *
 * Private keys are read here, so that it takes who may read them.
 */

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "check/published.h"
#include "explain.h"
#include "lib/clock.h"
#include "lib/idn.h"
#include "mail/dkim_record.h"
#include "net/dkim_key.h"

/* RFC 1035 3.3.14: what one string of a TXT record takes. */
#define STRING_MAX 255
#define NAME_MAX_OCTETS 320
#define PATH_MAX_OCTETS 4096

static int
complain(const char *what, const char *why, int code)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return code;
}

static int
usage(void)
{
	return complain("dkim",
	    "usage: baridctl dkim keygen [--type rsa|ed25519] [--file FILE] DOMAIN SELECTOR\n"
	    "       baridctl dkim dns [DOMAIN]\n"
	    "       baridctl dkim check [DOMAIN]\n"
	    "       baridctl dkim verify [FILE ...]", EX_USAGE);
}

static void
add_name(struct buf *b, const char *selector, const char *domain)
{
	buf_addf(b, "%s._domainkey.%s", selector, domain);
}

/* Adds what the record of the key has to say; false if the library cannot. */
static bool
add_record(struct buf *b, const struct dkim_key *key)
{
	struct buf octets;
	bool ok;

	buf_init(&octets, DKIM_RECORD_MAX);
	ok = dkim_key_public(key, &octets) == 0 && buf_ok(&octets);
	if (ok)
		dkim_record_add(b, dkim_key_type(key), buf_str(&octets));
	buf_free(&octets);
	return ok && buf_ok(b);
}

/* As a zone file has it, or JSON; nothing in it needs to be escaped. */
static int
print_record(const struct ctl *t, const char *selector, const char *domain,
    const struct dkim_key *key)
{
	struct str rest;
	struct buf text;

	buf_init(&text, DKIM_RECORD_MAX);
	if (!add_record(&text, key)) {
		buf_free(&text);
		return complain(selector, "the public key cannot be had", EX_SOFTWARE);
	}
	if (t->json) {
		printf("{\"name\":\"%s._domainkey.%s\",\"type\":\"TXT\",\"value\":\"%s\"}\n",
		    selector, domain, buf_cstr(&text));
	} else {
		printf("%s._domainkey.%s. IN TXT (", selector, domain);
		for (rest = buf_str(&text); rest.n > 0; rest = str_skip(rest, STRING_MAX))
			printf(" \"" STR_FMT "\"", STR_ARG(str_head(rest, STRING_MAX)));
		puts(" )");
	}
	buf_free(&text);
	return EX_OK;
}

/* ---- keygen ---------------------------------------------------------------- */

/* dkim/DOMAIN.SELECTOR.pem beside the configuration; its directory is made. */
static int
default_path(const struct ctl *t, struct buf *path, const char *domain, const char *selector)
{
	struct str conf = str_c(t->path);
	ptrdiff_t slash = str_rfind(conf, '/');

	buf_add(path, slash < 0 ? STR("./") : str_head(conf, (size_t)slash + 1));
	buf_adds(path, "dkim");
	if (!buf_ok(path))
		return -1;
	if (mkdir(buf_cstr(path), 0700) < 0 && errno != EEXIST)
		return -1;
	buf_addf(path, "/%s.%s.pem", domain, selector);
	return buf_ok(path) ? 0 : -1;
}

/* A new file, whole and on the disk, or none; one that is there stays. */
static int
write_key(const char *path, const struct dkim_key *key)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = f != NULL && dkim_key_put(key, f) && fsync(fd) == 0;
	int err = errno;

	if (f != NULL)
		ok = fclose(f) == 0 && ok;
	else if (fd >= 0)
		close(fd);
	if (!ok && fd >= 0)
		(void)unlink(path);
	errno = err;
	return ok ? 0 : -1;
}

/* Whether barid.conf would take the words: asked of itself. */
static bool
is_sound(const char *domain, const char *selector)
{
	struct buf text, error;
	struct conf *c;

	buf_init(&text, 8192);
	buf_init(&error, 65536);
	buf_addf(&text, "dkim-sign \"%s\" { selector = \"%s\" key = \"/k\" }\n", domain, selector);
	c = strpbrk(domain, "\"\\$\n") || strpbrk(selector, "\"\\$\n") || !buf_ok(&text) ?
	    NULL : conf_parse("dkim", buf_str(&text), &error);
	bool ok = c != NULL;
	conf_free(c);
	buf_free(&text);
	buf_free(&error);
	return ok;
}

static int
keygen(const struct ctl *t, const char *domain, const char *selector)
{
	bool rsa = t->type == NULL || strcmp(t->type, "rsa") == 0;
	struct dkim_key *key = NULL;
	struct buf path;
	int code;

	if (!rsa && strcmp(t->type, "ed25519") != 0)
		return complain(t->type, "expected rsa or ed25519", EX_USAGE);
	if (!is_sound(domain, selector))
		return complain("dkim keygen", "expected a domain such as example.org and a "
		    "selector such as 2026a", EX_DATAERR);
	buf_init(&path, PATH_MAX_OCTETS);
	if (t->file != NULL)
		buf_adds(&path, t->file);
	if (t->file == NULL && default_path(t, &path, domain, selector) < 0)
		code = complain(buf_cstr(&path), strerror(errno), EX_CANTCREAT);
	else if ((key = dkim_key_new(rsa ? DKIM_RSA_GOOD : 0)) == NULL)
		code = complain("dkim keygen", "no key can be made", EX_SOFTWARE);
	else if (!buf_ok(&path) || write_key(buf_cstr(&path), key) < 0)
		code = complain(buf_cstr(&path), strerror(errno), EX_CANTCREAT);
	else
		code = print_record(t, selector, domain, key);
	if (code == EX_OK)
		fprintf(stderr, "The key is in %s.  When its record is in DNS:\n"
		    "dkim-sign \"%s\" { selector = \"%s\"  key = \"%s\" }\n",
		    buf_cstr(&path), domain, selector, buf_cstr(&path));
	dkim_key_free(key);
	buf_free(&path);
	return code;
}

/* ---- dns and check ----------------------------------------------------------- */

static int
check_record(const struct ctl *t, const struct conf_dkim *d, const struct dkim_key *key)
{
	struct lookup *dns = lookup_new(t->conf);
	struct found_records f;
	bool testing = false, signs;
	const char *why;
	struct buf name;

	buf_init(&name, NAME_MAX_OCTETS);
	add_name(&name, d->selector, d->domain);
	lookup_txt(dns, buf_cstr(&name), &f);
	if (f.status == DNS_TEMPORARY)
		why = "DNS gives no answer";
	else
		why = published_why_not(f.text, f.n, key, &testing);
	signs = why == NULL || !d->only_published;
	if (testing)
		why = "the record says that it is a test (t=y)";
	if (t->json)
		printf("{\"name\":\"%s\",\"ok\":%s,\"reason\":\"%s\",\"signs\":%s}\n",
		    buf_cstr(&name), why == NULL ? "true" : "false", why == NULL ? "" : why,
		    signs ? "true" : "false");
	else
		printf("%s: %s%s\n", buf_cstr(&name), why == NULL ? "ok" : why,
		    signs ? "" : "; it does not sign until then (only-published)");
	lookup_free(dns);
	buf_free(&name);
	if (why == NULL)
		return EX_OK;
	return f.status == DNS_TEMPORARY ? EX_TEMPFAIL : 1;
}

/* One key: its record is printed, or held against DNS. */
static int
one_key(const struct ctl *t, const struct conf_dkim *d, bool check)
{
	struct buf error;
	struct dkim_key *key;
	int code;

	buf_init(&error, 8192);
	key = dkim_key_load(d->key, &error);
	if (key == NULL)
		code = complain("dkim", buf_cstr(&error), EX_NOINPUT);
	else if (check)
		code = check_record(t, d, key);
	else
		code = print_record(t, d->selector, d->domain, key);
	dkim_key_free(key);
	buf_free(&error);
	return code;
}

static int
each_key(const struct ctl *t, const char *domain, bool check)
{
	const struct conf *c = t->conf;
	int code = EX_OK, one;
	size_t n = 0;

	for (size_t i = 0; i < c->dkim_n; i++) {
		const struct conf_dkim *d = &c->dkim[i];

		if (domain != NULL && !str_ieq(str_c(domain), str_c(d->domain)))
			continue;
		n++;
		/* One that no longer signs need not be in DNS for ever. */
		if (check && d->to <= clock_wall())
			continue;
		one = one_key(t, d, check);
		if (code == EX_OK)
			code = one;
	}
	if (n == 0)
		return complain(domain != NULL ? domain : "dkim", domain != NULL ?
		    "there is no section dkim-sign for it" :
		    "there is no section dkim-sign", EX_CONFIG);
	return code;
}

/* The DOMAIN that was given, as DNS has it; what has no such form stays as it is. */
static const char *
in_ascii(struct buf *b, const char *domain)
{
	return idn_add(b, str_c(domain)) == NULL && buf_ok(b) ? buf_cstr(b) : domain;
}

int
ctl_dkim(struct ctl *t, int argc, char **argv)
{
	bool check = argc > 0 && strcmp(argv[0], "check") == 0;
	bool make = argc == 3 && strcmp(argv[0], "keygen") == 0;
	const char *domain = NULL;
	struct buf b;
	int code;

	if (argc > 0 && t->given == 0 && strcmp(argv[0], "verify") == 0)
		return ctl_dkim_verify(t, argc - 1, argv + 1);
	if (!make && (argc == 0 || argc > 2 || t->given != 0 ||
	    (!check && strcmp(argv[0], "dns") != 0)))
		return usage();
	buf_init(&b, 1024);
	if (argc > 1)
		domain = in_ascii(&b, argv[1]);
	code = make ? keygen(t, domain, argv[2]) : each_key(t, domain, check);
	buf_free(&b);
	return code;
}
