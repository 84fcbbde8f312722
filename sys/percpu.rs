// SPDX-License-Identifier: GPL-2.0

//! A value for each CPU.
//!
//! A leaf with `unsafe`: the kernel crate has no per-CPU memory.
//!
//! C header: `include/linux/percpu.h`.

#![allow(unsafe_code)]

use super::bindings;
use core::{
    marker::PhantomData,
    mem::{
        align_of,
        size_of, //
    },
    ptr::NonNull,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    },
};
use kernel::{
    cpu::nr_cpu_ids,
    ffi::c_void,
    prelude::*, //
};

/// A `T` for each possible CPU.
///
/// The value of a CPU is in memory near it. Other CPUs may see it, too: a task can be moved to another CPU while it
/// holds a reference. So `T` is `Sync`, and counters are atomics that other CPUs rarely touch.
///
/// # Invariants
///
/// The pointer is per-CPU memory for a `T`, with an initialised `T` for each possible CPU, and only `drop` frees it.
pub(crate) struct PerCpu<T> {
    memory: NonNull<c_void>,
    _values: PhantomData<T>,
}

// SAFETY: It owns its values, which may be sent.
unsafe impl<T: Send> Send for PerCpu<T> {}
// SAFETY: It only hands out shared references, which several threads may use.
unsafe impl<T: Sync> Sync for PerCpu<T> {}

impl<T: Sync> PerCpu<T> {
    /// Makes a value for each CPU. `make` gets the CPU's number. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(make: impl Fn(u32) -> T) -> Result<Self> {
        let memory = allocate::<T>()?;

        for cpu in PossibleCpus::new() {
            let value = make(cpu.0);
            // SAFETY: The memory of that CPU exists, is aligned, and is not shared yet.
            unsafe { cpu.place::<T>(memory).write(value) };
        }
        // INVARIANT: Each possible CPU has its value now.
        Ok(Self {
            memory,
            _values: PhantomData,
        })
    }

    /// The value of the CPU that this runs on, or ran on a moment ago.
    #[inline]
    pub(crate) fn this(&self) -> &T {
        // SAFETY: By the invariant there is a value for each CPU, and it lives as long as `self`.
        unsafe { &*bindings::imgrement_raw_cpu_ptr(self.memory.as_ptr()).cast::<T>() }
    }

    /// The values of all CPUs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        // SAFETY: As in `this`.
        PossibleCpus::new().map(|cpu| unsafe { &*cpu.place::<T>(self.memory) })
    }
}

/// `N` counters for each CPU, on cache lines of its own.
#[repr(C, align(64))]
pub(crate) struct Cells<const N: usize>([AtomicU64; N]);

impl<const N: usize> PerCpu<Cells<N>> {
    /// Counters that are all zero. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn zeroed() -> Result<Self> {
        // INVARIANT: The memory is zero-filled, and all-zero bytes are counters of 0. They are too large to be
        // made on the stack.
        Ok(Self {
            memory: allocate::<Cells<N>>()?,
            _values: PhantomData,
        })
    }

    /// Adds to a counter of the current CPU; does nothing if there is no such counter. In any context.
    ///
    /// This is one instruction. An interrupt, or a move of the task, comes before or after it. So nothing is lost,
    /// although no other CPU is locked out (`this_cpu_add`).
    #[inline]
    pub(crate) fn add(&self, index: usize, amount: u64) {
        if index >= N {
            return;
        }
        let cell = self.memory.as_ptr().cast::<u64>().wrapping_add(index);

        // SAFETY: By the invariant it is the counter of whichever CPU executes this. Other CPUs only load it, and
        // x86 loads and stores an aligned word atomically.
        #[cfg(all(CONFIG_X86_64, CONFIG_SMP, not(CONFIG_UML)))]
        unsafe {
            core::arch::asm!("add qword ptr gs:[{}], {}", in(reg) cell, in(reg) amount,
                options(nostack));
        }
        // SAFETY: As above; this is the counter of the only CPU.
        #[cfg(all(CONFIG_X86_64, not(CONFIG_SMP)))]
        unsafe {
            core::arch::asm!("add qword ptr [{}], {}", in(reg) cell, in(reg) amount,
                options(nostack));
        }
        // SAFETY: As above.
        #[cfg(not(any(
            all(CONFIG_X86_64, CONFIG_SMP, not(CONFIG_UML)),
            all(CONFIG_X86_64, not(CONFIG_SMP))
        )))]
        unsafe {
            bindings::imgrement_this_cpu_add(cell.cast(), amount);
        }
    }

    /// The sum of a counter over all CPUs. Not a snapshot: counting continues meanwhile.
    pub(crate) fn sum(&self, index: usize) -> u64 {
        self.iter()
            .filter_map(|cells| cells.0.get(index))
            .fold(0, |sum, cell| {
                sum.wrapping_add(cell.load(Ordering::Relaxed))
            })
    }
}

/// The size in bytes of a `T` for each CPU.
pub(crate) fn size<T>() -> u64 {
    PossibleCpus::new().fold(0, |bytes: u64, _| {
        bytes.saturating_add(size_of::<T>() as u64)
    })
}

/// Zero-filled per-CPU memory for a `T`. May sleep.
fn allocate<T>() -> Result<NonNull<c_void>> {
    // SAFETY: It accepts any size and alignment.
    let memory = unsafe { bindings::imgrement_alloc_percpu(size_of::<T>(), align_of::<T>()) };
    NonNull::new(memory).ok_or(ENOMEM)
}

impl<T> Drop for PerCpu<T> {
    fn drop(&mut self) {
        for cpu in PossibleCpus::new() {
            // SAFETY: By the invariant it is initialised, and nothing has a reference any more.
            unsafe { core::ptr::drop_in_place(cpu.place::<T>(self.memory)) };
        }
        // SAFETY: By the invariant it is per-CPU memory that nothing else frees.
        unsafe { bindings::imgrement_free_percpu(self.memory.as_ptr()) };
    }
}

/// The number of a possible CPU.
struct PossibleCpu(u32);

impl PossibleCpu {
    /// The address of its value.
    ///
    /// # Safety
    ///
    /// `memory` is per-CPU memory for a `T`.
    unsafe fn place<T>(&self, memory: NonNull<c_void>) -> *mut T {
        // SAFETY: The caller's promise; the CPU is possible.
        unsafe { bindings::imgrement_per_cpu_ptr(memory.as_ptr(), self.0) }.cast()
    }
}

/// All of them, in order. Their set does not change after boot.
struct PossibleCpus(Option<u32>);

impl PossibleCpus {
    fn new() -> Self {
        Self(None)
    }
}

impl Iterator for PossibleCpus {
    type Item = PossibleCpu;

    fn next(&mut self) -> Option<PossibleCpu> {
        let before = self.0.map_or(-1, |cpu| cpu as i32);
        // SAFETY: It accepts -1 and the number of any possible CPU.
        let cpu = unsafe { bindings::imgrement_next_possible_cpu(before) };

        (cpu < nr_cpu_ids()).then(|| {
            self.0 = Some(cpu);
            PossibleCpu(cpu)
        })
    }
}
