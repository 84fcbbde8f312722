// SPDX-License-Identifier: GPL-2.0

//! The atomic numbers that `slots` and `history` use. `core/loom` has other ones in this place, which try all orders.

pub use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};
