// SPDX-License-Identifier: GPL-2.0

//! Reads many pieces of a log, in any order. Those that are near to each other in the log are read at once.

use super::{
    log::Log,
    source::Window, //
};
use crate::failure::Failure;
use std::ops::Range;

/// Pieces with at most this distance are read at once, up to [`RUN`] bytes.
const GAP: u64 = 64 << 10;

/// The most that is read at once, except for a single piece.
const RUN: u64 = 8 << 20;

/// Bytes of the log, and where they go.
pub(super) struct Piece {
    /// Their position.
    pub(super) position: u64,
    /// Their place in memory.
    pub(super) to: Range<usize>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.position.saturating_add(self.to.len() as u64)
    }
}

/// Reads pieces of one log.
pub(super) struct Gather {
    /// What was read last, for each log device.
    windows: Vec<Window>,
}

impl Gather {
    /// For a log.
    pub(super) fn new(log: &Log) -> Self {
        let mut windows = Vec::new();
        windows.resize_with(log.devices().len(), Window::default);
        Self { windows }
    }

    /// Reads pieces of the log to their places in `bytes`.
    pub(super) fn gather(
        &mut self,
        log: &Log,
        mut pieces: Vec<Piece>,
        bytes: &mut [u8],
    ) -> Result<(), Failure> {
        pieces.sort_unstable_by_key(|piece| piece.position);
        let mut rest = pieces.as_slice();
        while let Some(first) = rest.first() {
            let device = log.device_of(first.position);
            let window = device.and_then(|(index, _)| self.windows.get_mut(index));
            let (Some((_, device)), Some(window)) = (device, window) else {
                return Err(Failure::new("the log has become shorter while it was read"));
            };
            let mut end = first.end();
            let mut count = 1;
            for piece in rest.iter().skip(1) {
                let next = piece.end().max(end);
                if piece.position > end.saturating_add(GAP)
                    || next - first.position > RUN
                    || next > device.end
                {
                    break;
                }
                end = next;
                count += 1;
            }
            let (run, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = others;
            let length = usize::try_from(end - first.position).unwrap_or(usize::MAX);
            let read = window
                .get(device.source(), device.offset_of(first.position), length, 0)
                .map_err(|error| device.source().failed(&error))?;
            for piece in run {
                let from = usize::try_from(piece.position - first.position).unwrap_or(usize::MAX);
                let from = read.get(from..from.saturating_add(piece.to.len()));
                let (Some(from), Some(to)) = (from, bytes.get_mut(piece.to.clone())) else {
                    return Err(Failure::new(format_args!(
                        "{} has become shorter while it was read",
                        device.source().path().display()
                    )));
                };
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }
}
