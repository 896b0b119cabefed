// SPDX-License-Identifier: GPL-2.0-only

//! What is said to people, on standard error; and the streams.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
pub use seccomp_learn::report::printable;
use seccomp_learn::run::{Event, Loss};

/// Says something on standard error. If nobody listens, that is no failure.
pub fn say(text: impl Display) {
    line(format_args!("seccomp-learn: {text}"));
}

/// Writes a line on standard error.
pub fn line(text: impl Display) {
    let text = printable(&text.to_string());
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes to standard output; a reader that has seen enough is no failure.
pub fn print_all(text: &[u8]) -> Result<u8> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        result => {
            result.context("cannot write to standard output")?;
            Ok(0)
        }
    }
}

/// Why a list may not be whole, in one text.
pub fn reasons(losses: &[Loss]) -> Option<String> {
    if losses.is_empty() {
        return None;
    }
    let texts: Vec<String> = losses.iter().map(ToString::to_string).collect();
    Some(printable(&texts.join(", ")))
}

/// Standard output, kept back for a list; meanwhile its place is taken by
/// standard error, which a command and all that it leaves behind then have for
/// both.
pub struct KeptBack(Option<OwnedFd>);

impl KeptBack {
    /// Keeps it back.
    pub fn new() -> Result<Self> {
        let out = io::stdout();
        match fcntl(out.as_fd(), FcntlArg::F_DUPFD_CLOEXEC(3)) {
            // There is none.
            Err(Errno::EBADF) => Ok(Self(None)),
            Err(e) => Err(e).context("cannot keep standard output"),
            Ok(fd) => {
                // SAFETY: the kernel has just given this descriptor to us alone.
                let kept = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) };
                nix::unistd::dup2_stdout(io::stderr()).context("cannot use standard error")?;
                Ok(Self(Some(kept)))
            }
        }
    }
}

impl Drop for KeptBack {
    fn drop(&mut self) {
        if let Some(kept) = &self.0 {
            let _ = nix::unistd::dup2_stdout(kept);
        }
    }
}

/// Tells what happens during a run: with a line that changes while standard
/// error is a terminal.
pub struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub fn new(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self { quiet, bar: None };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{pos} distinct calls, last {msg}") {
            bar.set_style(style);
        }
        Self {
            quiet,
            bar: Some(bar),
        }
    }

    fn say(&self, text: impl Display) {
        if !self.quiet {
            self.always(text);
        }
    }

    fn always(&self, text: impl Display) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    pub fn on_event(&self, event: Event) {
        match event {
            Event::New(distinct, call) => {
                if let Some(bar) = &self.bar {
                    bar.set_message(call.to_string());
                    bar.set_position(distinct as u64);
                }
            }
            Event::Left => self.say(
                "the command has ended and left processes, whose end is waited for; SIGTERM or \
                 Ctrl-C is passed on to them, a second one ends the run without them",
            ),
            Event::PassedOn(signal) => self.say(format_args!(
                "{signal} was passed on, and the end is waited for; a second signal ends the \
                 run, and kills the command if it has not ended"
            )),
            Event::TimeIsUp => {
                self.say(
                    "the time is up: SIGTERM was sent, and the end of the command is waited for",
                );
            }
            Event::Killed => self.say("the command did not end, and was killed"),
            Event::WaitingForLog => self.say("waiting for the end of the audit log"),
            // What has become of the machine's settings is said in any case.
            Event::Note(note) => self.always(note),
            _ => {}
        }
    }

    pub fn on_pass(&self, pass: u32) {
        if pass > 1 && self.bar.is_some() {
            self.say(format_args!("pass {pass}"));
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
