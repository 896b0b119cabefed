// SPDX-License-Identifier: GPL-2.0
/*
 * The filters that make bench attaches.
 */

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "../testing/selftests/seccomp_log/call_regs.h"
#include "bench.h"

/* Where there is but one convention, just another is the second. */
#ifndef COMPAT_ARCH
#define COMPAT_ARCH AUDIT_ARCH_I386
#endif

#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define LOAD(field) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP_IF(op, k, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k, yes, no))
#define JUMP(distance) STATEMENT(BPF_JMP | BPF_JA, distance)
#define RETURN(action) STATEMENT(BPF_RET | BPF_K, action)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | 1)
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)

/* Both tables of system calls end below it. */
#define NUMBERS 480
/* How far a conditional jump reaches. */
#define REACH 255

static void emit(struct sock_fprog *prog, struct sock_filter insn)
{
	prog->filter[prog->len++] = insn;
}

/* What the programs here call after they have attached a filter. */
static const unsigned int needed[] = {
	__NR_exit_group, __NR_seccomp, __NR_clock_nanosleep, __NR_read, __NR_write,
};
#define NEEDED (sizeof(needed) / sizeof(*needed))

/* The @i-th call of a list of @count: first what is needed, then every so often one. */
static unsigned int listed(unsigned int i, unsigned int count)
{
	return i < NEEDED ? needed[i] : i * NUMBERS / count;
}

/* A list in @len instructions, at least 2 * NEEDED, of calls that are allowed. */
static void emit_list(struct sock_fprog *prog, unsigned int len)
{
	unsigned int count = (len + 1) / 2, i = 0;

	/* An odd one shares the next one's end. */
	if (len % 2)
		emit(prog, JUMP_IF(BPF_JEQ, listed(i++, count), 1, 0));
	while (i < count) {
		emit(prog, JUMP_IF(BPF_JEQ, listed(i++, count), 0, 1));
		emit(prog, ALLOW);
	}
}

/* How many instructions a tree with @leaves takes. */
static unsigned int tree_len(unsigned int leaves)
{
	unsigned int low = leaves / 2, len;

	if (leaves == 1)
		return 1;
	len = tree_len(low);
	return 1 + (len > REACH) + len + tree_len(leaves - low);
}

/*
 * A tree whose leaves, @first up to @first + @leaves out of @total, are ranges of
 * numbers that are allowed and refused by turns.
 */
static void emit_tree(struct sock_fprog *prog, unsigned int first, unsigned int leaves,
		      unsigned int total)
{
	unsigned int low = leaves / 2, len, pivot;

	if (leaves == 1) {
		emit(prog, first % 2 ? REFUSE : ALLOW);
		return;
	}
	len = tree_len(low);
	pivot = (first + low) * NUMBERS / total;
	if (len > REACH) {
		emit(prog, JUMP_IF(BPF_JGE, pivot, 0, 1));
		emit(prog, JUMP(len));
	} else {
		emit(prog, JUMP_IF(BPF_JGE, pivot, len, 0));
	}
	emit_tree(prog, first, low, total);
	emit_tree(prog, first + low, leaves - low, total);
}

/* What one convention's calls are decided by, in @len instructions. */
static void emit_section(struct sock_fprog *prog, unsigned int len, enum shape shape)
{
	unsigned int leaves = len;

	emit(prog, LOAD(nr));
	len--;
	if (shape == LIST) {
		emit_list(prog, len - 1);
		emit(prog, REFUSE);
		return;
	}
	/* As large as there is room for, behind a list of what is called most. */
	while (tree_len(leaves) + 2 * NEEDED > len)
		leaves--;
	emit_list(prog, len - tree_len(leaves));
	emit_tree(prog, 0, leaves, leaves);
}

void make_filter(struct sock_fprog *prog, unsigned int len, enum shape shape)
{
	/* What is not in the sections: the choice between them. */
	unsigned int native = (len - 6) / 2, compat = len - 6 - native;

	prog->filter = calloc(len, sizeof(*prog->filter));
	prog->len = 0;
	if (!prog->filter)
		err(1, "memory");
	if (len == 5) {
		emit(prog, LOAD(nr));
		emit(prog, JUMP_IF(BPF_JEQ, __NR_ptrace, 2, 0));
		emit(prog, JUMP_IF(BPF_JEQ, __NR_mount, 1, 0));
		emit(prog, ALLOW);
		emit(prog, REFUSE);
		return;
	}
	emit(prog, LOAD(arch));
	emit(prog, JUMP_IF(BPF_JEQ, NATIVE_ARCH, 0, 1));
	emit(prog, JUMP(3));
	emit(prog, JUMP_IF(BPF_JEQ, COMPAT_ARCH, 1, 0));
	emit(prog, KILL);
	emit(prog, JUMP(native));
	emit_section(prog, native, shape);
	emit_section(prog, compat, shape);
	if (prog->len != len)
		errx(1, "a filter of %u instructions has %u", len, prog->len);
}

void load_filter(struct sock_fprog *prog, const char *path)
{
	size_t most = BPF_MAXINSNS * sizeof(*prog->filter);
	int fd = open(path, O_RDONLY);
	ssize_t size;

	prog->filter = malloc(most);
	if (!prog->filter)
		err(1, "memory");
	size = fd < 0 ? -1 : read(fd, prog->filter, most);
	if (size <= 0 || size % sizeof(*prog->filter))
		err(1, "%s", path);
	prog->len = size / sizeof(*prog->filter);
	close(fd);
}

void keep_filters(int count)
{
	struct sock_fprog prog;
	int ready[2];
	char byte = 0;

	make_filter(&prog, 5, LIST);
	if (pipe(ready))
		err(1, "pipe");
	if (!fork_or_die()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		give_up_privileges();
		while (count--)
			attach(&prog, 0);
		if (write(ready[1], &byte, 1) != 1)
			err(1, "write");
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "the filters are not kept");
	close(ready[0]);
	free(prog.filter);
}
