// SPDX-License-Identifier: GPL-2.0
/*
 * The supervisor: makes the cases of a seed, gives the actors their turns,
 * waits until nothing moves any more, and prints a line for each case.
 */
#include "api.h"

#include "../seccomp_oracle/fixed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>

#define LINE_SIZE	16384
#define BATCH		50
#define WATCHDOG	60	/* seconds; a case that needs them is a finding */

static volatile sig_atomic_t hung;
static char *line;
static size_t line_len;
static bool verbose;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

void log_add(struct log *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->len >= sizeof(l->text) - 1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	l->len += n;
	if (l->len >= sizeof(l->text))
		l->len = sizeof(l->text) - 1;
}

static __attribute__((format(printf, 1, 2))) void tell(const char *fmt, ...)
{
	va_list ap;

	if (line_len >= LINE_SIZE - 1)
		return;
	va_start(ap, fmt);
	if (verbose) {
		va_list copy;

		va_copy(copy, ap);
		vfprintf(stderr, fmt, copy);
		va_end(copy);
	}
	line_len += vsnprintf(line + line_len, LINE_SIZE - line_len, fmt, ap);
	va_end(ap);
	if (line_len >= LINE_SIZE)
		line_len = LINE_SIZE - 1;
}

static void on_alarm(int sig)
{
	int a;

	(void)sig;
	hung = 1;
	for (a = 0; a < ACTORS; a++)
		if (SHM->actor[a].pid)
			kill(SHM->actor[a].pid, SIGKILL);
}

static ssize_t text_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = 0;
	return n;
}

/* The value of a line of /proc/PID/status, or an empty string. */
static const char *field(char *status, const char *name)
{
	static char value[32];
	char *at = strstr(status, name);

	value[0] = 0;
	if (at)
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(name), "\n"), at + strlen(name));
	return value;
}

struct look {
	char state;		/* as /proc has it; 'X' where there is no task any more */
	bool dying;		/* and not yet dead */
	long nr;		/* the system call that it sleeps in; -1 for none, -2 while it runs */
	unsigned long switches;
};

#define PF_EXITING 0x4

static bool is_gone(const struct look *look)
{
	return look->state == 'Z' || look->state == 'X';
}

/* Has a process a thread that is not dead? */
static bool somebody_lives(pid_t pid)
{
	char path[64], buf[4096];
	struct dirent *entry;
	bool lives = false;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return false;
	while (!lives && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", pid, entry->d_name);
		if (entry->d_name[0] != '.' && text_read(path, buf, sizeof(buf)) > 0) {
			const struct look look = { .state = field(buf, "\nState:\t")[0] };

			lives = !is_gone(&look);
		}
	}
	closedir(tasks);
	return lives;
}

/*
 * The number of the call is told only of a task that is off its CPU, so one
 * that is still on its way to sleep does not count as asleep. Nor does one
 * that dies: it can sleep in what it does for that, still with the number of
 * the call that it will not finish.
 */
static void look_at(enum actor a, struct look *look)
{
	const struct actor_state *self = &SHM->actor[a];
	char path[64], buf[4096], *at;

	*look = (struct look){ .state = 'X', .nr = -2 };
	if (!self->tid) {	/* on its way into the world */
		look->state = 'R';
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", self->pid, self->tid);
	if (text_read(path, buf, sizeof(buf)) > 0)
		look->state = field(buf, "\nState:\t")[0];
	if (is_gone(look)) {
		/*
		 * A thread that executes a program becomes the leader. While the two change
		 * their numbers, and until the leader before is released, either number can
		 * be that of the dead one.
		 */
		if (self->turn == TURN_GO && self->step.op == OP_EXEC && somebody_lives(self->pid))
			look->state = 'R';
		return;
	}
	if (look->state == 'R')
		return;
	look->switches = strtoul(field(buf, "\nvoluntary_ctxt_switches:\t"), NULL, 10);
	look->dying = strtoull(field(buf, "\nSigPnd:\t"), NULL, 16) & 1ULL << (SIGKILL - 1);
	/* Dead mode, or a core that is dumped. */
	if (look->state == 'S' || look->state == 'D')
		look->dying |= field(buf, "\nSeccomp:\t")[0] == '3' || field(buf, "\nCoreDumping:\t")[0] == '1';
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", self->pid, self->tid);
	/* Behind the name: the state, five ids, the flags. */
	if (text_read(path, buf, sizeof(buf)) > 0) {
		unsigned int flags = 0;

		at = strrchr(buf, ')');
		if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
			fail(path);
		look->dying |= flags & PF_EXITING;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", self->pid, self->tid);
	if (text_read(path, buf, sizeof(buf)) > 0 && strncmp(buf, "running", 7))
		look->nr = strtol(buf, NULL, 10);
}

/* Does it rest until somebody else does something? */
static bool is_at_rest(enum actor a, const struct look *look)
{
	const struct actor_state *self = &SHM->actor[a];

	if (is_gone(look))
		return true;
	if (look->nr == -2 || look->dying)
		return false;
	if (look->state == 'T' || look->state == 't')
		return true;
	if (look->state != 'S' && look->state != 'D')
		return false;
	if (self->turn == TURN_GO)
		return step_may_sleep(&self->step, look->nr);
	return look->nr == SYS_futex;
}

static bool idle(enum actor a)
{
	return __atomic_load_n(&SHM->actor[a].turn, __ATOMIC_SEQ_CST) == TURN_IDLE;
}

/*
 * Waits until nobody moves: each has done what it was told, or sleeps in it.
 * Whoever was seen at rest twice and did not run in between was so all the
 * time from the first look to the second, so that between the two rounds all
 * were at rest at once. Whoever was told nothing is looked at if it is in
 * @others. Returns who is gone, as a set.
 */
static unsigned int settle(unsigned int others)
{
	const struct timespec nap = { 0, 20000 };
	struct look first[ACTORS], second;
	unsigned int tries = 0, gone;
	bool rest, watched[ACTORS];
	int a;

	for (; !hung; tries++) {
		rest = true;
		gone = 0;
		for (a = 0; a < ACTORS && rest; a++) {
			watched[a] = SHM->actor[a].turn == TURN_GO || (others & 1U << a && SHM->actor[a].turn == TURN_IDLE);
			if (!watched[a])
				continue;
			look_at(a, &first[a]);
			rest = is_at_rest(a, &first[a]);
			gone |= is_gone(&first[a]) << a;
		}
		for (a = 0; a < ACTORS && rest; a++) {
			if (!watched[a])
				continue;
			look_at(a, &second);
			rest = is_at_rest(a, &second) && second.state == first[a].state && second.switches == first[a].switches;
		}
		if (rest) {
			/* One that is gone may have had company. */
			if (!gone || others == ~0U)
				return gone;
			others = ~0U;
			continue;
		}
		if (tries < 8)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
	return 0;
}

/* Tells what those have to say who were told something and have done it, and who is gone. */
static void harvest(bool busy[ACTORS], unsigned int gone)
{
	int a;

	for (a = 0; a < ACTORS; a++) {
		struct actor_state *self = &SHM->actor[a];

		if (self->turn == TURN_NONE) {
			/* A program that another thread started was the end of this one. */
			if (busy[a])
				tell(" %s:gone", actor_name[a]);
			busy[a] = false;
			continue;
		}
		if (idle(a) && busy[a]) {
			tell(" %s=%s", actor_name[a], self->out.text);
			busy[a] = false;
		}
		if (gone & 1U << a) {
			tell(" %s:gone", actor_name[a]);
			self->turn = TURN_NONE;
			busy[a] = false;
		}
	}
}

static void status_tell(void)
{
	static const char *const name[] = { "\nNoNewPrivs:\t", "\nSeccomp:\t", "\nSeccomp_filters:\t" };
	char path[64], buf[4096];
	unsigned int i;
	int a;

	for (a = S0; a <= C0; a++) {
		const struct actor_state *self = &SHM->actor[a];

		if (self->turn == TURN_NONE)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/status", self->pid, self->tid);
		if (text_read(path, buf, sizeof(buf)) <= 0)
			continue;
		tell(" %s:", actor_name[a]);
		for (i = 0; i < ARRAY_SIZE(name); i++)
			tell("%s%s", i ? "/" : "", field(buf, name[i]));
	}
	tell(" handled:%d", SHM->handled);
}

/* Which processes there are, by their actors. */
static void process_kill(enum process process)
{
	static const enum actor first[PROCESSES] = { [PS] = S0, [PC] = C0, [PL] = L0, [PX] = X0 };
	pid_t pid = SHM->actor[first[process]].pid;

	if (process == PC && SHM->actor[C0].pid == SHM->pid[PS])
		return;
	if (pid)
		kill(pid, SIGKILL);
}

/*
 * A thread that waits and may only be killed takes a stop no sooner than it is
 * woken. What wakes it can wake a sibling as well, and whether that one is stopped
 * before it has told its result is chance.
 */
static bool stops_later(const struct step *s, const bool busy[ACTORS])
{
	enum actor to = s->v[0];
	int a;

	if (s->op != OP_SIGNAL || s->v[1] != SIGSTOP || !busy[to])
		return false;
	for (a = S0; a <= C0; a++)
		if (a != (int)to && SHM->actor[a].turn != TURN_NONE && SHM->actor[a].pid == SHM->actor[to].pid)
			return true;
	return false;
}

static void step_take(const struct step *s, bool busy[ACTORS])
{
	struct actor_state *self = &SHM->actor[s->actor];
	unsigned int others = step_disturbs(s), gone;
	struct log name = { 0 };
	bool receiving = false;
	int a;

	step_print(&name, s);
	tell(" | %s", name.text);
	if (s->op == OP_STATUS) {
		status_tell();
		return;
	}
	if (s->op == OP_KILL) {
		process_kill(s->v[0]);
	} else {
		/* Two that wait for the same event: which of them gets it is chance. */
		for (a = 0; a < ACTORS; a++)
			receiving |= busy[a] && (SHM->actor[a].step.op == OP_RECV || SHM->actor[a].step.op == OP_POLL);
		if (self->turn != TURN_IDLE || busy[s->actor] || stops_later(s, busy) ||
		    (receiving && (s->op == OP_RECV || (s->op == OP_POLL && s->v[1])))) {
			tell(" -");
			return;
		}
		self->step = *s;
		self->out.len = 0;
		self->out.text[0] = 0;
		busy[s->actor] = true;
		__atomic_store_n(&self->turn, TURN_GO, __ATOMIC_SEQ_CST);
		futex_wake(&self->turn);
		/* Most have done it at once; then there is no need to look at them. */
		for (a = 0; a < 20 && !idle(s->actor); a++)
			sched_yield();
	}
	gone = settle(others);
	harvest(busy, gone);
	if (s->op != OP_KILL && busy[s->actor])
		tell(" ...");
}

static pid_t role_start(void (*role)(void))
{
	long pid = syscall(SYS_clone, CLONE_ARGS(SIGCHLD, 0L), 0, 0, 0);

	if (pid < 0)
		fail("clone");
	if (pid == 0)
		role();
	return (pid_t)pid;
}

static void await_idle(enum actor a)
{
	while (!idle(a) && !hung)
		syscall(SYS_futex, &SHM->actor[a].turn, FUTEX_WAIT, TURN_NONE, NULL, NULL, 0);
}

static void case_run(const struct plan *p, char *into)
{
	const struct itimerval on = { .it_value.tv_sec = WATCHDOG }, off = { 0 };
	bool busy[ACTORS] = { false };
	pid_t subject, listener = 0, tracer = 0;
	int a, status = -1;
	unsigned int i;

	line = into;
	line_len = 0;
	hung = 0;
	SHM->plan = *p;
	for (a = 0; a < ACTORS; a++) {
		SHM->actor[a].turn = TURN_NONE;
		SHM->actor[a].tid = SHM->actor[a].pid = 0;
		SHM->trace_status[a] = 0;
	}
	for (i = 0; i < PROCESSES; i++) {
		SHM->listener_fd[i] = -1;
		SHM->pid[i] = 0;
	}
	SHM->supervisor = getpid();
	SHM->have_id = false;
	SHM->first_id = SHM->last_id = 0;
	SHM->handled = 0;
	setitimer(ITIMER_REAL, &on, NULL);
	tell("%llu %s th=%d nnp=%d restart=%d", (unsigned long long)p->number, p->theme, p->threads, p->nnp, p->restart);
	subject = role_start(subject_main);
	if (p->listener)
		listener = role_start(listener_main);
	if (p->tracer)
		tracer = role_start(tracer_main);
	for (a = S0; a < S0 + p->threads; a++)
		await_idle(a);
	if (p->listener)
		await_idle(L0);
	if (p->second_listener)
		await_idle(L1);
	if (p->tracer)
		await_idle(X0);
	for (i = 0; i < p->n_steps && !hung; i++)
		step_take(&p->step[i], busy);
	tell(" | end");
	status_tell();

	kill(subject, SIGKILL);
	process_kill(PC);
	if (listener)
		kill(listener, SIGKILL);
	/* It keeps what it traces from being reaped. */
	if (tracer)
		kill(tracer, SIGKILL);
	while (waitpid(tracer, NULL, __WALL) < 0 && errno == EINTR)
		;
	while (waitpid(subject, &status, __WALL) < 0 && errno == EINTR)
		;
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	setitimer(ITIMER_REAL, &off, NULL);
	if (WIFEXITED(status))
		tell(" exit=%d", WEXITSTATUS(status));
	else
		tell(" signal=%d", WTERMSIG(status));
	if (hung)
		tell(" HUNG");
}

static void shm_map(void)
{
	if (mmap((void *)SHM_ADDR, sizeof(struct shm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE,
		 FD_SHM, 0) != (void *)SHM_ADDR)
		fail("mmap");
}

/* What each worker has for itself: the shared pages and the descriptors of the cases. */
static void worker_start(void)
{
	struct sigaction alarm = { .sa_handler = on_alarm };
	const struct rlimit none = { 0, 0 };
	int shm = memfd_create("shared", 0), mem = memfd_create("given", 0), exe = open("/proc/self/exe", O_RDONLY);

	if (shm < 0 || mem < 0 || exe < 0 || ftruncate(shm, sizeof(struct shm)) || dup2(shm, FD_SHM) < 0 ||
	    dup2(mem, FD_MEM) < 0 || dup2(exe, FD_EXE) < 0)
		fail("descriptors");
	close(shm);
	close(mem);
	close(exe);
	shm_map();
	memory_map();
	sigaction(SIGALRM, &alarm, NULL);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void pids_raise(void)
{
	int fd;

	if (getpid() >= 1000)
		return;
	fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		fail("/proc/sys/kernel/ns_last_pid");
	close(fd);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: seccomp_api --seed S (--case N | --cases N [--first N]) [--jobs J] [--list]\n"
		"  --case N     run that case alone, telling each step as it is made\n"
		"  --cases N    run cases first .. first + N - 1\n"
		"  --jobs J     run J cases side by side\n"
		"  --list       print the cases, run none\n");
	exit(2);
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end || *s == '-')
		usage();
	return v;
}

static void plan_list(const struct plan *p)
{
	unsigned int i;

	printf("%llu %s", (unsigned long long)p->number, p->theme);
	for (i = 0; i < p->n_steps; i++) {
		struct log name = { 0 };

		step_print(&name, &p->step[i]);
		printf(" | %s", name.text);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seed", 1, NULL, 's' }, { "case", 1, NULL, 'c' }, { "cases", 1, NULL, 'n' }, { "first", 1, NULL, 'f' },
		{ "jobs", 1, NULL, 'j' }, { "list", 0, NULL, 'l' }, { 0 },
	};
	uint64_t seed = 0, first = 0, count = 0, jobs = 1, at, end;
	bool list = false, have_seed = false;
	static struct plan plan;
	char *results;
	int c, status, bad = 0;

	/* An actor that has executed this program, by its number. */
	if (argc == 3 && !strcmp(argv[1], "--actor")) {
		shm_map();
		actor_loop((enum actor)(argv[2][0] - '0'));
	}
	addresses_fix(argv);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = number(optarg);
			have_seed = true;
			break;
		case 'c':
			first = number(optarg);
			count = 1;
			verbose = true;
			break;
		case 'n':
			count = number(optarg);
			break;
		case 'f':
			first = number(optarg);
			break;
		case 'j':
			jobs = number(optarg);
			break;
		case 'l':
			list = true;
			break;
		default:
			usage();
		}
	}
	if (!have_seed || !count || !jobs || jobs > 64 || optind != argc)
		usage();
	end = first + count;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (list) {
		for (at = first; at < end; at++) {
			plan_make(&plan, seed, at);
			plan_list(&plan);
		}
		return 0;
	}

	while ((c = open("/dev/null", O_RDWR)) < 3)
		if (c < 0)
			fail("/dev/null");
	/* What is inherited beyond the standard three would change the numbers of descriptors. */
	if (syscall(SYS_close_range, 3, ~0U, 0))
		for (c = 3; c < 1024; c++)
			close(c);
	/* From here on no pid is one of the small numbers that calls return. */
	pids_raise();
	results = mmap(NULL, (size_t)BATCH * LINE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		fail("mmap");
	for (at = first; at < end && !bad;) {
		uint64_t stop = (at / BATCH + 1) * BATCH, i, j;
		pid_t pids[64];

		if (stop > end)
			stop = end;
		for (j = 0; j < jobs; j++) {
			pids[j] = fork();
			if (pids[j] < 0)
				fail("fork");
			if (pids[j])
				continue;
			worker_start();
			for (i = at + j; i < stop; i += jobs) {
				plan_make(&plan, seed, i);
				case_run(&plan, results + (i - at) * LINE_SIZE);
			}
			_exit(0);
		}
		for (j = 0; j < jobs; j++)
			if (waitpid(pids[j], &status, 0) < 0 || status)
				bad = 1;
		for (i = at; i < stop; i++) {
			char *text = results + (i - at) * LINE_SIZE;

			if (text[0])
				printf("%s\n", text);
			text[0] = 0;
		}
		fflush(stdout);
		at = stop;
	}
	if (bad)
		fprintf(stderr, "seccomp_api: a worker failed\n");
	return bad ? 2 : 0;
}
