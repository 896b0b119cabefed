// SPDX-License-Identifier: GPL-2.0-only

//! `review`: a person takes or refuses what is new.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{bail, Result};
use seccomp_learn::lint::lint;
use seccomp_learn::profile::Profile;
use seccomp_learn::report::{self, Report};
use seccomp_learn::review::{items, needed, refuse, Item};

use super::args::{ReportFormat, Review};
use super::output::Output;
use super::profiles::{output, read_profile, write_profile};
use super::say::{line, print_all, printable, say};

pub fn run(args: Review) -> Result<u8> {
    let mut profile = read_profile(&args.profile, &args.reading)?;
    let base = match &args.base {
        Some(path) => read_profile(path, &args.reading)?,
        None => Profile::default(),
    };
    let new = items(&base, &profile);
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let ask = args.ask || (terminal && args.report.is_none());
    if !ask {
        let findings = lint(&profile);
        let name = args.profile.display().to_string();
        let report = Report {
            name: &name,
            profile: &profile,
            items: &new,
            findings: &findings,
        };
        let text = match args.report.unwrap_or(ReportFormat::Text) {
            ReportFormat::Text => report::text(&report),
            ReportFormat::Json => report::json(&report),
            ReportFormat::Html => report::html(&report),
        };
        match output(&args.writing) {
            Output::Standard => print_all(text.as_bytes())?,
            file => {
                file.write(&text)?;
                0
            }
        };
        return Ok(0);
    }
    let output = output(&args.writing);
    output.check()?;
    let refused = decide(&new, &mut io::stdin().lock())?;
    let names: Vec<String> = refused.iter().map(|item| item.call.to_string()).collect();
    for item in &refused {
        refuse(&mut profile, item);
    }
    say(match names.len() {
        0 => format!("{} taken, none refused", new.len()),
        n => format!("{} taken, refused: {}", new.len() - n, names.join(" ")),
    });
    write_profile(&mut profile, &args.writing, &output)?;
    Ok(0)
}

/// Asks for each; returns those that are refused.
fn decide<'a>(items: &'a [Item], answers: &mut dyn BufRead) -> Result<Vec<&'a Item>> {
    let mut refused = Vec::new();
    let mut all = None;
    for (i, item) in items.iter().enumerate() {
        let taken = match all {
            Some(taken) => taken,
            None => {
                let (taken, rest) = one(item, (i + 1, items.len()), answers)?;
                if rest {
                    all = Some(taken);
                }
                taken
            }
        };
        if !taken {
            refused.push(item);
        }
    }
    Ok(refused)
}

/// Asks for one: whether it is taken, and whether the rest is as well.
fn one(item: &Item, (i, n): (usize, usize), answers: &mut dyn BufRead) -> Result<(bool, bool)> {
    let mark = item
        .severity()
        .map_or(String::new(), |severity| format!(" [{severity}]"));
    line("");
    line(format_args!(
        "{i}/{n}  {}{mark}: {}",
        item.call,
        report::change(item)
    ));
    for why in item.why.iter().skip(1) {
        line(format_args!("      {}", printable(why)));
    }
    if needed(item.call) {
        line("      without it nothing can be started under the profile");
    }
    loop {
        line("      y take, n refuse, a take all that are left, d refuse all that are left, q quit without writing");
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            bail!("there are no more answers: nothing was written");
        }
        match answer.trim() {
            "y" => return Ok((true, false)),
            "n" => return Ok((false, false)),
            "a" => return Ok((true, true)),
            "d" => return Ok((false, true)),
            "q" => bail!("nothing was written"),
            _ => {}
        }
    }
}
