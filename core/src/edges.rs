// SPDX-License-Identifier: GPL-2.0

//! The first and the last bytes of recent writes, so that what straddles two writes that are next to each
//! other on the disk is found, whichever comes first.
//!
//! There is room for a fixed number of writes; the oldest makes room for the next. Of writes that begin (or
//! end) at the same sector, the last one counts. What lay on the disk before, or has been written over from
//! the middle of another write, is not known here.

use super::{
    memory::Memory,
    racy::RacyBytes,
    set::PATTERN_MAX, //
};
use core::ops::RangeInclusive;

/// How many writes may be remembered; 0 is none.
pub const EDGES: RangeInclusive<u32> = 0..=65_536;

/// How many bytes of an occurrence may lie in one of two requests, if some lie in the other.
pub const EDGE_MAX: usize = PATTERN_MAX - 1;

/// Some bytes, at most [`EDGE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    bytes: [u8; EDGE_MAX],
    len: usize,
}

impl Edge {
    /// No bytes.
    pub const EMPTY: Self = Self {
        bytes: [0; EDGE_MAX],
        len: 0,
    };

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Adds bytes, as many as there is room for.
    fn push(&mut self, bytes: RacyBytes<'_>) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let len = room.len().min(bytes.len());

        if let Some(room) = room.get_mut(..len) {
            bytes.copy_to(0, room);
            // It stays within the room.
            self.len = self.len.wrapping_add(len);
        }
    }
}

/// The first bytes of a write, and the last ones. Of a short write they may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The first ones.
    pub first: Edge,
    /// The last ones.
    pub last: Edge,
    /// How many bytes are to come.
    left: u64,
}

impl Ends {
    /// Those of a write of `bytes` bytes, which are to come.
    pub fn new(bytes: u64) -> Self {
        Self {
            first: Edge::EMPTY,
            last: Edge::EMPTY,
            left: bytes,
        }
    }

    /// Looks at the next bytes of the write.
    pub fn add(&mut self, bytes: RacyBytes<'_>) {
        self.first.push(bytes);

        // How many of them come before the last ones of the write.
        let before = self.left.saturating_sub(EDGE_MAX as u64);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        if let Some(last) = bytes.get(before.min(bytes.len())..bytes.len()) {
            self.last.push(last);
        }
        self.left = self.left.saturating_sub(bytes.len() as u64);
    }
}

/// What lies next to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The last bytes before it; none where these are not known.
    pub before: Edge,
    /// The first bytes behind it.
    pub behind: Edge,
    /// Whether another write was forgotten for it.
    pub forgot: bool,
}

/// No write.
const NONE: u32 = u32::MAX;

/// A write that is remembered.
#[derive(Clone, Copy)]
struct Write {
    /// Its first sector, and the first one behind it.
    sectors: [u64; 2],
    ends: Ends,
    /// The next ones in the two lists that it is in.
    next: [u32; 2],
}

/// Writes that are remembered.
pub struct Edges<M: Memory> {
    writes: M::Array<Write>,
    /// The heads of lists, the last write first: of those with a certain first sector, or a certain one
    /// behind them.
    lists: [M::Array<u32>; 2],
    /// How many writes there are.
    len: usize,
    /// Which is the oldest, once there is no room.
    oldest: usize,
}

impl<M: Memory> Edges<M> {
    /// Room for so many writes, of [`EDGES`].
    ///
    /// # Errors
    ///
    /// Where there is no memory.
    pub fn new(count: u32) -> Result<Self, M::Error> {
        let count = count as usize;
        let nothing = Write {
            sectors: [0; 2],
            ends: Ends::new(0),
            next: [NONE; 2],
        };
        Ok(Self {
            writes: M::array(nothing, count)?,
            lists: [M::array(NONE, count)?, M::array(NONE, count)?],
            len: 0,
            oldest: 0,
        })
    }

    /// Remembers a write to the sectors from `first` up to `end`, and says what lies next to it.
    pub fn meet(&mut self, first: u64, end: u64, ends: &Ends) -> Neighbours {
        let edge = |write: Option<&Write>, which: fn(&Ends) -> Edge| {
            write.map_or(Edge::EMPTY, |write| which(&write.ends))
        };
        let before = edge(self.find(1, first), |ends| ends.last);
        let behind = edge(self.find(0, end), |ends| ends.first);
        let forgot = self.remember([first, end], ends);

        Neighbours {
            before,
            behind,
            forgot,
        }
    }

    /// Whether another one was forgotten for it.
    fn remember(&mut self, sectors: [u64; 2], ends: &Ends) -> bool {
        let mut forgot = false;
        let same = self.same(sectors);

        let place = if let Some(same) = same {
            self.unlink(same);
            same
        } else if self.len < self.writes.len() {
            self.len = self.len.wrapping_add(1);
            self.len.wrapping_sub(1)
        } else {
            let oldest = self.oldest;
            // No write is behind the last place, and there are not as many as to wrap.
            self.oldest = match oldest.wrapping_add(1) {
                next if next < self.writes.len() => next,
                _ => 0,
            };
            self.unlink(oldest);
            forgot = !self.writes.is_empty();
            oldest
        };
        self.link(place, sectors, ends);
        forgot
    }

    /// Where the write to these very sectors is.
    fn same(&self, sectors: [u64; 2]) -> Option<usize> {
        let [first, _] = sectors;
        self.list(0, first)
            .find(|(_, write)| write.sectors == sectors)
            .map(|(place, _)| place)
    }

    /// The last write that has this sector as its first one (0), or behind it (1).
    fn find(&self, which: usize, sector: u64) -> Option<&Write> {
        self.list(which, sector)
            .find(|(_, write)| write.sectors.get(which) == Some(&sector))
            .map(|(_, write)| write)
    }

    /// The writes of a list, each with its place.
    fn list(&self, which: usize, sector: u64) -> impl Iterator<Item = (usize, &Write)> {
        let mut place = self.head(which, sector).copied().unwrap_or(NONE);

        core::iter::from_fn(move || {
            let here = place as usize;
            let write = self.writes.get(here)?;
            place = write.next.get(which).copied().unwrap_or(NONE);
            Some((here, write))
        })
    }

    fn link(&mut self, place: usize, sectors: [u64; 2], ends: &Ends) {
        let mut next = [NONE; 2];

        for (which, (next, sector)) in next.iter_mut().zip(sectors).enumerate() {
            if let Some(head) = self.head_mut(which, sector) {
                *next = core::mem::replace(head, number(place));
            }
        }
        if let Some(write) = self.writes.get_mut(place) {
            *write = Write {
                sectors,
                ends: *ends,
                next,
            };
        }
    }

    /// Takes a write out of its lists.
    fn unlink(&mut self, place: usize) {
        let Some(&Write { sectors, next, .. }) = self.writes.get(place) else {
            return;
        };
        for (which, (next, sector)) in next.into_iter().zip(sectors).enumerate() {
            let before = self
                .list(which, sector)
                .find(|(_, write)| write.next.get(which) == Some(&number(place)))
                .map(|(before, _)| before);
            let link = match before {
                None => self.head_mut(which, sector),
                Some(before) => self
                    .writes
                    .get_mut(before)
                    .and_then(|write| write.next.get_mut(which)),
            };
            if let Some(link) = link {
                *link = next;
            }
        }
    }

    fn head(&self, which: usize, sector: u64) -> Option<&u32> {
        let list = self.lists.get(which)?;
        list.get(hash(sector, list.len()))
    }

    fn head_mut(&mut self, which: usize, sector: u64) -> Option<&mut u32> {
        let list = self.lists.get_mut(which)?;
        let hash = hash(sector, list.len());
        list.get_mut(hash)
    }
}

/// The number of a place. There are fewer than [`NONE`].
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// Which of so many lists a sector is in (Fibonacci hashing: D. E. Knuth, "The Art of Computer Programming",
/// volume 3, 6.4).
fn hash(sector: u64, lists: usize) -> usize {
    let spread = sector.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    // Both are below 2^32, so that the result is below the number of lists.
    usize::try_from(spread.wrapping_mul(lists as u64) >> 32).unwrap_or(0)
}
