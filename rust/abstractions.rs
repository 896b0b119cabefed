// SPDX-License-Identifier: GPL-2.0

//! What seccomp needs of the kernel and the `kernel` crate does not have yet.
//!
//! The lower of the crate's two layers: all of the crate's `unsafe`, but for the functions that C
//! calls, and all uses of `bindings` are here. Nothing in it knows what a seccomp filter decides.
//! Each file is written to become one of `rust/kernel/`, beside what it extends there.

#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod anon_inode;
pub(crate) mod audit;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod bpf;
pub(crate) mod bug;
pub(crate) mod capability;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod compiler;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod file;
#[cfg(any(CONFIG_CHECKPOINT_RESTORE, CONFIG_SECCOMP_CACHE_DEBUG))]
pub(crate) mod locked_task;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod nospec;
pub(crate) mod ptrace;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod random;
#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
pub(crate) mod seq_file;
pub(crate) mod sighand;
pub(crate) mod signal;
pub(crate) mod syscall;
#[cfg(CONFIG_SYSCTL)]
pub(crate) mod sysctl;
pub(crate) mod task_seccomp;
pub(crate) mod trace;
pub(crate) mod tree;
pub(crate) mod uaccess;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod wait;
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) mod wait_list;
