/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Classic BPF programs for seccomp, random and mutated: which are accepted, and
 * which calls the kernel takes to be always allowed by them.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../seccomp_oracle/rng.h"

/* Room for what is one too long. */
#define MAX_LEN (BPF_MAXINSNS + 1)

/* Makes a program; returns its length, and in @kind in a word what it is. */
unsigned int program_make(struct rng *r, struct sock_filter *insn, const char **kind);

#endif
