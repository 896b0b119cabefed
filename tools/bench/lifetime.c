// SPDX-License-Identifier: GPL-2.0
/*
 * What filters cost when a process is made and when it ends: lifetime
 *
 * Prints lines "CASE COST", COST in instructions: the median of ROUNDS, and the
 * least of PROCESSES such medians. For each of these there are some filters more
 * elsewhere, so that they do not all fill up the same lists of free objects. N is
 * the number of filters; 0 is what is to be subtracted.
 *
 *	vfork-N	a vfork(2) under N filters, the child's exit(2) and wait4(2)
 *	free-N	from before a process calls exit(2), which nobody shares its N filters
 *		with, to when its parent has waited for it
 *	close-N	a close(2) of the last of N filters' listener after the last process
 *		under them is gone, which frees them
 *
 * What BPF does about a program later on, in a worker of the kernel, falls into
 * none of these. The child of vfork(2) has its parent's memory: a fork(2) takes five
 * times as many instructions, and what copying and freeing takes depends on all
 * that was copied and freed before.
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>

#include "bench.h"

#define ROUNDS 51
#define WARM_UP 10
#define PROCESSES 3
/* More than most cases take. */
#define FILTERS_MORE 9
#define LEN 5

static struct sock_fprog prog;
static uint64_t *shared;

static void attach_all(int count)
{
	give_up_privileges();
	while (count--)
		attach(&prog, 0);
}

static uint64_t vfork_once(int filters)
{
	uint64_t start;
	pid_t pid;

	(void)filters;
	await_tick();
	start = counter();
	pid = vfork();
	if (!pid)
		_exit(0);
	await_success("a child", pid);
	return counter() - start;
}

static uint64_t free_once(int filters)
{
	pid_t pid = vfork();

	if (!pid) {
		attach_all(filters);
		await_tick();
		*shared = counter();
		_exit(0);
	}
	await_success("a child", pid);
	return counter() - *shared;
}

/* The listener of the last of @filters, which no process has any more. */
static int left_listener(int filters)
{
	int ready[2], fd, pidfd;
	pid_t pid;

	if (pipe(ready))
		err(1, "pipe");
	pid = fork_or_die();
	if (!pid) {
		attach_all(filters - 1);
		fd = attach(&prog, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (write(ready[1], &fd, sizeof(fd)) != sizeof(fd))
			err(1, "write");
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &fd, sizeof(fd)) != sizeof(fd))
		errx(1, "there is no listener");
	pidfd = pidfd_open(pid, 0);
	fd = pidfd < 0 ? -1 : pidfd_getfd(pidfd, fd, 0);
	if (fd < 0)
		err(1, "pidfd_getfd");
	close(pidfd);
	close(ready[0]);
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "wait");
	return fd;
}

static uint64_t close_once(int filters)
{
	int fd = filters ? left_listener(filters) : eventfd(0, 0);
	uint64_t start;

	await_tick();
	start = counter();
	if (close(fd))
		err(1, "close");
	return counter() - start;
}

static const struct {
	const char *name;
	uint64_t (*once)(int filters);
	int filters;
	/* Whether they are attached for all the rounds. */
	bool stay;
} cases[] = {
	{ "vfork-0", vfork_once, 0, true },
	{ "vfork-1", vfork_once, 1, true },
	{ "vfork-8", vfork_once, 8, true },
	{ "free-0", free_once, 0, false },
	{ "free-1", free_once, 1, false },
	{ "free-8", free_once, 8, false },
	{ "free-64", free_once, 64, false },
	{ "close-0", close_once, 0, false },
	{ "close-1", close_once, 1, false },
	{ "close-8", close_once, 8, false },
};
#define CASES ((int)(sizeof(cases) / sizeof(*cases)))

/* The median of one more process. */
static uint64_t run(int i)
{
	static uint64_t *costs;
	pid_t pid;

	if (!costs)
		costs = shared_memory(ROUNDS * sizeof(*costs));
	choose_pid(FIRST_PID);
	pid = fork_or_die();
	if (!pid) {
		become_real_time();
		if (cases[i].stay)
			attach_all(cases[i].filters);
		for (int round = -WARM_UP; round < ROUNDS; round++) {
			uint64_t cost;

			choose_pid(FIRST_PID + 1);
			cost = cases[i].once(cases[i].filters);
			if (round >= 0)
				costs[round] = cost;
		}
		_exit(0);
	}
	await_success(cases[i].name, pid);
	return median(costs, ROUNDS);
}

int main(void)
{
	uint64_t least[CASES], cost;

	memset(least, 0xff, sizeof(least));
	shared = shared_memory(sizeof(*shared));
	make_filter(&prog, LEN, LIST);
	for (int process = 0; process < PROCESSES; process++) {
		choose_pid(FIRST_PID - PROCESSES + process);
		keep_filters(process ? FILTERS_MORE : 1);
		for (int i = 0; i < CASES; i++) {
			cost = run(i);
			if (cost < least[i])
				least[i] = cost;
		}
	}
	for (int i = 0; i < CASES; i++)
		printf("%s %llu\n", cases[i].name, (unsigned long long)least[i]);
	return 0;
}
