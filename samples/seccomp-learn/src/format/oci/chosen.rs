// SPDX-License-Identifier: GPL-2.0-only

//! `includes` and `excludes` of Docker's and podman's files: on which machines,
//! and with which capabilities, a rule counts.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::format::place::Text;
use crate::format::Syntax;
use crate::machine::{Kernel, Machine};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Choice<'a> {
    #[serde(borrow)]
    caps: Option<Vec<&'a str>>,
    #[serde(borrow)]
    arches: Option<Vec<&'a str>>,
    #[serde(borrow)]
    min_kernel: Option<&'a RawValue>,
}

/// What of a choice is so on a machine; `None` for what it does not ask.
struct Met {
    arch: Option<bool>,
    kernel: Option<bool>,
    all_caps: bool,
    any_cap: bool,
}

fn met<'a>(text: Text<'a>, choice: Option<&'a RawValue>, machine: &Machine) -> Result<Met, Syntax> {
    let choice: Choice<'_> = match choice {
        Some(piece) => text.piece::<Option<Choice<'_>>>(piece)?.unwrap_or_default(),
        None => Choice::default(),
    };
    let arches = choice.arches.filter(|arches| !arches.is_empty());
    let caps = choice.caps.unwrap_or_default();
    let kernel = match choice.min_kernel {
        Some(piece) => match text.piece::<Option<&str>>(piece)? {
            None | Some("") => None,
            Some(version) => {
                let least: Kernel = text.check(piece, version.parse())?;
                Some(machine.kernel >= least)
            }
        },
        None => None,
    };
    Ok(Met {
        arch: arches.map(|arches| arches.iter().any(|name| name.parse() == Ok(machine.arch))),
        kernel,
        all_caps: caps.iter().all(|cap| machine.caps.has(cap)),
        any_cap: caps.iter().any(|cap| machine.caps.has(cap)),
    })
}

/// Whether a rule counts on this machine: as moby and podman read it, what is
/// included must all be so, and nothing that is excluded.
pub fn counts<'a>(
    text: Text<'a>,
    includes: Option<&'a RawValue>,
    excludes: Option<&'a RawValue>,
    machine: &Machine,
) -> Result<bool, Syntax> {
    let include = met(text, includes, machine)?;
    let exclude = met(text, excludes, machine)?;
    Ok(include.arch != Some(false)
        && include.kernel != Some(false)
        && include.all_caps
        && exclude.arch != Some(true)
        && exclude.kernel != Some(true)
        && !exclude.any_cap)
}
