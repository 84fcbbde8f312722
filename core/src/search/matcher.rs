// SPDX-License-Identifier: GPL-2.0

//! Counts a pattern in bytes that come in segments.
//!
//! Two rare bytes of the pattern are looked for at many places at once ([`Pair`]), and only where both
//! are is the whole pattern compared.
//!
//! Where that comes too often, because the bytes are made that way (`aaaa...`) or are not what the
//! choice took them for, the next stretch is walked through byte by byte with Shift-Or (the
//! complement of Shift-And: R. Baeza-Yates and G. H. Gonnet, "A new approach to text searching",
//! Communications of the ACM 35(10), 1992): one bit for each prefix of the pattern that ends at the
//! current byte. It costs the same for all bytes. So does, at most, everything:
//!
//! - a comparison has to be paid for with [`PRICE`] bytes that were looked at, on credit for a few;
//! - who cannot pay walks through [`STRETCH`] places, and begins anew without credit.
//!
//! On the machine of `docs/matcher.md`, no bytes cost more than 1 ns each, whatever the pattern.
//!
//! The bytes may be written to while they are read. What is counted was there: each byte of each
//! occurrence at its place, though perhaps not all at the same moment. No place counts twice.

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

/// How many bytes have to be looked at for each comparison, in the long run.
const PRICE: usize = 32;

/// How many comparisons may be made on credit.
const CREDIT: usize = 8 * PRICE;

/// How many places are walked through before probing is tried again. What comes before them, up to
/// the length of a pattern, is read once more for it.
const STRETCH: usize = 1024;

/// A pattern of 1 to [`PATTERN_MAX`] bytes, prepared.
pub struct Matcher<M: Memory> {
    /// For each of the [`BYTES`], a 0 for each place in the pattern where it stands. The pattern is at
    /// the top of the word, so that a whole occurrence is a 0 in the highest bit.
    masks: M::Array<u64>,
    /// No prefix of the pattern.
    none: u64,
    /// The pattern, and zeroes behind it.
    pattern: [u8; PATTERN_MAX],
    len: usize,
    pair: Pair,
}

/// What is carried over from one segment to the next of the same request, as long as a pattern may
/// need it; there may be more room. It belongs to one [`Matcher`] for as long as the request lasts.
pub type State = Carry<{ 2 * (PATTERN_MAX - 1) }>;

/// How many occurrences ended in one segment. They saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Those wholly in this segment.
    pub inside: u32,
    /// Those that began in an earlier segment.
    pub straddling: u32,
}

impl<M: Memory> Matcher<M> {
    /// Prepares a pattern; `None` where it is empty or longer than [`PATTERN_MAX`].
    ///
    /// # Errors
    ///
    /// Where there is no memory.
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
    /// With `avx2` it is faster. In the kernel a call with it is as long as the section that the
    /// permission comes from, so `bytes` should then be few: a page.
    #[inline]
    pub fn feed(&self, state: &mut State, bytes: RacyBytes<'_>, avx2: Option<Avx2<'_>>) -> Hits {
        Hits {
            straddling: self.straddling(state, bytes),
            inside: self.count(bytes, avx2),
        }
    }

    /// Goes on to the next segment of a request, and counts the occurrences that end in it and began
    /// before it.
    #[inline]
    pub fn straddling<const ROOM: usize>(
        &self,
        state: &mut Carry<ROOM>,
        bytes: RacyBytes<'_>,
    ) -> u32 {
        let wanted = self.len.wrapping_sub(1);
        // On either side there is less than a pattern, so that each occurrence here straddles.
        let straddling = match state.around(bytes, wanted) {
            Some((around, _)) => self.count(around.into(), None),
            None => 0,
        };

        state.pass(bytes, wanted);
        straddling
    }

    /// Counts the occurrences in `bytes` alone. It saturates.
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
        // Each step waits for the one before it, so that both halves of the way are as fast as one.
        // Sums of places do not wrap.
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
                // There is a mask for each byte, so the compiler leaves the check out.
                let mask = masks.get(usize::from(byte)).copied().unwrap_or(0);
                *bits = *bits << 1 | mask;
                hits = hits.wrapping_add(!*bits >> 63);
            }
            at = at.wrapping_add(1);
        }

        // Of an odd number of places, the last one is in neither half.
        let last = from.wrapping_add(half).wrapping_add(half);
        if last < to && self.is_at(bytes, last) {
            hits = hits.wrapping_add(1);
        }
        hits
    }
}
