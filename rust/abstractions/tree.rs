// SPDX-License-Identifier: GPL-2.0

//! Trees whose leaves are in the hands of tasks.
//!
//! A node knows the one that it was put on, and keeps that alive; nodes that are put on the same
//! one make branches. A task has one node, its [`Leaf`], and by that all below it. Two counts are
//! kept of each node: the references, which keep the memory, and the users, which are the tasks
//! whose leaf it is and the nodes put on it that have users themselves. Whoever looks at a node from
//! elsewhere (a file, procfs) has a reference and is no user.
//!
//! # Examples
//!
//! A task that attaches a value, with its siglock held, and all that it has from then on:
//!
//! ```ignore
//! let memory = UniqueNode::new_uninit(GFP_KERNEL)?;
//! let node = UniqueNode::init(memory, value)?;
//! let siglock = Siglock::lock();
//! siglock.push_filter(node);
//! let newest = siglock.current().filter::<Value>();
//! for node in newest.into_iter().flat_map(|node| node.path()) {
//!     node.look_at();
//! }
//! ```

use core::{
    iter,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
    ops::Deref,
    pin::Pin,
    ptr::{
        self,
        NonNull, //
    }, //
};

use kernel::{
    alloc::{
        AllocError,
        Flags, //
    },
    bindings,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            Atomic,
            Relaxed,
            Release, //
        },
        Refcount, //
    }, //
};

/// A node of a tree.
///
/// # Invariants
///
/// - `refs` is the number of the references, of which a [`UniqueNode`] is one.
/// - `users` is the number of the leaves that are this node and of the nodes with users that were
///   put on it. Where it is 0, no leaf can be this node any more.
/// - The node is in a [`KBox`], which who drops the last reference frees.
#[pin_data]
pub(crate) struct Node<T> {
    refs: Refcount,
    users: Refcount,
    /// Does not change but in a [`UniqueNode`], or when the node is freed.
    prev: Option<ARef<Node<T>>>,
    #[pin]
    value: T,
}

// SAFETY: The node is freed when `refs` becomes 0, which counts the references by the type
// invariants.
unsafe impl<T> AlwaysRefCounted for Node<T> {
    fn inc_ref(&self) {
        // INVARIANT: The caller has the new reference.
        self.refs.inc();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        let mut node = Some(obj);

        // One node after the other: a path can be longer than the stack is deep.
        while let Some(obj) = node {
            // SAFETY: The reference that is given up here has kept the node valid: the caller's,
            // or that of the node which was freed before.
            if !unsafe { obj.as_ref() }.refs.dec_and_test() {
                return;
            }
            let unreferenced = obj.as_ptr();
            // SAFETY: That was the last reference, so that the node is nobody else's. What is moved
            // out of it, `prev`, is not pinned.
            node = unsafe { (*unreferenced).prev.take() }.map(ARef::into_raw);
            // SAFETY: As before, and it is not used again.
            unsafe { ptr::drop_in_place(unreferenced) };
            // SAFETY: By the type invariants the node was in a `KBox`, whose memory is of kmalloc().
            // Dropping the box would free it by krealloc(), which takes 36 instructions more.
            unsafe { bindings::kfree(unreferenced.cast()) };
        }
    }
}

/// A node that nobody else has, and that is on no other yet.
///
/// # Invariants
///
/// There is no other reference to the node, and its `prev` is `None`.
pub(crate) struct UniqueNode<T>(Pin<KBox<Node<T>>>);

impl<T> UniqueNode<T> {
    /// Memory for a node.
    pub(crate) fn new_uninit(flags: Flags) -> Result<KBox<MaybeUninit<Node<T>>>, AllocError> {
        KBox::new_uninit(flags)
    }

    /// A node in `memory`, for a leaf to be made of it.
    pub(crate) fn init<E>(
        memory: KBox<MaybeUninit<Node<T>>>,
        value: impl PinInit<T, E>,
    ) -> Result<Self, E> {
        // INVARIANT: The reference is the value that is returned. The leaf is counted here, as the
        // node cannot be used but for one.
        let node = memory.write_pin_init(pin_init!(Node {
            refs: Refcount::new(1),
            users: Refcount::new(1),
            prev: None,
            value <- value,
        }? E))?;

        // INVARIANT: The node is new. References to it are made by `Node`'s methods and those of
        // its references alone, which the value does not hand out.
        Ok(Self(node))
    }

    /// The value.
    pub(crate) fn value_mut(&mut self) -> Pin<&mut T> {
        self.0.as_mut().project().value
    }

    /// Puts the node on `prev` and makes a reference of it.
    fn put_on(mut self, prev: Option<ARef<Node<T>>>) -> ARef<Node<T>> {
        *self.0.as_mut().project().prev = prev;

        // SAFETY: The node stays where it is until it is freed.
        let node = KBox::into_raw(unsafe { Pin::into_inner_unchecked(self.0) });
        // SAFETY: The pointer comes from a box. By the type invariants of `Node` one reference is
        // counted, that of `self`, which is gone.
        unsafe { ARef::from_raw(NonNull::new_unchecked(node)) }
    }
}

impl<T> Deref for UniqueNode<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Node<T> {
    /// The node that this one was put on.
    #[inline(always)]
    pub(crate) fn prev(&self) -> Option<&Self> {
        self.prev.as_deref()
    }

    /// This node and all below it, the newest first.
    pub(crate) fn path(&self) -> impl Iterator<Item = &Self> {
        iter::successors(Some(self), |node| node.prev())
    }

    /// Whether a task has this node, or one above it.
    pub(crate) fn has_users(&self) -> bool {
        self.users.as_atomic().load(Relaxed) != 0
    }

    /// Whether `self` is below `leaf`, or is that node.
    pub(crate) fn is_ancestor_of(&self, leaf: Option<&Self>) -> bool {
        leaf.is_some_and(|leaf| leaf.path().any(|node| ptr::eq(node, self)))
    }
}

impl<T> Deref for Node<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.value
    }
}

/// What is told when no task has a node any more, and none can get it.
pub(crate) trait Unused {
    /// Called once, with a reference to the node held.
    fn unused(&self);
}

/// The node of one task: a reference and a user.
pub(crate) struct Leaf<T: Unused>(ARef<Node<T>>);

impl<T: Unused> Clone for Leaf<T> {
    fn clone(&self) -> Self {
        let node = self.0.clone();
        // INVARIANT: The new leaf is counted. There is one already, so it was not 0.
        node.users.inc();
        Self(node)
    }
}

impl<T: Unused> Drop for Leaf<T> {
    fn drop(&mut self) {
        // INVARIANT: This leaf is no longer counted, and a node without users is none of the one
        // that it was put on.
        let mut node = Some(&*self.0);
        while let Some(unused) = node.filter(|node| node.users.dec_and_test()) {
            unused.unused();
            node = unused.prev();
        }
    }
}

/// The place in a C structure that belongs to one task and has its [`Leaf`], or null.
///
/// # Invariants
///
/// - The pointer is null or owns a [`Leaf`].
/// - It is changed with the lock held that the users of the methods name, from null to a leaf, or
///   from a leaf to one that is that node or above it, until the task has exited. So a node that was
///   in the slot stays valid until then.
#[repr(transparent)]
pub(crate) struct Slot<T: Unused>(Atomic<*mut Node<T>>);

impl<T: Unused> Slot<T> {
    /// Whether the slot has a leaf at this moment.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Relaxed).is_null()
    }

    /// The node.
    ///
    /// # Safety
    ///
    /// The slot must not be emptied by [`Self::take`] during `'a`.
    #[inline(always)]
    pub(super) unsafe fn get<'a>(&self) -> Option<&'a Node<T>> {
        // SAFETY: By the safety requirements.
        unsafe { Self::from_loaded(self.0.load(Relaxed)) }
    }

    /// The node that `loaded` points to.
    ///
    /// # Safety
    ///
    /// `loaded` must come from a load of a slot of nodes of this type, marked as `READ_ONCE()` is,
    /// and the slot must not be emptied by [`Self::take`] from then on until `'a` is over.
    #[inline(always)]
    pub(super) unsafe fn from_loaded<'a>(loaded: *mut Node<T>) -> Option<&'a Node<T>> {
        // SAFETY: By the type invariants and the safety requirements a node that was in the slot
        // stays valid for `'a`. The store that put it there came after its initialisation, which
        // the dependency of the access on the load orders.
        unsafe { loaded.as_ref() }
    }

    /// A borrow of the slot's leaf, which is not to be dropped.
    ///
    /// # Safety
    ///
    /// As for [`Self::get`], and the slot must not change while the value is used.
    unsafe fn leaf(&self) -> Option<ManuallyDrop<Leaf<T>>> {
        let node = NonNull::new(self.0.load(Relaxed))?;

        // SAFETY: By the type invariants the slot owns a leaf of the node, of which this copy is
        // not dropped.
        Some(ManuallyDrop::new(Leaf(unsafe { ARef::from_raw(node) })))
    }

    /// Another leaf of the node.
    ///
    /// # Safety
    ///
    /// As for [`Self::get`], and the slot must not change during the call.
    pub(super) unsafe fn clone_leaf(&self) -> Option<Leaf<T>> {
        // SAFETY: By the safety requirements.
        unsafe { self.leaf() }.map(|leaf| Leaf::clone(&leaf))
    }

    /// Another reference to the node, which is no user.
    ///
    /// # Safety
    ///
    /// As for [`Self::clone_leaf`].
    pub(super) unsafe fn clone_node(&self) -> Option<ARef<Node<T>>> {
        // SAFETY: By the safety requirements.
        unsafe { self.get() }.map(ARef::from)
    }

    /// Puts `node` on the slot's node, if there is one, and into the slot.
    ///
    /// # Safety
    ///
    /// The caller must hold the lock, and the slot must be that of a task which has not exited.
    pub(super) unsafe fn push(&self, node: UniqueNode<T>) {
        // SAFETY: By the type invariants the slot owns a reference to its node. It is handed on, as
        // the slot gets another below.
        let old = NonNull::new(self.0.load(Relaxed)).map(|old| unsafe { ARef::from_raw(old) });

        // INVARIANT: `UniqueNode::init()` has counted the leaf that the slot owns now. The user
        // that the slot's leaf was is now the node, which is above the old one.
        let node = ARef::into_raw(node.put_on(old));
        // Who reads the slot without the lock is this very task.
        self.0.store(node.as_ptr(), Relaxed);
    }

    /// Puts `leaf` into the slot, if that keeps what is there below it; else gives it back.
    ///
    /// # Safety
    ///
    /// As for [`Self::push`].
    pub(super) unsafe fn replace(&self, leaf: Leaf<T>) -> Result<(), Leaf<T>> {
        // SAFETY: By the safety requirements the slot changes below alone.
        let old = unsafe { self.leaf() };
        if old
            .as_ref()
            .is_some_and(|old| !old.0.is_ancestor_of(Some(&*leaf.0)))
        {
            return Err(leaf);
        }
        let leaf = ManuallyDrop::new(leaf);
        // What this pairs with is the dependency in `get()`.
        // INVARIANT: The slot owns `leaf`. The node is the old one or above it.
        self.0.store(ptr::from_ref(&*leaf.0).cast_mut(), Release);
        // The slot owned the old leaf, and does so no longer.
        drop(old.map(ManuallyDrop::into_inner));
        Ok(())
    }

    /// Takes the leaf out.
    ///
    /// # Safety
    ///
    /// The caller must hold the lock, and nobody may use a reference to a node of the slot
    /// any more that this leaf keeps valid.
    pub(super) unsafe fn take(&self) -> Option<Leaf<T>> {
        // SAFETY: By the safety requirements the slot changes below alone.
        let leaf = unsafe { self.leaf() };
        self.0.store(ptr::null_mut(), Relaxed);
        // The slot owned the leaf, and does so no longer.
        leaf.map(ManuallyDrop::into_inner)
    }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_tree)]
mod tests {
    use super::*;
    use kernel::sync::Arc;

    /// The number with one digit more.
    fn next(digits: i64, digit: i64) -> i64 {
        digits.wrapping_mul(10).wrapping_add(digit)
    }

    /// What became of the values, which write it down here: a digit each, the first to the left.
    struct Events(Atomic<i64>);

    impl Events {
        fn new() -> Result<Arc<Self>> {
            Ok(Arc::new(Self(Atomic::new(0)), GFP_KERNEL)?)
        }

        fn add(&self, digit: i64) {
            self.0.store(next(self.0.load(Relaxed), digit), Relaxed);
        }

        /// What has happened since this was asked.
        fn take(&self) -> i64 {
            let events = self.0.load(Relaxed);
            self.0.store(0, Relaxed);
            events
        }
    }

    /// Tells that it is unused by its digit, and that it is dropped by one that is 4 higher.
    struct Value(i64, Arc<Events>);

    impl Unused for Value {
        fn unused(&self) {
            self.1.add(self.0);
        }
    }

    impl Drop for Value {
        fn drop(&mut self) {
            self.1.add(self.0.wrapping_add(4));
        }
    }

    /// The slot of a task that is nobody else's, so that no lock is needed.
    struct Task(Slot<Value>);

    impl Task {
        fn new() -> Self {
            // INVARIANT: The slot is empty.
            Self(Slot(Atomic::new(ptr::null_mut())))
        }

        fn push(&self, digit: i64, events: &Arc<Events>) -> Result {
            let memory = UniqueNode::new_uninit(GFP_KERNEL)?;
            let node = UniqueNode::init(memory, Value(digit, events.clone()))?;
            // SAFETY: Nobody else has the slot, and no task has exited.
            unsafe { self.0.push(node) };
            Ok(())
        }

        fn newest(&self) -> Option<&Node<Value>> {
            // SAFETY: `exit()` cannot be called meanwhile.
            unsafe { self.0.get() }
        }

        fn leaf(&self) -> Option<Leaf<Value>> {
            // SAFETY: Nobody else has the slot.
            unsafe { self.0.clone_leaf() }
        }

        fn reference(&self) -> Option<ARef<Node<Value>>> {
            // SAFETY: Nobody else has the slot.
            unsafe { self.0.clone_node() }
        }

        /// Whether the leaf is taken.
        fn replace(&self, leaf: Leaf<Value>) -> bool {
            // SAFETY: Nobody else has the slot, and no task has exited.
            unsafe { self.0.replace(leaf) }.is_ok()
        }

        fn exit(&mut self) {
            // SAFETY: Nobody else has the slot, nor, as `self` is borrowed mutably, a reference
            // that came from it.
            drop(unsafe { self.0.take() });
        }
    }

    impl Drop for Task {
        fn drop(&mut self) {
            self.exit();
        }
    }

    /// The digits of a task's path, from the newest.
    fn path(task: &Task) -> i64 {
        let nodes = task.newest().into_iter().flat_map(Node::path);
        nodes.fold(0, |digits, node| next(digits, node.0))
    }

    #[test]
    fn the_last_task_takes_all_with_it() -> Result {
        let events = Events::new()?;
        let mut task = Task::new();
        assert!(task.0.is_empty() && path(&task) == 0);
        task.push(1, &events)?;
        task.push(2, &events)?;
        task.push(3, &events)?;
        assert_eq!(path(&task), 321);
        assert_eq!(events.take(), 0);
        task.exit();
        // All are told before the first is freed, each time the newest first.
        assert_eq!(events.take(), 321_765);
        assert!(task.0.is_empty());
        Ok(())
    }

    #[test]
    fn branches_end_one_by_one() -> Result {
        let events = Events::new()?;
        let (mut one, mut other) = (Task::new(), Task::new());
        one.push(1, &events)?;
        assert!(other.replace(one.leaf().ok_or(EINVAL)?));
        one.push(2, &events)?;
        other.push(3, &events)?;
        assert_eq!((path(&one), path(&other)), (21, 31));
        one.exit();
        assert_eq!(events.take(), 26);
        assert!(other
            .newest()
            .and_then(Node::prev)
            .is_some_and(Node::has_users));
        other.exit();
        assert_eq!(events.take(), 3175);
        Ok(())
    }

    #[test]
    fn a_reference_keeps_the_memory_and_is_no_user() -> Result {
        let events = Events::new()?;
        let mut task = Task::new();
        task.push(1, &events)?;
        task.push(2, &events)?;
        let node = task.reference().ok_or(EINVAL)?;
        assert!(node.has_users());
        task.exit();
        assert_eq!(events.take(), 21);
        assert!(!node.has_users() && node.prev().is_some_and(|prev| prev.0 == 1));
        drop(node);
        assert_eq!(events.take(), 65);
        Ok(())
    }

    #[test]
    fn a_leaf_is_a_user() -> Result {
        let events = Events::new()?;
        let mut task = Task::new();
        task.push(1, &events)?;
        let child = task.leaf();
        task.exit();
        assert_eq!(events.take(), 0);
        drop(child);
        assert_eq!(events.take(), 15);
        Ok(())
    }

    #[test]
    fn a_leaf_replaces_what_is_below_it_alone() -> Result {
        let events = Events::new()?;
        let (one, other) = (Task::new(), Task::new());
        one.push(1, &events)?;
        assert!(other.replace(one.leaf().ok_or(EINVAL)?));
        // The same, and one above it.
        assert!(other.replace(one.leaf().ok_or(EINVAL)?));
        one.push(2, &events)?;
        assert!(other.replace(one.leaf().ok_or(EINVAL)?));
        assert_eq!(path(&other), 21);
        // One beside it.
        one.push(3, &events)?;
        other.push(4, &events)?;
        let leaf = one.leaf().ok_or(EINVAL)?;
        assert!(!other.replace(leaf));
        assert_eq!((path(&one), path(&other)), (321, 421));
        // One below it.
        let below = Task::new();
        assert!(below.replace(one.leaf().ok_or(EINVAL)?));
        one.push(4, &events)?;
        let leaf = below.leaf().ok_or(EINVAL)?;
        assert!(!one.replace(leaf));
        assert_eq!(events.take(), 0);
        Ok(())
    }
}
