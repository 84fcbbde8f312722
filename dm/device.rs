// SPDX-License-Identifier: GPL-2.0

//! An underlying device of a target.

use super::{
    bindings,
    word::Escaped, //
};
use core::ptr::NonNull;
use kernel::{
    bindings::block_device,
    ffi::c_char,
    prelude::*,
    types::NotThreadSafe, //
};

/// A device that a target sits on, opened by [`Builder::device`] and closed when dropped.
///
/// It can be used from every thread but only be dropped by the thread that drops the target:
/// `dm_put_device` walks the list of the table unlocked and needs a live `dm_target`, which a
/// `Device` that went away with a work item or an open file could outlive. Hence it is not `Send`.
///
/// # Invariants
///
/// - `dev` was got by `dm_get_device` for `ti`, and is put once, by `drop`.
/// - `ti` is live: the target that owns this `Device` is dropped by its destructor at the latest.
///
/// [`Builder::device`]: super::Builder::device
pub struct Device {
    ti: NonNull<bindings::dm_target>,
    dev: NonNull<bindings::dm_dev>,
    _not_send: NotThreadSafe,
}

// SAFETY: All methods only read fields that stay as they are while the device is open.
unsafe impl Sync for Device {}

impl Device {
    /// # Safety
    ///
    /// `ti` is live and has its constructor running. Nothing made from it may leave the target.
    pub(super) unsafe fn open(ti: NonNull<bindings::dm_target>, path: &CStr) -> Result<Self> {
        let mut dev = core::ptr::null_mut();

        // SAFETY:
        // - `ti` is live and `path` is a string, as is `dev` a place for the result.
        // - A table whose constructor runs has its mode set.
        kernel::error::to_result(unsafe {
            let mode = bindings::dm_table_get_mode((*ti.as_ptr()).table);
            bindings::dm_get_device(ti.as_ptr(), path.as_char_ptr(), mode, &mut dev)
        })?;
        // INVARIANT: The device has just been got for `ti`.
        Ok(Self {
            ti,
            dev: NonNull::new(dev).ok_or(ENODEV)?,
            _not_send: NotThreadSafe,
        })
    }

    /// The block device, valid for as long as `self`.
    pub(super) fn bdev(&self) -> *mut block_device {
        // SAFETY: By the invariant `dev` is open, and `bdev` stays the same while it is.
        unsafe { (*self.dev.as_ptr()).bdev }
    }

    /// The `dm_dev`, valid for as long as `self`.
    pub(super) fn as_raw(&self) -> *mut bindings::dm_dev {
        self.dev.as_ptr()
    }

    /// Its number as `major:minor`: the name that tables use.
    pub fn name(&self) -> Escaped<'_> {
        // SAFETY: `dm_get_device` filled it with a string, which stays as it is.
        let name =
            unsafe { CStr::from_char_ptr((&raw const (*self.dev.as_ptr()).name).cast::<c_char>()) };
        Escaped(name.to_bytes())
    }

    /// The name that the kernel's messages use, `sdb` say, or `sdb1` for a partition.
    pub fn disk_name(&self) -> DiskName {
        let mut name = DiskName([0; DiskName::SIZE]);

        // SAFETY: The buffer has the size that is passed; the block device is open.
        unsafe {
            bindings::rust_dm_bdev_name(self.bdev(), name.0.as_mut_ptr().cast(), name.0.len())
        };
        name
    }

    /// Its size in 512-byte sectors, which may change at any time.
    pub fn sectors(&self) -> u64 {
        // SAFETY: The block device is open.
        unsafe { bindings::rust_dm_bdev_sectors(self.bdev()) }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: By the invariants both are live, and this is the only put.
        unsafe { bindings::dm_put_device(self.ti.as_ptr(), self.dev.as_ptr()) };
    }
}

/// A disk's name, made by [`Device::disk_name`].
pub struct DiskName([u8; DiskName::SIZE]);

impl DiskName {
    /// `BDEVNAME_SIZE`, which includes the NUL.
    const SIZE: usize = 32;

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}
