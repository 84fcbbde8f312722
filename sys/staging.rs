// SPDX-License-Identifier: GPL-2.0

//! Staging buffers of a history, with their memory.
//!
//! A leaf with `unsafe`: the atomics of `core/src/history/staging.rs` decide at run time who owns which bytes, which
//! the borrow checker cannot see.

#![allow(unsafe_code)]

use crate::{
    dm::{
        IoMemory,
        Segment, //
    },
    history_format::staging::{
        Complete,
        NoRoom,
        Room,
        Sealed,
        Seen,
        Staging,
        Turn, //
    }, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The buffers.
///
/// # Invariants
///
/// - Each buffer of `staging` has its memory at the same index of `memory`, of the size of a buffer.
/// - Rooms come from `staging`, and no two overlap. Their bytes belong to the owner of the room until it is filled.
/// - All bytes of a complete buffer belong to the owner of its [`Batch`] until that is freed.
pub(crate) struct Buffers {
    staging: Staging,
    memory: KVec<Arc<IoMemory>>,
}

/// Who may take complete buffers. There is one for all buffers of a history.
pub(crate) struct Taker(());

/// A complete buffer, which its owner writes to the log.
///
/// # Invariants
///
/// `take_complete` of the buffers at `owner` returned it.
#[must_use = "its buffer is lost until it is freed"]
pub(crate) struct Batch {
    complete: Complete,
    owner: NonNull<Staging>,
}

// SAFETY: The pointer is only compared.
unsafe impl Send for Batch {}

impl Buffers {
    /// This many buffers of this many bytes. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(count: usize, size: u32) -> Result<(Self, Turn, Taker)> {
        let (staging, turn) = Staging::new(count, size);
        let mut memory = KVec::with_capacity(staging.count(), GFP_KERNEL)?;

        for _ in 0..staging.count() {
            let bytes = IoMemory::new(staging.size() as usize)?;
            memory.push(Arc::new(bytes, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        // INVARIANT: There is memory of that size for each, and nothing has got room yet.
        Ok((Self { staging, memory }, turn, Taker(())))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.memory.len()
    }

    /// The size of each, in bytes.
    pub(crate) fn size(&self) -> u32 {
        self.staging.size()
    }

    /// The memory of each.
    pub(crate) fn memories(&self) -> impl Iterator<Item = &Arc<IoMemory>> {
        self.memory.iter()
    }

    /// Whether none is open, and all are free.
    pub(crate) fn are_idle(&self) -> bool {
        self.staging.is_idle()
    }

    /// [`Staging::start`].
    pub(crate) fn start(&self, turn: &mut Turn, position: u64, end: u64, block: u32) -> bool {
        self.staging.start(turn, position, end, block)
    }

    /// [`Staging::has_entries`].
    pub(crate) fn has_entries(&self) -> bool {
        self.staging.has_entries()
    }

    /// [`Staging::head`].
    #[inline]
    pub(crate) fn head(&self) -> Option<u64> {
        self.staging.head()
    }

    /// [`Staging::head_or_last`].
    #[inline]
    pub(crate) fn head_or_last(&self) -> u64 {
        self.staging.head_or_last()
    }

    /// [`Staging::can_hold`].
    #[inline]
    pub(crate) fn can_hold(&self, bytes: u32) -> bool {
        self.staging.can_hold(bytes)
    }

    /// Reserves room ([`Staging::reserve`]).
    ///
    /// # Errors
    ///
    /// There is no room.
    #[inline]
    pub(crate) fn reserve(&self, bytes: u32) -> Result<Filling<'_>, NoRoom> {
        self.staging.reserve(bytes).map(|room| self.filling(room))
    }

    /// Reserves room in the stopped buffer ([`Staging::reserve_late`]).
    pub(crate) fn reserve_late(&self, turn: &mut Turn, bytes: u32) -> Option<Filling<'_>> {
        self.staging
            .reserve_late(turn, bytes)
            .map(|room| self.filling(room))
    }

    /// Reserves room for the last words of a session ([`Staging::reserve_last`]).
    pub(crate) fn reserve_last(&self, turn: &mut Turn, bytes: u32) -> Option<Filling<'_>> {
        self.staging
            .reserve_last(turn, bytes)
            .map(|room| self.filling(room))
    }

    #[inline]
    fn filling(&self, room: Room) -> Filling<'_> {
        Filling {
            buffers: self,
            room,
            at: 0,
        }
    }

    /// [`Staging::seal`].
    pub(crate) fn seal(&self, turn: &mut Turn, seen: Option<Seen>) -> Sealed {
        self.staging.seal(turn, seen)
    }

    /// [`Staging::stop`].
    pub(crate) fn stop(&self, turn: &mut Turn) -> bool {
        self.staging.stop(turn)
    }

    /// [`Staging::close`].
    pub(crate) fn close(&self, turn: &mut Turn) -> Option<u64> {
        self.staging.close(turn)
    }

    /// The next complete buffer, in the order of the positions.
    pub(crate) fn take(&self, _taker: &mut Taker) -> Option<Batch> {
        let complete = self.staging.take_complete()?;

        // INVARIANT: It was just returned. There is one taker, so no other task got it, too.
        Some(Batch {
            complete,
            owner: NonNull::from(&self.staging),
        })
    }

    /// All bytes of its buffer; none if it belongs to other buffers.
    pub(crate) fn bytes<'b>(&'b self, batch: &'b mut Batch) -> &'b mut [u8] {
        match self.memory.get(batch.complete.buffer) {
            // SAFETY: By the invariants the memory has that size, is initialised, and belongs to the batch, which is
            // borrowed for as long as the result.
            Some(memory) if self.owns(batch) => unsafe {
                core::slice::from_raw_parts_mut(memory.as_ptr(), memory.len())
            },
            Some(_) | None => &mut [],
        }
    }

    /// Frees its buffer, which must have been written.
    pub(crate) fn free(&self, batch: Batch) {
        if self.owns(&batch) {
            // INVARIANT: The batch, which had the bytes, is gone.
            self.staging.free(batch.complete);
        }
    }

    fn owns(&self, batch: &Batch) -> bool {
        core::ptr::eq(batch.owner.as_ptr(), &self.staging)
    }
}

impl Batch {
    /// The index of its buffer.
    pub(crate) fn buffer(&self) -> usize {
        self.complete.buffer
    }

    /// Its position and length, in bytes.
    pub(crate) fn extent(&self) -> (u64, u32) {
        (self.complete.position, self.complete.length)
    }
}

/// An entry that is being filled.
#[must_use = "it must be finished"]
pub(crate) struct Filling<'b> {
    buffers: &'b Buffers,
    room: Room,
    at: usize,
}

impl Filling<'_> {
    /// Its position.
    #[inline]
    pub(crate) fn position(&self) -> u64 {
        self.room.position()
    }

    /// The bytes that are not filled yet.
    #[inline]
    fn rest(&mut self) -> &mut [u8] {
        let left = self.room.bytes().saturating_sub(self.at);
        let Some(memory) = self.buffers.memory.get(self.room.buffer()) else {
            return &mut [];
        };
        let start = self.room.offset().saturating_add(self.at);
        if start.saturating_add(left) > memory.len() {
            return &mut [];
        }
        // SAFETY: By the invariants the bytes of the room lie within the memory, are initialised, and belong to us.
        unsafe { core::slice::from_raw_parts_mut(memory.as_ptr().wrapping_add(start), left) }
    }

    /// Adds bytes. What does not fit is left out.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let rest = self.rest();
        let len = rest.len().min(bytes.len());

        if let (Some(to), Some(from)) = (rest.get_mut(..len), bytes.get(..len)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(len);
    }

    /// Adds the bytes of a segment.
    #[inline]
    pub(crate) fn put_segment(&mut self, segment: &Segment<'_>) {
        let len = segment.copy_to(self.rest());

        self.at = self.at.saturating_add(len);
    }

    /// Fills the rest with zeroes, and gives it up. Returns whether its buffer is complete now.
    #[inline]
    pub(crate) fn finish(mut self) -> bool {
        self.rest().fill(0);
        self.buffers.staging.fill(self.room)
    }
}
