// SPDX-License-Identifier: GPL-2.0

//! `imgrement history info`: what a log is about, and what is in it.

use super::{
    list::gap,
    log::Log,
    words, //
};
use crate::{
    calendar::time,
    failure::Failure,
    output::{
        bytes,
        columns,
        size, //
    },
};
use imgrement_core::{
    bytes::word::Escaped,
    history::{
        entry::Kind,
        superblock::State, //
    }, //
};
use serde::Serialize;

/// How many marks and gaps are listed.
const SHOWN: usize = 100;

/// A log.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    devices: Vec<Device>,
    /// The first position, and the one after the last.
    begin: u64,
    end: u64,
    sessions: Vec<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    /// What is damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

/// A log device.
#[derive(Debug, Serialize)]
struct Device {
    path: String,
    id: String,
    /// The id of the log that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    /// Nanoseconds since 1970.
    made: u64,
    open: bool,
    size: u64,
    used: u64,
    first_position: u64,
    block_size: u32,
    chunk_size: u32,
    disk: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    uuid: String,
    offset: u64,
    sectors: u64,
}

#[derive(Debug, Serialize)]
struct Session {
    session: u64,
    begin: u64,
    end: u64,
    /// Nanoseconds since 1970.
    from: i64,
    to: i64,
    base: &'static str,
    chained: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'static str>,
    batches: u64,
}

/// What the entries are.
#[derive(Debug, Default, Serialize)]
struct Content {
    ops: Vec<Ops>,
    marks: Vec<Mark>,
    marks_left_out: u64,
    gaps: Vec<GapRange>,
    gaps_left_out: u64,
}

#[derive(Debug, Serialize)]
struct Ops {
    op: &'static str,
    entries: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Mark {
    position: u64,
    time: i64,
    text: String,
}

#[derive(Debug, Serialize)]
struct GapRange {
    position: u64,
    time: i64,
    sector: u64,
    bytes: u64,
    text: &'static str,
}

/// Finds out. `quick` leaves out what needs the whole log to be read.
pub(crate) fn info(log: &mut Log, quick: bool) -> Result<Info, Failure> {
    let content = match quick {
        true => None,
        false => Some(content(log)?),
    };
    Ok(Info {
        devices: log.devices().iter().map(Device::of).collect(),
        begin: log.begin(),
        end: log.end(),
        sessions: log.sessions().iter().map(Session::of).collect(),
        content,
        damage: log.flaw().map(ToString::to_string),
    })
}

impl Device {
    fn of(device: &super::log::Device) -> Self {
        let superblock = &device.superblock;
        Self {
            path: device.source().path().display().to_string(),
            id: words::id(&superblock.id),
            follows: Some(words::id(&superblock.previous))
                .filter(|_| superblock.previous != [0; 16]),
            made: superblock.made,
            open: superblock.state == State::Open,
            size: device.source().size(),
            used: device.offset_of(device.end),
            first_position: superblock.first_position,
            block_size: superblock.block_size,
            chunk_size: superblock.chunk_size,
            disk: words::padded(&superblock.disk),
            uuid: words::padded(&superblock.uuid),
            offset: superblock.offset,
            sectors: superblock.sectors,
        }
    }
}

impl Session {
    fn of(session: &super::log::Session) -> Self {
        Self {
            session: session.begin.session,
            begin: session.start,
            end: session.end,
            from: session.real_time(session.began),
            to: session.real_time(session.last),
            base: words::bases(session.begin.bases),
            chained: session.begin.chained,
            ended: session.ended.map(|end| end.word()),
            batches: session.batches,
        }
    }
}

fn content(log: &mut Log) -> Result<Content, Failure> {
    let mut counts = [(0_u64, 0_u64); 16];
    let mut content = Content::default();
    let begin = log.begin();
    log.read(begin, |session, entry| {
        let header = &entry.header;
        if let Some((entries, bytes)) = counts.get_mut(usize::from(header.kind as u8)) {
            *entries += 1;
            *bytes = bytes.saturating_add(header.bytes);
        }
        let time = session.real_time(header.time);
        if header.kind == Kind::Mark {
            match content.marks.len() < SHOWN {
                true => content.marks.push(Mark {
                    position: header.position,
                    time,
                    text: Escaped(entry.payload).to_string(),
                }),
                false => content.marks_left_out += 1,
            }
        }
        if header.kind == Kind::Gap {
            match content.gaps.len() < SHOWN {
                true => content.gaps.push(GapRange {
                    position: header.position,
                    time,
                    sector: header.sector,
                    bytes: header.bytes,
                    text: gap(header.detail),
                }),
                false => content.gaps_left_out += 1,
            }
        }
        Ok(true)
    })?;
    for kind in Kind::ALL {
        let (entries, bytes) = counts
            .get(usize::from(*kind as u8))
            .copied()
            .unwrap_or_default();
        if entries > 0 {
            content.ops.push(Ops {
                op: words::kind(*kind),
                entries,
                bytes,
            });
        }
    }
    Ok(content)
}

/// For a person.
pub(crate) fn text(info: &Info) -> String {
    let mut text = String::new();
    for device in &info.devices {
        let uuid = match device.uuid.is_empty() {
            true => String::new(),
            false => format!(", UUID {}", device.uuid),
        };
        let mut rows = vec![
            ("log", format!("{}, id {}", device.path, device.id)),
            ("made", time(i64::try_from(device.made).unwrap_or(i64::MAX))),
            (
                "disk",
                format!(
                    "{}{uuid}: {} ({} sectors) from its sector {} on",
                    device.disk,
                    size(device.sectors),
                    device.sectors,
                    device.offset
                ),
            ),
            (
                "state",
                match device.open {
                    true => "open: a target writes to it, or there was a crash".to_owned(),
                    false => "closed".to_owned(),
                },
            ),
            (
                "used",
                format!("{} of {}", bytes(device.used), bytes(device.size)),
            ),
            ("chunks", bytes(u64::from(device.chunk_size))),
        ];
        if let Some(follows) = &device.follows {
            rows.insert(1, ("follows", follows.clone()));
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect();
        text.push_str(&columns(&rows));
    }
    let mut rows = vec![["SESSION", "FROM", "TO", "POSITIONS", "BASE", "ENDED"]
        .map(str::to_owned)
        .to_vec()];
    rows.extend(info.sessions.iter().map(|session| {
        let chained = if session.chained {
            " (no hole before)"
        } else {
            ""
        };
        vec![
            format!("{}{chained}", session.session),
            time(session.from),
            time(session.to),
            format!("{}-{}", session.begin, session.end),
            session.base.to_owned(),
            session.ended.unwrap_or("no end").to_owned(),
        ]
    }));
    text.push('\n');
    match info.sessions.is_empty() {
        true => text.push_str("It has no session yet.\n"),
        false => text.push_str(&columns(&rows)),
    }
    if let Some(content) = &info.content {
        content.print(&mut text);
    }
    text
}

impl Content {
    fn print(&self, text: &mut String) {
        let table = |text: &mut String, rows: Vec<Vec<String>>, left_out: u64| {
            if rows.len() > 1 {
                text.push('\n');
                text.push_str(&columns(&rows));
            }
            if left_out > 0 {
                text.push_str(&format!("and {left_out} more: imgrement history list\n"));
            }
        };
        let head = |words: &[&str]| vec![words.iter().map(|word| (*word).to_owned()).collect()];
        let mut rows = head(&["OP", "ENTRIES", "SIZE"]);
        rows.extend(self.ops.iter().map(|ops| {
            let size = match ops.bytes {
                0 => "-".to_owned(),
                number => bytes(number),
            };
            vec![ops.op.to_owned(), ops.entries.to_string(), size]
        }));
        table(text, rows, 0);
        let mut rows = head(&["MARK", "TIME", "POSITION"]);
        rows.extend(self.marks.iter().map(|mark| {
            vec![
                mark.text.clone(),
                time(mark.time),
                mark.position.to_string(),
            ]
        }));
        table(text, rows, self.marks_left_out);
        let mut rows = head(&["GAP", "TIME", "SECTOR", "SIZE", "WHAT"]);
        rows.extend(self.gaps.iter().map(|gap| {
            vec![
                gap.position.to_string(),
                time(gap.time),
                gap.sector.to_string(),
                bytes(gap.bytes),
                gap.text.to_owned(),
            ]
        }));
        table(text, rows, self.gaps_left_out);
    }
}
