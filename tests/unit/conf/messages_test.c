/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * messages -- what the writer of a configuration reads when it is wrong.
 *
 * Whole lines, to be read as he does: each must name the option, show what
 * was written, and say what was expected.  The worst that came to mind for
 * each kind of value.
 */

#include "conf_unit.h"

#define TLS "tls { certificate = /c key = /k } "

static const struct {
	const char *text;
	const char *line;	/* all of it, behind "test.conf:" */
} messages[] = {
	/* The wrong kind of value. */
	{ "hostname = {mail, mx}", "1: \"hostname\" takes one value, expected it without braces" },
	{ "queue { lifetime = {5d} }", "1: \"lifetime\" takes one value, expected it without braces" },
	{ "hostname = ", "1: the file ends too early, expected a value" },
	{ "hostname mail", "1: the file ends too early, expected { after the name of a section" },
	{ "domains", "1: the file ends behind \"domains\", expected = after the name of an option, or { after that of a section" },
	{ "hostname { }", "1: \"hostname\" is an option, expected = and a value behind it" },
	{ "tls = required", "1: \"tls\" is a section, expected { behind it" },
	{ "listen { port = 25 }", "1: \"listen\" is a section with a name, expected it before the {" },
	{ "tls \"a\" { }", "1: \"tls\" is a section, expected { behind it" },
	{ "hostname += mail", "1: \"hostname\" is no list, expected = instead of +=" },
	{ "domains = {a.example b.example}", "1: unexpected \"b.example\", expected the name of an option or a section, or a comma before another value" },
	{ "domains = {a, b c}", "1: \"c\" is unexpected here, expected a value, or a comma between values" },
	/* As the manual calls it, and `baridctl config` shows it. */
	{ "limits.message-size = 1MB", "1: unexpected \"limits.message-size\", expected limits { message-size = ... }" },
	{ "hostname = a\nlimits.message-size = 1MB", "2: unexpected \"limits.message-size\", expected limits { message-size = ... }" },
	{ "domains = {a.example b.example.c}", "1: unexpected \"b.example.c\", expected the name of an option or a section, or a comma before another value" },
	{ "\xef\xbb\xbfhostname = a", "1: this begins with a byte order mark, expected UTF-8 without one" },
	/* Unknown names. */
	{ "message-size = 1MB", "1: unknown option \"message-size\"; it belongs into a section \"limits\"" },
	{ "limits { messagesize = 1MB }", "1: unknown option \"messagesize\" in \"limits\"; did you mean \"message-size\"?" },
	{ "Hostname = a", "1: unknown option \"Hostname\"; did you mean \"hostname\"?" },
	{ "smtpd_banner = a", "1: unknown option \"smtpd_banner\", expected one of those in barid.conf(5)" },
	{ "limits { message-size = 5 MB }", "1: unknown option \"MB\" in \"limits\", expected one of those in barid.conf(5); a unit stands right behind its number: \"5MB\"" },
	{ "queue { lifetime = 5 days }", "1: unknown option \"days\" in \"queue\", expected one of those in barid.conf(5); a unit stands right behind its number: \"5days\"" },
	{ "smtp-port = 25 tcp", "1: the file ends behind \"tcp\", expected = after the name of an option, or { after that of a section; a unit stands right behind its number: \"25tcp\"" },
	/* Numbers. */
	{ "smtp-port = smtp", "1: smtp-port: \"smtp\" does not fit, expected a number, from 1 to 65535" },
	{ "smtp-port = ''", "1: smtp-port: \"\" does not fit, expected a number, from 1 to 65535" },
	{ "smtp-port = -25", "1: smtp-port: \"-25\" does not fit, expected a number, from 1 to 65535" },
	{ "smtp-port = 0", "1: smtp-port: \"0\" does not fit, expected a number, from 1 to 65535" },
	{ "smtp-port = 0x19", "1: smtp-port: \"0x19\" does not fit, expected a number, from 1 to 65535" },
	{ "smtp-port = 65536", "1: smtp-port: \"65536\" does not fit, expected a number, from 1 to 65535" },
	{ "limits { recipients = 1e3 }", "1: limits.recipients: \"1e3\" does not fit, expected a number, from 1 to 100000" },
	{ "limits { errors = 99999999999999999999999 }", "1: limits.errors: \"99999999999999999999999\" does not fit, expected a number, from 1 to 10000" },
	{ "queue { runners = 65 }", "1: queue.runners: \"65\" does not fit, expected a number, from 0 to 64" },
	/* Sizes and times. */
	{ "limits { message-size = 50M }", "1: limits.message-size: \"50M\" does not fit, expected a size such as 50MB, from 1KB to 64GB" },
	{ "limits { message-size = 1.5MB }", "1: limits.message-size: \"1.5MB\" does not fit, expected a size such as 50MB, from 1KB to 64GB" },
	{ "limits { message-size = 10 }", "1: limits.message-size: \"10\" does not fit, expected a size such as 50MB, from 1KB to 64GB" },
	{ "limits { message-size = 1000GB }", "1: limits.message-size: \"1000GB\" does not fit, expected a size such as 50MB, from 1KB to 64GB" },
	{ "limits { timeout = 30 }", "1: limits.timeout: \"30\" does not fit, expected a time such as 30s, 5m, 2h or 1d, from 1s to 1d" },
	{ "limits { timeout = forever }", "1: limits.timeout: \"forever\" does not fit, expected a time such as 30s, 5m, 2h or 1d, from 1s to 1d" },
	{ "queue { lifetime = 5days }", "1: queue.lifetime: \"5days\" does not fit, expected a time such as 30s, 5m, 2h or 1d, from 1s to 365d" },
	{ "queue { retry = {1m,\n0} }", "2: queue.retry: \"0\" does not fit, expected a time such as 30s, 5m, 2h or 1d, from 1ms to 36525d" },
	{ "queue { retry = {} }", "1: queue.retry: the list is empty, expected at least one element" },
	/* Words. */
	{ "queue { deliver = 1 }", "1: queue.deliver: \"1\" does not fit, expected true or false" },
	{ "queue { deliver = '' }", "1: queue.deliver: \"\" does not fit, expected true or false" },
	{ "addresses = strct", "1: addresses: \"strct\" does not fit, expected strict or loose; did you mean \"strict\"?" },
	{ "log { level = warn }", "1: log.level: \"warn\" does not fit, expected error, warning, info or debug" },
	{ "tls { min-version = TLSv1.2 }", "1: tls.min-version: \"TLSv1.2\" does not fit, expected 1.2 or 1.3" },
	{ "listen a { tls = ssl }", "1: listen.a.tls: \"ssl\" does not fit, expected off, starttls, required or implicit" },
	{ "recipients { mailboxes = {files} }", "1: recipients.mailboxes: \"files\" is unknown, expected file, system or any; did you mean \"file\"?" },
	{ "auth { mechanisms = {PLIAN} }", "1: auth.mechanisms: \"PLIAN\" is unknown, expected PLAIN, LOGIN, CRAM-MD5, CRAM-SHA1, CRAM-SHA256, CRAM-SHA512, SCRAM-SHA-256, SCRAM-SHA-256-PLUS, XOAUTH2, OAUTHBEARER or APOP; did you mean \"PLAIN\"?" },
	{ "auth { backends = {'fiel:///u'} }", "1: auth.backends: \"fiel://\" is unknown, expected file://, secrets://, pam://, users://, ldap://, ldaps://, radius://, http://, https://, oauth://, exec:// or hardcoded://; did you mean \"file\"?" },
	{ "auth { backends = {users} }", "1: auth.backends: a backend without a kind, expected \"file:///path\" or \"pam://service\"" },
	/* Names, addresses, networks. */
	{ "hostname = 192.0.2.1", "1: hostname: \"192.0.2.1\" is no host name, expected one such as \"mail.example.org\"" },
	{ "hostname = 'a b'", "1: hostname: \"a b\" is no host name, expected one such as \"mail.example.org\"" },
	{ "domains = {'@example.org'}", "1: domains: \"@example.org\" is no domain, expected one such as \"example.org\" or \"[192.0.2.25]\"" },
	{ "domains = {''}", "1: domains: \"\" does not fit, expected something between the quotes" },
	{ "postmaster = postmaster", "1: postmaster: \"postmaster\" is no address, expected one such as \"postmaster@example.org\"" },
	{ "user = -x", "1: user: \"-x\" is no name of a user, expected letters, digits, \"_\", \".\" and, but not first, \"-\"" },
	{ "access { connect = {all} }", "1: access.connect: \"all\" is no network, expected an address or address/bits" },
	{ "access { relay = {10.0.0.0/33} }", "1: access.relay: \"10.0.0.0/33\" has a bad prefix length, expected 0-32" },
	{ "access { relay = {10.0.0.1/8} }", "1: access.relay: \"10.0.0.1/8\" has bits behind its prefix, expected the first address of the network" },
	{ "dns { servers = {dns.example} }", "1: dns.servers: \"dns.example\" is no server, expected \"192.0.2.53\", \"192.0.2.53:5353\" or \"[2001:db8::53]:5353\"" },
	{ "listen a { tls = off port = smtp }", "1: listen.a.port: \"smtp\" does not fit, expected ports from 1 to 65535 as in \"25,2525,1024-1026\"" },
	{ "listen a { tls = off port = '25-20' }", "1: listen.a.port: \"25-20\" does not fit, expected ports from 1 to 65535 as in \"25,2525,1024-1026\"" },
	{ "listen a { tls = off port = 25 address = {'127.0.0.1:25'} }", "1: listen.a.address: \"127.0.0.1:25\" is no address, expected \"*\", an address, an interface, \"unix:/path\" or \"fd:name\"" },
	/* Paths. */
	{ "spool = spool", "1: spool: \"spool\" is no directory's path, expected it to begin with / and to hold no \"..\"" },
	{ "spool = /", "1: spool: \"/\" is the root of all files, expected a directory of its own" },
	{ "run = '//'", "1: run: \"//\" is the root of all files, expected a directory of its own" },
	{ "spool = /a\nmailboxes = /a", "2: mailboxes: \"/a\" is the directory of spool too, expected one of its own" },
	{ "tls { ca = ~/ca.pem }", "1: tls.ca: \"~/ca.pem\" is no file's path, expected it to begin with / and to hold no \"..\"" },
	{ "log { to = {'file:barid.log'} }", "1: log.to: \"file:barid.log\" is no target, expected stderr, \"file:/path\" or \"syslog:mail\" (or daemon, user, auth, local0 to local7)" },
	/* What is there, but not for us. */
	{ "hostname = \"${HOSTNAME_THAT_NOBODY_SETS}\"", "1: ${HOSTNAME_THAT_NOBODY_SETS} is not defined, expected set(\"HOSTNAME_THAT_NOBODY_SETS\", \"...\") before it, a variable of the environment, or ${HOSTNAME_THAT_NOBODY_SETS:-default}" },
	{ "hostname = \"a\\tb\"", "1: \\t means nothing in double quotes, expected \\\\ for a backslash, or single quotes around the text" },
	{ TLS "listen a { service = pop3 port = 110 }", "1: listen.a: nobody can log in, expected auth { backends = {\"file:///path\"} } or \"pam://service\"" },
};

START_TEST(lines)
{
	char want[600];

	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		char *got = must_fail(messages[i].text);

		snprintf(want, sizeof(want), "test.conf:%s\n", messages[i].line);
		ck_assert_msg(strcmp(got, want) == 0, "%s\ngot      %sexpected %s",
		    messages[i].text, got, want);
		free(got);
	}
}
END_TEST

UNIT_MAIN("conf/messages", lines)
