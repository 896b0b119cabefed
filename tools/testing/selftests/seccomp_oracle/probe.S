/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls made at labels, so that an address seen by the kernel (siginfo,
 * notification, audit record) can be printed as a name.
 */
#if defined(__x86_64__)
# include "probe_x86_64.S"
#elif defined(__aarch64__)
# include "probe_arm64.S"
#elif defined(__riscv)
# include "probe_riscv64.S"
#elif defined(__s390x__)
# include "probe_s390x.S"
#endif

	.section .note.GNU-stack, "", %progbits
