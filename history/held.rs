// SPDX-License-Identifier: GPL-2.0

//! Requests that wait: for the old bytes of their chunks, or for room.
//!
//! The worker takes them in order. It reads the old bytes of several at once. Then, for each, it reserves the base, then
//! the write, then makes the chunks known, and then sends the write on. So the first base of a chunk, by position, is
//! right: a write that had reached the chunk before that base was read would itself have been sent on here, after an
//! earlier base. Later bases of the same chunk in the same session may be wrong, and are ignored.

use super::{
    requests::{
        kind_of,
        Obstacle, //
    },
    work::Work,
    HasKept,
    History,
    Sizes,
    State, //
};
use crate::{
    dm::{
        BioQueue,
        IoMemory,
        IoTask,
        OwnedBio,
        Pending,
        PerBio,
        ReadBuffer, //
    },
    history_format::{
        chunks,
        entry::{
            Bases,
            Gap,
            Header,
            Issuer,
            Kind, //
        }, //
    },
    record::{
        Flags,
        SECTOR_SIZE, //
    },
    sys::time, //
};
use core::{
    ops::Range,
    sync::atomic::Ordering, //
};
use kernel::prelude::*;

/// How much of the old bytes one base has at most, in bytes.
const PIECE: u32 = 64 << 10;

/// How many pieces are read at once.
const PIECES: usize = 32;

/// How many requests the worker prepares at once.
const READY: usize = 64;

/// The size of a piece.
fn piece(sizes: Sizes) -> u32 {
    PIECE.min(sizes.request).max(sizes.chunk)
}

/// How many pieces are read at once: at least those of one request, which touches a chunk more at each end.
fn pieces(sizes: Sizes) -> usize {
    let most = sizes
        .request
        .saturating_add(sizes.chunk.saturating_mul(2))
        .div_ceil(piece(sizes).max(1));
    PIECES.max(most as usize)
}

/// The memory for old bytes, in bytes.
pub(super) fn memory(sizes: Sizes) -> u64 {
    (pieces(sizes) as u64).saturating_mul(piece(sizes).into())
}

/// Requests that wait, and have not been prepared.
pub(super) struct Held<P: PerBio> {
    queue: BioQueue<P>,
}

impl<P: PerBio> Held<P> {
    pub(super) fn new() -> Self {
        Self {
            queue: BioQueue::new(),
        }
    }
}

/// A request that the worker prepares.
struct Prepared<P: PerBio> {
    bio: OwnedBio<P>,
    kind: Kind,
    /// The sectors whose old bytes are wanted; none if they are known.
    old: Range<u64>,
    /// Where the next base begins.
    next: u64,
    /// Once it has its entry: the position up to which the log must be on stable media before it is sent on.
    until: Option<u64>,
}

/// Old bytes of a part of a prepared request. The pieces are in the order of the requests.
struct Piece {
    sectors: Range<u64>,
    read: Option<Pending<IoMemory>>,
    /// When the read has ended.
    arrived: Option<(ReadBuffer, Result)>,
}

impl Piece {
    /// Waits for the old bytes. `None` if they cannot be read.
    fn bytes(&mut self) -> Option<&[u8]> {
        if let Some(read) = self.read.take() {
            self.arrived = Some(read.wait());
        }
        match &self.arrived {
            Some((buffer, Ok(()))) => {
                let sectors = self.sectors.end.saturating_sub(self.sectors.start);
                buffer
                    .bytes()
                    .get(..sectors.saturating_mul(SECTOR_SIZE) as usize)
            }
            Some((_, Err(_))) | None => None,
        }
    }

    /// Waits for the read, and gives its buffer back.
    fn into_buffer(self) -> Option<ReadBuffer> {
        match self.read {
            Some(read) => Some(read.wait().0),
            None => self.arrived.map(|(buffer, _)| buffer),
        }
    }
}

/// What the worker has in hand.
pub(super) struct Prepare<P: PerBio> {
    ready: KVec<Prepared<P>>,
    pieces: KVec<Piece>,
    free: KVec<ReadBuffer>,
    /// The size of a piece, in sectors.
    piece: u64,
    /// Since when the first one has waited for room, in nanoseconds; 0 if it does not.
    stalled: u64,
}

impl<P: PerBio> Prepare<P> {
    pub(super) fn new(sizes: Sizes, bases: Bases) -> Result<Self> {
        let count = match bases {
            Bases::Off => 0,
            Bases::On | Bases::Durable => pieces(sizes),
        };
        let mut free = KVec::with_capacity(count, GFP_KERNEL)?;

        for _ in 0..count {
            free.push(ReadBuffer::new(piece(sizes) as usize)?, GFP_KERNEL)?;
        }
        Ok(Self {
            ready: KVec::with_capacity(READY, GFP_KERNEL)?,
            pieces: KVec::with_capacity(count, GFP_KERNEL)?,
            free,
            piece: u64::from(piece(sizes)) / SECTOR_SIZE,
            stalled: 0,
        })
    }

    /// Whether nothing is in hand.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Takes back the buffer of a piece.
    fn give_back(&mut self, piece: Piece) {
        if let Some(buffer) = piece.into_buffer() {
            let _ = self.free.push_within_capacity(buffer);
        }
    }

    /// Since when the first request has waited for room, in nanoseconds; `None` if it does not.
    pub(super) fn stalled(&self) -> Option<u64> {
        Some(self.stalled).filter(|since| *since != 0)
    }
}

impl<P: HasKept> History<'_, P> {
    /// Keeps a request until the worker sends it on.
    pub(super) fn hold(&self, mut bio: OwnedBio<P>, obstacle: Obstacle) {
        // Without a slot, the entry will not say who made the request.
        if let Some(kept) = self.claim() {
            self.notes.put_issuer(&kept);
            *bio.per_bio().kept() = kept;
        }
        self.counts.held.fetch_add(1, Ordering::Relaxed);
        {
            let mut held = self.held.lock();
            held.queue.push(bio);
            if obstacle == Obstacle::Full {
                self.blocked.store(true, Ordering::Release);
            }
        }
        self.parts.worker.start();
    }

    /// Makes further requests wait.
    pub(super) fn block(&self) {
        let _held = self.held.lock();
        self.blocked.store(true, Ordering::Release);
    }

    /// Lets requests through again, if nothing waits.
    pub(super) fn unblock(&self, work: &Work<P>) {
        let held = self.held.lock();
        if held.queue.is_empty() && work.prepare.is_empty() && self.gaps.lock().is_empty() {
            self.blocked.store(false, Ordering::Release);
        }
    }

    /// Whether requests wait.
    pub(super) fn has_held(&self, work: &Work<P>) -> bool {
        !work.prepare.is_empty() || !self.held.lock().queue.is_empty()
    }

    /// Sends on what waits, as far as there is room. Returns whether any was sent on.
    pub(super) fn release(&self, work: &mut Work<P>, task: &IoTask<'_>) -> bool {
        let mut progress = false;
        loop {
            self.take_held(&mut work.prepare, task);
            if work.prepare.is_empty() || !self.send_ready(&mut work.prepare) {
                return progress;
            }
            progress = true;
        }
    }

    /// Sends on what waits, without entries. `gaps` says whether the log is to say so. What has its entry goes on
    /// waiting for its base, unless the history has ended.
    pub(super) fn let_go(&self, work: &mut Work<P>, gaps: bool) {
        let requeue = self.requeues();
        let has_ended = matches!(self.state(), State::Ended(_));
        let prepare = &mut work.prepare;
        while let Some(piece) = prepare.pieces.pop() {
            prepare.give_back(piece);
        }
        prepare.stalled = 0;
        let send = |mut bio: OwnedBio<P>| {
            let kept = core::mem::take(bio.per_bio().kept());
            if kept.is_some() {
                self.notes.release(kept);
            }
            if requeue {
                return bio.requeue();
            }
            if gaps {
                self.skip(&bio);
            }
            self.submit(bio);
        };
        let mut index = 0;
        while let Some(prepared) = prepare.ready.get(index) {
            if prepared.until.is_some() && !has_ended {
                index = index.saturating_add(1);
                continue;
            }
            let Ok(prepared) = prepare.ready.remove(index) else {
                break;
            };
            match prepared.until {
                Some(_) => self.submit(prepared.bio),
                None => send(prepared.bio),
            }
        }
        // Those that come meanwhile are left for the next round: there may be no end of them.
        let mut queue = core::mem::replace(&mut self.held.lock().queue, BioQueue::new());
        while let Some(bio) = queue.pop() {
            send(bio);
        }
    }

    /// Sends a request on to the disk.
    fn submit(&self, bio: OwnedBio<P>) {
        let sector = self.parts.offset.wrapping_add(bio.sector());

        bio.submit(self.parts.disk, sector);
    }

    /// Takes requests that wait, and starts to read their old bytes.
    fn take_held(&self, prepare: &mut Prepare<P>, task: &IoTask<'_>) {
        while prepare.ready.len() < READY {
            let bio = self.held.lock().queue.pop();
            let Some(bio) = bio else {
                return;
            };
            let Some(kind) = kind_of(bio.op()) else {
                self.submit(bio);
                continue;
            };
            let old = if self.is_known(kind, &bio) {
                0..0
            } else {
                self.chunks.sectors(&self.touched(&bio))
            };
            // Without bases there are no buffers, and none is needed. Otherwise this is one more than needed if it
            // divides: the last one may be short.
            let wanted = if old.is_empty() {
                0
            } else {
                old.end
                    .saturating_sub(old.start)
                    .checked_div(prepare.piece)
                    .map_or(u64::MAX, |pieces| pieces.saturating_add(1))
            };
            if wanted > prepare.free.len() as u64 {
                self.held.lock().queue.push_front(bio);
                return;
            }
            let mut next = old.start;
            while next < old.end {
                let end = next.saturating_add(prepare.piece).min(old.end);
                let Some(buffer) = prepare.free.pop() else {
                    break;
                };
                let sectors = next..end;
                let bytes = end.saturating_sub(next).saturating_mul(SECTOR_SIZE) as usize;
                let sector = self.parts.offset.wrapping_add(next);
                let read = self
                    .parts
                    .io
                    .read(task, self.parts.disk, sector, buffer, bytes);
                let _ = prepare.pieces.push_within_capacity(Piece {
                    sectors,
                    read: Some(read),
                    arrived: None,
                });
                next = end;
            }
            let _ = prepare.ready.push_within_capacity(Prepared {
                bio,
                kind,
                next: old.start,
                old,
                until: None,
            });
        }
    }

    /// Gives the first prepared requests their entries, and sends them on. Returns whether any was sent on.
    fn send_ready(&self, prepare: &mut Prepare<P>) -> bool {
        let mut sent = false;
        let mut index = 0;
        while let Some(prepared) = prepare.ready.get_mut(index) {
            if prepared.until.is_none() {
                match self.put_entries(prepared, &mut prepare.pieces, &mut prepare.free) {
                    Ok(until) => {
                        prepared.until = Some(until);
                        prepare.stalled = 0;
                    }
                    Err(Obstacle::Full | Obstacle::Unknown) => {
                        if prepare.stalled == 0 {
                            prepare.stalled = time::now();
                        }
                        return sent;
                    }
                    // The worker lets everything go.
                    Err(Obstacle::Ended) => return sent,
                }
            }
            let until = prepared.until.unwrap_or(0);
            if self.written.load(Ordering::Acquire) < until {
                // Its base is on its way to stable media.
                self.wanted.store(true, Ordering::Relaxed);
                index = index.saturating_add(1);
                continue;
            }
            let Ok(prepared) = prepare.ready.remove(index) else {
                return sent;
            };
            if self.bases == Bases::Durable {
                chunks::set_known(&self.known, &self.touched(&prepared.bio));
            }
            self.submit(prepared.bio);
            sent = true;
        }
        prepare.stalled = 0;
        sent
    }

    /// Puts the bases of a request into the log, and then its own entry. Returns the position up to which the log must
    /// be written before it is sent on.
    fn put_entries(
        &self,
        prepared: &mut Prepared<P>,
        pieces: &mut KVec<Piece>,
        free: &mut KVec<ReadBuffer>,
    ) -> Result<u64, Obstacle> {
        while prepared.next < prepared.old.end {
            let Some(piece) = pieces.first_mut() else {
                break;
            };
            self.put_base(piece)?;
            prepared.next = piece.sectors.end;
            if let Some(buffer) = pieces.remove(0).ok().and_then(Piece::into_buffer) {
                let _ = free.push_within_capacity(buffer);
            }
        }
        self.put_gaps()?;
        let mut kept = core::mem::take(prepared.bio.per_bio().kept());
        if !kept.is_some() {
            kept = self.claim().ok_or(Obstacle::Full)?;
            self.notes.forget_issuer(&kept);
        }
        let issuer = Issuer {
            cgroup: prepared.bio.cgroup(),
            ..self.notes.issuer(&kept)
        };
        let result = self.keep(&prepared.bio, prepared.kind, &kept, issuer);
        *prepared.bio.per_bio().kept() = kept;
        result?;
        match self.bases {
            Bases::Off => Ok(0),
            Bases::On => {
                chunks::set_known(&self.known, &self.touched(&prepared.bio));
                Ok(0)
            }
            // The chunks become known when the write is sent on: until then, others must wait for the base, too.
            Bases::Durable if prepared.old.is_empty() => Ok(0),
            Bases::Durable => Ok(self.buffers.head().unwrap_or(0)),
        }
    }

    /// Puts old bytes into the log. If they could not be read, a gap says so.
    fn put_base(&self, piece: &mut Piece) -> Result<(), Obstacle> {
        let sectors = piece.sectors.clone();
        let bytes = sectors
            .end
            .saturating_sub(sectors.start)
            .saturating_mul(SECTOR_SIZE);
        let old = piece.bytes();
        // Since the read was started, others may have changed the chunk without an entry. Each of them has seen that
        // the history ends, or has left a gap, which must come before this base.
        if self.state() != State::On {
            return Err(Obstacle::Ended);
        }
        self.put_gaps()?;

        let payload = old.map_or(0, |old| old.len() as u32);
        let size = Header::size_with(payload).ok_or(Obstacle::Full)?;
        let mut filling = self.reserve(size)?;
        let (kind, detail) = match old {
            Some(_) => (Kind::Base, 0),
            None => (Kind::Gap, Gap::BEFORE),
        };
        let header = Header {
            kind,
            detail,
            position: filling.position(),
            sector: sectors.start,
            bytes,
            time: time::now(),
            flags: Flags::NONE,
            issuer: Issuer::default(),
            payload,
        };
        filling.put(&header.encode());
        filling.put(old.unwrap_or_default());
        self.finish(filling);
        Ok(())
    }
}
