// SPDX-License-Identifier: GPL-2.0

//! Shows device-mapper the devices of a target (`iterate_devices_callout_fn`).

use super::{
    bindings,
    Device, //
};
use core::marker::PhantomData;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// Takes the devices of a target, for device-mapper.
///
/// # Invariants
///
/// `callout` may be called with `ti`, a device of that target, and `data`.
pub struct DeviceVisitor<'a> {
    ti: *mut bindings::dm_target,
    callout: bindings::iterate_devices_callout_fn,
    data: *mut c_void,
    /// The last result of `callout`; not 0 once it has seen enough.
    result: c_int,
    _data: PhantomData<&'a mut c_void>,
}

impl DeviceVisitor<'_> {
    /// # Safety
    ///
    /// The invariants of the type hold for its lifetime.
    pub(super) unsafe fn from_raw(
        ti: *mut bindings::dm_target,
        callout: bindings::iterate_devices_callout_fn,
        data: *mut c_void,
    ) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            ti,
            callout,
            data,
            result: 0,
            _data: PhantomData,
        }
    }

    /// The result for device-mapper.
    pub(super) fn result(&self) -> c_int {
        self.result
    }

    /// Shows `sectors` sectors of `device` from sector `start`.
    ///
    /// Once device-mapper has seen what it looked for, further devices are skipped. This is the rule of
    /// `dm_iterate_devices_fn`, kept here so that no target can break it.
    pub fn visit(&mut self, device: Device<'_>, start: u64, sectors: u64) {
        if let (0, Some(callout)) = (self.result, self.callout) {
            // SAFETY: By the invariant, for a device that is open.
            self.result = unsafe { callout(self.ti, device.as_raw(), start, sectors, self.data) };
        }
    }
}
