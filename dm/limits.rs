// SPDX-License-Identifier: GPL-2.0

//! `struct queue_limits`, of the queue of a mapped device.

use super::bindings;
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
pub struct QueueLimits<'a> {
    limits: NonNull<queue_limits>,
    /// Where the target begins in the mapped device, in sectors.
    begin: u64,
    _limits: PhantomData<&'a mut queue_limits>,
}

impl QueueLimits<'_> {
    /// # Safety
    ///
    /// The invariants of the type hold for its lifetime.
    pub(super) unsafe fn from_raw(limits: NonNull<queue_limits>, begin: u64) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            limits,
            begin,
            _limits: PhantomData,
        }
    }

    /// The size of a logical block, in bytes.
    pub fn logical_block_size(&self) -> u32 {
        // SAFETY: By the invariant.
        unsafe { (*self.limits.as_ptr()).logical_block_size }
    }

    /// Asks that the pages of a write do not change until it has completed. File systems and the page cache then wait.
    /// Direct I/O does not: a program may change its buffer at any time.
    pub fn require_stable_writes(&mut self) {
        // SAFETY: By the invariant.
        unsafe { (*self.limits.as_ptr()).features |= bindings::DM_FEAT_STABLE_WRITES };
    }

    /// Limits atomic writes to `sectors` of 512 bytes. A target that sets [`Builder::max_io_len`] and claims
    /// [`Features::ATOMIC_WRITES`] must call this with the same number: device-mapper fails an atomic write that it
    /// would have to split.
    ///
    /// An atomic write begins at a multiple of its length, which is a power of two. So it does not cross a multiple of
    /// any power of two that is at least as large. But device-mapper splits at multiples that count from the start of
    /// the target. So `sectors` is rounded down to a power of two that divides the start of the target. If that is less
    /// than the device's smallest atomic write, there are none.
    ///
    /// [`Builder::max_io_len`]: super::Builder::max_io_len
    /// [`Features::ATOMIC_WRITES`]: super::Features::ATOMIC_WRITES
    pub fn cap_atomic_writes(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        let limits = unsafe { &mut *self.limits.as_ptr() };
        let most = atomic_write_unit(sectors, self.begin);

        // This number means that no device was stacked.
        if limits.atomic_write_hw_max == u32::MAX {
            return;
        }
        if limits.atomic_write_hw_unit_min > most {
            limits.atomic_write_hw_max = 0;
            limits.atomic_write_hw_unit_min = 0;
            limits.atomic_write_hw_unit_max = 0;
            limits.atomic_write_hw_boundary = 0;
            return;
        }
        limits.atomic_write_hw_max = limits.atomic_write_hw_max.min(most);
        limits.atomic_write_hw_unit_max = limits.atomic_write_hw_unit_max.min(most);
    }

    /// Sets the largest secure erase, in sectors of 512 bytes; 0 for none.
    pub fn set_max_secure_erase_sectors(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.limits.as_ptr()).max_secure_erase_sectors = sectors };
    }
}

/// The largest power of two, in bytes, that is at most `sectors` and divides `begin` sectors. 0 if there is none.
pub(super) fn atomic_write_unit(sectors: u32, begin: u64) -> u32 {
    let fits = 1u64.checked_shl(sectors.max(1).ilog2()).unwrap_or(1);
    // The lowest bit that is set is the largest power of two that divides a number.
    let divides = begin & begin.wrapping_neg();
    let unit = match begin {
        0 => fits,
        _ => fits.min(divides),
    };

    if sectors == 0 {
        return 0;
    }
    u32::try_from(unit.saturating_mul(512)).unwrap_or(1 << 31)
}
