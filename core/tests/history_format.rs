// SPDX-License-Identifier: GPL-2.0

//! The format of a history's log: each value is where `docs/history.md` says, comes back, and is noticed if it changes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::{
    history::{
        batch,
        checksum::{
            self,
            Checksum, //
        },
        entry::{
            self,
            Bases,
            Begin,
            End,
            Entries,
            Entry,
            Gap,
            Issuer,
            Kind,
            NoEntry,
            Note, //
        },
        scan::Body,
        superblock::{
            self,
            NoSuperblock,
            ScanFrom,
            State,
            Superblock, //
        },
    },
    record::Flags, //
};
use log::Xxh64;
use proptest::prelude::*;

mod log;

/// Bytes in which these values are at these offsets, and zeroes everywhere else.
fn bytes<const N: usize>(values: &[(usize, &[u8])]) -> [u8; N] {
    let mut out = [0; N];
    for (offset, value) in values {
        out[*offset..offset + value.len()].copy_from_slice(value);
    }
    out
}

/// With this bit flipped.
fn flipped<const N: usize>(bytes: &[u8; N], bit: usize) -> [u8; N] {
    let mut out = *bytes;
    out[bit / 8] ^= 1 << (bit % 8);
    out
}

/// The checksums of the kernel's `xxh64`, by seed, for the first bytes of [`noise`].
const KERNELS: [(usize, [u64; 3]); 12] = [
    (
        0,
        [0xef46db3751d8e999, 0xd5afba1336a3be4b, 0xc4349fc93c010000],
    ),
    (
        1,
        [0xf88dba187615c755, 0x08f0877bb9f133cb, 0x247e88452cfeb326],
    ),
    (
        3,
        [0xa8289444bacb8722, 0x55de651113b370e6, 0x78593891bac2b4dd],
    ),
    (
        4,
        [0xb5f3937e33746dfe, 0x5be2cdc5d9a9ab1d, 0xcf7604471137b8cc],
    ),
    (
        7,
        [0x14b81207febde331, 0x77fe2bbc5edb32da, 0xb69638b354cf600d],
    ),
    (
        8,
        [0x483dbbb3efaf16af, 0x343b15ea0e4f03f4, 0x52a58be1211ee0fc],
    ),
    (
        31,
        [0xf5c9f1ca24bfd59e, 0x5dc53eac6371c1f5, 0x0845b4f17d385f61],
    ),
    (
        32,
        [0x9d7be8531562310d, 0x063d51318aeb4fb8, 0x8a8d5f0849b0748e],
    ),
    (
        33,
        [0x0ca16790699c7125, 0x1b6addc68e1f9ad3, 0x23cfe2afcadc2df8],
    ),
    (
        72,
        [0x4448e48fb27d3dae, 0x822324e5acbfc496, 0xef4bff1adcd02b2c],
    ),
    (
        504,
        [0xabdd4d1bdc4d7efd, 0x96513874f32a4d93, 0xe0b2fd4d2c36581b],
    ),
    (
        4016,
        [0x286ffd2bf0c8260e, 0x93d661492cb2fd6c, 0x65667f56b53fa342],
    ),
];

fn noise(len: usize) -> Vec<u8> {
    let mut state: u64 = 1;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn checksums_are_those_of_the_kernel() {
    for (len, wanted) in KERNELS {
        let bytes = noise(len);
        for (seed, wanted) in [0, 1, 0x9e3779b97f4a7c15].into_iter().zip(wanted) {
            assert_eq!(checksum::of::<Xxh64>(seed, &bytes), wanted, "{len} {seed}");
            let mut parts = Xxh64::new(seed);
            for part in bytes.chunks(5) {
                parts.update(part);
            }
            assert_eq!(parts.digest(), wanted, "{len} {seed}, in parts");
        }
    }
}

fn a_superblock() -> Superblock {
    Superblock {
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
        disk: *b"nvme0n1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        uuid: *b"41c22818-fbad-4da6-8196-c816df0b7aa8\0\0\0\0",
    }
}

fn superblock_bytes(superblock: &Superblock) -> [u8; superblock::SIZE] {
    let mut out = [0xff; superblock::SIZE];
    superblock.encode::<Xxh64>(&mut out);
    out
}

#[test]
fn a_superblock_has_its_layout() {
    let mut wanted: [u8; superblock::SIZE] = bytes(&[
        (0, b"imgr-log"),
        (8, &1_u32.to_le_bytes()),
        (12, &8192_u32.to_le_bytes()),
        (16, b"0123456789abcdef"),
        (32, &0x7000_0000_2000_u64.to_le_bytes()),
        (40, b"fedcba9876543210"),
        (56, &0x1122_3344_5566_7788_u64.to_le_bytes()),
        (64, &0x99_u64.to_le_bytes()),
        (72, &0x1_0000_u32.to_le_bytes()),
        (76, &1_u32.to_le_bytes()),
        (80, &0x0102_0304_0506_0708_u64.to_le_bytes()),
        (88, &0x7000_0000_4000_u64.to_le_bytes()),
        (96, &0x1112_1314_1516_1718_u64.to_le_bytes()),
        (104, &0x0102_0304_0506_0707_u64.to_le_bytes()),
        (112, &0x2122_2324_2526_2728_u64.to_le_bytes()),
        (120, b"nvme0n1"),
        (152, b"41c22818-fbad-4da6-8196-c816df0b7aa8"),
    ]);
    let sum = checksum::of::<Xxh64>(0, &wanted[..504]);
    wanted[504..512].copy_from_slice(&sum.to_le_bytes());

    assert!(superblock_bytes(&a_superblock()) == wanted);
    assert_eq!(Superblock::decode::<Xxh64>(&wanted), Ok(a_superblock()));
}

#[test]
fn each_bit_of_a_superblock_counts() {
    let whole = superblock_bytes(&a_superblock());
    for bit in 0..whole.len() * 8 {
        let wanted = if bit < 64 {
            NoSuperblock::Foreign
        } else {
            NoSuperblock::Damaged
        };
        assert_eq!(
            Superblock::decode::<Xxh64>(&flipped(&whole, bit)),
            Err(wanted),
            "bit {bit}"
        );
    }
}

/// A disk may write a part of the sectors of a block. Each sector has the old bytes or the new ones.
#[test]
fn a_superblock_survives_a_torn_write() {
    let old = a_superblock();
    let mut new = old.clone();
    new.begin_session(ScanFrom {
        position: 0x7000_0001_2000,
        number: 0x1112_1314_1516_1720,
        session: old.session,
    });
    let (before, after) = (superblock_bytes(&old), superblock_bytes(&new));
    assert!(before != after);
    for torn in 0..256_u32 {
        let mut block = before;
        for sector in (0..8).filter(|sector| torn & 1 << sector != 0) {
            let sector = sector * 512..(sector + 1) * 512;
            block[sector.clone()].copy_from_slice(&after[sector]);
        }
        let wanted = if torn & 1 == 0 { &old } else { &new };
        assert_eq!(Superblock::decode::<Xxh64>(&block).as_ref(), Ok(wanted));
    }
}

#[test]
fn what_is_no_superblock_is_told_apart() {
    let decode = |block: &[u8; superblock::SIZE]| Superblock::decode::<Xxh64>(block).unwrap_err();
    assert_eq!(decode(&[0; superblock::SIZE]), NoSuperblock::Empty);
    assert_eq!(decode(&[1; superblock::SIZE]), NoSuperblock::Foreign);
    assert_eq!(
        decode(&bytes(&[(4095, &[1])])),
        NoSuperblock::Foreign,
        "the last byte"
    );

    // With the right checksum, but values that are not possible.
    let whole = superblock_bytes(&a_superblock());
    let with = |offset: usize, value: &[u8]| {
        let mut block = whole;
        block[offset..offset + value.len()].copy_from_slice(value);
        let sum = checksum::of::<Xxh64>(0, &block[..504]);
        block[504..512].copy_from_slice(&sum.to_le_bytes());
        Superblock::decode::<Xxh64>(&block)
    };
    assert_eq!(with(0, b"i"), Ok(a_superblock()));
    assert_eq!(with(8, &[2]), Err(NoSuperblock::Version(2)));
    assert_eq!(with(11, &[1]), Err(NoSuperblock::Version(0x0100_0001)));
    let impossible: [(&str, usize, &[u8]); 16] = [
        ("block size 0", 12, &[0; 4]),
        ("block size 512", 12, &512_u32.to_le_bytes()),
        ("block size 12288", 12, &12288_u32.to_le_bytes()),
        ("block size 2 MiB", 12, &0x20_0000_u32.to_le_bytes()),
        ("first position", 32, &0x7000_0000_3000_u64.to_le_bytes()),
        ("chunk size 0", 72, &[0; 4]),
        ("chunk size 2048", 72, &2048_u32.to_le_bytes()),
        ("chunk size 12288", 72, &12288_u32.to_le_bytes()),
        ("state", 76, &[2]),
        ("scan in a block", 88, &0x7000_0000_5000_u64.to_le_bytes()),
        (
            "scan at the superblock",
            88,
            &0x7000_0000_2000_u64.to_le_bytes(),
        ),
        ("scan before", 88, &[0; 8]),
        (
            "scan's session",
            104,
            &0x0102_0304_0506_0709_u64.to_le_bytes(),
        ),
        ("after the fields", 192, &[1]),
        ("before the checksum", 503, &[1]),
        ("after the checksum", 512, &[1]),
    ];
    for (name, offset, value) in impossible {
        assert_eq!(with(offset, value), Err(NoSuperblock::Damaged), "{name}");
    }
}

#[test]
fn positions_have_offsets() {
    let superblock = a_superblock();
    assert_eq!(superblock.offset_of(0x7000_0000_1fff), None);
    assert_eq!(superblock.offset_of(0x7000_0000_2000), Some(0));
}

#[test]
fn sessions_begin_and_end_in_the_superblock() {
    let mut superblock = log::superblock(1, 4096);
    let end = ScanFrom {
        position: 8192,
        number: 7,
        session: 0,
    };
    assert_eq!(superblock.begin_session(end), 1);
    assert_eq!(
        (superblock.state, superblock.session, superblock.scan),
        (State::Open, 1, end)
    );
    let end = ScanFrom {
        position: 16384,
        number: 9,
        session: 1,
    };
    superblock.end_session(end);
    assert_eq!(
        (superblock.state, superblock.session, superblock.scan),
        (State::Closed, 1, end)
    );
}

fn a_batch() -> batch::Header {
    batch::Header {
        id: *b"0123456789abcdef",
        session: 0x0102_0304_0506_0708,
        number: 0x1112_1314_1516_1718,
        position: 0x2122_2324_2526_2000,
        length: 81,
        first: true,
        time: 0x3132_3334_3536_3738,
        body: 0x4142_4344_4546_4748,
    }
}

/// The seed as `docs/history.md` has it.
fn seed(id: &[u8; 16], session: u64) -> u64 {
    let half = |at: usize| u64::from_le_bytes(id[at..at + 8].try_into().unwrap());
    half(0) ^ (half(8) << 32 | half(8) >> 32) ^ session
}

#[test]
fn a_batch_has_its_layout() {
    let header = a_batch();
    let mut wanted: [u8; batch::HEADER] = bytes(&[
        (0, b"imgbatch"),
        (8, b"0123456789abcdef"),
        (24, &0x0102_0304_0506_0708_u64.to_le_bytes()),
        (32, &0x1112_1314_1516_1718_u64.to_le_bytes()),
        (40, &0x2122_2324_2526_2000_u64.to_le_bytes()),
        (48, &81_u32.to_le_bytes()),
        (52, &1_u32.to_le_bytes()),
        (56, &0x3132_3334_3536_3738_u64.to_le_bytes()),
        (64, &0x4142_4344_4546_4748_u64.to_le_bytes()),
    ]);
    let seed = seed(&header.id, header.session);
    assert_eq!(seed, batch::seed(&header.id, header.session));
    let sum = checksum::of::<Xxh64>(seed, &wanted[..72]);
    wanted[72..].copy_from_slice(&sum.to_le_bytes());

    assert_eq!(header.encode::<Xxh64>(), wanted);
    assert_eq!(batch::Header::decode::<Xxh64>(&wanted), Some(header));
}

#[test]
fn each_bit_of_a_batch_counts() {
    let body = noise(4096 - batch::HEADER);
    let whole = log::batch(a_batch(), &body);
    let is_whole = |bytes: &[u8]| {
        batch::Header::decode::<Xxh64>(bytes.first_chunk().unwrap()).is_some_and(|header| {
            let mut body = Body::<Xxh64>::of(&header);
            body.update(&bytes[batch::HEADER..]);
            body.is_whole()
        })
    };
    assert!(is_whole(&whole));
    let whole: [u8; 4096] = whole.try_into().unwrap();
    for bit in 0..whole.len() * 8 {
        assert!(!is_whole(&flipped(&whole, bit)), "bit {bit}");
    }
    // Those of the header are noticed in the header: its length is needed to read the body.
    let header = whole.first_chunk::<{ batch::HEADER }>().unwrap();
    for bit in 0..header.len() * 8 {
        let header = flipped(header, bit);
        assert_eq!(batch::Header::decode::<Xxh64>(&header), None, "bit {bit}");
    }
}

/// The same bytes are no batch of another session, nor of another log.
#[test]
fn a_checksum_is_that_of_its_session() {
    let body = noise(100);
    let bytes = log::batch(a_batch(), &body);
    let header = batch::Header::decode::<Xxh64>(bytes.first_chunk().unwrap()).unwrap();
    let is_whole = |header: &batch::Header| {
        let mut sum = Body::<Xxh64>::of(header);
        sum.update(&body);
        sum.is_whole()
    };
    assert!(is_whole(&header));
    assert!(!is_whole(&batch::Header {
        session: header.session + 1,
        ..header
    }));
    for byte in 0..16 {
        let mut id = header.id;
        id[byte] ^= 1;
        assert!(!is_whole(&batch::Header { id, ..header }), "byte {byte}");
    }
}

#[test]
fn a_body_is_whole_once_all_of_it_was_read() {
    let body = noise(3000);
    let bytes = log::batch(a_batch(), &body);
    let header = batch::Header::decode::<Xxh64>(bytes.first_chunk().unwrap()).unwrap();
    let mut sum = Body::<Xxh64>::of(&header);
    for part in body.chunks(7) {
        assert!(!sum.is_whole());
        sum.update(part);
    }
    assert!(sum.is_whole());
    assert_eq!(sum.left(), 0);
    // The padding does not count.
    sum.update(&[1, 2, 3]);
    assert!(sum.is_whole());

    // A body of nothing.
    let bytes = log::batch(a_batch(), &[]);
    let header = batch::Header::decode::<Xxh64>(bytes.first_chunk().unwrap()).unwrap();
    assert!(Body::<Xxh64>::of(&header).is_whole());
}

#[test]
fn batches_have_possible_lengths_and_flags() {
    let decode = |length: u32| {
        let header = batch::Header {
            length,
            ..a_batch()
        };
        batch::Header::decode::<Xxh64>(&header.encode::<Xxh64>()).map(|header| header.length)
    };
    for length in [80, 81, 64 << 20] {
        assert_eq!(decode(length), Some(length));
    }
    for length in [0, 79, (64 << 20) + 1, u32::MAX] {
        assert_eq!(decode(length), None);
    }
    // The checksum is right, and the flags are not known.
    let mut bytes = a_batch().encode::<Xxh64>();
    for (flags, known) in [(0, true), (1, true), (2, false), (3, false)] {
        bytes[52] = flags;
        let seed = seed(&a_batch().id, a_batch().session);
        let sum = checksum::of::<Xxh64>(seed, &bytes[..72]);
        bytes[72..].copy_from_slice(&sum.to_le_bytes());
        let header = batch::Header::decode::<Xxh64>(&bytes);
        assert_eq!(header.is_some(), known, "flags {flags}");
        assert!(header.is_none_or(|header| header.first == (flags == 1)));
    }
}

#[test]
fn batches_take_whole_blocks() {
    for (length, block, room) in [
        (80, 4096, 4096),
        (4095, 4096, 4096),
        (4096, 4096, 4096),
        (4097, 4096, 8192),
        (1, 1 << 20, 1 << 20),
        (u32::MAX, 1 << 20, 1 << 32),
        (u32::MAX, 1 << 31, 1 << 32),
    ] {
        assert_eq!(batch::room(length, block), room);
    }
}

fn an_entry() -> entry::Header {
    entry::Header {
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
            command: *b"kworker/u8:0\0\0\0\0",
        },
        payload: 512,
    }
}

#[test]
fn an_entry_has_its_layout() {
    let wanted: [u8; entry::HEADER] = bytes(&[
        (0, &592_u32.to_le_bytes()),
        (4, &[3, 0x77]),
        (8, &0x0102_0304_0506_0708_u64.to_le_bytes()),
        (16, &0x0012_1314_1516_1718_u64.to_le_bytes()),
        (24, &512_u64.to_le_bytes()),
        (32, &0x2122_2324_2526_2728_u64.to_le_bytes()),
        (40, &0x3132_3334_u32.to_le_bytes()),
        (44, &0x4142_4344_u32.to_le_bytes()),
        (48, &0x5152_5354_5556_5758_u64.to_le_bytes()),
        (56, b"kworker/u8:0"),
        (72, &512_u32.to_le_bytes()),
    ]);
    assert_eq!(an_entry().encode(), wanted);
    assert_eq!(entry::Header::decode(&wanted), Some(an_entry()));
    // What is reserved is zero.
    for byte in [6, 7, 76, 77, 78, 79] {
        assert_eq!(entry::Header::decode(&flipped(&wanted, byte * 8)), None);
    }
    // The size is that of the payload.
    for bit in (0..32).chain(72 * 8..76 * 8) {
        assert_eq!(entry::Header::decode(&flipped(&wanted, bit)), None);
    }
}

#[test]
fn kinds_and_ends_have_their_numbers() {
    let kinds = [
        Kind::Begin,
        Kind::End,
        Kind::Write,
        Kind::Base,
        Kind::Discard,
        Kind::WriteZeroes,
        Kind::SecureErase,
        Kind::Flush,
        Kind::Mark,
        Kind::Completions,
        Kind::Gap,
    ];
    assert_eq!(Kind::ALL, kinds);
    for (code, kind) in (1..).zip(kinds) {
        assert_eq!(kind as u8, code);
        assert_eq!(Kind::from_code(code), Some(kind));
    }
    assert_eq!((Kind::from_code(0), Kind::from_code(12)), (None, None));

    let words: Vec<_> = End::ALL.iter().map(|end| end.word()).collect();
    assert_eq!(words.join(" "), "suspended stopped full failed hung next");
    for (code, &end) in (1..).zip(End::ALL) {
        assert_eq!(end as u8, code);
        assert_eq!(End::from_code(code), Some(end));
    }
    assert_eq!((End::from_code(0), End::from_code(7)), (None, None));
    assert_eq!((Gap::LATER, Gap::BEFORE), (1, 2));
}

#[test]
fn sizes_are_multiples_of_8() {
    for (payload, size) in [
        (0, Some(80)),
        (1, Some(88)),
        (8, Some(88)),
        (512, Some(592)),
        (u32::MAX - 87, Some(u32::MAX - 7)),
        (u32::MAX - 86, None),
        (u32::MAX, None),
    ] {
        assert_eq!(entry::Header::size_with(payload), size, "{payload}");
    }
}

/// A reader need not check whether the payload fits the kind, or whether the range overflows.
#[test]
fn impossible_entries_are_refused() {
    let is_read = |change: &dyn Fn(&mut entry::Header)| {
        let mut header = an_entry();
        change(&mut header);
        entry::Header::decode(&header.encode()) == Some(header)
    };
    for &kind in Kind::ALL {
        let (bytes, wanted): (u64, &[u32]) = match kind {
            Kind::Begin => (0, &[40]),
            Kind::Write | Kind::Base => (512, &[512]),
            Kind::Mark => (0, &[0, 1, 32, 40, 512]),
            Kind::Completions => (0, &[0, 32, 512]),
            Kind::End
            | Kind::Discard
            | Kind::WriteZeroes
            | Kind::SecureErase
            | Kind::Flush
            | Kind::Gap => (512, &[0]),
        };
        let taken: Vec<_> = [0, 1, 32, 40, 512, u32::MAX]
            .into_iter()
            .filter(|payload| {
                is_read(&|header| {
                    header.kind = kind;
                    header.bytes = bytes;
                    header.payload = *payload;
                })
            })
            .collect();
        assert_eq!(taken, wanted, "{kind:?}");
    }

    let range = |sector, bytes| {
        is_read(&|header| {
            header.kind = Kind::Discard;
            header.payload = 0;
            header.sector = sector;
            header.bytes = bytes;
        })
    };
    assert!(range(0, 0));
    assert!(range((1 << 55) - 1, 0));
    assert!(range((1 << 55) - 2, 512));
    assert!(!range((1 << 55) - 1, 512));
    assert!(!range(1 << 55, 0));
    assert!(!range(u64::MAX, 0));
    assert!(!range(0, 511));
    assert!(!range(1, u64::MAX));
}

#[test]
fn a_begin_has_its_layout() {
    let begin = Begin {
        session: 0x0102_0304_0506_0708,
        real_time: 0x1112_1314_1516_1718,
        bases: Bases::Durable,
        chained: true,
        id: *b"0123456789abcdef",
    };
    let wanted: [u8; Begin::SIZE] = bytes(&[
        (0, &0x0102_0304_0506_0708_u64.to_le_bytes()),
        (8, &0x1112_1314_1516_1718_u64.to_le_bytes()),
        (16, &[2, 1]),
        (24, b"0123456789abcdef"),
    ]);
    assert_eq!(begin.encode(), wanted);
    assert_eq!(Begin::decode(&wanted), Some(begin));
    for (code, bases) in [(0, Bases::Off), (1, Bases::On), (2, Bases::Durable)] {
        let begin = Begin { bases, ..begin };
        assert_eq!(begin.encode()[16], code);
        assert_eq!(Begin::decode(&begin.encode()), Some(begin));
    }
    for (offset, value) in [(16, 3), (16, 255), (17, 2), (18, 1), (23, 1)] {
        let mut bytes = wanted;
        bytes[offset] = value;
        assert_eq!(Begin::decode(&bytes), None, "{offset}: {value}");
    }
}

#[test]
fn a_note_has_its_layout() {
    let note = Note {
        position: 0x0102_0304_0506_0708,
        head: 0x1112_1314_1516_1718,
        latency: 0x2122_2324_2526_2728,
        errno: 0x3132_3334,
    };
    let wanted: [u8; Note::SIZE] = bytes(&[
        (0, &0x0102_0304_0506_0708_u64.to_le_bytes()),
        (8, &0x1112_1314_1516_1718_u64.to_le_bytes()),
        (16, &0x2122_2324_2526_2728_u64.to_le_bytes()),
        (24, &0x3132_3334_u32.to_le_bytes()),
    ]);
    assert_eq!(note.encode(), wanted);
    assert_eq!(Note::decode(&wanted), Some(note));
    for byte in 28..32 {
        assert_eq!(Note::decode(&flipped(&wanted, byte * 8)), None);
    }
}

/// Two entries, one after the other, at position 1000.
fn two_entries() -> Vec<u8> {
    let mark = entry::Header {
        kind: Kind::Mark,
        position: 1000,
        sector: 0,
        bytes: 0,
        payload: 3,
        ..an_entry()
    };
    let flush = entry::Header {
        kind: Kind::Flush,
        position: 1088,
        payload: 0,
        ..mark
    };
    let mut bytes = mark.encode().to_vec();
    bytes.extend_from_slice(b"one\0\0\0\0\0");
    bytes.extend_from_slice(&flush.encode());
    bytes
}

#[test]
fn entries_follow_each_other() {
    let bytes = two_entries();
    let entries: Vec<_> = Entries::new(&bytes, 1000).collect();
    assert_eq!(entries.len(), 2);
    let Entry { header, payload } = entries[0].unwrap();
    assert_eq!(
        (header.kind, header.position, payload),
        (Kind::Mark, 1000, &b"one"[..])
    );
    let Entry { header, payload } = entries[1].unwrap();
    assert_eq!(
        (header.kind, header.position, payload),
        (Kind::Flush, 1088, &b""[..])
    );
    assert_eq!(Entries::new(&[], 1000).next(), None);
}

#[test]
fn entries_end_at_the_first_that_is_not_understood() {
    let whole = two_entries();
    let read = |bytes: &[u8], position| {
        let mut entries = Entries::new(bytes, position);
        let read: Vec<_> = entries.by_ref().take(5).collect();
        assert_eq!(entries.next(), None);
        let (last, before) = read.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok));
        (before.len(), last.map(|_| ()))
    };
    let wrong = |position| Err(NoEntry { position });
    // The position is another one.
    assert_eq!(read(&whole, 1008), (0, wrong(1008)));
    // The padding is not zero.
    for byte in 83..88 {
        let mut bytes = whole.clone();
        bytes[byte] = 1;
        assert_eq!(read(&bytes, 1000), (0, wrong(1000)));
    }
    // The second is cut off, or is none.
    for len in 89..whole.len() {
        assert_eq!(read(&whole[..len], 1000), (1, wrong(1088)));
    }
    for len in 1..88 {
        assert_eq!(read(&whole[..len], 1000), (0, wrong(1000)));
    }
    let mut bytes = whole.clone();
    bytes[88 + 4] = 12;
    assert_eq!(read(&bytes, 1000), (1, wrong(1088)));
    // An entry that ends at the last position of all.
    assert_eq!(read(&whole, u64::MAX), (0, wrong(u64::MAX)));
}

fn position() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]
}

fn header() -> impl Strategy<Value = (entry::Header, Vec<u8>)> {
    let range = (0..1_u64 << 54, 0_u32..9);
    let issuer = (any::<u32>(), any::<u64>(), any::<[u8; 16]>());
    (
        prop::sample::select(Kind::ALL),
        any::<u8>(),
        range,
        any::<u64>(),
        any::<u32>(),
        issuer,
        prop::collection::vec(any::<u8>(), 512 * 8),
    )
        .prop_map(
            |(kind, detail, (sector, sectors), time, flags, (pid, cgroup, command), mut data)| {
                let len = match kind {
                    Kind::Write | Kind::Base => sectors * 512,
                    Kind::Begin => 40,
                    Kind::Mark => sectors * 11,
                    Kind::Completions => sectors * 32,
                    Kind::End
                    | Kind::Discard
                    | Kind::WriteZeroes
                    | Kind::SecureErase
                    | Kind::Flush
                    | Kind::Gap => 0,
                };
                data.truncate(len as usize);
                let header = entry::Header {
                    kind,
                    detail,
                    position: 0,
                    sector,
                    bytes: u64::from(sectors) * 512,
                    time,
                    flags: Flags::from_bits(flags),
                    issuer: Issuer {
                        pid,
                        cgroup,
                        command,
                    },
                    payload: len,
                };
                (header, data)
            },
        )
}

proptest! {
    #[test]
    fn batches_come_back(
        id in any::<[u8; 16]>(),
        session in any::<u64>(),
        number in any::<u64>(),
        position in position(),
        length in 80_u32..=64 << 20,
        first in any::<bool>(),
        time in any::<u64>(),
        body in any::<u64>(),
    ) {
        let header = batch::Header { id, session, number, position, length, first, time, body };
        prop_assert_eq!(batch::Header::decode::<Xxh64>(&header.encode::<Xxh64>()), Some(header));
    }

    #[test]
    fn entries_come_back(entries in prop::collection::vec(header(), 0..8), start in 0..1_u64 << 48) {
        let mut bytes = Vec::new();
        let mut wanted = Vec::new();
        for (mut header, payload) in entries {
            header.position = start + bytes.len() as u64;
            bytes.extend_from_slice(&header.encode());
            bytes.extend_from_slice(&payload);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            wanted.push((header, payload));
        }
        let read: Vec<_> = Entries::new(&bytes, start)
            .map(|entry| entry.map(|Entry { header, payload }| (header, payload.to_vec())))
            .collect();
        prop_assert_eq!(read, wanted.into_iter().map(Ok).collect::<Vec<_>>());
    }

    /// Whatever the bytes are, the entries have positions and sizes that fit, and end.
    #[test]
    fn entries_never_overlap(
        mut bytes in prop::collection::vec(any::<u8>(), 0..600),
        entries in prop::collection::vec((0..600_usize, 0..12_u8, 0..100_u32), 0..20),
        start in position(),
    ) {
        // Random bytes are no entries. Some headers make them look like it.
        for (at, kind, payload) in entries {
            let header = entry::Header {
                kind: Kind::from_code(kind).unwrap_or(Kind::Mark),
                position: start.wrapping_add(at as u64),
                payload,
                ..an_entry()
            };
            if let Some(to) = bytes.get_mut(at..at + entry::HEADER) {
                to.copy_from_slice(&header.encode());
            }
        }
        let mut at = start;
        for entry in Entries::new(&bytes, start) {
            match entry {
                Ok(Entry { header, payload }) => {
                    prop_assert_eq!(header.position, at);
                    prop_assert_eq!(payload.len(), header.payload as usize);
                    at += u64::from(header.size().unwrap());
                }
                Err(NoEntry { position }) => prop_assert_eq!(position, at),
            }
        }
    }
}
