// SPDX-License-Identifier: GPL-2.0

//! Where a log ends: on a device that is used again and again, and crashes at any time.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::history::{
    batch,
    scan::{
        Body,
        Tail, //
    },
    superblock::{
        self,
        ScanFrom,
        State,
        Superblock, //
    },
    FIRST_BATCH, //
};
use log::Xxh64;
use proptest::prelude::*;

mod log;

const BLOCK: usize = 4096;
const BLOCKS: usize = 40;

fn header(session: u64, number: u64, position: u64, first: bool) -> batch::Header {
    batch::Header {
        id: [1; 16],
        session,
        number,
        position,
        length: 80,
        first,
        time: 0,
        body: 0,
    }
}

/// A log of session 2, which goes on at block 4 with batch 7.
fn tail() -> Tail {
    let mut superblock = log::superblock(1, 4096);
    superblock.session = 2;
    superblock.scan = ScanFrom {
        position: 4 * 4096,
        number: 7,
        session: 2,
    };
    Tail::of(&superblock)
}

#[test]
fn a_batch_follows_in_all_respects() {
    let tail = tail();
    let next = header(2, 7, 4 * 4096, false);
    assert!(tail.is_followed_by(&next));
    let others = [
        (
            "id",
            batch::Header {
                id: [2; 16],
                ..next
            },
        ),
        ("number before", batch::Header { number: 6, ..next }),
        ("number after", batch::Header { number: 8, ..next }),
        (
            "position before",
            batch::Header {
                position: 3 * 4096,
                ..next
            },
        ),
        (
            "position after",
            batch::Header {
                position: 5 * 4096,
                ..next
            },
        ),
        ("session before", batch::Header { session: 1, ..next }),
        ("session after", batch::Header { session: 3, ..next }),
        (
            "a second first",
            batch::Header {
                first: true,
                ..next
            },
        ),
        (
            "a first of a session before",
            batch::Header {
                session: 1,
                first: true,
                ..next
            },
        ),
        (
            "a first of a later session",
            batch::Header {
                session: 3,
                first: true,
                ..next
            },
        ),
    ];
    for (name, other) in others {
        let mut tail = tail;
        assert!(!tail.pass(&other), "{name}");
        assert_eq!(tail, self::tail(), "{name}");
    }
}

#[test]
fn a_session_begins_with_its_first_batch() {
    let mut superblock = log::superblock(1, 4096);
    let place = tail().next();
    assert_eq!(superblock.begin_session(place), 1);
    superblock.session = 6;
    superblock.scan = ScanFrom {
        session: 3,
        ..place
    };
    let tail = Tail::of(&superblock);
    assert!(tail.is_followed_by(&header(6, 7, 4 * 4096, true)));
    assert!(!tail.is_followed_by(&header(6, 7, 4 * 4096, false)));
    // Session 5 was there, but has nothing in the log. Its batches came after the place, or were torn.
    for session in [3, 4, 5, 7] {
        for first in [false, true] {
            assert!(!tail.is_followed_by(&header(session, 7, 4 * 4096, first)));
        }
    }
}

#[test]
fn a_batch_ends_before_the_last_position() {
    let mut superblock = log::superblock(1, 4096);
    superblock.session = 2;
    superblock.scan = ScanFrom {
        position: u64::MAX - 4095,
        number: u64::MAX,
        session: 2,
    };
    let tail = Tail::of(&superblock);
    let next = header(2, u64::MAX, u64::MAX - 4095, false);
    assert!(!tail.is_followed_by(&next));
    superblock.scan.position -= 4096;
    let mut tail = Tail::of(&superblock);
    let next = header(2, u64::MAX, u64::MAX - 8191, false);
    assert!(tail.pass(&next));
    assert_eq!(tail.next().position, u64::MAX - 4095);
}

#[test]
fn the_first_batch_comes_after_the_superblock() {
    let mut superblock = log::superblock(1, 8192);
    superblock.first_position = 5 << 20;
    superblock.session = 9;
    superblock.scan.position = superblock.first_position + 8192;
    let tail = Tail::first_of(&superblock, 17);
    let wanted = ScanFrom {
        position: (5 << 20) + FIRST_BATCH * 8192,
        number: 17,
        session: 0,
    };
    assert_eq!(tail.next(), wanted);
}

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }

    /// Whether something happens that happens once in `times`.
    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A device with a volatile cache: what was written since the last flush may get lost in a crash, block by block.
struct Device {
    stable: Vec<[u8; BLOCK]>,
    written: Vec<[u8; BLOCK]>,
}

impl Device {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let first = offset as usize / BLOCK;
        for (block, bytes) in self.written[first..].iter_mut().zip(bytes.chunks(BLOCK)) {
            block.fill(0);
            block[..bytes.len()].copy_from_slice(bytes);
        }
    }

    fn flush(&mut self) {
        self.stable.clone_from(&self.written);
    }

    fn crash(&mut self, random: &mut Random) {
        let likely = 1 + random.below(4);
        for (stable, written) in self.stable.iter_mut().zip(&self.written) {
            if random.one_in(likely) {
                *stable = *written;
            }
        }
        self.written.clone_from(&self.stable);
    }

    fn read(&self, offset: u64, len: usize) -> Option<Vec<u8>> {
        let offset = offset as usize;
        self.written
            .concat()
            .get(offset..offset + len)
            .map(<[u8]>::to_vec)
    }

    fn superblock(&self) -> Superblock {
        Superblock::decode::<Xxh64>(self.written[0].first_chunk().unwrap()).unwrap()
    }

    fn write_superblock(&mut self, superblock: &Superblock) {
        let mut block = [0; superblock::SIZE];
        superblock.encode::<Xxh64>(&mut block);
        // With a flush and FUA.
        self.flush();
        self.write(0, &block);
        self.flush();
    }
}

/// The batches from `tail` on, and the place after them.
fn scan(
    device: &Device,
    superblock: &Superblock,
    mut tail: Tail,
) -> (Vec<batch::Header>, ScanFrom) {
    let mut found = Vec::new();
    loop {
        let offset = superblock.offset_of(tail.next().position).unwrap();
        let Some(header) = device
            .read(offset, batch::HEADER)
            .and_then(|bytes| batch::Header::decode::<Xxh64>(bytes.first_chunk()?))
            .filter(|header| tail.is_followed_by(header))
        else {
            return (found, tail.next());
        };
        let mut body = Body::<Xxh64>::of(&header);
        match device.read(offset + batch::HEADER as u64, body.left() as usize) {
            Some(bytes) => body.update(&bytes),
            None => return (found, tail.next()),
        }
        if !body.is_whole() {
            return (found, tail.next());
        }
        assert!(tail.pass(&header));
        found.push(header);
    }
}

/// A batch that was written, and its bytes.
struct Written {
    header: batch::Header,
    bytes: Vec<u8>,
}

/// Uses a device for log after log, each with several sessions. After each crash or clean end, a scan must find
/// exactly the batches of this log before the first that is not whole.
fn use_again_and_again(seed: u64) {
    let mut random = Random(seed);
    let mut device = Device {
        stable: vec![[0; BLOCK]; BLOCKS],
        written: vec![[0; BLOCK]; BLOCKS],
    };
    for id in 0..20 {
        let mut fresh = log::superblock(id, 4096);
        fresh.first_position = random.below(3) << 20;
        fresh.scan.position = fresh.first_position + 4096;
        fresh.scan.number = random.below(3);
        let first_number = fresh.scan.number;
        device.write_superblock(&fresh);

        // The batches of earlier sessions that were found.
        let mut before: Vec<batch::Header> = Vec::new();
        for _ in 0..1 + random.below(5) {
            let mut superblock = device.superblock();
            let (_, end) = scan(&device, &superblock, Tail::of(&superblock));
            let session = superblock.begin_session(end);
            device.write_superblock(&superblock);

            let mut place = end;
            let mut session_wrote: Vec<Written> = Vec::new();
            for _ in 0..random.below(8) {
                // Many blocks have the same bytes as in earlier sessions.
                let blocks = 1 + random.below(3);
                let len = (blocks * 4096 - random.below(100)) as usize - batch::HEADER;
                let fill = if random.one_in(3) {
                    random.below(256) as u8
                } else {
                    0
                };
                let header = batch::Header {
                    id: superblock.id,
                    session,
                    number: place.number,
                    position: place.position,
                    length: 0,
                    first: session_wrote.is_empty(),
                    time: random.below(2),
                    body: 0,
                };
                let bytes = log::batch(header, &vec![fill; len]);
                let header = batch::Header::decode::<Xxh64>(bytes.first_chunk().unwrap()).unwrap();
                let offset = superblock.offset_of(place.position).unwrap();
                if offset + header.room(4096) > (BLOCKS * BLOCK) as u64 {
                    break;
                }
                device.write(offset, &bytes);
                session_wrote.push(Written { header, bytes });
                place = ScanFrom {
                    position: place.position + header.room(4096),
                    number: place.number + 1,
                    session,
                };
                if random.one_in(4) {
                    device.flush();
                }
                if random.one_in(6) {
                    device.flush();
                    superblock.scan = place;
                    device.write_superblock(&superblock);
                }
            }
            if random.one_in(4) {
                device.flush();
                superblock.end_session(place);
                device.write_superblock(&superblock);
            }
            if !random.one_in(4) {
                device.crash(&mut random);
            }

            // A batch is there if its bytes are.
            let is_there = |written: &&Written| {
                let offset = superblock.offset_of(written.header.position).unwrap();
                device.read(offset, written.bytes.len()).as_ref() == Some(&written.bytes)
            };
            let whole = session_wrote.iter().take_while(is_there);
            before.extend(whole.map(|written| written.header));

            let now = device.superblock();
            assert_eq!((now.id, now.session), ([id; 16], session));
            let (found, end) = scan(&device, &now, Tail::first_of(&now, first_number));
            assert_eq!(found, before);
            // From the place in the superblock, the same end is found.
            let (found, same_end) = scan(&device, &now, Tail::of(&now));
            let after = |header: &&batch::Header| header.position >= now.scan.position;
            assert_eq!(
                found,
                before.iter().filter(after).copied().collect::<Vec<_>>()
            );
            assert_eq!(same_end.position, end.position);
            assert_eq!(same_end.number, end.number);
            if now.state == State::Closed {
                assert_eq!(now.scan, same_end);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn only_whole_batches_of_this_log_are_found(seed in any::<u64>()) {
        use_again_and_again(seed);
    }
}
