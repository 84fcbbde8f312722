// SPDX-License-Identifier: GPL-2.0
/*
 * C shims for what the kernel crate does not have: vector registers, keys and SRCU's fast readers.
 */
#include <linux/key.h>
#include <linux/srcu.h>

#ifdef CONFIG_X86_64
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#endif

#include <keys/user-type.h>

#include "trace/bindings_helper.h"

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
