// SPDX-License-Identifier: GPL-2.0
/*
 * Cases out of random numbers: what a case does is decided here, before it
 * runs, and by the seed and the case's number alone.
 */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

const char *const actor_name[ACTORS + 1] = { "S0", "S1", "S2", "C0", "L0", "L1", "X0", "V" };

static const struct {
	const char *name;
	unsigned char values;
} op_info[OPS] = {
	[OP_ATTACH] = { "attach", 6 }, [OP_SECCOMP] = { "seccomp", 5 }, [OP_PRCTL] = { "prctl", 5 }, [OP_NNP] = { "nnp", 0 },
	[OP_UID] = { "uid", 0 }, [OP_CAP] = { "cap", 0 }, [OP_USERNS] = { "userns", 0 }, [OP_NOFILE] = { "nofile", 1 },
	[OP_PROBE] = { "probe", 2 }, [OP_FORK] = { "fork", 1 }, [OP_EXEC] = { "exec", 0 }, [OP_EXIT] = { "exit", 2 },
	[OP_GETFD] = { "getfd", 1 }, [OP_RECV] = { "recv", 3 }, [OP_SEND] = { "send", 6 }, [OP_VALID] = { "valid", 4 },
	[OP_ADDFD] = { "addfd", 8 }, [OP_SETFLAGS] = { "setflags", 3 }, [OP_IOCTL] = { "ioctl", 3 }, [OP_POLL] = { "poll", 2 },
	[OP_EPOLL] = { "epoll", 1 }, [OP_FILE] = { "file", 1 }, [OP_DUP] = { "dup", 1 }, [OP_CLOSE] = { "close", 0 },
	[OP_SIGNAL] = { "signal", 2 }, [OP_SEIZE] = { "seize", 2 }, [OP_INTERRUPT] = { "interrupt", 1 },
	[OP_WAIT] = { "wait", 1 }, [OP_CONT] = { "cont", 1 }, [OP_DETACH] = { "detach", 1 }, [OP_GETFILTER] = { "getfilter", 3 },
	[OP_GETMETA] = { "getmeta", 4 }, [OP_STATUS] = { "status", 0 }, [OP_KILL] = { "kill", 1 },
};

void step_print(struct log *l, const struct step *s)
{
	unsigned int i;

	log_add(l, "%s.%s(", actor_name[s->actor], op_info[s->op].name);
	for (i = 0; i < op_info[s->op].values; i++)
		log_add(l, "%s%x", i ? "," : "", s->v[i]);
	log_add(l, ")");
}

bool step_may_sleep(const struct step *s, long nr)
{
	switch ((enum op_kind)s->op) {
	case OP_PROBE:
		return nr == PROBE_A_64 || nr == PROBE_B_64 || nr == PROBE_A_32 || nr == PROBE_B_32;
	case OP_RECV:
	case OP_SEND:
	case OP_ADDFD:
		return nr == SYS_ioctl || nr == 54;
	case OP_POLL:
#ifdef SYS_poll
		return nr == SYS_poll;
#else
		return nr == SYS_ppoll;
#endif
	case OP_FORK:
		return s->v[0] == FORK_VFORK && nr == SYS_clone;
	default:
		return false;
	}
}

/* The actors that a step may stop, wake or end, though they were told nothing. */
unsigned int step_disturbs(const struct step *s)
{
	const unsigned int subjects = 1U << S0 | 1U << S1 | 1U << S2 | 1U << C0;

	switch ((enum op_kind)s->op) {
	case OP_ATTACH:
	case OP_SECCOMP:
	case OP_PRCTL:
		/* Told what it got, it may be killed for its next call, which is to wait. */
		return 1U << s->actor;
	case OP_SIGNAL:
		return s->v[0] == L0 || s->v[0] == L1 ? 1U << s->v[0] : subjects;
	case OP_SEIZE:
	case OP_INTERRUPT:
	case OP_CONT:
	case OP_DETACH:
		return 1U << s->v[0];
	case OP_EXIT:
		return s->v[0] ? subjects : 0;
	case OP_KILL:
		return ~0U;
	default:
		return 0;
	}
}

#define ADD(p, actor, op, ...) step_add((p), (actor), (op), (uint32_t[MAX_VALUES]){ __VA_ARGS__ })

static void step_add(struct plan *p, enum actor actor, enum op_kind op, const uint32_t *v)
{
	struct step *s = &p->step[p->n_steps];

	if (p->n_steps == MAX_STEPS)
		return;
	p->n_steps++;
	s->actor = actor;
	s->op = op;
	memcpy(s->v, v, sizeof(s->v));
}

static enum way way_make(struct rng *r)
{
	return rng_one_in(r, 8) ? WAY_32 : WAY_64;
}

static enum addr addr_make(struct rng *r, unsigned int odd_one_in)
{
	return rng_one_in(r, odd_one_in) ? rng_below(r, ADDRS) : ADDR_GOOD;
}

static uint32_t flags_make(struct rng *r)
{
	uint32_t flags = rng_below(r, 64);

	if (rng_one_in(r, 3))
		return 0;
	/* One bit says no more than what is wrong with it. */
	if (rng_one_in(r, 4))
		flags = 1U << rng_below(r, 6);
	if (rng_one_in(r, 12))
		/* Not the last: it is SECCOMP_FILTER_FLAG_LOG_ONCE, which C does not have. */
		flags |= 1U << (6 + rng_below(r, 25));
	return flags;
}

static uint32_t ret_make(struct rng *r)
{
	static const uint32_t ret[] = {
		SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE,
		SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRAP, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_KILL_PROCESS,
	};

	return ret[rng_below(r, ARRAY_SIZE(ret))] | (1 + rng_below(r, 100));
}

/* Attaches a filter that is as it should be. */
static void attach_add(struct rng *r, struct plan *p, enum actor a, uint32_t flags)
{
	enum filter_kind kind = rng_one_in(r, 3) ? FILTER_ALLOW : rng_one_in(r, 3) ? FILTER_B : FILTER_A;

	ADD(p, a, OP_ATTACH, way_make(r), flags, kind, ret_make(r), ADDR_GOOD, ADDR_GOOD);
}

/* Attaches one that may be wrong in any way. */
static void attach_odd(struct rng *r, struct plan *p, enum actor a)
{
	static const uint32_t length[] = { 0, 1, 2, 3, 100, BPF_MAXINSNS - 1, BPF_MAXINSNS, BPF_MAXINSNS + 1, 0x8000, 0xffff };
	static const uint32_t code[] = {
		/* Each operation, with a k that none of them can refuse; then those that only sockets know. */
		0x20, 0x80, 0x81, 0x06, 0x16, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
		0x64, 0x6c, 0x74, 0x7c, 0x84, 0x00, 0x01, 0x07, 0x87, 0x60, 0x61, 0x02, 0x03, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25,
		0x2d, 0x45, 0x4d, 0x94, 0x9c, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x21, 0x0e, 0x08, 0x10, 0x18, 0x8c, 0xb4, 0xff,
		0x0100, 0x8020, 0xff06,
	};
	enum filter_kind kind = rng_below(r, FILTERS);
	uint32_t value = ret_make(r);
	enum way way = rng_below(r, WAYS);

	switch (kind) {
	case FILTER_LENGTH:
		value = length[rng_below(r, ARRAY_SIZE(length))];
		break;
	case FILTER_CODE:
		value = rng_one_in(r, 8) ? rng_below(r, 256) : code[rng_below(r, ARRAY_SIZE(code))];
		value |= (uint32_t)rng_below(r, 40) << 16;
		break;
	case FILTER_LOAD:
		value = rng_one_in(r, 3) ? (uint32_t)rng_next(r) : rng_below(r, 80);
		break;
	default:
		break;
	}
	ADD(p, a, OP_ATTACH, way, flags_make(r), kind, value, addr_make(r, 6), addr_make(r, 6));
}

static void seccomp_add(struct rng *r, struct plan *p, enum actor a)
{
	static const uint32_t actions[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
		SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW,
	};
	uint32_t op = rng_one_in(r, 12) ? (uint32_t)rng_next(r) : rng_below(r, 6), value = actions[rng_below(r, 8)];
	enum addr addr = rng_one_in(r, 2) ? ADDR_GOOD : rng_one_in(r, 2) ? ADDR_NULL : rng_below(r, ADDRS);

	if (rng_one_in(r, 4))
		value ^= 1U << rng_below(r, 32);
	ADD(p, a, OP_SECCOMP, way_make(r), op, rng_one_in(r, 3) ? flags_make(r) : 0, addr, value);
}

static void prctl_add(struct rng *r, struct plan *p, enum actor a)
{
	enum way way = rng_one_in(r, 4) ? WAY_PRCTL_32 : WAY_PRCTL;

	switch (rng_below(r, 5)) {
	case 0:
		ADD(p, a, OP_PRCTL, way, PR_GET_SECCOMP, rng_below(r, 3), addr_make(r, 2), 0);
		break;
	case 1:
		ADD(p, a, OP_PRCTL, way, PR_GET_NO_NEW_PRIVS, 0, ADDR_NULL, 0);
		break;
	case 2:
		ADD(p, a, OP_PRCTL, way, PR_SET_NO_NEW_PRIVS, rng_below(r, 3), rng_one_in(r, 4) ? ADDR_LOW : ADDR_NULL,
		    rng_one_in(r, 6));
		break;
	default:
		/* The filter is all zero: none of its length. */
		ADD(p, a, OP_PRCTL, way, PR_SET_SECCOMP, rng_one_in(r, 8) ? (uint32_t)rng_next(r) : rng_below(r, 5),
		    addr_make(r, 2), rng_one_in(r, 6));
	}
}

static void privilege_add(struct rng *r, struct plan *p, enum actor a)
{
	static const unsigned char op[] = { OP_NNP, OP_NNP, OP_UID, OP_CAP, OP_USERNS };

	ADD(p, a, op[rng_below(r, ARRAY_SIZE(op))]);
}

/* One process and what it asks for, in every state of mind: mode, privileges, limits. */
static void calls_make(struct rng *r, struct plan *p)
{
	unsigned int i, n = 4 + rng_below(r, 12);

	p->theme = "calls";
	p->tracer = true;
	/* Whatever is attached, the calls go on. */
	ADD(p, X0, OP_SEIZE, S0, 3);
	if (rng_one_in(r, 2))
		privilege_add(r, p, S0);
	for (i = 0; i < n; i++) {
		switch (rng_below(r, 12)) {
		case 0:
			privilege_add(r, p, S0);
			break;
		case 1:
			ADD(p, S0, OP_NOFILE, 3 + rng_below(r, 4));
			break;
		case 2:
		case 3:
			seccomp_add(r, p, S0);
			break;
		case 4:
			prctl_add(r, p, S0);
			break;
		case 5:
		case 6:
			attach_add(r, p, S0, flags_make(r));
			break;
		case 7:
			ADD(p, S0, OP_FILE, rng_below(r, FILE_OPS));
			break;
		default:
			attach_odd(r, p, S0);
		}
	}
	ADD(p, S0, OP_PRCTL, WAY_PRCTL, PR_GET_SECCOMP, 0, ADDR_NULL, 0);
}

/* Filters up to the last instruction that fits on a path, each with its penalty of four. */
static void limits_make(struct rng *r, struct plan *p)
{
	uint32_t left = (1U << 18) / sizeof(struct sock_filter), len;

	p->theme = "limits";
	while (left > BPF_MAXINSNS && p->n_steps < 30) {
		len = rng_one_in(r, 4) ? 1 + rng_below(r, BPF_MAXINSNS) : BPF_MAXINSNS - rng_below(r, 3);
		ADD(p, S0, OP_ATTACH, way_make(r), 0, FILTER_LENGTH, len, ADDR_GOOD, ADDR_GOOD);
		left -= len + 4;
		if (rng_one_in(r, 8)) {
			ADD(p, S0, OP_FORK, FORK_PLAIN);
			ADD(p, C0, OP_ATTACH, way_make(r), 0, FILTER_LENGTH, 1 + rng_below(r, BPF_MAXINSNS), ADDR_GOOD,
			    ADDR_GOOD);
		}
	}
	if (left > BPF_MAXINSNS)
		return;
	/* One too many, as many as fit, and then none. */
	if (rng_one_in(r, 2))
		ADD(p, S0, OP_ATTACH, way_make(r), 0, FILTER_LENGTH, left + 1, ADDR_GOOD, ADDR_GOOD);
	ADD(p, S0, OP_ATTACH, way_make(r), SECCOMP_FILTER_FLAG_NEW_LISTENER, FILTER_LENGTH, left + 1, ADDR_GOOD, ADDR_GOOD);
	len = left - rng_below(r, 7);
	ADD(p, S0, OP_ATTACH, way_make(r), 0, FILTER_LENGTH, len, ADDR_GOOD, ADDR_GOOD);
	ADD(p, S0, OP_ATTACH, way_make(r), rng_one_in(r, 2) ? SECCOMP_FILTER_FLAG_TSYNC : 0, FILTER_LENGTH, 1 + rng_below(r, 3),
	    ADDR_GOOD, ADDR_GOOD);
	ADD(p, S0, OP_ATTACH, way_make(r), 0, FILTER_ALLOW, 0, ADDR_GOOD, ADDR_GOOD);
}

static void send_add(struct rng *r, struct plan *p, enum actor a)
{
	uint32_t flags = 0, error = 0;

	if (rng_one_in(r, 2))
		error = (uint32_t)-(int)(1 + rng_below(r, 133));
	if (rng_one_in(r, 10))	/* positive, or no errno */
		error = rng_one_in(r, 2) ? 5 : (uint32_t)-5000;
	if (rng_one_in(r, 4))
		flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (rng_one_in(r, 12))
		flags |= 1U << rng_below(r, 32);
	if (flags == SECCOMP_USER_NOTIF_FLAG_CONTINUE && !rng_one_in(r, 4))
		error = 0;
	ADD(p, a, OP_SEND, way_make(r), rng_one_in(r, 6) ? rng_below(r, IDS) : ID_LAST, error,
	    flags && error == 0 ? 0 : rng_below(r, 8), flags, addr_make(r, 16));
}

static void addfd_add(struct rng *r, struct plan *p, enum actor a)
{
	static const uint16_t size[] = { 0, 1, 8, 16, 20, 23, 25, 28, 32, 40, 2048, 4088, 4095, 4096, 4097, 8192, 16383 };
	uint32_t flags = rng_below(r, 4), newfd = 0, newfd_flags = rng_one_in(r, 2) ? O_CLOEXEC : 0;

	if (rng_one_in(r, 12))
		flags |= 1U << rng_below(r, 32);
	if (rng_one_in(r, 12))
		newfd_flags |= 1U << rng_below(r, 32);
	if (flags & SECCOMP_ADDFD_FLAG_SETFD || rng_one_in(r, 16))
		newfd = rng_one_in(r, 4) ? 1U << rng_below(r, 32) : 3 + rng_below(r, 8);
	/*
	 * The descriptors that all share stay what they are, and a table that had
	 * to grow would have the subject sleep for a grace period of RCU.
	 */
	if (newfd <= 2 || (newfd >= 96 && newfd < 4096))
		newfd = 0;
	if (!newfd && flags & SECCOMP_ADDFD_FLAG_SETFD)
		newfd = 10;
	ADD(p, a, OP_ADDFD, way_make(r), rng_one_in(r, 8) ? rng_below(r, IDS) : ID_LAST, flags,
	    rng_one_in(r, 5) ? rng_below(r, SOURCES) : SOURCE_MEM, newfd, newfd_flags,
	    rng_one_in(r, 5) ? size[rng_below(r, ARRAY_SIZE(size))] : sizeof(struct seccomp_notif_addfd),
	    addr_make(r, 16) | (rng_one_in(r, 3) ? 0x100 : 0));
}

static void ioctl_add(struct rng *r, struct plan *p, enum actor a)
{
	uint32_t cmd;

	switch (rng_below(r, 4)) {
	case 0:		/* a number of ours with another size or direction */
		cmd = _IOC(rng_below(r, 4), SECCOMP_IOC_MAGIC, rng_below(r, 6), rng_below(r, 128));
		break;
	case 1:
		cmd = (uint32_t)SECCOMP_IOCTL_NOTIF_RECV ^ 1U << rng_below(r, 32);
		break;
	case 2:
		cmd = _IOC(rng_below(r, 4), SECCOMP_IOC_MAGIC, rng_below(r, 256), sizeof(uint64_t));
		break;
	default:
		cmd = (uint32_t)rng_next(r);
	}
	ADD(p, a, OP_IOCTL, way_make(r), cmd, addr_make(r, 4));
}

static void signal_add(struct rng *r, struct plan *p, enum actor a)
{
	static const unsigned char sig[] = { SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR1, SIGSTOP, SIGCONT, SIGCONT, SIGKILL, SIGTERM };
	static const unsigned char target[] = { S0, S0, S0, S1, S1, S2, C0, L0, L1 };
	enum actor to = target[rng_below(r, ARRAY_SIZE(target))];
	int number = sig[rng_below(r, ARRAY_SIZE(sig))];

	/* Those who are to go on with the case are only interrupted. */
	if (to == L0 || to == L1)
		number = SIGUSR1;
	ADD(p, a, OP_SIGNAL, to, number);
}

static enum actor subject(struct rng *r, const struct plan *p)
{
	return S0 + rng_below(r, p->threads);
}

static enum actor listener(struct rng *r, const struct plan *p)
{
	if (p->second_listener && rng_one_in(r, 3))
		return L1;
	return p->tracer && rng_one_in(r, 8) ? X0 : L0;
}

static void receive_add(struct rng *r, struct plan *p, enum actor a)
{
	ADD(p, a, OP_RECV, way_make(r), addr_make(r, 12), rng_one_in(r, 16) ? 1 + rng_below(r, 2) : 0);
}

static void listener_step(struct rng *r, struct plan *p)
{
	enum actor a = listener(r, p), s = subject(r, p);

	switch (rng_below(r, 28)) {
	case 0:
	case 1:
	case 2:
		ADD(p, s, OP_PROBE, way_make(r), rng_one_in(r, 6));
		break;
	case 3:
	case 4:
		receive_add(r, p, a);
		break;
	case 5:
	case 6:
		send_add(r, p, a);
		break;
	case 7:
	case 8:
		ADD(p, a, OP_VALID, way_make(r), rng_below(r, IDS), rng_one_in(r, 2), addr_make(r, 8));
		break;
	case 9:
	case 10:
	case 11:
		addfd_add(r, p, a);
		break;
	case 12:
		ADD(p, a, OP_SETFLAGS, way_make(r), rng_one_in(r, 3) ? 1U << rng_below(r, 32) : rng_below(r, 2), rng_one_in(r, 6));
		break;
	case 13:
		ioctl_add(r, p, a);
		break;
	case 14:
		ADD(p, a, OP_POLL, rng_one_in(r, 2) ? 0x7fff : POLLIN | POLLOUT, 0);
		break;
	case 15:
		ADD(p, a, OP_POLL, rng_one_in(r, 2) ? POLLIN : POLLOUT, 1);
		break;
	case 16:
		ADD(p, a, OP_EPOLL, EPOLLIN | EPOLLOUT | (rng_one_in(r, 2) ? EPOLLET : 0));
		break;
	case 17:
		ADD(p, a, OP_FILE, rng_below(r, FILE_OPS));
		break;
	case 18:
		ADD(p, a, OP_DUP, rng_one_in(r, 2));
		break;
	case 19:
		ADD(p, rng_one_in(r, 2) ? s : a, OP_CLOSE);
		break;
	case 20:
		ADD(p, a, OP_GETFD, p->tracer && rng_one_in(r, 2) ? PX : rng_one_in(r, 2) ? PL : PS);
		break;
	case 21:
		ADD(p, s, OP_NOFILE, 3 + rng_below(r, 9));
		break;
	case 22:
		ADD(p, s, OP_FORK, rng_below(r, FORKS));
		ADD(p, C0, OP_PROBE, way_make(r), 0);
		break;
	case 23:
		if (rng_one_in(r, 3))
			ADD(p, rng_one_in(r, 3) ? C0 : s, OP_EXIT, rng_below(r, 2), rng_below(r, 64));
		else
			ADD(p, s, OP_EXEC);
		break;
	case 24:
		attach_add(r, p, s, rng_one_in(r, 2) ? SECCOMP_FILTER_FLAG_NEW_LISTENER : flags_make(r));
		break;
	case 25:
		ADD(p, SUPERVISOR, OP_STATUS);
		break;
	default:
		signal_add(r, p, a);
	}
}

static void listener_make(struct rng *r, struct plan *p)
{
	uint32_t flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | (flags_make(r) & 0x2f);
	unsigned int i, n = 4 + rng_below(r, 8);
	enum actor a;
	bool closes;

	p->theme = "listener";
	p->threads = 1 + rng_below(r, 3);
	p->listener = true;
	p->second_listener = rng_one_in(r, 2);
	p->tracer = rng_one_in(r, 4);
	if (p->threads > 1)
		flags = rng_one_in(r, 2) ? flags | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH :
					   flags & ~SECCOMP_FILTER_FLAG_TSYNC;
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	if (rng_one_in(r, 2))
		flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	if (rng_one_in(r, 4))
		attach_add(r, p, S0, 0);
	ADD(p, S0, OP_ATTACH, way_make(r), flags, FILTER_A, SECCOMP_RET_USER_NOTIF | 7, ADDR_GOOD, ADDR_GOOD);
	ADD(p, L0, OP_GETFD, PS);
	/* One that nobody else has is to be closed in the middle of a round. */
	closes = rng_one_in(r, 4);
	if (closes || rng_one_in(r, 2))
		ADD(p, S0, OP_CLOSE);
	if (!closes && p->tracer && rng_one_in(r, 2))
		ADD(p, X0, OP_GETFD, PL);
	for (i = 0; i < n; i++) {
		if (rng_one_in(r, 2)) {
			listener_step(r, p);
			continue;
		}
		/* A round as it should be, and now and then something in the middle of it. */
		a = listener(r, p);
		if (rng_one_in(r, 6))
			receive_add(r, p, a);
		ADD(p, subject(r, p), OP_PROBE, way_make(r), 0);
		if (rng_one_in(r, 3))
			listener_step(r, p);
		if (closes && rng_one_in(r, 6))
			ADD(p, L0, OP_CLOSE);
		receive_add(r, p, a);
		if (closes && rng_one_in(r, 6))
			ADD(p, L0, OP_CLOSE);
		if (rng_one_in(r, 2))
			listener_step(r, p);
		if (rng_one_in(r, 3))
			addfd_add(r, p, a);
		if (rng_one_in(r, 4))
			signal_add(r, p, a);
		if (!rng_one_in(r, 5))
			send_add(r, p, a);
	}
	/* What is left when the subject is gone; waits are killed in whatever state they are. */
	ADD(p, SUPERVISOR, OP_STATUS);
	ADD(p, SUPERVISOR, OP_KILL, PS);
	ADD(p, L0, OP_POLL, POLLIN | POLLOUT, 0);
	ADD(p, L0, OP_RECV, WAY_64, ADDR_GOOD, 0);
	ADD(p, L0, OP_SEND, WAY_64, ID_LAST, 0, 0, 0, ADDR_GOOD);
	ADD(p, SUPERVISOR, OP_KILL, PC);
	ADD(p, L0, OP_POLL, POLLIN | POLLOUT, 0);
}

/* Threads with filters of their own, and one that gives its own to all. */
static void tsync_make(struct rng *r, struct plan *p)
{
	unsigned int i, n = 4 + rng_below(r, 10);
	enum actor a;

	p->theme = "tsync";
	p->threads = 2 + rng_below(r, 2);
	for (i = 0; i < n; i++) {
		a = subject(r, p);
		if (rng_one_in(r, 8))
			a = C0;
		switch (rng_below(r, 16)) {
		case 0:
		case 1:
		case 2:
			attach_add(r, p, a, flags_make(r) & ~(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
			break;
		case 3:
			ADD(p, a, OP_EXIT, rng_one_in(r, 8), 3);
			break;
		case 4:
			privilege_add(r, p, a);
			break;
		case 5:
			ADD(p, a, OP_FORK, rng_one_in(r, 2) ? FORK_THREAD : rng_below(r, FORKS));
			break;
		case 6:
			ADD(p, a, OP_PROBE, way_make(r), rng_below(r, 2));
			break;
		case 7:
			ADD(p, SUPERVISOR, OP_STATUS);
			break;
		case 8:
			attach_odd(r, p, a);
			break;
		case 9:
			if (rng_one_in(r, 3))
				ADD(p, a, OP_EXEC);
			break;
		default:
			attach_add(r, p, a, SECCOMP_FILTER_FLAG_TSYNC | (rng_one_in(r, 3) ? flags_make(r) & 0x1f : 0));
			if (rng_one_in(r, 3))
				ADD(p, SUPERVISOR, OP_STATUS);
		}
	}
	ADD(p, SUPERVISOR, OP_STATUS);
}

static void trace_step(struct rng *r, struct plan *p)
{
	static const unsigned char sizes[] = { 0, 1, 7, 8, 9, 15, 16, 17, 24, 255 };
	enum actor to = rng_one_in(r, 8) ? rng_below(r, ACTORS) : subject(r, p);

	switch (rng_below(r, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		ADD(p, X0, OP_GETFILTER, to, rng_one_in(r, 8) ? (uint32_t)rng_next(r) : rng_below(r, 5), addr_make(r, 3));
		break;
	case 4:
	case 5:
	case 6:
		ADD(p, X0, OP_GETMETA, to, rng_one_in(r, 2) ? 16 : sizes[rng_below(r, ARRAY_SIZE(sizes))],
		    rng_one_in(r, 8) ? (uint32_t)rng_next(r) : rng_below(r, 5), addr_make(r, 5));
		break;
	case 7:
		ADD(p, X0, OP_INTERRUPT, to);
		ADD(p, X0, OP_WAIT, to);
		break;
	case 8:
		ADD(p, X0, OP_CONT, to);
		break;
	case 9:
		ADD(p, X0, OP_WAIT, to);
		break;
	case 10:
		if (rng_one_in(r, 3))
			privilege_add(r, p, X0);
		else if (rng_one_in(r, 2))
			attach_add(r, p, X0, 0);
		else
			ADD(p, X0, OP_DETACH, to);
		break;
	default:
		ADD(p, X0, OP_SEIZE, to, rng_below(r, 8));
	}
}

/* One that reads filters of another. */
static void trace_make(struct rng *r, struct plan *p)
{
	unsigned int i, n = 5 + rng_below(r, 8);
	bool strict = rng_one_in(r, 8);

	p->theme = "trace";
	p->threads = 1 + rng_one_in(r, 3);
	p->tracer = true;
	for (i = rng_below(r, 4); i; i--)
		attach_add(r, p, S0, flags_make(r));
	ADD(p, X0, OP_SEIZE, S0, strict ? 1 : rng_one_in(r, 3) ? rng_below(r, 8) : 0);
	if (strict)
		ADD(p, S0, OP_PRCTL, WAY_PRCTL, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, ADDR_NULL, 0);
	if (!rng_one_in(r, 6)) {
		ADD(p, X0, OP_INTERRUPT, S0);
		ADD(p, X0, OP_WAIT, S0);
	}
	for (i = 0; i < n; i++) {
		if (strict || !rng_one_in(r, 4)) {
			trace_step(r, p);
		} else if (rng_one_in(r, 3)) {
			ADD(p, subject(r, p), OP_PROBE, way_make(r), rng_below(r, 2));
		} else {
			ADD(p, X0, OP_CONT, S0);
			attach_add(r, p, subject(r, p), flags_make(r));
			ADD(p, X0, OP_INTERRUPT, S0);
			ADD(p, X0, OP_WAIT, S0);
		}
	}
	ADD(p, SUPERVISOR, OP_STATUS);
}

/* What children of every kind get, and what becomes of it when one of two ends. */
static void fork_make(struct rng *r, struct plan *p)
{
	unsigned int i, n = 3 + rng_below(r, 8);
	enum actor a;

	p->theme = "fork";
	p->threads = 1 + rng_one_in(r, 3);
	p->listener = true;
	for (i = rng_below(r, 3); i; i--)
		attach_add(r, p, S0, flags_make(r) & ~(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	ADD(p, S0, OP_ATTACH, way_make(r), rng_one_in(r, 3) ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER, FILTER_A,
	    SECCOMP_RET_USER_NOTIF, ADDR_GOOD, ADDR_GOOD);
	ADD(p, L0, OP_GETFD, PS);
	ADD(p, subject(r, p), OP_FORK, rng_below(r, FORKS));
	ADD(p, SUPERVISOR, OP_STATUS);
	for (i = 0; i < n; i++) {
		a = rng_one_in(r, 2) ? C0 : subject(r, p);
		switch (rng_below(r, 9)) {
		case 0:
			ADD(p, a, OP_EXEC);
			break;
		case 1:
			ADD(p, a, OP_EXIT, rng_below(r, 2), 5);
			break;
		case 2:
			attach_add(r, p, a, flags_make(r));
			break;
		case 3:
			ADD(p, L0, OP_POLL, POLLIN | POLLOUT, 0);
			break;
		case 4:
			receive_add(r, p, L0);
			send_add(r, p, L0);
			break;
		case 5:
			signal_add(r, p, L0);
			break;
		case 6:
			ADD(p, SUPERVISOR, OP_STATUS);
			break;
		default:
			ADD(p, a, OP_PROBE, way_make(r), 0);
		}
	}
	ADD(p, SUPERVISOR, OP_STATUS);
	i = rng_below(r, 2);
	ADD(p, SUPERVISOR, OP_KILL, i ? PC : PS);
	ADD(p, L0, OP_POLL, POLLIN | POLLOUT, 0);
	ADD(p, SUPERVISOR, OP_KILL, i ? PS : PC);
	ADD(p, L0, OP_POLL, POLLIN | POLLOUT, 0);
	ADD(p, L0, OP_RECV, WAY_64, ADDR_GOOD, 0);
}

void plan_make(struct plan *p, uint64_t seed, uint64_t number)
{
	struct rng r = { seed };
	unsigned int w;

	r.s = rng_next(&r) ^ (number * 0xd1342543de82ef95ULL + 1);
	(void)rng_next(&r);
	memset(p, 0, sizeof(*p));
	p->number = number;
	p->threads = 1;
	p->nnp = rng_one_in(&r, 4);
	p->restart = rng_one_in(&r, 2);
	w = rng_below(&r, 100);
	if (w < 25)
		calls_make(&r, p);
	else if (w < 27)
		limits_make(&r, p);
	else if (w < 70)
		listener_make(&r, p);
	else if (w < 82)
		tsync_make(&r, p);
	else if (w < 91)
		trace_make(&r, p);
	else
		fork_make(&r, p);
}
