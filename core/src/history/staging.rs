// SPDX-License-Identifier: GPL-2.0

//! Staging buffers: which bytes of which buffer an entry gets, and when a buffer is complete.
//!
//! A buffer becomes a batch of the log. It is in one of these states:
//!
//! - *free*: nothing uses it.
//! - *open*: entries get room in it. One buffer is open at a time.
//! - *sealed*: no more entries get room. Some may still be filled.
//! - *complete*: sealed, and all its entries are filled. It can be written to the log, and then it is free again.
//!
//! Room is reserved by one atomic operation on one word ([`Word`]), which says which buffer is open, at which position
//! it begins, and how much of it is taken. So a reader of that word always has a position that is right. A buffer is
//! sealed, and the next one opened, under a lock of the caller ([`Turn`]).
//!
//! This file does not touch the bytes: their owner does, with the [`Room`] that it got.

use super::{
    batch,
    entry::ALIGN,
    BLOCK_MIN, //
};
use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};

/// The largest number of buffers.
pub const BUFFERS_MAX: usize = 16;

/// The largest buffer, in bytes.
pub const BUFFER_MAX: u32 = 64 << 20;

/// Positions end here: a word has 36 bits for the block.
pub const POSITION_MAX: u64 = (1 << 36) * BLOCK_MIN as u64;

/// The room that the header of a batch takes at the start of a buffer, in units.
const START: u32 = batch::HEADER as u32 / ALIGN;

const _: () = assert!(batch::HEADER as u32 % ALIGN == 0);

/// What [`Staging::reserve`] leaves of each buffer for [`Staging::reserve_last`], in bytes.
pub const LAST: u32 = 1024;

/// The open buffer, in one word.
///
/// ```text
/// bits 28 to 63  position at which the buffer begins, in blocks of 4096 bytes
/// bits 24 to 27  index of the buffer
/// bits  0 to 23  how much of it is taken, in units of 8 bytes
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word(u64);

impl Word {
    const TAKEN: u64 = (1 << 24) - 1;

    /// No buffer is open.
    const CLOSED: Self = Self(u64::MAX);

    fn new(position: u64, buffer: u32) -> Self {
        let block = position / u64::from(BLOCK_MIN);

        Self(block.wrapping_shl(28) | u64::from(buffer & 0xf).wrapping_shl(24) | u64::from(START))
    }

    /// How much is taken, in bytes.
    fn taken(self) -> u32 {
        ((self.0 & Self::TAKEN) as u32).wrapping_mul(ALIGN)
    }

    fn buffer(self) -> u32 {
        (self.0.wrapping_shr(24) & 0xf) as u32
    }

    /// The position at which the buffer begins.
    fn begin(self) -> u64 {
        self.0.wrapping_shr(28).wrapping_mul(u64::from(BLOCK_MIN))
    }

    /// The position of the next entry.
    fn head(self) -> u64 {
        self.begin().wrapping_add(u64::from(self.taken()))
    }

    /// Whether both are about the same use of the same buffer.
    fn is_same_buffer(self, other: Self) -> bool {
        self.0 & !Self::TAKEN == other.0 & !Self::TAKEN
    }
}

/// Room for one entry, which its owner fills. No two rooms overlap.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "its buffer is not complete until it is filled"]
pub struct Room {
    buffer: u32,
    offset: u32,
    bytes: u32,
    position: u64,
}

impl Room {
    /// The buffer.
    pub fn buffer(&self) -> usize {
        self.buffer as usize
    }

    /// The first byte in the buffer.
    pub fn offset(&self) -> usize {
        self.offset as usize
    }

    /// How many bytes.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// The position of the first byte in the log.
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// The open buffer has too little room: seal it, and try again.
    Seal(Seen),
    /// No buffer is open.
    Closed,
}

/// The buffer that was open, for [`Staging::seal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(Word);

/// A complete buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complete {
    /// The buffer.
    pub buffer: usize,
    /// The position at which it begins.
    pub position: u64,
    /// Its length in bytes, with the room for the batch's header.
    pub length: u32,
}

/// What came of an attempt to seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Another buffer is open now; true if the sealed one is complete already.
    Yes(bool),
    /// Another task has sealed it before.
    Before,
    /// No other buffer is free.
    NoneFree,
    /// The log has no room for a further batch.
    Full,
    /// No buffer is open.
    Closed,
}

/// What only the holder of the caller's lock may touch: the order of the buffers.
#[derive(Debug)]
pub struct Turn {
    /// The next position that a batch may not reach: the end of the log.
    end: u64,
}

/// Staging buffers.
#[derive(Debug)]
pub struct Staging {
    open: AtomicU64,
    buffers: [Buffer; BUFFERS_MAX],
    /// How many are used.
    count: u32,
    /// The size of each, in bytes.
    size: u32,
    /// The size of a block of the log, in bytes.
    block: AtomicU32,
    /// The buffer that is written next. Only the writer changes it.
    oldest: AtomicU32,
}

#[derive(Debug)]
struct Buffer {
    /// While it is sealed: its last [`Word`]; otherwise [`Word::CLOSED`].
    sealed: AtomicU64,
    /// How much of it is filled, in bytes.
    filled: AtomicU32,
    /// Whether it is not free.
    used: AtomicU32,
}

impl Buffer {
    fn new() -> Self {
        Self {
            sealed: AtomicU64::new(Word::CLOSED.0),
            filled: AtomicU32::new(0),
            used: AtomicU32::new(0),
        }
    }

    /// The last word, if it is complete.
    fn complete(&self) -> Option<Word> {
        // SeqCst: either the task that seals it sees what was filled, or the one that fills it sees that it is sealed.
        let word = Word(self.sealed.load(Ordering::SeqCst));
        let filled = self.filled.load(Ordering::SeqCst);

        Some(word).filter(|word| *word != Word::CLOSED && word.taken() == filled)
    }
}

impl Staging {
    /// This many buffers of this many bytes, none of them open. Both are clamped to what is possible.
    pub fn new(count: usize, size: u32) -> (Self, Turn) {
        let staging = Self {
            open: AtomicU64::new(Word::CLOSED.0),
            buffers: [(); BUFFERS_MAX].map(|()| Buffer::new()),
            count: count.clamp(2, BUFFERS_MAX) as u32,
            size: size.clamp(BLOCK_MIN, BUFFER_MAX),
            block: AtomicU32::new(BLOCK_MIN),
            oldest: AtomicU32::new(0),
        };
        (staging, Turn { end: 0 })
    }

    /// How many buffers there are.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// The size of a buffer, in bytes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Opens the first buffer. Batches are whole blocks of `block` bytes, and end at position `end` at the latest. All
    /// buffers must be free. Returns whether it is open.
    pub fn start(&self, turn: &mut Turn, position: u64, end: u64, block: u32) -> bool {
        let idle = (0..self.count).all(|index| {
            self.buffer(index)
                .is_some_and(|buffer| buffer.used.load(Ordering::Acquire) == 0)
        });
        let open = Word(self.open.load(Ordering::Relaxed));
        if !idle || open != Word::CLOSED {
            return false;
        }
        turn.end = end.min(POSITION_MAX);
        self.block.store(block.max(BLOCK_MIN), Ordering::Relaxed);
        self.oldest.store(0, Ordering::Relaxed);
        self.has_room(turn, position) && self.open(position, 0)
    }

    /// Whether a further batch of any length has room from this position on.
    fn has_room(&self, turn: &Turn, position: u64) -> bool {
        let block = self.block.load(Ordering::Relaxed).max(1);
        let most = u64::from(self.size).next_multiple_of(u64::from(block));

        position
            .checked_add(most)
            .is_some_and(|batch_end| batch_end <= turn.end)
    }

    /// Makes a free buffer the open one.
    fn open(&self, position: u64, index: u32) -> bool {
        let Some(buffer) = self.buffer(index) else {
            return false;
        };
        // Acquire: the writer is done with its bytes. Pairs with `free`.
        if buffer.used.load(Ordering::Acquire) != 0 {
            return false;
        }
        buffer.used.store(1, Ordering::Relaxed);
        buffer.sealed.store(Word::CLOSED.0, Ordering::Relaxed);
        buffer
            .filled
            .store(START.wrapping_mul(ALIGN), Ordering::Relaxed);
        // Release: the buffer's state comes before its use. Pairs with `reserve`.
        self.open
            .store(Word::new(position, index).0, Ordering::SeqCst);
        true
    }

    /// The position of the next entry; `None` if no buffer is open. In any context.
    #[inline]
    pub fn head(&self) -> Option<u64> {
        let word = Word(self.open.load(Ordering::Acquire));

        Some(word)
            .filter(|word| *word != Word::CLOSED)
            .map(Word::head)
    }

    /// Reserves room for `bytes` bytes, a multiple of [`ALIGN`]. In any context.
    ///
    /// # Errors
    ///
    /// The open buffer has too little room, or none is open.
    #[inline]
    pub fn reserve(&self, bytes: u32) -> Result<Room, NoRoom> {
        self.reserve_below(self.size.saturating_sub(LAST), bytes)
    }

    /// The same, for the last words of a session: these may take [`LAST`] bytes more. In any context.
    ///
    /// # Errors
    ///
    /// As for [`Self::reserve`].
    pub fn reserve_last(&self, bytes: u32) -> Result<Room, NoRoom> {
        self.reserve_below(self.size, bytes)
    }

    #[inline]
    fn reserve_below(&self, limit: u32, bytes: u32) -> Result<Room, NoRoom> {
        let mut now = Word(self.open.load(Ordering::Acquire));

        loop {
            if now == Word::CLOSED {
                return Err(NoRoom::Closed);
            }
            let offset = now.taken();
            match offset.checked_add(bytes) {
                Some(end) if end <= limit => {}
                Some(_) | None => return Err(NoRoom::Seal(Seen(now))),
            }
            let next = now.0.wrapping_add(u64::from(bytes / ALIGN));
            match self
                .open
                .compare_exchange_weak(now.0, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => {
                    return Ok(Room {
                        buffer: now.buffer(),
                        offset,
                        bytes,
                        position: now.head(),
                    })
                }
                Err(word) => now = Word(word),
            }
        }
    }

    /// Whether a request for `bytes` bytes can ever succeed.
    pub fn can_hold(&self, bytes: u32) -> bool {
        bytes
            .checked_add(START.wrapping_mul(ALIGN))
            .and_then(|end| end.checked_add(LAST))
            .is_some_and(|end| end <= self.size)
    }

    /// Gives up a room that is filled. Returns whether its buffer is complete now. In any context.
    #[inline]
    pub fn fill(&self, room: Room) -> bool {
        let Some(buffer) = self.buffer(room.buffer) else {
            return false;
        };
        // Release: the bytes come before the count. Pairs with `complete`.
        buffer.filled.fetch_add(room.bytes, Ordering::SeqCst);
        buffer.complete().is_some()
    }

    /// Seals the open buffer, and opens the next one. `seen` is what [`Self::reserve`] found; without it, the buffer is
    /// sealed unless it is empty.
    pub fn seal(&self, turn: &mut Turn, seen: Option<Seen>) -> Sealed {
        let now = Word(self.open.load(Ordering::Acquire));
        if now == Word::CLOSED {
            return Sealed::Closed;
        }
        match seen {
            Some(Seen(seen)) if !seen.is_same_buffer(now) => return Sealed::Before,
            None if now.taken() == START.wrapping_mul(ALIGN) => return Sealed::Before,
            Some(_) | None => {}
        }
        let index = now.buffer().wrapping_add(1);
        let index = if index < self.count { index } else { 0 };
        let (Some(buffer), Some(next)) = (self.buffer(now.buffer()), self.buffer(index)) else {
            return Sealed::Closed;
        };
        if next.used.load(Ordering::Acquire) != 0 {
            return Sealed::NoneFree;
        }
        // The batch may still grow until it is sealed, up to the whole buffer.
        let block = u64::from(self.block.load(Ordering::Relaxed).max(1));
        let longest = u64::from(self.size).next_multiple_of(block);
        if !self.has_room(turn, now.begin().saturating_add(longest)) {
            return Sealed::Full;
        }

        next.used.store(1, Ordering::Relaxed);
        next.sealed.store(Word::CLOSED.0, Ordering::Relaxed);
        next.filled
            .store(START.wrapping_mul(ALIGN), Ordering::Relaxed);
        // The next one begins where this one ends, so its position is only known with what is taken now.
        let mut last = now;
        loop {
            let length = u64::from(last.taken()).next_multiple_of(block);
            let open = Word::new(last.begin().wrapping_add(length), index);
            match self
                .open
                .compare_exchange(last.0, open.0, Ordering::SeqCst, Ordering::Acquire)
            {
                Ok(_) => break,
                Err(word) => last = Word(word),
            }
        }
        buffer.sealed.store(last.0, Ordering::SeqCst);
        Sealed::Yes(buffer.complete().is_some())
    }

    /// Seals the open buffer, and opens none. Returns the position at which a further batch would begin; `None` if no
    /// buffer was open. An empty buffer is free after this.
    pub fn close(&self, _turn: &mut Turn) -> Option<u64> {
        let last = Word(self.open.swap(Word::CLOSED.0, Ordering::SeqCst));
        if last == Word::CLOSED {
            return None;
        }
        let buffer = self.buffer(last.buffer())?;
        if last.taken() == START.wrapping_mul(ALIGN) {
            buffer.used.store(0, Ordering::Release);
            return Some(last.begin());
        }
        let block = u64::from(self.block.load(Ordering::Relaxed).max(1));
        let length = u64::from(last.taken()).next_multiple_of(block);
        buffer.sealed.store(last.0, Ordering::SeqCst);
        Some(last.begin().wrapping_add(length))
    }

    /// The next buffer to write, in the order of their positions, if it is complete. Only for the one writer.
    pub fn complete(&self) -> Option<Complete> {
        let index = self.oldest.load(Ordering::Relaxed);
        let word = self.buffer(index)?.complete()?;

        Some(Complete {
            buffer: index as usize,
            position: word.begin(),
            length: word.taken(),
        })
    }

    /// Goes on to the buffer after the one that [`Self::complete`] returned. Only for the one writer.
    pub fn advance(&self) {
        let index = self.oldest.load(Ordering::Relaxed).wrapping_add(1);
        let index = if index < self.count { index } else { 0 };

        self.oldest.store(index, Ordering::Relaxed);
    }

    /// Frees a complete buffer. Only for the one writer, when it is done with the bytes.
    pub fn free(&self, complete: Complete) {
        if let Some(buffer) = self.buffers.get(complete.buffer) {
            buffer.sealed.store(Word::CLOSED.0, Ordering::Relaxed);
            // Release: the writer's accesses come before those of the next use. Pairs with `open` and `seal`.
            buffer.used.store(0, Ordering::Release);
        }
    }

    fn buffer(&self, index: u32) -> Option<&Buffer> {
        self.buffers.get(index as usize)
    }
}
