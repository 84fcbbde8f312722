// SPDX-License-Identifier: GPL-2.0

//! An underlying device of a target.

use super::{
    bindings,
    bytes::word::Escaped, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings::block_device,
    error::to_result,
    ffi::c_char,
    prelude::*, //
};

/// A device under a target, opened by [`Builder::next_device`].
///
/// It is a handle. The abstraction keeps the device open until the instance is gone, and closes it in the
/// destructor, as device-mapper requires (`dm_put_device` needs a live `dm_target`, and walks a list without a
/// lock). Nothing that outlives the instance can hold the handle, because `'t` is never `'static` for a
/// constructor. It does not matter who drops it, or whether it is dropped.
///
/// # Invariants
///
/// For `'t`, `open` has a copy of a `dm_dev` that nothing changes, and its block device is open.
///
/// It is a copy because the `dm_dev` from device-mapper may be freed earlier. If a later target of the same table
/// opens the device with more rights, `upgrade_mode` opens it once more, and closes what the first target has.
/// Both have the same block device, and one of them is open at any time.
///
/// [`Builder::next_device`]: super::Builder::next_device
#[derive(Clone, Copy)]
pub struct Device<'t> {
    open: NonNull<Open>,
    _open: PhantomData<&'t Open>,
}

// SAFETY: All methods only read fields that do not change while the device is open.
unsafe impl Send for Device<'_> {}
// SAFETY: As above.
unsafe impl Sync for Device<'_> {}

/// What an open device is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It holds data of the mapped device.
    Data,
    /// Anything else.
    Other,
}

/// A device that is open.
pub(super) struct Open {
    /// The copy.
    pub(super) dev: bindings::dm_dev,
    /// The target that has opened it.
    ti: NonNull<bindings::dm_target>,
    role: Role,
}

impl Open {
    /// Nothing is open yet.
    pub(super) fn new(ti: NonNull<bindings::dm_target>, role: Role) -> Self {
        Self {
            dev: bindings::dm_dev::default(),
            ti,
            role,
        }
    }
}

/// The devices opened by the constructor of `ti`. Dropping this closes them.
///
/// # Invariants
///
/// - Each is a copy of the result of `dm_get_device` for `ti`, and only `drop` puts it.
/// - `ti` is live, and in its constructor or its destructor when this is dropped.
pub(super) struct OpenDevices {
    ti: NonNull<bindings::dm_target>,
    devices: KVec<KBox<Open>>,
}

impl OpenDevices {
    /// None yet.
    ///
    /// # Safety
    ///
    /// The last invariant of the type holds until it is dropped.
    pub(super) unsafe fn new(ti: NonNull<bindings::dm_target>) -> Self {
        Self {
            ti,
            devices: KVec::new(),
        }
    }

    /// Opens a device with the mode of the table.
    ///
    /// # Safety
    ///
    /// - The constructor of `ti` runs.
    /// - `'t` ends before `self` is dropped.
    pub(super) unsafe fn open<'t>(&mut self, path: &CStr, role: Role) -> Result<Device<'t>> {
        let mut given = core::ptr::null_mut();

        // This comes first, so that nothing can fail between opening the device and recording it.
        let mut open = KBox::new(Open::new(self.ti, role), GFP_KERNEL)?;
        self.devices.reserve(1, GFP_KERNEL)?;
        // SAFETY:
        // - `ti` is live, `path` is a string, and `given` has space for the result.
        // - The mode of a table is set while a constructor runs.
        to_result(unsafe {
            let mode = bindings::dm_table_get_mode((*self.ti.as_ptr()).table);
            bindings::dm_get_device(self.ti.as_ptr(), path.as_char_ptr(), mode, &mut given)
        })?;
        let given = NonNull::new(given).ok_or(ENODEV)?;
        // SAFETY: It is open, and no other target can open it while this constructor runs.
        let given = unsafe { given.as_ref() };
        // The file may be closed before the device is. DAX is not passed on.
        open.dev = bindings::dm_dev {
            bdev: given.bdev,
            mode: given.mode,
            name: given.name,
            ..Default::default()
        };
        // SAFETY: It stays in its box, and its block device stays open, until `self` is dropped.
        let device = unsafe { Device::of(NonNull::from(&*open)) };
        // INVARIANT: It has just been got.
        self.devices.push(open, GFP_KERNEL)?;
        Ok(device)
    }
}

impl OpenDevices {
    /// The first device.
    pub(super) fn first(&self) -> Option<Device<'_>> {
        let open = self.devices.first()?;

        // SAFETY: It stays in its box, and its block device stays open, until `self` is dropped.
        Some(unsafe { Device::of(NonNull::from(&**open)) })
    }

    /// The first device with data, and another one with another integrity profile, if there is one. May sleep.
    pub(super) fn other_integrity(&self) -> Option<(Device<'_>, Device<'_>)> {
        let mut devices = self
            .devices
            .iter()
            .filter(|open| open.role == Role::Data)
            // SAFETY: Each stays in its box, and its block device stays open, until `self` is dropped.
            .map(|open| unsafe { Device::of(NonNull::from(&**open)) });
        let first = devices.next()?;
        // SAFETY: Both block devices are open.
        let other = devices.find(|device| unsafe {
            !bindings::rust_dm_same_integrity(first.bdev(), device.bdev())
        })?;

        Some((first, other))
    }
}

impl Drop for OpenDevices {
    fn drop(&mut self) {
        for open in &self.devices {
            let (ti, mut present) = (self.ti.as_ptr(), core::ptr::null_mut());

            // `dm_put_device` needs the `dm_dev` that the table has now, and only another get returns that. With no
            // rights, this get opens nothing. Because the table has the device, it also allocates nothing and cannot
            // fail.
            // SAFETY: By the invariants `ti` is live, and the name is a string of a copy of ours.
            let got = to_result(unsafe {
                bindings::dm_get_device(ti, open.dev.name.as_ptr().cast(), 0, &mut present)
            });
            if got.is_ok() {
                // SAFETY: It was got twice: just now, and when it was opened.
                unsafe {
                    bindings::dm_put_device(ti, present);
                    bindings::dm_put_device(ti, present);
                }
            }
        }
    }
}

impl Device<'_> {
    /// The handle to a device.
    ///
    /// # Safety
    ///
    /// The invariant of the type holds for the lifetime of the result.
    pub(super) unsafe fn of(open: NonNull<Open>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            open,
            _open: PhantomData,
        }
    }

    /// The same handle, with another lifetime.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`].
    pub(super) unsafe fn extend<'t>(self) -> Device<'t> {
        // SAFETY: The promise of the caller.
        unsafe { Device::of(self.open) }
    }

    /// The block device, valid for as long as `self`.
    pub(super) fn bdev(&self) -> *mut block_device {
        // SAFETY: By the invariant.
        unsafe { (*self.open.as_ptr()).dev.bdev }
    }

    /// A `dm_dev` without file and DAX device, valid for as long as `self`.
    pub(super) fn as_raw(&self) -> *mut bindings::dm_dev {
        // SAFETY: By the invariant. No reference is made.
        unsafe { &raw mut (*self.open.as_ptr()).dev }
    }

    /// Whether `ti` has opened it.
    pub(super) fn belongs_to(&self, ti: NonNull<bindings::dm_target>) -> bool {
        // SAFETY: By the invariant.
        unsafe { (*self.open.as_ptr()).ti == ti }
    }

    /// Its number as `major:minor`: the name that tables use.
    pub fn name(&self) -> Escaped<'_> {
        Escaped(self.number().to_bytes())
    }

    /// Its number in the kernel's own form: the major number times 2^20, plus the minor number.
    pub fn dev_t(&self) -> u32 {
        // SAFETY: The block device is open.
        unsafe { (*self.bdev()).bd_dev }
    }

    /// Its number as `major:minor`, as a C string.
    pub(super) fn number(&self) -> &CStr {
        // SAFETY: By the invariant it is our copy, and `dm_get_device` filled the name with a string.
        unsafe { CStr::from_char_ptr((&raw const (*self.as_raw()).name).cast::<c_char>()) }
    }

    /// The name in the kernel's messages, for example `sdb`, or `sdb1` for a partition.
    pub fn disk_name(&self) -> DiskName {
        let mut name = DiskName([0; DiskName::SIZE]);

        // SAFETY: The buffer has the size that is passed; the block device is open.
        unsafe {
            bindings::rust_dm_bdev_name(self.bdev(), name.0.as_mut_ptr().cast(), name.0.len())
        };
        name
    }

    /// Copies the UUID that a partition table gives to it, as text, followed by zeroes: 36 characters with GPT, and
    /// the disk's number and the partition's with DOS (`5d2e9a11-02`). All zero if it is a whole disk. What does not
    /// fit is cut.
    pub fn partition_uuid(&self, to: &mut [u8]) {
        // SAFETY: The buffer has the size that is passed; the block device is open.
        unsafe { bindings::rust_dm_bdev_uuid(self.bdev(), to.as_mut_ptr().cast(), to.len()) };
    }

    /// Its size in 512-byte sectors, which may change at any time.
    pub fn sectors(&self) -> u64 {
        // SAFETY: The block device is open.
        unsafe { bindings::rust_dm_bdev_sectors(self.bdev()) }
    }

    /// The size of its logical blocks, in bytes.
    pub fn logical_block_size(&self) -> u32 {
        // SAFETY: The block device is open.
        unsafe { bindings::rust_dm_bdev_block_size(self.bdev()) }
    }

    /// Whether it has zones that must be written in order.
    pub fn is_zoned(&self) -> bool {
        // SAFETY: The block device is open.
        unsafe { bindings::rust_dm_bdev_is_zoned(self.bdev()) }
    }

    /// Whether it refuses writes, now.
    pub fn is_read_only(&self) -> bool {
        // SAFETY: The block device is open.
        unsafe { bindings::rust_dm_bdev_is_read_only(self.bdev()) }
    }

    /// Whether both have sectors in common. Then they are the same device: device-mapper claims each device that it
    /// opens, so a disk and one of its partitions are never open at once.
    pub fn overlaps(&self, other: Device<'_>) -> bool {
        self.bdev() == other.bdev()
    }

    /// Whether one of them is made of the other, or of a part of it, through up to eight layers. The layers are those
    /// that `/sys/block/DISK/holders` shows: device-mapper, MD and the like, but not a loop device, whose file has a
    /// file system in between. They may change at any time. May sleep.
    pub fn is_stacked_with(&self, other: Device<'_>) -> bool {
        // SAFETY: Both block devices are open.
        unsafe { bindings::rust_dm_bdevs_stacked(self.bdev(), other.bdev()) }
    }
}

/// A disk's name, as in the kernel's messages.
pub struct DiskName([u8; DiskName::SIZE]);

impl DiskName {
    /// `BDEVNAME_SIZE` and `DISK_NAME_LEN`, which include the NUL.
    const SIZE: usize = 32;

    /// The name that consists of these characters.
    pub(super) fn from_chars(chars: [u8; Self::SIZE]) -> Self {
        Self(chars)
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}
