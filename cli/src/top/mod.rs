// SPDX-License-Identifier: GPL-2.0

//! What passes through targets right now.
//!
//! From an event to a figure: `source` reads trace events and gives them to a `window`, which counts what happened in the last
//! interval. `figures` makes lists of it, in the order and with the filter of a `view`. `table` turns these into text,
//! which `screen` draws or `batch` prints. `keys` are what a person types. `terminal` is all that knows the terminal.

mod batch;
mod figures;
mod keys;
mod layout;
pub(crate) mod run;
mod screen;
mod source;
mod table;
mod terminal;
mod view;
mod window;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;
