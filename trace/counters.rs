// SPDX-License-Identifier: GPL-2.0

//! The counters of `dmsetup status`.

use crate::{
    config::pattern::{
        Pattern,
        SLOTS, //
    },
    record::{
        Op,
        SECTOR_SIZE, //
    },
    sys::percpu::{
        self,
        Cells,
        PerCpu, //
    }, //
};
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::prelude::*;

/// The counters, in the order of the status line. New ones go at the end, because programs read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Flushes, including those that device-mapper splits off a write.
    Flush,
    /// Discards.
    Discard,
    /// Secure erases.
    SecureErase,
    /// Write-zeroes.
    WriteZeroes,
    /// Requests about zones, including zone appends.
    Zone,
    /// All other requests.
    Other,
    /// Sectors read.
    SectorsRead,
    /// Sectors of payload written.
    SectorsWritten,
    /// Sectors discarded, securely or not.
    SectorsDiscarded,
    /// Sectors zeroed without a payload.
    SectorsZeroed,
    /// Page-bounded segments of payload.
    Segments,
    /// Occurrences found in one segment, in the page itself.
    Page,
    /// Occurrences found in one segment, in its copy.
    Deltas,
    /// Occurrences that straddle segments of a request.
    Across,
    /// Requests that were not recorded in full: the sum of the next two.
    Degraded,
    /// Requests recorded without a copy of their bytes.
    DataLost,
    /// Requests not recorded at all.
    RecordLost,
    /// Requests that are not in the log, or not with all their lines. Either a limit left them out, and then they may
    /// not have been recorded; or a suspend did not wait for a slow console.
    LeftOut,
    /// Requests that completed with an error.
    Errors,
    /// Errors that the limit, or a full pool, kept out of the log.
    ErrorsLeftOut,
    /// Requests recorded without all that was found in them.
    FindsLost,
    /// Occurrences that straddle two adjacent requests.
    AcrossRequests,
    /// Writes whose edges were forgotten to make room for others.
    EdgesForgotten,
}

/// All counters with their words, in order.
const NAMES: [(Counter, &str); 25] = [
    (Counter::Read, "read"),
    (Counter::Write, "write"),
    (Counter::Flush, "flush"),
    (Counter::Discard, "discard"),
    (Counter::SecureErase, "secure_erase"),
    (Counter::WriteZeroes, "write_zeroes"),
    (Counter::Zone, "zone"),
    (Counter::Other, "other"),
    (Counter::SectorsRead, "sectors_read"),
    (Counter::SectorsWritten, "sectors_written"),
    (Counter::SectorsDiscarded, "sectors_discarded"),
    (Counter::SectorsZeroed, "sectors_zeroed"),
    (Counter::Segments, "segments"),
    (Counter::Page, "page"),
    (Counter::Deltas, "deltas"),
    (Counter::Across, "across"),
    (Counter::Degraded, "degraded"),
    (Counter::DataLost, "data_lost"),
    (Counter::RecordLost, "record_lost"),
    (Counter::LeftOut, "left_out"),
    (Counter::Errors, "errors"),
    (Counter::ErrorsLeftOut, "errors_left_out"),
    (Counter::FindsLost, "finds_lost"),
    (Counter::AcrossRequests, "across_requests"),
    (Counter::EdgesForgotten, "edges_forgotten"),
];

/// The counters above, followed by one for each slot of a pattern.
const CELLS: usize = NAMES.len() + SLOTS;

/// The counters of one device. Each CPU has its own.
pub(crate) struct Counters {
    cells: PerCpu<Cells<CELLS>>,
    /// The sums at the last reset. The counters themselves only grow, so that nothing that is counted meanwhile is
    /// lost.
    base: [AtomicU64; CELLS],
}

impl Counters {
    /// The size of the per-CPU counters, in bytes.
    pub(crate) fn size() -> u64 {
        percpu::size::<Cells<CELLS>>()
    }

    /// All zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> impl Init<Self, Error> {
        try_init!(Self {
            cells: PerCpu::zeroed()?,
            // In place, because it is too large for the stack.
            base <- pin_init::init_array_from_fn(|_| AtomicU64::new(0)),
        })
    }

    /// Adds to a counter. In any context.
    #[inline]
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        self.cells.add(counter as usize, amount);
    }

    /// Counts occurrences of a pattern. In any context.
    #[inline]
    pub(crate) fn found(&self, pattern: &Pattern, times: u64) {
        self.cells.add(cell(pattern), times);
    }

    /// Counts a request by its op, the bytes that it covers, and the segments of its payload. In any context.
    #[inline]
    pub(crate) fn request(&self, op: Op, bytes: u32, segments: u64) {
        let (counter, sectors) = match op {
            Op::Read => (Counter::Read, Some(Counter::SectorsRead)),
            Op::Write => (Counter::Write, Some(Counter::SectorsWritten)),
            Op::Flush => (Counter::Flush, None),
            Op::Discard => (Counter::Discard, Some(Counter::SectorsDiscarded)),
            Op::SecureErase => (Counter::SecureErase, Some(Counter::SectorsDiscarded)),
            Op::WriteZeroes => (Counter::WriteZeroes, Some(Counter::SectorsZeroed)),
            Op::ZoneAppend => (Counter::Zone, Some(Counter::SectorsWritten)),
            Op::ZoneReset | Op::ZoneResetAll | Op::ZoneOpen | Op::ZoneClose | Op::ZoneFinish => {
                (Counter::Zone, None)
            }
            Op::Other => (Counter::Other, None),
        };

        self.add(counter, 1);
        if let Some(sectors) = sectors {
            self.add(sectors, u64::from(bytes) / SECTOR_SIZE);
        }
        if segments != 0 {
            self.add(Counter::Segments, segments);
        }
    }

    /// The total since the start, over all CPUs. Not a snapshot: counting continues meanwhile.
    pub(crate) fn total(&self, counter: Counter) -> u64 {
        self.cells.sum(counter as usize)
    }

    /// Each counter's word, and its count since the last reset, in the order of the status line.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        NAMES
            .iter()
            .map(|&(counter, name)| (name, self.count(counter as usize)))
    }

    /// How often a pattern was found since the last reset, or since it was added.
    pub(crate) fn of(&self, pattern: &Pattern) -> u64 {
        self.count(cell(pattern))
    }

    /// The count of a cell since its base was set.
    fn count(&self, cell: usize) -> u64 {
        let base = self
            .base
            .get(cell)
            .map_or(0, |base| base.load(Ordering::Relaxed));

        self.cells.sum(cell).wrapping_sub(base)
    }

    /// Starts all counts from 0.
    pub(crate) fn reset(&self) {
        (0..CELLS).for_each(|cell| self.reset_cell(cell));
    }

    /// Starts the count of a pattern from 0. It must not be searched for yet.
    pub(crate) fn reset_pattern(&self, pattern: &Pattern) {
        self.reset_cell(cell(pattern));
    }

    fn reset_cell(&self, cell: usize) {
        if let Some(base) = self.base.get(cell) {
            base.store(self.cells.sum(cell), Ordering::Relaxed);
        }
    }
}

/// The cell of a pattern.
fn cell(pattern: &Pattern) -> usize {
    // Does not wrap: both are small.
    NAMES.len().wrapping_add(pattern.slot())
}
