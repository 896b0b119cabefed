// SPDX-License-Identifier: GPL-2.0

//! Wait queues whose sleepers and pollers say what they wait for.
//!
//! C headers: [`include/linux/wait.h`](srctree/include/linux/wait.h),
//! [`include/linux/poll.h`](srctree/include/linux/poll.h)

use core::{
    marker::PhantomPinned,
    pin::Pin,
    ptr, //
};

use kernel::{
    bindings,
    container_of,
    error::to_result,
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*,
    str::CStr,
    sync::LockClassKey,
    types::Opaque, //
};

/// The events of poll(2) and epoll(7), as bits.
#[rustfmt::skip]
pub(crate) mod event {
    use kernel::bindings;

    pub(crate) const EPOLLIN: u32 = bindings::POLLIN;
    pub(crate) const EPOLLOUT: u32 = bindings::POLLOUT;
    pub(crate) const EPOLLERR: u32 = bindings::POLLERR;
    pub(crate) const EPOLLHUP: u32 = bindings::POLLHUP;
    pub(crate) const EPOLLRDNORM: u32 = bindings::POLLRDNORM;
    pub(crate) const EPOLLWRNORM: u32 = bindings::POLLWRNORM;
}

/// A `struct wait_queue_head`.
///
/// # Examples
///
/// ```ignore
/// queue.wait_event_interruptible_poll(EPOLLIN, || requests.load(Relaxed) > 0)?;
///
/// requests.store(1, Relaxed);
/// queue.wake_up_poll(EPOLLIN | EPOLLRDNORM);
/// ```
#[pin_data]
pub(crate) struct WaitQueue {
    #[pin]
    head: Opaque<bindings::wait_queue_head>,
    /// The list in the head points to itself.
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: A wait queue head can be used from any task.
unsafe impl Send for WaitQueue {}

// SAFETY: As before, by many at once.
unsafe impl Sync for WaitQueue {}

impl WaitQueue {
    /// An empty queue; `name` and `key` are for lockdep.
    pub(crate) fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: `slot` is valid for writes, and both other arguments are static.
            head <- Opaque::ffi_init(|slot| unsafe {
                bindings::__init_waitqueue_head(slot, name.as_char_ptr(), key.as_ptr())
            }),
            _pin: PhantomPinned,
        })
    }

    /// The queue, as C has it.
    pub(super) fn as_ptr(&self) -> *mut bindings::wait_queue_head {
        self.head.get()
    }

    /// Whether anybody waits, as far as can be said without the queue's lock.
    pub(crate) fn is_active(&self) -> bool {
        // SAFETY: The queue is valid by its type.
        unsafe { bindings::waitqueue_active(self.as_ptr()) != 0 }
    }

    /// Wakes all who poll for one of the events of `mask`, `EPOLL*`, and one who waits for them
    /// alone.
    pub(crate) fn wake_up_poll(&self, mask: u32) {
        // SAFETY: The queue is valid by its type. The key is a number, not a pointer.
        unsafe {
            bindings::__wake_up(
                self.as_ptr(),
                bindings::TASK_NORMAL,
                1,
                mask as usize as *mut c_void,
            );
        }
    }

    /// The same, for a waker that is about to sleep: who is woken runs on this CPU.
    pub(crate) fn wake_up_poll_on_current_cpu(&self, mask: u32) {
        // SAFETY: As for `wake_up_poll()`.
        unsafe {
            bindings::__wake_up_on_current_cpu(
                self.as_ptr(),
                bindings::TASK_NORMAL,
                mask as usize as *mut c_void,
            );
        }
    }

    /// Sleeps until `condition`, to be looked at whenever one of the events of `mask` is told;
    /// fails with `ERESTARTSYS` for a signal that comes before.
    ///
    /// `condition` is called between one sleep and the next, as a task that is about to sleep, and
    /// must not sleep itself.
    pub(crate) fn wait_event_interruptible_poll(
        &self,
        mask: u32,
        mut condition: impl FnMut() -> bool,
    ) -> Result {
        let wait = PollEntry {
            entry: Opaque::uninit(),
            mask,
        };
        // Of the whole structure, as `poll_wake_function()` finds it by this.
        let whole = ptr::from_ref(&wait);
        // SAFETY: The structure is there.
        let entry = Opaque::cast_into(unsafe { &raw const (*whole).entry });
        // SAFETY: `entry` is valid for writes. It is not moved until it has left the queue.
        unsafe {
            bindings::init_wait_entry(entry, 0);
            (*entry).func = Some(poll_wake_function);
        }

        loop {
            // SAFETY: The queue is valid by its type, and so is the entry.
            let interrupted = unsafe {
                bindings::prepare_to_wait_event(
                    self.as_ptr(),
                    entry,
                    bindings::TASK_INTERRUPTIBLE as c_int,
                )
            };
            if condition() {
                break;
            }
            // The function has taken the entry off the queue where it fails.
            to_result(interrupted as c_int)?;

            // SAFETY: The task holds no lock that would forbid it to sleep.
            unsafe { bindings::schedule() };
        }
        // SAFETY: As above. The entry is not on the queue after this.
        unsafe { bindings::finish_wait(self.as_ptr(), entry) };
        Ok(())
    }
}

/// A task on a queue that waits for the events of `mask`.
struct PollEntry {
    entry: Opaque<bindings::wait_queue_entry>,
    mask: u32,
}

/// Wakes the task of an entry if it waits for what is told.
///
/// # Safety
///
/// `entry` must have been made of a pointer to the whole [`PollEntry`] that it is in; called with
/// the queue's lock held.
unsafe extern "C" fn poll_wake_function(
    entry: *mut bindings::wait_queue_entry,
    mode: c_uint,
    flags: c_int,
    key: *mut c_void,
) -> c_int {
    // SAFETY: By the safety requirements.
    let mask =
        unsafe { (*container_of!(Opaque::cast_from(entry).cast_mut(), PollEntry, entry)).mask };

    // CAST: The low bits of the key are the events, of which there are less than 32.
    if !key.is_null() && key as usize as u32 & mask == 0 {
        return 0;
    }
    // SAFETY: By the safety requirements.
    unsafe { bindings::autoremove_wake_function(entry, mode, flags, key) }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_wait)]
mod tests {
    use super::*;
    use kernel::{
        c_str,
        static_lock_class, //
    };

    fn queue() -> Result<Pin<KBox<WaitQueue>>> {
        KBox::pin_init(
            WaitQueue::new(c_str!("seccomp_wait_test"), static_lock_class!()),
            GFP_KERNEL,
        )
    }

    #[test]
    fn what_is_so_is_not_waited_for() -> Result {
        let queue = queue()?;
        assert!(!queue.is_active());
        queue.wait_event_interruptible_poll(event::EPOLLIN, || queue.is_active())?;
        assert!(!queue.is_active());
        Ok(())
    }

    #[test]
    fn who_waits_for_an_event_is_woken_by_it() -> Result {
        let queue = queue()?;
        let mut looked = 0_u32;
        // The task is on the queue when it looks, so that it can wake itself.
        queue.wait_event_interruptible_poll(event::EPOLLIN, || {
            looked = looked.wrapping_add(1);
            queue.wake_up_poll(event::EPOLLIN | event::EPOLLRDNORM);
            looked == 3
        })?;
        assert_eq!(looked, 3);
        Ok(())
    }
}
