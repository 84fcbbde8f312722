// SPDX-License-Identifier: GPL-2.0

//! The beginnings and ends of requests in the order of time.
//!
//! A recording has a row for each request, in the order of the beginnings. Ends wait in a heap until their time has come:
//! there are as many as requests were in flight. A request that took long has a row that comes too late, so the file is
//! read twice, and the late rows are collected first. There are few of them. Those beyond [`LATE`] keep their place.

use super::Filter;
use crate::{
    failure::Failure,
    output,
    progress::Progress,
    recording::{
        head::Head,
        reader::Reader,
        row::{
            Event,
            Request, //
        },
    },
};
use imgrement_core::record::Op;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{
        self,
        File, //
    },
    path::Path,
};

/// How many late rows are collected: at most about 25 MB.
const LATE: usize = 1 << 18;

/// What a format needs to know of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) device: Option<u8>,
    pub(super) op: Op,
    pub(super) flags: u32,
    pub(super) sector: u64,
    pub(super) bytes: u32,
    pub(super) errno: Option<u32>,
    latency: Option<u64>,
    pub(super) cpu: u32,
    pub(super) pid: u32,
    pub(super) command: Command,
    /// Only its end was seen.
    only_end: bool,
}

/// The name of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    bytes: [u8; 16],
}

impl Command {
    /// From an escaped name. It is cut to 15 bytes, as in the kernel.
    pub(super) fn new(escaped: &str) -> Self {
        let mut long = [0; 64];
        let name = imgrement_core::bytes::word::unescape(escaped.as_bytes(), &mut long);
        let name = name.unwrap_or(escaped.as_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().take(15).zip(name) {
            *to = *from;
        }
        Self { bytes }
    }

    /// With zeroes at the end, at least one.
    pub(super) fn padded(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The name.
    pub(super) fn name(&self) -> &[u8] {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        self.bytes.get(..end.unwrap_or(16)).unwrap_or_default()
    }
}

impl Seen {
    fn new(device: Option<u8>, request: &Request<'_>) -> Self {
        let begin = request.begin.unwrap_or_default();
        Self {
            device,
            op: request.op,
            flags: request.flags,
            sector: request.sector,
            bytes: request.bytes,
            errno: request.errno,
            latency: request.latency,
            cpu: begin.cpu,
            pid: begin.pid,
            command: Command::new(request.command),
            only_end: request.begin.is_none() && request.latency.is_none(),
        }
    }
}

/// Something that happened.
pub(super) enum Moment<'a> {
    /// A request began.
    Begin(&'a Seen),
    /// A request ended.
    End(&'a Seen),
    /// Something else.
    Note(Option<u8>, Event<'a>),
}

impl Moment<'_> {
    /// The index of the device. `None` if it concerns all.
    pub(super) fn device(&self) -> Option<u8> {
        match self {
            Self::Begin(seen) | Self::End(seen) => seen.device,
            Self::Note(device, _) => *device,
        }
    }
}

/// Writes a format.
pub(super) trait Writer {
    /// Writes what happened at a time, in nanoseconds since 1970.
    fn moment(&mut self, head: &Head, time: i64, moment: &Moment<'_>) -> Result<(), Failure>;

    /// Writes the rest.
    fn finish(self, head: &Head) -> Result<(), Failure>;
}

/// Something in the heap: what has the smallest time and number comes out first.
#[derive(PartialEq, Eq)]
struct Waiting {
    time: i64,
    number: u64,
    seen: Seen,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Puts it in order.
pub(super) struct Timeline {
    filter: Filter,
    /// The late rows by their beginnings; the first is the last.
    late: Vec<(i64, Seen)>,
    /// How many late rows of the file are in `late`.
    known: usize,
    ends: BinaryHeap<Reverse<Waiting>>,
    number: u64,
    /// The time of what was written last.
    last: i64,
    /// How many were written too late.
    too_late: u64,
}

impl Timeline {
    /// Collects the late rows of a file. What is no ordinary file can be read only once.
    pub(super) fn new(
        path: &Path,
        filter: Filter,
        progress: &mut Progress,
    ) -> Result<Self, Failure> {
        let mut late = Vec::new();
        if fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            late = collect(Reader::open(path)?, progress)?;
        }
        let known = late.len();
        // What has the same time stays in order.
        late.reverse();
        late.sort_by_key(|(time, _)| Reverse(*time));
        Ok(Self {
            filter,
            late,
            known,
            ends: BinaryHeap::new(),
            number: 0,
            last: i64::MIN,
            too_late: 0,
        })
    }

    /// Reads all, and writes it.
    pub(super) fn run(
        mut self,
        mut reader: Reader<File>,
        mut writer: impl Writer,
        mut progress: Progress,
    ) -> Result<(), Failure> {
        let (mut newest, mut late) = (i64::MIN, 0);
        while let Some(batch) = reader.next_batch()? {
            progress.at(reader.at());
            for row in batch.rows() {
                let head = reader.head();
                let is_late = row.time < newest;
                newest = newest.max(row.time);
                if let (true, Event::Request(_)) = (is_late, row.event) {
                    late += 1;
                    if late <= self.known {
                        continue;
                    }
                }
                self.until(row.time, head, &mut writer)?;
                if !self.filter.passes(head, row.device) {
                    continue;
                }
                match row.event {
                    Event::Request(request) => {
                        let seen = Seen::new(row.device, &request);
                        self.request(row.time, seen, head, &mut writer)?;
                    }
                    Event::Mark(_) | Event::Table { .. } | Event::Lost { .. } => {
                        let device = row.device.or(self.filter.index);
                        let note = Moment::Note(device, row.event);
                        self.write(row.time, &note, head, &mut writer)?;
                    }
                }
            }
        }
        self.until(i64::MAX, reader.head(), &mut writer)?;
        drop(progress);
        self.filter.check(reader.head())?;
        writer.finish(reader.head())?;
        if self.too_late > 0 {
            output::note(&format!(
                "{} requests took so long that they are not in the order of time",
                self.too_late
            ));
        }
        reader.finish()
    }

    /// Writes all that happened up to this time, and can be known by now.
    fn until(&mut self, time: i64, head: &Head, writer: &mut impl Writer) -> Result<(), Failure> {
        loop {
            let begin = self.late.last().map(|(time, _)| *time);
            let end = self.ends.peek().map(|Reverse(end)| end.time);
            match (begin, end) {
                (Some(begin), end) if begin <= time && end.is_none_or(|end| begin < end) => {
                    let Some((begin, seen)) = self.late.pop() else {
                        return Ok(());
                    };
                    if self.filter.passes(head, seen.device) {
                        self.request(begin, seen, head, writer)?;
                    }
                }
                (_, Some(end)) if end <= time => {
                    let Some(Reverse(end)) = self.ends.pop() else {
                        return Ok(());
                    };
                    self.write(end.time, &Moment::End(&end.seen), head, writer)?;
                }
                (_, _) => return Ok(()),
            }
        }
    }

    /// Writes the beginning of a request. Its end waits.
    fn request(
        &mut self,
        time: i64,
        seen: Seen,
        head: &Head,
        writer: &mut impl Writer,
    ) -> Result<(), Failure> {
        if seen.only_end {
            return self.write(time, &Moment::End(&seen), head, writer);
        }
        self.write(time, &Moment::Begin(&seen), head, writer)?;
        if let (Some(_), Some(latency)) = (seen.errno, seen.latency) {
            self.number = self.number.wrapping_add(1);
            self.ends.push(Reverse(Waiting {
                time: time.saturating_add_unsigned(latency),
                number: self.number,
                seen,
            }));
        }
        Ok(())
    }

    fn write(
        &mut self,
        time: i64,
        moment: &Moment<'_>,
        head: &Head,
        writer: &mut impl Writer,
    ) -> Result<(), Failure> {
        if time < self.last {
            self.too_late = self.too_late.saturating_add(1);
        }
        self.last = self.last.max(time);
        writer.moment(head, time, moment)
    }
}

/// The requests whose rows come later than those of younger ones.
fn collect(mut reader: Reader<File>, progress: &mut Progress) -> Result<Vec<(i64, Seen)>, Failure> {
    let mut late = Vec::new();
    let mut newest = i64::MIN;
    while let Some(batch) = reader.next_batch()? {
        progress.at(reader.at());
        for row in batch.rows() {
            if let (true, Event::Request(request)) = (row.time < newest, row.event) {
                if late.len() >= LATE {
                    return Ok(late);
                }
                late.push((row.time, Seen::new(row.device, &request)));
            }
            newest = newest.max(row.time);
        }
    }
    Ok(late)
}
