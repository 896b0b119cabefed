// SPDX-License-Identifier: GPL-2.0-only

//! `args`: comparisons of arguments, as libseccomp makes them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::condition::{Case, Op, Test, When, ARGS};
use crate::format::place::Text;
use crate::format::Syntax;

const MASKED_EQ: &str = "SCMP_CMP_MASKED_EQ";

const OPS: [(Op, &str); 6] = [
    (Op::Eq, "SCMP_CMP_EQ"),
    (Op::Ne, "SCMP_CMP_NE"),
    (Op::Lt, "SCMP_CMP_LT"),
    (Op::Le, "SCMP_CMP_LE"),
    (Op::Gt, "SCMP_CMP_GT"),
    (Op::Ge, "SCMP_CMP_GE"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    index: u8,
    value: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_two: Option<u64>,
    op: &'static str,
}

/// A test that libseccomp can make: all bits, or equality.
impl From<&Test> for Written {
    fn from(test: &Test) -> Self {
        let named = OPS.iter().find(|(op, _)| *op == test.op);
        match test.mask {
            u64::MAX => Self {
                index: test.arg,
                value: test.value,
                value_two: None,
                op: named.map_or(MASKED_EQ, |(_, name)| name),
            },
            mask => Self {
                index: test.arg,
                value: mask,
                value_two: Some(test.value),
                op: MASKED_EQ,
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read {
    index: u8,
    value: u64,
    value_two: Option<u64>,
    op: String,
}

impl Read {
    fn test(&self) -> Result<Test, String> {
        if self.index >= ARGS {
            return Err(format!("there is no argument {}", self.index));
        }
        if self.op == MASKED_EQ {
            let value = self.value_two.unwrap_or(0);
            // libseccomp masks both sides.
            let value = value & self.value;
            return Ok(Test::masked(self.index, self.value, Op::Eq, value));
        }
        match OPS.iter().find(|(_, name)| *name == self.op) {
            Some(&(op, _)) => Ok(Test::new(self.index, op, self.value)),
            None => Err(format!("there is no comparison {:?}", self.op)),
        }
    }
}

/// What a rule's arguments mean. Of several comparisons of one argument the
/// runtimes make a rule each, since libseccomp takes one of each in a rule.
pub fn read<'a>(text: Text<'a>, args: Option<&'a RawValue>) -> Result<When, Syntax> {
    let Some(args) = args else {
        return Ok(When::Always);
    };
    let pieces: Option<Vec<&RawValue>> = text.piece(args)?;
    let mut tests = Vec::new();
    for piece in pieces.unwrap_or_default() {
        tests.push(text.check(piece, text.piece::<Read>(piece)?.test())?);
    }
    let mut once = BTreeSet::new();
    if tests.iter().all(|test| once.insert(test.arg)) {
        return Ok(When::any([Case::from_iter(tests)]));
    }
    Ok(When::any(
        tests.into_iter().map(|test| Case::from_iter([test])),
    ))
}
