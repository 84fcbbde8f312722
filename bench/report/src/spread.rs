// SPDX-License-Identifier: GPL-2.0

//! The summary of several measurements.

use serde::{Deserialize, Serialize};

/// The median, the minimum and the maximum of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are no greater, half of them no less.
    pub median: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
}

impl Spread {
    /// `None` where there are no figures.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let upper = figures[figures.len() / 2];
        let lower = figures[(figures.len() - 1) / 2];
        Some(Self {
            median: (lower + upper) / 2.0,
            min,
            max,
        })
    }

    /// The same after `change` is applied to each figure. `change` must keep or reverse their order.
    pub fn map(self, change: impl Fn(f64) -> f64) -> Self {
        let (a, b) = (change(self.min), change(self.max));
        Self {
            median: change(self.median),
            min: a.min(b),
            max: a.max(b),
        }
    }

    /// Whether the median of each lies outside all figures of the other: a change that chance alone does not
    /// explain.
    pub fn is_apart_from(self, other: Self) -> bool {
        let beyond = |figure, spread: Self| figure < spread.min || figure > spread.max;
        beyond(self.median, other) && beyond(other.median, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles() {
        assert_eq!(Spread::of([]), None);
        let one = Spread::of([3.0]).unwrap();
        assert_eq!((one.min, one.median, one.max), (3.0, 3.0, 3.0));
        let odd = Spread::of([5.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 5.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.min, even.median, even.max), (1.0, 2.5, 4.0));
    }

    #[test]
    fn a_change_that_reverses_the_order() {
        let time = Spread::of([2.0, 4.0, 5.0]).unwrap().map(|rate| 20.0 / rate);
        assert_eq!((time.min, time.median, time.max), (4.0, 5.0, 10.0));
    }

    #[test]
    fn apart() {
        let spread = |min, median, max| Spread { median, min, max };
        let old = spread(0.9, 1.0, 1.1);
        assert!(!old.is_apart_from(old));
        assert!(spread(0.7, 0.8, 0.85).is_apart_from(old));
        assert!(!spread(0.7, 0.8, 1.05).is_apart_from(old));
        assert!(!spread(1.0, 1.05, 2.0).is_apart_from(old));
        assert!(spread(1.2, 1.3, 1.4).is_apart_from(old));
    }
}
