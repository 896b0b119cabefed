// SPDX-License-Identifier: GPL-2.0-only

//! The command line's shape; completions and the man page are made from it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use seccomp_learn::action::Action;
use seccomp_learn::arguments::Selection;
use seccomp_learn::format::{self, Format};
use seccomp_learn::machine::{Caps, Kernel, Machine};
use seccomp_learn::syscalls::{Arch, Call};

/// What the man page says first.
pub const DESCRIPTION: &str = "\
seccomp-learn runs a program under a seccomp filter that records every system call not known yet \
(SECCOMP_RET_LOG), reads the audit records of that program alone, and writes the list in the format that is \
wanted: it is to seccomp what audit2allow is to SELinux. A list that may not be whole says so.

Beside the calls that were seen, a profile holds those that the kernel and the C library issue by themselves, \
or in place of another call on another day: they are marked as implied, each with its reason, and --exact \
leaves them out. --stable K runs the program until K passes in a row brought nothing new.

A list holds what the program did, not all that it could do: learn with its tests, its error paths, and on \
the machine where it will run. Then enforce the list with --action log or errno before kill.

A call may be allowed with certain arguments only: run --args makes such conditions out of the values that were \
seen. lint says what is wrong with a profile, explain why a call is in it, review walks through what is new, \
and static lists what a program could call beside.";

const EXAMPLES: &str = "
  seccomp-learn run -- ls -l /usr >ls.txt
  seccomp-learn run --stable 3 --format json -o ls.json -- ls -l /usr
  seccomp-learn run --duration 30 -o httpd.txt -- python3 -m http.server
  seccomp-learn run --args --format json -o ls.json -- ls -l /usr
  seccomp-learn enforce ls.json -- ls -l /usr
  seccomp-learn lint ls.json
  seccomp-learn explain openat ls.json
  seccomp-learn review --base old.json ls.json --format json -o new.json
  seccomp-learn convert --to oci --for oci ls.json
  seccomp-learn from-log /var/log/audit/audit.log --exe /usr/bin/ls";

const EXIT_STATUS: &str = "\
That of the command, or 128+N if signal N killed it; 123 if enforce met a call that the profile does not \
allow, whatever the command made of it; 124 if the list, or the report of enforce, is incomplete; 125 if seccomp-learn failed; 126 or 127 if the command could not be executed or found. \
diff: 0 if the profiles are the same, 1 if not. lint: 0 if there is no danger or warning, 1 if there is. explain: 0 if the call is allowed, 1 if not.";

const STREAMS: &str = "\
With -o FILE the command has its streams as they are. Without, standard output is for the list alone: it is \
written when the command has ended, and what the command writes to standard output goes to standard error.";

const SIGNALS: &str = "\
The first SIGINT or SIGTERM is passed on to the command, or to what it has left behind if it has ended; if the \
command then ends by itself, as a server does, the list is complete. A second one kills the command, and ends \
the run without waiting for what else it has started. Other signals are passed on. Signals of the terminal \
have reached the command already.";

const PRIVILEGE: &str = "\
--via log needs CAP_AUDIT_CONTROL, CAP_AUDIT_READ and CAP_AUDIT_WRITE in the initial user \
namespace (root has them); --via notify needs none. Without --keep-privs the command runs with \
no_new_privs, under which set-uid programs do not gain privileges.";

/// What the man page says last.
pub const SECTIONS: [(&str, &str); 7] = [
    ("EXAMPLES", EXAMPLES),
    ("EXIT STATUS", EXIT_STATUS),
    ("STREAMS", STREAMS),
    ("SIGNALS", SIGNALS),
    ("PRIVILEGE", PRIVILEGE),
    (
        "FILES",
        "/run/seccomp-learn.saved holds the audit settings that were found, while a run with --via log \
         has changed them. A run that was killed leaves it, and the next one puts them back, where \
         nobody has changed them since.",
    ),
    (
        "SEE ALSO",
        "seccomp(2), seccomp_rule_add(3), audit.rules(7), ausearch(8), systemd.exec(5), strace(1)",
    ),
];

fn after_help() -> String {
    format!("Examples:{EXAMPLES}\n\nExit status: {EXIT_STATUS}\n\nPrivilege: {PRIVILEGE}")
}

/// The formats, by their names.
fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| {
        let value = PossibleValue::new(format.name());
        match format {
            Format::Plain => value.alias("list").help("One name a line, sorted"),
            Format::Json => {
                value.help("This tool's own JSON: names, numbers, counts, first callers")
            }
            Format::Oci => {
                value.help("OCI runtime-spec JSON: runc, crun, podman, Docker, Kubernetes")
            }
            Format::Systemd => value.help("A systemd drop-in"),
            Format::Minijail => value.help("A minijail policy"),
            Format::Seccompiler => value.help("seccompiler's JSON, as Firecracker takes it"),
            Format::C => value
                .alias("libseccomp")
                .help("C source that uses libseccomp (written only)"),
            _ => value,
        }
    });
    PossibleValuesParser::new(values).try_map(|text| text.parse::<Format>())
}

/// A time as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60.0),
        Some(number) if text.ends_with('h') => (number, 3600.0),
        Some(number) => (number, 1.0),
        None => (text, 1.0),
    };
    let seconds = number.parse::<f64>().ok().map(|number| number * unit);
    seconds
        .filter(|&seconds| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("{text:?} is no time (as 90, 1.5m or 2h)"))
}

/// What `--args` names, if it names anything.
fn argument(text: &str) -> Result<Named, String> {
    match text {
        "" => Ok(Named(None)),
        _ => Selection::parse(text).map(|named| Named(Some(named))),
    }
}

/// A call and its argument.
#[derive(Clone, Debug)]
pub struct Named(pub Option<(String, Option<u8>)>);

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
    /// Say why a call is in a profile: who made it first, from where, how often
    Explain(Explain),
    /// Say what is wrong with a profile, the worst first
    Lint(Lint),
    /// Take or refuse what is new in a profile, or report it
    Review(Review),
    /// Show a profile, the most dangerous first: architecture, name, count, group, first caller
    Show(Show),
    /// List what a program and its libraries could call, by reading the files (x86-64)
    Static(Static),
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
    /// Run N times; with --stable at most N times (default then 100)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub passes: Option<u32>,
    /// Run until K complete passes in a row brought nothing new
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub stable: Option<u32>,
    /// Run again, up to N times, while a pass loses records, with what is known allowed
    #[arg(long, value_name = "N", default_value_t = 0, num_args = 0..=1, default_missing_value = "5", require_equals = true)]
    pub retry: u32,
    /// Allow calls whose argument selects what they do with the values that were seen alone; CALL:N adds argument N of
    /// a call, counted from 0, and CALL one that the table leaves out
    #[arg(long, value_name = "CALL:N", value_parser = argument, num_args = 0..=1,
        default_missing_value = "", require_equals = true)]
    pub args: Vec<Named>,
    /// Count the calls: have each recorded, where the kernel could record each once (with --via log)
    #[arg(long)]
    pub count: bool,
    /// Keep the command's audit records in this file (with --via log); calls that --args asks a listener about have none
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
    /// No lines with the names of groups
    #[arg(long)]
    pub no_groups: bool,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
pub struct Explain {
    /// The call, as openat or i386:open
    pub call: Call,
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
pub struct Review {
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    /// What was allowed before; without it all is new
    #[arg(long, value_name = "PROFILE")]
    pub base: Option<PathBuf>,
    /// Ask nothing and write a report; without a terminal that is what happens
    #[arg(long, value_enum)]
    pub report: Option<ReportFormat>,
    /// Ask although there is no terminal: answers are lines of standard input
    #[arg(long, conflicts_with = "report")]
    pub ask: bool,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a terminal or a mail
    Text,
    /// For programs
    Json,
    /// One page that loads nothing
    Html,
}

#[derive(Args)]
pub struct Static {
    /// The program
    pub program: OsString,
    /// List what this profile does not have
    #[arg(long, value_name = "PROFILE")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Args)]
pub struct Lint {
    /// The profile; "-" is standard input
    pub profile: PathBuf,
    /// How the findings are written
    #[arg(long, value_enum, default_value_t = LintFormat::Text)]
    pub format: LintFormat,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// One a line
    Text,
    /// A list of objects
    Json,
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
    #[arg(long, visible_alias = "to", value_parser = formats(), default_value = "plain")]
    pub format: Format,
    /// The file to write, instead of standard output; the command keeps its own then
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Only calls that were seen, without those that they imply
    #[arg(long)]
    pub exact: bool,
    /// What the profile says about other calls: kill, errno, errno:NUMBER or log
    #[arg(long = "default-action", value_name = "ACTION")]
    pub action: Option<Action>,
    /// Answer the calls of kernels newer than the profile with ENOSYS
    #[arg(long)]
    pub newer_absent: bool,
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
    #[arg(long, value_parser = formats())]
    pub from: Option<Format>,
    /// The architecture of the profiles read, where their format does not say
    #[arg(long, value_name = "ARCH")]
    pub from_arch: Option<Arch>,
    /// Leave out names that no table has
    #[arg(long)]
    pub ignore_unknown: bool,
    /// Leave out entries with conditions on arguments
    #[arg(long)]
    pub ignore_conditional: bool,
    /// The machine that Docker's and podman's rules are read for, as x86-64 or s390x [default: this one]
    #[arg(long, value_name = "ARCH")]
    pub for_arch: Option<Arch>,
    /// The capabilities that they are read for: names with commas between, none, all, container
    #[arg(long, value_name = "CAPS", default_value = "container")]
    pub caps: Caps,
    /// The kernel that they are read for, as 6.18 [default: this one]
    #[arg(long, value_name = "VERSION")]
    pub for_kernel: Option<Kernel>,
}

impl Reading {
    /// What the library is told of it.
    pub fn how(&self) -> format::Reading {
        let mut machine = Machine::default();
        machine.arch = self.for_arch.unwrap_or(machine.arch);
        machine.kernel = self.for_kernel.unwrap_or(machine.kernel);
        machine.caps = self.caps;
        format::Reading {
            arch: self.from_arch,
            ignore_unknown: self.ignore_unknown,
            ignore_conditional: self.ignore_conditional,
            machine,
        }
    }
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
    /// Records that may wait, at least, in the kernel and again in the socket (with --via log)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub backlog: Option<u32>,
    /// Ask the command to end after this time (SIGTERM), as 90, 1.5m or 2h; kill it 10 seconds later
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// No progress and no summary
    #[arg(short, long)]
    pub quiet: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
