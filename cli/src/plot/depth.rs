// SPDX-License-Identifier: GPL-2.0

//! How many requests are in flight: for each bin of time, the sum of the times that requests spend in it.

use super::axis::{
    add,
    Axis,
    Change, //
};

/// Sums for each bin.
pub(super) struct Depth {
    /// Nanoseconds that requests spend in the bin, except those that `steps` says.
    area: Vec<u64>,
    /// Requests that fill bins: +1 in their first one, -1 in the one after the last. So a request costs as much whether
    /// it fills one bin or all.
    steps: Vec<i64>,
}

impl Depth {
    pub(super) fn new(bins: usize) -> Self {
        Self {
            area: vec![0; bins],
            steps: vec![0; bins],
        }
    }

    /// A request was in flight from `start` to `end`. The axis has bins for both.
    pub(super) fn add(&mut self, axis: &Axis, start: i64, end: i64) {
        let (first, last) = (axis.index(start), axis.index(end));
        let mut put = |index: usize, from: i64, to: i64| {
            let time = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
            if let Some(area) = self.area.get_mut(index) {
                add(area, time);
            }
        };
        if first >= last {
            put(first, start, end);
            return;
        }
        put(first, start, axis.start(first + 1));
        put(last, axis.start(last), end);
        for (index, step) in [(first + 1, 1), (last, -1)] {
            if let Some(steps) = self.steps.get_mut(index) {
                *steps += step;
            }
        }
    }

    /// Follows a change of the axis, whose bins were so wide before.
    pub(super) fn change(&mut self, change: &Change, width: i64) {
        self.area = self.sums(width);
        self.steps.fill(0);
        change.apply(&mut self.area, 1);
    }

    /// Nanoseconds that requests spend in each bin. `width` is that of a bin.
    pub(super) fn sums(&self, width: i64) -> Vec<u64> {
        let mut full = 0;
        let width = u64::try_from(width).unwrap_or(0);
        self.area
            .iter()
            .zip(&self.steps)
            .map(|(area, step)| {
                full += step;
                let full = u64::try_from(full).unwrap_or(0);
                area.saturating_add(full.saturating_mul(width))
            })
            .collect()
    }
}
