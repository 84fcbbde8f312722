// SPDX-License-Identifier: GPL-2.0

//! A bio that the target keeps after `map`.

use super::{
    bindings,
    bio::HeldBio,
    Device,
    PerBio, //
};
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        bio,
        blk_status_t, //
    },
    prelude::*, //
};

/// A bio that belongs to the target ([`MapBio::defer`]), in any task. It must go on: its submitter waits for it, and
/// so do a suspend and the removal of the device. If it is dropped, it ends with an I/O error.
///
/// Leaking one (`mem::forget`) makes a suspend wait forever, but is not unsound. The bio and its payload then stay,
/// and so does the target, because a target lives until all its bios have ended.
///
/// [`MapBio::defer`]: super::MapBio::defer
pub struct OwnedBio<P: PerBio>(HeldBio<P>);

// SAFETY: A bio may be submitted and ended from any task, and its per-bio data may be sent (`PerBio: Send`). The target
// is only read, and lives until the bio has ended.
unsafe impl<P: PerBio> Send for OwnedBio<P> {}

impl<P: PerBio> OwnedBio<P> {
    /// # Safety
    ///
    /// Device-mapper has left the bio to the target (`DM_MAPIO_SUBMITTED`), or will do so without touching it again.
    #[inline]
    pub(super) unsafe fn new(held: HeldBio<P>) -> Self {
        Self(held)
    }

    /// The target's own data for this bio.
    pub fn per_bio(&mut self) -> &mut P {
        self.0.own()
    }

    /// Sends it on to `sector` of `device`, which must be one of the target's own. For a device of another target it
    /// ends with an I/O error instead. From a task, and may sleep: the caller must not hold a spinlock.
    pub fn submit(self, device: Device<'_>, sector: u64) {
        if !device.belongs_to(self.0.target()) {
            return;
        }
        let bio = self.release();
        // SAFETY: The bio is ours and not submitted. The block device is open until the target has been dropped, which
        // is after the bio has ended.
        unsafe { bindings::rust_dm_submit_remapped(bio.as_ptr(), device.bdev(), sector) };
    }

    /// Ends it. `Target::end_io` is called before this returns, in the same task.
    ///
    /// A read or a zone append that was not submitted cannot succeed ([`MapBio::complete`]): it ends with an I/O error.
    ///
    /// [`MapBio::complete`]: super::MapBio::complete
    pub fn end(self, result: Result) {
        let status = match result {
            Ok(()) if self.may_end_as_done() => 0,
            // Dropped.
            Ok(()) => return,
            // SAFETY: The function takes any errno.
            Err(error) => unsafe { kernel::bindings::errno_to_blk_status(error.to_errno()) },
        };

        self.end_with(status);
    }

    /// Gives it back, to be mapped again by the table that is resumed next. This is for a suspend without flush, from
    /// its presuspend hook on ([`MappedDevice::is_suspending_without_flush`]). At any other time the bio ends with an
    /// I/O error.
    ///
    /// The suspend blocks I/O only after the presuspend hook. Until then device-mapper maps the bio again at once, and
    /// `map` should give it back, too.
    ///
    /// `Target::end_io` is called before this returns, and [`EndBio::is_requeued`] then holds.
    ///
    /// Not for a write to a zoned device, whose order would be lost: device-mapper warns, and fails it.
    ///
    /// [`EndBio::is_requeued`]: super::EndBio::is_requeued
    /// [`MappedDevice::is_suspending_without_flush`]: super::MappedDevice::is_suspending_without_flush
    pub fn requeue(self) {
        self.end_with(bindings::DM_STS_REQUEUE);
    }

    fn end_with(self, status: blk_status_t) {
        // SAFETY: The bio is ours from here on, and `self` is gone.
        unsafe { end(self.release(), status) };
    }

    /// The bio, which the caller must submit or end.
    fn release(self) -> NonNull<bio> {
        ManuallyDrop::new(self).0.bio()
    }

    /// The bio and its target. The bio may be made an `OwnedBio` again.
    pub(super) fn into_raw(self) -> (NonNull<bio>, NonNull<bindings::dm_target>) {
        let this = ManuallyDrop::new(self);

        (this.0.bio(), this.0.target())
    }

    /// # Safety
    ///
    /// Both come from [`Self::into_raw`], and nothing else has the bio.
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, ti: NonNull<bindings::dm_target>) -> Self {
        // SAFETY: The caller's promise: the invariants held when it was taken apart.
        unsafe { Self::new(HeldBio::from_raw(bio, ti)) }
    }
}

/// Ends a bio.
///
/// # Safety
///
/// The bio is ours, not submitted, and not used afterwards.
unsafe fn end(bio: NonNull<bio>, status: blk_status_t) {
    // SAFETY: The caller's promise. Its end_io callback, which is device-mapper's, takes it over.
    unsafe {
        (*bio.as_ptr()).bi_status = status;
        kernel::bindings::bio_endio(bio.as_ptr());
    }
}

impl<P: PerBio> Deref for OwnedBio<P> {
    type Target = HeldBio<P>;

    fn deref(&self) -> &HeldBio<P> {
        &self.0
    }
}

impl<P: PerBio> Drop for OwnedBio<P> {
    fn drop(&mut self) {
        // SAFETY: It has not been released, so the bio is ours, and this is its last use.
        unsafe { end(self.0.bio(), bindings::DM_STS_IOERR) };
    }
}
