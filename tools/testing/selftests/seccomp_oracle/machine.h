/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the oracles must know of an architecture. Those besides x86-64 have one
 * convention here, and no vsyscall page.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "../seccomp_log/call_regs.h"
#include "call.h"

/*
 * NATIVE_NAME	the convention, as the kernel's list of the cache has it
 * OTHER_ARCH, OTHER_NAME
 *		the 32-bit one, or where there is none just another
 * FOREIGN_ARCH	one that no call here is of
 * INSN_SIZE	of the instruction that makes a call
 * BREAK	a stop for the tracer without a system call, and how far the tracer must
 *		put the task on
 * ILLEGAL	an instruction that is none
 * SKIP_RET_SET	what a tracer who skips a call has it return
 * NO_RESTORER	the kernel's struct sigaction has no sa_restorer
 * CONTEXT_*	in a signal's ucontext_t: the result, and the address
 */
#if defined(__x86_64__)
# define HAS_COMPAT		1
# define NATIVE_NAME		"x86_64"
# define OTHER_NAME		"ia32"
# define FOREIGN_ARCH		AUDIT_ARCH_AARCH64
# define INSN_SIZE		2
# define BREAK()		__asm__ volatile("int3" ::: "memory")
# define BREAK_SIZE		0
# define ILLEGAL()		__builtin_trap()
# define CONTEXT_RET(uc)	((uc)->uc_mcontext.gregs[REG_RAX])
# define CONTEXT_IP(uc)		((uc)->uc_mcontext.gregs[REG_RIP])

static inline void reg_arg_set(call_regs *regs, unsigned int n, unsigned long long value)
{
	unsigned long long *arg[2][6] = {
		{ &regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9 },
		{ &regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi, &regs->rbp },
	};

	*arg[regs->rip == (uint64_t)call32_ip][n] = value;
}

#elif defined(__aarch64__)
# define NATIVE_NAME		"aarch64"
# define OTHER_NAME		"arm"
# define FOREIGN_ARCH		AUDIT_ARCH_X86_64
# define INSN_SIZE		4
# define BREAK()		__asm__ volatile("brk #0" ::: "memory")
# define BREAK_SIZE		4
# define ILLEGAL()		do { __asm__ volatile("udf #0"); __builtin_unreachable(); } while (0)
# define CONTEXT_RET(uc)	((uc)->uc_mcontext.regs[0])
# define CONTEXT_IP(uc)		((uc)->uc_mcontext.pc)

static inline void reg_arg_set(call_regs *r, unsigned int n, unsigned long long value)
{
	r->regs[n] = value;
}

#elif defined(__riscv)
# define NATIVE_NAME		"riscv64"
# define OTHER_NAME		"none"
# define FOREIGN_ARCH		AUDIT_ARCH_AARCH64
# define INSN_SIZE		4
# define BREAK()		__asm__ volatile(".option push\n.option norvc\nebreak\n.option pop" ::: "memory")
# define BREAK_SIZE		4
# define ILLEGAL()		do { __asm__ volatile("unimp"); __builtin_unreachable(); } while (0)
# define NO_RESTORER		1
# define CONTEXT_RET(uc)	((uc)->uc_mcontext.__gregs[10])
# define CONTEXT_IP(uc)		((uc)->uc_mcontext.__gregs[0])

static inline void reg_arg_set(call_regs *regs, unsigned int n, unsigned long long value)
{
	(&regs->a0)[n] = value;
}

#elif defined(__s390x__)
# define NATIVE_NAME		"s390x"
# define OTHER_NAME		"none"
# define FOREIGN_ARCH		AUDIT_ARCH_AARCH64
# define INSN_SIZE		2
/* What is illegal has been passed when it is told of. */
# define BREAK()		__asm__ volatile(".short 1" ::: "memory")
# define BREAK_SIZE		0
# define ILLEGAL()		do { __asm__ volatile(".short 0"); __builtin_unreachable(); } while (0)
# define CONTEXT_RET(uc)	((uc)->uc_mcontext.gregs[2])
# define CONTEXT_IP(uc)		((uc)->uc_mcontext.psw.addr)
/* One register has the number and the result. */
# define SKIP_RET_SET(regs, value)	do { } while (0)

static inline void reg_arg_set(call_regs *regs, unsigned int n, unsigned long long value)
{
	if (n)
		regs->gprs[2 + n] = value;
	else
		regs->orig_gpr2 = value;
}

#else
# error "the oracles do not know this architecture"
#endif

#ifndef SKIP_RET_SET
# define SKIP_RET_SET(regs, value)	(REG_RET(regs) = (value))
#endif

/* struct sigaction as the kernel reads it; the frame is rt_sigreturn's. */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
#ifndef NO_RESTORER
	void *restorer;
#endif
	uint64_t mask;
};

/*
 * The end of a signal handler. Where the kernel would have it return to the vDSO,
 * it makes the call of restorer itself, at the label, with the stack as the kernel
 * left it: at the frame, which begins with the siginfo. Were that call of the vDSO
 * refused, the CPU would run on into the vDSO's next function, return from it to the
 * same call, and so forever.
 */
#ifdef NO_RESTORER
# define KERNEL_SIGACTION(h, f)	{ .handler = (h), .flags = (f) | SA_SIGINFO }
# define HANDLER_RETURN(si)	\
	do { __asm__ volatile("mv sp, %0\n\ttail restorer" :: "r"(si) : "memory"); __builtin_unreachable(); } while (0)
#else
# define KERNEL_SIGACTION(h, f)	\
	{ .handler = (h), .flags = (f) | SA_SIGINFO | 0x04000000 /* SA_RESTORER */, .restorer = restorer }
# define HANDLER_RETURN(si)	do { (void)(si); } while (0)
#endif

#ifdef COMPAT_ARCH
# define OTHER_ARCH	COMPAT_ARCH
#else
# define OTHER_ARCH	AUDIT_ARCH_I386
#endif

/* Calls that not all have, by others to the same effect. */
#ifdef SYS_dup2
# define NR_DUP2	SYS_dup2
#else
# define NR_DUP2	SYS_dup3
#endif

#ifndef HAS_COMPAT
/* No plan asks for them. */
static inline long call32(struct call *c)
{
	return c ? -38 : 0;
}
#define callvsys call32
#define call32_ip ((char *)1)
#define callvsys_ip ((char *)2)
#endif

#endif
