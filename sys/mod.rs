// SPDX-License-Identifier: GPL-2.0

//! What the kernel crate lacks, made safe, for trace and history. What only the trace needs is in `trace/sys`.
//!
//! The header of each file says what it is for, and why it needs `unsafe`.

pub(crate) mod barrier;
mod bindings;
pub(crate) mod checksum;
pub(crate) mod claims;
pub(crate) mod closed;
pub(crate) mod memory;
pub(crate) mod percpu;
pub(crate) mod random;
pub(crate) mod staging;
pub(crate) mod task;
pub(crate) mod time;
