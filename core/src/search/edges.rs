// SPDX-License-Identifier: GPL-2.0

//! The first and the last bytes of recent writes, so that what straddles two writes that are next to each
//! other on the disk is found, whichever comes first.
//!
//! There is room for a fixed number of writes; the one that is the longest ago makes room for the next. Of
//! writes that begin (or end) at the same sector, the last one counts, and only that is in a list: so lists
//! are as short as chance makes them. What lay on the disk before, or has been written over from the middle
//! of another write, is not known here.

use super::set::PATTERN_MAX;
use crate::{
    bytes::racy::RacyBytes,
    memory::Memory, //
};
use core::{
    mem::size_of,
    ops::RangeInclusive, //
};

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

impl Neighbours {
    /// Nothing that is known.
    pub const NONE: Self = Self {
        before: Edge::EMPTY,
        behind: Edge::EMPTY,
        forgot: false,
    };
}

/// No write.
const NONE: u32 = u32::MAX;

/// A write that is remembered.
#[derive(Clone, Copy)]
struct Write {
    /// Its first sector, and the first one behind it.
    sectors: [u64; 2],
    ends: Ends,
    /// Whether it is in a list by its first sector, and by the one behind it.
    listed: [bool; 2],
    /// The next ones in these lists.
    next: [u32; 2],
    /// The writes that came just before it, and just after it.
    age: [u32; 2],
}

impl Write {
    const NOTHING: Self = Self {
        sectors: [0; 2],
        ends: Ends {
            first: Edge::EMPTY,
            last: Edge::EMPTY,
            left: 0,
        },
        listed: [false; 2],
        next: [NONE; 2],
        age: [NONE; 2],
    };
}

/// Writes that are remembered.
pub struct Edges<M: Memory> {
    writes: M::Array<Write>,
    /// The heads of lists: of those with a certain first sector, or a certain one behind them.
    lists: [M::Array<u32>; 2],
    /// Spreads sectors over the lists. Odd.
    factor: u64,
    /// How many writes there are.
    len: usize,
    /// The write before all others, which is the next to go, and the one after them. Those that do not count
    /// any more come before those that do.
    outermost: [u32; 2],
}

/// The directions of [`Write::age`] and [`Edges::outermost`].
const BEFORE: usize = 0;
const AFTER: usize = 1;

impl<M: Memory> Edges<M> {
    /// How many bytes there are for so many writes.
    pub fn size(count: u32) -> u64 {
        let each = const { size_of::<Write>() + 2 * size_of::<u32>() };
        (each as u64).saturating_mul(u64::from(count))
    }

    /// Room for so many writes, of [`EDGES`]. Who does not know `seed` cannot choose sectors that are slow to
    /// find.
    ///
    /// # Errors
    ///
    /// Where there is no memory.
    pub fn new(count: u32, seed: u64) -> Result<Self, M::Error> {
        let count = count as usize;
        Ok(Self {
            writes: M::array(&Write::NOTHING, count)?,
            lists: [M::array(&NONE, count)?, M::array(&NONE, count)?],
            factor: seed | 1,
            len: 0,
            outermost: [NONE; 2],
        })
    }

    /// Forgets all writes.
    pub fn clear(&mut self) {
        for list in &mut self.lists {
            list.fill(NONE);
        }
        self.len = 0;
        self.outermost = [NONE; 2];
    }

    /// Remembers a write to the sectors from `first` up to `end`, and puts into `next_to_it`, which is empty,
    /// what lies next to it.
    ///
    /// It is no result, because that would be on the stack twice.
    pub fn meet(&mut self, first: u64, end: u64, ends: &Ends, next_to_it: &mut Neighbours) {
        if let Some(write) = self.find(1, first) {
            next_to_it.before = write.ends.last;
        }
        if let Some(write) = self.find(0, end) {
            next_to_it.behind = write.ends.first;
        }
        next_to_it.forgot = self.remember([first, end], ends);
    }

    /// Whether another one was forgotten for it.
    fn remember(&mut self, sectors: [u64; 2], ends: &Ends) -> bool {
        for (which, sector) in sectors.into_iter().enumerate() {
            if let Some(before) = self.place(which, sector) {
                self.unlist(which, before);
            }
        }

        let mut forgot = false;
        let place = if self.len < self.writes.len() {
            self.len = self.len.wrapping_add(1);
            self.len.wrapping_sub(1)
        } else {
            let [oldest, _] = self.outermost;
            let oldest = oldest as usize;
            for which in [0, 1] {
                forgot |= self.unlist(which, oldest);
            }
            self.detach(oldest);
            oldest
        };
        self.enlist(place, sectors, ends);
        self.attach(place, AFTER);
        forgot
    }

    /// The last write that has this sector as its first one (0), or behind it (1).
    fn find(&self, which: usize, sector: u64) -> Option<&Write> {
        self.writes.get(self.place(which, sector)?)
    }

    /// Where that write is.
    fn place(&self, which: usize, sector: u64) -> Option<usize> {
        self.list(which, sector)
            .find(|(_, write)| write.sectors.get(which) == Some(&sector))
            .map(|(place, _)| place)
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

    /// Puts a write into its lists.
    fn enlist(&mut self, place: usize, sectors: [u64; 2], ends: &Ends) {
        let mut next = [NONE; 2];

        for (which, (next, sector)) in next.iter_mut().zip(sectors).enumerate() {
            if let Some(head) = self.head_mut(which, sector) {
                *next = core::mem::replace(head, number(place));
            }
        }
        if let Some(write) = self.writes.get_mut(place) {
            // Field by field: a whole one would be made on the stack first.
            write.sectors = sectors;
            write.ends = *ends;
            write.listed = [true; 2];
            write.next = next;
            write.age = [NONE; 2];
        }
    }

    /// Takes a write out of one of its lists; says whether it was there. Where it is in none any more, it is
    /// the next to go.
    fn unlist(&mut self, which: usize, place: usize) -> bool {
        let Some(write) = self.writes.get_mut(place) else {
            return false;
        };
        let (Some(listed), Some(&sector), Some(&next)) = (
            write.listed.get_mut(which),
            write.sectors.get(which),
            write.next.get(which),
        ) else {
            return false;
        };
        if !core::mem::take(listed) {
            return false;
        }
        let useless = write.listed == [false; 2];

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

        if useless {
            self.detach(place);
            self.attach(place, BEFORE);
        }
        true
    }

    /// Puts a write after all others, or before them.
    fn attach(&mut self, place: usize, side: usize) {
        let back = match side {
            AFTER => BEFORE,
            _ => AFTER,
        };
        let Some(other) = self.outermost.get_mut(side) else {
            return;
        };
        let other = core::mem::replace(other, number(place));

        self.set_age(place, back, other);
        self.set_age(place, side, NONE);
        match self.writes.get(other as usize) {
            Some(_) => self.set_age(other as usize, side, number(place)),
            // It is the only one.
            None => self.outermost = [number(place); 2],
        }
    }

    /// Takes a write out of the order of all.
    fn detach(&mut self, place: usize) {
        let Some(&Write { age, .. }) = self.writes.get(place) else {
            return;
        };
        let [before, after] = age;

        match self.writes.get(before as usize) {
            Some(_) => self.set_age(before as usize, AFTER, after),
            None => self.outermost[BEFORE] = after,
        }
        match self.writes.get(after as usize) {
            Some(_) => self.set_age(after as usize, BEFORE, before),
            None => self.outermost[AFTER] = before,
        }
    }

    fn set_age(&mut self, place: usize, side: usize, other: u32) {
        let age = self
            .writes
            .get_mut(place)
            .and_then(|write| write.age.get_mut(side));
        if let Some(age) = age {
            *age = other;
        }
    }

    fn head(&self, which: usize, sector: u64) -> Option<&u32> {
        let list = self.lists.get(which)?;
        list.get(hash(self.factor, sector, list.len()))
    }

    fn head_mut(&mut self, which: usize, sector: u64) -> Option<&mut u32> {
        let list = self.lists.get_mut(which)?;
        let hash = hash(self.factor, sector, list.len());
        list.get_mut(hash)
    }
}

/// The number of a place. There are fewer than [`NONE`].
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// Which of so many lists a sector is in. With a factor that nobody knows, two of them are rarely in the same
/// (M. Dietzfelbinger et al., "A reliable randomized algorithm for the closest-pair problem", 1997).
fn hash(factor: u64, sector: u64, lists: usize) -> usize {
    let spread = sector.wrapping_mul(factor) >> 32;
    // Both are below 2^32, so that the result is below the number of lists.
    usize::try_from(spread.wrapping_mul(lists as u64) >> 32).unwrap_or(0)
}
