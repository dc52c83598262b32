/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tls_memory -- OpenSSL takes, grows and gives back by lib/mem. */

#include "unit.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/mem.h"
#include "net/tls.h"

/* 0, or the line that is wrong. */
static int
in_child(void)
{
	char *p, *q;

	mem_forked();
	p = OPENSSL_malloc(100);
	q = mem_alloc(100);
	/* From the same few pages. */
	if (!BUILD_ASAN && (uintptr_t)q - (uintptr_t)p > 4096)
		return __LINE__;
	memcpy(p, "kept", 5);
	p = OPENSSL_realloc(p, 100000);
	if (p == NULL || strcmp(p, "kept") != 0)
		return __LINE__;
	memset(p, 1, 100000);
	OPENSSL_free(p);
	p = OPENSSL_zalloc(100000);
	for (size_t i = 0; i < 100000; i++)
		if (p[i] != 0)
			return __LINE__;
	if (OPENSSL_realloc(p, 0) != NULL)
		return __LINE__;
	OPENSSL_free(NULL);
	mem_free(q);
	return 0;
}

START_TEST(is_ours)
{
	int status;
	pid_t pid;

	tls_use_our_memory();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(in_child() != 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_MAIN("net/tls_memory", is_ours)
