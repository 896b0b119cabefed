// SPDX-License-Identifier: GPL-2.0-only

//! A drop-in for a systemd service (`SystemCallFilter=`).
//!
//! systemd's own groups change with its version, so they are asked of the
//! `systemd-analyze` of this machine; without it there are names only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::{
    absent, allow, column, errno_by_name, errno_name, implied_comment, no_conditions, no_newer,
    numbered, refuse_as_absent, restore, settle, split, unknown, Allowed, Reading, Rendered,
    Syntax,
};
use crate::action::Action;
use crate::profile::Profile;
use crate::syscalls::Arch;

const INCOMPLETE: &str = "# incomplete: ";
/// What systemd allows beside each list of what is allowed.
const DEFAULT: &str = "@default";
/// Why a call of that group is in a profile that does not list it.
const BY_DEFAULT: &str = "systemd allows its group @default beside what is listed";
/// How long a line of names may get.
const WIDTH: usize = 78;

/// systemd's groups: names of calls, by `@name`.
type Groups = BTreeMap<String, BTreeSet<String>>;

pub fn write(profile: &Profile) -> Rendered {
    write_with(profile, &groups())
}

fn write_with(profile: &Profile, groups: &Groups) -> Rendered {
    let mut warnings = Vec::new();
    let mut archs = profile.archs();
    if archs.is_empty() {
        archs.insert(Arch::NATIVE);
    }
    if archs.len() > 1 {
        warnings.push(
            "systemd has one list of names for all architectures: each name is allowed on every one"
                .to_owned(),
        );
    }
    let mut names = split(profile, "systemd", &mut warnings);
    warnings.extend(no_conditions(profile, "systemd"));
    let mut text = String::new();
    if let Some(why) = &profile.incomplete {
        text.push_str(&format!("{INCOMPLETE}{why}\n"));
    }
    let action = profile.action.unwrap_or(Action::Errno(1));
    if action != Action::Log {
        // systemd adds them again.
        if let Some((group, mine)) = groups.get(DEFAULT).zip(names.implied.get_mut(BY_DEFAULT)) {
            mine.retain(|name| !group.contains(name));
        }
        names.implied.retain(|_, names| !names.is_empty());
    }
    text.push_str(&names.comments());
    let arch_names: Vec<&str> = archs
        .iter()
        .filter_map(|arch| arch.systemd_name())
        .collect();
    if action != Action::Log {
        text.push_str(&format!("# {BY_DEFAULT}.\n"));
    }
    text.push_str(&format!(
        "[Service]\nNoNewPrivileges=yes\nSystemCallArchitectures={}\n",
        arch_names.join(" ")
    ));
    if let Action::Errno(errno) = action {
        text.push_str(&format!("SystemCallErrorNumber={}\n", errno_name(errno)));
    }
    // What logs and goes on is a list of its own: of all calls but these.
    let key = match action {
        Action::Log => "SystemCallLog=~",
        _ => "SystemCallFilter=",
    };
    // The first line makes the list, the others add to it.
    let mut line = String::new();
    let mut words = fold(&names.all(), groups, &archs);
    if action != Action::Log {
        let absent = absent(profile, "systemd", &mut warnings);
        words.extend(absent.iter().map(|name| format!("{name}:ENOSYS")));
        if words.is_empty() {
            // Without a list systemd would allow every call.
            words.push(DEFAULT.to_owned());
        }
    }
    warnings.extend(no_newer(
        profile,
        "systemd",
        "; it does so by itself from version 247 on",
    ));
    for word in words {
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
            text.push_str(&format!("{line}\n"));
            line.clear();
        }
        if line.is_empty() {
            line.push_str(key);
        } else {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        text.push_str(&format!("{line}\n"));
    }
    Rendered { text, warnings }
}

/// Puts a group in place of its names where all of them are there, largest
/// groups first.
fn fold(names: &[String], groups: &Groups, archs: &BTreeSet<Arch>) -> Vec<String> {
    let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut left = all.clone();
    // What the architectures do not have, the group cannot allow.
    let members = |group: &BTreeSet<String>| -> BTreeSet<String> {
        group
            .iter()
            .filter(|name| archs.iter().any(|arch| arch.call(name).is_some()))
            .cloned()
            .collect()
    };
    let mut fitting: Vec<(&String, BTreeSet<String>)> = groups
        .iter()
        .map(|(name, group)| (name, members(group)))
        .filter(|(_, group)| group.len() > 1 && group.iter().all(|name| all.contains(&**name)))
        .collect();
    fitting.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    let mut words = Vec::new();
    for (name, group) in fitting {
        if group.iter().filter(|name| left.contains(&***name)).count() > 1 {
            left.retain(|name| !group.contains(*name));
            words.push(name.clone());
        }
    }
    words.extend(left.into_iter().map(str::to_owned));
    words
}

/// The groups of this machine's systemd; none where it cannot be asked.
fn groups() -> Groups {
    let output = Command::new("systemd-analyze")
        .args(["--no-pager", "syscall-filter"])
        .env("LC_ALL", "C")
        .output();
    match output {
        Ok(output) if output.status.success() => {
            parse_groups(&String::from_utf8_lossy(&output.stdout))
        }
        _ => Groups::new(),
    }
}

fn parse_groups(text: &str) -> Groups {
    let mut groups = Groups::new();
    let mut current = None;
    for line in text.lines() {
        let word = line.trim();
        if word.is_empty() || word.starts_with('#') {
            // A comment at the margin begins what is in no group.
            if line.starts_with('#') {
                current = None;
            }
        } else if line.starts_with('@') {
            groups.insert(word.to_owned(), BTreeSet::new());
            current = Some(word.to_owned());
        } else if let Some(group) = current.as_ref().and_then(|name| groups.get_mut(name)) {
            group.insert(word.to_owned());
        }
    }
    // Groups hold groups; a few rounds reach the bottom.
    for _ in 0..8 {
        let flat = groups.clone();
        for group in groups.values_mut() {
            let nested: Vec<String> = group
                .iter()
                .filter(|n| n.starts_with('@'))
                .cloned()
                .collect();
            for name in nested {
                group.remove(&name);
                group.extend(flat.get(&name).into_iter().flatten().cloned());
            }
        }
    }
    groups
}

pub fn read(text: &str, how: &Reading, warnings: &mut Vec<String>) -> Result<Profile, Syntax> {
    read_with(text, how, groups, warnings)
}

fn read_with(
    text: &str,
    how: &Reading,
    groups: impl Fn() -> Groups,
    warnings: &mut Vec<String>,
) -> Result<Profile, Syntax> {
    let mut profile = Profile::default();
    let mut archs = Vec::new();
    // Names wait until the architectures are known: lines come in any order.
    let mut listed: Vec<String> = Vec::new();
    // Those of SystemCallLog=~, which count where there is no filter.
    let mut logged: Vec<String> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut known_groups = None;
    let (mut filter, mut log) = (false, false);
    let mut continued = None;
    let mut comments = Vec::new();
    for (number, line) in numbered(text) {
        comments.extend(implied_comment(line));
        if let Some(why) = line.strip_prefix(INCOMPLETE) {
            profile.incomplete = Some(why.to_owned());
        }
        let wrong = |part: &str, message: String| Syntax {
            line: number,
            column: column(line, part),
            message,
        };
        let statement = line.trim();
        if statement.is_empty() || statement.starts_with(['#', ';', '[']) {
            continue;
        }
        let (key, value) = match continued {
            Some(key) => (key, statement),
            None => match statement.split_once('=') {
                Some((key, value)) => (key.trim(), value.trim()),
                None => {
                    return Err(wrong(
                        statement,
                        format!("expected KEY=VALUE, found {statement:?}"),
                    ))
                }
            },
        };
        let body = value.strip_suffix('\\').unwrap_or(value);
        match key {
            "SystemCallFilter" | "SystemCallLog" => {
                let is_log = key == "SystemCallLog";
                let first = continued.is_none();
                let (names, there) = match is_log {
                    true => (&mut logged, &mut log),
                    false => (&mut listed, &mut filter),
                };
                if is_log && first && !body.is_empty() && !body.starts_with('~') {
                    // A list of what is logged, which refuses nothing.
                    continued = value.ends_with('\\').then_some("");
                    continue;
                }
                if !is_log && body.starts_with('~') {
                    return Err(wrong(
                        body,
                        "a list of what is refused is no allowlist".to_owned(),
                    ));
                }
                // An empty one takes back what stands above.
                *there = !(value.is_empty() && first);
                if !*there {
                    names.clear();
                    if !is_log {
                        missing.clear();
                    }
                }
                for word in body.trim_start_matches('~').split_whitespace() {
                    if word.starts_with('@') {
                        let groups = known_groups.get_or_insert_with(&groups);
                        match groups.get(word) {
                            Some(group) => names.extend(group.iter().cloned()),
                            None => {
                                return Err(wrong(
                                    word,
                                    format!("the systemd of this machine has no group {word:?}"),
                                ))
                            }
                        }
                        continue;
                    }
                    // Behind a colon is an error of its own.
                    let (name, errno) = word.split_once(':').unwrap_or((word, ""));
                    if let Some(message) = unknown(name, how) {
                        return Err(wrong(word, message));
                    }
                    if errno == "ENOSYS" {
                        missing.push(name.to_owned());
                    } else if word != name {
                        if !how.ignore_conditional {
                            return Err(wrong(
                                word,
                                format!("{word:?} has an error of its own, which cannot be kept (--ignore-conditional leaves it out)"),
                            ));
                        }
                    } else {
                        names.push(name.to_owned());
                    }
                }
                continued = value.ends_with('\\').then_some(if is_log {
                    "SystemCallLog"
                } else {
                    "SystemCallFilter"
                });
            }
            "SystemCallArchitectures" => {
                for word in body.split_whitespace() {
                    archs.push(match word {
                        "native" => Arch::NATIVE,
                        _ => word.parse().map_err(|message| wrong(word, message))?,
                    });
                }
            }
            "SystemCallErrorNumber" => {
                profile.action = Some(match body {
                    "kill" | "" => Action::Kill,
                    _ => Action::Errno(
                        errno_by_name(body)
                            .or_else(|| body.parse().ok())
                            .ok_or_else(|| wrong(body, format!("unknown error {body:?}")))?,
                    ),
                });
            }
            _ if key.starts_with("SystemCall") => {
                return Err(wrong(key, format!("unknown key {key:?}")));
            }
            // Somebody else's, or one that goes on.
            _ => continued = continued.filter(|_| value.ends_with('\\')),
        }
    }
    if !filter && !log {
        return Err(Syntax {
            line: 1,
            column: 1,
            message: "there is no SystemCallFilter=".to_owned(),
        });
    }
    if !filter {
        listed = logged;
        profile.action = Some(Action::Log);
    }
    // systemd kills where nothing else is said.
    profile.action.get_or_insert(Action::Kill);
    if let Some(arch) = how.arch {
        archs = vec![arch];
    }
    if archs.is_empty() {
        archs.push(Arch::NATIVE);
    }
    for name in &listed {
        allow(&mut profile, &archs, name, &Allowed::default());
    }
    for name in &missing {
        refuse_as_absent(&mut profile, &archs, name);
    }
    settle(&mut profile);
    restore(&mut profile, &archs, &comments);
    if filter {
        let Some(group) = known_groups.get_or_insert_with(groups).get(DEFAULT) else {
            warnings.push(format!(
                "{BY_DEFAULT}, and systemd-analyze cannot be asked which calls these are: they are left out"
            ));
            return Ok(profile);
        };
        let implied = Allowed {
            implied: Some(BY_DEFAULT),
            ..Allowed::default()
        };
        for name in group.iter().filter(|name| !missing.contains(name)) {
            allow(&mut profile, &archs, name, &implied);
        }
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use crate::syscalls::Seen;
    use proptest::prelude::*;

    fn read_with(
        text: &str,
        how: &Reading,
        groups: impl Fn() -> Groups,
    ) -> Result<Profile, Syntax> {
        super::read_with(text, how, groups, &mut Vec::new())
    }

    const GROUPS: &str = "@default\n    # Always\n    brk\n    @exit\n\n@exit\n    # End\n    exit\n    \
                          exit_group\n\n@old\n    stime\n    waitpid\n\n# Ungrouped\n#    read\n    write\n";

    proptest! {
        #[test]
        fn every_profile_comes_back(
            mut profile in named(&[Arch::X86_64]),
            action in prop::sample::select(&[Action::Kill, Action::Errno(1), Action::Log]),
        ) {
            prop_assume!(!profile.calls.is_empty());
            profile.action = Some(action);
            let groups = || parse_groups(GROUPS);
            let text = write_with(&profile, &groups()).text;
            prop_assert!(text.lines().all(|line| line.len() < 120));
            let back = read_with(&text, &Reading::default(), groups).unwrap();
            prop_assert_eq!(&write_with(&back, &groups()).text, &text);
            let mut allowed = profile;
            if action != Action::Log {
                let default = ["brk", "exit", "exit_group"].map(|name| Arch::X86_64.call(name).unwrap());
                for call in default {
                    let implied = || Seen { implied: Some(BY_DEFAULT.to_owned()), ..Seen::default() };
                    allowed.calls.entry(call).or_insert_with(implied);
                }
            }
            prop_assert_eq!(back, allowed);
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>()) {
            let _ = read_with(&text, &Reading::default(), Groups::new);
        }
    }

    #[test]
    fn what_systemd_adds_is_not_listed() {
        let groups = || parse_groups(GROUPS);
        let read = |text| read_with(text, &Reading::default(), groups);
        let profile = read("SystemCallFilter=read\nSystemCallFilter=exit:ENOSYS\n").unwrap();
        let calls: Vec<String> = profile.calls.keys().map(|call| call.label()).collect();
        assert_eq!(calls, ["read", "brk", "exit_group"]);
        let names = |groups: &Groups| {
            let text = write_with(&profile, groups).text;
            let lines = text
                .lines()
                .filter(|line| line.starts_with("SystemCallFilter"));
            lines.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&groups()), "SystemCallFilter=read exit:ENOSYS");
        // Where it is not known what it adds, they are.
        assert_eq!(
            names(&Groups::new()),
            "SystemCallFilter=brk exit_group read exit:ENOSYS"
        );
        // A list of what is logged has nothing beside it.
        assert_eq!(read("SystemCallLog=~read\n").unwrap().calls.len(), 1);
        let mut warnings = Vec::new();
        super::read_with(
            "SystemCallFilter=read\n",
            &Reading::default(),
            Groups::new,
            &mut warnings,
        )
        .unwrap();
        assert!(
            warnings.len() == 1 && warnings[0].contains("systemd-analyze"),
            "{warnings:?}"
        );
    }

    #[test]
    fn an_empty_list_is_not_that_of_all_calls() {
        let text = write_with(&Profile::default(), &Groups::new()).text;
        assert!(text.contains("\nSystemCallFilter=@default\n"), "{text}");
        let read = |text: &str| read_with(text, &Reading::default(), Groups::new);
        assert!(read("SystemCallFilter=\n").is_err());
        assert!(read("SystemCallFilter=read\nSystemCallFilter=\n").is_err());
        let again =
            "SystemCallFilter=read clone3:ENOSYS\nSystemCallFilter=\nSystemCallFilter=\\\n write\n";
        let profile = read(again).unwrap();
        assert!(profile.calls.len() == 1 && profile.absent.calls.is_empty());
    }

    #[test]
    fn a_group_stands_for_exactly_its_names() {
        let groups = parse_groups(GROUPS);
        assert_eq!(groups["@default"].len(), 3);
        let archs = BTreeSet::from([Arch::X86_64]);
        let fold = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
            fold(&names, &groups, &archs).join(" ")
        };
        assert_eq!(
            fold(&["brk", "exit", "exit_group", "read"]),
            "@default read"
        );
        assert_eq!(fold(&["exit", "exit_group", "read"]), "@exit read");
        assert_eq!(fold(&["brk", "exit", "read"]), "brk exit read");
    }

    #[test]
    fn an_error_has_its_place() {
        let read = |text| read_with(text, &Reading::default(), Groups::new).unwrap_err();
        let e = read("[Service]\nSystemCallFilter=read nonsense\n");
        assert_eq!((e.line, e.column), (2, 23));
        let e = read("[Service]\nSystemCallFilter=read clone33:ENOSYS\n");
        assert_eq!((e.line, e.column), (2, 23));
        assert_eq!(
            read("[Service]\nSystemCallFilter=read \\\n  @none\n").line,
            3
        );
        assert_eq!(read("[Service]\nSystemCallFilter=~read\n").line, 2);
        assert_eq!(read("[Service]\n").line, 1);
        let e = read("[Service]\nSystemCallFiltr=read\nSystemCallFilter=read\n");
        assert_eq!((e.line, e.column), (2, 1));
    }

    #[test]
    fn what_logs_and_goes_on_has_a_list_of_its_own() {
        let mut profile = Profile::default();
        profile.allow("read".parse().unwrap());
        profile.action = Some(Action::Log);
        let rendered = write_with(&profile, &Groups::new());
        assert!(
            rendered.text.contains("\nSystemCallLog=~read\n"),
            "{}",
            rendered.text
        );
        assert!(!rendered.text.contains("SystemCallFilter"));
        assert_eq!(rendered.warnings, Vec::<String>::new());
        let read = |text| read_with(text, &Reading::default(), Groups::new);
        // Beside a filter it is not what refuses.
        let both =
            read("SystemCallFilter=read\nSystemCallLog=write \\\n close\nSystemCallLog=~pipe\n")
                .unwrap();
        assert_eq!(both.calls.len(), 1);
        assert_eq!(both.action, Some(Action::Kill));
        assert!(read("SystemCallLog=write\n").is_err());
    }
}
