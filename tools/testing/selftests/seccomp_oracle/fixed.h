/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FIXED_H
#define FIXED_H

#include <limits.h>
#include <sys/personality.h>
#include <unistd.h>

/*
 * The shared pages have a fixed address below 4 GiB, where an i386 call can
 * point, and where the heap may begin, too. So the program starts once more
 * without random addresses; what it executes has none either.
 */
static inline void addresses_fix(char **argv)
{
	int now = personality(0xffffffff);
	char path[PATH_MAX];
	ssize_t n;

	if (now < 0 || now & ADDR_NO_RANDOMIZE || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		return;
	/* By its own name, which audit records have. */
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = 0;
	execv(path, argv);
}

#endif
