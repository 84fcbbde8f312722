// SPDX-License-Identifier: GPL-2.0

//! The time from the start of a request to the start of the next.

use super::spread::{
    Spread,
    Summary, //
};

/// Follows the starts of the requests of a device.
#[derive(Default)]
pub(crate) struct Arrivals {
    last: Option<i64>,
    gaps: Spread,
}

impl Arrivals {
    /// A request begins. They come in this order.
    pub(crate) fn add(&mut self, begin: i64) {
        if let Some(last) = self.last {
            self.gaps
                .add(begin.saturating_sub(last).max(0).unsigned_abs());
        }
        self.last = Some(begin);
    }

    /// The gaps, in nanoseconds.
    pub(crate) fn summary(&self) -> Summary {
        self.gaps.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted() {
        let mut arrivals = Arrivals::default();
        for begin in [100, 107, 107, 120] {
            arrivals.add(begin);
        }
        let summary = arrivals.summary();
        assert_eq!((summary.count, summary.min, summary.max), (3, 0, 13));
        assert_eq!(summary.mean, 20.0 / 3.0);
    }
}
