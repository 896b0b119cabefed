/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What else differs by architecture, for all tests of seccomp: system calls at
 * addresses that a test knows, and who else makes calls than 64-bit programs.
 */
#ifndef SECCOMP_ARCH_H
#define SECCOMP_ARCH_H

#include <errno.h>
#include <sys/syscall.h>

#include "call_regs.h"

/*
 * HAS_INT80	this program can itself make calls by that one
 * TRAPPED(nr)	what native_call(nr) returns if SIGSYS came of it: the register of
 *		the result as it was before the call
 * STRICT_NRS	what strict mode allows
 * FIRST_VOID, LAST_VOID
 *		numbers of the native table from and to which it has no call, nor will: it
 *		goes on at 424, where all architectures have the same
 * NR_SEEN(nr)	the number that the kernel makes of a register's
 * CANNOT_SKIP	a tracer has no number that says that the call is not to be made
 * PROBE_ARGS	the first three arguments of a function, for a kprobe
 */
#if defined(__x86_64__)
# define HAS_INT80	1
# define TRAPPED(nr)	((long)(nr))
# define STRICT_NRS	{ __NR_read, __NR_write, __NR_rt_sigreturn, __NR_exit, \
			  __NR_uprobe, __NR_uretprobe }
# define PROBE_ARGS	"nr=%di:s64 sig=%si:s64 code=%dx:x32"
#elif defined(__aarch64__)
# define PROBE_ARGS	"nr=%x0:s64 sig=%x1:s64 code=%x2:x32"
#elif defined(__riscv)
# define PROBE_ARGS	"nr=%a0:s64 sig=%a1:s64 code=%a2:x32"
#elif defined(__s390x__)
/* The call for handlers without a siginfo. */
# define STRICT_NRS	{ __NR_read, __NR_write, __NR_sigreturn, __NR_exit }
# define FIRST_VOID	403
# define NR_SEEN(nr)	((nr) & 0xffff)
# define CANNOT_SKIP	1
# define PROBE_ARGS	"nr=%r2:s64 sig=%r3:s64 code=%r4:x32"
#endif

#ifndef TRAPPED
# define TRAPPED(nr)	0L
#endif
#ifndef FIRST_VOID
# define FIRST_VOID	337
#endif
#define LAST_VOID	423
/* No table has this number or a higher one; x32's has its last from 512 on. */
#define BEHIND_ALL_TABLES 600

#ifndef NR_SEEN
# define NR_SEEN(nr)	(nr)
#endif
#ifndef CANNOT_SKIP
# define CANNOT_SKIP	0
#endif
#ifndef STRICT_NRS
# define STRICT_NRS	{ __NR_read, __NR_write, __NR_rt_sigreturn, __NR_exit }
#endif

/* By uprobes, on x86-64 alone. */
#if defined(__x86_64__) && !defined(__NR_uretprobe)
# define __NR_uretprobe	335
#endif
#if defined(__x86_64__) && !defined(__NR_uprobe)
# define __NR_uprobe	336
#endif

/* The process group by a call without arguments, or with a first one of zero. */
#ifdef __NR_getpgrp
# define OTHER_NR	__NR_getpgrp
#else
# define OTHER_NR	__NR_getpgid
#endif

#define NR_COMPAT_GETPPID 64
#define X32_BIT		0x40000000

/*
 * System calls at addresses that a test knows: a record's ip is that of the
 * instruction behind the call.
 */
extern const char native_call_ip[];
long native_call(unsigned long nr);

#if defined(__x86_64__)
asm(".pushsection .text\n"
    ".globl native_call\n"
    "native_call:\n"
    "	mov %rdi, %rax\n"
    "	syscall\n"
    ".globl native_call_ip\n"
    "native_call_ip:\n"
    "	ret\n"
    ".globl int80_call\n"
    "int80_call:\n"
    "	push %rbx\n"
    "	mov %rdi, %rax\n"
    "	xor %ebx, %ebx\n"
    "	int $0x80\n"
    ".globl int80_call_ip\n"
    "int80_call_ip:\n"
    "	movslq %eax, %rax\n"
    "	pop %rbx\n"
    "	ret\n"
    ".popsection\n");
#elif defined(__aarch64__)
asm(".pushsection .text\n"
    ".globl native_call\n"
    "native_call:\n"
    "	mov x8, x0\n"
    "	mov x0, #0\n"
    "	svc #0\n"
    ".globl native_call_ip\n"
    "native_call_ip:\n"
    "	ret\n"
    ".popsection\n");
#elif defined(__riscv)
asm(".pushsection .text\n"
    ".globl native_call\n"
    "native_call:\n"
    "	mv a7, a0\n"
    "	li a0, 0\n"
    "	ecall\n"
    ".globl native_call_ip\n"
    "native_call_ip:\n"
    "	ret\n"
    ".popsection\n");
#elif defined(__s390x__)
asm(".pushsection .text\n"
    ".globl native_call\n"
    "native_call:\n"
    "	lgr %r1, %r2\n"
    "	lghi %r2, 0\n"
    "	svc 0\n"
    ".globl native_call_ip\n"
    "native_call_ip:\n"
    "	br %r14\n"
    ".popsection\n");
#endif

#ifdef HAS_INT80
extern const char int80_call_ip[];
long int80_call(unsigned long nr);
#else
# define int80_call_ip	NULL

static inline long int80_call(unsigned long nr)
{
	return -ENOSYS;
}
#endif

/*
 * A call at which its filter has stopped it, as the tracer sees it: its number, the
 * register of the result, and the address behind it.
 */
struct stopped_call {
	long nr;
	long ret;
	unsigned long ip;
};

/* Both return 0, or -1 as ptrace(2) does. */
static inline int read_call(pid_t pid, struct stopped_call *call)
{
	call_regs regs;

	if (regs_read(pid, &regs))
		return -1;
	call->nr = REG_NR(&regs);
	call->ret = REG_RET(&regs);
	call->ip = REG_IP(&regs);
	return 0;
}

static inline int write_call(pid_t pid, const struct stopped_call *call)
{
	call_regs regs;

	if (regs_read(pid, &regs))
		return -1;
	REG_RET(&regs) = call->ret;
	REG_NR(&regs) = call->nr;
	return nr_write(pid, &regs);
}

#endif
