/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: random seccomp cases, each run in a child, each told in one line.
 *
 * The same seed gives the same cases. Two kernels whose seccomp behaves alike
 * print the same lines, so a line may hold nothing that depends on time, pids,
 * addresses or on who wins a race.
 *
 * Roles in a case:
 *   supervisor  the process that makes the cases, waits and prints
 *   subject     the process under filters, one to four threads
 *   forked      a child that the subject forks under its filters
 *   tracer      attaches to the subject, follows a script
 *   listener    owns the user notification descriptor, follows a script
 */
#ifndef ORACLE_H
#define ORACLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "machine.h"
#include "rng.h"

/* Newer than some distributions' headers; the values are the kernel's ABI. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

#define MAX_THREADS	4
#define MAX_PROBES	4
#define MAX_FILTERS	8
#define MAX_STEPS	24
#define MAX_SCRIPT	4
#define LOG_SIZE	4096
#define BATCH		50	/* cases that share actions_logged and audit's switch */

/* Descriptors that every subject has; the numbers are part of the cases. */
#define FD_MEM		20	/* a memfd, its size and position are effects */
#define FD_PIPE		21	/* the write end of a pipe that the supervisor reads */

/* Below 4 GiB, so that an i386 call can point into it. */
#define SHM_ADDR	0x20000000UL

enum abi {
	ABI_64,		/* syscall instruction; a number with bit 30 is an x32 one */
	ABI_32,		/* int $0x80 */
	ABI_VSYSCALL,	/* a call into the vsyscall page */
};

struct probe {
	enum abi abi;
	const char *name;
	uint32_t nr;
	uint64_t args[6];
};

enum shape {
	SHAPE_NR,	/* the number alone, any arch: what the allow cache can learn */
	SHAPE_ARCH_NR,	/* arch, then number */
	SHAPE_ARG,	/* number, then the low half of an argument */
	SHAPE_ARG_HI,	/* number, then the high half of an argument */
	SHAPE_IP,	/* the instruction pointer */
	SHAPE_TWO,	/* two numbers, two actions */
	SHAPE_ALU,	/* data computed from an argument */
	SHAPE_BIT,	/* the x32 bit of the number */
	SHAPE_NUMBER,	/* a number that a tracer makes of another */
	SHAPE_REST,	/* everything but what the subject needs to carry on */
	SHAPE_ALL,	/* everything, the subject's own calls too */
	SHAPE_MAX,
};

struct filter {
	enum shape shape;
	uint32_t ret[2];	/* the 32 bits returned on a match, and on a second one */
	uint32_t flags;		/* SECCOMP_FILTER_FLAG_* */
	bool compat;		/* installed through int $0x80 */
	unsigned char probe[2];
	unsigned char arg;	/* which argument SHAPE_ARG* and SHAPE_ALU load */
	uint16_t op;		/* BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET */
	uint32_t k;
};

enum step_kind {
	STEP_NONE,
	STEP_INSTALL,	/* filter x */
	STEP_PROBE,	/* probe x */
	STEP_FORK,	/* probe x in a forked child */
	STEP_BREAK,	/* int3: a stop for the tracer without a system call */
	STEP_AVAIL,	/* SECCOMP_GET_ACTION_AVAIL of value */
	STEP_OP,	/* seccomp(x, value, NULL or a buffer) */
	STEP_STRICT,	/* strict mode, then probe x, then exit */
	STEP_PING,	/* nothing: does the thread still run? */
	STEP_EXIT,
};

struct step {
	unsigned char kind;
	unsigned char thread;
	unsigned char x;
	uint32_t value;
};

enum tracer_act {
	TR_ALLOW,
	TR_NR,		/* another number, from value */
	TR_ARG,		/* another argument */
	TR_SKIP,	/* nr = -1, rax = value */
	TR_SKIP_BARE,	/* nr = -1, rax left as it is */
	TR_DIE,
	TR_KILL,	/* SIGKILL to the subject in the stop */
	TR_SIGNAL,	/* SIGUSR1 to the subject in the stop */
	TR_SUSPEND,	/* PTRACE_O_SUSPEND_SECCOMP from here on */
	TR_RESUME,	/* and off again */
	TR_MAX,
};

struct tracer_step {
	unsigned char act;
	unsigned char arg;
	int64_t value;
};

enum listener_act {
	LI_ERROR,
	LI_VALUE,
	LI_BOTH,	/* an error and a value */
	LI_CONTINUE,
	LI_ADDFD,	/* a descriptor, then its number as the value */
	LI_ADDFD_SEND,
	LI_SETFD,
	LI_SETFD_SEND,
	LI_ADDFD_BAD,	/* a source that is not open, then an error */
	LI_BAD,		/* refused replies (flags, id), then a good one */
	LI_CLOSE,
	LI_KILL,	/* SIGKILL while the subject waits */
	LI_SIGNAL,	/* SIGUSR1 after the notification is received */
	LI_SIGNAL_EARLY,/* SIGUSR1 before it is received */
	LI_MAX,
};

struct listener_step {
	unsigned char act;
	int32_t error;
	int64_t value;
};

enum sys_disp { SYS_DFL, SYS_IGN, SYS_RETURN, SYS_SET_AX };

struct plan {
	uint64_t number;
	unsigned char threads;
	bool nnp, drop_uid, core, spec_line;
	enum sys_disp disp;
	bool sys_blocked, usr1_restart, usr1_pending;
	unsigned char n_probes, n_filters, n_steps;
	struct probe probe[MAX_PROBES];
	struct filter filter[MAX_FILTERS];
	struct step step[MAX_STEPS];
	int aim;		/* the filter that a script waits for, or -1 */
	bool tracer, tr_event, tr_exitkill, tr_suspend, tr_syscall, tr_eat;
	unsigned char n_tracer;
	struct tracer_step tr[MAX_SCRIPT];
	bool listener, li_sync;
	unsigned char n_listener;
	struct listener_step li[MAX_SCRIPT];
	int64_t ax_value;	/* what a SIGSYS handler puts into rax */
};

/* What all the cases of a batch share. */
struct batch {
	unsigned int mask;	/* of actions_logged */
	bool audit;		/* audit_enabled */
};

struct log {
	unsigned int len;
	char text[LOG_SIZE];
};

enum turn { TURN_DEAD, TURN_IDLE, TURN_GO, TURN_GONE };

/* Shared by the supervisor and every role of a case; below 4 GiB. */
struct shm {
	struct plan plan;
	volatile int turn[MAX_THREADS];		/* a futex each; the kernel clears it at thread exit */
	struct step current[MAX_THREADS];
	volatile int ready;			/* futex: threads that are up */
	volatile int tracer_ready;		/* futex */
	volatile int tracer_gone;
	volatile int subject_dead;
	volatile int listener_fd;
	volatile int usr1_count;
	volatile int running;			/* the thread whose turn it is */
	volatile pid_t subject, forked, tid[MAX_THREADS];
	struct log subject_log[MAX_THREADS], forked_log, tracer_log, listener_log;
	struct log tracer_exit[MAX_THREADS];
	struct sock_fprog prog[MAX_FILTERS];
	struct { uint32_t len, filter; } prog32[MAX_FILTERS];
	struct sock_filter insn[MAX_FILTERS][64];
	unsigned char data[256];	/* what the probes point to */
	unsigned char out[1024];
};

#define SHM ((struct shm *)SHM_ADDR)

void log_add(struct log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *ip_name(uint64_t ip);	/* a label for an address, never the address */

void plan_make(struct plan *p, uint64_t seed, uint64_t number);
void batch_make(struct batch *b, uint64_t seed, uint64_t number);
int plan_print(const struct plan *p, char *buf, size_t size);
unsigned int filter_build(const struct plan *p, const struct filter *f, struct sock_filter *insn);
uint32_t random_nr(struct rng *r, enum abi abi);

void subject_main(void) __attribute__((noreturn));
void tracer_main(void) __attribute__((noreturn));
void listener_main(void) __attribute__((noreturn));

void futex_wait(volatile int *word, int value);
void futex_wake(volatile int *word);
void siginfo_log(struct log *l, const void *siginfo);
const char *pid_name(long pid);		/* a role for a pid, never the pid */
const char *value_name(long v);		/* a number, unless it is a time of day */
const char *result_name(long v, const char *ip);
void arg_log(struct log *l, const char *ip, uint64_t arg);
void errno_log(struct log *l, const char *what, long ret);

extern bool core_ok;			/* core_pattern is ours */

int audit_open(bool required);
void audit_close(void);
void audit_enable(bool on);
void audit_exe(const char *path, const char *comm);
/* Reads every record before a marker; those of the given pids are appended to l. */
void audit_collect(struct log *l, pid_t subject, pid_t forked, bool config);

#endif
