// SPDX-License-Identifier: GPL-2.0

//! The history of a disk: reads the log that the kernel module writes.
//!
//! - `source` reads devices and files, `log` finds the batches and their entries. `ahead` reads them in a thread.
//! - `index` keeps in memory what the log says about sectors. `sweep` finds what each sector held at a point, and
//!   `state` puts both together. `copy` reads the bytes.
//! - `point` reads points in time.
//! - The other files do the work of one subcommand each.
//!
//! The format is in `core/src/history`.

mod ahead;
mod checksum;
pub(crate) mod copy;
mod gather;
mod index;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod log_writes;
pub mod make;
#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
mod oracle;
pub(crate) mod point;
pub(crate) mod restore;
pub(crate) mod source;
pub(crate) mod state;
pub(crate) mod sweep;
#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;
pub(crate) mod undo;
pub(crate) mod words;
