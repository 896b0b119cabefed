// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to attach a filter: attach PROFILE
 *
 * Prints lines "CASE COST": the instructions from before seccomp(2) to after it,
 * as the first filter and as the eighth on top of seven of the same, and with
 * SECCOMP_FILTER_FLAG_TSYNC while there are other threads. PROFILE is a classic BPF
 * program. A filter stays, so that each of the calls has a process of its own;
 * the median of ROUNDS counts.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>

#include "bench.h"

#define ROUNDS 51
#define WARM_UP 5
#define TSYNC_LEN 5

struct attachment {
	struct sock_fprog prog;
	/* How many of them are attached before. */
	int before;
	/* How many threads there are beside the one that attaches. */
	int threads;
};

static uint64_t *shared;
static pthread_barrier_t started;

static void *wait_for_the_end(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&started);
	for (;;)
		pause();
	return NULL;
}

static void start_threads(int count)
{
	pthread_t thread;

	pthread_barrier_init(&started, NULL, count + 1);
	for (int i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, wait_for_the_end, NULL))
			errx(1, "a thread cannot be started");
	pthread_barrier_wait(&started);
	/* Each of them runs until it waits for good. */
	sched_yield();
}

/* All threads are under @filters. */
static void expect_filters(int filters)
{
	char path[300], line[128];
	DIR *threads = opendir("/proc/self/task");
	struct dirent *entry;
	FILE *status;
	int found;

	while (threads && (entry = readdir(threads))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		status = fopen(path, "r");
		found = -1;
		while (status && fgets(line, sizeof(line), status))
			sscanf(line, "Seccomp_filters: %d", &found);
		if (found != filters)
			errx(1, "a thread is under %d filters, not %d", found, filters);
		fclose(status);
	}
	if (!threads)
		err(1, "/proc/self/task");
}

static uint64_t measure(const struct attachment *what)
{
	unsigned int flags = what->threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
	uint64_t start, end;
	int ret;

	become_real_time();
	give_up_privileges();
	for (int i = 0; i < what->before; i++)
		attach(&what->prog, 0);
	if (what->threads)
		start_threads(what->threads);
	await_tick();
	start = counter();
	ret = attach(&what->prog, flags);
	end = counter();
	if (ret)
		errx(1, "seccomp(2) returns %d", ret);
	if (what->threads)
		expect_filters(what->before + 1);
	return end - start;
}

static void run(const char *name, const struct attachment *what)
{
	uint64_t costs[ROUNDS];

	for (int i = -WARM_UP; i < ROUNDS; i++) {
		pid_t pid;

		choose_pid(FIRST_PID + 1);
		pid = fork_or_die();
		if (!pid) {
			*shared = measure(what);
			_exit(0);
		}
		await_success(name, pid);
		if (i >= 0)
			costs[i] = *shared;
	}
	printf("%s %llu\n", name, (unsigned long long)median(costs, ROUNDS));
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		unsigned int len;
		enum shape shape;
	} filters[] = {
		{ "list-5", 5, LIST },
		{ "list-100", 100, LIST },
		{ "list-1000", 1000, LIST },
		{ "tree-100", 100, TREE },
		{ "tree-1000", 1000, TREE },
		{ "profile", 0, LIST },
	};
	static const struct {
		int before, threads;
	} syncs[] = {
		{ 0, 1 }, { 0, 8 }, { 0, 64 }, { 1, 64 },
	};
	struct attachment what = { 0 };
	char name[64];

	if (argc != 2)
		errx(2, "usage: attach PROFILE");
	shared = shared_memory(sizeof(*shared));
	choose_pid(FIRST_PID);
	keep_filters(1);
	setvbuf(stdout, NULL, _IOLBF, 0);

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		if (filters[i].len)
			make_filter(&what.prog, filters[i].len, filters[i].shape);
		else
			load_filter(&what.prog, argv[1]);
		for (what.before = 0; what.before <= 7; what.before += 7) {
			snprintf(name, sizeof(name), "%s-%s", filters[i].name, what.before ? "eighth" : "first");
			run(name, &what);
		}
		free(what.prog.filter);
	}
	make_filter(&what.prog, TSYNC_LEN, LIST);
	for (size_t i = 0; i < sizeof(syncs) / sizeof(*syncs); i++) {
		what.before = syncs[i].before;
		what.threads = syncs[i].threads;
		snprintf(name, sizeof(name), "tsync-%d%s", what.threads, what.before ? "-again" : "");
		run(name, &what);
	}
	return 0;
}
