// SPDX-License-Identifier: GPL-2.0

//! `struct dm_target` while its constructor runs.
//!
//! C header: `include/linux/device-mapper.h`.

use super::{
    bindings,
    device::OpenDevices,
    late::{
        self,
        LateQueue, //
    },
    worker,
    Args,
    CtrError,
    Device,
    Holders,
    TargetName,
    Worker, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    ffi::c_uint,
    prelude::*, //
};

/// A `struct dm_target` while its constructor runs: the only time at which these may be set, since
/// some are bit-fields that share a word.
///
/// `'t` is how long the instance will live. It is invariant, and any to the constructor, so that
/// nothing it opens can be kept for longer.
///
/// # Invariants
///
/// `ti` is live, its constructor runs, and nobody else accesses it meanwhile.
pub struct Builder<'t> {
    ti: NonNull<bindings::dm_target>,
    pub(super) devices: OpenDevices,
    pub(super) worker: worker::Slot,
    pub(super) late: late::Slot,
    _brand: PhantomData<fn(&'t ()) -> &'t ()>,
}

impl<'t> Builder<'t> {
    /// With no devices yet.
    ///
    /// # Safety
    ///
    /// - The invariants of the type hold.
    /// - The instance, of which `'t` is the life, is dropped before `devices`, `worker` and `late`.
    pub(super) unsafe fn from_raw(
        ti: NonNull<bindings::dm_target>,
        devices: OpenDevices,
        worker: worker::Slot,
        late: late::Slot,
    ) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            ti,
            devices,
            worker,
            late,
            _brand: PhantomData,
        }
    }

    /// What the kernel calls the target.
    pub fn name(&self) -> TargetName {
        // SAFETY: By the invariant `ti` is live.
        unsafe { TargetName::of(self.ti) }
    }

    /// How long the target is, in 512-byte sectors.
    pub fn sectors(&self) -> u64 {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).len }
    }

    /// Opens the device that the next of `args` names, by its path or as `major:minor`, with the
    /// mode of the table.
    ///
    /// # Errors
    ///
    /// What the kernel says about the device; most often `EBUSY` for one that is mounted or
    /// claimed otherwise, and `ENODEV`, `ENOENT` or `ENXIO` for one that is not there.
    pub fn next_device(&mut self, args: &mut Args<'_>) -> Result<Device<'t>, CtrError> {
        let path = args.next_word("DEVICE")?;

        // SAFETY: By the invariant the constructor runs. The instance, of which `'t` is the life, is
        // dropped before its devices.
        unsafe { self.devices.open(path) }.map_err(|errno| {
            let why = if errno == EBUSY {
                "is in use: mounted, or claimed by another driver or program"
            } else if errno == EACCES || errno == EPERM || errno == EROFS {
                "may not be opened for writing"
            } else if errno == ENODEV || errno == ENOENT || errno == ENXIO || errno == ENOTBLK {
                "is not a block device that is there"
            } else {
                "cannot be opened"
            };
            args.refuse(
                Some(path),
                errno,
                c"Device lookup failed",
                format_args!("{why}; DEVICE is the path or major:minor of a free block device"),
            )
        })
    }

    /// Opens the device and reads the sector of it that the next two of `args` name: `DEVICE OFFSET`,
    /// as most targets have it. The whole target must fit behind that sector.
    ///
    /// Device-mapper checks that itself, but of a table that is reloaded only when it is resumed,
    /// and then it cannot say which word is at fault. As there, a device of no size at all passes.
    ///
    /// # Errors
    ///
    /// Those of [`Self::next_device`], and `EINVAL` for an offset that is no number or too large.
    pub fn next_range(&mut self, args: &mut Args<'_>) -> Result<(Device<'t>, u64), CtrError> {
        let path = args.clone().next();
        let device = self.next_device(args)?;
        let (size, sectors) = (device.sectors(), self.sectors());
        let room = if size == 0 { u64::MAX } else { size };
        let Some(last) = room.checked_sub(sectors) else {
            return Err(args.refuse(
                path,
                EINVAL,
                c"Device too small",
                format_args!("has {size} sectors; LENGTH, here {sectors}, may not be more"),
            ));
        };
        let offset = args.next_u64("OFFSET", 0..=last, c"Invalid device sector")?;

        Ok((device, offset))
    }

    /// Which disks use this device, too, with another device-mapper device than the one that this target is of.
    /// `None` where there is no other. They may come and go at any time. May sleep.
    pub fn other_holders(&self, device: Device<'_>) -> Option<Holders> {
        // SAFETY: By the invariant the constructor runs, and so its table is live.
        unsafe { Holders::others(device, (*self.ti.as_ptr()).table) }
    }

    /// The worker of the instance, which runs [`Target::work`]. It does nothing before the constructor has
    /// returned. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn worker(&mut self) -> Result<Worker<'t>> {
        // SAFETY: The instance, of which `'t` is the life, is dropped before its worker.
        unsafe { self.worker.worker() }
    }

    /// The queue for reads that end late ([`MapBio::end_late`]). It is not made yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn late_queue(&mut self) -> Result<LateQueue<'t>> {
        // SAFETY: The instance, of which `'t` is the life, is dropped before its queue.
        unsafe { self.late.queue() }
    }

    /// Whether discards reach `map`. Without, the target has none.
    ///
    /// Here and below, `map` sees one clone of a request: nothing tells it which of several it is.
    pub fn wants_discards(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_discard_bios = c_uint::from(wants) };
    }

    /// Whether secure erases reach `map`. Without, the target has none.
    pub fn wants_secure_erases(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_secure_erase_bios = c_uint::from(wants) };
    }

    /// Whether write-zeroes reach `map`. Without, the target has none.
    pub fn wants_write_zeroes(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_write_zeroes_bios = c_uint::from(wants) };
    }

    /// Has bios split so that none crosses a multiple of `sectors` (512 bytes each).
    pub fn max_io_len(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).max_io_len = sectors };
    }

    /// Lets device-mapper send each flush to all underlying devices by itself, past `map`. For targets
    /// that only pass flushes on. A target of several devices needs it: `map` gets each flush once, and can
    /// send it to one device only.
    ///
    /// It holds only if all targets of the table ask for it.
    pub fn flush_bypasses_map(&mut self) {
        // SAFETY: By the invariant; nobody else writes the bit-field's word meanwhile.
        unsafe { (*self.ti.as_ptr()).set_flush_bypasses_map(true) };
    }
}
