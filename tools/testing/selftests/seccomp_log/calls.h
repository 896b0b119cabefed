/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who makes a call, what of it is to be logged, and whether it was: for the
 * tests that compare records, on top of the harness.
 */
#ifndef SECCOMP_LOG_CALLS_H
#define SECCOMP_LOG_CALLS_H

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "seccomp_log.h"

/* In the low half of each filter's return value. No record may show it. */
#define RET_DATA	13

/* The exit status of a child that could not prepare its call. */
#define NOT_READY	97
/* log_compat's where the kernel has no vDSO for it. */
#define NO_VDSO		3

#define TRACED_NR	OTHER_NR
#define KILLED_SLOWLY	300	/* seconds for a test with many children, on a debug kernel */

struct action {
	const char *name;
	unsigned int ret;
	int bit;		/* in a mask, or -1 for never */
	bool on_request;	/* wants SECCOMP_FILTER_FLAG_LOG */
	bool kills;
};

static const struct action actions[] = {
	{ "log",	  SECCOMP_RET_LOG,	    LOGS_LOG },
	{ "errno",	  SECCOMP_RET_ERRNO,	    LOGS_ERRNO,		.on_request = true },
	{ "trap",	  SECCOMP_RET_TRAP,	    LOGS_TRAP,		.on_request = true },
	{ "trace",	  SECCOMP_RET_TRACE,	    LOGS_TRACE,		.on_request = true },
	{ "user_notif",	  SECCOMP_RET_USER_NOTIF,   LOGS_USER_NOTIF,	.on_request = true },
	{ "allow",	  SECCOMP_RET_ALLOW,	    -1 },
	{ "kill_process", SECCOMP_RET_KILL_PROCESS, LOGS_KILL_PROCESS,	.kills = true },
	{ "kill_thread",  SECCOMP_RET_KILL_THREAD,  LOGS_KILL_THREAD,	.kills = true },
	/* Values without a name: below TRAP, below ALLOW, negative. */
	{ "0x00010000",	  0x00010000,		    LOGS_KILL_PROCESS,	.kills = true },
	{ "0x7ffd0000",	  0x7ffd0000,		    LOGS_KILL_PROCESS,	.kills = true },
	{ "0x80010000",	  0x80010000,		    LOGS_KILL_PROCESS,	.kills = true },
	{ "0xffff0000",	  0xffff0000,		    LOGS_KILL_PROCESS,	.kills = true },
};

static inline bool is_logged(const struct action *action, unsigned int flags, unsigned int mask)
{
	return action->bit >= 0 && mask & 1U << action->bit &&
	       (!action->on_request || flags & SECCOMP_FILTER_FLAG_LOG);
}

/* Who makes a call, and what its record says of that. */
struct caller {
	const char *name;
	unsigned int arch;
	unsigned int nr;	/* as filters and records have it */
	long (*call)(unsigned long nr);
	unsigned long arg;	/* the register's content */
	const char *ip;
	const char *program;	/* how log_compat calls, where that is the caller */
};

static const struct caller native = {
	.name = "64-bit", .arch = NATIVE_ARCH, .nr = __NR_getppid,
	.call = native_call, .arg = __NR_getppid, .ip = native_call_ip,
};

/* The upper half of the register is no part of the number. */
static const struct caller wide = {
	.name = "wide", .arch = NATIVE_ARCH, .nr = __NR_getppid,
	.call = native_call, .arg = 0xa5a5a5a500000000 | __NR_getppid, .ip = native_call_ip,
};

static const struct caller minus_one = {
	.name = "-1", .arch = NATIVE_ARCH, .nr = NR_SEEN(-1),
	.call = native_call, .arg = -1, .ip = native_call_ip,
};

/*
 * Reaches seccomp whether or not the kernel has the x32 ABI; elsewhere no call's
 * number, or on s390x that without the bit.
 */
static const struct caller x32 = {
	.name = "x32", .arch = NATIVE_ARCH, .nr = NR_SEEN(X32_BIT | __NR_getppid),
	.call = native_call, .arg = X32_BIT | __NR_getppid, .ip = native_call_ip,
};

/* Of use where has_int80 is set. */
static const struct caller int80 = {
	.name = "int80", .nr = NR_COMPAT_GETPPID,
#ifdef HAS_INT80
	.arch = COMPAT_ARCH,
#endif
	.call = int80_call, .arg = NR_COMPAT_GETPPID, .ip = int80_call_ip,
};

#ifdef COMPAT_ARCH
/* A 32-bit program, by the instruction for a call ... */
static const struct caller compat_direct = {
	.name = "32-bit direct", .arch = COMPAT_ARCH, .nr = NR_COMPAT_GETPPID,
	.program = "direct",
};
#endif

#ifdef HAS_INT80
/* ... and as the vDSO makes it. */
static const struct caller compat_vdso = {
	.name = "32-bit vdso", .arch = COMPAT_ARCH, .nr = NR_COMPAT_GETPPID,
	.program = "vdso",
};
#endif

static inline bool is_compat(const struct caller *caller)
{
	return caller->arch != NATIVE_ARCH;
}

/* Filled in by children as well. */
struct shared {
	long ret;		/* what the call returned ... */
	int returned;		/* ... if it did */
	int sigsys;		/* how many SIGSYS were handled, and the last */
	int sig_errno;
	int sig_nr;
	unsigned int sig_arch;
	void *sig_addr;
};

static struct shared *shared;

/* The kernel of this run. */
static bool has_x32;
static bool has_int80;	/* this program can make 32-bit calls */

static inline void on_sigsys(int sig, siginfo_t *info, void *context)
{
	shared->sigsys++;
	shared->sig_errno = info->si_errno;
	shared->sig_nr = info->si_syscall;
	shared->sig_arch = info->si_arch;
	shared->sig_addr = info->si_call_addr;
}

struct state {
	struct saved saved;
	struct audit_reader reader;
	char dir[PATH_MAX];		/* where this program and its helper are */
	char mine[PATH_MAX + 8];	/* in the records of both */
};

static inline bool int80_works(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(int80_call(NR_COMPAT_GETPPID) != getppid());
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Whether 32-bit programs run: log_compat, in directory @dir, is one. */
static inline bool compat_works(const char *dir)
{
	char helper[PATH_MAX + 16];
	pid_t pid = fork();
	int status;

	if (!pid) {
		snprintf(helper, sizeof(helper), "%s/log_compat", dir);
		execl(helper, "log_compat", "none", "0", NULL);
		_exit(NOT_READY);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Whatever the tests with and without audit need alike. */
static inline void set_up_calls(struct __test_metadata *_metadata, struct state *state)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	struct rlimit none = { };
	ssize_t len;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &none));
	ASSERT_EQ(0, sigaction(SIGSYS, &action, NULL));
	has_x32 = NR_SEEN(X32_BIT) && native_call(X32_BIT | __NR_getppid) == getppid();
	has_int80 = int80_works();
	len = readlink("/proc/self/exe", state->dir, sizeof(state->dir) - 1);
	ASSERT_LT(0, len);
	*strrchr(state->dir, '/') = '\0';
	snprintf(state->mine, sizeof(state->mine), "exe=\"%s/", state->dir);
}

static inline void set_up(struct __test_metadata *_metadata, struct state *state)
{
	if (geteuid())
		SKIP(return, "the tests need root");
	ASSERT_EQ(0, save_settings(&state->saved));
	if (!state->saved.have_audit)
		SKIP(return, "audit cannot be used: no CONFIG_AUDIT, or booted with audit=0");
	set_up_calls(_metadata, state);
	ASSERT_EQ(0, audit_open(&state->reader));
	ASSERT_EQ(0, set_mask(FULL_MASK));
}

/* Fills in a record of @caller's call made by this process. */
static inline void expect_call(struct expected *e, const struct caller *caller, long sig,
			unsigned int code)
{
	expect_self(e);
	e->sig = sig;
	e->arch = caller->arch;
	e->syscall = (int)caller->nr;
	e->compat = is_compat(caller) || (caller == &x32 && has_x32);
	e->ip = (unsigned long)caller->ip;
	e->code = code;
}

/* All records since the last look are these, each once, in any order. */
static inline void expect_records(struct __test_metadata *_metadata, struct state *state,
			   const struct expected *list, int count, const char *what)
{
	struct records got;
	char text[3 * PATH_MAX];
	int i, j;

	ASSERT_EQ(0, collect(&state->reader, AUDIT_SECCOMP, state->mine, &got));
	EXPECT_EQ(count, got.count) {
		TH_LOG("%s", what);
	}
	if (got.count > (int)ARRAY_SIZE(got.text))
		got.count = ARRAY_SIZE(got.text);
	for (i = 0; i < count; i++) {
		expected_text(list + i, text, sizeof(text));
		for (j = 0; j < got.count; j++)
			if (!strcmp(text, got.text[j]))
				break;
		EXPECT_GT(got.count, j) {
			TH_LOG("%s: no record is \"%s\"", what, text);
		}
		if (j < got.count)
			got.text[j][0] = '\0';
	}
	for (j = 0; j < got.count; j++) {
		EXPECT_EQ(0, got.text[j][0]) {
			TH_LOG("%s: unexpected \"%s\"", what, got.text[j]);
		}
	}
}

static inline long make_call(const struct caller *caller)
{
	memset(shared, 0, sizeof(*shared));
	shared->ret = caller->call(caller->arg);
	shared->returned = 1;
	return shared->ret;
}

/* What the call returned to the caller fits the action that a filter gave it. */
static inline void expect_effect(struct __test_metadata *_metadata, const struct caller *caller,
			  unsigned int action, pid_t parent)
{
	EXPECT_EQ(1, shared->returned) {
		TH_LOG("%s, action 0x%x", caller->name, action);
	}
	EXPECT_EQ(action == SECCOMP_RET_TRAP, shared->sigsys) {
		TH_LOG("%s, action 0x%x", caller->name, action);
	}
	switch (action) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		if (caller == &minus_one || (caller == &x32 && !has_x32 && NR_SEEN(X32_BIT)))
			parent = -ENOSYS;
		EXPECT_EQ(parent, shared->ret);
		break;
	case SECCOMP_RET_ERRNO:
		EXPECT_EQ(-RET_DATA, shared->ret);
		break;
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		/* Nobody traces, nobody listens. */
		EXPECT_EQ(-ENOSYS, shared->ret);
		break;
	case SECCOMP_RET_TRAP:
		EXPECT_EQ(TRAPPED(caller->arg), shared->ret);
		EXPECT_EQ(RET_DATA, shared->sig_errno);
		EXPECT_EQ((int)caller->nr, shared->sig_nr);
		EXPECT_EQ(caller->arch, shared->sig_arch);
		EXPECT_EQ((void *)caller->ip, shared->sig_addr);
		break;
	}
}

/* Follows a child that has asked to be traced and stopped, to where filters stop it. */
static inline void trace_child(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, ptrace(PTRACE_SETOPTIONS, pid, NULL,
			    PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
}

/* Waits until a filter stops it, and reads its call. */
static inline void seccomp_stop(struct __test_metadata *_metadata, pid_t pid,
				struct stopped_call *call)
{
	int status;

	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_SECCOMP << 8, status >> 8);
	ASSERT_EQ(0, read_call(pid, call));
}

#endif
