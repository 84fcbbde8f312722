// SPDX-License-Identifier: GPL-2.0

//! Makes rows of events: joins `request` with `complete`, and both with the segments and the occurrences of patterns.
//!
//! Rows wait here until all rows before them are complete, but no longer than [`SLOW`]. Memory is bounded: see the
//! constants below. Beyond them, rows are less complete, but none is left out.

use super::fields::{
    Fields,
    COMPLETE,
    DELTA,
    MARK,
    MATCH,
    REQUEST,
    TABLE, //
};
use crate::{
    clock::nanoseconds,
    failure::Failure,
    recording::row::{
        self,
        Begin,
        Row,
        SLOW, //
    },
    trace::{
        Event,
        Seen, //
    },
};
use imgrement_core::{
    bytes::word::Escaped,
    record::Op,
    ring::layout::Field, //
};
use std::{
    borrow::Cow,
    collections::{
        HashMap,
        VecDeque, //
    },
    hash::{
        BuildHasherDefault,
        Hasher, //
    },
};

/// How many rows wait at most. Then the first is written, or counts as slow.
const WAITING: usize = 1 << 19;

/// How many slow requests are remembered. More have their row at once, without an end.
const SLOW_REQUESTS: usize = 1 << 16;

/// How many segments and occurrences are kept at most for requests that have no row yet. Then all of them are dropped.
pub(super) const PARTS: usize = 1 << 20;

/// How many names of patterns are remembered. Others are written as an empty text.
const PATTERNS: usize = 1 << 16;

/// How many CPUs are told apart when holes are counted.
const CPUS: usize = 1 << 13;

/// Where rows go.
pub(crate) trait Sink {
    /// Takes a row, its segments, and the occurrences of patterns in it.
    fn row(
        &mut self,
        row: &Row<'_>,
        deltas: Option<&[row::Delta]>,
        matches: Option<&[row::Match<'_>]>,
    ) -> Result<(), Failure>;
}

/// Names a request: the index of its device, and its id.
type Key = (u8, u64);

/// Ids are spread well by a multiplication.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Map<T> = HashMap<Key, T, BuildHasherDefault<Mix>>;

/// A request that has no row yet.
#[derive(Clone, Copy, Debug)]
struct Held {
    time: i64,
    key: Key,
    op: Op,
    flags: u32,
    sector: u64,
    bytes: u32,
    errno: Option<u32>,
    latency: Option<u64>,
    command: [u8; 16],
    begin: Option<Begin>,
    /// Its row can be written.
    done: bool,
}

/// A row that waits.
#[derive(Clone, Debug)]
enum Waiting {
    Request(Held),
    Mark(u8, i64, Box<str>),
    Table(u8, i64, &'static str, Box<str>),
    Lost(i64, u32, Option<u64>),
    /// It became slow, and waits elsewhere.
    Gone,
}

/// The segments and occurrences of a request.
#[derive(Clone, Debug, Default)]
struct Parts {
    deltas: Vec<row::Delta>,
    matches: Vec<Found>,
}

/// An occurrence of a pattern.
#[derive(Clone, Copy, Debug)]
struct Found {
    pattern: usize,
    place: &'static str,
    sector: u64,
    byte: u32,
}

/// The ids of one CPU.
#[derive(Clone, Copy, Debug, Default)]
struct Ids {
    first: u64,
    last: u64,
    count: u64,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that have a row, or will have one.
    pub(crate) requests: u64,
    /// Lost events that have a row.
    pub(crate) lost: u64,
}

/// Makes rows of events.
pub(crate) struct Joiner {
    fields: Fields,
    /// The devices, as they are in events.
    devices: Vec<u64>,
    clock_offset: i64,
    waiting: VecDeque<Waiting>,
    /// How many rows have left `waiting`.
    left: u64,
    /// Where requests wait: their places since the beginning.
    places: Map<u64>,
    slow: Map<Held>,
    parts: Map<Parts>,
    /// How many parts there are.
    parts_held: usize,
    patterns: Vec<Box<str>>,
    /// The ids, by device and CPU.
    ids: Vec<Vec<Ids>>,
    counts: Counts,
}

impl Joiner {
    /// For events with these fields, of these devices.
    pub(crate) fn new(fields: Fields, devices: Vec<u64>, clock_offset: i64) -> Self {
        Self {
            fields,
            ids: vec![Vec::new(); devices.len()],
            devices,
            clock_offset,
            waiting: VecDeque::new(),
            left: 0,
            places: Map::default(),
            slow: Map::default(),
            parts: Map::default(),
            parts_held: 0,
            patterns: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// What was seen so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many ids of requests are missing between those that were seen.
    pub(crate) fn holes(&self) -> u64 {
        let ids = self.ids.iter().flatten().filter(|ids| ids.count > 0);
        ids.map(|ids| (ids.last - ids.first + 1).saturating_sub(ids.count))
            .sum()
    }

    /// Whether a request has no end yet.
    pub(crate) fn in_flight(&self) -> bool {
        !self.places.is_empty()
    }

    /// How many segments and occurrences wait for the rows of their requests.
    #[cfg(test)]
    pub(super) fn parts_waiting(&self) -> usize {
        let parts = self.parts.values();
        parts
            .map(|parts| parts.deltas.len() + parts.matches.len())
            .sum()
    }

    /// Takes an event, and writes the rows that are complete.
    pub(crate) fn take(&mut self, seen: Seen<'_>, sink: &mut impl Sink) -> Result<(), Failure> {
        match seen {
            Seen::Lost { time, cpu, events } => {
                self.counts.lost = self.counts.lost.saturating_add(events.unwrap_or(0));
                let time = self.time(time);
                self.waiting.push_back(Waiting::Lost(time, cpu, events));
            }
            Seen::Event(event) => {
                // An event that is too short was not written by this kernel.
                let _: Option<()> = match event.kind {
                    REQUEST => self.request(&event),
                    COMPLETE => self.complete(&event),
                    DELTA => self.delta(&event),
                    MATCH => self.found(&event),
                    MARK => self.mark(&event),
                    TABLE => self.table(&event),
                    _ => None,
                };
            }
        }
        self.write(sink)?;
        if self.waiting.len() > WAITING {
            self.pass_first(sink)?;
        }
        Ok(())
    }

    /// All events before this time were taken: requests that began long before it become slow.
    pub(crate) fn at(&mut self, now: u64, sink: &mut impl Sink) -> Result<(), Failure> {
        let before = self.time(now.saturating_sub(nanoseconds(SLOW)));
        while let Some(Waiting::Request(held)) = self.waiting.front() {
            if held.time >= before {
                break;
            }
            self.pass_first(sink)?;
            self.write(sink)?;
        }
        Ok(())
    }

    /// Writes all rows that are left, without their ends.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            self.write(sink)?;
            if let Some(Waiting::Request(held)) = self.waiting.front_mut() {
                held.done = true;
            }
        }
        let mut slow: Vec<_> = self.slow.drain().map(|(_, held)| held).collect();
        slow.sort_by_key(|held| held.time);
        for held in slow {
            self.write_request(&held, sink)?;
        }
        self.places.clear();
        Ok(())
    }

    /// The time of a row.
    pub(crate) fn time(&self, time: u64) -> i64 {
        self.clock_offset.saturating_add_unsigned(time)
    }

    /// The device of an event.
    fn device(&self, field: &Field, event: &Event<'_>) -> Option<u8> {
        let number = field.number(event.bytes)?;
        let index = self.devices.iter().position(|device| *device == number)?;
        u8::try_from(index).ok()
    }

    fn request(&mut self, event: &Event<'_>) -> Option<()> {
        let fields = &self.fields.request;
        let number = |field: &Field| field.number(event.bytes);
        let small = |field: &Field| number(field).and_then(|number| u32::try_from(number).ok());
        let device = self.device(&fields.device, event)?;
        let key = (device, number(&fields.id)?);
        let held = Held {
            time: self.time(event.time),
            key,
            op: op(number(&fields.op)?),
            flags: small(&fields.flags)?,
            sector: number(&fields.sector)?,
            bytes: small(&fields.bytes)?,
            errno: None,
            latency: None,
            command: command(fields.command, event),
            begin: Some(Begin {
                cpu: event.cpu,
                pid: small(&fields.pid)?,
                cgroup: number(&fields.cgroup)?,
                segments: small(&fields.deltas)?,
                hits: small(&fields.hits)?,
                page: small(&fields.page)?,
                copy: small(&fields.copy)?,
                across: small(&fields.across)?,
            }),
            done: false,
        };
        self.count(key);
        self.counts.requests += 1;
        let place = self.left.saturating_add(self.waiting.len() as u64);
        self.places.insert(key, place);
        self.waiting.push_back(Waiting::Request(held));
        Some(())
    }

    /// Counts an id. The upper 16 bits are a CPU, and the others count up.
    fn count(&mut self, (device, id): Key) {
        let (cpu, number) = (id >> 48, id & ((1 << 48) - 1));
        let cpu = usize::try_from(cpu).unwrap_or(CPUS);
        let Some(cpus) = self.ids.get_mut(usize::from(device)) else {
            return;
        };
        if cpu >= CPUS {
            return;
        }
        if cpus.len() <= cpu {
            cpus.resize(cpu + 1, Ids::default());
        }
        if let Some(ids) = cpus.get_mut(cpu) {
            if ids.count == 0 {
                (ids.first, ids.last) = (number, number);
            }
            ids.first = ids.first.min(number);
            ids.last = ids.last.max(number);
            ids.count += 1;
        }
    }

    fn complete(&mut self, event: &Event<'_>) -> Option<()> {
        let fields = &self.fields.complete;
        let number = |field: &Field| field.number(event.bytes);
        let small = |field: &Field| number(field).and_then(|number| u32::try_from(number).ok());
        let device = self.device(&fields.device, event)?;
        let key = (device, number(&fields.id)?);
        let errno = small(&fields.errno)?;
        let latency = Some(number(&fields.latency)?).filter(|latency| *latency > 0);
        let sector = number(&fields.sector)?;

        let place = self.places.remove(&key);
        let place = place.and_then(|place| usize::try_from(place.checked_sub(self.left)?).ok());
        if let Some(Waiting::Request(held)) = place.and_then(|place| self.waiting.get_mut(place)) {
            if held.op == Op::ZoneAppend && errno == 0 {
                held.sector = sector;
            }
            (held.errno, held.latency, held.done) = (Some(errno), latency, true);
            return Some(());
        }
        let mut held = match self.slow.remove(&key) {
            Some(held) => held,
            None => {
                self.counts.requests += 1;
                Held {
                    time: self.time(event.time.saturating_sub(latency.unwrap_or(0))),
                    key,
                    op: op(number(&fields.op)?),
                    flags: small(&fields.flags)?,
                    sector,
                    bytes: small(&fields.bytes)?,
                    errno: None,
                    latency: None,
                    command: command(fields.command, event),
                    begin: None,
                    done: true,
                }
            }
        };
        if held.op == Op::ZoneAppend && errno == 0 {
            held.sector = sector;
        }
        (held.errno, held.latency, held.done) = (Some(errno), latency, true);
        self.waiting.push_back(Waiting::Request(held));
        Some(())
    }

    fn delta(&mut self, event: &Event<'_>) -> Option<()> {
        let fields = self.fields.delta.as_ref()?;
        let number = |field: &Field| field.number(event.bytes);
        let small = |field: &Field| number(field).and_then(|number| u32::try_from(number).ok());
        let key = (self.device(&fields.device, event)?, number(&fields.id)?);
        let delta = row::Delta {
            length: small(&fields.length)?,
            offset: small(&fields.offset)?,
            sector: number(&fields.sector)?,
            hits: small(&fields.hits)?,
        };
        self.parts_of(key).deltas.push(delta);
        Some(())
    }

    fn found(&mut self, event: &Event<'_>) -> Option<()> {
        let fields = self.fields.found.as_ref()?;
        let number = |field: &Field| field.number(event.bytes);
        let key = (self.device(&fields.device, event)?, number(&fields.id)?);
        let place = match number(&fields.place)? {
            0 => "page",
            1 => "across",
            2 => "requests",
            3 => "read",
            _ => "",
        };
        let sector = number(&fields.sector)?;
        let byte = u32::try_from(number(&fields.byte)?).ok()?;
        let pattern = text(fields.pattern.text(event.bytes)?);
        let known = self.patterns.iter().position(|known| **known == *pattern);
        let pattern = match known {
            Some(known) => known,
            None if self.patterns.len() < PATTERNS => {
                self.patterns.push(pattern.into());
                self.patterns.len() - 1
            }
            None => PATTERNS,
        };
        self.parts_of(key).matches.push(Found {
            pattern,
            place,
            sector,
            byte,
        });
        Some(())
    }

    /// Where to add a part of a request.
    fn parts_of(&mut self, key: Key) -> &mut Parts {
        if self.parts_held >= PARTS {
            self.parts.clear();
            self.parts_held = 0;
        }
        self.parts_held += 1;
        self.parts.entry(key).or_default()
    }

    fn mark(&mut self, event: &Event<'_>) -> Option<()> {
        let device = self.device(&self.fields.mark.device, event)?;
        let text = text(self.fields.mark.text.text(event.bytes)?).into();
        let time = self.time(event.time);
        self.waiting.push_back(Waiting::Mark(device, time, text));
        Some(())
    }

    fn table(&mut self, event: &Event<'_>) -> Option<()> {
        let device = self.device(&self.fields.table.device, event)?;
        let reason = match self.fields.table.why.number(event.bytes)? {
            0 => "loaded",
            1 => "resumed",
            2 => "changed",
            3 => "reset",
            4 => "suspended",
            5 => "removed",
            _ => "other",
        };
        // The line has spaces between its words, which are escaped.
        let line = self.fields.table.line.text(event.bytes)?;
        let line = String::from_utf8_lossy(line).into();
        let time = self.time(event.time);
        self.waiting
            .push_back(Waiting::Table(device, time, reason, line));
        Some(())
    }

    /// Writes the first rows, up to one that is not complete.
    fn write(&mut self, sink: &mut impl Sink) -> Result<(), Failure> {
        loop {
            match self.waiting.front() {
                Some(Waiting::Request(held)) if !held.done => return Ok(()),
                Some(_) => {}
                None => return Ok(()),
            }
            let Some(first) = self.waiting.pop_front() else {
                return Ok(());
            };
            self.left += 1;
            let (time, device, event) = match &first {
                Waiting::Request(held) => {
                    self.write_request(held, sink)?;
                    continue;
                }
                Waiting::Mark(device, time, text) => (*time, Some(*device), row::Event::Mark(text)),
                Waiting::Table(device, time, reason, line) => {
                    (*time, Some(*device), row::Event::Table { reason, line })
                }
                Waiting::Lost(time, cpu, events) => (
                    *time,
                    None,
                    row::Event::Lost {
                        cpu: Some(*cpu),
                        events: *events,
                    },
                ),
                Waiting::Gone => continue,
            };
            sink.row(
                &Row {
                    time,
                    device,
                    event,
                },
                None,
                None,
            )?;
        }
    }

    /// Makes the first row, which is a request without an end, a slow one.
    fn pass_first(&mut self, sink: &mut impl Sink) -> Result<(), Failure> {
        let Some(first) = self.waiting.front_mut() else {
            return Ok(());
        };
        let Waiting::Request(held) = std::mem::replace(first, Waiting::Gone) else {
            return Ok(());
        };
        // Another request has the same id if the module was loaded again.
        if self.places.get(&held.key) == Some(&self.left) {
            self.places.remove(&held.key);
        }
        if self.slow.len() < SLOW_REQUESTS && !self.slow.contains_key(&held.key) {
            self.slow.insert(held.key, held);
            return Ok(());
        }
        self.write_request(&held, sink)
    }

    fn write_request(&mut self, held: &Held, sink: &mut impl Sink) -> Result<(), Failure> {
        let asked = (self.fields.delta.is_some(), self.fields.found.is_some());
        let parts = match asked {
            (false, false) => None,
            (true, _) | (_, true) => self.parts.remove(&held.key),
        };
        let parts = parts.unwrap_or_default();
        self.parts_held = self
            .parts_held
            .saturating_sub(parts.deltas.len() + parts.matches.len());
        let matches: Vec<_> = parts
            .matches
            .iter()
            .map(|found| row::Match {
                pattern: self.patterns.get(found.pattern).map_or("", |name| &**name),
                place: found.place,
                sector: found.sector,
                byte: found.byte,
            })
            .collect();
        let (device, id) = held.key;
        let row = Row {
            time: held.time,
            device: Some(device),
            event: row::Event::Request(row::Request {
                id,
                op: held.op,
                flags: held.flags,
                sector: held.sector,
                bytes: held.bytes,
                errno: held.errno,
                latency: held.latency,
                command: &escaped(
                    held.command
                        .split(|byte| *byte == 0)
                        .next()
                        .unwrap_or_default(),
                ),
                begin: held.begin,
            }),
        };
        // A list that is not whole is left out.
        let (segments, hits) = held
            .begin
            .map_or((u32::MAX, u32::MAX), |begin| (begin.segments, begin.hits));
        let whole = |asked: bool, have: usize, wanted: u32| {
            asked && u32::try_from(have).is_ok_and(|have| have >= wanted)
        };
        let deltas = match whole(asked.0, parts.deltas.len(), segments) {
            true => Some(parts.deltas.as_slice()),
            false => None,
        };
        let matches = match whole(asked.1, matches.len(), hits) {
            true => Some(matches.as_slice()),
            false => None,
        };
        sink.row(&row, deltas, matches)
    }
}

/// The op of a number.
fn op(number: u64) -> Op {
    let op = u8::try_from(number).ok().and_then(Op::from_code);
    op.unwrap_or(Op::Other)
}

/// The bytes of a name of a task.
fn command(field: Field, event: &Event<'_>) -> [u8; 16] {
    let mut command = [0; 16];
    if let Some(bytes) = field.text(event.bytes) {
        command
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
    }
    command
}

/// The name of a task, escaped.
fn escaped(bytes: &[u8]) -> Cow<'_, str> {
    match bytes.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'#')) {
        true => Cow::Owned(Escaped(bytes).to_string()),
        false => text(bytes),
    }
}

/// A text that the kernel has escaped. If it has bytes that are not plain, it was not the kernel, and they are escaped.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    let plain = bytes.iter().all(|byte| matches!(byte, 0x21..=0x7e));
    match std::str::from_utf8(bytes) {
        Ok(text) if plain => Cow::Borrowed(text),
        Ok(_) | Err(_) => Cow::Owned(Escaped(bytes).to_string()),
    }
}
