// SPDX-License-Identifier: GPL-2.0-only

//! minijail's policy files: `name: 1` a line, names of one architecture that the
//! file does not say.

use super::{
    allow, column, implied_comment, numbered, restore, single_arch, split, unknown, Reading,
    Rendered, Syntax,
};
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
    for name in names.all() {
        text.push_str(&format!("{name}: 1\n"));
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
        if !matches!(rule, "1" | "allow") {
            if how.ignore_conditional {
                continue;
            }
            return Err(wrong(
                rule,
                format!(
                    "only \"1\" can be kept, not {rule:?} (--ignore-conditional leaves it out)"
                ),
            ));
        }
        if !allow(&mut profile, &[arch], name) {
            if let Some(message) = unknown(name, how) {
                return Err(wrong(name, message));
            }
        }
    }
    restore(&mut profile, &[arch], &comments);
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_profile_comes_back(profile in named(&[Arch::X86_64])) {
            let text = write(&profile).unwrap().text;
            prop_assert_eq!(read(&text, &Reading::default()), Ok(profile));
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>()) {
            let _ = read(&text, &Reading::default());
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let read = |text| read(text, &Reading::default()).unwrap_err();
        let e = read("read: 1\n\nprctl: arg0 == 3\n");
        assert_eq!((e.line, e.column), (3, 8));
        let e = read("  nonsense: 1\n");
        assert_eq!((e.line, e.column), (1, 3));
        assert_eq!(read("read\n").line, 1);
    }
}
