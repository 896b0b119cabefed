// SPDX-License-Identifier: GPL-2.0

//! A filter: what it owns, how long it lives, and running those of a task.

use core::pin::Pin;

use kernel::{
    c_str,
    ffi::c_int,
    prelude::*,
    static_lock_class,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

use crate::{
    abstractions::{
        bpf::{
            MigrationGuard,
            Program, //
        },
        bug::warn_on_once,
        nospec::test_bit_nospec,
        syscall::{
            SyscallState,
            COMPAT,
            NATIVE,
            UPROBE_SYSCALLS, //
        },
        tree::{
            Node,
            Unused, //
        },
        wait::{
            event::EPOLLHUP,
            WaitQueue, //
        }, //
    },
    cache::{
        words,
        Bitmap, //
    },
    log::FilterLog,
    notify::{
        Listener,
        NotifyLock, //
    },
    uapi::SeccompData,
    verdict::Verdict, //
};

/// The system calls that a filter and all before it allow whatever their arguments: C's
/// `struct action_cache`.
pub(crate) struct ActionCache {
    allow_native: Bitmap<{ words(NATIVE.nr_syscalls) }>,
    allow_compat: Bitmap<{ words(COMPAT.nr_syscalls) }>,
}

/// One attached program: C's `struct seccomp_filter`, whose counts and predecessor are those of the
/// [`Node`] that it is in.
///
/// What can change once tasks have it are the listener, who waits for it, and what the filter
/// remembers to have logged, which is atomic. All else is set before, which is what lets the path of
/// a system call read it without a lock.
#[pin_data]
pub(crate) struct Filter {
    cache: ActionCache,
    prog: Program<SeccompData>,
    log: FilterLog,
    /// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`.
    wait_killable_recv: bool,
    /// There is a listener. Changed with `notify_lock` held, read without it under the siglock.
    has_listener: Atomic<bool>,
    /// Notifications that nobody has received yet.
    requests: Atomic<c_int>,
    #[pin]
    notify_lock: NotifyLock,
    /// Where the listener waits and polls.
    #[pin]
    wqh: WaitQueue,
}

/// A filter in the tree of filters.
pub(crate) type FilterNode = Node<Filter>;

/// The flags of `SECCOMP_SET_MODE_FILTER` that a filter keeps.
pub(crate) struct FilterFlags {
    pub(crate) log: bool,
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    pub(crate) log_once: bool,
    pub(crate) wait_killable_recv: bool,
}

impl Filter {
    /// A filter that runs `prog`, with an allow cache that is empty until [`Self::complete`].
    pub(crate) fn new(prog: Program<SeccompData>) -> impl PinInit<Self> {
        pin_init!(Self {
            cache: ActionCache {
                allow_native: Bitmap::EMPTY,
                allow_compat: Bitmap::EMPTY,
            },
            prog,
            log: FilterLog::new(),
            wait_killable_recv: false,
            has_listener: Atomic::new(false),
            requests: Atomic::new(0),
            notify_lock <- NotifyLock::new(None, c_str!("seccomp_notify_lock"), static_lock_class!()),
            wqh <- WaitQueue::new(c_str!("seccomp_wqh"), static_lock_class!()),
        })
    }

    /// Gives the filter, which no task has yet, a listener.
    pub(crate) fn set_listener(self: Pin<&mut Self>, listener: Listener) {
        let this = self.project();
        this.has_listener.store(true, Relaxed);
        *this.notify_lock.state_mut() = Some(listener);
    }

    /// Makes the filter, which no task has yet, ready to be the one behind `prev`.
    pub(crate) fn complete(self: Pin<&mut Self>, flags: FilterFlags, prev: Option<&Self>) {
        let this = self.project();
        this.log.requested = flags.log;
        #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
        this.log.set_once(flags.log_once);
        *this.wait_killable_recv = flags.wait_killable_recv;
        this.cache.prepare(this.prog, prev.map(|prev| &prev.cache));
    }

    /// The program.
    pub(crate) fn prog(&self) -> &Program<SeccompData> {
        &self.prog
    }

    /// How the filter wants its decisions logged, and what it has logged.
    #[inline(always)]
    pub(crate) fn log(&self) -> &FilterLog {
        &self.log
    }

    /// Whether a task that the listener knows of is to wait for it against all but fatal signals.
    pub(crate) fn wait_killable_recv(&self) -> bool {
        self.wait_killable_recv
    }

    /// Whether the filter has a listener.
    pub(crate) fn has_listener(&self) -> bool {
        self.has_listener.load(Relaxed)
    }

    /// Says that the listener is gone; the caller holds `notify_lock`.
    pub(crate) fn clear_listener(&self) {
        self.has_listener.store(false, Relaxed);
    }

    /// The number of notifications that nobody has received yet.
    pub(crate) fn requests(&self) -> &Atomic<c_int> {
        &self.requests
    }

    /// The lock of the listener and of who waits for it.
    pub(crate) fn notify_lock(&self) -> &NotifyLock {
        &self.notify_lock
    }

    /// Where the listener waits and polls.
    pub(crate) fn wqh(&self) -> &WaitQueue {
        &self.wqh
    }

    /// The allow cache.
    #[inline(always)]
    pub(crate) fn cache(&self) -> &ActionCache {
        &self.cache
    }
}

impl Unused for Filter {
    #[doc(alias = "__seccomp_filter_orphan")]
    fn unused(&self) {
        if self.wqh.is_active() {
            self.wqh.wake_up_poll(EPOLLHUP);
        }
    }
}

impl ActionCache {
    /// Finds out what `prog` always allows, of what `prev` does.
    #[doc(alias = "seccomp_cache_prepare")]
    fn prepare(&mut self, prog: &Program<SeccompData>, prev: Option<&Self>) {
        let program = prog.insns();

        self.allow_native = Bitmap::prepare(
            program,
            NATIVE.arch,
            NATIVE.nr_syscalls,
            &UPROBE_SYSCALLS,
            prev.map(|prev| &prev.allow_native),
        );
        if COMPAT.nr_syscalls != 0 {
            self.allow_compat = Bitmap::prepare(
                program,
                COMPAT.arch,
                COMPAT.nr_syscalls,
                &[],
                prev.map(|prev| &prev.allow_compat),
            );
        }
    }

    /// Whether system call `nr` of convention `arch` is known to be allowed whatever its arguments.
    #[doc(alias = "seccomp_cache_check_allow")]
    #[inline(always)]
    pub(crate) fn check_allow(&self, nr: c_int, arch: u32) -> bool {
        // A negative number becomes one that is larger than any size.
        let nr = nr as usize;

        // Where there is one convention alone, `arch` need not be looked at.
        if NATIVE.nr_syscalls != 0 && (COMPAT.nr_syscalls == 0 || arch == NATIVE.arch) {
            return test_bit_nospec(self.allow_native.as_words(), NATIVE.nr_syscalls, nr);
        }
        if COMPAT.nr_syscalls != 0 && arch == COMPAT.arch {
            return test_bit_nospec(self.allow_compat.as_words(), COMPAT.nr_syscalls, nr);
        }
        unknown_arch()
    }

    /// The bitmaps with the conventions that they are of, as `/proc/PID/seccomp_cache` shows them.
    #[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
    pub(crate) fn for_each(
        &self,
        mut f: impl FnMut(&crate::abstractions::syscall::Convention, &dyn Fn(usize) -> bool),
    ) {
        f(&NATIVE, &|nr| self.allow_native.contains(nr));
        f(&COMPAT, &|nr| self.allow_compat.contains(nr));
    }
}

/// A convention that the architecture's cache knows nothing of.
#[cold]
#[inline(never)]
fn unknown_arch() -> bool {
    // An architecture that has no cache does not warn for that.
    warn_on_once!(NATIVE.nr_syscalls != 0);

    false
}

/// The newest filter of the calling task.
#[inline(always)]
pub(crate) fn newest<'call>(state: &SyscallState<'call>) -> Option<&'call FilterNode> {
    state.filter()
}

/// Runs `newest` and the filters before it on `data`: the strictest verdict, among equals that of
/// the filter attached last, with the filter; none where all of them allow.
#[inline(always)]
pub(crate) fn seccomp_run_filters<'a>(
    newest: &'a FilterNode,
    data: &SeccompData,
) -> Option<(Verdict, &'a Filter)> {
    if !cfg!(CONFIG_RUST_INLINE_HELPERS) && newest.prev().is_none() {
        let ret = Verdict::from_ret(newest.prog.run_pin_on_cpu(data));
        return ret
            .is_stricter_than(Verdict::ALLOW)
            .then_some((ret, &**newest));
    }
    let guard = MigrationGuard::new();
    let mut node = newest;

    // As long as they allow, nothing has to be remembered from one filter to the next: that is 30
    // instructions a filter where C, which remembers two values, has 50.
    let decision = loop {
        let ret = Verdict::from_ret(node.prog.run(data, &guard));
        if ret.is_stricter_than(Verdict::ALLOW) {
            break Some(match node.prev() {
                None => (ret, &**node),
                Some(rest) => run_rest(ret, node, rest, data, &guard),
            });
        }
        match node.prev() {
            None => break None,
            Some(prev) => node = prev,
        }
    };
    drop(guard);
    decision
}

/// Runs `rest` and the filters before it, after `matched` has returned `ret`.
#[inline(never)]
fn run_rest<'a>(
    mut ret: Verdict,
    mut matched: &'a Filter,
    rest: &'a FilterNode,
    data: &SeccompData,
    guard: &MigrationGuard,
) -> (Verdict, &'a Filter) {
    for node in rest.path() {
        let verdict = Verdict::from_ret(node.prog.run(data, guard));
        if verdict.is_stricter_than(ret) {
            (ret, matched) = (verdict, node);
        }
    }
    (ret, matched)
}
