// SPDX-License-Identifier: GPL-2.0

//! Rules out places where a pattern cannot be.
//!
//! It takes the two rarest bytes of the pattern, by [`RANK`]. They hardly ever occur at this distance where the pattern
//! does not. The search tests every place for both at once: a vector of places at a time (AVX2), or a word of them (bit
//! tricks, "SWAR").

use super::{
    candidates::Candidates,
    rank::RANK,
    simd::Avx2, //
};
use crate::bytes::racy::{
    RacyBytes,
    RacyPair, //
};

/// Two bytes of a pattern.
#[derive(Clone, Debug)]
pub struct Pair {
    bytes: [u8; 2],
    /// Their indexes in the pattern. In a pattern of one byte they are equal.
    places: [usize; 2],
    /// The length of the pattern.
    len: usize,
}

impl Pair {
    /// Chooses two bytes of a pattern; `None` if it is empty.
    pub fn new(pattern: &[u8]) -> Option<Self> {
        let last = pattern.len().checked_sub(1)?;
        let rank = |at: &usize| {
            let byte = pattern.get(*at)?;
            RANK.get(usize::from(*byte))
        };
        let first = (0..pattern.len()).min_by_key(rank)?;
        // If possible, the second one has another value: an equal byte would say less.
        let second = (0..pattern.len())
            .filter(|at| pattern.get(*at) != pattern.get(first))
            .min_by_key(rank)
            .unwrap_or(last);

        Some(Self {
            bytes: [*pattern.get(first)?, *pattern.get(second)?],
            places: [first, second],
            len: pattern.len(),
        })
    }

    /// Prepares to search all places of `bytes` where the pattern may begin; `None` if there are none.
    #[inline]
    pub fn over<'m>(&self, bytes: RacyBytes<'m>, avx2: Option<Avx2<'m>>) -> Option<Probe<'m>> {
        let len = bytes.len().checked_sub(self.len)?.checked_add(1)?;
        let [a, b] = self.places.map(|at| bytes.get(at..at.saturating_add(len)));

        Some(Probe {
            pair: self.bytes,
            bytes: RacyPair::new(a?, b?),
            avx2,
        })
    }
}

/// A [`Pair`] over bytes.
pub struct Probe<'m> {
    pair: [u8; 2],
    /// For each place, where the first byte of the pair should be, and where the second.
    bytes: RacyPair<'m>,
    avx2: Option<Avx2<'m>>,
}

impl Probe<'_> {
    /// How many places there are.
    #[inline]
    #[expect(
        clippy::len_without_is_empty,
        reason = "It is no collection, and there are some."
    )]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next places from `from` where both bytes are.
    #[inline]
    pub fn next(&self, from: usize) -> Option<Candidates> {
        let Some(avx2) = self.avx2 else {
            return self.next_by_words(from);
        };
        match avx2.probe(self.pair, self.bytes, from) {
            Ok(places) => Some(places),
            Err(from) if from == self.bytes.len() => None,
            Err(from) => self.next_by_words(from),
        }
    }

    // A separate function has all registers to itself.
    #[inline(never)]
    fn next_by_words(&self, mut at: usize) -> Option<Candidates> {
        let pair = self.pair.map(|byte| EACH.wrapping_mul(u64::from(byte)));

        while let Some(words) = self.bytes.words::<4>(at) {
            if words
                .into_iter()
                .fold(0, |all, words| all | same(pair, words))
                & HIGH
                != 0
            {
                break;
            }
            at = at.wrapping_add(32);
        }
        while let Some([words]) = self.bytes.words(at) {
            let end = at.wrapping_add(8);
            let bits = gather(same(pair, words) & HIGH);
            if bits != 0 {
                return Some(Candidates { at, bits, end });
            }
            at = end;
        }
        while let Some(pair) = self.bytes.bytes(at) {
            let end = at.wrapping_add(1);
            if pair == self.pair {
                return Some(Candidates { at, bits: 1, end });
            }
            at = end;
        }
        None
    }
}

/// A 1 in each byte.
const EACH: u64 = u64::MAX / 0xff;
/// The highest bit of each byte.
const HIGH: u64 = EACH << 7;

/// The highest bit of each byte is 1 where both bytes of a pair are. It may also be 1 in a byte above such a
/// one.
#[inline(always)]
fn same(pair: [u64; 2], words: [u64; 2]) -> u64 {
    // Where both are, this has a byte of 0, which then borrows. The byte above it also borrows if it is 1.
    let differ = (words[0] ^ pair[0]) | (words[1] ^ pair[1]);
    differ.wrapping_sub(EACH) & !differ
}

/// The high bits of the bytes, side by side.
#[inline]
fn gather(high: u64) -> u64 {
    // Bit 8n + 7 becomes bit 56 + n of the product. No other two bits meet there.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
