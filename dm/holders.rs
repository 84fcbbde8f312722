// SPDX-License-Identifier: GPL-2.0

//! Other users of an underlying device.
//!
//! Device-mapper claims a device once for all of its own devices, so any number of them may use it.

use super::{
    bindings,
    bytes::word::Escaped,
    Device, //
};
use core::{
    ffi::c_uint,
    fmt, //
};

/// Other disks that use a device. It prints as `dm-0`, or `dm-0 and 2 more`.
pub struct Holders {
    /// The name of one of them, with a NUL at the end.
    one: [u8; Self::NAME_SIZE],
    /// How many there are; not 0.
    count: c_uint,
}

impl Holders {
    /// `DISK_NAME_LEN`, which includes the NUL.
    const NAME_SIZE: usize = 32;

    /// The holders of `device`, except the disk of `table`. `None` if there is no other. May sleep.
    ///
    /// # Safety
    ///
    /// `table` is live.
    pub(super) unsafe fn others(
        device: Device<'_>,
        table: *mut bindings::dm_table,
    ) -> Option<Self> {
        let mut one = [0; Self::NAME_SIZE];
        // SAFETY: The block device is open, the caller promises the table, and the buffer has the given size.
        let count = unsafe {
            bindings::rust_dm_other_holders(
                device.bdev(),
                table,
                one.as_mut_ptr().cast(),
                one.len(),
            )
        };

        if count == 0 {
            return None;
        }
        Some(Self { one, count })
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = self.one.split(|byte| *byte == 0).next().unwrap_or(&[]);

        write!(f, "{}", Escaped(one))?;
        match self.count.saturating_sub(1) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
