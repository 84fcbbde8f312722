// SPDX-License-Identifier: GPL-2.0

//! Bytes that others write to while they are read, bytes that print as one word, text that may be cut, and fields of
//! a fixed layout.
//!
//! `dm` needs them, too, and brings this folder into each module that uses it.

pub mod cut;
pub mod fields;
#[allow(unsafe_code)]
pub mod racy;
pub mod word;
