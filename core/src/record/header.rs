// SPDX-License-Identifier: GPL-2.0

//! The layout of a record: a header, then a delta for each segment.
//!
//! A request that fails has two records. The first is that of any request. The second is made when the request has
//! completed: it has the error, and no deltas.
//!
//! Numbers are little-endian. There is no padding except the reserved bytes. These are written as zero, and any other
//! value is refused, so each value has one encoding.
//!
//! ```text
//! header, 28 bytes                      delta, 40 bytes
//!  0  u64  sector                        0  u64  first
//!  8  u64  bytes                         8  u64  last
//! 16  u32  deltas                       16  u32  index
//! 20  u32  straddling                   20  u32  length
//! 24  u16  error                        24  u32  offset
//! 26  u8   op                           28  u32  page_hits
//! 27  u8   reserved                     32  u32  copy_hits
//!                                       36  u32  reserved
//! ```

use super::{
    delta::{
        span,
        Delta, //
    },
    op::Op, //
};
use crate::bytes::fields::{
    Put,
    Take, //
};

/// The record's data about the request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its first sector, on the underlying device; meaningless if the op has no sectors.
    pub sector: u64,
    /// The bytes of its payload. For an op without a payload, the bytes of its range of sectors.
    pub bytes: u64,
    /// What it does.
    pub op: Op,
    /// How many deltas follow.
    pub deltas: u32,
    /// Occurrences of the pattern that straddle its deltas.
    pub straddling: u32,
    /// In the record of an error, the errno (positive) with which it completed; otherwise 0.
    pub error: u16,
}

impl Header {
    /// The size of the encoding, in bytes.
    pub const SIZE: usize = 28;

    /// The bytes that it transfers: 0 for an op without a payload.
    pub fn transferred(&self) -> u64 {
        if self.op.has_payload() {
            self.bytes
        } else {
            0
        }
    }

    /// The first and the last of its sectors, on the underlying device, if the op has any.
    ///
    /// If a request names a sector and no length (the kernel's zone ops), both are that sector. Saturates (see
    /// [`span`]).
    pub fn sectors(&self) -> Option<(u64, u64)> {
        self.op
            .has_sectors()
            .then(|| span(self.sector, 0, self.bytes))
    }

    /// Sets the first sector of an encoded header.
    pub fn put_sector(encoded: &mut [u8; Self::SIZE], sector: u64) {
        Put(encoded).put(sector.to_le_bytes());
    }

    /// Writes the layout above.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let mut to = Put(&mut out);
        to.put(self.sector.to_le_bytes());
        to.put(self.bytes.to_le_bytes());
        to.put(self.deltas.to_le_bytes());
        to.put(self.straddling.to_le_bytes());
        to.put(self.error.to_le_bytes());
        to.put([self.op.code()]);
        out
    }

    /// Reads the layout above; `None` if the op is unknown, or the reserved byte is not zero.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut from = Take(bytes);
        let sector = u64::from_le_bytes(from.take()?);
        let bytes = u64::from_le_bytes(from.take()?);
        let deltas = u32::from_le_bytes(from.take()?);
        let straddling = u32::from_le_bytes(from.take()?);
        let error = u16::from_le_bytes(from.take()?);
        let [op, 0] = from.take()? else {
            return None;
        };
        Some(Self {
            sector,
            bytes,
            op: Op::from_code(op)?,
            deltas,
            straddling,
            error,
        })
    }
}

impl Delta {
    /// The size of the encoding, in bytes.
    pub const SIZE: usize = 40;

    /// Writes the layout at the top of `header.rs`.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let mut to = Put(&mut out);
        to.put(self.first.to_le_bytes());
        to.put(self.last.to_le_bytes());
        to.put(self.index.to_le_bytes());
        to.put(self.length.to_le_bytes());
        to.put(self.offset.to_le_bytes());
        to.put(self.page_hits.to_le_bytes());
        to.put(self.copy_hits.to_le_bytes());
        out
    }

    /// Reads the layout at the top of `header.rs`; `None` if a reserved byte is not zero.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut from = Take(bytes);
        let first = u64::from_le_bytes(from.take()?);
        let last = u64::from_le_bytes(from.take()?);
        let index = u32::from_le_bytes(from.take()?);
        let length = u32::from_le_bytes(from.take()?);
        let offset = u32::from_le_bytes(from.take()?);
        let page_hits = u32::from_le_bytes(from.take()?);
        let copy_hits = u32::from_le_bytes(from.take()?);
        let [0, 0, 0, 0] = from.take()? else {
            return None;
        };
        Some(Self {
            index,
            length,
            offset,
            first,
            last,
            page_hits,
            copy_hits,
        })
    }
}
