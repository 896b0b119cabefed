// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of different kinds for seccomp-learn to learn, by the name of the
 * first argument. Each ends with one call that shows that the whole of it was
 * seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 64

static long flood_calls;

static void *work(void *barrier)
{
	pthread_barrier_wait(barrier);
	for (int i = 0; i < 20; i++)
		syscall(SYS_sched_yield);
	return NULL;
}

static void *flood_thread(void *unused)
{
	for (long i = 0; i < flood_calls; i++)
		syscall(SYS_getppid);
	return unused;
}

static int run_threads(int n, void *(*function)(void *), void *argument)
{
	pthread_t ids[THREADS];

	for (int i = 0; i < n; i++)
		if (pthread_create(&ids[i], NULL, function, argument))
			return 1;
	for (int i = 0; i < n; i++)
		if (pthread_join(ids[i], NULL))
			return 1;
	return 0;
}

static int threads(void)
{
	pthread_barrier_t barrier;

	if (pthread_barrier_init(&barrier, NULL, THREADS))
		return 1;
	return run_threads(THREADS, work, &barrier);
}

/* The usual double fork; the last of it runs when its parents are long gone. */
static int become_daemon(void)
{
	int gone[2];
	char byte;
	pid_t pid;

	if (pipe(gone))
		return 1;
	pid = fork();
	if (pid)
		return pid < 0;
	if (setsid() < 0)
		return 1;
	pid = fork();
	if (pid)
		return pid < 0;
	/* Until the parents have closed it, there is no end of the file. */
	close(gone[1]);
	if (read(gone[0], &byte, 1) != 0)
		return 1;
	syscall(SYS_getpgid, 0);
	return 0;
}

/* Takes another name, login and user. */
static int identity(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY);

	if (prctl(PR_SET_NAME, "a \"new\" name"))
		return 1;
	if (fd < 0 || write(fd, "65534", 5) != 5)
		return 1;
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	syscall(SYS_getpgid, 0);
	return 0;
}

/* Says which user it runs as. */
static int who(void)
{
	printf("%d\n", (int)geteuid());
	fflush(stdout);
	syscall(SYS_getpgid, 0);
	return 0;
}

/*
 * A socket of this family, and its end. By its own call: C libraries of s390x make socketcall(2).
 * One that is refused has a status that nothing else has.
 */
static int open_socket(int domain, int type)
{
	int fd = syscall(SYS_socket, domain, type, 0);

	if (fd < 0)
		return errno == EPERM ? 42 : 1;
	close(fd);
	syscall(SYS_getpgid, 0);
	return 0;
}

/* fcntl with each of these commands, many times; what comes of it does not matter. */
static int commands(char **names)
{
	for (; *names; names++)
		for (int i = 0; i < 1000; i++)
			syscall(SYS_fcntl, 0, atoi(*names), 0);
	return 0;
}

/* One call that has no name. */
static int nameless(void)
{
	return syscall(4000) != -1 || errno != ENOSYS;
}

/*
 * A child sleeps; where it is stopped and continued meanwhile, the kernel puts
 * restart_syscall() in place of the rest of the sleep.
 */
static int sleep_child(int stopped)
{
	struct timespec time = { .tv_nsec = 800 * 1000 * 1000 };
	struct timespec half = { .tv_nsec = 300 * 1000 * 1000 };
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return 1;
	if (!pid)
		_exit(nanosleep(&time, NULL) != 0);
	if (nanosleep(&half, NULL) || kill(pid, stopped ? SIGSTOP : 0))
		return 1;
	if (nanosleep(&half, NULL) || kill(pid, stopped ? SIGCONT : 0))
		return 1;
	return waitpid(pid, &status, 0) != pid || status;
}

static void nothing(int unused)
{
	(void)unused;
}

/* Waits to be told to end; says so when it has made that call once. */
static int wait_for_signal(void)
{
	struct itimerval ticks = { { 0, 100 * 1000 }, { 0, 100 * 1000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	signal(SIGALRM, nothing);
	if (setitimer(ITIMER_REAL, &ticks, NULL))
		return 1;
	pause();
	setitimer(ITIMER_REAL, &never, NULL);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "threads"))
		return threads();
	if (!strcmp(name, "daemon"))
		return become_daemon();
	if (!strcmp(name, "identity"))
		return identity();
	if (!strcmp(name, "who"))
		return who();
	if (!strcmp(name, "socket") && argc > 3)
		return open_socket(atoi(argv[2]), atoi(argv[3]));
	if (!strcmp(name, "fcntl"))
		return commands(argv + 2);
	if (!strcmp(name, "nameless"))
		return nameless();
	if (!strcmp(name, "sleep") && argc > 2)
		return sleep_child(!strcmp(argv[2], "stopped"));
	if (!strcmp(name, "wait"))
		return wait_for_signal();
	if (!strcmp(name, "flood") && argc > 3) {
		int n = atoi(argv[2]);

		flood_calls = atol(argv[3]);
		return run_threads(n < THREADS ? n : THREADS, flood_thread, NULL);
	}
	fprintf(stderr, "unknown program %s\n", name);
	return 2;
}
