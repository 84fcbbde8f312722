// SPDX-License-Identifier: GPL-2.0

//! The lines of the log. They are made only from recorded values, never from a bio.
//!
//! Where imgrement's ancestor has a text, it is used to the letter, because programs read it. printk and the caller
//! add the prefix `imgrement: ` and the end of the line.

use core::fmt;

use super::{
    limit::Reason,
    totals::Totals, //
};
use crate::{
    bytes::word::Escaped,
    memory::Memory,
    record::{
        Delta,
        Find,
        Header,
        Scope,
        SECTOR_SIZE, //
    },
};

/// One line. It prints without a label; see [`Line::labelled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Tracing has begun on the disk of this name.
    Ready(&'a [u8]),
    /// A pattern was found in one segment, in its page. Comes before the request's own line.
    FoundInPage(Found<'a>),
    /// A request. Its sectors are on the lines of its deltas. Without a payload, they are on this line.
    Request(&'a Header),
    /// A request that completed with an error.
    Failed(&'a Header),
    /// One delta of the request above.
    Delta(&'a Delta),
    /// A pattern was found in the recorded copy of the delta above.
    FoundInDelta(Found<'a>),
    /// Occurrences of a pattern straddle deltas of the request above.
    FoundAcross(Found<'a>),
    /// Occurrences of a pattern straddle the request above and an adjacent one on the disk.
    FoundAcrossRequests(Found<'a>),
    /// Where an occurrence begins.
    Place {
        /// The bytes of the pattern, or its name, unescaped.
        pattern: &'a [u8],
        /// The sector on the underlying device.
        sector: u64,
        /// The byte in it.
        byte: u64,
    },
    /// The number of further occurrences, whose places were not recorded.
    MorePlaces(u64),
    /// Whole requests are missing in the log because of a limit on it.
    LeftOut {
        /// How many.
        requests: u64,
        /// Which limit.
        reason: Reason,
    },
    /// The number of whole requests that are missing in the log, because the device was suspended or removed before a
    /// slow console had taken them.
    TooLate(u64),
    /// The number of lines of the request above that are missing in the log, because the device is being suspended or
    /// removed, and a slow console had not taken them.
    Cut(u64),
    /// Requests were not recorded in full. They still reached the disk.
    Lost {
        /// Requests without a record.
        records: u64,
        /// Requests with a record, but without the copy of their bytes.
        data: u64,
        /// Requests with a record, but without all that was found in them.
        finds: u64,
    },
    /// The number of errors that are missing in the log, because of the limit on it, or because the pool was full.
    ErrorsLeftOut(u64),
    /// A text that a person sent.
    Mark(&'a [u8]),
}

/// A pattern, and how often it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The bytes of the pattern, or its name, unescaped.
    pub pattern: &'a [u8],
    /// How many occurrences there are.
    pub times: u64,
}

impl Found<'_> {
    /// Writes the line about it.
    fn write(&self, f: &mut fmt::Formatter<'_>, place: &str) -> fmt::Result {
        let Self { pattern, times } = self;
        write!(f, "Found {} {place} {times} times", Escaped(pattern))
    }
}

impl<'a> Line<'a> {
    /// The same line after `LABEL: `, if there is a label. The label is unescaped.
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
            Self::FoundAcrossRequests(found) => found.write(f, "across requests"),
            Self::Place {
                pattern,
                sector,
                byte,
            } => write!(
                f,
                "Found {} at sector {sector}, byte {byte}",
                Escaped(pattern)
            ),
            Self::MorePlaces(places) => write!(f, "Found {places} more, at places not recorded"),
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
            Self::LeftOut { requests, reason } => {
                write!(f, "{requests} requests left out of the log ({reason})")
            }
            Self::TooLate(requests) => write!(
                f,
                "{requests} requests left out of the log (the console was too slow)",
            ),
            Self::Cut(lines) => write!(
                f,
                "{lines} lines of this request left out of the log (the console was too slow)",
            ),
            Self::Lost {
                records,
                data,
                finds,
            } => {
                write!(
                    f,
                    "{records} requests passed unrecorded, {data} recorded without their bytes",
                )?;
                match finds {
                    0 => Ok(()),
                    _ => write!(f, ", {finds} without all that was found"),
                }
            }
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

/// Gives all lines of one request to `emit`, in the order of the log: what was found in pages; the request; each
/// delta and what was found in its copy; what was found across deltas and requests; and the places.
///
/// `finds` are the request's finds, in the order of its deltas. They are read a few times and added up in `totals`,
/// so the time is proportional to their number.
pub fn request<'a, M: Memory>(
    header: &Header,
    deltas: impl Iterator<Item = Delta>,
    finds: impl Iterator<Item = Find<'a>> + Clone,
    totals: &mut Totals<M>,
    emit: &mut dyn FnMut(Line<'_>),
) {
    totals.name(finds.clone());

    let mut at = None;
    for (delta, pattern, times) in times(finds.clone(), Scope::Page) {
        if at.replace(delta) != Some(delta) {
            totals.tell(&mut |pattern, times| emit(Line::FoundInPage(Found { pattern, times })));
        }
        totals.add(pattern, times);
    }
    totals.tell(&mut |pattern, times| emit(Line::FoundInPage(Found { pattern, times })));

    emit(Line::Request(header));
    let mut copies = times(finds.clone(), Scope::Copy).peekable();
    let mut sum = u64::from(header.straddling);
    for delta in deltas {
        sum = sum.saturating_add(u64::from(delta.page_hits));
        emit(Line::Delta(&delta));
        // Not `next_if`: the compiler cannot prove that it does not panic.
        while let Some(&(index, pattern, times)) = copies.peek() {
            if index > delta.index {
                break;
            }
            totals.add(pattern, times);
            copies.next();
        }
        totals.tell(&mut |pattern, times| emit(Line::FoundInDelta(Found { pattern, times })));
    }

    for (_, pattern, times) in times(finds.clone(), Scope::Across) {
        totals.add(pattern, times);
    }
    totals.tell(&mut |pattern, times| emit(Line::FoundAcross(Found { pattern, times })));
    for (_, pattern, times) in times(finds.clone(), Scope::Requests) {
        totals.add(pattern, times);
    }
    totals.tell(&mut |pattern, times| {
        sum = sum.saturating_add(times);
        emit(Line::FoundAcrossRequests(Found { pattern, times }));
    });

    places(header, finds, totals, sum, emit);
}

/// The number of lines of [`request`]. Saturates.
pub fn count<'a, M: Memory>(
    header: &Header,
    deltas: impl Iterator<Item = Delta>,
    finds: impl Iterator<Item = Find<'a>> + Clone,
    totals: &mut Totals<M>,
) -> u32 {
    let mut lines: u32 = 0;

    request(header, deltas, finds, totals, &mut |_| {
        lines = lines.saturating_add(1);
    });
    lines
}

/// The finds of one kind: the index of the delta, the pattern and the count. One count may have been recorded in
/// parts.
fn times<'a, I: Iterator<Item = Find<'a>>>(
    finds: I,
    wanted: Scope,
) -> impl Iterator<Item = (u32, u16, u32)> + use<'a, I> {
    finds.filter_map(move |find| match find {
        Find::Times {
            pattern,
            at,
            delta,
            times,
        } if at == wanted => Some((delta, pattern, times)),
        Find::Name { .. } | Find::Times { .. } | Find::Place { .. } => None,
    })
}

/// The lines about places, if any were recorded. `all` is the number of all occurrences. `finds` may not have all of
/// them.
fn places<'a, M: Memory>(
    header: &Header,
    finds: impl Iterator<Item = Find<'a>>,
    totals: &Totals<M>,
    all: u64,
    emit: &mut dyn FnMut(Line<'_>),
) {
    let mut told: u64 = 0;

    for find in finds {
        let Find::Place { pattern, offset } = find else {
            continue;
        };
        if let Some(pattern) = totals.name_of(pattern) {
            // Bytes of the disk, which are too few to wrap.
            let begin = header.sector.wrapping_mul(SECTOR_SIZE);
            let place = begin.wrapping_add_signed(offset);
            emit(Line::Place {
                pattern,
                sector: place / SECTOR_SIZE,
                byte: place % SECTOR_SIZE,
            });
            told = told.saturating_add(1);
        }
    }
    if told != 0 && all > told {
        emit(Line::MorePlaces(all.saturating_sub(told)));
    }
}
