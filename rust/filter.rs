// SPDX-License-Identifier: GPL-2.0

//! The chain of filters: the allow cache, and running the programs.
//!
//! C header: [`kernel/seccomp/rust/seccomp.h`](srctree/kernel/seccomp/rust/seccomp.h)

use core::{
    cell::UnsafeCell,
    iter,
    mem::offset_of,
    ptr, //
};

use kernel::{
    bindings,
    ffi::{
        c_int,
        c_ulong, //
    },
    static_assert, //
};

use crate::{
    action::Verdict,
    task::{
        Caller,
        Pinned, //
    }, //
};

// A structure laid out otherwise than in C would have the wrong program run.
static_assert!(offset_of!(bindings::seccomp_filter, log) == bindings::OFFSET_OF_FILTER_LOG);
static_assert!(offset_of!(bindings::seccomp_filter, cache) == bindings::OFFSET_OF_FILTER_CACHE);
static_assert!(offset_of!(bindings::seccomp_filter, prev) == bindings::OFFSET_OF_FILTER_PREV);
static_assert!(offset_of!(bindings::seccomp_filter, prog) == bindings::OFFSET_OF_FILTER_PROG);

/// An attached filter, a `struct seccomp_filter` of C.
///
/// # Invariants
///
/// The filter is one that a task has or had attached, and is kept in memory by that task or by a
/// filter attached on top of it. `cache`, `prev`, `prog` and `log` do not change any more, `prog`
/// is a valid program and `prev` is null or another such filter.
#[repr(transparent)]
pub(crate) struct Filter(UnsafeCell<bindings::seccomp_filter>);

impl Filter {
    /// Sees `filter` as a [`Filter`]; `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// A pointer that is not null must be to a filter that a task can see, and that stays in
    /// memory for the lifetime `'a`.
    #[inline(always)]
    pub(crate) unsafe fn from_raw<'a>(filter: *mut bindings::seccomp_filter) -> Option<&'a Self> {
        // SAFETY: By the safety requirements the pointer is valid where it is not null. The cell
        // of the transparent type lets C change the counts and the listener's state.
        // INVARIANT: `seccomp_attach_filter()` completes a filter before a task can see it.
        unsafe { filter.cast::<Self>().as_ref() }
    }

    /// The filter as C knows it.
    #[inline(always)]
    fn as_ptr(&self) -> *mut bindings::seccomp_filter {
        self.0.get()
    }

    /// The filter that was attached before this one.
    #[inline(always)]
    pub(crate) fn prev(&self) -> Option<&Self> {
        // SAFETY: By the type invariants the field does not change, and what it points to is a
        // filter that this one holds a reference to.
        unsafe { Self::from_raw((*self.as_ptr()).prev) }
    }

    /// Whether the filter was attached with `SECCOMP_FILTER_FLAG_LOG`.
    pub(crate) fn wants_log(&self) -> bool {
        // SAFETY: By the type invariants the filter is valid and the field does not change.
        unsafe { (*self.as_ptr()).log }
    }

    /// Whether system call `nr` of convention `arch` is known to be allowed by this filter and
    /// all before it, whatever its arguments.
    #[inline(always)]
    pub(crate) fn is_cached_allow(&self, nr: c_int, arch: u32) -> bool {
        if arch == bindings::SECCOMP_ARCH_NATIVE {
            // SAFETY: By the type invariants the filter is valid.
            let bitmap = unsafe { &raw const (*self.as_ptr()).cache.allow_native };
            // SAFETY: As before, and the constant is the number of bits that C gave the bitmap.
            return unsafe {
                test_allow_bit(bitmap.cast(), bindings::SECCOMP_ARCH_NATIVE_NR as usize, nr)
            };
        }

        #[cfg(CONFIG_COMPAT)]
        if arch == bindings::SECCOMP_ARCH_COMPAT {
            // SAFETY: By the type invariants the filter is valid.
            let bitmap = unsafe { &raw const (*self.as_ptr()).cache.allow_compat };
            // SAFETY: As before, and the constant is the number of bits that C gave the bitmap.
            return unsafe {
                test_allow_bit(bitmap.cast(), bindings::SECCOMP_ARCH_COMPAT_NR as usize, nr)
            };
        }

        unknown_arch()
    }

    /// Runs the filter's program on `data`.
    #[inline(always)]
    fn run(&self, data: &bindings::seccomp_data, _pinned: &Pinned) -> Verdict {
        // SAFETY: By the type invariants `prog` is valid. `seccomp_check_filter()` has seen to it
        // that the program reads nothing but a `struct seccomp_data`, which `data` is. Migration
        // is disabled as `_pinned` shows.
        let ret =
            unsafe { bindings::bpf_prog_run((*self.as_ptr()).prog, ptr::from_ref(data).cast()) };

        Verdict::from_ret(ret)
    }

    /// Runs this filter and those before it on `data`, up to the first that does not allow the
    /// system call; `None` where all of them do.
    ///
    /// Nothing has to be remembered from one filter to the next, as long as they allow.
    #[inline(always)]
    pub(crate) fn first_objection(
        &self,
        data: &bindings::seccomp_data,
        pinned: &Pinned,
    ) -> Option<Decision<'_>> {
        let mut filter = self;

        loop {
            let verdict = filter.run(data, pinned);
            if verdict.is_stricter_than(Verdict::ALLOW.code()) {
                return Some(Decision { verdict, filter });
            }
            filter = filter.prev()?;
        }
    }

    /// Has the listener of this filter decide about system call `nr`.
    ///
    /// Returns whether the system call is to be run. If it is not, its return value has been set.
    pub(crate) fn ask_listener(
        &self,
        _caller: Caller,
        nr: c_int,
        data: &bindings::seccomp_data,
    ) -> bool {
        // SAFETY: The function acts on the current task, which is in a system call as `_caller`
        // shows, and may sleep. The filter and `data` outlive the call.
        unsafe { bindings::seccomp_do_user_notification(nr, self.as_ptr(), data) == 0 }
    }
}

/// A verdict and the filter it is of.
pub(crate) struct Decision<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) filter: &'a Filter,
}

impl<'a> Decision<'a> {
    /// Runs `rest` and the filters before it on `data`, and takes over the strictest decision,
    /// among equals the first, which is of the filter attached last.
    #[inline(never)]
    pub(crate) fn make_stricter(
        &mut self,
        rest: &'a Filter,
        data: &bindings::seccomp_data,
        pinned: &Pinned,
    ) {
        for filter in iter::successors(Some(rest), |filter| filter.prev()) {
            let verdict = filter.run(data, pinned);
            if verdict.is_stricter_than(self.verdict.code()) {
                *self = Self { verdict, filter };
            }
        }
    }
}

/// Whether bit `nr` of `bitmap`, `size` bits long, is set.
///
/// # Safety
///
/// `bitmap` must be valid for reads of `size` bits, in whole words.
#[inline(always)]
unsafe fn test_allow_bit(bitmap: *const c_ulong, size: usize, nr: c_int) -> bool {
    // A negative number becomes one that is larger than any size.
    let nr = nr as usize;
    if nr >= size {
        return false;
    }

    // A mispredicted check above must not let user space read what lies behind the bitmap.
    // SAFETY: The function computes a number.
    let nr = unsafe { bindings::array_index_nospec(nr, size) };

    // SAFETY: `nr` is less than `size`, so the word is one of the bitmap's. It does not change.
    let word = unsafe { *bitmap.add(nr / c_ulong::BITS as usize) };

    word >> (nr % c_ulong::BITS as usize) & 1 != 0
}

/// A convention that the architecture's cache knows nothing of.
#[cold]
#[inline(never)]
fn unknown_arch() -> bool {
    // SAFETY: The function reports where it was called.
    unsafe { bindings::warn_on_once(true) };

    false
}
