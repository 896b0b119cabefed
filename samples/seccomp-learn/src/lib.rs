// SPDX-License-Identifier: GPL-2.0-only

//! From "no idea which system calls it makes" to an enforced allowlist.
//!
//! A command runs under a seccomp filter that records every call which is not
//! known yet ([`mod@learn`], on [`mod@run`]), or somebody has kept the audit records of
//! one that did ([`fromlog`]). The calls become a [`profile`], which has many
//! [`format`](mod@format)s and can be enforced.
//!
//! The library prints nothing. What it changes in the process that calls it, and
//! on the machine, is said in [`mod@run`] and [`settings`].

pub mod absent;
pub mod action;
pub mod arguments;
mod audit;
pub mod bpf;
mod caps;
pub mod condition;
mod elf;
pub mod error;
pub mod evidence;
pub mod explain;
pub mod format;
pub mod fromlog;
pub mod groups;
mod implied;
pub mod learn;
pub mod lint;
pub mod machine;
pub mod names;
mod notify;
pub mod origin;
pub mod profile;
pub mod reach;
mod record;
pub mod report;
pub mod review;
mod rules;
pub mod run;
pub mod settings;
pub mod syscalls;

pub use error::{Error, Result};
