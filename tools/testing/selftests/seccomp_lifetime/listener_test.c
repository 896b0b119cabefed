// SPDX-License-Identifier: GPL-2.0
/*
 * What a listener may do to a notification, by how far that is: not received,
 * received, answered while its task has not run yet. For that there is to be no
 * chance in it, all run on one CPU, the listener before the others.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "lifetime.h"

#define CALL	__NR_getppid
#define ANSWER	4242

FIXTURE(listener)
{
	pid_t pid;
	int fd;
};

/* Has this thread run before all with a lower @priority, on the first CPU. */
static int run_first(int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ||
	       sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param);
}

/* A child makes calls until one of them returns ANSWER. */
FIXTURE_SETUP(listener)
{
	int pipe_fd[2], fd;

	if (geteuid())
		SKIP(return, "real-time priorities are root's");
	ASSERT_EQ(0, pipe(pipe_fd));
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = attach(CALL, SECCOMP_RET_USER_NOTIF, LISTENS);
		if (run_first(0) || write(pipe_fd[1], &fd, sizeof(fd)) != sizeof(fd))
			_exit(NOT_READY);
		while (syscall(CALL) != ANSWER)
			;
		_exit(0);
	}
	ASSERT_EQ(sizeof(fd), read(pipe_fd[0], &fd, sizeof(fd)));
	ASSERT_LE(0, fd);
	self->fd = fetch_fd(self->pid, fd);
	ASSERT_LE(0, self->fd);
	await_sleep_in(self->pid, self->pid, CALL);
	ASSERT_EQ(0, run_first(10));
}

/* It ends as soon as it is answered. */
FIXTURE_TEARDOWN(listener)
{
	if (!self->pid)
		return;
	kill(self->pid, SIGKILL);
	waitpid(self->pid, NULL, 0);
	run_first(0);
}

static long answer(int fd, __u64 id, long value)
{
	struct seccomp_notif_resp response = { .id = id, .val = value };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response) ? -errno : 0;
}

static long add(int fd, __u64 id, unsigned int flags)
{
	struct seccomp_notif_addfd addfd = { .id = id, .flags = flags };
	long added = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);

	return added < 0 ? -errno : added;
}

/*
 * Answers a call, and waits until the next is made. Its notification has the next id,
 * @id, and can be named before it is received.
 */
static int await_next(int fd, __u64 *id)
{
	struct seccomp_notif request = { };

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) || answer(fd, request.id, 0))
		return -1;
	*id = request.id + 1;
	while (answer(fd, *id, 0) == -ENOENT)
		usleep(1000);
	return 0;
}

TEST_F(listener, nothing_for_what_was_not_received)
{
	__u64 id;

	ASSERT_EQ(0, await_next(self->fd, &id));
	EXPECT_EQ(-EINPROGRESS, answer(self->fd, id, ANSWER));
	EXPECT_EQ(-EINPROGRESS, add(self->fd, id, 0));
	EXPECT_EQ(-EINPROGRESS, add(self->fd, id, SECCOMP_ADDFD_FLAG_SEND));
}

TEST_F(listener, one_answer)
{
	struct seccomp_notif request = { };

	ASSERT_EQ(0, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
	ASSERT_EQ(0, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
	ASSERT_EQ(0, answer(self->fd, request.id, ANSWER));
	/* Its task has not run. */
	EXPECT_EQ(-EINPROGRESS, answer(self->fd, request.id, 0));
	EXPECT_EQ(-EINPROGRESS, add(self->fd, request.id, 0));
	EXPECT_EQ(-1, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(self->pid, waitpid(self->pid, NULL, 0));
}

/* A thread that adds a descriptor, which is the answer, when @go comes. */
struct adder {
	pthread_t thread;
	int fd;
	struct pollfd go;
	__u64 id;
	volatile int ready;
	long result;
};

static void *add_and_answer(void *arg)
{
	struct adder *adder = arg;

	if (run_first(20))
		return NULL;
	adder->ready = 1;
	if (poll(&adder->go, 1, -1) != 1)
		return NULL;
	adder->result = add(adder->fd, adder->id, SECCOMP_ADDFD_FLAG_SEND);
	return NULL;
}

/* It runs before this one, so that it waits by then. */
static int start_adder(struct adder *adder)
{
	if (pthread_create(&adder->thread, NULL, add_and_answer, adder))
		return -1;
	while (!adder->ready)
		sched_yield();
	return 0;
}

/* A descriptor that is the answer is one before it is there. */
TEST_F(listener, a_descriptor_is_an_answer)
{
	struct seccomp_notif request = { };
	struct adder adder = { .fd = self->fd, .go.events = POLLIN, .result = -1 };
	int go[2];

	ASSERT_EQ(0, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
	adder.id = request.id;
	ASSERT_EQ(0, pipe(go));
	adder.go.fd = go[0];
	ASSERT_EQ(0, start_adder(&adder));
	/* That thread goes on at once, and waits for the child, which runs after this one. */
	ASSERT_EQ(1, write(go[1], "", 1));
	EXPECT_EQ(-EINPROGRESS, answer(self->fd, request.id, ANSWER));
	EXPECT_EQ(0, pthread_join(adder.thread, NULL));
	EXPECT_LT(0, adder.result);
}

/* What the listener could not be given it is given when it asks again. */
TEST_F(listener, what_could_not_be_written_comes_again)
{
	struct seccomp_notif request = { };
	void *unwritable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, unwritable);
	ASSERT_EQ(-1, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, unwritable));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
	EXPECT_EQ(0, answer(self->fd, request.id, ANSWER));
}

/* An answer of another thread's, to what this one could not be given, is not one. */
TEST_F(listener, what_comes_again_waits_for_its_answer)
{
	struct seccomp_notif request = { };
	struct adder adder = { .fd = self->fd, .go = { .fd = self->fd, .events = POLLOUT }, .result = -1 };
	void *unwritable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, unwritable);
	ASSERT_EQ(0, await_next(self->fd, &adder.id));
	ASSERT_EQ(0, start_adder(&adder));
	/* That thread goes on when this one has received it and could not be given it yet. */
	ASSERT_EQ(-1, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, unwritable));
	EXPECT_EQ(EFAULT, errno);
	/* The child runs now, and takes the descriptor. */
	ASSERT_EQ(0, pthread_join(adder.thread, NULL));
	ASSERT_LT(0, adder.result);

	ASSERT_EQ(0, ioctl(self->fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
	EXPECT_EQ(adder.id, request.id);
	ASSERT_EQ(0, answer(self->fd, request.id, ANSWER));
	ASSERT_EQ(self->pid, waitpid(self->pid, NULL, 0));
}

TEST_HARNESS_MAIN
