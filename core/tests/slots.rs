// SPDX-License-Identifier: GPL-2.0

//! Slots and queues, by one thread and by many.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeSet,
    sync::{
        atomic::{
            AtomicU32,
            AtomicU64,
            Ordering::Relaxed, //
        },
        Barrier, //
    },
    thread, //
};

use imgrement_core::memory::slots::{
    claim,
    push,
    release,
    take_all,
    EMPTY, //
};
use proptest::prelude::*;

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn links(count: usize) -> Vec<AtomicU32> {
    (0..count).map(|_| AtomicU32::new(0)).collect()
}

#[test]
fn each_slot_is_claimed_once_and_none_beyond_the_count() {
    for (count, len) in [
        (0, 0),
        (0, 1),
        (1, 1),
        (63, 1),
        (64, 1),
        (65, 2),
        (65, 4),
        (200, 2),
    ] {
        let words = words(len);
        let available = count.min(64 * len as u32);
        let claimed: BTreeSet<u32> = (0..available)
            .map(|_| claim(&words, count, 1).unwrap())
            .collect();
        assert_eq!(claimed, (0..available).collect());
        assert_eq!(claim(&words, count, 0), None, "{count} slots, {len} words");
        assert!((0..available).all(|index| release(&words, index)));
        assert!(words.iter().all(|word| word.load(Relaxed) == 0));
    }
}

#[test]
fn the_search_begins_at_the_hint() {
    let words = words(3);
    assert_eq!(claim(&words, 192, 1), Some(64));
    assert_eq!(claim(&words, 192, 4), Some(65));
    assert_eq!(claim(&words, 192, usize::MAX), Some(0));
    // Word 2 has one slot, and then word 0 follows.
    assert_eq!(claim(&words, 129, 2), Some(128));
    assert_eq!(claim(&words, 129, 2), Some(1));
    assert!(release(&words, 128));
    assert_eq!(claim(&words, 129, 2), Some(128));
}

#[test]
fn only_claimed_slots_are_released() {
    let words = words(1);
    assert_eq!(claim(&words, 2, 0), Some(0));
    assert!(!release(&words, 1));
    assert!(!release(&words, 64));
    assert!(!release(&words, u32::MAX));
    assert!(release(&words, 0));
    assert!(!release(&words, 0));
}

#[test]
fn a_queue_gives_the_oldest_first() {
    let (head, links) = (AtomicU32::new(EMPTY), links(8));
    assert_eq!(take_all(&head, &links).next(), None);
    for index in [5, 0, 7] {
        assert!(push(&head, &links, index));
    }
    assert_eq!(take_all(&head, &links).collect::<Vec<_>>(), [5, 0, 7]);
    assert_eq!(take_all(&head, &links).next(), None);
    assert!(!push(&head, &links, 8));
    assert!(!push(&head, &links, EMPTY));
    assert_eq!(head.load(Relaxed), EMPTY);
}

#[test]
fn a_slot_can_be_pushed_again_as_soon_as_it_came_out() {
    let (head, links) = (AtomicU32::new(EMPTY), links(4));
    for index in 0..4 {
        push(&head, &links, index);
    }
    let mut taken = take_all(&head, &links);
    for index in 0..4 {
        assert_eq!(taken.next(), Some(index));
        push(&head, &links, index);
    }
    assert_eq!(taken.next(), None);
    assert_eq!(taken.next(), None);
    assert_eq!(take_all(&head, &links).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

/// If a caller pushes a slot twice by mistake, the links form a ring. Nothing loops forever on it.
#[test]
fn a_slot_pushed_twice_ends() {
    let (head, links) = (AtomicU32::new(EMPTY), links(4));
    for index in [0, 1, 0] {
        push(&head, &links, index);
    }
    assert!(take_all(&head, &links).count() <= 4);
}

/// How many rounds; Miri is slow.
const ROUNDS: u64 = if cfg!(miri) { 40 } else { 100_000 };

/// Each thread claims and releases; a slot with two owners is seen by its mark.
#[test]
fn no_slot_has_two_owners() {
    const COUNT: u32 = 70;
    let words = words(2);
    let owned = links(COUNT as usize);
    let start = Barrier::new(4);

    thread::scope(|scope| {
        for cpu in 0..4 {
            let (words, owned, start) = (&words, &owned, &start);
            scope.spawn(move || {
                start.wait();
                let mut mine = Vec::new();
                for round in 0..ROUNDS {
                    if let Some(index) = claim(words, COUNT, cpu) {
                        assert_eq!(owned[index as usize].swap(1, Relaxed), 0);
                        mine.push(index);
                    }
                    // Hold up to 30, so that the pool is sometimes full.
                    if mine.len() == 30 || round % 3 == 0 {
                        for index in mine.drain(..) {
                            assert_eq!(owned[index as usize].swap(0, Relaxed), 1);
                            assert!(release(words, index));
                        }
                    }
                }
                for index in mine {
                    owned[index as usize].store(0, Relaxed);
                    assert!(release(words, index));
                }
            });
        }
    });
    assert!(words.iter().all(|word| word.load(Relaxed) == 0));
}

/// The whole way: producers claim, fill and push to two queues; one reader takes, reads and releases. Nothing is
/// lost, nothing comes twice, and each producer's order is kept.
#[test]
fn pushed_slots_are_read_in_order() {
    const COUNT: u32 = 40;
    const PRODUCERS: u64 = 3;
    const QUEUES: usize = 2;
    let words = words(1);
    let links = links(COUNT as usize);
    let owned: Vec<AtomicU32> = self::links(COUNT as usize);
    // A slot contains the producer and its round. They are accessed without any ordering of their own, so Miri
    // notices if the queue provides none.
    let contents = self::words(COUNT as usize);
    let heads: [AtomicU32; QUEUES] = [const { AtomicU32::new(EMPTY) }; QUEUES];
    let done = AtomicU64::new(0);
    let lost = AtomicU64::new(0);

    let read = thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (words, links, owned, contents) = (&words, &links, &owned, &contents);
            let (heads, done, lost) = (&heads, &done, &lost);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let Some(index) = claim(words, COUNT, producer as usize) else {
                        lost.fetch_add(1, Relaxed);
                        thread::yield_now();
                        continue;
                    };
                    let at = index as usize;
                    assert_eq!(owned[at].swap(1, Relaxed), 0);
                    contents[at].store(producer << 32 | round, Relaxed);
                    assert!(push(&heads[producer as usize % QUEUES], links, index));
                }
                done.fetch_add(1, std::sync::atomic::Ordering::Release);
            });
        }

        let mut read: u64 = 0;
        let mut last = [None; PRODUCERS as usize];
        loop {
            let ended = done.load(std::sync::atomic::Ordering::Acquire) == PRODUCERS;
            for head in &heads {
                for index in take_all(head, &links) {
                    let at = index as usize;
                    let content = contents[at].load(Relaxed);
                    let (producer, round) = ((content >> 32) as usize, content & 0xffff_ffff);
                    assert!(last[producer] < Some(round), "order of producer {producer}");
                    last[producer] = Some(round);
                    read += 1;
                    assert_eq!(owned[at].swap(0, Relaxed), 1);
                    assert!(release(&words, index));
                }
            }
            if ended {
                break read;
            }
            thread::yield_now();
        }
    });

    assert_eq!(read + lost.load(Relaxed), PRODUCERS * ROUNDS);
    assert!(read > 0);
    assert!(words.iter().all(|word| word.load(Relaxed) == 0));
}

#[derive(Clone, Debug)]
enum Step {
    Claim(usize),
    Release(u32),
}

proptest! {
    /// Compared with a set of indexes.
    #[test]
    fn same_as_a_set(
        count in 0..200_u32,
        len in 0..5_usize,
        steps in prop::collection::vec(
            prop_oneof![
                2 => any::<usize>().prop_map(Step::Claim),
                1 => (0..220_u32).prop_map(Step::Release),
            ],
            0..400,
        ),
    ) {
        let words = words(len);
        let available = count.min(64 * len as u32);
        let mut claimed = BTreeSet::new();
        for step in steps {
            match step {
                Step::Claim(hint) => match claim(&words, count, hint) {
                    Some(index) => prop_assert!(index < available && claimed.insert(index)),
                    None => prop_assert_eq!(claimed.len(), available as usize),
                },
                Step::Release(index) => {
                    prop_assert_eq!(release(&words, index), claimed.remove(&index));
                }
            }
        }
    }
}
