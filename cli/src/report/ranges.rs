// SPDX-License-Identifier: GPL-2.0

//! The ranges of the disk that most requests go to.

use super::frequent::Frequent;
use crate::recording::row::Request;
use serde::Serialize;

/// The size of a range, in bytes.
pub(crate) const RANGE: u64 = 1 << 20;

/// The size of a range, in sectors.
const SECTORS: u64 = RANGE / 512;

/// How many ranges are counted exactly.
const DIFFERENT: usize = 4096;

/// Counts the requests to each range. A request counts for the range that it begins in.
pub(crate) struct Ranges(Frequent<u64, Counts>);

#[derive(Clone, Default)]
struct Counts {
    read: u64,
    written: u64,
}

/// A range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RangeSummary {
    /// Its first sector.
    pub(crate) sector: u64,
    /// How many requests begin in it.
    pub(crate) requests: u64,
    /// How many bytes these read,
    pub(crate) read_bytes: u64,
    /// and how many they write.
    pub(crate) written_bytes: u64,
}

/// The hottest ranges.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RangesSummary {
    /// The size of each.
    pub(crate) range_bytes: u64,
    /// How many requests may be missing from each number: 0 if they are exact.
    pub(crate) missing: u64,
    /// How many requests have sectors.
    pub(crate) requests: u64,
    /// The hottest first.
    pub(crate) ranges: Vec<RangeSummary>,
}

impl Default for Ranges {
    fn default() -> Self {
        Self(Frequent::new(DIFFERENT))
    }
}

impl Ranges {
    /// A request.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        if !request.op.has_sectors() {
            return;
        }
        let bytes = u64::from(request.bytes);
        self.0.add(&(request.sector / SECTORS), 1, |counts| {
            if request.op.writes() {
                counts.written = counts.written.saturating_add(bytes);
            } else if request.op.has_payload() {
                counts.read = counts.read.saturating_add(bytes);
            }
        });
    }

    /// The hottest ones. If none of them is known to be hotter than those that are not known, there are none.
    pub(crate) fn summary(&self, number: usize) -> RangesSummary {
        let top = self.0.top(number).into_iter();
        RangesSummary {
            range_bytes: RANGE,
            missing: self.0.missing(),
            requests: self.0.total(),
            ranges: top
                .map(|(range, requests, counts)| RangeSummary {
                    sector: range.saturating_mul(SECTORS),
                    requests,
                    read_bytes: counts.read,
                    written_bytes: counts.written,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use imgrement_core::record::Op;

    #[test]
    fn ranges_are_counted() {
        let mut ranges = Ranges::default();
        ranges.add(&request(Op::Write, 2048, 4096));
        ranges.add(&request(Op::Read, 4095, 512));
        ranges.add(&request(Op::Discard, 4096, 512));
        ranges.add(&request(Op::Flush, 0, 0));
        let got = ranges.summary(10);
        assert_eq!((got.requests, got.missing), (3, 0));
        let got: Vec<_> = got
            .ranges
            .iter()
            .map(|range| {
                (
                    range.sector,
                    range.requests,
                    range.read_bytes,
                    range.written_bytes,
                )
            })
            .collect();
        assert_eq!(got, [(2048, 2, 512, 4096), (4096, 1, 0, 0)]);
    }

    #[test]
    fn one_hot_range_is_found_among_many() {
        let mut ranges = Ranges::default();
        for index in 0..100_000 {
            ranges.add(&request(Op::Read, index * SECTORS, 512));
            if index % 10 == 0 {
                ranges.add(&request(Op::Read, 7 * SECTORS, 512));
            }
        }
        let got = ranges.summary(10);
        assert_eq!(
            got.ranges.first().map(|range| range.sector),
            Some(7 * SECTORS)
        );
        assert_eq!(got.ranges.len(), 1, "{got:?}");
    }
}
