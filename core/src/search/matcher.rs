// SPDX-License-Identifier: GPL-2.0

//! Counts a pattern in bytes that come in segments.
//!
//! The search looks for two rare bytes of the pattern at many places at once ([`Pair`]), and compares the whole
//! pattern only where both are.
//!
//! This may happen too often, because the bytes were made that way (`aaaa...`), or because the chosen bytes are not
//! rare after all. Then the next stretch is searched byte by byte with Shift-Or (the complement of Shift-And: R.
//! Baeza-Yates and G. H. Gonnet, "A new approach to text searching", Communications of the ACM 35(10), 1992): one bit
//! for each prefix of the pattern that ends at the current byte. Its cost is the same for all bytes. The total cost is
//! bounded, too:
//!
//! - a comparison must be paid for with [`PRICE`] bytes that were searched, with credit for a few;
//! - when that fails, the next [`STRETCH`] places are searched with Shift-Or, and then the search continues without
//!   credit.
//!
//! On the machine of `docs/matcher.md`, no input costs more than 1 ns per byte, whatever the pattern.
//!
//! The bytes may change while they are read. What is counted was there: each byte of each occurrence at its place,
//! though perhaps not all at the same moment. No place counts twice.

use super::{
    carry::Carry,
    pair::Pair,
    simd::Avx2, //
};
use crate::{
    bytes::racy::{
        RacyBytes,
        RacyPair, //
    },
    memory::Memory, //
};

/// The longest pattern, in bytes: Shift-Or has a bit for each.
pub const PATTERN_MAX: usize = 64;

/// How many values a byte may have.
const BYTES: usize = 256;

/// How many bytes must be searched for each comparison, in the long run.
const PRICE: usize = 32;

/// The credit for comparisons, in bytes.
const CREDIT: usize = 8 * PRICE;

/// How many places are searched byte by byte before the faster search is tried again. The bytes before them, up to the
/// length of a pattern, are read a second time for it.
const STRETCH: usize = 1024;

/// A pattern of 1 to [`PATTERN_MAX`] bytes, prepared.
pub struct Matcher<M: Memory> {
    /// For each of the [`BYTES`], a 0 for each index at which the pattern has this byte. The pattern is at the top of
    /// the word, so a whole occurrence is a 0 in the highest bit.
    masks: M::Array<u64>,
    /// No prefix of the pattern.
    none: u64,
    /// The pattern, followed by zeroes.
    pattern: [u8; PATTERN_MAX],
    len: usize,
    pair: Pair,
}

/// The bytes that are carried from one segment to the next of the same request, as many as a pattern may need. It
/// belongs to one [`Matcher`] for the whole request.
pub type State = Carry<{ 2 * (PATTERN_MAX - 1) }>;

/// How many occurrences end in one segment. Both numbers saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Occurrences wholly in this segment.
    pub inside: u32,
    /// Occurrences that began in an earlier segment.
    pub straddling: u32,
}

impl<M: Memory> Matcher<M> {
    /// Prepares a pattern; `None` if it is empty or longer than [`PATTERN_MAX`].
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn new(pattern: &[u8]) -> Result<Option<Self>, M::Error> {
        let len = pattern.len();
        let mut padded = [0; PATTERN_MAX];
        let (Some(start), Some(pair)) = (padded.get_mut(..len), Pair::new(pattern)) else {
            return Ok(None);
        };
        start.copy_from_slice(pattern);

        // Shifts by 0 to 63: there are 1 to 64 bytes.
        let none = u64::MAX << (PATTERN_MAX.wrapping_sub(len) % 64);
        let mut masks = M::array(&none, BYTES)?;
        let mut bit = 1_u64 << 63;
        for &byte in pattern.iter().rev() {
            if let Some(mask) = masks.get_mut(usize::from(byte)) {
                *mask &= !bit;
            }
            bit >>= 1;
        }

        Ok(Some(Self {
            masks,
            none,
            pattern: padded,
            len,
            pair,
        }))
    }

    /// Searches the next segment of a request.
    ///
    /// With `avx2` it is faster. In the kernel, the whole call is then within the FPU section that gave the permission,
    /// so `bytes` should be few: a page.
    #[inline]
    pub fn feed(&self, state: &mut State, bytes: RacyBytes<'_>, avx2: Option<Avx2<'_>>) -> Hits {
        Hits {
            straddling: self.straddling(state, bytes),
            inside: self.count(bytes, avx2),
        }
    }

    /// Moves on to the next segment of a request, and counts the occurrences that end in it and began before it.
    #[inline]
    pub fn straddling<const ROOM: usize>(
        &self,
        state: &mut Carry<ROOM>,
        bytes: RacyBytes<'_>,
    ) -> u32 {
        self.straddling_each(state, bytes, None)
    }

    /// The same. Calls `found` for each occurrence, with its end in bytes after the start of the segment.
    pub fn straddling_each<const ROOM: usize>(
        &self,
        state: &mut Carry<ROOM>,
        bytes: RacyBytes<'_>,
        found: Option<&mut dyn FnMut(usize)>,
    ) -> u32 {
        let wanted = self.len.wrapping_sub(1);
        // Each side is shorter than the pattern, so each occurrence here straddles.
        let straddling = match (state.around(bytes, wanted), found) {
            (Some((around, begin)), Some(found)) => {
                self.each(around.into(), &mut |end| found(end.saturating_sub(begin)))
            }
            (Some((around, _)), None) => self.count(around.into(), None),
            (None, _) => 0,
        };

        state.pass(bytes, wanted);
        straddling
    }

    /// Counts the occurrences in `bytes` alone. Saturates.
    pub fn count(&self, bytes: RacyBytes<'_>, avx2: Option<Avx2<'_>>) -> u32 {
        let Some(probe) = self.pair.over(bytes, avx2) else {
            return 0;
        };
        let mut hits: u64 = 0;
        let mut credit = CREDIT;
        let mut from = 0;

        // Sums of places do not wrap: no object in memory is so large.
        while let Some(found) = probe.next(from) {
            let looked_at = found.end.saturating_sub(from);
            credit = CREDIT.min(credit.saturating_add(looked_at));

            let price = PRICE.wrapping_mul(found.bits.count_ones() as usize);
            let Some(rest) = credit.checked_sub(price) else {
                let begin = found.at.max(from);
                from = probe.len().min(begin.wrapping_add(STRETCH));
                hits = hits.wrapping_add(self.walk(bytes, begin, from));
                credit = 0;
                continue;
            };
            credit = rest;
            from = found.end;
            for at in found {
                hits = hits.wrapping_add(u64::from(self.is_at(bytes, at)));
            }
        }
        u32::try_from(hits).unwrap_or(u32::MAX)
    }

    /// Counts the occurrences in `bytes` alone, and calls `found` with the end of each of them. It costs more than
    /// [`Self::count`]: up to a comparison with the pattern for each byte. The count saturates.
    pub fn each(&self, bytes: RacyBytes<'_>, found: &mut dyn FnMut(usize)) -> u32 {
        let Some(probe) = self.pair.over(bytes, None) else {
            return 0;
        };
        let mut hits: u32 = 0;
        let mut from = 0;

        while let Some(places) = probe.next(from) {
            from = places.end;
            for at in places.filter(|&at| self.is_at(bytes, at)) {
                hits = hits.saturating_add(1);
                // Does not wrap: it is a place in memory.
                found(at.wrapping_add(self.len));
            }
        }
        hits
    }

    /// Whether an occurrence begins at `at`.
    fn is_at(&self, bytes: RacyBytes<'_>, at: usize) -> bool {
        let pattern = self.pattern.get(..self.len).unwrap_or_default();

        bytes
            .get(at..at.wrapping_add(self.len))
            .is_some_and(|bytes| bytes.are(pattern))
    }

    /// Counts the occurrences that begin at the places from `from` up to `to`, byte by byte.
    #[inline(never)]
    fn walk(&self, bytes: RacyBytes<'_>, from: usize, to: usize) -> u64 {
        // Each step depends on the one before it, so two halves in parallel take no longer than one. Sums of places
        // do not wrap.
        let half = to.saturating_sub(from) / 2;
        let len = half.wrapping_add(self.len).wrapping_sub(1);
        let [a, b] = [from, from.wrapping_add(half)].map(|at| bytes.get(at..at.wrapping_add(len)));
        let (Some((a, b)), Some(masks)) = (a.zip(b), self.masks.first_chunk::<BYTES>()) else {
            return 0;
        };
        let halves = RacyPair::new(a, b);
        let mut bits = [self.none; 2];
        let mut hits: u64 = 0;
        let mut at: usize = 0;

        while let Some(bytes) = halves.bytes(at) {
            for (bits, byte) in bits.iter_mut().zip(bytes) {
                // There is a mask for each byte, so the compiler removes the check.
                let mask = masks.get(usize::from(byte)).copied().unwrap_or(0);
                *bits = *bits << 1 | mask;
                hits = hits.wrapping_add(!*bits >> 63);
            }
            at = at.wrapping_add(1);
        }

        // If the number of places is odd, the last one is in neither half.
        let last = from.wrapping_add(half).wrapping_add(half);
        if last < to && self.is_at(bytes, last) {
            hits = hits.wrapping_add(1);
        }
        hits
    }
}
