// SPDX-License-Identifier: GPL-2.0

//! Finds many patterns at once, at a cost that hardly depends on the bytes.
//!
//! The algorithm is that of A. V. Aho and M. J. Corasick ("Efficient string matching: an aid to bibliographic search",
//! Communications of the ACM 18(6), 1975). It is a trie of the patterns. A state that has no edge for a byte continues
//! at its longest proper suffix that is a state. No byte is read twice, and there are no more of these detours than
//! bytes.
//!
//! States are numbered level by level. The children of a state are consecutive, followed by those of the next state. So
//! one number for each state suffices to find its children. A state has 10 bytes, and there is at most one for each
//! byte of the patterns.

use crate::memory::Memory;

/// No state, or no pattern: there are fewer of either.
const NONE: u16 = u16::MAX;

/// The state before the first byte.
const ROOT: u16 = 0;

/// A trie of patterns that all differ.
pub struct Automaton<M: Memory> {
    /// The states, and one more after them, which only says where the children of the last state end.
    states: M::Array<State>,
    /// The children of the root by their byte, because they are needed most often; for other bytes, the root.
    roots: M::Array<u16>,
}

/// A prefix of a pattern.
#[derive(Clone, Copy)]
struct State {
    /// Its last byte.
    byte: u8,
    /// Its first child. After its last child comes the first child of the next state.
    children: u16,
    /// Its longest proper suffix that is a state.
    suffix: u16,
    /// Its longest suffix, possibly itself, that is a pattern.
    found: u16,
    /// The pattern that it is.
    pattern: u16,
}

impl<M: Memory> Automaton<M> {
    /// Builds it from `patterns`, which are sorted by their bytes. `byte` returns the byte of a pattern at an index,
    /// and `None` after its end. The patterns have fewer than 2^16 - 1 bytes in total.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn new(
        patterns: &[u16],
        byte: impl Fn(u16, usize) -> Option<u8>,
    ) -> Result<Self, M::Error> {
        let empty = State {
            byte: 0,
            children: 0,
            suffix: ROOT,
            found: NONE,
            pattern: NONE,
        };
        let mut automaton = Self {
            states: M::array(&empty, count(patterns, &byte).saturating_add(1))?,
            roots: M::array(&ROOT, 256)?,
        };

        automaton.grow(&byte, M::array(&ROOT, patterns.len())?, patterns);
        automaton.link();
        Ok(automaton)
    }

    /// Makes the states, level by level. `places` has the state that each pattern has reached.
    fn grow(
        &mut self,
        byte: impl Fn(u16, usize) -> Option<u8>,
        mut places: M::Array<u16>,
        patterns: &[u16],
    ) {
        // The first state that does not exist yet, and the first one whose children do not.
        let (mut next, mut childless): (u16, u16) = (1, ROOT);
        let mut begin = 0;
        let mut depth: usize = 0;

        // There is another level as long as the last one has states.
        while begin != next {
            begin = next;
            let mut last = None;
            for (place, &pattern) in places.iter_mut().zip(patterns) {
                let Some(this) = byte(pattern, depth) else {
                    continue;
                };
                // Patterns that share a state are adjacent.
                if last != Some((*place, this)) {
                    last = Some((*place, this));
                    while childless <= *place {
                        self.set(childless, |state| state.children = next);
                        childless = childless.wrapping_add(1);
                    }
                    self.set(next, |state| state.byte = this);
                    // Does not wrap: there are fewer than 2^16 states.
                    next = next.wrapping_add(1);
                }
                *place = next.wrapping_sub(1);
                if byte(pattern, depth.wrapping_add(1)).is_none() {
                    self.set(*place, |state| state.pattern = pattern);
                }
            }
            depth = depth.wrapping_add(1);
        }
        while childless <= next {
            self.set(childless, |state| state.children = next);
            childless = childless.wrapping_add(1);
        }
    }

    /// Links each state to its suffixes. The states of a level are linked before those of the next one.
    fn link(&mut self) {
        for child in self.children(ROOT) {
            let byte = self.state(child).byte;
            if let Some(root) = self.roots.get_mut(usize::from(byte)) {
                *root = child;
            }
        }

        let last = u16::try_from(self.states.len())
            .unwrap_or(NONE)
            .saturating_sub(1);
        for parent in ROOT..last {
            for child in self.children(parent) {
                let State { byte, pattern, .. } = self.state(child);
                let suffix = match parent {
                    ROOT => ROOT,
                    _ => self.step(self.state(parent).suffix, byte),
                };
                let found = match pattern {
                    NONE => self.state(suffix).found,
                    _ => child,
                };
                self.set(child, |state| {
                    state.suffix = suffix;
                    state.found = found;
                });
            }
        }
    }

    /// Goes through `bytes`. Reports each pattern that ends with one of them, and how many bytes have been passed then.
    pub fn walk(&self, bytes: impl Iterator<Item = u8>, mut found: impl FnMut(u16, usize)) {
        let mut at = ROOT;
        let mut end: usize = 0;

        for byte in bytes {
            at = self.step(at, byte);
            end = end.wrapping_add(1);

            let mut suffix = self.state(at).found;
            while suffix != NONE {
                let state = self.state(suffix);
                found(state.pattern, end);
                suffix = self.state(state.suffix).found;
            }
        }
    }

    /// The state after one more byte.
    #[inline]
    fn step(&self, mut at: u16, byte: u8) -> u16 {
        while at != ROOT {
            if let Some(child) = self.child(at, byte) {
                return child;
            }
            at = self.state(at).suffix;
        }
        self.roots.get(usize::from(byte)).copied().unwrap_or(ROOT)
    }

    #[inline]
    fn child(&self, at: u16, byte: u8) -> Option<u16> {
        let children = self.children(at);
        let (mut low, mut high) = (children.start, children.end);

        while low < high {
            // Between the two, so that nothing wraps.
            let middle = low.wrapping_add(high.wrapping_sub(low) / 2);
            let there = self.state(middle).byte;
            if there == byte {
                return Some(middle);
            }
            if there < byte {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        None
    }

    #[inline]
    fn children(&self, at: u16) -> core::ops::Range<u16> {
        self.state(at).children..self.state(at.saturating_add(1)).children
    }

    #[inline]
    fn state(&self, at: u16) -> State {
        // Only numbers of existing states are used.
        self.states.get(usize::from(at)).copied().unwrap_or(State {
            byte: 0,
            children: 0,
            suffix: ROOT,
            found: NONE,
            pattern: NONE,
        })
    }

    fn set(&mut self, at: u16, to: impl FnOnce(&mut State)) {
        if let Some(state) = self.states.get_mut(usize::from(at)) {
            to(state);
        }
    }
}

/// How many states the trie of patterns has: the root, and for each pattern the bytes that it does not share with the
/// pattern before it.
fn count(patterns: &[u16], byte: impl Fn(u16, usize) -> Option<u8>) -> usize {
    let mut count: usize = 1;
    let mut before = None;

    for &pattern in patterns {
        let mut shared = true;
        let mut depth: usize = 0;
        while let Some(this) = byte(pattern, depth) {
            shared = shared && before.and_then(|before| byte(before, depth)) == Some(this);
            count = count.wrapping_add(usize::from(!shared));
            depth = depth.wrapping_add(1);
        }
        before = Some(pattern);
    }
    count
}
