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
    IoTask,
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
/// All methods except [`Target::ctr`] get a shared reference to the state: device-mapper calls them concurrently,
/// from different CPUs. Optional methods that are left out stay null in the `target_type`, so device-mapper does
/// what it does for C targets without them.
///
/// When a table is reloaded, two instances overlap. The order is: the new one's `ctr`, the old one's suspend hooks,
/// the swap, the new one's resume hooks, the drop of the old one. So `ctr` must not create anything that can
/// exist only once for each device. A table may also be dropped without ever having been resumed.
///
/// Except in `ctr`, no allocation in these methods starts I/O: the device may be suspended, or its I/O may be what
/// the memory waits for. Each method is called in a scope that ensures this, and so are the default and the drop
/// of a `PerBio` and the drop of an instance. Two groups have no scope, because there no allocation may wait at
/// all: code in an interrupt, and, in a target that claims [`Features::NOWAIT`], `map`, `end_io` and `PerBio`.
#[vtable]
pub trait Target: Sized + 'static {
    /// Its name in tables: 1 to 15 plain characters. If no such target is registered, device-mapper loads the
    /// module `dm-NAME`.
    const NAME: &'static CStr;

    /// Its version. The major number changes when the interface breaks, and the minor number when it grows.
    const VERSION: [u32; 3];

    /// What it claims to support.
    const FEATURES: Features = Features::NONE;

    /// An instance, with the devices that are open for `'t`.
    type State<'t>: Send + Sync + 't;

    /// Its data for each bio, from `map` to `end_io`; `()` for none.
    type PerBio: PerBio;

    /// The answer to a message; `()` if there is none. It cannot borrow the words of the message, because the answer
    /// overwrites them.
    type Answer: 'static;

    /// Makes an instance from the words of a table line. May sleep.
    ///
    /// Words that it leaves in `args` are refused. After an error, everything that it got is dropped: a failed
    /// constructor has no destructor.
    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Self::State<'t>, Error>, CtrError>;

    /// Decides about a bio. Runs in process context, concurrently on any number of CPUs.
    ///
    /// It may sleep unless [`Features::NOWAIT`] is claimed, but must not wait for other I/O to the same device.
    fn map<'b>(state: &Self::State<'_>, bio: MapBio<'b, Self::PerBio>) -> Mapped<'b>;

    /// Called for a completed bio, unless the bio ends late ([`MapBio::end_late`]). May run in an interrupt, or within
    /// `map`, by [`MapBio::complete`]: it must not sleep.
    fn end_io(_state: &Self::State<'_>, _bio: &mut EndBio<'_, Self::PerBio>) -> Completion {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called for a read that ends late. The read has completed at the device, and completes upwards when this returns.
    /// Runs in a task, several at once. It may sleep, but the reader waits for it, and memory may only become free when
    /// the read is done. So it must not wait for I/O.
    fn end_late(_state: &Self::State<'_>, _bio: &mut LateBio<'_, Self::PerBio>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A suspend begins. I/O still arrives, and the suspend may yet be undone. May sleep.
    fn presuspend(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The suspend that had begun is given up. May sleep.
    fn presuspend_undo(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// No I/O is in flight any more, unless the device is being removed by force. This is the time to drain
    /// workers. May sleep.
    fn postsuspend(_state: &Self::State<'_>, _task: &IoTask<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The work that [`Worker`] starts. Runs in a task, one at a time. May sleep.
    fn work(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The work that [`IoWorker`] starts, and that bios may wait for. Runs in a task, one at a time. May sleep, and wait
    /// for I/O to the instance's devices.
    ///
    /// [`IoWorker`]: super::IoWorker
    fn io_work(_state: &Self::State<'_>, _task: &IoTask<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The table is about to be used: the time to start workers. May sleep.
    ///
    /// # Errors
    ///
    /// The device stays suspended.
    fn preresume(_state: &Self::State<'_>, _task: &IoTask<'_>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The table is in use, and I/O begins right after this. May sleep.
    fn resume(_state: &Self::State<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Answers `dmsetup status`, `dmsetup table` and the integrity measurement. May sleep.
    fn status(_state: &Self::State<'_>, _kind: StatusKind, _out: &mut StatusWriter<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Handles a message. May sleep, and several may run at once.
    ///
    /// If it returns `Some`, [`Self::answer`] writes the answer.
    ///
    /// # Errors
    ///
    /// [`Args::refuse`] prints what is wrong, and makes the error.
    fn message(
        _state: &Self::State<'_>,
        _args: &mut Args<'_>,
    ) -> Result<Option<Self::Answer>, CtrError> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Writes the answer to a message, which user space gets as text. If user space has no room for it, it sends
    /// the whole message again. May sleep.
    ///
    /// Returns whether there is an answer. Return `false` if it does not fit and the message must not be sent
    /// again.
    fn answer(
        _state: &Self::State<'_>,
        _answer: Self::Answer,
        _out: &mut StatusWriter<'_>,
    ) -> bool {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The route of an ioctl for the whole device. May sleep.
    fn prepare_ioctl<'s>(_state: &'s Self::State<'_>) -> IoctlRoute<'s> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Shows each range of an underlying device that the target uses to `visitor`. The limits of the queue are
    /// stacked from these.
    ///
    /// Every target must have it, because a device that is not shown loses its flushes. Device-mapper does not see its
    /// write cache, and the block layer then removes PREFLUSH and FUA from each bio. Only a target without devices
    /// shows none.
    fn iterate_devices(state: &Self::State<'_>, visitor: &mut DeviceVisitor<'_>);

    /// Reports zones, for [`Features::ZONED_HM`]. May sleep.
    ///
    /// # Errors
    ///
    /// Those of the underlying device.
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
