// SPDX-License-Identifier: GPL-2.0

//! A request on its way through: counted, searched, and recorded for the log.
//!
//! Nothing in [`Trace::request`] waits, allocates, or fails the request: where the pool has no room,
//! the request goes on unrecorded, and that is counted.
//!
//! Lock order: `changes`, then `log`, then the mutex within the pool. Nothing is locked within `edges`.

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
    settings::{
        Current,
        Settings, //
    },
    stopwatch::Stopwatch,
    sys::{
        events,
        ids::Ids,
        memory::{
            self,
            Kernel, //
        },
        pool::Pool,
        random, //
    },
};
use crate::{
    config::{
        arguments::Params,
        budget::{
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
};

pub(crate) use self::{
    request::InFlight,
    search::{
        Search,
        Unfit, //
    },
    sys::events::{
        table_is_traced,
        Why, //
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
    /// The number of the mapped device, the name that it had last, and the ids of its requests.
    device: u32,
    #[pin]
    name: Mutex<MappedName>,
    ids: Ids,
    /// The edges of recent writes. Taken in `map`, for as long as it takes to look up and copy them.
    #[pin]
    edges: SpinLock<Edges<Kernel>>,
    #[pin]
    pool: Pool,
    /// Whether the worker will run, and see what is sent before that.
    scheduled: AtomicBool,
    /// Whether the line about the beginning has been printed.
    announced: AtomicBool,
    /// That a suspend is on its way, or through.
    suspending: Stopwatch,
    /// That I/O waits for the log, or waited and has not begun again.
    finishing: Stopwatch,
    /// How many marks are under way.
    marks: AtomicU32,
    /// Held while the settings are changed.
    #[pin]
    changes: Mutex<()>,
    #[pin]
    log: Mutex<Log>,
}

/// About how many bytes a trace has beside its pool, its edges and what each CPU has, most of them for the log
/// and the search.
const SIZE: u64 = 256 << 10;

impl Trace {
    /// A trace with its pool, of the target of that name in that mapped device. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, that there is not enough memory, and what is wrong with a pattern.
    pub(crate) fn new(
        table: Table<Kernel>,
        name: TargetName,
        mapped: MappedDevice<'_>,
    ) -> Result<Arc<Self>, Unfit> {
        let Table { params, patterns } = table;
        let need = Need {
            records: Pool::size(params.records),
            edges: Edges::<Kernel>::size(params.edges),
            other: SIZE
                .saturating_add(Counters::size())
                .saturating_add(Current::size()),
        };
        if let Some(shortage) = Shortage::of(&params, need, memory::available()) {
            return Err(Unfit::Shortage(shortage));
        }

        let (records, label) = (params.records, params.label);
        let edges = Edges::new(params.edges, random::number())?;
        let settings = Settings::new(params, Search::new(patterns, params.places)?)?;
        let log = Log::new(label, name)?;

        Ok(Arc::pin_init(
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
        )?)
    }

    /// Tells listeners what has become of the line of the table. May sleep.
    pub(crate) fn tell_table(
        &self,
        mapped: MappedDevice<'_>,
        lower: u32,
        line: fmt::Arguments<'_>,
        why: Why,
    ) {
        let mut name = self.name.lock();

        if let Some(now) = mapped.name() {
            *name = now;
        }
        events::table(self.device, name.as_bytes(), lower, line, why);
    }

    /// The settings: what prints in a table line.
    pub(crate) fn settings(&self) -> (Params, Arc<Search>) {
        let settings = self.settings.read();
        (settings.params, settings.search.clone())
    }

    fn params(&self) -> Params {
        self.settings.read().params
    }
}
