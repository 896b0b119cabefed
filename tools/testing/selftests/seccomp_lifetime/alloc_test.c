// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of an attach and of a fork fails in turn: the error is that
 * there is no memory, or that the program could not be compiled, and all is as
 * it was. Only on kernels that can be asked for that (FAILSLAB, by fail-nth).
 * How many allocations there are is the kernel's affair, and not told.
 */
#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "lifetime.h"

/* The kernel's own, for a program that has to be compiled and cannot be. */
#define ENOTSUPP	524

#define CALL	__NR_getppid
#define FAIL_NTH "/proc/thread-self/fail-nth"
/* More than any of it can have. */
#define MOST_ALLOCATIONS 2000

/* What a child of the test saw. */
struct seen {
	int base;		/* its listener, or 0 */
	bool failed;		/* an allocation did ... */
	long result;		/* ... and so did the call, or not */
	int fds[2];		/* before it and after it */
	long filters[2];
	long again;		/* the same call when nothing fails */
};

static bool set_option(const char *kind, const char *name, const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) > 0;
	close(fd);
	return done;
}

/* Those that may sleep are to fail as well, and without a word on the console. */
static bool have_failures(void)
{
	if (access(FAIL_NTH, W_OK) || !set_option("failslab", "ignore-gfp-wait", "N") ||
	    !set_option("failslab", "verbose", "0"))
		return false;
	/* Pages, where the kernel has that as well. */
	set_option("fail_page_alloc", "ignore-gfp-wait", "N");
	set_option("fail_page_alloc", "min-order", "0");
	set_option("fail_page_alloc", "verbose", "0");
	return true;
}

static long do_attach(void)
{
	return attach(CALL, SECCOMP_RET_ALLOW, 0);
}

static long do_attach_log(void)
{
	return attach(CALL, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
}

static long do_attach_listener(void)
{
	return attach(CALL, SECCOMP_RET_USER_NOTIF, LISTENS);
}

static long do_attach_listener_tsync(void)
{
	return attach(CALL, SECCOMP_RET_USER_NOTIF,
		      LISTENS_KILLABLE | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
}

static long do_prctl(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { .len = 1, .filter = code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

static long do_fork(void)
{
	pid_t pid = plain_fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		syscall(__NR_exit_group, 0);
	waitpid(pid, NULL, 0);
	return 0;
}

FIXTURE(allocation)
{
	struct seen *seen;
};

FIXTURE_VARIANT(allocation)
{
	long (*call)(void);
	bool has_base;	/* a filter with a listener is there already */
	int filters;	/* how many the call adds */
	int fds;
};

FIXTURE_VARIANT_ADD(allocation, attach) { do_attach, true, 1, 0 };
FIXTURE_VARIANT_ADD(allocation, attach_with_flags) { do_attach_log, true, 1, 0 };
FIXTURE_VARIANT_ADD(allocation, attach_by_prctl) { do_prctl, true, 1, 0 };
FIXTURE_VARIANT_ADD(allocation, listener) { do_attach_listener, false, 1, 1 };
FIXTURE_VARIANT_ADD(allocation, listener_with_flags) { do_attach_listener_tsync, false, 1, 1 };
FIXTURE_VARIANT_ADD(allocation, fork) { do_fork, true, 0, 0 };

FIXTURE_SETUP(allocation)
{
	if (!have_failures())
		SKIP(return, "this kernel cannot be asked to have allocations fail");
	self->seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->seen);
}

FIXTURE_TEARDOWN(allocation)
{
}

static void child_main(struct seen *seen, const FIXTURE_VARIANT(allocation) *variant, int nth, int go)
{
	char text[16];
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (variant->has_base) {
		seen->base = attach(__NR_getsid, SECCOMP_RET_USER_NOTIF, LISTENS);
		/* Until the parent has it. */
		if (read(go, text, 1) != 1 || close(seen->base))
			_exit(NOT_READY);
	}
	fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	seen->fds[0] = count_fds();
	seen->filters[0] = status_number(getpid(), getpid(), "Seccomp_filters");
	snprintf(text, sizeof(text), "%d", nth);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		_exit(NOT_READY);
	seen->result = variant->call();
	/* What is left to count; nothing, once an allocation has failed. */
	if (pread(fd, text, sizeof(text), 0) <= 0)
		_exit(NOT_READY);
	seen->failed = text[0] == '0';
	pwrite(fd, "0", 1, 0);
	seen->fds[1] = count_fds();
	seen->filters[1] = status_number(getpid(), getpid(), "Seccomp_filters");
	if (seen->result < 0)
		seen->again = variant->call();
	_exit(0);
}

TEST_F_TIMEOUT(allocation, fails, 600)
{
	struct seen *seen = self->seen;
	int nth, listener, status, go[2];
	siginfo_t info;
	pid_t pid;

	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		memset(seen, 0, sizeof(*seen));
		ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			child_main(seen, variant, nth, go[0]);
		listener = -1;
		if (variant->has_base) {
			await_sleep_in(pid, pid, __NR_read);
			ASSERT_LT(0, seen->base);
			listener = fetch_fd(pid, seen->base);
			ASSERT_LE(0, listener);
			ASSERT_EQ(1, write(go[1], "", 1));
		}
		ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		/* Its filters went with it, and with them the last user: none was lost. */
		if (listener >= 0)
			EXPECT_EQ(1, is_orphaned(listener));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		close(listener);
		close(go[0]);
		close(go[1]);
		if (seen->result < 0) {
			EXPECT_TRUE(seen->failed);
			EXPECT_TRUE(seen->result == -ENOMEM || seen->result == -ENOTSUPP) {
				TH_LOG("allocation %d: %ld", nth, seen->result);
			}
			EXPECT_EQ(seen->fds[0], seen->fds[1]);
			EXPECT_EQ(seen->filters[0], seen->filters[1]);
			EXPECT_LE(0, seen->again);
		} else {
			EXPECT_EQ(seen->fds[0] + variant->fds, seen->fds[1]);
			EXPECT_EQ(seen->filters[0] + variant->filters, seen->filters[1]);
		}
		if (!seen->failed)
			break;
	}
	EXPECT_GT(MOST_ALLOCATIONS, nth);
	/* The first one was there to fail. */
	EXPECT_LT(1, nth);
}

TEST_HARNESS_MAIN
