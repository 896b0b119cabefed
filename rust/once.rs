// SPDX-License-Identifier: GPL-2.0

//! What a filter remembers of the system calls that it has logged.
//!
//! The memory of a convention is an array of words. Each has the bits of 32 numbers, and the
//! generation that they are of, so that one access reads or changes both: what was remembered
//! before the administrator had all filters forget is of an older generation, and counts for
//! nothing, without anybody having to clear it.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.

use crate::{
    action::Action,
    action_set::ActionSet, //
};

/// How many numbers a word has the bits of.
pub(crate) const PER_WORD: usize = 32;

/// How many words the memory of the numbers below `nr` takes: a power of two, so that a mask keeps
/// an index inside, on a CPU that speculates as well.
pub(crate) const fn words(nr: usize) -> usize {
    nr.div_ceil(PER_WORD).next_power_of_two()
}

/// The index of the word that has the bit of `nr`.
#[inline(always)]
pub(crate) const fn index(nr: usize) -> usize {
    nr / PER_WORD
}

/// The bit of `nr` in its word.
#[inline(always)]
const fn bit(nr: usize) -> u64 {
    1 << (nr % PER_WORD)
}

/// What the administrator has asked for, and how often: the set of `actions_logged_once`, and a
/// generation, which begins when it is written. Both are one word, so that a task which decides
/// reads them as they belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Present(u64);

impl Present {
    /// The one at boot, of whose generation an empty memory is.
    pub(crate) const FIRST: Self = Self(ActionSet::EMPTY.bits() as u64);

    /// The one whose value in memory is `bits`.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its value in memory.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The set.
    #[inline(always)]
    pub(crate) const fn set(self) -> ActionSet {
        // CAST: The set is in the lower half.
        ActionSet::from_bits(self.0 as u32)
    }

    /// The number of the generation.
    const fn generation(self) -> u32 {
        generation(self.0)
    }

    /// The one after it, with `set`, in which all filters have forgotten what they have logged.
    ///
    /// The generation does not wrap around: of the last one nothing is remembered, and every
    /// decision is logged.
    pub(crate) const fn next(self, set: ActionSet) -> Self {
        let generation = self.generation().saturating_add(1);
        Self((generation as u64) << PER_WORD | set.bits() as u64)
    }

    /// What is asked for where a filter asks by its flag as well.
    #[inline(always)]
    pub(crate) const fn or(self, asked: Asked) -> Self {
        Self(self.0 | asked.0)
    }

    /// Whether a decision for `action` is to be logged the first time only, of those that are to be
    /// logged at all. There is no second time after a kill that one could miss, and each names
    /// another task.
    #[inline(always)]
    pub(crate) const fn is_once(self, action: Action) -> bool {
        match action {
            Action::KillProcess | Action::KillThread => false,
            _ => self.set().contains(action),
        }
    }
}

/// Whether a filter has `SECCOMP_FILTER_FLAG_LOG_ONCE`: the set of all actions or of none, as in a
/// [`Present`], so that one instruction unites them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asked(u64);

impl Asked {
    /// It has not.
    pub(crate) const NO: Self = Self(0);

    /// It has.
    pub(crate) const YES: Self = Self(ActionSet::LOGGABLE.bits() as u64);
}

/// The generation in the upper half of a word.
const fn generation(bits: u64) -> u32 {
    (bits >> PER_WORD) as u32
}

/// One word of a memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Word(u64);

impl Word {
    /// The word whose value in memory is `bits`.
    #[inline(always)]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether its bits are of the generation of `now`.
    #[inline(always)]
    pub(crate) const fn is_of(self, now: Present) -> bool {
        (self.0 ^ now.0) >> PER_WORD == 0
    }

    /// Whether `nr` has been logged in the generation that the bits are of.
    #[inline(always)]
    pub(crate) const fn has(self, nr: usize) -> bool {
        self.0 & bit(nr) != 0
    }

    /// The word after `nr` has been logged by a task that has decided in the generation of `then`.
    ///
    /// `None` where nothing is to be remembered: it is known, or all has been forgotten since.
    const fn with(self, nr: usize, then: Present) -> Option<Self> {
        let then = then.generation();
        if then == u32::MAX || generation(self.0) > then {
            return None;
        }
        let known = if generation(self.0) == then {
            self.0
        } else {
            (then as u64) << PER_WORD
        };
        if known & bit(nr) != 0 {
            return None;
        }
        Some(Self(known | bit(nr)))
    }
}

/// The place of a [`Word`], which other tasks change at the same time.
pub(crate) trait Cell {
    /// The word that is there. What the task that put it there did before is seen after.
    fn read(&self) -> u64;

    /// Puts `new` in the place of `old`; `Err` with what is there where that is not `old`. What
    /// this task did before is seen by those who see `new`.
    fn replace(&self, old: u64, new: u64) -> Result<(), u64>;
}

/// How often [`remember`] tries: each time that it fails another task has put in one of the word's
/// numbers, or a later generation.
const TRIES: usize = PER_WORD + 1;

/// Remembers in `cell`, which is the one that has the bit of `nr`, that `nr` was logged by a task
/// that has decided so in the generation of `then`.
///
/// To be called when the record has been handed to audit. A task that does not get through others
/// gives up: that is a record more, and none too few.
pub(crate) fn remember(cell: &impl Cell, nr: usize, then: Present) {
    let mut word = Word(cell.read());
    for _ in 0..TRIES {
        let Some(new) = word.with(nr, then) else {
            return;
        };
        match cell.replace(word.0, new.0) {
            Ok(()) => return,
            Err(found) => word = Word(found),
        }
    }
}
