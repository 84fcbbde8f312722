// SPDX-License-Identifier: GPL-2.0

//! A bounded pool of slots and the way from those who fill them to the one who reads them, both
//! without locks.
//!
//! A slot is an index into whatever its owner keeps beside: it is claimed ([`claim`]), filled,
//! handed over ([`push`]), taken ([`take_all`]), read, and released ([`release`]). Who has the
//! index, between these calls, owns the slot. Each step carries the writes before it to whoever
//! takes the next one (Release to Acquire), so the contents need no ordering of their own.
//!
//! All of it may be called in any context, interrupts included.

use core::{
    iter::FusedIterator,
    sync::atomic::{
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
};

/// How many slots one word of the map has.
pub const SLOTS_PER_WORD: u32 = u64::BITS;

/// The value of a queue's head, and of the last link of a chain, where there is no slot.
pub const EMPTY: u32 = u32::MAX;

/// Claims a free slot and returns its index; `None` where none was found.
///
/// `words` is the map, a set bit for each slot that is claimed; all zero at first. `count` is how
/// many slots there are: indexes from `count` on are never claimed, nor those that `words` has no
/// bit for. The search begins at word `hint`, modulo their number, and looks at each word once;
/// callers that give different hints (the number of their CPU) stay on different words while
/// those have room.
///
/// The number of steps is bounded, whatever others do: each word is looked at once, and each try
/// that another spoils rules a bit of it out. The price is that a slot which becomes free behind
/// the search is not found, so `None` says that the pool was full or nearly so.
pub fn claim(words: &[AtomicU64], count: u32, hint: usize) -> Option<u32> {
    let start = hint.checked_rem(words.len())?;

    (start..words.len())
        .chain(0..start)
        .find_map(|index| claim_in(words.get(index)?, index, count))
}

/// Claims a slot of one word.
fn claim_in(word: &AtomicU64, index: usize, count: u32) -> Option<u32> {
    let base = u32::try_from(index).ok()?.checked_mul(SLOTS_PER_WORD)?;
    // The bits that stand for a slot: all of them, but for the last word.
    let here = count.checked_sub(base).filter(|&here| here != 0)?;
    let valid = match here {
        0..SLOTS_PER_WORD => !u64::MAX.wrapping_shl(here),
        _ => u64::MAX,
    };

    let mut free = !word.load(Ordering::Relaxed) & valid;
    while free != 0 {
        let place = free.trailing_zeros();
        let bit = 1_u64.wrapping_shl(place);
        // Acquire: the owner before has done with the slot. Pairs with `release`.
        let was = word.fetch_or(bit, Ordering::Acquire);
        if was & bit == 0 {
            return base.checked_add(place);
        }
        // Loses at least `bit`, so there are at most 64 turns.
        free &= !was;
    }
    None
}

/// Gives a slot back that the caller owns. Returns whether it was claimed; a caller that sees
/// `false` has given back what it did not own.
pub fn release(words: &[AtomicU64], index: u32) -> bool {
    let word = usize::try_from(index / SLOTS_PER_WORD).ok();
    let bit = 1_u64.wrapping_shl(index % SLOTS_PER_WORD);

    match word.and_then(|word| words.get(word)) {
        // Release: what the caller did with the slot comes before whatever its next owner does.
        // Pairs with `claim`.
        Some(word) => word.fetch_and(!bit, Ordering::Release) & bit != 0,
        None => false,
    }
}

/// Hands a slot over that the caller owns: puts it at the end of the queue.
///
/// `head` is [`EMPTY`] at first; `links` has a link for each slot, of any value. One set of links
/// serves any number of queues, for a slot is in one at most. Returns `false`, and does nothing,
/// where the slot has no link.
///
/// A push (R. K. Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986) is
/// tried again only where another push or a [`take_all`] came between, that is where the queue as
/// a whole went on. With a queue for each CPU that is an interrupt, the reader, or a task that was
/// moved. That only all is ever taken spares it the ABA problem.
pub fn push(head: &AtomicU32, links: &[AtomicU32], index: u32) -> bool {
    let Some(link) = link(links, index) else {
        return false;
    };

    let mut next = head.load(Ordering::Relaxed);
    loop {
        link.store(next, Ordering::Relaxed);
        // Release: the contents and the link come before the index. Pairs with `take_all`, also
        // where that finds a later push, which carries this one on as part of its release
        // sequence.
        match head.compare_exchange_weak(next, index, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(now) => next = now,
        }
    }
}

/// Takes all slots of a queue, to be gone through oldest first.
///
/// The caller owns them now. One that is dropped before it comes out of the iterator is neither
/// in the queue nor free.
pub fn take_all<'a>(head: &AtomicU32, links: &'a [AtomicU32]) -> Taken<'a> {
    // Acquire: pairs with every `push` that led here.
    let mut newest = head.swap(EMPTY, Ordering::Acquire);

    // Turn the chain round. It is this caller's alone, so the links need no ordering. A chain has
    // no more slots than there are links; that bounds the loop even for callers who pushed what
    // they did not own.
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

/// The slots that [`take_all`] took, oldest first.
///
/// A slot may be released, and even be pushed again, as soon as it has come out.
#[derive(Debug)]
#[must_use = "slots that do not come out are lost"]
pub struct Taken<'a> {
    links: &'a [AtomicU32],
    next: u32,
    /// How many may still come out; see `take_all` for why.
    left: usize,
}

impl Iterator for Taken<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let index = self.next;
        // Read before the slot goes out: its next owner writes to the link.
        self.next = link(self.links, index)?.load(Ordering::Relaxed);
        Some(index)
    }
}

impl FusedIterator for Taken<'_> {}
