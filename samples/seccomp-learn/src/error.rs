// SPDX-License-Identifier: GPL-2.0-only

//! What can go wrong.

use std::ffi::OsString;
use std::io;

use crate::format::Syntax;

/// What can go wrong. The cause, where there is one, is the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command could not be executed; the source is what `execve` said.
    #[error("cannot run {}", program.to_string_lossy())]
    NotStarted {
        /// The command.
        program: OsString,
        /// Why not.
        source: io::Error,
    },
    /// There is no command.
    #[error("there is no command")]
    NoCommand,
    /// This process may not do what it takes.
    #[error("{what} needs {}{instead}", missing.join(", "))]
    Privilege {
        /// What was to be done.
        what: &'static str,
        /// The capabilities that are missing.
        missing: Vec<&'static str>,
        /// What does without.
        instead: &'static str,
    },
    /// The system refused something.
    #[error("{what}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A profile that cannot be understood.
    #[error(transparent)]
    Syntax(#[from] Syntax),
    /// A profile that a format cannot hold, or a filter that the kernel would
    /// not take.
    #[error("{0}")]
    Unfit(String),
}

/// The result of what can go wrong.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what was tried when the system refused it.
pub(crate) trait Tried<T> {
    /// Makes the system's error one of `what` was tried.
    fn tried(self, what: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<io::Error>> Tried<T> for std::result::Result<T, E> {
    fn tried(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|e| Error::System {
            what: what.into(),
            source: e.into(),
        })
    }
}
