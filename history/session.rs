// SPDX-License-Identifier: GPL-2.0

//! Sessions: the device is used, and the log is written, from a resume to a suspend.

use super::{
    work::Work,
    HasKept,
    History,
    State, //
};
use crate::{
    bytes::word::Escaped,
    dm::{
        Device,
        DiskName,
        IoTask, //
    },
    history_format::{
        batch,
        entry::{
            Begin,
            End,
            Kind, //
        },
        scan::{
            Body,
            Tail, //
        },
        superblock::{
            self,
            NoSuperblock,
            ScanFrom,
            Superblock, //
        },
        FIRST_BATCH, //
    },
    record::SECTOR_SIZE,
    sys::{
        checksum::Xxh64,
        closed,
        random,
        time, //
    },
};
use core::sync::atomic::Ordering;
use kernel::{
    fmt,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How often a message looks whether its part of the log has been written.
const LOOK: Delta = Delta::from_millis(1);

/// How many staging buffers a log device has room for at least.
const SMALLEST: u64 = 4;

/// The size of the blocks of a log on this device, in bytes.
pub(super) fn block_of(log: Device<'_>) -> usize {
    (log.logical_block_size() as usize).max(superblock::SIZE)
}

/// Why a device cannot be the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It holds something else.
    Foreign,
    /// It holds the log of a target of another length, or at another place, in sectors.
    OtherDisk(u64, u64),
    /// It holds a log of another version of the format.
    Version(u32),
    /// Its superblock is damaged.
    Damaged,
    /// Its blocks are larger than those of the log.
    BlockSize(u32),
    /// It has too little room for the history's buffers.
    Small,
    /// It has no room left.
    Full,
    /// It holds a log already.
    Used,
    /// It cannot be read or written.
    Errno(Error),
}

impl Unfit {
    /// The errno for the table.
    pub(crate) fn errno(self) -> Error {
        match self {
            Self::Errno(errno) => errno,
            Self::Foreign
            | Self::OtherDisk(..)
            | Self::Version(_)
            | Self::Damaged
            | Self::BlockSize(_)
            | Self::Small
            | Self::Used => EINVAL,
            Self::Full => ENOSPC,
        }
    }
}

impl core::fmt::Display for Unfit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Foreign => f.write_str(
                "holds something that is no log of a history; allowed: a device whose first 4096 bytes are zero, or history_new on, which overwrites it",
            ),
            Self::OtherDisk(sectors, offset) => write!(
                f,
                "holds the log of a target of {sectors} sectors at sector {offset}; allowed: that target, or history_new on, which overwrites it"
            ),
            Self::Version(version) => write!(
                f,
                "holds a log of version {version}; allowed: version {}, or history_new on, which overwrites it",
                superblock::VERSION
            ),
            Self::Damaged => f.write_str(
                "holds a log whose superblock is damaged; allowed: history_new on, which overwrites it",
            ),
            Self::BlockSize(block) => write!(
                f,
                "holds a log with blocks of {block} bytes, which are smaller than the device's; allowed: history_new on, which overwrites it"
            ),
            Self::Small => f.write_str(
                "is too small for the history's buffers; allowed: a larger device, or less history_buffer",
            ),
            Self::Used => f.write_str(
                "holds a log already; allowed: a device whose first 4096 bytes are zero",
            ),
            Self::Full => f.write_str(
                "is full; allowed: another device, or history_new on, which overwrites it",
            ),
            Self::Errno(_) => f.write_str("cannot be read or written"),
        }
    }
}

impl<P: HasKept> History<'_, P> {
    /// Whether the log device may be used: its superblock is read. May sleep.
    ///
    /// # Errors
    ///
    /// It may not.
    pub(crate) fn check(&self, task: &IoTask<'_>) -> Result<(), Unfit> {
        let mut work = self.work.lock();

        self.read_superblock(&mut work, self.log(), task).map(drop)
    }

    /// Begins a session: finds the end of the log, and opens the first buffer. If that fails, the history has ended.
    pub(super) fn begin_session(&self, work: &mut Work<P>, task: &IoTask<'_>) {
        match self.open_log(work, task) {
            Ok(()) => self.set_state(State::On),
            Err(unfit) => {
                self.set_state(State::Ended(match unfit {
                    Unfit::Full | Unfit::Small => End::Full,
                    Unfit::Errno(ETIMEDOUT) => End::Hung,
                    Unfit::Foreign
                    | Unfit::OtherDisk(..)
                    | Unfit::Version(_)
                    | Unfit::Damaged
                    | Unfit::BlockSize(_)
                    | Unfit::Used
                    | Unfit::Errno(_) => End::Failed,
                }));
                self.tell(format_args!("{unfit}"));
                self.parts.mapped.raise_event();
            }
        }
    }

    fn open_log(&self, work: &mut Work<P>, task: &IoTask<'_>) -> Result<(), Unfit> {
        let superblock = self.read_superblock(work, self.log(), task)?;
        let place = self.find_end(work, &superblock, task)?;
        let chained = closed::take(self.parts.subject(), &superblock.id, place.position);

        self.start(work, superblock, place, chained, task)
    }

    /// Begins a session at a place of the log.
    pub(super) fn start(
        &self,
        work: &mut Work<P>,
        mut superblock: Superblock,
        place: ScanFrom,
        chained: bool,
        task: &IoTask<'_>,
    ) -> Result<(), Unfit> {
        let (session, id) = (superblock.begin_session(place), superblock.id);
        let device = self.log().sectors().saturating_mul(SECTOR_SIZE);
        let end = superblock.first_position.saturating_add(device);
        let block = superblock.block_size;
        work.log.superblock = Some(superblock);
        work.log.whole = place;
        work.log.next = place;
        work.log.first = true;
        if !self.write_superblock(&mut work.log, superblock::State::Open, task) {
            return Err(Unfit::Errno(if work.log.has_hanging() {
                ETIMEDOUT
            } else {
                EIO
            }));
        }
        // From here on the log is this table's.
        self.renew.store(false, Ordering::Relaxed);
        if !chained {
            for word in &self.known {
                word.store(0, Ordering::Relaxed);
            }
        }
        self.counts.session.store(session, Ordering::Relaxed);
        self.counts.end.store(end, Ordering::Relaxed);
        self.written.store(place.position, Ordering::Relaxed);
        if !self
            .buffers
            .start(&mut self.turn.lock(), place.position, end, block)
        {
            return Err(Unfit::Full);
        }
        let begin = Begin {
            session,
            real_time: time::real_now(),
            bases: self.bases,
            chained,
            id,
        };
        let sectors = 0..self.parts.sectors;
        let mut filling = self
            .entry(Kind::Begin, 0, sectors, Begin::SIZE as u32)
            .ok_or(Unfit::Full)?;
        filling.put(&begin.encode());
        self.finish(filling);
        Ok(())
    }

    /// The superblock of the log device, or a new one.
    fn read_superblock(
        &self,
        work: &mut Work<P>,
        log: Device<'_>,
        task: &IoTask<'_>,
    ) -> Result<Superblock, Unfit> {
        let block = block_of(log);
        self.read(work, (log, 0), block, task, |bytes| {
            self.superblock_in(log, bytes)
        })?
    }

    /// The superblock in the first block of a log device, or a new one.
    pub(super) fn superblock_in(&self, log: Device<'_>, bytes: &[u8]) -> Result<Superblock, Unfit> {
        let block = block_of(log);
        let found = bytes
            .first_chunk()
            .ok_or(NoSuperblock::Damaged)
            .and_then(Superblock::decode::<Xxh64>);
        let needs = u64::from(self.buffers.size()).saturating_mul(SMALLEST);
        if log.sectors().saturating_mul(SECTOR_SIZE) < needs {
            return Err(Unfit::Small);
        }
        if self.renew.load(Ordering::Relaxed) {
            return self.new_superblock(block);
        }
        let superblock = match found {
            Ok(superblock) => superblock,
            Err(NoSuperblock::Empty) => return self.new_superblock(block),
            Err(NoSuperblock::Foreign) => return Err(Unfit::Foreign),
            Err(NoSuperblock::Version(version)) => return Err(Unfit::Version(version)),
            Err(NoSuperblock::Damaged) => return Err(Unfit::Damaged),
        };
        if (superblock.sectors, superblock.offset) != (self.parts.sectors, self.parts.offset) {
            return Err(Unfit::OtherDisk(superblock.sectors, superblock.offset));
        }
        if (superblock.block_size as usize) < block {
            return Err(Unfit::BlockSize(superblock.block_size));
        }
        Ok(superblock)
    }

    fn new_superblock(&self, block: usize) -> Result<Superblock, Unfit> {
        let mut id = [0; 16];
        for (to, from) in id.chunks_mut(8).zip([random::number(), random::number()]) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        let mut disk = [0; 32];
        let name: DiskName = self.parts.disk.disk_name();
        for (to, from) in disk.iter_mut().zip(name.as_bytes()) {
            *to = *from;
        }
        let mut uuid = [0; 40];
        self.parts.disk.partition_uuid(&mut uuid);
        let block_size = block as u32;
        Ok(Superblock {
            block_size,
            id,
            first_position: 0,
            previous: [0; 16],
            sectors: self.parts.sectors,
            offset: self.parts.offset,
            chunk_size: self.chunk_size,
            state: superblock::State::Closed,
            session: 0,
            scan: ScanFrom {
                position: FIRST_BATCH.saturating_mul(block_size.into()),
                number: 0,
                session: 0,
            },
            made: time::real_now(),
            disk,
            uuid,
        })
    }

    /// The place after the last batch that belongs to the log.
    fn find_end(
        &self,
        work: &mut Work<P>,
        superblock: &Superblock,
        task: &IoTask<'_>,
    ) -> Result<ScanFrom, Unfit> {
        let mut tail = Tail::of(superblock);
        while let Some(header) = self.next_header(work, superblock, &tail, task)? {
            if !self.is_whole(work, superblock, &header, task)? || !tail.pass(&header) {
                break;
            }
        }
        Ok(tail.next())
    }

    /// The header of the batch that follows; `None` if none does.
    fn next_header(
        &self,
        work: &mut Work<P>,
        superblock: &Superblock,
        tail: &Tail,
        task: &IoTask<'_>,
    ) -> Result<Option<batch::Header>, Unfit> {
        let device = self.log().sectors().saturating_mul(SECTOR_SIZE);
        let block = u64::from(superblock.block_size);
        let Some(offset) = superblock
            .offset_of(tail.next().position)
            .filter(|offset| offset.saturating_add(block) <= device)
        else {
            return Ok(None);
        };
        let header = self.read(work, (self.log(), offset), block as usize, task, |bytes| {
            bytes.first_chunk().and_then(batch::Header::decode::<Xxh64>)
        })?;
        Ok(header.filter(|header| {
            let end = offset.saturating_add(header.room(superblock.block_size));
            tail.is_followed_by(header) && end <= device
        }))
    }

    /// Whether all of a batch is there.
    fn is_whole(
        &self,
        work: &mut Work<P>,
        superblock: &Superblock,
        header: &batch::Header,
        task: &IoTask<'_>,
    ) -> Result<bool, Unfit> {
        let Some(start) = superblock.offset_of(header.position) else {
            return Ok(false);
        };
        let room = header.room(superblock.block_size);
        let mut body = Body::<Xxh64>::of(header);
        let mut at = 0;
        while at < room {
            let most = work.log.scan_size() as u64;
            let len = room.saturating_sub(at).min(most);
            let skip = if at == 0 { batch::HEADER } else { 0 };
            self.read(
                work,
                (self.log(), start.saturating_add(at)),
                len as usize,
                task,
                |bytes| {
                    body.update(bytes.get(skip..).unwrap_or_default());
                },
            )?;
            at = at.saturating_add(len);
        }
        Ok(body.is_whole())
    }

    /// Reads whole blocks of a log device, at an offset in bytes.
    fn read<R>(
        &self,
        work: &mut Work<P>,
        (log, offset): (Device<'_>, u64),
        len: usize,
        task: &IoTask<'_>,
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, Unfit> {
        let buffer = work.log.buffer.take().ok_or(Unfit::Errno(ENOMEM))?;
        let sector = offset / SECTOR_SIZE;
        let read = self.parts.io.read(task, log, sector, buffer, len);
        let (buffer, result) = match self.wait_for(read, || self.hung_after()) {
            Ok(ended) => ended,
            Err(hanging) => {
                work.log.keep_hanging(hanging);
                return Err(Unfit::Errno(ETIMEDOUT));
            }
        };
        let seen = look(buffer.bytes().get(..len).unwrap_or_default());

        work.log.buffer = Some(buffer);
        result.map(|()| seen).map_err(Unfit::Errno)
    }

    /// Ends the session: completes the log as far as its device lets it.
    pub(super) fn end_session(&self, work: &mut Work<P>, end: End, task: &IoTask<'_>) {
        let clean = match end {
            End::Failed | End::Hung => false,
            End::Suspended | End::Stopped | End::Full | End::Next => !work.log.broken,
        };
        let hanging = work.log.hanging();
        self.buffers.stop(&mut self.turn.lock());
        // They need not wait for the log any more.
        self.let_go(work, false);
        if clean {
            self.put_rest(work, task);
            self.put_end(work, end);
        }
        self.buffers.close(&mut self.turn.lock());
        let clean = clean
            && self.settle(work, task)
            && self.write_superblock(&mut work.log, superblock::State::Closed, task);

        let mapped = self.parts.mapped;
        if clean && end == End::Suspended {
            self.set_state(State::Idle);
            if let Some(superblock) = &work.log.superblock {
                let position = work.log.whole.position;
                closed::put(self.parts.subject(), superblock.id, position);
            }
            return;
        }
        // What the device did is a better reason than that of the caller.
        let end = match end {
            End::Failed | End::Hung => end,
            End::Suspended | End::Stopped | End::Full | End::Next => {
                if clean {
                    end
                } else if work.log.hanging() > hanging || !work.log.broken {
                    End::Hung
                } else {
                    End::Failed
                }
            }
        };
        self.set_state(State::Ended(end));
        self.tell(format_args!("has ended: {}", end.word()));
        mapped.raise_event();
    }

    /// Prints a line about the history.
    pub(super) fn tell(&self, text: fmt::Arguments<'_>) {
        let (disk, log) = (self.parts.disk.disk_name(), self.log().disk_name());
        let disk = Escaped(disk.as_bytes());
        let log = Escaped(log.as_bytes());

        pr_warn!("{}\n", format_args!("{disk}: history on {log}: {text}"));
    }

    /// Puts a mark into the log, and waits until the log has everything up to it. If the history has ended before, it does
    /// nothing. May sleep.
    ///
    /// # Errors
    ///
    /// `ETIMEDOUT` if the log device does not take it in time, `EIO` if the history ends meanwhile, and `EBUSY` if the
    /// device is suspended.
    pub(crate) fn mark(&self, text: &[u8]) -> Result {
        let since = time::now();
        let mut filled = None;

        match self.state() {
            State::On | State::Ending(_) => {}
            State::Idle => return Err(EBUSY),
            State::Ended(_) => return Ok(()),
        }
        while self.is_on() {
            filled = filled.or_else(|| {
                // What is missing up to here must be said before.
                if !self.gaps.lock().is_empty() {
                    return None;
                }
                let mut filling = self.entry(Kind::Mark, 0, 0..0, text.len() as u32)?;
                let position = filling.position();
                filling.put(text);
                self.finish(filling);
                Some(position)
            });
            if filled.is_some_and(|position| self.written.load(Ordering::Acquire) > position) {
                return Ok(());
            }
            if time::now().saturating_sub(since) > self.hung_after() {
                return Err(ETIMEDOUT);
            }
            self.wanted.store(true, Ordering::Relaxed);
            self.parts.worker.start();
            fsleep(LOOK);
        }
        Err(EIO)
    }

    /// Ends the history, because a message asks for it. Waits until it has ended. May sleep.
    pub(crate) fn stop(&self) {
        self.end(End::Stopped);
        while matches!(self.state(), State::Ending(_)) {
            fsleep(LOOK);
        }
        // A suspended one has closed its log, and a resume must not begin another session.
        let _work = self.work.lock();
        if self.state() == State::Idle {
            self.set_state(State::Ended(End::Stopped));
        }
    }
}
