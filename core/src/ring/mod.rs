// SPDX-License-Identifier: GPL-2.0

//! Reads what the kernel's trace buffers contain: pages of events, as they come from `trace_pipe_raw`.
//!
//! `layout` reads the kernel's own descriptions in tracefs, and `page` reads pages by them. Numbers are in the byte
//! order of the machine that wrote them, which is this one.

pub mod layout;
pub mod page;

/// The number at this offset; `None` if there are too few bytes.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

/// The number at this offset; `None` if there are too few bytes.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_ne_bytes(*bytes))
}
