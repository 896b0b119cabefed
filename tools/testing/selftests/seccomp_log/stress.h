/* SPDX-License-Identifier: GPL-2.0 */
/* What the workers of the stress have in common. */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stddef.h>

#define RET_DATA	13
#define NOT_READY	97

/* What a worker counts, in memory that all share. */
struct tally {
	unsigned long rounds;
	unsigned long escapes;	/* calls or processes that should have been stopped */
	unsigned long faults;	/* whatever else is not as it must be */
	bool skipped;
	char first[256];	/* the first of either, in words */
};

bool go_on(void);
/* A generator of one's own: the same seed makes the same choices. */
unsigned int choose(unsigned int *state, unsigned int n);
void complain(struct tally *tally, unsigned long *count, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void one_more(struct tally *tally);
/* Memory that a child has as well. */
void *share(size_t size);

#define ESCAPED(...) complain(tally, &tally->escapes, __VA_ARGS__)
#define WRONG(...) complain(tally, &tally->faults, __VA_ARGS__)

/* The workers of stress_filters.c. */
void attachers(struct tally *tally, unsigned int *random);
void forkers(struct tally *tally, unsigned int *random);
void filter_readers(struct tally *tally, unsigned int *random);
void crossed_answers(struct tally *tally, unsigned int *random);

#endif
