// SPDX-License-Identifier: GPL-2.0

//! The trace events, by which programs see what passes (`docs/events.md`).
//!
//! A leaf with `unsafe`: the kernel crate's trace points are for the kernel's own tree, so that the events are
//! defined in C (`trace/events.h`), and called through `trace/events.c`.

#![allow(unsafe_code)]

use super::{
    bindings,
    memory::Kernel, //
};
use crate::{
    bytes::{
        cut::Cut,
        word::Escaped, //
    },
    config::keyword::MARK_MAX,
    memory::Memory,
    record::{
        Delta,
        Flags,
        Op,
        Where,
        SECTOR_SIZE, //
    }, //
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::{
    fmt::{
        self,
        Write, //
    },
    prelude::*, //
};

/// An event that requests make.
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

/// To which events somebody listens.
#[derive(Clone, Copy)]
pub(crate) struct Listeners(u32);

impl Listeners {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// At present. In any context.
    #[inline]
    pub(crate) fn now() -> Self {
        // SAFETY: It is there as long as the module, and C only writes whole words to it.
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

    /// Whether there are any.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether this event has any.
    #[inline]
    pub(crate) fn to(self, event: Event) -> bool {
        self.0 & event as u32 != 0
    }
}

/// What a request has, and what was found in it.
pub(crate) type Hits = bindings::imgrement_hits;

impl Hits {
    /// So many occurrences of patterns were found in pages, in copies, across deltas and across requests.
    pub(crate) fn found(&mut self, page: u64, copy: u64, across: u64, requests: u64) {
        let word = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let all = page.saturating_add(across).saturating_add(requests);

        self.hits = word(all);
        self.page = word(page);
        self.copy = word(copy);
        self.across = word(across);
    }
}

/// What events tell of a request, and what is kept of it until it has come back.
pub(crate) struct Told {
    request: bindings::imgrement_request,
    /// When it was sent on, in nanoseconds; 0 where that is not known.
    began: i64,
}

impl Told {
    /// A request of which nobody has been told.
    #[inline]
    pub(crate) fn of(op: Op, flags: Flags, sector: u64, bytes: u32) -> Self {
        Self {
            request: bindings::imgrement_request {
                id: 0,
                sector,
                bytes,
                flags: flags.bits(),
                op: op.code(),
                command: [0; bindings::IMGREMENT_COMMAND as usize],
            },
            began: 0,
        }
    }

    /// The task that runs sends it on now, under this id. The clock is read only where there are listeners to
    /// its end. In any context.
    #[inline]
    pub(crate) fn begin(&mut self, id: u64, listeners: Listeners) {
        self.request.id = id;
        // SAFETY: There is room for a name.
        unsafe { bindings::imgrement_command(self.request.command.as_mut_ptr()) };
        if listeners.to(Event::Complete) {
            self.began = now();
        }
    }

    /// What it does.
    pub(crate) fn op(&self) -> Op {
        Op::from_code(self.request.op).unwrap_or(Op::Other)
    }

    /// How.
    pub(crate) fn flags(&self) -> Flags {
        Flags::from_bits(self.request.flags).unwrap_or_default()
    }

    /// Its first sector, on the underlying device.
    pub(crate) fn sector(&self) -> u64 {
        self.request.sector
    }

    /// How many bytes it covers.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.request.bytes)
    }

    /// It begins at another sector.
    pub(crate) fn move_to(&mut self, sector: u64) {
        self.request.sector = sector;
    }
}

/// What a request has and what is found in it, and who is told of that at once.
pub(crate) struct Teller {
    place: Place,
    listeners: Listeners,
    /// What there is so far.
    pub(crate) hits: Hits,
}

impl Teller {
    /// Nothing was found so far in a request to `device` of so many segments.
    pub(crate) fn new(device: u32, told: &Told, segments: usize, listeners: Listeners) -> Self {
        Self {
            place: Place {
                device,
                id: told.request.id,
                sector: told.request.sector,
                read: told.op() == Op::Read,
            },
            listeners,
            hits: Hits {
                deltas: u32::try_from(segments).unwrap_or(u32::MAX),
                ..Hits::default()
            },
        }
    }

    /// Tells those who listen of a segment that has been searched. In any context.
    pub(crate) fn delta(&self, delta: &Delta) {
        if self.listeners.to(Event::Delta) {
            let Place { device, id, .. } = self.place;

            // SAFETY: It takes any numbers.
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

    /// Where the request is, if somebody listens to what is found in it.
    pub(crate) fn place(&self) -> Option<Place> {
        match self.listeners.to(Event::Match) {
            true => Some(self.place),
            false => None,
        }
    }
}

/// Where a request is that is searched.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    device: u32,
    id: u64,
    sector: u64,
    /// Whether it is what was read that is searched.
    read: bool,
}

impl Place {
    /// Room for any name that was given to a pattern, escaped; a text that stands for itself may be cut.
    const NAME: usize = 3 * 64 + 1;

    /// Tells of an occurrence of the pattern that is shown so. It begins so many bytes behind the beginning of
    /// the request, or before it. In any context.
    #[inline(never)]
    pub(crate) fn found(&self, shown: &[u8], at: Where, offset: i64) {
        let mut room = [0; Self::NAME];
        let mut name = Cut::new(&mut room);
        // Never fails.
        let _ = write!(name, "{}", Escaped(shown));
        let place = match (self.read, at) {
            (true, _) => 3,
            (false, Where::Page | Where::Copy) => 0,
            (false, Where::Across) => 1,
            (false, Where::Requests) => 2,
        };
        // Bytes of the disk, which are fewer than to wrap.
        let byte = self
            .sector
            .wrapping_mul(SECTOR_SIZE)
            .wrapping_add_signed(offset);

        // SAFETY: The name ends with a NUL, and is there during the call.
        unsafe {
            bindings::imgrement_trace_match(
                self.device,
                self.id,
                name.finish().as_ptr().cast(),
                place,
                byte / SECTOR_SIZE,
                (byte % SECTOR_SIZE) as u32,
            );
        }
    }
}

/// Tells of a mark, of which the text is unescaped. In any context.
pub(crate) fn mark(device: u32, text: &[u8]) {
    let mut room = [0; 3 * MARK_MAX + 1];
    let mut out = Cut::new(&mut room);
    let _ = write!(out, "{}", Escaped(text));

    // SAFETY: The text ends with a NUL, and is there during the call.
    unsafe { bindings::imgrement_trace_mark(device, out.finish().as_ptr().cast()) };
}

/// What has become of a line of a table.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// It has been loaded, and is not used yet.
    Loaded = 0,
    /// It is used from now on.
    Resumed = 1,
    /// A message has changed it.
    Changed = 2,
    /// A message has set its counters to 0.
    Reset = 3,
    /// It is not used for now.
    Suspended = 4,
    /// It is gone.
    Removed = 5,
}

/// Whether somebody listens to [`table`]. In any context.
pub(crate) fn table_is_traced() -> bool {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_table_is_traced() }
}

/// How many bytes of a line an event has, so that it fits into a page.
const LINE_MAX: usize = 3072;

/// Tells of a line of the table of `device`, which has this name, unescaped, and uses `lower`. May sleep.
#[inline(never)]
pub(crate) fn table(device: u32, name: &[u8], lower: u32, line: fmt::Arguments<'_>, why: Why) {
    let mut room = [0; 3 * 127 + 1];
    let mut out = Cut::new(&mut room);
    let _ = write!(out, "{}", Escaped(name));
    let name = out.finish();

    // Without memory it is cut to nothing, and says so.
    let mut small = [0; 8];
    let mut large = Kernel::array(&0, LINE_MAX).ok();
    let mut out = Cut::new(large.as_deref_mut().unwrap_or(&mut small));
    let _ = out.write_fmt(line);
    let line = out.finish();

    // SAFETY: The texts end with a NUL, and are there during the call.
    unsafe {
        bindings::imgrement_trace_table(
            device,
            name.as_ptr().cast(),
            lower,
            line.as_ptr().cast(),
            why as u8,
        );
    }
}

/// Tells of a request to `device` that the task that runs sends on. In any context.
pub(crate) fn request(device: u32, told: &Told, hits: &Hits) {
    // SAFETY: The structs are there during the call.
    unsafe { bindings::imgrement_trace_request(device, &told.request, hits) };
}

/// Tells of a request to `device` that has come back, and how. In any context.
pub(crate) fn complete(device: u32, told: &Told, result: Result) {
    let errno = result.map_or_else(|error| error.to_errno().wrapping_neg(), |()| 0);
    let latency = match told.began {
        0 => 0,
        // The clock does not go back; where it has not gone on, it has been less than its step.
        began => now().wrapping_sub(began).max(1) as u64,
    };

    // SAFETY: The struct is there during the call.
    unsafe { bindings::imgrement_trace_complete(device, &told.request, errno, latency) };
}

/// The time, in nanoseconds, from a clock that only goes forwards. In any context.
fn now() -> i64 {
    // SAFETY: It may be called in any context, once the kernel has started.
    unsafe { kernel::bindings::ktime_get() }
}
