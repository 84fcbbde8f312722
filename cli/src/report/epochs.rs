// SPDX-License-Identifier: GPL-2.0

//! Flush epochs: what is written between two barriers.
//!
//! A barrier is a flush, or a request with the flag PREFLUSH. A file system that waits for a flush has to know that what
//! it wrote before is durable, so an epoch is what a power failure could lose or reorder.

use super::spread::{
    Spread,
    Summary, //
};
use imgrement_core::record::{
    Flags,
    Op, //
};
use serde::Serialize;

/// Follows the epochs of a device.
#[derive(Default)]
pub(crate) struct Epochs {
    barriers: u64,
    empty: u64,
    began: Option<i64>,
    writes: u64,
    bytes: u64,
    all_writes: Spread,
    all_bytes: Spread,
    lengths: Spread,
}

/// The result. The writes before the first barrier and after the last one are in no epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EpochsSummary {
    /// Flushes, and requests with the flag PREFLUSH.
    pub(crate) barriers: u64,
    /// How many epochs have no write: the barrier follows another at once.
    pub(crate) without_writes: u64,
    /// For the epochs with writes: how many each has,
    pub(crate) writes: Summary,
    /// how many bytes,
    pub(crate) bytes: Summary,
    /// and how long it lasted, from barrier to barrier.
    pub(crate) length_ns: Summary,
}

impl Epochs {
    /// A request. They come in the order of their starts.
    pub(crate) fn add(&mut self, begin: i64, op: Op, flags: u32, bytes: u32) {
        if op == Op::Flush || flags & Flags::PREFLUSH.bits() != 0 {
            self.barriers += 1;
            if let Some(began) = self.began {
                if self.writes == 0 {
                    self.empty += 1;
                } else {
                    self.all_writes.add(self.writes);
                    self.all_bytes.add(self.bytes);
                    self.lengths
                        .add(begin.saturating_sub(began).max(0).unsigned_abs());
                }
            }
            self.began = Some(begin);
            self.writes = 0;
            self.bytes = 0;
        }
        // The data of a request with PREFLUSH is written after the flush.
        if changes(op) && bytes > 0 {
            self.writes += 1;
            self.bytes = self.bytes.saturating_add(u64::from(bytes));
        }
    }

    /// The result.
    pub(crate) fn summary(&self) -> EpochsSummary {
        EpochsSummary {
            barriers: self.barriers,
            without_writes: self.empty,
            writes: self.all_writes.summary(),
            bytes: self.all_bytes.summary(),
            length_ns: self.lengths.summary(),
        }
    }
}

/// Whether an op puts data on the disk: a payload, or zeroes.
pub(crate) fn changes(op: Op) -> bool {
    op.writes() || op == Op::WriteZeroes
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_splitting_a_list(ops in prop::collection::vec(0..6_u8, 0..100)) {
            // 0 and 1 write, 2 reads, 3 discards, 4 flushes, 5 writes with PREFLUSH.
            let requests: Vec<_> = ops.iter().enumerate().map(|(index, kind)| {
                let op = match kind {
                    0 | 5 => Op::Write,
                    1 => Op::WriteZeroes,
                    2 => Op::Read,
                    3 => Op::Discard,
                    _ => Op::Flush,
                };
                let bytes = if op == Op::Flush { 0 } else { 512 * (index as u32 + 1) };
                (op, if *kind == 5 { Flags::PREFLUSH.bits() } else { 0 }, bytes)
            }).collect();
            let mut epochs = Epochs::default();
            for (index, (op, flags, bytes)) in requests.iter().enumerate() {
                epochs.add(index as i64 * 10, *op, *flags, *bytes);
            }
            let got = epochs.summary();

            let at: Vec<usize> = (0..ops.len()).filter(|at| ops[*at] >= 4).collect();
            let inside: Vec<(u64, u64, u64)> = at.windows(2).map(|pair| {
                let writes = (pair[0]..pair[1]).filter(|at| matches!(ops[*at], 0 | 1 | 5));
                let bytes = writes.clone().map(|at| u64::from(requests[at].2)).sum();
                (writes.count() as u64, bytes, (pair[1] - pair[0]) as u64 * 10)
            }).collect();
            let full: Vec<_> = inside.iter().filter(|(writes, _, _)| *writes > 0).collect();
            prop_assert_eq!(got.barriers, at.len() as u64);
            prop_assert_eq!(got.without_writes, (inside.len() - full.len()) as u64);
            prop_assert_eq!(got.writes.count, full.len() as u64);
            prop_assert_eq!(got.writes.max, full.iter().map(|epoch| epoch.0).max().unwrap_or(0));
            prop_assert_eq!(got.bytes.max, full.iter().map(|epoch| epoch.1).max().unwrap_or(0));
            prop_assert_eq!(got.bytes.min, full.iter().map(|epoch| epoch.1).min().unwrap_or(0));
            prop_assert_eq!(got.length_ns.max, full.iter().map(|epoch| epoch.2).max().unwrap_or(0));
        }
    }
}
