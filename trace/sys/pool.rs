// SPDX-License-Identifier: GPL-2.0

//! The bounded pool that records are made from, and the queues by which they reach the reader.
//!
//! The pool has a fixed number of blocks, a page each, which are allocated once. Blocks that are taken form a
//! [`Chain`], which has a single owner until it is dropped or sent. Sent chains go into a queue of the sender's CPU,
//! with the next number of one sequence. The one reader at a time gets everything in the order of these numbers.
//! Senders never wait. The reader waits for a sender that has taken its number and was interrupted before it sent.
//!
//! A leaf with `unsafe`: the atomics of `slots.rs` decide at run time who owns a block, which the borrow checker cannot
//! see.
//!
//! Lock order: only the reader's mutex.

#![allow(unsafe_code)]

use crate::{
    memory::slots,
    sys::{
        memory::{
            self,
            Array, //
        },
        percpu::PerCpu, //
    }, //
};
use core::{
    mem::size_of,
    ptr::NonNull,
    sync::atomic::{
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
};
use kernel::{
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        Mutex,
        MutexGuard, //
    },
};

/// The size of a block, in bytes: that of the largest segment.
pub(crate) const BLOCK: usize = PAGE_SIZE;

/// The contents of a block.
pub(crate) type Block = [u8; BLOCK];

/// The pool.
///
/// # Invariants
///
/// - `blocks` points to `nodes.len()` blocks within `_memory`, which never moves.
/// - The number of a block is always in exactly one place: free in `taken`, in one [`Chain`] or [`Held`], or sent and
///   not yet received. Only its owner accesses the block.
/// - A chain's numbers are linked by `Node::next`, up to [`slots::EMPTY`]. No number is linked twice.
#[pin_data]
pub(crate) struct Pool {
    /// No other pool ever has the same.
    id: u64,
    blocks: NonNull<Block>,
    _memory: Array<u8>,
    nodes: Array<Node>,
    /// A bit for each block that is not free.
    taken: Array<AtomicU64>,
    /// The links of the queues; see `slots::push`.
    links: Array<AtomicU32>,
    queues: PerCpu<CpuQueue>,
    /// The next sequence number.
    sequence: AtomicU64,
    #[pin]
    inbox: Mutex<Inbox>,
}

// SAFETY: The memory that `blocks` points to is owned, and not bound to a thread.
unsafe impl Send for Pool {}
// SAFETY: By the invariants each block has one owner at a time. Everything else is `Sync` by itself.
unsafe impl Sync for Pool {}

/// What is stored for a block, apart from its contents.
struct Node {
    /// The next block of its chain.
    next: AtomicU32,
    /// For the first block of a chain: the number under which it was sent.
    sequence: AtomicU64,
}

/// The data of each CPU.
struct CpuQueue {
    /// The newest chain in its queue; see `slots::push`.
    newest: AtomicU32,
    /// Where its search for free blocks starts, so that CPUs use different blocks; see `slots::claim`.
    hint: usize,
}

/// What the reader has taken out of the queues.
struct Inbox {
    /// The first of the sent chains, sorted by sequence and linked by `Pool::links`.
    first: u32,
    /// The number that is received next.
    next: u64,
}

impl Pool {
    /// The size of `count` blocks, in bytes.
    pub(crate) fn size(count: u32) -> u64 {
        const EACH: usize = BLOCK + size_of::<Node>() + size_of::<AtomicU32>();
        (EACH as u64).saturating_mul(u64::from(count))
    }

    /// A pool of `count` blocks. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(count: u32) -> impl PinInit<Self, Error> {
        static IDS: AtomicU64 = AtomicU64::new(0);

        try_pin_init!(Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            _memory: Array::zeroed(
                BLOCK.checked_mul(count as usize).ok_or(ENOMEM)?,
                GFP_KERNEL,
            )?,
            // INVARIANT: The memory was just allocated with that size. It does not move, because the vector is
            // never touched again.
            blocks: NonNull::new(_memory.as_mut_ptr().cast()).ok_or(ENOMEM)?,
            nodes: memory::with_each(count, || Node {
                next: AtomicU32::new(slots::EMPTY),
                sequence: AtomicU64::new(0),
            })?,
            taken: memory::with_each(count.div_ceil(slots::SLOTS_PER_WORD), || AtomicU64::new(0))?,
            links: memory::with_each(count, || AtomicU32::new(slots::EMPTY))?,
            queues: PerCpu::new(|cpu| CpuQueue {
                newest: AtomicU32::new(slots::EMPTY),
                hint: cpu as usize,
            })?,
            sequence: AtomicU64::new(0),
            inbox <- new_mutex!(Inbox { first: slots::EMPTY, next: 0 }, "imgrement_inbox"),
        })
    }

    /// Takes `count` blocks, at least one; `None` if the pool does not have that many. In any context.
    pub(crate) fn take(&self, count: usize) -> Option<Chain<'_>> {
        if count > self.nodes.len() {
            return None;
        }
        let mut hint = self.queues.this().hint;
        let mut chain = Chain {
            pool: self,
            first: self.claim(hint, slots::EMPTY)?,
        };

        for _ in 1..count {
            // Other free blocks are probably near the last one.
            hint = (chain.first / slots::SLOTS_PER_WORD) as usize;
            // INVARIANT: The block has just been claimed, and the others are linked to it.
            chain.first = self.claim(hint, chain.first)?;
        }
        Some(chain)
    }

    /// Takes back what [`Chain::hold`] put away. If that was a chain of another pool, returns `None`, and the blocks
    /// stay lost. In any context.
    pub(crate) fn take_back(&self, held: Held) -> Option<Chain<'_>> {
        if held.pool != self.id {
            return None;
        }
        // INVARIANT: `hold` gave up the chain, and `held`, which cannot be copied, is consumed.
        Some(Chain {
            pool: self,
            first: held.first,
        })
    }

    /// Claims a block and links `next` to it.
    fn claim(&self, hint: usize, next: u32) -> Option<u32> {
        let index = slots::claim(&self.taken, self.nodes.len() as u32, hint)?;

        self.node(index)?.next.store(next, Ordering::Relaxed);
        Some(index)
    }

    fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    /// The address of a block's contents.
    ///
    /// # Safety
    ///
    /// `index` is the number of a block of this pool.
    unsafe fn block(&self, index: u32) -> NonNull<Block> {
        // SAFETY: By the invariant there are as many blocks as numbers.
        unsafe { self.blocks.add(index as usize) }
    }

    /// The next sequence number. Everything that has been sent has a lower one.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    /// Becomes the reader. Sleeps while there is another one.
    pub(crate) fn receiver(&self) -> Receiver<'_> {
        Receiver {
            pool: self,
            inbox: self.inbox.lock(),
        }
    }

    fn sequence_of(&self, index: u32) -> u64 {
        self.node(index)
            .map_or(u64::MAX, |node| node.sequence.load(Ordering::Relaxed))
    }

    fn link(&self, index: u32) -> Option<&AtomicU32> {
        self.links.get(index as usize)
    }
}

/// Consecutive blocks with one owner.
///
/// # Invariants
///
/// It owns the number `first` and those that are linked to it.
pub(crate) struct Chain<'p> {
    pool: &'p Pool,
    first: u32,
}

impl<'p> Chain<'p> {
    /// The first block.
    pub(crate) fn first_mut(&mut self) -> &mut Block {
        // SAFETY: By the invariant the block belongs to the pool, and only to us.
        unsafe { self.pool.block(self.first).as_mut() }
    }

    /// All blocks in order.
    pub(crate) fn iter(&self) -> Blocks<'_> {
        // INVARIANT: The blocks are ours, and borrowed as long as `self`.
        Blocks(Indexes::from(self.pool, self.first))
    }

    /// All blocks in order, for writing.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        let pool = self.pool;
        // SAFETY: As in `iter`, and exclusive. By the invariant of the pool, each block comes up once.
        Indexes::from(pool, self.first).map(move |index| unsafe { pool.block(index).as_mut() })
    }

    /// Appends the blocks of another chain of the same pool.
    pub(crate) fn append(&mut self, other: Chain<'p>) {
        if !core::ptr::eq(self.pool, other.pool) {
            return;
        }
        let last = Indexes::from(self.pool, self.first).last();
        if let Some(node) = last.and_then(|last| self.pool.node(last)) {
            // INVARIANT: They are linked to the others now, and `other` is consumed.
            node.next.store(other.into_first(), Ordering::Relaxed);
        }
    }

    /// Sends it to the reader. In any context.
    pub(crate) fn send(self) {
        let pool = self.pool;
        let first = self.into_first();
        // From here on nothing may fail: the reader waits for this number.
        let sequence = pool.sequence.fetch_add(1, Ordering::Relaxed);

        if let Some(node) = pool.node(first) {
            node.sequence.store(sequence, Ordering::Relaxed);
        }
        // INVARIANT: The numbers are in the queue now. There is a link for each.
        slots::push(&pool.queues.this().newest, &pool.links, first);
    }

    /// Puts it away, without a lifetime that ties it to the pool. In any context.
    pub(crate) fn hold(self) -> Held {
        Held {
            pool: self.pool.id,
            // INVARIANT: The ownership moves into it.
            first: self.into_first(),
        }
    }

    /// Gives up the ownership, and returns the first number.
    fn into_first(self) -> u32 {
        core::mem::ManuallyDrop::new(self).first
    }
}

/// A chain that grows at its end.
///
/// # Invariants
///
/// `last` is the number of its last block.
pub(crate) struct Growing<'p> {
    chain: Chain<'p>,
    last: u32,
}

impl<'p> Growing<'p> {
    /// Begins with one block; `None` if the pool has none. In any context.
    pub(crate) fn new(pool: &'p Pool) -> Option<Self> {
        let chain = pool.take(1)?;
        // INVARIANT: It is the only block.
        let last = chain.first;

        Some(Self { chain, last })
    }

    /// Adds a block; `None` if the pool has none. In any context.
    pub(crate) fn grow(&mut self) -> Option<()> {
        let pool = self.chain.pool;
        let hint = self.last / slots::SLOTS_PER_WORD;
        let index = pool.claim(hint as usize, slots::EMPTY)?;

        pool.node(self.last)?.next.store(index, Ordering::Relaxed);
        // INVARIANT: It has just been linked to the previous last one.
        self.last = index;
        Some(())
    }

    /// The last block.
    pub(crate) fn last_mut(&mut self) -> &mut Block {
        // SAFETY: By the invariants the block belongs to the pool, and only to us.
        unsafe { self.chain.pool.block(self.last).as_mut() }
    }

    /// The whole chain.
    pub(crate) fn into_chain(self) -> Chain<'p> {
        self.chain
    }
}

/// A chain that has been put away. [`Pool::take_back`] returns it. If it is dropped, its blocks are lost to the pool
/// for good.
///
/// # Invariants
///
/// It owns the blocks of the chain that begins with number `first`, in the pool of that id.
#[must_use = "its blocks are lost to the pool"]
pub(crate) struct Held {
    pool: u64,
    first: u32,
}

impl Drop for Chain<'_> {
    fn drop(&mut self) {
        for index in Indexes::from(self.pool, self.first) {
            // INVARIANT: The numbers are free now, and `self` is gone.
            slots::release(&self.pool.taken, index);
        }
    }
}

/// The blocks of a chain.
///
/// # Invariants
///
/// Nothing writes to them during `'c`.
#[derive(Clone)]
pub(crate) struct Blocks<'c>(Indexes<'c>);

impl<'c> Iterator for Blocks<'c> {
    type Item = &'c Block;

    fn next(&mut self) -> Option<&'c Block> {
        let index = self.0.next()?;
        // SAFETY: By the invariant; the numbers of a chain are those of blocks.
        Some(unsafe { self.0.pool.block(index).as_ref() })
    }
}

/// The numbers of a chain. A number is returned only after its link has been read.
#[derive(Clone)]
struct Indexes<'p> {
    pool: &'p Pool,
    next: u32,
}

impl<'p> Indexes<'p> {
    fn from(pool: &'p Pool, next: u32) -> Self {
        Self { pool, next }
    }
}

impl Iterator for Indexes<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let index = self.next;
        // `EMPTY` has no node.
        self.next = self.pool.node(index)?.next.load(Ordering::Relaxed);
        Some(index)
    }
}

/// The one reader, as long as it lives.
pub(crate) struct Receiver<'p> {
    pool: &'p Pool,
    inbox: MutexGuard<'p, Inbox>,
}

impl<'p> Receiver<'p> {
    /// The next chain in the order of the numbers; `None` if it has not been sent yet.
    pub(crate) fn receive(&mut self) -> Option<Chain<'p>> {
        if !self.is_ready() {
            self.collect();
        }
        if !self.is_ready() {
            return None;
        }

        let first = self.inbox.first;
        self.inbox.first = self.pool.link(first)?.load(Ordering::Relaxed);
        self.inbox.next = self.inbox.next.wrapping_add(1);
        // INVARIANT: `send` gave it up, and it has just been taken out of the inbox.
        Some(Chain {
            pool: self.pool,
            first,
        })
    }

    /// Whether everything with a number below `sequence` has been received.
    pub(crate) fn has_received(&self, sequence: u64) -> bool {
        self.inbox.next >= sequence
    }

    fn is_ready(&self) -> bool {
        let first = self.inbox.first;
        first != slots::EMPTY && self.pool.sequence_of(first) == self.inbox.next
    }

    /// Sorts sent chains into the inbox.
    ///
    /// A queue is nearly sorted, because its CPU took the numbers in the order in which it sent, unless one task
    /// interrupted another. So each search continues where the last one ended, and restarts only for a lower
    /// number.
    fn collect(&mut self) {
        let pool = self.pool;

        for queue in pool.queues.iter() {
            let mut before = slots::EMPTY;
            for index in slots::take_all(&queue.newest, &pool.links) {
                let sequence = pool.sequence_of(index);
                if before != slots::EMPTY && pool.sequence_of(before) > sequence {
                    before = slots::EMPTY;
                }
                before = self.insert(index, sequence, before);
            }
        }
    }

    /// Inserts a number into the inbox, somewhere after `before`, and returns it.
    fn insert(&mut self, index: u32, sequence: u64, mut before: u32) -> u32 {
        let pool = self.pool;

        loop {
            let after = match pool.link(before) {
                Some(link) => link.load(Ordering::Relaxed),
                None => self.inbox.first,
            };
            if after != slots::EMPTY && pool.sequence_of(after) < sequence {
                before = after;
                continue;
            }
            if let Some(link) = pool.link(index) {
                link.store(after, Ordering::Relaxed);
            }
            match pool.link(before) {
                Some(link) => link.store(index, Ordering::Relaxed),
                None => self.inbox.first = index,
            }
            return index;
        }
    }
}
