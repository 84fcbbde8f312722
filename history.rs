// SPDX-License-Identifier: GPL-2.0

//! The history of a target: what is written, and what was there before, on its way to a log device.
//!
//! A request that changes the disk gets an entry in the log, with its bytes, before it is sent on (`requests.rs`). For
//! that it needs room in a staging buffer, which is one atomic operation and a copy. The first write to a chunk waits
//! until a worker has read what the chunk held (`held.rs`). The worker also writes complete buffers to the log device
//! (`log.rs`).
//!
//! A history never fails a request. If its log device is full, fails, or hangs, the history ends, and requests are sent
//! on as without one.
//!
//! Lock order: `work`, `held`, `gaps`, `turn`. `map` takes none of them unless a buffer is full or a request must wait.

mod device;
mod gaps;
mod held;
mod log;
mod next;
mod notes;
mod requests;
mod session;
mod status;
mod work;

use self::{
    gaps::Gaps,
    held::Held,
    next::Next,
    notes::Notes,
    work::Work, //
};
use crate::{
    config::{
        arguments::Params,
        budget::HistoryNeed,
        history::{
            Base,
            Slow, //
        }, //
    },
    dm::{
        Device,
        Io,
        IoTask,
        IoWorker,
        MappedDevice,
        Opener,
        PerBio, //
    },
    history_format::{
        chunks::Chunks,
        entry::{
            Bases,
            End, //
        },
        staging::{
            self,
            Turn, //
        },
        BLOCK_MIN, //
    },
    sys::{
        claims::{
            self,
            Claim, //
        },
        closed::{
            self,
            Subject, //
        },
        memory::{
            self,
            Array, //
        },
        staging::Buffers, //
    },
};
use core::{
    mem::size_of,
    sync::atomic::{
        AtomicBool,
        AtomicU32,
        AtomicU64,
        Ordering, //
    }, //
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        Mutex,
        SpinLock, //
    },
};

pub(crate) use self::{
    device::LogDevice,
    notes::Kept, //
};

/// How many staging buffers there are.
const BUFFERS: u32 = 4;

/// The longest request while a history runs, in sectors.
const REQUEST_MAX: u32 = (1 << 20) / 512;

/// Per-bio data with a place for the history's own.
pub(crate) trait HasKept: PerBio + Unpin {
    /// The place.
    fn kept(&mut self) -> &mut Kept;
}

/// What a history is made from.
struct Parts<'t> {
    /// The disk, and the sector at which the target begins there.
    disk: Device<'t>,
    offset: u64,
    /// The length of the target, in sectors.
    sectors: u64,
    /// The log device.
    log: Device<'t>,
    io: Io<'t>,
    worker: IoWorker<'t>,
    mapped: MappedDevice<'t>,
    /// The right to use disk and log.
    _claim: Claim,
    /// For the log devices that follow.
    opener: Opener<'t>,
}

impl Parts<'_> {
    /// What the log is about.
    fn subject(&self) -> Subject {
        Subject {
            mapped: self.mapped.number(),
            disk: self.disk.dev_t(),
            offset: self.offset,
        }
    }
}

/// The state of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The device is not in use.
    Idle,
    /// Requests get entries.
    On,
    /// The history is about to end, for this reason; requests get no entries any more.
    Ending(End),
    /// It has ended, and stays so until the table is loaded anew.
    Ended(End),
}

impl State {
    fn code(self) -> u32 {
        match self {
            Self::Idle => 0,
            Self::On => 1,
            Self::Ending(end) => 0x100 | end as u32,
            Self::Ended(end) => 0x200 | end as u32,
        }
    }

    fn from_code(code: u32) -> Self {
        let end = End::from_code(code as u8).unwrap_or(End::Failed);
        match code & !0xff {
            0 if code == 0 => Self::Idle,
            0 => Self::On,
            0x100 => Self::Ending(end),
            _ => Self::Ended(end),
        }
    }
}

/// The history of one target.
#[pin_data]
pub(crate) struct History<'t, P: PerBio> {
    parts: Parts<'t>,
    /// The log device.
    #[pin]
    log: Mutex<Device<'t>>,
    /// The log device that is to follow, until the worker has changed to it.
    #[pin]
    next: Mutex<Next<'t>>,
    /// The right to use the log device, if it is not the first one.
    #[pin]
    claim: Mutex<Option<Claim>>,
    /// Whether the worker is changing to another log device: everything that has no entry waits.
    changing: AtomicBool,
    bases: Bases,
    chunks: Chunks,
    /// The size of a chunk, and of the longest request, in bytes.
    chunk_size: u32,
    request: u32,
    /// A bit for each chunk whose old bytes are known in this session; empty without bases.
    known: Array<AtomicU64>,
    buffers: Buffers,
    #[pin]
    turn: SpinLock<Turn>,
    /// Requests that wait.
    #[pin]
    held: SpinLock<Held<P>>,
    /// Whether further requests must wait, too: some wait for room, or gaps have not been written.
    blocked: AtomicBool,
    notes: Notes,
    #[pin]
    gaps: SpinLock<Gaps>,
    /// Whether to make a new log, whatever the device holds.
    renew: AtomicBool,
    /// [`State::code`].
    state: AtomicU32,
    /// Whether a request that finds no room waits; otherwise it is sent on, and a gap says so.
    waits: AtomicBool,
    /// How long a request waits at most, in seconds.
    timeout: AtomicU32,
    /// Whether a suspend has begun, which waits for all requests.
    hurry: AtomicBool,
    /// Whether the worker will run soon.
    armed: AtomicBool,
    /// Whether the open buffer is to be written without waiting for more.
    wanted: AtomicBool,
    /// Everything before this position is in the log.
    written: AtomicU64,
    counts: Counts,
    #[pin]
    work: Mutex<KBox<Work<P>>>,
}

/// What the status shows.
#[derive(Default)]
struct Counts {
    session: AtomicU64,
    /// Where the log device ends, as a position.
    end: AtomicU64,
    /// Bytes per second that were written lately.
    rate: AtomicU64,
    /// Requests that were sent on without an entry.
    gaps: AtomicU64,
    /// Requests that had to wait.
    held: AtomicU64,
    /// Notes that found no room at the end.
    notes_lost: AtomicU64,
}

/// Prepares what all histories share. Once, before the first.
pub(crate) fn init() {
    claims::init();
    closed::init();
}

/// The sizes that follow from the arguments.
#[derive(Clone, Copy)]
struct Sizes {
    /// Of a staging buffer, in bytes.
    buffer: u32,
    /// Of a request at most, in bytes.
    request: u32,
    /// Of a chunk, in bytes.
    chunk: u32,
}

impl Sizes {
    /// For a disk with logical blocks of `block` bytes.
    fn of(params: &Params, block: u32) -> Self {
        let all = u64::from(params.history_buffer).saturating_mul(1024);
        let each = (all / u64::from(BUFFERS)).min(staging::BUFFER_MAX.into());
        let buffer = (each as u32) & !(BLOCK_MIN.wrapping_sub(1));
        // A request and its entry take half a buffer at most.
        let half = (buffer / 2).checked_ilog2().map_or(0, |log| 1_u32 << log);
        Self {
            buffer,
            request: half.min(REQUEST_MAX.saturating_mul(512)).max(BLOCK_MIN),
            chunk: block.max(BLOCK_MIN),
        }
    }

    /// The memory for all buffers, in bytes.
    fn buffer_memory(self, base: Base) -> u64 {
        let staging = u64::from(self.buffer).saturating_mul(BUFFERS.into());
        match base {
            Base::Off => staging,
            Base::On | Base::Durable => staging.saturating_add(held::memory(self)),
        }
    }

    /// The memory for the chunks of a target of this many sectors, in bytes.
    fn chunk_memory(self, base: Base, sectors: u64) -> u64 {
        match base {
            Base::Off => 0,
            Base::On | Base::Durable => Chunks::new(sectors, self.chunk)
                .words()
                .saturating_mul(size_of::<AtomicU64>() as u64),
        }
    }
}

/// What the history of a target of this many sectors needs.
pub(crate) fn memory(params: &Params, disk: Device<'_>, sectors: u64) -> HistoryNeed {
    if params.history.is_none() {
        return HistoryNeed::default();
    }
    let sizes = Sizes::of(params, disk.logical_block_size());
    HistoryNeed {
        buffers: sizes.buffer_memory(params.base),
        chunks: sizes.chunk_memory(params.base, sectors),
    }
}

/// Which bases a session has.
fn bases_of(base: Base) -> Bases {
    match base {
        Base::Off => Bases::Off,
        Base::On => Bases::On,
        Base::Durable => Bases::Durable,
    }
}

/// Whether requests wait for room.
fn waits(slow: Slow) -> bool {
    match slow {
        Slow::Wait => true,
        Slow::Gap => false,
    }
}

impl<'t, P: HasKept> History<'t, P> {
    /// A history that does not run yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    fn new(parts: Parts<'t>, params: &Params) -> Result<impl PinInit<Self, Error> + use<'t, P>> {
        let sizes = Sizes::of(params, parts.disk.logical_block_size());
        let bases = bases_of(params.base);
        let chunks = Chunks::new(parts.sectors, sizes.chunk);
        let words = match bases {
            Bases::Off => 0,
            Bases::On | Bases::Durable => u32::try_from(chunks.words()).map_err(|_| EFBIG)?,
        };
        let (buffers, turn, taker) = Buffers::new(BUFFERS as usize, sizes.buffer)?;
        let work = Work::new(taker, &buffers, &parts, sizes, bases)?;
        let gaps = Gaps::new()?;
        let log = parts.log;
        let (waits, timeout) = (waits(params.history_slow), params.history_timeout);
        let renew = params.history_new;

        Ok(try_pin_init!(Self {
            parts,
            log <- new_mutex!(log, "imgrement_log_device"),
            next <- new_mutex!(Next::No, "imgrement_next"),
            claim <- new_mutex!(None, "imgrement_claim"),
            changing: AtomicBool::new(false),
            bases,
            chunks,
            chunk_size: sizes.chunk,
            request: sizes.request,
            known: memory::with_each(words, || AtomicU64::new(0))?,
            buffers,
            turn <- new_spinlock!(turn, "imgrement_turn"),
            held <- new_spinlock!(Held::new(), "imgrement_held"),
            blocked: AtomicBool::new(false),
            notes: Notes::new()?,
            gaps <- new_spinlock!(gaps, "imgrement_gaps"),
            renew: AtomicBool::new(renew),
            state: AtomicU32::new(State::Idle.code()),
            waits: AtomicBool::new(waits),
            timeout: AtomicU32::new(timeout),
            hurry: AtomicBool::new(false),
            armed: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            written: AtomicU64::new(0),
            counts: Counts::default(),
            work <- new_mutex!(work, "imgrement_history"),
        }? Error))
    }

    /// The longest request while it runs, in sectors.
    pub(crate) fn request_sectors(&self) -> u32 {
        self.request / 512
    }

    /// What a message changes: whether requests wait for room, and how long.
    pub(crate) fn change(&self, params: &Params) {
        self.waits
            .store(waits(params.history_slow), Ordering::Relaxed);
        self.timeout
            .store(params.history_timeout, Ordering::Relaxed);
        self.parts.worker.start();
    }

    /// A suspend begins: it waits for all requests, so none may wait for the log for long.
    pub(crate) fn presuspend(&self) {
        self.hurry.store(true, Ordering::Relaxed);
        self.parts.worker.start();
    }

    /// The suspend is given up.
    pub(crate) fn presuspend_undo(&self) {
        self.hurry.store(false, Ordering::Relaxed);
    }

    /// The table is about to be used: finds the end of the log, and begins a session. May sleep, and waits for the log
    /// device.
    pub(crate) fn preresume(&self, task: &IoTask<'_>) {
        self.hurry.store(false, Ordering::Relaxed);
        if self.state() == State::Idle {
            self.begin_session(&mut self.work.lock(), task);
        }
    }

    /// No request is in flight any more: completes the log. May sleep, and waits for the log device.
    pub(crate) fn postsuspend(&self, task: &IoTask<'_>) {
        let mut work = self.work.lock();

        match self.state() {
            State::On => self.end_session(&mut work, End::Suspended, task),
            State::Ending(end) => self.end_session(&mut work, end, task),
            State::Idle | State::Ended(_) => {}
        }
    }

    /// Ends the history for this reason, when its worker runs. In a task.
    fn end(&self, reason: End) {
        self.end_in(&mut self.turn.lock(), reason);
    }

    /// The same, for the holder of the turn.
    ///
    /// No request is sent on without an entry before the log is stopped, and none gets an entry after that. So all that
    /// the log has is what happened up to one moment.
    fn end_in(&self, turn: &mut Turn, reason: End) {
        if self.is_on() {
            self.buffers.stop(turn);
            self.set_state(State::Ending(reason));
            self.parts.worker.start();
        }
    }

    /// The log device.
    fn log(&self) -> Device<'t> {
        *self.log.lock()
    }

    #[inline]
    fn state(&self) -> State {
        State::from_code(self.state.load(Ordering::Acquire))
    }

    #[inline]
    fn is_on(&self) -> bool {
        self.state.load(Ordering::Relaxed) == State::On.code()
    }

    fn set_state(&self, state: State) {
        self.state.store(state.code(), Ordering::Release);
    }
}
