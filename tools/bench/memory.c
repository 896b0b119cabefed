// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's memory that a filter takes: memory
 *
 * Prints lines "CASE BYTES": by how much slabs that cannot be reclaimed, vmalloc
 * and per-CPU memory grow when processes attach filters, for one filter; in
 * CASE-slab the slabs alone. As many are attached before, so that there is little
 * room left in the slabs that the kernel has already.
 *
 * What the JIT makes is left out: it lies in blocks of 2 MiB that all programs
 * share, and a few filters more or less take one more.
 */

#define _GNU_SOURCE
#include <string.h>

#include "bench.h"

#define PROCESSES 100
#define BLOCK (2UL << 20)

struct memory {
	long slab, vmalloc, percpu;
};

static FILE *open_or_die(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	return file;
}

static void read_memory(struct memory *memory)
{
	FILE *meminfo = open_or_die("/proc/meminfo"), *areas = open_or_die("/proc/vmallocinfo");
	unsigned long size, pages;
	char line[512], *found;
	int fields = 0;

	*memory = (struct memory){ 0 };
	while (fgets(line, sizeof(line), meminfo))
		fields += sscanf(line, "SUnreclaim: %ld", &memory->slab) == 1 ||
			  sscanf(line, "Percpu: %ld", &memory->percpu) == 1;
	if (fields != 2)
		errx(1, "/proc/meminfo lacks a line");
	memory->slab *= 1024;
	memory->percpu *= 1024;
	while (fgets(line, sizeof(line), areas)) {
		found = strstr(line, " pages=");
		if (found && sscanf(line, "%*s %lu", &size) == 1 && size < BLOCK &&
		    sscanf(found, " pages=%lu", &pages) == 1)
			memory->vmalloc += pages * getpagesize();
	}
	fclose(meminfo);
	fclose(areas);
}

/* One of the processes: attaches @count filters each time that it is told to. */
static void attach_when_told(const struct sock_fprog *prog, int count, int told, int done)
{
	char byte;

	give_up_privileges();
	/* Until the other end is closed. */
	while (read(told, &byte, 1) == 1) {
		for (int i = 0; i < count; i++)
			attach(prog, 0);
		if (write(done, &byte, 1) != 1)
			err(1, "write");
	}
	_exit(0);
}

static void tell_all(const int *tell, int done)
{
	char byte = 0;

	for (int i = 0; i < PROCESSES; i++)
		if (write(tell[i], &byte, 1) != 1 || read(done, &byte, 1) != 1)
			errx(1, "a process attaches no filters");
	/* What the kernel does about it later on is over by then. */
	usleep(500000);
}

/* Filters of @len instructions, @count for each process. */
static void run(unsigned int len, int count)
{
	int tell[PROCESSES], pipe_fds[2], done[2];
	long filters = PROCESSES * count, slab, all;
	struct memory before, after;
	struct sock_fprog prog;
	pid_t pids[PROCESSES];

	make_filter(&prog, len, LIST);
	if (pipe(done))
		err(1, "pipe");
	for (int i = 0; i < PROCESSES; i++) {
		if (pipe(pipe_fds))
			err(1, "pipe");
		tell[i] = pipe_fds[1];
		pids[i] = fork_or_die();
		if (!pids[i]) {
			while (i >= 0)
				close(tell[i--]);
			attach_when_told(&prog, count, pipe_fds[0], done[1]);
		}
		close(pipe_fds[0]);
	}
	close(done[1]);

	tell_all(tell, done[0]);
	read_memory(&before);
	tell_all(tell, done[0]);
	read_memory(&after);

	slab = after.slab - before.slab;
	all = slab + after.vmalloc - before.vmalloc + after.percpu - before.percpu;
	printf("%u-slab %ld\n", len, slab / filters);
	printf("%u %ld\n", len, all / filters);
	fflush(stdout);

	for (int i = 0; i < PROCESSES; i++)
		close(tell[i]);
	close(done[0]);
	for (int i = 0; i < PROCESSES; i++)
		await_success("a process with filters", pids[i]);
	free(prog.filter);
}

int main(void)
{
	run(5, 30);
	run(100, 30);
	/* More in one process would be above the limit of a path. */
	run(1000, 7);
	return 0;
}
