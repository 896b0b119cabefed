// SPDX-License-Identifier: GPL-2.0-only

//! minijail's policy files: `name: 1` a line, or `name: EXPRESSION`, names of one
//! architecture that the file does not say.

use super::{
    absent, allow, column, expression, implied_comment, left_out, never, no_newer, numbered,
    refuse_as_absent, restore, settle, single_arch, split, unknown, Allowed, Reading, Rendered,
    Syntax,
};
use crate::condition::When;
use crate::error::Result;
use crate::profile::Profile;
use crate::syscalls::Arch;

const INCOMPLETE: &str = "# incomplete: ";

pub fn write(profile: &Profile) -> Result<Rendered> {
    let arch = single_arch(profile, "a minijail policy")?;
    let mut warnings = Vec::new();
    let mut text = format!("# {arch}\n");
    if let Some(why) = &profile.incomplete {
        text.push_str(&format!("{INCOMPLETE}{why}\n"));
    }
    let names = split(profile, "a minijail policy", &mut warnings);
    text.push_str(&names.comments());
    let mut widened = false;
    for name in names.all() {
        let Some(when) = names.when.get(&name) else {
            text.push_str(&format!("{name}: 1\n"));
            continue;
        };
        let expression = expression::write(when);
        widened |= expression.widened;
        warnings.extend(left_out(&name, "a minijail policy", expression.left_out));
        if expression.text.is_empty() {
            warnings.push(never(&name));
        } else {
            text.push_str(&format!("{name}: {}\n", expression.text));
        }
    }
    for name in absent(profile, "a minijail policy", &mut warnings) {
        text.push_str(&format!("{name}: return {}\n", libc::ENOSYS));
    }
    warnings.extend(no_newer(profile, "a minijail policy", ""));
    if widened {
        warnings.push(
            "minijail compares all 64 bits of an argument: a program that leaves anything above an \
             int is refused"
                .to_owned(),
        );
    }
    Ok(Rendered { text, warnings })
}

pub fn read(text: &str, how: &Reading) -> std::result::Result<Profile, Syntax> {
    let arch = how.arch.unwrap_or(Arch::NATIVE);
    let mut profile = Profile::default();
    let mut comments = Vec::new();
    for (number, line) in numbered(text) {
        comments.extend(implied_comment(line));
        if let Some(why) = line.strip_prefix(INCOMPLETE) {
            profile.incomplete = Some(why.to_owned());
        }
        let statement = line.split('#').next().unwrap_or_default().trim();
        if statement.is_empty() {
            continue;
        }
        let wrong = |part: &str, message: String| Syntax {
            line: number,
            column: column(line, part),
            message,
        };
        let Some((name, rule)) = statement.split_once(':') else {
            return Err(wrong(
                statement,
                format!("expected \"NAME: 1\", found {statement:?}"),
            ));
        };
        let (name, rule) = (name.trim(), rule.trim());
        if let Some(message) = unknown(name, how) {
            return Err(wrong(name, message));
        }
        let when = match rule.split(';').next().unwrap_or_default().trim() {
            "1" | "allow" => When::Always,
            // What is refused in a way of its own is refused all the same.
            rule if rule.starts_with("return ") || rule.starts_with("kill") => {
                let value = rule.trim_start_matches("return ").trim();
                if value == "ENOSYS" || value.parse() == Ok(libc::ENOSYS) {
                    refuse_as_absent(&mut profile, &[arch], name);
                }
                continue;
            }
            rule => match expression::read(rule) {
                Ok(_) if how.ignore_conditional => continue,
                Ok(when) => when,
                Err((part, message)) => return Err(wrong(part, message)),
            },
        };
        let allowed = Allowed {
            when,
            implied: None,
        };
        allow(&mut profile, &[arch], name, &allowed);
    }
    settle(&mut profile);
    restore(&mut profile, &[arch], &comments);
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::args;
    use crate::profile::tests::{conditional, named, same_meaning};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_profile_comes_back(profile in named(&[Arch::X86_64])) {
            let text = write(&profile).unwrap().text;
            prop_assert_eq!(read(&text, &Reading::default()), Ok(profile));
        }

        #[test]
        fn conditions_come_back(
            profile in conditional(&[Arch::X86_64]),
            args in prop::collection::vec(args(), 20),
        ) {
            let written = write(&profile).unwrap();
            prop_assume!(written.warnings.is_empty());
            same_meaning(&profile, &read(&written.text, &Reading::default()).unwrap(), &args);
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>()) {
            let _ = read(&text, &Reading::default());
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let read = |text| read(text, &Reading::default()).unwrap_err();
        let e = read("read: 1\n\nprctl: arg0 == 3 && arg1 = 4\n");
        assert_eq!((e.line, e.column), (3, 21));
        let e = read("  nonsense: 1\n");
        assert_eq!((e.line, e.column), (1, 3));
        assert_eq!(read("read: 1\nclone33: return ENOSYS\n").line, 2);
        assert_eq!(read("read\n").line, 1);
    }

    #[test]
    fn rules_that_allow_sometimes() {
        let policy =
            "prctl: arg0 == 3 || arg0 == 4; return EPERM\nclone3: return ENOSYS\nread: 1\n";
        let profile = read(policy, &Reading::default()).unwrap();
        let prctl = Arch::NATIVE.call("prctl").unwrap();
        assert_eq!(profile.calls.len(), 2);
        let clone3 = Arch::NATIVE.call("clone3").unwrap();
        assert!(profile.absent.calls.contains(&clone3));
        assert!(write(&profile)
            .unwrap()
            .text
            .contains("clone3: return 38\n"));
        assert!(profile.allows(prctl, &[4, 0, 0, 0, 0, 0]));
        assert!(!profile.allows(prctl, &[5, 0, 0, 0, 0, 0]));
        let how = Reading {
            ignore_conditional: true,
            ..Reading::default()
        };
        assert_eq!(read(policy, &how).unwrap().calls.len(), 1);
    }
}
