// SPDX-License-Identifier: GPL-2.0

//! The finds of a record: what is written is read again, and any bytes are read without harm.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::record::{
    Find,
    Scope,
    FIND_MAX, //
};
use proptest::prelude::*;

fn all(mut from: &[u8]) -> Vec<Find<'_>> {
    let mut finds = Vec::new();
    while let Some((find, rest)) = Find::decode(from) {
        finds.push(find);
        from = rest;
    }
    finds
}

#[test]
fn the_layout() {
    let mut room = [0xee; 40];
    for (find, bytes) in [
        (
            Find::Name {
                pattern: 0x102,
                name: b"ab",
            },
            &[1, 2, 2, 1, b'a', b'b'][..],
        ),
        (
            Find::Times {
                pattern: 1,
                at: Scope::Requests,
                delta: 0x0403_0201,
                times: 5,
            },
            &[2, 3, 1, 0, 1, 2, 3, 4, 5, 0, 0, 0],
        ),
        (
            Find::Place {
                pattern: 1,
                offset: -2,
            },
            &[3, 0, 1, 0, 0xfe, 255, 255, 255, 255, 255, 255, 255],
        ),
    ] {
        find.encode(&mut room);
        assert_eq!(find.size(), bytes.len());
        assert_eq!(room[..bytes.len()], *bytes);
        assert_eq!(Find::decode(bytes), Some((find, &[][..])));
        // A truncated entry is none.
        for len in 0..bytes.len() {
            assert_eq!(Find::decode(&bytes[..len]), None);
        }
    }
    assert_eq!(Find::decode(&[0; 40]), None);
    assert_eq!(Find::decode(&[2, 4, 1, 0, 1, 2, 3, 4, 5, 0, 0, 0]), None);
}

fn find() -> impl Strategy<Value = (u8, u16, Vec<u8>, u32, i64)> {
    (
        0..6_u8,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 0..=255),
        any::<u32>(),
        any::<i64>(),
    )
}

fn of((kind, pattern, name, number, offset): &(u8, u16, Vec<u8>, u32, i64)) -> Find<'_> {
    let times = |at| Find::Times {
        pattern: *pattern,
        at,
        delta: *number,
        times: number.rotate_left(7),
    };
    match kind {
        0 => Find::Name {
            pattern: *pattern,
            name,
        },
        1 => times(Scope::Page),
        2 => times(Scope::Copy),
        3 => times(Scope::Across),
        4 => times(Scope::Requests),
        _ => Find::Place {
            pattern: *pattern,
            offset: *offset,
        },
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(finds in prop::collection::vec(find(), 0..20), garbage: u8) {
        let finds: Vec<_> = finds.iter().map(of).collect();
        let mut room = vec![garbage; 20 * FIND_MAX + 1];
        let mut used = 0;
        for find in &finds {
            prop_assert!(find.size() <= FIND_MAX);
            let behind = room[used + find.size()];
            find.encode(&mut room[used..]);
            used += find.size();
            prop_assert_eq!(room[used], behind);
        }
        room[used] = 0;
        prop_assert_eq!(all(&room), finds);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(0..8_u8, 0..600)) {
        let read: usize = all(&bytes).iter().map(Find::size).sum();
        prop_assert!(read <= bytes.len());
    }

    #[test]
    fn where_there_is_no_room_nothing_is_written_beyond(find in find(), room in 0..300_usize) {
        let find = of(&find);
        let mut bytes = vec![7; room + 1];
        find.encode(&mut bytes[..room]);
        prop_assert_eq!(bytes[room], 7);
    }
}
