// SPDX-License-Identifier: GPL-2.0-only

//! The command line: reads its arguments, calls the library, reports.

pub mod args;
pub mod enforce;
pub mod explain;
pub mod fromlog;
pub mod learn;
pub mod lint;
pub mod man;
pub mod output;
pub mod profiles;
pub mod reach;
pub mod review;
pub mod say;

/// `diff` found a difference.
pub const EXIT_DIFFERENT: u8 = 1;
/// The command made a call that its profile does not allow.
pub const EXIT_REFUSED: u8 = 123;
/// The list may not be whole.
pub const EXIT_INCOMPLETE: u8 = 124;
/// seccomp-learn itself failed.
pub const EXIT_FAILED: u8 = 125;
/// The command was found and could not be executed.
pub const EXIT_NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
pub const EXIT_NOT_FOUND: u8 = 127;
