/* SPDX-License-Identifier: GPL-2.0 */
	.text
	.option	norvc

/* long call64(struct call *c) */
	.globl	call64, call64_ip
	.type	call64, @function
call64:
	mv	t0, a0
	ld	a7, 0(t0)
	ld	a0, 8(t0)
	ld	a1, 16(t0)
	ld	a2, 24(t0)
	ld	a3, 32(t0)
	ld	a4, 40(t0)
	ld	a5, 48(t0)
	ecall
call64_ip:
	/* The kernel keeps all registers but the result's, which has the first argument. */
	sd	a1, 64(t0)
	sd	a2, 72(t0)
	sd	a3, 80(t0)
	sd	a4, 88(t0)
	sd	a5, 96(t0)
	ret
	.size	call64, . - call64

/* long infra_call(long nr, a, b, c, d, e) */
	.globl	infra_call, infra_ip
	.type	infra_call, @function
infra_call:
	mv	a7, a0
	mv	a0, a1
	mv	a1, a2
	mv	a2, a3
	mv	a3, a4
	mv	a4, a5
	li	a5, 0
	ecall
infra_ip:
	ret
	.size	infra_call, . - infra_call

/* long spawn(flags, stack, ptid, ctid): the stack holds an argument and a function. */
	.globl	spawn
	.type	spawn, @function
spawn:
	li	a7, 220
	mv	a4, a3
	li	a3, 0
	ecall
	beqz	a0, 1f
	ret
1:	li	s0, 0
	ld	a0, 0(sp)
	ld	t1, 8(sp)
	addi	sp, sp, 16
	jalr	t1
	unimp
	.size	spawn, . - spawn

/* Handlers end here by HANDLER_RETURN, as the kernel's struct sigaction cannot say so. */
	.globl	restorer, restorer_ip
	.type	restorer, @function
restorer:
	li	a7, 139
	ecall
restorer_ip:
	unimp
	.size	restorer, . - restorer
