// SPDX-License-Identifier: GPL-2.0

//! What a picture shows, counted from the rows of a recording. Its size does not depend on their number.

use super::{
    axis::{
        add,
        Axis,
        Change,
        Groups, //
    },
    class::{
        Class,
        Classes, //
    },
    depth::Depth,
    latency,
    thin::Thin, //
};
use crate::recording::row::{
    Event,
    Request,
    Row, //
};

/// How many bins of time there are. A picture is about 1000 units wide.
const TIMES: usize = 2048;
/// A bin of time is at least about a microsecond wide,
const TIME_LOG: u32 = 10;
/// How many bins of sectors there are.
const PLACES: usize = 256;
/// and a bin of sectors at least 4 KiB.
const PLACE_LOG: u32 = 3;

/// How many requests can be shown one by one.
pub(super) const POINTS: usize = 3000;
/// How many marks, and how many places of matches, are kept.
const MARKS: usize = 2048;
/// How many characters of a mark are kept.
const MARK_LENGTH: usize = 80;

/// A request, to be shown by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// When it reached the target.
    pub(super) time: i64,
    /// Its class.
    pub(super) class: Class,
    /// Its first sector, and the one after its last; none if it has no place.
    pub(super) place: Option<(i64, i64)>,
    /// How long it took, in nanoseconds.
    pub(super) latency: Option<u64>,
}

/// Something to be named on the axis of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// When.
    pub(super) time: i64,
    /// What.
    pub(super) text: String,
}

/// Which part of a recording is counted. Times are in nanoseconds after `origin`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// When the recording began, in nanoseconds since 1970. `None`: with the first row.
    pub(super) origin: Option<i64>,
    /// Where the window begins; `None` for the beginning.
    pub(super) from: Option<i64>,
    /// Where it ends; `None` for the end.
    pub(super) to: Option<i64>,
}

impl Window {
    fn has(&self, time: i64) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

/// What was counted.
pub(super) struct Data {
    window: Window,
    /// The first and the last moment.
    span: (i64, i64),
    /// When the first request began, and when the last one ended.
    active: (i64, i64),
    /// The axis of time: nanoseconds after the beginning of the recording.
    pub(super) time: Axis,
    /// The axis of places: sectors.
    pub(super) place: Axis,
    /// For each bin of time, and in it for each bin of places: sectors of requests that begin then and are there.
    pub(super) map: Classes<Vec<u64>>,
    /// For each bin of time, and in it for each bin of latencies: requests that begin then and take so long.
    pub(super) latency: Classes<Vec<u64>>,
    /// For each bin of time: bytes of requests that end then,
    pub(super) bytes: Classes<Vec<u64>>,
    /// and their number.
    pub(super) ended: Classes<Vec<u64>>,
    /// How many requests are in flight.
    pub(super) depth: Depth,
    /// For each bin of time: rows that say that events were lost.
    pub(super) lost: Vec<u64>,
    /// All requests, if they are few.
    pub(super) points: Option<Vec<Point>>,
    /// Marks, and changes of tables.
    pub(super) marks: Thin<Mark>,
    /// Requests in which patterns were found: when, and the first sector.
    pub(super) found: Thin<(i64, i64)>,
    /// How many occurrences were found.
    pub(super) hits: u64,
    /// How many requests began,
    pub(super) requests: Classes<u64>,
    /// and their bytes.
    pub(super) total: Classes<u64>,
    /// The longest latency.
    pub(super) longest: u64,
    /// How many events were lost, as far as the kernel knows.
    pub(super) lost_events: u64,
}

impl Data {
    /// Nothing is counted yet. `disk` is the first sector, and the one after the last.
    pub(super) fn new(window: Window) -> Self {
        let mut data = Self {
            window,
            span: (i64::MAX, i64::MIN),
            active: (i64::MAX, i64::MIN),
            time: Axis::new(TIMES, TIME_LOG),
            place: Axis::new(PLACES, PLACE_LOG),
            map: Classes::new(|class| vec![0; TIMES * PLACES * usize::from(class.has_place())]),
            latency: Classes::new(|_| vec![0; TIMES * latency::BINS]),
            bytes: Classes::new(|_| vec![0; TIMES]),
            ended: Classes::new(|_| vec![0; TIMES]),
            depth: Depth::new(TIMES),
            lost: vec![0; TIMES],
            points: Some(Vec::new()),
            marks: Thin::new(MARKS),
            found: Thin::new(MARKS),
            hits: 0,
            requests: Classes::default(),
            total: Classes::default(),
            longest: 0,
            lost_events: 0,
        };
        data.fit_time(window.from.unwrap_or(0), window.from.unwrap_or(0));
        if let Some(to) = window.to {
            data.fit_time(to.saturating_sub(1), to.saturating_sub(1));
        }
        data
    }

    /// How long the part of the recording is, in nanoseconds.
    pub(super) fn duration(&self) -> f64 {
        length(self.span)
    }

    /// How long it is from the beginning of the first request to the end of the last, in nanoseconds.
    pub(super) fn active(&self) -> f64 {
        length(self.active)
    }

    /// How long each of these columns is, in nanoseconds. The recording may end within the last one.
    pub(super) fn widths<'a>(&self, columns: &'a Groups) -> impl Iterator<Item = f64> + 'a {
        let last = self.span.1.saturating_add(1);
        let mut start = columns.start;
        (0..columns.len).map(move |_| {
            let end = start.saturating_add(columns.width);
            // A rate over less than a quarter would say little.
            let width = last.min(end).saturating_sub(start).max(columns.width / 4);
            start = end;
            width as f64
        })
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        let ended = self
            .ended
            .iter()
            .all(|(_, ended)| ended.iter().all(|count| *count == 0));
        ended && self.requests.iter().all(|(_, count)| *count == 0)
    }

    /// Makes sure that there are bins for these times.
    fn fit_time(&mut self, low: i64, high: i64) {
        self.span = (self.span.0.min(low), self.span.1.max(high));
        let width = self.time.width();
        let Some(change) = self.time.fit(low, high) else {
            return;
        };
        for map in self.map.iter_mut() {
            change.apply(map, PLACES);
        }
        for map in self.latency.iter_mut() {
            change.apply(map, latency::BINS);
        }
        for counts in self.bytes.iter_mut().chain(self.ended.iter_mut()) {
            change.apply(counts, 1);
        }
        change.apply(&mut self.lost, 1);
        self.depth.change(&change, width);
    }

    /// Makes sure that there are bins for these sectors.
    pub(super) fn fit_place(&mut self, low: i64, high: i64) {
        let Some(change) = self.place.fit(low, high) else {
            return;
        };
        for map in self.map.iter_mut() {
            in_each(map, PLACES, &change);
        }
    }

    /// Counts a row.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let origin = *self.window.origin.get_or_insert(row.time);
        let time = row.time.saturating_sub(origin);
        match row.event {
            Event::Request(request) => self.request(time, &request),
            Event::Mark(text) => self.mark(time, text),
            Event::Table { reason, .. } => self.mark(time, &format!("table {reason}")),
            Event::Lost { events, .. } => self.lost(time, events),
        }
    }

    fn mark(&mut self, time: i64, text: &str) {
        if self.window.has(time) {
            self.fit_time(time, time);
            self.marks.add(|| Mark {
                time,
                text: text.chars().take(MARK_LENGTH).collect(),
            });
        }
    }

    fn lost(&mut self, time: i64, events: Option<u64>) {
        if self.window.has(time) {
            self.fit_time(time, time);
            add(&mut self.lost_events, events.unwrap_or(1));
            if let Some(lost) = self.lost.get_mut(self.time.index(time)) {
                add(lost, 1);
            }
        }
    }

    fn request(&mut self, time: i64, request: &Request<'_>) {
        let latency = request.latency;
        let duration = latency.map_or(0, |latency| i64::try_from(latency).unwrap_or(i64::MAX));
        let end = time.saturating_add(duration);
        self.in_flight(time, end);
        if request.errno.is_some() && self.window.has(end) {
            self.end(end, request);
        }
        if self.window.has(time) {
            self.begin(time, request);
        }
    }

    /// A request was in flight.
    fn in_flight(&mut self, start: i64, end: i64) {
        let start = start.max(self.window.from.unwrap_or(start));
        let end = end.min(self.window.to.map_or(end, |to| to.saturating_sub(1)));
        if start <= end {
            self.fit_time(start, end);
            self.depth.add(&self.time, start, end);
            self.active = (self.active.0.min(start), self.active.1.max(end));
        }
    }

    /// A request ends.
    fn end(&mut self, time: i64, request: &Request<'_>) {
        let (class, bin) = (Class::of(request.op), self.time.index(time));
        if let Some(bytes) = self.bytes.get_mut(class).get_mut(bin) {
            add(bytes, u64::from(request.bytes));
        }
        if let Some(ended) = self.ended.get_mut(class).get_mut(bin) {
            add(ended, 1);
        }
    }

    /// A request begins.
    fn begin(&mut self, time: i64, request: &Request<'_>) {
        let (class, bin) = (Class::of(request.op), self.time.index(time));
        add(self.requests.get_mut(class), 1);
        add(self.total.get_mut(class), u64::from(request.bytes));
        if let Some(latency) = request.latency {
            self.longest = self.longest.max(latency);
            let cell = bin * latency::BINS + latency::index(latency);
            if let Some(count) = self.latency.get_mut(class).get_mut(cell) {
                add(count, 1);
            }
        }

        let place = place(class, request);
        if let Some((first, end)) = place {
            self.fit_place(first, end - 1);
            self.cover(class, bin, first, end);
        }
        let hits = request.begin.map_or(0, |begin| begin.hits);
        if hits > 0 {
            add(&mut self.hits, u64::from(hits));
            self.found
                .add(|| (time, place.map_or(0, |(first, _)| first)));
        }
        if let Some(points) = &mut self.points {
            points.push(Point {
                time,
                class,
                place,
                latency: request.latency,
            });
            if points.len() > POINTS {
                self.points = None;
            }
        }
    }

    /// Counts sectors in the map.
    fn cover(&mut self, class: Class, bin: usize, first: i64, end: i64) {
        let (from, to) = (self.place.index(first), self.place.index(end - 1));
        let row = bin * PLACES;
        let cells = self.map.get_mut(class).get_mut(row + from..=row + to);
        for (index, cell) in (from..).zip(cells.unwrap_or_default()) {
            let low = self.place.start(index);
            let high = low.saturating_add(self.place.width());
            let covered = end.min(high).saturating_sub(first.max(low));
            add(cell, u64::try_from(covered).unwrap_or(0));
        }
    }
}

/// From the first moment to the last, in nanoseconds; never 0.
fn length((first, last): (i64, i64)) -> f64 {
    last.saturating_sub(first).max(1) as f64
}

/// The first sector of a request, and the one after its last.
fn place(class: Class, request: &Request<'_>) -> Option<(i64, i64)> {
    let sectors = i64::from(request.bytes.div_ceil(512));
    if !class.has_place() || sectors == 0 {
        return None;
    }
    // No disk is as large. So no sum overflows.
    let first = i64::try_from(request.sector)
        .unwrap_or(i64::MAX)
        .min(1 << 54);
    Some((first, first + sectors))
}

/// Moves the counts of bins of places, for each bin of time.
fn in_each(cells: &mut [u64], each: usize, change: &Change) {
    for row in cells.chunks_mut(each) {
        if row.iter().any(|count| *count > 0) {
            let mut moved = row.to_vec();
            change.apply(&mut moved, 1);
            row.copy_from_slice(&moved);
        }
    }
}
