// SPDX-License-Identifier: GPL-2.0

//! What stands between a task that waits for a listener's answer and the listener.

use kernel::{
    ffi::{
        c_int,
        c_long, //
    },
    prelude::*,
    sync::aref::ARef,
    task::Task, //
};

use crate::{
    abstractions::{
        file::PassedFile,
        wait_list::{
            WaitList,
            Waiting, //
        }, //
    },
    uapi::SeccompData, //
};

/// The listener of a filter: what of C's `struct notification` is guarded by the filter's lock.
pub(crate) struct Listener {
    /// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` is set: who wakes the other side is about to sleep.
    pub(crate) sync_wake_up: bool,
    /// The id of the next notification.
    pub(crate) next_id: u64,
}

impl Listener {
    /// A new id. It may wrap around: it has to differ from those that wait for the same listener.
    #[doc(alias = "seccomp_next_notify_id")]
    pub(crate) fn next_notify_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }
}

/// How far a notification is: C's `enum notify_state`, the answer in its place.
pub(crate) enum NotifyState {
    /// Nobody has received it, or it is to be received again.
    Init,
    /// The listener has received it.
    Sent,
    /// The descriptor that is to be the answer is on its way: answered, as far as the listener is
    /// concerned.
    Adding,
    /// It is answered.
    Replied(Reply),
}

/// What a listener has answered.
#[derive(Clone, Copy)]
pub(crate) struct Reply {
    /// A negative errno, which the system call fails with; 0 if it does not.
    pub(crate) error: c_int,
    /// What the system call returns then.
    pub(crate) val: c_long,
    /// The system call is to be run.
    pub(crate) continues: bool,
}

impl NotifyState {
    /// Whether the listener has received the notification, answered or not.
    pub(crate) fn is_received(&self) -> bool {
        !matches!(self, Self::Init)
    }

    /// Whether the listener can answer.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self, Self::Sent)
    }

    /// A descriptor that was to be the answer has been handled, which brings the notification to
    /// `state`: not to an answer, though, if it is to be received once more since.
    pub(crate) fn after_addfd(&mut self, state: Self) {
        let is_open = matches!(self, Self::Init | Self::Sent);
        if !(is_open && matches!(state, Self::Replied(_))) {
            *self = state;
        }
    }
}

/// A system call that waits for the listener: C's `struct seccomp_knotif`.
pub(crate) struct Knotif {
    /// The task that makes it.
    pub(crate) task: ARef<Task>,
    /// By what the listener names it.
    pub(crate) id: u64,
    /// What the filter has seen of it.
    pub(crate) data: SeccompData,
    pub(crate) state: NotifyState,
}

/// A listener that waits for the task of a notification to take a descriptor: C's
/// `struct seccomp_kaddfd`.
pub(crate) struct Kaddfd {
    /// The id of the notification.
    pub(crate) id: u64,
    pub(crate) file: PassedFile,
    /// The number that the descriptor is to have, if it matters.
    pub(crate) fd: Option<u32>,
    /// The flags of the descriptor: 0 or `O_CLOEXEC`.
    pub(crate) flags: u32,
    /// The descriptor is the answer as well: `SECCOMP_ADDFD_FLAG_SEND`.
    pub(crate) send: bool,
    /// What became of it, once it was handled.
    pub(crate) ret: Result<c_int>,
}

/// Who waits at a filter, each for the other side.
///
/// System calls stand in the order in which they came, in front of them what listeners hand over,
/// the last first; C has a list of its own in each notification for these.
pub(crate) enum Entry {
    /// A system call.
    Call(Knotif),
    /// A descriptor.
    Addfd(Kaddfd),
}

impl Entry {
    /// The system call.
    pub(crate) fn call(&self) -> Option<&Knotif> {
        match self {
            Self::Call(knotif) => Some(knotif),
            Self::Addfd(_) => None,
        }
    }

    /// The system call, to be changed.
    pub(crate) fn call_mut(&mut self) -> Option<&mut Knotif> {
        match self {
            Self::Call(knotif) => Some(knotif),
            Self::Addfd(_) => None,
        }
    }

    /// Whether it is notification `id`.
    pub(crate) fn is_call(&self, id: u64) -> bool {
        self.call().is_some_and(|knotif| knotif.id == id)
    }

    /// The descriptor, if it is one for notification `id`.
    pub(crate) fn addfd_mut(&mut self, id: u64) -> Option<&mut Kaddfd> {
        match self {
            Self::Addfd(kaddfd) if kaddfd.id == id => Some(kaddfd),
            _ => None,
        }
    }

    /// Whether it is a descriptor for notification `id`.
    pub(crate) fn is_addfd(&self, id: u64) -> bool {
        matches!(self, Self::Addfd(kaddfd) if kaddfd.id == id)
    }
}

/// A filter's lock, `notify_lock` of C's, with what it guards: the listener, and who waits.
pub(crate) type NotifyLock = WaitList<Option<Listener>, Entry>;

/// The lock is held by a task that waits at the filter.
pub(crate) type NotifyWaiting<'w, 'a> = Waiting<'w, 'a, Option<Listener>, Entry>;
