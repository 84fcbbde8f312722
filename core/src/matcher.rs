// SPDX-License-Identifier: GPL-2.0

//! Counts a pattern in bytes that come in segments.
//!
//! The algorithm is Shift-And (R. Baeza-Yates and G. H. Gonnet, "A new approach to text
//! searching", Communications of the ACM 35(10), 1992): one bit for each prefix of the pattern
//! that ends at the current byte. It reads each byte once, in order, and keeps nothing of it but
//! these bits, which is what this use needs:
//!
//! - a payload may be written to while it is read; the counts are then those of the bytes that
//!   were read, and nothing worse;
//! - the state is carried over to the next segment, wherever that is in memory;
//! - occurrences that overlap all count.
//!
//! The pattern is placed at the top of the word, so that a whole occurrence is its highest bit.

/// A pattern of 1 to 64 bytes, prepared. It is 2 KiB large: keep it off the stack of `map`.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// For each value of a byte, where in the pattern it stands.
    masks: [u64; 256],
    /// The bit of the pattern's first byte.
    first: u64,
    /// How many bytes at the start of a segment cannot end an occurrence that began in it: the
    /// length of the pattern less one.
    head: usize,
}

/// What is carried over from one segment to the next of the same request.
///
/// The default is the state before the first segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State(u64);

/// How many occurrences ended in one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Those wholly in this segment.
    pub inside: u32,
    /// Those that began in an earlier segment.
    pub straddling: u32,
}

impl Matcher {
    /// Prepares a pattern; `None` where it is empty or longer than 64 bytes.
    pub fn new(pattern: &[u8]) -> Option<Self> {
        let head = pattern.len().checked_sub(1)?;
        let first = (1_u64 << 63).checked_shr(u32::try_from(head).ok()?)?;

        let mut masks = [0; 256];
        let mut bit = first;
        for &byte in pattern {
            if let Some(mask) = masks.get_mut(usize::from(byte)) {
                *mask |= bit;
            }
            bit <<= 1;
        }

        Some(Self { masks, first, head })
    }

    /// Searches the next segment of a request. Each byte is asked for exactly once, in order.
    #[inline]
    pub fn feed(&self, state: &mut State, bytes: impl IntoIterator<Item = u8>) -> Hits {
        let mut bytes = bytes.into_iter().fuse();
        let mut bits = state.0;

        // What ends within the first `head` bytes began before them.
        let mut straddling: u64 = 0;
        for byte in bytes.by_ref().take(self.head) {
            straddling = straddling.wrapping_add(self.step(&mut bits, byte));
        }

        // Everything after that began in this segment.
        let mut inside: u64 = 0;
        for byte in bytes {
            inside = inside.wrapping_add(self.step(&mut bits, byte));
        }

        // The sums cannot wrap: that would take 2^64 bytes. Beyond 2^32 they saturate.
        state.0 = bits;
        Hits {
            inside: u32::try_from(inside).unwrap_or(u32::MAX),
            straddling: u32::try_from(straddling).unwrap_or(u32::MAX),
        }
    }

    /// Takes one byte; 1 where an occurrence ends with it, else 0.
    #[inline(always)]
    fn step(&self, bits: &mut u64, byte: u8) -> u64 {
        // There is a mask for each byte, so the compiler leaves the check out.
        let mask = self.masks.get(usize::from(byte)).copied().unwrap_or(0);
        *bits = ((*bits << 1) | self.first) & mask;
        *bits >> 63
    }
}
