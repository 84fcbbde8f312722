// SPDX-License-Identifier: GPL-2.0

//! Memory: arrays that are made once, and the pool of slots for records.

mod array;
pub mod atomic;
pub mod slots;

pub use self::array::Memory;
