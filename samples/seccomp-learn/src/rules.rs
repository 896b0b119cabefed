// SPDX-License-Identifier: GPL-2.0-only

//! Audit's rules, as AUDIT_LIST_RULES gives them (`struct audit_rule_data`).
//!
//! A rule on the exclude list drops records before anybody counts them, so that
//! a list of what they would have said is not whole.

use std::fmt;

use crate::audit::{AUDIT_LOGIN, AUDIT_SECCOMP};

/// AUDIT_FILTER_EXCLUDE: the list of what is not recorded.
const EXCLUDE: u32 = 5;
/// AUDIT_FILTER_PREPEND, a flag beside the list's number.
const PREPEND: u32 = 0x10;
/// AUDIT_MSGTYPE: the type of the record.
const MSGTYPE: u32 = 12;
const MAX_FIELDS: usize = 64;
/// Four words, then the mask, before the fields.
const FIELDS: usize = (3 + MAX_FIELDS) * 4;
const HEADER: usize = FIELDS + 3 * MAX_FIELDS * 4 + 4;

/// The names of fields that an exclude rule may have, as auditctl writes them.
const NAMES: [(u32, &str); 13] = [
    (0, "pid"),
    (1, "uid"),
    (2, "euid"),
    (5, "gid"),
    (6, "egid"),
    (9, "auid"),
    (MSGTYPE, "msgtype"),
    (13, "subj_user"),
    (14, "subj_role"),
    (15, "subj_type"),
    (16, "subj_sen"),
    (17, "subj_clr"),
    (112, "exe"),
];

/// The operators of `fieldflags`, as auditctl writes them.
const OPERATORS: [(u32, &str); 8] = [
    (0x4000_0000, "="),
    (0x3000_0000, "!="),
    (0x1000_0000, "<"),
    (0x2000_0000, ">"),
    (0x5000_0000, "<="),
    (0x6000_0000, ">="),
    (0x0800_0000, "&"),
    (0x4800_0000, "&="),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Number(u32),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    field: u32,
    operator: &'static str,
    value: Value,
}

/// A rule of the exclude list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude(Vec<Field>);

impl Exclude {
    /// Reads a rule; `None` if it is on another list.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_ne_bytes(data.get(at..at + 4)?.try_into().ok()?))
        };
        if word(0)? & !PREPEND != EXCLUDE {
            return None;
        }
        let mut text = data.get(HEADER..).unwrap_or_default();
        let mut fields = Vec::new();
        for i in 0..(word(8)? as usize).min(MAX_FIELDS) {
            let at = |array: usize| FIELDS + (array * MAX_FIELDS + i) * 4;
            let (field, value, flags) = (word(at(0))?, word(at(1))?, word(at(2))?);
            let operator = OPERATORS
                .iter()
                .find(|&&(bits, _)| bits == flags)
                .map_or("?", |&(_, name)| name);
            // The value of a text is its length; the text stands behind.
            let value = if matches!(field, 13..=17 | 112) {
                let (mine, rest) = text.split_at((value as usize).min(text.len()));
                text = rest;
                Value::Text(String::from_utf8_lossy(mine).into_owned())
            } else {
                Value::Number(value)
            };
            fields.push(Field {
                field,
                operator,
                value,
            });
        }
        Some(Self(fields))
    }

    /// Whether the rule could drop a record that learning needs: one of
    /// seccomp's, or the one of a new session. Who makes the calls is not known
    /// before they are made, so only the type of the record decides.
    pub fn could_match(&self) -> bool {
        [AUDIT_SECCOMP, AUDIT_LOGIN].iter().any(|&kind| {
            self.0
                .iter()
                .filter(|field| field.field == MSGTYPE)
                .all(|field| field.holds(kind.into()))
        })
    }
}

impl Field {
    /// Whether the field's condition is true of a number; yes in doubt.
    fn holds(&self, number: u32) -> bool {
        let Value::Number(value) = self.value else {
            return true;
        };
        match self.operator {
            "=" => number == value,
            "!=" => number != value,
            "<" => number < value,
            ">" => number > value,
            "<=" => number <= value,
            ">=" => number >= value,
            "&" => number & value != 0,
            "&=" => number & value == value,
            _ => true,
        }
    }
}

impl fmt::Display for Exclude {
    /// As auditctl writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-a never,exclude")?;
        for field in &self.0 {
            f.write_str(" -F ")?;
            match NAMES.iter().find(|&&(number, _)| number == field.field) {
                Some((_, name)) => f.write_str(name)?,
                None => write!(f, "field{}", field.field)?,
            }
            f.write_str(field.operator)?;
            match &field.value {
                Value::Number(value) if field.field == MSGTYPE => match *value as u16 {
                    AUDIT_SECCOMP => f.write_str("SECCOMP")?,
                    AUDIT_LOGIN => f.write_str("LOGIN")?,
                    _ => write!(f, "{value}")?,
                },
                Value::Number(value) => write!(f, "{}", *value as i32)?,
                Value::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A rule as the kernel sends it.
    pub fn rule(list: u32, fields: &[(u32, u32, u32)], text: &str) -> Vec<u8> {
        let mut words = vec![list, 0, fields.len() as u32];
        words.resize(3 + MAX_FIELDS, 0);
        for part in [
            |f: &(u32, u32, u32)| f.0,
            |f: &(u32, u32, u32)| f.1,
            |f: &(u32, u32, u32)| f.2,
        ] {
            let start = words.len();
            words.extend(fields.iter().map(part));
            words.resize(start + MAX_FIELDS, 0);
        }
        words.push(text.len() as u32);
        let mut data: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        data.extend(text.as_bytes());
        data
    }

    const EQUAL: u32 = 0x4000_0000;
    const NOT_EQUAL: u32 = 0x3000_0000;

    #[test]
    fn a_rule_about_a_user_could_match() {
        let rule = Exclude::parse(&rule(EXCLUDE, &[(1, 65534, EQUAL)], "")).unwrap();
        assert!(rule.could_match());
        assert_eq!(rule.to_string(), "-a never,exclude -F uid=65534");
    }

    #[test]
    fn a_rule_about_another_type_could_not() {
        let about = |fields: &[_]| Exclude::parse(&rule(EXCLUDE | PREPEND, fields, "")).unwrap();
        // AUDIT_CWD; all but AUDIT_CWD; SECCOMP.
        assert!(!about(&[(MSGTYPE, 1307, EQUAL)]).could_match());
        assert!(about(&[(MSGTYPE, 1307, NOT_EQUAL)]).could_match());
        let seccomp = about(&[(MSGTYPE, 1326, EQUAL), (9, u32::MAX, NOT_EQUAL)]);
        assert!(seccomp.could_match());
        assert_eq!(
            seccomp.to_string(),
            "-a never,exclude -F msgtype=SECCOMP -F auid!=-1"
        );
        // A change of session that is not seen loses what comes after it.
        assert!(about(&[(MSGTYPE, 1006, EQUAL)]).could_match());
        assert!(about(&[(99, 3, 0x7000_0000)]).could_match());
    }

    #[test]
    fn a_text_is_read() {
        let rule = Exclude::parse(&rule(EXCLUDE, &[(112, 7, EQUAL)], "/bin/ls")).unwrap();
        assert_eq!(rule.to_string(), "-a never,exclude -F exe=/bin/ls");
        assert!(rule.could_match());
    }

    #[test]
    fn other_lists_and_cut_rules_are_none() {
        assert_eq!(Exclude::parse(&rule(4, &[(1, 0, EQUAL)], "")), None);
        let whole = rule(EXCLUDE, &[(1, 0, EQUAL)], "");
        assert_eq!(Exclude::parse(&whole[..100]), None);
        assert_eq!(Exclude::parse(&[]), None);
    }
}
