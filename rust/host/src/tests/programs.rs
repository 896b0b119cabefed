// SPDX-License-Identifier: GPL-2.0

//! Which programs are accepted, and what the allow cache makes of them.

extern crate std;

use std::cell::Cell;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use crate::cache::{words, Bitmap};
use crate::insn::{check_struct_program, Insn, Refused, MAXINSNS};
use crate::naive;

const ARCH: u32 = 0xc000_003e;
const OTHER_ARCH: u32 = 0x4000_0003;
const NR_SYSCALLS: usize = 472;
const WORDS: usize = words(NR_SYSCALLS);
const UPROBES: [i32; 2] = [335, 336];
const ALLOW: u32 = 0x7fff_0000;

const fn insn(code: u16, jt: u8, jf: u8, k: u32) -> Insn {
    Insn { code, jt, jf, k }
}

const LD_NR: Insn = insn(0x20, 0, 0, 0);
const LD_ARCH: Insn = insn(0x20, 0, 0, 4);
const RET_ALLOW: Insn = insn(0x06, 0, 0, ALLOW);
const RET_KILL: Insn = insn(0x06, 0, 0, 0);

fn jump(code: u16, jt: u8, jf: u8, k: u32) -> Insn {
    insn(code, jt, jf, k)
}

/// Compares every number with the slow way, without and with a filter before.
fn compare(program: &[Insn], prev: &Bitmap<WORDS>, arch: u32, uprobes: &[i32]) {
    for prev in [None, Some(prev)] {
        let bitmap = Bitmap::prepare(program, arch, NR_SYSCALLS, uprobes, prev);
        for nr in 0..WORDS * usize::BITS as usize {
            let before = prev.map_or(nr < NR_SYSCALLS, |prev| prev.contains(nr));
            assert_eq!(
                bitmap.contains(nr),
                naive::is_cached(program, nr, arch, uprobes, before),
                "number {nr}, after a filter: {}",
                prev.is_some()
            );
        }
    }
}

/// The bitmap of a filter that allows what `program` does.
fn bitmap_of(program: &[Insn]) -> Bitmap<WORDS> {
    Bitmap::prepare(program, ARCH, NR_SYSCALLS, &UPROBES, None)
}

/// A program that denies the numbers of a list.
fn deny(numbers: &[u32]) -> Vec<Insn> {
    let mut program = vec![LD_NR];
    for &nr in numbers {
        program.push(jump(0x15, 0, 1, nr));
        program.push(RET_KILL);
    }
    program.push(RET_ALLOW);
    program
}

/// Jump targets are numbers between 0 and 1 here, for where they lead in the rest of the program.
#[derive(Clone, Debug)]
struct Draft {
    code: u16,
    k: u32,
    jt: u8,
    jf: u8,
}

/// Numbers that matter: those at edges, and of the tables.
fn any_k() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => 0u32..512,
        1 => prop::sample::select(vec![
            ARCH, OTHER_ARCH, 335, 336, 471, 472, 473, 511, 512, 513, 0x4000_0000, 0x3fff_ffff,
            0x8000_0000, u32::MAX, u32::MAX - 1,
        ]),
        1 => (0u32..32).prop_map(|bit| 1 << bit),
        1 => any::<u32>(),
    ]
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let code = prop_oneof![
        3 => Just(0x20u16),
        6 => Just(0x15),
        3 => Just(0x25),
        3 => Just(0x35),
        2 => Just(0x45),
        1 => Just(0x05),
        1 => Just(0x54),
        1 => Just(0x06),
        1 => prop::sample::select(vec![0x16u16, 0x04, 0x07, 0x87, 0x60, 0x02, 0x00, 0x1d, 0x80]),
    ];
    (code, any_k(), any::<u8>(), any::<u8>()).prop_map(|(code, k, jt, jf)| Draft {
        code,
        k,
        jt,
        jf,
    })
}

/// Makes a program that the kernel would accept: it goes forward, and ends.
fn finish(drafts: Vec<Draft>) -> Vec<Insn> {
    let len = drafts.len();
    let mut program = Vec::with_capacity(len + 2);
    for (pc, draft) in drafts.into_iter().enumerate() {
        // What is left behind, the two returns at the end included.
        let rest = len + 2 - pc - 1;
        let within = |jump: u8| (usize::from(jump) % rest.min(256)) as u8;
        program.push(match draft.code {
            0x20 => insn(0x20, 0, 0, [0, 0, 0, 4, 16, 8][draft.k as usize % 6]),
            0x05 => insn(0x05, 0, 0, (draft.k as usize % rest.min(40)) as u32),
            0x06 => [RET_ALLOW, RET_KILL, insn(0x06, 0, 0, 0x7fff_0001)][draft.k as usize % 3],
            0x54 => insn(0x54, 0, 0, draft.k | 0xff),
            code if code & 7 == 5 => insn(code, within(draft.jt), within(draft.jf), draft.k),
            code => insn(code, 0, 0, draft.k % 16),
        });
    }
    program.extend([RET_ALLOW, RET_KILL]);
    program
}

std::thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Called for each instruction that is looked at.
pub(crate) fn count_step() {
    STEPS.set(STEPS.get() + 1);
}

/// How many instructions are looked at to prepare the cache of `program`.
fn steps(program: &[Insn]) -> usize {
    STEPS.set(0);
    bitmap_of(program);
    STEPS.get()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_program_has_the_cache_of_c(
        drafts in prop::collection::vec(any_draft(), 0..80),
        denied in prop::collection::vec(0u32..480, 0..20),
        native in any::<bool>(),
    ) {
        let program = finish(drafts);
        let prev = bitmap_of(&deny(&denied));
        if native {
            compare(&program, &prev, ARCH, &UPROBES);
        } else {
            compare(&program, &prev, OTHER_ARCH, &[]);
        }
    }

    #[test]
    fn comparisons_alone_have_the_cache_of_c(
        jumps in prop::collection::vec(
            (prop::sample::select(vec![0x15u16, 0x25, 0x35, 0x45]), 0u32..480, any::<u8>(), any::<u8>()),
            0..200,
        ),
    ) {
        let mut drafts = vec![Draft { code: 0x20, k: 0, jt: 0, jf: 0 }];
        drafts.extend(jumps.into_iter().map(|(code, k, jt, jf)| Draft { code, k, jt: jt % 24, jf: jf % 24 }));
        compare(&finish(drafts), &bitmap_of(&[RET_ALLOW]), ARCH, &UPROBES);
    }
}

#[test]
fn a_filter_that_knows_no_number() {
    assert!(bitmap_of(&[RET_ALLOW]).contains(NR_SYSCALLS - 1));
    assert!(!bitmap_of(&[RET_ALLOW]).contains(NR_SYSCALLS));
    assert!(!bitmap_of(&[RET_KILL]).contains(0));
    // As the kernel looks at it.
    assert_eq!(bitmap_of(&[RET_ALLOW]).as_words()[0], usize::MAX);
}

#[test]
fn uprobes_are_allowed_whatever_a_filter_says() {
    let killed = bitmap_of(&[RET_KILL]);
    for nr in 0..NR_SYSCALLS {
        assert_eq!(killed.contains(nr), UPROBES.contains(&(nr as i32)));
    }
    // Not by the other convention, nor on an architecture that has none.
    for uprobes in [[].as_slice(), &[-1, -1]] {
        let killed: Bitmap<WORDS> = Bitmap::prepare(&[RET_KILL], ARCH, NR_SYSCALLS, uprobes, None);
        assert_eq!(killed, Bitmap::EMPTY);
    }
}

#[test]
fn what_a_filter_before_denies_stays_denied() {
    let prev = bitmap_of(&deny(&[1, 63, 64, 300]));
    let both = Bitmap::prepare(&deny(&[2]), ARCH, NR_SYSCALLS, &UPROBES, Some(&prev));
    for nr in 0..NR_SYSCALLS {
        assert_eq!(
            both.contains(nr),
            ![1, 2, 63, 64, 300].contains(&nr),
            "{nr}"
        );
    }
}

#[test]
fn a_value_with_data_does_not_allow() {
    assert_eq!(
        bitmap_of(&[insn(0x06, 0, 0, ALLOW | 1)]),
        bitmap_of(&[RET_KILL])
    );
}

#[test]
fn a_program_that_does_not_end_allows_nothing() {
    for program in [
        vec![],
        vec![LD_NR],
        vec![insn(0x05, 0, 0, u32::MAX)],
        vec![jump(0x15, 255, 255, 0)],
    ] {
        compare(&program, &bitmap_of(&[RET_ALLOW]), ARCH, &UPROBES);
    }
}

/// A tree that no number of groups that wait is enough for, and a list that each number leaves.
#[test]
fn large_programs() {
    let prev = bitmap_of(&deny(&[7]));

    let mut comb = vec![LD_NR];
    for i in 0..100u32 {
        // Each splits off a group that goes on much later, at a place of its own.
        comb.push(jump(0x35, 200, 0, 470 - 4 * i));
    }
    for i in 0..220u32 {
        comb.push(jump(0x15, 0, 0, i));
        comb.push(jump(0x45, 1, 0, 1 << (i % 9)));
        comb.push(jump(0x25, 0, 2, i));
    }
    comb.push(RET_ALLOW);
    comb.push(RET_KILL);
    comb.push(RET_ALLOW);
    compare(&comb, &prev, ARCH, &UPROBES);

    let mut list = vec![LD_ARCH, jump(0x15, 1, 0, ARCH), RET_KILL, LD_NR];
    for nr in 0..2040 {
        list.push(jump(0x15, 0, 1, nr * 3 % 480));
        list.push(if nr % 2 == 0 { RET_ALLOW } else { RET_KILL });
    }
    list.push(RET_KILL);
    assert!(list.len() <= MAXINSNS);
    compare(&list, &prev, ARCH, &UPROBES);
    compare(&list, &prev, OTHER_ARCH, &[]);
}

/// A tree that finds one of the numbers from `low` on, so many, by comparisons.
fn tree(low: u32, count: u32) -> Vec<Insn> {
    if count == 1 {
        return vec![[RET_ALLOW, RET_KILL][low as usize % 2]];
    }
    let (less, more) = (
        tree(low, count / 2),
        tree(low + count / 2, count - count / 2),
    );
    let mut program = vec![jump(0x35, less.len() as u8, 0, low + count / 2)];
    program.extend(less);
    program.extend(more);
    program
}

/// All numbers go through a program at once, but for those that it tells apart.
#[test]
fn instructions_are_looked_at_once() {
    // The load, the comparisons and the end, and the end of each number that is denied.
    let denied: Vec<u32> = (100..200).collect();
    assert_eq!(steps(&deny(&denied)), 1 + 100 + 1 + 100);

    // The same with what is the same for all numbers, or for all that there are, in front.
    for in_front in [
        vec![LD_ARCH, jump(0x15, 1, 0, ARCH), RET_KILL],
        vec![LD_NR, jump(0x45, 0, 1, 0x4000_0000), RET_KILL],
        vec![LD_NR, jump(0x35, 0, 1, 0x4000_0000), RET_KILL],
        vec![LD_NR, jump(0x25, 0, 1, 511), RET_KILL],
        vec![LD_NR, jump(0x35, 1, 0, 0), RET_KILL],
        vec![LD_NR, jump(0x15, 0, 1, 512), RET_KILL],
        vec![LD_NR, jump(0x15, 0, 0, 5)],
    ] {
        let mut program = in_front;
        program.extend(deny(&denied));
        assert_eq!(steps(&program), 2 + 1 + 100 + 1 + 100, "{program:?}");
    }

    // A number of which all bits that there are are left, and one of which some are.
    let masked = |mask| {
        let mut program = deny(&denied);
        program.insert(1, insn(0x54, 0, 0, mask));
        steps(&program)
    };
    assert_eq!(masked(0x1ff), 1 + 1 + 100 + 1 + 100);
    assert!(masked(0xff) > 512);

    // In a tree groups are parted until they are small: of four numbers each here, and in the second
    // one, where seven are still parted, of three and four.
    let below = |count| {
        let mut program = vec![LD_NR, jump(0x35, 0, 1, count), RET_KILL];
        program.extend(tree(0, count));
        steps(&program)
    };
    assert_eq!(below(32), 3 + (1 + 2 + 4 + 8) + 32 * 3);
    assert_eq!(below(28), 3 + (1 + 2 + 4 + 8) + 4 * (2 + 6 * 3));
}

#[test]
fn every_operation_is_accepted_or_not_as_in_c() {
    const SIZE: u32 = 64;
    for code in 0..=u16::MAX {
        for k in [0, 1, 2, 3, 4, 59, 60, 61, 63, 64, 68, 0x8000_0000, u32::MAX] {
            let original = insn(code, 3, 5, k);
            let mut program = [RET_KILL, original];
            let result = check_struct_program(&mut program, SIZE);
            match naive::check(original, SIZE) {
                Some(expected) => {
                    assert_eq!(result, Ok(()), "{code:#x}, {k}");
                    assert_eq!(program, [RET_KILL, expected], "{code:#x}, {k}");
                }
                None => assert_eq!(result, Err(Refused), "{code:#x}, {k}"),
            }
        }
    }
}
