// SPDX-License-Identifier: GPL-2.0

//! What the fuzz targets in `fuzz/` call. Each takes any bytes, and panics if something is wrong.

#![allow(clippy::expect_used)]

use crate::{
    export::{
        Export,
        Format, //
    },
    period::Period,
    plot::{
        picture,
        Look,
        Theme,
        Wish, //
    },
    record::{
        example::{
            kinds,
            DEVICE,
            HEADER_EVENT,
            HEADER_PAGE, //
        },
        fields::{
            Fields,
            KINDS, //
        },
        join::{
            Joiner,
            Sink, //
        },
    },
    recording::{
        frame::Packer,
        reader::Reader,
        row::{
            Delta,
            Match,
            Row, //
        },
        writer::Writer,
    },
    report::{
        file::{
            report,
            Question, //
        },
        text::text, //
    },
    shapes::Shape,
    trace::{
        Merge,
        Span, //
    },
    Failure,
};
use imgrement_core::ring::layout::Layout;
use rustix::fs::{
    memfd_create,
    MemfdFlags, //
};
use std::{
    fs::File,
    io::Write,
    os::fd::AsRawFd,
    path::PathBuf, //
};

/// Reads a file of these bytes to its end.
pub fn frames(bytes: &[u8]) {
    read(bytes).ok();
}

/// Reads it all, and returns the number of rows. Fails if it is not whole.
fn read(bytes: &[u8]) -> Result<usize, Failure> {
    let mut reader = Reader::new(bytes, false).expect("zstd starts");
    let mut rows = 0;
    while let Some(batch) = reader.next_batch()? {
        rows += batch.len();
        for index in 0..batch.len() {
            let _ = batch.row(index);
            let _ = batch.deltas(index).map(Iterator::count);
            let _ = batch.matches(index).map(Iterator::count);
        }
    }
    reader.finish().map(|()| rows)
}

/// Takes a part from the beginning, after its length in 16 bits.
fn part<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (part, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

/// Makes a recording whose frames contain these parts, reads it, and then does one of several things with it.
pub fn recording(bytes: &[u8]) {
    let Some((what, mut rest)) = bytes.split_first() else {
        return;
    };
    let mut packer = Packer::new().expect("zstd starts");
    let mut recording = Vec::new();
    while let Some(content) = part(&mut rest) {
        recording.extend(packer.pack(content).expect("it fits"));
    }
    read(&recording).ok();

    let (_file, path) = file(&recording);
    let export = |format| {
        let exported = Export {
            file: path.clone(),
            format,
            to: Some("/dev/null".into()),
            overwrite: false,
            device: None,
            partition: Vec::new(),
            fio_version: 3,
        };
        exported.run().ok();
    };
    match what % 8 {
        0 => {
            let question = Question {
                device: None,
                period: Period::default(),
            };
            if let Ok((report, _)) = report(&path, &question, |_| {}) {
                text(&report);
                serde_json::to_string(&report).expect("a report is JSON");
            }
        }
        1 => {
            let wish = Wish {
                device: None,
                period: Period::default(),
                title: None,
                look: Look {
                    pixels: (600, 500),
                    theme: Theme::Light,
                },
                png: false,
            };
            let mut reader = Reader::new(recording.as_slice(), false).expect("zstd starts");
            picture(&mut reader, &wish, |_| {}).ok();
        }
        2 => export(Format::Json),
        3 => export(Format::Csv),
        4 => export(Format::Parquet),
        5 => export(Format::Blkparse),
        6 => export(Format::Fio),
        _ => {}
    }
}

/// A file of these bytes, in memory, and a path to open it by. Nothing is left when it is dropped.
fn file(bytes: &[u8]) -> (File, PathBuf) {
    let file = memfd_create("recording", MemfdFlags::CLOEXEC).expect("there is memory");
    let mut file = File::from(file);
    file.write_all(bytes).expect("there is memory");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
}

/// Writes rows, and counts them.
struct Rows {
    writer: Writer<Vec<u8>>,
    rows: usize,
}

impl Sink for Rows {
    fn row(
        &mut self,
        row: &Row<'_>,
        deltas: Option<&[Delta]>,
        matches: Option<&[Match<'_>]>,
    ) -> Result<(), Failure> {
        self.rows += 1;
        self.writer
            .add(row, deltas, matches)
            .expect("a row can be written");
        Ok(())
    }
}

/// Records what is in these pages of the kernel's trace buffers. Before each page is the number of its CPU, and how far
/// the clock has gone on since the page before, in units of 2^20 ns. The recording must have all rows.
pub fn pages(bytes: &[u8]) {
    let layout = Layout::read(HEADER_PAGE, HEADER_EVENT).expect("it is known");
    let kinds = kinds();
    let named = |name: &str| kinds.get(KINDS.iter().position(|kind| *kind == name)?);
    let fields = Fields::find(named).expect("all fields are there");
    let mut merge = Merge::new(layout, vec![1, 2, 3, 4, 5, 6], 0..4);
    let mut joiner = Joiner::new(fields, vec![DEVICE], 1000);
    let mut rows = Rows {
        writer: Writer::new(Vec::new(), &Shape::Everything.head()).expect("a head can be written"),
        rows: 0,
    };
    let (mut rest, mut now) = (bytes, 0_u64);

    while let Some(([cpu, passed], after)) = rest.split_first_chunk() {
        rest = after;
        let Some(page) = part(&mut rest) else {
            break;
        };
        now = now.saturating_add(u64::from(*passed) << 20);
        let mut page = Some(page);
        let fill = |index: usize, to: &mut [u8]| -> Result<_, Failure> {
            let page = match index == usize::from(cpu % 4) {
                true => page.take(),
                false => None,
            };
            Ok(page.map(|page| {
                to.iter_mut().zip(page).for_each(|(to, from)| *to = *from);
                page.len().min(to.len())
            }))
        };
        merge
            .round(
                Span {
                    pass: now,
                    read: u64::MAX,
                },
                fill,
                |seen| joiner.take(seen, &mut rows),
            )
            .expect("it cannot fail");
        joiner.at(now, &mut rows).expect("it cannot fail");
    }
    let no_more = |_, _: &mut [u8]| Ok(None);
    merge
        .round(Span::ALL, no_more, |seen| joiner.take(seen, &mut rows))
        .expect("it cannot fail");
    joiner.finish(&mut rows).expect("it cannot fail");
    assert!(!joiner.in_flight());
    let recording = rows.writer.finish().expect("it can end");
    assert_eq!(read(&recording).expect("it is whole"), rows.rows);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        recording::frame::{
            Frame,
            Frames, //
        }, //
    };
    use proptest::prelude::*;

    /// What `recording` takes: a recording with all kinds of rows.
    fn parts(what: u8) -> Vec<u8> {
        let bytes = Shape::Everything.write(Vec::new(), 40, 1).unwrap();
        let mut frames = Frames::new(bytes.as_slice()).unwrap();
        let mut parts = vec![what];
        while let Frame::Whole { content, .. } = frames.next().unwrap() {
            parts.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
            parts.extend(content);
        }
        parts
    }

    proptest! {
        /// Whatever whole frames contain, each command that reads a recording comes to an end.
        #[test]
        fn any_content_of_frames_is_used(
            what in 0..8_u8,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let mut parts = parts(what);
            let length = parts.len();
            for (place, byte) in changes {
                // The first three bytes say what is done, and how long the head is.
                if let Some(at) = parts.get_mut(3 + place.index(length - 3)) {
                    *at = byte;
                }
            }
            recording(&parts);
        }

        /// Pages of any bytes become a recording that is whole.
        #[test]
        fn any_pages_are_recorded(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            pages(&bytes);
            frames(&bytes);
        }
    }
}
