// SPDX-License-Identifier: GPL-2.0

//! The statistics of a device.

use super::{
    alignment::{
        Alignment,
        AlignmentSummary, //
    },
    coverage::{
        Coverage,
        CoverageSummary, //
    },
    depth::DepthSummary,
    epochs::{
        changes,
        EpochsSummary, //
    },
    found::{
        Found,
        FoundSummary, //
    },
    frequent::Frequent,
    ops::{
        OpSummary,
        Ops, //
    },
    order::{
        InOrder,
        Timed, //
    },
    processes::{
        Processes,
        ProcessesSummary, //
    },
    ranges::{
        Ranges,
        RangesSummary, //
    },
    sequence::SequenceSummary,
    sizes::{
        ClassSummary,
        SizeSummary,
        Sizes, //
    },
    spread::Summary,
};
use crate::recording::{
    head::Device,
    row::{
        op_name,
        Match,
        Request, //
    },
};
use imgrement_core::record::Op;
use serde::Serialize;

/// How many of the hottest ranges, the busiest processes and the most common sizes are named.
const NAMED: usize = 20;

/// How many kinds of errors are counted exactly.
const ERRORS: usize = 256;

/// The statistics of a device.
pub(crate) struct Statistics {
    first: Option<i64>,
    end: i64,
    ops: Ops,
    sizes: Sizes,
    alignment: Alignment,
    ranges: Ranges,
    processes: Processes,
    errors: Frequent<(u8, u32), ()>,
    found: Found,
    written: Coverage,
    read: Coverage,
    unfinished: u64,
    without_begin: u64,
    in_order: InOrder,
}

/// An error, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorSummary {
    /// The op.
    pub(crate) op: &'static str,
    /// The number of the error.
    pub(crate) errno: u32,
    /// What it means.
    pub(crate) text: String,
    /// How many requests failed with it.
    pub(crate) requests: u64,
}

/// The results for a device.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeviceSummary {
    /// What the recording says of the device.
    pub(crate) device: Device,
    /// The start of the first request, in nanoseconds since 1970.
    pub(crate) first_ns: Option<i64>,
    /// From there to the end of the last one.
    pub(crate) duration_ns: u64,
    /// All requests together.
    pub(crate) all: OpSummary,
    /// Each op.
    pub(crate) ops: Vec<OpSummary>,
    /// How many requests had no end yet when the recording ended, or their ends were lost.
    pub(crate) without_end: u64,
    /// How many began before the recording, or their starts were lost.
    pub(crate) without_begin: u64,
    /// Latencies by op and size.
    pub(crate) size_classes: Vec<ClassSummary>,
    /// The most common sizes.
    pub(crate) sizes: Vec<SizeSummary>,
    /// How many requests may be missing from each number of these.
    pub(crate) sizes_missing: u64,
    /// How sequential each op is.
    pub(crate) sequential: Vec<SequenceSummary>,
    /// From the start of a request to that of the next.
    pub(crate) arrival_ns: Summary,
    /// How many requests are on the disk at a time.
    pub(crate) depth: DepthSummary,
    /// What is written between barriers.
    pub(crate) epochs: EpochsSummary,
    /// The sectors that were written.
    pub(crate) written: CoverageSummary,
    /// The sectors that were read.
    pub(crate) read: CoverageSummary,
    /// The ranges with the most requests.
    pub(crate) hottest: RangesSummary,
    /// The processes with the most requests.
    pub(crate) processes: ProcessesSummary,
    /// How many requests are aligned to each size.
    pub(crate) alignment: Vec<AlignmentSummary>,
    /// What failed.
    pub(crate) errors: Vec<ErrorSummary>,
    /// Occurrences of patterns.
    pub(crate) matches: FoundSummary,
}

impl Statistics {
    /// For a device. Up to this many bytes of memory are for what depends on the data.
    pub(crate) fn new(block_size: u32, memory: usize) -> Self {
        Self {
            first: None,
            end: i64::MIN,
            ops: Ops::default(),
            sizes: Sizes::default(),
            alignment: Alignment::new(block_size),
            ranges: Ranges::default(),
            processes: Processes::default(),
            errors: Frequent::new(ERRORS),
            found: Found::default(),
            written: Coverage::new(memory / 2),
            read: Coverage::new(memory / 2),
            unfinished: 0,
            without_begin: 0,
            in_order: InOrder::default(),
        }
    }

    /// A request, in any order; and the occurrences of patterns in it, if they were recorded.
    pub(crate) fn add<'a>(
        &mut self,
        begin: i64,
        request: &Request<'_>,
        matches: Option<impl Iterator<Item = Match<'a>>>,
    ) {
        let latency = i64::try_from(request.latency.unwrap_or(0)).unwrap_or(i64::MAX);
        self.first = Some(self.first.map_or(begin, |first| first.min(begin)));
        self.end = self.end.max(begin.saturating_add(latency));
        self.ops.add(request);
        self.sizes.add(request);
        self.alignment.add(request);
        self.ranges.add(request);
        self.processes.add(request);
        self.found.add(request);
        if let Some(matches) = matches {
            self.found.add_matches(matches);
        }
        match request.errno {
            None => self.unfinished += 1,
            Some(0) => {}
            Some(errno) => self.errors.add(&(request.op.code(), errno), 1, |()| {}),
        }
        self.without_begin += u64::from(request.begin.is_none());
        let sectors = u64::from(request.bytes).div_ceil(512);
        if request.op == Op::Read {
            self.read.add(request.sector, sectors);
        } else if changes(request.op) {
            self.written.add(request.sector, sectors);
        }
    }

    /// A request, for the statistics in which the order matters. They come in the order of their starts.
    pub(crate) fn add_in_order(&mut self, request: &Timed) {
        self.in_order.add(request);
    }

    /// Forgets what came by `add_in_order`: all will come again.
    pub(crate) fn restart_order(&mut self) {
        self.in_order = InOrder::default();
    }

    /// The result.
    pub(crate) fn summary(self, device: Device) -> DeviceSummary {
        let duration = match self.first {
            Some(first) => self.end.saturating_sub(first).max(0).unsigned_abs(),
            None => 0,
        };
        let (ops, all) = self.ops.summary(duration as f64 / 1e9);
        let (sizes, sizes_missing) = self.sizes.common(NAMED);
        let in_order = self.in_order.summary();
        let errors = self.errors.top(NAMED).into_iter();
        DeviceSummary {
            device,
            first_ns: self.first,
            duration_ns: duration,
            all,
            ops,
            without_end: self.unfinished,
            without_begin: self.without_begin,
            size_classes: self.sizes.classes(),
            sizes,
            sizes_missing,
            sequential: in_order.sequences,
            arrival_ns: in_order.arrivals,
            depth: in_order.depth,
            epochs: in_order.epochs,
            written: self.written.summary(),
            read: self.read.summary(),
            hottest: self.ranges.summary(NAMED),
            processes: self.processes.summary(NAMED),
            alignment: self.alignment.summary(),
            errors: errors
                .map(|((op, errno), requests, ())| ErrorSummary {
                    op: op_name(Op::from_code(op).unwrap_or(Op::Other)),
                    errno,
                    text: error_text(errno),
                    requests,
                })
                .collect(),
            matches: self.found.summary(),
        }
    }
}

/// What an error means, without its number.
fn error_text(errno: u32) -> String {
    let Ok(errno) = i32::try_from(errno) else {
        return "unknown".into();
    };
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}
