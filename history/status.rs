// SPDX-License-Identifier: GPL-2.0

//! What the status says about a history.

use super::{
    HasKept,
    History,
    State, //
};
use core::sync::atomic::Ordering;
use kernel::fmt::{
    self,
    Write, //
};

impl<P: HasKept> History<'_, P> {
    /// Writes pairs of a word and a value, in an order that never changes. Ends with a space.
    pub(crate) fn write_status(&self, out: &mut impl Write) -> fmt::Result {
        let (state, reason) = match self.state() {
            State::Idle => ("idle", "-"),
            State::On => ("on", "-"),
            State::Ending(end) => ("ending", end.word()),
            State::Ended(end) => ("ended", end.word()),
        };
        let count = |count: &core::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed);
        let head = self.buffers.head().unwrap_or(written);
        let left = count(&self.counts.end).saturating_sub(head);

        write!(
            out,
            "history {state} history_reason {reason} history_session {} history_position {head} history_written {written} history_left {left} history_rate {} history_gaps {} history_held {} history_notes_lost {} ",
            count(&self.counts.session),
            count(&self.counts.rate),
            count(&self.counts.gaps),
            count(&self.counts.held),
            count(&self.counts.notes_lost),
        )
    }
}
