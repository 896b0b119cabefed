// SPDX-License-Identifier: GPL-2.0

//! The rules of seccomp that know no kernel, compiled for the host to be tested there.
//!
//! The files are those of the kernel crate, which says what they are for.

#![no_std]
#![cfg_attr(
    not(test),
    expect(dead_code, reason = "it is the kernel crate that uses all of it")
)]

#[path = "../../action.rs"]
mod action;
#[path = "../../action_set.rs"]
mod action_set;
#[path = "../../cache.rs"]
mod cache;
#[path = "../../abstractions/bpf/insn.rs"]
mod insn;
#[path = "../../once.rs"]
mod once;
#[path = "../../verdict.rs"]
mod verdict;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
