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
struct Closed {
    subject: Subject,
    id: LogId,
    /// Where the log ends.
    position: u64,
}

global_lock! {
    // SAFETY: `init` initialises it before the target can be used.
    unsafe(uninit) static CLOSED: Mutex<KVec<Closed>> = KVec::new();
}

/// Makes the list. Call it before anything else of this file; more calls do nothing. May sleep.
pub(crate) fn init() {
    static DONE: AtomicBool = AtomicBool::new(false);

    if !DONE.swap(true, Ordering::Relaxed) {
        // SAFETY: This runs once, and the caller calls it first.
        unsafe { CLOSED.init() };
    }
}

/// A suspend has closed this log at this position. Without memory it is forgotten: then the next
/// session says that there may be a hole. May sleep.
pub(crate) fn put(subject: Subject, id: LogId, position: u64) {
    let _ = CLOSED.lock().push(
        Closed {
            subject,
            id,
            position,
        },
        GFP_KERNEL,
    );
}

/// Whether a suspend has closed this log at this position, and nothing came between. That is answered once. May sleep.
pub(crate) fn take(subject: Subject, id: &LogId, position: u64) -> bool {
    let mut found = false;
    CLOSED.lock().retain(|closed| {
        let same = closed.subject == subject;
        found |= same && closed.id == *id && closed.position == position;
        !same
    });
    found
}

/// The target that closed it is gone. May sleep.
pub(crate) fn forget(subject: Subject, id: &LogId, position: u64) {
    CLOSED.lock().retain(|closed| {
        closed.subject != subject || closed.id != *id || closed.position != position
    });
}
