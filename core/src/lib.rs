// SPDX-License-Identifier: GPL-2.0

//! The pure logic of imgrement: no kernel, no allocation, no path to a panic.
//!
//! This file is Cargo's only. The kernel module compiles the files below by `#[path]` from its
//! own crate root, so inside them a sibling is `super::`, and nothing but `core` is used.
//!
//! There is `unsafe` in two of them, which say why at their top: `racy` and `simd`.

#![no_std]
#![deny(unsafe_code)]

pub mod automaton;
pub mod budget;
pub mod carry;
pub mod delta;
pub mod edges;
pub mod engine;
pub mod finds;
pub mod limit;
pub mod lines;
pub mod matcher;
pub mod memory;
pub mod pair;
pub mod params;
pub mod pattern;
pub mod places;
#[allow(unsafe_code)]
pub mod racy;
pub mod rank;
pub mod record;
pub mod set;
#[allow(unsafe_code)]
pub mod simd;
pub mod slots;
pub mod totals;
pub mod windows;
pub mod word;
