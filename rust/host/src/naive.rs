// SPDX-License-Identifier: GPL-2.0

//! What `kernel/seccomp.c` says of programs, written down a second time and as slowly: one number
//! after the other, one instruction after the other. For the tests and the fuzzer to compare with.

use crate::insn::Insn;

/// `SECCOMP_RET_ALLOW`.
const RET_ALLOW: u32 = 0x7fff_0000;

/// The operations that `seccomp_check_filter()` lets through as they are, in its order.
const ACCEPTED: [u16; 38] = [
    0x06, 0x16, // RET K, A
    0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, // ADD, SUB, MUL, DIV
    0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac, // AND, OR, XOR
    0x64, 0x6c, 0x74, 0x7c, // LSH, RSH
    0x84, // NEG
    0x00, 0x01, // LD, LDX IMM
    0x07, 0x87, // TAX, TXA
    0x60, 0x61, // LD, LDX MEM
    0x02, 0x03, // ST, STX
    0x05, // JA
    0x15, 0x1d, 0x35, 0x3d, 0x25, 0x2d, 0x45, 0x4d, // JEQ, JGE, JGT, JSET
];

/// What becomes of an instruction of a program that reads a structure of `size` bytes; `None` is
/// `EINVAL`.
pub(crate) fn check(insn: Insn, size: u32) -> Option<Insn> {
    match insn.code {
        0x20 if insn.k >= size || insn.k % 4 != 0 => None,
        0x20 => Some(Insn { code: 0x21, ..insn }),
        0x80 => Some(Insn {
            code: 0x00,
            k: size,
            ..insn
        }),
        0x81 => Some(Insn {
            code: 0x01,
            k: size,
            ..insn
        }),
        code if ACCEPTED.contains(&code) => Some(insn),
        _ => None,
    }
}

/// `seccomp_is_const_allow()`.
pub(crate) fn is_const_allow(program: &[Insn], nr: u32, arch: u32) -> bool {
    let mut reg_value = 0u32;
    let mut pc = 0u64;
    while let Some(insn) = usize::try_from(pc).ok().and_then(|pc| program.get(pc)) {
        match (insn.code, insn.k) {
            (0x20, 0) => reg_value = nr,
            (0x20, 4) => reg_value = arch,
            (0x06, k) => return k == RET_ALLOW,
            (0x05, k) => pc += u64::from(k),
            (0x15 | 0x25 | 0x35 | 0x45, k) => {
                let holds = match insn.code {
                    0x15 => reg_value == k,
                    0x25 => reg_value > k,
                    0x35 => reg_value >= k,
                    _ => reg_value & k != 0,
                };
                pc += u64::from(if holds { insn.jt } else { insn.jf });
            }
            (0x54, k) => reg_value &= k,
            _ => return false,
        }
        pc += 1;
    }
    false
}

/// Whether system call `nr` is in the bitmap of a filter: `seccomp_cache_prepare_bitmap()`. `before`
/// is whether it is in that of the filter before, or below the number of system calls without one.
pub(crate) fn is_cached(
    program: &[Insn],
    nr: usize,
    arch: u32,
    uprobes: &[i32],
    before: bool,
) -> bool {
    before && (uprobes.contains(&(nr as i32)) || is_const_allow(program, nr as u32, arch))
}
