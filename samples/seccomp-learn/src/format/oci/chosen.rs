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

/// A choice as it is understood: `None` for what it does not ask.
struct Asked<'a> {
    arches: Option<Vec<&'a str>>,
    kernel: Option<Kernel>,
    caps: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(text: Text<'a>, choice: Option<&'a RawValue>) -> Result<Self, Syntax> {
        let choice: Choice<'_> = match choice {
            Some(piece) => text.piece::<Option<Choice<'_>>>(piece)?.unwrap_or_default(),
            None => Choice::default(),
        };
        let kernel = match choice.min_kernel {
            Some(piece) => match text.piece::<Option<&str>>(piece)? {
                None | Some("") => None,
                Some(version) => Some(text.check(piece, version.parse())?),
            },
            None => None,
        };
        Ok(Self {
            arches: choice.arches.filter(|arches| !arches.is_empty()),
            kernel,
            caps: choice.caps.unwrap_or_default(),
        })
    }

    fn arch(&self, machine: &Machine) -> Option<bool> {
        let arches = self.arches.as_ref()?;
        Some(arches.iter().any(|name| name.parse() == Ok(machine.arch)))
    }

    fn kernel(&self, machine: &Machine) -> Option<bool> {
        self.kernel.map(|least| machine.kernel >= least)
    }
}

/// Where a rule counts.
pub struct Chosen<'a> {
    include: Asked<'a>,
    exclude: Asked<'a>,
}

impl<'a> Chosen<'a> {
    pub fn read(
        text: Text<'a>,
        includes: Option<&'a RawValue>,
        excludes: Option<&'a RawValue>,
    ) -> Result<Self, Syntax> {
        Ok(Self {
            include: Asked::read(text, includes)?,
            exclude: Asked::read(text, excludes)?,
        })
    }

    /// Whether the rule counts on this machine: as moby and podman read it, what is
    /// included must all be so, and nothing that is excluded.
    pub fn counts(&self, machine: &Machine) -> bool {
        let Self { include, exclude } = self;
        include.arch(machine) != Some(false)
            && include.kernel(machine) != Some(false)
            && include.caps.iter().all(|cap| machine.caps.has(cap))
            && exclude.arch(machine) != Some(true)
            && exclude.kernel(machine) != Some(true)
            && !exclude.caps.iter().any(|cap| machine.caps.has(cap))
    }
}
