// SPDX-License-Identifier: GPL-2.0

//! The superblock: block 0 of a log device.
//!
//! Numbers are little-endian. What is not listed is zero. All of it lies in the first 512 bytes, the smallest sector: if a
//! crash interrupts the write of a superblock, this sector has the old one or the new one, and both are whole.
//!
//! ```text
//!    0  [8]  magic, "imgr-log"
//!    8  u32  version
//!   12  u32  block size, in bytes
//!   16  [16] log id, random
//!   32  u64  position of byte 0 of this device
//!   40  [16] log id of the device before this one; zero if this is the first
//!   56  u64  sectors of the disk: the length of the target
//!   64  u64  the sector of the underlying disk at which the target begins
//!   72  u32  chunk size, in bytes
//!   76  u32  state: 0 closed, 1 open
//!   80  u64  the number of the latest session
//!   88  u64  position at which a scan begins
//!   96  u64  the number of the batch at that position
//!  104  u64  the session of the batch before that position; 0 if there is none
//!  112  u64  real time at which the log was made, in nanoseconds since 1970
//!  120  [32] name of the disk, for example "sdb"
//!  152  [40] UUID of the partition, as text; zero for a whole disk
//!  504  u64  XXH64 of bytes 0 to 503, with seed 0
//! ```

use super::{
    checksum::{
        self,
        Checksum, //
    },
    BLOCK_MIN, //
};
use crate::bytes::fields::{
    Put,
    Take, //
};

/// What a superblock begins with.
pub const MAGIC: [u8; 8] = *b"imgr-log";

/// The version of the format.
pub const VERSION: u32 = 1;

/// The size of a superblock, in bytes.
pub const SIZE: usize = 4096;

/// Where its checksum is.
const CHECKSUM: usize = 504;

/// The largest block size, in bytes.
const BLOCK_MAX: u32 = 1 << 20;

/// The identity of a log.
pub type LogId = [u8; 16];

/// Whether a session writes to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The last session has ended, and the log is whole up to the position in the superblock.
    Closed,
    /// A session writes, or it has ended without a clean end: the log goes on after the position in the superblock.
    Open,
}

/// The data of a superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The size of a block, in bytes: a power of two, at least [`BLOCK_MIN`].
    pub block_size: u32,
    /// The identity of this log device.
    pub id: LogId,
    /// The position of byte 0 of this device: a multiple of the block size.
    pub first_position: u64,
    /// The log device before this one; zero if this is the first.
    pub previous: LogId,
    /// The length of the target, in sectors.
    pub sectors: u64,
    /// The sector of the underlying disk at which the target begins.
    pub offset: u64,
    /// The size of a chunk, in bytes: a power of two.
    pub chunk_size: u32,
    /// Whether a session writes.
    pub state: State,
    /// The number of the latest session; 0 if there has been none. See [`Self::begin_session`].
    pub session: u64,
    /// Where a scan begins. From there on, all batches are of the latest session.
    pub scan: ScanFrom,
    /// The real time at which the log was made, in nanoseconds since 1970.
    pub made: u64,
    /// The name of the disk, padded with zeroes.
    pub disk: [u8; 32],
    /// The UUID of the partition that is the disk, as text, padded with zeroes; empty for a whole disk.
    pub uuid: [u8; 40],
}

/// A place between two batches: everything before it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanFrom {
    /// The position of the next batch.
    pub position: u64,
    /// The number of that batch.
    pub number: u64,
    /// The session of the batch before it; 0 if there is none.
    pub session: u64,
}

/// Why a block is no superblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSuperblock {
    /// All its bytes are zero.
    Empty,
    /// It holds something else.
    Foreign,
    /// It is a superblock of another version of the format.
    Version(u32),
    /// It is a superblock, and its checksum is wrong, or a value is impossible.
    Damaged,
}

impl Superblock {
    /// Writes the layout above.
    pub fn encode<C: Checksum>(&self, out: &mut [u8; SIZE]) {
        out.fill(0);
        let mut to = Put(out.as_mut_slice());
        to.put(MAGIC);
        to.put(VERSION.to_le_bytes());
        to.put(self.block_size.to_le_bytes());
        to.put(self.id);
        to.put(self.first_position.to_le_bytes());
        to.put(self.previous);
        to.put(self.sectors.to_le_bytes());
        to.put(self.offset.to_le_bytes());
        to.put(self.chunk_size.to_le_bytes());
        let state: u32 = match self.state {
            State::Closed => 0,
            State::Open => 1,
        };
        to.put(state.to_le_bytes());
        to.put(self.session.to_le_bytes());
        to.put(self.scan.position.to_le_bytes());
        to.put(self.scan.number.to_le_bytes());
        to.put(self.scan.session.to_le_bytes());
        to.put(self.made.to_le_bytes());
        to.put(self.disk);
        to.put(self.uuid);
        if let Some((body, end)) = out.split_at_mut_checked(CHECKSUM) {
            Put(end).put(checksum::of::<C>(0, body).to_le_bytes());
        }
    }

    /// Reads the layout above.
    ///
    /// # Errors
    ///
    /// The block is no superblock, or a damaged one.
    pub fn decode<C: Checksum>(block: &[u8; SIZE]) -> Result<Self, NoSuperblock> {
        if is_zero(block) {
            return Err(NoSuperblock::Empty);
        }
        if !block.starts_with(&MAGIC) {
            return Err(NoSuperblock::Foreign);
        }
        let (body, end) = block
            .split_at_checked(CHECKSUM)
            .ok_or(NoSuperblock::Damaged)?;
        if Take(end).take() != Some(checksum::of::<C>(0, body).to_le_bytes()) {
            return Err(NoSuperblock::Damaged);
        }
        let (_, after) = end.split_at_checked(8).ok_or(NoSuperblock::Damaged)?;
        let mut from = Take(body.get(MAGIC.len()..).unwrap_or_default());
        let version = from.take().map(u32::from_le_bytes);
        if version != Some(VERSION) {
            return Err(NoSuperblock::Version(version.unwrap_or_default()));
        }
        Self::fields(&mut from)
            .filter(|superblock| superblock.is_possible() && is_zero(from.0) && is_zero(after))
            .ok_or(NoSuperblock::Damaged)
    }

    fn fields(from: &mut Take<'_>) -> Option<Self> {
        Some(Self {
            block_size: u32::from_le_bytes(from.take()?),
            id: from.take()?,
            first_position: u64::from_le_bytes(from.take()?),
            previous: from.take()?,
            sectors: u64::from_le_bytes(from.take()?),
            offset: u64::from_le_bytes(from.take()?),
            chunk_size: u32::from_le_bytes(from.take()?),
            state: match u32::from_le_bytes(from.take()?) {
                0 => State::Closed,
                1 => State::Open,
                _ => return None,
            },
            session: u64::from_le_bytes(from.take()?),
            scan: ScanFrom {
                position: u64::from_le_bytes(from.take()?),
                number: u64::from_le_bytes(from.take()?),
                session: u64::from_le_bytes(from.take()?),
            },
            made: u64::from_le_bytes(from.take()?),
            disk: from.take()?,
            uuid: from.take()?,
        })
    }

    /// Whether the numbers fit together.
    fn is_possible(&self) -> bool {
        let in_block = u64::from(self.block_size).wrapping_sub(1);
        self.block_size.is_power_of_two()
            && (BLOCK_MIN..=BLOCK_MAX).contains(&self.block_size)
            && self.chunk_size.is_power_of_two()
            && self.chunk_size >= BLOCK_MIN
            && self.first_position & in_block == 0
            && self.scan.position & in_block == 0
            && self.scan.position > self.first_position
            && self.scan.session <= self.session
    }

    /// Begins a session at this place, the end of the log. Returns its number.
    ///
    /// The superblock must be on stable media before the first batch of the session is written. Otherwise a second
    /// session could get the same number after a crash, and batches of the first one that lie behind a hole would look
    /// like its own.
    pub fn begin_session(&mut self, end: ScanFrom) -> u64 {
        self.session = self.session.saturating_add(1);
        self.scan = end;
        self.state = State::Open;
        self.session
    }

    /// Ends the session cleanly at this place. Everything before it must be on stable media.
    pub fn end_session(&mut self, end: ScanFrom) {
        self.scan = end;
        self.state = State::Closed;
    }

    /// The offset on this device of a position, in bytes; `None` if it lies before this device.
    pub fn offset_of(&self, position: u64) -> Option<u64> {
        position.checked_sub(self.first_position)
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
