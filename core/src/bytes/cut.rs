// SPDX-License-Identifier: GPL-2.0

//! Text in memory of a fixed size. If it does not fit, it is cut, and ends with a mark that says so.

use core::fmt;

/// The end of a text that was cut. No escaped text contains a `%` without two digits after it.
pub const MARK: &[u8] = b"%...";

/// Writes text to the start of some memory, followed by a NUL.
///
/// Writing never fails.
pub struct Cut<'a> {
    room: &'a mut [u8],
    len: usize,
    cut: bool,
}

impl<'a> Cut<'a> {
    /// No text yet. If `room` has no space for [`MARK`] and a NUL, the text stays empty.
    pub fn new(room: &'a mut [u8]) -> Self {
        Self {
            room,
            len: 0,
            cut: false,
        }
    }

    /// The text, with the NUL at its end.
    pub fn finish(self) -> &'a [u8] {
        let Self { room, len, cut } = self;
        // The space before the NUL.
        let space = room.len().saturating_sub(1);
        let mut end = len.min(space);

        if cut {
            end = end.min(space.saturating_sub(MARK.len()));
            // Half an escape would look like a text.
            for back in [1, 2] {
                let at = end.checked_sub(back);
                if at.and_then(|at| room.get(at)) == Some(&b'%') {
                    end = at.unwrap_or(end);
                    break;
                }
            }
            for &byte in MARK {
                if let Some(to) = room.get_mut(end) {
                    *to = byte;
                    end = end.wrapping_add(1).min(space);
                }
            }
        }
        if let Some(to) = room.get_mut(end) {
            *to = 0;
        }
        room.get(..end.saturating_add(1)).unwrap_or_default()
    }
}

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let space = self.room.len().saturating_sub(1);
        let room = self.room.get_mut(self.len..space).unwrap_or_default();
        let len = room.len().min(text.len());

        if let (false, Some(to), Some(from)) =
            (self.cut, room.get_mut(..len), text.as_bytes().get(..len))
        {
            to.copy_from_slice(from);
            // It stays within the space.
            self.len = self.len.wrapping_add(len);
        }
        self.cut |= len < text.len();
        Ok(())
    }
}
