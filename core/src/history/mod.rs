// SPDX-License-Identifier: GPL-2.0

//! A history: the format of its log, and the arithmetic of what fills one.
//!
//! The format is described to the byte in `docs/history.md`. A log is a superblock, then batches, one after the other.
//! A batch is a header and packed entries. It is valid as a whole, or the log ends before it. A batch begins at a
//! multiple of the log's block size.
//!
//! A *position* is a place in the log, in bytes: the offset on the log device, plus the position at which that device
//! begins. An entry that was made later has a higher position, even on the next log device.

pub mod batch;
pub mod checksum;
pub mod chunks;
pub mod entry;
pub mod scan;
pub mod staging;
pub mod superblock;

/// The smallest block of a log, in bytes. A log device with larger logical blocks has blocks of that size.
pub const BLOCK_MIN: u32 = 4096;

/// Where the first batch begins on a log device, in blocks: the superblock comes first.
pub const FIRST_BATCH: u64 = 1;
