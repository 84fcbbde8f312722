// SPDX-License-Identifier: GPL-2.0

//! The route of an ioctl through a target.

use super::Device;

/// Where an ioctl for the whole device goes.
pub enum IoctlRoute<'a> {
    /// To this device, which the target covers from its first sector to its last.
    Whole(Device<'a>),
    /// To this device. The target covers only a part of it, so only callers that may do raw I/O are let through.
    Part(Device<'a>),
    /// Nowhere: it fails with `ENOTTY`, like one that no device knows.
    Refused,
}

impl<'a> IoctlRoute<'a> {
    /// The route to a target of `sectors` sectors from sector `start` of `device`. The rule is that of dm-linear.
    pub fn of_range(device: Device<'a>, start: u64, sectors: u64) -> Self {
        if start == 0 && sectors == device.sectors() {
            Self::Whole(device)
        } else {
            Self::Part(device)
        }
    }
}
