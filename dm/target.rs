// SPDX-License-Identifier: GPL-2.0

//! What a target is: the trait that it implements.

use super::{
    Args,
    Builder,
    Completion,
    CtrError,
    DeviceVisitor,
    EndBio,
    Features,
    IoctlRoute,
    LateBio,
    MapBio,
    Mapped,
    PerBio,
    QueueLimits,
    StatusKind,
    StatusWriter, //
};
use kernel::{
    error::VTABLE_DEFAULT_ERROR,
    prelude::*, //
};

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
