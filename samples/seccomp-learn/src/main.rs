// SPDX-License-Identifier: GPL-2.0-only

//! The program: one command, and what its end means.

mod cli;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use cli::args::{Cli, Command};
use cli::say::say;
use cli::{enforce, explain, fromlog, learn, lint, man, profiles, reach, review};
use cli::{EXIT_FAILED, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND};
use seccomp_learn::Error;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { EXIT_FAILED } else { 0 });
        }
    };
    let result = match cli.command {
        Command::Run(args) => learn::run(args),
        Command::FromLog(args) => fromlog::run(args),
        Command::Enforce(args) => enforce::run(args),
        Command::Merge(args) => profiles::merge(args),
        Command::Diff(args) => profiles::diff(args),
        Command::Convert(args) => profiles::convert(args),
        Command::Explain(args) => explain::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Review(args) => review::run(args),
        Command::Static(args) => reach::run(args),
        Command::Show(args) => profiles::show(args),
        Command::Completions { shell } => man::completions(shell),
        Command::Man => man::page(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            say(format_args!("{e:#}"));
            ExitCode::from(match e.downcast_ref::<Error>() {
                Some(Error::NotStarted { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    EXIT_NOT_FOUND
                }
                Some(Error::NotStarted { .. }) => EXIT_NOT_EXECUTABLE,
                _ => EXIT_FAILED,
            })
        }
    }
}
