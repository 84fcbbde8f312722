// SPDX-License-Identifier: GPL-2.0

//! The first and the last bytes of recent writes. With them, occurrences that straddle two adjacent writes are found,
//! whichever write comes first.
//!
//! There is space for a fixed number of writes; the oldest makes room for the next. If writes begin (or end) at the
//! same sector, only the last of them counts, and only it is in a list. So two writes are in the same list only by
//! chance. What was on the disk before, or was overwritten from the middle of another write, is not known here.

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

/// How many bytes of an occurrence may be in one of two requests, if at least one byte is in the other.
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

    /// Adds bytes, as many as there is space for.
    fn push(&mut self, bytes: RacyBytes<'_>) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let len = room.len().min(bytes.len());

        if let Some(room) = room.get_mut(..len) {
            bytes.copy_to(0, room);
            // It stays within the space.
            self.len = self.len.wrapping_add(len);
        }
    }
}

/// The first bytes of a write, and the last ones. In a short write they may overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The first ones.
    pub first: Edge,
    /// The last ones.
    pub last: Edge,
    /// How many bytes are still to come.
    left: u64,
}

impl Ends {
    /// The ends of a write of `bytes` bytes, which are still to come.
    pub fn new(bytes: u64) -> Self {
        Self {
            first: Edge::EMPTY,
            last: Edge::EMPTY,
            left: bytes,
        }
    }

    /// Adds the next bytes of the write.
    pub fn add(&mut self, bytes: RacyBytes<'_>) {
        self.first.push(bytes);

        // How many of them come before the last bytes of the write.
        let before = self.left.saturating_sub(EDGE_MAX as u64);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        if let Some(last) = bytes.get(before.min(bytes.len())..bytes.len()) {
            self.last.push(last);
        }
        self.left = self.left.saturating_sub(bytes.len() as u64);
    }
}

/// The bytes next to a write on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The last bytes before it; empty if they are not known.
    pub before: Edge,
    /// The first bytes after it; empty if they are not known.
    pub behind: Edge,
    /// Whether another write was forgotten for it.
    pub forgot: bool,
}

impl Neighbours {
    /// Nothing is known.
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
    /// Its first sector, and the first one after it.
    sectors: [u64; 2],
    ends: Ends,
    /// Whether it is in a list by its first sector, and in one by the sector after it.
    listed: [bool; 2],
    /// The next writes in these lists.
    next: [u32; 2],
    /// The writes just before it and just after it in time.
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

/// Remembered writes.
pub struct Edges<M: Memory> {
    writes: M::Array<Write>,
    /// The heads of the lists: of writes by their first sector, and by the sector after them.
    lists: [M::Array<u32>; 2],
    /// Spreads sectors over the lists. Odd.
    factor: u64,
    /// How many writes there are.
    len: usize,
    /// The oldest write, which is forgotten next, and the newest one. Writes that no longer count are older than all
    /// others.
    outermost: [u32; 2],
}

/// The directions of [`Write::age`] and [`Edges::outermost`].
const BEFORE: usize = 0;
const AFTER: usize = 1;

impl<M: Memory> Edges<M> {
    /// The size in bytes for `count` writes.
    pub fn size(count: u32) -> u64 {
        let each = const { size_of::<Write>() + 2 * size_of::<u32>() };
        (each as u64).saturating_mul(u64::from(count))
    }

    /// Space for `count` writes, one of [`EDGES`]. Without knowing `seed`, nobody can choose sectors that are slow to
    /// find.
    ///
    /// # Errors
    ///
    /// If there is no memory.
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

    /// Remembers a write to the sectors from `first` up to `end`. Stores what is next to it in `next_to_it`, which must
    /// be empty.
    ///
    /// This is not the return value, because that would be on the stack twice.
    pub fn meet(&mut self, first: u64, end: u64, ends: &Ends, next_to_it: &mut Neighbours) {
        if let Some(write) = self.find(1, first) {
            next_to_it.before = write.ends.last;
        }
        if let Some(write) = self.find(0, end) {
            next_to_it.behind = write.ends.first;
        }
        next_to_it.forgot = self.remember([first, end], ends);
    }

    /// Returns whether another write was forgotten for it.
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

    /// The last write whose first sector is this one (`which` 0), or that ends before it (1).
    fn find(&self, which: usize, sector: u64) -> Option<&Write> {
        self.writes.get(self.place(which, sector)?)
    }

    /// The index of that write.
    fn place(&self, which: usize, sector: u64) -> Option<usize> {
        self.list(which, sector)
            .find(|(_, write)| write.sectors.get(which) == Some(&sector))
            .map(|(place, _)| place)
    }

    /// The writes of a list, each with its index.
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
            // Field by field: a whole write would be built on the stack first.
            write.sectors = sectors;
            write.ends = *ends;
            write.listed = [true; 2];
            write.next = next;
            write.age = [NONE; 2];
        }
    }

    /// Removes a write from one of its lists, and returns whether it was there. If it is in no list any more, it is
    /// forgotten next.
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

    /// Makes a write the newest, or the oldest.
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
            // It is the only write.
            None => self.outermost = [number(place); 2],
        }
    }

    /// Removes a write from the order by age.
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

/// The number of an index. There are fewer than [`NONE`].
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// Which of `lists` lists a sector is in. With a secret factor, two sectors are rarely in the same one (M.
/// Dietzfelbinger et al., "A reliable randomized algorithm for the closest-pair problem", 1997).
fn hash(factor: u64, sector: u64, lists: usize) -> usize {
    let spread = sector.wrapping_mul(factor) >> 32;
    // Both are below 2^32, so the result is below the number of lists.
    usize::try_from(spread.wrapping_mul(lists as u64) >> 32).unwrap_or(0)
}
