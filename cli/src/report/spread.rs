// SPDX-License-Identifier: GPL-2.0

//! How values are spread: their number, extremes, mean and percentiles.

use hdrhistogram::Histogram;
use serde::Serialize;

/// How many decimal digits of a percentile are right. With 2, it is at most 1 % too low.
const DIGITS: u8 = 2;

/// Collects values. The memory depends on the largest one, and is at most 60 KiB.
pub(crate) struct Spread {
    /// `None` if it cannot be made, which does not happen: the number of digits is valid.
    histogram: Option<Histogram<u64>>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// What is known of the values, in their unit. Without values, all is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// How many there are.
    pub(crate) count: u64,
    /// The smallest one, exactly.
    pub(crate) min: u64,
    /// The mean, exactly.
    pub(crate) mean: f64,
    /// Half of the values are at most this large. As all percentiles, it may be 1 % too low.
    pub(crate) p50: u64,
    /// 90 % of them.
    pub(crate) p90: u64,
    /// 99 % of them.
    pub(crate) p99: u64,
    /// 99.9 % of them.
    pub(crate) p99_9: u64,
    /// The largest one, exactly.
    pub(crate) max: u64,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            histogram: Histogram::new(DIGITS).ok(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }
}

impl Spread {
    /// Adds a value.
    pub(crate) fn add(&mut self, value: u64) {
        self.add_times(value, 1);
    }

    /// Adds a value this many times.
    pub(crate) fn add_times(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        if let Some(histogram) = &mut self.histogram {
            // It grows as needed, so no value is too large.
            let _ = histogram.record_n(value, times);
        }
        self.count = self.count.saturating_add(times);
        self.sum = self
            .sum
            .saturating_add(u128::from(value).saturating_mul(u128::from(times)));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds the values of another one.
    pub(crate) fn join(&mut self, other: &Self) {
        if let (Some(histogram), Some(other)) = (&mut self.histogram, &other.histogram) {
            let _ = histogram.add(other);
        }
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The value that `share` of all values do not exceed: 0.5 for the median. It may be 1 % too low, so that a round
    /// value stays round. 0 without values.
    pub(crate) fn percentile(&self, share: f64) -> u64 {
        let value = self.histogram.as_ref().map_or(0, |histogram| {
            histogram.lowest_equivalent(histogram.value_at_quantile(share))
        });
        if self.count == 0 {
            return 0;
        }
        value.clamp(self.min, self.max)
    }

    /// All of it.
    pub(crate) fn summary(&self) -> Summary {
        if self.count == 0 {
            return Summary::default();
        }
        Summary {
            count: self.count,
            min: self.min,
            mean: self.sum as f64 / self.count as f64,
            p50: self.percentile(0.5),
            p90: self.percentile(0.9),
            p99: self.percentile(0.99),
            p99_9: self.percentile(0.999),
            max: self.max,
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_values_all_is_0() {
        assert_eq!(Spread::default().summary(), Summary::default());
    }

    #[test]
    fn any_value_fits() {
        let mut spread = Spread::default();
        spread.add(u64::MAX);
        assert_eq!(spread.summary().p50, u64::MAX);
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        let value = prop_oneof![0..10_u64, 0..100_000_u64, any::<u32>().prop_map(u64::from)];
        prop::collection::vec(value, 1..300)
    }

    proptest! {
        #[test]
        fn it_agrees_with_sorting(mut values in values(), at in 0..=300_usize) {
            let (mut low, mut high) = (Spread::default(), Spread::default());
            for (index, value) in values.iter().enumerate() {
                if index < at { low.add(*value) } else { high.add(*value) }
            }
            low.join(&high);
            let summary = low.summary();
            values.sort_unstable();
            let sum: u64 = values.iter().sum();
            prop_assert_eq!(summary.count, values.len() as u64);
            prop_assert_eq!(summary.mean, sum as f64 / values.len() as f64);
            prop_assert_eq!(Some(&summary.min), values.first());
            prop_assert_eq!(Some(&summary.max), values.last());
            for (share, got) in [
                (500, summary.p50),
                (900, summary.p90),
                (990, summary.p99),
                (999, summary.p99_9),
            ] {
                let exact = values[(values.len() * share).div_ceil(1000) - 1];
                prop_assert!(got <= exact && got >= exact - exact / 100, "{got} for {exact}");
            }
        }
    }
}
