// SPDX-License-Identifier: GPL-2.0

//! `imgrement history list`: the entries of a log.

use super::{
    index::notes,
    log::{
        Log,
        Session, //
    },
    point::{
        Finder,
        Spec, //
    },
    words,
};
use crate::{
    calendar::time,
    failure::Failure,
    output::bytes, //
};
use imgrement_core::{
    bytes::word::Escaped,
    history::entry::{
        Begin,
        End,
        Entry,
        Gap,
        Kind, //
    },
    record::SECTOR_SIZE, //
};
use serde::Serialize;
use std::{
    io::{
        self,
        Write, //
    },
    ops::Range,
};

/// Which entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// From this point on.
    pub(crate) from: Option<Spec>,
    /// Before this point.
    pub(crate) to: Option<Spec>,
    /// Of these kinds; all if this is empty.
    pub(crate) kinds: Vec<Kind>,
    /// Those that concern one of these sectors.
    pub(crate) sectors: Option<Range<u64>>,
    /// Those of requests that one of these processes has sent; all if this is empty.
    pub(crate) pids: Vec<u32>,
}

impl Filter {
    fn takes(&self, entry: &Entry<'_>) -> bool {
        let header = &entry.header;
        let end = header
            .sector
            .saturating_add(header.bytes.div_ceil(SECTOR_SIZE));
        (self.kinds.is_empty() || self.kinds.contains(&header.kind))
            && self.sectors.as_ref().is_none_or(|sectors| {
                header.sector < sectors.end && sectors.start < end && header.bytes > 0
            })
            && (self.pids.is_empty() || self.pids.contains(&header.issuer.pid))
    }

    /// The positions from the first point to the second one.
    fn positions(&self, log: &mut Log) -> Result<Range<u64>, Failure> {
        let finder = |spec: &Option<Spec>| spec.clone().map(|spec| Finder::new(spec, log));
        let (mut from, mut to) = (finder(&self.from), finder(&self.to));
        if from.is_some() || to.is_some() {
            let begin = log.begin();
            log.read(begin, |session, entry| {
                for finder in [&mut from, &mut to].into_iter().flatten() {
                    finder.pass(session, &entry);
                }
                Ok(true)
            })?;
        }
        let find = |finder: Option<Finder>, default| match finder {
            Some(finder) => finder.finish(log).map(|point| point.position),
            None => Ok(default),
        };
        Ok(find(from, 0)?..find(to, u64::MAX)?)
    }
}

/// An entry, for programs.
#[derive(Serialize)]
struct Line {
    position: u64,
    session: u64,
    op: &'static str,
    /// Nanoseconds since 1970.
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sector: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<u64>,
    /// The text of a mark, the reason of an end, what a gap lacks, the bases of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<Vec<Completed>>,
}

/// A request that has completed, for programs.
#[derive(Serialize)]
struct Completed {
    position: u64,
    head: u64,
    latency: u64,
    errno: u32,
}

/// What an entry says in words.
fn text(entry: &Entry<'_>) -> Option<String> {
    let header = &entry.header;
    match header.kind {
        Kind::Mark => Some(Escaped(entry.payload).to_string()),
        Kind::End => Some(match End::from_code(header.detail) {
            Some(end) => end.word().to_owned(),
            None => format!(
                "for a reason that this version does not know ({})",
                header.detail
            ),
        }),
        Kind::Gap => Some(gap(header.detail).to_owned()),
        Kind::Begin => {
            let begin = Begin::decode(entry.payload.try_into().ok()?)?;
            let chained = if begin.chained {
                ", without a hole"
            } else {
                ""
            };
            Some(format!(
                "session {}, base {}{chained}",
                begin.session,
                words::bases(begin.bases)
            ))
        }
        Kind::Completions => {
            let failed = notes(entry.payload).filter(|note| note.errno != 0).count();
            let count = notes(entry.payload).count();
            let requests = if count == 1 { "request" } else { "requests" };
            Some(match failed {
                0 => format!("{count} {requests}"),
                _ => format!("{count} {requests}, {failed} failed"),
            })
        }
        Kind::Write
        | Kind::Base
        | Kind::Discard
        | Kind::WriteZeroes
        | Kind::SecureErase
        | Kind::Flush => None,
    }
}

/// What a gap lacks.
pub(crate) fn gap(detail: u8) -> &'static str {
    match (detail & Gap::LATER != 0, detail & Gap::BEFORE != 0) {
        (true, true) => "neither the change nor what was there before",
        (true, false) => "the change is missing",
        (false, true) => "what was there before is missing",
        (false, false) => "nothing is missing",
    }
}

/// Whether a kind of entries is about a range of sectors.
fn has_sectors(kind: Kind) -> bool {
    match kind {
        Kind::Write
        | Kind::Base
        | Kind::Discard
        | Kind::WriteZeroes
        | Kind::SecureErase
        | Kind::Gap => true,
        Kind::Begin | Kind::End | Kind::Flush | Kind::Mark | Kind::Completions => false,
    }
}

fn json(session: &Session, entry: &Entry<'_>) -> Line {
    let header = &entry.header;
    let sectors = has_sectors(header.kind);
    let issuer = &header.issuer;
    Line {
        position: header.position,
        session: session.begin.session,
        op: words::kind(header.kind),
        time: session.real_time(header.time),
        sector: Some(header.sector).filter(|_| sectors),
        bytes: Some(header.bytes).filter(|_| sectors),
        flags: words::flags(header.flags),
        pid: Some(issuer.pid).filter(|pid| *pid != 0),
        command: Some(words::padded(&issuer.command)).filter(|command| !command.is_empty()),
        cgroup: Some(issuer.cgroup).filter(|cgroup| *cgroup != 0),
        text: text(entry),
        completed: Some(header.kind)
            .filter(|kind| *kind == Kind::Completions)
            .map(|_| {
                notes(entry.payload)
                    .map(|note| Completed {
                        position: note.position,
                        head: note.head,
                        latency: note.latency,
                        errno: note.errno,
                    })
                    .collect()
            }),
    }
}

/// A line for a person. The columns are as wide as their usual values.
fn line(session: &Session, entry: &Entry<'_>) -> String {
    let header = &entry.header;
    let (sector, size) = match has_sectors(header.kind) {
        true => (header.sector.to_string(), bytes(header.bytes)),
        false => ("-".to_owned(), "-".to_owned()),
    };
    let mut line = format!(
        "{:>12}  {}  {:<12} {sector:>12} {size:>9}",
        header.position,
        time(session.real_time(header.time)),
        words::kind(header.kind),
    );
    let flags = words::flags(header.flags).join(",");
    let command = words::padded(&header.issuer.command);
    let issuer = match header.issuer.pid {
        0 => command,
        pid => format!("{command}[{pid}]"),
    };
    for word in [text(entry).unwrap_or_default(), flags, issuer] {
        if !word.is_empty() {
            line.push_str("  ");
            line.push_str(&word);
        }
    }
    line.push('\n');
    line
}

/// Prints the entries that the filter takes.
pub(crate) fn list(
    mut log: Log,
    filter: &Filter,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let positions = filter.positions(&mut log)?;
    let mut empty = !as_json;
    let from = log
        .session_of(positions.start)
        .map_or(0, |(_, session)| session.start);
    // The batch that begins with the session's first entry.
    let from = from.saturating_sub(imgrement_core::history::batch::HEADER as u64);
    log.read(from, |session, entry| {
        let position = entry.header.position;
        if position >= positions.end {
            return Ok(false);
        }
        if position < positions.start || !filter.takes(&entry) {
            return Ok(true);
        }
        if as_json {
            serde_json::to_writer(&mut *out, &json(session, &entry)).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            return Ok(true);
        }
        if std::mem::take(&mut empty) {
            writeln!(
                out,
                "{:>12}  {:<24}  {:<12} {:>12} {:>9}",
                "POSITION", "TIME", "OP", "SECTOR", "SIZE"
            )?;
        }
        out.write_all(line(session, &entry).as_bytes())?;
        Ok(true)
    })?;
    out.flush()?;
    log.flaw().map_or(Ok(()), |flaw| Err(flaw.failure()))
}
