// SPDX-License-Identifier: GPL-2.0

//! The trace events, by which programs see requests (`docs/events.md`).
//!
//! A leaf with `unsafe`: the kernel crate's tracepoints are for the kernel's own tree. So the events are defined in C
//! (`trace/events.h`), and called through `trace/events.c`.

#![allow(unsafe_code)]

use super::bindings;
use crate::{
    bytes::{
        cut::Cut,
        word::Escaped, //
    },
    config::{
        keyword::MARK_MAX,
        pattern::NAME_MAX, //
    },
    memory::Memory,
    record::{
        Delta,
        Flags,
        Op,
        Scope,
        SECTOR_SIZE, //
    },
    sys::memory::Kernel, //
};
use core::{
    cell::Cell,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    }, //
};
use kernel::{
    fmt::{
        self,
        Write, //
    },
    prelude::*, //
};

/// An event about a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// `imgrement:request`.
    Request = bindings::IMGREMENT_REQUEST as isize,
    /// `imgrement:complete`.
    Complete = bindings::IMGREMENT_COMPLETE as isize,
    /// `imgrement:delta`.
    Delta = bindings::IMGREMENT_DELTA as isize,
    /// `imgrement:match`.
    Match = bindings::IMGREMENT_MATCH as isize,
}

/// The events that have listeners.
#[derive(Clone, Copy)]
pub(crate) struct Listeners(u32);

impl Listeners {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// The listeners at present. In any context.
    #[inline]
    pub(crate) fn now() -> Self {
        // SAFETY: It exists as long as the module, and C only writes whole words to it.
        let listeners = unsafe { AtomicU32::from_ptr(&raw mut bindings::imgrement_listeners) };

        Self(listeners.load(Ordering::Relaxed))
    }

    /// A bit for each event, all of them in [`Self::MASK`].
    #[inline]
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The bits of all events.
    pub(crate) const MASK: u32 = bindings::IMGREMENT_REQUEST
        | bindings::IMGREMENT_COMPLETE
        | bindings::IMGREMENT_DELTA
        | bindings::IMGREMENT_MATCH;

    /// Whether any event has one.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether this event has one.
    #[inline]
    pub(crate) fn to(self, event: Event) -> bool {
        self.0 & event as u32 != 0
    }
}

/// What was found in a request.
type Hits = bindings::imgrement_hits;

/// The data of a request for events, kept until it has completed.
pub(crate) struct RequestInfo {
    request: bindings::imgrement_request,
    /// When it was sent on, in nanoseconds; 0 if that is not known.
    began: i64,
}

impl RequestInfo {
    /// A request that no event has reported yet.
    #[inline]
    pub(crate) fn of(op: Op, flags: Flags, sector: u64, bytes: u32) -> Self {
        Self {
            request: bindings::imgrement_request {
                id: 0,
                sector,
                command: [0; 2],
                bytes,
                flags: flags.bits(),
                op: op.code(),
            },
            began: 0,
        }
    }

    /// The current task sends it on now, under this id. The clock is read only if there are listeners to its end.
    /// In any context.
    #[inline]
    pub(crate) fn begin(&mut self, id: u64, listeners: Listeners) {
        self.request.id = id;
        // SAFETY: There is space for a name.
        unsafe { bindings::imgrement_command(self.request.command.as_mut_ptr()) };
        if listeners.to(Event::Complete) {
            self.began = now();
        }
    }

    /// What it does.
    pub(crate) fn op(&self) -> Op {
        Op::from_code(self.request.op).unwrap_or(Op::Other)
    }

    /// Its first sector, on the underlying device.
    pub(crate) fn sector(&self) -> u64 {
        self.request.sector
    }

    /// How many bytes it covers.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.request.bytes)
    }

    /// Makes it begin at another sector.
    pub(crate) fn move_to(&mut self, sector: u64) {
        self.request.sector = sector;
    }
}

/// Reports one request to listeners, and what is found in it.
pub(crate) struct Reporter {
    matches: MatchReporter,
    listeners: Listeners,
    /// What has been found so far.
    hits: Cell<Hits>,
}

impl Reporter {
    /// Nothing has been found yet in a request to `device` with this many segments.
    pub(crate) fn new(
        device: u32,
        info: &RequestInfo,
        segments: usize,
        listeners: Listeners,
    ) -> Self {
        Self {
            matches: MatchReporter {
                device,
                id: info.request.id,
                sector: info.request.sector,
                read: info.op() == Op::Read,
            },
            listeners,
            hits: Cell::new(Hits {
                deltas: u32::try_from(segments).unwrap_or(u32::MAX),
                ..Hits::default()
            }),
        }
    }

    /// Reports a segment to listeners, after its search if there is one. In any context.
    pub(crate) fn delta(&self, delta: &Delta) {
        if self.listeners.to(Event::Delta) {
            let &MatchReporter { device, id, .. } = &self.matches;

            // SAFETY: It accepts any numbers.
            unsafe {
                bindings::imgrement_trace_delta(
                    device,
                    id,
                    delta.index,
                    delta.length,
                    delta.offset,
                    delta.first,
                    delta.page_hits,
                );
            }
        }
    }

    /// What reports the matches of the request, if they have a listener.
    pub(crate) fn matches(&self) -> Option<&MatchReporter> {
        match self.listeners.to(Event::Match) {
            true => Some(&self.matches),
            false => None,
        }
    }

    /// Sets how many occurrences of patterns were found in pages, in copies, across deltas and across requests.
    pub(crate) fn found(&self, page: u64, copy: u64, across: u64, requests: u64) {
        let word = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let all = page.saturating_add(across).saturating_add(requests);

        self.hits.set(Hits {
            hits: word(all),
            page: word(page),
            copy: word(copy),
            across: word(across),
            ..self.hits.take()
        });
    }

    /// Emits the event of the request, which the current task sends on. In any context.
    pub(crate) fn request(&self, info: &RequestInfo) {
        if self.listeners.to(Event::Request) {
            // Not a copy: that would have to wait until they have been written, as in `imgrement_command`.
            let hits = self.hits.as_ptr();

            // SAFETY: The structs live through the call, and nothing changes them meanwhile.
            unsafe {
                bindings::imgrement_trace_request(self.matches.device, &info.request, hits);
            }
        }
    }
}

/// Reports the matches of one request to listeners.
pub(crate) struct MatchReporter {
    device: u32,
    id: u64,
    sector: u64,
    /// Whether it is a read.
    read: bool,
}

/// How events show a pattern: escaped, and cut if it is a text that is too long.
///
/// # Invariants
///
/// It has a NUL.
#[derive(Clone, Copy)]
pub(crate) struct PatternName([u8; Self::ROOM]);

impl PatternName {
    /// Space for any name that can be given to a pattern.
    const ROOM: usize = 3 * NAME_MAX + 1;

    /// An empty name.
    // INVARIANT: It begins with a NUL.
    pub(crate) const EMPTY: Self = Self([0; Self::ROOM]);

    /// Makes it that of a pattern that is shown as `shown`.
    pub(crate) fn set(&mut self, shown: &[u8]) {
        let mut name = Cut::new(&mut self.0);
        // Never fails.
        let _ = write!(name, "{}", Escaped(shown));
        // INVARIANT: This adds a NUL.
        name.finish();
    }
}

impl MatchReporter {
    /// Reports an occurrence of the pattern of this name. It begins `offset` bytes after the start of the request, or
    /// before it. In any context.
    #[inline(never)]
    pub(crate) fn found(&self, name: &PatternName, at: Scope, offset: i64) {
        let place = match (self.read, at) {
            (true, _) => 3,
            (false, Scope::Page | Scope::Copy) => 0,
            (false, Scope::Across) => 1,
            (false, Scope::Requests) => 2,
        };
        // Bytes of the disk, which are too few to wrap.
        let byte = self
            .sector
            .wrapping_mul(SECTOR_SIZE)
            .wrapping_add_signed(offset);

        // SAFETY: By the invariant the name has a NUL, and it lives through the call.
        unsafe {
            bindings::imgrement_trace_match(
                self.device,
                self.id,
                name.0.as_ptr().cast(),
                place,
                byte / SECTOR_SIZE,
                (byte % SECTOR_SIZE) as u32,
            );
        }
    }
}

/// Reports a mark with this text, unescaped. In any context.
pub(crate) fn mark(device: u32, text: &[u8]) {
    let mut room = [0; 3 * MARK_MAX + 1];
    let mut out = Cut::new(&mut room);
    let _ = write!(out, "{}", Escaped(text));

    // SAFETY: The text ends with a NUL, and lives through the call.
    unsafe { bindings::imgrement_trace_mark(device, out.finish().as_ptr().cast()) };
}

/// What has happened to a line of a table.
#[derive(Clone, Copy)]
pub(crate) enum TableEvent {
    /// It has been loaded, and is not in use yet.
    Loaded = 0,
    /// It is in use from now on.
    Resumed = 1,
    /// A message has changed it.
    Changed = 2,
    /// A message has set its counters to 0.
    Reset = 3,
    /// It is not in use for now.
    Suspended = 4,
    /// It is gone.
    Removed = 5,
}

/// Whether [`table`] has a listener. In any context.
pub(crate) fn table_is_traced() -> bool {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_table_is_traced() }
}

/// How many bytes of a line fit into an event, which must fit into a page.
const LINE_MAX: usize = 3072;

/// Reports a line of the table of `device`, which has this name, unescaped, and uses `lower`. May sleep.
#[inline(never)]
pub(crate) fn table(
    device: u32,
    name: &[u8],
    lower: u32,
    line: fmt::Arguments<'_>,
    event: TableEvent,
) {
    let mut room = [0; 3 * 127 + 1];
    let mut out = Cut::new(&mut room);
    let _ = write!(out, "{}", Escaped(name));
    let name = out.finish();

    // Without memory, the line is cut to nothing, and says so.
    let mut small = [0; 8];
    let mut large = Kernel::array(&0, LINE_MAX).ok();
    let mut out = Cut::new(large.as_deref_mut().unwrap_or(&mut small));
    let _ = out.write_fmt(line);
    let line = out.finish();

    // SAFETY: The texts end with a NUL, and live through the call.
    unsafe {
        bindings::imgrement_trace_table(
            device,
            name.as_ptr().cast(),
            lower,
            line.as_ptr().cast(),
            event as u8,
        );
    }
}

/// Emits the event of a request to `device` that has completed with this result. In any context.
pub(crate) fn complete(device: u32, info: &RequestInfo, result: Result) {
    let errno = result.map_or_else(|error| error.to_errno().wrapping_neg(), |()| 0);
    let latency = match info.began {
        0 => 0,
        // The clock never goes back. If it has not advanced, less than one tick has passed.
        began => now().wrapping_sub(began).max(1) as u64,
    };

    // SAFETY: The struct lives through the call.
    unsafe { bindings::imgrement_trace_complete(device, &info.request, errno, latency) };
}

/// The time, in nanoseconds, from a monotonic clock. In any context.
fn now() -> i64 {
    // SAFETY: It may be called in any context, once the kernel has started.
    unsafe { kernel::bindings::ktime_get() }
}
