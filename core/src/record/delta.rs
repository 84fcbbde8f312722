// SPDX-License-Identifier: GPL-2.0

//! The arithmetic of deltas: the sectors that a segment of a request covers.

/// The bytes of a sector, as everywhere in the kernel.
pub const SECTOR_SIZE: u64 = 512;

/// One segment of a request: which part of the disk it covers, and what was found in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Its position in the request, from 0.
    pub index: u32,
    /// Its length in bytes.
    pub length: u32,
    /// Its offset in its page, in bytes.
    pub offset: u32,
    /// The first sector that it covers, on the underlying device.
    pub first: u64,
    /// The last sector that it covers, on the underlying device.
    pub last: u64,
    /// Occurrences of the pattern wholly within it, counted in the page itself.
    pub page_hits: u32,
    /// Occurrences of the pattern wholly within it, counted in the recorded copy.
    pub copy_hits: u32,
}

impl Delta {
    /// The same delta for a request that begins at sector `to` instead of `from`.
    #[must_use]
    pub fn moved(self, from: u64, to: u64) -> Self {
        let by = to.wrapping_sub(from);
        Self {
            first: self.first.wrapping_add(by),
            last: self.last.wrapping_add(by),
            ..self
        }
    }
}

/// Makes the deltas of one request, in order.
///
/// Segments may be of any length. If one ends within a sector, the next one begins in the same sector. This sector
/// is then the last of the one and the first of the other.
///
/// Nothing here can overflow for a request that a disk can take. For any other request, sectors, bytes and indexes
/// saturate: they stay at the end, where no disk is, instead of wrapping to sectors that look real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    start: u64,
    done: u64,
    index: u32,
}

impl Cursor {
    /// Begins at the first sector of the request, on the underlying device.
    pub fn new(start: u64) -> Self {
        Self {
            start,
            done: 0,
            index: 0,
        }
    }

    /// The delta of the next segment, which begins at `offset` in its page and has `length` bytes. Its hits are 0. An
    /// empty segment covers the sector at which it is.
    pub fn delta(&mut self, offset: u32, length: u32) -> Delta {
        let (first, last) = span(self.start, self.done, u64::from(length));
        let delta = Delta {
            index: self.index,
            length,
            offset,
            first,
            last,
            page_hits: 0,
            copy_hits: 0,
        };
        self.done = self.done.saturating_add(u64::from(length));
        self.index = self.index.saturating_add(1);
        delta
    }

    /// How many bytes the deltas made so far cover together.
    pub fn bytes(&self) -> u64 {
        self.done
    }

    /// How many deltas have been made so far.
    pub fn count(&self) -> u32 {
        self.index
    }
}

/// The first and the last sector of `length` bytes that begin `done` bytes after the start of sector `start`. If
/// `length` is 0, both are the sector where the bytes would begin. Saturates.
pub fn span(start: u64, done: u64, length: u64) -> (u64, u64) {
    let end = done.saturating_add(length.saturating_sub(1));
    (
        start.saturating_add(done / SECTOR_SIZE),
        start.saturating_add(end / SECTOR_SIZE),
    )
}
