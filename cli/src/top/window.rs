// SPDX-License-Identifier: GPL-2.0

//! What happened in the last interval. It is counted in slices of time, and the oldest slice is dropped when a new one
//! begins. No request is kept.

use crate::report::{
    frequent::Frequent,
    spread::Spread, //
};
use imgrement_core::record::Op;
use std::{
    collections::{
        HashMap,
        VecDeque, //
    },
    hash::Hash,
};

/// The size of a range, in sectors of 512 bytes: 1 MiB.
pub(super) const RANGE: u64 = 2048;

/// How many different ranges, tasks or patterns a slice counts exactly. If there are more, the rarest are left out.
const DIFFERENT: usize = 4096;

/// The index of a device in the list of those that are watched.
pub(super) type DeviceIndex = u16;

/// The name of a task, with NULs at its end.
pub(super) type Command = [u8; 16];

/// A request that has completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completion {
    /// When, in nanoseconds.
    pub(super) time: u64,
    pub(super) device: DeviceIndex,
    pub(super) op: Op,
    /// Its first sector.
    pub(super) sector: u64,
    pub(super) bytes: u64,
    pub(super) failed: bool,
    /// In nanoseconds, if it is known.
    pub(super) latency: Option<u64>,
    /// The task that sent it.
    pub(super) command: Command,
}

/// How much there was of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) requests: u64,
    pub(super) bytes: u64,
    /// The sum of the latencies, in nanoseconds, and of how many requests.
    pub(super) latency: u64,
    pub(super) timed: u64,
}

impl Amount {
    fn of(completion: &Completion) -> Self {
        Self {
            requests: 1,
            bytes: completion.bytes,
            latency: completion.latency.unwrap_or(0),
            timed: u64::from(completion.latency.is_some()),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.latency = self.latency.saturating_add(other.latency);
        self.timed = self.timed.saturating_add(other.timed);
    }
}

/// The requests of one op to one device.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) amount: Amount,
    pub(super) failed: u64,
    pub(super) latencies: Spread,
}

impl Cell {
    pub(super) fn join(&mut self, other: &Self) {
        self.amount.add(&other.amount);
        self.failed = self.failed.saturating_add(other.failed);
        self.latencies.join(&other.latencies);
    }
}

/// The device and the op, and what else is told apart.
pub(super) type Key<T> = (DeviceIndex, u8, T);

/// What happened in some time.
#[derive(Default)]
pub(super) struct Totals {
    /// How long that is, in seconds.
    pub(super) seconds: f64,
    pub(super) cells: HashMap<(DeviceIndex, u8), Cell>,
    /// By the number of the range.
    pub(super) ranges: HashMap<Key<u64>, Amount>,
    pub(super) commands: HashMap<Key<Command>, Amount>,
    /// Occurrences of patterns, by the device and the name.
    pub(super) found: HashMap<(DeviceIndex, Vec<u8>), u64>,
    /// The same since the beginning.
    pub(super) found_ever: HashMap<(DeviceIndex, Vec<u8>), u64>,
    /// Events that the kernel dropped, and all since the beginning.
    pub(super) lost: u64,
    pub(super) lost_ever: u64,
}

/// A slice of time.
struct Slice {
    number: u64,
    cells: HashMap<(DeviceIndex, u8), Cell>,
    ranges: Frequent<Key<u64>, Amount>,
    commands: Frequent<Key<Command>, Amount>,
    found: Frequent<Vec<u8>, ()>,
    lost: u64,
}

impl Slice {
    fn new(number: u64) -> Self {
        Self {
            number,
            cells: HashMap::new(),
            ranges: Frequent::new(DIFFERENT),
            commands: Frequent::new(DIFFERENT),
            found: Frequent::new(DIFFERENT),
            lost: 0,
        }
    }
}

/// The last interval.
pub(super) struct Window {
    /// When it all began, in nanoseconds.
    began: u64,
    /// The length of a slice, in nanoseconds.
    slice: u64,
    /// How many slices the interval has.
    number: u64,
    /// The oldest first.
    slices: VecDeque<Slice>,
    found_ever: Frequent<Vec<u8>, ()>,
    lost_ever: u64,
    /// The key of a pattern, to look it up without an allocation.
    scratch: Vec<u8>,
}

impl Window {
    /// Of `number` slices of `slice` nanoseconds. It begins at `began`.
    pub(super) fn new(began: u64, slice: u64, number: u64) -> Self {
        Self {
            began,
            slice: slice.max(1),
            number: number.max(1),
            slices: VecDeque::new(),
            found_ever: Frequent::new(DIFFERENT),
            lost_ever: 0,
            scratch: Vec::new(),
        }
    }

    /// The number of the slice of a time.
    fn number_at(&self, time: u64) -> u64 {
        time.saturating_sub(self.began) / self.slice
    }

    /// When the slice after that of `time` begins.
    pub(super) fn next(&self, time: u64) -> u64 {
        let next = self.number_at(time).saturating_add(1);
        self.began.saturating_add(next.saturating_mul(self.slice))
    }

    /// The slice for this time; `None` if it is over for long.
    fn slice_at(&mut self, time: u64) -> Option<&mut Slice> {
        let number = self.number_at(time);
        // Events of different CPUs come in any order, so an older slice may be needed, too.
        let place = self.slices.partition_point(|slice| slice.number < number);
        if self
            .slices
            .get(place)
            .is_none_or(|slice| slice.number != number)
        {
            let last = self.slices.back().map_or(number, |slice| slice.number);
            // One more than the interval has: the one that is not over yet.
            if last.saturating_sub(number) > self.number {
                return None;
            }
            self.slices.insert(place, Slice::new(number));
            let oldest = last.max(number).saturating_sub(self.number);
            let old = self.slices.partition_point(|slice| slice.number < oldest);
            self.slices.drain(..old);
            return self.slices.get_mut(place.saturating_sub(old));
        }
        self.slices.get_mut(place)
    }

    /// Counts a request.
    pub(super) fn completed(&mut self, completion: &Completion) {
        let Some(slice) = self.slice_at(completion.time) else {
            return;
        };
        let (device, op) = (completion.device, completion.op as u8);
        let amount = Amount::of(completion);
        let cell = slice.cells.entry((device, op)).or_default();
        cell.amount.add(&amount);
        cell.failed = cell.failed.saturating_add(u64::from(completion.failed));
        if let Some(latency) = completion.latency {
            cell.latencies.add(latency);
        }
        // A flush has no place.
        if completion.bytes > 0 {
            let range = (device, op, completion.sector / RANGE);
            slice.ranges.add(&range, 1, |sum| sum.add(&amount));
        }
        let command = (device, op, completion.command);
        slice.commands.add(&command, 1, |sum| sum.add(&amount));
    }

    /// Counts an occurrence of a pattern.
    pub(super) fn found(&mut self, time: u64, device: DeviceIndex, pattern: &[u8]) {
        let mut key = std::mem::take(&mut self.scratch);
        key.clear();
        key.extend_from_slice(&device.to_ne_bytes());
        key.extend_from_slice(pattern);
        self.found_ever.add(key.as_slice(), 1, |()| {});
        if let Some(slice) = self.slice_at(time) {
            slice.found.add(key.as_slice(), 1, |()| {});
        }
        self.scratch = key;
    }

    /// Counts events that the kernel dropped. It says no time, so they belong to the time when that was noticed.
    pub(super) fn lost(&mut self, time: u64, events: u64) {
        if events == 0 {
            return;
        }
        self.lost_ever = self.lost_ever.saturating_add(events);
        if let Some(slice) = self.slice_at(time) {
            slice.lost = slice.lost.saturating_add(events);
        }
    }

    /// What happened in the slices of the interval that are over at `now`.
    pub(super) fn totals(&self, now: u64) -> Totals {
        let end = self.number_at(now);
        let first = end.saturating_sub(self.number);
        let mut totals = Totals {
            seconds: (end.saturating_sub(first)) as f64 * self.slice as f64 / 1e9,
            found_ever: patterns(&self.found_ever),
            lost_ever: self.lost_ever,
            ..Totals::default()
        };
        let inside = |slice: &&Slice| (first..end).contains(&slice.number);
        for slice in self.slices.iter().filter(inside) {
            for (key, cell) in &slice.cells {
                totals.cells.entry(*key).or_default().join(cell);
            }
            join(&mut totals.ranges, &slice.ranges);
            join(&mut totals.commands, &slice.commands);
            for (key, count) in patterns(&slice.found) {
                let sum = totals.found.entry(key).or_default();
                *sum = sum.saturating_add(count);
            }
            totals.lost = totals.lost.saturating_add(slice.lost);
        }
        totals
    }
}

/// Adds what is known of each key.
fn join<T: Copy + Hash + Ord>(sums: &mut HashMap<Key<T>, Amount>, part: &Frequent<Key<T>, Amount>) {
    for (key, _, amount) in part.top(usize::MAX) {
        sums.entry(key).or_default().add(&amount);
    }
}

/// Occurrences by device and pattern.
fn patterns(found: &Frequent<Vec<u8>, ()>) -> HashMap<(DeviceIndex, Vec<u8>), u64> {
    let keys = found.top(usize::MAX).into_iter();
    keys.filter_map(|(key, count, ())| {
        let (device, name) = key.split_first_chunk()?;
        Some(((DeviceIndex::from_ne_bytes(*device), name.to_vec()), count))
    })
    .collect()
}
