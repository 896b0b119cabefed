// SPDX-License-Identifier: GPL-2.0

//! From "no idea which system calls it makes" to an enforced allowlist.
//!
//! A command runs under a seccomp filter whose default action is
//! `SECCOMP_RET_LOG`; the audit records that the kernel writes for it become a
//! list of system calls by name.

pub mod audit;
pub mod bpf;
pub mod learn;
pub mod record;
pub mod syscalls;
