// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use seccomp_learn::learn::{self, Loss, NotStarted, Outcome};

/// The list may not be whole.
const EXIT_INCOMPLETE: u8 = 124;
/// seccomp-learn itself failed.
const EXIT_FAILED: u8 = 125;
/// The command was found and could not be executed.
const EXIT_NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
const EXIT_NOT_FOUND: u8 = 127;

/// Learn the system calls that a program makes, from SECCOMP_RET_LOG's audit records
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: the command's own (128+N if signal N killed it); \
124 if the list is incomplete, 125 if seccomp-learn failed, 126 or 127 if the command could not be run."
)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run a command under SECCOMP_RET_LOG and write its allowlist
    Run {
        /// How to write the list
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One name a line, sorted
    Plain,
}

fn main() -> ExitCode {
    match Cli::parse().action {
        Action::Run { command, .. } => match run(&command) {
            Ok(code) => code,
            Err(e) => {
                eprintln!("seccomp-learn: {e:#}");
                ExitCode::from(match e.downcast_ref::<NotStarted>() {
                    Some(NotStarted(_, e)) if e.kind() == std::io::ErrorKind::NotFound => {
                        EXIT_NOT_FOUND
                    }
                    Some(_) => EXIT_NOT_EXECUTABLE,
                    None => EXIT_FAILED,
                })
            }
        },
    }
}

fn run(command: &[OsString]) -> Result<ExitCode> {
    let outcome = learn::run(command, true)?;
    let names: BTreeSet<String> = outcome.calls.keys().map(ToString::to_string).collect();
    let mut text = String::new();
    for name in &names {
        text.push_str(name);
        text.push('\n');
    }
    std::io::stdout().write_all(text.as_bytes())?;
    eprintln!("seccomp-learn: {}", summary(&outcome));
    Ok(ExitCode::from(if outcome.losses.is_empty() {
        outcome.status as u8
    } else {
        EXIT_INCOMPLETE
    }))
}

fn summary(outcome: &Outcome) -> String {
    let mut text = format!(
        "{} records, {} distinct calls, ",
        outcome.records,
        outcome.calls.len()
    );
    if outcome.losses.is_empty() {
        text.push_str("complete");
    }
    for (i, loss) in outcome.losses.iter().enumerate() {
        text.push_str(if i == 0 { "incomplete: " } else { ", " });
        text.push_str(&match loss {
            Loss::Counted(n) => format!("{n} lost"),
            Loss::Overrun(n) => format!("the socket overran {n} times"),
            Loss::NoMarker => "the end of the log was not seen".to_owned(),
            Loss::Interrupted => "interrupted".to_owned(),
        });
    }
    text.push_str(&format!(
        "; the command's exit status is {}",
        outcome.status
    ));
    text
}
