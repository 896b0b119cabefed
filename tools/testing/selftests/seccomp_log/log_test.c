// SPDX-License-Identifier: GPL-2.0
/*
 * Does seccomp write the audit records that it promises, those and no others?
 *
 * Each test makes calls at known addresses, closes them off with a fence, and
 * compares all records up to it with those it expects, as whole texts.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

#include "kselftest_harness.h"
#include "calls.h"

/* What became of a call. */
struct outcome {
	pid_t pid;
	int status;
	unsigned int word[2];	/* what log_compat wrote */
	int words;
};

#define RUN_STRICT	0x1	/* strict mode in place of a filter */

/*
 * A child attaches a filter which answers @caller's call with @ret, and makes
 * the call.
 */
static void run_child(struct __test_metadata *_metadata, struct state *state,
		      const struct caller *caller, unsigned int ret,
		      unsigned int flags, int how, struct outcome *outcome)
{
	char helper[PATH_MAX + 16];
	char number[16];
	int out[2];
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	memset(shared, 0, sizeof(*shared));
	snprintf(helper, sizeof(helper), "%s/log_compat", state->dir);
	snprintf(number, sizeof(number), "%u", caller->nr);
	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (how & RUN_STRICT && !caller->program) {
			if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
				_exit(NOT_READY);
		} else if (!(how & RUN_STRICT)) {
			if (attach(caller->arch, caller->nr, ret, flags))
				_exit(NOT_READY);
		}
		if (caller->program) {
			if (dup2(out[1], 1) != 1)
				_exit(NOT_READY);
			execl(helper, "log_compat", caller->program, number,
			      how & RUN_STRICT ? "strict" : NULL, NULL);
			_exit(NOT_READY);
		}
		make_call(caller);
		_exit(0);
	}
	close(out[1]);
	outcome->words = read(out[0], outcome->word, sizeof(outcome->word)) /
			 (int)sizeof(outcome->word[0]);
	if (outcome->words == 1 && read(out[0], &outcome->word[1], sizeof(outcome->word[1])) ==
				   sizeof(outcome->word[1]))
		outcome->words = 2;
	close(out[0]);
	ASSERT_EQ(pid, waitpid(pid, &outcome->status, 0));
	outcome->pid = pid;
	if (caller->program && outcome->words == 2) {
		shared->returned = 1;
		shared->ret = (int)outcome->word[1];
	}
}

/* The record of that child's call. */
static void expect_child(struct expected *e, struct state *state, const struct caller *caller,
			 const struct outcome *outcome, long sig, unsigned int code)
{
	expect_call(e, caller, sig, code);
	e->pid = outcome->pid;
	if (caller->program) {
		e->ip = outcome->word[0];
		strcpy(e->comm, "log_compat");
		snprintf(e->exe, sizeof(e->exe), "%s/log_compat", state->dir);
	}
}

FIXTURE(log)
{
	struct state state;
};

FIXTURE_SETUP(log)
{
	set_up(_metadata, &self->state);
}

FIXTURE_TEARDOWN_PARENT(log)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

TEST_F(log, ret_log_goes_on_and_writes_one_record)
{
	pid_t parent = getppid();
	struct expected e;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG | RET_DATA, 0));
	EXPECT_EQ(parent, make_call(&native));
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	expect_records(_metadata, &self->state, &e, 1, "log");
}

TEST_F(log, ret_log_is_silent_without_its_name)
{
	pid_t parent = getppid();
	struct expected e;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	ASSERT_EQ(0, set_mask(FULL_MASK & ~(1U << LOGS_LOG)));
	EXPECT_EQ(parent, make_call(&native));
	expect_records(_metadata, &self->state, NULL, 0, "without log");
	ASSERT_EQ(0, set_mask(1U << LOGS_LOG));
	EXPECT_EQ(parent, make_call(&native));
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	expect_records(_metadata, &self->state, &e, 1, "log alone");
}

/* prctl(2) has no flags: what needs one to be logged is not. */
TEST_F(log, prctl_has_no_flag_log)
{
	static const unsigned int rets[] = { SECCOMP_RET_LOG, SECCOMP_RET_ERRNO | RET_DATA };
	struct state *state = &self->state;
	struct expected e;
	int i, status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(rets); i++) {
		memset(shared, 0, sizeof(*shared));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct sock_filter code[] = {
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, rets[i]),
				BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
			};
			struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
			    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
				_exit(NOT_READY);
			make_call(&native);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		expect_effect(_metadata, &native, rets[i] & SECCOMP_RET_ACTION_FULL, getpid());
		expect_call(&e, &native, 0, SECCOMP_RET_LOG);
		e.pid = pid;
		expect_records(_metadata, state, &e, i == 0, "prctl");
	}
}

/* Each call is a record: the same one again is not left out. */
TEST_F(log, every_call_is_logged_again)
{
	struct expected e[8];
	int i;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	for (i = 0; i < 8; i++) {
		make_call(&native);
		expect_call(&e[i], &native, 0, SECCOMP_RET_LOG);
	}
	expect_records(_metadata, &self->state, e, 8, "eight calls");
}

/*
 * Each action, with and without SECCOMP_FILTER_FLAG_LOG, under each of the
 * masks that actions_logged can hold.
 */
FIXTURE(masks)
{
	struct state state;
};

FIXTURE_VARIANT(masks)
{
	int action;
	unsigned int flags;
};

#define MASKS_VARIANT(name_, action_)						\
	FIXTURE_VARIANT_ADD(masks, name_) { .action = action_ };		\
	FIXTURE_VARIANT_ADD(masks, name_##_flag_log) {				\
		.action = action_, .flags = SECCOMP_FILTER_FLAG_LOG,		\
	}

MASKS_VARIANT(ret_log, 0);
MASKS_VARIANT(ret_errno, 1);
MASKS_VARIANT(ret_trap, 2);
MASKS_VARIANT(ret_trace, 3);
MASKS_VARIANT(ret_user_notif, 4);
MASKS_VARIANT(ret_allow, 5);
MASKS_VARIANT(ret_kill_process, 6);
MASKS_VARIANT(ret_kill_thread, 7);
MASKS_VARIANT(unknown_00010000, 8);
MASKS_VARIANT(unknown_7ffd0000, 9);
MASKS_VARIANT(unknown_80010000, 10);
MASKS_VARIANT(unknown_ffff0000, 11);

FIXTURE_SETUP(masks)
{
	set_up(_metadata, &self->state);
}

FIXTURE_TEARDOWN_PARENT(masks)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

static void survive_masks(struct __test_metadata *_metadata, struct state *state,
			  const struct action *action, unsigned int flags)
{
	const struct caller *callers[] = { &native, &x32, &int80 };
	int count = has_int80 ? 3 : 2;
	struct expected e[3];
	struct rule rules[3];
	pid_t parent = getppid();
	unsigned int mask;
	char what[64];
	int i;

	for (i = 0; i < count; i++) {
		rules[i] = (struct rule){ callers[i]->arch, callers[i]->nr,
					  action->ret | RET_DATA };
		expect_call(&e[i], callers[i], 0, action->ret);
	}
	ASSERT_EQ(0, attach_rules(rules, count, flags));
	for (mask = 0; mask < ALL_MASKS; mask++) {
		snprintf(what, sizeof(what), "%s, flags %x, mask %02x", action->name, flags, mask);
		ASSERT_EQ(0, set_mask(mask));
		for (i = 0; i < count; i++) {
			make_call(callers[i]);
			expect_effect(_metadata, callers[i], action->ret, parent);
		}
		expect_records(_metadata, state, e,
			       is_logged(action, flags, mask) ? count : 0, what);
	}
}

static void die_under_masks(struct __test_metadata *_metadata, struct state *state,
			    const struct action *action, unsigned int flags)
{
	struct outcome outcome;
	struct expected e;
	unsigned int mask;
	char what[64];

	for (mask = 0; mask < ALL_MASKS; mask++) {
		snprintf(what, sizeof(what), "%s, flags %x, mask %02x", action->name, flags, mask);
		ASSERT_EQ(0, set_mask(mask));
		run_child(_metadata, state, &native, action->ret | RET_DATA, flags, 0, &outcome);
		EXPECT_EQ(SIGSYS, outcome.status);
		EXPECT_EQ(0, shared->returned);
		EXPECT_EQ(0, shared->sigsys);
		expect_child(&e, state, &native, &outcome, SIGSYS, action->ret);
		expect_records(_metadata, state, &e, is_logged(action, flags, mask), what);
	}
}

TEST_F_TIMEOUT(masks, every, KILLED_SLOWLY)
{
	const struct action *action = &actions[variant->action];

	if (action->kills)
		die_under_masks(_metadata, &self->state, action, variant->flags);
	else
		survive_masks(_metadata, &self->state, action, variant->flags);
}

TEST_F_TIMEOUT(log, strict_mode_under_every_mask, KILLED_SLOWLY)
{
	struct state *state = &self->state;
	struct outcome outcome;
	struct expected e;
	unsigned int mask;
	char what[64];

	for (mask = 0; mask < ALL_MASKS; mask++) {
		snprintf(what, sizeof(what), "strict, mask %02x", mask);
		ASSERT_EQ(0, set_mask(mask));
		run_child(_metadata, state, &native, 0, 0, RUN_STRICT, &outcome);
		EXPECT_EQ(SIGKILL, outcome.status);
		EXPECT_EQ(0, shared->returned);
		expect_child(&e, state, &native, &outcome, SIGKILL, SECCOMP_RET_KILL_THREAD);
		expect_records(_metadata, state, &e, !!(mask & 1U << LOGS_KILL_THREAD), what);
	}
}

/* A thread that attaches its filter for itself alone, and calls. */
struct own_filter {
	unsigned int ret;
	unsigned int flags;
	bool strict;
	int attached;
};

static void *call_under_own_filter(void *arg)
{
	struct own_filter *own = arg;

	prctl(PR_SET_NAME, "own filter");
	if (own->strict)
		own->attached = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	else
		own->attached = attach(native.arch, native.nr, own->ret, own->flags);
	if (!own->attached)
		make_call(&native);
	return NULL;
}

/* One thread dies, the process goes on: a kill that no wait status shows. */
static void die_in_thread(struct __test_metadata *_metadata, struct state *state,
			  struct own_filter *own, long sig)
{
	struct expected e;
	unsigned int mask;
	pthread_t thread;
	char what[64];

	for (mask = 0; mask < ALL_MASKS; mask++) {
		snprintf(what, sizeof(what), "thread, mask %02x", mask);
		ASSERT_EQ(0, set_mask(mask));
		memset(shared, 0, sizeof(*shared));
		own->attached = -1;
		ASSERT_EQ(0, pthread_create(&thread, NULL, call_under_own_filter, own));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, own->attached);
		EXPECT_EQ(0, shared->returned);
		EXPECT_EQ(0, shared->sigsys);
		expect_call(&e, &native, sig, SECCOMP_RET_KILL_THREAD);
		strcpy(e.comm, "own filter");
		expect_records(_metadata, state, &e, !!(mask & 1U << LOGS_KILL_THREAD), what);
	}
}

TEST_F_TIMEOUT(log, kill_thread_in_a_thread_under_every_mask, KILLED_SLOWLY)
{
	struct own_filter own = { .ret = SECCOMP_RET_KILL_THREAD | RET_DATA };

	die_in_thread(_metadata, &self->state, &own, SIGSYS);
}

TEST_F_TIMEOUT(log, strict_mode_in_a_thread_under_every_mask, KILLED_SLOWLY)
{
	struct own_filter own = { .strict = true };

	die_in_thread(_metadata, &self->state, &own, SIGKILL);
}

TEST_F(log, kill_process_in_a_thread_writes_one_record)
{
	struct own_filter own = { .ret = SECCOMP_RET_KILL_PROCESS | RET_DATA };
	struct expected e;
	pthread_t thread;
	int status;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (pthread_create(&thread, NULL, call_under_own_filter, &own))
			_exit(NOT_READY);
		pthread_join(thread, NULL);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGSYS, status);
	EXPECT_EQ(0, shared->returned);
	expect_call(&e, &native, SIGSYS, SECCOMP_RET_KILL_PROCESS);
	e.pid = pid;
	strcpy(e.comm, "own filter");
	expect_records(_metadata, &self->state, &e, 1, "kill_process in a thread");
}

/* Each value that is one bit away from an action's: no one of them has a name. */
TEST_F_TIMEOUT(log, unknown_values_kill_and_show, KILLED_SLOWLY)
{
	struct state *state = &self->state;
	struct outcome outcome;
	struct expected e;
	unsigned int value;
	char what[64];
	int i, j, bit;

	for (i = 0; i < 8; i++) {
		for (bit = 16; bit < 32; bit++) {
			value = actions[i].ret ^ 1U << bit;
			for (j = 0; j < 8 && actions[j].ret != value; j++)
				;
			if (j < 8)
				continue;
			snprintf(what, sizeof(what), "value 0x%x", value);
			run_child(_metadata, state, &native, value | RET_DATA, 0, 0, &outcome);
			EXPECT_EQ(SIGSYS, outcome.status) {
				TH_LOG("%s", what);
			}
			EXPECT_EQ(0, shared->returned);
			expect_child(&e, state, &native, &outcome, SIGSYS, value);
			expect_records(_metadata, state, &e, 1, what);
		}
	}
}

/* Every kind of caller meets every action. */
FIXTURE(caller)
{
	struct state state;
};

FIXTURE_VARIANT(caller)
{
	const struct caller *caller;
};

FIXTURE_VARIANT_ADD(caller, native) { .caller = &native };
FIXTURE_VARIANT_ADD(caller, wide_register) { .caller = &wide };
FIXTURE_VARIANT_ADD(caller, minus_one) { .caller = &minus_one };
FIXTURE_VARIANT_ADD(caller, x32) { .caller = &x32 };
#ifdef HAS_INT80
FIXTURE_VARIANT_ADD(caller, int80) { .caller = &int80 };
#endif
#ifdef COMPAT_ARCH
FIXTURE_VARIANT_ADD(caller, compat_direct) { .caller = &compat_direct };
#endif
#ifdef HAS_INT80
FIXTURE_VARIANT_ADD(caller, compat_vdso) { .caller = &compat_vdso };
#endif

FIXTURE_SETUP(caller)
{
	char helper[PATH_MAX + 16];

	set_up(_metadata, &self->state);
	if (_metadata->exit_code)
		return;
	if (variant->caller->call == int80_call && !has_int80)
		SKIP(return, "the kernel runs no 32-bit system calls");
	snprintf(helper, sizeof(helper), "%s/log_compat", self->state.dir);
	if (variant->caller->program && access(helper, X_OK))
		SKIP(return, "log_compat was not built");
	if (variant->caller->program && !compat_works(self->state.dir))
		SKIP(return, "the kernel runs no 32-bit programs");
}

FIXTURE_TEARDOWN_PARENT(caller)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

TEST_F_TIMEOUT(caller, every_action, KILLED_SLOWLY)
{
	const struct caller *caller = variant->caller;
	struct state *state = &self->state;
	struct outcome outcome;
	struct expected e;
	unsigned int mask;
	char what[64];
	int i, round;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct action *action = &actions[i];
		/* No handler outlives execve(2). */
		bool dies = action->kills ||
			    (caller->program && action->ret == SECCOMP_RET_TRAP);

		/* With its name, without it, and on nobody's request. */
		for (round = 0; round < 3; round++) {
			unsigned int flags = round == 2 ? 0 : SECCOMP_FILTER_FLAG_LOG;

			mask = FULL_MASK;
			if (round == 1 && action->bit >= 0)
				mask &= ~(1U << action->bit);
			snprintf(what, sizeof(what), "%s, %s, flags %x, mask %02x", caller->name,
				 action->name, flags, mask);
			ASSERT_EQ(0, set_mask(mask));
			run_child(_metadata, state, caller, action->ret | RET_DATA, flags, 0,
				  &outcome);
			if (WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == NO_VDSO)
				SKIP(return, "no vDSO for 32-bit programs");
			EXPECT_EQ(dies ? SIGSYS : 0, outcome.status) {
				TH_LOG("%s", what);
			}
			if (!dies)
				expect_effect(_metadata, caller, action->ret, getpid());
			EXPECT_EQ(!dies, shared->returned);
			expect_child(&e, state, caller, &outcome, action->kills ? SIGSYS : 0,
				     action->ret);
			expect_records(_metadata, state, &e, is_logged(action, flags, mask), what);
		}
	}
}

TEST_F(caller, strict_mode)
{
	const struct caller *caller = variant->caller;
	struct state *state = &self->state;
	struct outcome outcome;
	struct expected e;

	run_child(_metadata, state, caller, 0, 0, RUN_STRICT, &outcome);
	if (WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == NO_VDSO)
		SKIP(return, "no vDSO for 32-bit programs");
	EXPECT_EQ(SIGKILL, outcome.status);
	EXPECT_EQ(0, shared->returned);
	expect_child(&e, state, caller, &outcome, SIGKILL, SECCOMP_RET_KILL_THREAD);
	expect_records(_metadata, state, &e, 1, caller->name);
}

/*
 * Strict mode allows four numbers, two more that uprobes put into programs, and
 * no other: not those that the other table has in their place, either.
 */
TEST_F_TIMEOUT(log, strict_mode_kills_every_other_number, KILLED_SLOWLY)
{
	enum { kept = ARRAY_SIZE(((const int[])STRICT_NRS)) };
	static const struct {
		const struct caller *caller;
		unsigned int bit;
		int count;
		unsigned int kept[6];
	} tables[] = {
		{ &native, 0, kept, STRICT_NRS },
		{ &x32, X32_BIT, 0, { } },
		{ &int80, 0, 4, { 3, 4, 1, 119 } },
	};
	struct state *state = &self->state;
	struct outcome outcome = { };
	struct expected e;
	unsigned int nr;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		struct caller caller = *tables[i].caller;
		char what[64];

		if (caller.call == int80_call && !has_int80)
			continue;
		if (tables[i].bit && !NR_SEEN(tables[i].bit))
			continue;
		for (nr = 0; nr < BEHIND_ALL_TABLES; nr++) {
			for (j = 0; j < tables[i].count && tables[i].kept[j] != nr; j++)
				;
			if (j < tables[i].count)
				continue;
			caller.nr = tables[i].bit | nr;
			caller.arg = caller.nr;
			snprintf(what, sizeof(what), "strict, %s, number %u", caller.name, nr);
			memset(shared, 0, sizeof(*shared));
			outcome.pid = fork();
			ASSERT_LE(0, outcome.pid);
			if (!outcome.pid) {
				if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
					_exit(NOT_READY);
				make_call(&caller);
				syscall(__NR_exit, 0);
			}
			ASSERT_EQ(outcome.pid, waitpid(outcome.pid, &outcome.status, 0));
			EXPECT_EQ(SIGKILL, outcome.status) {
				TH_LOG("%s", what);
			}
			EXPECT_EQ(0, shared->returned);
			expect_child(&e, state, &caller, &outcome, SIGKILL,
				     SECCOMP_RET_KILL_THREAD);
			e.compat = is_compat(&caller) || (tables[i].bit && has_x32);
			expect_records(_metadata, state, &e, 1, what);
		}
	}
}

/* What strict mode allows, it allows without a word. */
TEST_F(log, strict_mode_allows_in_silence)
{
	struct state *state = &self->state;
	int fds[2], status;
	char byte = 'x';
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(NOT_READY);
		if (write(fds[1], &byte, 1) == 1 && read(fds[0], &byte, 1) == 1)
			syscall(__NR_exit, 23);
		syscall(__NR_exit, 24);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(23 << 8, status);
	expect_records(_metadata, state, NULL, 0, "strict");
}

#define NR_THREADS 4

struct team {
	pthread_barrier_t barrier;
	int next;
	long ret[NR_THREADS];
};

static void *call_together(void *arg)
{
	struct team *team = arg;
	int i = __atomic_fetch_add(&team->next, 1, __ATOMIC_RELAXED);
	char name[16];

	snprintf(name, sizeof(name), "caller %d", i);
	prctl(PR_SET_NAME, name);
	pthread_barrier_wait(&team->barrier);	/* named */
	pthread_barrier_wait(&team->barrier);	/* filtered */
	team->ret[i] = native_call(__NR_getppid);
	return NULL;
}

static void run_team(struct __test_metadata *_metadata, struct state *state, bool before,
		     unsigned int ret, unsigned int flags, long expected_ret, int logged)
{
	struct expected e[NR_THREADS];
	pthread_t threads[NR_THREADS];
	struct team team = { };
	int i;

	ASSERT_EQ(0, pthread_barrier_init(&team.barrier, NULL, NR_THREADS + 1));
	if (before)
		ASSERT_EQ(0, attach(native.arch, native.nr, ret, flags));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, call_together, &team));
	pthread_barrier_wait(&team.barrier);
	if (!before)
		ASSERT_EQ(0, attach(native.arch, native.nr, ret, flags));
	pthread_barrier_wait(&team.barrier);
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	for (i = 0; i < NR_THREADS; i++) {
		EXPECT_EQ(expected_ret, team.ret[i]);
		expect_call(&e[i], &native, 0, ret & SECCOMP_RET_ACTION_FULL);
		snprintf(e[i].comm, sizeof(e[i].comm), "caller %d", i);
	}
	pthread_barrier_destroy(&team.barrier);
	expect_records(_metadata, state, e, logged, "threads");
}

TEST_F(log, threads_inherit)
{
	run_team(_metadata, &self->state, true, SECCOMP_RET_LOG, 0, getppid(), NR_THREADS);
}

TEST_F(log, threads_inherit_flag_log)
{
	run_team(_metadata, &self->state, true, SECCOMP_RET_ERRNO | RET_DATA,
		 SECCOMP_FILTER_FLAG_LOG, -RET_DATA, NR_THREADS);
}

TEST_F(log, tsync_gives_ret_log_to_threads)
{
	run_team(_metadata, &self->state, false, SECCOMP_RET_LOG,
		 SECCOMP_FILTER_FLAG_TSYNC, getppid(), NR_THREADS);
}

TEST_F(log, tsync_gives_flag_log_to_threads)
{
	run_team(_metadata, &self->state, false, SECCOMP_RET_ERRNO | RET_DATA,
		 SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG, -RET_DATA, NR_THREADS);
}

TEST_F(log, tsync_without_flag_log_is_silent)
{
	run_team(_metadata, &self->state, false, SECCOMP_RET_ERRNO | RET_DATA,
		 SECCOMP_FILTER_FLAG_TSYNC, -RET_DATA, 0);
}

/* Without TSYNC a filter and its records are one thread's. */
TEST_F(log, a_threads_filter_logs_that_thread_alone)
{
	struct own_filter own = { .ret = SECCOMP_RET_LOG };
	struct expected e;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call_under_own_filter, &own));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, own.attached);
	make_call(&native);
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	strcpy(e.comm, "own filter");
	expect_records(_metadata, &self->state, &e, 1, "one thread");
}

TEST_F(log, children_and_grandchildren)
{
	struct expected e[3];
	pid_t *pids;
	pid_t pid;
	int i, status;

	pids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)pids);
	for (i = 0; i < 3; i++)
		expect_call(&e[i], &native, 0, SECCOMP_RET_ERRNO);
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_ERRNO | RET_DATA,
			    SECCOMP_FILTER_FLAG_LOG));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		pids[1] = getpid();
		pid = fork();
		if (!pid) {
			pids[2] = getpid();
			_exit(native_call(__NR_getppid) != -RET_DATA);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			_exit(1);
		_exit(native_call(__NR_getppid) != -RET_DATA);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-RET_DATA, make_call(&native));
	for (i = 1; i < 3; i++)
		e[i].pid = pids[i];
	expect_records(_metadata, &self->state, e, 3, "family");
}

/* A record names the program that runs, not the one that attached the filter. */
TEST_F(log, exec_changes_program)
{
	struct state *state = &self->state;
	const struct caller again = {
		.name = "exec", .arch = NATIVE_ARCH, .nr = __NR_getppid,
	};
	unsigned long ip = 0;
	struct expected e;
	int status, out[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_NAME, "attacher");
		if (dup2(out[1], 1) == 1 && !attach(native.arch, native.nr, SECCOMP_RET_LOG, 0))
			execl("/proc/self/exe", "log_test", "--call", NULL);
		_exit(NOT_READY);
	}
	close(out[1]);
	EXPECT_EQ((ssize_t)sizeof(ip), read(out[0], &ip, sizeof(ip)));
	close(out[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_call(&e, &again, 0, SECCOMP_RET_LOG);
	e.pid = pid;
	e.ip = ip;
	/* The base name of what was given to execve(2); exe is the file itself. */
	strcpy(e.comm, "exe");
	expect_records(_metadata, state, &e, 1, "exec");
}

/* Names which could forge fields of a record are written in hexadecimal. */
TEST_F(log, comm_is_untrusted)
{
	static const char * const names[] = {
		"a b", "\"", "x\" sig=9", "tab\there", "\x01", "\xc3\xa9t\xc3\xa9",
		"fifteen-letters", "sixteen-letters!", "=", "", "'quoted'",
	};
	struct expected e;
	int i;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, prctl(PR_SET_NAME, names[i]));
		make_call(&native);
		expect_call(&e, &native, 0, SECCOMP_RET_LOG);
		expect_records(_metadata, &self->state, &e, 1, names[i]);
	}
}

TEST_F(log, ids_are_the_callers)
{
	struct state *state = &self->state;
	struct expected *e;
	int status;
	pid_t pid;

	e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)e);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* A login of its own; where it may be set once only, what is there serves. */
		write_text("/proc/self/loginuid", "1234", 4);
		expect_call(e, &native, 0, SECCOMP_RET_LOG);
		/* The real ids count, not the effective ones. */
		if (syscall(__NR_setresgid, 4001, 4002, 4003) ||
		    syscall(__NR_setresuid, 5001, 5002, 5003) ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    attach(native.arch, native.nr, SECCOMP_RET_LOG, 0))
			_exit(NOT_READY);
		e->uid = 5001;
		e->gid = 4001;
		make_call(&native);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	e->pid = pid;
	expect_records(_metadata, state, e, 1, "ids");
}

/* In namespaces of its own a process is pid 1 and user 0; records say what the host sees. */
TEST_F(log, namespaces_do_not_hide)
{
	struct state *state = &self->state;
	struct expected e;
	int status, go[2], ids[2];
	pid_t pid, inner = 0;
	char text[64];
	char byte = 0;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(ids, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (syscall(__NR_setresgid, 4001, 4001, 4001) ||
		    syscall(__NR_setresuid, 5001, 5001, 5001) ||
		    prctl(PR_SET_DUMPABLE, 1) ||
		    unshare(CLONE_NEWUSER | CLONE_NEWPID))
			_exit(NOT_READY);
		snprintf(text, sizeof(text), "deny");
		write_text("/proc/self/setgroups", text, strlen(text));
		snprintf(text, sizeof(text), "0 5001 1");
		if (write_text("/proc/self/uid_map", text, strlen(text)) < 0)
			_exit(NOT_READY);
		snprintf(text, sizeof(text), "0 4001 1");
		if (write_text("/proc/self/gid_map", text, strlen(text)) < 0)
			_exit(NOT_READY);
		inner = fork();
		if (!inner) {
			if (read(go[0], &byte, 1) != 1 || getpid() != 1 || getuid() || getgid() ||
			    attach(native.arch, native.nr, SECCOMP_RET_LOG, 0))
				_exit(NOT_READY);
			make_call(&native);
			_exit(0);
		}
		if (write(ids[1], &inner, sizeof(inner)) != sizeof(inner) ||
		    waitpid(inner, &status, 0) != inner)
			_exit(NOT_READY);
		_exit(status ? NOT_READY : 0);
	}
	close(ids[1]);
	if (read(ids[0], &inner, sizeof(inner)) != sizeof(inner)) {
		waitpid(pid, &status, 0);
		SKIP(return, "no user and pid namespaces");
	}
	ASSERT_EQ(1, write(go[1], &byte, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_call(&e, &native, 0, SECCOMP_RET_LOG);
	e.pid = inner;
	e.uid = 5001;
	e.gid = 4001;
	expect_records(_metadata, state, &e, 1, "namespaces");
}

/*
 * The filter whose action is taken decides whether it is logged: of two that
 * answer with the same action, the one attached last.
 */
TEST_F_TIMEOUT(log, filters_that_disagree, KILLED_SLOWLY)
{
	static const struct {
		unsigned int older, newer;
		int taken;	/* 0: the older one's action */
	} cases[] = {
		{ SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 2, 1 },
		{ SECCOMP_RET_TRACE | 2, SECCOMP_RET_TRACE | 1, 1 },
		{ SECCOMP_RET_TRAP | RET_DATA, SECCOMP_RET_ERRNO | 2, 0 },
		{ SECCOMP_RET_ERRNO | 1, SECCOMP_RET_TRAP | RET_DATA, 1 },
		{ SECCOMP_RET_ERRNO | 1, SECCOMP_RET_LOG, 0 },
		{ SECCOMP_RET_LOG, SECCOMP_RET_ERRNO | 1, 1 },
		{ SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ALLOW, 0 },
		{ SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 1, 1 },
		{ SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, 0 },
		{ SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF, 1 },
		{ SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, 0 },
	};
	struct state *state = &self->state;
	struct expected e;
	unsigned int taken;
	int i, flags, status;
	char what[64];
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (flags = 0; flags < 4; flags++) {
			snprintf(what, sizeof(what), "older %x, newer %x, FLAG_LOG %d, %d",
				 cases[i].older, cases[i].newer, flags & 1, flags >> 1);
			memset(shared, 0, sizeof(*shared));
			pid = fork();
			ASSERT_LE(0, pid);
			if (!pid) {
				if (attach(native.arch, native.nr, cases[i].older,
					   flags & 1 ? SECCOMP_FILTER_FLAG_LOG : 0) ||
				    attach(native.arch, native.nr, cases[i].newer,
					   flags & 2 ? SECCOMP_FILTER_FLAG_LOG : 0))
					_exit(NOT_READY);
				make_call(&native);
				_exit(0);
			}
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_EQ(0, status);
			taken = cases[i].taken ? cases[i].newer : cases[i].older;
			if ((taken & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
				EXPECT_EQ(-(long)(taken & SECCOMP_RET_DATA), shared->ret);
			} else {
				expect_effect(_metadata, &native, taken & SECCOMP_RET_ACTION_FULL,
					      getpid());
			}
			expect_call(&e, &native, 0, taken & SECCOMP_RET_ACTION_FULL);
			e.pid = pid;
			expect_records(_metadata, state, &e, !!(flags & 1 << cases[i].taken), what);
		}
	}
}

/* Auditing that is switched off does not silence seccomp. */
TEST_F_TIMEOUT(log, audit_switched_off_and_on, KILLED_SLOWLY)
{
	static const int order[] = { 0, 1, 0, 1 };
	struct state *state = &self->state;
	struct audit_status status;
	struct outcome outcome;
	struct expected e;
	char what[64];
	int round, i;

	if (self->state.saved.audit_enabled > 1)
		SKIP(return, "audit's settings are locked");
	for (round = 0; round < ARRAY_SIZE(order); round++) {
		ASSERT_EQ(0, audit_set_enabled(&state->reader, order[round]));
		ASSERT_EQ(0, audit_get_status(&state->reader, &status));
		ASSERT_EQ(order[round], status.enabled);
		for (i = 0; i < ARRAY_SIZE(actions); i++) {
			snprintf(what, sizeof(what), "audit %d, %s", order[round],
				 actions[i].name);
			run_child(_metadata, state, &native, actions[i].ret | RET_DATA,
				  SECCOMP_FILTER_FLAG_LOG, 0, &outcome);
			expect_child(&e, state, &native, &outcome,
				     actions[i].kills ? SIGSYS : 0, actions[i].ret);
			expect_records(_metadata, state, &e,
				       is_logged(&actions[i], SECCOMP_FILTER_FLAG_LOG, FULL_MASK),
				       what);
		}
		run_child(_metadata, state, &native, 0, 0, RUN_STRICT, &outcome);
		expect_child(&e, state, &native, &outcome, SIGKILL, SECCOMP_RET_KILL_THREAD);
		expect_records(_metadata, state, &e, 1, "strict");
	}
}

/*
 * Numbers around and behind the end of the table of the system calls, under a
 * filter that allows the first of the table and denies these. The kernel keeps
 * what a filter always allows in a bitmap as long as the table; whoever looks
 * behind its end, even where a guard against speculation turns that into its
 * beginning, finds that number 0 is allowed.
 */
#define FIRST_DENIED	400
#define LAST_DENIED	1200

TEST(numbers_behind_the_table_are_not_taken_for_others)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_DENIED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | RET_DATA),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };
	unsigned long nr;

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
	for (nr = FIRST_DENIED; nr <= LAST_DENIED; nr++) {
		EXPECT_EQ(-RET_DATA, native_call(nr)) {
			TH_LOG("native call %lu", nr);
		}
#ifdef HAS_INT80
		EXPECT_EQ(-RET_DATA, int80_call(nr)) {
			TH_LOG("i386 call %lu", nr);
		}
#endif
	}
	EXPECT_EQ(-RET_DATA, native_call(-1U));
	if (NR_SEEN(X32_BIT)) {
		EXPECT_EQ(-RET_DATA, native_call(1U << 31));
		EXPECT_EQ(-RET_DATA, native_call(X32_BIT));
	}
}

/* Calls that a tracer sees first. */
FIXTURE(traced)
{
	struct state state;
};

enum tracer_does {
	LETS_GO,	/* continues: the call goes on, not logged */
	SKIPS,		/* makes the number negative */
	CHANGES,	/* makes another call of it */
	KILLS,		/* sends SIGKILL */
	IS_DEAF,	/* traces, but not seccomp */
	SUSPENDS,	/* PTRACE_O_SUSPEND_SECCOMP */
};

FIXTURE_VARIANT(traced)
{
	enum tracer_does does;
	unsigned int to;	/* the number that is changed to, if not TRACED_NR */
	unsigned int other;	/* what the filter says to the changed call */
	long ret;		/* 0 for the parent's pid, 1 for the process group */
	int status;
	long nr;		/* the record's, where there is one */
	long sig;
	unsigned int code;
	bool always;		/* the record does not depend on FLAG_LOG */
};

#define SKIPPED_WITH (-77)

FIXTURE_VARIANT_ADD(traced, goes_on) { .does = LETS_GO };
FIXTURE_VARIANT_ADD(traced, skipped) {
	.does = SKIPS, .ret = SKIPPED_WITH, .nr = -1, .code = SECCOMP_RET_TRACE,
};
FIXTURE_VARIANT_ADD(traced, changed_to_allow) {
	.does = CHANGES, .other = SECCOMP_RET_ALLOW, .ret = 1,
};
FIXTURE_VARIANT_ADD(traced, changed_to_log) {
	.does = CHANGES, .other = SECCOMP_RET_LOG, .ret = 1,
	.nr = TRACED_NR, .code = SECCOMP_RET_LOG, .always = true,
};
FIXTURE_VARIANT_ADD(traced, changed_to_errno) {
	.does = CHANGES, .other = SECCOMP_RET_ERRNO | 3, .ret = -3,
	.nr = TRACED_NR, .code = SECCOMP_RET_ERRNO,
};
FIXTURE_VARIANT_ADD(traced, changed_to_user_notif) {
	.does = CHANGES, .other = SECCOMP_RET_USER_NOTIF, .ret = -ENOSYS,
	.nr = TRACED_NR, .code = SECCOMP_RET_USER_NOTIF,
};
/* The tracer has had its say: not asked again, and not logged. */
FIXTURE_VARIANT_ADD(traced, changed_to_trace) {
	.does = CHANGES, .other = SECCOMP_RET_TRACE, .ret = 1,
};
FIXTURE_VARIANT_ADD(traced, changed_to_kill_process) {
	.does = CHANGES, .other = SECCOMP_RET_KILL_PROCESS, .status = SIGSYS,
	.nr = TRACED_NR, .code = SECCOMP_RET_KILL_PROCESS, .sig = SIGSYS, .always = true,
};
FIXTURE_VARIANT_ADD(traced, changed_to_kill_thread) {
	.does = CHANGES, .other = SECCOMP_RET_KILL_THREAD, .status = SIGSYS,
	.nr = TRACED_NR, .code = SECCOMP_RET_KILL_THREAD, .sig = SIGSYS, .always = true,
};
FIXTURE_VARIANT_ADD(traced, changed_to_unknown) {
	.does = CHANGES, .other = 0x7ffd0000, .status = SIGSYS,
	.nr = TRACED_NR, .code = 0x7ffd0000, .sig = SIGSYS, .always = true,
};
#ifdef __NR_uprobe
/* Which no filter can deny, and no action comes of: the call is made as without filters. */
FIXTURE_VARIANT_ADD(traced, changed_to_uprobe) {
	.does = CHANGES, .to = __NR_uprobe, .other = SECCOMP_RET_ERRNO | EPERM,
};
FIXTURE_VARIANT_ADD(traced, changed_to_uprobe_that_kills) {
	.does = CHANGES, .to = __NR_uprobe, .other = SECCOMP_RET_KILL_PROCESS,
};
FIXTURE_VARIANT_ADD(traced, changed_to_uretprobe) {
	.does = CHANGES, .to = __NR_uretprobe, .other = SECCOMP_RET_ERRNO | EPERM,
};
FIXTURE_VARIANT_ADD(traced, changed_to_uretprobe_that_kills) {
	.does = CHANGES, .to = __NR_uretprobe, .other = SECCOMP_RET_KILL_PROCESS,
};
#endif
FIXTURE_VARIANT_ADD(traced, killed) {
	.does = KILLS, .status = SIGKILL, .nr = __NR_getppid, .code = SECCOMP_RET_TRACE,
};
FIXTURE_VARIANT_ADD(traced, deaf_tracer) {
	.does = IS_DEAF, .ret = -ENOSYS, .nr = __NR_getppid, .code = SECCOMP_RET_TRACE,
};
FIXTURE_VARIANT_ADD(traced, suspended) { .does = SUSPENDS };

FIXTURE_SETUP(traced)
{
	set_up(_metadata, &self->state);
	if (CANNOT_SKIP && variant->does == SKIPS)
		SKIP(return, "no tracer can skip a call here");
}

FIXTURE_TEARDOWN_PARENT(traced)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

/*
 * What comes of call @nr where there is no filter: what it returns, or the
 * signal that it ends with, which depends on the kernel's configuration.
 */
static void call_unfiltered(struct __test_metadata *_metadata, unsigned int nr, long *ret,
			    int *status)
{
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		shared->ret = native_call(nr);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, status, 0));
	*ret = shared->ret;
}

static void trace_one(struct __test_metadata *_metadata, struct state *state,
		      const FIXTURE_VARIANT(traced) *variant, unsigned int flags)
{
	const unsigned int to = variant->to ?: TRACED_NR;
	const struct rule rules[] = {
		{ native.arch, __NR_getppid, SECCOMP_RET_TRACE | RET_DATA },
		{ native.arch, to, variant->other },
	};
	int wanted_status = variant->status;
	unsigned long message, options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP;
	struct stopped_call call = { };
	int go[2], status, stops = 0;
	long ret = variant->ret;
	struct expected e;
	char byte = 0;
	pid_t pid;

	if (variant->does == IS_DEAF)
		options &= ~PTRACE_O_TRACESECCOMP;
	if (variant->does == SUSPENDS)
		options |= PTRACE_O_SUSPEND_SECCOMP;
	if (variant->to)
		call_unfiltered(_metadata, to, &ret, &wanted_status);

	memset(shared, 0, sizeof(*shared));
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (read(go[0], &byte, 1) != 1 ||
		    attach_rules(rules, variant->does == CHANGES ? 2 : 1, flags))
			_exit(NOT_READY);
		make_call(&native);
		_exit(0);
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, options)) {
		int why = errno;

		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		ASSERT_EQ(SUSPENDS, variant->does);
		SKIP(return, "seccomp cannot be suspended: %s", strerror(why));
	}
	ASSERT_EQ(1, write(go[1], &byte, 1));
	close(go[0]);
	close(go[1]);

	for (;;) {
		ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
		if (!WIFSTOPPED(status))
			break;
		/* The signal that the call ends with comes by its tracer. */
		if (wanted_status && status >> 8 == wanted_status) {
			ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, wanted_status));
			continue;
		}
		ASSERT_EQ(SIGTRAP | PTRACE_EVENT_SECCOMP << 8, status >> 8) {
			kill(pid, SIGKILL);
		}
		stops++;
		EXPECT_EQ(0, ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message));
		EXPECT_EQ(RET_DATA, message);
		EXPECT_EQ(0, read_call(pid, &call));
		EXPECT_EQ((unsigned long)native_call_ip, call.ip);
		switch (variant->does) {
		case SKIPS:
			call.nr = -1;
			call.ret = SKIPPED_WITH;
			break;
		case CHANGES:
			call.nr = to;
			break;
		case KILLS:
			EXPECT_EQ(0, kill(pid, SIGKILL));
			continue;
		default:
			break;
		}
		EXPECT_EQ(0, write_call(pid, &call));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	}
	EXPECT_EQ(wanted_status, status);
	EXPECT_EQ(!wanted_status, shared->returned);
	EXPECT_EQ(variant->does != IS_DEAF && variant->does != SUSPENDS, stops);
	if (!wanted_status) {
		if (ret == 0)
			ret = getpid();
		else if (ret == 1)
			ret = getpgrp();
		EXPECT_EQ(ret, shared->ret);
	}
	expect_call(&e, &native, variant->sig, variant->code);
	e.pid = pid;
	e.syscall = variant->nr;
	expect_records(_metadata, state, &e,
		       variant->nr && (flags || variant->always), "traced");
}

TEST_F(traced, without_flag_log)
{
	trace_one(_metadata, &self->state, variant, 0);
}

TEST_F(traced, with_flag_log)
{
	trace_one(_metadata, &self->state, variant, SECCOMP_FILTER_FLAG_LOG);
}

/* What the changed call comes to may have a name of its own that is still there. */
TEST_F(traced, with_flag_log_without_name)
{
	FIXTURE_VARIANT(traced) now = *variant;

	ASSERT_EQ(0, set_mask(FULL_MASK & ~(1U << LOGS_TRACE | 1U << LOGS_ERRNO |
					    1U << LOGS_USER_NOTIF)));
	if (!variant->always)
		now.nr = 0;
	trace_one(_metadata, &self->state, &now, SECCOMP_FILTER_FLAG_LOG);
}

/* Calls that a listener answers. */
FIXTURE(notified)
{
	struct state state;
};

enum listener_does {
	ANSWERS,	/* with a value */
	FAILS,		/* with an error */
	CONTINUES,	/* SECCOMP_USER_NOTIF_FLAG_CONTINUE */
	GOES_AWAY,	/* closes while the call waits */
	IS_GONE,	/* closed before the call */
	INTERRUPTS,	/* sends a signal in place of an answer */
};

FIXTURE_VARIANT(notified)
{
	enum listener_does does;
	long ret;	/* 0 for the parent's pid */
	bool logged;
};

FIXTURE_VARIANT_ADD(notified, value) { .does = ANSWERS, .ret = 4711, .logged = true };
FIXTURE_VARIANT_ADD(notified, error) { .does = FAILS, .ret = -EDOM, .logged = true };
FIXTURE_VARIANT_ADD(notified, continued) { .does = CONTINUES };
FIXTURE_VARIANT_ADD(notified, listener_goes) { .does = GOES_AWAY, .ret = -ENOSYS, .logged = true };
FIXTURE_VARIANT_ADD(notified, no_listener) { .does = IS_GONE, .ret = -ENOSYS, .logged = true };
FIXTURE_VARIANT_ADD(notified, interrupted) { .does = INTERRUPTS, .ret = -EINTR, .logged = true };

FIXTURE_SETUP(notified)
{
	set_up(_metadata, &self->state);
}

FIXTURE_TEARDOWN_PARENT(notified)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

struct notified_call {
	unsigned int flags;
	int listener;
	pthread_barrier_t barrier;
};

static void *call_notified(void *arg)
{
	struct notified_call *call = arg;

	prctl(PR_SET_NAME, "notified");
	call->listener = attach(native.arch, native.nr, SECCOMP_RET_USER_NOTIF | RET_DATA,
				SECCOMP_FILTER_FLAG_NEW_LISTENER | call->flags);
	pthread_barrier_wait(&call->barrier);	/* attached */
	pthread_barrier_wait(&call->barrier);	/* the listener is or is not there */
	if (call->listener >= 0)
		make_call(&native);
	return NULL;
}

static void on_usr1(int sig)
{
}

static void notify_one(struct __test_metadata *_metadata, struct state *state,
		       const FIXTURE_VARIANT(notified) *variant, unsigned int flags, bool logged)
{
	struct sigaction usr1 = { .sa_handler = on_usr1 };
	struct notified_call call = { .flags = flags };
	struct seccomp_notif_resp answer = { };
	struct seccomp_notif request = { };
	struct expected e;
	pthread_t thread;

	ASSERT_EQ(0, sigaction(SIGUSR1, &usr1, NULL));
	ASSERT_EQ(0, pthread_barrier_init(&call.barrier, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_notified, &call));
	pthread_barrier_wait(&call.barrier);
	ASSERT_LE(0, call.listener);
	if (variant->does == IS_GONE)
		close(call.listener);
	pthread_barrier_wait(&call.barrier);

	if (variant->does != IS_GONE) {
		ASSERT_EQ(0, ioctl(call.listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
		EXPECT_EQ(__NR_getppid, request.data.nr);
		answer.id = request.id;
		switch (variant->does) {
		case ANSWERS:
			answer.val = variant->ret;
			break;
		case FAILS:
			answer.error = variant->ret;
			break;
		case CONTINUES:
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
			break;
		case INTERRUPTS:
			/* It waits in the kernel, or has yet to begin: both end in EINTR. */
			ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));
			break;
		default:
			close(call.listener);
		}
		if (variant->does == ANSWERS || variant->does == FAILS ||
		    variant->does == CONTINUES)
			ASSERT_EQ(0, ioctl(call.listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, shared->returned);
	EXPECT_EQ(variant->ret ?: getppid(), shared->ret);
	expect_call(&e, &native, 0, SECCOMP_RET_USER_NOTIF);
	strcpy(e.comm, "notified");
	expect_records(_metadata, state, &e, logged, "notified");
}

TEST_F(notified, without_flag_log)
{
	notify_one(_metadata, &self->state, variant, 0, false);
}

TEST_F(notified, with_flag_log)
{
	notify_one(_metadata, &self->state, variant, SECCOMP_FILTER_FLAG_LOG, variant->logged);
}

TEST_F(notified, with_flag_log_without_name)
{
	ASSERT_EQ(0, set_mask(FULL_MASK & ~(1U << LOGS_USER_NOTIF)));
	notify_one(_metadata, &self->state, variant, SECCOMP_FILTER_FLAG_LOG, false);
}

/*
 * A kernel that was booted with audit=0 (or has no audit): the actions are the
 * same, and no record is anywhere, the kernel's own log included.
 */
FIXTURE(no_audit)
{
	struct state state;
	int kmsg;
};

FIXTURE_SETUP(no_audit)
{
	if (geteuid())
		SKIP(return, "the tests need root");
	ASSERT_EQ(0, save_settings(&self->state.saved));
	if (self->state.saved.have_audit)
		SKIP(return, "audit is there: boot with audit=0 for this");
	set_up_calls(_metadata, &self->state);
	self->kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->kmsg);
	ASSERT_LE(0, lseek(self->kmsg, 0, SEEK_END));
	ASSERT_EQ(0, set_mask(FULL_MASK));
}

FIXTURE_TEARDOWN_PARENT(no_audit)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

/* Reads the kernel's log up to a line of our own. Returns how many records are in it. */
static int records_in_kmsg(struct __test_metadata *_metadata, int kmsg)
{
	static unsigned int lines;
	char fence[64], line[8192], type[16];
	int count = 0;
	ssize_t len;

	snprintf(type, sizeof(type), "type=%d ", AUDIT_SECCOMP);
	snprintf(fence, sizeof(fence), "seccomp-log-fence=%d.%u;\n", getpid(), ++lines);
	ASSERT_EQ((ssize_t)strlen(fence), write(kmsg, fence, strlen(fence)));
	*strchr(fence, '\n') = '\0';
	for (;;) {
		len = read(kmsg, line, sizeof(line) - 1);
		ASSERT_LT(0, len);
		line[len] = '\0';
		if (strstr(line, fence))
			return count;
		if (strstr(line, type))
			count++;
	}
}

TEST_F_TIMEOUT(no_audit, actions_work_in_silence, KILLED_SLOWLY)
{
	const struct caller *callers[] = { &native, &x32, &minus_one, &wide, &int80 };
	struct state *state = &self->state;
	struct outcome outcome;
	int i, j;

	for (j = 0; j < (has_int80 ? 5 : 4); j++) {
		for (i = 0; i < ARRAY_SIZE(actions); i++) {
			run_child(_metadata, state, callers[j], actions[i].ret | RET_DATA,
				  SECCOMP_FILTER_FLAG_LOG, 0, &outcome);
			EXPECT_EQ(actions[i].kills ? SIGSYS : 0, outcome.status);
			if (!actions[i].kills)
				expect_effect(_metadata, callers[j], actions[i].ret, getpid());
		}
		run_child(_metadata, state, callers[j], 0, 0, RUN_STRICT, &outcome);
		EXPECT_EQ(SIGKILL, outcome.status);
	}
	EXPECT_EQ(0, records_in_kmsg(_metadata, self->kmsg));
}

int main(int argc, char **argv)
{
	unsigned long ip = (unsigned long)native_call_ip;

	/* exec_changes_program runs this under a filter that logs the call. */
	if (argc == 2 && !strcmp(argv[1], "--call"))
		return write(1, &ip, sizeof(ip)) != sizeof(ip) || native_call(__NR_getppid) <= 0;

	save_at_start();
	return test_harness_run(argc, argv);
}
