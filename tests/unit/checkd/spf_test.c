/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spf -- a question is answered once, from DNS, from memory or when its time is
 * over, whatever DNS does after that; with a DNS of the test's own.
 */

#include "asker.h"

#include "check/spf.h"
#include "ipc/msg_spf.h"

/* ---- what nobody asks for here ------------------------------------------------------ */

void
dns_addr4(struct dns *dns UNUSED, const char *name, void (*fn)(void *arg, const struct dns_addr_answer *a) UNUSED,
    void *arg UNUSED)
{
	ck_abort_msg("A %s", name);
}

void
dns_addr6(struct dns *dns UNUSED, const char *name, void (*fn)(void *arg, const struct dns_addr_answer *a) UNUSED,
    void *arg UNUSED)
{
	ck_abort_msg("AAAA %s", name);
}

void
dns_mx(struct dns *dns UNUSED, const char *name, void (*fn)(void *arg, const struct dns_mx_answer *a) UNUSED,
    void *arg UNUSED)
{
	ck_abort_msg("MX %s", name);
}

void
dns_ptr(struct dns *dns UNUSED, const char *name, void (*fn)(void *arg, const struct dns_ptr_answer *a) UNUSED,
    void *arg UNUSED)
{
	ck_abort_msg("PTR %s", name);
}

static void
begin(int64_t timeout)
{
	asker_begin();
	d->conf = conf_default();
	d->conf->check.spf.timeout = timeout;
	d->conf->check.spf.explanation = "";
}

/* The way to the answer. */
static int
ask(const char *domain)
{
	const struct msg_spf m = { STR("192.0.2.9"), STR("h.test"), STR("b"), str_c(domain), STR("mx.test") };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_spf_put(&b, &m);
	return asker_ask(&b, spf_take);
}

/* True if there is an answer, which is then in R, and B. */
static bool
answered(int fd, struct buf *b, struct msg_spf_result *r)
{
	if (!asker_answered(fd, b))
		return false;
	ck_assert(msg_spf_result_get(buf_str(b), r));
	return true;
}

static void
reply(size_t n, enum dns_status status, const char *text)
{
	struct str s = str_c(text);

	queries[n].on_txt(queries[n].arg, &(struct dns_txt_answer){ .status = status, .reason = "x",
		.text = &s, .text_n = status == DNS_OK, .ttl = 300 });
}

/* ---- the tests ------------------------------------------------------------------------ */

START_TEST(once)
{
	struct msg_spf_result r;
	struct buf b;
	int fd;

	begin(60000);
	buf_init(&b, FRAME_MAX);
	fd = ask("b\303\244.test");
	/* Both at the same time. */
	ck_assert_uint_eq(query_n, 2);
	ck_assert_str_eq(queries[0].name, "h.test");
	ck_assert_str_eq(queries[1].name, "xn--b-0fa.test");
	reply(1, DNS_OK, "v=spf1 ip4:192.0.2.9 -all");
	ck_assert(!answered(fd, &b, &r));
	reply(0, DNS_NO_NAME, "");
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.helo.code, SPF_NONE);
	ck_assert_uint_eq(r.from.code, SPF_PASS);
	ck_str(r.from.mechanism, STR("ip4:192.0.2.9"));
	/* From memory. */
	ck_assert(answered(ask("b\303\244.test"), &b, &r));
	ck_assert_uint_eq(r.from.code, SPF_PASS);
	ck_assert_uint_eq(query_n, 2);
	/* What is not certain is asked again. */
	fd = ask("c.test");
	reply(2, DNS_NO_DATA, "");
	reply(3, DNS_TEMPORARY, "");
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.from.code, SPF_TEMPERROR);
	fd = ask("c.test");
	ck_assert_uint_eq(query_n, 6);
	reply(4, DNS_NO_DATA, "");
	reply(5, DNS_OK, "v=spf1 -all");
	ck_assert(answered(fd, &b, &r));
	ck_assert_uint_eq(r.from.code, SPF_FAIL);
	buf_free(&b);
	asker_end();
}
END_TEST

/* RFC 7208 4.6.4: what takes too long is a temporary error. */
START_TEST(late)
{
	struct msg_spf_result r;
	struct buf b;
	int fd;

	begin(1);
	buf_init(&b, FRAME_MAX);
	fd = ask("a.test");
	reply(0, DNS_OK, "v=spf1 -all");
	while (!answered(fd, &b, &r))
		loop_once(d->loop, true);
	ck_assert_uint_eq(r.helo.code, SPF_FAIL);
	ck_assert_uint_eq(r.from.code, SPF_TEMPERROR);
	ck_str(r.from.problem, STR("DNS has not answered in time"));
	/* Nobody waits for it any more, and nothing else is asked. */
	reply(1, DNS_OK, "v=spf1 include:b.test -all");
	ck_assert_uint_eq(query_n, 2);
	buf_free(&b);
	asker_end();
}
END_TEST

/* Who asked is gone: nothing else is asked. */
START_TEST(nobody_waits)
{
	int fd;

	begin(60000);
	fd = ask("a.test");
	reply(0, DNS_NO_NAME, "");
	asker_goes(fd, PLACE_SPF);
	reply(1, DNS_OK, "v=spf1 include:b.test -all");
	ck_assert_uint_eq(query_n, 2);
	asker_end();
}
END_TEST

START_TEST(broken)
{
	int fds[2];
	char c;

	begin(1000);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	spf_take(d, STR("nonsense"), fds[1]);
	ck_assert_int_eq(read(fds[0], &c, 1), 0);
	close(fds[0]);
	asker_end();
}
END_TEST

UNIT_MAIN("checkd/spf", once, late, nobody_waits, broken)
