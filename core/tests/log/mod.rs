// SPDX-License-Identifier: GPL-2.0

//! Shared by the tests of the history's log.

// Not all of them need all of it.
#![allow(dead_code)]

use imgrement_core::history::{
    batch,
    checksum::{
        self,
        Checksum, //
    },
    superblock::{
        ScanFrom,
        State,
        Superblock, //
    }, //
};
use xxhash_rust::xxh64;

/// XXH64 in user space.
pub(crate) struct Xxh64(xxh64::Xxh64);

impl Checksum for Xxh64 {
    fn new(seed: u64) -> Self {
        Self(xxh64::Xxh64::new(seed))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> u64 {
        self.0.digest()
    }
}

/// The superblock of a new log.
pub(crate) fn superblock(id: u8, block_size: u32) -> Superblock {
    Superblock {
        block_size,
        id: [id; 16],
        first_position: 0,
        previous: [0; 16],
        sectors: 8192,
        offset: 0,
        chunk_size: 4096,
        state: State::Closed,
        session: 0,
        scan: ScanFrom {
            position: u64::from(block_size),
            number: 0,
            session: 0,
        },
        made: 0,
        disk: [0; 32],
        uuid: [0; 40],
    }
}

/// A batch with this body, whose header says `header`, except for what follows from the body.
pub(crate) fn batch(mut header: batch::Header, body: &[u8]) -> Vec<u8> {
    header.length = u32::try_from(batch::HEADER + body.len()).unwrap();
    header.body = checksum::of::<Xxh64>(batch::seed(&header.id, header.session), body);

    let mut bytes = header.encode::<Xxh64>().to_vec();
    bytes.extend_from_slice(body);
    bytes
}
