// SPDX-License-Identifier: GPL-2.0

//! Keeps some of very many things: all of them, or each second, fourth ... of them when there are too many.

/// The things that are kept.
pub(super) struct Thin<T> {
    kept: Vec<T>,
    most: usize,
    /// Each so-manieth thing is kept.
    step: u64,
    seen: u64,
}

impl<T> Thin<T> {
    /// Keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            most,
            step: 1,
            seen: 0,
        }
    }

    /// Adds what `thing` makes, if it is to be kept.
    pub(super) fn add(&mut self, thing: impl FnOnce() -> T) {
        if self.seen % self.step == 0 {
            if self.kept.len() >= self.most {
                let mut keep = false;
                self.kept.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.step *= 2;
            }
            if self.seen % self.step == 0 {
                self.kept.push(thing());
            }
        }
        self.seen += 1;
    }

    /// Those that are kept.
    pub(super) fn kept(&self) -> &[T] {
        &self.kept
    }

    /// How many there were.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether none is missing.
    pub(super) fn is_all(&self) -> bool {
        self.step == 1
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_kept_are_evenly_spread() {
        for total in 0..200_u64 {
            let mut thin = Thin::new(8);
            for thing in 0..total {
                thin.add(|| thing);
            }
            let step = thin.step;
            let wanted: Vec<u64> = (0..total).step_by(usize::try_from(step).unwrap()).collect();
            assert_eq!(thin.kept(), wanted);
            assert!(thin.kept().len() <= 8 && thin.seen() == total);
            assert_eq!(thin.is_all(), total <= 8);
        }
    }
}
