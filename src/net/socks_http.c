/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * socks_http -- asks an HTTP proxy for a connection (RFC 9110 9.3.6).
 *
 * A 2xx has no body: behind the blank line the octets are the server's, so
 * that no more is read at once than must still be there before its end.  Of
 * what else the proxy says the status alone counts.
 */

#include "socks_http.h"

#define STATUS_LEN 12	/* "HTTP/1.1 200" */
#define HEADER_MAX 16384

static void
put(struct socks *s, struct str text)
{
	if (s->out_n > sizeof(s->out) ||
	    text.n > sizeof(s->out) - s->out_n) {
		s->out_n = sizeof(s->out) + 1;
		return;
	}
	memcpy(&s->out[s->out_n], text.p, text.n);
	s->out_n += text.n;
}

/* "host:587", "[2001:db8::1]:587" */
static void
put_target(struct socks *s)
{
	bool six = str_find(s->host, ':') >= 0;
	char port[6];
	size_t at = sizeof(port);
	unsigned n = s->port;

	do
		port[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put(s, six ? STR("[") : STR(""));
	put(s, s->host);
	put(s, six ? STR("]:") : STR(":"));
	put(s, str_n(&port[at], sizeof(port) - at));
}

bool
socks_http_ask(struct socks *s)
{
	struct str basic = str_c(s->proxy->basic);

	if (str_has_ctl(s->host) || str_find(s->host, ' ') >= 0 ||
	    str_has_ctl(basic))
		return false;
	put(s, STR("CONNECT "));
	put_target(s);
	put(s, STR(" HTTP/1.1\r\nHost: "));
	put_target(s);
	if (basic.n > 0) {
		put(s, STR("\r\nProxy-Authorization: Basic "));
		put(s, basic);
	}
	put(s, STR("\r\n\r\n"));
	s->state = SOCKS_STATUS;
	s->want = STATUS_LEN;
	return s->out_n <= sizeof(s->out);
}

const char *
socks_http_status(struct socks *s)
{
	struct str line = str_n((const char *)s->in, STATUS_LEN);
	struct str code = str_skip(line, 9);

	if (!str_starts(line, STR("HTTP/1.")) || line.p[8] != ' ')
		return "the proxy does not speak HTTP";
	for (size_t i = 0; i < code.n; i++)
		if (code.p[i] < '0' || code.p[i] > '9')
			return "the proxy does not speak HTTP";
	if (str_eq(code, STR("407")))
		return "the proxy wants another user or password (407)";
	if (code.p[0] == '2')
		return NULL;
	memcpy(s->words, "the proxy refused: HTTP status ...", 35);
	memcpy(&s->words[31], code.p, 3);
	return s->words;
}

int
socks_http_rest(struct socks *s)
{
	static const char end[] = "\r\n\r\n";

	s->taken += s->in_n;
	if (s->taken > HEADER_MAX)
		return -1;
	for (size_t i = 0; i < s->in_n; i++) {
		char c = (char)s->in[i];

		s->matched = c == end[s->matched] ? s->matched + 1 :
		    c == '\r'			  ? 1 : 0;
	}
	return (int)(4 - s->matched);
}
