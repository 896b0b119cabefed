/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of seccomp's log share: the names of the actions, system
 * calls made at a known address, the settings that must be put back, and
 * records compared as a whole.
 */
#ifndef SECCOMP_LOG_H
#define SECCOMP_LOG_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "kselftest.h"
#include "arch.h"
#include "audit.h"

#define ACTIONS_AVAIL	"/proc/sys/kernel/seccomp/actions_avail"
/* A test can be about another sysctl of the kind, by defining both. */
#ifndef ACTIONS_LOGGED
#define ACTIONS_LOGGED	"/proc/sys/kernel/seccomp/actions_logged"
#define LOGGING_OP	"op=seccomp-logging "
#endif
#define WRITES_STRICT	"/proc/sys/kernel/sysctl_writes_strict"

/* Linux' own headers do not have it: Documentation/log-once.rst. */
#ifndef SECCOMP_FILTER_FLAG_LOG_ONCE
#define SECCOMP_FILTER_FLAG_LOG_ONCE (1UL << 31)
#endif

/*
 * The actions that can be logged, in the order in which actions_logged has
 * them; their places are the bits of a mask.  "allow" follows in
 * actions_avail.
 */
enum {
	LOGS_KILL_PROCESS,
	LOGS_KILL_THREAD,
	LOGS_TRAP,
	LOGS_ERRNO,
	LOGS_USER_NOTIF,
	LOGS_TRACE,
	LOGS_LOG,
	NR_LOGGED,
};

#define ALL_MASKS	(1U << NR_LOGGED)
#define FULL_MASK	(ALL_MASKS - 1)

static const char * const logged_names[NR_LOGGED] = {
	[LOGS_KILL_PROCESS]	= "kill_process",
	[LOGS_KILL_THREAD]	= "kill_thread",
	[LOGS_TRAP]		= "trap",
	[LOGS_ERRNO]		= "errno",
	[LOGS_USER_NOTIF]	= "user_notif",
	[LOGS_TRACE]		= "trace",
	[LOGS_LOG]		= "log",
};

#define AVAIL_TEXT	"kill_process kill_thread trap errno user_notif trace log allow"

/* Writes a mask's names to @text, 64 bytes or more. */
static inline const char *mask_names(unsigned int mask, char sep, char *text)
{
	char *end = text;
	int i;

	*end = '\0';
	for (i = 0; i < NR_LOGGED; i++) {
		if (!(mask & 1U << i))
			continue;
		if (end != text)
			*end++ = sep;
		end = stpcpy(end, logged_names[i]);
	}
	return text;
}

/* Opens, writes once, closes. Returns what write(2) did, or -errno. */
static inline ssize_t write_text(const char *path, const void *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, len);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Opens, reads once, closes. Returns the length without the newline, or -errno. */
static inline ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, text, size - 1);
	if (ret < 0)
		ret = -errno;
	close(fd);
	if (ret < 0)
		return ret;
	if (ret && text[ret - 1] == '\n')
		ret--;
	text[ret] = '\0';
	return ret;
}

/* Sets actions_logged. A lone newline is the empty set. Returns 0 or -errno. */
static inline int set_mask(unsigned int mask)
{
	char text[128];
	size_t len = strlen(mask_names(mask, ' ', text));
	ssize_t ret;

	text[len++] = '\n';
	ret = write_text(ACTIONS_LOGGED, text, len);
	if (ret < 0)
		return ret;
	return ret == (ssize_t)len ? 0 : -EIO;
}

/* What a test may change and has to put back. */
struct saved {
	bool have_audit;	/* audit answers on netlink */
	bool valid;
	unsigned int audit_enabled;
	char logged[256];
	char strict[32];
};

/* Returns 0, or -errno where the settings cannot be read. */
static inline int save_settings(struct saved *saved)
{
	struct audit_status status;
	struct audit_reader reader;
	ssize_t len;

	memset(saved, 0, sizeof(*saved));
	len = read_text(ACTIONS_LOGGED, saved->logged, sizeof(saved->logged));
	if (len < 0)
		return len;
	len = read_text(WRITES_STRICT, saved->strict, sizeof(saved->strict));
	if (len < 0)
		return len;
	if (!audit_open(&reader)) {
		if (!audit_get_status(&reader, &status)) {
			saved->have_audit = true;
			saved->audit_enabled = status.enabled;
		}
		audit_close(&reader);
	}
	saved->valid = true;
	return 0;
}

/* Returns 0, or -1 where something could not be put back. */
static inline int restore_settings(const struct saved *saved)
{
	struct audit_reader reader;
	char text[300];
	int bad = 0;

	if (!saved->valid)
		return 0;
	snprintf(text, sizeof(text), "%s\n", saved->logged);
	bad |= write_text(ACTIONS_LOGGED, text, strlen(text)) < 0;
	bad |= write_text(WRITES_STRICT, saved->strict, strlen(saved->strict)) < 0;
	if (saved->have_audit) {
		if (!audit_open(&reader)) {
			bad |= audit_set_enabled(&reader, saved->audit_enabled) < 0;
			audit_close(&reader);
		} else {
			bad = 1;
		}
	}
	return bad ? -1 : 0;
}

/* The harness kills a test that takes too long, its teardown with it. */
static struct saved saved_at_start;

static inline void restore_at_exit(void)
{
	if (restore_settings(&saved_at_start))
		ksft_print_msg("the settings from before the tests could not be restored\n");
}

static inline void save_at_start(void)
{
	if (!save_settings(&saved_at_start))
		atexit(restore_at_exit);
}

/* A rule of a filter: this call of this architecture gets this return value. */
struct rule {
	unsigned int arch;
	unsigned int nr;
	unsigned int ret;
};

/*
 * Attaches a filter with @count rules that allows all other calls.
 * Returns what seccomp(2) does, or -errno.
 */
static inline int attach_rules(const struct rule *rules, int count, unsigned int flags)
{
	struct sock_filter code[64];
	struct sock_fprog prog = { .filter = code };
	int i, ret;

	for (i = 0; i < count; i++) {
		struct sock_filter one[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].arch, 0, 3),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].nr, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, rules[i].ret),
		};

		if (prog.len + 6 > (int)ARRAY_SIZE(code))
			return -E2BIG;
		memcpy(code + prog.len, one, sizeof(one));
		prog.len += ARRAY_SIZE(one);
	}
	code[prog.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	ret = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	return ret < 0 ? -errno : ret;
}

static inline int attach(unsigned int arch, unsigned int nr, unsigned int ret_value,
			 unsigned int flags)
{
	struct rule rule = { arch, nr, ret_value };

	return attach_rules(&rule, 1, flags);
}

/* The fields of an expected AUDIT_SECCOMP record. */
struct expected {
	unsigned int auid;
	unsigned int uid;
	unsigned int gid;
	unsigned int ses;
	int pid;
	char comm[64];
	char exe[PATH_MAX];
	long sig;
	unsigned int arch;
	long syscall;
	int compat;
	unsigned long ip;
	unsigned int code;
};

/* Text as audit writes what it does not trust: quoted, or in hexadecimal. */
static inline void untrusted(char *out, size_t size, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++)
		if (*p == '"' || *p < 0x21 || *p > 0x7e)
			break;
	if (!*p) {
		snprintf(out, size, "\"%s\"", text);
		return;
	}
	for (p = (const unsigned char *)text; *p && size > 2; p++, out += 2, size -= 2)
		snprintf(out, size, "%02X", *p);
}

static inline unsigned int read_number(const char *path)
{
	char text[32];

	return read_text(path, text, sizeof(text)) < 0 ? -1U : strtoul(text, NULL, 10);
}

/* Fills in the fields that tell who the calling process is. */
static inline void expect_self(struct expected *expected)
{
	ssize_t len;

	memset(expected, 0, sizeof(*expected));
	expected->auid = read_number("/proc/self/loginuid");
	expected->ses = read_number("/proc/self/sessionid");
	expected->uid = getuid();
	expected->gid = getgid();
	expected->pid = getpid();
	prctl(PR_GET_NAME, expected->comm);
	len = readlink("/proc/self/exe", expected->exe, sizeof(expected->exe) - 1);
	expected->exe[len < 0 ? 0 : len] = '\0';
}

static inline void expected_text(const struct expected *e, char *text, size_t size)
{
	char comm[64], exe[2 * PATH_MAX];

	untrusted(comm, sizeof(comm), e->comm);
	untrusted(exe, sizeof(exe), e->exe);
	snprintf(text, size,
		 "auid=%u uid=%u gid=%u ses=%u pid=%d comm=%s exe=%s sig=%ld arch=%x syscall=%ld compat=%d ip=0x%lx code=0x%x",
		 e->auid, e->uid, e->gid, e->ses, e->pid, comm, exe, e->sig,
		 e->arch, e->syscall, e->compat, e->ip, e->code);
}

/* Takes out a security module's " subj=...", which is none of seccomp's business. */
static inline void drop_subject(char *text)
{
	char *subj = strstr(text, " subj=");
	char *end = subj ? strchr(subj + 1, ' ') : NULL;

	if (end && subj < strstr(text, " pid="))
		memmove(subj, end, strlen(end) + 1);
}

/* The records between two fences that are of interest. */
struct records {
	int count;
	char text[8][2048];
};

/*
 * Reads up to a fence and keeps records of @type whose text has @with in it,
 * without their time. @count is right even where there are more than fit.
 * Returns 0 or -errno.
 */
static inline int collect(struct audit_reader *reader, int type, const char *with,
			  struct records *records)
{
	struct audit_record record;
	char token[64];
	int ret;

	records->count = 0;
	ret = audit_fence(reader, token);
	if (ret)
		return ret;
	for (;;) {
		ret = audit_next(reader, &record);
		if (ret)
			return ret;
		if (is_fence(&record, token))
			return 0;
		if (record.type != type || !strstr(record.text, with))
			continue;
		if (records->count < (int)ARRAY_SIZE(records->text)) {
			char *text = records->text[records->count];

			snprintf(text, sizeof(records->text[0]), "%s",
				 audit_record_body(&record));
			drop_subject(text);
		}
		records->count++;
	}
}

#endif
