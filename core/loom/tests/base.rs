// SPDX-License-Identifier: GPL-2.0

//! The base of a chunk: what it held before the first write of a session.
//!
//! A write to a chunk that is not known is held. A worker reads the old bytes, reserves the base and then the write,
//! makes the chunk known, and submits the write. A write to a known chunk is reserved and submitted. Several workers
//! may do this at once.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use imgrement_loom::{
    history::{
        chunks,
        staging::{
            Staging,
            Turn, //
        },
    },
    memory::atomic::AtomicU64, //
};
use loom::{
    sync::{
        Arc,
        Mutex, //
    },
    thread, //
};

/// What a chunk of the disk holds.
type Bytes = u32;

/// What the disk holds when the session begins.
const OLD: Bytes = 0;

struct Shared {
    staging: Staging,
    known: [AtomicU64; 1],
    /// The disk orders the requests that it gets.
    disk: Mutex<Bytes>,
    _turn: Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// A chunk was found known: the head at that time, which is no entry of the log.
    Known,
    Base(Bytes),
    Write(Bytes),
}

impl Shared {
    fn new() -> Arc<Self> {
        let (staging, mut turn) = Staging::new(2, 4096);
        assert!(staging.start(&mut turn, 4096, 1 << 30, 4096));
        Arc::new(Self {
            staging,
            known: [AtomicU64::new(0)],
            disk: Mutex::new(OLD),
            _turn: turn,
        })
    }

    /// Puts an entry into the log. Returns its position with it.
    fn log(&self, entry: Entry) -> (u64, Entry) {
        // Nothing is written out here, so it need not be filled.
        (self.staging.reserve(8).unwrap().position(), entry)
    }

    /// One write, from `map` to the disk.
    fn write(&self, bytes: Bytes) -> Vec<(u64, Entry)> {
        let mut log = Vec::new();
        if !chunks::are_known(&self.known, &(0..1)) {
            let old = *self.disk.lock().unwrap();
            log.push(self.log(Entry::Base(old)));
            log.push(self.log(Entry::Write(bytes)));
            chunks::set_known(&self.known, &(0..1));
        } else {
            // loom always gives a reservation the newest word, so that alone does not show that the base is seen. A
            // load may give an older one.
            log.push((self.staging.head().unwrap(), Entry::Known));
            log.push(self.log(Entry::Write(bytes)));
        }
        *self.disk.lock().unwrap() = bytes;
        log
    }
}

/// The log of writers that all write to one chunk: it begins with the true base.
fn first_base_is_true(writers: Bytes) {
    let shared = Shared::new();
    let others: Vec<_> = (2..=writers)
        .map(|bytes| {
            let shared = shared.clone();
            thread::spawn(move || shared.write(bytes))
        })
        .collect();
    let mut log = shared.write(1);
    for other in others {
        log.extend(other.join().unwrap());
    }
    log.sort_unstable();
    assert_eq!(log.first().unwrap().1, Entry::Base(OLD), "{log:?}");
}

#[test]
fn the_first_base_is_the_true_one() {
    loom::model(|| first_base_is_true(2));
}

/// The same with three writers. All orders would take hours, so the threads are interrupted a few times at most.
#[test]
fn the_first_base_of_three_is_the_true_one() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(if std::env::var_os("LONG").is_some() {
        4
    } else {
        3
    });
    model.check(|| first_base_is_true(3));
}

/// One bit of a word says nothing about another one, which is set at the same time.
#[test]
fn bits_of_one_word_are_set_at_once() {
    loom::model(|| {
        let known = Arc::new([AtomicU64::new(0)]);
        let other = {
            let known = known.clone();
            thread::spawn(move || chunks::set_known(&known[..], &(0..1)))
        };
        chunks::set_known(&known[..], &(1..3));
        assert!(chunks::are_known(&known[..], &(1..3)));
        other.join().unwrap();
        assert!(chunks::are_known(&known[..], &(0..3)));
    });
}
