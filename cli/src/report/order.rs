// SPDX-License-Identifier: GPL-2.0

//! Statistics for which the order of the requests matters.
//!
//! A slow request has its row when it completes, later than in its place. If a recording has such rows, it is read a
//! second time, and they are put in their places.

use super::{
    arrivals::Arrivals,
    depth::{
        Depth,
        DepthSummary, //
    },
    epochs::{
        Epochs,
        EpochsSummary, //
    },
    sequence::{
        Sequence,
        SequenceSummary, //
    },
    spread::Summary,
};
use crate::recording::row::{
    op_name,
    Request, //
};
use imgrement_core::record::Op;

/// How many late rows can be put in their places.
const LIMIT: usize = 1 << 19;

/// What these statistics need of a request.
#[derive(Clone, Copy)]
pub(crate) struct Timed {
    pub(crate) device: Option<u8>,
    pub(crate) begin: i64,
    pub(crate) latency: Option<u64>,
    pub(crate) op: Op,
    pub(crate) flags: u32,
    pub(crate) sector: u64,
    pub(crate) bytes: u32,
}

impl Timed {
    pub(crate) fn new(device: Option<u8>, begin: i64, request: &Request<'_>) -> Self {
        Self {
            device,
            begin,
            latency: request.latency,
            op: request.op,
            flags: request.flags,
            sector: request.sector,
            bytes: request.bytes,
        }
    }
}

/// Finds the rows that are late.
pub(crate) struct Late {
    newest: i64,
    rows: Vec<Timed>,
    /// How many were too many.
    left_out: u64,
}

impl Default for Late {
    fn default() -> Self {
        Self {
            newest: i64::MIN,
            rows: Vec::new(),
            left_out: 0,
        }
    }
}

impl Late {
    /// Whether the next row is in its place.
    pub(crate) fn in_place(&mut self, time: i64) -> bool {
        let in_place = time >= self.newest;
        self.newest = self.newest.max(time);
        in_place
    }

    /// Keeps a row that is late.
    pub(crate) fn keep(&mut self, row: Timed) {
        if self.rows.len() < LIMIT {
            self.rows.push(row);
        } else {
            self.left_out += 1;
        }
    }

    /// The rows that were late, in order, and how many more there were.
    pub(crate) fn into_rows(mut self) -> (Vec<Timed>, u64) {
        self.rows.sort_by_key(|row| row.begin);
        (self.rows, self.left_out)
    }
}

/// These statistics, for a device.
#[derive(Default)]
pub(crate) struct InOrder {
    arrivals: Arrivals,
    depth: Depth,
    sequences: Vec<(Op, Sequence)>,
    epochs: Epochs,
}

/// The result.
pub(crate) struct InOrderSummary {
    pub(crate) arrivals: Summary,
    pub(crate) depth: DepthSummary,
    pub(crate) sequences: Vec<SequenceSummary>,
    pub(crate) epochs: EpochsSummary,
}

impl InOrder {
    /// A request. They come in the order of their starts.
    pub(crate) fn add(&mut self, row: &Timed) {
        self.arrivals.add(row.begin);
        match row.latency {
            Some(latency) => self.depth.add(row.begin, latency),
            // Its end is not known.
            None => self.depth.advance(row.begin),
        }
        self.epochs.add(row.begin, row.op, row.flags, row.bytes);
        if !row.op.has_sectors() || row.bytes == 0 {
            return;
        }
        let index = match self.sequences.iter().position(|(op, _)| *op == row.op) {
            Some(index) => index,
            None => {
                self.sequences.push((row.op, Sequence::default()));
                self.sequences.len() - 1
            }
        };
        if let Some((_, sequence)) = self.sequences.get_mut(index) {
            sequence.add(row.sector, u64::from(row.bytes) / 512);
        }
    }

    /// The result.
    pub(crate) fn summary(mut self) -> InOrderSummary {
        self.sequences.sort_by_key(|(op, _)| op.code());
        let sequences = self.sequences.into_iter();
        InOrderSummary {
            arrivals: self.arrivals.summary(),
            depth: self.depth.summary(),
            sequences: sequences
                .map(|(op, sequence)| sequence.summary(op_name(op)))
                .collect(),
            epochs: self.epochs.summary(),
        }
    }
}
