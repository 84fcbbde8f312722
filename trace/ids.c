// SPDX-License-Identifier: GPL-2.0
/*
 * The ids of requests, which trace/sys/ids.rs hands out.
 *
 * An id is unique for a mapped device as long as the module is loaded. Each CPU counts for
 * itself, so that CPUs share no cache line: its number is in the top 16 bits.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "trace/bindings_helper.h"

/*
 * The ids of the requests of one mapped device. All targets of the device share
 * it: those of its table, and those of a table that is loaded while another one
 * is in use.
 */
struct imgrement_ids {
	struct list_head list;
	u32 device;
	unsigned int users;
	u64 __percpu *last;
};

static LIST_HEAD(all_ids);
static DEFINE_MUTEX(ids_lock);
/* The highest count that any CPU has reached, for devices that are gone. */
static u64 used;

#define COUNT_BITS 48

static void free_ids(struct imgrement_ids *ids)
{
	if (ids)
		free_percpu(ids->last);
	kfree(ids);
}

/* For the device with this number. NULL if there is no memory. May sleep. */
struct imgrement_ids *imgrement_ids_get(u32 device)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	struct imgrement_ids *new, *ids;
	unsigned int cpu;
	u64 *last;

	/* Before the lock is taken, because a suspended device may wait for it. */
	new = kzalloc_obj(*new, gfp);
	if (!new)
		return NULL;
	new->last = alloc_percpu_gfp(u64, gfp);
	if (!new->last) {
		kfree(new);
		return NULL;
	}
	new->device = device;

	mutex_lock(&ids_lock);
	list_for_each_entry(ids, &all_ids, list)
		if (ids->device == device)
			goto found;
	ids = new;
	new = NULL;
	for_each_possible_cpu(cpu) {
		last = per_cpu_ptr(ids->last, cpu);
		*last = ((u64)cpu << COUNT_BITS) + used;
	}
	list_add(&ids->list, &all_ids);
found:
	ids->users++;
	mutex_unlock(&ids_lock);

	free_ids(new);
	return ids;
}

/* May sleep. */
void imgrement_ids_put(struct imgrement_ids *ids)
{
	const u64 mask = (1ULL << COUNT_BITS) - 1;
	unsigned int cpu;

	mutex_lock(&ids_lock);
	if (--ids->users) {
		ids = NULL;
	} else {
		for_each_possible_cpu(cpu)
			used = max(used, *per_cpu_ptr(ids->last, cpu) & mask);
		list_del(&ids->list);
	}
	mutex_unlock(&ids_lock);
	free_ids(ids);
}

/* The next id. One instruction, so that number and CPU belong together. In any context. */
u64 imgrement_ids_next(struct imgrement_ids *ids)
{
	return this_cpu_inc_return(*ids->last);
}
