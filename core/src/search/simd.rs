// SPDX-License-Identifier: GPL-2.0

//! The loops of the searches with AVX2.
//!
//! The kernel's Rust code is compiled without vectors: there are no intrinsics, and `asm!` takes no vector operands. So
//! whole loops are written in assembly here, with general registers as operands. This is why the file has `unsafe`.
//! Loads in assembly may also race with writes.

use super::candidates::Candidates;
use crate::bytes::racy::{
    RacyBytes,
    RacyPair, //
};
use core::marker::PhantomData;

/// The permission to use AVX2, for as long as `'fpu`.
///
/// # Invariants
///
/// The CPU has AVX2, and for `'fpu` this thread may use its vector registers.
///
/// In the kernel, the vector registers belong to user space unless they were requested. So a function that uses them
/// takes this as an argument.
#[derive(Clone, Copy, Debug)]
pub struct Avx2<'fpu> {
    /// No value of this type exists on a machine without AVX2.
    #[cfg(not(target_arch = "x86_64"))]
    never: core::convert::Infallible,
    /// The registers belong to a CPU, so this must not be sent to another one.
    _section: PhantomData<(&'fpu (), *mut ())>,
}

/// Gives the permission, for one section at a time. Sections should be short.
pub trait Sections {
    /// Runs `work`, which processes `bytes` bytes, with the permission if that is worth it and possible.
    fn with<R>(&self, bytes: usize, work: impl FnOnce(Option<Avx2<'_>>) -> R) -> R;
}

impl Sections for Option<Avx2<'_>> {
    fn with<R>(&self, _: usize, work: impl FnOnce(Option<Avx2<'_>>) -> R) -> R {
        work(*self)
    }
}

/// How many places are tested in one step.
#[cfg(target_arch = "x86_64")]
const STEP: usize = 64;

/// How many bytes [`Avx2::windows`] tests for each place.
pub const WINDOW: usize = 4;

/// The bytes that are allowed in a window. For each of its bytes in turn, there are two tables of buckets, a bit for
/// each. The low four bits of a byte select an entry of the first table, and the high bits one of the second. These two
/// entries are the buckets in which the byte may be there.
pub type Nibbles = [[u8; 16]; 2 * WINDOW];

#[cfg(target_arch = "x86_64")]
impl Avx2<'_> {
    /// # Safety
    ///
    /// The CPU has AVX2, and for `'fpu` this thread may use its vector registers: in the kernel,
    /// `'fpu` is within one section from `kernel_fpu_begin` to `kernel_fpu_end`.
    #[inline]
    pub unsafe fn new() -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            _section: PhantomData,
        }
    }

    /// Searches for the next places from `from` where the bytes of `pair` are, each in its view.
    ///
    /// # Errors
    ///
    /// If there are none before it: the first place that was not tested.
    #[inline]
    pub fn probe(
        self,
        pair: [u8; 2],
        bytes: RacyPair<'_>,
        from: usize,
    ) -> Result<Candidates, usize> {
        places(bytes.len(), from, |from| {
            self.probe_steps(pair, bytes, from)
        })
    }

    /// Searches for the next places from `from` where a window of a bucket of `nibbles` may begin. A window ends within
    /// the bytes.
    ///
    /// # Errors
    ///
    /// If there are none before it: the first place that was not tested.
    #[inline]
    pub fn windows(
        self,
        nibbles: &Nibbles,
        bytes: RacyBytes<'_>,
        from: usize,
    ) -> Result<Candidates, usize> {
        let last = bytes.len().saturating_sub(const { WINDOW - 1 });
        places(last, from, |from| self.windows_steps(nibbles, bytes, from))
    }

    /// Tests [`STEP`] places at a time from `from`, until a step finds any, or too few places are left for a step.
    /// Returns the place that it has reached, and a bit for each place of the step there, the lowest for the first one.
    /// No bit is set if it found none.
    #[inline]
    fn probe_steps(self, pair: [u8; 2], bytes: RacyPair<'_>, from: usize) -> (usize, u64) {
        let last = bytes.len().checked_sub(STEP);
        let Some(last) = last.filter(|last| from <= *last) else {
            return (from, 0);
        };
        let [a, b] = bytes.as_ptrs();
        let mut at = from;
        let mut low: u64;
        let mut high: u64;

        // SAFETY:
        // - By the invariant, AVX2 exists and may be used. Its registers are marked as clobbered. All of them are,
        //   because `vzeroupper` clears the upper halves of all.
        // - By the invariant of `RacyPair`, its bytes may be read. Each step loads `STEP` bytes from `at` of both,
        //   where `at <= last`, so they are within the bytes. Nothing is stored.
        unsafe {
            core::arch::asm!(
                "vmovd xmm0, {first:e}",
                "vmovd xmm1, {second:e}",
                "vpbroadcastb ymm0, xmm0",
                "vpbroadcastb ymm1, xmm1",
                // Two vectors per step: for each, the places where both bytes are equal.
                "2:",
                "vpcmpeqb ymm2, ymm0, ymmword ptr [{a} + {at}]",
                "vpcmpeqb ymm3, ymm1, ymmword ptr [{b} + {at}]",
                "vpcmpeqb ymm4, ymm0, ymmword ptr [{a} + {at} + 32]",
                "vpcmpeqb ymm5, ymm1, ymmword ptr [{b} + {at} + 32]",
                "vpand ymm2, ymm2, ymm3",
                "vpand ymm4, ymm4, ymm5",
                "vpor ymm3, ymm2, ymm4",
                "vpmovmskb {low:e}, ymm3",
                "test {low:e}, {low:e}",
                "jnz 3f",
                "add {at}, 64",
                "cmp {at}, {last}",
                "jbe 2b",
                // None was found: no bit is set.
                "xor {high:e}, {high:e}",
                "jmp 4f",
                "3:",
                "vpmovmskb {low:e}, ymm2",
                "vpmovmskb {high:e}, ymm4",
                "4:",
                "vzeroupper",
                first = in(reg) u32::from(pair[0]),
                second = in(reg) u32::from(pair[1]),
                a = in(reg) a,
                b = in(reg) b,
                at = inout(reg) at,
                last = in(reg) last,
                low = out(reg) low,
                high = out(reg) high,
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
                out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
                out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                options(nostack, readonly),
            );
        }
        (at, high << 32 | low)
    }

    /// The same for windows. The window of the last place of a step ends three bytes after it, so these bytes must
    /// exist.
    #[inline]
    fn windows_steps(self, nibbles: &Nibbles, bytes: RacyBytes<'_>, from: usize) -> (usize, u64) {
        let last = bytes.len().checked_sub(const { STEP + WINDOW - 1 });
        let Some(last) = last.filter(|last| from <= *last) else {
            return (from, 0);
        };
        let mut at = from;
        let mut low: u64;
        let mut high: u64;

        // The buckets of 32 places that byte $byte of their windows allows. They go to $to. The tables are in $low and
        // $high.
        macro_rules! buckets {
            ($to:literal, $byte:literal, $low:literal, $high:literal) => {
                concat!(
                    "vmovdqu ymm1, ymmword ptr [{bytes} + {at} + ",
                    $byte,
                    "]\n",
                    "vpand ymm2, ymm1, ymm0\n",
                    "vpsrlw ymm1, ymm1, 4\n",
                    "vpand ymm1, ymm1, ymm0\n",
                    "vpshufb ymm2, ",
                    $low,
                    ", ymm2\n",
                    "vpshufb ymm1, ",
                    $high,
                    ", ymm1\n",
                    "vpand ",
                    $to,
                    ", ymm1, ymm2\n",
                )
            };
        }

        // SAFETY:
        // - By the invariant, AVX2 exists and may be used. Its registers are marked as clobbered. All of them are,
        //   because `vzeroupper` clears the upper halves of all.
        // - `nibbles` has 128 bytes, of which 16 are loaded from each multiple of 16.
        // - By the invariant of `RacyBytes`, its bytes may be read. Each step loads `STEP` bytes from `at` and from
        //   each of the three bytes after it, where `at <= last`, so they are within the bytes. Nothing is stored.
        unsafe {
            core::arch::asm!(
                "vmovd xmm0, {mask:e}",
                "vpbroadcastb ymm0, xmm0",
                "vpxor xmm7, xmm7, xmm7",
                "vbroadcasti128 ymm8, xmmword ptr [{nibbles}]",
                "vbroadcasti128 ymm9, xmmword ptr [{nibbles} + 16]",
                "vbroadcasti128 ymm10, xmmword ptr [{nibbles} + 32]",
                "vbroadcasti128 ymm11, xmmword ptr [{nibbles} + 48]",
                "vbroadcasti128 ymm12, xmmword ptr [{nibbles} + 64]",
                "vbroadcasti128 ymm13, xmmword ptr [{nibbles} + 80]",
                "vbroadcasti128 ymm14, xmmword ptr [{nibbles} + 96]",
                "vbroadcasti128 ymm15, xmmword ptr [{nibbles} + 112]",
                // Two vectors per step.
                "2:",
                buckets!("ymm3", "0", "ymm8", "ymm9"),
                buckets!("ymm4", "1", "ymm10", "ymm11"),
                "vpand ymm3, ymm3, ymm4",
                buckets!("ymm4", "2", "ymm12", "ymm13"),
                "vpand ymm3, ymm3, ymm4",
                buckets!("ymm4", "3", "ymm14", "ymm15"),
                "vpand ymm3, ymm3, ymm4",
                buckets!("ymm5", "32", "ymm8", "ymm9"),
                buckets!("ymm4", "33", "ymm10", "ymm11"),
                "vpand ymm5, ymm5, ymm4",
                buckets!("ymm4", "34", "ymm12", "ymm13"),
                "vpand ymm5, ymm5, ymm4",
                buckets!("ymm4", "35", "ymm14", "ymm15"),
                "vpand ymm5, ymm5, ymm4",
                "vptest ymm3, ymm3",
                "jnz 3f",
                "vptest ymm5, ymm5",
                "jnz 3f",
                "add {at}, 64",
                "cmp {at}, {last}",
                "jbe 2b",
                // None was found: no bit is set.
                "xor {low:e}, {low:e}",
                "xor {high:e}, {high:e}",
                "jmp 4f",
                "3:",
                // A place without a bucket is equal to zero here.
                "vpcmpeqb ymm3, ymm3, ymm7",
                "vpcmpeqb ymm5, ymm5, ymm7",
                "vpmovmskb {low:e}, ymm3",
                "vpmovmskb {high:e}, ymm5",
                "not {low:e}",
                "not {high:e}",
                "4:",
                "vzeroupper",
                mask = in(reg) 0x0f_u32,
                nibbles = in(reg) nibbles.as_ptr(),
                bytes = in(reg) bytes.as_ptr(),
                at = inout(reg) at,
                last = in(reg) last,
                low = out(reg) low,
                high = out(reg) high,
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
                out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
                out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                options(nostack, readonly),
            );
        }
        (at, high << 32 | low)
    }
}

/// The next of `len` places from `from`, by steps. The last step may begin before places that were tested already.
#[cfg(target_arch = "x86_64")]
#[inline]
fn places(
    len: usize,
    from: usize,
    steps: impl Fn(usize) -> (usize, u64),
) -> Result<Candidates, usize> {
    let (at, bits) = steps(from);
    if bits != 0 {
        // Does not wrap: it is a place, or the end of them.
        let end = at.wrapping_add(STEP);
        return Ok(Candidates { at, bits, end });
    }

    let last = len.checked_sub(STEP).ok_or(at)?;
    let seen = at.checked_sub(last).map(u32::try_from);
    let unseen = seen
        .and_then(|seen| u64::MAX.checked_shl(seen.ok()?))
        .ok_or(at)?;
    match steps(last).1 & unseen {
        0 => Err(len),
        bits => Ok(Candidates {
            at: last,
            bits,
            end: len,
        }),
    }
}

/// The same without AVX2, and so without callers.
#[cfg(not(target_arch = "x86_64"))]
impl Avx2<'_> {
    #[expect(missing_docs, reason = "They are above.")]
    #[inline]
    pub fn probe(self, _: [u8; 2], _: RacyPair<'_>, _: usize) -> Result<Candidates, usize> {
        match self.never {}
    }

    #[expect(missing_docs, reason = "They are above.")]
    #[inline]
    pub fn windows(self, _: &Nibbles, _: RacyBytes<'_>, _: usize) -> Result<Candidates, usize> {
        match self.never {}
    }
}
