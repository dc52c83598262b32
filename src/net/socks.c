/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * socks -- asks a proxy for a connection.
 *
 * Pure: no descriptor, no clock, no memory beyond struct socks.  A state says
 * how many octets are awaited; when they are there it is stepped on.  What a
 * proxy says is not believed beyond what the next step needs, and whatever is
 * not in its protocol ends the dialogue: a proxy cannot make us send
 * what we did not mean to, and the password goes to none that did not ask.
 *
 *	SOCKS 4a   REPLY(8)                                        -> done
 *	SOCKS 5    METHOD(2) -> [LOGIN(2)] -> REPLY(5) -> TAIL(n)  -> done
 *	HTTP       STATUS(12) -> REST(4..1) ...                    -> done
 */

#include "net/socks.h"

#include <arpa/inet.h>

#include "socks_http.h"

#define VERSION4_GRANTED 90
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define METHOD_REFUSED 0xff
#define TYPE_IPV4 1
#define TYPE_NAME 3
#define TYPE_IPV6 4

static void
put(struct socks *s, const void *p, size_t n)
{
	if (n > 0)
		memcpy(&s->out[s->out_n], p, n);
	s->out_n += n;
}

static void
put8(struct socks *s, unsigned v)
{
	s->out[s->out_n++] = (unsigned char)v;
}

static void
put_port(struct socks *s)
{
	put8(s, s->port >> 8);
	put8(s, s->port & 0xff);
}

/* What was there has been sent: a proxy answers only then. */
static void
say_anew(struct socks *s)
{
	s->out_n = s->out_at = 0;
}

static void
await(struct socks *s, enum socks_state state, size_t n)
{
	s->state = state;
	s->in_n = 0;
	s->want = n;
}

/* The octets of the host where it is an address; their number, or 0. */
static size_t
host_address(const struct socks *s, unsigned char octets[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s->host.n >= sizeof(text))
		return 0;
	memcpy(text, s->host.p, s->host.n);
	text[s->host.n] = '\0';
	if (inet_pton(AF_INET, text, octets) == 1)
		return 4;
	return inet_pton(AF_INET6, text, octets) == 1 ? 16 : 0;
}

/* ---- version 4a ---------------------------------------------------------------- */

static void
ask_version4(struct socks *s)
{
	/* 0.0.0.x, x not 0: the name stands behind the user. */
	static const unsigned char by_name[4] = { 0, 0, 0, 1 };
	unsigned char octets[16];
	struct str user = str_c(s->proxy->user);
	bool numeric = host_address(s, octets) == 4;

	put8(s, 4);
	put8(s, 1);
	put_port(s);
	put(s, numeric ? octets : by_name, 4);
	put(s, user.p, user.n);
	put8(s, 0);
	if (!numeric) {
		put(s, s->host.p, s->host.n);
		put8(s, 0);
	}
	await(s, SOCKS_REPLY, 8);
}

static const char *
version4_error(unsigned code)
{
	switch (code) {
	case 91:
		return "the proxy refused the connection, or it failed";
	case 92:
	case 93:
		return "the proxy cannot find out who we are (identd)";
	default:
		return "the proxy does not speak SOCKS 4";
	}
}

/* ---- version 5 ------------------------------------------------------------------ */

static void
ask_methods(struct socks *s)
{
	bool login = s->proxy->user[0] != '\0';

	put8(s, 5);
	put8(s, login ? 2 : 1);
	put8(s, METHOD_NONE);
	if (login)
		put8(s, METHOD_PASSWORD);
	await(s, SOCKS_METHOD, 2);
}

/* RFC 1929. */
static void
ask_login(struct socks *s)
{
	struct str user = str_c(s->proxy->user);
	struct str password = str_c(s->proxy->password);

	say_anew(s);
	put8(s, 1);
	put8(s, (unsigned)user.n);
	put(s, user.p, user.n);
	put8(s, (unsigned)password.n);
	put(s, password.p, password.n);
	await(s, SOCKS_LOGIN, 2);
}

static void
ask_version5(struct socks *s)
{
	unsigned char octets[16];
	size_t n = host_address(s, octets);

	say_anew(s);
	put8(s, 5);
	put8(s, 1);
	put8(s, 0);
	if (n > 0) {
		put8(s, n == 4 ? TYPE_IPV4 : TYPE_IPV6);
		put(s, octets, n);
	} else {
		put8(s, TYPE_NAME);
		put8(s, (unsigned)s->host.n);
		put(s, s->host.p, s->host.n);
	}
	put_port(s);
	/* Up to the first octet of the address, which may be its length. */
	await(s, SOCKS_REPLY, 5);
}

static const char *
version5_error(unsigned code)
{
	static const char *const words[] = { "the proxy failed",
		"the proxy may not connect there",
		"the proxy says that the network is unreachable",
		"the proxy says that the host is unreachable",
		"the proxy says that the connection was refused",
		"the proxy says that the connection timed out",
		"the proxy does not know how to connect",
		"the proxy does not know this kind of address" };

	return code >= 1 && code <= 8 ? words[code - 1] :
					"the proxy failed, nobody knows why";
}

/* ---- steps ---------------------------------------------------------------------- */

static enum socks_result
failed(struct socks *s, const char *why)
{
	s->error = why;
	await(s, SOCKS_OVER, 0);
	return SOCKS_FAILED;
}

static enum socks_result
done(struct socks *s)
{
	await(s, SOCKS_OVER, 0);
	return SOCKS_DONE;
}

static enum socks_result
step_method(struct socks *s)
{
	if (s->in[0] != 5)
		return failed(s, "the proxy does not speak SOCKS 5");
	if (s->in[1] == METHOD_NONE) {
		ask_version5(s);
		return SOCKS_MORE;
	}
	if (s->in[1] == METHOD_PASSWORD && s->proxy->user[0] != '\0') {
		ask_login(s);
		return SOCKS_MORE;
	}
	if (s->in[1] == METHOD_REFUSED && s->proxy->user[0] == '\0')
		return failed(s, "the proxy wants a user and a password");
	return failed(s, "the proxy wants another way to log in");
}

static enum socks_result
step_login(struct socks *s)
{
	if (s->in[0] != 1)
		return failed(s, "the proxy does not speak SOCKS 5");
	if (s->in[1] != 0)
		return failed(s, "the proxy refused user and password");
	ask_version5(s);
	return SOCKS_MORE;
}

/* What is left of the address that the proxy uses, and its port. */
static size_t
tail_size(const struct socks *s)
{
	switch (s->in[3]) {
	case TYPE_IPV4:
		return 4 - 1 + 2;
	case TYPE_IPV6:
		return 16 - 1 + 2;
	case TYPE_NAME:
		return (size_t)s->in[4] + 2;
	default:
		return 0;
	}
}

static enum socks_result
step_reply(struct socks *s)
{
	size_t tail;

	if (s->proxy->version == 4) {
		if (s->in[0] != 0)
			return failed(s, "the proxy does not speak SOCKS 4");
		return s->in[1] == VERSION4_GRANTED ? done(s) :
		    failed(s, version4_error(s->in[1]));
	}
	if (s->in[0] != 5)
		return failed(s, "the proxy does not speak SOCKS 5");
	if (s->in[1] != 0)
		return failed(s, version5_error(s->in[1]));
	tail = tail_size(s);
	if (tail == 0)
		return failed(s, "the proxy says an address of no kind");
	await(s, SOCKS_TAIL, tail);
	return SOCKS_MORE;
}

static enum socks_result
step_status(struct socks *s)
{
	const char *why = socks_http_status(s);

	if (why != NULL)
		return failed(s, why);
	await(s, SOCKS_REST, 4);
	return SOCKS_MORE;
}

static enum socks_result
step_rest(struct socks *s)
{
	int left = socks_http_rest(s);

	if (left == 0)
		return done(s);
	if (left < 0)
		return failed(s, "the proxy says too much");
	await(s, SOCKS_REST, (size_t)left);
	return SOCKS_MORE;
}

enum socks_result
socks_input(struct socks *s, struct str bytes)
{
	if (s->state == SOCKS_OVER || bytes.n > socks_want(s))
		return failed(s, "the proxy says what nobody asked for");
	memcpy(&s->in[s->in_n], bytes.p, bytes.n);
	s->in_n += bytes.n;
	/* Who answers before it was asked is no proxy. */
	if (s->out_at < s->out_n)
		return failed(s, "the proxy does not wait for what it is asked");
	if (s->in_n < s->want)
		return SOCKS_MORE;
	switch (s->state) {
	case SOCKS_METHOD:
		return step_method(s);
	case SOCKS_LOGIN:
		return step_login(s);
	case SOCKS_REPLY:
		return step_reply(s);
	case SOCKS_STATUS:
		return step_status(s);
	case SOCKS_REST:
		return step_rest(s);
	case SOCKS_TAIL:
	case SOCKS_OVER:
		break;
	}
	return done(s);
}

/* ---- the caller's side ------------------------------------------------------------- */

bool
socks_init(struct socks *s, const struct socks_proxy *proxy, struct str host,
    uint16_t port)
{
	*s = (struct socks){ .proxy = proxy, .host = host, .port = port };
	if (host.n == 0 || host.n > SOCKS_NAME_MAX ||
	    memchr(host.p, '\0', host.n) != NULL ||
	    strlen(proxy->user) > SOCKS_NAME_MAX ||
	    strlen(proxy->password) > SOCKS_NAME_MAX)
		return false;
	if (proxy->version == SOCKS_HTTP)
		return socks_http_ask(s);
	if (proxy->version == 4)
		ask_version4(s);
	else
		ask_methods(s);
	return true;
}

struct str
socks_output(const struct socks *s)
{
	return str_n((const char *)&s->out[s->out_at], s->out_n - s->out_at);
}

void
socks_sent(struct socks *s, size_t sent)
{
	s->out_at += sent < s->out_n - s->out_at ? sent : s->out_n - s->out_at;
}

size_t
socks_want(const struct socks *s)
{
	return s->want - s->in_n;
}

const char *
socks_error(const struct socks *s)
{
	return s->error != NULL ? s->error : "nothing went wrong";
}
