// SPDX-License-Identifier: GPL-2.0

//! The lines of the log, to the letter.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod common;

use common::Std;
use imgrement_core::{
    log::{
        limit::Reason,
        lines::{
            count,
            request,
            Found,
            Line, //
        },
        totals::Totals, //
    },
    record::{
        Cursor,
        Delta,
        Find,
        Header,
        Op,
        Scope, //
    },
};
use std::num::NonZeroU32;

fn header(op: Op, sector: u64, bytes: u64, deltas: u32) -> Header {
    Header {
        sector,
        bytes,
        op,
        deltas,
        straddling: 0,
        error: 0,
    }
}

fn lines(header: &Header, deltas: &[Delta], finds: &[Find<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    request(
        header,
        deltas.iter().copied(),
        finds.iter().copied(),
        // What an earlier record has left behind does not show.
        &mut used(),
        &mut |line| lines.push(line.to_string()),
    );
    let deltas = deltas.iter().copied();
    let counted = count(header, deltas, finds.iter().copied(), &mut used());
    assert_eq!(counted as usize, lines.len());
    lines
}

/// After another record, in which everything was found.
fn used() -> Totals<Std> {
    let mut totals = Totals::new().unwrap();
    totals.name((0..256).map(|pattern| name(pattern, b"before")));
    for pattern in 0..256 {
        totals.add(pattern, 1);
    }
    totals.tell(&mut |_, _| {});
    totals
}

fn name(pattern: u16, name: &[u8]) -> Find<'_> {
    Find::Name { pattern, name }
}

fn times(pattern: u16, at: Scope, delta: u32, times: u32) -> Find<'static> {
    Find::Times {
        pattern,
        at,
        delta,
        times,
    }
}

#[test]
fn the_ancestors_write() {
    let delta = Cursor::new(1026).delta(0, 1024);
    let finds = [
        name(0, b"DAMN"),
        times(0, Scope::Page, 0, 3),
        times(0, Scope::Copy, 0, 3),
    ];
    assert_eq!(
        lines(&header(Op::Write, 1026, 1024, 1), &[delta], &finds),
        [
            "Found DAMN from page 3 times",
            "W, bytes to transfer: 1024, delta count: 1",
            "bv #0: len 1024, offset 0, at (1026, 1027)",
            "Found DAMN from deltas 3 times",
        ]
    );
}

#[test]
fn the_ancestors_read() {
    let delta = Cursor::new(38).delta(3072, 1024);
    assert_eq!(
        lines(&header(Op::Read, 38, 1024, 1), &[delta], &[]),
        [
            "R, bytes to transfer: 1024, delta count: 1",
            "bv #0: len 1024, offset 3072, at (38, 39)",
        ]
    );
}

#[test]
fn the_ancestors_file_of_12_kib() {
    let mut cursor = Cursor::new(6154);
    let deltas = [(); 3].map(|()| cursor.delta(0, 4096));
    assert_eq!(
        lines(&header(Op::Write, 6154, 12288, 3), &deltas, &[]),
        [
            "W, bytes to transfer: 12288, delta count: 3",
            "bv #0: len 4096, offset 0, at (6154, 6161)",
            "bv #1: len 4096, offset 0, at (6162, 6169)",
            "bv #2: len 4096, offset 0, at (6170, 6177)",
        ]
    );
}

#[test]
fn each_segment_has_its_own_line_and_what_straddles_comes_last() {
    let mut cursor = Cursor::new(0);
    let deltas = [(0, 4096), (0, 4096), (512, 512)].map(|(at, len)| cursor.delta(at, len));
    // The copy of the last one was lost, or its page changed in between.
    let finds = [
        name(0, b"a b%"),
        times(0, Scope::Page, 0, 1),
        times(0, Scope::Copy, 0, 1),
        times(0, Scope::Across, 1, 1),
        times(0, Scope::Across, 2, 2),
        times(0, Scope::Page, 2, 2),
    ];
    let header = header(Op::Write, 0, 8704, 3);
    assert_eq!(
        lines(&header, &deltas, &finds),
        [
            "Found a%20b%25 from page 1 times",
            "Found a%20b%25 from page 2 times",
            "W, bytes to transfer: 8704, delta count: 3",
            "bv #0: len 4096, offset 0, at (0, 7)",
            "Found a%20b%25 from deltas 1 times",
            "bv #1: len 4096, offset 0, at (8, 15)",
            "bv #2: len 512, offset 512, at (16, 16)",
            "Found a%20b%25 across deltas 3 times",
        ]
    );
    assert_eq!(lines(&header, &deltas, &[]).len(), 4);
    // A pattern without a recorded name (the pool was full) has no line.
    assert_eq!(lines(&header, &deltas, &finds[1..]).len(), 4);
}

#[test]
fn counts_recorded_in_parts_are_one_line() {
    let mut cursor = Cursor::new(0);
    let deltas = [(0, 4096), (0, 4096)].map(|(at, len)| cursor.delta(at, len));
    let finds = [
        name(0, b"a"),
        times(0, Scope::Page, 0, 1),
        name(1, b"b"),
        times(1, Scope::Page, 0, 1),
        times(0, Scope::Page, 0, 4),
        times(0, Scope::Copy, 0, 2),
        times(0, Scope::Copy, 0, 3),
        times(1, Scope::Page, 1, 7),
        times(0, Scope::Page, 1, 6),
        times(1, Scope::Page, 1, 1),
    ];
    assert_eq!(
        lines(&header(Op::Write, 0, 8192, 2), &deltas, &finds),
        [
            "Found a from page 5 times",
            "Found b from page 1 times",
            "Found b from page 8 times",
            "Found a from page 6 times",
            "W, bytes to transfer: 8192, delta count: 2",
            "bv #0: len 4096, offset 0, at (0, 7)",
            "Found a from deltas 5 times",
            "bv #1: len 4096, offset 0, at (8, 15)",
        ]
    );
}

#[test]
fn several_patterns_and_their_places() {
    let mut cursor = Cursor::new(100);
    let mut deltas = [(0, 4096), (0, 4096)].map(|(at, len)| cursor.delta(at, len));
    deltas[0].page_hits = 3;
    let place = |pattern, offset| Find::Place { pattern, offset };
    let finds = [
        name(7, b"b"),
        place(7, 0),
        name(3, b"a"),
        place(3, 4095),
        times(3, Scope::Page, 0, 2),
        times(7, Scope::Page, 0, 1),
        times(3, Scope::Copy, 0, 2),
        times(7, Scope::Copy, 0, 1),
        times(3, Scope::Across, 1, 1),
        times(3, Scope::Copy, 1, 5),
        place(7, -1),
        times(7, Scope::Requests, 0, 4),
    ];
    let header = Header {
        straddling: 1,
        ..header(Op::Write, 100, 8192, 2)
    };
    assert_eq!(
        lines(&header, &deltas, &finds),
        [
            "Found a from page 2 times",
            "Found b from page 1 times",
            "W, bytes to transfer: 8192, delta count: 2",
            "bv #0: len 4096, offset 0, at (100, 107)",
            "Found a from deltas 2 times",
            "Found b from deltas 1 times",
            "bv #1: len 4096, offset 0, at (108, 115)",
            "Found a from deltas 5 times",
            "Found a across deltas 1 times",
            "Found b across requests 4 times",
            "Found b at sector 100, byte 0",
            "Found a at sector 107, byte 511",
            "Found b at sector 99, byte 511",
            "Found 5 more, at places not recorded",
        ]
    );
    // If there was no space for the counts, the deltas have them.
    assert_eq!(
        lines(&header, &deltas, &finds[..2])[3..],
        [
            "Found b at sector 100, byte 0",
            "Found 3 more, at places not recorded",
        ]
    );
}

/// 256 patterns in each of 256 deltas, in parts. If all were read again for each, this would take forever.
#[test]
fn very_many() {
    let finds: Vec<_> = (0..256)
        .map(|pattern| name(pattern, b"name"))
        .chain((0..256).flat_map(|delta| {
            (0..512).map(move |n| times(n % 256, Scope::Page, delta, u32::from(n / 256) + 1))
        }))
        .chain((0..256).map(|pattern| times(pattern, Scope::Across, 1, u32::MAX)))
        .chain((0..256).map(|pattern| times(pattern, Scope::Across, 2, 1)))
        // No record has these.
        .chain([name(256, b"other"), times(256, Scope::Page, 255, 1)])
        .collect();
    let lines = lines(&header(Op::Write, 0, 1 << 20, 0), &[], &finds);
    assert_eq!(lines.len(), 256 * 256 + 1 + 256);
    let (pages, rest) = lines.split_at(256 * 256);
    assert!(pages
        .iter()
        .all(|line| line == "Found name from page 3 times"));
    assert!(rest[1..]
        .iter()
        .all(|line| line == "Found name across deltas 4294967296 times"));
}

#[test]
fn errors() {
    for (op, bytes, error, line) in [
        (Op::Write, 4096, 5, "W, error 5, at (1032, 1039)"),
        (Op::Discard, 512, 95, "discard, error 95, at (1032, 1032)"),
        (Op::Flush, 0, 28, "flush, error 28"),
    ] {
        let header = Header {
            error,
            ..header(op, 1032, bytes, 0)
        };
        assert_eq!(Line::Failed(&header).to_string(), line);
    }
    assert_eq!(
        Line::ErrorsLeftOut(3).to_string(),
        "3 errors left out of the log"
    );
}

#[test]
fn requests_without_payload() {
    let cases = [
        (
            Op::Flush,
            0,
            0,
            "flush, bytes to transfer: 0, delta count: 0",
        ),
        (
            Op::Discard,
            2048,
            1 << 20,
            "discard, bytes to transfer: 0, delta count: 0, at (2048, 4095)",
        ),
        (
            Op::WriteZeroes,
            8,
            512,
            "write-zeroes, bytes to transfer: 0, delta count: 0, at (8, 8)",
        ),
        (
            Op::SecureErase,
            0,
            1024,
            "secure-erase, bytes to transfer: 0, delta count: 0, at (0, 1)",
        ),
        (
            Op::ZoneReset,
            524_288,
            0,
            "zone-reset, bytes to transfer: 0, delta count: 0, at (524288, 524288)",
        ),
        (
            Op::ZoneResetAll,
            0,
            0,
            "zone-reset-all, bytes to transfer: 0, delta count: 0",
        ),
        (
            Op::Other,
            5,
            512,
            "other, bytes to transfer: 0, delta count: 0",
        ),
    ];
    for (op, sector, bytes, line) in cases {
        assert_eq!(lines(&header(op, sector, bytes, 0), &[], &[]), [line]);
    }
}

#[test]
fn the_other_lines_and_labels() {
    let header = header(Op::Flush, 0, 0, 0);
    let found = Found {
        pattern: b"DAMN",
        times: 1,
    };
    let left_out = |reason| Line::LeftOut {
        requests: 12,
        reason,
    };
    let limit = NonZeroU32::new(1000).expect("not zero");
    let lost = |finds| Line::Lost {
        records: 3,
        data: 2,
        finds,
    };
    let cases = [
        (Line::Ready(b"sdb"), "sdb trace initialization succeeded"),
        (
            left_out(Reason::Rate(limit)),
            "12 requests left out of the log (log_rate 1000)",
        ),
        (
            left_out(Reason::Lines(limit)),
            "12 requests left out of the log (log_lines 1000)",
        ),
        (
            Line::TooLate(12),
            "12 requests left out of the log (the console was too slow)",
        ),
        (
            Line::Cut(7),
            "7 lines of this request left out of the log (the console was too slow)",
        ),
        (
            lost(0),
            "3 requests passed unrecorded, 2 recorded without their bytes",
        ),
        (
            lost(1),
            "3 requests passed unrecorded, 2 recorded without their bytes, 1 without all that was found",
        ),
        (Line::Mark(b"a b\n"), "mark: a%20b%0A"),
        (
            Line::Request(&header),
            "flush, bytes to transfer: 0, delta count: 0",
        ),
        (Line::FoundAcross(found), "Found DAMN across deltas 1 times"),
    ];
    for (line, text) in cases {
        assert_eq!(line.labelled(None).to_string(), text);
        assert_eq!(
            line.labelled(Some(b"my db")).to_string(),
            format!("my%20db: {text}")
        );
    }
}
