// SPDX-License-Identifier: GPL-2.0

//! Comma-separated values, by RFC 4180: a header, then a line for each row. All columns of the recording are there. An
//! empty cell is a value that the row does not have. Segments and occurrences of patterns are JSON in their cell.

use super::{
    json::{
        self,
        Deltas,
        Matches, //
    },
    RowAt,
};
use crate::{
    failure::Failure,
    recording::row::{
        op_name,
        Event,
        Kind, //
    },
};

/// The columns.
pub(super) const COLUMNS: [&str; 24] = [
    "kind", "time", "device", "id", "op", "flags", "sector", "bytes", "errno", "latency",
    "command", "cpu", "pid", "cgroup", "segments", "hits", "page", "copy", "across", "deltas",
    "matches", "lost", "reason", "text",
];

/// Adds the header.
pub(super) fn header(buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(COLUMNS.join(",").as_bytes());
    buffer.extend_from_slice(b"\r\n");
}

/// A line that is being made.
struct Line<'b> {
    buffer: &'b mut Vec<u8>,
    first: bool,
}

impl Line<'_> {
    fn cell(&mut self, text: &[u8]) {
        if !self.first {
            self.buffer.push(b',');
        }
        self.first = false;
        let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
        if !text.iter().any(special) {
            self.buffer.extend_from_slice(text);
            return;
        }
        self.buffer.push(b'"');
        for byte in text {
            if *byte == b'"' {
                self.buffer.push(b'"');
            }
            self.buffer.push(*byte);
        }
        self.buffer.push(b'"');
    }

    fn text(&mut self, text: Option<&str>) {
        self.cell(text.unwrap_or_default().as_bytes());
    }

    fn number(&mut self, number: Option<impl itoa::Integer>) {
        match number {
            Some(number) => self.cell(itoa::Buffer::new().format(number).as_bytes()),
            None => self.cell(b""),
        }
    }
}

/// Adds the line of a row. `json` is memory that is used again.
pub(super) fn row(at: &RowAt<'_>, json: &mut Vec<u8>, buffer: &mut Vec<u8>) -> Result<(), Failure> {
    let mut line = Line {
        buffer,
        first: true,
    };
    let (kind, request, cpu, lost, reason, text) = match at.row.event {
        Event::Request(request) => {
            let cpu = request.begin.map(|begin| begin.cpu);
            (Kind::Request, Some(request), cpu, None, None, None)
        }
        Event::Mark(text) => (Kind::Mark, None, None, None, None, Some(text)),
        Event::Table { reason, line } => (Kind::Table, None, None, None, Some(reason), Some(line)),
        Event::Lost { cpu, events } => (Kind::Lost, None, cpu, events, None, None),
    };
    let begin = request.and_then(|request| request.begin);

    line.text(Some(kind.name()));
    line.number(Some(at.row.time));
    line.text(at.device);
    line.number(request.map(|request| request.id));
    line.text(request.map(|request| op_name(request.op)));
    line.number(request.map(|request| request.flags));
    line.number(request.map(|request| request.sector));
    line.number(request.map(|request| request.bytes));
    line.number(request.and_then(|request| request.errno));
    line.number(request.and_then(|request| request.latency));
    line.text(request.map(|request| request.command));
    line.number(cpu);
    line.number(begin.map(|begin| begin.pid));
    line.number(begin.map(|begin| begin.cgroup));
    line.number(begin.map(|begin| begin.segments));
    line.number(begin.map(|begin| begin.hits));
    line.number(begin.map(|begin| begin.page));
    line.number(begin.map(|begin| begin.copy));
    line.number(begin.map(|begin| begin.across));

    let (deltas, matches) = (Deltas(at.batch, at.index), Matches(at.batch, at.index));
    json.clear();
    if !deltas.are_missing() {
        json::put(&deltas, json)?;
    }
    line.cell(json);
    json.clear();
    if !matches.are_missing() {
        json::put(&matches, json)?;
    }
    line.cell(json);
    line.number(lost);
    line.text(reason);
    line.text(text);
    line.buffer.extend_from_slice(b"\r\n");
    Ok(())
}
