// SPDX-License-Identifier: GPL-2.0

//! The text of the log, and the limits on it.

pub mod left_out;
pub mod limit;
pub mod lines;
pub mod totals;
