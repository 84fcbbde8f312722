// SPDX-License-Identifier: GPL-2.0

//! Makes logs, as the kernel module writes them, for tests and measurements.

use super::checksum::Xxh64;
use imgrement_core::{
    history::{
        batch, checksum,
        entry::{
            Bases,
            Begin,
            End,
            Header,
            Issuer,
            Kind,
            Note, //
        },
        superblock::{
            LogId,
            ScanFrom,
            State,
            Superblock,
            SIZE, //
        },
    },
    record::Flags, //
};
use std::io::{
    self,
    Seek,
    SeekFrom,
    Write, //
};

/// The first real time, in nanoseconds since 1970: 2026-11-27T12:00:00Z.
pub const BEGAN: u64 = 1_795_780_800_000_000_000;

/// Writes a log.
#[derive(Debug)]
pub struct Maker<W> {
    out: W,
    /// What the superblock says at the end.
    pub superblock: Superblock,
    batch: Vec<u8>,
    position: u64,
    number: u64,
    session: u64,
    first: bool,
    /// The monotonic time of the next entry, in nanoseconds.
    pub time: u64,
    /// The flags of the next entries.
    pub flags: Flags,
    /// Who makes the next entries.
    pub issuer: Issuer,
}

impl<W: Write + Seek> Maker<W> {
    /// A log for a disk of this many sectors.
    pub fn new(out: W, id: LogId, sectors: u64, block_size: u32) -> Self {
        let position = u64::from(block_size);
        let mut disk = [0; 32];
        disk.iter_mut()
            .zip(b"sdb")
            .for_each(|(to, from)| *to = *from);
        Self {
            out,
            superblock: Superblock {
                block_size,
                id,
                first_position: 0,
                previous: [0; 16],
                sectors,
                offset: 0,
                chunk_size: 4096,
                state: State::Closed,
                session: 0,
                scan: ScanFrom {
                    position,
                    number: 0,
                    session: 0,
                },
                made: BEGAN,
                disk,
                uuid: [0; 40],
            },
            batch: Vec::new(),
            position,
            number: 0,
            session: 0,
            first: false,
            time: 1_000_000_000,
            flags: Flags::NONE,
            issuer: Issuer::default(),
        }
    }

    /// Goes on on another device, where this log ended.
    pub fn next<V: Write + Seek>(self, out: V, id: LogId) -> io::Result<(W, Maker<V>)> {
        let mut next = Maker::new(out, id, self.superblock.sectors, self.superblock.block_size);
        let position = self.position;
        next.superblock.first_position = position;
        next.superblock.previous = self.superblock.id;
        next.position = position + u64::from(self.superblock.block_size);
        next.number = self.number;
        next.session = self.session;
        next.superblock.session = self.session;
        next.time = self.time;
        next.superblock.scan = ScanFrom {
            position: next.position,
            number: next.number,
            session: 0,
        };
        Ok((self.finish(State::Closed)?, next))
    }

    /// The place after the last batch.
    fn place(&self) -> ScanFrom {
        ScanFrom {
            position: self.position,
            number: self.number,
            session: self.session,
        }
    }

    /// The position of the next entry.
    pub fn head(&self) -> u64 {
        self.position + self.batch.len().max(batch::HEADER) as u64
    }

    /// Begins a session. Returns the position of its first entry.
    pub fn begin(&mut self, bases: Bases, chained: bool) -> io::Result<u64> {
        self.seal()?;
        self.session = self.superblock.begin_session(self.place());
        self.first = true;
        let begin = Begin {
            session: self.session,
            real_time: BEGAN + self.time,
            bases,
            chained,
            id: self.superblock.id,
        };
        self.entry(Kind::Begin, 0, 0, 0, &begin.encode())
    }

    /// Ends a session.
    pub fn end(&mut self, why: End) -> io::Result<()> {
        self.entry(Kind::End, why as u8, 0, 0, &[])?;
        self.seal()
    }

    /// Adds an entry. Returns its position.
    pub fn entry(
        &mut self,
        kind: Kind,
        detail: u8,
        sector: u64,
        bytes: u64,
        payload: &[u8],
    ) -> io::Result<u64> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidInput);
        let length = u32::try_from(payload.len()).map_err(|_| wrong())?;
        let size = Header::size_with(length).ok_or_else(wrong)? as usize;
        // The kernel's default: four buffers of 2 MiB.
        if self.batch.len().saturating_add(size) > 2 << 20 {
            self.seal()?;
        }
        self.batch.resize(self.batch.len().max(batch::HEADER), 0);
        let start = self.batch.len();
        let header = Header {
            kind,
            detail,
            position: self.head(),
            sector,
            bytes,
            time: self.time,
            flags: self.flags,
            issuer: self.issuer,
            payload: length,
        };
        self.batch.extend(header.encode());
        self.batch.extend(payload);
        self.batch.resize(start + size, 0);
        self.time += 1000;
        Ok(header.position)
    }

    /// Adds a write. Returns its position.
    pub fn write(&mut self, sector: u64, bytes: &[u8]) -> io::Result<u64> {
        self.entry(Kind::Write, 0, sector, bytes.len() as u64, bytes)
    }

    /// Adds what chunks held before.
    pub fn base(&mut self, sector: u64, bytes: &[u8]) -> io::Result<u64> {
        self.entry(Kind::Base, 0, sector, bytes.len() as u64, bytes)
    }

    /// Adds a mark. Returns its position.
    pub fn mark(&mut self, text: &str) -> io::Result<u64> {
        self.entry(Kind::Mark, 0, 0, 0, text.as_bytes())
    }

    /// Adds notes about requests that have completed.
    pub fn notes(&mut self, notes: &[Note]) -> io::Result<u64> {
        let payload: Vec<u8> = notes.iter().flat_map(Note::encode).collect();
        self.entry(Kind::Completions, 0, 0, 0, &payload)
    }

    /// Writes the batch, unless it is empty.
    pub fn seal(&mut self) -> io::Result<()> {
        let Some(body) = self
            .batch
            .get(batch::HEADER..)
            .filter(|body| !body.is_empty())
        else {
            return Ok(());
        };
        let seed = batch::seed(&self.superblock.id, self.session);
        let header = batch::Header {
            id: self.superblock.id,
            session: self.session,
            number: self.number,
            position: self.position,
            length: u32::try_from(self.batch.len()).unwrap_or(u32::MAX),
            first: self.first,
            time: self.time,
            body: checksum::of::<Xxh64>(seed, body),
        };
        let room = header.room(self.superblock.block_size);
        if let Some(start) = self.batch.first_chunk_mut() {
            *start = header.encode::<Xxh64>();
        }
        self.batch.resize(usize::try_from(room).unwrap_or(0), 0);
        self.out.seek(SeekFrom::Start(
            self.position - self.superblock.first_position,
        ))?;
        self.out.write_all(&self.batch)?;
        self.batch.clear();
        self.position += room;
        self.number += 1;
        self.first = false;
        Ok(())
    }

    /// Writes the superblock. An open log is as after a crash.
    pub fn finish(mut self, state: State) -> io::Result<W> {
        self.seal()?;
        if state == State::Closed {
            self.superblock.end_session(self.place());
        }
        let mut block = [0; SIZE];
        self.superblock.encode::<Xxh64>(&mut block);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&block)?;
        // The first batch is in the second block.
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Adds this many entries: writes of `bytes` bytes, or of zeroes without a payload if that is 0. They come one after
/// another, or anywhere, depending on `seed`. They complete in the order in which they were sent.
pub fn fill<W: Write + Seek>(
    maker: &mut Maker<W>,
    entries: u64,
    bytes: usize,
    seed: Option<u64>,
) -> io::Result<()> {
    let step = match bytes {
        0 => 8,
        bytes => bytes as u64 / 512,
    };
    let places = (maker.superblock.sectors / step.max(1)).max(1);
    let mut payload = vec![0; bytes];
    let mut state = seed.unwrap_or(0) | 1;
    let mut notes = Vec::new();
    for number in 0..entries {
        if notes.len() == 256 {
            maker.notes(&notes)?;
            notes.clear();
        }
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let place = match seed {
            Some(_) => state % places,
            None => number % places,
        };
        let sector = place * step;
        for word in payload.chunks_exact_mut(8) {
            word.copy_from_slice(&(number + 1).to_le_bytes());
        }
        let position = match bytes {
            0 => maker.entry(Kind::WriteZeroes, 0, sector, step * 512, &[])?,
            _ => maker.write(sector, &payload)?,
        };
        notes.push(Note {
            position,
            head: maker.head(),
            latency: 1000,
            errno: 0,
        });
    }
    maker.notes(&notes)?;
    Ok(())
}
