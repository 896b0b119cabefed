// SPDX-License-Identifier: GPL-2.0-only

//! Conditions in the terms of a format that has fewer kinds of comparison.
//!
//! Any comparison of masked bits is a choice of cases in each of which some bits
//! are what they are; so what a format cannot hold as it stands, it holds as
//! masked equalities, and means exactly the same.

use std::collections::BTreeSet;

use crate::condition::{Case, Op, Test, When, INT};

/// More cases than this are not made of one.
const MAX_CASES: usize = 128;

/// A condition as cases, and how many of its own could not be put so. Without
/// these it allows less, never more.
#[derive(Debug, Default)]
pub struct Lowered {
    /// In any of these the call is allowed: all tests of one must hold.
    pub cases: Vec<Vec<Test>>,
    /// Cases that would have become too many.
    pub left_out: usize,
}

/// Conditions as libseccomp takes them: equality of masked bits, or any
/// comparison of all bits, and one of each argument at most.
pub fn libseccomp(when: &When) -> Lowered {
    lower(
        when,
        &|test| test.op == Op::Eq || test.mask == u64::MAX,
        true,
    )
}

/// Conditions as seccompiler takes them: equality of masked bits, or any
/// comparison of all bits or of the lower half.
pub fn seccompiler(when: &When) -> Lowered {
    let fits = |test: &Test| {
        test.op == Op::Eq || test.mask == u64::MAX || test.mask == INT && test.value <= INT
    };
    lower(when, &fits, false)
}

/// Conditions as minijail takes them: any comparison of all bits, whether bits
/// are all clear, and whether any is set.
pub fn minijail(when: &When) -> Lowered {
    let fits = |test: &Test| {
        test.mask == u64::MAX
            || test.value == 0 && matches!(test.op, Op::Eq | Op::Ne)
            || test.op == Op::Eq
    };
    lower(when, &fits, false)
}

fn lower(when: &When, fits: &dyn Fn(&Test) -> bool, once: bool) -> Lowered {
    let mut lowered = Lowered::default();
    for case in when.cases().into_iter().flatten() {
        match lower_case(case, fits, once) {
            Some(cases) => lowered.cases.extend(cases),
            None => lowered.left_out += 1,
        }
    }
    // One that always holds is all there is to say: seccompiler passes over a rule
    // without arguments where others have some.
    if lowered.cases.iter().any(Vec::is_empty) {
        return Lowered {
            cases: vec![Vec::new()],
            left_out: 0,
        };
    }
    lowered
}

fn lower_case(case: &Case, fits: &dyn Fn(&Test) -> bool, once: bool) -> Option<Vec<Vec<Test>>> {
    let mut cases: Vec<Vec<Test>> = vec![Vec::new()];
    for test in case.tests() {
        let beside = once && case.tests().filter(|other| other.arg == test.arg).count() > 1;
        let parts = if fits(test) && !(beside && test.op != Op::Eq) {
            vec![*test]
        } else {
            bits(test)
        };
        let mut product = Vec::new();
        for case in &cases {
            for part in &parts {
                // One that never holds is none.
                product.extend(and(case, part, once));
                if product.len() > MAX_CASES {
                    return None;
                }
            }
        }
        cases = product;
    }
    Some(cases)
}

/// The case with this test; `None` where it could never hold.
fn and(case: &[Test], test: &Test, once: bool) -> Option<Vec<Test>> {
    if test.op == Op::Eq && test.value & !test.mask != 0
        || case.iter().any(|there| there.contradicts(test))
    {
        return None;
    }
    let mut case = case.to_vec();
    if test.mask == 0 && test.op == Op::Eq {
        return Some(case);
    }
    match case.iter_mut().find(|there| there.arg == test.arg) {
        // Both are equalities.
        Some(there) if once => {
            there.mask |= test.mask;
            there.value |= test.value;
        }
        _ => case.push(*test),
    }
    Some(case)
}

/// A test as equalities of masked bits, of which one at most holds.
fn bits(test: &Test) -> Vec<Test> {
    let Test {
        arg,
        mask,
        op,
        value,
    } = *test;
    let eq = |mask, value| Test::masked(arg, mask, Op::Eq, value);
    let (less, equal, greater) = match op {
        Op::Eq => (false, true, false),
        Op::Ne => (true, false, true),
        Op::Lt => (true, false, false),
        Op::Le => (true, true, false),
        Op::Gt => (false, false, true),
        Op::Ge => (false, true, true),
    };
    let mut parts = BTreeSet::new();
    // From the highest bit on, all above being those of the value.
    for bit in (0..64).rev().map(|n| 1u64 << n) {
        let above = mask & !(bit | (bit - 1));
        match (mask & bit != 0, value & bit != 0) {
            (true, true) if less => {
                parts.insert(eq(above | bit, value & above));
            }
            (true, false) if greater => {
                parts.insert(eq(above | bit, value & above | bit));
            }
            // What is masked away is less than what is not.
            (false, true) => {
                if less {
                    parts.insert(eq(above, value & above));
                }
                return parts.into_iter().collect();
            }
            _ => {}
        }
    }
    if equal {
        parts.insert(eq(mask, value));
    }
    parts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::{args, test, when};
    use proptest::prelude::*;

    fn holds(cases: &[Vec<Test>], args: &[u64; 6]) -> bool {
        cases
            .iter()
            .any(|case| case.iter().all(|test| test.holds(args)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn bits_mean_the_same(test in test(), args in args()) {
            let held = bits(&test).iter().filter(|part| part.holds(&args)).count();
            prop_assert_eq!(held, usize::from(test.holds(&args)), "{}", test);
        }

        #[test]
        fn what_is_lowered_means_the_same(when in when(), args in args()) {
            for lowered in [libseccomp(&when), seccompiler(&when), minijail(&when)] {
                let held = holds(&lowered.cases, &args);
                prop_assert!(!held || when.holds(&args), "{}", when);
                if lowered.left_out == 0 {
                    prop_assert_eq!(held, when.holds(&args), "{}", when);
                }
            }
            for case in libseccomp(&when).cases {
                let mut once = BTreeSet::new();
                prop_assert!(case.iter().all(|test| once.insert(test.arg)
                    && (test.op == Op::Eq || test.mask == u64::MAX)));
            }
        }
    }

    #[test]
    fn what_is_usual_stays_as_it_is() {
        let socket = When::any([Case::from_iter([
            Test::masked(0, INT, Op::Eq, 2),
            Test::masked(1, 0xf, Op::Eq, 1),
        ])]);
        for lowered in [libseccomp(&socket), seccompiler(&socket), minijail(&socket)] {
            assert_eq!(lowered.left_out, 0);
            assert_eq!(lowered.cases.len(), 1);
            assert_eq!(lowered.cases[0].len(), 2);
        }
        // Both bits of one argument are one comparison.
        let both = When::any([Case::from_iter([
            Test::masked(2, 2, Op::Eq, 0),
            Test::masked(2, 4, Op::Eq, 4),
        ])]);
        assert_eq!(
            libseccomp(&both).cases,
            [vec![Test::masked(2, 6, Op::Eq, 4)]]
        );
    }
}
