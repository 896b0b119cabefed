// SPDX-License-Identifier: GPL-2.0

//! Classic BPF programs of user space that are run on a structure, and the guard that keeps the
//! task on its CPU for them.
//!
//! C header: [`include/linux/filter.h`](srctree/include/linux/filter.h)

use core::{
    marker::PhantomData,
    mem::{
        align_of,
        offset_of, //
    },
    ptr::{
        self,
        NonNull, //
    },
    slice, //
};

use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*,
    types::NotThreadSafe, //
};
use zerocopy::Immutable;

use super::syscall::in_compat_syscall;

pub(crate) mod insn;

use insn::Insn;

static_assert!(size_of::<Insn>() == size_of::<bindings::sock_filter>());
static_assert!(align_of::<Insn>() == align_of::<bindings::sock_filter>());
static_assert!(offset_of!(Insn, code) == offset_of!(bindings::sock_filter, code));
static_assert!(offset_of!(Insn, jt) == offset_of!(bindings::sock_filter, jt));
static_assert!(offset_of!(Insn, jf) == offset_of!(bindings::sock_filter, jf));
static_assert!(offset_of!(Insn, k) == offset_of!(bindings::sock_filter, k));
static_assert!(insn::MAXINSNS == bindings::BPF_MAXINSNS as usize);

/// A program that user space hands over: C's `struct sock_fprog`, its pointer being user space's.
#[derive(Clone, Copy)]
pub(crate) struct UserProgram {
    len: u16,
    insns: UserPtr,
}

/// `struct sock_fprog` and `struct compat_sock_fprog` as they lie in memory.
#[derive(FromBytes)]
#[repr(C)]
struct SockFprog<P> {
    len: u16,
    filter: P,
}

static_assert!(size_of::<SockFprog<usize>>() == size_of::<bindings::sock_fprog>());
static_assert!(offset_of!(SockFprog<usize>, filter) == offset_of!(bindings::sock_fprog, filter));

impl UserProgram {
    /// Reads the description of a program at `ptr`, as the convention of the current system call
    /// lays it out; `EFAULT` where that is no memory of user space.
    pub(crate) fn read(ptr: UserPtr) -> Result<Self> {
        let (len, filter) = if cfg!(CONFIG_COMPAT) && in_compat_syscall() {
            let fprog = super::uaccess::copy_from_user::<SockFprog<u32>>(ptr)?;
            (fprog.len, fprog.filter as usize)
        } else {
            let fprog = super::uaccess::copy_from_user::<SockFprog<usize>>(ptr)?;
            (fprog.len, fprog.filter)
        };
        Ok(Self {
            len,
            insns: UserPtr::from_addr(filter),
        })
    }

    /// The number of its instructions.
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }
}

/// A program that is run on a `T`, of which it reads the words.
///
/// # Examples
///
/// ```ignore
/// let program = Program::<Packet>::create_from_user(UserProgram::read(ptr)?)?;
///
/// let guard = MigrationGuard::new();
/// let accepted = packets.iter().filter(|packet| program.run(packet, &guard) != 0);
/// ```
///
/// # Invariants
///
/// The pointer is to a program that this value owns, and that reads nothing but a `T`. It does not
/// change.
pub(crate) struct Program<T> {
    prog: NonNull<bindings::bpf_prog>,
    _context: PhantomData<fn(&T)>,
}

// SAFETY: A program does not change, and can be run and freed by any task.
unsafe impl<T> Send for Program<T> {}

// SAFETY: As before, and by many at once.
unsafe impl<T> Sync for Program<T> {}

impl<T: IntoBytes + Immutable> Program<T> {
    /// Copies, checks and translates a program of user space.
    ///
    /// Fails as `bpf_prog_create_from_user()`, and with `EINVAL` for a program that reads more
    /// than the words of a `T`.
    pub(crate) fn create_from_user(program: UserProgram) -> Result<Self> {
        // The words that a program reads are whole words of a `T`, and lie as words do.
        const {
            assert!(size_of::<T>() & 3 == 0 && align_of::<T>() >= 4);
            assert!(size_of::<T>() <= u32::MAX as usize);
        }
        // The original is what `insns()` returns.
        const SAVE_ORIG: bool = true;

        let mut fprog = bindings::sock_fprog {
            len: program.len,
            filter: program.insns.as_mut_ptr().cast(),
        };
        let mut prog = ptr::null_mut();
        // SAFETY: Both structures are valid. The function checks the program's pointer to user
        // space, and hands `check()` a copy.
        to_result(unsafe {
            bindings::bpf_prog_create_from_user(&mut prog, &mut fprog, Some(Self::check), SAVE_ORIG)
        })?;

        Ok(Self {
            // INVARIANT: The function has made a program, which is its caller's. `check()` has
            // accepted it.
            prog: NonNull::new(prog).ok_or(ENOMEM)?,
            _context: PhantomData,
        })
    }

    /// Accepts a program, as `bpf_prog_create_from_user()` asks; 0 or `-EINVAL`.
    ///
    /// # Safety
    ///
    /// `filter` must be valid for reads and writes of `flen` instructions.
    unsafe extern "C" fn check(filter: *mut bindings::sock_filter, flen: c_uint) -> c_int {
        // SAFETY: By the safety requirements. The layouts agree by the assertions above.
        let program = unsafe { slice::from_raw_parts_mut(filter.cast::<Insn>(), flen as usize) };

        match insn::check_struct_program(program, size_of::<T>() as u32) {
            Ok(()) => 0,
            Err(insn::Refused) => EINVAL.to_errno(),
        }
    }

    /// Runs the program on `context`.
    #[inline(always)]
    pub(crate) fn run(&self, context: &T, _guard: &MigrationGuard) -> u32 {
        // SAFETY: By the type invariants the program is valid, and reads nothing but `context`.
        // Migration is disabled as `_guard` shows.
        unsafe { bindings::bpf_prog_run(self.prog.as_ptr(), ptr::from_ref(context).cast()) }
    }

    /// Runs the program on `context`, with migration disabled for as long as it runs.
    ///
    /// Where helpers are calls, one in place of three.
    #[doc(alias = "bpf_prog_run_pin_on_cpu")]
    #[inline(always)]
    pub(crate) fn run_pin_on_cpu(&self, context: &T) -> u32 {
        // SAFETY: By the type invariants the program is valid, and reads nothing but `context`. The
        // function disables migration, which can be done wherever a task can be preempted.
        unsafe {
            bindings::bpf_prog_run_pin_on_cpu(self.prog.as_ptr(), ptr::from_ref(context).cast())
        }
    }
}

impl<T> Program<T> {
    /// The length in instructions of what is run, which is a translation.
    pub(crate) fn len(&self) -> usize {
        // SAFETY: By the type invariants the program is valid.
        unsafe { self.prog.as_ref() }.len as usize
    }

    /// The program as user space wrote it.
    pub(crate) fn insns(&self) -> &[Insn] {
        // SAFETY: By the type invariants the program is valid and does not change. It was created
        // with its original, which is an array of as many instructions as it says.
        unsafe {
            let orig = &*self.prog.as_ref().orig_prog;
            slice::from_raw_parts(orig.filter.cast::<Insn>(), orig.len.into())
        }
    }
}

impl<T> Drop for Program<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the program is this value's.
        unsafe { bindings::bpf_prog_destroy(self.prog.as_ptr()) };
    }
}

/// The bytes of `program`, as user space has them.
#[cfg(CONFIG_CHECKPOINT_RESTORE)]
pub(crate) fn bytes_of(program: &[Insn]) -> &[u8] {
    // SAFETY: An instruction has no padding: its fields are 2, 1, 1 and 4 bytes, aligned to 4.
    unsafe { slice::from_raw_parts(program.as_ptr().cast(), size_of_val(program)) }
}

/// The task stays on its CPU, as BPF requires of those who run its programs.
///
/// # Invariants
///
/// Migration of the current task is disabled while the value exists.
pub(crate) struct MigrationGuard(NotThreadSafe);

impl MigrationGuard {
    /// Disables migration.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // SAFETY: The function counts, and can be called wherever a task can be preempted.
        unsafe { bindings::inline_migrate_disable() };

        // INVARIANT: Migration has been disabled above.
        Self(NotThreadSafe)
    }
}

impl Drop for MigrationGuard {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: By the type invariants migration is disabled, by the call that made the value.
        unsafe { bindings::inline_migrate_enable() };
    }
}
