// SPDX-License-Identifier: GPL-2.0
/*
 * What has to be C: the entry of seccomp(2), which a macro makes for each
 * convention, the initcall, and the weak function that architectures override.
 */
#include <linux/init.h>
#include <linux/nospec.h>
#include <linux/seccomp.h>
#include <linux/syscalls.h>

#include "seccomp.h"

SYSCALL_DEFINE3(seccomp, unsigned int, op, unsigned int, flags,
		void __user *, uargs)
{
	return do_seccomp(op, flags, uargs);
}

void __weak arch_seccomp_spec_mitigate(struct task_struct *task) { }

#ifdef CONFIG_SYSCTL
device_initcall(seccomp_sysctl_init);
#endif
