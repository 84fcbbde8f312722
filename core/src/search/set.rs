// SPDX-License-Identifier: GPL-2.0

//! Finds each occurrence of each of many patterns in bytes that come in segments.
//!
//! A filter ([`Windows`]) passes a place where one of the patterns may be. The patterns in its bucket are then
//! compared. A comparison must be paid for with bytes that were filtered, as in the search for a single pattern
//! (`matcher.rs`). When that fails, automata search the next stretch, at a cost that hardly depends on the bytes. There
//! is one for the patterns that respect case, and one for those that ignore it.
//!
//! Building a set may sleep. Afterwards it is only read.
//!
//! Any allowed set fits. The memory is: a byte for each byte of the patterns; 10 for each state of the automata (there
//! are no more states than bytes); 40 for each pattern; and 32 KiB for the filter. That is at most [`MEMORY_MAX`].
//!
//! On the machine of `docs/matcher.md`, no input costs more than 60 ns per byte, plus 10 to 30 ns for each occurrence,
//! whatever the patterns. Around the start of a segment, as far as the longest pattern reaches, bytes are searched a
//! second time, so short segments cost a multiple of that.

use super::{
    automaton::Automaton,
    candidates::{
        ones,
        Candidates, //
    },
    carry::Carry,
    pair::Pair,
    rank::RANK,
    simd::{
        Avx2,
        Sections,
        WINDOW, //
    },
    windows::{
        Window,
        Windows,
        BUCKETS, //
    },
};
use crate::{
    bytes::racy::RacyBytes,
    memory::Memory, //
};
use core::ops::Range;

/// The longest pattern, in bytes.
pub const PATTERN_MAX: usize = 255;

/// The most patterns in a set.
pub const PATTERNS_MAX: usize = 256;

/// The size of the arrays of the largest set, in bytes, even while it is built.
pub const MEMORY_MAX: usize = 768 << 10;

/// The credit for comparisons, in bytes.
const CREDIT: usize = 512;

/// How many places are searched by automata before the filter is tried again. The bytes around them, as far as the
/// longest pattern reaches, are read a second time for it.
const STRETCH: usize = 2048;

/// A pattern as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// 1 to [`PATTERN_MAX`] bytes.
    pub bytes: &'a [u8],
    /// Whether the case of ASCII letters is ignored.
    pub nocase: bool,
}

/// Why some patterns make no set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// There are none, or more than [`PATTERNS_MAX`].
    Count,
    /// The pattern with this index is empty or longer than [`PATTERN_MAX`].
    Length(usize),
    /// The patterns with these indexes are the same.
    Same(usize, usize),
    /// There is no memory.
    Memory(E),
}

impl<E> From<E> for Fault<E> {
    fn from(error: E) -> Self {
        Self::Memory(error)
    }
}

/// The bytes that are carried from one segment to the next of the same request. It belongs to one [`Set`] for the
/// whole request.
pub type State = Carry<{ 2 * (PATTERN_MAX - 1) }>;

/// Patterns, prepared.
pub struct Set<M: Memory> {
    /// The bytes of all patterns.
    bytes: M::Array<u8>,
    /// In the order of their windows, so that those in one bucket are similar.
    patterns: M::Array<Entry>,
    windows: Windows<M>,
    /// The filter, instead of `windows`, if there is a single pattern that respects case. Its window is then at its
    /// start.
    pair: Option<Pair>,
    /// For the patterns that respect case.
    exact: Option<Automaton<M>>,
    /// For the patterns that ignore case, in lower case.
    folded: Option<Automaton<M>>,
    /// The length of the longest pattern.
    longest: usize,
}

/// A pattern in a set.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Where its bytes begin.
    start: usize,
    len: usize,
    nocase: bool,
    /// The offset of its window.
    window: usize,
    /// Its index among the given patterns.
    index: usize,
}

impl Entry {
    /// The window that it accepts, if its bytes are `bytes`.
    fn window(&self, bytes: &[u8]) -> Window {
        // Bytes beyond the end may be anything.
        let byte = |on| bytes.get(self.window.wrapping_add(on)).copied();

        [0, 1, 2, 3].map(|on| byte(on).map(|byte| self.either(byte)))
    }

    /// The values that this byte may have.
    fn either(&self, byte: u8) -> [u8; 2] {
        match self.nocase {
            true => [byte, byte.to_ascii_uppercase()],
            false => [byte; 2],
        }
    }

    /// Moves its window to its rarest bytes, if its bytes are `bytes`.
    fn place_window(&mut self, bytes: &[u8]) {
        let rank = |byte: u8| RANK.get(usize::from(byte)).copied().unwrap_or(0);
        let ranks = |window: &[u8]| {
            let rank =
                |byte: &u8| u32::from(self.either(*byte).map(rank).into_iter().fold(0, u8::max));
            window.iter().map(rank).fold(0, u32::wrapping_add)
        };

        let windows = (0..bytes.len()).zip(bytes.windows(WINDOW).map(ranks));
        self.window = windows
            .min_by_key(|(_, ranks)| *ranks)
            .map_or(0, |(at, _)| at);
    }
}

impl<M: Memory> Set<M> {
    /// Prepares `patterns`.
    ///
    /// # Errors
    ///
    /// See [`Fault`]. Patterns are the same if they have the same bytes. If both ignore case, they are also the same
    /// if they only differ in that.
    pub fn new(patterns: &[Pattern<'_>]) -> Result<Self, Fault<M::Error>> {
        if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
            return Err(Fault::Count);
        }
        let mut total: usize = 0;
        for (index, pattern) in (0..patterns.len()).zip(patterns) {
            if pattern.bytes.is_empty() || pattern.bytes.len() > PATTERN_MAX {
                return Err(Fault::Length(index));
            }
            // Does not wrap: there are few, and they are short.
            total = total.wrapping_add(pattern.bytes.len());
        }

        let mut set = Self {
            bytes: M::array(&0, total)?,
            patterns: M::array(&Entry::default(), patterns.len())?,
            windows: Windows::new()?,
            pair: None,
            exact: None,
            folded: None,
            longest: 0,
        };
        set.fill(patterns);
        set.fill_windows();
        set.fill_automata()?;
        Ok(set)
    }

    /// Copies the patterns, and sorts them.
    fn fill(&mut self, patterns: &[Pattern<'_>]) {
        let mut start: usize = 0;
        let entries = self.patterns.iter_mut();

        for ((index, pattern), entry) in (0..patterns.len()).zip(patterns).zip(entries) {
            let len = pattern.bytes.len();
            *entry = Entry {
                start,
                len,
                nocase: pattern.nocase,
                window: 0,
                index,
            };
            // Does not wrap: it is at most the sum of all lengths.
            let end = start.wrapping_add(len);
            if let Some(to) = self.bytes.get_mut(start..end) {
                for (to, byte) in to.iter_mut().zip(pattern.bytes) {
                    *to = fold(*byte, pattern.nocase);
                }
                match patterns {
                    [one] if !one.nocase => self.pair = Pair::new(one.bytes),
                    _ => entry.place_window(to),
                }
            }
            start = end;
            self.longest = self.longest.max(len);
        }

        let bytes = &self.bytes;
        let key = |entry: &Entry| {
            let bytes = text(bytes, entry);
            (bytes.len().min(WINDOW), entry.window(bytes))
        };
        sort(&mut self.patterns, |a, b| key(a) < key(b));
    }

    fn fill_windows(&mut self) {
        let count = self.patterns.len();

        for (at, entry) in (0..count).zip(self.patterns.iter()) {
            // Neither wraps, and there is no division by 0: the result is less than the number of buckets.
            let bucket = at.wrapping_mul(BUCKETS).checked_div(count).unwrap_or(0);
            let window = entry.window(text(&self.bytes, entry));
            self.windows.add(u32::try_from(bucket).unwrap_or(0), window);
        }
    }

    fn fill_automata(&mut self) -> Result<(), Fault<M::Error>> {
        let mut sorted = M::array(&0_u16, self.patterns.len())?;
        for (to, pattern) in sorted.iter_mut().zip(0..u16::MAX) {
            *to = pattern;
        }
        let entry = |pattern: u16| self.entry(pattern);
        let key = |pattern: &u16| {
            let entry = entry(*pattern);
            (entry.nocase, text(&self.bytes, &entry))
        };
        sort(&mut sorted, |a, b| {
            let ((a_nocase, a), (b_nocase, b)) = (key(a), key(b));
            // Byte by byte: comparing slices subtracts lengths, which may panic.
            a_nocase
                .cmp(&b_nocase)
                .then_with(|| a.iter().cmp(b))
                .is_lt()
        });

        for pair in sorted.windows(2) {
            if let [a, b] = pair {
                if key(a) == key(b) {
                    let (a, b) = (entry(*a).index, entry(*b).index);
                    return Err(Fault::Same(a.min(b), a.max(b)));
                }
            }
        }

        let byte = |pattern, at| text(&self.bytes, &entry(pattern)).get(at).copied();
        let exact = sorted.iter().position(|pattern| entry(*pattern).nocase);
        let exact = exact.unwrap_or(sorted.len());
        let (exact, folded) = sorted.split_at_checked(exact).unwrap_or_default();
        let automaton = |patterns: &[u16]| match patterns {
            [] => Ok(None),
            _ => Automaton::new(patterns, byte).map(Some),
        };
        let (exact, folded) = (automaton(exact)?, automaton(folded)?);
        self.exact = exact;
        self.folded = folded;
        Ok(())
    }

    /// Searches the next segment of a request, and reports each occurrence that ends in it, in no particular order. It
    /// reports the index of the pattern, and where the occurrence ends, in bytes after the start of the segment. If the
    /// pattern is longer than that, it straddles segments.
    ///
    /// One section of `sections` may filter and compare all of `bytes`, so they should be few: a page. The automata
    /// run outside of sections.
    pub fn feed(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        sections: &impl Sections,
        found: &mut dyn FnMut(usize, usize),
    ) {
        self.straddling(state, bytes, found);
        self.each(bytes, sections, found);
    }

    /// Moves on to the next segment of a request, and reports each occurrence that ends in it and began before it, as
    /// [`Self::feed`] does.
    pub fn straddling(
        &self,
        state: &mut State,
        bytes: RacyBytes<'_>,
        found: &mut dyn FnMut(usize, usize),
    ) {
        let wanted = self.longest.wrapping_sub(1);

        if let Some((around, begin)) = state.around(bytes, wanted) {
            self.search(around.into(), &None::<Avx2<'_>>, &mut |entry, end| {
                let straddles = end
                    .checked_sub(begin)
                    .filter(|end| (1..entry.len).contains(end));
                if let Some(end) = straddles {
                    found(entry.index, end);
                }
            });
        }
        state.pass(bytes, wanted);
    }

    /// Reports each occurrence in `bytes` alone, as [`Self::feed`] does.
    pub fn each(
        &self,
        bytes: RacyBytes<'_>,
        sections: &impl Sections,
        found: &mut dyn FnMut(usize, usize),
    ) {
        self.search(bytes, sections, &mut |entry, end| found(entry.index, end));
    }

    fn search(
        &self,
        bytes: RacyBytes<'_>,
        sections: &impl Sections,
        found: &mut dyn FnMut(&Entry, usize),
    ) {
        let mut from = 0;
        let mut credit = CREDIT;

        while let Some(stretch) = sections.with(bytes.len().saturating_sub(from), |avx2| {
            self.filter(bytes, from, credit, avx2, found)
        }) {
            self.walk(bytes, stretch.clone(), found);
            from = stretch.end;
            credit = 0;
        }
    }

    /// Finds the occurrences whose window begins at `from` or later, with some credit, by filtering. When that becomes
    /// too expensive, it stops and returns the places that the automata must search.
    fn filter(
        &self,
        bytes: RacyBytes<'_>,
        mut from: usize,
        mut credit: usize,
        avx2: Option<Avx2<'_>>,
        found: &mut dyn FnMut(&Entry, usize),
    ) -> Option<Range<usize>> {
        let probe = match self.pair.as_ref().map(|pair| pair.over(bytes, avx2)) {
            // The pattern is longer than the bytes.
            Some(None) => return None,
            Some(Some(probe)) => Some(probe),
            None => None,
        };
        let next = |from| -> Option<Candidates> {
            match &probe {
                Some(probe) => probe.next(from),
                None => self.windows.next(bytes, from, avx2),
            }
        };

        // Sums of places do not wrap: no object in memory is so large.
        while let Some(places) = next(from) {
            credit = CREDIT.min(credit.saturating_add(places.end.saturating_sub(from)));
            from = places.end;

            for place in places {
                let mut price: usize = 1;
                for bucket in ones(self.windows.buckets(bytes, place).into()) {
                    for entry in self.bucket(bucket) {
                        if let Some(end) = self.end_of(bytes, place, entry, &mut price) {
                            found(entry, end);
                        }
                    }
                }

                let Some(rest) = credit.checked_sub(price) else {
                    let next = place.wrapping_add(1);
                    let debt = price.wrapping_sub(credit);
                    let end = next.wrapping_add(debt.max(STRETCH));
                    return Some(next..bytes.len().min(end));
                };
                credit = rest;
            }
        }
        None
    }

    /// The patterns in a bucket.
    fn bucket(&self, bucket: usize) -> &[Entry] {
        let count = self.patterns.len();
        // The first pattern that `fill_windows` puts there. Nothing wraps.
        let first = |bucket: usize| bucket.wrapping_mul(count).div_ceil(BUCKETS);

        self.patterns
            .get(first(bucket)..first(bucket.wrapping_add(1)))
            .unwrap_or_default()
    }

    /// Where a pattern ends if its window begins at `place`. Adds the cost of this, in bytes, to `price`.
    fn end_of(
        &self,
        bytes: RacyBytes<'_>,
        place: usize,
        entry: &Entry,
        price: &mut usize,
    ) -> Option<usize> {
        let text = text(&self.bytes, entry);
        let start = place.checked_sub(entry.window)?;
        let end = start.checked_add(entry.len)?;
        let bytes = bytes.get(start..end)?;

        *price = price.wrapping_add(1);
        let window = entry.window..entry.len.min(entry.window.wrapping_add(WINDOW));
        if !same(bytes.get(window.clone())?, text.get(window)?, entry.nocase) {
            return None;
        }
        *price = price.wrapping_add(entry.len / 8);
        if !same(bytes, text, entry.nocase) {
            return None;
        }
        Some(end)
    }

    /// Finds the occurrences whose window begins at one of these places, byte by byte.
    fn walk(
        &self,
        bytes: RacyBytes<'_>,
        places: Range<usize>,
        found: &mut dyn FnMut(&Entry, usize),
    ) {
        let begin = places.start.saturating_sub(self.longest);
        let end = bytes.len().min(places.end.wrapping_add(self.longest));
        let Some(bytes) = bytes.get(begin..end) else {
            return;
        };
        let mut found = |pattern, end: usize| {
            let entry = self.entry(pattern);
            let end = begin.wrapping_add(end);
            let place = end.wrapping_sub(entry.len).wrapping_add(entry.window);
            if places.contains(&place) {
                found(&entry, end);
            }
        };

        if let Some(exact) = &self.exact {
            exact.walk(bytes.iter(), &mut found);
        }
        if let Some(folded) = &self.folded {
            folded.walk(bytes.iter().map(|byte| fold(byte, true)), &mut found);
        }
    }

    fn entry(&self, pattern: u16) -> Entry {
        self.patterns
            .get(usize::from(pattern))
            .copied()
            .unwrap_or_default()
    }
}

/// The bytes of a pattern.
fn text<'a>(bytes: &'a [u8], entry: &Entry) -> &'a [u8] {
    bytes
        .get(entry.start..entry.start.wrapping_add(entry.len))
        .unwrap_or_default()
}

/// Whether bytes are those of a pattern.
fn same(bytes: RacyBytes<'_>, text: &[u8], nocase: bool) -> bool {
    match nocase {
        true => bytes
            .iter()
            .map(|byte| fold(byte, true))
            .eq(text.iter().copied()),
        false => bytes.are(text),
    }
}

/// The byte that is compared.
fn fold(byte: u8, nocase: bool) -> u8 {
    match nocase {
        true => byte.to_ascii_lowercase(),
        false => byte,
    }
}

/// Sorts a few items. The standard library's sort may panic.
fn sort<T>(items: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 0..items.len() {
        let mut at = end;
        while let Some([a, b]) = at.checked_sub(1).and_then(|one| items.get_mut(one..=at)) {
            if !before(b, a) {
                break;
            }
            core::mem::swap(a, b);
            at = at.wrapping_sub(1);
        }
    }
}
