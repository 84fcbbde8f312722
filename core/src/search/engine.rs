// SPDX-License-Identifier: GPL-2.0

//! Searches for the patterns of a table or message, in the way that is best for them.
//!
//! A single pattern is counted ([`Matcher`]). Several patterns are found one by one ([`Set`]), and so is a single one
//! if each place must be reported.

use super::{
    candidates::ones,
    matcher::Matcher,
    set::{
        self,
        Fault,
        Pattern,
        Set, //
    },
    simd::Sections, //
};
use crate::{
    bytes::racy::RacyBytes,
    memory::Memory, //
};

/// Patterns, prepared.
pub enum Engine<M: Memory> {
    /// A single one.
    One(Matcher<M>),
    /// Any number of them.
    Many(Set<M>),
}

/// The state that is carried from one segment of a request to the next. It belongs to one [`Engine`] for the whole
/// request.
pub struct State {
    carry: set::State,
    /// There is none before the first find.
    tally: Option<Tally>,
}

impl State {
    /// The state before the first segment of a request of `bytes` bytes.
    #[inline]
    pub fn new(bytes: u64) -> Self {
        Self {
            carry: set::State::new(bytes),
            tally: None,
        }
    }

    /// Starts over in place, with a request of `bytes` bytes.
    #[inline]
    pub fn restart(&mut self, bytes: u64) {
        self.carry.restart(bytes);
        // All finds have been reported, so the tally is empty.
    }
}

/// What was found. A pattern is given by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// An occurrence. An engine of a single pattern reports this only if it is asked to.
    End {
        /// The pattern.
        pattern: usize,
        /// Where it ends, in bytes after the start of the segment.
        end: usize,
    },
    /// The number of occurrences of a pattern. If many patterns were found, it may be reported in parts.
    Times {
        /// The pattern.
        pattern: usize,
        /// The number. Saturates.
        times: u32,
    },
}

impl<M: Memory> Engine<M> {
    /// Prepares patterns; `None` if there are none. With `places`, it reports each occurrence.
    ///
    /// # Errors
    ///
    /// Those of [`Set::new`].
    pub fn new<'a>(
        patterns: impl ExactSizeIterator<Item = Pattern<'a>>,
        places: bool,
    ) -> Result<Option<Self>, Fault<M::Error>> {
        let nothing = Pattern {
            bytes: &[],
            nocase: false,
        };
        let mut list = M::array(&nothing, patterns.len())?;

        for (to, pattern) in list.iter_mut().zip(patterns) {
            *to = pattern;
        }
        match &*list {
            [] => return Ok(None),
            [one] if !one.nocase && !places => {
                if let Some(matcher) = Matcher::new(one.bytes)? {
                    return Ok(Some(Self::One(matcher)));
                }
            }
            _ => {}
        }
        Set::new(&list).map(Self::Many).map(Some)
    }

    /// Moves on to the next segment of a request, and reports occurrences that end in it and began before it. With
    /// `ends`, an engine of a single pattern also reports where each occurrence ends.
    #[inline]
    pub fn straddling(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        ends: bool,
        found: &mut dyn FnMut(Found),
    ) {
        let State { carry, tally } = state;

        match self {
            Self::One(matcher) if ends => {
                let times = matcher.straddling_each(
                    carry,
                    bytes,
                    Some(&mut |end| found(Found::End { pattern: 0, end })),
                );
                count(times, found);
            }
            Self::One(matcher) => count(matcher.straddling(carry, bytes), found),
            Self::Many(set) => {
                set.straddling(carry, bytes, &mut |pattern, end| {
                    Tally::of(tally).add(pattern, found);
                    found(Found::End { pattern, end });
                });
                tell(tally, found);
            }
        }
    }

    /// Reports occurrences in `bytes` alone; `ends` as above.
    ///
    /// One section of `sections` may cover all of `bytes`, so they should be few: a page.
    #[inline]
    pub fn inside(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        sections: &impl Sections,
        ends: bool,
        found: &mut dyn FnMut(Found),
    ) {
        let tally = &mut state.tally;

        match self {
            Self::One(matcher) => {
                let mut times = sections.with(bytes.len(), |avx2| matcher.count(bytes, avx2));
                if ends && times != 0 {
                    // The bytes may change meanwhile. Only what is reported counts.
                    times = matcher.each(bytes, &mut |end| {
                        found(Found::End { pattern: 0, end });
                    });
                }
                count(times, found);
            }
            Self::Many(set) => {
                set.each(bytes, sections, &mut |pattern, end| {
                    Tally::of(tally).add(pattern, found);
                    found(Found::End { pattern, end });
                });
                tell(tally, found);
            }
        }
    }
}

/// Reports a single pattern.
#[inline]
fn count(times: u32, found: &mut dyn FnMut(Found)) {
    if times != 0 {
        found(Found::Times { pattern: 0, times });
    }
}

/// How many patterns are counted at the same time.
const TALLY: usize = 64;

/// How often patterns were found. Patterns whose indexes are equal modulo [`TALLY`] share a slot.
struct Tally {
    /// The pattern that has each slot now.
    patterns: [u8; TALLY],
    /// How often it was found.
    times: [u16; TALLY],
    /// A bit for each slot in use.
    taken: u64,
}

/// Reports all counts, and starts over.
#[inline]
fn tell(tally: &mut Option<Tally>, found: &mut dyn FnMut(Found)) {
    if let Some(tally) = tally {
        tally.tell(found);
    }
}

impl Tally {
    /// The existing tally, or a new one.
    #[inline]
    fn of(tally: &mut Option<Self>) -> &mut Self {
        tally.get_or_insert_with(|| Self {
            patterns: [0; TALLY],
            times: [0; TALLY],
            taken: 0,
        })
    }

    fn add(&mut self, pattern: usize, found: &mut dyn FnMut(Found)) {
        let place = pattern % TALLY;
        let bit = 1 << place;
        let (Some(there), Some(times)) = (self.patterns.get_mut(place), self.times.get_mut(place))
        else {
            return;
        };

        if self.taken & bit != 0 {
            let more = times.checked_add(1);
            if let Some(more) = more.filter(|_| usize::from(*there) == pattern) {
                *times = more;
                return;
            }
            found(Found::Times {
                pattern: usize::from(*there),
                times: u32::from(*times),
            });
        }
        self.taken |= bit;
        // There are no more than 256.
        *there = u8::try_from(pattern).unwrap_or(u8::MAX);
        *times = 1;
    }

    /// Reports all counts, and starts over.
    fn tell(&mut self, found: &mut dyn FnMut(Found)) {
        for place in ones(core::mem::take(&mut self.taken)) {
            if let (Some(&pattern), Some(&times)) =
                (self.patterns.get(place), self.times.get(place))
            {
                found(Found::Times {
                    pattern: usize::from(pattern),
                    times: u32::from(times),
                });
            }
        }
    }
}
