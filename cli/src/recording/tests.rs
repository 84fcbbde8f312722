// SPDX-License-Identifier: GPL-2.0

use super::frame::{
    Frame,
    Frames,
    Packer, //
};
use super::{
    head::{
        Device,
        Head,
        VERSION, //
    },
    reader::{
        Flaw,
        Reader, //
    },
    row::{
        Begin,
        Delta,
        Event,
        Match,
        Request,
        Row, //
    },
    writer::Writer,
};
use crate::shapes::Shape;
use imgrement_core::record::Op;
use proptest::prelude::*;

fn some_if<T>(condition: bool, value: T) -> Option<T> {
    if condition {
        Some(value)
    } else {
        None
    }
}

fn head() -> Head {
    Head {
        version: VERSION,
        host: "here".into(),
        devices: vec![
            Device {
                name: "one".into(),
                ..Device::default()
            },
            Device {
                name: "two".into(),
                ..Device::default()
            },
        ],
        ..Head::default()
    }
}

fn request(id: u64) -> Request<'static> {
    Request {
        id,
        op: Op::ALL[usize::try_from(id).unwrap() % Op::ALL.len()],
        flags: 8,
        sector: id * 8,
        bytes: 4096,
        errno: some_if(id % 5 != 0, u32::from(id % 7 == 0) * 5),
        latency: some_if(id % 5 != 0, id * 100),
        command: "fio",
        begin: some_if(
            id % 3 != 0,
            Begin {
                cpu: 1,
                pid: 77,
                cgroup: 1 << 40,
                segments: 2,
                hits: 3,
                page: 2,
                copy: 0,
                across: 1,
            },
        ),
    }
}

const DELTA: Delta = Delta {
    length: 512,
    offset: 1024,
    sector: 1 << 33,
    hits: 1,
};

const FOUND: Match<'static> = Match {
    pattern: "BEGIN%20RSA",
    place: "across",
    sector: 5,
    byte: 511,
};

/// A recording with `frames` frames of `rows` requests.
fn recording(frames: u64, rows: u64) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &head()).unwrap();
    for id in 0..frames * rows {
        let row = Row {
            time: i64::try_from(id).unwrap() * 1000,
            device: Some(u8::from(id % 2 == 1)),
            event: Event::Request(request(id)),
        };
        let deltas = vec![DELTA; usize::try_from(id % 4).unwrap()];
        let matches = vec![FOUND; usize::try_from(id % 3).unwrap()];
        writer
            .add(
                &row,
                some_if(id % 2 == 0, &deltas),
                some_if(id % 7 != 0, &matches),
            )
            .unwrap();
        if (id + 1) % rows == 0 {
            writer.flush().unwrap();
        }
    }
    writer.finish().unwrap()
}

/// The head, the ids in a file, and what is broken in it.
fn read(bytes: &[u8]) -> (Head, Vec<u64>, Vec<Flaw>) {
    let mut reader = Reader::new(bytes, false).unwrap();
    let mut ids = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        for row in batch.rows() {
            if let Event::Request(request) = row.event {
                ids.push(request.id);
            }
        }
    }
    (reader.head().clone(), ids, reader.flaws().to_vec())
}

#[test]
fn what_was_written_is_read() {
    let bytes = recording(3, 100);
    let mut reader = Reader::new(bytes.as_slice(), false).unwrap();
    let mut id = 0;
    while let Some(batch) = reader.next_batch().unwrap() {
        for index in 0..batch.len() {
            let row = batch.row(index).unwrap();
            assert_eq!(row.time, i64::try_from(id).unwrap() * 1000);
            assert_eq!(row.device, Some(u8::from(id % 2 == 1)));
            assert_eq!(row.event, Event::Request(request(id)));
            let deltas = batch.deltas(index).map(Iterator::collect::<Vec<_>>);
            let wanted = vec![DELTA; usize::try_from(id % 4).unwrap()];
            assert_eq!(deltas, some_if(id % 2 == 0, wanted));
            let matches = batch.matches(index).map(Iterator::collect::<Vec<_>>);
            let wanted = vec![FOUND; usize::try_from(id % 3).unwrap()];
            assert_eq!(matches, some_if(id % 7 != 0, wanted));
            id += 1;
        }
    }
    assert_eq!(id, 300);
    assert_eq!(reader.head(), &head());
    assert!(reader.finish().is_ok());
}

#[test]
fn each_kind_of_row_is_read() {
    let rows = [
        (None, Event::Mark("now")),
        (
            Some(1),
            Event::Table {
                reason: "resumed",
                line: "0 8 imgrement 8:16 0",
            },
        ),
        (
            None,
            Event::Lost {
                cpu: Some(3),
                events: None,
            },
        ),
        (
            None,
            Event::Lost {
                cpu: None,
                events: Some(1 << 40),
            },
        ),
    ];
    let mut writer = Writer::new(Vec::new(), &head()).unwrap();
    for (device, event) in rows {
        let row = Row {
            time: 5,
            device,
            event,
        };
        writer.add(&row, None, None).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let mut reader = Reader::new(bytes.as_slice(), false).unwrap();
    let batch = reader.next_batch().unwrap().unwrap();
    let read: Vec<_> = batch.rows().map(|row| (row.device, row.event)).collect();
    assert_eq!(read, rows);
}

#[test]
fn a_recording_may_be_cut_anywhere() {
    let bytes = recording(3, 20);
    let (_, all, flaws) = read(&bytes);
    assert_eq!((all.len(), flaws.len()), (60, 0));
    for length in 0..bytes.len() {
        let (_, ids, flaws) = read(&bytes[..length]);
        assert_eq!(ids, all[..ids.len()], "{length}");
        assert_eq!(ids.len() % 20, 0, "{length}");
        assert!(
            matches!(flaws.as_slice(), [Flaw::Cut { .. }]),
            "{length}: {flaws:?}"
        );
        assert!(Reader::new(&bytes[..length], true)
            .unwrap()
            .next_batch()
            .is_ok());
    }
}

#[test]
fn a_flipped_byte_breaks_one_frame() {
    let bytes = recording(3, 20);
    let (whole_head, all, _) = read(&bytes);
    let mut unnoticed = 0;
    for place in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[place] ^= 0x40;
        let (head, ids, flaws) = read(&broken);
        assert!(ids.len() >= 40, "{place}");
        assert!(ids.iter().all(|id| all.contains(id)), "{place}");
        let place = u64::try_from(place).unwrap();
        let named = flaws.iter().any(|flaw| match flaw {
            Flaw::Broken { at, end } => (*at..*end).contains(&place),
            Flaw::Cut { at } => *at <= place,
        });
        // Some bits of a frame mean nothing.
        let no_effect = flaws.is_empty() && ids == all && head == whole_head;
        assert!(named || no_effect, "{place}: {flaws:?}");
        unnoticed += u64::from(no_effect);
    }
    assert!(unnoticed < 20, "{unnoticed}");
}

/// The contents of the frames of a recording with all kinds of rows.
fn contents() -> Vec<Vec<u8>> {
    let bytes = Shape::Everything.write(Vec::new(), 150, 1).unwrap();
    let mut frames = Frames::new(bytes.as_slice()).unwrap();
    let mut contents = Vec::new();
    while let Frame::Whole { content, .. } = frames.next().unwrap() {
        contents.push(content);
    }
    contents
}

/// Reads all that there is in these frames, whose checksums are right.
fn read_all(contents: &[Vec<u8>]) {
    let mut packer = Packer::new().unwrap();
    let frames: Vec<_> = contents
        .iter()
        .flat_map(|content| packer.pack(content).unwrap())
        .collect();
    let mut reader = Reader::new(frames.as_slice(), false).unwrap();
    while let Some(batch) = reader.next_batch().unwrap() {
        for row in 0..batch.len() {
            let _ = batch.row(row);
            let _ = batch.deltas(row).map(Iterator::count);
            let _ = batch.matches(row).map(Iterator::count);
        }
    }
}

proptest! {
    /// The checksum does not protect from those who make it.
    #[test]
    fn any_content_of_a_frame_is_read(
        changes in prop::collection::vec((0..1_usize << 20, any::<u8>()), 1..8),
        numbers in prop::collection::vec((0..1_usize << 20, prop_oneof![any::<u64>(), 0..1_u64 << 12, Just(u64::MAX)]), 0..3),
        cut in prop_oneof![3 => Just(None), 1 => (0..1_usize << 20).prop_map(Some)],
    ) {
        let mut contents = contents();
        let content = &mut contents[1];
        let length = content.len();
        for (place, byte) in changes {
            content[place % length] = byte;
        }
        for (place, number) in numbers {
            // Most numbers are aligned, and near the beginning of a message.
            let place = place % (length - 8) / 4 * 4;
            content[place..place + 8].copy_from_slice(&number.to_le_bytes());
        }
        if let Some(cut) = cut {
            content.truncate(cut % length);
        }
        read_all(&contents);
    }

    /// The same for the head.
    #[test]
    fn any_head_is_read(changes in prop::collection::vec((0..1_usize << 20, any::<u8>()), 1..8)) {
        let mut contents = contents();
        let content = &mut contents[0];
        let length = content.len();
        for (place, byte) in changes {
            content[place % length] = byte;
        }
        read_all(&contents);
    }
}
