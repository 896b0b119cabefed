// SPDX-License-Identifier: GPL-2.0
/*
 * Random programs, attached one on top of the other, a line for each: whether
 * the kernel takes it, and the calls that it then knows to be always allowed,
 * as /proc/PID/seccomp_cache has them. Two kernels whose seccomp behaves alike
 * print the same lines.
 *
 * The one who attaches is traced by one who suspends its filters, so that it
 * carries on below whatever was attached.
 */
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/futex.h>

#include "../seccomp_oracle/machine.h"
#include "../seccomp_oracle/fixed.h"

#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif

#define LINE_SIZE	160
#define WATCHDOG	60	/* seconds; a chain that needs them is a finding */
#define SHM_ADDR	0x20000000UL	/* below 4 GiB, so that an i386 call can point into it */

#define I386_PRCTL	172
#define I386_SECCOMP	354

/* How many programs come on top of each other, over and over. */
static const unsigned char chain[] = { 1, 1, 2, 3 };
#define ROUND 7

enum way { BY_SECCOMP, BY_PRCTL, BY_I386_SECCOMP, BY_I386_PRCTL, WAYS };
static const char * const way_name[WAYS] = { "seccomp", "prctl", "seccomp32", "prctl32" };

enum turn { PARENT, CHILD };

struct shm {
	volatile int turn;		/* futex */
	enum way way;
	long ret;
	struct sock_fprog prog;
	struct { uint16_t len; uint32_t filter; } prog32;
	struct sock_filter insn[MAX_LEN];
};

#define SHM ((struct shm *)SHM_ADDR)

static bool verbose;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void turn_give(int turn)
{
	__atomic_store_n(&SHM->turn, turn, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &SHM->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void turn_await(int turn)
{
	while (__atomic_load_n(&SHM->turn, __ATOMIC_SEQ_CST) != turn)
		syscall(SYS_futex, &SHM->turn, FUTEX_WAIT, !turn, NULL, NULL, 0);
}

static long attach(void)
{
	struct call c = { 0 };
	long ret;

	switch (SHM->way) {
	case BY_SECCOMP:
		ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &SHM->prog);
		return ret < 0 ? -errno : ret;
	case BY_PRCTL:
		ret = syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &SHM->prog, 0, 0);
		return ret < 0 ? -errno : ret;
	case BY_I386_SECCOMP:
		c.nr = I386_SECCOMP;
		c.args[0] = SECCOMP_SET_MODE_FILTER;
		c.args[2] = (uint64_t)&SHM->prog32;
		break;
	default:
		c.nr = I386_PRCTL;
		c.args[0] = PR_SET_SECCOMP;
		c.args[1] = SECCOMP_MODE_FILTER;
		c.args[2] = (uint64_t)&SHM->prog32;
	}
	return (int)call32(&c);
}

static void child_main(void)
{
	for (;;) {
		turn_await(CHILD);
		SHM->ret = attach();
		turn_give(PARENT);
	}
}

static pid_t child_start(void)
{
	pid_t pid;

	SHM->turn = PARENT;
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid)
		child_main();
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP)) {
		kill(pid, SIGKILL);
		fail("ptrace: seccomp cannot be suspended");
	}
	return pid;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

struct cache {
	unsigned int native, compat, other;
	uint64_t hash;
};

/* FNV-1a of the whole text, and of each convention how many calls are allowed. */
static void cache_read(pid_t pid, struct cache *cache)
{
	static char text[1 << 16];
	char path[64], *line, *end;
	size_t len = 0, i;
	ssize_t n;
	int fd;

	memset(cache, 0, sizeof(*cache));
	cache->hash = 0xcbf29ce484222325ULL;
	snprintf(path, sizeof(path), "/proc/%d/seccomp_cache", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	if (n < 0)
		fail(path);
	close(fd);
	text[len] = 0;
	for (i = 0; i < len; i++)
		cache->hash = (cache->hash ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	if (verbose)
		fputs(text, stdout);
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (strncmp(end - 5, "ALLOW", 5))
			continue;
		if (!strncmp(line, NATIVE_NAME " ", sizeof(NATIVE_NAME)))
			cache->native++;
		else if (!strncmp(line, OTHER_NAME " ", sizeof(OTHER_NAME)))
			cache->compat++;
		else
			cache->other++;
	}
}

static void program_print(uint64_t number)
{
	unsigned int i;

	for (i = 0; i < SHM->prog.len; i++)
		printf("# %llu: %u: { 0x%02x, %u, %u, 0x%08x }\n", (unsigned long long)number, i, SHM->insn[i].code,
		       SHM->insn[i].jt, SHM->insn[i].jf, SHM->insn[i].k);
}

static void one_run(pid_t pid, uint64_t seed, uint64_t number, unsigned int depth, char *line)
{
	struct rng r = { seed };
	struct cache cache;
	const char *kind;
	unsigned int len;
	int n;

	r.s = rng_next(&r) ^ (number * 0xd1342543de82ef95ULL + 1);
	(void)rng_next(&r);
	len = program_make(&r, SHM->insn, &kind);
	SHM->way = rng_one_in(&r, 3) ? rng_below(&r, WAYS) : BY_SECCOMP;
#ifndef HAS_COMPAT
	/* The same by the one convention that there is. */
	SHM->way %= BY_I386_SECCOMP;
#endif
	SHM->prog.len = SHM->prog32.len = len;
	SHM->prog.filter = SHM->insn;
	SHM->prog32.filter = (uint32_t)(uint64_t)SHM->insn;
	if (verbose)
		program_print(number);
	turn_give(CHILD);
	turn_await(PARENT);
	n = snprintf(line, LINE_SIZE, "%llu on %u: %s %u by %s =", (unsigned long long)number, depth, kind, len,
		     way_name[SHM->way]);
	if (SHM->ret < 0)
		n += snprintf(line + n, LINE_SIZE - n, "E%ld", -SHM->ret);
	else
		n += snprintf(line + n, LINE_SIZE - n, "%ld", SHM->ret);
	/* One that was refused has changed nothing. */
	cache_read(pid, &cache);
	snprintf(line + n, LINE_SIZE - n, " | %u %u %u %016llx", cache.native, cache.compat, cache.other,
		 (unsigned long long)cache.hash);
}

/* The programs first .. end - 1 of a round, a child for each chain. */
static void round_run(uint64_t seed, uint64_t first, uint64_t end, char *lines)
{
	uint64_t number = first;
	unsigned int i, depth;
	pid_t pid;

	for (i = 0; i < sizeof(chain); i++) {
		alarm(WATCHDOG);
		pid = child_start();
		for (depth = 0; depth < chain[i] && number < end; depth++, number++)
			one_run(pid, seed, number, depth, lines + number * LINE_SIZE);
		child_end(pid);
	}
	alarm(0);
}

static void usage(void)
{
	fprintf(stderr, "usage: seccomp_programs --seed S (--cases N [--jobs J] | --case N)\n"
			"  --cases N    programs 0 .. N - 1\n"
			"  --jobs J     J at a time\n"
			"  --case N     that program, with those below and above it, and all of each cache\n");
	exit(2);
}

static uint64_t number_of(const char *s)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end || *s == '-')
		usage();
	return v;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seed", 1, NULL, 's' }, { "case", 1, NULL, 'c' }, { "cases", 1, NULL, 'n' }, { "jobs", 1, NULL, 'j' }, { 0 },
	};
	uint64_t seed = 0, first = 0, end = 0, jobs = 1, i, j;
	bool have_seed = false, bad = false;
	pid_t pids[64];
	char *lines;
	int c, status;

	addresses_fix(argv);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = number_of(optarg);
			have_seed = true;
			break;
		case 'c':
			first = number_of(optarg) / ROUND * ROUND;
			end = first + ROUND;
			verbose = true;
			break;
		case 'n':
			end = number_of(optarg);
			break;
		case 'j':
			jobs = number_of(optarg);
			break;
		default:
			usage();
		}
	}
	if (!have_seed || end <= first || !jobs || jobs > 64 || optind != argc)
		usage();
	if (verbose)
		setvbuf(stdout, NULL, _IONBF, 0);
	lines = mmap(NULL, end * LINE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (lines == MAP_FAILED)
		fail("mmap");
	for (j = 0; j < jobs; j++) {
		pids[j] = fork();
		if (pids[j] < 0)
			fail("fork");
		if (pids[j])
			continue;
		if (mmap((void *)SHM_ADDR, sizeof(struct shm), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)SHM_ADDR)
			fail("mmap");
		for (i = first + j * ROUND; i < end; i += jobs * ROUND)
			round_run(seed, i, i + ROUND < end ? i + ROUND : end, lines);
		_exit(0);
	}
	for (j = 0; j < jobs; j++) {
		if (waitpid(pids[j], &status, 0) < 0 || status) {
			fprintf(stderr, "seccomp_programs: a worker ended with status %x\n", status);
			bad = true;
		}
	}
	for (i = first; i < end; i++)
		if (lines[i * LINE_SIZE])
			printf("%s\n", lines + i * LINE_SIZE);
	return bad ? 2 : 0;
}
