// SPDX-License-Identifier: GPL-2.0-only

//! `from-log`: a profile out of records that somebody has kept.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};

use anyhow::{bail, Context, Result};
use seccomp_learn::fromlog::{read, Choice, Found};
use seccomp_learn::profile::Profile;

use super::args::FromLog;
use super::profiles::{output, read_profile, say_lifted, write_profile};
use super::say::{line, printable, reasons, say};
use super::EXIT_INCOMPLETE;

/// How many of a log's programs are listed.
const SHOWN_PROGRAMS: usize = 16;

pub fn run(args: FromLog) -> Result<u8> {
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
        read(io::stdin().lock(), &choice)
    } else {
        let file = File::open(&args.file).with_context(|| format!("cannot read {name}"))?;
        read(BufReader::with_capacity(1 << 16, file), &choice)
    }
    .with_context(|| format!("cannot read {name}"))?;
    let incomplete = reasons(&found.losses);
    if let Some((line, column)) = found.unreadable {
        say(format_args!(
            "{name}:{line}:{column}: this seccomp record cannot be read"
        ));
    }
    if found.records == 0 && incomplete.is_none() {
        let kind = match choice.any_action {
            true => "",
            false => " of SECCOMP_RET_LOG (--any-action takes others)",
        };
        match found.others {
            0 => bail!("{name}: there is no seccomp record{kind} in it"),
            n => bail!(
                "{name}: of {n} seccomp records{kind} none is of {}",
                options(&choice)
            ),
        }
    }
    list_programs(&found);
    let distinct = found.calls.len();
    let mut profile = match &args.base {
        Some(path) => read_profile(path, &args.reading)?,
        None => Profile::default(),
    };
    let before = profile.clone();
    let known = profile.calls.len() - profile.implied();
    let mut learnt = Profile::default();
    learnt.calls = found.calls;
    learnt.incomplete = incomplete;
    learnt.evidence = found.evidence;
    profile.merge(learnt);
    say_lifted(&before, &profile, "a record has no arguments");
    let added = match args.base {
        Some(_) => {
            let all = profile.calls.len() - profile.implied();
            format!(" ({} of them new)", all - known)
        }
        None => String::new(),
    };
    if !args.writing.exact {
        profile.imply();
    }
    write_profile(&mut profile, &args.writing, &output)?;
    let implied = match profile.implied() {
        0 => String::new(),
        n => format!(" and {n} implied"),
    };
    say(format_args!(
        "{} records, {distinct} distinct calls{added}{implied}, {}",
        found.records,
        match &profile.incomplete {
            Some(why) => format!("incomplete: {why}"),
            None => "nothing says that any are missing".to_owned(),
        }
    ));
    Ok(match profile.incomplete {
        Some(_) => EXIT_INCOMPLETE,
        None => 0,
    })
}

/// The options that choose whose records to take, as they were given.
fn options(choice: &Choice) -> String {
    let text = |text: &OsString| text.to_string_lossy().into_owned();
    [
        ("--ses", choice.session.map(|ses| ses.to_string())),
        ("--pid", choice.pid.map(|pid| pid.to_string())),
        ("--comm", choice.comm.as_ref().map(text)),
        ("--exe", choice.exe.as_ref().map(text)),
    ]
    .into_iter()
    .filter_map(|(option, value)| Some(format!("{option} {}", value?)))
    .collect::<Vec<_>>()
    .join(" ")
}

/// The programs with most records, if there are several; there may be very many.
fn list_programs(found: &Found) {
    if found.programs.len() < 2 {
        return;
    }
    let mut programs: Vec<_> = found.programs.iter().collect();
    programs.sort_by_key(|(_, &records)| std::cmp::Reverse(records));
    say("the records are of several programs; --exe, --comm, --ses and --pid choose:");
    for (path, records) in programs.iter().take(SHOWN_PROGRAMS) {
        line(format_args!(
            "{records:>10}  {}",
            printable(&path.to_string_lossy())
        ));
    }
    if programs.len() > SHOWN_PROGRAMS {
        line(format_args!("{:>10}  others", ""));
    }
}
