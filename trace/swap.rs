// SPDX-License-Identifier: GPL-2.0

//! A value that is read all the time and now and then replaced as a whole.
//!
//! A leaf with `unsafe`: the kernel crate has RCU's read side, but no pointer that it protects.

#![allow(unsafe_code)]

use core::{
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// A boxed value that readers see without a lock, one whole state at a time.
///
/// # Invariants
///
/// The pointer came from a `KBox<T>`. Whoever replaces it frees the one before after a grace
/// period, so that what a reader found is there until its read section ends.
pub(crate) struct Swap<T> {
    now: AtomicPtr<T>,
}

// SAFETY: It owns a `T` and shares it among threads.
unsafe impl<T: Send + Sync> Send for Swap<T> {}
// SAFETY: As above; values may also be dropped by another thread than the one that made them.
unsafe impl<T: Send + Sync> Sync for Swap<T> {}

impl<T> Swap<T> {
    /// Begins with `value`.
    pub(crate) fn new(value: KBox<T>) -> Self {
        // INVARIANT: It came from a box.
        Self {
            now: AtomicPtr::new(KBox::into_raw(value)),
        }
    }

    /// The value as it is now. What is done before the result is dropped must not sleep.
    #[inline]
    pub(crate) fn read(&self) -> Reading<'_, T> {
        let guard = rcu::read_lock();
        // Acquire: the value was written before it was put there. Pairs with `replace`.
        let now = self.now.load(Ordering::Acquire);

        Reading {
            // INVARIANT: By the invariant of `Swap` it stays until `guard` is dropped.
            // SAFETY: A box is never null.
            value: unsafe { NonNull::new_unchecked(now) },
            _guard: guard,
            _swap: self,
        }
    }

    /// Puts `value` in its place. Sleeps until nobody reads the one before, and drops that.
    pub(crate) fn replace(&self, value: KBox<T>) {
        // INVARIANT: The new one came from a box.
        let before = self.now.swap(KBox::into_raw(value), Ordering::AcqRel);
        rcu::synchronize_rcu();
        // SAFETY: By the invariant it came from a box; only this call has taken it out, and no
        // read section that could have found it is left.
        drop(unsafe { KBox::from_raw(before) });
    }
}

impl<T> Drop for Swap<T> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it came from a box, and readers borrow `self`.
        drop(unsafe { KBox::from_raw(*self.now.get_mut()) });
    }
}

/// A look at a [`Swap`].
///
/// # Invariants
///
/// `value` is valid for as long as the guard lives.
pub(crate) struct Reading<'a, T> {
    value: NonNull<T>,
    _guard: rcu::Guard,
    _swap: &'a Swap<T>,
}

impl<T> Deref for Reading<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the invariant.
        unsafe { self.value.as_ref() }
    }
}
