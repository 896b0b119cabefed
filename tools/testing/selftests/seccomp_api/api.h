/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle of seccomp's interface: random cases of what attaches, listens,
 * traces, forks and ends, each told in one line.
 *
 * A case is a list of steps, each made by one actor. The supervisor gives the
 * turn and waits until every actor has either done what it was told or sleeps
 * in the very system call that it was told to make, so that a line depends on
 * nothing that runs at the same time. It may hold no pid, address or time.
 */
#ifndef API_H
#define API_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <linux/filter.h>
#include <linux/types.h>
#include <linux/seccomp.h>

#include "../seccomp_oracle/machine.h"
#include "../seccomp_oracle/rng.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Newer than some distributions' headers; the values are the kernel's ABI. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

enum actor {
	S0, S1, S2,	/* threads of the process that has filters */
	C0,		/* what that one forks */
	L0, L1,		/* threads of the process that listens */
	X0,		/* one that traces, and to which a listener can be passed on */
	ACTORS,
	SUPERVISOR = ACTORS,
};

/* Processes have descriptors of their own, and with them a listener's. */
enum process { PS, PC, PL, PX, PROCESSES };

enum op_kind {
	/* Of the one who is to have filters. */
	OP_ATTACH, OP_SECCOMP, OP_PRCTL, OP_NNP, OP_UID, OP_CAP, OP_USERNS, OP_NOFILE, OP_PROBE, OP_FORK, OP_EXEC, OP_EXIT,
	/* Of the one who listens. */
	OP_GETFD, OP_RECV, OP_SEND, OP_VALID, OP_ADDFD, OP_SETFLAGS, OP_IOCTL, OP_POLL, OP_EPOLL, OP_FILE, OP_DUP, OP_CLOSE,
	OP_SIGNAL,
	/* Of the one who traces. */
	OP_SEIZE, OP_INTERRUPT, OP_WAIT, OP_CONT, OP_DETACH, OP_GETFILTER, OP_GETMETA,
	/* Of the supervisor. */
	OP_STATUS, OP_KILL,
	OPS,
};

/* How a call is made. */
enum way { WAY_64, WAY_32, WAY_PRCTL, WAY_PRCTL_32, WAYS };

/* Where there is one convention alone, a plan's others are that one. */
static inline bool is_32(enum way way)
{
#ifdef HAS_COMPAT
	return way == WAY_32 || way == WAY_PRCTL_32;
#else
	(void)way;
	return false;
#endif
}

/* Where an argument points to. */
enum addr {
	ADDR_GOOD,
	ADDR_NULL,
	ADDR_LOW,	/* nothing is mapped there */
	ADDR_READ_ONLY,
	ADDR_EDGE,	/* four bytes, then nothing */
	ADDR_KERNEL,
	ADDR_NON_CANONICAL,
	ADDR_HIGH,	/* good but for bit 32, which an i386 call does not pass */
	ADDRS,
};

/* What a filter is made of. */
enum filter_kind {
	FILTER_A,	/* the value for the first probe */
	FILTER_B,	/* the value for the second one */
	FILTER_ALLOW,
	FILTER_LENGTH,	/* as many instructions as the value says */
	FILTER_CODE,	/* the value is an instruction that may be refused */
	FILTER_LOAD,	/* the value is an offset that may be refused */
	FILTER_NO_RET,
	FILTERS,
};

enum fork_kind { FORK_PLAIN, FORK_VFORK, FORK_VM, FORK_FILES, FORK_THREAD, FORKS };

/* Which notification an id is meant to be of. */
enum id_kind { ID_LAST, ID_FIRST, ID_NEXT, ID_OTHER, IDS };

enum source { SOURCE_MEM, SOURCE_NONE, SOURCE_CLOSED, SOURCE_LISTENER, SOURCES };

enum file_op { FILE_READ, FILE_WRITE, FILE_SEEK, FILE_GETFL, FILE_GETFD, FILE_LINK, FILE_INFO, FILE_OPS };

#define MAX_VALUES 8

struct step {
	unsigned char actor, op;
	uint32_t v[MAX_VALUES];
};

#define MAX_STEPS 48

struct plan {
	uint64_t number;
	const char *theme;
	unsigned char threads;	/* of the subject */
	bool listener, second_listener, tracer;
	bool nnp, restart;
	unsigned char n_steps;
	struct step step[MAX_STEPS];
};

enum turn { TURN_NONE, TURN_IDLE, TURN_GO };

#define OUT_SIZE 1024

struct log {
	unsigned int len;
	char text[OUT_SIZE];
};

struct actor_state {
	volatile int turn;		/* futex */
	volatile pid_t tid, pid;
	volatile enum process process;
	struct step step;		/* what it is told */
	struct log out;			/* what it tells */
	struct sock_fprog prog;
	struct { uint16_t len; uint32_t filter; } prog32;
	struct sock_filter insn[BPF_MAXINSNS + 2];
	union {
		unsigned char buffer[4096];
		struct seccomp_notif notif;
		struct seccomp_notif_resp resp;
		struct seccomp_notif_addfd addfd;
		struct seccomp_notif_sizes sizes;
		struct sock_filter read_back[512];
	};
};

/* Shared by all; below 4 GiB, so that an i386 call can point into it. */
struct shm {
	struct plan plan;
	struct actor_state actor[ACTORS];
	volatile int listener_fd[PROCESSES];
	volatile pid_t pid[PROCESSES], supervisor;
	volatile bool have_id;
	volatile uint64_t first_id, last_id;
	volatile int handled;		/* SIGUSR1s */
	volatile int trace_status[ACTORS];
};

#define SHM_ADDR	0x20000000UL
#define SHM		((struct shm *)SHM_ADDR)
#define EDGE_ADDR	0x30000000UL	/* a page, then nothing */
#define READ_ONLY_ADDR	0x30010000UL
#define PAGE		4096UL

/* Descriptors of every process. */
#define FD_SHM	100
#define FD_EXE	101
#define FD_MEM	102
#define FD_CLOSED 199

/* What the two probes are in each convention. */
#define PROBE_A_64	SYS_getppid
#ifdef HAS_COMPAT
#define PROBE_B_64	SYS_getpgrp
#define PROBE_A_32	64
#define PROBE_B_32	65
#else
#define PROBE_B_64	SYS_geteuid	/* getpgid would take an argument for a pid */
#define PROBE_A_32	PROBE_A_64
#define PROBE_B_32	PROBE_B_64
#endif

void log_add(struct log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void plan_make(struct plan *p, uint64_t seed, uint64_t number);
void step_print(struct log *l, const struct step *s);
extern const char *const actor_name[ACTORS + 1];

/* Whether a step may leave its actor asleep in system call @nr. */
bool step_may_sleep(const struct step *s, long nr);
unsigned int step_disturbs(const struct step *s);

void actor_loop(enum actor me) __attribute__((noreturn));
void subject_main(void) __attribute__((noreturn));
void listener_main(void) __attribute__((noreturn));
void tracer_main(void) __attribute__((noreturn));
void memory_map(void);
void futex_wake(volatile int *word);

#endif
