// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program under a seccomp filter and says what it costs:
 *
 *	under RUNS ROOT PROFILE|- PROGRAM [ARGUMENT...]
 *
 * PROFILE is a classic BPF program as libseccomp exports it, "-" for no filter.
 * PROGRAM runs in ROOT, without output, RUNS times; the median of the
 * nanoseconds of CPU that it took from its execve(2) to its exit is printed.
 * Under QEMU's -icount these are instructions: user space, kernel, and the few
 * timer interrupts in between.
 */

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

static struct sock_filter insns[BPF_MAXINSNS];
static struct sock_fprog prog = { .filter = insns };

static uint64_t cpu_time(clockid_t clock)
{
	struct timespec used;

	if (clock_gettime(clock, &used))
		err(1, "clock_gettime");
	return used.tv_sec * 1000000000ULL + used.tv_nsec;
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, insns, sizeof(insns));

	if (size <= 0 || size % sizeof(*insns))
		err(1, "%s", path);
	prog.len = size / sizeof(*insns);
	close(fd);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char *argv[])
{
	struct sched_param priority = { .sched_priority = 1 };
	int runs = argc < 5 ? 0 : atoi(argv[1]);
	uint64_t *before, *used;

	if (runs < 1)
		errx(2, "usage: under RUNS ROOT PROFILE|- PROGRAM [ARGUMENT...]");
	if (strcmp(argv[3], "-"))
		load(argv[3]);
	used = calloc(runs, sizeof(*used));
	before = mmap(NULL, sizeof(*before), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!used || before == MAP_FAILED)
		err(1, "memory");

	/* The first run warms up what the others find warm. */
	for (int i = -1; i < runs; i++) {
		pid_t pid = fork();
		siginfo_t info;
		clockid_t clock;
		int status;

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			int null = open("/dev/null", O_RDWR);
			char *environment[] = { "LC_ALL=C", NULL };

			/* The same addresses in each run. */
			personality(ADDR_NO_RANDOMIZE);
			if (sched_setscheduler(0, SCHED_FIFO, &priority))
				err(1, "real-time priority");
			if (chroot(argv[2]) || chdir("/"))
				err(1, "%s", argv[2]);
			dup2(null, 0);
			dup2(null, 1);
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
				err(1, "no_new_privs");
			if (prog.len && syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
				err(1, "attach the filter");
			*before = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
			execve(argv[4], argv + 4, environment);
			err(127, "%s", argv[4]);
		}
		/* The clock of a process can be read until somebody reaps it. */
		if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) || clock_getcpuclockid(pid, &clock))
			err(1, "wait");
		if (i >= 0)
			used[i] = cpu_time(clock) - *before;
		if (waitpid(pid, &status, 0) != pid || status)
			errx(1, "%s: ended with status %#x", argv[4], status);
	}
	qsort(used, runs, sizeof(*used), compare);
	printf("%llu %llu %llu\n", (unsigned long long)used[runs / 2],
	       (unsigned long long)used[0], (unsigned long long)used[runs - 1]);
	return 0;
}
