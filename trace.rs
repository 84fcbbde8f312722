// SPDX-License-Identifier: GPL-2.0

//! The trace of a target: each request is counted, searched, and recorded for the log.
//!
//! Nothing in [`Trace::request`] waits, allocates, or fails the request. If the pool is full, the request proceeds
//! unrecorded, and that is counted.
//!
//! Lock order: `changes`, then `name` or `log`, then the mutex within the pool. No lock is taken within `edges`.

mod counters;
mod drain;
mod examine;
mod log;
mod message;
mod record;
mod request;
mod search;
mod settings;
mod status;
mod stopwatch;
mod sys;

use self::{
    counters::Counters,
    log::Log,
    settings::Current,
    stopwatch::Stopwatch,
    sys::{
        events,
        ids::Ids,
        pool::Pool, //
    },
};
use crate::{
    config::{
        arguments::Params,
        budget::{
            HistoryNeed,
            Need,
            Shortage, //
        },
        table::Table, //
    },
    dm::{
        MappedDevice,
        MappedName,
        TargetName, //
    },
    search::edges::Edges,
    sys::{
        memory::{
            self,
            Kernel, //
        },
        random, //
    },
};

pub(crate) use self::{
    request::{
        HasInFlight,
        InFlight, //
    },
    search::{
        ConfigError,
        Search, //
    },
    settings::Settings,
    sys::events::{
        table_is_traced,
        TableEvent, //
    },
};
use core::sync::atomic::{
    AtomicBool,
    AtomicU32, //
};
use kernel::{
    fmt, new_mutex, new_spinlock,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SpinLock, //
    },
};

/// The trace of one target.
#[pin_data]
pub(crate) struct Trace {
    #[pin]
    settings: Current,
    counters: Counters,
    /// The number of the mapped device, its last known name, and the ids of its requests.
    device: u32,
    #[pin]
    name: Mutex<MappedName>,
    ids: Ids,
    /// The edges of recent writes. `map` takes the lock to look up and copy them.
    #[pin]
    edges: SpinLock<Edges<Kernel>>,
    #[pin]
    pool: Pool,
    /// Whether the worker will run, and see what is sent before that.
    scheduled: AtomicBool,
    /// Whether the line about the start has been printed.
    announced: AtomicBool,
    /// Runs from the start of a suspend until the resume.
    suspending: Stopwatch,
    /// Runs from the time that I/O waits for the log, until I/O starts again.
    finishing: Stopwatch,
    /// How many marks are in progress.
    marks: AtomicU32,
    /// Held while the settings change.
    #[pin]
    changes: Mutex<()>,
    #[pin]
    log: Mutex<Log>,
}

/// The approximate size of a trace in bytes, without its pool, its edges and the per-CPU data. Most of it is for the
/// log and the search.
const SIZE: u64 = 256 << 10;

impl Trace {
    /// The settings of a table, if there is memory for what they ask for. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, too little memory, or what is wrong with a pattern.
    pub(crate) fn prepare(
        table: Table<Kernel>,
        history: HistoryNeed,
    ) -> Result<KBox<Settings>, ConfigError> {
        let Table { params, patterns } = table;
        let need = Need {
            records: Pool::size(params.records),
            edges: Edges::<Kernel>::size(params.edges),
            history,
            other: SIZE
                .saturating_add(Counters::size())
                .saturating_add(Current::size()),
        };
        if let Some(shortage) = Shortage::of(&params, need, memory::available()) {
            return Err(ConfigError::Shortage(shortage));
        }
        Settings::new(&params, Search::new(patterns, params.places)?)
    }

    /// A trace with its pool, for the target of that name in that mapped device. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        settings: KBox<Settings>,
        name: TargetName,
        mapped: MappedDevice<'_>,
    ) -> Result<Arc<Self>> {
        let records = settings.params.records;
        let edges = Edges::new(settings.params.edges, random::number())?;
        let log = Log::new(settings.params.label, name)?;

        Arc::pin_init(
            try_pin_init!(Self {
                settings <- Current::new(settings),
                counters <- Counters::new(),
                device: mapped.number(),
                name <- new_mutex!(mapped.name().unwrap_or_default(), "imgrement_name"),
                ids: Ids::new(*device)?,
                edges <- new_spinlock!(edges, "imgrement_edges"),
                pool <- Pool::new(records),
                scheduled: AtomicBool::new(false),
                announced: AtomicBool::new(false),
                suspending: Stopwatch::new(),
                finishing: Stopwatch::new(),
                marks: AtomicU32::new(0),
                changes <- new_mutex!((), "imgrement_changes"),
                log <- new_mutex!(log, "imgrement_log"),
            }),
            GFP_KERNEL,
        )
    }

    /// Reports what has happened to the line of the table to listeners. May sleep.
    pub(crate) fn tell_table(
        &self,
        mapped: MappedDevice<'_>,
        lower: u32,
        line: fmt::Arguments<'_>,
        event: TableEvent,
    ) {
        let mut name = self.name.lock();

        if let Some(now) = mapped.name() {
            *name = now;
        }
        events::table(self.device, name.as_bytes(), lower, line, event);
    }

    /// The settings, as in a table line.
    pub(crate) fn settings(&self) -> (Params, Arc<Search>) {
        let settings = self.settings.read();
        (settings.params, settings.search.clone())
    }

    fn params(&self) -> Params {
        self.settings.read().params
    }
}
