// SPDX-License-Identifier: GPL-2.0

//! Logs that were closed by a suspend, so that the next table of the same device knows that it goes on without a hole.
//!
//! A leaf with `unsafe`: the kernel crate's global locks must be initialised once, which the caller must promise.

#![allow(unsafe_code)]

use crate::history_format::superblock::LogId;
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::global_lock, //
};

/// What a log is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The number of the mapped device.
    pub(crate) mapped: u32,
    /// The number of the disk, and the sector at which the target begins there.
    pub(crate) disk: u32,
    pub(crate) offset: u64,
}

/// A log that was closed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Closed {
    subject: Subject,
    id: LogId,
    /// Where the log ends.
    position: u64,
}

/// How many are remembered at once: tables that are suspended.
const ROOM: usize = 64;

global_lock! {
    // SAFETY: `init` initialises it before the target can be used.
    unsafe(uninit) static CLOSED: Mutex<[Option<Closed>; ROOM]> = [None; ROOM];
}

/// Makes the list. Call it before anything else of this file; more calls do nothing. May sleep.
pub(crate) fn init() {
    static DONE: AtomicBool = AtomicBool::new(false);

    if !DONE.swap(true, Ordering::Relaxed) {
        // SAFETY: This runs once, and the caller calls it first.
        unsafe { CLOSED.init() };
    }
}

/// A suspend has closed this log at this position. Without room it is forgotten: then the next session says that there
/// may be a hole. May sleep.
pub(crate) fn put(subject: Subject, id: LogId, position: u64) {
    let mut closed = CLOSED.lock();
    if let Some(free) = closed.iter_mut().find(|closed| closed.is_none()) {
        *free = Some(Closed {
            subject,
            id,
            position,
        });
    }
}

/// Whether a suspend has closed this log at this position, and nothing came between. That is answered once. May sleep.
pub(crate) fn take(subject: Subject, id: &LogId, position: u64) -> bool {
    let wanted = Closed {
        subject,
        id: *id,
        position,
    };
    let mut found = false;
    for place in CLOSED.lock().iter_mut() {
        if place.is_some_and(|closed| closed.subject == subject) {
            found |= *place == Some(wanted);
            *place = None;
        }
    }
    found
}

/// The target that closed it is gone. May sleep.
pub(crate) fn forget(subject: Subject, id: &LogId, position: u64) {
    let gone = Closed {
        subject,
        id: *id,
        position,
    };
    for place in CLOSED.lock().iter_mut() {
        if *place == Some(gone) {
            *place = None;
        }
    }
}
