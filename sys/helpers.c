// SPDX-License-Identifier: GPL-2.0
/*
 * C shims for what the kernel crate does not have: memory that may fail, per-CPU memory, random
 * numbers, clocks for interrupts, XXH64, and who the current task is.
 *
 * Rust knows no address spaces, so the pointers to per-CPU memory lose their __percpu here. This
 * goes through an integer, because for some compilers the two spaces are disjoint.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/xxhash.h>

#include "sys/bindings_helper.h"

/*
 * Allocates memory, or fails without killing a program or printing a warning. A large size is
 * first tried with little effort in large pieces, and then with full effort in single pages: it
 * is not worth taking large pieces from others.
 */
void *imgrement_alloc(size_t size, bool zero)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | (zero ? __GFP_ZERO : 0);
	void *memory;

	if (size <= PAGE_SIZE)
		return kmalloc(size, gfp | __GFP_RETRY_MAYFAIL);

	memory = kvmalloc(size, gfp | __GFP_NORETRY);
	return memory ?: __vmalloc(size, gfp | __GFP_RETRY_MAYFAIL);
}

void imgrement_free(const void *memory)
{
	kvfree(memory);
}

u64 imgrement_available(void)
{
	return (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;
}

/* __GFP_NORETRY: of the flags that prevent killing, only this one is passed through. */
void *imgrement_alloc_percpu(size_t size, size_t align)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

	return (void *)(__force unsigned long)__alloc_percpu_gfp(size, align,
								 gfp);
}

void imgrement_free_percpu(void *percpu)
{
	free_percpu((__force void __percpu *)(unsigned long)percpu);
}

void *imgrement_raw_cpu_ptr(void *percpu)
{
	return raw_cpu_ptr((__force void __percpu *)(unsigned long)percpu);
}

void *imgrement_per_cpu_ptr(void *percpu, unsigned int cpu)
{
	return per_cpu_ptr((__force void __percpu *)(unsigned long)percpu, cpu);
}

/* For CPUs without an instruction for it in sys/percpu.rs. */
void imgrement_this_cpu_add(void *percpu, u64 amount)
{
	this_cpu_add(*(__force u64 __percpu *)(unsigned long)percpu, amount);
}

/* The next possible CPU after this one, -1 to begin; nr_cpu_ids if there is none. */
unsigned int imgrement_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}

u64 imgrement_random(void)
{
	return get_random_u64();
}

u64 imgrement_now(void)
{
	return ktime_get_ns();
}

u64 imgrement_real_now(void)
{
	return ktime_get_real_ns();
}

void imgrement_xxh64_begin(struct imgrement_xxh64 *state, u64 seed)
{
	BUILD_BUG_ON(sizeof(*state) < sizeof(struct xxh64_state));
	xxh64_reset((struct xxh64_state *)state, seed);
}

/* Only null bytes can fail. */
void imgrement_xxh64_update(struct imgrement_xxh64 *state, const void *bytes,
			    size_t len)
{
	xxh64_update((struct xxh64_state *)state, bytes, len);
}

u64 imgrement_xxh64_digest(const struct imgrement_xxh64 *state)
{
	return xxh64_digest((const struct xxh64_state *)state);
}

u32 imgrement_pid(void)
{
	return task_pid_nr(current);
}

void imgrement_task_name(char *to)
{
	BUILD_BUG_ON(TASK_COMM_LEN != IMGREMENT_TASK_NAME);
	memcpy(to, current->comm, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = 0;
}
