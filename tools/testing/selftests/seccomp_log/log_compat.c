// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit process for the tests of seccomp's log; it runs under the filter
 * that its parent attached before execve(2).
 *
 * Usage: log_compat direct|vdso|none NR [strict]
 *
 * Writes two words to its standard output: before the call with number NR the
 * address behind the instruction that makes it, and after it what it returned.
 * With "strict" it enters strict mode before both. "none" is no call: the program runs.
 */
#include <linux/auxvec.h>

/* Where the vDSO's way into the kernel is, on i386 alone. */
#ifndef AT_SYSINFO
#define AT_SYSINFO	32
#endif

#define NR_exit		1
#define NR_write	4
#define NR_prctl	172

#define PR_SET_SECCOMP		22
#define SECCOMP_MODE_STRICT	1

extern const char call_ip[];
int direct_call(int nr);
int vdso_call(int nr, unsigned long entry);

#if defined(__i386__)
asm(".globl _start\n"
    "_start:\n"
    "	mov %esp, %eax\n"
    "	and $-16, %esp\n"
    "	sub $12, %esp\n"
    "	push %eax\n"
    "	call run\n"
    "	hlt\n"
    ".globl direct_call\n"
    "direct_call:\n"
    "	mov 4(%esp), %eax\n"
    "	int $0x80\n"
    ".globl call_ip\n"
    "call_ip:\n"
    "	ret\n"
    ".globl vdso_call\n"
    "vdso_call:\n"
    "	mov 4(%esp), %eax\n"
    "	mov 8(%esp), %ecx\n"
    "	call *%ecx\n"
    "	ret\n");

static int syscall3(int nr, long a, long b, long c)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "0" (nr), "b" (a), "c" (b), "d" (c)
		     : "memory");
	return ret;
}
#elif defined(__arm__)
asm(".arm\n"
    ".globl _start\n"
    "_start:\n"
    "	mov r0, sp\n"
    "	bic sp, sp, #7\n"
    "	bl run\n"
    "	udf #0\n"
    ".globl direct_call\n"
    "direct_call:\n"
    "	push {r7, lr}\n"
    "	mov r7, r0\n"
    "	svc #0\n"
    ".globl call_ip\n"
    "call_ip:\n"
    "	pop {r7, pc}\n");

static int syscall3(int nr, long a, long b, long c)
{
	register long r0 asm("r0") = a;
	register long r1 asm("r1") = b;
	register long r2 asm("r2") = c;
	register long r7 asm("r7") = nr;

	asm volatile("svc #0" : "+r" (r0) : "r" (r1), "r" (r2), "r" (r7) : "memory");
	return r0;
}

/* Its vDSO makes no calls for others. */
int vdso_call(int nr, unsigned long entry)
{
	return -1;
}
#endif

static __attribute__((noreturn)) void leave(int status)
{
	for (;;)
		syscall3(NR_exit, status, 0, 0);
}

static void report(unsigned long word)
{
	if (syscall3(NR_write, 1, (long)&word, sizeof(word)) != sizeof(word))
		leave(2);
}

/*
 * However the vDSO enters the kernel, it comes back behind its int $0x80: the
 * first one after the entry point.
 */
static unsigned long vdso_ip(unsigned long entry)
{
	const unsigned char *code = (const unsigned char *)entry;
	int i;

	for (i = 0; i < 64; i++)
		if (code[i] == 0xcd && code[i + 1] == 0x80)
			return entry + i + 2;
	return 0;
}

__attribute__((used)) void run(unsigned long *stack)
{
	int argc = stack[0], nr = 0, ret;
	char **argv = (char **)(stack + 1);
	unsigned long *word = stack + 1 + argc + 1;
	unsigned long entry = 0;
	const char *digit;

	if (argc != 3 && argc != 4)
		leave(2);
	while (*word++)
		;
	for (; word[0] != AT_NULL; word += 2)
		if (word[0] == AT_SYSINFO)
			entry = word[1];
	for (digit = argv[2]; *digit; digit++)
		nr = 10 * nr + *digit - '0';

	if (argv[1][0] == 'n')
		leave(0);
	/* No vDSO for 32-bit programs in this kernel. */
	if (argv[1][0] == 'v' && !entry)
		leave(3);
	if (argc == 4 && syscall3(NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0))
		leave(2);
	if (argv[1][0] == 'v') {
		report(vdso_ip(entry));
		ret = vdso_call(nr, entry);
	} else {
		report((unsigned long)call_ip);
		ret = direct_call(nr);
	}
	report(ret);
	leave(0);
}
