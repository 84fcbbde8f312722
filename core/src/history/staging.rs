// SPDX-License-Identifier: GPL-2.0

//! Staging buffers: which bytes of which buffer an entry gets, and when a buffer is complete.
//!
//! A buffer becomes a batch of the log. It is in one of these states:
//!
//! - *free*: nothing uses it.
//! - *open*: entries get room in it. One buffer is open at a time.
//! - *stopped*: it was open, and only the holder of the lock below gets room in it, for the last words of a session.
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
use crate::memory::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};

/// The largest number of buffers.
pub const BUFFERS_MAX: usize = 16;

/// The largest buffer, in bytes.
pub const BUFFER_MAX: u32 = batch::LENGTH_MAX;

/// Positions end here: a word has 36 bits for the block.
pub const POSITION_MAX: u64 = (1 << 36) * BLOCK_MIN as u64;

/// The room that the header of a batch takes at the start of a buffer, in units.
const START: u32 = batch::HEADER_LENGTH / ALIGN;

const _: () = assert!(batch::HEADER_LENGTH % ALIGN == 0);

/// What [`Staging::reserve_late`] and all before it leave of each buffer for [`Staging::reserve_last`], in bytes.
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
        let block = position.wrapping_shr(BLOCK_MIN.trailing_zeros());

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

    fn is_empty(self) -> bool {
        self.0 & Self::TAKEN == u64::from(START)
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

/// A complete buffer, which the writer has taken.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it is not free again until `free`"]
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
    /// The stopped buffer.
    stopped: Option<Word>,
}

impl Turn {
    /// Whether there is a stopped buffer.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }
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
    /// The head when it was last stopped.
    last_head: AtomicU64,
}

#[derive(Debug)]
struct Buffer {
    /// Its last [`Word`], once it is sealed.
    sealed: AtomicU64,
    /// How much of it is filled, in bytes, the header included. Once it is sealed: minus how much is taken, so that the
    /// last one to add or subtract gets 0, which is when it is complete.
    filled: AtomicU32,
    /// 0 if it is free. Except for `free`, only the holder of the [`Turn`] changes it.
    used: AtomicU32,
}

impl Buffer {
    fn new() -> Self {
        Self {
            sealed: AtomicU64::new(Word::CLOSED.0),
            filled: AtomicU32::new(batch::HEADER_LENGTH),
            used: AtomicU32::new(0),
        }
    }

    fn is_free(&self) -> bool {
        // Acquire: the writer is done with it. Pairs with `Staging::free`.
        self.used.load(Ordering::Acquire) == 0
    }

    /// Adds what was filled. Returns whether it is complete.
    #[inline]
    fn add(&self, bytes: u32) -> bool {
        // Release: the bytes come before. Pairs with `take`.
        let before = self.filled.fetch_add(bytes, Ordering::Release);
        before.wrapping_add(bytes) == 0
    }

    /// Seals it. Returns whether it is complete.
    fn seal(&self, last: Word) -> bool {
        self.sealed.store(last.0, Ordering::Relaxed);
        // Release: the word comes before. Pairs with `take`.
        let before = self.filled.fetch_sub(last.taken(), Ordering::Release);
        before == last.taken()
    }

    /// The last word, if it is complete, once.
    fn take(&self) -> Option<Word> {
        // Acquire: pairs with each `add`, and with `seal`. All of them are in one release sequence.
        if self.filled.load(Ordering::Acquire) != 0 {
            return None;
        }
        // For the next use. Nobody else accesses it until it is free.
        self.filled.store(batch::HEADER_LENGTH, Ordering::Relaxed);
        Some(Word(self.sealed.load(Ordering::Relaxed)))
    }
}

impl Staging {
    /// This many buffers of this many bytes, none of them open. Both are clamped to what is possible.
    pub fn new(count: usize, size: u32) -> (Self, Turn) {
        let staging = Self {
            open: AtomicU64::new(Word::CLOSED.0),
            buffers: [(); BUFFERS_MAX].map(|()| Buffer::new()),
            count: u32::try_from(count.clamp(2, BUFFERS_MAX)).unwrap_or(2),
            size: size.clamp(BLOCK_MIN, BUFFER_MAX),
            block: AtomicU32::new(BLOCK_MIN),
            oldest: AtomicU32::new(0),
            last_head: AtomicU64::new(0),
        };
        let turn = Turn {
            end: 0,
            stopped: None,
        };
        (staging, turn)
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
    /// buffers must be free, `block` a power of two that divides their size, and `position` a multiple of it. Returns
    /// whether it is open.
    pub fn start(&self, turn: &mut Turn, position: u64, end: u64, block: u32) -> bool {
        let open = Word(self.open.load(Ordering::Relaxed));
        let in_block = block.wrapping_sub(1);
        let whole = block.is_power_of_two()
            && block >= BLOCK_MIN
            && self.size & in_block == 0
            && position & u64::from(in_block) == 0;
        let end = end.min(POSITION_MAX);
        if !self.is_idle() || open != Word::CLOSED || !whole || !self.has_room(position, end) {
            return false;
        }
        let Some(buffer) = self.buffer(0) else {
            return false;
        };
        turn.end = end;
        self.block.store(block, Ordering::Relaxed);
        self.oldest.store(0, Ordering::Relaxed);
        buffer.used.store(1, Ordering::Relaxed);
        // Release: the buffer is free, as seen above, before it is used. Pairs with `reserve`.
        self.open.store(Word::new(position, 0).0, Ordering::Release);
        true
    }

    /// Whether all buffers are free. Once it is closed, this is so when everything is written.
    pub fn is_idle(&self) -> bool {
        (0..self.count).all(|index| self.buffer(index).is_some_and(Buffer::is_free))
    }

    /// Whether the open buffer has entries. In any context.
    pub fn has_entries(&self) -> bool {
        let open = Word(self.open.load(Ordering::Relaxed));

        open != Word::CLOSED && open.taken() > batch::HEADER_LENGTH
    }

    /// Whether a batch of any length has room between these positions.
    fn has_room(&self, position: u64, end: u64) -> bool {
        position
            .checked_add(u64::from(self.size))
            .is_some_and(|batch_end| batch_end <= end)
    }

    /// The position of the next entry; `None` if no buffer is open. In any context.
    #[inline]
    pub fn head(&self) -> Option<u64> {
        // Relaxed: the position says what came before, and nothing else is read because of it.
        let word = Word(self.open.load(Ordering::Relaxed));

        Some(word)
            .filter(|word| *word != Word::CLOSED)
            .map(Word::head)
    }

    /// The same. If no buffer is open, it is the head when the last one was stopped: all entries from before are below
    /// it, and all of a session that follows are above. In any context.
    #[inline]
    pub fn head_or_last(&self) -> u64 {
        // Acquire: the last head comes with the word that says that no buffer is open. Pairs with `stop`.
        let word = Word(self.open.load(Ordering::Acquire));
        if word == Word::CLOSED {
            self.last_head.load(Ordering::Relaxed)
        } else {
            word.head()
        }
    }

    /// Reserves room for `bytes` bytes, rounded up to a multiple of [`ALIGN`]. In any context.
    ///
    /// # Errors
    ///
    /// The open buffer has too little room, or none is open.
    #[inline]
    pub fn reserve(&self, bytes: u32) -> Result<Room, NoRoom> {
        let limit = self.size.saturating_sub(LAST);
        let mut now = Word(self.open.load(Ordering::Relaxed));
        let units = bytes.div_ceil(ALIGN);
        let bytes = units.saturating_mul(ALIGN);

        loop {
            if now == Word::CLOSED {
                return Err(NoRoom::Closed);
            }
            let offset = now.taken();
            match offset.checked_add(bytes) {
                Some(end) if end <= limit => {}
                Some(_) | None => return Err(NoRoom::Seal(Seen(now))),
            }
            let next = now.0.wrapping_add(u64::from(units));
            // Acquire: the buffer was free before it was opened. Pairs with `start` and `seal`, even if this finds
            // another reservation, which continues the release sequence.
            match self
                .open
                .compare_exchange_weak(now.0, next, Ordering::Acquire, Ordering::Relaxed)
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

    /// Reserves room in the stopped buffer; `None` if there is none, or if it has too little room.
    pub fn reserve_late(&self, turn: &mut Turn, bytes: u32) -> Option<Room> {
        self.reserve_stopped(turn, self.size.saturating_sub(LAST), bytes)
    }

    /// The same, for the last words of a session: these may take [`LAST`] bytes more.
    pub fn reserve_last(&self, turn: &mut Turn, bytes: u32) -> Option<Room> {
        self.reserve_stopped(turn, self.size, bytes)
    }

    fn reserve_stopped(&self, turn: &mut Turn, limit: u32, bytes: u32) -> Option<Room> {
        let now = turn.stopped?;
        let units = bytes.div_ceil(ALIGN);
        let bytes = units.saturating_mul(ALIGN);
        let offset = now.taken();
        offset.checked_add(bytes).filter(|end| *end <= limit)?;

        turn.stopped = Some(Word(now.0.wrapping_add(u64::from(units))));
        Some(Room {
            buffer: now.buffer(),
            offset,
            bytes,
            position: now.head(),
        })
    }

    /// Whether a request for `bytes` bytes can ever succeed.
    pub fn can_hold(&self, bytes: u32) -> bool {
        bytes
            .checked_next_multiple_of(ALIGN)
            .and_then(|bytes| bytes.checked_add(batch::HEADER_LENGTH))
            .and_then(|end| end.checked_add(LAST))
            .is_some_and(|end| end <= self.size)
    }

    /// Gives up a room that is filled. Returns whether this has made its buffer complete. In any context.
    #[inline]
    pub fn fill(&self, room: Room) -> bool {
        self.buffer(room.buffer)
            .is_some_and(|buffer| buffer.add(room.bytes))
    }

    /// Seals the open buffer, and opens the next one. `seen` is what [`Self::reserve`] found; without it, the buffer is
    /// sealed unless it is empty. In the same way, it seals a stopped buffer. Then the next one is stopped, too.
    pub fn seal(&self, turn: &mut Turn, seen: Option<Seen>) -> Sealed {
        let now = turn
            .stopped
            .unwrap_or_else(|| Word(self.open.load(Ordering::Relaxed)));
        if now == Word::CLOSED {
            return Sealed::Closed;
        }
        match seen {
            Some(Seen(seen)) if !seen.is_same_buffer(now) => return Sealed::Before,
            None if now.is_empty() => return Sealed::Before,
            Some(_) | None => {}
        }
        let index = self.after(now.buffer());
        let (Some(buffer), Some(next)) = (self.buffer(now.buffer()), self.buffer(index)) else {
            return Sealed::Closed;
        };
        if !next.is_free() {
            return Sealed::NoneFree;
        }
        // The batch may still grow until it is sealed, up to the whole buffer.
        if !self.has_room(now.begin().saturating_add(u64::from(self.size)), turn.end) {
            return Sealed::Full;
        }

        next.used.store(1, Ordering::Relaxed);
        if let Some(last) = turn.stopped {
            turn.stopped = Some(Word::new(self.end(last), index));
            return Sealed::Yes(buffer.seal(last));
        }
        // The next one begins where this one ends, so its position is only known with what is taken now.
        let mut last = now;
        loop {
            // Release: the next buffer is free, as seen above, before it is used. Pairs with `reserve`.
            match self.open.compare_exchange_weak(
                last.0,
                Word::new(self.end(last), index).0,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(word) => last = Word(word),
            }
        }
        Sealed::Yes(buffer.seal(last))
    }

    /// Stops the open buffer: from here on, only the holder of the turn gets room. Returns whether one was open.
    pub fn stop(&self, turn: &mut Turn) -> bool {
        let mut last = Word(self.open.load(Ordering::Relaxed));
        loop {
            if last == Word::CLOSED {
                return false;
            }
            self.last_head.store(last.head(), Ordering::Relaxed);
            // Release: the last head comes before. Pairs with `head_or_last`.
            match self.open.compare_exchange_weak(
                last.0,
                Word::CLOSED.0,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(word) => last = Word(word),
            }
        }
        turn.stopped = Some(last);
        true
    }

    /// Seals the open or stopped buffer, and opens none. Returns the position at which a further batch would begin;
    /// `None` if there was no such buffer. An empty buffer is free after this. Another one may be complete after this.
    pub fn close(&self, turn: &mut Turn) -> Option<u64> {
        self.stop(turn);
        let last = turn.stopped.take()?;
        let buffer = self.buffer(last.buffer())?;
        if last.is_empty() {
            // Relaxed: nothing has accessed its bytes.
            buffer.used.store(0, Ordering::Relaxed);
            return Some(last.begin());
        }
        buffer.seal(last);
        Some(self.end(last))
    }

    /// Takes the next buffer to write, in the order of their positions, if it is complete. Only for the one writer, who
    /// gives it back ([`Self::free`]), but may take others before.
    pub fn take_complete(&self) -> Option<Complete> {
        let index = self.oldest.load(Ordering::Relaxed);
        let word = self.buffer(index)?.take()?;

        self.oldest.store(self.after(index), Ordering::Relaxed);
        Some(Complete {
            buffer: index as usize,
            position: word.begin(),
            length: word.taken(),
        })
    }

    /// Frees a buffer. Only for the one writer, when it is done with the bytes.
    pub fn free(&self, complete: Complete) {
        if let Some(buffer) = self.buffers.get(complete.buffer) {
            // Release: the writer's accesses come before those of the next use. Pairs with `is_free`.
            buffer.used.store(0, Ordering::Release);
        }
    }

    /// The buffer after this one.
    fn after(&self, index: u32) -> u32 {
        let next = index.wrapping_add(1);

        if next < self.count {
            next
        } else {
            0
        }
    }

    /// The position at which the batch after this one begins.
    fn end(&self, word: Word) -> u64 {
        let block = self.block.load(Ordering::Relaxed);

        word.begin().wrapping_add(batch::room(word.taken(), block))
    }

    fn buffer(&self, index: u32) -> Option<&Buffer> {
        self.buffers.get(index as usize)
    }
}
