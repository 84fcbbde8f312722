// SPDX-License-Identifier: GPL-2.0

//! Compares the matcher with the kernel's own searches, in the kernel. It measures when the module is loaded. It is
//! for User-mode Linux, where nothing else runs and the vector registers may always be used.
//!
//! It prints a line for each measurement: `bench_search: CONTENDER INPUT BYTES KB_PER_S`.

use kernel::{
    ffi::{
        c_char,
        c_void, //
    },
    prelude::*,
    time::{
        Instant,
        Monotonic, //
    },
};

#[path = "../../core/src/bytes/mod.rs"]
pub mod bytes;
#[path = "../../core/src/config/mod.rs"]
pub mod config;
#[path = "../../core/src/memory/mod.rs"]
pub mod memory;
#[path = "../../core/src/record/mod.rs"]
pub mod record;
#[path = "../../core/src/search/mod.rs"]
pub mod search;

use memory::Memory;
use search::{
    matcher::Matcher,
    simd::Avx2, //
};

module! {
    type: SearchModule,
    name: "dm_bench_search",
    authors: ["The imgrement authors"],
    description: "Measures searches in the kernel",
    license: "GPL",
}

/// The pattern: 16 bytes, which do not occur in any input.
const PATTERN: &[u8] = b"imgrement needle";

/// How often each is measured, and for how long.
const ROUNDS: usize = 7;
const NANOS: i64 = 20_000_000;

const LARGEST: usize = 64 << 10;
const SIZES: [usize; 2] = [4 << 10, LARGEST];

extern "C" {
    fn bench_has_avx2() -> bool;
    fn bench_search_new(
        algorithm: *const c_char,
        pattern: *const c_void,
        len: usize,
    ) -> *mut c_void;
    fn bench_search_count(search: *mut c_void, bytes: *const c_void, len: usize) -> usize;
    fn bench_search_free(search: *mut c_void);
}

/// One of the kernel's own searches.
///
/// # Invariants
///
/// The pointer came from `bench_search_new`, and only `drop` frees it.
struct TextSearch(*mut c_void);

impl TextSearch {
    fn new(algorithm: &CStr) -> Result<Self> {
        // SAFETY: Both are valid for the call, which copies the pattern.
        let search = unsafe {
            bench_search_new(
                algorithm.as_char_ptr(),
                PATTERN.as_ptr().cast(),
                PATTERN.len(),
            )
        };
        if search.is_null() {
            return Err(ENOENT);
        }
        // INVARIANT: It has just been made.
        Ok(Self(search))
    }

    fn count(&self, bytes: &[u8]) -> usize {
        // SAFETY: By the invariant; the bytes are valid for the call.
        unsafe { bench_search_count(self.0, bytes.as_ptr().cast(), bytes.len()) }
    }
}

impl Drop for TextSearch {
    fn drop(&mut self) {
        // SAFETY: By the invariant.
        unsafe { bench_search_free(self.0) };
    }
}

/// Bytes per millisecond, which are KB per second, of `count`, which must find `wanted` matches.
fn speed(bytes: &[u8], wanted: usize, count: impl Fn(&[u8]) -> usize) -> Result<i64> {
    let began = Instant::<Monotonic>::now();
    let mut searched: i64 = 0;

    loop {
        for _ in 0..16 {
            if count(core::hint::black_box(bytes)) != wanted {
                return Err(EINVAL);
            }
            searched += bytes.len() as i64;
        }
        let nanos = began.elapsed().as_nanos();
        if nanos >= NANOS {
            return Ok(searched * 1_000_000 / nanos);
        }
    }
}

/// Words of four to eleven letters, as in a text.
fn text(at: usize) -> u8 {
    let word = at / 7;
    if at % 7 == word % 4 {
        b' '
    } else {
        b"etaoinshrdlcumwfgypb"[(at * 31 + word * 17) % 20]
    }
}

/// Random bytes (Marsaglia's xorshift).
fn random(seed: &mut u64) -> u8 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 32) as u8
}

/// The kernel's memory.
struct Kernel;

impl Memory for Kernel {
    type Array<T: Copy> = KVVec<T>;
    type Error = Error;

    fn array<T: Copy>(value: &T, len: usize) -> Result<KVVec<T>> {
        Ok(KVVec::from_elem(*value, len, GFP_KERNEL)?)
    }
}

struct SearchModule;

impl kernel::Module for SearchModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let ours = Matcher::<Kernel>::new(PATTERN)?.ok_or(EINVAL)?;
        let (bm, kmp) = (TextSearch::new(c"bm")?, TextSearch::new(c"kmp")?);
        // SAFETY: It only reads.
        if !unsafe { bench_has_avx2() } {
            pr_err!("this CPU has no AVX2\n");
            return Err(ENODEV);
        }
        // SAFETY: The CPU has AVX2. This module is for User-mode Linux, where the registers always belong to
        // the running task.
        let avx2 = unsafe { Avx2::new() };

        let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bytes = KVVec::from_elem(0, LARGEST, GFP_KERNEL)?;
        for input in ["text", "zeroes", "random"] {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = match input {
                    "text" => text(at),
                    "random" => random(&mut seed),
                    _ => 0,
                };
            }
            for size in SIZES {
                let bytes = &mut bytes[..size];
                // Each contender finds a match that exists.
                let kept: [u8; 16] = bytes[1000..1016].try_into().map_err(|_| EINVAL)?;
                bytes[1000..1016].copy_from_slice(PATTERN);
                speed(bytes, 1, |bytes| {
                    ours.count(bytes.into(), Some(avx2)) as usize
                })?;
                speed(bytes, 1, |bytes| ours.count(bytes.into(), None) as usize)?;
                speed(bytes, 1, |bytes| bm.count(bytes))?;
                speed(bytes, 1, |bytes| kmp.count(bytes))?;
                bytes[1000..1016].copy_from_slice(&kept);

                for _ in 0..ROUNDS {
                    let speeds = [
                        (
                            "kernel",
                            speed(bytes, 0, |bytes| {
                                ours.count(bytes.into(), Some(avx2)) as usize
                            })?,
                        ),
                        (
                            "kernel-scalar",
                            speed(bytes, 0, |bytes| ours.count(bytes.into(), None) as usize)?,
                        ),
                        ("ts_bm", speed(bytes, 0, |bytes| bm.count(bytes))?),
                        ("ts_kmp", speed(bytes, 0, |bytes| kmp.count(bytes))?),
                    ];
                    for (contender, speed) in speeds {
                        pr_info!("bench_search: {contender} {input} {size} {speed}\n");
                    }
                }
            }
        }
        Ok(Self)
    }
}
