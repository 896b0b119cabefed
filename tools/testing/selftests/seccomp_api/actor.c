// SPDX-License-Identifier: GPL-2.0
/*
 * What an actor does in its turn. Made in clones that the C library knows
 * nothing of, and below filters: only raw calls, all of them at labels.
 */
#include "api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SECCOMP_GET_METADATA
#define PTRACE_SECCOMP_GET_METADATA 0x420d
#endif
#define SUSPEND_SECCOMP (1 << 21)	/* PTRACE_O_SUSPEND_SECCOMP */

#define I386_IOCTL	54
#define I386_PRCTL	172
#define I386_SECCOMP	354

/* Not in the shared pages: a forked child needs a stack of its own. */
static char stacks[ACTORS][16384] __attribute__((aligned(64)));

void futex_wake(volatile int *word)
{
	infra(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, NULL, NULL);
}

static void on_usr1(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)context;
	__atomic_add_fetch(&SHM->handled, 1, __ATOMIC_SEQ_CST);
	HANDLER_RETURN(si);
}

static void signals_set(void)
{
	struct kernel_sigaction a = KERNEL_SIGACTION(on_usr1, SHM->plan.restart ? SA_RESTART : 0);

	infra(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8);
}

/* The odd places that arguments can be in. */
void memory_map(void)
{
	infra(SYS_munmap, EDGE_ADDR, 32 * PAGE);
	mmap((void *)EDGE_ADDR, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap((void *)READ_ONLY_ADDR, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static uint64_t addr_of(enum addr kind, void *good)
{
	switch (kind) {
	case ADDR_NULL:
		return 0;
	case ADDR_LOW:
		return 0x1000;
	case ADDR_READ_ONLY:
		return READ_ONLY_ADDR;
	case ADDR_EDGE:
		return EDGE_ADDR + PAGE - 4;
	case ADDR_KERNEL:
		return 0xffff888000000000ULL;
	case ADDR_NON_CANONICAL:
		return 0x800000000000ULL;
	case ADDR_HIGH:
		return (uint64_t)good | 1ULL << 32;
	default:
		return (uint64_t)good;
	}
}

/* Is what the kernel wrote to an address to be found in the good place? */
static bool is_good(enum addr kind, enum way way)
{
	return kind == ADDR_GOOD || (kind == ADDR_HIGH && is_32(way));
}

static void result(struct log *l, long ret)
{
	log_add(l, ret < 0 && ret >= -4095 ? "E%ld" : "%ld", ret < 0 && ret >= -4095 ? -ret : ret);
}

static const char *pid_name(long pid)
{
	int a;

	for (a = 0; a < ACTORS; a++)
		if (SHM->actor[a].turn != TURN_NONE && pid == SHM->actor[a].tid)
			return actor_name[a];
	return pid == SHM->supervisor ? "V" : pid ? "?" : "0";
}

/* One that may be a pid: no descriptor is as high as those start, no value of a plan is in their range. */
static void result_pid(struct log *l, long ret)
{
	if (ret >= 250 && ret < 4200000)
		log_add(l, "%s", pid_name(ret));
	else
		result(l, ret);
}

static long by(enum way way, long nr, long nr32, uint64_t a, uint64_t b, uint64_t c)
{
	struct call call = { .nr = (uint64_t)nr32, .args = { a, b, c } };

	if (is_32(way))
		return (int)call32(&call);
	return infra(nr, a, b, c);
}

static long do_ioctl(enum way way, int fd, uint32_t cmd, uint64_t arg)
{
	return by(way, SYS_ioctl, I386_IOCTL, (uint64_t)(long)fd, cmd, arg);
}

static struct sock_filter stmt(uint16_t code, uint32_t k)
{
	return (struct sock_filter){ code, 0, 0, k };
}

static unsigned int filter_build(struct sock_filter *insn, enum filter_kind kind, uint32_t value)
{
	const uint32_t nr[2] = { kind == FILTER_B ? PROBE_B_64 : PROBE_A_64, kind == FILTER_B ? PROBE_B_32 : PROBE_A_32 };
	unsigned int n = 0, i;

	switch (kind) {
	case FILTER_A:
	case FILTER_B:
		insn[n++] = stmt(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
		insn[n++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, nr[0] };
		insn[n++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr[1] };
		insn[n++] = stmt(BPF_RET | BPF_K, value);
		break;
	case FILTER_LENGTH:
		for (i = 0; i < value && i <= BPF_MAXINSNS; i++)
			insn[i] = stmt(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		return value;
	case FILTER_CODE:
		insn[n++] = stmt((uint16_t)value, value >> 16);
		break;
	case FILTER_LOAD:
		insn[n++] = stmt(BPF_LD | BPF_W | BPF_ABS, value);
		break;
	case FILTER_NO_RET:
		insn[n++] = stmt(BPF_LD | BPF_W | BPF_ABS, 0);
		return n;
	default:
		break;
	}
	insn[n++] = stmt(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

static void attach(enum actor me, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	struct log *l = &self->out;
	unsigned int len = filter_build(self->insn, v[2], v[3]);
	bool compat = is_32(v[0]);
	uint64_t insn = addr_of(v[5], self->insn), prog;
	long ret;

	self->prog.len = self->prog32.len = len;
	self->prog.filter = (struct sock_filter *)insn;
	self->prog32.filter = (uint32_t)insn;
	prog = addr_of(v[4], compat ? (void *)&self->prog32 : (void *)&self->prog);
	if (v[0] == WAY_PRCTL || v[0] == WAY_PRCTL_32)
		ret = by(v[0], SYS_prctl, I386_PRCTL, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, prog);
	else
		ret = by(v[0], SYS_seccomp, I386_SECCOMP, SECCOMP_SET_MODE_FILTER, v[1], prog);
	if (ret >= 0 && v[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER && (v[0] == WAY_64 || v[0] == WAY_32))
		SHM->listener_fd[self->process] = (int)ret;
	/* TSYNC tells of a thread by its id. */
	result_pid(l, ret);
}

static void seccomp_op(enum actor me, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	struct log *l = &self->out;
	long ret;

	memset(self->buffer, 0, 64);
	memcpy(self->buffer, &v[4], sizeof(v[4]));
	ret = by(v[0], SYS_seccomp, I386_SECCOMP, v[1], v[2], addr_of(v[3], self->buffer));
	result(l, ret);
	if (v[1] == SECCOMP_GET_NOTIF_SIZES && is_good(v[3], v[0]))
		log_add(l, ":%u,%u,%u", self->sizes.seccomp_notif, self->sizes.seccomp_notif_resp, self->sizes.seccomp_data);
}

static void prctl_op(enum actor me, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];

	memset(self->buffer, 0, 64);
	result(&self->out, by(v[0], SYS_prctl, I386_PRCTL, v[1], v[2] | (uint64_t)v[4] << 32, addr_of(v[3], self->buffer)));
}

static void drop_sys_admin(struct log *l)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (infra(SYS_capget, &header, data)) {
		log_add(l, "!");
		return;
	}
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	result(l, infra(SYS_capset, &header, data));
}

static void probe(enum actor me, const uint32_t *v)
{
	const uint64_t nr[2][2] = { { PROBE_A_64, PROBE_B_64 }, { PROBE_A_32, PROBE_B_32 } };
	struct call c = { .nr = nr[is_32(v[0])][v[1]], .args = { 0x101, 0x102, 0x103, 0x104, 0x105, 0x106 } };
	long ret;

	ret = is_32(v[0]) ? (int)call32(&c) : call64(&c);
	result_pid(&SHM->actor[me].out, ret);
}

static void thread_start(long a)
{
	actor_loop((enum actor)a);
}

/* Starts an actor in a clone with these flags. */
static long actor_spawn(enum actor a, unsigned long flags)
{
	uint64_t *top = (uint64_t *)(stacks[a] + sizeof(stacks[a]));

	*--top = (uint64_t)thread_start;
	*--top = a;
	return spawn(flags, top, NULL, NULL);
}

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static void do_fork(enum actor me, const uint32_t *v)
{
	static const unsigned long flags[FORKS] = {
		[FORK_PLAIN] = SIGCHLD,
		[FORK_VFORK] = CLONE_VM | CLONE_VFORK | SIGCHLD,
		[FORK_VM] = CLONE_VM | SIGCHLD,
		[FORK_FILES] = CLONE_FILES | SIGCHLD,
		[FORK_THREAD] = THREAD_FLAGS,
	};
	struct actor_state *self = &SHM->actor[me], *child = &SHM->actor[C0];
	long ret;

	if (child->turn != TURN_NONE || me == C0) {
		log_add(&self->out, "-");
		return;
	}
	child->process = v[0] == FORK_FILES || v[0] == FORK_THREAD ? self->process : PC;
	if (child->process == PC)
		SHM->listener_fd[PC] = SHM->listener_fd[self->process];
	child->turn = TURN_GO;	/* until it is up */
	child->step.op = OP_FORK;
	child->tid = child->pid = 0;
	ret = actor_spawn(C0, flags[v[0]]);
	if (ret < 0)
		child->turn = TURN_NONE;
	result(&self->out, ret > 0 ? 1 : ret);
}

static void do_exec(enum actor me)
{
	static char number[] = "0";
	char *argv[] = { "seccomp_api", "--actor", number, NULL }, *env[] = { NULL };

	number[0] = (char)('0' + me);
	result(&SHM->actor[me].out, infra(SYS_execveat, FD_EXE, "", argv, env, 0x1000 /* AT_EMPTY_PATH */));
}

/* The program that an actor made of itself. */
static void exec_done(enum actor me)
{
	struct actor_state *self = &SHM->actor[me];
	pid_t pid = (pid_t)infra(SYS_getpid);
	int a;

	/* The other threads are gone, and the one that is left has the process's id. */
	for (a = 0; a < ACTORS; a++)
		if (a != (int)me && SHM->actor[a].pid == pid)
			SHM->actor[a].turn = TURN_NONE;
	if (me == C0 && self->pid != SHM->pid[PS] && self->process != PC) {
		SHM->listener_fd[PC] = SHM->listener_fd[self->process];
		self->process = PC;
	}
	memory_map();
	log_add(&self->out, "ok,mode=%ld,nnp=%ld", infra(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0),
		infra(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void get_listener(enum actor me, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	long pidfd = infra(SYS_pidfd_open, SHM->pid[v[0]], 0), fd;

	if (pidfd < 0) {
		log_add(&self->out, "pidfd ");
		result(&self->out, pidfd);
		return;
	}
	fd = infra(SYS_pidfd_getfd, pidfd, SHM->listener_fd[v[0]], 0);
	infra(SYS_close, pidfd);
	if (fd >= 0)
		SHM->listener_fd[self->process] = (int)fd;
	result(&self->out, fd);
}

static uint64_t id_of(enum id_kind kind)
{
	switch (kind) {
	case ID_FIRST:
		return SHM->first_id;
	case ID_NEXT:
		return SHM->last_id + 1;
	case ID_OTHER:
		return SHM->last_id + 12345;
	default:
		return SHM->last_id;
	}
}

static void receive(enum actor me, int fd, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	struct log *l = &self->out;
	struct seccomp_notif *n = &self->notif;
	const char *ip = "?";
	long ret;
	int i;

	memset(n, 0, sizeof(*n));
	if (v[2] == 1)
		self->buffer[0] = 1;
	if (v[2] == 2)
		self->buffer[sizeof(*n) - 1] = 1;
	ret = do_ioctl(v[0], fd, SECCOMP_IOCTL_NOTIF_RECV, addr_of(v[1], n));
	result(l, ret);
	if (ret || !is_good(v[1], v[0]))
		return;
	if (!SHM->have_id)
		SHM->first_id = n->id;
	SHM->have_id = true;
	SHM->last_id = n->id;
	if (n->data.instruction_pointer == (uint64_t)call64_ip)
		ip = "P";
	if (n->data.instruction_pointer == (uint64_t)call32_ip)
		ip = "Q";
	log_add(l, ":id%lld,%s,%x,%x,%s,%x", (long long)(n->id - SHM->first_id), pid_name(n->pid), n->data.nr, n->data.arch, ip,
		n->flags);
	for (i = 0; i < 6; i++)
		log_add(l, ",%llx", (unsigned long long)n->data.args[i]);
}

static void answer(enum actor me, int fd, const uint32_t *v)
{
	static const int64_t values[] = { 0, 1, -1, -4095, 7777777, 0x7fffffff, 0x80000000LL, 0x100000000LL };
	struct actor_state *self = &SHM->actor[me];

	self->resp = (struct seccomp_notif_resp){
		.id = id_of(v[1]), .error = (int32_t)v[2], .val = values[v[3] % ARRAY_SIZE(values)], .flags = v[4],
	};
	result(&self->out, do_ioctl(v[0], fd, SECCOMP_IOCTL_NOTIF_SEND, addr_of(v[5], &self->resp)));
}

static void id_valid(enum actor me, int fd, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	uint64_t id = id_of(v[1]);

	memcpy(self->buffer, &id, sizeof(id));
	result(&self->out, do_ioctl(v[0], fd, v[2] ? SECCOMP_IOR(2, uint64_t) : SECCOMP_IOCTL_NOTIF_ID_VALID,
				    addr_of(v[3], self->buffer)));
}

static void add_fd(enum actor me, int fd, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	int source = -1;

	switch (v[3]) {
	case SOURCE_MEM:
		source = FD_MEM;
		break;
	case SOURCE_CLOSED:
		source = FD_CLOSED;
		break;
	case SOURCE_LISTENER:
		source = fd;
		break;
	}
	memset(self->buffer, 0, sizeof(self->buffer));
	self->addfd = (struct seccomp_notif_addfd){
		.id = id_of(v[1]), .flags = v[2], .srcfd = source, .newfd = v[4], .newfd_flags = v[5],
	};
	/* Something in what a larger structure has behind the end of today's. */
	if (v[7] & 0x100)
		self->buffer[sizeof(self->addfd)] = 1;
	result(&self->out, do_ioctl(v[0], fd, _IOC(_IOC_WRITE, SECCOMP_IOC_MAGIC, 3, v[6]), addr_of(v[7] & 0xff, &self->addfd)));
}

static void poll_op(enum actor me, int fd, const uint32_t *v)
{
	struct pollfd p = { fd, (short)v[0], 0 };
	struct log *l = &SHM->actor[me].out;

#ifdef SYS_poll
	result(l, infra(SYS_poll, &p, 1, v[1] ? -1 : 0));
#else
	struct timespec none = { 0, 0 };

	result(l, infra(SYS_ppoll, &p, 1, v[1] ? NULL : &none, NULL, 0));
#endif
	log_add(l, ":%x", p.revents);
}

static void epoll_op(enum actor me, int fd, const uint32_t *v)
{
	struct epoll_event event = { .events = v[0] }, got = { 0 };
	struct log *l = &SHM->actor[me].out;
	long epoll = infra(SYS_epoll_create1, 0), ret;

	ret = infra(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event);
	result(l, ret);
	ret = infra(SYS_epoll_pwait, epoll, &got, 1, 0, NULL);
	log_add(l, ",");
	result(l, ret);
	log_add(l, ":%x", got.events);
	infra(SYS_close, epoll);
}

static void file_op(enum actor me, int fd, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me];
	struct log *l = &self->out;
	char path[40], *at;
	long ret, n;

	switch (v[0]) {
	case FILE_READ:
		result(l, infra(SYS_read, fd, self->buffer, 8));
		break;
	case FILE_WRITE:
		result(l, infra(SYS_write, fd, self->buffer, 8));
		break;
	case FILE_SEEK:
		result(l, infra(SYS_lseek, fd, 0, 0));
		break;
	case FILE_GETFL:
		result(l, infra(SYS_fcntl, fd, F_GETFL, 0));
		break;
	case FILE_GETFD:
		result(l, infra(SYS_fcntl, fd, F_GETFD, 0));
		break;
	case FILE_LINK:
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = infra(SYS_readlinkat, AT_FDCWD, path, self->buffer, 64);
		if (n > 0)
			log_add(l, "%.*s", (int)n, (char *)self->buffer);
		else
			result(l, n);
		break;
	default:
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		ret = infra(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
		n = infra(SYS_read, ret, self->buffer, 500);
		infra(SYS_close, ret);
		self->buffer[n < 0 ? 0 : n] = 0;
		/* Where it stands and how it was opened, then the kernel's own numbers. */
		at = strstr((char *)self->buffer, "mnt_id");
		if (at)
			*at = 0;
		for (at = (char *)self->buffer; n > 0 && *at; at++)
			if (*at == '\n' || *at == '\t')
				*at = ' ';
		log_add(l, "%s", n > 0 ? (char *)self->buffer : "none");
	}
}

static void trace(enum actor me, enum op_kind op, const uint32_t *v)
{
	struct actor_state *self = &SHM->actor[me], *target = &SHM->actor[v[0]];
	struct log *l = &self->out;
	struct { uint64_t off, flags; } *meta = (void *)self->buffer;
	uint64_t hash = 0xcbf29ce484222325ULL;
	int status = 0;
	long ret, i;

	if (target->turn == TURN_NONE) {
		log_add(l, "-");
		return;
	}
	switch (op) {
	case OP_SEIZE:
		ret = infra(SYS_ptrace, PTRACE_SEIZE, target->tid, 0,
			    (v[1] & 1 ? SUSPEND_SECCOMP : 0) | (v[1] & 2 ? PTRACE_O_EXITKILL : 0) |
			    (v[1] & 4 ? PTRACE_O_TRACESECCOMP : 0));
		result(l, ret);
		break;
	case OP_INTERRUPT:
		result(l, infra(SYS_ptrace, PTRACE_INTERRUPT, target->tid, 0, 0));
		break;
	case OP_WAIT:
		ret = infra(SYS_wait4, target->tid, &status, __WALL | WNOHANG, 0);
		result_pid(l, ret);
		if (ret > 0) {
			SHM->trace_status[v[0]] = status;
			log_add(l, ":%x", status);
		}
		break;
	case OP_CONT:
		status = SHM->trace_status[v[0]];
		/* A signal is let through, an event is none. */
		ret = WIFSTOPPED(status) && !(status >> 16) ? WSTOPSIG(status) : 0;
		SHM->trace_status[v[0]] = 0;
		result(l, infra(SYS_ptrace, PTRACE_CONT, target->tid, 0, ret));
		break;
	case OP_DETACH:
		result(l, infra(SYS_ptrace, PTRACE_DETACH, target->tid, 0, 0));
		break;
	case OP_GETFILTER:
		memset(self->insn, 0, sizeof(self->insn));
		ret = infra(SYS_ptrace, PTRACE_SECCOMP_GET_FILTER, target->tid, v[1], addr_of(v[2], self->insn));
		result(l, ret);
		for (i = 0; i < (long)sizeof(self->insn); i++)
			hash = (hash ^ ((unsigned char *)self->insn)[i]) * 0x100000001b3ULL;
		log_add(l, ":%08x", (unsigned int)(hash ^ hash >> 32));
		break;
	default:
		memset(self->buffer, 0x55, 64);
		meta->off = v[2];
		ret = infra(SYS_ptrace, PTRACE_SECCOMP_GET_METADATA, target->tid, v[1], addr_of(v[3], meta));
		result(l, ret);
		log_add(l, ":%llx,%llx", (unsigned long long)meta->off, (unsigned long long)meta->flags);
	}
}

static void step_run(enum actor me, const struct step *s)
{
	struct actor_state *self = &SHM->actor[me];
	struct log *l = &self->out;
	const uint32_t *v = s->v;
	int fd = SHM->listener_fd[self->process];
	struct { uint64_t soft, hard; } limit = { v[0], 4096 };
	long ret;

	switch ((enum op_kind)s->op) {
	case OP_ATTACH:
		attach(me, v);
		break;
	case OP_SECCOMP:
		seccomp_op(me, v);
		break;
	case OP_PRCTL:
		prctl_op(me, v);
		break;
	case OP_NNP:
		result(l, infra(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		break;
	case OP_UID:
		result(l, infra(SYS_setresuid, 65534, 65534, 65534));
		break;
	case OP_CAP:
		drop_sys_admin(l);
		break;
	case OP_USERNS:
		result(l, infra(SYS_unshare, CLONE_NEWUSER));
		break;
	case OP_NOFILE:
		result(l, infra(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
		break;
	case OP_PROBE:
		probe(me, v);
		break;
	case OP_FORK:
		do_fork(me, v);
		break;
	case OP_EXEC:
		do_exec(me);
		break;
	case OP_EXIT:
		infra(v[0] ? SYS_exit_group : SYS_exit, v[1]);
		ILLEGAL();
	case OP_GETFD:
		get_listener(me, v);
		break;
	case OP_RECV:
		receive(me, fd, v);
		break;
	case OP_SEND:
		answer(me, fd, v);
		break;
	case OP_VALID:
		id_valid(me, fd, v);
		break;
	case OP_ADDFD:
		add_fd(me, fd, v);
		break;
	case OP_SETFLAGS:
		result(l, do_ioctl(v[0], fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, v[1] | (uint64_t)v[2] << 32));
		break;
	case OP_IOCTL:
		memset(self->buffer, 0, 256);
		result(l, do_ioctl(v[0], fd, v[1], addr_of(v[2], self->buffer)));
		break;
	case OP_POLL:
		poll_op(me, fd, v);
		break;
	case OP_EPOLL:
		epoll_op(me, fd, v);
		break;
	case OP_FILE:
		file_op(me, fd, v);
		break;
	case OP_DUP:
		ret = infra(SYS_dup, fd);
		result(l, ret);
		if (ret >= 0 && v[0])
			SHM->listener_fd[self->process] = (int)ret;
		break;
	case OP_CLOSE:
		result(l, infra(SYS_close, fd));
		break;
	case OP_SIGNAL:
		if (SHM->actor[v[0]].turn == TURN_NONE)
			log_add(l, "-");
		else
			result(l, infra(SYS_tgkill, SHM->actor[v[0]].pid, SHM->actor[v[0]].tid, v[1]));
		break;
	default:
		trace(me, s->op, v);
	}
}

void actor_loop(enum actor me)
{
	struct actor_state *self = &SHM->actor[me];

	/* After an execve() that was asked for, the turn is still ours. */
	self->pid = (pid_t)infra(SYS_getpid);
	/* With this the supervisor can find us. */
	__atomic_store_n(&self->tid, (pid_t)infra(SYS_gettid), __ATOMIC_SEQ_CST);
	if (self->process == PC)
		SHM->pid[PC] = self->pid;
	signals_set();
	if (self->turn == TURN_GO && self->step.op == OP_EXEC)
		exec_done(me);
	for (;;) {
		__atomic_store_n(&self->turn, TURN_IDLE, __ATOMIC_SEQ_CST);
		futex_wake(&self->turn);
		while (self->turn == TURN_IDLE)
			infra(SYS_futex, &self->turn, FUTEX_WAIT, TURN_IDLE, NULL, NULL);
		step_run(me, &self->step);
	}
}

static __attribute__((noreturn)) void process_start(enum process process, enum actor leader, enum actor last)
{
	enum actor a;

	for (a = leader; a <= last; a++)
		SHM->actor[a].process = process;
	SHM->pid[process] = (pid_t)infra(SYS_getpid);
	infra(SYS_setpgid, 0, 0);
	if (SHM->plan.nnp && process == PS)
		infra(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (a = leader + 1; a <= last; a++)
		actor_spawn(a, THREAD_FLAGS);
	actor_loop(leader);
}

void subject_main(void)
{
	process_start(PS, S0, S0 + SHM->plan.threads - 1);
}

void listener_main(void)
{
	process_start(PL, L0, SHM->plan.second_listener ? L1 : L0);
}

void tracer_main(void)
{
	process_start(PX, X0, X0);
}
