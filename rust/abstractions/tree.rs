// SPDX-License-Identifier: GPL-2.0

//! Trees whose leaves are in the hands of tasks.
//!
//! A node knows the one that it was put on, and keeps that alive; nodes that are put on the same
//! one make branches. A task has one node, its [`Leaf`], and by that all below it. Two counts are
//! kept of each node: the references, which keep the memory, and the users, which are the tasks
//! that have it or a node above it. Whoever looks at a node from elsewhere (a file, procfs) has a
//! reference and is no user.

use core::{
    iter,
    mem::ManuallyDrop,
    ops::Deref,
    pin::Pin,
    ptr, //
};

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        Refcount,
        UniqueArc, //
    }, //
};

/// A node of a tree.
///
/// # Invariants
///
/// `users` is the number of the leaves that are this node, and one more if a node with users was
/// put on it. Where it is 0, no leaf can be this node any more.
#[pin_data(PinnedDrop)]
pub(crate) struct Node<T> {
    users: Refcount,
    /// Does not change while there is more than one reference to the node.
    prev: Option<Arc<Node<T>>>,
    #[pin]
    value: T,
}

impl<T> Node<T> {
    /// A node that is on no other yet, for a leaf to be made of it.
    pub(crate) fn new(value: impl PinInit<T>) -> impl PinInit<Self> {
        // INVARIANT: The leaf is counted here, as the node cannot be used but for one.
        pin_init!(Self {
            users: Refcount::new(1),
            prev: None,
            value <- value,
        })
    }

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

    /// The value, for the only owner.
    pub(crate) fn value_mut(self: Pin<&mut Self>) -> Pin<&mut T> {
        self.project().value
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

#[pinned_drop]
impl<T> PinnedDrop for Node<T> {
    fn drop(self: Pin<&mut Self>) {
        // One node after the other: a path can be longer than the stack is deep.
        let mut prev = self.project().prev.take();
        while let Some(node) = prev {
            prev = Arc::into_unique_or_drop(node)
                .and_then(|mut node| node.as_mut().project().prev.take());
        }
    }
}

/// What is told when no task has a node any more, and none can get it.
pub(crate) trait Unused {
    /// Called once, with a reference to the node held.
    fn unused(&self);
}

/// The node of one task: a reference and a user.
pub(crate) struct Leaf<T: Unused>(Arc<Node<T>>);

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
        // SAFETY: By the type invariants and the safety requirements a node that was in the slot
        // stays valid for `'a`. The store that put it there came after its initialisation, which
        // the dependency of the access on the load orders.
        unsafe { self.0.load(Relaxed).as_ref() }
    }

    /// Another leaf of the node.
    ///
    /// # Safety
    ///
    /// As for [`Self::get`], and the slot must not change during the call.
    pub(super) unsafe fn clone_leaf(&self) -> Option<Leaf<T>> {
        let node = self.0.load(Relaxed);
        if node.is_null() {
            return None;
        }
        // SAFETY: By the type invariants the slot owns a leaf of the node, made of an `Arc`, of
        // which this copy is not dropped.
        let leaf = ManuallyDrop::new(Leaf(unsafe { Arc::from_raw(node) }));
        Some(Leaf::clone(&leaf))
    }

    /// Another reference to the node, which is no user.
    ///
    /// # Safety
    ///
    /// As for [`Self::clone_leaf`].
    pub(super) unsafe fn clone_node(&self) -> Option<Arc<Node<T>>> {
        let node = self.0.load(Relaxed);
        if node.is_null() {
            return None;
        }
        // SAFETY: As in `clone_leaf()`.
        let node = ManuallyDrop::new(unsafe { Arc::from_raw(node) });
        Some(Arc::clone(&node))
    }

    /// Puts `node` on the slot's node, if there is one, and into the slot.
    ///
    /// # Safety
    ///
    /// The caller must hold the lock, and the slot must be that of a task which has not exited.
    pub(super) unsafe fn push(&self, mut node: Pin<UniqueArc<Node<T>>>) {
        let old = self.0.load(Relaxed);
        if !old.is_null() {
            // SAFETY: By the type invariants the slot owns an `Arc` of the node. It is handed on,
            // as the slot gets another below.
            // INVARIANT: The user that the slot's leaf was is now the node above it.
            *node.as_mut().project().prev = Some(unsafe { Arc::from_raw(old) });
        }
        // INVARIANT: `Node::new()` has counted the leaf that the slot owns now. The node is above
        // the old one.
        let node = Arc::into_raw(Arc::from(node));
        // Who reads the slot without the lock is this very task.
        self.0.store(node.cast_mut(), Relaxed);
    }

    /// Puts `leaf` into the slot, if that keeps what is there below it; else gives it back.
    ///
    /// # Safety
    ///
    /// As for [`Self::push`].
    pub(super) unsafe fn replace(&self, leaf: Leaf<T>) -> Result<(), Leaf<T>> {
        let old = self.0.load(Relaxed);
        // SAFETY: By the type invariants the slot owns a leaf of the node.
        if unsafe { old.as_ref() }.is_some_and(|old| !old.is_ancestor_of(Some(&leaf.0))) {
            return Err(leaf);
        }
        let leaf = ManuallyDrop::new(leaf);
        // What this pairs with is the dependency in `get()`.
        // INVARIANT: The slot owns `leaf`. The node is the old one or above it.
        self.0.store(Arc::as_ptr(&leaf.0).cast_mut(), Release);
        if !old.is_null() {
            // SAFETY: The slot owned a leaf of the node, and does so no longer.
            drop(Leaf(unsafe { Arc::from_raw(old) }));
        }
        Ok(())
    }

    /// Takes the leaf out.
    ///
    /// # Safety
    ///
    /// The caller must hold the lock, and nobody may use a reference to a node of the slot
    /// any more that this leaf keeps valid.
    pub(super) unsafe fn take(&self) -> Option<Leaf<T>> {
        let node = self.0.load(Relaxed);
        self.0.store(ptr::null_mut(), Relaxed);
        if node.is_null() {
            return None;
        }
        // SAFETY: By the type invariants the slot owned a leaf of the node, and does so no longer.
        Some(Leaf(unsafe { Arc::from_raw(node) }))
    }
}
