// SPDX-License-Identifier: GPL-2.0

//! JSON: an object in each line, with the columns that its kind of row has.

use super::RowAt;
use crate::{
    failure::Failure,
    recording::{
        reader::Batch,
        row::{
            op_name,
            Delta,
            Event,
            Kind,
            Match,
            Request, //
        },
    },
};
use serde::{
    Serialize,
    Serializer, //
};

/// What all rows have.
#[derive(Serialize)]
struct Line<'a, T> {
    kind: &'static str,
    time: i64,
    device: Option<&'a str>,
    #[serde(flatten)]
    event: T,
}

#[derive(Serialize)]
struct RequestLine<'a> {
    kind: &'static str,
    time: i64,
    device: Option<&'a str>,
    id: u64,
    op: &'static str,
    flags: u32,
    sector: u64,
    bytes: u32,
    errno: Option<u32>,
    latency: Option<u64>,
    command: &'a str,
    cpu: Option<u32>,
    pid: Option<u32>,
    cgroup: Option<u64>,
    segments: Option<u32>,
    hits: Option<u32>,
    page: Option<u32>,
    copy: Option<u32>,
    across: Option<u32>,
    #[serde(skip_serializing_if = "Deltas::are_missing")]
    deltas: Deltas<'a>,
    #[serde(skip_serializing_if = "Matches::are_missing")]
    matches: Matches<'a>,
}

#[derive(Serialize)]
struct MarkLine<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct TableLine<'a> {
    reason: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct LostLine {
    cpu: Option<u32>,
    lost: Option<u64>,
}

/// The segments of a row.
pub(super) struct Deltas<'a>(pub(super) &'a Batch, pub(super) usize);

/// The occurrences of patterns in a row.
pub(super) struct Matches<'a>(pub(super) &'a Batch, pub(super) usize);

impl Deltas<'_> {
    pub(super) fn are_missing(&self) -> bool {
        self.0.deltas(self.1).is_none()
    }
}

impl Matches<'_> {
    pub(super) fn are_missing(&self) -> bool {
        self.0.matches(self.1).is_none()
    }
}

#[derive(Serialize)]
struct DeltaObject {
    length: u32,
    offset: u32,
    sector: u64,
    hits: u32,
}

#[derive(Serialize)]
struct MatchObject<'a> {
    pattern: &'a str,
    place: &'a str,
    sector: u64,
    byte: u32,
}

impl Serialize for Deltas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deltas = self.0.deltas(self.1).into_iter().flatten();
        serializer.collect_seq(deltas.map(|delta| {
            let Delta {
                length,
                offset,
                sector,
                hits,
            } = delta;
            DeltaObject {
                length,
                offset,
                sector,
                hits,
            }
        }))
    }
}

impl Serialize for Matches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let matches = self.0.matches(self.1).into_iter().flatten();
        serializer.collect_seq(matches.map(|found| {
            let Match {
                pattern,
                place,
                sector,
                byte,
            } = found;
            MatchObject {
                pattern,
                place,
                sector,
                byte,
            }
        }))
    }
}

/// Adds the line of a row.
pub(super) fn row(at: &RowAt<'_>, buffer: &mut Vec<u8>) -> Result<(), Failure> {
    let (time, device) = (at.row.time, at.device);

    match at.row.event {
        Event::Request(request) => put(&request_line(at, &request), buffer)?,
        Event::Mark(text) => put(
            &Line {
                kind: Kind::Mark.name(),
                time,
                device,
                event: MarkLine { text },
            },
            buffer,
        )?,
        Event::Table { reason, line } => put(
            &Line {
                kind: Kind::Table.name(),
                time,
                device,
                event: TableLine { reason, text: line },
            },
            buffer,
        )?,
        Event::Lost { cpu, events } => put(
            &Line {
                kind: Kind::Lost.name(),
                time,
                device,
                event: LostLine { cpu, lost: events },
            },
            buffer,
        )?,
    }
    buffer.push(b'\n');
    Ok(())
}

fn request_line<'a>(at: &RowAt<'a>, request: &Request<'a>) -> RequestLine<'a> {
    let begin = request.begin;
    RequestLine {
        kind: Kind::Request.name(),
        time: at.row.time,
        device: at.device,
        id: request.id,
        op: op_name(request.op),
        flags: request.flags,
        sector: request.sector,
        bytes: request.bytes,
        errno: request.errno,
        latency: request.latency,
        command: request.command,
        cpu: begin.map(|begin| begin.cpu),
        pid: begin.map(|begin| begin.pid),
        cgroup: begin.map(|begin| begin.cgroup),
        segments: begin.map(|begin| begin.segments),
        hits: begin.map(|begin| begin.hits),
        page: begin.map(|begin| begin.page),
        copy: begin.map(|begin| begin.copy),
        across: begin.map(|begin| begin.across),
        deltas: Deltas(at.batch, at.index),
        matches: Matches(at.batch, at.index),
    }
}

/// Adds a value.
pub(super) fn put(value: &impl Serialize, buffer: &mut Vec<u8>) -> Result<(), Failure> {
    serde_json::to_writer(buffer, value)
        .map_err(|error| Failure::new(format_args!("cannot make JSON: {error}")))
}
