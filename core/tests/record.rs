// SPDX-License-Identifier: GPL-2.0

//! The layout of records.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::record::{
    Delta,
    Flags,
    Header,
    Op, //
};
use proptest::prelude::*;

#[test]
fn ops_have_their_numbers_and_names() {
    let names: Vec<_> = Op::ALL.iter().map(|op| op.name()).collect();
    assert_eq!(
        names.join(" "),
        "R W flush discard secure-erase write-zeroes zone-append zone-reset zone-reset-all \
         zone-open zone-close zone-finish other"
    );
    for (code, &op) in (0..).zip(Op::ALL) {
        assert_eq!(op.code(), code);
        assert_eq!(Op::from_code(code), Some(op));
    }
    assert_eq!(Op::from_code(13), None);

    let without: Vec<_> = Op::ALL.iter().filter(|op| !op.has_sectors()).collect();
    assert_eq!(without, [&Op::Flush, &Op::ZoneResetAll, &Op::Other]);
    let payload: Vec<_> = Op::ALL.iter().filter(|op| op.has_payload()).collect();
    assert_eq!(payload, [&Op::Read, &Op::Write, &Op::ZoneAppend]);
}

#[test]
fn flags_are_a_set() {
    let all = [
        Flags::FUA,
        Flags::PREFLUSH,
        Flags::META,
        Flags::SYNC,
        Flags::NOWAIT,
        Flags::ATOMIC,
        Flags::RAHEAD,
    ];
    for (bit, flag) in all.into_iter().enumerate() {
        assert_eq!(flag.bits(), 1 << bit);
        assert!(Flags::NONE.with(flag).contains(flag) && !Flags::NONE.contains(flag));
    }
    let both = Flags::FUA.with(Flags::META);
    assert!(both.contains(Flags::FUA) && both.contains(both) && !Flags::FUA.contains(both));
}

const HEADER: Header = Header {
    sector: 0x1112_1314_1516_1718,
    bytes: 0x2122_2324_2526_2728,
    op: Op::ZoneFinish,
    deltas: 0x3132_3334,
    straddling: 0x4142_4344,
    error: 0x5152,
};

const DELTA: Delta = Delta {
    index: 0x2122_2324,
    length: 0x3132_3334,
    offset: 0x4142_4344,
    first: 0x0102_0304_0506_0708,
    last: 0x1112_1314_1516_1718,
    page_hits: 0x5152_5354,
    copy_hits: 0x6162_6364,
};

#[test]
fn the_layout_is_as_documented() {
    assert_eq!(
        HEADER.encode(),
        *b"\x18\x17\x16\x15\x14\x13\x12\x11\x28\x27\x26\x25\x24\x23\x22\x21\
           \x34\x33\x32\x31\x44\x43\x42\x41\x52\x51\x0b\x00"
    );
    assert_eq!(
        DELTA.encode(),
        *b"\x08\x07\x06\x05\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11\
           \x24\x23\x22\x21\x34\x33\x32\x31\x44\x43\x42\x41\x54\x53\x52\x51\
           \x64\x63\x62\x61\x00\x00\x00\x00"
    );
}

#[test]
fn unknown_values_are_refused() {
    let bad = |at: usize, byte: u8| {
        let mut bytes = HEADER.encode();
        bytes[at] = byte;
        Header::decode(&bytes)
    };
    assert_eq!(bad(26, 11), Some(HEADER));
    for (at, byte) in [(26, 13), (27, 1)] {
        assert_eq!(bad(at, byte), None, "byte {at}");
    }
    for at in 36..40 {
        let mut bytes = DELTA.encode();
        bytes[at] = 1;
        assert_eq!(Delta::decode(&bytes), None, "byte {at}");
    }
}

#[test]
fn the_sector_is_set_in_an_encoded_header() {
    let mut bytes = HEADER.encode();
    Header::put_sector(&mut bytes, 8);
    let header = Header {
        sector: 8,
        ..HEADER
    };
    assert_eq!(Header::decode(&bytes), Some(header));
}

#[test]
fn sectors_of_a_request() {
    let header = |op, sector, bytes| Header {
        op,
        sector,
        bytes,
        ..HEADER
    };
    assert_eq!(
        header(Op::Discard, 2048, 1 << 20).sectors(),
        Some((2048, 4095))
    );
    assert_eq!(header(Op::Write, 2, 1024).sectors(), Some((2, 3)));
    assert_eq!(header(Op::ZoneReset, 4096, 0).sectors(), Some((4096, 4096)));
    assert_eq!(header(Op::Flush, 0, 0).sectors(), None);
    assert_eq!(header(Op::Discard, 0, 512).transferred(), 0);
    assert_eq!(header(Op::Read, 0, 512).transferred(), 512);
}

fn header() -> impl Strategy<Value = Header> {
    (
        any::<[u64; 2]>(),
        any::<([u32; 2], u16)>(),
        prop::sample::select(Op::ALL),
    )
        .prop_map(
            |([sector, bytes], ([deltas, straddling], error), op)| Header {
                sector,
                bytes,
                op,
                deltas,
                straddling,
                error,
            },
        )
}

fn delta() -> impl Strategy<Value = Delta> {
    any::<([u32; 5], [u64; 2])>().prop_map(
        |([index, length, offset, page_hits, copy_hits], [first, last])| Delta {
            index,
            length,
            offset,
            first,
            last,
            page_hits,
            copy_hits,
        },
    )
}

/// As many bytes as a layout has, and similar enough to real ones to be accepted sometimes.
fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    (any::<[u8; N]>(), prop::array::uniform8(0..3_u8)).prop_map(|(mut bytes, end)| {
        bytes[N - 8..].copy_from_slice(&end);
        bytes
    })
}

proptest! {
    #[test]
    fn headers_come_back(header in header()) {
        prop_assert_eq!(Header::decode(&header.encode()), Some(header));
    }

    #[test]
    fn deltas_come_back(delta in delta()) {
        prop_assert_eq!(Delta::decode(&delta.encode()), Some(delta));
    }

    /// Each value has one encoding.
    #[test]
    fn bytes_come_back(a in bytes::<{ Header::SIZE }>(), b in bytes::<{ Delta::SIZE }>()) {
        if let Some(header) = Header::decode(&a) {
            prop_assert_eq!(header.encode(), a);
        }
        if let Some(delta) = Delta::decode(&b) {
            prop_assert_eq!(delta.encode(), b);
        }
    }
}
