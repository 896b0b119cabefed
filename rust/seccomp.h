/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What syscall.c calls of seccomp in Rust; all else that C calls is declared in
 * <linux/seccomp.h>.
 */
#ifndef _KERNEL_SECCOMP_RUST_SECCOMP_H
#define _KERNEL_SECCOMP_RUST_SECCOMP_H

#include <linux/compiler.h>

long do_seccomp(unsigned int op, unsigned int flags, void __user *uargs);
int seccomp_sysctl_init(void);

#endif /* _KERNEL_SECCOMP_RUST_SECCOMP_H */
