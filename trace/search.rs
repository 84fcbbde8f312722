// SPDX-License-Identifier: GPL-2.0

//! What a target searches for, and the search of one request.

use super::{
    counters::Counters,
    fpu,
    key,
    record::Finds, //
};
use crate::{
    delta::Delta,
    dm::Segment,
    engine::{
        self,
        Engine,
        Found, //
    },
    finds::Where,
    memory::Memory,
    params::Fault,
    pattern,
    set, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// The kernel's memory.
pub(crate) struct Kernel;

impl Memory for Kernel {
    type Array<T: Copy> = KVVec<T>;
    type Error = AllocError;

    fn array<T: Copy>(value: T, len: usize) -> Result<KVVec<T>, AllocError> {
        KVVec::from_elem(value, len, GFP_KERNEL)
    }
}

/// A list of patterns.
pub(crate) type Patterns = pattern::Patterns<Kernel>;

/// Patterns, and what searches for them.
pub(crate) struct Search {
    pub(crate) patterns: Patterns,
    engine: Option<Engine<Kernel>>,
}

/// Why patterns are not searched for.
pub(crate) enum Unfit {
    /// One of them is at fault.
    Pattern {
        patterns: Patterns,
        /// Which one.
        index: usize,
        fault: Fault,
        errno: Error,
    },
    /// None is shown by the name of the one to be deleted.
    NoPattern,
    /// Not for any of them.
    Errno(Error),
}

impl<E: Into<Error>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self::Errno(error.into())
    }
}

/// The pattern at fault, why, and the errno; without a pattern, an errno alone.
type Why = Result<(usize, Fault, Error), Error>;

impl Search {
    /// Reads the keys among the patterns that have not been read yet, and prepares to search for all, and
    /// with `places` to say where each occurrence is. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and what is wrong with a pattern.
    pub(crate) fn new(mut patterns: Patterns, places: bool) -> Result<Arc<Self>, Unfit> {
        match prepare(&mut patterns, places) {
            Ok(engine) => Ok(Arc::new(Self { patterns, engine }, GFP_KERNEL)?),
            Err(Err(errno)) => Err(Unfit::Errno(errno)),
            Err(Ok((index, fault, errno))) => Err(Unfit::Pattern {
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

    /// Begins to search a request of `bytes` bytes; `None` where there is nothing to search for.
    #[inline]
    pub(crate) fn begin<'s>(&'s self, bytes: u64, counters: &'s Counters) -> Option<Scan<'s>> {
        let engine = self.engine.as_ref()?;

        Some(Scan {
            patterns: &self.patterns,
            engine,
            counters,
            state: engine.begin(bytes),
            done: 0,
            across: 0,
        })
    }
}

fn prepare(patterns: &mut Patterns, places: bool) -> Result<Option<Engine<Kernel>>, Why> {
    let einval = |(index, fault)| Ok((index, fault, EINVAL));

    patterns.check().map_err(einval)?;
    for (index, pattern) in (0..).zip(patterns.iter_mut()) {
        if let Some(name) = pattern.unread_key() {
            let bytes = key::read(name).map_err(|errno| match errno {
                _ if errno == ENOMEM => Err(errno),
                _ if errno == EMSGSIZE => Ok((index, Fault::KeyTooLong, errno)),
                _ => Ok((index, Fault::NoKey, errno)),
            })?;
            pattern.set_bytes(bytes);
        }
    }
    Engine::new(patterns, places).map_err(|fault| match fault {
        set::Fault::Count => einval((0, Fault::TooMany)),
        set::Fault::Length(index) => einval((index, Fault::Empty)),
        set::Fault::Same(_, index) => einval((index, Fault::Same)),
        set::Fault::Memory(error) => Err(error.into()),
    })
}

/// The search of one request.
pub(crate) struct Scan<'s> {
    patterns: &'s Patterns,
    engine: &'s Engine<Kernel>,
    counters: &'s Counters,
    state: engine::State,
    /// How many bytes are behind us.
    done: u64,
    /// How many occurrences straddled segments so far.
    across: u64,
}

impl Scan<'_> {
    /// Searches the next segment, the one of `delta`, in place. Counts what is found, and tells `finds`.
    #[inline]
    pub(crate) fn page(
        &mut self,
        segment: &Segment<'_>,
        delta: &mut Delta,
        mut finds: Option<&mut Finds<'_, '_>>,
    ) {
        let (patterns, engine, counters) = (self.patterns, self.engine, self.counters);
        let done = self.done;
        let mut note = |found: Found, at: Where, sum: &mut u64| match found {
            Found::Times { pattern, times } => {
                let Some(wanted) = patterns.as_slice().get(pattern) else {
                    return;
                };
                *sum = sum.saturating_add(u64::from(times));
                counters.found(wanted, u64::from(times));
                if let Some(finds) = &mut finds {
                    finds.times(wanted, pattern, at, delta.index, times);
                }
            }
            Found::End { pattern, end } => {
                let wanted = patterns.as_slice().get(pattern);
                if let Some((finds, wanted)) = finds.as_mut().zip(wanted) {
                    finds.place(wanted, pattern, done, end);
                }
            }
        };
        let mut inside: u64 = 0;

        segment.with_bytes(|bytes| {
            engine.straddling(&mut self.state, bytes, &mut |found| {
                note(found, Where::Across, &mut self.across);
            });
            fpu::with_avx2(bytes.len(), |avx2| {
                engine.inside(&mut self.state, bytes, avx2, &mut |found| {
                    note(found, Where::Page, &mut inside);
                });
            });
        });
        self.done = done.saturating_add(u64::from(segment.len()));
        delta.page_hits = u32::try_from(inside).unwrap_or(u32::MAX);
    }

    /// Searches a copy of the segment of `delta`, and tells `finds`.
    pub(crate) fn copy(&mut self, copy: &[u8], delta: &mut Delta, finds: &mut Finds<'_, '_>) {
        let (patterns, engine) = (self.patterns, self.engine);
        let index = delta.index;
        let mut sum: u32 = 0;

        fpu::with_avx2(copy.len(), |avx2| {
            engine.inside(&mut self.state, copy.into(), avx2, &mut |found| {
                let Found::Times { pattern, times } = found else {
                    return;
                };
                sum = sum.saturating_add(times);
                if let Some(wanted) = patterns.as_slice().get(pattern) {
                    finds.times(wanted, pattern, Where::Copy, index, times);
                }
            });
        });
        delta.copy_hits = sum;
    }

    /// How many occurrences straddled segments.
    pub(crate) fn across(&self) -> u64 {
        self.across
    }
}
