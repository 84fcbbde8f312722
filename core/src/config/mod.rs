// SPDX-License-Identifier: GPL-2.0

//! The settings that a person gives, by a table or a message, and whether there is memory for them.
//!
//! Tables and messages are lists of words. `arguments` and `keyword` declare the words, `table` and `message` read
//! them, and `mistake` says what is wrong with a word, and what is allowed.

pub mod arguments;
pub mod budget;
mod declare;
pub mod fault;
pub mod history;
pub mod keyword;
pub mod message;
pub mod mistake;
mod ops;
pub mod pattern;
pub mod table;
pub mod text;
pub mod values;

pub use self::ops::Ops;
