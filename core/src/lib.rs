// SPDX-License-Identifier: GPL-2.0

//! The pure logic of imgrement: no kernel, no allocation, no path to a panic.
//!
//! This file is only for Cargo. The kernel modules declare the folders that they need in their crate roots, so
//! `crate::search::...` is the same path in both. A new file is declared in the `mod.rs` of its folder, and nowhere
//! else. Only the crate `core` is used.
//!
//! Two files have `unsafe`, and say why at their top: `bytes/racy.rs` and `search/simd.rs`.

#![no_std]
#![deny(unsafe_code)]

// In this order: a folder uses only those above it, which a test checks.

pub mod bytes;

pub mod memory;

pub mod record;

pub mod history;

pub mod search;

pub mod config;

pub mod log;

pub mod ring;
