// SPDX-License-Identifier: GPL-2.0

//! The name of each pattern in a record, and how often it was found. The log adds this up in one pass
//! over the entries.

use crate::{
    memory::Memory,
    record::Find,
    search::set::PATTERNS_MAX, //
};

/// The space for a name: its length, and at most 255 bytes.
const NAME: usize = 256;

/// Names and counts, 67 KiB. Made once, and used for one record after another.
pub struct Totals<M: Memory> {
    /// [`NAME`] bytes for each pattern.
    names: M::Array<u8>,
    /// How often each was found.
    times: M::Array<u64>,
    /// The patterns that were found, in the order of their first finds.
    order: M::Array<u16>,
    /// How many these are.
    len: usize,
}

impl<M: Memory> Totals<M> {
    /// No names and no finds.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn new() -> Result<Self, M::Error> {
        Ok(Self {
            names: M::array(&0, const { PATTERNS_MAX * NAME })?,
            times: M::array(&0, PATTERNS_MAX)?,
            order: M::array(&0, PATTERNS_MAX)?,
            len: 0,
        })
    }

    /// Forgets all names, and learns those of a record.
    pub fn name<'a>(&mut self, finds: impl Iterator<Item = Find<'a>>) {
        for room in self.names.chunks_exact_mut(NAME) {
            if let Some(len) = room.first_mut() {
                *len = 0;
            }
        }
        for find in finds {
            let Find::Name { pattern, name } = find else {
                continue;
            };
            let room = self.names.chunks_exact_mut(NAME).nth(usize::from(pattern));
            if let Some((len, to)) = room.and_then(<[u8]>::split_first_mut) {
                if let Some(to) = to.get_mut(..name.len()) {
                    to.copy_from_slice(name);
                    *len = u8::try_from(name.len()).unwrap_or(u8::MAX);
                }
            }
        }
    }

    /// The name of a pattern; `None` if the record has none.
    pub fn name_of(&self, pattern: u16) -> Option<&[u8]> {
        let room = self.names.chunks_exact(NAME).nth(usize::from(pattern))?;
        let (&len, name) = room.split_first()?;

        name.get(..usize::from(len)).filter(|name| !name.is_empty())
    }

    /// Adds `times` finds of a pattern. Saturates.
    pub fn add(&mut self, pattern: u16, times: u32) {
        let Some(sum) = self.times.get_mut(usize::from(pattern)) else {
            return;
        };
        if *sum == 0 && times != 0 {
            if let Some(to) = self.order.get_mut(self.len) {
                *to = pattern;
                // Each pattern is in it once, and there is space for all.
                self.len = self.len.wrapping_add(1);
            }
        }
        *sum = sum.saturating_add(u64::from(times));
    }

    /// Reports how often each pattern with a name was found, in the order of their first finds, and starts over.
    pub fn tell(&mut self, found: &mut dyn FnMut(&[u8], u64)) {
        let len = core::mem::take(&mut self.len);

        for at in 0..len {
            let pattern = self.order.get(at).copied().unwrap_or(0);
            let times = self.times.get_mut(usize::from(pattern));
            let times = times.map_or(0, core::mem::take);
            if let Some(name) = self.name_of(pattern) {
                found(name, times);
            }
        }
    }
}
