/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C of this directory and the Rust have in common; what the rest of the
 * kernel calls is declared in <linux/seccomp.h>.
 */
#ifndef _KERNEL_SECCOMP_RUST_SECCOMP_H
#define _KERNEL_SECCOMP_RUST_SECCOMP_H

#include <linux/compiler.h>
#include <linux/types.h>

struct seccomp_filter;

/*
 * What a system call is decided by before a filter is run: of the current task the
 * mode and the newest filter, of the call its number and its convention.
 */
struct seccomp_syscall_state {
	struct seccomp_filter *filter;
	int mode;
	int nr;
	u32 arch;
};

long do_seccomp(unsigned int op, unsigned int flags, void __user *uargs);
int seccomp_sysctl_init(void);

#endif /* _KERNEL_SECCOMP_RUST_SECCOMP_H */
