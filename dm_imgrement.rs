// SPDX-License-Identifier: GPL-2.0

//! imgrement: a device-mapper target that traces what reaches a disk.
//!
//! `START LENGTH imgrement DEVICE OFFSET [#ARGS ARG...]`
//!
//! It wraps a device and passes every bio on to it unchanged. For each request it keeps a list of the deltas, and it
//! counts byte patterns in what is written. People see the result in `dmesg` and `dmsetup status`, and change the
//! settings with `dmsetup message`.
//!
//! No failure of tracing ever delays, fails or changes a request.

#![deny(unsafe_code)]

use kernel::{
    alloc::AllocError,
    fmt::Write,
    prelude::*,
    sync::Arc, //
};

// Device-mapper and bios, made safe. All `unsafe` code is there, except in the leaves of `trace` and of the pure logic
// that say so in their headers.
#[allow(unsafe_code)]
pub mod dm;

// What the kernel crate lacks, for both of the following.
mod sys;

// What happens to a request that is traced.
mod trace;

// What is written, and what was there before, on its way to a log device.
mod history;

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
    arguments::{
        Params,
        Setting, //
    },
    history::{
        Base,
        DEVICE_MAX, //
    },
    message::Change,
    mistake::Mistake,
    pattern::Pattern,
    table::{
        Refusal,
        Table, //
    },
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
    Holders,
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
    Kept,
    Parts,
    Sizes, //
};
use sys::claims::{
    Claim,
    Conflict,
    Use, //
};
use trace::{
    ConfigError,
    HasInFlight,
    HistoryMemory,
    InFlight,
    Search,
    Settings,
    TableEvent,
    Trace, //
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
        let (settings, log) = read(builder, &words, device).map_err(|error| match error {
            ReadError::Mistake(mistake) => refuse(&words, &mistake, EINVAL),
            ReadError::Config(error) => no_pattern(&words, &error, None),
            ReadError::Refused(error) => error,
        })?;
        let worker = builder.worker()?;
        let late = builder.late_queue()?;
        if settings.params.ops.read {
            late.make().map_err(|errno| no_queue(&words, errno))?;
        }
        let mapped = builder.mapped_device();
        let history = match log {
            Some(log) => {
                let range = (device, offset);
                Some(make_history(builder, &words, &settings.params, range, log)?)
            }
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
        match (&this.history, change.without_history()) {
            (None, Some(mistake)) => return Err(refuse(args, &mistake, EINVAL)),
            (Some(history), _) => tell_history(history, args, &change)?,
            (None, None) => {}
        }
        if let (Some(history), Change::HistoryNext(path)) = (&this.history, &change) {
            let log = next_log(this, history, args, path)?;
            let text = Text::new(log.name().0);
            this.change(&Change::Set(Setting::History(text)), args)?;
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

/// Opens the log device of a history, if the table asks for one, and names it in the arguments by its number.
fn open_log<'t>(
    builder: &mut Builder<'t>,
    words: &Args<'_>,
    disk: Device<'t>,
    params: &mut Params,
) -> Result<Option<Device<'t>>, CtrError> {
    let Some(path) = &params.history else {
        return Ok(None);
    };
    let mut text = KVec::with_capacity(DEVICE_MAX + 1, GFP_KERNEL)?;
    let path = c_path(path.as_bytes(), &mut text)?;
    let log = builder.open(words, path)?;
    if disk.is_zoned() {
        return Err(words.refuse(
            Some(path),
            EINVAL,
            c"Invalid history",
            format_args!("history: the disk is zoned; allowed: a disk that is not"),
        ));
    }
    check_log(words, path, disk, log, builder.other_holders(log))?;
    params.history = Text::new(log.name().0);
    Ok(Some(log))
}

/// A path as a C string, in `text`.
fn c_path<'p>(path: &[u8], text: &'p mut KVec<u8>) -> Result<&'p CStr, CtrError> {
    text.extend_from_slice(path, GFP_KERNEL)?;
    text.push(0, GFP_KERNEL)?;
    Ok(CStr::from_bytes_with_nul(text).map_err(|_| EINVAL)?)
}

/// Refuses a device that cannot be the log of a disk.
fn check_log(
    words: &Args<'_>,
    path: &CStr,
    disk: Device<'_>,
    log: Device<'_>,
    holders: Option<Holders>,
) -> Result<(), CtrError> {
    let refuse = |why: kernel::fmt::Arguments<'_>| {
        Err(words.refuse(Some(path), EINVAL, c"Invalid history", why))
    };

    if log.is_zoned() {
        return refuse(format_args!("is zoned; allowed: a log device that is not"));
    }
    if log.is_read_only() {
        return refuse(format_args!(
            "is read-only; allowed: a log device that can be written"
        ));
    }
    if log.overlaps(disk) || log.is_stacked_with(disk) {
        return refuse(format_args!(
            "is the disk itself, or above or below it; allowed: another device, or another partition"
        ));
    }
    if let Some(holders) = holders {
        return refuse(format_args!(
            "is used by {holders}; allowed: a device that nothing else uses"
        ));
    }
    Ok(())
}

/// The right to use a disk and its log.
fn claim(
    words: &Args<'_>,
    mapped: MappedDevice<'_>,
    disk: Device<'_>,
    log: Device<'_>,
) -> Result<Claim, CtrError> {
    let wanted = Use {
        target: (mapped.number(), mapped.begin()),
        disk: disk.dev_t(),
        log: log.dev_t(),
    };
    Claim::new(wanted).map_err(|conflict| {
        let why = match conflict {
            Conflict::LogIsDisk => {
                "is a disk with a history; allowed: a device that nothing else uses"
            }
            Conflict::DiskIsLog => {
                "is for a disk that is the log of a history; allowed: another disk"
            }
            Conflict::SameLog => {
                "is the log of another target; allowed: a device that nothing else uses"
            }
            Conflict::Full => "is for one history too many; allowed: 256 histories",
        };
        let log = log.name();
        words.refuse(
            None,
            EINVAL,
            c"Invalid history",
            format_args!("history {log}: {why}"),
        )
    })
}

/// Lets the history go on with another log device.
#[inline(never)]
fn next_log<'t>(
    this: &Traced<'t>,
    history: &History<'t, Request>,
    args: &Args<'_>,
    path: &[u8],
) -> Result<Device<'t>, CtrError> {
    let mut text = KVec::with_capacity(DEVICE_MAX + 1, GFP_KERNEL)?;
    let path = c_path(path, &mut text)?;
    let log = history.opener().open(args, path)?;

    check_log(args, path, this.device, log, this.mapped.other_holders(log))?;
    let claim = claim(args, this.mapped, this.device, log)?;
    history.change_log(log, claim).map_err(|unfit| {
        args.refuse(
            Some(path),
            unfit.errno(),
            c"Invalid history",
            format_args!("history next: {unfit}"),
        )
    })?;
    Ok(log)
}

/// What a history needs.
fn history_memory(params: &Params, disk: Device<'_>, sectors: u64) -> HistoryMemory {
    if params.history.is_none() {
        return HistoryMemory::default();
    }
    let sizes = Sizes::of(params, disk.logical_block_size());
    HistoryMemory {
        buffers: sizes.buffer_memory(params.base),
        chunks: sizes.chunk_memory(params.base, sectors),
    }
}

/// Makes the history of a target.
fn make_history<'t>(
    builder: &mut Builder<'t>,
    words: &Args<'_>,
    params: &Params,
    (disk, offset): (Device<'t>, u64),
    log: Device<'t>,
) -> Result<Pin<KBox<History<'t, Request>>>, CtrError> {
    let parts = Parts {
        disk,
        offset,
        sectors: builder.sectors(),
        log,
        io: builder.io()?,
        worker: builder.io_worker()?,
        mapped: builder.mapped_device(),
        _claim: claim(words, builder.mapped_device(), disk, log)?,
        opener: builder.opener()?,
    };
    let history = KBox::try_pin_init(History::new(parts, params)?, GFP_KERNEL)?;

    history.check(&builder.io_task()).map_err(|unfit| {
        let log = log.name();
        words.refuse(
            None,
            unfit.errno(),
            c"Invalid history",
            format_args!("history {log}: {unfit}"),
        )
    })?;
    builder.max_io_len(history.request_sectors());
    builder.limit_swap_bios();
    Ok(history)
}

/// What a message says to the history.
#[inline(never)]
fn tell_history(
    history: &History<'_, Request>,
    args: &Args<'_>,
    change: &Change<'_>,
) -> Result<(), CtrError> {
    match change {
        Change::HistoryStop => {
            history.stop();
            Ok(())
        }
        // The caller opens the device.
        Change::HistoryNext(_) => Ok(()),
        Change::Mark(text) => history.mark(text).map_err(|errno| {
            args.refuse(
                None,
                errno,
                c"The mark is not in the history",
                format_args!(
                    "mark: the log device has not taken it; the history's status says why"
                ),
            )
        }),
        Change::Pattern(_)
        | Change::Add(_)
        | Change::Del(_)
        | Change::List
        | Change::Set(_)
        | Change::Reset => Ok(()),
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

/// Why the arguments of a table are refused.
enum ReadError<'a> {
    Mistake(Mistake<'a>),
    Config(ConfigError),
    /// The line about it has been printed.
    Refused(CtrError),
}

/// Reads the arguments of a table, and opens the log device if there is a history.
// What it has on the stack is large, and the rest of the constructor needs the stack for more.
#[inline(never)]
fn read<'a, 't>(
    builder: &mut Builder<'t>,
    words: &Args<'a>,
    disk: Device<'t>,
) -> Result<(KBox<Settings>, Option<Device<'t>>), ReadError<'a>> {
    let mut table = match Table::parse(words.clone().map(CStr::to_bytes)) {
        Ok(table) => table,
        Err(Refusal::Mistake(mistake)) => return Err(ReadError::Mistake(mistake)),
        Err(Refusal::Memory(AllocError)) => {
            return Err(ReadError::Config(ConfigError::Errno(ENOMEM)));
        }
    };
    let log = open_log(builder, words, disk, &mut table.params).map_err(ReadError::Refused)?;
    let memory = history_memory(&table.params, disk, builder.sectors());
    let settings = Trace::prepare(table, memory).map_err(ReadError::Config)?;
    Ok((settings, log))
}

/// Refuses patterns that cannot be searched for.
fn no_pattern(args: &Args<'_>, error: &ConfigError, change: Option<&Change<'_>>) -> CtrError {
    match error {
        ConfigError::Pattern {
            patterns,
            index,
            fault,
            errno,
        } => match patterns.as_slice().get(*index) {
            Some(pattern) => refuse(args, &Mistake::of_pattern(pattern, *fault), *errno),
            None => (*errno).into(),
        },
        ConfigError::NoPattern => match change {
            Some(Change::Del(name)) => refuse(args, &Mistake::no_pattern(name), ENOENT),
            // These do not name a pattern that must exist.
            Some(
                Change::Pattern(_)
                | Change::Add(_)
                | Change::List
                | Change::Set(_)
                | Change::Reset
                | Change::Mark(_)
                | Change::HistoryStop
                | Change::HistoryNext(_),
            )
            | None => ENOENT.into(),
        },
        ConfigError::Shortage(shortage) => args.refuse(
            None,
            ENOMEM,
            c"Not enough memory",
            format_args!("{shortage}"),
        ),
        ConfigError::Errno(errno) => (*errno).into(),
    }
}

/// Refuses to search reads.
fn no_queue(args: &Args<'_>, errno: Error) -> CtrError {
    let event = if errno == EBUSY {
        "ops read: the device is suspended; allowed: when it has been resumed, or in a table"
    } else {
        "ops: no memory, or no thread, for the queue of reads that are searched"
    };
    args.refuse(None, errno, c"Cannot make a queue", format_args!("{event}"))
}

/// Refuses words of a table or a message.
fn refuse(args: &Args<'_>, mistake: &Mistake<'_>, errno: Error) -> CtrError {
    args.refuse(
        None,
        errno,
        mistake.kind.sentence(),
        format_args!("{mistake}"),
    )
}
