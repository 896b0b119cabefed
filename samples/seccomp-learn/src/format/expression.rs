// SPDX-License-Identifier: GPL-2.0-only

//! minijail's expressions: `arg0 == AF_INET && arg1 in ~0x4 || arg0 == 2`.
//!
//! `&` asks whether any of the bits is set, `in` whether none is set but these.
//! All 64 bits are compared; there are no parentheses.

use super::lower;
use crate::condition::{Case, Op, Test, When, ARGS, INT};
use crate::names;

/// A condition as minijail writes it.
pub struct Expression {
    /// The text; empty where no case is left.
    pub text: String,
    /// Cases that would have become too many.
    pub left_out: usize,
    /// An `int` is compared with all its 64 bits.
    pub widened: bool,
}

/// Writes a condition.
pub fn write(when: &When) -> Expression {
    let lowered = lower::minijail(when);
    let mut widened = false;
    let cases: Vec<String> = lowered
        .cases
        .iter()
        .map(|case| {
            let atoms: Vec<String> = case
                .iter()
                .flat_map(|test| atoms(test, &mut widened))
                .collect();
            match atoms.len() {
                // One that always holds.
                0 => "arg0 >= 0".to_owned(),
                _ => atoms.join(" && "),
            }
        })
        .collect();
    Expression {
        text: cases.join(" || "),
        left_out: lowered.left_out,
        widened,
    }
}

/// What must all hold.
fn atoms(test: &Test, widened: &mut bool) -> Vec<String> {
    let Test {
        arg,
        mask,
        op,
        value,
    } = *test;
    match (op, mask) {
        (_, u64::MAX) => vec![format!("arg{arg} {} {value:#x}", op.sign())],
        (Op::Eq, INT) if value != 0 => {
            *widened = true;
            vec![format!("arg{arg} == {value:#x}")]
        }
        (Op::Ne, _) => vec![format!("arg{arg} & {mask:#x}")],
        _ => {
            let mut atoms: Vec<String> = (0..64)
                .map(|n| 1u64 << n)
                .filter(|bit| value & bit != 0)
                .map(|bit| format!("arg{arg} & {bit:#x}"))
                .collect();
            let clear = mask & !value;
            if clear != 0 {
                atoms.push(format!("arg{arg} in {:#x}", !clear));
            }
            atoms
        }
    }
}

/// Reads a condition. An error has the part that is wrong.
pub fn read(text: &str) -> Result<When, (&str, String)> {
    let mut cases = Vec::new();
    for case in text.split("||") {
        let mut tests = Vec::new();
        for atom in case.split("&&") {
            tests.push(test(atom.trim()).map_err(|message| (atom.trim(), message))?);
        }
        cases.push(Case::from_iter(tests));
    }
    Ok(When::any(cases))
}

fn test(atom: &str) -> Result<Test, String> {
    let wrong = || format!("expected \"argN OP VALUE\", found {atom:?}");
    let mut words = atom.splitn(3, char::is_whitespace);
    let arg = words.next().unwrap_or_default();
    let (op, value) = words.next().zip(words.next()).ok_or_else(wrong)?;
    let arg = arg
        .strip_prefix("arg")
        .and_then(|n| n.parse::<u8>().ok())
        .filter(|&n| n < ARGS)
        .ok_or_else(wrong)?;
    let value = number(value.trim())?;
    Ok(match op {
        "&" => Test::masked(arg, value, Op::Ne, 0),
        "in" => Test::masked(arg, !value, Op::Eq, 0),
        _ => {
            let op = Op::ALL.into_iter().find(|other| other.sign() == op);
            Test::new(arg, op.ok_or_else(wrong)?, value)
        }
    })
}

/// A number, or names of bits: `~0x4`, `PROT_READ|PROT_WRITE`.
fn number(text: &str) -> Result<u64, String> {
    let mut sum = 0;
    for word in text.split('|') {
        let word = word.trim();
        let (inverted, word) = match word.strip_prefix('~') {
            Some(rest) => (true, rest.trim()),
            None => (false, word),
        };
        let value = literal(word)
            .or_else(|| names::value(word))
            .ok_or_else(|| format!("unknown value {word:?}"))?;
        sum |= if inverted { !value } else { value };
    }
    Ok(sum)
}

/// A number as C writes it.
fn literal(word: &str) -> Option<u64> {
    if let Some(rest) = word.strip_prefix('-') {
        return literal(rest).map(u64::wrapping_neg);
    }
    if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    match word.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u64::from_str_radix(octal, 8).ok(),
        _ => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::{args, when};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(when in when(), args in args()) {
            let written = write(&when);
            if written.text.is_empty() {
                prop_assert!(written.left_out > 0 || !when.holds(&args));
                return Ok(());
            }
            let back = read(&written.text).unwrap();
            // Nothing more than before, and nothing less where it fits.
            prop_assert!(!back.holds(&args) || when.holds(&args), "{}", written.text);
            if written.left_out == 0 && !written.widened {
                prop_assert_eq!(back.holds(&args), when.holds(&args), "{}", written.text);
            }
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>(), value in "[0-9a-fx~|& ]{0,12}") {
            let _ = read(&text);
            let _ = read(&format!("arg0 == {value}"));
        }
    }

    #[test]
    fn policies_as_people_write_them() {
        let read = |text| read(text).map(|when| when.to_string());
        assert_eq!(read("arg0 == AF_INET").unwrap(), "arg0 == 0x2");
        assert_eq!(
            read("arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE").unwrap(),
            "arg2 & 0x2 == 0x0 || arg2 & 0x4 == 0x0"
        );
        assert_eq!(
            read("arg1 == 0x5413 && arg0 <= 017").unwrap(),
            "arg0 <= 0xf && arg1 == 0x5413"
        );
        assert_eq!(
            read("arg1 & CLONE_NEWNS|CLONE_NEWPID").unwrap(),
            "arg1 & 0x20020000 != 0x0"
        );
        for wrong in ["arg6 == 1", "arg0 = 1", "arg0 == NONSENSE", "arg0", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let (part, message) = super::read("arg0 == 1 && arg1 == XY").unwrap_err();
        assert_eq!((part, &*message), ("arg1 == XY", "unknown value \"XY\""));
    }
}
