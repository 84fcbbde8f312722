// SPDX-License-Identifier: GPL-2.0

//! Bindgen's output for `dm/bindings_helper.h`. Only `dm` may use it: nothing outside may name it.
//!
//! The types of `struct bio`, `struct block_device` and the like are the kernel crate's own.

#![allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unused_imports
)]

// Kbuild says where the file is: with `MO=` it is not below the sources.
include!(env!("DM_BINDINGS"));
