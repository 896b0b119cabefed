// SPDX-License-Identifier: GPL-2.0

//! Attaching filters: to the calling task, and to all threads of its process.

use kernel::{
    ffi::c_long,
    fs::file::{
        flags::O_CLOEXEC,
        FileDescriptorReservation, //
    },
    prelude::*,
    sync::atomic::Relaxed,
    task::Pid,
    uapi, //
};

use crate::{
    abstractions::{
        anon_inode::NewAnonFile,
        bpf::{
            insn::{
                Insn,
                MAXINSNS, //
            },
            Program,
            UserProgram, //
        },
        capability::{
            ns_capable_noaudit_current,
            Capability, //
        },
        random::get_random_u64,
        sighand::{
            current_no_new_privs,
            CredGuard,
            Siglock,
            Thread, //
        },
        tree::UniqueNode, //
    },
    filter::{
        Filter,
        FilterFlags,
        FilterNode, //
    },
    mode::{
        seccomp_assign_mode,
        seccomp_may_assign_mode, //
    },
    notify::Listener,
    uapi::mode, //
};

/// The most instructions on any path through the tree of filters, 256 KiB of them: C's
/// `MAX_INSNS_PER_PATH`.
const MAX_INSNS_PER_PATH: usize = (1 << 18) / size_of::<Insn>();

/// What each filter on the path counts for beside its own instructions.
const FILTER_PENALTY: usize = 4;

/// `SECCOMP_FILTER_FLAG_*`.
#[derive(Clone, Copy)]
struct Flags(u32);

impl Flags {
    const TSYNC: Self = Self(uapi::SECCOMP_FILTER_FLAG_TSYNC);
    const LOG: Self = Self(uapi::SECCOMP_FILTER_FLAG_LOG);
    const SPEC_ALLOW: Self = Self(uapi::SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    const NEW_LISTENER: Self = Self(uapi::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    const TSYNC_ESRCH: Self = Self(uapi::SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
    const WAIT_KILLABLE_RECV: Self = Self(uapi::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    const LOG_ONCE: Self = Self(crate::uapi::SECCOMP_FILTER_FLAG_LOG_ONCE);
    #[cfg(not(CONFIG_SECCOMP_LOG_ONCE))]
    const LOG_ONCE: Self = Self(0);

    /// Every flag that there is.
    const MASK: u32 = Self::TSYNC.0
        | Self::LOG.0
        | Self::SPEC_ALLOW.0
        | Self::NEW_LISTENER.0
        | Self::TSYNC_ESRCH.0
        | Self::WAIT_KILLABLE_RECV.0
        | Self::LOG_ONCE.0;

    /// The flags that user space asks for; `EINVAL` for unknown ones and for those that do not go
    /// together.
    fn from_user(bits: u32) -> Result<Self> {
        let flags = Self(bits);

        if bits & !Self::MASK != 0 {
            return Err(EINVAL);
        }
        // One returns a descriptor where it succeeds, the other the number of a thread where it
        // fails: nobody could tell them apart.
        if flags.has(Self::TSYNC) && flags.has(Self::NEW_LISTENER) && !flags.has(Self::TSYNC_ESRCH)
        {
            return Err(EINVAL);
        }
        // It is about a listener.
        if flags.has(Self::WAIT_KILLABLE_RECV) && !flags.has(Self::NEW_LISTENER) {
            return Err(EINVAL);
        }
        Ok(flags)
    }

    /// Whether `flag` is among them.
    const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

/// A thread that cannot be synchronised.
struct CannotSync(Pid);

/// Whether all other threads can get the calling task's filters: none has a filter that the calling
/// task has not.
fn seccomp_can_sync_threads(lock: &Siglock, _cred: &CredGuard) -> Result<(), CannotSync> {
    let own = lock.current().filter::<Filter>();

    for thread in lock.other_threads().filter(|thread| !thread.is_exiting()) {
        let can_sync = match thread.seccomp_mode() {
            mode::DISABLED => true,
            mode::FILTER => thread
                .filter()
                .is_none_or(|filter: &FilterNode| filter.is_ancestor_of(own)),
            _ => false,
        };
        if !can_sync {
            return Err(CannotSync(thread.pid_vnr()));
        }
    }
    Ok(())
}

/// Gives all other threads the calling task's filters, and its state of no_new_privs.
fn seccomp_sync_threads(lock: &Siglock, _cred: &CredGuard, flags: Flags) {
    // Nobody is touched in a process that is being killed: the exiting threads look at their
    // filters without the lock.
    if lock.is_group_exiting() {
        return;
    }

    let caller = lock.current();
    let count = caller.filter_count().load(Relaxed);
    for thread in lock.other_threads().filter(|thread| !thread.is_exiting()) {
        let Some(leaf) = caller.clone_filter::<Filter>() else {
            return;
        };
        // `seccomp_can_sync_threads()` has looked, with this very lock held.
        if kernel::warn_on!(thread.replace_filter(leaf).is_err()) {
            continue;
        }
        thread.filter_count().store(count, Relaxed);

        // Else a task could have a thread attach filters that it may not attach itself.
        if caller.no_new_privs() {
            thread.set_no_new_privs();
        }

        // Threads can do to each other what they like; to confine one is among that.
        if thread.seccomp_mode() == mode::DISABLED {
            assign_filter_mode(thread, flags);
        }
    }
}

/// Has filters decide about the system calls of `thread`.
fn assign_filter_mode(thread: Thread<'_>, flags: Flags) {
    seccomp_assign_mode(thread, mode::FILTER, !flags.has(Flags::SPEC_ALLOW));
}

/// A filter that nobody has yet, of the program that is described at `user_filter`.
fn seccomp_prepare_user_filter(user_filter: UserPtr) -> Result<UniqueNode<Filter>> {
    let program = UserProgram::read(user_filter)?;

    if program.len() == 0 || program.len() > MAXINSNS {
        return Err(EINVAL);
    }

    // Who can gain privileges by a program that it executes could, by a filter, have that program
    // misbehave with them.
    if !current_no_new_privs() && !ns_capable_noaudit_current(Capability::SYS_ADMIN) {
        return Err(EACCES);
    }

    let memory = UniqueNode::new_uninit(GFP_KERNEL | __GFP_NOWARN)?;
    let filter = Filter::new(Program::create_from_user(program)?);
    UniqueNode::init(memory, filter).map_err(|never| match never {})
}

/// Whether the filters of the calling task and `filter` on top of them are short enough.
fn fits_path(lock: &Siglock, filter: &Filter) -> bool {
    let below = lock.current().filter::<Filter>();

    // Nothing overflows: what is there has passed this test, and a program's length fits by far.
    below
        .into_iter()
        .flat_map(FilterNode::path)
        .fold(filter.prog().len(), |total, filter| {
            total
                .saturating_add(filter.prog().len())
                .saturating_add(FILTER_PENALTY)
        })
        .le(&MAX_INSNS_PER_PATH)
}

/// Whether one of the calling task's filters has a listener.
///
/// Only the calling task's have to be looked at, with TSYNC as well, as all threads get the same.
#[doc(alias = "has_duplicate_listener")]
fn has_listener(lock: &Siglock) -> bool {
    lock.current()
        .filter::<Filter>()
        .is_some_and(|newest| newest.path().any(|filter| filter.has_listener()))
}

/// Why a filter was not attached.
enum Refused {
    /// `seccomp(2)` fails.
    Error(Error),
    /// `seccomp(2)` returns the number of the thread.
    CannotSync(CannotSync),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Looks whether `filter` can be attached to the calling task, in C's order of errors.
fn can_attach(
    lock: &Siglock,
    cred: Option<&CredGuard>,
    filter: &Filter,
    flags: Flags,
) -> Result<(), Refused> {
    if !seccomp_may_assign_mode(lock, mode::FILTER) {
        return Err(EINVAL.into());
    }
    if flags.has(Flags::NEW_LISTENER) && has_listener(lock) {
        return Err(EBUSY.into());
    }
    if !fits_path(lock, filter) {
        return Err(ENOMEM.into());
    }
    if let Some(cred) = cred {
        seccomp_can_sync_threads(lock, cred).map_err(|failed| {
            if flags.has(Flags::TSYNC_ESRCH) || kernel::warn_on!(failed.0 == 0) {
                Refused::Error(ESRCH)
            } else {
                Refused::CannotSync(failed)
            }
        })?;
    }
    Ok(())
}

/// Attaches `filter`, which [`can_attach`] has looked at with the same lock held.
fn seccomp_attach_filter(
    lock: &Siglock,
    cred: Option<&CredGuard>,
    mut filter: UniqueNode<Filter>,
    flags: Flags,
) {
    let current = lock.current();

    filter.value_mut().complete(
        FilterFlags {
            log: flags.has(Flags::LOG),
            #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
            log_once: flags.has(Flags::LOG_ONCE),
            wait_killable_recv: flags.has(Flags::WAIT_KILLABLE_RECV),
        },
        current.filter::<Filter>().map(|newest| &**newest),
    );
    lock.push_filter(filter);
    current.filter_count().add(1, Relaxed);

    if let Some(cred) = cred {
        seccomp_sync_threads(lock, cred, flags);
    }
    assign_filter_mode(current, flags);
}

/// `SECCOMP_SET_MODE_FILTER`: attaches the filter that is described at `filter`.
///
/// Returns 0, the descriptor of a new listener, or the number of a thread that cannot be
/// synchronised.
pub(crate) fn seccomp_set_mode_filter(flags: u32, filter: UserPtr) -> Result<c_long> {
    let flags = Flags::from_user(flags)?;

    // Before any lock is held.
    let mut prepared = seccomp_prepare_user_filter(filter)?;
    let listener = if flags.has(Flags::NEW_LISTENER) {
        let fd = FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?;
        let file = NewAnonFile::<FilterNode>::new(c"seccomp notify")?;
        prepared.value_mut().set_listener(Listener {
            sync_wake_up: false,
            next_id: get_random_u64(),
        });
        Some((fd, file))
    } else {
        None
    };

    // No thread is to change its privileges by execve(2) while they are synchronised.
    let cred = if flags.has(Flags::TSYNC) {
        // C fails in this way when it is killed here, which nobody lives to see.
        Some(CredGuard::lock_killable().map_err(|_| EINVAL)?)
    } else {
        None
    };

    let lock = Siglock::lock();
    match can_attach(&lock, cred.as_ref(), &prepared, flags) {
        Ok(()) => {}
        Err(refused) => {
            // What is freed with the filter and its file may sleep.
            drop(lock);
            drop(cred);
            return match refused {
                Refused::Error(error) => Err(error),
                Refused::CannotSync(CannotSync(pid)) => Ok(pid as c_long),
            };
        }
    }
    seccomp_attach_filter(&lock, cred.as_ref(), prepared, flags);
    // Another thread may put a filter on this one as soon as the lock is not held.
    let attached = listener
        .is_some()
        .then(|| lock.current().clone_node::<Filter>())
        .flatten();
    drop(lock);
    drop(cred);

    Ok(match (listener, attached) {
        (Some((fd, file)), Some(node)) => file.install(fd, node) as c_long,
        _ => 0,
    })
}
