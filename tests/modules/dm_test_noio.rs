// SPDX-License-Identifier: GPL-2.0

//! A target whose status says in which of its callbacks allocations start no I/O, only for tests:
//! `START LENGTH test_noio DEVICE OFFSET`.
//!
//! For each callback of any instance, the status has a name, how often it was called, and how often within such a
//! scope. Callbacks in an interrupt are left out.
//!
//! A leaf with `unsafe`, because safe code never needs to ask this.

use kernel::{
    fmt::Write,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

#[path = "../../dm/mod.rs"]
pub mod dm;

use dm::{
    Args,
    Builder,
    Completion,
    CtrError,
    Device,
    DeviceVisitor,
    EndBio,
    Features,
    IoTask,
    IoWorker,
    IoctlRoute,
    LateBio,
    LateQueue,
    MapBio,
    Mapped,
    PerBio,
    QueueLimits,
    Registration,
    StatusKind,
    StatusWriter,
    Target,
    Worker, //
};

module! {
    type: NoIoModule,
    name: "dm_test_noio",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that tells where allocations start no I/O, for tests",
    license: "GPL",
}

struct NoIoModule {
    _target: Registration<NoIo>,
}

impl kernel::Module for NoIoModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

extern "C" {
    fn dm_test_in_task() -> bool;
    fn dm_test_in_noio() -> bool;
}

/// What was seen of a callback.
struct Seen {
    name: &'static str,
    calls: Atomic<u32>,
    in_scope: Atomic<u32>,
}

impl Seen {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            calls: Atomic::new(0),
            in_scope: Atomic::new(0),
        }
    }

    /// Counts a call.
    fn now(&self) {
        // SAFETY: They only read the current context.
        let (in_task, in_noio) = unsafe { (dm_test_in_task(), dm_test_in_noio()) };

        if in_task {
            self.calls.fetch_add(1, Relaxed);
            self.in_scope.fetch_add(u32::from(in_noio), Relaxed);
        }
    }
}

static PER_BIO: Seen = Seen::new("per_bio");
static PER_BIO_DROP: Seen = Seen::new("per_bio_drop");
static MAP: Seen = Seen::new("map");
static END_IO: Seen = Seen::new("end_io");
static END_LATE: Seen = Seen::new("end_late");
static PRESUSPEND: Seen = Seen::new("presuspend");
static PRESUSPEND_UNDO: Seen = Seen::new("presuspend_undo");
static POSTSUSPEND: Seen = Seen::new("postsuspend");
static PRERESUME: Seen = Seen::new("preresume");
static RESUME: Seen = Seen::new("resume");
static WORK: Seen = Seen::new("work");
static IO_WORK: Seen = Seen::new("io_work");
static STATUS: Seen = Seen::new("status");
static MESSAGE: Seen = Seen::new("message");
static ANSWER: Seen = Seen::new("answer");
static PREPARE_IOCTL: Seen = Seen::new("prepare_ioctl");
static ITERATE_DEVICES: Seen = Seen::new("iterate_devices");
static REPORT_ZONES: Seen = Seen::new("report_zones");
static IO_HINTS: Seen = Seen::new("io_hints");
static DROP: Seen = Seen::new("drop");

/// All of them.
static ALL: [&Seen; 20] = [
    &PER_BIO,
    &PER_BIO_DROP,
    &MAP,
    &END_IO,
    &END_LATE,
    &PRESUSPEND,
    &PRESUSPEND_UNDO,
    &POSTSUSPEND,
    &PRERESUME,
    &RESUME,
    &WORK,
    &IO_WORK,
    &STATUS,
    &MESSAGE,
    &ANSWER,
    &PREPARE_IOCTL,
    &ITERATE_DEVICES,
    &REPORT_ZONES,
    &IO_HINTS,
    &DROP,
];

struct NoIo;

struct Range<'t> {
    device: Device<'t>,
    offset: u64,
    sectors: u64,
    worker: Worker<'t>,
    io_worker: IoWorker<'t>,
    late: LateQueue<'t>,
}

impl Drop for Range<'_> {
    fn drop(&mut self) {
        DROP.now();
    }
}

/// Per-bio data.
struct Held;

impl Default for Held {
    fn default() -> Self {
        PER_BIO.now();
        Self
    }
}

impl PerBio for Held {
    const LATE: bool = true;
}

impl Drop for Held {
    fn drop(&mut self) {
        PER_BIO_DROP.now();
    }
}

// It does not claim NOWAIT, because then map and end_io would have no scope.
#[vtable]
impl Target for NoIo {
    const NAME: &'static CStr = c"test_noio";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::ZONED_HM;
    type State<'t> = Range<'t>;
    type PerBio = Held;
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Range<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let sectors = builder.sectors();
        let worker = builder.worker()?;
        let io_worker = builder.io_worker()?;
        let late = builder.late_queue()?;

        late.make()?;
        Ok(init!(Range { device, offset, sectors, worker, io_worker, late }? Error))
    }

    fn map<'b>(range: &Range<'_>, mut bio: MapBio<'b, Held>) -> Mapped<'b> {
        MAP.now();
        let sector = range.offset.wrapping_add(bio.sector());
        // Some reads reach both callbacks.
        if bio.sector() % 16 == 8 {
            bio.end_late(range.late);
        }
        bio.remap(range.device, sector)
    }

    fn end_io(_range: &Range<'_>, _bio: &mut EndBio<'_, Held>) -> Completion {
        END_IO.now();
        Completion::Done
    }

    fn end_late(_range: &Range<'_>, _bio: &mut LateBio<'_, Held>) {
        END_LATE.now();
    }

    fn presuspend(_range: &Range<'_>) {
        PRESUSPEND.now();
    }

    fn presuspend_undo(_range: &Range<'_>) {
        PRESUSPEND_UNDO.now();
    }

    fn postsuspend(_range: &Range<'_>, _task: &IoTask<'_>) {
        POSTSUSPEND.now();
    }

    fn preresume(_range: &Range<'_>, _task: &IoTask<'_>) -> Result {
        PRERESUME.now();
        Ok(())
    }

    fn resume(range: &Range<'_>) {
        RESUME.now();
        range.worker.start();
        range.io_worker.start();
    }

    fn io_work(_range: &Range<'_>, _task: &IoTask<'_>) {
        IO_WORK.now();
    }

    fn work(_range: &Range<'_>) {
        WORK.now();
    }

    fn status(range: &Range<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        STATUS.now();
        let (name, offset) = (range.device.name(), range.offset);
        let _ = match kind {
            StatusKind::Info => ALL.iter().try_for_each(|seen| {
                let (calls, in_scope) = (seen.calls.load(Relaxed), seen.in_scope.load(Relaxed));
                write!(out, "{} {calls} {in_scope} ", seen.name)
            }),
            StatusKind::Table => write!(out, "{name} {offset}"),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    fn message(_range: &Range<'_>, args: &mut Args<'_>) -> Result<Option<()>, CtrError> {
        MESSAGE.now();
        args.next_word("WORD").map(|_| Some(()))
    }

    fn answer(_range: &Range<'_>, (): (), _out: &mut StatusWriter<'_>) -> bool {
        ANSWER.now();
        true
    }

    fn prepare_ioctl<'s>(range: &'s Range<'_>) -> IoctlRoute<'s> {
        PREPARE_IOCTL.now();
        IoctlRoute::of_range(range.device, range.offset, range.sectors)
    }

    fn iterate_devices(range: &Range<'_>, visitor: &mut DeviceVisitor<'_>) {
        ITERATE_DEVICES.now();
        visitor.visit(range.device, range.offset, range.sectors);
    }

    #[cfg(CONFIG_BLK_DEV_ZONED)]
    fn report_zones<'r>(
        range: &Range<'_>,
        report: dm::ZoneReport<'r>,
    ) -> Result<dm::ZonesReported<'r>> {
        REPORT_ZONES.now();
        report.fill(range.device, range.offset)
    }

    fn io_hints(_range: &Range<'_>, _limits: &mut QueueLimits<'_>) {
        IO_HINTS.now();
    }
}
