/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The conventions of an architecture, and what a tracer sees of a system call there;
 * for the tests and for the oracles.
 */
#ifndef SECCOMP_CALL_REGS_H
#define SECCOMP_CALL_REGS_H

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/audit.h>

/*
 * NATIVE_ARCH	the convention of this program
 * COMPAT_ARCH	that of 32-bit programs, where there are any; they have the numbers
 *		of i386, as arm has
 * call_regs	a task's registers, by pointers to which
 * REG_NR	is the number of the call,
 * REG_RET	its result, and
 * REG_IP	the address behind it
 */
#if defined(__x86_64__)
# include <sys/user.h>
# define NATIVE_ARCH	AUDIT_ARCH_X86_64
# define COMPAT_ARCH	AUDIT_ARCH_I386
typedef struct user_regs_struct call_regs;
# define REG_NR(regs)	((regs)->orig_rax)
# define REG_RET(regs)	((regs)->rax)
# define REG_IP(regs)	((regs)->rip)
#elif defined(__aarch64__)
# include <sys/user.h>
# define NATIVE_ARCH	AUDIT_ARCH_AARCH64
# define COMPAT_ARCH	AUDIT_ARCH_ARM
typedef struct user_regs_struct call_regs;
# define REG_NR(r)	((r)->regs[8])
# define REG_RET(r)	((r)->regs[0])
# define REG_IP(r)	((r)->pc)
#elif defined(__riscv) && __riscv_xlen == 64
# include <asm/ptrace.h>
# define NATIVE_ARCH	AUDIT_ARCH_RISCV64
typedef struct user_regs_struct call_regs;
# define REG_NR(regs)	((regs)->a7)
# define REG_RET(regs)	((regs)->a0)
# define REG_IP(regs)	((regs)->pc)
#elif defined(__s390x__)
# include <asm/ptrace.h>
# define NATIVE_ARCH	AUDIT_ARCH_S390X
typedef s390_regs call_regs;
# define REG_NR(regs)	((regs)->gprs[2])
# define REG_RET(regs)	((regs)->gprs[2])
# define REG_IP(regs)	((regs)->psw.addr)
#else
# error "the tests do not know this architecture"
#endif

/* Where the halves of a 64-bit field of struct seccomp_data are, to be added to its offset. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
# define LOW_HALF	4
# define HIGH_HALF	0
#else
# define LOW_HALF	0
# define HIGH_HALF	4
#endif

/* The first two arguments of clone(2). */
#ifdef __s390x__
# define CLONE_ARGS(flags, stack)	(stack), (flags)
#else
# define CLONE_ARGS(flags, stack)	(flags), (stack)
#endif

/* All return 0, or -1 as ptrace(2) does. */
static inline long regs_read(pid_t pid, call_regs *regs)
{
	struct iovec vec = { regs, sizeof(*regs) };

	return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vec);
}

static inline long regs_write(pid_t pid, call_regs *regs)
{
	struct iovec vec = { regs, sizeof(*regs) };

	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vec);
}

/* Where the number is not taken from the registers any more, that as well. */
static inline long nr_write(pid_t pid, call_regs *regs)
{
#ifdef __aarch64__
	int nr = (int)REG_NR(regs);
	struct iovec vec = { &nr, sizeof(nr) };
	long ret = ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &vec);

	if (ret)
		return ret;
#endif
	return regs_write(pid, regs);
}

#endif
