// SPDX-License-Identifier: GPL-2.0
/*
 * Cases out of random numbers: what a case does is decided here, before it
 * runs, and by the seed and the case's number alone.
 */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define X32_BIT 0x40000000U
#ifdef HAS_COMPAT
#define OTHER_ABI ABI_32
#else
#define OTHER_ABI ABI_64
#endif

enum arg_kind { A_NONE, A_MEM, A_PIPE, A_DATA, A_OUT, A_LEN, A_OFF, A_NEWFD, A_MASK, A_CODE, A_ONES };

/*
 * Calls with an effect that can be seen and that harm nobody. A tracer may
 * turn one into another and leave the arguments, so a first argument is a
 * descriptor made for it, a number above every descriptor, or a pointer.
 */
static const struct {
	const char *name;
	int nr64, nr32;
	unsigned char arg[3];
} pool[] = {
	{ "write", SYS_write, 4, { A_PIPE, A_DATA, A_LEN } },
	{ "write", SYS_write, 4, { A_PIPE, A_DATA, A_LEN } },
	{ "lseek", SYS_lseek, 19, { A_MEM, A_OFF, A_NONE } },
	{ "ftruncate", SYS_ftruncate, 93, { A_MEM, A_OFF, A_NONE } },
	{ "read", SYS_read, 3, { A_MEM, A_OUT, A_LEN } },
	{ "dup", SYS_dup, 41, { A_MEM, A_NONE, A_NONE } },
	{ "dup2", NR_DUP2, 63, { A_MEM, A_NEWFD, A_NONE } },
	{ "close", SYS_close, 6, { A_NEWFD, A_NONE, A_NONE } },
	{ "umask", SYS_umask, 60, { A_MASK, A_NONE, A_NONE } },
	{ "getuid", SYS_getuid, 199, { A_CODE, A_CODE, A_CODE } },
	{ "uname", SYS_uname, 122, { A_OUT, A_NONE, A_NONE } },
	{ "personality", SYS_personality, 136, { A_ONES, A_NONE, A_NONE } },
#ifdef SYS_poll
	/* It waits for no time at all, and a signal that is pending interrupts it all the same. */
	{ "poll", SYS_poll, 168, { A_OUT, A_NONE, A_NONE } },
#endif
	{ "sched_yield", SYS_sched_yield, 158, { A_CODE, A_NONE, A_NONE } },
	{ "exit_group", SYS_exit_group, 252, { A_CODE, A_NONE, A_NONE } },
	{ "exit", SYS_exit, 1, { A_CODE, A_NONE, A_NONE } },
};

/*
 * Numbers without a call, or at an edge of the tables and of the sign; and the
 * two of uprobes, which no filter is asked about.
 */
static const uint32_t odd_nr[] = {
	0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff, 0x3fffffff, X32_BIT, X32_BIT | 512, X32_BIT | 600,
	335, 336, 467, 472, 473, 474, 475, 511, 512, 547, 548, 999, 1023, 1024, 65535,
};

static const uint32_t actions[] = {
	SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
	SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW,
};

static uint64_t arg_make(struct rng *r, unsigned char kind)
{
	switch (kind) {
	case A_MEM:
		return FD_MEM;
	case A_PIPE:
		return FD_PIPE;
	case A_DATA:
		return (uint64_t)&SHM->data[64 + rng_below(r, 64)];
	case A_OUT:
		return (uint64_t)&SHM->out[0];
	case A_LEN:
		return 64 + rng_below(r, 32);
	case A_OFF:
		/* A high half now and then: a filter that looks only at the low one differs. */
		return (100 + rng_below(r, 1000)) | (rng_one_in(r, 4) ? (uint64_t)rng_below(r, 3) << 32 : 0);
	case A_NEWFD:
		return 24 + rng_below(r, 4);
	case A_MASK:
		return 64 + rng_below(r, 448);
	case A_CODE:
		return 64 + rng_below(r, 64);
	case A_ONES:
		return 0xffffffff;
	default:
		return 0;
	}
}

uint32_t random_nr(struct rng *r, enum abi abi)
{
	unsigned int i;

	if (rng_one_in(r, 3))
		return odd_nr[rng_below(r, ARRAY_SIZE(odd_nr))];
	i = rng_below(r, ARRAY_SIZE(pool));
	if (abi == ABI_32)
		return pool[i].nr32;
	return pool[i].nr64 | (rng_one_in(r, 12) ? X32_BIT : 0);
}

static void probe_make(struct rng *r, struct probe *p)
{
	static const uint32_t vsys[3] = { 96, 201, 309 };
	/* The two that end the subject are last in the pool and rarer. */
	unsigned int n = ARRAY_SIZE(pool) - (rng_one_in(r, 8) ? 0 : 2), i = rng_below(r, n), a;

	memset(p, 0, sizeof(*p));
	p->abi = rng_below(r, 4) == 0 ? OTHER_ABI : ABI_64;
	p->name = pool[i].name;
	p->nr = p->abi == ABI_32 ? pool[i].nr32 : pool[i].nr64;
	for (a = 0; a < 3; a++)
		p->args[a] = arg_make(r, pool[i].arg[a]);
	/* The rest of the registers hold something that a filter and a listener can see. */
	for (a = 3; a < 6; a++)
		p->args[a] = rng_below(r, 4) ? rng_below(r, 256) : rng_next(r);
	if (rng_one_in(r, 16) && OTHER_ABI == ABI_32) {
		p->abi = ABI_VSYSCALL;
		p->name = "vsyscall";
		i = rng_below(r, 3);
		p->nr = vsys[i];
		memset(p->args, 0, sizeof(p->args));
		p->args[0] = i;
		return;
	}
	if (rng_one_in(r, 9)) {
		p->name = "odd";
		p->nr = odd_nr[rng_below(r, ARRAY_SIZE(odd_nr))];
	} else if (p->abi == ABI_64 && rng_one_in(r, 10)) {
		p->name = "x32";
		p->nr |= X32_BIT;
	}
	/* What an i386 call can pass. */
	if (p->abi == ABI_32)
		for (a = 0; a < 6; a++)
			p->args[a] = (uint32_t)p->args[a];
}

static uint32_t data_make(struct rng *r)
{
	static const uint16_t edge[] = { 0, 1, 2, 4, 13, 38, 133, 4094, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff };

	return rng_one_in(r, 3) ? rng_below(r, 0x10000) : edge[rng_below(r, ARRAY_SIZE(edge))];
}

static uint32_t ret_make(struct rng *r, bool tracer, bool listener)
{
	unsigned int w = rng_below(r, 24);
	uint32_t action;

	if (w < 3)
		action = SECCOMP_RET_ALLOW;
	else if (w < 7)
		action = SECCOMP_RET_LOG;
	else if (w < 10)
		action = SECCOMP_RET_ERRNO;
	else if (w < 13)
		action = SECCOMP_RET_TRACE;
	else if (w < 15)
		action = SECCOMP_RET_USER_NOTIF;
	else if (w < 17)
		action = SECCOMP_RET_TRAP;
	else if (w < 18)
		action = SECCOMP_RET_KILL_THREAD;
	else if (w < 19)
		action = SECCOMP_RET_KILL_PROCESS;
	else if (w < 20)
		action = (uint32_t)rng_next(r) & SECCOMP_RET_ACTION_FULL;
	else if (w < 21)	/* a known action with a neighbouring bit set: unknown */
		action = actions[rng_below(r, 8)] ^ (0x10000U << rng_below(r, 15));
	else
		action = tracer ? SECCOMP_RET_TRACE : listener ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO;
	return action | data_make(r);
}

static void filter_make(struct rng *r, struct plan *p, struct filter *f, bool last)
{
	static const unsigned char shapes[] = {
		SHAPE_NR, SHAPE_NR, SHAPE_NR, SHAPE_NR, SHAPE_ARCH_NR, SHAPE_ARCH_NR, SHAPE_ARG, SHAPE_ARG,
		SHAPE_ARG_HI, SHAPE_IP, SHAPE_TWO, SHAPE_ALU, SHAPE_BIT, SHAPE_REST,
	};
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	const struct probe *probe;

	memset(f, 0, sizeof(*f));
	f->shape = shapes[rng_below(r, ARRAY_SIZE(shapes))];
	/* The subject cannot go on as planned below SHAPE_ALL, so it comes last and alone. */
	if (last && p->threads == 1 && rng_one_in(r, 10))
		f->shape = SHAPE_ALL;
	f->ret[0] = ret_make(r, p->tracer, p->listener);
	f->ret[1] = ret_make(r, p->tracer, p->listener);
	f->probe[0] = rng_below(r, p->n_probes);
	f->probe[1] = rng_below(r, p->n_probes);
	f->arg = rng_below(r, 6);
	f->op = ops[rng_below(r, ARRAY_SIZE(ops))];
	probe = &p->probe[f->probe[0]];
	f->k = f->shape == SHAPE_ARG_HI ? probe->args[f->arg] >> 32 : probe->args[f->arg];
	if (rng_one_in(r, 3))
		f->k += rng_below(r, 3) - 1;
	if (rng_one_in(r, 2))
		f->flags |= SECCOMP_FILTER_FLAG_LOG;
	if (rng_one_in(r, 6))
		f->flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	if (rng_one_in(r, p->threads > 1 ? 2 : 8)) {
		f->flags |= SECCOMP_FILTER_FLAG_TSYNC;
		if (rng_one_in(r, 3))
			f->flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	}
	f->compat = rng_one_in(r, 12) && OTHER_ABI == ABI_32;
}

static unsigned int build_exempt(struct sock_filter *insn)
{
	/* seccomp, futex, exit, exit_group, rt_sigreturn, clone, wait4, fcntl */
	static const uint16_t nr[] = {
		SYS_futex, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_clone, SYS_wait4, SYS_fcntl,
	};
	unsigned int n = 0, i;

	insn[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1);
	insn[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		insn[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i], 0, 1);
		insn[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	return n;
}

#define LOAD(field) (insn[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field)))
#define LOAD_NR() LOAD(offsetof(struct seccomp_data, nr))
#define JUMP(op, k, t, f) (insn[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), (t), (f)))
#define RET(k) (insn[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (k)))

/* The program of a filter; returns its length. */
unsigned int filter_build(const struct plan *p, const struct filter *f, struct sock_filter *insn)
{
	const struct probe *one = &p->probe[f->probe[0]], *two = &p->probe[f->probe[1]];
	unsigned int n = 0, off = offsetof(struct seccomp_data, args) + 8 * f->arg;
	uint64_t ip;

	switch (f->shape) {
	case SHAPE_NR:
		LOAD_NR();
		JUMP(BPF_JEQ, one->nr, 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_ARCH_NR:
		LOAD(offsetof(struct seccomp_data, arch));
		JUMP(BPF_JEQ, one->abi == ABI_32 ? AUDIT_ARCH_I386 : NATIVE_ARCH, 0, 3);
		LOAD_NR();
		JUMP(BPF_JEQ, one->nr, 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_ARG:
	case SHAPE_ARG_HI:
		LOAD_NR();
		JUMP(BPF_JEQ, one->nr, 0, 3);
		LOAD(off + (f->shape == SHAPE_ARG_HI ? HIGH_HALF : LOW_HALF));
		JUMP(f->op, f->k, 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_IP:
		ip = (uint64_t)(one->abi == ABI_32 ? call32_ip : call64_ip);
		if (one->abi == ABI_VSYSCALL)
			ip = 0xffffffffff600000ULL + 0x400 * one->args[0];
		LOAD(offsetof(struct seccomp_data, instruction_pointer) + LOW_HALF);
		JUMP(BPF_JEQ, (uint32_t)ip, 0, 3);
		LOAD(offsetof(struct seccomp_data, instruction_pointer) + HIGH_HALF);
		JUMP(BPF_JEQ, (uint32_t)(ip >> 32), 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_TWO:
		LOAD_NR();
		JUMP(BPF_JEQ, one->nr, 0, 1);
		RET(f->ret[0]);
		JUMP(BPF_JEQ, two->nr, 0, 1);
		RET(f->ret[1]);
		break;
	case SHAPE_ALU:
		LOAD_NR();
		JUMP(BPF_JEQ, one->nr, 0, 4);
		LOAD(off + LOW_HALF);
		insn[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff);
		insn[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, f->ret[0] & SECCOMP_RET_ACTION_FULL);
		insn[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
		break;
	case SHAPE_BIT:
		LOAD_NR();
		JUMP(BPF_JSET, X32_BIT, 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_NUMBER:
		LOAD_NR();
		JUMP(BPF_JEQ, f->k, 0, 1);
		RET(f->ret[0]);
		break;
	case SHAPE_REST:
		LOAD_NR();
		n += build_exempt(insn + n);
		RET(f->ret[0]);
		return n;
	case SHAPE_ALL:
	default:
		RET(f->ret[0]);
		return n;
	}
	RET(SECCOMP_RET_ALLOW);
	return n;
}

static int64_t small_value(struct rng *r)
{
	static const int64_t v[] = { 0, -1, -38, -4095, -4096, 7777777, 0x7fffffff, 0x80000000LL, 0x100000000LL, -0x80000000LL };

	return v[rng_below(r, ARRAY_SIZE(v))];
}

/*
 * What a tracer makes of a number: often one that some filter has a rule for,
 * or one that is special to the kernel.
 */
static uint32_t tracer_nr(struct rng *r, const struct plan *p)
{
	static const uint32_t special[] = { 335, 336, 335, 336, 472, 473, X32_BIT | 336, 0xffffffff };
	unsigned int w = rng_below(r, 3);
	const struct probe *probe;

	if (w == 0 && p->n_filters) {
		probe = &p->probe[p->filter[rng_below(r, p->n_filters)].probe[0]];
		/* Those of the vsyscall page write to where a probe's arguments point. */
		if (probe->abi != ABI_VSYSCALL)
			return probe->nr | (rng_one_in(r, 8) ? X32_BIT : 0);
	}
	if (w == 1)
		return special[rng_below(r, ARRAY_SIZE(special))];
	return random_nr(r, p->probe[0].abi);
}

/* Filters that have a rule for what the tracer makes of a number. */
static void targets_make(struct rng *r, struct plan *p)
{
	unsigned int i, x;

	for (i = 0; p->n_filters > 1 && i < p->n_tracer; i++) {
		struct filter *f;

		if (p->tr[i].act != TR_NR || rng_one_in(r, 3))
			continue;
		x = rng_below(r, p->n_filters);
		f = &p->filter[x];
		if ((int)x == p->aim || f->shape == SHAPE_ALL || f->shape == SHAPE_REST)
			continue;
		f->shape = SHAPE_NUMBER;
		f->k = (uint32_t)p->tr[i].value;
	}
}

static void scripts_make(struct rng *r, struct plan *p)
{
	unsigned int i;

	p->n_tracer = 1 + rng_below(r, MAX_SCRIPT);
	p->tr_event = !rng_one_in(r, 10);
	p->tr_exitkill = rng_one_in(r, 4);
	p->tr_suspend = rng_one_in(r, 10);
	p->tr_syscall = rng_one_in(r, 5);
	p->tr_eat = rng_one_in(r, 6);
	for (i = 0; i < p->n_tracer; i++) {
		struct tracer_step *t = &p->tr[i];

		t->act = rng_one_in(r, 3) ? TR_ALLOW : rng_one_in(r, 4) ? TR_NR : rng_below(r, TR_MAX);
		if (t->act == TR_DIE && rng_one_in(r, 2))
			t->act = TR_NR;
		t->arg = rng_below(r, 6);
		if (t->act == TR_NR)
			t->value = tracer_nr(r, p);
		else if (t->act == TR_ARG)
			/* The third is a length, and the time that poll() waits. */
			t->value = t->arg == 2 ? 0 : 64 + rng_below(r, 32);
		else
			t->value = small_value(r);
	}
	if (p->tracer)
		targets_make(r, p);
	p->n_listener = 1 + rng_below(r, MAX_SCRIPT);
	p->li_sync = rng_one_in(r, 4);
	for (i = 0; i < p->n_listener; i++) {
		struct listener_step *l = &p->li[i];

		l->act = rng_below(r, LI_MAX);
		if (rng_one_in(r, 4))
			l->act = LI_CONTINUE;
		l->error = -(int)(1 + rng_below(r, 133));
		if (rng_one_in(r, 8))	/* not a valid errno, or positive */
			l->error = (int)small_value(r);
		l->value = small_value(r);
	}
}

static void step_add(struct plan *p, enum step_kind kind, unsigned int thread, unsigned int x, uint32_t value)
{
	if (p->n_steps < MAX_STEPS)
		p->step[p->n_steps++] = (struct step){ kind, thread, x, value };
}

static void probes_add(struct rng *r, struct plan *p, unsigned int n, bool fork)
{
	while (n--) {
		unsigned int x = rng_below(r, p->n_probes), t = rng_below(r, p->threads);

		if (fork && p->probe[x].abi != ABI_VSYSCALL && rng_one_in(r, 10))
			step_add(p, STEP_FORK, t, x, 0);
		else
			step_add(p, STEP_PROBE, t, x, 0);
	}
}

static void general_make(struct rng *r, struct plan *p)
{
	unsigned int i, w, has_all = 0;
	int aim = -1;	/* the probe that a script waits for */

	w = rng_below(r, 16);
	p->threads = w < 12 ? 1 : w < 14 ? 2 : 2 + rng_below(r, 3);
	p->tracer = rng_below(r, 10) < 3;
	p->listener = rng_below(r, 10) < 3;
	p->n_probes = 1 + rng_below(r, MAX_PROBES);
	for (i = 0; i < p->n_probes; i++)
		probe_make(r, &p->probe[i]);
	w = rng_below(r, 8);
	p->n_filters = w < (p->tracer ? 1 : 3) ? 1 : w < 5 ? 2 : 1 + rng_below(r, MAX_FILTERS);
	for (i = 0; i < p->n_filters; i++)
		filter_make(r, p, &p->filter[i], i == p->n_filters - 1U);
	/* Most tracers and listeners are to get something to do. */
	if (p->tracer && !rng_one_in(r, 4)) {
		struct filter *f;

		p->aim = (int)rng_below(r, p->n_filters);
		f = &p->filter[p->aim];
		f->ret[0] = SECCOMP_RET_TRACE | data_make(r);
		if (f->shape != SHAPE_ALL && f->shape != SHAPE_REST)
			f->shape = rng_below(r, 2) ? SHAPE_NR : SHAPE_ARCH_NR;
		aim = f->probe[0];
	}
	if (p->listener) {
		struct filter *f = &p->filter[rng_below(r, p->n_filters)];

		if (!rng_one_in(r, 4) && f->shape != SHAPE_ALL && f->shape != SHAPE_REST) {
			f->shape = rng_below(r, 2) ? SHAPE_NR : SHAPE_ARCH_NR;
			aim = f->probe[0];
		}
		f->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
		if (f->flags & SECCOMP_FILTER_FLAG_TSYNC)
			f->flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
		if (rng_one_in(r, 3))
			f->flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		if (!rng_one_in(r, 4))
			f->ret[0] = SECCOMP_RET_USER_NOTIF | data_make(r);
		/* A second listener is refused; threads that differ could have one that nobody serves. */
		if (p->threads == 1 && rng_one_in(r, 8))
			p->filter[rng_below(r, p->n_filters)].flags |= f->flags &
				(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	}
	if (p->n_filters && p->filter[p->n_filters - 1].shape == SHAPE_ALL)
		has_all = 1;
	if (rng_one_in(r, 6))
		probes_add(r, p, 1, false);
	for (i = 0; i < p->n_filters; i++) {
		unsigned int t = rng_one_in(r, 3) ? rng_below(r, p->threads) : 0;

		step_add(p, STEP_INSTALL, t, i, 0);
		if (i + 1U < p->n_filters && rng_one_in(r, 6))
			probes_add(r, p, 1, false);
	}
	if (p->tracer && rng_one_in(r, 8))
		step_add(p, STEP_BREAK, 0, 0, 0);
	if (aim >= 0 && !rng_one_in(r, 4))
		step_add(p, STEP_PROBE, rng_below(r, p->threads), (unsigned int)aim, 0);
	probes_add(r, p, 1 + rng_below(r, has_all ? 2 : 4), !has_all && !p->tracer && !p->listener);
	if (!has_all && rng_one_in(r, 10))
		step_add(p, STEP_AVAIL, 0, 0, ret_make(r, false, false) & SECCOMP_RET_ACTION_FULL);
}

static void avail_make(struct rng *r, struct plan *p)
{
	unsigned int i, n = 4 + rng_below(r, 8);

	p->threads = 1;
	for (i = 0; i < n; i++) {
		uint32_t v = (uint32_t)rng_next(r);

		if (rng_one_in(r, 2))
			v = actions[rng_below(r, 8)];
		if (rng_one_in(r, 4))
			v ^= 1U << rng_below(r, 32);
		if (rng_one_in(r, 6))
			step_add(p, STEP_OP, 0, rng_below(r, 6), rng_one_in(r, 2) ? 0 : 1U << rng_below(r, 32));
		else
			step_add(p, STEP_AVAIL, 0, 0, v);
	}
}

static void strict_make(struct rng *r, struct plan *p)
{
	static const unsigned char kept[2][4] = {
		{ SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn }, { 3, 4, 1, 119 },
	};
	unsigned int w = rng_below(r, 8), last;

	p->threads = w < 5 ? 1 : 2 + rng_below(r, 2);
	p->tracer = rng_one_in(r, 5);
	p->n_probes = 2;
	probe_make(r, &p->probe[0]);
	probe_make(r, &p->probe[1]);
	if (rng_one_in(r, 3)) {
		/* One of the four that strict mode allows, or the same number from the other table. */
		p->probe[0].abi = rng_below(r, 2) ? OTHER_ABI : ABI_64;
		p->probe[0].name = "kept";
		p->probe[0].nr = kept[rng_below(r, 2)][rng_below(r, 3)];
		p->probe[0].args[0] = FD_MEM;
		p->probe[0].args[1] = (uint64_t)&SHM->out[0];
		p->probe[0].args[2] = 64;
	}
	if (rng_one_in(r, 4)) {	/* strict after a filter is refused, and the other way round */
		p->n_filters = 1;
		filter_make(r, p, &p->filter[0], false);
		p->filter[0].flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_NEW_LISTENER;
		step_add(p, STEP_INSTALL, 0, 0, 0);
	}
	last = rng_below(r, p->threads);
	step_add(p, STEP_STRICT, last, 0, rng_below(r, 4));
	if (p->threads > 1) {
		step_add(p, STEP_PROBE, (last + 1) % p->threads, 1, 0);
		if (rng_one_in(r, 3))
			step_add(p, STEP_STRICT, (last + 1) % p->threads, 1, rng_below(r, 4));
	}
}

void plan_make(struct plan *p, uint64_t seed, uint64_t number)
{
	struct rng r = { seed };
	unsigned int w;

	r.s = rng_next(&r) ^ (number * 0xd1342543de82ef95ULL + 1);
	(void)rng_next(&r);
	memset(p, 0, sizeof(*p));
	p->number = number;
	p->aim = -1;
	p->nnp = rng_below(&r, 3) != 0;
	p->drop_uid = rng_one_in(&r, 16);
	p->core = rng_one_in(&r, 3);
	p->disp = rng_below(&r, 4);
	p->sys_blocked = rng_one_in(&r, 6);
	p->usr1_restart = rng_one_in(&r, 2);
	p->usr1_pending = rng_one_in(&r, 8);
	p->ax_value = small_value(&r);
	w = rng_below(&r, 100);
	if (w < 3)
		avail_make(&r, p);
	else if (w < 10)
		strict_make(&r, p);
	else
		general_make(&r, p);
	scripts_make(&r, p);
}

void batch_make(struct batch *b, uint64_t seed, uint64_t number)
{
	struct rng r = { seed ^ 0x6261746368ULL };

	r.s = rng_next(&r) + number * 0x9e3779b97f4a7c15ULL;
	(void)rng_next(&r);
	b->mask = rng_one_in(&r, 3) ? 0x7f : rng_below(&r, 128);
	b->audit = rng_one_in(&r, 2);
}

static const char *const shape_name[] = { "nr", "arch", "arg", "hi", "ip", "two", "alu", "bit", "num", "rest", "all" };
static const char *const tracer_name[] = { "ok", "nr", "arg", "skip", "bare", "die", "kill", "sig", "susp", "res" };
static const char *const listener_name[] = {
	"err", "val", "both", "cont", "add", "addsend", "set", "setsend", "addbad", "bad", "close", "kill", "sig", "early",
};
static const char *const step_name[] = { "", "+", "p", "k", "brk", "av", "op", "strict", "ping", "exit" };

/* The parameters in short form; returns the length written. */
int plan_print(const struct plan *p, char *buf, size_t size)
{
	size_t n = 0;
	unsigned int i;

#define OUT(...) (n += n < size ? (size_t)snprintf(buf + n, size - n, __VA_ARGS__) : 0)
	OUT("th=%d nnp=%d uid=%d core=%d sys=%d%s usr1=%s%s", p->threads, p->nnp, p->drop_uid, p->core, p->disp,
	    p->sys_blocked ? "b" : "", p->usr1_restart ? "r" : "-", p->usr1_pending ? "p" : "");
	OUT(" probes=");
	for (i = 0; i < p->n_probes; i++)
		OUT("%s%c%x:%s", i ? "," : "", "64v"[p->probe[i].abi == ABI_32 ? 1 : p->probe[i].abi == ABI_VSYSCALL ? 2 : 0],
		    p->probe[i].nr, p->probe[i].name);
	OUT(" filters=");
	for (i = 0; i < p->n_filters; i++) {
		const struct filter *f = &p->filter[i];

		OUT("%s%s/p%d/%08x", i ? "," : "", shape_name[f->shape], f->probe[0], f->ret[0]);
		if (f->shape == SHAPE_TWO)
			OUT("/p%d/%08x", f->probe[1], f->ret[1]);
		if (f->shape == SHAPE_ARG || f->shape == SHAPE_ARG_HI)
			OUT("/a%d:%x:%x", f->arg, f->op, f->k);
		if (f->shape == SHAPE_ALU)
			OUT("/a%d", f->arg);
		if (f->shape == SHAPE_NUMBER)
			OUT("/%x", f->k);
		OUT("/%x%s", f->flags, f->compat ? "c" : "");
	}
	OUT(" steps=");
	for (i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->step[i];

		OUT("%s%d%s%d", i ? "," : "", s->thread, step_name[s->kind], s->x);
		if (s->value)
			OUT("/%x", s->value);
	}
	if (p->tracer) {
		OUT(" tracer=%s%s%s%s%s", p->tr_event ? "e" : "", p->tr_exitkill ? "k" : "", p->tr_suspend ? "s" : "",
		    p->tr_syscall ? "y" : "", p->tr_eat ? "x" : "");
		for (i = 0; i < p->n_tracer; i++)
			OUT(",%s/%d/%llx", tracer_name[p->tr[i].act], p->tr[i].arg, (unsigned long long)p->tr[i].value);
	}
	if (p->listener) {
		OUT(" listener=%s", p->li_sync ? "s" : "");
		for (i = 0; i < p->n_listener; i++)
			OUT(",%s/%d/%llx", listener_name[p->li[i].act], p->li[i].error, (unsigned long long)p->li[i].value);
	}
#undef OUT
	return (int)(n < size ? n : size);
}
