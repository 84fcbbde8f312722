// SPDX-License-Identifier: GPL-2.0

//! The tables of `docs/history.md` are those of the code.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path, //
};

use imgrement_core::{
    history::{
        batch,
        entry::{
            self,
            Bases,
            Begin,
            End,
            Gap,
            Issuer,
            Kind,
            Note, //
        },
        superblock::{
            self,
            ScanFrom,
            State,
            Superblock, //
        },
    },
    record::Flags, //
};
use log::Xxh64;

mod log;

/// The cells of the rows of the table with this head, below this heading.
fn table(heading: &str, head: &str) -> Vec<Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/history.md");
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != heading)
        .skip_while(|line| !line.starts_with(&format!("| {head} |")));
    assert!(
        lines.next().is_some(),
        "{heading}: there is no table {head}"
    );
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().replace('`', ""))
                .collect()
        })
        .collect()
}

/// Compares the fields below a heading with these bytes. `values` has each field's value.
fn compare(heading: &str, bytes: &[u8], values: &[(&str, &[u8])]) {
    let mut values: BTreeMap<_, _> = values.iter().copied().collect();
    let mut at = 0;
    for row in table(heading, "offset") {
        let [offset, kind, field, ..] = &row[..] else {
            panic!("{heading}: {row:?}");
        };
        assert_eq!(offset.parse(), Ok(at), "{heading}: the offset of {field}");
        let len = match kind.as_str() {
            "u8" => 1,
            "u32" => 4,
            "u64" => 8,
            _ => kind
                .strip_suffix(" bytes")
                .and_then(|len| len.parse().ok())
                .expect("a type"),
        };
        let zeroes = vec![0; len];
        let wanted = match field.as_str() {
            "zero" => &zeroes[..],
            field => values
                .remove(field)
                .unwrap_or_else(|| panic!("{heading}: what is {field}?")),
        };
        assert_eq!(&bytes[at..at + len], wanted, "{heading}: {field}");
        at += len;
    }
    assert_eq!(at, bytes.len(), "{heading}: the size");
    assert!(values.is_empty(), "{heading}: {values:?}");
}

/// The number and the name in each row of a table.
fn numbers(heading: &str, head: &str) -> Vec<(u32, String)> {
    table(heading, head)
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), row[1].clone()))
        .collect()
}

/// What the code has, in the same form.
fn named<T>(all: impl IntoIterator<Item = (T, impl ToString)>) -> Vec<(u32, String)>
where
    u32: From<T>,
{
    all.into_iter()
        .map(|(number, name)| (number.into(), name.to_string()))
        .collect()
}

/// The meaning of a field.
fn meaning(heading: &str, field: &str) -> String {
    let row = table(heading, "offset")
        .into_iter()
        .find(|row| row[2] == field);
    row.unwrap().swap_remove(3)
}

#[test]
fn the_superblock_is_as_documented() {
    let superblock = Superblock {
        block_size: 8192,
        id: *b"0123456789abcdef",
        first_position: 0x7000_0000_2000,
        previous: *b"fedcba9876543210",
        sectors: 0x1122_3344_5566_7788,
        offset: 0x99,
        chunk_size: 0x1_0000,
        state: State::Open,
        session: 0x0102_0304_0506_0708,
        scan: ScanFrom {
            position: 0x7000_0000_4000,
            number: 0x1112_1314_1516_1718,
            session: 0x0102_0304_0506_0707,
        },
        made: 0x2122_2324_2526_2728,
        disk: [b'd'; 32],
        uuid: [b'u'; 40],
    };
    let mut bytes = [0; superblock::SIZE];
    superblock.encode::<Xxh64>(&mut bytes);
    let checksum = xxhash_rust::xxh64::xxh64(&bytes[..504], 0);
    compare(
        "Superblock",
        &bytes,
        &[
            ("magic", b"imgr-log"),
            ("version", &superblock::VERSION.to_le_bytes()),
            ("block_size", &superblock.block_size.to_le_bytes()),
            ("id", &superblock.id),
            ("first_position", &superblock.first_position.to_le_bytes()),
            ("previous", &superblock.previous),
            ("sectors", &superblock.sectors.to_le_bytes()),
            ("offset", &superblock.offset.to_le_bytes()),
            ("chunk_size", &superblock.chunk_size.to_le_bytes()),
            ("state", &1_u32.to_le_bytes()),
            ("session", &superblock.session.to_le_bytes()),
            ("scan.position", &superblock.scan.position.to_le_bytes()),
            ("scan.number", &superblock.scan.number.to_le_bytes()),
            ("scan.session", &superblock.scan.session.to_le_bytes()),
            ("made", &superblock.made.to_le_bytes()),
            ("disk", &superblock.disk),
            ("uuid", &superblock.uuid),
            ("checksum", &checksum.to_le_bytes()),
        ],
    );
    assert_eq!(meaning("Superblock", "magic").as_bytes(), superblock::MAGIC);
    assert_eq!(
        meaning("Superblock", "version"),
        superblock::VERSION.to_string()
    );
}

#[test]
fn a_batch_is_as_documented() {
    let header = batch::Header {
        id: *b"0123456789abcdef",
        session: 0x0102_0304_0506_0708,
        number: 0x1112_1314_1516_1718,
        position: 0x2122_2324_2526_2000,
        length: 81,
        first: true,
        time: 0x3132_3334_3536_3738,
        body: 0x4142_4344_4546_4748,
    };
    let bytes = header.encode::<Xxh64>();
    let low = u64::from_le_bytes(*b"01234567");
    let high = u64::from_le_bytes(*b"89abcdef");
    let seed = low ^ high.rotate_left(32) ^ header.session;
    let checksum = xxhash_rust::xxh64::xxh64(&bytes[..72], seed);
    compare(
        "Batch",
        &bytes,
        &[
            ("magic", b"imgbatch"),
            ("id", &header.id),
            ("session", &header.session.to_le_bytes()),
            ("number", &header.number.to_le_bytes()),
            ("position", &header.position.to_le_bytes()),
            ("length", &header.length.to_le_bytes()),
            ("first", &1_u32.to_le_bytes()),
            ("time", &header.time.to_le_bytes()),
            ("body", &header.body.to_le_bytes()),
            ("checksum", &checksum.to_le_bytes()),
        ],
    );
    assert_eq!(meaning("Batch", "magic").as_bytes(), batch::MAGIC);
    let range = format!("from {} to {}", batch::HEADER, batch::LENGTH_MAX);
    assert!(meaning("Batch", "length").ends_with(&range));
}

#[test]
fn an_entry_is_as_documented() {
    let header = entry::Header {
        kind: Kind::Write,
        detail: 0x77,
        position: 0x0102_0304_0506_0708,
        sector: 0x0012_1314_1516_1718,
        bytes: 512,
        time: 0x2122_2324_2526_2728,
        flags: Flags::from_bits(0x3132_3334),
        issuer: Issuer {
            pid: 0x4142_4344,
            cgroup: 0x5152_5354_5556_5758,
            command: [b'c'; 16],
        },
        payload: 512,
    };
    compare(
        "Entry",
        &header.encode(),
        &[
            ("size", &header.size().unwrap().to_le_bytes()),
            ("kind", &[3]),
            ("detail", &[header.detail]),
            ("position", &header.position.to_le_bytes()),
            ("sector", &header.sector.to_le_bytes()),
            ("bytes", &header.bytes.to_le_bytes()),
            ("time", &header.time.to_le_bytes()),
            ("flags", &header.flags.bits().to_le_bytes()),
            ("issuer.pid", &header.issuer.pid.to_le_bytes()),
            ("issuer.cgroup", &header.issuer.cgroup.to_le_bytes()),
            ("issuer.command", &header.issuer.command),
            ("payload", &header.payload.to_le_bytes()),
        ],
    );
}

#[test]
fn payloads_are_as_documented() {
    let begin = Begin {
        session: 0x0102_0304_0506_0708,
        real_time: 0x1112_1314_1516_1718,
        bases: Bases::Durable,
        chained: true,
        id: *b"0123456789abcdef",
    };
    compare(
        "Payload of a begin",
        &begin.encode(),
        &[
            ("session", &begin.session.to_le_bytes()),
            ("real_time", &begin.real_time.to_le_bytes()),
            ("bases", &[2]),
            ("chained", &[1]),
            ("id", &begin.id),
        ],
    );
    let note = Note {
        position: 0x0102_0304_0506_0708,
        head: 0x1112_1314_1516_1718,
        latency: 0x2122_2324_2526_2728,
        errno: 0x3132_3334,
    };
    compare(
        "Payload of completions",
        &note.encode(),
        &[
            ("position", &note.position.to_le_bytes()),
            ("head", &note.head.to_le_bytes()),
            ("latency", &note.latency.to_le_bytes()),
            ("errno", &note.errno.to_le_bytes()),
        ],
    );
}

#[test]
fn numbers_are_as_documented() {
    let kinds = Kind::ALL
        .iter()
        .map(|kind| (*kind as u8, format!("{kind:?}")));
    assert_eq!(numbers("Kinds", "kind"), named(kinds));
    let ends = End::ALL.iter().map(|end| (*end as u8, end.word()));
    assert_eq!(numbers("Kinds", "end"), named(ends));
    let gaps = [(Gap::LATER, "LATER"), (Gap::BEFORE, "BEFORE")];
    assert_eq!(numbers("Kinds", "gap"), named(gaps));
    let flags = [
        (Flags::FUA, "FUA"),
        (Flags::PREFLUSH, "PREFLUSH"),
        (Flags::META, "META"),
        (Flags::SYNC, "SYNC"),
        (Flags::NOWAIT, "NOWAIT"),
        (Flags::ATOMIC, "ATOMIC"),
        (Flags::RAHEAD, "RAHEAD"),
    ];
    assert_eq!(
        numbers("Entry", "flag"),
        named(flags.map(|(flag, name)| (flag.bits(), name)))
    );
    // The payload that is documented for each kind is the only one that is read.
    for (row, &kind) in table("Kinds", "kind").iter().zip(Kind::ALL) {
        let is_read = |payload| {
            let header = entry::Header {
                kind,
                detail: 0,
                position: 0,
                sector: 0,
                bytes: 512,
                time: 0,
                flags: Flags::NONE,
                issuer: Issuer::default(),
                payload,
            };
            entry::Header::decode(&header.encode()).is_some()
        };
        let documented = |payload: u32| match row[2].as_str() {
            "any" => true,
            "none" => payload == 0,
            "40 bytes" => payload == 40,
            "bytes bytes" => payload == 512,
            "a multiple of 32 bytes" => payload % 32 == 0,
            other => panic!("{kind:?}: {other}"),
        };
        for payload in [0, 1, 32, 33, 40, 64, 512] {
            assert_eq!(is_read(payload), documented(payload), "{kind:?}: {payload}");
        }
    }
}
