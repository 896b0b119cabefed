// SPDX-License-Identifier: GPL-2.0
/*
 * What a system call costs by what seccomp does with it: percall [--time]
 *
 * Prints a line "CASE COST" for each case, the native call first. COST is what
 * a getpid(2) takes from user space to user space, and the way to take the time
 * itself, which is the same in each case and goes away when the native cost is
 * subtracted.
 *
 * Without an option each call is measured alone, by counter(), and the median
 * counts: a timer interrupt falls into few of the calls. Under QEMU's -icount that
 * steps by one for each instruction, on x86-64, arm64 and s390x; on riscv64, where it
 * steps by a hundred, the mean of a hundred calls is taken. With --time the cost is
 * in picoseconds, the median of the means of batches.
 *
 * Each case has a process of its own, which runs at real-time priority: on one
 * CPU nothing else then runs, unless the process waits for it. In the cases with
 * an audit record that keeps the kernel's thread which delivers the records out
 * of the measurement; it catches up between the cases. The queue must hold them
 * all (audit_backlog_limit=0).
 *
 * Wants root, and a machine on which nobody minds what the log says.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"

#define LOGGED "/proc/sys/kernel/seccomp/actions_logged"
/* Of kernels with CONFIG_SECCOMP_LOG_ONCE: Documentation/log-once.rst. */
#define LOGGED_ONCE "/proc/sys/kernel/seccomp/actions_logged_once"
#ifndef SECCOMP_FILTER_FLAG_LOG_ONCE
#define SECCOMP_FILTER_FLAG_LOG_ONCE (1UL << 31)
#endif
#define WARM_UP 1010
/* Where the clock is coarse, a sample is as many calls as make it exact. */
#define SAMPLES (COUNTER_STEP == 1 ? 2001 : 101)
#define BATCHES 51
#define BATCH 500

static bool by_time;
static uint64_t *shared;

/* The raw call: no C library between the measurement and the kernel. */
static inline long call_getpid(void)
{
	long ret;

#ifdef __x86_64__
	asm volatile("syscall" : "=a"(ret) : "0"(__NR_getpid)
		     : "rcx", "r11", "memory");
#elif defined(__i386__)
	asm volatile("int $0x80" : "=a"(ret) : "0"(__NR_getpid) : "memory");
#elif defined(__aarch64__)
	register long nr asm("x8") = __NR_getpid;
	register long result asm("x0");

	asm volatile("svc #0" : "=r"(result) : "r"(nr) : "memory");
	ret = result;
#elif defined(__riscv)
	register long nr asm("a7") = __NR_getpid;
	register long result asm("a0");

	asm volatile("ecall" : "=r"(result) : "r"(nr) : "memory");
	ret = result;
#elif defined(__s390x__)
	register long result asm("2");

	asm volatile("svc %1" : "=d"(result) : "i"(__NR_getpid) : "memory");
	ret = result;
#endif
	return ret;
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Sleeps until the wall clock is @milliseconds past a second. */
static void await_milliseconds(unsigned int milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	until.tv_nsec = milliseconds * 1000000;
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
}

static uint64_t measure(void)
{
	static uint64_t values[SAMPLES];

	memset(values, 0, sizeof(values));
	if (by_time) {
		for (int i = 0; i < BATCHES; i++) {
			uint64_t start = nanoseconds();

			for (int j = 0; j < BATCH; j++)
				call_getpid();
			values[i] = (nanoseconds() - start) * 1000 / BATCH;
		}
		return median(values, BATCHES);
	}
	/*
	 * What the kernel sets up at the first calls is not a call's cost. And an
	 * audit record costs a few instructions more for each digit of its time and
	 * its number: the milliseconds are to have three digits at all calls, the
	 * number as many at the last as at the first.
	 */
	await_milliseconds(200);
	for (int i = 0; i < WARM_UP; i++)
		call_getpid();
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t start = counter();

		for (int j = 0; j < COUNTER_STEP; j++)
			call_getpid();
		values[i] = (counter() - start) / COUNTER_STEP;
	}
	return median(values, SAMPLES);
}

static int attach_insns(struct sock_filter *insns, unsigned short len, unsigned int flags)
{
	struct sock_fprog prog = { .len = len, .filter = insns };

	return attach(&prog, flags);
}

/* Allows all, which the cache knows. */
static void attach_cached(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	attach_insns(insns, 2, 0);
}

/* Allows all as well, but looks at an argument, and so has to be run. */
static void attach_full(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	attach_insns(insns, 2, 0);
}

/* Has @action done with getpid(2) and allows the rest. */
static int attach_action(unsigned int action, unsigned int flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getpid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return attach_insns(insns, 4, flags);
}

static void write_names(const char *path, const char *names)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, names, strlen(names)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void write_logged(const char *names)
{
	write_names(LOGGED, names);
}

/* A case fails unless the call does what it is to do. */
static void expect(const char *what, bool true_it_is)
{
	if (!true_it_is)
		errx(1, "the case does not do what it is to do: %s", what);
}

static void expect_errno(int number)
{
	expect("getpid fails", call_getpid() == -number);
}

static void expect_pid(void)
{
	expect("getpid returns the pid", call_getpid() == getpid());
}

static void native(void)
{
}

static void cached_1(void)
{
	attach_cached();
	expect_pid();
}

static void cached_2(void)
{
	attach_cached();
	attach_cached();
	expect_pid();
}

static void full(int filters)
{
	while (filters--)
		attach_full();
	expect_pid();
}

static void full_1(void) { full(1); }
static void full_2(void) { full(2); }
static void full_4(void) { full(4); }
static void full_8(void) { full(8); }

static void errno_(void)
{
	attach_action(SECCOMP_RET_ERRNO | EXDEV, 0);
	expect_errno(EXDEV);
}

static void trace(void)
{
	attach_action(SECCOMP_RET_TRACE, 0);
	expect_errno(ENOSYS);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	(void)signal;
	handled = 1;
}

static void trap(void)
{
	signal(SIGSYS, handler);
	attach_action(SECCOMP_RET_TRAP, 0);
	call_getpid();
	expect("the handler runs", handled);
}

static void log_silenced(void)
{
	write_logged("kill_process kill_thread trap errno user_notif trace\n");
	attach_action(SECCOMP_RET_LOG, 0);
	expect_pid();
}

static void log_record(void)
{
	attach_action(SECCOMP_RET_LOG, 0);
	expect_pid();
}

static void errno_record(void)
{
	attach_action(SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_LOG);
	expect_errno(EXDEV);
}

/* Its first call is logged here, the others are measured. */
static void once_flag(void)
{
	attach_action(SECCOMP_RET_LOG, SECCOMP_FILTER_FLAG_LOG_ONCE);
	expect_pid();
}

static void once_sysctl(void)
{
	write_names(LOGGED_ONCE, "log\n");
	attach_action(SECCOMP_RET_LOG, 0);
	expect_pid();
}

static void answer(int listener)
{
	struct seccomp_notif request;
	struct seccomp_notif_resp response;

	for (;;) {
		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			_exit(0);
		memset(&response, 0, sizeof(response));
		response.id = request.id;
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response))
			_exit(0);
	}
}

static void user_notif(void)
{
	int listener = attach_action(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		/* getpid(2) is the one call that it must not make. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(listener);
	}
	close(listener);
	expect("the listener lets getpid continue", call_getpid() > 0);
}

static const struct {
	const char *name;
	void (*set_up)(void);
} cases[] = {
	{ "native", native },
	{ "cached-1", cached_1 },
	{ "cached-2", cached_2 },
	{ "full-1", full_1 },
	{ "full-2", full_2 },
	{ "full-4", full_4 },
	{ "full-8", full_8 },
	{ "errno", errno_ },
	{ "trace", trace },
	{ "trap", trap },
	{ "log-silenced", log_silenced },
	{ "log-record", log_record },
	{ "errno-record", errno_record },
	{ "user-notif", user_notif },
	{ "once-flag", once_flag },
	{ "once-sysctl", once_sysctl },
};

static void run(const char *name, void (*set_up)(void))
{
	pid_t pid;

	fflush(stdout);
	*shared = 0;
	pid = fork_or_die();
	if (!pid) {
		become_real_time();
		set_up();
		*shared = measure();
		_exit(0);
	}
	await_success(name, pid);
	printf("%s %llu\n", name, (unsigned long long)*shared);
}

int main(int argc, char *argv[])
{
	char logged[256] = "";
	int fd = open(LOGGED, O_RDONLY);

	by_time = argc == 2 && !strcmp(argv[1], "--time");
	if (argc > 1 && !by_time)
		errx(2, "usage: percall [--time]");
	if (fd < 0 || read(fd, logged, sizeof(logged) - 1) < 0)
		err(1, "%s", LOGGED);
	close(fd);
	shared = shared_memory(sizeof(*shared));

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const bool once = !strncmp(cases[i].name, "once-", 5);

		if (once && access(LOGGED_ONCE, F_OK))
			continue;
		run(cases[i].name, cases[i].set_up);
		write_logged(logged);
		if (once)
			write_names(LOGGED_ONCE, "\n");
		/* The records are delivered now. */
		usleep(100000);
	}
	return 0;
}
