// SPDX-License-Identifier: GPL-2.0

//! A request's record: a value of its own, in a chain of blocks of the pool. The log is its one reader.
//!
//! ```text
//! 0    header (core/src/record/header.rs)
//! 28   what was found (core/src/record/find.rs)
//! 324  deltas, continued at byte 0 of the following blocks; none is split
//!      then, from byte 0 of further blocks, the finds that do not fit into the first one; no entry
//!      is split
//! ```
//!
//! Programs get trace events instead, and a history has a pipeline of its own, with the bytes. So a copy of the bytes
//! (`data on`) is only searched, and does not become part of the record. Until the request has been searched, the copy
//! is in a second chain. The bytes of one delta are in one block: if they do not fit into the rest of a block, they
//! begin the next one.

use super::sys::pool::{
    self,
    Block,
    Chain,
    Growing,
    Held,
    Pool,
    BLOCK, //
};
use crate::{
    config::pattern::Pattern,
    dm::{
        Segment,
        Segments, //
    },
    record::{
        Delta,
        Find,
        Header,
        Scope,
        FIND_MAX, //
    },
    search::set::PATTERNS_MAX, //
};
use core::iter::Skip;

/// Where the deltas begin in the first block.
const DELTAS: usize = 324;

/// How many places are recorded of one request.
const PLACES_MAX: u32 = 1000;

// For the name of a pattern, and its counts in three places.
const _: () = assert!(Header::SIZE + FIND_MAX + 3 * 12 <= DELTAS);

/// How many blocks this many deltas take.
fn blocks_of(deltas: usize) -> usize {
    deltas
        .saturating_sub((BLOCK - DELTAS) / Delta::SIZE)
        .div_ceil(BLOCK / Delta::SIZE)
        .saturating_add(1)
}

/// What a request needs from the pool.
struct Need {
    /// Blocks of the first chain.
    deltas: usize,
    /// Blocks of the second chain.
    bytes: usize,
}

impl Need {
    fn of(segments: Segments<'_>) -> Self {
        let mut deltas: usize = 0;
        let mut bytes: usize = 0;
        let mut room: usize = 0;

        for segment in segments {
            let len = segment.len() as usize;

            deltas = deltas.saturating_add(1);
            if room < len {
                bytes = bytes.saturating_add(1);
                room = BLOCK;
            }
            room = room.saturating_sub(len);
        }

        Self {
            deltas: blocks_of(deltas),
            bytes,
        }
    }
}

/// A record that is being made.
///
/// It has all its blocks from the start, so that it can always be completed.
pub(crate) struct Draft<'p> {
    pool: &'p Pool,
    deltas: Chain<'p>,
    bytes: Option<Chain<'p>>,
    /// Whether a copy was wanted, and the pool had no blocks for it.
    lost_bytes: bool,
}

impl<'p> Draft<'p> {
    /// Takes the blocks for a request of these segments and, if `keep`, those for a copy of its bytes. If the pool
    /// lacks blocks for the copy, there is no copy. If it even lacks blocks for the deltas, there is no record.
    pub(crate) fn new(pool: &'p Pool, segments: Segments<'_>, keep: bool) -> Option<Self> {
        let need = Need::of(segments);
        let deltas = pool.take(need.deltas)?;

        let keep = keep && need.bytes != 0;
        let bytes = keep.then(|| pool.take(need.bytes)).flatten();
        let lost_bytes = keep && bytes.is_none();
        Some(Self {
            pool,
            deltas,
            bytes,
            lost_bytes,
        })
    }

    /// Whether a copy of the bytes was wanted, and the pool had no blocks for it.
    pub(crate) fn has_lost_bytes(&self) -> bool {
        self.lost_bytes
    }

    /// Starts to fill it.
    pub(crate) fn writer(&mut self) -> Writer<'_, 'p, impl Blocks<'_>, impl Blocks<'_>> {
        let mut deltas = self.deltas.iter_mut();
        let (head, first) = deltas
            .next()
            .and_then(|block| block.split_at_mut_checked(DELTAS))
            .unwrap_or_default();

        Writer {
            deltas: Room {
                blocks: deltas,
                room: first,
            },
            bytes: self.bytes.as_mut().map(|bytes| Room {
                blocks: bytes.iter_mut(),
                room: &mut [],
            }),
            finds: Finds::new(self.pool, head.get_mut(Header::SIZE..).unwrap_or_default()),
        }
    }

    /// Completes it, with the finds that did not fit into the first block. The copy of the bytes has been searched by
    /// now, and its blocks go back to the pool.
    pub(crate) fn complete(mut self, header: &Header, finds: Option<Chain<'p>>) -> Complete<'p> {
        if let Some(finds) = finds {
            self.deltas.append(finds);
        }
        if let Some(head) = self.deltas.first_mut().first_chunk_mut() {
            *head = header.encode();
        }
        Complete(self.deltas)
    }
}

/// A record that is complete.
pub(crate) struct Complete<'p>(Chain<'p>);

impl<'p> Complete<'p> {
    /// A record of only `header`; `None` if the pool has no block.
    pub(crate) fn of(pool: &'p Pool, header: &Header) -> Option<Self> {
        let mut draft = Draft {
            pool,
            deltas: pool.take(1)?,
            bytes: None,
            lost_bytes: false,
        };
        drop(draft.writer());
        Some(draft.complete(header, None))
    }

    /// Sends it to the log.
    pub(crate) fn send(self) {
        self.0.send();
    }

    /// Puts it away until the request has completed.
    pub(crate) fn hold(self) -> Held {
        self.0.hold()
    }

    /// The record that was put away.
    pub(crate) fn take_back(pool: &'p Pool, held: Held) -> Option<Self> {
        pool.take_back(held).map(Self)
    }

    /// Moves the request and its deltas, so that it begins at `sector` of the underlying device.
    pub(crate) fn move_to(&mut self, sector: u64) {
        if let Some(head) = self.0.first_mut().first_chunk_mut() {
            Header::put_sector(head, sector);
        }
    }
}

/// Blocks that are written one after another.
pub(crate) trait Blocks<'w>: Iterator<Item = &'w mut Block> {}

impl<'w, I: Iterator<Item = &'w mut Block>> Blocks<'w> for I {}

/// Fills a [`Draft`], a segment at a time.
pub(crate) struct Writer<'w, 'p, D, B> {
    deltas: Room<'w, D>,
    bytes: Option<Room<'w, B>>,
    /// What is found in the request.
    pub(crate) finds: Finds<'w, 'p>,
}

/// Blocks, and the rest of the current one.
struct Room<'w, I> {
    blocks: I,
    room: &'w mut [u8],
}

impl<'w, I: Blocks<'w>> Room<'w, I> {
    /// The next `len` bytes, all in one block.
    fn next(&mut self, len: usize) -> Option<&'w mut [u8]> {
        if self.room.len() < len {
            self.room = self.blocks.next()?;
        }
        let (next, rest) = core::mem::take(&mut self.room).split_at_mut_checked(len)?;
        self.room = rest;
        Some(next)
    }
}

impl<'w, D: Blocks<'w>, B: Blocks<'w>> Writer<'w, '_, D, B> {
    /// Copies the next segment, and returns the copy; `None` if no bytes are kept.
    pub(crate) fn copy(&mut self, segment: &Segment<'_>) -> Option<&'w [u8]> {
        let copy = self.bytes.as_mut()?.next(segment.len() as usize)?;

        segment.copy_to(copy);
        Some(copy)
    }

    /// Adds the delta of the next segment.
    pub(crate) fn add(&mut self, delta: &Delta) {
        if let Some(to) = self
            .deltas
            .next(Delta::SIZE)
            .and_then(|to| to.first_chunk_mut())
        {
            *to = delta.encode();
        }
    }
}

/// The finds of a request, while they are written into its record.
pub(crate) struct Finds<'w, 'p> {
    pool: &'p Pool,
    /// The space in the first block.
    first: &'w mut [u8],
    /// Further blocks, when that is full.
    more: Option<Growing<'p>>,
    /// How much of the space, or of the last block, is used.
    used: usize,
    /// A bit for each pattern whose name has been written.
    named: [u64; PATTERNS_MAX / 64],
    places: u32,
    complete: bool,
}

impl<'w, 'p> Finds<'w, 'p> {
    fn new(pool: &'p Pool, first: &'w mut [u8]) -> Self {
        end(first);
        Self {
            pool,
            first,
            more: None,
            used: 0,
            named: [0; PATTERNS_MAX / 64],
            places: 0,
            complete: true,
        }
    }

    /// Adds a count for the pattern of this index.
    pub(crate) fn times(
        &mut self,
        pattern: &Pattern,
        index: usize,
        at: Scope,
        delta: u32,
        times: u32,
    ) {
        let number = self.name(pattern, index);

        self.put(Find::Times {
            pattern: number,
            at,
            delta,
            times,
        });
    }

    /// Adds the place of an occurrence that begins `offset` bytes after the start of the request, unless there are
    /// too many.
    pub(crate) fn place(&mut self, pattern: &Pattern, index: usize, offset: i64) {
        if self.places >= PLACES_MAX {
            return;
        }
        let number = self.name(pattern, index);

        self.places = self.places.saturating_add(1);
        self.put(Find::Place {
            pattern: number,
            offset,
        });
    }

    /// Whether everything has been written.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The blocks after the first one.
    pub(crate) fn into_chain(self) -> Option<Chain<'p>> {
        self.more.map(Growing::into_chain)
    }

    /// Makes sure that the pattern's name is written, and returns the pattern's number.
    fn name(&mut self, pattern: &Pattern, index: usize) -> u16 {
        // There are at most `PATTERNS_MAX`.
        let number = index as u16;
        let bit = 1 << (index % 64);

        if let Some(named) = self.named.get_mut(index / 64) {
            if core::mem::replace(named, *named | bit) & bit == 0 {
                self.put(Find::Name {
                    pattern: number,
                    name: pattern.shown(),
                });
            }
        }
        number
    }

    fn put(&mut self, find: Find<'_>) {
        if self.complete && !self.put_here(&find) {
            let grown = match &mut self.more {
                Some(more) => more.grow().is_some(),
                more => {
                    *more = Growing::new(self.pool);
                    more.is_some()
                }
            };
            self.used = 0;
            self.complete = grown && self.put_here(&find);
        }
    }

    /// Returns whether there was space.
    fn put_here(&mut self, find: &Find<'_>) -> bool {
        let room = match &mut self.more {
            Some(more) => more.last_mut(),
            None => &mut *self.first,
        };
        let size = find.size();
        let Some((to, rest)) = room
            .get_mut(self.used..)
            .and_then(|room| room.split_at_mut_checked(size))
        else {
            return false;
        };

        find.encode(to);
        end(rest);
        // Within the space.
        self.used = self.used.wrapping_add(size);
        true
    }
}

/// Ends the list of finds, if there is space after it.
fn end(rest: &mut [u8]) {
    if let Some(byte) = rest.first_mut() {
        *byte = 0;
    }
}

/// A record that has been received.
pub(crate) struct Record<'p> {
    header: Header,
    blocks: Chain<'p>,
}

impl<'p> Record<'p> {
    /// `None` for blocks that no [`Draft`] has written.
    pub(crate) fn new(blocks: Chain<'p>) -> Option<Self> {
        let header = Header::decode(blocks.iter().next()?.first_chunk()?)?;

        Some(Self { header, blocks })
    }

    /// The data about the request as a whole.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// What was found in it, in the order of its deltas.
    pub(crate) fn finds(&self) -> Entries<'_> {
        let first = self.blocks.iter().next();
        let deltas = blocks_of(self.header.deltas as usize);

        Entries {
            piece: first
                .and_then(|block| block.get(Header::SIZE..DELTAS))
                .unwrap_or_default(),
            further: self.blocks.iter().skip(deltas),
        }
    }

    /// Its deltas in order.
    pub(crate) fn deltas(&self) -> Deltas<'_> {
        let mut blocks = self.blocks.iter();
        let first = blocks.next().and_then(|block| block.get(DELTAS..));

        Deltas {
            piece: first.unwrap_or_default(),
            further: blocks,
            left: self.header.deltas,
            from: None,
            to: self.header.sector,
        }
    }
}

/// The deltas of a record.
pub(crate) struct Deltas<'r> {
    /// The rest of the block that is being read.
    piece: &'r [u8],
    further: pool::Blocks<'r>,
    /// How many are still to come.
    left: u32,
    /// The recorded first sector of the first delta, and the real one, which may only have become known
    /// afterwards.
    from: Option<u64>,
    to: u64,
}

impl Iterator for Deltas<'_> {
    type Item = Delta;

    fn next(&mut self) -> Option<Delta> {
        self.left = self.left.checked_sub(1)?;
        if self.piece.len() < Delta::SIZE {
            self.piece = self.further.next()?;
        }
        let (encoded, rest) = self.piece.split_first_chunk()?;
        self.piece = rest;

        let delta = Delta::decode(encoded)?;
        let from = *self.from.get_or_insert(delta.first);
        Some(delta.moved(from, self.to))
    }
}

/// The entries of the list of finds.
#[derive(Clone)]
pub(crate) struct Entries<'r> {
    /// The rest of the memory that is being read.
    piece: &'r [u8],
    further: Skip<pool::Blocks<'r>>,
}

impl<'r> Iterator for Entries<'r> {
    type Item = Find<'r>;

    fn next(&mut self) -> Option<Find<'r>> {
        loop {
            if let Some((find, rest)) = Find::decode(self.piece) {
                self.piece = rest;
                return Some(find);
            }
            self.piece = self.further.next()?;
        }
    }
}
