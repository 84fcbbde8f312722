// SPDX-License-Identifier: GPL-2.0

//! Brings the events of several CPUs into the order of their times. Nothing is allocated for an event: it stays in the
//! page that it was read in.

use imgrement_core::ring::{
    layout::Layout,
    page::{
        Lost,
        Page, //
    },
};
use std::{
    cmp::Reverse,
    collections::{
        BinaryHeap,
        VecDeque, //
    },
};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen<'e> {
    /// An event.
    Event(Event<'e>),
    /// The kernel dropped events.
    Lost {
        /// The time of the next event of this CPU.
        time: u64,
        /// The CPU.
        cpu: u32,
        /// How many. `None` if the kernel does not say.
        events: Option<u64>,
    },
}

impl Seen<'_> {
    /// The same with another number for the kind of event. If it has none, the event is of no kind.
    pub(crate) fn with_kind(self, number: impl FnOnce(usize) -> Option<usize>) -> Self {
        match self {
            Self::Event(event) => Self::Event(Event {
                kind: number(event.kind).unwrap_or(usize::MAX),
                ..event
            }),
            Self::Lost { .. } => self,
        }
    }
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'e> {
    /// When it happened, in nanoseconds of the monotonic clock.
    pub(crate) time: u64,
    /// The CPU that it happened on.
    pub(crate) cpu: u32,
    /// The index of its kind.
    pub(crate) kind: usize,
    /// Its bytes.
    pub(crate) bytes: &'e [u8],
}

/// Where an event is.
#[derive(Clone, Copy, Debug)]
struct Entry {
    time: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Event { kind: u8, length: u16, start: u32 },
    Lost,
}

/// How many events of a CPU wait, and no page more, while others are left in its buffer. These fit into a cache.
const STEP: usize = 1 << 12;

/// What was read from the buffer of a CPU, and not yet passed on.
#[derive(Debug)]
struct Queue {
    cpu: u32,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// How many of the entries were passed on.
    done: usize,
    /// The time of the last event that was read.
    last: u64,
    /// The numbers of lost events, for the entries that say so.
    lost: VecDeque<Option<u64>>,
}

impl Queue {
    /// Whether enough was read: all of the span, or as many events as shall wait, of which some can be passed on.
    fn has_enough(&self, span: Span) -> bool {
        let first = self.entries.get(self.done);
        let many = self.entries.len().saturating_sub(self.done) >= STEP
            && first.is_some_and(|first| first.time < self.last.min(span.pass));
        many || self.last >= span.read
    }

    /// Passes on what happened before `until`, and not after `next`.
    fn pass<E>(
        &mut self,
        until: u64,
        next: u64,
        to: &mut impl FnMut(Seen<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(entry) = self.entries.get(self.done) {
            if entry.time >= until || entry.time > next {
                break;
            }
            self.done += 1;
            match entry.what {
                What::Event {
                    kind,
                    length,
                    start,
                } => {
                    let start = usize::try_from(start).unwrap_or(usize::MAX);
                    let end = start.saturating_add(usize::from(length));
                    to(Seen::Event(Event {
                        time: entry.time,
                        cpu: self.cpu,
                        kind: usize::from(kind),
                        bytes: self.bytes.get(start..end).unwrap_or_default(),
                    }))?;
                }
                What::Lost => to(Seen::Lost {
                    time: entry.time,
                    cpu: self.cpu,
                    events: self.lost.pop_front().flatten(),
                })?,
            }
        }
        Ok(())
    }

    /// Drops what was passed on, if that is half of it.
    fn compact(&mut self) {
        if self.done < self.entries.len().div_ceil(2) {
            return;
        }
        let first = self.entries.iter().skip(self.done);
        let first = first.clone().find_map(|entry| match entry.what {
            What::Event { start, .. } => Some(start),
            What::Lost => None,
        });
        let Some(first) = first else {
            self.entries.drain(..self.done);
            self.done = 0;
            self.bytes.clear();
            return;
        };
        self.entries.drain(..self.done);
        self.done = 0;
        let dropped = usize::try_from(first).unwrap_or(0).min(self.bytes.len());
        self.bytes.drain(..dropped);
        for entry in &mut self.entries {
            if let What::Event { start, .. } = &mut entry.what {
                *start = start.saturating_sub(first);
            }
        }
    }
}

/// What a round is to take: what happened before these times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// This is passed on.
    pub(crate) pass: u64,
    /// This is read.
    pub(crate) read: u64,
}

impl Span {
    /// All there is.
    pub(crate) const ALL: Self = Self {
        pass: u64::MAX,
        read: u64::MAX,
    };
}

/// What a round has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    /// All that happened before this time was passed on.
    pub(crate) until: u64,
    /// There may be more pages with events of the span.
    pub(crate) more: bool,
}

/// The events of several CPUs.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    layout: Layout,
    numbers: Vec<u16>,
    queues: Vec<Queue>,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Merge {
    /// For the events of these CPUs, in pages of this layout. The index of a kind is that of its number.
    pub(crate) fn new(layout: Layout, numbers: Vec<u16>, cpus: impl Iterator<Item = u32>) -> Self {
        let queue = |cpu| Queue {
            cpu,
            bytes: Vec::new(),
            entries: Vec::new(),
            done: 0,
            last: 0,
            lost: VecDeque::new(),
        };
        Self {
            layout,
            numbers,
            queues: cpus.map(queue).collect(),
            heads: BinaryHeap::new(),
        }
    }

    /// Adds a page of the CPU of this index. `fill` writes the page, and returns its length, or `None` if there is none.
    /// Returns whether there was one.
    fn add<E>(
        &mut self,
        index: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<Option<usize>, E>,
    ) -> Result<bool, E> {
        let Some(queue) = self.queues.get_mut(index) else {
            return Ok(false);
        };
        let start = queue.bytes.len();
        queue.bytes.resize(start + self.layout.page_size(), 0);
        let filled = fill(queue.bytes.get_mut(start..).unwrap_or_default());
        let length = match filled {
            Ok(Some(length)) => length,
            Ok(None) => {
                queue.bytes.truncate(start);
                return Ok(false);
            }
            Err(error) => {
                queue.bytes.truncate(start);
                return Err(error);
            }
        };
        queue.bytes.truncate(start + length);
        let bytes = queue.bytes.get(start..).unwrap_or_default();
        let Some(mut page) = Page::new(&self.layout, bytes) else {
            queue.bytes.truncate(start);
            return Ok(true);
        };
        queue.last = page.time();
        if let Some(lost) = page.lost() {
            queue.entries.push(Entry {
                time: queue.last,
                what: What::Lost,
            });
            queue.lost.push_back(match lost {
                Lost::Known(number) => Some(number),
                Lost::Unknown => None,
            });
        }
        while let Some(event) = page.next() {
            queue.last = event.time;
            // The first field of each event is the number of its kind.
            let number = event.bytes.first_chunk().copied().map(u16::from_ne_bytes);
            let kind = self.numbers.iter().position(|known| Some(*known) == number);
            let at = page.place().saturating_sub(event.bytes.len());
            let (Some(kind), Ok(start), Ok(length)) = (
                kind.and_then(|kind| u8::try_from(kind).ok()),
                u32::try_from(start.saturating_add(at)),
                u16::try_from(event.bytes.len()),
            ) else {
                continue;
            };
            queue.entries.push(Entry {
                time: event.time,
                what: What::Event {
                    kind,
                    length,
                    start,
                },
            });
        }
        Ok(true)
    }

    /// A round: adds pages of all CPUs, until there are no more or enough events wait, and passes on what happened in the
    /// span, and before all that may still be in the buffers. `fill` gets the index of the CPU, too.
    pub(crate) fn round<E>(
        &mut self,
        span: Span,
        mut fill: impl FnMut(usize, &mut [u8]) -> Result<Option<usize>, E>,
        to: impl FnMut(Seen<'_>) -> Result<(), E>,
    ) -> Result<Round, E> {
        let mut round = Round {
            until: span.pass,
            more: false,
        };
        for index in 0..self.queues.len() {
            let has_all = loop {
                let enough = self
                    .queues
                    .get(index)
                    .is_none_or(|queue| queue.has_enough(span));
                if enough {
                    break false;
                }
                if !self.add(index, |page| fill(index, page))? {
                    break true;
                }
            };
            let last = self.queues.get(index).map_or(u64::MAX, |queue| queue.last);
            if !has_all {
                round.until = round.until.min(last);
                round.more |= last < span.pass.min(span.read);
            }
        }
        self.pass(round.until, to)?;
        Ok(round)
    }

    /// Passes on what happened before this time, in order.
    fn pass<E>(
        &mut self,
        until: u64,
        mut to: impl FnMut(Seen<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.heads.clear();
        for (index, queue) in self.queues.iter().enumerate() {
            if let Some(entry) = queue.entries.get(queue.done) {
                self.heads.push(Reverse((entry.time, index)));
            }
        }
        let mut result = Ok(());
        while let Some(Reverse((_, index))) = self.heads.pop() {
            // Events of this CPU follow as long as no other CPU has an earlier one.
            let next = self.heads.peek().map_or(until, |Reverse((time, _))| *time);
            let Some(queue) = self.queues.get_mut(index) else {
                continue;
            };
            result = queue.pass(until, next, &mut to);
            if result.is_err() {
                break;
            }
            if let Some(entry) = queue.entries.get(queue.done) {
                if entry.time < until {
                    self.heads.push(Reverse((entry.time, index)));
                }
            }
        }
        self.queues.iter_mut().for_each(Queue::compact);
        result
    }
}
