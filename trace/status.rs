// SPDX-License-Identifier: GPL-2.0

//! The answers to `dmsetup status` and to the message `pattern list`.

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
    /// Writes the counters: pairs of a word and a number, in an order that never changes. Then the number of patterns,
    /// and the name and count of each. `more` writes
    /// what comes before the patterns.
    pub(crate) fn write_counts<W: Write>(
        &self,
        out: &mut W,
        more: impl FnOnce(&mut W) -> fmt::Result,
    ) -> fmt::Result {
        let (_, search) = self.settings();

        for (name, count) in self.counters.iter() {
            write!(out, "{name} {count} ")?;
        }
        more(out)?;
        write!(out, "patterns {}", search.patterns.len())?;
        for pattern in search.patterns.iter() {
            let count = self.counters.of(pattern);
            write!(out, " {} {count}", Escaped(pattern.shown()))?;
        }
        Ok(())
    }

    /// Writes a line for each pattern: its name, its count, and the words of a table that create it.
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
