// SPDX-License-Identifier: GPL-2.0

//! What was found in a request, in the form of its record: a list of entries. The first entry of each pattern is its
//! name, so a record by itself says what was found.
//!
//! ```text
//! a name          a number of occurrences         a place
//!  0  u8   1       0  u8   2                       0  u8   3
//!  1  u8   length  1  u8   where                   1  u8   0
//!  2  u16  pattern 2  u16  pattern                 2  u16  pattern
//!  4  its bytes    4  u32  delta                   4  i64  offset
//!                  8  u32  times
//! ```
//!
//! Numbers are little-endian. In each piece of memory that the record has for them, entries follow one another. A
//! byte 0, or the end of the piece, ends the list.

/// Where occurrences were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Within one delta, in the page itself.
    Page = 0,
    /// Within one delta, in its copy.
    Copy = 1,
    /// Across deltas of the request. The entry has the last of these deltas.
    Across = 2,
    /// Across this request and an adjacent one on the disk.
    Requests = 3,
}

impl Scope {
    fn from_code(code: u8) -> Option<Self> {
        [Self::Page, Self::Copy, Self::Across, Self::Requests]
            .get(usize::from(code))
            .copied()
    }
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find<'a> {
    /// The name by which a pattern is shown. It comes before all other entries of the pattern.
    Name {
        /// The number of the pattern within the record.
        pattern: u16,
        /// Its name, unescaped; at most 255 bytes.
        name: &'a [u8],
    },
    /// A number of occurrences.
    Times {
        /// The pattern.
        pattern: u16,
        /// Where.
        at: Scope,
        /// The index of the delta.
        delta: u32,
        /// The number.
        times: u32,
    },
    /// The place of one occurrence that was found in pages.
    Place {
        /// The pattern.
        pattern: u16,
        /// Its first byte, relative to the start of the request. If it straddles requests, it may begin before that.
        offset: i64,
    },
}

/// The size of the largest entry, in bytes.
pub const FIND_MAX: usize = 4 + 255;

impl<'a> Find<'a> {
    /// The size of the encoded entry, in bytes.
    pub fn size(&self) -> usize {
        match self {
            // A name has at most 255 bytes.
            Self::Name { name, .. } => name.len().min(255).wrapping_add(4),
            Self::Times { .. } | Self::Place { .. } => 12,
        }
    }

    /// Writes the layout above to the start of `to`, or nothing if there is no space.
    pub fn encode(&self, to: &mut [u8]) {
        let mut put = |at: usize, bytes: &[u8]| {
            // Offsets and lengths are small.
            if let Some(to) = to.get_mut(at..at.wrapping_add(bytes.len())) {
                to.copy_from_slice(bytes);
            }
        };
        match *self {
            Self::Name { pattern, name } => {
                let name = name.get(..name.len().min(255)).unwrap_or_default();
                put(0, &[1, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
                put(2, &pattern.to_le_bytes());
                put(4, name);
            }
            Self::Times {
                pattern,
                at,
                delta,
                times,
            } => {
                put(0, &[2, at as u8]);
                put(2, &pattern.to_le_bytes());
                put(4, &delta.to_le_bytes());
                put(8, &times.to_le_bytes());
            }
            Self::Place { pattern, offset } => {
                put(0, &[3, 0]);
                put(2, &pattern.to_le_bytes());
                put(4, &offset.to_le_bytes());
            }
        }
    }

    /// Reads the entry at the start of `from`. Returns it and the rest; `None` at the end.
    pub fn decode(from: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[tag, second], rest) = from.split_first_chunk()?;
        let (pattern, rest) = rest.split_first_chunk()?;
        let pattern = u16::from_le_bytes(*pattern);

        match tag {
            1 => {
                let (name, rest) = rest.split_at_checked(usize::from(second))?;
                Some((Self::Name { pattern, name }, rest))
            }
            2 => {
                let (delta, rest) = rest.split_first_chunk()?;
                let (times, rest) = rest.split_first_chunk()?;
                let times = Self::Times {
                    pattern,
                    at: Scope::from_code(second)?,
                    delta: u32::from_le_bytes(*delta),
                    times: u32::from_le_bytes(*times),
                };
                Some((times, rest))
            }
            3 => {
                let (offset, rest) = rest.split_first_chunk()?;
                let offset = i64::from_le_bytes(*offset);
                Some((Self::Place { pattern, offset }, rest))
            }
            _ => None,
        }
    }
}
