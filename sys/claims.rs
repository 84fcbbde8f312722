// SPDX-License-Identifier: GPL-2.0

//! Which devices the histories of this module use.
//!
//! Device-mapper claims a device for all of its targets at once. So nothing else keeps a log from being the disk of
//! another target, or of the table that a new one replaces.
//!
//! A leaf with `unsafe`: the kernel crate's global locks must be initialised once, which the caller must promise.

#![allow(unsafe_code)]

use core::sync::atomic::{
    AtomicBool,
    AtomicU64,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::global_lock, //
};

/// What one history uses. Devices are numbers in the kernel's own form.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    /// The mapped device, and the sector at which the target begins there.
    pub(crate) target: (u32, u64),
    pub(crate) disk: u32,
    pub(crate) log: u32,
}

/// Why a history may not use its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Its log is the disk of another history.
    LogIsDisk,
    /// Its disk is the log of another history.
    DiskIsLog,
    /// Another history has the same log.
    SameLog,
    /// There are too many histories.
    Full,
}

/// How many histories there may be, with those of tables that are loaded and not in use yet.
const ROOM: usize = 256;

global_lock! {
    // SAFETY: `init` initialises it before the target can be used.
    unsafe(uninit) static CLAIMS: Mutex<[Option<(u64, Use)>; ROOM]> = [None; ROOM];
}

/// Makes the list. Call it before anything else of this file; more calls do nothing. May sleep.
pub(crate) fn init() {
    static DONE: AtomicBool = AtomicBool::new(false);

    if !DONE.swap(true, Ordering::Relaxed) {
        // SAFETY: This runs once, and the caller calls it first.
        unsafe { CLAIMS.init() };
    }
}

/// The right to use these devices, as long as it lives. The next table of the same target may have the same.
pub(crate) struct Claim(u64);

impl Claim {
    /// Asks for it. May sleep.
    ///
    /// # Errors
    ///
    /// Another history uses them in another way.
    pub(crate) fn new(wanted: Use) -> Result<Self, Conflict> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);

        let mut claims = CLAIMS.lock();
        for (_, other) in claims.iter().flatten() {
            if other.disk == wanted.log {
                return Err(Conflict::LogIsDisk);
            }
            if other.log == wanted.disk {
                return Err(Conflict::DiskIsLog);
            }
            if other.log == wanted.log && other.target != wanted.target {
                return Err(Conflict::SameLog);
            }
        }
        let free = claims.iter_mut().find(|claim| claim.is_none());
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);

        *free.ok_or(Conflict::Full)? = Some((number, wanted));
        Ok(Self(number))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for claim in CLAIMS.lock().iter_mut() {
            if claim.is_some_and(|(number, _)| number == self.0) {
                *claim = None;
            }
        }
    }
}
