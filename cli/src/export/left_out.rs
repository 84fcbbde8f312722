// SPDX-License-Identifier: GPL-2.0

//! Requests that a format cannot express. They are counted, and named at the end.

use crate::{
    output::note,
    recording::row::op_name, //
};
use imgrement_core::record::Op;

/// What was left out.
#[derive(Default)]
pub(super) struct LeftOut {
    counts: Vec<(Op, u64)>,
}

impl LeftOut {
    /// Counts a request.
    pub(super) fn count(&mut self, op: Op) {
        match self.counts.iter_mut().find(|(of, _)| *of == op) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.counts.push((op, 1)),
        }
    }

    /// Tells a person what was left out, if anything was.
    pub(super) fn report(&self, format: &str) {
        if self.counts.is_empty() {
            return;
        }
        let words: Vec<_> = self
            .counts
            .iter()
            .map(|(op, count)| format!("{count} {}", op_name(*op)))
            .collect();
        note(&format!(
            "left out, because {format} cannot express them: {}",
            words.join(", ")
        ));
    }
}
