/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads for the Rust of kernel/seccomp/, from
 * rust/bindings/bindings_helper.h.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/sysctl.h>

#include <asm/syscall.h>

#include "seccomp.h"
