// SPDX-License-Identifier: GPL-2.0

//! The worker: it sends on what waits, writes down what has completed and what is missing, and writes the log.

use super::{
    held::Prepare,
    log::{
        Log,
        LOOK, //
    },
    requests::{
        Obstacle,
        LINGER, //
    },
    HasKept,
    History,
    Parts,
    Sizes,
    State, //
};
use crate::{
    dm::{
        IoTask,
        PerBio, //
    },
    history_format::{
        entry::{
            Bases,
            End,
            Header,
            Issuer,
            Kind,
            Note, //
        },
        staging::Sealed, //
    },
    record::{
        Flags,
        SECTOR_SIZE, //
    },
    sys::{
        barrier,
        memory::Array,
        staging::{
            Buffers,
            Filling,
            Taker, //
        },
        time, //
    },
};
use core::sync::atomic::Ordering;
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How many notes one entry has at most.
const NOTES_IN_ENTRY: usize = 512;

/// How often the worker looks after requests that wait, and a log device that may hang.
const WATCH: Delta = Delta::from_millis(200);

/// What only the worker touches.
pub(super) struct Work<P: PerBio> {
    pub(super) taker: Taker,
    pub(super) log: Log,
    pub(super) prepare: Prepare<P>,
    /// Notes that were taken, and are not in the log yet. They are written from the end.
    notes: Array<Note>,
    /// When the open buffer was last sealed, in nanoseconds.
    sealed: u64,
}

impl<P: PerBio> Work<P> {
    // Boxed here, because it is large, and the constructor needs the stack for more.
    #[inline(never)]
    pub(super) fn new(
        taker: Taker,
        buffers: &Buffers,
        parts: &Parts<'_>,
        sizes: Sizes,
        bases: Bases,
    ) -> Result<KBox<Self>> {
        let work = Self {
            taker,
            log: Log::new(parts, buffers)?,
            prepare: Prepare::new(sizes, bases)?,
            notes: Array::with_capacity(super::notes::NOTES as usize, GFP_KERNEL)?,
            sealed: 0,
        };
        Ok(KBox::new(work, GFP_KERNEL)?)
    }
}

impl<P: HasKept> History<'_, P> {
    /// The worker's function. May sleep, and waits for the disk.
    pub(crate) fn work(&self, task: &IoTask<'_>) {
        let mut work = self.work.lock();
        let work = &mut **work;

        // What gets an entry from here on arms the timer again. What did before is seen below. Pairs with the barrier in
        // `wake_later`.
        self.armed.swap(false, Ordering::AcqRel);
        barrier::after_atomic();
        loop {
            let mut progress = self.reap(&mut work.log, task);
            match self.state() {
                State::On => progress |= self.turn(work, task),
                State::Ending(end) => self.end_session(work, end, task),
                State::Idle | State::Ended(_) => {}
            }
            if matches!(self.state(), State::Ended(_)) {
                self.let_go(work, false);
                return;
            }
            if !progress {
                break;
            }
        }
        if self.state() != State::On {
            return;
        }
        if self.has_held(work) || work.log.is_busy() {
            self.parts.worker.start_after(WATCH);
        } else if !work.notes.is_empty() || self.buffers.has_entries() {
            self.parts.worker.start_after(LINGER);
        }
    }

    /// One round. Returns whether there is more to do at once.
    fn turn(&self, work: &mut Work<P>, task: &IoTask<'_>) -> bool {
        self.go_on(work, task);
        self.put_notes(work);
        let _ = self.put_gaps();
        let mut progress = self.release(work, task);
        self.unblock(work);

        let now = time::now();
        let linger = u64::try_from(LINGER.as_nanos()).unwrap_or(0);
        let late = now.saturating_sub(work.sealed) >= linger;
        if self.wanted.swap(false, Ordering::Relaxed) || late {
            let mut turn = self.turn.lock();
            match self.buffers.seal(&mut turn, None) {
                Sealed::Yes(_) => {
                    work.sealed = now;
                    progress = true;
                }
                // Empty.
                Sealed::Before => work.sealed = now,
                // The next round tries again, when a buffer has been written.
                Sealed::NoneFree => {
                    self.wanted.store(true, Ordering::Relaxed);
                }
                Sealed::Full => self.end_in(&mut turn, End::Full),
                Sealed::Closed => {}
            }
        }
        progress |= self.write_out(work, task);

        if self.is_hung(&work.log) {
            work.log.broken = true;
            self.end(End::Hung);
        } else if work
            .prepare
            .stalled()
            .is_some_and(|since| !self.is_waiting() || now.saturating_sub(since) > self.patience())
        {
            self.let_go(work, true);
            progress = true;
        } else if self.requeues() {
            self.let_go(work, false);
        }
        progress || matches!(self.state(), State::Ending(_))
    }

    /// Writes down how requests have completed, as far as there is room.
    fn put_notes(&self, work: &mut Work<P>) {
        loop {
            if work.notes.is_empty() {
                for note in self.notes.take() {
                    let _ = work.notes.push_within_capacity(note);
                }
                // They are removed from the end.
                work.notes.reverse();
            }
            let count = work.notes.len().min(NOTES_IN_ENTRY);
            if count == 0 {
                return;
            }
            let payload = count.saturating_mul(Note::SIZE) as u32;
            let Some(mut filling) = self.late_room(payload) else {
                return;
            };
            let position = filling.position();
            filling.put(
                &self
                    .header(Kind::Completions, 0, 0..0, position, payload)
                    .encode(),
            );
            for _ in 0..count {
                if let Some(note) = work.notes.pop() {
                    filling.put(&note.encode());
                }
            }
            self.finish(filling);
        }
    }

    /// Writes down what is missing.
    ///
    /// # Errors
    ///
    /// There is no room for all of it.
    pub(super) fn put_gaps(&self) -> Result<(), Obstacle> {
        loop {
            // What another task adds from here on is not in this entry: it may come after later entries.
            let mut gaps = self.gaps.lock();
            if gaps.is_empty() {
                return Ok(());
            }
            let mut filling = self.late_room(0).ok_or(Obstacle::Full)?;
            let missing = gaps.pop().unwrap_or_default();
            drop(gaps);
            let header = self.header(
                Kind::Gap,
                missing.detail,
                missing.sectors,
                filling.position(),
                0,
            );
            filling.put(&header.encode());
            self.finish(filling);
        }
    }

    /// Reserves room for an entry of the worker, also when the log is stopped.
    fn late_room(&self, payload: u32) -> Option<Filling<'_>> {
        let size = Header::size_with(payload)?;
        if let Ok(filling) = self.reserve(size) {
            return Some(filling);
        }
        let mut turn = self.turn.lock();
        if !turn.is_stopped() {
            return None;
        }
        self.buffers.reserve_late(&mut turn, size).or_else(|| {
            let _ = self.buffers.seal(&mut turn, None);
            self.buffers.reserve_late(&mut turn, size)
        })
    }

    /// Begins an entry of the history itself; `None` if there is no room.
    pub(super) fn entry(
        &self,
        kind: Kind,
        detail: u8,
        sectors: core::ops::Range<u64>,
        payload: u32,
    ) -> Option<Filling<'_>> {
        let mut filling = self.reserve(Header::size_with(payload)?).ok()?;
        let header = self.header(kind, detail, sectors, filling.position(), payload);

        filling.put(&header.encode());
        Some(filling)
    }

    /// The header of an entry of the history itself.
    pub(super) fn header(
        &self,
        kind: Kind,
        detail: u8,
        sectors: core::ops::Range<u64>,
        position: u64,
        payload: u32,
    ) -> Header {
        Header {
            kind,
            detail,
            position,
            sector: sectors.start,
            bytes: sectors
                .end
                .saturating_sub(sectors.start)
                .saturating_mul(SECTOR_SIZE),
            time: time::now(),
            flags: Flags::NONE,
            issuer: Issuer::default(),
            payload,
        }
    }

    /// Puts all notes and gaps into the log. Waits for room, as long as the log device takes something.
    pub(super) fn put_rest(&self, work: &mut Work<P>, task: &IoTask<'_>) {
        loop {
            self.put_notes(work);
            if self.put_gaps().is_ok() && work.notes.is_empty() {
                return;
            }
            let mut progress = self.write_out(work, task);
            progress |= self.reap(&mut work.log, task);
            if work.log.broken || self.is_hung(&work.log) || !(progress || work.log.is_busy()) {
                return;
            }
            if !progress {
                fsleep(LOOK);
            }
        }
    }

    /// Puts the last words of a session into the log, which is stopped: what is missing, if there was no room for that
    /// before, and its end. Then it closes the log.
    pub(super) fn put_end(&self, work: &mut Work<P>, end: End) {
        // Another log device takes them.
        if end != End::Next {
            let lost = work.notes.len() as u64;
            self.counts.notes_lost.fetch_add(lost, Ordering::Relaxed);
            work.notes.clear();
        }
        let missing = self.gaps.lock().pop_all();
        let gap = missing.map(|missing| (Kind::Gap, missing.detail, missing.sectors));
        let mut turn = self.turn.lock();
        if let Some(size) = Header::size_with(0) {
            for (kind, detail, sectors) in [gap, Some((Kind::End, end as u8, 0..0))]
                .into_iter()
                .flatten()
            {
                if let Some(mut filling) = self.buffers.reserve_last(&mut turn, size) {
                    let header = self.header(kind, detail, sectors, filling.position(), 0);
                    filling.put(&header.encode());
                    filling.finish();
                }
            }
        }
        self.buffers.close(&mut turn);
    }
}
