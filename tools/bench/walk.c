// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the regular files below a directory, like `find DIR -type f`: the load
 * of an i386 program, for which Debian has no find on an amd64 machine.
 */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <err.h>
#include <ftw.h>
#include <stdio.h>

static int visit(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_F && S_ISREG(status->st_mode))
		puts(path);
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		errx(2, "usage: walk DIR");
	if (nftw(argv[1], visit, 32, FTW_PHYS))
		err(1, "%s", argv[1]);
	return 0;
}
