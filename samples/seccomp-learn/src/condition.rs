// SPDX-License-Identifier: GPL-2.0-only

//! Conditions on the arguments of a call: in which cases it is allowed.
//!
//! An argument is a number of 64 bits, as a filter sees it: what a 32-bit
//! program passes has zeroes above. A test masks one and compares it, without
//! sign; all tests of a case must hold; a call is allowed in any of its cases.

use std::collections::BTreeSet;
use std::fmt;

/// How many arguments a system call has.
pub const ARGS: u8 = 6;
/// The bits of an argument that the kernel takes as an `int`.
pub const INT: u64 = u32::MAX as u64;

/// How a masked argument is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// It is the value.
    Eq,
    /// It is another.
    Ne,
    /// It is less.
    Lt,
    /// It is less, or the value.
    Le,
    /// It is greater.
    Gt,
    /// It is greater, or the value.
    Ge,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    /// As it is written between two numbers.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    const fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }
}

/// One comparison: `(arg & mask) OP value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Which argument, counted from 0.
    pub arg: u8,
    /// The bits of it that count.
    pub mask: u64,
    /// How it is compared.
    pub op: Op,
    /// With what.
    pub value: u64,
}

impl Test {
    /// A comparison of all 64 bits.
    pub const fn new(arg: u8, op: Op, value: u64) -> Self {
        Self::masked(arg, u64::MAX, op, value)
    }

    /// A comparison of some bits.
    pub const fn masked(arg: u8, mask: u64, op: Op, value: u64) -> Self {
        Self {
            arg,
            mask,
            op,
            value,
        }
    }

    /// Whether it holds for these arguments.
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        let arg = args.get(usize::from(self.arg)).copied().unwrap_or(0);
        self.op.holds(arg & self.mask, self.value)
    }

    /// The least and the greatest masked value for which it holds; `None` where
    /// these are not all between two, or none.
    fn range(&self) -> Option<(u64, u64)> {
        Some(match self.op {
            Op::Eq => (self.value, self.value),
            Op::Ne => return None,
            Op::Lt => (0, self.value.checked_sub(1)?),
            Op::Le => (0, self.value),
            Op::Gt => (self.value.checked_add(1)?, self.mask),
            Op::Ge => (self.value, self.mask),
        })
    }

    /// Whether it is seen to hold wherever `self` does. A `false` may be wrong.
    pub fn implies(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if self.arg != other.arg {
            return false;
        }
        if self.op == Op::Eq && other.mask & !self.mask == 0 {
            return other.op.holds(self.value & other.mask, other.value);
        }
        match (self.op, other.op) {
            // Known bits that differ.
            (Op::Eq, Op::Ne) => (self.value ^ other.value) & self.mask & other.mask != 0,
            _ if self.mask != other.mask => false,
            (_, Op::Ne) => self
                .range()
                .is_some_and(|(least, most)| other.value < least || other.value > most),
            _ => match (self.range(), other.range()) {
                (Some(mine), Some(other)) => other.0 <= mine.0 && mine.1 <= other.1,
                _ => false,
            },
        }
    }

    /// Whether it is seen that both cannot hold at once. A `false` may be wrong.
    pub fn contradicts(&self, other: &Self) -> bool {
        if self.arg != other.arg {
            return false;
        }
        match (self.op, other.op) {
            (Op::Eq, Op::Eq) => (self.value ^ other.value) & self.mask & other.mask != 0,
            (Op::Eq, _) if other.mask & !self.mask == 0 => {
                !other.op.holds(self.value & other.mask, other.value)
            }
            (_, Op::Eq) if self.mask & !other.mask == 0 => {
                !self.op.holds(other.value & self.mask, self.value)
            }
            _ if self.mask != other.mask => false,
            _ => match (self.range(), other.range()) {
                (Some(mine), Some(other)) => mine.1 < other.0 || other.1 < mine.0,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            arg,
            mask,
            op,
            value,
        } = self;
        write!(f, "arg{arg}")?;
        if *mask != u64::MAX && *mask != INT {
            write!(f, " & {mask:#x}")?;
        }
        write!(f, " {} {value:#x}", op.sign())
    }
}

/// Tests that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case(BTreeSet<Test>);

impl Case {
    /// The tests, in order.
    pub fn tests(&self) -> impl DoubleEndedIterator<Item = &Test> {
        self.0.iter()
    }

    /// Whether it holds for these arguments.
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        self.0.iter().all(|test| test.holds(args))
    }

    /// Whether `other` is seen to hold wherever `self` does.
    pub fn implies(&self, other: &Self) -> bool {
        let implied = |test: &Test| self.0.iter().any(|mine| mine.implies(test));
        other.0.iter().all(implied)
    }

    /// Whether it is seen that both cannot hold at once.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.0
            .iter()
            .any(|mine| other.0.iter().any(|test| mine.contradicts(test)))
    }
}

impl FromIterator<Test> for Case {
    fn from_iter<I: IntoIterator<Item = Test>>(tests: I) -> Self {
        Self(tests.into_iter().collect())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, test) in self.0.iter().enumerate() {
            write!(f, "{}{test}", if i > 0 { " && " } else { "" })?;
        }
        Ok(())
    }
}

/// When a call is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// With any arguments.
    #[default]
    Always,
    /// In these cases.
    In(BTreeSet<Case>),
}

impl When {
    /// In any of these cases; one without tests is always.
    pub fn any(cases: impl IntoIterator<Item = Case>) -> Self {
        let mut when = Self::In(BTreeSet::new());
        for case in cases {
            when.or(Self::In(BTreeSet::from([case])));
        }
        when
    }

    /// Whether there is no condition.
    pub fn is_always(&self) -> bool {
        matches!(self, Self::Always)
    }

    /// Whether there is no case in which it is allowed.
    pub fn is_never(&self) -> bool {
        matches!(self, Self::In(cases) if cases.is_empty())
    }

    /// The cases; `None` where there is no condition.
    pub fn cases(&self) -> Option<&BTreeSet<Case>> {
        match self {
            Self::Always => None,
            Self::In(cases) => Some(cases),
        }
    }

    /// Whether the call is allowed with these arguments.
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        match self {
            Self::Always => true,
            Self::In(cases) => cases.iter().any(|case| case.holds(args)),
        }
    }

    /// Allows what `other` allows as well.
    pub fn or(&mut self, other: Self) {
        let Self::In(mine) = self else { return };
        let Self::In(other) = other else {
            *self = Self::Always;
            return;
        };
        for case in other {
            if case.0.is_empty() {
                *self = Self::Always;
                return;
            }
            // What another case has in it adds nothing.
            if !mine.iter().any(|there| case.implies(there)) {
                mine.retain(|there| !there.implies(&case));
                mine.insert(case);
            }
        }
    }

    /// Whether `other` is seen to allow all that `self` does. A `false` may be
    /// wrong, where cases overlap in ways that only their sum shows.
    pub fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Always) => true,
            (Self::Always, Self::In(_)) => false,
            (Self::In(mine), Self::In(other)) => mine
                .iter()
                .all(|case| other.iter().any(|there| case.implies(there))),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::In(cases) if cases.is_empty() => f.write_str("never"),
            Self::In(cases) => {
                for (i, case) in cases.iter().enumerate() {
                    write!(f, "{}{case}", if i > 0 { " || " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers that are near each other, at the ends, and across the halves.
    pub fn number() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..6u64,
            Just(INT),
            Just(INT + 1),
            Just(u64::MAX),
            Just(0xffff_ffff_0000_0001),
            Just(0x1_0000_0002),
            any::<u64>(),
        ]
    }

    /// Masks as they are met, and any.
    pub fn mask() -> impl Strategy<Value = u64> {
        prop_oneof![
            Just(u64::MAX),
            Just(INT),
            Just(6),
            Just(!6),
            Just(0x3_0000_0000),
            any::<u64>()
        ]
    }

    /// A comparison of any kind.
    pub fn test() -> impl Strategy<Value = Test> {
        (0..3u8, mask(), prop::sample::select(&Op::ALL), number())
            .prop_map(|(arg, mask, op, value)| Test::masked(arg, mask, op, value))
    }

    /// Conditions of any kind.
    pub fn when() -> impl Strategy<Value = When> {
        let case = prop::collection::vec(test(), 1..4).prop_map(Case::from_iter);
        prop::collection::vec(case, 1..4).prop_map(When::any)
    }

    /// Conditions as they are learnt: equalities of masked bits.
    pub fn learnt() -> impl Strategy<Value = When> {
        let test = test().prop_map(|test| Test {
            op: Op::Eq,
            value: test.value & test.mask,
            ..test
        });
        let case = prop::collection::vec(test, 1..4).prop_map(Case::from_iter);
        prop::collection::vec(case, 1..6).prop_map(When::any)
    }

    /// Arguments near the values of a condition.
    pub fn args() -> impl Strategy<Value = [u64; 6]> {
        prop::array::uniform6(number())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_implied_holds(a in when(), b in when(), args in args()) {
            if a.implies(&b) && a.holds(&args) {
                prop_assert!(b.holds(&args), "{a} does not imply {b}");
            }
            let cases = |when: &When| when.cases().cloned().unwrap_or_default();
            for mine in cases(&a) {
                for other in cases(&b) {
                    let both = mine.holds(&args) && other.holds(&args);
                    prop_assert!(!(mine.contradicts(&other) && both), "{mine}; {other}");
                }
            }
        }

        #[test]
        fn a_sum_allows_what_either_does(a in when(), b in when(), args in args()) {
            let mut both = a.clone();
            both.or(b.clone());
            prop_assert_eq!(both.holds(&args), a.holds(&args) || b.holds(&args));
        }

        #[test]
        fn a_sum_of_what_is_learnt_is_seen_to_allow_both(a in learnt(), b in learnt()) {
            let mut both = a.clone();
            both.or(b.clone());
            prop_assert!(a.implies(&both) && b.implies(&both));
        }

        #[test]
        fn single_tests_are_compared(a in test(), b in test(), args in args()) {
            prop_assert!(!(a.implies(&b) && a.holds(&args)) || b.holds(&args), "{a}; {b}");
            prop_assert!(!(a.contradicts(&b) && a.holds(&args) && b.holds(&args)), "{a}; {b}");
        }
    }

    #[test]
    fn what_is_plain_is_seen() {
        let eq = |value| Test::masked(0, INT, Op::Eq, value);
        assert!(Test::new(0, Op::Eq, 2).implies(&eq(2)));
        assert!(!eq(2).implies(&Test::new(0, Op::Eq, 2)));
        assert!(eq(2).implies(&Test::masked(0, 4, Op::Eq, 0)));
        assert!(eq(2).contradicts(&eq(3)));
        assert!(Test::new(0, Op::Ne, 9).contradicts(&Test::new(0, Op::Eq, 9)));
        assert!(Test::new(0, Op::Lt, 3).implies(&Test::new(0, Op::Le, 2)));
        assert!(Test::new(0, Op::Lt, 3).contradicts(&Test::new(0, Op::Gt, 2)));
        assert!(!Test::new(1, Op::Eq, 2).implies(&Test::new(0, Op::Eq, 2)));
    }

    #[test]
    fn what_adds_nothing_is_not_kept() {
        let case = |value| Case::from_iter([Test::new(0, Op::Eq, value)]);
        let mut when = When::any([case(1), case(2), case(1)]);
        assert_eq!(when.to_string(), "arg0 == 0x1 || arg0 == 0x2");
        when.or(When::any([Case::from_iter([Test::new(0, Op::Lt, 2)])]));
        assert_eq!(when.to_string(), "arg0 == 0x2 || arg0 < 0x2");
        when.or(When::any([Case::default()]));
        assert_eq!(when, When::Always);
        assert_eq!(When::any([]).to_string(), "never");
        assert!(!When::any([]).holds(&[0; 6]));
    }
}
