// SPDX-License-Identifier: GPL-2.0
/*
 * Audit records, from the multicast group: that sees each record before
 * printk's rate limit. That a record is absent is proven by a marker record,
 * which is queued behind all that the case wrote.
 */
#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>

static int reader = -1, writer = -1;
static unsigned int marker;
static char own_exe[512], own_comm[32];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* Descriptors of the program stay above those that cases use. */
static int move_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 200);

	if (high < 0)
		die("F_DUPFD");
	close(fd);
	return high;
}

static int audit_send(uint16_t type, const void *data, size_t size)
{
	struct {
		struct nlmsghdr h;
		char data[512];
	} m = { .h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	char reply[1024];
	ssize_t n;

	m.h.nlmsg_len = NLMSG_LENGTH(size);
	memcpy(m.data, data, size);
	if (sendto(writer, &m, m.h.nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	/* The acknowledgement; the kernel has queued the record before it is sent. */
	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)reply;

		n = recv(writer, reply, sizeof(reply), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(*h))
			return n < 0 ? -errno : -EIO;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
	}
}

int audit_open(bool required)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1) };
	struct audit_status s = { .mask = AUDIT_STATUS_BACKLOG_LIMIT, .backlog_limit = 8192 };
	int size = 8 << 20, err;

	audit_close();
	reader = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (reader < 0)
		goto none;
	reader = move_high(reader);
	if (bind(reader, (struct sockaddr *)&self, sizeof(self)))
		goto none;
	if (setsockopt(reader, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		goto none;
	writer = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (writer < 0)
		goto none;
	writer = move_high(writer);
	err = audit_send(AUDIT_SET, &s, sizeof(s));
	if (err) {
		errno = -err;
		goto none;
	}
	return 0;
none:
	if (required)
		die("audit netlink");
	audit_close();
	return -1;
}

void audit_close(void)
{
	if (reader >= 0)
		close(reader);
	if (writer >= 0)
		close(writer);
	reader = writer = -1;
}

void audit_enable(bool on)
{
	struct audit_status s = { .mask = AUDIT_STATUS_ENABLED, .enabled = on };

	if (writer >= 0 && audit_send(AUDIT_SET, &s, sizeof(s)))
		die("audit enable");
}

void audit_exe(const char *path, const char *comm)
{
	snprintf(own_exe, sizeof(own_exe), "\"%s\"", path);
	snprintf(own_comm, sizeof(own_comm), "\"%s\"", comm);
}

static const char *role(long pid, pid_t subject, pid_t forked)
{
	if (pid == subject)
		return "S";
	if (forked && pid == forked)
		return "F";
	return NULL;
}

/*
 * A record in canonical form: the kernel's keys in the kernel's order, pid as a
 * role, addresses as labels, and what is always the same left out. A key that
 * is missing or moved changes the line.
 */
static void record_print(struct log *l, unsigned int type, char *text, const char *who)
{
	static const char *const usual[] = {
		"auid=4294967295", "uid=0", "gid=0", "ses=4294967295",
	};
	char *word, *save = NULL, out[1024];
	unsigned int next = 0, n = 0;

	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (next < 4 && !strcmp(word, usual[next])) {
			next++;
			continue;
		}
		if (!strncmp(word, "pid=", 4)) {
			n += snprintf(out + n, sizeof(out) - n, "%s.", who);
			continue;
		}
		if (!strncmp(word, "comm=", 5) && !strcmp(word + 5, own_comm))
			continue;
		if (!strncmp(word, "exe=", 4) && !strcmp(word + 4, own_exe))
			continue;
		if (!strncmp(word, "ip=", 3))
			n += snprintf(out + n, sizeof(out) - n, "ip=%s.", ip_name(strtoull(word + 3, NULL, 16)));
		else
			n += snprintf(out + n, sizeof(out) - n, "%.40s.", word);
		if (n > sizeof(out) - 64)
			break;
	}
	log_add(l, " %u:%s", type, out);
}

void audit_collect(struct log *l, pid_t subject, pid_t forked, bool config)
{
	char buf[9000], mark[64];
	int err;

	if (reader < 0)
		return;
	snprintf(mark, sizeof(mark), "oracle-marker-%d-%u", getpid(), ++marker);
	/* Of the user messages, AUDIT_USER_AVC is recorded even with audit off. */
	err = audit_send(AUDIT_USER_AVC, mark, strlen(mark) + 1);
	if (err) {
		errno = -err;
		die("audit marker");
	}
	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)buf;
		ssize_t n = recv(reader, buf, sizeof(buf) - 1, 0);
		char *text, *pid;
		const char *who;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)	/* ENOBUFS: records were lost, nothing can be proven */
			die("audit record");
		if (n < (ssize_t)sizeof(*h))
			continue;
		buf[n] = 0;
		text = NLMSG_DATA(h);
		if (h->nlmsg_type == AUDIT_USER_AVC) {
			if (strstr(text, mark))
				return;
			continue;
		}
		/* "audit(time:serial): " */
		text = strstr(text, "): ");
		if (!text)
			continue;
		text += 3;
		if (config) {
			if (h->nlmsg_type == AUDIT_CONFIG_CHANGE && strstr(text, "op=seccomp-logging"))
				log_add(l, " %u:%s", h->nlmsg_type, text);
			continue;
		}
		pid = strstr(text, " pid=");
		if (!pid)
			continue;
		who = role(strtol(pid + 5, NULL, 10), subject, forked);
		if (who)
			record_print(l, h->nlmsg_type, text, who);
	}
}
