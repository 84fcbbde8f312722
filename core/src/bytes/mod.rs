// SPDX-License-Identifier: GPL-2.0

//! Bytes that others write to while they are read, and bytes that print as one word.
//!
//! `dm` needs them, too, and brings this folder into each module that uses it.

#[allow(unsafe_code)]
pub mod racy;
pub mod word;
