// SPDX-License-Identifier: GPL-2.0

//! Bins along an axis. A recording is read once, and its length is known only at its end. So there is a fixed number of
//! bins, and when they do not suffice, each gets twice as wide: pairs of bins become one. Counts stay exact. At the end,
//! more than half of the bins are in use, unless the bins never had to grow.

/// Where the bins are. A bin has a number, `value >> log`, and the first bin has the number `base`.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    bins: usize,
    log: u32,
    base: i64,
    /// The numbers of the first and the last bin in use.
    used: Option<(i64, i64)>,
}

/// How counts move to other bins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// How many times the bins got twice as wide.
    doublings: u32,
    /// The number of the first bin before,
    from: i64,
    /// and after.
    to: i64,
}

impl Axis {
    /// So many bins, each at first `1 << log` wide.
    pub(super) fn new(bins: usize, log: u32) -> Self {
        Self {
            bins,
            log,
            base: 0,
            used: None,
        }
    }

    /// Makes sure that there are bins from `low` to `high`. If this returns a change, counts must move by it.
    pub(super) fn fit(&mut self, low: i64, high: i64) -> Option<Change> {
        let (mut first, mut last) = (low >> self.log, high >> self.log);
        match self.used {
            Some((used_first, used_last)) => {
                if used_first <= first && last <= used_last {
                    return None;
                }
                first = first.min(used_first);
                last = last.max(used_last);
            }
            None => self.base = first,
        }
        let bins = i64::try_from(self.bins).unwrap_or(i64::MAX);
        let mut doublings = 0;
        while last.saturating_sub(first) >= bins {
            first >>= 1;
            last >>= 1;
            doublings += 1;
        }
        let from = self.base;
        let mut to = from >> doublings;
        if first < to || last - to >= bins {
            // As much is left on either side, so that counts move rarely.
            to = first - (bins - (last - first + 1)) / 2;
        }
        self.log += doublings;
        self.base = to;
        self.used = Some((first, last));
        if doublings == 0 && from == to {
            return None;
        }
        Some(Change {
            doublings,
            from,
            to,
        })
    }

    /// The index of the bin of a value.
    pub(super) fn index(&self, value: i64) -> usize {
        let index = (value >> self.log).saturating_sub(self.base);
        usize::try_from(index).unwrap_or(0)
    }

    /// How many bins there are.
    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    /// How wide a bin is.
    pub(super) fn width(&self) -> i64 {
        1 << self.log
    }

    /// Where a bin begins.
    pub(super) fn start(&self, index: usize) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.base.saturating_add(index).saturating_mul(self.width())
    }

    /// The bins in use, in at most `most` groups of equal size, or in two if that is less: groups begin at multiples of
    /// their size, so bins on both sides of 0 are never in one.
    pub(super) fn groups(&self, most: usize) -> Groups {
        let (first, last) = self.used.unwrap_or_default();
        let most = i64::try_from(most.max(2)).unwrap_or(i64::MAX);
        let mut size = 1;
        while last.div_euclid(size) - first.div_euclid(size) >= most {
            size += 1;
        }
        let (first, last) = (first.div_euclid(size), last.div_euclid(size));
        Groups {
            start: (first * size).saturating_mul(self.width()),
            width: size.saturating_mul(self.width()),
            len: usize::try_from(last - first + 1).unwrap_or(0),
            shift: first * size - self.base,
            size,
        }
    }
}

/// Bins in groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// Where the first group begins.
    pub(super) start: i64,
    /// How wide a group is.
    pub(super) width: i64,
    /// How many groups there are.
    pub(super) len: usize,
    /// The index of the first bin of the first group. This bin need not exist.
    shift: i64,
    /// How many bins a group has.
    size: i64,
}

impl Groups {
    /// The group of a bin in use.
    pub(super) fn of(&self, index: usize) -> usize {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        usize::try_from((index - self.shift).div_euclid(self.size)).unwrap_or(usize::MAX)
    }

    /// Where the last group ends.
    pub(super) fn end(&self) -> i64 {
        let len = i64::try_from(self.len).unwrap_or(i64::MAX);
        self.start.saturating_add(len.saturating_mul(self.width))
    }

    /// The sums of the bins of each group.
    pub(super) fn sums(&self, cells: &[u64]) -> Vec<u64> {
        let mut sums = vec![0; self.len];
        for (index, cell) in cells.iter().enumerate() {
            if let Some(sum) = sums.get_mut(self.of(index)) {
                add(sum, *cell);
            }
        }
        sums
    }
}

impl Change {
    /// Moves the counts of bins. Each bin has `each` of them.
    pub(super) fn apply(&self, cells: &mut Vec<u64>, each: usize) {
        let mut moved = vec![0; cells.len()];
        for (number, bin) in (self.from..).zip(cells.chunks(each)) {
            let index = (number >> self.doublings).saturating_sub(self.to);
            // Bins that have no place any more are not in use.
            let Ok(index) = usize::try_from(index) else {
                continue;
            };
            let place = moved.chunks_mut(each).nth(index).unwrap_or_default();
            for (to, from) in place.iter_mut().zip(bin) {
                add(to, *from);
            }
        }
        *cells = moved;
    }
}

/// Adds to a count. No recording counts as far as the largest number, but a broken one may.
pub(super) fn add(count: &mut u64, number: u64) {
    *count = count.saturating_add(number);
}
