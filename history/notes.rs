// SPDX-License-Identifier: GPL-2.0

//! Notes of how requests have completed.
//!
//! A request gets its slot when it is sent on. So `end_io`, which may run in an interrupt, always has one. The worker
//! takes what was noted, and writes it to the log.

use crate::{
    history_format::entry::{
        Issuer,
        Note, //
    },
    memory::slots,
    sys::{
        memory::{
            self,
            Array, //
        },
        percpu::PerCpu,
        task,
        time, //
    }, //
};
use core::{
    mem::size_of,
    sync::atomic::{
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
};
use kernel::{
    cpu::nr_cpu_ids,
    prelude::*, //
};

/// How many requests may be in flight, or have completed without being written to the log yet.
pub(super) const NOTES: u32 = 4096;

/// The slot of a request that is in the log; none for all others. It is part of the per-bio data.
pub(crate) struct Kept(u32);

impl Default for Kept {
    #[inline]
    fn default() -> Self {
        Self(slots::EMPTY)
    }
}

impl Kept {
    /// Whether the request has a slot.
    #[inline]
    pub(super) fn is_some(&self) -> bool {
        self.0 != slots::EMPTY
    }
}

/// The notes.
pub(super) struct Notes {
    /// A bit for each slot that is taken.
    taken: Array<AtomicU64>,
    links: Array<AtomicU32>,
    cells: Array<Cell>,
    queues: PerCpu<Queue>,
    /// With so many in one queue, requests may soon find no slot.
    many: u32,
}

/// The requests that have completed on one CPU, and were not taken.
struct Queue {
    /// The slot of the newest one; see `slots::push`.
    newest: AtomicU32,
    /// How many there are.
    waiting: AtomicU32,
    /// Where the search for free slots begins, so that CPUs use different cache lines; see `slots::claim`.
    hint: usize,
}

/// How many words of the map share a cache line.
const WORDS_PER_LINE: usize = 64 / size_of::<AtomicU64>();

/// What is noted of a request. The owner of the slot owns it.
#[derive(Default)]
struct Cell {
    position: AtomicU64,
    /// When the entry was made; then, the latency. In nanoseconds.
    time: AtomicU64,
    head: AtomicU64,
    errno: AtomicU32,
    /// Who made the request, if it had to wait: the worker makes its entry. The name is in two words.
    pid: AtomicU32,
    command: [AtomicU64; 2],
}

impl Notes {
    /// With all slots free. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            taken: memory::with_each(NOTES / slots::SLOTS_PER_WORD, || AtomicU64::new(0))?,
            links: memory::with_each(NOTES, || AtomicU32::new(slots::EMPTY))?,
            cells: memory::with_each(NOTES, Cell::default)?,
            queues: PerCpu::new(|cpu| Queue {
                newest: AtomicU32::new(slots::EMPTY),
                waiting: AtomicU32::new(0),
                hint: (cpu as usize).saturating_mul(WORDS_PER_LINE),
            })?,
            many: (NOTES / 2).checked_div(nr_cpu_ids()).unwrap_or(0),
        })
    }

    /// Takes a slot; `None` if all are taken. In any context.
    #[inline]
    pub(super) fn claim(&self) -> Option<Kept> {
        slots::claim(&self.taken, NOTES, self.queues.this().hint).map(Kept)
    }

    /// Gives a slot back without a note. In any context.
    pub(super) fn release(&self, kept: Kept) {
        slots::release(&self.taken, kept.0);
    }

    /// The current task has made the request.
    pub(super) fn put_issuer(&self, kept: &Kept) {
        if let Some(cell) = self.cell(kept) {
            cell.pid.store(task::pid(), Ordering::Relaxed);
            for (to, from) in cell.command.iter().zip(task::name().chunks_exact(8)) {
                let word = from
                    .first_chunk()
                    .map_or(0, |word| u64::from_le_bytes(*word));
                to.store(word, Ordering::Relaxed);
            }
        }
    }

    /// It is not known who has made the request.
    pub(super) fn forget_issuer(&self, kept: &Kept) {
        if let Some(cell) = self.cell(kept) {
            cell.pid.store(0, Ordering::Relaxed);
            for word in &cell.command {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Who has made the request, without its cgroup.
    pub(super) fn issuer(&self, kept: &Kept) -> Issuer {
        let mut issuer = Issuer::default();
        if let Some(cell) = self.cell(kept) {
            issuer.pid = cell.pid.load(Ordering::Relaxed);
            for (to, from) in issuer.command.chunks_exact_mut(8).zip(&cell.command) {
                to.copy_from_slice(&from.load(Ordering::Relaxed).to_le_bytes());
            }
        }
        issuer
    }

    /// The request has this entry in the log, which was made at this time.
    #[inline]
    pub(super) fn begin(&self, kept: &Kept, position: u64, time: u64) {
        if let Some(cell) = self.cell(kept) {
            cell.position.store(position, Ordering::Relaxed);
            cell.time.store(time, Ordering::Relaxed);
        }
    }

    /// The request has completed, with this errno (0 for success), when the log had this head. Returns whether the
    /// worker should take what waits, because requests may soon find no slot. In any context.
    #[inline]
    pub(super) fn complete(&self, kept: Kept, head: u64, errno: u32) -> bool {
        let queue = self.queues.this();

        if let Some(cell) = self.cell(&kept) {
            let began = cell.time.load(Ordering::Relaxed);
            let latency = time::now().saturating_sub(began);

            cell.time.store(latency, Ordering::Relaxed);
            cell.head.store(head, Ordering::Relaxed);
            cell.errno.store(errno, Ordering::Relaxed);
            slots::push(&queue.newest, &self.links, kept.0);
        }
        queue.waiting.fetch_add(1, Ordering::Relaxed) == self.many
    }

    /// Takes all that have completed, the oldest of each CPU first, and frees their slots. All of them must be taken
    /// from the iterator.
    pub(super) fn take(&self) -> impl Iterator<Item = Note> + '_ {
        self.queues.iter().flat_map(|queue| {
            queue.waiting.store(0, Ordering::Relaxed);
            slots::take_all(&queue.newest, &self.links)
                .filter_map(|index| self.take_one(Kept(index)))
        })
    }

    fn take_one(&self, kept: Kept) -> Option<Note> {
        let note = self.cell(&kept).map(|cell| Note {
            position: cell.position.load(Ordering::Relaxed),
            head: cell.head.load(Ordering::Relaxed),
            latency: cell.time.load(Ordering::Relaxed),
            errno: cell.errno.load(Ordering::Relaxed),
        });
        self.release(kept);
        note
    }

    #[inline]
    fn cell(&self, kept: &Kept) -> Option<&Cell> {
        self.cells.get(kept.0 as usize)
    }
}
