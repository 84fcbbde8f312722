// SPDX-License-Identifier: GPL-2.0

//! imgrement: a device-mapper target that traces what reaches a disk.
//!
//! `START LENGTH imgrement DEVICE OFFSET [#ARGS ARG...]`
//!
//! It wraps a device and passes every bio on to it unchanged. For each request it keeps a list of the deltas, and it
//! counts byte patterns in what is written. People see the result in `dmesg` and `dmsetup status`, and change the
//! settings with `dmsetup message`. With a history, it also keeps what is written, and what was there before, on a log
//! device.
//!
//! No failure of tracing ever delays, fails or changes a request. A request may wait for the log device of a history, but
//! no failure there fails or changes one.

#![deny(unsafe_code)]

use kernel::{
    fmt::Write,
    prelude::*,
    sync::Arc, //
};

// Device-mapper and bios, made safe. All `unsafe` code is there, except in the leaves of `sys`, `trace` and the pure logic
// that say so in their headers.
#[allow(unsafe_code)]
pub mod dm;

// What the kernel crate lacks, for both of the following.
mod sys;

// What happens to a request that is traced.
mod trace;

// What is written, and what was there before, on its way to a log device.
mod history;

// What people write: the words of tables and messages.
mod words;

// Pure logic, which Cargo builds, too, for tests on the host. `dm` brings its `bytes`.
#[path = "core/src/config/mod.rs"]
pub mod config;
#[path = "core/src/history/mod.rs"]
pub mod history_format;
#[path = "core/src/log/mod.rs"]
pub mod log;
#[path = "core/src/memory/mod.rs"]
pub mod memory;
#[path = "core/src/record/mod.rs"]
pub mod record;
#[path = "core/src/search/mod.rs"]
pub mod search;
pub use dm::bytes;

use bytes::word::Escaped;
use config::{
    arguments::Setting,
    history::Base,
    message::Change,
    pattern::Pattern,
    table::Table,
    text::Text, //
};
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
    IoctlRoute,
    LateBio,
    LateQueue,
    MapBio,
    Mapped,
    MappedDevice,
    PerBio,
    QueueLimits,
    Registration,
    StatusKind,
    StatusWriter,
    Target,
    Worker, //
};
use history::{
    History,
    Kept, //
};
use trace::{
    HasInFlight,
    InFlight,
    Search,
    TableEvent,
    Trace, //
};
use words::{
    no_pattern,
    no_queue,
    refuse, //
};

module! {
    type: ImgrementModule,
    name: "imgrement",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that traces the deltas of a disk",
    license: "GPL",
}

struct ImgrementModule {
    _target: Registration<Imgrement>,
}

impl kernel::Module for ImgrementModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        history::init();
        Registration::new().map(|_target| Self { _target })
    }
}

/// The target type.
struct Imgrement;

/// The answer to a message.
enum Answer {
    /// A line for each pattern.
    List,
    /// The line of the last pattern, which the message gave.
    Last(Arc<Search>),
}

/// What is kept of a request until it has completed.
#[derive(Default)]
struct Request {
    traced: InFlight,
    kept: Kept,
}

impl PerBio for Request {
    const LATE: bool = true;
}

impl HasInFlight for Request {
    #[inline]
    fn in_flight(&mut self) -> &mut InFlight {
        &mut self.traced
    }
}

impl history::HasKept for Request {
    #[inline]
    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

/// One line of a table: a range of a device, its trace, and its history if it has one.
struct Traced<'t> {
    device: Device<'t>,
    /// Where the target begins on the device, in sectors.
    offset: u64,
    /// The length of the target, in sectors.
    sectors: u64,
    mapped: MappedDevice<'t>,
    /// Prints what the trace has recorded.
    worker: Worker<'t>,
    /// The queue for reads that are searched. It is made when the first one may come.
    late: LateQueue<'t>,
    trace: Arc<Trace>,
    history: Option<Pin<KBox<History<'t, Request>>>>,
}

#[vtable]
impl Target for Imgrement {
    const NAME: &'static CStr = c"imgrement";
    const VERSION: [u32; 3] = [1, 1, 0];
    const FEATURES: Features = Features::PASSES_INTEGRITY
        .and(Features::NOWAIT)
        .and(Features::ZONED_HM)
        .and(Features::ATOMIC_WRITES);
    type State<'t> = Traced<'t>;
    type PerBio = Request;
    type Answer = Answer;

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Traced<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let sectors = builder.sectors();
        let words = args.rest_as_group()?;
        let (settings, log) =
            words::read(builder, &words, device).map_err(|error| error.refuse(&words))?;
        let worker = builder.worker()?;
        let late = builder.late_queue()?;
        if settings.params.ops.read {
            late.make().map_err(|errno| no_queue(&words, errno))?;
        }
        let mapped = builder.mapped_device();
        let history = match log {
            Some(log) => Some(log.history(builder, &words, &settings.params, (device, offset))?),
            None => None,
        };
        let keeps_old = history.is_some() && settings.params.base != Base::Off;
        let trace = Trace::new(settings, builder.name(), mapped)?;

        if let Some(holders) = builder.other_holders(device) {
            let disk = device.disk_name();
            let disk = Escaped(disk.as_bytes());
            words.warn(format_args!(
                "{disk}: also used by {holders}; what passes there is not seen here"
            ));
        }
        // Nothing is destroyed of which a history keeps the old bytes.
        builder.wants_discards(!keeps_old);
        builder.wants_secure_erases(!keeps_old);
        builder.wants_write_zeroes(!keeps_old);
        let traced = init!(Traced {
            device, offset, sectors, mapped, worker, late, trace, history
        }? Error);
        Ok(traced.chain(|this| {
            this.tell(TableEvent::Loaded);
            Ok(())
        }))
    }

    #[inline]
    fn map<'b>(this: &Traced<'_>, mut bio: MapBio<'b, Request>) -> Mapped<'b> {
        let sector = this.offset.wrapping_add(bio.sector());

        this.trace.request(&mut bio, sector, this.worker, this.late);
        match &this.history {
            None => bio.remap(this.device, sector),
            Some(history) => history.map(bio, sector),
        }
    }

    #[inline]
    fn end_io(this: &Traced<'_>, bio: &mut EndBio<'_, Request>) -> Completion {
        if let Some(history) = &this.history {
            if bio.is_requeued() {
                return Completion::Done;
            }
            history.completed(bio);
        }
        this.trace.completed(bio, this.worker);
        Completion::Done
    }

    fn end_late(this: &Traced<'_>, bio: &mut LateBio<'_, Request>) {
        this.trace.arrived(bio, this.worker);
    }

    fn work(this: &Traced<'_>) {
        this.trace.work(this.worker);
    }

    fn io_work(this: &Traced<'_>, task: &IoTask<'_>) {
        if let Some(history) = &this.history {
            history.work(task);
        }
    }

    fn presuspend(this: &Traced<'_>) {
        this.trace.suspend();
        if let Some(history) = &this.history {
            history.presuspend();
        }
    }

    fn presuspend_undo(this: &Traced<'_>) {
        if let Some(history) = &this.history {
            history.presuspend_undo();
        }
        this.trace.resume();
    }

    fn preresume(this: &Traced<'_>, task: &IoTask<'_>) -> Result {
        if let Some(history) = &this.history {
            history.preresume(task);
        }
        Ok(())
    }

    fn resume(this: &Traced<'_>) {
        this.trace.resume();
        this.trace.announce(this.device.disk_name().as_bytes());
        this.tell(TableEvent::Resumed);
    }

    fn postsuspend(this: &Traced<'_>, task: &IoTask<'_>) {
        if let Some(history) = &this.history {
            history.postsuspend(task);
        }
        this.trace.finish();
        this.tell(TableEvent::Suspended);
    }

    fn status(this: &Traced<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (device, offset) = (this.device.name(), this.offset);
        // The writer never fails. It truncates, and device-mapper retries with more space.
        let _ = match kind {
            StatusKind::Info => this.trace.write_counts(out, |out| match &this.history {
                Some(history) => history.write_status(out),
                None => Ok(()),
            }),
            StatusKind::Table => {
                let (params, search) = this.trace.settings();
                let line = Table::line(&search.patterns, &params);
                write!(out, "{device} {offset} {line}")
            }
            StatusKind::Ima => write!(out, ",device_name={device},start={offset};"),
        };
    }

    fn message(this: &Traced<'_>, args: &mut Args<'_>) -> Result<Option<Answer>, CtrError> {
        let mut room = KBox::new(Pattern::EMPTY, GFP_KERNEL)?;
        let change = Change::parse(args.by_ref().map(CStr::to_bytes), &mut room)
            .map_err(|mistake| refuse(args, &mistake, EINVAL))?;
        let next_log = match &this.history {
            Some(history) => history.message(&change, args)?,
            None => match change.without_history() {
                Some(mistake) => return Err(refuse(args, &mistake, EINVAL)),
                None => None,
            },
        };
        if let Some(log) = next_log {
            this.name_log(log, args)?;
            return Ok(None);
        }
        if let Change::Mark(text) = change {
            this.trace.mark(text);
            return Ok(None);
        }

        if matches!(change, Change::Set(Setting::Ops(ops)) if ops.read) {
            this.late.make().map_err(|errno| no_queue(args, errno))?;
        }
        let given = this.change(&change, args)?;
        if let Some(history) = &this.history {
            history.change(&this.trace.settings().0);
        }
        Ok(if matches!(change, Change::List) {
            Some(Answer::List)
        } else {
            given.map(Answer::Last)
        })
    }

    fn answer(this: &Traced<'_>, answer: Answer, out: &mut StatusWriter<'_>) -> bool {
        match answer {
            Answer::List => {
                let _ = this.trace.write_patterns(out);
                true
            }
            // A message that gives a pattern must not be sent again.
            Answer::Last(search) => search.patterns.as_slice().last().is_some_and(|pattern| {
                let _ = this.trace.write_pattern(pattern, out);
                !out.is_full()
            }),
        }
    }

    fn prepare_ioctl<'s>(this: &'s Traced<'_>) -> IoctlRoute<'s> {
        match &this.history {
            None => IoctlRoute::of_range(this.device, this.offset, this.sectors),
            // They might change the disk without a request.
            Some(_) => IoctlRoute::Refused,
        }
    }

    fn io_hints(this: &Traced<'_>, limits: &mut QueueLimits<'_>) {
        if let Some(history) = &this.history {
            limits.require_stable_writes();
            limits.cap_atomic_writes(history.request_sectors());
        }
    }

    fn iterate_devices(this: &Traced<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(this.device, this.offset, this.sectors);
    }

    #[cfg(CONFIG_BLK_DEV_ZONED)]
    fn report_zones<'r>(
        this: &Traced<'_>,
        report: dm::ZoneReport<'r>,
    ) -> Result<dm::ZonesReported<'r>> {
        report.fill(this.device, this.offset)
    }
}

impl Traced<'_> {
    /// Changes the settings, and reports that to listeners. May sleep.
    // A function of its own, so that its closure is not part of what a mark may call, in the computation of the stack.
    #[inline(never)]
    fn change(
        &self,
        change: &Change<'_>,
        args: &Args<'_>,
    ) -> Result<Option<Arc<Search>>, CtrError> {
        self.trace
            .change(change, &|event| self.tell(event))
            .map_err(|error| no_pattern(args, &error, Some(change)))
    }

    /// Names another log device in the settings.
    #[inline(never)]
    fn name_log(&self, log: Device<'_>, args: &Args<'_>) -> Result<(), CtrError> {
        let log = Text::new(log.name().0);
        self.change(&Change::Set(Setting::History(log)), args)?;
        Ok(())
    }

    /// Reports to listeners what has happened to the table line. May sleep.
    fn tell(&self, event: TableEvent) {
        if !trace::table_is_traced() {
            return;
        }
        let (params, search) = self.trace.settings();
        let args = Table::line(&search.patterns, &params);
        let (begin, sectors) = (self.mapped.begin(), self.sectors);
        let (device, offset) = (self.device.name(), self.offset);

        self.trace.tell_table(
            self.mapped,
            self.device.dev_t(),
            format_args!("{begin} {sectors} imgrement {device} {offset} {args}"),
            event,
        );
    }
}

impl Drop for Traced<'_> {
    fn drop(&mut self) {
        self.trace.finish();
        self.tell(TableEvent::Removed);
    }
}
