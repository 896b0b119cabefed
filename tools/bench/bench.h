/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs of make bench have in common: exact counts, processes that
 * nothing disturbs, and filters as programs attach them.
 */

#ifndef BENCH_H
#define BENCH_H

#include <err.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* Of how many instructions counter() knows. */
#ifdef __riscv
# define COUNTER_STEP	100
#else
# define COUNTER_STEP	1
#endif

/*
 * A clock that user space can read, in nanoseconds, which under QEMU's
 * -icount shift=0 are instructions: on x86-64 the time stamp counter; on arm64 the
 * virtual counter, which make bench has count so fast; on riscv64 the timer, which
 * counts ten in a microsecond; on s390x the time of day, which counts 4096 in one.
 */
static inline uint64_t counter(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __rdtsc();
#elif defined(__aarch64__)
	uint64_t value;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(value) :: "memory");
	return value;
#elif defined(__riscv)
	uint64_t value;

	asm volatile("rdtime %0" : "=r"(value) :: "memory");
	return value * COUNTER_STEP;
#elif defined(__s390x__)
	uint64_t value;

	asm volatile("stckf %0" : "=Q"(value) :: "memory", "cc");
	/* Without the years, so that there is room. */
	return ((value & ((1ULL << 56) - 1)) * 125) >> 9;
#else
# error "the benchmarks do not know this architecture"
#endif
}

static inline int compare_counts(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_counts);
	return values[count / 2];
}

/* Memory that is still the same one after fork(2). */
static inline void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	return memory;
}

/*
 * From here on nothing else runs on the only CPU, unless this process or one
 * that it makes waits for it.
 */
static inline void become_real_time(void)
{
	struct sched_param priority = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		err(1, "real-time priority");
}

/*
 * Sleeps until a tick of the timer has just passed, so that as many of them as
 * ever fall into what is measured next. What the kernel's threads have left to do
 * is done meanwhile.
 */
static inline void await_tick(void)
{
	const long period = 4000000, past = 200000;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	/* Two ticks on, because this one might be over before it has begun. */
	until.tv_nsec = (until.tv_nsec / period + 2) * period + past;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static inline void give_up_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(1, "no_new_privs");
}

/*
 * Makes @pid, or the next one that is free, that of the next process. Where pids
 * are alone in a block of 64, the kernel takes memory for it and gives it back
 * with each process.
 */
static inline void choose_pid(pid_t pid)
{
	FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (!file || fprintf(file, "%d", pid - 1) < 0 || fclose(file))
		err(1, "ns_last_pid");
}

/* In the middle of a block. */
#define FIRST_PID (312 * 64 + 8)

static inline pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	return pid;
}

static inline void await_success(const char *what, pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "%s: ended with status %#x", what, status);
}

static inline int attach(const struct sock_fprog *prog, unsigned int flags)
{
	int ret = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);

	if (ret < 0)
		err(1, "a filter of %u instructions", prog->len);
	return ret;
}

enum shape { LIST, TREE };

/*
 * Makes @prog a filter of @len instructions that allows what the programs here
 * call: for 5 instructions a list of two calls that are refused, beyond that what
 * programs for containers and sandboxes generate. Both conventions have a
 * section, in which the calls that are allowed are looked for one after the
 * other, or in a tree of comparisons.
 */
void make_filter(struct sock_fprog *prog, unsigned int len, enum shape shape);

/* Makes @prog what the file @path has in it. */
void load_filter(struct sock_fprog *prog, const char *path);

/*
 * A process that is under @count filters as long as its parent lives. Programs
 * share what memory the JIT has: the first one to come or the last one to go would
 * cost what has nothing to do with it.
 */
void keep_filters(int count);

#endif
