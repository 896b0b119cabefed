// SPDX-License-Identifier: GPL-2.0-only

//! Why a call is in a profile.

use crate::arguments::{self, describe, describe_values, Selection};
use crate::evidence::{counted, passes};
use crate::groups;
use crate::lint::lint;
use crate::profile::Profile;
use crate::syscalls::{Call, Seen};

/// What is known of a call in a profile, a sentence each.
pub fn explain(profile: &Profile, call: Call) -> Vec<String> {
    let mut lines = Vec::new();
    let (_, group) = groups::of(&call.label());
    match profile.calls.get(&call) {
        None => lines.push(format!("{call} ({group}) is not allowed")),
        Some(seen) => {
            let when = match seen.when.is_always() {
                true => "with any arguments".to_owned(),
                false => format!("when {}", describe(call, &seen.when)),
            };
            lines.push(format!("{call} ({group}) is allowed {when}"));
            of_seen(profile, call, seen, &mut lines);
        }
    }
    if let Some(reason) = arguments::reason(call) {
        lines.push(format!("its argument matters: {reason}"));
    }
    let findings = lint(profile);
    let mine = findings.iter().filter(|found| found.call == Some(call));
    lines.extend(mine.map(|found| format!("{}: {}", found.severity, found.text)));
    lines
}

fn of_seen(profile: &Profile, call: Call, seen: &Seen, lines: &mut Vec<String>) {
    if let Some(reason) = &seen.implied {
        lines.push(format!("nobody has seen it; it is implied: {reason}"));
        return;
    }
    lines.push(match (seen.count, often(profile, call, seen)) {
        (0, Some(often)) => format!("it was made in {often}, and nobody has counted how often"),
        (0, None) => "nobody has counted how often it was made".to_owned(),
        (n, None) => format!("it was made {}", counted(n, "time", "times")),
        (n, Some(often)) => format!("it was made {}, in {often}", counted(n, "time", "times")),
    });
    let origin = seen.origin.clone().unwrap_or_default();
    let thread = seen.first.as_ref().map(|name| format!("thread \"{name}\""));
    let who: Vec<String> = origin.exe.clone().into_iter().chain(thread).collect();
    if !who.is_empty() {
        // A listener is asked about the others alone.
        let but = match seen.harmless && !seen.values.is_empty() {
            true => ", but for arguments that do no harm,",
            false => "",
        };
        lines.push(format!("first{but} by {}", who.join(", ")));
    }
    lines.push(match (&origin.place, &origin.symbol) {
        (Some((path, _)), Some((symbol, offset))) => {
            format!("from {path}, {symbol}+{offset:#x}")
        }
        (Some((path, offset)), None) => {
            format!("from {path}, at offset {offset:#x}, which has no symbol there")
        }
        _ => "from where is not known: the task was gone when its record was read, the instruction is in no file (the \
              vDSO, code made at run time), or the profile was not learnt by a run"
            .to_owned(),
    });
    if let Some((path, offset)) = &origin.caller {
        lines.push(match &origin.calling {
            Some((symbol, within)) => format!("called from {path}, {symbol}+{within:#x}"),
            None => format!("called from {path}, at offset {offset:#x}, which has no symbol there"),
        });
    }
    if let Some(args) = origin.args {
        let args: Vec<String> = args.iter().map(|arg| format!("{arg:#x}")).collect();
        lines.push(format!("with {}", args.join(" ")));
    }
    if !seen.values.is_empty() {
        let values = seen.values.iter();
        let values: Vec<String> = values.map(|values| describe_values(call, values)).collect();
        lines.push(format!("the values that were seen: {}", values.join(", ")));
    }
    let harmless = Selection::default().harmless(call);
    if seen.harmless && !harmless.is_never() {
        lines.push(format!(
            "it was made with arguments that do no harm, of which nobody has kept which: {}",
            describe(call, &harmless)
        ));
    }
}

/// In how many passes of how many a call was seen, where that was counted.
pub fn often(profile: &Profile, call: Call, seen: &Seen) -> Option<String> {
    let all = passes(&profile.evidence, call.arch());
    (seen.passes > 0 && all >= seen.passes).then(|| {
        format!(
            "{} of {}",
            seen.passes,
            counted(all.into(), "pass", "passes")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Evidence;
    use crate::origin::Origin;

    #[test]
    fn all_that_is_known_is_said() {
        let call: Call = "socket".parse().unwrap();
        let mut profile = Profile::default();
        profile.allow(call);
        let text = |profile: &Profile| explain(profile, call).join("\n");
        assert!(text(&profile).contains("from where is not known"));
        let evidence = Evidence {
            passes: 3,
            ..Evidence::here("a", None, "log")
        };
        profile.evidence = vec![evidence];
        let seen = profile.calls.get_mut(&call).unwrap();
        (seen.count, seen.passes) = (7, 2);
        seen.first = Some("worker".to_owned());
        seen.origin = Some(Origin {
            exe: Some("/usr/bin/a".to_owned()),
            place: Some(("/lib/libc.so.6".to_owned(), 4)),
            symbol: Some(("socket".to_owned(), 7)),
            caller: Some(("/usr/bin/a".to_owned(), 9)),
            calling: Some(("main".to_owned(), 2)),
            args: Some([2, 1, 0, 0, 0, 0]),
        });
        seen.values.insert(vec![2, 1]);
        let text = text(&profile);
        for part in [
            "7 times, in 2 of 3 passes",
            "/usr/bin/a, thread \"worker\"",
            "from /lib/libc.so.6, socket+0x7",
            "called from /usr/bin/a, main+0x2",
            "with 0x2 0x1 ",
            "AF_INET SOCK_STREAM",
            "AF_ALG",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn passes_on_another_machine_are_not_a_calls() {
        let mut profile = Profile::default();
        let evidence = |machine: &str| Evidence {
            machine: machine.to_owned(),
            passes: 3,
            ..Evidence::here("a", None, "log")
        };
        profile.evidence = vec![evidence("x86_64"), evidence("aarch64")];
        let seen = Seen {
            passes: 3,
            ..Seen::default()
        };
        let often = |profile: &Profile, call: &str| often(profile, call.parse().unwrap(), &seen);
        let three = Some("3 of 3 passes".to_owned());
        for call in ["x86-64:read", "i386:read", "arm64:read", "arm:read"] {
            assert_eq!(often(&profile, call), three, "{call}");
        }
        // Of which nobody knows where they were.
        profile.evidence.push(evidence("vax"));
        let six = Some("3 of 6 passes".to_owned());
        assert_eq!(often(&profile, "arm64:read"), six);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let mut profile = Profile::default();
        let call = "ptrace".parse().unwrap();
        assert!(explain(&profile, call)[0].contains("(@debug) is not allowed"));
        profile.allow("brk".parse().unwrap());
        profile.imply();
        let implied = explain(&profile, "madvise".parse().unwrap());
        assert!(implied[1].contains("it is implied: "));
    }
}
