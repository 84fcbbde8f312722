// SPDX-License-Identifier: GPL-2.0

//! Pages of any bytes in the kernel's trace buffers become a recording that is whole.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| imgrement_cli::fuzz::pages(input));
