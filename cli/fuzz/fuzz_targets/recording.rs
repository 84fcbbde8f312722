// SPDX-License-Identifier: GPL-2.0

//! A recording whose frames are whole, but have any content, is read, reported on, drawn and exported.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| imgrement_cli::fuzz::recording(input));
