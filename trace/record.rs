// SPDX-License-Identifier: GPL-2.0

//! A request's record: a value of its own, in blocks of the pool.
//!
//! ```text
//! the first chain                                the second chain, where bytes are kept
//! 0    header (core/src/record.rs)               the bytes of each delta in turn; those of one
//! 40   length of the pattern, then its bytes,    delta lie in one block: where they do not fit
//!      where any was found                       the rest of a block, they begin the next one
//! 112  deltas, and on from byte 0 of the blocks
//!      that follow; none is split
//! ```
//!
//! The pattern, or the name of the key that holds it, is kept because a message may change it before
//! the record is read.

use super::{
    fpu,
    pool::{
        Block,
        Chain,
        Held,
        Pool,
        BLOCK, //
    }, //
};
use crate::{
    delta::Delta,
    dm::{
        Segment,
        Segments, //
    },
    matcher::Matcher,
    params::{
        KEY_NAME_MAX,
        PATTERN_MAX, //
    },
    record::{
        Header,
        Payload, //
    },
};

/// Where the deltas begin in the first block.
const DELTAS: usize = 112;

const _: () = assert!(Header::SIZE + 1 + PATTERN_MAX <= DELTAS);
const _: () = assert!(KEY_NAME_MAX <= PATTERN_MAX);

/// What a request needs of the pool.
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

        let beyond_first = deltas.saturating_sub((BLOCK - DELTAS) / Delta::SIZE);
        Self {
            deltas: beyond_first.div_ceil(BLOCK / Delta::SIZE).saturating_add(1),
            bytes,
        }
    }
}

/// A record that is being made.
///
/// All its blocks are there from the start, so that it becomes complete whatever happens.
pub(crate) struct Draft<'p> {
    deltas: Chain<'p>,
    bytes: Option<Chain<'p>>,
    payload: Payload,
}

impl<'p> Draft<'p> {
    /// Takes the blocks for a request of these segments, with those for a copy of its bytes if
    /// `keep`. Where the pool has not got enough for the copy, it goes without; where it has not
    /// even got enough for the deltas, there is no record.
    pub(crate) fn new(pool: &'p Pool, segments: Segments<'_>, keep: bool) -> Option<Self> {
        let need = Need::of(segments);
        let deltas = pool.take(need.deltas)?;

        let keep = keep && need.bytes != 0;
        let bytes = keep.then(|| pool.take(need.bytes)).flatten();
        let payload = match (keep, &bytes) {
            (false, _) => Payload::None,
            (true, Some(_)) => Payload::Kept,
            (true, None) => Payload::Lost,
        };
        Some(Self {
            deltas,
            bytes,
            payload,
        })
    }

    /// What became of the request's bytes.
    pub(crate) fn payload(&self) -> Payload {
        self.payload
    }

    /// Begins to fill it.
    pub(crate) fn writer(&mut self) -> Writer<'_, impl Blocks<'_>, impl Blocks<'_>> {
        let mut deltas = self.deltas.iter_mut();
        let first = deltas.next().and_then(|block| block.get_mut(DELTAS..));

        Writer {
            deltas: Room {
                blocks: deltas,
                room: first.unwrap_or_default(),
            },
            bytes: self.bytes.as_mut().map(|bytes| Room {
                blocks: bytes.iter_mut(),
                room: &mut [],
            }),
        }
    }

    /// Completes it. `pattern` is what was found in it, if anything was.
    pub(crate) fn complete(mut self, header: &Header, pattern: Option<&[u8]>) -> Complete<'p> {
        if let Some((head, rest)) = self.deltas.first_mut().split_first_chunk_mut() {
            *head = header.encode();
            put_pattern(rest, pattern.unwrap_or_default());
        }
        Complete {
            deltas: self.deltas,
            bytes: self.bytes,
        }
    }
}

/// A record that is complete but for its number.
pub(crate) struct Complete<'p> {
    deltas: Chain<'p>,
    bytes: Option<Chain<'p>>,
}

impl<'p> Complete<'p> {
    /// A record of what `header` says and no more; `None` where the pool has no block.
    pub(crate) fn of(pool: &'p Pool, header: &Header) -> Option<Self> {
        let draft = Draft {
            deltas: pool.take(1)?,
            bytes: None,
            payload: Payload::None,
        };
        Some(draft.complete(header, None))
    }

    /// Sends it to the reader.
    pub(crate) fn send(self) {
        self.deltas.send(self.bytes, |block, sequence| {
            if let Some(head) = block.first_chunk_mut() {
                Header::put_sequence(head, sequence);
            }
        });
    }

    /// Puts it away until the request has come back.
    pub(crate) fn hold(self) -> Held {
        self.deltas.hold(self.bytes)
    }

    /// The record that was put away.
    pub(crate) fn take_back(pool: &'p Pool, held: Held) -> Option<Self> {
        let (deltas, bytes) = pool.take_back(held)?;

        Some(Self { deltas, bytes })
    }

    /// Has the request, and with it its deltas, begin at `sector` of the underlying device.
    pub(crate) fn move_to(&mut self, sector: u64) {
        if let Some(head) = self.deltas.first_mut().first_chunk_mut() {
            Header::put_sector(head, sector);
        }
    }
}

fn put_pattern(to: &mut [u8], pattern: &[u8]) {
    if let Some((len, bytes)) = to.split_first_mut() {
        // A pattern has at most `PATTERN_MAX` bytes.
        *len = pattern.len() as u8;
        for (to, from) in bytes.iter_mut().zip(pattern) {
            *to = *from;
        }
    }
}

/// Blocks to be written one after the other.
pub(crate) trait Blocks<'w>: Iterator<Item = &'w mut Block> {}

impl<'w, I: Iterator<Item = &'w mut Block>> Blocks<'w> for I {}

/// Fills a [`Draft`], a segment at a time.
pub(crate) struct Writer<'w, D, B> {
    deltas: Room<'w, D>,
    bytes: Option<Room<'w, B>>,
}

/// Blocks, and what is left of the one that is being filled.
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

impl<'w, D: Blocks<'w>, B: Blocks<'w>> Writer<'w, D, B> {
    /// Adds a segment: its bytes, if they are kept, what `search` finds in the bytes kept, and its
    /// delta, which it returns as it was recorded.
    pub(crate) fn add(
        &mut self,
        mut delta: Delta,
        segment: &Segment<'_>,
        search: Option<&Matcher>,
    ) -> Delta {
        let len = segment.len() as usize;

        if let Some(copy) = self.bytes.as_mut().and_then(|bytes| bytes.next(len)) {
            segment.copy_to(copy);
            if let Some(search) = search {
                delta.copy_hits = fpu::with_avx2(len, |avx2| search.count((&*copy).into(), avx2));
            }
        }
        if let Some(to) = self
            .deltas
            .next(Delta::SIZE)
            .and_then(|to| to.first_chunk_mut())
        {
            *to = delta.encode();
        }
        delta
    }
}

/// A record that has been received.
pub(crate) struct Record<'p> {
    header: Header,
    deltas: Chain<'p>,
    _bytes: Option<Chain<'p>>,
}

impl<'p> Record<'p> {
    /// `None` for what no [`Draft`] has written.
    pub(crate) fn new((deltas, bytes): (Chain<'p>, Option<Chain<'p>>)) -> Option<Self> {
        let header = Header::decode(deltas.iter().next()?.first_chunk()?)?;

        Some(Self {
            header,
            deltas,
            _bytes: bytes,
        })
    }

    /// The request as a whole.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// What was found in it, if anything was.
    pub(crate) fn pattern(&self) -> Option<&[u8]> {
        let (len, bytes) = self
            .deltas
            .iter()
            .next()?
            .get(Header::SIZE..)?
            .split_first()?;

        bytes
            .get(..usize::from(*len))
            .filter(|text| !text.is_empty())
    }

    /// Its deltas in order. They begin where the header says, which may have come to be known only
    /// after they had been written.
    pub(crate) fn deltas(&self) -> impl Iterator<Item = Delta> + Clone + '_ {
        let to = self.header.sector;
        let from = self.encoded_deltas().next().map_or(to, |delta| delta.first);

        self.encoded_deltas()
            .map(move |delta| delta.moved(from, to))
    }

    fn encoded_deltas(&self) -> impl Iterator<Item = Delta> + Clone + '_ {
        // In the first block only.
        let mut skip = DELTAS;

        self.deltas
            .iter()
            .flat_map(move |block| {
                block
                    .get(core::mem::take(&mut skip)..)
                    .unwrap_or_default()
                    .chunks_exact(Delta::SIZE)
            })
            .filter_map(|bytes| Delta::decode(bytes.first_chunk()?))
            .take(self.header.deltas as usize)
    }
}
