/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of how long filters live have in common. */
#ifndef LIFETIME_H
#define LIFETIME_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../seccomp_log/call_regs.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The exit status of a child that could not prepare itself. */
#define NOT_READY	97

#define LISTENS		SECCOMP_FILTER_FLAG_NEW_LISTENER
#define LISTENS_KILLABLE (LISTENS | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

/* Attaches a filter that answers @nr with @ret. Returns what seccomp(2) does, or -errno. */
static inline int attach(int nr, unsigned int ret, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ret),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };
	int result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);

	return result < 0 ? -errno : result;
}

/* fork(2) without the C library's part in it. */
static inline pid_t plain_fork(void)
{
	return syscall(__NR_clone, CLONE_ARGS(SIGCHLD, NULL), NULL, NULL, NULL);
}

/* A number out of a task's status; -1 where there is no such line. */
static inline long status_number(pid_t pid, pid_t tid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	fclose(file);
	return value;
}

/* Waits until a task sleeps in system call @nr, as /proc has it. */
static inline void await_sleep_in(pid_t pid, pid_t tid, long nr)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		if (n < 0)
			return;
		text[n] = '\0';
		if (strncmp(text, "running", 7) && strtol(text, NULL, 10) == nr)
			return;
		sched_yield();
	}
}

/* How many descriptors this process has. */
static inline int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Does a listener say that nobody has its filter any more? */
static inline int is_orphaned(int listener)
{
	struct pollfd p = { listener, POLLIN, 0 };

	poll(&p, 1, 0);
	return !!(p.revents & POLLHUP);
}

/* Fetches descriptor @fd of another process, or returns -1. */
static inline int fetch_fd(pid_t pid, int fd)
{
	int pidfd = syscall(__NR_pidfd_open, pid, 0), result;

	if (pidfd < 0)
		return -1;
	result = syscall(__NR_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return result;
}

#endif
