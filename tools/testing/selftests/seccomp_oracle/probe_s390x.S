/* SPDX-License-Identifier: GPL-2.0 */
	.text

/* long call64(struct call *c) */
	.globl	call64, call64_ip
	.type	call64, @function
call64:
	stmg	%r6, %r8, 48(%r15)
	lgr	%r8, %r2
	lg	%r1, 0(%r8)
	lmg	%r2, %r7, 8(%r8)
	svc	0
call64_ip:
	/* The first argument's register has the result. */
	stmg	%r3, %r7, 64(%r8)
	lmg	%r6, %r8, 48(%r15)
	br	%r14
	.size	call64, . - call64

/* long infra_call(long nr, a, b, c, d, e): the last is on the stack. */
	.globl	infra_call, infra_ip
	.type	infra_call, @function
infra_call:
	stmg	%r6, %r7, 48(%r15)
	lgr	%r1, %r2
	lgr	%r2, %r3
	lgr	%r3, %r4
	lgr	%r4, %r5
	lgr	%r5, %r6
	lg	%r6, 160(%r15)
	lghi	%r7, 0
	svc	0
infra_ip:
	lmg	%r6, %r7, 48(%r15)
	br	%r14
	.size	infra_call, . - infra_call

/* long spawn(flags, stack, ptid, ctid): the stack holds an argument and a function. */
	.globl	spawn
	.type	spawn, @function
spawn:
	/* clone(2) has the stack first here. */
	lgr	%r0, %r2
	lgr	%r2, %r3
	lgr	%r3, %r0
	lghi	%r1, 120
	svc	0
	ltgr	%r2, %r2
	je	1f
	br	%r14
1:	lghi	%r11, 0
	lmg	%r2, %r3, 0(%r15)
	/* A function's caller leaves it 160 bytes to save registers in. */
	aghi	%r15, 16 - 160
	basr	%r14, %r3
	.short	0
	.size	spawn, . - spawn

/* Return from a signal handler; a filter may refuse it, then there is no way on. */
	.globl	restorer, restorer_ip
	.type	restorer, @function
restorer:
	lghi	%r1, 173
	svc	0
restorer_ip:
	.short	0
	.size	restorer, . - restorer
