/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What trace/memory.rs, percpu.rs, fpu.rs, random.rs, key.rs and swap.rs take from C.
 * bindgen reads this file; trace/helpers.c includes it, so that the compiler checks each prototype.
 */
#ifndef TRACE_BINDINGS_HELPER_H
#define TRACE_BINDINGS_HELPER_H

#include <linux/srcu.h>
#include <linux/types.h>

void *imgrement_alloc(size_t size, bool zero);
void imgrement_free(const void *memory);
u64 imgrement_available(void);

void *imgrement_alloc_percpu(size_t size, size_t align);
void imgrement_free_percpu(void *percpu);
void *imgrement_raw_cpu_ptr(void *percpu);
void *imgrement_per_cpu_ptr(void *percpu, unsigned int cpu);
void imgrement_this_cpu_add(void *percpu, u64 amount);
unsigned int imgrement_next_possible_cpu(int cpu);

bool imgrement_avx2_begin(void);
void imgrement_avx2_end(void);

u64 imgrement_random(void);

long imgrement_read_key(const char *description, void *to, size_t room);

int imgrement_srcu_init(struct srcu_struct *srcu);
void *imgrement_srcu_read_lock(struct srcu_struct *srcu);
void imgrement_srcu_read_unlock(struct srcu_struct *srcu, void *counter);

#endif
