// SPDX-License-Identifier: GPL-2.0

//! Recordings: what passed through a target, kept in a file.
//!
//! A recording is an Arrow IPC stream in zstd frames. Each frame has a checksum and its size, and contains whole
//! messages: the first the schema, the last the end of the stream, and each of the others one batch of rows with its
//! dictionaries. So any Arrow reader can read what `zstd -dc` prints, a file can be read while it grows, and a broken
//! frame leaves the others readable. docs/recording.md describes the columns.
//!
//! Rows are in the order of their times. There are two exceptions: a request that takes longer than [`row::SLOW`] has its
//! row when it completes, and so has a request whose beginning was not seen.
//!
//! `columns` declares the columns, `head` what is known about the whole recording, and `row` what a row says. `writer`
//! and `reader` are for commands.

mod columns;
pub(crate) mod frame;
pub mod head;
pub mod reader;
pub mod row;
pub mod writer;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;
