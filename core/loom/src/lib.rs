// SPDX-License-Identifier: GPL-2.0

//! The files of `core` that share memory without locks, with loom's atomic numbers.
//!
//! loom runs a model again and again, until it has tried all orders of its threads, and all values that a load may
//! return in the memory model of C11.

/// See `core/src/bytes`.
#[path = "../../src/bytes"]
pub mod bytes {
    pub mod fields;
}

/// See `core/src/memory`.
#[path = "../../src/memory"]
pub mod memory {
    /// The ones that loom knows, in the place of `core/src/memory/atomic.rs`.
    pub mod atomic {
        pub use loom::sync::atomic::{
            AtomicU32,
            AtomicU64,
            Ordering, //
        };
    }

    pub mod slots;
}

/// See `core/src/record`.
#[path = "../../src/record"]
pub mod record {
    pub mod delta;
    pub mod op;

    pub use self::{
        delta::SECTOR_SIZE,
        op::Flags, //
    };
}

#[path = "../../src/history/mod.rs"]
pub mod history;
