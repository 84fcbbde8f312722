// SPDX-License-Identifier: GPL-2.0

//! The kernel's name for a target.

use super::{
    bindings,
    bytes::word::Escaped,
    device::DiskName, //
};
use core::{
    fmt,
    ptr::NonNull, //
};

/// The name of a target: the name of its mapped device in the kernel's messages, for example `dm-0`. If the target
/// does not begin where the device does, its first sector follows: `dm-0@2048`. `dmsetup info -c -o blkdevname`
/// and the links in `/dev/mapper` show which device that is.
pub struct TargetName {
    disk: DiskName,
    begin: u64,
}

impl TargetName {
    /// The name of `ti`.
    ///
    /// # Safety
    ///
    /// `ti` is live.
    pub(super) unsafe fn of(ti: NonNull<bindings::dm_target>) -> Self {
        // SAFETY: A target has a table, a table has a mapped device, and a mapped device has a disk. The disk's
        // name is set when it is made, and never changes.
        unsafe {
            let ti = ti.as_ptr();
            let disk = bindings::dm_disk(bindings::dm_table_get_md((*ti).table));
            Self {
                disk: DiskName::from_chars((*disk).disk_name),
                begin: (*ti).begin,
            }
        }
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Escaped(self.disk.as_bytes()))?;
        match self.begin {
            0 => Ok(()),
            begin => write!(f, "@{begin}"),
        }
    }
}
