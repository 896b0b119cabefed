// SPDX-License-Identifier: GPL-2.0
/*
 * Does seccomp write the audit records that it promises, those and no others?
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "seccomp_log.h"

#define RET_DATA	13	/* in the low half of each filter's return value */

/* Who makes a call, and so what its record says of it. */
struct caller {
	const char *name;
	unsigned int arch;
	unsigned int nr;	/* as the filter and the record have it */
	int compat;
	long (*call)(unsigned long nr);
	unsigned long arg;	/* what goes to the register */
	const char *ip;
};

static const struct caller native = {
	.name = "64-bit", .arch = AUDIT_ARCH_X86_64, .nr = __NR_getppid,
	.call = native_call, .arg = __NR_getppid, .ip = native_call_ip,
};

/* State shared with the children of a test. */
struct shared {
	long ret;		/* what the call returned */
	int called;		/* that it returned at all */
	int sigsys;		/* SIGSYS handlers run */
	int sig_errno;		/* si_errno of the last */
	int sig_nr;
	unsigned int sig_arch;
	void *sig_addr;
};

static struct shared *shared;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	shared->sigsys++;
	shared->sig_errno = info->si_errno;
	shared->sig_nr = info->si_syscall;
	shared->sig_arch = info->si_arch;
	shared->sig_addr = info->si_call_addr;
}

FIXTURE(log)
{
	struct saved saved;
	struct audit_reader reader;
	char exe[PATH_MAX + 8];	/* exe="..." of this program */
};

FIXTURE_SETUP(log)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	struct rlimit none = { };
	char path[PATH_MAX] = "";
	ssize_t len;

	if (geteuid())
		SKIP(return, "the tests need root");
	ASSERT_EQ(0, save_settings(&self->saved));
	if (!self->saved.have_audit)
		SKIP(return, "audit cannot be used: no CONFIG_AUDIT, or booted with audit=0");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &none));
	ASSERT_EQ(0, sigaction(SIGSYS, &action, NULL));
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	ASSERT_LT(0, len);
	snprintf(self->exe, sizeof(self->exe), "exe=\"%s\"", path);
	ASSERT_EQ(0, audit_open(&self->reader));
	ASSERT_EQ(0, set_mask(FULL_MASK));
}

FIXTURE_TEARDOWN_PARENT(log)
{
	EXPECT_EQ(0, restore_settings(&self->saved));
}

/* Exactly these records, in any order of @count at most 8. */
#define EXPECT_RECORDS(reader_, with_, list_, count_) do {			\
	const struct expected *list__ = (list_);				\
	int count__ = (count_), i__, j__;					\
	struct records got__;							\
	char text__[3 * PATH_MAX];						\
										\
	ASSERT_EQ(0, collect((reader_), AUDIT_SECCOMP, (with_), &got__));	\
	EXPECT_EQ(count__, got__.count);					\
	for (i__ = 0; i__ < count__ && got__.count == count__; i__++) {		\
		expected_text(list__ + i__, text__, sizeof(text__));		\
		for (j__ = 0; j__ < count__; j__++)				\
			if (!strcmp(text__, got__.text[j__]))			\
				break;						\
		if (j__ < count__)						\
			got__.text[j__][0] = '\0';				\
		else								\
			EXPECT_STREQ(text__, got__.text[i__]);			\
	}									\
} while (0)

static void expect_call(struct expected *e, const struct caller *caller, long sig,
			unsigned int code)
{
	expect_self(e);
	e->sig = sig;
	e->arch = caller->arch;
	e->syscall = (int)caller->nr;
	e->compat = caller->compat;
	e->ip = (unsigned long)caller->ip;
	e->code = code;
}

static long make_call(const struct caller *caller)
{
	memset(shared, 0, sizeof(*shared));
	shared->ret = caller->call(caller->arg);
	shared->called = 1;
	return shared->ret;
}

TEST_F(log, ret_log)
{
	struct expected e;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG | RET_DATA, 0));
	EXPECT_EQ(getppid(), make_call(&native));
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	/* One for getppid() above, from the C library's own address. */
	{
		struct records got;
		char text[3 * PATH_MAX];

		ASSERT_EQ(0, collect(&self->reader, AUDIT_SECCOMP, self->exe, &got));
		ASSERT_EQ(2, got.count);
		expected_text(&e, text, sizeof(text));
		EXPECT_STREQ(text, got.text[1]);
	}
}

SECCOMP_LOG_MAIN
