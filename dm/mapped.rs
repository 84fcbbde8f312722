// SPDX-License-Identifier: GPL-2.0

//! The mapped device of a target.

use super::{
    bindings,
    Device,
    Holders, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

/// The mapped device that a target is part of. It is a handle, and may be copied.
///
/// # Invariants
///
/// For `'t`, `ti` is live, and so are its table and the mapped device.
#[derive(Clone, Copy)]
pub struct MappedDevice<'t> {
    ti: NonNull<bindings::dm_target>,
    _live: PhantomData<&'t bindings::dm_target>,
}

// SAFETY: The methods only read what does not change, or what device-mapper locks.
unsafe impl Send for MappedDevice<'_> {}
// SAFETY: As above.
unsafe impl Sync for MappedDevice<'_> {}

impl MappedDevice<'_> {
    /// The mapped device of `ti`.
    ///
    /// # Safety
    ///
    /// The invariant of the type holds for the lifetime of the result.
    pub(super) unsafe fn of(ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            ti,
            _live: PhantomData,
        }
    }

    /// Its number in the kernel's own form: the major number times 2^20, plus the minor number.
    pub fn number(self) -> u32 {
        // SAFETY: By the invariant. A table has a mapped device, and that has a disk, whose number is set when
        // it is made, and does not change.
        let (major, minor) = unsafe {
            let disk = bindings::dm_disk(bindings::dm_table_get_md((*self.ti.as_ptr()).table));
            ((*disk).major as u32, (*disk).first_minor as u32)
        };
        (major << 20) | minor
    }

    /// Tells those who wait for events of it (`dmsetup wait`) that something has happened. May sleep.
    pub fn raise_event(self) {
        // SAFETY: By the invariant the table is live.
        unsafe { bindings::dm_table_event((*self.ti.as_ptr()).table) };
    }

    /// Whether a suspend without flush has begun, and its device has not been resumed yet: bios may be given back
    /// ([`OwnedBio::requeue`]). It is so from the presuspend hook on.
    ///
    /// [`OwnedBio::requeue`]: super::OwnedBio::requeue
    pub fn is_suspending_without_flush(self) -> bool {
        // SAFETY: By the invariant.
        unsafe { bindings::dm_noflush_suspending(self.ti.as_ptr()) != 0 }
    }

    /// Disks of other device-mapper devices that also use `device`. `None` if there is no other. They may come and go
    /// at any time. May sleep.
    pub fn other_holders(self, device: Device<'_>) -> Option<Holders> {
        // SAFETY: By the invariant the table is live.
        unsafe { Holders::others(device, (*self.ti.as_ptr()).table) }
    }

    /// Where the target begins in it, in 512-byte sectors.
    pub fn begin(self) -> u64 {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).begin }
    }

    /// The name that it has now in `/dev/mapper`. `None` if it has none any more, because it is being removed.
    /// May sleep.
    pub fn name(self) -> Option<MappedName> {
        let mut name = MappedName::default();
        // SAFETY: By the invariant. There is room for any name (`DM_NAME_LEN`), and no UUID is asked for.
        let code = unsafe {
            bindings::dm_copy_name_and_uuid(
                bindings::dm_table_get_md((*self.ti.as_ptr()).table),
                name.0.as_mut_ptr().cast(),
                core::ptr::null_mut(),
            )
        };

        match code {
            0 => Some(name),
            _ => None,
        }
    }
}

/// A name in `/dev/mapper`, of any bytes but NULs.
pub struct MappedName([u8; bindings::DM_NAME_SIZE as usize]);

impl MappedName {
    /// Its bytes, unescaped.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}

impl Default for MappedName {
    /// No name.
    fn default() -> Self {
        Self([0; bindings::DM_NAME_SIZE as usize])
    }
}
