/* SPDX-License-Identifier: GPL-3.0-or-later */

/* storage -- the words for a store, and where it may not be. */

#include "conf/storage.h"

#include "conf_unit.h"

START_TEST(values)
{
	static const char *const words[] = { "dir:/var/texts", "dir:///var/texts", "directory:/var/texts",
		"directory:///var/texts" };
	struct conf *c = must_parse("");
	char text[200];

	ck_assert_str_eq(c->storage.path, "");
	ck_assert_uint_eq(c->storage.ttl, 0);
	conf_free(c);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		snprintf(text, sizeof(text), "storage { address = \"%s\" ttl = 1h policy = \"none\" }", words[i]);
		c = must_parse(text);
		ck_assert_str_eq(c->storage.path, "/var/texts");
		ck_assert_uint_eq(c->storage.ttl, 3600000);
		conf_free(c);
	}
	/* A name that only begins as another is none below it. */
	conf_free(must_parse("storage { address = \"dir:/var/spool/barid-texts\" }"));
}
END_TEST

START_TEST(mistakes)
{
	static const struct fault faults[] = {
		{ "storage {\naddress = \"/var/texts\" }", "2: storage.address: \"/var/texts\" is no store, expected \"dir:/path\"" },
		{ "storage { address = \"dir:texts\" }", "1: storage.address: \"dir:texts\" is no store" },
		{ "storage { address = \"dir://texts\" }", "1: storage.address: \"dir://texts\" is no store" },
		{ "storage { address = \"dir:\" }", "1: storage.address: \"dir:\" is no store" },
		{ "storage { address = \"dir:/a/../b\" }", "1: storage.address: \"dir:/a/../b\" is no store" },
		{ "storage { address = \"mongodb://h/d/c\" }", "1: storage.address: \"mongodb://h/d/c\" is no store" },
		{ "storage { address = \"dir:///a?compression=gzip\" }", "1: storage.address: \"dir:///a?compression=gzip\" is no" },
		{ "storage { address = \"dir:/var/spool/barid\" }",
		  "1: storage.address: \"dir:/var/spool/barid\" is no directory of its own, beside /var/spool/barid" },
		{ "storage { address = \"dir:/var/spool/barid/new\" }", "1: storage.address: \"dir:/var/spool/barid/new\" is no d" },
		{ "storage { address = \"dir:/var/spool/\" }", "1: storage.address: \"dir:/var/spool/\" is no directory of its" },
		{ "storage { address = \"dir:/var/mail/barid/alice/cur\" }", "1: storage.address: " },
		{ "storage { address = \"dir:/texts\" policy = \"all\" }", "1: not yet: storage.policy = all comes with a later release, expected \"none\"" },
	};

	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

UNIT_MAIN("conf/storage", values, mistakes)
