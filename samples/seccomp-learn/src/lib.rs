// SPDX-License-Identifier: GPL-2.0

//! From "no idea which system calls it makes" to an enforced allowlist.
//!
//! A command runs under a seccomp filter that records every call which is not
//! known yet ([`run`], [`learn`]), or somebody has kept the audit records of one
//! that did ([`fromlog`]). The calls become a [`profile`], which has many
//! [`format`]s and can be enforced.

pub mod action;
pub mod audit;
pub mod bpf;
pub mod caps;
pub mod format;
pub mod fromlog;
pub mod learn;
pub mod notify;
pub mod output;
pub mod profile;
pub mod record;
pub mod run;
pub mod settings;
pub mod syscalls;
