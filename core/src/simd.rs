// SPDX-License-Identifier: GPL-2.0

//! The probe of the matcher with AVX2.
//!
//! The kernel's Rust code is compiled without vectors: there are no intrinsics, and no operand of
//! `asm!` may be one. So whole loops are in assembly here, with general registers for operands,
//! which is why this file has `unsafe`. Loads in assembly are also allowed to race with writes.

use super::racy::RacyPair;
use core::marker::PhantomData;

/// The permission to use AVX2, for as long as `'fpu`.
///
/// In the kernel the vector registers belong to user space unless they were asked for, so that a
/// function that wants them asks for this.
#[derive(Clone, Copy, Debug)]
pub struct Avx2<'fpu> {
    /// Nobody has one on a machine that has no AVX2.
    #[cfg(not(target_arch = "x86_64"))]
    never: core::convert::Infallible,
    /// Registers are those of a CPU, so that it may not be sent to another one.
    _section: PhantomData<(&'fpu (), *mut ())>,
}

/// How many places [`Avx2::probe`] looks at in one step.
pub const STEP: usize = 64;

#[cfg(target_arch = "x86_64")]
impl Avx2<'_> {
    /// # Safety
    ///
    /// The CPU has AVX2, and for `'fpu` this thread may use its vector registers: in the kernel,
    /// `'fpu` is within one section from `kernel_fpu_begin` to `kernel_fpu_end`.
    #[inline]
    pub unsafe fn new() -> Self {
        Self {
            _section: PhantomData,
        }
    }

    /// Looks for places where the bytes of `pair` are, each in its view.
    ///
    /// It goes from `from` on, [`STEP`] places at a time, up to the first such step that has any, or
    /// as long as there are so many. Returns where it has come to, and a bit for each place of the
    /// step there, the lowest for the first one; no bit is set where there was none.
    #[inline]
    pub fn probe(self, pair: [u8; 2], bytes: RacyPair<'_>, from: usize) -> (usize, u64) {
        let last = bytes.len().checked_sub(STEP);
        let Some(last) = last.filter(|last| from <= *last) else {
            return (from, 0);
        };
        let [a, b] = bytes.as_ptrs();
        let mut at = from;
        let mut low: u64;
        let mut high: u64;

        // SAFETY:
        // - By the invariant, AVX2 is there and may be used. Its registers are marked as clobbered;
        //   `vzeroupper` clears the upper halves of all, which is why all of them are.
        // - By the invariant of `RacyPair`, its bytes may be read. Each step loads `STEP` bytes from
        //   `at` on of both, where `at <= last`, that is, within them. Nothing is stored.
        unsafe {
            core::arch::asm!(
                "vmovd xmm0, {first:e}",
                "vmovd xmm1, {second:e}",
                "vpbroadcastb ymm0, xmm0",
                "vpbroadcastb ymm1, xmm1",
                // Two vectors a step, each the places where both bytes are equal.
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
                // There is none: no bit is set.
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
}

#[cfg(not(target_arch = "x86_64"))]
impl Avx2<'_> {
    /// The same where there is no AVX2, and so no call.
    #[inline]
    pub fn probe(self, _pair: [u8; 2], _bytes: RacyPair<'_>, _from: usize) -> (usize, u64) {
        match self.never {}
    }
}
