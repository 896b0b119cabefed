// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are logged once: SECCOMP_FILTER_FLAG_LOG_ONCE and
 * actions_logged_once.
 *
 * As in log_test, each test makes calls, closes them off with a fence, and
 * looks at all records up to it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#include "kselftest_harness.h"
#include "calls.h"

#define ACTIONS_LOGGED_ONCE	"/proc/sys/kernel/seccomp/actions_logged_once"
#define ONCE	SECCOMP_FILTER_FLAG_LOG_ONCE
#define BOTH	(SECCOMP_FILTER_FLAG_LOG_ONCE | SECCOMP_FILTER_FLAG_LOG)
#define SURVIVING 5	/* of actions[]: those that are logged and do not kill */
#define SLOWLY	300	/* seconds, on a debug kernel */

/* Writes actions_logged_once, which has all filters forget. Returns 0 or -errno. */
static int set_once(unsigned int mask)
{
	char text[128];
	size_t len = strlen(mask_names(mask, ' ', text));
	ssize_t ret;

	text[len++] = '\n';
	ret = write_text(ACTIONS_LOGGED_ONCE, text, len);
	return ret == (ssize_t)len ? 0 : ret < 0 ? ret : -EIO;
}

/* Whatever becomes of a test, the next one finds the sysctl empty. */
static void empty_once(void)
{
	set_once(0);
}

FIXTURE(once)
{
	struct state state;
};

static void set_up_once(struct __test_metadata *_metadata, struct state *state)
{
	set_up(_metadata, state);
	if (access(ACTIONS_LOGGED_ONCE, F_OK))
		SKIP(return, "the kernel has no CONFIG_SECCOMP_LOG_ONCE");
	ASSERT_EQ(0, set_once(0));
}

FIXTURE_SETUP(once)
{
	set_up_once(_metadata, &self->state);
}

FIXTURE_TEARDOWN_PARENT(once)
{
	empty_once();
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

static void call_times(const struct caller *caller, int times)
{
	while (times--)
		make_call(caller);
}

/* The number of records of this program since the last look, and of which call the last was. */
static int count_records(struct __test_metadata *_metadata, struct state *state, long *last)
{
	struct records got;
	const char *at;

	ASSERT_EQ(0, collect(&state->reader, AUDIT_SECCOMP, state->mine, &got));
	if (last && got.count) {
		at = strstr(got.text[got.count > 8 ? 7 : got.count - 1], " syscall=");
		ASSERT_NE(NULL, at);
		*last = strtol(at + strlen(" syscall="), NULL, 10);
	}
	return got.count;
}

#define EXPECT_RECORDS(count_) EXPECT_EQ(count_, count_records(_metadata, state, NULL))

/* Waits for a child that is to end well. */
static void join_child(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_LE(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(once, the_flag_makes_one_record_of_many_calls)
{
	struct state *state = &self->state;
	pid_t parent = getppid();
	struct expected e;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG | RET_DATA, ONCE));
	EXPECT_EQ(parent, make_call(&native));
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	expect_records(_metadata, state, &e, 1, "first");
	call_times(&native, 100);
	EXPECT_EQ(parent, shared->ret);
	expect_records(_metadata, state, NULL, 0, "again");
}

TEST_F(once, without_flag_and_sysctl_each_call_is_logged)
{
	struct state *state = &self->state;

	/* Somebody else's filter has the flag. */
	join_child(_metadata, ({
		pid_t pid = fork();

		if (!pid)
			_exit(attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
		pid;
	}));
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	call_times(&native, 5);
	EXPECT_RECORDS(5);
}

TEST_F(once, the_sysctl_is_for_filters_that_are_there)
{
	struct state *state = &self->state;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	call_times(&native, 3);
	EXPECT_RECORDS(3);
	ASSERT_EQ(0, set_once(1U << LOGS_LOG));
	/* What was logged before does not count. */
	call_times(&native, 3);
	EXPECT_RECORDS(1);
	ASSERT_EQ(0, set_once(0));
	call_times(&native, 3);
	EXPECT_RECORDS(3);
}

TEST_F(once, writing_the_same_again_has_all_filters_forget)
{
	struct state *state = &self->state;
	int i;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	for (i = 0; i < 4; i++) {
		call_times(&native, 2);
		EXPECT_RECORDS(1);
		/* Empty as it was: it is for filters with the flag as well. */
		ASSERT_EQ(0, set_once(0));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, set_once(1U << LOGS_LOG));
		call_times(&native, 2);
		EXPECT_RECORDS(1);
	}
}

TEST_F(once, what_is_refused_has_nobody_forget)
{
	static const char * const refused[] = { "bogus", "allow", "log allow", "LOG", "log\t" };
	struct state *state = &self->state;
	char text[128];
	int i;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	call_times(&native, 1);
	EXPECT_RECORDS(1);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		EXPECT_EQ(-EINVAL, write_text(ACTIONS_LOGGED_ONCE, refused[i], strlen(refused[i])));
	/* Nor does reading, or writing the other. */
	EXPECT_EQ(0, read_text(ACTIONS_LOGGED_ONCE, text, sizeof(text)));
	ASSERT_EQ(0, set_mask(FULL_MASK));
	call_times(&native, 2);
	EXPECT_RECORDS(0);
}

/* The record of the change is there before each call is logged once more. */
TEST_F(once, the_change_is_recorded)
{
	struct state *state = &self->state;
	struct audit_record record;
	int changes = 0, calls = 0;
	char token[64];

	if (state->saved.audit_enabled < 2)
		ASSERT_EQ(0, audit_set_enabled(&state->reader, 1));
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	call_times(&native, 1);
	EXPECT_RECORDS(1);
	ASSERT_EQ(0, set_once(1U << LOGS_LOG | 1U << LOGS_TRAP));
	call_times(&native, 1);
	ASSERT_EQ(0, audit_fence(&state->reader, token));
	for (;;) {
		ASSERT_EQ(0, audit_next(&state->reader, &record));
		if (is_fence(&record, token))
			break;
		if (record.type == AUDIT_CONFIG_CHANGE && strstr(record.text, "seccomp")) {
			EXPECT_STREQ("op=seccomp-logging-once actions=trap,log old-actions=(none) res=1",
				     audit_record_body(&record));
			EXPECT_EQ(0, calls);
			changes++;
		} else if (record.type == AUDIT_SECCOMP && strstr(record.text, state->mine)) {
			calls++;
		}
	}
	EXPECT_EQ(1, changes);
	EXPECT_EQ(1, calls);
}

/* Every surviving action, with the flag, under each mask that actions_logged can hold. */
FIXTURE(flagged)
{
	struct state state;
};

FIXTURE_VARIANT(flagged)
{
	int action;
};

FIXTURE_VARIANT_ADD(flagged, ret_log) { .action = 0 };
FIXTURE_VARIANT_ADD(flagged, ret_errno) { .action = 1 };
FIXTURE_VARIANT_ADD(flagged, ret_trap) { .action = 2 };
FIXTURE_VARIANT_ADD(flagged, ret_trace) { .action = 3 };
FIXTURE_VARIANT_ADD(flagged, ret_user_notif) { .action = 4 };

FIXTURE_SETUP(flagged)
{
	set_up_once(_metadata, &self->state);
}

FIXTURE_TEARDOWN_PARENT(flagged)
{
	empty_once();
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

TEST_F_TIMEOUT(flagged, under_every_mask, SLOWLY)
{
	const struct action *action = &actions[variant->action];
	const struct caller *callers[] = { &native, &int80 };
	struct state *state = &self->state;
	int count = has_int80 ? 2 : 1, i;
	pid_t parent = getppid();
	struct expected e[2];
	struct rule rules[2];
	unsigned int mask;
	char what[64];

	for (i = 0; i < count; i++) {
		rules[i] = (struct rule){ callers[i]->arch, callers[i]->nr,
					  action->ret | RET_DATA };
		expect_call(&e[i], callers[i], 0, action->ret);
	}
	ASSERT_EQ(0, attach_rules(rules, count, BOTH));
	for (mask = 0; mask < ALL_MASKS; mask++) {
		snprintf(what, sizeof(what), "%s, mask %02x", action->name, mask);
		/* The veto comes first: what it silences is not taken for logged. */
		ASSERT_EQ(0, set_mask(0));
		ASSERT_EQ(0, set_once(0));
		for (i = 0; i < count; i++)
			call_times(callers[i], 2);
		expect_records(_metadata, state, NULL, 0, what);
		ASSERT_EQ(0, set_mask(mask));
		for (i = 0; i < count; i++) {
			make_call(callers[i]);
			expect_effect(_metadata, callers[i], action->ret, parent);
			make_call(callers[i]);
			expect_effect(_metadata, callers[i], action->ret, parent);
		}
		expect_records(_metadata, state, e,
			       is_logged(action, SECCOMP_FILTER_FLAG_LOG, mask) ? count : 0, what);
	}
}

/* FILTER_FLAG_LOG keeps its meaning: once is less than each time, and not more than never. */
TEST_F(flagged, asks_for_no_record)
{
	const struct action *action = &actions[variant->action];
	struct state *state = &self->state;

	ASSERT_EQ(0, attach(native.arch, native.nr, action->ret | RET_DATA, ONCE));
	ASSERT_EQ(0, set_once(FULL_MASK));
	call_times(&native, 2);
	EXPECT_RECORDS(!action->on_request);
}

TEST_F_TIMEOUT(flagged, by_each_set_of_the_sysctl, SLOWLY)
{
	const struct action *action = &actions[variant->action];
	struct state *state = &self->state;
	unsigned int set;

	ASSERT_EQ(0, attach(native.arch, native.nr, action->ret | RET_DATA,
			    SECCOMP_FILTER_FLAG_LOG));
	for (set = 0; set < ALL_MASKS; set++) {
		ASSERT_EQ(0, set_once(set));
		call_times(&native, 2);
		EXPECT_EQ(set & 1U << action->bit ? 1 : 2, count_records(_metadata, state, NULL)) {
			TH_LOG("%s, set %02x", action->name, set);
		}
	}
}

/* Whoever is killed is named, however often. */
TEST_F_TIMEOUT(once, kills_and_unknown_actions_are_always_logged, SLOWLY)
{
	struct state *state = &self->state;
	int i, round, status;
	pid_t pid;

	ASSERT_EQ(0, set_once(FULL_MASK));
	for (i = SURVIVING + 1; i < ARRAY_SIZE(actions); i++) {
		ASSERT_TRUE(actions[i].kills);
		for (round = 0; round < 2; round++) {
			/* Under one filter, so that it could remember. */
			pid = fork();
			ASSERT_LE(0, pid);
			if (!pid) {
				pid_t first;

				if (attach(native.arch, native.nr, actions[i].ret | RET_DATA, BOTH))
					_exit(NOT_READY);
				first = fork();
				if (first)
					waitpid(first, &status, 0);
				native_call(__NR_getppid);
				_exit(0);
			}
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_EQ(SIGSYS, status);
			EXPECT_RECORDS(2);
		}
	}
	for (round = 0; round < 2; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
				_exit(NOT_READY);
			native_call(__NR_getppid);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(SIGKILL, status);
		EXPECT_RECORDS(1);
	}
}

/* All calls are logged: of the native convention, and the other. */
static int attach_log_all(unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) ? -errno : 0;
}

/* Logs @first to @last of one convention, allows all others. */
static int attach_log_range(unsigned int arch, unsigned int first, unsigned int last,
			    unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) ? -errno : 0;
}

/* Each number is one record, and no number stands for another. */
TEST_F_TIMEOUT(once, each_number_by_itself, SLOWLY)
{
	struct state *state = &self->state;
	unsigned long nr;
	long last;

	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	for (nr = FIRST_VOID; nr <= LAST_VOID; nr++) {
		EXPECT_EQ(-ENOSYS, native_call(nr));
		EXPECT_EQ(-ENOSYS, native_call(nr));
		EXPECT_EQ(1, count_records(_metadata, state, &last)) {
			TH_LOG("number %lu", nr);
		}
		EXPECT_EQ(nr, last);
	}
	for (nr = FIRST_VOID; nr <= LAST_VOID; nr++)
		native_call(nr);
	EXPECT_RECORDS(0);
}

TEST_F(once, conventions_have_memories_of_their_own)
{
	/* No call of x86-64, and one of i386 without effect: sched_yield. */
	const unsigned int same = 158;
	struct state *state = &self->state;
	struct rule rules[] = {
		{ NATIVE_ARCH, FIRST_VOID, SECCOMP_RET_LOG },
		{ int80.arch, FIRST_VOID, SECCOMP_RET_LOG },
		{ int80.arch, same, SECCOMP_RET_LOG },
	};
	int i;

	if (!has_int80)
		SKIP(return, "no 32-bit calls");
	ASSERT_EQ(0, attach_rules(rules, ARRAY_SIZE(rules), ONCE));
	native_call(FIRST_VOID);
	EXPECT_RECORDS(1);
	/* statx(2) of i386 has no name there at 0 and fails; its record is another. */
	for (i = 0; i < 3; i++)
		int80_call(FIRST_VOID);
	EXPECT_RECORDS(1);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, int80_call(same));
	EXPECT_RECORDS(1);
	native_call(FIRST_VOID);
	int80_call(FIRST_VOID);
	EXPECT_RECORDS(0);
}

/* No table has them, so that nothing can be remembered. */
TEST_F(once, numbers_behind_the_table_are_always_logged)
{
	static const unsigned long numbers[] = {
		BEHIND_ALL_TABLES, BEHIND_ALL_TABLES + 1, 1024, 4096, 1UL << 20, X32_BIT | __NR_getppid, X32_BIT,
		1UL << 31, -1U, -2U, 0x5ec0,
	};
	struct state *state = &self->state;
	int i;

	ASSERT_EQ(0, set_once(FULL_MASK));
	ASSERT_EQ(0, attach_log_all(ONCE));
	/* Those that the harness, and this, make under the filter. */
	getppid();
	count_records(_metadata, state, NULL);
	count_records(_metadata, state, NULL);
	EXPECT_RECORDS(0);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (NR_SEEN(numbers[i]) < BEHIND_ALL_TABLES)
			continue;
		native_call(numbers[i]);
		native_call(numbers[i]);
		native_call(numbers[i]);
		EXPECT_EQ(3, count_records(_metadata, state, NULL)) {
			TH_LOG("number 0x%lx", numbers[i]);
		}
	}
	for (i = 0; has_int80 && i < ARRAY_SIZE(numbers); i++) {
		int80_call(numbers[i]);
		int80_call(numbers[i]);
		EXPECT_EQ(2, count_records(_metadata, state, NULL)) {
			TH_LOG("i386 number 0x%lx", numbers[i]);
		}
	}
}

TEST_F(once, children_share_what_is_remembered)
{
	struct state *state = &self->state;
	pid_t pid;
	int i;

	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	native_call(FIRST_VOID);
	EXPECT_RECORDS(1);
	for (i = 0; i < 3; i++) {
		pid = fork();
		if (!pid) {
			native_call(FIRST_VOID);
			native_call(FIRST_VOID + 1);
			_exit(0);
		}
		join_child(_metadata, pid);
		/* What the first child has logged is known to the second, and to us. */
		EXPECT_RECORDS(i == 0);
	}
	native_call(FIRST_VOID + 1);
	EXPECT_RECORDS(0);
}

#ifdef COMPAT_ARCH
/* Over execve(2), and by the other convention. */
TEST_F(once, programs_share_what_is_remembered)
{
	struct state *state = &self->state;
	char helper[PATH_MAX + 16], number[16];
	int i, null;
	pid_t pid;

	snprintf(helper, sizeof(helper), "%s/log_compat", state->dir);
	if (access(helper, X_OK))
		SKIP(return, "no log_compat");
	if (!compat_works(state->dir))
		SKIP(return, "no 32-bit programs");
	snprintf(number, sizeof(number), "%u", NR_COMPAT_GETPPID);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, null);
	ASSERT_EQ(0, attach(COMPAT_ARCH, NR_COMPAT_GETPPID, SECCOMP_RET_LOG, ONCE));
	for (i = 0; i < 3; i++) {
		pid = fork();
		if (!pid) {
			if (dup2(null, 1) == 1)
				execl(helper, "log_compat", "direct", number, NULL);
			_exit(NOT_READY);
		}
		join_child(_metadata, pid);
		EXPECT_RECORDS(i == 0);
	}
	if (has_int80)
		int80_call(NR_COMPAT_GETPPID);
	EXPECT_RECORDS(0);
}
#endif

#define THREADS 4

struct crowd {
	pthread_barrier_t barrier;
	unsigned long calls[THREADS];
	volatile bool stop;
};

static struct crowd crowd;

static void *call_in_turn(void *arg)
{
	int i = (long)arg;

	/* One after the other: none can race with another. */
	while (__atomic_load_n(&crowd.calls[0], __ATOMIC_ACQUIRE) != (unsigned long)i)
		sched_yield();
	native_call(FIRST_VOID);
	__atomic_store_n(&crowd.calls[0], i + 1, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F(once, threads_share_what_is_remembered)
{
	struct state *state = &self->state;
	pthread_t thread[THREADS];
	long i;

	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, call_in_turn, (void *)i));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_RECORDS(1);
}

static void *wait_and_call(void *arg)
{
	pthread_barrier_wait(&crowd.barrier);
	pthread_barrier_wait(&crowd.barrier);
	native_call(FIRST_VOID);
	return NULL;
}

TEST_F(once, synchronised_threads_share_what_is_remembered)
{
	struct state *state = &self->state;
	pthread_t thread;

	ASSERT_EQ(0, pthread_barrier_init(&crowd.barrier, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_and_call, NULL));
	pthread_barrier_wait(&crowd.barrier);
	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID,
				      ONCE | SECCOMP_FILTER_FLAG_TSYNC));
	native_call(FIRST_VOID);
	EXPECT_RECORDS(1);
	pthread_barrier_wait(&crowd.barrier);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_RECORDS(0);
}

static void *call_at_once(void *arg)
{
	pthread_barrier_wait(&crowd.barrier);
	native_call(FIRST_VOID);
	native_call(FIRST_VOID);
	return NULL;
}

/* Two that race may write two, and never none. */
TEST_F_TIMEOUT(once, threads_at_once, SLOWLY)
{
	struct state *state = &self->state;
	pthread_t thread[THREADS];
	int round, i, count;

	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	ASSERT_EQ(0, pthread_barrier_init(&crowd.barrier, NULL, THREADS));
	for (round = 0; round < 50; round++) {
		ASSERT_EQ(0, set_once(0));
		for (i = 0; i < THREADS; i++)
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, call_at_once, NULL));
		for (i = 0; i < THREADS; i++)
			ASSERT_EQ(0, pthread_join(thread[i], NULL));
		count = count_records(_metadata, state, NULL);
		EXPECT_LE(1, count);
		EXPECT_GE(THREADS, count);
		native_call(FIRST_VOID);
		EXPECT_RECORDS(0);
	}
}

static void *call_for_ever(void *arg)
{
	unsigned long *calls = arg;

	while (!crowd.stop) {
		native_call(FIRST_VOID);
		__atomic_fetch_add(calls, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * All are made to forget while others log at full speed: what a task under way
 * remembers is of before, so that there is a record more each time.
 */
TEST_F_TIMEOUT(once, forgetting_while_others_log, SLOWLY)
{
	struct state *state = &self->state;
	unsigned long before[THREADS];
	pthread_t thread[THREADS];
	struct audit_record record;
	int round, i, count, after;
	char token[64];

	if (state->saved.audit_enabled < 2)
		ASSERT_EQ(0, audit_set_enabled(&state->reader, 1));
	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, call_for_ever, &crowd.calls[i]));
	for (round = 0; round < 100; round++) {
		ASSERT_EQ(0, set_once(round & 1 ? 1U << LOGS_LOG : 0));
		/* A call of each that has begun since is over. */
		for (i = 0; i < THREADS; i++)
			before[i] = __atomic_load_n(&crowd.calls[i], __ATOMIC_ACQUIRE);
		for (i = 0; i < THREADS; i++)
			while (__atomic_load_n(&crowd.calls[i], __ATOMIC_ACQUIRE) < before[i] + 2)
				sched_yield();
		ASSERT_EQ(0, audit_fence(&state->reader, token));
		for (count = after = 0; ;) {
			ASSERT_EQ(0, audit_next(&state->reader, &record));
			if (is_fence(&record, token))
				break;
			if (record.type == AUDIT_CONFIG_CHANGE &&
			    strstr(record.text, "op=seccomp-logging-once"))
				after = 0;
			if (record.type == AUDIT_SECCOMP && strstr(record.text, state->mine))
				count++, after++;
		}
		EXPECT_LE(1, after) {
			TH_LOG("round %d: %d records, none since it was forgotten", round, count);
		}
		/* Each task at most one of before, and one of now. */
		EXPECT_GE(2 * THREADS, count);
	}
	crowd.stop = true;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	native_call(FIRST_VOID);
	EXPECT_RECORDS(0);
}

/* Each filter remembers what it has decided. */
TEST_F(once, of_two_filters_the_one_that_decides_remembers)
{
	struct state *state = &self->state;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	call_times(&native, 2);
	EXPECT_RECORDS(1);
	/* Among equals the last decides, which has no flag, and then one that has. */
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	call_times(&native, 3);
	EXPECT_RECORDS(3);
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	call_times(&native, 3);
	EXPECT_RECORDS(1);
	/* The strictest decides. */
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_ALLOW, ONCE));
	call_times(&native, 3);
	EXPECT_RECORDS(0);
	ASSERT_EQ(0, set_once(0));
	call_times(&native, 3);
	EXPECT_RECORDS(1);
}

TEST_F(once, filters_of_two_processes_are_two)
{
	struct state *state = &self->state;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			if (attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE))
				_exit(NOT_READY);
			call_times(&native, 3);
			_exit(0);
		}
		join_child(_metadata, pid);
		EXPECT_RECORDS(1);
	}
}

/* One number, two decisions: close(1000000) is logged, close(1000001) fails. */
static long attach_close(unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_close, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0]) + LOW_HALF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000000, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000001, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | RET_DATA),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* The number counts, and not what was decided about it before. */
TEST_F(once, the_memory_is_of_numbers)
{
	struct state *state = &self->state;

	ASSERT_EQ(0, attach_close(BOTH));
	EXPECT_EQ(-1, close(1000000));
	EXPECT_EQ(EBADF, errno);
	EXPECT_RECORDS(1);
	EXPECT_EQ(-1, close(1000001));
	EXPECT_EQ(RET_DATA, errno);
	EXPECT_RECORDS(0);
	/* An action that is not in the set is logged each time, and is no first time for one that is. */
	ASSERT_EQ(0, set_once(0));
}

/* A decision that is logged each time is no first time for one that is logged once. */
TEST_F(once, what_is_logged_each_time_is_not_remembered)
{
	struct state *state = &self->state;
	int i;

	ASSERT_EQ(0, set_once(1U << LOGS_LOG));
	ASSERT_EQ(0, attach_close(SECCOMP_FILTER_FLAG_LOG));
	for (i = 0; i < 3; i++)
		close(1000001);
	EXPECT_RECORDS(3);
	for (i = 0; i < 3; i++)
		close(1000000);
	EXPECT_RECORDS(1);
	for (i = 0; i < 3; i++)
		close(1000001);
	EXPECT_RECORDS(3);
}

TEST_F(once, what_is_silenced_is_not_remembered)
{
	struct state *state = &self->state;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE));
	ASSERT_EQ(0, set_mask(FULL_MASK & ~(1U << LOGS_LOG)));
	call_times(&native, 3);
	EXPECT_RECORDS(0);
	ASSERT_EQ(0, set_mask(FULL_MASK));
	call_times(&native, 3);
	EXPECT_RECORDS(1);
	/* And what is remembered stays so over a silence. */
	ASSERT_EQ(0, set_mask(0));
	ASSERT_EQ(0, set_mask(FULL_MASK));
	call_times(&native, 3);
	EXPECT_RECORDS(0);
}

/* Whether audit is on makes no difference to what is logged, once or not. */
TEST_F(once, audit_switched_off_and_on)
{
	struct state *state = &self->state;
	int round;

	if (state->saved.audit_enabled > 1)
		SKIP(return, "audit's settings are locked");
	ASSERT_EQ(0, attach_log_range(native.arch, FIRST_VOID, LAST_VOID, ONCE));
	for (round = 0; round < 4; round++) {
		ASSERT_EQ(0, audit_set_enabled(&state->reader, round & 1));
		native_call(FIRST_VOID);
		native_call(FIRST_VOID + 1 + round);
		native_call(FIRST_VOID + 1 + round);
		EXPECT_RECORDS(1 + (round == 0));
		ASSERT_EQ(0, set_once(0));
		native_call(FIRST_VOID);
		native_call(FIRST_VOID);
		EXPECT_RECORDS(1);
	}
}

/* A record is of the number that the tracer has left; its -1 is in no table. */
TEST_F(once, a_call_that_a_tracer_changes)
{
	const struct rule rules[] = {
		{ NATIVE_ARCH, __NR_getppid, SECCOMP_RET_TRACE | RET_DATA },
		{ NATIVE_ARCH, FIRST_VOID, SECCOMP_RET_LOG },
	};
	struct state *state = &self->state;
	struct stopped_call call;
	pid_t pid;
	int i;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (ptrace(PTRACE_TRACEME) || raise(SIGSTOP) ||
		    attach_rules(rules, ARRAY_SIZE(rules), BOTH))
			_exit(NOT_READY);
		for (i = 0; i < 6; i++)
			native_call(__NR_getppid);
		_exit(0);
	}
	trace_child(_metadata, pid);
	for (i = 0; i < 6; i++) {
		seccomp_stop(_metadata, pid, &call);
		call.nr = i < 3 ? FIRST_VOID : -1;
		call.ret = -EDOM;
		ASSERT_EQ(0, write_call(pid, &call));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	}
	join_child(_metadata, pid);
	/* One of the call that it became, and each of those that were skipped. */
	EXPECT_RECORDS(1 + (CANNOT_SKIP ? 0 : 3));
}

static void *answer_with_error(void *arg)
{
	struct seccomp_notif_resp answer;
	struct seccomp_notif request;
	int listener = *(int *)arg, i;

	for (i = 0; i < 4; i++) {
		memset(&request, 0, sizeof(request));
		memset(&answer, 0, sizeof(answer));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			break;
		answer.id = request.id;
		/* The last one goes on, of which there is no record. */
		if (i == 3)
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		else
			answer.error = -EDOM;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer))
			break;
	}
	return NULL;
}

TEST_F(once, a_call_that_a_listener_answers)
{
	struct state *state = &self->state;
	pid_t parent = getppid();
	pthread_t thread;
	int listener, i;

	listener = attach(native.arch, native.nr, SECCOMP_RET_USER_NOTIF,
			  BOTH | SECCOMP_FILTER_FLAG_NEW_LISTENER);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, pthread_create(&thread, NULL, answer_with_error, &listener));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EDOM, native_call(__NR_getppid));
	EXPECT_EQ(parent, native_call(__NR_getppid));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_RECORDS(1);
}

/* What makes a checkpoint sees the flag. */
TEST_F(once, a_tracer_reads_the_flag)
{
	static const unsigned int flags[] = { 0, ONCE, SECCOMP_FILTER_FLAG_LOG, BOTH };
	struct { unsigned long long filter_off, flags; } data;
	int status, i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (attach(native.arch, native.nr, SECCOMP_RET_LOG, flags[i]) ||
			    ptrace(PTRACE_TRACEME) || raise(SIGSTOP))
				_exit(NOT_READY);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		memset(&data, 0, sizeof(data));
		EXPECT_EQ(sizeof(data), ptrace(PTRACE_SECCOMP_GET_METADATA, pid, sizeof(data),
					       &data)) {
			if (errno == EINVAL)
				TH_LOG("no CONFIG_CHECKPOINT_RESTORE?");
		}
		EXPECT_EQ(flags[i], data.flags);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
		join_child(_metadata, pid);
	}
}

/* Nobody is asked for a privilege that a filter does not want anyway. */
TEST_F(once, the_flag_wants_no_privilege)
{
	struct state *state = &self->state;
	pid_t pid = fork();

	if (!pid) {
		if (syscall(__NR_setresgid, 5001, 5001, 5001) ||
		    syscall(__NR_setresuid, 5001, 5001, 5001) ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    attach(native.arch, native.nr, SECCOMP_RET_LOG, ONCE))
			_exit(NOT_READY);
		call_times(&native, 3);
		_exit(0);
	}
	join_child(_metadata, pid);
	EXPECT_RECORDS(1);
}

/* The flag is refused where the others are. */
TEST_F(once, the_flag_among_others)
{
	unsigned int flag;

	for (flag = 6; flag < 31; flag++) {
		EXPECT_EQ(-EINVAL, attach(native.arch, native.nr, SECCOMP_RET_ALLOW,
					  ONCE | 1U << flag));
	}
	EXPECT_EQ(-EINVAL, attach(native.arch, native.nr, SECCOMP_RET_ALLOW,
				  ONCE | SECCOMP_FILTER_FLAG_TSYNC |
				  SECCOMP_FILTER_FLAG_NEW_LISTENER));
	EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_SET_MODE_STRICT, ONCE, NULL));
	EXPECT_EQ(EINVAL, errno);
	/* How to ask whether the kernel has it, without attaching anything. */
	EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, ONCE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 1U << 30, NULL));
	EXPECT_EQ(EINVAL, errno);
}

int main(int argc, char **argv)
{
	save_at_start();
	if (!access(ACTIONS_LOGGED_ONCE, F_OK))
		atexit(empty_once);
	return test_harness_run(argc, argv);
}
