// SPDX-License-Identifier: GPL-2.0

//! The header of a batch.
//!
//! Numbers are little-endian.
//!
//! ```text
//!  0  [8]  magic, "imgbatch"
//!  8  [16] log id
//! 24  u64  session
//! 32  u64  number: 0 for the first batch of a chain of log devices, one more for each that follows
//! 40  u64  position of byte 0 of the batch
//! 48  u32  length in bytes, with this header and without the padding to whole blocks; at most 64 MiB
//! 52  u32  flags: 1 if the batch is the first of its session
//! 56  u64  monotonic time at which it was completed, in nanoseconds
//! 64  u64  XXH64 of bytes 80 to length - 1
//! 72  u64  XXH64 of bytes 0 to 71
//! ```
//!
//! The seed of both checksums is made of log id and session ([`seed`]).

use super::{
    checksum::{
        self,
        Checksum, //
    },
    superblock::LogId, //
};
use crate::bytes::fields::{
    Put,
    Take, //
};

/// What a batch begins with.
pub const MAGIC: [u8; 8] = *b"imgbatch";

/// The size of a header, in bytes.
pub const HEADER: usize = 80;

/// The same, as lengths in a batch count.
pub const HEADER_LENGTH: u32 = 80;

const _: () = assert!(HEADER_LENGTH as usize == HEADER);

/// The longest batch, in bytes, with the header and without the padding.
pub const LENGTH_MAX: u32 = 64 << 20;

/// The part of the header that its own checksum covers, in bytes.
const COVERED: usize = 72;

/// The flag of the first batch of a session.
const FIRST: u32 = 1;

/// The data of a batch's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The log device that the batch was made for.
    pub id: LogId,
    /// The session that made it; sessions count from 1.
    pub session: u64,
    /// Its number.
    pub number: u64,
    /// The position of its byte 0.
    pub position: u64,
    /// Its length in bytes, with the header and without the padding.
    pub length: u32,
    /// Whether it is the first of its session.
    pub first: bool,
    /// When it was completed, in nanoseconds of the monotonic clock.
    pub time: u64,
    /// The checksum of the bytes after the header.
    pub body: u64,
}

/// The seed of the checksums of a session's batches.
pub fn seed(id: &LogId, session: u64) -> u64 {
    let mut from = Take(id);
    let low = from.take().map_or(0, u64::from_le_bytes);
    let high = from.take().map_or(0, u64::from_le_bytes);

    low ^ high.rotate_left(32) ^ session
}

impl Header {
    /// Writes the layout above.
    pub fn encode<C: Checksum>(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        let mut to = Put(&mut out);
        to.put(MAGIC);
        to.put(self.id);
        to.put(self.session.to_le_bytes());
        to.put(self.number.to_le_bytes());
        to.put(self.position.to_le_bytes());
        to.put(self.length.to_le_bytes());
        to.put(if self.first { FIRST } else { 0 }.to_le_bytes());
        to.put(self.time.to_le_bytes());
        to.put(self.body.to_le_bytes());
        if let Some((covered, own)) = out.split_at_mut_checked(COVERED) {
            let seed = seed(&self.id, self.session);
            Put(own).put(checksum::of::<C>(seed, covered).to_le_bytes());
        }
        out
    }

    /// Reads the layout above; `None` if this is no header, or a damaged one.
    pub fn decode<C: Checksum>(bytes: &[u8; HEADER]) -> Option<Self> {
        let (covered, own) = bytes.split_at_checked(COVERED)?;
        let mut from = Take(covered);
        if from.take() != Some(MAGIC) {
            return None;
        }
        let header = Self {
            id: from.take()?,
            session: u64::from_le_bytes(from.take()?),
            number: u64::from_le_bytes(from.take()?),
            position: u64::from_le_bytes(from.take()?),
            length: u32::from_le_bytes(from.take()?),
            first: match u32::from_le_bytes(from.take()?) {
                0 => false,
                FIRST => true,
                _ => return None,
            },
            time: u64::from_le_bytes(from.take()?),
            body: u64::from_le_bytes(from.take()?),
        };
        let seed = seed(&header.id, header.session);
        let sound = Take(own).take() == Some(checksum::of::<C>(seed, covered).to_le_bytes());
        let possible = (HEADER_LENGTH..=LENGTH_MAX).contains(&header.length);
        Some(header).filter(|_| sound && possible)
    }

    /// The room that the batch takes in the log, in bytes: whole blocks of `block` bytes.
    pub fn room(&self, block: u32) -> u64 {
        room(self.length, block)
    }
}

/// The next position that is a multiple of `block` bytes, a power of two; `None` if there is none.
pub fn aligned(position: u64, block: u32) -> Option<u64> {
    position.checked_next_multiple_of(u64::from(block))
}

/// The room that a batch of this length takes in the log, in bytes: whole blocks of `block` bytes, a power of two.
#[inline]
pub fn room(length: u32, block: u32) -> u64 {
    let rest = u64::from(block).wrapping_sub(1);

    u64::from(length).wrapping_add(rest) & !rest
}
