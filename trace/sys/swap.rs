// SPDX-License-Identifier: GPL-2.0

//! A value that is read often, and replaced as a whole now and then.
//!
//! A leaf with `unsafe`: the kernel crate has no pointer that SRCU protects, nor SRCU's fast readers.
//!
//! A search of a large request takes seconds. Under plain RCU, the whole machine would wait for it. Each value here has
//! an SRCU of its own, so only a task that replaces this value waits. Its readers are the fast ones: they only
//! count, without a memory barrier.

#![allow(unsafe_code)]

use super::bindings;
use core::{
    ffi::c_void,
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    bindings::srcu_struct,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    },
};

/// The readers of one value.
///
/// # Invariants
///
/// The `srcu_struct` is initialised for fast readers, and does not move until it is dropped.
#[pin_data(PinnedDrop)]
struct Readers {
    #[pin]
    srcu: Opaque<srcu_struct>,
}

// SAFETY: Any task may use an SRCU, and clean it up.
unsafe impl Send for Readers {}
// SAFETY: Everything that is possible through a shared reference may be done concurrently.
unsafe impl Sync for Readers {}

impl Readers {
    /// No readers yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // INVARIANT: The value is pinned, and `init` initialises it or fails.
            srcu <- Opaque::try_ffi_init(|srcu| {
                // SAFETY: The memory has the size of an `srcu_struct`, and is pinned.
                to_result(unsafe { bindings::imgrement_srcu_init(srcu) })
            }),
        })
    }

    /// A new reader. In any context except an NMI's.
    #[inline]
    fn enter(&self) -> Reader<'_> {
        Reader {
            // INVARIANT: It is the counter of this reader.
            // SAFETY: By the invariant.
            counter: unsafe { bindings::imgrement_srcu_read_lock(self.srcu.get()) },
            readers: self,
            _not_send: NotThreadSafe,
        }
    }

    /// Sleeps until all current readers are gone.
    fn wait(&self) {
        // SAFETY: By the invariant.
        unsafe { kernel::bindings::synchronize_srcu(self.srcu.get()) };
    }
}

#[pinned_drop]
impl PinnedDrop for Readers {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the invariant it is initialised. Readers borrow it, so there are none, and it was never given a
        // callback.
        unsafe { kernel::bindings::cleanup_srcu_struct(self.srcu.get()) };
    }
}

/// One reader.
///
/// # Invariants
///
/// `counter` is what `srcu_read_lock_fast` returned for `readers` on this task.
struct Reader<'a> {
    counter: *mut c_void,
    readers: &'a Readers,
    _not_send: NotThreadSafe,
}

impl Drop for Reader<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the invariant. A guard cannot be sent to another task, so this is the same one.
        unsafe { bindings::imgrement_srcu_read_unlock(self.readers.srcu.get(), self.counter) };
    }
}

/// A boxed value that readers see without a lock, always in one whole state.
///
/// # Invariants
///
/// The pointer came from a `KBox<T>`. The task that replaces it frees the old one once all readers that may have found
/// it are gone.
#[pin_data(PinnedDrop)]
pub(crate) struct Swap<T> {
    now: AtomicPtr<T>,
    #[pin]
    readers: Readers,
}

// SAFETY: It owns a `T` and shares it among threads.
unsafe impl<T: Send + Sync> Send for Swap<T> {}
// SAFETY: As above; another thread than the one that made a value may drop it.
unsafe impl<T: Send + Sync> Sync for Swap<T> {}

impl<T> Swap<T> {
    /// Begins with `value`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(value: KBox<T>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            readers <- Readers::new(),
            // INVARIANT: It came from a box. This comes last, because nothing here can fail.
            now: AtomicPtr::new(KBox::into_raw(value)),
        })
    }

    /// The current value. The task that has the result must not wait for [`Self::replace`].
    #[inline]
    pub(crate) fn read(&self) -> Reading<'_, T> {
        let reader = self.readers.enter();
        // Acquire: the value was written before it was stored there. Pairs with `replace`.
        let now = self.now.load(Ordering::Acquire);

        Reading {
            // INVARIANT: By the invariant of `Swap` it stays until `reader` is dropped.
            // SAFETY: A box is never null.
            value: unsafe { NonNull::new_unchecked(now) },
            _reader: reader,
        }
    }

    /// Replaces the value by `value`. Sleeps until nothing reads the old one, and drops that.
    pub(crate) fn replace(&self, value: KBox<T>) {
        // INVARIANT: The new one came from a box.
        let before = self.now.swap(KBox::into_raw(value), Ordering::AcqRel);
        self.readers.wait();
        // SAFETY: By the invariant it came from a box. Only this call has taken it out, and no reader that could
        // have found it is left.
        drop(unsafe { KBox::from_raw(before) });
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Swap<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the invariant it came from a box. Readers borrow `self`, so there are none.
        drop(unsafe { KBox::from_raw(self.now.load(Ordering::Relaxed)) });
    }
}

/// Read access to the value of a [`Swap`].
///
/// # Invariants
///
/// `value` is valid as long as the reader lives.
pub(crate) struct Reading<'a, T> {
    value: NonNull<T>,
    _reader: Reader<'a>,
}

impl<T> Deref for Reading<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the invariant.
        unsafe { self.value.as_ref() }
    }
}
