/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel/seccomp.c and the Rust of kernel/seccomp/ share: the filter as it
 * lies in memory, and the functions that each side calls in the other.
 */
#ifndef _KERNEL_SECCOMP_RUST_SECCOMP_H
#define _KERNEL_SECCOMP_RUST_SECCOMP_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/seccomp.h>
#include <linux/types.h>
#include <linux/wait.h>

/* The mode of a task that a kill has been decided for; user space never sees it. */
#define SECCOMP_MODE_DEAD	(SECCOMP_MODE_FILTER + 1)

#ifdef CONFIG_SECCOMP_FILTER

struct bpf_prog;
struct notification;

/**
 * struct action_cache - the system calls that a filter and all before it allow
 *			 whatever their arguments
 * @allow_native: one bit for each system call number of the native architecture
 * @allow_compat: likewise for the compat architecture
 *
 * Empty where the architecture does not define SECCOMP_ARCH_NATIVE.
 */
struct action_cache {
#ifdef SECCOMP_ARCH_NATIVE
	DECLARE_BITMAP(allow_native, SECCOMP_ARCH_NATIVE_NR);
#ifdef SECCOMP_ARCH_COMPAT
	DECLARE_BITMAP(allow_compat, SECCOMP_ARCH_COMPAT_NR);
#endif
#endif
};

/**
 * struct seccomp_filter - one attached BPF program
 * @refs: keeps the memory: one for each task that has the filter as its newest,
 *	  one for the filter attached on top of it, one for its listener
 * @users: like @refs without the listener; at zero no task can ever run the
 *	   filter again, which the listener is told
 * @log: attached with SECCOMP_FILTER_FLAG_LOG
 * @wait_killable_recv: attached with SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
 * @cache: what need not be asked
 * @prev: the filter attached before, NULL at the first
 * @prog: the program
 * @notif: the listener's state, NULL without a listener
 * @notify_lock: guards @notif and what hangs on it
 * @wqh: where the listener polls
 *
 * Once a task has it, nothing but the counts, @notif and what belongs to it
 * changes; that is what lets the system call path read it without a lock.
 */
struct seccomp_filter {
	refcount_t refs;
	refcount_t users;
	bool log;
	bool wait_killable_recv;
	struct action_cache cache;
	struct seccomp_filter *prev;
	struct bpf_prog *prog;
	struct notification *notif;
	struct mutex notify_lock;
	wait_queue_head_t wqh;
};

#ifdef CONFIG_SECCOMP_RUST
#define VISIBLE_IF_SECCOMP_RUST

/* In kernel/seccomp.c; 0 when the listener let the system call continue. */
int seccomp_do_user_notification(int this_syscall,
				 struct seccomp_filter *match,
				 const struct seccomp_data *sd);

/* In kernel/seccomp/rust/. */
bool seccomp_action_avail(u32 action);
int seccomp_sysctl_init(void);
#else
#define VISIBLE_IF_SECCOMP_RUST static
#endif

#endif /* CONFIG_SECCOMP_FILTER */
#endif /* _KERNEL_SECCOMP_RUST_SECCOMP_H */
