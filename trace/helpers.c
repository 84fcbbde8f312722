// SPDX-License-Identifier: GPL-2.0
/*
 * C shims for per-CPU memory, which the kernel crate does not have.
 *
 * Rust knows no address spaces, so that the pointers lose their __percpu here, by
 * way of an integer, since the two spaces are disjoint where the compiler has them.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "trace/bindings_helper.h"

void *imgrement_alloc_percpu(size_t size, size_t align)
{
	return (void *)(__force unsigned long)__alloc_percpu(size, align);
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

/* The next possible CPU after this one, -1 to begin; nr_cpu_ids where none is left. */
unsigned int imgrement_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}
