// SPDX-License-Identifier: GPL-2.0

//! Logs that are cut, flipped or full of nonsense; several devices; points; and the export for log-writes.

use super::{
    list::{
        list,
        Filter, //
    },
    log::Log,
    log_writes,
    make::{
        Maker,
        BEGAN, //
    },
    oracle::Temporary,
    point::{
        self,
        Finder,
        Point,
        Spec, //
    },
    state::{
        Question,
        State, //
    },
};
use crate::failure::Failure;
use imgrement_core::{
    history::{
        entry::{
            Bases,
            End,
            Issuer,
            Kind,
            Note, //
        },
        superblock::State as Ended,
    },
    record::Flags,
};
use proptest::prelude::*;
use std::{
    fs::File,
    io::{
        Cursor,
        Read, //
    },
    os::unix::fs::FileExt,
    path::PathBuf,
};

const SECTORS: u64 = 64;

/// A log with some of everything, in small batches.
fn some_log() -> Maker<Cursor<Vec<u8>>> {
    let mut maker = Maker::new(Cursor::new(Vec::new()), [3; 16], SECTORS, 4096);
    let mut command = [0; 16];
    command[..3].copy_from_slice(b"fio");
    maker.issuer = Issuer {
        pid: 4711,
        cgroup: 5,
        command,
    };
    maker.begin(Bases::On, false).unwrap();
    maker.base(0, &[1; 4096]).unwrap();
    maker.write(2, &[2; 1024]).unwrap();
    maker.seal().unwrap();
    maker.mark("one").unwrap();
    maker.entry(Kind::Discard, 0, 8, 4096, &[]).unwrap();
    maker.seal().unwrap();
    maker.end(End::Suspended).unwrap();
    maker.begin(Bases::Off, true).unwrap();
    maker.flags = Flags::FUA;
    let position = maker.write(16, &[3; 512]).unwrap();
    maker.seal().unwrap();
    maker
        .notes(&[Note {
            position,
            head: maker.head(),
            latency: 1000,
            errno: 0,
        }])
        .unwrap();
    maker
}

fn closed_log() -> Vec<u8> {
    let mut maker = some_log();
    maker.end(End::Stopped).unwrap();
    maker.finish(Ended::Closed).unwrap().into_inner()
}

/// A log of the first version of the format, and how it is listed. `GOLDEN=1` writes both.
#[test]
fn the_golden_log_is_read() {
    let made = closed_log();
    let file = Temporary::new(&made);
    let mut found = Vec::new();
    for json in [false, true] {
        let log = Log::open(file.paths()).unwrap();
        list(log, &Filter::default(), json, &mut found).unwrap();
    }
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write("src/history/golden/log.img", &made).unwrap();
        std::fs::write("src/history/golden/list.txt", &found).unwrap();
        return;
    }
    let golden: &[u8] = include_bytes!("golden/log.img");
    assert!(golden == made, "the format has changed");
    let wanted = include_str!("golden/list.txt");
    assert_eq!(String::from_utf8(found).unwrap(), wanted);
}

/// The positions of all entries, and the damage.
fn read(paths: &[PathBuf]) -> Result<(Vec<u64>, Option<u64>), Failure> {
    let mut positions = Vec::new();
    let mut log = Log::open(paths)?;
    let begin = log.begin();
    log.read(begin, |_, entry| {
        positions.push(entry.header.position);
        Ok(true)
    })?;
    Ok((positions, log.flaw().map(|flaw| flaw.position)))
}

/// The first byte of each batch, and the one after its last.
fn batches(bytes: &[u8]) -> Vec<(usize, usize)> {
    (4096..bytes.len())
        .step_by(4096)
        .filter(|at| bytes[*at..].starts_with(b"imgbatch"))
        .map(|at| {
            let length = u32::from_le_bytes(bytes[at + 48..at + 52].try_into().unwrap());
            (at, at + length as usize)
        })
        .collect()
}

#[test]
fn a_log_that_is_cut_is_read_to_there() {
    let bytes = closed_log();
    let file = Temporary::new(&bytes);
    let (all, damage) = read(file.paths()).unwrap();
    assert_eq!((all.len(), damage), (10, None));
    let end = batches(&bytes).last().unwrap().1;
    for length in (0..bytes.len()).rev() {
        File::options()
            .write(true)
            .open(&file.0)
            .unwrap()
            .set_len(length as u64)
            .unwrap();
        match read(file.paths()) {
            Ok((some, damage)) => {
                assert!(all.starts_with(&some), "{length}");
                assert_eq!(damage.is_some(), length < end, "{length}");
                assert_eq!(some.len() < all.len(), length < end, "{length}");
            }
            Err(_) => assert!(length < 4096, "{length}"),
        }
    }
}

#[test]
fn each_flipped_byte_is_noticed() {
    let bytes = closed_log();
    let file = Temporary::new(&bytes);
    let (all, _) = read(file.paths()).unwrap();
    let open = File::options().write(true).open(&file.0).unwrap();
    let batches = batches(&bytes);
    assert_eq!(batches.len(), 5);
    for (at, byte) in bytes.iter().enumerate() {
        open.write_all_at(&[byte ^ 4], at as u64).unwrap();
        let padding = at >= 4096 && !batches.iter().any(|(from, to)| (*from..*to).contains(&at));
        match read(file.paths()) {
            Ok((some, damage)) => {
                assert!(all.starts_with(&some), "{at}");
                assert!(
                    at >= 4096,
                    "a superblock with a wrong byte {at} is accepted"
                );
                assert_eq!(damage.is_none(), padding, "{at}");
                if let Some(damage) = damage {
                    let (from, _) = batches.iter().rfind(|(from, _)| *from <= at).unwrap();
                    assert_eq!(damage, *from as u64);
                }
            }
            Err(_) => assert!(at < 4096, "{at}"),
        }
        open.write_all_at(&[*byte], at as u64).unwrap();
    }
}

/// A log of many small batches that has no end.
fn crashed(batches: u8) -> Vec<u8> {
    let mut maker = Maker::new(Cursor::new(Vec::new()), [4; 16], SECTORS, 4096);
    maker.begin(Bases::Off, false).unwrap();
    for value in 1..batches {
        maker.write(u64::from(value), &[value; 512]).unwrap();
        maker.seal().unwrap();
    }
    let mut bytes = maker.finish(Ended::Open).unwrap().into_inner();
    bytes.resize(bytes.len() + 65536, 0);
    bytes
}

#[test]
fn a_torn_tail_is_no_damage() {
    let bytes = crashed(40);
    // A batch has a block. The first one has the begin and a write.
    let batch_of = |entries: usize| entries.saturating_sub(1);
    for offset in [0, 40, 100] {
        for torn in 0..39 {
            let mut bytes = bytes.clone();
            bytes[4096 * (1 + torn) + offset] ^= 1;
            let file = Temporary::new(&bytes);
            let (some, damage) = read(file.paths()).unwrap();
            // So many may have been on their way at the same time.
            let many = 39 - torn > 16;
            assert_eq!(batch_of(some.len()), torn, "{torn} {offset}");
            assert_eq!(damage.is_some(), many, "{torn} {offset}");
        }
    }
}

#[test]
fn what_an_earlier_log_left_is_not_read() {
    let mut earlier = crashed(40);
    let later = {
        let mut maker = Maker::new(Cursor::new(Vec::new()), [5; 16], SECTORS, 4096);
        maker.begin(Bases::Off, false).unwrap();
        maker.write(1, &[1; 512]).unwrap();
        maker.finish(Ended::Open).unwrap().into_inner()
    };
    earlier[..later.len()].copy_from_slice(&later);
    let file = Temporary::new(&earlier);
    let (some, damage) = read(file.paths()).unwrap();
    assert_eq!((some.len(), damage), (2, None));
}

/// Three devices in a chain, each with one mark.
fn chain() -> Vec<Temporary> {
    let mut files = Vec::new();
    let mut maker = Maker::new(Cursor::new(Vec::new()), [1; 16], SECTORS, 4096);
    for (id, mark) in [(2_u8, "a"), (3, "b"), (4, "c")] {
        maker.begin(Bases::On, id > 2).unwrap();
        maker.base(0, &[id; 4096]).unwrap();
        maker.write(0, &[id * 16; 512]).unwrap();
        maker.mark(mark).unwrap();
        maker.end(End::Next).unwrap();
        let (out, next) = maker.next(Cursor::new(Vec::new()), [id; 16]).unwrap();
        files.push(Temporary::new(out.get_ref()));
        maker = next;
    }
    files
}

#[test]
fn devices_in_a_chain_are_one_log() {
    let files = chain();
    let paths: Vec<_> = files.iter().map(|file| file.0.clone()).collect();
    let (all, damage) = read(&paths).unwrap();
    assert_eq!((all.len(), damage), (15, None));
    assert!(all.is_sorted());
    // The last ones alone are a log, too.
    assert_eq!(read(&paths[1..]).unwrap().0, all[5..]);
    assert_eq!(read(&paths[2..]).unwrap().0, all[10..]);
    // What does not follow is refused.
    for wrong in [[0, 2], [1, 0], [0, 0]] {
        let wrong = wrong.map(|index| paths[index].clone());
        assert!(read(&wrong).is_err());
    }
    // The bytes come from the right device.
    for (text, value) in [("a", 32), ("b", 48), ("c", 64)] {
        let state = find(Log::open(&paths).unwrap(), text).unwrap();
        let mut first = None;
        super::copy::copy(
            &state,
            |_| true,
            |_, part| {
                if let super::copy::Part::Bytes(bytes) = part {
                    first = first.or(bytes.first().copied());
                }
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(first, Some(value), "{text}");
    }
}

fn find(log: Log, at: &str) -> Result<State, Failure> {
    let question = Question {
        at: point::parse(at).unwrap(),
        sectors: Some(0..1),
        assume_unchanged: false,
        base: None,
        disk: None,
        live: false,
    };
    State::find(log, question)
}

fn point_of(bytes: &[u8], at: &str) -> Result<Point, Failure> {
    let file = Temporary::new(bytes);
    find(Log::open(file.paths())?, at).map(|state| state.point)
}

#[test]
fn points_are_found() {
    let mut maker = Maker::new(Cursor::new(Vec::new()), [3; 16], SECTORS, 4096);
    let second = 1_000_000_000;
    let begin = maker.begin(Bases::Off, false).unwrap();
    let mut writes = Vec::new();
    for number in 0..10_u8 {
        maker.time = u64::from(number + 2) * second;
        writes.push(maker.write(0, &[number; 512]).unwrap());
        if number == 4 {
            maker.mark("five").unwrap();
        }
        if number % 3 == 0 {
            maker.mark("third").unwrap();
        }
    }
    let five = writes[4] + 592;
    maker.end(End::Stopped).unwrap();
    let bytes = maker.finish(Ended::Closed).unwrap().into_inner();
    let at = |text: &str| point_of(&bytes, text).map(|point| point.position);

    assert_eq!(at("begin").unwrap(), 4096);
    assert_eq!(at("end").unwrap(), bytes.len() as u64);
    assert_eq!(at("five").unwrap(), five);
    assert_eq!(at(&writes[3].to_string()).unwrap(), writes[3]);
    // The first write comes a second after the begin, at 12:00:02.
    assert_eq!(at("begin+500ms").unwrap(), begin + 120);
    assert_eq!(at("begin+1").unwrap(), writes[0] + 592);
    assert_eq!(at("12:00:03").unwrap(), writes[1] + 592);
    assert_eq!(at("2026-11-27T12:00:04.5Z").unwrap(), writes[2] + 592);
    assert_eq!(at("end-3.5s").unwrap(), writes[5] + 592);
    // Later than all.
    assert_eq!(at("2027-01-01T00:00:00Z").unwrap(), bytes.len() as u64);
    assert!(at("2026-11-27T11:59:59Z").is_err());
    assert!(at("4095").is_err());
    assert!(at(&(bytes.len() + 1).to_string()).is_err());
    assert_eq!(BEGAN / second % 86400, 12 * 3600);

    let wrong = at("six").unwrap_err();
    assert_eq!(wrong.to_string(), "the log has no mark \"six\"");
    let ambiguous = at("third").unwrap_err();
    assert!(ambiguous.to_string().contains("more than one mark"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Entries whose checksums are right may say anything: nothing panics, and each sector has one answer.
    #[test]
    fn nonsense_is_read(
        entries in prop::collection::vec(
            (
                prop::sample::select(Kind::ALL),
                any::<u8>(),
                prop_oneof![0..100_u64, any::<u64>()],
                prop_oneof![0..9999_u64, any::<u64>()],
                prop::collection::vec(any::<u8>(), 0..1100),
                any::<bool>(),
            ),
            0..30,
        ),
        at in any::<prop::sample::Index>(),
    ) {
        let mut maker = Maker::new(Cursor::new(Vec::new()), [3; 16], SECTORS, 4096);
        maker.begin(Bases::On, false).unwrap();
        for (kind, detail, sector, bytes, payload, seal) in &entries {
            let has_bytes = *kind == Kind::Write || *kind == Kind::Base;
            let length = match *seal && has_bytes {
                true => payload.len() / 512 * 512,
                false => payload.len(),
            };
            let payload = &payload[..length];
            let bytes = if *seal { payload.len() as u64 } else { *bytes };
            maker.entry(*kind, *detail, *sector, bytes, payload).unwrap();
            if *seal {
                maker.seal().unwrap();
            }
        }
        let file = Temporary::new(maker.finish(Ended::Closed).unwrap().get_ref());
        let log = Log::open(file.paths()).unwrap();
        let point = log.begin() + at.index(1 + usize::try_from(log.end() - log.begin()).unwrap()) as u64;
        let question = Question {
            at: Spec::Position(point.min(log.end())),
            sectors: None,
            assume_unchanged: false,
            base: None,
            disk: None,
            live: false,
        };
        // The point may lie behind the damage.
        if let Ok(state) = State::find(log, question) {
            let mut end = 0;
            for segment in state.segments() {
                prop_assert_eq!(segment.sectors.start, end);
                end = segment.sectors.end;
            }
            prop_assert_eq!(end, SECTORS);
        }
    }

    /// The export has the order of dm-log-writes, whatever the order in which requests complete.
    #[test]
    fn the_export_has_the_order_of_log_writes(
        steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>()), 1..120),
    ) {
        let mut maker = Maker::new(Cursor::new(Vec::new()), [3; 16], 1 << 20, 4096);
        maker.begin(Bases::Off, false).unwrap();
        // What the kernel's target would do, event by event. A request is its number, and its flags.
        let mut wanted: Vec<(u64, u64)> = Vec::new();
        let mut waiting = Vec::new();
        let mut flying = Vec::<(u64, u64, u64, Vec<_>)>::new();
        let mut complete = Vec::new();
        let mut number = 0;
        let mut all = steps.clone();
        // In the end, all complete.
        all.extend(std::iter::repeat_n((7, steps[0].1), steps.len()));
        for (what, which) in all {
            number += 1;
            let data = [u8::try_from(number % 251).unwrap(); 512];
            let send = |maker: &mut Maker<_>, kind, flags, payload: &[u8], bytes| {
                maker.flags = flags;
                maker.entry(kind, 0, number, bytes, payload).unwrap()
            };
            match what {
                0 | 1 => {
                    let position = send(&mut maker, Kind::Write, Flags::NONE, &data, 512);
                    flying.push((position, number, 0, Vec::new()));
                }
                2 => {
                    let position = send(&mut maker, Kind::Write, Flags::FUA, &data, 512);
                    flying.push((position, number, 2, Vec::new()));
                }
                3 => {
                    let flags = Flags::PREFLUSH.with(Flags::FUA);
                    let position = send(&mut maker, Kind::Write, flags, &data, 512);
                    flying.push((position, number, 3, std::mem::take(&mut waiting)));
                }
                4 => {
                    let position = send(&mut maker, Kind::Flush, Flags::PREFLUSH, &[], 0);
                    flying.push((position, number, 1, std::mem::take(&mut waiting)));
                }
                5 => {
                    let position = send(&mut maker, Kind::Discard, Flags::NONE, &[], 8192);
                    flying.push((position, number, 4, Vec::new()));
                }
                6 => {
                    maker.mark("mark").unwrap();
                    wanted.push((0, 8));
                }
                _ => {}
            }
            if what < 7 || flying.is_empty() {
                continue;
            }
            let (position, number, flags, taken) = flying.remove(which.index(flying.len()));
            complete.push(Note { position, head: maker.head(), latency: 1, errno: 0 });
            match flags {
                1 | 3 => {
                    wanted.extend(taken);
                    wanted.push((number, flags));
                }
                2 => wanted.push((number, flags)),
                _ => waiting.push((number, flags)),
            }
            // The kernel notes completions a little later, and no two at the same head here.
            maker.mark("between").unwrap();
            wanted.push((0, 8));
            if which.index(3) == 0 {
                maker.notes(&complete).unwrap();
                complete.clear();
            }
        }
        maker.notes(&complete).unwrap();
        maker.end(End::Suspended).unwrap();
        wanted.extend(waiting);
        wanted.push((0, 8));

        let file = Temporary::new(maker.finish(Ended::Closed).unwrap().get_ref());
        let to = Temporary::new(&[]);
        std::fs::remove_file(&to.0).unwrap();
        let mut log = Log::open(file.paths()).unwrap();
        let count = log_writes::export(&mut log, &to.0, false).unwrap();
        let mut bytes = Vec::new();
        File::open(&to.0).unwrap().read_to_end(&mut bytes).unwrap();
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        prop_assert_eq!(word(0), 0x006a_7366_7773_6872);
        prop_assert_eq!((word(8), word(16), word(24)), (1, count, 512));
        let mut at = 512;
        let mut found = Vec::new();
        for _ in 0..count {
            let (sector, sectors, flags, length) = (word(at), word(at + 8), word(at + 16), word(at + 24));
            found.push((sector, flags));
            at += 512;
            if flags & 8 != 0 {
                prop_assert!(length > 0 && sectors == 0 && bytes[at - 480] != 0);
                continue;
            }
            prop_assert_eq!((length, bytes[at - 480]), (0, 0));
            if flags & 4 != 0 {
                prop_assert_eq!(sectors, 16);
                continue;
            }
            let data = &bytes[at..at + usize::try_from(sectors).unwrap() * 512];
            prop_assert!(data.iter().all(|byte| u64::from(*byte) == sector % 251));
            at += data.len();
        }
        prop_assert_eq!(at, bytes.len());
        prop_assert_eq!(found, wanted);
    }
}

/// The finder is told of each entry once, in order.
#[test]
fn an_empty_log_has_one_point() {
    let maker = Maker::new(Cursor::new(Vec::new()), [3; 16], SECTORS, 4096);
    let file = Temporary::new(maker.finish(Ended::Closed).unwrap().get_ref());
    let log = Log::open(file.paths()).unwrap();
    for at in [Spec::Begin(0), Spec::End(0)] {
        let point = Finder::new(at, &log).finish(&log).unwrap();
        assert_eq!(point.position, log.begin());
    }
}
