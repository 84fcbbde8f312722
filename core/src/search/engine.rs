// SPDX-License-Identifier: GPL-2.0

//! Searches for what a table or messages ask for, in the way that is best for it.
//!
//! A single pattern is counted ([`Matcher`]); several, or one of which each place is to be told, are
//! found one by one ([`Set`]).

use super::{
    matcher::Matcher,
    places::ones,
    set::{
        self,
        Fault,
        Set, //
    },
    simd::Sections, //
};
use crate::{
    bytes::racy::RacyBytes,
    config::pattern::Patterns,
    memory::Memory, //
};

/// Patterns, prepared.
pub enum Engine<M: Memory> {
    /// A single one.
    One(Matcher<M>),
    /// Any number of them.
    Many(Set<M>),
}

/// What is carried over from one segment of a request to the next. It belongs to one [`Engine`] for as
/// long as the request lasts.
pub struct State {
    carry: set::State,
    /// There is none before anything was found.
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

    /// Begins anew in the same place, with a request of `bytes` bytes.
    #[inline]
    pub fn restart(&mut self, bytes: u64) {
        self.carry.restart(bytes);
        // All that was found has been told of, so that the tally is empty.
    }
}

/// What was found. A pattern is told by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// An occurrence that ends so many bytes behind the beginning of the segment. Only an engine of many
    /// tells this.
    End {
        /// Of which pattern.
        pattern: usize,
        /// Where it ends.
        end: usize,
    },
    /// How many there are of a pattern. Where many patterns were found, they may be told in parts.
    Times {
        /// Of which pattern.
        pattern: usize,
        /// How many. Saturates.
        times: u32,
    },
}

impl<M: Memory> Engine<M> {
    /// Prepares patterns, whose keys have been read; `None` where there are none. With `places` it tells
    /// of each occurrence.
    ///
    /// # Errors
    ///
    /// Those of [`Set::new`].
    pub fn new(patterns: &Patterns<M>, places: bool) -> Result<Option<Self>, Fault<M::Error>> {
        match patterns.as_slice() {
            [] => return Ok(None),
            [one] if !one.nocase() && !places => {
                if let Some(matcher) = Matcher::new(one.bytes())? {
                    return Ok(Some(Self::One(matcher)));
                }
            }
            _ => {}
        }

        let nothing = set::Pattern {
            bytes: &[],
            nocase: false,
        };
        let mut list = M::array(&nothing, patterns.len())?;
        for (to, pattern) in list.iter_mut().zip(patterns.iter()) {
            *to = set::Pattern {
                bytes: pattern.bytes(),
                nocase: pattern.nocase(),
            };
        }
        Set::new(&list).map(Self::Many).map(Some)
    }

    /// Goes on to the next segment of a request, and tells of what ends in it and began before it.
    #[inline]
    pub fn straddling(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        found: &mut dyn FnMut(Found),
    ) {
        let State { carry, tally } = state;

        match self {
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

    /// Tells of what is in `bytes` alone.
    ///
    /// In a section of `sections` all of `bytes` may be looked at, so they should be few: a page.
    #[inline]
    pub fn inside(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        sections: &impl Sections,
        found: &mut dyn FnMut(Found),
    ) {
        let tally = &mut state.tally;

        match self {
            Self::One(matcher) => {
                let times = sections.with(bytes.len(), |avx2| matcher.count(bytes, avx2));
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

/// Tells of a single pattern.
#[inline]
fn count(times: u32, found: &mut dyn FnMut(Found)) {
    if times != 0 {
        found(Found::Times { pattern: 0, times });
    }
}

/// How many patterns are counted at the same time.
const TALLY: usize = 64;

/// How often patterns were found. Those whose indexes leave the same rest when divided by [`TALLY`] share
/// a place.
struct Tally {
    /// The pattern that has a place now.
    patterns: [u8; TALLY],
    /// How often it was found.
    times: [u16; TALLY],
    /// A bit for each place that a pattern has.
    taken: u64,
}

/// Tells of all, and begins anew.
#[inline]
fn tell(tally: &mut Option<Tally>, found: &mut dyn FnMut(Found)) {
    if let Some(tally) = tally {
        tally.tell(found);
    }
}

impl Tally {
    /// The one that is there, or a new one.
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

    /// Tells of all, and begins anew.
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
