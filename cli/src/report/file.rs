// SPDX-License-Identifier: GPL-2.0

//! The report of a recording.

use super::{
    device::{
        DeviceSummary,
        Statistics, //
    },
    notes::{
        Loss,
        Mark,
        Notes,
        TableChange, //
    },
    order::{
        Late,
        Timed, //
    },
};
use crate::{
    failure::Failure,
    period::Period,
    recording::{
        head::{
            Device,
            Head, //
        },
        reader::{
            Batch,
            Reader, //
        },
        row::{
            Event,
            Row, //
        },
    },
};
use serde::Serialize;
use std::path::Path;

/// The memory for the bits of sectors, of all devices together.
const MEMORY: usize = 80 << 20;

/// How many devices are reported on at a time.
const DEVICES: usize = 64;

/// What is asked for.
pub(crate) struct Question<'a> {
    /// The name of a device; without one, all.
    pub(crate) device: Option<&'a str>,
    /// When.
    pub(crate) period: Period,
}

/// What is known of a recording as a whole.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    /// The version of its format.
    pub(crate) version: u32,
    /// What made it.
    pub(crate) made_by: String,
    /// The machine,
    pub(crate) host: String,
    /// its kernel,
    pub(crate) kernel: String,
    /// and the number of its CPUs.
    pub(crate) cpus: u32,
    /// When it began, in nanoseconds since 1970.
    pub(crate) began_ns: i64,
    /// The command that was recorded.
    pub(crate) command: Vec<String>,
}

/// The results for a recording.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) recording: About,
    /// What was asked for, in nanoseconds from the beginning of the recording.
    pub(crate) from_ns: Option<u64>,
    pub(crate) to_ns: Option<u64>,
    /// Whether the whole file could be read.
    pub(crate) whole: bool,
    /// Slow requests that are left out of `sequential`, `arrival_ns`, `depth` and `epochs`, because there are too many.
    pub(crate) left_out: u64,
    #[serde(flatten)]
    pub(crate) notes: Notes,
    /// Each device.
    pub(crate) devices: Vec<DeviceSummary>,
}

/// The statistics of the devices, by their index.
#[derive(Default)]
struct Devices(Vec<Option<Box<Statistics>>>);

impl Devices {
    /// Those of a device. They are made when they are needed.
    fn get(&mut self, index: Option<u8>, head: &Head) -> Result<&mut Statistics, Failure> {
        // A row without a device has no name either: only a forged recording has one.
        let index = usize::from(index.unwrap_or(u8::MAX));
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        let number = self.0.iter().flatten().count();
        let too_many = || {
            Failure::new(format_args!(
                "the recording has more than {DEVICES} devices"
            ))
            .next("Choose one of them: --device NAME")
        };
        let slot = self.0.get_mut(index).ok_or_else(too_many)?;
        if slot.is_none() && number >= DEVICES {
            return Err(too_many());
        }
        Ok(slot.get_or_insert_with(|| {
            let device = head.devices.get(index);
            // If the head is broken, it is not known how many devices there are.
            let share = match device.is_some() && head.version > 0 {
                true => head.devices.len().clamp(1, DEVICES),
                false => DEVICES,
            };
            let block_size = device.map_or(0, |device| device.block_size);
            Box::new(Statistics::new(block_size, MEMORY / share))
        }))
    }
}

/// Reads a recording and makes its report. If the recording is not whole, there is also a failure. `progress` gets
/// the place in the file; it begins anew if the file is read a second time.
pub(crate) fn report(
    path: &Path,
    question: &Question<'_>,
    mut progress: impl FnMut(u64),
) -> Result<(Report, Option<Failure>), Failure> {
    let mut reader = Reader::open(path)?;
    if let Some(name) = question.device {
        if reader.head().version > 0 {
            known(name, &reader.head().devices)?;
        }
    }
    let mut devices = Devices::default();
    let mut notes = Notes::default();
    let mut late = Late::default();
    let (mut rows, mut began) = (0, None);

    while let Some(batch) = reader.next_batch()? {
        progress(reader.at());
        let head = reader.head();
        for index in 0..batch.len() {
            rows += 1;
            let Some(row) = batch.row(index) else {
                continue;
            };
            let began = *began.get_or_insert(match head.began {
                0 => row.time,
                began => began,
            });
            if !question.asks(&row, head, began) {
                continue;
            }
            let Event::Request(request) = row.event else {
                note(&mut notes, &row, head, began);
                continue;
            };
            let timed = Timed::new(row.device, row.time, &request);
            let statistics = devices.get(row.device, head)?;
            statistics.add(row.time, &request, batch.matches(index));
            match late.in_place(row.time) {
                true => statistics.add_in_order(&timed),
                false => late.keep(timed),
            }
        }
    }
    let (late, left_out) = late.into_rows();
    if !late.is_empty() {
        again(
            path,
            question,
            rows,
            began.unwrap_or_default(),
            late,
            &mut devices,
            &mut progress,
        )?;
    }
    let head = reader.head().clone();
    if let Some(name) = question.device {
        known(name, &head.devices)?;
    }
    let failure = reader.finish().err();
    let report = Report {
        recording: About {
            version: head.version,
            made_by: head.made_by,
            host: head.host,
            kernel: head.kernel,
            cpus: head.cpus,
            began_ns: began.unwrap_or(head.began),
            command: head.command,
        },
        from_ns: question.period.from,
        to_ns: question.period.to,
        whole: failure.is_none(),
        left_out,
        notes,
        devices: summaries(devices, head.devices, question),
    };
    Ok((report, failure))
}

/// The summaries of the devices: of those that were asked for, also if they had no request.
fn summaries(
    statistics: Devices,
    mut devices: Vec<Device>,
    question: &Question<'_>,
) -> Vec<DeviceSummary> {
    let mut statistics = statistics.0;
    if devices.len() < statistics.len() {
        devices.resize_with(statistics.len(), Device::default);
    }
    statistics.resize_with(devices.len(), || None);
    statistics
        .into_iter()
        .zip(devices)
        .filter(|(statistics, device)| {
            statistics.is_some()
                || match question.device {
                    Some(name) => device.name == name,
                    None => !device.name.is_empty(),
                }
        })
        .map(|(statistics, device)| match statistics {
            Some(statistics) => statistics.summary(device),
            None => Statistics::new(device.block_size, 0).summary(device),
        })
        .collect()
}

/// Fails if there is no such device.
fn known(name: &str, devices: &[Device]) -> Result<(), Failure> {
    if devices.iter().any(|device| device.name == name) {
        return Ok(());
    }
    let failure = Failure::new(format_args!("the recording has no device {name}"));
    let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
    Err(match names.is_empty() {
        true => failure.next("It has no device at all."),
        false => failure.next(format_args!("It has: {}", names.join(", "))),
    })
}

/// Reads the rows a second time, with the late ones in their places.
fn again(
    path: &Path,
    question: &Question<'_>,
    rows: u64,
    began: i64,
    late: Vec<Timed>,
    devices: &mut Devices,
    mut progress: impl FnMut(u64),
) -> Result<(), Failure> {
    for statistics in devices.0.iter_mut().flatten() {
        statistics.restart_order();
    }
    let mut reader = Reader::open(path)?;
    let mut late = late.into_iter().peekable();
    let mut order = Late::default();
    let mut left = rows;

    while let Some(batch) = reader.next_batch()? {
        progress(reader.at());
        let head = reader.head();
        for index in 0..batch.len() {
            // The file may have grown.
            if left == 0 {
                break;
            }
            left -= 1;
            let Some((row, request)) = request(&batch, index) else {
                continue;
            };
            if !question.asks(&row, head, began) || !order.in_place(row.time) {
                continue;
            }
            while let Some(timed) = late.next_if(|timed| timed.begin <= row.time) {
                devices.get(timed.device, head)?.add_in_order(&timed);
            }
            devices
                .get(row.device, head)?
                .add_in_order(&Timed::new(row.device, row.time, &request));
        }
    }
    for timed in late {
        devices
            .get(timed.device, reader.head())?
            .add_in_order(&timed);
    }
    Ok(())
}

/// The request of a row.
fn request(batch: &Batch, index: usize) -> Option<(Row<'_>, crate::recording::row::Request<'_>)> {
    let row = batch.row(index)?;
    match row.event {
        Event::Request(request) => Some((row, request)),
        Event::Mark(_) | Event::Table { .. } | Event::Lost { .. } => None,
    }
}

/// The name of the device of a row.
fn name<'a>(row: &Row<'_>, head: &'a Head) -> Option<&'a str> {
    let device = head.devices.get(usize::from(row.device?))?;
    Some(&device.name)
}

impl Question<'_> {
    /// Whether this row is asked for. A row about no device concerns all.
    fn asks(&self, row: &Row<'_>, head: &Head, began: i64) -> bool {
        let device = match (self.device, name(row, head)) {
            (Some(asked), Some(name)) => asked == name,
            (Some(_), None) => row.device.is_none(),
            (None, Some(_) | None) => true,
        };
        device && self.period.contains(began, row.time)
    }
}

fn note(notes: &mut Notes, row: &Row<'_>, head: &Head, began: i64) {
    let at_ns = row.time.saturating_sub(began);
    let device = || name(row, head).map(str::to_owned);
    match row.event {
        Event::Request(_) => {}
        Event::Mark(text) => notes.marks.add(|| Mark {
            at_ns,
            device: device(),
            text: text.to_owned(),
        }),
        Event::Table { reason, line } => notes.tables.add(|| TableChange {
            at_ns,
            device: device(),
            reason: reason.to_owned(),
            line: line.to_owned(),
        }),
        Event::Lost { cpu, events } => notes.losses.add(Loss { at_ns, cpu, events }),
    }
}
