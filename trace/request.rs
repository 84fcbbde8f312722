// SPDX-License-Identifier: GPL-2.0

//! A request on its way through the target, and on its way back.

use super::{
    counters::Counter,
    record::Complete,
    settings::Want,
    sys::{
        events::{
            self,
            Event,
            Listeners,
            Reporter,
            RequestInfo, //
        },
        pool::Held, //
    },
    Trace, //
};
use crate::{
    dm::{
        self,
        EndBio,
        LateBio,
        LateQueue,
        MapBio,
        PerBio,
        Worker, //
    },
    record::{
        Flags,
        Header,
        Op, //
    },
};
use kernel::prelude::*;

/// The data of a request, kept until it has completed.
#[derive(Default)]
pub(crate) enum InFlight {
    /// None: it is not logged, and nothing listens.
    #[default]
    Counted,
    /// For its end: for listeners, and for the log if it fails.
    Sent {
        info: RequestInfo,
        /// Whether it is logged.
        log: bool,
        /// The record of a zone append, which waits for its sector.
        held: Option<Held>,
    },
    /// A read that is searched and recorded when its data has arrived.
    Awaited(RequestInfo),
}

/// Per-bio data with a place for the trace's own.
pub(crate) trait HasInFlight: PerBio {
    /// The place.
    fn in_flight(&mut self) -> &mut InFlight;
}

impl Trace {
    /// Counts a request, which goes to `sector` of the underlying device. Looks at it more closely if the settings ask
    /// for that.
    ///
    /// When this returns, the record has everything that the log needs. `worker` prints it later ([`Self::work`]). A
    /// read that is searched waits on `late` when its data has arrived ([`Self::arrived`]).
    #[inline]
    pub(crate) fn request(
        &self,
        bio: &mut MapBio<'_, impl HasInFlight>,
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
                *bio.per_bio().in_flight() = InFlight::Sent {
                    info: RequestInfo::of(op, Flags::NONE, sector, bio.bytes()),
                    log: true,
                    held: None,
                };
            }
            Want::Search => self.search(bio.segments(), bio.bytes().into()),
            Want::Look => self.look_at(bio, op, segments, sector, worker, late),
        }
    }

    /// Takes a closer look at a request. It is a separate function, so that other requests do not pay for the stack
    /// that it needs.
    #[inline(never)]
    fn look_at(
        &self,
        bio: &mut MapBio<'_, impl HasInFlight>,
        op: Op,
        segments: usize,
        sector: u64,
        worker: Worker<'_>,
        late: LateQueue<'_>,
    ) {
        let mut header = header(op, sector, u64::from(bio.bytes()));
        let listeners = Listeners::now();
        let mut info = RequestInfo::of(op, flags(bio), sector, bio.bytes());

        if listeners.any() {
            info.begin(self.ids.next(), listeners);
        }
        let reporter = Reporter::new(self.device, &info, segments, listeners);

        if self.settings.want_late(op) && bio.end_late(late) {
            // The payload has not arrived yet.
            reporter.request(&info);
            *bio.per_bio().in_flight() = InFlight::Awaited(info);
            return;
        }
        let each = listeners.to(Event::Delta);
        let (log, record) = match self.settings.want(op, Listeners::NONE) {
            Want::Nothing if !each => (false, None),
            Want::LeftOut if !each => {
                self.counters.add(Counter::LeftOut, 1);
                (true, None)
            }
            Want::Nothing | Want::LeftOut | Want::Search | Want::Look => {
                self.examine(bio.segments(), &mut header, op.writes(), &reporter, worker)
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
        reporter.request(&info);
        if log || listeners.any() {
            *bio.per_bio().in_flight() = InFlight::Sent { info, log, held };
        }
    }

    /// Handles the end of a request, unless [`Self::arrived`] does. In any context.
    #[inline]
    pub(crate) fn completed(&self, bio: &mut EndBio<'_, impl HasInFlight>, worker: Worker<'_>) {
        let listened = Listeners::now().to(Event::Complete);

        if listened || bio.is_zone_append() || bio.result().is_err() {
            // All other requests have been recorded already.
            self.settle(bio, worker);
        }
    }

    /// Searches and records a read whose data has arrived. In a task.
    pub(crate) fn arrived(&self, bio: &mut LateBio<'_, impl HasInFlight>, worker: Worker<'_>) {
        let InFlight::Awaited(info) = core::mem::take(bio.per_bio().in_flight()) else {
            return;
        };
        let result = bio.result();
        let mut header = header(info.op(), info.sector(), info.bytes());
        let (log, record) = self.examine(
            bio.segments(),
            &mut header,
            result.is_ok(),
            &Reporter::new(self.device, &info, 0, Listeners::now()),
            worker,
        );

        if let Some(record) = record {
            self.send(record, worker);
        }
        self.ended(&info, result, log, worker);
    }

    /// Reports and records what is only known now: where a zone append went, and the result of a request.
    #[inline(never)]
    fn settle(&self, bio: &mut EndBio<'_, impl HasInFlight>, worker: Worker<'_>) {
        let (mut info, log, held) = match core::mem::take(bio.per_bio().in_flight()) {
            InFlight::Sent { info, log, held } => (info, log, held),
            InFlight::Counted | InFlight::Awaited(_) => (
                RequestInfo::of(op(bio.op()), Flags::NONE, 0, 0),
                false,
                None,
            ),
        };
        let record = held.and_then(|held| Complete::take_back(&self.pool, held));

        if let Some(sector) = bio.zone_append_sector() {
            info.move_to(sector);
        }
        if let Some(mut record) = record {
            record.move_to(info.sector());
            self.send(record, worker);
        }
        self.ended(&info, bio.result(), log, worker);
    }

    /// Reports the result of a request. If it has failed, also counts and records it.
    fn ended(&self, info: &RequestInfo, result: Result, log: bool, worker: Worker<'_>) {
        if Listeners::now().to(Event::Complete) {
            events::complete(self.device, info, result);
        }
        if let Err(error) = result {
            self.failed(info, error, log, worker);
        }
    }

    /// Counts and records a request that has failed.
    #[cold]
    fn failed(&self, info: &RequestInfo, error: Error, log: bool, worker: Worker<'_>) {
        self.counters.add(Counter::Errors, 1);

        if !log {
            return;
        }
        let header = Header {
            // The kernel's error numbers are below 4096.
            error: error.to_errno().unsigned_abs() as u16,
            ..header(info.op(), info.sector(), info.bytes())
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
}

/// The flags of a bio.
fn flags<P: PerBio>(bio: &MapBio<'_, P>) -> Flags {
    let flags = [
        (bio.is_fua(), Flags::FUA),
        (bio.is_preflush(), Flags::PREFLUSH),
        (bio.is_meta(), Flags::META),
        (bio.is_sync(), Flags::SYNC),
        (bio.is_nowait(), Flags::NOWAIT),
        (bio.is_atomic(), Flags::ATOMIC),
        (bio.is_readahead(), Flags::RAHEAD),
    ];

    flags
        .into_iter()
        .filter(|(set, _)| *set)
        .fold(Flags::NONE, |all, (_, flag)| all.with(flag))
}

/// The header of a request that has not been examined.
fn header(op: Op, sector: u64, bytes: u64) -> Header {
    Header {
        sector,
        bytes,
        op,
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
