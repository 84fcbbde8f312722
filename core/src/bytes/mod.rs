// SPDX-License-Identifier: GPL-2.0

//! Bytes: those that others write to while they are read, and those that print as one word.
//!
//! `dm` needs them too, and brings this folder into each module that has it.

#[allow(unsafe_code)]
pub mod racy;
pub mod word;
