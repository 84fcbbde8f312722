// SPDX-License-Identifier: GPL-2.0

//! The text that blkparse prints for a trace (`blkparse -q -i DISK`).

use super::{
    blktrace::{
        entries,
        letters,
        Act,
        Disks,
        Entry, //
    },
    left_out::LeftOut,
    output::Output,
    timeline::{
        Moment,
        Writer, //
    },
};
use crate::{
    failure::Failure,
    recording::head::Head, //
};
use std::{
    collections::HashMap,
    io::{
        self,
        Write, //
    },
};

/// Writes the text.
pub(super) struct Text {
    output: Output,
    disks: Disks,
    /// The numbers of the last entries, by disk and CPU.
    sequences: HashMap<(u32, u32), u32>,
    left_out: LeftOut,
    /// The time of the first entry.
    began: Option<i64>,
}

impl Text {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            disks: Disks::default(),
            sequences: HashMap::new(),
            left_out: LeftOut::default(),
            began: None,
        }
    }
}

impl Writer for Text {
    fn moment(&mut self, head: &Head, time: i64, moment: &Moment<'_>) -> Result<(), Failure> {
        let Some(disk) = self.disks.get(head, moment.device()) else {
            return Ok(());
        };
        let (sequences, began) = (&mut self.sequences, &mut self.began);
        let buffer = self.output.buffer();
        let left_out = entries(moment, |entry| {
            let time = time.saturating_sub(*began.get_or_insert(time)).max(0);
            let sequence = sequences.entry((disk.number, entry.cpu)).or_default();
            let number = entry.number(sequence);
            Ok(line(buffer, disk.number, number, time, entry)?)
        })?;
        if let Some(op) = left_out {
            self.left_out.count(op);
        }
        self.output.spill()
    }

    fn finish(self, _head: &Head) -> Result<(), Failure> {
        self.output.finish()?;
        self.left_out.report("blkparse");
        Ok(())
    }
}

/// Adds a line.
fn line(
    buffer: &mut Vec<u8>,
    disk: u32,
    sequence: u32,
    time: i64,
    entry: &Entry<'_>,
) -> io::Result<()> {
    let (major, minor) = (disk >> 20, disk & 0xf_ffff);
    let (seconds, nanoseconds) = (time / 1_000_000_000, time % 1_000_000_000);
    let act = match entry.act {
        Act::Queue => "Q",
        Act::Issue => "D",
        Act::Complete => "C",
        Act::Message => "m",
    };
    let (letters, length) = letters(entry);
    let letters = letters.get(..length).unwrap_or_default();
    let letters = std::str::from_utf8(letters).unwrap_or_default();
    write!(
        buffer,
        "{major:>3},{minor:<3} {:>2} {sequence:>8} {seconds:>5}.{nanoseconds:09} {:>5} {act:>2} {letters:>3} ",
        entry.cpu, entry.pid
    )?;
    match (entry.act, entry.bytes / 512) {
        (Act::Queue | Act::Issue, 0) => {}
        (Act::Complete, 0) => write!(buffer, "{} ", entry.sector)?,
        (Act::Queue | Act::Issue | Act::Complete, sectors) => {
            write!(buffer, "{} + {sectors} ", entry.sector)?;
        }
        (Act::Message, _) => {}
    }
    match entry.act {
        Act::Queue | Act::Issue => {
            buffer.push(b'[');
            buffer.extend_from_slice(entry.command.name());
            buffer.push(b']');
        }
        Act::Complete => write!(buffer, "[{}]", entry.error)?,
        Act::Message => buffer.extend_from_slice(entry.text),
    }
    buffer.push(b'\n');
    Ok(())
}
