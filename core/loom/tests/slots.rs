// SPDX-License-Identifier: GPL-2.0

//! Notes of completions: a slot is claimed when a request is submitted, pushed when it completes, and taken by the
//! worker.
//!
//! What a slot contains is a cell: loom fails if two threads access it without an order between them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use imgrement_loom::memory::{
    atomic::{
        AtomicU32,
        AtomicU64, //
    },
    slots::{
        claim,
        push,
        release,
        take_all,
        EMPTY, //
    },
};
use loom::{
    cell::UnsafeCell,
    sync::Arc,
    thread, //
};

struct Shared {
    words: [AtomicU64; 1],
    head: AtomicU32,
    links: Vec<AtomicU32>,
    notes: Vec<UnsafeCell<()>>,
}

impl Shared {
    fn new(count: u32) -> Arc<Self> {
        Arc::new(Self {
            words: [AtomicU64::new(0)],
            head: AtomicU32::new(EMPTY),
            links: (0..count).map(|_| AtomicU32::new(EMPTY)).collect(),
            notes: (0..count).map(|_| UnsafeCell::new(())).collect(),
        })
    }

    fn note(&self, index: u32) -> &UnsafeCell<()> {
        self.notes.get(usize::try_from(index).unwrap()).unwrap()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.notes.len()).unwrap()
    }

    fn claim(&self) -> Option<u32> {
        claim(&self.words, self.count(), 0)
    }

    /// Writes a note, and hands it over.
    fn complete(&self, index: u32) {
        self.note(index).with_mut(|_| ());
        assert!(push(&self.head, &self.links, index));
    }

    /// What the worker does. Returns the slots.
    fn work(&self) -> Vec<u32> {
        let taken = take_all(&self.head, &self.links);
        taken
            .inspect(|index| {
                self.note(*index).with(|_| ());
                assert!(release(&self.words, *index));
            })
            .collect()
    }
}

/// Two requests share one slot, while the worker takes and releases it.
#[test]
fn a_slot_has_one_owner() {
    loom::model(|| {
        let shared = Shared::new(1);
        let request = || {
            let shared = shared.clone();
            thread::spawn(move || {
                let index = shared.claim();
                if let Some(index) = index {
                    shared.complete(index);
                }
                usize::from(index.is_some())
            })
        };
        let (first, second) = (request(), request());
        let early = shared.work().len();
        let made = first.join().unwrap() + second.join().unwrap();
        assert!(made >= 1);
        assert_eq!(early + shared.work().len(), made);
        assert_eq!(shared.claim(), Some(0));
    });
}

/// Two requests complete at the same time. Both notes come out, each once.
#[test]
fn all_notes_come_out() {
    loom::model(|| {
        let shared = Shared::new(2);
        let request = || {
            let shared = shared.clone();
            let index = shared.claim().unwrap();
            thread::spawn(move || shared.complete(index))
        };
        let (first, second) = (request(), request());
        let mut taken = shared.work();
        first.join().unwrap();
        second.join().unwrap();
        taken.extend(shared.work());
        taken.sort_unstable();
        assert_eq!(taken, [0, 1]);
    });
}

/// The notes of one CPU come out in the order of its completions, even if the worker comes in between.
#[test]
fn notes_of_one_cpu_are_in_order() {
    loom::model(|| {
        let shared = Shared::new(3);
        let order: Vec<_> = (0..3).map(|_| shared.claim().unwrap()).collect();
        let cpu = {
            let shared = shared.clone();
            let order = order.clone();
            thread::spawn(move || order.into_iter().for_each(|index| shared.complete(index)))
        };
        let mut taken = shared.work();
        cpu.join().unwrap();
        taken.extend(shared.work());
        assert_eq!(taken, order);
    });
}
