// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table, except for the patterns. Each is declared once, here.
//!
//! To add an argument, add a row to [`settings`]. The rest follows from the row: the field in [`Params`], how tables
//! and messages are read and printed, and the lines about mistakes. Then add its line to the table in
//! `docs/reference.md`, which tests read.

use super::{
    declare::settings,
    ops::Ops,
    text::Text,
    values::{
        Number,
        SearchedOps,
        ShortText,
        Switch, //
    }, //
};
use crate::search::edges::EDGES;
use core::ops::RangeInclusive;

/// The longest label, in bytes.
pub const LABEL_MAX: usize = 32;

/// How many records a pool may have.
pub const RECORDS: RangeInclusive<u32> = 1..=65_536;

/// When an argument may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Only in a table.
    Table,
    /// In a table, and by a message.
    AnyTime,
}

/// A limit per second.
const LIMIT: Number = Number(0..=u32::MAX, Some("no limit"));

settings! {
    // Variant    Name and type                           Default       Given         Values

    /// Which requests to search.
    Ops           ops: Ops                              = Ops::WRITE,   AnyTime,      SearchedOps;

    /// Whether to copy the bytes that are written, and to search the copy, too.
    Data          data: bool                            = true,         AnyTime,      Switch;

    /// Whether to log requests.
    Log           log: bool                             = true,         AnyTime,      Switch;

    /// How many requests to log per second; 0 means no limit.
    LogRate       log_rate: u32                         = 1000,         AnyTime,      LIMIT;

    /// How many lines of requests to log per second; 0 means no limit.
    LogLines      log_lines: u32                        = 10_000,       AnyTime,      LIMIT;

    /// Whether to log each place where a pattern was found.
    Places        places: bool                          = false,        AnyTime,      Switch;

    /// How many writes to remember, to find matches that straddle two writes.
    Edges         edges: u32                            = 0,            Table,        Number(EDGES, Some("none"));

    /// How many blocks the pool for records has.
    Records       records: u32                          = 2048,         Table,        Number(RECORDS, None);

    /// What each line of the log begins with.
    Label         label: Option<Text<LABEL_MAX>>        = None,         Table,        ShortText::<LABEL_MAX>;
}
