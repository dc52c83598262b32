/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * confine -- seccomp: which system calls a process may make.
 *
 * A session has a list of what it may call; it was read from the code and from
 * what glibc and OpenSSL do for it, and everything else is its end.  An acceptor
 * has the same and a few more, and hands it down to sessions, which can do
 * nothing with these: their limit of processes is 0.  Who signs with private
 * keys has a list, too, and a much shorter one.  Helpers
 * start threads, look names up and load modules, so they have a list of what
 * they may not: what runs programs, changes who they are or reaches into other
 * processes and into the kernel.
 *
 * A call that is not allowed raises SIGSYS: our handler says which it was, and
 * the next one ends the process.  Nobody inside can change that handler, since
 * sigaction() is not on the list.  The filter is made by libseccomp, which is
 * needed once and let go again: mappings cost each fork.
 */

#include "lib/confine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "build.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#define LIBRARY "libseccomp.so.2"
#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

struct confine {
	bool on;
	struct sock_fprog program;
};

/* Linked only into a build that counts coverage, which makes directories. */
extern void __gcov_dump(void) __attribute__((weak));

/* ---- what a session calls ------------------------------------------------------ */

/* clang-format off */
static const int session_calls[] = {
	/* The client, the other processes, the log (whose socket may be gone). */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recv), SCMP_SYS(send),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(connect),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	/*
	 * Spool and mailboxes: lib/sys_real.c, and what fdopendir() and fstatvfs() are made of.  Not
	 * utimensat(): a time says when a message is due, and Landlock guards none.
	 */
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(_llseek),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64), SCMP_SYS(copy_file_range),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(linkat), SCMP_SYS(unlinkat), SCMP_SYS(mkdirat),
	SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64), SCMP_SYS(getdents64),
	/* A message that is in memory is shown to barid-check (queue_show()). */
	SCMP_SYS(memfd_create),
	/* Memory; mapping it to be run is below. */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	/* Time, chance, itself; qsort() asks how much memory there is. */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep), SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sched_yield),
	/* Signals: the log holds SIGPIPE back, SIGTERM comes in, a stopped process goes on. */
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* Who has logged in shuts out the mailboxes of others (confine_rules()). */
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule), SCMP_SYS(landlock_restrict_self),
};

/* And who lets clients in and forks sessions, which inherit this. */
static const int acceptor_calls[] = {
	SCMP_SYS(accept4), SCMP_SYS(close_range), SCMP_SYS(setrlimit),
};

/* ---- what the signer calls -------------------------------------------------------- */

/* Requests and answers, the log that is open, memory, time and chance. */
static const int signer_calls[] = {
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(send), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(close), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigtimedwait_time64), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What a sanitizer calls at any time, and the end of a build that counts coverage. */
static const int checked_calls[] = {
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(access), SCMP_SYS(stat), SCMP_SYS(open), SCMP_SYS(getppid), SCMP_SYS(dup2), SCMP_SYS(ioctl),
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(msync), SCMP_SYS(tgkill), SCMP_SYS(mkdir), SCMP_SYS(umask),
};
/* The same where files are not on the list. */
static const int checked_signer_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(read), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(uname), SCMP_SYS(getuid),
};

/* ---- what no helper calls -------------------------------------------------------- */

static const int helper_not_calls[] = {
	/* Other programs. */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(uselib),
	/* Other processes, and their memory. */
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(kcmp),
	/* Another user, another root, another name space. */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset),
	SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(personality),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(mknod),
	SCMP_SYS(mknodat), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at), SCMP_SYS(quotactl),
	/* The kernel and the machine. */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
	SCMP_SYS(acct), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(syslog), SCMP_SYS(vhangup),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
};
/* A sanitizer looks for leaks by it. */
static const int unchecked_not_calls[] = { SCMP_SYS(ptrace) };
/* clang-format on */

/* ---- libseccomp, for a moment ------------------------------------------------------- */

struct library {
	void *handle;
	__typeof__(seccomp_init) *init;
	__typeof__(seccomp_release) *release;
	__typeof__(seccomp_attr_set) *attr_set;
	__typeof__(seccomp_rule_add_array) *rule_add;
	__typeof__(seccomp_export_bpf) *export_bpf;
};

/* A pointer to a function is not one to an object, but as large. */
static bool
find(const struct library *l, const char *name, void *fn)
{
	void *p = dlsym(l->handle, name);

	memcpy(fn, &p, sizeof(p));
	return p != NULL;
}

static bool
library_open(struct library *l, struct buf *error)
{
	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (l->handle && find(l, "seccomp_init", &l->init) &&
	    find(l, "seccomp_release", &l->release) &&
	    find(l, "seccomp_attr_set", &l->attr_set) &&
	    find(l, "seccomp_rule_add_array", &l->rule_add) &&
	    find(l, "seccomp_export_bpf", &l->export_bpf))
		return true;
	buf_adds(error, dlerror());
	if (l->handle)
		dlclose(l->handle);
	return false;
}

/* ---- the rules ----------------------------------------------------------------------- */

/* Allows CALL where all N of CMP are true; 0 or -errno. */
static int
allow_if(const struct library *l, scmp_filter_ctx ctx, int call,
    const struct scmp_arg_cmp *cmp, unsigned n)
{
	int r = l->rule_add(ctx, SCMP_ACT_ALLOW, call, n, cmp);

	/* This machine does not know it. */
	return r == -EDOM ? 0 : r;
}

/* Allows CALL where its argument ARG, cut to MASK, is VALUE; 0 or -errno. */
static int
add_if(const struct library *l, scmp_filter_ctx ctx, int call, unsigned arg,
    uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp cmp = { .arg = arg, .op = SCMP_CMP_MASKED_EQ,
		.datum_a = mask, .datum_b = value };

	return allow_if(l, ctx, call, &cmp, 1);
}

static int
add_all(const struct library *l, scmp_filter_ctx ctx, uint32_t action,
    const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		r = l->rule_add(ctx, action, calls[i], 0, NULL);
		/* This machine does not know it, or it is what happens anyway. */
		if (r == -EDOM || r == -EOPNOTSUPP)
			r = 0;
	}
	return r;
}

/*
 * Not F_SETOWN: by that a session could have signals sent to others.  F_SETFL
 * only for what waits or not: a tray whose file appends would deceive the next
 * session that has it.
 */
static int
add_fcntl(const struct library *l, scmp_filter_ctx ctx)
{
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_DUPFD,
		F_DUPFD_CLOEXEC, F_GETLK, F_SETLK, F_SETLKW, F_ADD_SEALS, F_GET_SEALS };
	static const int calls[] = { SCMP_SYS(fcntl), SCMP_SYS(fcntl64) };
	/* O_LARGEFILE is 0 to a program for which every file is one, and not to the kernel. */
	const uint64_t others = ~(uint64_t)(O_ACCMODE | O_NONBLOCK | 0100000);
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) * ARRAY_LEN(commands) && r == 0; i++)
		r = add_if(l, ctx, calls[i / ARRAY_LEN(commands)], 1,
		    ~(uint64_t)0, (uint64_t)commands[i % ARRAY_LEN(commands)]);
	for (size_t i = 0; i < ARRAY_LEN(calls) && r == 0; i++) {
		struct scmp_arg_cmp cmp[] = {
			{ .arg = 1, .op = SCMP_CMP_EQ, .datum_a = F_SETFL },
			{ .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = others, .datum_b = 0 },
		};

		r = allow_if(l, ctx, calls[i], cmp, ARRAY_LEN(cmp));
	}
	return r;
}

/*
 * How long a call waits, and nothing else.  SO_LINGER is a property of the socket,
 * not of who set it: handed to a helper as the way to answer, one whose client
 * reads nothing would hold that helper in its close().  And a channel's end is
 * one that all sessions share: a small SO_SNDBUF there would be theirs, too.
 */
static int
add_setsockopt(const struct library *l, scmp_filter_ctx ctx)
{
	/* The numbers of both forms of struct timeval. */
	static const int options[] = { SO_RCVTIMEO_OLD, SO_SNDTIMEO_OLD,
		SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(options) && r == 0; i++) {
		const struct scmp_arg_cmp cmp[] = {
			{ .arg = 1, .op = SCMP_CMP_EQ, .datum_a = SOL_SOCKET },
			{ .arg = 2, .op = SCMP_CMP_EQ, .datum_a = (uint64_t)options[i] },
		};

		r = allow_if(l, ctx, SCMP_SYS(setsockopt), cmp, ARRAY_LEN(cmp));
	}
	return r;
}

/* An acceptor forks siblings and nothing else; they lower their limits and say what they are. */
static int
add_acceptor(const struct library *l, scmp_filter_ctx ctx)
{
	const uint64_t all = ~(uint64_t)0;
	int r = add_all(l, ctx, SCMP_ACT_ALLOW, acceptor_calls, ARRAY_LEN(acceptor_calls));

	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(clone), PROC_SIBLING_ARG, all,
		    PROC_SIBLING_FLAGS);
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(prlimit64), 0, all, 0);
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(prctl), 0, all, PR_SET_NAME);
	return r;
}

/* What may be called with some arguments only. */
static int
add_some(const struct library *l, scmp_filter_ctx ctx, enum confine_role role)
{
	const uint64_t all = ~(uint64_t)0;
	int r = 0;

	if (role != CONFINE_SIGNER)
		r = add_if(l, ctx, SCMP_SYS(socketpair), 0, all, AF_UNIX);
	/* SIGTERM ends a wait for the client by it; the other half would end a channel for all. */
	if (r == 0 && role != CONFINE_SIGNER)
		r = add_if(l, ctx, SCMP_SYS(shutdown), 1, all, SHUT_RD);
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(mmap2), 2, PROT_EXEC, 0);
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	if (r == 0 && role != CONFINE_SIGNER)
		r = add_fcntl(l, ctx);
	if (r == 0 && role != CONFINE_SIGNER)
		r = add_setsockopt(l, ctx);
	/* Never to give one up: who lets go of a tray's lock still has it open. */
	if (r == 0 && role != CONFINE_SIGNER)
		r = add_if(l, ctx, SCMP_SYS(flock), 1, all, LOCK_EX | LOCK_NB);
	if (r == 0 && role == CONFINE_ACCEPTOR)
		return add_acceptor(l, ctx);
	/* panic(); siblings could end each other by it (on_denied()). */
	if (r == 0)
		r = add_if(l, ctx, SCMP_SYS(tgkill), 2, all, SIGABRT);
	return r;
}

static int
add_rules(const struct library *l, scmp_filter_ctx ctx, enum confine_role role,
    uint32_t denied)
{
	int r = 0;

	if (role == CONFINE_HELPER) {
		if (!BUILD_ASAN)
			r = add_all(l, ctx, denied, unchecked_not_calls,
			    ARRAY_LEN(unchecked_not_calls));
		return r < 0 ? r : add_all(l, ctx, denied, helper_not_calls,
			ARRAY_LEN(helper_not_calls));
	}
	if (role == CONFINE_SIGNER)
		r = add_all(l, ctx, SCMP_ACT_ALLOW, signer_calls, ARRAY_LEN(signer_calls));
	else
		r = add_all(l, ctx, SCMP_ACT_ALLOW, session_calls, ARRAY_LEN(session_calls));
	if (r == 0 && (BUILD_ASAN || __gcov_dump))
		r = add_all(l, ctx, SCMP_ACT_ALLOW, checked_calls,
		    ARRAY_LEN(checked_calls));
	if (r == 0 && role == CONFINE_SIGNER && (BUILD_ASAN || __gcov_dump))
		r = add_all(l, ctx, SCMP_ACT_ALLOW, checked_signer_calls,
		    ARRAY_LEN(checked_signer_calls));
	return r < 0 ? r : add_some(l, ctx, role);
}

/* Takes the finished filter out of CTX. */
static int
take_program(const struct library *l, scmp_filter_ctx ctx, struct sock_fprog *p)
{
	int fd = memfd_create("barid-filter", MFD_CLOEXEC), r;
	off_t size;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	r = l->export_bpf(ctx, fd);
	size = r == 0 ? lseek(fd, 0, SEEK_END) : -1;
	if (size > 0 && (size_t)size <= PROGRAM_MAX) {
		p->len = (unsigned short)((size_t)size / sizeof(*p->filter));
		p->filter = mem_alloc((size_t)size);
		n = pread(fd, p->filter, (size_t)size, 0);
	}
	close(fd);
	return r < 0 ? r : n > 0 && n == size ? 0 : -EIO;
}

static int
compile(const struct library *l, enum confine_role role, enum confine_mode mode,
    struct sock_fprog *p)
{
	uint32_t denied = mode == CONFINE_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP;
	scmp_filter_ctx ctx = l->init(role == CONFINE_HELPER ? SCMP_ACT_ALLOW : denied);
	int r;

	if (!ctx)
		return -ENOMEM;
	/* A call by the numbers of another machine. */
	r = l->attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* Each call that is always allowed is one look into a table of the kernel. */
	if (r == 0)
		r = l->attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_rules(l, ctx, role, denied);
	if (r == 0)
		r = take_program(l, ctx, p);
	l->release(ctx);
	return r;
}

/* ---- SIGSYS ---------------------------------------------------------------------------- */

static void
on_denied(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	/* abort() where it must not be: whoever called it has said why. */
	if (info->si_syscall == SYS_tgkill)
		__builtin_trap();
	log_error(NULL, "killed: system call %d is not one that this process may make",
	    info->si_syscall);
	/* Once more, and now the signal has its own effect: on no list is this one. */
	(void)syscall(SYS_reboot, 0, 0, 0, NULL);
	_exit(EX_SOFTWARE);
}

static void
say_which(void)
{
	struct sigaction sa = { .sa_sigaction = on_denied,
		.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGSYS, &sa, NULL);
}

/* ---- filters ----------------------------------------------------------------------------- */

bool
confine_is_lenient(void)
{
	const char *library = getenv("LD_PRELOAD");

	return library != NULL && library[0] != '\0';
}

struct confine *
confine_new(enum confine_role role, enum confine_mode mode, struct buf *error)
{
	struct confine *c = mem_alloc(sizeof(*c));
	struct library l;
	int r;

	if (mode == CONFINE_OFF || confine_is_lenient())
		return c;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		buf_adds(error, "the kernel has no seccomp");
	} else if (library_open(&l, error)) {
		r = compile(&l, role, mode, &c->program);
		dlclose(l.handle);
		c->on = r == 0;
		if (r < 0)
			buf_addf(error, "%s: %s", LIBRARY, strerror(-r));
	}
	if (!c->on) {
		confine_free(c);
		return NULL;
	}
	say_which();
	return c;
}

void
confine_free(struct confine *c)
{
	if (!c)
		return;
	mem_free(c->program.filter);
	mem_free(c);
}

void
confine_calls(const struct confine *c)
{
	if (c->on && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &c->program) < 0)
		fatal(EX_OSERR, "cannot confine this process: seccomp: %s",
		    strerror(errno));
}

void
confine_now(enum confine_role role, enum confine_mode mode)
{
	struct confine *c;
	struct buf error;

	buf_init(&error, 1024);
	c = confine_new(role, mode, &error);
	if (!c)
		fatal(EX_OSERR, "cannot confine this process: sandbox: %s",
		    buf_cstr(&error));
	confine_calls(c);
	confine_free(c);
	buf_free(&error);
}
