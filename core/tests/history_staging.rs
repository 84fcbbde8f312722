// SPDX-License-Identifier: GPL-2.0

//! Staging buffers, compared with a model. `core/loom` tries them with several threads.

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
    collections::VecDeque,
    sync::{
        atomic::{
            AtomicBool,
            AtomicU64,
            Ordering::{
                Acquire,
                Relaxed,
                Release, //
            }, //
        },
        Condvar,
        Mutex, //
    },
    thread, //
};

use imgrement_core::history::{
    batch,
    staging::{
        Complete,
        NoRoom,
        Room,
        Sealed,
        Staging,
        Turn,
        BUFFERS_MAX,
        BUFFER_MAX,
        LAST,
        POSITION_MAX, //
    },
};
use proptest::prelude::*;

const HEADER: u64 = batch::HEADER as u64;

/// Two buffers of 8 KiB, open at position 4096, in a log of this many bytes.
fn started(end: u64) -> (Staging, Turn) {
    let (staging, mut turn) = Staging::new(2, 8192);
    assert!(staging.start(&mut turn, 4096, end, 4096));
    (staging, turn)
}

#[test]
fn sizes_are_clamped() {
    for (count, size, wanted) in [
        (0, 0, (2, 4096)),
        (4, 1 << 20, (4, 1 << 20)),
        (usize::MAX, u32::MAX, (BUFFERS_MAX, BUFFER_MAX)),
    ] {
        let (staging, _) = Staging::new(count, size);
        assert_eq!((staging.count(), staging.size()), wanted);
    }
}

#[test]
fn nothing_has_room_while_closed() {
    let (staging, mut turn) = Staging::new(2, 8192);
    assert_eq!(staging.head(), None);
    assert_eq!(staging.reserve(8), Err(NoRoom::Closed));
    assert_eq!(staging.reserve_last(&mut turn, 8), None);
    assert!(!staging.stop(&mut turn));
    assert_eq!(staging.seal(&mut turn, None), Sealed::Closed);
    assert_eq!(staging.close(&mut turn), None);
    assert_eq!(staging.take_complete(), None);
    assert!(staging.is_idle());
}

#[test]
fn a_start_needs_room_and_whole_blocks() {
    let (staging, mut turn) = Staging::new(2, 8192);
    for (position, end, block) in [
        (4096, 4096 + 8191, 4096),
        (4096, 0, 4096),
        (4096, 1 << 20, 0),
        (4096, 1 << 20, 512),
        (4096, 1 << 20, 4097),
        (4096, 1 << 20, 16384),
        (4096, 1 << 20, 1 << 31),
        (4096, 1 << 20, 8192),
        (4097, 1 << 20, 4096),
        (POSITION_MAX, u64::MAX, 4096),
        (POSITION_MAX - 4096, u64::MAX, 4096),
        (u64::MAX - 4095, u64::MAX, 4096),
    ] {
        assert!(
            !staging.start(&mut turn, position, end, block),
            "{position} {end} {block}"
        );
        assert_eq!(staging.head(), None);
    }
    assert!(staging.start(&mut turn, POSITION_MAX - 8192, u64::MAX, 8192));
    assert_eq!(staging.head(), Some(POSITION_MAX - 8192 + HEADER));
    // It is open already.
    assert!(!staging.start(&mut turn, 4096, 1 << 20, 4096));
    assert_eq!(staging.head(), Some(POSITION_MAX - 8192 + HEADER));
}

#[test]
fn a_start_needs_free_buffers() {
    let (staging, mut turn) = started(1 << 20);
    let room = staging.reserve(8).unwrap();
    assert_eq!(staging.close(&mut turn), Some(8192));
    assert!(!staging.is_idle());
    assert!(!staging.start(&mut turn, 8192, 1 << 20, 4096));
    assert_eq!(staging.take_complete(), None);
    assert!(staging.fill(room));
    assert!(!staging.start(&mut turn, 8192, 1 << 20, 4096));
    let complete = staging.take_complete().unwrap();
    assert!(!staging.start(&mut turn, 8192, 1 << 20, 4096));
    staging.free(complete);
    assert!(staging.is_idle());
    assert!(staging.start(&mut turn, 8192, 1 << 20, 4096));
}

#[test]
fn an_empty_buffer_is_free_once_closed() {
    let (staging, mut turn) = started(1 << 20);
    assert_eq!(staging.seal(&mut turn, None), Sealed::Before);
    assert_eq!(staging.close(&mut turn), Some(4096));
    assert!(staging.is_idle());
    assert_eq!(staging.take_complete(), None);
    assert!(staging.start(&mut turn, 4096, 1 << 20, 4096));
}

#[test]
fn the_last_words_have_room_of_their_own() {
    let (staging, mut turn) = started(1 << 20);
    let most = 8192 - LAST - HEADER as u32;
    assert!(staging.can_hold(most) && staging.can_hold(most - 7));
    for bytes in [most + 1, u32::MAX - 7, u32::MAX] {
        assert!(!staging.can_hold(bytes));
        assert!(matches!(staging.reserve(bytes), Err(NoRoom::Seal(_))));
    }
    assert!(staging.reserve(most).is_ok());
    assert!(matches!(staging.reserve(8), Err(NoRoom::Seal(_))));
    // Only the last ones do.
    assert_eq!(staging.reserve_last(&mut turn, 8), None);
    assert!(staging.stop(&mut turn));
    assert_eq!(staging.reserve(8), Err(NoRoom::Closed));
    assert_eq!(staging.reserve_late(&mut turn, 8), None);
    assert!(staging.reserve_last(&mut turn, LAST - 8).is_some());
    assert_eq!(staging.reserve_last(&mut turn, 16), None);
    let last = staging.reserve_last(&mut turn, 8).unwrap();
    assert_eq!(
        (last.offset(), last.bytes(), last.position()),
        (8184, 8, 4096 + 8184)
    );
    assert_eq!(staging.reserve_last(&mut turn, 1), None);
    assert_eq!(staging.close(&mut turn), Some(4096 + 8192));
    assert_eq!(staging.reserve_last(&mut turn, 1), None);
}

/// A log that is stopped takes entries of its owner only, also in further buffers. Its head stays where it was stopped,
/// until the next session.
#[test]
fn a_stopped_log_goes_on_for_its_owner() {
    let (staging, mut turn) = started(1 << 20);
    assert!(!turn.is_stopped());
    let first = staging.reserve(8).unwrap();
    assert!(staging.stop(&mut turn));
    assert!(turn.is_stopped() && !staging.stop(&mut turn));
    let head = 4096 + HEADER + 8;
    assert_eq!((staging.head(), staging.head_or_last()), (None, head));
    let late = staging.reserve_late(&mut turn, 7000).unwrap();
    assert_eq!((late.position(), late.bytes()), (head, 7000));
    assert_eq!(staging.reserve_late(&mut turn, 7000), None);
    assert_eq!(staging.seal(&mut turn, None), Sealed::Yes(false));
    let next = staging.reserve_late(&mut turn, 7000).unwrap();
    assert_eq!(next.position(), 4096 + 8192 + HEADER);
    assert_eq!(staging.seal(&mut turn, None), Sealed::NoneFree);
    for room in [first, late, next] {
        staging.fill(room);
    }
    assert_eq!(staging.close(&mut turn), Some(4096 + 2 * 8192));
    assert!(!turn.is_stopped());
    for position in [4096, 4096 + 8192] {
        let complete = staging.take_complete().unwrap();
        assert_eq!(complete.position, position);
        staging.free(complete);
    }
    assert_eq!(staging.head_or_last(), head);
    assert!(staging.start(&mut turn, 4096 + 2 * 8192, 1 << 20, 4096));
    assert_eq!(Some(staging.head_or_last()), staging.head());
}

#[test]
fn rooms_are_rounded_up() {
    let (staging, _) = started(1 << 20);
    for (bytes, offset, rounded) in [
        (1, 80, 8),
        (8, 88, 8),
        (9, 96, 16),
        (0, 112, 0),
        (7, 112, 8),
    ] {
        let room = staging.reserve(bytes).unwrap();
        assert_eq!((room.offset(), room.bytes()), (offset, rounded));
    }
}

#[test]
fn the_second_task_that_found_no_room_seals_nothing() {
    let (staging, mut turn) = started(1 << 20);
    let Err(NoRoom::Seal(seen)) = staging.reserve(8000) else {
        panic!("there is room");
    };
    let _room = staging.reserve(8);
    assert_eq!(staging.seal(&mut turn, Some(seen)), Sealed::Yes(false));
    assert_eq!(staging.seal(&mut turn, Some(seen)), Sealed::Before);
    let _room = staging.reserve(8);
    assert_eq!(staging.seal(&mut turn, Some(seen)), Sealed::Before);
    assert_eq!(staging.seal(&mut turn, None), Sealed::NoneFree);
}

/// All buffers are being written. None of them comes a second time.
#[test]
fn a_complete_buffer_is_taken_once() {
    let (staging, mut turn) = started(1 << 20);
    for _ in 0..2 {
        let room = staging.reserve(8).unwrap();
        staging.fill(room);
        staging.seal(&mut turn, None);
    }
    assert_eq!(staging.seal(&mut turn, None), Sealed::NoneFree);
    assert_eq!(staging.close(&mut turn), Some(12288));
    let (first, second) = (
        staging.take_complete().unwrap(),
        staging.take_complete().unwrap(),
    );
    assert_eq!((first.buffer, first.position, first.length), (0, 4096, 88));
    assert_eq!(
        (second.buffer, second.position, second.length),
        (1, 8192, 88)
    );
    assert_eq!(staging.take_complete(), None);
    // In any order.
    staging.free(second);
    assert_eq!(staging.take_complete(), None);
    staging.free(first);
    assert!(staging.is_idle());
}

#[derive(Clone, Debug)]
enum Step {
    Start(u64),
    Reserve(u32),
    /// True for the last words.
    ReserveLate(u32, bool),
    /// Fills one of the rooms.
    Fill(usize),
    Seal,
    SealSeen,
    Stop,
    Close,
    Take,
    /// Frees one of the taken buffers.
    Free(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..3_u64).prop_map(Step::Start),
        6 => (0..3000_u32).prop_map(Step::Reserve),
        3 => (0..3000_u32, any::<bool>()).prop_map(|(bytes, last)| Step::ReserveLate(bytes, last)),
        5 => any::<usize>().prop_map(Step::Fill),
        1 => Just(Step::Seal),
        2 => Just(Step::SealSeen),
        1 => Just(Step::Stop),
        1 => Just(Step::Close),
        3 => Just(Step::Take),
        3 => any::<usize>().prop_map(Step::Free),
    ]
}

/// A batch, as it is made.
#[derive(Debug)]
struct Model {
    buffer: usize,
    position: u64,
    taken: u64,
    filled: u64,
}

fn same_as_model(count: usize, block: u32, blocks: u64, steps: Vec<Step>) {
    let size = 8192;
    let rounded = |taken: u64| taken.next_multiple_of(u64::from(block));
    let (staging, mut turn) = Staging::new(count, size);
    let mut position = u64::from(block);
    let mut end = 0;
    let mut open: Option<Model> = None;
    let (mut stopped, mut last_head) = (false, 0);
    let mut sealed: VecDeque<Model> = VecDeque::new();
    let mut rooms: Vec<Room> = Vec::new();
    let mut taken: Vec<Complete> = Vec::new();
    let mut seen = None;

    for step in steps {
        match step {
            Step::Start(hole) => {
                let at = position + hole * u64::from(block);
                let limit = at + blocks * u64::from(block);
                let idle = open.is_none() && sealed.is_empty() && taken.is_empty();
                let wanted = idle && at + u64::from(size) <= limit;
                assert_eq!(staging.start(&mut turn, at, limit, block), wanted);
                if wanted {
                    (position, end) = (at, limit);
                    stopped = false;
                    open = Some(Model {
                        buffer: 0,
                        position,
                        taken: HEADER,
                        filled: HEADER,
                    });
                }
            }
            Step::ReserveLate(bytes, last) => {
                let (result, limit) = if last {
                    (staging.reserve_last(&mut turn, bytes), size)
                } else {
                    (staging.reserve_late(&mut turn, bytes), size - LAST)
                };
                let bytes = u64::from(bytes.next_multiple_of(8));
                match (open.as_mut().filter(|_| stopped), result) {
                    (None, result) => assert_eq!(result, None),
                    (Some(open), Some(room)) => {
                        assert_eq!(room.buffer(), open.buffer);
                        assert_eq!(room.offset() as u64, open.taken);
                        assert_eq!(room.bytes() as u64, bytes);
                        assert_eq!(room.position(), open.position + open.taken);
                        open.taken += bytes;
                        assert!(open.taken <= u64::from(limit));
                        rooms.push(room);
                    }
                    (Some(open), None) => assert!(open.taken + bytes > u64::from(limit)),
                }
            }
            Step::Reserve(bytes) => {
                let (result, limit) = (staging.reserve(bytes), size - LAST);
                let bytes = u64::from(bytes.next_multiple_of(8));
                match (open.as_mut().filter(|_| !stopped), result) {
                    (None, result) => assert_eq!(result, Err(NoRoom::Closed)),
                    (Some(open), Ok(room)) => {
                        assert_eq!(room.buffer(), open.buffer);
                        assert_eq!(room.offset() as u64, open.taken);
                        assert_eq!(room.bytes() as u64, bytes);
                        assert_eq!(room.position(), open.position + open.taken);
                        open.taken += bytes;
                        assert!(open.taken <= u64::from(limit));
                        rooms.push(room);
                    }
                    (Some(open), Err(NoRoom::Seal(now))) => {
                        assert!(open.taken + bytes > u64::from(limit));
                        seen = Some((now, open.position));
                    }
                    (Some(_), Err(NoRoom::Closed)) => panic!("it is open"),
                }
            }
            Step::Fill(which) => {
                if rooms.is_empty() {
                    continue;
                }
                let room = rooms.swap_remove(which % rooms.len());
                let bytes = room.bytes() as u64;
                let batch = room.position() - room.offset() as u64;
                let complete = staging.fill(room);
                let is_open = open.iter().any(|open| open.position == batch);
                let owner = open
                    .iter_mut()
                    .chain(&mut sealed)
                    .find(|model| model.position == batch);
                // A room of no bytes is filled from the start.
                if bytes != 0 {
                    let owner = owner.expect("it is not written before it is filled");
                    owner.filled += bytes;
                    assert_eq!(complete, !is_open && owner.filled == owner.taken);
                }
            }
            Step::Seal | Step::SealSeen => {
                let with = seen.filter(|_| matches!(step, Step::SealSeen));
                if matches!(step, Step::SealSeen) && with.is_none() {
                    continue;
                }
                let result = staging.seal(&mut turn, with.map(|(now, _)| now));
                let Some(now) = open.take() else {
                    assert_eq!(result, Sealed::Closed);
                    continue;
                };
                let next = (now.buffer + 1) % count;
                let stale = with.is_some_and(|(_, position)| position != now.position);
                let used = sealed.iter().any(|model| model.buffer == next)
                    || taken.iter().any(|complete| complete.buffer == next);
                if stale || with.is_none() && now.taken == HEADER {
                    assert_eq!(result, Sealed::Before);
                    open = Some(now);
                } else if used {
                    assert_eq!(result, Sealed::NoneFree);
                    open = Some(now);
                } else if now.position + 2 * u64::from(size) > end {
                    assert_eq!(result, Sealed::Full);
                    open = Some(now);
                } else {
                    assert_eq!(result, Sealed::Yes(now.filled == now.taken));
                    open = Some(Model {
                        buffer: next,
                        position: now.position + rounded(now.taken),
                        taken: HEADER,
                        filled: HEADER,
                    });
                    sealed.push_back(now);
                }
            }
            Step::Stop => {
                let wanted = open.as_ref().filter(|_| !stopped);
                assert_eq!(staging.stop(&mut turn), wanted.is_some());
                if let Some(open) = wanted {
                    (stopped, last_head) = (true, open.position + open.taken);
                }
            }
            Step::Close => {
                if let Some(open) = open.as_ref().filter(|_| !stopped) {
                    last_head = open.position + open.taken;
                }
                let wanted = open.take().map(|now| {
                    if now.taken == HEADER {
                        return now.position;
                    }
                    let end = now.position + rounded(now.taken);
                    sealed.push_back(now);
                    end
                });
                assert_eq!(staging.close(&mut turn), wanted);
                position = wanted.unwrap_or(position);
            }
            Step::Take => {
                let is_complete = |model: &&Model| model.filled == model.taken;
                let complete = staging.take_complete();
                assert_eq!(
                    complete.is_some(),
                    sealed.front().filter(is_complete).is_some()
                );
                if let Some(complete) = complete {
                    let model = sealed.pop_front().unwrap();
                    assert_eq!(
                        (
                            complete.buffer,
                            complete.position,
                            u64::from(complete.length)
                        ),
                        (model.buffer, model.position, model.taken)
                    );
                    taken.push(complete);
                }
            }
            Step::Free(which) => {
                if !taken.is_empty() {
                    staging.free(taken.swap_remove(which % taken.len()));
                }
            }
        }
        let head = open
            .as_ref()
            .filter(|_| !stopped)
            .map(|open| open.position + open.taken);
        assert_eq!(staging.head(), head);
        assert_eq!(staging.head_or_last(), head.unwrap_or(last_head));
        assert_eq!(turn.is_stopped(), stopped && open.is_some());
        let idle = open.is_none() && sealed.is_empty() && taken.is_empty();
        assert_eq!(staging.is_idle(), idle);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn buffers_are_as_in_the_model(
        count in 2..5_usize,
        block in prop::sample::select(vec![4096_u32, 8192]),
        blocks in 1..40_u64,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let start = std::iter::once(Step::Start(0));
        same_as_model(count, block, blocks, start.chain(steps).collect());
    }
}

/// How many entries each thread makes; Miri is slow.
const ENTRIES: u64 = if cfg!(miri) { 30 } else { 20_000 };

/// Threads write entries through buffers that are reused, and a writer takes them. Each entry comes once, whole, and
/// those of one thread in order.
#[test]
fn entries_of_many_threads_come_once_and_in_order() {
    const THREADS: u64 = 3;
    const SIZE: u32 = 4096;
    let (staging, mut turn) = Staging::new(2, SIZE);
    assert!(staging.start(&mut turn, 4096, POSITION_MAX, 4096));
    let turn = Mutex::new(turn);
    let freed = Condvar::new();
    // The bytes, as words. They have no ordering of their own, so Miri notices if the buffers provide none.
    let bytes: Vec<AtomicU64> = (0..2 * SIZE / 8).map(|_| AtomicU64::new(0)).collect();
    let (staging, bytes, done) = (&staging, &bytes, &AtomicBool::new(false));
    let words = |buffer: usize, offset: usize, len: usize| {
        let start = (buffer * SIZE as usize + offset) / 8;
        &bytes[start..start + len / 8]
    };

    let written = thread::scope(|scope| {
        let makers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (turn, freed) = (&turn, &freed);
                scope.spawn(move || {
                    let mut last = 0;
                    for entry in 0..ENTRIES {
                        let len = 16 + (entry * 56 + thread * 24) % 800;
                        let room = loop {
                            let seen = match staging.reserve(len as u32) {
                                Ok(room) => break room,
                                Err(NoRoom::Seal(seen)) => seen,
                                Err(NoRoom::Closed) => panic!("it was closed"),
                            };
                            let mut turn = turn.lock().unwrap();
                            while staging.seal(&mut turn, Some(seen)) == Sealed::NoneFree {
                                turn = freed.wait(turn).unwrap();
                            }
                        };
                        assert!(room.position() > last);
                        last = room.position();
                        let words = words(room.buffer(), room.offset(), room.bytes());
                        for word in words {
                            word.store(thread << 32 | entry, Relaxed);
                        }
                        words[0].store(room.bytes() as u64, Relaxed);
                        staging.fill(room);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for maker in makers {
                maker.join().unwrap();
            }
            staging.close(&mut turn.lock().unwrap());
            done.store(true, Release);
        });

        let mut next = [0; THREADS as usize];
        let mut position = 4096;
        loop {
            let ended = done.load(Acquire);
            let Some(complete) = staging.take_complete() else {
                if ended {
                    break next;
                }
                thread::yield_now();
                continue;
            };
            assert_eq!(complete.position, position);
            position += batch::room(complete.length, 4096);
            let mut rest = words(complete.buffer, 80, complete.length as usize - 80);
            while let Some(len) = rest.first() {
                let (entry, after) = rest.split_at(len.load(Relaxed) as usize / 8);
                let content = entry[1].load(Relaxed);
                assert!(entry[1..].iter().all(|word| word.load(Relaxed) == content));
                let next = &mut next[(content >> 32) as usize];
                assert_eq!(content & 0xffff_ffff, *next);
                *next += 1;
                rest = after;
            }
            let _turn = turn.lock().unwrap();
            staging.free(complete);
            freed.notify_all();
        }
    });
    assert_eq!(written, [ENTRIES; THREADS as usize]);
    assert!(staging.is_idle());
}
