// SPDX-License-Identifier: GPL-2.0

//! What is in a recording apart from requests: marks, changes of tables, losses.

use serde::Serialize;

/// How many of each are kept; the rest is counted.
const LIMIT: usize = 1000;

/// The first of some things, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct First<T> {
    /// How many there are.
    pub(crate) count: u64,
    /// The first 1000.
    pub(crate) first: Vec<T>,
}

impl<T> Default for First<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: Vec::new(),
        }
    }
}

impl<T> First<T> {
    /// Adds one. It is made only if it is kept.
    pub(crate) fn add(&mut self, make: impl FnOnce() -> T) {
        self.count += 1;
        if self.first.len() < LIMIT {
            self.first.push(make());
        }
    }
}

/// A message `mark`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mark {
    /// Nanoseconds from the beginning of the recording.
    pub(crate) at_ns: i64,
    /// The name of the device.
    pub(crate) device: Option<String>,
    /// The text, escaped.
    pub(crate) text: String,
}

/// A table was loaded, resumed, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct TableChange {
    /// Nanoseconds from the beginning of the recording.
    pub(crate) at_ns: i64,
    /// The name of the device.
    pub(crate) device: Option<String>,
    /// What happened to it.
    pub(crate) reason: String,
    /// Its line, escaped.
    pub(crate) line: String,
}

/// The kernel dropped events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Loss {
    /// Nanoseconds from the beginning of the recording.
    pub(crate) at_ns: i64,
    /// The CPU whose buffer was full.
    pub(crate) cpu: Option<u32>,
    /// How many. `None` if the kernel does not say.
    pub(crate) events: Option<u64>,
}

/// All losses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Losses {
    /// How many events were lost at least.
    pub(crate) events: u64,
    /// How many times the kernel does not say how many.
    pub(crate) unknown: u64,
    /// Where.
    pub(crate) places: First<Loss>,
}

/// All of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Notes {
    pub(crate) losses: Losses,
    pub(crate) marks: First<Mark>,
    pub(crate) tables: First<TableChange>,
}

impl Losses {
    /// Adds one.
    pub(crate) fn add(&mut self, loss: Loss) {
        match loss.events {
            Some(events) => self.events = self.events.saturating_add(events),
            None => {
                self.unknown += 1;
                // There was at least one.
                self.events = self.events.saturating_add(1);
            }
        }
        self.places.add(|| loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_added_up() {
        let mut losses = Losses::default();
        for events in [Some(7), None, Some(1)] {
            losses.add(Loss {
                at_ns: 5,
                cpu: Some(1),
                events,
            });
        }
        assert_eq!(
            (losses.events, losses.unknown, losses.places.count),
            (9, 1, 3)
        );
    }

    #[test]
    fn only_the_first_are_kept() {
        let mut first = First::default();
        for number in 0..5000 {
            first.add(|| number);
        }
        assert_eq!(
            (first.count, first.first.len(), first.first.last()),
            (5000, LIMIT, Some(&999))
        );
    }
}
