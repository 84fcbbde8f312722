// SPDX-License-Identifier: GPL-2.0

//! Fields of a fixed layout, which are written and read one after another.

use core::mem;

/// Memory that is filled from its start.
pub struct Put<'a>(pub &'a mut [u8]);

impl Put<'_> {
    /// Writes the next bytes. All sizes are constants, and the memory has their sum. If it were too small, the bytes
    /// would be left out, and the round trip in the tests would fail.
    pub fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some((head, tail)) = mem::take(&mut self.0).split_first_chunk_mut() {
            *head = bytes;
            self.0 = tail;
        }
    }
}

/// Bytes that are read from their start.
pub struct Take<'a>(pub &'a [u8]);

impl Take<'_> {
    /// Takes the next bytes; `None` if too few are left.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }
}
