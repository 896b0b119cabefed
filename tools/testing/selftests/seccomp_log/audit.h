/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reader for audit records, thin enough for tests.
 *
 * Records come from the multicast group AUDIT_NLGRP_READLOG, which gets every
 * record in the order in which it was queued, before the rate limit of printk
 * and beside a running auditd.
 *
 * That a record was *not* written cannot be shown by waiting for it.  The
 * fence does: it is a record of our own, queued after everything that the
 * caller has seen happen, so what has not arrived before it never will.
 */
#ifndef SECCOMP_LOG_AUDIT_H
#define SECCOMP_LOG_AUDIT_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/netlink.h>

/* The longest record that the kernel makes, MAX_AUDIT_MESSAGE_LENGTH. */
#define AUDIT_TEXT_MAX 8970

/*
 * How long to wait for a record that must come.  No test's outcome depends on
 * its length: to reach it is a failure.
 */
#define AUDIT_PATIENCE_SEC 20

struct audit_reader {
	int records;	/* bound to the multicast group */
	int control;	/* requests and their answers */
	unsigned int seq;
};

struct audit_record {
	unsigned short type;
	char text[AUDIT_TEXT_MAX + 1];	/* as in "audit(time:serial): ..." */
};

/**
 * audit_record_body() - a record's text without its time stamp and serial
 * @record: the record
 *
 * Return: a pointer into @record.
 */
static inline const char *audit_record_body(const struct audit_record *record)
{
	const char *colon = strstr(record->text, "): ");

	return colon ? colon + 3 : record->text;
}

/* Receives one netlink message. Returns its payload's length, or -errno. */
static inline int audit_receive(int fd, struct nlmsghdr *head, void *payload,
				size_t size)
{
	struct sockaddr_nl from = { };
	struct iovec iov[] = {
		{ .iov_base = head, .iov_len = sizeof(*head) },
		{ .iov_base = payload, .iov_len = size },
	};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = iov,
		.msg_iovlen = 2,
	};
	ssize_t len;

	do {
		do {
			len = recvmsg(fd, &msg, 0);
		} while (len < 0 && errno == EINTR);
		if (len < 0)
			return -errno;
		/* Only the kernel has port 0: nobody else is believed. */
	} while (from.nl_pid != 0);

	if (len < (ssize_t)sizeof(*head) || msg.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	return len - sizeof(*head);
}

/*
 * Sends a request and reads answers up to its acknowledgement. An answer of
 * the request's own type is copied to @reply. Returns 0 or -errno.
 */
static inline int audit_request(struct audit_reader *reader, int type,
				const void *payload, size_t len, void *reply,
				size_t reply_size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr head = {
		.nlmsg_len = NLMSG_LENGTH(len),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_seq = ++reader->seq,
	};
	struct iovec iov[] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)payload, .iov_len = len },
	};
	struct msghdr msg = {
		.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = iov,
		.msg_iovlen = 2,
	};
	bool acked = false, answered = !reply;
	ssize_t sent;

	do {
		sent = sendmsg(reader->control, &msg, 0);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;

	/*
	 * The acknowledgement and the answer come from different threads of
	 * the kernel, in either order.
	 */
	while (!acked || !answered) {
		char buf[1024] = { };
		int got = audit_receive(reader->control, &head, buf, sizeof(buf));

		if (got < 0)
			return got;
		if (head.nlmsg_seq != reader->seq)
			continue;
		if (head.nlmsg_type == NLMSG_ERROR) {
			int error = ((struct nlmsgerr *)buf)->error;

			if (error)
				return error;
			acked = true;
		} else if (head.nlmsg_type == type && reply) {
			if ((size_t)got < reply_size)
				reply_size = got;
			memcpy(reply, buf, reply_size);
			answered = true;
		}
	}
	return 0;
}

/**
 * audit_get_status() - the state of the audit subsystem
 * @reader: an open reader
 * @status: filled in
 *
 * Return: 0 or -errno.
 */
static inline int audit_get_status(struct audit_reader *reader,
				   struct audit_status *status)
{
	memset(status, 0, sizeof(*status));
	return audit_request(reader, AUDIT_GET, NULL, 0, status, sizeof(*status));
}

/**
 * audit_set_enabled() - switch auditing off (0) or on (1)
 * @reader: an open reader
 * @enabled: the new state
 *
 * Return: 0 or -errno; -EPERM where the state is locked until the next boot.
 */
static inline int audit_set_enabled(struct audit_reader *reader, int enabled)
{
	struct audit_status status = {
		.mask = AUDIT_STATUS_ENABLED,
		.enabled = enabled,
	};

	return audit_request(reader, AUDIT_SET, &status, sizeof(status), NULL, 0);
}

static inline void audit_close(struct audit_reader *reader)
{
	close(reader->records);
	close(reader->control);
	reader->records = -1;
	reader->control = -1;
}

/**
 * audit_next() - wait for the next record
 * @reader: an open reader
 * @record: filled in
 *
 * Return: 0, or -errno: -ENOBUFS when records were lost because nobody read
 * them in time, -EAGAIN when none came.
 */
static inline int audit_next(struct audit_reader *reader, struct audit_record *record)
{
	struct nlmsghdr head;
	int len = audit_receive(reader->records, &head, record->text, AUDIT_TEXT_MAX);

	if (len < 0)
		return len;
	record->type = head.nlmsg_type;
	record->text[len] = '\0';
	return 0;
}

/**
 * audit_fence() - queue a record which follows all that happened before
 * @reader: an open reader
 * @token: at least 64 bytes, filled in with what is_fence() looks for
 *
 * Of all messages that user space may send, AUDIT_USER_AVC alone is written
 * even while auditing is switched off.
 *
 * Return: 0 or -errno.
 */
static inline int audit_fence(struct audit_reader *reader, char *token)
{
	static unsigned int fences;

	snprintf(token, 64, "seccomp-log-fence=%d.%u;", getpid(), ++fences);
	return audit_request(reader, AUDIT_USER_AVC, token, strlen(token) + 1, NULL, 0);
}

static inline bool is_fence(const struct audit_record *record, const char *token)
{
	return record->type == AUDIT_USER_AVC && strstr(record->text, token);
}

/**
 * audit_open() - start to listen
 * @reader: filled in
 *
 * What was queued before, and not yet sent, is passed over: audit_next() gives
 * the records from now on.
 *
 * Return: 0, or -errno: -EPROTONOSUPPORT where the kernel has no audit or was
 * booted with audit=0, -EPERM without the capabilities.
 */
static inline int audit_open(struct audit_reader *reader)
{
	struct timeval patience = { .tv_sec = AUDIT_PATIENCE_SEC };
	struct sockaddr_nl group = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1),
	};
	struct audit_record record;
	int room = 32 << 20;
	char token[64];
	int error;

	*reader = (struct audit_reader) { .records = -1, .control = -1 };

	reader->control = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (reader->control < 0)
		return -errno;
	reader->records = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (reader->records < 0)
		goto fail;
	if (setsockopt(reader->control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(reader->records, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(reader->records, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(reader->records, (struct sockaddr *)&group, sizeof(group)))
		goto fail;
	error = audit_fence(reader, token);
	while (!error) {
		error = audit_next(reader, &record);
		if (!error && is_fence(&record, token))
			return 0;
	}
	audit_close(reader);
	return error;

fail:
	error = -errno;
	audit_close(reader);
	return error;
}

#endif
