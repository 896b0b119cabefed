// SPDX-License-Identifier: GPL-2.0-only

//! `lint`: what is wrong with a profile.

use anyhow::Result;
use seccomp_learn::lint::{lint, Finding, Severity};
use serde::Serialize;

use super::args::{Lint, LintFormat};
use super::profiles::read_profile;
use super::say::{print_all, printable, say};
use super::EXIT_DIFFERENT;

#[derive(Serialize)]
struct Entry {
    severity: String,
    rule: &'static str,
    call: Option<String>,
    text: String,
}

/// A line for each finding; the same of one call on several architectures is one.
fn lines(findings: &[Finding]) -> String {
    let mut grouped: Vec<(&Finding, Vec<String>)> = Vec::new();
    for found in findings {
        let label = |of: &Finding| of.call.map(|call| call.label());
        let same = |there: &&Finding| {
            there.rule == found.rule && there.text == found.text && label(there) == label(found)
        };
        let call = found.call.map(|call| call.to_string());
        match grouped.iter_mut().find(|(there, _)| same(there)) {
            Some((_, calls)) => calls.extend(call),
            None => grouped.push((found, call.into_iter().collect())),
        }
    }
    let line = |(found, calls): (&Finding, Vec<String>)| {
        let calls = match calls.is_empty() {
            true => String::new(),
            false => format!("{}: ", calls.join(", ")),
        };
        let line = format!("{}: {calls}{} [{}]", found.severity, found.text, found.rule);
        format!("{}\n", printable(&line))
    };
    grouped.into_iter().map(line).collect()
}

pub fn run(args: Lint) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    let findings = lint(&profile);
    let text: String = match args.format {
        LintFormat::Text => lines(&findings),
        LintFormat::Json => {
            let entries: Vec<Entry> = findings
                .iter()
                .map(|found| Entry {
                    severity: found.severity.to_string(),
                    rule: found.rule,
                    call: found.call.map(|call| call.to_string()),
                    text: found.text.clone(),
                })
                .collect();
            serde_json::to_string_pretty(&entries)? + "\n"
        }
    };
    print_all(text.as_bytes())?;
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let [dangers, warnings, notes] =
        [Severity::Danger, Severity::Warning, Severity::Note].map(count);
    say(format_args!(
        "{} calls; dangers: {dangers}, warnings: {warnings}, notes: {notes}",
        profile.calls.len()
    ));
    Ok(match dangers + warnings {
        0 => 0,
        _ => EXIT_DIFFERENT,
    })
}
