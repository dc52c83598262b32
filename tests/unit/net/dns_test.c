/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Lookups against tests/tools/dnsd: every kind of answer, every kind of
 * silence (N-11, N-12, S-56), and freeing at bad moments.
 */

#include "net/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "scratch.h"
#include "unit.h"

/* Long, so that a busy machine does not count as silence; and short, to wait out. */
#define LONG 15000
#define SHORT 600

static const char zone[] =
    "example.test 120 MX 20 b.example.test\n"
    "example.test 60 MX 10 a.example.test.\n"
    "example.test TXT \"v=spf1 -all\"\n"
    "a.example.test 77 A 192.0.2.1\n"
    "a.example.test A 192.0.2.2\n"
    "a.example.test 50 AAAA 2001:db8::1\n"
    "b.example.test A 192.0.2.9\n"
    "null.test MX 0 .\n"
    "alias.test CNAME example.test\n"
    "alias2.test CNAME a.example.test\n"
    "gone.test CNAME nowhere.test\n"
    "loop1.test CNAME loop2.test\n"
    "loop2.test CNAME loop1.test\n"
    "servfail.test SERVFAIL\n"
    "refused.test REFUSED\n"
    "drop.test DROP\n"
    "nx.test NXDOMAIN\n"
    "half.test A 192.0.2.3\n"
    "half.test SERVFAIL AAAA\n"
    "slow.test A 192.0.2.4\n"
    "slow.test DROP AAAA\n"
    "mixed.test NXDOMAIN A\n"
    "mixed.test SERVFAIL AAAA\n"
    "mixed2.test NXDOMAIN AAAA\n"
    "mixed2.test SERVFAIL A\n"
    "odd.test NXDOMAIN A\n"
    "odd.test TXT x\n"
    "tc.test A 192.0.2.5\n"
    "tc.test MX 1 a.example.test\n"
    "tc.test TC\n"
    "cut.test A 192.0.2.5\n"
    "cut.test CUT\n"
    "wrong.test A 192.0.2.6\n"
    "wrong.test WRONGID\n"
    "other.test A 192.0.2.6\n"
    "other.test OTHER\n"
    "empty.test EMPTY\n"
    "short0.test RAW MX\n"
    "short1.test RAW MX 00\n"
    "short2.test RAW MX 0001\n"
    "evil.test RAW MX 0001 05 2e2e2f2e2e 00\n"
    "packet.test PACKET 0000 8180 0001 0001 0000 0000\n"
    "pointer.test PACKET 0000 8180 0001 0001 0000 0000"
    " 07 706f696e746572 04 74657374 00 000f 0001 c01e 000f 0001 00000001 0004 0001 c01e\n"
    "mapped.test AAAA ::ffff:127.0.0.1\n"
    "signed.test SECURE\n"
    "signed.test MX 1 mx.signed.test\n"
    "mx.signed.test A 192.0.2.11\n"
    "mx.signed.test AAAA 2001:db8::b\n"
    "half.signed.test A 192.0.2.12\n"
    "half.signed.test AAAA 2001:db8::c\n"
    "half.signed.test INSECURE AAAA\n"
    "four.signed.test A 192.0.2.13\n"
    "four.signed.test INSECURE AAAA\n"
    "in.signed.test CNAME a.example.test\n"
    "out.test CNAME mx.signed.test\n"
    "deep.signed.test CNAME mx.signed.test\n"
    "gone.signed.test NXDOMAIN\n"
    "_25._tcp.mx.signed.test TLSA 3 1 1 00ff\n"
    "_25._tcp.mx.signed.test TLSA 2 0 2 01\n"
    "_26._tcp.mx.signed.test SERVFAIL\n"
    "_27._tcp.mx.signed.test RAW TLSA\n"
    "_28._tcp.mx.signed.test RAW TLSA 030101\n"
    "_29._tcp.mx.signed.test CNAME _25._tcp.mx.signed.test\n"
    "_mta-sts.signed.test TXT \"v=STSv1; \" \"id=1\"\n"
    "_mta-sts.signed.test TXT other\n"
    "'a b\\c:%d.odd.test' 60 A 192.0.2.31\n"
    "'a b\\c:%d.odd.test' 50 AAAA 2001:db8::31\n"
    "'a b\\c:%d.odd.test' TXT odd\n"
    "31.2.0.192.in-addr.arpa PTR b.example.test\n"
    "31.2.0.192.in-addr.arpa PTR 'no host.test'\n";

static char dir[SCRATCH_SIZE];
static char server_name[32];
static pid_t server;
static struct loop *loop;
static struct dns *dns;

static void
write_zone(const char *more)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/zone", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(zone, f);
	fputs(more, f);
	/* Too much for UDP. */
	for (int i = 0; i < 120; i++)
		fprintf(f, "many.test MX %d mx%d.many.test\n", 200 - i, i);
	/* As much as TCP takes. */
	for (int i = 0; i < 1500; i++)
		fprintf(f, "huge.test MX 1 mx%d.huge.test\n", i);
	for (int i = 0; i < 25; i++)
		fprintf(f, "chain%d.test CNAME chain%d.test\n", i, i + 1);
	fputs("chain25.test A 192.0.2.25\n", f);
	fclose(f);
}

static void
start_server(void)
{
	char zone_path[64], tool[512], line[64] = "";
	const char *src = getenv("BARID_SRC"), *file = __FILE__;
	int p[2];
	unsigned port;

	scratch_begin(dir);
	write_zone("");
	snprintf(zone_path, sizeof(zone_path), "%s/zone", dir);
	if (src)
		snprintf(tool, sizeof(tool), "%s/tests/tools/dnsd", src);
	else
		snprintf(tool, sizeof(tool), "%.*s/../../tools/dnsd",
		    (int)(strrchr(file, '/') - file), file);
	ck_assert_int_eq(pipe(p), 0);
	server = fork();
	if (server == 0) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execlp("python3", "python3", tool, "--zone", zone_path, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	for (size_t n = 0; n < sizeof(line) - 1 && read(p[0], line + n, 1) == 1; n++)
		if (line[n] == '\n')
			break;
	close(p[0]);
	ck_assert_msg(sscanf(line, "PORT %u", &port) == 1, "dnsd says \"%s\"", line);
	snprintf(server_name, sizeof(server_name), "127.0.0.1:%u", port);
}

static struct dns *
ask_of(const char *const *servers, size_t n, int64_t timeout)
{
	return dns_new(loop, &(struct dns_options){ .servers = servers,
	    .server_n = n, .timeout_ms = timeout });
}

static void
begin(int64_t timeout)
{
	const char *servers[] = { server_name };

	start_server();
	loop = loop_new();
	dns = ask_of(servers, 1, timeout);
	ck_assert_ptr_nonnull(dns);
}

static void
end(void)
{
	dns_free(dns);
	loop_free(loop);
	kill(server, SIGTERM);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
	scratch_end(dir);
}

/* ---- one answer, in words --------------------------------------------------------------- */

struct seen {
	char text[4000];	/* "OK 60: 10 a.test, 20 b.test" */
	int calls;
	bool inside;		/* the call that asks has not returned */
};

static const char *const words[] = { "OK", "NO_NAME", "NO_DATA", "TEMPORARY" };

static void
on_mx(void *arg, const struct dns_mx_answer *a)
{
	struct seen *s = arg;
	size_t n;

	ck_assert(!s->inside);
	s->calls++;
	ck_assert((a->status == DNS_OK) == (a->reason == NULL));
	n = (size_t)snprintf(s->text, sizeof(s->text), "%s", words[a->status]);
	if (a->status == DNS_OK)
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, " %u", a->ttl);
	for (size_t i = 0; i < a->mx_n; i++)
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, " %u=%s",
		    a->mx[i].preference, a->mx[i].host);
}

static void
on_addr(void *arg, const struct dns_addr_answer *a)
{
	struct seen *s = arg;
	struct buf b;

	ck_assert(!s->inside);
	s->calls++;
	ck_assert((a->status == DNS_OK) == (a->reason == NULL));
	buf_init(&b, sizeof(s->text) - 1);
	buf_adds(&b, words[a->status]);
	if (a->status == DNS_OK)
		buf_addf(&b, " %u", a->ttl);
	for (size_t i = 0; i < a->addr_n; i++) {
		buf_addc(&b, ' ');
		addr_add(&b, &a->addr[i]);
		ck_assert_uint_eq(addr_port(&a->addr[i]), 0);
	}
	memcpy(s->text, buf_cstr(&b), b.n + 1);
	buf_free(&b);
}

static void
run_until(const struct seen *s, int calls)
{
	int64_t late = clock_ms() + 20000;

	while (s->calls < calls) {
		ck_assert_int_lt(clock_ms(), late);
		loop_once(loop, true);
	}
}

static const char *
mx(const char *name)
{
	static struct seen s;

	s = (struct seen){ .inside = true };
	dns_mx(dns, name, on_mx, &s);
	s.inside = false;
	run_until(&s, 1);
	return s.text;
}

static const char *
addr(const char *name)
{
	static struct seen s;

	s = (struct seen){ .inside = true };
	dns_addr(dns, name, on_addr, &s);
	s.inside = false;
	run_until(&s, 1);
	return s.text;
}

START_TEST(answers)
{
	static const struct {
		const char *name, *mx, *addr;	/* NULL: not asked */
	} cases[] = {
		{ "example.test", "OK 60 10=a.example.test 20=b.example.test", "NO_DATA" },
		{ "EXAMPLE.test.", "OK 60 10=a.example.test 20=b.example.test", NULL },
		{ "a.example.test", "NO_DATA", "OK 50 2001:db8::1 192.0.2.1 192.0.2.2" },
		{ "b.example.test", NULL, "OK 300 192.0.2.9" },
		{ "null.test", "OK 300 0=", "NO_DATA" },
		{ "alias.test", "OK 60 10=a.example.test 20=b.example.test", "NO_DATA" },
		{ "alias2.test", "NO_DATA", "OK 50 2001:db8::1 192.0.2.1 192.0.2.2" },
		{ "gone.test", "NO_NAME", "NO_NAME" },
		{ "nx.test", "NO_NAME", "NO_NAME" },
		{ "unknown.test", "NO_NAME", "NO_NAME" },
		{ "loop1.test", "TEMPORARY", "TEMPORARY" },
		{ "chain0.test", NULL, "TEMPORARY" },
		{ "chain10.test", NULL, "OK 300 192.0.2.25" },
		{ "servfail.test", "TEMPORARY", "TEMPORARY" },
		{ "refused.test", "TEMPORARY", "TEMPORARY" },
		{ "half.test", NULL, "OK 300 192.0.2.3" },
		{ "mixed.test", NULL, "TEMPORARY" },
		{ "mixed2.test", NULL, "TEMPORARY" },
		{ "odd.test", NULL, "NO_DATA" },
		{ "tc.test", "OK 300 1=a.example.test", "OK 300 192.0.2.5" },
		{ "mapped.test", NULL, "OK 300 127.0.0.1" },
		{ "localhost", NULL, "OK 0 ::1 127.0.0.1" },
		{ "x.LOCALHOST.", NULL, "OK 0 ::1 127.0.0.1" },
		{ "192.0.2.77", NULL, "OK 0 192.0.2.77" },
		{ "2001:db8::7", NULL, "OK 0 2001:db8::7" },
		{ "", "NO_NAME", "NO_NAME" }, { ".", "NO_NAME", "NO_NAME" },
		{ "a..b", "NO_NAME", "NO_NAME" }, { "a b.test", "NO_NAME", "NO_NAME" },
		{ "../etc/passwd", "NO_NAME", "NO_NAME" }, { "a\\046b", "NO_NAME", "NO_NAME" },
	};

	begin(LONG);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (cases[i].mx)
			ck_assert_msg(strcmp(mx(cases[i].name), cases[i].mx) == 0,
			    "MX %s: %s", cases[i].name, mx(cases[i].name));
		if (cases[i].addr)
			ck_assert_msg(strcmp(addr(cases[i].name), cases[i].addr) == 0,
			    "A %s: %s", cases[i].name, addr(cases[i].name));
	}
	end();
}
END_TEST

START_TEST(many_records)
{
	struct str got;

	begin(LONG);
	/* Truncated by UDP, fetched by TCP; a hundred are kept. */
	got = str_c(mx("many.test"));
	ck_assert(str_starts(got, STR("OK 300 ")));
	for (int n = 0; n < 102; n++) {
		ck_assert_msg(n == 101 || got.n > 0, "%d", n);
		str_word(&got);
	}
	ck_assert_uint_eq(got.n, 0);
	ck_assert(str_starts(str_c(mx("huge.test")), STR("OK 300 1=mx0.huge.test ")));
	end();
}
END_TEST

START_TEST(hostile)
{
	static const char *const names[] = { "short0.test", "short1.test",
		"short2.test", "evil.test", "packet.test", "pointer.test" };

	begin(2000);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ck_assert_msg(strcmp(mx(names[i]), "TEMPORARY") == 0, "%s: %s",
		    names[i], mx(names[i]));
	/* And the resolver is none the worse for it. */
	ck_assert_str_eq(mx("null.test"), "OK 300 0=");
	end();
}
END_TEST

/* Silence, and what must be taken for silence, ends at the time-out. */
START_TEST(silence)
{
	static const char *const names[] = { "drop.test", "wrong.test", "other.test",
		"empty.test", "cut.test" };

	begin(SHORT);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int64_t start = clock_ms();

		ck_assert_msg(strcmp(addr(names[i]), "TEMPORARY") == 0, "%s", names[i]);
		ck_assert_int_lt(clock_ms() - start, SHORT + 5000);
		if (i == 0)
			ck_assert_int_ge(clock_ms() - start, SHORT / 2);
	}
	/* One family is enough. */
	ck_assert_str_eq(addr("slow.test"), "OK 300 192.0.2.4");
	end();
}
END_TEST

START_TEST(dead_server)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct addr a = addr_from(AF_INET, &in.sin_addr, 0);
	const char *servers[1] = { server_name };
	int64_t start = clock_ms();

	/* A port that is bound, so that nobody else has it, and never read. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	a = addr_local(fd);
	snprintf(server_name, sizeof(server_name), "127.0.0.1:%u", addr_port(&a));
	loop = loop_new();
	dns = ask_of(servers, 1, 400);
	ck_assert_str_eq(mx("example.test"), "TEMPORARY");
	ck_assert_int_ge(clock_ms() - start, 300);
	ck_assert_int_lt(clock_ms() - start, 10000);
	dns_free(dns);
	/* Nobody there at all: at once.  The port stays ours, but hears of nobody but itself. */
	in.sin_port = htons(addr_port(&a));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	dns = ask_of(servers, 1, 30000);
	start = clock_ms();
	ck_assert_str_eq(mx("example.test"), "TEMPORARY");
	ck_assert_int_lt(clock_ms() - start, 10000);
	dns_free(dns);
	close(fd);
	servers[0] = "no address";
	ck_assert_ptr_null(ask_of(servers, 1, 1000));
	ck_assert_int_eq(errno, EINVAL);
	loop_free(loop);
}
END_TEST

/* The second server answers while the first is silent. */
START_TEST(second_server)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char silent[32];
	const char *servers[2] = { silent, server_name };
	struct addr a;

	start_server();
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	a = addr_local(fd);
	snprintf(silent, sizeof(silent), "127.0.0.1:%u", addr_port(&a));
	loop = loop_new();
	dns = ask_of(servers, 2, 6000);
	ck_assert_str_eq(addr("b.example.test"), "OK 300 192.0.2.9");
	close(fd);
	end();
}
END_TEST

/* A server that is silent, and counts what it was asked. */
static int
silent_open(char name[32])
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct addr a;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	a = addr_local(fd);
	snprintf(name, 32, "127.0.0.1:%u", addr_port(&a));
	return fd;
}

static int
silent_asked(int fd)
{
	char packet[600];
	int n = 0;

	while (recv(fd, packet, sizeof(packet), 0) > 0)
		n++;
	return n;
}

/* V4: how often one is asked in the time of a question. */
START_TEST(attempts)
{
	char silent[32];
	const char *servers[] = { silent };
	int fd = silent_open(silent);

	loop = loop_new();
	for (unsigned i = 1; i < 5; i += 3) {
		dns = dns_new(loop, &(struct dns_options){ .servers = servers,
		    .server_n = 1, .timeout_ms = 3000, .attempts = i });
		ck_assert_str_eq(mx("example.test"), "TEMPORARY");
		ck_assert_int_eq(silent_asked(fd), (int)i);
		dns_free(dns);
	}
	close(fd);
	loop_free(loop);
}
END_TEST

/* V4: what the system keeps of answers, for a socket that waits for one. */
START_TEST(buffer)
{
	struct seen s = { .inside = true };
	char silent[32];
	int want = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
	int size = 12345, found = 0, has;
	socklen_t n = sizeof(int);

	/* What the system makes of that number is its business. */
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, &n), 0);
	close(fd);
	fd = silent_open(silent);
	loop = loop_new();
	dns = dns_new(loop, &(struct dns_options){ .servers = (const char *[]){ silent },
	    .server_n = 1, .timeout_ms = 100, .buffer = size });
	dns_addr(dns, "b.example.test", on_addr, &s);
	s.inside = false;
	for (int i = 0; i < 100; i++) {
		n = sizeof(has);
		if (getsockopt(i, SOL_SOCKET, SO_RCVBUF, &has, &n) == 0 && has == want)
			found++;
	}
	ck_assert_int_gt(found, 0);
	run_until(&s, 1);
	dns_free(dns);
	close(fd);
	loop_free(loop);
}
END_TEST

/* V4: the servers in turn, or the first as long as it answers. */
START_TEST(rotate)
{
	char silent[32];
	const char *servers[] = { server_name, silent };
	int fd;

	start_server();
	fd = silent_open(silent);
	loop = loop_new();
	for (int turn = 0; turn < 2; turn++) {
		dns = dns_new(loop, &(struct dns_options){ .servers = servers,
		    .server_n = 2, .timeout_ms = 6000, .rotate = turn });
		for (int i = 0; i < 3; i++)
			ck_assert_str_eq(addr("b.example.test"), "OK 300 192.0.2.9");
		ck_assert_int_eq(silent_asked(fd) > 0, turn);
		if (turn == 0)
			dns_free(dns);
	}
	close(fd);
	end();
}
END_TEST

START_TEST(at_once)
{
	enum { N = 90 };
	static struct seen seen[N];

	begin(LONG);
	for (int i = 0; i < N; i++) {
		seen[i].inside = true;
		if (i % 2)
			dns_mx(dns, i % 3 ? "example.test" : "a b", on_mx, &seen[i]);
		else
			dns_addr(dns, i % 3 ? "a.example.test" : "localhost", on_addr,
			    &seen[i]);
		seen[i].inside = false;
	}
	for (int i = 0; i < N; i++)
		run_until(&seen[i], 1);
	for (int i = 0; i < 20; i++)
		loop_once(loop, false);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(seen[i].calls, 1);
		ck_assert(str_starts(str_c(seen[i].text),
		    i % 2 && i % 3 == 0 ? STR("NO_NAME") : STR("OK")));
	}
	end();
}
END_TEST

START_TEST(freed_while_asking)
{
	static struct seen seen[5];

	begin(LONG);
	dns_mx(dns, "drop.test", on_mx, &seen[0]);
	dns_addr(dns, "drop.test", on_addr, &seen[1]);
	dns_addr(dns, "slow.test", on_addr, &seen[2]);
	dns_addr(dns, "localhost", on_addr, &seen[3]);
	dns_mx(dns, "", on_mx, &seen[4]);
	dns_free(dns);
	dns = NULL;
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(seen[i].calls, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(seen[i].text, "TEMPORARY");
	end();
}
END_TEST

struct asker {
	int calls;
	int frees;		/* frees the whole at this call; 0: never */
};

/* Asks again from within each callback, and frees everything in one. */
static void
on_again(void *arg, const struct dns_mx_answer *a)
{
	struct asker *s = arg;

	(void)a;
	s->calls++;
	if (s->calls == s->frees) {
		dns_free(dns);
		dns = NULL;
	} else if (s->calls < 10) {
		dns_mx(dns, s->calls % 2 ? "drop.test" : "", on_again, s);
	}
}

START_TEST(from_callbacks)
{
	for (int frees = 0; frees < 5; frees++) {
		struct asker s = { 0, frees };
		int64_t late = clock_ms() + 30000;
		const char *servers[] = { server_name };

		if (frees == 0) {
			begin(SHORT);
		} else {
			dns = ask_of(servers, 1, 200);
		}
		dns_mx(dns, "null.test", on_again, &s);
		dns_mx(dns, "drop.test", on_again, &s);
		dns_mx(dns, "", on_again, &s);
		while (dns && s.calls < 10) {
			ck_assert_int_lt(clock_ms(), late);
			loop_once(loop, true);
		}
		dns_free(dns);
		dns = NULL;
		ck_assert_int_ge(s.calls, frees ? 3 : 10);
	}
	end();
}
END_TEST

/* SIGHUP: the test server reads its zone again. */
START_TEST(changed_zone)
{
	int64_t late = clock_ms() + 20000;

	begin(LONG);
	ck_assert_str_eq(mx("new.test"), "NO_NAME");
	write_zone("new.test MX 5 a.example.test\n");
	kill(server, SIGHUP);
	while (strcmp(mx("new.test"), "OK 300 5=a.example.test") != 0)
		ck_assert_int_lt(clock_ms(), late);
	end();
}
END_TEST

/* ---- DNSSEC, TLSA, TXT, overrides --------------------------------------------------------- */

static void
say(struct seen *s, enum dns_status status, bool secure)
{
	ck_assert(!s->inside);
	s->calls++;
	snprintf(s->text, sizeof(s->text), "%s%s", words[status],
	    secure ? " secure" : "");
}

static void
on_mx_secure(void *arg, const struct dns_mx_answer *a)
{
	say(arg, a->status, a->secure);
}

static void
on_addr_secure(void *arg, const struct dns_addr_answer *a)
{
	struct seen *s = arg;
	size_t n;

	say(s, a->status, a->secure);
	n = strlen(s->text);
	if (a->canonical)
		snprintf(s->text + n, sizeof(s->text) - n, " %s", a->canonical);
}

static void
on_alias(void *arg, const struct dns_alias_answer *a)
{
	say(arg, a->status, a->secure);
}

static void
on_tlsa(void *arg, const struct dns_tlsa_answer *a)
{
	struct seen *s = arg;

	say(s, a->status, a->secure);
	for (size_t i = 0; i < a->tlsa_n; i++) {
		size_t n = strlen(s->text);
		const struct dns_tlsa *t = &a->tlsa[i];

		snprintf(s->text + n, sizeof(s->text) - n, " %d%d%d:%zu", t->usage,
		    t->selector, t->matching, t->data.n);
	}
}

static void
on_ptr(void *arg, const struct dns_ptr_answer *a)
{
	struct seen *s = arg;
	size_t n;

	s->calls++;
	ck_assert((a->status == DNS_OK) == (a->reason == NULL));
	n = (size_t)snprintf(s->text, sizeof(s->text), "%s", words[a->status]);
	for (size_t i = 0; i < a->name_n; i++)
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, " %s", a->name[i]);
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	struct seen *s = arg;

	say(s, a->status, a->secure);
	for (size_t i = 0; i < a->text_n; i++) {
		size_t n = strlen(s->text);

		snprintf(s->text + n, sizeof(s->text) - n, " [" STR_FMT "]",
		    STR_ARG(a->text[i]));
	}
}

static const char *
after(struct seen *s)
{
	s->inside = false;
	run_until(s, 1);
	return s->text;
}

#define ASK(call) (s = (struct seen){ .inside = true }, (void)(call), after(&s))

/* T-06: secure is what the server says is, the whole chain of it, also of nothing. */
START_TEST(secure)
{
	struct seen s;

	begin(LONG);
	ck_assert(dns_is_trusted(dns));
	ck_assert_str_eq(ASK(dns_mx(dns, "signed.test", on_mx_secure, &s)), "OK secure");
	ck_assert_str_eq(ASK(dns_mx(dns, "example.test", on_mx_secure, &s)), "OK");
	ck_assert_str_eq(ASK(dns_mx(dns, "mx.signed.test", on_mx_secure, &s)), "NO_DATA secure");
	ck_assert_str_eq(ASK(dns_mx(dns, "gone.signed.test", on_mx_secure, &s)), "NO_NAME secure");
	ck_assert_str_eq(ASK(dns_addr(dns, "mx.signed.test", on_addr_secure, &s)), "OK secure");
	ck_assert_str_eq(ASK(dns_addr(dns, "half.signed.test", on_addr_secure, &s)), "OK");
	ck_assert_str_eq(ASK(dns_addr(dns, "four.signed.test", on_addr_secure, &s)), "OK secure");
	ck_assert_str_eq(ASK(dns_addr(dns, "a.example.test", on_addr_secure, &s)), "OK");
	ck_assert_str_eq(ASK(dns_addr(dns, "in.signed.test", on_addr_secure, &s)),
	    "OK a.example.test");
	ck_assert_str_eq(ASK(dns_addr(dns, "out.test", on_addr_secure, &s)), "OK mx.signed.test");
	ck_assert_str_eq(ASK(dns_addr(dns, "deep.signed.test", on_addr_secure, &s)),
	    "OK secure mx.signed.test");
	ck_assert_str_eq(ASK(dns_addr(dns, "127.0.0.1", on_addr_secure, &s)), "OK");
	ck_assert_str_eq(ASK(dns_addr(dns, "localhost", on_addr_secure, &s)), "OK");
	ck_assert_str_eq(ASK(dns_alias(dns, "deep.signed.test", on_alias, &s)), "OK secure");
	ck_assert_str_eq(ASK(dns_alias(dns, "out.test", on_alias, &s)), "OK");
	ck_assert_str_eq(ASK(dns_alias(dns, "mx.signed.test", on_alias, &s)), "NO_DATA secure");
	end();
}
END_TEST

START_TEST(tlsa_and_txt)
{
	struct seen s;

	begin(2000);
	ck_assert_str_eq(ASK(dns_tlsa(dns, "mx.signed.test", 25, on_tlsa, &s)),
	    "OK secure 311:2 202:1");
	ck_assert_str_eq(ASK(dns_tlsa(dns, "MX.signed.test.", 29, on_tlsa, &s)),
	    "OK secure 311:2 202:1");
	ck_assert_str_eq(ASK(dns_tlsa(dns, "mx.signed.test", 26, on_tlsa, &s)), "TEMPORARY");
	/* S-56: 0 and 3 octets. */
	ck_assert(str_starts(str_c(ASK(dns_tlsa(dns, "mx.signed.test", 27, on_tlsa, &s))),
	    STR("TEMPORARY")));
	ck_assert(str_starts(str_c(ASK(dns_tlsa(dns, "mx.signed.test", 28, on_tlsa, &s))),
	    STR("TEMPORARY")));
	ck_assert_str_eq(ASK(dns_tlsa(dns, "mx.signed.test", 30, on_tlsa, &s)), "NO_NAME secure");
	ck_assert_str_eq(ASK(dns_tlsa(dns, "a.example.test", 25, on_tlsa, &s)), "NO_NAME");
	ck_assert_str_eq(ASK(dns_tlsa(dns, "../x", 25, on_tlsa, &s)), "NO_NAME");
	ck_assert_str_eq(ASK(dns_txt(dns, "_mta-sts.signed.test", on_txt, &s)),
	    "OK secure [v=STSv1; id=1] [other]");
	ck_assert_str_eq(ASK(dns_txt(dns, "example.test", on_txt, &s)), "OK [v=spf1 -all]");
	ck_assert_str_eq(ASK(dns_txt(dns, "a.example.test", on_txt, &s)), "NO_DATA");
	ck_assert_str_eq(ASK(dns_txt(dns, "servfail.test", on_txt, &s)), "TEMPORARY");
	end();
}
END_TEST

/* Names that are questions, as SPF has them. */
START_TEST(any_octets)
{
	static const char name[] = "A b\\c:%d.odd.test";
	struct seen s;

	begin(2000);
	ck_assert_str_eq(ASK(dns_addr4(dns, name, on_addr, &s)), "OK 60 192.0.2.31");
	ck_assert_str_eq(ASK(dns_addr6(dns, name, on_addr, &s)), "OK 50 2001:db8::31");
	ck_assert_str_eq(ASK(dns_txt(dns, name, on_txt, &s)), "OK [odd]");
	ck_assert_str_eq(ASK(dns_addr4(dns, "a b.odd.test", on_addr, &s)), "NO_NAME");
	ck_assert_str_eq(ASK(dns_addr4(dns, "a..odd.test", on_addr, &s)), "NO_NAME");
	ck_assert_str_eq(addr(name), "NO_NAME");
	ck_assert_str_eq(mx(name), "NO_NAME");
	ck_assert_str_eq(ASK(dns_ptr(dns, "31.2.0.192.in-addr.arpa", on_ptr, &s)), "OK b.example.test");
	ck_assert_str_eq(ASK(dns_ptr(dns, "32.2.0.192.in-addr.arpa", on_ptr, &s)), "NO_NAME");
	ck_assert_str_eq(ASK(dns_ptr(dns, "servfail.test", on_ptr, &s)), "TEMPORARY");
	end();
}
END_TEST

/* V5: nobody is asked, and it is not secure. */
START_TEST(overrides)
{
	struct seen s;
	struct addr a[2];

	begin(LONG);
	ck_assert_int_eq(addr_parse(STR("192.0.2.77"), 0, &a[0]), 0);
	ck_assert_int_eq(addr_parse(STR("2001:db8::77"), 0, &a[1]), 0);
	dns_override(dns, "signed.test", a, 1);
	dns_override(dns, "Signed.TEST.", a, 2);
	dns_override(dns, "nx.test", a, 1);
	ck_assert_str_eq(mx("SIGNED.test."), "OK 0 0=SIGNED.test");
	ck_assert_str_eq(ASK(dns_mx(dns, "signed.test", on_mx_secure, &s)), "OK");
	ck_assert_str_eq(addr("signed.test"), "OK 0 192.0.2.77 2001:db8::77");
	ck_assert_str_eq(addr("nx.test"), "OK 0 192.0.2.77");
	ck_assert_str_eq(mx("nx.test"), "OK 0 0=nx.test");
	ck_assert_str_eq(mx("x.nx.test"), "NO_NAME");
	end();
}
END_TEST

/* The AD bit of a server that is not on the loopback is nobody's word. */
START_TEST(untrusted)
{
	const char *servers[] = { "127.0.0.1:53", "192.0.2.53", "[::1]:53" };

	loop = loop_new();
	for (size_t n = 1; n <= 3; n++) {
		dns = ask_of(servers, n, LONG);
		ck_assert_ptr_nonnull(dns);
		ck_assert_int_eq(dns_is_trusted(dns), n == 1);
		dns_free(dns);
	}
	servers[1] = "127.0.0.9";
	dns = ask_of(servers, 3, LONG);
	ck_assert(dns_is_trusted(dns));
	dns_free(dns);
	loop_free(loop);
}
END_TEST

UNIT_MAIN("dns", answers, many_records, hostile, silence, dead_server, second_server, attempts, buffer, rotate,
    at_once, freed_while_asking, from_callbacks, changed_zone, secure, tlsa_and_txt, any_octets,
    overrides, untrusted)
