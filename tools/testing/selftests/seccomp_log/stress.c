// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once for a number of seconds: calls logged at full speed with
 * every action, actions_logged rewritten, filters attached with TSYNC, threads
 * and processes killed, tracers and listeners that die, audit switched off and
 * on and given hardly any backlog; and in stress_filters.c the filters' own
 * life, from many sides.
 *
 * Usage: stress [SECONDS [SEED]]
 *
 * How far each worker gets is chance, and no result depends on it. What counts
 * is that no call goes on which a filter had stopped, that nobody who was to
 * die lives, that actions_logged and the records are always well-formed, and
 * that all workers come to their end. Splats are for whoever runs this to see.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <time.h>

#include "seccomp_log.h"
#include "stress.h"

#define DEFAULT_SECONDS	20
/* Workers that are not back so long after the end hang. */
#define GRACE_SECONDS	120

static volatile bool *over;
static unsigned int seed;

bool go_on(void)
{
	return !__atomic_load_n(over, __ATOMIC_RELAXED);
}

unsigned int choose(unsigned int *state, unsigned int n)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % n;
}

void complain(struct tally *tally, unsigned long *count, const char *format, ...)
{
	va_list args;

	/* Whose words stand is chance; that there are some is not. */
	if (!__atomic_fetch_add(count, 1, __ATOMIC_RELAXED) && !tally->first[0]) {
		va_start(args, format);
		vsnprintf(tally->first, sizeof(tally->first), format, args);
		va_end(args);
	}
}

void one_more(struct tally *tally)
{
	__atomic_fetch_add(&tally->rounds, 1, __ATOMIC_RELAXED);
}

void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Threads under one surviving action each. */
static const unsigned int surviving[] = {
	SECCOMP_RET_LOG, SECCOMP_RET_ERRNO | RET_DATA, SECCOMP_RET_TRAP | RET_DATA,
	SECCOMP_RET_TRACE | RET_DATA, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW,
};

struct logger {
	struct tally *tally;
	unsigned int action;
};

static __thread int handled;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	handled = info->si_errno == RET_DATA ? handled + 1 : -1000;
}

static void *log_for_ever(void *arg)
{
	struct logger *logger = arg;
	struct tally *tally = logger->tally;
	long parent = getppid(), expected = parent, ret;
	bool trapped = false;

	switch (logger->action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
		expected = -RET_DATA;
		break;
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		expected = -ENOSYS;
		break;
	case SECCOMP_RET_TRAP:
		expected = TRAPPED(__NR_getppid);
		trapped = true;
		break;
	}
	if (attach(NATIVE_ARCH, __NR_getppid, logger->action, SECCOMP_FILTER_FLAG_LOG)) {
		WRONG("no filter for action 0x%x", logger->action);
		return NULL;
	}
	while (go_on()) {
		handled = 0;
		ret = native_call(__NR_getppid);
		if (ret != expected && ret == parent)
			ESCAPED("a call went on under 0x%x", logger->action);
		else if (ret != expected)
			WRONG("a call under 0x%x returned %ld", logger->action, ret);
		if (handled != trapped)
			WRONG("%d handlers ran under 0x%x", handled, logger->action);
		one_more(tally);
	}
	return NULL;
}

static void loggers(struct tally *tally, unsigned int *random)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	struct logger logger[ARRAY_SIZE(surviving)];
	pthread_t thread[ARRAY_SIZE(surviving)];
	int i;

	sigaction(SIGSYS, &action, NULL);
	for (i = 0; i < ARRAY_SIZE(surviving); i++) {
		logger[i] = (struct logger){ tally, surviving[i] };
		if (pthread_create(&thread[i], NULL, log_for_ever, &logger[i]))
			_exit(NOT_READY);
	}
	for (i = 0; i < ARRAY_SIZE(surviving); i++)
		pthread_join(thread[i], NULL);
}

/* Some set of names, in the order of the table, and nothing else? */
static bool is_a_set(const char *text)
{
	char names[128];
	unsigned int mask;

	for (mask = 0; mask < ALL_MASKS; mask++)
		if (!strcmp(text, mask_names(mask, ' ', names)))
			return true;
	return false;
}

static void writers(struct tally *tally, unsigned int *random)
{
	static const char * const bad[] = { "bogus", "log allow", "LOG", "trace,log" };
	char text[256];
	const char *no;

	while (go_on()) {
		if (set_mask(choose(random, ALL_MASKS)))
			WRONG("a set could not be written");
		no = bad[choose(random, ARRAY_SIZE(bad))];
		if (write_text(ACTIONS_LOGGED, no, strlen(no)) != -EINVAL)
			WRONG("\"%s\" was written", no);
		if (read_text(ACTIONS_LOGGED, text, sizeof(text)) < 0 || !is_a_set(text))
			WRONG("actions_logged held \"%s\"", text);
		if (read_text(ACTIONS_AVAIL, text, sizeof(text)) < 0 || strcmp(text, AVAIL_TEXT))
			WRONG("actions_avail held \"%s\"", text);
		one_more(tally);
	}
}

/* Single-threaded children that must die of their call. */
static void killed(struct tally *tally, unsigned int *random)
{
	static const unsigned int fatal[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
		0x00010000, 0x7ffd0000, 0x80010000, 0xffff0000,
	};
	volatile int *lived = share(4096);
	int status, which;
	pid_t pid;

	while (lived && go_on()) {
		which = choose(random, ARRAY_SIZE(fatal) + 1);
		*lived = 0;
		pid = fork();
		if (!pid) {
			if (which == ARRAY_SIZE(fatal) ?
			    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) :
			    attach(NATIVE_ARCH, __NR_getppid, fatal[which] | RET_DATA, 0))
				_exit(NOT_READY);
			native_call(__NR_getppid);
			*lived = 1;
			syscall(__NR_exit, 0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			WRONG("no child");
			continue;
		}
		if (*lived)
			ESCAPED("a child lived on under 0x%x",
				which == ARRAY_SIZE(fatal) ? 0 : fatal[which]);
		else if (status != (which == ARRAY_SIZE(fatal) ? SIGKILL : SIGSYS))
			WRONG("a child's status is %x", status);
		one_more(tally);
	}
}

/* Threads that TSYNC stops in the middle of their calls. */
struct crowd {
	volatile int attached;
	volatile int stop;
	volatile int escaped;
	volatile int hits;	/* calls that were denied */
	long denied;
};

static void *call_in_crowd(void *arg)
{
	struct crowd *crowd = arg;

	while (!crowd->stop) {
		int attached = __atomic_load_n(&crowd->attached, __ATOMIC_ACQUIRE);
		long ret = native_call(__NR_getppid);

		/* Whoever saw the filter attached must not get through. */
		if (attached && ret != crowd->denied)
			crowd->escaped = 1;
		if (ret == crowd->denied)
			__atomic_fetch_add(&crowd->hits, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void tsync(struct tally *tally, unsigned int *random)
{
	static const unsigned int actions[] = {
		SECCOMP_RET_ERRNO | RET_DATA, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
	};
	struct crowd *crowd = share(sizeof(*crowd));
	unsigned int action;
	pthread_t thread[4];
	int status, i;
	pid_t pid;

	while (crowd && go_on()) {
		memset(crowd, 0, sizeof(*crowd));
		action = actions[choose(random, ARRAY_SIZE(actions))];
		crowd->denied = -RET_DATA;
		pid = fork();
		if (!pid) {
			for (i = 0; i < 4; i++)
				if (pthread_create(&thread[i], NULL, call_in_crowd, crowd))
					_exit(NOT_READY);
			/* Some calls under a filter that lets them go, more filters on top. */
			for (i = 0; i < 4; i++)
				if (attach(NATIVE_ARCH, __NR_getppid, SECCOMP_RET_LOG,
					   SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG))
					_exit(NOT_READY);
			if (attach(NATIVE_ARCH, __NR_getppid, action,
				   SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG))
				_exit(NOT_READY);
			__atomic_store_n(&crowd->attached, 1, __ATOMIC_RELEASE);
			if (action == actions[0]) {
				while (crowd->hits < 100 && !crowd->escaped)
					sched_yield();
				crowd->stop = 1;
			}
			/* KILL_THREAD takes them one by one, KILL_PROCESS all of us. */
			for (i = 0; i < 4; i++)
				pthread_join(thread[i], NULL);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			WRONG("no child");
			continue;
		}
		if (crowd->escaped)
			ESCAPED("a call went on after TSYNC of 0x%x", action);
		else if (status != (action == SECCOMP_RET_KILL_PROCESS ? SIGSYS : 0))
			WRONG("status %x after TSYNC of 0x%x", status, action);
		one_more(tally);
	}
}

/*
 * A tracer that dies while its tracee waits for it. It may have changed the
 * call to one that kills, and may have asked that the tracee die with it.
 */
static void tracers(struct tally *tally, unsigned int *random)
{
	struct { volatile long ret; volatile int lived; } *call = share(4096);
	const struct rule rules[] = {
		{ NATIVE_ARCH, __NR_getppid, SECCOMP_RET_TRACE | RET_DATA },
		{ NATIVE_ARCH, OTHER_NR, SECCOMP_RET_KILL_PROCESS },
	};
	bool change, exitkill, by_signal;
	int status, go[2];
	pid_t tracee, tracer;
	char byte = 0;

	while (call && go_on()) {
		change = choose(random, 2);
		exitkill = choose(random, 2);
		by_signal = choose(random, 2);
		call->ret = 0;
		call->lived = 0;
		if (pipe(go))
			_exit(NOT_READY);
		tracee = fork();
		if (!tracee) {
			close(go[1]);
			if (read(go[0], &byte, 1) != 1 ||
			    attach_rules(rules, 2, SECCOMP_FILTER_FLAG_LOG))
				_exit(NOT_READY);
			call->ret = native_call(__NR_getppid);
			call->lived = 1;
			_exit(0);
		}
		tracer = fork();
		if (!tracer) {
			struct stopped_call stopped;

			if (ptrace(PTRACE_SEIZE, tracee, NULL, PTRACE_O_TRACESECCOMP |
				   (exitkill ? PTRACE_O_EXITKILL : 0)) ||
			    write(go[1], &byte, 1) != 1 ||
			    waitpid(tracee, &status, __WALL) != tracee)
				_exit(NOT_READY);
			if (change) {
				if (read_call(tracee, &stopped))
					_exit(NOT_READY);
				stopped.nr = OTHER_NR;
				if (write_call(tracee, &stopped))
					_exit(NOT_READY);
			}
			if (by_signal)
				kill(getpid(), SIGKILL);
			_exit(0);
		}
		close(go[0]);
		close(go[1]);
		if (tracer < 0 || tracee < 0 || waitpid(tracer, &status, 0) != tracer ||
		    (WIFEXITED(status) && WEXITSTATUS(status)))
			WRONG("the tracer's status is %x", status);
		if (tracee > 0 && waitpid(tracee, &status, 0) != tracee)
			WRONG("no tracee");
		if ((exitkill || change) && call->lived)
			ESCAPED("a tracee lived on: exitkill %d, changed %d", exitkill, change);
		else if (exitkill ? status != SIGKILL && !(change && status == SIGSYS) :
			 status != (change ? SIGSYS : 0))
			WRONG("a tracee's status is %x: exitkill %d, changed %d", status, exitkill,
			      change);
		else if (!exitkill && !change && call->ret != getpid())
			WRONG("a call returned %ld without its tracer", call->ret);
		one_more(tally);
	}
}

/* A listener that answers, and one that goes away in the middle. */
struct notified {
	volatile long ret;
	volatile int listener;
	pthread_barrier_t barrier;
};

static void *call_notified(void *arg)
{
	struct notified *notified = arg;

	notified->listener = attach(NATIVE_ARCH, __NR_getppid, SECCOMP_RET_USER_NOTIF,
				    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_LOG);
	pthread_barrier_wait(&notified->barrier);
	if (notified->listener >= 0)
		notified->ret = native_call(__NR_getppid);
	return NULL;
}

static void listeners(struct tally *tally, unsigned int *random)
{
	struct seccomp_notif_resp answer;
	struct seccomp_notif request;
	struct notified notified;
	pthread_t thread;
	int how;

	while (go_on()) {
		how = choose(random, 3);
		memset(&notified, 0, sizeof(notified));
		memset(&request, 0, sizeof(request));
		memset(&answer, 0, sizeof(answer));
		pthread_barrier_init(&notified.barrier, NULL, 2);
		if (pthread_create(&thread, NULL, call_notified, &notified))
			_exit(NOT_READY);
		pthread_barrier_wait(&notified.barrier);
		if (notified.listener < 0) {
			WRONG("no listener: %d", notified.listener);
			pthread_join(thread, NULL);
			continue;
		}
		/* Goes at any moment; goes with the call in hand; answers. */
		if (how && ioctl(notified.listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			WRONG("nothing received");
		answer.id = request.id;
		answer.error = -EDOM;
		if (how == 2 && ioctl(notified.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer))
			WRONG("nothing sent");
		close(notified.listener);
		pthread_join(thread, NULL);
		pthread_barrier_destroy(&notified.barrier);
		if (notified.ret > 0)
			ESCAPED("a call went on without its listener");
		else if (notified.ret != (how == 2 ? -EDOM : -ENOSYS))
			WRONG("a call with a listener returned %ld", notified.ret);
		one_more(tally);
	}
}

/* Audit off and on, and hardly any room: records may be lost, nobody may hang. */
static void audit_switches(struct tally *tally, unsigned int *random)
{
	struct audit_status set, before;
	struct audit_reader reader;

	if (audit_open(&reader) || audit_get_status(&reader, &before) || before.enabled > 1) {
		tally->skipped = true;
		return;
	}
	close(reader.records);
	while (go_on()) {
		memset(&set, 0, sizeof(set));
		set.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_BACKLOG_LIMIT |
			   AUDIT_STATUS_BACKLOG_WAIT_TIME;
		set.enabled = choose(random, 2);
		set.backlog_limit = choose(random, 4) ? 1 + choose(random, 4) : 64;
		set.backlog_wait_time = choose(random, 3);
		if (audit_request(&reader, AUDIT_SET, &set, sizeof(set), NULL, 0))
			WRONG("audit could not be set");
		one_more(tally);
	}
	set = before;
	set.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_BACKLOG_LIMIT |
		   AUDIT_STATUS_BACKLOG_WAIT_TIME;
	if (audit_request(&reader, AUDIT_SET, &set, sizeof(set), NULL, 0))
		WRONG("audit could not be put back");
	close(reader.control);
}

/* The end of a record, after its exe: numbers that seccomp has for its calls. */
static bool is_well_formed(const char *text)
{
	const char *tail = strstr(text, " sig=");
	unsigned int arch, code, compat;
	unsigned long ip;
	long sig, nr;
	int end = 0;

	if (!tail || sscanf(tail, " sig=%ld arch=%x syscall=%ld compat=%u ip=0x%lx code=0x%x%n",
			    &sig, &arch, &nr, &compat, &ip, &code, &end) != 6 || tail[end])
		return false;
	if (code & SECCOMP_RET_DATA || code == SECCOMP_RET_ALLOW || arch != NATIVE_ARCH ||
	    compat)
		return false;
	switch (code) {
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		return sig == 0;
	case SECCOMP_RET_KILL_THREAD:
		return sig == SIGSYS || sig == SIGKILL;
	default:
		return sig == SIGSYS;
	}
}

static void readers(struct tally *tally, unsigned int *random)
{
	static struct audit_record record;
	struct audit_reader reader;
	struct pollfd poll_fd;
	char exe[PATH_MAX + 16] = "";
	char path[PATH_MAX] = "";
	int error;

	if (readlink("/proc/self/exe", path, sizeof(path) - 1) > 0)
		snprintf(exe, sizeof(exe), " exe=\"%s\" ", path);
	if (audit_open(&reader)) {
		tally->skipped = true;
		return;
	}
	poll_fd = (struct pollfd){ .fd = reader.records, .events = POLLIN };
	while (go_on()) {
		if (poll(&poll_fd, 1, 100) <= 0)
			continue;
		error = audit_next(&reader, &record);
		/* Records are made faster than they can be read: some are lost. */
		if (error == -ENOBUFS)
			continue;
		if (error)
			WRONG("reading failed: %s", strerror(-error));
		else if (record.type == AUDIT_SECCOMP && strstr(record.text, exe) &&
			 !is_well_formed(record.text))
			WRONG("a record reads \"%s\"", audit_record_body(&record));
		one_more(tally);
	}
	audit_close(&reader);
}

/*
 * Allocations that fail, one after the other, while calls are logged. Only on
 * kernels with FAILSLAB.
 */
#define FAILSLAB	"/sys/kernel/debug/failslab/"

static bool fails_allocation(int fd, int nth, long *ret)
{
	char text[16];
	bool failed;

	snprintf(text, sizeof(text), "%d", nth);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		return false;
	*ret = native_call(__NR_getppid);
	/* What is left to count; nothing, once an allocation has failed. */
	failed = pread(fd, text, sizeof(text), 0) > 0 && text[0] == '0';
	pwrite(fd, "0", 1, 0);
	return failed;
}

static void failing_allocations(struct tally *tally, unsigned int *random)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	long ret;
	int nth;

	/* Those that may sleep are to fail as well, without a word on the console. */
	if (fd < 0 || write_text(FAILSLAB "ignore-gfp-wait", "N", 1) < 0 ||
	    write_text(FAILSLAB "verbose", "0", 1) < 0) {
		tally->skipped = true;
		return;
	}
	if (attach(NATIVE_ARCH, __NR_getppid, SECCOMP_RET_ERRNO | RET_DATA,
		   SECCOMP_FILTER_FLAG_LOG))
		_exit(NOT_READY);
	while (go_on()) {
		for (nth = 1; nth < 16; nth++) {
			ret = -RET_DATA;
			/* Without a record, there is nothing to allocate. */
			if (fails_allocation(fd, nth, &ret))
				one_more(tally);
			if (ret > 0)
				ESCAPED("a call went on when allocation %d failed", nth);
			else if (ret != -RET_DATA)
				WRONG("a call returned %ld", ret);
		}
	}
	write_text(FAILSLAB "ignore-gfp-wait", "Y", 1);
	close(fd);
}

/*
 * Calls that are logged once, by all actions at once, while all filters are made
 * to forget again and again. What comes of the calls is as without; who reads
 * the records may lose some here, so that they are counted in once_test.
 */
#define ACTIONS_LOGGED_ONCE "/proc/sys/kernel/seccomp/actions_logged_once"

static void once_writers(struct tally *tally, unsigned int *random)
{
	char text[256], names[128];
	ssize_t len;

	if (access(ACTIONS_LOGGED_ONCE, F_OK)) {
		tally->skipped = true;
		return;
	}
	while (go_on()) {
		mask_names(choose(random, ALL_MASKS), ' ', names);
		len = snprintf(text, sizeof(text), "%s\n", names);
		if (write_text(ACTIONS_LOGGED_ONCE, text, len) != len)
			WRONG("a set could not be written");
		if (write_text(ACTIONS_LOGGED_ONCE, "bogus", 5) != -EINVAL)
			WRONG("\"bogus\" was written");
		if (read_text(ACTIONS_LOGGED_ONCE, text, sizeof(text)) < 0 || !is_a_set(text))
			WRONG("actions_logged_once held \"%s\"", text);
		one_more(tally);
	}
	write_text(ACTIONS_LOGGED_ONCE, "\n", 1);
}

/* Numbers that no table has a call for, and some behind it, by two conventions. */
static void *log_once_for_ever(void *arg)
{
	struct tally *tally = arg;
	unsigned int random = seed;

	while (go_on()) {
		unsigned int nr = FIRST_VOID + choose(&random, 300);

		if (nr > LAST_VOID && nr < BEHIND_ALL_TABLES)
			nr = FIRST_VOID;
		if (native_call(nr) != -ENOSYS)
			ESCAPED("call %u is none", nr);
		if (native_call(OTHER_NR) != -RET_DATA)
			ESCAPED("a call went on that was to be logged once");
		if (native_call(__NR_getppid) != getppid())
			WRONG("a call was not made that was to be logged once");
		one_more(tally);
	}
	return NULL;
}

static void once_loggers(struct tally *tally, unsigned int *random)
{
	const struct rule rules[] = {
		{ NATIVE_ARCH, OTHER_NR, SECCOMP_RET_ERRNO | RET_DATA },
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };
	const unsigned int flags = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_LOG_ONCE;
	pthread_t thread[4];
	int i;

	if (access(ACTIONS_LOGGED_ONCE, F_OK)) {
		tally->skipped = true;
		return;
	}
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) ||
	    attach_rules(rules, ARRAY_SIZE(rules), flags))
		_exit(NOT_READY);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(&thread[i], NULL, log_once_for_ever, tally))
			_exit(NOT_READY);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
}

static const struct worker {
	const char *name;
	void (*run)(struct tally *tally, unsigned int *random);
	int count;
} workers[] = {
	{ "calls are logged with every action", loggers, 1 },
	{ "actions_logged is rewritten", writers, 2 },
	{ "children are killed", killed, 1 },
	{ "TSYNC stops running threads", tsync, 1 },
	{ "tracers die", tracers, 1 },
	{ "listeners go away", listeners, 1 },
	{ "audit is switched and starved", audit_switches, 1 },
	{ "records are read", readers, 1 },
	{ "allocations fail", failing_allocations, 1 },
	{ "filters are attached, synchronised and killed with their tasks", attachers, 2 },
	{ "filters are inherited and dropped", forkers, 2 },
	{ "filters are read while others are attached", filter_readers, 2 },
	{ "answers find their calls", crossed_answers, 2 },
	{ "actions_logged_once is rewritten", once_writers, 1 },
	{ "calls are logged once", once_loggers, 2 },
};

/*
 * What the workers took is given back: the memory that is available comes back
 * to what it was. What is freed by RCU and by the kernel's own threads takes its
 * time, so it is asked for again until it is there; kmemleak is more exact
 * where a kernel has it, and for whoever runs this to read.
 */
#define LOST_LIMIT_KIB	(24 << 10)
#define LOST_TRIES	300

static long memory_available(void)
{
	char text[4096], *at;

	if (read_text("/proc/meminfo", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "MemAvailable:");
	return at ? strtol(at + strlen("MemAvailable:"), NULL, 10) : -1;
}

static bool is_given_back(long before)
{
	long lost = 0;
	int i;

	for (i = 0; i < LOST_TRIES; i++) {
		/* Caches can be had back, and are not what is looked for. */
		write_text("/proc/sys/vm/drop_caches", "3", 1);
		lost = before - memory_available();
		if (lost < LOST_LIMIT_KIB)
			break;
		usleep(100000);
	}
	ksft_print_msg("memory: %ld KiB less than before\n", lost);
	return lost < LOST_LIMIT_KIB;
}

static pid_t start(const struct worker *worker, struct tally *tally, int number)
{
	unsigned int random = seed + 7919 * number;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	worker->run(tally, &random);
	_exit(0);
}

/* Whether each worker has had a round, or cannot have one here. */
static bool all_have_run(const struct tally *tally)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		if (!__atomic_load_n(&tally[i].rounds, __ATOMIC_RELAXED) &&
		    !__atomic_load_n(&tally[i].skipped, __ATOMIC_RELAXED))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : DEFAULT_SECONDS;
	int i, j, status, left = 0, hung, bad;
	struct rlimit none = { };
	struct tally *tally;
	pid_t pids[32], pid;
	char reason[64];
	long available;
	time_t end;

	seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	ksft_print_header();
	if (argc > 3 || seconds <= 0)
		ksft_exit_fail_msg("usage: stress [SECONDS [SEED]]\n");
	if (geteuid())
		ksft_exit_skip("the test needs root\n");
	ksft_set_plan(ARRAY_SIZE(workers) + 1);
	save_at_start();
	setrlimit(RLIMIT_CORE, &none);
	tally = share(sizeof(*tally) * ARRAY_SIZE(workers));
	over = share(4096);
	if (!tally || !over)
		ksft_exit_fail_msg("no memory\n");
	ksft_print_msg("%d seconds, seed %u\n", seconds, seed);
	write_text("/proc/sys/vm/drop_caches", "3", 1);
	available = memory_available();

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		for (j = 0; j < workers[i].count; j++, left++) {
			pids[left] = start(&workers[i], &tally[i], left);
			if (pids[left] < 0)
				ksft_exit_fail_msg("fork: %s\n", strerror(errno));
		}
	}
	sleep(seconds);
	/* On a slow machine a worker may not have got that far. */
	end = time(NULL) + GRACE_SECONDS;
	while (!all_have_run(tally) && time(NULL) < end)
		sleep(1);
	*over = true;

	/* Any worker still there after that long hangs; its group goes with it. */
	end = time(NULL) + GRACE_SECONDS;
	for (i = 0, hung = 0; i < ARRAY_SIZE(workers); i++) {
		bad = 0;
		reason[0] = '\0';
		for (j = 0; j < workers[i].count; j++) {
			int n = 0, k;

			for (k = 0; k < i; k++)
				n += workers[k].count;
			while (!(pid = waitpid(pids[n + j], &status, WNOHANG)) &&
			       time(NULL) < end)
				usleep(10000);
			if (!pid) {
				hung++;
				bad++;
				strcpy(reason, "hangs");
				kill(-pids[n + j], SIGKILL);
			} else if (pid < 0 || status) {
				bad++;
				snprintf(reason, sizeof(reason), "ended with status %x", status);
			}
		}
		ksft_print_msg("%lu rounds, %lu escapes, %lu faults%s%s%s%s\n", tally[i].rounds,
			       tally[i].escapes, tally[i].faults, *reason ? "; " : "", reason,
			       tally[i].first[0] ? "; " : "", tally[i].first);
		if (tally[i].skipped && !bad && !tally[i].faults)
			ksft_test_result_code(KSFT_SKIP, workers[i].name, "not possible here");
		else
			ksft_test_result(!bad && !tally[i].escapes && !tally[i].faults &&
					 tally[i].rounds, "%s\n", workers[i].name);
	}
	ksft_test_result(is_given_back(available), "memory is given back\n");
	ksft_finished();
}
