/* SPDX-License-Identifier: GPL-3.0-or-later */

/* name -- names of clients and who is behind a name, with a DNS of the test's own. */

#include "asker.h"

#include "ipc/msg_name.h"

/* ---- what the rest of the program would be --------------------------------------- */

void
dns_addr(struct dns *dns UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_addr_answer *a), void *arg)
{
	query(name, arg)->on_addr = fn;
}

void
dns_ptr(struct dns *dns UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_ptr_answer *a), void *arg)
{
	query(name, arg)->on_ptr = fn;
}

void
dns_mx(struct dns *dns UNUSED, const char *name,
    void (*fn)(void *arg, const struct dns_mx_answer *a), void *arg)
{
	query(name, arg)->on_mx = fn;
}

/* ---- a client ---------------------------------------------------------------------- */

static int
ask_client(const char *address)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_iprev_put(&b, &(struct msg_iprev){ str_c(address) });
	return asker_ask(&b, iprev_take);
}

/* "RESULT name", or "" if there is no answer yet. */
static const char *
client_answer(int fd)
{
	static char out[300];
	struct msg_iprev_result r;
	struct buf b;

	out[0] = '\0';
	buf_init(&b, FRAME_MAX);
	if (asker_answered(fd, &b)) {
		ck_assert(msg_iprev_result_get(buf_str(&b), &r));
		ck_assert_int_lt(snprintf(out, sizeof(out), "%d " STR_FMT, r.result,
		    STR_ARG(r.name)), (int)sizeof(out));
	}
	buf_free(&b);
	return out;
}

static void
names(size_t n, enum dns_status status, const char *const *v, size_t count)
{
	queries[n].on_ptr(queries[n].arg, &(struct dns_ptr_answer){ .status = status,
	    .reason = "x", .name = v, .name_n = count, .ttl = 60 });
}

static void
address(size_t n, enum dns_status status, const char *v)
{
	struct addr a;

	if (status == DNS_OK)
		ck_assert_int_eq(addr_parse(str_c(v), 0, &a), 0);
	queries[n].on_addr(queries[n].arg, &(struct dns_addr_answer){ .status = status,
	    .reason = "x", .addr = &a, .addr_n = status == DNS_OK ? 1 : 0, .ttl = 60 });
}

START_TEST(confirmed)
{
	static const char *const two[] = { "No.example", "Yes.example" };
	int fd;

	asker_begin();
	fd = ask_client("192.0.2.9");
	ck_assert_str_eq(queries[0].name, "9.2.0.192.in-addr.arpa");
	names(0, DNS_OK, two, 2);
	ck_assert_uint_eq(query_n, 3);
	ck_assert_str_eq(queries[2].name, "yes.example");
	address(2, DNS_OK, "192.0.2.9");
	/* One is enough; the other may take its time. */
	ck_assert_str_eq(client_answer(fd), "0 yes.example");
	address(1, DNS_TEMPORARY, NULL);
	/* It is remembered. */
	fd = ask_client("192.0.2.9");
	ck_assert_uint_eq(query_n, 3);
	ck_assert_str_eq(client_answer(fd), "0 yes.example");
	asker_end();
}
END_TEST

START_TEST(not_confirmed)
{
	static const char *const two[] = { "a.example", "b.example" };
	const char *many[20];
	int fd;

	asker_begin();
	fd = ask_client("2001:db8::9");
	ck_assert_str_eq(queries[0].name + 64, "ip6.arpa");
	names(0, DNS_OK, two, 2);
	address(1, DNS_OK, "2001:db8::8");
	ck_assert_str_eq(client_answer(fd), "");
	address(2, DNS_NO_NAME, NULL);
	ck_assert_str_eq(client_answer(fd), "1 a.example");
	/* DNS does not say: nobody remembers that. */
	for (int i = 0; i < 2; i++) {
		query_n = 0;
		fd = ask_client("192.0.2.1");
		names(0, DNS_OK, two, 2);
		address(1, DNS_NO_DATA, NULL);
		address(2, DNS_TEMPORARY, NULL);
		ck_assert_str_eq(client_answer(fd), "2 a.example");
	}
	query_n = 0;
	fd = ask_client("192.0.2.2");
	names(0, DNS_NO_NAME, NULL, 0);
	ck_assert_str_eq(client_answer(fd), "3 ");
	fd = ask_client("192.0.2.3");
	names(1, DNS_TEMPORARY, NULL, 0);
	ck_assert_str_eq(client_answer(fd), "2 ");
	/* A client of a thousand names. */
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "x.example";
	query_n = 0;
	fd = ask_client("192.0.2.4");
	names(0, DNS_OK, many, ARRAY_LEN(many));
	ck_assert_uint_eq(query_n, 6);
	for (size_t i = 1; i < 6; i++)
		address(i, DNS_NO_NAME, NULL);
	ck_assert_str_eq(client_answer(fd), "1 x.example");
	asker_end();
}
END_TEST

/* ---- a name -------------------------------------------------------------------------- */

static int
ask_name(const char *domain)
{
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_exists_put(&b, &(struct msg_exists){ .domain = str_c(domain) });
	return asker_ask(&b, exists_take);
}

static int
name_answer(int fd, bool *null_mx)
{
	struct msg_exists_result r;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	ck_assert(asker_answered(fd, &b));
	ck_assert(msg_exists_result_get(buf_str(&b), &r));
	buf_free(&b);
	*null_mx = r.null_mx;
	return (int)r.result;
}

static void
hosts(size_t n, enum dns_status status, const char *host)
{
	struct dns_mx mx = { 10, host };

	queries[n].on_mx(queries[n].arg, &(struct dns_mx_answer){ .status = status,
	    .reason = "x", .mx = &mx, .mx_n = status == DNS_OK ? 1 : 0, .ttl = 60 });
}

START_TEST(behind_a_name)
{
	static const struct {
		enum dns_status mx;
		const char *host;
		enum dns_status addr;
		int expected;
		bool null_mx;
	} rows[] = {
		{ DNS_OK, "h.example", DNS_NO_DATA, EXISTS_YES, false },
		{ DNS_NO_DATA, NULL, DNS_OK, EXISTS_YES, false },
		{ DNS_OK, "", DNS_OK, EXISTS_YES, true },
		{ DNS_NO_NAME, NULL, DNS_NO_NAME, EXISTS_NO, false },
		{ DNS_TEMPORARY, NULL, DNS_NO_NAME, EXISTS_UNKNOWN, false },
		{ DNS_NO_DATA, NULL, DNS_TEMPORARY, EXISTS_UNKNOWN, false },
		{ DNS_TEMPORARY, NULL, DNS_OK, EXISTS_YES, false },
	};
	bool null_mx;

	asker_begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[] = "X0.example";
		int fd;

		name[1] = (char)('0' + i);
		query_n = 0;
		fd = ask_name(name);
		ck_assert_uint_eq(query_n, 2);
		ck_assert_int_eq(queries[0].name[0], 'x');
		hosts(0, rows[i].mx, rows[i].host);
		address(1, rows[i].addr, "192.0.2.1");
		ck_assert_int_eq(name_answer(fd, &null_mx), rows[i].expected);
		ck_assert(null_mx == rows[i].null_mx);
	}
	/* An address is no name, and nobody is asked about it. */
	query_n = 0;
	ck_assert_int_eq(name_answer(ask_name("192.0.2.1"), &null_mx), EXISTS_NO);
	ck_assert_uint_eq(query_n, 0);
	asker_end();
}
END_TEST

/* Who asked is gone, of either kind. */
START_TEST(nobody_waits)
{
	static const char *const one[] = { "a.example" };

	asker_begin();
	asker_goes(ask_client("192.0.2.9"), PLACE_NAMES);
	names(0, DNS_OK, one, 1);
	address(1, DNS_OK, "192.0.2.9");
	asker_goes(ask_name("x.example"), PLACE_NAMES);
	hosts(2, DNS_NO_DATA, NULL);
	address(3, DNS_TEMPORARY, NULL);
	asker_end();
}
END_TEST

UNIT_MAIN("checkd/name", confirmed, not_confirmed, behind_a_name, nobody_waits)
