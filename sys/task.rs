// SPDX-License-Identifier: GPL-2.0

//! Who the current task is.
//!
//! A leaf with `unsafe`: the kernel crate has no names of tasks.
//!
//! C header: `include/linux/sched.h`.

#![allow(unsafe_code)]

use super::bindings;

/// The length of a name, with a NUL.
pub(crate) const NAME: usize = bindings::IMGREMENT_TASK_NAME as usize;

/// The pid, in the first namespace. In a task.
#[inline]
pub(crate) fn pid() -> u32 {
    // SAFETY: It only reads the current task.
    unsafe { bindings::imgrement_pid() }
}

/// The name, padded with zeroes. In a task.
#[inline]
pub(crate) fn name() -> [u8; NAME] {
    let mut name = [0; NAME];

    // SAFETY: There is space for a name.
    unsafe { bindings::imgrement_task_name(name.as_mut_ptr().cast()) };
    name
}
