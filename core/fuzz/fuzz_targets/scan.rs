// SPDX-License-Identifier: GPL-2.0

//! The end of a log, on a device with batches of any kind: the same as a reader finds that was written from
//! `docs/history.md`.

#![no_main]

use imgrement_core::history::{
    batch,
    checksum,
    scan::{
        Body,
        Tail, //
    },
    superblock::{
        LogId,
        ScanFrom,
        State,
        Superblock, //
    }, //
};
use imgrement_fuzz::xxh64::Xxh64;
use libfuzzer_sys::fuzz_target;

const BLOCK: usize = 4096;
const BLOCKS: usize = 16;

/// The bytes of the input, one after the other, and then zeroes.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        u64::from(self.byte()) % end
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    let digits = bytes[at..at + len].iter().rev();
    digits.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The seed of a session's checksums.
fn seed(id: &LogId, session: u64) -> u64 {
    number(id, 0, 8) ^ number(id, 8, 8).rotate_left(32) ^ session
}

/// The numbers of the batches that belong to the log, and the place after them.
fn read(device: &[u8], superblock: &Superblock, from: ScanFrom) -> (Vec<u64>, ScanFrom) {
    let mut place = from;
    let mut numbers = Vec::new();

    loop {
        let at = (place.position - superblock.first_position) as usize;
        let Some(header) = device.get(at..at + 80) else {
            break;
        };
        let session = number(header, 24, 8);
        let length = number(header, 48, 4) as usize;
        let seed = seed(&superblock.id, session);
        let first = match number(header, 52, 4) {
            0 => false,
            1 => true,
            _ => break,
        };
        let is_next = header[..8] == *b"imgbatch"
            && header[8..24] == superblock.id
            && number(header, 32, 8) == place.number
            && number(header, 40, 8) == place.position
            && (80..=64 << 20).contains(&length)
            && number(header, 72, 8) == checksum::of::<Xxh64>(seed, &header[..72]);
        let is_in_order = if session == place.session {
            !first
        } else {
            session > place.session && first
        };
        let is_late = place.position >= superblock.scan.position;
        let is_known = if is_late {
            session == superblock.session
        } else {
            session <= superblock.session
        };
        if !is_next || !is_in_order || !is_known {
            break;
        }
        let Some(body) = device.get(at + 80..at + length) else {
            break;
        };
        if number(header, 64, 8) != checksum::of::<Xxh64>(seed, body) {
            break;
        }
        numbers.push(place.number);
        place = ScanFrom {
            position: place.position + length.div_ceil(BLOCK) as u64 * BLOCK as u64,
            number: place.number + 1,
            session,
        };
    }
    (numbers, place)
}

/// The same, by the code.
fn scan(device: &[u8], superblock: &Superblock, mut tail: Tail) -> (Vec<u64>, ScanFrom) {
    let mut numbers = Vec::new();

    loop {
        let place = tail.next();
        let bytes = superblock
            .offset_of(place.position)
            .and_then(|offset| device.get(usize::try_from(offset).ok()?..));
        let header = bytes
            .and_then(|bytes| bytes.first_chunk())
            .and_then(batch::Header::decode::<Xxh64>)
            .filter(|header| tail.is_followed_by(header));
        let (Some(bytes), Some(header)) = (bytes, header) else {
            return (numbers, place);
        };
        let mut body = Body::<Xxh64>::of(&header);
        body.update(&bytes[batch::HEADER..]);
        if !body.is_whole() || !tail.pass(&header) {
            return (numbers, place);
        }
        numbers.push(header.number);
        assert!(numbers.len() < BLOCKS);
    }
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let mut device = vec![0; BLOCK * BLOCKS];
    let place = |input: &mut Input<'_>| ScanFrom {
        position: (1 + input.below(4)) * BLOCK as u64,
        number: input.below(4),
        session: input.below(3),
    };
    let superblock = Superblock {
        block_size: BLOCK as u32,
        id: [1; 16],
        first_position: 0,
        previous: [0; 16],
        sectors: 8,
        offset: 0,
        chunk_size: 4096,
        state: State::Open,
        session: input.below(4),
        scan: place(&mut input),
        made: 0,
        disk: [0; 32],
        uuid: [0; 40],
    };
    let first_number = input.below(4);

    // Batches, of which most follow each other.
    let mut next = if input.below(2) == 0 {
        superblock.scan
    } else {
        Tail::first_of(&superblock, first_number).next()
    };
    for _ in 0..1 + input.below(BLOCKS as u64) {
        let odd = input.byte();
        let mut change = |bit: u8| {
            if odd & 1 << bit == 0 {
                0
            } else {
                input.below(3)
            }
        };
        let later = change(0);
        let header = batch::Header {
            id: [1 + change(1) as u8; 16],
            session: next.session + later,
            number: next.number + change(2),
            position: next.position + change(3) * BLOCK as u64,
            length: 0,
            first: (later != 0) != (change(4) != 0),
            time: 0,
            body: 0,
        };
        let len = input.below(3) as usize * BLOCK + 8 * input.below(20) as usize;
        let body = vec![input.byte(); len];
        let header = batch::Header {
            length: (batch::HEADER + len) as u32,
            body: checksum::of::<Xxh64>(batch::seed(&header.id, header.session), &body),
            ..header
        };
        let at = next.position as usize;
        if let Some(to) = device.get_mut(at..at + batch::HEADER + len) {
            to[..batch::HEADER].copy_from_slice(&header.encode::<Xxh64>());
            to[batch::HEADER..].copy_from_slice(&body);
        }
        next = ScanFrom {
            position: next.position + header.room(BLOCK as u32),
            number: header.number + 1,
            session: header.session,
        };
    }
    // What the device has lost.
    for _ in 0..input.below(3) {
        let at = BLOCK * input.below(BLOCKS as u64) as usize + 2 * usize::from(input.byte());
        device[at] ^= input.byte();
    }

    for tail in [
        Tail::of(&superblock),
        Tail::first_of(&superblock, first_number),
    ] {
        let wanted = read(&device, &superblock, tail.next());
        assert_eq!(scan(&device, &superblock, tail), wanted);
    }
});
