/* SPDX-License-Identifier: GPL-3.0-or-later */

/* check -- mistakes between options, names that are unknown, and later releases. */

#include "conf_unit.h"

#define TLS "tls { certificate = /c key = /k } "
#define TEN "1234567890"
#define FILES "auth { backends = {'file:///u'} } "

static const struct fault unknown[] = {
	{ "\nhostnam = a", "2: unknown option \"hostnam\"; did you mean \"hostname\"?" },
	{ "relay = {}", "1: unknown option \"relay\"; it belongs into a section \"access\"" },
	{ "nonsense = a", "1: unknown option \"nonsense\", expected one of those in barid.conf(5)" },
	{ "listen a {\n\nprot = 5 }", "3: unknown option \"prot\" in \"listen\"; did you mean \"port\"?" },
	{ "upstream a { servers b { } }", "1: unknown option \"servers\" in \"upstream\"; did you mean \"server\"?" },
	{ "upstream a { server b { prot = 5 } }", "1: unknown option \"prot\" in \"server\"; did you mean \"port\"?" },
	{ "hostname = {a}", "1: \"hostname\" takes one value, expected it without braces" },
	{ "hostname += a", "1: \"hostname\" is no list, expected = instead of +=" },
	{ "hostname a { }", "1: \"hostname\" is an option, expected = and a value" },
	{ "hostname { }", "1: \"hostname\" is an option, expected = and a value" },
	{ "tls = a", "1: \"tls\" is a section, expected { behind it" },
	{ "tls a { }", "1: \"tls\" is a section, expected { behind it" },
	{ "listen { }", "1: \"listen\" is a section with a name, expected it before the {" },
	{ "domains = {a b}", "1: \"b\" is unexpected here, expected a value, or a comma" },
	{ "domains = {a,\n,}", "2: \",\" is unexpected here" },
	{ "domains = {,a}", "1: \",\" is unexpected here" },
	{ "domains = ,", "1: the file ends too early" },
	{ "domains = , a", "1: \",\" is unexpected here" },
	{ "tls { key = }", "1: \"}\" is unexpected here" },
	{ "= = a", "1: \"=\" is unexpected here" },
	{ "\ncheck foo { enabled = false }", "2: check: \"foo\" is unknown, expected spf, dkim, dmarc, arc, iprev, helo, sender, spam or virus\n" },
	{ "check dikm { enabled = false }", "1: check: \"dikm\" is unknown, expected spf, dkim, dmarc, arc, iprev, helo, sender, spam or virus; did you mean \"dkim\"?" },
	{ "check SPF { enabled = false }", "1: check: \"SPF\" is unknown, expected spf, dkim, dmarc, arc, iprev, helo, sender, spam or virus; did you mean \"spf\"?" },
	{ "limits {\nrate client { per = 1h } }", "2: limits.rate.client: it limits nothing, expected messages or recipients" },
	{ "limits { rate\nclients { messages = 0 } }", "2: limits.rate: \"clients\" is unknown, expected client, user, sender, recipient or all; did you mean \"client\"?" },
	{ "listen a { port = 1 tls = off }\nlisten a { port = 2 tls = off }",
	    "2: listen \"a\" stands twice, expected each name once; the first is at test.conf:1\n" },
	{ "tls { certificate = /c key = /k name a { certificate = /c key = /k }\nname a { certificate = /c key = /k } }",
	    "2: tls.name \"a\" stands twice, expected each name once; the first is at test.conf:1\n" },
	{ "check dkim {\nenabled = false\nenforce = true }",
	    "3: check.dkim: there is no \"enforce\" in this one, expected one of those in barid.conf(5)" },
	{ "check spf {\non-error = reject }", "2: check.spf: there is no \"on-error\" in this one" },
	{ "check spf { on-fail = bounce }", "1: check.spf.on-fail: \"bounce\" does not fit, expected note, reject or defer" },
	{ "check spf { timeout = 61s }", "1: check.spf.timeout: \"61s\" does not fit" },
	{ "check spf { exempt = {a} }", "1: check.spf.exempt: " },
	{ "check spf { enabled = false }\ncheck spf { enabled = false }",
	    "2: check \"spf\" stands twice, expected each name once; the first is at test.conf:1\n" },
};

static const struct fault faults[] = {
	{ "\nhostname = a_b", "2: hostname: \"a_b\" is no host name" },
	{ "hostname = 192.0.2.1", "1: hostname: \"192.0.2.1\" is no host name" },
	{ "\nhttp-proxy = 'proxy:80'", "2: http-proxy: this is no proxy" },
	{ "\nhttp-proxy = 'http://a b'", "2: http-proxy: this is no proxy" },
	{ "\nsink = localhost:25", "2: sink: \"localhost:25\" is no address" },
	{ "\ndestination a { ignore = {DSN,\nPIPELINE} }",
	    "3: destination.a.ignore: \"PIPELINE\" is unknown" },
	{ "\ndomains = {'a b'}", "2: domains: \"a b\" is no domain" },
	/* An element has its own place, wherever the rest of the list stands. */
	{ "domains = {a.example,\n'a b'}", "2: domains: \"a b\" is no domain" },
	{ "domains = {'a b'}\ndomains += {b.example}", "1: domains: \"a b\" is no domain" },
	{ "\ndomains += 'a b'", "2: domains: \"a b\" is no domain" },
	{ "dns { servers = {::1,\n\na} }", "3: dns.servers: \"a\" is no server" },
	{ "log { to = {stderr,\nstdout} }", "2: log.to: \"stdout\" is no target" },
	{ "recipients { mailboxes = {file,\nfiel} }", "2: recipients.mailboxes: \"fiel\"" },
	{ "auth { mechanisms = {PLAIN,\nPLANE} }", "2: auth.mechanisms: \"PLANE\"" },
	{ "auth { backends = {'file:///u',\n'pam://'} }", "2: auth.backends: \"pam://\"" },
	{ "listen a { tls = off port = 25 address = {'*',\n'1.2.3'} }", "2: listen.a.address: \"1.2.3\"" },
	{ "queue { lifetime = 1h delay-notice = {1m,\n1h} }", "2: queue.delay-notice: a time after" },
	{ "postmaster = postmaster", "1: postmaster: \"postmaster\" is no address" },
	{ "user = ''", "1: user: \"\" is no name of a user" },
	{ "user = 'a b'", "1: user: \"a b\"" },
	{ "spool = ''", "1: spool: \"\" is no directory's path" },
	{ "spool = a", "1: spool: \"a\" is no directory's path" },
	{ "mailboxes = /a/../b", "1: mailboxes: \"/a/../b\" is no directory's path" },
	{ "run = run", "1: run: \"run\" is no directory's path" },
	{ "recipients { mailboxes = {fiel} }", "1: recipients.mailboxes: \"fiel\" is unknown, expected file, system or any; did you mean \"file\"?" },
	{ "recipients { mailboxes = {File} }", "1: recipients.mailboxes: \"File\" is unknown, expected file, system or any; did you mean \"file\"?" },
	{ "recipients { mailboxes = {'/a/'} }", "1: not yet: a pattern in recipients.mailboxes comes with a later release" },
	{ "recipients { subaddress = '+@' }", "1: recipients.subaddress: \"+@\" does not fit" },
	{ "recipients { subaddress = '+-=+-=+-=' }", "1: recipients.subaddress: \"+-=+-=+-=\" does not fit" },
	{ "recipients { subaddress = '@' }", "1: recipients.subaddress: \"@\" does not fit" },
	{ "recipients { subaddress = ' ' }", "1: recipients.subaddress: \" \" does not fit" },
	{ "log { to = {stdout} }", "1: log.to: \"stdout\" is no target" },
	{ "log { to = {'file:a'} }", "1: log.to: \"file:a\" is no target" },
	{ "log { to = {'syslog:nothing'} }", "1: log.to: \"syslog:nothing\" is no target" },
	{ "log { to = {'syslog:mail@a'} }", "1: log.to: \"syslog:mail@a\" is no target" },
	{ "log { to = {'tape:a'} }", "1: log.to: \"tape:a\" is no target" },
	{ "dns { servers = {a} }", "1: dns.servers: \"a\" is no server" },
	{ "queue { lifetime = 1h delay-notice = {1h} }", "1: queue.delay-notice: a time after queue.lifetime" },
	/* Listeners. */
	{ "listen a {\nport = 25 }", "1: listen.a: TLS needs a certificate, expected tls { certificate = " },
	{ "listen a { port = 25\ntls = implicit }", "2: listen.a: TLS needs a certificate" },
	{ "listen a { tls = off }", "1: listen.a: no port, expected port = \"25\"" },
	{ TLS FILES "listen a { service = pop3 }", "1: listen.a: no port, expected port = \"110\"" },
	{ TLS FILES "listen a { service = submission }", "1: listen.a: no port, expected port = \"587\"" },
	{ "listen a { tls = off address = {'unix:/a', '*'} }", "1: listen.a: no port" },
	{ "listen a { tls = off port = 25 address = {'a b'} }", "1: listen.a.address: \"a b\" is no address" },
	{ "listen a { tls = off port = 25 address = {'1.2.3'} }", "1: listen.a.address: \"1.2.3\" is no address" },
	{ "listen a { tls = off port = 25 address = {'unix:a'} }", "1: listen.a.address: \"unix:a\"" },
	{ "listen a { tls = off address = {'unix:/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "'} }", "1: listen.a.address: " },
	{ "listen a { tls = off port = 25 address = {'fd:'} }", "1: listen.a.address: \"fd:\"" },
	{ "listen a { tls = off port = 25 address = {'1.2.3.4%eth0%'} }", "1: listen.a.address: " },
	{ "listen a { tls = off port = 25 address = {'interface-too-long'} }", "1: listen.a.address: " },
	{ "listen a { tls = off port = 25 address = {} }", "1: listen.a.address: the list is empty" },
	{ "listen a { tls = off port = 25 hostname = 'a b' }", "1: listen.a.hostname: \"a b\" is no host name" },
	{ TLS "listen a { service = pop3 port = 110 }", "1: listen.a: nobody can log in, expected auth" },
	{ TLS "listen a { service = submission port = 587 }", "1: listen.a: nobody can log in, expected auth" },
	{ FILES "listen a { service = submission port = 587 tls = off }", "1: listen.a: nobody can log in without TLS" },
	/* Certificates. */
	{ "tls {\ncertificate = /a }", "2: tls: a certificate without a key" },
	{ "tls { key = /a }", "1: tls: a key without a certificate" },
	{ "tls { certificate = a key = /b }", "1: tls.certificate: \"a\" is no file's path" },
	{ "tls { certificate = /a key = b }", "1: tls.key: \"b\" is no file's path" },
	{ "tls { certificate = {/a, b} key = {/c, /d} }", "1: tls.certificate: \"b\" is no file's path" },
	{ "tls { certificate = {/a, /b}\nkey = /k }", "2: tls: 1 keys for 2 certificates, expected a key for each" },
	{ "tls { certificate = {/a, /b, /c} }", "1: tls.certificate: 3 elements, expected 0 to 2" },
	{ "tls { certificate = /c key = /k name a { key = {/a, /b} certificate = /b } }", "1: tls.name: 2 keys for 1 certificates" },
	{ "tls { ca = b }", "1: tls.ca: \"b\" is no file's path" },
	{ "tls { certificate = /c key = /k name a.example { certificate = /a } }", "1: tls.name.a.example: no key, expected both" },
	{ "tls { certificate = /c key = /k name a.example { key = /a } }", "1: tls.name.a.example: no certificate, expected both" },
	{ "tls { certificate = /c key = /k name 'a b' { key = /a certificate = /b } }", "1: tls.name: \"a b\" is no host name" },
	{ "tls { certificate = /c key = /k name a { key = a certificate = /b } }", "1: tls.name.key: \"a\"" },
	{ "tls {\nname a { key = /a certificate = /b } }", "2: tls.name: there is no certificate for other names" },
	/* Logging in. */
	{ "auth {\nbackends = {'/etc/users'} }", "2: auth.backends: a backend without a kind" },
	{ "auth { backends = {'file:/etc/users'} }", "1: auth.backends: a backend without a kind" },
	{ "auth { backends = {'file://users'} }", "1: auth.backends: \"file://users\" names no file" },
	{ "auth { backends = {'pam://'} }", "1: auth.backends: \"pam://\" names no PAM service" },
	{ "auth { backends = {'pam://a/b'} }", "1: auth.backends: \"pam://a/b\" names no PAM service" },
	{ "auth { backends = {'pam://a?confdir=b'} }", "1: auth.backends: \"pam://a?confdir=b\"" },
	{ "auth { backends = {'pam://a?other=/b'} }", "1: auth.backends: \"pam://a?other=/b\"" },
	{ "auth { backends = {'tape://secret'} }", "1: auth.backends: \"tape://\" is unknown, expected file://, secrets://, pam://" },
	{ "auth { backends = {'hardcoded://secret'} }", "1: auth.backends: \"hardcoded://********\" names no users, expected" },
	{ "auth { backends = {'file:///u',\n'radius://a:secret'} }", "2: auth.backends: \"radius://********\" has no secret" },
	{ "auth { mechanisms = {PLANE} }", "1: auth.mechanisms: \"PLANE\" is unknown, expected PLAIN, LOGIN, CRAM-MD5, CRAM-SHA1, CRAM-SHA256, CRAM-SHA512, SCRAM-SHA-256, SCRAM-SHA-256-PLUS, XOAUTH2, OAUTHBEARER or APOP" },
	/* Upstreams and routes. */
	{ "upstream a { }", "1: upstream.a: no server" },
	{ "upstream a { server a{} server b{} server c{} server d{} server e{} server f{} server g{} server h{} server i{} "
	    "server j{} server k{} server l{} server m{} server n{} server o{} server p{} server q{} }",
	    "1: upstream.a: 17 servers, expected at most 16" },
	{ "upstream a { server b { }\nserver b { } }",
	    "2: upstream.a.server: \"b\" with port 25 stands twice, expected each host and port once; the first is at test.conf:1\n" },
	{ "upstream a { server b { port = 26 }\nserver c { }\nserver B { port = 26 backup = true } }",
	    "3: upstream.a.server: \"B\" with port 26 stands twice, expected each host and port once; the first is at test.conf:1\n" },
	{ "upstream mx { server a { } }", "1: upstream: \"mx\" means something else as a route's via" },
	{ "upstream discard { server a { } }", "1: upstream: \"discard\" means something else" },
	{ "upstream 'smtp:a' { server a { } }", "1: upstream: \"smtp:a\" means something else" },
	{ "upstream a { server 'unix:run/a' { } }", "1: upstream.a.server: \"unix:run/a\" is no host" },
	{ "upstream a { server '[1.2.3.4' { } }", "1: upstream.a.server: \"[1.2.3.4\" is no host" },
	{ "upstream a { server b { protocol = lmtp\nport = 24 }\nserver b { protocol = lmtp } }",
	    "3: upstream.a.server: \"b\" with port 24 stands twice" },
	{ "upstream a { server b.test { }\nserver B.test { } }", "2: upstream.a.server: \"B.test\" with port 25 stands twice" },
	{ "upstream a { server b {\nehlo = 'c d' } }", "2: upstream.a.server.b.ehlo: \"c d\" is no host name" },
	{ "upstream a { server b {\nprotocol = uucp } }", "2: upstream.a.server.b.protocol: \"uucp\"" },
	{ "upstream a { server b {\nsocks = 'c d' } }", "2: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b { socks = 'c:0' } }", "1: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b { socks = 'http://c:x' } }", "1: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b { socks = 'socks5://@c' } }", "1: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b { socks = 'socks4a://u:p@c' } }", "1: upstream.a.server.b.socks: this is no proxy" },
	{ "\nhttp-proxy = 'http://u:100%@h'", "2: http-proxy: this is no proxy, expected \"http://user:password@host:port\" or "
	    "\"socks5://user:password@host:port\"; in user and password \"%\" begins an escape" },
	{ "\nhttp-proxy = 'http://a%3ab:c@h'", "2: http-proxy: this is no proxy, expected \"http://user:password@host:port\" or "
	    "\"socks5://user:password@host:port\"; the user of an HTTP proxy has no colon" },
	{ "upstream a { server b {\nsocks = 'socks5://u:%2@c' } }", "2: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b {\nsocks = 'socks5://u:%zz@c' } }", "2: upstream.a.server.b.socks: this is no proxy" },
	{ "upstream a { server b {\nsocks = 'socks5://u%00:x@c' } }", "2: upstream.a.server.b.socks: this is no proxy" },
	{ "source-name 192.0.2.1 { hostname = a\nsocks = 'http://u:%@127.0.0.1' }", "2: source-name.192.0.2.1.socks: this is no proxy" },
	{ "upstream a { server b { socks = '[::1]x' } }", "1: upstream.a.server.b.socks: this is no proxy" },
	{ "source-name 192.0.2.1 { hostname = a\nsocks = 'http://h' }", "2: source-name.192.0.2.1.socks: this is no proxy" },
	{ "source-name 192.0.2.1 { hostname = a socks = '127.0.0.1:x' }", "1: source-name.192.0.2.1.socks: this is no proxy" },
	{ "upstream a { server 'unix:/a' { socks = c } }", "1: upstream.a.server.unix:/a.socks: no proxy leads" },
	{ "upstream a { server 'a b' { } }", "1: upstream.a.server: \"a b\" is no host" },
	{ "upstream a { server 1.2.3 { } }", "1: upstream.a.server: \"1.2.3\" is no host" },
	{ "upstream a { server b {\nuser = c } }", "2: upstream.a.server.b: a user without a password" },
	{ "upstream a { server b {\npassword = c } }", "2: upstream.a.server.b: a password without a user" },
	{ "upstream a { server b {\ntoken = 'file:/c' } }", "2: upstream.a.server.b: a token without a user" },
	{ "upstream a { server b { user = c\ntoken = c } }", "2: upstream.a.server.b.token: \"c\" says not where a token is" },
	{ "upstream a { server b { user = c\ntoken = 'refresh:http://h/t'\nclient-id = i\nrefresh-token = r } }",
	    "2: upstream.a.server.b.token: \"refresh:http://h/t\" says not where a token is" },
	{ "upstream a { server b { user = c\ntoken = 'refresh:https:///t'\nclient-id = i\nrefresh-token = r } }",
	    "2: upstream.a.server.b.token: \"refresh:https:///t\" says not where a token is" },
	{ "upstream a { server b { user = c\ntoken = 'refresh:https://h/t'\nclient-id = i } }",
	    "2: upstream.a.server.b.token: nothing to be given a token for, expected client-id" },
	{ "upstream a { server b { user = c\npassword = d\nrefresh-token = r } }",
	    "1: upstream.a.server.b: client-id, client-secret and refresh-token say nothing alone" },
	{ "upstream a { server b { user = c\ntoken = 'file:c' } }", "2: upstream.a.server.b.token: \"file:c\" says not where" },
	{ "upstream a { server b { user = c password = d\nauth = {'SCRAM-SHA-265'} } }",
	    "2: upstream.a.server.b.auth: \"SCRAM-SHA-265\" is unknown" },
	{ "upstream a { server b { tls = dane\nsocks = 'p:1' } }",
	    "1: upstream.a.server.b.tls: behind a proxy nobody here asks DNS, expected \"verified\"" },
	{ "upstream a { server b { tls-name = 'x y' } }",
	    "1: upstream.a.server.b.tls-name: \"x y\" is no host name, expected" },
	{ "upstream a { server b {\nkey = '/k.pem' } }",
	    "2: upstream.a.server.b.key: a key without a certificate, expected" },
	{ "upstream a { server b {\ncertificate = 'c.pem' } }",
	    "2: upstream.a.server.b.certificate: \"c.pem\" is no path, expected" },
	{ "upstream a { server b { certificate = '/c'\nkey = 'k' } }",
	    "2: upstream.a.server.b.key: \"k\" is no path, expected" },
	{ "route a { via = b }", "1: route.a.via: there is no upstream \"b\", expected mx, the name of an upstream, "
	    "smtp:host:port, lmtp:host:port, maildir:/path, pipe:/path, discard or "
	    "error:550 5.7.1 text\n" },
	{ "upstream isp { server a { } }\nroute a { via = isq }", "2: route.a.via: there is no upstream \"isq\", expected mx, "
	    "the name of an upstream, smtp:host:port, lmtp:host:port, maildir:/path, pipe:/path, discard or error:550 5.7.1 text; did you mean \"isp\"?" },
	{ "route a { via = '' }", "1: route.a.via: there is no upstream \"\"" },
	{ "route 'a b' { }", "1: route: \"a b\" is no pattern" },
	{ "route '<>' { }", "1: route: \"<>\" is no pattern, expected one that a recipient can have" },
	{ "route '/(/' { }", "1: route: \"/(/\" is no pattern, expected a regular expression of PCRE2: missing closing parenthesis" },
	{ "route a {\nsender = {b, \n'x y'} }", "3: route.a.sender: \"x y\" is no pattern, expected a domain" },
	{ "listen smtp { port = 25 tls = off }\nroute a { listener = {smtp,\nsmpt} }",
	    "3: route.a.listener: there is no listener \"smpt\", expected the name of one; did you mean \"smtp\"?" },
	{ "route a {\nsource = b }", "2: route.a.source: \"b\" is neither a pool nor an address" },
	{ "route a {\nfallback = b }", "2: route.a.fallback: there is no upstream \"b\"" },
	{ "upstream b { server c { } } route a { via = b\nfallback = b }", "2: route.a.fallback: it is for via = \"mx\"" },
	{ "route a { via = 'smtp:' }", "1: route.a.via: \"smtp:\" leads nowhere, expected \"smtp:host:port\" or \"smtp:unix:/path\"" },
	{ "route a { via = 'smtp:a b' }", "1: route.a.via: \"smtp:a b\" leads nowhere" },
	{ "route a { via = 'lmtp:a:99999' }", "1: route.a.via: \"lmtp:a:99999\" leads nowhere" },
	{ "route a { via = 'lmtp:[::1' }", "1: route.a.via: \"lmtp:[::1\" leads nowhere" },
	{ "route a { via = 'lmtp:unix:a' }", "1: route.a.via: \"lmtp:unix:a\" leads nowhere" },
	{ "route a { via = 'error:' }", "1: route.a.via: expected \"error:550 5.7.1 text\"" },
	{ "route a { via = 'error:250 ok' }", "1: route.a.via: expected \"error:550" },
	{ "route a { via = 'error:600 no' }", "1: route.a.via: expected \"error:550" },
	{ "route a { via = 'error:550 4.7.1 no' }", "1: route.a.via: expected \"error:550" },
	{ "route a { via = 'error:550 n\xc3\xb6' }", "1: route.a.via: expected \"error:550 5.7.1 text\", with a code from 400 to 599 and a text of ASCII" },
	{ "route a { via = \"pipe:\" }",
	  "1: route.a.via: \"\" is no command: expected the absolute path of a program first" },
	{ "route a { via = \"pipe:/bin/cat ${sendr}\" }", "1: route.a.via: \"/bin/cat ${sendr}\" is no command: there is no ${sendr}, expected ${sender}, "
	  "${recipient} or another fact of a message; did you mean \"sender\"?" },
	{ "route a { via = mx run-as = nobody }",
	  "1: route.a.run-as: it is for a program, expected via = \"pipe:/path\"" },
	{ "route a { via = 'pipe:/bin/cat' run-as = root }",
	  "1: route.a.run-as: no program is run as root, expected another account" },
	{ "dsn {\nnotify = {never, delay} }", "2: dsn.notify: \"never\" is none, expected some of success, failure and delay, or never alone" },
	{ "dsn { notify = {bounce} }", "1: dsn.notify: \"bounce\" is none" },
	{ "route a {\nvia = 'maildir:m' }", "2: route.a.via: \"maildir:m\" names no Maildir, expected \"maildir:/path\"" },
	{ "upstream u { server b { } } route a { via = 'maildir:/m'\nfallback = u }", "2: route.a.fallback: it is for via = \"mx\"" },
	/* Source addresses. */
	{ "source { addresses = {10.0.0.1,\n10.0.0.0/24} }", "2: source.addresses: \"10.0.0.0/24\" is a network, expected addresses" },
	{ "pool a { }", "1: pool.a.addresses: none, expected at least one" },
	{ "pool 'a b' { addresses = {10.0.0.1} }", "1: pool: \"a b\" is no name of a pool" },
	{ "pool 10.0.0.1 { addresses = {10.0.0.1} }", "1: pool: \"10.0.0.1\" is no name of a pool" },
	{ "pool a { addresses = {10.0.0.1, ::1} }\npool b { addresses = {10.0.0.2,\n::1} }",
	    "3: pool.b.addresses: ::1 is in pool \"a\" already, expected each address in one pool" },
	{ "source-name a { hostname = b }", "1: source-name: \"a\" is no address" },
	{ "source-name ::1 { }", "1: source-name.::1.hostname: \"\" is no host name" },
	{ "dns-override a.test { }", "1: dns-override.a.test.addresses: there is none, expected" },
	{ "dns-override 'a b' { addresses = {'192.0.2.1'} }",
	    "1: dns-override: \"a b\" is no name, expected" },
	{ "dns-override a.test {\naddresses = {'192.0.2.1',\n'mx.test'} }",
	    "3: dns-override.a.test.addresses: \"mx.test\" is no address, expected" },
	{ "upstream isp { server a { } } route a { via = isp\ntls = verified }",
	    "2: route.a.tls: an upstream's servers have their own" },
};

static const struct fault later[] = {
	{ "listen Sendmail { port = 25 tls = off }", "1: listen.Sendmail: that is where programs of this host hand in mail" },
	{ "listen a { port = 25 tls = off mode = proxy }", "1: not yet: listen.a.mode = proxy comes with a later release, expected \"store\"" },
	{ "pop3 { expire = 1h }", "1: pop3.expire: less than a day, expected 1d or more" },
	{ "recipients { verify = 'ask:/a' }", "1: recipients.verify: \"ask:/a\": expected \"exec:/path\"" },
	{ "filter a { }", "1: not yet: filter \"a\"" },
	{ "milter a { }", "1: not yet: milter \"a\"" },
	{ "amqp { url = 'amqp://a:b@c' }", "1: not yet: amqp.url = ********" },
	{ "webhook a { }", "1: not yet: webhook \"a\"" },
	{ "statsd = 'a:1'", "1: not yet: statsd = a:1" },
	{ "graphite = 'a:1'", "1: not yet: graphite = a:1" },
	/* Switched off, but wrong. */
	{ "greylist { enabled = 5 }", "1: greylist.enabled: \"5\" does not fit" },
	{ "greylist { delay = x }", "1: greylist.delay: \"x\" does not fit" },
	{ "amqp { urls = '' }", "1: unknown option \"urls\" in \"amqp\"; did you mean \"url\"?" },
};

START_TEST(refused)
{
	check_faults(unknown, ARRAY_LEN(unknown));
	check_faults(faults, ARRAY_LEN(faults));
	check_faults(later, ARRAY_LEN(later));
}
END_TEST

static const char *const accepted[] = {
	"",
	"# nothing\n",
	"hostname = mail",
	"domains = {'[192.0.2.25]', '[IPv6:2001:db8::1]'}",
	"recipients { mailboxes = {system, any} subaddress = '' }",
	"upstream a { server b { tls = dane } }",
	"upstream a { server b { tls = verified\ntls-name = 'x.example'\n"
	    "certificate = '/c.pem'\nkey = '/k.pem' } }",
	"route a { tls = dane }",
	"upstream a { server b { user = c\ntoken = 'refresh:https://h:1/t?x=y'\nclient-id = i\n"
	    "client-secret = s\nrefresh-token = r } }",
	"dns-override a.test { addresses = {'192.0.2.1', '[2001:db8::1]:2525'} }",
	"log { to = {stderr, 'file:/var/log/barid', 'syslog:local7', 'syslog:auth@/run/log'} }",
	"dns { servers = {127.0.0.1, '127.0.0.1:5353', '[::1]:53'} }",
	"queue { lifetime = 1s }",
	"listen a { tls = off port = 25 address = {'*', 127.0.0.1, ::1, eth0, eth0-ipv4, 'fe80::1%eth0'} }",
	"listen a { tls = off address = {'unix:/run/a', 'fd:smtp'} }",
	"auth { without-tls = {plain} backends = {'file:///u'} } listen a { service = submission tls = off port = 587 }",
	FILES "listen a { service = pop3 tls = off port = 110 }",
	"tls { certificate = /c key = /k name '*.a.example' { certificate = /a key = /b } }",
	"auth { backends = {'pam://barid', 'pam://a?confdir=/etc/b', 'file:///a b'} }",
	"upstream a { server b_c { } server 192.0.2.1 { } server ::1 { } server '[IPv6:::1]' { } }",
	"upstream a { server b { } server b { port = 26 } } upstream b { server b { } } listen b { tls = off port = 25 }",
	"upstream discard-all { server a { } } route a { via = discard-all }",
	"upstream a { server '[::1]' { } server 'fe80::1%eth0' { } server '[1.2.3.4]' { ehlo = a.b } server 'unix:/run/x' { protocol = lmtp } }",
	"upstream a { server b\xc3\xbc" "cher.test { socks = 'p:1080' } server c { socks = p } server d { socks = 'socks4a://me@[::1]:9' } "
	    "server e { socks = 'socks5://u:p@w@h:1080' } server f { socks = 'socks5://h' } "
	    "server g { socks = 'http://u:p@h/' } } source-name 192.0.2.1 { hostname = a socks = 'http://[::1]:3128' }",
	"http-proxy = 'http://u:p@proxy.test:3128/'",
	"route a { via = discard } route a { via = 'error:550' } route a { via = 'error:450 4.2.0 Later' }",
	"route a { via = 'smtp:b' } route a { via = 'smtp:b:587' } route a { via = 'smtp:[::1]:25' } route a { via = 'lmtp:127.0.0.1:24' tls = off }",
	"route a { via = 'maildir:/var/mail/a b' }",
	"route a { via = 'lmtp:unix:/run/lmtp' } route a { via = 'smtp:unix:/run/smtp' }",
	"listen in { port = 25 tls = off } route '*' { sender = {'<>', b.test, '*@c.test', '/x/'} user = {'a*', '/b/'} listener = {IN, sendmail} }",
	"route '/sales-.*@a\\.test/' { } route 'x@y.test' { } route '*@y.test' { } route '*a' { } route '*.*' { }",
	"pool a { addresses = {10.0.0.1} } pool b { addresses = {10.0.0.2} } route '*' { source = a } route b { source = ::1 }",
	"source { addresses = {10.0.0.1, ::1} mappable = {10.0.0.0/8} unmappable = {} } source-name 10.0.0.1 { hostname = a.b }",
	"mx-ignore = {10.0.0.0/8, fc00::/7}",
	"route a { } route '*.a' { } route .b { } route '[192.0.2.1]' { } route '*' { tls = verified }",
	/* Later releases, switched off. */
	"listen a { port = 25 tls = off mode = store } tls { client-ca = '' }",
	"access { proxies = {} }",
	"limits { rate client { messages = 5 recipients = 0 per = 1m } rate all { recipients = 9 } }",
	"aliases = {} recipients { verify = '' } srs { secret = '' domain = '' max-age = 21d }",
	"dnsbl-threshold = 1 check spf { enabled = false on-fail = reject } check dkim { enabled = no }",
	"authentication-results = {} greylist { enabled = false delay = 1h }",
	"upstream a { server b { socks = '' ehlo = '' } }",
	"source { addresses = {} mappable = {} unmappable = {127.0.0.0/8} } extract-headers = false",
	"amqp { url = '' inbox = inbox retry = '' } admin { auth = {} edit-config = true }",
	"statsd = '' graphite = ''",
	"dsn { notify = {never} }", "dsn { notify = {success} }", "dsn { notify = {delay, success, failure} }",
};

START_TEST(fine)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
		conf_free(must_parse(accepted[i]));
}
END_TEST

/* All mistakes are shown in one run. */
START_TEST(all_of_them)
{
	char *got = must_fail("spool = a\nuser = ''\nroute a { via = b }");

	ck_assert_str_eq(got,
	    "test.conf:2: user: \"\" is no name of a user, expected letters, digits, \"_\", "
	    "\".\" and, but not first, \"-\"\n"
	    "test.conf:1: spool: \"a\" is no directory's path, expected it to begin with / and "
	    "to hold no \"..\"\n"
	    "test.conf:3: route.a.via: there is no upstream \"b\", expected mx, the name of an "
	    "upstream, smtp:host:port, lmtp:host:port, maildir:/path, pipe:/path, discard or error:550 5.7.1 text\n");
	free(got);
}
END_TEST

static void
look_for(void *arg, const char *name, const char *value, struct conf_place place)
{
	struct buf *b = arg;

	if (str_starts(str_c(name), STR("check.")))
		buf_addf(b, "%s=%s:%d\n", name, value, place.line);
}

/* A section whose title decides what is in it. */
START_TEST(kinds)
{
	struct conf *c = must_parse("spool = /a");
	struct buf b;

	buf_init(&b, 4096);
	conf_each(c, look_for, &b);
	ck_assert_str_eq(buf_cstr(&b), "");
	ck_assert(!c->check.spf.enabled);
	conf_free(c);
	c = must_parse("check dkim { enabled = no }\ncheck spf {\n"
		       "on-fail = defer exempt += 192.0.2.1 }");
	conf_each(c, look_for, &b);
	ck_assert(c->check.spf.enabled);
	ck_assert_int_eq(c->check.spf.on_fail, CHECK_DEFER);
	ck_assert_int_eq(c->check.spf.on_helo_fail, CHECK_REJECT);
	ck_assert_int_eq(c->check.spf.on_none, CHECK_NOTE);
	ck_assert_int_eq(c->check.spf.timeout, 20000);
	ck_assert_uint_eq(c->check.spf.exempt.n, 3);
	ck_assert_msg(strstr(buf_cstr(&b), "check.spf.on-fail=\"defer\":3\n") != NULL, "%s", buf_cstr(&b));
	ck_assert_msg(strstr(buf_cstr(&b), "check.spf.enabled=true:0\n") != NULL, "%s", buf_cstr(&b));
	conf_free(c);
	c = must_parse("check spf { enabled = off }");
	ck_assert(!c->check.spf.enabled);
	conf_free(c);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("conf/check", refused, fine, all_of_them, kinds)
