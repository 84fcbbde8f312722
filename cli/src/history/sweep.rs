// SPDX-License-Identifier: GPL-2.0

//! What each sector held at a point, from first sector to last.
//!
//! These are the rules for a sector, within the *group* of the point: sessions between which nobody else can have
//! written.
//!
//! 1. The last entry before the point that changed it says what it held.
//! 2. Otherwise, the first of these says it: a base before or after the point, or an entry after the point that changed
//!    it. If the latter comes first, what was there before is not in the log.
//! 3. If no entry changed it in the group, and it has no base, it is as it was when the group began, and when it ended.

use super::index::{
    Change,
    Event,
    Index, //
};
use imgrement_core::{
    history::entry,
    record::SECTOR_SIZE, //
};
use serde::Serialize;
use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    fmt,
    iter::Peekable,
    ops::Range, //
};

/// Why it is not known what a sector held.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// It was discarded or erased.
    Discarded,
    /// It was changed, and the change is not in the log.
    Gap,
    /// A write to it failed.
    Failed,
    /// It was changed later, and what it held before is not in the log.
    NoBase,
    /// It did not change while this part of the log was written. The log has a hole after that.
    Hole,
    /// It did not change in the log, which goes on on a device that was not given.
    Continued,
    /// It did not change in the log, and the log has no clean end: something may have been written after it.
    NoEnd,
    /// It did not change in the log, which is damaged.
    Damaged,
    /// It did not change in the log, and there is no disk to read it from.
    NoDisk,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discarded => "discarded or erased",
            Self::Gap => "changed by a request that is not in the log",
            Self::Failed => "a write to it failed",
            Self::NoBase => "changed later, and what was there before is not in the log",
            Self::Hole => "did not change in this part of the log, which has a hole after it",
            Self::Continued => {
                "did not change in the log, which goes on on a device that was not given"
            }
            Self::NoEnd => "did not change in the log, which has no clean end",
            Self::Damaged => "did not change before the place at which the log is damaged",
            Self::NoDisk => "did not change in the log, and the disk was not given",
        })
    }
}

/// Where to find what a range of sectors held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the log, from this position on.
    Log(u64),
    /// It held zeroes.
    Zeroes,
    /// On the disk, as it is now.
    Disk,
    /// In the image that was made when the log began.
    Base,
    /// Nowhere.
    Unknown(Reason),
}

impl Origin {
    /// The origin of what comes this many sectors later.
    pub(crate) fn after(self, sectors: u64) -> Self {
        match self {
            Self::Log(position) => {
                Self::Log(position.saturating_add(sectors.saturating_mul(SECTOR_SIZE)))
            }
            Self::Zeroes | Self::Disk | Self::Base | Self::Unknown(_) => self,
        }
    }
}

/// A range of sectors with one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sectors.
    pub(crate) sectors: Range<u64>,
    /// Where to find what they held.
    pub(crate) origin: Origin,
}

/// What is not in the entries about sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The point: entries at smaller positions have happened.
    pub(crate) point: u64,
    /// The origin of what a sector held when the group began, if the log does not say it.
    pub(crate) before: Option<Origin>,
    /// The origin of a sector that did not change in the group.
    pub(crate) unchanged: Origin,
}

/// An event that covers the current sector. The greatest of them says what it held.
struct Active<'a> {
    event: &'a Event,
    rank: (bool, u64),
}

impl Ord for Active<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Active<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Active<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Active<'_> {}

/// Goes through the sectors. Neighbours of the same origin are one segment.
pub(crate) fn sweep<'a>(index: &'a Index, rules: &'a Rules) -> impl Iterator<Item = Segment> + 'a {
    Merged(
        Sweep {
            index,
            rules,
            rest: index.events(),
            active: BinaryHeap::new(),
            at: index.sectors().start,
            end: index.sectors().end,
            no_base: 0,
        }
        .peekable(),
    )
}

struct Sweep<'a> {
    index: &'a Index,
    rules: &'a Rules,
    /// The events that begin later, by their first sectors.
    rest: &'a [Event],
    active: BinaryHeap<Active<'a>>,
    at: u64,
    end: u64,
    /// Up to this sector, the log says that a base is missing.
    no_base: u64,
}

impl<'a> Sweep<'a> {
    /// Takes the events that begin here.
    fn admit(&mut self) {
        while let Some((event, rest)) = self.rest.split_first() {
            if event.sector > self.at {
                break;
            }
            self.rest = rest;
            if event.end() <= self.at {
                continue;
            }
            let change = event.change();
            if change == Change::NoBase {
                self.no_base = self.no_base.max(event.end());
                continue;
            }
            let position = event.position();
            let rank = match change.touches() && position < self.rules.point {
                // The last of these.
                true => (true, position),
                // The first of these.
                false => (false, u64::MAX - position),
            };
            let active = Active { event, rank };
            // It will never be the greatest.
            if self
                .active
                .peek()
                .is_some_and(|top| top.rank > rank && top.event.end() >= event.end())
            {
                continue;
            }
            self.active.push(active);
        }
        while self
            .active
            .peek()
            .is_some_and(|top| top.event.end() <= self.at)
        {
            self.active.pop();
        }
    }

    /// What the sector held, of whose events this is the greatest.
    fn origin(&self, event: &Event) -> Origin {
        let position = event.position();
        let payload = || {
            let begin = position.saturating_add(entry::HEADER as u64);
            Origin::Log(begin).after(self.at.saturating_sub(event.sector))
        };
        let happened = position < self.rules.point;
        match event.change() {
            Change::Base => payload(),
            Change::NoBase => self.rules.unchanged,
            Change::Written | Change::Zeroed | Change::Discarded | Change::Lost if !happened => {
                let reason = match self.no_base > self.at || event.change() == Change::Lost {
                    true => Reason::Gap,
                    false => Reason::NoBase,
                };
                self.rules.before.unwrap_or(Origin::Unknown(reason))
            }
            Change::Written | Change::Zeroed if self.index.has_failed(position) => {
                Origin::Unknown(Reason::Failed)
            }
            Change::Written => payload(),
            Change::Zeroed => Origin::Zeroes,
            Change::Discarded => Origin::Unknown(Reason::Discarded),
            Change::Lost => Origin::Unknown(Reason::Gap),
        }
    }
}

impl Iterator for Sweep<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        if self.at >= self.end {
            return None;
        }
        self.admit();
        let next = self.rest.first().map_or(self.end, |event| event.sector);
        let mut end = next.min(self.end);
        let origin = match self.active.peek() {
            Some(top) => {
                end = end.min(top.event.end());
                // From there on, the reason may be another.
                if self.no_base > self.at {
                    end = end.min(self.no_base);
                }
                self.origin(top.event)
            }
            None => self.rules.unchanged,
        };
        let segment = Segment {
            sectors: self.at..end,
            origin,
        };
        self.at = end;
        Some(segment)
    }
}

/// Joins neighbours.
struct Merged<I: Iterator<Item = Segment>>(Peekable<I>);

impl<I: Iterator<Item = Segment>> Iterator for Merged<I> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let mut segment = self.0.next()?;
        while let Some(next) = self.0.next_if(|next| {
            let length = segment.sectors.end - segment.sectors.start;
            next.origin == segment.origin.after(length)
        }) {
            segment.sectors.end = next.sectors.end;
        }
        Some(segment)
    }
}
