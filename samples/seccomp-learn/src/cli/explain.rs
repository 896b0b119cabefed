// SPDX-License-Identifier: GPL-2.0-only

//! `explain`: why a call is in a profile.

use anyhow::Result;
use seccomp_learn::explain::explain;

use super::args::Explain;
use super::profiles::read_profile;
use super::say::{print_all, printable};
use super::EXIT_DIFFERENT;

pub fn run(args: Explain) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    let lines = explain(&profile, args.call).into_iter();
    let text: String = lines.map(|line| printable(&line) + "\n").collect();
    print_all(text.as_bytes())?;
    Ok(match profile.calls.contains_key(&args.call) {
        true => 0,
        false => EXIT_DIFFERENT,
    })
}
