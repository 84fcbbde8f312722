// SPDX-License-Identifier: GPL-2.0

//! Parts of a history's log: a superblock, the header of a batch, and its entries. What is read prints the same bytes.

#![no_main]

use imgrement_core::history::{
    batch,
    checksum,
    entry::{
        self,
        Begin,
        Entries,
        Kind,
        Note, //
    },
    superblock::{
        self,
        NoSuperblock,
        Superblock, //
    }, //
};
use imgrement_fuzz::xxh64::Xxh64;
use libfuzzer_sys::fuzz_target;

/// The input, cut or continued with zeroes.
fn array<const N: usize>(input: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let len = input.len().min(N);
    bytes[..len].copy_from_slice(&input[..len]);
    bytes
}

fn read_superblock(input: &[u8]) {
    let mut block: [u8; superblock::SIZE] = array(input);
    let is_empty = block.iter().all(|&byte| byte == 0);
    // Most inputs have a wrong checksum.
    for _ in 0..2 {
        match Superblock::decode::<Xxh64>(&block) {
            Ok(read) => {
                let mut again = [0xff; superblock::SIZE];
                read.encode::<Xxh64>(&mut again);
                assert!(again == block);
                assert!(read.scan.position > read.first_position);
                assert_eq!(read.offset_of(read.first_position), Some(0));
            }
            Err(NoSuperblock::Empty) => assert!(is_empty),
            Err(NoSuperblock::Foreign) => assert!(!block.starts_with(b"imgr-log")),
            Err(NoSuperblock::Version(version)) => assert_ne!(version, superblock::VERSION),
            Err(NoSuperblock::Damaged) => {}
        }
        let sum = checksum::of::<Xxh64>(0, &block[..504]);
        block[504..512].copy_from_slice(&sum.to_le_bytes());
    }
}

fn read_batch(input: &[u8]) {
    let mut bytes: [u8; batch::HEADER] = array(input);
    for _ in 0..2 {
        if let Some(header) = batch::Header::decode::<Xxh64>(&bytes) {
            assert_eq!(header.encode::<Xxh64>(), bytes);
            for block in [4096, 1 << 20] {
                let room = header.room(block);
                assert!(
                    room % u64::from(block) == 0
                        && room - u64::from(header.length) < u64::from(block)
                );
            }
        }
        let session = u64::from_le_bytes(array(&bytes[24..]));
        let seed = batch::seed(&array(&bytes[8..]), session);
        let sum = checksum::of::<Xxh64>(seed, &bytes[..72]);
        bytes[72..].copy_from_slice(&sum.to_le_bytes());
    }
}

fn read_entries(input: &[u8]) {
    let position = u64::from_le_bytes(array(input));
    let body = input.get(8..).unwrap_or_default();
    let mut at = 0;

    for read in Entries::new(body, position) {
        let Ok(entry) = read else {
            let error = read.unwrap_err();
            assert_eq!(error.position, position + at as u64);
            return;
        };
        let header = entry.header;
        assert_eq!(header.position, position + at as u64);
        assert_eq!(header.encode(), body[at..at + entry::HEADER]);
        assert_eq!(entry.payload.len(), header.payload as usize);
        assert!(header.sector * 512 <= u64::MAX - header.bytes);
        match header.kind {
            Kind::Write | Kind::Base => assert_eq!(entry.payload.len() as u64, header.bytes),
            Kind::Begin => {
                let bytes = array(entry.payload);
                assert!(Begin::decode(&bytes).is_none_or(|begin| begin.encode() == bytes));
            }
            Kind::Completions => {
                for bytes in entry.payload.chunks(Note::SIZE).map(array) {
                    assert!(Note::decode(&bytes).is_none_or(|note| note.encode() == bytes));
                }
            }
            Kind::End
            | Kind::Discard
            | Kind::WriteZeroes
            | Kind::SecureErase
            | Kind::Flush
            | Kind::Mark
            | Kind::Gap => {}
        }
        at += header.size().expect("it was read") as usize;
    }
    assert_eq!(at, body.len());
}

fuzz_target!(|input: &[u8]| {
    let Some((what, input)) = input.split_first() else {
        return;
    };
    match what % 3 {
        0 => read_superblock(input),
        1 => read_batch(input),
        _ => read_entries(input),
    }
});
