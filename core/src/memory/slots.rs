// SPDX-License-Identifier: GPL-2.0

//! A bounded pool of slots, and queues from the senders that fill them to the one reader. Neither has locks.
//!
//! A slot is an index into whatever its owner keeps next to it. It is claimed ([`claim`]), filled, handed over
//! ([`push`]), taken ([`take_all`]), read, and released ([`release`]). Between these calls, the holder of the index
//! owns the slot. Each step passes the writes before it to the next one (Release to Acquire), so the contents need no
//! ordering of their own.
//!
//! All functions may be called in any context, interrupts included.

use super::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};
use core::iter::FusedIterator;

/// How many slots one word of the map covers.
pub const SLOTS_PER_WORD: u32 = u64::BITS;

/// The value of a queue's head, and of the last link of a chain, if there is no slot.
pub const EMPTY: u32 = u32::MAX;

/// Claims a free slot and returns its index; `None` if none was found.
///
/// `words` is the map, with a set bit for each claimed slot; all zero at first. `count` is the number of slots:
/// indexes from `count` on are never claimed, nor those without a bit in `words`. The search begins at word `hint`,
/// modulo the number of words, and visits each word once. Callers with different hints (the number of their CPU) use
/// different words as long as these have free slots.
///
/// The number of steps is bounded, whatever others do: each word is visited once, and each attempt that fails because
/// of another caller rules out one of its bits. The price is that a slot is not found if it becomes free after its word
/// was visited. So `None` means that the pool was full or nearly full.
pub fn claim(words: &[AtomicU64], count: u32, hint: usize) -> Option<u32> {
    let start = hint.checked_rem(words.len())?;

    (start..words.len())
        .chain(0..start)
        .find_map(|index| claim_in(words.get(index)?, index, count))
}

/// Claims a slot of one word.
fn claim_in(word: &AtomicU64, index: usize, count: u32) -> Option<u32> {
    let base = u32::try_from(index).ok()?.checked_mul(SLOTS_PER_WORD)?;
    // The bits of existing slots: all of them, except in the last word.
    let here = count.checked_sub(base).filter(|&here| here != 0)?;
    let valid = match here {
        0..SLOTS_PER_WORD => !u64::MAX.wrapping_shl(here),
        _ => u64::MAX,
    };

    let mut free = !word.load(Ordering::Relaxed) & valid;
    while free != 0 {
        let place = free.trailing_zeros();
        let bit = 1_u64.wrapping_shl(place);
        // Acquire: the previous owner is done with the slot. Pairs with `release`.
        let was = word.fetch_or(bit, Ordering::Acquire);
        if was & bit == 0 {
            return base.checked_add(place);
        }
        // Loses at least `bit`, so there are at most 64 iterations.
        free &= !was;
    }
    None
}

/// Releases a slot that the caller owns. Returns whether it was claimed. If not, the caller has released a slot
/// that it did not own.
pub fn release(words: &[AtomicU64], index: u32) -> bool {
    let word = usize::try_from(index / SLOTS_PER_WORD).ok();
    let bit = 1_u64.wrapping_shl(index % SLOTS_PER_WORD);

    match word.and_then(|word| words.get(word)) {
        // Release: the caller's accesses to the slot come before those of its next owner. Pairs with `claim`.
        Some(word) => word.fetch_and(!bit, Ordering::Release) & bit != 0,
        None => false,
    }
}

/// Hands over a slot that the caller owns: appends it to the queue.
///
/// `head` is [`EMPTY`] at first. `links` has a link for each slot, of any value. One set of links serves any number of
/// queues, because a slot is in at most one. Returns `false`, and does nothing, if the slot has no link.
///
/// A push (R. K. Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986) is only repeated if
/// another push or a [`take_all`] happened meanwhile, so the queue as a whole makes progress. With a queue for each
/// CPU, only an interrupt, the reader, or a task that was migrated can do that. The reader always takes all slots of a
/// queue, so there is no ABA problem.
pub fn push(head: &AtomicU32, links: &[AtomicU32], index: u32) -> bool {
    let Some(link) = link(links, index) else {
        return false;
    };

    let mut next = head.load(Ordering::Relaxed);
    loop {
        link.store(next, Ordering::Relaxed);
        // Release: the contents and the link come before the index. Pairs with `take_all`, even if that finds a later
        // push, which continues the release sequence of this one.
        match head.compare_exchange_weak(next, index, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(now) => next = now,
        }
    }
}

/// Takes all slots of a queue. The iterator returns them oldest first.
///
/// The caller now owns them. If the iterator is dropped early, the remaining slots are neither in the queue nor
/// free.
pub fn take_all<'a>(head: &AtomicU32, links: &'a [AtomicU32]) -> Taken<'a> {
    // Acquire: pairs with every `push` that led here.
    let mut newest = head.swap(EMPTY, Ordering::Acquire);

    // Reverse the chain. Only this caller has it, so the links need no ordering. A chain has no more slots than
    // there are links. That bounds the loop even for callers that pushed slots which they did not own.
    let mut oldest = EMPTY;
    for _ in links {
        let Some(link) = link(links, newest) else {
            break;
        };
        let next = link.load(Ordering::Relaxed);
        link.store(oldest, Ordering::Relaxed);
        oldest = newest;
        newest = next;
    }

    Taken {
        links,
        next: oldest,
        left: links.len(),
    }
}

/// The link of a slot; `None` for [`EMPTY`].
fn link(links: &[AtomicU32], index: u32) -> Option<&AtomicU32> {
    links.get(usize::try_from(index).ok()?)
}

/// The slots from [`take_all`], oldest first.
///
/// A slot may be released, and even pushed again, as soon as the iterator has returned it.
#[derive(Debug)]
#[must_use = "slots that do not come out are lost"]
pub struct Taken<'a> {
    links: &'a [AtomicU32],
    next: u32,
    /// How many more slots there may be; see `take_all` for the reason.
    left: usize,
}

impl Iterator for Taken<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let index = self.next;
        // Read before the slot is returned: its next owner writes to the link.
        self.next = link(self.links, index)?.load(Ordering::Relaxed);
        Some(index)
    }
}

impl FusedIterator for Taken<'_> {}
