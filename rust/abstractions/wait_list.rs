// SPDX-License-Identifier: GPL-2.0

//! Tasks that wait to be answered, each with what it asks for on its own stack.
//!
//! A [`WaitList`] is a mutex, what that guards, and the list of those who wait. A task that waits
//! is an entry of the list for as long, which allocates nothing: the value that others read and
//! change lies on its stack, and it leaves the list, under the mutex, before its stack does.
//!
//! # Examples
//!
//! One task asks a question, and another, which finds it on the list, answers:
//!
//! ```ignore
//! let answer = list.lock().join(End::Back, Question { asked, answer: None }, |waiting| {
//!     waiting.wait_killable()?;
//!     waiting.value().answer.take().ok_or(ENOENT)
//! });
//!
//! if let Some(mut asker) = list.lock().find(|question| question.answer.is_none()) {
//!     asker.answer = Some(42);
//!     asker.complete();
//! }
//! ```
//!
//! C headers: [`include/linux/mutex.h`](srctree/include/linux/mutex.h),
//! [`include/linux/completion.h`](srctree/include/linux/completion.h),
//! [`include/linux/list.h`](srctree/include/linux/list.h)

use core::{
    cell::UnsafeCell,
    iter,
    marker::{
        PhantomData,
        PhantomPinned, //
    },
    ops::{
        Deref,
        DerefMut, //
    },
    pin::Pin,
    ptr, //
};

use kernel::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    str::CStr,
    sync::LockClassKey,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// A mutex with a state `S` and a list of tasks that wait, each with an `E`.
///
/// # Invariants
///
/// - `head` is the head of a list of the `links` of [`Node`]s, each of which is valid for as long as
///   it is on the list.
/// - `state`, the list and the values of the nodes on it are accessed with `mutex` held alone.
#[pin_data]
pub(crate) struct WaitList<S, E> {
    #[pin]
    mutex: Opaque<bindings::mutex>,
    #[pin]
    head: Opaque<bindings::list_head>,
    state: UnsafeCell<S>,
    _entries: PhantomData<UnsafeCell<E>>,
    /// Both C structures are pointed to.
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: The list can be used from any task if what is in it can.
unsafe impl<S: Send, E: Send> Send for WaitList<S, E> {}

// SAFETY: The mutex has one task at a time access what the list guards, which any may then.
unsafe impl<S: Send, E: Send> Sync for WaitList<S, E> {}

/// A task that waits, on its own stack.
struct Node<E> {
    links: Opaque<bindings::list_head>,
    /// Told when the value has changed in a way that the task waits for.
    ready: Opaque<bindings::completion>,
    value: UnsafeCell<E>,
}

impl<S, E> WaitList<S, E> {
    /// A list that nobody waits on; `name` and `key` are for lockdep.
    pub(crate) fn new(
        state: S,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        // INVARIANT: The list is empty.
        pin_init!(Self {
            // SAFETY: `slot` is valid for writes, and both other arguments are static.
            mutex <- Opaque::ffi_init(|slot| unsafe {
                bindings::__mutex_init(slot, name.as_char_ptr(), key.as_ptr())
            }),
            // SAFETY: `slot` is valid for writes.
            head <- Opaque::ffi_init(|slot| unsafe { bindings::INIT_LIST_HEAD(slot) }),
            state: UnsafeCell::new(state),
            _entries: PhantomData,
            _pin: PhantomPinned,
        })
    }

    /// Takes the mutex.
    pub(crate) fn lock(&self) -> Guard<'_, S, E> {
        // SAFETY: The mutex has been initialised with the list.
        unsafe { bindings::mutex_lock(self.mutex.get()) };
        Guard {
            list: self,
            _not_send: NotThreadSafe,
        }
    }

    /// Takes the mutex; fails with `EINTR` for a signal that comes while another task has it.
    pub(crate) fn lock_interruptible(&self) -> Result<Guard<'_, S, E>> {
        // SAFETY: As for `lock()`.
        to_result(unsafe { bindings::mutex_lock_interruptible(self.mutex.get()) })?;
        Ok(Guard {
            list: self,
            _not_send: NotThreadSafe,
        })
    }

    /// The state, for its only owner.
    pub(crate) fn state_mut(self: Pin<&mut Self>) -> &mut S {
        self.project().state.get_mut()
    }
}

/// The end of a list that a task joins it at.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// It is the first to be found.
    Front,
    /// It is the last.
    Back,
}

/// The mutex of a [`WaitList`] is held, which gives access to its state and entries.
///
/// # Invariants
///
/// The mutex is held by this task.
pub(crate) struct Guard<'a, S, E> {
    list: &'a WaitList<S, E>,
    _not_send: NotThreadSafe,
}

impl<S, E> Guard<'_, S, E> {
    /// The nodes of the list, from the front. Each is found from the one before when it is asked
    /// for, and that one may not have left the list then.
    fn nodes(&self) -> impl Iterator<Item = &Node<E>> {
        let head = self.list.head.get();
        // SAFETY: By the type invariants the mutex is held and the list is one of valid nodes.
        let mut next = unsafe { (*head).next };

        iter::from_fn(move || {
            if ptr::eq(next, head) {
                return None;
            }
            // SAFETY: As before. `join()` has put a pointer on the list that was made of one to the
            // whole node.
            let node =
                unsafe { &*container_of!(Opaque::cast_from(next).cast_mut(), Node<E>, links) };
            // SAFETY: As before.
            next = unsafe { (*node.links.get()).next };
            Some(node)
        })
    }

    /// The values of those who wait, from the front.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &E> {
        // SAFETY: By the type invariants the mutex is held. What could change a value borrows
        // the guard mutably.
        self.nodes().map(|node| unsafe { &*node.value.get() })
    }

    /// The first of those who wait whose value is one of `wanted`.
    pub(crate) fn find(&mut self, mut wanted: impl FnMut(&E) -> bool) -> Option<Waiter<'_, E>> {
        self.nodes()
            // SAFETY: As for `iter()`.
            .find(|node| wanted(unsafe { &*node.value.get() }))
            .map(|node| Waiter { node })
    }

    /// Calls `f` with each of those who wait, from the front; it may have that one leave.
    pub(crate) fn for_each(&mut self, mut f: impl FnMut(Waiter<'_, E>)) {
        // `nodes()` has found the next one by the time that `f` is called.
        self.nodes().for_each(|node| f(Waiter { node }));
    }

    /// Joins the list with `value` for as long as `f` runs. The mutex is held when it begins and
    /// when it ends, and given up where it waits.
    pub(crate) fn join<R>(
        &mut self,
        end: End,
        value: E,
        f: impl FnOnce(&mut Waiting<'_, '_, S, E>) -> R,
    ) -> R {
        let node = Node {
            links: Opaque::uninit(),
            ready: Opaque::uninit(),
            value: UnsafeCell::new(value),
        };
        // Of the whole node, as it is found by it.
        let whole = ptr::from_ref(&node).cast_mut();
        // SAFETY: The node is there.
        let links = Opaque::cast_into(unsafe { &raw const (*whole).links });
        let head = self.list.head.get();

        // SAFETY: Both are valid for writes. By the type invariants the mutex is held.
        // INVARIANT: The node is not moved, and leaves the list below before it goes away; nothing
        // unwinds in the kernel.
        unsafe {
            bindings::init_completion(node.ready.get());
            match end {
                End::Front => bindings::list_add(links, head),
                End::Back => bindings::list_add_tail(links, head),
            }
        }

        let result = f(&mut Waiting {
            guard: self,
            node: &node,
        });

        // SAFETY: The node is on the list, or was taken off it, which leaves its links those of an
        // empty list. By the type invariants the mutex is held.
        unsafe { bindings::list_del_init(links) };
        result
    }
}

impl<S, E> Deref for Guard<'_, S, E> {
    type Target = S;

    fn deref(&self) -> &S {
        // SAFETY: By the type invariants the mutex is held.
        unsafe { &*self.list.state.get() }
    }
}

impl<S, E> DerefMut for Guard<'_, S, E> {
    fn deref_mut(&mut self) -> &mut S {
        // SAFETY: By the type invariants the mutex is held.
        unsafe { &mut *self.list.state.get() }
    }
}

impl<S, E> Drop for Guard<'_, S, E> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the mutex is held by this task.
        unsafe { bindings::mutex_unlock(self.list.mutex.get()) };
    }
}

/// A task that waits, as another sees it that holds the mutex.
pub(crate) struct Waiter<'g, E> {
    node: &'g Node<E>,
}

impl<E> Waiter<'_, E> {
    /// Has the task look at its value once more, now or when it next waits.
    pub(crate) fn complete(&self) {
        // SAFETY: The completion has been initialised before the node was put on the list.
        unsafe { bindings::complete(self.node.ready.get()) };
    }

    /// The same, for a task that is about to sleep: who is woken runs on this CPU.
    pub(crate) fn complete_on_current_cpu(&self) {
        // SAFETY: As for `complete()`.
        unsafe { bindings::complete_on_current_cpu(self.node.ready.get()) };
    }

    /// Takes the task off the list, and has it look at its value.
    pub(crate) fn leave(self) {
        // SAFETY: The mutex is held while `self` exists, which borrows the guard, and the node is on
        // the list, or has its links for an empty one.
        unsafe { bindings::list_del_init(self.node.links.get()) };
        self.complete();
    }
}

impl<E> Deref for Waiter<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        // SAFETY: The mutex is held while `self` exists, which borrows the guard mutably.
        unsafe { &*self.node.value.get() }
    }
}

impl<E> DerefMut for Waiter<'_, E> {
    fn deref_mut(&mut self) -> &mut E {
        // SAFETY: As for `deref()`.
        unsafe { &mut *self.node.value.get() }
    }
}

/// This task is on the list, and holds the mutex.
pub(crate) struct Waiting<'w, 'a, S, E> {
    guard: &'w mut Guard<'a, S, E>,
    node: &'w Node<E>,
}

impl<S, E> Waiting<'_, '_, S, E> {
    /// The value that this task has on the list.
    pub(crate) fn value(&mut self) -> &mut E {
        // SAFETY: The guard shows that the mutex is held, and is borrowed mutably.
        unsafe { &mut *self.node.value.get() }
    }

    // The guard itself is given to nobody: with another in its place the mutex would be given up
    // while this task is on the list.

    /// As [`Guard::find`].
    pub(crate) fn find(&mut self, wanted: impl FnMut(&E) -> bool) -> Option<Waiter<'_, E>> {
        self.guard.find(wanted)
    }

    /// As [`Guard::for_each`].
    pub(crate) fn for_each(&mut self, f: impl FnMut(Waiter<'_, E>)) {
        self.guard.for_each(f);
    }

    /// Whether nobody has taken this task off the list.
    pub(crate) fn is_on_list(&self) -> bool {
        let links = self.node.links.get();
        // SAFETY: The links are valid, and the mutex is held.
        !ptr::eq(unsafe { (*links).next }, links)
    }

    /// Waits, without the mutex, until another task calls [`Waiter::complete`], or has done so;
    /// fails with `ERESTARTSYS` for a signal that comes before.
    pub(crate) fn wait_interruptible(&mut self) -> Result {
        // SAFETY: The completion has been initialised before the node was put on the list.
        self.unlocked(|ready| unsafe { bindings::wait_for_completion_interruptible(ready) })
    }

    /// The same, for a signal that ends the task.
    pub(crate) fn wait_killable(&mut self) -> Result {
        // SAFETY: As for `wait_interruptible()`.
        self.unlocked(|ready| unsafe { bindings::wait_for_completion_killable(ready) })
    }

    /// Calls `wait` without the mutex.
    fn unlocked(
        &mut self,
        wait: impl FnOnce(*mut bindings::completion) -> kernel::ffi::c_int,
    ) -> Result {
        let mutex = self.guard.list.mutex.get();
        // SAFETY: By the type invariants of the guard the mutex is held; it is again below, before
        // the guard can be used.
        unsafe { bindings::mutex_unlock(mutex) };
        let result = wait(self.node.ready.get());
        // SAFETY: As before.
        unsafe { bindings::mutex_lock(mutex) };
        to_result(result)
    }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_wait_list)]
mod tests {
    use super::*;
    use kernel::{
        c_str,
        static_lock_class, //
    };

    fn list(state: u32) -> Result<Pin<KBox<WaitList<u32, u32>>>> {
        KBox::pin_init(
            WaitList::new(
                state,
                c_str!("seccomp_wait_list_test"),
                static_lock_class!(),
            ),
            GFP_KERNEL,
        )
    }

    /// The values of those who wait as digits, from the front.
    fn values(guard: &Guard<'_, u32, u32>) -> u32 {
        let next = |digits: u32, value: &u32| digits.wrapping_mul(10).wrapping_add(*value);
        guard.iter().fold(0, next)
    }

    #[test]
    fn the_mutex_guards_a_state() -> Result {
        let mut list = list(1)?;
        *list.lock() = 2;
        assert_eq!(*list.lock(), 2);
        *list.lock_interruptible()? = 3;
        assert_eq!(*list.as_mut().state_mut(), 3);
        Ok(())
    }

    #[test]
    fn who_joins_is_on_the_list_for_as_long() -> Result {
        let list = list(0)?;
        let mut guard = list.lock();
        let inside = guard.join(End::Back, 1, |one| {
            one.guard.join(End::Back, 2, |two| {
                two.guard.join(End::Front, 3, |three| values(three.guard))
            })
        });
        assert_eq!(inside, 312);
        assert_eq!(values(&guard), 0);
        Ok(())
    }

    #[test]
    fn an_answer_that_came_first_is_not_waited_for() -> Result {
        let list = list(0)?;
        let answer = list.lock().join(End::Back, 1, |waiting| {
            let mut asker = waiting.find(|&value| value == 1).ok_or(ENOENT)?;
            *asker = 7;
            asker.complete();
            waiting.wait_interruptible()?;
            assert!(waiting.is_on_list());
            Ok::<u32, Error>(*waiting.value())
        });
        assert_eq!(answer?, 7);
        Ok(())
    }

    #[test]
    fn who_is_taken_off_is_told() -> Result {
        let list = list(0)?;
        let told = list.lock().join(End::Back, 1, |one| {
            one.guard.join(End::Back, 2, |two| {
                two.for_each(|waiter| {
                    if *waiter == 1 {
                        waiter.leave();
                    }
                });
                assert!(two.is_on_list() && values(two.guard) == 2);
            });
            assert!(!one.is_on_list());
            one.wait_killable()
        });
        told
    }
}
