// SPDX-License-Identifier: GPL-2.0

//! What the kernel crate lacks, made safe. All `unsafe` code of the trace is in this folder.
//!
//! The header of each file says what it is for, and why it needs `unsafe`.

mod bindings;
pub(super) mod events;
pub(super) mod fpu;
pub(super) mod ids;
pub(super) mod key;
pub(super) mod pool;
pub(super) mod swap;
