// SPDX-License-Identifier: GPL-2.0

//! The allow cache: the system calls that a filter and all before it allow whatever the arguments.
//!
//! A program is followed here with the number and the convention of the system call known and
//! nothing else, as `seccomp_is_const_allow()` does in
//! [`kernel/seccomp.c`](srctree/kernel/seccomp.c). C does so once for each number. Here all numbers
//! go through the program together, and part where it tells them apart: what most filters are, a
//! list of numbers or a tree of comparisons, is then read about once.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.

use crate::{
    action::Action,
    insn::{
        code::*,
        Insn, //
    }, //
};

/// Where a filter finds the number of a system call, in `struct seccomp_data`.
pub(crate) const OFFSET_NR: u32 = 0;

/// Where it finds the convention.
pub(crate) const OFFSET_ARCH: u32 = 4;

const BITS: usize = usize::BITS as usize;

/// The number of words of a bitmap of `nr` bits: C's `BITS_TO_LONGS()`, made a power of two, so that
/// a mask keeps an index inside, on a CPU that speculates as well.
pub(crate) const fn words(nr: usize) -> usize {
    nr.div_ceil(BITS).next_power_of_two()
}

/// One bit for each number of a convention, set where the system call is always allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bitmap<const WORDS: usize>([usize; WORDS]);

impl<const WORDS: usize> Bitmap<WORDS> {
    /// No number.
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    /// The numbers below `nr`.
    fn below(nr: usize) -> Self {
        let mut bitmap = Self::EMPTY;
        for (i, word) in (0..WORDS).zip(&mut bitmap.0) {
            *word = mask_below(nr, i);
        }
        bitmap
    }

    /// The words of the bitmap, the lowest numbers in the lowest bits of the first.
    #[inline(always)]
    pub(crate) fn as_words(&self) -> &[usize; WORDS] {
        &self.0
    }

    /// Whether `nr` is in the bitmap.
    pub(crate) fn contains(&self, nr: usize) -> bool {
        self.0
            .get(nr / BITS)
            .is_some_and(|word| word >> (nr % BITS) & 1 != 0)
    }

    /// Takes `nr` out.
    fn remove(&mut self, nr: usize) {
        if let Some(word) = self.0.get_mut(nr / BITS) {
            *word &= !(1 << (nr % BITS));
        }
    }

    /// Prepares the bitmap of a filter: the numbers below `nr_syscalls` of convention `arch` that
    /// `program` allows whatever the arguments, out of those that `prev`, the bitmap of the filter
    /// before, has; without a filter before it is all.
    ///
    /// Those of `uprobes` are allowed by `program` whatever it says: the kernel itself makes
    /// programs call them. `program` must be one that the kernel has accepted.
    #[doc(alias = "seccomp_cache_prepare_bitmap")]
    pub(crate) fn prepare(
        program: &[Insn],
        arch: u32,
        nr_syscalls: usize,
        uprobes: &[i32],
        prev: Option<&Self>,
    ) -> Self {
        let mut allowed = prev.map_or_else(|| Self::below(nr_syscalls), Self::clone);

        let mut unknown = allowed.clone();
        for &nr in uprobes {
            if let Ok(nr) = usize::try_from(nr) {
                unknown.remove(nr);
            }
        }

        Walk {
            program,
            arch,
            unknown,
            allowed: &mut allowed,
            pending: [Group::all(WORDS); PENDING],
            waiting: 0,
        }
        .walk();
        allowed
    }
}

/// The number that bit 0 of word `i` of a bitmap stands for.
const fn first_of(i: usize) -> usize {
    i.saturating_mul(BITS)
}

/// The bits of word `i` of a bitmap that stand for numbers below `nr`.
fn mask_below(nr: usize, i: usize) -> usize {
    match nr.checked_sub(first_of(i)) {
        None | Some(0) => 0,
        Some(rest) if rest >= BITS => !0,
        Some(rest) => (1 << rest) - 1,
    }
}

/// What the accumulator holds while nothing is known but the number of the system call: `base`
/// and the bits `mask` of that number.
#[derive(Clone, Copy)]
struct Accumulator {
    base: u32,
    mask: u32,
}

impl Accumulator {
    /// The value that is there at the start.
    const ZERO: Self = Self::constant(0);

    /// The number of the system call.
    const NR: Self = Self { base: 0, mask: !0 };

    /// A value that is the same for all numbers.
    const fn constant(base: u32) -> Self {
        Self { base, mask: 0 }
    }

    /// The value for system call `nr`.
    const fn value(self, nr: usize) -> u32 {
        self.base | nr as u32 & self.mask
    }

    /// The bitwise and with `k`.
    const fn and(self, k: u32) -> Self {
        Self {
            base: self.base & k,
            mask: self.mask & k,
        }
    }
}

/// What an instruction does to a program that is followed with nothing known but number and
/// convention.
enum Step {
    /// It goes on behind, with this value.
    Next(Accumulator, usize),
    /// It goes on at this instruction.
    Jump(usize),
    /// It goes on at the first of two instructions if the accumulator compares so to `k`, else at
    /// the second.
    Branch(Compare, u32, usize, usize),
    /// It is over, with the system call allowed or not, or not known to be.
    End(bool),
}

/// The conditions of jumps.
#[derive(Clone, Copy)]
enum Compare {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

impl Compare {
    /// Whether the condition holds for value `a`.
    const fn holds(self, a: u32, k: u32) -> bool {
        match self {
            Self::Equal => a == k,
            Self::Greater => a > k,
            Self::GreaterOrEqual => a >= k,
            Self::AnyBit => a & k != 0,
        }
    }
}

/// What the instruction at `pc` does.
///
/// A program that is accepted jumps forward alone and ends in a return; should one not, it is not
/// known to allow anything.
fn step(program: &[Insn], pc: usize, arch: u32, a: Accumulator) -> Step {
    const LD_ABS: u16 = LD | ABS | W;
    const RET_K: u16 = RET | K;
    const JUMP: u16 = JMP | JA;
    const JEQ_K: u16 = JMP | JEQ | K;
    const JGT_K: u16 = JMP | JGT | K;
    const JGE_K: u16 = JMP | JGE | K;
    const JSET_K: u16 = JMP | JSET | K;
    const AND_K: u16 = ALU | AND | K;

    // How seldom an instruction is looked at is what makes attaching cheap, and has a test.
    #[cfg(test)]
    crate::tests::count_step();

    let Some(insn) = program.get(pc) else {
        return Step::End(false);
    };
    // `pc` is an index of a slice, so that one more, and what an instruction can add, do not
    // overflow but by an offset that leads out of any program.
    let next = pc.saturating_add(1);
    let branch = |compare| {
        Step::Branch(
            compare,
            insn.k,
            next.saturating_add(insn.jt.into()),
            next.saturating_add(insn.jf.into()),
        )
    };

    match insn.code {
        LD_ABS if insn.k == OFFSET_NR => Step::Next(Accumulator::NR, next),
        LD_ABS if insn.k == OFFSET_ARCH => Step::Next(Accumulator::constant(arch), next),
        RET_K => Step::End(insn.k == Action::Allow.code()),
        JUMP => Step::Jump(next.saturating_add(insn.k as usize)),
        JEQ_K => branch(Compare::Equal),
        JGT_K => branch(Compare::Greater),
        JGE_K => branch(Compare::GreaterOrEqual),
        JSET_K => branch(Compare::AnyBit),
        AND_K => Step::Next(a.and(insn.k), next),
        // What depends on arguments or does more than filters usually do.
        _ => Step::End(false),
    }
}

/// Whether `program`, followed from `pc` on, allows system call `nr` whatever its arguments.
fn is_const_allow(
    program: &[Insn],
    mut pc: usize,
    arch: u32,
    mut a: Accumulator,
    nr: usize,
) -> bool {
    loop {
        pc = match step(program, pc, arch, a) {
            Step::Next(value, next) => {
                a = value;
                next
            }
            Step::Jump(target) => target,
            Step::Branch(compare, k, yes, no) => {
                if compare.holds(a.value(nr), k) {
                    yes
                } else {
                    no
                }
            }
            Step::End(allowed) => return allowed,
        };
    }
}

/// How many groups of numbers can wait for their turn. A tree of comparisons has one for each level,
/// so that the 4,096 instructions that a program can have are hardly ever too many; what finds no
/// place is followed number by number.
const PENDING: usize = 12;

/// Groups that span no more numbers than this are followed number by number where a comparison would
/// part them: 2 in 100 instructions of attaching a tree of 1,000.
const FEW: usize = 6;

/// Numbers that have gone the same way through a program so far: all between these two, both
/// included, of which nothing is known yet.
#[derive(Clone, Copy)]
struct Group {
    low: usize,
    high: usize,
    pc: usize,
    a: Accumulator,
}

impl Group {
    /// All numbers, at the start of a program.
    const fn all(words: usize) -> Self {
        Self {
            low: 0,
            high: first_of(words).saturating_sub(1),
            pc: 0,
            a: Accumulator::ZERO,
        }
    }

    /// The bits that a number of the group can have.
    const fn reach(&self) -> u32 {
        match self.high.checked_ilog2() {
            None => 0,
            Some(bit) => u32::MAX >> (u32::BITS - 1).saturating_sub(bit),
        }
    }
}

/// The way of all numbers through a program.
struct Walk<'a, const WORDS: usize> {
    program: &'a [Insn],
    arch: u32,
    /// The numbers that are still on their way.
    unknown: Bitmap<WORDS>,
    /// What is left of the numbers, in the end those that are allowed.
    allowed: &'a mut Bitmap<WORDS>,
    /// Groups whose turn has not come, so many of them.
    pending: [Group; PENDING],
    waiting: usize,
}

impl<const WORDS: usize> Walk<'_, WORDS> {
    /// Sends all numbers through the program.
    fn walk(mut self) {
        let mut group = Some(Group::all(WORDS));
        while let Some(next) = group {
            self.follow(next);
            group = self.take_pending();
        }
    }

    /// Follows a group to its end; who parts from it waits.
    fn follow(&mut self, mut group: Group) {
        loop {
            group.pc = match step(self.program, group.pc, self.arch, group.a) {
                Step::Next(a, next) => {
                    group.a = a;
                    next
                }
                Step::Jump(target) => target,
                Step::Branch(compare, k, yes, no) => {
                    match self.branch(&mut group, compare, k, yes, no) {
                        Some(pc) => pc,
                        None => return,
                    }
                }
                Step::End(allowed) => {
                    if !allowed {
                        self.refuse(&group);
                    }
                    return;
                }
            };
        }
    }

    /// Takes a group through a jump: returns where it goes on, `None` if nobody is left in it.
    fn branch(
        &mut self,
        group: &mut Group,
        compare: Compare,
        k: u32,
        yes: usize,
        no: usize,
    ) -> Option<usize> {
        let a = group.a;
        if yes == no {
            return Some(yes);
        }
        if a.mask == 0 {
            return Some(if compare.holds(a.base, k) { yes } else { no });
        }
        // Numbers that are told apart by less than all of their bits go on by themselves.
        let reach = group.reach();
        if a.base != 0 || a.mask & reach != reach {
            self.follow_each(group);
            return None;
        }

        // All numbers fit into what `k` is.
        let nr = k as usize;
        match compare {
            Compare::Equal => {
                if nr >= group.low && nr <= group.high && self.unknown.contains(nr) {
                    // One number goes its own way, to the end.
                    self.unknown.remove(nr);
                    self.follow_one(&Group { pc: yes, ..*group }, nr);
                }
                Some(no)
            }
            // Those from a first number on go one way, those before it the other.
            Compare::Greater => self.part_at(group, nr.saturating_add(1), yes, no),
            Compare::GreaterOrEqual => self.part_at(group, nr, yes, no),
            // Such as the bit of x32, which no number of the group has.
            Compare::AnyBit if k & reach == 0 => Some(no),
            Compare::AnyBit => {
                self.follow_each(group);
                None
            }
        }
    }

    /// Parts a group at `first`: the numbers from there on go to `yes`, those before to `no`.
    fn part_at(&mut self, group: &mut Group, first: usize, yes: usize, no: usize) -> Option<usize> {
        if first > group.high {
            return Some(no);
        }
        if first <= group.low {
            return Some(yes);
        }
        if group.high.saturating_sub(group.low) < FEW {
            self.follow_each(group);
            return None;
        }
        self.postpone(Group {
            low: first,
            pc: yes,
            ..*group
        });
        group.high = first.saturating_sub(1);
        Some(no)
    }

    /// Has a group wait.
    fn postpone(&mut self, group: Group) {
        match self.pending.get_mut(self.waiting) {
            Some(place) => {
                *place = group;
                self.waiting = self.waiting.saturating_add(1);
            }
            None => self.follow_each(&group),
        }
    }

    /// The group that came last of those that wait.
    fn take_pending(&mut self) -> Option<Group> {
        self.waiting = self.waiting.checked_sub(1)?;
        self.pending.get(self.waiting).copied()
    }

    /// Follows each number of a group by itself to the end.
    fn follow_each(&mut self, group: &Group) {
        for nr in group.low..=group.high {
            if self.unknown.contains(nr) {
                self.follow_one(group, nr);
            }
        }
    }

    /// Follows `nr` from where a group is to the end.
    fn follow_one(&mut self, group: &Group, nr: usize) {
        if !is_const_allow(self.program, group.pc, self.arch, group.a, nr) {
            self.allowed.remove(nr);
        }
    }

    /// Says that the program does not allow the numbers of a group.
    fn refuse(&mut self, group: &Group) {
        let words = self.allowed.0.iter_mut().zip(&self.unknown.0);

        for (i, (allowed, unknown)) in (0..WORDS).zip(words) {
            let group = mask_below(group.high.saturating_add(1), i) & !mask_below(group.low, i);
            *allowed &= !(unknown & group);
        }
    }
}
