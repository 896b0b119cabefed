// SPDX-License-Identifier: GPL-2.0
/*
 * The tracer: attaches to every thread of the subject, tells what each stop
 * shows, and does the next thing in its script at each seccomp event.
 */
#include "oracle.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif

/* struct ptrace_syscall_info as the kernel writes it. */
struct info {
	uint8_t op, pad;
	uint16_t flags;
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct { uint64_t nr, args[6]; } entry;
		struct { int64_t rval; uint8_t is_error; } exit;
		struct { uint64_t nr, args[6]; uint32_t ret_data; } seccomp;
	};
};

static unsigned int script;
static long options;

static int thread_of(pid_t pid)
{
	int k;

	for (k = 0; k < SHM->plan.threads; k++)
		if (SHM->tid[k] == pid)
			return k;
	return 0;
}

/* Returns what kind of stop it is. */
static uint8_t info_log(struct log *l, pid_t pid)
{
	struct info in;
	int i;

	memset(&in, 0, sizeof(in));
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(in), &in) < 0) {
		log_add(l, " info!%d", errno);
		return 0;
	}
	log_add(l, " op%u/%x/%s", in.op, in.arch, ip_name(in.ip));
	if (in.op == 1 || in.op == 3) {
		log_add(l, "/%llx(", (unsigned long long)in.entry.nr);
		for (i = 0; i < 6; i++)
			arg_log(l, ip_name(in.ip), in.entry.args[i]);
		log_add(l, ")");
	}
	if (in.op == 3)
		log_add(l, "d=%x", in.seccomp.ret_data);
	return in.op;
}

/* Entry shows -ENOSYS before anything was decided, or is told from the exit by the kernel. */
static bool is_entry(const call_regs *regs, uint8_t op)
{
#ifdef HAS_COMPAT
	(void)op;
	return (long)REG_RET(regs) == -ENOSYS;
#else
	(void)regs;
	return op == 1;
#endif
}

/* What the script has for this stop; false when the tracee is not to be continued. */
static bool act(pid_t pid, call_regs *regs)
{
	const struct plan *p = &SHM->plan;
	const struct tracer_step *t = &p->tr[script];
	long ret;

	if (script >= p->n_tracer)
		return true;
	script++;
	switch (t->act) {
	case TR_NR:
		REG_NR(regs) = (unsigned long long)t->value;
		break;
	case TR_ARG:
		reg_arg_set(regs, t->arg, (unsigned long long)t->value);
		break;
	case TR_SKIP:
		REG_NR(regs) = -1ULL;
		SKIP_RET_SET(regs, (unsigned long long)t->value);
		break;
	case TR_SKIP_BARE:
		REG_NR(regs) = -1ULL;
		break;
	case TR_DIE:
		log_add(&SHM->tracer_log, " die");
		SHM->tracer_gone = 1;
		_exit(0);
	case TR_KILL:
		kill(SHM->subject, SIGKILL);
		return false;
	case TR_SIGNAL:
		syscall(SYS_tgkill, SHM->subject, pid, SIGUSR1);
		return true;
	case TR_SUSPEND:
	case TR_RESUME:
		options &= ~(long)PTRACE_O_SUSPEND_SECCOMP;
		if (t->act == TR_SUSPEND)
			options |= PTRACE_O_SUSPEND_SECCOMP;
		ret = ptrace(PTRACE_SETOPTIONS, pid, 0, options);
		if (ret)
			log_add(&SHM->tracer_log, " opt!%d", errno);
		return true;
	default:
		return true;
	}
	if (nr_write(pid, regs))
		log_add(&SHM->tracer_log, " set!%d", errno);
	return true;
}

static bool stopped(pid_t pid, int status, int *inject)
{
	const struct plan *p = &SHM->plan;
	struct log *l = &SHM->tracer_log;
	int sig = WSTOPSIG(status), event = status >> 16;
	call_regs regs;
	unsigned long long nr;
	unsigned long msg = 0;
	siginfo_t si;

	*inject = 0;
	memset(&regs, 0, sizeof(regs));
	if (event == PTRACE_EVENT_SECCOMP) {
		ptrace(PTRACE_GETEVENTMSG, pid, 0, &msg);
		regs_read(pid, &regs);
		nr = REG_NR(&regs);
		log_add(l, " ev%d/%lx/o%llx/a%s", thread_of(pid), msg, nr, result_name((long)REG_RET(&regs), ip_name(REG_IP(&regs))));
		info_log(l, pid);
		return act(pid, &regs);
	}
	if (event)	/* our own interrupt */
		return true;
	if (sig == (SIGTRAP | 0x80)) {
		const char *ip;
		uint8_t op;

		regs_read(pid, &regs);
		ip = ip_name(REG_IP(&regs));
		nr = REG_NR(&regs);
		if (ip[0] != 'P' && ip[0] != 'Q')
			return true;
		/* An i386 seccomp() returns a thread's id when that one is in the way of TSYNC; the subject names it. */
		log_add(l, " sy%d/o%llx/a%s", thread_of(pid), nr,
			nr == 354 && (long)REG_RET(&regs) > 0 ? "+" : value_name((long)REG_RET(&regs)));
		op = info_log(l, pid);
		/* The exit stop is left alone. */
		if (!p->tr_event && (script & 1) == 0 && is_entry(&regs, op))
			return act(pid, &regs);
		return true;
	}
	memset(&si, 0, sizeof(si));
	ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
	if (sig == SIGTRAP) {
		if (BREAK_SIZE) {
			regs_read(pid, &regs);
			REG_IP(&regs) += BREAK_SIZE;
			regs_write(pid, &regs);
		}
		options ^= PTRACE_O_SUSPEND_SECCOMP;
		if (ptrace(PTRACE_SETOPTIONS, pid, 0, options))
			log_add(l, " opt!%d", errno);
		log_add(l, " brk");
		return true;
	}
	log_add(l, " st%d[", thread_of(pid));
	siginfo_log(l, &si);
	log_add(l, "]");
	*inject = sig;
	if (p->tr_eat && (sig == SIGSYS || sig == SIGUSR1)) {
		*inject = 0;
		if (sig == SIGUSR1)
			SHM->usr1_count++;
	}
	return true;
}

void tracer_main(void)
{
	const struct plan *p = &SHM->plan;
	struct log *l = &SHM->tracer_log;
	int status, inject, k;
	pid_t pid;

	signal(SIGCHLD, SIG_DFL);
	for (;;) {
		int now = SHM->ready;

		if (now == p->threads)
			break;
		futex_wait(&SHM->ready, now);
	}
	options = PTRACE_O_TRACESYSGOOD;
	if (p->tr_event)
		options |= PTRACE_O_TRACESECCOMP;
	if (p->tr_exitkill)
		options |= PTRACE_O_EXITKILL;
	if (p->tr_suspend)
		options |= PTRACE_O_SUSPEND_SECCOMP;
	for (k = 0; k < p->threads; k++) {
		if (ptrace(PTRACE_SEIZE, SHM->tid[k], 0, options)) {
			log_add(l, " seize!%d", errno);
			SHM->tracer_gone = 1;
		}
	}
	if (p->tr_syscall) {
		if (ptrace(PTRACE_INTERRUPT, SHM->tid[0], 0, 0))
			log_add(l, " int!%d", errno);
		if (waitpid(SHM->tid[0], &status, __WALL) < 0)
			log_add(l, " wait!%d", errno);
		ptrace(PTRACE_SYSCALL, SHM->tid[0], 0, 0);
	}
	SHM->tracer_ready = 1;
	futex_wake(&SHM->tracer_ready);
	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			_exit(0);
		if (!WIFSTOPPED(status)) {
			/* Threads of a process that dies are reaped in any order, so each has its own log. */
			log_add(&SHM->tracer_exit[thread_of(pid)], " x%x", status);
			continue;
		}
		if (stopped(pid, status, &inject))
			ptrace(p->tr_syscall ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, inject);
	}
}
