// SPDX-License-Identifier: GPL-2.0-only

//! One call a line; `#` begins a comment.

use super::{column, numbered, Reading, Rendered, Syntax};
use crate::arguments::describe;
use crate::condition::When;
use crate::profile::Profile;
use crate::syscalls::{is_known, Arch, Call};

const INCOMPLETE: &str = "# incomplete: ";

/// What stands behind a call that nobody has seen.
const IMPLIED: &str = "# implied: ";
/// What stands behind a call whose condition the list cannot hold.
const WHEN: &str = "# when ";

pub fn write(profile: &Profile) -> Rendered {
    let mut lines: Vec<String> = profile
        .calls
        .iter()
        .map(|(call, seen)| {
            let when = match seen.when {
                When::Always => String::new(),
                When::In(_) => format!("  {WHEN}{}", describe(*call, &seen.when)),
            };
            match &seen.implied {
                Some(reason) => {
                    let reason = reason.replace(char::is_control, " ");
                    format!("{call}{when}  {IMPLIED}{reason}\n")
                }
                None => format!("{call}{when}\n"),
            }
        })
        .collect();
    lines.sort();
    let warnings = super::no_conditions(profile, "a plain list");
    let mut warnings = warnings;
    if profile.absent != Default::default() {
        warnings.push("a plain list cannot say what is answered with ENOSYS".to_owned());
    }
    let mut text = String::new();
    if let Some(why) = &profile.incomplete {
        text = format!("{INCOMPLETE}{why}\n");
    }
    text.extend(lines);
    Rendered { text, warnings }
}

pub fn read(text: &str, how: &Reading) -> Result<Profile, Syntax> {
    let mut profile = Profile::default();
    for (number, line) in numbered(text) {
        if let Some(why) = line.strip_prefix(INCOMPLETE) {
            profile.incomplete = Some(why.to_owned());
        }
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        let call = match name.split_once(':') {
            Some(_) => name.parse::<Call>(),
            None => how
                .arch
                .unwrap_or(Arch::NATIVE)
                .call_or_number(name)
                .ok_or_else(|| {
                    if is_known(name) {
                        format!("{name:?} is another architecture's (ARCH:NAME says whose)")
                    } else {
                        format!("unknown system call {name:?} (--ignore-unknown leaves it out)")
                    }
                }),
        };
        match call {
            Ok(call) => {
                let known = profile.calls.contains_key(&call);
                match line.split_once(IMPLIED) {
                    // What another line has without it was seen.
                    Some((_, reason)) if !known => {
                        profile.calls.entry(call).or_default().implied = Some(reason.to_owned());
                    }
                    Some(_) => {}
                    None => profile.allow(call),
                }
            }
            Err(_) if how.ignore_unknown => {}
            Err(message) => {
                return Err(Syntax {
                    line: number,
                    column: column(line, name),
                    message,
                })
            }
        }
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_profile_comes_back(
            mut profile in named(&Arch::NAMED),
            numbers in prop::collection::vec(any::<u32>(), 0..5),
            incomplete in any::<bool>(),
        ) {
            for nr in numbers {
                profile.allow(Call { arch: Arch::NATIVE.audit(), nr });
            }
            profile.incomplete = incomplete.then(|| "3 lost".to_owned());
            let text = write(&profile).text;
            prop_assert_eq!(read(&text, &Reading::default()), Ok(profile));
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>()) {
            let _ = read(&text, &Reading::default());
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let e = read("read\n  no_such_call # x\n", &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 3));
        let lenient = Reading {
            ignore_unknown: true,
            ..Reading::default()
        };
        assert_eq!(
            read("read\nno_such_call\n", &lenient).unwrap().calls.len(),
            1
        );
    }
}
