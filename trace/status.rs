// SPDX-License-Identifier: GPL-2.0

//! What `dmsetup status` and the message `pattern list` are answered.

use super::Trace;
use crate::{
    bytes::word::Escaped,
    config::pattern::Pattern, //
};
use kernel::fmt::{
    self,
    Write, //
};

impl Trace {
    /// Writes what has been counted: a word and its number each, in an order that does not change, and last
    /// how many patterns there are, and the name and the number of each.
    pub(crate) fn write_counts(&self, out: &mut impl Write) -> fmt::Result {
        let (_, search) = self.settings();

        for (name, count) in self.counters.iter() {
            write!(out, "{name} {count} ")?;
        }
        write!(out, "patterns {}", search.patterns.len())?;
        for pattern in search.patterns.iter() {
            let count = self.counters.of(pattern);
            write!(out, " {} {count}", Escaped(pattern.shown()))?;
        }
        Ok(())
    }

    /// Writes a line for each pattern: its name, its number, and the words of a table that make it.
    pub(crate) fn write_patterns(&self, out: &mut impl Write) -> fmt::Result {
        let (_, search) = self.settings();

        search
            .patterns
            .iter()
            .try_for_each(|pattern| self.write_pattern(pattern, out))
    }

    /// Writes the line of one of them.
    pub(crate) fn write_pattern(&self, pattern: &Pattern, out: &mut impl Write) -> fmt::Result {
        let count = self.counters.of(pattern);

        writeln!(out, "{} {count} {pattern}", Escaped(pattern.shown()))
    }
}
