// SPDX-License-Identifier: GPL-2.0

//! What a row of a recording says.

use imgrement_core::record::Op;
use std::time::Duration;

/// A request that takes longer than this has its row when it completes, not in the order of the times.
pub const SLOW: Duration = Duration::from_secs(1);

/// The kinds of rows. Their numbers are those of the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request,
    /// A message `mark`.
    Mark,
    /// A table was loaded, resumed, changed or removed.
    Table,
    /// The kernel dropped events.
    Lost,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: &'static [Self] = &[Self::Request, Self::Mark, Self::Table, Self::Lost];

    /// The word in the recording.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Mark => "mark",
            Self::Table => "table",
            Self::Lost => "lost",
        }
    }
}

/// The word for an op in recordings and in what the command prints: the log's name, but `read` and `write` in full.
pub const fn op_name(op: Op) -> &'static str {
    match op {
        Op::Read => "read",
        Op::Write => "write",
        Op::Flush
        | Op::Discard
        | Op::SecureErase
        | Op::WriteZeroes
        | Op::ZoneAppend
        | Op::ZoneReset
        | Op::ZoneResetAll
        | Op::ZoneOpen
        | Op::ZoneClose
        | Op::ZoneFinish
        | Op::Other => op.name(),
    }
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// When it happened, in nanoseconds since 1970 (UTC); for a request, when it reached the target. Differences are
    /// exact: the clock does not jump within a recording.
    pub time: i64,
    /// The index of the device in the head. `Lost` may concern all devices.
    pub device: Option<u8>,
    /// What happened.
    pub event: Event<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A request.
    Request(Request<'a>),
    /// The message `mark`, with its text, escaped.
    Mark(&'a str),
    /// The state of a table changed.
    Table {
        /// `loaded`, `resumed`, `changed`, `reset`, `suspended` or `removed`.
        reason: &'a str,
        /// The line of the table, escaped.
        line: &'a str,
    },
    /// The kernel dropped events here.
    Lost {
        /// The CPU whose buffer was full.
        cpu: Option<u32>,
        /// How many. `None` if the kernel does not say.
        events: Option<u64>,
    },
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its id: unique for its device. 0 if it began before the recording.
    pub id: u64,
    /// What it does.
    pub op: Op,
    /// The bits of `flags` in docs/events.md.
    pub flags: u32,
    /// Its first sector on the underlying device, in sectors of 512 bytes. For a zone append that completed, where
    /// the data was written.
    pub sector: u64,
    /// Its size, in bytes.
    pub bytes: u32,
    /// How it ended: 0, or the error. `None` if its end was not seen.
    pub errno: Option<u32>,
    /// Nanoseconds from its beginning to its end, if both are known.
    pub latency: Option<u64>,
    /// The task that sent it, escaped.
    pub command: &'a str,
    /// What the event `request` says. `None` if that was not seen.
    pub begin: Option<Begin>,
}

/// What is known of a request when it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// The CPU that sent it on.
    pub cpu: u32,
    /// The id of the task that sent it.
    pub pid: u32,
    /// The id of that task's control group.
    pub cgroup: u64,
    /// How many page-bounded segments of payload it has.
    pub segments: u32,
    /// Occurrences of patterns: all,
    pub hits: u32,
    /// those within a segment,
    pub page: u32,
    /// those within a segment of the recorded copy,
    pub copy: u32,
    /// and those that straddle segments.
    pub across: u32,
}

/// A segment of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Its length, in bytes.
    pub length: u32,
    /// Its offset in its page, in bytes.
    pub offset: u32,
    /// Its first sector on the underlying device.
    pub sector: u64,
    /// Occurrences of patterns within it.
    pub hits: u32,
}

/// An occurrence of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The name of the pattern, or its text; escaped.
    pub pattern: &'a str,
    /// `page`, `across`, `requests` or `read`.
    pub place: &'a str,
    /// The sector of its first byte.
    pub sector: u64,
    /// That byte's position in the sector.
    pub byte: u32,
}
