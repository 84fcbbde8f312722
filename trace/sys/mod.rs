// SPDX-License-Identifier: GPL-2.0

//! What the kernel crate lacks, made safe: all `unsafe` code of the trace is in this folder.
//!
//! Each file says at its top what it is for, and why it needs `unsafe`.

mod bindings;
pub(super) mod events;
pub(super) mod fpu;
pub(super) mod ids;
pub(super) mod key;
pub(super) mod memory;
pub(super) mod percpu;
pub(super) mod pool;
pub(super) mod random;
pub(super) mod swap;
