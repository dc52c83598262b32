/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * idn -- the form of an internationalized domain name that DNS knows, and that in
 * which other text in UTF-8 is compared.
 *
 * What is ASCII already is not looked at, so that a name costs nothing where
 * nobody uses others.  UTS 46 without its transitional mapping, as browsers
 * have it: a sharp s is itself and not "ss".
 */

#include "lib/idn.h"

#include <idn2.h>
#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* RFC 1035 2.3.4, in the longest form that UTF-8 can give it. */
#define NAME_MAX_OCTETS 1024

const char *
idn_add(struct buf *b, struct str name)
{
	char text[NAME_MAX_OCTETS + 1], *ascii = NULL;
	int r;

	if (!str_has_8bit(name)) {
		buf_add(b, name);
		return NULL;
	}
	if (name.n > NAME_MAX_OCTETS || memchr(name.p, '\0', name.n) != NULL)
		return "it is too long, or holds a NUL";
	if (!str_is_utf8(name))
		return "it is not UTF-8";
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	r = idn2_to_ascii_8z(text, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (r != IDN2_OK)
		return idn2_strerror(r);
	buf_adds(b, ascii);
	idn2_free(ascii);
	return NULL;
}

void
idn_add_nfc(struct buf *b, struct str text)
{
	uint8_t room[NAME_MAX_OCTETS], *nfc = NULL;
	size_t n = sizeof(room);

	if (str_has_8bit(text) && str_is_utf8(text))
		nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)text.p, text.n, room, &n);
	buf_add(b, nfc != NULL ? str_n((const char *)nfc, n) : text);
	if (nfc != room)
		free(nfc);
}

/* What RFC 4518 2.2 leaves out, or has for a blank, and the like. */
static bool
is_seen(ucs4_t c)
{
	return c < 0x80 || (c != 0xfffc && !uc_is_property_white_space(c) &&
	    !uc_is_property_default_ignorable_code_point(c) &&
	    !uc_is_general_category(c, UC_CATEGORY_C));
}

bool
idn_is_plain(struct str text)
{
	uint8_t room[NAME_MAX_OCTETS], *form;
	const uint8_t *p = (const uint8_t *)text.p;
	size_t n = sizeof(room);
	bool plain;
	ucs4_t c;

	if (!str_has_8bit(text))
		return true;
	if (!str_is_utf8(text))
		return false;
	form = u8_normalize(UNINORM_NFKC, p, text.n, room, &n);
	plain = form != NULL && str_eq(str_n((const char *)form, n), text);
	if (form != room)
		free(form);
	for (size_t i = 0; i < text.n && plain;) {
		i += (size_t)u8_mbtouc(&c, p + i, text.n - i);
		plain = is_seen(c);
	}
	return plain;
}
