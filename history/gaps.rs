// SPDX-License-Identifier: GPL-2.0

//! Ranges that changed on the disk, and are not in the log, until the log has room to say so.

use crate::sys::memory::{
    self,
    Array, //
};
use core::ops::Range;
use kernel::alloc::AllocError;

/// How many ranges are kept apart. Further ones are joined with the nearest.
const RANGES: u32 = 64;

/// What is missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    /// Sectors, counted from the start of the target.
    pub(super) sectors: Range<u64>,
    /// Bits of [`Gap`](crate::history_format::entry::Gap).
    pub(super) detail: u8,
}

/// The ranges.
pub(super) struct Gaps {
    ranges: Array<Missing>,
    used: usize,
}

impl Gaps {
    /// None. May sleep.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            ranges: memory::with_each(RANGES, Missing::default)?,
            used: 0,
        })
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Adds a range. If there are too many, one grows to include it, so that more is called missing than is.
    pub(super) fn add(&mut self, sectors: Range<u64>, detail: u8) {
        if sectors.is_empty() {
            return;
        }
        let used = self.ranges.get_mut(..self.used).unwrap_or_default();
        let nearest = used
            .iter_mut()
            .map(|range| (distance(&range.sectors, &sectors), range))
            .filter(|(distance, range)| *distance == 0 && range.detail == detail)
            .map(|(_, range)| range)
            .next();
        if let Some(range) = nearest {
            join(range, &sectors, detail);
            return;
        }
        if let Some(free) = self.ranges.get_mut(self.used) {
            *free = Missing { sectors, detail };
            self.used = self.used.saturating_add(1);
            return;
        }
        let nearest = self
            .ranges
            .iter_mut()
            .min_by_key(|range| distance(&range.sectors, &sectors));
        if let Some(range) = nearest {
            join(range, &sectors, detail);
        }
    }

    /// Removes all of them, as one range that includes them.
    pub(super) fn pop_all(&mut self) -> Option<Missing> {
        let mut all = self.pop()?;
        while let Some(next) = self.pop() {
            join(&mut all, &next.sectors, next.detail);
        }
        Some(all)
    }

    /// Removes one of them.
    pub(super) fn pop(&mut self) -> Option<Missing> {
        self.used = self.used.checked_sub(1)?;
        self.ranges.get(self.used).cloned()
    }
}

fn join(range: &mut Missing, sectors: &Range<u64>, detail: u8) {
    range.sectors.start = range.sectors.start.min(sectors.start);
    range.sectors.end = range.sectors.end.max(sectors.end);
    range.detail |= detail;
}

/// How many sectors are between two ranges; 0 if they touch or overlap.
fn distance(one: &Range<u64>, other: &Range<u64>) -> u64 {
    one.start
        .max(other.start)
        .saturating_sub(one.end.min(other.end))
}
