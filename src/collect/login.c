/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * login -- who we are, by SASL (RFC 5034) or by USER and PASS (RFC 1939 7).
 *
 * On a line that others can listen to CRAM-MD5 goes first, which shows them no
 * password; within TLS it goes last but one, since it would demand that the
 * server keeps the password as it is.  Whether a password may be shown to
 * listeners at all was decided by who configured it so.
 */

#include "lib/digest.h"
#include "lib/mem.h"
#include "lines.h"
#include "mail/text.h"

/* RFC 5034 4: of a challenge. */
#define CHALLENGE_MAX 1024

unsigned
pop_mechanism(const char *name)
{
	struct str s = str_c(name);

	return str_ieq(s, STR("PLAIN")) ? POP_PLAIN :
	    str_ieq(s, STR("CRAM-MD5")) ? POP_CRAM :
	    str_ieq(s, STR("USER"))	? POP_USER : 0;
}

/* RFC 4616: as an answer to "+ ", so that a server needs no SASL-IR. */
static enum pop_answer
plain(struct pop *p, const char *user, const char *password)
{
	struct str line;
	struct buf raw, b;
	bool said;

	buf_init(&b, POP_LINE_MAX);
	buf_adds(&b, "AUTH PLAIN");
	said = pop_say(p, &b) && pop_line(p, pop_deadline(p), &line);
	if (said && !str_starts(line, STR("+ ")) && !str_eq(line, STR("+"))) {
		buf_reset(&p->text);
		buf_add(&p->text, str_head(line, 200));
		buf_free(&b);
		return str_istarts(line, STR("-ERR")) ? POP_NO :
		    pop_lose(p, "what it says to AUTH is no POP3");
	}
	if (said) {
		buf_init(&raw, POP_LINE_MAX);
		buf_addc(&raw, '\0');
		buf_adds(&raw, user);
		buf_addc(&raw, '\0');
		buf_adds(&raw, password);
		base64_add(&b, buf_str(&raw));
		buf_wipe(&raw);
		buf_free(&raw);
		said = pop_say(p, &b);
	}
	buf_free(&b);
	return said ? pop_hear(p) : POP_LOST;
}

/* Adds what RFC 2195 answers to the CHALLENGE, in base64.  False: it is none. */
static bool
cram_answer(struct buf *b, const char *user, const char *password, struct str challenge)
{
	unsigned char mac[MD5_SIZE];
	struct buf text, answer;
	bool good;

	buf_init(&text, CHALLENGE_MAX);
	buf_init(&answer, CHALLENGE_MAX);
	good = base64_decode(challenge, &text) == 0 && buf_ok(&text) &&
	    hmac_md5(str_c(password), buf_str(&text), mac) == 0;
	if (good) {
		buf_adds(&answer, user);
		buf_addc(&answer, ' ');
		hex_add(&answer, str_n((const char *)mac, sizeof(mac)));
		good = buf_ok(&answer);
		base64_add(b, buf_str(&answer));
		mem_wipe(mac, sizeof(mac));
	}
	buf_free(&text);
	buf_free(&answer);
	return good;
}

static enum pop_answer
cram(struct pop *p, const char *user, const char *password)
{
	struct str line;
	struct buf b;
	bool said;

	buf_init(&b, POP_LINE_MAX);
	buf_adds(&b, "AUTH CRAM-MD5");
	said = pop_say(p, &b) && pop_line(p, pop_deadline(p), &line);
	if (said && !str_starts(line, STR("+ "))) {
		buf_reset(&p->text);
		buf_add(&p->text, str_head(line, 200));
		buf_free(&b);
		return str_istarts(line, STR("-ERR")) ? POP_NO :
		    pop_lose(p, "what it says to AUTH is no POP3");
	}
	if (said && !cram_answer(&b, user, password, str_skip(line, 2))) {
		buf_free(&b);
		return pop_lose(p, "its challenge for CRAM-MD5 is none");
	}
	said = said && pop_say(p, &b);
	buf_free(&b);
	return said ? pop_hear(p) : POP_LOST;
}

static enum pop_answer
user_pass(struct pop *p, const char *user, const char *password)
{
	enum pop_answer a = pop_command(p, "USER %s", user);

	return a == POP_OK ? pop_command(p, "PASS %s", password) : a;
}

enum pop_answer
pop_login(struct pop *p, const char *user, const char *password,
    unsigned mechanisms, bool safe)
{
	unsigned offered = p->can & mechanisms;

	/* RFC 1939 7: one that says of no login has at least this. */
	if ((p->can & POP_LOGINS) == 0)
		offered = mechanisms & POP_USER;
	if ((offered & POP_CRAM) != 0 && (!safe || (offered & POP_PLAIN) == 0))
		return cram(p, user, password);
	if ((offered & POP_PLAIN) != 0)
		return plain(p, user, password);
	if ((offered & POP_USER) != 0)
		return user_pass(p, user, password);
	buf_reset(&p->text);
	buf_adds(&p->text, "it offers no way to log in that may be used");
	return POP_NO;
}
