// SPDX-License-Identifier: GPL-2.0-only

//! `static`: what a program could call, by reading it.

use anyhow::Result;
use seccomp_learn::reach::reach;
use seccomp_learn::run::find;

use super::args::Static;
use super::profiles::read_profile;
use super::say::{print_all, printable, say};

/// How many functions are named.
const SHOWN: usize = 6;

pub fn run(args: Static) -> Result<u8> {
    let path = find(&args.program)?;
    let found = reach(&path)?;
    let mut text = String::new();
    let profile = match &args.against {
        Some(path) => Some(read_profile(path, &args.reading)?),
        None => None,
    };
    let known = |call| profile.as_ref().is_some_and(|p| p.calls.contains_key(call));
    let mut more: Vec<(String, String)> = found
        .calls
        .iter()
        .filter(|(call, _)| !known(call))
        .map(|(call, function)| (call.to_string(), function.clone()))
        .collect();
    more.sort();
    let width = more.iter().map(|(call, _)| call.len()).max().unwrap_or(0);
    for (call, function) in &more {
        text += &format!("{call:width$}  # {}\n", printable(function));
    }
    print_all(text.as_bytes())?;
    say(match &profile {
        Some(profile) => {
            let seen = profile.calls.values().filter(|seen| seen.implied.is_none());
            let unread: Vec<String> = profile
                .calls
                .iter()
                .filter(|(call, seen)| seen.implied.is_none() && !found.calls.contains_key(call))
                .map(|(call, _)| call.to_string())
                .collect();
            let beyond = match unread.is_empty() {
                true => String::new(),
                false => format!("; seen, but not read in the files: {}", unread.join(" ")),
            };
            format!(
                "{} seen, {} more reachable in code that never ran{beyond}",
                seen.count(),
                more.len()
            )
        }
        None => format!("{} reachable", more.len()),
    });
    say(format_args!("{} files read", found.files.len()));
    if !found.missing.is_empty() {
        say(format_args!("not found: {}", found.missing.join(" ")));
    }
    if !found.unknown.is_empty() {
        let sum: u32 = found.unknown.values().sum();
        let names: Vec<&str> = found
            .unknown
            .keys()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        say(format_args!(
            "{sum} system calls have a number that is not known, in {} functions: {}{}",
            found.unknown.len(),
            names.join(", "),
            if found.unknown.len() > SHOWN {
                ", …"
            } else {
                ""
            },
        ));
    }
    if !found.blind.is_empty() {
        let names: Vec<&str> = found.blind.iter().copied().collect();
        say(format_args!(
            "{} is reachable: what it loads was not read",
            names.join(", ")
        ));
    }
    Ok(0)
}
