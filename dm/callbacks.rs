// SPDX-License-Identifier: GPL-2.0

//! The callbacks through which device-mapper reaches a target.
//!
//! What the C interface requires of every target is done here, once for all targets.

use super::{
    bindings,
    bio::Space,
    device::OpenDevices,
    io,
    io_worker,
    late::{
        self,
        Late,
        Stage, //
    },
    noio::NoIo,
    opener,
    queues::MappedDevice,
    registration::Type,
    worker,
    Args,
    Builder,
    Completion,
    CtrError,
    DeviceVisitor,
    EndBio,
    Features,
    IoTask,
    IoctlRoute,
    LateBio,
    MapBio,
    PerBio,
    QueueLimits,
    StatusKind,
    StatusWriter,
    Target, //
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

/// What `dm_target.private` points at.
struct Instance<S> {
    state: Pin<KBox<S>>,
    // Dropped last: the state has handles to them.
    // It waits for I/O, which starts the I/O worker and uses the devices.
    _io: io::Slot,
    io_worker: io_worker::Slot,
    worker: worker::Slot,
    // No bio is left, but the function that ended the last one may not have returned yet. The queue waits for that
    // before it is destroyed.
    late: late::Slot,
    _opener: opener::Slot,
    _devices: OpenDevices,
}

impl<S> Drop for Instance<S> {
    fn drop(&mut self) {
        // While the state still exists.
        self.io_worker.stop();
        self.worker.stop();
    }
}

/// Whether a table can use this name for a target. `dm_target_spec` has space for that many characters and a NUL,
/// and the words of a table are separated by spaces.
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
pub(super) struct Callbacks<T: Target>(PhantomData<T>);

impl<T: Target> Callbacks<T> {
    /// Whether device-mapper must call us at completion.
    const ENDS_IO: bool = T::HAS_END_IO || T::PerBio::LATE || core::mem::needs_drop::<T::PerBio>();

    /// The size of the per-bio space, in bytes.
    const PER_BIO: c_uint = {
        assert!(Space::<T::PerBio>::SIZE <= 4096);
        Space::<T::PerBio>::SIZE as c_uint
    };

    pub(super) fn target_type() -> bindings::target_type {
        const {
            // No table could use the name.
            assert!(is_type_name(T::NAME.to_bytes()));
        }
        const {
            // Either there is space in each bio and a method to call, or neither.
            assert!(T::HAS_END_LATE == T::PerBio::LATE);
        }
        #[cfg(CONFIG_BLK_DEV_ZONED)]
        const {
            // Device-mapper asks a target that claims it for a report.
            assert!(T::HAS_REPORT_ZONES || !T::FEATURES.contains(Features::ZONED_HM));
        }
        bindings::target_type {
            features: T::FEATURES.bits(),
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
            presuspend: if T::HAS_PRESUSPEND || T::PerBio::LATE {
                Some(Self::presuspend)
            } else {
                None
            },
            presuspend_undo: if T::HAS_PRESUSPEND_UNDO || T::PerBio::LATE {
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
            resume: if T::HAS_RESUME || T::PerBio::LATE {
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
    unsafe fn state<'a>(ti: *mut bindings::dm_target, scope: &'a NoIo) -> &'a T::State<'a> {
        // SAFETY: The caller's promise.
        unsafe { &Self::instance(ti, scope).state }
    }

    /// The instance of `ti`, for a callback in its scope.
    ///
    /// # Safety
    ///
    /// As for [`Self::state`].
    #[inline]
    unsafe fn instance<'a>(
        ti: *mut bindings::dm_target,
        _scope: &'a NoIo,
    ) -> &'a Instance<T::State<'a>> {
        // SAFETY: The constructor left it there, and it lives until the destructor. It was made for another
        // lifetime, that of the instance; this does not affect its layout, and the devices in it are open for
        // `'a`, too.
        unsafe { &*(*ti).private.cast::<Instance<T::State<'a>>>() }
    }

    /// The words of a call by device-mapper.
    ///
    /// # Safety
    ///
    /// `ti` is live. `argc` and `argv` are those of the call, and `'a` ends before the call does.
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
    /// Only for device-mapper's `ctr` slot: `ti` is live and ours, and `argv` holds `argc` strings.
    unsafe extern "C" fn ctr(
        ti: *mut bindings::dm_target,
        argc: c_uint,
        argv: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: By the contract of the slot.
        let mut args = unsafe { Self::args(ti, argc, argv) };
        // SAFETY: By the contract of the slot it is not null.
        let live = unsafe { NonNull::new_unchecked(ti) };
        // SAFETY: It is dropped before the constructor returns, or moves into the instance, which the destructor
        // drops.
        let devices = unsafe { OpenDevices::new(live) };
        // SAFETY:
        // - The instance holds its type, which is part of a `Type`, and with it the queue.
        // - It is the work function for this target.
        let worker = unsafe {
            let all = (*ti).type_.cast::<Type>();
            worker::Slot::new(NonNull::new_unchecked(&raw mut (*all).queue), Self::work)
        };
        // SAFETY: The instance holds its type, which is that of a `Type`. It is dropped in its destructor.
        let late = unsafe {
            let all = (*ti).type_.cast::<Type>();
            late::Slot::new(MappedDevice::of(live), (*all).late.clone())
        };
        // SAFETY: It is the work function for this target. The mapped device outlives the instance.
        let io_worker =
            unsafe { io_worker::Slot::new(T::NAME, MappedDevice::of(live), Self::io_work) };
        // SAFETY:
        // - The constructor runs, and device-mapper does not touch `ti` meanwhile.
        // - `construct` puts all of these into the instance after its state, so they are dropped after it.
        let builder = unsafe { Builder::from_raw(live, devices, worker, io_worker, late) };
        // With 0, device-mapper would silently drop flushes.
        // SAFETY: `ti` is ours until the constructor returns.
        unsafe { (*ti).num_flush_bios = 1 };

        match Self::construct(builder, &mut args) {
            Ok(instance) => {
                // SAFETY: `ti` is ours until the constructor returns.
                unsafe {
                    (*ti).per_io_data_size = Self::PER_BIO;
                    // Otherwise, for a bio that `MapBio::complete` has ended, device-mapper would look at the clone,
                    // which may be gone (`dm_start_io_acct`).
                    (*ti).set_accounts_remapped_io(true);
                    (*ti).private = KBox::into_raw(instance).cast();
                }
                0
            }
            Err(error) => {
                // SAFETY: As above. Device-mapper only reads the text. It must be static, and is, because it is
                // printed after this has returned.
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
        builder.io_worker.set_state(NonNull::from(&*state).cast());
        // From here on, only a message may make the queue, and not before the table has been resumed.
        builder.late.set_may_make(false);
        Ok(KBox::new(
            Instance {
                state,
                _io: builder.io,
                io_worker: builder.io_worker,
                worker: builder.worker,
                late: builder.late,
                _opener: builder.opener,
                _devices: builder.devices,
            },
            GFP_KERNEL,
        )?)
    }

    /// # Safety
    ///
    /// Only for the work of an instance of this target, which is live.
    unsafe extern "C" fn work(work: *mut work_struct) {
        let _noio = NoIo::enter();

        // SAFETY: The caller's promise.
        let state = unsafe { worker::Item::state_of(work) }.cast::<T::State<'_>>();
        // SAFETY: `construct` set it, or it is null. The state is not dropped before the work has been stopped.
        if let (true, Some(state)) = (T::HAS_WORK, unsafe { state.as_ref() }) {
            T::work(state);
        }
    }

    /// # Safety
    ///
    /// Only for the I/O work of an instance of this target, which is live.
    unsafe extern "C" fn io_work(work: *mut work_struct) {
        let _noio = NoIo::enter();

        // SAFETY: The caller's promise.
        let state = unsafe { worker::Item::state_of(work) }.cast::<T::State<'_>>();
        // SAFETY: As in `work`.
        if let (true, Some(state)) = (T::HAS_IO_WORK, unsafe { state.as_ref() }) {
            T::io_work(state, &IoTask::new());
        }
    }

    /// # Safety
    ///
    /// Only for the `dtr` slot: the constructor of `ti` has succeeded, and no other callback runs or will run.
    unsafe extern "C" fn dtr(ti: *mut bindings::dm_target) {
        let _noio = NoIo::enter();

        // SAFETY: The constructor left it there, and nothing uses it any more.
        drop(unsafe { KBox::from_raw((*ti).private.cast::<Instance<T::State<'_>>>()) });
    }

    /// # Safety
    ///
    /// Only for the `map` slot: `ti` is constructed, and `clone` is a live bio of it.
    unsafe extern "C" fn map(ti: *mut bindings::dm_target, clone: *mut bio) -> c_int {
        let noio = NoIo::enter_unless(T::FEATURES.contains(Features::NOWAIT));
        // This is no atomic context, so the kernel would not notice a sleep by itself. All bios are checked, not
        // only NOWAIT ones, because those are rare.
        #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
        let _non_block = T::FEATURES
            .contains(Features::NOWAIT)
            .then(super::nonblock::NonBlock::enter);
        // SAFETY: By the contract of the slot, neither is null.
        let (live, bio) = unsafe { (NonNull::new_unchecked(ti), NonNull::new_unchecked(clone)) };
        // SAFETY: I/O only arrives between constructor and destructor.
        let state = unsafe { Self::state(ti, &noio) };
        // SAFETY: The bio is a clone for this target, whose `per_io_data_size` the constructor set, and only we
        // access it.
        unsafe { Space::init(bio, T::PerBio::default()) };

        // SAFETY: The bio is live and ours until the `MapBio` is consumed, its data was initialised above, and
        // `'b` cannot leave `T::map`.
        let mapped = T::map(state, unsafe { MapBio::from_raw(bio, live) });

        if core::mem::needs_drop::<T::PerBio>() && !mapped.completes() {
            // SAFETY: The bio is still ours, its data is initialised, and `end_io` will not be called.
            unsafe { core::ptr::drop_in_place(Space::<T::PerBio>::own(bio).as_ptr()) };
        }
        mapped.code()
    }

    /// # Safety
    ///
    /// Only for the `end_io` slot: `ti` is constructed, and `clone` is a bio of it that was remapped and has
    /// completed, or a read that ends late and whose work has run.
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
        // SAFETY: By the contract of the slot, none is null.
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
                    // SAFETY: The bio has completed, and belongs to the worker from here on.
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
            // SAFETY: `map` initialised it. Both completions free the clone, so this is the last use.
            unsafe { core::ptr::drop_in_place(own.as_ptr()) };
        }
        match completion {
            Completion::Done => bindings::DM_ENDIO_DONE as c_int,
            Completion::Requeue => bindings::DM_ENDIO_REQUEUE as c_int,
        }
    }

    /// # Safety
    ///
    /// Only for the work of a bio of this target that has completed and ends late.
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

        // SAFETY: The bio is ours, and ends with this. Neither it nor the target is used from here on. The queue waits
        // for this function before it is destroyed.
        unsafe {
            Late::end(late);
            if let Some(end) = (*bio.as_ptr()).bi_end_io {
                end(bio.as_ptr());
            }
        }
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed.
    unsafe extern "C" fn presuspend(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        let instance = unsafe { Self::instance(ti, &noio) };

        instance.late.set_may_make(false);
        if T::HAS_PRESUSPEND {
            T::presuspend(&instance.state);
        }
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed.
    unsafe extern "C" fn presuspend_undo(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        let instance = unsafe { Self::instance(ti, &noio) };

        if T::HAS_PRESUSPEND_UNDO {
            T::presuspend_undo(&instance.state);
        }
        instance.late.set_may_make(true);
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed.
    unsafe extern "C" fn postsuspend(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        T::postsuspend(unsafe { Self::state(ti, &noio) }, &IoTask::new());
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed.
    unsafe extern "C" fn preresume(ti: *mut bindings::dm_target) -> c_int {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        match T::preresume(unsafe { Self::state(ti, &noio) }, &IoTask::new()) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed.
    unsafe extern "C" fn resume(ti: *mut bindings::dm_target) {
        let noio = NoIo::enter();

        // SAFETY: The contract of the slot.
        let instance = unsafe { Self::instance(ti, &noio) };

        if T::HAS_RESUME {
            T::resume(&instance.state);
        }
        instance.late.set_may_make(true);
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed, and `result` has space for `maxlen` bytes.
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
        // SAFETY: By the contract of the slot. Nothing else uses the buffer during the call.
        let Some(mut out) = (unsafe { StatusWriter::from_raw(result, maxlen) }) else {
            return;
        };
        let Some(kind) = StatusKind::from_raw(kind) else {
            return;
        };

        if kind == StatusKind::Ima {
            let [major, minor, patch] = T::VERSION;
            // The writer never fails. It truncates, which is what device-mapper checks for.
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
    /// Only for the slot of its name: `ti` is constructed, `argv` holds `argc` strings, and `result` has space for
    /// `maxlen` bytes.
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
            // SAFETY: By the contract of the slot. The buffer for an answer begins where the words do
            // (`target_message`). It is not written to while anything has the words.
            let mut args = unsafe { Self::args(ti, argc, argv) };
            T::message(state, &mut args)
        };

        let answer = match answered {
            Ok(Some(answer)) if T::HAS_ANSWER => answer,
            Ok(_) => return 0,
            Err(error) => return error.errno().to_errno(),
        };
        // SAFETY: By the contract of the slot. Nothing else uses the buffer during the call, and the words in it
        // are gone.
        match unsafe { StatusWriter::from_raw(result, maxlen) } {
            // 1 means that there is an answer (`target_message`).
            Some(mut out) => c_int::from(T::answer(state, answer, &mut out)),
            None => 1,
        }
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed, and `bdev` is valid for a write.
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
            IoctlRoute::Refused => return ENOTTY.to_errno(),
        };

        // SAFETY: By the contract of the slot. The device lives as long as the table, which device-mapper holds
        // during the ioctl.
        unsafe { *bdev = device.bdev() };
        result
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed, and `callout` takes `data`.
    unsafe extern "C" fn iterate_devices(
        ti: *mut bindings::dm_target,
        callout: bindings::iterate_devices_callout_fn,
        data: *mut c_void,
    ) -> c_int {
        let noio = NoIo::enter();
        // SAFETY: The contract of the slot.
        let mut visitor = unsafe { DeviceVisitor::from_raw(ti, callout, data) };

        // SAFETY: The contract of the slot.
        T::iterate_devices(unsafe { Self::state(ti, &noio) }, &mut visitor);
        visitor.result()
    }

    /// # Safety
    ///
    /// Only for the slot of its name: `ti` is constructed, and `args` is valid and ours.
    #[cfg(CONFIG_BLK_DEV_ZONED)]
    unsafe extern "C" fn report_zones(
        ti: *mut bindings::dm_target,
        args: *mut bindings::dm_report_zones_args,
        room: c_uint,
    ) -> c_int {
        let noio = NoIo::enter();
        // SAFETY: By the contract of the slot, neither is null.
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
    /// Only for the slot of its name: `ti` is constructed, and `limits` is valid and ours.
    unsafe extern "C" fn io_hints(ti: *mut bindings::dm_target, limits: *mut queue_limits) {
        let noio = NoIo::enter();

        if let Some(limits) = NonNull::new(limits) {
            // SAFETY: The contract of the slot.
            let mut limits = unsafe { QueueLimits::from_raw(limits, (*ti).begin) };
            // SAFETY: The contract of the slot.
            T::io_hints(unsafe { Self::state(ti, &noio) }, &mut limits);
        }
    }
}
