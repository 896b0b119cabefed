// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs that a listener decides about a system call: notify
 *
 * Prints lines "CASE COST": the instructions from before a getpid(2) to after it,
 * of the process that calls it and of its supervisor, and the switches between
 * them. The supervisor is not under the filter. COST is the median of ROUNDS, and
 * the least of PROCESSES such medians.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>

#include "bench.h"

#define ROUNDS 501
#define WARM_UP 50
#define PROCESSES 3
#define VALUE 4711

/* What the supervisor does between receiving a notification and the next one. */
struct how {
	const char *name;
	uint64_t listener_flags;
	/* Times that it asks whether the notification is still valid. */
	int validate;
	/* A file for the caller, and how. */
	int add;
	uint32_t add_flags;
};

static const struct how cases[] = {
	{ .name = "plain" },
	{ .name = "sync", .listener_flags = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP },
	{ .name = "valid", .validate = 1 },
	{ .name = "addfd", .add = 1 },
	{ .name = "addfd-set", .add = 1, .add_flags = SECCOMP_ADDFD_FLAG_SETFD },
	{ .name = "addfd-send", .add = 1, .add_flags = SECCOMP_ADDFD_FLAG_SEND },
};

#define CASES ((int)(sizeof(cases) / sizeof(*cases)))

static void decide(int listener, const struct how *how, int file, int target)
{
	struct seccomp_notif request = { 0 };
	struct seccomp_notif_resp response = { .val = VALUE };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
		_exit(0);
	for (int i = 0; i < how->validate; i++)
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id))
			err(1, "id_valid");
	if (how->add) {
		struct seccomp_notif_addfd addfd = {
			.id = request.id,
			.flags = how->add_flags,
			.srcfd = file,
			.newfd = how->add_flags & SECCOMP_ADDFD_FLAG_SETFD ? target : 0,
		};
		int fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);

		if (fd < 0)
			err(1, "addfd");
		if (how->add_flags & SECCOMP_ADDFD_FLAG_SEND)
			return;
		response.val = fd;
	}
	response.id = request.id;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response))
		err(1, "send");
}

static void supervise(const struct how *how, pid_t caller, const int *pipe_fds)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd = pidfd_open(caller, 0), listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(pipe_fds[0], &listener, sizeof(listener)) != sizeof(listener))
		err(1, "read");
	listener = pidfd < 0 ? -1 : pidfd_getfd(pidfd, listener, 0);
	if (listener < 0 || file < 0)
		err(1, "the listener");
	if (how->listener_flags &&
	    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, how->listener_flags))
		err(1, "set_flags");
	for (;;)
		decide(listener, how, file, pipe_fds[0]);
}

static uint64_t call_once(const struct how *how)
{
	uint64_t start = counter(), end;
	long ret = syscall(__NR_getpid);

	end = counter();
	if (how->add ? ret < 0 : ret != VALUE)
		errx(1, "getpid(2) returns %ld", ret);
	if (how->add && !(how->add_flags & SECCOMP_ADDFD_FLAG_SETFD))
		close(ret);
	return end - start;
}

static void call(const struct how *how, uint64_t *costs)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getpid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(insns) / sizeof(*insns), .filter = insns };
	pid_t caller = getpid();
	int pipe_fds[2], listener;

	become_real_time();
	give_up_privileges();
	if (pipe(pipe_fds))
		err(1, "pipe");
	if (!fork_or_die())
		supervise(how, caller, pipe_fds);
	listener = attach(&prog, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (write(pipe_fds[1], &listener, sizeof(listener)) != sizeof(listener))
		err(1, "write");
	for (int i = -WARM_UP; i < ROUNDS; i++) {
		uint64_t cost = call_once(how);

		if (i >= 0)
			costs[i] = cost;
	}
}

/* The median of one more process. */
static uint64_t run(const struct how *how)
{
	static uint64_t *costs;
	pid_t pid;

	if (!costs)
		costs = shared_memory(ROUNDS * sizeof(*costs));
	pid = fork_or_die();
	if (!pid) {
		call(how, costs);
		_exit(0);
	}
	await_success(how->name, pid);
	return median(costs, ROUNDS);
}

int main(void)
{
	uint64_t least[CASES], cost;

	memset(least, 0xff, sizeof(least));
	for (int process = 0; process < PROCESSES; process++)
		for (int i = 0; i < CASES; i++) {
			cost = run(&cases[i]);
			if (cost < least[i])
				least[i] = cost;
		}
	for (int i = 0; i < CASES; i++)
		printf("%s %llu\n", cases[i].name, (unsigned long long)least[i]);
	return 0;
}
