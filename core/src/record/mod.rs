// SPDX-License-Identifier: GPL-2.0

//! The format of a record: a header, a delta for each segment, and what was found.

mod delta;
mod find;
mod header;
mod op;

pub use self::{
    delta::{
        span,
        Cursor,
        Delta,
        SECTOR_SIZE, //
    },
    find::{
        Find,
        Scope,
        FIND_MAX, //
    },
    header::Header,
    op::{
        Flags,
        Op, //
    }, //
};
