// SPDX-License-Identifier: GPL-2.0
/*
 * The subject: installs the filters, makes the calls, tells what it got.
 *
 * From the first filter on it calls the kernel through infra() and the probes
 * alone, so that every call it makes is known and at a label. A thread hands
 * its turn on through a futex that the kernel clears when the thread dies.
 */
#include "oracle.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define COMPAT_SECCOMP 354

static bool in_fork;
static int handled;
/* Not in the shared pages: a forked child needs a stack of its own. */
static char stacks[MAX_THREADS][32768] __attribute__((aligned(64)));

static struct log *my_log(void)
{
	return in_fork ? &SHM->forked_log : &SHM->subject_log[SHM->running];
}

static void leave(void)
{
	if (SHM->running) {
		infra(SYS_exit, 0);
		infra(SYS_exit_group, 0);
	} else {
		infra(SYS_exit_group, 0);
		infra(SYS_exit, 0);
	}
	/* A filter does not let us go. */
	ILLEGAL();
}

static void on_sys(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	const char *ip = ip_name(CONTEXT_IP(uc));
	struct log *l = my_log();

	/* A filter may trap the handler's own way back. */
	if (++handled > 40)
		ILLEGAL();
	log_add(l, " h%d[", sig);
	siginfo_log(l, si);
	log_add(l, " ax=%s ip=%s]", result_name((long)CONTEXT_RET(uc), ip), ip);
	if (SHM->plan.disp == SYS_SET_AX)
		CONTEXT_RET(uc) = SHM->plan.ax_value;
	HANDLER_RETURN(si);
}

static void on_usr1(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	const char *ip = ip_name(CONTEXT_IP(uc));

	if (++handled > 40)
		ILLEGAL();
	log_add(my_log(), " h%d[code=%d ax=%s ip=%s]", sig, si->si_code,
		result_name((long)CONTEXT_RET(uc), ip), ip);
	SHM->usr1_count++;
	HANDLER_RETURN(si);
}

static void action_set(int sig, void *handler, unsigned long flags)
{
	struct kernel_sigaction a = KERNEL_SIGACTION(handler, flags);

	infra(SYS_rt_sigaction, sig, &a, NULL, 8);
}

static void probe_run(unsigned int x)
{
	const struct probe *p = &SHM->plan.probe[x];
	struct call c = { .nr = p->nr };
	struct log *l = my_log();
	unsigned int i;
	long ret;

	memcpy(c.args, p->args, sizeof(c.args));
	memcpy(c.after, p->args, sizeof(c.args));
	switch (p->abi) {
	case ABI_32:
		ret = call32(&c);
		break;
	case ABI_VSYSCALL:
		c.nr = 0xffffffffff600000UL + 0x400 * p->args[0];
		c.args[0] = c.after[0] = 0;
		ret = callvsys(&c);
		break;
	default:
		ret = call64(&c);
	}
	log_add(l, " p%u", x);
	errno_log(l, "", ret);
	for (i = 0; i < 6; i++)
		if (c.after[i] != c.args[i])
			log_add(l, "!%u=%llx", i, (unsigned long long)c.after[i]);
}

static void install(unsigned int x)
{
	const struct filter *f = &SHM->plan.filter[x];
	struct log *l = my_log();
	unsigned int len = filter_build(&SHM->plan, f, SHM->insn[x]), i;
	struct call c = { .nr = COMPAT_SECCOMP };
	long ret;

	SHM->prog[x].len = len;
	SHM->prog[x].filter = SHM->insn[x];
	SHM->prog32[x].len = len;
	SHM->prog32[x].filter = (uint32_t)(uint64_t)SHM->insn[x];
	if (f->compat) {
		c.args[0] = SECCOMP_SET_MODE_FILTER;
		c.args[1] = f->flags;
		c.args[2] = (uint64_t)&SHM->prog32[x];
		ret = call32(&c);
	} else {
		ret = infra(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &SHM->prog[x]);
	}
	if (ret >= 0 && (f->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) && SHM->listener_fd < 0)
		SHM->listener_fd = (int)ret;
	log_add(l, " +%u", x);
	for (i = 0; ret > 0 && i < SHM->plan.threads; i++) {
		if (ret == SHM->tid[i] && (f->flags & SECCOMP_FILTER_FLAG_TSYNC) &&
		    !(f->flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH)) {
			log_add(l, "=TID%u", i);
			return;
		}
	}
	errno_log(l, "", ret);
}

static void fork_probe(unsigned int x)
{
	struct log *l = my_log();
	int status = -1;
	long pid = infra(SYS_clone, CLONE_ARGS(SIGCHLD, 0L), 0, 0, 0), ret;

	if (pid == 0) {
		in_fork = true;
		probe_run(x);
		infra(SYS_exit_group, 9);
		ILLEGAL();
	}
	if (pid < 0) {
		errno_log(l, " fork", pid);
		return;
	}
	SHM->forked = (pid_t)pid;
	do {
		ret = infra(SYS_wait4, pid, &status, __WALL, 0);
	} while (ret == -EINTR);
	log_add(l, " fork%s", ret == pid ? "" : "!");
	log_add(l, "=%x", status);
}

static void step_run(const struct step *s)
{
	struct log *l = my_log();
	uint32_t value = s->value;
	struct seccomp_notif_sizes sizes = { 0 };
	long ret;

	switch (s->kind) {
	case STEP_INSTALL:
		install(s->x);
		break;
	case STEP_PROBE:
		probe_run(s->x);
		break;
	case STEP_FORK:
		fork_probe(s->x);
		break;
	case STEP_BREAK:
		BREAK();
		log_add(l, " brk");
		break;
	case STEP_AVAIL:
		ret = infra(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &value);
		log_add(l, " av%x", value);
		errno_log(l, "", ret);
		break;
	case STEP_OP:
		ret = infra(SYS_seccomp, s->x, value, s->x == SECCOMP_GET_NOTIF_SIZES ? &sizes : NULL);
		log_add(l, " op%u", s->x);
		errno_log(l, "", ret);
		log_add(l, "/%u/%u/%u", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
		break;
	case STEP_STRICT:
		if (value & 1)
			ret = infra(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		else
			ret = infra(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
		errno_log(l, " strict", ret);
		if (value & 2 || ret)
			probe_run(s->x);
		infra(SYS_exit, 3);
		leave();
		break;
	case STEP_EXIT:
		leave();
		break;
	default:
		break;
	}
}

static void fds_log(void)
{
	struct log *l = my_log();
	int fd;

	log_add(l, " fds=");
	for (fd = 3; fd < 28; fd++)
		if ((fd < 9 || fd > 23) && infra(SYS_fcntl, fd, 1 /* F_GETFD */, 0) >= 0)
			log_add(l, "%d,", fd);
}

static void thread_main(long k)
{
	__atomic_add_fetch(&SHM->ready, 1, __ATOMIC_SEQ_CST);
	futex_wake(&SHM->ready);
	for (;;) {
		int turn;

		while ((turn = SHM->turn[k]) != TURN_GO)
			infra(SYS_futex, &SHM->turn[k], 0 /* FUTEX_WAIT */, turn, 0, 0);
		step_run(&SHM->current[k]);
		__atomic_store_n(&SHM->turn[k], TURN_IDLE, __ATOMIC_SEQ_CST);
		infra(SYS_futex, &SHM->turn[k], 1 /* FUTEX_WAKE */, 0x7fffffff, 0, 0);
	}
}

static void threads_start(unsigned int n)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
				    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	unsigned int k;

	for (k = 1; k < n; k++) {
		uint64_t *top = (uint64_t *)(stacks[k] + sizeof(stacks[k]));

		*--top = (uint64_t)thread_main;
		*--top = k;
		spawn(flags, top, (int *)&SHM->tid[k], (int *)&SHM->turn[k]);
	}
}

void subject_main(void)
{
	const struct plan *p = &SHM->plan;
	struct rlimit core = { p->core && core_ok ? RLIM_INFINITY : 0, RLIM_INFINITY };
	bool all = p->n_filters && p->filter[p->n_filters - 1].shape == SHAPE_ALL;
	uint64_t mask = 0;
	unsigned int i;

	/* Made in a clone that glibc knows nothing of: only raw calls from here. */
	infra(SYS_prlimit64, 0, RLIMIT_CORE, &core, NULL);
	action_set(SIGCHLD, SIG_DFL, 0);
	action_set(SIGALRM, SIG_DFL, 0);
	/* Not blocked in its own handler: the listener may be asked about that one's return. */
	action_set(SIGUSR1, on_usr1, SA_NODEFER | (p->usr1_restart ? SA_RESTART : 0));
	action_set(SIGSYS, p->disp == SYS_DFL ? (void *)SIG_DFL : p->disp == SYS_IGN ? (void *)SIG_IGN : (void *)on_sys, 0);
	SHM->tid[0] = (pid_t)infra(SYS_gettid);
	if (p->sys_blocked)
		mask |= 1ULL << (SIGSYS - 1);
	if (p->usr1_pending)
		mask |= 1ULL << (SIGUSR1 - 1);
	infra(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	if (p->usr1_pending) {
		infra(SYS_tgkill, SHM->tid[0], SHM->tid[0], SIGUSR1);
		if (p->sys_blocked)
			infra(SYS_tgkill, SHM->tid[0], SHM->tid[0], SIGSYS);
	}
	if (p->drop_uid)
		infra(SYS_setresuid, 65534, 65534, 65534);
	if (p->nnp)
		infra(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	threads_start(p->threads);
	if (p->threads > 1)
		infra(SYS_set_tid_address, &SHM->turn[0]);
	SHM->subject = SHM->tid[0];
	if (p->tracer) {
		/* The tracer comes when all threads are there. */
		__atomic_add_fetch(&SHM->ready, 1, __ATOMIC_SEQ_CST);
		futex_wake(&SHM->ready);
		while (!SHM->tracer_ready)
			futex_wait(&SHM->tracer_ready, 0);
		__atomic_sub_fetch(&SHM->ready, 1, __ATOMIC_SEQ_CST);
	}
	if (p->threads > 1)
		thread_main(0);
	__atomic_add_fetch(&SHM->ready, 1, __ATOMIC_SEQ_CST);
	futex_wake(&SHM->ready);
	for (i = 0; i < p->n_steps; i++)
		step_run(&p->step[i]);
	if (!all && !p->listener)
		fds_log();
	leave();
	for (;;)
		;
}
