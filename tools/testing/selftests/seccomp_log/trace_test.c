// SPDX-License-Identifier: GPL-2.0
/*
 * What tools see of seccomp's decisions: the tracepoint seccomp:seccomp_verdict,
 * and audit_seccomp(), on which those put a kprobe that know no tracepoint.
 *
 * Each test has an instance of tracefs, so that nobody else's tracing is touched.
 * An event is in the buffer when the call that made it is over.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#include "kselftest_harness.h"
#include "calls.h"

#define TRACEFS		"/sys/kernel/tracing/"
#define INSTANCE	TRACEFS "instances/seccomp_trace_test/"
#define VERDICT		INSTANCE "events/seccomp/seccomp_verdict/"
#define PROBE		"seccomp_test_probe"
#define KPROBES		TRACEFS "kprobe_events"

#define MAX_EVENTS 16

struct event {
	int pid;
	long nr;
	unsigned int arch, action, data, logged;
	char name[32];
	unsigned long args[6];
};

static int write_file(const char *path, const char *text)
{
	ssize_t ret = write_text(path, text, strlen(text));

	return ret == (ssize_t)strlen(text) ? 0 : ret < 0 ? ret : -EIO;
}

/* Reads the events of the instance, which empties it. Returns how many there were. */
static int read_events(struct event *events, const char *what)
{
	char line[1024], *at;
	int count = 0;
	FILE *file;

	file = fopen(INSTANCE "trace", "r");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		struct event *e = &events[count < MAX_EVENTS ? count : MAX_EVENTS - 1];

		at = strstr(line, what);
		if (line[0] == '#' || !at)
			continue;
		memset(e, 0, sizeof(*e));
		/* The name of the task has 16 places. */
		e->pid = strlen(line) > 17 ? atoi(line + 17) : 0;
		if (sscanf(at, "seccomp_verdict: nr=%ld arch=%x action=0x%x (%31[^)]) data=%u logged=%u args=(%lx, %lx, %lx, %lx, %lx, %lx)",
			   &e->nr, &e->arch, &e->action, e->name, &e->data, &e->logged,
			   &e->args[0], &e->args[1], &e->args[2], &e->args[3], &e->args[4],
			   &e->args[5]) != 12 &&
		    sscanf(at, PROBE ": (audit_seccomp+0x%*x/0x%*x) nr=%ld sig=%u code=0x%x", &e->nr,
			   &e->data, &e->action) != 3 &&
		    sscanf(at, PROBE ": (audit_seccomp+0x%*x) nr=%ld sig=%u code=0x%x", &e->nr,
			   &e->data, &e->action) != 3) {
			fclose(file);
			return -EBADMSG;
		}
		count++;
	}
	fclose(file);
	close(open(INSTANCE "trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
	return count;
}

struct tracing {
	struct saved saved;
	struct event events[MAX_EVENTS];
};

static void leave_tracing(void)
{
	write_file(INSTANCE "events/kprobes/" PROBE "/enable", "0");
	rmdir(TRACEFS "instances/seccomp_trace_test");
	if (!access(KPROBES, F_OK))
		write_file(KPROBES, "-:kprobes/" PROBE "\n");
}

static void set_up_tracing(struct __test_metadata *_metadata, struct tracing *tracing)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	if (geteuid())
		SKIP(return, "the tests need root");
	if (access(TRACEFS "instances", F_OK))
		SKIP(return, "no tracefs in " TRACEFS);
	ASSERT_EQ(0, save_settings(&tracing->saved));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_EQ(0, sigaction(SIGSYS, &action, NULL));
	has_int80 = int80_works();
	ASSERT_EQ(0, set_mask(FULL_MASK));
	leave_tracing();
	ASSERT_EQ(0, mkdir(TRACEFS "instances/seccomp_trace_test", 0700));
}

FIXTURE(verdict)
{
	struct tracing tracing;
};

FIXTURE_SETUP(verdict)
{
	set_up_tracing(_metadata, &self->tracing);
	if (access(VERDICT "enable", F_OK))
		SKIP(return, "the kernel has no tracepoint for verdicts");
	ASSERT_EQ(0, write_file(VERDICT "enable", "1"));
}

FIXTURE_TEARDOWN_PARENT(verdict)
{
	leave_tracing();
	EXPECT_EQ(0, restore_settings(&self->tracing.saved));
}

/* One event of this action, of @caller's call. */
#define EXPECT_EVENT(caller_, action_, data_, logged_) do {			\
	struct event *e_ = tracing->events;					\
										\
	ASSERT_EQ(1, read_events(e_, "seccomp_verdict:"));			\
	EXPECT_EQ((int)(caller_)->nr, e_->nr);					\
	EXPECT_EQ((caller_)->arch, e_->arch);					\
	EXPECT_EQ((action_) & SECCOMP_RET_ACTION_FULL, e_->action);		\
	EXPECT_EQ(data_, e_->data);						\
	EXPECT_EQ(logged_, e_->logged);						\
} while (0)

#define EXPECT_NO_EVENT() EXPECT_EQ(0, read_events(tracing->events, "seccomp_verdict:"))

TEST_F(verdict, each_action_that_one_survives)
{
	struct tracing *tracing = &self->tracing;
	const struct caller *callers[] = { &native, &x32, &int80 };
	int count = has_int80 ? 3 : 2, i, j, flagged, status;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		for (flagged = 0; flagged < 2; flagged++) {
			for (j = 0; j < count; j++) {
				const struct caller *caller = callers[j];
				unsigned int flags = flagged ? SECCOMP_FILTER_FLAG_LOG : 0;

				pid = fork();
				ASSERT_LE(0, pid);
				if (!pid) {
					if (attach(caller->arch, caller->nr,
						   actions[i].ret | RET_DATA, flags))
						_exit(NOT_READY);
					make_call(caller);
					_exit(0);
				}
				ASSERT_EQ(pid, waitpid(pid, &status, 0));
				ASSERT_EQ(0, status);
				EXPECT_EVENT(caller, actions[i].ret, RET_DATA,
					     is_logged(&actions[i], flags, FULL_MASK));
				EXPECT_STREQ(actions[i].name, tracing->events[0].name);
			}
		}
	}
}

TEST_F(verdict, each_action_that_kills)
{
	struct tracing *tracing = &self->tracing;
	int i, status;
	pid_t pid;

	for (i = 6; i < ARRAY_SIZE(actions); i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (attach(native.arch, native.nr, actions[i].ret | RET_DATA, 0))
				_exit(NOT_READY);
			make_call(&native);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGSYS, status);
		EXPECT_EVENT(&native, actions[i].ret, RET_DATA, 1);
		if (i < 8)
			EXPECT_STREQ(actions[i].name, tracing->events[0].name);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(NOT_READY);
		native_call(native.nr);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGKILL, status);
	EXPECT_EVENT(&native, SECCOMP_RET_KILL_THREAD, 0, 1);
}

TEST_F(verdict, what_is_allowed_makes_no_event)
{
	struct tracing *tracing = &self->tracing;
	/* Not from the cache, and from it. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_ALLOW, 0));
	make_call(&native);
	EXPECT_NO_EVENT();
	ASSERT_EQ(0, syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
	make_call(&native);
	EXPECT_NO_EVENT();
}

TEST_F(verdict, logged_says_whether_there_is_a_record)
{
	struct tracing *tracing = &self->tracing;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG | RET_DATA, 0));
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, RET_DATA, 1);
	ASSERT_EQ(0, set_mask(FULL_MASK & ~(1U << LOGS_LOG)));
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, RET_DATA, 0);
	ASSERT_EQ(0, set_mask(FULL_MASK));
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, RET_DATA, 1);
}

TEST_F(verdict, of_a_call_that_is_logged_once)
{
	struct tracing *tracing = &self->tracing;

	if (access("/proc/sys/kernel/seccomp/actions_logged_once", F_OK))
		SKIP(return, "the kernel has no CONFIG_SECCOMP_LOG_ONCE");
	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG,
			    SECCOMP_FILTER_FLAG_LOG_ONCE));
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, 0, 1);
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, 0, 0);
}

TEST_F(verdict, arguments)
{
	static const unsigned long args[6] = {
		0x1111111111111111, 0x2222222222222222, 3, ~0UL, 0, 0x6666666666666666,
	};
	struct tracing *tracing = &self->tracing;
	int i;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_ERRNO | EDOM, 0));
	ASSERT_EQ(-1, syscall(native.nr, args[0], args[1], args[2], args[3], args[4], args[5]));
	EXPECT_EQ(EDOM, errno);
	EXPECT_EVENT(&native, SECCOMP_RET_ERRNO, EDOM, 0);
	EXPECT_EQ(getpid(), tracing->events[0].pid);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(args[i], tracing->events[0].args[i]);
}

/* Of the number that the tracer has left, or of the one that it lets go. */
TEST_F(verdict, of_a_call_that_a_tracer_has_seen)
{
	struct tracing *tracing = &self->tracing;
	struct stopped_call call;
	int status, i;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (ptrace(PTRACE_TRACEME) || raise(SIGSTOP) ||
		    attach(native.arch, native.nr, SECCOMP_RET_TRACE | RET_DATA,
			   SECCOMP_FILTER_FLAG_LOG))
			_exit(NOT_READY);
		native_call(native.nr);
		native_call(native.nr);
		_exit(0);
	}
	trace_child(_metadata, pid);
	for (i = 0; i < 2; i++) {
		seccomp_stop(_metadata, pid, &call);
		/* Not before it is known what becomes of it. */
		if (!i)
			EXPECT_NO_EVENT();
		if (i)
			call.nr = -1;
		ASSERT_EQ(0, write_call(pid, &call));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
		if (!i)
			continue;
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	ASSERT_EQ(2, read_events(tracing->events, "seccomp_verdict:"));
	EXPECT_EQ(native.nr, tracing->events[0].nr);
	EXPECT_EQ(0, tracing->events[0].logged);
	EXPECT_EQ(NR_SEEN(-1), tracing->events[1].nr);
	EXPECT_EQ(!CANNOT_SKIP, tracing->events[1].logged);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(SECCOMP_RET_TRACE, tracing->events[i].action);
		EXPECT_EQ(RET_DATA, tracing->events[i].data);
	}
}

static void *let_continue(void *arg)
{
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	struct seccomp_notif request;
	int listener = *(int *)arg;

	memset(&request, 0, sizeof(request));
	if (!ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
		answer.id = request.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	return NULL;
}

TEST_F(verdict, of_a_call_that_a_listener_lets_go)
{
	struct tracing *tracing = &self->tracing;
	pid_t parent = getppid();
	pthread_t thread;
	int listener;

	listener = attach(native.arch, native.nr, SECCOMP_RET_USER_NOTIF | RET_DATA,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_LOG);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, pthread_create(&thread, NULL, let_continue, &listener));
	EXPECT_EQ(parent, native_call(native.nr));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EVENT(&native, SECCOMP_RET_USER_NOTIF, RET_DATA, 0);
}

TEST_F(verdict, switched_off)
{
	struct tracing *tracing = &self->tracing;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	ASSERT_EQ(0, write_file(VERDICT "enable", "0"));
	make_call(&native);
	EXPECT_NO_EVENT();
	ASSERT_EQ(0, write_file(VERDICT "enable", "1"));
	make_call(&native);
	EXPECT_EVENT(&native, SECCOMP_RET_LOG, 0, 1);
}

/* A filter of the tracing kind, by the fields' names. */
TEST_F(verdict, fields_can_be_asked_for)
{
	const struct rule rules[] = {
		{ NATIVE_ARCH, __NR_getppid, SECCOMP_RET_LOG },
		{ NATIVE_ARCH, OTHER_NR, SECCOMP_RET_ERRNO | EDOM },
	};
	struct tracing *tracing = &self->tracing;

	ASSERT_EQ(0, attach_rules(rules, ARRAY_SIZE(rules), 0));
	ASSERT_EQ(0, write_file(VERDICT "filter", "action == 0x50000 && data == 33 && logged == 0"));
	native_call(__NR_getppid);
	native_call(OTHER_NR);
	ASSERT_EQ(1, read_events(tracing->events, "seccomp_verdict:"));
	EXPECT_EQ(OTHER_NR, tracing->events[0].nr);
}

/*
 * Tools that are older than the tracepoint, or know C alone, have a kprobe on
 * audit_seccomp(), with these arguments.
 */
FIXTURE(probe)
{
	struct tracing tracing;
};

FIXTURE_SETUP(probe)
{
	set_up_tracing(_metadata, &self->tracing);
	if (access(KPROBES, F_OK))
		SKIP(return, "no CONFIG_KPROBE_EVENTS");
	ASSERT_EQ(0, write_file(KPROBES, "p:kprobes/" PROBE
				" audit_seccomp " PROBE_ARGS "\n")) {
		TH_LOG("audit_seccomp() cannot be probed");
	}
	ASSERT_EQ(0, write_file(INSTANCE "events/kprobes/" PROBE "/enable", "1"));
}

FIXTURE_TEARDOWN_PARENT(probe)
{
	leave_tracing();
	EXPECT_EQ(0, restore_settings(&self->tracing.saved));
}

TEST_F(probe, audit_seccomp_is_called_for_each_record)
{
	struct tracing *tracing = &self->tracing;
	int i, status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (attach(native.arch, native.nr, actions[i].ret | RET_DATA,
				   SECCOMP_FILTER_FLAG_LOG))
				_exit(NOT_READY);
			make_call(&native);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(actions[i].kills ? SIGSYS : 0, status);
		ASSERT_EQ(is_logged(&actions[i], SECCOMP_FILTER_FLAG_LOG, FULL_MASK),
			  read_events(tracing->events, PROBE)) {
			TH_LOG("%s", actions[i].name);
		}
		if (actions[i].bit < 0)
			continue;
		EXPECT_EQ(native.nr, tracing->events[0].nr);
		EXPECT_EQ(actions[i].kills ? SIGSYS : 0, tracing->events[0].data);
		EXPECT_EQ(actions[i].ret, tracing->events[0].action);
	}
}

TEST_F(probe, audit_seccomp_is_not_called_for_what_is_not_logged)
{
	struct tracing *tracing = &self->tracing;

	ASSERT_EQ(0, attach(native.arch, native.nr, SECCOMP_RET_LOG, 0));
	ASSERT_EQ(0, set_mask(0));
	make_call(&native);
	EXPECT_EQ(0, read_events(tracing->events, PROBE));
	ASSERT_EQ(0, set_mask(FULL_MASK));
	make_call(&native);
	EXPECT_EQ(1, read_events(tracing->events, PROBE));
}

int main(int argc, char **argv)
{
	save_at_start();
	return test_harness_run(argc, argv);
}
