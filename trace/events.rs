// SPDX-License-Identifier: GPL-2.0

//! The trace events, by which programs see what passes (`docs/events.md`).
//!
//! A leaf with `unsafe`: the kernel crate's trace points are for the kernel's own tree, so that the events are
//! defined in C (`trace/events.h`), and called through `trace/events.c`.

#![allow(unsafe_code)]

use super::bindings;
use crate::record::{
    Flags,
    Op, //
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::prelude::*;

/// An event that requests make.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// `imgrement:request`.
    Request = bindings::IMGREMENT_REQUEST as isize,
    /// `imgrement:complete`.
    Complete = bindings::IMGREMENT_COMPLETE as isize,
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
    pub(crate) const MASK: u32 = bindings::IMGREMENT_REQUEST | bindings::IMGREMENT_COMPLETE;

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
