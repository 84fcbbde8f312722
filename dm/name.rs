// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls a target.

use super::{
    bindings,
    bytes::word::Escaped,
    device::DiskName, //
};
use core::{
    fmt,
    ptr::NonNull, //
};

/// The name of a target: that of its mapped device in the kernel's messages, `dm-0` say, and, where the target
/// does not begin with the device, the sector where it does: `dm-0@2048`. `dmsetup info -c -o blkdevname` and
/// the links in `/dev/mapper` tell which device that is.
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
        // SAFETY: A target has a table, that a mapped device, and that a disk, whose name is set when it is
        // made, and stays.
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
