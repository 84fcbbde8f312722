// SPDX-License-Identifier: GPL-2.0

//! Chunks of the disk: whether what they held before is known.
//!
//! A chunk is known when a session has its base, or a gap that says that there is none. Known chunks stay known until
//! the session ends. So there is one bit for each chunk, which is only ever set.

use crate::{
    memory::atomic::{
        AtomicU64,
        Ordering, //
    },
    record::SECTOR_SIZE, //
};
use core::ops::Range;

/// How many chunks one word covers.
const CHUNKS_PER_WORD: u64 = u64::BITS as u64;

/// How a target is cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// The length of the target, in sectors.
    sectors: u64,
    /// A chunk has 2 to this power sectors.
    shift: u32,
}

impl Chunks {
    /// Chunks of this many bytes, a power of two, in a target of this many sectors.
    pub fn new(sectors: u64, bytes: u32) -> Self {
        let each = (u64::from(bytes) / SECTOR_SIZE).max(1);
        Self {
            sectors,
            shift: each.trailing_zeros(),
        }
    }

    /// How many chunks lie before this sector, in whole or in part.
    #[inline]
    fn end(&self, sector: u64) -> u64 {
        sector
            .checked_sub(1)
            .map_or(0, |last| last.wrapping_shr(self.shift).saturating_add(1))
    }

    /// How many there are. The last one may be shorter.
    pub fn count(&self) -> u64 {
        self.end(self.sectors)
    }

    /// How many words the bits of all of them take.
    pub fn words(&self) -> u64 {
        self.count().div_ceil(CHUNKS_PER_WORD)
    }

    /// The chunks that a range of bytes touches.
    #[inline]
    pub fn touched(&self, sector: u64, bytes: u64) -> Range<u64> {
        let end = sector
            .saturating_add(bytes.div_ceil(SECTOR_SIZE))
            .min(self.sectors);
        let first = sector.wrapping_shr(self.shift);
        if end <= sector {
            return first..first;
        }
        first..self.end(end)
    }

    /// The sectors of these chunks; the last chunk ends with the target.
    pub fn sectors(&self, chunks: &Range<u64>) -> Range<u64> {
        let each = 1_u64.wrapping_shl(self.shift);
        let of = |chunk: u64| chunk.saturating_mul(each).min(self.sectors);

        of(chunks.start)..of(chunks.end)
    }
}

/// Whether all of these chunks are known. `words` has a bit for each chunk; chunks without a bit are not known.
#[inline]
pub fn are_known(words: &[AtomicU64], chunks: &Range<u64>) -> bool {
    masks(chunks).all(|(word, mask)| {
        // Acquire: the task that set the bits has reserved the base before. Pairs with `set_known`.
        word_at(words, word).is_some_and(|word| word.load(Ordering::Acquire) & mask == mask)
    })
}

/// Makes these chunks known.
pub fn set_known(words: &[AtomicU64], chunks: &Range<u64>) {
    for (word, mask) in masks(chunks) {
        // There are none after the last word.
        let Some(word) = word_at(words, word) else {
            return;
        };
        word.fetch_or(mask, Ordering::Release);
    }
}

/// Runs of chunks that are not known, in order.
pub fn unknown<'w>(
    words: &'w [AtomicU64],
    chunks: &Range<u64>,
) -> impl Iterator<Item = Range<u64>> + 'w {
    let mut rest = chunks.clone();

    core::iter::from_fn(move || {
        let is_known = |chunk: &u64| are_known(words, &(*chunk..chunk.saturating_add(1)));
        let start = rest.find(|chunk| !is_known(chunk))?;
        let end = rest.find(is_known).unwrap_or(rest.end);
        Some(start..end)
    })
}

/// The words of a range of chunks, and the bits of the range in each.
#[inline]
fn masks(chunks: &Range<u64>) -> impl Iterator<Item = (u64, u64)> {
    let Range { start, end } = chunks.clone();
    let words = if start < end {
        start / CHUNKS_PER_WORD..end.div_ceil(CHUNKS_PER_WORD)
    } else {
        0..0
    };

    words.map(move |word| {
        let base = word.wrapping_mul(CHUNKS_PER_WORD);
        // The bits from `start` on, without those from `end` on.
        (word, bits_from(start, base) & !bits_from(end, base))
    })
}

/// The bits of a word for this chunk and those after it. Bit 0 is for chunk `base`.
#[inline]
fn bits_from(chunk: u64, base: u64) -> u64 {
    u32::try_from(chunk.saturating_sub(base))
        .ok()
        .and_then(|bit| u64::MAX.checked_shl(bit))
        .unwrap_or(0)
}

#[inline]
fn word_at(words: &[AtomicU64], index: u64) -> Option<&AtomicU64> {
    words.get(usize::try_from(index).ok()?)
}
