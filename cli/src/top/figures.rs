// SPDX-License-Identifier: GPL-2.0

//! Lists of figures: sorted, filtered, and per second.

use super::{
    view::{
        Filter,
        Order,
        View, //
    },
    window::{
        Amount,
        Cell,
        Command,
        DeviceIndex,
        Totals,
        RANGE, //
    },
};
use crate::report::spread::Summary;
use imgrement_core::record::Op;
use std::{
    cmp::Ordering,
    collections::{
        BTreeMap,
        HashMap, //
    },
    hash::Hash,
};

/// How many tasks or ranges are listed.
const LISTED: usize = 500;

/// A device that is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    pub(super) name: String,
    /// How many of its requests are in flight, if the kernel says that.
    pub(super) in_flight: Option<u64>,
    /// It has been removed.
    pub(super) removed: bool,
}

/// What the requests of a device, or of an op, were like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    /// Per second.
    pub(super) requests: f64,
    pub(super) bytes_read: f64,
    pub(super) bytes_written: f64,
    pub(super) bytes: f64,
    /// The mean size of a request, in bytes.
    pub(super) size: f64,
    /// How many were in flight at a time, on average.
    pub(super) depth: f64,
    /// How many are in flight now.
    pub(super) in_flight: Option<u64>,
    /// In nanoseconds.
    pub(super) latency: Summary,
    /// How many failed in the interval.
    pub(super) failed: u64,
    /// How many occurrences of patterns there were in the interval.
    pub(super) found: u64,
    pub(super) removed: bool,
}

/// What belongs to a task or a range.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    /// The device, if several are watched.
    pub(super) device: String,
    /// Its first sector, if it is a range.
    pub(super) sector: u64,
    /// Per second.
    pub(super) requests: f64,
    pub(super) bytes: f64,
    /// The share of all requests, from 0 to 1.
    pub(super) share: f64,
    /// The mean, in nanoseconds.
    pub(super) latency: f64,
}

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) device: String,
    /// Occurrences in the interval, and since the beginning.
    pub(super) found: u64,
    pub(super) found_ever: u64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// The length of the interval.
    pub(super) seconds: f64,
    /// Requests per second, of all devices.
    pub(super) requests: f64,
    /// Events that the kernel dropped: in the interval, and since the beginning.
    pub(super) lost: u64,
    pub(super) lost_ever: u64,
    pub(super) ops: Vec<Row>,
    pub(super) devices: Vec<Row>,
    pub(super) commands: Vec<Part>,
    pub(super) ranges: Vec<Part>,
    pub(super) found: Vec<Found>,
}

impl Figures {
    /// What a person wants to see of what happened.
    pub(super) fn new(totals: &Totals, watched: &[Watched], view: &View) -> Self {
        let wanted = Wanted::new(watched, &view.filter);
        let seconds = totals.seconds;
        let all = wanted.sum(&totals.cells, |_, _| ());
        let requests = all.get(&()).map_or(0, |cell| cell.amount.requests);

        let ops = wanted.sum(&totals.cells, |_, op| op);
        let ops = ops
            .into_iter()
            .map(|(op, cell)| row(op_name(op), &cell, seconds))
            .collect();

        let mut devices = wanted.devices(totals, seconds);
        sort(&mut devices, view, |row| {
            (row.requests, row.bytes, row.latency.mean, &row.name)
        });

        let commands = wanted.parts(&totals.commands, |_, command| command);
        let commands = first(commands, view)
            .into_iter()
            .map(|(command, amount)| Part {
                name: command_name(command),
                ..part(&amount, seconds, requests)
            });
        let ranges = wanted.parts(&totals.ranges, |device, range| (device, range));
        let ranges = first(ranges, view)
            .into_iter()
            .map(|((device, range), amount)| Part {
                device: wanted.shown(device),
                sector: range.saturating_mul(RANGE),
                ..part(&amount, seconds, requests)
            });

        Self {
            seconds,
            requests: per_second(requests, seconds),
            lost: totals.lost,
            lost_ever: totals.lost_ever,
            ops,
            devices,
            commands: commands.collect(),
            ranges: ranges.collect(),
            found: wanted.found(totals),
        }
    }
}

/// What is left by a filter.
struct Wanted<'a> {
    watched: &'a [Watched],
    filter: &'a Filter,
}

impl<'a> Wanted<'a> {
    fn new(watched: &'a [Watched], filter: &'a Filter) -> Self {
        Self { watched, filter }
    }

    fn device(&self, device: DeviceIndex) -> Option<&'a Watched> {
        let watched = self.watched.get(usize::from(device));
        watched.filter(|watched| watched.name.contains(&self.filter.text))
    }

    fn has(&self, device: DeviceIndex, op: u8) -> bool {
        self.device(device).is_some() && self.filter.op.is_none_or(|wanted| wanted as u8 == op)
    }

    /// The name of a device, if it is not the only one.
    fn shown(&self, device: DeviceIndex) -> String {
        match self.device(device) {
            Some(watched) if self.watched.len() > 1 => watched.name.clone(),
            Some(_) | None => String::new(),
        }
    }

    /// Sums of the cells, by what `key` makes of the device and the op.
    fn sum<K: Ord>(
        &self,
        cells: &HashMap<(DeviceIndex, u8), Cell>,
        key: impl Fn(DeviceIndex, u8) -> K,
    ) -> BTreeMap<K, Cell> {
        let mut sums = BTreeMap::new();
        for ((device, op), cell) in cells {
            if self.has(*device, *op) {
                let sum: &mut Cell = sums.entry(key(*device, *op)).or_default();
                sum.join(cell);
            }
        }
        sums
    }

    /// The same for what belongs to tasks or ranges.
    fn parts<T: Copy, K: Hash + Eq>(
        &self,
        all: &HashMap<(DeviceIndex, u8, T), Amount>,
        key: impl Fn(DeviceIndex, T) -> K,
    ) -> HashMap<K, Amount> {
        let mut sums = HashMap::new();
        for ((device, op, which), amount) in all {
            if self.has(*device, *op) {
                let sum: &mut Amount = sums.entry(key(*device, *which)).or_default();
                sum.add(amount);
            }
        }
        sums
    }

    fn devices(&self, totals: &Totals, seconds: f64) -> Vec<Row> {
        let mut sums = self.sum(&totals.cells, |device, _| device);
        let read = |device: DeviceIndex, wanted: Op| {
            let cell = totals.cells.get(&(device, wanted as u8));
            let cell = cell.filter(|_| self.has(device, wanted as u8));
            per_second(cell.map_or(0, |cell| cell.amount.bytes), seconds)
        };
        let mut rows = Vec::new();
        for device in 0..=DeviceIndex::MAX {
            if usize::from(device) >= self.watched.len() {
                break;
            }
            let Some(watched) = self.device(device) else {
                continue;
            };
            let cell = sums.remove(&device).unwrap_or_default();
            // One that is gone stays as long as the interval has something of it.
            if watched.removed && cell.amount.requests == 0 {
                continue;
            }
            let found = totals
                .found
                .iter()
                .filter(|((other, _), _)| *other == device);
            rows.push(Row {
                bytes_read: read(device, Op::Read),
                bytes_written: read(device, Op::Write) + read(device, Op::ZoneAppend),
                in_flight: watched.in_flight,
                found: found.map(|(_, count)| count).sum(),
                removed: watched.removed,
                ..row(watched.name.clone(), &cell, seconds)
            });
        }
        rows
    }

    /// The most frequent first.
    fn found(&self, totals: &Totals) -> Vec<Found> {
        let mut found: Vec<_> = totals
            .found_ever
            .iter()
            .filter(|((device, _), _)| self.device(*device).is_some())
            .map(|(key, found_ever)| Found {
                name: String::from_utf8_lossy(&key.1).into_owned(),
                device: self.shown(key.0),
                found: totals.found.get(key).copied().unwrap_or(0),
                found_ever: *found_ever,
            })
            .collect();
        found.sort_by(|one, other| {
            let key = |found: &Found| (found.found, found.found_ever);
            key(other)
                .cmp(&key(one))
                .then_with(|| one.name.cmp(&other.name))
        });
        found
    }
}

/// The first of what was counted, in the order of the view. Nobody looks through more, and there may be thousands.
fn first<K: Ord + Copy>(sums: HashMap<K, Amount>, view: &View) -> Vec<(K, Amount)> {
    let mut sums: Vec<_> = sums.into_iter().collect();
    sort(&mut sums, view, |(key, amount)| {
        let latency = ratio(amount.latency, amount.timed);
        (amount.requests as f64, amount.bytes as f64, latency, key)
    });
    sums.truncate(LISTED);
    sums
}

fn part(amount: &Amount, seconds: f64, all: u64) -> Part {
    Part {
        requests: per_second(amount.requests, seconds),
        bytes: per_second(amount.bytes, seconds),
        share: ratio(amount.requests, all),
        latency: ratio(amount.latency, amount.timed),
        ..Part::default()
    }
}

fn row(name: String, cell: &Cell, seconds: f64) -> Row {
    let amount = &cell.amount;
    Row {
        name,
        requests: per_second(amount.requests, seconds),
        bytes: per_second(amount.bytes, seconds),
        size: ratio(amount.bytes, amount.requests),
        // Little's law.
        depth: per_second(amount.latency, seconds) / 1e9,
        latency: cell.latencies.summary(),
        failed: cell.failed,
        ..Row::default()
    }
}

/// Sorts a list as the view wants it; what is equal, by name.
fn sort<T, N: Ord>(list: &mut [T], view: &View, figures: impl Fn(&T) -> (f64, f64, f64, &N)) {
    list.sort_by(|one, other| {
        let (one, other) = (figures(one), figures(other));
        let by_name = one.3.cmp(other.3);
        let order = match view.order {
            Order::Requests => other.0.total_cmp(&one.0),
            Order::Bytes => other.1.total_cmp(&one.1),
            Order::Latency => other.2.total_cmp(&one.2),
            Order::Name => by_name,
        };
        let order = match view.reversed {
            true => order.reverse(),
            false => order,
        };
        match order {
            Ordering::Equal => by_name,
            Ordering::Less | Ordering::Greater => order,
        }
    });
}

fn op_name(op: u8) -> String {
    let op = Op::from_code(op).unwrap_or(Op::Other);
    crate::recording::row::op_name(op).to_owned()
}

/// The name of a task; what is not printable is escaped.
fn command_name(command: Command) -> String {
    let name = command.split(|byte| *byte == 0).next().unwrap_or_default();
    imgrement_core::bytes::word::Escaped(name).to_string()
}

fn per_second(number: u64, seconds: f64) -> f64 {
    match seconds > 0.0 {
        true => number as f64 / seconds,
        false => 0.0,
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}
