// SPDX-License-Identifier: GPL-2.0

//! A log that fio replays (`--read_iolog`). Version 3 has the times, in microseconds since the first request. Version 2
//! is for fio before 3.31. Its waits have meant different things, so it has no times here.

use super::{
    left_out::LeftOut,
    output::Output,
    timeline::{
        Moment,
        Seen,
        Writer, //
    },
};
use crate::{
    failure::Failure,
    recording::head::Head, //
};
use imgrement_core::record::{
    Flags,
    Op, //
};
use std::io::{
    self,
    Write, //
};

/// Writes the log.
pub(super) struct Log {
    output: Output,
    version: u8,
    left_out: LeftOut,
    /// The time of the first request.
    began: Option<i64>,
    /// Of the last.
    last: i64,
    /// The devices that have been opened.
    open: Vec<u8>,
}

impl Log {
    pub(super) fn new(mut output: Output, version: u8) -> Self {
        let header = format!("fio version {version} iolog\n");
        output.buffer().extend_from_slice(header.as_bytes());
        Self {
            output,
            version,
            left_out: LeftOut::default(),
            began: None,
            last: 0,
            open: Vec::new(),
        }
    }

    /// Adds the lines of a request.
    fn request(&mut self, head: &Head, seen: &Seen, micros: i64) -> io::Result<()> {
        let action = match (seen.op, seen.bytes) {
            (Op::Flush, _) => "sync",
            (Op::Read, 1..) => "read",
            (Op::Write | Op::ZoneAppend, 1..) => "write",
            (Op::Discard | Op::SecureErase, 1..) => "trim",
            (
                Op::Read
                | Op::Write
                | Op::ZoneAppend
                | Op::Discard
                | Op::SecureErase
                | Op::WriteZeroes
                | Op::ZoneReset
                | Op::ZoneResetAll
                | Op::ZoneOpen
                | Op::ZoneClose
                | Op::ZoneFinish
                | Op::Other,
                _,
            ) => {
                self.left_out.count(seen.op);
                return Ok(());
            }
        };
        let device = seen.device.unwrap_or(u8::MAX);
        if !self.open.contains(&device) {
            self.open.push(device);
            self.line(head, device, micros, "add")?;
            self.line(head, device, micros, "open")?;
        }
        let offset = seen.sector.saturating_mul(512);
        match action {
            "sync" => self.line(head, device, micros, "sync 0 0"),
            _ => {
                if seen.flags & Flags::PREFLUSH.bits() != 0 {
                    self.line(head, device, micros, "sync 0 0")?;
                }
                self.line(
                    head,
                    device,
                    micros,
                    format_args!("{action} {offset} {}", seen.bytes),
                )
            }
        }
    }

    fn line(
        &mut self,
        head: &Head,
        device: u8,
        micros: i64,
        action: impl std::fmt::Display,
    ) -> io::Result<()> {
        let buffer = self.output.buffer();
        if self.version >= 3 {
            write!(buffer, "{micros} ")?;
        }
        let name = super::device_name(head, Some(device)).unwrap_or("unknown");
        writeln!(buffer, "{name} {action}")
    }
}

impl Writer for Log {
    fn moment(&mut self, head: &Head, time: i64, moment: &Moment<'_>) -> Result<(), Failure> {
        match moment {
            Moment::Begin(seen) => {
                let began = *self.began.get_or_insert(time);
                self.last = (time.saturating_sub(began).max(0) / 1000).max(self.last);
                self.request(head, seen, self.last)?;
                self.output.spill()
            }
            Moment::End(_) | Moment::Note(_, _) => Ok(()),
        }
    }

    fn finish(mut self, head: &Head) -> Result<(), Failure> {
        for device in std::mem::take(&mut self.open) {
            self.line(head, device, self.last, "close")?;
        }
        self.output.finish()?;
        self.left_out.report("fio");
        Ok(())
    }
}
