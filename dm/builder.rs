// SPDX-License-Identifier: GPL-2.0

//! `struct dm_target` while its constructor runs.
//!
//! C header: `include/linux/device-mapper.h`.

use super::{
    bindings,
    device::{
        OpenDevices,
        Role, //
    },
    io,
    io_worker,
    late::{
        self,
        LateQueue, //
    },
    opener,
    worker,
    Args,
    CtrError,
    Device,
    Holders,
    Io,
    IoTask,
    IoWorker,
    MappedDevice,
    Opener,
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

/// A `struct dm_target` while its constructor runs. Only then may these fields be set, because some are bit-fields
/// that share a word.
///
/// `'t` is the lifetime of the instance. It is invariant and the constructor cannot choose it, so nothing that
/// it opens can be kept longer.
///
/// # Invariants
///
/// `ti` is live, its constructor runs, and nothing else accesses it meanwhile.
pub struct Builder<'t> {
    ti: NonNull<bindings::dm_target>,
    // In this order they are dropped if the constructor fails: I/O starts the I/O worker and uses the devices.
    pub(super) io: io::Slot,
    pub(super) io_worker: io_worker::Slot,
    pub(super) worker: worker::Slot,
    pub(super) late: late::Slot,
    pub(super) opener: opener::Slot,
    pub(super) devices: OpenDevices,
    _brand: PhantomData<fn(&'t ()) -> &'t ()>,
}

impl<'t> Builder<'t> {
    /// With no devices yet.
    ///
    /// # Safety
    ///
    /// - The invariants of the type hold.
    /// - The instance, whose lifetime is `'t`, is dropped before the other fields, and these in the order of their
    ///   declaration.
    pub(super) unsafe fn from_raw(
        ti: NonNull<bindings::dm_target>,
        devices: OpenDevices,
        worker: worker::Slot,
        io_worker: io_worker::Slot,
        late: late::Slot,
    ) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            ti,
            io: io::Slot::new(),
            io_worker,
            worker,
            late,
            opener: opener::Slot::new(),
            devices,
            _brand: PhantomData,
        }
    }

    /// The kernel's name for the target.
    pub fn name(&self) -> TargetName {
        // SAFETY: By the invariant `ti` is live.
        unsafe { TargetName::of(self.ti) }
    }

    /// The mapped device.
    pub fn mapped_device(&self) -> MappedDevice<'t> {
        // SAFETY: By the invariant `ti` is live. It stays so until the instance, whose lifetime is `'t`, has been
        // dropped.
        unsafe { MappedDevice::of(self.ti) }
    }

    /// The length of the target, in 512-byte sectors.
    pub fn sectors(&self) -> u64 {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).len }
    }

    /// Opens the device that the next of `args` names, by its path or as `major:minor`, with the mode of the
    /// table.
    ///
    /// # Errors
    ///
    /// The kernel's error for the device: most often `EBUSY` if it is mounted or otherwise claimed, and `ENODEV`,
    /// `ENOENT` or `ENXIO` if it does not exist.
    pub fn next_device(&mut self, args: &mut Args<'_>) -> Result<Device<'t>, CtrError> {
        let path = args.next_word("DEVICE")?;

        // SAFETY: By the invariant the constructor runs. The instance, whose lifetime is `'t`, is dropped before
        // its devices.
        unsafe { self.devices.open(path, Role::Data) }
            .map_err(|errno| refuse_device(args, path, errno))
    }

    /// Opens a device that is not part of the mapped device's data: a log, for example. `path` names it, a word of
    /// `args`. Do not show it in [`Target::iterate_devices`]. Its integrity profile does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`Self::next_device`].
    ///
    /// [`Target::iterate_devices`]: super::Target::iterate_devices
    pub fn open(&mut self, args: &Args<'_>, path: &CStr) -> Result<Device<'t>, CtrError> {
        // SAFETY: As in `next_device`.
        unsafe { self.devices.open(path, Role::Other) }
            .map_err(|errno| refuse_device(args, path, errno))
    }

    /// Opens further devices later, in messages. It needs a device that the constructor has opened. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and `ENODEV` if the constructor has opened no device.
    pub fn opener(&mut self) -> Result<Opener<'t>> {
        let claimed = self.devices.first().ok_or(ENODEV)?;

        // SAFETY: The instance, whose lifetime is `'t`, is dropped before its opener, and that before the devices. The
        // target is live until then.
        unsafe { self.opener.opener(self.ti, claimed) }
    }

    /// Opens the device and reads the sector that the next two of `args` name: `DEVICE OFFSET`, as for most
    /// targets. The whole target must fit on the device after that sector.
    ///
    /// Device-mapper checks this itself. For a reloaded table, it does so only at resume, and then it cannot name
    /// the wrong word. As in that check, a device of size zero passes.
    ///
    /// # Errors
    ///
    /// Those of [`Self::next_device`], and `EINVAL` for an offset that is no number or is too large.
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

    /// Disks of other device-mapper devices that also use this device. `None` if there is no other. They may come
    /// and go at any time. May sleep.
    pub fn other_holders(&self, device: Device<'_>) -> Option<Holders> {
        self.mapped_device().other_holders(device)
    }

    /// The worker of the instance, which runs [`Target::work`]. It does nothing until the constructor has
    /// returned. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn worker(&mut self) -> Result<Worker<'t>> {
        // SAFETY: The instance, whose lifetime is `'t`, is dropped before its worker.
        unsafe { self.worker.worker() }
    }

    /// The I/O worker of the instance, which runs [`Target::io_work`]. It does nothing until the constructor has
    /// returned. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory, or no further thread.
    ///
    /// [`Target::io_work`]: super::Target::io_work
    pub fn io_worker(&mut self) -> Result<IoWorker<'t>> {
        // SAFETY: The instance, whose lifetime is `'t`, is dropped before its worker.
        unsafe { self.io_worker.worker() }
    }

    /// The instance's own I/O. It starts the I/O worker, which is made, too. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory, or no further thread.
    pub fn io(&mut self) -> Result<Io<'t>> {
        let worker = self.io_worker()?;

        // SAFETY: The instance, whose lifetime is `'t`, is dropped before its I/O, and that before its worker.
        unsafe { self.io.io(worker.item()) }
    }

    /// Proof that the constructor may wait for I/O.
    pub fn io_task(&self) -> IoTask<'_> {
        IoTask::new()
    }

    /// The queue for reads that end late ([`MapBio::end_late`]). This does not make it yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn late_queue(&mut self) -> Result<LateQueue<'t>> {
        // SAFETY: The instance, whose lifetime is `'t`, is dropped before its queue.
        unsafe { self.late.queue() }
    }

    /// Sets whether discards reach `map`. If not, the target does not support them.
    ///
    /// Here and below, `map` sees one clone of a request. With several, nothing would say which is which.
    pub fn wants_discards(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_discard_bios = c_uint::from(wants) };
    }

    /// Sets whether secure erases reach `map`. If not, the target does not support them.
    pub fn wants_secure_erases(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_secure_erase_bios = c_uint::from(wants) };
    }

    /// Sets whether write-zeroes reach `map`. If not, the target does not support them.
    pub fn wants_write_zeroes(&mut self, wants: bool) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).num_write_zeroes_bios = c_uint::from(wants) };
    }

    /// Makes device-mapper split bios so that none crosses a multiple of `sectors` (512 bytes each).
    pub fn max_io_len(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.ti.as_ptr()).max_io_len = sectors };
    }

    /// Limits how many requests that swap memory out are in `map` or below at once. For a target that keeps bios or
    /// allocates memory for them: otherwise all free memory could wait for them.
    pub fn limit_swap_bios(&mut self) {
        // SAFETY: By the invariant; nothing else writes the bit-field's word meanwhile.
        unsafe { (*self.ti.as_ptr()).set_limit_swap_bios(true) };
    }

    /// Lets device-mapper send each flush to all underlying devices by itself, without `map`. This is for targets
    /// that only pass flushes on. A target with several devices needs it: `map` gets each flush once, and can
    /// send it to only one device.
    ///
    /// It only takes effect if all targets of the table ask for it.
    pub fn flush_bypasses_map(&mut self) {
        // SAFETY: By the invariant; nothing else writes the bit-field's word meanwhile.
        unsafe { (*self.ti.as_ptr()).set_flush_bypasses_map(true) };
    }
}

/// Refuses a device that cannot be opened.
pub(super) fn refuse_device(args: &Args<'_>, path: &CStr, errno: Error) -> CtrError {
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
}
