// SPDX-License-Identifier: GPL-2.0

//! What is carried over from one segment of a request to the next, so that what straddles them is
//! found: a copy of the last bytes before it, but only where there is a next one.

use crate::bytes::racy::RacyBytes;

/// The state of a search between two segments of a request; `ROOM` is twice as many bytes as an
/// occurrence that straddles them may have on either side.
#[derive(Clone, Debug)]
pub struct Carry<const ROOM: usize> {
    /// How many bytes of the request are to come.
    left: u64,
    /// There is none before the first segment, nor for a request that has only one.
    edge: Option<Edge<ROOM>>,
}

/// The last bytes before a segment, and behind them room for the first ones of it.
#[derive(Clone, Debug)]
struct Edge<const ROOM: usize> {
    bytes: [u8; ROOM],
    len: usize,
}

impl<const ROOM: usize> Carry<ROOM> {
    /// The state before the first segment of a request of `bytes` bytes.
    ///
    /// What straddles is found only as far as those reach, so that nothing has to be kept of the last
    /// segment.
    #[inline]
    pub fn new(bytes: u64) -> Self {
        Self {
            left: bytes,
            edge: None,
        }
    }

    /// Begins anew, with a request of `bytes` bytes.
    #[inline]
    pub fn restart(&mut self, bytes: u64) {
        self.left = bytes;
        self.edge = None;
    }

    /// The bytes around the beginning of `segment`, the next one, and where among them it begins:
    /// at most `wanted` on either side. `None` where nothing comes before it.
    #[inline]
    pub fn around(&mut self, segment: RacyBytes<'_>, wanted: usize) -> Option<(&[u8], usize)> {
        let edge = self.edge.as_mut()?;
        let begin = edge.len;

        edge.push(segment.get(0..segment.len().min(wanted))?);
        Some((edge.bytes.get(..edge.len)?, begin))
    }

    /// Goes on behind `segment`, of which [`Self::around`] has been asked for, with the same `wanted`.
    #[inline]
    pub fn pass(&mut self, segment: RacyBytes<'_>, wanted: usize) {
        // Wraps nowhere where `usize` is at most 64 bits.
        self.left = self.left.saturating_sub(segment.len() as u64);
        if self.left > 0 {
            self.keep(segment, wanted);
        } else {
            self.edge = None;
        }
    }

    /// Keeps the end of a segment, or where that is short, of what was before it as well.
    fn keep(&mut self, segment: RacyBytes<'_>, wanted: usize) {
        let last = segment.len().saturating_sub(wanted);
        let edge = match &mut self.edge {
            // All of the segment has been added to it.
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
    /// Adds bytes, as many as there is room for.
    #[inline]
    fn push(&mut self, bytes: RacyBytes<'_>) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let len = room.len().min(bytes.len());

        if let Some(room) = room.get_mut(..len) {
            bytes.copy_to(0, room);
            // It stays within the room.
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
