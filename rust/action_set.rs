// SPDX-License-Identifier: GPL-2.0

//! Sets of actions: the mask behind `actions_logged`, as text and back, and the log decision.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.

use crate::action::{
    Action,
    LogRule, //
};

/// The length in bytes of every action's name, one separator between two.
const NAMES_LEN: usize = {
    let mut len = Action::ALL.len() - 1;
    let mut i = 0;
    while i < Action::ALL.len() {
        len += Action::ALL[i].name().len();
        i += 1;
    }
    len
};

/// The size in bytes of a buffer that holds the text of any set, its NUL included.
///
/// It is the size of C's `seccomp_actions_avail`, and so the limit for what is written to
/// `actions_logged`.
pub(crate) const TEXT_SIZE: usize = NAMES_LEN + 1;

/// The text of `actions_avail`: every action's name, one space between two, and a NUL.
pub(crate) static AVAIL: [u8; TEXT_SIZE] = {
    let mut text = [0; TEXT_SIZE];
    let mut len = 0;
    let mut i = 0;
    while i < Action::ALL.len() {
        if i > 0 {
            text[len] = b' ';
            len += 1;
        }
        let name = Action::ALL[i].name().as_bytes();
        let mut j = 0;
        while j < name.len() {
            text[len] = name[j];
            len += 1;
            j += 1;
        }
        i += 1;
    }
    text
};

/// A set of actions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ActionSet(u32);

impl ActionSet {
    /// No action.
    pub(crate) const EMPTY: Self = Self(0);

    /// Every action that can be logged: what `actions_logged` holds at boot.
    pub(crate) const LOGGABLE: Self = {
        let mut set = Self::EMPTY;
        let mut i = 0;
        while i < Action::ALL.len() {
            if !matches!(Action::ALL[i].log_rule(), LogRule::Never) {
                set = set.with(Action::ALL[i]);
            }
            i += 1;
        }
        set
    };

    /// The set of the actions whose [`Action::log_bit`] is set in `bits`.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The set as a mask of [`Action::log_bit`]s.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// Whether the set has no action.
    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set has `action`.
    #[inline(always)]
    pub(crate) const fn contains(self, action: Action) -> bool {
        self.0 & action.log_bit() != 0
    }

    /// The set with `action` added.
    #[inline]
    pub(crate) const fn with(self, action: Action) -> Self {
        Self(self.0 | action.log_bit())
    }

    /// Whether `action` is logged when `logged` is what the administrator lets through.
    ///
    /// `requested` says whether the filter that decided has `SECCOMP_FILTER_FLAG_LOG`. It is asked
    /// before the administrator: it is at hand, and where helpers are calls to read the other is one.
    #[inline(always)]
    pub(crate) fn logs(logged: impl FnOnce() -> Self, action: Action, requested: bool) -> bool {
        match action.log_rule() {
            LogRule::Always => logged().contains(action),
            LogRule::OnRequest => requested && logged().contains(action),
            LogRule::Never => false,
        }
    }

    /// Reads what was written to `actions_logged`: names with one space between two, up to a NUL
    /// or the end of `text`.
    ///
    /// As in C, which takes the text apart with `strsep()`, it ends at the first empty name: what
    /// stands behind a leading, a doubled or a trailing space is not read. Returns `None` for an
    /// unknown name, and for one of an action that cannot be logged.
    pub(crate) fn parse_loggable(text: &[u8]) -> Option<Self> {
        let mut set = Self::EMPTY;
        let mut rest = text;
        loop {
            let end = rest.iter().position(|&byte| byte == b' ' || byte == 0);
            let (name, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
            if name.is_empty() {
                break;
            }
            set = set.with(Action::from_name(name)?);
            let Some((b' ', next)) = behind.split_first() else {
                break;
            };
            rest = next;
        }
        (set.0 & !Self::LOGGABLE.0 == 0).then_some(set)
    }

    /// The names of the set's actions, in the order of the table, `separator` between two and NUL
    /// bytes behind.
    #[inline(never)]
    pub(crate) fn text(self, separator: u8) -> [u8; TEXT_SIZE] {
        let mut text = [0; TEXT_SIZE];
        // The longest text, that of every action, fits by the definition of `TEXT_SIZE`.
        let mut out = text.iter_mut();
        let mut append = |byte| {
            if let Some(slot) = out.next() {
                *slot = byte;
            }
        };
        let mut first = true;
        for action in Action::ALL.iter().filter(|&&action| self.contains(action)) {
            if !first {
                append(separator);
            }
            first = false;
            action.name().bytes().for_each(&mut append);
        }
        text
    }
}
