// SPDX-License-Identifier: GPL-2.0

//! The lines of the log, made from recorded values only, never from a bio.
//!
//! The texts are those of imgrement's ancestor, to the letter, where it has them; programs read
//! them. The prefix `imgrement: ` and the end of line are printk's and the caller's.

use core::fmt;

use super::{
    delta::Delta,
    record::Header,
    word::Escaped, //
};

/// One line. It prints without a label; see [`Line::labelled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Tracing has begun on the disk of this name.
    Ready(&'a [u8]),
    /// A pattern was found in one segment's page; before the request's own line.
    FoundInPage(Found<'a>),
    /// A request. Its sectors are on the lines of its deltas; where it has no payload they are on
    /// this line.
    Request(&'a Header),
    /// A request that came back with an error.
    Failed(&'a Header),
    /// One delta of the request before.
    Delta(&'a Delta),
    /// A pattern was found in the recorded copy of the delta before.
    FoundInDelta(Found<'a>),
    /// Occurrences of a pattern straddle the deltas of the request before.
    FoundAcross(Found<'a>),
    /// So many whole requests are not in the log, for the limit on it.
    LeftOut {
        /// How many.
        requests: u64,
        /// The limit, in whole requests a second.
        log_rate: u32,
    },
    /// So many whole requests are not in the log, for the device was suspended or removed before a
    /// slow console had taken them.
    TooLate(u64),
    /// So many requests were not recorded as they should have been. They reached the disk.
    Lost {
        /// Requests of which there is no record.
        records: u64,
        /// Requests of which there is a record, without the copy of their bytes.
        data: u64,
    },
    /// So many errors are not in the log, for the limit on it, or for want of room.
    ErrorsLeftOut(u64),
    /// A text that a person sent.
    Mark(&'a [u8]),
}

/// A pattern, and how often it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The bytes that were searched for, unescaped.
    pub pattern: &'a [u8],
    /// How many occurrences there are.
    pub times: u32,
}

impl Found<'_> {
    /// Writes the line about it.
    fn write(&self, f: &mut fmt::Formatter<'_>, place: &str) -> fmt::Result {
        let Self { pattern, times } = self;
        write!(f, "Found {} {place} {times} times", Escaped(pattern))
    }
}

impl<'a> Line<'a> {
    /// The same line after `LABEL: `, where there is a label. The label is unescaped.
    pub fn labelled(self, label: Option<&'a [u8]>) -> Labelled<'a> {
        Labelled { label, line: self }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ready(disk) => write!(f, "{} trace initialization succeeded", Escaped(disk)),
            Self::FoundInPage(found) => found.write(f, "from page"),
            Self::FoundInDelta(found) => found.write(f, "from deltas"),
            Self::FoundAcross(found) => found.write(f, "across deltas"),
            Self::Request(header) => {
                write!(
                    f,
                    "{}, bytes to transfer: {}, delta count: {}",
                    header.op.name(),
                    header.transferred(),
                    header.deltas,
                )?;
                match header.sectors() {
                    Some((first, last)) if !header.op.has_payload() => {
                        write!(f, ", at ({first}, {last})")
                    }
                    _ => Ok(()),
                }
            }
            Self::Failed(header) => {
                write!(f, "{}, error {}", header.op.name(), header.error)?;
                match header.sectors() {
                    Some((first, last)) => write!(f, ", at ({first}, {last})"),
                    None => Ok(()),
                }
            }
            Self::Delta(delta) => write!(
                f,
                "bv #{}: len {}, offset {}, at ({}, {})",
                delta.index, delta.length, delta.offset, delta.first, delta.last,
            ),
            Self::LeftOut { requests, log_rate } => write!(
                f,
                "{requests} requests left out of the log (log_rate {log_rate})",
            ),
            Self::TooLate(requests) => write!(
                f,
                "{requests} requests left out of the log (the console was too slow)",
            ),
            Self::Lost { records, data } => write!(
                f,
                "{records} requests passed unrecorded, {data} recorded without their bytes",
            ),
            Self::ErrorsLeftOut(errors) => write!(f, "{errors} errors left out of the log"),
            Self::Mark(text) => write!(f, "mark: {}", Escaped(text)),
        }
    }
}

/// A line with the label of its target before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labelled<'a> {
    label: Option<&'a [u8]>,
    line: Line<'a>,
}

impl fmt::Display for Labelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.label {
            write!(f, "{}: ", Escaped(label))?;
        }
        fmt::Display::fmt(&self.line, f)
    }
}

/// Gives all lines of one request to `emit`, in the order of the log: what was found in pages,
/// the request, each delta and what was found in its copy, what was found across deltas.
///
/// `pattern` is the one that was searched for when the request passed, unescaped. Where there is
/// none, nothing is said to be found.
pub fn request<D>(
    header: &Header,
    deltas: D,
    pattern: Option<&[u8]>,
    mut emit: impl FnMut(Line<'_>),
) where
    D: IntoIterator<Item = Delta>,
    D::IntoIter: Clone,
{
    let deltas = deltas.into_iter();
    let found = |times| {
        pattern
            .filter(|_| times != 0)
            .map(|pattern| Found { pattern, times })
    };

    for delta in deltas.clone() {
        if let Some(found) = found(delta.page_hits) {
            emit(Line::FoundInPage(found));
        }
    }
    emit(Line::Request(header));
    for delta in deltas {
        emit(Line::Delta(&delta));
        if let Some(found) = found(delta.copy_hits) {
            emit(Line::FoundInDelta(found));
        }
    }
    if let Some(found) = found(header.straddling) {
        emit(Line::FoundAcross(found));
    }
}
