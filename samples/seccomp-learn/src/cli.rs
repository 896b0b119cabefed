// SPDX-License-Identifier: GPL-2.0

//! The command line's shape; completions and the man page are made from it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use seccomp_learn::action::Action;
use seccomp_learn::format::Format;
use seccomp_learn::syscalls::Arch;

/// What the man page says first.
pub const DESCRIPTION: &str = "\
seccomp-learn runs a program under a seccomp filter that records every system call not known yet \
(SECCOMP_RET_LOG), reads the audit records of that program alone, and writes the list in the format that is \
wanted: it is to seccomp what audit2allow is to SELinux. A list that may not be whole says so.

A list holds what the program did, not all that it could do: learn with its tests, its error paths, and on \
the machine where it will run. Then enforce the list with --action log or errno before kill.";

const EXAMPLES: &str = "
  seccomp-learn run -- ls -l /usr
  seccomp-learn run --format json -o ls.json -- ls -l /usr
  seccomp-learn enforce ls.json -- ls -l /usr
  seccomp-learn convert --to oci --for oci ls.json
  seccomp-learn from-log /var/log/audit/audit.log --exe /usr/bin/ls";

const EXIT_STATUS: &str = "\
That of the command, or 128+N if signal N killed it; 124 if the list is incomplete; \
125 if seccomp-learn failed; 126 or 127 if the command could not be executed or found. \
diff: 0 if the profiles are the same, 1 if not.";

const PRIVILEGE: &str = "\
--via log needs CAP_AUDIT_CONTROL, CAP_AUDIT_READ and CAP_AUDIT_WRITE in the initial user \
namespace (root has them); --via notify needs none. Without --keep-privs the command runs with \
no_new_privs, under which set-uid programs do not gain privileges.";

/// What the man page says last.
pub const SECTIONS: [(&str, &str); 5] = [
    ("EXAMPLES", EXAMPLES),
    ("EXIT STATUS", EXIT_STATUS),
    ("PRIVILEGE", PRIVILEGE),
    (
        "FILES",
        "/run/seccomp-learn.saved holds the audit settings that were found, while a run with --via log \
         has changed them. A run that was killed leaves it, and the next one puts them back.",
    ),
    (
        "SEE ALSO",
        "seccomp(2), seccomp_rule_add(3), audit.rules(7), ausearch(8), systemd.exec(5), strace(1)",
    ),
];

fn after_help() -> String {
    format!("Examples:{EXAMPLES}\n\nExit status: {EXIT_STATUS}\n\nPrivilege: {PRIVILEGE}")
}

/// Learn the system calls that a program makes, and enforce the list
#[derive(Parser)]
#[command(version, after_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a command, record its system calls, write its profile
    Run(Run),
    /// Make a profile from a log: audit.log, ausearch, dmesg, journalctl
    FromLog(FromLog),
    /// Run a command under a profile and report what it refused
    Enforce(Enforce),
    /// Put profiles together
    Merge(Merge),
    /// Show what a new profile adds (+) and removes (-)
    Diff(Diff),
    /// Write a profile in another format
    Convert(Convert),
    /// Show a profile: architecture, name, count, first caller
    Show(Show),
    /// Write completions for a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man page to standard output
    Man,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// The audit log if it can be read, notify otherwise
    Auto,
    /// Audit records of SECCOMP_RET_LOG
    Log,
    /// A SECCOMP_RET_USER_NOTIF listener, for which each call waits
    Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Add what an OCI runtime needs to start a container
    Oci,
}

#[derive(Args)]
#[command(override_usage = "seccomp-learn run [OPTIONS] [--] COMMAND [ARGUMENT]...")]
pub struct Run {
    /// Begin with this profile: its calls are allowed and kept
    #[arg(long, value_name = "PROFILE")]
    pub base: Option<PathBuf>,
    /// Run up to N times, each time with what is known allowed, until a pass brings nothing new
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub passes: u32,
    /// Run again up to N times while records are lost
    #[arg(long, value_name = "N", default_value_t = 0, num_args = 0..=1, default_missing_value = "5", require_equals = true)]
    pub retry: u32,
    /// Keep the command's audit records in this file (with --via log)
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    #[command(flatten)]
    pub writing: Writing,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub execution: Execution,
}

#[derive(Args)]
pub struct FromLog {
    /// The log; "-" is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
    /// Add to this profile: its calls are kept
    #[arg(long, value_name = "PROFILE")]
    pub base: Option<PathBuf>,
    /// Only records of this audit session
    #[arg(long, value_name = "N")]
    pub ses: Option<u32>,
    /// Only records of this process
    #[arg(long, value_name = "N")]
    pub pid: Option<i32>,
    /// Only records of tasks of this name
    #[arg(long, value_name = "NAME")]
    pub comm: Option<OsString>,
    /// Only records of this executable
    #[arg(long, value_name = "PATH")]
    pub exe: Option<OsString>,
    /// Records of every action, not of SECCOMP_RET_LOG alone
    #[arg(long)]
    pub any_action: bool,
    #[command(flatten)]
    pub writing: Writing,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
#[command(override_usage = "seccomp-learn enforce [OPTIONS] PROFILE [--] COMMAND [ARGUMENT]...")]
pub struct Enforce {
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    /// What happens to other calls: kill, errno, errno:NUMBER or log
    #[arg(long, value_name = "ACTION", default_value = "kill")]
    pub action: Action,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub execution: Execution,
}

#[derive(Args)]
pub struct Merge {
    /// The profiles
    #[arg(required = true)]
    pub profiles: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Args)]
pub struct Diff {
    /// The profile before
    pub old: PathBuf,
    /// The profile after
    pub new: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
pub struct Convert {
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Args)]
pub struct Show {
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
}

/// How a profile is written.
#[derive(Args)]
#[command(next_help_heading = "Writing the profile")]
pub struct Writing {
    /// The format to write
    #[arg(long, visible_alias = "to", value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// What the profile says about other calls: kill, errno, errno:NUMBER or log
    #[arg(long = "default-action", value_name = "ACTION")]
    pub action: Option<Action>,
    /// Only this architecture's calls, as x86-64, i386, x32 or arm64
    #[arg(long = "only-arch", visible_alias = "arch", value_name = "ARCH")]
    pub arch: Option<Arch>,
    /// Add what this use of the profile needs
    #[arg(long = "for", value_enum)]
    pub purpose: Option<Purpose>,
}

/// How profiles are read.
#[derive(Args)]
#[command(next_help_heading = "Reading profiles")]
pub struct Reading {
    /// The format of the profiles read, where guessing it fails
    #[arg(long, value_enum)]
    pub from: Option<Format>,
    /// The architecture of the profiles read, where their format does not say
    #[arg(long, value_name = "ARCH")]
    pub from_arch: Option<Arch>,
    /// Leave out names that no table has
    #[arg(long)]
    pub ignore_unknown: bool,
    /// Leave out entries with conditions on arguments or capabilities
    #[arg(long)]
    pub ignore_conditional: bool,
}

/// How a command is run.
#[derive(Args)]
#[command(next_help_heading = "Running the command")]
pub struct Execution {
    /// How its calls are seen
    #[arg(long, value_enum, default_value_t = Via::Auto)]
    pub via: Via,
    /// Run without no_new_privs, so that set-uid programs work as ever (needs CAP_SYS_ADMIN)
    #[arg(long)]
    pub keep_privs: bool,
    /// Records that may wait, in the kernel and again in the socket (with --via log)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub backlog: Option<u32>,
    /// No progress and no summary
    #[arg(short, long)]
    pub quiet: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
