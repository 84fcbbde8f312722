// SPDX-License-Identifier: GPL-2.0

//! A request on its way through: counted, searched, and recorded for the log.
//!
//! Nothing in [`Trace::request`] waits, allocates, or fails the request: where the pool has no room,
//! the request goes on unrecorded, and that is counted.
//!
//! Lock order: `changes`, then `log`, then the mutex within the pool. Nothing is locked within `edges`.

mod bindings;
mod counters;
mod drain;
mod events;
mod fpu;
mod ids;
mod key;
mod log;
mod memory;
mod message;
mod percpu;
mod pool;
mod random;
mod record;
mod search;
mod settings;
mod status;
mod stopwatch;
mod swap;

use self::{
    counters::{
        Counter,
        Counters, //
    },
    events::{
        Event,
        Listeners,
        Teller,
        Told, //
    },
    ids::Ids,
    log::Log,
    memory::Kernel,
    pool::{
        Chain,
        Held,
        Pool, //
    },
    record::{
        Complete,
        Draft,
        Finds, //
    },
    search::Scan,
    settings::{
        Current,
        Settings,
        Want, //
    },
    stopwatch::Stopwatch,
};
use crate::{
    config::{
        arguments::Params,
        budget::{
            Need,
            Shortage, //
        },
        table::Table, //
    },
    dm::{
        self,
        EndBio,
        LateBio,
        LateQueue,
        MapBio,
        MappedDevice,
        MappedName,
        PerBio,
        Segments,
        TargetName,
        Worker, //
    },
    record::{
        Cursor,
        Flags,
        Header,
        Op,
        Payload,
        SECTOR_SIZE, //
    },
    search::edges::{
        Edges,
        Ends,
        Neighbours, //
    },
};

pub(crate) use self::{
    events::{
        table_is_traced,
        Why, //
    },
    search::{
        Search,
        Unfit, //
    }, //
};
use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    Ordering, //
};
use kernel::{
    fmt, new_mutex, new_spinlock,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SpinLock, //
    },
};

/// The trace of one target.
#[pin_data]
pub(crate) struct Trace {
    #[pin]
    settings: Current,
    counters: Counters,
    /// The number of the mapped device, the name that it had last, and the ids of its requests.
    device: u32,
    #[pin]
    name: Mutex<MappedName>,
    ids: Ids,
    /// The edges of recent writes. Taken in `map`, for as long as it takes to look up and copy them.
    #[pin]
    edges: SpinLock<Edges<Kernel>>,
    #[pin]
    pool: Pool,
    /// Whether the worker will run, and see what is sent before that.
    scheduled: AtomicBool,
    /// Whether the line about the beginning has been printed.
    announced: AtomicBool,
    /// That a suspend is on its way, or through.
    suspending: Stopwatch,
    /// That I/O waits for the log, or waited and has not begun again.
    finishing: Stopwatch,
    /// How many marks are under way.
    marks: AtomicU32,
    /// Held while the settings are changed.
    #[pin]
    changes: Mutex<()>,
    #[pin]
    log: Mutex<Log>,
}

/// What is kept of a request until it has come back.
#[derive(Default)]
pub(crate) enum InFlight {
    /// Nothing: it is not logged, and nobody listens.
    #[default]
    Counted,
    /// What is to be said of it: to those who listen, and to the log should it fail.
    Sent {
        told: Told,
        /// Whether it is logged.
        log: bool,
        /// Its record, where that waits to learn the sector: of a zone append.
        held: Option<Held>,
    },
    /// What is to be recorded when it has come back, with the payload that it brings.
    Awaited(Told),
}

impl PerBio for InFlight {
    const LATE: bool = true;
}

/// About how many bytes a trace has beside its pool, its edges and what each CPU has, most of them for the log
/// and the search.
const SIZE: u64 = 256 << 10;

impl Trace {
    /// A trace with its pool, of the target of that name in that mapped device. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, that there is not enough memory, and what is wrong with a pattern.
    pub(crate) fn new(
        table: Table<Kernel>,
        name: TargetName,
        mapped: MappedDevice<'_>,
    ) -> Result<Arc<Self>, Unfit> {
        let Table { params, patterns } = table;
        let need = Need {
            records: Pool::size(params.records),
            edges: Edges::<Kernel>::size(params.edges),
            other: SIZE
                .saturating_add(Counters::size())
                .saturating_add(Current::size()),
        };
        if let Some(shortage) = Shortage::of(&params, need, memory::available()) {
            return Err(Unfit::Shortage(shortage));
        }

        let (records, label) = (params.records, params.label);
        let edges = Edges::new(params.edges, random::number())?;
        let settings = Settings::new(params, Search::new(patterns, params.places)?)?;
        let log = Log::new(label, name)?;

        Ok(Arc::pin_init(
            try_pin_init!(Self {
                settings <- Current::new(settings),
                counters <- Counters::new(),
                device: mapped.number(),
                name <- new_mutex!(mapped.name().unwrap_or_default(), "imgrement_name"),
                ids: Ids::new(*device)?,
                edges <- new_spinlock!(edges, "imgrement_edges"),
                pool <- Pool::new(records),
                scheduled: AtomicBool::new(false),
                announced: AtomicBool::new(false),
                suspending: Stopwatch::new(),
                finishing: Stopwatch::new(),
                marks: AtomicU32::new(0),
                changes <- new_mutex!((), "imgrement_changes"),
                log <- new_mutex!(log, "imgrement_log"),
            }),
            GFP_KERNEL,
        )?)
    }

    /// Counts a request, which goes to `sector` of the underlying device, and looks at it closer where
    /// the settings ask for that.
    ///
    /// Whatever the log needs is in the record when this returns; `worker` prints it later
    /// ([`Self::work`]). A read that is to be searched waits on `late` when it has come
    /// ([`Self::arrived`]).
    #[inline]
    pub(crate) fn request(
        &self,
        bio: &mut MapBio<'_, InFlight>,
        sector: u64,
        worker: Worker<'_>,
        late: LateQueue<'_>,
    ) {
        let op = op(bio.op());
        let segments = bio.segments().count();

        self.counters.request(op, bio.bytes(), segments as u64);
        match self.settings.want(op, Listeners::now()) {
            Want::Nothing => {}
            Want::LeftOut => {
                self.counters.add(Counter::LeftOut, 1);
                *bio.per_bio() = InFlight::Sent {
                    told: Told::of(op, Flags::NONE, sector, bio.bytes()),
                    log: true,
                    held: None,
                };
            }
            Want::Look => self.look_at(bio, op, segments, sector, worker, late),
        }
    }

    /// Looks closer at a request. Apart, so that requests of which nothing is wanted do not pay for the room
    /// that it takes on the stack.
    #[inline(never)]
    fn look_at(
        &self,
        bio: &mut MapBio<'_, InFlight>,
        op: Op,
        segments: usize,
        sector: u64,
        worker: Worker<'_>,
        late: LateQueue<'_>,
    ) {
        let mut header = header(bio, op, sector);
        let listeners = Listeners::now();
        let mut told = Told::of(op, header.flags, sector, bio.bytes());

        if listeners.any() {
            told.begin(self.ids.next(), listeners);
        }
        let teller = Teller::new(self.device, &told, segments, listeners);

        if self.settings.want_late(op) && bio.end_late(late) {
            // The payload is not there yet.
            teller.request(&told);
            *bio.per_bio() = InFlight::Awaited(told);
            return;
        }
        let each = listeners.to(Event::Delta);
        let (log, record) = match self.settings.want(op, Listeners::NONE) {
            Want::Nothing if !each => (false, None),
            Want::LeftOut if !each => {
                self.counters.add(Counter::LeftOut, 1);
                (true, None)
            }
            Want::Nothing | Want::LeftOut | Want::Look => {
                self.examine(bio.segments(), &mut header, op.writes(), &teller, worker)
            }
        };
        let held = match record {
            Some(record) if op == Op::ZoneAppend => Some(record.hold()),
            Some(record) => {
                self.send(record, worker);
                None
            }
            None => None,
        };
        teller.request(&told);
        if log || listeners.any() {
            *bio.per_bio() = InFlight::Sent { told, log, held };
        }
    }

    /// Searches a request, if its payload is there, and records it. Says whether it is to be logged, and
    /// what is.
    ///
    /// What takes much room on the stack is in this function and the next one, each in its own, so that
    /// none has much of it.
    fn examine(
        &self,
        segments: Segments<'_>,
        header: &mut Header,
        payload: bool,
        teller: &Teller,
        worker: Worker<'_>,
    ) -> (bool, Option<Complete<'_>>) {
        let settings = self.settings.read();
        let params = &settings.params;
        let keep = params.data && header.op.writes();

        let mut scan = match payload && params.ops.contain(header.op) {
            true => settings
                .search
                .begin(header.bytes, &self.counters, teller.place()),
            false => None,
        };
        let closed = params.log && self.settings.is_log_closed();
        let mut draft = match params.log && !closed || keep && !params.log {
            true => self.draft(segments.clone(), keep, worker),
            false => None,
        };
        let finds = self.walk(
            params,
            segments,
            header,
            scan.as_mut(),
            draft.as_mut(),
            teller,
        );
        if closed {
            self.counters.add(Counter::LeftOut, 1);
        }

        let record = match draft {
            Some(draft) if params.log => Some(draft.complete(header, finds)),
            // Without a log there is nobody to read it, and its blocks go back.
            _ => None,
        };
        (params.log, record)
    }

    /// Goes through the segments of a request: searches them, adds a delta for each to the draft, and what they
    /// come to to the header and `teller`. Returns what was found beyond what has room in the draft.
    #[inline(never)]
    fn walk<'p>(
        &'p self,
        params: &Params,
        segments: Segments<'_>,
        header: &mut Header,
        mut scan: Option<&mut Scan<'_>>,
        mut draft: Option<&mut Draft<'p>>,
        teller: &Teller,
    ) -> Option<Chain<'p>> {
        let counters = &self.counters;

        header.payload = draft
            .as_ref()
            .map(|draft| draft.payload())
            .unwrap_or_default();

        let mut writer = draft.as_mut().map(|draft| draft.writer());
        let mut cursor = Cursor::new(header.sector);
        let mut page: u64 = 0;
        let mut deltas: u64 = 0;
        for segment in segments.clone() {
            let mut delta = cursor.delta(segment.offset(), segment.len());

            if let Some(scan) = &mut scan {
                let finds = writer.as_mut().map(|writer| &mut writer.finds);
                scan.page(&segment, &mut delta, finds);
            }
            if let Some(writer) = &mut writer {
                if let Some((copy, scan)) = writer.copy(&segment).zip(scan.as_deref_mut()) {
                    scan.copy(copy, &mut delta, &mut writer.finds);
                }
                writer.add(&delta);
            }
            teller.delta(&delta);
            page = page.wrapping_add(u64::from(delta.page_hits));
            deltas = deltas.wrapping_add(u64::from(delta.copy_hits));
        }

        header.deltas = cursor.count();
        let across = scan.as_ref().map_or(0, |scan| scan.across());
        header.straddling = u32::try_from(across).unwrap_or(u32::MAX);
        if page | deltas | across != 0 {
            counters.add(Counter::Page, page);
            counters.add(Counter::Deltas, deltas);
            counters.add(Counter::Across, across);
        }
        let mut requests = 0;
        if let Some(scan) = scan.filter(|_| params.edges != 0) {
            let finds = writer.as_mut().map(|writer| &mut writer.finds);
            requests = self.meet_neighbours(segments, header, scan, finds);
        }
        teller.found(page, deltas, across, requests);
        let finds = writer?.finds;
        if params.log && !finds.is_complete() {
            counters.add(Counter::FindsLost, 1);
        }
        finds.into_chain()
    }

    /// Takes what the record of a request of these segments needs, and counts what there is no room for, of
    /// which the worker tells.
    fn draft(&self, segments: Segments<'_>, keep: bool, worker: Worker<'_>) -> Option<Draft<'_>> {
        let draft = Draft::new(&self.pool, segments, keep);
        let lost = match draft.as_ref().map(Draft::payload) {
            Some(Payload::None | Payload::Kept) => return draft,
            Some(Payload::Lost) => Counter::DataLost,
            None => Counter::RecordLost,
        };

        self.counters.add(Counter::Degraded, 1);
        self.counters.add(lost, 1);
        self.wake(worker);
        draft
    }

    /// Searches what straddles a write and others that were next to it on the disk. To which sectors a zone
    /// append goes is not known yet. Returns how many occurrences there are.
    #[inline(never)]
    fn meet_neighbours(
        &self,
        segments: Segments<'_>,
        header: &Header,
        scan: &mut Scan<'_>,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u64 {
        if header.op != Op::Write {
            return 0;
        }
        let mut ends = Ends::new(header.bytes);
        for segment in segments {
            segment.with_bytes(|bytes| ends.add(bytes));
        }

        self.search_neighbours(header, &ends, scan, finds)
    }

    /// The second half of it, with what lies next to the write in its own room on the stack.
    #[inline(never)]
    fn search_neighbours(
        &self,
        header: &Header,
        ends: &Ends,
        scan: &mut Scan<'_>,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u64 {
        let end = header.sector.saturating_add(header.bytes / SECTOR_SIZE);
        let mut neighbours = Neighbours::NONE;

        self.edges
            .lock()
            .meet(header.sector, end, ends, &mut neighbours);
        if neighbours.forgot {
            self.counters.add(Counter::EdgesForgotten, 1);
        }
        let times = scan.requests(ends, &neighbours, finds);
        if times != 0 {
            self.counters.add(Counter::AcrossRequests, times);
        }
        times
    }

    /// Hears how a request went, unless that is for [`Self::arrived`]. In any context.
    #[inline]
    pub(crate) fn completed(&self, bio: &mut EndBio<'_, InFlight>, worker: Worker<'_>) {
        let told = Listeners::now().to(Event::Complete);

        if told || bio.is_zone_append() || bio.result().is_err() {
            // All others are recorded already.
            self.settle(bio, worker);
        }
    }

    /// Searches and records a request that has brought its payload. In a task.
    pub(crate) fn arrived(&self, bio: &mut LateBio<'_, InFlight>, worker: Worker<'_>) {
        let InFlight::Awaited(told) = core::mem::take(bio.per_bio()) else {
            return;
        };
        let result = bio.result();
        let mut header = new_header(told.op(), told.flags(), told.sector(), told.bytes());
        let (log, record) = self.examine(
            bio.segments(),
            &mut header,
            result.is_ok(),
            &Teller::new(self.device, &told, 0, Listeners::now()),
            worker,
        );

        if let Some(record) = record {
            self.send(record, worker);
        }
        self.ended(&told, result, log, worker);
    }

    /// Tells and records what is known only now: where a zone append went, and how a request went.
    #[inline(never)]
    fn settle(&self, bio: &mut EndBio<'_, InFlight>, worker: Worker<'_>) {
        let (mut told, log, held) = match core::mem::take(bio.per_bio()) {
            InFlight::Sent { told, log, held } => (told, log, held),
            InFlight::Counted | InFlight::Awaited(_) => {
                (Told::of(op(bio.op()), Flags::NONE, 0, 0), false, None)
            }
        };
        let record = held.and_then(|held| Complete::take_back(&self.pool, held));

        if let Some(sector) = bio.zone_append_sector() {
            told.move_to(sector);
        }
        if let Some(mut record) = record {
            record.move_to(told.sector());
            self.send(record, worker);
        }
        self.ended(&told, bio.result(), log, worker);
    }

    /// Tells how a request went, and counts and records one that has failed.
    fn ended(&self, told: &Told, result: Result, log: bool, worker: Worker<'_>) {
        if Listeners::now().to(Event::Complete) {
            events::complete(self.device, told, result);
        }
        if let Err(error) = result {
            self.failed(told, error, log, worker);
        }
    }

    /// Counts a request that has failed, and records that.
    #[cold]
    fn failed(&self, told: &Told, error: Error, log: bool, worker: Worker<'_>) {
        self.counters.add(Counter::Errors, 1);

        if !log {
            return;
        }
        let header = Header {
            // The kernel's are below 4096.
            error: error.to_errno().unsigned_abs() as u16,
            ..new_header(told.op(), Flags::NONE, told.sector(), told.bytes())
        };
        match Complete::of(&self.pool, &header) {
            Some(record) => self.send(record, worker),
            None => {
                self.counters.add(Counter::ErrorsLeftOut, 1);
                self.wake(worker);
            }
        }
    }

    /// Sends a record to the log.
    fn send(&self, record: Complete<'_>, worker: Worker<'_>) {
        record.send();
        self.wake(worker);
    }

    /// Has the worker run. It sees what was sent and counted before.
    fn wake(&self, worker: Worker<'_>) {
        if !self.scheduled.swap(true, Ordering::AcqRel) {
            worker.start();
        }
    }

    /// Tells listeners what has become of the line of the table. May sleep.
    pub(crate) fn tell_table(
        &self,
        mapped: MappedDevice<'_>,
        lower: u32,
        line: fmt::Arguments<'_>,
        why: Why,
    ) {
        let mut name = self.name.lock();

        if let Some(now) = mapped.name() {
            *name = now;
        }
        events::table(self.device, name.as_bytes(), lower, line, why);
    }

    /// The settings: what prints in a table line.
    pub(crate) fn settings(&self) -> (Params, Arc<Search>) {
        let settings = self.settings.read();
        (settings.params, settings.search.clone())
    }

    fn params(&self) -> Params {
        self.settings.read().params
    }
}

/// What a bio says about itself.
fn header<P: PerBio>(bio: &MapBio<'_, P>, op: Op, sector: u64) -> Header {
    let flags = [
        (bio.is_fua(), Flags::FUA),
        (bio.is_preflush(), Flags::PREFLUSH),
        (bio.is_meta(), Flags::META),
        (bio.is_sync(), Flags::SYNC),
        (bio.is_nowait(), Flags::NOWAIT),
        (bio.is_atomic(), Flags::ATOMIC),
        (bio.is_readahead(), Flags::RAHEAD),
    ];

    let flags = flags
        .into_iter()
        .filter(|(set, _)| *set)
        .fold(Flags::NONE, |all, (_, flag)| all.with(flag));

    new_header(op, flags, sector, u64::from(bio.bytes()))
}

/// The header of a request that has not been looked at.
fn new_header(op: Op, flags: Flags, sector: u64, bytes: u64) -> Header {
    Header {
        sequence: 0,
        sector,
        bytes,
        op,
        flags,
        payload: Payload::None,
        deltas: 0,
        straddling: 0,
        error: 0,
    }
}

/// The kernel's numbers of ops may change; those of records may not.
fn op(op: dm::Op) -> Op {
    match op {
        dm::Op::Read => Op::Read,
        dm::Op::Write => Op::Write,
        dm::Op::Flush => Op::Flush,
        dm::Op::Discard => Op::Discard,
        dm::Op::SecureErase => Op::SecureErase,
        dm::Op::WriteZeroes => Op::WriteZeroes,
        dm::Op::ZoneAppend => Op::ZoneAppend,
        dm::Op::ZoneReset => Op::ZoneReset,
        dm::Op::ZoneResetAll => Op::ZoneResetAll,
        dm::Op::ZoneOpen => Op::ZoneOpen,
        dm::Op::ZoneClose => Op::ZoneClose,
        dm::Op::ZoneFinish => Op::ZoneFinish,
        dm::Op::Other => Op::Other,
    }
}
