// SPDX-License-Identifier: GPL-2.0

//! The patterns of a target, and the search of one request.

use super::{
    counters::Counters,
    record::Finds,
    sys::{
        events::{
            MatchReporter,
            PatternName, //
        },
        fpu,
        key, //
    },
};
use crate::{
    config::{
        budget::Shortage,
        fault::Fault,
        pattern, //
    },
    dm::Segment,
    memory::Memory,
    record::{
        Delta,
        Scope, //
    },
    search::{
        edges::{
            Ends,
            Neighbours, //
        },
        engine::{
            Engine,
            Found,
            State, //
        },
        set, //
    },
    sys::memory::Kernel, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// A list of patterns.
pub(crate) type Patterns = pattern::Patterns<Kernel>;

/// Patterns, and the engine that searches for them.
pub(crate) struct Search {
    pub(crate) patterns: Patterns,
    /// How events show the patterns, in the same order.
    names: <Kernel as Memory>::Array<PatternName>,
    engine: Option<Engine<Kernel>>,
    /// Whether the place of each occurrence is wanted.
    places: bool,
}

/// Why a table or a message cannot be carried out.
pub(crate) enum ConfigError {
    /// One of them is at fault.
    Pattern {
        patterns: Patterns,
        /// Which one.
        index: usize,
        fault: Fault,
        errno: Error,
    },
    /// No pattern is shown by the name that is to be deleted.
    NoPattern,
    /// There is not enough memory for a table.
    Shortage(Shortage),
    /// Another error.
    Errno(Error),
}

impl<E: Into<Error>> From<E> for ConfigError {
    fn from(error: E) -> Self {
        Self::Errno(error.into())
    }
}

/// Why patterns cannot be prepared.
enum PrepareError {
    /// The pattern with this index is at fault.
    Pattern {
        index: usize,
        fault: Fault,
        errno: Error,
    },
    /// It is no pattern's fault.
    Errno(Error),
}

impl PrepareError {
    /// A pattern that is not valid.
    fn invalid(index: usize, fault: Fault) -> Self {
        Self::Pattern {
            index,
            fault,
            errno: EINVAL,
        }
    }
}

impl Search {
    /// Reads the keys among the patterns that have not been read yet, and prepares to search for all patterns; with
    /// `places`, also to report where each occurrence is. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and what is wrong with a pattern.
    pub(crate) fn new(mut patterns: Patterns, places: bool) -> Result<Arc<Self>, ConfigError> {
        let names = names(&patterns)?;

        match prepare(&mut patterns, places) {
            Ok(engine) => {
                let search = Self {
                    patterns,
                    names,
                    engine,
                    places,
                };
                Ok(Arc::new(search, GFP_KERNEL)?)
            }
            Err(PrepareError::Errno(errno)) => Err(ConfigError::Errno(errno)),
            Err(PrepareError::Pattern {
                index,
                fault,
                errno,
            }) => Err(ConfigError::Pattern {
                patterns,
                index,
                fault,
                errno,
            }),
        }
    }

    /// Whether there is anything to search for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.engine.is_some()
    }

    /// Starts the search of a request of `bytes` bytes; `None` if there is nothing to search for.
    #[inline]
    pub(crate) fn begin<'s>(
        &'s self,
        bytes: u64,
        counters: &'s Counters,
        reporter: Option<&'s MatchReporter>,
    ) -> Option<Scan<'s>> {
        let engine = self.engine.as_ref()?;

        Some(Scan {
            search: self,
            engine,
            reporter,
            counters,
            state: State::new(bytes),
            done: 0,
            across: 0,
        })
    }
}

/// How events show these patterns.
///
/// # Errors
///
/// If there is no memory.
fn names(patterns: &Patterns) -> Result<<Kernel as Memory>::Array<PatternName>, AllocError> {
    let mut names = Kernel::array(&PatternName::EMPTY, patterns.len())?;

    for (name, pattern) in names.iter_mut().zip(patterns.iter()) {
        name.set(pattern.shown());
    }
    Ok(names)
}

/// Reads the keys of patterns, and prepares the search for them.
fn prepare(patterns: &mut Patterns, places: bool) -> Result<Option<Engine<Kernel>>, PrepareError> {
    patterns
        .check()
        .map_err(|(index, fault)| PrepareError::invalid(index, fault))?;
    for (index, pattern) in (0..patterns.len()).zip(patterns.iter_mut()) {
        if let Some((name, bytes)) = pattern.unread_key() {
            key::read(name, bytes).map_err(|errno| {
                let fault = match errno {
                    _ if errno == ENOMEM => return PrepareError::Errno(errno),
                    _ if errno == EMSGSIZE => Fault::KeyTooLong,
                    _ => Fault::NoKey,
                };
                PrepareError::Pattern {
                    index,
                    fault,
                    errno,
                }
            })?;
        }
    }
    Engine::<Kernel>::new(patterns.to_search(), places).map_err(|fault| match fault {
        set::Fault::Count => PrepareError::invalid(0, Fault::TooMany),
        set::Fault::Length(index) => PrepareError::invalid(index, Fault::Empty),
        set::Fault::Same(_, index) => PrepareError::invalid(index, Fault::Same),
        set::Fault::Memory(error) => PrepareError::Errno(error.into()),
    })
}

/// The search of one request.
pub(crate) struct Scan<'s> {
    search: &'s Search,
    engine: &'s Engine<Kernel>,
    /// Reports the matches, if they have a listener.
    reporter: Option<&'s MatchReporter>,
    counters: &'s Counters,
    state: State,
    /// How many bytes have been searched.
    done: u64,
    /// How many occurrences have straddled segments so far.
    across: u64,
}

impl Scan<'_> {
    /// Searches the next segment, which is that of the delta at `index`, in place. Counts the occurrences, and adds
    /// them to `finds`. Returns how many are wholly within the segment.
    #[inline]
    pub(crate) fn page(
        &mut self,
        segment: &Segment<'_>,
        index: u32,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u32 {
        let (engine, state) = (self.engine, &mut self.state);
        let mut sink = MatchSink {
            search: self.search,
            counters: Some(self.counters),
            finds,
            places: self.search.places,
            reporter: self.reporter,
            done: self.done,
            delta: index,
            at: Scope::Across,
            sum: 0,
        };

        let ends = self.reporter.is_some();
        segment.with_bytes(|bytes| {
            engine.straddling(state, bytes, ends, &mut |found| sink.add(found));
            self.across = self.across.saturating_add(sink.turn_to(Scope::Page));
            engine.inside(state, bytes, &fpu::Cpu, ends, &mut |found| sink.add(found));
        });
        self.done = self.done.saturating_add(u64::from(segment.len()));
        u32::try_from(sink.sum).unwrap_or(u32::MAX)
    }

    /// Searches a copy of the segment of `delta`, and adds the occurrences to `finds`.
    pub(crate) fn copy(&mut self, copy: &[u8], delta: &mut Delta, finds: &mut Finds<'_, '_>) {
        let (engine, state) = (self.engine, &mut self.state);
        let mut sink = MatchSink {
            search: self.search,
            counters: None,
            finds: Some(finds),
            places: false,
            reporter: None,
            done: self.done,
            delta: delta.index,
            at: Scope::Copy,
            sum: 0,
        };

        engine.inside(state, copy.into(), &fpu::Cpu, false, &mut |found| {
            sink.add(found);
        });
        delta.copy_hits = u32::try_from(sink.sum).unwrap_or(u32::MAX);
    }

    /// Searches what straddles a request, all of whose segments have been searched, and its neighbours. Adds the
    /// occurrences to `finds`, and returns how many there are.
    pub(crate) fn requests(
        &mut self,
        ends: &Ends,
        neighbours: &Neighbours,
        finds: Option<&mut Finds<'_, '_>>,
    ) -> u64 {
        let (engine, state) = (self.engine, &mut self.state);
        let mut sink = MatchSink {
            search: self.search,
            counters: Some(self.counters),
            finds,
            places: self.search.places,
            reporter: self.reporter,
            done: 0,
            delta: 0,
            at: Scope::Requests,
            sum: 0,
        };

        let each = self.reporter.is_some();
        for (before, behind, done) in [
            (&neighbours.before, &ends.first, 0),
            (&ends.last, &neighbours.behind, self.done),
        ] {
            let (before, behind) = (before.as_bytes(), behind.as_bytes());
            sink.done = done;
            // Does not wrap: there are few.
            state.restart(before.len().wrapping_add(behind.len()) as u64);
            engine.straddling(state, before.into(), false, &mut |_| {});
            engine.straddling(state, behind.into(), each, &mut |found| sink.add(found));
        }
        sink.sum
    }

    /// How many occurrences straddled segments.
    pub(crate) fn across(&self) -> u64 {
        self.across
    }
}

/// Counts, records and reports occurrences.
struct MatchSink<'n, 'w, 'p> {
    search: &'n Search,
    /// Counts them, unless they have been counted already.
    counters: Option<&'n Counters>,
    finds: Option<&'n mut Finds<'w, 'p>>,
    /// Whether `finds` gets the place of each.
    places: bool,
    /// Reports the matches, if they have a listener.
    reporter: Option<&'n MatchReporter>,
    /// How many bytes of the request come before the bytes that are searched.
    done: u64,
    /// The index of the delta that is searched.
    delta: u32,
    at: Scope,
    /// The number of occurrences.
    sum: u64,
}

impl MatchSink<'_, '_, '_> {
    fn add(&mut self, found: Found) {
        let (Found::Times { pattern: index, .. } | Found::End { pattern: index, .. }) = found;
        let Some(pattern) = self.search.patterns.as_slice().get(index) else {
            return;
        };

        match found {
            Found::Times { times, .. } => {
                self.sum = self.sum.saturating_add(u64::from(times));
                if let Some(counters) = self.counters {
                    counters.found(pattern, u64::from(times));
                }
                if let Some(finds) = &mut self.finds {
                    finds.times(pattern, index, self.at, self.delta, times);
                }
            }
            Found::End { end, .. } => {
                // Does not wrap: a request is not so large.
                let end = (self.done as i64).wrapping_add(end as i64);
                let offset = end.wrapping_sub(pattern.bytes().len() as i64);

                if let Some((reporter, name)) = self.reporter.zip(self.search.names.get(index)) {
                    reporter.found(name, self.at, offset);
                }
                if let Some(finds) = self.finds.as_mut().filter(|_| self.places) {
                    finds.place(pattern, index, offset);
                }
            }
        }
    }

    /// Continues with occurrences of another scope, and returns how many there were so far.
    fn turn_to(&mut self, at: Scope) -> u64 {
        self.at = at;
        core::mem::take(&mut self.sum)
    }
}
