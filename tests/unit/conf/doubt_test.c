/* SPDX-License-Identifier: GPL-3.0-or-later */

/* doubt_test -- what leads nowhere is said with its line, and what leads somewhere is not. */

#include "conf_unit.h"

#define OURS "domains = {example.org}\nrecipients { mailboxes = {system} }\n"
#define UP "upstream u { server h.example { } }\n"

static const struct {
	const char *text, *doubt;	/* the whole line behind the name of the file; NULL: there is none */
} doubts[] = {
	{ "aliases = {/a}", "1: aliases: no address has one, expected those of domains, of which there are none" },
	{ "domains = {example.org}\naliases = {/a}", NULL },
	{ "\ndomains = {example.org}", "2: domains: nobody has a mailbox, and mail for them is refused, expected "
	    "auth { backends = {\"file:///path\"} }, recipients { mailboxes = {\"system\"} } or sections recipient" },
	{ "domains = {example.org}\nauth { backends = {'pam://x'} }", "1: domains: nobody has a mailbox, and mail for them is refused, "
	    "expected auth { backends = {\"file:///path\"} }, recipients { mailboxes = {\"system\"} } or sections recipient" },
	{ "domains = {example.org}\nauth { backends = {'file:///u'} }", NULL },
	{ "domains = {example.org}\nauth { backends = {'secrets:///u'} }", NULL },
	{ "domains = {example.org}\nrecipients { verify = 'net:127.0.0.1:1' }", NULL },
	{ "domains = {example.org}\nsrs { domain = example.org }", NULL },
	{ "domains = {example.org}\nrecipient '*' { mailbox = all }", NULL },
	{ OURS, NULL },
	{ OURS "recipient info { mailbox = a }", "3: recipient.info: it stands for a domain, which is none of domains, "
	    "expected \"info@*\" for a name in all of them" },
	{ OURS "recipient 'info@example.net' { mailbox = a }", "3: recipient.info@example.net: no such mail is for mailboxes here, "
	    "expected an address in one of domains" },
	{ OURS "recipient 'info@*' { mailbox = a }\nrecipient EXAMPLE.ORG { mailbox = a }\nrecipient '/^x/' { mailbox = a }\n"
	    "recipient '.example.net' { mailbox = a }", NULL },
	{ UP, "1: upstream.u: no mail goes there, expected route \"*\" { via = \"u\" } or another" },
	{ UP "extract-headers = true", NULL },
	{ UP "route '*' { via = u }", NULL },
	{ UP "route '*' { fallback = u }", NULL },
	{ OURS UP "recipient 'x@*' { via = u }", NULL },
	{ OURS UP "recipient '*' { table = /t }", NULL },
	{ OURS "route example.org { via = mx }\nroute '*' { }", "3: route.example.org: it is one of domains, for which no route is asked, "
	    "expected a section recipient, or another domain" },
	{ "route a.example { }\nroute '*' { sender = {b.example} }", "2: route: mail that none of the routes takes is refused, "
	    "expected route \"*\" { } behind them if it is to go to MX hosts" },
	{ "route a.example { }\nroute '/.*/' { }", NULL },
	{ "route '*@*' { }\nroute a.example { }", NULL },
	{ "", NULL },
};

START_TEST(doubted)
{
	for (size_t i = 0; i < ARRAY_LEN(doubts); i++) {
		struct conf *c = must_parse(doubts[i].text);
		const char *line;
		struct buf out;

		buf_init(&out, 8192);
		conf_doubts(c, &out);
		line = strchr(buf_cstr(&out), ':');
		if (doubts[i].doubt == NULL)
			ck_assert_msg(out.n == 0, "%s: %s", doubts[i].text, buf_cstr(&out));
		else
			ck_assert_msg(line != NULL && str_eq(str_trim(str_c(line + 1)), str_c(doubts[i].doubt)), "%s: %s",
			    doubts[i].text, buf_cstr(&out));
		buf_free(&out);
		conf_free(c);
	}
}
END_TEST

UNIT_MAIN("conf/doubt", doubted)
