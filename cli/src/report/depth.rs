// SPDX-License-Identifier: GPL-2.0

//! The queue depth: how many requests are on the disk at a time.

use super::spread::Spread;
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::BinaryHeap, //
};

/// How many requests may be in flight. More are not counted: only a forged recording has them.
const LIMIT: usize = 1 << 20;

/// Follows the depth. Each request counts from its start to its end.
#[derive(Default)]
pub(crate) struct Depth {
    ends: BinaryHeap<Reverse<i64>>,
    /// The time up to which all is counted.
    now: Option<i64>,
    /// The depths, each as often as it lasted nanoseconds.
    shares: Spread,
    /// For each class of depths, how long it lasted.
    classes: Vec<u64>,
    /// The sum of all time that requests were in flight.
    busy: u128,
    max: u64,
}

/// A range of depths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Share {
    /// The lowest and the highest depth of this range.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The part of the time, from 0 to 1.
    pub(crate) share: f64,
}

/// The result about the depth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DepthSummary {
    /// The mean over time.
    pub(crate) mean: f64,
    pub(crate) max: u64,
    /// Half of the time, the depth was at most this.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// How much of the time each range of depths lasted.
    pub(crate) shares: Vec<Share>,
}

impl Depth {
    /// A request began, and took this many nanoseconds. Requests come in the order of their starts.
    pub(crate) fn add(&mut self, begin: i64, latency: u64) {
        self.advance(begin);
        if self.ends.len() < LIMIT {
            let latency = i64::try_from(latency).unwrap_or(i64::MAX);
            self.ends.push(Reverse(begin.saturating_add(latency)));
            self.max = self.max.max(self.depth());
        }
    }

    /// The depth now.
    pub(crate) fn depth(&self) -> u64 {
        u64::try_from(self.ends.len()).unwrap_or(u64::MAX)
    }

    /// Counts up to this time.
    pub(crate) fn advance(&mut self, to: i64) {
        while let Some(Reverse(end)) = self.ends.peek().copied().filter(|end| end.0 <= to) {
            self.hold(end);
            self.ends.pop();
        }
        self.hold(to);
    }

    /// The depth has stayed the same up to this time.
    fn hold(&mut self, to: i64) {
        let from = self.now.unwrap_or(to);
        if to < from {
            return;
        }
        self.now = Some(to);
        let (length, depth) = (to.abs_diff(from), self.depth());
        if length == 0 {
            return;
        }
        self.shares.add_times(depth, length);
        self.busy = self
            .busy
            .saturating_add(u128::from(length).saturating_mul(u128::from(depth)));
        let class = class(depth);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        if let Some(time) = self.classes.get_mut(class) {
            *time = time.saturating_add(length);
        }
    }

    /// The end of the last request.
    fn last_end(&self) -> Option<i64> {
        self.ends.iter().map(|end| end.0).max()
    }

    /// The result, after the last request: up to the end of the last one.
    pub(crate) fn summary(mut self) -> DepthSummary {
        if let Some(end) = self.last_end() {
            self.advance(end);
        }
        let total = self.shares.count();
        let share = |time: u64| match total {
            0 => 0.0,
            total => time as f64 / total as f64,
        };
        DepthSummary {
            mean: match total {
                0 => 0.0,
                total => self.busy as f64 / total as f64,
            },
            max: self.max,
            p50: self.shares.percentile(0.5),
            p99: self.shares.percentile(0.99),
            shares: self
                .classes
                .iter()
                .enumerate()
                .map(|(class, time)| {
                    let (from, to) = bounds(class);
                    Share {
                        from,
                        to,
                        share: share(*time),
                    }
                })
                .collect(),
        }
    }
}

/// Depths 0, 1, 2 to 3, 4 to 7, and so on.
fn class(depth: u64) -> usize {
    usize::try_from(u64::BITS - depth.leading_zeros()).unwrap_or(0)
}

/// The lowest and the highest depth of a class.
fn bounds(class: usize) -> (u64, u64) {
    let power = |class: u32| 1_u64.checked_shl(class).unwrap_or(0);
    match u32::try_from(class).unwrap_or(u32::MAX) {
        0 => (0, 0),
        class => (power(class - 1), power(class).wrapping_sub(1)),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes_have_bounds() {
        for depth in [0, 1, 2, 3, 4, 7, 8, 1 << 20, u64::MAX] {
            let (from, to) = bounds(class(depth));
            assert!((from..=to).contains(&depth), "{depth}: {from} {to}");
        }
        assert_eq!(bounds(2), (2, 3));
    }

    proptest! {
        #[test]
        fn it_agrees_with_looking_at_each_nanosecond(
            requests in prop::collection::vec((0..30_i64, 0..60_u64), 1..40),
        ) {
            let mut begin = 100;
            let mut list = Vec::new();
            let mut depth = Depth::default();
            for (gap, latency) in requests {
                begin += gap;
                depth.add(begin, latency);
                list.push((begin, begin + i64::try_from(latency).unwrap()));
            }
            let first = list[0].0;
            let last = list.iter().map(|(_, end)| *end).max().unwrap();
            let at = |time| list.iter().filter(|(begin, end)| *begin <= time && time < *end).count() as u64;
            let mut depths: Vec<u64> = (first..last).map(at).collect();
            let got = depth.summary();
            if depths.is_empty() {
                prop_assert_eq!(got.mean, 0.0);
                return Ok(());
            }
            let wanted = depths.iter().sum::<u64>() as f64 / depths.len() as f64;
            prop_assert!((got.mean - wanted).abs() < 1e-9, "{} for {wanted}", got.mean);
            for share in &got.shares {
                let number = depths.iter().filter(|depth| (share.from..=share.to).contains(*depth)).count();
                prop_assert!((share.share - number as f64 / depths.len() as f64).abs() < 1e-9);
            }
            depths.sort_unstable();
            prop_assert_eq!(got.p50, depths[depths.len().div_ceil(2) - 1]);
            prop_assert_eq!(got.p99, depths[(depths.len() * 99).div_ceil(100) - 1]);
            // A request that takes no time is never seen at a whole nanosecond.
            prop_assert!(got.max >= *depths.last().unwrap());
        }
    }
}
