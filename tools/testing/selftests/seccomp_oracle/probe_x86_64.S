/* SPDX-License-Identifier: GPL-2.0 */
	.text

/* long call64(struct call *c) */
	.globl	call64, call64_ip
	.type	call64, @function
call64:
	pushq	%rdi
	movq	%rdi, %rcx
	movq	0(%rcx), %rax
	movq	8(%rcx), %rdi
	movq	16(%rcx), %rsi
	movq	24(%rcx), %rdx
	movq	32(%rcx), %r10
	movq	40(%rcx), %r8
	movq	48(%rcx), %r9
	syscall
call64_ip:
	popq	%rcx
	movq	%rdi, 56(%rcx)
	movq	%rsi, 64(%rcx)
	movq	%rdx, 72(%rcx)
	movq	%r10, 80(%rcx)
	movq	%r8, 88(%rcx)
	movq	%r9, 96(%rcx)
	ret
	.size	call64, . - call64

/* long callvsys(struct call *c): nr is the address; the arguments are as given. */
	.globl	callvsys, callvsys_ip
	.type	callvsys, @function
callvsys:
	movq	%rdi, %rcx
	movq	0(%rcx), %rax
	movq	8(%rcx), %rdi
	movq	16(%rcx), %rsi
	movq	24(%rcx), %rdx
	movq	32(%rcx), %r10
	movq	40(%rcx), %r8
	movq	48(%rcx), %r9
	call	*%rax
callvsys_ip:
	ret
	.size	callvsys, . - callvsys

/* long call32(struct call *c): the i386 entry, from 64-bit code. */
	.globl	call32, call32_ip
	.type	call32, @function
call32:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	movq	%rdi, %r12
	movq	0(%r12), %rax
	movq	8(%r12), %rbx
	movq	16(%r12), %rcx
	movq	24(%r12), %rdx
	movq	32(%r12), %rsi
	movq	40(%r12), %rdi
	movq	48(%r12), %rbp
	int	$0x80
call32_ip:
	popq	%r12
	movq	%rbx, 56(%r12)
	movq	%rcx, 64(%r12)
	movq	%rdx, 72(%r12)
	movq	%rsi, 80(%r12)
	movq	%rdi, 88(%r12)
	movq	%rbp, 96(%r12)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	call32, . - call32

/* long infra_call(long nr, a, b, c, d, e) */
	.globl	infra_call, infra_ip
	.type	infra_call, @function
infra_call:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	xorl	%r9d, %r9d
	syscall
infra_ip:
	ret
	.size	infra_call, . - infra_call

/* long spawn(flags, stack, ptid, ctid): the stack holds an argument and a function. */
	.globl	spawn
	.type	spawn, @function
spawn:
	movl	$56, %eax
	movq	%rcx, %r10
	xorl	%r8d, %r8d
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rdi
	popq	%rax
	call	*%rax
	ud2
	.size	spawn, . - spawn

/* Return from a signal handler; a filter may refuse it, then there is no way on. */
	.globl	restorer, restorer_ip
	.type	restorer, @function
restorer:
	movl	$15, %eax
	syscall
restorer_ip:
	ud2
	.size	restorer, . - restorer
