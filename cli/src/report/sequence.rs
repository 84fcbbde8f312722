// SPDX-License-Identifier: GPL-2.0

//! How sequential requests are.

use super::spread::{
    Spread,
    Summary, //
};
use serde::Serialize;
use std::collections::VecDeque;

/// How many earlier requests are looked at for one that a request continues.
const WINDOW: usize = 64;

/// Follows the requests of an op and a device. All sectors are in units of 512 bytes.
#[derive(Default)]
pub(crate) struct Sequence {
    /// Where the last requests ended, the newest last.
    ends: VecDeque<u64>,
    requests: u64,
    sequential: u64,
    streamed: u64,
    run: u64,
    runs: Spread,
    jumps: Spread,
}

/// The result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SequenceSummary {
    /// The op.
    pub(crate) op: &'static str,
    /// How many requests have one before them.
    pub(crate) requests: u64,
    /// How many of these begin where the one before ended.
    pub(crate) sequential: u64,
    /// How many begin where one of the 64 before ended.
    pub(crate) in_streams: u64,
    /// How far the others are from the end of the one before, in bytes.
    pub(crate) jump_bytes: Summary,
    /// How long the runs of sequential requests are, in bytes.
    pub(crate) run_bytes: Summary,
}

impl Sequence {
    /// A request. They come in the order of their starts.
    pub(crate) fn add(&mut self, sector: u64, sectors: u64) {
        if let Some(last) = self.ends.back().copied() {
            self.requests += 1;
            if last == sector {
                self.sequential += 1;
            } else {
                self.jumps.add(last.abs_diff(sector).saturating_mul(512));
                self.end_run();
            }
        }
        self.run = self.run.saturating_add(sectors);
        let continued = self.ends.iter().rposition(|end| *end == sector);
        if let Some(index) = continued {
            self.streamed += 1;
            // Each stream has one end.
            self.ends.remove(index);
        }
        if self.ends.len() >= WINDOW {
            self.ends.pop_front();
        }
        self.ends.push_back(sector.saturating_add(sectors));
    }

    fn end_run(&mut self) {
        self.runs.add(self.run.saturating_mul(512));
        self.run = 0;
    }

    /// The result, after the last request.
    pub(crate) fn summary(mut self, op: &'static str) -> SequenceSummary {
        if !self.ends.is_empty() {
            self.end_run();
        }
        SequenceSummary {
            op,
            requests: self.requests,
            sequential: self.sequential,
            in_streams: self.streamed,
            jump_bytes: self.jumps.summary(),
            run_bytes: self.runs.summary(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_streams_at_once_are_streams() {
        let mut sequence = Sequence::default();
        for index in 0..100 {
            sequence.add(index * 8, 8);
            sequence.add(1_000_000 + index * 8, 8);
        }
        let summary = sequence.summary("read");
        assert_eq!(
            (summary.requests, summary.sequential, summary.in_streams),
            (199, 0, 198)
        );
        assert_eq!(
            (summary.run_bytes.count, summary.run_bytes.max),
            (200, 4096)
        );
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_list(requests in prop::collection::vec((0..40_u64, 0..4_u64), 0..300)) {
            let mut sequence = Sequence::default();
            for (sector, sectors) in &requests {
                sequence.add(*sector, *sectors);
            }
            let got = sequence.summary("write");

            let follows = |at: usize| requests[at - 1].0 + requests[at - 1].1 == requests[at].0;
            let sequential = (1..requests.len()).filter(|at| follows(*at)).count() as u64;
            let mut runs = Vec::new();
            for (at, (_, sectors)) in requests.iter().enumerate() {
                if at > 0 && follows(at) {
                    *runs.last_mut().unwrap() += sectors * 512;
                } else {
                    runs.push(sectors * 512);
                }
            }
            // The ends of streams, as a plain list.
            let (mut ends, mut streamed) = (Vec::new(), 0);
            for (sector, sectors) in &requests {
                if let Some(at) = ends.iter().rposition(|end| end == sector) {
                    ends.remove(at);
                    streamed += 1;
                }
                ends.push(sector + sectors);
                let keep = ends.len().saturating_sub(64);
                ends.drain(..keep);
            }
            prop_assert_eq!(got.requests, requests.len().saturating_sub(1) as u64);
            prop_assert_eq!(got.sequential, sequential);
            prop_assert_eq!(got.in_streams, streamed);
            prop_assert_eq!(got.jump_bytes.count, got.requests - sequential);
            prop_assert_eq!(got.run_bytes.count, runs.len() as u64);
            prop_assert_eq!(got.run_bytes.max, runs.iter().copied().max().unwrap_or(0));
        }
    }
}
