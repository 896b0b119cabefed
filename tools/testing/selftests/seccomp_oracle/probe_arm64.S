/* SPDX-License-Identifier: GPL-2.0 */
	.text

/* long call64(struct call *c) */
	.globl	call64, call64_ip
	.type	call64, %function
call64:
	stp	x0, x30, [sp, #-16]!
	mov	x9, x0
	ldr	x8, [x9]
	ldp	x0, x1, [x9, #8]
	ldp	x2, x3, [x9, #24]
	ldp	x4, x5, [x9, #40]
	svc	#0
call64_ip:
	ldp	x9, x30, [sp], #16
	/* The first argument's register has the result. */
	stp	x1, x2, [x9, #64]
	stp	x3, x4, [x9, #80]
	str	x5, [x9, #96]
	ret
	.size	call64, . - call64

/* long infra_call(long nr, a, b, c, d, e) */
	.globl	infra_call, infra_ip
	.type	infra_call, %function
infra_call:
	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	mov	x5, #0
	svc	#0
infra_ip:
	ret
	.size	infra_call, . - infra_call

/* long spawn(flags, stack, ptid, ctid): the stack holds an argument and a function. */
	.globl	spawn
	.type	spawn, %function
spawn:
	mov	x8, #220
	mov	x4, x3
	mov	x3, #0
	svc	#0
	cbz	x0, 1f
	ret
1:	mov	x29, #0
	ldp	x0, x1, [sp], #16
	blr	x1
	udf	#0
	.size	spawn, . - spawn

/* Return from a signal handler; a filter may refuse it, then there is no way on. */
	.globl	restorer, restorer_ip
	.type	restorer, %function
restorer:
	mov	x8, #139
	svc	#0
restorer_ip:
	udf	#0
	.size	restorer, . - restorer
