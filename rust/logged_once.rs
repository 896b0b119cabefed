// SPDX-License-Identifier: GPL-2.0

//! Who has asked for system calls to be logged once, and where filters remember what they have
//! logged.
//!
//! What is remembered, and for how long, is the rule of [`once`](crate::once). A task reads what is
//! asked for, with its generation, before it decides whether to log, and what it remembers after the
//! record was handed to audit is of that generation. So a call that counts as logged has a record of
//! the present generation: two tasks that race may write two, and one that was under way when the
//! administrator had all filters forget remembers what is forgotten already.

use kernel::{
    ffi::c_int,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

#[cfg(CONFIG_SYSCTL)]
use kernel::sync::atomic::Full;

#[cfg(CONFIG_SYSCTL)]
use crate::action_set::ActionSet;
use crate::{
    abstractions::{
        compiler::keep_apart,
        nospec::get_masked,
        syscall::{
            COMPAT,
            NATIVE, //
        }, //
    },
    once::{
        self,
        index,
        words,
        Cell,
        Present,
        Word, //
    }, //
};

/// Whether anybody has asked since boot, a filter or the administrator. Where nobody has, that is
/// all that is looked at.
static IN_USE: Atomic<bool> = Atomic::new(false);

/// What the administrator asks for: a [`Present`].
static PRESENT: Atomic<u64> = Atomic::new(Present::FIRST.bits());

/// Whether a decision can be one that is logged once.
#[inline(always)]
pub(crate) fn is_in_use() -> bool {
    // Who does not see it yet logs, and remembers nothing.
    IN_USE.load(Relaxed)
}

/// Says that somebody asks.
pub(crate) fn set_in_use() {
    IN_USE.store(true, Relaxed);
}

/// What the administrator asks for, to be read before it is decided whether to log.
#[inline(always)]
pub(crate) fn present() -> Present {
    Present::from_bits(PRESENT.load(Acquire))
}

/// Has decisions for the actions of `set`, and no others, logged once, of all filters, which forget
/// what they have logged.
#[cfg(CONFIG_SYSCTL)]
pub(crate) fn set_actions_logged_once(set: ActionSet) {
    set_in_use();
    let mut old = present();
    // Who is in the way is another administrator.
    while let Err(found) = PRESENT.cmpxchg(old.bits(), old.next(set).bits(), Full) {
        old = Present::from_bits(found);
    }
}

/// Has all filters forget what they have logged.
#[cfg(CONFIG_SYSCTL)]
pub(crate) fn forget() {
    let old = present();
    // Where it fails, somebody else has had them forget since this began, and that is as good.
    let _ = PRESENT.cmpxchg(old.bits(), old.next(old.set()).bits(), Full);
}

impl Cell for Atomic<u64> {
    #[inline(always)]
    fn read(&self) -> u64 {
        self.load(Acquire)
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        self.cmpxchg(old, new, Release).map(|_| ())
    }
}

/// What a filter remembers: of each convention, which numbers it has logged.
pub(crate) struct Logged {
    native: [Atomic<u64>; words(NATIVE.nr_syscalls)],
    compat: [Atomic<u64>; words(COMPAT.nr_syscalls)],
}

impl Logged {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            native: [const { Atomic::new(0) }; words(NATIVE.nr_syscalls)],
            compat: [const { Atomic::new(0) }; words(COMPAT.nr_syscalls)],
        }
    }

    /// Whether system call `nr` of convention `arch` has been logged in the generation of `now`.
    #[inline(always)]
    pub(crate) fn has(&self, nr: c_int, arch: u32, now: Present) -> bool {
        // A negative number becomes one that is larger than any table.
        let nr = nr as usize;

        if arch == NATIVE.arch {
            return nr < NATIVE.nr_syscalls && {
                let word = Word::from_bits(get_masked(&self.native, index(nr)).read());
                word.has(nr) && word.is_of(now)
            };
        }
        // x86 has these two alone. Sharing code with the other one is a jump more.
        (cfg!(CONFIG_X86_64) || arch == COMPAT.arch) && nr < COMPAT.nr_syscalls && {
            let word = Word::from_bits(get_masked(&self.compat, index(nr)).read());
            word.has(nr) && {
                let is_of_now = word.is_of(now);
                keep_apart();
                is_of_now
            }
        }
    }

    /// Remembers that it was, by a decision in the generation of `then`; not for a number that the
    /// convention's table does not have.
    pub(crate) fn remember(&self, nr: c_int, arch: u32, then: Present) {
        let nr = nr as usize;

        if arch == NATIVE.arch && nr < NATIVE.nr_syscalls {
            once::remember(get_masked(&self.native, index(nr)), nr, then);
        }
        if arch == COMPAT.arch && nr < COMPAT.nr_syscalls {
            once::remember(get_masked(&self.compat, index(nr)), nr, then);
        }
    }
}
