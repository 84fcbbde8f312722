// SPDX-License-Identifier: GPL-2.0

//! A target type, its registration, and the callbacks through which device-mapper reaches it.

use super::{
    bindings,
    bio::Space,
    device::OpenDevices,
    late::{
        self,
        Late,
        LateQueue,
        Stage, //
    },
    noio::NoIo,
    work::WorkQueue,
    worker,
    Args,
    Completion,
    CtrError,
    Device,
    EndBio,
    Holders,
    LateBio,
    MapBio,
    Mapped,
    PerBio,
    StatusKind,
    StatusWriter,
    TargetName,
    Worker, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        bio,
        blk_status_t,
        block_device,
        queue_limits,
        work_struct, //
    },
    error::{
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    ffi::{
        c_char,
        c_int,
        c_uint,
        c_ulong,
        c_void, //
    },
    fmt::Write,
    module::this_module,
    prelude::*, //
};

/// What a target type claims to support. C: `DM_TARGET_*`.
///
/// Each is a promise that device-mapper builds on: claim it when it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(u64);

impl Features {
    /// Nothing beyond plain bios.
    pub const NONE: Self = Self(0);
    /// `map`, `end_io`, and the default and the drop of `PerBio` never sleep, nor allocate in a way that
    /// waits: not for a bio that must not wait, nor for any other. A kernel with
    /// `CONFIG_DEBUG_ATOMIC_SLEEP` reports one that does.
    pub const NOWAIT: Self = Self(bindings::DM_TARGET_NOWAIT as u64);
    /// Bios keep their integrity payload. A table whose devices have not all the same integrity profile is
    /// refused: a driver that expects more tags than there are would read past them.
    pub const PASSES_INTEGRITY: Self = Self(bindings::DM_TARGET_PASSES_INTEGRITY as u64);
    /// Host-managed zones stay zones: bios are sent to the same place of a zone, in their order.
    /// With `Target::report_zones`.
    pub const ZONED_HM: Self = Self(bindings::DM_TARGET_ZONED_HM as u64);
    /// A write that must be whole is sent on whole.
    pub const ATOMIC_WRITES: Self = Self(bindings::DM_TARGET_ATOMIC_WRITES as u64);
}

impl Features {
    /// These and those.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are claimed.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A kind of device-mapper target. [`Target::State`] is one line of a table.
///
/// Everything but [`Target::ctr`] has a shared reference to it: device-mapper calls them at the same
/// time, from different CPUs. Optional ones that are left out stay null in the `target_type`, so
/// that device-mapper does what it does for C targets without them.
///
/// When a table is reloaded, two instances overlap: the new one's `ctr` runs first, then the old
/// one's suspend hooks, the swap, the new one's resume hooks, and last the old one is dropped. So
/// `ctr` must make nothing of which there can be only one a device. A table may also be dropped
/// without ever having been resumed.
///
/// No allocation in any of these starts I/O, but in `ctr`: the device may be suspended, or its I/O may be
/// what waits for the memory. Each is called in a scope that sees to it, as are the default and the drop of a
/// `PerBio` and the drop of an instance. Two are left out, in which no allocation may wait at all: what runs
/// in an interrupt, and, of who claims [`Features::NOWAIT`], `map`, `end_io` and `PerBio`.
#[vtable]
pub trait Target: Sized + 'static {
    /// The word that names it in tables: 1 to 15 plain characters. The module `dm-NAME` is loaded when it is
    /// not there.
    const NAME: &'static CStr;

    /// Its version: the major number changes when the interface breaks, the minor one when it
    /// grows.
    const VERSION: [u32; 3];

    /// What it claims to support.
    const FEATURES: Features = Features::NONE;

    /// An instance, with the devices that are open for `'t`.
    type State<'t>: Send + Sync + 't;

    /// What it keeps with each bio from `map` to `end_io`; `()` for nothing.
    type PerBio: PerBio;

    /// What a message is answered with; `()` where none is. It cannot borrow the words of the message, which
    /// lie where the answer goes.
    type Answer: 'static;

    /// Makes an instance from the words of a table line. May sleep.
    ///
    /// Words that it leaves in `args` are refused. On any error all that it got is released again
    /// by being dropped: the destructor of a failed constructor never runs.
    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Self::State<'t>, Error>, CtrError>;

    /// Decides about a bio. Runs in process context, on any number of CPUs at once.
    ///
    /// It may sleep unless [`Features::NOWAIT`] is claimed, but must not wait for other I/O of the
    /// same device.
    fn map<'b>(state: &Self::State<'_>, bio: MapBio<'b, Self::PerBio>) -> Mapped<'b>;

    /// Hears of a completed bio, unless that ends late ([`MapBio::end_late`]). May run in an interrupt, or in
    /// `map`, by [`MapBio::complete`]: it must not sleep.
    fn end_io(_state: &Self::State<'_>, _bio: &mut EndBio<'_, Self::PerBio>) -> Completion {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Hears of a read that ends late, has completed, and goes up when this returns. Runs in a task, several at
    /// once. May sleep, but whoever reads waits for it, and so does I/O for which memory is needed. So it must
    /// not wait for I/O.
    fn end_late(_state: &Self::State<'_>, _bio: &mut LateBio<'_, Self::PerBio>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A suspend begins; I/O goes on meanwhile. It may yet be undone. May sleep.
    fn presuspend(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The suspend that had begun is given up. May sleep.
    fn presuspend_undo(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// No I/O is under way any more, unless the device is being removed by force: the time to drain
    /// workers. May sleep.
    fn postsuspend(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// What [`Worker`] starts. Runs in a task, once at a time. May sleep.
    fn work(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The table is about to be used: the time to start workers. May sleep.
    ///
    /// # Errors
    ///
    /// The device stays suspended.
    fn preresume(_state: &Self::State<'_>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The table is used; I/O begins right after this. May sleep.
    fn resume(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Answers `dmsetup status`, `dmsetup table` and the integrity measurement. May sleep.
    fn status(_state: &Self::State<'_>, _kind: StatusKind, _out: &mut StatusWriter<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Takes a message. May sleep, and several may run at once.
    ///
    /// With `Some` it is answered, by [`Self::answer`].
    ///
    /// # Errors
    ///
    /// [`Args::refuse`] prints what is wrong and makes the error.
    fn message(
        _state: &Self::State<'_>,
        _args: &mut Args<'_>,
    ) -> Result<Option<Self::Answer>, CtrError> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Writes the answer to a message, which user space gets as text. Where that has no room for it, it sends
    /// the whole message once more. May sleep.
    ///
    /// Returns whether there is an answer: `false` for one that does not fit, where the message must not be sent
    /// once more.
    fn answer(
        _state: &Self::State<'_>,
        _answer: Self::Answer,
        _out: &mut StatusWriter<'_>,
    ) -> bool {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Says where an ioctl for the whole device is to go. May sleep.
    fn prepare_ioctl<'s>(_state: &'s Self::State<'_>) -> IoctlRoute<'s> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Shows each stretch of an underlying device that it uses to `visitor`. The limits of the
    /// queue are stacked from these.
    ///
    /// Every target has it, because a device that is not shown loses its flushes: device-mapper does not see
    /// its write cache, and the block layer then takes PREFLUSH and FUA off each bio. Only a target without
    /// devices shows none.
    fn iterate_devices(state: &Self::State<'_>, visitor: &mut DeviceVisitor<'_>);

    /// Reports zones, for [`Features::ZONED_HM`]. May sleep.
    ///
    /// # Errors
    ///
    /// What the underlying device says.
    #[cfg(CONFIG_BLK_DEV_ZONED)]
    fn report_zones<'r>(
        _state: &Self::State<'_>,
        _report: super::ZoneReport<'r>,
    ) -> Result<super::ZonesReported<'r>> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Changes the limits that were stacked from the underlying devices.
    fn io_hints(_state: &Self::State<'_>, _limits: &mut QueueLimits<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

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
    devices: OpenDevices,
    worker: worker::Slot,
    late: late::Slot,
    _brand: PhantomData<fn(&'t ()) -> &'t ()>,
}

impl<'t> Builder<'t> {
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

/// Is shown the devices of a target, for device-mapper.
///
/// # Invariants
///
/// `callout` may be called with `ti`, a device of that target, and `data`.
pub struct DeviceVisitor<'a> {
    ti: *mut bindings::dm_target,
    callout: bindings::iterate_devices_callout_fn,
    data: *mut c_void,
    result: c_int,
    _data: PhantomData<&'a mut c_void>,
}

impl DeviceVisitor<'_> {
    /// Shows `sectors` sectors of `device` from sector `start` on.
    ///
    /// Once device-mapper has seen what it looked for, further devices are passed over: that is the
    /// rule of `dm_iterate_devices_fn`, kept here so that no target can break it.
    pub fn visit(&mut self, device: Device<'_>, start: u64, sectors: u64) {
        if let (0, Some(callout)) = (self.result, self.callout) {
            // SAFETY: By the invariant, for a device that is open.
            self.result = unsafe { callout(self.ti, device.as_raw(), start, sectors, self.data) };
        }
    }
}

/// The limits of a queue, while `io_hints` runs.
///
/// # Invariants
///
/// The pointer is valid and nobody else accesses the limits.
pub struct QueueLimits<'a>(NonNull<queue_limits>, PhantomData<&'a mut queue_limits>);

impl QueueLimits<'_> {
    /// The preferred smallest size of a request, in bytes.
    pub fn io_min(&self) -> u32 {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).io_min }
    }

    /// Sets the preferred smallest size of a request, in bytes.
    pub fn set_io_min(&mut self, bytes: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).io_min = bytes };
    }

    /// The preferred size of a request, in bytes; 0 for none.
    pub fn io_opt(&self) -> u32 {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).io_opt }
    }

    /// Sets the preferred size of a request, in bytes; 0 for none.
    pub fn set_io_opt(&mut self, bytes: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).io_opt = bytes };
    }

    /// Sets the largest secure erase, in sectors of 512 bytes; 0 for none.
    pub fn set_max_secure_erase_sectors(&mut self, sectors: u32) {
        // SAFETY: By the invariant.
        unsafe { (*self.0.as_ptr()).max_secure_erase_sectors = sectors };
    }
}

/// A target type, and what its instances share.
#[repr(C)]
struct Type {
    /// What device-mapper knows. It comes first, so that a pointer to it is one to the whole.
    c: bindings::target_type,
    /// Where the workers of all instances run.
    queue: WorkQueue,
}

/// A target type that device-mapper knows, for as long as this lives.
///
/// Once it is made, tables can be loaded: in a module's state it comes last of all that targets
/// need, and is dropped first. There it is never dropped while there are instances, because each
/// table holds a reference to `T::OwnerModule`.
///
/// # Invariants
///
/// The pointer is a `Type` of a `KBox` that is registered, and stays where it is:
/// device-mapper links it into a list, and instances point at it.
pub struct Registration<T: Target> {
    inner: NonNull<Type>,
    _target: PhantomData<T>,
}

// SAFETY: A target type may be unregistered from any thread.
unsafe impl<T: Target> Send for Registration<T> {}
// SAFETY: There is nothing to do with a shared reference to it.
unsafe impl<T: Target> Sync for Registration<T> {}

impl<T: Target> Registration<T> {
    /// Registers the type. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and `EBUSY` when there is a target of that name already.
    pub fn new() -> Result<Self> {
        // It is made whole first, null in each callback that `T` does not have.
        let inner = KBox::new(
            Type {
                c: Callbacks::<T>::target_type(),
                queue: WorkQueue::without_rescuer(T::NAME)?,
            },
            GFP_KERNEL,
        )?;
        let inner = NonNull::from(KBox::leak(inner));

        // SAFETY: It is initialised, and will be unregistered before its memory goes.
        let registered = to_result(unsafe { bindings::dm_register_target(inner.as_ptr().cast()) });
        if let Err(error) = registered {
            // SAFETY: It came from a box, and nobody else knows it.
            drop(unsafe { KBox::from_raw(inner.as_ptr()) });
            return Err(error);
        }
        // INVARIANT: It is registered now, and is not touched again until `drop`.
        Ok(Self {
            inner,
            _target: PhantomData,
        })
    }
}

impl<T: Target> Drop for Registration<T> {
    fn drop(&mut self) {
        let inner = self.inner.as_ptr();

        // SAFETY: By the invariant it is registered; of another name this would be a `BUG()`.
        unsafe { bindings::dm_unregister_target(inner.cast()) };
        // No new instance finds it now. The ones there are point at it, and hold the module, until
        // device-mapper has done with it (`dm_put_target_type`).
        let owner = this_module::<T::OwnerModule>().as_ptr();
        // SAFETY: It is the module that this code is part of.
        if unsafe { bindings::rust_dm_module_is_used(owner) } {
            // Somebody dropped it early. What is in use stays.
            return;
        }
        // SAFETY: By the invariant it came from a box, and nobody points at it any more.
        drop(unsafe { KBox::from_raw(inner) });
    }
}

/// What `dm_target.private` points at.
struct Instance<S> {
    state: Pin<KBox<S>>,
    // Dropped last: the state has handles of them.
    worker: worker::Slot,
    // No bio is left, but the function that ended one may still return to its queue.
    _late: late::Slot,
    _devices: OpenDevices,
}

impl<S> Drop for Instance<S> {
    fn drop(&mut self) {
        // While the state is still there.
        self.worker.stop();
    }
}

/// Whether a table can name a target so: `dm_target_spec` has room for that many characters and a NUL, and
/// a table's words are separated by spaces.
const fn is_type_name(name: &[u8]) -> bool {
    let mut rest = name;

    while let [first, others @ ..] = rest {
        if !first.is_ascii_graphic() {
            return false;
        }
        rest = others;
    }
    !name.is_empty() && name.len() < bindings::DM_TYPE_NAME_SIZE as usize
}

/// The C side of a target type.
struct Callbacks<T: Target>(PhantomData<T>);

impl<T: Target> Callbacks<T> {
    /// Whether device-mapper has to tell us of completions.
    const ENDS_IO: bool = T::HAS_END_IO || T::PerBio::LATE || core::mem::needs_drop::<T::PerBio>();

    /// How many bytes come with each bio.
    const PER_BIO: c_uint = {
        assert!(Space::<T::PerBio>::SIZE <= 4096);
        Space::<T::PerBio>::SIZE as c_uint
    };

    fn target_type() -> bindings::target_type {
        const {
            // No table could name it.
            assert!(is_type_name(T::NAME.to_bytes()));
        }
        const {
            // There is room for it with each bio, and somebody to hear of it, or neither.
            assert!(T::HAS_END_LATE == T::PerBio::LATE);
        }
        #[cfg(CONFIG_BLK_DEV_ZONED)]
        const {
            // Device-mapper asks whoever claims it for a report.
            assert!(T::HAS_REPORT_ZONES || !T::FEATURES.contains(Features::ZONED_HM));
        }
        bindings::target_type {
            features: T::FEATURES.0,
            name: T::NAME.as_char_ptr(),
            // A null module would let the code be unloaded while it runs.
            module: this_module::<T::OwnerModule>().as_ptr(),
            version: T::VERSION,
            ctr: Some(Self::ctr),
            dtr: Some(Self::dtr),
            map: Some(Self::map),
            end_io: if Self::ENDS_IO {
                Some(Self::end_io)
            } else {
                None
            },
            presuspend: if T::HAS_PRESUSPEND {
                Some(Self::presuspend)
            } else {
                None
            },
            presuspend_undo: if T::HAS_PRESUSPEND_UNDO {
                Some(Self::presuspend_undo)
            } else {
                None
            },
            postsuspend: if T::HAS_POSTSUSPEND {
                Some(Self::postsuspend)
            } else {
                None
            },
            preresume: if T::HAS_PRERESUME {
                Some(Self::preresume)
            } else {
                None
            },
            resume: if T::HAS_RESUME {
                Some(Self::resume)
            } else {
                None
            },
            status: if T::HAS_STATUS {
                Some(Self::status)
            } else {
                None
            },
            message: if T::HAS_MESSAGE {
                Some(Self::message)
            } else {
                None
            },
            prepare_ioctl: if T::HAS_PREPARE_IOCTL {
                Some(Self::prepare_ioctl)
            } else {
                None
            },
            iterate_devices: Some(Self::iterate_devices),
            #[cfg(CONFIG_BLK_DEV_ZONED)]
            report_zones: if T::HAS_REPORT_ZONES {
                Some(Self::report_zones)
            } else {
                None
            },
            io_hints: if T::HAS_IO_HINTS {
                Some(Self::io_hints)
            } else {
                None
            },
            ..Default::default()
        }
    }

    /// The state of `ti`, for a callback in its scope.
    ///
    /// # Safety
    ///
    /// The constructor of `ti` has succeeded, and its destructor does not begin during `'a`.
    #[inline]
    unsafe fn state<'a>(ti: *mut bindings::dm_target, _scope: &'a NoIo) -> &'a T::State<'a> {
        // SAFETY: The constructor left it there, and it lives until the destructor. That it was made
        // for another lifetime, that of the instance, makes no difference to its layout; the
        // devices in it are open for `'a` too.
        unsafe { &(*(*ti).private.cast::<Instance<T::State<'a>>>()).state }
    }

    /// The words of a call of device-mapper.
    ///
    /// # Safety
    ///
    /// `ti` is live, and `argc` and `argv` are those of the call, for which `'a` must end.
    unsafe fn args<'a>(
        ti: *mut bindings::dm_target,
        argc: c_uint,
        argv: *mut *mut c_char,
    ) -> Args<'a> {
        // SAFETY: A table has a name for as long as it lives; the caller promises the rest.
        unsafe { Args::from_raw(bindings::dm_table_device_name((*ti).table), argc, argv) }
    }

    /// # Safety
    ///
    /// For device-mapper's `ctr` slot alone: `ti` is live and ours, `argv` holds `argc` strings.
    unsafe extern "C" fn ctr(
        ti: *mut bindings::dm_target,
        argc: c_uint,
        argv: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: By the contract of the slot.
        let mut args = unsafe { Self::args(ti, argc, argv) };
        // SAFETY: By the contract of the slot it is not null.
        let live = unsafe { NonNull::new_unchecked(ti) };
        let builder = Builder {
            // INVARIANT: The constructor runs, and device-mapper leaves `ti` alone meanwhile.
            ti: live,
            // SAFETY: It is dropped before the constructor returns, or goes into the instance, which
            // the destructor drops.
            devices: unsafe { OpenDevices::new(live) },
            // SAFETY:
            // - The instance holds its type, which is that of a `Type`, and with it the queue.
            // - It is the function for works of this target.
            worker: unsafe {
                let all = (*ti).type_.cast::<Type>();
                worker::Slot::new(NonNull::new_unchecked(&raw mut (*all).queue), Self::work)
            },
            late: late::Slot::new(T::NAME),
            _brand: PhantomData,
        };
        // With none, device-mapper would drop flushes silently.
        // SAFETY: `ti` is ours until the constructor returns.
        unsafe { (*ti).num_flush_bios = 1 };

        match Self::construct(builder, &mut args) {
            Ok(instance) => {
                // SAFETY: `ti` is ours until the constructor returns.
                unsafe {
                    (*ti).per_io_data_size = Self::PER_BIO;
                    // Of a bio that `MapBio::complete` has ended, device-mapper would otherwise look at the
                    // clone, which may be gone (`dm_start_io_acct`).
                    (*ti).set_accounts_remapped_io(true);
                    (*ti).private = KBox::into_raw(instance).cast();
                }
                0
            }
            Err(error) => {
                // SAFETY: As above. Device-mapper only reads the text, which is static, as it
                // must be: it is printed after this has returned.
                unsafe { (*ti).error = error.sentence().as_char_ptr().cast_mut() };
                error.errno().to_errno()
            }
        }
    }

    fn construct<'t>(
        mut builder: Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<KBox<Instance<T::State<'t>>>, CtrError> {
        let state = KBox::try_pin_init(T::ctr(&mut builder, args)?, GFP_KERNEL)?;

        if let Some(word) = args.next() {
            return Err(args.refuse(
                Some(word),
                EINVAL,
                c"Too many arguments",
                format_args!("nothing may stand here"),
            ));
        }
        if T::FEATURES.contains(Features::PASSES_INTEGRITY) {
            if let Some((first, other)) = builder.devices.other_integrity() {
                return Err(args.refuse(
                    Some(other.number()),
                    EINVAL,
                    c"Integrity profiles differ",
                    format_args!(
                        "has another integrity profile than {}; all devices of this target share one",
                        first.name()
                    ),
                ));
            }
        }
        // The worker may run from here on.
        builder.worker.set_state(NonNull::from(&*state).cast());
        Ok(KBox::new(
            Instance {
                state,
                worker: builder.worker,
                _late: builder.late,
                _devices: builder.devices,
            },
            GFP_KERNEL,
        )?)
    }

    /// # Safety
    ///
    /// For the work of an instance of this target alone: it is live.
    unsafe extern "C" fn work(work: *mut work_struct) {
        let _noio = NoIo::enter();

        // SAFETY: The caller's promise.
        let state = unsafe { worker::Item::state_of(work) }.cast::<T::State<'_>>();
        // SAFETY: `construct` set it, or it is null. The state is not dropped before the work has been
        // stopped.
        if let (true, Some(state)) = (T::HAS_WORK, unsafe { state.as_ref() }) {
            T::work(state);
        }
    }

    /// # Safety
    ///
    /// For the `dtr` slot alone: the constructor of `ti` has succeeded, no other callback runs or
    /// will run.
    unsafe extern "C" fn dtr(ti: *mut bindings::dm_target) {
        let _noio = NoIo::enter();

        // SAFETY: The constructor left it there, and nobody uses it any more.
        drop(unsafe { KBox::from_raw((*ti).private.cast::<Instance<T::State<'_>>>()) });
    }

    /// # Safety
    ///
    /// For the `map` slot alone: `ti` is constructed, and `clone` a live bio of it.
    unsafe extern "C" fn map(ti: *mut bindings::dm_target, clone: *mut bio) -> c_int {
        let noio = NoIo::enter_unless(T::FEATURES.contains(Features::NOWAIT));
        // This is no atomic context, so that the kernel would not notice by itself. All bios are
        // looked at, not only those that must not wait, because these are rare.
        #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
        let _non_block = T::FEATURES
            .contains(Features::NOWAIT)
            .then(super::nonblock::NonBlock::enter);
        // SAFETY: The contract of the slot: neither is null.
        let (live, bio) = unsafe { (NonNull::new_unchecked(ti), NonNull::new_unchecked(clone)) };
        // SAFETY: I/O only comes between constructor and destructor.
        let state = unsafe { Self::state(ti, &noio) };
        // SAFETY: The bio is a clone for this target, whose `per_io_data_size` the constructor set, and only
        // we know of it.
        unsafe { Space::init(bio, T::PerBio::default()) };

        // SAFETY: The bio is live and held by us until the `MapBio` is consumed, its data has been
        // initialised above, and `'b` cannot leave `T::map`.
        let mapped = T::map(state, unsafe { MapBio::from_raw(bio, live) });

        if core::mem::needs_drop::<T::PerBio>() && !mapped.completes() {
            // SAFETY: The bio is still ours, its data is initialised, and `end_io` will not come.
            unsafe { core::ptr::drop_in_place(Space::<T::PerBio>::own(bio).as_ptr()) };
        }
        mapped.code()
    }

    /// # Safety
    ///
    /// For the `end_io` slot alone: `ti` is constructed, `clone` a bio of it that was remapped and
    /// has completed, or a read that ends late and whose work has run.
    unsafe extern "C" fn end_io(
        ti: *mut bindings::dm_target,
        clone: *mut bio,
        status: *mut blk_status_t,
    ) -> c_int {
        let noio = NoIo::enter_in_task_unless(T::FEATURES.contains(Features::NOWAIT));
        #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
        let _non_block = T::FEATURES
            .contains(Features::NOWAIT)
            .then(super::nonblock::NonBlock::enter_in_task);
        // SAFETY: The contract of the slot: none is null.
        let (bio, status) = unsafe {
            (
                NonNull::new_unchecked(clone),
                NonNull::new_unchecked(status),
            )
        };
        // SAFETY: The bio is a clone for this target, whose `per_io_data_size` the constructor set.
        let space = unsafe { Space::<T::PerBio>::of(bio) };

        // SAFETY: The space is that of the bio.
        if let Some(late) = space.and_then(|space| unsafe { Space::late_in(space) }) {
            // SAFETY: `map` initialised it, and the bio has completed.
            match unsafe { Late::stage(late) } {
                Stage::Now => {}
                Stage::Late => {
                    // SAFETY: The bio has completed, and is the worker's from here on.
                    unsafe { Late::queue(late, Self::end_late) };
                    return bindings::DM_ENDIO_INCOMPLETE as c_int;
                }
                Stage::Ended => return bindings::DM_ENDIO_DONE as c_int,
            }
        }

        let completion = if T::HAS_END_IO {
            // SAFETY: A destructor waits for all I/O of its target.
            let state = unsafe { Self::state(ti, &noio) };
            // SAFETY: The bio is live, and its data was initialised by `map`.
            T::end_io(state, &mut unsafe { EndBio::from_raw(bio, status) })
        } else {
            Completion::Done
        };

        if core::mem::needs_drop::<T::PerBio>() {
            let own = space.map_or(NonNull::dangling(), Space::own_in);
            // SAFETY: `map` initialised it; both completions free the clone, so this is the last
            // use.
            unsafe { core::ptr::drop_in_place(own.as_ptr()) };
        }
        match completion {
            Completion::Done => bindings::DM_ENDIO_DONE as c_int,
            Completion::Requeue => bindings::DM_ENDIO_REQUEUE as c_int,
        }
    }

    /// # Safety
    ///
    /// For the work of a bio of this target alone, which has completed and ends late.
    unsafe extern "C" fn end_late(work: *mut work_struct) {
        // SAFETY: The caller's promise.
        let late = unsafe { Late::of_work(work) };
        // SAFETY: As above: the bio is live until it has ended.
        let (space, bio) = unsafe { Space::<T::PerBio>::of_late(late) };

        {
            let noio = NoIo::enter();
            // SAFETY: The stage is `Late`, and the bio is ours alone.
            let wait = unsafe { Late::waiting(late) };
            // SAFETY: A destructor waits for all I/O of its target.
            let state = unsafe { Self::state(wait.target.as_ptr(), &noio) };

            if T::HAS_END_LATE {
                // SAFETY: The bio has completed, its data was initialised by `map`, and its payload is
                // there until it ends.
                let mut bio = unsafe { LateBio::from_raw(bio, wait.payload.clone()) };
                T::end_late(state, &mut bio);
            }
            // SAFETY: `map` initialised it, and this is the last use.
            unsafe { core::ptr::drop_in_place(Space::own_in(space).as_ptr()) };
        }

        // SAFETY: The bio is ours, and ends with this. Neither it nor the target is used from here on; the
        // queue waits for this function before it goes.
        unsafe {
            Late::end(late);
            if let Some(end) = (*bio.as_ptr()).bi_end_io {
                end(bio.as_ptr());
            }
        }
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed.
    unsafe extern "C" fn presuspend(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        T::presuspend(unsafe { Self::state(ti, &noio) });
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed.
    unsafe extern "C" fn presuspend_undo(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        T::presuspend_undo(unsafe { Self::state(ti, &noio) });
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed.
    unsafe extern "C" fn postsuspend(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        T::postsuspend(unsafe { Self::state(ti, &noio) });
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed.
    unsafe extern "C" fn preresume(ti: *mut bindings::dm_target) -> c_int {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        match T::preresume(unsafe { Self::state(ti, &noio) }) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed.
    unsafe extern "C" fn resume(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        T::resume(unsafe { Self::state(ti, &noio) });
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, and `result` has room for `maxlen`
    /// bytes.
    unsafe extern "C" fn status(
        ti: *mut bindings::dm_target,
        kind: bindings::status_type_t,
        _flags: c_uint,
        result: *mut c_char,
        maxlen: c_uint,
    ) {
        let noio = NoIo::enter();
        // SAFETY: The contract of the slot.
        let state = unsafe { Self::state(ti, &noio) };
        // SAFETY: The contract of the slot; the buffer is not used by others during the call.
        let Some(mut out) = (unsafe { StatusWriter::from_raw(result, maxlen) }) else {
            return;
        };
        let Some(kind) = StatusKind::from_raw(kind) else {
            return;
        };

        if kind == StatusKind::Ima {
            let [major, minor, patch] = T::VERSION;
            // The writer never fails: it cuts off, which is what device-mapper looks for.
            let _ = write!(
                out,
                "target_name={},target_version={major}.{minor}.{patch}",
                super::bytes::word::Escaped(T::NAME.to_bytes())
            );
        }
        T::status(state, kind, &mut out);
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, `argv` holds `argc` strings, and `result` has
    /// room for `maxlen` bytes.
    unsafe extern "C" fn message(
        ti: *mut bindings::dm_target,
        argc: c_uint,
        argv: *mut *mut c_char,
        result: *mut c_char,
        maxlen: c_uint,
    ) -> c_int {
        let noio = NoIo::enter();
        // SAFETY: The contract of the slot.
        let state = unsafe { Self::state(ti, &noio) };
        let answered = {
            // SAFETY: The contract of the slot. The buffer for an answer begins where the words do
            // (`target_message`), and is left alone until nobody has them any more.
            let mut args = unsafe { Self::args(ti, argc, argv) };
            T::message(state, &mut args)
        };

        let answer = match answered {
            Ok(Some(answer)) if T::HAS_ANSWER => answer,
            Ok(_) => return 0,
            Err(error) => return error.errno().to_errno(),
        };
        // SAFETY: The contract of the slot; the buffer is not used by others during the call, and the words
        // in it are gone.
        match unsafe { StatusWriter::from_raw(result, maxlen) } {
            // 1 is that there is an answer (`target_message`).
            Some(mut out) => c_int::from(T::answer(state, answer, &mut out)),
            None => 1,
        }
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, and `bdev` is valid for a write.
    unsafe extern "C" fn prepare_ioctl(
        ti: *mut bindings::dm_target,
        bdev: *mut *mut block_device,
        _cmd: c_uint,
        _arg: c_ulong,
        _forward: *mut bool,
    ) -> c_int {
        let noio = NoIo::enter();
        // SAFETY: The contract of the slot.
        let (device, result) = match T::prepare_ioctl(unsafe { Self::state(ti, &noio) }) {
            IoctlRoute::Whole(device) => (device, 0),
            IoctlRoute::Part(device) => (device, 1),
        };

        // SAFETY: The contract of the slot. The device lives as long as the table, which
        // device-mapper holds during the ioctl.
        unsafe { *bdev = device.bdev() };
        result
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, and `callout` takes `data`.
    unsafe extern "C" fn iterate_devices(
        ti: *mut bindings::dm_target,
        callout: bindings::iterate_devices_callout_fn,
        data: *mut c_void,
    ) -> c_int {
        let noio = NoIo::enter();
        // INVARIANT: The contract of the slot.
        let mut visitor = DeviceVisitor {
            ti,
            callout,
            data,
            result: 0,
            _data: PhantomData,
        };

        // SAFETY: The contract of the slot.
        T::iterate_devices(unsafe { Self::state(ti, &noio) }, &mut visitor);
        visitor.result
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, and `args` is valid and ours.
    #[cfg(CONFIG_BLK_DEV_ZONED)]
    unsafe extern "C" fn report_zones(
        ti: *mut bindings::dm_target,
        args: *mut bindings::dm_report_zones_args,
        room: c_uint,
    ) -> c_int {
        let noio = NoIo::enter();
        // SAFETY: The contract of the slot: neither is null.
        let (live, args) = unsafe { (NonNull::new_unchecked(ti), NonNull::new_unchecked(args)) };
        // SAFETY: The contract of the slot.
        let report = unsafe { super::ZoneReport::from_raw(live, args, room) };

        // SAFETY: The contract of the slot.
        match T::report_zones(unsafe { Self::state(ti, &noio) }, report) {
            Ok(reported) => reported.code(),
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// For the slot of its name alone: `ti` is constructed, and `limits` is valid and ours.
    unsafe extern "C" fn io_hints(ti: *mut bindings::dm_target, limits: *mut queue_limits) {
        let noio = NoIo::enter();

        if let Some(limits) = NonNull::new(limits) {
            // INVARIANT: The contract of the slot.
            let mut limits = QueueLimits(limits, PhantomData);
            // SAFETY: The contract of the slot.
            T::io_hints(unsafe { Self::state(ti, &noio) }, &mut limits);
        }
    }
}
