// SPDX-License-Identifier: GPL-2.0

//! Chunks of the disk: whether what they held before is known.
//!
//! A chunk is known when a session has its base, or a gap that says that there is none. Known chunks stay known until
//! the session ends. So there is one bit for each chunk, which is only ever set.

use crate::record::SECTOR_SIZE;
use core::{
    ops::Range,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    },
};

/// How many chunks one word covers.
const CHUNKS_PER_WORD: u64 = u64::BITS as u64;

/// How a target is cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// The length of the target, in sectors.
    sectors: u64,
    /// How many sectors a chunk has; not 0.
    each: u64,
}

impl Chunks {
    /// Chunks of this many bytes in a target of this many sectors.
    pub fn new(sectors: u64, bytes: u32) -> Self {
        let each = (u64::from(bytes) / SECTOR_SIZE).max(1);
        Self { sectors, each }
    }

    /// How many there are. The last one may be shorter.
    pub fn count(&self) -> u64 {
        self.sectors.div_ceil(self.each)
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
        let first = sector / self.each;
        if end <= sector {
            return first..first;
        }
        first..end.div_ceil(self.each)
    }

    /// The sectors of these chunks; the last chunk ends with the target.
    pub fn sectors(&self, chunks: &Range<u64>) -> Range<u64> {
        let start = chunks.start.saturating_mul(self.each).min(self.sectors);
        let end = chunks.end.saturating_mul(self.each).min(self.sectors);
        start..end
    }
}

/// Whether all of these chunks are known. `words` has a bit for each chunk; chunks without a bit are not known.
#[inline]
pub fn are_known(words: &[AtomicU64], chunks: &Range<u64>) -> bool {
    masks(chunks).all(|(word, mask)| {
        // Acquire: whoever set the bits has reserved the base before. Pairs with `set_known`.
        word_at(words, word).is_some_and(|word| word.load(Ordering::Acquire) & mask == mask)
    })
}

/// Makes these chunks known.
pub fn set_known(words: &[AtomicU64], chunks: &Range<u64>) {
    for (word, mask) in masks(chunks) {
        if let Some(word) = word_at(words, word) {
            word.fetch_or(mask, Ordering::Release);
        }
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
        let from = start.saturating_sub(base);
        let to = end.wrapping_sub(base).min(CHUNKS_PER_WORD);
        // Neither shift reaches 64: `from` is below `to`, and `to` is at least 1.
        let low = u64::MAX.wrapping_shl(from as u32);
        let high = u64::MAX.wrapping_shr(CHUNKS_PER_WORD.wrapping_sub(to) as u32);
        (word, low & high)
    })
}

#[inline]
fn word_at(words: &[AtomicU64], index: u64) -> Option<&AtomicU64> {
    words.get(usize::try_from(index).ok()?)
}
