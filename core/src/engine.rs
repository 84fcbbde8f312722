// SPDX-License-Identifier: GPL-2.0

//! Searches for what a table or messages ask for, in the way that is best for it.
//!
//! A single pattern is counted ([`Matcher`]); several, or one of which each place is to be told, are
//! found one by one ([`Set`]).

use super::{
    matcher::{
        self,
        Matcher, //
    },
    memory::Memory,
    pattern::Patterns,
    racy::RacyBytes,
    set::{
        self,
        Fault,
        Set,
        PATTERNS_MAX, //
    },
    simd::Avx2,
};

/// Patterns, prepared.
#[expect(
    clippy::large_enum_variant,
    reason = "It is made once, and stays where it is."
)]
pub enum Engine<M: Memory> {
    /// A single one.
    One(Matcher),
    /// Any number of them.
    Many(Set<M>),
}

/// What is carried over from one segment of a request to the next. It belongs to one [`Engine`] for as
/// long as the request lasts.
#[expect(
    clippy::large_enum_variant,
    reason = "It is on the stack of who searches, where the larger one has to have room."
)]
pub enum State {
    /// Of a single pattern.
    One(matcher::State),
    /// Of any number.
    Many(set::State, Tally),
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
    /// How many there are of a pattern, once for each pattern that was found.
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
                if let Some(matcher) = Matcher::new(one.bytes()) {
                    return Ok(Some(Self::One(matcher)));
                }
            }
            _ => {}
        }

        let nothing = set::Pattern {
            bytes: &[],
            nocase: false,
        };
        let mut list = M::array(nothing, patterns.len())?;
        for (to, pattern) in list.iter_mut().zip(patterns.iter()) {
            *to = set::Pattern {
                bytes: pattern.bytes(),
                nocase: pattern.nocase(),
            };
        }
        Set::new(&list).map(Self::Many).map(Some)
    }

    /// The state before the first segment of a request of `bytes` bytes.
    #[inline]
    pub fn begin(&self, bytes: u64) -> State {
        match self {
            Self::One(_) => State::One(matcher::State::new(bytes)),
            Self::Many(_) => State::Many(set::State::new(bytes), Tally::new()),
        }
    }

    /// Goes on to the next segment of a request, and tells of what ends in it and began before it.
    #[inline]
    pub fn straddling(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        found: &mut dyn FnMut(Found),
    ) {
        match (self, state) {
            (Self::One(matcher), State::One(state)) => {
                count(matcher.straddling(state, bytes), found);
            }
            (Self::Many(set), State::Many(state, tally)) => {
                set.straddling(state, bytes, &mut |pattern, end| {
                    tally.add(pattern);
                    found(Found::End { pattern, end });
                });
                tally.tell(found);
            }
            // The state of another engine.
            _ => {}
        }
    }

    /// Tells of what is in `bytes` alone.
    ///
    /// With `avx2` it is faster. In the kernel a call with it is as long as the section that the
    /// permission comes from, so `bytes` should then be few: a page.
    #[inline]
    pub fn inside(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        avx2: Option<Avx2<'_>>,
        found: &mut dyn FnMut(Found),
    ) {
        match (self, state) {
            (Self::One(matcher), _) => count(matcher.count(bytes, avx2), found),
            (Self::Many(set), State::Many(_, tally)) => {
                set.each(bytes, avx2, &mut |pattern, end| {
                    tally.add(pattern);
                    found(Found::End { pattern, end });
                });
                tally.tell(found);
            }
            _ => {}
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

/// How often each of many patterns was found.
pub struct Tally {
    times: [u32; PATTERNS_MAX],
    /// A bit for each that is not 0.
    seen: [u64; PATTERNS_MAX / 64],
}

impl Tally {
    fn new() -> Self {
        Self {
            times: [0; PATTERNS_MAX],
            seen: [0; PATTERNS_MAX / 64],
        }
    }

    fn add(&mut self, pattern: usize) {
        if let Some(times) = self.times.get_mut(pattern) {
            *times = times.saturating_add(1);
        }
        if let Some(seen) = self.seen.get_mut(pattern / 64) {
            *seen |= 1 << (pattern % 64);
        }
    }

    /// Tells of all, and begins anew.
    fn tell(&mut self, found: &mut dyn FnMut(Found)) {
        for (word, seen) in (0..self.seen.len()).zip(&mut self.seen) {
            while *seen != 0 {
                // Below the number of patterns.
                let pattern = word
                    .wrapping_mul(64)
                    .wrapping_add(seen.trailing_zeros() as usize);
                *seen &= seen.wrapping_sub(1);
                if let Some(times) = self.times.get_mut(pattern) {
                    found(Found::Times {
                        pattern,
                        times: core::mem::take(times),
                    });
                }
            }
        }
    }
}
