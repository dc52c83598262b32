/* SPDX-License-Identifier: GPL-3.0-or-later */

/* xml -- elements and text of foreign XML, and what of it is not taken. */

#include "report/xml.h"

#include "lib/buf.h"
#include "unit.h"

static void
on_begin(void *arg, struct str name)
{
	buf_addc(arg, '<');
	buf_add(arg, name);
	buf_addc(arg, '>');
}

static void
on_text(void *arg, struct str text)
{
	buf_add(arg, text);
}

static void
on_end(void *arg, struct str name)
{
	buf_adds(arg, "</");
	buf_add(arg, name);
	buf_addc(arg, '>');
}

static const struct xml_events events = { on_begin, on_text, on_end };

/* What TEXT comes to, and why it ends; "" for NULL. */
static void
look(struct str text, const char *want, const char *why)
{
	for (size_t step = text.n + 1;; step = 1) {
		struct buf b;
		struct xml *x;
		struct str rest = text;
		bool ok = true;

		buf_init(&b, 1 << 20);
		x = xml_new(&events, &b);
		for (; ok && rest.n > 0; rest = str_skip(rest, step))
			ok = xml_add(x, str_head(rest, step), false);
		ok = ok && xml_add(x, STR(""), true);
		ck_assert(ok == (xml_why(x) == NULL));
		ck_assert_msg(strstr(xml_why(x) ? xml_why(x) : "", why) != NULL, "%.*s: %s",
		    STR_ARG(text), xml_why(x) ? xml_why(x) : "");
		if (want != NULL)
			ck_str(buf_str(&b), str_c(want));
		if (!ok)
			ck_assert(!xml_add(x, STR("<a/>"), true));
		xml_free(x);
		buf_free(&b);
		if (step == 1)
			break;
	}
}

START_TEST(what_is_well_formed)
{
	look(STR("<a/>"), "<a></a>", "");
	look(STR("<?xml version='1.0' encoding='UTF-8'?><!-- c --><a x='1'><b>t&amp;&#65;</b><?p i?></a>\n"),
	    "<a><b>t&A</b></a>", "");
	look(STR("<x:a xmlns:x='urn:y'><x:b><![CDATA[<>]]></x:b></x:a>"), "<a><b><></b></a>", "");
	/* Those of another name space are not taken for its own. */
	look(STR("<a xmlns:z='urn:z'><z:b>1</z:b></a>"), "<a><z:b>1</z:b></a>", "");
	look(STR("<x:a><b>1</b><z:b/><xx:b/></x:a>"), "<a><b>1</b><z:b></z:b><xx:b></xx:b></a>", "");
	look(STR("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>"), "<a>\xc3\xbc</a>", "");
	look(STR("\xff\xfe<\0a\0/\0>\0"), "<a></a>", "");
}
END_TEST

START_TEST(what_is_not)
{
	look(STR(""), "", "cut short");
	look(STR("<a><b>"), "<a><b>", "cut short");
	look(STR("<a><b"), "<a>", "cut short");
	look(STR("<a></b>"), NULL, "not well formed");
	look(STR("<a>&nbsp;</a>"), NULL, "not well formed");
	look(STR("<a>\xff</a>"), NULL, "not well formed");
	look(STR("<a/><b/>"), NULL, "not well formed");
	look(STR("<?xml version='1.0' encoding='EBCDIC-X'?><a/>"), NULL, "not well formed");
}
END_TEST

START_TEST(what_is_not_taken)
{
	look(STR("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), "", "document type");
	look(STR("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "", "document type");
	look(STR("<!DOCTYPE a PUBLIC 'x' 'http://127.0.0.1/'><a/>"), "", "document type");
}
END_TEST

START_TEST(bounds)
{
	struct buf deep, out;
	struct xml *x;
	bool ok = true;

	buf_init(&deep, 1 << 20);
	for (int i = 0; i < XML_DEPTH_MAX; i++)
		buf_adds(&deep, "<a>");
	buf_init(&out, 1 << 20);
	x = xml_new(&events, &out);
	ck_assert(xml_add(x, buf_str(&deep), false));
	ck_assert(!xml_add(x, STR("<a>"), false));
	ck_assert_str_eq(xml_why(x), "its XML is nested too deeply");
	xml_free(x);
	/* A name that does not end is not kept for ever. */
	x = xml_new(&events, &out);
	buf_reset(&deep);
	for (int i = 0; i < 70000; i++)
		buf_adds(&deep, "abcdefgh");
	ck_assert(xml_add(x, STR("<a><"), false));
	for (ok = true; ok;)
		ok = xml_add(x, buf_str(&deep), false);
	ck_assert_str_eq(xml_why(x), "its XML has something that is too long");
	xml_free(x);
	xml_free(NULL);
	buf_free(&out);
	buf_free(&deep);
}
END_TEST

UNIT_MAIN("report/xml", what_is_well_formed, what_is_not, what_is_not_taken, bounds)
