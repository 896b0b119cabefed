// SPDX-License-Identifier: GPL-2.0

//! Instructions of classic BPF, and the programs that read nothing but one structure.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.
//!
//! C headers: [`include/uapi/linux/filter.h`](srctree/include/uapi/linux/filter.h),
//! [`include/uapi/linux/bpf_common.h`](srctree/include/uapi/linux/bpf_common.h)

/// One instruction: C's `struct sock_filter`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub(crate) struct Insn {
    /// The operation: sums of the constants of [`code`].
    pub(crate) code: u16,
    /// By how much a conditional jump goes on where the condition is true.
    pub(crate) jt: u8,
    /// The same where it is false.
    pub(crate) jf: u8,
    /// The operand.
    pub(crate) k: u32,
}

/// The parts that the operation of an instruction is made of: `BPF_*`.
#[rustfmt::skip]
pub(crate) mod code {
    pub(crate) const LD: u16 = 0x00;
    pub(crate) const LDX: u16 = 0x01;
    pub(crate) const ST: u16 = 0x02;
    pub(crate) const STX: u16 = 0x03;
    pub(crate) const ALU: u16 = 0x04;
    pub(crate) const JMP: u16 = 0x05;
    pub(crate) const RET: u16 = 0x06;
    pub(crate) const MISC: u16 = 0x07;
    /// The bits that those above are told by.
    pub(crate) const CLASS: u16 = 0x07;

    pub(crate) const W: u16 = 0x00;
    pub(crate) const IMM: u16 = 0x00;
    pub(crate) const ABS: u16 = 0x20;
    pub(crate) const MEM: u16 = 0x60;
    pub(crate) const LEN: u16 = 0x80;

    pub(crate) const ADD: u16 = 0x00;
    pub(crate) const SUB: u16 = 0x10;
    pub(crate) const MUL: u16 = 0x20;
    pub(crate) const DIV: u16 = 0x30;
    pub(crate) const OR: u16 = 0x40;
    pub(crate) const AND: u16 = 0x50;
    pub(crate) const LSH: u16 = 0x60;
    pub(crate) const RSH: u16 = 0x70;
    pub(crate) const NEG: u16 = 0x80;
    pub(crate) const XOR: u16 = 0xa0;

    pub(crate) const JA: u16 = 0x00;
    pub(crate) const JEQ: u16 = 0x10;
    pub(crate) const JGT: u16 = 0x20;
    pub(crate) const JGE: u16 = 0x30;
    pub(crate) const JSET: u16 = 0x40;

    pub(crate) const K: u16 = 0x00;
    pub(crate) const A: u16 = 0x10;

    pub(crate) const TAX: u16 = 0x00;
    pub(crate) const TXA: u16 = 0x80;
}

/// The longest program: `BPF_MAXINSNS`.
pub(crate) const MAXINSNS: usize = 4096;

/// A program has an instruction that [`check_struct_program`] does not accept.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Refused;

/// Accepts a program, one that `bpf_check_classic()` has, if it reads nothing but whole aligned
/// words of a structure of `size` bytes, and makes it one that is run with a pointer to that.
///
/// The rule of `seccomp_check_filter()` in [`kernel/seccomp.c`](srctree/kernel/seccomp.c): loads
/// out of a packet become loads out of the structure, the length of the packet that of the
/// structure, and the only other instructions are those that compute, jump and return.
#[doc(alias = "seccomp_check_filter")]
pub(crate) fn check_struct_program(program: &mut [Insn], size: u32) -> Result<(), Refused> {
    use code::*;

    const LD_ABS: u16 = LD | ABS | W;
    const LDX_ABS: u16 = LDX | ABS | W;
    const LD_LEN: u16 = LD | LEN | W;
    const LDX_LEN: u16 = LDX | LEN | W;

    for insn in program {
        match insn.code {
            LD_ABS => {
                insn.code = LDX_ABS;
                // Whole words, and not out of bounds.
                if insn.k >= size || insn.k & 3 != 0 {
                    return Err(Refused);
                }
            }
            LD_LEN | LDX_LEN => {
                insn.code = (insn.code & CLASS) | IMM;
                insn.k = size;
            }
            other if computes(other) => {}
            _ => return Err(Refused),
        }
    }
    Ok(())
}

/// Whether an instruction reads nothing but registers, scratch memory and its operand.
const fn computes(insn: u16) -> bool {
    use code::*;

    // One of each class, by the operation and where its second operand is.
    match insn & CLASS {
        LD | LDX => insn & !CLASS == IMM || insn & !CLASS == MEM,
        ST | STX => insn & !CLASS == 0,
        ALU => {
            insn == ALU | NEG
                || (insn & 0xff00 == 0
                    && matches!(
                        insn & 0xf0,
                        ADD | SUB | MUL | DIV | OR | AND | LSH | RSH | XOR
                    ))
        }
        JMP => {
            insn == JMP | JA
                || (insn & 0xff00 == 0 && matches!(insn & 0xf0, JEQ | JGT | JGE | JSET))
        }
        RET => insn == RET | K || insn == RET | A,
        _ => insn == MISC | TAX || insn == MISC | TXA,
    }
}
