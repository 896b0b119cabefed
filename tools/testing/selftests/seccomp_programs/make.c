// SPDX-License-Identifier: GPL-2.0
/*
 * Programs out of random numbers: such as people write, any that the checks
 * let through, those with something changed in them, and plain noise.
 */
#include "programs.h"

#include <stddef.h>
#include <string.h>
#include "../seccomp_oracle/machine.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define X32_BIT 0x40000000U
#define NR_OFF offsetof(struct seccomp_data, nr)
#define ARCH_OFF offsetof(struct seccomp_data, arch)

struct program {
	struct sock_filter *insn;
	unsigned int len;
};

/* Every instruction that seccomp knows. */
static const uint16_t known[] = {
	BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_RET | BPF_K, BPF_RET | BPF_A,
	BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_ADD | BPF_X, BPF_ALU | BPF_SUB | BPF_K, BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K, BPF_ALU | BPF_MUL | BPF_X, BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_K, BPF_ALU | BPF_AND | BPF_X, BPF_ALU | BPF_OR | BPF_K, BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K, BPF_ALU | BPF_XOR | BPF_X, BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X, BPF_ALU | BPF_NEG, BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM,
	BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX, BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JEQ | BPF_X, BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JGT | BPF_X, BPF_JMP | BPF_JSET | BPF_K, BPF_JMP | BPF_JSET | BPF_X,
};

/* Those that socket filters may have and seccomp's may not. */
static const uint16_t foreign[] = {
	BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND, BPF_LD | BPF_H | BPF_IND, BPF_LD | BPF_B | BPF_IND, BPF_LDX | BPF_B | BPF_MSH,
	BPF_LDX | BPF_W | BPF_ABS, BPF_RET | BPF_X,
};

/* Where a filter's idea of a number can go wrong. */
static uint32_t number_make(struct rng *r)
{
	static const uint32_t edge[] = {
		0, 1, 2, 15, 60, 61, 63, 64, 65, 127, 128, 173, 231, 255, 256, 333, 334, 335, 336, 337, 383, 384, 424,
		447, 448, 466, 467, 471, 472, 473, 474, 511, 512, 547, 548, 1023, X32_BIT, X32_BIT | 335, X32_BIT | 336,
		0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	return rng_one_in(r, 3) ? edge[rng_below(r, ARRAY_SIZE(edge))] : rng_below(r, 480);
}

static uint32_t arch_make(struct rng *r)
{
	switch (rng_below(r, 8)) {
	case 0:
		return FOREIGN_ARCH;
	case 1:
		return 0;
	case 2:
	case 3:
		return OTHER_ARCH;
	default:
		return NATIVE_ARCH;
	}
}

/* Mostly what is allowed: only that is remembered. */
static uint32_t ret_make(struct rng *r)
{
	static const uint32_t other[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO | 1,
		SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		/* These let a call go on as well, but the first of them says so in other words. */
		SECCOMP_RET_ALLOW | 1, SECCOMP_RET_ALLOW | 0xffff, 0xffffffff, 0x7ffe0000,
	};

	if (!rng_one_in(r, 3))
		return SECCOMP_RET_ALLOW;
	return rng_one_in(r, 8) ? (uint32_t)rng_next(r) : other[rng_below(r, ARRAY_SIZE(other))];
}

static uint32_t constant_make(struct rng *r)
{
	switch (rng_below(r, 8)) {
	case 0:
		return (uint32_t)rng_next(r);
	case 1:
		return 1U << rng_below(r, 32);
	case 2:
		return (1U << rng_below(r, 32)) - 1;
	case 3:
		return arch_make(r);
	default:
		return number_make(r);
	}
}

static void emit(struct program *p, uint16_t code, uint32_t k, unsigned int jt, unsigned int jf)
{
	if (p->len < MAX_LEN)
		p->insn[p->len++] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
}

#define LOAD(off) emit(p, BPF_LD | BPF_W | BPF_ABS, (off), 0, 0)
#define RET(k) emit(p, BPF_RET | BPF_K, (k), 0, 0)
#define JUMP(op, k, jt, jf) emit(p, BPF_JMP | (op) | BPF_K, (k), (jt), (jf))

static uint16_t jump_make(struct rng *r)
{
	static const uint16_t op[] = { BPF_JEQ, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET };

	return op[rng_below(r, ARRAY_SIZE(op))];
}

/* As people and their tools write them: the convention, x32, then rule after rule. */
static void written_make(struct rng *r, struct program *p, unsigned int rules)
{
	unsigned int i;

	if (!rng_one_in(r, 3)) {
		LOAD(ARCH_OFF);
		if (rng_one_in(r, 2))
			JUMP(BPF_JEQ, NATIVE_ARCH, 1, 0);
		else
			JUMP(BPF_JEQ, OTHER_ARCH, 0, 1);
		RET(rng_one_in(r, 4) ? ret_make(r) : SECCOMP_RET_KILL_PROCESS);
	}
	LOAD(NR_OFF);
	if (rng_one_in(r, 4)) {
		JUMP(rng_one_in(r, 2) ? BPF_JGE : BPF_JSET, X32_BIT, 0, 1);
		RET(ret_make(r));
	}
	for (i = 0; i < rules; i++) {
		switch (rng_below(r, 10)) {
		case 0:		/* a range */
			JUMP(BPF_JGE, number_make(r), 0, 2);
			JUMP(BPF_JGT, number_make(r), 1, 0);
			RET(ret_make(r));
			break;
		case 1:		/* an argument */
			JUMP(BPF_JEQ, number_make(r), 0, 4);
			LOAD(offsetof(struct seccomp_data, args) + 4 * rng_below(r, 12));
			JUMP(jump_make(r), constant_make(r), 0, 1);
			RET(ret_make(r));
			LOAD(NR_OFF);
			break;
		case 2:		/* some bits of the number, or of the convention */
			if (rng_one_in(r, 3))
				LOAD(ARCH_OFF);
			emit(p, BPF_ALU | BPF_AND | BPF_K, constant_make(r), 0, 0);
			JUMP(jump_make(r), constant_make(r), 0, 1);
			RET(ret_make(r));
			LOAD(NR_OFF);
			break;
		case 3:
			JUMP(jump_make(r), number_make(r), 1, 0);
			emit(p, BPF_JMP | BPF_JA, 1, 0, 0);
			RET(ret_make(r));
			break;
		default:
			JUMP(jump_make(r), number_make(r), 0, 1);
			RET(ret_make(r));
		}
	}
	/* Deny lists are more to the point here: what they leave is remembered. */
	RET(rng_one_in(r, 4) ? ret_make(r) : SECCOMP_RET_ALLOW);
}

/* An instruction that the checks let through at place @i of @len. */
static void valid_insn(struct rng *r, struct program *p, unsigned int i, unsigned int len, bool memory)
{
	unsigned int left = len - 2 - i, near = left > 6 && !rng_one_in(r, 6) ? 6 : left;
	unsigned int w = rng_below(r, 100);

	if (near > 255)
		near = 255;
	if (w < 20)
		LOAD(NR_OFF);
	else if (w < 30)
		LOAD(ARCH_OFF);
	else if (w < 34)
		LOAD(4 * rng_below(r, sizeof(struct seccomp_data) / 4));
	else if (w < 41)
		emit(p, BPF_ALU | BPF_AND | BPF_K, constant_make(r), 0, 0);
	else if (w < 80)
		JUMP(jump_make(r), constant_make(r), rng_below(r, near + 1), rng_below(r, near + 1));
	else if (w < 83)
		emit(p, BPF_JMP | BPF_JA, rng_below(r, near + 1), 0, 0);
	else if (w < 90)
		RET(ret_make(r));
	else if (w < 91)
		emit(p, BPF_RET | BPF_A, 0, 0, 0);
	else if (w < 93)
		/* Shifts and divisions have numbers that they do not take. */
		emit(p, BPF_ALU | (rng_below(r, 8) << 4) | (rng_one_in(r, 2) ? BPF_X : BPF_K), 1 + rng_below(r, 31), 0, 0);
	else if (w < 94)
		emit(p, BPF_JMP | jump_make(r) | BPF_X, 0, rng_below(r, near + 1), rng_below(r, near + 1));
	else if (w < 96)
		emit(p, rng_one_in(r, 2) ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM, constant_make(r), 0, 0);
	else if (w < 97)
		emit(p, rng_one_in(r, 2) ? BPF_LD | BPF_W | BPF_LEN : BPF_LDX | BPF_W | BPF_LEN, 0, 0, 0);
	else if (w < 98)
		emit(p, rng_one_in(r, 2) ? BPF_MISC | BPF_TAX : BPF_MISC | BPF_TXA, 0, 0, 0);
	else if (w < 99 || !memory)
		emit(p, rng_one_in(r, 2) ? BPF_ST : BPF_STX, rng_below(r, BPF_MEMWORDS), 0, 0);
	else
		emit(p, rng_one_in(r, 2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM, 0, 0, 0);
}

static void valid_make(struct rng *r, struct program *p, unsigned int len)
{
	bool memory = len > 3 && rng_one_in(r, 16);
	unsigned int i;

	for (i = 0; i + 1 < len; i++) {
		if (memory && i == 0)
			emit(p, BPF_ST, 0, 0, 0);
		else if (i == 0 && !rng_one_in(r, 4))
			LOAD(rng_one_in(r, 4) ? ARCH_OFF : NR_OFF);
		else
			valid_insn(r, p, i, len, memory);
	}
	if (rng_one_in(r, 16))
		emit(p, BPF_RET | BPF_A, 0, 0, 0);
	else
		RET(ret_make(r));
}

static uint16_t code_make(struct rng *r)
{
	unsigned int w = rng_below(r, 8);

	if (w < 5)
		return known[rng_below(r, ARRAY_SIZE(known))];
	if (w < 7)
		return foreign[rng_below(r, ARRAY_SIZE(foreign))];
	return (uint16_t)rng_next(r);
}

/* Numbers that an instruction's k may have to be refused for. */
static uint32_t odd_k(struct rng *r)
{
	static const uint32_t odd[] = {
		0, 1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 59, 60, 61, 62, 63, 64, 65, 68, 255, 256, 4094, 4095, 4096,
		0x7fffffff, 0x80000000, 0xfffffffc, 0xfffffffd, 0xfffffffe, 0xffffffff,
		/* Where socket filters find what is not in the packet. */
		0xfffff000, 0xfffff004, 0xfffff028, 0xfffff034, 0xfffff03c, 0xfffff040, 0xffe00000, 0xfff00000,
	};

	return rng_one_in(r, 4) ? (uint32_t)rng_next(r) : odd[rng_below(r, ARRAY_SIZE(odd))];
}

static void mutate(struct rng *r, struct program *p)
{
	unsigned int at = rng_below(r, p->len), to = rng_below(r, p->len);
	struct sock_filter kept = p->insn[at];

	switch (rng_below(r, 12)) {
	case 0:
		p->insn[at].code = code_make(r);
		break;
	case 1:		/* one bit: another size, source or operation, or none that there is */
		p->insn[at].code ^= 1U << rng_below(r, rng_one_in(r, 4) ? 16 : 8);
		break;
	case 2:
		p->insn[at].jt = (uint8_t)rng_next(r);
		break;
	case 3:
		p->insn[at].jf = (uint8_t)rng_next(r);
		break;
	case 4:		/* the first place that is outside, or the last that is not */
		p->insn[at].jt = (uint8_t)(p->len - 1 - at - rng_below(r, 2));
		break;
	case 5:
		p->insn[at].k = odd_k(r);
		break;
	case 6:
		p->insn[at].k ^= 1U << rng_below(r, 32);
		break;
	case 7:
		p->insn[at] = p->insn[to];
		p->insn[to] = kept;
		break;
	case 8:
		if (p->len > 1)
			memmove(&p->insn[at], &p->insn[at + 1], (--p->len - at) * sizeof(*p->insn));
		break;
	case 9:
		if (p->len < MAX_LEN) {
			memmove(&p->insn[at + 1], &p->insn[at], (p->len++ - at) * sizeof(*p->insn));
			p->insn[at].code = code_make(r);
		}
		break;
	case 10:
		p->len = at + 1;
		break;
	default:	/* fields that the instruction does not use */
		p->insn[at].jt = p->insn[at].jf = (uint8_t)rng_next(r);
		if (BPF_CLASS(p->insn[at].code) == BPF_RET)
			p->insn[at].jt = 255;
	}
}

static void noise_make(struct rng *r, struct program *p, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		emit(p, code_make(r), rng_one_in(r, 2) ? odd_k(r) : constant_make(r), rng_below(r, 4), rng_below(r, 4));
	if (rng_one_in(r, 2))
		p->insn[len - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ret_make(r));
}

unsigned int program_make(struct rng *r, struct sock_filter *insn, const char **kind)
{
	struct program p = { insn, 0 };
	unsigned int w = rng_below(r, 100), i;

	if (w < 35) {
		*kind = "written";
		written_make(r, &p, rng_below(r, 24));
	} else if (w < 65) {
		*kind = "valid";
		valid_make(r, &p, 1 + rng_below(r, 40));
	} else if (w < 92) {
		*kind = "mutated";
		if (rng_one_in(r, 2))
			written_make(r, &p, rng_below(r, 12));
		else
			valid_make(r, &p, 1 + rng_below(r, 20));
		for (i = 1 + rng_below(r, 3); i; i--)
			mutate(r, &p);
	} else if (w < 98) {
		*kind = "noise";
		noise_make(r, &p, 1 + rng_below(r, 8));
	} else {
		static const uint16_t limit[] = { BPF_MAXINSNS - 1, BPF_MAXINSNS, BPF_MAXINSNS + 1 };

		*kind = "long";
		i = rng_one_in(r, 4) ? limit[rng_below(r, 3)] : 200 + rng_below(r, 800);
		if (rng_one_in(r, 4))
			written_make(r, &p, i / 3);
		else
			valid_make(r, &p, i);
	}
	return p.len;
}
