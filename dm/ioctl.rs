// SPDX-License-Identifier: GPL-2.0

//! The way of an ioctl through a target.

use super::Device;

/// Where an ioctl for the whole device goes.
pub enum IoctlRoute<'a> {
    /// To this device, which the target passes through from its first sector to its last.
    Whole(Device<'a>),
    /// To this device, of which the target is but a part: only for those who may do raw I/O.
    Part(Device<'a>),
}

impl<'a> IoctlRoute<'a> {
    /// The route to a target of `sectors` sectors from sector `start` of `device` on: that of
    /// dm-linear.
    pub fn of_range(device: Device<'a>, start: u64, sectors: u64) -> Self {
        if start == 0 && sectors == device.sectors() {
            Self::Whole(device)
        } else {
            Self::Part(device)
        }
    }
}
