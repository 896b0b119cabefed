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

/* Made of a macro with a parameter, which bindgen does not follow. */
const u32 RUST_CONST_HELPER_PT_TRACE_SECCOMP = PT_TRACE_SECCOMP;

/* Where C has the fields; the crate checks that bindgen has them there too. */
const size_t RUST_CONST_HELPER_OFFSET_OF_SECCOMP_MODE = offsetof(struct seccomp, mode);
const size_t RUST_CONST_HELPER_OFFSET_OF_SECCOMP_FILTER = offsetof(struct seccomp, filter);
const size_t RUST_CONST_HELPER_OFFSET_OF_FILTER_LOG = offsetof(struct seccomp_filter, log);
const size_t RUST_CONST_HELPER_OFFSET_OF_FILTER_CACHE = offsetof(struct seccomp_filter, cache);
const size_t RUST_CONST_HELPER_OFFSET_OF_FILTER_PREV = offsetof(struct seccomp_filter, prev);
const size_t RUST_CONST_HELPER_OFFSET_OF_FILTER_PROG = offsetof(struct seccomp_filter, prog);

/*
 * Where the fields of struct task_struct lie, Rust must not ask bindgen: it
 * loses the alignment of an empty structure, which sched_statistics is without
 * CONFIG_SCHEDSTATS, and all that stands behind that one moves.
 */
const size_t RUST_CONST_HELPER_OFFSET_OF_TASK_PTRACE = offsetof(struct task_struct, ptrace);
const size_t RUST_CONST_HELPER_OFFSET_OF_TASK_SECCOMP = offsetof(struct task_struct, seccomp);
