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
#include <fcntl.h>
#include <string.h>
#include <sys/personality.h>

#include "bench.h"

static uint64_t cpu_time(clockid_t clock)
{
	struct timespec used;

	if (clock_gettime(clock, &used))
		err(1, "clock_gettime");
	return used.tv_sec * 1000000000ULL + used.tv_nsec;
}

int main(int argc, char *argv[])
{
	struct sock_fprog prog = { 0 };
	int runs = argc < 5 ? 0 : atoi(argv[1]);
	uint64_t *before, *used;

	if (runs < 1)
		errx(2, "usage: under RUNS ROOT PROFILE|- PROGRAM [ARGUMENT...]");
	if (strcmp(argv[3], "-"))
		load_filter(&prog, argv[3]);
	used = calloc(runs, sizeof(*used));
	before = shared_memory(sizeof(*before));
	if (!used)
		err(1, "memory");

	/* The first run warms up what the others find warm. */
	for (int i = -1; i < runs; i++) {
		pid_t pid = fork_or_die();
		siginfo_t info;
		clockid_t clock;

		if (!pid) {
			int null = open("/dev/null", O_RDWR);
			char *environment[] = { "LC_ALL=C", NULL };

			/* The same addresses in each run. */
			personality(ADDR_NO_RANDOMIZE);
			become_real_time();
			if (chroot(argv[2]) || chdir("/"))
				err(1, "%s", argv[2]);
			dup2(null, 0);
			dup2(null, 1);
			give_up_privileges();
			if (prog.len)
				attach(&prog, 0);
			*before = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
			execve(argv[4], argv + 4, environment);
			err(127, "%s", argv[4]);
		}
		/* The clock of a process can be read until somebody reaps it. */
		if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) || clock_getcpuclockid(pid, &clock))
			err(1, "wait");
		if (i >= 0)
			used[i] = cpu_time(clock) - *before;
		await_success(argv[4], pid);
	}
	printf("%llu ", (unsigned long long)median(used, runs));
	printf("%llu %llu\n",
	       (unsigned long long)used[0], (unsigned long long)used[runs - 1]);
	return 0;
}
