// SPDX-License-Identifier: GPL-2.0

//! Seccomp, in place of [`kernel/seccomp.c`](srctree/kernel/seccomp.c).
//!
//! Two layers. Below, `abstractions`: what is needed of the kernel, with all of the `unsafe`. Above,
//! seccomp itself, in files each of which knows those that are named before it alone:
//!
//! - `action`, `action_set`, `verdict`, `cache`, `once`: the rules, pure, which are tested on the
//!   host too;
//! - `uapi`: what programs and seccomp hand each other;
//! - `logged_once`: who wants calls logged once, and where filters remember them;
//! - `log`: whether an action is logged, and the audit record;
//! - `notify`: what stands between a system call and a listener;
//! - `filter`: a filter and what it owns, and running those of a task;
//! - `listener`: waiting for an answer, and the file of the one who answers;
//! - `mode`, `attach`: putting tasks into a mode, attaching filters, TSYNC;
//! - `dispatch`, `strict`, `permit`: what becomes of a system call;
//! - `operations`: seccomp(2) and prctl(2);
//! - `ptrace`, `proc`, `sysctl`: what tracers and administrators see;
//! - `entry`: the functions that C calls.
//!
//! C header: [`include/linux/seccomp.h`](srctree/include/linux/seccomp.h)

#![deny(unsafe_code)]

#[expect(unsafe_code)]
#[cfg_attr(
    not(CONFIG_SECCOMP_FILTER),
    allow(
        dead_code,
        unused_imports,
        reason = "they are whole, strict mode needs few of them"
    )
)]
mod abstractions;

#[cfg(CONFIG_SECCOMP_FILTER)]
use abstractions::bpf::insn;

#[cfg_attr(
    not(CONFIG_SYSCTL),
    allow(dead_code, reason = "names are for the sysctls")
)]
mod action;
#[cfg_attr(
    not(CONFIG_SYSCTL),
    allow(dead_code, reason = "texts are for the sysctls")
)]
mod action_set;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod attach;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod cache;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod dispatch;
#[expect(unsafe_code)]
#[cfg_attr(not(CONFIG_SECCOMP_FILTER), allow(unused_imports))]
mod entry;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod filter;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod listener;
mod log;
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
mod logged_once;
mod mode;
#[cfg(CONFIG_SECCOMP_FILTER)]
mod notify;
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
mod once;
mod operations;
mod permit;
#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
mod proc;
#[cfg(all(CONFIG_SECCOMP_FILTER, CONFIG_CHECKPOINT_RESTORE))]
mod ptrace;
mod strict;
#[cfg(CONFIG_SYSCTL)]
mod sysctl;
#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
mod tests;
mod uapi;
#[cfg_attr(
    not(CONFIG_SECCOMP_FILTER),
    allow(dead_code, reason = "filters alone have verdicts")
)]
mod verdict;
