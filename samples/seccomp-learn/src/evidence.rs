// SPDX-License-Identifier: GPL-2.0-only

//! What a profile rests on: which program was learnt from, where, and how.

use std::fs;
use std::path::Path;

use crate::elf;
use crate::syscalls::Arch;

/// How the calls were seen that a log has.
const RECORDS: &str = "records";

/// Lessons from one program in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The program, as it was called.
    pub program: String,
    /// Its build-id, in hexadecimal; a script has none.
    pub build_id: Option<String>,
    /// The kernel's release; empty where a log does not say it.
    pub kernel: String,
    /// The machine's architecture; empty likewise.
    pub machine: String,
    /// This tool's version.
    pub tool: String,
    /// How the calls were seen: `log`, `notify`, or `records` that were there already.
    pub via: String,
    /// Runs of the tool.
    pub runs: u32,
    /// Passes that the program was run for; 0 where its records were kept by
    /// somebody else.
    pub passes: u32,
    /// Those of them that lost records.
    pub lossy: u32,
    /// Calls that were seen, each time.
    pub records: u64,
}

impl Evidence {
    /// How much was learnt from.
    #[must_use]
    pub fn extent(&self) -> String {
        if self.via == RECORDS {
            return counted(self.runs.into(), "log", "logs");
        }
        format!(
            "{}, {}, {} of them lost records",
            counted(self.runs.into(), "run", "runs"),
            counted(self.passes.into(), "pass", "passes"),
            self.lossy
        )
    }

    /// Where it was learnt.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.kernel.as_str(), self.machine.as_str()) {
            ("", "") => "an unknown kernel".to_owned(),
            ("", machine) => format!("an unknown kernel {machine}"),
            (kernel, "") => kernel.to_owned(),
            (kernel, machine) => format!("{kernel} {machine}"),
        }
    }

    /// Records of a program that a log has, made by this kernel as far as it says so.
    pub(crate) fn logged(program: &str, kernel: &str, records: u64) -> Self {
        Self {
            program: program.to_owned(),
            kernel: kernel.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            via: RECORDS.to_owned(),
            runs: 1,
            records,
            ..Self::default()
        }
    }

    /// A run here, of a program that is at this path.
    pub fn here(program: &str, path: Option<&Path>, via: &str) -> Self {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            program: program.to_owned(),
            build_id: path.and_then(elf::build_id),
            kernel: kernel.trim().to_owned(),
            machine: std::env::consts::ARCH.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            via: via.to_owned(),
            runs: 1,
            ..Self::default()
        }
    }

    /// Whether two are of the same program, in the same place.
    fn same(&self, other: &Self) -> bool {
        let key = |of: &Self| {
            (
                of.program.clone(),
                of.build_id.clone(),
                of.kernel.clone(),
                of.machine.clone(),
                of.tool.clone(),
                of.via.clone(),
            )
        };
        key(self) == key(other)
    }
}

/// Adds up what two profiles rest on.
pub fn add(mine: &mut Vec<Evidence>, other: Vec<Evidence>) {
    for evidence in other {
        match mine.iter_mut().find(|there| there.same(&evidence)) {
            Some(there) => {
                there.runs = there.runs.saturating_add(evidence.runs);
                there.passes = there.passes.saturating_add(evidence.passes);
                there.lossy = there.lossy.saturating_add(evidence.lossy);
                there.records = there.records.saturating_add(evidence.records);
            }
            None => mine.push(evidence),
        }
    }
}

/// A number of things, as one says it.
#[must_use]
pub fn counted(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// In how many passes a call of this architecture could have been seen: those on the
/// machines that make its calls, and those of which nobody knows where they were.
pub fn passes(evidence: &[Evidence], arch: Arch) -> u32 {
    let here = |evidence: &&Evidence| {
        let machine = evidence.machine.parse::<Arch>();
        machine.map_or(true, |machine| machine.machine() == arch.machine())
    };
    let passes = evidence.iter().filter(here).map(|evidence| evidence.passes);
    passes.fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_adds_up_and_another_stands_beside() {
        let one = Evidence {
            passes: 3,
            lossy: 1,
            records: 10,
            ..Evidence::here("ls", Some(Path::new("/bin/ls")), "log")
        };
        let mut sum = vec![one.clone()];
        let other = Evidence {
            kernel: "5.4".to_owned(),
            ..one.clone()
        };
        add(&mut sum, vec![one.clone(), other]);
        assert_eq!(sum.len(), 2);
        assert_eq!(
            (sum[0].runs, sum[0].passes, sum[0].lossy, sum[0].records),
            (2, 6, 2, 20)
        );
        assert_eq!(passes(&sum, Arch::NATIVE), 9);
        assert!(!one.kernel.is_empty() && !one.tool.is_empty());
    }
}
