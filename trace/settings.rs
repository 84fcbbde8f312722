// SPDX-License-Identifier: GPL-2.0

//! The settings of a table, with the changes that messages have made since.

use super::{
    search::{
        ConfigError,
        Search, //
    },
    sys::{
        events::Listeners,
        swap::{
            Reading,
            Swap, //
        },
    },
};
use crate::{
    config::arguments::Params,
    record::Op,
    sys::percpu, //
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The settings of a target at one time.
pub(crate) struct Settings {
    pub(crate) params: Params,
    pub(crate) search: Arc<Search>,
}

impl Settings {
    /// These settings. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    // They are made on the stack, which its callers need for more.
    #[inline(never)]
    pub(crate) fn new(params: &Params, search: Arc<Search>) -> Result<KBox<Self>, ConfigError> {
        let params = *params;
        Ok(KBox::new(Self { params, search }, GFP_KERNEL)?)
    }
}

/// The current settings. For most requests, it is enough to know whether they ask for anything at all.
#[pin_data]
pub(crate) struct Current {
    #[pin]
    settings: Swap<Settings>,
    /// What is wanted, in bits. Above them is the number of replacements of the settings.
    wanted: AtomicU32,
}

/// The log is on: something is wanted of each request.
const LOG: u32 = 1 << 0;
/// Something else is wanted of writes.
const WRITES: u32 = 1 << 1;
/// Reads are searched.
const READS: u32 = 1 << 2;
/// The log is on, but takes no more requests for now.
const CLOSED: u32 = 1 << 3;
/// More than a search is wanted of requests that write.
const MORE: u32 = 1 << 8;
/// One replacement of the settings.
const REPLACED: u32 = 1 << 9;

// The bits are tested together.
const _: () = assert!(Listeners::MASK & (LOG | WRITES | READS | CLOSED | MORE) == 0);

/// What is wanted of a request, apart from counting it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Nothing.
    Nothing,
    /// Count it as left out of the log.
    LeftOut,
    /// Search it: it is a write, and nothing else is wanted of it.
    Search,
    /// Examine it.
    Look,
}

/// The settings as they were at one time; see [`Current::close_log`].
#[derive(Clone, Copy)]
pub(crate) struct Seen(u32);

impl Current {
    /// The approximate size in bytes of the per-CPU data for readers, which SRCU keeps.
    pub(crate) fn size() -> u64 {
        percpu::size::<[u64; 64]>()
    }

    /// Begins with `settings`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(settings: KBox<Settings>) -> impl PinInit<Self, Error> {
        let wanted = wanted(&settings);

        try_pin_init!(Self {
            wanted: AtomicU32::new(wanted),
            settings <- Swap::new(settings),
        })
    }

    /// What the settings or `listeners` want of a request of this kind, apart from counting it. While the settings are
    /// being changed, either set may apply. In any context.
    #[inline]
    pub(crate) fn want(&self, op: Op, listeners: Listeners) -> Want {
        // The number of replacements is above these bits.
        let wanted = self.wanted.load(Ordering::Relaxed) | listeners.bits();
        let searched = if op == Op::Read {
            READS
        } else if op.writes() {
            WRITES
        } else {
            0
        };
        let others = searched | Listeners::MASK;

        if wanted & (others | LOG) == 0 {
            Want::Nothing
        } else if wanted & (others | CLOSED) == CLOSED {
            Want::LeftOut
        } else if op.writes() && wanted & (LOG | MORE | Listeners::MASK) == 0 {
            Want::Search
        } else {
            Want::Look
        }
    }

    /// Whether the log takes no more requests for now. In any context.
    #[inline]
    pub(crate) fn is_log_closed(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// The state of the settings now, for [`Self::close_log`].
    pub(crate) fn seen(&self) -> Seen {
        Seen(self.wanted.load(Ordering::Acquire))
    }

    /// Closes the log, or opens it again. It stays open if the settings have been replaced since `seen`, because the
    /// new ones may allow more. Returns whether this call opened it.
    pub(crate) fn close_log(&self, Seen(seen): Seen, closed: bool) -> bool {
        if !closed {
            // All CPUs read it, so it is written only if that changes it.
            return self.is_log_closed()
                && self.wanted.fetch_and(!CLOSED, Ordering::Relaxed) & CLOSED != 0;
        }
        if seen & LOG != 0 {
            // If another task has replaced them or closed it meanwhile, there is nothing left to do.
            let _ = self.wanted.compare_exchange(
                seen & !CLOSED,
                seen | CLOSED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        false
    }

    /// Whether a request of this kind is examined when it has completed. In any context.
    #[inline]
    pub(crate) fn want_late(&self, op: Op) -> bool {
        op == Op::Read && self.wanted.load(Ordering::Relaxed) & READS != 0
    }

    /// The settings. The task that has them must not wait for [`Self::replace`]. In any context except an NMI's.
    #[inline]
    pub(crate) fn read(&self) -> Reading<'_, Settings> {
        self.settings.read()
    }

    /// Replaces the settings, and opens the log if it was closed. Sleeps until nothing reads the old ones. One at a
    /// time.
    pub(crate) fn replace(&self, settings: KBox<Settings>) {
        let wanted = wanted(&settings);

        self.settings.replace(settings);
        let replaced = self.wanted.load(Ordering::Relaxed) & !(REPLACED - 1);
        self.wanted
            .store(replaced.wrapping_add(REPLACED) | wanted, Ordering::Release);
    }
}

fn wanted(settings: &Settings) -> u32 {
    let Settings { params, search } = settings;
    let mut wanted = 0;

    if params.log {
        wanted |= LOG;
    }
    // With the log on, a write that the log leaves out and that is not searched is not copied either.
    if params.ops.write && search.is_wanted() || params.data && !params.log {
        wanted |= WRITES;
    }
    if params.data || params.edges != 0 {
        wanted |= MORE;
    }
    if params.ops.read && search.is_wanted() {
        wanted |= READS;
    }
    wanted
}
