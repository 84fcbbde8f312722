// SPDX-License-Identifier: GPL-2.0
/*
 * C shims for what the kernel crate does not have: per-CPU memory, vector registers, keys and
 * SRCU's fast readers.
 *
 * Rust knows no address spaces, so the pointers lose their __percpu here. This goes
 * through an integer, because for some compilers the two spaces are disjoint.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/key.h>
#include <linux/percpu.h>
#include <linux/srcu.h>

#ifdef CONFIG_X86_64
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#endif

#include <keys/user-type.h>

#include "trace/bindings_helper.h"

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

/* For CPUs without an instruction for it in trace/sys/percpu.rs. */
void imgrement_this_cpu_add(void *percpu, u64 amount)
{
	this_cpu_add(*(__force u64 __percpu *)(unsigned long)percpu, amount);
}

/* The next possible CPU after this one, -1 to begin; nr_cpu_ids if there is none. */
unsigned int imgrement_next_possible_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_possible_mask);
}

/*
 * Begins a section in which the vector registers may be used, if the CPU has AVX2. User-mode
 * Linux is an ordinary program: it may always use them, and has no state to ask about.
 */
bool imgrement_avx2_begin(void)
{
#ifdef CONFIG_X86_64
	if (!boot_cpu_has(X86_FEATURE_AVX2) || !irq_fpu_usable())
		return false;
#ifndef CONFIG_UML
	if (!cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL))
		return false;
#endif
	kernel_fpu_begin();
	return true;
#else
	return false;
#endif
}

void imgrement_avx2_end(void)
{
#ifdef CONFIG_X86_64
	kernel_fpu_end();
#endif
}

/*
 * Copies the payload of the logon key of this description, as the caller's task
 * finds it. Returns its size, or -EMSGSIZE if it does not fit, or the error of
 * request_key(). May sleep. It does not ask a program to make a missing key.
 */
long imgrement_read_key(const char *description, void *to, size_t room)
{
#ifdef CONFIG_KEYS
	const struct user_key_payload *payload;
	struct key *key;
	long len;

	key = request_key(&key_type_logon, description, NULL);
	if (IS_ERR(key))
		return PTR_ERR(key);

	down_read(&key->sem);
	payload = user_key_payload_locked(key);
	if (!payload) {
		len = -EKEYREVOKED;
	} else if (payload->datalen > room) {
		len = -EMSGSIZE;
	} else {
		len = payload->datalen;
		memcpy(to, payload->data, len);
	}
	up_read(&key->sem);
	key_put(key);
	return len;
#else
	return -ENOKEY;
#endif
}

int imgrement_srcu_init(struct srcu_struct *srcu)
{
	return init_srcu_struct_fast(srcu);
}

void *imgrement_srcu_read_lock(struct srcu_struct *srcu)
{
	return (void *)(__force unsigned long)srcu_read_lock_fast(srcu);
}

void imgrement_srcu_read_unlock(struct srcu_struct *srcu, void *counter)
{
	unsigned long ctr = (unsigned long)counter;

	srcu_read_unlock_fast(srcu, (__force struct srcu_ctr __percpu *)ctr);
}
