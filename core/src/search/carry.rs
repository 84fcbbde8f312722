// SPDX-License-Identifier: GPL-2.0

//! The bytes that are carried from one segment of a request to the next, so that occurrences that straddle them are
//! found. They are a copy of the last bytes before the next segment, and only kept if there is one.

use crate::bytes::racy::RacyBytes;

/// The state of a search between two segments of a request. `ROOM` is twice the number of bytes that an occurrence
/// that straddles them may have on either side.
#[derive(Clone, Debug)]
pub struct Carry<const ROOM: usize> {
    /// How many bytes of the request are still to come.
    left: u64,
    /// There is none before the first segment, or if the request has only one.
    edge: Option<Edge<ROOM>>,
}

/// The last bytes before a segment, followed by space for its first ones.
#[derive(Clone, Debug)]
struct Edge<const ROOM: usize> {
    bytes: [u8; ROOM],
    len: usize,
}

impl<const ROOM: usize> Carry<ROOM> {
    /// The state before the first segment of a request of `bytes` bytes.
    ///
    /// Straddling occurrences are found only within these bytes. So nothing is kept of the last segment.
    #[inline]
    pub fn new(bytes: u64) -> Self {
        Self {
            left: bytes,
            edge: None,
        }
    }

    /// Starts over, with a request of `bytes` bytes.
    #[inline]
    pub fn restart(&mut self, bytes: u64) {
        self.left = bytes;
        self.edge = None;
    }

    /// The bytes around the start of `segment`, which is the next one, and the index of that start: at most `wanted`
    /// bytes on either side. `None` if nothing comes before it.
    #[inline]
    pub fn around(&mut self, segment: RacyBytes<'_>, wanted: usize) -> Option<(&[u8], usize)> {
        let edge = self.edge.as_mut()?;
        let begin = edge.len;

        edge.push(segment.get(0..segment.len().min(wanted))?);
        Some((edge.bytes.get(..edge.len)?, begin))
    }

    /// Moves past `segment`. [`Self::around`] must have been called for it, with the same `wanted`.
    #[inline]
    pub fn pass(&mut self, segment: RacyBytes<'_>, wanted: usize) {
        // Does not wrap if `usize` has at most 64 bits.
        self.left = self.left.saturating_sub(segment.len() as u64);
        if self.left > 0 {
            self.keep(segment, wanted);
        } else {
            self.edge = None;
        }
    }

    /// Keeps the end of a segment. If that is short, also what was before it.
    fn keep(&mut self, segment: RacyBytes<'_>, wanted: usize) {
        let last = segment.len().saturating_sub(wanted);
        let edge = match &mut self.edge {
            // The whole segment has been added to it.
            Some(edge) if last == 0 => return edge.keep(wanted),
            Some(edge) => edge,
            edge => edge.insert(Edge {
                bytes: [0; ROOM],
                len: 0,
            }),
        };

        edge.len = 0;
        if let Some(bytes) = segment.get(last..segment.len()) {
            edge.push(bytes);
        }
    }
}

impl<const ROOM: usize> Edge<ROOM> {
    /// Adds bytes, as many as there is space for.
    #[inline]
    fn push(&mut self, bytes: RacyBytes<'_>) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let len = room.len().min(bytes.len());

        if let Some(room) = room.get_mut(..len) {
            bytes.copy_to(0, room);
            // It stays within the space.
            self.len = self.len.wrapping_add(len);
        }
    }

    /// Forgets all but the last `len` bytes.
    #[inline]
    fn keep(&mut self, len: usize) {
        let Some(skip) = self.len.checked_sub(len) else {
            return;
        };
        for to in 0..len {
            let byte = self.bytes.get(to.wrapping_add(skip)).copied();
            if let Some((to, byte)) = self.bytes.get_mut(to).zip(byte) {
                *to = byte;
            }
        }
        self.len = len;
    }
}
