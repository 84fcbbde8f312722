// SPDX-License-Identifier: GPL-2.0

//! `struct queue_limits`, of the queue of a mapped device.

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::bindings::queue_limits;

/// The limits of a queue, while `io_hints` runs.
///
/// # Invariants
///
/// The pointer is valid, and nothing else accesses the limits.
pub struct QueueLimits<'a>(NonNull<queue_limits>, PhantomData<&'a mut queue_limits>);

impl QueueLimits<'_> {
    /// # Safety
    ///
    /// The invariants of the type hold for its lifetime.
    pub(super) unsafe fn from_raw(limits: NonNull<queue_limits>) -> Self {
        // INVARIANT: The promise of the caller.
        Self(limits, PhantomData)
    }

    /// Sets the largest secure erase, in sectors of 512 bytes; 0 for none.
    pub fn set_max_secure_erase_sectors(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).max_secure_erase_sectors = sectors };
    }
}
