// SPDX-License-Identifier: GPL-2.0
/*
 * The listener: shares the subject's descriptors, so that it has the user
 * notification descriptor without a call of the subject and its close is the
 * last one. It tells each notification and does the next thing in its script.
 */
#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define ID_VALID_WRONG_DIR SECCOMP_IOR(2, __u64)

static void nap(void)
{
	const struct timespec t = { 0, 50000 };

	nanosleep(&t, NULL);
}

static void notif_log(struct log *l, const struct seccomp_notif *n)
{
	const char *ip = ip_name(n->data.instruction_pointer);
	int i;

	log_add(l, " n%s/%x/%x/%s/%x(", pid_name(n->pid), n->data.nr, n->data.arch, ip, n->flags);
	for (i = 0; i < 6; i++)
		arg_log(l, ip, n->data.args[i]);
	log_add(l, ")");
}

static void result(const char *what, long ret)
{
	errno_log(&SHM->listener_log, what, ret < 0 ? -errno : ret);
}

static void reply(int fd, uint64_t id, int error, int64_t value, unsigned int flags)
{
	struct seccomp_notif_resp r = { .id = id, .error = error, .val = value, .flags = flags };

	result(" s", ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r));
}

static long addfd(int fd, uint64_t id, unsigned int flags, int src, int to)
{
	struct seccomp_notif_addfd a = { .id = id, .flags = flags, .srcfd = src, .newfd = to, .newfd_flags = O_CLOEXEC };
	long ret = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);

	result(" a", ret);
	return ret;
}

/* Sends SIGUSR1 and waits until it was handled, unless it cannot be yet. */
static void signal_subject(int tid, bool wait)
{
	int before = SHM->usr1_count;

	syscall(SYS_tgkill, SHM->subject, tid, SIGUSR1);
	while (wait && SHM->usr1_count == before && !SHM->subject_dead)
		nap();
}

/* One notification; false when the listener is done. */
static bool serve(int fd, const struct listener_step *s, bool killable)
{
	const struct plan *p = &SHM->plan;
	struct seccomp_notif n;
	struct pollfd pf = { fd, POLLIN, 0 };
	uint64_t id, bad;
	bool early = s->act == LI_SIGNAL_EARLY;
	long ret;

	for (;;) {
		memset(&n, 0, sizeof(n));
		if (early) {
			if (poll(&pf, 1, -1) < 0)
				continue;
			if (!(pf.revents & POLLIN))
				return false;
			early = false;
			signal_subject(SHM->tid[SHM->running], !p->usr1_pending);
		}
		if (!ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
			break;
		if (errno == EINTR)
			continue;
		/* ENOENT: the one who asked is gone, or was interrupted before; only the end is told. */
		if (errno != ENOENT) {
			result(" r", -1);
			return false;
		}
		if (poll(&pf, 1, 0) == 1 && (pf.revents & POLLHUP))
			return false;
	}
	notif_log(&SHM->listener_log, &n);
	id = n.id;
	switch (s->act) {
	case LI_ERROR:
	case LI_SIGNAL_EARLY:
		reply(fd, id, s->error, 0, 0);
		break;
	case LI_VALUE:
		reply(fd, id, 0, s->value, 0);
		break;
	case LI_BOTH:
		reply(fd, id, s->error, s->value, 0);
		break;
	case LI_CONTINUE:
		reply(fd, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		break;
	case LI_ADDFD:
		ret = addfd(fd, id, 0, FD_MEM, 0);
		reply(fd, id, 0, ret, 0);
		break;
	case LI_ADDFD_SEND:
		addfd(fd, id, SECCOMP_ADDFD_FLAG_SEND, FD_MEM, 0);
		break;
	case LI_SETFD:
		ret = addfd(fd, id, SECCOMP_ADDFD_FLAG_SETFD, FD_MEM, 26);
		reply(fd, id, 0, ret, 0);
		break;
	case LI_SETFD_SEND:
		addfd(fd, id, SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, FD_MEM, 27);
		break;
	case LI_ADDFD_BAD:
		addfd(fd, id, 0, 199, 0);
		addfd(fd, id, 0, FD_MEM, 5);
		addfd(fd, id, 0x80, FD_MEM, 0);
		addfd(fd, id + 12345, 0, FD_MEM, 0);
		/* No descriptor has this number: the subject fails to take it, the call stays open. */
		addfd(fd, id, SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, FD_MEM, 1 << 20);
		reply(fd, id, s->error, 0, 0);
		break;
	case LI_BAD:
		reply(fd, id, 0, 0, 2);
		reply(fd, id, 0, 5, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		reply(fd, id + 12345, 0, 5, 0);
		bad = id + 54321;
		result(" v", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &bad));
		result(" v", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
		result(" w", ioctl(fd, ID_VALID_WRONG_DIR, &id));
		reply(fd, id, s->error, 0, 0);
		break;
	case LI_CLOSE:
		close(fd);
		return false;
	case LI_KILL:
		kill(SHM->subject, SIGKILL);
		while (!SHM->subject_dead)
			nap();
		reply(fd, id, 0, 1, 0);
		break;
	case LI_SIGNAL:
		/* Killable: the signal stays pending until the reply. */
		signal_subject((int)n.pid, !killable && !p->usr1_pending);
		if (killable || p->usr1_pending)
			reply(fd, id, 0, s->value, 0);
		else
			result(" v", ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
		break;
	default:
		break;
	}
	return true;
}

void listener_main(void)
{
	static const struct listener_step rest = { LI_CONTINUE, 0, 0 };
	const struct plan *p = &SHM->plan;
	bool killable = false;
	unsigned int i;
	int fd;
	long pid;

	/* The subject is the supervisor's child, with our descriptors. */
	pid = syscall(SYS_clone, CLONE_ARGS(CLONE_FILES | CLONE_PARENT | SIGCHLD, 0L), 0, 0, 0);
	if (pid == 0)
		subject_main();
	signal(SIGCHLD, SIG_DFL);
	if (pid < 0)
		_exit(1);
	while (SHM->listener_fd < 0 && !SHM->subject_dead)
		nap();
	fd = SHM->listener_fd;
	if (fd >= 0) {
		/* The one that was installed is the first with the flag that was not refused. */
		for (i = 0; i < p->n_filters; i++)
			if (p->filter[i].flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
				killable |= p->filter[i].flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		if (p->li_sync)
			result(" sync", ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP));
		for (i = 0; serve(fd, i < p->n_listener ? &p->li[i] : &rest, killable); i++)
			;
	}
	while (!SHM->subject_dead)
		nap();
	log_add(&SHM->listener_log, " fds=");
	for (fd = 3; fd < 28; fd++)
		if ((fd < 9 || fd > 23) && fcntl(fd, F_GETFD) >= 0)
			log_add(&SHM->listener_log, "%d,", fd);
	_exit(0);
}
