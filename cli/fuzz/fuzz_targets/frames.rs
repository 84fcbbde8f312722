// SPDX-License-Identifier: GPL-2.0

//! A file of any bytes is read to its end.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| imgrement_cli::fuzz::frames(input));
