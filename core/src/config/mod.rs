// SPDX-License-Identifier: GPL-2.0

//! What a person sets, by a table or a message, and whether there is memory for it.

pub mod budget;
pub mod params;
pub mod pattern;
