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

/// What was read from the buffer of a CPU, and not yet passed on.
#[derive(Debug)]
struct Queue {
    cpu: u32,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// How many of the entries were passed on.
    done: usize,
    /// The numbers of lost events, for the entries that say so.
    lost: VecDeque<Option<u64>>,
}

impl Queue {
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

    /// Drops what was passed on.
    fn compact(&mut self) {
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

/// The events of several CPUs.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    queues: Vec<Queue>,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Merge {
    /// For the events of these CPUs.
    pub(crate) fn new(cpus: impl Iterator<Item = u32>) -> Self {
        let queue = |cpu| Queue {
            cpu,
            bytes: Vec::new(),
            entries: Vec::new(),
            done: 0,
            lost: VecDeque::new(),
        };
        Self {
            queues: cpus.map(queue).collect(),
            heads: BinaryHeap::new(),
        }
    }

    /// Adds a page of the CPU of this index. `fill` writes the page, and returns its length, or `None` if there is none.
    /// Returns the time of its last event, or `None` if there was no page.
    pub(crate) fn add<E>(
        &mut self,
        index: usize,
        layout: &Layout,
        numbers: &[u16],
        fill: impl FnOnce(&mut [u8]) -> Result<Option<usize>, E>,
    ) -> Result<Option<u64>, E> {
        let Some(queue) = self.queues.get_mut(index) else {
            return Ok(None);
        };
        let start = queue.bytes.len();
        queue.bytes.resize(start + layout.page_size(), 0);
        let filled = fill(queue.bytes.get_mut(start..).unwrap_or_default());
        let length = match filled {
            Ok(Some(length)) => length,
            Ok(None) => {
                queue.bytes.truncate(start);
                return Ok(None);
            }
            Err(error) => {
                queue.bytes.truncate(start);
                return Err(error);
            }
        };
        queue.bytes.truncate(start + length);
        let bytes = queue.bytes.get(start..).unwrap_or_default();
        let Some(mut page) = Page::new(layout, bytes) else {
            queue.bytes.truncate(start);
            return Ok(Some(0));
        };
        let mut last = page.time();
        if let Some(lost) = page.lost() {
            queue.entries.push(Entry {
                time: last,
                what: What::Lost,
            });
            queue.lost.push_back(match lost {
                Lost::Known(number) => Some(number),
                Lost::Unknown => None,
            });
        }
        while let Some(event) = page.next() {
            last = event.time;
            // The first field of each event is the number of its kind.
            let number = event.bytes.first_chunk().copied().map(u16::from_ne_bytes);
            let kind = numbers.iter().position(|known| Some(*known) == number);
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
        Ok(Some(last))
    }

    /// Passes on what happened before this time, in order.
    pub(crate) fn pass<E>(
        &mut self,
        until: u64,
        mut to: impl FnMut(Seen<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.heads.clear();
        for (index, queue) in self.queues.iter().enumerate() {
            if let Some(entry) = queue.entries.first() {
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
