/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * P-07: each call by which a process gives up its rights is made to fail, or
 * to say that it has done what it has not; then the process ends, and does
 * nothing else.
 */

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sysexits.h>

#include "child.h"
#include "lib/proc.h"

static struct proc_user nobody;
static long call;
static unsigned error;	/* 0: it says that it has done it */

/* From here on CALL is not made, and returns -1 and ERROR, or 0. */
static bool
deny(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { ARRAY_LEN(code), code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

static void
confine_without(void)
{
	const gid_t other = 4;

	/* Something to be lost. */
	if (setgroups(1, &other) < 0 || !deny())
		_exit(77);
	proc_confine(&nobody, "/");
}

/* All is there: it becomes nobody. */
static void
confine(void)
{
	proc_confine(&nobody, "/");
	if (geteuid() != nobody.uid)
		_exit(1);
}

START_TEST(each_call)
{
	static const struct {
		long call;
		bool lies;	/* and this would not be seen */
	} calls[] = {
		{ SYS_chdir, true },
		{ SYS_chroot, true },
		{ SYS_setgroups, false },
		{ SYS_setresgid, false },
		{ SYS_setresuid, false },
		{ SYS_getresuid, true },
		{ SYS_getresgid, true },
		{ SYS_prlimit64, true },
		{ SYS_prctl, true },
	};

	if (geteuid() != 0)
		return;
	nobody = proc_user("nobody");
	ck_assert(nobody.found);
	ck_assert_int_eq(child_run(confine, -1), 0);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int status;

		call = calls[i].call;
		error = EPERM;
		status = child_run(confine_without, -1);
		ck_assert_msg(status == EX_OSERR, "call %ld fails: %d", call,
		    status);
		if (calls[i].lies)
			continue;
		error = 0;
		status = child_run(confine_without, -1);
		ck_assert_msg(status == EX_OSERR, "call %ld lies: %d", call,
		    status);
	}
}
END_TEST

UNIT_MAIN("lib/proc_denied", each_call)
