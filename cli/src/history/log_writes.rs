// SPDX-License-Identifier: GPL-2.0

//! A log in the format of dm-log-writes, and in its order (drivers/md/dm-log-writes.c in the kernel): what has completed
//! waits for a flush; a flush takes what has completed when it is sent, and goes to the log after that when it completes
//! itself. FUA writes go to the log when they complete, marks when they are set.

use super::{
    copy::Part,
    gather::{
        Gather,
        Piece, //
    },
    index::notes,
    log::Log,
    restore::Output,
};
use crate::{
    failure::Failure,
    output::note,
    progress::Progress, //
};
use imgrement_core::{
    bytes::fields::Put,
    history::entry::{
        Entry,
        Gap,
        Header,
        Kind,
        HEADER, //
    },
    record::{
        Flags,
        SECTOR_SIZE, //
    },
};
use std::{
    collections::HashMap,
    path::Path, //
};

/// The size of a sector of the log, and of an entry without its data, in bytes.
const SECTOR: usize = 512;

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;

const FLUSH: u64 = 1;
const FUA: u64 = 1 << 1;
const DISCARD: u64 = 1 << 2;
const MARK: u64 = 1 << 3;
const METADATA: u64 = 1 << 4;

/// Where the text of a mark is.
const TEXT: usize = 32;

/// The longest text of a mark: a zero comes after it.
const TEXT_MAX: u64 = (SECTOR - TEXT - 1) as u64;

/// The last mark.
const END: &[u8] = b"dm-log-writes-end";

/// Zeroes are written in entries of this many sectors at most: readers keep an entry in memory.
const ZEROES: u32 = 2048;

/// How many bytes of the log are read at a time.
const PART: usize = 16 << 20;

/// What dm-log-writes does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It waits for a flush.
    Waits,
    /// It goes to the log when it completes.
    AtOnce,
    /// It takes what waits, and goes to the log after that when it completes.
    Flushes,
    /// It goes to the log when it is sent.
    Mark,
}

/// An entry of the log that is exported.
#[derive(Clone, Copy, Debug)]
struct Request {
    position: u64,
    /// The log's head when it completed; `u64::MAX` if it did not.
    head: u64,
    /// How many sectors of data it has in the export; for a mark, how many bytes of text.
    data: u32,
    class: Class,
    /// Its data are zeroes, which are not in the log.
    zeroes: bool,
}

const _: () = assert!(size_of::<Request>() == 24);

/// What is not in the export.
#[derive(Debug, Default)]
struct LeftOut {
    gaps: u64,
    failed: u64,
    holes: u64,
}

/// All requests of a log.
#[derive(Debug, Default)]
struct Requests {
    /// In the order of their positions.
    all: Vec<Request>,
    left_out: LeftOut,
}

impl Requests {
    fn add(&mut self, entry: &Entry<'_>) {
        let header = &entry.header;
        let (class, data) = match header.kind {
            Kind::Write | Kind::WriteZeroes => (class_of(header.flags), true),
            Kind::Discard | Kind::SecureErase => (class_of(header.flags), false),
            Kind::Flush => (Class::Flushes, false),
            Kind::Mark => (Class::Mark, true),
            Kind::Completions => return self.complete(entry.payload),
            Kind::Gap => {
                self.left_out.gaps += u64::from(header.detail & Gap::LATER != 0);
                return;
            }
            Kind::Begin | Kind::End | Kind::Base => return,
        };
        if self.all.len() == self.all.capacity() {
            // Doubling would take too much memory.
            self.all.reserve_exact((self.all.len() / 8).max(1 << 12));
        }
        let length = match header.kind == Kind::Mark {
            true => (entry.payload.len() as u64).min(TEXT_MAX),
            false => header.bytes.div_ceil(SECTOR_SIZE),
        };
        self.all.push(Request {
            position: header.position,
            head: u64::MAX,
            data: match data {
                true => u32::try_from(length).unwrap_or(u32::MAX),
                false => 0,
            },
            class,
            zeroes: header.kind == Kind::WriteZeroes,
        });
    }

    fn complete(&mut self, payload: &[u8]) {
        for note in notes(payload) {
            if note.errno != 0 {
                self.left_out.failed += 1;
                continue;
            }
            let found = self
                .all
                .binary_search_by_key(&note.position, |request| request.position);
            if let Some(request) = found.ok().and_then(|index| self.all.get_mut(index)) {
                request.head = note.head;
            }
        }
    }

    /// The requests in the order of dm-log-writes, as indices.
    fn order(&self) -> Vec<u32> {
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let get = |index: u32| self.all.get(index as usize);
        let mut completed: Vec<u32> = (0..index(self.all.len()))
            .filter(|index| get(*index).is_some_and(|request| request.head != u64::MAX))
            .collect();
        // Those with the same head completed in any order: the sort keeps that in which they were sent.
        completed.sort_by_key(|index| get(*index).map(|request| request.head));
        let mut completed = completed.into_iter().peekable();

        let mut log = Vec::with_capacity(self.all.len());
        let mut waiting = Vec::new();
        // What flushes on their way have taken.
        let mut taken: HashMap<u32, Vec<u32>> = HashMap::new();
        let complete = |log: &mut Vec<u32>,
                        waiting: &mut Vec<u32>,
                        taken: &mut HashMap<u32, Vec<u32>>,
                        index: u32| {
            match get(index).map(|request| request.class) {
                Some(Class::Waits) => waiting.push(index),
                Some(Class::AtOnce) => log.push(index),
                Some(Class::Flushes) => {
                    log.extend(taken.remove(&index).unwrap_or_default());
                    log.push(index);
                }
                Some(Class::Mark) | None => {}
            }
        };
        for (index, request) in self.all.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            // What completed before this one was sent.
            while let Some(earlier) = completed.next_if(|earlier| {
                get(*earlier).is_some_and(|earlier| earlier.head <= request.position)
            }) {
                complete(&mut log, &mut waiting, &mut taken, earlier);
            }
            match request.class {
                Class::Flushes => {
                    taken.insert(index, std::mem::take(&mut waiting));
                }
                Class::Mark => log.push(index),
                Class::Waits | Class::AtOnce => {}
            }
        }
        for index in completed {
            complete(&mut log, &mut waiting, &mut taken, index);
        }
        // Flushes that did not complete.
        let mut taken: Vec<_> = taken.into_iter().collect();
        taken.sort_unstable_by_key(|(flush, _)| *flush);
        log.extend(taken.into_iter().flat_map(|(_, writes)| writes));
        log.extend(waiting);
        log
    }
}

fn class_of(flags: Flags) -> Class {
    if flags.contains(Flags::PREFLUSH) {
        Class::Flushes
    } else if flags.contains(Flags::FUA) {
        Class::AtOnce
    } else {
        Class::Waits
    }
}

impl Request {
    /// Its entries in the export: how many sectors of data each has.
    fn entries(self) -> impl Iterator<Item = u32> {
        let step = if self.zeroes { ZEROES } else { u32::MAX };
        let mut rest = Some(match self.class {
            Class::Mark => 0,
            Class::Waits | Class::AtOnce | Class::Flushes => self.data,
        });
        std::iter::from_fn(move || {
            let left = rest?;
            let now = left.min(step);
            rest = Some(left - now).filter(|left| *left > 0);
            Some(now)
        })
    }

    /// How many bytes of the log it takes to export it.
    fn length(self) -> usize {
        let data = match (self.class, self.zeroes) {
            (Class::Mark, _) => self.data as usize,
            (Class::Waits | Class::AtOnce | Class::Flushes, true) => 0,
            (Class::Waits | Class::AtOnce | Class::Flushes, false) => self.data as usize * SECTOR,
        };
        HEADER + data
    }
}

/// An entry of the export.
struct Record<'a> {
    sector: u64,
    sectors: u64,
    flags: u64,
    text: &'a [u8],
}

impl Record<'_> {
    fn bytes(&self) -> [u8; SECTOR] {
        let mut block = [0; SECTOR];
        let mut to = Put(&mut block);
        to.put(self.sector.to_le_bytes());
        to.put(self.sectors.to_le_bytes());
        to.put(self.flags.to_le_bytes());
        to.put((self.text.len() as u64).to_le_bytes());
        if let Some(to) = block.get_mut(TEXT..TEXT + self.text.len()) {
            to.copy_from_slice(self.text);
        }
        block
    }
}

/// Adds the entries of a request to `out`, which is passed to `spill` when it is long. `from` is what the log has of it.
fn export_one(
    request: Request,
    from: &[u8],
    out: &mut Vec<u8>,
    spill: &mut impl FnMut(&mut Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let parts = from.split_first_chunk::<HEADER>();
    let header = parts.and_then(|(header, data)| Some((Header::decode(header)?, data)));
    let Some((header, data)) = header else {
        return Err(Failure::new(format_args!(
            "the log has changed at position {} while it was read",
            request.position
        )));
    };
    if request.class == Class::Mark {
        out.extend(
            Record {
                sector: 0,
                sectors: 0,
                flags: MARK,
                text: data,
            }
            .bytes(),
        );
        return Ok(());
    }
    let discards = header.kind == Kind::Discard || header.kind == Kind::SecureErase;
    let mut flags = 0;
    let preflush = header.flags.contains(Flags::PREFLUSH) || header.kind == Kind::Flush;
    for (is_set, flag) in [
        (preflush, FLUSH),
        (header.flags.contains(Flags::FUA), FUA),
        (discards, DISCARD),
        (header.flags.contains(Flags::META), METADATA),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    let mut sector = header.sector;
    for sectors in request.entries() {
        out.extend(
            Record {
                sector,
                sectors: match discards {
                    true => header.bytes.div_ceil(SECTOR_SIZE),
                    false => u64::from(sectors),
                },
                flags,
                text: &[],
            }
            .bytes(),
        );
        match request.zeroes {
            true => out.resize(out.len() + sectors as usize * SECTOR, 0),
            false => out.extend(data),
        }
        sector += u64::from(sectors);
        // What was flushed before the first part was flushed before the others.
        flags &= !FLUSH;
        if out.len() >= PART {
            spill(out)?;
        }
    }
    Ok(())
}

/// Writes the export to a file or a device. Returns how many entries it has.
pub(crate) fn export(log: &mut Log, to: &Path, overwrite: bool) -> Result<u64, Failure> {
    let mut requests = Requests::default();
    let begin = log.begin();
    log.read(begin, |_, entry| {
        requests.add(&entry);
        Ok(true)
    })?;
    requests.left_out.holes = log
        .sessions()
        .iter()
        .skip(1)
        .filter(|session| !session.begin.chained)
        .count() as u64;
    let order = requests.order();
    let get = |index: &u32| requests.all.get(*index as usize).copied();
    let (mut count, mut sectors) = (1_u64, 2_u64);
    for request in order.iter().filter_map(get) {
        for data in request.entries() {
            count += 1;
            sectors = sectors.saturating_add(1 + u64::from(data));
        }
    }
    let mut output = Output::open(to, sectors.saturating_mul(SECTOR_SIZE), overwrite)?;
    let mut bytes = vec![0; SECTOR];
    let mut head = Put(&mut bytes);
    head.put(MAGIC.to_le_bytes());
    head.put(VERSION.to_le_bytes());
    head.put(count.to_le_bytes());
    head.put((SECTOR as u32).to_le_bytes());

    let mut at = 0;
    let mut gather = Gather::new(log);
    let mut from = Vec::new();
    let mut rest = order.as_slice();
    let mut progress = Progress::of_size(order.len() as u64);
    let mut spill = |bytes: &mut Vec<u8>| {
        output.write(at, Part::Bytes(bytes))?;
        at += bytes.len() as u64;
        bytes.clear();
        Ok(())
    };
    while !rest.is_empty() {
        let mut pieces = Vec::new();
        let mut part = Vec::new();
        let mut length = 0;
        while let Some((index, others)) = rest.split_first().filter(|_| length < PART) {
            rest = others;
            if let Some(request) = get(index) {
                let to = length..length + request.length();
                length = to.end;
                part.push((request, to.clone()));
                pieces.push(Piece {
                    position: request.position,
                    to,
                });
            }
        }
        from.clear();
        from.resize(length, 0);
        gather.gather(log, pieces, &mut from)?;
        for (request, place) in part {
            let from = from.get(place).unwrap_or_default();
            export_one(request, from, &mut bytes, &mut spill)?;
        }
        spill(&mut bytes)?;
        progress.at((order.len() - rest.len()) as u64);
    }
    let end = Record {
        sector: 0,
        sectors: 0,
        flags: MARK,
        text: END,
    };
    bytes.extend(end.bytes());
    spill(&mut bytes)?;
    output.finish()?;
    let lost = requests.all.len() - order.len();
    requests.left_out.tell(lost as u64);
    Ok(count)
}

impl LeftOut {
    /// Says on standard error what is not in the export. `lost` requests did not complete with success.
    fn tell(&self, lost: u64) {
        let open = lost.saturating_sub(self.failed);
        for (count, what) in [
            (self.gaps, "changes that the log does not have (gaps)"),
            (self.failed, "requests that failed"),
            (open, "requests that had not completed when the log ended"),
            (self.holes, "times at which the log was not written (holes)"),
        ] {
            if count > 0 {
                note(&format!("left out: {count} {what}"));
            }
        }
    }
}
