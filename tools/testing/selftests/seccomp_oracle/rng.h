/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that a seed decides. */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

/* splitmix64: the state is the whole generator. */
struct rng {
	uint64_t s;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* A number below n. The bias for n far from a power of two does not matter here. */
static inline unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (unsigned int)((rng_next(r) >> 32) % n);
}

static inline bool rng_one_in(struct rng *r, unsigned int n)
{
	return rng_below(r, n) == 0;
}

#endif
