// SPDX-License-Identifier: GPL-2.0

//! Pictures of recordings: where on the disk requests are, throughput, requests a second, latencies, and requests in
//! flight, over one axis of time.
//!
//! A recording is read once. `data` counts its rows in a fixed number of bins (`axis`), so memory does not grow with the
//! recording. `picture` draws them as SVG, one panel for each question (`map`, `rates`, `latencies`), and `png` makes
//! pixels of that.

mod axis;
mod canvas;
mod class;
mod data;
mod depth;
mod frame;
mod heat;
mod latencies;
mod latency;
mod map;
mod picture;
mod png;
mod rates;
mod scale;
mod svg;
mod text;
mod theme;
mod thin;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;

pub(crate) use self::{
    picture::Look,
    theme::Theme, //
};

use self::{
    data::{
        Data,
        Window, //
    },
    picture::About,
};
use crate::{
    failure::Failure,
    period::Period,
    recording::{
        head::{
            Device,
            Head, //
        },
        reader::Reader,
        row::Row, //
    },
};
use std::io::Read;

/// What is asked for.
pub(crate) struct Wish<'a> {
    /// The name of the device; needed if there are several.
    pub(crate) device: Option<&'a str>,
    /// The part of the recording.
    pub(crate) period: Period,
    /// The title; by default the command that was recorded.
    pub(crate) title: Option<&'a str>,
    /// How it looks.
    pub(crate) look: Look,
    /// PNG rather than SVG.
    pub(crate) png: bool,
}

/// Makes a picture of what is left in a recording. `progress` is told how many bytes
/// of the file were read. Fails if there is nothing to show.
pub(crate) fn picture<R: Read>(
    reader: &mut Reader<R>,
    wish: &Wish<'_>,
    mut progress: impl FnMut(u64),
) -> Result<Vec<u8>, Failure> {
    // The head is known when the first rows are.
    let mut next = reader.next_batch()?;
    let mut device = wished(reader.head(), wish.device)?;
    let window = Window {
        origin: Some(reader.head().began).filter(|began| *began != 0),
        from: wish.period.from.map(signed),
        to: wish.period.to.map(signed),
    };
    let mut data = Data::new(window);
    while let Some(batch) = next {
        if device.is_none() {
            // The head was broken, and here the first name occurs.
            device = wished(reader.head(), wish.device)?;
        }
        for row in batch.rows().filter(|row| concerns(row, device)) {
            data.add(&row);
        }
        progress(reader.at());
        next = reader.next_batch()?;
    }
    let device = device.and_then(|index| reader.head().devices.get(usize::from(index)));
    let device = device.cloned().unwrap_or_default();
    if data.is_empty() {
        return Err(nothing(&device, wish));
    }
    show_whole_disk(&mut data, &device);
    let about = about(&data, reader, &device, wish);
    let svg = picture::draw(&data, &about, wish.look);
    match wish.png {
        false => Ok(svg.into_bytes()),
        true => png::png(&svg)
            .map_err(|error| Failure::new(format_args!("cannot make the picture: {error}"))),
    }
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// The index of the device to show; `None` if no device is known yet.
fn wished(head: &Head, name: Option<&str>) -> Result<Option<u8>, Failure> {
    let names: Vec<&str> = head
        .devices
        .iter()
        .map(|device| device.name.as_str())
        .collect();
    let index = match (name, names.len()) {
        (_, 0) => return Ok(None),
        (None, 1) => Some(0),
        (None, _) => {
            return Err(
                Failure::usage("the recording has several devices: choose one")
                    .next(format_args!("--device {}", names.join(" | --device "))),
            )
        }
        (Some(name), _) => names.iter().position(|known| *known == name),
    };
    match index.and_then(|index| u8::try_from(index).ok()) {
        Some(index) => Ok(Some(index)),
        None => Err(Failure::new(format_args!(
            "the recording has no device {}",
            name.unwrap_or_default()
        ))
        .next(format_args!("It has: {}", names.join(", ")))),
    }
}

/// Whether a row is about the device.
fn concerns(row: &Row<'_>, device: Option<u8>) -> bool {
    row.device.is_none() || row.device == device
}

fn nothing(device: &Device, wish: &Wish<'_>) -> Failure {
    let failure = Failure::new(format_args!(
        "there is nothing to show: no request of {} is in this part of the recording",
        device.name
    ));
    match wish.period.from.is_some() || wish.period.to.is_some() {
        true => failure.next("Leave out --from and --to to see the whole recording."),
        false => failure,
    }
}

/// Shows the whole disk if most of it was used, so that the picture shows where nothing happened, too.
fn show_whole_disk(data: &mut Data, device: &Device) {
    let sectors = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).min(1 << 54);
    let (start, size) = (sectors(device.offset), sectors(device.sectors));
    let used = data.place.groups(data.place.bins());
    let within = used.start >= start && used.end() <= start + size + used.width;
    if size > 0 && within && (used.end() - used.start) * 2 > size {
        data.fit_place(start, start + size - 1);
    }
}

/// What the picture says besides the data.
fn about<R: Read>(data: &Data, reader: &Reader<R>, device: &Device, wish: &Wish<'_>) -> About {
    let head = reader.head();
    let title = match (wish.title, head.command.is_empty()) {
        (Some(title), _) => title.to_owned(),
        (None, false) => head.command.join(" "),
        (None, true) => format!("Requests of {}", device.name),
    };
    let mut facts = vec![device.name.clone()];
    if !device.disk.is_empty() {
        let size = scale::bytes(device.sectors as f64 * 512.0);
        facts = vec![format!("{} on {}, {size}", device.name, device.disk)];
    }
    let all: u64 = data.requests.iter().map(|(_, count)| *count).sum();
    facts.push(scale::duration(data.duration()));
    facts.push(format!("{} requests", scale::count(all)));
    for (class, verb) in [
        (class::Class::Read, "read"),
        (class::Class::Write, "written"),
    ] {
        let total = *data.total.get(class);
        if total > 0 {
            facts.push(format!("{} {verb}", scale::bytes(total as f64)));
        }
    }
    let mut notes = Vec::new();
    if !reader.flaws().is_empty() {
        notes.push("The recording is not whole. What could be read is in the picture.".to_owned());
    }
    About {
        title,
        subtitle: facts.join(" · "),
        notes,
    }
}
