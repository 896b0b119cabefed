// SPDX-License-Identifier: GPL-2.0

//! The listener: a system call waits for its answer, and the file that it answers by.
//!
//! C header: [`include/uapi/linux/seccomp.h`](srctree/include/uapi/linux/seccomp.h)

use kernel::{
    ffi::{
        c_int,
        c_long, //
    },
    fs::file::flags::O_CLOEXEC,
    ioctl::{
        _IOC_SIZE,
        _IOR,
        _IOW,
        _IOWR, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        }, //
    },
    uapi, //
};

use crate::{
    abstractions::{
        anon_inode::AnonFile,
        file::{
            NoFdgetPos,
            PassedFile, //
        },
        sighand::task_pid_vnr,
        syscall::Caller,
        uaccess::{
            check_zeroed_user,
            copy_from_user,
            copy_struct_from_user,
            copy_to_user, //
        },
        wait::{
            event::*,
            WaitQueue, //
        },
        wait_list::End, //
    },
    filter::{
        Filter,
        FilterNode, //
    },
    notify::{
        Entry,
        Kaddfd,
        Knotif,
        NotifyState,
        NotifyWaiting,
        Reply, //
    },
    uapi::{
        SeccompData,
        SeccompNotif,
        SeccompNotifAddfd,
        SeccompNotifResp, //
    }, //
};

/// What a notification is waited for with: there is one to be received.
const EVENT_RECV: u32 = EPOLLIN | EPOLLRDNORM;

/// There is one to be answered.
const EVENT_SEND: u32 = EPOLLOUT | EPOLLWRNORM;

/// Whether the task of `knotif` waits against all but fatal signals.
fn should_sleep_killable(filter: &Filter, knotif: &Knotif) -> bool {
    filter.wait_killable_recv() && knotif.state.is_received()
}

/// Has the listener of `filter` decide about the system call of `data`, and waits for it.
///
/// Returns whether the system call is to be run. If it is not, its return value has been set.
#[inline(never)]
pub(crate) fn seccomp_do_user_notification(
    caller: Caller<'_>,
    filter: &Filter,
    data: &SeccompData,
) -> bool {
    let reply = wait_for_reply(filter, data);

    if reply.continues {
        return true;
    }
    caller.set_return_value(reply.error, reply.val);
    false
}

/// Waits for the answer of the listener of `filter`.
fn wait_for_reply(filter: &Filter, data: &SeccompData) -> Reply {
    let fail = |error: Error| Reply {
        error: error.to_errno(),
        val: 0,
        continues: false,
    };

    let mut guard = filter.notify_lock().lock();
    let Some(listener) = guard.as_mut() else {
        return fail(ENOSYS);
    };
    let id = listener.next_notify_id();
    let sync_wake_up = listener.sync_wake_up;

    let entry = Entry::Call(Knotif {
        task: ARef::from(&**current!()),
        id,
        data: data.clone(),
        state: NotifyState::Init,
    });
    guard.join(End::Back, entry, |waiting| {
        filter.requests().add(1, Relaxed);
        if sync_wake_up {
            filter.wqh().wake_up_poll_on_current_cpu(EVENT_RECV);
        } else {
            filter.wqh().wake_up_poll(EVENT_RECV);
        }

        let reply = loop {
            let killable = is_killable(filter, waiting.value());
            let result = if killable {
                waiting.wait_killable()
            } else {
                waiting.wait_interruptible()
            };
            if let Err(error) = result {
                // A signal that came before the listener had received the notification does not
                // count where only fatal ones do since.
                if killable || !is_killable(filter, waiting.value()) {
                    break fail(error);
                }
            }

            if let Some(done) = seccomp_handle_addfd(waiting, id) {
                if let Some(knotif) = waiting.value().call_mut() {
                    knotif.state.after_addfd(done);
                }
            }
            if let Some(&Knotif {
                state: NotifyState::Replied(reply),
                ..
            }) = waiting.value().call()
            {
                break reply;
            }
        };

        // The listener need not wait for what nobody will take any more.
        waiting.for_each(|mut waiter| {
            if let Some(kaddfd) = waiter.addfd_mut(id) {
                kaddfd.ret = Err(ESRCH);
                waiter.leave();
            }
        });
        reply
    })
}

/// Whether the task of an entry waits against all but fatal signals.
fn is_killable(filter: &Filter, entry: &Entry) -> bool {
    entry
        .call()
        .is_some_and(|knotif| should_sleep_killable(filter, knotif))
}

/// Takes the descriptor that the listener hands to notification `id`, the one that it handed over
/// last if there are more. Returns the state that this brings the notification to if the descriptor
/// is to be the answer.
fn seccomp_handle_addfd(waiting: &mut NotifyWaiting<'_, '_>, id: u64) -> Option<NotifyState> {
    let mut waiter = waiting.find(|entry| entry.is_addfd(id))?;
    let kaddfd = waiter.addfd_mut(id)?;

    let fd = match kaddfd.fd {
        None => kaddfd.file.receive(kaddfd.flags),
        Some(fd) => kaddfd.file.receive_as(fd, kaddfd.flags),
    };
    kaddfd.ret = fd;
    let state = kaddfd.send.then_some(match fd {
        // The listener is told, and can answer otherwise.
        Err(_) => NotifyState::Sent,
        Ok(fd) => NotifyState::Replied(Reply {
            error: 0,
            val: fd as c_long,
            continues: false,
        }),
    });
    waiter.leave();
    state
}

/// Decrements `value` if it is positive, and returns whether it was.
#[doc(alias = "atomic_dec_if_positive")]
fn dec_if_positive(value: &Atomic<c_int>) -> bool {
    let mut old = value.load(Relaxed);
    while old > 0 {
        match value.cmpxchg(old, old - 1, kernel::sync::atomic::Full) {
            Ok(_) => return true,
            Err(now) => old = now,
        }
    }
    false
}

/// `SECCOMP_IOCTL_NOTIF_*`, which the header makes of a macro with parameters.
mod cmd {
    use super::*;

    const MAGIC: u32 = uapi::SECCOMP_IOC_MAGIC as u32;

    pub(super) const RECV: u32 = _IOWR::<uapi::seccomp_notif>(MAGIC, 0);
    pub(super) const SEND: u32 = _IOWR::<uapi::seccomp_notif_resp>(MAGIC, 1);
    pub(super) const ID_VALID: u32 = _IOW::<u64>(MAGIC, 2);
    /// The number that was published first, with the wrong direction, and is in use.
    pub(super) const ID_VALID_WRONG_DIR: u32 = _IOR::<u64>(MAGIC, 2);
    pub(super) const ADDFD: u32 = extensible(_IOW::<uapi::seccomp_notif_addfd>(MAGIC, 3));
    pub(super) const SET_FLAGS: u32 = _IOW::<u64>(MAGIC, 4);

    /// A number whatever the size of its structure, which may grow, and its direction.
    pub(super) const fn extensible(cmd: u32) -> u32 {
        cmd & !(uapi::_IOC_DIRMASK << uapi::_IOC_DIRSHIFT
            | uapi::_IOC_SIZEMASK << uapi::_IOC_SIZESHIFT)
    }
}

impl AnonFile for FilterNode {
    fn wait_queue(&self) -> &WaitQueue {
        self.wqh()
    }

    fn poll(&self) -> u32 {
        let Ok(guard) = self.notify_lock().lock_interruptible() else {
            return EPOLLERR;
        };

        let mut events =
            guard
                .iter()
                .filter_map(Entry::call)
                .fold(0, |events, knotif| match knotif.state {
                    NotifyState::Init => events | EVENT_RECV,
                    NotifyState::Sent => events | EVENT_SEND,
                    NotifyState::Adding | NotifyState::Replied(_) => events,
                });
        drop(guard);

        if !self.has_users() {
            events |= EPOLLHUP;
        }
        events
    }

    fn ioctl(&self, cmd: u32, arg: usize, no_fdget_pos: &NoFdgetPos) -> Result<c_long> {
        let buf = UserPtr::from_addr(arg);

        match cmd {
            cmd::RECV => seccomp_notify_recv(self, buf),
            cmd::SEND => seccomp_notify_send(self, buf),
            cmd::ID_VALID | cmd::ID_VALID_WRONG_DIR => seccomp_notify_id_valid(self, buf),
            cmd::SET_FLAGS => seccomp_notify_set_flags(self, arg),
            _ if cmd::extensible(cmd) == cmd::ADDFD => {
                return seccomp_notify_addfd(self, buf, _IOC_SIZE(cmd), no_fdget_pos)
                    .map(|fd| fd as c_long);
            }
            _ => Err(EINVAL),
        }
        .map(|()| 0)
    }

    fn release(this: ARef<Self>) {
        seccomp_notify_detach(&this);
    }
}

/// The listener is gone: who waits for it need not any more.
fn seccomp_notify_detach(filter: &Filter) {
    let mut guard = filter.notify_lock().lock();

    guard.for_each(|mut waiter| {
        let Some(knotif) = waiter.call_mut() else {
            return;
        };
        // Who hands over descriptors is told by the task of the notification.
        if matches!(knotif.state, NotifyState::Init | NotifyState::Sent) {
            knotif.state = NotifyState::Replied(Reply {
                error: ENOSYS.to_errno(),
                val: 0,
                continues: false,
            });
            waiter.complete();
        }
    });
    *guard = None;
    filter.clear_listener();
}

/// Waits until there is a notification to be received, or no task any more to make one.
fn recv_wait_event(node: &FilterNode) -> Result {
    if !node.has_users() || dec_if_positive(node.requests()) {
        return Ok(());
    }
    node.wqh()
        .wait_event_interruptible_poll(EPOLLIN | EPOLLERR | EPOLLHUP, || {
            dec_if_positive(node.requests()) || !node.has_users()
        })
}

/// `SECCOMP_IOCTL_NOTIF_RECV`: waits for a notification, and writes it to `buf`.
fn seccomp_notify_recv(node: &FilterNode, buf: UserPtr) -> Result {
    // What is there must be zero, for the structure to be able to ask for more one day.
    if !check_zeroed_user(buf, size_of::<SeccompNotif>())? {
        return Err(EINVAL);
    }

    recv_wait_event(node)?;

    let mut guard = node.notify_lock().lock();
    // The task may have been interrupted in the meantime.
    let Some(mut waiter) = guard.find(|entry| {
        entry
            .call()
            .is_some_and(|knotif| !knotif.state.is_received())
    }) else {
        return Err(ENOENT);
    };
    let Some(knotif) = waiter.call_mut() else {
        return Err(ENOENT);
    };
    let unotif = SeccompNotif {
        id: knotif.id,
        pid: task_pid_vnr(&knotif.task) as u32,
        flags: 0,
        data: knotif.data.clone(),
    };
    knotif.state = NotifyState::Sent;
    node.wqh().wake_up_poll(EVENT_SEND);
    drop(guard);

    copy_to_user(buf, &unotif).inspect_err(|_| take_back(node, unotif.id))
}

/// Has notification `id`, which the listener could not be given, be received once more.
fn take_back(node: &FilterNode, id: u64) {
    let mut guard = node.notify_lock().lock();

    // Its task may have been interrupted in the meantime.
    let Some(mut waiter) = guard.find(|entry| entry.is_call(id)) else {
        return;
    };
    if waiter
        .call()
        .is_some_and(|knotif| should_sleep_killable(node, knotif))
    {
        // It is to wait for all signals again.
        waiter.complete();
    }
    if let Some(knotif) = waiter.call_mut() {
        knotif.state = NotifyState::Init;
    }
    node.requests().add(1, Relaxed);
    node.wqh().wake_up_poll(EVENT_RECV);
}

/// `SECCOMP_IOCTL_NOTIF_SEND`: answers a notification with what is at `buf`.
fn seccomp_notify_send(filter: &Filter, buf: UserPtr) -> Result {
    const CONTINUE: u32 = uapi::SECCOMP_USER_NOTIF_FLAG_CONTINUE;

    let resp = copy_from_user::<SeccompNotifResp>(buf)?;
    let continues = resp.flags & CONTINUE != 0;
    if resp.flags & !CONTINUE != 0 || continues && (resp.error != 0 || resp.val != 0) {
        return Err(EINVAL);
    }

    let mut guard = filter.notify_lock().lock_interruptible()?;
    let sync_wake_up = guard.as_ref().is_some_and(|listener| listener.sync_wake_up);

    let mut waiter = guard.find(|entry| entry.is_call(resp.id)).ok_or(ENOENT)?;
    let knotif = waiter.call_mut().ok_or(ENOENT)?;
    // One answer and no more.
    if !knotif.state.is_sent() {
        return Err(EINPROGRESS);
    }
    knotif.state = NotifyState::Replied(Reply {
        error: resp.error,
        val: resp.val as c_long,
        continues,
    });
    if sync_wake_up {
        waiter.complete_on_current_cpu();
    } else {
        waiter.complete();
    }
    Ok(())
}

/// `SECCOMP_IOCTL_NOTIF_ID_VALID`: whether the notification whose id is at `buf` waits for its
/// answer; `ENOENT` if not.
fn seccomp_notify_id_valid(filter: &Filter, buf: UserPtr) -> Result {
    let id = copy_from_user::<u64>(buf)?;

    let guard = filter.notify_lock().lock_interruptible()?;
    let found = guard
        .iter()
        .filter_map(Entry::call)
        .find(|knotif| knotif.id == id);

    if found.is_some_and(|knotif| knotif.state.is_sent()) {
        Ok(())
    } else {
        Err(ENOENT)
    }
}

/// `SECCOMP_IOCTL_NOTIF_SET_FLAGS`.
fn seccomp_notify_set_flags(filter: &Filter, flags: usize) -> Result {
    const SYNC_WAKE_UP: usize = uapi::SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP as usize;

    if flags & !SYNC_WAKE_UP != 0 {
        return Err(EINVAL);
    }
    let mut guard = filter.notify_lock().lock_interruptible()?;
    if let Some(listener) = guard.as_mut() {
        listener.sync_wake_up = flags & SYNC_WAKE_UP != 0;
    }
    Ok(())
}

/// `SECCOMP_IOCTL_NOTIF_ADDFD`: hands the task of a notification a descriptor, as the `size` bytes
/// at `uaddfd` say, and returns the number that it has there.
fn seccomp_notify_addfd(
    filter: &Filter,
    uaddfd: UserPtr,
    size: usize,
    no_fdget_pos: &NoFdgetPos,
) -> Result<c_int> {
    const SETFD: u32 = uapi::SECCOMP_ADDFD_FLAG_SETFD;
    const SEND: u32 = uapi::SECCOMP_ADDFD_FLAG_SEND;
    /// The size of the structure as it was first published.
    const SIZE_VER0: usize = 24;
    static_assert!(size_of::<SeccompNotifAddfd>() == SIZE_VER0);

    if !(SIZE_VER0..PAGE_SIZE).contains(&size) {
        return Err(EINVAL);
    }
    let addfd = copy_struct_from_user::<SeccompNotifAddfd>(uaddfd, size)?;

    if addfd.newfd_flags & !O_CLOEXEC != 0
        || addfd.flags & !(SETFD | SEND) != 0
        || addfd.newfd != 0 && addfd.flags & SETFD == 0
    {
        return Err(EINVAL);
    }
    let kaddfd = Kaddfd {
        id: addfd.id,
        file: PassedFile::fget(addfd.srcfd, no_fdget_pos)?,
        fd: (addfd.flags & SETFD != 0).then_some(addfd.newfd),
        flags: addfd.newfd_flags,
        send: addfd.flags & SEND != 0,
        ret: Err(ESRCH),
    };

    let mut guard = filter.notify_lock().lock_interruptible()?;
    let is_first = guard.iter().all(|entry| !entry.is_addfd(addfd.id));

    let mut waiter = guard.find(|entry| entry.is_call(addfd.id)).ok_or(ENOENT)?;
    let knotif = waiter.call_mut().ok_or(ENOENT)?;
    // Not before the listener has received the notification, nor after it has answered.
    if !knotif.state.is_sent() {
        return Err(EINPROGRESS);
    }
    if kaddfd.send {
        // The answer has to be the last that the task takes.
        if !is_first {
            return Err(EBUSY);
        }
        knotif.state = NotifyState::Adding;
    }
    waiter.complete();

    let send = kaddfd.send;
    guard.join(End::Front, Entry::Addfd(kaddfd), |waiting| {
        let result = waiting.wait_interruptible();
        // The task may have taken it by the time that a signal had this one woken.
        if let (Err(error), true) = (result, waiting.is_on_list()) {
            if send {
                if let Some(mut waiter) = waiting.find(|entry| entry.is_call(addfd.id)) {
                    if let Some(knotif) = waiter.call_mut() {
                        knotif.state = NotifyState::Sent;
                    }
                }
            }
            return Err(error);
        }
        waiting
            .value()
            .addfd_mut(addfd.id)
            .map_or(Err(ESRCH), |kaddfd| kaddfd.ret)
    })
}
