// SPDX-License-Identifier: GPL-2.0

//! A System V semaphore, by which udev says that it has finished with an event. The file has `unsafe` code, because the
//! crates in use have no safe interface to these semaphores.

#![allow(unsafe_code)]

use std::io;

/// A semaphore of our own. It is removed when dropped.
#[derive(Debug)]
pub(super) struct Semaphore {
    id: libc::c_int,
}

impl Semaphore {
    /// Makes a semaphore of this key, with the value 1.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is one of this key.
    pub(super) fn new(key: u32) -> io::Result<Self> {
        // SAFETY: It takes numbers alone.
        let id = unsafe {
            libc::semget(
                key as libc::key_t,
                1,
                0o600 | libc::IPC_CREAT | libc::IPC_EXCL,
            )
        };
        if id < 0 {
            return Err(io::Error::last_os_error());
        }
        let semaphore = Self { id };
        // SAFETY: It takes numbers alone: SETVAL's argument is an `int`.
        if unsafe { libc::semctl(id, 0, libc::SETVAL, 1 as libc::c_int) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(semaphore)
    }

    /// Its value; `None` if somebody has removed it.
    pub(super) fn value(&self) -> Option<libc::c_int> {
        // SAFETY: It takes numbers alone.
        let value = unsafe { libc::semctl(self.id, 0, libc::GETVAL) };
        match value {
            0.. => Some(value),
            _ => None,
        }
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: It takes numbers alone. The semaphore is ours.
        unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
    }
}
