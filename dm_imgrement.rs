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

// What happens to a request that is traced.
mod trace;

// Pure logic, which Cargo builds, too, for tests on the host. `dm` brings its `bytes`.
#[path = "core/src/config/mod.rs"]
pub mod config;
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
    message::Change,
    mistake::Mistake,
    pattern::Pattern,
    table::{
        Refusal,
        Table, //
    }, //
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
    Registration,
    StatusKind,
    StatusWriter,
    Target,
    Worker, //
};
use trace::{
    ConfigError,
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

/// One line of a table: a range of a device, and its trace.
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
    type PerBio = InFlight;
    type Answer = Answer;

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Traced<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let sectors = builder.sectors();
        let words = args.rest_as_group()?;
        let settings = read(&words).map_err(|error| match error {
            ReadError::Mistake(mistake) => refuse(&words, &mistake, EINVAL),
            ReadError::History => words.refuse(
                None,
                EOPNOTSUPP,
                c"No history yet",
                format_args!("history: not there yet; allowed: a table without it"),
            ),
            ReadError::Config(error) => no_pattern(&words, &error, None),
        })?;
        let worker = builder.worker()?;
        let late = builder.late_queue()?;
        if settings.params.ops.read {
            late.make().map_err(|errno| no_queue(&words, errno))?;
        }
        let mapped = builder.mapped_device();
        let trace = Trace::new(settings, builder.name(), mapped)?;

        if let Some(holders) = builder.other_holders(device) {
            let disk = device.disk_name();
            let disk = Escaped(disk.as_bytes());
            words.warn(format_args!(
                "{disk}: also used by {holders}; what passes there is not seen here"
            ));
        }
        builder.wants_discards(true);
        builder.wants_secure_erases(true);
        builder.wants_write_zeroes(true);
        let traced = init!(Traced { device, offset, sectors, mapped, worker, late, trace }? Error);
        Ok(traced.chain(|this| {
            this.tell(TableEvent::Loaded);
            Ok(())
        }))
    }

    #[inline]
    fn map<'b>(this: &Traced<'_>, mut bio: MapBio<'b, InFlight>) -> Mapped<'b> {
        let sector = this.offset.wrapping_add(bio.sector());

        this.trace.request(&mut bio, sector, this.worker, this.late);
        bio.remap(this.device, sector)
    }

    #[inline]
    fn end_io(this: &Traced<'_>, bio: &mut EndBio<'_, InFlight>) -> Completion {
        this.trace.completed(bio, this.worker);
        Completion::Done
    }

    fn end_late(this: &Traced<'_>, bio: &mut LateBio<'_, InFlight>) {
        this.trace.arrived(bio, this.worker);
    }

    fn work(this: &Traced<'_>) {
        this.trace.work(this.worker);
    }

    fn presuspend(this: &Traced<'_>) {
        this.trace.suspend();
    }

    fn presuspend_undo(this: &Traced<'_>) {
        this.trace.resume();
    }

    fn resume(this: &Traced<'_>) {
        this.trace.resume();
        this.trace.announce(this.device.disk_name().as_bytes());
        this.tell(TableEvent::Resumed);
    }

    fn postsuspend(this: &Traced<'_>, _task: &IoTask<'_>) {
        this.trace.finish();
        this.tell(TableEvent::Suspended);
    }

    fn status(this: &Traced<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (device, offset) = (this.device.name(), this.offset);
        // The writer never fails. It truncates, and device-mapper retries with more space.
        let _ = match kind {
            StatusKind::Info => this.trace.write_counts(out),
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
        if let Some(mistake) = change.without_history() {
            return Err(refuse(args, &mistake, EINVAL));
        }

        if matches!(change, Change::Set(Setting::Ops(ops)) if ops.read) {
            this.late.make().map_err(|errno| no_queue(args, errno))?;
        }
        let given = this
            .trace
            .change(&change, &|event| this.tell(event))
            .map_err(|error| no_pattern(args, &error, Some(&change)))?;
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
        IoctlRoute::of_range(this.device, this.offset, this.sectors)
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
    /// A history is not there yet.
    History,
    Config(ConfigError),
}

/// Reads the arguments of a table.
// What it has on the stack is large, and the rest of the constructor needs the stack for more.
#[inline(never)]
fn read<'a>(words: &Args<'a>) -> Result<KBox<Settings>, ReadError<'a>> {
    let table = match Table::parse(words.clone().map(CStr::to_bytes)) {
        Ok(table) => table,
        Err(Refusal::Mistake(mistake)) => return Err(ReadError::Mistake(mistake)),
        Err(Refusal::Memory(AllocError)) => {
            return Err(ReadError::Config(ConfigError::Errno(ENOMEM)));
        }
    };
    if table.params.history.is_some() {
        return Err(ReadError::History);
    }
    Trace::prepare(table).map_err(ReadError::Config)
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
