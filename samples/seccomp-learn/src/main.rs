// SPDX-License-Identifier: GPL-2.0

//! The command line: reads its arguments, calls the library, reports.

mod cli;

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{bail, Context, Result};
use clap::{CommandFactory, Parser};
use indicatif::{ProgressBar, ProgressStyle};

use cli::{Cli, Command, Purpose};
use seccomp_learn::action::Action;
use seccomp_learn::format::{oci_startup, Format, Reading, Syntax};
use seccomp_learn::fromlog::{self, Choice};
use seccomp_learn::learn::{learn, Lesson};
use seccomp_learn::output::Output;
use seccomp_learn::profile::Profile;
use seccomp_learn::run::{self, Job, Loss, NotStarted, Outcome, Via};
use seccomp_learn::syscalls::{Arch, Call, Seen};

/// `diff` found a difference.
const EXIT_DIFFERENT: u8 = 1;
/// The list may not be whole.
const EXIT_INCOMPLETE: u8 = 124;
/// seccomp-learn itself failed.
const EXIT_FAILED: u8 = 125;
/// The command was found and could not be executed.
const EXIT_NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
const EXIT_NOT_FOUND: u8 = 127;

/// How many of a log's programs are listed.
const SHOWN_PROGRAMS: usize = 16;

/// No profile is larger than this.
const MAX_PROFILE: u64 = 16 << 20;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { EXIT_FAILED } else { 0 });
        }
    };
    let result = match cli.command {
        Command::Run(args) => run(args),
        Command::FromLog(args) => from_log(args),
        Command::Enforce(args) => enforce(args),
        Command::Merge(args) => merge(args),
        Command::Diff(args) => diff(args),
        Command::Convert(args) => convert(args),
        Command::Show(args) => show(args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "seccomp-learn", &mut text);
            print_all(&text)
        }
        Command::Man => man(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("seccomp-learn: {e:#}");
            ExitCode::from(match e.downcast_ref::<NotStarted>() {
                Some(NotStarted(_, e)) if e.kind() == io::ErrorKind::NotFound => EXIT_NOT_FOUND,
                Some(_) => EXIT_NOT_EXECUTABLE,
                None => EXIT_FAILED,
            })
        }
    }
}

fn run(args: cli::Run) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let base = match &args.base {
        Some(path) => read_profile(path, &args.reading)?,
        None => Profile::default(),
    };
    let via = choose_via(&args.execution)?;
    let records = match &args.records {
        Some(_) if via == Via::Notify => bail!("--records: there are no records with --via notify"),
        Some(path) => Some(
            File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => None,
    };
    let progress = Progress::new(args.execution.quiet);
    let learnt = learn(Lesson {
        command: &args.execution.command,
        base: base.calls,
        via,
        keep_privs: args.execution.keep_privs,
        backlog: args.execution.backlog,
        passes: args.passes,
        retries: args.retry,
        on_new: &|distinct, call| progress.show(distinct, call),
        on_left: &|| progress.left(),
        records: records.as_ref(),
    });
    progress.end();
    let learnt = learnt?;
    let distinct = learnt.calls.len();
    let incomplete = reasons(&learnt.losses).or(base.incomplete);
    let mut profile = Profile {
        calls: learnt.calls,
        action: base.action,
        incomplete: incomplete.clone(),
    };
    let written = write_profile(&mut profile, &args.writing, &output);
    if !args.execution.quiet || incomplete.is_some() {
        eprintln!(
            "seccomp-learn: {} {}, {distinct} distinct calls, {}{}; the command's exit status is {}",
            learnt.records,
            match via {
                Via::Log => "records",
                Via::Notify => "notifications",
            },
            match &incomplete {
                Some(why) => format!("incomplete: {why}"),
                None => "complete".to_owned(),
            },
            match learnt.passes {
                1 => String::new(),
                n => format!(", {n} passes"),
            },
            learnt.status,
        );
    }
    written?;
    Ok(match incomplete {
        Some(_) => EXIT_INCOMPLETE,
        None => learnt.status as u8,
    })
}

fn from_log(args: cli::FromLog) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let choice = Choice {
        session: args.ses,
        pid: args.pid,
        comm: args.comm,
        exe: args.exe,
        any_action: args.any_action,
    };
    let name = args.file.display();
    let found = if args.file.as_os_str() == "-" {
        fromlog::read(io::stdin().lock(), &choice)
    } else {
        let file = File::open(&args.file).with_context(|| format!("cannot read {name}"))?;
        fromlog::read(BufReader::with_capacity(1 << 16, file), &choice)
    }
    .with_context(|| format!("cannot read {name}"))?;
    let incomplete = reasons(&found.losses);
    if let Some((line, column)) = found.unreadable {
        eprintln!("seccomp-learn: {name}:{line}:{column}: this seccomp record cannot be read");
    }
    if found.records == 0 && incomplete.is_none() {
        bail!(
            "{name}: there is no seccomp record{} in it",
            if choice.any_action {
                ""
            } else {
                " of SECCOMP_RET_LOG (--any-action takes others)"
            }
        );
    }
    if found.programs.len() > 1 {
        // The ones with most records; there may be very many.
        let mut programs: Vec<_> = found.programs.iter().collect();
        programs.sort_by_key(|(_, &records)| std::cmp::Reverse(records));
        eprintln!(
            "seccomp-learn: the records are of several programs; --exe, --comm, --ses and --pid choose:"
        );
        for (path, records) in programs.iter().take(SHOWN_PROGRAMS) {
            eprintln!("{records:>10}  {}", printable(&path.to_string_lossy()));
        }
        if programs.len() > SHOWN_PROGRAMS {
            eprintln!("{:>10}  others", "");
        }
    }
    let distinct = found.calls.len();
    let mut profile = match &args.base {
        Some(path) => read_profile(path, &args.reading)?,
        None => Profile::default(),
    };
    let known = profile.calls.len();
    profile.merge(Profile {
        calls: found.calls,
        action: None,
        incomplete,
    });
    let added = match args.base {
        Some(_) => format!(" ({} of them new)", profile.calls.len() - known),
        None => String::new(),
    };
    write_profile(&mut profile, &args.writing, &output)?;
    eprintln!(
        "seccomp-learn: {} records, {distinct} distinct calls{added}, {}",
        found.records,
        match &profile.incomplete {
            Some(why) => format!("incomplete: {why}"),
            None => "nothing says that any are missing".to_owned(),
        }
    );
    Ok(if profile.incomplete.is_some() {
        EXIT_INCOMPLETE
    } else {
        0
    })
}

fn enforce(args: cli::Enforce) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    if let Some(why) = &profile.incomplete {
        eprintln!("seccomp-learn: the profile is incomplete: {why}");
    }
    let starts = |call: &Call| {
        matches!(call.name().as_deref(), Some("execve")) && call.arch() == Arch::NATIVE
    };
    if !profile.calls.keys().any(starts) && args.action != Action::Log {
        bail!(
            "{}: the profile does not allow execve, so that nothing can be started under it",
            args.profile.display()
        );
    }
    let via = choose_via(&args.execution)?;
    let progress = Progress::new(args.execution.quiet);
    let outcome = run::run(&Job {
        command: &args.execution.command,
        allowed: &profile.calls,
        action: args.action,
        via,
        keep_privs: args.execution.keep_privs,
        backlog: args.execution.backlog,
        on_new: &|_, _| {},
        on_left: &|| progress.left(),
        records: None,
    })?;
    if !args.execution.quiet || !outcome.calls.is_empty() || !outcome.losses.is_empty() {
        report(&outcome);
    }
    Ok(outcome.status as u8)
}

/// Says what a profile refused.
fn report(outcome: &Outcome) {
    let refused: Vec<String> = outcome
        .calls
        .iter()
        .map(|(call, seen)| {
            format!(
                "{call} ({}by {})",
                match seen.count {
                    1 => String::new(),
                    n => format!("{n} times, first "),
                },
                seen.first.as_deref().unwrap_or("a task without name"),
            )
        })
        .collect();
    let refused = if refused.is_empty() {
        "nothing".to_owned()
    } else {
        refused.join(", ")
    };
    let incomplete = match reasons(&outcome.losses) {
        Some(why) => format!("; this report is incomplete: {why}"),
        None => String::new(),
    };
    eprintln!(
        "seccomp-learn: refused: {refused}{incomplete}; the command's exit status is {}",
        outcome.status
    );
}

fn merge(args: cli::Merge) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let mut sum = Profile::default();
    for path in &args.profiles {
        sum.merge(read_profile(path, &args.reading)?);
    }
    write_profile(&mut sum, &args.writing, &output)?;
    Ok(0)
}

fn diff(args: cli::Diff) -> Result<u8> {
    let old = read_profile(&args.old, &args.reading)?;
    let new = read_profile(&args.new, &args.reading)?;
    let (removed, added) = old.diff(&new);
    let mut lines: Vec<(String, char)> = Vec::new();
    lines.extend(removed.iter().map(|call| (call.to_string(), '-')));
    lines.extend(added.iter().map(|call| (call.to_string(), '+')));
    lines.sort();
    let text: String = lines
        .iter()
        .map(|(call, sign)| format!("{sign}{call}\n"))
        .collect();
    print_all(text.as_bytes())?;
    for (path, profile) in [(&args.old, &old), (&args.new, &new)] {
        if let Some(why) = &profile.incomplete {
            eprintln!("seccomp-learn: {} is incomplete: {why}", path.display());
        }
    }
    Ok(if lines.is_empty() { 0 } else { EXIT_DIFFERENT })
}

fn convert(args: cli::Convert) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let mut profile = read_profile(&args.profile, &args.reading)?;
    write_profile(&mut profile, &args.writing, &output)?;
    Ok(0)
}

fn show(args: cli::Show) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    let mut rows: Vec<[String; 4]> = profile
        .calls
        .iter()
        .map(|(call, seen)| {
            [
                call.arch().to_string(),
                call.label(),
                match seen.count {
                    0 => "-".to_owned(),
                    n => n.to_string(),
                },
                printable(seen.first.as_deref().unwrap_or("-")) + &selected(seen),
            ]
        })
        .collect();
    rows.sort();
    rows.insert(0, ["ARCH", "CALL", "COUNT", "FIRST"].map(str::to_owned));
    let width = |i: usize| rows.iter().map(|row| row[i].len()).max().unwrap_or(0);
    let (a, b, c) = (width(0), width(1), width(2));
    let mut text = String::new();
    for [arch, name, count, first] in &rows {
        text.push_str(&format!("{arch:a$}  {name:b$}  {count:>c$}  {first}\n"));
    }
    print_all(text.as_bytes())?;
    let action = match profile.action {
        Some(action) => format!(", other calls: {action}"),
        None => String::new(),
    };
    eprintln!(
        "seccomp-learn: {} calls{action}{}",
        profile.calls.len(),
        match &profile.incomplete {
            Some(why) => format!(", incomplete: {why}"),
            None => String::new(),
        }
    );
    Ok(0)
}

/// The values of the argument that selects what a call does, if any were seen.
fn selected(seen: &Seen) -> String {
    let values: Vec<String> = seen.selectors.iter().map(|v| format!("{v:#x}")).collect();
    match values.len() {
        0 => String::new(),
        _ => format!("  ({})", values.join(", ")),
    }
}

/// The man page: one for all commands, as there is one program.
fn man() -> Result<u8> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    writeln!(
        text,
        ".SH SYNOPSIS\n\\fBseccomp\\-learn\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] ..."
    )?;
    writeln!(text, ".SH DESCRIPTION")?;
    paragraphs(&mut text, cli::DESCRIPTION)?;
    for sub in command.get_subcommands() {
        if sub.get_name() == "help" {
            continue;
        }
        let page = clap_mangen::Man::new(sub.clone());
        let mut part = Vec::new();
        page.render_synopsis_section(&mut part)?;
        page.render_description_section(&mut part)?;
        page.render_options_section(&mut part)?;
        writeln!(text, ".SH \"COMMAND: {}\"", sub.get_name().to_uppercase())?;
        // Its sections are parts of this one.
        for line in String::from_utf8_lossy(&part).lines() {
            let line = line.replacen(".SH ", ".SS ", usize::from(line.starts_with(".SH ")));
            writeln!(text, "{line}")?;
        }
    }
    for (title, body) in cli::SECTIONS {
        writeln!(text, ".SH {title}")?;
        paragraphs(&mut text, body)?;
    }
    print_all(&text)
}

/// Text as roff: lines with an indent stay lines.
fn paragraphs(out: &mut Vec<u8>, body: &str) -> Result<()> {
    for line in body.lines() {
        let escaped = line.trim_start().replace('\\', "\\e").replace('-', "\\-");
        match line {
            "" => writeln!(out, ".PP")?,
            _ if line.starts_with(' ') => writeln!(out, ".br\n\\&    {escaped}")?,
            _ => writeln!(out, "\\&{escaped}")?,
        }
    }
    Ok(())
}

fn output(args: &cli::Writing) -> Output {
    match &args.output {
        Some(path) if path.as_os_str() != "-" => Output::File(path.clone(), args.force),
        _ => Output::Standard,
    }
}

fn write_profile(profile: &mut Profile, args: &cli::Writing, output: &Output) -> Result<()> {
    if args.action.is_some() {
        profile.action = args.action;
    }
    if args.purpose == Some(Purpose::Oci) {
        for call in oci_startup() {
            profile.allow(call);
        }
    }
    if let Some(arch) = args.arch {
        profile.calls.retain(|call, _| call.arch() == arch);
    }
    let rendered = args.format.write(profile)?;
    for warning in &rendered.warnings {
        eprintln!("seccomp-learn: {warning}");
    }
    output.write(&rendered.text)
}

fn read_profile(path: &Path, args: &cli::Reading) -> Result<Profile> {
    let name = path.display();
    let mut text = Vec::new();
    let mut read = |file: &mut dyn Read| -> io::Result<u64> {
        Ok(file.take(MAX_PROFILE + 1).read_to_end(&mut text)? as u64)
    };
    let size = if path.as_os_str() == "-" {
        read(&mut io::stdin().lock())
    } else {
        fs::File::open(path).and_then(|mut file| read(&mut file))
    }
    .with_context(|| format!("cannot read {name}"))?;
    if size > MAX_PROFILE {
        bail!("{name} is larger than {MAX_PROFILE} bytes, so it is no profile");
    }
    let text = String::from_utf8(text).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let begin = good
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at + 1);
        let line = good.iter().filter(|&&b| b == b'\n').count() + 1;
        anyhow::anyhow!("{name}:{line}:{}: this is no text", good.len() - begin + 1)
    })?;
    let format = args.from.unwrap_or_else(|| Format::guess(&text));
    let how = Reading {
        arch: args.from_arch,
        ignore_unknown: args.ignore_unknown,
        ignore_conditional: args.ignore_conditional,
    };
    format
        .read(&text, &how)
        .map_err(|e| match e.downcast_ref::<Syntax>() {
            Some(place) => anyhow::anyhow!("{name}:{place}"),
            None => e.context(name.to_string()),
        })
}

fn choose_via(args: &cli::Execution) -> Result<Via> {
    let (via, why) = match args.via {
        cli::Via::Log => (Via::Log, None),
        cli::Via::Notify => (Via::Notify, None),
        cli::Via::Auto => run::available(),
    };
    if !args.quiet {
        match (via, why) {
            (Via::Notify, Some(why)) => {
                eprintln!("seccomp-learn: via notify, as audit cannot be read ({why})");
            }
            (Via::Notify, None) => eprintln!("seccomp-learn: via notify"),
            (Via::Log, _) => eprintln!("seccomp-learn: via the audit log"),
        }
        let program = args.command.first().context("no command")?;
        if !args.keep_privs && run::gains_privileges(program) {
            eprintln!(
                "seccomp-learn: {} is set-uid or set-gid, and gains nothing under no_new_privs; \
                 --keep-privs, as root, runs it as ever",
                program.to_string_lossy()
            );
        }
    }
    Ok(via)
}

fn reasons(losses: &[Loss]) -> Option<String> {
    if losses.is_empty() {
        return None;
    }
    let texts: Vec<String> = losses.iter().map(ToString::to_string).collect();
    Some(texts.join(", "))
}

/// A name as a task chose it must not reach the terminal as it is.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn print_all(text: &[u8]) -> Result<u8> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        result => {
            result.context("cannot write to standard output")?;
            Ok(0)
        }
    }
}

/// A line on standard error while that is a terminal.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{pos} distinct calls, last {msg}") {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    fn show(&self, distinct: usize, call: Call) {
        if let Some(bar) = &self.0 {
            bar.set_message(call.to_string());
            bar.set_position(distinct as u64);
        }
    }

    fn left(&self) {
        if let Some(bar) = &self.0 {
            bar.suspend(|| {
                eprintln!(
                    "seccomp-learn: the command has ended and left processes; \
                     Ctrl-C ends the run without waiting for them"
                );
            });
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
