// SPDX-License-Identifier: GPL-2.0

//! Bindgen's output for `sys/bindings_helper.h`.
//!
//! Declarations of C functions count as unsafe code. Only the other files of this folder call them.

#![allow(
    unsafe_code,
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
    unused_imports
)]

include!(env!("SYS_BINDINGS"));
