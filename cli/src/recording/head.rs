// SPDX-License-Identifier: GPL-2.0

//! What is known about a whole recording. It is kept in the metadata of the schema, as JSON.

use serde::{
    Deserialize,
    Serialize, //
};

/// The version of the format. A later version may have more columns after these; a change of these has a new number.
pub const VERSION: u32 = 1;

/// The key of the schema's metadata.
pub(crate) const KEY: &str = "imgrement";

/// What is known about a recording when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    pub version: u32,
    /// The version of the command that made it.
    pub made_by: String,
    /// The machine's name.
    pub host: String,
    /// The release of its kernel.
    pub kernel: String,
    /// How many CPUs it has.
    pub cpus: u32,
    /// When the recording began, in nanoseconds since 1970 (UTC).
    pub began: i64,
    /// What is added to the monotonic clock of the trace events to get the times of the rows, in nanoseconds.
    pub clock_offset: i64,
    /// The command that was recorded, in words; empty if there was none.
    pub command: Vec<String>,
    /// The devices. Rows name them by their index.
    pub devices: Vec<Device>,
}

/// A device that is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name of the mapped device, escaped.
    pub name: String,
    /// Its number, `253:0`.
    pub number: String,
    /// The kernel's name of the disk below.
    pub disk: String,
    /// The number of the disk below, `8:16`.
    pub disk_number: String,
    /// The first sector of the target on the disk below.
    pub offset: u64,
    /// The size, in sectors of 512 bytes.
    pub sectors: u64,
    /// The logical block size of the disk, in bytes.
    pub block_size: u32,
    /// The line of its table. The secret of a pattern is not in it.
    pub table: String,
}
