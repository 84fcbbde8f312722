// SPDX-License-Identifier: GPL-2.0

//! The zones of a target over a zoned device.

use super::{
    bindings,
    Device, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*, //
};

/// A report of zones for a caller: a user, or device-mapper, which needs to know them when a table is resumed.
///
/// # Invariants
///
/// - `ti` is a constructed target, and `args` the arguments of a call of its `report_zones`.
/// - `'r` ends with that call. It is invariant.
pub struct ZoneReport<'r> {
    ti: NonNull<bindings::dm_target>,
    args: NonNull<bindings::dm_report_zones_args>,
    /// The maximum number of zones.
    room: c_uint,
    _brand: PhantomData<fn(&'r ()) -> &'r ()>,
}

/// Proof that a report has been filled. Only [`ZoneReport`] makes one, because device-mapper repeats a report
/// forever as long as it makes no progress. `'r` is that of the report, and invariant, so it cannot be kept for
/// another report.
pub struct ZonesReported<'r> {
    zones: c_int,
    _brand: PhantomData<fn(&'r ()) -> &'r ()>,
}

impl ZonesReported<'_> {
    pub(super) fn code(&self) -> c_int {
        self.zones
    }
}

impl<'r> ZoneReport<'r> {
    /// # Safety
    ///
    /// The invariants of the type hold.
    pub(super) unsafe fn from_raw(
        ti: NonNull<bindings::dm_target>,
        args: NonNull<bindings::dm_report_zones_args>,
        room: c_uint,
    ) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            ti,
            args,
            room,
            _brand: PhantomData,
        }
    }

    /// Fills it with zones of `device`. The target begins at the device's sector `start`. May sleep.
    ///
    /// # Errors
    ///
    /// Those of the device, and `EIO` if it has no further zone there.
    pub fn fill(self, device: Device<'_>, start: u64) -> Result<ZonesReported<'r>> {
        // SAFETY: By the invariants both are live.
        let (next, begin) = unsafe {
            let next = (*self.args.as_ptr()).next_sector;
            (next, (*self.ti.as_ptr()).begin)
        };
        let sector = start.wrapping_add(next.wrapping_sub(begin));

        // SAFETY: The device is open; by the invariant the arguments are those of a call of ours.
        let zones = unsafe {
            bindings::dm_report_zones(device.bdev(), start, sector, self.args.as_ptr(), self.room)
        };
        kernel::error::to_result(zones)?;
        // SAFETY: By the invariant it is live.
        if unsafe { (*self.args.as_ptr()).next_sector } == next {
            return Err(EIO);
        }
        Ok(ZonesReported {
            zones,
            _brand: PhantomData,
        })
    }
}
