// SPDX-License-Identifier: GPL-2.0

//! A request on its way down: it gets its entry in the log, or waits.

use super::{
    notes::Kept,
    HasKept,
    History, //
};
use crate::{
    dm::{
        EndBio,
        HeldBio,
        MapBio,
        Mapped,
        Op, //
    },
    history_format::{
        chunks,
        entry::{
            self,
            Bases,
            End,
            Gap,
            Header,
            Issuer,
            Kind, //
        },
        staging::{
            NoRoom,
            Sealed, //
        },
    },
    record::{
        Flags,
        SECTOR_SIZE, //
    },
    sys::{
        barrier,
        staging::Filling,
        task,
        time, //
    },
};
use core::{
    ops::Range,
    sync::atomic::Ordering, //
};
use kernel::{
    prelude::*,
    time::Delta, //
};

/// How long an entry may stay in a staging buffer.
pub(super) const LINGER: Delta = Delta::from_millis(100);

/// Why a request has no entry yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The old bytes of a chunk are not known.
    Unknown,
    /// There is no room now.
    Full,
    /// The history has ended, or is about to.
    Ended,
}

impl<P: HasKept> History<'_, P> {
    /// Sends a request on to `sector` of the disk, with an entry in the log if it changes the disk. If it must wait for
    /// that, the worker sends it on.
    #[inline]
    pub(crate) fn map<'b>(&self, mut bio: MapBio<'b, P>, sector: u64) -> Mapped<'b> {
        let Some(kind) = kind_of(bio.op()) else {
            return bio.remap(self.parts.disk, sector);
        };
        if !self.is_on() {
            return bio.remap(self.parts.disk, sector);
        }

        match self.try_keep(&bio, kind) {
            Ok(kept) => {
                *bio.per_bio().kept() = kept;
                bio.remap(self.parts.disk, sector)
            }
            Err(Obstacle::Ended) => bio.remap(self.parts.disk, sector),
            Err(Obstacle::Full) if !self.is_waiting() => {
                self.skip(&bio);
                bio.remap(self.parts.disk, sector)
            }
            // The next table is to have it.
            Err(Obstacle::Full | Obstacle::Unknown) if self.requeues() => bio.requeue(),
            Err(obstacle @ (Obstacle::Full | Obstacle::Unknown)) => {
                let (mapped, bio) = bio.defer();
                self.hold(bio, obstacle);
                mapped
            }
        }
    }

    /// A request has completed: notes how, if it has an entry. In any context.
    #[inline]
    pub(crate) fn completed(&self, bio: &mut EndBio<'_, P>) {
        let kept = core::mem::take(bio.per_bio().kept());
        if !kept.is_some() {
            return;
        }
        let errno = match bio.result() {
            Ok(()) => 0,
            Err(error) => error.to_errno().unsigned_abs(),
        };
        let head = self.buffers.head_or_last();

        if self.notes.complete(kept, head, errno) {
            self.parts.worker.start();
        } else {
            self.wake_later();
        }
    }

    /// Makes the entry of a request, unless it must wait.
    #[inline]
    fn try_keep(&self, bio: &HeldBio<P>, kind: Kind) -> Result<Kept, Obstacle> {
        if self.blocked.load(Ordering::Acquire) {
            return Err(Obstacle::Full);
        }
        if !self.is_known(kind, bio) {
            return Err(Obstacle::Unknown);
        }
        let kept = self.claim().ok_or(Obstacle::Full)?;
        let issuer = Issuer {
            pid: task::pid(),
            cgroup: bio.cgroup(),
            command: task::name(),
        };
        match self.keep(bio, kind, &kept, issuer) {
            Ok(()) => Ok(kept),
            Err(obstacle) => {
                self.notes.release(kept);
                Err(obstacle)
            }
        }
    }

    /// Takes a slot for the completion of a request. `None` if all are taken: the worker frees some soon.
    #[inline]
    pub(super) fn claim(&self) -> Option<Kept> {
        let kept = self.notes.claim();
        if kept.is_none() {
            self.parts.worker.start();
        }
        kept
    }

    /// Whether the request needs no base.
    #[inline]
    pub(super) fn is_known(&self, kind: Kind, bio: &HeldBio<P>) -> bool {
        self.bases == Bases::Off
            || kind == Kind::Flush
            || chunks::are_known(&self.known, &self.touched(bio))
    }

    /// The chunks that a request touches.
    #[inline]
    pub(super) fn touched(&self, bio: &HeldBio<P>) -> Range<u64> {
        self.chunks.touched(bio.sector(), bio.bytes().into())
    }

    /// Makes the entry of a request whose old bytes are known.
    #[inline]
    pub(super) fn keep(
        &self,
        bio: &HeldBio<P>,
        kind: Kind,
        kept: &Kept,
        issuer: Issuer,
    ) -> Result<(), Obstacle> {
        let payload = match kind {
            Kind::Write => bio.bytes(),
            Kind::Discard | Kind::WriteZeroes | Kind::SecureErase | Kind::Flush => 0,
            Kind::Begin | Kind::End | Kind::Base | Kind::Mark | Kind::Completions | Kind::Gap => {
                return Err(Obstacle::Ended)
            }
        };
        let time = time::now();
        let size = Header::size_with(payload).ok_or(Obstacle::Full)?;
        let mut filling = self.reserve(size)?;
        let position = filling.position();
        let header = Header {
            kind,
            detail: 0,
            position,
            sector: if kind == Kind::Flush { 0 } else { bio.sector() },
            bytes: bio.bytes().into(),
            time,
            flags: flags(bio),
            issuer,
            payload,
        };

        filling.put(&header.encode());
        for segment in bio.segments() {
            filling.put_segment(&segment);
        }
        self.notes.begin(kept, position, time);
        self.finish(filling);
        if kind == Kind::Flush {
            self.wanted.store(true, Ordering::Relaxed);
            self.parts.worker.start();
        }
        Ok(())
    }

    /// Gives up an entry that is filled.
    #[inline]
    pub(super) fn finish(&self, filling: Filling<'_>) {
        if filling.finish() {
            self.parts.worker.start();
        } else {
            self.wake_later();
        }
    }

    /// Makes the worker run before what there is now lingers too long. The caller has just made it known to the worker
    /// with an atomic operation. In any context.
    #[inline]
    fn wake_later(&self) {
        // Without a write to what CPUs share, if the timer runs already. Pairs with the barrier in `work`.
        barrier::after_atomic();
        if !self.armed.load(Ordering::Relaxed) && !self.armed.swap(true, Ordering::AcqRel) {
            self.parts.worker.start_after(LINGER);
        }
    }

    /// Reserves room in a staging buffer. Goes on to the next buffer if the open one is full.
    #[inline]
    pub(super) fn reserve(&self, bytes: u32) -> Result<Filling<'_>, Obstacle> {
        if !self.buffers.can_hold(bytes) {
            return Err(Obstacle::Full);
        }
        loop {
            let seen = match self.buffers.reserve(bytes) {
                Ok(filling) => return Ok(filling),
                Err(NoRoom::Closed) => return Err(self.closed()),
                Err(NoRoom::Seal(seen)) => seen,
            };
            let mut turn = self.turn.lock();
            match self.buffers.seal(&mut turn, Some(seen)) {
                Sealed::Yes(complete) => {
                    if complete {
                        self.parts.worker.start();
                    }
                }
                Sealed::Before => {}
                Sealed::NoneFree => return Err(Obstacle::Full),
                // The log is about to go on with another device.
                Sealed::Full if self.changing.load(Ordering::Relaxed) => {
                    return Err(Obstacle::Full);
                }
                Sealed::Full => {
                    self.end_in(&mut turn, End::Full);
                    return Err(Obstacle::Ended);
                }
                Sealed::Closed => return Err(self.closed()),
            }
        }
    }

    /// Whether requests that find no room wait.
    pub(super) fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Relaxed) || self.changing.load(Ordering::Relaxed)
    }

    /// Why no buffer is open.
    fn closed(&self) -> Obstacle {
        if self.changing.load(Ordering::Acquire) {
            Obstacle::Full
        } else {
            Obstacle::Ended
        }
    }

    /// Whether requests that would wait are given back, for the table that is resumed next.
    pub(super) fn requeues(&self) -> bool {
        self.hurry.load(Ordering::Relaxed) && self.parts.mapped.is_suspending_without_flush()
    }

    /// Notes that a request goes to the disk without an entry. The caller sends it on after this.
    pub(super) fn skip(&self, bio: &HeldBio<P>) {
        self.counts.gaps.fetch_add(1, Ordering::Relaxed);
        let Some(kind) = kind_of(bio.op()).filter(|kind| *kind != Kind::Flush) else {
            return;
        };
        if !self.is_known(kind, bio) {
            let touched = self.touched(bio);
            self.add_gap(self.chunks.sectors(&touched), Gap::BEFORE);
            // A later base would come too late.
            chunks::set_known(&self.known, &touched);
        }
        let sectors = u64::from(bio.bytes()).div_ceil(SECTOR_SIZE);
        let first = bio.sector();
        self.add_gap(first..first.saturating_add(sectors), Gap::LATER);
    }

    /// Notes that something is missing for a range of sectors. No request gets an entry before the log says so.
    fn add_gap(&self, sectors: Range<u64>, detail: u8) {
        self.gaps.lock().add(sectors, detail);
        self.block();
        self.parts.worker.start();
    }
}

/// The kind of the entry for this operation; `None` if it changes nothing. Zoned disks have no history.
#[inline]
pub(super) fn kind_of(op: Op) -> Option<Kind> {
    match op {
        Op::Write => Some(Kind::Write),
        Op::Flush => Some(Kind::Flush),
        Op::Discard => Some(Kind::Discard),
        Op::SecureErase => Some(Kind::SecureErase),
        Op::WriteZeroes => Some(Kind::WriteZeroes),
        Op::Read
        | Op::ZoneAppend
        | Op::ZoneOpen
        | Op::ZoneClose
        | Op::ZoneFinish
        | Op::ZoneReset
        | Op::ZoneResetAll
        | Op::Other => None,
    }
}

/// The flags of the entry.
#[inline]
fn flags<P: HasKept>(bio: &HeldBio<P>) -> Flags {
    let when = |is, flag| if is { flag } else { Flags::NONE };

    when(bio.is_fua(), Flags::FUA)
        .with(when(bio.is_preflush(), Flags::PREFLUSH))
        .with(when(bio.is_meta(), Flags::META))
        .with(when(bio.is_sync(), Flags::SYNC))
        .with(when(bio.is_atomic(), Flags::ATOMIC))
}

const _: () = assert!(entry::COMMAND == task::NAME);
