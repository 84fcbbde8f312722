// SPDX-License-Identifier: GPL-2.0

//! The pure logic of imgrement: no kernel, no allocation, no `unsafe`, no path to a panic.
//!
//! This file is Cargo's only. The kernel module compiles the files below by `#[path]` from its
//! own crate root, so inside them a sibling is `super::`, and nothing but `core` is used.

#![no_std]
#![forbid(unsafe_code)]

pub mod delta;
pub mod limit;
pub mod lines;
pub mod matcher;
pub mod params;
pub mod record;
pub mod slots;
pub mod word;
