// SPDX-License-Identifier: GPL-2.0

//! Trace events, counted. Only `complete` and `match` are listened to: what is shown needs no more, and each event costs.

use super::{
    figures::Watched,
    window::{
        Completion,
        DeviceIndex,
        Window, //
    },
};
use crate::{
    disk::Number,
    failure::Failure,
    target::Target,
    trace::{
        Event,
        Instance, //
    }, //
};
use imgrement_core::{
    record::Op,
    ring::layout::Field, //
};
use std::collections::HashMap;

/// The kinds of events, in the order of these constants.
const KINDS: [&str; 2] = ["complete", "match"];
const COMPLETE: usize = 0;

/// The fields that are read.
struct Fields {
    device: Field,
    op: Field,
    sector: Field,
    bytes: Field,
    errno: Field,
    latency: Field,
    command: Field,
    match_device: Field,
    match_pattern: Field,
}

impl Fields {
    fn find(instance: &Instance) -> Result<Self, Failure> {
        let field = |kind: usize, name: &str| match instance.kind(kind) {
            Some(kind) => kind.field(name),
            None => Err(Failure::new("an event is missing")),
        };
        Ok(Self {
            device: field(COMPLETE, "dev")?,
            op: field(COMPLETE, "op")?,
            sector: field(COMPLETE, "sector")?,
            bytes: field(COMPLETE, "bytes")?,
            errno: field(COMPLETE, "errno")?,
            latency: field(COMPLETE, "latency")?,
            command: field(COMPLETE, "command")?,
            match_device: field(1, "dev")?,
            match_pattern: field(1, "pattern")?,
        })
    }

    /// A `complete` event; `None` if it is too short.
    fn completion(&self, time: u64, device: DeviceIndex, bytes: &[u8]) -> Option<Completion> {
        let number = |field: &Field| field.number(bytes);
        let op = u8::try_from(number(&self.op)?).ok()?;
        let mut command = [0; 16];
        let name = self.command.text(bytes)?.iter().take(command.len());
        for (to, from) in command.iter_mut().zip(name) {
            *to = *from;
        }
        Some(Completion {
            time,
            device,
            op: Op::from_code(op).unwrap_or(Op::Other),
            sector: number(&self.sector)?,
            bytes: number(&self.bytes)?,
            failed: number(&self.errno)? != 0,
            latency: number(&self.latency).filter(|latency| *latency > 0),
            command,
        })
    }
}

/// The devices that are watched. Those that were removed stay, so that their figures keep their name.
struct Devices {
    all: Vec<(Number, Watched)>,
    /// By the number in events. A number may be used again after a removal.
    index: HashMap<u64, DeviceIndex>,
}

impl Devices {
    fn add(&mut self, number: Number, name: String) {
        let Ok(index) = DeviceIndex::try_from(self.all.len()) else {
            return;
        };
        self.index.insert(number.to_event(), index);
        self.all.push((
            number,
            Watched {
                name,
                ..Watched::default()
            },
        ));
    }
}

/// Where events come from.
pub(super) struct Source {
    instance: Instance,
    fields: Fields,
    devices: Devices,
    lost: u64,
}

impl Source {
    /// Listens from now on: to these targets, or to all that come if `follow`.
    pub(super) fn new(targets: &[Target], follow: bool) -> Result<Self, Failure> {
        let mut devices = Devices {
            all: Vec::new(),
            index: HashMap::new(),
        };
        for target in targets {
            // A device may have several targets.
            if !devices.index.contains_key(&target.device.number.to_event()) {
                devices.add(target.device.number, target.device.name.clone());
            }
        }
        let numbers: Vec<Number> = match follow {
            true => Vec::new(),
            false => devices.all.iter().map(|(number, _)| *number).collect(),
        };
        let instance = Instance::new(&numbers, &KINDS)?;
        let fields = Fields::find(&instance)?;
        Ok(Self {
            instance,
            fields,
            devices,
            lost: 0,
        })
    }

    /// Counts what has happened up to now.
    pub(super) fn read(&mut self, now: u64, window: &mut Window) -> Result<(), Failure> {
        let Self {
            instance,
            fields,
            devices,
            ..
        } = self;
        instance.each(
            |Event {
                 time, kind, bytes, ..
             }| {
                let device = match kind {
                    COMPLETE => &fields.device,
                    _ => &fields.match_device,
                };
                let Some(number) = device.number(bytes) else {
                    return;
                };
                let Some(device) = devices.index.get(&number).copied() else {
                    return;
                };
                if kind == COMPLETE {
                    if let Some(completion) = fields.completion(time, device, bytes) {
                        window.completed(&completion);
                    }
                } else if let Some(pattern) = fields.match_pattern.text(bytes) {
                    window.found(time, device, pattern);
                }
            },
        )?;
        let lost = self.instance.lost;
        window.lost(now, lost.saturating_sub(self.lost));
        self.lost = lost;
        Ok(())
    }

    /// Looks for devices that have been removed or renamed, and how many requests are in flight.
    pub(super) fn look(&mut self) {
        for (number, watched) in &mut self.devices.all {
            if watched.removed {
                continue;
            }
            match number.attribute("dm/name") {
                Some(name) => watched.name = name,
                None => watched.removed = true,
            }
            let inflight = number.attribute("inflight");
            watched.in_flight = inflight.map(|text| {
                let words = text.split_whitespace();
                words.filter_map(|word| word.parse::<u64>().ok()).sum()
            });
        }
    }

    /// Adds targets that were not there at first.
    pub(super) fn follow(&mut self, targets: &[Target]) {
        for target in targets {
            let number = target.device.number;
            let known = self.devices.index.get(&number.to_event());
            let known = known.and_then(|index| self.devices.all.get(usize::from(*index)));
            if known.is_none_or(|(_, watched)| watched.removed) {
                self.devices.add(number, target.device.name.clone());
            }
        }
    }

    /// The devices, in the order of their indices.
    pub(super) fn watched(&self) -> Vec<Watched> {
        let all = self.devices.all.iter();
        all.map(|(_, watched)| watched.clone()).collect()
    }
}
