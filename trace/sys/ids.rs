// SPDX-License-Identifier: GPL-2.0

//! The ids of requests.
//!
//! A leaf with `unsafe`: the kernel crate has no lock that can be a plain static, and all targets of a device share the
//! data in `trace/ids.c`.

#![allow(unsafe_code)]

use super::bindings;
use core::ptr::NonNull;
use kernel::prelude::*;

/// The ids of the requests of a mapped device, shared by all its targets. While the module is loaded, no id of a device
/// is used twice. The top 16 bits are the number of the CPU. Each CPU counts up by 1, without holes.
///
/// # Invariants
///
/// `imgrement_ids_get` returned it, and `imgrement_ids_put` has not been called yet.
pub(crate) struct Ids(NonNull<bindings::imgrement_ids>);

// SAFETY: Any task may use it, and put it.
unsafe impl Send for Ids {}
// SAFETY: `next` may be called on many CPUs at once.
unsafe impl Sync for Ids {}

impl Ids {
    /// The ids of the device with this number. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: u32) -> Result<Self> {
        // SAFETY: It accepts any number.
        let ids = unsafe { bindings::imgrement_ids_get(device) };

        // INVARIANT: It has just been got.
        NonNull::new(ids).map(Self).ok_or(ENOMEM)
    }

    /// The next id, which is not 0. In any context.
    pub(crate) fn next(&self) -> u64 {
        // SAFETY: By the invariant.
        unsafe { bindings::imgrement_ids_next(self.0.as_ptr()) }
    }
}

impl Drop for Ids {
    fn drop(&mut self) {
        // SAFETY: By the invariant; it is not used after this.
        unsafe { bindings::imgrement_ids_put(self.0.as_ptr()) };
    }
}
