/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>

/* probe.S: each call is made at a label that lines can name. */
struct call {
	uint64_t nr;
	uint64_t args[6];
	uint64_t after[6];	/* the argument registers after the call */
};

long call64(struct call *c);
#ifdef __x86_64__
long call32(struct call *c);
long callvsys(struct call *c);
extern char call32_ip[], callvsys_ip[];
#endif
long infra_call(long nr, ...);
/* The subject's own calls; what they do not use is zero, so that a line can show it. */
#define infra(...) infra_call(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L)
long spawn(unsigned long flags, void *stack, int *ptid, int *ctid);
void restorer(void);
extern char call64_ip[], infra_ip[], restorer_ip[];

#endif
