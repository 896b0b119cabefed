// SPDX-License-Identifier: GPL-2.0

//! What a filter remembers of what it has logged, against a set of pairs that does the same.

extern crate std;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec::Vec;

use proptest::prelude::*;

use crate::action::Action;
use crate::action_set::ActionSet;
use crate::once::{index, remember, words, Asked, Cell, Present, Word, PER_WORD};

impl Cell for AtomicU64 {
    fn read(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        self.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
            .map(|_| ())
    }
}

/// A word that another task changes each time that one is about to be put in its place.
struct Contended {
    word: AtomicU64,
    /// Of each other task, the number and the generation, the last one first.
    others: RefCell<Vec<(usize, u32)>>,
    tries: RefCell<usize>,
}

impl Contended {
    fn new(mut others: Vec<(usize, u32)>) -> Self {
        others.reverse();
        Self {
            word: AtomicU64::new(0),
            others: RefCell::new(others),
            tries: RefCell::new(0),
        }
    }
}

impl Cell for Contended {
    fn read(&self) -> u64 {
        self.word.read()
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        *self.tries.borrow_mut() += 1;
        if let Some((nr, then)) = self.others.borrow_mut().pop() {
            remember(&self.word, nr, of(then));
        }
        self.word.replace(old, new)
    }
}

/// That of a generation, with a set that is of no consequence.
fn of(generation: u32) -> Present {
    Present::from_bits(u64::from(generation) << PER_WORD | u64::from(generation % 251))
}

/// As the kernel asks, in either order.
fn known(cell: &impl Cell, nr: usize, now: Present) -> bool {
    let word = Word::from_bits(cell.read());
    word.is_of(now) && word.has(nr)
}

fn has(cell: &impl Cell, nr: usize, now: u32) -> bool {
    known(cell, nr, of(now))
}

/// A memory of the numbers below `nr`, as the kernel's.
fn memory(nr: usize) -> Vec<AtomicU64> {
    (0..words(nr)).map(|_| AtomicU64::new(0)).collect()
}

#[test]
fn every_number_has_a_bit_of_its_own() {
    for size in [1, 31, 32, 33, 64, 335, 470, 512, 600] {
        let memory = memory(size);
        assert!(memory.len().is_power_of_two());
        assert!(
            memory.len() * PER_WORD >= size && memory.len() * PER_WORD < 2 * size.max(PER_WORD)
        );
        for nr in 0..size {
            assert!(!has(&memory[index(nr)], nr, 0), "{nr} of {size}");
            remember(&memory[index(nr)], nr, Present::FIRST);
            for other in 0..size {
                assert_eq!(has(&memory[index(other)], other, 0), other <= nr);
            }
        }
    }
    assert_eq!(words(0), 1);
}

#[test]
fn the_words_of_the_kernels_tables() {
    // 128 bytes for each convention, up to 512 numbers.
    assert_eq!(words(472), 16);
    assert_eq!(words(512), 16);
    assert_eq!(words(513), 32);
}

#[test]
fn nothing_is_remembered_of_another_generation() {
    let cell = AtomicU64::new(0);
    remember(&cell, 7, of(3));
    for now in [0, 1, 2, 4, 5, u32::MAX] {
        assert!(!has(&cell, 7, now), "{now}");
    }
    assert!(has(&cell, 7, 3));
    // All that was remembered is gone, in the first number of the next one.
    remember(&cell, 8, of(4));
    assert!(has(&cell, 8, 4) && !has(&cell, 7, 4) && !has(&cell, 7, 3) && !has(&cell, 8, 3));
    // A task of before, which comes late, remembers nothing and disturbs nothing.
    remember(&cell, 9, of(3));
    assert!(has(&cell, 8, 4) && !has(&cell, 9, 4) && !has(&cell, 9, 3));
}

#[test]
fn of_the_last_generation_nothing_is_remembered() {
    let mut present = of(u32::MAX - 2);
    let cell = AtomicU64::new(0);
    for expected in [true, true, false, false] {
        remember(&cell, 5, present);
        assert_eq!(known(&cell, 5, present), expected);
        present = present.next(ActionSet::LOGGABLE);
    }
    assert_eq!(present.next(ActionSet::LOGGABLE), present);
}

#[test]
fn the_present_has_a_set_and_a_generation() {
    assert_eq!(Present::FIRST.set(), ActionSet::EMPTY);
    assert_eq!(Present::FIRST.bits(), 0);
    let mut present = Present::FIRST;
    for bits in 0..=u32::from(u8::MAX) {
        let set = ActionSet::from_bits(bits);
        present = present.next(set);
        assert_eq!(present.set(), set);
        assert_eq!(
            present.bits(),
            u64::from(bits + 1) << PER_WORD | u64::from(bits)
        );
        assert_eq!(Present::from_bits(present.bits()), present);
    }
}

#[test]
fn others_that_are_faster_do_not_take_it_away() {
    for n in 0..PER_WORD {
        // All others first, in whatever order.
        let cell = Contended::new((1..=n).map(|i| (i % PER_WORD, 0)).collect());
        remember(&cell, 0, Present::FIRST);
        for nr in 0..=n {
            assert!(has(&cell, nr % PER_WORD, 0), "{nr} after {n}");
        }
    }
}

#[test]
fn the_same_number_by_another_is_enough() {
    let cell = Contended::new([(3, 0)].into());
    remember(&cell, 3, Present::FIRST);
    assert!(has(&cell, 3, 0));
    assert_eq!(*cell.tries.borrow(), 1);
    remember(&cell, 3, Present::FIRST);
    assert_eq!(
        *cell.tries.borrow(),
        1,
        "what is known is not written again"
    );
}

#[test]
fn who_is_overtaken_by_a_new_generation_remembers_nothing() {
    let cell = Contended::new([(4, 1)].into());
    remember(&cell, 3, Present::FIRST);
    assert!(has(&cell, 4, 1) && !has(&cell, 3, 1) && !has(&cell, 3, 0));
}

#[test]
fn it_gives_up_in_the_end() {
    // Others that begin a new generation each time, all of them before this task's.
    let others: Vec<_> = (1..1000).map(|then| (1, then)).collect();
    let cell = Contended::new(others);
    remember(&cell, 3, of(5000));
    assert!(!has(&cell, 3, 5000));
    assert_eq!(*cell.tries.borrow(), PER_WORD + 1);
}

#[test]
fn as_many_as_a_word_has_numbers_are_not_too_many() {
    // Each of the others puts in one, of the generation of this task.
    let cell = Contended::new((1..PER_WORD).map(|nr| (nr, 9)).collect());
    remember(&cell, 0, of(9));
    assert_eq!(cell.read(), 9 << PER_WORD | u64::from(u32::MAX));
}

#[test]
fn threads_lose_nothing() {
    let cell = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for nr in 0..PER_WORD {
            let cell = &cell;
            scope.spawn(move || {
                for then in 0..100 {
                    remember(cell, nr, of(then));
                }
            });
        }
    });
    assert_eq!(cell.read(), 99 << PER_WORD | u64::from(u32::MAX));
}

#[test]
fn kills_are_always_logged() {
    for bits in 0..=u32::from(u8::MAX) {
        let set = ActionSet::from_bits(bits);
        for &action in Action::ALL {
            let kills = matches!(action, Action::KillProcess | Action::KillThread);
            let present = Present::FIRST.next(set);
            let loggable = action != Action::Allow;
            assert_eq!(present.is_once(action), !kills && set.contains(action));
            assert_eq!(
                present.or(Asked::YES).is_once(action),
                !kills && (loggable || set.contains(action))
            );
            assert_eq!(present.or(Asked::NO), present);
            // It is the same generation.
            let cell = AtomicU64::new(0);
            remember(&cell, 5, present.or(Asked::YES));
            assert!(known(&cell, 5, present));
        }
    }
}

proptest! {
    /// Tasks that decide in one generation and remember in another, against a set of pairs: what
    /// counts as logged was logged in that generation, and what was logged in the present one by a
    /// task that nobody overtook is.
    #[test]
    fn as_a_set_of_pairs(steps in proptest::collection::vec((0..64usize, 0..4u32, 0..8u32), 0..200)) {
        let memory = memory(64);
        let mut logged = BTreeSet::new();
        let mut now = 0u32;
        for (nr, late, forget) in steps {
            if forget == 0 {
                now += 1;
            }
            let then = now.saturating_sub(late);
            remember(&memory[index(nr)], nr, of(then));
            logged.insert((then, nr));
            for nr in 0..64 {
                prop_assert_eq!(
                    has(&memory[index(nr)], nr, now),
                    logged.contains(&(now, nr))
                );
            }
        }
    }
}
