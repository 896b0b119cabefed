// SPDX-License-Identifier: GPL-2.0
/*
 * The names of seccomp's actions: actions_avail, actions_logged, the record of
 * each change, and SECCOMP_GET_ACTION_AVAIL.
 *
 * actions_logged is read through proc_dostring(), and written through it into
 * an empty buffer of actions_avail's size. What that means for pieces, offsets
 * and long texts is tested as it is, since programs may have come to rely on it.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "seccomp_log.h"

#define M(name)		(1 << LOGS_##name)
#define ROOM		(sizeof(AVAIL_TEXT) - 1)	/* of the kernel's buffer, without NUL */
#define SLOWLY		300				/* seconds, on a debug kernel */

#ifndef SECCOMP_GET_ACTION_AVAIL
#define SECCOMP_GET_ACTION_AVAIL 2
#endif

struct state {
	struct saved saved;
	struct audit_reader reader;
	bool audited;		/* changes make records */
	unsigned int mask;	/* what actions_logged should hold now */
};

FIXTURE(sysctl)
{
	struct state state;
};

static void set_up(struct __test_metadata *_metadata, struct state *state, const char *strict)
{
	if (geteuid())
		SKIP(return, "the tests need root");
	if (access(ACTIONS_LOGGED, F_OK))
		SKIP(return, "the kernel has no " ACTIONS_LOGGED);
	ASSERT_EQ(0, save_settings(&state->saved));
	if (state->saved.have_audit) {
		ASSERT_EQ(0, audit_open(&state->reader));
		if (state->saved.audit_enabled < 2)
			ASSERT_EQ(0, audit_set_enabled(&state->reader, 1));
		state->audited = true;
	}
	ASSERT_EQ((ssize_t)strlen(strict), write_text(WRITES_STRICT, strict, strlen(strict)));
	ASSERT_EQ(0, set_mask(FULL_MASK));
	state->mask = FULL_MASK;
	if (state->audited) {
		struct records records;

		ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP,
				     &records));
		ASSERT_EQ(1, records.count);
	}
}

FIXTURE_SETUP(sysctl)
{
	set_up(_metadata, &self->state, "1\n");
}

FIXTURE_TEARDOWN_PARENT(sysctl)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

static const char *printable(const char *text, size_t len)
{
	static char out[256];
	char *end = out;
	size_t i;

	for (i = 0; i < len && end < out + sizeof(out) - 5; i++)
		end += sprintf(end, text[i] >= ' ' && text[i] <= '~' && text[i] != '\\' ? "%c" :
			       "\\x%02x", (unsigned char)text[i]);
	*end = '\0';
	return out;
}

/* actions_logged holds what state->mask says. */
static void expect_held(struct __test_metadata *_metadata, struct state *state, const char *what)
{
	char expected[128], text[256];

	EXPECT_LE(0, read_text(ACTIONS_LOGGED, text, sizeof(text)));
	EXPECT_STREQ(mask_names(state->mask, ' ', expected), text) {
		TH_LOG("after writing \"%s\"", what);
	}
}

/* One record says that @old became @now; @now is negative where the write failed. */
static void expect_change(struct __test_metadata *_metadata, struct state *state,
			  unsigned int old, int now, const char *what)
{
	char names[128], old_names[128], expected[400];
	struct records records;

	if (!state->audited)
		return;
	mask_names(old, ',', old_names);
	mask_names(now < 0 ? 0 : now, ',', names);
	snprintf(expected, sizeof(expected), LOGGING_OP "actions=%s old-actions=%s res=%d",
		 now < 0 ? "?" : now ? names : "(none)", old ? old_names : "(none)", now >= 0);
	ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP, &records));
	EXPECT_EQ(1, records.count) {
		TH_LOG("after writing \"%s\"", what);
	}
	if (!records.count)
		return;
	EXPECT_STREQ(expected, records.text[0]) {
		TH_LOG("after writing \"%s\"", what);
	}
}

static void expect_no_change(struct __test_metadata *_metadata, struct state *state,
			     const char *what)
{
	struct records records;

	expect_held(_metadata, state, what);
	if (!state->audited)
		return;
	ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP, &records));
	EXPECT_EQ(0, records.count) {
		TH_LOG("after writing \"%s\": %s", what, records.text[0]);
	}
}

/*
 * Writes @len bytes at @offset in one call: all are taken and the mask becomes
 * @expected, or the call fails with -@expected and nothing changes.
 */
static void expect_write_at(struct __test_metadata *_metadata, struct state *state,
			    const char *text, size_t len, off_t offset, int expected)
{
	unsigned int old = state->mask;
	const char *what = printable(text, len);
	int fd = open(ACTIONS_LOGGED, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	ASSERT_LE(0, fd);
	ret = pwrite(fd, text, len, offset);
	if (ret < 0)
		ret = -errno;
	close(fd);
	EXPECT_EQ(expected < 0 ? expected : (ssize_t)len, ret) {
		TH_LOG("writing \"%s\" at %jd", what, (intmax_t)offset);
	}
	if (expected >= 0)
		state->mask = expected;
	expect_held(_metadata, state, what);
	expect_change(_metadata, state, old, expected, what);
}

static void expect_write(struct __test_metadata *_metadata, struct state *state,
			 const char *text, size_t len, int expected)
{
	expect_write_at(_metadata, state, text, len, 0, expected);
}

TEST_F(sysctl, actions_avail_text)
{
	char text[256];
	int fd;

	fd = open(ACTIONS_AVAIL, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)sizeof(AVAIL_TEXT), read(fd, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(AVAIL_TEXT "\n", text, sizeof(AVAIL_TEXT)));
	EXPECT_EQ(0, read(fd, text, sizeof(text)));
	close(fd);
}

TEST_F(sysctl, actions_avail_cannot_be_written)
{
	int fd;

	/* Not even by root. */
	EXPECT_EQ(-1, open(ACTIONS_AVAIL, O_WRONLY | O_CLOEXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, open(ACTIONS_AVAIL, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EACCES, errno);
	fd = open(ACTIONS_AVAIL, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "log", 3));
	EXPECT_EQ(EBADF, errno);
	close(fd);
}

TEST_F(sysctl, modes)
{
	struct stat st;

	ASSERT_EQ(0, stat(ACTIONS_AVAIL, &st));
	EXPECT_EQ(S_IFREG | 0444, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	ASSERT_EQ(0, stat(ACTIONS_LOGGED, &st));
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_EQ(-1, chmod(ACTIONS_LOGGED, 0666));
	EXPECT_EQ(EPERM, errno);
}

/* Reads of every length at every offset, against what the text says. */
static void read_all_pieces(struct __test_metadata *_metadata, const char *path, const char *text)
{
	const ssize_t full = strlen(text);	/* with its newline */
	char got[256], expected[256];
	ssize_t len, offset, want;
	int fd, bad = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (offset = 0; offset <= full + 2; offset++) {
		for (len = 0; len <= full + 2; len++) {
			memset(got, '#', sizeof(got));
			memset(expected, '#', sizeof(expected));
			want = offset > full ? 0 : full - offset;
			if (want > len)
				want = len;
			memcpy(expected, text + (offset > full ? full : offset), want);
			bad += want != pread(fd, got, len, offset) ||
			       memcmp(expected, got, sizeof(got));
		}
	}
	EXPECT_EQ(0, bad);

	/* One byte after the other, and the end twice. */
	for (offset = 0; offset < full; offset++) {
		ASSERT_EQ(1, read(fd, got, 1));
		EXPECT_EQ(text[offset], got[0]);
	}
	EXPECT_EQ(0, read(fd, got, 1));
	EXPECT_EQ(0, read(fd, got, sizeof(got)));
	close(fd);
}

TEST_F_TIMEOUT(sysctl, reads_in_pieces, SLOWLY)
{
	static const unsigned int masks[] = {
		0, M(LOG), M(KILL_PROCESS), M(TRAP) | M(TRACE), FULL_MASK,
	};
	static const char * const stricts[] = { "-1", "0", "1" };
	char text[128];
	int i, j;

	for (j = 0; j < ARRAY_SIZE(stricts); j++) {
		ASSERT_LT(0, write_text(WRITES_STRICT, stricts[j], strlen(stricts[j])));
		read_all_pieces(_metadata, ACTIONS_AVAIL, AVAIL_TEXT "\n");
		for (i = 0; i < ARRAY_SIZE(masks); i++) {
			ASSERT_EQ(0, set_mask(masks[i]));
			mask_names(masks[i], ' ', text);
			strcat(text, "\n");
			read_all_pieces(_metadata, ACTIONS_LOGGED, text);
		}
	}
}

/* Each mask, written in the order of the table and against it, and read back. */
TEST_F_TIMEOUT(sysctl, every_mask, SLOWLY)
{
	struct state *state = &self->state;
	char text[128], *end;
	unsigned int mask;
	int i;

	for (mask = 0; mask < ALL_MASKS; mask++) {
		mask_names(mask, ' ', text);
		expect_write(_metadata, state, text, strlen(text), mask);
		strcat(text, "\n");
		expect_write(_metadata, state, text, strlen(text), mask);
		/* From all and to all, for both lists of the record. */
		expect_write(_metadata, state, AVAIL_TEXT, strlen(AVAIL_TEXT) - strlen(" allow"),
			     FULL_MASK);
		end = text;
		*end = '\0';
		for (i = NR_LOGGED - 1; i >= 0; i--)
			if (mask & 1U << i)
				end += sprintf(end, "%s%s", end == text ? "" : " ", logged_names[i]);
		expect_write(_metadata, state, text, strlen(text), mask);
	}
}

/* A text, what becomes of it, and its length where it holds a NUL. */
struct text_case {
	const char *text;
	int expected;
	size_t len;
};

#define WITH_NUL(text_, expected_) { text_, expected_, sizeof(text_) - 1 }

static const struct text_case text_cases[] = {
	/* Ends: a newline or a NUL, whatever follows. */
	{ "log", M(LOG) },
	{ "log\n", M(LOG) },
	{ "log\nerrno", M(LOG) },
	{ "log\n\n", M(LOG) },
	{ "log\nbogus\n", M(LOG) },
	{ "\n", 0 },
	{ "\nlog", 0 },
	WITH_NUL("\0", 0),
	WITH_NUL("\0log", 0),
	WITH_NUL("log\0", M(LOG)),
	WITH_NUL("log\0errno", M(LOG)),
	WITH_NUL("log\0bogus", M(LOG)),
	WITH_NUL("log\n\0bogus", M(LOG)),
	WITH_NUL("log errno\0 trap", M(LOG) | M(ERRNO)),
	WITH_NUL("lo\0g", -EINVAL),

	/* Blanks: one separates, and an empty name ends the list. */
	{ "log errno", M(LOG) | M(ERRNO) },
	{ "log ", M(LOG) },
	{ "log \n", M(LOG) },
	{ "log  ", M(LOG) },
	{ "log  errno", M(LOG) },
	{ "log errno  trap", M(LOG) | M(ERRNO) },
	{ "log  bogus", M(LOG) },
	{ "log  allow", M(LOG) },
	{ " ", 0 },
	{ "  ", 0 },
	{ " \n", 0 },
	{ " log", 0 },
	{ "  log", 0 },
	{ " bogus", 0 },
	{ " allow", 0 },
	{ "\tlog", -EINVAL },
	{ "log\t", -EINVAL },
	{ "log\terrno", -EINVAL },
	{ "log\r\n", -EINVAL },
	{ "log\v", -EINVAL },
	{ "log\xc2\xa0" "errno", -EINVAL },

	/* Order and repetition do not matter. */
	{ "log trace user_notif errno trap kill_thread kill_process", FULL_MASK },
	{ "kill_process kill_thread trap errno user_notif trace log", FULL_MASK },
	{ "log log", M(LOG) },
	{ "log errno log errno log", M(LOG) | M(ERRNO) },
	{ "trap log trap", M(LOG) | M(TRAP) },

	/* Names which are none, first, last and between. */
	{ "bogus", -EINVAL },
	{ "bogus log", -EINVAL },
	{ "log bogus", -EINVAL },
	{ "log bogus errno", -EINVAL },
	{ "bogus  log", -EINVAL },
	{ "LOG", -EINVAL },
	{ "Log", -EINVAL },
	{ "loG", -EINVAL },
	{ "l", -EINVAL },
	{ "lo", -EINVAL },
	{ "logs", -EINVAL },
	{ "log1", -EINVAL },
	{ "-log", -EINVAL },
	{ "log,errno", -EINVAL },
	{ "log, errno", -EINVAL },
	{ "log;", -EINVAL },
	{ "\"log\"", -EINVAL },
	{ "log\\n", -EINVAL },
	{ "log\x01", -EINVAL },
	{ "\xff", -EINVAL },
	{ "kill", -EINVAL },
	{ "kill_", -EINVAL },
	{ "kill_proces", -EINVAL },
	{ "kill_process_", -EINVAL },
	{ "kill-process", -EINVAL },
	{ "kill process", -EINVAL },
	{ "kill_threadkill_process", -EINVAL },
	{ "user_notify", -EINVAL },
	{ "notify", -EINVAL },
	{ "none", -EINVAL },
	{ "(none)", -EINVAL },
	{ "?", -EINVAL },
	{ "all", -EINVAL },
	{ "0", -EINVAL },
	{ "127", -EINVAL },
	{ "SECCOMP_RET_LOG", -EINVAL },

	/* A name, and yet never logged. */
	{ "allow", -EINVAL },
	{ "allow\n", -EINVAL },
	{ "allow log", -EINVAL },
	{ "log allow", -EINVAL },
	{ "log allow errno", -EINVAL },
	{ "allow  log", -EINVAL },
	{ "allow allow", -EINVAL },
	{ AVAIL_TEXT, -EINVAL },
};

/* What sysctl_writes_strict says of offsets has no effect on a write at the start. */
FIXTURE(strict)
{
	struct state state;
};

FIXTURE_VARIANT(strict)
{
	const char *value;
	bool strict;
};

FIXTURE_VARIANT_ADD(strict, legacy) { .value = "-1\n" };
FIXTURE_VARIANT_ADD(strict, warn) { .value = "0\n" };
FIXTURE_VARIANT_ADD(strict, strict) { .value = "1\n", .strict = true };

FIXTURE_SETUP(strict)
{
	set_up(_metadata, &self->state, variant->value);
}

FIXTURE_TEARDOWN_PARENT(strict)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

TEST_F_TIMEOUT(strict, texts, SLOWLY)
{
	static const unsigned int before[] = { FULL_MASK, 0, M(TRAP) };
	struct state *state = &self->state;
	char text[128];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(text_cases); i++) {
		const struct text_case *c = &text_cases[i];

		for (j = 0; j < ARRAY_SIZE(before); j++) {
			mask_names(before[j], ' ', text);
			strcat(text, "\n");
			expect_write(_metadata, state, text, strlen(text), before[j]);
			expect_write(_metadata, state, c->text, c->len ?: strlen(c->text),
				     c->expected);
		}
	}
}

/*
 * Only the first ROOM bytes count, and the write says that it took all. Where
 * the cut goes through a name, that is what the name is.
 */
TEST_F_TIMEOUT(strict, long_texts, SLOWLY)
{
	struct state *state = &self->state;
	const size_t big = 1 << 20;
	char *text;
	size_t i;

	ASSERT_EQ(62, ROOM);
	text = malloc(big + 64);
	ASSERT_NE(NULL, text);

	/* 14 * 4 + 6 bytes: full to the last. */
	for (i = 0; i < 14; i++)
		memcpy(text + 4 * i, "log ", 4);
	strcpy(text + 56, "errno ");
	expect_write(_metadata, state, text, 62, M(LOG) | M(ERRNO));
	strcpy(text + 56, "errno bogus");
	expect_write(_metadata, state, text, strlen(text), M(LOG) | M(ERRNO));
	strcpy(text + 56, "trace allow");
	expect_write(_metadata, state, text, strlen(text), M(LOG) | M(TRACE));
	strcpy(text + 56, "errno\ntrap");
	expect_write(_metadata, state, text, strlen(text), M(LOG) | M(ERRNO));
	/* One byte more is cut from the middle of a name, or makes one. */
	strcpy(text + 56, "errnox");
	expect_write(_metadata, state, text, strlen(text), -EINVAL);
	strcpy(text + 56, "  errno");
	expect_write(_metadata, state, text, strlen(text), M(LOG));
	strcpy(text + 56, "log trap");
	expect_write(_metadata, state, text, strlen(text), -EINVAL);
	strcpy(text + 56, "log tr\nap");
	expect_write(_metadata, state, text, strlen(text), -EINVAL);
	strcpy(text + 56, "trapxxx");
	expect_write(_metadata, state, text, strlen(text), -EINVAL);
	memcpy(text, "kill_process kill_thread trap errno user_notif trace ", 53);
	strcpy(text + 53, "trace logxxx");	/* "trace log" ends at 62 */
	expect_write(_metadata, state, text, strlen(text), FULL_MASK);
	strcpy(text + 53, "trace  logxxx");
	expect_write(_metadata, state, text, strlen(text), FULL_MASK & ~M(LOG));
	strcpy(text + 53, "errno trace");
	expect_write(_metadata, state, text, strlen(text), -EINVAL);

	/* A page, more than a page, and a megabyte. */
	for (i = 4095; i <= big; i = i == 4097 ? 65536 : i == 65536 ? big : i + 1) {
		memset(text, ' ', i);
		expect_write(_metadata, state, text, i, 0);
		memcpy(text, "trap", 4);
		expect_write(_metadata, state, text, i, M(TRAP));
		memset(text, 'x', i);
		expect_write(_metadata, state, text, i, -EINVAL);
		memset(text, 0, i);
		expect_write(_metadata, state, text, i, 0);
		memcpy(text, "log errno", 9);
		expect_write(_metadata, state, text, i, M(LOG) | M(ERRNO));
		if (i == big)
			break;
	}
	free(text);
}

/* All lists of up to three of these, against a plain reading of the rules. */
TEST_F_TIMEOUT(strict, combinations, SLOWLY)
{
	static const char * const words[] = {
		"kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log",
		"", "allow", "bogus", "Log",
	};
	const int n = ARRAY_SIZE(words);
	struct state *state = &self->state;
	int bad = 0, i, k, len, pick[3];

	for (len = 1; len <= 3; len++) {
		for (i = 0; i < n * n * n; i++) {
			char text[128] = "", held[128], expected[128];
			bool ended = false, wrong = false, allow = false;
			unsigned int mask = 0;
			ssize_t ret;

			pick[0] = i % n;
			pick[1] = i / n % n;
			pick[2] = i / n / n;
			if ((len < 3 && pick[2]) || (len < 2 && pick[1]))
				continue;
			for (k = 0; k < len; k++) {
				if (k)
					strcat(text, " ");
				strcat(text, words[pick[k]]);
				if (ended || wrong)
					continue;
				if (pick[k] < NR_LOGGED)
					mask |= 1U << pick[k];
				else if (!*words[pick[k]])
					ended = true;
				else if (!strcmp(words[pick[k]], "allow"))
					allow = true;
				else
					wrong = true;
			}
			if (!wrong && !allow)
				state->mask = mask;
			ret = write_text(ACTIONS_LOGGED, text, strlen(text));
			read_text(ACTIONS_LOGGED, held, sizeof(held));
			mask_names(state->mask, ' ', expected);
			if (ret != (wrong || allow ? -EINVAL : (ssize_t)strlen(text)) ||
			    strcmp(expected, held)) {
				TH_LOG("\"%s\": %zd, holds \"%s\", not \"%s\"", text, ret, held,
				       expected);
				bad++;
			}
		}
	}
	EXPECT_EQ(0, bad);
}

/*
 * A write behind the start. In strict mode it is taken without being looked
 * at, the position stays, and as each write begins with an empty buffer, the
 * set becomes empty. In the other modes each write starts from the beginning.
 */
TEST_F(strict, offsets)
{
	struct state *state = &self->state;
	static const off_t offsets[] = { 1, 2, 3, 4, 61, 62, 63, 64, 4096, 1L << 40 };
	int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		expect_write(_metadata, state, "trap log", 8, M(TRAP) | M(LOG));
		expect_write_at(_metadata, state, "errno", 5, offsets[i],
				variant->strict ? 0 : M(ERRNO));
		expect_write(_metadata, state, "trap log", 8, M(TRAP) | M(LOG));
		expect_write_at(_metadata, state, "bogus", 5, offsets[i],
				variant->strict ? 0 : -EINVAL);
		expect_write(_metadata, state, "trap log", 8, M(TRAP) | M(LOG));
		expect_write_at(_metadata, state, "\n", 1, offsets[i], 0);
		expect_write(_metadata, state, "trap log", 8, M(TRAP) | M(LOG));
		expect_write_at(_metadata, state, "allow", 5, offsets[i],
				variant->strict ? 0 : -EINVAL);
	}
}

/* The same file descriptor, written again and again. */
TEST_F(strict, pieces)
{
	struct state *state = &self->state;
	int fd;

	fd = open(ACTIONS_LOGGED, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);

	/* The first piece is all there is of a text. */
	ASSERT_EQ(5, write(fd, "errno", 5));
	EXPECT_EQ(5, lseek(fd, 0, SEEK_CUR));
	expect_change(_metadata, state, state->mask, M(ERRNO), "errno");
	state->mask = M(ERRNO);
	expect_held(_metadata, state, "errno");

	/* The second is one of its own, or none. */
	ASSERT_EQ(4, write(fd, " log", 4));
	EXPECT_EQ(variant->strict ? 5 : 9, lseek(fd, 0, SEEK_CUR));
	expect_change(_metadata, state, state->mask, 0, " log");
	state->mask = 0;
	expect_held(_metadata, state, " log");

	ASSERT_EQ(4, write(fd, "trap", 4));
	EXPECT_EQ(variant->strict ? 5 : 13, lseek(fd, 0, SEEK_CUR));
	expect_change(_metadata, state, 0, variant->strict ? 0 : M(TRAP), "trap");
	state->mask = variant->strict ? 0 : M(TRAP);
	expect_held(_metadata, state, "trap");

	/* A write that fails does not move. */
	EXPECT_EQ(variant->strict ? 5 : -1, write(fd, "bogus", 5));
	if (!variant->strict) {
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(variant->strict ? 5 : 13, lseek(fd, 0, SEEK_CUR));
	expect_change(_metadata, state, state->mask, variant->strict ? 0 : -EINVAL, "bogus");
	expect_held(_metadata, state, "bogus");

	/* Back at the start it begins anew. */
	EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(3, write(fd, "log", 3));
	expect_change(_metadata, state, state->mask, M(LOG), "log");
	state->mask = M(LOG);
	expect_held(_metadata, state, "log");
	EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(-1, write(fd, "bogus", 5));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
	expect_change(_metadata, state, M(LOG), -EINVAL, "bogus");
	close(fd);
}

/* Byte by byte, a text does not come together. */
TEST_F(strict, bytes)
{
	struct state *state = &self->state;
	const char *text = "log";
	int fd, i;

	fd = open(ACTIONS_LOGGED, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		ssize_t ret = write(fd, text + i, 1);

		/* A write that fails does not move on, so each of these is at the start. */
		EXPECT_EQ(-1, ret);
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
		expect_held(_metadata, state, "one byte");
		expect_change(_metadata, state, state->mask, -EINVAL, "one byte");
	}
	close(fd);
}

/* The parts of one writev(2) are one text. */
TEST_F(strict, vectors)
{
	struct state *state = &self->state;
	struct iovec iov[] = {
		{ "lo", 2 }, { "", 0 }, { "g er", 4 }, { "rno", 3 }, { "\n", 1 },
	};
	int fd;

	fd = open(ACTIONS_LOGGED, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(10, writev(fd, iov, ARRAY_SIZE(iov)));
	expect_change(_metadata, state, state->mask, M(LOG) | M(ERRNO), "writev");
	state->mask = M(LOG) | M(ERRNO);
	expect_held(_metadata, state, "writev");
	close(fd);
}

/* No bytes at all are the empty text, at any offset. */
TEST_F(strict, nothing)
{
	struct state *state = &self->state;

	expect_write(_metadata, state, "", 0, 0);
	expect_write(_metadata, state, "log", 3, M(LOG));
	expect_write_at(_metadata, state, "", 0, 7, 0);
	expect_write(_metadata, state, "log", 3, M(LOG));
	expect_write(_metadata, state, "", 0, 0);
	expect_write(_metadata, state, "", 0, 0);
}

/* Refused before there is a text: no change and no record. */
TEST_F(sysctl, memory_that_is_not_there)
{
	struct state *state = &self->state;
	const size_t huge = 64 << 20;
	char *page, *text;
	int fd;

	fd = open(ACTIONS_LOGGED, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, munmap(page + 4096, 4096));
	memcpy(page + 4096 - 3, "log", 3);

	EXPECT_EQ(-1, write(fd, page + 4096, 3));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(fd, page + 4096 - 3, 4));
	EXPECT_EQ(EFAULT, errno);
	expect_no_change(_metadata, state, "no memory");
	EXPECT_EQ(-1, pread(fd, page + 4096, 3, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(fd, page + 4096 - 3, 4, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(3, pread(fd, page + 4096 - 3, 3, 0));
	memcpy(page + 4096 - 3, "log", 3);

	/* More than the kernel would allocate for it. */
	text = mmap(NULL, huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)text);
	EXPECT_EQ(-1, write(fd, text, huge));
	EXPECT_EQ(ENOMEM, errno);
	expect_no_change(_metadata, state, "too much memory");

	EXPECT_EQ(3, write(fd, page + 4096 - 3, 3));
	expect_change(_metadata, state, state->mask, M(LOG), "log");
	close(fd);
}

TEST_F(sysctl, read_only_descriptor)
{
	struct state *state = &self->state;
	int fd;

	fd = open(ACTIONS_LOGGED, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "log", 3));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, pwrite(fd, "log", 3, 0));
	EXPECT_EQ(EBADF, errno);
	close(fd);
	expect_no_change(_metadata, state, "read-only");
}

/* Who a writer is. */
enum {
	DROP_SYS_ADMIN	= 1 << 0,	/* all capabilities but that one */
	DROP_OTHERS	= 1 << 1,	/* that one alone */
	OTHER_UID	= 1 << 2,
	KEEP_CAPS	= 1 << 3,	/* over the change of uid */
	USER_NS_SAME	= 1 << 4,	/* root of a user namespace, and root outside */
	USER_NS_OTHER	= 1 << 5,	/* root of a user namespace, nobody outside */
	NO_NEW_PRIVS	= 1 << 6,
};

struct attempt {
	ssize_t by_open;	/* writing a descriptor of one's own: bytes or -errno */
	ssize_t by_inherited;	/* writing one that root opened before */
	ssize_t bad_text;	/* an unknown name to that one */
	ssize_t read_logged;
	ssize_t read_avail;
	char logged[128];
	char avail[128];
	bool ready;
};

static int keep_capabilities(unsigned long long keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { };
	int i;

	if (syscall(__NR_capget, &head, data))
		return -1;
	for (i = 0; i < 2; i++) {
		data[i].permitted &= keep >> 32 * i;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(__NR_capset, &head, data);
}

static int enter_user_ns(uid_t uid)
{
	char text[64];

	if (unshare(CLONE_NEWUSER))
		return -1;
	write_text("/proc/self/setgroups", "deny", 4);
	snprintf(text, sizeof(text), "0 %d 1", uid);
	return write_text("/proc/self/uid_map", text, strlen(text)) < 0 ||
	       write_text("/proc/self/gid_map", text, strlen(text)) < 0 ? -1 : 0;
}

static int become(int who)
{
	if (who & KEEP_CAPS && prctl(PR_SET_KEEPCAPS, 1))
		return -1;
	if (who & (OTHER_UID | USER_NS_OTHER)) {
		if (syscall(__NR_setgroups, 0, NULL) || syscall(__NR_setresgid, 5001, 5001, 5001) ||
		    syscall(__NR_setresuid, 5001, 5001, 5001) || prctl(PR_SET_DUMPABLE, 1))
			return -1;
	}
	if (who & (USER_NS_SAME | USER_NS_OTHER) &&
	    enter_user_ns(who & USER_NS_OTHER ? 5001 : 0))
		return -1;
	if (who & KEEP_CAPS && keep_capabilities(~0ULL))
		return -1;
	if (who & DROP_SYS_ADMIN && keep_capabilities(~(1ULL << CAP_SYS_ADMIN)))
		return -1;
	if (who & DROP_OTHERS && keep_capabilities(1ULL << CAP_SYS_ADMIN))
		return -1;
	if (who & NO_NEW_PRIVS && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return 0;
}

FIXTURE(privilege)
{
	struct state state;
};

FIXTURE_VARIANT(privilege)
{
	int who;
	int by_open;		/* 0 or the error */
	int by_inherited;
	bool judged;		/* refused by seccomp itself, so that there is a record */
};

FIXTURE_VARIANT_ADD(privilege, root) { .judged = true };
FIXTURE_VARIANT_ADD(privilege, root_no_new_privs) { .who = NO_NEW_PRIVS, .judged = true };
FIXTURE_VARIANT_ADD(privilege, root_with_sys_admin_alone) { .who = DROP_OTHERS, .judged = true };
FIXTURE_VARIANT_ADD(privilege, root_without_sys_admin) {
	.who = DROP_SYS_ADMIN, .by_open = -EPERM, .by_inherited = -EPERM, .judged = true,
};
FIXTURE_VARIANT_ADD(privilege, other_user) {
	.who = OTHER_UID, .by_open = -EACCES, .by_inherited = -EPERM,
};
/* The file's mode binds those who have the capability, too. */
FIXTURE_VARIANT_ADD(privilege, other_user_with_capabilities) {
	.who = OTHER_UID | KEEP_CAPS, .by_open = -EACCES, .by_inherited = -EPERM,
};
FIXTURE_VARIANT_ADD(privilege, root_of_a_user_namespace) {
	.who = USER_NS_OTHER, .by_open = -EACCES, .by_inherited = -EPERM,
};
FIXTURE_VARIANT_ADD(privilege, root_in_a_user_namespace) {
	.who = USER_NS_SAME, .by_open = -EPERM, .by_inherited = -EPERM, .judged = true,
};

FIXTURE_SETUP(privilege)
{
	set_up(_metadata, &self->state, "1\n");
}

FIXTURE_TEARDOWN_PARENT(privilege)
{
	EXPECT_EQ(0, restore_settings(&self->state.saved));
}

static ssize_t write_inherited(int fd, const char *text)
{
	ssize_t ret = pwrite(fd, text, strlen(text), 0);

	return ret < 0 ? -errno : ret;
}

TEST_F(privilege, writes_and_reads)
{
	const bool may = !variant->by_open;
	struct state *state = &self->state;
	char expected[128], names[512];
	struct records records;
	struct attempt *attempt;
	int fd, status, i = 0;
	pid_t pid;

	attempt = mmap(NULL, sizeof(*attempt), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)attempt);
	fd = open(ACTIONS_LOGGED, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (become(variant->who))
			_exit(errno == ENOSYS || errno == EINVAL || errno == ENOSPC ? 96 : 97);
		attempt->ready = true;
		attempt->by_open = write_text(ACTIONS_LOGGED, "log", 3);
		attempt->by_inherited = write_inherited(fd, "trap");
		attempt->bad_text = write_inherited(fd, "bogus");
		attempt->read_logged = read_text(ACTIONS_LOGGED, attempt->logged,
						 sizeof(attempt->logged));
		attempt->read_avail = read_text(ACTIONS_AVAIL, attempt->avail,
						sizeof(attempt->avail));
		_exit(0);
	}
	close(fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (!attempt->ready && status == 96 << 8)
		SKIP(return, "no user namespaces");
	ASSERT_EQ(0, status);

	EXPECT_EQ(may ? 3 : variant->by_open, attempt->by_open);
	EXPECT_EQ(may ? 4 : variant->by_inherited, attempt->by_inherited);
	EXPECT_EQ(may ? -EINVAL : variant->by_inherited, attempt->bad_text);

	/* Everybody may read. */
	if (may)
		state->mask = M(TRAP);
	mask_names(state->mask, ' ', expected);
	EXPECT_EQ((ssize_t)strlen(expected), attempt->read_logged);
	EXPECT_STREQ(expected, attempt->logged);
	EXPECT_EQ((ssize_t)strlen(AVAIL_TEXT), attempt->read_avail);
	EXPECT_STREQ(AVAIL_TEXT, attempt->avail);
	expect_held(_metadata, state, "trap");

	if (!state->audited)
		return;
	ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP, &records));
	ASSERT_EQ(variant->judged ? 3 : 0, records.count);
	if (!variant->judged)
		return;
	mask_names(FULL_MASK, ',', expected);
	if (may) {
		snprintf(names, sizeof(names),
			 LOGGING_OP "actions=log old-actions=%s res=1", expected);
		EXPECT_STREQ(names, records.text[0]);
		EXPECT_STREQ(LOGGING_OP "actions=trap old-actions=log res=1",
			     records.text[1]);
		EXPECT_STREQ(LOGGING_OP "actions=? old-actions=trap res=0",
			     records.text[2]);
	} else {
		snprintf(names, sizeof(names),
			 LOGGING_OP "actions=? old-actions=%s res=0", expected);
		for (i = 0; i < 3; i++)
			EXPECT_STREQ(names, records.text[i]);
	}
}

/* While auditing is off a change is made and not recorded. */
TEST_F(sysctl, no_record_while_audit_is_off)
{
	struct state *state = &self->state;
	struct records records;

	if (!state->audited)
		SKIP(return, "audit cannot be used: no CONFIG_AUDIT, or booted with audit=0");
	if (state->saved.audit_enabled > 1)
		SKIP(return, "audit's settings are locked");
	ASSERT_EQ(0, audit_set_enabled(&state->reader, 0));
	EXPECT_EQ(4, write_text(ACTIONS_LOGGED, "trap", 4));
	state->mask = M(TRAP);
	expect_held(_metadata, state, "trap");
	EXPECT_EQ(-EINVAL, write_text(ACTIONS_LOGGED, "bogus", 5));
	expect_held(_metadata, state, "bogus");
	ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP, &records));
	EXPECT_EQ(0, records.count);
	ASSERT_EQ(0, audit_set_enabled(&state->reader, 1));
	expect_write(_metadata, state, "log", 3, M(LOG));
}

#define NR_WRITES 300

/* The next change that is recorded, up to a fence. Returns 0 for it, 1 for the fence. */
static int next_change(struct audit_reader *reader, const char *token,
		       struct audit_record *record)
{
	int ret;

	for (;;) {
		ret = audit_next(reader, record);
		if (ret)
			return ret;
		if (is_fence(record, token))
			return 1;
		if (record->type == AUDIT_CONFIG_CHANGE &&
		    strstr(record->text, LOGGING_OP))
			return 0;
	}
}

/*
 * Two that write at once, and one that fails: all see one set or the other as
 * a whole, and each write has its record.
 */
TEST_F_TIMEOUT(sysctl, writers_at_once, SLOWLY)
{
	static const struct {
		const char *text;
		unsigned int mask;
	} writers[] = {
		{ "kill_process trap user_notif", M(KILL_PROCESS) | M(TRAP) | M(USER_NOTIF) },
		{ "log trace errno kill_thread", M(LOG) | M(TRACE) | M(ERRNO) | M(KILL_THREAD) },
		{ "log trace allow", 0 },
	};
	struct state *state = &self->state;
	char token[64], held[128], names[4][128];
	char *actions, *old, *res;
	int status, left, ret, i, odd = 0, counts[3] = { };
	struct audit_record record;
	pid_t pids[3];

	for (i = 0; i < 3; i++)
		mask_names(i < 2 ? writers[i].mask : FULL_MASK, ' ', names[i]);
	ASSERT_EQ(0, set_mask(writers[0].mask));
	if (state->audited) {
		struct records records;

		ASSERT_EQ(0, collect(&state->reader, AUDIT_CONFIG_CHANGE, LOGGING_OP,
				     &records));
	}
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i]) {
			const char *text = writers[i].text;
			ssize_t expected = writers[i].mask ? (ssize_t)strlen(text) : -EINVAL;
			int n, bad = 0;

			for (n = 0; n < NR_WRITES; n++)
				bad |= write_text(ACTIONS_LOGGED, text, strlen(text)) != expected;
			_exit(bad);
		}
	}
	for (left = 3; left; ) {
		read_text(ACTIONS_LOGGED, held, sizeof(held));
		odd += strcmp(held, names[0]) && strcmp(held, names[1]);
		while (left && waitpid(-1, &status, WNOHANG) > 0) {
			EXPECT_EQ(0, status);
			left--;
		}
	}
	EXPECT_EQ(0, odd);
	read_text(ACTIONS_LOGGED, held, sizeof(held));
	EXPECT_TRUE(!strcmp(held, names[0]) || !strcmp(held, names[1]));
	if (!state->audited)
		return;

	for (i = 0; i < 2; i++)
		mask_names(writers[i].mask, ',', names[i]);
	ASSERT_EQ(0, audit_fence(&state->reader, token));
	while (!(ret = next_change(&state->reader, token, &record))) {
		actions = strstr(record.text, " actions=");
		old = strstr(record.text, " old-actions=");
		res = strstr(record.text, " res=");
		ASSERT_TRUE(actions && old && res);
		*actions = *old = *res = '\0';
		actions += strlen(" actions=");
		old += strlen(" old-actions=");
		res += strlen(" res=");
		odd += strcmp(old, names[0]) && strcmp(old, names[1]);
		if (!strcmp(actions, names[0]) && !strcmp(res, "1"))
			counts[0]++;
		else if (!strcmp(actions, names[1]) && !strcmp(res, "1"))
			counts[1]++;
		else if (!strcmp(actions, "?") && !strcmp(res, "0"))
			counts[2]++;
		else
			odd++;
	}
	ASSERT_EQ(1, ret);
	EXPECT_EQ(0, odd);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(NR_WRITES, counts[i]);
}

/* The third place that knows the actions: seccomp(2) itself. */
TEST_F_TIMEOUT(sysctl, get_action_avail, SLOWLY)
{
	static const unsigned int known[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		SECCOMP_RET_ALLOW,
	};
	unsigned int action, high;
	int i, bad = 0;
	long ret;

	for (high = 0; high < 1U << 16; high++) {
		action = high << 16;
		for (i = 0; i < ARRAY_SIZE(known) && known[i] != action; i++)
			;
		ret = syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
		if (i < ARRAY_SIZE(known) ? ret : ret != -1 || errno != EOPNOTSUPP)
			bad++;
	}
	EXPECT_EQ(0, bad);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		action = known[i] | 1;
		EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
		EXPECT_EQ(EOPNOTSUPP, errno);
		action = known[i];
		EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
	EXPECT_EQ(EFAULT, errno);
}

int main(int argc, char **argv)
{
	save_at_start();
	return test_harness_run(argc, argv);
}
