// SPDX-License-Identifier: GPL-2.0

//! The change to another log device, without a hole.

use super::{
    log::SECOND,
    session::{
        block_of,
        Unfit, //
    },
    work::Work,
    HasKept,
    History,
    State, //
};
use crate::{
    dm::{
        Device,
        IoTask,
        ReadBuffer, //
    },
    history_format::{
        batch,
        entry::End,
        superblock::{
            self,
            ScanFrom,
            Superblock, //
        },
        FIRST_BATCH, //
    },
    sys::claims::Claim,
};
use core::sync::atomic::Ordering;
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How often the message looks whether the worker has changed to the next log device.
const LOOK: Delta = Delta::from_millis(1);

/// How long the read of the next log device may take, in nanoseconds. Requests may have to wait for it.
const READ_MAX: u64 = 2 * SECOND;

/// Whether another log device is to follow.
pub(super) enum Next<'t> {
    /// No.
    No,
    /// Yes, this one, whose superblock is to be read into the buffer.
    Wanted(Device<'t>, ReadBuffer),
    /// The worker tries it.
    Trying,
    /// The worker has tried.
    Done(Result<(), Unfit>),
}

impl<'t, P: HasKept> History<'t, P> {
    /// Goes on with another log device, which must be empty. Waits for that. May sleep.
    ///
    /// # Errors
    ///
    /// The device is unfit: then the history goes on with the one before. `EBUSY` if another message changes it now, or
    /// if the device is suspended, and `EIO` if the history has ended.
    pub(crate) fn change_log(&self, log: Device<'t>, claim: Claim) -> Result<(), Unfit> {
        if self.state() == State::Idle {
            return Err(Unfit::Errno(EBUSY));
        }
        let buffer = ReadBuffer::new(block_of(log)).map_err(Unfit::Errno)?;
        match &mut *self.next.lock() {
            next @ Next::No => *next = Next::Wanted(log, buffer),
            Next::Wanted(..) | Next::Trying | Next::Done(_) => {
                return Err(Unfit::Errno(EBUSY));
            }
        }
        self.parts.worker.start();
        loop {
            let ended = matches!(self.state(), State::Ended(_) | State::Idle);
            {
                let mut next = self.next.lock();
                match &*next {
                    Next::Done(result) => {
                        let result = *result;
                        *next = Next::No;
                        if result.is_ok() {
                            *self.claim.lock() = Some(claim);
                        }
                        return result;
                    }
                    Next::Wanted(..) | Next::No if ended => {
                        *next = Next::No;
                        return Err(Unfit::Errno(EIO));
                    }
                    Next::Wanted(..) | Next::Trying | Next::No => {}
                }
            }
            fsleep(LOOK);
        }
    }

    /// Changes to the next log device, if there is one.
    pub(super) fn go_on(&self, work: &mut Work<P>, task: &IoTask<'_>) {
        let (log, buffer) = {
            let mut next = self.next.lock();
            match core::mem::replace(&mut *next, Next::Trying) {
                Next::Wanted(log, buffer) => (log, buffer),
                other @ (Next::No | Next::Trying | Next::Done(_)) => {
                    *next = other;
                    return;
                }
            }
        };
        let result = self
            .read_next(work, log, buffer, task)
            .and_then(|fresh| self.change_to(work, log, fresh, task));

        *self.next.lock() = Next::Done(result);
    }

    /// Reads the superblock of the next log device.
    fn read_next(
        &self,
        work: &mut Work<P>,
        log: Device<'t>,
        buffer: ReadBuffer,
        task: &IoTask<'_>,
    ) -> Result<Superblock, Unfit> {
        if let Some(hanging) = &work.log.hanging_next {
            if !hanging.is_done() {
                return Err(Unfit::Errno(EBUSY));
            }
        }
        let read = self.parts.io.read(task, log, 0, buffer, block_of(log));
        match self.wait_for(read, || self.hung_after().min(READ_MAX)) {
            Ok((buffer, result)) => result
                .map_err(Unfit::Errno)
                .and_then(|()| self.superblock_in(log, buffer.bytes())),
            Err(hanging) => {
                work.log.hanging_next = Some(hanging);
                Err(Unfit::Errno(ETIMEDOUT))
            }
        }
    }

    fn change_to(
        &self,
        work: &mut Work<P>,
        log: Device<'t>,
        fresh: Superblock,
        task: &IoTask<'_>,
    ) -> Result<(), Unfit> {
        if fresh.session != 0 {
            return Err(Unfit::Used);
        }
        let old = work.log.superblock.clone().ok_or(Unfit::Errno(EIO))?;

        // From here on, requests that find no room wait.
        self.changing.store(true, Ordering::Release);
        self.block();
        self.put_rest(work, task);
        let stopped = {
            let mut turn = self.turn.lock();
            // Nothing else can stop it from here on.
            self.is_on() && self.buffers.stop(&mut turn)
        };
        let result = if stopped {
            self.put_end(work, End::Next);
            self.change_closed(work, &old, fresh, log, task)
        } else {
            Err(Unfit::Errno(EIO))
        };
        if result.is_err() {
            self.end(End::Failed);
        }
        self.changing.store(false, Ordering::Release);
        result
    }

    /// Goes on with the next log device when no buffer of the old one is open.
    fn change_closed(
        &self,
        work: &mut Work<P>,
        old: &Superblock,
        fresh: Superblock,
        log: Device<'t>,
        task: &IoTask<'_>,
    ) -> Result<(), Unfit> {
        let closed = self.settle(work, task)
            && self.write_superblock(&mut work.log, superblock::State::Closed, task);
        if !closed {
            return Err(Unfit::Errno(EIO));
        }
        let block = fresh.block_size;
        let end = work.log.whole;
        let first_position = batch::aligned(end.position, block).ok_or(Unfit::Full)?;
        let place = ScanFrom {
            position: first_position.saturating_add(FIRST_BATCH.saturating_mul(block.into())),
            number: end.number,
            session: old.session,
        };
        let superblock = Superblock {
            first_position,
            previous: old.id,
            session: old.session,
            scan: place,
            ..fresh
        };

        work.log.change(block as usize).map_err(Unfit::Errno)?;
        *self.log.lock() = log;
        self.start(work, superblock, place, true, task)
    }
}
