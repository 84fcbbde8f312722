// SPDX-License-Identifier: GPL-2.0

//! Which sectors were touched, and which of them more than once.
//!
//! There are two bits for each sector, in chunks that are made when they are touched. If there are too many chunks,
//! only every second one is kept, chosen by a hash of its number; then every fourth, and so on. Their counts are
//! multiplied accordingly, which gives an estimate.

use serde::Serialize;
use std::collections::HashMap;

/// How many sectors have their bits in a word.
const WORD: u64 = 64;

/// How many words a chunk has: 128 KiB of the disk. Smaller chunks take less memory if requests are far from each other,
/// and more if not.
const WORDS: usize = 4;

/// How many sectors a chunk has.
const CHUNK: u64 = WORD * WORDS as u64;

/// The memory of a place in the map: the number of a chunk, its bits, and a byte of the map.
const PLACE: usize = 8 + 2 * WORDS * 8 + 1;

/// The bits of a chunk's sectors: touched, and touched again.
#[derive(Default)]
struct Chunk {
    once: [u64; WORDS],
    again: [u64; WORDS],
}

/// Which sectors were touched.
pub(crate) struct Coverage {
    chunks: HashMap<u64, Chunk>,
    limit: usize,
    /// Of 2^this chunks, one is kept.
    shift: u32,
}

/// The result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct CoverageSummary {
    /// The bytes of all different sectors that were touched.
    pub(crate) distinct_bytes: u64,
    /// The bytes of those that were touched more than once.
    pub(crate) repeated_bytes: u64,
    /// The part of the disk that was looked at for these numbers: 1 if they are exact.
    pub(crate) sampled: f64,
}

impl Coverage {
    /// Takes at most this many bytes of memory.
    pub(crate) fn new(memory: usize) -> Self {
        // The map doubles its places, and uses 7 of 8.
        let places = 1_usize << (memory / PLACE).max(8).ilog2();
        Self {
            chunks: HashMap::new(),
            limit: places / 8 * 7,
            shift: 0,
        }
    }

    /// These sectors are touched.
    pub(crate) fn add(&mut self, sector: u64, sectors: u64) {
        let end = sector.saturating_add(sectors);
        let mut at = sector;
        while at < end {
            let number = at / CHUNK;
            let first = number.saturating_mul(CHUNK);
            let next = first.saturating_add(CHUNK).min(end);
            if kept(number, self.shift) {
                self.chunk(number, at - first, next - first);
            }
            if next == u64::MAX {
                return;
            }
            at = next;
        }
    }

    /// Sectors of a chunk are touched.
    fn chunk(&mut self, number: u64, from: u64, to: u64) {
        if !self.chunks.contains_key(&number) && self.chunks.len() >= self.limit {
            self.shift += 1;
            let shift = self.shift;
            // A new map: one from which places were removed may double once more.
            let mut chunks = HashMap::with_capacity(self.limit);
            chunks.extend(
                self.chunks
                    .drain()
                    .filter(|(number, _)| kept(*number, shift)),
            );
            self.chunks = chunks;
            if !kept(number, shift) {
                return;
            }
        }
        let chunk = self.chunks.entry(number).or_default();
        let words = chunk.once.iter_mut().zip(&mut chunk.again).enumerate();
        let first = usize::try_from(from / WORD).unwrap_or(WORDS);
        for (index, (once, again)) in words.skip(first) {
            let begin = index as u64 * WORD;
            if begin >= to {
                return;
            }
            let low = from.saturating_sub(begin);
            let high = (to - begin).min(WORD);
            // The bits from low to high; low is less than 64.
            let bits = (u64::MAX << low) & (u64::MAX >> (WORD - high));
            *again |= *once & bits;
            *once |= bits;
        }
    }

    /// The result.
    pub(crate) fn summary(&self) -> CoverageSummary {
        let ones = |words: &[u64; WORDS]| {
            words
                .iter()
                .map(|word| u64::from(word.count_ones()))
                .sum::<u64>()
        };
        let bytes = |sectors: u64| {
            let scale = 1_u64.checked_shl(self.shift).unwrap_or(u64::MAX);
            sectors.saturating_mul(512).saturating_mul(scale)
        };
        CoverageSummary {
            distinct_bytes: bytes(self.chunks.values().map(|chunk| ones(&chunk.once)).sum()),
            repeated_bytes: bytes(self.chunks.values().map(|chunk| ones(&chunk.again)).sum()),
            sampled: 0.5_f64.powi(i32::try_from(self.shift).unwrap_or(i32::MAX)),
        }
    }
}

/// Whether a chunk is one of those that are kept.
fn kept(number: u64, shift: u32) -> bool {
    // The mixing of splitmix64.
    let mut hash = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    hash.trailing_zeros() >= shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_agrees_with_a_map(
            ranges in prop::collection::vec((0..20_000_u64, prop_oneof![0..100_u64, 0..9000_u64]), 0..40),
        ) {
            let mut coverage = Coverage::new(1 << 20);
            let mut map = BTreeMap::new();
            for (sector, sectors) in ranges {
                coverage.add(sector, sectors);
                for sector in sector..sector + sectors {
                    *map.entry(sector).or_insert(0_u64) += 1;
                }
            }
            let got = coverage.summary();
            prop_assert_eq!(got.sampled, 1.0);
            prop_assert_eq!(got.distinct_bytes, map.len() as u64 * 512);
            let again = map.values().filter(|times| **times > 1).count();
            prop_assert_eq!(got.repeated_bytes, again as u64 * 512);
        }
    }

    #[test]
    fn the_end_of_all_sectors_is_no_problem() {
        let mut coverage = Coverage::new(1 << 20);
        coverage.add(u64::MAX - 3, 100);
        assert_eq!(coverage.summary().distinct_bytes, 3 * 512);
    }

    #[test]
    fn with_little_memory_it_estimates() {
        let mut coverage = Coverage::new(2048 * PLACE);
        // 8 sectors in each of 20,000 chunks, every fourth of them twice.
        for chunk in 0..20_000 {
            for _ in 0..1 + u64::from(chunk % 4 == 0) {
                coverage.add(chunk * CHUNK + 100, 8);
            }
            assert!(coverage.chunks.len() <= 1792 && coverage.chunks.capacity() <= 1792);
        }
        let got = coverage.summary();
        assert_eq!(got.sampled, 1.0 / 16.0);
        let (distinct, repeated) = (20_000 * 4096, 5000 * 4096);
        assert!(
            got.distinct_bytes.abs_diff(distinct) < distinct / 10,
            "{got:?}"
        );
        assert!(
            got.repeated_bytes.abs_diff(repeated) < repeated / 5,
            "{got:?}"
        );
    }
}
