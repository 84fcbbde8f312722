// SPDX-License-Identifier: GPL-2.0

//! The events of a page.

use super::{
    layout::Layout,
    u32_at,
    u64_at, //
};

/// In `commit`: events were lost before this page.
const LOST: u32 = 1 << 31;

/// In `commit`: their number follows the data.
const LOST_STORED: u32 = 1 << 30;

/// The `type_len` of entries that are no events. Up to 28, it is the length of the event in words of 4 bytes.
const LENGTH_FOLLOWS: u32 = 0;
const PADDING: u32 = 29;
const TIME_EXTEND: u32 = 30;
const TIME_STAMP: u32 = 31;

/// How many events were lost before a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// This many.
    Known(u64),
    /// The kernel does not say how many.
    Unknown,
}

/// An event of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'p> {
    /// When it happened, in nanoseconds of the instance's clock.
    pub time: u64,
    /// Its bytes. Its `format` describes them.
    pub bytes: &'p [u8],
}

/// The events of a page, in their order. A page may have any bytes. Reading ends at the first byte that cannot be
/// right.
#[derive(Clone, Debug)]
pub struct Page<'p> {
    data: &'p [u8],
    /// Where the data ends in the page.
    end: usize,
    time: u64,
    lost: Option<Lost>,
}

impl<'p> Page<'p> {
    /// Reads the head of a page. `None` if it is too short.
    pub fn new(layout: &Layout, page: &'p [u8]) -> Option<Self> {
        let commit = u32_at(page, layout.commit)?;
        let length = usize::try_from(commit & !(LOST | LOST_STORED)).ok()?;
        let rest = page.get(layout.data..)?;
        let data = rest.get(..length)?;
        let lost = match (commit & LOST != 0, commit & LOST_STORED != 0) {
            (false, _) => None,
            (true, false) => Some(Lost::Unknown),
            (true, true) => Some(u64_at(rest, length).map_or(Lost::Unknown, Lost::Known)),
        };
        Some(Self {
            data,
            end: layout.data.checked_add(length)?,
            time: u64_at(page, 0)?,
            lost,
        })
    }

    /// How many events were lost before this page.
    pub fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// The time of the last event that was returned; before the first, the page's own.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Where the bytes of the last event that was returned end in the page.
    pub fn place(&self) -> usize {
        self.end.saturating_sub(self.data.len())
    }

    /// Takes this many bytes.
    fn take(&mut self, length: usize) -> Option<&'p [u8]> {
        let (bytes, rest) = self.data.split_at_checked(length)?;
        self.data = rest;
        Some(bytes)
    }

    /// Takes a number.
    fn take_u32(&mut self) -> Option<u32> {
        u32_at(self.take(4)?, 0)
    }

    /// Takes entries up to the next event.
    fn entry(&mut self) -> Option<Event<'p>> {
        loop {
            let word = self.take_u32()?;
            let (kind, delta) = (word & 31, word >> 5);

            match kind {
                // The rest of the page is empty.
                PADDING if delta == 0 => return None,
                PADDING => {
                    let length = self.take_u32()?;
                    // It counts itself.
                    self.take(usize::try_from(length.checked_sub(4)?).ok()?)?;
                }
                TIME_EXTEND | TIME_STAMP => {
                    let whole = u64::from(delta) | (u64::from(self.take_u32()?) << 27);
                    self.time = match kind {
                        TIME_EXTEND => self.time.wrapping_add(whole),
                        // The upper 5 bits stay.
                        _ => (self.time >> 59 << 59) | whole,
                    };
                }
                _ => {
                    self.time = self.time.wrapping_add(u64::from(delta));
                    let length = match kind {
                        LENGTH_FOLLOWS => self.take_u32()?.checked_sub(4)?,
                        words => words.checked_mul(4)?,
                    };
                    let length = usize::try_from(length).ok()?.checked_next_multiple_of(4)?;
                    return Some(Event {
                        time: self.time,
                        bytes: self.take(length)?,
                    });
                }
            }
        }
    }
}

impl<'p> Iterator for Page<'p> {
    type Item = Event<'p>;

    fn next(&mut self) -> Option<Event<'p>> {
        let event = self.entry();
        if event.is_none() {
            self.data = &[];
        }
        event
    }
}
