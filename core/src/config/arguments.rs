// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table, except for the patterns. Each is declared once, here.
//!
//! To add an argument, add a row to [`settings`]. The rest follows from the row: the field in [`Params`], how tables
//! and messages are read and printed, and the lines about mistakes. Then add its line to the table in
//! `docs/reference.md`, which tests read.

use super::{
    declare::settings,
    history::{
        Base,
        Slow,
        DEVICE_MAX, //
    },
    ops::Ops,
    text::Text,
    values::{
        DevicePath,
        Number,
        OneOf,
        SearchedOps,
        ShortText,
        Switch,
        Value, //
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

/// How long the log device may hang, in seconds.
const TIMEOUT: Number = Number(1..=3600, None);

/// How much memory a history may take for what waits for the log device, in KiB.
const BUFFER: Number = Number(256..=1_048_576, None);

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

    /// The log device of a history: it keeps what is written, and what was there before.
    History       history: Option<Text<DEVICE_MAX>>     = None,         Table,        DevicePath::<DEVICE_MAX>;

    /// Whether the history keeps what was there before a write; durable: on stable media, before the write.
    Base          base: Base                            = Base::On,     Table,        OneOf(Base::ALL);

    /// When the log device is too slow: whether writes wait, or go on and leave a gap in the history.
    HistorySlow   history_slow: Slow                    = Slow::Wait,   AnyTime,      OneOf(Slow::ALL);

    /// How many seconds a write waits for room at most. A log device that hangs for twice as long is given up.
    HistoryTimeout history_timeout: u32                 = 30,           AnyTime,      TIMEOUT;

    /// How much memory the history takes for what waits for the log device, in KiB.
    HistoryBuffer history_buffer: u32                   = 8192,         Table,        BUFFER;

    /// Whether to make a new log, whatever the log device holds.
    HistoryNew    history_new: bool                     = false,        Table,        Switch;
}

impl Argument {
    /// Whether it is about a history, and means nothing without [`Self::History`].
    pub fn needs_history(self) -> bool {
        match self {
            Self::Base
            | Self::HistorySlow
            | Self::HistoryTimeout
            | Self::HistoryBuffer
            | Self::HistoryNew => true,
            Self::Ops
            | Self::Data
            | Self::Log
            | Self::LogRate
            | Self::LogLines
            | Self::Places
            | Self::Edges
            | Self::Records
            | Self::Label
            | Self::History => false,
        }
    }
}

impl Params {
    /// The value of an argument, if it belongs into the line that makes the same target again.
    ///
    /// Without a history, its arguments do not. And `history_new` never does: that line must not erase the log.
    pub fn shown(&self, argument: Argument) -> Option<Value<'_>> {
        let shown = argument != Argument::HistoryNew
            && (self.history.is_some() || !argument.needs_history());

        self.value(argument).filter(|_| shown)
    }
}
