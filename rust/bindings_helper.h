/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads for the Rust of kernel/seccomp/, from
 * rust/bindings/bindings_helper.h.
 */
#include <linux/anon_inodes.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/filter.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/seq_file.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include <asm/syscall.h>

#include "seccomp.h"
#include "trace.h"

/*
 * The conventions of system calls, by macros that bindgen does not follow on
 * every architecture.
 */
#ifdef SECCOMP_ARCH_NATIVE
const u32 RUST_CONST_HELPER_SYSCALL_NATIVE_ARCH = SECCOMP_ARCH_NATIVE;
const size_t RUST_CONST_HELPER_SYSCALL_NATIVE_NR = SECCOMP_ARCH_NATIVE_NR;
#else
const u32 RUST_CONST_HELPER_SYSCALL_NATIVE_ARCH = 0;
const size_t RUST_CONST_HELPER_SYSCALL_NATIVE_NR = 0;
#endif

#ifdef SECCOMP_ARCH_COMPAT
const u32 RUST_CONST_HELPER_SYSCALL_COMPAT_ARCH = SECCOMP_ARCH_COMPAT;
const size_t RUST_CONST_HELPER_SYSCALL_COMPAT_NR = SECCOMP_ARCH_COMPAT_NR;
#else
const u32 RUST_CONST_HELPER_SYSCALL_COMPAT_ARCH = 0;
const size_t RUST_CONST_HELPER_SYSCALL_COMPAT_NR = 0;
#endif

#ifdef __NR_uretprobe
const int RUST_CONST_HELPER_SYSCALL_URETPROBE = __NR_uretprobe;
#else
const int RUST_CONST_HELPER_SYSCALL_URETPROBE = -1;
#endif
#ifdef __NR_uprobe
const int RUST_CONST_HELPER_SYSCALL_UPROBE = __NR_uprobe;
#else
const int RUST_CONST_HELPER_SYSCALL_UPROBE = -1;
#endif

/* What strict mode allows. */
const int RUST_CONST_HELPER_SYSCALL_MODE1_READ = __NR_seccomp_read;
const int RUST_CONST_HELPER_SYSCALL_MODE1_WRITE = __NR_seccomp_write;
const int RUST_CONST_HELPER_SYSCALL_MODE1_EXIT = __NR_seccomp_exit;
const int RUST_CONST_HELPER_SYSCALL_MODE1_SIGRETURN = __NR_seccomp_sigreturn;

