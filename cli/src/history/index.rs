// SPDX-License-Identifier: GPL-2.0

//! What the log says about sectors, in memory: 24 bytes for each entry that matters.

use imgrement_core::{
    history::entry::{
        self,
        Entry,
        Gap,
        Kind,
        Note, //
    },
    record::SECTOR_SIZE, //
};
use std::ops::Range;

/// The notes of a [`Kind::Completions`].
pub(crate) fn notes(payload: &[u8]) -> impl Iterator<Item = Note> + '_ {
    payload
        .chunks_exact(Note::SIZE)
        .filter_map(|bytes| Note::decode(bytes.try_into().ok()?))
}

/// What an entry does to a range of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was written; the bytes are in the log.
    Written,
    /// It was made zero.
    Zeroed,
    /// It was discarded or erased: what it holds is not defined.
    Discarded,
    /// It was changed, and the log does not say how.
    Lost,
    /// No change: the log has what it held before.
    Base,
    /// No change: what it held before is not in the log.
    NoBase,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::Written,
        Self::Zeroed,
        Self::Discarded,
        Self::Lost,
        Self::Base,
        Self::NoBase,
    ];

    /// Whether the sectors may be other than before.
    pub(crate) fn touches(self) -> bool {
        match self {
            Self::Written | Self::Zeroed | Self::Discarded | Self::Lost => true,
            Self::Base | Self::NoBase => false,
        }
    }
}

/// An entry that matters for some sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The first sector.
    pub(crate) sector: u64,
    /// The position, times 8, plus the change's number.
    word: u64,
    sectors: u32,
}

const _: () = assert!(size_of::<Event>() == 24);

impl Event {
    fn new(sectors: &Range<u64>, position: u64, change: Change) -> Self {
        Self {
            sector: sectors.start,
            // Positions have 48 bits.
            word: position << 3 | change as u64,
            sectors: u32::try_from(sectors.end - sectors.start).unwrap_or(u32::MAX),
        }
    }

    /// The sector after the last.
    pub(crate) fn end(&self) -> u64 {
        self.sector.saturating_add(u64::from(self.sectors))
    }

    /// The position of the entry.
    pub(crate) fn position(&self) -> u64 {
        self.word >> 3
    }

    /// What it does.
    pub(crate) fn change(&self) -> Change {
        let number = usize::try_from(self.word & 7).unwrap_or(0);
        Change::ALL.get(number).copied().unwrap_or(Change::Lost)
    }
}

/// All entries that matter for a range of sectors.
#[derive(Debug)]
pub(crate) struct Index {
    events: Vec<Event>,
    /// The positions of the requests that failed.
    failed: Vec<u64>,
    sectors: Range<u64>,
}

impl Index {
    /// For a range of sectors of the target.
    pub(crate) fn new(sectors: Range<u64>) -> Self {
        Self {
            events: Vec::new(),
            failed: Vec::new(),
            sectors,
        }
    }

    /// The sectors that it is for.
    pub(crate) fn sectors(&self) -> Range<u64> {
        self.sectors.clone()
    }

    /// Adds an entry of the log.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        let header = &entry.header;
        let change = match header.kind {
            Kind::Write => Change::Written,
            Kind::WriteZeroes => Change::Zeroed,
            Kind::Discard | Kind::SecureErase => Change::Discarded,
            Kind::Base => Change::Base,
            Kind::Gap => {
                if header.detail & Gap::BEFORE != 0 {
                    self.push(header, Change::NoBase);
                }
                match header.detail & Gap::LATER != 0 {
                    true => Change::Lost,
                    false => return,
                }
            }
            Kind::Completions => return self.add_notes(entry.payload),
            Kind::Begin | Kind::End | Kind::Flush | Kind::Mark => return,
        };
        self.push(header, change);
    }

    fn add_notes(&mut self, payload: &[u8]) {
        let failed = notes(payload).filter(|note| note.errno != 0);
        self.failed.extend(failed.map(|note| note.position));
    }

    fn push(&mut self, header: &entry::Header, change: Change) {
        let end = header
            .sector
            .saturating_add(header.bytes.div_ceil(SECTOR_SIZE))
            .min(self.sectors.end);
        let mut start = header.sector.max(self.sectors.start);

        // The bytes in the log begin with the first sector of the entry.
        if change == Change::Written || change == Change::Base {
            start = header.sector;
            if end <= self.sectors.start {
                return;
            }
        }
        while start < end {
            let next = end.min(start.saturating_add(u64::from(u32::MAX)));
            if self.events.len() == self.events.capacity() {
                // Doubling would take too much memory.
                self.events
                    .reserve_exact((self.events.len() / 8).max(1 << 12));
            }
            self.events
                .push(Event::new(&(start..next), header.position, change));
            start = next;
        }
    }

    /// Leaves out what is not in this range of positions, and sorts the rest.
    pub(crate) fn select(&mut self, positions: &Range<u64>) {
        self.events
            .retain(|event| positions.contains(&event.position()));
        self.sort();
    }

    fn sort(&mut self) {
        self.events.sort_unstable_by_key(|event| event.sector);
        self.failed.sort_unstable();
    }

    /// The events, in the order of their first sectors.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether the request of this entry has failed.
    pub(crate) fn has_failed(&self, position: u64) -> bool {
        self.failed.binary_search(&position).is_ok()
    }
}
