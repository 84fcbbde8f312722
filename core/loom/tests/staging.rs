// SPDX-License-Identifier: GPL-2.0

//! Staging buffers: the threads that fill them, the one that seals them, and the writer.
//!
//! The bytes of a room are a cell: loom fails if two threads access it without an order between them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use imgrement_loom::history::staging::{
    Complete,
    NoRoom,
    Room,
    Sealed,
    Staging,
    Turn, //
};
use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        Mutex, //
    },
    thread, //
};

/// Where the log begins.
const START: u64 = 4096;

struct Shared {
    staging: Staging,
    turn: Mutex<Turn>,
    /// The bytes of each buffer, as two rooms.
    bytes: [[UnsafeCell<()>; 2]; 2],
}

impl Shared {
    /// Two buffers of 8192 bytes, the first one open.
    fn new() -> Arc<Self> {
        let (staging, mut turn) = Staging::new(2, 8192);
        assert!(staging.start(&mut turn, START, 1 << 30, 4096));
        let bytes = || [UnsafeCell::new(()), UnsafeCell::new(())];
        Arc::new(Self {
            staging,
            turn: Mutex::new(turn),
            bytes: [bytes(), bytes()],
        })
    }

    fn cell(&self, buffer: usize, offset: usize) -> &UnsafeCell<()> {
        let rooms = self.bytes.get(buffer).unwrap();
        rooms.get(usize::from(offset != 80)).unwrap()
    }

    /// Writes the bytes of a room.
    fn write(&self, room: &Room) {
        self.cell(room.buffer(), room.offset()).with_mut(|_| ());
    }

    /// Writes a room, and gives it up.
    fn fill(&self, room: Room) -> bool {
        self.write(&room);
        self.staging.fill(room)
    }

    /// Seals the open buffer, if it is not empty.
    fn seal(&self) -> Sealed {
        self.staging.seal(&mut self.turn.lock().unwrap(), None)
    }

    /// Ends the session.
    fn close(&self) -> Option<u64> {
        self.staging.close(&mut self.turn.lock().unwrap())
    }

    /// Begins a session.
    fn start(&self, position: u64) -> bool {
        let mut turn = self.turn.lock().unwrap();
        self.staging.start(&mut turn, position, 1 << 30, 4096)
    }

    /// Reads the bytes of a batch, as the writer does.
    fn read(&self, complete: &Complete) {
        for cell in self.bytes.get(complete.buffer).unwrap() {
            cell.with(|_| ());
        }
    }

    /// All the work of the writer for one batch. Returns its position and its length.
    fn write_out(&self) -> Option<(u64, u32)> {
        let complete = self.staging.take_complete()?;
        self.read(&complete);
        let batch = (complete.position, complete.length);
        self.staging.free(complete);
        Some(batch)
    }
}

/// Two threads fill, and one seals. Exactly one of them is told that the buffer is complete. It may read all bytes.
#[test]
fn one_thread_completes_a_buffer() {
    loom::model(|| {
        let shared = Shared::new();
        let fill = |room: Room| {
            let shared = shared.clone();
            thread::spawn(move || {
                let complete = shared.fill(room);
                complete.then(|| shared.write_out().unwrap())
            })
        };
        let first = fill(shared.staging.reserve(8).unwrap());
        let second = fill(shared.staging.reserve(8).unwrap());
        let sealed = match shared.seal() {
            Sealed::Yes(true) => Some(shared.write_out().unwrap()),
            Sealed::Yes(false) => None,
            no @ (Sealed::Before | Sealed::NoneFree | Sealed::Full | Sealed::Closed) => {
                panic!("{no:?}")
            }
        };
        let told: Vec<_> = [first.join().unwrap(), second.join().unwrap(), sealed]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(told, [(START, 96)]);
    });
}

/// A writer that is told nothing, but looks, finds a buffer when it is complete, and not before.
#[test]
fn a_writer_that_looks_finds_what_is_complete() {
    loom::model(|| {
        let shared = Shared::new();
        let room = shared.staging.reserve(8).unwrap();
        let maker = {
            let shared = shared.clone();
            thread::spawn(move || {
                assert_eq!(shared.seal(), Sealed::Yes(false));
                assert!(shared.fill(room));
            })
        };
        let early = shared.write_out();
        maker.join().unwrap();
        assert_eq!(early.or_else(|| shared.write_out()), Some((START, 88)));
        assert_eq!(shared.write_out(), None);
    });
}

/// The writer frees a buffer, another thread opens it again, and a third one fills it. The bytes are never accessed by
/// two of them at once.
#[test]
fn a_buffer_is_used_again_when_it_is_free() {
    loom::model(|| {
        let shared = Shared::new();
        // Buffer 0 is complete, and buffer 1 is open and not empty.
        assert!(!shared.fill(shared.staging.reserve(8).unwrap()));
        assert_eq!(shared.seal(), Sealed::Yes(true));
        assert!(!shared.fill(shared.staging.reserve(8).unwrap()));

        let writer = {
            let shared = shared.clone();
            thread::spawn(move || assert_eq!(shared.write_out(), Some((START, 88))))
        };
        let sealer = {
            let shared = shared.clone();
            thread::spawn(move || match shared.seal() {
                Sealed::Yes(_) => true,
                Sealed::NoneFree => false,
                no @ (Sealed::Before | Sealed::Full | Sealed::Closed) => panic!("{no:?}"),
            })
        };
        let room = shared.staging.reserve(8).unwrap();
        let buffer = room.buffer();
        let position = room.position();
        shared.fill(room);
        writer.join().unwrap();
        let sealed = sealer.join().unwrap();

        assert!(buffer == 1 || sealed);
        assert_eq!(
            position,
            if buffer == 1 {
                START + 4096 + 88
            } else {
                START + 8192 + 80
            }
        );
        shared.close();
        let length = if buffer == 1 { 96 } else { 88 };
        assert_eq!(shared.write_out(), Some((START + 4096, length)));
        assert_eq!(shared.write_out().is_some(), buffer == 0);
        assert!(shared.staging.is_idle());
    });
}

/// Two threads find no room. One of them seals, and both get room in the next buffer, without an overlap.
#[test]
fn two_threads_that_find_no_room_seal_once() {
    loom::model(|| {
        let shared = Shared::new();
        assert!(!shared.fill(shared.staging.reserve(7088).unwrap()));
        let make = |shared: &Shared| {
            let seen = match shared.staging.reserve(3544) {
                Ok(room) => return room,
                Err(NoRoom::Seal(seen)) => seen,
                Err(NoRoom::Closed) => panic!("it is open"),
            };
            let sealed = shared
                .staging
                .seal(&mut shared.turn.lock().unwrap(), Some(seen));
            assert!(matches!(sealed, Sealed::Yes(true) | Sealed::Before));
            shared.staging.reserve(3544).unwrap()
        };
        let other = {
            let shared = shared.clone();
            thread::spawn(move || {
                let room = make(&shared);
                let position = room.position();
                shared.fill(room);
                position
            })
        };
        let room = make(&shared);
        let position = room.position();
        shared.fill(room);
        let mut positions = [position, other.join().unwrap()];
        positions.sort_unstable();
        assert_eq!(positions, [START + 8192 + 80, START + 8192 + 80 + 3544]);
    });
}

/// An entry gets room while the buffer is sealed. It may be the one with which the batch takes a second block. The next
/// batch begins after it in any case.
#[test]
fn a_batch_begins_where_the_last_one_ends() {
    loom::model(|| {
        let shared = Shared::new();
        assert!(!shared.fill(shared.staging.reserve(4096 - 80).unwrap()));
        let maker = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.fill(shared.staging.reserve(8).unwrap());
            })
        };
        shared.seal();
        maker.join().unwrap();
        let (position, length) = shared.write_out().unwrap();
        let blocks = match length {
            4096 => 1,
            4104 => 2,
            other => panic!("{other}"),
        };
        assert_eq!(
            shared.staging.head().unwrap() & !4095,
            position + blocks * 4096
        );
    });
}

/// A session ends and another one begins, while a thread makes an entry. The entry is in one of them, or in none, and
/// nothing is left behind.
#[test]
fn a_session_ends_with_all_that_got_room() {
    loom::model(|| {
        let shared = Shared::new();
        let maker = {
            let shared = shared.clone();
            thread::spawn(move || {
                let room = shared.staging.reserve(8).ok()?;
                let position = room.position();
                shared.fill(room);
                Some(position)
            })
        };
        let end = shared.close().unwrap();
        let mut batch = shared.write_out();
        let again = shared.start(end);
        let made = maker.join().unwrap();
        if again {
            shared.close().unwrap();
        }
        batch = batch.or_else(|| shared.write_out());
        assert_eq!(batch.map(|(position, _)| position + 80), made);
        assert_eq!(shared.write_out(), None);
        assert!(shared.staging.is_idle());
    });
}

/// A session ends, another thread begins one as soon as all is written, and a third one fills its first buffer. The bytes
/// are never accessed by two threads at once.
#[test]
fn a_session_begins_with_free_buffers() {
    loom::model(|| {
        let shared = Shared::new();
        assert!(!shared.fill(shared.staging.reserve(8).unwrap()));
        let end = shared.close().unwrap();

        let writer = {
            let shared = shared.clone();
            thread::spawn(move || assert_eq!(shared.write_out(), Some((START, 88))))
        };
        let starter = {
            let shared = shared.clone();
            thread::spawn(move || {
                while !shared.start(end) {
                    thread::yield_now();
                }
            })
        };
        while shared.staging.head().is_none() {
            thread::yield_now();
        }
        shared.fill(shared.staging.reserve(8).unwrap());
        writer.join().unwrap();
        starter.join().unwrap();

        assert_eq!(shared.close(), Some(end + 4096));
        assert_eq!(shared.write_out(), Some((end, 88)));
        assert!(shared.staging.is_idle());
    });
}

/// What a thread reads as the head is not above the position of what it reserves later, and that is below the head it
/// reads then. Meanwhile, another thread reserves and seals.
#[test]
fn the_head_never_goes_back() {
    loom::model(|| {
        let shared = Shared::new();
        let other = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.fill(shared.staging.reserve(8).unwrap());
                shared.seal();
            })
        };
        let before = shared.staging.head().unwrap();
        let room = shared.staging.reserve(8).unwrap();
        let after = shared.staging.head().unwrap();
        assert!(before <= room.position() && room.position() < after);
        shared.fill(room);
        other.join().unwrap();
        assert!(after <= shared.staging.head().unwrap());
    });
}

/// A log is stopped while a thread makes an entry. The thread gets room before that, or none. In both cases, the head that
/// it sees then is above its entry, and not above what the owner adds.
#[test]
fn a_stopped_log_has_what_came_before() {
    loom::model(|| {
        let shared = Shared::new();
        let maker = {
            let shared = shared.clone();
            thread::spawn(move || {
                let position = shared.staging.reserve(8).ok().map(|room| {
                    let position = room.position();
                    shared.fill(room);
                    position
                });
                (position, shared.staging.head_or_last())
            })
        };
        let late = {
            let mut turn = shared.turn.lock().unwrap();
            assert!(shared.staging.stop(&mut turn));
            let late = shared.staging.reserve_late(&mut turn, 8).unwrap();
            late.position()
        };
        let (made, head) = maker.join().unwrap();
        assert!(made.is_none_or(|position| position < head && position < late));
        assert!(head <= late && head >= START + 80);
    });
}
