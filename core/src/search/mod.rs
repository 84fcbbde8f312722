// SPDX-License-Identifier: GPL-2.0

//! The search for patterns in the bytes of requests.
//!
//! `engine` chooses between `matcher`, which counts one pattern, and `set`, which finds many. `edges` and `carry` keep
//! bytes, so that occurrences that straddle requests and segments are found. The other files are parts of these.

pub mod automaton;
pub mod candidates;
pub mod carry;
pub mod edges;
pub mod engine;
pub mod matcher;
pub mod pair;
pub mod rank;
pub mod set;
#[allow(unsafe_code)]
pub mod simd;
pub mod windows;
