// SPDX-License-Identifier: GPL-2.0

//! The change to another log device, without a hole.

use super::{
    session::Unfit,
    work::Work,
    HasKept,
    History,
    State, //
};
use crate::{
    dm::{
        Device,
        IoTask, //
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

/// Whether another log device is to follow.
pub(super) enum Next<'t> {
    /// No.
    No,
    /// Yes, this one.
    Wanted(Device<'t>),
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
        match &mut *self.next.lock() {
            next @ Next::No => *next = Next::Wanted(log),
            Next::Wanted(_) | Next::Done(_) => return Err(Unfit::Errno(EBUSY)),
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
                    Next::Wanted(_) | Next::No if ended => {
                        *next = Next::No;
                        return Err(Unfit::Errno(EIO));
                    }
                    Next::Wanted(_) | Next::No => {}
                }
            }
            fsleep(LOOK);
        }
    }

    /// Changes to the next log device, if there is one.
    pub(super) fn go_on(&self, work: &mut Work<P>, task: &IoTask<'_>) {
        let log = match &*self.next.lock() {
            Next::Wanted(log) => *log,
            Next::No | Next::Done(_) => return,
        };
        let result = self.change_to(work, log, task);

        *self.next.lock() = Next::Done(result);
    }

    fn change_to(
        &self,
        work: &mut Work<P>,
        log: Device<'t>,
        task: &IoTask<'_>,
    ) -> Result<(), Unfit> {
        let fresh = self.read_superblock(work, log, task)?;
        if fresh.session != 0 {
            return Err(Unfit::Used);
        }
        let old = work.log.superblock.clone().ok_or(Unfit::Errno(EIO))?;

        // From here on, requests that find no room wait.
        self.changing.store(true, Ordering::Release);
        self.block();
        self.put_end(work, End::Next);
        self.buffers.close(&mut self.turn.lock());
        let result = self.change_closed(work, &old, fresh, log, task);
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
