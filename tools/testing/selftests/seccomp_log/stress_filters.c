// SPDX-License-Identifier: GPL-2.0
/*
 * Stress of the filters' life: attached by several threads at once, given to
 * all by TSYNC, inherited, read by a tracer, answered for by several
 * listeners, and all of it cut short by SIGKILL. The listener of the oldest
 * filter tells whether anybody still has it: with the last task it has to say
 * so, or a user was counted too many; before, a user too few.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "stress.h"

#ifndef PTRACE_SECCOMP_GET_METADATA
#define PTRACE_SECCOMP_GET_METADATA 0x420d
#endif

#define CALL		__NR_getppid
#define NR_THREADS	3
#define MOST_FILTERS	200
/* In the first argument, for the answer to be known by. */
#define CROSS		0x5a5a5a5aUL

/* Answers @nr with @ret; @pad more instructions make programs differ. */
static int attach_padded(int nr, unsigned int ret, unsigned int flags, unsigned int pad)
{
	struct sock_filter code[16] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ret),
	};
	struct sock_fprog prog = { .len = 4 + pad % 12, .filter = code };
	int i, result;

	for (i = 3; i < prog.len; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	return result < 0 ? -errno : result;
}

static int is_orphaned(int listener)
{
	struct pollfd p = { listener, POLLIN, 0 };

	poll(&p, 1, 0);
	return !!(p.revents & POLLHUP);
}

/* A process of its own with the oldest filter of all, whose listener we hold. */
struct group {
	pid_t pid;
	int listener;
	int go[2];
	volatile int *fd;
	unsigned int random;
};

/* In the parent's turn: the listener is fetched while the child waits for the go. */
static int group_start(struct group *group, unsigned int *random, int nr, void (*run)(struct group *))
{
	char byte = 0;
	int ready[2], pidfd;

	group->random = choose(random, 1 << 20);
	if (pipe(group->go) || pipe(ready))
		return -1;
	group->fd[0] = -1;
	group->pid = fork();
	if (group->pid < 0)
		return -1;
	if (!group->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		group->fd[0] = attach_padded(nr, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0);
		if (group->fd[0] < 0 || write(ready[1], &byte, 1) != 1 || read(group->go[0], &byte, 1) != 1)
			_exit(NOT_READY);
		close(group->fd[0]);
		run(group);
		_exit(0);
	}
	close(group->go[0]);
	close(ready[1]);
	group->listener = -1;
	if (read(ready[0], &byte, 1) == 1) {
		pidfd = syscall(__NR_pidfd_open, group->pid, 0);
		group->listener = syscall(__NR_pidfd_getfd, pidfd, group->fd[0], 0);
		close(pidfd);
	}
	close(ready[0]);
	if (group->listener < 0 || write(group->go[1], &byte, 1) != 1) {
		kill(group->pid, SIGKILL);
		waitpid(group->pid, NULL, 0);
		return -1;
	}
	return 0;
}

/* All that the group left behind comes to us, the subreaper. */
static void group_end(struct tally *tally, struct group *group, bool killed)
{
	int status = 0, last = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)
		if (pid == group->pid)
			last = status;
	if (killed ? last != SIGKILL && last != 0 : last != 0)
		WRONG("a group ended with status %x", last);
	if (!is_orphaned(group->listener))
		WRONG("somebody who is gone still has a filter");
	close(group->listener);
	close(group->go[1]);
}

static void *attach_for_a_while(void *arg)
{
	struct group *group = arg;
	unsigned int random = group->random + syscall(__NR_gettid), flags, i;
	int ret;

	for (i = 0; i < MOST_FILTERS / NR_THREADS; i++) {
		flags = choose(&random, 2) ? SECCOMP_FILTER_FLAG_TSYNC : 0;
		if (choose(&random, 2))
			flags |= SECCOMP_FILTER_FLAG_LOG;
		if (flags & SECCOMP_FILTER_FLAG_TSYNC && choose(&random, 2))
			flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
		ret = attach_padded(CALL, SECCOMP_RET_ALLOW, flags, choose(&random, 12));
		/* One that has a filter of its own is in the way, and told of by its id. */
		if (ret < 0 && ret != -ESRCH)
			group->fd[1] = ret;
		if (ret > 0 && !(flags & SECCOMP_FILTER_FLAG_TSYNC))
			group->fd[1] = ret;
		if (choose(&random, 16) == 0 && fork() == 0)
			_exit(0);
	}
	return NULL;
}

static void attach_in_threads(struct group *group)
{
	pthread_t thread[NR_THREADS];
	int i;

	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], NULL, attach_for_a_while, group))
			_exit(NOT_READY);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
}

void attachers(struct tally *tally, unsigned int *random)
{
	struct group group = { .fd = share(4096) };
	unsigned int patience;
	bool killed;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (group.fd && go_on()) {
		group.fd[1] = 0;
		if (group_start(&group, random, __NR_getsid, attach_in_threads)) {
			WRONG("no group");
			continue;
		}
		killed = choose(random, 2);
		if (killed) {
			for (patience = choose(random, 200); patience; patience--)
				sched_yield();
			kill(group.pid, SIGKILL);
		}
		group_end(tally, &group, killed);
		if (group.fd[1])
			WRONG("an attach returned %d", group.fd[1]);
		one_more(tally);
	}
}

/* Apart, because what comes back twice must not find its variables changed. */
static __attribute__((noinline)) void child_in_our_memory(void)
{
	if (vfork() == 0)
		_exit(0);
}

/* Children of children, each with a filter more, that end in any order. */
static void fork_deep(struct group *group)
{
	unsigned int depth, n;

	for (depth = 0; depth < 8; depth++) {
		if (attach_padded(CALL, SECCOMP_RET_ALLOW, 0, depth))
			_exit(NOT_READY);
		for (n = choose(&group->random, 3); n; n--) {
			switch (choose(&group->random, 3)) {
			case 0:
				if (fork() == 0)
					_exit(0);
				break;
			case 1:
				child_in_our_memory();
				break;
			default:
				if (fork() == 0)
					goto next;
			}
		}
		continue;
next:
		group->random++;
	}
}

void forkers(struct tally *tally, unsigned int *random)
{
	struct group group = { .fd = share(4096) };
	unsigned int patience;
	bool killed;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (group.fd && go_on()) {
		if (group_start(&group, random, __NR_getsid, fork_deep)) {
			WRONG("no group");
			continue;
		}
		killed = choose(random, 2);
		if (killed) {
			for (patience = choose(random, 100); patience; patience--)
				sched_yield();
			kill(group.pid, SIGKILL);
		}
		group_end(tally, &group, killed);
		one_more(tally);
	}
}

/* A thread is stopped and has its filters read, another one gives it more of them. */
static void attach_to_all(struct group *group)
{
	unsigned int i;
	pthread_t thread;

	if (pthread_create(&thread, NULL, attach_for_a_while, group))
		_exit(NOT_READY);
	/* Never in the way of TSYNC: what this thread has, it has from the other. */
	for (i = 0; i < 100000 && !group->fd[2]; i++)
		sched_yield();
	pthread_join(thread, NULL);
}

static void read_filters(struct tally *tally, pid_t pid)
{
	struct { uint64_t off, flags; } meta;
	struct sock_filter code[64];
	long n, off;

	for (off = 0; off < MOST_FILTERS + 2; off++) {
		memset(code, 0, sizeof(code));
		n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, off, NULL);
		if (n < 0 && errno == ENOENT)
			break;
		if (n < 4 || n > 16) {
			WRONG("a filter has %ld instructions, error %d", n, errno);
			break;
		}
		/* Which one it is may change from one request to the next, what it looks like not. */
		n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, off, code);
		if (n < 4 || n > 16 || code[0].code != (BPF_LD | BPF_W | BPF_ABS) ||
		    code[n - 1].code != (BPF_RET | BPF_K) || code[n].code)
			WRONG("a filter of %ld instructions is not one of ours", n);
		meta.off = off;
		n = ptrace(PTRACE_SECCOMP_GET_METADATA, pid, sizeof(meta), &meta);
		if (n != sizeof(meta) || meta.flags & ~SECCOMP_FILTER_FLAG_LOG)
			WRONG("a filter's data: %ld, flags %llx", n, (unsigned long long)meta.flags);
	}
	if (!off)
		WRONG("no filter could be read");
}

void filter_readers(struct tally *tally, unsigned int *random)
{
	struct group group = { .fd = share(4096) };
	int status;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (group.fd && go_on()) {
		group.fd[1] = group.fd[2] = 0;
		if (group_start(&group, random, __NR_getsid, attach_to_all)) {
			WRONG("no group");
			continue;
		}
		if (ptrace(PTRACE_SEIZE, group.pid, 0, 0)) {
			/* It can be at its end already. */
			group_end(tally, &group, false);
			continue;
		}
		while (!ptrace(PTRACE_INTERRUPT, group.pid, 0, 0)) {
			if (waitpid(group.pid, &status, __WALL) != group.pid || !WIFSTOPPED(status))
				break;
			read_filters(tally, group.pid);
			if (is_orphaned(group.listener))
				WRONG("nobody is said to have the filter of a task that is stopped");
			if (choose(random, 8) == 0)
				group.fd[2] = 1;
			if (choose(random, 16) == 0)
				kill(group.pid, SIGKILL);
			ptrace(PTRACE_CONT, group.pid, 0, 0);
			one_more(tally);
		}
		group.fd[2] = 1;
		kill(group.pid, SIGKILL);
		group_end(tally, &group, true);
	}
}

/* Calls of several threads, answered by several listeners, by signals held up. */
static void *call_crosswise(void *arg)
{
	struct group *group = arg;
	unsigned long number = (unsigned long)syscall(__NR_gettid) << 8;
	unsigned int i;
	long ret;

	for (i = 0; i < 100; i++, number++) {
		ret = syscall(CALL, number);
		if (ret < 0 ? errno != EINTR : ret != (long)(number ^ CROSS))
			group->fd[1] = ret < 0 ? -errno : 1;
	}
	return NULL;
}

static void ignore_it(int sig)
{
}

static void call_in_threads(struct group *group)
{
	struct sigaction action = { .sa_handler = ignore_it };
	pthread_t thread[NR_THREADS];
	int i;

	sigaction(SIGUSR1, &action, NULL);
	group->fd[3] = 1;
	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], NULL, call_crosswise, group))
			_exit(NOT_READY);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
}

struct answering {
	struct tally *tally;
	int listener;
	unsigned int random;
};

static void *answer_crosswise(void *arg)
{
	struct answering *answering = arg;
	struct tally *tally = answering->tally;
	struct seccomp_notif_resp answer;
	struct seccomp_notif_addfd add;
	struct seccomp_notif request;

	for (;;) {
		memset(&request, 0, sizeof(request));
		if (ioctl(answering->listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
			if (errno != ENOENT && errno != EINTR)
				WRONG("receiving failed with %d", errno);
			if (is_orphaned(answering->listener))
				return NULL;
			continue;
		}
		memset(&add, 0, sizeof(add));
		add.id = request.id;
		if (choose(&answering->random, 4) == 0 && ioctl(answering->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 &&
		    errno != ENOENT && errno != EMFILE && errno != ESRCH)
			WRONG("adding a descriptor failed with %d", errno);
		memset(&answer, 0, sizeof(answer));
		answer.id = request.id;
		answer.val = request.data.args[0] ^ CROSS;
		/* The one who asked may be gone or interrupted, but nobody else has answered. */
		if (ioctl(answering->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) && errno != ENOENT)
			WRONG("an answer failed with %d", errno);
	}
}

void crossed_answers(struct tally *tally, unsigned int *random)
{
	struct group group = { .fd = share(4096) };
	struct answering answering = { .tally = tally };
	pthread_t thread[2];
	bool killed, early;
	unsigned int i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (group.fd && go_on()) {
		group.fd[1] = group.fd[3] = 0;
		if (group_start(&group, random, CALL, call_in_threads)) {
			WRONG("no group");
			continue;
		}
		killed = choose(random, 2);
		early = choose(random, 2);
		answering.listener = group.listener;
		answering.random = choose(random, 1 << 20);
		if (early && killed)
			kill(group.pid, SIGKILL);
		for (i = 0; i < 2; i++)
			if (pthread_create(&thread[i], NULL, answer_crosswise, &answering))
				_exit(NOT_READY);
		for (i = choose(random, 200); i; i--) {
			if (group.fd[3])
				kill(group.pid, SIGUSR1);
			sched_yield();
		}
		if (killed)
			kill(group.pid, SIGKILL);
		for (i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
		group_end(tally, &group, killed);
		if (group.fd[1])
			ESCAPED("a call got the answer of another, or error %d", -group.fd[1]);
		one_more(tally);
	}
}
