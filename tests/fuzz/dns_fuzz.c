/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: DNS answers from a hostile server: what comes out is bounded and clean.
 *
 * Parsers: net/dns_answer.c.
 */

#include "fuzz.h"

#include <sys/socket.h>

#include "lib/log.h"
#include "net/dns_answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str packet = str_n((const char *)data, n);
	struct arena arena;
	struct dns_mx_answer mx;
	struct dns_addr_answer a;
	struct dns_tlsa_answer tlsa;
	struct dns_txt_answer txt;
	struct dns_alias_answer alias;
	struct dns_ptr_answer ptr;
	struct dns_srv_answer srv;

	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	arena_init(&arena, 1 << 20);
	dns_answer_mx(packet, "example.org", &arena, &mx);
	check((mx.status == DNS_OK) == (mx.mx_n > 0) && mx.mx_n <= DNS_MX_MAX);
	check((mx.status == DNS_OK) == (mx.reason == NULL));
	for (size_t i = 0; i < mx.mx_n; i++)
		check(mx.mx[i].host[0] == '\0' || dns_is_host(str_c(mx.mx[i].host)));
	dns_answer_addr(packet, "example.org", AF_INET, &arena, &a);
	check((a.status == DNS_OK) == (a.addr_n > 0) && a.addr_n <= DNS_ADDR_MAX);
	dns_answer_addr(packet, "example.org", AF_INET6, &arena, &a);
	check((a.status == DNS_OK) == (a.addr_n > 0) && a.addr_n <= DNS_ADDR_MAX);
	for (size_t i = 0; i < a.addr_n; i++)
		check(addr_octets(&a.addr[i]) != NULL);
	dns_answer_tlsa(packet, "example.org", &arena, &tlsa);
	check((tlsa.status == DNS_OK) == (tlsa.tlsa_n > 0) && tlsa.tlsa_n <= DNS_TLSA_MAX);
	check((tlsa.status == DNS_OK) == (tlsa.reason == NULL));
	for (size_t i = 0; i < tlsa.tlsa_n; i++)
		check(tlsa.tlsa[i].data.n > 0 && tlsa.tlsa[i].data.n < n);
	dns_answer_txt(packet, "example.org", &arena, &txt);
	check((txt.status == DNS_OK) == (txt.text_n > 0) && txt.text_n <= DNS_TXT_MAX);
	for (size_t i = 0; i < txt.text_n; i++)
		check(txt.text[i].n < n);
	dns_answer_ptr(packet, "a b.example.org", &arena, &ptr);
	check((ptr.status == DNS_OK) == (ptr.name_n > 0) && ptr.name_n <= DNS_PTR_MAX);
	for (size_t i = 0; i < ptr.name_n; i++)
		check(dns_is_host(str_c(ptr.name[i])));
	dns_answer_srv(packet, "example.org", &arena, &srv);
	check((srv.status == DNS_OK) == (srv.srv_n > 0) && srv.srv_n <= DNS_SRV_MAX);
	for (size_t i = 0; i < srv.srv_n; i++)
		check(srv.srv[i].host[0] == '\0' || dns_is_host(str_c(srv.srv[i].host)));
	dns_answer_alias(packet, "example.org", &alias);
	check((alias.status == DNS_OK) == (alias.reason == NULL));
	arena_free(&arena);
	return 0;
}
