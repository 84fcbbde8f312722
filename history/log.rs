// SPDX-License-Identifier: GPL-2.0

//! The log device: batches and the superblock on their way to it.

use super::{
    work::Work,
    HasKept,
    History,
    Parts, //
};
use crate::{
    dm::{
        IoMemory,
        IoTask,
        Pending,
        ReadBuffer,
        WriteFlags,
        Writer, //
    },
    history_format::{
        batch::{
            self,
            Header, //
        },
        checksum,
        entry::{
            Bases,
            End, //
        },
        superblock::{
            self,
            ScanFrom,
            State,
            Superblock, //
        },
    },
    sys::{
        checksum::Xxh64,
        closed::{
            self,
            Subject, //
        },
        staging::{
            Batch,
            Buffers, //
        },
        time, //
    },
};
use core::sync::atomic::Ordering;
use kernel::{
    prelude::*,
    sync::Arc,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// After this many bytes, the superblock says that the log is whole up to there, so that a scan after a crash is short.
const CHECKPOINT: u64 = 64 << 20;

/// How long the log device may complete nothing while a suspend waits, in seconds.
const HURRY: u64 = 2;

/// In nanoseconds.
pub(super) const SECOND: u64 = 1_000_000_000;

/// When a full log device is announced, in percent.
const WARNINGS: [u64; 2] = [80, 95];

/// Over how long the rate is measured, in nanoseconds.
const RATE_WINDOW: u64 = 1_000_000_000;

/// How much of the log is read at once, in bytes.
const SCAN: usize = 64 << 10;

/// How often the worker looks, while it must wait for the log device.
pub(super) const LOOK: Delta = Delta::from_millis(1);

/// How many reads and writes of the log device may hang: one of a read buffer, and one of the superblock.
const HANGING: usize = 2;

/// Before the superblock has been read.
const NOWHERE: ScanFrom = ScanFrom {
    position: 0,
    number: 0,
    session: 0,
};

/// A batch that is being written.
pub(super) struct Writing {
    batch: Batch,
    write: Pending<Arc<IoMemory>>,
    /// The place after it.
    end: ScanFrom,
}

/// The log, as its worker knows it.
pub(super) struct Log {
    subject: Subject,
    pub(super) superblock: Option<Superblock>,
    /// The block of the superblock, while it is not being written.
    super_block: Option<ReadBuffer>,
    /// A read, and a write of the superblock, that hang. They keep their memory until they end, so there are no more.
    hanging: KVec<Pending<IoMemory>>,
    /// A read of a device that was to be the next log, and hangs.
    pub(super) hanging_next: Option<Pending<IoMemory>>,
    /// For reads of the log.
    pub(super) buffer: Option<ReadBuffer>,
    /// The writer of each buffer, while it is not being written.
    writers: KVec<Option<Writer>>,
    /// Batches that are being written, in their order.
    writing: KVec<Writing>,
    /// The place of the next batch.
    pub(super) next: ScanFrom,
    /// Whether the next batch is the first of its session.
    pub(super) first: bool,
    /// Whether the device has failed or hung.
    pub(super) broken: bool,
    /// The place after the last batch that is in the log, as are all before it.
    pub(super) whole: ScanFrom,
    /// When the log device last completed something, or had nothing to do, in nanoseconds.
    pub(super) alive: u64,
    /// The last of [`WARNINGS`] that was given; 0 for none.
    warned: u64,
    /// When the rate was last measured, in nanoseconds, and the position then.
    rate: (u64, u64),
}

impl Log {
    /// With a writer for each buffer.
    pub(super) fn new(parts: &Parts<'_>, buffers: &Buffers) -> Result<Self> {
        let block = parts.log.logical_block_size() as usize;
        let mut writers = KVec::with_capacity(buffers.count(), GFP_KERNEL)?;
        for memory in buffers.memories() {
            writers.push(Some(Writer::new(memory.clone())?), GFP_KERNEL)?;
        }
        Ok(Self {
            subject: parts.subject(),
            superblock: None,
            super_block: Some(ReadBuffer::new(block.max(superblock::SIZE))?),
            hanging: KVec::with_capacity(HANGING, GFP_KERNEL)?,
            hanging_next: None,
            buffer: Some(ReadBuffer::new(block.max(SCAN))?),
            writers,
            writing: KVec::with_capacity(buffers.count(), GFP_KERNEL)?,
            next: NOWHERE,
            first: false,
            broken: false,
            whole: NOWHERE,
            alive: 0,
            warned: 0,
            rate: (0, 0),
        })
    }
}

impl<P: HasKept> History<'_, P> {
    /// Starts to write all complete buffers. Returns whether there was one.
    pub(super) fn write_out(&self, work: &mut Work<P>, task: &IoTask<'_>) -> bool {
        let mut progress = false;
        while let Some(batch) = self.buffers.take(&mut work.taker) {
            self.write_batch(&mut work.log, batch, task);
            progress = true;
        }
        progress
    }

    fn write_batch(&self, log: &mut Log, mut batch: Batch, task: &IoTask<'_>) {
        let Some(superblock) = &log.superblock else {
            return;
        };
        let (position, length) = batch.extent();
        let seed = batch::seed(&superblock.id, superblock.session);
        let bytes = self.buffers.bytes(&mut batch);
        let body = bytes
            .get(batch::HEADER..length as usize)
            .map_or(0, |body| checksum::of::<Xxh64>(seed, body));
        let header = Header {
            id: superblock.id,
            session: superblock.session,
            number: log.next.number,
            position,
            length,
            first: log.first,
            time: time::now(),
            body,
        };
        let room = header.room(superblock.block_size);
        if let Some(to) = bytes.first_chunk_mut() {
            *to = header.encode::<Xxh64>();
        }
        if let Some(padding) = bytes.get_mut(length as usize..room as usize) {
            padding.fill(0);
        }

        let sector = superblock.offset_of(position).unwrap_or(u64::MAX) / 512;
        let end = ScanFrom {
            position: position.saturating_add(room),
            number: log.next.number.saturating_add(1),
            session: superblock.session,
        };
        let Some(writer) = log.writers.get_mut(batch.buffer()).and_then(Option::take) else {
            // Each buffer has its writer, which comes back before the buffer is free.
            self.buffers.free(batch);
            return self.end(End::Failed);
        };
        let flags = WriteFlags {
            preflush: false,
            fua: self.bases == Bases::Durable,
        };
        let write = self
            .parts
            .io
            .write(task, self.log(), sector, writer, 0..room as usize, flags);
        if log.writing.is_empty() {
            log.alive = time::now();
        }
        log.next = end;
        log.first = false;
        let _ = log
            .writing
            .push_within_capacity(Writing { batch, write, end });
    }

    /// Frees the buffers of batches that have been written, and says so in the superblock now and then. Returns whether
    /// there was one.
    pub(super) fn reap(&self, log: &mut Log, task: &IoTask<'_>) -> bool {
        let mut progress = false;
        while log
            .writing
            .first()
            .is_some_and(|first| first.write.is_done())
        {
            let Ok(first) = log.writing.remove(0) else {
                break;
            };
            let (writer, result) = first.write.wait();
            if let Some(place) = log.writers.get_mut(first.batch.buffer()) {
                *place = Some(writer);
            }
            self.buffers.free(first.batch);
            log.alive = time::now();
            progress = true;
            if result.is_err() {
                log.broken = true;
                self.end(End::Failed);
            }
            if !log.broken {
                log.whole = first.end;
                self.written.store(first.end.position, Ordering::Release);
            }
        }
        self.measure(log);
        if progress && !log.broken && self.is_on() && log.is_far() {
            self.write_superblock(log, State::Open, task);
        }
        progress
    }

    /// Whether the log device has not completed anything for too long, although it has something to do.
    pub(super) fn is_hung(&self, log: &Log) -> bool {
        // A write may have ended while the worker waited for the disk.
        let waits = log
            .writing
            .first()
            .is_some_and(|first| !first.write.is_done());

        waits && time::now().saturating_sub(log.alive) > self.hung_after()
    }

    /// Writes all entries that there are, when no buffer is open any more. Returns whether all of them are in the log:
    /// not if the device fails, or completes nothing for long.
    pub(super) fn settle(&self, work: &mut Work<P>, task: &IoTask<'_>) -> bool {
        while !self.buffers.are_idle() {
            if work.log.broken || self.is_hung(&work.log) {
                return false;
            }
            let written = self.write_out(work, task);
            if !self.reap(&mut work.log, task) && !written {
                fsleep(LOOK);
            }
        }
        !work.log.broken
    }

    /// Writes the superblock, and waits for that. Returns whether it is on stable media.
    pub(super) fn write_superblock(&self, log: &mut Log, state: State, task: &IoTask<'_>) -> bool {
        let whole = log.whole;
        let (Some(superblock), Some(mut buffer)) = (&mut log.superblock, log.super_block.take())
        else {
            return false;
        };
        superblock.state = state;
        superblock.scan = whole;
        let Some((block, rest)) = buffer.bytes_mut().split_first_chunk_mut() else {
            return false;
        };
        superblock.encode::<Xxh64>(block);
        rest.fill(0);
        let len = superblock::SIZE.saturating_add(rest.len());
        let flags = WriteFlags {
            preflush: true,
            fua: true,
        };
        let write = self
            .parts
            .io
            .write_back(task, self.log(), 0, buffer, len, flags);
        let (buffer, result) = match self.wait_for(write, || self.hung_after()) {
            Ok(ended) => ended,
            Err(hanging) => {
                log.keep_hanging(hanging);
                log.broken = true;
                self.end(End::Hung);
                return false;
            }
        };
        log.super_block = Some(buffer);
        if result.is_err() {
            log.broken = true;
            self.end(End::Failed);
        }
        result.is_ok()
    }

    /// Waits for a read or write of a log device, at most `limit` nanoseconds.
    ///
    /// # Errors
    ///
    /// It takes longer.
    pub(super) fn wait_for(
        &self,
        pending: Pending<IoMemory>,
        limit: impl Fn() -> u64,
    ) -> Result<(ReadBuffer, Result), Pending<IoMemory>> {
        let since = time::now();
        while !pending.is_done() {
            if time::now().saturating_sub(since) > limit() {
                return Err(pending);
            }
            fsleep(LOOK);
        }
        Ok(pending.wait())
    }

    /// How long a request may wait for room, in nanoseconds.
    pub(super) fn patience(&self) -> u64 {
        let seconds = u64::from(self.timeout.load(Ordering::Relaxed));
        let seconds = if self.hurry.load(Ordering::Relaxed) {
            seconds.min(HURRY)
        } else {
            seconds
        };
        seconds.saturating_mul(SECOND)
    }

    /// How long the log device may complete nothing, in nanoseconds. A device for which requests do not wait any more may
    /// still be alive.
    pub(super) fn hung_after(&self) -> u64 {
        let patience = self.patience();
        if self.hurry.load(Ordering::Relaxed) {
            patience
        } else {
            patience.saturating_mul(2)
        }
    }

    /// Raises an event when the log device gets full.
    fn warn_of_end(&self, log: &mut Log) {
        let Some(superblock) = &log.superblock else {
            return;
        };
        let size = self.counts.end.load(Ordering::Relaxed);
        let size = size.saturating_sub(superblock.first_position);
        let used = log.whole.position.saturating_sub(superblock.first_position);
        let percent = used.saturating_mul(100).checked_div(size).unwrap_or(0);
        let reached = WARNINGS.iter().rev().find(|limit| percent >= **limit);
        let reached = reached.copied().unwrap_or(0);

        if reached > log.warned {
            self.tell(format_args!("{reached} % full"));
            self.parts.mapped.raise_event();
        }
        log.warned = reached;
    }

    /// Measures how fast the log grows.
    fn measure(&self, log: &mut Log) {
        let (since, from) = log.rate;
        let now = time::now();
        let elapsed = now.saturating_sub(since);
        if elapsed < RATE_WINDOW {
            return;
        }
        self.warn_of_end(log);
        let bytes = log.whole.position.saturating_sub(from);
        let rate = bytes
            .saturating_mul(1000)
            .checked_div(elapsed / 1_000_000)
            .unwrap_or(0);
        if since != 0 {
            self.counts.rate.store(rate, Ordering::Relaxed);
        }
        log.rate = (now, log.whole.position);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // From here on, nobody knows whether the disk is changed before the next table uses this log.
        if let Some(superblock) = &self.superblock {
            closed::forget(self.subject, &superblock.id, self.whole.position);
        }
    }
}

impl Log {
    /// Whether much has been written since the superblock was.
    fn is_far(&self) -> bool {
        let said = self
            .superblock
            .as_ref()
            .map_or(0, |superblock| superblock.scan.position);
        self.whole.position.saturating_sub(said) >= CHECKPOINT
    }

    /// Whether a read, or a write of the superblock, hangs.
    pub(super) fn has_hanging(&self) -> bool {
        self.hanging() > 0
    }

    /// How many of these hang.
    pub(super) fn hanging(&self) -> usize {
        self.hanging.len()
    }

    /// Keeps a read or write that hangs, with its memory. Dropping it would wait.
    pub(super) fn keep_hanging(&mut self, hanging: Pending<IoMemory>) {
        if let Err(full) = self.hanging.push_within_capacity(hanging) {
            core::mem::forget(full);
        }
    }

    /// Prepares for another log device with blocks of this size. May sleep.
    pub(super) fn change(&mut self, block: usize) -> Result {
        self.super_block = Some(ReadBuffer::new(block.max(superblock::SIZE))?);
        self.warned = 0;
        Ok(())
    }

    /// How many bytes of the log are read at once.
    pub(super) fn scan_size(&self) -> usize {
        SCAN
    }

    /// Whether anything is being written.
    pub(super) fn is_busy(&self) -> bool {
        !self.writing.is_empty()
    }
}
