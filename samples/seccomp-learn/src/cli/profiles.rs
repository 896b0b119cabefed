// SPDX-License-Identifier: GPL-2.0-only

//! `merge`, `diff`, `convert` and `show`; reading and writing profiles.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{anyhow, bail, Context, Result};
use seccomp_learn::action::Action;
use seccomp_learn::arguments::{describe, describe_values};
use seccomp_learn::evidence::counted;
use seccomp_learn::explain::often;
use seccomp_learn::format::{oci_startup, Format};
use seccomp_learn::groups;
use seccomp_learn::profile::Profile;
use seccomp_learn::syscalls::{Arch, Call, Seen};
use seccomp_learn::Error;

use super::args::{self, Purpose};
use super::output::Output;
use super::say::{print_all, printable, say};
use super::EXIT_DIFFERENT;

/// No profile is larger than this.
const MAX_PROFILE: u64 = 16 << 20;

pub fn merge(args: args::Merge) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let mut sum = Profile::default();
    let mut answer: Option<(&Path, Action)> = None;
    for path in &args.profiles {
        let profile = read_profile(path, &args.reading)?;
        if let Some(action) = profile.action.filter(|_| args.writing.action.is_none()) {
            let &mut (first, other) = answer.get_or_insert((path, action));
            if action != other {
                bail!(
                    "the default action of {} is {other}, of {} it is {action}: --default-action says which it is to be",
                    first.display(),
                    path.display(),
                );
            }
        }
        sum.merge(profile);
    }
    write_profile(&mut sum, &args.writing, &output)?;
    Ok(0)
}

pub fn diff(args: args::Diff) -> Result<u8> {
    let old = read_profile(&args.old, &args.reading)?;
    let new = read_profile(&args.new, &args.reading)?;
    let (removed, added) = old.diff(&new);
    // The most dangerous first.
    let mut lines: Vec<((usize, &str), String, String)> = Vec::new();
    let group = |call: &Call| groups::of(&call.label());
    for call in &removed {
        lines.push((group(call), call.to_string(), format!("-{call}")));
    }
    for call in &added {
        let instead = Profile::moved(&removed, *call);
        let instead = instead.map_or(String::new(), |other| format!("  in place of {other}"));
        let seen = new.calls.get(call).filter(|seen| !seen.when.is_always());
        let when = seen.map_or(String::new(), |seen| {
            format!("  when {}", describe(*call, &seen.when))
        });
        lines.push((
            group(call),
            call.to_string(),
            format!("+{call}{when}{instead}"),
        ));
    }
    for (call, before, after) in old.changed(&new) {
        let how = match (before.implies(after), after.implies(before)) {
            (true, _) => "loosened",
            (_, true) => "tightened",
            _ => "changed",
        };
        let [before, after] = [before, after].map(|when| describe(call, when));
        let line = format!("~{call}  {how}: {before} -> {after}");
        lines.push((group(&call), call.to_string(), line));
    }
    lines.sort();
    let mut text = String::new();
    let mut current = None;
    for ((_, group), _, line) in &lines {
        if current != Some(group) && !args.no_groups {
            text.push_str(&format!("# {group}\n"));
            current = Some(group);
        }
        text.push_str(&format!("{line}\n"));
    }
    print_all(text.as_bytes())?;
    for (path, profile) in [(&args.old, &old), (&args.new, &new)] {
        if let Some(why) = &profile.incomplete {
            say(format_args!("{} is incomplete: {why}", path.display()));
        }
    }
    Ok(if lines.is_empty() { 0 } else { EXIT_DIFFERENT })
}

pub fn convert(args: args::Convert) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let mut profile = read_profile(&args.profile, &args.reading)?;
    write_profile(&mut profile, &args.writing, &output)?;
    Ok(0)
}

pub fn show(args: args::Show) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    let mut rows: Vec<(usize, [String; 5])> = profile
        .calls
        .iter()
        .map(|(call, seen)| {
            let (rank, group) = groups::of(&call.label());
            let count = match seen.count {
                0 => "-".to_owned(),
                n => n.to_string(),
            };
            let row = [
                call.arch().to_string(),
                call.label(),
                count,
                group.to_owned(),
                often(&profile, *call, seen).map_or(String::new(), |often| format!("{often}  "))
                    + &origin(*call, seen),
            ];
            (rank + 1, row)
        })
        .collect();
    let head = ["ARCH", "CALL", "COUNT", "GROUP", "FIRST"];
    rows.push((0, head.map(str::to_owned)));
    rows.sort();
    let width = |i: usize| {
        let lengths = rows.iter().map(|(_, row)| row[i].len());
        lengths.max().unwrap_or(0)
    };
    let (a, b, c, d) = (width(0), width(1), width(2), width(3));
    let mut text = String::new();
    for (_, [arch, name, count, group, first]) in &rows {
        text.push_str(&format!(
            "{arch:a$}  {name:b$}  {count:>c$}  {group:d$}  {first}\n"
        ));
    }
    print_all(text.as_bytes())?;
    let action = match profile.action {
        Some(action) => format!(", other calls: {action}"),
        None => String::new(),
    };
    if !profile.absent.calls.is_empty() {
        let calls: Vec<String> = profile.absent.calls.iter().map(Call::to_string).collect();
        say(format_args!("answered with ENOSYS: {}", calls.join(" ")));
    }
    for (arch, from) in &profile.absent.newer {
        say(format_args!(
            "{arch}: answered with ENOSYS from number {from} on"
        ));
    }
    let implied = match profile.implied() {
        0 => String::new(),
        n => format!(", {n} of them implied"),
    };
    for evidence in &profile.evidence {
        say(format_args!(
            "{}{} on {}: {}, {} seen (via {}, seccomp-learn {})",
            evidence.program,
            match &evidence.build_id {
                Some(id) => format!(" (build-id {id})"),
                None => String::new(),
            },
            evidence.place(),
            evidence.extent(),
            counted(evidence.records, "call", "calls"),
            evidence.via,
            evidence.tool,
        ));
    }
    let history = match &profile.history {
        Some(history) if history.passes > 1 => format!(
            ", {} passes, the last new call in pass {}{}",
            history.passes,
            history.last_new,
            match history.lossy {
                0 => String::new(),
                n => format!(", {n} of them lost records"),
            }
        ),
        _ => String::new(),
    };
    let incomplete = match &profile.incomplete {
        Some(why) => format!(", incomplete: {why}"),
        None => String::new(),
    };
    say(format_args!(
        "{} calls{implied}{action}{history}{incomplete}",
        profile.calls.len()
    ));
    Ok(0)
}

/// Who made a call first, or why it is there although nobody did.
fn origin(call: Call, seen: &Seen) -> String {
    let who = match &seen.implied {
        Some(reason) => printable(&format!("(implied: {reason})")),
        None => printable(seen.first.as_deref().unwrap_or("-")),
    };
    who + &selected(call, seen)
}

/// In which cases it is allowed, if not in all; otherwise the values of the
/// arguments that select what a call does, if any were seen.
fn selected(call: Call, seen: &Seen) -> String {
    if !seen.when.is_always() {
        return format!("  when {}", describe(call, &seen.when));
    }
    let values = seen.values.iter();
    let values: Vec<String> = values.map(|values| describe_values(call, values)).collect();
    match values.len() {
        0 => String::new(),
        _ => format!("  ({})", values.join(", ")),
    }
}

/// Says which calls had conditions in a base and are seen with arguments that
/// nobody knows.
pub fn say_lifted(before: &Profile, after: &Profile, why: &str) {
    let lifted: Vec<String> = before.lifted(after).iter().map(Call::to_string).collect();
    if !lifted.is_empty() {
        say(format_args!(
            "{} had conditions, and has none now: {why}",
            lifted.join(" ")
        ));
    }
}

pub fn output(args: &args::Writing) -> Output {
    match &args.output {
        Some(path) if path.as_os_str() != "-" => Output::File(path.clone(), args.force),
        _ => Output::Standard,
    }
}

pub fn write_profile(profile: &mut Profile, args: &args::Writing, output: &Output) -> Result<()> {
    if args.action.is_some() {
        profile.action = args.action;
    }
    if args.exact {
        profile.exact();
    }
    if let Some(arch) = args.arch {
        profile.absent.calls.retain(|call| call.arch() == arch);
        profile.absent.newer.retain(|&other, _| other == arch);
        let any = !profile.calls.is_empty();
        profile.calls.retain(|call, _| call.arch() == arch);
        if any && profile.calls.is_empty() {
            bail!("the profile has no call of {arch}: nothing would be allowed");
        }
    }
    if args.purpose == Some(Purpose::Oci) {
        let mut archs = profile.archs();
        if archs.is_empty() {
            archs.insert(args.arch.unwrap_or(Arch::NATIVE));
        }
        let mut lifted = Vec::new();
        for call in oci_startup(&archs) {
            let when = profile.calls.get(&call).map(|seen| seen.when.is_always());
            if when == Some(false) {
                lifted.push(call.to_string());
            }
            profile.allow(call);
        }
        if !lifted.is_empty() {
            say(format_args!(
                "a runtime makes these with arguments of its own, so they have no condition: {}",
                lifted.join(" ")
            ));
        }
    }
    if args.newer_absent {
        profile.answer_newer();
    }
    let rendered = args.format.write(profile)?;
    for warning in &rendered.warnings {
        say(warning);
    }
    output.write(&rendered.text)
}

pub fn read_profile(path: &Path, args: &args::Reading) -> Result<Profile> {
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
        anyhow!("{name}:{line}:{}: this is no text", good.len() - begin + 1)
    })?;
    let format = args.from.unwrap_or_else(|| Format::guess(&text));
    let read = format.read(&text, &args.how()).map_err(|e| match e {
        Error::Syntax(place) => anyhow!("{name}:{place}"),
        e => anyhow!(e).context(name.to_string()),
    })?;
    for warning in &read.warnings {
        say(format_args!("{name}: {warning}"));
    }
    Ok(read.profile)
}
