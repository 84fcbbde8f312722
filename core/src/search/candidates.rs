// SPDX-License-Identifier: GPL-2.0

//! Places that a filter has passed.

/// Nearby places, all of which need a closer look.
pub struct Candidates {
    /// The place of the lowest bit.
    pub at: usize,
    /// A bit for each place.
    pub bits: u64,
    /// All places before this one have been filtered.
    pub end: usize,
}

impl Iterator for Candidates {
    type Item = usize;

    /// Takes the first of them.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let bit = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        // Does not wrap: it is a place in memory.
        Some(self.at.wrapping_add(bit))
    }
}

/// The numbers of the bits that are set.
pub fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let bit = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        Some(bit)
    })
}
