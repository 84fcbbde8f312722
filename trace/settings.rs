// SPDX-License-Identifier: GPL-2.0

//! What a table set, and messages have changed since.

use super::{
    search::{
        Search,
        Unfit, //
    },
    swap::{
        Reading,
        Swap, //
    }, //
};
use crate::{
    params::Params,
    record::Op, //
};
use core::sync::atomic::{
    AtomicU8,
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
    pub(crate) fn new(params: Params, search: Arc<Search>) -> Result<KBox<Self>, Unfit> {
        Ok(KBox::new(Self { params, search }, GFP_KERNEL)?)
    }
}

/// The settings as they are now. Most requests need no more of them than whether they ask for
/// anything at all.
#[pin_data]
pub(crate) struct Current {
    #[pin]
    settings: Swap<Settings>,
    wanted: AtomicU8,
}

/// Something is wanted of each request.
const ALL: u8 = 1 << 0;
/// Something is wanted of requests that write.
const WRITES: u8 = 1 << 1;
/// Reads are searched.
const READS: u8 = 1 << 2;

impl Current {
    /// Begins with `settings`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(settings: KBox<Settings>) -> impl PinInit<Self, Error> {
        let wanted = wanted(&settings);

        try_pin_init!(Self {
            wanted: AtomicU8::new(wanted),
            settings <- Swap::new(settings),
        })
    }

    /// Whether anything is wanted of a request of this kind beyond its being counted. One that comes
    /// while the settings are changed may be judged by either. In any context.
    #[inline]
    pub(crate) fn want(&self, op: Op) -> bool {
        let kinds = match op {
            Op::Read => ALL | READS,
            _ if op.writes() => ALL | WRITES,
            _ => ALL,
        };
        self.wanted.load(Ordering::Relaxed) & kinds != 0
    }

    /// Whether a request of this kind is to be looked at when it has come back. In any context.
    #[inline]
    pub(crate) fn want_late(&self, op: Op) -> bool {
        op == Op::Read && self.wanted.load(Ordering::Relaxed) & READS != 0
    }

    /// The settings. Who has them must not wait for [`Self::replace`]. In any context but an NMI's.
    #[inline]
    pub(crate) fn read(&self) -> Reading<'_, Settings> {
        self.settings.read()
    }

    /// Changes the settings. Sleeps until nobody reads those before. One at a time.
    pub(crate) fn replace(&self, settings: KBox<Settings>) {
        let wanted = wanted(&settings);

        self.settings.replace(settings);
        self.wanted.store(wanted, Ordering::Relaxed);
    }
}

fn wanted(settings: &Settings) -> u8 {
    let Settings { params, search } = settings;
    let mut wanted = 0;

    if params.log {
        wanted |= ALL;
    }
    if params.data || params.ops.write && search.is_wanted() {
        wanted |= WRITES;
    }
    if params.ops.read && search.is_wanted() {
        wanted |= READS;
    }
    wanted
}
