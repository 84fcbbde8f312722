// SPDX-License-Identifier: GPL-2.0

//! Rules out places where none of many patterns can be.
//!
//! For each pattern, a window of four bytes is chosen. The patterns share 32 buckets. A table says for each pair of
//! bytes in which buckets it may begin a window, and in which it may end one. If no bucket has both for a place, none
//! of the patterns is there. Two independent lookups for each place take less time than the steps of an automaton.
//!
//! With AVX2, a coarser filter runs first, for many places at once. It tests the halves of single bytes, and has eight
//! buckets (like the one known as Teddy, by G. Langdale).

use super::{
    candidates::Candidates,
    simd::{
        Avx2,
        Nibbles,
        WINDOW, //
    },
};
use crate::{
    bytes::racy::RacyBytes,
    memory::Memory, //
};

/// How many buckets there are, each a bit.
pub const BUCKETS: usize = 32;

/// How many pairs of bytes the table distinguishes. It has 32 KiB.
pub const PAIRS: usize = 1 << 12;

/// If the coarser filter passes more places of a step than this, the finer one alone is faster.
const MANY: u32 = 16;

/// The buckets where a pair of bytes may begin a window, and where it may end one.
pub type Pair = [u32; 2];

/// The values that each byte of a window may have. Beyond the end of the pattern it is `None`: any value.
pub type Window = [Option<[u8; 2]>; WINDOW];

/// The filter.
pub struct Windows<M: Memory> {
    /// By the number of a pair; there are [`PAIRS`].
    pairs: M::Array<Pair>,
    nibbles: Nibbles,
}

impl<M: Memory> Windows<M> {
    /// A filter that passes nothing.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn new() -> Result<Self, M::Error> {
        Ok(Self {
            pairs: M::array(&[0; 2], PAIRS)?,
            nibbles: [[0; 16]; 2 * WINDOW],
        })
    }

    /// Makes it pass a window, in one of the [`BUCKETS`].
    pub fn add(&mut self, bucket: u32, window: Window) {
        let bit = 1_u32.wrapping_shl(bucket);
        let [a, b, c, d] = window;

        for (half, first, second) in [(0, a, b), (1, c, d)] {
            for first in allowed(first) {
                for second in allowed(second) {
                    let pair = self.pairs.get_mut(number([first, second]));
                    if let Some(half) = pair.and_then(|pair| pair.get_mut(half)) {
                        *half |= bit;
                    }
                }
            }
        }

        // Four of the buckets share one here.
        let [bit, ..] = 1_u32.wrapping_shl(bucket / 4).to_le_bytes();
        for (tables, byte) in self.nibbles.chunks_exact_mut(2).zip(window) {
            for byte in allowed(byte) {
                for (table, half) in tables.iter_mut().zip([byte & 0xf, byte >> 4]) {
                    if let Some(buckets) = table.get_mut(usize::from(half)) {
                        *buckets |= bit;
                    }
                }
            }
        }
    }

    /// The next places from `from` where a window may begin. At the end, a window may reach beyond the bytes.
    #[inline]
    pub fn next(
        &self,
        bytes: RacyBytes<'_>,
        from: usize,
        avx2: Option<Avx2<'_>>,
    ) -> Option<Candidates> {
        let Some(avx2) = avx2 else {
            return self.next_by_pairs(bytes, from);
        };
        match avx2.windows(&self.nibbles, bytes, from) {
            Ok(places) if places.bits.count_ones() <= MANY => Some(places),
            // Earlier places have been filtered. The very last step may begin before `from`.
            Ok(places) => self.next_by_pairs(bytes, places.at.max(from)),
            Err(from) => self.next_by_pairs(bytes, from),
        }
    }

    #[inline(never)]
    fn next_by_pairs(&self, bytes: RacyBytes<'_>, mut at: usize) -> Option<Candidates> {
        let pairs = self.pairs.first_chunk::<PAIRS>()?;
        let pair = |bytes| pairs.get(number(bytes)).copied().unwrap_or_default();

        while let Some([low, high]) = bytes.words(at) {
            let end = at.wrapping_add(8);
            let [a, b, c, d, e, f, g, h] = low.to_le_bytes();
            let [i, j, k, ..] = high.to_le_bytes();
            let firsts = [
                [a, b],
                [b, c],
                [c, d],
                [d, e],
                [e, f],
                [f, g],
                [g, h],
                [h, i],
            ];
            let [p, q, r, s, t, u, v, w] = firsts.map(pair);
            let [x, y] = [[i, j], [j, k]].map(pair);
            let places = [
                [p, r],
                [q, s],
                [r, t],
                [s, u],
                [t, v],
                [u, w],
                [v, x],
                [w, y],
            ];

            let buckets = places.map(|[first, second]| first[0] & second[1]);
            if buckets.iter().fold(0, |all, buckets| all | buckets) != 0 {
                let bit = |bits, buckets: &u32| bits << 1 | u64::from(*buckets != 0);
                let bits = buckets.iter().rev().fold(0, bit);
                return Some(Candidates { at, bits, end });
            }
            at = end;
        }
        while at < bytes.len() {
            let end = at.wrapping_add(1);
            if self.buckets(bytes, at) != 0 {
                return Some(Candidates { at, bits: 1, end });
            }
            at = end;
        }
        None
    }

    /// The buckets whose windows may begin at `at`.
    #[inline]
    pub fn buckets(&self, bytes: RacyBytes<'_>, at: usize) -> u32 {
        // A pattern that does not reach that far accepts anything there.
        let byte = |on| bytes.byte(at.wrapping_add(on)).unwrap_or(0);
        let half = |on| [byte(on), byte(on.wrapping_add(1))];
        let pair = |bytes| self.pairs.get(number(bytes)).copied().unwrap_or_default();

        pair(half(0))[0] & pair(half(2))[1]
    }
}

/// The number of a pair of bytes. Several pairs share a number.
#[inline(always)]
fn number(pair: [u8; 2]) -> usize {
    // The highest 12 bits of the product, which depend on all bits of the pair.
    (u32::from(u16::from_le_bytes(pair)).wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// The bytes that are allowed where a window has `byte`.
fn allowed(byte: Option<[u8; 2]>) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(move |other| byte.is_none_or(|either| either.contains(other)))
}
