// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a filter, who is told, and that it ends with the last of them: a
 * test for each fault that seccomp had there, and that every wait can be
 * killed. Nothing here depends on how fast something is; races are run a
 * number of times, and no round may go wrong.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "kselftest_harness.h"
#include "lifetime.h"

#define CALL	__NR_getppid
#define MARK	4242
#define NR_THREADS 3
#define SLOWLY	300	/* seconds for a test of many rounds, on a debug kernel */

static void *shared_memory(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Many rounds of the same. */
FIXTURE(race)
{
};

FIXTURE_SETUP(race)
{
}

FIXTURE_TEARDOWN(race)
{
}

struct thread {
	pthread_t thread;
	volatile pid_t tid;
	pthread_barrier_t *barrier;
	int round, result;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->tid = syscall(__NR_gettid);
	pthread_barrier_wait(t->barrier);
	/* The first one attaches in between. */
	pthread_barrier_wait(t->barrier);
	pthread_barrier_wait(t->barrier);
	return NULL;
}

/*
 * "seccomp: Fix setting loaded filter count during TSYNC" (b4d8a58f8dcf): the
 * threads that were synchronised kept their old number of filters.
 */
TEST(tsync_gives_the_number_of_filters)
{
	struct thread threads[NR_THREADS] = { };
	pthread_barrier_t barrier;
	int i;

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	/* What the threads have by inheritance, and two that they get. */
	ASSERT_EQ(0, attach(CALL, SECCOMP_RET_ALLOW, 0));
	pthread_barrier_init(&barrier, NULL, NR_THREADS + 1);
	for (i = 0; i < NR_THREADS; i++) {
		threads[i].barrier = &barrier;
		ASSERT_EQ(0, pthread_create(&threads[i].thread, NULL, thread_main, &threads[i]));
	}
	pthread_barrier_wait(&barrier);
	for (i = 0; i < NR_THREADS; i++)
		EXPECT_EQ(1, status_number(getpid(), threads[i].tid, "Seccomp_filters"));
	ASSERT_EQ(0, attach(CALL, SECCOMP_RET_ALLOW, 0));
	ASSERT_EQ(0, attach(CALL, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_TSYNC));
	EXPECT_EQ(3, status_number(getpid(), getpid(), "Seccomp_filters"));
	for (i = 0; i < NR_THREADS; i++) {
		EXPECT_EQ(3, status_number(getpid(), threads[i].tid, "Seccomp_filters"));
		EXPECT_EQ(2, status_number(getpid(), threads[i].tid, "Seccomp"));
		EXPECT_EQ(1, status_number(getpid(), threads[i].tid, "NoNewPrivs"));
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i].thread, NULL);
}

/* A child that attaches a filter with a listener, tells its number and does as it is told. */
struct child {
	pid_t pid;
	int go[2];
	int listener;
	volatile int *fd;	/* in the child's own numbers, then below zero an error */
};

static void child_start(struct __test_metadata *_metadata, struct child *child, unsigned int flags,
			void (*then)(struct child *))
{
	char byte = 0;

	child->fd = shared_memory(4096);
	ASSERT_NE(MAP_FAILED, (void *)child->fd);
	ASSERT_EQ(0, pipe2(child->go, O_CLOEXEC));
	child->pid = fork();
	ASSERT_LE(0, child->pid);
	if (!child->pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		*child->fd = attach(CALL, SECCOMP_RET_USER_NOTIF, flags);
		if (read(child->go[0], &byte, 1) != 1)
			_exit(NOT_READY);
		then(child);
		_exit(0);
	}
	await_sleep_in(child->pid, child->pid, __NR_read);
	ASSERT_LE(0, *child->fd);
	child->listener = fetch_fd(child->pid, *child->fd);
	ASSERT_LE(0, child->listener);
}

static void child_go(struct __test_metadata *_metadata, struct child *child)
{
	ASSERT_EQ(1, write(child->go[1], "", 1));
}

static void child_end(struct __test_metadata *_metadata, struct child *child, int wanted)
{
	int status;

	ASSERT_EQ(child->pid, waitpid(child->pid, &status, __WALL));
	EXPECT_EQ(wanted, status);
	close(child->go[0]);
	close(child->go[1]);
	close(child->listener);
	munmap((void *)child->fd, 4096);
}

static void do_nothing(struct child *child)
{
}

/*
 * "seccomp: release task filters when the task exits" (bfafe5efa975): whoever
 * listened was told only when somebody had asked for the exit status.
 */
TEST(a_zombie_has_no_filter)
{
	struct child child;
	siginfo_t info;

	child_start(_metadata, &child, LISTENS, do_nothing);
	EXPECT_EQ(0, is_orphaned(child.listener));
	child_go(_metadata, &child);
	ASSERT_EQ(0, waitid(P_PID, child.pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(1, is_orphaned(child.listener));
	child_end(_metadata, &child, 0);
}

static void fork_and_end(struct child *child)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, 0);
		pause();
	}
	child->fd[1] = pid;
}

/* The filter is the child's child's as well. */
TEST(the_last_of_two_is_told)
{
	struct child child;
	siginfo_t info;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	child_start(_metadata, &child, LISTENS, fork_and_end);
	child_go(_metadata, &child);
	ASSERT_EQ(0, waitid(P_PID, child.pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(0, is_orphaned(child.listener));
	ASSERT_EQ(0, kill(child.fd[1], SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, child.fd[1], &info, WEXITED | WNOWAIT));
	EXPECT_EQ(1, is_orphaned(child.listener));
	ASSERT_EQ(child.fd[1], waitpid(child.fd[1], NULL, 0));
	child_end(_metadata, &child, 0);
}

static void *fork_for_ever(void *arg)
{
	for (;;) {
		pid_t pid = plain_fork();

		if (!pid)
			syscall(__NR_exit_group, 0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void fork_in_threads(struct child *child)
{
	pthread_t thread;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&thread, NULL, fork_for_ever, NULL);
	child->fd[1] = 1;
	fork_for_ever(NULL);
}

/*
 * "seccomp: Move copy_seccomp() to no failure path." (a1140cb215fa): a fork
 * that failed at its end, as it does for a process that is being killed, kept
 * a user of the filter for ever.
 */
#define FORK_ROUNDS 60

TEST_F_TIMEOUT(race, killed_while_it_forks, SLOWLY)
{
	struct child child;
	int i;

	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (i = 0; i < FORK_ROUNDS; i++) {
		child_start(_metadata, &child, LISTENS, fork_in_threads);
		child_go(_metadata, &child);
		while (!child.fd[1])
			sched_yield();
		ASSERT_EQ(0, kill(child.pid, SIGKILL));
		ASSERT_EQ(child.pid, waitpid(child.pid, NULL, 0));
		/* Its children as well, who are ours now. */
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		ASSERT_EQ(1, is_orphaned(child.listener)) {
			TH_LOG("round %d", i);
		}
		close(child.go[0]);
		close(child.go[1]);
		close(child.listener);
		munmap((void *)child.fd, 4096);
	}
}

/* Attaches a filter of as many instructions as there may be. */
static int attach_long(unsigned int flags)
{
	static struct sock_filter code[BPF_MAXINSNS];
	struct sock_fprog prog = { .len = BPF_MAXINSNS, .filter = code };
	int i, result;

	for (i = 0; i < BPF_MAXINSNS; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	return result < 0 ? -errno : result;
}

static long memory_available(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "MemAvailable: %ld", &kib);
	if (file)
		fclose(file);
	return kib;
}

/*
 * "seccomp: don't leak memory when filter install races" (a566a9012acd): a
 * filter with a listener that could not be attached was never freed. Each of
 * these takes some 100 KiB, so that what is lost cannot be overlooked.
 */
#define LOST_ROUNDS 600
#define LOST_LIMIT_KIB (16 << 10)

TEST_F_TIMEOUT(race, a_refused_listener_is_freed, SLOWLY)
{
	int i, fds, next;
	long before;

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_LE(0, attach(CALL, SECCOMP_RET_USER_NOTIF, LISTENS));
	fds = count_fds();
	next = dup(0);
	close(next);
	/* The first ones fill caches. */
	for (i = 0; i < LOST_ROUNDS / 10; i++)
		ASSERT_EQ(-EBUSY, attach_long(LISTENS));
	before = memory_available();
	for (i = 0; i < LOST_ROUNDS; i++)
		ASSERT_EQ(-EBUSY, attach_long(LISTENS));
	EXPECT_GT(LOST_LIMIT_KIB, before - memory_available());
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(next, dup(0));
	EXPECT_EQ(1, status_number(getpid(), getpid(), "Seccomp_filters"));
}

/*
 * "seccomp: Make duplicate listener detection non-racy" (dfe719fef03d): two
 * threads that attach a listener at once, to themselves and to each other,
 * could both get one. Exactly one may.
 */
#define DUPLICATE_ROUNDS 300

static void *attach_at_once(void *arg)
{
	struct thread *t = arg;

	pthread_barrier_wait(t->barrier);
	t->result = attach(CALL, SECCOMP_RET_USER_NOTIF,
			   LISTENS | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	return NULL;
}

TEST_F_TIMEOUT(race, two_listeners_at_once, SLOWLY)
{
	int *results = shared_memory(4096);
	int i, k, status, got, busy;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)results);
	for (i = 0; i < DUPLICATE_ROUNDS; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct thread threads[2] = { };
			pthread_barrier_t barrier;

			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			pthread_barrier_init(&barrier, NULL, 2);
			for (k = 0; k < 2; k++) {
				threads[k].barrier = &barrier;
				if (pthread_create(&threads[k].thread, NULL, attach_at_once, &threads[k]))
					_exit(NOT_READY);
			}
			for (k = 0; k < 2; k++) {
				pthread_join(threads[k].thread, NULL);
				results[k] = threads[k].result;
			}
			results[2] = status_number(getpid(), getpid(), "Seccomp_filters");
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		got = (results[0] >= 0) + (results[1] >= 0);
		busy = (results[0] == -EBUSY) + (results[1] == -EBUSY);
		EXPECT_EQ(1, got);
		/* The other had it before, or was in the way of it no more. */
		EXPECT_EQ(1, busy) {
			TH_LOG("round %d: %d and %d", i, results[0], results[1]);
		}
		EXPECT_EQ(1, results[2]);
	}
}

#define SYNC_ROUNDS 100

/*
 * Attaches a filter to all threads. Its allow cache takes its time to prepare, so
 * that another thread comes while this one attaches.
 */
static int attach_slowly_to_all(void)
{
	struct sock_filter code[BPF_MAXINSNS] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { .len = BPF_MAXINSNS, .filter = code };
	int i, result;

	/* All numbers part at each second instruction, and meet again behind it. */
	for (i = 1; i < BPF_MAXINSNS - 1; i += 2) {
		code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1 << i % 8, 0, 1);
		code[i + 1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0);
	}
	code[BPF_MAXINSNS - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	return result < 0 ? -errno : result;
}

/* Has the thread run on the CPU of that number, if there is one. */
static void run_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *attach_own(void *arg)
{
	struct thread *t = arg;
	int i;

	run_on(1);
	t->tid = syscall(__NR_gettid);
	pthread_barrier_wait(t->barrier);
	/* A little later in each round, so as to come at every moment. */
	for (i = 0; i < t->round * 400; i++)
		syscall(__NR_getuid);
	t->result = attach(CALL, SECCOMP_RET_ERRNO | EPERM, 0);
	pthread_barrier_wait(t->barrier);
	pthread_barrier_wait(t->barrier);
	return NULL;
}

/*
 * A thread that attaches a filter of its own while all are given another has
 * either that one below its own, or is said to be in the way: never neither.
 */
TEST_F_TIMEOUT(race, attached_while_all_are_synchronised, SLOWLY)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < SYNC_ROUNDS; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct thread other = { .round = i };
			pthread_barrier_t barrier;
			int result;

			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			run_on(0);
			pthread_barrier_init(&barrier, NULL, 2);
			other.barrier = &barrier;
			if (pthread_create(&other.thread, NULL, attach_own, &other))
				_exit(NOT_READY);
			pthread_barrier_wait(&barrier);
			result = attach_slowly_to_all();
			pthread_barrier_wait(&barrier);
			if (other.result || (result && result != other.tid))
				_exit(1);
			if (status_number(getpid(), other.tid, "Seccomp_filters") != (result ? 1 : 2))
				_exit(2);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status) {
			TH_LOG("round %d", i);
		}
	}
}

static void count_usr1(int sig)
{
}

struct calls {
	volatile long made;
	volatile int over;
};

static void *call_for_ever(void *arg)
{
	struct calls *calls = arg;

	while (!calls->over)
		if (syscall(CALL) == MARK)
			calls->made++;
	return NULL;
}

#define ANSWERS 3000

static void call_under_signals(struct child *child)
{
	struct sigaction action = { .sa_handler = count_usr1, .sa_flags = SA_RESTART };
	struct calls *calls = (struct calls *)(child->fd + 16);

	sigaction(SIGUSR1, &action, NULL);
	child->fd[1] = 1;
	call_for_ever(calls);
}

static void *signal_for_ever(void *arg)
{
	struct child *child = arg;

	while (!child->fd[2]) {
		kill(child->pid, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

/* Signals at any moment: before it is received a call is made again, after that not. */
TEST_F_TIMEOUT(race, each_answer_is_that_of_one_call, SLOWLY)
{
	struct seccomp_notif_resp answer = { .val = MARK };
	struct seccomp_notif request;
	struct calls *calls;
	struct child child;
	pthread_t thread;
	long answers;

	child_start(_metadata, &child, LISTENS_KILLABLE, call_under_signals);
	calls = (struct calls *)(child.fd + 16);
	child_go(_metadata, &child);
	while (!child.fd[1])
		sched_yield();
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_for_ever, &child));
	for (answers = 0; answers < ANSWERS;) {
		memset(&request, 0, sizeof(request));
		if (ioctl(child.listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
			ASSERT_EQ(ENOENT, errno);
			continue;
		}
		/* The call before is back with its answer, or there would be no other. */
		ASSERT_EQ(answers, calls->made);
		answer.id = request.id;
		ASSERT_EQ(0, ioctl(child.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
		answers++;
	}
	child.fd[2] = 1;
	pthread_join(thread, NULL);
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	child_end(_metadata, &child, SIGKILL);
}

/*
 * "seccomp: Fix a race with WAIT_KILLABLE_RECV if the tracer replies too fast"
 * (cce436aafc2a): a call that had been received, then signalled, and answered
 * before the task had taken note of the signal, was made once more. On one CPU,
 * which we take from the task at ever other moments of its way to that note.
 */
#define SEEN_LATE 12000
#define LATEST_NS 60000

TEST_F_TIMEOUT(race, answered_before_the_signal_is_seen, SLOWLY)
{
	struct sched_param first = { .sched_priority = 1 };
	struct timespec moment = { };
	struct seccomp_notif_resp answer = { .val = MARK };
	struct seccomp_notif request;
	struct calls *calls;
	struct child child;
	cpu_set_t cpu;
	long answers;

	child_start(_metadata, &child, LISTENS_KILLABLE, call_under_signals);
	calls = (struct calls *)(child.fd + 16);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(cpu), &cpu));
	while (CPU_COUNT(&cpu) > 1) {
		int i = 0;

		while (!CPU_ISSET(i, &cpu))
			i++;
		CPU_CLR(i, &cpu);
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	ASSERT_EQ(0, sched_setaffinity(child.pid, sizeof(cpu), &cpu));
	if (sched_setscheduler(0, SCHED_FIFO, &first)) {
		kill(child.pid, SIGKILL);
		child_end(_metadata, &child, SIGKILL);
		SKIP(return, "no real-time priority: %s", strerror(errno));
	}
	child_go(_metadata, &child);
	for (answers = 0; answers < SEEN_LATE; answers++) {
		memset(&request, 0, sizeof(request));
		ASSERT_EQ(0, ioctl(child.listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
		ASSERT_EQ(answers, calls->made);
		ASSERT_EQ(0, kill(child.pid, SIGUSR1));
		moment.tv_nsec = answers * 7919 % LATEST_NS;
		nanosleep(&moment, NULL);
		answer.id = request.id;
		ASSERT_EQ(0, ioctl(child.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	}
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	child_end(_metadata, &child, SIGKILL);
}

/*
 * "seccomp: Invalidate seccomp mode to catch death failures" (495ac3069a66):
 * whoever a filter or strict mode has killed is in a mode that lets nothing
 * go, from the moment of the decision on. Its status still tells.
 */
#define MODE_DEAD 3

static void expect_dead(struct __test_metadata *_metadata, unsigned int action, int sig)
{
	siginfo_t info;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct rlimit none = { };

		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (action ? attach(CALL, action, 0) : prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(NOT_READY);
		syscall(CALL);
		syscall(__NR_exit, 0);
	}
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(MODE_DEAD, status_number(pid, pid, "Seccomp")) {
		TH_LOG("action 0x%x", action);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(sig, status & 0x7f);
}

TEST(the_killed_are_in_dead_mode)
{
	expect_dead(_metadata, SECCOMP_RET_KILL_PROCESS, SIGSYS);
	/* One that is nobody's action kills, too. */
	expect_dead(_metadata, 0x00010000, SIGSYS);
	expect_dead(_metadata, 0, SIGKILL);
}

/* KILL_THREAD has the number 0, with data it is still that. */
TEST(a_killed_thread_is_in_dead_mode)
{
	expect_dead(_metadata, SECCOMP_RET_KILL_THREAD | 1, SIGSYS);
}

/*
 * "seccomp: passthrough uretprobe systemcall without filtering" (cf6cb56ef244):
 * what the kernel itself puts into a program must not be denied, or a probe
 * kills it. Outside of a probe the two calls have their own way to refuse.
 */
#ifdef __x86_64__
#ifndef __NR_uretprobe
#define __NR_uretprobe	335
#endif
#ifndef __NR_uprobe
#define __NR_uprobe	336
#endif
#define X32_BIT		0x40000000

struct outcome {
	volatile long ret;
	int status;
};

static void call_below(struct __test_metadata *_metadata, struct outcome *outcome, long nr, long denied, unsigned int action)
{
	pid_t pid;

	outcome->ret = 0;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct rlimit none = { };

		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (denied == -1 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) : denied && attach(denied, action, 0))
			_exit(NOT_READY);
		outcome->ret = syscall(nr) < 0 ? -errno : 1;
		syscall(__NR_exit, 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &outcome->status, 0));
}

TEST(no_filter_denies_uprobes)
{
	static const long nrs[] = { __NR_uretprobe, __NR_uprobe };
	struct outcome *plain = shared_memory(4096), *below = plain + 1;
	int i;

	ASSERT_NE(MAP_FAILED, (void *)plain);
	for (i = 0; i < 2; i++) {
		call_below(_metadata, plain, nrs[i], 0, 0);
		call_below(_metadata, below, nrs[i], nrs[i], SECCOMP_RET_ERRNO | E2BIG);
		EXPECT_EQ(plain->ret, below->ret);
		EXPECT_EQ(plain->status, below->status);
		call_below(_metadata, below, nrs[i], nrs[i], SECCOMP_RET_KILL_PROCESS);
		EXPECT_EQ(plain->ret, below->ret);
		EXPECT_EQ(plain->status, below->status);
		/* Strict mode */
		call_below(_metadata, below, nrs[i], -1, 0);
		EXPECT_EQ(plain->ret, below->ret);
		EXPECT_EQ(plain->status, below->status);
		/* The same number with x32's bit is no exception. */
		call_below(_metadata, below, nrs[i] | X32_BIT, nrs[i] | X32_BIT, SECCOMP_RET_ERRNO | E2BIG);
		EXPECT_EQ(-E2BIG, below->ret);
		EXPECT_EQ(0, below->status);
	}
}
#endif

/* Whoever waits can be killed, in whatever state it is. */
enum waits {
	NOT_RECEIVED,		/* nobody has taken the notification */
	RECEIVED,		/* somebody has, and says nothing */
	SIGNALLED,		/* and a signal has come, which may have to wait */
	ADDED,			/* a descriptor was given, but no answer */
};

FIXTURE(wait)
{
	struct child child;
};

FIXTURE_VARIANT(wait)
{
	unsigned int flags;
	enum waits waits;
};

FIXTURE_VARIANT_ADD(wait, not_received) { LISTENS, NOT_RECEIVED };
FIXTURE_VARIANT_ADD(wait, received) { LISTENS, RECEIVED };
FIXTURE_VARIANT_ADD(wait, added) { LISTENS, ADDED };
FIXTURE_VARIANT_ADD(wait, killable_not_received) { LISTENS_KILLABLE, NOT_RECEIVED };
FIXTURE_VARIANT_ADD(wait, killable_received) { LISTENS_KILLABLE, RECEIVED };
FIXTURE_VARIANT_ADD(wait, killable_signalled) { LISTENS_KILLABLE, SIGNALLED };
FIXTURE_VARIANT_ADD(wait, killable_added) { LISTENS_KILLABLE, ADDED };

static void call_once(struct child *child)
{
	struct sigaction action = { .sa_handler = count_usr1 };

	sigaction(SIGUSR1, &action, NULL);
	close(*child->fd);
	syscall(CALL);
}

FIXTURE_SETUP(wait)
{
	struct seccomp_notif_addfd add = { };
	struct seccomp_notif request = { };

	child_start(_metadata, &self->child, variant->flags, call_once);
	child_go(_metadata, &self->child);
	await_sleep_in(self->child.pid, self->child.pid, CALL);
	if (variant->waits == NOT_RECEIVED)
		return;
	ASSERT_EQ(0, ioctl(self->child.listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
	if (variant->waits == SIGNALLED) {
		ASSERT_EQ(0, kill(self->child.pid, SIGUSR1));
		await_sleep_in(self->child.pid, self->child.pid, CALL);
	}
	if (variant->waits == ADDED) {
		add.id = request.id;
		ASSERT_LE(0, ioctl(self->child.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
		await_sleep_in(self->child.pid, self->child.pid, CALL);
	}
}

FIXTURE_TEARDOWN(wait)
{
}

TEST_F(wait, ends_by_sigkill)
{
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	child_end(_metadata, &self->child, SIGKILL);
}

/* And with its listener. */
TEST_F(wait, ends_with_the_listener)
{
	ASSERT_EQ(0, close(self->child.listener));
	child_end(_metadata, &self->child, 0);
}

/* A listener's own wait, for what will not come. */
TEST(a_listener_that_waits_is_killed)
{
	struct child child;
	int status;
	pid_t pid;

	child_start(_metadata, &child, LISTENS, do_nothing);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct seccomp_notif request = { };

		ioctl(child.listener, SECCOMP_IOCTL_NOTIF_RECV, &request);
		_exit(0);
	}
	await_sleep_in(pid, pid, __NR_ioctl);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	/* One that is not killed hears of the end. */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct seccomp_notif request = { };
		int ret = ioctl(child.listener, SECCOMP_IOCTL_NOTIF_RECV, &request);

		_exit(ret == -1 && errno == ENOENT ? 0 : 1);
	}
	await_sleep_in(pid, pid, __NR_ioctl);
	child_go(_metadata, &child);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	child_end(_metadata, &child, 0);
}

TEST_HARNESS_MAIN
