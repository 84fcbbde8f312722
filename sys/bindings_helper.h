/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sys/ uses from C. bindgen reads this file. sys/helpers.c includes it, so the compiler
 * checks each prototype.
 */
#ifndef SYS_BINDINGS_HELPER_H
#define SYS_BINDINGS_HELPER_H

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

u64 imgrement_random(void);

u64 imgrement_now(void);
u64 imgrement_real_now(void);

/* Room for a struct xxh64_state. */
struct imgrement_xxh64 {
	u64 words[10];
};

void imgrement_xxh64_begin(struct imgrement_xxh64 *state, u64 seed);
void imgrement_xxh64_update(struct imgrement_xxh64 *state, const void *bytes,
			    size_t len);
u64 imgrement_xxh64_digest(const struct imgrement_xxh64 *state);

/* The size of a task's name, with a NUL. */
#define IMGREMENT_TASK_NAME 16

u32 imgrement_pid(void);
void imgrement_task_name(char *to);

#endif
