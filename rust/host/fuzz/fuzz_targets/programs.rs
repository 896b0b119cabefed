// SPDX-License-Identifier: GPL-2.0

//! Which programs are accepted, and what the allow cache makes of them, against the second
//! implementation that the tests on the host compare with, too.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../action.rs"]
#[expect(dead_code, reason = "it is the kernel crate that uses all of it")]
mod action;
#[path = "../../../cache.rs"]
#[expect(dead_code, reason = "it is the kernel crate that uses all of it")]
mod cache;
#[path = "../../../abstractions/bpf/insn.rs"]
#[expect(dead_code, reason = "it is the kernel crate that uses all of it")]
mod insn;
#[path = "../../src/naive.rs"]
mod naive;

use cache::{words, Bitmap};
use insn::{check_struct_program, Insn};

const ARCHS: [u32; 2] = [0xc000_003e, 0x4000_0003];
const NR_SYSCALLS: usize = 130;
const WORDS: usize = words(NR_SYSCALLS);
const UPROBES: [i32; 1] = [77];

/// The size of `struct seccomp_data`.
const SIZE: u32 = 64;

/// How many instructions are looked at: the slow way takes each number through each of them.
const LONGEST: usize = 64;

/// The bytes of an instruction in the input.
const INSN: usize = 6;

/// Operations that lead somewhere in the cache; others come as they are in the input.
const CODES: [u16; 12] = [
    0x20, 0x06, 0x05, 0x15, 0x25, 0x35, 0x45, 0x54, 0x80, 0x81, 0x1d, 0x16,
];

/// Values that make a difference; others come as they are in the input.
const VALUES: [u32; 12] = [
    0,
    4,
    16,
    0x7fff_0000,
    0x7ffc_0000,
    ARCHS[0],
    ARCHS[1],
    0x4000_0000,
    0xbfff_ffff,
    0xff,
    SIZE,
    u32::MAX,
];

/// An instruction out of six bytes: operation, jumps, value.
fn insn(bytes: &[u8; INSN]) -> Insn {
    let [code, jt, jf, pick, low, high] = *bytes;
    Insn {
        code: CODES.get(usize::from(code)).copied().unwrap_or(code.into()),
        jt: jt % 16,
        jf: jf % 16,
        k: VALUES
            .get(usize::from(pick))
            .copied()
            .unwrap_or(u32::from(low) | u32::from(high % 4) << 8),
    }
}

/// The bitmap in question.
fn prepare(program: &[Insn], arch: u32, prev: Option<&Bitmap<WORDS>>) -> Bitmap<WORDS> {
    #[cfg(feature = "planted")]
    let program: &[Insn] = &program
        .iter()
        .map(|insn| match insn.code {
            // What one would do who took ">" for ">=".
            0x25 => Insn {
                code: 0x35,
                ..*insn
            },
            _ => *insn,
        })
        .collect::<Vec<_>>();
    Bitmap::prepare(program, arch, NR_SYSCALLS, &UPROBES, prev)
}

/// Compares every number of one convention with the slow way; returns the bitmap.
fn compare(program: &[Insn], arch: u32, prev: Option<&Bitmap<WORDS>>) -> Bitmap<WORDS> {
    let bitmap = prepare(program, arch, prev);
    for nr in 0..WORDS * usize::BITS as usize {
        let before = prev.map_or(nr < NR_SYSCALLS, |prev| prev.contains(nr));
        let expected = naive::is_cached(program, nr, arch, &UPROBES, before);
        assert_eq!(bitmap.contains(nr), expected, "number {nr}");
    }
    bitmap
}

fuzz_target!(|input: &[u8]| {
    let (insns, _) = input.as_chunks::<INSN>();
    let program: Vec<Insn> = insns.iter().take(LONGEST).map(insn).collect();

    // An instruction that is refused refuses the program.
    let mut checked = program.clone();
    let expected: Option<Vec<Insn>> = program
        .iter()
        .map(|&insn| naive::check(insn, SIZE))
        .collect();
    match expected {
        None => assert!(check_struct_program(&mut checked, SIZE).is_err()),
        Some(expected) => {
            assert!(check_struct_program(&mut checked, SIZE).is_ok());
            assert!(checked == expected, "it is translated in another way");
        }
    }

    // The second half is a filter on top of the first.
    let (below, above) = program.split_at(program.len() / 2);
    for arch in ARCHS {
        let prev = compare(below, arch, None);
        compare(above, arch, Some(&prev));
    }
});
